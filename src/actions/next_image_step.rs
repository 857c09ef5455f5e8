//! The next step of an image-based upgrade. Where a person has to choose between two ways, the pane that shows both is
//! offered, and neither of them.

use super::next_step::{Leads, NextStep};
use super::{ActionId, Ask, Session, Target};
use crate::upgrade::assessment::{Assessment, Resource, Subject};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::NAME;
use crate::upgrade::image_based::stage_machine::State;

/// Is an image-based upgrade under way, so that no other step is to be taken?
pub(super) fn under_way(assessment: &Assessment) -> bool {
    assessment.image_based.as_deref().is_some_and(super::super::upgrade::image_based::ImageBased::under_way)
}

/// The step.
pub(super) fn step(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let image = assessment.image_based.as_deref()?;
    let look = |phase, words: &str| {
        let subject = Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME));
        Some(NextStep { phase, words: words.to_owned(), leads: Leads::Look(subject) })
    };
    let plan = |phase, words: &str, action: ActionId| {
        let ask = Ask::new(action, Target::Cluster);
        let offered = (action.entry().offered)(assessment, session, &ask.target)?;
        let step = NextStep { phase, words: words.to_owned(), leads: Leads::Plan(ask) };
        offered.refusal.is_none().then_some(step)
    };
    match image.state {
        State::Prepared => plan("upgrade", "reboot into it", ActionId::IbuUpgrade),
        State::Upgraded => look("idle", "finalize or roll back"),
        State::UpgradeFailed => look("upgrade", "see what failed"),
        State::RolledBackByItself => look("idle", "find the cause, then clean up"),
        State::RolledBack => look("idle", "find the cause, then finalize"),
        State::PrepFailed => plan("idle", "give it up", ActionId::IbuIdle),
        State::AbortFailed | State::FinalizeFailed => {
            plan("idle", "repeat the cleanup", ActionId::IbuManualCleanupDone)
        }
        State::RollbackFailed => look("rollback", "see what failed"),
        _ => None,
    }
}

//! `ibu-rollback-off`: an upgrade goes on that would not go back by itself.

use super::ibu::{about, seen};
use super::{Finding, Impact, Level, Look, Remedy, evidence};
use crate::api::ibu_key;
use crate::upgrade::image_based::OBJECT;
use crate::upgrade::image_based::auto_rollback::SwitchEffect;
use crate::upgrade::image_based::stage_machine::State;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    if !matches!(image.state, State::Preparing | State::Prepared | State::BeforePivot | State::AfterPivot) {
        return;
    }
    let off: Vec<_> = image.switches.iter().filter(|switch| switch.off).collect();
    let Some(first) = off.first() else { return };
    let told: Vec<String> = off.iter().map(|switch| format!("{}: {}", switch.trigger, switch.effect.words())).collect();
    let remedies = if off.iter().any(|switch| switch.effect == SwitchEffect::Live) {
        vec![
            Remedy::look("Switch it on again, where that still counts.")
                .oc(format!("oc annotate imagebasedupgrade upgrade {}-", ibu_key::ROLLBACK_COMPLETION)),
        ]
    } else {
        vec![Remedy::look("It counts as it was in Prep: only Idle and a new Prep change that.")]
    };
    found.push(Finding {
        impact: Impact::ApiAvailability,
        meaning: format!(
            "{}\nIf the new system does not come up, somebody has to be at the node's console to bring the former one back.",
            told.join("\n")
        ),
        remedies,
        evidence: off.iter().map(|switch| evidence(OBJECT.to_owned(), switch.key, ibu_key::DISABLED, None)).collect(),
        since: None,
        ..about(
            image,
            "ibu-rollback-off",
            Level::Info,
            format!("the node will not roll back by itself when {}", first.trigger),
        )
    });
}

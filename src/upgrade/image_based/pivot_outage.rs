//! The reboot: the only API server, etcd and router go away together, and come back as another state of the cluster.

use chrono::{DateTime, TimeDelta, Utc};

use super::ImageBased;
use super::oadp::OadpState;
use super::stage_history::PRE_PIVOT;
use super::stage_machine::{Stage, State, tells_rollback};
use crate::upgrade::link::{Link, TroubleKind};

/// How long the API server usually stays away: the documentation's own runs took 7 min 30 s (rollback) to 9 min 40 s, and
/// one upgrade 15 min 41 s as a whole.
pub const USUALLY: (TimeDelta, TimeDelta) = (TimeDelta::minutes(7), TimeDelta::minutes(16));

/// How well it is known that a reboot comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sureness {
    /// An automatic rollback would look like that; so would something else.
    Possible,
    /// The reboot was the next thing to come.
    Likely,
    /// What comes before it has ended.
    Certain,
}

/// A reboot that is under way or to be expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// What happens: `the node reboots into 4.19.3`.
    pub what: String,
    /// What that is inferred from.
    pub why: String,
    /// How well that is known.
    pub sure: Sureness,
    /// Since when nobody answers, or since when the node may have gone; none: it is still there.
    pub began: Option<DateTime<Utc>>,
    /// The server answers again, and does not take the credentials: nobody listens is over, and how far it is cannot be
    /// seen.
    pub locked_out: bool,
    /// After the watchdog's limit the node goes back by itself: not before that.
    pub rolls_back: Option<DateTime<Utc>>,
}

impl Outage {
    /// When the API server is usually back, from and to; none: it is still there.
    pub fn usually_back(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let began = self.began?;
        Some((began + USUALLY.0, began + USUALLY.1))
    }

    /// Is it to be taken as expected?
    pub fn expected(&self) -> bool {
        self.sure > Sureness::Possible
    }
}

/// The reboot that the state of the stage machine makes to be expected.
pub fn outage(image: &ImageBased, link: &Link, _now: DateTime<Utc>) -> Option<Outage> {
    let left = image.run(Stage::Upgrade).and_then(|run| run.phase(PRE_PIVOT)?.completed);
    let new = if image.seed.version.is_empty() { "the new system".to_owned() } else { image.seed.version.clone() };
    let (what, why, sure) = match image.state {
        State::BeforePivot if left.is_some() => (
            format!("the node reboots into {new}"),
            "the phase before the reboot (PrePivot) has ended".to_owned(),
            Sureness::Certain,
        ),
        State::BeforePivot => (
            format!("the node reboots into {new}"),
            "the Upgrade stage was under way, and the reboot is what comes next in it; that PrePivot ended was not seen"
                .to_owned(),
            Sureness::Likely,
        ),
        State::RollingBack if image.waits_for_boot_choice() => (
            "the node reboots into its former system".to_owned(),
            "a rollback is under way, and waits until somebody chooses the system of the next boot".to_owned(),
            Sureness::Likely,
        ),
        State::RollingBack => (
            "the node reboots into its former system".to_owned(),
            "a rollback was under way".to_owned(),
            Sureness::Certain,
        ),
        State::UpgradeFailed if image.pivoted == Some(true) && rolls_back(image) => (
            "the node rolls back by itself into its former system".to_owned(),
            "the upgrade failed after the reboot, and automatic rollback is not switched off".to_owned(),
            Sureness::Likely,
        ),
        State::AfterPivot if image.pivoted == Some(true) && restore_failed(image) && rolls_back(image) => (
            "the node rolls back by itself into its former system".to_owned(),
            "a Restore failed, which the agent counts as a failed upgrade, and automatic rollback is not switched off"
                .to_owned(),
            Sureness::Likely,
        ),
        State::AfterPivot | State::UpgradeFailed if image.pivoted == Some(true) => (
            "the node may be rolling back by itself".to_owned(),
            "the upgrade was not completed; nothing says that it rolls back".to_owned(),
            Sureness::Possible,
        ),
        _ => return None,
    };
    let gone = link.state.stale().then(|| link.state.since()).flatten();
    let began = match image.state {
        // What was heard after the phase ended shows that the node was still there.
        State::BeforePivot => gone.map(|gone| left.unwrap_or(gone).min(gone)).or(gone),
        _ => gone,
    };
    let watchdog = image.watchdog.as_ref().filter(|watchdog| !watchdog.off && image.state == State::BeforePivot);
    let rolls_back = watchdog.and_then(|watchdog| watchdog.from.or(began.map(|began| began + watchdog.timeout)));
    let locked_out =
        gone.is_some() && link.trouble.as_ref().is_some_and(|trouble| trouble.kind == TroubleKind::Unauthorized);
    Some(Outage { what, why, sure, began, locked_out, rolls_back })
}

fn restore_failed(image: &ImageBased) -> bool {
    image.oadp.iter().any(|row| row.restore && row.state == OadpState::Failed)
}

fn rolls_back(image: &ImageBased) -> bool {
    let on = image.switches.iter().any(|switch| switch.key == crate::api::ibu_key::ROLLBACK_COMPLETION && !switch.off);
    on || tells_rollback(&image.message)
}

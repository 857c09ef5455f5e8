//! What is happening, by the conditions; and what may come next.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;

use super::Precache;
use super::stage_history::PRE_PIVOT;
use crate::api::{Condition, Conditions as _, ImageBasedUpgrade, Tri};

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// At rest.
    Idle,
    /// The new system is put beside the running one, and images are pulled ahead.
    Prep,
    /// Reboot into the new system.
    Upgrade,
    /// Reboot into the former system.
    Rollback,
}

impl Stage {
    /// As `spec.stage` writes it.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "Idle" => Self::Idle,
            "Prep" => Self::Prep,
            "Upgrade" => Self::Upgrade,
            "Rollback" => Self::Rollback,
            _ => return None,
        })
    }

    /// As `spec.stage` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Prep => "Prep",
            Self::Upgrade => "Upgrade",
            Self::Rollback => "Rollback",
        }
    }
}

/// What is happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is no condition that tells.
    Unknown,
    /// At rest.
    Idle,
    /// What Prep or Upgrade made is cleaned up.
    Aborting,
    /// That failed.
    AbortFailed,
    /// What is no longer needed is cleaned up; after an upgrade the way back goes with it.
    Finalizing,
    /// That failed.
    FinalizeFailed,
    /// Prep is under way.
    Preparing,
    /// Prep failed.
    PrepFailed,
    /// Prep is done: the upgrade can begin.
    Prepared,
    /// The upgrade is under way, in the former system: the reboot is to come.
    BeforePivot,
    /// The upgrade is under way, in the new system.
    AfterPivot,
    /// The upgrade failed.
    UpgradeFailed,
    /// The upgrade failed, and the node went back to the former system without being asked.
    RolledBackByItself,
    /// The upgrade is done; the way back is still open.
    Upgraded,
    /// The node goes back to the former system, as it was asked to.
    RollingBack,
    /// That failed: nothing is allowed from here.
    RollbackFailed,
    /// The node is back in the former system, as it was asked to.
    RolledBack,
}

impl State {
    /// The words of the header.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Unknown => "image-based: unknown",
            Self::Idle => "idle",
            Self::Aborting => "aborting",
            Self::AbortFailed => "abort failed",
            Self::Finalizing => "finalizing",
            Self::FinalizeFailed => "finalize failed",
            Self::Preparing => "preparing",
            Self::PrepFailed => "prep failed",
            Self::Prepared => "prepared",
            Self::BeforePivot => "before the reboot",
            Self::AfterPivot => "after the reboot",
            Self::UpgradeFailed => "upgrade failed",
            Self::RolledBackByItself => "rolled back by itself",
            Self::Upgraded => "upgraded, not finalized",
            Self::RollingBack => "rolling back",
            Self::RollbackFailed => "rollback failed",
            Self::RolledBack => "rolled back",
        }
    }

    /// The name in JSON: stable, as documented for `oc-cockpit status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Idle => "Idle",
            Self::Aborting => "Aborting",
            Self::AbortFailed => "AbortFailed",
            Self::Finalizing => "Finalizing",
            Self::FinalizeFailed => "FinalizeFailed",
            Self::Preparing => "Preparing",
            Self::PrepFailed => "PrepFailed",
            Self::Prepared => "Prepared",
            Self::BeforePivot => "BeforePivot",
            Self::AfterPivot => "AfterPivot",
            Self::UpgradeFailed => "UpgradeFailed",
            Self::RolledBackByItself => "RolledBackByItself",
            Self::Upgraded => "Upgraded",
            Self::RollingBack => "RollingBack",
            Self::RollbackFailed => "RollbackFailed",
            Self::RolledBack => "RolledBack",
        }
    }

    /// Did something fail?
    pub fn failed(self) -> bool {
        matches!(
            self,
            Self::AbortFailed
                | Self::FinalizeFailed
                | Self::PrepFailed
                | Self::UpgradeFailed
                | Self::RolledBackByItself
                | Self::RollbackFailed
        )
    }

    /// Does nothing go on before a person decides?
    pub fn waits_for_person(self) -> bool {
        matches!(self, Self::Prepared | Self::Upgraded | Self::RolledBack)
    }
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// `Prep`.
    Prep,
    /// `Upgrade`.
    Upgrade,
    /// `Rollback`.
    Rollback,
    /// `Idle` before the reboot: cleans up.
    Abort,
    /// `Idle` after an upgrade or a rollback: cleans up, and takes the other system away.
    Finalize,
}

impl Move {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Prep => "Prep",
            Self::Upgrade => "Upgrade",
            Self::Rollback => "Rollback",
            Self::Abort => "Idle (abort)",
            Self::Finalize => "Idle (finalize)",
        }
    }

    /// The stage that is asked for.
    pub fn stage(self) -> Stage {
        match self {
            Self::Prep => Stage::Prep,
            Self::Upgrade => Stage::Upgrade,
            Self::Rollback => Stage::Rollback,
            Self::Abort | Self::Finalize => Stage::Idle,
        }
    }
}

/// What the conditions tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is happening.
    pub state: State,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// The condition that tells it, as `Type=Status/Reason`.
    pub condition: String,
    /// What is said of it; of a failure its cause.
    pub message: String,
    /// Does the node run the new system?
    pub pivoted: Option<bool>,
}

/// Reads the conditions. The order matters: while it aborts or finalizes, the conditions of before stay True and only the
/// reason of `Idle` tells; the cause of a failure is in `<Stage>InProgress`, never in `<Stage>Completed`.
pub fn read(object: &ImageBasedUpgrade, running: Option<&str>) -> Reading {
    let conditions = &object.status.conditions;
    let pivoted = pivoted(object, running);
    let (state, telling, said) = tell(object, pivoted).unwrap_or((State::Unknown, None, None));
    let words = |condition: &Condition| match condition.reason.as_str() {
        "" => format!("{}={}", condition.kind, condition.status.word()),
        reason => format!("{}={}/{reason}", condition.kind, condition.status.word()),
    };
    let telling = telling.and_then(|kind| conditions.condition(kind));
    let said = said.and_then(|kind| conditions.condition(kind)).or(telling);
    Reading {
        state,
        // `Idle` has been False since the stages began: since when it is being cleaned up, or failed to be, it does not tell.
        since: telling.filter(|_| !cleans(state)).and_then(|condition| condition.since),
        condition: telling.map(words).unwrap_or_default(),
        message: said.map(|condition| condition.message.clone()).unwrap_or_default(),
        pivoted,
    }
}

/// Is it giving up or finalizing, or failed to?
fn cleans(state: State) -> bool {
    matches!(state, State::Aborting | State::AbortFailed | State::Finalizing | State::FinalizeFailed)
}

/// The state, the condition that tells it, and the one that says more, if that is another.
type Told = (State, Option<&'static str>, Option<&'static str>);

fn tell(object: &ImageBasedUpgrade, pivoted: Option<bool>) -> Option<Told> {
    let conditions = &object.status.conditions;
    let idle = conditions.condition("Idle");
    let cleaning = match idle.map(|idle| idle.reason.as_str()) {
        Some("Aborting") => Some(State::Aborting),
        Some("AbortFailed") => Some(State::AbortFailed),
        Some("Finalizing") => Some(State::Finalizing),
        Some("FinalizeFailed") => Some(State::FinalizeFailed),
        _ => None,
    };
    if let Some(state) = cleaning {
        return Some((state, Some("Idle"), None));
    }
    if idle.is_some_and(|idle| idle.status == Tri::True) {
        return Some((State::Idle, Some("Idle"), None));
    }
    let stage = |name: &str| {
        let [running, done] = [format!("{name}InProgress"), format!("{name}Completed")];
        match (conditions.condition(&done).map(|done| done.status), conditions.is_true(&running)) {
            (Some(Tri::True), _) => Some(true),
            (Some(Tri::False), false) => Some(false),
            _ => None,
        }
    };
    // A rollback that is under way comes before what it ends.
    match stage("Rollback") {
        Some(true) => return Some((State::RolledBack, Some("RollbackCompleted"), None)),
        Some(false) => return Some((State::RollbackFailed, Some("RollbackCompleted"), Some("RollbackInProgress"))),
        None if conditions.is_true("RollbackInProgress") => {
            return Some((State::RollingBack, Some("RollbackInProgress"), None));
        }
        None => {}
    }
    match stage("Upgrade") {
        Some(true) => return Some((State::Upgraded, Some("UpgradeCompleted"), None)),
        Some(false) => {
            let state = if went_back(object, pivoted) { State::RolledBackByItself } else { State::UpgradeFailed };
            return Some((state, Some("UpgradeCompleted"), Some("UpgradeInProgress")));
        }
        None if conditions.is_true("UpgradeInProgress") => {
            let state = if pivoted == Some(true) { State::AfterPivot } else { State::BeforePivot };
            return Some((state, Some("UpgradeInProgress"), None));
        }
        None => {}
    }
    match stage("Prep") {
        Some(true) => Some((State::Prepared, Some("PrepCompleted"), None)),
        Some(false) => Some((State::PrepFailed, Some("PrepCompleted"), Some("PrepInProgress"))),
        None if conditions.is_true("PrepInProgress") => Some((State::Preparing, Some("PrepInProgress"), None)),
        None => None,
    }
}

/// Does the node run the new system? The agent knows by the name of the booted stateroot, which nobody else sees. What
/// is offered tells: a rollback only after the reboot. While nothing is offered, the phases and the version tell.
fn pivoted(object: &ImageBasedUpgrade, running: Option<&str>) -> Option<bool> {
    let status = &object.status;
    let stage = Stage::of(&object.spec.stage);
    let upgrade = status.history.iter().find(|run| run.stage == "Upgrade");
    if !matches!(stage, Some(Stage::Upgrade | Stage::Rollback)) && upgrade.is_none() {
        return Some(false);
    }
    let offered = |name: &str| status.valid_next_stages.iter().any(|stage| stage == name);
    if offered("Rollback") {
        return Some(true);
    }
    let runs_seed = running.map(|running| !running.is_empty() && running == object.spec.seed.version);
    if stage == Some(Stage::Upgrade) && offered("Idle") {
        return Some(false);
    }
    let post = upgrade.is_some_and(|run| run.phases.iter().any(|phase| phase.phase == "PostPivot"));
    match (post, runs_seed) {
        (_, Some(runs)) => Some(runs),
        (true, None) => Some(true),
        (false, None) => None,
    }
}

/// Did it fail after the reboot, and does the node run the former system again? Nothing of `Rollback` is set then: it
/// looks like a failed upgrade whose way is back to Idle. Either the phases show that the reboot had come, or the agent
/// says so in the cause that it leaves behind.
fn went_back(object: &ImageBasedUpgrade, pivoted: Option<bool>) -> bool {
    if pivoted != Some(false) {
        return false;
    }
    let upgrade = object.status.history.iter().find(|run| run.stage == "Upgrade");
    let left = upgrade.is_some_and(|run| {
        run.phases.iter().any(|phase| phase.phase == PRE_PIVOT && phase.completed.is_some())
            || run.phases.iter().any(|phase| phase.phase == "PostPivot")
    });
    let cause = object.status.conditions.condition("UpgradeInProgress");
    left || cause.is_some_and(|cause| tells_rollback(&cause.message))
}

/// The beginnings of the causes that the agent leaves when it rolls back (lifecycle-agent: `RollbackCommand`, "Rollback due
/// to ..."; "Uncontrolled rollback" is written before the reboot, for a node that boots the former system by other means).
pub fn tells_rollback(message: &str) -> bool {
    message.starts_with("Rollback due to") || message.starts_with("Uncontrolled rollback")
}

/// What may be asked for: `status.validNextStages`, and nothing beside it. Absent means nothing.
pub fn moves(object: &ImageBasedUpgrade) -> Vec<Move> {
    let conditions = &object.status.conditions;
    // lifecycle-agent, `isFinalizeOrAbort`.
    let finalize = conditions.is_true("UpgradeCompleted") || conditions.is_true("RollbackCompleted");
    let named = object.status.valid_next_stages.iter().filter(|stage| **stage != object.spec.stage);
    let mut moves: Vec<Move> = named
        .filter_map(|stage| {
            Some(match Stage::of(stage)? {
                Stage::Idle if finalize => Move::Finalize,
                Stage::Idle => Move::Abort,
                Stage::Prep => Move::Prep,
                Stage::Upgrade => Move::Upgrade,
                Stage::Rollback => Move::Rollback,
            })
        })
        .collect();
    moves.sort_unstable();
    moves.dedup();
    moves
}

/// The one count that the agent gives: `total: 136 (pulled: 2, failed: 0)`.
pub fn precache(message: &str) -> Option<Precache> {
    static COUNT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"total: (\d+) \(pulled: (\d+), failed: (\d+)\)").ok());
    let found = COUNT.as_ref()?.captures(message)?;
    let number = |at: usize| found.get(at)?.as_str().parse().ok();
    Some(Precache { total: number(1)?, pulled: number(2)?, failed: number(3)? })
}

/// The Job that a message names, as namespace and name.
pub fn job(message: &str) -> Option<(String, String)> {
    let word = |key: &str| {
        let (_, rest) = message.split_once(key)?;
        let end = rest.find(|c: char| c == ',' || c == '.' || c.is_whitespace()).unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    };
    Some((word("job-namespace: ")?, word("job-name: ")?))
}

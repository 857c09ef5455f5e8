//! The stages as they went, with durations. There is no phase for the reboot: it is what lies between two of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::stage_machine::Stage;
use crate::api::{ImageBasedUpgrade, StageHistory};

/// The phase before the reboot.
pub const PRE_PIVOT: &str = "PrePivot";
/// The phase after it.
pub const POST_PIVOT: &str = "PostPivot";

/// A stage as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRun {
    /// Which.
    pub stage: Stage,
    /// Begun.
    pub started: Option<DateTime<Utc>>,
    /// Ended well; of a stage that fails it stays empty.
    pub completed: Option<DateTime<Utc>>,
    /// Phases, the reboot among them.
    pub phases: Vec<PhaseRun>,
}

/// A phase of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseRun {
    /// `Stateroot`, `Precache`, `PrePivot`, `reboot`, `PostPivot`.
    pub name: String,
    /// Begun.
    pub started: Option<DateTime<Utc>>,
    /// Ended.
    pub completed: Option<DateTime<Utc>>,
}

impl PhaseRun {
    /// How long it took.
    pub fn took(&self) -> Option<TimeDelta> {
        Some((self.completed? - self.started?).max(TimeDelta::zero()))
    }
}

impl StageRun {
    /// How long it took.
    pub fn took(&self) -> Option<TimeDelta> {
        Some((self.completed? - self.started?).max(TimeDelta::zero()))
    }

    /// A phase by name.
    pub fn phase(&self, name: &str) -> Option<&PhaseRun> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

/// The history as the agent keeps it since it was idle last.
pub fn runs(object: &ImageBasedUpgrade) -> Vec<StageRun> {
    object.status.history.iter().filter_map(run).collect()
}

fn run(told: &StageHistory) -> Option<StageRun> {
    let mut phases: Vec<PhaseRun> = told
        .phases
        .iter()
        .map(|phase| PhaseRun { name: phase.phase.clone(), started: phase.started, completed: phase.completed })
        .collect();
    let place = |name: &str| phases.iter().position(|phase| phase.name == name);
    // `PostPivot` begins when the agent is back: until then nobody knows when the reboot ends.
    if let Some(before) = place(PRE_PIVOT).filter(|at| phases[*at].completed.is_some()) {
        let after = place(POST_PIVOT).and_then(|at| phases[at].started);
        let reboot = PhaseRun { name: "reboot".to_owned(), started: phases[before].completed, completed: after };
        phases.insert(before + 1, reboot);
    }
    Some(StageRun { stage: Stage::of(&told.stage)?, started: told.started, completed: told.completed, phases })
}

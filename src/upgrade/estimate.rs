//! How long it still takes: control plane and each pool apart, with their working shown.
//!
//! Belongs here: what is left and how long that takes, before an update and while it goes on. Does not: what should have
//! happened already (findings), how to draw it. Imports nothing but the rest of the domain.
//!
//! Sources, best first: node cycles measured in this rollout, this cluster's own history, documented defaults. Work that
//! cannot go on by itself (paused pools, blocked drains) is left out and named.
//!
//! The parts: first the payload ([`payload_left`]), operators by run level up to where machine-config renders new
//! configurations; then control plane nodes and worker pools side by side ([`nodes_left`]). Every uncertain number is
//! looked at in the same fixed cases ([`lots`]): in each case the control plane takes payload + its nodes + the end, a
//! pool takes payload + its nodes, and the whole takes the longest of them; the spread is that of the cases.

pub mod belief;
pub mod guide;
pub mod lots;
pub mod node_pace;
pub mod nodes_left;
pub mod past;
pub mod payload_left;

pub mod tell;
pub mod typical;
pub mod under_way;

use chrono::TimeDelta;

use super::assessment::Assessment;
use super::image_based::ImageBased;
use super::memory::Memory;

/// A time that is not known exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spread {
    /// One in ten is shorter.
    pub p10: TimeDelta,
    /// The median.
    pub p50: TimeDelta,
    /// One in ten is longer.
    pub p90: TimeDelta,
}

/// What an estimate is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Everything until the update is over.
    Whole,
    /// Operators and control plane nodes.
    ControlPlane,
    /// The nodes of a pool.
    Pool(String),
}

/// Where the numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Measured in this rollout.
    Measured,
    /// From this cluster's earlier updates.
    History,
    /// Documented defaults.
    Default,
    /// The guide's formula, before an update.
    Guide,
}

/// A number that went into an estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What: `node cycle (median of 4)`.
    pub name: String,
    /// How much: `6m40s`.
    pub value: String,
    /// Where it was read: `phase clocks of this rollout`, `clusterversion/version status.history[1]`.
    pub source: String,
}

/// How long a part still takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Which part.
    pub part: Part,
    /// From `Assessment::now`.
    pub remaining: Spread,
    /// Where the numbers come from, the weakest of them.
    pub basis: Basis,
    /// The numbers.
    pub inputs: Vec<Input>,
    /// The arithmetic in one sentence.
    pub working: String,
    /// Work that was left out because it does not go on by itself, in words.
    pub left_out: Vec<String>,
}

impl Estimate {
    /// Nothing of what is left goes on by itself: `remaining` is zero, and `left_out` says what waits for what.
    pub fn waits(&self) -> bool {
        self.remaining.p90 == TimeDelta::zero() && !self.left_out.is_empty()
    }
}

/// All estimates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Estimates {
    /// The whole; none when nothing is left and nothing is on offer.
    pub whole: Option<Estimate>,
    /// Its parts: control plane first, then pools in their order.
    pub parts: Vec<Estimate>,
    /// Nothing rolls: this is what an update would take, by the guide's formula.
    pub before: bool,
}

/// The estimates for `assessment`, whose estimates are not made yet.
pub fn estimates(assessment: &Assessment, memory: &Memory) -> Estimates {
    // Its stages have no payload that rolls, and no update can begin beside it.
    if assessment.image_based.as_deref().is_some_and(ImageBased::under_way) {
        return Estimates::default();
    }
    if under_way::rolls(assessment) {
        return under_way::estimates(assessment, memory.cycles());
    }
    guide::estimates(assessment)
}

#[cfg(test)]
mod estimate_tests;

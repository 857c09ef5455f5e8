//! How long it still takes, with the numbers that it rests on.

use serde::Serialize;

use crate::upgrade::estimate::{self, Basis, Estimates};

/// The estimate of the whole, and of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// From `now` until the end.
    pub remaining: Remaining,
    /// Where the numbers come from, the weakest of them: `measured` in this rollout, `history` of this cluster,
    /// `default` (documented), `guide` (the guide's formula, before an update).
    pub basis: &'static str,
    /// Nothing rolls: this is what an update would take.
    pub before: bool,
    /// The numbers.
    pub inputs: Vec<Input>,
    /// The arithmetic in one sentence.
    pub working: String,
    /// Work that does not go on by itself, and is not counted.
    pub left_out: Vec<String>,
    /// Control plane, then each pool.
    pub parts: Vec<Part>,
}

/// Seconds: one in ten is shorter than `p10`, half are shorter than `p50`, one in ten is longer than `p90`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remaining {
    /// Seconds.
    pub p10: i64,
    /// Seconds.
    pub p50: i64,
    /// Seconds.
    pub p90: i64,
}

/// A number that went in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// What.
    pub name: String,
    /// How much.
    pub value: String,
    /// Where it was read.
    pub source: String,
}

/// The estimate of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// `control-plane` or `pool`.
    pub part: &'static str,
    /// Which pool.
    pub pool: Option<String>,
    /// From `now`.
    pub remaining: Remaining,
    /// As in [`Estimate::basis`].
    pub basis: &'static str,
    /// The numbers.
    pub inputs: Vec<Input>,
    /// The arithmetic in one sentence.
    pub working: String,
    /// Work that does not go on by itself, and is not counted.
    pub left_out: Vec<String>,
}

/// The estimate of the whole with its parts; none without one of the whole.
pub fn estimate(estimates: &Estimates) -> Option<Estimate> {
    let whole = estimates.whole.as_ref()?;
    Some(Estimate {
        remaining: remaining(whole),
        basis: basis(whole.basis),
        before: estimates.before,
        inputs: inputs(whole),
        working: whole.working.clone(),
        left_out: whole.left_out.clone(),
        parts: estimates.parts.iter().filter_map(part).collect(),
    })
}

fn part(from: &estimate::Estimate) -> Option<Part> {
    let (part, pool) = match &from.part {
        estimate::Part::Whole => return None,
        estimate::Part::ControlPlane => ("control-plane", None),
        estimate::Part::Pool(name) => ("pool", Some(name.clone())),
    };
    Some(Part {
        part,
        pool,
        remaining: remaining(from),
        basis: basis(from.basis),
        inputs: inputs(from),
        working: from.working.clone(),
        left_out: from.left_out.clone(),
    })
}

fn remaining(from: &estimate::Estimate) -> Remaining {
    let spread = from.remaining;
    Remaining { p10: spread.p10.num_seconds(), p50: spread.p50.num_seconds(), p90: spread.p90.num_seconds() }
}

fn inputs(from: &estimate::Estimate) -> Vec<Input> {
    let input = |input: &estimate::Input| Input {
        name: input.name.clone(),
        value: input.value.clone(),
        source: input.source.clone(),
    };
    from.inputs.iter().map(input).collect()
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "measured",
        Basis::History => "history",
        Basis::Default => "default",
        Basis::Guide => "guide",
    }
}

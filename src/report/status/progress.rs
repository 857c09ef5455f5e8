//! From where to where, how far, and the operators.

use serde::Serialize;

use crate::report::parts::{Evidence, Moment, each, said};
use crate::upgrade::assessment::{self, Assessment, OperatorRow, OperatorState, VerdictKind};
use crate::upgrade::facts::Kind;

/// Where the update stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// One of NotUpdating, Requested, UpdatingControlPlane, UpdatingPools, ConfigRollout, ImageBased, NeedsPerson, Slow, Stalled,
    /// Failing, Completed. Null: could not tell.
    pub verdict: Option<&'static str>,
    /// One sentence.
    pub why: String,
    /// Since when the verdict holds.
    pub since: Option<Moment>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The version before this update, completed or not.
    pub from: Option<String>,
    /// The version that is being applied, or was applied last.
    pub to: Option<String>,
    /// The image of that entry of the history.
    pub to_image: Option<String>,
    /// The update to `from` was never completed.
    pub from_incomplete: Option<bool>,
    /// The newest version before this update that was completed.
    pub last_completed: Option<String>,
    /// The same version by another image: a migration to a multi-architecture payload.
    pub multi_arch: Option<bool>,
    /// A new installation.
    pub installing: Option<bool>,
    /// When this update began.
    pub started_at: Option<Moment>,
    /// When the control plane was completed.
    pub completed_at: Option<Moment>,
    /// Percent of the whole: operators, then nodes. Null: nothing rolls.
    pub percent: Option<u8>,
    /// Manifests of the payload.
    pub payload: Option<Payload>,
    /// Requested and not accepted.
    pub requested: Option<Requested>,
    /// Counts of the operators of the payload.
    pub operators: OperatorCounts,
    /// Operators that are not at the version and Progressing.
    pub updating_operators: Option<Vec<String>>,
    /// What the cluster-version operator waits for, from its message.
    pub waiting_on: Vec<String>,
    /// Its message.
    pub message: Option<String>,
    #[serde(skip)]
    pub(super) kind: VerdictKind,
}

/// Manifests applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// Done in this run through them.
    pub done: u32,
    /// All of them.
    pub total: u32,
}

/// An update that was requested and is not (yet) accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// Version, or image.
    pub target: String,
    /// `ReleaseAccepted.reason`.
    pub step: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// Refused, as opposed to being looked at.
    pub refused: bool,
    /// Since when.
    pub since: Option<Moment>,
}

/// Counts over the operators of the payload; those of others do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorCounts {
    /// All.
    pub total: Option<usize>,
    /// At the version.
    pub updated: Option<usize>,
    /// Not at it, Progressing.
    pub updating: Option<usize>,
    /// Not at it, not Progressing.
    pub waiting: Option<usize>,
    /// Available and not degraded.
    pub healthy: Option<usize>,
    /// Not available.
    pub unavailable: Option<usize>,
    /// Available but degraded.
    pub degraded: Option<usize>,
}

/// A ClusterOperator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// Name.
    pub name: String,
    /// Run level of its manifest.
    pub run_level: Option<u8>,
    /// Belongs to the payload.
    pub platform: bool,
    /// Unavailable, Degraded, Updating, Waiting or Updated: the most telling.
    pub state: &'static str,
    /// At the version of the update.
    pub updated: bool,
    /// `Available` is True.
    pub available: bool,
    /// `Progressing` is True.
    pub progressing: bool,
    /// `Degraded` is True.
    pub degraded: bool,
    /// Normal while nodes reboot.
    pub expected: bool,
    /// The version that it reports.
    pub version: Option<String>,
    /// Since when the state holds.
    pub since: Option<Moment>,
    /// Reason of the condition that the state rests on.
    pub reason: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// Why it speaks against minor updates. Null: it does not.
    pub not_upgradeable: Option<String>,
    /// Since when it works on this update.
    pub working_since: Option<Moment>,
    /// When it will have taken too long, or has.
    pub deadline: Option<Moment>,
}

/// Where the update of `assessment` stands.
pub fn update(assessment: &Assessment) -> Update {
    let (update, verdict) = (&assessment.update, &assessment.verdict);
    let version = assessment.facts.cluster_version.as_deref();
    let history = version.map_or(&[][..], |version| &version.status.history);
    let desired = version.map_or("", |version| &version.status.desired.version);
    let (newest, before) = (history.first(), history.get(1));
    let seen = version.is_some();
    Update {
        verdict: verdict.kind.name(),
        why: verdict.why.clone(),
        since: verdict.since.map(Moment),
        evidence: each(&verdict.evidence),
        from: before.and_then(|entry| said(&entry.version)),
        // An entry without a version (requested by image, and not loaded yet) is not known to be of any.
        to: newest.map_or_else(|| said(desired), |entry| said(&entry.version)),
        to_image: newest.and_then(|entry| said(&entry.image)),
        from_incomplete: seen.then(|| before.is_some_and(|entry| !entry.is_completed())),
        last_completed: history
            .iter()
            .skip(1)
            .find(|entry| entry.is_completed())
            .and_then(|entry| said(&entry.version)),
        multi_arch: seen.then_some(update.multi_arch),
        installing: seen.then_some(update.installing),
        started_at: update.started.map(Moment),
        completed_at: update.completed.map(Moment),
        percent: assessment.progress,
        payload: update.payload.map(|payload| Payload { done: payload.done, total: payload.total }),
        requested: update.requested.as_ref().map(requested),
        operators: counts(assessment),
        updating_operators: assessment.facts.known(Kind::ClusterOperators).then(|| updating(assessment)),
        waiting_on: update.waiting_on.clone(),
        message: said(&update.message),
        kind: verdict.kind,
    }
}

fn requested(from: &assessment::Requested) -> Requested {
    Requested {
        target: from.target.clone(),
        step: said(&from.step),
        message: said(&from.message),
        refused: from.refused,
        since: from.since.map(Moment),
    }
}

fn counts(assessment: &Assessment) -> OperatorCounts {
    let operators = &assessment.operators;
    let known = |number: usize| assessment.facts.known(Kind::ClusterOperators).then_some(number);
    OperatorCounts {
        total: known(operators.total),
        updated: known(operators.updated),
        updating: known(operators.updating),
        waiting: known(operators.waiting),
        healthy: known(operators.total.saturating_sub(operators.unavailable + operators.degraded)),
        unavailable: known(operators.unavailable),
        degraded: known(operators.degraded),
    }
}

fn updating(assessment: &Assessment) -> Vec<String> {
    let rows = assessment.operators.rows.iter().filter(|row| row.platform && !row.updated && row.progressing);
    let mut names: Vec<String> = rows.map(|row| row.name.clone()).collect();
    names.sort();
    names
}

/// All operators.
pub fn operators(assessment: &Assessment) -> Vec<Operator> {
    assessment.operators.rows.iter().map(operator).collect()
}

fn operator(row: &OperatorRow) -> Operator {
    Operator {
        name: row.name.clone(),
        run_level: row.level,
        platform: row.platform,
        state: match row.state {
            OperatorState::Unavailable => "Unavailable",
            OperatorState::Degraded => "Degraded",
            OperatorState::Updating => "Updating",
            OperatorState::Waiting => "Waiting",
            OperatorState::Updated => "Updated",
        },
        updated: row.updated,
        available: row.available,
        progressing: row.progressing,
        degraded: row.degraded,
        expected: row.expected,
        version: row.version.clone(),
        since: row.since.map(Moment),
        reason: said(&row.reason),
        message: said(&row.message),
        not_upgradeable: row.not_upgradeable.clone(),
        working_since: row.working_since.map(Moment),
        deadline: row.deadline.map(|deadline| Moment(deadline.at)),
    }
}

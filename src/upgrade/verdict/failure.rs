//! The cluster-version operator says that it fails: how far it is to be believed.
//!
//! While it updates, a degraded operator is to be put up with for 40 minutes. When errors of other sorts stand beside it,
//! that grace is lost (cvo: pkg/cvo/status.go, `setDegradedConditionFromError`): Failing turns True at once and may pass by
//! itself. While it reconciles there is no grace at all, and Failing flips with each round.

use super::{HOLD, condition, evidence_of, told, version_evidence};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::{Assessment, Limit, OperatorRow, OperatorState, Verdict, VerdictKind, age};
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// `Failing` is True, and to be believed.
pub(super) fn failing(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let failing = condition(assessment, "Failing").filter(|failing| failing.status == Tri::True)?;
    let updates = assessment.update.in_progress;
    if doubtful(assessment).is_some() || (!updates && is_young(assessment, failing)) {
        return None;
    }
    let why = match (updates, &assessment.update.to) {
        (false, Some(version)) => {
            format!("the cluster-version operator fails to keep the cluster at {version}: {}", told(failing))
        }
        _ => format!("the cluster-version operator fails: {}", told(failing)),
    };
    Some(Verdict { kind: VerdictKind::Failing, why, since: failing.since, evidence: vec![version_evidence(failing)] })
}

fn is_young(assessment: &Assessment, condition: &Condition) -> bool {
    condition.since.is_some_and(|since| age(since, assessment.now) < HOLD)
}

/// It was the verdict a moment ago, and has been taken back since then: attempts follow each other quickly.
pub(super) fn just_failed(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    let last = &memory.settled(&assessment.facts)?.verdict;
    let failing = condition(assessment, "Failing").filter(|failing| failing.status != Tri::True)?;
    let since = failing.since.filter(|_| last.kind == VerdictKind::Failing && is_young(assessment, failing))?;
    let ago = words::span(age(since, assessment.now));
    Some(Verdict {
        kind: VerdictKind::Failing,
        why: format!("the cluster-version operator has not failed for {ago}; it may only be trying again"),
        since: last.since,
        evidence: vec![version_evidence(failing)],
    })
}

/// The operators because of which Failing came early, when it is not to be believed yet.
fn doubtful(assessment: &Assessment) -> Option<Vec<&OperatorRow>> {
    let failing = condition(assessment, "Failing").filter(|failing| failing.status == Tri::True)?;
    if !assessment.update.in_progress || !is_about_operators(failing) {
        return None;
    }
    let rows = || assessment.operators.rows.iter().filter(|row| row.platform);
    let within = |row: &&OperatorRow| {
        row.deadline.is_some_and(|deadline| deadline.limit == Limit::Degraded && deadline.at > assessment.now)
    };
    let degraded: Vec<&OperatorRow> = rows().filter(|row| row.state == OperatorState::Degraded).collect();
    let gone = rows().any(|row| row.state == OperatorState::Unavailable);
    let updating = rows().any(|row| row.state == OperatorState::Updating);
    (!degraded.is_empty() && degraded.iter().all(within) && !gone && updating).then_some(degraded)
}

/// Only degraded (and updating) operators are named: nothing else could be wrong.
fn is_about_operators(failing: &Condition) -> bool {
    let named = |line: &str| line.to_ascii_lowercase().contains("cluster operator");
    match failing.reason.as_str() {
        "ClusterOperatorDegraded" | "ClusterOperatorsDegraded" => true,
        "MultipleErrors" => {
            let mut lines = failing.message.lines().skip(1).filter(|line| !line.trim().is_empty()).peekable();
            lines.peek().is_some() && lines.all(named)
        }
        _ => false,
    }
}

/// Says with another verdict what is not believed yet, so that nobody thinks it was overlooked.
pub(super) fn add_doubts(assessment: &Assessment, verdict: &mut Verdict) {
    if verdict.kind == VerdictKind::Failing || verdict.kind == VerdictKind::Unknown {
        return;
    }
    if let Some(degraded) = doubtful(assessment) {
        let names = words::some_of(degraded.iter().map(|row| row.name.as_str()), 2);
        let verb = if degraded.len() == 1 { "is" } else { "are" };
        let doubt = format!(
            "; it is called failing early, because {names} {verb} degraded while others still update: this may pass by itself"
        );
        verdict.why.push_str(&doubt);
        verdict.evidence.push(evidence_of(assessment, "Failing"));
    } else if !assessment.update.in_progress
        && let Some(failing) = condition(assessment, "Failing").filter(|failing| failing.status == Tri::True)
    {
        verdict.why.push_str("; the cluster-version operator has just failed once: ");
        verdict.why.push_str(&told(failing));
        verdict.evidence.push(version_evidence(failing));
    }
}

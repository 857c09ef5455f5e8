//! Requests: refused, invalid, not heard, or being checked.

use chrono::TimeDelta;

use super::{VERSION, condition, evidence, evidence_of, told, version_evidence};
use crate::api::Tri;
use crate::upgrade::assessment::{Assessment, Evidence, Verdict, VerdictKind, age};
use crate::upgrade::memory::Memory;
use crate::upgrade::updates::gates_of;
use crate::upgrade::version::leaves_minor;
use crate::upgrade::words;

/// How long the cluster-version operator may leave a change of its ClusterVersion alone. Its pod moves when its node
/// reboots, and waits up to two minutes for the lease of the one before.
pub const UNHEARD: TimeDelta = TimeDelta::minutes(5);

/// A request that was refused for good: only a person can change it, its gate or its preconditions.
pub(super) fn refused(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let requested = assessment.update.requested.as_ref().filter(|requested| requested.refused)?;
    let is_invalid = condition(assessment, "Invalid").is_some_and(|invalid| invalid.status == Tri::True);
    let mut proof = vec![evidence_of(assessment, if is_invalid { "Invalid" } else { "ReleaseAccepted" })];
    let gates = if is_invalid { Vec::new() } else { open_gates(assessment, &requested.target) };
    let why = if gates.is_empty() {
        format!("the update to {} was refused ({}): {}", requested.target, requested.step, requested.why())
    } else {
        let named = words::some_of(gates.iter().map(String::as_str), 2);
        format!("the update to {} waits for an acknowledgement: {named}", requested.target)
    };
    proof.extend(gates.iter().map(|gate| gate_evidence(gate)));
    let meanwhile = match (&assessment.update.to, assessment.update.in_progress) {
        (Some(to), true) => format!("; the update to {to} goes on"),
        _ => String::new(),
    };
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("{why}{meanwhile}"),
        since: requested.since,
        evidence: proof,
    })
}

fn gate_evidence(gate: &str) -> Evidence {
    evidence("configmap/admin-acks".to_owned(), &format!("data[{gate}]"), "not \"true\"", None)
}

/// Gates of the present minor that nobody has acknowledged and that a request for `target` runs into (cvo:
/// pkg/cvo/upgradeable.go, `clusterAdminAcksCompletedUpgradeable`); empty when the ConfigMaps are not known.
fn open_gates(assessment: &Assessment, target: &str) -> Vec<String> {
    let current = assessment.update.to.as_deref().unwrap_or_default();
    if !leaves_minor(current, target) {
        return Vec::new();
    }
    let gates = gates_of(assessment).unwrap_or_default().into_iter();
    gates.filter(|gate| gate.acknowledged == Some(false) && !gate.broken).map(|gate| gate.key).collect()
}

/// The spec as a whole is invalid: the operator stops at what it has.
pub(super) fn invalid(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let invalid = condition(assessment, "Invalid").filter(|invalid| invalid.status == Tri::True)?;
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("the ClusterVersion is invalid, so nothing of it is applied: {}", told(invalid)),
        since: invalid.since,
        evidence: vec![version_evidence(invalid)],
    })
}

/// The cluster-version operator does not look at its ClusterVersion: it is down, or cannot reach the API.
pub(super) fn unheard(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    let since = memory.unseen_since(&assessment.facts).filter(|since| age(*since, assessment.now) >= UNHEARD)?;
    let version = assessment.facts.cluster_version.as_ref()?;
    let lasted = words::span(age(since, assessment.now));
    let seen = version.status.observed_generation;
    let generation = version.metadata.generation.unwrap_or_default();
    Some(Verdict {
        kind: VerdictKind::Stalled,
        why: format!("the cluster-version operator has not looked at the ClusterVersion for {lasted}: it may be down"),
        since: Some(since),
        evidence: vec![evidence(
            VERSION.to_owned(),
            "status.observedGeneration",
            format!("{seen}, metadata.generation {generation}"),
            Some(since),
        )],
    })
}

/// Asked for, and being checked.
pub(super) fn requested(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let requested = assessment.update.requested.as_ref()?;
    let why = match (requested.step.as_str(), words::first_line(&requested.message)) {
        ("", "") => format!("the update to {} was asked for", requested.target),
        ("", message) => format!("the update to {} was asked for: {message}", requested.target),
        (step, _) => format!("the update to {} is being checked ({step})", requested.target),
    };
    let meanwhile = match (&assessment.update.to, assessment.update.in_progress) {
        (Some(to), true) => format!("; the update to {to} goes on"),
        _ => String::new(),
    };
    let wanted = evidence(VERSION.to_owned(), "spec.desiredUpdate", requested.target.clone(), None);
    let accepted = condition(assessment, "ReleaseAccepted").map(version_evidence);
    Some(Verdict {
        kind: VerdictKind::Requested,
        why: format!("{why}{meanwhile}"),
        since: requested.since,
        evidence: accepted.into_iter().chain([wanted]).collect(),
    })
}

//! The update goes on: the control plane, then pools; and pools that are paused.

use super::{VERSION, evidence, evidence_of};
use crate::upgrade::assessment::{Assessment, Evidence, Pool, Topology, Update, Verdict, VerdictKind};
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// What is said of the nodes of a hosted cluster: nothing here rolls them.
pub(super) const HOSTED: &str =
    "hosted control plane: it has no pools, its nodes are updated by NodePools of the cluster that hosts it";

/// A pool without which the update cannot end is paused, and everything else is done.
pub(super) fn required_pool_paused(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    if !assessment.update.in_progress {
        return None;
    }
    let operators = &assessment.operators;
    let all_but_pool = operators.total > 0 && operators.total - operators.updated <= 1;
    let pool = assessment.pools.iter().find(|pool| pool.control_plane && pool.paused && pool.outdated());
    let pool = pool.filter(|_| all_but_pool)?;
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("pool {} is paused: the update cannot end until it is unpaused", pool.name),
        since: pool.paused_by.as_ref().and_then(|(_, at)| *at),
        evidence: vec![paused_evidence(pool)],
    })
}

/// The payload is being applied.
pub(super) fn control_plane(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let update = &assessment.update;
    if !update.in_progress {
        return None;
    }
    let waiting = match update.waiting_on.len() {
        0 => String::new(),
        _ => format!(", waiting on {}", words::some_of(update.waiting_on.iter().map(String::as_str), 3)),
    };
    let operators = &assessment.operators;
    let mut why = format!(
        "{} of {} operators at {}{waiting}",
        operators.updated,
        operators.total,
        update.to.as_deref().unwrap_or("the target")
    );
    let mut proof = vec![evidence_of(assessment, "Progressing")];
    for (words, evidence) in remarks(assessment, update) {
        why.push_str("; ");
        why.push_str(&words);
        proof.extend(evidence);
    }
    Some(Verdict { kind: VerdictKind::UpdatingControlPlane, why, since: update.started, evidence: proof })
}

/// What else is true of the update and easily misunderstood.
fn remarks(assessment: &Assessment, update: &Update) -> Vec<(String, Option<Evidence>)> {
    let mut remarks = Vec::new();
    if let Some(version) = &update.from_incomplete {
        let history = evidence(VERSION.to_owned(), "status.history[1].state", format!("Partial {version}"), None);
        remarks.push((format!("the update to {version} before it was never completed"), Some(history)));
    }
    let version = assessment.facts.cluster_version.as_ref();
    let withdrawn = version.is_some_and(|version| version.spec.desired_update.is_none()) && !update.installing;
    if withdrawn && assessment.topology != Topology::External {
        let none = evidence(VERSION.to_owned(), "spec.desiredUpdate", "none", None);
        remarks.push(("the request was withdrawn, which does not stop what has begun".to_owned(), Some(none)));
    }
    if let Some(payload) = update.payload.filter(|payload| payload.attempt > 1 && payload.done < payload.highest) {
        let words = format!(
            "its manifests are counted anew (attempt {}: {} of {}, {} before)",
            payload.attempt, payload.done, payload.total, payload.highest
        );
        remarks.push((words, None));
    }
    if assessment.topology == Topology::External {
        remarks.push((HOSTED.to_owned(), None));
    }
    remarks
}

fn paused_evidence(pool: &Pool) -> Evidence {
    let at = pool.paused_by.as_ref().and_then(|(_, at)| *at);
    evidence(format!("mcp/{}", pool.name), "spec.paused", "true", at)
}

/// Pools roll: to the cluster's version, or merely to another configuration.
pub(super) fn pools(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let rolling: Vec<&Pool> =
        assessment.pools.iter().filter(|pool| pool.outdated() && (!pool.paused || pool.moving > 0)).collect();
    let first = rolling.first()?;
    let nodes: usize = rolling.iter().map(|pool| pool.total - pool.updated).sum();
    let names = words::some_of(rolling.iter().map(|pool| pool.name.as_str()), 3);
    // A paused pool of another release says nothing about what rolls now.
    let differs = rolling.iter().any(|pool| pool.changes_release);
    let kind = if differs { VerdictKind::UpdatingPools } else { VerdictKind::ConfigRollout };
    let pool_word = if rolling.len() == 1 { "pool" } else { "pools" };
    Some(Verdict {
        kind,
        why: format!("{pool_word} {names}: {} to come", words::count(nodes, "node")),
        since: rolling.iter().filter_map(|pool| pool.rolling_since).min(),
        evidence: vec![evidence(
            format!("mcp/{}", first.name),
            "spec.configuration.name",
            first.target.clone().unwrap_or_default(),
            first.rolling_since,
        )],
    })
}

/// All that is left is paused: nothing will ever happen without a person.
pub(super) fn paused(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let pool = assessment.pools.iter().find(|pool| pool.paused && pool.outdated())?;
    let by = pool.paused_by.as_ref().map(|(manager, _)| format!(" by {manager}")).unwrap_or_default();
    let to_come = words::count(pool.total - pool.updated, "node");
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("pool {} is paused{by}, {to_come} to come", pool.name),
        since: pool.paused_by.as_ref().and_then(|(_, at)| *at),
        evidence: vec![paused_evidence(pool)],
    })
}

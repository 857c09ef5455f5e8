//! What does not go on: blocked drains, pools and control planes that stand still, operators that take too long. Nothing is
//! called stalled by arithmetic: something that should move was watched not to.

use chrono::{DateTime, TimeDelta, Utc};

use super::{STALL, VERSION, condition, evidence, evidence_of, rendered, told, version_evidence};
use crate::api::Tri;
use crate::upgrade::assessment::{
    Assessment, Build, Cause, Limit, Node, NodePhase, OperatorRow, Pool, Verdict, VerdictKind, age,
};
use crate::upgrade::drain::THRESHOLD;
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// How long no manifest, no operator and no node of an update may move: as long as one operator may take.
const CONTROL_PLANE_STALL: TimeDelta = TimeDelta::minutes(20);

/// A drain that has failed for so long that it will not end by itself.
pub(super) fn drain_blocked(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let blocked = assessment.nodes.iter().filter_map(|node| {
        let trouble = node.drain_trouble.as_ref()?;
        let since = trouble.since?;
        (age(since, assessment.now) >= THRESHOLD || node.phase == NodePhase::Degraded).then_some((since, node, trouble))
    });
    let (since, node, trouble) = blocked.min_by_key(|(since, node, _)| (*since, node.name.as_str()))?;
    let holders = holders(node);
    let pods = if holders.is_empty() { String::new() } else { format!(": {holders}") };
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("the drain of {} has been blocked for {}{pods}", node.name, words::span(assessment.now - since)),
        since: Some(since),
        evidence: vec![evidence(format!("node/{}", node.name), "drain", trouble.error.clone(), Some(since))],
    })
}

/// The pods in the way: as they are now where they are known, else as the last error names them.
fn holders(node: &Node) -> String {
    let of_error = || node.drain_trouble.iter().flat_map(|trouble| &trouble.pods).cloned().collect::<Vec<_>>();
    let now: Vec<String> = node
        .blockers
        .iter()
        .map(|blocker| match &blocker.cause {
            Cause::Budget(budget) => format!("{}/{} (PDB {})", blocker.namespace, blocker.pod, budget.name),
            _ => format!("{}/{}", blocker.namespace, blocker.pod),
        })
        .collect();
    let pods = if now.is_empty() { of_error() } else { now };
    words::some_of(pods.iter().map(String::as_str), 2)
}

/// The pool that stands still although it should not, and since when.
pub fn standing_pool<'a>(assessment: &'a Assessment, memory: &Memory) -> Option<(&'a Pool, DateTime<Utc>)> {
    let should_move = |pool: &&Pool| {
        pool.waiting > 0
            && !pool.paused
            && pool.moving == 0
            && pool.target.is_some()
            && rendered(assessment, pool)
            && !is_building(pool)
    };
    assessment.pools.iter().filter(should_move).find_map(|pool| {
        let cordoned = assessment
            .nodes_of(&pool.name)
            .filter(|node| node.unavailable || node.phase == NodePhase::Degraded)
            .filter_map(|node| node.since.max(node.cordon.as_ref().and_then(|cordon| cordon.since)))
            .max();
        let since = pool.rolling_since.max(cordoned).max(memory.moved(assessment))?;
        (age(since, assessment.now) >= STALL).then_some((pool, since))
    })
}

/// Its OS image is on the way: that takes long, and is work.
fn is_building(pool: &Pool) -> bool {
    pool.layer.as_ref().is_some_and(|layer| matches!(layer.build, Build::Pending | Build::Building))
}

/// Nothing moves although something should.
pub(super) fn stalled(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    if assessment.pools.iter().any(|pool| pool.moving > 0) {
        return None;
    }
    let moves = |row: &OperatorRow| row.platform && !row.updated && row.progressing && row.name != "machine-config";
    if assessment.update.in_progress && assessment.operators.rows.iter().any(moves) {
        return None;
    }
    standing(assessment, memory).or_else(|| control_plane_stands(assessment, memory))
}

fn standing(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    let (pool, since) = standing_pool(assessment, memory)?;
    let reason = match pool.capacity.why_none.as_str() {
        "" => "the machine-config controller takes no node although it could",
        reason => reason,
    };
    Some(Verdict {
        kind: VerdictKind::Stalled,
        why: format!("pool {} stands still, {} to come: {reason}", pool.name, words::count(pool.waiting, "node")),
        since: Some(since),
        evidence: vec![evidence(
            format!("mcp/{}", pool.name),
            "spec.maxUnavailable",
            format!("{}, unavailable {}", pool.capacity.max_unavailable_spec, pool.capacity.unavailable),
            None,
        )],
    })
}

/// Watched for as long as one operator may take, the update did not move at all.
fn control_plane_stands(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    let moves = |row: &OperatorRow| row.platform && !row.updated && row.progressing;
    if !assessment.update.in_progress || assessment.operators.rows.iter().any(moves) {
        return None;
    }
    let since = memory.moved(assessment)?.max(memory.watching_since()?);
    if age(since, assessment.now) < CONTROL_PLANE_STALL {
        return None;
    }
    let waits = match assessment.update.waiting_on.len() {
        0 => String::new(),
        _ => format!("; it waits on {}", words::some_of(assessment.update.waiting_on.iter().map(String::as_str), 3)),
    };
    let lasted = words::span(age(since, assessment.now));
    let told = evidence(VERSION.to_owned(), "Progressing", assessment.update.message.clone(), Some(since));
    Some(Verdict {
        kind: VerdictKind::Stalled,
        why: format!("no manifest, no operator and no node has moved for {lasted}{waits}"),
        since: Some(since),
        evidence: vec![told, evidence_of(assessment, "Progressing")],
    })
}

/// An operator takes longer than the cluster-version operator allows, by its own word or by the own clock.
pub(super) fn slow(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    if !assessment.update.in_progress {
        return None;
    }
    let failing = condition(assessment, "Failing");
    if let Some(slow) = failing.filter(|failing| failing.status == Tri::Unknown && failing.reason.contains("Slow")) {
        return Some(Verdict {
            kind: VerdictKind::Slow,
            why: format!("the cluster-version operator: {}", told(slow)),
            since: slow.since,
            evidence: vec![version_evidence(slow)],
        });
    }
    let late = assessment.operators.rows.iter().filter_map(|row| {
        let deadline = row.deadline.filter(|deadline| matches!(deadline.limit, Limit::Slow | Limit::MachineConfig))?;
        (deadline.at < assessment.now).then_some((deadline, row.working_since?, row))
    });
    let (deadline, since, row) = late.min_by_key(|(deadline, _, row)| (deadline.at, row.name.as_str()))?;
    let held = row.sync_error.as_deref().map(|error| format!(": {}", words::first_line(error))).unwrap_or_default();
    Some(Verdict {
        kind: VerdictKind::Slow,
        why: format!(
            "{} has been updating for {}, longer than the {} it should take{held}",
            row.name,
            words::span(assessment.now - since),
            words::span(deadline.limit.span())
        ),
        since: Some(deadline.at),
        evidence: vec![evidence(
            format!("clusteroperator/{}", row.name),
            "Progressing",
            if row.progressing { "True" } else { "False" },
            Some(since),
        )],
    })
}

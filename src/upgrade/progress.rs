//! How far the whole is, and whether anything moves.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Node, NodePhase, OperatorRow, Pool, Update};
use crate::api::Conditions as _;

/// How much of a node's way lies behind it, in percent, by phase. Draining and rebooting are the long parts.
fn behind(phase: NodePhase) -> u64 {
    match phase {
        NodePhase::Waiting | NodePhase::Paused | NodePhase::Degraded | NodePhase::Unmanaged => 0,
        NodePhase::Preparing => 2,
        NodePhase::Cordoned => 5,
        NodePhase::Draining => 15,
        NodePhase::Applying => 45,
        NodePhase::Rebooting => 65,
        NodePhase::Back => 90,
        NodePhase::Uncordoning => 95,
        NodePhase::Done => 100,
    }
}

/// The same for a node: one that fails at the new release has come all the way.
fn way(node: &Node, assessment: &Assessment) -> u64 {
    let there = node.phase == NodePhase::Degraded
        && node.reached.is_none()
        && node.version.is_some()
        && node.version == assessment.update.to;
    if there { behind(NodePhase::Done) } else { behind(node.phase) }
}

/// Progress of the whole in percent; none when nothing rolls.
///
/// A version update counts half by operators at the target version and half by nodes; a mere rollout of configuration
/// by the nodes of the pools that roll. 100 is kept for "all of it".
pub fn percent(assessment: &Assessment) -> Option<u8> {
    let outdated = assessment.pools.iter().any(Pool::outdated);
    if !assessment.update.in_progress && !outdated {
        return None;
    }
    let version_rolls = assessment.update.in_progress || release_differs(assessment);
    let counted = |node: &&Node| {
        node.pool.as_deref().is_some_and(|name| version_rolls || assessment.pool(name).is_some_and(Pool::outdated))
    };
    let (sum, count) = assessment
        .nodes
        .iter()
        .filter(counted)
        .fold((0, 0), |(sum, count), node| (sum + way(node, assessment), count + 1));
    let nodes = u64::checked_div(sum, count);
    let operators = &assessment.operators;
    let by_operators =
        (version_rolls && operators.total > 0).then(|| (operators.updated * 100 / operators.total) as u64);
    let percent = match (by_operators, nodes) {
        (Some(operators), Some(nodes)) => u64::midpoint(operators, nodes),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return None,
    };
    let whole = !outdated && !assessment.update.in_progress;
    Some(percent.min(if whole { 100 } else { 99 }) as u8)
}

/// A rollout that begins so long after the control plane was done does not belong to its update.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Does any pool still roll to another release? (Otherwise a rollout is one of configuration.)
pub fn release_differs(assessment: &Assessment) -> bool {
    assessment.pools.iter().any(|pool| pool.changes_release)
}

/// Does what rolls in a pool change the release of its `nodes`?
///
/// It does while any of them is of another release, and to its end: the last node runs the new release some moments before it
/// is done, but the pool names the configuration that it `comes_from` (of that release) until all are; and what was a change
/// of release at the last look still is. A migration to a multi-architecture payload keeps the version: there a rollout belongs to it
/// that began with it.
pub fn changes_release<'a>(
    pool: &Pool,
    mut nodes: impl Iterator<Item = &'a Node>,
    comes_from: Option<&str>,
    update: &Update,
    last: Option<&Assessment>,
) -> bool {
    if !pool.outdated() {
        return false;
    }
    let began_by = |until: DateTime<Utc>| pool.rolling_since.is_some_and(|since| since <= until);
    if update.multi_arch {
        return update.completed.is_none_or(|completed| pool.rolling_since.is_none() || began_by(completed + LATE));
    }
    let to = update.to.as_deref();
    let before = last.and_then(|last| last.pool(&pool.name)).filter(|before| before.target == pool.target);
    let other = |node: &Node| node.phase != NodePhase::Done && node.version.is_some() && node.version.as_deref() != to;
    comes_from.is_some_and(|release| Some(release) != to)
        || before.is_some_and(|before| before.changes_release)
        || nodes.any(other)
}

/// Changes whenever anything moves on: manifests, operators, phases of nodes.
pub fn signature(assessment: &Assessment) -> u64 {
    let mut hasher = DefaultHasher::new();
    assessment.update.to.hash(&mut hasher);
    assessment.update.in_progress.hash(&mut hasher);
    assessment.update.payload.map(|payload| payload.done).hash(&mut hasher);
    assessment.operators.updated.hash(&mut hasher);
    for node in assessment.nodes.iter() {
        node.phase.hash(&mut hasher);
    }
    hasher.finish()
}

/// The newest move that the API remembers: what the clock of moves begins with after a start.
pub fn newest_known_move(assessment: &Assessment) -> Option<DateTime<Utc>> {
    let nodes = assessment.nodes.iter().filter(|node| node.phase.moving() || node.phase == NodePhase::Done);
    let nodes = nodes.filter_map(|node| node.since);
    let ready = assessment.facts.nodes.iter().filter_map(|node| node.status.conditions.condition("Ready")?.since);
    let pools = assessment.pools.iter().filter_map(|pool| pool.rolling_since);
    // An operator that goes Degraded does not move on.
    let moves = |row: &&OperatorRow| row.platform && row.available && !row.degraded;
    let operators = assessment.operators.rows.iter().filter(moves).filter_map(|row| row.since);
    let update = assessment.update.started.max(assessment.update.completed);
    let known = nodes.chain(ready).chain(pools).chain(operators).chain(update);
    known.filter(|at| *at <= assessment.now).max()
}

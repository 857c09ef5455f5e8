//! What a pool still has to do: the pending difference, the nodes that will reboot and in which order, and until when its
//! nodes trust the API server.

use super::rendered_config::{self, Difference};
use super::words::{config, count, list, order, when};
use super::{Material, Read, capacity};
use crate::upgrade::assessment::{Assessment, Node, NodePhase, Pool, Topology};
use crate::upgrade::certificates::{delivered_despite_pause, trust};
use crate::upgrade::node_disruption::{Impact, of_pending};

/// From which configurations the pool's nodes still have to go to its target: `rendered-worker-1 (4.18.22) ->
/// rendered-worker-2 (4.19.3)`; none when all are there.
pub(super) fn pending(assessment: &Assessment, pool: &Pool) -> Option<String> {
    if !pool.outdated() {
        return None;
    }
    let from = behind(assessment, pool).into_iter().map(|(name, version)| config(Some(&name), version.as_deref()));
    let from: Vec<String> = from.collect();
    let from = if from.is_empty() { "what its nodes have".to_owned() } else { from.join(", ") };
    Some(format!("{from} -> {}", config(pool.target.as_deref(), pool.target_version.as_deref())))
}

/// The configurations other than the pool's that nodes of it run, by name, with their releases.
fn behind(assessment: &Assessment, pool: &Pool) -> Vec<(String, Option<String>)> {
    let old = |node: &&Node| node.current_config.is_some() && node.current_config != pool.target;
    let of = |node: &Node| node.current_config.clone().map(|name| (name, node.version.clone()));
    let mut from: Vec<_> = assessment.nodes_of(&pool.name).filter(old).filter_map(of).collect();
    from.sort_unstable();
    from.dedup();
    from
}

/// What differs between the configuration that nodes of the pool have and the pool's. Only one pair is read, the first by
/// name: rendered configs are large. None: there is nothing to compare.
pub(super) fn difference(
    assessment: &Assessment,
    pool: &Pool,
    material: &Material,
    reads: &mut Vec<Read>,
) -> Option<Difference> {
    let from = behind(assessment, pool);
    let (from, target) = (&from.first()?.0, pool.target.as_deref()?);
    rendered_config::difference(assessment, pool, (from, target), material, reads)
}

/// What becomes of the nodes of the pool that are to come; none: it is not known. Nodes of a configuration that was not
/// compared may need another thing.
pub(super) fn impact(assessment: &Assessment, pool: &Pool, difference: Option<&Difference>) -> Option<Impact> {
    let compared = || difference.filter(|_| behind(assessment, pool).len() == 1).and_then(Difference::impact);
    of_pending(assessment, pool).or_else(compared)
}

/// Nodes of the pool that the machine-config daemon works on, by name. Without their phases: those change by the minute,
/// and the sentence should mean the same as long as the nodes are the same.
pub(super) fn in_flight<'a>(assessment: &'a Assessment, pool: &'a Pool) -> Vec<&'a str> {
    assessment
        .nodes_of(&pool.name)
        .filter(|node| node.phase.moving() || targeted_and_failing(node, pool))
        .map(|node| node.name.as_str())
        .collect()
}

/// Nodes of the pool that are not at its target and were not targeted yet, by name.
pub(super) fn still_to_come<'a>(assessment: &'a Assessment, pool: &'a Pool) -> Vec<&'a str> {
    let waits = |phase| matches!(phase, NodePhase::Waiting | NodePhase::Paused);
    assessment
        .nodes_of(&pool.name)
        .filter(|node| waits(node.phase) || node.phase == NodePhase::Degraded && !targeted_and_failing(node, pool))
        .filter(|node| node.current_config != pool.target)
        .map(|node| node.name.as_str())
        .collect()
}

/// The node was targeted and reports a failure: the daemon goes on trying, paused or not.
fn targeted_and_failing(node: &Node, pool: &Pool) -> bool {
    node.phase == NodePhase::Degraded && node.desired_config == pool.target && node.current_config != pool.target
}

/// What becomes of the nodes that are to come, in the controller's order, and those that it passes over until they are
/// schedulable and ready.
pub(super) fn reboots(assessment: &Assessment, pool: &Pool, after: &Assessment, impact: Option<Impact>) -> Vec<String> {
    let waiting = still_to_come(assessment, pool);
    let line = after.pool(&pool.name).map(|then| capacity::candidates(then, after)).unwrap_or_default();
    let becomes = becomes(assessment, impact);
    let mut lines = vec![if line.is_empty() {
        format!("{} {becomes}: {}", count(waiting.len(), "node"), list(waiting.iter().copied()))
    } else {
        format!("{} {becomes}, in this order: {}", count(line.len(), "node"), order(&line))
    }];
    let passed: Vec<&str> = waiting.into_iter().filter(|name| !line.iter().any(|other| other == name)).collect();
    if !line.is_empty() && !passed.is_empty() {
        lines.push(format!(
            "not taken before they are schedulable and ready (zone and age decide their place then): {}",
            list(passed)
        ));
    }
    lines
}

fn becomes(assessment: &Assessment, impact: Option<Impact>) -> &'static str {
    let single = assessment.topology == Topology::SingleReplica;
    match (impact, single) {
        (Some(Impact::Reboot), false) => "will be cordoned, drained and rebooted",
        (Some(Impact::Reboot), true) => "will be rebooted without a drain",
        (Some(Impact::Drain), false) => "will be cordoned and drained, and not rebooted",
        (Some(_), _) => "will take it over without drain or reboot",
        (None, _) => "will be cordoned, drained and rebooted (unless every change is one that needs no reboot)",
    }
}

/// Until when the nodes of the pool trust the API server, and what a pause means for the renewal. The days are whole, so
/// that the sentence means the same a moment later.
pub(super) fn certificate(assessment: &Assessment, pool: &Pool) -> String {
    let seen = assessment.facts.pools.iter().find(|seen| seen.name() == pool.name);
    let Some(trust) = seen.and_then(|seen| trust(&assessment.facts, seen)) else {
        return "until when its nodes trust the API server is not known: neither status.certExpirys of the pool nor the \
                ControllerConfig tells of kube-apiserver-to-kubelet-signer"
            .to_owned();
    };
    let days = (trust.expiry - assessment.now).num_days();
    let left = if trust.expiry <= assessment.now { "it has run out".to_owned() } else { count_days(days) };
    let renewal = match delivered_despite_pause(assessment.update.to.as_deref().unwrap_or_default()) {
        Some(true) => "the renewed one reaches paused pools too since 4.13",
        Some(false) => {
            "up to 4.12 a paused pool does not get the renewed one: unpause it before, or its nodes are lost"
        }
        None => {
            "whether a paused pool gets the renewed one depends on the release, which is not known (since 4.13 it does)"
        }
    };
    format!("its nodes trust the API server until {} ({left}): {renewal}", when(trust.expiry))
}

fn count_days(days: i64) -> String {
    match days {
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

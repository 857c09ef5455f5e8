//! What pausing and unpausing share: finding the pool, the request, the pending difference.

use serde_json::json;

use super::request::Change;
use super::words::{config, shell};
use super::{PatchKind, Precondition, Refusal, Session, Write};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, NodePhase, Pool};
use crate::upgrade::facts::Kind;

/// Pausing and unpausing patch the pool.
pub(super) const PATCH: Permission =
    Permission::cluster("patch", "machineconfiguration.openshift.io", "machineconfigpools");

/// What such a decision rests on.
pub(super) const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// The pool as it is meant and as it was seen.
pub(super) fn find<'a>(
    assessment: &'a Assessment,
    name: &str,
) -> Result<(&'a Pool, &'a api::MachineConfigPool), Refusal> {
    let gone = || Refusal(format!("there is no pool {name}"));
    let pool = assessment.pool(name).ok_or_else(gone)?;
    let seen = assessment.facts.pools.iter().find(|seen| seen.name() == name).ok_or_else(gone)?;
    Ok((pool, seen))
}

/// The request that sets `spec.paused`.
pub(super) fn write(session: &Session, seen: &api::MachineConfigPool, paused: bool) -> Result<Write, Refusal> {
    let name = seen.name();
    Change {
        object: format!("mcp/{name}"),
        path: format!("/apis/machineconfiguration.openshift.io/v1/machineconfigpools/{name}"),
        patch: PatchKind::Merge,
        metadata: &seen.metadata,
        spec: json!({ "paused": paused }),
        oc: format!("patch mcp/{} --type=merge -p '{{\"spec\":{{\"paused\":{paused}}}}}'", shell(name)),
        stored: vec![("/spec/paused".to_owned(), json!(paused))],
    }
    .write(session)
}

/// `the pool is (not) paused`, with its evidence.
pub(super) fn paused_found(pool: &Pool) -> Precondition {
    let not = if pool.paused { "" } else { "not " };
    Precondition {
        words: format!("pool {} is {not}paused", pool.name),
        evidence: format!("mcp/{} spec.paused = {}", pool.name, pool.paused),
    }
}

/// From which configurations the pool's nodes still have to go to its target: `rendered-worker-1 (4.18.22) ->
/// rendered-worker-2 (4.19.3)`; none when all are there.
pub(super) fn pending(assessment: &Assessment, pool: &Pool) -> Option<String> {
    if !pool.outdated() {
        return None;
    }
    let old = |config: Option<&str>| config.is_some() && config != pool.target.as_deref();
    let mut from: Vec<String> = assessment
        .nodes_of(&pool.name)
        .filter(|node| old(node.current_config.as_deref()))
        .map(|node| config(node.current_config.as_deref(), node.version.as_deref()))
        .collect();
    from.sort_unstable();
    from.dedup();
    let from = if from.is_empty() { "what its nodes have".to_owned() } else { from.join(", ") };
    Some(format!("{from} -> {}", config(pool.target.as_deref(), pool.target_version.as_deref())))
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
fn targeted_and_failing(node: &crate::upgrade::assessment::Node, pool: &Pool) -> bool {
    node.phase == NodePhase::Degraded && node.desired_config == pool.target && node.current_config != pool.target
}

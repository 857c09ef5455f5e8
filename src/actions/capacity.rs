//! How many nodes a pool may still take, before and after an action.

use super::words::{list, order};
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::verdict::rendered;

/// What is free when `unavailable` nodes are unavailable.
///
/// As the controller counts (machine-config-operator, `getAllCandidateMachines` in
/// pkg/controller/node/node_controller.go): nothing once as many are unavailable as may be; of what is left, nodes
/// that target the configuration and fail take their share again.
pub(super) fn free(pool: &Pool, unavailable: usize) -> usize {
    let left = pool.capacity.max_unavailable.saturating_sub(unavailable);
    left.saturating_sub(pool.capacity.failing)
}

/// `pool worker: 0 of at most 1 node unavailable, effective capacity 1; afterwards 1 of at most 1, effective capacity 0`.
pub(super) fn before_and_after(pool: &Pool, unavailable: usize) -> String {
    let capacity = &pool.capacity;
    let max = capacity.max_unavailable;
    let failing = match capacity.failing {
        0 => String::new(),
        failing => format!(", {failing} failing"),
    };
    format!(
        "pool {}: {} unavailable of at most {max}{failing}, effective capacity {}; afterwards {unavailable} unavailable, \
         effective capacity {}",
        pool.name,
        capacity.unavailable,
        free(pool, capacity.unavailable),
        free(pool, unavailable),
    )
}

/// Which nodes the controller would take after the action, judged by `after`; none when the pool has nothing to do.
pub(super) fn next(pool: &Pool, after: &Assessment) -> Option<String> {
    if !pool.outdated() {
        return None;
    }
    let then = after.pool(&pool.name)?;
    let capacity = &then.capacity;
    let at_once = |free: usize| if free <= 1 { "one".to_owned() } else { free.to_string() };
    if !rendered(after, then) {
        let now = candidates(then, after);
        let later = order(&capacity.next);
        return Some(if now.is_empty() {
            format!("no node of pool {} is next until the new configuration is rendered; then: {later}", pool.name)
        } else {
            format!("next in pool {}, {} at a time: {}", pool.name, at_once(capacity.free), order(&now))
        });
    }
    let why = if capacity.why_none.is_empty() { String::new() } else { format!(": {}", capacity.why_none) };
    Some(if capacity.next.is_empty() {
        format!("no node of pool {} would be next{why}", pool.name)
    } else if let [_, ..] = capacity.busy.as_slice() {
        let behind = list(capacity.busy.iter().map(String::as_str));
        format!("next in pool {}, after {behind}: {}{}", pool.name, order(&capacity.next), deferred(then))
    } else if capacity.free == 0 {
        format!("no node of pool {} can be taken{why}; in line: {}", pool.name, order(&capacity.next))
    } else {
        format!(
            "next in pool {}, {} at a time: {}{}",
            pool.name,
            at_once(capacity.free),
            order(&capacity.next),
            deferred(then)
        )
    })
}

/// Of several masters the controller takes the one that runs its own operator's pod last (`DeferringOperatorNodeUpdate`
/// in pkg/controller/node/node_controller.go). Pods are not watched, so which one that is cannot be told here.
fn deferred(pool: &Pool) -> &'static str {
    if pool.name == "master" && pool.capacity.next.len() > 1 {
        "; but the one that runs the machine-config-operator's pod comes last"
    } else {
        ""
    }
}

/// The candidates of now. While the configuration that the update will end with is not rendered, the pool's own list is
/// a forecast of that later rollout: only nodes that are not at the present configuration are taken now.
pub(super) fn candidates(pool: &Pool, assessment: &Assessment) -> Vec<String> {
    let at_target = |name: &String| {
        assessment.node(name).is_some_and(|node| pool.target.is_some() && node.desired_config == pool.target)
    };
    pool.capacity.next.iter().filter(|name| !at_target(name)).cloned().collect()
}

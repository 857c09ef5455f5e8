//! How many nodes a pool may still take, before and after an action.

use super::words::order;
use crate::upgrade::assessment::{Assessment, Pool};

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
    let capacity = &after.pool(&pool.name)?.capacity;
    Some(if capacity.next.is_empty() {
        let why = if capacity.why_none.is_empty() { String::new() } else { format!(": {}", capacity.why_none) };
        format!("no node of pool {} would be next{why}", pool.name)
    } else if capacity.free == 0 {
        let why = if capacity.why_none.is_empty() { String::new() } else { format!(" ({})", capacity.why_none) };
        format!("no node of pool {} can be taken{why}; in line: {}", pool.name, order(&capacity.next))
    } else {
        let at_once =
            if capacity.free == 1 { "one at a time".to_owned() } else { format!("{} at a time", capacity.free) };
        format!("next in pool {}, {at_once}: {}", pool.name, order(&capacity.next))
    })
}

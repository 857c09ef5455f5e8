//! `capacity-exhausted`: nodes wait, none is worked on, and the controller takes no further one. It says so nowhere but
//! in a debug line of its log.

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::verdict::rendered;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in &look.now.pools {
        let stands = pool.waiting > 0 && pool.moving == 0 && !pool.paused && rendered(look.now, pool);
        if !stands || pool.capacity.why_none.is_empty() {
            continue;
        }
        let held = look.now.nodes_of(&pool.name).filter(|node| node.unavailable);
        let since = held.filter_map(|node| node.cordon.as_ref()?.since).max();
        found.push(Finding {
            meaning: "Uncordon or repair the nodes that use the capacity up, or raise maxUnavailable (workers only)."
                .to_owned(),
            since,
            evidence: vec![evidence(
                format!("mcp/{}", pool.name),
                "spec.maxUnavailable",
                format!(
                    "{}: {} unavailable, {} failing",
                    pool.capacity.max_unavailable_spec, pool.capacity.unavailable, pool.capacity.failing
                ),
                None,
            )],
            ..finding(
                "capacity-exhausted",
                Level::Warning,
                Subject::Pool(pool.name.clone()),
                format!(
                    "pool {}: {} to come, {}",
                    pool.name,
                    words::count(pool.waiting, "node"),
                    pool.capacity.why_none
                ),
            )
        });
    }
}

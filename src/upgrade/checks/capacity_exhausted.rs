//! `capacity-exhausted`: nodes wait, none is worked on, and the controller takes no further one. It says so nowhere but
//! in a debug line of its log (machine-config operator, pkg/controller/node/node_controller.go, "No capacity left").

use chrono::{DateTime, Utc};

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, by_age, evidence, finding, reading};
use crate::upgrade::assessment::{Node, NodePhase, Pool};
use crate::upgrade::danger::Danger;
use crate::upgrade::verdict::{STALL, rendered};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in &look.now.pools {
        let stands = pool.waiting > 0 && pool.moving == 0 && !pool.paused && rendered(look.now, pool);
        // A pool that waits for something else (an image, the masters before the arbiter) has its capacity.
        let capacity = &pool.capacity;
        let full = capacity.unavailable + capacity.failing >= capacity.max_unavailable;
        let kept = full || holders(look, pool).next().is_some();
        if stands && kept && !capacity.why_none.is_empty() {
            found.push(exhausted(look, pool));
        }
    }
}

/// The nodes that use the capacity of a pool up, or are passed over although they wait.
pub(super) fn holders<'a>(look: &'a Look, pool: &'a Pool) -> impl Iterator<Item = &'a Node> {
    look.now.nodes_of(&pool.name).filter(|node| node.unavailable || node.phase == NodePhase::Degraded)
}

fn exhausted(look: &Look, pool: &Pool) -> Finding {
    let since = since(look, pool);
    let mut resources = vec![Resource::pool(&pool.name)];
    resources.extend(holders(look, pool).map(|node| Resource::node(&node.name)));
    let capacity = &pool.capacity;
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning: format!(
            "maxUnavailable of the pool is {} ({}); unavailable: {}, failing: {}, which leaves {}. Nothing happens until one of \
             them is repaired or uncordoned, and nothing in the cluster says so.",
            capacity.max_unavailable_spec,
            words::count(capacity.max_unavailable, "node"),
            capacity.unavailable,
            capacity.failing,
            capacity.free
        ),
        remedies: remedies(look, pool),
        link: Some(reading::NODES.to_owned()),
        since,
        evidence: vec![evidence(
            format!("mcp/{}", pool.name),
            "spec.maxUnavailable",
            format!(
                "{}: {} unavailable, {} failing",
                capacity.max_unavailable_spec, capacity.unavailable, capacity.failing
            ),
            None,
        )],
        ..finding(
            "capacity-exhausted",
            by_age(since, look.now.now, chrono::TimeDelta::zero(), STALL).max(Level::Warning),
            Subject::Pool(pool.name.clone()),
            format!("pool {}: {} to come, {}", pool.name, words::count(pool.waiting, "node"), capacity.why_none),
        )
    }
}

/// Since when: when the last of those that hold the capacity took its place.
fn since(look: &Look, pool: &Pool) -> Option<DateTime<Utc>> {
    let held = holders(look, pool).filter_map(|node| match (&node.cordon, node.phase) {
        (_, NodePhase::Degraded) => node.since,
        (Some(cordon), _) => cordon.since,
        (None, _) => super::node_conditions::condition(look, &node.name, "Ready").and_then(|ready| ready.since),
    });
    held.max().max(pool.rolling_since)
}

fn remedies(look: &Look, pool: &Pool) -> Vec<Remedy> {
    let cordoned = |node: &&Node| node.cordon.as_ref().is_some_and(|cordon| !cordon.by_mco) && node.ready;
    let free: Vec<&str> = look.now.nodes_of(&pool.name).filter(cordoned).map(|node| node.name.as_str()).collect();
    let mut remedies = Vec::new();
    if !free.is_empty() {
        remedies.push(
            Remedy::change(Danger::L, format!("Uncordon {}.", words::some_of(free.iter().copied(), 3)))
                .oc(format!("oc adm uncordon {}", words::shell_all(free.iter().copied()))),
        );
    }
    remedies.push(Remedy::look("Repair the nodes that are degraded or not ready: see their findings."));
    if pool.control_plane {
        remedies.push(Remedy::look(
            "Never raise maxUnavailable of control plane nodes: a second one away costs the quorum.",
        ));
    } else {
        let more = pool.capacity.unavailable + pool.capacity.failing + 1;
        remedies.push(
            Remedy::change(Danger::M, "Raise maxUnavailable for the time being: more nodes are away at once.").oc(
                format!(
                    "oc patch mcp {} --type merge -p '{{\"spec\":{{\"maxUnavailable\":{more}}}}}'",
                    words::shell(&pool.name)
                ),
            ),
        );
    }
    remedies
}

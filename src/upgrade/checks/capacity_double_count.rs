//! `capacity-double-count`: a node that fails and is cordoned is subtracted twice from the capacity of its pool
//! (machine-config operator, pkg/controller/node/node_controller.go, `getAllCandidateMachines`): one stuck drain stops a
//! pool with maxUnavailable 2.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in look.now.pools.iter().filter(|pool| pool.waiting > 0 && !pool.paused) {
        let twice = |node: &&Node| node.phase == NodePhase::Degraded && node.unavailable;
        let twice: Vec<&Node> = look.now.nodes_of(&pool.name).filter(twice).collect();
        let capacity = &pool.capacity;
        let double = twice.len().min(capacity.failing);
        let by_right = (capacity.max_unavailable + double).saturating_sub(capacity.unavailable + capacity.failing);
        if double == 0 || by_right <= capacity.free {
            continue;
        }
        let names: Vec<&str> = twice.iter().map(|node| node.name.as_str()).collect();
        let more = capacity.max_unavailable + double;
        let mut resources = vec![Resource::pool(&pool.name)];
        resources.extend(names.iter().map(|name| Resource::node(name)));
        let mut remedies = vec![Remedy::look(format!("Repair {}: see the findings of the node.", names.join(" and ")))];
        if !pool.control_plane {
            remedies.push(
                Remedy::change(
                    Danger::M,
                    "Raise maxUnavailable by as much until it is repaired: more nodes are away at once.",
                )
                .oc(format!(
                    "oc patch mcp {} --type merge -p '{{\"spec\":{{\"maxUnavailable\":{more}}}}}'",
                    shell(&pool.name)
                )),
            );
        }
        found.push(Finding {
            impact: if capacity.free == 0 { Impact::UpdateStalled } else { Impact::UpdateSpeed },
            resources,
            meaning: format!(
                "The controller subtracts unavailable nodes and failing nodes from maxUnavailable ({}). A node that is both counts \
                 twice: {} more could be worked on if it did not.",
                capacity.max_unavailable,
                by_right - capacity.free
            ),
            remedies,
            link: Some(reading::NODES.to_owned()),
            since: twice.iter().filter_map(|node| node.since).max(),
            evidence: vec![evidence(
                format!("mcp/{}", pool.name),
                "spec.maxUnavailable",
                format!(
                    "{} - {} unavailable - {} failing = {}",
                    capacity.max_unavailable, capacity.unavailable, capacity.failing, capacity.free
                ),
                None,
            )],
            because: Some(("node-degraded", Subject::Node(twice[0].name.clone()))),
            ..finding(
                "capacity-double-count",
                Level::Warning,
                Subject::Pool(pool.name.clone()),
                format!("pool {}: {} counts twice against maxUnavailable", pool.name, names.join(" and ")),
            )
        });
    }
}

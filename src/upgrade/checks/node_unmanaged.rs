//! `node-unmanaged`: a node that no pool updates, and nothing in the API says so.

use super::{Finding, Level, Look, Subject, finding};
use crate::upgrade::assessment::NodePhase;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    if look.now.facts.pools.is_empty() {
        return; // a cluster without pools manages its nodes in another way
    }
    for node in look.now.nodes.iter().filter(|node| node.phase == NodePhase::Unmanaged) {
        if node.message.starts_with("Windows") {
            continue; // their own operator updates them
        }
        found.push(Finding {
            meaning: "Take away all but one of the custom role labels, or give it the role of a pool.".to_owned(),
            ..finding(
                "node-unmanaged",
                Level::Warning,
                Subject::Node(node.name.clone()),
                format!("no pool updates {}: {}", node.name, node.message),
            )
        });
    }
}

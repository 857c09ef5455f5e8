//! Who keeps a node unschedulable, and since when.

use super::assessment::Cordon;
use super::node_phase::{Marks, Steps};
use crate::api::{Node, Tri, node_key};

/// The cordon of a node, if it has one.
///
/// It is the machine-config operator's as long as a drain is asked for (`desiredDrain` is `drain-...`, done or not)
/// or its end is being lifted (`uncordon-...` not applied yet); with `uncordon-...` applied it is somebody else's.
pub fn cordon(node: &Node, marks: &Marks, steps: Option<&Steps>) -> Option<Cordon> {
    if !node.spec.unschedulable {
        return None;
    }
    let by_mco = marks.drain_asked() || marks.uncordon_pending();
    let owner = node.unschedulable_by();
    let step = steps
        .and_then(|steps| steps.cordoned)
        .filter(|cordoned| by_mco && cordoned.status == Tri::True)
        .and_then(|cordoned| cordoned.since);
    Some(Cordon {
        by_mco,
        manager: owner.map(|owner| owner.manager.to_owned()).filter(|manager| !manager.is_empty()),
        since: node
            .taint(node_key::UNSCHEDULABLE)
            .and_then(|taint| taint.added)
            .or(step)
            .or_else(|| owner.and_then(|owner| owner.since())),
    })
}

//! What events remember of nodes: moments that neither annotations nor conditions keep.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::assessment::NodePhase;
use crate::api::Event;

/// The newest event of each sort on one node.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeEvents<'a> {
    /// A drain that fails (machine-config operator, pkg/controller/drain, pkg/daemon/drain.go).
    pub drain_failure: Option<&'a Event>,
    /// The controller chose the node (`SetDesiredConfig`).
    pub targeted: Option<DateTime<Utc>>,
    /// The daemon began to write the OS (`OSUpdateStarted`).
    pub applying: Option<DateTime<Utc>>,
    /// The daemon asked for the reboot (`Reboot`).
    pub rebooting: Option<DateTime<Utc>>,
}

/// Events by the node that they speak of. `events` are ordered by time: the last one of a sort counts.
pub fn by_node(events: &[Event]) -> HashMap<&str, NodeEvents<'_>> {
    let mut nodes: HashMap<&str, NodeEvents> = HashMap::new();
    for event in events {
        let Some(name) = node_of(event) else { continue };
        let at = event.last_at();
        match event.reason.as_str() {
            "DrainThresholdExceeded" | "DrainFailed" | "FailedToDrain" => {
                nodes.entry(name).or_default().drain_failure = Some(event);
            }
            "SetDesiredConfig" => nodes.entry(name).or_default().targeted = at,
            "OSUpdateStarted" => nodes.entry(name).or_default().applying = at,
            "Reboot" => nodes.entry(name).or_default().rebooting = at,
            _ => {}
        }
    }
    nodes
}

/// The node that an event speaks of. The controller's `SetDesiredConfig` is said of the pool: `Targeted node N to ...`.
pub fn node_of(event: &Event) -> Option<&str> {
    match event.involved_object.kind.as_str() {
        "Node" => Some(event.involved_object.name.as_str()),
        "MachineConfigPool" if event.reason == "SetDesiredConfig" => {
            event.message.strip_prefix("Targeted node ")?.split_whitespace().next()
        }
        _ => None,
    }
    .filter(|name| !name.is_empty())
}

impl NodeEvents<'_> {
    /// Since when a phase lasts, as far as events tell it; not from before `update`.
    pub fn since(&self, phase: NodePhase, update: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let told = match phase {
            NodePhase::Preparing => self.targeted,
            NodePhase::Applying => self.applying,
            NodePhase::Rebooting => self.rebooting,
            _ => None,
        };
        told.filter(|told| update.is_none_or(|update| *told >= update))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use crate::upgrade::specimen::{NEW, Specimen, at, rendered, stamp};
    use serde_json::{Value, json};

    fn event(kind: &str, object: &str, reason: &str, message: &str, minute: i64) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{object}.{minute}"), "namespace": "default"},
            "involvedObject": {"kind": kind, "name": object}, "reason": reason, "message": message, "lastTimestamp": stamp(minute),
        })
    }

    #[test]
    fn events_date_the_phases_that_annotations_leave_undated() {
        let config = rendered("worker", NEW);
        let mut cluster = Specimen::rolling();
        cluster.mark("worker-0", &[("desiredConfig", &config)]);
        cluster.events = vec![
            event("MachineConfigPool", "worker", "SetDesiredConfig", "Targeted node worker-0 to MachineConfig: x", 33),
            event("Node", "worker-0", "Reboot", "Node will reboot into config x", -600),
        ];
        let since = |cluster: &Specimen| cluster.assess(45).node("worker-0").unwrap().since;
        assert_eq!(since(&cluster), Some(at(33)));

        let drain = format!("drain-{config}");
        cluster.drains("worker-0", "worker", 34);
        cluster.mark("worker-0", &[("lastAppliedDrain", &drain), ("post-config-action", "Rebooting")]);
        assert_eq!(since(&cluster), None, "a reboot of another day says nothing");
        cluster.events.push(event("Node", "worker-0", "Reboot", "Node will reboot into config x", 40));
        assert_eq!(since(&cluster), Some(at(40)));
    }
}

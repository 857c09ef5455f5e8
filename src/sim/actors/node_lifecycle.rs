//! The node lifecycle controller: nodes that fall silent, and the taints that follow a node's state.
//!
//! Rules: Kubernetes, pkg/controller/nodelifecycle (`--node-monitor-grace-period`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::kubelet::is_up;
use super::seen::{CORDON_TAINT, Key, NodeView};
use super::world::{Actor, EventType, World};
use crate::sim::cluster::object::{Condition, condition_status, flag, items, set_condition, text};
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// `--node-monitor-grace-period` as OpenShift sets it.
const SILENCE: Duration = Duration::from_secs(40);
/// Set while Ready is False.
const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Set while Ready is Unknown.
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// The controller.
#[derive(Debug, Default)]
pub struct NodeLifecycle {
    silent: BTreeMap<String, Duration>,
}

impl Actor for NodeLifecycle {
    fn step(&mut self, world: &mut World) {
        self.listen(world);
        let changed: Vec<NodeView> = world
            .seen
            .nodes
            .altered
            .iter()
            .filter_map(|(_, node)| world.seen.node(node))
            .map(|node| node.view.clone())
            .collect();
        for node in changed {
            taints(world, &node);
            if !node.ready {
                pods_not_ready(world, &node.name);
            }
        }
    }
}

impl NodeLifecycle {
    fn listen(&mut self, world: &mut World) {
        let away: Vec<String> = world.machines.keys().filter(|node| !is_up(world, node)).cloned().collect();
        self.silent.retain(|node, _| away.contains(node));
        for node in away {
            let since = *self.silent.entry(node.clone()).or_insert(world.elapsed);
            if world.elapsed >= since + SILENCE {
                unknown(world, &node);
            }
        }
    }
}

fn unknown(world: &mut World, node: &str) {
    let now = world.now;
    let changed =
        world.store.get(Res::NODES, None, node).is_some_and(|node| condition_status(&node, "Ready") != "Unknown");
    if !changed {
        return;
    }
    world.store.update(Res::NODES, None, node, |object| {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let message = "Kubelet stopped posting node status.";
            set_condition(object, &Condition::new(kind, "Unknown", "NodeStatusUnknown", message), now);
        }
    });
    let message = format!("Node {node} status is now: NodeNotReady");
    world.node_event(node, "node-controller", EventType::Normal, "NodeNotReady", &message);
}

/// The taints that belong to a node's state: cordoned, not ready, unreachable.
fn taints(world: &World, node: &NodeView) {
    let now = timestamp(world.now);
    world.store.update(Res::NODES, None, &node.name, |object| {
        let ready = condition_status(object, "Ready").to_owned();
        let wanted = [
            (CORDON_TAINT, "NoSchedule", flag(object, "/spec/unschedulable")),
            (NOT_READY, "NoSchedule", ready == "False"),
            (NOT_READY, "NoExecute", ready == "False"),
            (UNREACHABLE, "NoSchedule", ready == "Unknown"),
            (UNREACHABLE, "NoExecute", ready == "Unknown"),
        ];
        let mut list = items(object, "/spec/taints").to_vec();
        let before = list.clone();
        for (key, effect, wanted) in wanted {
            let there = list.iter().any(|taint| taint["key"] == key && taint["effect"] == effect);
            if wanted && !there {
                list.push(json!({"effect": effect, "key": key, "timeAdded": now}));
            } else if !wanted {
                list.retain(|taint| !(taint["key"] == key && taint["effect"] == effect));
            }
        }
        if list == before {
            return;
        }
        if list.is_empty() {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.remove("taints");
            }
        } else {
            object["spec"]["taints"] = json!(list);
        }
    });
}

/// Pods of a node that is not Ready are not ready either.
fn pods_not_ready(world: &World, node: &str) {
    let pods: Vec<Key> =
        world.seen.pods_on(node).filter(|(_, pod)| pod.view.ready).map(|(key, _)| key.clone()).collect();
    for key in pods {
        world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| {
            set_condition(pod, &Condition::new("Ready", "False", "", ""), world.now);
        });
    }
}

/// Whether a taint of a node is of those that keep ordinary pods away; used by the scheduler.
pub fn repels(node: &NodeView, pod: &Value) -> bool {
    let tolerations = items(pod, "/spec/tolerations");
    node.taints.iter().any(|key| {
        !tolerations.iter().any(|toleration| {
            let any = toleration.get("key").is_none() && toleration["operator"] == "Exists";
            any || text(toleration, "/key") == key
        })
    })
}

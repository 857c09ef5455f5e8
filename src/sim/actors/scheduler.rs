//! The scheduler: puts pods onto nodes that may take them.
//!
//! Rules: Kubernetes, pkg/scheduler, as far as an update shows them: cordons, taints, node selectors, spreading.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node_lifecycle::repels;
use super::seen::{Key, NodeView};
use super::world::{Actor, Event, EventType, World, involved};
use crate::sim::cluster::object::{Condition, selects, set_condition};
use crate::sim::cluster::workloads::bind;
use crate::sim::kinds::Res;

/// How long a pod that fits nowhere waits before it is tried again.
const BACKOFF: Duration = Duration::from_secs(10);

/// The scheduler.
#[derive(Debug, Default)]
pub struct Scheduler {
    backoff: BTreeMap<Key, Duration>,
}

impl Actor for Scheduler {
    fn step(&mut self, world: &mut World) {
        let pending: Vec<Key> = world
            .seen
            .pods_on("")
            .filter(|(key, pod)| {
                pod.view.phase == "Pending"
                    && !pod.view.deleting
                    && self.backoff.get(*key).is_none_or(|until| *until <= world.elapsed)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let mut placed: BTreeMap<String, usize> = BTreeMap::new();
        for key in pending {
            let Some(pod) = world.seen.pods.get(&key.0, &key.1) else { continue };
            let object = std::sync::Arc::clone(&pod.object);
            let owner = pod.view.owner.clone();
            if let Some(node) = choose(world, &object, &owner, &placed) {
                world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| bind(pod, &node, world.now));
                *placed.entry(node).or_default() += 1;
                self.backoff.remove(&key);
            } else {
                unschedulable(world, &key, &object);
                self.backoff.insert(key, world.elapsed + BACKOFF);
            }
        }
        if !self.backoff.is_empty() {
            self.backoff
                .retain(|key, _| world.seen.pods.get(&key.0, &key.1).is_some_and(|pod| pod.view.node.is_empty()));
        }
    }
}

/// The best node: not waiting for its update, without a sibling of the pod, with the fewest pods.
fn choose(world: &World, pod: &Value, owner: &str, placed: &BTreeMap<String, usize>) -> Option<String> {
    let siblings: Vec<&str> = if owner.is_empty() {
        Vec::new()
    } else {
        world.seen.pods_by(owner).map(|(_, pod)| pod.view.node.as_str()).collect()
    };
    let score = |node: &NodeView| {
        let extra = placed.get(&node.name).copied().unwrap_or_default();
        let together = siblings.iter().filter(|sibling| **sibling == node.name).count();
        (together, node.update_taint, world.seen.pod_count(&node.name) + extra, node.name.clone())
    };
    world
        .seen
        .nodes
        .values()
        .filter(|node| node.view.ready && !node.view.unschedulable && !repels(&node.view, pod))
        .filter(|node| {
            let selector = &pod["spec"]["nodeSelector"];
            selector.is_null() || selects(selector, &node.object["metadata"]["labels"])
        })
        .map(|node| score(&node.view))
        .min()
        .map(|(.., node)| node)
}

fn unschedulable(world: &mut World, key: &Key, pod: &Value) {
    let total = world.seen.nodes.len();
    let message =
        format!("0/{total} nodes are available: no node matches the pod's selector, is schedulable and untainted.");
    let now = world.now;
    world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| {
        set_condition(pod, &Condition::new("PodScheduled", "False", "Unschedulable", &message), now);
    });
    let event = Event {
        namespace: &key.0,
        involved: involved(pod),
        kind: EventType::Warning,
        reason: "FailedScheduling",
        message: &message,
        component: "default-scheduler",
        host: "",
    };
    world.event(&event);
}

//! The drain controller of the machine config operator: cordon, evict, retry, give notice.
//!
//! Rules and constants: machine-config-operator, pkg/controller/drain/drain_controller.go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::disruption::{self, Refused};
use super::node_controller::NAMESPACE;
use super::node_state;
use super::seen::{Key, NodeView};
use super::world::{Actor, EventType, Speaker, World};
use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{annotate, remove};
use crate::sim::kinds::Res;

/// How long one attempt may take: `drainTimeoutDuration` per call of the drain helper.
const ATTEMPT: Duration = Duration::from_secs(90);
/// How long a refused eviction waits before the helper tries again (kubectl drain).
const EVICTION_RETRY: Duration = Duration::from_secs(5);
/// The wait after a failed attempt: `drainRequeueDelay`.
const RETRY: Duration = Duration::from_secs(60);
/// After this long the waits become longer: `drainRequeueFailingThreshold`.
const FAILING_THRESHOLD: Duration = Duration::from_secs(600);
/// The longer wait: `drainRequeueFailingDelay`.
const FAILING_RETRY: Duration = Duration::from_secs(300);
/// After this long a drain is said to have failed: `drainTimeoutDuration`.
const FAILED: Duration = Duration::from_secs(3_600);
/// Drains at a time, in the whole cluster: the number of workers.
const WORKERS: usize = 5;

/// One drain as the controller remembers it; a new leader starts with none of it.
#[derive(Debug, Clone)]
struct Drain {
    /// When it began, on the controller's own clock.
    since: Duration,
    /// When the next attempt may start.
    next: Duration,
    /// The attempt that runs: its end, and when to evict again.
    attempt: Option<(Duration, Duration)>,
    /// What it drains for: `drain-<rendered>`.
    request: String,
    /// Whether it has cordoned the node.
    cordoned: bool,
}

/// The controller.
#[derive(Debug, Default)]
pub struct DrainController {
    leader: String,
    /// Nodes whose request is not applied yet.
    pending: BTreeSet<String>,
    ongoing: BTreeMap<String, Drain>,
}

impl Actor for DrainController {
    fn step(&mut self, world: &mut World) {
        let Some((leader, _)) = world.seen.leader(NAMESPACE, "machine-config-controller") else {
            self.leader.clear();
            return;
        };
        if leader != self.leader {
            self.leader = leader;
            // A metric of the process that was: the next one begins at zero.
            world.drain_errors.clear();
            self.ongoing.clear();
            self.pending =
                world.seen.nodes.values().filter(|node| wants(&node.view)).map(|node| node.view.name.clone()).collect();
        }
        for (_, node) in &world.seen.nodes.altered {
            if world.seen.node(node).is_some_and(|node| wants(&node.view)) {
                self.pending.insert(node.clone());
            }
        }
        let pending: Vec<String> = self.pending.iter().cloned().collect();
        for node in pending {
            match world.seen.node(&node).map(|entry| entry.view.clone()) {
                Some(view) if wants(&view) => self.work(world, &view),
                _ => {
                    self.pending.remove(&node);
                    self.ongoing.remove(&node);
                }
            }
        }
    }
}

fn wants(node: &NodeView) -> bool {
    !node.desired_drain.is_empty() && node.desired_drain != node.applied_drain
}

impl DrainController {
    fn work(&mut self, world: &mut World, node: &NodeView) {
        if node.desired_drain.starts_with("uncordon-") {
            self.ongoing.remove(&node.name);
            world.drain_errors.remove(&node.name);
            say(world, 'I', &node.name, "initiating uncordon");
            world.store.update(Res::NODES, None, &node.name, |object| {
                remove(object, "/spec", "unschedulable");
                annotate(object, &format!("{MCO}/lastAppliedDrain"), &node.desired_drain);
            });
            return;
        }
        let elapsed = world.elapsed;
        let drain = self
            .ongoing
            .entry(node.name.clone())
            .and_modify(|drain| {
                if drain.request != node.desired_drain {
                    drain.request.clone_from(&node.desired_drain);
                    (drain.since, drain.next, drain.attempt) = (elapsed, elapsed, None);
                }
            })
            .or_insert_with(|| Drain {
                since: elapsed,
                next: elapsed,
                attempt: None,
                request: node.desired_drain.clone(),
                cordoned: false,
            });
        if !node.unschedulable {
            if drain.cordoned {
                // Somebody uncordoned it: cordoned again, and the clock starts anew.
                (drain.since, drain.next, drain.attempt) = (elapsed, elapsed, None);
            }
            cordon(world, &node.name);
            drain.cordoned = true;
            return;
        }
        if !drain.cordoned {
            drain.cordoned = true;
            report_cordon(world, &node.name);
        }
        let drain = drain.clone();
        self.attempt(world, node, drain);
    }

    fn attempt(&mut self, world: &mut World, node: &NodeView, mut drain: Drain) {
        let running = self.ongoing.values().filter(|drain| drain.attempt.is_some()).count();
        if drain.attempt.is_none() && world.elapsed >= drain.next && running < WORKERS {
            drain.attempt = Some((world.elapsed + ATTEMPT, world.elapsed));
            let message = format!(
                "Draining node. The drain will not be complete until desired drainer {} matches current drainer {}",
                node.desired_drain, node.applied_drain
            );
            report(world, &node.name, "Unknown", &message);
            say(world, 'I', &node.name, "initiating drain");
        }
        if let Some((end, evict_at)) = drain.attempt {
            let left = leaving(world, &node.name);
            if left.is_empty() {
                self.ongoing.remove(&node.name);
                finish(world, node);
                return;
            }
            let mut refusals = Vec::new();
            if world.elapsed >= evict_at {
                refusals = evict(world, &node.name, &left);
                drain.attempt = Some((end, world.elapsed + EVICTION_RETRY));
            }
            if world.elapsed >= end || refusals.iter().any(|(_, refused)| matches!(refused, Refused::Broken(_))) {
                fail(world, node, &mut drain, &left, &refusals);
            }
        }
        self.ongoing.insert(node.name.clone(), drain);
    }
}

fn cordon(world: &World, node: &str) {
    world.store.update(Res::NODES, None, node, |object| object["spec"]["unschedulable"] = json!(true));
    report_cordon(world, node);
}

fn report_cordon(world: &World, node: &str) {
    let phases = [
        ("UpdateExecuted", "Unknown", "UpdateExecuted", "Updating the Node's state"),
        ("Cordoned", "True", "UpdateExecutedCordoned", "Cordoned node. The node is reporting Unschedulable = true"),
    ];
    node_state::write(world, node, &phases);
}

fn report(world: &World, node: &str, status: &str, message: &str) {
    node_state::write(world, node, &[("Drained", status, "UpdateExecutedDrained", message)]);
}

/// The pods that a drain must see gone.
fn leaving(world: &World, node: &str) -> Vec<Key> {
    world.seen.pods_on(node).filter(|(_, pod)| !pod.view.stays()).map(|(key, _)| key.clone()).collect()
}

fn evict(world: &World, node: &str, pods: &[Key]) -> Vec<(Key, Refused)> {
    let mut refusals = Vec::new();
    for key in pods {
        let (namespace, pod) = key;
        if world.seen.pods.get(namespace, pod).is_none_or(|pod| pod.view.deleting) {
            continue;
        }
        match disruption::evict(world, key) {
            Ok(()) => say(world, 'I', node, &format!("evicting pod {namespace}/{pod}")),
            Err(refused) => {
                let why = match &refused {
                    Refused::Budget(budget) => format!(
                        "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget. \
                         (PodDisruptionBudget {namespace}/{budget})"
                    ),
                    Refused::Broken(why) => format!(": {why}"),
                };
                let text = format!("error when evicting pods/{pod:?} -n {namespace:?} {why}");
                say(world, 'E', node, &text);
                refusals.push((key.clone(), refused));
            }
        }
    }
    refusals
}

/// The controller says something about a node in its log.
fn say(world: &World, severity: char, node: &str, text: &str) {
    let speaker = Speaker::Leader(NAMESPACE, "machine-config-controller");
    world.log(speaker, severity, "drain_controller.go", &format!("node {node}: {text}"));
}

fn finish(world: &mut World, node: &NodeView) {
    world.drain_errors.remove(&node.name);
    say(
        world,
        'I',
        &node.name,
        &format!("operation successful; applying completion annotation {}", node.desired_drain),
    );
    world.store.update(Res::NODES, None, &node.name, |object| {
        annotate(object, &format!("{MCO}/lastAppliedDrain"), &node.desired_drain);
    });
    let message = format!(
        "Drained node. The drain is complete as the desired drainer matches current drainer: {}",
        node.desired_drain
    );
    report(world, &node.name, "True", &message);
}

fn fail(world: &mut World, node: &NodeView, drain: &mut Drain, left: &[Key], refusals: &[(Key, Refused)]) {
    let errors: Vec<String> = left
        .iter()
        .map(|key| {
            let (namespace, pod) = key;
            let broken = refusals.iter().find(|(refused, _)| refused == key).map(|(_, refused)| refused);
            let deleting = world.seen.pods.get(namespace, pod).is_some_and(|pod| pod.view.deleting);
            match (broken, deleting) {
                (Some(Refused::Broken(why)), _) => format!(
                    "error when evicting pods/{pod:?} -n {namespace:?}: \
                                                            {why}"
                ),
                (_, true) => format!(
                    "error when waiting for pod {pod:?} in namespace {namespace:?} to terminate: global timeout \
                     reached: 1m30s"
                ),
                _ => format!("error when evicting pods/{pod:?} -n {namespace:?}: global timeout reached: 1m30s"),
            }
        })
        .collect();
    let error = format!("[{}]", errors.join(", "));
    drain.attempt = None;
    let lasted = world.elapsed.saturating_sub(drain.since);
    let message = format!("Error: Node Drain has not succeeded. Error is: {error}");
    report(world, &node.name, "Unknown", &message);
    if lasted < FAILING_THRESHOLD {
        drain.next = world.elapsed + RETRY;
        say(world, 'E', &node.name, &format!("Drain failed. Waiting 1 minute then retrying. Error message: {error}"));
        return;
    }
    drain.next = world.elapsed + FAILING_RETRY;
    let component = "machineconfigcontroller-nodecontroller";
    let message = format!(
        "Drain failed. Drain has been failing for more than 10 minutes. Waiting 5 minutes then retrying. \
         Error message from drain: {error}"
    );
    say(world, 'E', &node.name, &message);
    world.node_event(&node.name, component, EventType::Warning, "DrainThresholdExceeded", &message);
    if lasted >= FAILED {
        world.drain_errors.insert(node.name.clone());
        let message = format!("node {}: drain exceeded timeout: 1h0m0s. Will continue to retry.", node.name);
        world.node_event(&node.name, component, EventType::Warning, "DrainFailed", &message);
    }
}

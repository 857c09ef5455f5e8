//! The kubelets: pods that start and stop, machines that go away and come back, heartbeats.
//!
//! Rules: Kubernetes, pkg/kubelet (node status every five minutes or on change, a lease every ten seconds, graceful
//! termination), static pods of the control plane.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::certificates;
use super::seen::Key;
use super::world::{Actor, EventType, Power, World};
use crate::sim::cluster::machines::lease_time;
use crate::sim::cluster::object::{Condition, annotation, items, set_condition, text, uuid};
use crate::sim::cluster::release;
use crate::sim::cluster::workloads::{STOP, run};
use crate::sim::kinds::Res;
use crate::sim::scenario::{Group, Hardware, MishapKind};
use crate::sim::store::timestamp;

/// `nodeStatusReportFrequency`, on the wall: a node's status is written at least this often.
const STATUS_REPORT: TimeDelta = TimeDelta::minutes(5);
/// How often a lease is renewed, on the wall: a quarter of its duration.
const LEASE_RENEWAL: TimeDelta = TimeDelta::seconds(10);
/// Above this many nodes leases are renewed less often, still within their duration, to spare the machine.
const MANY_NODES: usize = 100;

/// The kubelets of all nodes.
#[derive(Debug, Default)]
pub struct Kubelet {
    starting: BTreeMap<Key, Duration>,
    stopping: BTreeMap<Key, Duration>,
    reports: BTreeSet<(DateTime<Utc>, String)>,
    renewals: BTreeSet<(DateTime<Utc>, String)>,
    known: BTreeSet<String>,
    boots: BTreeMap<String, u32>,
    /// Nodes that asked for a certificate when they came back.
    asked: BTreeSet<String>,
}

impl Actor for Kubelet {
    fn step(&mut self, world: &mut World) {
        self.meet(world);
        self.power(world);
        self.watch_pods(world);
        self.start_pods(world);
        self.stop_pods(world);
        if !world.unwatched {
            self.report(world);
            self.renew(world);
        }
    }
}

/// Whether the kubelet of a node runs.
pub fn is_up(world: &World, node: &str) -> bool {
    !matches!(world.machines.get(node), Some(Power::Away { .. }))
}

impl Kubelet {
    /// New nodes get their heartbeats spread over the interval.
    fn meet(&mut self, world: &World) {
        for (_, node) in &world.seen.nodes.changed {
            if self.known.insert(node.clone()) {
                let spread = |limit: TimeDelta, what: &str| {
                    let share = world.dice.roll(&format!("{what} {node}")) % 1_000;
                    world.now + TimeDelta::milliseconds(limit.num_milliseconds() * share as i64 / 1_000)
                };
                self.reports.insert((spread(STATUS_REPORT, "report"), node.clone()));
                self.renewals.insert((spread(LEASE_RENEWAL, "lease"), node.clone()));
            }
        }
    }

    fn report(&mut self, world: &World) {
        for (due, node) in take_due(&mut self.reports, world.now) {
            if world.seen.node(&node).is_none() {
                self.known.remove(&node);
                continue;
            }
            if is_up(world, &node) {
                world.store.update(Res::NODES, None, &node, |object| {
                    let Some(list) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else {
                        return;
                    };
                    for condition in list {
                        condition["lastHeartbeatTime"] = json!(timestamp(world.now));
                    }
                });
            }
            self.reports.insert((next(due, STATUS_REPORT, world.now), node));
        }
    }

    fn renew(&mut self, world: &World) {
        let often = if world.seen.nodes.len() > MANY_NODES { LEASE_RENEWAL * 3 } else { LEASE_RENEWAL };
        for (due, node) in take_due(&mut self.renewals, world.now) {
            if world.seen.node(&node).is_none() {
                continue;
            }
            if is_up(world, &node) {
                world.store.update(Res::LEASES, Some("kube-node-lease"), &node, |lease| {
                    lease["spec"]["renewTime"] = json!(lease_time(world.now));
                });
            }
            self.renewals.insert((next(due, often, world.now), node));
        }
    }

    /// Machines that shut down, are away, come back.
    fn power(&mut self, world: &mut World) {
        let machines: Vec<(String, Power)> =
            world.machines.iter().map(|(node, power)| (node.clone(), power.clone())).collect();
        for (node, power) in machines {
            match power {
                Power::ShuttingDown { until, release } if world.elapsed >= until => {
                    let mut away = away(world, &node, &release);
                    if world.strikes(MishapKind::NodeLost, &node).is_some() {
                        // It is looked at again, and again, until it is found.
                        away = Duration::ZERO;
                    }
                    world.machines.insert(node, Power::Away { until: world.elapsed + away, release });
                }
                Power::ShuttingDown { .. } => shutting_down(world, &node),
                Power::Away { until, release } if world.elapsed >= until => {
                    if !self.may_return(world, &node) {
                        continue;
                    }
                    self.boot(world, &node, &release);
                    let join = world.between(&format!("join {node} {release}"), (15, 28));
                    world.machines.insert(node, Power::Joining { until: world.elapsed + join });
                }
                Power::Joining { until } if world.elapsed >= until => {
                    join(world, &node);
                    world.machines.remove(&node);
                    if self.asked.remove(&node) {
                        let boot = self.boots.get(&node).copied().unwrap_or_default();
                        certificates::ask(world, &node, certificates::SERVING, boot);
                    }
                }
                Power::Away { .. } | Power::Joining { .. } => {}
            }
        }
    }

    /// Whether a machine that had its time comes back: not while it is lost, nor while its kubelet has no certificate.
    fn may_return(&mut self, world: &World, node: &str) -> bool {
        if world.mishaps.is_on(MishapKind::NodeLost, node) {
            return false;
        }
        let boot = self.boots.get(node).copied().unwrap_or_default();
        if world.strikes(MishapKind::CsrPending, node).is_some() {
            self.asked.insert(node.to_owned());
        } else if !self.asked.contains(node) {
            return true;
        }
        certificates::forget_denied(world, node, certificates::CLIENT, boot);
        certificates::ask(world, node, certificates::CLIENT, boot)
    }

    fn boot(&mut self, world: &mut World, node: &str, release: &str) {
        let boots = self.boots.entry(node.to_owned()).or_default();
        *boots += 1;
        // A kubelet that was started anew counts from one again.
        let boot = match world.disk.boots {
            0 => uuid(&format!("boot {node} {boots}")),
            machine => uuid(&format!("boot {node} {machine} {boots}")),
        };
        let system = release::system(release);
        let now = world.now;
        world.store.update(Res::NODES, None, node, |object| {
            let info = &mut object["status"]["nodeInfo"];
            info["bootID"] = json!(boot);
            if !release.is_empty() {
                info["osImage"] = json!(system.os_image);
                info["kernelVersion"] = json!(system.kernel);
                info["kubeletVersion"] = json!(system.kubelet);
                info["containerRuntimeVersion"] = json!(system.runtime);
            }
            healthy_but(object, now);
            let message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                           message:Network plugin returns error: no CNI configuration file in \
                           /etc/kubernetes/cni/net.d/. Has your network provider started?";
            beat(object, &Condition::new("Ready", "False", "KubeletNotReady", message), now);
        });
        world.node_event(node, "kubelet", EventType::Normal, "Starting", "Starting kubelet.");
        let message = format!("Node {node} has been rebooted, boot id: {boot}");
        world.node_event(node, "kubelet", EventType::Warning, "Rebooted", &message);
    }

    fn watch_pods(&mut self, world: &World) {
        for key in &world.seen.pods.changed {
            let Some(pod) = world.seen.pods.get(&key.0, &key.1) else { continue };
            let view = &pod.view;
            if view.node.is_empty() {
                continue;
            }
            let id = text(&pod.object, "/metadata/uid");
            if view.deleting {
                self.starting.remove(key);
                let stop = annotation(&pod.object, STOP).parse().unwrap_or(6_u64);
                let grace = pod.object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_u64);
                let limit = Duration::from_secs(grace.unwrap_or(30));
                let needs = if view.phase == "Running" {
                    world.between(&format!("stop {id}"), (stop, stop + stop / 3))
                } else {
                    Duration::from_secs(1)
                };
                let until = world.elapsed + needs.min(limit);
                self.stopping.entry(key.clone()).and_modify(|at| *at = (*at).min(until)).or_insert(until);
            } else if view.phase == "Pending" {
                let until = world.elapsed + world.between(&format!("start {id}"), (5, 14));
                self.starting.entry(key.clone()).or_insert(until);
            }
        }
    }

    fn start_pods(&mut self, world: &World) {
        let due: Vec<Key> =
            self.starting.iter().filter(|(_, at)| **at <= world.elapsed).map(|(key, _)| key.clone()).collect();
        for key in due {
            let Some(pod) = world.seen.pods.get(&key.0, &key.1) else {
                self.starting.remove(&key);
                continue;
            };
            if world.machines.contains_key(&pod.view.node) {
                continue;
            }
            self.starting.remove(&key);
            world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| run(pod, world.now));
        }
    }

    /// A pod that is deleted goes when its container has stopped; finalizers keep the object.
    fn stop_pods(&mut self, world: &World) {
        let due: Vec<Key> =
            self.stopping.iter().filter(|(_, at)| **at <= world.elapsed).map(|(key, _)| key.clone()).collect();
        for key in due {
            let Some(pod) = world.seen.pods.get(&key.0, &key.1) else {
                self.stopping.remove(&key);
                continue;
            };
            if !is_up(world, &pod.view.node) {
                continue;
            }
            self.stopping.remove(&key);
            if items(&pod.object, "/metadata/finalizers").is_empty() {
                world.store.delete(Res::PODS, Some(&key.0), &key.1);
            } else {
                world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| {
                    set_condition(pod, &Condition::new("Ready", "False", "PodCompleted", ""), world.now);
                });
            }
        }
    }
}

fn take_due(queue: &mut BTreeSet<(DateTime<Utc>, String)>, now: DateTime<Utc>) -> BTreeSet<(DateTime<Utc>, String)> {
    let later = queue.split_off(&(now + TimeDelta::nanoseconds(1), String::new()));
    std::mem::replace(queue, later)
}

/// The next time after `now` of something that was due at `due` and comes back every `interval`: what was missed is not
/// made up for, and nodes that were spread stay spread.
fn next(due: DateTime<Utc>, interval: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    let late = (now - due).num_milliseconds().max(0) / interval.num_milliseconds().max(1);
    due + interval * (late as i32 + 1)
}

/// How long a machine is away: what the scenario says, else what a cloud machine needs.
fn away(world: &World, node: &str, release: &str) -> Duration {
    world.scenario.nodes.get(node).and_then(|story| story.reboot).map_or_else(
        || {
            // Some machines are slower than others, each time.
            let machine = (0.1 * world.dice.bell(&format!("machine {node}"))).exp();
            let (median, spread) = match world.scenario.cluster.hardware {
                Hardware::Cloud => (140.0, 0.15),
                Hardware::Metal => (620.0, 0.2),
            };
            world.lasts(Group::Nodes, &format!("away {node} {release}"), median * machine, spread)
        },
        |span| span.0,
    )
}

fn beat(object: &mut Value, condition: &Condition<'_>, now: DateTime<Utc>) {
    set_condition(object, condition, now);
    if let Some(list) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut)
        && let Some(found) = list.iter_mut().find(|found| found["type"] == condition.kind)
    {
        found["lastHeartbeatTime"] = json!(timestamp(now));
    }
}

fn healthy_but(object: &mut Value, now: DateTime<Utc>) {
    for (kind, reason, message) in [
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ] {
        beat(object, &Condition::new(kind, "False", reason, message), now);
    }
}

/// The kubelet says goodbye: graceful node shutdown.
fn shutting_down(world: &World, node: &str) {
    if world.seen.node(node).is_some_and(|node| !node.view.ready) {
        return;
    }
    let now = world.now;
    world.store.update(Res::NODES, None, node, |object| {
        beat(object, &Condition::new("Ready", "False", "KubeletNotReady", "node is shutting down"), now);
    });
}

/// The node is Ready again, and so are the pods that stayed on it: their containers were started anew.
fn join(world: &mut World, node: &str) {
    let now = world.now;
    world.store.update(Res::NODES, None, node, |object| {
        beat(object, &Condition::new("Ready", "True", "KubeletReady", "kubelet is posting ready status"), now);
    });
    let message = format!("Node {node} status is now: NodeReady");
    world.node_event(node, "kubelet", EventType::Normal, "NodeReady", &message);
    let pods: Vec<Key> = world
        .seen
        .pods_on(node)
        .filter(|(_, pod)| pod.view.phase == "Running" && !pod.view.deleting)
        .map(|(key, _)| key.clone())
        .collect();
    for key in pods {
        world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| {
            let restarts =
                pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_u64).unwrap_or_default();
            pod["status"]["containerStatuses"][0]["restartCount"] = json!(restarts + 1);
            let started = pod["status"]["startTime"].clone();
            run(pod, now);
            pod["status"]["startTime"] = started;
        });
    }
}

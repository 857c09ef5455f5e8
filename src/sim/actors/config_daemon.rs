//! The machine config daemon of every node: takes a new config through drain, files, reboot and back.
//!
//! Rules: machine-config-operator, pkg/daemon/update.go, drain.go and daemon.go. What a daemon is doing is in its
//! process's memory, as in reality; what others must know is in the node's annotations.

use std::collections::BTreeMap;
use std::time::Duration;

use super::node_state;
use super::seen::NodeView;
use super::world::{Actor, EventType, Power, World};
use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{annotate, annotation};
use crate::sim::cluster::pools::RELEASE_VERSION;
use crate::sim::kinds::Res;

/// How long the daemon waits for a drain before it calls the node degraded (pkg/daemon/drain.go, one hour).
const DRAIN_LIMIT: Duration = Duration::from_secs(3_600);
/// How long it waits for the uncordon (ten minutes).
const UNCORDON_LIMIT: Duration = Duration::from_secs(600);
/// The component in events.
const COMPONENT: &str = "machineconfigdaemon";

/// Where a daemon is with a new config.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// It will notice in a moment.
    Noticing(Duration),
    /// It compares the two configs.
    Preparing(Duration),
    /// It waits for the drain that it has asked for; since when, and whether it has called the node degraded.
    Draining(Duration, bool),
    /// It writes files and stages the operating system.
    Applying(Duration),
    /// It is about to reboot.
    Rebooting(Duration),
    /// The machine is away.
    Away,
    /// It is back and validates.
    Validating(Duration),
    /// It waits for the uncordon that it has asked for, since when.
    Uncordoning(Duration),
}

/// One update of one node.
#[derive(Debug, Clone)]
struct Update {
    target: String,
    stage: Stage,
}

/// The daemons of all nodes.
#[derive(Debug, Default)]
pub struct ConfigDaemon {
    updates: BTreeMap<String, Update>,
}

impl Actor for ConfigDaemon {
    fn step(&mut self, world: &mut World) {
        self.notice(world);
        let nodes: Vec<String> = self.updates.keys().cloned().collect();
        for node in nodes {
            let Some(view) = world.seen.node(&node).map(|entry| entry.view.clone()) else {
                self.updates.remove(&node);
                continue;
            };
            let Some(update) = self.updates.get(&node).cloned() else { continue };
            match advance(world, &view, &update) {
                Some(stage) => {
                    self.updates.insert(node, Update { stage, ..update });
                }
                None => {
                    self.updates.remove(&node);
                }
            }
        }
    }
}

impl ConfigDaemon {
    fn notice(&mut self, world: &World) {
        let wants = |node: &NodeView| {
            node.current != node.desired && !node.desired.is_empty() && !world.machines.contains_key(&node.name)
        };
        for (_, node) in &world.seen.nodes.altered {
            let Some(entry) = world.seen.node(node) else { continue };
            if wants(&entry.view) && !self.updates.contains_key(node) {
                let target = entry.view.desired.clone();
                let until = world.elapsed + world.between(&format!("notice {node} {target}"), (2, 6));
                self.updates.insert(node.clone(), Update { target, stage: Stage::Noticing(until) });
            }
        }
    }
}

/// The next stage of a node; `None` when the update is over.
fn advance(world: &mut World, node: &NodeView, update: &Update) -> Option<Stage> {
    let target = update.target.as_str();
    let over = |until: &Duration| world.elapsed >= *until;
    let stage = &update.stage;
    match stage {
        Stage::Noticing(until) if over(until) => Some(prepare(world, node, target)),
        Stage::Preparing(until) if over(until) => Some(ask_for_drain(world, node, target)),
        Stage::Draining(since, degraded) => Some(wait_for_drain(world, node, target, *since, *degraded)),
        Stage::Applying(until) if over(until) => Some(applied(world, node, target)),
        Stage::Rebooting(until) if over(until) => {
            let length = world.between(&format!("shutdown {} {target}", node.name), (14, 26));
            let until = world.elapsed + length;
            let release = release_of(world, target);
            world.machines.insert(node.name.clone(), Power::ShuttingDown { until, release });
            Some(Stage::Away)
        }
        Stage::Away if !world.machines.contains_key(&node.name) && node.ready => Some(back(world, node, target)),
        Stage::Validating(until) if over(until) => Some(ask_for_uncordon(world, node, target)),
        Stage::Uncordoning(since) => wait_for_uncordon(world, node, target, *since),
        waiting => Some(waiting.clone()),
    }
}

/// The release that a rendered config belongs to.
fn release_of(world: &World, config: &str) -> String {
    world
        .store
        .get(Res::MACHINE_CONFIGS, None, config)
        .map(|config| annotation(&config, RELEASE_VERSION).to_owned())
        .unwrap_or_default()
}

fn note(world: &World, node: &str, notes: &[(&str, &str)]) {
    world.store.update(Res::NODES, None, node, |object| {
        for (key, value) in notes {
            annotate(object, &format!("{MCO}/{key}"), value);
        }
    });
}

fn event(world: &mut World, node: &str, reason: &str, message: &str) {
    world.node_event(node, COMPONENT, EventType::Normal, reason, message);
}

/// Whether the node is drained at all: a single control plane node never is.
fn drains(world: &World, node: &str) -> bool {
    world
        .store
        .get(Res::NODES, None, node)
        .is_none_or(|object| annotation(&object, &format!("{MCO}/controlPlaneTopology")) != "SingleReplica")
}

fn prepare(world: &mut World, node: &NodeView, target: &str) -> Stage {
    if world.store.get(Res::MACHINE_CONFIGS, None, target).is_none() {
        let reason = format!("machineconfig.machineconfiguration.openshift.io {target:?} not found");
        note(world, &node.name, &[("state", "Degraded"), ("reason", &reason)]);
        return Stage::Noticing(world.elapsed + Duration::from_secs(60));
    }
    note(world, &node.name, &[("state", "Working"), ("reason", "")]);
    event(world, &node.name, "ConfigDriftMonitorStopped", "Config Drift Monitor stopped");
    node_state::begin(world, &node.name, target);
    Stage::Preparing(world.elapsed + world.between(&format!("prepare {} {target}", node.name), (4, 9)))
}

fn ask_for_drain(world: &mut World, node: &NodeView, target: &str) -> Stage {
    let drain = drains(world, &node.name);
    let message = format!("Update Compatible. Post Cfg Actions: [reboot] Drain Required: {drain}");
    node_state::write(world, &node.name, &[("UpdatePrepared", "True", "UpdateCompatible", &message)]);
    if !drain {
        let phases = [("Drained", "False", "UpdateExecutedDrained", "Node Drain Not required for this update.")];
        node_state::write(world, &node.name, &phases);
        return apply(world, node, target);
    }
    note(world, &node.name, &[("desiredDrain", &format!("drain-{target}"))]);
    event(world, &node.name, "Cordon", "Cordoned node to apply update");
    event(world, &node.name, "Drain", "Draining node to update config.");
    Stage::Draining(world.elapsed, false)
}

fn wait_for_drain(world: &mut World, node: &NodeView, target: &str, since: Duration, degraded: bool) -> Stage {
    if node.desired_drain == node.applied_drain && node.desired_drain == format!("drain-{target}") {
        if degraded {
            note(world, &node.name, &[("state", "Working"), ("reason", "")]);
        }
        return apply(world, node, target);
    }
    if degraded || world.elapsed < since + DRAIN_LIMIT {
        return Stage::Draining(since, degraded);
    }
    let reason = format!(
        "failed to drain node: {} after 1 hour. Please see machine-config-controller logs for more information",
        node.name
    );
    note(world, &node.name, &[("state", "Degraded"), ("reason", &reason)]);
    world.node_event(&node.name, COMPONENT, EventType::Warning, "FailedToDrain", &reason);
    let message = format!("Node {} upgrade failure. {reason}", node.name);
    node_state::write(world, &node.name, &[("NodeDegraded", "True", "NodeDegraded", &message)]);
    Stage::Draining(since, true)
}

fn apply(world: &mut World, node: &NodeView, target: &str) -> Stage {
    event(world, &node.name, "OSUpdateStarted", "Upgrading OS");
    let phases = [(
        "AppliedFilesAndOS",
        "Unknown",
        "UpdateExecutedAppliedFilesAndOS",
        "Applying files and new OS config to node. OS will need an update. SSH Keys will not need an update",
    )];
    node_state::write(world, &node.name, &phases);
    Stage::Applying(world.elapsed + world.lasts("nodes", &format!("apply {} {target}", node.name), (80, 130)))
}

fn applied(world: &mut World, node: &NodeView, target: &str) -> Stage {
    event(world, &node.name, "OSUpdateStaged", "Changes to OS staged");
    event(world, &node.name, "PendingConfig", &format!("Written pending config {target}"));
    event(world, &node.name, "Reboot", &format!("Node will reboot into config {target}"));
    let done = format!("Applied files and new OS config to node. New OS: {target}");
    let executed = format!("Updated the Files and OS on disk as a part of the in progress phase for {target}");
    let post = format!("Node will reboot into config {target}");
    let phases = [
        ("AppliedFilesAndOS", "True", "UpdateExecutedAppliedFilesAndOS", done.as_str()),
        ("UpdateExecuted", "True", "UpdateExecuted", executed.as_str()),
        ("UpdatePostActionComplete", "Unknown", "UpdatePostActionComplete", post.as_str()),
        ("RebootedNode", "Unknown", "UpdatePostActionCompleteRebootedNode", "Upgrade requires a reboot."),
    ];
    node_state::write(world, &node.name, &phases);
    note(world, &node.name, &[("post-config-action", "Rebooting")]);
    Stage::Rebooting(world.elapsed + world.between(&format!("reboot {} {target}", node.name), (5, 9)))
}

fn back(world: &mut World, node: &NodeView, target: &str) -> Stage {
    note(world, &node.name, &[("post-config-action", "")]);
    let message = format!("Booting node {}, currentConfig {}, desiredConfig {target}", node.name, node.current);
    event(world, &node.name, "BootResync", &message);
    let post = "Post config actions completed: reboot";
    let phases = [
        ("RebootedNode", "True", "UpdatePostActionCompleteRebootedNode", "Node has rebooted"),
        ("UpdatePostActionComplete", "True", "UpdatePostActionComplete", post),
    ];
    node_state::write(world, &node.name, &phases);
    Stage::Validating(world.elapsed + world.between(&format!("validate {} {target}", node.name), (8, 16)))
}

fn ask_for_uncordon(world: &mut World, node: &NodeView, target: &str) -> Stage {
    let message = format!("In desired config {target}. Resumed normal operations. Applying proper annotations.");
    node_state::write(world, &node.name, &[("Resumed", "True", "Resumed", &message)]);
    let uncordon = format!("uncordon-{target}");
    note(world, &node.name, &[("currentConfig", target), ("desiredDrain", &uncordon)]);
    Stage::Uncordoning(world.elapsed)
}

fn wait_for_uncordon(world: &mut World, node: &NodeView, target: &str, since: Duration) -> Option<Stage> {
    let request = format!("uncordon-{target}");
    if node.desired_drain != request || node.applied_drain != request {
        if world.elapsed >= since + UNCORDON_LIMIT && node.state != "Degraded" {
            let reason = format!(
                "failed to uncordon node: {} after 10 minutes. Please see machine-config-controller logs for more \
                 information",
                node.name
            );
            note(world, &node.name, &[("state", "Degraded"), ("reason", &reason)]);
            world.node_event(&node.name, COMPONENT, EventType::Warning, "FailedToUncordon", &reason);
        }
        return Some(Stage::Uncordoning(since));
    }
    note(world, &node.name, &[("state", "Done"), ("reason", "")]);
    let name = node.name.as_str();
    event(world, name, "NodeDone", &format!("Setting node {name}, currentConfig {target} to Done"));
    let uncordoned = format!("Update completed for config {target} and node has been uncordoned");
    event(world, name, "Uncordon", &uncordoned);
    let watching = format!("Config Drift Monitor started, watching against {target}");
    event(world, name, "ConfigDriftMonitorStarted", &watching);
    let phases = [
        ("UpdateComplete", "True", "UpdateComplete", uncordoned.as_str()),
        (
            "Uncordoned",
            "True",
            "UpdateCompleteUncordoned",
            "UnCordoned node. The node is reporting Unschedulable = false",
        ),
    ];
    node_state::write(world, name, &phases);
    node_state::finish(world, name, target);
    None
}

//! The machine config daemon of every node: takes a new config through drain, files, reboot and back.
//!
//! Rules: machine-config-operator, pkg/daemon/update.go, drain.go and daemon.go. What a daemon is doing is in its
//! process's memory, as in reality; what others must know is in the node's annotations.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::node_state;
use super::seen::NodeView;
use super::world::{Actor, EventType, Power, Speaker, World};
use crate::sim::cluster::disruption_policy::{Action, Change, ImageChange};
use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{annotate, annotation, remove, text};
use crate::sim::cluster::pools::RELEASE_VERSION;
use crate::sim::kinds::Res;
use crate::sim::scenario::{Group, Mishap, MishapKind};

/// How long the daemon waits for a drain before it calls the node degraded (pkg/daemon/drain.go, one hour).
const DRAIN_LIMIT: Duration = Duration::from_secs(3_600);
/// How soon what failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);
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
    /// Nodes that were found changed by hand while they were at rest.
    drifted: BTreeSet<String>,
}

impl Actor for ConfigDaemon {
    fn step(&mut self, world: &mut World) {
        self.notice(world);
        self.drift(world);
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
            let differs = node.current != node.desired || node.current_image != node.desired_image;
            differs && !node.desired.is_empty() && !world.machines.contains_key(&node.name)
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

impl ConfigDaemon {
    /// The config drift monitor of nodes at rest.
    fn drift(&mut self, world: &mut World) {
        if world.mishaps.is_empty() && self.drifted.is_empty() {
            return;
        }
        let nodes: Vec<NodeView> = world.seen.nodes.values().map(|entry| entry.view.clone()).collect();
        for node in nodes {
            let rests = !self.updates.contains_key(&node.name) && !world.machines.contains_key(&node.name);
            let known = self.drifted.contains(&node.name);
            if !(rests || known) {
                continue;
            }
            let drifts = world.strikes(MishapKind::ConfigDrift, &node.name);
            match (drifts, known) {
                (Some(mishap), false) => {
                    let reason = drift_reason(&mishap, &node.current);
                    fail(world, &node.name, "Degraded", &reason);
                    let text = format!("Config Drift Detected: {reason}");
                    world.node_event(&node.name, COMPONENT, EventType::Warning, "ConfigDriftDetected", &text);
                    self.drifted.insert(node.name);
                }
                (None, true) => {
                    self.drifted.remove(&node.name);
                    if rests {
                        note(world, &node.name, &[("state", "Done"), ("reason", "")]);
                        let text = format!("Node {} upgrade succeeded", node.name);
                        node_state::write(world, &node.name, &[("NodeDegraded", "False", "NodeDegraded", &text)]);
                    }
                }
                (Some(_), true) | (None, false) => {}
            }
        }
    }
}

fn drift_reason(mishap: &Mishap, config: &str) -> String {
    mishap.message.clone().unwrap_or_else(|| {
        let what = "content mismatch for file \"/etc/chrony.conf\"";
        format!("unexpected on-disk state validating against {config}: {what}")
    })
}

/// The daemon gives up for now, and says why.
fn fail(world: &World, node: &str, state: &str, reason: &str) {
    note(world, node, &[("state", state), ("reason", reason)]);
    world.log(Speaker::Daemon(node), 'E', "writer.go", &format!("Marking {state} due to: {reason:?}"));
    let message = format!("Node {node} upgrade failure. {reason}");
    node_state::write(world, node, &[("NodeDegraded", "True", "NodeDegraded", &message)]);
}

/// What keeps a node from taking up a config: its state then, and the reason.
fn refusal(world: &mut World, node: &NodeView, target: &str) -> Option<(&'static str, String)> {
    let name = node.name.as_str();
    if let Some(mishap) = world.strikes(MishapKind::ConfigDrift, name) {
        let reason = drift_reason(&mishap, &node.current);
        let text = format!("Config drift check failed: {reason}");
        world.node_event(name, COMPONENT, EventType::Warning, "PreflightConfigDriftCheckFailed", &text);
        return Some(("Degraded", reason));
    }
    if let Some(mishap) = world.strikes(MishapKind::Unreconcilable, name) {
        let why = mishap.message.unwrap_or("ignition disks section contains changes".to_owned());
        let reason = format!("can't reconcile config {} with {target}: {why}", node.current);
        world.node_event(name, COMPONENT, EventType::Warning, "FailedToReconcile", &reason);
        return Some(("Unreconcilable", reason));
    }
    let is_there = |config: &str| world.store.get(Res::MACHINE_CONFIGS, None, config).is_some();
    let struck = world.strikes(MishapKind::ConfigMissing, name).is_some();
    // The daemon compares with what the node has: a pool that was deleted too early took that along.
    let missing =
        if struck || !is_there(target) { Some(target) } else { Some(node.current.as_str()).filter(|it| !is_there(it)) };
    missing.map(|config| ("Degraded", format!("machineconfig.machineconfiguration.openshift.io {config:?} not found")))
}

/// What lies between what a node has and what it is to have.
fn change_of(world: &World, node: &NodeView, target: &str) -> Change {
    let config = |config: &str| world.store.get(Res::MACHINE_CONFIGS, None, config);
    let (Some(old), Some(new)) = (config(&node.current), config(target)) else { return Change::whole() };
    let image = match node.current_image.as_str() {
        image if image != node.desired_image => ImageChange::Another,
        "" => ImageChange::NotLayered,
        _ => ImageChange::SameLayered,
    };
    Change::between(&world.store, &old, &new, image)
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
        Stage::Applying(until) if over(until) => {
            if world.strikes(MishapKind::ImagePullFailing, &node.name).is_some() {
                if node.state != "Degraded" {
                    fail(world, &node.name, "Degraded", &pull_failure(world, target));
                }
                return Some(Stage::Applying(world.elapsed + AGAIN));
            }
            recover(world, node);
            Some(applied(world, node, target))
        }
        Stage::Rebooting(until) if over(until) => {
            if world.strikes(MishapKind::RebootFailed, &node.name).is_some() {
                if node.state != "Degraded" {
                    fail(world, &node.name, "Degraded", "reboot command failed, something is seriously wrong");
                }
                return Some(Stage::Rebooting(world.elapsed + AGAIN));
            }
            recover(world, node);
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

/// What was tried again has worked.
fn recover(world: &World, node: &NodeView) {
    if node.state == "Degraded" {
        note(world, &node.name, &[("state", "Working"), ("reason", "")]);
        let text = format!("Node {} upgrade succeeded", node.name);
        node_state::write(world, &node.name, &[("NodeDegraded", "False", "NodeDegraded", &text)]);
    }
}

fn pull_failure(world: &World, target: &str) -> String {
    let config = world.store.get(Res::MACHINE_CONFIGS, None, target);
    let image = config.as_ref().map_or("", |config| text(config, "/spec/osImageURL")).to_owned();
    let registry = image.split('/').next().unwrap_or_default();
    format!(
        "failed to run command nice (6 tries): [timed out waiting for the condition, running nice -- ionice -c 3 podman \
         pull -q --authfile /var/lib/kubelet/config.json {image} failed: Error: initializing source \
         docker://{image}: pinging container registry {registry}: Get \"https://{registry}/v2/\": dial tcp: lookup \
         {registry}: no such host\n: exit status 125]"
    )
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
    world.log(Speaker::Daemon(node), 'I', "update.go", message);
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
    if let Some((state, reason)) = refusal(world, node, target) {
        fail(world, &node.name, state, &reason);
        return Stage::Noticing(world.elapsed + AGAIN);
    }
    note(world, &node.name, &[("state", "Working"), ("reason", "")]);
    event(world, &node.name, "ConfigDriftMonitorStopped", "Config Drift Monitor stopped");
    node_state::begin(world, &node.name, target);
    Stage::Preparing(world.elapsed + world.between(&format!("prepare {} {target}", node.name), (4, 9)))
}

fn ask_for_drain(world: &mut World, node: &NodeView, target: &str) -> Stage {
    let change = change_of(world, node, target);
    let drain = change.drain && drains(world, &node.name);
    let message = format!("Update Compatible. Post Cfg Actions: [{}] Drain Required: {drain}", change.words());
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
    let change = change_of(world, node, target);
    if change.os {
        event(world, &node.name, "OSUpdateStarted", "Upgrading OS");
    }
    let needs = |yes: bool| if yes { "will need an update" } else { "will not need an update" };
    let message =
        format!("Applying files and new OS config to node. OS {}. SSH Keys {}", needs(change.os), needs(change.ssh));
    let phases = [("AppliedFilesAndOS", "Unknown", "UpdateExecutedAppliedFilesAndOS", message.as_str())];
    node_state::write(world, &node.name, &phases);
    if !change.reboots() {
        let length = world.between(&format!("write {} {target}", node.name), (4, 10));
        return Stage::Applying(world.elapsed + length);
    }
    Stage::Applying(world.elapsed + world.lasts(Group::Nodes, &format!("apply {} {target}", node.name), 100.0, 0.2))
}

fn applied(world: &mut World, node: &NodeView, target: &str) -> Stage {
    let change = change_of(world, node, target);
    if !change.reboots() {
        return stay_up(world, node, target, &change);
    }
    if change.os {
        event(world, &node.name, "OSUpdateStaged", "Changes to OS staged");
    }
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

/// The files are in place, and the machine need not boot: services read them again.
fn stay_up(world: &mut World, node: &NodeView, target: &str, change: &Change) -> Stage {
    let name = node.name.as_str();
    let mut told = "Config changes do not require reboot.".to_owned();
    let mut done = "Changes do not require a reboot".to_owned();
    for action in &change.actions {
        let (service, what) = match action {
            Action::Reload(service) => (service, "reloaded"),
            Action::Restart(service) => (service, "restarted"),
            _ => continue,
        };
        told.push_str(&format!(" Service {service} was {what}."));
        done = format!("Node has {what} service {service}");
    }
    event(world, name, "SkipReboot", &told);
    let executed = format!("Updated the Files and OS on disk as a part of the in progress phase for {target}");
    let phases = [
        ("AppliedFilesAndOS", "True", "UpdateExecutedAppliedFilesAndOS", "Applied files and new OS config to node."),
        ("UpdateExecuted", "True", "UpdateExecuted", executed.as_str()),
        ("UpdatePostActionComplete", "True", "None", done.as_str()),
    ];
    node_state::write(world, name, &phases);
    Stage::Validating(world.elapsed + world.between(&format!("validate {name} {target}"), (2, 5)))
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
    if !node.desired_image.is_empty() {
        note(world, &node.name, &[("currentImage", &node.desired_image)]);
    } else if !node.current_image.is_empty() {
        world.store.update(Res::NODES, None, &node.name, |object| {
            remove(object, "/metadata/annotations", &format!("{MCO}/currentImage"));
        });
    }
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

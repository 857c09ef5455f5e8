//! The node controller of the machine config operator: pool status, and which node is next.
//!
//! Rules: machine-config-operator, pkg/controller/node (syncMachineConfigPool, getAllCandidateMachines, maxUnavailable)
//! and pkg/controller/node/status.go (calculateStatus).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::image_builder::{Build, build_of};
use super::seen::{Entry, NodeView, UPDATE_TAINT};
use super::world::{Actor, Event, EventType, Speaker, World, involved};
use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{
    Condition, annotate, condition_status, flag, items, name, remove, selects, set_condition, status, text,
};
use crate::sim::kinds::Res;
use crate::sim::scenario::ARBITER;

/// machine-config-operator, pkg/controller/node: `updateDelay`.
const UPDATE_DELAY: Duration = Duration::from_secs(5);
/// The namespace of the machine config operator.
pub const NAMESPACE: &str = "openshift-machine-config-operator";

/// What the counts of a pool are made of.
pub trait Rolling {
    /// Ready for pods and for an update: Ready, schedulable, without pressure.
    fn available(&self) -> bool;
    /// At rest on the config that it is to have.
    fn done(&self) -> bool;
    /// The daemon gave up, for now.
    fn failing(&self) -> bool;
    /// Counted against `maxUnavailable`.
    fn unavailable(&self) -> bool {
        !self.available() || !(self.done() || self.failing())
    }
}

impl Rolling for NodeView {
    fn available(&self) -> bool {
        self.ready && !self.unschedulable && !self.pressed
    }

    fn done(&self) -> bool {
        self.current == self.desired && self.current_image == self.desired_image && self.state == "Done"
    }

    fn failing(&self) -> bool {
        matches!(self.state.as_str(), "Degraded" | "Unreconcilable")
    }
}

/// How many nodes of a pool may be unavailable: default 1, percentages rounded down, never below 1.
pub fn max_unavailable(pool: &Value, nodes: usize) -> usize {
    if name(pool) == ARBITER {
        return 1;
    }
    let limit = &pool["spec"]["maxUnavailable"];
    let amount = match limit {
        Value::Number(number) => number.as_u64().unwrap_or(1) as usize,
        Value::String(text) => text.trim_end_matches('%').parse::<usize>().map_or(1, |percent| nodes * percent / 100),
        _ => 1,
    };
    amount.max(1)
}

/// What the nodes of a pool are to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal<'a> {
    /// The rendered config.
    pub config: &'a str,
    /// The image that was built for it; empty for that of the release, `None` while it is not known yet.
    pub image: Option<&'a str>,
}

impl Goal<'_> {
    /// Whether a node is sent there.
    pub fn is_of(&self, node: &NodeView) -> bool {
        node.desired == self.config && self.image.is_none_or(|image| image == node.desired_image)
    }

    /// Whether a node is there and at rest.
    pub fn is_reached(&self, node: &NodeView) -> bool {
        self.is_of(node) && node.done()
    }
}

/// How many nodes may be targeted now. A node that failed on the pool's own config counts twice when it is also
/// cordoned: once as unavailable, once as failing.
pub fn capacity(pool: &Value, nodes: &[&NodeView], goal: Goal<'_>) -> usize {
    let limit = max_unavailable(pool, nodes.len());
    let unavailable = nodes.iter().filter(|node| node.unavailable()).count();
    let failing = nodes.iter().filter(|node| goal.is_of(node) && node.failing()).count();
    limit.saturating_sub(unavailable).saturating_sub(failing)
}

/// Nodes that may be targeted, the next one first: by zone, then oldest first, those without a zone last.
pub fn candidates<'a>(nodes: &[&'a NodeView], goal: Goal<'_>) -> Vec<&'a NodeView> {
    let mut candidates: Vec<&NodeView> =
        nodes.iter().copied().filter(|node| !goal.is_of(node) && node.available()).collect();
    candidates.sort_by(|a, b| {
        (a.zone.is_none(), &a.zone, a.born, &a.name).cmp(&(b.zone.is_none(), &b.zone, b.born, &b.name))
    });
    candidates
}

/// The controller: leads from one pod, and looks at a pool a moment after something about it changed.
#[derive(Debug, Default)]
pub struct NodeController {
    leader: String,
    due: BTreeMap<String, Duration>,
    builds: BTreeMap<String, Build>,
}

impl Actor for NodeController {
    fn step(&mut self, world: &mut World) {
        let Some((leader, _)) = world.seen.leader(NAMESPACE, "machine-config-controller") else {
            self.leader.clear();
            return;
        };
        if leader != self.leader {
            self.leader = leader;
            self.queue_all(world);
        }
        if !(self.builds.is_empty() && world.store.list(Res::MACHINE_OS_CONFIGS).is_empty()) {
            self.follow_builds(world);
        }
        rename_pools(world);
        complain(world);
        self.queue(world);
        let due: Vec<String> =
            self.due.iter().filter(|(_, at)| **at <= world.elapsed).map(|(pool, _)| pool.clone()).collect();
        for pool in due {
            self.due.remove(&pool);
            sync(world, &pool);
        }
    }
}

/// The MachineConfigNode of a node that went to another pool says so.
fn rename_pools(world: &World) {
    if !world.store.served(Res::MACHINE_CONFIG_NODES) {
        return;
    }
    for (node, _, new) in &world.seen.moved {
        let Some(pool) = new else { continue };
        world.store.update(Res::MACHINE_CONFIG_NODES, None, node, |object| {
            object["spec"]["pool"]["name"] = json!(pool);
        });
    }
}

/// Nodes that no pool may have are named in the log, and nowhere else (pkg/helpers, GetPoolsForNode).
fn complain(world: &World) {
    for (_, node) in &world.seen.nodes.altered {
        let Some(entry) = world.seen.node(node) else { continue };
        if world.seen.pool_of(node).is_some() || entry.view.windows {
            continue;
        }
        let custom = world
            .seen
            .pools
            .iter()
            .filter(|((_, pool), _)| !matches!(pool.as_str(), "master" | "worker"))
            .filter(|(_, pool)| selects(&pool.object["spec"]["nodeSelector"], &entry.object["metadata"]["labels"]))
            .count();
        if custom > 1 {
            let text = format!("node {node} belongs to {custom} custom roles, cannot proceed with this Node");
            let speaker = Speaker::Leader(NAMESPACE, "machine-config-controller");
            world.log(speaker, 'E', "node_controller.go", &format!("error finding pools for node {node}: {text}"));
        }
    }
}

impl NodeController {
    /// A build that begins, ends or fails is a reason to look at its pool.
    fn follow_builds(&mut self, world: &World) {
        for (key, pool) in world.seen.pools.iter() {
            let build = build_of(world, &pool.object);
            let known = self.builds.get(&key.1);
            if known != Some(&build) && (known.is_some() || build != Build::NotLayered) {
                self.builds.insert(key.1.clone(), build);
                self.due.entry(key.1.clone()).or_insert(world.elapsed);
            }
        }
    }

    fn queue_all(&mut self, world: &World) {
        for ((_, pool), _) in world.seen.pools.iter() {
            self.due.entry(pool.clone()).or_insert(world.elapsed + UPDATE_DELAY);
        }
    }

    fn queue(&mut self, world: &World) {
        let mut pools: BTreeSet<&str> = world.seen.pools.changed.iter().map(|(_, pool)| pool.as_str()).collect();
        for (_, node) in &world.seen.nodes.altered {
            pools.extend(world.seen.pool_of(node));
        }
        for (_, old, new) in &world.seen.moved {
            pools.extend(old.as_deref());
            pools.extend(new.as_deref());
        }
        if world.seen.nodes.before.iter().any(|((_, node), _)| world.seen.node(node).is_none()) {
            pools.extend(world.seen.pools.iter().map(|((_, pool), _)| pool.as_str()));
        }
        // Control plane and arbiter wait for each other.
        if pools.contains("master") && world.scenario.size(ARBITER) > 0 {
            pools.insert(ARBITER);
        } else if pools.contains(ARBITER) {
            pools.insert("master");
        }
        for pool in pools {
            self.due.entry(pool.to_owned()).or_insert(world.elapsed + UPDATE_DELAY);
        }
    }
}

fn sync(world: &mut World, pool_name: &str) {
    let Some(pool) = world.store.get(Res::MACHINE_CONFIG_POOLS, None, pool_name) else { return };
    let target = text(&pool, "/spec/configuration/name").to_owned();
    if target.is_empty() {
        return;
    }
    let entries: Vec<Entry<NodeView>> = world.seen.nodes_of(pool_name).cloned().collect();
    let nodes: Vec<&NodeView> = entries.iter().map(|entry| &entry.view).collect();
    let build = build_of(world, &pool);
    let image = match &build {
        Build::NotLayered => Some(""),
        Build::Ready(image) => Some(image.as_str()),
        Build::Waiting(_) | Build::Running(_) | Build::Failed(_) => None,
    };
    let goal = Goal { config: &target, image };
    if image.is_some() && !flag(&pool, "/spec/paused") {
        let chosen = choose(world, &pool, &nodes, goal);
        taint_waiting(world, goal, &nodes, &chosen);
        target_nodes(world, &pool, goal, &chosen);
    }
    write_status(world, &pool, &build, goal, &entries);
}

/// In a cluster with an arbiter only one of control plane and arbiter moves at a time.
fn yields_to_other(world: &World, pool: &str) -> bool {
    if world.scenario.size(ARBITER) == 0 {
        return false;
    }
    let views = |pool: &'static str| world.seen.nodes_of(pool).map(|entry| &entry.view);
    match pool {
        "master" => views(ARBITER).any(Rolling::unavailable),
        ARBITER => {
            let target = world.store.get(Res::MACHINE_CONFIG_POOLS, None, "master");
            let target = target.as_ref().map_or("", |pool| text(pool, "/spec/configuration/name"));
            views("master").any(|node| node.unavailable() || node.desired != target)
        }
        _ => false,
    }
}

/// The nodes to target now.
fn choose(world: &mut World, pool: &Value, nodes: &[&NodeView], goal: Goal<'_>) -> Vec<String> {
    let capacity = capacity(pool, nodes, goal);
    if capacity == 0 || yields_to_other(world, name(pool)) {
        return Vec::new();
    }
    let mut candidates: Vec<String> = candidates(nodes, goal).iter().map(|node| node.name.clone()).collect();
    if name(pool) == "master" && candidates.len() > 1 {
        // The operator's own node goes last, so that it moves once only.
        let operator = world.seen.leader(NAMESPACE, "machine-config-operator").map(|(_, node)| node);
        if let Some(position) = operator.and_then(|node| candidates.iter().position(|name| *name == node)) {
            let node = candidates.remove(position);
            let message = format!("Deferring update of machine config operator node {node}");
            let event = Event {
                namespace: "default",
                involved: involved(pool),
                kind: EventType::Normal,
                reason: "DeferringOperatorNodeUpdate",
                message: &message,
                component: "machineconfigcontroller-nodecontroller",
                host: "",
            };
            world.event(&event);
        }
    }
    candidates.truncate(capacity);
    candidates
}

/// The taint marks nodes that still wait, so that pods prefer those that are done.
fn taint_waiting(world: &World, goal: Goal<'_>, nodes: &[&NodeView], chosen: &[String]) {
    for node in nodes {
        let waits = !goal.is_of(node) && !chosen.contains(&node.name);
        if waits == node.update_taint {
            continue;
        }
        world.store.update(Res::NODES, None, &node.name, |object| {
            let mut taints = items(object, "/spec/taints").to_vec();
            taints.retain(|taint| taint["key"] != UPDATE_TAINT);
            if waits {
                taints.push(json!({"effect": "PreferNoSchedule", "key": UPDATE_TAINT}));
            }
            object["spec"]["taints"] = json!(taints);
        });
    }
}

fn target_nodes(world: &mut World, pool: &Value, goal: Goal<'_>, chosen: &[String]) {
    let target = goal.config;
    for node in chosen {
        world.store.update(Res::NODES, None, node, |object| {
            annotate(object, &format!("{MCO}/desiredConfig"), target);
            match goal.image {
                None | Some("") => remove(object, "/metadata/annotations", &format!("{MCO}/desiredImage")),
                Some(image) => annotate(object, &format!("{MCO}/desiredImage"), image),
            }
        });
        if world.store.served(Res::MACHINE_CONFIG_NODES) {
            world.store.update(Res::MACHINE_CONFIG_NODES, None, node, |object| {
                object["spec"]["configVersion"]["desired"] = json!(target);
            });
        }
    }
    let message = match chosen {
        [] => return,
        [node] => format!("Targeted node {node} to MachineConfig: {target}"),
        many => format!("Set target for {} nodes to MachineConfig: {target}", many.len()),
    };
    let speaker = Speaker::Leader(NAMESPACE, "machine-config-controller");
    world.log(speaker, 'I', "node_controller.go", &format!("Pool {}: {message}", name(pool)));
    let event = Event {
        namespace: "default",
        involved: involved(pool),
        kind: EventType::Normal,
        reason: "SetDesiredConfig",
        message: &message,
        component: "machineconfigcontroller-nodecontroller",
        host: "",
    };
    world.event(&event);
}

/// What a pool says of a build that it waits for: status and message of Updating.
fn build_text(build: &Build, paused: bool) -> Option<(bool, String)> {
    Some(match (build, paused) {
        (Build::NotLayered | Build::Ready(_), _) => return None,
        (Build::Failed(build), _) => {
            (false, format!("Pool update stopped due to OS image build failure (mosb: {build})"))
        }
        (Build::Waiting(build) | Build::Running(build), true) => {
            (false, format!("Pool is paused; OS image build in progress (mosb: {build})"))
        }
        (Build::Waiting(build), false) => {
            (true, format!("Pool is waiting for OS image build to start (mosb: {build})"))
        }
        (Build::Running(build), false) => {
            (true, format!("Pool is waiting for OS image build to complete (mosb: {build})"))
        }
    })
}

fn write_status(world: &World, pool: &Value, build: &Build, goal: Goal<'_>, entries: &[Entry<NodeView>]) {
    let target = goal.config;
    let updated = |node: &NodeView| goal.is_reached(node);
    let count = |fits: &dyn Fn(&NodeView) -> bool| entries.iter().filter(|entry| fits(&entry.view)).count();
    let total = entries.len();
    let updated_count = count(&updated);
    let ready = count(&|node| updated(node) && node.available());
    let unavailable = count(&|node| node.unavailable());
    let degraded: Vec<&Entry<NodeView>> = entries.iter().filter(|entry| entry.view.failing()).collect();
    let building = matches!(build, Build::Waiting(_) | Build::Running(_));
    let all = updated_count == total && ready == total && unavailable == 0 && !building;
    let reports: Vec<String> = degraded
        .iter()
        .map(|entry| {
            let reason = crate::sim::cluster::object::annotation(&entry.object, &format!("{MCO}/reason"));
            format!("Node {} is reporting: {:?}", entry.view.name, reason)
        })
        .collect();
    let now = world.now;
    let certificates = expiries(world);
    world.store.update(Res::MACHINE_CONFIG_POOLS, None, name(pool), |object| {
        let paused = flag(object, "/spec/paused");
        let generation = object["metadata"]["generation"].clone();
        let fields = &mut object["status"];
        fields["observedGeneration"] = generation;
        fields["machineCount"] = json!(total);
        fields["updatedMachineCount"] = json!(updated_count);
        fields["readyMachineCount"] = json!(ready);
        fields["unavailableMachineCount"] = json!(unavailable);
        fields["degradedMachineCount"] = json!(degraded.len());
        if object["status"]["certExpirys"].is_null() {
            object["status"]["certExpirys"] = certificates.clone();
        }
        if all {
            object["status"]["configuration"] = object["spec"]["configuration"].clone();
        }
        let (updated_text, updating, updating_text) = match (all, paused) {
            (true, _) => (format!("All nodes are updated with MachineConfig {target}"), false, String::new()),
            (false, true) => {
                (String::new(), false, format!("Pool is paused; will not update to MachineConfig {target}"))
            }
            (false, false) => (String::new(), true, format!("All nodes are updating to MachineConfig {target}")),
        };
        let (updating, updating_text) = build_text(build, paused).filter(|_| !all).unwrap_or((updating, updating_text));
        let broken = !reports.is_empty();
        let reason = if broken {
            format!("{} nodes are reporting degraded status on sync", reports.len())
        } else {
            String::new()
        };
        let message = reports.join(", ");
        let mut set = |kind: &str, yes: bool, reason: &str, message: &str| {
            set_condition(object, &Condition::new(kind, status(yes), reason, message), now);
        };
        set("Updated", all, "", &updated_text);
        set("Updating", updating, "", &updating_text);
        set("NodeDegraded", broken, &reason, &message);
        let unbuilt = matches!(build, Build::Failed(_));
        if *build != Build::NotLayered {
            let text = if unbuilt { "Custom OS image build failed" } else { "" };
            set("ImageBuildDegraded", unbuilt, if unbuilt { "BuildFailed" } else { "" }, text);
        }
        let rendering = condition_status(object, "RenderDegraded") == "True";
        let text = match (broken, unbuilt) {
            (true, _) => message.as_str(),
            (false, true) => "Custom OS image build failed",
            (false, false) => "",
        };
        set_condition(object, &Condition::new("Degraded", status(broken || rendering || unbuilt), "", text), now);
        fill_blanks(object);
    });
}

/// The certificates that nodes get, as pools tell them (pkg/controller/node/status.go, from the ControllerConfig).
fn expiries(world: &World) -> Value {
    let config = world.store.get(Res::CONTROLLER_CONFIGS, None, "machine-config-controller");
    let of = |config: &Value| -> Value {
        items(config, "/status/controllerCertificates")
            .iter()
            .filter(|it| it["bundleFile"] == "KubeAPIServerServingCAData")
            .map(|it| json!({"bundle": it["bundleFile"], "expiry": it["notAfter"], "subject": it["subject"]}))
            .collect()
    };
    config.map_or_else(|| json!([]), |config| of(&config))
}

/// Pool conditions always have a reason and a message, empty ones too.
fn fill_blanks(pool: &mut Value) {
    let Some(list) = pool.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    for condition in list {
        for field in ["message", "reason"] {
            if condition.get(field).is_none() {
                condition[field] = json!("");
            }
        }
    }
}

/// Whether a pool has reached what it is to have, with the counts that the operator reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolReport {
    /// Its name.
    pub name: String,
    /// Updated is True for the present `spec.configuration`.
    pub done: bool,
    /// Degraded is True.
    pub degraded: bool,
    /// `(total: 3, ready 1, updated: 1, unavailable: 1, degraded: 0)` and the like.
    pub text: String,
}

/// Reads the report of a pool.
pub fn report(pool: &Value) -> PoolReport {
    let count = |field: &str| pool["status"][field].as_u64().unwrap_or_default();
    let degraded = condition_status(pool, "Degraded") == "True";
    let (total, ready, updated) = (count("machineCount"), count("readyMachineCount"), count("updatedMachineCount"));
    let unavailable = count("unavailableMachineCount");
    let counts = if degraded {
        let reason =
            super::super::cluster::object::condition(pool, "NodeDegraded").map_or("", |it| text(it, "/message"));
        format!(
            "(pool degraded: true total: {total}, ready {ready}, updated: {updated}, unavailable: {unavailable}, \
             reason: {reason})"
        )
    } else {
        format!(
            "(total: {total}, ready {ready}, updated: {updated}, unavailable: {unavailable}, degraded: {})",
            count("degradedMachineCount")
        )
    };
    PoolReport {
        name: name(pool).to_owned(),
        done: condition_status(pool, "Updated") == "True"
            && text(pool, "/status/configuration/name") == text(pool, "/spec/configuration/name"),
        degraded,
        text: counts,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    fn node(name: &str, zone: Option<&str>, age_days: i64) -> NodeView {
        let now: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        NodeView {
            name: name.to_owned(),
            zone: zone.map(str::to_owned),
            born: now - TimeDelta::days(age_days),
            current: "old".to_owned(),
            desired: "old".to_owned(),
            state: "Done".to_owned(),
            desired_drain: String::new(),
            applied_drain: String::new(),
            readiness: "True".to_owned(),
            ready: true,
            unschedulable: false,
            pressed: false,
            update_taint: false,
            cordon_taint: false,
            taints: Vec::new(),
            windows: false,
            current_image: String::new(),
            desired_image: String::new(),
            labels: 0,
        }
    }

    const NEW: Goal<'static> = Goal { config: "new", image: Some("") };

    fn pool(limit: &Value) -> Value {
        json!({"metadata": {"name": "worker"}, "spec": {"configuration": {"name": "new"}, "maxUnavailable": limit}})
    }

    #[test]
    fn the_next_node_is_the_oldest_of_the_first_zone_and_nodes_without_zone_come_last() {
        let nodes =
            [node("a", None, 400), node("b", Some("z2"), 300), node("c", Some("z1"), 1), node("d", Some("z1"), 9)];
        let order: Vec<&str> =
            candidates(&nodes.iter().collect::<Vec<_>>(), NEW).iter().map(|node| node.name.as_str()).collect();
        assert_eq!(order, ["d", "c", "b", "a"]);
    }

    #[test]
    fn percentages_round_down_and_never_below_one() {
        assert_eq!(max_unavailable(&pool(&json!("10%")), 19), 1);
        assert_eq!(max_unavailable(&pool(&json!("10%")), 2_000), 200);
        assert_eq!(max_unavailable(&pool(&json!("1%")), 6), 1);
        assert_eq!(max_unavailable(&pool(&json!(0)), 6), 1);
        assert_eq!(max_unavailable(&pool(&Value::Null), 6), 1);
    }

    #[test]
    fn a_node_whose_drain_failed_is_counted_twice() {
        let mut stuck = node("a", None, 1);
        stuck.desired = "new".to_owned();
        stuck.unschedulable = true;
        stuck.state = "Degraded".to_owned();
        let others = [node("b", None, 1), node("c", None, 1), node("d", None, 1)];
        let nodes: Vec<&NodeView> = [&stuck].into_iter().chain(&others).collect();
        assert_eq!(capacity(&pool(&json!(2)), &nodes, NEW), 0);
        assert_eq!(capacity(&pool(&json!(3)), &nodes, NEW), 1);
    }

    #[test]
    fn a_cordoned_node_is_unavailable_and_no_candidate() {
        let mut cordoned = node("a", None, 9);
        cordoned.unschedulable = true;
        let other = node("b", None, 1);
        let nodes = [&cordoned, &other];
        assert_eq!(capacity(&pool(&json!(1)), &nodes, NEW), 0);
        assert_eq!(candidates(&nodes, NEW), [&other]);
    }
}

//! The machine config operator: rolls out its own parts, renders configs, creates MachineConfigNodes, waits for the
//! required pools, and tells how it goes in the ClusterOperator machine-config.
//!
//! Rules: machine-config-operator, pkg/operator (sync.go, status.go) and pkg/controller/{template,render}.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::node_controller::{NAMESPACE, report};
use super::version_operator::payload::{reported, roll};
use super::world::{Actor, Event, EventType, World, involved};
use crate::sim::cluster::cluster_version::is_multi;
use crate::sim::cluster::machines::machine_config_node;
use crate::sim::cluster::object::{
    Condition, annotation, condition_status, flag, label, name, number, set_condition, status, text,
};
use crate::sim::cluster::operators::{find, versions};
use crate::sim::cluster::platform::RELEASE_VERSION as RELEASE;
use crate::sim::cluster::pools::{
    CONTROLLER_VERSION, RELEASE_VERSION, REQUIRED, configuration, generated, render, sources,
};
use crate::sim::cluster::workloads::env;
use crate::sim::cluster::{release, trust};
use crate::sim::kinds::Res;
use crate::sim::scenario::{MishapKind, Payload};

/// How long the operator waits for required pools, per machine of theirs, before it is degraded.
const PER_MACHINE: Duration = Duration::from_secs(600);

/// Where the operator is on its way to a new release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// At rest.
    #[default]
    Settled,
    /// Its daemons, controller and server are rolled out.
    Deploying(Duration),
    /// It waits for the required pools, since then.
    Pools(Duration),
}

/// The operator.
#[derive(Debug, Default)]
pub struct MachineConfigOperator {
    stage: Stage,
    target: String,
    /// Since when a required sync fails after the update.
    failing_since: Option<Duration>,
    /// The release whose templates were written last.
    templates: String,
    /// The files that they hold for what the cluster trusts.
    files: Vec<Value>,
    nodes: BTreeSet<String>,
    /// What was told last: version, target, problem, whether it is overdue, whether a pool is broken.
    told: Option<(String, String, Option<String>, bool, bool)>,
}

impl Actor for MachineConfigOperator {
    fn step(&mut self, world: &mut World) {
        self.controller(world);
        if world.seen.leader(NAMESPACE, "machine-config-operator").is_none() {
            return;
        }
        let Some(object) = world.store.get(Res::CLUSTER_OPERATORS, None, "machine-config") else { return };
        let target = deployed(world, "machine-config-operator");
        let current = reported(&object).to_owned();
        if target != current && (self.target != target || self.stage == Stage::Settled) {
            self.target.clone_from(&target);
            let length = world.between(&format!("machine config operator {target}"), (70, 100));
            self.stage = Stage::Deploying(world.elapsed + length);
            event(
                world,
                EventType::Normal,
                "OperatorVersionChanged",
                &format!(
                    "clusteroperator/machine-config started a version change from [{{operator {current}}}] to \
                     [{{operator {target}}}]"
                ),
            );
        }
        self.machine_config_nodes(world);
        hand_out_certificates(world);
        let problem = match self.stage {
            Stage::Settled => any_degraded(world),
            Stage::Deploying(until) if world.elapsed < until => None,
            Stage::Deploying(_) => {
                let image = release::component_image(&target, "machine-config-operator");
                roll(world, NAMESPACE, "machine-config-controller", &target, &image);
                self.stage = Stage::Pools(world.elapsed);
                None
            }
            Stage::Pools(_) => required_pools(world, &target),
        };
        let finished = matches!(self.stage, Stage::Pools(since) if world.elapsed > since) && problem.is_none();
        if finished {
            self.stage = Stage::Settled;
            event(
                world,
                EventType::Normal,
                "OperatorVersionChanged",
                &format!(
                    "clusteroperator/machine-config version changed from [{{operator {current}}}] to [{{operator \
                     {target}}}]"
                ),
            );
        }
        let version = if finished { target.as_str() } else { current.as_str() };
        self.tell(world, version, &target, problem.as_deref());
    }
}

/// The release of a Deployment of the machine config operator.
fn deployed(world: &World, deployment: &str) -> String {
    world
        .store
        .get(Res::DEPLOYMENTS, Some(NAMESPACE), deployment)
        .map(|object| env(&object, RELEASE).to_owned())
        .unwrap_or_default()
}

fn event(world: &mut World, kind: EventType, reason: &str, message: &str) {
    let Some(object) = world.store.get(Res::DEPLOYMENTS, Some(NAMESPACE), "machine-config-operator") else { return };
    world.event(&Event {
        namespace: NAMESPACE,
        involved: involved(&object),
        kind,
        reason,
        message,
        component: "machineconfigoperator",
        host: "",
    });
}

impl MachineConfigOperator {
    /// The template and render controllers of the machine config controller.
    fn controller(&mut self, world: &mut World) {
        if world.seen.leader(NAMESPACE, "machine-config-controller").is_none() {
            return;
        }
        let version = deployed(world, "machine-config-controller");
        if version.is_empty() {
            return;
        }
        let multi = migrated(world);
        let templates = if multi { format!("{version} for all architectures") } else { version.clone() };
        // What is not there keeps the operator from going on: what was rendered stays.
        let files = trust::files(&world.store).unwrap_or_else(|| self.files.clone());
        let fresh = self.templates != templates || self.files != files;
        if fresh {
            (self.templates, self.files) = (templates, files);
            for role in world.scenario.roles() {
                for config in generated(role, &version, multi, &self.files) {
                    write_config(world, &config);
                }
            }
        }
        if fresh || world.seen.configs.has_news() || world.seen.pools.has_news() {
            let pools: Vec<Arc<Value>> = world.store.list(Res::MACHINE_CONFIG_POOLS);
            for pool in pools {
                render_pool(world, &pool, &version);
            }
        }
    }

    /// Every node gets its MachineConfigNode once the kind is served and the operator knows of it.
    fn machine_config_nodes(&mut self, world: &World) {
        if !world.store.served(Res::MACHINE_CONFIG_NODES)
            || matches!(self.stage, Stage::Deploying(until) if world.elapsed < until)
        {
            return;
        }
        let seen = &world.seen.nodes;
        let new: Vec<_> = if self.nodes.is_empty() {
            seen.values().collect()
        } else {
            seen.changed
                .iter()
                .filter(|(_, node)| !self.nodes.contains(node))
                .filter_map(|(_, node)| world.seen.node(node))
                .collect()
        };
        for node in new {
            self.nodes.insert(node.view.name.clone());
            if world.store.get(Res::MACHINE_CONFIG_NODES, None, &node.view.name).is_none() {
                let pool = world.seen.pool_of(&node.view.name).unwrap_or("not-yet-set");
                let mut object = machine_config_node(&node.object, pool, &node.view.current, world.now);
                object["spec"]["configVersion"]["desired"] = json!(node.view.desired);
                world.store.create(Res::MACHINE_CONFIG_NODES, object, world.now);
            }
        }
        for (_, old) in &world.seen.nodes.before {
            let node = &old.view.name;
            if world.seen.node(node).is_none() && self.nodes.remove(node) {
                world.store.delete(Res::MACHINE_CONFIG_NODES, None, node);
            }
        }
    }

    /// Writes the ClusterOperator.
    fn tell(&mut self, world: &World, version: &str, target: &str, problem: Option<&str>) {
        let updating = version != target;
        let limit = PER_MACHINE * required(world).iter().map(|pool| number(pool, "/status/machineCount") as u32).sum();
        let since = match (problem, self.stage) {
            (None, _) => None,
            (Some(_), Stage::Pools(since)) => Some(since),
            (Some(_), _) => Some(self.failing_since.unwrap_or(world.elapsed)),
        };
        self.failing_since = since;
        let overdue = since.is_some_and(|since| world.elapsed >= since + limit);
        let broken = world.seen.pools.values().any(|pool| condition_status(&pool.object, "Degraded") == "True");
        let telling = (version.to_owned(), target.to_owned(), problem.map(str::to_owned), overdue, broken);
        if self.told.as_ref() == Some(&telling) && !world.seen.pools.has_news() {
            return;
        }
        self.told = Some(telling);
        let mut extension = json!({});
        for pool in world.seen.pools.values() {
            extension[name(&pool.object)] = json!(summary(&pool.object));
        }
        if let Some(problem) = problem {
            extension["lastSyncError"] = json!(problem);
        }
        let operator = find("machine-config");
        world.store.update(Res::CLUSTER_OPERATORS, None, "machine-config", |object| {
            object["status"]["extension"] = extension;
            if let Some(operator) = operator {
                object["status"]["versions"] = versions(operator, version);
            }
            let mut set = |kind: &str, yes: bool, reason: &str, message: &str| {
                set_condition(object, &Condition::new(kind, status(yes), reason, message), world.now);
            };
            let text = if updating {
                format!("Working towards {target}")
            } else {
                format!(
                    "Cluster version is \
                                              {version}"
                )
            };
            set("Progressing", updating, "", &text);
            let text = format!("Cluster has deployed [{{operator {version}}}]");
            set("Available", true, "AsExpected", &text);
            match problem.filter(|_| overdue) {
                Some(problem) => {
                    let head = if updating {
                        format!("Unable to apply {target}:")
                    } else {
                        format!(
                            "Failed to \
                                                      resync {version} because:"
                        )
                    };
                    let text = format!(
                        "{head} error during syncRequiredMachineConfigPools: [context deadline \
                                        exceeded, {problem}]"
                    );
                    set("Degraded", true, "RequiredPoolsFailed", &text);
                }
                None => set("Degraded", false, "", ""),
            }
            if broken {
                let text = "One or more machine config pools are degraded, please see `oc get mcp` for further \
                            details and resolve before upgrading";
                set("Upgradeable", false, "DegradedPool", text);
            } else {
                set("Upgradeable", true, "AsExpected", "");
            }
        });
    }
}

/// Certificates of registries reach nodes by the controller configuration, and not by a MachineConfig: the daemon writes
/// them without a drain, on nodes of paused pools too.
fn hand_out_certificates(world: &World) {
    const CONFIG: &str = "machine-config-controller";
    let wanted = trust::registry_bundles(&world.store);
    let Some(config) = world.store.get(Res::CONTROLLER_CONFIGS, None, CONFIG) else { return };
    let none = json!([]);
    if config["spec"].get("imageRegistryBundleUserData").unwrap_or(&none) != &wanted {
        world.store.update(Res::CONTROLLER_CONFIGS, None, CONFIG, |config| {
            config["spec"]["imageRegistryBundleUserData"] = wanted;
        });
    }
}

fn write_config(world: &World, config: &Value) {
    let there = world.store.update(Res::MACHINE_CONFIGS, None, name(config), |object| {
        object["spec"] = config["spec"].clone();
        object["metadata"]["annotations"][CONTROLLER_VERSION] =
            config["metadata"]["annotations"][CONTROLLER_VERSION].clone();
    });
    if !there && world.store.get(Res::MACHINE_CONFIGS, None, name(config)).is_none() {
        world.store.create(Res::MACHINE_CONFIGS, config.clone(), world.now);
    }
}

/// Whether the cluster went from payloads for one architecture to those for all.
fn migrated(world: &World) -> bool {
    let cluster = world.store.get(Res::CLUSTER_VERSIONS, None, "version");
    cluster.is_some_and(|cluster| is_multi(&cluster)) && world.scenario.cluster.payload != Payload::Multi
}

/// Renders a pool's config; a pool that is paused gets its target all the same.
fn render_pool(world: &mut World, pool: &Value, version: &str) {
    let sources = sources(&world.store, pool);
    if sources.is_empty() || world.mishaps.is_on(MishapKind::RenderDegraded, name(pool)) {
        return;
    }
    let rendered = render(pool, &sources, version);
    let rendered_name = name(&rendered).to_owned();
    let target = configuration(&rendered_name, &sources);
    let is_there = world.store.get(Res::MACHINE_CONFIGS, None, &rendered_name).is_some();
    if pool["spec"]["configuration"] == target && is_there {
        return;
    }
    if !is_there {
        world.store.create(Res::MACHINE_CONFIGS, rendered, world.now);
    }
    world.store.update(Res::MACHINE_CONFIG_POOLS, None, name(pool), |object| {
        object["spec"]["configuration"] = target;
    });
    let message = format!(
        "{rendered_name} successfully generated (release version: {version}, controller version: {})",
        release::controller_hash(version)
    );
    world.event(&Event {
        namespace: "default",
        involved: involved(pool),
        kind: EventType::Normal,
        reason: "RenderedConfigGenerated",
        message: &message,
        component: "machineconfigcontroller-rendercontroller",
        host: "",
    });
}

fn required(world: &World) -> Vec<Arc<Value>> {
    world.store.list(Res::MACHINE_CONFIG_POOLS).into_iter().filter(|pool| label(pool, REQUIRED).is_some()).collect()
}

/// A pool whose image cannot be built is degraded and does not hold the operator up (OCPBUGS-73800).
fn any_degraded(world: &World) -> Option<String> {
    let holds = |pool: &Value| {
        ["NodeDegraded", "RenderDegraded"].into_iter().any(|kind| condition_status(pool, kind) == "True")
    };
    let pool = world
        .seen
        .pools
        .values()
        .find(|pool| condition_status(&pool.object, "Degraded") == "True" && holds(&pool.object))?;
    let report = report(&pool.object);
    Some(format!("error MachineConfigPool {} is not ready, retrying. Status: {}", report.name, report.text))
}

/// What keeps the operator from being done; `None` when the required pools are at the release.
fn required_pools(world: &World, target: &str) -> Option<String> {
    if let Some(problem) = any_degraded(world) {
        return Some(problem);
    }
    for pool in required(world) {
        let pool_name = name(&pool);
        let spec = text(&pool, "/spec/configuration/name");
        let release_of = |config: &str| {
            world
                .store
                .get(Res::MACHINE_CONFIGS, None, config)
                .map(|config| annotation(&config, RELEASE_VERSION).to_owned())
                .unwrap_or_default()
        };
        let has = release_of(spec);
        if has != target {
            return Some(format!(
                "MachineConfigPool {pool_name} has not progressed to latest configuration: release image version \
                 mismatch for {spec} in {spec} expected: {target} got: {has}"
            ));
        }
        let report = report(&pool);
        if report.done {
            continue;
        }
        if flag(&pool, "/spec/paused") {
            return Some(format!(
                "required MachineConfigPool {pool_name} is paused and cannot sync until it is unpaused"
            ));
        }
        return Some(format!(
            "error required MachineConfigPool {pool_name} is not ready, retrying. Status: {}",
            report.text
        ));
    }
    None
}

/// One pool in `status.extension`.
fn summary(pool: &Value) -> String {
    let count = |field: &str| number(pool, &format!("/status/{field}"));
    let target = text(pool, "/spec/configuration/name");
    let (total, updated, ready) = (count("machineCount"), count("updatedMachineCount"), count("readyMachineCount"));
    if count("degradedMachineCount") > 0 {
        let message =
            crate::sim::cluster::object::condition(pool, "NodeDegraded").map_or("", |it| text(it, "/message"));
        format!(
            "pool is degraded because nodes fail with \"{} nodes are reporting degraded status on sync\": \
             {message:?}",
            count("degradedMachineCount")
        )
    } else if report(pool).done {
        format!("all {total} nodes are at latest configuration {target}")
    } else {
        format!("{updated} (ready {ready}) out of {total} nodes are updating to latest configuration {target}")
    }
}

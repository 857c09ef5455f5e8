//! The machine API: MachineHealthChecks that delete the Machines of nodes that stay unhealthy, and the Machines that
//! come in their place.
//!
//! Rules: openshift/machine-api-operator, pkg/controller/machinehealthcheck (a reboot is no excuse; the annotation
//! `cluster.x-k8s.io/paused` is; `maxUnhealthy` short-circuits).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, Event, EventType, World, involved};
use crate::sim::cluster::machine_api::NAMESPACE;
use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{
    Condition, annotation, hex, items, name, remove, selects, set_condition, status, text,
};
use crate::sim::cluster::pools::RELEASE_VERSION;
use crate::sim::cluster::{infrastructure_name, release};
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// The annotation that pauses a check.
const PAUSED: &str = "cluster.x-k8s.io/paused";
/// How often the checks look.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long a machine takes to be drained and deleted.
const DELETE: Duration = Duration::from_secs(90);
/// How long a new machine takes to become a node.
const PROVISION: Duration = Duration::from_secs(260);

/// A machine on its way.
#[derive(Debug, Clone)]
enum Fate {
    /// It is deleted at that time.
    Deleting(Duration),
    /// Its node joins at that time; the node that it replaces.
    Provisioning(Duration, Box<Value>),
}

/// The machine API's controllers.
#[derive(Debug, Default)]
pub struct MachineHealth {
    due: Duration,
    unhealthy: BTreeMap<String, Duration>,
    fates: BTreeMap<String, Fate>,
}

impl Actor for MachineHealth {
    fn step(&mut self, world: &mut World) {
        self.machines(world);
        if world.elapsed < self.due {
            return;
        }
        self.due = world.elapsed + INTERVAL;
        for check in world.store.list(Res::MACHINE_HEALTH_CHECKS) {
            self.check(world, &check);
        }
    }
}

fn timeout(check: &Value) -> Duration {
    let text = items(check, "/spec/unhealthyConditions").first().map_or("", |condition| text(condition, "/timeout"));
    crate::sim::scenario::Span::parse(text).map_or(Duration::from_secs(300), |span| span.0)
}

impl MachineHealth {
    fn check(&mut self, world: &mut World, check: &Value) {
        let selector = &check["spec"]["selector"];
        let machines: Vec<_> = world
            .store
            .list(Res::MACHINES)
            .into_iter()
            .filter(|machine| selects(selector, &machine["metadata"]["labels"]))
            .collect();
        let mut healthy = 0;
        let mut due = Vec::new();
        for machine in &machines {
            let node = text(machine, "/status/nodeRef/name");
            let ready = world.seen.node(node).is_some_and(|node| node.view.ready);
            if ready || node.is_empty() {
                healthy += i64::from(ready);
                self.unhealthy.remove(name(machine));
                continue;
            }
            let since = *self.unhealthy.entry(name(machine).to_owned()).or_insert(world.elapsed);
            if world.elapsed >= since + timeout(check) && !self.fates.contains_key(name(machine)) {
                due.push(name(machine).to_owned());
            }
        }
        let expected = machines.len() as i64;
        let allowed = max_unhealthy(check, expected) - (expected - healthy);
        let short = allowed < 0;
        world.store.update(Res::MACHINE_HEALTH_CHECKS, Some(NAMESPACE), name(check), |check| {
            check["status"]["expectedMachines"] = json!(expected);
            check["status"]["currentHealthy"] = json!(healthy);
            check["status"]["remediationsAllowed"] = json!(allowed.max(0));
            let (reason, message) = if short {
                (
                    "TooManyUnhealthy",
                    "Remediation is not allowed, the number of not started or unhealthy machines \
                  exceeds maxUnhealthy",
                )
            } else {
                ("", "")
            };
            set_condition(check, &Condition::new("RemediationAllowed", status(!short), reason, message), world.now);
        });
        if short || !check["metadata"]["annotations"][PAUSED].is_null() {
            return;
        }
        for machine in due {
            self.remediate(world, check, &machine);
        }
    }

    fn remediate(&mut self, world: &mut World, check: &Value, machine: &str) {
        let Some(object) = world.store.get(Res::MACHINES, Some(NAMESPACE), machine) else { return };
        let node = text(&object, "/status/nodeRef/name").to_owned();
        let message = format!(
            "Machine {NAMESPACE}/{}/{machine}/{node} has been remediated by requesting to delete Machine object",
            name(check)
        );
        world.event(&Event {
            namespace: NAMESPACE,
            involved: involved(&object),
            kind: EventType::Normal,
            reason: "MachineDeleted",
            message: &message,
            component: "machinehealthcheck-controller",
            host: "",
        });
        world.store.update(Res::MACHINES, Some(NAMESPACE), machine, |object| {
            object["metadata"]["deletionTimestamp"] = json!(timestamp(world.now));
            object["status"]["phase"] = json!("Deleting");
        });
        self.fates.insert(machine.to_owned(), Fate::Deleting(world.elapsed + DELETE));
    }

    fn machines(&mut self, world: &mut World) {
        if self.fates.is_empty() {
            return;
        }
        for (machine, fate) in self.fates.clone() {
            match fate {
                Fate::Deleting(at) if world.elapsed >= at => {
                    self.fates.remove(&machine);
                    self.unhealthy.remove(&machine);
                    self.replace(world, &machine);
                }
                Fate::Provisioning(at, old) if world.elapsed >= at => {
                    self.fates.remove(&machine);
                    join(world, &machine, &old);
                }
                Fate::Deleting(_) | Fate::Provisioning(..) => {}
            }
        }
    }

    /// The machine and its node are gone, with the pods that were on it; the MachineSet makes another machine.
    fn replace(&mut self, world: &mut World, machine: &str) {
        let Some(object) = world.store.get(Res::MACHINES, Some(NAMESPACE), machine) else { return };
        let node = text(&object, "/status/nodeRef/name").to_owned();
        let old = world.store.get(Res::NODES, None, &node).map(|node| (*node).clone()).unwrap_or_default();
        world.store.update(Res::MACHINES, Some(NAMESPACE), machine, |machine| {
            remove(machine, "/metadata", "finalizers");
        });
        world.store.delete(Res::MACHINES, Some(NAMESPACE), machine);
        let pods: Vec<_> = world.seen.pods_on(&node).map(|(key, _)| key.clone()).collect();
        for (namespace, pod) in pods {
            world.store.delete(Res::PODS, Some(&namespace), &pod);
        }
        world.store.delete(Res::NODES, None, &node);
        world.store.delete(Res::LEASES, Some("kube-node-lease"), &node);
        world.machines.remove(&node);
        let base = machine.rsplit_once('-').map_or(machine, |(base, _)| base);
        let next = format!("{base}-{}", &hex(&format!("{machine} replaced"), 5));
        let mut metadata = object["metadata"].clone();
        for field in
            ["name", "uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation", "managedFields"]
        {
            if let Some(fields) = metadata.as_object_mut() {
                fields.remove(field);
            }
        }
        metadata["name"] = json!(next);
        let born = json!({"metadata": metadata, "spec": object["spec"], "status": {"phase": "Provisioning"}});
        world.store.create(Res::MACHINES, born, world.now);
        let wait = PROVISION + world.between(&format!("provision {next}"), (0, 120));
        self.fates.insert(next, Fate::Provisioning(world.elapsed + wait, Box::new(old)));
    }
}

fn max_unhealthy(check: &Value, expected: i64) -> i64 {
    match &check["spec"]["maxUnhealthy"] {
        Value::Number(count) => count.as_i64().unwrap_or(expected),
        // Percentages are rounded down.
        Value::String(text) => {
            text.trim_end_matches('%').parse::<i64>().map_or(expected, |percent| expected * percent / 100)
        }
        _ => expected,
    }
}

/// A new machine becomes a node. It boots with what the machine config server hands out: the config that all nodes of
/// its pool have reached.
fn join(world: &mut World, machine: &str, old: &Value) {
    // The machine is called INFRASTRUCTURE-POOL-TAIL, the node POOL-TAIL.
    let infrastructure = format!("{}-", infrastructure_name(&world.scenario));
    let node = machine.strip_prefix(&infrastructure).unwrap_or(machine).to_owned();
    let roles: Vec<String> = old["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/").map(str::to_owned))
        .collect();
    let pool = roles.iter().find(|role| *role != "worker").map_or("worker", String::as_str).to_owned();
    let config = world
        .store
        .get(Res::MACHINE_CONFIG_POOLS, None, &pool)
        .map(|pool| text(&pool, "/status/configuration/name").to_owned())
        .unwrap_or_default();
    let release = world
        .store
        .get(Res::MACHINE_CONFIGS, None, &config)
        .map(|config| annotation(&config, RELEASE_VERSION).to_owned())
        .unwrap_or_default();
    let mut born = old.clone();
    if let Some(metadata) = born["metadata"].as_object_mut() {
        metadata.retain(|field, _| matches!(field.as_str(), "labels" | "annotations"));
    }
    born["metadata"]["name"] = json!(node);
    born["metadata"]["labels"]["kubernetes.io/hostname"] = json!(node);
    let notes = &mut born["metadata"]["annotations"];
    for key in ["currentConfig", "desiredConfig"] {
        notes[format!("{MCO}/{key}")] = json!(config);
    }
    for key in ["desiredDrain", "lastAppliedDrain"] {
        notes[format!("{MCO}/{key}")] = json!(format!("uncordon-{config}"));
    }
    notes[format!("{MCO}/state")] = json!("Done");
    notes[format!("{MCO}/reason")] = json!("");
    notes["machine.openshift.io/machine"] = json!(format!("{NAMESPACE}/{machine}"));
    if let Some(spec) = born["spec"].as_object_mut() {
        spec.retain(|field, _| field == "providerID");
    }
    if !release.is_empty() {
        let system = release::system(&release);
        born["status"]["nodeInfo"]["kubeletVersion"] = json!(system.kubelet);
        born["status"]["nodeInfo"]["osImage"] = json!(system.os_image);
        born["status"]["nodeInfo"]["kernelVersion"] = json!(system.kernel);
        born["status"]["nodeInfo"]["containerRuntimeVersion"] = json!(system.runtime);
    }
    for kind in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
        set_condition(&mut born, &Condition::new(kind, "False", "KubeletHasSufficientResources", ""), world.now);
    }
    let ready = Condition::new("Ready", "True", "KubeletReady", "kubelet is posting ready status");
    set_condition(&mut born, &ready, world.now);
    world.store.create(Res::NODES, born, world.now);
    world.store.update(Res::MACHINES, Some(NAMESPACE), machine, |object| {
        object["status"]["phase"] = json!("Running");
        object["status"]["nodeRef"] = json!({"kind": "Node", "name": node});
    });
}

//! The controllers of the machine config controller that turn what people ask of kubelets, of the container runtime and
//! of registries into MachineConfigs.
//!
//! Rules: machine-config-operator, pkg/controller/kubelet-config and pkg/controller/container-runtime-config: one
//! MachineConfig for each object and pool that its selector matches, kept alive by a finalizer; one for each role with
//! all mirrors.

use serde_json::{Value, json};

use super::node_controller::NAMESPACE;
use super::world::{Actor, World};
use crate::sim::cluster::object::{annotate, annotation, hex, items, name, number, owner, selects, text};
use crate::sim::cluster::pools::{ROLE, registries, registries_name};
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// The annotation that keeps the number of an object's MachineConfig: the first one has none.
const SUFFIX: &str = "machineconfiguration.openshift.io/mc-name-suffix";

/// A kind from which MachineConfigs are made.
struct Source {
    res: Res,
    kind: &'static str,
    /// The middle of the MachineConfig's name.
    middle: &'static str,
    /// The file that it writes.
    path: &'static str,
}

const SOURCES: [Source; 2] = [
    Source {
        res: Res::KUBELET_CONFIGS,
        kind: "KubeletConfig",
        middle: "generated-kubelet",
        path: "/etc/kubernetes/kubelet.conf",
    },
    Source {
        res: Res::CONTAINER_RUNTIME_CONFIGS,
        kind: "ContainerRuntimeConfig",
        middle: "generated-containerruntime",
        path: "/etc/crio/crio.conf.d/01-ctrcfg-runtime",
    },
];

/// The controllers.
#[derive(Debug, Default)]
pub struct GeneratedConfigs {
    mirrors: Option<Value>,
}

impl Actor for GeneratedConfigs {
    fn step(&mut self, world: &mut World) {
        if world.seen.leader(NAMESPACE, "machine-config-controller").is_none() {
            return;
        }
        self.mirrors(world);
        for source in &SOURCES {
            for object in world.store.list(source.res) {
                if text(&object, "/metadata/deletionTimestamp").is_empty() {
                    generate(world, source, &object);
                } else {
                    withdraw(world, source, &object);
                }
            }
        }
    }
}

impl GeneratedConfigs {
    /// All mirror sets together make one file, the same for all roles.
    fn mirrors(&mut self, world: &World) {
        let wanted = registries(&world.store);
        if self.mirrors.as_ref() == Some(&wanted) {
            return;
        }
        for role in world.scenario.roles() {
            let config = registries_name(role);
            let differs =
                world.store.get(Res::MACHINE_CONFIGS, None, &config).is_some_and(|object| object["spec"] != wanted);
            if differs {
                world.store.update(Res::MACHINE_CONFIGS, None, &config, |object| object["spec"] = wanted.clone());
            }
        }
        self.mirrors = Some(wanted);
    }
}

/// The names of the pools that an object selects by their labels.
fn pools_of(world: &World, object: &Value) -> Vec<String> {
    let selector = &object["spec"]["machineConfigPoolSelector"];
    let pools = world.seen.pools.values().filter(|pool| selects(selector, &pool.object["metadata"]["labels"]));
    pools.map(|pool| name(&pool.object).to_owned()).collect()
}

fn generate(world: &World, source: &Source, object: &Value) {
    let pools = pools_of(world, object);
    let seen = number(object, "/status/observedGeneration") == number(object, "/metadata/generation");
    let missing = |pool: &String| {
        world.store.get(Res::MACHINE_CONFIGS, None, &config_name(source, pool, annotation(object, SUFFIX))).is_none()
    };
    if seen && !pools.iter().any(missing) {
        return;
    }
    if pools.is_empty() {
        return tell(world, source, object, Err("could not find any MachineConfigPool set for"));
    }
    let suffix = suffix(world, source, object, &pools);
    for pool in &pools {
        let config = config_name(source, pool, &suffix);
        let content = format!("data:,{}", hex(&object["spec"].to_string(), 32));
        let spec = json!({
            "config": {
                "ignition": {"version": "3.4.0"},
                "storage": {"files": [
                    {"path": source.path, "mode": 420, "overwrite": true, "contents": {"source": content}},
                ]},
            },
        });
        let there = world.store.update(Res::MACHINE_CONFIGS, None, &config, |it| it["spec"] = spec.clone());
        if !there && world.store.get(Res::MACHINE_CONFIGS, None, &config).is_none() {
            let api_version = "machineconfiguration.openshift.io/v1";
            let owners = owner(api_version, source.kind, name(object), text(object, "/metadata/uid"));
            let metadata = json!({"name": config, "labels": {ROLE: pool}, "ownerReferences": owners});
            world.store.create(Res::MACHINE_CONFIGS, json!({"metadata": metadata, "spec": spec}), world.now);
        }
    }
    let finalizers: Vec<String> = pools.iter().map(|pool| config_name(source, pool, &suffix)).collect();
    world.store.update(source.res, None, name(object), |it| {
        it["metadata"]["finalizers"] = json!(finalizers);
        annotate(it, SUFFIX, &suffix);
    });
    tell(world, source, object, Ok(()));
}

fn config_name(source: &Source, pool: &str, suffix: &str) -> String {
    let tail = if suffix.is_empty() { String::new() } else { format!("-{suffix}") };
    format!("99-{pool}-{}{tail}", source.middle)
}

/// The number of an object: the one that it has, else the first that nobody of its kind has in one of its pools.
fn suffix(world: &World, source: &Source, object: &Value, pools: &[String]) -> String {
    if object["metadata"]["annotations"][SUFFIX].is_string() {
        return annotation(object, SUFFIX).to_owned();
    }
    let free = |suffix: &String| {
        let taken =
            |pool: &String| world.store.get(Res::MACHINE_CONFIGS, None, &config_name(source, pool, suffix)).is_some();
        !pools.iter().any(taken)
    };
    (0..1_000_u32).map(|at| if at == 0 { String::new() } else { at.to_string() }).find(free).unwrap_or_default()
}

fn tell(world: &World, source: &Source, object: &Value, outcome: Result<(), &str>) {
    let condition = match outcome {
        Ok(()) => json!({"message": "Success", "status": "True", "type": "Success"}),
        Err(why) => {
            json!({"message": format!("Error: {why} {}", source.kind), "status": "False", "type": "Failure"})
        }
    };
    world.store.update(source.res, None, name(object), |it| {
        let mut condition = condition;
        condition["lastTransitionTime"] = json!(timestamp(world.now));
        it["status"] = json!({"conditions": [condition], "observedGeneration": it["metadata"]["generation"]});
    });
}

/// The object goes when its MachineConfigs are gone.
fn withdraw(world: &World, source: &Source, object: &Value) {
    for finalizer in items(object, "/metadata/finalizers") {
        if let Some(config) = finalizer.as_str() {
            world.store.delete(Res::MACHINE_CONFIGS, None, config);
        }
    }
    world.store.delete(source.res, None, name(object));
}

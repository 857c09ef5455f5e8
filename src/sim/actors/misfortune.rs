//! What goes wrong: mishaps that somebody or something brings about from outside, and the end of all of them.
//!
//! Belongs here: deeds (a cordon, a pause, a bad request), broken objects (a budget, a full disk), and the times of all
//! mishaps. Does not: mishaps that strike while a controller works: that controller asks for them ([`World::strikes`]).
//! The kinds say in [`MishapKind`] when they begin.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::certificates;
use super::cluster_operators::crash;
use super::lifecycle_manager;
use super::seen::Key;
use super::version_operator;
use super::world::{Actor, Power, Speaker, World};
use crate::sim::cluster::object::{
    Condition, condition_status, flag, items, name, remove, set_condition, status, text,
};
use crate::sim::cluster::platform::guard_name;
use crate::sim::cluster::workloads::{budget, run};
use crate::sim::cluster::{mirrors, release};
use crate::sim::kinds::Res;
use crate::sim::mishaps::Case;
use crate::sim::scenario::{Mishap, MishapKind};

/// The finalizer of a pod that is held.
pub const FINALIZER: &str = "example.com/hold";
/// The pause between two restarts of a crash-looping container.
const CRASH_PAUSE: Duration = Duration::from_secs(60);
/// The version that nobody offers.
const NO_SUCH_VERSION: &str = "4.99.0";

/// The bringer.
#[derive(Debug, Default)]
pub struct Misfortune {
    crashes: BTreeMap<u64, Duration>,
}

impl Actor for Misfortune {
    fn step(&mut self, world: &mut World) {
        if world.mishaps.is_empty() {
            return;
        }
        let mishaps = world.mishaps.clone();
        mishaps.arm(world.elapsed);
        for case in mishaps.due(world.elapsed) {
            if case.is_on() {
                end(world, &case.mishap);
            }
            self.crashes.remove(&case.id);
            mishaps.finish(case.id, world.now);
        }
        for case in mishaps.armed(world.elapsed) {
            if case.began.is_none() {
                if begin(world, &case.mishap) {
                    mishaps.begin(case.id, world.now, world.elapsed);
                }
            } else if is_undone(world, &case.mishap) {
                mishaps.finish(case.id, world.now);
            } else {
                self.keep_up(world, &case);
            }
        }
    }
}

/// Brings a deed about. False when its kind waits for an occasion, which a controller will tell, or when what it is to
/// happen to is not there yet.
fn begin(world: &mut World, mishap: &Mishap) -> bool {
    let object = mishap.object.as_str();
    match mishap.kind {
        MishapKind::InvalidRequest => ask_for(world, &mishap.reason.clone().unwrap_or(NO_SUCH_VERSION.to_owned()), ""),
        MishapKind::Retarget => ask_for(world, object, &release::image(object)),
        MishapKind::VersionOperatorDown => {
            let pod = world.seen.leading_pod(version_operator::NAMESPACE, "cluster-version-operator");
            pod.is_some_and(|pod| crash_pod(world, version_operator::NAMESPACE, &pod, "cannot load the payload"))
        }
        MishapKind::GateOpen => {
            let message = mishap.message.clone().unwrap_or_else(|| {
                "An API that this cluster serves is removed by the next minor release. Migrate its clients first."
                    .to_owned()
            });
            world.store.update(Res::CONFIGMAPS, Some("openshift-config-managed"), "admin-gates", |map| {
                map["data"][object] = json!(message);
            })
        }
        MishapKind::PoolPaused => set_paused(world, object, true),
        MishapKind::RenderDegraded => render_degraded(world, object, mishap),
        MishapKind::NodeCordoned => {
            world.store.update(Res::NODES, None, object, |node| node["spec"]["unschedulable"] = json!(true))
        }
        MishapKind::NodeDown => node_down(world, object),
        MishapKind::DiskPressure => disk_pressure(world, object, true),
        MishapKind::PinnedImagesFailing => pinned_images(world, object, true),
        MishapKind::EtcdMemberUnhealthy => etcd_guard(world, object, false),
        MishapKind::PodStuck => hold_pod(world, object),
        MishapKind::SecondBudget => add_budget(world, object, "second", ("maxUnavailable", json!(1))),
        MishapKind::BudgetZero => add_budget(world, object, "frozen", ("maxUnavailable", json!(0))),
        MishapKind::PackageServerStuck => lifecycle_manager::hold_package_server(world),
        _ => false,
    }
}

/// Takes away the cause of a mishap whose time is over.
fn end(world: &mut World, mishap: &Mishap) {
    let object = mishap.object.as_str();
    match mishap.kind {
        MishapKind::InvalidRequest => {
            ask_for_nothing(world);
        }
        MishapKind::SignatureMissing => {
            world.store.create(Res::CONFIGMAPS, mirrors::signature(object), world.now);
        }
        MishapKind::VersionOperatorDown => {
            for pod in crashing(world, version_operator::NAMESPACE) {
                world.store.update(Res::PODS, Some(version_operator::NAMESPACE), &pod, |pod| run(pod, world.now));
            }
        }
        MishapKind::GateOpen => {
            world.store.update(Res::CONFIGMAPS, Some("openshift-config-managed"), "admin-gates", |map| {
                remove(map, "/data", object);
            });
        }
        MishapKind::PoolPaused => {
            set_paused(world, object, false);
        }
        MishapKind::RenderDegraded => {
            world.store.update(Res::MACHINE_CONFIG_POOLS, None, object, |pool| {
                set_condition(pool, &Condition::new("RenderDegraded", "False", "", ""), world.now);
            });
        }
        MishapKind::NodeCordoned => {
            world.store.update(Res::NODES, None, object, |node| remove(node, "/spec", "unschedulable"));
        }
        MishapKind::NodeDown => {
            if let Some(Power::Away { until, .. }) = world.machines.get_mut(object) {
                *until = world.elapsed;
            }
        }
        MishapKind::DiskPressure => {
            disk_pressure(world, object, false);
        }
        MishapKind::PinnedImagesFailing => {
            pinned_images(world, object, false);
        }
        MishapKind::EtcdMemberUnhealthy => {
            etcd_guard(world, object, true);
        }
        MishapKind::PodStuck => release_pods(world, object),
        MishapKind::SecondBudget => drop_budget(world, object, "second"),
        MishapKind::BudgetZero => drop_budget(world, object, "frozen"),
        MishapKind::PackageServerStuck => lifecycle_manager::free_package_server(world),
        _ => {}
    }
}

/// Whether somebody has removed the cause.
fn is_undone(world: &World, mishap: &Mishap) -> bool {
    let object = mishap.object.as_str();
    let pool = || world.store.get(Res::MACHINE_CONFIG_POOLS, None, object);
    match mishap.kind {
        MishapKind::Retarget => true,
        MishapKind::InvalidRequest => world
            .store
            .get(Res::CLUSTER_VERSIONS, None, "version")
            .is_some_and(|cluster| condition_status(&cluster, "Invalid") != "True" && settled(&cluster)),
        MishapKind::SignatureMissing => mirrors::is_signed(&world.store, &release::image(object)),
        MishapKind::GateOpen => world
            .store
            .get(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks")
            .is_some_and(|acks| acks["data"][object] == "true"),
        MishapKind::PoolPaused => pool().is_none_or(|pool| !flag(&pool, "/spec/paused")),
        MishapKind::NodeCordoned => world.seen.node(object).is_none_or(|node| !node.view.unschedulable),
        MishapKind::CsrPending => !world.machines.contains_key(object) && !certificates::is_waiting(world, object),
        MishapKind::PodStuck => held_pods(world, object).is_empty(),
        MishapKind::SecondBudget => !has_budget(world, object, "second"),
        MishapKind::BudgetZero => !has_budget(world, object, "frozen"),
        MishapKind::PackageServerStuck => !lifecycle_manager::is_package_server_held(world),
        _ => false,
    }
}

/// The cluster version operator has seen the latest request.
fn settled(cluster: &Value) -> bool {
    cluster["status"]["observedGeneration"] == cluster["metadata"]["generation"]
}

impl Misfortune {
    /// What would heal by itself is kept broken.
    fn keep_up(&mut self, world: &mut World, case: &Case) {
        let object = case.mishap.object.as_str();
        match case.mishap.kind {
            MishapKind::VersionOperatorDown => {
                let due = self.crashes.entry(case.id).or_insert(world.elapsed + CRASH_PAUSE);
                if world.elapsed < *due {
                    return;
                }
                *due = world.elapsed + CRASH_PAUSE;
                for pod in crashing(world, version_operator::NAMESPACE) {
                    crash_pod(world, version_operator::NAMESPACE, &pod, "cannot load the payload");
                }
            }
            MishapKind::EtcdMemberUnhealthy => {
                etcd_guard(world, object, false);
            }
            MishapKind::DiskPressure => {
                disk_pressure(world, object, true);
            }
            _ => {}
        }
    }
}

fn ask_for(world: &World, version: &str, image: &str) -> bool {
    world.store.update(Res::CLUSTER_VERSIONS, None, "version", |cluster| {
        cluster["spec"]["desiredUpdate"] =
            json!({"architecture": "", "force": false, "image": image, "version": version});
    })
}

fn ask_for_nothing(world: &World) {
    world.store.update(Res::CLUSTER_VERSIONS, None, "version", |cluster| remove(cluster, "/spec", "desiredUpdate"));
}

fn set_paused(world: &World, pool: &str, paused: bool) -> bool {
    world.store.update(Res::MACHINE_CONFIG_POOLS, None, pool, |pool| pool["spec"]["paused"] = json!(paused));
    true
}

fn render_degraded(world: &World, pool: &str, mishap: &Mishap) -> bool {
    let message = mishap.message.clone().unwrap_or_else(|| {
        format!(
            "Failed to render configuration for pool {pool}: parsing Ignition config failed: invalid version. \
             Supported spec versions: 2.2, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5"
        )
    });
    let speaker = Speaker::Leader(super::node_controller::NAMESPACE, "machine-config-controller");
    world.log(speaker, 'E', "render_controller.go", &format!("Error syncing Generated MCFG: {message}"));
    world.store.update(Res::MACHINE_CONFIG_POOLS, None, pool, |pool| {
        set_condition(pool, &Condition::new("RenderDegraded", "True", "", &message), world.now);
    })
}

fn node_down(world: &mut World, node: &str) -> bool {
    if world.machines.contains_key(node) || world.seen.node(node).is_none() {
        // It reboots anyway: wait until it is up.
        return false;
    }
    let until = Duration::MAX;
    world.machines.insert(node.to_owned(), Power::Away { until, release: String::new() });
    true
}

fn disk_pressure(world: &World, node: &str, on: bool) -> bool {
    let (reason, message) = if on {
        ("KubeletHasDiskPressure", "kubelet has disk pressure")
    } else {
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure")
    };
    if !super::kubelet::is_up(world, node) {
        return false;
    }
    world.store.update(Res::NODES, None, node, |object| {
        set_condition(object, &Condition::new("DiskPressure", status(on), reason, message), world.now);
    });
    true
}

/// The set that a node cannot prefetch, in the words of its MachineConfigNode.
fn pinned_images(world: &World, node: &str, failing: bool) -> bool {
    let pool = world.seen.pool_of(node).unwrap_or_default().to_owned();
    let sets = world.store.list(Res::PINNED_IMAGE_SETS);
    let own = sets.iter().find(|set| {
        set["metadata"]["labels"]["machineconfiguration.openshift.io/role"].as_str().is_some_and(|role| role == pool)
    });
    let Some(set) = own.map(|set| name(set).to_owned()) else { return false };
    let error = "storage available is less than minimum required: required 17179869184 bytes, available 9663676416";
    let entry = if failing {
        json!({"name": set, "desiredGeneration": 1, "lastFailedGeneration": 1, "lastFailedGenerationError": error})
    } else {
        json!({"name": set, "desiredGeneration": 1, "currentGeneration": 1})
    };
    let condition = if failing {
        Condition::new("PinnedImageSetsDegraded", "True", "PrefetchFailed", error)
    } else {
        Condition::new("PinnedImageSetsDegraded", "False", "AsExpected", "All is good")
    };
    if failing {
        world.log(Speaker::Daemon(node), 'E', "pinned_image_set.go", &format!("Error syncing {set}: {error}"));
    }
    world.store.update(Res::MACHINE_CONFIG_NODES, None, node, |object| {
        object["status"]["pinnedImageSets"] = json!([entry]);
        set_condition(object, &condition, world.now);
        let (status, message) = if failing {
            ("True", "node is prefetching images")
        } else {
            ("False", "node is running with the latest pinned image sets")
        };
        let progressing = Condition::new(
            "PinnedImageSetsProgressing",
            status,
            if failing { "ImagePrefetch" } else { "AsExpected" },
            message,
        );
        set_condition(object, &progressing, world.now);
    })
}

/// The guard of a node's etcd member says what its probe finds.
fn etcd_guard(world: &World, node: &str, ready: bool) -> bool {
    let pod = format!("{}-{node}", guard_name("etcd"));
    if ready && world.seen.node(node).is_some_and(|node| !node.view.ready) {
        return true;
    }
    world.store.update(Res::PODS, Some("openshift-etcd"), &pod, |pod| {
        for kind in ["Ready", "ContainersReady"] {
            let reason = if ready { "" } else { "ContainersNotReady" };
            set_condition(pod, &Condition::new(kind, status(ready), reason, ""), world.now);
        }
    });
    true
}

fn crash_pod(world: &mut World, namespace: &str, pod: &str, why: &str) -> bool {
    world.log(Speaker::Pod(namespace, pod), 'F', "start.go", &format!("error: {why}"));
    world.store.update(Res::PODS, Some(namespace), pod, |pod| crash(pod, world.now))
}

fn crashing(world: &World, namespace: &str) -> Vec<String> {
    let waits = |pod: &Value| pod.pointer("/status/containerStatuses/0/state/waiting").is_some();
    let pods = world.seen.pods.in_namespace(namespace);
    pods.filter(|pod| waits(&pod.object)).map(|pod| name(&pod.object).to_owned()).collect()
}

/// Pods of a workload, by name: its own name and what its owners add.
fn pods_of(world: &World, workload: &str) -> Vec<Key> {
    let Some((namespace, app)) = workload.split_once('/') else { return Vec::new() };
    let of_app = |pod: &Value| pod["metadata"]["labels"]["app"] == app;
    let pods = world.seen.pods.iter().filter(|(key, pod)| key.0 == namespace && of_app(&pod.object));
    pods.map(|(key, _)| key.clone()).collect()
}

fn held_pods(world: &World, workload: &str) -> Vec<Key> {
    let held = |key: &Key| {
        let pod = world.store.get(Res::PODS, Some(&key.0), &key.1);
        pod.is_some_and(|pod| items(&pod, "/metadata/finalizers").iter().any(|it| it == FINALIZER))
    };
    pods_of(world, workload).into_iter().filter(held).collect()
}

/// One pod of the workload gets a finalizer; the same one keeps it.
fn hold_pod(world: &mut World, workload: &str) -> bool {
    if !held_pods(world, workload).is_empty() {
        return true;
    }
    let Some(key) = pods_of(world, workload).into_iter().next() else { return false };
    world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| pod["metadata"]["finalizers"] = json!([FINALIZER]))
}

fn release_pods(world: &World, workload: &str) {
    for key in held_pods(world, workload) {
        world.store.update(Res::PODS, Some(&key.0), &key.1, |pod| remove(pod, "/metadata", "finalizers"));
        // Its container stopped long ago.
        let gone = world.store.get(Res::PODS, Some(&key.0), &key.1);
        if gone.is_some_and(|pod| {
            !text(&pod, "/metadata/deletionTimestamp").is_empty() && condition_status(&pod, "Ready") == "False"
        }) {
            world.store.delete(Res::PODS, Some(&key.0), &key.1);
        }
    }
}

fn add_budget(world: &mut World, workload: &str, tail: &str, limit: (&str, Value)) -> bool {
    let Some((namespace, app)) = workload.split_once('/') else { return false };
    let object = budget(namespace, &format!("{app}-{tail}"), app, limit);
    world.store.create(Res::PDBS, object, world.now);
    true
}

fn has_budget(world: &World, workload: &str, tail: &str) -> bool {
    workload
        .split_once('/')
        .is_some_and(|(namespace, app)| world.store.get(Res::PDBS, Some(namespace), &format!("{app}-{tail}")).is_some())
}

fn drop_budget(world: &World, workload: &str, tail: &str) {
    if let Some((namespace, app)) = workload.split_once('/') {
        world.store.delete(Res::PDBS, Some(namespace), &format!("{app}-{tail}"));
    }
}

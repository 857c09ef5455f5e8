//! The situations of the steps, by name: simulated clusters, brought to where the step is taken.

use chrono::TimeDelta;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario};
use serde_json::{Value, json};

use super::files;
use super::shell::really;
use super::world::World;

const MCO: &str = "machineconfiguration.openshift.io";
const GATE: &str = "ack-4.18-kube-1.32-api-removals-in-4.19";
const SEED: &str = "registry.example.com:5000/seeds/edge:4.19.3";

fn load(name: &str) -> Scenario {
    Scenario::load(name).unwrap()
}

/// The scenario `minor`, whose gate is acknowledged.
fn acknowledged() -> Scenario {
    Scenario { acknowledged: vec![GATE.into()], ..load("minor") }
}

/// A mishap from the beginning.
fn with(mut scenario: Scenario, kind: MishapKind, object: &str) -> Scenario {
    scenario.faults.push(Mishap::now(kind, object));
    scenario
}

/// A world of a scenario in which what goes wrong has gone wrong.
async fn gone_wrong(scenario: Scenario) -> World {
    let mut world = World::of(&scenario).await;
    world.pass(3);
    world
}

/// A single node at rest.
fn single_node() -> Scenario {
    Scenario { start: None, ..load("sno") }
}

/// Two minors ahead, everything at rest, and what gates are settled.
fn before_two_minors(gates: &[&str]) -> Scenario {
    let mut scenario = load("canary");
    scenario.cluster.channel = "eus-4.18".into();
    scenario.acknowledged = gates.iter().map(|gate| (*gate).to_owned()).collect();
    scenario
}

const FIRST: &str = "ack-4.16-kube-1.30-api-removals-in-4.17";
const SECOND: &str = "ack-4.17-boot-images-in-4.18";

/// The control plane is at 4.17.30, the workers are held at 4.16.40.
async fn between_two_minors() -> World {
    let mut world = World::of(&before_two_minors(&[FIRST])).await;
    really(&mut world, "pause-pool --all").await;
    really(&mut world, "start-update 4.17.30").await;
    until_completed(&mut world, "4.17.30");
    world
}

/// Lets time pass until the control plane runs `version`.
fn until_completed(world: &mut World, version: &str) {
    for _ in 0..120 {
        let found = world.store.get(Res::CLUSTER_VERSIONS, None, "version").unwrap();
        let newest = &found["status"]["history"][0];
        if newest["version"] == version && newest["state"] == "Completed" {
            world.pass(1);
            return;
        }
        world.pass(2);
    }
    panic!("{version} is not completed");
}

async fn canary() -> World {
    let mut scenario = before_two_minors(&[FIRST]);
    scenario.cluster.channel = "stable-4.17".into();
    let mut world = World::of(&scenario).await;
    really(&mut world, "create-pool canary").await;
    really(&mut world, "move-nodes worker-7 --pool canary").await;
    world.pass(3);
    world
}

/// Health checks are paused by this program, and the update that they were paused for has ended.
async fn checks_paused() -> World {
    let mut world = World::of(&acknowledged()).await;
    really(&mut world, "pause-mhc").await;
    world.pass(5);
    just_updated(&world);
    world
}

/// The newest entry of the history ended a moment ago.
fn just_updated(world: &World) {
    let stamp =
        |minutes: i64| (world.now - TimeDelta::minutes(minutes)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    world.edit(Res::CLUSTER_VERSIONS, None, "version", |version| {
        version["status"]["history"][0]["startedTime"] = json!(stamp(90));
        version["status"]["history"][0]["completionTime"] = json!(stamp(1));
    });
}

/// A kubelet is not heard any more.
fn away(world: &World, node: &str) {
    let since = (world.now - TimeDelta::minutes(4)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    world.edit(Res::NODES, None, node, |node| {
        let conditions = node["status"]["conditions"].as_array_mut().unwrap();
        let ready = conditions.iter_mut().find(|condition| condition["type"] == "Ready").unwrap();
        ready["status"] = json!("Unknown");
        ready["lastTransitionTime"] = json!(since);
    });
}

fn update_service(world: &World, address: bool) {
    world.add(Res::NAMESPACES, files::namespace());
    world.add(Res::OPERATOR_GROUPS, files::group());
    world.add(Res::SUBSCRIPTIONS, files::subscription());
    let mut service = files::service();
    service["status"] = if address {
        json!({ "policyEngineURI": "https://updates.example.com" })
    } else {
        json!({ "conditions": [{ "type": "ReconcileCompleted", "status": "False", "reason": "CreateRouteFailed",
                                 "message": "the host name of the route is longer than 63 characters" }] })
    };
    world.add(Res::UPDATE_SERVICES, service);
}

/// The seed is asked for, and prepared.
async fn prepared() -> World {
    let mut world = World::of(&load("ibu")).await;
    really(
        &mut world,
        &format!(
            "ibu-prep --seed-image {SEED} --seed-version 4.19.3 --oadp-content openshift-adp/acm-klusterlet \
             --oadp-content openshift-adp/edge-apps"
        ),
    )
    .await;
    until_stage(&mut world, "PrepCompleted");
    world
}

fn until_stage(world: &mut World, condition: &str) {
    for _ in 0..200 {
        let found = world.store.get(Res::IMAGE_BASED_UPGRADES, None, "upgrade");
        let found = found.map(|found| (*found).clone()).unwrap_or_default();
        let conditions = found["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.iter().any(|found| found["type"] == condition && found["status"] == "True") {
            return;
        }
        world.pass(1);
    }
    panic!("{condition} does not come");
}

/// The prepared system is booted.
async fn upgraded() -> World {
    let mut world = prepared().await;
    really(&mut world, "ibu-upgrade").await;
    until_stage(&mut world, "UpgradeCompleted");
    world
}

/// An abort of Prep that could not clean up.
async fn abort_failed() -> World {
    let mut world = World::of(&load("ibu-abort-failed")).await;
    world.pass(4);
    really(&mut world, "ibu-idle").await;
    for _ in 0..60 {
        let found = world.store.get(Res::IMAGE_BASED_UPGRADES, None, "upgrade").unwrap();
        if found["status"]["conditions"].to_string().contains("AbortFailed") {
            return world;
        }
        world.pass(1);
    }
    panic!("the abort does not fail");
}

/// Somebody cordons, as `oc adm cordon` does.
fn cordon(world: &World, node: &str) {
    let at = world.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    world.edit(Res::NODES, None, node, |node| {
        node["spec"]["unschedulable"] = json!(true);
        node["spec"]["taints"] =
            json!([{ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": at }]);
    });
}

/// What a situation grows out of: the one before it in the same procedure, in which nobody is any more.
pub fn grown_from(name: &str) -> Option<&'static str> {
    match name {
        "between two minors, gate settled" => Some("between two minors"),
        "after two minors" => Some("between two minors, gate settled"),
        "a canary, the rest held" => Some("a canary"),
        "a canary that is well" => Some("a canary, the rest held"),
        "boot images switched off" => Some("boot images degraded"),
        "user data put right" => Some("boot images switched off"),
        "rolled back" => Some("upgraded"),
        _ => None,
    }
}

/// The world of a name that grows out of another one.
pub async fn grown(name: &str, mut world: World) -> World {
    match name {
        "between two minors, gate settled" => {
            really(&mut world, &format!("ack-gate {SECOND}")).await;
            world.pass(6);
        }
        "after two minors" => {
            really(&mut world, "start-update 4.18.22").await;
            until_completed(&mut world, "4.18.22");
        }
        "a canary, the rest held" => really(&mut world, "pause-pool worker").await,
        "a canary that is well" => {
            really(&mut world, "start-update 4.17.30").await;
            until_completed(&mut world, "4.17.30");
            // The canary itself takes a while longer.
            world.pass(15);
        }
        "boot images switched off" => really(&mut world, "apply-file boot-images-off.yaml").await,
        "user data put right" => really(&mut world, "apply-file user-data.yaml").await,
        "rolled back" => {
            really(&mut world, "ibu-rollback").await;
            until_stage(&mut world, "RollbackCompleted");
        }
        _ => panic!("{name:?} grows out of nothing"),
    }
    world
}

/// The world of a name.
pub async fn prepared_for(name: &str) -> World {
    match name {
        "at rest" => World::of(&load("minor")).await,
        "acknowledged" => World::of(&acknowledged()).await,
        "single node" => World::of(&single_node()).await,
        "before two minors" | "before a canary" => World::of(&before_two_minors(&[FIRST])).await,
        "before the channel" => World::of(&load("canary")).await,
        "a canary" => canary().await,
        "between two minors" => between_two_minors().await,
        "a newer release" => World::of(&Scenario { start: None, faults: Vec::new(), ..load("layered") }).await,
        "a pull that is refused" => {
            let scenario = Scenario { faults: Vec::new(), ..load("drift") };
            let mut world = World::of(&with(scenario, MishapKind::ImagePullFailing, "worker-0")).await;
            world.pass(8);
            world
        }
        "an operator degraded" => {
            let mut world = World::of(&load("degraded-operator")).await;
            world.pass(12);
            world
        }
        "checks paused from here" => checks_paused().await,
        "a seed to prepare" => World::of(&load("ibu")).await,
        "prepared" => prepared().await,
        "upgraded" => upgraded().await,
        "abort failed" => abort_failed().await,
        "under way" => World::of(&load("tour")).await,
        "a gate bars" => World::of(&load("gate")).await,
        "a stuck drain" => World::of(&load("stuck-drain")).await,
        "disconnected" => World::of(&Scenario { start: None, faults: Vec::new(), ..load("disconnected") }).await,
        "no signature" => World::of(&load("disconnected")).await,
        "manual credentials" => World::of(&load("credentials-manual")).await,
        "drifted" => gone_wrong(load("drift")).await,
        "a build that failed" => gone_wrong(load("layered")).await,
        "images not pinned" => {
            let mut world = World::of(&load("layered")).await;
            world.pass(8);
            world
        }
        other => match Box::pin(at_rest_but(other)).await {
            Some(world) => world,
            None => under_way_but(other).await.unwrap_or_else(|| panic!("no preparation is called {other:?}")),
        },
    }
}

/// Nothing rolls; one thing is not as it should be.
#[expect(clippy::too_many_lines, reason = "a list of situations")]
async fn at_rest_but(name: &str) -> Option<World> {
    let mut scenario = acknowledged();
    match name {
        "a backup of today" => {
            let world = World::of(&scenario).await;
            let message = "backup pod etcd-backup-1 completed";
            world.condition(Res::CLUSTER_OPERATORS, "etcd", "RecentBackup", "True", "UpgradeBackupSuccessful", message);
            return Some(world);
        }
        "a cordoned node" => {
            scenario.nodes.entry("worker-3".into()).or_default().cordoned = true;
        }
        "a paused pool" => scenario.pools.get_mut("infra").unwrap().paused = true,
        "overrides" => {
            let world = World::of(&scenario).await;
            world.edit(Res::CLUSTER_VERSIONS, None, "version", |version| {
                version["spec"]["overrides"] = json!([{ "group": "apps", "kind": "Deployment", "name": "console",
                    "namespace": "openshift-console", "unmanaged": true }]);
            });
            let (kind, why) = ("UnsupportedConfigOverrides_UnsupportedConfigOverridesSet", "setting: [cipherSuites]");
            world.condition(Res::CLUSTER_OPERATORS, "kube-apiserver", "Upgradeable", "False", kind, why);
            return Some(world);
        }
        "operators of OLM" => scenario.cluster.packages = load("gate").cluster.packages,
        "a tight budget" => {
            let cart = scenario.workloads.iter_mut().find(|workload| workload.name == "cart").unwrap();
            cart.replicas = 1;
        }
        "checks paused from here, a node away" => {
            let world = checks_paused().await;
            away(&world, "worker-2");
            return Some(world);
        }
        "risks for good" => {
            scenario.cluster.version = "4.22.1".into();
            scenario.cluster.channel = "stable-4.22".into();
            scenario.cluster.history[0].version = "4.22.1".into();
            scenario.releases.retain(|release| !release.risks.is_empty());
            for release in &mut scenario.releases {
                release.version = "4.22.4".into();
                release.channels = vec!["stable-4.22".into()];
            }
            let world = World::of(&scenario).await;
            world.add(
                Res::FEATURE_GATES,
                json!({ "metadata": { "name": "cluster" }, "spec": { "featureSet": "TechPreviewNoUpgrade" } }),
            );
            return Some(world);
        }
        "just updated" => {
            scenario.cluster.channel = "stable-4.18".into();
            let mut world = World::of(&scenario).await;
            just_updated(&world);
            world.remember().await;
            return Some(world);
        }
        "an empty canary" => {
            let mut world = World::of(&before_two_minors(&[FIRST])).await;
            really(&mut world, "create-pool canary").await;
            world.pass(2);
            return Some(world);
        }
        "pools held" | "pools held, gate settled" => {
            let gates: &[&str] = if name == "pools held" { &[] } else { &[FIRST] };
            let mut world = World::of(&before_two_minors(gates)).await;
            really(&mut world, "pause-pool --all").await;
            return Some(world);
        }
        "certificates of a paused pool" | "certificates that expire" => {
            let days = if name == "certificates that expire" { 20 } else { 5 };
            scenario.pools.get_mut("infra").unwrap().paused = true;
            let world = World::of(&scenario).await;
            let at = (world.now + TimeDelta::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            world.edit(Res::MACHINE_CONFIG_POOLS, None, "infra", |pool| {
                pool["status"]["certExpirys"] = json!([{ "bundle": "KubeAPIServerServingCAData",
                    "subject": "CN=kube-apiserver-to-kubelet-signer", "expiry": at }]);
            });
            return Some(world);
        }
        "namespace of the update service" => {
            let world = World::of(&Scenario { start: None, faults: Vec::new(), ..load("disconnected") }).await;
            world.add(Res::NAMESPACES, files::namespace());
            return Some(world);
        }
        "certificates of the registry" => {
            let world = World::of(&Scenario { start: None, faults: Vec::new(), ..load("disconnected") }).await;
            world.add(Res::CONFIGMAPS, files::registry_ca());
            return Some(world);
        }
        "the operator of the update service" => {
            let world = World::of(&Scenario { start: None, faults: Vec::new(), ..load("disconnected") }).await;
            world.add(Res::NAMESPACES, files::namespace());
            world.store.serve_always(Res::UPDATE_SERVICES);
            return Some(world);
        }
        "an update service"
        | "an update service without an address"
        | "an update service, unheard"
        | "an update service, in use" => {
            let scenario = Scenario { start: None, faults: Vec::new(), ..load("disconnected") };
            let mut world = World::of(&scenario).await;
            if name != "an update service, unheard" {
                update_service(&world, name != "an update service without an address");
            }
            if matches!(name, "an update service, unheard" | "an update service, in use") {
                world.edit(Res::CLUSTER_VERSIONS, None, "version", |version| {
                    version["spec"]["upstream"] = json!("https://updates.example.com/api/upgrades_info/v1/graph");
                });
                world.pass(1);
            }
            return Some(world);
        }
        "no root secret" => {
            scenario.cluster.credentials.mode = "Mint".into();
            let world = World::of(&scenario).await;
            world.store.delete(Res::SECRETS, Some("kube-system"), "aws-creds");
            return Some(world);
        }
        "RHEL workers" => {
            let world = World::of(&scenario).await;
            for node in ["worker-3", "worker-4"] {
                world.edit(Res::NODES, None, node, |node| {
                    node["status"]["nodeInfo"]["osImage"] = json!("Red Hat Enterprise Linux 8.6 (Ootpa)");
                    node["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.30.7");
                });
            }
            just_updated(&world);
            return Some(world);
        }
        "a control plane node held" => {
            let world = World::of(&scenario).await;
            cordon(&world, "master-2");
            return Some(world);
        }
        "etcd unwell" => return Some(gone_wrong(with(scenario, MishapKind::EtcdMemberUnhealthy, "master-1")).await),
        "single node away" => {
            let mut world = World::of(&single_node()).await;
            world.silence();
            return Some(world);
        }
        "a certificate to approve" => {
            let mut world = World::of(&scenario).await;
            csr(&world);
            world.pass(0);
            return Some(world);
        }
        "too little room" => {
            let world = World::of(&scenario).await;
            for node in world.store.list(Res::NODES) {
                let name = node["metadata"]["name"].as_str().unwrap().to_owned();
                world.edit(Res::NODES, None, &name, |node| {
                    node["status"]["allocatable"]["memory"] = json!("600Mi");
                    node["status"]["allocatable"]["cpu"] = json!("500m");
                });
            }
            return Some(world);
        }
        "a configuration of ours" => {
            let world = World::of(&scenario).await;
            world.add(Res::MACHINE_CONFIGS, files::chrony());
            return Some(world);
        }
        "a paused pool with something pending" => {
            scenario.pools.get_mut("infra").unwrap().paused = true;
            let mut world = World::of(&scenario).await;
            let mut config = files::chrony();
            config["metadata"]["name"] = json!("50-infra-chrony");
            config["metadata"]["labels"][format!("{MCO}/role")] = json!("infra");
            world.add(Res::MACHINE_CONFIGS, config);
            world.pass(2);
            return Some(world);
        }
        "boot images degraded" => {
            let world = World::of(&scenario).await;
            world.add(Res::SECRETS, files::user_data("2.0.0", "append"));
            world.add(Res::MACHINE_SETS, files::machine_set());
            world.edit(Res::MACHINE_CONFIGURATIONS, None, "cluster", |object| {
                object["spec"]["managedBootImages"] = json!({ "machineManagers": [{ "resource": "machinesets",
                    "apiGroup": "machine.openshift.io", "selection": { "mode": "All" } }] });
                object["status"]["conditions"] = json!([{ "type": "BootImageUpdateDegraded", "status": "True",
                    "reason": "MAPIMachinesetFailed",
                    "message": "1 Degraded MAPI MachineSets: Error syncing MAPI MachineSet worker-eu-1a: converting ignition stub failed",
                    "lastTransitionTime": "2026-11-01T00:00:00Z" }]);
            });
            return Some(world);
        }
        "a node in two pools" => {
            let mut world = World::of(&before_two_minors(&[FIRST])).await;
            really(&mut world, "create-pool canary").await;
            really(&mut world, "create-pool gpu").await;
            world.edit(Res::NODES, None, "worker-2", |node| {
                for role in ["canary", "gpu"] {
                    node["metadata"]["labels"][format!("node-role.kubernetes.io/{role}")] = json!("");
                }
            });
            world.pass(2);
            return Some(world);
        }
        "old rendered configs" => {
            let mut world = World::of(&scenario).await;
            let used = world.store.get(Res::MACHINE_CONFIG_POOLS, None, "worker").unwrap();
            let used = used["spec"]["configuration"]["name"].as_str().unwrap().to_owned();
            let rendered = world.store.get(Res::MACHINE_CONFIGS, None, &used).unwrap();
            for number in 0..7 {
                let mut old: Value = (*rendered).clone();
                old["metadata"] = json!({
                    "name": format!("rendered-worker-00000000000000000000000000{number}"),
                    "annotations": rendered["metadata"]["annotations"],
                    "ownerReferences": rendered["metadata"]["ownerReferences"],
                    "creationTimestamp": "2026-01-01T00:00:00Z",
                });
                world.add(Res::MACHINE_CONFIGS, old);
            }
            world.pass(0);
            return Some(world);
        }
        _ => return None,
    }
    Some(World::of(&scenario).await)
}

/// Something rolls; one thing is not as it should be.
async fn under_way_but(name: &str) -> Option<World> {
    Some(match name {
        "several errors" => {
            let world = World::of(&load("tour")).await;
            let message = "Multiple errors are preventing progress:\n* Cluster operator ingress is updating versions\n\
                           * unknown error";
            world.condition(Res::CLUSTER_VERSIONS, "version", "Failing", "True", "MultipleErrors", message);
            world
        }
        "capacity used up" => {
            let mut world = World::of(&load("config-rollout")).await;
            world.pass(12);
            world
        }
        "rebooting into the seed" => {
            let mut world = prepared().await;
            really(&mut world, "ibu-upgrade").await;
            for _ in 0..30 {
                if world.is_down() {
                    break;
                }
                world.remember().await;
                world.pass(1);
            }
            assert!(world.is_down());
            world.silence();
            world
        }
        "master rolling" => {
            let mut world = World::of(&load("layered")).await;
            world.pass(3);
            world
        }
        "packageserver stuck" => {
            let scenario = Scenario {
                start: load("degraded-operator").start,
                operators: std::collections::BTreeMap::new(),
                ..load("degraded-operator")
            };
            let mut world = World::of(&with(scenario, MishapKind::PackageServerStuck, "")).await;
            world.pass(60);
            world
        }
        _ => return None,
    })
}

/// A serving certificate that worker-3 asks for.
fn csr(world: &World) {
    let node = world.store.get(Res::NODES, None, "worker-3").unwrap();
    let addresses = node["status"]["addresses"].as_array().unwrap();
    let hosts = addresses.iter().map(|address| address["address"].as_str().unwrap().to_owned()).collect();
    let request = oc_cockpit::sim::cluster::signing_request::of_node("worker-3", hosts).unwrap();
    world.add(
        Res::CSRS,
        json!({
            "metadata": { "name": "csr-8x2lm" },
            "spec": { "request": request, "signerName": "kubernetes.io/kubelet-serving",
                      "username": "system:node:worker-3", "groups": ["system:nodes", "system:authenticated"],
                      "usages": ["digital signature", "server auth"] },
            "status": {},
        }),
    );
}

//! Each question of the list: what passes, what warns, what blocks, and that nothing passes that was not read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "objects are written where they are used")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::upgrade::assemble;
use crate::upgrade::assess::assess;
use crate::upgrade::facts::KindState;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::memory::Memory;
use crate::upgrade::specimen::{NEW, Specimen, at, condition, stamp};

const PATCH: &str = "4.18.30";

/// A cluster with what is around it, all of which was read.
#[derive(Clone)]
struct Scene {
    cluster: Specimen,
    around: Vec<Value>,
    unread: Vec<Kind>,
    unreadable: Vec<(Kind, &'static str)>,
    recorded: bool,
}

fn object(kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let group = match kind {
        "Pod" | "ConfigMap" | "Secret" => "v1",
        "PodDisruptionBudget" => "policy/v1",
        "CertificateSigningRequest" => "certificates.k8s.io/v1",
        "MachineHealthCheck" | "Machine" => "machine.openshift.io/v1beta1",
        "APIRequestCount" => "apiserver.openshift.io/v1",
        "CloudCredential" => "operator.openshift.io/v1",
        "ClusterServiceVersion" | "InstallPlan" | "Subscription" => "operators.coreos.com/v1alpha1",
        _ => "config.openshift.io/v1",
    };
    let mut object = json!({"apiVersion": group, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    for (key, value) in more.as_object().unwrap() {
        match (object.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            _ => object[key] = value.clone(),
        }
    }
    object
}

impl Scene {
    fn ready() -> Self {
        let mut cluster = Specimen::idle();
        cluster.version["status"]["availableUpdates"] = json!([
            {"version": NEW, "image": "quay.io/openshift-release-dev/ocp-release@sha256:new"},
            {"version": PATCH, "image": "quay.io/openshift-release-dev/ocp-release@sha256:patch"},
        ]);
        cluster.version["status"]["desired"]["image"] = json!("quay.io/openshift-release-dev/ocp-release@sha256:old");
        cluster.says("RetrievedUpdates", "True", "", "", -60);
        for node in &mut cluster.nodes {
            node["status"]["allocatable"] = json!({"cpu": "4", "memory": "16Gi", "pods": "250"});
        }
        for pool in &mut cluster.pools {
            pool["status"]["certExpirys"] =
                json!([{"bundle": "KubeAPIServerServingCAData", "subject": "CN=ca", "expiry": stamp(60 * 24 * 300)}]);
        }
        let around = vec![
            object(
                "Infrastructure",
                "",
                "cluster",
                json!({"status": {"controlPlaneTopology": "HighlyAvailable", "platformStatus": {"type": "AWS"}}}),
            ),
            object("CloudCredential", "", "cluster", json!({"spec": {"credentialsMode": ""}})),
            object("Secret", "kube-system", "aws-creds", json!({})),
        ];
        Self { cluster, around, unread: Vec::new(), unreadable: Vec::new(), recorded: false }
    }

    fn with(mut self, object: Value) -> Self {
        self.around.retain(|known| (known["kind"] != object["kind"]) || known["metadata"] != object["metadata"]);
        self.around.push(object);
        self
    }

    fn changed(mut self, change: impl FnOnce(&mut Specimen)) -> Self {
        change(&mut self.cluster);
        self
    }

    fn without(mut self, kind: Kind) -> Self {
        self.unread.push(kind);
        self
    }

    fn list(&self, target: Option<&str>) -> Preflight {
        let mut facts = self.cluster.facts(0);
        let around = assemble::from_values(&self.around, at(0));
        facts.around = around.around;
        facts.link.state = if self.recorded { LinkState::Recording } else { LinkState::Live };
        // Pods of all nodes were read: a node without any has none.
        let pods = Arc::make_mut(&mut Arc::make_mut(&mut facts.around).pods);
        for node in facts.nodes.iter() {
            pods.entry(node.name().to_owned()).or_default();
        }
        for kind in Kind::CORE.into_iter().chain(Kind::AROUND) {
            let status = if self.unread.contains(&kind) { KindStatus::NotAsked } else { KindStatus::Live };
            let bad = self.unreadable.iter().filter(|(of, _)| *of == kind);
            let unreadable = bad.map(|(_, name)| ((*name).to_owned(), "spec is no object".to_owned())).collect();
            facts.kinds.insert(kind, KindState { status, heard: Some(at(0)), unreadable });
        }
        preflight(&assess(Arc::new(facts), &Memory::default(), at(0)), target)
    }

    fn row(&self, target: &str, id: &str) -> Option<Row> {
        self.list(Some(target)).rows.into_iter().find(|row| row.id == id)
    }

    fn answer(&self, target: &str, id: &str) -> Option<Answer> {
        self.row(target, id).map(|row| row.answer)
    }
}

fn answers(list: &Preflight) -> BTreeMap<&'static str, Answer> {
    list.rows.iter().map(|row| (row.id, row.answer)).collect()
}

#[test]
fn a_ready_cluster_passes_everything_but_the_question_for_a_person() {
    let scene = Scene::ready();
    let list = scene.list(None);
    assert_eq!((list.target.as_deref(), list.minor), (Some(NEW), true), "the newest that is recommended");
    let amiss: Vec<_> = list.rows.iter().filter(|row| row.answer != Answer::Pass).collect();
    assert_eq!(amiss.iter().map(|row| row.id).collect::<Vec<_>>(), ["etcd-backup"], "{amiss:#?}");
    assert!(amiss[0].asked);
    assert_eq!(list.unjudged().count(), 0);
    assert!(list.rows.iter().all(|row| !row.why.is_empty()), "each says why");
    let patch = answers(&scene.list(Some(PATCH)));
    for id in ["upgradeable", "admin-gates", "removed-apis", "installed-operators-compatible", "cloud-credentials"] {
        assert!(!patch.contains_key(id), "{id} does not concern a patch");
    }
}

/// What was not read never passes, whatever it is.
#[test]
fn what_was_not_read_is_unknown_and_says_why() {
    let table = [
        (Kind::ClusterOperators, "operators-healthy"),
        (Kind::ClusterOperators, "upgradeable"),
        (Kind::MachineConfigPools, "pools-updated"),
        (Kind::MachineConfigPools, "pools-unpaused"),
        (Kind::MachineConfigPools, "control-plane-one-at-a-time"),
        (Kind::Nodes, "nodes-ready"),
        (Kind::Nodes, "kubelet-skew"),
        (Kind::Nodes, "other-systems"),
        (Kind::Pods, "capacity"),
        (Kind::Pods, "drain-forecast"),
        (Kind::PodDisruptionBudgets, "drain-forecast"),
        (Kind::PodDisruptionBudgets, "disruption-budgets"),
        (Kind::CertificateSigningRequests, "certificate-requests"),
        (Kind::MachineHealthChecks, "machine-health-checks"),
        (Kind::Machines, "machines"),
        (Kind::ConfigMaps, "admin-gates"),
        (Kind::ApiRequestCounts, "removed-apis"),
        (Kind::ClusterServiceVersions, "installed-operators-compatible"),
        (Kind::InstallPlans, "installed-operators-current"),
        (Kind::CloudCredentials, "cloud-credentials"),
        (Kind::Secrets, "cloud-credentials"),
        (Kind::Alerts, "alerts"),
    ];
    for (kind, id) in table {
        let row = Scene::ready().without(kind).row(NEW, id).unwrap();
        assert_eq!(row.answer, Answer::Unknown, "{id} without {}: {}", kind.plural(), row.why);
        assert!(row.why.contains("not") && !row.remedies.is_empty(), "{id}: {}", row.why);
        assert!(!row.asked, "{id}: the cluster could tell");
    }
    // A list that failed and never came: what is empty then is no answer.
    let mut facts = Specimen::idle().facts(0);
    facts.link.state = LinkState::Live;
    let words = "the server failed (503)".to_owned();
    let trouble = Trouble { kind: TroubleKind::Server, words, hint: String::new(), since: at(0) };
    for kind in Kind::AROUND {
        facts.kinds.insert(kind, KindState { status: KindStatus::Failing(trouble.clone()), ..KindState::default() });
    }
    let failed = answers(&preflight(&assess(Arc::new(facts), &Memory::default(), at(0)), Some(NEW)));
    for (_, id) in table.iter().filter(|(kind, _)| !kind.is_core()) {
        assert_eq!(failed.get(id), Some(&Answer::Unknown), "{id}");
    }
    let mut facts = Specimen::idle().facts(0);
    facts.cluster_version = None;
    let nothing = preflight(&assess(Arc::new(facts), &Memory::default(), at(0)), Some(NEW));
    assert!(!nothing.known && nothing.rows.is_empty());
}

#[test]
fn the_target_has_to_be_on_offer_recommended_and_one_step_away() {
    let scene = Scene::ready();
    let table = [
        (NEW, Answer::Pass),
        ("4.18.31", Answer::Block),
        ("4.20.0", Answer::Block),
        ("4.18.1", Answer::Block),
        ("4.18.22", Answer::Block),
    ];
    for (target, expected) in table {
        assert_eq!(scene.answer(target, "target"), Some(expected), "{target}");
    }
    let risky = scene.clone().changed(|cluster| {
        cluster.version["status"]["conditionalUpdates"] = json!([{"release": {"version": "4.18.31", "image": "i"},
            "risks": [{"name": "BadDisk", "message": "disks may break"}],
            "conditions": [condition("Recommended", "False", "BadDisk", "disks may break", 0)]}]);
    });
    let row = risky.row("4.18.31", "target").unwrap();
    assert_eq!(row.answer, Answer::Warn);
    assert!(row.why.contains("BadDisk: disks may break"), "{}", row.why);
    let offline = scene.changed(|cluster| cluster.says("RetrievedUpdates", "False", "RemoteFailed", "no route", 0));
    assert_eq!(offline.answer("4.18.31", "target"), Some(Answer::Warn), "it cannot be known");
}

#[test]
fn the_control_plane_has_to_be_well() {
    let degraded = Scene::ready().changed(|cluster| {
        cluster.operator("etcd")["status"]["conditions"][2] =
            condition("Degraded", "True", "Members", "one is gone", -5);
    });
    let row = degraded.row(NEW, "operators-healthy").unwrap();
    assert_eq!((row.answer, row.why.as_str()), (Answer::Block, "etcd is degraded: one is gone"));
    assert_eq!(degraded.answer(NEW, "etcd-healthy"), Some(Answer::Block));
    let busy = Scene::ready().changed(|cluster| {
        cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", -5);
    });
    assert_eq!(busy.answer(NEW, "operators-healthy"), Some(Answer::Warn));
    let failing = Scene::ready().changed(|cluster| cluster.says("Failing", "True", "X", "cannot", 0));
    assert_eq!(failing.answer(NEW, "cluster-version"), Some(Answer::Block));
    let running = Scene { cluster: Specimen::updating(), ..Scene::ready() };
    assert_eq!(running.answer("4.19.4", "no-update-running"), Some(Answer::Block));
    let saved = |status: &str| {
        Scene::ready().changed(|cluster| {
            let conditions = cluster.operator("etcd")["status"]["conditions"].as_array_mut().unwrap();
            conditions.push(condition("RecentBackup", status, "UpgradeBackupSuccessful", "backup of today", -5));
        })
    };
    assert_eq!(saved("True").answer(NEW, "etcd-backup"), Some(Answer::Pass));
    assert_eq!(saved("False").answer(NEW, "etcd-backup"), Some(Answer::Warn), "no precondition any more since 4.15");
}

#[test]
fn pools_and_nodes_have_to_be_where_they_belong() {
    let paused = |pool: &str| Scene::ready().changed(|cluster| cluster.pool(pool)["spec"]["paused"] = json!(true));
    assert_eq!(paused("worker").answer(NEW, "pools-unpaused"), Some(Answer::Warn), "it may be meant");
    assert_eq!(paused("master").answer(NEW, "pools-unpaused"), Some(Answer::Block));
    let wide = |pool: &str| Scene::ready().changed(|cluster| cluster.pool(pool)["spec"]["maxUnavailable"] = json!(2));
    assert_eq!(wide("master").answer(NEW, "control-plane-one-at-a-time"), Some(Answer::Block));
    assert_eq!(wide("worker").answer(NEW, "control-plane-one-at-a-time"), Some(Answer::Pass));
    let cordoned = |node: &str, most: i64| {
        Scene::ready().changed(|cluster| {
            cluster.cordon(node, "kubectl-cordon", -50);
            cluster.pool("worker")["spec"]["maxUnavailable"] = json!(most);
        })
    };
    assert_eq!(cordoned("worker-0", 1).answer(NEW, "nodes-ready"), Some(Answer::Block), "it is all of the capacity");
    assert_eq!(cordoned("worker-0", 2).answer(NEW, "nodes-ready"), Some(Answer::Warn));
    assert_eq!(cordoned("master-0", 2).answer(NEW, "nodes-ready"), Some(Answer::Block));
    let row = cordoned("worker-0", 2).row(NEW, "nodes-ready").unwrap();
    assert_eq!(row.remedies[0].oc.as_deref(), Some("oc adm uncordon worker-0"));
}

#[test]
fn kubelets_may_be_two_behind_at_even_minors_and_one_at_odd_ones() {
    let kubelet = |version: &str| {
        let version = version.to_owned();
        Scene::ready()
            .changed(move |cluster| cluster.node("worker-0")["status"]["nodeInfo"]["kubeletVersion"] = json!(version))
    };
    // 4.19 brings Kubernetes 1.32, 4.18 is 1.31.
    assert_eq!(kubelet("v1.31.9").answer(NEW, "kubelet-skew"), Some(Answer::Pass));
    assert_eq!(kubelet("v1.30.4").answer(NEW, "kubelet-skew"), Some(Answer::Block));
    assert_eq!(kubelet("v1.29.4").answer(PATCH, "kubelet-skew"), Some(Answer::Pass));
    assert_eq!(kubelet("odd").answer(PATCH, "kubelet-skew"), Some(Answer::Unknown));
}

fn pod(name: &str, node: &str, more: Value) -> Value {
    let mut pod = object(
        "Pod",
        "shop",
        name,
        json!({
            "metadata": {"labels": {"app": "cart"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-1", "controller": true, "apiVersion": "apps/v1", "uid": "u"}]},
            "spec": {"nodeName": node, "containers": [{"name": "c", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]},
            "status": {"phase": "Running", "conditions": [condition("Ready", "True", "", "", -60)]},
        }),
    );
    for (key, value) in more.as_object().unwrap() {
        pod[key] = value.clone();
    }
    pod
}

fn budget(allowed: i64, healthy: i64, desired: i64, expected: i64) -> Value {
    object(
        "PodDisruptionBudget",
        "shop",
        "cart",
        json!({
            "spec": {"minAvailable": desired, "selector": {"matchLabels": {"app": "cart"}}},
            "status": {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected},
        }),
    )
}

#[test]
fn drains_are_judged_by_what_stands_in_their_way() {
    let scene = |budget: Value| Scene::ready().with(pod("cart-0", "worker-0", json!({}))).with(budget);
    assert_eq!(scene(budget(1, 2, 1, 2)).answer(NEW, "drain-forecast"), Some(Answer::Pass));
    let now = scene(budget(0, 1, 1, 2));
    assert_eq!(now.answer(NEW, "drain-forecast"), Some(Answer::Warn), "a replica may come back");
    assert_eq!(now.answer(NEW, "disruption-budgets"), Some(Answer::Warn));
    let never = scene(budget(0, 1, 1, 1));
    let row = never.row(NEW, "drain-forecast").unwrap();
    assert_eq!(row.answer, Answer::Block);
    assert!(row.why.starts_with("1 of 6 nodes could not be drained"), "{}", row.why);
    assert!(
        row.why.contains("PDB cart can never allow a disruption") && row.why.contains("on worker-0"),
        "{}",
        row.why
    );
    assert_eq!(never.answer(NEW, "disruption-budgets"), Some(Answer::Block));
    let bare = Scene::ready().with(pod("tool", "worker-0", json!({"metadata": {"name": "tool", "namespace": "shop"}})));
    let row = bare.row(NEW, "drain-forecast").unwrap();
    assert_eq!(row.answer, Answer::Warn);
    assert!(row.why.contains("shop/tool"), "{}", row.why);
}

#[test]
fn the_rest_of_a_pool_has_to_take_what_is_drained() {
    let asking = |cpu: &str| {
        let mut scene = Scene::ready();
        for node in ["worker-0", "worker-1", "worker-2"] {
            let spec = json!({"spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]}});
            scene = scene.with(pod(&format!("cart-{node}"), node, spec));
        }
        scene
    };
    // Three nodes of four cores: what one node holds has to fit into what is free on two.
    assert_eq!(asking("2").answer(NEW, "capacity"), Some(Answer::Pass));
    assert_eq!(asking("2600m").answer(NEW, "capacity"), Some(Answer::Warn), "2.6 into 2.8 leaves nothing to divide");
    let row = asking("3").row(NEW, "capacity").unwrap();
    assert_eq!(row.answer, Answer::Block);
    assert!(row.why.contains("pool worker: 1 node at a time, at most 3.0 cores"), "{}", row.why);
}

#[test]
fn machines_and_certificates_have_to_be_at_rest() {
    let request = object(
        "CertificateSigningRequest",
        "",
        "csr-1",
        json!({
            "spec": {"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:worker-9"}, "status": {},
        }),
    );
    let row = Scene::ready().with(request).row(NEW, "certificate-requests").unwrap();
    assert_eq!(row.answer, Answer::Warn);
    assert!(row.why.contains("worker-9"), "{}", row.why);
    let check = |annotations: Value| {
        let check = object(
            "MachineHealthCheck",
            "openshift-machine-api",
            "workers",
            json!({"metadata": {"annotations": annotations}}),
        );
        Scene::ready().with(check).answer(NEW, "machine-health-checks")
    };
    assert_eq!(check(json!({})), Some(Answer::Warn));
    assert_eq!(check(json!({"cluster.x-k8s.io/paused": ""})), Some(Answer::Pass));
    let machine = object("Machine", "openshift-machine-api", "m", json!({"status": {"phase": "Deleting"}}));
    assert_eq!(Scene::ready().with(machine).answer(NEW, "machines"), Some(Answer::Warn));
    let expiring = |days: i64| {
        Scene::ready().changed(|cluster| {
            cluster.pool("worker")["status"]["certExpirys"] =
                json!([{"bundle": "b", "subject": "CN=s", "expiry": stamp(days * 24 * 60)}]);
        })
    };
    assert_eq!(expiring(10).answer(NEW, "certificates"), Some(Answer::Warn));
    assert_eq!(expiring(-1).answer(NEW, "certificates"), Some(Answer::Block));
}

#[test]
fn another_minor_asks_for_more() {
    let gates =
        object("ConfigMap", "openshift-config-managed", "admin-gates", json!({"data": {"ack-4.18-x": "read this"}}));
    let acked =
        |value: &str| object("ConfigMap", "openshift-config", "admin-acks", json!({"data": {"ack-4.18-x": value}}));
    let gated = Scene::ready().with(gates);
    let row = gated.row(NEW, "admin-gates").unwrap();
    assert_eq!(row.answer, Answer::Block);
    assert!(row.remedies[0].oc.as_ref().unwrap().contains("{\"data\":{\"ack-4.18-x\":\"true\"}}"));
    assert_eq!(gated.clone().with(acked("true")).answer(NEW, "admin-gates"), Some(Answer::Pass));
    assert_eq!(gated.with(acked("yes")).answer(NEW, "admin-gates"), Some(Answer::Block));

    let api = |removed: &str, user: &str| {
        let counts = object(
            "APIRequestCount",
            "",
            "flowschemas.v1beta3.flowcontrol.apiserver.k8s.io",
            json!({"status": {
                "removedInRelease": removed, "requestCount": 7,
                "last24h": [{"byNode": [{"nodeName": "m", "byUser": [{"username": user, "userAgent": "argo/1", "requestCount": 7}]}]}],
            }}),
        );
        Scene::ready().with(counts)
    };
    let row = api("1.32", "system:serviceaccount:argo:argo").row(NEW, "removed-apis").unwrap();
    assert_eq!(row.answer, Answer::Block);
    assert!(row.why.contains("system:serviceaccount:argo:argo with argo (7)"), "{}", row.why);
    assert_eq!(api("1.33", "someone").answer(NEW, "removed-apis"), Some(Answer::Pass), "not yet");
    let walker = "system:serviceaccount:kube-system:generic-garbage-collector";
    assert_eq!(
        api("1.32", walker).answer(NEW, "removed-apis"),
        Some(Answer::Pass),
        "it asks for everything that there is"
    );

    let operator = object(
        "ClusterServiceVersion",
        "storage",
        "odf.v4.18.1",
        json!({
            "metadata": {"annotations": {"olm.properties": "[{\"type\":\"olm.maxOpenShiftVersion\",\"value\":\"4.18\"}]"}},
            "status": {"phase": "Succeeded"},
        }),
    );
    assert_eq!(Scene::ready().with(operator).answer(NEW, "installed-operators-compatible"), Some(Answer::Block));
    let plan = object(
        "InstallPlan",
        "storage",
        "install-x",
        json!({"spec": {"approval": "Manual", "approved": false}, "status": {"phase": "RequiresApproval"}}),
    );
    assert_eq!(Scene::ready().with(plan).answer(NEW, "installed-operators-current"), Some(Answer::Warn));

    let blocked = Scene::ready().changed(|cluster| {
        let conditions = cluster.operator("machine-config")["status"]["conditions"].as_array_mut().unwrap();
        conditions.push(condition("Upgradeable", "False", "DegradedPool", "mend the pool", -5));
    });
    assert_eq!(blocked.answer(NEW, "upgradeable"), Some(Answer::Block));
    let overridden = Scene::ready().changed(|cluster| {
        cluster.version["spec"]["overrides"] =
            json!([{"kind": "Deployment", "namespace": "a", "name": "b", "unmanaged": true}]);
    });
    assert_eq!(overridden.answer(PATCH, "overrides"), Some(Answer::Block), "up to 4.20 patches too");
}

#[test]
fn cloud_credentials_have_to_be_ready_for_another_minor() {
    let mode = |mode: &str, ready: Option<&str>| {
        let annotations =
            ready.map_or(json!({}), |version| json!({"cloudcredential.openshift.io/upgradeable-to": version}));
        Scene::ready().with(object(
            "CloudCredential",
            "",
            "cluster",
            json!({"metadata": {"annotations": annotations}, "spec": {"credentialsMode": mode}}),
        ))
    };
    let rootless = |mut scene: Scene| {
        scene.around.retain(|object| object["kind"] != "Secret");
        scene
    };
    // The scene's own object goes first: the later one of that name is what counts.
    let only = |mut scene: Scene| {
        let newest = scene.around.iter().rposition(|object| object["kind"] == "CloudCredential").unwrap();
        let newest = scene.around[newest].clone();
        scene.around.retain(|object| object["kind"] != "CloudCredential");
        scene.with(newest)
    };
    let answer = |scene: Scene| only(scene).answer(NEW, "cloud-credentials");
    assert_eq!(answer(mode("Manual", None)), Some(Answer::Block));
    assert_eq!(answer(mode("Manual", Some("4.18.0"))), Some(Answer::Block));
    assert_eq!(answer(mode("Manual", Some("4.19.0"))), Some(Answer::Pass));
    assert_eq!(answer(mode("Mint", None)), Some(Answer::Pass));
    assert_eq!(answer(rootless(mode("Mint", None))), Some(Answer::Block));
    assert_eq!(answer(rootless(mode("Passthrough", None))), Some(Answer::Pass));
}

#[test]
fn mirrors_and_signatures_only_matter_away_from_the_internet() {
    assert_eq!(Scene::ready().answer(NEW, "mirrors"), None, "nothing speaks of mirrors");
    let cut =
        Scene::ready().changed(|cluster| cluster.version["spec"]["upstream"] = json!("https://osus.example.com/graph"));
    assert_eq!(cut.answer(NEW, "mirrors"), Some(Answer::Block));
    assert_eq!(cut.answer(NEW, "signature"), Some(Answer::Block));
    let set = object(
        "ImageDigestMirrorSet",
        "",
        "release",
        json!({"spec": {"imageDigestMirrors": [
            {"source": "quay.io/openshift-release-dev", "mirrors": ["registry.example.com/ocp"]},
        ]}}),
    );
    let signature =
        object("ConfigMap", "openshift-config-managed", "sha256-new", json!({"binaryData": {"sha256-new-1": "eA=="}}));
    let ready = cut.with(set.clone()).with(signature);
    assert_eq!(ready.answer(NEW, "mirrors"), Some(Answer::Pass));
    assert_eq!(ready.answer(NEW, "signature"), Some(Answer::Pass));
    assert_eq!(Scene::ready().with(set).answer(NEW, "signature"), Some(Answer::Warn), "the public stores answer");
}

/// A must-gather holds neither the workloads nor, for sure, what is missing in it.
#[test]
fn what_a_recording_does_not_hold_may_be_there_all_the_same() {
    let recorded = Scene { recorded: true, ..Scene::ready() };
    let list = answers(&recorded.list(Some(NEW)));
    for id in ["capacity", "disruption-budgets", "drain-forecast", "admin-gates"] {
        assert_eq!(list.get(id), Some(&Answer::Unknown), "{id}");
    }
    let mut bare = recorded.clone();
    bare.around.retain(|object| object["kind"] != "Secret");
    assert_eq!(bare.answer(NEW, "cloud-credentials"), Some(Answer::Unknown));
    let pod = object("Pod", "shop", "cart-0", json!({"spec": {"nodeName": "worker-0"}}));
    let whole = recorded.with(pod);
    assert_ne!(whole.answer(NEW, "drain-forecast"), Some(Answer::Unknown));
}

#[test]
fn what_neither_says_no_nor_yes_does_not_pass() {
    let unsure =
        Scene::ready().changed(|cluster| cluster.says("Upgradeable", "Unknown", "EvaluationFailed", "no idea", -5));
    assert_eq!(unsure.answer(NEW, "upgradeable"), Some(Answer::Unknown));
    let young = Scene::ready().changed(|cluster| cluster.version["status"]["history"] = json!([]));
    assert_eq!(young.answer(NEW, "no-update-running"), Some(Answer::Unknown));
    let nowhere = Scene::ready().with(object("Infrastructure", "", "cluster", json!({})));
    assert_eq!(nowhere.answer(NEW, "cloud-credentials"), Some(Answer::Unknown));
    let digest = "quay.io/x/release@sha256:abc";
    for id in ["kubelet-skew", "removed-apis", "installed-operators-compatible"] {
        assert_eq!(Scene::ready().answer(digest, id), Some(Answer::Unknown), "{id}: what a digest holds is not known");
    }
}

#[test]
fn a_cluster_without_a_channel_is_not_called_cut_off() {
    let scene = Scene::ready().changed(|cluster| {
        cluster.version["status"]["availableUpdates"] = json!([]);
        cluster.says("RetrievedUpdates", "False", "NoChannel", "the update channel has not been configured", -60);
    });
    assert_eq!(scene.answer(PATCH, "mirrors"), None);
    assert_eq!(scene.answer(PATCH, "signature"), None);
}

#[test]
fn an_object_that_could_not_be_read_lets_nothing_pass() {
    let with = |kind: Kind, name: &'static str| {
        let mut scene = Scene::ready();
        scene.unreadable.push((kind, name));
        scene
    };
    for (kind, name, id) in [
        (Kind::Nodes, "worker-9", "nodes-ready"),
        (Kind::ClusterOperators, "etcd-2", "operators-healthy"),
        (Kind::MachineConfigPools, "gpu", "pools-unpaused"),
        (Kind::ConfigMaps, "openshift-config-managed/admin-gates", "admin-gates"),
        (Kind::PodDisruptionBudgets, "shop/cart", "disruption-budgets"),
    ] {
        assert_eq!(Scene::ready().answer(NEW, id), Some(Answer::Pass), "{id}");
        let row = with(kind, name).row(NEW, id).unwrap();
        assert_eq!(row.answer, Answer::Unknown, "{id}");
        assert!(row.why.contains(name) || id == "admin-gates", "{id}: {}", row.why);
    }
    let row = with(Kind::PodDisruptionBudgets, "shop/cart").row(NEW, "disruption-budgets").unwrap();
    let line = row.remedies.last().and_then(|remedy| remedy.oc.clone()).unwrap();
    assert_eq!(line, "oc get poddisruptionbudgets.policy cart -n shop -o yaml");
    // What stands in the way is not covered up by what could not be read.
    let mut scene = with(Kind::PodDisruptionBudgets, "shop/other").with(budget(0, 1, 1, 1));
    scene = scene.with(pod("cart-0", "worker-0", json!({})));
    let row = scene.row(NEW, "drain-forecast").unwrap();
    assert_eq!(row.answer, Answer::Block);
    assert!(row.why.contains("shop/other"), "{}", row.why);
}

#[test]
fn what_the_target_holds_is_asked_of_the_target_and_not_of_permissions() {
    let scene =
        Scene::ready().changed(|cluster| cluster.says("RetrievedUpdates", "False", "RemoteFailed", "no route", 0));
    for target in ["5.1.0", "nonsense", "mirror.example/ocp/release@sha256:0123"] {
        for id in ["kubelet-skew", "removed-apis"] {
            let row = scene.row(target, id).unwrap_or_else(|| panic!("{target}: no row {id}"));
            assert_eq!(row.answer, Answer::Unknown, "{target} {id}");
            assert!(row.why.contains("which Kubernetes the target brings"), "{}", row.why);
            assert!(row.remedies.iter().all(|remedy| !remedy.words.contains("permission")), "{:?}", row.remedies);
        }
    }
    let row = scene.row("4.18.31", "signature").unwrap();
    assert_eq!((row.answer, row.why.as_str()), (Answer::Unknown, "the digest of the target is not known"));
    assert!(row.remedies.iter().all(|remedy| !remedy.words.contains("permission")), "{:?}", row.remedies);
}

#[test]
fn the_release_before_can_be_gone_back_to_and_no_other() {
    let before = |progressing: &'static str| {
        Scene::ready().changed(move |cluster| {
            cluster.says("Progressing", progressing, "", "", 0);
            let image = cluster.version["status"]["desired"]["image"].clone();
            let history = cluster.version["status"]["history"].as_array_mut().unwrap();
            history[0]["image"] = image;
            let entry = |version: &str, at: i64| {
                json!({"state": "Completed", "version": version, "image": format!("quay.io/r@sha256:{version}"),
                    "startedTime": stamp(at - 60), "completionTime": stamp(at)})
            };
            history.insert(1, entry("4.18.21", -60 * 24 * 10));
            history.insert(2, entry("4.18.20", -60 * 24 * 20));
        })
    };
    let row = before("False").row("4.18.21", "target").unwrap();
    assert_eq!(row.answer, Answer::Warn, "{}", row.why);
    assert!(row.why.contains("can be gone back to"), "{}", row.why);
    assert_eq!(before("False").answer("4.18.20", "target"), Some(Answer::Block), "only the one just before");
    assert_eq!(before("True").answer("4.18.21", "target"), Some(Answer::Block), "only at rest");
}

#[test]
fn containers_that_run_first_need_their_place_as_well() {
    let asking = |init: Value| {
        let mut scene = Scene::ready();
        for node in ["worker-0", "worker-1", "worker-2"] {
            let spec = json!({"spec": {"nodeName": node, "initContainers": init,
                "containers": [{"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]}});
            scene = scene.with(pod(&format!("cart-{node}"), node, spec));
        }
        scene.row(NEW, "capacity").unwrap()
    };
    let init = |cpu: &str, policy: &str| {
        let mut init = json!({"resources": {"requests": {"cpu": cpu}}});
        if !policy.is_empty() {
            init["restartPolicy"] = json!(policy);
        }
        init
    };
    let most = |row: &Row| {
        row.why
            .split("pool worker")
            .nth(1)
            .unwrap()
            .split("at most ")
            .nth(1)
            .unwrap()
            .split(" cores")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(most(&asking(json!([]))), "1.0");
    assert_eq!(most(&asking(json!([init("3", "")]))), "3.0", "more than what runs afterwards");
    assert_eq!(most(&asking(json!([init("500m", "")]))), "1.0", "less than what runs afterwards");
    assert_eq!(most(&asking(json!([init("500m", "Always")]))), "1.5", "it stays beside it");
    assert_eq!(most(&asking(json!([init("500m", "Always"), init("3", "")]))), "3.5", "it is up while the other runs");
}

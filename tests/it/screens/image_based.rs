//! The tab of image-based upgrades, and what the header says of their reboot.

use std::sync::Arc;

use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::{Facts, KindState, KindStatus};
use oc_cockpit::upgrade::link::{Link, LinkState, Trouble, TroubleKind};
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};

use super::Stage;
use super::sample::{World, ago, now};

/// So many seconds before now, as the API writes it.
fn stamp(seconds: i64) -> String {
    ago(seconds).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, age: i64) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(age)})
}

/// A single node with a few operators, all well.
fn single_node(version: &str) -> Vec<Value> {
    let operator = |name: &str| {
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator",
            "metadata": {"name": name, "annotations": {"include.release.openshift.io/single-node-developer": "true"}},
            "status": {"versions": [{"name": "operator", "version": version}], "conditions": [
                condition("Available", "True", "AsExpected", "", 90_000),
                condition("Progressing", "False", "AsExpected", "", 90_000),
                condition("Degraded", "False", "AsExpected", "", 90_000)]}})
    };
    let mut objects = vec![
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
            "metadata": {"name": "version", "uid": "v1", "generation": 1},
            "spec": {"clusterID": "0c1d", "channel": "stable-4.19"},
            "status": {"observedGeneration": 1, "desired": {"version": version},
                "history": [{"state": "Completed", "version": version, "startedTime": stamp(900_000),
                             "completionTime": stamp(897_000)}],
                "conditions": [condition("Failing", "False", "", "", 90_000),
                               condition("Progressing", "False", "", "", 90_000)]}}),
        json!({"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
            "metadata": {"name": "master"},
            "spec": {"configuration": {"name": "rendered-master-1"},
                     "nodeSelector": {"matchLabels": {"node-role.kubernetes.io/master": ""}}},
            "status": {"machineCount": 1, "readyMachineCount": 1}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "edge-0",
            "labels": {"node-role.kubernetes.io/master": "", "node-role.kubernetes.io/control-plane": "",
                       "node-role.kubernetes.io/worker": ""},
            "annotations": {"machineconfiguration.openshift.io/currentConfig": "rendered-master-1",
                            "machineconfiguration.openshift.io/desiredConfig": "rendered-master-1",
                            "machineconfiguration.openshift.io/state": "Done"}},
            "status": {"conditions": [condition("Ready", "True", "KubeletReady", "", 90_000)]}}),
        json!({"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
            "metadata": {"name": "oadp-operator.v1.4.1", "namespace": "openshift-adp"},
            "status": {"phase": "Succeeded"}}),
        json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": "csr-7xk2p"}, "status": {"conditions": [{"type": "Approved", "status": "True"}]}}),
        json!({"apiVersion": "oadp.openshift.io/v1alpha1", "kind": "DataProtectionApplication",
            "metadata": {"name": "dpa", "namespace": "openshift-adp"},
            "status": {"conditions": [{"type": "Reconciled", "status": "True"}]}}),
        json!({"apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
            "metadata": {"name": "default", "namespace": "openshift-adp"}, "status": {"phase": "Available"}}),
        json!({"apiVersion": "topolvm.io/v1", "kind": "LogicalVolume", "metadata": {"name": "pvc-1"}}),
        volume("pvc-1", "Delete", &json!({"csi": {"driver": "topolvm.io"}, "storageClassName": "lvms-vg1"})),
        volume("local-logs", "Retain", &json!({"local": {"path": "/var/mnt/logs"}})),
        volume("nfs-media", "Retain", &json!({"nfs": {"path": "/media"}})),
    ];
    objects.extend(["etcd", "kube-apiserver", "dns"].map(operator));
    objects
}

fn volume(name: &str, policy: &str, source: &Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "5Gi"},
                 "claimRef": {"namespace": "shop", "name": format!("data-{name}")}}, "status": {"phase": "Bound"}});
    for (key, value) in source.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn upgrade(stage: &str, conditions: Vec<Value>, valid: &[&str], history: Value) -> Value {
    json!({"apiVersion": "lca.openshift.io/v1", "kind": "ImageBasedUpgrade",
        "metadata": {"name": "upgrade", "generation": 4},
        "spec": {"stage": stage,
            "seedImageRef": {"version": "4.19.3", "image": "registry.example.com/seeds/sno:4.19.3",
                             "pullSecretRef": {"name": "seed-pull"}},
            "oadpContent": [{"namespace": "openshift-adp", "name": "oadp-cm"}],
            "autoRollbackOnFailure": {"initMonitorTimeoutSeconds": 1800}},
        "status": {"observedGeneration": 4, "conditions": conditions, "validNextStages": valid, "history": history}})
}

fn prepared(age: i64) -> Vec<Value> {
    vec![
        condition("Idle", "False", "InProgress", "In progress", age + 130),
        condition("PrepInProgress", "False", "Completed", "Prep completed", age),
        condition("PrepCompleted", "True", "Completed", "Prep stage completed successfully", age),
    ]
}

fn prep_run(age: i64) -> Value {
    json!({"stage": "Prep", "startTime": stamp(age + 130), "completionTime": stamp(age), "phases": [
        {"phase": "Stateroot", "startTime": stamp(age + 130), "completionTime": stamp(age + 40)},
        {"phase": "Precache", "startTime": stamp(age + 35), "completionTime": stamp(age)}]})
}

fn facts(objects: &[Value]) -> Facts {
    let mut facts = assemble::from_values(objects, now());
    facts.link = Link { state: LinkState::Live, heard: Some(ago(0)), ..Link::recording() };
    let absent = KindState { status: KindStatus::Absent, heard: None, unreadable: Vec::new() };
    facts.kinds.entry(oc_cockpit::upgrade::facts::Kind::SriovNodeStates).or_insert(absent);
    facts
}

fn assessed(facts: Facts) -> Assessment {
    assess(Arc::new(facts), &Memory::default(), now())
}

/// The moment of a story.
fn moment(name: &str) -> Assessment {
    let running = |version: &str, more: Vec<Value>| {
        let mut objects = single_node(version);
        objects.extend(more);
        objects
    };
    match name {
        "precache" => {
            let message = "Precache job in progress. job-name: lca-prep-precache, job-namespace: openshift-lifecycle-agent. total: 136 (pulled: 58, failed: 0)";
            let conditions = vec![
                condition("Idle", "False", "InProgress", "In progress", 130),
                condition("PrepInProgress", "True", "InProgress", message, 130),
            ];
            let history = json!([{"stage": "Prep", "startTime": stamp(130), "phases": [
                {"phase": "Stateroot", "startTime": stamp(130), "completionTime": stamp(40)},
                {"phase": "Precache", "startTime": stamp(35)}]}]);
            assessed(facts(&running("4.18.22", vec![upgrade("Prep", conditions, &["Idle"], history)])))
        }
        "prepared" => {
            let mut object = upgrade("Prep", prepared(300), &["Idle", "Upgrade"], json!([prep_run(300)]));
            object["metadata"]["annotations"] = json!({
                "extra-manifest.lca.openshift.io/validation-warning": "ConfigMap default/extra: unknown field spec.replica",
                "auto-rollback-on-failure.lca.openshift.io/init-monitor": "Disabled"});
            assessed(facts(&running("4.18.22", vec![object])))
        }
        "reboot" => {
            let mut conditions = prepared(900);
            conditions.push(condition("UpgradeInProgress", "True", "InProgress", "In progress", 260));
            let history = json!([prep_run(900), {"stage": "Upgrade", "startTime": stamp(260), "phases": [
                {"phase": "PrePivot", "startTime": stamp(260), "completionTime": stamp(245)}]}]);
            let mut facts = facts(&running("4.18.22", vec![upgrade("Upgrade", conditions, &["Idle"], history)]));
            facts.link.state = LinkState::Reconnecting { since: ago(240), attempts: 20 };
            facts.link.trouble = Some(Trouble {
                kind: TroubleKind::Timeout,
                words: "no answer within 3 s".into(),
                hint: String::new(),
                since: ago(236),
            });
            assessed(facts)
        }
        "upgraded" => {
            let mut conditions = prepared(2_000);
            conditions.push(condition("UpgradeInProgress", "False", "Completed", "Upgrade completed", 400));
            conditions.push(condition("UpgradeCompleted", "True", "Completed", "Upgrade completed", 400));
            let history = json!([prep_run(2_000), {"stage": "Upgrade", "startTime": stamp(1_400),
                "completionTime": stamp(400), "phases": [
                {"phase": "PrePivot", "startTime": stamp(1_400), "completionTime": stamp(1_300)},
                {"phase": "PostPivot", "startTime": stamp(720), "completionTime": stamp(400)}]}]);
            let mut object = upgrade("Upgrade", conditions, &["Idle", "Rollback"], history);
            object["status"]["rollbackAvailabilityExpiration"] = json!("2026-03-30T10:00:00Z");
            let restore = json!({"apiVersion": "velero.io/v1", "kind": "Restore",
                "metadata": {"name": "app-restore", "namespace": "openshift-adp",
                             "annotations": {"lca.openshift.io/apply-wave": "2"}},
                "status": {"phase": "PartiallyFailed", "errors": 1,
                           "progress": {"totalItems": 61, "itemsRestored": 60}}});
            assessed(facts(&running("4.19.3", vec![object, restore])))
        }
        "rolled-back" => {
            let mut conditions = prepared(4_000);
            conditions.push(condition("UpgradeCompleted", "False", "Failed", "Upgrade failed", 300));
            let cause = "Rollback due to LCA Init Monitor timeout, after 30m0s";
            conditions.push(condition("UpgradeInProgress", "False", "Failed", cause, 300));
            let history = json!([prep_run(4_000), {"stage": "Upgrade", "startTime": stamp(3_400), "phases": [
                {"phase": "PrePivot", "startTime": stamp(3_400), "completionTime": stamp(3_300)}]}]);
            assessed(facts(&running("4.18.22", vec![upgrade("Upgrade", conditions, &["Idle"], history)])))
        }
        other => panic!("no moment {other}"),
    }
}

fn stage(name: &str, width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(World::of(moment(name)), width, height);
    stage.keys("8");
    stage
}

#[test]
fn the_tab_at_three_sizes() {
    for (name, moments) in [("80x24", (80, 24)), ("120x40", (120, 40)), ("200x60", (200, 60))] {
        for moment in ["precache", "prepared", "reboot", "upgraded", "rolled-back"] {
            let screen = stage(moment, moments.0, moments.1).screen();
            insta::assert_snapshot!(format!("image_based_{moment}_{name}"), screen);
        }
    }
}

#[test]
fn the_log_that_matters_is_that_of_the_job_then_that_of_the_agent() {
    let mut stage = stage("precache", 120, 40);
    stage.shows("l logs");
    stage.keys("l").shows("job lca-prep-precache (1 of 2)");
    let (_, first) = stage.view.log_wanted().unwrap();
    assert_eq!(first.of.query.namespace, "openshift-lifecycle-agent");
    assert_eq!(first.of.query.labels, "batch.kubernetes.io/job-name=lca-prep-precache");
    stage.keys("tab").shows("lifecycle agent (2 of 2)");
    let (_, second) = stage.view.log_wanted().unwrap();
    assert_eq!(second.of.query.labels, "app.kubernetes.io/component=lifecycle-agent");
    stage.shows("which the API does not show: journalctl -u installation-configuration");
    let mut stage = self::stage("prepared", 80, 24);
    stage.keys("l").lacks("lca-prep-precache");
    stage.shows("recert");
}

#[test]
fn volumes_on_the_nodes_disks_are_rows_with_what_they_are_known_by() {
    let mut stage = stage("prepared", 160, 45);
    stage.shows("! Delete  shop/data-pvc-1  5Gi");
    stage.shows("pv/pvc-1 spec.persistentVolumeReclaimPolicy = Delete");
    stage.shows("Retain  shop/data-local-logs");
    stage.shows("1 volume on storage elsewhere");
    let mut world = World::of(moment("prepared"));
    let mut facts = Facts::clone(&world.assessment.facts);
    let refused = Trouble {
        kind: TroubleKind::Forbidden,
        words: "user jane may not list persistentvolumes".into(),
        hint: String::new(),
        since: ago(5),
    };
    let state = KindState { status: KindStatus::Forbidden(refused), heard: None, unreadable: Vec::new() };
    facts.kinds.insert(oc_cockpit::upgrade::facts::Kind::PersistentVolumes, state);
    Arc::make_mut(&mut facts.around).persistent_volumes = Arc::default();
    world.assessment = assessed(facts);
    let mut stage = Stage::new(world, 160, 45);
    stage.keys("8").shows("persistentvolumes may not be read: user jane");
    stage.shows("logicalvolume/pvc-1, its PersistentVolume was not read");
}

#[test]
fn the_tab_is_there_only_where_the_kind_is() {
    let mut stage = Stage::new(World::of(moment("prepared")), 120, 40);
    stage.shows("8 Image-based");
    let mut none = World::of(moment("prepared"));
    none.assessment.image_based = None;
    let mut stage = Stage::new(none, 120, 40);
    stage.lacks("8 Image-based");
    stage.keys("8");
    stage.shows("[1 Overview");
}

#[test]
fn while_nobody_answers_nothing_is_said_to_be_possible() {
    let mut stage = stage("reboot", 160, 45);
    stage.shows("nothing, until the picture is live again");
    stage.lacks("→ Idle (abort)");
    stage.shows("rebooting  for 4m");
    stage.keys("e").shows("an image-based upgrade is under way");
    stage.lacks("the guide's formula");
}

#[test]
fn the_next_step_of_a_choice_is_the_choice_itself_where_it_is_shown_already() {
    let mut stage = stage("upgraded", 160, 45);
    stage.keys("n").shows("[actions for");
    stage.shows("Finalize the upgrade");
    stage.shows("Reboot into the former system");
}

#[test]
fn on_a_small_terminal_everything_can_be_reached() {
    let mut stage = stage("upgraded", 80, 24);
    stage.lacks("60/61 items");
    stage.keys("G").shows("a volume goes together with its");
    stage.keys("pgup").shows("60/61 items");
    stage.keys("g").keys("/").types("restore").keys("enter");
    stage.shows("60/61 items");
    stage.lacks("PrePivot");
}

#[test]
fn what_the_header_says_of_a_reboot_is_a_range_that_runs_down() {
    let mut stage = Stage::new(World::of(moment("reboot")), 200, 40);
    stage.shows("expected: the node reboots into 4.19.3; usually back in 2-12m");
    stage.shows("REBOOTING");
    stage.shows("it rolls back by itself");
    stage.world.now += chrono::TimeDelta::minutes(5);
    stage.shows("usually back by now, or within 6m");
    stage.world.now += chrono::TimeDelta::minutes(8);
    stage.shows("away longer than usual by 1m");
    stage.world.now += chrono::TimeDelta::minutes(20);
    stage.shows("it may be rolling back by itself");
}

#[test]
fn credentials_that_are_not_taken_after_a_reboot_are_told_as_what_they_are() {
    let mut world = World::of(moment("reboot"));
    let mut facts = Facts::clone(&world.assessment.facts);
    facts.link.trouble = Some(Trouble {
        kind: TroubleKind::Unauthorized,
        words: "the server does not accept the credentials (401)".into(),
        hint: "log in again (`oc login`): the kubeconfig is read again by itself".into(),
        since: ago(5),
    });
    world.assessment.facts = Arc::new(facts);
    let mut stage = Stage::new(world, 160, 40);
    stage.shows("the API server is back, and does not take the credentials (401): log in again");
}

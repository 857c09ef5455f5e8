//! The lifecycle agent of the simulated cluster: stages as they are asked for over the API, and what comes of them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use http::Method;
use kube::api::{Api, DynamicObject, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use oc_cockpit::sim::actors::{self, Actors};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario, Span};
use oc_cockpit::sim::server::{Options, Server, Simulation, serve};
use serde_json::{Value, json};

use crate::support::sim::{Answer, ask};

const PATH: &str = "/apis/lca.openshift.io/v1/imagebasedupgrades/upgrade";
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const SEED: &str = "registry.example.com:5000/seeds/edge:4.19.3";

/// A single node with a lifecycle agent, asked over the API; its time is moved by hand.
struct Edge {
    simulation: Simulation,
    actors: Actors,
    pace: Pace,
    now: DateTime<Utc>,
}

impl Edge {
    fn new(scenario: &str) -> Self {
        Self::of(&Scenario::load(scenario).unwrap())
    }

    fn with(mishaps: &[Mishap]) -> Self {
        let mut scenario = Scenario::load("ibu").unwrap();
        scenario.faults.extend_from_slice(mishaps);
        Self::of(&scenario)
    }

    fn of(scenario: &Scenario) -> Self {
        let simulation = Simulation::new(&Options::default()).unwrap();
        let stage = simulation.stage();
        let pace = Pace::new(scenario.speed);
        let now = simulation.clock().now();
        let actors = Actors::prepare_with(stage.boards, &stage.store, scenario, &pace, 1, now);
        stage.store.forget_history();
        Self { simulation, actors, pace, now }
    }

    fn pass(&mut self, simulated: Duration) {
        for _ in 0..simulated.as_secs() {
            self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
            self.actors.step(self.now);
        }
    }

    fn until(&mut self, what: &str, limit: Duration, truth: impl Fn(&Self) -> bool) {
        let end = self.actors.elapsed() + limit;
        while !truth(self) {
            assert!(self.actors.elapsed() < end, "{what}: not within {limit:?}\n{:#}", self.upgrade());
            self.pass(Duration::from_secs(1));
        }
    }

    fn get(&self, res: Res, namespace: &str, name: &str) -> Value {
        let object = self.simulation.store().get(res, Some(namespace), name);
        object.map(|object| (*object).clone()).unwrap_or_default()
    }

    fn upgrade(&self) -> Value {
        self.get(Res::IMAGE_BASED_UPGRADES, "", "upgrade")
    }

    fn condition(&self, kind: &str) -> Value {
        let upgrade = self.upgrade();
        let list = upgrade["status"]["conditions"].as_array().cloned().unwrap_or_default();
        list.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
    }

    /// `True/Completed`, or nothing.
    fn state(&self, kind: &str) -> String {
        let condition = self.condition(kind);
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        if condition.is_null() { String::new() } else { format!("{}/{}", text("status"), text("reason")) }
    }

    fn message(&self, kind: &str) -> String {
        self.condition(kind)["message"].as_str().unwrap_or_default().to_owned()
    }

    /// All conditions in the order of the list.
    fn conditions(&self) -> Vec<String> {
        let upgrade = self.upgrade();
        let list = upgrade["status"]["conditions"].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|it| {
                format!(
                    "{}={}/{}",
                    it["type"].as_str().unwrap(),
                    it["status"].as_str().unwrap(),
                    it["reason"].as_str().unwrap()
                )
            })
            .collect()
    }

    fn next(&self) -> Vec<String> {
        let upgrade = self.upgrade();
        let stages = upgrade["status"]["validNextStages"].as_array().cloned().unwrap_or_default();
        stages.iter().map(|stage| stage.as_str().unwrap().to_owned()).collect()
    }

    async fn patch(&self, body: &Value) -> Answer {
        ask(&self.simulation, Method::PATCH, PATH, &[MERGE], body.to_string()).await
    }

    async fn stage(&self, stage: &str) {
        let answer = self.patch(&json!({"spec": {"stage": stage}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    async fn prep(&self) {
        let content = json!([
            {"name": "acm-klusterlet", "namespace": "openshift-adp"}, {"name": "edge-apps", "namespace": "openshift-adp"},
        ]);
        let spec = json!({
            "oadpContent": content, "seedImageRef": {"image": SEED, "version": "4.19.3"}, "stage": "Prep",
        });
        let answer = self.patch(&json!({"spec": spec})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// What the whole list reads while nothing has failed, up to and including what is named.
const PREPARED: [&str; 3] = ["Idle=False/InProgress", "PrepInProgress=False/Completed", "PrepCompleted=True/Completed"];

fn with(more: &[&str]) -> Vec<String> {
    PREPARED.iter().chain(more).map(|it| (*it).to_owned()).collect()
}

impl Edge {
    async fn prepared(&mut self) {
        self.prep().await;
        self.until("prepared", 10 * MINUTE, |edge| edge.state("PrepCompleted") == "True/Completed");
    }

    /// Up to the moment when the machine goes down for the pivot.
    async fn pivoting(&mut self) {
        self.prepared().await;
        self.stage("Upgrade").await;
        self.until("down", 10 * MINUTE, |edge| edge.actors.is_down());
    }

    /// Up to the first word of the agent in the new stateroot.
    async fn pivoted(&mut self) {
        self.pivoting().await;
        self.until("pivoted", 20 * MINUTE, |edge| edge.next() == ["Rollback"]);
    }

    async fn upgraded(&mut self) {
        self.pivoted().await;
        self.until("upgraded", 20 * MINUTE, |edge| edge.state("UpgradeCompleted") == "True/Completed");
    }

    /// Up to the agent's first word after the machine has come back in the old stateroot by itself.
    fn comes_back(&mut self, limit: Duration) {
        self.until("back", limit, |edge| {
            edge.version() == "4.18.22" && edge.state("UpgradeCompleted") == "False/Failed"
        });
    }

    fn version(&self) -> String {
        let version = self.get(Res::CLUSTER_VERSIONS, "", "version");
        version["status"]["desired"]["version"].as_str().unwrap().to_owned()
    }

    fn phases(&self, stage: &str) -> Vec<String> {
        let upgrade = self.upgrade();
        let history = upgrade["status"]["history"].as_array().cloned().unwrap_or_default();
        let entry = history.iter().find(|entry| entry["stage"] == stage).cloned().unwrap_or_default();
        let phases = entry["phases"].as_array().cloned().unwrap_or_default();
        phases.iter().map(|phase| phase["phase"].as_str().unwrap().to_owned()).collect()
    }

    async fn ask(&self, method: Method, path: &str) -> Answer {
        ask(&self.simulation, method, path, &[], "").await
    }

    async fn annotate(&self, key: &str, value: Value) {
        let answer = self.patch(&json!({"metadata": {"annotations": {key: value}}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

fn mishap(kind: MishapKind) -> Mishap {
    Mishap::now(kind, "")
}

#[tokio::test(start_paused = true)]
async fn every_moment_of_an_upgrade_reads_as_the_agent_writes_it() {
    let mut edge = Edge::new("ibu");
    assert_eq!((edge.conditions(), edge.next()), (vec!["Idle=True/Idle".to_owned()], vec!["Prep".to_owned()]));

    edge.prep().await;
    assert_eq!(edge.upgrade()["metadata"]["generation"], 2);
    assert_eq!(edge.upgrade()["status"]["observedGeneration"], 1, "the agent has not caught up");
    edge.until("prep", MINUTE, |edge| edge.message("PrepInProgress").starts_with("Stateroot setup job"));
    assert_eq!(edge.conditions(), ["Idle=False/InProgress", "PrepInProgress=True/InProgress"]);
    assert_eq!((edge.next(), edge.phases("Prep")), (vec!["Idle".to_owned()], vec!["Stateroot".to_owned()]));
    assert!(edge.message("PrepInProgress").ends_with("job-namespace: openshift-lifecycle-agent"));
    edge.until("precache", 5 * MINUTE, |edge| edge.message("PrepInProgress").contains("pulled: 54, failed: 0)"));
    assert!(
        edge.message("PrepInProgress")
            .contains("lca-prep-precache, job-namespace: openshift-lifecycle-agent. total: 136 (")
    );

    edge.until("prepared", 5 * MINUTE, |edge| !edge.state("PrepCompleted").is_empty());
    assert_eq!((edge.conditions(), edge.next()), (with(&[]), vec!["Idle".to_owned(), "Upgrade".to_owned()]));
    assert_eq!(edge.message("PrepCompleted"), "Prep stage completed successfully");

    edge.stage("Upgrade").await;
    for message in [
        "Backing up Application Data",
        "Backup of Application Data is in progress",
        "Exporting Application Configuration",
        "Exporting Policy and Config Manifests",
        "Exporting Cluster, LVM, and cert-manager configuration",
        "In progress",
    ] {
        edge.until(message, 3 * MINUTE, |edge| edge.message("UpgradeInProgress") == message);
        assert_eq!(
            (edge.conditions(), edge.next()),
            (with(&["UpgradeInProgress=True/InProgress"]), vec!["Idle".to_owned()])
        );
    }
    let old = edge.get(Res::CLUSTER_VERSIONS, "", "version");
    edge.until("down", MINUTE, |edge| edge.actors.is_down());
    assert_eq!(edge.ask(Method::GET, PATH).await.status, 503);
    let away = edge.actors.elapsed();
    edge.until("up", 20 * MINUTE, |edge| !edge.actors.is_down());
    assert_eq!(edge.actors.elapsed().saturating_sub(away).as_secs(), 560);

    // The API is back before the agent: what it shows first is the seed's, then nothing, then something without a status.
    assert_ne!(edge.get(Res::CLUSTER_VERSIONS, "", "version")["metadata"]["uid"], old["metadata"]["uid"]);
    assert_eq!((edge.conditions(), edge.next()), (vec!["Idle=True/Idle".to_owned()], vec!["Prep".to_owned()]));
    edge.until("404", 3 * MINUTE, |edge| edge.upgrade().is_null());
    assert_eq!(edge.ask(Method::GET, PATH).await.status, 404);
    edge.until("created", MINUTE, |edge| !edge.upgrade().is_null());
    assert!(edge.upgrade().get("status").is_none());
    edge.until("status", MINUTE, |edge| edge.next() == ["Rollback"]);
    assert_eq!(edge.conditions(), with(&["UpgradeInProgress=True/InProgress"]));
    assert_eq!(
        (edge.upgrade()["metadata"]["generation"].clone(), edge.phases("Upgrade")),
        (json!(1), vec!["PrePivot".to_owned(), "PostPivot".to_owned()])
    );
    assert!(edge.upgrade()["status"]["rollbackAvailabilityExpiration"].is_string());
    assert!(
        edge.message("UpgradeInProgress")
            .starts_with("Waiting for system to stabilize: one or more health checks failed: \n  - ")
    );
    for message in [
        "Applying Policy Manifests",
        "Applying Config Manifests",
        "Restoring Application Data",
        "Restore of Application Data is in progress",
    ] {
        edge.until(message, 5 * MINUTE, |edge| edge.message("UpgradeInProgress") == message);
    }
    edge.until("done", 10 * MINUTE, |edge| !edge.state("UpgradeCompleted").is_empty());
    let done = with(&["UpgradeInProgress=False/Completed", "UpgradeCompleted=True/Completed"]);
    assert_eq!((edge.conditions(), edge.next()), (done, vec!["Idle".to_owned(), "Rollback".to_owned()]));
    let entry = &edge.upgrade()["status"]["history"][1];
    assert!(entry["completionTime"].is_string() && entry["phases"][1]["completionTime"].is_string(), "{entry}");

    edge.stage("Idle").await;
    edge.until("finalizing", MINUTE, |edge| edge.state("Idle") == "False/Finalizing");
    assert!(edge.next().is_empty() && edge.upgrade()["status"].get("validNextStages").is_none());
    assert_eq!(edge.state("UpgradeCompleted"), "True/Completed", "what was is still told");
    assert!(edge.upgrade()["status"].get("history").is_none(), "but not when it was");
    edge.until("idle", 5 * MINUTE, |edge| edge.state("Idle") == "True/Idle");
    assert_eq!(edge.conditions(), ["Idle=True/Idle"]);
    let status = edge.upgrade()["status"].clone();
    assert!(status.get("history").is_none() && status.get("rollbackAvailabilityExpiration").is_none(), "{status}");
    assert!(edge.simulation.store().list(Res::BACKUPS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_etcd_answers_after_the_pivot_and_the_old_one_after_a_rollback() {
    let mut edge = Edge::new("ibu");
    let identity = |edge: &Edge, res: Res, name: &str| edge.get(res, "", name)["metadata"]["uid"].clone();
    let (node, cluster) = (identity(&edge, Res::NODES, "master-0"), identity(&edge, Res::CLUSTER_VERSIONS, "version"));
    let id = edge.get(Res::CLUSTER_VERSIONS, "", "version")["spec"]["clusterID"].clone();
    edge.pivoting().await;
    let before = edge.simulation.store().resource_version();
    edge.until("up", 20 * MINUTE, |edge| !edge.actors.is_down());
    let after = edge.simulation.store().resource_version();
    assert!(after < before / 2, "{after} after {before}");
    assert_eq!(edge.version(), "4.19.3");
    let version = edge.get(Res::CLUSTER_VERSIONS, "", "version");
    assert_eq!((version["spec"]["clusterID"].clone(), version["status"]["history"].as_array().unwrap().len()), (id, 1));
    assert_ne!(identity(&edge, Res::NODES, "master-0"), node);
    let ready = |edge: &Edge| {
        let node = edge.get(Res::NODES, "", "master-0");
        let list = node["status"]["conditions"].as_array().cloned().unwrap();
        list.iter().find(|it| it["type"] == "Ready").unwrap()["status"].clone()
    };
    assert_eq!(ready(&edge), "False");
    assert!(edge.simulation.store().list(Res::PODS).iter().all(|pod| pod["metadata"]["namespace"] != "edge"));

    // A version of the old etcd lies in the future of this one: a list waits for it in vain, a watch is silent.
    let nodes = format!("/api/v1/nodes?resourceVersion={before}&resourceVersionMatch=NotOlderThan");
    let list = edge.ask(Method::GET, &nodes).await;
    assert_eq!(list.status, 504, "{}", list.text);
    assert!(list.text.contains("Too large resource version"), "{}", list.text);
    let watch = format!("/api/v1/nodes?watch=1&resourceVersion={before}&timeoutSeconds=20&allowWatchBookmarks=true");
    edge.pass(Duration::from_secs(40));
    let silent = edge.ask(Method::GET, &watch).await;
    assert_eq!((silent.status, silent.text.as_str()), (200, ""));

    edge.until("upgraded", 20 * MINUTE, |edge| edge.state("UpgradeCompleted") == "True/Completed");
    assert_eq!(ready(&edge), "True");
    assert!(edge.simulation.store().list(Res::PODS).iter().any(|pod| pod["metadata"]["namespace"] == "edge"));
    assert_eq!(edge.simulation.store().list(Res::LOGICAL_VOLUMES).len(), 2);
    edge.stage("Rollback").await;
    edge.until("old", 20 * MINUTE, |edge| edge.version() == "4.18.22");
    assert_eq!(identity(&edge, Res::NODES, "master-0"), node);
    assert_eq!(identity(&edge, Res::CLUSTER_VERSIONS, "version"), cluster);
    assert!(edge.simulation.store().resource_version() >= before);
    let old = format!("/api/v1/nodes?watch=1&resourceVersion={after}&timeoutSeconds=5");
    let gone = edge.ask(Method::GET, &old).await;
    assert!(gone.text.contains("\"code\":410"), "{}", gone.text);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_somebody_asked_for_ends_in_the_old_system() {
    let mut edge = Edge::new("ibu");
    edge.upgraded().await;
    edge.stage("Rollback").await;
    edge.until("initiated", MINUTE, |edge| edge.message("RollbackInProgress") == "Initiating rollback");
    let requested = ["UpgradeCompleted=False/Failed", "UpgradeInProgress=False/Failed"];
    let running = [&requested[..], &["RollbackInProgress=True/InProgress"]].concat();
    assert_eq!((edge.conditions(), edge.next()), (with(&running), Vec::<String>::new()));
    assert_eq!(
        (edge.message("UpgradeInProgress"), edge.message("UpgradeCompleted")),
        ("Rollback requested".to_owned(), "Rollback requested".to_owned())
    );
    assert!(edge.upgrade()["status"]["rollbackAvailabilityExpiration"].is_null());
    edge.until("down", MINUTE, |edge| edge.actors.is_down());
    let away = edge.actors.elapsed();
    edge.until("up", 20 * MINUTE, |edge| !edge.actors.is_down());
    assert_eq!(edge.actors.elapsed().saturating_sub(away).as_secs(), 450);
    edge.until("done", 5 * MINUTE, |edge| !edge.state("RollbackCompleted").is_empty());
    let done = [&requested[..], &["RollbackInProgress=False/Completed", "RollbackCompleted=True/Completed"]].concat();
    assert_eq!((edge.conditions(), edge.next()), (with(&done), vec!["Idle".to_owned()]));
    assert_eq!(edge.message("RollbackCompleted"), "Rollback completed");
    assert_eq!(edge.phases("Rollback"), Vec::<String>::new());
    edge.stage("Idle").await;
    edge.until("finalizing", MINUTE, |edge| edge.state("Idle") == "False/Finalizing");
    edge.until("idle", 5 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    // And once more from the start.
    edge.prep().await;
    edge.until("prepared again", 10 * MINUTE, |edge| edge.state("PrepCompleted") == "True/Completed");
}

#[tokio::test(start_paused = true)]
async fn a_prep_that_fails_says_why_and_offers_idle() {
    let invalid = |spec: Value| (Vec::new(), spec);
    let seed = |version: &str| json!({"seedImageRef": {"image": SEED, "version": version}});
    let maps = |list: &str| json!({list: [{"name": "nowhere", "namespace": "openshift-adp"}], "seedImageRef": {"image": SEED, "version": "4.19.3"}});
    let cases = [
        (vec![mishap(MishapKind::SeedUnreachable)], seed("4.19.3"), "failed to pull image"),
        (vec![mishap(MishapKind::PrecacheFailed)], seed("4.19.3"), "precache job failed to complete"),
        invalid_case(invalid(seed("4.18.22")), "is not higher than the version of the cluster"),
        invalid_case(invalid(seed("4.19.4")), "differs from version in seed image"),
        invalid_case(invalid(maps("oadpContent")), "configmap openshift-adp/nowhere not found"),
        invalid_case(invalid(maps("extraManifests")), "configmap openshift-adp/nowhere not found"),
    ];
    for (mishaps, mut spec, cause) in cases {
        let mut edge = Edge::with(&mishaps);
        spec["stage"] = json!("Prep");
        assert_eq!(edge.patch(&json!({"spec": spec})).await.status, 200);
        edge.until(cause, 10 * MINUTE, |edge| edge.state("PrepCompleted") == "False/Failed");
        assert!(edge.message("PrepInProgress").contains(cause), "{}", edge.message("PrepInProgress"));
        assert_eq!(
            edge.conditions(),
            ["Idle=False/InProgress", "PrepCompleted=False/Failed", "PrepInProgress=False/Failed"]
        );
        assert_eq!((edge.message("PrepCompleted"), edge.next()), ("Prep failed".to_owned(), vec!["Idle".to_owned()]));
        edge.stage("Idle").await;
        edge.until("aborting", MINUTE, |edge| edge.state("Idle") == "False/Aborting");
        // The backups of content that is named are looked for in their storage, which is available.
        edge.until("idle", 10 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
        let jobs = edge.simulation.store().list(Res::JOBS);
        assert!(jobs.is_empty(), "{jobs:?}");
    }
}

fn invalid_case((mishaps, spec): (Vec<Mishap>, Value), cause: &str) -> (Vec<Mishap>, Value, &str) {
    (mishaps, spec, cause)
}

#[tokio::test(start_paused = true)]
async fn extra_manifests_are_checked_before_and_applied_after_the_pivot() {
    let mut edge = Edge::new("ibu");
    let map = |name: &str, manifest: &str| json!({"metadata": {"name": name, "namespace": "openshift-adp"}, "data": {"a.yaml": manifest}});
    let store = edge.simulation.store();
    store.create(
        Res::CONFIGMAPS,
        map(
            "refused",
            "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\nmetadata:\n  name: mine\n",
        ),
        edge.now,
    );
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: extra\n";
    store.create(Res::CONFIGMAPS, map("fine", namespace), edge.now);
    let spec = |name: &str| {
        json!({"spec": {"extraManifests": [{"name": name, "namespace": "openshift-adp"}], "stage": "Prep",
                        "seedImageRef": {"image": SEED, "version": "4.19.3"}}})
    };
    assert_eq!(edge.patch(&spec("refused")).await.status, 200);
    edge.until("refused", MINUTE, |edge| edge.state("PrepCompleted") == "False/Failed");
    assert!(edge.message("PrepInProgress").contains("MachineConfig is not allowed"));
    edge.stage("Idle").await;
    edge.until("idle", 5 * MINUTE, |edge| edge.next() == ["Prep"]);
    assert_eq!(edge.patch(&spec("fine")).await.status, 200);
    edge.until("prepared", 10 * MINUTE, |edge| edge.state("PrepCompleted") == "True/Completed");
    edge.stage("Upgrade").await;
    edge.until("upgraded", 40 * MINUTE, |edge| edge.state("UpgradeCompleted") == "True/Completed");
    assert!(!edge.get(Res::NAMESPACES, "", "extra").is_null());
    // Nothing was backed up, so that nothing came back.
    assert!(edge.simulation.store().list(Res::RESTORES).is_empty());
    assert!(edge.simulation.store().list(Res::LOGICAL_VOLUMES).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_at_rest_is_waited_for() {
    let mut edge = Edge::with(&[Mishap::now(MishapKind::OperatorDegraded, "ingress").lasting(Span::seconds(200))]);
    edge.pass(Duration::from_secs(10));
    edge.prep().await;
    edge.until("waits", MINUTE, |edge| edge.message("PrepInProgress").contains("ingress (degraded)"));
    assert!(edge.message("PrepInProgress").starts_with(
        "Waiting for system to stabilize before Prep stage can continue: one or more health checks failed: \n  - "
    ));
    assert_eq!(edge.state("PrepInProgress"), "True/InProgress");
    edge.until("goes on", 5 * MINUTE, |edge| edge.message("PrepInProgress").starts_with("Stateroot"));
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_fails_ends_the_upgrade_before_the_pivot_and_an_abort_cleans_up() {
    let mut edge = Edge::with(&[mishap(MishapKind::BackupFailed)]);
    edge.prepared().await;
    edge.stage("Upgrade").await;
    edge.until("failed", 10 * MINUTE, |edge| edge.state("UpgradeCompleted") == "False/Failed");
    assert_eq!(
        edge.message("UpgradeInProgress"),
        "failed to backup application data: backups failed: acm-klusterlet (PartiallyFailed)"
    );
    assert_eq!(edge.conditions(), with(&["UpgradeCompleted=False/Failed", "UpgradeInProgress=False/Failed"]));
    assert_eq!((edge.message("UpgradeCompleted"), edge.next()), ("Upgrade failed".to_owned(), vec!["Idle".to_owned()]));
    let backup = edge.get(Res::BACKUPS, "openshift-adp", "acm-klusterlet");
    assert_eq!(
        (backup["status"]["phase"].clone(), backup["status"]["progress"]["totalItems"].clone()),
        (json!("PartiallyFailed"), json!(40))
    );
    edge.stage("Idle").await;
    edge.until("idle", 5 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    assert!(edge.simulation.store().list(Res::BACKUPS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_the_pivot_rolls_back_by_itself() {
    for (kind, cause, post_pivot) in [
        (
            MishapKind::RestoreFailed,
            "Rollback due to restore failure: restores failed: acm-klusterlet (PartiallyFailed)",
            true,
        ),
        (MishapKind::PolicyManifestsFailed, "Rollback due to failure applying policy manifests: ", true),
        (MishapKind::ConfigManifestsFailed, "Rollback due to failure applying config manifests: ", true),
        (MishapKind::DataProtectionMissing, "Rollback due to missing DataProtectionApplication: ", true),
        (MishapKind::UpgradeHangs, "Rollback due to LCA Init Monitor timeout, after 30m0s", false),
        (MishapKind::BootConfigFailed, "Rollback due to service-unit failure: component config", false),
        (MishapKind::UncontrolledRollback, "Uncontrolled rollback", false),
    ] {
        let mut edge = Edge::with(&[mishap(kind)]);
        edge.pivoting().await;
        edge.comes_back(2 * HOUR);
        assert!(edge.message("UpgradeInProgress").starts_with(cause), "{kind}: {}", edge.message("UpgradeInProgress"));
        let failed = ["UpgradeCompleted=False/Failed", "UpgradeInProgress=False/Failed"];
        assert_eq!((edge.conditions(), edge.next()), (with(&failed), vec!["Idle".to_owned()]), "{kind}");
        let spec = edge.upgrade()["spec"]["stage"].clone();
        assert_eq!((spec, edge.message("UpgradeCompleted")), (json!("Upgrade"), "Upgrade failed".to_owned()));
        // The old stateroot knows of the time after the pivot what the agent could still write there.
        assert_eq!(edge.phases("Upgrade").contains(&"PostPivot".to_owned()), post_pivot, "{kind}");
        edge.stage("Idle").await;
        edge.until("idle", 10 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_automatic_rollback_that_is_switched_off_leaves_it_to_a_person() {
    let completion = "auto-rollback-on-failure.lca.openshift.io/upgrade-completion";
    let mut edge = Edge::with(&[mishap(MishapKind::RestoreFailed)]);
    edge.pivoted().await;
    // This one is looked at when it matters.
    edge.annotate(completion, json!("Disabled")).await;
    edge.until("failed", 20 * MINUTE, |edge| edge.state("UpgradeCompleted") == "False/Failed");
    assert_eq!(edge.message("UpgradeInProgress"), "restore failure: restores failed: acm-klusterlet (PartiallyFailed)");
    assert_eq!((edge.next(), edge.version()), (vec!["Rollback".to_owned()], "4.19.3".to_owned()));
    let idle = edge.patch(&json!({"spec": {"stage": "Idle"}})).await;
    assert_eq!(idle.status, 422);
    edge.stage("Rollback").await;
    edge.until("rolled back", 30 * MINUTE, |edge| edge.state("RollbackCompleted") == "True/Completed");

    // Those were copied in Prep: switched off later they act all the same, switched off before they do not.
    let monitor = "auto-rollback-on-failure.lca.openshift.io/init-monitor";
    let mut late = Edge::with(&[mishap(MishapKind::UpgradeHangs)]);
    late.prepared().await;
    late.annotate(monitor, json!("Disabled")).await;
    late.stage("Upgrade").await;
    late.comes_back(2 * HOUR);
    let mut early = Edge::with(&[mishap(MishapKind::UpgradeHangs)]);
    early.annotate(monitor, json!("Disabled")).await;
    early.pivoted().await;
    early.pass(HOUR);
    assert!(early.message("UpgradeInProgress").starts_with("Waiting for system to fully stabilize: "));
    let case = early.actors.mishaps().cases()[0].id;
    assert!(early.actors.mishaps().end(case));
    early.until("done after all", 5 * MINUTE, |edge| edge.state("UpgradeCompleted") == "True/Completed");
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_counts_from_the_boot_and_by_the_time_that_was_set() {
    let mut edge = Edge::with(&[mishap(MishapKind::UpgradeHangs)]);
    let answer = edge.patch(&json!({"spec": {"autoRollbackOnFailure": {"initMonitorTimeoutSeconds": 900}}})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    edge.pivoting().await;
    let left = edge.actors.elapsed();
    edge.until("up", 20 * MINUTE, |edge| !edge.actors.is_down());
    let up = edge.actors.elapsed();
    edge.until("down again", HOUR, |edge| edge.actors.is_down());
    let bitten = edge.actors.elapsed();
    assert!(bitten > left + 15 * MINUTE && bitten < up + 15 * MINUTE, "{left:?} {up:?} {bitten:?}");
    edge.comes_back(HOUR);
    assert_eq!(edge.message("UpgradeInProgress"), "Rollback due to LCA Init Monitor timeout, after 15m0s");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_is_the_end_and_one_may_wait_for_a_person() {
    let mut edge = Edge::with(&[mishap(MishapKind::RollbackFailed)]);
    edge.upgraded().await;
    edge.stage("Rollback").await;
    edge.until("failed", 5 * MINUTE, |edge| edge.state("RollbackCompleted") == "False/Failed");
    assert_eq!(edge.message("RollbackCompleted"), "Rollback failed");
    assert!(edge.message("RollbackInProgress").contains("No space left on device"));
    assert!(edge.next().is_empty());
    edge.annotate("lca.openshift.io/manual-cleanup-done", json!("")).await;
    edge.pass(10 * MINUTE);
    assert_eq!(edge.state("RollbackCompleted"), "False/Failed", "no annotation helps");
    // Only the record can be begun anew.
    edge.ask(Method::DELETE, PATH).await;
    edge.until("fresh", MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    assert_eq!(edge.version(), "4.19.3");

    let mut waiting = Edge::with(&[mishap(MishapKind::DefaultDeploymentManual)]);
    waiting.upgraded().await;
    waiting.stage("Rollback").await;
    let message = "default deployment must be manually set for next boot";
    waiting.until("waits", 5 * MINUTE, |edge| edge.message("RollbackInProgress") == message);
    let case = waiting.actors.mishaps().cases()[0].id;
    assert!(waiting.actors.mishaps().end(case));
    waiting.until("rolled back", 30 * MINUTE, |edge| edge.state("RollbackCompleted") == "True/Completed");
}

const CLEANED: &str = "lca.openshift.io/manual-cleanup-done";
const SECRET: &str = "/api/v1/namespaces/openshift-adp/secrets/cloud-credentials";
const LOCATION: &str = "/apis/velero.io/v1/namespaces/openshift-adp/backupstoragelocations/dpa-edge-1";

#[tokio::test(start_paused = true)]
async fn an_abort_that_cannot_clean_up_succeeds_once_the_backup_location_is_back() {
    let mut edge = Edge::new("ibu-abort-failed");
    edge.until("prep", 2 * MINUTE, |edge| edge.state("PrepInProgress") == "True/InProgress");
    edge.until("prepared", 10 * MINUTE, |edge| edge.state("PrepCompleted") == "True/Completed");
    let phase =
        |edge: &Edge| edge.get(Res::BACKUP_STORAGE_LOCATIONS, "openshift-adp", "dpa-edge-1")["status"]["phase"].clone();
    assert_eq!(phase(&edge), "Unavailable");
    edge.stage("Idle").await;
    edge.until("failed", 5 * MINUTE, |edge| edge.state("Idle") == "False/AbortFailed");
    let message = edge.message("Idle");
    assert!(message.contains("BackupStorageLocation openshift-adp/dpa-edge-1 is Unavailable"), "{message}");
    assert!(message.ends_with("Perform cleanup manually then add 'lca.openshift.io/manual-cleanup-done' annotation to ibu CR to transition back to Idle"));
    assert!(edge.next().is_empty());
    assert_eq!(edge.patch(&json!({"spec": {"stage": "Prep"}})).await.status, 422);

    // Too early: the agent takes the annotation away and fails again.
    edge.annotate(CLEANED, json!("")).await;
    edge.until("aborting", MINUTE, |edge| edge.state("Idle") == "False/Aborting");
    edge.until("failed again", 5 * MINUTE, |edge| edge.state("Idle") == "False/AbortFailed");
    assert!(edge.upgrade()["metadata"]["annotations"].get(CLEANED).is_none());

    let credentials = json!({"stringData": null, "data": {"cloud": "bmV3"}});
    let answer = ask(&edge.simulation, Method::PATCH, SECRET, &[MERGE], credentials.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    edge.until("available", 2 * MINUTE, |edge| phase(edge) == "Available");
    edge.pass(MINUTE);
    edge.annotate("lca.openshift.io/trigger-reconcile", json!("now")).await;
    edge.pass(MINUTE);
    assert_eq!(edge.state("Idle"), "False/AbortFailed", "none of that makes the agent try again");
    edge.annotate(CLEANED, json!("yes")).await;
    edge.until("idle", 5 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    assert!(edge.upgrade()["metadata"]["annotations"].get(CLEANED).is_none());
    assert_eq!(edge.next(), ["Prep"]);
}

#[tokio::test(start_paused = true)]
async fn a_finalize_waits_for_health_and_what_it_cannot_remove_is_told() {
    let mut edge = Edge::new("ibu");
    edge.upgraded().await;
    edge.actors.mishaps().add(mishap(MishapKind::CleanupFailed));
    let ingress = edge.actors.mishaps().add(Mishap::now(MishapKind::OperatorDegraded, "ingress"));
    edge.pass(Duration::from_secs(20));
    edge.stage("Idle").await;
    edge.until("waits", MINUTE, |edge| edge.message("Idle").contains("ingress"));
    assert!(
        edge.message("Idle").starts_with("Waiting for system to stabilize before finalize (idle) stage can continue: ")
    );
    assert_eq!(edge.state("Idle"), "False/Finalizing");
    assert!(edge.actors.mishaps().end(ingress));
    edge.until("failed", 5 * MINUTE, |edge| edge.state("Idle") == "False/FinalizeFailed");
    assert!(edge.message("Idle").contains("target is busy"), "{}", edge.message("Idle"));
    assert_eq!((edge.state("UpgradeCompleted"), edge.next().len()), ("True/Completed".to_owned(), 0));
    let case = edge.actors.mishaps().cases().iter().find(|case| case.is_on()).unwrap().id;
    assert!(edge.actors.mishaps().end(case));
    edge.annotate(CLEANED, json!("")).await;
    edge.until("idle", 5 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    let way_back = edge.patch(&json!({"spec": {"stage": "Rollback"}})).await;
    assert_eq!(way_back.status, 422, "there is no way back after a finalize");
}

#[tokio::test(start_paused = true)]
async fn a_location_that_moves_is_available_again_too() {
    let mut edge = Edge::with(&[mishap(MishapKind::BackupLocationUnavailable)]);
    let phase =
        |edge: &Edge| edge.get(Res::BACKUP_STORAGE_LOCATIONS, "openshift-adp", "dpa-edge-1")["status"]["phase"].clone();
    edge.until("unavailable", MINUTE, |edge| phase(edge) == "Unavailable");
    let elsewhere = json!({"spec": {"objectStorage": {"bucket": "edge-2"}}});
    assert_eq!(ask(&edge.simulation, Method::PATCH, LOCATION, &[MERGE], elsewhere.to_string()).await.status, 200);
    edge.until("available", 2 * MINUTE, |edge| phase(edge) == "Available");
    assert!(edge.actors.mishaps().cases()[0].ended.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_abort_during_the_stateroot_job_waits_for_its_pod() {
    let mut edge = Edge::new("ibu");
    edge.prep().await;
    edge.until("job", MINUTE, |edge| !edge.simulation.store().list(Res::JOBS).is_empty());
    let pods = |edge: &Edge| -> Vec<String> {
        let pods = edge.simulation.store().list(Res::PODS);
        let names = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str());
        names.filter(|name| name.starts_with("lca-prep-")).map(str::to_owned).collect()
    };
    let pod = pods(&edge).pop().unwrap();
    let log = edge.ask(Method::GET, &format!("/api/v1/namespaces/openshift-lifecycle-agent/pods/{pod}/log")).await;
    assert!(log.text.contains("Pulling seed image"), "{}", log.text);
    edge.stage("Idle").await;
    edge.pass(MINUTE);
    assert_eq!(edge.state("Idle"), "False/Aborting");
    edge.until("idle", 10 * MINUTE, |edge| edge.conditions() == ["Idle=True/Idle"]);
    assert_eq!(pods(&edge), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_api_refuses_what_the_rules_of_the_definition_refuse() {
    let mut edge = Edge::new("ibu");
    let refused = |answer: Answer| {
        assert_eq!(answer.status, 422, "{}", answer.text);
        answer.json()["message"].as_str().unwrap().to_owned()
    };
    let transition = "the stage transition is not permitted. Please refer to status.validNextStages for valid transitions. \
                      If status.validNextStages is not present, it indicates that no transitions are currently allowed";
    for stage in ["Upgrade", "Rollback"] {
        let body = json!({"spec": {"stage": stage}});
        assert!(refused(edge.patch(&body).await).contains(transition));
        let rehearsed =
            ask(&edge.simulation, Method::PATCH, &format!("{PATH}?dryRun=All"), &[MERGE], body.to_string()).await;
        assert!(refused(rehearsed).contains(transition));
    }
    let body = json!({"spec": {"autoRollbackOnFailure": {"initMonitorTimeoutSeconds": -1}}});
    assert!(refused(edge.patch(&body).await).contains("should be greater than or equal to 0"));
    let other = json!({"apiVersion": "lca.openshift.io/v1", "kind": "ImageBasedUpgrade", "metadata": {"name": "other"}, "spec": {"stage": "Idle"}});
    let json = ("content-type", "application/json");
    let created =
        ask(&edge.simulation, Method::POST, "/apis/lca.openshift.io/v1/imagebasedupgrades", &[json], other.to_string())
            .await;
    assert!(refused(created).contains("ibu is a singleton, metadata.name must be 'upgrade'"));
    // A rehearsal that is allowed changes nothing.
    let prep = json!({"spec": {"stage": "Prep", "seedImageRef": {"image": SEED, "version": "4.19.3"}}});
    let rehearsed =
        ask(&edge.simulation, Method::PATCH, &format!("{PATH}?dryRun=All"), &[MERGE], prep.to_string()).await;
    assert_eq!((rehearsed.status, edge.upgrade()["spec"]["stage"].clone()), (200, json!("Idle")));
    edge.prepared().await;
    for field in ["seedImageRef", "oadpContent", "extraManifests", "autoRollbackOnFailure"] {
        let value = if matches!(field, "oadpContent" | "extraManifests") {
            json!([{"name": "a", "namespace": "b"}])
        } else {
            json!({})
        };
        let value = if field == "seedImageRef" { json!({"version": "4.19.9"}) } else { value };
        let told = refused(edge.patch(&json!({"spec": {field: value}})).await);
        assert!(told.contains(&format!("can not change spec.{field} while ibu is in progress")), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_got_past_the_rules_is_refused_in_the_status() {
    let mut edge = Edge::new("ibu");
    let force = |edge: &Edge, stage: &str| {
        edge.simulation
            .store()
            .update(Res::IMAGE_BASED_UPGRADES, None, "upgrade", |object| object["spec"]["stage"] = json!(stage));
    };
    force(&edge, "Upgrade");
    edge.until("refused", MINUTE, |edge| edge.state("UpgradeInProgress") == "False/InvalidTransition");
    assert_eq!(edge.message("UpgradeInProgress"), "Previous stage not succeeded");
    force(&edge, "Rollback");
    edge.until("refused", MINUTE, |edge| edge.state("RollbackInProgress") == "False/InvalidTransition");
    assert_eq!(edge.message("RollbackInProgress"), "Upgrade not started or already finalized");
    // Refused once is not refused for ever.
    edge.prepared().await;
    edge.stage("Upgrade").await;
    edge.until("upgrading", MINUTE, |edge| edge.state("UpgradeInProgress") == "True/InProgress");
    let mut pivoted = Edge::new("ibu");
    pivoted.pivoted().await;
    force(&pivoted, "Idle");
    pivoted.until("refused", MINUTE, |edge| edge.state("Idle") == "False/InvalidTransition");
    assert_eq!(pivoted.message("Idle"), "Transition to Idle not allowed - Rollback first");
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_comes_when_the_object_is_saved_is_accepted_and_lost() {
    let mut edge = Edge::new("ibu");
    edge.prepared().await;
    edge.stage("Upgrade").await;
    edge.until("saved", 10 * MINUTE, |edge| {
        edge.upgrade()["status"]["history"][1]["phases"][0]["completionTime"].is_string()
    });
    edge.stage("Idle").await;
    edge.until("down", MINUTE, |edge| edge.actors.is_down());
    edge.until("pivoted", 30 * MINUTE, |edge| edge.next() == ["Rollback"]);
    assert_eq!((edge.upgrade()["spec"]["stage"].clone(), edge.version()), (json!("Upgrade"), "4.19.3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_ip_config_at_work_blocks_and_is_blocked() {
    let mut edge = Edge::new("ibu-auto-rollback");
    let store = edge.simulation.store();
    let set = |stage: &str, status: &str, reason: &str| {
        let condition = json!({"type": "Idle", "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        store.update(Res::IP_CONFIGS, None, "ipconfig", |object| {
            object["spec"]["stage"] = json!(stage);
            object["status"]["conditions"] = json!([condition]);
        });
    };
    set("Config", "False", "InProgress");
    edge.until("blocked", MINUTE, |edge| edge.state("Idle") == "False/Blocked");
    assert_eq!((edge.message("Idle"), edge.next()), ("IPC is not idle".to_owned(), vec!["Idle".to_owned()]));
    set("Idle", "True", "Idle");
    edge.until("free", MINUTE, |edge| edge.state("Idle") == "True/Idle");
    edge.prep_without_content().await;
    edge.until("theirs", MINUTE, |edge| {
        edge.get(Res::IP_CONFIGS, "", "ipconfig")["status"]["conditions"][0]["reason"] == "Blocked"
    });
    edge.until("prepared", 10 * MINUTE, |edge| !edge.state("PrepCompleted").is_empty());
    assert!(
        edge.message("PrepCompleted")
            .starts_with("Prep stage completed with extramanifests validation warning. Please check the annotation '")
    );
    let warning = "extra-manifest.lca.openshift.io/validation-warning";
    assert!(edge.upgrade()["metadata"]["annotations"][warning].as_str().unwrap().contains("PtpConfig"));
    edge.stage("Idle").await;
    edge.until("idle", 5 * MINUTE, |edge| edge.state("Idle") == "True/Idle");
    assert!(edge.upgrade()["metadata"]["annotations"].get(warning).is_none());
    assert_eq!(
        edge.upgrade()["metadata"]["annotations"]["auto-rollback-on-failure.lca.openshift.io/init-monitor"],
        "Disabled"
    );
}

impl Edge {
    async fn prep_without_content(&self) {
        let answer =
            self.patch(&json!({"spec": {"seedImageRef": {"image": SEED, "version": "4.19.3"}, "stage": "Prep"}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn deleting_the_object_is_no_way_out() {
    let mut edge = Edge::new("ibu");
    edge.prepared().await;
    let uid = edge.upgrade()["metadata"]["uid"].clone();
    edge.ask(Method::DELETE, PATH).await;
    edge.until("made again", MINUTE, |edge| !edge.upgrade().is_null());
    assert_ne!(edge.upgrade()["metadata"]["uid"], uid);
    assert_eq!((edge.conditions(), edge.next()), (with(&[]), vec!["Idle".to_owned(), "Upgrade".to_owned()]));
    edge.stage("Upgrade").await;
    edge.until("goes on", MINUTE, |edge| edge.state("UpgradeInProgress") == "True/InProgress");
}

#[tokio::test(start_paused = true)]
async fn without_an_agent_there_is_no_such_kind() {
    let edge = Edge::new("sno");
    for path in [
        "/apis/lca.openshift.io/v1/imagebasedupgrades",
        "/apis/velero.io/v1/backups",
        "/apis/topolvm.io/v1/logicalvolumes",
    ] {
        assert_eq!(edge.ask(Method::GET, path).await.status, 404, "{path}");
    }
    let edge = Edge::new("ibu");
    assert_eq!(edge.ask(Method::GET, "/apis/lca.openshift.io/v1/ipconfigs").await.status, 404);
    assert_eq!(
        edge.ask(Method::GET, "/apis/topolvm.io/v1/logicalvolumes").await.json()["items"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let mut edge = Edge::new("ibu-auto-rollback");
        let start = edge.actors.elapsed();
        edge.pivoting_of("edge-apps").await;
        edge.comes_back(2 * HOUR);
        told.push((
            edge.actors.elapsed().saturating_sub(start),
            edge.message("UpgradeInProgress"),
            edge.upgrade()["metadata"]["uid"].clone(),
        ));
    }
    assert_eq!(told[0], told[1]);
}

impl Edge {
    /// The same as `pivoting`, for scenarios with other content.
    async fn pivoting_of(&mut self, content: &str) {
        let content = json!([{"name": content, "namespace": "openshift-adp"}]);
        let spec =
            json!({"oadpContent": content, "seedImageRef": {"image": SEED, "version": "4.19.3"}, "stage": "Prep"});
        assert_eq!(self.patch(&json!({"spec": spec})).await.status, 200);
        self.until("prepared", 10 * MINUTE, |edge| edge.state("PrepCompleted") == "True/Completed");
        self.stage("Upgrade").await;
        self.until("down", 10 * MINUTE, |edge| edge.actors.is_down());
    }
}

/// A served scenario that is asked over a socket.
async fn client(server: &Server) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

async fn raw(client: &Client, method: Method, path: &str, body: &Value) -> Result<Value, kube::Error> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = http::Request::builder().method(method).uri(path).header(MERGE.0, MERGE.1).body(body).unwrap();
    client.request::<Value>(request).await
}

#[tokio::test]
async fn over_a_socket_the_reboot_refuses_connections_and_another_cluster_answers_who_knows_no_tokens() {
    let mut scenario = Scenario::load("ibu-auto-rollback").unwrap();
    scenario.faults.clear();
    scenario.speed = 400.0;
    if let Some(agent) = &mut scenario.cluster.lifecycle_agent {
        // Five seconds on the wall: enough to be seen by whoever looks ten times a second.
        agent.durations.reboot = Span::seconds(2_000);
    }
    let options = Options { speed: scenario.speed, ..Options::default() };
    let server = serve(options, Some(actors::play(scenario))).await.unwrap();
    let before = client(&server).await;
    let read = |client: Client| async move { raw(&client, Method::GET, PATH, &Value::Null).await };
    let next = |upgrade: &Value, stage: &str| {
        upgrade["status"]["validNextStages"].as_array().is_some_and(|stages| stages.iter().any(|it| it == stage))
    };
    let wait = Duration::from_millis(50);
    let spec = json!({"spec": {"seedImageRef": {"image": SEED, "version": "4.19.3"}, "stage": "Prep"}});
    raw(&before, Method::PATCH, PATH, &spec).await.unwrap();
    while !next(&read(before.clone()).await.unwrap(), "Upgrade") {
        tokio::time::sleep(wait).await;
    }
    let version = "/apis/config.openshift.io/v1/clusterversions/version";
    let old = raw(&before, Method::GET, version, &Value::Null).await.unwrap();
    let kind = GroupVersionKind::gvk("config.openshift.io", "v1", "ClusterVersion");
    let api: Api<DynamicObject> = Api::all_with(before.clone(), &ApiResource::from_gvk(&kind));
    let mut watch = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    raw(&before, Method::PATCH, PATH, &json!({"spec": {"stage": "Upgrade"}})).await.unwrap();

    // The running watch ends with its connection, and nobody listens.
    while let Ok(Some(_)) = watch.try_next().await {}
    let mut refused = tokio::net::TcpStream::connect(server.address).await;
    while refused.is_ok() {
        tokio::time::sleep(wait).await;
        refused = tokio::net::TcpStream::connect(server.address).await;
    }
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    while tokio::net::TcpStream::connect(server.address).await.is_err() {
        tokio::time::sleep(wait).await;
    }
    let told = read(before).await.unwrap_err();
    assert!(matches!(&told, kube::Error::Api(status) if status.code == 401), "{told}");

    // Whoever logs in again sees another cluster under the same name.
    let new = loop {
        let after = client(&server).await;
        match raw(&after, Method::GET, version, &Value::Null).await {
            Ok(new) => break new,
            Err(error) => assert!(matches!(&error, kube::Error::Api(status) if status.code == 401), "{error}"),
        }
        tokio::time::sleep(wait).await;
    };
    assert_eq!(new["spec"]["clusterID"], old["spec"]["clusterID"]);
    assert_ne!(new["metadata"]["uid"], old["metadata"]["uid"]);
    assert_eq!(new["status"]["desired"]["version"], "4.19.3");
    server.shutdown().await;
}

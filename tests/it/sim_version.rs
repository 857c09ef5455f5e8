//! The simulated cluster version operator reacts to what people write into the ClusterVersion and around it.

use oc_cockpit::sim::cluster::{mirrors, release};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::Scenario;
use serde_json::{Value, json};

use crate::support::bench::{Bench, MINUTE};

const CLUSTER: &str = "/apis/config.openshift.io/v1/clusterversions/version";
const MAPS: &str = "/api/v1/namespaces/openshift-config-managed/configmaps";

fn retrieved(bench: &Bench) -> (String, String, String) {
    bench.said(&bench.version(), "RetrievedUpdates")
}

fn accepted(bench: &Bench) -> (String, String, String) {
    bench.said(&bench.version(), "ReleaseAccepted")
}

fn offered(bench: &Bench) -> Vec<String> {
    let updates = bench.version()["status"]["availableUpdates"].as_array().cloned().unwrap_or_default();
    updates.iter().map(|update| update["version"].as_str().unwrap().to_owned()).collect()
}

fn desired(bench: &Bench) -> Value {
    bench.version()["status"]["desired"].clone()
}

async fn ask_for(bench: &Bench, update: Value) {
    bench.patch(CLUSTER, &json!({"spec": {"desiredUpdate": update}})).await;
}

#[tokio::test(start_paused = true)]
async fn recommendations_follow_channel_and_upstream() {
    let mut bench = Bench::new("minor");
    let since = bench.version()["status"]["conditionalUpdates"].clone();
    assert_eq!(
        (offered(&bench), since[0]["release"]["version"].as_str()),
        (vec!["4.19.3".into(), "4.18.25".into()], Some("4.19.2"))
    );
    bench.patch(CLUSTER, &json!({"spec": {"channel": "stable-4.18"}})).await;
    bench.until("the channel of this minor", MINUTE, |bench| offered(bench) == ["4.18.25"]).await;
    assert!(bench.version()["status"]["conditionalUpdates"].is_null());
    bench.patch(CLUSTER, &json!({"spec": {"channel": "stable-4.77"}})).await;
    bench.until("no such channel", MINUTE, |bench| retrieved(bench).1 == "VersionNotFound").await;
    assert!(offered(&bench).is_empty());
    bench.patch(CLUSTER, &json!({"spec": {"channel": ""}})).await;
    bench.until("no channel", MINUTE, |bench| retrieved(bench).1 == "NoChannel").await;
    bench
        .patch(CLUSTER, &json!({"spec": {"channel": "stable-4.19", "upstream": "https://updates.example.com/graph"}}))
        .await;
    bench.until("nobody is there", MINUTE, |bench| retrieved(bench).1 == "RemoteFailed").await;
    assert!(retrieved(&bench).2.contains("https://updates.example.com/graph"));
    bench.patch(CLUSTER, &json!({"spec": {"upstream": null}})).await;
    bench.until("as before", MINUTE, |bench| offered(bench).len() == 2).await;
    for spec in [json!({"upstream": "nonsense"}), json!({"upstream": null, "channel": "Stable"})] {
        bench.patch(CLUSTER, &json!({"spec": spec})).await;
        bench
            .until("it is invalid", MINUTE, |bench| {
                bench.said(&bench.version(), "Invalid").1 == "InvalidClusterVersion"
            })
            .await;
    }
    bench.patch(CLUSTER, &json!({"spec": {"channel": "stable-4.19"}})).await;
    bench.until("and no more", MINUTE, |bench| bench.said(&bench.version(), "Invalid").0.is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_release_by_digest_is_pulled_from_anywhere_and_one_by_tag_only_by_force() {
    let mut bench = Bench::new("minor");
    let digest = release::digest(&release::image("4.18.25")).to_owned();
    let tag = "registry.example.com/ocp/release:4.18.25-x86_64";
    ask_for(&bench, json!({"image": tag, "version": "", "force": false})).await;
    bench.until("a tag cannot be verified", 2 * MINUTE, |bench| accepted(bench).0 == "False").await;
    assert!(accepted(&bench).2.contains("not accessed via digest cannot be verified"), "{}", accepted(&bench).2);
    assert_eq!(desired(&bench)["version"], "4.18.22");
    let image = format!("registry.example.com/ocp/release@{digest}");
    ask_for(&bench, json!({"image": image, "version": "", "force": false})).await;
    bench.until("a digest can", 2 * MINUTE, |bench| desired(bench)["version"] == "4.18.25").await;
    assert_eq!(desired(&bench)["image"], image.as_str());
    assert_eq!(bench.version()["status"]["history"][0]["verified"], true);

    let mut bench = Bench::new("minor");
    ask_for(&bench, json!({"image": tag, "version": "", "force": true})).await;
    bench.until("force takes the tag", 2 * MINUTE, |bench| desired(bench)["version"] == "4.18.25").await;
    let entry = bench.version()["status"]["history"][0].clone();
    assert_eq!((&entry["verified"], &entry["image"]), (&json!(false), &json!(tag)));
    assert!(entry["acceptedRisks"].as_str().unwrap().contains("cannot be verified, but continuing"));
}

#[tokio::test(start_paused = true)]
async fn without_internet_the_signature_is_applied_and_the_update_asked_for_by_digest() {
    let mut bench = Bench::new("offline");
    assert_eq!(retrieved(&bench).1, "RemoteFailed");
    let digest = release::digest(&release::image("4.18.25")).to_owned();
    let image = format!("registry.corp.example.com:5000/ocp/ocp-release@{digest}");
    ask_for(&bench, json!({"image": image, "version": "", "force": false})).await;
    bench.until("it is not verified", 2 * MINUTE, |bench| accepted(bench).2.contains("cannot be verified")).await;
    let mut signature = mirrors::signature("4.18.25");
    signature["apiVersion"] = json!("v1");
    signature["kind"] = json!("ConfigMap");
    let mut other = signature.clone();
    other["metadata"] = json!({"name": "unlabelled", "namespace": "openshift-config-managed"});
    bench.create(MAPS, &other).await;
    bench.pass(MINUTE).await;
    assert_eq!(accepted(&bench).0, "False", "without its label nobody looks at it");
    bench.create(MAPS, &signature).await;
    bench.until("now it is", 2 * MINUTE, |bench| desired(bench)["version"] == "4.18.25").await;
    assert_eq!(bench.version()["status"]["history"][0]["verified"], true);
}

#[tokio::test(start_paused = true)]
async fn an_update_service_of_ones_own_recommends_what_is_mirrored() {
    let mut bench = Bench::new("offline");
    let services = "/apis/updateservice.operator.openshift.io/v1/namespaces/openshift-update-service/updateservices";
    let olm = "/apis/operators.coreos.com";
    assert_eq!(bench.get(services).await.status, 404, "its operator is not installed");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openshift-update-service"}});
    bench.create("/api/v1/namespaces", &namespace).await;
    let subscription = json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription", "metadata": {"name": "update-service"},
        "spec": {"channel": "v1", "name": "cincinnati-operator", "source": "redhat-operators",
                 "sourceNamespace": "openshift-marketplace", "installPlanApproval": "Automatic"},
    });
    bench.create(&format!("{olm}/v1alpha1/namespaces/openshift-update-service/subscriptions"), &subscription).await;
    bench.pass(MINUTE).await;
    assert_eq!(bench.get(services).await.status, 404, "there is no OperatorGroup");
    let group = json!({
        "apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "metadata": {"name": "update-service"},
        "spec": {"targetNamespaces": ["openshift-update-service"]},
    });
    bench.create(&format!("{olm}/v1/namespaces/openshift-update-service/operatorgroups"), &group).await;
    let store = bench.simulation.store();
    bench.until("the operator is installed", 3 * MINUTE, |_| store.served(Res::UPDATE_SERVICES)).await;
    bench.pass(MINUTE).await;
    let service = |name: &str| {
        json!({
            "apiVersion": "updateservice.operator.openshift.io/v1", "kind": "UpdateService", "metadata": {"name": name},
            "spec": {"replicas": 2, "releases": "registry.corp.example.com:5000/ocp/ocp-release",
                     "graphDataImage": "registry.corp.example.com:5000/ocp/graph-data:latest"},
        })
    };
    let long = "an-update-service-with-a-very-long-name";
    bench.create(services, &service(long)).await;
    bench.create(services, &service("service")).await;
    let own = |bench: &Bench, name: &str| bench.object(Res::UPDATE_SERVICES, Some("openshift-update-service"), name);
    bench
        .until("the long name is refused", MINUTE, |bench| {
            bench.said(&own(bench, long), "ReconcileCompleted").1 == "CreateRouteFailed"
        })
        .await;
    bench
        .until("the other serves", 3 * MINUTE, |bench| {
            bench.said(&own(bench, "service"), "ReconcileCompleted").0 == "True"
        })
        .await;
    let uri = own(&bench, "service")["status"]["policyEngineURI"].as_str().unwrap().to_owned();
    bench.patch(CLUSTER, &json!({"spec": {"upstream": format!("{uri}/api/upgrades_info/v1/graph")}})).await;
    bench.until("it recommends", MINUTE, |bench| offered(bench) == ["4.18.25"]).await;
}

#[tokio::test(start_paused = true)]
async fn payloads_for_all_architectures_come_with_the_same_version_and_reboot_the_nodes() {
    let mut bench = Bench::new("minor");
    let boot = bench.boot("worker-0");
    ask_for(&bench, json!({"architecture": "Multi", "version": "4.18.25", "image": "", "force": false})).await;
    bench
        .until("another version is not on offer", MINUTE, |bench| bench.said(&bench.version(), "Invalid").0 == "True")
        .await;
    ask_for(&bench, json!({"architecture": "Multi", "version": "4.18.22", "image": "", "force": false})).await;
    bench.until("it is accepted", 2 * MINUTE, |bench| desired(bench)["architecture"] == "Multi").await;
    assert_eq!(desired(&bench)["version"], "4.18.22");
    assert_ne!(desired(&bench)["image"], json!(release::image("4.18.22")));
    assert!(accepted(&bench).2.contains("architecture=\"Multi\""));
    bench
        .until("it is done", 120 * MINUTE, |bench| bench.version()["status"]["history"][0]["state"] == "Completed")
        .await;
    bench
        .until("the workers boot it", 120 * MINUTE, |bench| bench.settled("worker") && bench.boot("worker-0") != boot)
        .await;
    assert_eq!(offered(&bench).len(), 2);
    assert_eq!(bench.version()["status"]["availableUpdates"][0]["architecture"], "Multi");
}

#[tokio::test(start_paused = true)]
async fn a_field_that_the_release_does_not_know_is_dropped_and_named() {
    let bench = Bench::new("minor");
    let patch = json!({"spec": {"desiredUpdate": {"acceptRisks": [{"name": "SomeRisk"}], "mode": "Preflight"}}});
    let answer = bench.merge(CLUSTER, &patch).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json()["spec"]["desiredUpdate"].get("acceptRisks").is_none(), "{}", answer.text);
    let warnings: Vec<_> = answer.headers.get_all("warning").iter().map(|it| it.to_str().unwrap().to_owned()).collect();
    assert!(warnings.iter().any(|it| it.contains("spec.desiredUpdate.acceptRisks")), "{warnings:?}");
    let strict = bench.merge(&format!("{CLUSTER}?fieldValidation=Strict"), &patch).await;
    assert_eq!(strict.status, 400);

    let store = bench.simulation.store();
    let gates = json!({"metadata": {"name": "cluster"}, "spec": {"featureSet": "TechPreviewNoUpgrade"}});
    store.create(Res::FEATURE_GATES, gates, bench.simulation.clock().now());
    store.update(Res::CLUSTER_VERSIONS, None, "version", |it| it["status"]["desired"]["version"] = json!("4.22.0"));
    let kept = bench.patch(CLUSTER, &patch).await;
    assert_eq!(kept["spec"]["desiredUpdate"]["acceptRisks"][0]["name"], "SomeRisk");
}

#[tokio::test(start_paused = true)]
async fn overrides_hold_patch_updates_too_up_to_4_20() {
    let mut bench = Bench::new("minor");
    let entry = json!({"kind": "Deployment", "group": "apps", "namespace": "openshift-insights", "name": "insights-operator", "unmanaged": true});
    bench.patch(CLUSTER, &json!({"spec": {"overrides": [entry, entry]}})).await;
    bench
        .until("twice is once too often", MINUTE, |bench| {
            bench.said(&bench.version(), "Invalid").2.contains("overrides must be unique")
        })
        .await;
    bench.patch(CLUSTER, &json!({"spec": {"overrides": [entry]}})).await;
    bench
        .until("minor updates are held", MINUTE, |bench| {
            bench.said(&bench.version(), "Upgradeable").2.contains("Disabling ownership via cluster version overrides")
        })
        .await;
    ask_for(&bench, json!({"version": "4.18.25"})).await;
    bench.until("patch updates too", 2 * MINUTE, |bench| accepted(bench).1 == "PreconditionChecks").await;
    assert!(accepted(&bench).2.contains("ClusterVersionOverridesSet"), "{}", accepted(&bench).2);
    bench.patch(CLUSTER, &json!({"spec": {"overrides": null}})).await;
    bench.until("until they are gone", 2 * MINUTE, |bench| desired(bench)["version"] == "4.18.25").await;
}

#[tokio::test(start_paused = true)]
async fn up_to_4_14_a_minor_update_waits_for_a_backup_of_etcd() {
    let mut scenario = Scenario::load("minor").unwrap();
    scenario.cluster.version = "4.14.30".to_owned();
    scenario.cluster.channel = "stable-4.15".to_owned();
    scenario.cluster.history.clear();
    scenario.gates.clear();
    let mut next = scenario.releases[0].clone();
    next.version = "4.15.20".to_owned();
    next.channels = vec!["stable-4.15".to_owned()];
    scenario.releases = vec![next];
    let mut bench = Bench::of(&scenario);
    ask_for(&bench, json!({"version": "4.15.20"})).await;
    bench.until("it waits", 2 * MINUTE, |bench| accepted(bench).2.contains("EtcdRecentBackup")).await;
    bench
        .until("the backup is made", 3 * MINUTE, |bench| {
            bench.said(&bench.object(Res::CLUSTER_OPERATORS, None, "etcd"), "RecentBackup").0 == "True"
        })
        .await;
    bench.until("the update starts", 2 * MINUTE, |bench| desired(bench)["version"] == "4.15.20").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_is_taken_back_before_it_is_accepted_and_not_after() {
    let mut bench = Bench::new("minor");
    ask_for(&bench, json!({"version": "4.18.25"})).await;
    bench.until("it is retrieved", MINUTE, |bench| accepted(bench).1 == "RetrievePayload").await;
    bench.patch(CLUSTER, &json!({"spec": {"desiredUpdate": null}})).await;
    bench.pass(3 * MINUTE).await;
    assert_eq!((desired(&bench)["version"].as_str(), accepted(&bench).0.as_str()), (Some("4.18.22"), "True"));
    ask_for(&bench, json!({"version": "4.18.25"})).await;
    bench.until("it starts", 2 * MINUTE, |bench| desired(bench)["version"] == "4.18.25").await;
    bench.patch(CLUSTER, &json!({"spec": {"desiredUpdate": null}})).await;
    bench.pass(3 * MINUTE).await;
    assert_eq!(desired(&bench)["version"], "4.18.25");
    assert!(bench.said(&bench.version(), "Progressing").2.starts_with("Working towards 4.18.25"));
}

/// The procedure for two minor updates with one reboot, with what it asks for in order.
#[tokio::test(start_paused = true)]
async fn two_minor_updates_with_one_reboot_of_the_workers_go_all_the_way() {
    let mut bench = Bench::new("canary");
    let pools = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools";
    let acks = "/api/v1/namespaces/openshift-config/configmaps/admin-acks";
    bench.patch(CLUSTER, &json!({"spec": {"channel": "eus-4.18"}})).await;
    bench.patch(&format!("{pools}/worker"), &json!({"spec": {"paused": true}})).await;
    bench.until("the next minor is on offer", MINUTE, |bench| offered(bench) == ["4.17.30"]).await;
    let kubelet = |bench: &Bench, node: &str| {
        bench.node(node)["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap().to_owned()
    };
    let boots: Vec<Value> = (0..8).map(|at| bench.boot(&format!("worker-{at}"))).collect();
    for (version, gate) in
        [("4.17.30", "ack-4.16-kube-1.30-api-removals-in-4.17"), ("4.18.22", "ack-4.17-boot-images-in-4.18")]
    {
        bench.patch(acks, &json!({"data": {gate: "true"}})).await;
        bench
            .until("nothing holds it", 2 * MINUTE, |bench| bench.said(&bench.version(), "Upgradeable").0.is_empty())
            .await;
        bench.until("it is on offer", 5 * MINUTE, |bench| offered(bench).contains(&version.to_owned())).await;
        ask_for(&bench, json!({"version": version})).await;
        bench
            .until("it is done", 240 * MINUTE, |bench| {
                bench.version()["status"]["history"][0]["state"] == "Completed" && desired(bench)["version"] == version
            })
            .await;
        bench.until("and the control plane", 60 * MINUTE, |bench| bench.settled("master")).await;
    }
    assert!(kubelet(&bench, "worker-0").starts_with("v1.29.") && kubelet(&bench, "master-0").starts_with("v1.31."));
    bench.patch(&format!("{pools}/worker"), &json!({"spec": {"paused": false}})).await;
    bench.until("the workers follow at once", 240 * MINUTE, |bench| bench.settled("worker")).await;
    assert!((0..8).all(|at| kubelet(&bench, &format!("worker-{at}")).starts_with("v1.31.")));
    assert!((0..8).all(|at| bench.boot(&format!("worker-{at}")) != boots[at]));
    let reboots = bench.events("Reboot").iter().filter(|event| event.starts_with("worker-0:")).count();
    assert_eq!(reboots, 1);
}

/// A cluster at 4.22, which offers 4.22.5 with one risk that applies and one that does not, and 4.22.6 with two that do.
fn at_4_22(feature_set: &str) -> Scenario {
    let text = format!(
        "name: risks\nabout: accepted risks\ncluster:\n  {{name: prod-eu1, version: 4.22.1, channel: stable-4.22, \
         installed: 20d, feature-set: {feature_set:?}, history: [{{version: 4.22.1, started: 20d, took: 40m}}]}}\n\
         releases:\n  - version: 4.22.5\n    channels: [stable-4.22]\n    risks:\n      \
         - {{name: DiskLoss, message: Disks may get lost., url: https://example.com/1}}\n      \
         - {{name: NotHere, message: Not here., url: https://example.com/2, applies: \"no\"}}\n  \
         - version: 4.22.6\n    channels: [stable-4.22]\n    risks:\n      \
         - {{name: DiskLoss, message: Disks may get lost., url: https://example.com/1}}\n      \
         - {{name: Slow-Boot, message: Nodes boot slowly., url: https://example.com/3}}\n\
         pools:\n  master: {{nodes: 3}}\n  worker: {{nodes: 2}}\n"
    );
    Scenario::parse("risks.yaml", &text).unwrap()
}

fn recommended(bench: &Bench, version: &str) -> (String, String) {
    let updates = bench.version()["status"]["conditionalUpdates"].as_array().cloned().unwrap_or_default();
    let told = updates.iter().find(|it| it["release"]["version"] == version).unwrap()["conditions"][0].clone();
    (told["status"].as_str().unwrap().to_owned(), told["reason"].as_str().unwrap().to_owned())
}

fn risks(names: &[&str]) -> Value {
    json!(names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>())
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_risks_are_all_accepted_is_recommended() {
    let mut bench = Bench::of(&at_4_22("TechPreviewNoUpgrade"));
    assert_eq!((offered(&bench), recommended(&bench, "4.22.5")), (vec![], ("False".into(), "DiskLoss".into())));
    assert_eq!(recommended(&bench, "4.22.6"), ("False".into(), "MultipleReasons".into()));
    let judged = bench.version()["status"]["conditionalUpdateRisks"].clone();
    let applies = |name: &str| {
        let risk = judged.as_array().unwrap().iter().find(|risk| risk["name"] == name).unwrap();
        risk["conditions"][0]["status"].clone()
    };
    assert_eq!((applies("DiskLoss"), applies("NotHere")), (json!("True"), json!("False")));

    // Without a risk accepted it goes all the same, and the history says with what.
    bench.patch(CLUSTER, &json!({"spec": {"desiredUpdate": {"acceptRisks": risks(&["DiskLoss"])}}})).await;
    bench.until("recommended", MINUTE, |bench| offered(bench) == ["4.22.5"]).await;
    assert_eq!(recommended(&bench, "4.22.5"), ("True".into(), "AllExposedRisksAccepted".into()));
    assert_eq!(recommended(&bench, "4.22.6"), ("False".into(), "ExposedToRisks".into()), "one is left");
    bench.patch(CLUSTER, &json!({"spec": {"desiredUpdate": {"acceptRisks": []}}})).await;
    bench.until("not any more", MINUTE, |bench| offered(bench).is_empty()).await;

    // By its version alone it is valid while it is recommended, and no warning goes with it.
    ask_for(&bench, json!({"version": "4.22.5", "acceptRisks": risks(&["DiskLoss", "Other"])})).await;
    bench.until("accepted", 3 * MINUTE, |bench| desired(bench)["version"] == "4.22.5").await;
    assert!(bench.version()["status"]["history"][0]["acceptedRisks"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_features_holds_up_other_minors_for_good() {
    let mut bench = Bench::of(&at_4_22("TechPreviewNoUpgrade"));
    let held = |bench: &Bench| bench.said(&bench.version(), "Upgradeable").0 == "False";
    bench.until("held", 5 * MINUTE, held).await;
    let operator = bench.object(Res::CLUSTER_OPERATORS, None, "config-operator");
    let told = "FeatureGatesUpgradeable: \"TechPreviewNoUpgrade\" does not allow updates".to_owned();
    let reason = "FeatureGates_RestrictedFeatureGates_TechPreviewNoUpgrade".to_owned();
    assert_eq!(bench.said(&operator, "Upgradeable"), ("False".into(), reason.clone(), told.clone()));
    let sum = format!("Cluster operator config-operator should not be upgraded between minor versions: {told}");
    assert_eq!(bench.said(&bench.version(), "Upgradeable"), ("False".into(), reason, sum));
    let mut plain = Bench::of(&at_4_22(""));
    plain.pass(5 * MINUTE).await;
    assert!(!held(&plain));
}

#[tokio::test(start_paused = true)]
async fn a_release_that_does_not_know_accepted_risks_drops_them() {
    let mut bench = Bench::of(&at_4_22(""));
    assert!(bench.version()["status"]["conditionalUpdateRisks"].is_null());
    let image = release::image("4.22.5");
    ask_for(&bench, json!({"version": "4.22.5", "image": image, "acceptRisks": risks(&["DiskLoss"])})).await;
    assert!(bench.version()["spec"]["desiredUpdate"]["acceptRisks"].is_null(), "the schema has no such field");
    assert_eq!(recommended(&bench, "4.22.5"), ("False".into(), "DiskLoss".into()));
    bench.until("accepted", 3 * MINUTE, |bench| desired(bench)["version"] == "4.22.5").await;
    let told = bench.version()["status"]["history"][0]["acceptedRisks"].clone();
    assert!(told.as_str().unwrap().contains("is not recommended:\n\nDisks may get lost."), "{told}");
}

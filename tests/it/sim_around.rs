//! What stands around an update in the simulated cluster reacts to what people write: pods, budgets, health checks,
//! certificates, operators of OLM, credentials.

use std::time::Duration;

use http::Method;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario, Span};
use serde_json::{Value, json};

use crate::support::bench::{Bench, MINUTE};
use crate::support::sim::ask;

const OLM: &str = "openshift-operator-lifecycle-manager";

fn pods(bench: &Bench, namespace: &str, app: &str) -> Vec<Value> {
    let pods = bench.simulation.store().list(Res::PODS);
    let own =
        pods.iter().filter(|pod| pod["metadata"]["namespace"] == namespace && pod["metadata"]["labels"]["app"] == app);
    own.map(|pod| (**pod).clone()).collect()
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

async fn evict(bench: &Bench, namespace: &str, pod: &str, version: &str) -> u16 {
    let body = json!({"apiVersion": format!("policy/{version}"), "kind": "Eviction",
                      "metadata": {"name": pod, "namespace": namespace}});
    bench.post(&format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction"), &body).await.status
}

#[tokio::test(start_paused = true)]
async fn pods_come_back_as_their_owners_want_and_one_without_an_owner_does_not() {
    let mut bench = Bench::new("canary");
    assert_eq!(evict(&bench, "shop", "orders-1", "v1").await, 201);
    let old = bench.object(Res::PODS, Some("shop"), "orders-1");
    assert!(old["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(old["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(evict(&bench, "shop", "orders-2", "v1").await, 429, "one at a time");
    bench
        .until("the replica is back under its name", 3 * MINUTE, |bench| {
            let pod = bench.object(Res::PODS, Some("shop"), "orders-1");
            pod["metadata"]["uid"] != old["metadata"]["uid"] && bench.said(&pod, "Ready").0 == "True"
        })
        .await;
    let pod = bench.object(Res::PODS, Some("shop"), "orders-1");
    assert_eq!(pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "data-orders-1");
    assert_eq!(evict(&bench, "batch", "one-off", "v1").await, 201);
    bench.until("it is gone", 2 * MINUTE, |bench| bench.object(Res::PODS, Some("batch"), "one-off").is_null()).await;
    bench.pass(MINUTE).await;
    assert!(pods(&bench, "batch", "one-off").is_empty());

    let daemon = pods(&bench, "openshift-dns", "dns-default").remove(0);
    let path = format!("/api/v1/namespaces/openshift-dns/pods/{}", name(&daemon));
    assert_eq!(bench.delete(&path).await.status, 200);
    bench
        .until("another on the same node", 2 * MINUTE, |bench| {
            let same =
                |pod: &&Value| pod["spec"]["nodeName"] == daemon["spec"]["nodeName"] && name(pod) != name(&daemon);
            pods(bench, "openshift-dns", "dns-default").iter().any(|pod| same(&pod))
        })
        .await;
    for pod in ["etcd-guard-master-0", "etcd-master-0"] {
        let uid = bench.object(Res::PODS, Some("openshift-etcd"), pod)["metadata"]["uid"].clone();
        assert_eq!(bench.delete(&format!("/api/v1/namespaces/openshift-etcd/pods/{pod}")).await.status, 200, "{pod}");
        bench
            .until("it comes back", 3 * MINUTE, |bench| {
                let found = bench.object(Res::PODS, Some("openshift-etcd"), pod);
                !found.is_null() && found["metadata"]["uid"] != uid && found["metadata"]["deletionTimestamp"].is_null()
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn claims_tell_who_may_have_them() {
    let bench = Bench::new("canary");
    let shop = bench.get("/api/v1/namespaces/shop/persistentvolumeclaims").await.json();
    let claims: Vec<_> = shop["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| (name(claim), claim["spec"]["accessModes"][0].clone()))
        .collect();
    let expected = (0..3).map(|at| (format!("data-orders-{at}"), json!("ReadWriteOnce"))).collect::<Vec<_>>();
    assert_eq!(claims, expected);
    let batch = bench.get("/api/v1/namespaces/batch/persistentvolumeclaims").await.json();
    assert_eq!(batch["items"][0]["spec"]["accessModes"], json!(["ReadWriteMany"]));
    assert!(pods(&bench, "shop", "web").iter().all(|pod| pod["spec"]["volumes"][0]["emptyDir"].is_object()));
}

#[tokio::test(start_paused = true)]
async fn a_release_takes_evictions_in_the_version_that_it_names() {
    let of = |version: &str| {
        let mut scenario = Scenario::load("minor").unwrap();
        scenario.cluster.version = version.to_owned();
        scenario.cluster.history.clear();
        scenario.releases.clear();
        Bench::of(&scenario)
    };
    for (version, served, older) in [("4.8.40", "v1beta1", 400), ("4.9.10", "v1", 201)] {
        let bench = of(version);
        let core = bench.get("/api/v1").await.json();
        let eviction =
            core["resources"].as_array().unwrap().iter().find(|it| it["name"] == "pods/eviction").unwrap().clone();
        assert_eq!((eviction["group"].as_str(), eviction["version"].as_str()), (Some("policy"), Some(served)));
        let pod = name(&pods(&bench, "batch", "report-builder")[0]);
        assert_eq!(evict(&bench, "batch", &pod, "v1").await, older, "{version}");
        let pod = name(&pods(&bench, "batch", "report-builder")[1]);
        assert_eq!(evict(&bench, "batch", &pod, "v1beta1").await, 201, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_grace_of_a_pod_runs_at_the_clusters_speed() {
    let mut bench = Bench::new("canary");
    let pod = pods(&bench, "batch", "report-builder").remove(0);
    let path = format!("/api/v1/namespaces/batch/pods/{}", name(&pod));
    let now = bench.simulation.clock().now();
    bench.delete(&path).await;
    let marked = bench.object(Res::PODS, Some("batch"), &name(&pod));
    let until: chrono::DateTime<chrono::Utc> =
        marked["metadata"]["deletionTimestamp"].as_str().unwrap().parse().unwrap();
    let left = (until - now).num_seconds();
    assert!((7..=9).contains(&left), "90 seconds of grace at ten times the speed: {left}");
    bench.pass(Duration::from_secs(10)).await;
    assert!(!bench.object(Res::PODS, Some("batch"), &name(&pod)).is_null(), "it takes 25 seconds to stop");
    bench.until("it is gone", MINUTE, |bench| bench.object(Res::PODS, Some("batch"), &name(&pod)).is_null()).await;
    let held = pods(&bench, "shop", "catalog").remove(0);
    let path = format!("/api/v1/namespaces/shop/pods/{}", name(&held));
    bench.patch(&path, &json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    bench.delete(&path).await;
    bench.pass(5 * MINUTE).await;
    assert!(!bench.object(Res::PODS, Some("shop"), &name(&held)).is_null(), "a finalizer holds it");
    bench.patch(&path, &json!({"metadata": {"finalizers": null}})).await;
    bench.until("and lets go", MINUTE, |bench| bench.object(Res::PODS, Some("shop"), &name(&held)).is_null()).await;
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_is_resumed_too_early_deletes_the_machine() {
    let mut scenario = Scenario::load("minor").unwrap();
    scenario.cluster.health_check.timeout = Span::seconds(300);
    let mut bench = Bench::of(&scenario);
    let checks = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinehealthchecks";
    let list = bench.get(checks).await.json();
    let check = format!("{checks}/{}", name(&list["items"][0]));
    bench.patch(&check, &json!({"metadata": {"annotations": {"cluster.x-k8s.io/paused": ""}}})).await;
    bench.actors.mishaps().add(Mishap::now(MishapKind::NodeDown, "worker-1"));
    let machines = |bench: &Bench| {
        bench.simulation.store().list(Res::MACHINES).iter().filter(|it| it["status"]["phase"] == "Deleting").count()
    };
    bench.pass(15 * MINUTE).await;
    assert_eq!(bench.said(&bench.node("worker-1"), "Ready").0, "Unknown");
    assert_eq!(machines(&bench), 0, "a check that is paused waits");
    bench.patch(&check, &json!({"metadata": {"annotations": {"cluster.x-k8s.io/paused": null}}})).await;
    bench.until("its machine is deleted", MINUTE, |bench| machines(bench) == 1).await;
    bench.until("and replaced", 20 * MINUTE, |bench| bench.node("worker-1").is_null()).await;
}

#[tokio::test(start_paused = true)]
async fn an_approved_plan_brings_its_version_and_takes_the_old_one_along() {
    let mut bench = Bench::new("canary");
    let path = "/apis/operators.coreos.com/v1alpha1/namespaces/vault-sync";
    let plans = bench.get(&format!("{path}/installplans")).await.json();
    let waiting =
        plans["items"].as_array().unwrap().iter().find(|plan| plan["spec"]["approved"] == false).unwrap().clone();
    assert_eq!(waiting["status"]["phase"], "RequiresApproval");
    bench.pass(5 * MINUTE).await;
    let csv = |bench: &Bench, version: &str| {
        bench.object(Res::CLUSTER_SERVICE_VERSIONS, Some("vault-sync"), &format!("vault-sync.v{version}"))
    };
    assert!(csv(&bench, "1.8.2").is_null(), "nobody has approved it");
    bench.patch(&format!("{path}/installplans/{}", name(&waiting)), &json!({"spec": {"approved": true}})).await;
    bench
        .until("the new one is installed", 3 * MINUTE, |bench| csv(bench, "1.8.2")["status"]["phase"] == "Succeeded")
        .await;
    assert!(csv(&bench, "1.7.0").is_null());
    let plan = bench.object(Res::INSTALL_PLANS, Some("vault-sync"), &name(&waiting));
    assert_eq!(plan["status"]["phase"], "Complete");
    let status = bench.object(Res::SUBSCRIPTIONS, Some("vault-sync"), "vault-sync")["status"].clone();
    assert_eq!((&status["installedCSV"], &status["state"]), (&json!("vault-sync.v1.8.2"), &json!("AtLatestKnown")));
    bench.delete(&format!("{path}/clusterserviceversions/vault-sync.v1.8.2")).await;
    bench.pass(5 * MINUTE).await;
    assert!(csv(&bench, "1.8.2").is_null(), "deleting it uninstalls the operator");
}

#[tokio::test(start_paused = true)]
async fn the_package_server_holds_the_update_until_its_version_is_deleted_and_put_back() {
    let mut scenario = Scenario::load("minor").unwrap();
    scenario.faults.push(Mishap::now(MishapKind::PackageServerStuck, ""));
    let mut bench = Bench::of(&scenario);
    let csv = |bench: &Bench| bench.object(Res::CLUSTER_SERVICE_VERSIONS, Some(OLM), "packageserver");
    bench.pass(MINUTE).await;
    assert_eq!(csv(&bench)["status"]["phase"], "Installing");
    let update = json!({"spec": {"desiredUpdate": {"version": "4.18.25"}}});
    bench.patch("/apis/config.openshift.io/v1/clusterversions/version", &update).await;
    let told = |bench: &Bench| bench.said(&bench.version(), "Progressing").2;
    bench
        .until("it is waited for", 120 * MINUTE, |bench| {
            told(bench).contains("operator-lifecycle-manager-packageserver over 30 minutes")
        })
        .await;
    let uid = csv(&bench)["metadata"]["uid"].clone();
    let path = format!("/apis/operators.coreos.com/v1alpha1/namespaces/{OLM}/clusterserviceversions/packageserver");
    assert_eq!(bench.delete(&path).await.status, 200);
    bench
        .until("the platform puts it back", 5 * MINUTE, |bench| {
            csv(bench)["status"]["phase"] == "Succeeded" && csv(bench)["metadata"]["uid"] != uid
        })
        .await;
    let operator =
        |bench: &Bench| bench.object(Res::CLUSTER_OPERATORS, None, "operator-lifecycle-manager-packageserver");
    bench
        .until("and the update goes on", 5 * MINUTE, |bench| {
            operator(bench)["status"]["versions"][0]["version"] == "4.18.25"
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn manual_credentials_hold_a_minor_update_until_they_are_declared_ready() {
    let mut bench = Bench::new("credentials-manual");
    let held =
        |bench: &Bench| bench.said(&bench.object(Res::CLUSTER_OPERATORS, None, "cloud-credential"), "Upgradeable");
    assert_eq!((held(&bench).0.as_str(), held(&bench).1.as_str()), ("False", "MissingUpgradeableAnnotation"));
    bench
        .until("the cluster says so", MINUTE, |bench| {
            bench.said(&bench.version(), "Upgradeable").1 == "MissingUpgradeableAnnotation"
        })
        .await;
    let path = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";
    let say =
        |value: &str| json!({"metadata": {"annotations": {"cloudcredential.openshift.io/upgradeable-to": value}}});
    bench.patch(path, &say("4.18.30")).await;
    bench.pass(6 * MINUTE).await;
    assert_eq!(held(&bench).0, "False", "that is the release that runs");
    bench.patch(path, &say("4.19.3")).await;
    bench.pass(Duration::from_secs(30)).await;
    assert_eq!(held(&bench).0, "False", "it takes minutes");
    bench.until("it lets the update pass", 5 * MINUTE, |bench| held(bench).0 == "True").await;
    bench.until("the cluster too", MINUTE, |bench| bench.said(&bench.version(), "Upgradeable").0.is_empty()).await;
    let requests = bench.get("/apis/cloudcredential.openshift.io/v1/credentialsrequests").await.json();
    assert!(requests["items"].as_array().unwrap().iter().all(|it| it["spec"]["secretRef"]["name"].is_string()));
}

#[tokio::test(start_paused = true)]
async fn root_credentials_that_were_taken_away_have_to_be_restored() {
    let mut scenario = Scenario::load("minor").unwrap();
    scenario.cluster.credentials.without_root_secret = true;
    let mut bench = Bench::of(&scenario);
    let held =
        |bench: &Bench| bench.said(&bench.object(Res::CLUSTER_OPERATORS, None, "cloud-credential"), "Upgradeable");
    assert_eq!(held(&bench).1, "MissingRootCredential");
    assert!(held(&bench).2.ends_with("kube-system/aws-creds"));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "aws-creds"}, "stringData": {"key": "simulated"}});
    bench.create("/api/v1/namespaces/kube-system/secrets", &secret).await;
    bench.until("then it passes", 5 * MINUTE, |bench| held(bench).0 == "True").await;
}

#[tokio::test(start_paused = true)]
async fn what_people_apply_from_files_is_rehearsed_checked_and_kept() {
    let bench = Bench::new("offline");
    let mirror = json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": {"name": "more"},
        "spec": {"imageDigestMirrors": [{"source": "quay.io/a", "mirrors": ["registry.example.com/a"], "mirror": 1}]},
    });
    let config = json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "ContainerRuntimeConfig", "metadata": {"name": "more"},
        "spec": {"containerRuntimeConfig": {"pidsLimit": 4096, "limit": 1}},
    });
    let policy = json!({
        "apiVersion": "operator.openshift.io/v1alpha1", "kind": "ImageContentSourcePolicy", "metadata": {"name": "more"},
        "spec": {"repositoryDigestMirrors": [{"source": "quay.io/a", "mirrors": ["registry.example.com/a"], "sources": 1}]},
    });
    for (path, body) in [
        ("/apis/config.openshift.io/v1/imagedigestmirrorsets", mirror),
        ("/apis/machineconfiguration.openshift.io/v1/containerruntimeconfigs", config),
        ("/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies", policy),
    ] {
        let rehearsed = bench.post(&format!("{path}?dryRun=All"), &body).await;
        assert_eq!(rehearsed.status, 201, "{path}: {}", rehearsed.text);
        assert!(rehearsed.headers.get("warning").is_some(), "{path}: the unknown field is named");
        assert_eq!(bench.get(&format!("{path}/more")).await.status, 404, "{path}: only rehearsed");
        let strict = bench.post(&format!("{path}?fieldValidation=Strict"), &body).await;
        assert_eq!(strict.status, 400, "{path}: {}", strict.text);
        bench.create(path, &body).await;
        assert_eq!(bench.post(path, &body).await.status, 409, "{path}");
        let mut bad = body.clone();
        bad["metadata"]["name"] = json!("Not A Name");
        let refused = bench.post(path, &bad).await;
        assert_eq!((refused.status, refused.text.contains("RFC 1123")), (422, true), "{path}: {}", refused.text);
        assert_eq!(bench.delete(&format!("{path}/more")).await.status, 200);
    }
    let secret = "/api/v1/namespaces/openshift-config/secrets/pull-secret";
    let broken = bench.merge(secret, &json!({"data": {".dockerconfigjson": "bm90IGpzb24="}})).await;
    assert_eq!(broken.status, 422, "{}", broken.text);
    let whole =
        json!({"stringData": {".dockerconfigjson": "{\"auths\":{\"registry.example.com\":{\"auth\":\"eA==\"}}}"}});
    let kept = bench.patch(secret, &whole).await;
    assert!(kept.get("stringData").is_none() && kept["data"][".dockerconfigjson"].as_str().unwrap().len() > 40);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "component-x"}});
    let made = bench.create("/api/v1/namespaces", &namespace).await;
    assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], "component-x");
}

#[tokio::test(start_paused = true)]
async fn what_an_owner_owned_goes_with_it() {
    let mut bench = Bench::new("minor");
    assert_eq!(pods(&bench, "shop", "web").len(), 4);
    assert_eq!(bench.delete("/apis/apps/v1/namespaces/shop/deployments/web").await.status, 200);
    bench.until("its pods go", 2 * MINUTE, |bench| pods(bench, "shop", "web").is_empty()).await;
    let sets = bench.simulation.store().list(Res::REPLICA_SETS);
    assert!(!sets.iter().any(|set| name(set).starts_with("web-")));
}

#[tokio::test(start_paused = true)]
async fn the_server_refuses_while_it_has_too_much_to_do() {
    let bench = Bench::new("offline");
    bench.simulation.faults().throw("too-many=3s".parse().unwrap());
    let path = "/apis/config.openshift.io/v1/imagedigestmirrorsets?dryRun=All";
    let answer = ask(&bench.simulation, Method::POST, path, &[("content-type", "application/json")], "{}").await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "3"));
}

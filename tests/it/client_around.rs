//! What is around an update is read while it is needed, stays as fresh as it says, and is forgotten when it is not; one
//! look at a cluster sees what the live client sees; logs are followed.
//!
//! In process on paused time wherever a socket is not the point.

mod monitoring;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use kube::client::Body;
use oc_cockpit::clock;
use oc_cockpit::cluster::Cluster;
use oc_cockpit::cluster::once::Once;
use oc_cockpit::cluster::tail::{Logged, Tail};
use oc_cockpit::sim::faults::{Fault, Trouble};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::upgrade::assessment::Resource;
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, TroubleKind};
use oc_cockpit::upgrade::log_source::{LogSource, PodQuery};
use oc_cockpit::upgrade::needs::{Needs, PodsOf};
use serde_json::{Value, json};
use tower::{BoxError, ServiceExt as _};

use crate::client_faults::middle::Middle;
use crate::support::facts::{live, until_within};
use crate::support::sim;

/// Longer than anything here should take: a test that waits for this long has failed.
const PATIENCE: Duration = Duration::from_secs(400);

async fn until(cluster: &Cluster, what: &str, says: impl FnMut(&Arc<Facts>) -> bool) -> Arc<Facts> {
    until_within(PATIENCE, cluster, what, says).await
}

fn needs(kinds: &[Kind], nodes: &[&str]) -> Needs {
    Needs {
        kinds: kinds.iter().copied().collect(),
        pods: PodsOf::Nodes(nodes.iter().map(|&node| node.to_owned()).collect()),
        events: false,
    }
}

fn pods(facts: &Facts, node: &str) -> Option<Vec<String>> {
    facts.around.pods_of(node).map(|pods| pods.iter().map(|pod| pod.name().to_owned()).collect())
}

fn config_map(namespace: &str, name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
        "metadata": {"namespace": namespace, "name": name, "labels": labels}})
}

/// The small cluster with gates, acknowledgements and a signature, and much that nobody asks for.
fn objects() -> Vec<Value> {
    let mut objects = sim::small_cluster();
    let signature = json!({"release.openshift.io/verification-signatures": ""});
    objects.extend([
        config_map("openshift-config-managed", "admin-gates", &json!({})),
        config_map("openshift-config-managed", "sha256-aa", &signature),
        config_map("openshift-config-managed", "console-public", &json!({})),
        config_map("openshift-config", "admin-acks", &json!({})),
        config_map("openshift-config", "pull-things", &json!({})),
        config_map("shop", "admin-acks", &json!({})),
    ]);
    objects
}

fn simulation() -> Simulation {
    Simulation::new(&Options { objects: objects(), ..Options::default() }).unwrap()
}

async fn observed() -> (Simulation, Middle, Cluster) {
    let simulation = simulation();
    let middle = Middle::before(&simulation);
    let cluster = Cluster::start_in_process(middle.client());
    until(&cluster, "a complete picture", |facts| facts.complete() && facts.link.state == LinkState::Live).await;
    (simulation, middle, cluster)
}

fn config_maps(facts: &Facts) -> Vec<String> {
    facts.around.config_maps.iter().map(|map| format!("{}/{}", map.namespace(), map.name())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_kind_comes_when_it_is_needed_and_goes_some_time_after() {
    let (_simulation, middle, cluster) = observed().await;
    let before = cluster.facts().borrow().clone();
    assert_eq!(*before.status(Kind::PodDisruptionBudgets), KindStatus::NotAsked);
    assert!(!before.known(Kind::PodDisruptionBudgets), "what was not read is not known");
    assert!(!middle.asked().iter().any(|uri| uri.contains("poddisruptionbudgets")), "and costs nothing");

    cluster.need(needs(&[Kind::PodDisruptionBudgets], &[]));
    let facts = until(&cluster, "the budgets", |facts| live(facts, Kind::PodDisruptionBudgets)).await;
    let names: Vec<_> = facts.around.pod_disruption_budgets.iter().map(|one| one.name()).collect();
    assert_eq!(names, ["cart"]);
    assert!(facts.kinds[&Kind::PodDisruptionBudgets].heard.is_some());

    let began = clock::runtime_instant();
    cluster.need(Needs::default());
    cluster.need(needs(&[Kind::PodDisruptionBudgets], &[]));
    cluster.need(Needs::default());
    let facts = until(&cluster, "their end", |facts| !live(facts, Kind::PodDisruptionBudgets)).await;
    assert!(began.elapsed() >= Duration::from_secs(110), "not at once: {:?}", began.elapsed());
    assert_eq!(*facts.status(Kind::PodDisruptionBudgets), KindStatus::NotAsked);
    assert!(facts.around.pod_disruption_budgets.is_empty());
    middle.asked();
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(!middle.asked().iter().any(|uri| uri.contains("poddisruptionbudgets")), "and it is not watched any more");
}

#[tokio::test(start_paused = true)]
async fn of_config_maps_only_those_that_matter_are_read() {
    let (simulation, middle, cluster) = observed().await;
    cluster.need(needs(&[Kind::ConfigMaps], &[]));
    let facts = until(&cluster, "config maps", |facts| live(facts, Kind::ConfigMaps)).await;
    let wanted =
        ["openshift-config/admin-acks", "openshift-config-managed/admin-gates", "openshift-config-managed/sha256-aa"];
    assert_eq!(config_maps(&facts), wanted);
    // Acknowledged meanwhile; and a signature more.
    assert!(simulation.store().update(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks", |map| {
        map["data"]["ack-4.18-kube-1.32-api-removals-in-4.19"] = json!("true");
    }));
    let acked = |facts: &Arc<Facts>| {
        facts.around.config_map("openshift-config", "admin-acks").is_some_and(|map| map.data.len() == 2)
    };
    let facts = until(&cluster, "the acknowledgement", acked).await;
    assert_eq!(facts.around.config_maps.len(), 3, "the other places keep theirs");
    middle.asked();
    simulation.faults().expire_watches();
    let listed = |middle: &Middle| {
        middle.asked().iter().filter(|uri| uri.contains("configmaps?") && uri.contains("limit=")).count()
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(listed(&middle), 3, "410: each place is listed anew");
    assert_eq!(config_maps(&cluster.facts().borrow()), wanted);
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_a_node_appear_and_change_and_go() {
    let (simulation, middle, cluster) = observed().await;
    cluster.need(needs(&[], &["worker-0", "worker-1"]));
    let facts =
        until(&cluster, "pods of both", |facts| pods(facts, "worker-0").is_some() && pods(facts, "worker-1").is_some())
            .await;
    assert_eq!(pods(&facts, "worker-0").unwrap(), ["cart-0", "web-0"]);
    assert_eq!(pods(&facts, "worker-1").unwrap(), [""; 0], "read, and it has none");
    assert_eq!(pods(&facts, "master-0"), None, "not read");
    let (store, now) = (simulation.store(), simulation.clock().now());
    store.create(Res::PODS, sim::pod("web-1", "web", "worker-1"), now);
    until(&cluster, "a new pod", |facts| pods(facts, "worker-1").is_some_and(|pods| pods == ["web-1"])).await;
    simulation.faults().cut_watches();
    assert!(store.update(Res::PODS, Some("shop"), "cart-0", |pod| pod["status"]["phase"] = json!("Succeeded")));
    store.delete(Res::PODS, Some("shop"), "web-0");
    let facts = until(&cluster, "both changes after a cut", |facts| {
        facts.around.pods_of("worker-0").is_some_and(|pods| pods.len() == 1 && pods[0].is_finished())
    })
    .await;
    assert_eq!(pods(&facts, "worker-1").unwrap(), ["web-1"]);
    assert!(!middle.asked().iter().any(|uri| uri.starts_with("/api/v1/pods?limit=250&watch")), "never all of them");

    cluster.need(needs(&[], &["worker-1"]));
    let facts = until(&cluster, "the end of one", |facts| pods(facts, "worker-0").is_none()).await;
    assert_eq!(pods(&facts, "worker-1").unwrap(), ["web-1"]);
    assert!(live(&facts, Kind::Pods));
}

#[tokio::test(start_paused = true)]
async fn all_pods_are_read_again_and_again() {
    let (simulation, _middle, cluster) = observed().await;
    cluster.need(needs(&[], &["worker-0"]));
    until(&cluster, "pods of one", |facts| pods(facts, "worker-0").is_some()).await;
    cluster.need(Needs { pods: PodsOf::All, ..Needs::default() });
    let facts = until(&cluster, "pods of all", |facts| pods(facts, "master-0").is_some()).await;
    assert_eq!(pods(&facts, "worker-0").unwrap(), ["cart-0", "web-0"]);
    assert_eq!(pods(&facts, "worker-1").unwrap(), [""; 0]);
    simulation.store().create(Res::PODS, sim::pod("web-1", "web", "worker-1"), simulation.clock().now());
    until(&cluster, "a new pod", |facts| pods(facts, "worker-1").is_some_and(|pods| pods == ["web-1"])).await;
    cluster.need(needs(&[], &["worker-1"]));
    let facts = until(&cluster, "only one again", |facts| {
        pods(facts, "master-0").is_none() && pods(facts, "worker-1").is_some()
    })
    .await;
    assert_eq!(pods(&facts, "worker-0"), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_or_absent_is_told_and_the_rest_goes_on() {
    let simulation = simulation();
    let middle = Middle::before(&simulation);
    let hidden = simulation.faults().throw(Fault::now(Trouble::ViewerForbidden("poddisruptionbudgets".to_owned())));
    simulation.faults().throw(Fault::now(Trouble::Absent("machinehealthchecks".to_owned())));
    middle.user("viewer");
    let cluster = Cluster::start_in_process(middle.client());
    cluster.need(needs(&[Kind::PodDisruptionBudgets, Kind::MachineHealthChecks, Kind::Deployments], &["worker-0"]));
    let facts = until(&cluster, "all answers", |facts| {
        matches!(facts.status(Kind::PodDisruptionBudgets), KindStatus::Forbidden(_))
            && *facts.status(Kind::MachineHealthChecks) == KindStatus::Absent
            && live(facts, Kind::Deployments)
            && pods(facts, "worker-0").is_some()
    })
    .await;
    assert!(!facts.known(Kind::PodDisruptionBudgets), "that there is no budget is not known");
    assert!(facts.known(Kind::MachineHealthChecks), "there is none of an absent kind");
    assert!(facts.complete() && facts.link.state == LinkState::Live);
    simulation.faults().clear(hidden);
    until(&cluster, "the budgets", |facts| live(facts, Kind::PodDisruptionBudgets)).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_around_that_fails_says_so_and_keeps_nobody_from_writing() {
    let (_simulation, middle, cluster) = observed().await;
    middle.change(|uri, body| if uri.contains("poddisruptionbudgets") { "<html>busy</html>".into() } else { body });
    cluster.need(needs(&[Kind::PodDisruptionBudgets], &[]));
    let failing = |facts: &Arc<Facts>| matches!(facts.status(Kind::PodDisruptionBudgets), KindStatus::Failing(_));
    let facts = until(&cluster, "the trouble", failing).await;
    assert!(!facts.known(Kind::PodDisruptionBudgets), "it was never listed");
    let requests = cluster.requests().bound(facts.epoch);
    let cordon = oc_cockpit::cluster::Request::new(oc_cockpit::cluster::Method::Patch, "/api/v1/nodes/worker-0")
        .body(oc_cockpit::cluster::ContentType::MergePatch, json!({"spec": {"unschedulable": true}}));
    assert!(requests.send(cordon).await.unwrap().ok());
}

#[tokio::test(start_paused = true)]
async fn another_cluster_is_read_anew() {
    let (_simulation, middle, cluster) = observed().await;
    cluster.need(needs(&[Kind::PodDisruptionBudgets], &["worker-0"]));
    until(&cluster, "pods and budgets", |facts| {
        pods(facts, "worker-0").is_some() && live(facts, Kind::PodDisruptionBudgets)
    })
    .await;
    let mut others = sim::small_cluster();
    others.retain(|object| !matches!(object["kind"].as_str(), Some("Pod" | "PodDisruptionBudget")));
    for object in &mut others {
        if object["kind"] == "ClusterVersion" {
            object["metadata"]["uid"] = json!("another");
        }
    }
    let other = Simulation::new(&Options { objects: others, ..Options::default() }).unwrap();
    middle.refuse(true);
    until(&cluster, "the outage", |facts| facts.link.state != LinkState::Live).await;
    middle.leads_to(&other);
    middle.refuse(false);
    let mut leftovers: Vec<usize> = Vec::new();
    let facts = until(&cluster, "the other one", |facts| {
        if facts.epoch == 1 && !facts.around.pod_disruption_budgets.is_empty() {
            leftovers.push(facts.around.pod_disruption_budgets.len());
        }
        facts.epoch == 1 && live(facts, Kind::PodDisruptionBudgets) && pods(facts, "worker-0").is_some()
    })
    .await;
    assert!(leftovers.is_empty(), "nothing of the first cluster is shown as the other's");
    assert_eq!(pods(&facts, "worker-0").unwrap(), [""; 0]);
}

/// A client of `simulation` as it would be with requests changed by `change` first: another path, or none (404).
fn rerouted(
    simulation: &Simulation,
    change: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
) -> (kube::Client, Arc<Mutex<Vec<String>>>) {
    let (inner, log) = (simulation.service(), Arc::new(Mutex::new(Vec::new())));
    let asked = Arc::clone(&log);
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let (inner, change, asked) = (inner.clone(), change.clone(), Arc::clone(&asked));
        async move {
            let uri = request.uri().to_string();
            asked.lock().unwrap().push(uri.clone());
            match change(&uri) {
                Some(other) => {
                    *request.uri_mut() = other.parse()?;
                    Ok::<_, BoxError>(inner.oneshot(request).await?)
                }
                None => Ok(Response::builder().status(404).body(axum::body::Body::from("404 page not found"))?),
            }
        }
    });
    (kube::Client::new(service, "default"), log)
}

/// As served before Kubernetes 1.21.
fn old_policy(uri: &str) -> Option<String> {
    let moved = uri.replace("/apis/policy/v1beta1/", "/apis/policy/v1/");
    (!uri.starts_with("/apis/policy/v1/")).then_some(moved)
}

#[tokio::test(start_paused = true)]
async fn an_old_release_serves_budgets_elsewhere() {
    let simulation = simulation();
    let (client, asked) = rerouted(&simulation, old_policy);
    let cluster = Cluster::start_in_process(client.clone());
    cluster.need(needs(&[Kind::PodDisruptionBudgets], &[]));
    let facts = until(&cluster, "the budgets", |facts| live(facts, Kind::PodDisruptionBudgets)).await;
    assert_eq!(facts.around.pod_disruption_budgets.len(), 1);
    assert!(
        simulation
            .store()
            .update(Res::PDBS, Some("shop"), "cart", |one| one["status"]["disruptionsAllowed"] = json!(1))
    );
    until(&cluster, "their change", |facts| facts.around.pod_disruption_budgets[0].status.disruptions_allowed == 1)
        .await;
    assert!(asked.lock().unwrap().iter().any(|uri| uri.starts_with("/apis/policy/v1beta1/poddisruptionbudgets?watch")));

    let once = Once::open_in_process(client).await.unwrap();
    let mut facts = once.core().await;
    once.around(&mut facts, &needs(&[Kind::PodDisruptionBudgets], &[])).await;
    assert_eq!(facts.around.pod_disruption_budgets.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn layered_pools_and_pinned_images_are_read_in_the_version_that_is_served() {
    let simulation = simulation();
    let store = simulation.store();
    for kind in [Res::MACHINE_OS_CONFIGS, Res::MACHINE_OS_BUILDS, Res::PINNED_IMAGE_SETS] {
        store.serve_version(kind, "v1alpha1");
        store.set_served(kind, true);
    }
    let at = chrono::DateTime::UNIX_EPOCH;
    let config = json!({"metadata": {"name": "infra"}, "spec": {"machineConfigPool": {"name": "infra"}},
        "status": {"currentImagePullspec": "registry.example.com/os@sha256:1"}});
    store.create(Res::MACHINE_OS_CONFIGS, config, at);
    let build = json!({"metadata": {"name": "infra-1"},
        "spec": {"desiredConfig": {"name": "rendered-infra-1"}, "machineOSConfig": {"name": "infra"}},
        "status": {"conditions": []}});
    store.create(Res::MACHINE_OS_BUILDS, build, at);
    let set = json!({"metadata": {"name": "next"}, "spec": {"pinnedImages": [{"name": "quay.io/a@sha256:1"}]}});
    store.create(Res::PINNED_IMAGE_SETS, set, at);
    let kinds = [Kind::MachineOsConfigs, Kind::MachineOsBuilds, Kind::PinnedImageSets];
    let told = |facts: &Facts| {
        let around = &facts.around;
        assert_eq!(around.machine_os_configs[0].status.image(), "registry.example.com/os@sha256:1");
        assert_eq!(around.machine_os_builds[0].spec.config(), "rendered-infra-1");
        assert_eq!(around.pinned_image_sets[0].spec.images.len(), 1);
    };

    let (client, asked) = rerouted(&simulation, |uri| Some(uri.to_owned()));
    let cluster = Cluster::start_in_process(client.clone());
    cluster.need(needs(&kinds, &[]));
    told(&*until(&cluster, "all three", |facts| kinds.iter().all(|kind| live(facts, *kind))).await);
    let path = "/apis/machineconfiguration.openshift.io/v1alpha1/machineosbuilds?watch";
    assert!(
        store.update(Res::MACHINE_OS_BUILDS, None, "infra-1", |one| one["spec"]["desiredConfig"]["name"] = json!("x"))
    );
    until(&cluster, "their change", |facts| facts.around.machine_os_builds[0].spec.config() == "x").await;
    assert!(asked.lock().unwrap().iter().any(|uri| uri.starts_with(path)));
    store.update(Res::MACHINE_OS_BUILDS, None, "infra-1", |one| {
        one["spec"]["desiredConfig"]["name"] = json!("rendered-infra-1");
    });

    let once = Once::open_in_process(client).await.unwrap();
    let mut facts = once.core().await;
    once.around(&mut facts, &needs(&kinds, &[])).await;
    told(&facts);
}

fn event(name: &str, message: &str, time: &str, count: i64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "default", "name": name},
        "involvedObject": {"kind": "Node", "name": "worker-0"}, "reason": "DrainThresholdExceeded", "type": "Warning",
        "message": message, "firstTimestamp": "2026-11-20T10:00:00Z", "lastTimestamp": time, "count": count,
    })
}

const EVENTS: Res = Res::EVENTS;

#[tokio::test(start_paused = true)]
async fn events_are_followed_while_they_are_needed() {
    let (simulation, middle, cluster) = observed().await;
    let (store, now) = (simulation.store(), simulation.clock().now());
    store.create(EVENTS, event("a", "first", "2026-11-20T10:00:00Z", 1), now);
    cluster.need(Needs { events: true, ..Needs::default() });
    until(&cluster, "what was said already", |facts| facts.events.iter().any(|event| event.message == "first")).await;
    store.create(EVENTS, event("b", "second", "2026-11-20T10:05:00Z", 1), now);
    until(&cluster, "what is said now", |facts| facts.events.iter().any(|event| event.message == "second")).await;
    assert!(store.update(EVENTS, Some("default"), "a", |object| {
        *object = {
            let mut again = event("a", "again", "2026-11-20T10:10:00Z", 7);
            again["metadata"] = object["metadata"].clone();
            again
        };
    }));
    let facts = until(&cluster, "what is said again", |facts| {
        facts.events.last().is_some_and(|event| event.message == "again" && event.times() == 7)
    })
    .await;
    assert_eq!(facts.events.len(), 2, "said again, not twice");
    store.delete(EVENTS, Some("default"), "b");
    simulation.faults().expire_watches();
    store.create(EVENTS, event("c", "third", "2026-11-20T10:20:00Z", 1), now);
    let facts = until(&cluster, "what is said after 410", |facts| facts.events.len() == 3).await;
    let said: Vec<_> = facts.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(said, ["second", "again", "third"], "what the cluster forgets is still known");
    cluster.need(Needs::default());
    tokio::time::sleep(Duration::from_secs(180)).await;
    middle.asked();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!middle.asked().iter().any(|uri| uri.contains("/events")), "nobody needs them any more");
    assert_eq!(cluster.facts().borrow().events.len(), 3);
}

/// What two facts know, in words that can be compared.
fn known(facts: &Facts) -> Vec<String> {
    let around = &facts.around;
    let mut all: Vec<String> =
        Kind::CORE.iter().chain(&Kind::AROUND).map(|kind| format!("{kind:?} {:?}", facts.status(*kind))).collect();
    all.push(format!("{:?}", facts.cluster_version));
    all.push(format!("{:?} {:?} {:?}", facts.operators, facts.pools, facts.nodes));
    all.push(format!("{:?} {:?} {:?}", facts.machine_config_nodes, facts.machine_configs, facts.events));
    all.push(format!("{around:?}"));
    all
}

#[tokio::test(start_paused = true)]
async fn one_look_sees_what_the_live_client_sees() {
    let (simulation, _middle, cluster) = observed().await;
    let store = simulation.store();
    store.create(EVENTS, event("a", "first", "2026-11-20T10:00:00Z", 1), simulation.clock().now());
    let kinds: Vec<Kind> =
        Kind::AROUND.into_iter().filter(|kind| *kind != Kind::Pods && *kind != Kind::Alerts).collect();
    for pods in [PodsOf::All, PodsOf::Nodes(BTreeSet::from(["worker-0".to_owned(), "worker-1".to_owned()]))] {
        let needs = Needs { kinds: kinds.iter().copied().collect(), pods, events: true };
        cluster.need(needs.clone());
        let answered = |facts: &Arc<Facts>| {
            let said = |kind: &Kind| !matches!(facts.status(*kind), KindStatus::NotAsked | KindStatus::Waiting);
            let same = match &needs.pods {
                PodsOf::All => facts.around.pods.len() == 3,
                PodsOf::Nodes(nodes) => facts.around.pods.keys().eq(nodes),
            };
            kinds.iter().all(said) && said(&Kind::Pods) && same && facts.events.len() == 1
        };
        let live = until(&cluster, "everything", answered).await;

        let middle = Middle::before(&simulation);
        let once = Once::open_in_process(middle.client()).await.unwrap();
        let mut facts = once.core().await;
        assert_eq!(facts.link.state, LinkState::Live);
        once.around(&mut facts, &needs).await;
        assert_eq!(known(&facts), known(&live));
        let asked = middle.asked();
        assert!(asked.iter().all(|uri| !uri.contains("watch=true") && !uri.starts_with("/apis?")), "{asked:#?}");
        assert!(asked.len() < 60, "{asked:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_look_says_what_kept_it() {
    let simulation = simulation();
    let middle = Middle::before(&simulation);
    simulation.faults().throw(Fault::now(Trouble::ViewerForbidden("machineconfigpools".to_owned())));
    simulation.faults().throw(Fault::now(Trouble::Absent("machineconfignodes".to_owned())));
    middle.user("viewer");
    let once = Once::open_in_process(middle.client()).await.unwrap();
    let facts = once.core().await;
    assert!(matches!(facts.status(Kind::MachineConfigPools), KindStatus::Forbidden(_)));
    assert_eq!(*facts.status(Kind::MachineConfigNodes), KindStatus::Absent);
    assert_eq!(facts.nodes.len(), 3);
    assert!(facts.complete());

    middle.refuse(true);
    let once = Once::open_in_process(middle.client()).await.unwrap();
    let facts = once.core().await;
    assert!(matches!(facts.link.state, LinkState::Connecting { .. }));
    assert_eq!(facts.link.trouble.map(|trouble| trouble.kind), Some(TroubleKind::Refused));
    assert!(facts.kinds.values().all(|state| matches!(state.status, KindStatus::Failing(_))));
}

fn alerting(simulation: &Simulation, answer: &'static str) -> kube::Client {
    let inner = simulation.service();
    let service = tower::service_fn(move |request: Request<Body>| {
        let inner = inner.clone();
        async move {
            if request.uri().path().ends_with("https:thanos-querier:9091/proxy/api/v1/alerts") {
                let status = if answer.is_empty() { 403 } else { 200 };
                return Ok(Response::builder().status(status).body(axum::body::Body::from(answer))?);
            }
            Ok::<_, BoxError>(inner.oneshot(request).await?)
        }
    });
    kube::Client::new(service, "default")
}

const FIRING: &str = r#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"PodDisruptionBudgetLimit",
    "severity":"critical"},"annotations":{},"state":"firing","activeAt":"2026-11-20T10:00:00Z","value":"1"}]}}"#;

#[tokio::test(start_paused = true)]
async fn alerts_come_through_the_api_server_where_there_is_no_token() {
    let simulation = simulation();
    let cluster = Cluster::start_in_process(alerting(&simulation, FIRING));
    cluster.need(needs(&[Kind::Alerts], &[]));
    let facts = until(&cluster, "alerts", |facts| live(facts, Kind::Alerts)).await;
    assert!(facts.around.alerts[0].fires());

    let cluster = Cluster::start_in_process(alerting(&simulation, ""));
    cluster.need(needs(&[Kind::Alerts], &[]));
    let facts =
        until(&cluster, "the refusal", |facts| matches!(facts.status(Kind::Alerts), KindStatus::Forbidden(_))).await;
    let KindStatus::Forbidden(trouble) = facts.status(Kind::Alerts) else { unreachable!() };
    assert!(trouble.words.contains("token"), "{}", trouble.words);
    assert_eq!(facts.link.state, LinkState::Live);
}

async fn said(tail: &mut Tail) -> Option<Logged> {
    tokio::time::timeout(PATIENCE, tail.next()).await.expect("the log says nothing")
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_through_a_cut_and_ends_with_its_pod() {
    let (simulation, middle, cluster) = observed().await;
    let requests = cluster.requests();
    let query = PodQuery { namespace: "shop".to_owned(), labels: "app=cart".to_owned(), ..PodQuery::default() };
    let pods = requests.pods_of(&query).await.unwrap();
    let names: Vec<_> =
        pods.iter().map(|pod| (pod.name.as_str(), pod.node.as_str(), pod.containers.as_slice())).collect();
    assert_eq!(names, [("cart-0", "worker-0", ["cart".to_owned()].as_slice())]);
    let on = PodQuery { node: Some("worker-0".to_owned()), ..PodQuery::default() };
    assert_eq!(requests.pods_of(&on).await.unwrap().len(), 2);

    let source = LogSource {
        namespace: "shop".to_owned(),
        pod: "cart-0".to_owned(),
        container: Some("cart".to_owned()),
        follow: true,
        tail_lines: Some(3),
        ..LogSource::default()
    };
    let mut tail = requests.tail(source.clone());
    let mut seen = Vec::new();
    let mut gaps = 0;
    while seen.len() < 12 {
        match said(&mut tail).await.unwrap() {
            Logged::Line(line) => {
                let beat: u64 = line.rsplit_once("beat=").unwrap().1.parse().unwrap();
                seen.push(beat);
            }
            Logged::Gap(words) => {
                assert!(words.contains("broke"), "{words}");
                gaps += 1;
            }
            Logged::Ended(words) | Logged::Failed(words) => panic!("{words} after {seen:?}"),
        }
        if seen.len() == 6 {
            simulation.faults().cut_watches();
        }
    }
    assert!(seen.windows(2).all(|two| two[1] == two[0] + 1), "no line is lost, none comes twice: {seen:?}");
    assert!(gaps <= 1);
    simulation.store().delete(Res::PODS, Some("shop"), "cart-0");
    let end = loop {
        match said(&mut tail).await {
            Some(Logged::Ended(words) | Logged::Failed(words)) => break words,
            Some(_) => {}
            None => panic!("it ended without a word"),
        }
    };
    assert!(end.contains("log of pod shop/cart-0") || end.contains("ended"), "{end}");
    assert_eq!(said(&mut tail).await, None);
    drop(tail);
    middle.asked();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!middle.asked().iter().any(|uri| uri.contains("/log")), "nobody reads it any more");

    let mut gone = requests.tail(source);
    assert!(matches!(said(&mut gone).await, Some(Logged::Failed(words)) if words.contains("404")));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_followed_ends() {
    let (_simulation, _middle, cluster) = observed().await;
    let source = LogSource {
        namespace: "shop".to_owned(),
        pod: "web-0".to_owned(),
        tail_lines: Some(2),
        ..LogSource::default()
    };
    let mut tail = cluster.requests().tail(source);
    let mut all = Vec::new();
    while let Some(logged) = said(&mut tail).await {
        all.push(logged);
    }
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(matches!(&all[0], Logged::Line(line) if line.starts_with("level=info")), "as it was said: {all:?}");
    assert!(matches!(&all[2], Logged::Ended(words) if words.contains("all so far")), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn any_object_can_be_seen_whole() {
    let (_simulation, middle, cluster) = observed().await;
    let requests = cluster.requests();
    let budget = requests.fetch_object(&Resource::budget("shop", "cart")).await.unwrap();
    assert_eq!(budget["spec"]["minAvailable"], 1);
    assert_eq!(requests.fetch_object(&Resource::node("worker-0")).await.unwrap()["kind"], "Node");
    middle.asked();
    let lease = Resource::namespaced("leases.coordination.k8s.io", "shop", "none");
    let gone = requests.fetch_object(&lease).await.unwrap_err();
    assert!(gone.words.contains("does not exist"), "{}", gone.words);
    assert_eq!(
        middle.asked(),
        ["/apis/coordination.k8s.io", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/none"],
        "the version of an unknown group is asked for"
    );
    let unknown = requests.fetch_object(&Resource::cluster("wonders.example.com", "x")).await.unwrap_err();
    assert_eq!(unknown.kind, TroubleKind::AbsentKind);
}

/// What is read is what the role for watching allows: kinds by group and plural. A role cannot say "metadata only", so
/// that Secrets have one of their own.
#[test]
fn the_role_for_watching_allows_what_is_read() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rbac/viewer.yaml");
    let roles = oc_cockpit::snapshot::read([file]);
    assert_eq!(roles.broken, []);
    let rules: Vec<&Value> = roles.objects.iter().filter_map(|role| role["rules"].as_array()).flatten().collect();
    let lists = |value: &Value, wanted: &str| value.as_array().is_some_and(|all| all.iter().any(|one| one == wanted));
    let allowed = |verb: &str, group: &str, resource: &str| {
        rules.iter().any(|rule| {
            lists(&rule["verbs"], verb) && lists(&rule["apiGroups"], group) && lists(&rule["resources"], resource)
        })
    };
    for kind in Kind::CORE.into_iter().chain(Kind::AROUND) {
        let verb = match kind {
            Kind::Alerts => continue,
            Kind::Secrets => "get",
            Kind::ApiRequestCounts => "list",
            _ => "watch",
        };
        assert!(allowed(verb, kind.group(), kind.plural()), "{verb} {}", kind.resource());
    }
    for (verb, group, resource) in [
        ("watch", "", "events"),
        ("get", "", "pods/log"),
        ("get", "route.openshift.io", "routes"),
        ("get", "", "namespaces"),
    ] {
        assert!(allowed(verb, group, resource), "{verb} {resource}");
    }
    let writes = rules.iter().filter_map(|rule| rule["verbs"].as_array()).flatten();
    assert!(writes.into_iter().all(|verb| matches!(verb.as_str(), Some("get" | "list" | "watch"))), "it only watches");
}

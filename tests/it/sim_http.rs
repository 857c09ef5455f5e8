//! The simulated API server speaks HTTP as a real one does.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::Method;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use oc_cockpit::sim::actors;
use oc_cockpit::sim::faults::Fault;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Server, Simulation, serve};
use oc_cockpit::upgrade::facts::Kind;
use serde_json::{Value, json};

use crate::support::sim::{Answer, TempKubeconfig, ask, node, server, simulation, small_cluster};

const POOLS: &str = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools";
const WORKER: &str = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker";
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn get(simulation: &Simulation, path: &str) -> Answer {
    ask(simulation, Method::GET, path, &[], "").await
}

async fn merge(simulation: &Simulation, path: &str, patch: &Value) -> Answer {
    ask(simulation, Method::PATCH, path, &[MERGE], patch.to_string()).await
}

async fn post(simulation: &Simulation, path: &str, body: &Value) -> Answer {
    ask(simulation, Method::POST, path, &[JSON], body.to_string()).await
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn client_of(server: &Server, context: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

fn pools(client: Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("machineconfiguration.openshift.io", "v1", "MachineConfigPool");
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "machineconfigpools"))
}

#[tokio::test(start_paused = true)]
async fn pages_of_one_list_show_one_moment() {
    let simulation = simulation();
    let first = get(&simulation, "/api/v1/nodes?limit=2").await.json();
    assert_eq!(names(&first), ["master-0", "worker-0"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    simulation.store().delete(Res::NODES, None, "worker-1");
    let second = get(&simulation, &format!("/api/v1/nodes?limit=2&continue={token}")).await.json();
    assert_eq!(names(&second), ["worker-1"], "the second page is of the same version as the first");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert!(second["metadata"].get("continue").is_none());

    simulation.store().forget_history();
    let expired = get(&simulation, &format!("/api/v1/nodes?limit=2&continue={token}")).await;
    assert_eq!((expired.status, expired.json()["reason"].as_str()), (410, Some("Expired")));
    let go_on = expired.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    assert_eq!(get(&simulation, &format!("/api/v1/nodes?limit=2&continue={go_on}")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_from_a_list_without_losing_anything() {
    let simulation = simulation();
    let version = get(&simulation, POOLS).await.json()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let store = simulation.store();
    store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| pool["spec"]["paused"] = json!(true));
    store.delete(Res::MACHINE_CONFIG_POOLS, None, "master");
    let events =
        get(&simulation, &format!("{POOLS}?watch=1&resourceVersion={version}&timeoutSeconds=3")).await.events();
    let told: Vec<(&str, &str)> =
        events.iter().map(|(event, object)| (event.as_str(), object["metadata"]["name"].as_str().unwrap())).collect();
    assert_eq!(told, [("MODIFIED", "worker"), ("DELETED", "master")]);
}

#[tokio::test(start_paused = true)]
async fn initial_events_end_with_a_mark_and_bookmarks_follow() {
    let simulation = simulation();
    let query = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    let events = get(&simulation, &format!("{POOLS}?{query}&timeoutSeconds=12")).await.events();
    let kinds: Vec<&str> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(kinds[..3], ["ADDED", "ADDED", "BOOKMARK"]);
    assert_eq!(events[2].1["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    // Two at their beat and the last one before the end.
    assert_eq!(kinds[3..], ["BOOKMARK", "BOOKMARK", "BOOKMARK"]);
    assert!(events[3].1["metadata"].get("annotations").is_none());
}

#[tokio::test(start_paused = true)]
async fn coming_into_sight_is_an_addition_and_leaving_it_a_deletion() {
    let simulation = simulation();
    let store = simulation.store();
    let version = store.resource_version();
    for zone in ["b", "c", "d"] {
        store.update(Res::NODES, None, "worker-0", |node| node["metadata"]["labels"]["zone"] = json!(zone));
    }
    let path = format!("/api/v1/nodes?watch=1&resourceVersion={version}&timeoutSeconds=1&labelSelector=zone%3Dc");
    let kinds: Vec<String> = get(&simulation, &path).await.events().into_iter().map(|(event, _)| event).collect();
    assert_eq!(kinds, ["ADDED", "DELETED"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_out_of_the_history_is_gone_as_an_event_and_one_in_the_future_is_silent() {
    let simulation = simulation();
    let gone = get(&simulation, &format!("{POOLS}?watch=1&resourceVersion=1")).await;
    assert_eq!(gone.status, 200);
    let events = gone.events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].0.as_str(), &events[0].1["code"]), ("ERROR", &json!(410)));
    let future = format!("{POOLS}?watch=1&resourceVersion=90000&timeoutSeconds=8&allowWatchBookmarks=true");
    assert_eq!(get(&simulation, &future).await.text, "");
    let listed = get(&simulation, "/api/v1/nodes?resourceVersion=90000").await;
    assert_eq!((listed.status, listed.headers["retry-after"].to_str().unwrap()), (504, "1"));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsed_write_changes_nothing_and_shows_what_it_would() {
    let simulation = simulation();
    let before = simulation.store().resource_version();
    let rehearsed =
        merge(&simulation, &format!("{WORKER}?dryRun=All&fieldManager=me"), &json!({"spec": {"paused": true}})).await;
    let object = rehearsed.json();
    assert_eq!((rehearsed.status, &object["spec"]["paused"]), (200, &json!(true)));
    assert_eq!(object["metadata"]["generation"], 2);
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|entry| entry["manager"] == "me"));
    let made =
        post(&simulation, &format!("{POOLS}?dryRun=All"), &json!({"metadata": {"name": "infra"}, "spec": {}})).await;
    assert_eq!(made.status, 201);
    let deleted = ask(&simulation, Method::DELETE, &format!("{WORKER}?dryRun=All"), &[], "").await;
    assert_eq!(deleted.status, 200);
    assert_eq!(simulation.store().resource_version(), before);
    assert_eq!(get(&simulation, WORKER).await.json()["spec"]["paused"], false);
}

#[tokio::test(start_paused = true)]
async fn writes_are_locked_counted_and_validated() {
    let simulation = simulation();
    let version = get(&simulation, WORKER).await.json()["metadata"]["resourceVersion"].clone();
    let pause = json!({"metadata": {"resourceVersion": version}, "spec": {"paused": true}});
    assert_eq!(merge(&simulation, WORKER, &pause).await.status, 200);
    let late = merge(&simulation, WORKER, &pause).await;
    assert_eq!((late.status, late.json()["reason"].as_str()), (409, Some("Conflict")));
    let wrong_uid = json!({"metadata": {"uid": "other"}, "spec": {"paused": false}});
    assert_eq!(merge(&simulation, WORKER, &wrong_uid).await.status, 409);
    let invalid = merge(&simulation, WORKER, &json!({"spec": {"paused": 7}})).await.json();
    assert_eq!((&invalid["code"], &invalid["details"]["causes"][0]["field"]), (&json!(422), &json!("spec.paused")));
    assert_eq!(merge(&simulation, &format!("{POOLS}/nope"), &json!({})).await.status, 404);
    assert_eq!(post(&simulation, POOLS, &json!({"metadata": {"name": "worker"}, "spec": {}})).await.status, 409);
    let unknown = merge(&simulation, WORKER, &json!({"spec": {"puased": true}})).await;
    assert_eq!(unknown.headers["warning"], "299 - \"unknown field \\\"spec.puased\\\"\"");
    assert!(unknown.json()["spec"].get("puased").is_none());
    let strict =
        merge(&simulation, &format!("{WORKER}?fieldValidation=Strict"), &json!({"spec": {"puased": true}})).await;
    assert_eq!(strict.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_status_is_a_part_of_its_own() {
    let simulation = simulation();
    let both = json!({"spec": {"paused": true}, "status": {"machineCount": 9}});
    let main = merge(&simulation, WORKER, &both).await.json();
    assert_eq!((&main["spec"]["paused"], &main["status"]["machineCount"]), (&json!(true), &json!(3)));
    let other = json!({"spec": {"paused": false}, "status": {"machineCount": 9}});
    let status = merge(&simulation, &format!("{WORKER}/status"), &other).await.json();
    assert_eq!((&status["spec"]["paused"], &status["status"]["machineCount"]), (&json!(true), &json!(9)));
    assert_eq!(status["metadata"]["generation"], main["metadata"]["generation"]);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_asks_the_budget() {
    let simulation = simulation();
    let evict = async |pod: &str, options: Value| {
        let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "shop"},
                          "deleteOptions": options});
        post(&simulation, &format!("/api/v1/namespaces/shop/pods/{pod}/eviction"), &body).await
    };
    let refused = evict("cart-0", json!({})).await;
    assert_eq!(refused.status, 429);
    let cause = &refused.json()["details"]["causes"][0];
    assert_eq!(cause["message"], "The disruption budget cart needs 1 healthy pods and has 1 currently");
    assert_eq!(evict("web-0", json!({"dryRun": ["All"]})).await.status, 201);
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-0").is_some());
    assert_eq!(evict("web-0", json!({})).await.status, 201);
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-0").is_none());

    let store = simulation.store();
    store.update(Res::PDBS, Some("shop"), "cart", |pdb| pdb["status"]["disruptionsAllowed"] = json!(1));
    let second = json!({"metadata": {"name": "other", "namespace": "shop"}, "spec": {"selector": {}}});
    store.create(Res::PDBS, second, simulation.clock().now());
    assert_eq!(evict("cart-0", json!({})).await.status, 500);
    store.delete(Res::PDBS, Some("shop"), "other");
    assert_eq!(evict("cart-0", json!({})).await.status, 201);
    let budget = store.get(Res::PDBS, Some("shop"), "cart").unwrap();
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert!(budget["status"]["disruptedPods"].get("cart-0").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pod_with_a_kubelet_is_marked_and_one_without_is_gone() {
    let simulation = simulation();
    let _stage = simulation.stage();
    let path = "/api/v1/namespaces/shop/pods/web-0";
    let marked = ask(&simulation, Method::DELETE, path, &[], "").await.json();
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-0").is_some());
    ask(&simulation, Method::DELETE, &format!("{path}?gracePeriodSeconds=0"), &[], "").await;
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-0").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_kind_appears_while_the_cluster_runs() {
    let simulation = simulation();
    let path = "/apis/machineconfiguration.openshift.io/v1/machineconfignodes";
    let store = simulation.store();
    store.set_served(Res::MACHINE_CONFIG_NODES, false);
    let absent = get(&simulation, path).await;
    assert_eq!((absent.status, absent.text.as_str()), (404, "404 page not found\n"));
    let discovery = "/apis/machineconfiguration.openshift.io/v1";
    assert!(!get(&simulation, discovery).await.text.contains("machineconfignodes"));
    store.set_served(Res::MACHINE_CONFIG_NODES, true);
    assert!(get(&simulation, discovery).await.text.contains("machineconfignodes"));
    let early = get(&simulation, path).await;
    assert_eq!((early.status, early.headers["retry-after"].to_str().unwrap()), (429, "1"));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(get(&simulation, path).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn metadata_only_is_enough_for_some() {
    let simulation = simulation();
    let accept = [("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")];
    let list = ask(&simulation, Method::GET, "/api/v1/nodes", &accept, "").await.json();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert!(list["items"][0].get("spec").is_none());
    let watch = "/api/v1/nodes?watch=1&timeoutSeconds=1&allowWatchBookmarks=true";
    let events = ask(&simulation, Method::GET, watch, &accept, "").await.events();
    assert!(events.iter().all(|(_, object)| object["kind"] == "PartialObjectMetadata"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn recorded_objects_are_served_as_they_are() {
    let list = json!({"apiVersion": "v1", "kind": "NodeList", "items": [
        {"metadata": {"name": "old", "uid": "recorded", "resourceVersion": "4865176381",
                      "creationTimestamp": "2020-05-21T19:36:50Z"}},
    ]});
    let unknown = json!({"apiVersion": "example.com/v1", "kind": "BackupPolicy", "metadata": {"name": "daily"}});
    let options = Options { objects: vec![list, unknown, node("fresh", "worker")], ..Options::default() };
    let simulation = Simulation::new(&options).unwrap();
    let old = get(&simulation, "/api/v1/nodes/old").await.json();
    assert_eq!(old["metadata"]["uid"], "recorded");
    assert_eq!(old["metadata"]["creationTimestamp"], "2020-05-21T19:36:50Z");
    assert_eq!(old["metadata"]["resourceVersion"], "4865176381");
    let version: u64 = get(&simulation, "/api/v1/nodes").await.json()["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|version| version.parse().ok())
        .unwrap();
    assert!(version >= 4_865_176_381);
    assert_eq!(names(&get(&simulation, "/apis/example.com/v1/backuppolicies").await.json()), ["daily"]);
    assert!(get(&simulation, "/apis").await.text.contains("example.com"));
    let broken = Options { objects: vec![json!({"kind": "Node"})], ..Options::default() };
    assert!(Simulation::new(&broken).err().unwrap().to_string().contains("needs apiVersion, kind and metadata.name"));
}

#[tokio::test]
async fn over_https_the_token_decides() {
    let server = server().await;
    let admin = pools(client_of(&server, "admin").await);
    assert_eq!(admin.list(&ListParams::default()).await.unwrap().items.len(), 2);
    let pause = Patch::Merge(json!({"spec": {"paused": true}}));
    let viewer = pools(client_of(&server, "viewer").await);
    assert_eq!(viewer.list(&ListParams::default()).await.unwrap().items.len(), 2);
    let code = |error: kube::Error| match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other}"),
    };
    assert_eq!(code(viewer.patch("worker", &PatchParams::default(), &pause).await.unwrap_err()), 403);
    server.faults.throw("viewer-forbidden=machineconfigpools".parse().unwrap());
    assert_eq!(code(viewer.list(&ListParams::default()).await.unwrap_err()), 403);
    server.faults.throw("revoke-token".parse().unwrap());
    assert_eq!(code(admin.list(&ListParams::default()).await.unwrap_err()), 401);
    server.shutdown().await;
}

#[tokio::test]
async fn a_revoked_token_is_replaced_in_the_kubeconfig() {
    let file = TempKubeconfig::path();
    let options = Options { objects: small_cluster(), kubeconfig_out: Some(file.0.clone()), ..Options::default() };
    let server = serve(options, None).await.unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file.0).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read_to_string(&file.0).unwrap();
    let mut renewed = server.faults.renewed_tokens();
    server.faults.throw("revoke-token=50ms".parse().unwrap());
    renewed.changed().await.unwrap();
    while std::fs::read_to_string(&file.0).unwrap() == before {
        tokio::task::yield_now().await;
    }
    let client = client_of(&server, "admin").await;
    assert_eq!(pools(client).list(&ListParams::default()).await.unwrap().items.len(), 2);
    server.shutdown().await;
}

#[tokio::test]
async fn an_outage_refuses_everybody_and_ends_on_the_same_port() {
    let server = server().await;
    let client = client_of(&server, "admin").await;
    let pools = pools(client);
    let watch = pools.watch(&WatchParams::default(), "0").await.unwrap();
    let mut watch = std::pin::pin!(watch);
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(_)))));
    let id = server.faults.throw("outage=1h".parse().unwrap());
    while let Some(event) = watch.next().await {
        assert!(event.is_err() || matches!(event, Ok(WatchEvent::Added(_) | WatchEvent::Bookmark(_))), "{event:?}");
    }
    let refused = pools.list(&ListParams::default()).await.unwrap_err();
    assert!(!matches!(refused, kube::Error::Api(_)), "{refused:?}");
    assert!(server.faults.clear(id));
    let mut answered = pools.list(&ListParams::default()).await;
    while answered.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        answered = pools.list(&ListParams::default()).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn cut_watches_break_off_and_gone_ones_say_so() {
    let server = server().await;
    let pools = pools(client_of(&server, "admin").await);
    // The initial events: two pools and the mark that this was all.
    let open = async || {
        let mut watch = pools.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        while !matches!(watch.try_next().await.unwrap(), Some(WatchEvent::Bookmark(_))) {}
        watch
    };
    let mut watch = open().await;
    server.faults.cut_watches();
    let end = watch.next().await;
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");

    let mut watch = open().await;
    server.faults.throw("gone".parse().unwrap());
    match watch.next().await {
        Some(Ok(WatchEvent::Error(error))) => assert_eq!(error.code, 410),
        other => panic!("{other:?}"),
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn faults_are_thrown_and_ended_while_running() {
    let simulation = simulation();
    let thrown = ask(&simulation, Method::POST, "/sim/faults", &[], "too-many=2s").await;
    assert_eq!(thrown.status, 201);
    let refused = get(&simulation, "/api/v1/nodes").await;
    assert_eq!((refused.status, refused.headers["retry-after"].to_str().unwrap()), (429, "2"));
    assert_eq!(get(&simulation, "/sim/status").await.json()["faults"][0]["fault"], "too-many=2s");
    let id = thrown.json()["id"].to_string();
    assert_eq!(ask(&simulation, Method::DELETE, &format!("/sim/faults/{id}"), &[], "").await.status, 200);
    assert_eq!(get(&simulation, "/api/v1/nodes").await.status, 200);
    assert_eq!(ask(&simulation, Method::POST, "/sim/faults", &[], "storm").await.status, 400);
    let as_viewer = [("impersonate-user", "viewer")];
    assert_eq!(ask(&simulation, Method::POST, "/sim/faults", &as_viewer, "gone").await.status, 403);
    assert_eq!(post(&simulation, "/sim/speed", &json!({"speed": 60})).await.json()["speed"], 60.0);
    assert_eq!(post(&simulation, "/sim/speed", &json!({"speed": -1})).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn late_and_silent_servers_take_their_time() {
    let simulation = simulation();
    let started = oc_cockpit::clock::runtime_instant();
    let latency: Fault = "latency=300ms".parse().unwrap();
    let id = simulation.faults().throw(latency);
    get(&simulation, "/version").await;
    assert_eq!(started.elapsed().as_millis(), 300);
    simulation.faults().clear(id);
    simulation.faults().throw("half-open=10s".parse().unwrap());
    assert_eq!(get(&simulation, "/version").await.status, 200);
    assert_eq!(started.elapsed().as_secs(), 10);
    simulation.faults().throw("gone-status/5s".parse().unwrap());
    assert_eq!(get(&simulation, &format!("{POOLS}?watch=1&timeoutSeconds=1")).await.status, 410);
    assert_eq!(get(&simulation, POOLS).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_log_is_as_long_as_the_pod_is_old_and_is_followed_until_the_pod_goes() {
    let simulation = simulation();
    let log = "/api/v1/namespaces/shop/pods/web-0/log";
    let tail = get(&simulation, &format!("{log}?tailLines=2&timestamps=true")).await;
    assert_eq!(tail.text.lines().count(), 2);
    assert!(tail.text.lines().all(|line| line.starts_with("20") && line.contains("web is working")), "{}", tail.text);
    let other = get(&simulation, &format!("{log}?container=nope")).await;
    assert_eq!(other.status, 400);
    let store = simulation.store();
    let leave = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        store.delete(Res::PODS, Some("shop"), "web-0");
    };
    let path = format!("{log}?follow=true&tailLines=1");
    let (followed, ()) = tokio::join!(get(&simulation, &path), leave);
    // One line that was there and one every ten seconds.
    assert!((7..=8).contains(&followed.text.lines().count()), "{}", followed.text);
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_holds_what_is_deleted() {
    let simulation = simulation();
    merge(&simulation, WORKER, &json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    let held = ask(&simulation, Method::DELETE, WORKER, &[], "").await.json();
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(get(&simulation, WORKER).await.status, 200);
    merge(&simulation, WORKER, &json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(get(&simulation, WORKER).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_deleted_as_selected_and_only_as_agreed() {
    let simulation = simulation();
    let path = "/api/v1/namespaces/shop/pods";
    let wrong = json!({"preconditions": {"uid": "other"}});
    let refused = ask(&simulation, Method::DELETE, &format!("{path}/web-0"), &[JSON], wrong.to_string()).await;
    assert_eq!(refused.status, 409);
    let removed = ask(&simulation, Method::DELETE, &format!("{path}?labelSelector=app%3Dweb"), &[], "").await.json();
    assert_eq!(names(&removed), ["web-0"]);
    assert_eq!(names(&get(&simulation, path).await.json()), ["cart-0"]);
}

/// The cluster of a scenario in process, at its start; nobody moves it.
fn standing(scenario: Scenario) -> Simulation {
    let options = Options { speed: scenario.speed, ..Options::default() };
    let simulation = Simulation::new(&options).unwrap();
    drop(actors::play(scenario)(simulation.stage()));
    simulation
}

#[tokio::test(start_paused = true)]
async fn everything_that_explains_an_update_is_listed() {
    let simulation = standing(Scenario::load("layered").unwrap());
    for kind in Kind::AROUND {
        if matches!(kind, Kind::Alerts | Kind::VirtualMachineInstances) || kind.image_based() {
            continue;
        }
        let list = get(&simulation, &kind.path()).await;
        assert_eq!(list.status, 200, "{}", kind.path());
        let empty = matches!(
            kind,
            Kind::CertificateSigningRequests
                | Kind::ImageDigestMirrorSets
                | Kind::ImageContentSourcePolicies
                | Kind::Subscriptions
                | Kind::InstallPlans
        );
        assert_eq!(list.json()["items"].as_array().unwrap().is_empty(), empty, "{}", kind.path());
    }
    assert_eq!(
        get(&simulation, &Kind::VirtualMachineInstances.path()).await.status,
        404,
        "as where nobody installed it"
    );
    let accept = [("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")];
    let path = "/api/v1/namespaces/kube-system/secrets";
    let secrets = ask(&simulation, Method::GET, path, &accept, "").await.json();
    assert_eq!(names(&secrets), ["aws-creds"]);
    assert!(secrets["items"][0].get("data").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_release_serves_what_it_had_and_nothing_newer() {
    let of = |version: &str, mirror: bool| {
        let mut scenario = Scenario::load("minor").unwrap();
        scenario.cluster.version = version.to_owned();
        scenario.cluster.history.clear();
        scenario.releases.clear();
        if mirror {
            let registry = json!({"registry": "registry.example.com/ocp"});
            scenario.cluster.mirror = Some(serde_json::from_value(registry).unwrap());
        }
        standing(scenario)
    };
    let status = async |simulation: &Simulation, path: &str| get(simulation, path).await.status;
    let mcn = Kind::MachineConfigNodes.path();
    let (pinned, layered) = (Kind::PinnedImageSets.path(), Kind::MachineOsConfigs.path());
    let simulation = of("4.18.22", false);
    assert_eq!(status(&simulation, &mcn).await, 404);
    assert_eq!(status(&simulation, &pinned).await, 404);
    assert_eq!(status(&simulation, &layered).await, 200);
    let simulation = of("4.12.40", true);
    assert_eq!(status(&simulation, &layered).await, 404);
    assert_eq!(status(&simulation, &Kind::ImageDigestMirrorSets.path()).await, 404);
    let policies = get(&simulation, &Kind::ImageContentSourcePolicies.path()).await.json();
    assert_eq!(names(&policies), ["release"]);
    let simulation = of("4.7.30", false);
    assert_eq!(status(&simulation, "/apis/policy/v1/poddisruptionbudgets").await, 404);
    let budgets = get(&simulation, "/apis/policy/v1beta1/poddisruptionbudgets").await.json();
    assert_eq!(budgets["apiVersion"], "policy/v1beta1");
    assert!(names(&budgets).contains(&"cart".to_owned()));
}

fn request_of(node: &str) -> Value {
    json!({
        "metadata": {"name": format!("csr-{node}")},
        "spec": {"request": "cmVxdWVzdA==", "signerName": "kubernetes.io/kubelet-serving",
                 "username": format!("system:node:{node}"), "usages": ["server auth"]},
        "status": {},
    })
}

#[tokio::test(start_paused = true)]
async fn an_approval_is_a_part_of_its_own_and_cannot_be_taken_back() {
    let simulation = simulation();
    simulation.store().create(Res::CSRS, request_of("worker-0"), simulation.clock().now());
    let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/csr-worker-0";
    let verdict =
        |kind: &str| json!({"status": {"conditions": [{"type": kind, "status": "True", "reason": "ByHand"}]}});
    let ignored = merge(&simulation, path, &verdict("Approved")).await.json();
    assert!(ignored["status"]["conditions"].is_null(), "{ignored}");
    let approved = merge(&simulation, &format!("{path}/approval"), &verdict("Approved")).await.json();
    assert_eq!(approved["status"]["conditions"][0]["type"], "Approved");
    assert!(approved["status"]["conditions"][0]["lastUpdateTime"].is_string());
    let both = merge(&simulation, &format!("{path}/approval"), &verdict("Denied")).await.json();
    assert_eq!(both["status"]["conditions"].as_array().unwrap().len(), 2);
    assert_eq!(get(&simulation, &format!("{path}/approval")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn monitoring_answers_in_process_by_its_host_and_through_the_proxy() {
    let simulation = standing(Scenario::load("stuck-drain").unwrap());
    let path = "/apis/route.openshift.io/v1/namespaces/openshift-monitoring/routes/thanos-querier";
    let route = get(&simulation, path).await.json();
    let host = route["status"]["ingress"][0]["host"].as_str().unwrap().to_owned();
    let by_host = ask(&simulation, Method::GET, "/api/v1/alerts", &[("host", &host)], "").await.json();
    let proxy = "/api/v1/namespaces/openshift-monitoring/services/https:thanos-querier:9091/proxy/api/v1/alerts";
    assert_eq!(get(&simulation, proxy).await.json(), by_host);
    let alerts = oc_cockpit::upgrade::alert::of_answer(&by_host).unwrap();
    let limit = alerts.iter().find(|alert| alert.name == "PodDisruptionBudgetAtLimit").unwrap();
    assert!(limit.fires() && limit.label("poddisruptionbudget") == "cart" && limit.label("namespace") == "shop");
    assert!(limit.active_at.is_some() && !limit.annotation("description").is_empty());
    assert_eq!(get(&simulation, "/api/v1/alerts").await.status, 404, "the API server itself has none");
}

#[tokio::test]
async fn monitoring_listens_beside_the_server_and_asks_for_the_token() {
    let scenario = Scenario::load("minor").unwrap();
    let options = Options { speed: scenario.speed, ..Options::default() };
    let server = serve(options, Some(actors::play(scenario))).await.unwrap();
    let route = server.store.get(Res::ROUTES, Some("openshift-monitoring"), "thanos-querier").unwrap();
    let host = route["status"]["ingress"][0]["host"].as_str().unwrap().to_owned();
    let mut kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let asked = async |kubeconfig: &Kubeconfig| {
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let request = http::Request::get("/api/v1/alerts").body(Vec::new()).unwrap();
        client.request_text(request).await
    };
    // The same authority and token, another address.
    kubeconfig.clusters[0].cluster.as_mut().unwrap().server = Some(format!("https://{host}"));
    let answer = asked(&kubeconfig).await.unwrap();
    assert!(answer.contains("\"Watchdog\""), "{answer}");
    kubeconfig.auth_infos[0].auth_info.as_mut().unwrap().token = Some("wrong".to_owned().into());
    assert!(asked(&kubeconfig).await.is_err());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn logs_tell_what_the_platform_did() {
    let simulation = standing(Scenario::load("stuck-drain").unwrap());
    let pod = |namespace: &str, prefix: &str, node: &str| {
        let pods = simulation.store().list(Res::PODS);
        let found = pods.iter().find(|pod| {
            pod["metadata"]["namespace"] == namespace
                && pod["metadata"]["name"].as_str().unwrap().starts_with(prefix)
                && (node.is_empty() || pod["spec"]["nodeName"] == node)
        });
        found.unwrap()["metadata"]["name"].as_str().unwrap().to_owned()
    };
    let log = async |namespace: &str, pod: &str, query: &str| {
        get(&simulation, &format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}")).await
    };
    let mco = "openshift-machine-config-operator";
    let controller = pod(mco, "machine-config-controller-", "");
    let drains = log(mco, &controller, "").await.text;
    assert!(drains.contains("error when evicting pods/\"cart-0\" -n \"shop\""), "{drains}");
    assert!(drains.contains("(PodDisruptionBudget shop/cart)") && drains.contains("Waiting 5 minutes then retrying"));
    let daemon = log(mco, &pod(mco, "machine-config-daemon-", "worker-0"), "").await.text;
    assert!(daemon.contains("Draining node to update config."), "{daemon}");
    let operator = pod("openshift-cluster-version", "cluster-version-operator-", "");
    let version = log("openshift-cluster-version", &operator, "").await.text;
    assert!(version.contains("Running sync for clusteroperator \"network\" ("), "{version}");
    let stamped = log(mco, &controller, "tailLines=1&timestamps=true").await.text;
    assert!(stamped.lines().count() == 1 && stamped.starts_with("20"), "{stamped}");
    let before = log(mco, &controller, "previous=true").await;
    assert_eq!(before.status, 400);
    assert!(before.text.contains("previous terminated container"), "{}", before.text);
    assert_eq!(log(mco, "nobody", "").await.status, 404);
    simulation.store().update(Res::NODES, None, "worker-0", |node| {
        for condition in node["status"]["conditions"].as_array_mut().unwrap() {
            condition["status"] = json!("Unknown");
        }
    });
    let silent = log(mco, &pod(mco, "machine-config-daemon-", "worker-0"), "").await;
    assert_eq!(silent.status, 500);
    assert!(silent.text.contains(":10250/containerLogs/"), "{}", silent.text);
}

#[tokio::test(start_paused = true)]
async fn mishaps_are_thrown_over_http_and_by_a_flag() {
    let simulation = Simulation::new(&Options { speed: 10.0, ..Options::default() }).unwrap();
    let playing = actors::play(Scenario::load("minor").unwrap())(simulation.stage());
    let _task = tokio::spawn(playing);
    let thrown = post(&simulation, "/sim/mishaps", &json!({"kind": "operator-degraded", "object": "etcd"})).await;
    assert_eq!(thrown.status, 201, "{}", thrown.text);
    simulation.faults().throw("node-cordoned=worker-0/20s".parse().unwrap());
    let degraded = || {
        let operator = simulation.store().get(Res::CLUSTER_OPERATORS, None, "etcd").unwrap();
        let conditions = operator["status"]["conditions"].as_array().unwrap().clone();
        conditions.iter().any(|condition| condition["type"] == "Degraded" && condition["status"] == "True")
    };
    let cordoned =
        || simulation.store().get(Res::NODES, None, "worker-0").unwrap()["spec"]["unschedulable"] == json!(true);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(degraded() && cordoned());
    let listed = get(&simulation, "/sim/mishaps").await.json();
    assert_eq!(listed["mishaps"][0]["reference"], "clusteroperator/etcd");
    let id = thrown.json()["id"].as_u64().unwrap();
    assert_eq!(ask(&simulation, Method::DELETE, &format!("/sim/mishaps/{id}"), &[], "").await.status, 200);
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(!degraded() && !cordoned());
    assert_eq!(post(&simulation, "/sim/mishaps", &json!({"kind": "bad-luck"})).await.status, 400);
    assert!("bad-luck=x".parse::<Fault>().is_err());
}

#[tokio::test(start_paused = true)]
async fn recorded_objects_of_every_kind_are_served() {
    let played = standing(Scenario::load("gate").unwrap());
    let mut objects = Vec::new();
    for kind in Kind::AROUND.into_iter().filter(|kind| *kind != Kind::Alerts) {
        let list = get(&played, &kind.path()).await;
        if list.status == 200 {
            objects.push(list.json());
        }
    }
    let simulation = Simulation::new(&Options { objects, ..Options::default() }).unwrap();
    for kind in
        [Kind::ApiRequestCounts, Kind::InstallPlans, Kind::ClusterServiceVersions, Kind::Machines, Kind::Secrets]
    {
        let (recorded, live) = (get(&simulation, &kind.path()).await.json(), get(&played, &kind.path()).await.json());
        assert_eq!(names(&recorded), names(&live), "{}", kind.path());
        assert!(!names(&recorded).is_empty(), "{}", kind.path());
    }
}

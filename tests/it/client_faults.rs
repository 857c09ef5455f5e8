//! The client survives what an API server does to it.
//!
//! In process on paused time wherever a socket is not the point: then a minute of waiting takes no time, and every wait
//! is for a fact.

mod connecting;
pub mod middle;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oc_cockpit::actions::{Found, Read};
use oc_cockpit::clock;
use oc_cockpit::cluster::{Cluster, ContentType, Method, Request};
use oc_cockpit::sim::faults::{Fault, Trouble};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::upgrade::access::{Answer, Permission};
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, TroubleKind};
use serde_json::{Value, json};

use self::middle::Middle;
use crate::support::facts::{live, until_within};
use crate::support::sim;

/// Longer than anything here should take: a test that waits for this long has failed.
const PATIENCE: Duration = Duration::from_secs(150);

/// Waits until the facts say so, and gives them back; or panics with what they say instead.
async fn until(cluster: &Cluster, what: &str, says: impl FnMut(&Arc<Facts>) -> bool) -> Arc<Facts> {
    until_within(PATIENCE, cluster, what, says).await
}

fn all_live(facts: &Facts) -> bool {
    facts.link.state == LinkState::Live && Kind::CORE.iter().all(|kind| live(facts, *kind))
}

const NODES: Res = Res { group: "", plural: "nodes" };
const VERSIONS: Res = Res { group: "config.openshift.io", plural: "clusterversions" };

fn cordon(simulation: &Simulation, node: &str) {
    assert!(simulation.store().update(NODES, None, node, |node| node["spec"]["unschedulable"] = json!(true)));
}

fn cordoned(facts: &Facts, name: &str) -> bool {
    facts.nodes.iter().any(|node| node.metadata.name.as_deref() == Some(name) && node.spec.unschedulable)
}

/// The small cluster, somebody in the middle, and a cockpit that has its first picture.
async fn observed() -> (Simulation, Middle, Cluster) {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    let cluster = Cluster::start_in_process(middle.client());
    until(&cluster, "a complete picture", |facts| all_live(facts)).await;
    (simulation, middle, cluster)
}

#[tokio::test(start_paused = true)]
async fn the_first_picture_is_complete() {
    let (_simulation, _middle, cluster) = observed().await;
    let facts = until(&cluster, "who we are", |facts| facts.access.user.is_some()).await;
    assert_eq!(facts.link.state, LinkState::Live);
    let names: Vec<_> = facts.nodes.iter().filter_map(|node| node.metadata.name.as_deref()).collect();
    assert_eq!(names, ["master-0", "worker-0", "worker-1"], "ordered by name");
    assert_eq!((facts.operators.len(), facts.pools.len()), (2, 2));
    assert!(facts.cluster_version.is_some());
    assert_eq!(facts.access.user.as_deref(), Some("admin"));
    assert_eq!(facts.access.answer(&Permission::cluster("patch", "", "nodes")), Some(&Answer::Allowed));
    assert_eq!(facts.epoch, 0);
}

#[tokio::test(start_paused = true)]
async fn the_servers_clock_is_followed_when_it_differs() {
    let (simulation, _middle, cluster) = observed().await;
    let local = |facts: &Facts| (facts.link.heard.unwrap() - clock::now() - facts.link.clock_ahead).num_seconds();
    simulation.clock().pass(Duration::from_secs(600));
    let facts = until(&cluster, "the other clock", |facts| facts.link.clock_ahead.num_seconds() > 500).await;
    assert!(facts.link.clock_ahead.num_seconds() < 700, "{:?}", facts.link);
    // What was heard a moment ago was heard a moment ago, whatever the clocks say.
    assert!(local(&facts).abs() <= 5, "{:?}", facts.link);
    assert_eq!(facts.link.state, LinkState::Live, "nothing was missed");
    assert!(all_live(&facts));
    let words = facts.link.clock_words().unwrap();
    assert!(words.starts_with("this machine's clock is 1") && words.ends_with("m behind the API server's"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn large_lists_come_in_pages() {
    let nodes = (0..1_001).map(|number| sim::node(&format!("worker-{number:04}"), "worker"));
    let simulation = Simulation::new(&Options { objects: nodes.collect(), ..Options::default() }).unwrap();
    let middle = Middle::before(&simulation);
    let cluster = Cluster::start_in_process(middle.client());
    let facts = until(&cluster, "the nodes", |facts| live(facts, Kind::Nodes)).await;
    assert_eq!(facts.nodes.len(), 1_001);
    let lists = middle.asked().iter().filter(|uri| uri.starts_with("/api/v1/nodes?limit=250")).count();
    assert_eq!(lists, 5);
}

#[tokio::test(start_paused = true)]
async fn of_many_events_the_newest_are_remembered() {
    let mut objects = sim::small_cluster();
    // By name the newest come last, and a list comes by name.
    objects.extend((0..800).map(|at| {
        let time = format!("2026-11-20T{:02}:{:02}:{:02}Z", at / 3_600, at / 60 % 60, at % 60);
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "default", "name": format!("e{at:03}")},
            "involvedObject": {"kind": "Node", "name": "worker-0"}, "reason": "Drain", "type": "Normal",
            "message": at.to_string(), "firstTimestamp": time, "lastTimestamp": time,
        })
    }));
    let simulation = Simulation::new(&Options { objects, seed: 7, ..Options::default() }).unwrap();
    let cluster = Cluster::start_in_process(Middle::before(&simulation).client());
    let facts = until(&cluster, "events", |facts| !facts.events.is_empty()).await;
    assert_eq!(facts.events.len(), 500);
    assert_eq!(facts.events.last().unwrap().message, "799");
}

#[tokio::test(start_paused = true)]
async fn a_change_arrives_without_being_asked_for() {
    let (simulation, _middle, cluster) = observed().await;
    cordon(&simulation, "worker-0");
    until(&cluster, "worker-0 cordoned", |facts| cordoned(facts, "worker-0")).await;
    simulation.store().delete(NODES, None, "worker-1");
    let facts = until(&cluster, "worker-1 gone", |facts| facts.nodes.len() == 2).await;
    assert!(cordoned(&facts, "worker-0"));
}

#[tokio::test(start_paused = true)]
async fn cut_watches_go_on_from_where_they_were() {
    let (simulation, middle, cluster) = observed().await;
    middle.asked();
    for node in ["worker-0", "worker-1", "master-0"] {
        simulation.faults().cut_watches();
        cordon(&simulation, node);
        until(&cluster, "the change after the cut", |facts| cordoned(facts, node)).await;
    }
    let lists: Vec<_> = middle.asked().into_iter().filter(|uri| uri.starts_with("/api/v1/nodes?limit=250")).collect();
    assert_eq!(lists, Vec::<String>::new(), "nothing was listed again");
}

#[tokio::test(start_paused = true)]
async fn gone_inside_a_watch_leads_to_a_new_list() {
    let (simulation, middle, cluster) = observed().await;
    middle.asked();
    simulation.faults().expire_watches();
    cordon(&simulation, "worker-0");
    let facts = until(&cluster, "the change", |facts| cordoned(facts, "worker-0") && all_live(facts)).await;
    assert_eq!(facts.epoch, 0);
    assert!(middle.asked().iter().any(|uri| uri.starts_with("/api/v1/nodes?limit=250")));
}

#[tokio::test(start_paused = true)]
async fn gone_as_a_status_is_no_endless_loop() {
    let (simulation, middle, cluster) = observed().await;
    let fault = simulation.faults().throw(Fault::now(Trouble::GoneStatus));
    simulation.faults().cut_watches();
    let facts = until(
        &cluster,
        "the trouble in words",
        |facts| matches!(facts.status(Kind::Nodes), KindStatus::Failing(trouble) if trouble.kind == TroubleKind::Gone),
    )
    .await;
    assert_eq!(facts.nodes.len(), 3, "the last good content stays");
    middle.asked();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let lists = middle.asked().iter().filter(|uri| uri.starts_with("/api/v1/nodes?limit=250")).count();
    assert!(lists <= 6, "{lists} lists of nodes in 10 s");
    simulation.faults().clear(fault);
    cordon(&simulation, "worker-1");
    until(&cluster, "the change", |facts| cordoned(facts, "worker-1") && all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_says_so_and_the_others_go_on() {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    let fault = simulation.faults().throw(Fault::now(Trouble::ViewerForbidden("machineconfigpools".to_owned())));
    middle.user("viewer");
    let cluster = Cluster::start_in_process(middle.client());
    let facts = until(&cluster, "a complete picture", |facts| facts.complete()).await;
    let KindStatus::Forbidden(trouble) = facts.status(Kind::MachineConfigPools) else {
        panic!("{:?}", facts.status(Kind::MachineConfigPools))
    };
    assert_eq!(trouble.kind, TroubleKind::Forbidden);
    assert!(trouble.words.contains("machineconfigpools"), "{}", trouble.words);
    assert_eq!(facts.nodes.len(), 3);
    let facts = until(&cluster, "access answers", |facts| !facts.access.answers.is_empty()).await;
    assert!(matches!(facts.access.answer(&Permission::cluster("patch", "", "nodes")), Some(Answer::Denied(_))));
    simulation.faults().clear(fault);
    let facts = until(&cluster, "the pools", |facts| live(facts, Kind::MachineConfigPools)).await;
    assert_eq!(facts.pools.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_appears_is_found_when_the_update_moves() {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    let fault = simulation.faults().throw(Fault::now(Trouble::Absent("machineconfignodes".to_owned())));
    let cluster = Cluster::start_in_process(middle.client());
    until(&cluster, "the absence", |facts| {
        facts.complete() && *facts.status(Kind::MachineConfigNodes) == KindStatus::Absent
    })
    .await;
    simulation.faults().clear(fault);
    let before = clock::runtime_instant();
    simulation.store().update(VERSIONS, None, "version", |version| {
        version["status"]["history"][0]["completionTime"] = json!("2026-11-20T12:00:00Z");
    });
    until(&cluster, "the kind", |facts| live(facts, Kind::MachineConfigNodes)).await;
    assert!(before.elapsed() < Duration::from_secs(2), "after {:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_appears_is_found_within_a_minute() {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    let fault = simulation.faults().throw(Fault::now(Trouble::Absent("machineconfignodes".to_owned())));
    let cluster = Cluster::start_in_process(middle.client());
    until(&cluster, "the absence", |facts| *facts.status(Kind::MachineConfigNodes) == KindStatus::Absent).await;
    simulation.faults().clear(fault);
    let before = clock::runtime_instant();
    until(&cluster, "the kind", |facts| live(facts, Kind::MachineConfigNodes)).await;
    assert!(before.elapsed() <= Duration::from_secs(61), "after {:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn plain_kubernetes_shows_its_nodes() {
    let simulation = sim::simulation();
    for plural in ["clusterversions", "clusteroperators", "machineconfigpools", "machineconfignodes", "machineconfigs"]
    {
        simulation.faults().throw(Fault::now(Trouble::Absent(plural.to_owned())));
    }
    let cluster = Cluster::start_in_process(Middle::before(&simulation).client());
    let facts = until(&cluster, "a complete picture", |facts| facts.complete()).await;
    assert_eq!(*facts.status(Kind::ClusterVersions), KindStatus::Absent);
    assert!(facts.cluster_version.is_none());
    assert_eq!(facts.nodes.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_outage_keeps_the_picture_and_recovers_after_asking_who_answers() {
    let (simulation, middle, cluster) = observed().await;
    middle.refuse(true);
    simulation.faults().cut_watches();
    let facts = until(&cluster, "stale", |facts| facts.link.state.stale()).await;
    assert!(!facts.link.state.writable());
    assert_eq!(facts.link.trouble.as_ref().unwrap().kind, TroubleKind::Refused);
    assert_eq!(facts.nodes.len(), 3, "the last picture stays");
    until(
        &cluster,
        "three attempts",
        |facts| matches!(facts.link.state, LinkState::Reconnecting { attempts, .. } if attempts >= 3),
    )
    .await;
    cordon(&simulation, "worker-0");

    middle.hold("namespaces/kube-system");
    middle.asked();
    middle.refuse(false);
    until(&cluster, "verifying", |facts| matches!(facts.link.state, LinkState::Verifying { .. })).await;
    // Longer than any pause after a failure: whoever wants to list or watch has come by.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let asked = middle.asked();
    assert!(!asked.iter().any(|uri| uri.contains("limit=250") || uri.contains("watch=true")), "held back: {asked:?}");
    middle.release();
    let facts = until(&cluster, "live with the change", |facts| all_live(facts) && cordoned(facts, "worker-0")).await;
    assert_eq!(facts.epoch, 0, "the same cluster");
    assert!(facts.link.trouble.is_none());
    assert!(!middle.asked().iter().any(|uri| uri.contains("limit=250")), "watches go on, nothing is listed again");
}

/// A cluster with another identity, and without worker-1.
fn another() -> Simulation {
    let mut objects = sim::small_cluster();
    for object in &mut objects {
        if object["kind"] == "ClusterVersion" {
            object["metadata"]["uid"] = json!("another-uid");
        }
    }
    objects.retain(|object| object["metadata"]["name"] != "worker-1");
    Simulation::new(&Options { objects, seed: 7, ..Options::default() }).unwrap()
}

#[tokio::test(start_paused = true)]
async fn another_cluster_behind_the_same_address_starts_everything_over() {
    let (simulation, middle, cluster) = observed().await;
    let other = another();
    middle.refuse(true);
    simulation.faults().cut_watches();
    until(&cluster, "stale", |facts| facts.link.state.stale()).await;
    middle.leads_to(&other);
    middle.refuse(false);
    let facts = until(&cluster, "the other cluster", |facts| facts.epoch == 1 && all_live(facts)).await;
    assert_eq!(facts.nodes.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_older_state_of_the_same_cluster_starts_everything_over() {
    let (simulation, middle, cluster) = observed().await;
    for _ in 0..40 {
        simulation.store().update(NODES, None, "worker-0", |node| {
            let count = node["metadata"]["labels"]["count"].as_str().and_then(|text| text.parse::<u32>().ok());
            node["metadata"]["labels"]["count"] = json!((count.unwrap_or(0) + 1).to_string());
        });
    }
    until(&cluster, "all the changes", |facts| {
        facts
            .nodes
            .iter()
            .any(|node| node.metadata.labels.as_ref().is_some_and(|all| all.get("count").is_some_and(|c| c == "40")))
    })
    .await;
    // etcd restored from a backup: the same objects with the same UIDs, at a lower resourceVersion.
    let restored = sim::simulation();
    middle.refuse(true);
    simulation.faults().cut_watches();
    until(&cluster, "stale", |facts| facts.link.state.stale()).await;
    middle.leads_to(&restored);
    middle.refuse(false);
    until(&cluster, "a new epoch", |facts| facts.epoch == 1 && all_live(facts)).await;
}

/// A cordon without a lock: nothing but the client keeps it from being obeyed.
fn blunt_cordon() -> Request {
    let body = json!({ "spec": { "unschedulable": true } });
    Request::new(Method::Patch, "/api/v1/nodes/worker-0").body(ContentType::MergePatch, body)
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_on_one_cluster_is_never_sent_to_another() {
    let (simulation, middle, cluster) = observed().await;
    let decided = cluster.requests().bound(0);
    assert!(decided.send(blunt_cordon().with("dryRun", "All")).await.unwrap().ok());
    let other = another();
    middle.refuse(true);
    simulation.faults().cut_watches();
    until(&cluster, "an outage", |facts| matches!(facts.link.state, LinkState::Reconnecting { .. })).await;
    middle.leads_to(&other);
    middle.refuse(false);
    until(&cluster, "another epoch", |facts| facts.epoch == 1 && all_live(facts)).await;
    middle.asked();
    let refused = decided.send(blunt_cordon()).await.unwrap_err();
    assert!(refused.words.contains("another cluster"), "{refused:?}");
    assert!(decided.fetch(Kind::Nodes, "worker-0").await.is_err(), "and nothing is told of another");
    assert!(!middle.asked().iter().any(|uri| uri.contains("/nodes/worker-0")));
    assert!(!cordoned(&cluster.facts().borrow(), "worker-0"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_changed_while_the_picture_is_stale() {
    let (_simulation, middle, cluster) = observed().await;
    let decided = cluster.requests().bound(0);
    middle.refuse(true);
    until(&cluster, "an outage", |facts| matches!(facts.link.state, LinkState::Reconnecting { .. })).await;
    // All but the probe is answered again.
    middle.hold("/version");
    middle.refuse(false);
    let refused = decided.send(blunt_cordon()).await.unwrap_err();
    assert!(refused.words.contains("not live"), "{refused:?}");
    assert!(decided.send(blunt_cordon().with("dryRun", "All")).await.unwrap().ok(), "looking is allowed");
    middle.release();
    until(&cluster, "live", |facts| all_live(facts)).await;
    assert!(decided.send(blunt_cordon()).await.unwrap().ok());
    until(&cluster, "the effect", |facts| cordoned(facts, "worker-0")).await;
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_nothing_is_changed_before_the_watches_caught_up() {
    let (_simulation, middle, cluster) = observed().await;
    let decided = cluster.requests().bound(0);
    middle.refuse(true);
    until(&cluster, "an outage", |facts| matches!(facts.link.state, LinkState::Reconnecting { .. })).await;
    middle.hold("/nodes?watch=true");
    middle.refuse(false);
    until(&cluster, "the link", |facts| facts.link.state == LinkState::Live).await;
    let refused = decided.send(blunt_cordon()).await.unwrap_err();
    assert!(refused.words.contains("not live"), "{refused:?}");
    middle.release();
    let heard = cluster.facts().borrow().kinds[&Kind::Nodes].heard;
    until(&cluster, "the nodes", |facts| facts.kinds[&Kind::Nodes].heard > heard).await;
    until(&cluster, "all of it", |facts| all_live(facts)).await;
    assert!(decided.send(blunt_cordon()).await.unwrap().ok());
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_noticed() {
    let (_simulation, middle, cluster) = observed().await;
    middle.hold("/");
    let facts = until(&cluster, "stale", |facts| facts.link.state.stale()).await;
    assert_eq!(facts.link.trouble.as_ref().unwrap().kind, TroubleKind::Timeout);
    middle.release();
    until(&cluster, "live", |facts| all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_list_leaves_the_last_picture_and_the_other_kinds_alone() {
    let (simulation, middle, cluster) = observed().await;
    middle.hold("/api/v1/nodes?limit=250");
    simulation.faults().expire_watches();
    cordon(&simulation, "worker-0");
    simulation.store().update(
        Res { group: "config.openshift.io", plural: "clusteroperators" },
        None,
        "etcd",
        |operator| operator["status"]["versions"][0]["version"] = json!("4.19.9"),
    );
    let facts = until(&cluster, "the operator's change", |facts| {
        facts.operators.iter().any(|operator| format!("{operator:?}").contains("4.19.9"))
    })
    .await;
    assert_eq!(facts.nodes.len(), 3);
    assert!(!cordoned(&facts, "worker-0"));
    assert_eq!(facts.link.state, LinkState::Live);
    middle.release();
    until(&cluster, "the nodes", |facts| cordoned(facts, "worker-0")).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_never_answered_does_not_keep_the_others_waiting() {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    middle.hold("machineconfigs?limit");
    let cluster = Cluster::start_in_process(middle.client());
    let facts = until(&cluster, "the nodes", |facts| live(facts, Kind::Nodes)).await;
    assert_eq!(*facts.status(Kind::MachineConfigs), KindStatus::Waiting);
    assert!(!facts.complete());
    until(&cluster, "the failure in words", |facts| {
        matches!(facts.status(Kind::MachineConfigs), KindStatus::Failing(trouble) if trouble.kind == TroubleKind::Timeout)
    })
    .await;
    middle.release();
    until(&cluster, "all", |facts| all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let (simulation, middle, cluster) = observed().await;
    simulation.faults().throw(Fault::now(Trouble::TooMany(Duration::from_secs(20))));
    simulation.faults().cut_watches();
    let facts = until(&cluster, "the trouble in words", |facts| {
        matches!(facts.status(Kind::Nodes), KindStatus::Failing(trouble) if trouble.kind == TroubleKind::TooManyRequests)
    })
    .await;
    assert_eq!(facts.link.state, LinkState::Live, "a server that asks to slow down is alive");
    middle.asked();
    tokio::time::sleep(Duration::from_secs(18)).await;
    let asked = middle.asked();
    assert!(!asked.iter().any(|uri| uri.starts_with("/api/v1/nodes")), "asked before its time: {asked:?}");
    simulation.faults().clear_all();
    until(&cluster, "all well", |facts| all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn however_long_it_should_wait_the_link_is_looked_after() {
    let (simulation, middle, cluster) = observed().await;
    simulation.faults().throw(Fault::now(Trouble::TooMany(Duration::from_secs(7_200))));
    simulation.faults().cut_watches();
    until(&cluster, "the trouble in words", |facts| !live(facts, Kind::Nodes)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    simulation.faults().clear_all();
    middle.hold("/");
    until(&cluster, "stale", |facts| facts.link.state.stale()).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_goes_on_failing_begins_with_a_new_list() {
    let (simulation, middle, cluster) = observed().await;
    middle.restore();
    simulation.faults().cut_watches();
    cordon(&simulation, "worker-1");
    until(&cluster, "the change", |facts| cordoned(facts, "worker-1") && all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn one_unreadable_object_is_named_and_costs_no_other() {
    let simulation = sim::simulation();
    let middle = Middle::before(&simulation);
    middle.change(|uri, body| {
        if !uri.starts_with("/api/v1/nodes?limit=250") {
            return body;
        }
        let mut list: Value = serde_json::from_slice(&body).unwrap();
        list["items"].as_array_mut().unwrap().extend([
            json!(["no node"]),
            json!({"metadata": {"name": null}}),
            Value::Null,
        ]);
        Bytes::from(list.to_string())
    });
    let cluster = Cluster::start_in_process(middle.client());
    let facts = until(&cluster, "the nodes", |facts| live(facts, Kind::Nodes)).await;
    assert_eq!(facts.nodes.len(), 3);
    assert_eq!(facts.kinds[&Kind::Nodes].unreadable.len(), 3, "{:?}", facts.kinds[&Kind::Nodes].unreadable);
}

#[tokio::test(start_paused = true)]
async fn the_age_of_a_kind_is_that_of_its_own_watch() {
    let (_simulation, middle, cluster) = observed().await;
    let before = cluster.facts().borrow().kinds[&Kind::Nodes].heard.unwrap();
    middle.hold("/api/v1/nodes");
    // Longer than a watch lasts: all kinds but nodes have begun a new one, and probes went well all the time.
    tokio::time::sleep(Duration::from_secs(70)).await;
    let facts = until(&cluster, "the silence in words", |facts| {
        matches!(facts.status(Kind::Nodes), KindStatus::Failing(trouble) if trouble.kind == TroubleKind::Timeout)
    })
    .await;
    assert_eq!(facts.link.state, LinkState::Live);
    let heard = |kind: Kind| facts.kinds[&kind].heard.unwrap();
    assert!(heard(Kind::ClusterOperators) > heard(Kind::Nodes), "a good probe never refreshes a kind");
    assert!(heard(Kind::Nodes) >= before);
    middle.release();
    until(&cluster, "all well", |facts| all_live(facts)).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_cluster_is_asked_for_little() {
    let (_simulation, middle, cluster) = observed().await;
    until(&cluster, "access answers", |facts| !facts.access.answers.is_empty()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    middle.asked();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = middle.asked();
    let probes = asked.iter().filter(|uri| *uri == "/version").count();
    let watches = asked.iter().filter(|uri| uri.contains("watch=true")).count();
    assert!((28..=31).contains(&probes), "{probes} probes a minute");
    assert!(watches <= 6 * 3, "{watches} watches a minute");
    assert_eq!(asked.len(), probes + watches, "nothing else: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_cluster() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let simulation = sim::simulation();
    let before = tasks();
    let middle = Middle::before(&simulation);
    let cluster = Cluster::start_in_process(middle.client());
    until(&cluster, "a complete picture", |facts| all_live(facts)).await;
    assert!(tasks() > before);
    let mut facts = cluster.facts();
    drop(cluster);
    while facts.changed().await.is_ok() {}
    // The client's own worker ends when the last of its handles is gone.
    for _ in 0..100 {
        if tasks() <= before {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks(), before);
    middle.asked();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(middle.asked(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn objects_and_pods_are_read_on_demand() {
    let (_simulation, _middle, cluster) = observed().await;
    let node = cluster.fetch(Kind::Nodes, "worker-0").await.unwrap();
    assert_eq!(node.pointer("/status/nodeInfo/kernelVersion"), Some(&json!("5.14")));
    let trouble = cluster.fetch(Kind::Nodes, "worker-9").await.unwrap_err();
    assert!(trouble.words.contains("nodes/worker-9 does not exist"), "{}", trouble.words);
    let pods = cluster.read(&Read::PodsOn("worker-0".to_owned())).await.unwrap();
    let Found::Pods(list) = pods else { panic!("{pods:?}") };
    let all: Vec<_> = list.pods.iter().map(|pod| (pod.name.as_str(), pod.owner.as_deref())).collect();
    assert_eq!(all, [("shop/cart-0", Some("StatefulSet")), ("shop/web-0", Some("StatefulSet"))]);
    assert!(list.pods.iter().all(|pod| !pod.completed && pod.evicted_by_drain()));
    let path = "/api/v1/nodes/worker-0".to_owned();
    let Found::Object(Some(node)) = cluster.read(&Read::Object(path)).await.unwrap() else { panic!("no worker-0") };
    assert_eq!(node["metadata"]["name"], "worker-0");
    let absent = Read::Object("/api/v1/nodes/worker-9".to_owned());
    assert_eq!(cluster.read(&absent).await.unwrap(), Found::Object(None));
    let Found::List(Some(nodes)) =
        cluster.read(&Read::List("/api/v1/nodes?labelSelector=x!=y".to_owned())).await.unwrap()
    else {
        panic!("no list")
    };
    assert!(!nodes.is_empty() && nodes.iter().all(|node| node["kind"] == "Node"));
    assert_eq!(cluster.identity().await.unwrap(), "admin");
}

//! The controllers of the simulated cluster tell a true story.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::store::Store;
use serde_json::{Value, json};

const MCO: &str = "machineconfiguration.openshift.io";
const MINUTE: Duration = Duration::from_secs(60);

/// A scenario whose time is moved by hand.
pub struct Story {
    pub store: Arc<Store>,
    pub actors: Actors,
    pub now: DateTime<Utc>,
    pub started: DateTime<Utc>,
    pub pace: Pace,
}

impl Story {
    pub fn new(scenario: &str) -> Self {
        Self::of(&Scenario::load(scenario).unwrap(), 1)
    }

    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let pace = Pace::new(scenario.speed);
        let store = Arc::new(Store::new(seed));
        let actors = Actors::prepare(&store, scenario, &pace, seed, now);
        Self { store, actors, now, started: now, pace }
    }

    /// Lets simulated time pass, a second at a time.
    pub fn pass(&mut self, simulated: Duration) {
        for _ in 0..simulated.as_secs().max(1) {
            self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
            self.actors.step(self.now);
        }
    }

    /// Lets time pass until something is true, at most for so long.
    pub fn until(&mut self, what: &str, limit: Duration, truth: impl Fn(&Self) -> bool) {
        let mut left = limit.as_secs();
        while !truth(self) {
            assert!(left > 0, "{what}: not within {limit:?}\n{}", self.summary());
            left -= 1;
            self.pass(Duration::from_secs(1));
        }
    }

    pub fn get(&self, res: Res, name: &str) -> Value {
        self.store.get(res, None, name).map(|object| (*object).clone()).unwrap_or_default()
    }

    pub fn version(&self) -> Value {
        self.get(Res::CLUSTER_VERSIONS, "version")
    }

    pub fn node(&self, name: &str) -> Value {
        self.get(Res::NODES, name)
    }

    pub fn pool(&self, name: &str) -> Value {
        self.get(Res::MACHINE_CONFIG_POOLS, name)
    }

    pub fn note(&self, node: &str, key: &str) -> String {
        self.node(node)["metadata"]["annotations"][format!("{MCO}/{key}")].as_str().unwrap_or_default().to_owned()
    }

    pub fn targeted(&self, node: &str) -> bool {
        let pool = node.rsplit_once('-').unwrap().0;
        self.note(node, "desiredConfig") == self.pool(pool)["spec"]["configuration"]["name"].as_str().unwrap()
    }

    pub fn updated(&self, node: &str) -> bool {
        self.targeted(node)
            && self.note(node, "currentConfig") == self.note(node, "desiredConfig")
            && self.note(node, "state") == "Done"
    }

    pub fn message(&self, kind: &str) -> String {
        condition(&self.version(), kind)["message"].as_str().unwrap_or_default().to_owned()
    }

    pub fn operators_at(&self, version: &str) -> usize {
        self.store
            .list(Res::CLUSTER_OPERATORS)
            .iter()
            .filter(|operator| operator["status"]["versions"][0]["version"] == version)
            .count()
    }

    pub fn summary(&self) -> String {
        use std::fmt::Write;
        let mut text = format!("+{:.0?} real\n", (self.now - self.started).to_std().unwrap());
        for kind in ["ReleaseAccepted", "Progressing", "Failing"] {
            writeln!(text, "{kind}: {}", condition(&self.version(), kind)).unwrap();
        }
        for pool in self.store.list(Res::MACHINE_CONFIG_POOLS) {
            let status = &pool["status"];
            writeln!(
                text,
                "{}: {} of {} updated, {} unavailable, {} degraded",
                pool["metadata"]["name"],
                status["updatedMachineCount"],
                status["machineCount"],
                status["unavailableMachineCount"],
                status["degradedMachineCount"]
            )
            .unwrap();
        }
        for node in self.store.list(Res::NODES) {
            let name = node["metadata"]["name"].as_str().unwrap();
            writeln!(
                text,
                "{name}: {} {}/{} ready={} cordoned={} {}",
                self.note(name, "state"),
                self.note(name, "desiredDrain").get(..12).unwrap_or_default(),
                self.note(name, "lastAppliedDrain").get(..12).unwrap_or_default(),
                condition(&node, "Ready")["status"],
                node["spec"]["unschedulable"],
                if self.updated(name) {
                    "updated"
                } else if self.targeted(name) {
                    "targeted"
                } else {
                    ""
                }
            )
            .unwrap();
        }
        text
    }
}

pub fn condition(object: &Value, kind: &str) -> Value {
    let list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    list.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

/// What `kubectl delete pod` does to a running pod.
pub fn delete_pod(story: &Story, namespace: &str, name: &str) {
    let now = story.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let marked = story.store.update(Res::PODS, Some(namespace), name, |pod| {
        pod["metadata"]["deletionTimestamp"] = json!(now);
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    });
    assert!(marked, "{namespace}/{name} is not there");
}

pub fn ask_for(story: &Story, version: &str, image: bool) {
    let image = if image { oc_cockpit::sim::cluster::release::image(version) } else { String::new() };
    story.store.update(Res::CLUSTER_VERSIONS, None, "version", |object| {
        object["spec"]["desiredUpdate"] =
            json!({"architecture": "", "force": false, "image": image, "version": version});
    });
}

pub fn pause(story: &Story, pool: &str, paused: bool) {
    assert!(story.store.update(Res::MACHINE_CONFIG_POOLS, None, pool, |pool| pool["spec"]["paused"] = json!(paused)));
}

pub fn cordon(story: &Story, node: &str, yes: bool) {
    assert!(story.store.update(Res::NODES, None, node, |node| {
        if yes {
            node["spec"]["unschedulable"] = json!(true);
        } else {
            node["spec"].as_object_mut().unwrap().remove("unschedulable");
        }
    }));
}

/// A change of machine configuration, as a person would make it: rolls without a new release.
fn change_configuration(story: &Story, role: &str) {
    story.store.create(Res::MACHINE_CONFIGS, oc_cockpit::sim::cluster::pools::changed(role), story.now);
}

fn names(pool: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{pool}-{index}")).collect()
}

pub fn events(story: &Story, reason: &str) -> Vec<Arc<Value>> {
    story.store.list(Res::EVENTS).into_iter().filter(|event| event["reason"] == reason).collect()
}

pub fn completed(story: &Story) -> bool {
    story.version()["status"]["history"][0]["state"] == "Completed"
}

pub fn pool_updated(story: &Story, pool: &str) -> bool {
    condition(&story.pool(pool), "Updated")["status"] == "True"
        && story.pool(pool)["spec"]["configuration"]["name"] == story.pool(pool)["status"]["configuration"]["name"]
}

/// A quiet cluster with pools rolling one at a time, unless the test says otherwise.
pub fn minor() -> Scenario {
    Scenario::load("minor").unwrap()
}

#[test]
fn the_tour_starts_with_a_third_of_the_operators_done_and_nothing_rolling_yet() {
    let story = Story::new("tour");
    let done = story.operators_at("4.19.3");
    assert!((9..=13).contains(&done), "{done} operators\n{}", story.summary());
    let version = story.version();
    assert_eq!(version["status"]["desired"]["version"], "4.19.3");
    assert_eq!(version["status"]["history"][0]["state"], "Partial");
    assert_eq!(version["status"]["history"][1]["version"], "4.18.22");
    assert!(story.message("Progressing").starts_with("Working towards 4.19.3: "), "{}", story.summary());
    assert!(!story.store.served(Res::MACHINE_CONFIG_NODES));
    assert!(story.store.list(Res::NODES).iter().all(|node| node["spec"]["unschedulable"].is_null()));
    assert_eq!(story.store.list(Res::CLUSTER_OPERATORS).len(), 34);
    assert_eq!(story.pool("infra")["spec"]["paused"], true);
    let budget = story.store.get(Res::PDBS, Some("shop"), "cart").unwrap();
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert_eq!(budget["status"]["currentHealthy"], 1);
}

#[test]
fn the_tour_is_blocked_within_two_minutes_goes_on_around_it_and_ends_when_the_pod_is_deleted() {
    let mut story = Story::new("tour");
    let mut appeared = None;
    while !blocked(&story) {
        story.pass(Duration::from_secs(1));
        assert!((story.now - story.started).num_seconds() < 120, "not blocked in two minutes\n{}", story.summary());
        if appeared.is_none() && story.store.served(Res::MACHINE_CONFIG_NODES) {
            // Run level 80 is reached: everything before it is done, and no node has moved.
            let late = |name: &str| story.get(Res::CLUSTER_OPERATORS, name)["status"]["versions"][0]["version"].clone();
            assert_eq!(
                (late("dns"), late("network"), late("machine-config")),
                (json!("4.19.3"), json!("4.19.3"), json!("4.18.22"))
            );
            assert!(names("worker", 6).iter().all(|node| story.targeted(node) && story.updated(node)));
            appeared = Some(story.now);
        }
    }
    assert!(appeared.is_some(), "the kind MachineConfigNode never appeared");
    assert!(story.targeted("worker-0") && story.targeted("worker-1"), "two at a time\n{}", story.summary());

    let others: Vec<String> =
        names("master", 3).into_iter().chain(names("worker", 6)).filter(|node| node != "worker-1").collect();
    let mut left = 90 * 60;
    while !(others.iter().all(|node| story.updated(node)) && completed(&story)) {
        story.pass(Duration::from_secs(1));
        left -= 1;
        assert!(left > 0, "the rest did not finish\n{}", story.summary());
        let masters = names("master", 3);
        let down = masters.iter().filter(|node| {
            let node = story.node(node);
            node["spec"]["unschedulable"] == true || condition(&node, "Ready")["status"] != "True"
        });
        assert!(down.count() <= 1, "two control plane nodes away\n{}", story.summary());
        let checkout = story.store.get(Res::DEPLOYMENTS, Some("shop"), "checkout").unwrap();
        assert!(checkout["status"]["readyReplicas"].as_i64().unwrap() >= 1, "the budget of shop/checkout was broken");
    }
    assert!(!story.updated("worker-1"));
    assert!(story.store.get(Res::PODS, Some("shop"), "cart-0").unwrap()["spec"]["nodeName"] == "worker-1");

    delete_pod(&story, "shop", "cart-0");
    story.until("the last worker", 20 * MINUTE, |story| pool_updated(story, "worker"));
    assert_eq!(story.message("Progressing"), "Cluster version is 4.19.3");
    assert_eq!(story.version()["status"]["history"][0]["version"], "4.19.3");
    let cart = story.store.get(Res::PODS, Some("shop"), "cart-0").unwrap();
    assert!(cart["spec"]["nodeName"] != "worker-1" && cart["status"]["phase"] == "Running");
    for node in names("worker", 6) {
        let info = story.node(&node)["status"]["nodeInfo"].clone();
        assert!(info["kubeletVersion"].as_str().unwrap().starts_with("v1.32."), "{node}: {info}");
        assert_eq!(story.node(&node)["spec"]["unschedulable"], Value::Null);
        let state = story.get(Res::MACHINE_CONFIG_NODES, &node);
        assert_eq!(condition(&state, "Updated")["status"], "True");
        assert_eq!(condition(&state, "RebootedNode")["status"], "True");
    }
    // The paused pool was given its target and nothing more, until somebody unpauses it.
    let infra = story.pool("infra");
    assert_ne!(infra["spec"]["configuration"]["name"], infra["status"]["configuration"]["name"]);
    assert_eq!(condition(&infra, "Updating")["status"], "False");
    assert!(
        condition(&infra, "Updating")["message"].as_str().unwrap().starts_with("Pool is paused; will not update to")
    );
    assert_eq!(infra["status"]["updatedMachineCount"], 0);
    pause(&story, "infra", false);
    story.until("the pool that was paused", 60 * MINUTE, |story| pool_updated(story, "infra"));
}

/// Whether worker-1 is cordoned for its drain, and an attempt has failed on shop/cart-0.
fn blocked(story: &Story) -> bool {
    let drained = condition(&story.get(Res::MACHINE_CONFIG_NODES, "worker-1"), "Drained");
    story.note("worker-1", "desiredDrain").starts_with("drain-")
        && drained["status"] == "Unknown"
        && drained["message"].as_str().is_some_and(|message| {
            message.starts_with("Error: Node Drain has not succeeded")
                && message.contains("pods/\"cart-0\" -n \"shop\"")
        })
}

#[test]
fn a_machine_config_node_goes_through_its_conditions_in_order() {
    let mut story = Story::new("tour");
    let phases = [
        "UpdatePrepared",
        "Cordoned",
        "Drained",
        "AppliedFilesAndOS",
        "UpdateExecuted",
        "RebootedNode",
        "UpdatePostActionComplete",
        "Resumed",
        "Uncordoned",
        "UpdateComplete",
    ];
    let mut order: Vec<&str> = Vec::new();
    let mut rebooting_seen = false;
    let boot = story.node("worker-0")["status"]["nodeInfo"]["bootID"].clone();
    for _ in 0..40 * 60 {
        story.pass(Duration::from_secs(1));
        let state = story.get(Res::MACHINE_CONFIG_NODES, "worker-0");
        if condition(&state, "Updated")["status"] == "False" {
            let done = phases.into_iter().filter(|phase| condition(&state, phase)["status"] == "True");
            let new: Vec<&str> = done.filter(|phase| !order.contains(phase)).collect();
            order.extend(new);
        }
        if condition(&state, "RebootedNode")["status"] == "Unknown" {
            rebooting_seen |= story.note("worker-0", "post-config-action") == "Rebooting"
                && condition(&story.node("worker-0"), "Ready")["status"] == "Unknown";
        }
        if !order.is_empty() && story.updated("worker-0") {
            break;
        }
    }
    assert!(story.updated("worker-0"), "{}", story.summary());
    let place = |phase: &str| order.iter().position(|it| *it == phase).unwrap_or(usize::MAX);
    assert!(place("UpdatePrepared") < place("Cordoned"), "{order:?}");
    assert!(place("Cordoned") < place("Drained"), "{order:?}");
    assert!(place("Drained") < place("AppliedFilesAndOS"), "{order:?}");
    assert!(place("AppliedFilesAndOS") < place("RebootedNode"), "{order:?}");
    assert!(place("RebootedNode") < place("Resumed"), "{order:?}");
    assert!(rebooting_seen, "no time of silence with the annotation that tells why");
    assert_ne!(story.node("worker-0")["status"]["nodeInfo"]["bootID"], boot);
    assert_eq!(story.note("worker-0", "post-config-action"), "");
    for reason in ["Cordon", "Drain", "Reboot", "NodeDone", "NodeNotReady", "NodeReady", "Uncordon"] {
        let about: Vec<_> = events(&story, reason);
        let found = about.iter().find(|event| event["involvedObject"]["name"] == "worker-0");
        let event = found.unwrap_or_else(|| panic!("no event {reason} about worker-0"));
        assert_eq!(event["metadata"]["namespace"], "default");
        assert_eq!(event["involvedObject"]["kind"], "Node");
    }
}

#[test]
fn nodes_are_taken_zone_by_zone_and_the_oldest_first() {
    let mut scenario = minor();
    scenario.pools.get_mut("worker").unwrap().zones = vec!["eu-1b".to_owned(), "eu-1a".to_owned()];
    let mut story = Story::of(&scenario, 1);
    // The youngest of zone eu-1b is made the oldest of all: the zone still comes second.
    story.store.update(Res::NODES, None, "worker-3", |node| {
        node["metadata"]["labels"]["topology.kubernetes.io/zone"] = json!("eu-1c");
    });
    change_configuration(&story, "worker");
    let mut order: Vec<String> = Vec::new();
    story.until("a rendered config", MINUTE, |story| !story.targeted("worker-0"));
    for _ in 0..90 * 60 {
        story.pass(Duration::from_secs(1));
        for node in names("worker", 6) {
            if story.targeted(&node) && !order.contains(&node) {
                order.push(node);
            }
        }
        if pool_updated(&story, "worker") {
            break;
        }
    }
    // Zone eu-1a has worker-4 and worker-5, eu-1b worker-0 to worker-2, eu-1c worker-3.
    assert_eq!(order, ["worker-4", "worker-5", "worker-0", "worker-1", "worker-2", "worker-3"]);
    assert!(!events(&story, "SetDesiredConfig").is_empty());
    // A change of configuration is nothing to the cluster version.
    assert_eq!(story.message("Progressing"), "Cluster version is 4.18.22");
}

#[test]
fn the_control_plane_node_of_the_operator_goes_last() {
    let mut story = Story::of(&minor(), 1);
    let operator = |story: &Story| {
        let pods = story.store.list(Res::PODS);
        let pod = pods.iter().find(|pod| pod["metadata"]["labels"]["k8s-app"] == "machine-config-operator").unwrap();
        pod["spec"]["nodeName"].as_str().unwrap().to_owned()
    };
    let home = operator(&story);
    change_configuration(&story, "master");
    story.until("the first control plane node", 5 * MINUTE, |story| {
        let notes = names("master", 3)
            .into_iter()
            .filter(|node| story.note(node, "desiredConfig") != story.note(node, "currentConfig"));
        notes.count() == 1
    });
    assert!(story.note(&home, "desiredConfig") == story.note(&home, "currentConfig"), "{home} went first");
    story.until("all control plane nodes", 60 * MINUTE, |story| pool_updated(story, "master"));
}

#[test]
fn a_node_that_somebody_cordoned_holds_the_pool_until_it_is_uncordoned() {
    let mut story = Story::of(&minor(), 1);
    cordon(&story, "worker-4", true);
    change_configuration(&story, "worker");
    story.pass(15 * MINUTE);
    let pool = story.pool("worker");
    assert_eq!(pool["status"]["unavailableMachineCount"], 1);
    assert_eq!(condition(&pool, "Updating")["status"], "True");
    assert!(names("worker", 6).iter().all(|node| !story.targeted(node)), "{}", story.summary());
    // No event, no condition tells it: a silent stall. The others carry the taint of those who wait.
    let taints = story.node("worker-0")["spec"]["taints"].clone();
    assert!(taints.as_array().unwrap().iter().any(|taint| taint["key"] == "UpdateInProgress"));
    let cordoned = story.node("worker-4")["spec"]["taints"].clone();
    assert!(
        cordoned
            .as_array()
            .unwrap()
            .iter()
            .any(|taint| taint["key"] == "node.kubernetes.io/unschedulable" && taint["timeAdded"].is_string())
    );
    cordon(&story, "worker-4", false);
    story.until("the rollout", MINUTE, |story| story.targeted("worker-0"));
}

#[test]
fn pausing_stops_new_nodes_and_lets_those_under_way_finish() {
    let mut story = Story::of(&minor(), 1);
    change_configuration(&story, "worker");
    story.until("the first drain", 5 * MINUTE, |story| story.note("worker-0", "desiredDrain").starts_with("drain-"));
    pause(&story, "worker", true);
    story.pass(20 * MINUTE);
    assert!(story.updated("worker-0"), "{}", story.summary());
    assert!(names("worker", 6).iter().skip(1).all(|node| !story.targeted(node)), "{}", story.summary());
    let message = condition(&story.pool("worker"), "Updating")["message"].clone();
    assert!(message.as_str().unwrap().starts_with("Pool is paused; will not update to MachineConfig rendered-worker-"));
    pause(&story, "worker", false);
    story.until("the next node", MINUTE, |story| story.targeted("worker-1"));
}

#[test]
fn a_stuck_drain_has_given_notice_and_ends_when_the_budget_is_edited() {
    let mut story = Story::new("stuck-drain");
    let notice = events(&story, "DrainThresholdExceeded");
    let notice = notice.first().unwrap_or_else(|| panic!("no notice\n{}", story.summary()));
    assert_eq!(notice["involvedObject"]["name"], "worker-0");
    assert!(
        notice["message"]
            .as_str()
            .unwrap()
            .contains("error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s")
    );
    assert_eq!(story.note("worker-0", "state"), "Working");
    assert!(names("worker", 6).iter().skip(1).all(|node| !story.targeted(node)), "{}", story.summary());
    story.store.update(Res::PDBS, Some("shop"), "cart", |budget| budget["spec"]["minAvailable"] = json!(0));
    story.until("the drain", 7 * MINUTE, |story| {
        story.note("worker-0", "desiredDrain") == story.note("worker-0", "lastAppliedDrain")
    });
    story.until("the node", 12 * MINUTE, |story| story.updated("worker-0"));
}

#[test]
fn a_drain_that_fails_for_an_hour_degrades_the_node_counts_twice_and_heals_by_itself() {
    let mut scenario = Scenario::load("stuck-drain").unwrap();
    scenario.start = None;
    let workers = scenario.pools.get_mut("worker").unwrap();
    workers.max_unavailable = Some(oc_cockpit::sim::scenario::MaxUnavailable::Count(2));
    workers.nodes = 14;
    let mut story = Story::of(&scenario, 1);
    change_configuration(&story, "worker");
    story.until("the node to be degraded", 75 * MINUTE, |story| story.note("worker-0", "state") == "Degraded");
    assert_eq!(
        story.note("worker-0", "reason"),
        "failed to drain node: worker-0 after 1 hour. Please see machine-config-controller logs for more information"
    );
    assert_eq!(events(&story, "FailedToDrain").len(), 1);
    // Whoever was under way finishes; then the pool stands still, although one of two places seems to be free.
    story.pass(15 * MINUTE);
    let waiting = names("worker", 14).into_iter().filter(|node| !story.targeted(node)).count();
    assert!(waiting > 0, "the story is too short\n{}", story.summary());
    story.pass(20 * MINUTE);
    let pool = story.pool("worker");
    assert_eq!(names("worker", 14).into_iter().filter(|node| !story.targeted(node)).count(), waiting);
    assert_eq!(
        (&pool["status"]["unavailableMachineCount"], &pool["status"]["degradedMachineCount"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(condition(&pool, "NodeDegraded")["reason"], "1 nodes are reporting degraded status on sync");
    assert_eq!(condition(&pool, "Degraded")["status"], "True");
    let operator = story.get(Res::CLUSTER_OPERATORS, "machine-config");
    assert_eq!(condition(&operator, "Upgradeable")["reason"], "DegradedPool");
    // A second replica lets the budget breathe.
    story.store.update(Res::STATEFUL_SETS, Some("shop"), "cart", |set| set["spec"]["replicas"] = json!(2));
    story.until("the node to heal", 15 * MINUTE, |story| story.updated("worker-0"));
    story.until("the pool to go on", 10 * MINUTE, |story| {
        names("worker", 14).into_iter().filter(|node| !story.targeted(node)).count() < waiting
    });
    assert_eq!(condition(&story.pool("worker"), "Degraded")["status"], "False");
}

#[test]
fn an_uncordon_during_the_drain_is_undone() {
    let mut story = Story::new("stuck-drain");
    cordon(&story, "worker-0", false);
    story.pass(Duration::from_secs(3));
    assert_eq!(story.node("worker-0")["spec"]["unschedulable"], true);
}

#[test]
fn the_gate_holds_the_minor_update_until_it_is_acknowledged_and_the_patch_goes_through() {
    let mut story = Story::of(&minor(), 1);
    let offered: Vec<Value> = story.version()["status"]["availableUpdates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["version"].clone())
        .collect();
    assert_eq!(offered, ["4.19.3", "4.18.25"]);
    assert_eq!(story.version()["status"]["conditionalUpdates"][0]["release"]["version"], "4.19.2");
    assert_eq!(condition(&story.version(), "Upgradeable")["reason"], "AdminAckRequired");

    ask_for(&story, "4.19.3", true);
    story.until("the refusal", 2 * MINUTE, |story| condition(&story.version(), "ReleaseAccepted")["status"] == "False");
    let refusal = condition(&story.version(), "ReleaseAccepted");
    assert_eq!(refusal["reason"], "PreconditionChecks");
    let message = refusal["message"].as_str().unwrap();
    assert!(
        message.contains(
            "Precondition \"ClusterVersionUpgradeable\" failed because of \"AdminAckRequired\": Kubernetes 1.32"
        ),
        "{message}"
    );
    assert_eq!(story.version()["status"]["desired"]["version"], "4.18.22");
    assert!(!events(&story, "PreconditionBlock").is_empty());

    ask_for(&story, "4.18.25", true);
    story.until("the patch to be accepted", 2 * MINUTE, |story| {
        story.version()["status"]["desired"]["version"] == "4.18.25"
    });
    story.until("the patch to complete", 150 * MINUTE, completed);
    story.until("every pool", 90 * MINUTE, |story| {
        ["master", "worker", "infra"].iter().all(|pool| pool_updated(story, pool))
    });
    assert_eq!(story.operators_at("4.18.25"), 34);
    assert!(!story.store.served(Res::MACHINE_CONFIG_NODES), "a 4.18 cluster has no such kind");
    let history = story.version()["status"]["history"].clone();
    assert_eq!((&history[0]["version"], &history[0]["state"]), (&json!("4.18.25"), &json!("Completed")));
    assert!(history[0]["completionTime"].is_string());

    ask_for(&story, "4.19.3", true);
    story.until("the second refusal", 2 * MINUTE, |story| {
        condition(&story.version(), "ReleaseAccepted")["status"] == "False"
    });
    story.store.update(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks", |acks| {
        acks["data"] = json!({"ack-4.18-kube-1.32-api-removals-in-4.19": "true"});
    });
    story.until("the minor update to be accepted", 2 * MINUTE, |story| {
        story.version()["status"]["desired"]["version"] == "4.19.3"
    });
}

#[test]
fn a_request_that_cannot_be_is_invalid_and_one_that_is_cleared_in_time_never_starts() {
    let mut story = Story::of(&minor(), 1);
    ask_for(&story, "4.18.99", false);
    story.pass(Duration::from_secs(2));
    let invalid = condition(&story.version(), "Invalid");
    assert_eq!(invalid["status"], "True");
    assert!(
        invalid["message"].as_str().unwrap().contains("when image is empty the update must be an available update")
    );
    ask_for(&story, "4.18.25", false);
    story.pass(Duration::from_secs(2));
    assert_eq!(condition(&story.version(), "Invalid"), Value::Null);
    assert_eq!(condition(&story.version(), "ReleaseAccepted")["status"], "Unknown");
    let clear = |story: &Story| {
        story
            .store
            .update(Res::CLUSTER_VERSIONS, None, "version", |object| object["spec"]["desiredUpdate"] = Value::Null);
    };
    clear(&story);
    story.pass(3 * MINUTE);
    assert_eq!(story.version()["status"]["desired"]["version"], "4.18.22");
    assert_eq!(condition(&story.version(), "ReleaseAccepted")["status"], "True");
    // Once it has started, clearing the request stops nothing.
    ask_for(&story, "4.18.25", false);
    story.until("the start", 2 * MINUTE, |story| story.version()["status"]["desired"]["version"] == "4.18.25");
    clear(&story);
    story.pass(3 * MINUTE);
    assert_eq!(story.version()["status"]["desired"]["version"], "4.18.25");
    assert_eq!(condition(&story.version(), "Progressing")["status"], "True");
}

#[test]
fn a_downgrade_and_a_giant_hop_are_refused_and_a_wrong_image_is_not_found() {
    let mut scenario = minor();
    scenario.releases.push(oc_cockpit::sim::scenario::Release {
        version: "4.20.1".to_owned(),
        channels: vec!["stable-4.20".to_owned()],
        url: String::new(),
        risks: Vec::new(),
    });
    let mut story = Story::of(&scenario, 1);
    for (version, check, reason) in [
        ("4.17.30", "ClusterVersionRollback", "LowDesiredVersion"),
        ("4.20.1", "ClusterVersionGiantHop", "MultipleMinorVersionsUpdate"),
    ] {
        ask_for(&story, version, true);
        story.until(version, 2 * MINUTE, |story| {
            let message = story.message("ReleaseAccepted");
            message.contains(version)
                && message.contains(&format!("Precondition {check:?} failed because of {reason:?}"))
        });
    }
    story.store.update(Res::CLUSTER_VERSIONS, None, "version", |object| {
        object["spec"]["desiredUpdate"] =
            json!({"version": "", "image": "quay.io/example/release@sha256:00", "force": false});
    });
    story.until("the failed retrieval", 2 * MINUTE, |story| {
        let accepted = condition(&story.version(), "ReleaseAccepted");
        accepted["status"] == "False" && accepted["reason"] == "RetrievePayload"
    });
}

#[test]
fn a_degraded_operator_is_waited_for_40_minutes_then_called_failing_and_recovers() {
    let mut story = Story::new("degraded-operator");
    story.until("the trouble", 20 * MINUTE, |story| {
        condition(&story.get(Res::CLUSTER_OPERATORS, "monitoring"), "Degraded")["status"] == "True"
    });
    assert_eq!(condition(&story.version(), "Failing")["status"], "False");
    story.until("the wait", 20 * MINUTE, |story| {
        story.message("Progressing").contains("waiting up to 40 minutes on monitoring")
    });
    let waited_from = story.now;
    story.until("failing", 45 * MINUTE, |story| condition(&story.version(), "Failing")["status"] == "True");
    let waited = story.pace.simulated((story.now - waited_from).to_std().unwrap());
    assert!(waited > 34 * MINUTE && waited < 42 * MINUTE, "{waited:?}");
    let failing = condition(&story.version(), "Failing");
    assert_eq!(
        (&failing["reason"], &failing["message"]),
        (&json!("ClusterOperatorDegraded"), &json!("Cluster operator monitoring is degraded"))
    );
    assert_eq!(
        story.message("Progressing"),
        "Unable to apply 4.18.25: wait has exceeded 40 minutes for these operators: monitoring"
    );
    story.until("recovery", 30 * MINUTE, |story| condition(&story.version(), "Failing")["status"] == "False");
    story.until("the end", 120 * MINUTE, completed);
}

#[test]
fn deleting_the_crashing_pod_ends_the_trouble() {
    let mut story = Story::new("degraded-operator");
    story.until("the trouble", 20 * MINUTE, |story| {
        condition(&story.get(Res::CLUSTER_OPERATORS, "monitoring"), "Degraded")["status"] == "True"
    });
    let pod = story.store.get(Res::PODS, Some("openshift-monitoring"), "prometheus-k8s-0").unwrap();
    assert_eq!(pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "CrashLoopBackOff");
    delete_pod(&story, "openshift-monitoring", "prometheus-k8s-0");
    story.until("the operator", 8 * MINUTE, |story| {
        story.get(Res::CLUSTER_OPERATORS, "monitoring")["status"]["versions"][0]["version"] == "4.18.25"
    });
}

#[test]
fn daemon_set_operators_progress_while_a_node_reboots() {
    let mut story = Story::of(&minor(), 1);
    // A custom pool inherits the configuration of the workers, and would roll with them.
    pause(&story, "infra", true);
    change_configuration(&story, "worker");
    story.until("network to notice", 20 * MINUTE, |story| {
        let progressing = condition(&story.get(Res::CLUSTER_OPERATORS, "network"), "Progressing");
        progressing["status"] == "True" && progressing["message"].as_str().unwrap().contains("awaiting 1 nodes")
    });
    assert_ne!(condition(&story.node("worker-0"), "Ready")["status"], "True", "{}", story.summary());
    story.until("network to settle", 10 * MINUTE, |story| {
        condition(&story.get(Res::CLUSTER_OPERATORS, "network"), "Progressing")["status"] == "False"
    });
}

#[test]
fn a_scaled_deployment_gets_its_pods_and_its_budget_follows() {
    let mut story = Story::of(&minor(), 1);
    let ready = |story: &Story| {
        story.store.get(Res::DEPLOYMENTS, Some("shop"), "web").unwrap()["status"]["readyReplicas"].clone()
    };
    assert_eq!(ready(&story), 4);
    story.store.update(Res::DEPLOYMENTS, Some("shop"), "web", |web| web["spec"]["replicas"] = json!(8));
    story.until("eight pods", 2 * MINUTE, |story| ready(story) == 8);
    story.until("the budget", MINUTE, |story| {
        story.store.get(Res::PDBS, Some("shop"), "web").unwrap()["status"]["disruptionsAllowed"] == 2
    });
    story.store.update(Res::DEPLOYMENTS, Some("shop"), "web", |web| web["spec"]["replicas"] = json!(1));
    story.until("one pod", 2 * MINUTE, |story| ready(story) == 1);
    let pods = |story: &Story| {
        story.store.list(Res::PODS).iter().filter(|pod| pod["metadata"]["labels"]["app"] == "web").count()
    };
    story.until("the others to stop", 2 * MINUTE, |story| pods(story) == 1);
}

#[test]
fn a_pod_with_a_finalizer_stays_until_it_is_taken_away() {
    let mut story = Story::of(&minor(), 1);
    story.store.update(Res::PODS, Some("shop"), "cart-1", |pod| {
        pod["metadata"]["finalizers"] = json!(["shop.example.com/flush"]);
    });
    let uid = story.store.get(Res::PODS, Some("shop"), "cart-1").unwrap()["metadata"]["uid"].clone();
    delete_pod(&story, "shop", "cart-1");
    story.pass(3 * MINUTE);
    assert_eq!(story.store.get(Res::PODS, Some("shop"), "cart-1").unwrap()["metadata"]["uid"], uid);
    story.store.update(Res::PODS, Some("shop"), "cart-1", |pod| pod["metadata"]["finalizers"] = json!([]));
    story.until("a new pod", MINUTE, |story| {
        story.store.get(Res::PODS, Some("shop"), "cart-1").is_some_and(|pod| pod["metadata"]["uid"] != uid)
    });
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let dump = |seed| {
        let mut story = Story::of(&Scenario::load("tour").unwrap(), seed);
        story.pass(15 * MINUTE);
        let kinds = story.store.kinds();
        let objects: BTreeMap<String, Vec<Value>> = kinds
            .iter()
            .map(|kind| {
                (
                    format!("{}/{}", kind.group, kind.plural),
                    story.store.list(kind.res()).iter().map(|it| (**it).clone()).collect(),
                )
            })
            .collect();
        serde_json::to_string(&objects).unwrap()
    };
    let first = dump(7);
    assert!(first == dump(7), "two runs of one seed differ");
    assert!(first != dump(8), "another seed makes no difference");
}

#[test]
fn a_step_costs_what_changed_and_not_what_there_is() {
    let mut story = Story::of(&minor().with_workers(2_000), 1);
    assert_eq!(story.store.list(Res::NODES).len(), 2_006);
    // Nothing goes on but heartbeats: a step reads next to nothing.
    for _ in 0..30 {
        story.pass(Duration::from_secs(1));
        assert!(story.actors.objects_read() < 60, "{} objects read in a quiet step", story.actors.objects_read());
    }
    change_configuration(&story, "worker");
    let mut most = 0;
    for second in 0..120 {
        let before = story.store.resource_version();
        story.pass(Duration::from_secs(1));
        let written = story.store.resource_version() - before;
        let read = story.actors.objects_read();
        // The taint that marks every waiting node comes once; afterwards only those that move are touched.
        if second > 20 {
            most = most.max(read);
            assert!(written < 1_500, "{written} writes in a step");
        }
    }
    assert!(most < 1_500, "{most} objects read in a step");
    let moving = names("worker", 2_000).into_iter().filter(|node| story.targeted(node)).count();
    assert_eq!(moving, 200, "ten per cent at a time");
    let draining = story.store.list(Res::NODES).iter().filter(|node| node["spec"]["unschedulable"] == true).count();
    assert!(draining > 5, "nodes without pods of their own drain at once");
}

#[test]
fn every_seed_tells_the_story_that_the_scenario_promises() {
    for seed in 2..=6 {
        let tour = Scenario::load("tour").unwrap();
        let mut story = Story::of(&tour, seed);
        let done = story.operators_at("4.19.3");
        assert!((7..=20).contains(&done), "seed {seed}: {done} operators at the start");
        // Two minutes of real time.
        story.until("the blocked drain", tour_seconds(&story, 120), blocked);
        let stuck = Story::of(&Scenario::load("stuck-drain").unwrap(), seed);
        let notices = events(&stuck, "DrainThresholdExceeded");
        assert!(!notices.is_empty(), "seed {seed}: no notice\n{}", stuck.summary());
        assert_ne!(stuck.note("worker-0", "state"), "Degraded", "seed {seed}");
    }
}

/// Simulated time that passes in so many real seconds.
fn tour_seconds(story: &Story, real: u64) -> Duration {
    story.pace.simulated(Duration::from_secs(real))
}

#[test]
fn pausing_the_control_plane_pool_holds_the_update_and_says_why() {
    let mut story = Story::new("tour");
    pause(&story, "master", true);
    story.until("the pools", 25 * MINUTE, |story| story.targeted("worker-0") && !story.updated("worker-0"));
    let operator = |story: &Story| story.get(Res::CLUSTER_OPERATORS, "machine-config");
    story.until("the reason", MINUTE, |story| {
        operator(story)["status"]["extension"]["lastSyncError"]
            == "required MachineConfigPool master is paused and cannot sync until it is unpaused"
    });
    story.pass(15 * MINUTE);
    assert!(names("master", 3).iter().all(|node| !story.targeted(node)));
    assert_eq!(condition(&operator(&story), "Degraded")["status"], "False");
    // Ten minutes for each machine of the required pool, then the operator is degraded.
    story.until("degraded", 20 * MINUTE, |story| condition(&operator(story), "Degraded")["status"] == "True");
    assert_eq!(condition(&operator(&story), "Degraded")["reason"], "RequiredPoolsFailed");
    pause(&story, "master", false);
    story.until("the end", 60 * MINUTE, completed);
    assert_eq!(condition(&operator(&story), "Degraded")["status"], "False");
}

#[test]
fn a_change_of_mind_leaves_a_partial_entry_in_the_history() {
    let mut story = Story::new("tour");
    ask_for(&story, "4.19.2", true);
    story.until("the refusal", 2 * MINUTE, |story| condition(&story.version(), "ReleaseAccepted")["status"] == "False");
    assert!(story.message("ReleaseAccepted").contains("LowDesiredVersion"), "{}", story.message("ReleaseAccepted"));
    assert!(story.message("Progressing").contains("4.19.3"), "the update goes on");

    let mut scenario = Scenario::load("degraded-operator").unwrap();
    scenario.releases.push(oc_cockpit::sim::scenario::Release {
        version: "4.18.26".to_owned(),
        channels: vec!["stable-4.18".to_owned()],
        url: String::new(),
        risks: Vec::new(),
    });
    let mut story = Story::of(&scenario, 1);
    ask_for(&story, "4.18.26", true);
    story.until("the new target", 2 * MINUTE, |story| story.version()["status"]["desired"]["version"] == "4.18.26");
    let history = story.version()["status"]["history"].clone();
    assert_eq!((&history[0]["version"], &history[0]["state"]), (&json!("4.18.26"), &json!("Partial")));
    assert_eq!((&history[1]["version"], &history[1]["state"]), (&json!("4.18.25"), &json!("Partial")));
    assert!(history[1]["completionTime"].is_string());
}

#[test]
fn a_change_of_speed_is_felt_by_what_is_under_way() {
    let mut story = Story::of(&minor(), 1);
    change_configuration(&story, "worker");
    story.until("the first drain", 5 * MINUTE, |story| story.note("worker-0", "desiredDrain").starts_with("drain-"));
    story.pace.set_speed(600.0);
    let from = story.now;
    story.until("the first node", 30 * MINUTE, |story| story.updated("worker-0"));
    assert!((story.now - from).num_milliseconds() < 2_000, "{}", story.now - from);
}

#[tokio::test(start_paused = true)]
async fn the_actors_run_on_the_clock_that_they_are_given() {
    let scenario = Scenario::load("tour").unwrap();
    let clock = oc_cockpit::clock::WallClock::start();
    let store = Arc::new(Store::new(1));
    let actors = Actors::prepare(&store, &scenario, &Pace::new(scenario.speed), 1, clock.now());
    let playing = tokio::spawn(actors.run(clock));
    let message = || {
        let version = store.get(Res::CLUSTER_VERSIONS, None, "version").unwrap();
        condition(&version, "Progressing")["message"].as_str().unwrap().to_owned()
    };
    let before = message();
    assert!(before.starts_with("Working towards 4.19.3: "), "{before}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_ne!(message(), before, "half a minute and nothing moved");
    playing.abort();
}

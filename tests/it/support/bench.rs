//! A scenario that is written to over HTTP and whose time is moved by hand.

use std::time::Duration;

use http::Method;
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation, Stage};
use serde_json::{Value, json};

use super::sim::{Answer, ask};

/// The machine config operator's group, which is also the prefix of its annotations.
pub const MCO: &str = "machineconfiguration.openshift.io";
pub const MINUTE: Duration = Duration::from_secs(60);
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const JSON: (&str, &str) = ("content-type", "application/json");

pub struct Bench {
    pub simulation: Simulation,
    pub actors: Actors,
    pace: Pace,
    _stage: Stage,
}

impl Bench {
    pub fn new(scenario: &str) -> Self {
        Self::of(&Scenario::load(scenario).unwrap())
    }

    pub fn of(scenario: &Scenario) -> Self {
        let simulation = Simulation::new(&Options { speed: scenario.speed, ..Options::default() }).unwrap();
        let stage = simulation.stage();
        let pace = Pace::new(scenario.speed);
        let now = simulation.clock().now();
        let actors = Actors::prepare_with(stage.boards.clone(), &stage.store, scenario, &pace, 1, now);
        Self { simulation, actors, pace, _stage: stage }
    }

    /// Lets simulated time pass, a second at a time.
    pub async fn pass(&mut self, simulated: Duration) {
        for _ in 0..simulated.as_secs().max(1) {
            tokio::time::advance(self.pace.scale(Duration::from_secs(1))).await;
            self.actors.step(self.simulation.clock().now());
        }
    }

    /// Lets time pass until something is true, at most for so long.
    pub async fn until(&mut self, what: &str, limit: Duration, truth: impl Fn(&Self) -> bool) {
        let mut left = limit.as_secs();
        while !truth(self) {
            assert!(left > 0, "{what}: not within {limit:?}\n{}", self.summary());
            left -= 1;
            self.pass(Duration::from_secs(1)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        ask(&self.simulation, Method::GET, path, &[], "").await
    }

    pub async fn merge(&self, path: &str, patch: &Value) -> Answer {
        ask(&self.simulation, Method::PATCH, path, &[MERGE], patch.to_string()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        ask(&self.simulation, Method::POST, path, &[JSON], body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        ask(&self.simulation, Method::DELETE, path, &[], "").await
    }

    /// A patch that has to work; the object afterwards.
    pub async fn patch(&self, path: &str, patch: &Value) -> Value {
        let answer = self.merge(path, patch).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// A creation that has to work; the object afterwards.
    pub async fn create(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        answer.json()
    }

    pub fn object(&self, res: Res, namespace: Option<&str>, name: &str) -> Value {
        self.simulation.store().get(res, namespace, name).map(|object| (*object).clone()).unwrap_or_default()
    }

    pub fn version(&self) -> Value {
        self.object(Res::CLUSTER_VERSIONS, None, "version")
    }

    pub fn pool(&self, name: &str) -> Value {
        self.object(Res::MACHINE_CONFIG_POOLS, None, name)
    }

    pub fn node(&self, name: &str) -> Value {
        self.object(Res::NODES, None, name)
    }

    pub fn note(&self, node: &str, key: &str) -> String {
        self.node(node)["metadata"]["annotations"][format!("{MCO}/{key}")].as_str().unwrap_or_default().to_owned()
    }

    pub fn boot(&self, node: &str) -> Value {
        self.node(node)["status"]["nodeInfo"]["bootID"].clone()
    }

    /// Status, reason and message of a condition.
    #[expect(clippy::unused_self, reason = "it reads as what the cluster says")]
    pub fn said(&self, object: &Value, kind: &str) -> (String, String, String) {
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.into_iter().find(|it| it["type"] == kind).unwrap_or_default();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"), text("message"))
    }

    pub fn count(&self, pool: &str) -> (i64, i64) {
        let status = &self.pool(pool)["status"];
        let number = |field: &str| status[field].as_i64().unwrap_or(-1);
        (number("machineCount"), number("updatedMachineCount"))
    }

    /// Whether all nodes of a pool have what it is to have.
    pub fn settled(&self, pool: &str) -> bool {
        let object = self.pool(pool);
        self.said(&object, "Updated").0 == "True"
            && object["spec"]["configuration"]["name"] == object["status"]["configuration"]["name"]
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    }

    pub fn events(&self, reason: &str) -> Vec<String> {
        let events = self.simulation.store().list(Res::EVENTS);
        let told = events.iter().filter(|event| event["reason"] == reason);
        told.map(|event| {
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{}: {}", text("/involvedObject/name"), text("/message"))
        })
        .collect()
    }

    pub fn summary(&self) -> String {
        let mut lines = vec![self.version()["status"]["conditions"].to_string()];
        for pool in self.simulation.store().list(Res::MACHINE_CONFIG_POOLS) {
            let name = pool["metadata"]["name"].as_str().unwrap();
            lines.push(format!(
                "{name}: {:?} {} {}",
                self.count(name),
                pool["spec"]["configuration"]["name"],
                pool["status"]["conditions"]
            ));
        }
        for node in self.simulation.store().list(Res::NODES) {
            let name = node["metadata"]["name"].as_str().unwrap();
            let note = |key: &str| self.note(name, key);
            lines.push(format!(
                "{name}: {} {} -> {} {}",
                note("state"),
                note("currentConfig"),
                note("desiredConfig"),
                note("reason")
            ));
        }
        lines.join("\n")
    }
}

/// A MachineConfig that writes one file.
pub fn file_config(role: &str, name: &str, path: &str) -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfig",
        "metadata": {"name": name, "labels": {format!("{MCO}/role"): role}},
        "spec": {"config": {"ignition": {"version": "3.4.0"}, "storage": {"files": [
            {"path": path, "mode": 420, "contents": {"source": "data:,content"}},
        ]}}},
    })
}

//! The lifecycle agent of the simulated cluster: stages as they are asked for over the API, and what comes of them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario};
use oc_cockpit::sim::server::{Options, Simulation};
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

#[tokio::test(start_paused = true)]
async fn watch_me() {
    let mut edge = Edge::new("ibu");
    let mut last = Vec::new();
    let start = edge.actors.elapsed();
    let mut look = |edge: &mut Edge, seconds: u64| {
        for _ in 0..seconds {
            edge.pass(Duration::from_secs(1));
            let mut now = vec![format!(
                "down={} rv={}",
                edge.actors.is_down(),
                edge.simulation.store().resource_version() / 1000
            )];
            now.extend(edge.conditions());
            now.push(format!(
                "{:?} gen {} obs {}",
                edge.next(),
                edge.upgrade()["metadata"]["generation"],
                edge.upgrade()["status"]["observedGeneration"]
            ));
            let upgrade = edge.upgrade();
            now.push(
                upgrade["status"]["conditions"]
                    .as_array()
                    .and_then(|l| l.last())
                    .map(|c| c["message"].to_string())
                    .unwrap_or_default(),
            );
            if now != last {
                println!("{:?} {now:#?}", edge.actors.elapsed() - start);
                last = now;
            }
        }
    };
    look(&mut edge, 5);
    edge.prep().await;
    look(&mut edge, 330);
    edge.stage("Upgrade").await;
    look(&mut edge, 1500);
    println!("{:#}", edge.upgrade());
    edge.stage("Rollback").await;
    look(&mut edge, 800);
    println!("{:#}", edge.upgrade());
    edge.stage("Idle").await;
    look(&mut edge, 200);
    println!("{:#}", edge.upgrade());
}

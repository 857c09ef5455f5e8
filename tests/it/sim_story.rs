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
struct Story {
    store: Arc<Store>,
    actors: Actors,
    now: DateTime<Utc>,
    started: DateTime<Utc>,
    pace: Pace,
}

impl Story {
    fn new(scenario: &str) -> Self {
        Self::of(&Scenario::load(scenario).unwrap(), 1)
    }

    fn of(scenario: &Scenario, seed: u64) -> Self {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let pace = Pace::new(scenario.speed);
        let store = Arc::new(Store::new(seed));
        let actors = Actors::prepare(Arc::clone(&store), scenario, pace.clone(), seed, now);
        Self { store, actors, now, started: now, pace }
    }

    /// Lets simulated time pass, a second at a time.
    fn pass(&mut self, simulated: Duration) {
        for _ in 0..simulated.as_secs().max(1) {
            self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
            self.actors.step(self.now);
        }
    }

    /// Lets time pass until something is true, at most for so long.
    fn until(&mut self, what: &str, limit: Duration, truth: impl Fn(&Self) -> bool) {
        let mut left = limit.as_secs();
        while !truth(self) {
            assert!(left > 0, "{what}: not within {limit:?}\n{}", self.summary());
            left -= 1;
            self.pass(Duration::from_secs(1));
        }
    }

    fn get(&self, res: Res, name: &str) -> Value {
        self.store.get(res, None, name).map(|object| (*object).clone()).unwrap_or_default()
    }

    fn version(&self) -> Value {
        self.get(Res::CLUSTER_VERSIONS, "version")
    }

    fn node(&self, name: &str) -> Value {
        self.get(Res::NODES, name)
    }

    fn pool(&self, name: &str) -> Value {
        self.get(Res::MACHINE_CONFIG_POOLS, name)
    }

    fn note(&self, node: &str, key: &str) -> String {
        self.node(node)["metadata"]["annotations"][format!("{MCO}/{key}")].as_str().unwrap_or_default().to_owned()
    }

    fn targeted(&self, node: &str) -> bool {
        let pool = node.rsplit_once('-').unwrap().0;
        self.note(node, "desiredConfig") == self.pool(pool)["spec"]["configuration"]["name"].as_str().unwrap()
    }

    fn updated(&self, node: &str) -> bool {
        self.targeted(node)
            && self.note(node, "currentConfig") == self.note(node, "desiredConfig")
            && self.note(node, "state") == "Done"
    }

    fn message(&self, kind: &str) -> String {
        condition(&self.version(), kind)["message"].as_str().unwrap_or_default().to_owned()
    }

    fn operators_at(&self, version: &str) -> usize {
        self.store
            .list(Res::CLUSTER_OPERATORS)
            .iter()
            .filter(|operator| operator["status"]["versions"][0]["version"] == version)
            .count()
    }

    fn summary(&self) -> String {
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

fn condition(object: &Value, kind: &str) -> Value {
    let list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    list.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

#[test]
fn explore() {
    let started = std::time::Instant::now();
    let mut story = Story::new("tour");
    println!("prepared in {:?}", started.elapsed());
    println!("{}", story.summary());
    println!("operators {}", story.operators_at("4.19.3"));
    let mut last = String::new();
    for _ in 0..100 * 60 {
        story.pass(Duration::from_secs(1));
        let message = story.message("Progressing");
        let mut now = format!("{} ops {}", message, story.operators_at("4.19.3"));
        for node in story.store.list(Res::NODES) {
            let name = node["metadata"]["name"].as_str().unwrap();
            now.push_str(&format!(
                "\n      {name} {} {} {} {}",
                story.note(name, "state"),
                story.note(name, "desiredDrain").get(..8).unwrap_or_default(),
                condition(&node, "Ready")["status"],
                story.updated(name)
            ));
        }
        if now != last {
            let new: Vec<&str> = now.lines().filter(|line| !last.contains(line)).collect();
            println!("{:?} {}", (story.now - story.started).to_std().unwrap(), new.join("\n"));
            last = now;
        }
    }
    println!("{:?} {}", started.elapsed(), story.summary());
    let _ = (json!({}), BTreeMap::<u8, u8>::new(), MINUTE);
}

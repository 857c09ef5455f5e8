//! A scenario that is lived through in process, on its own time, and judged as it goes.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::cluster::release;
use oc_cockpit::sim::kinds::{KINDS, KindInfo, Res};
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};

/// What a quick look reads: what is watched all the time, and what tells about the platform.
const WATCHED: [Res; 8] = [
    Res::CLUSTER_VERSIONS,
    Res::CLUSTER_OPERATORS,
    Res::MACHINE_CONFIG_POOLS,
    Res::MACHINE_CONFIG_NODES,
    Res::NODES,
    Res::MACHINE_CONFIGS,
    Res::EVENTS,
    Res::INFRASTRUCTURES,
];

/// A cluster whose time is moved by hand, at real speed: ages mean what they say.
pub struct Lived {
    pub store: Arc<Store>,
    pub now: DateTime<Utc>,
    pub begun: DateTime<Utc>,
    pub memory: Memory,
    /// What a look reads.
    kinds: Vec<Res>,
    pub actors: Actors,
}

impl Lived {
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let store = Arc::new(Store::new(seed));
        let actors = Actors::prepare(&store, scenario, &Pace::new(1.0), seed, now);
        Self { store, now, begun: now, memory: Memory::default(), kinds: WATCHED.to_vec(), actors }
    }

    /// The same, reading everything that the simulated cluster has but what only machines care for.
    pub fn read_closely(scenario: &Scenario, seed: u64) -> Self {
        let of_no_use = ["leases", "serviceaccounts", "replicasets", "daemonsets", "namespaces", "endpointslices"];
        let kinds = KINDS.iter().map(KindInfo::res).filter(|res| !of_no_use.contains(&res.plural));
        Self { kinds: kinds.collect(), ..Self::new(scenario, seed) }
    }

    /// Lets time pass; the actors step about once in five seconds, or more often when less passes.
    pub fn pass(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
        self.actors.step(self.now);
    }

    /// How long it has lived before our eyes.
    pub fn elapsed(&self) -> TimeDelta {
        self.now - self.begun
    }

    /// Judges what there is now.
    pub fn judged(&self, memory: &Memory) -> Arc<Assessment> {
        let objects: Vec<Arc<Value>> = self.kinds.iter().flat_map(|kind| self.store.list(*kind)).collect();
        let facts = assemble::from_values(objects.iter().map(AsRef::as_ref), self.now);
        Arc::new(assess(Arc::new(facts), memory, self.now))
    }

    /// Judges what there is now, and remembers.
    pub fn look(&mut self) -> Arc<Assessment> {
        let assessment = self.judged(&self.memory);
        self.memory.observe(&assessment);
        assessment
    }

    pub fn get(&self, res: Res, name: &str) -> Value {
        self.store.get(res, None, name).map(|object| (*object).clone()).unwrap_or_default()
    }

    /// Somebody asks for an update.
    pub fn ask_for(&self, version: &str) {
        self.store.update(Res::CLUSTER_VERSIONS, None, "version", |object| {
            object["spec"]["desiredUpdate"] = json!({
                "architecture": "", "force": false, "image": release::image(version), "version": version,
            });
        });
    }

    /// Somebody pauses a pool, or unpauses it.
    pub fn pause(&self, pool: &str, paused: bool) {
        let there = self.store.update(Res::MACHINE_CONFIG_POOLS, None, pool, |pool| {
            pool["spec"]["paused"] = json!(paused);
        });
        assert!(there, "there is no pool {pool}");
    }

    /// Somebody deletes a pod; the kubelet sees to the rest.
    pub fn delete_pod(&self, namespace: &str, name: &str) {
        let now = self.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let there = self.store.update(Res::PODS, Some(namespace), name, |pod| {
            pod["metadata"]["deletionTimestamp"] = json!(now);
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        });
        assert!(there, "there is no pod {namespace}/{name}");
    }

    /// Somebody acknowledges an admin gate.
    pub fn acknowledge(&self, gate: &str) {
        let there = self.store.update(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks", |map| {
            map["data"][gate] = json!("true");
        });
        assert!(there, "there is no ConfigMap admin-acks");
    }
}

//! A big cluster without a process of its own: what `cargo bench` and `examples/measure` judge and draw.
#![allow(dead_code, reason = "each of the two uses a part")]

use std::sync::Arc;

use oc_cockpit::app::{App, Msg, Start};
use oc_cockpit::clock;
use oc_cockpit::config::Overrides;
use oc_cockpit::sim::kinds::{KINDS, KindInfo, Res};
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::{actors::Actors, pace::Pace, store::Store};
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::{Facts, Kind};
use oc_cockpit::upgrade::memory::Memory;
use serde_json::Value;

/// The tabs of a cluster that is not replaced from images.
pub const TABS: [&str; 6] = ["overview", "operators", "pools", "nodes", "findings", "timeline"];

/// A cluster in the middle of rolling its nodes.
pub fn cluster(workers: usize) -> Arc<Store> {
    let scenario = Scenario::load("stuck-drain").unwrap().with_workers(workers);
    let store = Arc::new(Store::new(1));
    Actors::prepare(&store, &scenario, &Pace::new(scenario.speed), 1, clock::now());
    store
}

pub fn facts(store: &Store) -> Arc<Facts> {
    // What is watched all the time.
    let watched = |res: &Res| Kind::CORE.iter().any(|kind| kind.plural() == res.plural);
    let kinds = KINDS.iter().map(KindInfo::res).filter(watched);
    let objects: Vec<Arc<Value>> = kinds.flat_map(|kind| store.list(kind)).collect();
    Arc::new(assemble::from_values(objects.iter().map(AsRef::as_ref), clock::now()))
}

/// An assessment that remembers one before it, as they all do but the first.
pub fn assessed(facts: &Arc<Facts>) -> (Memory, Arc<Assessment>) {
    let mut memory = Memory::default();
    let first = Arc::new(assess(Arc::clone(facts), &memory, clock::now()));
    memory.observe(&first);
    (memory, first)
}

/// The cockpit with a tab open and the picture there.
pub fn app(tab: &str, assessment: &Arc<Assessment>) -> App {
    let overrides = Overrides { tab: Some(tab.to_owned()), ..Overrides::default() };
    let start = Start { overrides, ..Start::default() };
    let mut app = App::new(start, Arc::clone(assessment), clock::now());
    app.update(Msg::Assessed(Arc::clone(assessment)), clock::now());
    app
}

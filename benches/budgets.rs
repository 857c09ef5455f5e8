//! The budgets in time: drawing a frame, assessing, applying events. `cargo bench`, means by criterion; the rest
//! (percentiles, memory, CPU, latency) is measured by `examples/measure`.
#![allow(missing_docs, clippy::unwrap_used)] // criterion makes undocumented functions; a benchmark may panic

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use oc_cockpit::app::{App, Msg, Start};
use oc_cockpit::clock;
use oc_cockpit::cluster::Cluster;
use oc_cockpit::config::Overrides;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::{actors::Actors, pace::Pace, store::Store};
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::Facts;
use oc_cockpit::upgrade::memory::Memory;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;

/// A cluster in the middle of rolling its nodes.
fn cluster(workers: usize) -> Arc<Store> {
    let scenario = Scenario::load("stuck-drain").unwrap().with_workers(workers);
    let store = Arc::new(Store::new(1));
    Actors::prepare(&store, &scenario, &Pace::new(scenario.speed), 1, clock::now());
    store
}

fn facts(store: &Store) -> Arc<Facts> {
    let kinds = [
        Res::CLUSTER_VERSIONS,
        Res::CLUSTER_OPERATORS,
        Res::MACHINE_CONFIG_POOLS,
        Res::MACHINE_CONFIG_NODES,
        Res::NODES,
        Res::MACHINE_CONFIGS,
    ];
    let objects: Vec<Arc<Value>> = kinds.into_iter().flat_map(|kind| store.list(kind)).collect();
    Arc::new(assemble::from_values(objects.iter().map(AsRef::as_ref), clock::now()))
}

/// An assessment that remembers one before it, as they all do but the first.
fn assessed(facts: &Arc<Facts>) -> (Memory, Arc<Assessment>) {
    let mut memory = Memory::default();
    let first = Arc::new(assess(Arc::clone(facts), &memory, clock::now()));
    memory.observe(&first);
    (memory, first)
}

fn assessing(criterion: &mut Criterion) {
    for workers in [60, 2000] {
        let facts = facts(&cluster(workers));
        let (memory, _) = assessed(&facts);
        let now = clock::now();
        criterion.bench_function(&format!("assess, {workers} workers"), |bencher| {
            bencher.iter(|| black_box(assess(Arc::clone(&facts), &memory, now)));
        });
    }
}

fn drawing(criterion: &mut Criterion) {
    let facts = facts(&cluster(5000));
    let (_, assessment) = assessed(&facts);
    for tab in ["overview", "operators", "pools", "nodes", "findings", "timeline"] {
        let overrides = Overrides { tab: Some(tab.to_owned()), ..Overrides::default() };
        let start = Start { overrides, ..Start::default() };
        let mut app = App::new(start, Arc::clone(&assessment), clock::now());
        app.update(Msg::Assessed(Arc::clone(&assessment)), clock::now());
        let mut terminal = Terminal::new(TestBackend::new(200, 60)).unwrap();
        criterion.bench_function(&format!("draw {tab}, 5,000 workers, 200x60"), |bencher| {
            bencher.iter(|| {
                app.update(Msg::Tick, clock::now());
                terminal.draw(|frame| app.draw(frame)).unwrap();
            });
        });
    }
}

/// 1,000 changed Nodes, from the store of the simulated cluster through its API into new facts.
fn applying(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let objects = cluster(2000);
    let objects = [Res::CLUSTER_VERSIONS, Res::CLUSTER_OPERATORS, Res::MACHINE_CONFIG_POOLS, Res::NODES]
        .into_iter()
        .flat_map(|kind| objects.list(kind))
        .map(|object| (*object).clone())
        .collect();
    let simulation = Simulation::new(&Options { objects, ..Options::default() }).unwrap();
    let cluster = Cluster::start_in_process(kube::Client::new(simulation.service(), "default"));
    let mut seen = cluster.facts();
    runtime.block_on(async { seen.wait_for(|facts| facts.complete()).await.map(drop).unwrap() });
    let store = simulation.store();
    let names: Vec<String> = store.list(Res::NODES).iter().take(1000).map(|node| name(node)).collect();
    let mut round = 0;
    criterion.bench_function("apply 1,000 changed nodes", |bencher| {
        bencher.iter_batched(
            || {
                round += 1;
                format!("v1.32.{round}")
            },
            |version| {
                for name in &names {
                    store.update(Res::NODES, None, name, |node| {
                        node["status"]["nodeInfo"]["kubeletVersion"] = Value::from(version.as_str());
                    });
                }
                let last = names.last().map(String::as_str).unwrap_or_default();
                let changed = |facts: &Arc<Facts>| {
                    let node = facts.nodes.iter().find(|node| node.metadata.name.as_deref() == Some(last));
                    node.is_some_and(|node| node.status.node_info.kubelet_version == version)
                };
                runtime.block_on(async { seen.wait_for(changed).await.map(drop).unwrap() });
            },
            BatchSize::PerIteration,
        );
    });
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

criterion_group! {
    name = budgets;
    config = Criterion::default().sample_size(20);
    targets = assessing, drawing, applying
}
criterion_main!(budgets);

//! Screens of simulated and of recorded clusters: what is assessed is what is shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::store::Store;
use oc_cockpit::snapshot;
use oc_cockpit::upgrade::assemble::{self, Objects};
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, StepState};
use oc_cockpit::upgrade::facts::KindStatus;
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;
use serde_json::Value;

use super::Stage;
use super::sample::{self, World};

/// A scenario whose time is moved by hand, watched as the cockpit watches: assessed again and again.
struct Watched {
    store: Arc<Store>,
    actors: Actors,
    pace: Pace,
    now: DateTime<Utc>,
    memory: Memory,
    seen: Arc<Assessment>,
}

impl Watched {
    fn new(scenario: &str) -> Self {
        let scenario = Scenario::load(scenario).unwrap();
        let now = sample::now();
        let pace = Pace::new(scenario.speed);
        let store = Arc::new(Store::new(1));
        let actors = Actors::prepare(&store, &scenario, &pace, 1, now);
        let seen = Arc::new(sample::nothing().assessment);
        let mut watched = Self { store, actors, pace, now, memory: Memory::default(), seen };
        watched.look();
        watched
    }

    fn look(&mut self) {
        let kinds = [
            Res::CLUSTER_VERSIONS,
            Res::CLUSTER_OPERATORS,
            Res::MACHINE_CONFIG_POOLS,
            Res::MACHINE_CONFIG_NODES,
            Res::MACHINE_CONFIGS,
            Res::NODES,
            Res::EVENTS,
        ];
        let objects: Vec<Arc<Value>> =
            kinds.iter().filter(|kind| self.store.served(**kind)).flat_map(|kind| self.store.list(*kind)).collect();
        let mut facts = sample::live_facts();
        let objects = Objects::from_values(objects.iter().map(AsRef::as_ref));
        for (kind, state) in &mut facts.kinds {
            if objects.count(*kind) == 0 {
                state.status = KindStatus::Absent;
            }
            state.heard = Some(self.now);
        }
        facts.link.heard = Some(self.now);
        objects.put_into(&mut facts);
        self.seen = Arc::new(assess(Arc::new(facts), &self.memory, self.now));
        self.memory.observe(&self.seen);
    }

    /// Lets simulated time pass until something is true of what is seen, at most for so long.
    fn until(&mut self, what: &str, limit: Duration, truth: impl Fn(&Assessment) -> bool) {
        for second in 0..limit.as_secs() {
            self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
            self.actors.step(self.now);
            if second % 5 == 0 {
                self.look();
                if truth(&self.seen) {
                    return;
                }
            }
        }
        panic!("{what}: not within {limit:?}:\n{}", outline(&self.seen));
    }

    fn world(&self) -> World {
        let mut world = World::of((*self.seen).clone());
        world.now = self.now;
        world
    }
}

/// Draws every tab at every size; gives back the overviews.
fn everywhere(world: impl Fn() -> World) -> Vec<String> {
    let mut overviews = Vec::new();
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut stage = Stage::new(world(), width, height);
        overviews.push(stage.screen());
        for tab in ["2", "3", "4", "5", "6"] {
            stage.keys(tab);
            stage.keys("G d");
        }
    }
    overviews
}

fn told(screen: &str, assessment: &Assessment) {
    let says = |text: &str| assert!(screen.contains(text), "{text:?} is missing:\n{screen}");
    says(&assessment.verdict.kind.words().to_uppercase());
    if let Some(progress) = assessment.progress {
        says(&format!("{progress}%"));
    }
    for pool in &assessment.pools {
        says(&format!("{}/{}", pool.updated, pool.total));
    }
    if assessment.operators.total > 0 {
        says(&format!("{}/{}", assessment.operators.updated, assessment.operators.total));
    }
    for step in assessment.rail.iter().filter(|step| step.state != StepState::Done) {
        says(step.name);
    }
}

#[test]
fn the_tour_is_told_from_the_first_operator_to_the_blocked_drain() {
    let mut tour = Watched::new("tour");
    println!("{}", everywhere(|| tour.world())[1]);
    told(&everywhere(|| tour.world())[1], &tour.seen);
    let limit = Duration::from_secs(7_000);
    tour.until("a drain is blocked", limit, |seen| seen.nodes.iter().any(|node| node.drain_trouble.is_some()));
    let screens = everywhere(|| tour.world());
    for screen in &screens[1..] {
        told(screen, &tour.seen);
    }
    for screen in &screens {
        println!("{screen}");
        let stuck = tour.seen.nodes.iter().find(|node| node.drain_trouble.is_some()).unwrap();
        assert!(screen.contains(&stuck.name), "{screen}");
    }
}

#[test]
fn every_scenario_can_be_looked_at_from_its_first_moment() {
    for scenario in Scenario::names() {
        let watched = Watched::new(scenario);
        let screens = everywhere(|| watched.world());
        told(&screens[1], &watched.seen);
        println!("{scenario}\n{}", screens[1]);
    }
}

#[test]
fn recorded_clusters_are_shown_as_they_were() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/oc-status");
    if !Path::new(folder).is_dir() {
        println!("skipped: {folder} is not there");
        return;
    }
    let mut cases: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok()?.strip_suffix("-cv.yaml").map(str::to_owned))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let files: Vec<String> = ["cv", "co", "mcp", "mc", "node"]
            .iter()
            .map(|part| format!("{folder}/{case}-{part}.yaml"))
            .filter(|file| Path::new(file).is_file())
            .collect();
        let snapshot = snapshot::read(&files);
        let Some(now) = assemble::newest_transition(&snapshot.objects) else { continue };
        let seen = assess(Arc::new(assemble::from_values(&snapshot.objects, now)), &Memory::default(), now);
        let world = || {
            let mut world = World::of(seen.clone());
            world.now = now;
            world.session.read_only = Some("a recording".into());
            world
        };
        let screens = everywhere(world);
        told(&screens[1], &seen);
        println!("{case}\n{}", screens[1]);
    }
}

#[test]
fn a_narrow_header_names_the_versions_and_the_next_step() {
    let mut gate = Watched::new("gate");
    gate.until("the request is refused", Duration::from_secs(600), |seen| {
        seen.update.requested.as_ref().is_some_and(|requested| requested.refused)
    });
    let screen = Stage::new(gate.world(), 80, 24).screen();
    assert!(screen.contains(" 4.18.22 → 4.19.3?"), "what is asked for, and not what was done before:\n{screen}");
    // Nothing is wrong: the next step is there all the same.
    let screen = Stage::new(Watched::new("ibu").world(), 80, 24).screen();
    assert!(screen.contains("nothing to report") && screen.contains("n start an update"), "{screen}");
    let mut minor = Watched::new("eus");
    minor.until("operators", Duration::from_secs(1200), |seen| seen.operators.updated > 5);
    let screen = Stage::new(minor.world(), 80, 24).screen();
    assert!(screen.contains(" 4.16.40 → 4.17.30  "), "the bar gives way to it:\n{screen}");
    assert!(screen.contains("○ verify"), "the whole rail fits:\n{screen}");
}

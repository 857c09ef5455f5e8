//! Whoever starts in the middle of an update sees what somebody sees who has been there all the time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, NodePhase, VerdictKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;
use serde_json::Value;

/// A scenario at real speed, looked at every few seconds.
struct Watched {
    store: Arc<Store>,
    actors: Actors,
    now: DateTime<Utc>,
    memory: Memory,
}

impl Watched {
    fn new(scenario: &str) -> Self {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let store = Arc::new(Store::new(1));
        let actors = Actors::prepare(&store, &Scenario::load(scenario).unwrap(), &Pace::new(1.0), 1, now);
        Self { store, actors, now, memory: Memory::default() }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += TimeDelta::seconds(1);
            self.actors.step(self.now);
        }
    }

    fn judged(&self, memory: &Memory) -> Arc<Assessment> {
        let kinds = [
            Res::CLUSTER_VERSIONS,
            Res::CLUSTER_OPERATORS,
            Res::MACHINE_CONFIG_POOLS,
            Res::MACHINE_CONFIG_NODES,
            Res::NODES,
            Res::MACHINE_CONFIGS,
            Res::EVENTS,
        ];
        let objects: Vec<Arc<Value>> = kinds.into_iter().flat_map(|kind| self.store.list(kind)).collect();
        let facts = assemble::from_values(objects.iter().map(AsRef::as_ref), self.now);
        Arc::new(assess(Arc::new(facts), memory, self.now))
    }

    fn look(&mut self) -> Arc<Assessment> {
        let assessment = self.judged(&self.memory);
        self.memory.observe(&assessment);
        assessment
    }
}

#[test]
fn verdict_and_phase_ages_survive_a_restart_anywhere_in_the_tour() {
    let mut story = Watched::new("tour");
    let (mut compared, mut phases, mut verdicts) = (0, Vec::new(), Vec::new());
    for second in (0..75 * 60).step_by(5) {
        story.pass(5);
        let watched = story.look();
        if !verdicts.contains(&watched.verdict.kind) {
            verdicts.push(watched.verdict.kind);
        }
        if second % 30 != 0 {
            continue;
        }
        let restarted = story.judged(&Memory::default());
        assert_eq!(
            restarted.verdict.kind,
            watched.verdict.kind,
            "after {second} s\n{}\nwatched: {}",
            outline(&restarted),
            watched.verdict.why
        );
        for (seen, rebuilt) in watched.nodes.iter().zip(restarted.nodes.iter()) {
            assert_eq!((&seen.name, seen.phase), (&rebuilt.name, rebuilt.phase), "after {second} s");
            if !seen.phase.moving() {
                continue;
            }
            if !phases.contains(&seen.phase) {
                phases.push(seen.phase);
            }
            // Nodes that were targeted together are not named by any event, until they begin.
            if seen.phase == NodePhase::Preparing && rebuilt.since.is_none() {
                continue;
            }
            let (Some(was), Some(is)) = (seen.since, rebuilt.since) else {
                panic!(
                    "after {second} s: no age of {} in {:?}: {:?}, {:?}",
                    seen.name, seen.phase, seen.since, rebuilt.since
                );
            };
            let apart = (was - is).abs();
            assert!(
                apart <= TimeDelta::seconds(30),
                "after {second} s: {} in {:?}: {was} and {is}",
                seen.name,
                seen.phase
            );
            compared += 1;
        }
    }
    println!("{compared} ages compared; {phases:?}; {verdicts:?}");
    assert!(compared > 50, "the story has moving nodes: {compared}");
    for phase in [NodePhase::Draining, NodePhase::Applying, NodePhase::Rebooting] {
        assert!(phases.contains(&phase), "{phase:?} was never seen: {phases:?}");
    }
    assert!(verdicts.contains(&VerdictKind::NeedsPerson), "the blocked drain needs a person: {verdicts:?}");
}

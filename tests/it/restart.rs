//! Whoever starts in the middle of an update sees what somebody sees who has been there all the time.

use chrono::TimeDelta;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::upgrade::assessment::{NodePhase, VerdictKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;

use crate::support::lived::Lived;

#[test]
fn verdict_and_phase_ages_survive_a_restart_anywhere_in_the_tour() {
    let mut story = Lived::new(&Scenario::load("tour").unwrap(), 1);
    let (mut compared, mut phases, mut verdicts) = (0, Vec::new(), Vec::new());
    for second in (0..75 * 60).step_by(5) {
        for _ in 0..5 {
            story.pass(1);
        }
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

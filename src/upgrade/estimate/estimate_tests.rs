//! Estimates as a whole: what goes in, what is left out, and what holds for whatever an assessment says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::upgrade::assessment::{Build, Layer, NodePhase};
use crate::upgrade::cycles::Cycle;
use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered, stamp};

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// The control plane is done; so many workers wait, so many at a time.
fn workers(count: usize, max_unavailable: usize) -> Specimen {
    let mut cluster = Specimen::workers_left();
    let model = cluster.node("worker-0").clone();
    cluster.nodes.retain(|node| !node["metadata"]["name"].as_str().unwrap().starts_with("worker"));
    for number in 0..count {
        let mut node = model.clone();
        node["metadata"]["name"] = json!(format!("worker-{number:03}"));
        cluster.nodes.push(node);
    }
    cluster.pool("worker")["spec"]["maxUnavailable"] = json!(max_unavailable);
    cluster
}

/// A worker that took so many minutes, in fifths: drain, apply, twice that for the reboot, settle.
fn cycle(number: usize, began: DateTime<Utc>, minutes: i64) -> Cycle {
    let fifth = TimeDelta::seconds(minutes * 12);
    Cycle {
        node: format!("worker-{number:03}"),
        pool: "worker".to_owned(),
        target: rendered("worker", NEW),
        began,
        drained: Some(began + fifth),
        rebooted: Some(began + fifth * 2),
        back: Some(began + fifth * 4),
        done: Some(began + fifth * 5),
        blocked: false,
    }
}

fn measured(cluster: &Specimen, minute: i64, cycles: Vec<Cycle>) -> Estimates {
    estimates(&cluster.assess(minute), &Memory::default().with_cycles(&Arc::new(cycles)))
}

fn whole(cluster: &Specimen, minute: i64) -> Estimate {
    cluster.assess(minute).estimates.whole.unwrap()
}

fn part<'a>(estimates: &'a Estimates, pool: &str) -> &'a Estimate {
    estimates.parts.iter().find(|estimate| estimate.part == Part::Pool(pool.to_owned())).unwrap()
}

fn about(estimate: &Estimate, expected: i64, give: i64) {
    let off = (estimate.remaining.p50 - minutes(expected)).abs();
    assert!(off <= minutes(give), "{expected} min expected: {:?}, {}", estimate.remaining, estimate.working);
}

#[test]
fn at_rest_with_nothing_on_offer_there_is_nothing_to_estimate() {
    assert_eq!(Specimen::idle().assess(0).estimates, Estimates::default());
    assert_eq!(Specimen::finished().assess(120).estimates, Estimates::default());
}

#[test]
fn measured_cycles_outweigh_what_is_usual() {
    let cluster = workers(6, 1);
    let cycles: Vec<Cycle> = (0..4).map(|number| cycle(number, at(60), 10)).collect();
    let slow = measured(&cluster, 100, cycles);
    let slow = part(&slow, "worker");
    about(slow, 60, 4);
    assert_eq!(slow.basis, Basis::Measured);
    assert!(slow.working.starts_with("6 nodes to come, 1 at a time: 6 x 10m"), "{}", slow.working);
    let input = slow.inputs.iter().find(|input| input.name.starts_with("node cycle")).unwrap();
    assert_eq!((input.name.as_str(), input.value.as_str()), ("node cycle (median of 4 measured)", "10m"));
    assert_eq!(input.source, "phase clocks of this rollout");
}

#[test]
fn the_more_is_measured_the_narrower_the_spread() {
    let width = |count: usize| {
        let cycles = (0..count).map(|number| cycle(number, at(60), 6)).collect();
        let estimates = measured(&workers(6, 1), 100, cycles);
        let spread = part(&estimates, "worker").remaining;
        spread.p90 - spread.p10
    };
    assert!(width(0) > width(1) && width(1) > width(4), "{} {} {}", width(0), width(1), width(4));
}

#[test]
fn without_any_measure_the_spread_is_wide_and_the_estimate_says_so() {
    let mut cluster = workers(4, 1);
    cluster.version["status"]["history"].as_array_mut().unwrap().truncate(1);
    let whole = whole(&cluster, 61);
    assert_eq!(whole.basis, Basis::Default);
    assert!(whole.remaining.p90 > whole.remaining.p10 * 2, "{:?}", whole.remaining);
    let input = whole.inputs.iter().find(|input| input.name == "node cycle").unwrap();
    assert_eq!(input.source, "documented default: 5 minutes a node; no node was measured yet");
}

#[test]
fn other_pools_measures_count_as_far_as_pools_are_alike() {
    let cycles = |pool: &str| (0..5).map(|n| Cycle { pool: pool.to_owned(), ..cycle(n, at(40), 15) }).collect();
    let cluster = workers(6, 1);
    let [own, others, none] = [cycles("worker"), cycles("master"), Vec::new()]
        .map(|cycles| part(&measured(&cluster, 100, cycles), "worker").remaining.p50);
    assert!(none < others && others <= own, "{none} {others} {own}");
}

#[test]
fn two_at_a_time_take_half_as_many_rounds() {
    let cycles = || (0..6).map(|number| cycle(number, at(40), 6)).collect::<Vec<Cycle>>();
    let one = measured(&workers(8, 1), 100, cycles());
    let two = measured(&workers(8, 2), 100, cycles());
    about(part(&one, "worker"), 48, 3);
    about(part(&two, "worker"), 25, 3);
}

#[test]
fn no_more_than_five_drains_go_on_at_a_time() {
    // Drains of ten minutes: fifty nodes need ten rounds of five, however many may be unavailable.
    let slow_drain = |number| {
        let cycle = cycle(number, at(0), 2);
        let later = minutes(9);
        let shifted = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment + later);
        Cycle {
            drained: shifted(cycle.drained),
            rebooted: shifted(cycle.rebooted),
            back: shifted(cycle.back),
            done: shifted(cycle.done),
            ..cycle
        }
    };
    let estimates = measured(&workers(50, 25), 100, (0..8).map(slow_drain).collect());
    let p50 = part(&estimates, "worker").remaining.p50;
    assert!(p50 > minutes(80), "{p50}");
}

/// worker-000 applies the configuration since a while, of usual so many seconds.
fn applying(since: i64) -> Specimen {
    let mut cluster = workers(1, 1);
    cluster.drains("worker-000", "worker", since - 1);
    cluster.mark("worker-000", &[("lastAppliedDrain", &format!("drain-{}", rendered("worker", NEW)))]);
    cluster.steps(
        "worker-000",
        vec![
            condition("Updated", "False", "", "", since - 2),
            condition("Cordoned", "True", "", "", since - 1),
            condition("Drained", "True", "", "", since),
            condition("AppliedFilesAndOS", "Unknown", "", "", since),
        ],
    );
    cluster
}

#[test]
fn a_moving_node_has_only_the_rest_left() {
    let all = whole(&workers(1, 1), 61).remaining;
    let begun = whole(&applying(70), 70).remaining;
    let later = whole(&applying(70), 71).remaining;
    assert!(begun.p50 < all.p50 && later.p50 < begun.p50, "{all:?} {begun:?} {later:?}");
}

#[test]
fn what_takes_longer_than_usual_is_not_said_to_end_at_once() {
    let cluster = applying(70);
    let mut before = whole(&cluster, 75).remaining;
    for minute in [80, 90, 120, 200] {
        let now = whole(&cluster, minute).remaining;
        assert!(now.p50 >= before.p50 && now.p90 > before.p90, "minute {minute}: {before:?}, {now:?}");
        before = now;
    }
    assert!(before.p90 > minutes(10), "two hours over, it is not over in a moment: {before:?}");
}

#[test]
fn a_paused_pool_is_left_out_and_named() {
    let mut cluster = Specimen::rolling();
    cluster.pool("worker")["spec"]["paused"] = json!(true);
    let estimates = cluster.assess(40).estimates;
    let whole = estimates.whole.clone().unwrap();
    assert_eq!(whole.left_out.len(), 1);
    assert!(whole.left_out[0].starts_with("pool worker is paused: 3 nodes, about 2"), "{:?}", whole.left_out);
    assert!(part(&estimates, "worker").waits());
    assert!(!whole.waits());
    let alone = estimates.parts.iter().find(|part| part.part == Part::ControlPlane).unwrap();
    assert_eq!(alone.remaining, whole.remaining);
}

#[test]
fn when_all_that_is_left_is_paused_nothing_goes_on_by_itself() {
    let mut cluster = Specimen::workers_left();
    cluster.pool("worker")["spec"]["paused"] = json!(true);
    let estimates = cluster.assess(61).estimates;
    let whole = estimates.whole.clone().unwrap();
    assert!(whole.waits() && !estimates.before);
    assert_eq!(whole.working, "nothing of what is left goes on by itself");
    assert_eq!((whole.left_out.len(), estimates.words()), (1, None));
}

#[test]
fn a_blocked_drain_is_left_out_with_whoever_waits_behind_it() {
    let mut cluster = workers(3, 1);
    cluster.drains("worker-000", "worker", 61);
    let error = "Error: error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s";
    cluster.steps(
        "worker-000",
        vec![condition("Cordoned", "True", "", "", 61), condition("Drained", "Unknown", "", error, 64)],
    );
    let young = whole(&cluster, 65);
    assert!(!young.waits() && young.left_out.is_empty(), "a drain may take a while: {young:?}");
    let old = cluster.assess(80).estimates;
    let whole = old.whole.clone().unwrap();
    assert!(whole.waits());
    assert_eq!(
        whole.left_out,
        [
            "worker-000 of pool worker: the drain does not end by itself",
            "2 nodes of pool worker wait behind them: no capacity is left",
        ]
    );
    assert_eq!(old.words(), None);
    cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
    let around = cluster.assess(80).estimates.whole.unwrap();
    assert!(!around.waits() && around.left_out.len() == 1, "the others go on around it: {around:?}");
}

#[test]
fn cordons_of_others_take_capacity_and_are_named() {
    let mut cluster = workers(4, 2);
    let free = whole(&cluster, 61);
    cluster.cordon("worker-003", "kubectl-cordon", 10);
    let held = whole(&cluster, 61);
    assert!(held.remaining.p50 > free.remaining.p50, "{:?} {:?}", held.remaining, free.remaining);
    assert_eq!(held.left_out, ["worker-003 of pool worker: cordoned or not ready, so the controller passes over it"]);
}

#[test]
fn pools_begin_when_their_configuration_is_rendered() {
    let estimates = Specimen::updating().assess(5).estimates;
    let worker = part(&estimates, "worker");
    assert!(worker.working.starts_with("begins in "), "{}", worker.working);
    assert!(worker.remaining.p50 > minutes(20), "{:?}", worker.remaining);
    let rolling = Specimen::rolling().assess(40).estimates;
    assert!(!part(&rolling, "worker").working.contains("begins"), "{:?}", part(&rolling, "worker").working);
}

#[test]
fn operators_that_are_done_are_done_by_their_weight() {
    let mut cluster = Specimen::updating();
    let first = whole(&cluster, 5).remaining.p50;
    for name in ["etcd", "kube-apiserver"] {
        cluster.operator(name)["status"]["versions"][0]["version"] = json!(NEW);
        cluster.operator(name)["status"]["conditions"][1] = condition("Progressing", "False", "", "", 5);
    }
    let second = whole(&cluster, 5).remaining.p50;
    assert!(first - second > minutes(8), "kube-apiserver weighs most: {first} {second}");
}

#[test]
fn a_slow_start_makes_the_rest_longer() {
    let told = |minute: i64| {
        let mut cluster = Specimen::updating();
        cluster.operator("etcd")["status"]["versions"][0]["version"] = json!(NEW);
        cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "False", "", "", minute);
        whole(&cluster, minute).remaining.p50
    };
    assert!(told(25) > told(8) + minutes(5), "{} {}", told(25), told(8));
}

#[test]
fn earlier_updates_set_the_pace_before_anything_is_measured() {
    let took = |minutes: i64| {
        let mut cluster = Specimen::updating();
        let history = cluster.version["status"]["history"].as_array_mut().unwrap();
        history[1]["completionTime"] = json!(stamp(-9100 + minutes));
        let whole = whole(&cluster, 1);
        assert_eq!(whole.basis, Basis::History);
        whole.remaining.p50
    };
    assert!(took(150) > took(60) + minutes(30), "{} {}", took(150), took(60));
}

#[test]
fn an_installation_is_no_update() {
    let mut cluster = Specimen::updating();
    cluster.version["status"]["history"].as_array_mut().unwrap().truncate(1);
    assert_eq!(cluster.assess(5).estimates, Estimates::default());
}

#[test]
fn unmanaged_nodes_are_named() {
    let mut cluster = Specimen::rolling();
    cluster.node("worker-2")["metadata"]["labels"] = json!({"kubernetes.io/os": "windows"});
    let whole = whole(&cluster, 40);
    assert!(whole.left_out.contains(&"worker-2 is managed by no pool".to_owned()), "{:?}", whole.left_out);
}

#[test]
fn the_whole_is_the_longest_of_what_rolls_side_by_side() {
    let estimates = Specimen::rolling().assess(40).estimates;
    let whole = estimates.whole.clone().unwrap();
    assert!(
        whole.working.starts_with("the longest of what rolls side by side: the control plane "),
        "{}",
        whole.working
    );
    for part in &estimates.parts {
        assert!(part.remaining.p50 <= whole.remaining.p50, "{:?}", part.part);
    }
    let parts: Vec<&Part> = estimates.parts.iter().map(|part| &part.part).collect();
    let [master, worker] = ["master", "worker"].map(|pool| Part::Pool(pool.to_owned()));
    assert_eq!(parts, [&Part::ControlPlane, &master, &worker]);
    assert!(estimates.words().unwrap().ends_with(" left"));
}

const PHASES: [NodePhase; 12] = [
    NodePhase::Degraded,
    NodePhase::Draining,
    NodePhase::Cordoned,
    NodePhase::Preparing,
    NodePhase::Applying,
    NodePhase::Rebooting,
    NodePhase::Back,
    NodePhase::Uncordoning,
    NodePhase::Waiting,
    NodePhase::Paused,
    NodePhase::Done,
    NodePhase::Unmanaged,
];

fn ordered(estimates: &Estimates) -> bool {
    estimates.whole.iter().chain(&estimates.parts).all(|estimate| {
        let spread = estimate.remaining;
        TimeDelta::zero() <= spread.p10 && spread.p10 <= spread.p50 && spread.p50 <= spread.p90
    })
}

#[test]
fn a_pool_whose_image_could_not_be_built_is_left_out() {
    let mut assessment = workers(3, 1).assess(61);
    let pool = assessment.pools.iter_mut().find(|pool| pool.name == "worker").unwrap();
    pool.layer = Some(Layer { image: None, build: Build::Failed });
    let estimates = estimates(&assessment, &Memory::default());
    let worker = part(&estimates, "worker");
    assert_eq!(worker.remaining.p90, TimeDelta::zero());
    assert_eq!(worker.left_out, ["3 nodes of pool worker wait: its OS image could not be built"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever an assessment holds, however little it fits together.
    #[test]
    fn no_assessment_makes_it_panic_and_every_spread_is_in_order(
        which in 0..4_usize,
        phases in prop::collection::vec((0..PHASES.len(), prop::option::of(-1_000_000_i64..1_000_000)), 6),
        limits in prop::collection::vec((0..usize::MAX, 0..usize::MAX, any::<bool>()), 2),
        clocks in prop::collection::vec(prop::collection::vec(prop::option::of(-1_000_000_i64..1_000_000), 5), 0..4),
        done in prop::collection::vec(any::<bool>(), 4),
        started in prop::option::of(-1_000_000_i64..1_000_000),
    ) {
        let stories = [Specimen::updating(), Specimen::rolling(), Specimen::workers_left(), Specimen::idle()];
        let mut assessment = stories[which].assess(40);
        assessment.update.started = started.map(at);
        let nodes = Arc::make_mut(&mut assessment.nodes);
        for (node, (phase, since)) in nodes.iter_mut().zip(&phases) {
            node.phase = PHASES[*phase];
            node.since = since.map(at);
        }
        for (pool, (max, failing, paused)) in assessment.pools.iter_mut().zip(&limits) {
            pool.capacity.max_unavailable = *max;
            pool.capacity.failing = *failing;
            pool.paused = *paused;
        }
        for (row, done) in assessment.operators.rows.iter_mut().zip(&done) {
            row.updated = *done;
        }
        let cycles: Vec<Cycle> = clocks.iter().enumerate().map(|(number, clocks)| Cycle {
            drained: clocks[1].map(at),
            rebooted: clocks[2].map(at),
            back: clocks[3].map(at),
            done: clocks[4].map(at),
            ..cycle(number, at(clocks[0].unwrap_or(0)), 5)
        }).collect();
        let estimates = estimates(&assessment, &Memory::default().with_cycles(&Arc::new(cycles)));
        prop_assert!(ordered(&estimates), "{estimates:?}");
        prop_assert!(estimates.whole.iter().chain(&estimates.parts).all(|estimate| !estimate.working.is_empty()));
    }

    /// More nodes to go never take less time, at whatever capacity.
    #[test]
    fn more_nodes_never_shorten_it(count in 1..90_usize, more in 1..40_usize, max in 1..40_usize) {
        let few = whole(&workers(count, max), 61).remaining;
        let many = whole(&workers(count + more, max), 61).remaining;
        prop_assert!(few.p10 <= many.p10 && few.p50 <= many.p50 && few.p90 <= many.p90, "{few:?} {many:?}");
    }

    /// More control plane nodes never take less time either, with operators to go.
    #[test]
    fn more_control_plane_nodes_never_shorten_it(more in 1..4_usize, minute in 1..60_i64) {
        let few = Specimen::updating();
        let mut many = few.clone();
        for number in 0..more {
            let mut node: Value = many.node("master-0").clone();
            node["metadata"]["name"] = json!(format!("master-{}", number + 7));
            many.nodes.push(node);
        }
        let (few, many) = (whole(&few, minute).remaining, whole(&many, minute).remaining);
        prop_assert!(few.p10 <= many.p10 && few.p50 <= many.p50 && few.p90 <= many.p90, "{few:?} {many:?}");
    }
}

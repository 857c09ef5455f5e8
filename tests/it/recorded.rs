//! Recorded clusters are told as they were, and the lenses read fields that exist.
//!
//! The recordings and the schemas lie beside the project; where they are missing these tests say so and pass.

mod compare;
mod model;
mod schemas;
mod told;
mod variations;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_cockpit::report::status::{Details, Status};
use oc_cockpit::snapshot::{self, Recording};
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Level, OperatorState, Subject, VerdictKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;
use serde_json::Value;

use self::compare::Difference;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures");

/// The parts of a recording, as `oc adm upgrade status --mock-clusterversion` names them.
const PARTS: [&str; 7] =
    ["cv.yaml", "co.yaml", "mcp.yaml", "mc.yaml", "node.yaml", "alerts.json", "mco-deployment.yaml"];

fn present(folder: &str) -> bool {
    let there = Path::new(SHARED).join(folder).is_dir();
    if !there {
        println!("skipped: {SHARED}/{folder} is not there");
    }
    there
}

/// All recorded clusters that `oc` has answered for.
fn cases() -> Vec<String> {
    let names = fs::read_dir(format!("{SHARED}/oc-status")).expect("the folder of recordings");
    let names = names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut cases: Vec<String> = names.filter_map(|name| name.strip_suffix("-cv.yaml").map(str::to_owned)).collect();
    cases.sort();
    assert!(!cases.is_empty(), "there are recordings");
    cases
}

fn recorded(case: &str) -> Assessment {
    let files = PARTS.map(|part| PathBuf::from(format!("{SHARED}/oc-status/{case}-{part}")));
    let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
    let recording = Recording::open(&files, None).expect("a recording of a cluster");
    assert_eq!(recording.broken, [], "all files of {case} can be read");
    assess(Arc::clone(&recording.facts), &Memory::default(), recording.now)
}

fn json_of(assessment: &Assessment) -> Value {
    serde_json::to_value(Status::of(assessment, Details::default(), Vec::new())).expect("it can be written")
}

#[test]
fn every_recorded_cluster_agrees_with_what_oc_printed() {
    if !present("oc-status") {
        return;
    }
    let mut wrong = Vec::new();
    let mut met: BTreeMap<String, Vec<Difference>> = BTreeMap::new();
    for case in cases() {
        let text = fs::read_to_string(format!("{SHARED}/oc-status/{case}.detailed-output")).expect("the answer of oc");
        let outcome = compare::compare(&told::parse(&text), &json_of(&recorded(&case)));
        wrong.extend(outcome.wrong.into_iter().map(|words| format!("{case}: {words}")));
        met.insert(case, outcome.met.into_iter().collect());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Differences on purpose are pinned, for the recordings that are known: none comes and none goes unnoticed.
    for (case, differences) in met {
        let known = PINNED.iter().find(|(pinned, _)| *pinned == case);
        assert!(known.is_none_or(|(_, pinned)| *pinned == differences), "{case}: {differences:?}");
    }
}

/// Recordings, and where we differ from `oc` on purpose there.
const PINNED: [(&str, &[Difference]); 7] = [
    ("4.14.1-degraded", &[]),
    ("4.14.1-paused-worker-pool", &[]),
    ("4.14.1-workers-started-updating-multiple-pools", &[]),
    ("4.15.0-ec2-early", &[]),
    ("4.16.0-single-node", &[]),
    ("not-upgrading", &[]),
    ("ocpbugs-60768", &[]),
];

#[test]
fn a_failing_node_on_a_master_is_told_as_the_cause() {
    if !present("oc-status") {
        return;
    }
    let ours = recorded("ocpbugs-60768");
    // `oc` says "Progressing - Slow"; its clock is arithmetic. The truth: the daemon of master-1 fails at pulling the OS
    // image, the node is cordoned and failing, which uses up the only slot of the pool twice over, and nothing moves.
    assert_eq!(ours.verdict.kind, VerdictKind::Stalled, "{}", ours.verdict.why);
    let master = ours.pool("master").expect("there is a master pool");
    assert_eq!((master.capacity.unavailable, master.capacity.failing, master.capacity.free), (1, 1, 0));
    assert!(master.capacity.why_none.contains("master-1"), "{}", master.capacity.why_none);
    let node = ours.node("ci-op-pw3ghqzh-bb5c4-pdhfc-master-1").expect("the failing node");
    assert!(node.message.contains("podman pull"), "{}", node.message);
    assert!(node.cordon.as_ref().expect("it is cordoned").by_mco, "by the operator, for its own drain");
    let finding = ours.findings.iter().find(|finding| finding.id == "node-degraded").expect("a finding says it");
    assert_eq!((finding.level, &finding.subject), (Level::Error, &Subject::Node(node.name.clone())));
    // One of three replicas is missing because that master is drained: said, but as expected.
    let replica = ours.operator("openshift-apiserver").expect("the operator");
    assert_eq!((replica.state, replica.expected), (OperatorState::Degraded, true));
}

#[test]
fn degraded_operators_make_a_failing_update() {
    if !present("oc-status") {
        return;
    }
    let ours = recorded("4.14.1-degraded");
    // `oc` says Stalled by arithmetic on time; the cluster-version operator says outright that it fails, and why.
    assert_eq!(ours.verdict.kind, VerdictKind::Failing);
    assert!(ours.verdict.why.contains("etcd, kube-apiserver"), "{}", ours.verdict.why);
    assert_eq!(ours.verdict.evidence[0].field, "Failing");
}

#[test]
fn a_pool_that_was_paused_on_purpose_is_no_alarm_while_the_control_plane_updates() {
    if !present("oc-status") {
        return;
    }
    let ours = recorded("4.14.1-paused-worker-pool");
    assert_eq!(ours.verdict.kind, VerdictKind::UpdatingControlPlane);
    let finding = ours.findings.iter().find(|finding| finding.id == "pool-paused").expect("it is said");
    // `oc` warns of it too. Pausing workers before the update is the documented procedure, so it is marked as expected
    // until the control plane is done and the pool is all that is left.
    assert_eq!((finding.level, finding.expected), (Level::Warning, true));
    assert_eq!(ours.update.payload.map(|payload| (payload.done, payload.total)), Some((139, 859)));
}

/// The dump of a cluster of our own, told as text: what a person would want to read of it.
#[test]
fn a_stuck_drain_is_told_with_its_causes() {
    let snapshot = snapshot::read([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stuck-drain")]);
    assert_eq!(snapshot.broken, []);
    let now = "2026-03-01T11:20:00Z".parse().expect("a time");
    let assessment = assess(Arc::new(assemble::from_values(&snapshot.objects, now)), &Memory::default(), now);
    insta::assert_snapshot!(outline(&assessment));
}

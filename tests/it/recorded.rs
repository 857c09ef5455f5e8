//! Recorded clusters are told as they were, and the lenses read fields that exist.
//!
//! The recordings and the schemas lie beside the project; where they are missing these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use oc_cockpit::api::{self, lens};
use oc_cockpit::snapshot;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Level, NodePhase, OperatorState, Subject, VerdictKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures");

/// All recorded clusters; each is asserted below by what `oc` printed for it.
const CASES: [&str; 7] = [
    "4.14.1-degraded",
    "4.14.1-paused-worker-pool",
    "4.14.1-workers-started-updating-multiple-pools",
    "4.15.0-ec2-early",
    "4.16.0-single-node",
    "not-upgrading",
    "ocpbugs-60768",
];

fn present(folder: &str) -> bool {
    let there = Path::new(SHARED).join(folder).is_dir();
    if !there {
        println!("skipped: {SHARED}/{folder} is not there");
    }
    there
}

fn recorded(case: &str) -> Assessment {
    let files = ["cv", "co", "mcp", "mc", "node"].map(|part| format!("{SHARED}/oc-status/{case}-{part}.yaml"));
    let snapshot = snapshot::read(&files);
    assert_eq!(snapshot.broken, [], "all files of {case} can be read");
    let now = assemble::newest_transition(&snapshot.objects).expect("conditions have times");
    assess(Arc::new(assemble::from_values(&snapshot.objects, now)), &Memory::default(), now)
}

/// What `oc adm upgrade status --details=all` printed, as far as it is compared.
#[derive(Debug, Default)]
struct Told {
    updating: bool,
    target: String,
    from: String,
    from_incomplete: bool,
    operators: [usize; 3],
    healthy: usize,
    unavailable: usize,
    degraded: usize,
    /// Operators in the table of those that update.
    updating_operators: BTreeSet<String>,
    /// Pool to (updated, total); only pools other than master are printed with counts.
    pools: BTreeMap<String, (usize, usize)>,
    /// Node to (assessment, phase, version).
    nodes: BTreeMap<String, (String, String, String)>,
}

/// Numbers in a text, in order.
fn numbers(text: &str) -> Vec<usize> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

fn parse(text: &str) -> Told {
    let mut told = Told { updating: !text.starts_with("The cluster is not updating"), ..Told::default() };
    let mut table = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Target Version:") {
            let (target, rest) = rest.trim().split_once(" (from ").expect("a version and where from");
            target.clone_into(&mut told.target);
            let from = rest.trim_end_matches(')');
            told.from_incomplete = from.starts_with("incomplete ");
            from.trim_start_matches("incomplete ").clone_into(&mut told.from);
        } else if let Some(rest) = line.strip_prefix("Completion:") {
            let (_, counts) = rest.split_once('(').expect("counts in brackets");
            told.operators = numbers(counts).try_into().expect("updated, updating, waiting");
        } else if let Some(rest) = line.strip_prefix("Operator Health:") {
            for part in rest.split(',') {
                let number = numbers(part)[0];
                match part.trim().split_once(' ').expect("a number and a word").1 {
                    "Healthy" => told.healthy = number,
                    "Unavailable" => told.unavailable = number,
                    "Available but degraded" => told.degraded = number,
                    other => panic!("unknown health {other:?}"),
                }
            }
        } else if line.starts_with("NAME") {
            table = if line.contains("ASSESSMENT") { "nodes" } else { "operators" };
        } else if line.starts_with("WORKER POOL ") {
            table = "pools";
        } else if line.is_empty() || line.starts_with('=') {
            table = "";
        } else {
            row(&mut told, table, line);
        }
    }
    told
}

fn row(told: &mut Told, table: &str, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match table {
        // Messages of several lines go on indented, or begin like no row does.
        "operators" if !line.starts_with(' ') => {
            told.updating_operators.insert(words[0].to_owned());
        }
        "pools" => {
            let (updated, total) = words[3].trim_matches(['(', ')']).split_once('/').expect("updated/total");
            told.pools.insert(words[0].to_owned(), (updated.parse().unwrap(), total.parse().unwrap()));
        }
        "nodes" => {
            let known = ["Outdated", "Progressing", "Completed", "Excluded", "Degraded", "Unavailable"];
            if words.len() >= 4 && known.contains(&words[1]) {
                told.nodes.insert(words[0].to_owned(), (words[1].to_owned(), words[2].to_owned(), words[3].to_owned()));
            }
        }
        _ => {}
    }
}

/// Our phases for a row of `oc`.
fn phases(assessment: &str, phase: &str) -> &'static [NodePhase] {
    match (assessment, phase) {
        // A failing daemon has one phase here, whatever it was doing; `oc` keeps the phase and degrades the assessment.
        ("Degraded", _) => &[NodePhase::Degraded],
        (_, "Pending") => &[NodePhase::Waiting],
        (_, "Paused") => &[NodePhase::Paused],
        (_, "Updated") => &[NodePhase::Done],
        // `oc` says Draining also for a node that is targeted and not yet picked up.
        (_, "Draining") => &[NodePhase::Draining, NodePhase::Cordoned, NodePhase::Preparing],
        // `oc` has one word for all that follows the drain (its "Rebooting" can never be reached).
        (_, "Updating" | "Rebooting") => {
            &[NodePhase::Applying, NodePhase::Rebooting, NodePhase::Back, NodePhase::Uncordoning]
        }
        other => panic!("unknown row {other:?}"),
    }
}

#[test]
fn each_recorded_cluster_agrees_with_what_oc_printed() {
    if !present("oc-status") {
        return;
    }
    for case in CASES {
        let text = fs::read_to_string(format!("{SHARED}/oc-status/{case}.detailed-output")).expect("the answer of oc");
        let (told, ours) = (parse(&text), recorded(case));
        if !told.updating {
            assert!(!ours.update.in_progress && ours.progress.is_none(), "{case} is at rest");
            assert_eq!(ours.verdict.kind, VerdictKind::NotUpdating, "{case}");
            continue;
        }
        compare(case, &told, &ours);
    }
}

fn compare(case: &str, told: &Told, ours: &Assessment) {
    let update = &ours.update;
    assert_eq!(update.to.as_deref(), Some(told.target.as_str()), "{case}: target");
    let from = if told.from_incomplete { &update.from_incomplete } else { &update.from };
    assert_eq!(from.as_deref(), Some(told.from.as_str()), "{case}: from");
    assert_eq!(update.from_incomplete.is_some(), told.from_incomplete, "{case}: incomplete");

    let operators = &ours.operators;
    assert_eq!([operators.updated, operators.updating, operators.waiting], told.operators, "{case}: operators");
    assert_eq!(operators.total, told.operators.iter().sum::<usize>(), "{case}: all operators are in one bucket");
    assert_eq!((operators.unavailable, operators.degraded), (told.unavailable, told.degraded), "{case}: health");
    let healthy = operators.total - operators.unavailable - operators.degraded;
    assert_eq!(healthy, told.healthy, "{case}: healthy operators");
    let updating: BTreeSet<String> = operators
        .rows
        .iter()
        .filter(|row| row.platform && !row.updated && row.progressing)
        .map(|row| row.name.clone())
        .collect();
    assert_eq!(updating, told.updating_operators, "{case}: operators that update");

    for (name, counts) in &told.pools {
        let pool = ours.pool(name).unwrap_or_else(|| panic!("{case}: no pool {name}"));
        assert_eq!((pool.updated, pool.total), *counts, "{case}: pool {name}");
    }
    assert!(!told.nodes.is_empty(), "{case}: oc lists nodes");
    assert_eq!(ours.nodes.len(), told.nodes.len(), "{case}: all nodes are there");
    for (name, (assessment, phase, version)) in &told.nodes {
        let node = ours.node(name).unwrap_or_else(|| panic!("{case}: no node {name}"));
        assert!(
            phases(assessment, phase).contains(&node.phase),
            "{case}: {name} is {phase} for oc, {:?} here",
            node.phase
        );
        assert_eq!(node.version.as_deref(), Some(version.as_str()), "{case}: version of {name}");
    }
}

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
    assert!(finding.meaning.contains("pull"), "{}", finding.meaning);
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

/// The object under a path of a schema, or nothing. `[]` enters a list, `{}` a map of free keys.
fn schema_has(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    for part in path.trim_start_matches('.').split('.') {
        let (key, behind) = part.split_at(part.find(['[', '{']).unwrap_or(part.len()));
        if let Some(inner) = at.pointer("/properties").and_then(|properties| properties.get(key)) {
            at = inner;
        } else {
            return at.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        }
        for (sign, field) in [("[]", "items"), ("{}", "additionalProperties")] {
            if behind.contains(sign) {
                match at.get(field) {
                    Some(inner) => at = inner,
                    None => return false,
                }
            }
        }
    }
    true
}

fn schema(file: &str) -> Value {
    let snapshot = snapshot::read([format!("{SHARED}/crds/{file}")]);
    assert_eq!(snapshot.broken, [], "{file} can be read");
    let versions = snapshot.objects[0].pointer("/spec/versions").and_then(Value::as_array).expect("versions");
    let v1 = versions.iter().find(|version| version["name"] == "v1").expect("version v1");
    v1["schema"]["openAPIV3Schema"].clone()
}

/// Fields of the ClusterVersion that only clusters with some feature gate serve, which the default schema leaves out.
const GATED: [&str; 6] = [
    ".spec.signatureStores",
    ".spec.desiredUpdate.mode",
    ".spec.desiredUpdate.acceptRisks",
    ".status.conditionalUpdateRisks",
    ".status.conditionalUpdates[].riskNames",
    ".status.conditionalUpdates[].risks[].conditions",
];

#[test]
fn every_field_that_a_lens_reads_exists_in_the_schema() {
    if !present("crds") {
        return;
    }
    let table: [(&str, Vec<String>); 4] = [
        ("0000_00_cluster-version-operator_01_clusterversions-Default.crd.yaml", lens::paths::<api::ClusterVersion>()),
        ("0000_00_cluster-version-operator_01_clusteroperators.crd.yaml", lens::paths::<api::ClusterOperator>()),
        ("0000_80_machine-config_01_machineconfigpools.crd.yaml", lens::paths::<api::MachineConfigPool>()),
        (
            "0000_80_machine-config_01_machineconfignodes-SelfManagedHA-Default.crd.yaml",
            lens::paths::<api::MachineConfigNode>(),
        ),
    ];
    for (file, paths) in table {
        let schema = schema(file);
        assert!(paths.len() > 5, "{file}: the lens lists its paths");
        let gated = |path: &str| GATED.iter().any(|gated| path.starts_with(gated));
        let missing: Vec<&String> = paths.iter().filter(|path| !gated(path) && !schema_has(&schema, path)).collect();
        assert!(missing.is_empty(), "{file} has no {missing:?}");
    }
    assert!(
        !schema_has(&schema("0000_80_machine-config_01_machineconfigpools.crd.yaml"), ".spec.pausd"),
        "it can fail"
    );
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

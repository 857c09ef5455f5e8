//! From facts to assessment.
//!
//! Pure: the same facts, memory and moment give the same assessment. Each part is made in a file of its own; this one
//! says in which order.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Node, NodePhase, Pool, Verdict, VerdictKind};
use super::estimate::Estimates;
use super::facts::{Facts, Kind, KindStatus};
use super::image_based::{ImageBased, image_rail};
use super::memory::Memory;
use super::operators::Target;
use super::rollout::Rollout;
use super::{
    blockers, changes, checks, cycles, estimate, image_based, operator_clock, operators, progress, rail, rebuild,
    rollout, verdict, version,
};

/// `last`, when `facts` say nothing that it does not know and were only heard later: the same assessment with fresher
/// ages, of the same generation. None: they have to be assessed.
pub fn freshened(last: &Assessment, facts: &Facts) -> Option<Assessment> {
    if !facts.same_but_heard(&last.facts) {
        return None;
    }
    let mut facts = facts.clone();
    facts.link.expected_outage.clone_from(&last.facts.link.expected_outage);
    Some(Assessment { facts: Arc::new(facts), ..last.clone() })
}

/// What `facts` mean at `now`, given what is remembered.
#[expect(clippy::needless_pass_by_value, reason = "the assessment keeps the facts")]
pub fn assess(facts: Arc<Facts>, memory: &Memory, now: DateTime<Utc>) -> Assessment {
    let fresh = memory.going_on(&facts, now);
    let generation = memory.last.as_ref().map_or(0, |last| last.generation + 1);
    let memory = fresh.as_ref().unwrap_or(memory);
    let last = memory.settled(&facts);
    let mut update = facts.cluster_version.as_deref().map(version::update).unwrap_or_default();
    update.payload = update.payload.map(|payload| memory.counted(payload, update.started));
    let Rollout { mut nodes, pools, topology, compact } = rollout::rollout(&facts, &update, last, now);
    blockers::fill(&mut nodes, &pools, &facts, now);
    let mut operators = operators_of(&facts, &nodes, &pools);
    operator_clock::time(&mut operators, &facts, &update, memory, now);
    let image_based = {
        let last = memory.last.as_ref().and_then(|last| last.image_based.as_deref());
        let earlier = last.or(memory.believed().map(|believed| believed.image.as_ref()));
        image_based::image_based(&facts, memory.believed(), earlier, now)
    };
    let mut assessment = Assessment {
        now,
        generation,
        openshift: openshift(&facts),
        cluster_id: facts.cluster_version.as_ref().and_then(|version| version.spec.cluster_id.clone()),
        facts: expecting(&facts, &nodes, &pools, image_based.as_deref()),
        image_based,
        verdict: Verdict { kind: VerdictKind::Unknown, why: String::new(), since: None, evidence: Vec::new() },
        update,
        progress: None,
        operators,
        pools,
        nodes: Arc::new(nodes),
        topology,
        compact,
        cycles: Arc::default(),
        rail: Vec::new(),
        estimates: Estimates::default(),
        findings: Vec::new(),
        timeline: Arc::default(),
    };
    assessment.progress = progress::percent(&assessment);
    assessment.cycles = cycles::cycles(&assessment, memory);
    assessment.estimates = estimate::estimates(&assessment, &memory.with_cycles(&assessment.cycles));
    assessment.findings = checks::all(&assessment, memory);
    for finding in &mut assessment.findings {
        finding.first_seen = memory.first_seen(finding, now);
    }
    assessment.verdict = verdict::verdict(&assessment, memory);
    assessment.rail = match assessment.image_based.as_deref().filter(|image| image.under_way()) {
        Some(image) => image_rail::rail(image),
        None => rail::rail(&assessment),
    };
    assessment.timeline = match last {
        Some(last) => memory.timeline_with(changes::between(last, &assessment)),
        None if settles(&facts) => memory.timeline_with(rebuild::entries(&assessment)),
        None => memory.timeline_with(Vec::new()),
    };
    assessment
}

/// Are these facts enough to compare later ones with? While a kind has not been listed, things that appear are not news.
pub(super) fn settles(facts: &Facts) -> bool {
    [Kind::ClusterVersions, Kind::ClusterOperators, Kind::MachineConfigPools, Kind::MachineConfigNodes, Kind::Nodes]
        .into_iter()
        .all(|kind| *facts.status(kind) != KindStatus::Waiting)
}

/// The facts, with the outage that is to be expected now: while a control plane node reboots, its API server is gone,
/// and what balances the load may still send us there (a cluster has one API server per control plane node).
fn expecting(facts: &Arc<Facts>, nodes: &[Node], pools: &[Pool], image: Option<&ImageBased>) -> Arc<Facts> {
    let pivots = image.and_then(|image| image.outage.as_ref()).filter(|outage| outage.expected());
    if let Some(outage) = pivots.filter(|_| facts.link.expected_outage.is_none()) {
        let mut facts = Facts::clone(facts);
        facts.link.expected_outage = Some(outage.what.clone());
        return Arc::new(facts);
    }
    let control_plane = |name: &str| pools.iter().any(|pool| pool.control_plane && pool.name == name);
    let rebooting =
        nodes.iter().find(|node| node.phase == NodePhase::Rebooting && node.pool.as_deref().is_some_and(control_plane));
    match rebooting {
        Some(node) if facts.link.expected_outage.is_none() => {
            let mut facts = Facts::clone(facts);
            facts.link.expected_outage = Some(format!("{} is rebooting", node.name));
            Arc::new(facts)
        }
        _ => Arc::clone(facts),
    }
}

fn operators_of(facts: &Facts, nodes: &[Node], pools: &[Pool]) -> super::assessment::Operators {
    // From the drain on, the static pods and replicas of a control plane node are missed; a failing node stays cordoned.
    let out_of_service = |node: &&Node| {
        let drained = matches!(node.phase, NodePhase::Draining | NodePhase::Applying | NodePhase::Degraded);
        matches!(node.phase, NodePhase::Rebooting | NodePhase::Back) || (drained && node.cordon.is_some())
    };
    let control_plane =
        |node: &Node| pools.iter().any(|pool| pool.control_plane && Some(pool.name.as_str()) == node.pool.as_deref());
    let nodes_busy = nodes.iter().any(|node| node.phase.moving());
    let masters_busy = nodes.iter().filter(out_of_service).any(control_plane);
    // Never the version of the history: `oc` and the cluster-version operator measure by `desired` alone.
    let desired = facts.cluster_version.as_deref().map(|version| version.status.desired.version.as_str());
    let target = Target {
        version: desired.filter(|version| !version.is_empty()),
        machine_config_image: machine_config_image(facts),
    };
    operators::operators(facts.operators.iter().map(AsRef::as_ref), target, nodes_busy, masters_busy)
}

/// The image of the machine-config operator, by its Deployment.
fn machine_config_image(facts: &Facts) -> Option<&str> {
    const OPERATOR: &str = "machine-config-operator";
    facts.around.deployments.iter().find(|deployment| deployment.name() == OPERATOR)?.image(OPERATOR)
}

fn openshift(facts: &Facts) -> Option<bool> {
    if facts.cluster_version.is_some() || !facts.pools.is_empty() || !facts.operators.is_empty() {
        return Some(true);
    }
    match facts.status(Kind::ClusterVersions) {
        KindStatus::Waiting | KindStatus::NotAsked | KindStatus::Failing(_) | KindStatus::Forbidden(_) => None,
        KindStatus::Live | KindStatus::Absent => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::outline::outline;
    use crate::upgrade::specimen::{Specimen, condition};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Values that no schema allows where they end up.
    fn odd() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            Just(json!("9999-12-31T23:59:59Z")),
            Just(json!("-262143-01-01T00:00:00Z")),
            Just(json!("999999999999%")),
            Just(json!("Working towards : 4294967296 of 0 done (% complete), waiting on , over  and ")),
            Just(json!("pods/\"\" -n \"pod \"pods/\"x")),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z:./]{0,12}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Every place in a value, as JSON pointers.
    fn places(value: &Value, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    places(field, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    places(item, &format!("{at}/{place}"), into);
                }
            }
            _ => {}
        }
    }

    fn stories() -> [Specimen; 4] {
        let mut busy = Specimen::workers_left();
        busy.drains("worker-0", "worker", 61);
        busy.steps(
            "worker-0",
            vec![
                condition("Cordoned", "True", "", "", 61),
                condition("Drained", "Unknown", "", "Error: pods/\"a\" -n \"b\"", 70),
            ],
        );
        busy.cordon("worker-1", "somebody", 10);
        busy.events.push(json!({"apiVersion": "v1", "kind": "Event", "reason": "DrainFailed", "message": "x",
            "involvedObject": {"kind": "Node", "name": "worker-0"}, "lastTimestamp": "2026-03-01T13:00:00Z"}));
        [Specimen::idle(), Specimen::rolling(), busy, Specimen::finished()]
    }

    proptest! {
        /// Whatever a field of whatever object holds, the whole is judged and told.
        #[test]
        fn no_object_makes_it_panic(
            which in 0..4_usize,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), odd()), 1..6),
            minute in -100_000..100_000_i64,
        ) {
            let [a, b, c, d] = stories();
            let mut cluster = [a, b, c, d].into_iter().nth(which).unwrap_or_else(Specimen::idle);
            let mut memory = Memory::default();
            cluster.watched(&mut memory, minute);
            for (object, place, odd) in changes {
                let mut objects: Vec<&mut Value> = std::iter::once(&mut cluster.version)
                    .chain(&mut cluster.operators)
                    .chain(&mut cluster.pools)
                    .chain(&mut cluster.nodes)
                    .chain(&mut cluster.machine_config_nodes)
                    .chain(&mut cluster.machine_configs)
                    .chain(&mut cluster.events)
                    .collect();
                let chosen = object.index(objects.len());
                let mut pointers = Vec::new();
                places(objects[chosen], "", &mut pointers);
                let pointer = &pointers[place.index(pointers.len())];
                if let Some(value) = objects[chosen].pointer_mut(pointer) {
                    *value = odd;
                }
                let assessment = cluster.watched(&mut memory, minute + 1);
                prop_assert!(!outline(&assessment).is_empty());
                prop_assert!(assessment.progress.is_none_or(|percent| percent <= 100));
                let verdict = &assessment.verdict;
                prop_assert!(verdict.kind == VerdictKind::Unknown || !verdict.evidence.is_empty(), "{}", verdict.why);
                prop_assert!(!verdict.why.is_empty());
                for pool in &assessment.pools {
                    prop_assert!(pool.updated.max(pool.degraded) + pool.moving + pool.waiting <= pool.total);
                }
            }
        }
    }
}

//! From facts to assessment.
//!
//! Pure: the same facts, memory and moment give the same assessment. Each part is made in a file of its own; this one
//! says in which order.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Node, NodePhase, Pool, Update, Verdict, VerdictKind};
use super::facts::{Facts, Kind, KindStatus};
use super::memory::Memory;
use super::{changes, checks, operators, progress, rail, rebuild, rollout, verdict, version};

/// What `facts` mean at `now`, given what is remembered.
#[expect(clippy::needless_pass_by_value, reason = "the assessment keeps the facts")]
pub fn assess(facts: Arc<Facts>, memory: &Memory, now: DateTime<Utc>) -> Assessment {
    let fresh = memory.void_for(&facts);
    let generation = memory.last.as_ref().map_or(0, |last| last.generation + 1);
    let memory = fresh.as_ref().unwrap_or(memory);
    let last = memory.settled(&facts);
    let update = facts.cluster_version.as_deref().map(version::update).unwrap_or_default();
    let (nodes, pools) = rollout::rollout(&facts, &update, last, now);
    let operators = operators_of(&facts, &update, &nodes, &pools);
    let mut assessment = Assessment {
        now,
        generation,
        openshift: openshift(&facts),
        cluster_id: facts.cluster_version.as_ref().and_then(|version| version.spec.cluster_id.clone()),
        facts: Arc::clone(&facts),
        verdict: Verdict { kind: VerdictKind::Unknown, why: String::new(), since: None, evidence: Vec::new() },
        update,
        progress: None,
        operators,
        pools,
        nodes,
        rail: Vec::new(),
        findings: Vec::new(),
        timeline: Arc::default(),
    };
    assessment.progress = progress::percent(&assessment);
    assessment.findings = checks::all(&assessment, memory);
    assessment.verdict = verdict::verdict(&assessment, memory);
    assessment.rail = rail::rail(&assessment);
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

fn operators_of(facts: &Facts, update: &Update, nodes: &[Node], pools: &[Pool]) -> super::assessment::Operators {
    // From the drain on, the static pods and replicas of a control plane node are missed; a failing node stays cordoned.
    let out_of_service = |node: &&Node| {
        let drained = matches!(node.phase, NodePhase::Draining | NodePhase::Applying | NodePhase::Degraded);
        matches!(node.phase, NodePhase::Rebooting | NodePhase::Back) || (drained && node.cordon.is_some())
    };
    let control_plane =
        |node: &Node| pools.iter().any(|pool| pool.control_plane && Some(pool.name.as_str()) == node.pool.as_deref());
    let nodes_busy = nodes.iter().any(|node| node.phase.moving());
    let masters_busy = nodes.iter().filter(out_of_service).any(control_plane);
    let target = update.to.as_deref();
    operators::operators(facts.operators.iter().map(AsRef::as_ref), target, nodes_busy, masters_busy)
}

fn openshift(facts: &Facts) -> Option<bool> {
    if facts.cluster_version.is_some() || !facts.pools.is_empty() || !facts.operators.is_empty() {
        return Some(true);
    }
    match facts.status(Kind::ClusterVersions) {
        KindStatus::Waiting | KindStatus::Failing(_) | KindStatus::Forbidden(_) => None,
        KindStatus::Live | KindStatus::Absent => Some(false),
    }
}

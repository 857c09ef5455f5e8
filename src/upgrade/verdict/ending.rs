//! The end of an update: completed only when everything that it should have changed is changed and the cluster is quiet.
//! Until then, what it still waits for; and a cluster at rest.

use chrono::{DateTime, TimeDelta, Utc};

use super::advancing::HOSTED;
use super::{QUIET, STALL, evidence, history_evidence};
use crate::api::metadata::created;
use crate::api::{Conditions as _, Tri};
use crate::upgrade::assessment::{
    Assessment, Evidence, Node, NodePhase, OperatorRow, Outside, Source, Topology, Verdict, VerdictKind, age,
};
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::kubelet::Wanted;
use crate::upgrade::link::LinkState;
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// How long a finished update is called completed rather than "not updating".
const COMPLETED_FOR: TimeDelta = TimeDelta::hours(1);

/// Nothing that was read moves; but was what could move read? A hosted cluster has no pools.
pub(super) fn unseen(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let kinds = [Kind::MachineConfigPools, Kind::Nodes];
    let hosted = assessment.topology == Topology::External;
    let why =
        kinds.into_iter().filter(|kind| !hosted || *kind == Kind::Nodes).find_map(|kind| unread(assessment, kind))?;
    let release = assessment.update.to.as_deref().unwrap_or("its release");
    Some(unknown(format!("the control plane is at {release}; whether nodes still roll is not known: {why}")))
}

fn unknown(why: String) -> Verdict {
    Verdict { kind: VerdictKind::Unknown, why, since: None, evidence: Vec::new() }
}

/// Why a kind says nothing although it has no objects; none: what was read of it counts.
fn unread(assessment: &Assessment, kind: Kind) -> Option<String> {
    let (facts, name) = (&assessment.facts, kind.plural());
    match facts.status(kind) {
        KindStatus::Absent if facts.link.state == LinkState::Recording => {
            Some(format!("the recording holds no {name}"))
        }
        KindStatus::Forbidden(trouble) => Some(format!("{name} may not be read: {}", trouble.words)),
        KindStatus::Failing(trouble) if !facts.known(kind) => Some(format!("{name} cannot be read: {}", trouble.words)),
        KindStatus::Waiting | KindStatus::NotAsked => Some(format!("{name} have not been read yet")),
        KindStatus::Live | KindStatus::Failing(_) | KindStatus::Absent => None,
    }
}

/// History says Completed and every pool is done: is that all?
pub(super) fn ending(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    // A cluster at rest stays at rest: a pool or an operator that comes back from trouble ends no update.
    let at_rest = memory.settled(&assessment.facts).is_some_and(|last| {
        last.verdict.kind == VerdictKind::NotUpdating && last.update.started == assessment.update.started
    });
    if at_rest {
        return None;
    }
    let ended = ended(assessment, memory)?;
    let wanted = Wanted::by(assessment);
    by_others(assessment, &wanted)
        .or_else(|| node_away(assessment))
        .or_else(|| node_failing(assessment))
        .or_else(|| not_quiet(assessment, memory))
        .or_else(|| node_behind(assessment, &wanted))
        .or_else(|| kubelet_untold(assessment, &wanted))
        .or_else(|| operators_unseen(assessment))
        .or_else(|| completed(assessment, ended))
}

/// When the update ended, if that is not long ago: the control plane, or the last pool.
///
/// That a pool's condition `Updated` is young says little: a node that was cordoned for a moment flips it too. So when the
/// control plane was done long ago, pools count that were seen to roll to the release, or nodes that their MachineConfigNodes
/// call updated a moment ago to a configuration that was rendered for this update.
fn ended(assessment: &Assessment, memory: &Memory) -> Option<DateTime<Utc>> {
    let completed = assessment.update.completed?;
    assessment.update.from.as_ref()?;
    let young = |at: &DateTime<Utc>| age(*at, assessment.now) <= COMPLETED_FOR;
    let reached = assessment.facts.pools.iter().filter_map(|pool| {
        let updated = pool.status.conditions.condition("Updated")?;
        updated.since.filter(|_| updated.status == Tri::True)
    });
    if young(&completed) {
        return Some(reached.max().map_or(completed, |reached| reached.max(completed)));
    }
    let seen = memory.rolled(assessment);
    let told = assessment.nodes.iter().filter(|node| {
        node.phase == NodePhase::Done
            && node.phase_source == Source::MachineConfigNode
            && is_of_update(assessment, node)
    });
    seen.max(told.filter_map(|node| node.since).max()).filter(young)
}

/// Was the node's configuration rendered while this update ran?
fn is_of_update(assessment: &Assessment, node: &Node) -> bool {
    let configs = &assessment.facts.machine_configs;
    let (Some(current), update) = (node.current_config.as_deref(), &assessment.update) else { return false };
    let at = configs.binary_search_by(|config| config.name().cmp(current)).ok();
    let made = at.and_then(|at| created(&configs[at].metadata));
    made.is_some_and(|made| Some(made) >= update.started && Some(made) <= update.completed)
}

fn node_evidence(node: &Node, field: &str, value: &str, at: Option<DateTime<Utc>>) -> Evidence {
    evidence(format!("node/{}", node.name), field, value, at)
}

fn named<'a>(nodes: &[&'a Node]) -> String {
    let mut names: Vec<&'a str> = nodes.iter().map(|node| node.name.as_str()).collect();
    names.sort_by(|a, b| words::natural(a, b));
    words::some_of(names.into_iter(), 3)
}

/// Is the node one that this cluster's pools should have brought to the release? Windows has an operator of its own; a
/// hosted cluster has no pools.
fn is_judged(assessment: &Assessment, node: &Node) -> bool {
    let windows = node.phase == NodePhase::Unmanaged && node.message.starts_with("Windows");
    !windows && !assessment.pools.is_empty()
}

/// Nodes that nothing in the cluster brings to the release: RHEL, another OS image, no pool.
fn by_others(assessment: &Assessment, wanted: &Wanted) -> Option<Verdict> {
    let old = assessment.nodes.iter().filter(|node| {
        (node.outside.is_some() || node.phase == NodePhase::Unmanaged)
            && is_judged(assessment, node)
            && wanted.lags(node) == Some(true)
    });
    let old: Vec<&Node> = old.collect();
    let first = *old.first()?;
    let why = match first.outside {
        Some(Outside::Rhel) => "RHEL is updated outside of the cluster",
        Some(Outside::OverriddenImage) => "a MachineConfig names another OS image, which has to be built anew",
        None => "no pool manages it",
    };
    let verb = if old.len() == 1 { "runs" } else { "run" };
    let kubelet = |node: &Node| node.kubelet.clone().unwrap_or_default();
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("{} still {verb} an older kubelet ({}): {why}", named(&old), kubelet(first)),
        since: assessment.update.completed,
        evidence: old
            .iter()
            .take(8)
            .map(|node| node_evidence(node, "status.nodeInfo.kubeletVersion", &kubelet(node), None))
            .collect(),
    })
}

/// A node is cordoned, or not ready.
fn node_away(assessment: &Assessment) -> Option<Verdict> {
    let cordoned: Vec<&Node> = assessment.nodes.iter().filter(|node| node.ready && node.cordon.is_some()).collect();
    if let Some(down) = assessment.nodes.iter().find(|node| !node.ready) {
        return Some(not_ready(assessment, down));
    }
    let first = *cordoned.first()?;
    let cordon = first.cordon.as_ref()?;
    let by = cordon.manager.as_deref().map(|manager| format!(" by {manager}")).unwrap_or_default();
    let verb = if cordoned.len() == 1 { "is" } else { "are" };
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("all pools are done; {} {verb} still cordoned{by}", named(&cordoned)),
        since: cordon.since,
        evidence: vec![node_evidence(first, "spec.unschedulable", "true", cordon.since)],
    })
}

/// A node fails although its pool has nothing to do: it drifted.
fn node_failing(assessment: &Assessment) -> Option<Verdict> {
    let failing = |node: &&Node| node.phase == NodePhase::Degraded && node.pool.is_some();
    let node = assessment.nodes.iter().find(failing)?;
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("all pools are done; {} is degraded: {}", node.name, words::first_line(&node.message)),
        since: node.since,
        evidence: vec![node_evidence(node, "machineconfiguration.openshift.io/state", "Degraded", node.since)],
    })
}

fn not_ready(assessment: &Assessment, node: &Node) -> Verdict {
    let object = assessment.facts.nodes.iter().find(|object| object.name() == node.name);
    let ready = object.and_then(|object| object.status.conditions.condition("Ready"));
    let since = ready.and_then(|ready| ready.since);
    let long = since.is_none_or(|since| age(since, assessment.now) >= STALL);
    let lasted = since.map(|since| format!(" for {}", words::span(age(since, assessment.now)))).unwrap_or_default();
    let status = ready.map_or("missing", |ready| ready.status.word());
    Verdict {
        kind: if long { VerdictKind::Stalled } else { VerdictKind::UpdatingPools },
        why: format!("all pools are done; {} has not been ready{lasted}", node.name),
        since,
        evidence: vec![node_evidence(node, "Ready", status, since)],
    }
}

/// Operators are not at rest, or have not been for long. Once an update was called completed, their noise does not undo it.
fn not_quiet(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    let last = memory.settled(&assessment.facts);
    let told = last.is_some_and(|last| {
        last.verdict.kind == VerdictKind::Completed && last.update.started == assessment.update.started
    });
    if told {
        return None;
    }
    let settling = |why: String, since, evidence| {
        Some(Verdict { kind: VerdictKind::UpdatingPools, why, since, evidence: vec![evidence] })
    };
    let restless = |row: &&OperatorRow| row.platform && (!row.available || row.degraded || row.progressing);
    if let Some(row) = assessment.operators.rows.iter().find(restless) {
        let (field, words) = if !row.available {
            ("Available", "is not available")
        } else if row.degraded {
            ("Degraded", "is degraded")
        } else {
            ("Progressing", "is progressing")
        };
        let proof = evidence(format!("clusteroperator/{}", row.name), field, row.reason.clone(), row.since);
        let why = format!("everything is at the new version; the cluster settles: {} {words}", row.name);
        return settling(why, row.since, proof);
    }
    let quiet = memory.quiet_since(assessment)?;
    let left = QUIET - age(quiet, assessment.now);
    if left <= TimeDelta::zero() {
        return None;
    }
    let newest =
        evidence("clusteroperators".to_owned(), "last change of a condition", words::stamp(quiet), Some(quiet));
    let why = format!("everything is at the new version; operators have to be quiet for {} more", words::span(left));
    settling(why, Some(quiet), newest)
}

/// A node of a pool that is done reports the kubelet of before: it has just come back, or its pool is not what it seems.
fn node_behind(assessment: &Assessment, wanted: &Wanted) -> Option<Verdict> {
    let behind = |node: &&Node| {
        node.pool.is_some()
            && node.outside.is_none()
            && node.phase == NodePhase::Done
            && wanted.lags(node) == Some(true)
    };
    let nodes: Vec<&Node> = assessment.nodes.iter().filter(behind).collect();
    let first = *nodes.first()?;
    let kubelet = first.kubelet.clone().unwrap_or_default();
    Some(Verdict {
        kind: VerdictKind::UpdatingPools,
        why: format!("all pools are done; {} still reports kubelet {kubelet}", named(&nodes)),
        since: assessment.update.completed,
        evidence: vec![node_evidence(first, "status.nodeInfo.kubeletVersion", &kubelet, None)],
    })
}

/// A node that tells no kubelet version is not called up to date.
fn kubelet_untold(assessment: &Assessment, wanted: &Wanted) -> Option<Verdict> {
    let silent = assessment.nodes.iter().filter(|node| is_judged(assessment, node) && wanted.lags(node).is_none());
    let silent: Vec<&Node> = silent.collect();
    let first = *silent.first()?;
    let value = first.kubelet.clone().unwrap_or_default();
    Some(Verdict {
        evidence: vec![node_evidence(first, "status.nodeInfo.kubeletVersion", &value, None)],
        ..unknown(format!("all pools are done; which kubelet {} runs is not told", named(&silent)))
    })
}

/// Operators that nobody has looked at are not called quiet.
fn operators_unseen(assessment: &Assessment) -> Option<Verdict> {
    let why = unread(assessment, Kind::ClusterOperators)?;
    Some(unknown(format!("all pools are done; whether operators are quiet is not known: {why}")))
}

fn completed(assessment: &Assessment, ended: DateTime<Utc>) -> Option<Verdict> {
    let from = assessment.update.from.as_ref()?;
    let to = assessment.update.to.as_deref().unwrap_or("the target");
    let hosted = if assessment.topology == Topology::External { format!(" ({HOSTED})") } else { String::new() };
    let why = if assessment.update.multi_arch {
        format!("the cluster went to the multi-architecture payload of {to}{hosted}")
    } else {
        format!("the cluster went from {from} to {to}{hosted}")
    };
    let mut proof = vec![evidence(
        super::VERSION.to_owned(),
        "status.history[0].completionTime",
        "Completed",
        assessment.update.completed,
    )];
    proof.extend(assessment.pools.iter().filter(|pool| pool.total > 0).map(|pool| {
        evidence(format!("mcp/{}", pool.name), "updated nodes", format!("{} of {}", pool.updated, pool.total), None)
    }));
    Some(Verdict { kind: VerdictKind::Completed, why, since: Some(ended), evidence: proof })
}

/// Nothing rolls and nothing was asked for. What is not well is said all the same.
pub(super) fn not_updating(assessment: &Assessment) -> Verdict {
    let mut why = match &assessment.update.to {
        Some(version) => format!("the cluster is at {version} and nothing rolls"),
        None => "nothing rolls".to_owned(),
    };
    let mut proof = vec![history_evidence(assessment)];
    if assessment.topology == Topology::External {
        why.push_str("; ");
        why.push_str(HOSTED);
    }
    if let Some(down) = assessment.nodes.iter().find(|node| !node.ready) {
        why.push_str(&format!("; {} is not ready", down.name));
        proof.push(node_evidence(down, "Ready", "not True", None));
    }
    let unwell = assessment.operators.rows.iter().find(|row| row.platform && (!row.available || row.degraded));
    if let Some(row) = unwell {
        let (field, words) = if row.available { ("Degraded", "degraded") } else { ("Available", "not available") };
        why.push_str(&format!("; {} is {words}", row.name));
        proof.push(evidence(format!("clusteroperator/{}", row.name), field, row.reason.clone(), row.since));
    }
    Verdict { kind: VerdictKind::NotUpdating, why, since: assessment.update.completed, evidence: proof }
}

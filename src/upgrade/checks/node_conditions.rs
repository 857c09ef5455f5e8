//! What the findings about conditions of nodes share.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Finding, Impact, Level, Look, Subject, evidence, finding, reading};
use crate::api::{self, Condition, Conditions as _};
use crate::upgrade::assessment::{Node, age};

/// The object behind a row.
pub(super) fn object<'a>(look: &'a Look, name: &str) -> Option<&'a Arc<api::Node>> {
    let nodes = &look.now.facts.nodes;
    nodes.binary_search_by(|candidate| candidate.name().cmp(name)).ok().map(|at| &nodes[at])
}

/// A condition of the object behind a row.
pub(super) fn condition<'a>(look: &'a Look, name: &str, kind: &str) -> Option<&'a Condition> {
    object(look, name)?.status.conditions.condition(kind)
}

/// After how long `oc adm upgrade status` speaks of disks and networks
/// (pkg/cli/admin/upgrade/status/mco/layered_node_state.go, `SeriouslyUnavailable`).
pub(super) const PRESSING: TimeDelta = TimeDelta::minutes(1);
/// And of nodes that are not ready.
pub(super) const SILENT: TimeDelta = TimeDelta::minutes(5);

/// The finding that a condition is not what it should be, but for what it means. None before `limit`.
pub(super) fn about(
    look: &Look,
    id: &'static str,
    node: &Node,
    told: &Condition,
    limit: TimeDelta,
    title: String,
) -> Option<Finding> {
    let now = look.now.now;
    if told.since.is_some_and(|since| age(since, now) < limit) {
        return None;
    }
    Some(Finding {
        impact: Impact::UpdateSpeed,
        since: told.since,
        link: Some(reading::NODES.to_owned()),
        evidence: vec![evidence(
            format!("node/{}", node.name),
            &told.kind,
            format!("{} ({}) {}", told.status.word(), told.reason, told.message),
            told.since,
        )],
        ..finding(id, Level::Warning, Subject::Node(node.name.clone()), title)
    })
}

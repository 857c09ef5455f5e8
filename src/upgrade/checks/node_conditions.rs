//! What the findings about conditions of nodes share.

use std::sync::Arc;

use super::{Finding, Impact, Level, Look, Remedy, Subject, evidence, finding, reading};
use crate::api::{self, Condition, Conditions as _, Tri};
use crate::upgrade::as_oc::Away;
use crate::upgrade::assessment::Node;

/// The object behind a row.
pub(super) fn object<'a>(look: &'a Look, name: &str) -> Option<&'a Arc<api::Node>> {
    let nodes = &look.now.facts.nodes;
    nodes.binary_search_by(|candidate| candidate.name().cmp(name)).ok().map(|at| &nodes[at])
}

/// A condition of the object behind a row.
pub(super) fn condition<'a>(look: &'a Look, name: &str, kind: &str) -> Option<&'a Condition> {
    object(look, name)?.status.conditions.condition(kind)
}

/// Does a condition that is not what it should be speak for itself? A node that is not heard says nothing of its disks and its
/// network: that it is not ready says it all.
fn speaks(look: &Look, node: &Node, told: &Condition) -> bool {
    let heard = condition(look, &node.name, "Ready").is_some_and(|ready| ready.status != Tri::Unknown);
    told.status != Tri::False && (heard || told.status == Tri::True)
}

/// Does this finding have to carry all that `oc` says of the node in one? Of several the first: not ready, disk, network.
pub(super) fn carried(look: &Look, node: &Node, kind: &str) -> Option<Away> {
    let away = look.oc.away(node)?;
    let kinds = [("Ready", Tri::True), ("DiskPressure", Tri::False), ("NetworkUnavailable", Tri::False)];
    let bad = |(kind, good): &(&str, Tri)| condition(look, &node.name, kind).is_some_and(|told| told.status != *good);
    let (first, _) = kinds.into_iter().find(bad)?;
    (first == kind).then_some(away)
}

/// What keeps nodes from being taken by the machine-config controller, by the condition that says it.
pub(super) struct Bad<'a> {
    /// Of the finding.
    pub id: &'static str,
    /// The condition.
    pub kind: &'a str,
    /// What is wrong, after `Node worker-1 `.
    pub wrong: &'a str,
    /// What that means for the pods on it, as a sentence.
    pub pods: &'a str,
    /// What to do about a node.
    pub remedies: fn(&str) -> Vec<Remedy>,
}

/// The findings of all nodes of which a condition says that.
pub(super) fn bad(look: &Look, bad: &Bad<'_>, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        let title = format!("Node {} {}", node.name, bad.wrong);
        let about = about(look, bad.id, node, bad.kind, title);
        found.extend(about.map(|about| Finding {
            meaning: format!(
                "The node counts as unavailable: it uses up a place of its pool's maxUnavailable, and its own turn does not \
                 come. {}",
                bad.pods
            ),
            remedies: (bad.remedies)(&node.name),
            ..about
        }));
    }
}

/// The finding that a condition is not what it should be, but for what it means. None while the node is at work for an
/// update, as `oc` has it; it waits a minute besides, which a person who looks now does not have to.
fn about(look: &Look, id: &'static str, node: &Node, kind: &str, title: String) -> Option<Finding> {
    let carried = carried(look, node, kind);
    if carried.is_none() && (node.phase.moving() || !node.unavailable) {
        return None;
    }
    let told = condition(look, &node.name, kind).filter(|told| speaks(look, node, told))?;
    let (title, since) = carried.map_or((title, told.since), |away| (away.title, away.since));
    Some(Finding {
        impact: Impact::UpdateSpeed,
        since,
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

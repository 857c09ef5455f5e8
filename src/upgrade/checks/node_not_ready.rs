//! `node-not-ready`: a node that the kubelet does not report as ready. Expected while it reboots, until that takes long.

use chrono::TimeDelta;

use super::{Finding, Level, Look, Subject, by_age, evidence, finding};
use crate::api::Conditions as _;
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::words;

/// A virtual machine is back well before that.
const REBOOT_LONG: TimeDelta = TimeDelta::minutes(10);
/// And a server of bare metal before that.
const REBOOT_TOO_LONG: TimeDelta = TimeDelta::minutes(20);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let rebooting = |node: &Node| matches!(node.phase, NodePhase::Rebooting | NodePhase::Back);
    let wanted = |node: &&Node| !node.ready || node.phase == NodePhase::Rebooting;
    for node in look.now.nodes.iter().filter(wanted) {
        let finding = if rebooting(node) { slow_reboot(look, node) } else { Some(silent(look, node)) };
        found.extend(finding);
    }
}

/// A reboot needs no finding until it takes long.
fn slow_reboot(look: &Look, node: &Node) -> Option<Finding> {
    let since = node.since?;
    let level = by_age(Some(since), look.now.now, REBOOT_LONG, REBOOT_TOO_LONG);
    if level == Level::Info && node.ready {
        return None;
    }
    let lasting = words::span(look.now.now - since);
    Some(Finding {
        meaning: "Look at the console of the machine. Never take a second control plane node down meanwhile."
            .to_owned(),
        since: Some(since),
        expected: level == Level::Info,
        evidence: vec![evidence(format!("node/{}", node.name), "phase", node.phase.word(), Some(since))],
        ..finding(
            "node-not-ready",
            level,
            Subject::Node(node.name.clone()),
            format!("{} has been rebooting for {lasting}", node.name),
        )
    })
}

fn silent(look: &Look, node: &Node) -> Finding {
    let facts = &look.now.facts.nodes;
    let object = facts.binary_search_by(|candidate| candidate.name().cmp(&node.name)).ok().map(|at| &facts[at]);
    let ready = object.and_then(|object| object.status.conditions.condition("Ready"));
    let since = ready.and_then(|ready| ready.since);
    let lasting = since.map(|since| format!(" for {}", words::span(look.now.now - since))).unwrap_or_default();
    let why = ready.map(|ready| words::first_line(&ready.message)).filter(|why| !why.is_empty());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Finding {
        meaning: "A node that is not ready counts as unavailable and holds its pool's rollout up.".to_owned(),
        since,
        expected: false,
        evidence: vec![evidence(
            format!("node/{}", node.name),
            "Ready",
            ready.map_or("missing", |ready| ready.status.word()),
            since,
        )],
        ..finding(
            "node-not-ready",
            by_age(since, look.now.now, TimeDelta::zero(), TimeDelta::minutes(5)),
            Subject::Node(node.name.clone()),
            format!("{} has not been ready{lasting}{why}", node.name),
        )
    }
}

//! `drain-will-block`: a node of the next wave carries a pod that will not leave: better to be known before its turn.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::api::{self, Conditions as _};
use crate::upgrade::assessment::{Blocker, Cause, Node};
use crate::upgrade::blockers;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    // While a node is drained or reboots, and until its pods run again, budgets run low and recover: only what lasts is
    // worth a warning then.
    let moving = look.now.nodes.iter().any(|node| blockers::drains(node) || node.phase.moving()) || settles(look);
    for node in look.now.nodes.iter() {
        let Some(forecast) = &node.forecast else { continue };
        let counts = |blocker: &&Blocker| {
            blockers::lasting(&blocker.cause) || (!moving && matches!(blocker.cause, Cause::Budget(_)))
        };
        let stays: Vec<&Blocker> = forecast.blockers.iter().filter(counts).collect();
        if !stays.is_empty() {
            found.push(foretold(look, node, &stays));
        }
    }
}

/// How long the pods of a node that came back may take to run again.
const SETTLES: TimeDelta = TimeDelta::minutes(5);

/// Did a node come back a moment ago?
fn settles(look: &Look) -> bool {
    let young = |at: DateTime<Utc>| look.now.now - at < SETTLES;
    let back =
        |node: &api::Node| node.status.conditions.condition("Ready").and_then(|ready| ready.since).is_some_and(young);
    look.now.facts.nodes.iter().any(|node| back(node))
}

fn foretold(look: &Look, node: &Node, stays: &[&Blocker]) -> Finding {
    let now = look.now.now;
    let pods: Vec<String> = stays.iter().map(|blocker| format!("{}/{}", blocker.namespace, blocker.pod)).collect();
    let lines: Vec<String> = stays
        .iter()
        .zip(&pods)
        .map(|(blocker, pod)| {
            let owner = blocker.owner.as_deref().unwrap_or("a bare pod");
            format!("{pod} ({owner}): {}.", blockers::words(&blocker.cause, now))
        })
        .collect();
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in stays.iter().flat_map(|blocker| &blocker.frees) {
        if !remedies.contains(remedy) {
            remedies.push(remedy.clone());
        }
    }
    remedies.sort_by_key(|remedy| remedy.danger);
    let mut resources = vec![Resource::node(&node.name)];
    resources.extend(stays.iter().map(|blocker| Resource::pod(&blocker.namespace, &blocker.pod)));
    let objects = stays.iter().map(|blocker| {
        evidence(
            format!("pod/{} -n {}", blocker.pod, blocker.namespace),
            "blocked by",
            blockers::words(&blocker.cause, now),
            None,
        )
    });
    Finding {
        impact: Impact::UpdateSpeed,
        resources,
        meaning: format!(
            "{}\nThe node is among the next of its pool. As things stand its drain will not end, and its pool will stop there.",
            lines.join("\n")
        ),
        remedies,
        link: Some(reading::BUDGET.to_owned()),
        evidence: objects.collect(),
        ..finding(
            "drain-will-block",
            Level::Warning,
            Subject::Node(node.name.clone()),
            format!(
                "{} is next, and will not let go of {}",
                node.name,
                words::some_of(pods.iter().map(String::as_str), 2)
            ),
        )
    }
}

//! Cordon nodes: the scheduler places no new pods on them, and the machine-config controller counts them unavailable.

use super::node::{self, Found, KINDS, PATCH, Told, find};
use super::words::whose_cordon;
use super::{
    ActionId, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes, Target, capacity,
    gate, what_if,
};
use crate::upgrade::assessment::{Assessment, Pool};

/// Reversible; but a pool without capacity takes no node any more, silently.
pub(super) fn danger(assessment: &Assessment, names: &[String]) -> Danger {
    let Ok(found) = find(assessment, names) else { return Danger::L };
    let empties =
        |(pool, more): (&Pool, usize)| more > 0 && capacity::free(pool, pool.capacity.unavailable + more) == 0;
    if touched(assessment, &to_cordon(&found)).into_iter().any(empties) { Danger::M } else { Danger::L }
}

/// Cordon nodes.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::CordonNodes,
    name: "cordon",
    word: "cordon",
    summary: "cordon the node or the marked nodes",
    gerund: "cordoning nodes",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Nodes,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::UncordonNodes),
    offered,
    plan,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.nodes();
    let now = (danger(assessment, names), available(assessment, session, names));
    node::offered((&ENTRY, "Cordon"), assessment, target, |node| node.cordon.is_none(), now)
}

/// Can the nodes be cordoned now?
pub(super) fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let found = find(assessment, names)?;
    if to_cordon(&found).is_empty() {
        return Err(already(&found));
    }
    control_plane(assessment, &found)?;
    gate::permitted(assessment, &PATCH)
}

/// The plan. Nodes that are cordoned already are left as they are, and named.
fn plan(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = ask.target.nodes();
    available(assessment, session, names)?;
    let found = find(assessment, names)?;
    let chosen = to_cordon(&found);
    let told = Told {
        radius: node::radius(assessment, material, &chosen, true),
        danger: danger(assessment, names),
        preconditions: preconditions(assessment, &found),
        consequences: consequences(assessment, &found),
    };
    node::plan(session, &ENTRY, ask, &chosen, true, told)
}

/// Those that are not cordoned yet.
fn to_cordon<'a, 'b>(found: &'b [Found<'a>]) -> Vec<&'b Found<'a>> {
    found.iter().filter(|found| found.node.cordon.is_none()).collect()
}

/// The pools concerned, each with how many more nodes would count unavailable.
fn touched<'a>(assessment: &'a Assessment, nodes: &[&Found<'_>]) -> Vec<(&'a Pool, usize)> {
    node::pools(assessment, nodes, |node| !node.unavailable)
}

fn already(found: &[Found<'_>]) -> Refusal {
    let words = |found: &Found<'_>| found.node.cordon.as_ref().map(whose_cordon).unwrap_or_default();
    match found {
        [one] => Refusal(format!("node {} is {} already", one.node.name, words(one))),
        several => Refusal(format!("all {} nodes are cordoned already", several.len())),
    }
}

/// A second control plane node is never taken out while one is.
fn control_plane(assessment: &Assessment, found: &[Found<'_>]) -> Result<(), Refusal> {
    let chosen: Vec<_> = to_cordon(found).into_iter().filter(|found| found.control_plane()).collect();
    second(assessment, &chosen)
}

/// Of these control plane nodes at most one is taken out, and only while all others are in.
pub(super) fn second(assessment: &Assessment, chosen: &[&Found<'_>]) -> Result<(), Refusal> {
    let [first, rest @ ..] = chosen else { return Ok(()) };
    if let [second, ..] = rest {
        return Err(Refusal(format!(
            "{} and {} are both control plane nodes: never two at once",
            first.node.name, second.node.name
        )));
    }
    let out = |node: &&crate::upgrade::assessment::Node| {
        node::control_plane(node)
            && node.name != first.node.name
            && (node.unavailable || !node.ready || node.cordon.is_some())
    };
    match assessment.nodes.iter().find(out) {
        None => Ok(()),
        Some(other) => Err(Refusal(format!(
            "{} is a control plane node, and {} is out already ({}): never two at once",
            first.node.name,
            other.name,
            why_out(other)
        ))),
    }
}

fn why_out(node: &crate::upgrade::assessment::Node) -> String {
    match &node.cordon {
        _ if !node.ready => "not Ready".to_owned(),
        Some(cordon) => whose_cordon(cordon),
        None => node.phase.word().to_owned(),
    }
}

fn preconditions(assessment: &Assessment, found: &[Found<'_>]) -> Vec<Precondition> {
    let mut lines = Vec::new();
    for Found { node, .. } in found {
        lines.push(match &node.cordon {
            None => Precondition {
                words: format!("node {} is schedulable", node.name),
                evidence: format!("node/{} spec.unschedulable is not set", node.name),
            },
            Some(cordon) => Precondition {
                words: format!("node {} is cordoned already and is left as it is", node.name),
                evidence: format!("node/{} spec.unschedulable = true, {}", node.name, whose_cordon(cordon)),
            },
        });
    }
    if found.iter().any(|found| found.control_plane() && found.node.cordon.is_none()) {
        let others = assessment.nodes.iter().filter(|node| node::control_plane(node)).count().saturating_sub(1);
        lines.push(Precondition {
            words: "every other control plane node is available".to_owned(),
            evidence: format!("{others} others, each Ready, schedulable and not being worked on"),
        });
    }
    lines.push(gate::permission_found(assessment, &PATCH));
    lines
}

/// What cordoning the nodes leads to: capacity, and which nodes are next.
pub(super) fn consequences(assessment: &Assessment, found: &[Found<'_>]) -> Vec<String> {
    let chosen = to_cordon(found);
    let names: Vec<&str> = chosen.iter().map(|found| found.node.name.as_str()).collect();
    let after = what_if::cordoned(assessment, &names, true);
    let mut lines = Vec::new();
    for (pool, more) in touched(assessment, &chosen) {
        lines.push(capacity::before_and_after(pool, pool.capacity.unavailable + more));
        if pool.paused {
            lines.push(format!("pool {} is paused: no node is taken anyway", pool.name));
        } else if capacity::free(pool, pool.capacity.unavailable + more) == 0 {
            lines.push(format!(
                "pool {} takes no further node until one is available again; no event will say so",
                pool.name
            ));
        }
        lines.extend(capacity::next(pool, &after).filter(|_| !pool.paused));
    }
    let etcd = assessment.operator("etcd").and_then(node::ill);
    for found in &chosen {
        let name = &found.node.name;
        if let Some(ill) = etcd.as_ref().filter(|_| found.control_plane()) {
            lines.push(format!(
                "ClusterOperator etcd is {ill}: {name} takes no new pods; do not drain it or shut it down before all \
                 members are well"
            ));
        }
        let pool = found.node.pool.as_deref().and_then(|pool| assessment.pool(pool));
        if found.at_work().is_some() {
            lines.push(format!(
                "the machine-config operator works on {name} and will uncordon it at the end, whoever cordoned it"
            ));
        } else if pool.is_some_and(|pool| pool.target.is_some() && pool.target != found.node.current_config) {
            lines.push(format!("{name} still has its old configuration and is passed over while it is cordoned"));
        }
    }
    lines
}

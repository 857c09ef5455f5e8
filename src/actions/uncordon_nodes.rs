//! Uncordon nodes: pods may come at once, and the pool gets back the capacity that the cordon held.

use super::node::{self, Found, KINDS, PATCH, Told, find};
use super::words::{ask_about_cordon, whose_cordon};
use super::{
    ActionId, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes, Target, capacity,
    gate, what_if,
};
use crate::upgrade::assessment::Assessment;

/// Workloads come, and a pool that had no capacity may go on draining and rebooting.
pub(super) const DANGER: Danger = Danger::M;

/// Uncordon nodes.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::UncordonNodes,
    name: "uncordon",
    word: "uncordon",
    summary: "uncordon the node or the marked nodes",
    gerund: "uncordoning nodes",
    dangers: &[DANGER],
    takes: Takes::Nodes,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::CordonNodes),
    offered,
    plan,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.nodes();
    let now = (DANGER, available(assessment, session, names));
    node::offered((&ENTRY, "Uncordon"), assessment, target, |node| node.cordon.is_some(), now)
}

/// Can the nodes be uncordoned now?
pub(super) fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let found = find(assessment, names)?;
    let chosen = to_uncordon(&found);
    if chosen.is_empty() {
        return Err(match found.as_slice() {
            [one] => Refusal(format!("node {} is not cordoned", one.node.name)),
            several => Refusal(format!("none of the {} nodes is cordoned", several.len())),
        });
    }
    for found in chosen {
        if let Some(work) = busy(found) {
            // Up to 4.17 the drain controller did not notice; later ones cordon again and start their clock anew
            // (machine-config-operator, pkg/controller/drain/drain_controller.go).
            return Err(Refusal(format!(
                "the machine-config operator {work}: it uncordons {} itself at the end; uncordoned now, the node would take \
                 new pods and (up to 4.17) reboot with them",
                found.node.name
            )));
        }
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan. Nodes that are not cordoned are left as they are, and named.
fn plan(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = ask.target.nodes();
    available(assessment, session, names)?;
    let found = find(assessment, names)?;
    let chosen = to_uncordon(&found);
    let told = Told {
        radius: node::radius(assessment, material, &chosen, false),
        danger: DANGER,
        preconditions: preconditions(assessment, &found),
        consequences: consequences(assessment, &chosen),
    };
    node::plan(session, &ENTRY, ask, &chosen, false, told)
}

/// Those that are cordoned.
fn to_uncordon<'a, 'b>(found: &'b [Found<'a>]) -> Vec<&'b Found<'a>> {
    found.iter().filter(|found| found.node.cordon.is_some()).collect()
}

/// What the machine-config operator does with the node, if it does.
fn busy(found: &Found<'_>) -> Option<String> {
    let own = found.node.cordon.as_ref().is_some_and(|cordon| cordon.by_mco);
    found.at_work().or_else(|| own.then(|| "cordoned it for its own drain".to_owned()))
}

fn preconditions(assessment: &Assessment, found: &[Found<'_>]) -> Vec<Precondition> {
    let mut lines = Vec::new();
    for Found { node, .. } in found {
        let name = &node.name;
        let Some(cordon) = &node.cordon else {
            lines.push(Precondition {
                words: format!("node {name} is not cordoned and is left as it is"),
                evidence: format!("node/{name} spec.unschedulable is not set"),
            });
            continue;
        };
        lines.push(Precondition {
            words: format!("node {name} is cordoned"),
            evidence: format!("node/{name} spec.unschedulable = true, {}", whose_cordon(cordon)),
        });
        lines.push(Precondition {
            words: format!("the machine-config operator does not work on node {name}"),
            evidence: format!("node/{name} phase {}, no drain is asked for", node.phase.word()),
        });
    }
    lines.push(gate::permission_found(assessment, &PATCH));
    lines
}

fn consequences(assessment: &Assessment, chosen: &[&Found<'_>]) -> Vec<String> {
    let names: Vec<&str> = chosen.iter().map(|found| found.node.name.as_str()).collect();
    let after = what_if::cordoned(assessment, &names, false);
    let mut lines = Vec::new();
    for found in chosen {
        let name = &found.node.name;
        if let Some(cordon) = &found.node.cordon {
            lines.push(ask_about_cordon(name, cordon));
        }
        if !found.node.ready {
            lines.push(format!("{name} is not Ready: it stays unavailable and takes no pods until it is"));
        }
        let pool = found.node.pool.as_deref().and_then(|pool| assessment.pool(pool));
        if let Some(pool) = pool.filter(|pool| pool.target.is_some() && pool.target != found.node.current_config) {
            let when = if pool.paused { "once the pool is unpaused" } else { "at its turn" };
            lines.push(format!(
                "{name} still has its old configuration: as a candidate it is drained and rebooted {when}"
            ));
        }
    }
    // Only a Ready node becomes available by it.
    for (pool, freed) in node::pools(assessment, chosen, |node| node.ready && node.unavailable) {
        lines.push(capacity::before_and_after(pool, pool.capacity.unavailable.saturating_sub(freed)));
        if pool.paused {
            lines.push(format!("pool {} is paused: no node is taken", pool.name));
        }
        lines.extend(capacity::next(pool, &after).filter(|_| !pool.paused));
    }
    lines
}

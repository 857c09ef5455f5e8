//! What an action on several nodes reaches: how much of which pool and role, control plane nodes, what is left for pods
//! to be placed, pods whose budgets let none go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::departing::{self, held};
use super::node::Found;
use super::words::{count, list};
use super::{Material, Read, Refusal};
use crate::api::Pod;
use crate::upgrade::assessment::{Assessment, Cause, Node, Pool};
use crate::upgrade::blockers::Evictions;
use crate::upgrade::facts::Facts;
use crate::upgrade::requests::{Amount, Load, load};

/// The pods of so many chosen nodes are looked at.
const NODES_READ: usize = 16;

/// The pods of pools up to this size are read, to tell what is left of them.
const POOL_READ: usize = 24;

/// What was read for it.
pub(super) struct Around {
    facts: Facts,
    unread: Vec<String>,
    budgets: Result<(), String>,
}

/// Reads the pods of the nodes and of the rest of their pools, and the budgets; none while something is to be read.
pub(super) fn read(
    assessment: &Assessment,
    material: &Material,
    chosen: &[&Found<'_>],
    reads: &mut Vec<Read>,
) -> Option<Around> {
    let mut wanted: BTreeSet<&str> = chosen.iter().take(NODES_READ).map(|found| found.node.name.as_str()).collect();
    for pool in pools(assessment, chosen).into_iter().filter(|pool| pool.total <= POOL_READ) {
        wanted.extend(assessment.nodes_of(&pool.name).map(|node| node.name.as_str()));
    }
    let (mut pods, mut unread): (BTreeMap<String, Vec<Arc<Pod>>>, Vec<String>) = Default::default();
    for node in wanted {
        match departing::pods(material, node) {
            None => reads.push(departing::pods_on(node)),
            Some(Err(Refusal(why))) => unread.push(why),
            Some(Ok(found)) => {
                pods.insert(node.to_owned(), found);
            }
        }
    }
    let budgets = departing::budgets(material, None).map_err(|read| reads.push(read)).ok();
    let budgets = budgets.filter(|_| reads.is_empty())?;
    let facts = departing::facts(assessment, &pods, &budgets);
    Some(Around { facts, unread, budgets: budgets.list.map(drop) })
}

/// The pools of the nodes, in the order of the screen.
fn pools<'a>(assessment: &'a Assessment, chosen: &[&Found<'_>]) -> Vec<&'a Pool> {
    let of = |pool: &&Pool| chosen.iter().any(|found| found.node.pool.as_deref() == Some(pool.name.as_str()));
    assessment.pools.iter().filter(of).collect()
}

/// The lines; `cordoned`: the nodes will be, as opposed to: they will not be any more.
pub(super) fn lines(assessment: &Assessment, chosen: &[&Found<'_>], cordoned: bool, read: &Around) -> Vec<String> {
    let mut lines = vec![shares(assessment, chosen)];
    let control_plane: Vec<&str> =
        chosen.iter().filter(|found| found.control_plane()).map(|found| found.node.name.as_str()).collect();
    lines.push(if control_plane.is_empty() {
        "no control plane node is among them".to_owned()
    } else {
        format!("control plane nodes among them: {}", list(control_plane))
    });
    lines.extend(pools(assessment, chosen).into_iter().map(|pool| left(assessment, pool, chosen, cordoned, read)));
    if cordoned {
        lines.extend(budgets(assessment, chosen, read));
    }
    if let [first, rest @ ..] = read.unread.as_slice() {
        let more =
            if rest.is_empty() { String::new() } else { format!(" (and of {} more)", count(rest.len(), "node")) };
        lines.push(format!("{first}{more}"));
    }
    lines
}

/// `3 of 9 nodes: 2 of 6 in pool worker (33 %), 1 of 3 in pool infra (33 %); by role: worker 3 of 9 (33 %), infra ...`.
fn shares(assessment: &Assessment, chosen: &[&Found<'_>]) -> String {
    let is_chosen = |node: &Node| chosen.iter().any(|found| found.node.name == node.name);
    let part = |all: &mut dyn Iterator<Item = &Node>| {
        let (mut some, mut total) = (0, 0);
        for node in all {
            total += 1;
            some += usize::from(is_chosen(node));
        }
        format!("{some} of {total} ({} %)", some * 100 / total.max(1))
    };
    let by_pool = pools(assessment, chosen)
        .into_iter()
        .map(|pool| format!("{} in pool {}", part(&mut assessment.nodes_of(&pool.name)), pool.name));
    let mut by_pool: Vec<String> = by_pool.collect();
    let stray = chosen.iter().filter(|found| found.node.pool.is_none()).count();
    if stray > 0 {
        by_pool.push(format!("{stray} in no pool"));
    }
    let roles: BTreeSet<&str> = chosen.iter().flat_map(|found| found.node.roles.iter().map(String::as_str)).collect();
    let of = |role: &str| {
        let mut nodes = assessment.nodes.iter().filter(|node| node.roles.iter().any(|own| own == role));
        format!("{role} {}", part(&mut nodes))
    };
    let by_role: Vec<String> = roles.into_iter().map(of).collect();
    let by_role = if by_role.is_empty() { String::new() } else { format!("; by role: {}", by_role.join(", ")) };
    format!("{} of {} nodes: {}{by_role}", chosen.len(), assessment.nodes.len(), by_pool.join(", "))
}

/// What the nodes of a pool have left for pods, before and afterwards.
fn left(assessment: &Assessment, pool: &Pool, chosen: &[&Found<'_>], cordoned: bool, read: &Around) -> String {
    let name = &pool.name;
    let loads: Option<Vec<Load>> = assessment.nodes_of(name).map(|node| load(&read.facts, node)).collect();
    let Some(loads) = loads else {
        return format!("pool {name}: what is left for pods is not known: not all of its nodes and pods could be read");
    };
    let is_chosen = |load: &Load| chosen.iter().any(|found| found.node.name == load.node.name);
    let then = |load: &Load| match (is_chosen(load), cordoned) {
        (true, true) => Amount::default(),
        (true, false) if load.node.ready => load.room,
        _ => load.free,
    };
    let sum = |each: &dyn Fn(&Load) -> Amount| loads.iter().map(each).fold(Amount::default(), Amount::and);
    let (before, after) = (sum(&|load| load.free), sum(&then));
    let mut line = format!(
        "pool {name}: {} free for new pods (allocatable without requests), afterwards {}",
        before.words(),
        after.words()
    );
    if cordoned {
        let leaving = loads.iter().filter(|load| is_chosen(load)).map(|load| load.leaving);
        let leaving = leaving.fold(Amount::default(), Amount::and);
        if leaving.share(after) > 1.0 {
            line += &format!("; what runs on the chosen nodes ({}) would not find a place there", leaving.words());
        }
    }
    line
}

/// Pods that a drain of the nodes would wait for.
fn budgets(assessment: &Assessment, chosen: &[&Found<'_>], read: &Around) -> Vec<String> {
    if let Err(why) = &read.budgets {
        return vec![format!(
            "which pods no budget lets go is not known: PodDisruptionBudgets could not be read: {why}"
        )];
    }
    let evictions = Evictions::new(&read.facts, assessment.now);
    let mut lines = Vec::new();
    for found in chosen.iter().take(NODES_READ) {
        let node = &found.node.name;
        let Some(forecast) = evictions.forecast(node) else {
            lines.push(format!("which pods on {node} no budget lets go is not known: they could not be read"));
            continue;
        };
        for blocker in forecast.blockers {
            let budget = matches!(
                blocker.cause,
                Cause::Budget(_) | Cause::BudgetNotObserved { .. } | Cause::SeveralBudgets { .. }
            );
            if budget {
                let why = held(&blocker.cause, assessment);
                lines.push(format!("a drain of {node} would wait for {}/{}: {why}", blocker.namespace, blocker.pod));
            }
        }
    }
    if lines.is_empty() {
        lines.push("no pod on them has a budget that lets none go".to_owned());
    }
    if chosen.len() > NODES_READ {
        lines.push(format!("budgets are told of the first {NODES_READ} nodes only"));
    }
    lines
}

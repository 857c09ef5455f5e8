//! Move nodes to another pool, by role label: into a custom pool, or back to the pool worker.

use std::collections::BTreeMap;

use super::pool::{GROUP, find};
use super::pool_role::{self, Labels, PATCH_NODES, asked_for, is_control_plane, label};
use super::rendered_config::{self, Difference};
use super::words::{config, count, list, order, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, PoolEffect, Precondition, Read,
    Refusal, Session, Takes, Target, Undo, gate, what_if,
};
use crate::api;
use crate::upgrade::assessment::{Assessment, Node, Pool};
use crate::upgrade::facts::Kind;
use crate::upgrade::node_disruption::Impact;

const POOL: &str = "pool";
const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// How many nodes are named in the way back.
const NAMED: usize = 4;

/// How many pairs of configurations are compared: each costs two large objects, and nodes mostly have the same.
const PAIRS: usize = 2;

/// Move nodes.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::MoveNodes,
    name: "move-nodes",
    word: "move",
    summary: "move the node or the marked nodes to another pool, by role label",
    gerund: "moving nodes to another pool",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Nodes,
    args: &[Arg {
        required: true,
        choices: Some(choices),
        ..Arg::option(POOL, ArgKind::Text, "the pool: a custom one, or worker")
    }],
    permissions: &[PATCH_NODES],
    needs: &[],
    inverse: Some(ActionId::MoveNodes),
    offered,
    plan: make,
};

/// The pools that nodes can be moved to.
fn choices(assessment: &Assessment) -> Vec<String> {
    assessment.pools.iter().filter(|pool| !pool.control_plane).map(|pool| pool.name.clone()).collect()
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.nodes();
    if names.is_empty() || choices(assessment).len() < 2 {
        return None;
    }
    Some(Offered {
        action: ActionId::MoveNodes,
        title: format!("Move {} to another pool", target.words()),
        danger: Danger::M,
        refusal: available(assessment, session, names).err(),
    })
}

/// Can they be moved now, wherever to?
fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    for name in names {
        let (node, seen) = found(assessment, name)?;
        if is_control_plane(seen) {
            return Err(Refusal(format!(
                "{name} is a control plane node: custom pools for control plane nodes are not supported"
            )));
        }
        let os = seen.label(api::node_key::OS).unwrap_or(&seen.status.node_info.operating_system);
        if os == "windows" {
            return Err(Refusal(format!("{name} runs Windows: the machine-config operator leaves it alone")));
        }
        if node.phase.moving() {
            return Err(Refusal(format!(
                "the machine-config operator is at work on {name} ({}): wait until it is done",
                node.phase.word().to_lowercase()
            )));
        }
    }
    gate::permitted(assessment, &PATCH_NODES)
}

fn found<'a>(assessment: &'a Assessment, name: &str) -> Result<(&'a Node, &'a api::Node), Refusal> {
    let gone = || Refusal(format!("there is no node {name}"));
    let node = assessment.node(name).ok_or_else(gone)?;
    let seen = assessment.facts.nodes.iter().find(|seen| seen.name() == name).ok_or_else(gone)?;
    Ok((node, seen))
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = ask.target.nodes();
    available(assessment, session, names)?;
    let to = ask.args.get(POOL).unwrap_or_default();
    let (pool, object) = find(assessment, to)?;
    if pool.control_plane {
        return Err(Refusal(format!("no node is moved to pool {to}: a control plane is not made by a label")));
    }
    let (mut moves, mut stay) = (Vec::new(), Vec::new());
    for name in names {
        let (node, seen) = found(assessment, name)?;
        if node.pool.as_deref() == Some(to) {
            stay.push(node);
        } else {
            moves.push(Move { node, seen, labels: labels(assessment, seen, object)? });
        }
    }
    if moves.is_empty() {
        return Err(Refusal(format!("{} in pool {to} already", are(&stay))));
    }
    let changes: BTreeMap<&str, Labels> = moves.iter().map(|one| (one.seen.name(), one.labels.clone())).collect();
    let after = what_if::labelled(assessment, &changes);
    arrives(&moves, &after, to)?;
    let mut plan = Plan::draft(&ENTRY, ask, title(&moves, to));
    let told = told(assessment, &moves, pool, &after, material, &mut plan.reads);
    plan.danger = told.danger;
    plan.consequences = told.lines;
    if let Some(back) = back(&moves, &after) {
        plan.consequences.push(format!("to undo it: {}", lines(&back)));
        plan.back = back;
    } else {
        plan.inverse = None;
        plan.undo = moves.iter().map(|one| relabel(session, one)).collect();
        plan.consequences.extend(by_hand(&plan.undo));
    }
    plan.preconditions = preconditions(assessment, &moves, &stay, pool);
    for one in &moves {
        plan.writes.push(pool_role::write(session, one.seen, &one.labels)?);
    }
    let nodes = moves.iter().map(|one| one.node.name.clone()).collect();
    plan.effect = Effect::Pool(PoolEffect::Manages { pool: to.to_owned(), nodes });
    Ok(plan)
}

/// One node that moves.
struct Move<'a> {
    node: &'a Node,
    seen: &'a api::Node,
    labels: Labels,
}

fn are(nodes: &[&Node]) -> String {
    match nodes {
        [one] => format!("node {} is", one.name),
        several => format!("all {} nodes are", several.len()),
    }
}

fn title(moves: &[Move<'_>], to: &str) -> String {
    match moves {
        [one] => format!("Move node {} to pool {to}", one.node.name),
        several => format!("Move {} nodes to pool {to}", several.len()),
    }
}

/// The labels that take a node out of the custom pools that select it and into `to`. The worker label stays: a custom
/// pool inherits from worker, and whatever else goes by that label goes on.
fn labels(assessment: &Assessment, node: &api::Node, to: &api::MachineConfigPool) -> Result<Labels, Refusal> {
    let by_hand = |pool: &api::MachineConfigPool| {
        Refusal(format!(
            "the node selector of pool {} asks for more than role labels: label node {} by hand",
            pool.name(),
            node.name()
        ))
    };
    let mut labels = Labels::new();
    for pool in assessment.facts.pools.iter() {
        let custom = !pool_role::BUILT_IN.contains(&pool.name()) && pool.name() != to.name();
        let selected = pool.spec.node_selector.as_ref().is_some_and(|it| !it.is_empty() && it.matches(node.labels()));
        if custom && selected {
            let keys = asked_for(pool).ok_or_else(|| by_hand(pool))?;
            labels.extend(keys.into_iter().filter(|key| *key != label("worker")).map(|key| (key, None)));
        }
    }
    let wanted = asked_for(to).ok_or_else(|| by_hand(to))?;
    labels.extend(wanted.into_iter().map(|key| (key, Some(String::new()))));
    // What it has already is not written again.
    labels.retain(|key, value| value.as_deref() != node.label(key));
    Ok(labels)
}

/// Would the pool manage them, by the operator's own rules?
fn arrives(moves: &[Move<'_>], after: &Assessment, to: &str) -> Result<(), Refusal> {
    for one in moves {
        let name = &one.node.name;
        let pool = after.node(name).and_then(|node| node.pool.as_deref());
        if pool != Some(to) {
            let instead =
                pool.map_or_else(|| "no pool would manage it".to_owned(), |pool| format!("it would be in pool {pool}"));
            return Err(Refusal(format!("with the labels of pool {to} node {name} would not be in it: {instead}")));
        }
        if one.labels.is_empty() {
            return Err(Refusal(format!("node {name} has the labels of pool {to} already")));
        }
    }
    Ok(())
}

fn preconditions(assessment: &Assessment, moves: &[Move<'_>], stay: &[&Node], pool: &Pool) -> Vec<Precondition> {
    let mut lines = Vec::new();
    for one in moves {
        let name = &one.node.name;
        let from =
            one.node.pool.as_deref().map_or("no pool manages it".to_owned(), |pool| format!("it is in pool {pool}"));
        lines.push(Precondition {
            words: format!("node {name} is no control plane node and is not being worked on; {from}"),
            evidence: format!(
                "node/{name} {GROUP}/state = {}",
                one.seen.annotation(api::node_key::STATE).unwrap_or("?")
            ),
        });
    }
    lines.extend(stay.iter().map(|node| Precondition {
        words: format!("node {} is in pool {} already and is left as it is", node.name, pool.name),
        evidence: format!("node/{} has its role label", node.name),
    }));
    lines.push(Precondition {
        words: format!("pool {} is no pool of the control plane", pool.name),
        evidence: format!("mcp/{} spec.paused = {}", pool.name, pool.paused),
    });
    lines.push(gate::permission_found(assessment, &PATCH_NODES));
    lines
}

/// What follows, and how dangerous that is.
struct Told {
    danger: Danger,
    lines: Vec<String>,
}

fn told(
    assessment: &Assessment,
    moves: &[Move<'_>],
    pool: &Pool,
    after: &Assessment,
    material: &Material,
    reads: &mut Vec<Read>,
) -> Told {
    let to = &pool.name;
    let mut lines = labels_told(moves);
    let mut told = Told { danger: Danger::L, lines: Vec::new() };
    let differ = differing(moves, pool);
    if pool.target.is_none() {
        told.danger = if pool.paused { Danger::L } else { Danger::M };
        lines.push(format!(
            "pool {to} has no configuration yet: as soon as it is rendered{} the nodes go to it, and drain and reboot if it \
             differs from what they have",
            if pool.paused { " and the pool is unpaused" } else { "" }
        ));
    } else if differ.is_empty() {
        lines.push(format!("they have the configuration of pool {to} already: nothing reboots"));
    } else {
        let impact = compared(assessment, &differ, pool, material, reads, &mut lines).filter(|_| pool.layer.is_none());
        if pool.paused {
            let then = if impact.is_some_and(|impact| impact < Impact::Reboot) { "take it over" } else { "reboot" };
            lines.push(format!("pool {to} is paused: they keep what they have, and {then} when it is unpaused"));
        } else if impact.is_some_and(|impact| impact < Impact::Drain) {
            lines.push(format!("they take the configuration of pool {to} without a drain or a reboot"));
        } else {
            told.danger = Danger::M;
            lines.extend(at_once(moves, pool, after, impact));
        }
    }
    if let Some(layer) = &pool.layer {
        lines.push(format!("pool {to} runs an OS image of its own, whose build {}", layer.build.words()));
    }
    lines.extend(emptied(assessment, moves, after));
    told.lines = lines;
    told
}

/// Which labels change; nodes with the same changes together.
fn labels_told(moves: &[Move<'_>]) -> Vec<String> {
    let mut groups: BTreeMap<&Labels, Vec<&str>> = BTreeMap::new();
    for one in moves {
        groups.entry(&one.labels).or_default().push(&one.node.name);
    }
    let told = groups.into_iter().map(|(labels, nodes)| {
        let verbs = if nodes.len() == 1 { ("gets", "loses") } else { ("get", "lose") };
        let part = |(key, value): (&String, &Option<String>)| {
            format!("{} {key}", if value.is_some() { verbs.0 } else { verbs.1 })
        };
        let parts: Vec<String> = labels.iter().map(part).collect();
        let worker = if labels.contains_key(&label("worker")) { "" } else { "; the worker label stays" };
        format!("{} {}{worker}", list(nodes), parts.join(" and "))
    });
    told.collect()
}

/// The configurations of the moving nodes that are not the pool's, with the nodes.
fn differing<'a>(moves: &[Move<'a>], pool: &Pool) -> BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<&'a str>> {
    let mut differ: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for one in moves.iter().filter(|one| one.node.current_config != pool.target) {
        let has = (one.node.current_config.as_deref(), one.node.version.as_deref());
        differ.entry(has).or_default().push(&one.node.name);
    }
    differ
}

/// Tells what differs; what becomes of the nodes at worst, none when that is not known of all of them.
fn compared(
    assessment: &Assessment,
    differ: &BTreeMap<(Option<&str>, Option<&str>), Vec<&str>>,
    pool: &Pool,
    material: &Material,
    reads: &mut Vec<Read>,
    lines: &mut Vec<String>,
) -> Option<Impact> {
    let mut worst = Some(Impact::None);
    for (at, ((from, version), nodes)) in differ.iter().enumerate() {
        let target = pool.target.as_deref();
        lines.push(format!(
            "{}: {} -> {}",
            list(nodes.iter().copied()),
            config(*from, *version),
            config(target, pool.target_version.as_deref())
        ));
        let difference = match (from, target) {
            (Some(from), Some(target)) if at < PAIRS => {
                rendered_config::difference(assessment, pool, (from, target), material, reads)
            }
            _ => Some(Difference::Unknown("it was not compared".to_owned())),
        };
        if let Some(difference) = difference {
            worst = worst.zip(difference.impact()).map(|(worst, impact)| worst.max(impact));
            lines.push(difference.words());
        }
    }
    worst
}

/// The pool is unpaused and what it asks for differs: reboots begin.
fn at_once(moves: &[Move<'_>], pool: &Pool, after: &Assessment, impact: Option<Impact>) -> Vec<String> {
    let (one, several) = match impact {
        Some(Impact::Drain) => ("drains, without a reboot,", "drain, without a reboot,"),
        _ => ("drains and reboots", "drain and reboot"),
    };
    let moving: Vec<&str> = moves.iter().map(|one| one.node.name.as_str()).collect();
    let mut lines = Vec::new();
    let Some(then) = after.pool(&pool.name) else { return lines };
    let line: Vec<String> = then.capacity.next.iter().filter(|name| moving.contains(&name.as_str())).cloned().collect();
    let first: Vec<&String> = then.capacity.next.iter().take(then.capacity.free).collect();
    let now: Vec<&str> = moving.iter().copied().filter(|name| first.iter().any(|other| other == name)).collect();
    lines.push(if now.is_empty() {
        format!(
            "pool {} is not paused: they {several} as soon as it has capacity ({} of at most {} unavailable now)",
            pool.name, then.capacity.unavailable, then.capacity.max_unavailable
        )
    } else {
        let verbs = if now.len() == 1 { one } else { several };
        format!("pool {} is not paused: {} {verbs} at once", pool.name, list(now))
    });
    if line.len() > 1 {
        lines.push(format!("in this order: {}", order(&line)));
    }
    lines.push("to hold them back, pause the pool first".to_owned());
    lines
}

/// Pools that lose their last node.
fn emptied(assessment: &Assessment, moves: &[Move<'_>], after: &Assessment) -> Vec<String> {
    let mut from: Vec<&str> = moves.iter().filter_map(|one| one.node.pool.as_deref()).collect();
    from.sort_unstable();
    from.dedup();
    let empty = from
        .into_iter()
        .filter(|name| assessment.pool(name).is_some() && after.pool(name).is_some_and(|pool| pool.total == 0));
    empty.map(|name| format!("pool {name} has no node left afterwards")).collect()
}

/// The wishes that move them back, by the pool that they come from. None where that does not restore the labels of all: a node
/// that was in two custom pools, or in none, is taken there by no move.
fn back(moves: &[Move<'_>], after: &Assessment) -> Option<Vec<Ask>> {
    let mut back: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in moves {
        let from = one.node.pool.as_deref()?;
        let pool = after.facts.pools.iter().find(|pool| pool.name() == from)?;
        let moved = after.facts.nodes.iter().find(|node| node.name() == one.seen.name())?;
        let mut restored = moved.labels().clone();
        for (key, value) in labels(after, moved, pool).ok()? {
            match value {
                Some(value) => restored.insert(key, value),
                None => restored.remove(&key),
            };
        }
        if restored != *one.seen.labels() {
            return None;
        }
        back.entry(from).or_default().push(one.node.name.clone());
    }
    let wish = |(pool, nodes)| Ask::new(ActionId::MoveNodes, Target::Nodes(nodes)).with(POOL, pool);
    Some(back.into_iter().map(wish).collect())
}

/// The same as lines; many names are counted.
fn lines(back: &[Ask]) -> String {
    let line = |wish: &Ask| {
        let nodes = wish.target.nodes();
        let names = if nodes.len() > NAMED { count(nodes.len(), "node") } else { nodes.join(" ") };
        format!("move-nodes {names} --pool {}", wish.args.get(POOL).unwrap_or_default())
    };
    back.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// The line that gives a node the labels that it had.
fn relabel(session: &Session, one: &Move<'_>) -> Undo {
    let name = one.seen.name();
    let former = one.labels.keys().map(|key| match one.seen.label(key) {
        Some(value) => shell(&format!("{key}={value}")),
        None => shell(&format!("{key}-")),
    });
    let former: Vec<String> = former.collect();
    Undo::line(session, format!("node/{name}"), &format!("label node {} {}", shell(name), former.join(" ")))
}

/// How it is undone by hand, a line each; those of many nodes stand in the audit log only.
fn by_hand(undo: &[Undo]) -> Vec<String> {
    if undo.len() > NAMED {
        return vec![
            "to undo it, each node gets the labels that it had: they are written into the audit log with each attempt \
             (field undo)"
                .to_owned(),
        ];
    }
    undo.iter().map(Undo::told).collect()
}

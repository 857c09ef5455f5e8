//! Can the others take what runs on the nodes that are drained at once?

use std::collections::BTreeMap;

use super::{Answer, Ask, Row, evidence};
use crate::upgrade::assessment::{Pool, Remedy, Resource, Topology};
use crate::upgrade::facts::Kind;
use crate::upgrade::requests::{Amount, Load, load};
use crate::upgrade::words;

/// Above this share of what is free, little is left for what the scheduler cannot divide.
const TIGHT: f64 = 0.9;

/// The largest wave of a pool against what is free on the rest of it. The scheduler divides by pods, affinities and
/// taints, which is not judged here: the sums are a lower bound of what is needed.
fn judge(pool: &Pool, mut loads: Vec<Load>) -> (f64, String) {
    loads.sort_by(|a, b| {
        (b.leaving.memory, b.leaving.cpu, &a.node.name).cmp(&(a.leaving.memory, a.leaving.cpu, &b.node.name))
    });
    let wave = pool.capacity.max_unavailable.min(loads.len());
    let (gone, stay) = loads.split_at(wave);
    let need = gone.iter().fold(Amount::default(), |sum, load| sum.and(load.leaving));
    let free = stay.iter().fold(Amount::default(), |sum, load| sum.and(load.free));
    let share = need.share(free);
    let why = format!(
        "pool {}: {} at a time, at most {} to move, {} free on the other {}",
        pool.name,
        words::count(wave, "node"),
        need.words(),
        free.words(),
        stay.len()
    );
    (share, why)
}

pub(super) fn capacity(ask: &Ask) -> Option<Row> {
    let (id, title) = ("capacity", "The other nodes can take the pods of those that are drained");
    if ask.now.topology == Topology::SingleReplica && ask.now.nodes.len() <= 1 {
        return None; // nothing moves: all of it is down while the node reboots
    }
    if let Some(why) = ask.unread(&[Kind::Nodes, Kind::Pods]) {
        return Some(Row::unknown(id, title, why, Kind::Pods));
    }
    if let Some(why) = ask.without_workloads() {
        return Some(Row::unknown(id, title, why, Kind::Pods));
    }
    // Workloads of workers may go to any worker; those of the control plane stay there.
    let mut told: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    let mut unread = Vec::new();
    for pool in ask.now.pools.iter().filter(|pool| pool.total > 0) {
        let loads: Vec<_> = ask.now.nodes_of(&pool.name).map(|node| load(&ask.now.facts, node)).collect();
        match loads.into_iter().collect::<Option<Vec<_>>>() {
            Some(loads) => {
                told.insert(&pool.name, judge(pool, loads));
            }
            None => unread.push(pool.name.as_str()),
        }
    }
    if told.is_empty() {
        return Some(Row::unknown(id, title, "what nodes have and pods ask for is not known".to_owned(), Kind::Pods));
    }
    let worst = told.values().map(|(share, _)| *share).fold(0.0, f64::max);
    let mut why: Vec<String> =
        told.values().filter(|(share, _)| worst <= TIGHT || *share > TIGHT).map(|(_, why)| why.clone()).collect();
    let alone = |pool: &&str| ask.now.pool(pool).is_some_and(|pool| pool.total == 1);
    let answer = if worst > 1.0 {
        // A pool of one node has no rest: its pods may still find a place elsewhere.
        let only_alone = told.iter().filter(|(_, (share, _))| *share > 1.0).all(|(pool, _)| alone(pool));
        if only_alone { Answer::Warn } else { Answer::Block }
    } else if worst > TIGHT {
        Answer::Warn
    } else if unread.is_empty() {
        Answer::Pass
    } else {
        Answer::Unknown
    };
    if !unread.is_empty() {
        why.push(format!("not known: {}", unread.join(", ")));
    }
    let row = Row::new(id, title, answer, why.join("\n"))
        .about(told.iter().filter(|(_, (share, _))| *share > TIGHT).map(|(pool, _)| Resource::pool(pool)))
        .rests_on(told.iter().map(|(pool, (share, _))| {
            evidence(
                format!("mcp/{pool}"),
                "requests of a wave / free",
                format!("{:.0} %", (share * 100.0).min(9999.0)),
            )
        }));
    Some(if answer == Answer::Pass {
        row
    } else {
        row.remedied([Remedy::look(
            "Add a node, scale something down for the update, or lower maxUnavailable of the pool.",
        )
        .oc("oc adm top nodes")])
    })
}

//! Can the others take what runs on the nodes that are drained at once?

use std::collections::BTreeMap;

use super::{Answer, Ask, Row, evidence};
use crate::api::{self, Resources};
use crate::upgrade::assessment::{Node, Pool, Remedy, Resource, Topology};
use crate::upgrade::blockers::leaves;
use crate::upgrade::facts::Kind;
use crate::upgrade::words;

/// Above this share of what is free, little is left for what the scheduler cannot divide.
const TIGHT: f64 = 0.9;

/// Cores and bytes, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    cpu: i64,
    memory: i64,
}

impl Amount {
    fn of(resources: &Resources) -> Self {
        let amount = |quantity: Option<api::Quantity>| quantity.map_or(0, |quantity| quantity.0);
        Self { cpu: amount(resources.cpu), memory: amount(resources.memory) }
    }

    fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    /// The larger of both, each by itself.
    fn larger(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }

    fn without(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(other.cpu).max(0), memory: self.memory.saturating_sub(other.memory).max(0) }
    }

    /// The larger of both shares of `free`.
    fn share(self, free: Self) -> f64 {
        let share = |need: i64, free: i64| {
            if need <= 0 {
                0.0
            } else if free <= 0 {
                f64::INFINITY
            } else {
                need as f64 / free as f64
            }
        };
        share(self.cpu, free.cpu).max(share(self.memory, free.memory))
    }

    fn words(self) -> String {
        format!("{:.1} cores and {:.1} GiB", self.cpu as f64 / 1e3, self.memory as f64 / 1e3 / 1_073_741_824.0)
    }
}

/// A node: what its pods ask for in all, what of that leaves with a drain, what is free on it.
struct Load<'a> {
    node: &'a Node,
    leaving: Amount,
    free: Amount,
}

/// What the scheduler keeps free for a pod: its containers and those that start before them and stay (sidecars), or, while
/// it starts, the largest of what runs once before them on top of the sidecars that are up by then, whichever is more; and
/// what the runtime takes for itself (Kubernetes, `resourcehelper.PodRequests`).
fn requests(pod: &api::Pod) -> Amount {
    let of = |container: &api::PodContainer| Amount::of(&container.resources.requests);
    let running = pod.spec.containers.iter().fold(Amount::default(), |sum, container| sum.and(of(container)));
    let (mut sidecars, mut starting) = (Amount::default(), Amount::default());
    for container in &pod.spec.init_containers {
        if container.restart_policy == "Always" {
            sidecars = sidecars.and(of(container));
            starting = starting.larger(sidecars);
        } else {
            starting = starting.larger(sidecars.and(of(container)));
        }
    }
    running.and(sidecars).larger(starting).and(Amount::of(&pod.spec.overhead))
}

fn load<'a>(ask: &Ask, node: &'a Node) -> Option<Load<'a>> {
    let facts = &ask.now.facts;
    let at = facts.nodes.binary_search_by(|object| object.name().cmp(&node.name)).ok()?;
    let allocatable = &facts.nodes[at].status.allocatable;
    if allocatable.cpu.is_none() || allocatable.memory.is_none() {
        return None;
    }
    let pods = facts.around.pods_of(&node.name)?;
    let running = pods.iter().filter(|pod| !pod.is_finished());
    let (mut all, mut leaving) = (Amount::default(), Amount::default());
    for pod in running {
        let requests = requests(pod);
        all = all.and(requests);
        if leaves(pod) {
            leaving = leaving.and(requests);
        }
    }
    let fit = node.ready && node.cordon.is_none();
    let free = if fit { Amount::of(allocatable).without(all) } else { Amount::default() };
    Some(Load { node, leaving, free })
}

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
        let loads: Vec<_> = ask.now.nodes_of(&pool.name).map(|node| load(ask, node)).collect();
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

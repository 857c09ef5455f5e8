//! What pods ask of nodes, and what nodes have left for others: sums of requests, a lower bound of what the scheduler needs
//! (it divides by pods, affinities and taints, which is not judged here).

use super::assessment::Node;
use super::blockers::leaves;
use super::facts::Facts;
use crate::api::{self, Resources};

/// Cores and bytes, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub struct Amount {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Thousandths of a byte.
    pub memory: i64,
}

impl Amount {
    /// What is asked for, or can be given; what is not said is nothing.
    pub fn of(resources: &Resources) -> Self {
        let amount = |quantity: Option<api::Quantity>| quantity.map_or(0, |quantity| quantity.0);
        Self { cpu: amount(resources.cpu), memory: amount(resources.memory) }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    /// The larger of both, each by itself.
    fn larger(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }

    /// What is left; never less than nothing.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(other.cpu).max(0), memory: self.memory.saturating_sub(other.memory).max(0) }
    }

    /// The larger of both shares of `free`; infinite where nothing is free.
    pub fn share(self, free: Self) -> f64 {
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

    /// `3.5 cores and 12.0 GiB`.
    pub fn words(self) -> String {
        format!("{:.1} cores and {:.1} GiB", self.cpu as f64 / 1e3, self.memory as f64 / 1e3 / 1_073_741_824.0)
    }
}

/// A node: what its pods ask for in all, what of that leaves with a drain, what is free on it.
pub struct Load<'a> {
    /// The node.
    pub node: &'a Node,
    /// Of the pods that a drain makes go.
    pub leaving: Amount,
    /// What its pods leave of it.
    pub room: Amount,
    /// The same, as far as pods may come: nothing on a node that is cordoned or not ready.
    pub free: Amount,
}

/// What the scheduler keeps free for a pod: its containers and those that start before them and stay (sidecars), or, while
/// it starts, the largest of what runs once before them on top of the sidecars that are up by then, whichever is more; and
/// what the runtime takes for itself (Kubernetes, `resourcehelper.PodRequests`).
pub fn requests(pod: &api::Pod) -> Amount {
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

/// What a node is asked for and has left; none: its pods were not read, or it does not say what it has.
pub fn load<'a>(facts: &Facts, node: &'a Node) -> Option<Load<'a>> {
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
    let room = Amount::of(allocatable).without(all);
    let free = if node.ready && node.cordon.is_none() { room } else { Amount::default() };
    Some(Load { node, leaving, room, free })
}

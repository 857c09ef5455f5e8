//! The pods on a node, as far as consequences need them, and the sentences that complete a plan.

use std::fmt::Write as _;

use super::words::{count, list};
use super::{ActionId, Found, Material, Plan, Read};

/// A pod on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pod {
    /// `namespace/name`.
    pub name: String,
    /// Kind of the controlling owner: `ReplicaSet`, `DaemonSet`; none: nobody recreates it.
    pub owner: Option<String>,
    /// A static pod: it belongs to the node and never leaves it.
    pub mirror: bool,
    /// Succeeded or Failed: it does not run any more.
    pub completed: bool,
    /// Has an `emptyDir` volume, whose content is lost with the pod.
    pub empty_dir: bool,
}

impl Pod {
    /// Would a drain evict it? DaemonSet pods, static pods and completed pods are passed over
    /// (kubectl drain filters, as the drain controller sets them: `IgnoreAllDaemonSets`, `Force`).
    pub fn evicted_by_drain(&self) -> bool {
        !self.mirror && !self.completed && self.owner.as_deref() != Some("DaemonSet")
    }
}

/// The pods on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodList {
    /// The pods.
    pub pods: Vec<Pod>,
}

/// `plan` with the consequences that the pods tell, and no such reads left. A plan without them stays as it is; reads of
/// other things stay too: they were not answered when the plan was made.
#[must_use]
pub fn complete(plan: Plan, material: &Material) -> Plan {
    let mut plan = plan;
    let (pods, others) = std::mem::take(&mut plan.reads).into_iter().partition(|read| matches!(read, Read::PodsOn(_)));
    plan.reads = others;
    let pods: Vec<Read> = pods;
    for read in pods {
        let Read::PodsOn(node) = &read else { continue };
        let line = match material.answer(&read) {
            Some(Ok(Found::Pods(pods))) => words(plan.action, node, pods),
            Some(Ok(_)) => format!("pods on {node}: unknown"),
            Some(Err(why)) => format!("pods on {node}: unknown ({why})"),
            None => format!("pods on {node}: not read"),
        };
        plan.consequences.push(line);
    }
    plan
}

/// The line of one node.
fn words(action: ActionId, node: &str, list: &PodList) -> String {
    let running = list.pods.iter().filter(|pod| !pod.completed).count();
    match action {
        ActionId::UnpausePool => drained(node, list),
        ActionId::UncordonNodes => format!("{} on {node} now; new ones may come at once", count(running, "pod")),
        _ if running == 1 => format!("1 pod on {node} stays: a cordon evicts nothing"),
        _ => format!("{} on {node} stay: a cordon evicts nothing", count(running, "pod")),
    }
}

/// What the drain controller will do to the pods of a node that is next.
fn drained(node: &str, list: &PodList) -> String {
    let movable: Vec<_> = list.pods.iter().filter(|pod| pod.evicted_by_drain()).collect();
    let mut line = format!("{node} would be drained: {} evicted", count(movable.len(), "pod"));
    let bare = movable.iter().filter(|pod| pod.owner.is_none()).map(|pod| pod.name.as_str());
    let scratch = movable.iter().filter(|pod| pod.empty_dir).map(|pod| pod.name.as_str());
    let (bare, scratch) = (names(bare), names(scratch));
    if !bare.is_empty() {
        let _ = write!(line, "; nobody recreates {bare}");
    }
    if !scratch.is_empty() {
        let _ = write!(line, "; emptyDir data is lost of {scratch}");
    }
    line
}

/// Names in a stable order: the API lists pods as it likes, and the sentence must not change with it.
fn names<'a>(pods: impl Iterator<Item = &'a str>) -> String {
    let mut pods: Vec<_> = pods.collect();
    pods.sort_unstable();
    list(pods)
}

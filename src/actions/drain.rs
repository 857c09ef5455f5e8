//! What a drain is: which pods go and which stay, in which order of nodes; and how far it is. Data for plan, executor and
//! screen.
//!
//! Which pods leave is decided as `kubectl drain` decides it (kubectl, pkg/drain/filters.go), but for pods that have ended
//! and for the guards of the control plane: both stay. Nobody is in the way of an ended pod's node, and its log may be
//! wanted; a guard keeps the quorum, and its operator does not put it back on a cordoned node.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api::Pod;
use crate::upgrade::assessment::{Assessment, Blocker};
use crate::upgrade::blockers;

/// A drain of nodes, one after the other; all of them are cordoned before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drain {
    /// The nodes, in their order.
    pub nodes: Vec<DrainedNode>,
    /// Group and version of the Eviction that the server takes at `pods/eviction`: `policy/v1`, `policy/v1beta1`.
    pub eviction: String,
    /// Group and version in which it serves PodDisruptionBudgets.
    pub budgets: String,
    /// Pods with `emptyDir` volumes go too, and what is in those volumes is lost.
    pub empty_dir: bool,
    /// Bare pods go too, and nothing brings them back.
    pub force: bool,
    /// Seconds after which it gives up; none: it goes on until it is done or stopped.
    pub timeout: Option<u64>,
    /// The `oc` line that does the same.
    pub oc: String,
}

/// A node of a drain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrainedNode {
    /// Name.
    pub name: String,
    /// UID: another node of the name is not drained.
    pub uid: String,
    /// UIDs of the pods that were to go when the plan was made.
    pub pods: Vec<String>,
}

/// What a drain does with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is evicted.
    Goes,
    /// It stays: its DaemonSet would put it back at once.
    Daemon,
    /// It stays: it belongs to the node.
    Static,
    /// It stays: it has ended.
    Ended,
    /// It stays: it keeps the quorum of the control plane.
    Guard,
}

/// What a drain does with `pod`.
pub fn fate(pod: &Pod) -> Fate {
    match pod.owner() {
        _ if pod.is_mirror() => Fate::Static,
        _ if blockers::guards(pod) => Fate::Guard,
        Some(owner) if owner.kind == "DaemonSet" => Fate::Daemon,
        _ if pod.is_finished() => Fate::Ended,
        _ => Fate::Goes,
    }
}

/// Why a pod that would go is not evicted without being named by an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Objection {
    /// Nothing brings it back: `--force`.
    Bare,
    /// The content of its `emptyDir` volumes is lost: `--delete-emptydir-data`.
    EmptyDir,
}

impl Drain {
    /// Why `pod`, which would go, must not without another argument. A pod that ends already has nothing to lose.
    pub fn objection(&self, pod: &Pod) -> Option<Objection> {
        if crate::api::metadata::deleted(&pod.metadata).is_some() {
            return None;
        }
        match () {
            () if pod.owner().is_none() && !self.force => Some(Objection::Bare),
            () if pod.has_empty_dir() && !self.empty_dir => Some(Objection::EmptyDir),
            () => None,
        }
    }
}

/// Is the node cordoned, with no pod on it that a drain makes leave? False also when its pods are not known.
pub(super) fn empty(assessment: &Assessment, node: &str) -> bool {
    let cordoned = assessment.node(node).is_some_and(|node| node.cordon.is_some());
    let pods = assessment.facts.around.pods_of(node);
    cordoned && pods.is_some_and(|pods| pods.iter().all(|pod| fate(pod) != Fate::Goes))
}

/// How far a drain is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The nodes, in their order.
    pub nodes: Vec<NodeProgress>,
    /// The API server cannot be asked: since when, and why.
    pub silent: Option<(DateTime<Utc>, String)>,
    /// When it gives up.
    pub deadline: Option<DateTime<Utc>>,
    /// The person asked it to stop.
    pub stopping: bool,
}

/// How far a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProgress {
    /// Name.
    pub name: String,
    /// How far.
    pub state: NodeState,
    /// Pods that have gone.
    pub gone: usize,
    /// Pods that still have to go, those that hold it up first.
    pub pods: Vec<PodProgress>,
    /// Pods that stay: of DaemonSets, static ones, ended ones, guards.
    pub stays: [usize; 4],
}

impl NodeProgress {
    /// `2 of 5 gone`; or, before its pods were read (a node without any is drained at once), that they are being looked for.
    pub fn counted(&self) -> String {
        match self.gone + self.pods.len() {
            0 => "looking which pods are on it".to_owned(),
            all => format!("{} of {all} gone", self.gone),
        }
    }
}

/// How far a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Its turn has not come.
    Waiting,
    /// Its pods are going.
    Draining {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// No pod is left that has to go.
    Drained {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// It was given up: why.
    Failed(String),
    /// It was left when the person stopped the drain.
    Left,
}

/// A pod that has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodProgress {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The workload that it belongs to as `kind/name`; none: a bare pod.
    pub owner: Option<String>,
    /// How far.
    pub state: PodState,
    /// How often its eviction was sent.
    pub tries: u32,
    /// What keeps it, as far as the cluster tells, with what would free it.
    pub blocker: Option<Blocker>,
}

/// How far a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodState {
    /// Its eviction was not sent yet.
    Waiting,
    /// The server refuses its eviction for now.
    Refused {
        /// The server's words.
        words: String,
        /// Since when.
        since: DateTime<Utc>,
        /// It is sent again then at the latest; earlier when the budget allows it.
        next: DateTime<Utc>,
    },
    /// It is ending.
    Ending {
        /// When its grace period is over.
        until: DateTime<Utc>,
        /// What has to be removed from it first.
        finalizers: Vec<String>,
    },
    /// The server will not take its eviction: why.
    Failed(String),
}

impl Progress {
    /// In one line, for the line of the job and for `do`: no times, so that it changes only when something does.
    pub fn headline(&self) -> String {
        if let Some((_, why)) = &self.silent {
            return format!("waits for the API server: {why}");
        }
        let drained = self.nodes.iter().filter(|node| matches!(node.state, NodeState::Drained { .. })).count();
        let current = self.nodes.iter().find(|node| matches!(node.state, NodeState::Draining { .. }));
        let Some(node) = current else {
            return format!("{drained} of {} drained", super::words::count(self.nodes.len(), "node"));
        };
        let (mut refused, mut ending, mut failed) = (Vec::new(), 0, 0);
        for pod in &node.pods {
            match pod.state {
                PodState::Refused { .. } => refused.push(format!("{}/{}", pod.namespace, pod.name)),
                PodState::Ending { .. } => ending += 1,
                PodState::Failed(_) => failed += 1,
                PodState::Waiting => {}
            }
        }
        let mut words = format!("{}: {}", node.name, node.counted());
        if self.nodes.len() > 1 {
            words = format!("node {} of {}, {words}", drained + 1, self.nodes.len());
        }
        if ending > 0 {
            words.push_str(&format!(", {ending} ending"));
        }
        match refused.as_slice() {
            [] => {}
            [one] => words.push_str(&format!(", refused: {one}")),
            [one, rest @ ..] => words.push_str(&format!(", refused: {one} and {} more", rest.len())),
        }
        if failed > 0 {
            words.push_str(&format!(", {failed} failed"));
        }
        if self.stopping {
            words.push_str("; stopping");
        }
        words
    }

    /// The node that is being drained, or was last.
    pub fn current(&self) -> Option<&NodeProgress> {
        let draining = self.nodes.iter().find(|node| matches!(node.state, NodeState::Draining { .. }));
        draining.or_else(|| self.nodes.iter().rev().find(|node| node.state != NodeState::Waiting))
    }
}

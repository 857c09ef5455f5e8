//! Pools in the words and counts of `oc adm upgrade status` (oc: pkg/cli/admin/upgrade/status/workerpool.go,
//! `assessMachineConfigPool`), and the arithmetic of which nodes come next.

use std::collections::BTreeMap;

use serde::Serialize;

use super::node::{Node, NodePhase};
use crate::report::parts::{Moment, said};
use crate::upgrade::assessment::{self, Assessment};

/// `ASSESSMENT` of `oc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum PoolAssessment {
    /// All nodes are updated.
    Completed,
    /// No node has begun.
    Pending,
    /// A node fails.
    Degraded,
    /// Paused, with nodes to come.
    Excluded,
    /// Nodes are being updated, or some are and others are not.
    Progressing,
    /// It has no nodes.
    Empty,
}

impl PoolAssessment {
    /// As `oc` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::Pending => "Pending",
            Self::Degraded => "Degraded",
            Self::Excluded => "Excluded",
            Self::Progressing => "Progressing",
            Self::Empty => "Empty",
        }
    }
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Name.
    pub name: String,
    /// In the word of `oc`.
    pub assessment: PoolAssessment,
    /// Nodes, as `oc` counts them.
    pub total: usize,
    /// Those of them that the machine-config operator updates with this pool.
    pub managed: usize,
    /// Those of them that it leaves alone: Windows nodes, nodes that several custom pools select.
    pub unmanaged: usize,
    /// Updated.
    pub updated: usize,
    /// Available.
    pub available: usize,
    /// Being updated, failing ones left out.
    pub progressing: usize,
    /// Of these, targeted or being drained.
    pub draining: usize,
    /// Not updated because the pool is paused.
    pub excluded: usize,
    /// Failing.
    pub degraded: usize,
    /// `spec.paused`.
    pub paused: bool,
    /// The field manager that paused it.
    pub paused_by: Option<String>,
    /// When it was paused.
    pub paused_since: Option<Moment>,
    /// Its nodes hold the control plane, or a vote in etcd.
    pub control_plane: bool,
    /// The rendered config that its nodes go to.
    pub target: Option<String>,
    /// The release of that config.
    pub target_version: Option<String>,
    /// What its conditions say is wrong.
    pub message: Option<String>,
    /// Start of the rollout that goes on.
    pub rolling_since: Option<Moment>,
    /// Which nodes come next, and why none.
    pub capacity: Capacity,
}

/// The arithmetic of the machine-config controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// As written in the pool: `1`, `10%`.
    pub max_unavailable_spec: String,
    /// As a number of nodes.
    pub max_unavailable: usize,
    /// Nodes that the controller counts as unavailable.
    pub unavailable: usize,
    /// Nodes that fail on the way to the target: they count once more.
    pub failing: usize,
    /// How many nodes the controller would take now.
    pub free: usize,
    /// The next nodes in its order.
    pub next: Vec<String>,
    /// Why none is next although some wait.
    pub why_none: Option<String>,
    /// The nodes that the next one follows, when the controller's own work alone uses the capacity up. For the page: the
    /// JSON has it in the words of `whyNone`.
    #[serde(skip)]
    pub busy: Vec<String>,
}

/// All pools, counted over `nodes`.
pub fn pools(assessment: &Assessment, nodes: &[Node]) -> Vec<Pool> {
    let mut members: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for node in nodes {
        if let Some(pool) = &node.pool {
            members.entry(pool).or_default().push(node);
        }
    }
    let of = |pool: &assessment::Pool| members.get(pool.name.as_str()).map_or(&[][..], Vec::as_slice);
    assessment.pools.iter().map(|pool| told(pool, of(pool))).collect()
}

fn told(pool: &assessment::Pool, members: &[&Node]) -> Pool {
    let count = |wanted: &dyn Fn(&Node) -> bool| members.iter().filter(|node| wanted(node)).count();
    let in_phase = |phase: NodePhase| count(&|node| node.phase == phase);
    let moving = |node: &Node| {
        matches!(node.phase, NodePhase::Draining | NodePhase::Updating | NodePhase::Rebooting) && !node.degraded
    };
    let (updated, pending) = (in_phase(NodePhase::Updated), in_phase(NodePhase::Pending));
    let (excluded, degraded) = (in_phase(NodePhase::Paused), count(&|node| node.degraded));
    let (total, managed) = (members.len(), count(&|node| node.managed));
    let assessment = match () {
        () if total == 0 => PoolAssessment::Empty,
        () if updated == total => PoolAssessment::Completed,
        () if pending == total => PoolAssessment::Pending,
        () if degraded > 0 => PoolAssessment::Degraded,
        () if excluded > 0 => PoolAssessment::Excluded,
        () => PoolAssessment::Progressing,
    };
    Pool {
        name: pool.name.clone(),
        assessment,
        total,
        managed,
        unmanaged: total - managed,
        updated,
        available: count(&|node| !node.unavailable),
        progressing: count(&moving),
        draining: in_phase(NodePhase::Draining),
        excluded,
        degraded,
        paused: pool.paused,
        paused_by: pool.paused_by.as_ref().map(|(manager, _)| manager.clone()),
        paused_since: pool.paused_by.as_ref().and_then(|(_, at)| *at).map(Moment),
        control_plane: pool.control_plane,
        target: pool.target.clone(),
        target_version: pool.target_version.clone(),
        message: pool.degraded_message.as_deref().and_then(said),
        rolling_since: pool.rolling_since.map(Moment),
        capacity: Capacity {
            max_unavailable_spec: pool.capacity.max_unavailable_spec.clone(),
            max_unavailable: pool.capacity.max_unavailable,
            unavailable: pool.capacity.unavailable,
            failing: pool.capacity.failing,
            free: pool.capacity.free,
            next: pool.capacity.next.clone(),
            why_none: said(&pool.capacity.why_none),
            busy: pool.capacity.busy.clone(),
        },
    }
}

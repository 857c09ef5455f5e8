//! Nodes in the words and by the rules of `oc adm upgrade status` (oc: pkg/cli/admin/upgrade/status/workerpool.go,
//! `assessNodesStatus`), and beside them what this program knows better.
//!
//! While a version rolls, `oc` judges a node by the release that its rendered config was made for. Where it has nothing
//! to say (a rollout of configuration alone, MachineConfigs that cannot be read) the rendered config itself decides.

use serde::Serialize;

use crate::report::parts::{Moment, said};
use crate::upgrade::assessment::{self, Assessment, Cause};
use crate::upgrade::facts::Kind;
use crate::upgrade::node_phase::{DaemonState, Marks};

/// `ASSESSMENT` of `oc`, in the order in which it sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum NodeAssessment {
    /// The machine-config daemon failed.
    Degraded,
    /// Not ready, cordoned, or worked on although not by this update.
    Unavailable,
    /// Being updated.
    Progressing,
    /// Its pool is paused.
    Excluded,
    /// Not updated.
    Outdated,
    /// Updated.
    Completed,
}

impl NodeAssessment {
    /// As `oc` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Degraded => "Degraded",
            Self::Unavailable => "Unavailable",
            Self::Progressing => "Progressing",
            Self::Excluded => "Excluded",
            Self::Outdated => "Outdated",
            Self::Completed => "Completed",
        }
    }
}

/// `PHASE` of `oc`, in the order in which it sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum NodePhase {
    /// Targeted, or being drained.
    Draining,
    /// Being changed.
    Updating,
    /// Down for its reboot. (`oc` has the word and never comes to it: it looks for a state that is never written.)
    Rebooting,
    /// Its pool is paused.
    Paused,
    /// Its turn has not come.
    Pending,
    /// Done.
    Updated,
}

impl NodePhase {
    /// As `oc` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draining => "Draining",
            Self::Updating => "Updating",
            Self::Rebooting => "Rebooting",
            Self::Paused => "Paused",
            Self::Pending => "Pending",
            Self::Updated => "Updated",
        }
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Name.
    pub name: String,
    /// The pool that manages it. Null: none does.
    pub pool: Option<String>,
    /// In the word of `oc`.
    pub phase: NodePhase,
    /// In the word of `oc`.
    pub assessment: NodeAssessment,
    /// Release version of the rendered config that runs. Null: not known.
    pub version: Option<String>,
    /// Why it is degraded, unavailable or special.
    pub message: Option<String>,
    /// The finer word: Waiting, Paused, Preparing, Cordoned, Draining, Applying, Rebooting, Back, Uncordoning, Done,
    /// Degraded, Unmanaged.
    pub phase_detail: &'static str,
    /// Since when it is in that phase.
    pub phase_since: Option<Moment>,
    /// `Ready`.
    pub ready: bool,
    /// Cordoned.
    pub cordoned: bool,
    /// Who cordoned it: a field manager, or `machine-config` for its own drain. Null: nobody, or not known.
    pub cordoned_by: Option<String>,
    /// `topology.kubernetes.io/zone`.
    pub zone: Option<String>,
    /// Version of the kubelet.
    pub kubelet: Option<String>,
    /// The rendered config that runs.
    pub current_config: Option<String>,
    /// The rendered config that the controller wants.
    pub desired_config: Option<String>,
    /// Place in the queue of its pool, from 1.
    pub next: Option<usize>,
    /// What keeps its drain from ending.
    pub blockers: Vec<Blocker>,
    /// Counted unavailable, by the rule of `oc`.
    #[serde(skip)]
    pub unavailable: bool,
    /// The machine-config daemon says Degraded or Unreconcilable.
    #[serde(skip)]
    pub degraded: bool,
}

/// A pod that keeps a drain from ending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// Namespace of the pod.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// `kind/name` of the workload that it belongs to.
    pub owner: Option<String>,
    /// PodDisruptionBudgets that protect it.
    pub budgets: Vec<String>,
    /// Why, in words.
    pub why: String,
    /// Since when.
    pub since: Option<Moment>,
}

/// An assessment, looked at as `oc` does.
pub struct Roll<'a> {
    /// All of it.
    pub assessment: &'a Assessment,
    /// The version that `oc` compares with: that of the newest history entry.
    target: &'a str,
    /// `Progressing` of the ClusterVersion.
    progressing: bool,
    /// Nodes are judged by the release of their rendered configs.
    by_release: bool,
}

impl<'a> Roll<'a> {
    /// Looks at `assessment`.
    pub fn of(assessment: &'a Assessment) -> Self {
        let version = assessment.facts.cluster_version.as_deref();
        let target = version.and_then(|version| version.status.history.first()).map_or("", |entry| &entry.version);
        let progressing = version.is_some_and(|version| {
            let conditions = &version.status.conditions;
            conditions.iter().any(|condition| condition.kind == "Progressing" && condition.status.word() == "True")
        });
        let releases = assessment.facts.known(Kind::MachineConfigs) && !assessment.facts.machine_configs.is_empty();
        let mut roll = Self { assessment, target, progressing, by_release: releases };
        // "The cluster is not updating": then `oc` says nothing about nodes.
        roll.by_release = releases && (progressing || roll.workers_are_outdated());
        roll
    }

    fn workers_are_outdated(&self) -> bool {
        let outdated = |row: &assessment::Node| {
            let worker = row.pool.as_deref().is_some_and(|pool| pool != "master");
            worker && self.marks(row).is_some_and(|(pool, marks)| !self.updated(row, pool, &marks))
        };
        self.assessment.nodes.iter().any(outdated)
    }

    fn marks(&self, row: &assessment::Node) -> Option<(&'a assessment::Pool, Marks<'a>)> {
        let nodes = &self.assessment.facts.nodes;
        let at = nodes.binary_search_by(|node| node.name().cmp(&row.name)).ok()?;
        let pool = self.assessment.pool(row.pool.as_deref()?)?;
        Some((pool, Marks::of(&nodes[at])))
    }

    fn release(&self, config: Option<&str>) -> Option<&'a str> {
        let configs = &self.assessment.facts.machine_configs;
        let config = config?;
        let at = configs.binary_search_by(|candidate| candidate.name().cmp(config)).ok()?;
        configs[at].release_version().filter(|version| !version.is_empty())
    }

    fn updated(&self, row: &assessment::Node, pool: &assessment::Pool, marks: &Marks) -> bool {
        if !self.by_release {
            return row.phase == assessment::NodePhase::Done;
        }
        let same_release = self.release(marks.current).is_some_and(|release| release == self.target);
        // A migration to a multi-architecture payload keeps the version: only the configs tell it.
        let migrates = self.assessment.update.multi_arch && self.progressing;
        let settled = marks.current == marks.desired && marks.desired == pool.target.as_deref();
        same_release && (!migrates || marks.desired.is_none() || settled)
    }

    fn updating(&self, pool: &assessment::Pool, marks: &Marks) -> bool {
        let targeted = marks.desired.is_some() && marks.current != marks.desired;
        let to_pool = marks.desired == pool.target.as_deref();
        if !self.by_release {
            return targeted && to_pool;
        }
        let desired = self.release(marks.desired).is_some_and(|release| release == self.target);
        targeted && to_pool && desired && self.release(marks.current).is_some()
    }

    /// The words of `oc` for a node.
    fn told(&self, row: &assessment::Node) -> Told {
        let Some((pool, marks)) = self.marks(row) else { return Told::unmanaged(row) };
        let updated = self.updated(row, pool, &marks);
        let updating = !updated && self.updating(pool, &marks);
        let phase = phase(row, pool, &marks, updating, updated);
        let failing = marks.state == DaemonState::Failing;
        let unavailable = !controller_ready(row, self.assessment) || !(marks.done() || failing);
        let degraded = failing && marks.desired.is_some();
        let assessment = match phase {
            _ if degraded => NodeAssessment::Degraded,
            _ if unavailable && !updating => NodeAssessment::Unavailable,
            NodePhase::Paused => NodeAssessment::Excluded,
            NodePhase::Pending => NodeAssessment::Outdated,
            NodePhase::Draining | NodePhase::Updating | NodePhase::Rebooting => NodeAssessment::Progressing,
            NodePhase::Updated => NodeAssessment::Completed,
        };
        Told { phase, assessment, unavailable, degraded }
    }
}

/// What `oc` says of a node.
struct Told {
    phase: NodePhase,
    assessment: NodeAssessment,
    unavailable: bool,
    degraded: bool,
}

impl Told {
    /// `oc` leaves such nodes out: it has no word for them. Nothing comes to them by itself.
    fn unmanaged(row: &assessment::Node) -> Self {
        let assessment = if row.ready { NodeAssessment::Excluded } else { NodeAssessment::Unavailable };
        Self { phase: NodePhase::Pending, assessment, unavailable: row.unavailable, degraded: false }
    }
}

fn controller_ready(row: &assessment::Node, assessment: &Assessment) -> bool {
    let nodes = &assessment.facts.nodes;
    let at = nodes.binary_search_by(|node| node.name().cmp(&row.name));
    at.is_ok_and(|at| crate::upgrade::capacity::controller_ready(&nodes[at]))
}

fn phase(row: &assessment::Node, pool: &assessment::Pool, marks: &Marks, updating: bool, updated: bool) -> NodePhase {
    // Both sides have to have said something: a node that was never drained has no `lastAppliedDrain`.
    let drains = !marks.applied_drain.is_empty() && !marks.desired_drain.is_empty();
    let drain_asked = marks.desired_drain.split('-').next() == Some("drain");
    if updating {
        return match marks.state {
            _ if drains && marks.desired_drain != marks.applied_drain && drain_asked => NodePhase::Draining,
            // Targeted, and the daemon has not picked it up.
            DaemonState::Done if drains => NodePhase::Draining,
            DaemonState::Done => NodePhase::Updated,
            _ if row.phase == assessment::NodePhase::Rebooting => NodePhase::Rebooting,
            _ => NodePhase::Updating,
        };
    }
    match (updated, pool.paused) {
        (true, _) => NodePhase::Updated,
        (false, true) => NodePhase::Paused,
        (false, false) => NodePhase::Pending,
    }
}

/// All nodes by name.
pub fn nodes(roll: &Roll) -> Vec<Node> {
    roll.assessment.nodes.iter().map(|row| node(row, &roll.told(row))).collect()
}

/// In the order of `oc`: by assessment, then by phase, then by name.
pub fn ordered(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.sort_by(|a, b| (a.assessment, a.phase, &a.name).cmp(&(b.assessment, b.phase, &b.name)));
    nodes
}

fn node(row: &assessment::Node, told: &Told) -> Node {
    let cordon = row.cordon.as_ref();
    let by = cordon
        .and_then(|cordon| if cordon.by_mco { Some("machine-config".to_owned()) } else { cordon.manager.clone() });
    Node {
        name: row.name.clone(),
        pool: row.pool.clone(),
        phase: told.phase,
        assessment: told.assessment,
        version: row.version.clone(),
        message: said(&row.message),
        phase_detail: row.phase.word(),
        phase_since: row.since.map(Moment),
        ready: row.ready,
        cordoned: cordon.is_some(),
        cordoned_by: by,
        zone: row.zone.clone(),
        kubelet: row.kubelet.clone(),
        current_config: row.current_config.clone(),
        desired_config: row.desired_config.clone(),
        next: row.next,
        blockers: row.blockers.iter().map(blocker).collect(),
        unavailable: told.unavailable,
        degraded: told.degraded,
    }
}

fn blocker(from: &assessment::Blocker) -> Blocker {
    let (budgets, why) = match &from.cause {
        Cause::Budget(budget) => (
            vec![budget.name.clone()],
            format!(
                "PodDisruptionBudget {} allows {} disruptions: {} healthy, {} needed, {} expected",
                budget.name, budget.allowed, budget.healthy, budget.desired, budget.expected
            ),
        ),
        Cause::BudgetNotObserved { name } => {
            (vec![name.clone()], format!("PodDisruptionBudget {name} has not been judged since it was changed"))
        }
        Cause::SeveralBudgets { names } => (
            names.clone(),
            format!("several PodDisruptionBudgets select it ({}): the eviction API refuses", names.join(", ")),
        ),
        Cause::Terminating { finalizers, .. } if finalizers.is_empty() => {
            (Vec::new(), "it is being deleted and does not end".to_owned())
        }
        Cause::Terminating { finalizers, .. } => {
            (Vec::new(), format!("it is being deleted and waits for finalizers: {}", finalizers.join(", ")))
        }
        Cause::VirtualMachine { why } => (Vec::new(), format!("a virtual machine that has to move first: {why}")),
    };
    Blocker {
        namespace: from.namespace.clone(),
        pod: from.pod.clone(),
        owner: from.owner.clone(),
        budgets,
        why,
        since: from.since.map(Moment),
    }
}

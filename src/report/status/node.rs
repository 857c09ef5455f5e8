//! Nodes in the words and by the rules of `oc adm upgrade status`, and beside them what this program knows better.

use serde::Serialize;

use crate::report::parts::{Moment, said};
use crate::upgrade::as_oc::{AsOc, Told};
pub use crate::upgrade::as_oc::{Standing as NodeAssessment, Step as NodePhase};
use crate::upgrade::assessment::{self, Assessment, Cause};

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Name.
    pub name: String,
    /// The pool that `oc` counts it in. Null: none.
    pub pool: Option<String>,
    /// The machine-config operator updates it with that pool.
    pub managed: bool,
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

/// All nodes by name.
pub fn nodes(assessment: &Assessment) -> Vec<Node> {
    let oc = AsOc::of(assessment);
    assessment.nodes.iter().map(|row| node(row, oc.node(row))).collect()
}

/// In the order of `oc`: by assessment, then by phase, then by name.
pub fn ordered(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.sort_by(|a, b| (a.assessment, a.phase, &a.name).cmp(&(b.assessment, b.phase, &b.name)));
    nodes
}

fn node(row: &assessment::Node, told: Told) -> Node {
    let cordon = row.cordon.as_ref();
    let by = cordon
        .and_then(|cordon| if cordon.by_mco { Some("machine-config".to_owned()) } else { cordon.manager.clone() });
    Node {
        name: row.name.clone(),
        managed: row.pool.is_some() && row.pool == told.pool,
        pool: told.pool,
        phase: told.step,
        assessment: told.standing,
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

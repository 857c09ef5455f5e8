//! What changes a cluster: the catalogue of actions, their plans, outcomes and audit entries.
//!
//! Belongs here: for each action its danger, the permission it needs, whether it is available now or why not, and the
//! plan: the ordered writes with their consequences in words. All of it is data, so that it can be shown, rehearsed,
//! recorded and refused before anything is sent. One verb, one file.
//! Does not: a client, the terminal, the clock.
//! May import: `api`, `upgrade`.

mod again;
pub mod audit;
pub mod outcome;
pub mod pods;

pub use again::again;

use serde::Serialize;
use serde_json::Value;

use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

/// The actions of the catalogue, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionId {
    /// Pause a MachineConfigPool.
    PausePool,
    /// Unpause a MachineConfigPool.
    UnpausePool,
    /// Cordon one or several nodes.
    CordonNodes,
    /// Uncordon one or several nodes.
    UncordonNodes,
    /// Start an update to a version on offer.
    StartUpdate,
}

/// How dangerous an action is, in the given state of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Danger {
    /// Reversible, no effect on workloads.
    L,
    /// May disrupt workloads or start reboots.
    M,
    /// Can lose quorum, data or support, or cannot be undone.
    H,
}

/// What an action is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A MachineConfigPool by name.
    Pool(String),
    /// Nodes by name, in the order in which they were marked.
    Nodes(Vec<String>),
    /// A version on offer.
    Version(String),
    /// The cluster as a whole: no version chosen yet.
    Cluster,
}

impl Target {
    /// In words: `pool worker`, `3 nodes`.
    pub fn words(&self) -> String {
        match self {
            Self::Pool(name) => format!("pool {name}"),
            Self::Nodes(names) => match names.as_slice() {
                [name] => format!("node {name}"),
                names => format!("{} nodes", names.len()),
            },
            Self::Version(version) => format!("version {version}"),
            Self::Cluster => "cluster".to_owned(),
        }
    }
}

/// Circumstances of this session that bear on what may be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Writes are off, and why: `--read-only`, the context is marked so in the configuration, a recording.
    pub read_only: Option<String>,
    /// Context name, for the `oc` lines and the confirmation.
    pub context: String,
}

/// Why an action is not offered or not possible now, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

/// One precondition with what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Precondition {
    /// What has to hold: `pool worker is not paused`.
    pub words: String,
    /// What it was read from: `mcp/worker spec.paused = false`.
    pub evidence: String,
}

/// A question that the person answers before confirming; the answer is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Stable name under which the answer is recorded: `etcd-backup`.
    pub name: &'static str,
    /// The question.
    pub words: String,
}

/// How the person confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    /// By the confirm button (the safe button has the focus).
    Button,
    /// By typing this text: a name, a count, a version.
    Type(String),
}

/// Kind of patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchKind {
    /// `application/merge-patch+json`.
    Merge,
    /// `application/strategic-merge-patch+json`.
    Strategic,
    /// `application/json-patch+json`.
    Json,
}

/// One write: the exact request, but for the resourceVersion that the lock puts in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Write {
    /// `node/worker-1`, `mcp/worker`, `clusterversion/version`.
    pub object: String,
    /// Path of the request, without query.
    pub path: String,
    /// Kind of patch.
    pub patch: PatchKind,
    /// Body, with `metadata.uid` and `metadata.resourceVersion` for the lock (merge and strategic patches).
    pub body: Value,
    /// UID that the object must still have.
    pub uid: String,
    /// resourceVersion that the plan was made on.
    pub resource_version: String,
    /// The equivalent `oc` line.
    pub oc: String,
    /// After the write these fields (JSON pointers) of the answer must have these values: a pruned field is an error.
    pub stored: Vec<(String, Value)>,
}

/// What the watch has to show before the action counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// `spec.paused` of the pool.
    PoolPaused {
        /// Pool.
        pool: String,
        /// Value.
        paused: bool,
    },
    /// `spec.unschedulable` of all the nodes.
    NodesUnschedulable {
        /// Nodes.
        nodes: Vec<String>,
        /// Value.
        unschedulable: bool,
    },
    /// `spec.desiredUpdate` of the ClusterVersion.
    UpdateRequested {
        /// Version.
        version: String,
    },
}

/// Something to read before confirming, because consequences depend on it and it is not watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The pods on a node.
    PodsOn(String),
}

/// What an action would do, in the order in which it would do it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Action.
    pub action: ActionId,
    /// Target.
    pub target: Target,
    /// `Pause pool worker`.
    pub title: String,
    /// Danger now.
    pub danger: Danger,
    /// What was checked.
    pub preconditions: Vec<Precondition>,
    /// What will follow, a line each: effective capacity afterwards, which nodes would be next, whose cordon it is.
    pub consequences: Vec<String>,
    /// Reads whose answers complete the consequences.
    pub reads: Vec<Read>,
    /// The requests.
    pub writes: Vec<Write>,
    /// Questions to answer.
    pub questions: Vec<Question>,
    /// How to confirm.
    pub confirm: Confirm,
    /// What proves it.
    pub effect: Effect,
    /// The action that undoes it.
    pub inverse: Option<ActionId>,
    /// ClusterVersion writes keep the strict lock: never re-planned on a conflict.
    pub strict_lock: bool,
}

/// An action as menu, palette and footer show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Action.
    pub action: ActionId,
    /// Its title for this target.
    pub title: String,
    /// Danger now.
    pub danger: Danger,
    /// Why not, if not.
    pub refusal: Option<Refusal>,
}

/// Every permission that some action needs: asked once per context, so that the answers are there when a key is hit.
pub fn permissions() -> Vec<Permission> {
    Vec::new()
}

/// The actions that make sense for `target`, with why not where they cannot be done now. Empty when read-only: then
/// writes are absent from keys, menu, palette and help at once.
pub fn offered(_assessment: &Assessment, _session: &Session, _target: &Target) -> Vec<Offered> {
    Vec::new()
}

/// The plan of `action` on `target`, or why not.
pub fn plan(_assessment: &Assessment, _session: &Session, action: ActionId, _target: &Target) -> Result<Plan, Refusal> {
    Err(Refusal(format!("{action:?} is not in the catalogue")))
}

impl Effect {
    /// Does the assessment show the effect?
    pub fn holds(&self, _assessment: &Assessment) -> bool {
        false
    }
}

//! What changes a cluster: the catalogue of actions, their plans, outcomes and audit entries.
//!
//! Belongs here: for each action its danger, the permission it needs, whether it is available now or why not, and the
//! plan: the ordered writes with their consequences in words. All of it is data, so that it can be shown, rehearsed,
//! recorded and refused before anything is sent. One verb, one file.
//! Does not: a client, the terminal, the clock.
//! May import: `api`, `upgrade`.

mod again;
pub mod audit;
mod capacity;
mod cordon_nodes;
mod gate;
mod node;
pub mod outcome;
mod pause_pool;
pub mod pods;
mod pool;
mod request;
mod start_update;
mod uncordon_nodes;
mod unpause_pool;
mod what_if;
mod words;

pub use again::{again, difference, rest_differs, same_meaning};
pub use pods::complete;
pub use request::oc;
pub use words::FIELD_MANAGER;

pub use crate::upgrade::danger::Danger;

use serde::Serialize;
use serde_json::Value;

use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::link::LinkState;

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
    vec![pool::PATCH, node::PATCH, start_update::PATCH, node::LIST_PODS]
}

impl ActionId {
    /// The permissions that the action's writes need.
    pub fn permissions(self) -> Vec<Permission> {
        match self {
            Self::PausePool | Self::UnpausePool => vec![pool::PATCH],
            Self::CordonNodes | Self::UncordonNodes => vec![node::PATCH],
            Self::StartUpdate => vec![start_update::PATCH],
        }
    }
}

/// The actions that make sense for `target`, with why not where they cannot be done now. Empty when read-only: then
/// writes are absent from keys, menu, palette and help at once.
pub fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Vec<Offered> {
    if session.read_only.is_some() || assessment.facts.link.state == LinkState::Recording {
        return Vec::new();
    }
    match target {
        Target::Pool(name) => offered_for_pool(assessment, session, name),
        Target::Nodes(names) => offered_for_nodes(assessment, session, names),
        Target::Version(version) => {
            let refusal = start_update::available(assessment, session, version).err();
            let title = start_update::title(version);
            vec![Offered { action: ActionId::StartUpdate, title, danger: start_update::DANGER, refusal }]
        }
        Target::Cluster => {
            let refusal = start_update::available_at_all(assessment, session).err();
            let title = "Start an update".to_owned();
            vec![Offered { action: ActionId::StartUpdate, title, danger: start_update::DANGER, refusal }]
        }
    }
}

/// Pause or unpause, whichever would change something.
fn offered_for_pool(assessment: &Assessment, session: &Session, name: &str) -> Vec<Offered> {
    let Some(pool) = assessment.pool(name) else { return Vec::new() };
    vec![if pool.paused {
        Offered {
            action: ActionId::UnpausePool,
            title: unpause_pool::title(name),
            danger: unpause_pool::DANGER,
            refusal: unpause_pool::available(assessment, session, name).err(),
        }
    } else {
        Offered {
            action: ActionId::PausePool,
            title: pause_pool::title(name),
            danger: pause_pool::DANGER,
            refusal: pause_pool::available(assessment, session, name).err(),
        }
    }]
}

/// Cordon where some node is not cordoned, uncordon where some node is.
fn offered_for_nodes(assessment: &Assessment, session: &Session, names: &[String]) -> Vec<Offered> {
    let known: Vec<_> = names.iter().filter_map(|name| assessment.node(name)).collect();
    let named = |cordoned: bool| -> Vec<&str> {
        known.iter().filter(|node| node.cordon.is_some() == cordoned).map(|node| node.name.as_str()).collect()
    };
    let (open, cordoned) = (named(false), named(true));
    let mut offers = Vec::new();
    if !open.is_empty() {
        offers.push(Offered {
            action: ActionId::CordonNodes,
            title: node::title("Cordon", &open),
            danger: cordon_nodes::danger(assessment, names),
            refusal: cordon_nodes::available(assessment, session, names).err(),
        });
    }
    if !cordoned.is_empty() {
        offers.push(Offered {
            action: ActionId::UncordonNodes,
            title: node::title("Uncordon", &cordoned),
            danger: uncordon_nodes::DANGER,
            refusal: uncordon_nodes::available(assessment, session, names).err(),
        });
    }
    offers
}

/// The plan of `action` on `target`, or why not.
pub fn plan(assessment: &Assessment, session: &Session, action: ActionId, target: &Target) -> Result<Plan, Refusal> {
    match (action, target) {
        (ActionId::PausePool, Target::Pool(name)) => pause_pool::plan(assessment, session, name),
        (ActionId::UnpausePool, Target::Pool(name)) => unpause_pool::plan(assessment, session, name),
        (ActionId::CordonNodes, Target::Nodes(names)) => cordon_nodes::plan(assessment, session, names),
        (ActionId::UncordonNodes, Target::Nodes(names)) => uncordon_nodes::plan(assessment, session, names),
        (ActionId::StartUpdate, Target::Version(version)) => start_update::plan(assessment, session, version),
        (ActionId::StartUpdate, Target::Cluster) => {
            start_update::available_at_all(assessment, session)?;
            Err(Refusal("choose the version to update to".to_owned()))
        }
        (action, target) => Err(Refusal(format!("{} does not apply to {}", action.words(), target.words()))),
    }
}

impl ActionId {
    /// In words: `pausing a pool`.
    pub fn words(self) -> &'static str {
        match self {
            Self::PausePool => "pausing a pool",
            Self::UnpausePool => "unpausing a pool",
            Self::CordonNodes => "cordoning nodes",
            Self::UncordonNodes => "uncordoning nodes",
            Self::StartUpdate => "starting an update",
        }
    }
}

impl Effect {
    /// Does the assessment show the effect?
    pub fn holds(&self, assessment: &Assessment) -> bool {
        match self {
            Self::PoolPaused { pool, paused } => assessment.pool(pool).is_some_and(|pool| pool.paused == *paused),
            Self::NodesUnschedulable { nodes, unschedulable } => nodes
                .iter()
                .all(|name| assessment.node(name).is_some_and(|node| node.cordon.is_some() == *unschedulable)),
            Self::UpdateRequested { version } => {
                let seen = assessment.facts.cluster_version.as_ref();
                seen.and_then(|seen| seen.spec.desired_update.as_ref()).is_some_and(|wanted| wanted.version == *version)
            }
        }
    }

    /// What is waited for, in words.
    pub fn words(&self) -> String {
        match self {
            Self::PoolPaused { pool, paused: true } => format!("pool {pool} shows as paused"),
            Self::PoolPaused { pool, paused: false } => format!("pool {pool} shows as not paused"),
            Self::NodesUnschedulable { nodes, unschedulable } => {
                let state = if *unschedulable { "cordoned" } else { "schedulable" };
                format!("{} shows as {state}", nodes.join(", "))
            }
            Self::UpdateRequested { version } => format!("the ClusterVersion asks for {version}"),
        }
    }
}

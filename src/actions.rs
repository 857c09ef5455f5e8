//! What changes a cluster: the catalogue of actions, their plans, outcomes and audit entries.
//!
//! Belongs here: for each action its danger, the permission it needs, whether it is available now or why not, and the
//! plan: the ordered writes with their consequences in words. All of it is data, so that it can be shown, rehearsed,
//! recorded and refused before anything is sent. One verb, one file.
//! Does not: a client, the terminal, the clock.
//! May import: `api`, `upgrade`.

mod accept_risks;
mod ack_gate;
mod add_mirror_set;
mod again;
mod apply_file;
mod apply_signature;
mod approve_csr;
mod approve_install_plan;
mod ask;
pub mod audit;
mod blast_radius;
mod capacity;
mod catalogue;
mod choices;
mod clear_overrides;
mod clear_update;
mod cluster_version;
mod cordon_nodes;
mod create_pool;
mod delete_object;
mod delete_packageserver_csv;
mod delete_pod;
mod delete_pool;
mod departing;
mod disruption;
pub mod drain;
mod drain_nodes;
mod evict_pod;
mod eviction;
mod files;
mod force_update;
mod gate;
mod grammar;
mod health_checks;
mod ibu;
mod ibu_idle;
mod ibu_manual_cleanup_done;
mod ibu_prep;
mod ibu_rollback;
mod ibu_trigger_reconcile;
mod ibu_upgrade;
mod material;
mod migrate_multi_arch;
mod move_nodes;
mod next_image_step;
pub mod next_step;
mod node;
mod node_certificate;
pub mod outcome;
mod pause_mhc;
mod pause_pool;
mod pending;
mod pin_images;
mod pod;
pub mod pods;
mod pool;
mod pool_effect;
mod pool_role;
mod prune_rendered_configs;
mod raw;
mod reading;
mod rebuild_image;
pub mod remedy;
mod rendered_config;
mod request;
mod resume_mhc;
mod served_version;
mod set_channel;
mod set_max_unavailable;
mod set_upgradeable_to;
mod set_upstream;
mod start_update;
mod uncordon_nodes;
mod undo;
mod unpause_pool;
mod update_request;
mod update_risks;
mod update_target;
mod what_if;
mod words;

pub use again::{again, difference, rest_differs, same_meaning};
pub use ask::{Args, Ask, Target};
pub use catalogue::{ALL, ActionId, Arg, ArgKind, Entry, Takes};
pub use drain::Drain;
pub use eviction::evict;
pub use files::kinds::{FileKind, file_kinds};
pub use grammar::{Nouns, SET, split};
pub use material::{Found, Material, Read};
pub use pods::complete;
pub use pool_effect::PoolEffect;
pub use request::{digest, oc};
pub use undo::Undo;
pub use words::FIELD_MANAGER;

pub use crate::upgrade::danger::Danger;

use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, ContextSettings, Places};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::blockers;
use crate::upgrade::facts::Facts;
use crate::upgrade::image_based::stage_machine::Stage;
use crate::upgrade::image_based::{NAME, Record};
use crate::upgrade::link::LinkState;

/// Circumstances of this session that bear on what may be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Writes are off, and why: `--read-only`, the context is marked so in the configuration, a recording.
    pub read_only: Option<String>,
    /// Context name, for the `oc` lines and the confirmation.
    pub context: String,
    /// Actions that the configuration forbids in this context.
    pub forbidden: Vec<ActionId>,
    /// Every action is confirmed by typing the name of the context at least, as the configuration wants it.
    pub typed: bool,
}

impl Session {
    /// The circumstances in a context, as the configuration and the flags have them.
    pub fn new(context: &str, settings: &ContextSettings) -> Self {
        Self {
            read_only: settings.read_only.clone(),
            context: context.to_owned(),
            forbidden: settings.forbid.iter().filter_map(|name| ActionId::named(name)).collect(),
            typed: settings.typed,
        }
    }
}

/// What is wrong with the names of actions in the configuration, a line each with its place.
pub fn strangers(config: &Config, places: &Places) -> Vec<String> {
    let unknown = config.forbidden().into_iter().filter(|(_, name)| ActionId::named(name).is_none());
    let told = |(path, name): (String, String)| {
        places.told(&path, &format!("{path}: `{name}` is no action; `oc-cockpit do --list` names them"))
    };
    unknown.map(told).collect()
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
    /// Stable name under which the answer is recorded: `etcd-backup`, `accept-risk-DiskLoss`.
    pub name: String,
    /// The question.
    pub words: String,
    /// The only answer with which the plan goes on; none: any answer that is not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exactly: Option<String>,
}

impl Question {
    /// A question that any words answer.
    pub fn open(name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { name: name.into(), words: words.into(), exactly: None }
    }

    /// Something to be agreed to by typing `exactly`.
    pub fn agreed_by(exactly: impl Into<String>, name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { name: name.into(), words: words.into(), exactly: Some(exactly.into()) }
    }

    /// Why `answer` does not answer it; none: it does.
    pub fn unanswered_by(&self, answer: &str) -> Option<String> {
        let answer = answer.trim();
        match &self.exactly {
            None if answer.is_empty() => Some(self.words.clone()),
            Some(exactly) if answer != exactly => Some(format!("{} (type {exactly})", self.words)),
            _ => None,
        }
    }
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

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// PATCH of the object at [`Write::path`].
    Patch(PatchKind),
    /// POST of a new object to the collection at [`Write::path`].
    Create,
    /// PUT of the whole object, as it was read raw, at [`Write::path`]: for subresources that take no patch. Never of an
    /// object that came through a lens, which drops fields.
    Replace,
    /// DELETE of the object at [`Write::path`]; the body is its `DeleteOptions`, preconditions included.
    Delete,
    /// POST of an Eviction to the subresource at [`Write::path`].
    Evict,
}

/// One write: the exact request, but for the resourceVersion that the lock puts in.
///
/// Written down (as JSON, as debugging text) it shows of a secret body what [`Write::shown`] shows.
#[derive(Clone, PartialEq)]
pub struct Write {
    /// `node/worker-1`, `mcp/worker`, `clusterversion/version`. Unique within a plan.
    pub object: String,
    /// Path of the request, without query.
    pub path: String,
    /// Path of the object, where it is another than `path` (a collection that it is created in, a subresource).
    pub object_path: Option<String>,
    /// What it does.
    pub verb: Verb,
    /// Body, with the lock: `metadata.uid` and `metadata.resourceVersion` (merge and strategic patches, replacements),
    /// `preconditions` (deletions).
    pub body: Value,
    /// The body holds what must not be shown or written down (the values of a Secret): [`Write::shown`] leaves only keys
    /// and digests.
    pub secret: bool,
    /// UID that the object must still have; none: it must not exist yet.
    pub uid: Option<String>,
    /// resourceVersion that the plan was made on; none: it must not exist yet, or any version will do.
    pub resource_version: Option<String>,
    /// The equivalent `oc` line.
    pub oc: String,
    /// After the write these fields (JSON pointers) of the answer must have these values: a pruned field is an error. Of a
    /// secret write the digests of the values stand here ([`digest`]).
    pub stored: Vec<(String, Value)>,
}

/// A resourceVersion in an [`Effect`]: two plans for the same wish may differ in it and mean the same, so it compares equal
/// to any other.
#[derive(Debug, Clone, Serialize)]
pub struct Version(pub String);

impl PartialEq for Version {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Version {}

/// What the watch has to show before the action counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// All of these.
    All(Vec<Effect>),
    /// Fields of an object that is not watched: it is read again until it shows them.
    Stored {
        /// The object in words: `csr/csr-8hx2k`.
        object: String,
        /// Its path.
        path: String,
        /// JSON pointers and values; null stands for a field that is absent.
        fields: Vec<(String, Value)>,
    },
    /// Fields of an object whose values must not be shown: it is read again until their digests ([`digest`]) are these.
    Digests {
        /// The object in words.
        object: String,
        /// Its path.
        path: String,
        /// JSON pointers and digests.
        fields: Vec<(String, String)>,
    },
    /// An object that is not watched is gone, or another has taken its place: it is read again until it is.
    Gone {
        /// The object in words.
        object: String,
        /// Its path.
        path: String,
        /// The UID of the one that has to go.
        uid: String,
    },
    /// `spec.paused` of the pool.
    PoolPaused {
        /// Pool.
        pool: String,
        /// Value.
        paused: bool,
    },
    /// What pools, their nodes and their configurations show.
    Pool(PoolEffect),
    /// `spec.unschedulable` of all the nodes.
    NodesUnschedulable {
        /// Nodes.
        nodes: Vec<String>,
        /// Value.
        unschedulable: bool,
    },
    /// `spec.stage` of the ImageBasedUpgrade, taken up by the lifecycle agent.
    ImageStage {
        /// Stage.
        stage: &'static str,
    },
    /// An annotation of the ImageBasedUpgrade.
    ImageAnnotation {
        /// Key.
        key: &'static str,
        /// Value.
        value: String,
    },
    /// An annotation of the ImageBasedUpgrade that the agent takes away when it takes it up.
    ImageAnnotationTaken {
        /// Key.
        key: &'static str,
        /// The object as it was before.
        before: Version,
    },
    /// `spec.desiredUpdate` of the ClusterVersion asks for this, to be applied and not only to be checked.
    UpdateRequested(WantedUpdate),
    /// The ClusterVersion asks for no update.
    RequestCleared,
    /// `spec.desiredUpdate.acceptRisks` of the ClusterVersion holds exactly these.
    RisksAccepted {
        /// Names.
        names: Vec<String>,
    },
    /// A pod is being deleted, or is gone: it is read again until it is.
    Leaving {
        /// The object in words: `pod/shop/cart-0`.
        object: String,
        /// Its path.
        path: String,
        /// The UID of the one that has to go.
        uid: String,
    },
    /// The nodes are cordoned, and no pod that a drain makes leave is on them.
    NodesDrained {
        /// Nodes.
        nodes: Vec<String>,
    },
    /// `spec.channel` of the ClusterVersion; empty: none.
    ChannelSet {
        /// Channel.
        channel: String,
    },
    /// `spec.upstream` of the ClusterVersion; empty: none.
    UpstreamSet {
        /// Address.
        upstream: String,
    },
    /// None of these components is out of the cluster-version operator's hands (`spec.overrides`).
    ComponentsManaged {
        /// `KIND/NAME` or `KIND/NAMESPACE/NAME`.
        components: Vec<String>,
    },
}

/// What `spec.desiredUpdate` of the ClusterVersion asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WantedUpdate {
    /// Version; empty: whatever the image holds.
    pub version: String,
    /// Pull spec; empty: the one that the update service names.
    pub image: String,
    /// `Multi`, or empty.
    pub architecture: String,
    /// Signature and preconditions are passed over.
    pub force: bool,
}

impl WantedUpdate {
    /// The version, else the image.
    pub fn name(&self) -> &str {
        if self.version.is_empty() { &self.image } else { &self.version }
    }

    /// Does the ClusterVersion ask for it?
    fn is_asked_for(&self, assessment: &Assessment) -> bool {
        let seen = assessment.facts.cluster_version.as_ref().and_then(|seen| seen.spec.desired_update.as_ref());
        seen.is_some_and(|seen| {
            let same = (&seen.version, &seen.image, &seen.architecture, seen.force);
            same == (&self.version, &self.image, &self.architecture, self.force) && seen.mode.is_empty()
        })
    }
}

/// Something that the action makes disappear, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Keepsake {
    /// The beginning of the file's name.
    pub name: String,
    /// Its text, JSON.
    pub text: String,
}

/// What an action would do, in the order in which it would do it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Action.
    pub action: ActionId,
    /// Target.
    pub target: Target,
    /// The values that were given with it.
    #[serde(skip_serializing_if = "Args::is_empty")]
    pub args: Args,
    /// `Pause pool worker`.
    pub title: String,
    /// Danger now.
    pub danger: Danger,
    /// What was checked.
    pub preconditions: Vec<Precondition>,
    /// What will follow, a line each: effective capacity afterwards, which nodes would be next, whose cordon it is.
    pub consequences: Vec<String>,
    /// What has to be read before the plan is whole. Pods complete the consequences ([`complete`]); objects and lists are
    /// handed to the plan when it is made again ([`Material`]).
    pub reads: Vec<Read>,
    /// The requests.
    pub writes: Vec<Write>,
    /// What goes on after the requests were accepted: a job of its own, whose requests depend on what it meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// Questions to answer.
    pub questions: Vec<Question>,
    /// How to confirm.
    pub confirm: Confirm,
    /// What proves it.
    pub effect: Effect,
    /// The action that undoes it.
    pub inverse: Option<ActionId>,
    /// The wishes that undo it, made of what was there before: all of them together. None: there is no way back by an
    /// action, or it needs a value that only a person knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub back: Vec<Ask>,
    /// What is saved to a file on this machine before anything is sent; when it cannot be saved nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepsake: Option<Keepsake>,
    /// How single writes are undone by hand, where no action does it: recorded with their attempts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<Undo>,
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

impl Plan {
    /// A plan of `entry` for what was asked, without danger, preconditions, writes and effect: to be filled.
    pub(crate) fn draft(entry: &Entry, ask: &Ask, title: String) -> Self {
        Self {
            action: entry.id,
            target: ask.target.clone(),
            args: ask.args.clone(),
            title,
            danger: Danger::L,
            preconditions: Vec::new(),
            consequences: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            drain: None,
            questions: Vec::new(),
            confirm: Confirm::Button,
            effect: Effect::All(Vec::new()),
            inverse: entry.inverse,
            back: Vec::new(),
            keepsake: None,
            undo: Vec::new(),
            strict_lock: false,
        }
    }

    /// The same, which the inverse undoes on `target`.
    #[must_use]
    fn undone_on(self, target: Target) -> Self {
        Self { back: self.inverse.map(|inverse| Ask::new(inverse, target)).into_iter().collect(), ..self }
    }

    /// What was asked for.
    pub fn ask(&self) -> Ask {
        Ask { action: self.action, target: self.target.clone(), args: self.args.clone() }
    }
}

/// Every permission that some action needs: asked once per context, so that the answers are there when a key is hit.
pub fn permissions() -> Vec<Permission> {
    let mut all: Vec<Permission> = ActionId::ALL.iter().flat_map(|id| id.entry().permissions).cloned().collect();
    all.push(node::LIST_PODS);
    all.sort_unstable();
    all.dedup();
    all
}

/// How many namespaces are asked for permissions.
const NAMESPACES: usize = 16;

/// The namespaces in which a permission may matter that the user does not have everywhere: of install plans, and of pods
/// that are looked at; those of people before those of the platform. The plan asks for any other one.
pub fn namespaces(facts: &Facts) -> Vec<String> {
    let plans = facts.around.install_plans.iter().filter_map(|plan| plan.metadata.namespace.as_deref());
    let pods = facts.around.pods.values().flat_map(|pods| pods.iter()).map(|pod| pod.namespace());
    let mut all: Vec<&str> = plans.chain(pods).filter(|namespace| !namespace.is_empty()).collect();
    all.sort_unstable_by_key(|namespace| (blockers::of_platform(namespace), *namespace));
    all.dedup();
    all.into_iter().take(NAMESPACES).map(str::to_owned).collect()
}

/// The actions that make sense for `target`, with why not where they cannot be done now. Empty when read-only: then
/// writes are absent from keys, menu, palette and help at once.
pub fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Vec<Offered> {
    if session.read_only.is_some() || assessment.facts.link.state == LinkState::Recording {
        return Vec::new();
    }
    let allowed = ActionId::ALL.iter().filter(|id| !session.forbidden.contains(id));
    allowed.filter_map(|id| (id.entry().offered)(assessment, session, target)).collect()
}

/// The plan for what is asked, on what is known by now, or why not.
///
/// # Errors
/// The reason in one sentence, when the action cannot be done, or does not apply to the target.
pub fn plan(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let entry = ask.action.entry();
    entry.accepts(ask)?;
    if session.forbidden.contains(&ask.action) {
        return Err(Refusal(format!("the configuration forbids {}", entry.gerund)));
    }
    let mut plan = (entry.plan)(assessment, session, ask, material)?;
    if session.typed && plan.confirm == Confirm::Button && !session.context.is_empty() {
        plan.confirm = Confirm::Type(session.context.clone());
    }
    Ok(plan)
}

impl Effect {
    /// Does the assessment show the effect?
    pub fn holds(&self, assessment: &Assessment) -> bool {
        match self {
            Self::All(effects) => effects.iter().all(|effect| effect.holds(assessment)),
            // The pictures do not have them: see [`Effect::reread`].
            Self::Stored { .. } | Self::Digests { .. } | Self::Gone { .. } | Self::Leaving { .. } => false,
            Self::PoolPaused { pool, paused } => assessment.pool(pool).is_some_and(|pool| pool.paused == *paused),
            Self::Pool(effect) => effect.holds(assessment),
            Self::NodesUnschedulable { nodes, unschedulable } => nodes
                .iter()
                .all(|name| assessment.node(name).is_some_and(|node| node.cordon.is_some() == *unschedulable)),
            Self::ImageStage { stage } => assessment.image_based.as_deref().is_some_and(|image| {
                let asked = image.stage.map(Stage::word) == Some(*stage);
                asked && image.record == Record::Seen && image.behind.is_none() && image.asked().is_none()
            }),
            Self::ImageAnnotation { key, value } => {
                let objects = &assessment.facts.around.image_based_upgrades;
                objects.iter().any(|one| one.name() == NAME && one.annotation(key) == Some(value))
            }
            Self::ImageAnnotationTaken { key, before } => {
                let objects = &assessment.facts.around.image_based_upgrades;
                let newer = |one: &crate::api::ImageBasedUpgrade| {
                    one.metadata.resource_version.as_ref().is_some_and(|version| *version != before.0)
                };
                objects.iter().any(|one| one.name() == NAME && newer(one) && one.annotation(key).is_none())
            }
            Self::UpdateRequested(wanted) => wanted.is_asked_for(assessment),
            Self::RequestCleared => assessment.facts.cluster_version.as_ref().is_some_and(|seen| {
                let wanted = seen.spec.desired_update.as_ref();
                wanted.is_none_or(|wanted| {
                    [&wanted.version, &wanted.image, &wanted.architecture].into_iter().all(String::is_empty)
                })
            }),
            Self::RisksAccepted { names } => assessment.facts.cluster_version.as_ref().is_some_and(|seen| {
                let wanted = seen.spec.desired_update.as_ref();
                let accepted: &[_] = wanted.map_or(&[], |wanted| &wanted.accept_risks);
                accepted.len() == names.len() && accepted.iter().all(|risk| names.contains(&risk.name))
            }),
            Self::ChannelSet { channel } => assessment
                .facts
                .cluster_version
                .as_ref()
                .is_some_and(|seen| seen.spec.channel.as_deref().unwrap_or_default() == channel),
            Self::UpstreamSet { upstream } => assessment
                .facts
                .cluster_version
                .as_ref()
                .is_some_and(|seen| seen.spec.upstream.as_deref().unwrap_or_default() == upstream),
            Self::ComponentsManaged { components } => assessment.facts.cluster_version.as_ref().is_some_and(|seen| {
                let mut taken = seen.spec.overrides.iter().filter(|one| one.unmanaged);
                taken.all(|one| !components.contains(&one.path()))
            }),
            Self::NodesDrained { nodes } => nodes.iter().all(|name| drain::empty(assessment, name)),
        }
    }

    /// What has begun when the effect is seen, where that is not the end of what the plan is called: a stage of an
    /// image-based upgrade goes on for minutes.
    pub fn begins(&self) -> Option<String> {
        matches!(self, Self::ImageStage { .. }).then(|| format!("begun: {}", self.words()))
    }

    /// What is waited for, in words.
    pub fn words(&self) -> String {
        match self {
            Self::All(effects) => effects.iter().map(Self::words).collect::<Vec<_>>().join(", "),
            Self::Stored { object, fields, .. } => shows(object, fields.iter().map(|(pointer, _)| pointer)),
            Self::Digests { object, fields, .. } => shows(object, fields.iter().map(|(pointer, _)| pointer)),
            Self::Gone { object, .. } => format!("{object} is gone"),
            Self::Pool(effect) => effect.words(),
            Self::PoolPaused { pool, paused: true } => format!("pool {pool} shows as paused"),
            Self::PoolPaused { pool, paused: false } => format!("pool {pool} shows as not paused"),
            Self::NodesUnschedulable { nodes, unschedulable } => {
                let state = if *unschedulable { "cordoned" } else { "schedulable" };
                let verb = if nodes.len() == 1 { "shows" } else { "show" };
                format!("{} {verb} as {state}", nodes.join(", "))
            }
            Self::ImageStage { stage } => format!("the lifecycle agent has taken up the stage {stage}"),
            Self::ImageAnnotation { key, value } => format!("the ImageBasedUpgrade shows {key}={value}"),
            Self::ImageAnnotationTaken { key, .. } => format!("the lifecycle agent has taken {key} up"),
            Self::UpdateRequested(wanted) if !wanted.architecture.is_empty() => {
                format!("the ClusterVersion asks for {} in architecture {}", wanted.name(), wanted.architecture)
            }
            Self::UpdateRequested(wanted) if wanted.force => {
                format!("the ClusterVersion asks for {} by force", wanted.name())
            }
            Self::UpdateRequested(wanted) => format!("the ClusterVersion asks for {}", wanted.name()),
            Self::RequestCleared => "the ClusterVersion asks for no update".to_owned(),
            Self::RisksAccepted { names } if names.is_empty() => "the ClusterVersion accepts no risk".to_owned(),
            Self::RisksAccepted { names } => format!("the ClusterVersion accepts {}", names.join(", ")),
            Self::ChannelSet { channel } if channel.is_empty() => "the ClusterVersion has no channel".to_owned(),
            Self::ChannelSet { channel } => format!("the ClusterVersion has the channel {channel}"),
            Self::UpstreamSet { upstream } if upstream.is_empty() => {
                "the ClusterVersion names no update service".to_owned()
            }
            Self::UpstreamSet { upstream } => format!("the ClusterVersion names the update service {upstream}"),
            Self::ComponentsManaged { components } => {
                format!("the ClusterVersion does not override {}", components.join(", "))
            }
            Self::Leaving { object, .. } => format!("{object} is being deleted or gone"),
            Self::NodesDrained { nodes } => format!("no pod is left to go on {}", nodes.join(", ")),
        }
    }

    /// The parts that no watch shows: they are proved by reading the objects again.
    pub fn reread(&self) -> Vec<&Self> {
        match self {
            Self::All(effects) => effects.iter().flat_map(Self::reread).collect(),
            Self::Stored { .. } | Self::Digests { .. } | Self::Gone { .. } | Self::Leaving { .. } => vec![self],
            _ => Vec::new(),
        }
    }

    /// The parts that the watch shows; none: there are none.
    pub fn watched(&self) -> Option<Self> {
        match self {
            Self::All(effects) => {
                let watched: Vec<Self> = effects.iter().filter_map(Self::watched).collect();
                (!watched.is_empty()).then_some(Self::All(watched))
            }
            Self::Stored { .. } | Self::Digests { .. } | Self::Gone { .. } | Self::Leaving { .. } => None,
            other => Some(other.clone()),
        }
    }

    /// Does an object that was read again show it? `found` is none when it does not exist.
    pub fn shown_by(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Stored { fields, .. }, Some(object)) => fields.iter().all(|(pointer, wanted)| {
                let found = object.pointer(pointer).unwrap_or(&Value::Null);
                found == wanted
            }),
            (Self::Gone { .. } | Self::Leaving { .. }, None) => true,
            (Self::Gone { uid, .. } | Self::Leaving { uid, .. }, Some(object)) => {
                let leaving = object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
                let other = object.pointer("/metadata/uid").and_then(Value::as_str) != Some(uid.as_str());
                other || (leaving && matches!(self, Self::Leaving { .. }))
            }
            (Self::Digests { fields, .. }, Some(object)) => fields.iter().all(|(pointer, wanted)| {
                let found = object.pointer(pointer).and_then(Value::as_str);
                found.is_some_and(|found| digest(found) == *wanted)
            }),
            _ => false,
        }
    }
}

/// How many fields are named before it is said how many more there are.
const FIELDS: usize = 4;

/// `csr/csr-8hx2k shows status.conditions.0.type`.
fn shows<'a>(object: &str, pointers: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = pointers.map(|pointer| words::field(pointer)).collect();
    let more = names.len().saturating_sub(FIELDS);
    let more = if more == 0 { String::new() } else { format!(" and {more} more fields") };
    format!("{object} shows {}{more}", names[..names.len().min(FIELDS)].join(", "))
}

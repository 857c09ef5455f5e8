//! What the facts mean: the value that every screen draws and every command prints.
//!
//! Plain data. It is made by `assess`, and never changed afterwards.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::cycles::Cycle;
use super::danger::Danger;
use super::estimate::Estimates;
use super::facts::Facts;
use super::image_based::ImageBased;
use super::timeline::Timeline;
use super::words;

/// Where the update stands, as a small closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// Could not tell: no ClusterVersion was seen (yet, or ever).
    Unknown,
    /// Nothing rolls and nothing was asked for.
    NotUpdating,
    /// An update was asked for and has not been accepted (yet).
    Requested,
    /// The cluster-version operator applies the payload.
    UpdatingControlPlane,
    /// The control plane is done; pools still roll, or what they set in motion has not settled yet
    /// ([`Assessment::headline`]).
    UpdatingPools,
    /// No version change, but nodes roll to a new configuration.
    ConfigRollout,
    /// A stage of an image-based upgrade goes on ([`Assessment::headline`] says which).
    ImageBased,
    /// Waits for a person: a paused pool with pending changes, an unacknowledged gate, a blocked drain.
    NeedsPerson,
    /// An operator takes longer than it should.
    Slow,
    /// Nothing moves although it should.
    Stalled,
    /// The cluster-version operator says `Failing`.
    Failing,
    /// The update ended and everything it should have changed was changed.
    Completed,
}

impl VerdictKind {
    /// The words of the header, in capitals there.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotUpdating => "not updating",
            Self::Requested => "requested, not accepted",
            Self::UpdatingControlPlane => "control plane updating",
            Self::UpdatingPools => "pools rolling",
            Self::ConfigRollout => "configuration rolling",
            Self::ImageBased => "image-based upgrade",
            Self::NeedsPerson => "needs a person",
            Self::Slow => "slow",
            Self::Stalled => "stalled",
            Self::Failing => "failing",
            Self::Completed => "completed",
        }
    }
}

impl VerdictKind {
    /// The name in JSON: stable, as documented for `oc-cockpit status`. None: could not tell.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::NotUpdating => "NotUpdating",
            Self::Requested => "Requested",
            Self::UpdatingControlPlane => "UpdatingControlPlane",
            Self::UpdatingPools => "UpdatingPools",
            Self::ConfigRollout => "ConfigRollout",
            Self::ImageBased => "ImageBased",
            Self::NeedsPerson => "NeedsPerson",
            Self::Slow => "Slow",
            Self::Stalled => "Stalled",
            Self::Failing => "Failing",
            Self::Completed => "Completed",
        })
    }
}

/// A field of an object that a statement rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `kind/name` as `oc` takes it: `clusterversion/version`, `mcp/worker`, `node/worker-3`.
    pub object: String,
    /// Path of the field, or the name of the condition.
    pub field: String,
    /// Its value, neutralised by whoever draws it.
    pub value: String,
    /// The time that the object gives for it.
    pub at: Option<DateTime<Utc>>,
}

/// The verdict with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub kind: VerdictKind,
    /// One sentence: what and why.
    pub why: String,
    /// Since when, as far as the API tells.
    pub since: Option<DateTime<Utc>>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// Something is wrong.
    Error,
    /// Act now.
    Critical,
}

/// Where a finding leads: the thing to select when the person presses enter on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The ClusterVersion.
    Version,
    /// A ClusterOperator by name.
    Operator(String),
    /// A pool by name.
    Pool(String),
    /// A node by name.
    Node(String),
    /// The connection itself, or a kind that cannot be read.
    Link,
    /// Any other object: a PDB, a MachineHealthCheck, a CSR, an alert.
    Object(Resource),
}

/// An object by its address, as findings name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Resource {
    /// Plural name and group as `oc` takes them: `nodes`, `clusteroperators.config.openshift.io`.
    pub resource: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Resource {
    /// A cluster-scoped object.
    pub fn cluster(resource: &str, name: &str) -> Self {
        Self { resource: resource.to_owned(), namespace: String::new(), name: name.to_owned() }
    }

    /// An object in a namespace.
    pub fn namespaced(resource: &str, namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::cluster(resource, name) }
    }

    /// The ClusterVersion.
    pub fn version() -> Self {
        Self::cluster("clusterversions.config.openshift.io", "version")
    }

    /// A ClusterOperator.
    pub fn operator(name: &str) -> Self {
        Self::cluster("clusteroperators.config.openshift.io", name)
    }

    /// A MachineConfigPool.
    pub fn pool(name: &str) -> Self {
        Self::cluster("machineconfigpools.machineconfiguration.openshift.io", name)
    }

    /// A Node.
    pub fn node(name: &str) -> Self {
        Self::cluster("nodes", name)
    }

    /// A PodDisruptionBudget.
    pub fn budget(namespace: &str, name: &str) -> Self {
        Self::namespaced("poddisruptionbudgets.policy", namespace, name)
    }

    /// In short: `nodes worker-1`, `pods shop/cart-0`.
    pub fn short(&self) -> String {
        let plural = self.resource.split('.').next().unwrap_or_default();
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        format!("{plural} {}{slash}{}", self.namespace, self.name)
    }

    /// A Pod.
    pub fn pod(namespace: &str, name: &str) -> Self {
        Self::namespaced("pods", namespace, name)
    }
}

/// What a finding costs, in the words that `oc adm upgrade status` uses (oc: pkg/cli/admin/upgrade/status/health.go,
/// `impactLevel`), so that people and programs that know those are at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Impact {
    /// Nothing.
    None,
    /// Not known.
    #[default]
    Unknown,
    /// The API may not answer.
    ApiAvailability,
    /// The cluster has less capacity.
    ClusterCapacity,
    /// Workloads may be interrupted.
    ApplicationAvailability,
    /// Workloads are down.
    ApplicationOutage,
    /// Data may be lost.
    DataLoss,
    /// The update takes longer.
    UpdateSpeed,
    /// The update, or a part of it, does not go on.
    UpdateStalled,
}

impl Impact {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Unknown => "Unknown",
            Self::ApiAvailability => "API Availability",
            Self::ClusterCapacity => "Cluster Capacity",
            Self::ApplicationAvailability => "Application Availability",
            Self::ApplicationOutage => "Application Outage",
            Self::DataLoss => "Data Loss",
            Self::UpdateSpeed => "Update Speed",
            Self::UpdateStalled => "Update Stalled",
        }
    }
}

/// Something that can be done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What to do, in an imperative sentence.
    pub words: String,
    /// How dangerous that is; none: it changes nothing (looking, waiting), or happens outside the cluster.
    pub danger: Option<Danger>,
    /// The `oc` line that does it or looks at it, where there is one.
    pub oc: Option<String>,
}

impl Remedy {
    /// Looking, waiting, or something outside of the cluster.
    pub fn look(words: impl Into<String>) -> Self {
        Self { words: words.into(), danger: None, oc: None }
    }

    /// Something that changes the cluster.
    pub fn change(danger: Danger, words: impl Into<String>) -> Self {
        Self { words: words.into(), danger: Some(danger), oc: None }
    }

    /// With the `oc` line.
    #[must_use]
    pub fn oc(self, line: impl Into<String>) -> Self {
        Self { oc: Some(line.into()), ..self }
    }
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable id of the check, kebab-case: `drain-blocked`, `pool-paused`, `operator-degraded`.
    pub id: &'static str,
    /// How bad.
    pub level: Level,
    /// What it costs.
    pub impact: Impact,
    /// What it is about: where it leads on the screen.
    pub subject: Subject,
    /// All objects that it is about, the subject first.
    pub resources: Vec<Resource>,
    /// One line.
    pub title: String,
    /// What it means: why this matters and what happens next if nobody acts; may be several lines.
    pub meaning: String,
    /// What to do, the best first.
    pub remedies: Vec<Remedy>,
    /// Where to read more: a runbook or a page of the product's documentation.
    pub link: Option<String>,
    /// Since when, as far as the API tells.
    pub since: Option<DateTime<Utc>>,
    /// When this program first saw it; none in a one-shot answer.
    pub first_seen: Option<DateTime<Utc>>,
    /// Normal at this point: while nodes reboot, or while a pool is held on purpose.
    pub expected: bool,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// It is a consequence: id and subject of the finding that tells the cause. It is listed below that one.
    pub because: Option<(&'static str, Subject)>,
}

/// From where to where the update goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// The version that the cluster comes from: newest Completed history entry before the current one.
    pub from: Option<String>,
    /// The last entry before the current one was never completed: its version.
    pub from_incomplete: Option<String>,
    /// The version that is being applied, or was applied last (`status.desired`, or its image when nameless).
    pub to: Option<String>,
    /// Is a version update in progress, by history (`history[0].state == Partial`)?
    pub in_progress: bool,
    /// `history[0].startedTime`.
    pub started: Option<DateTime<Utc>>,
    /// `history[0].completionTime` when Completed.
    pub completed: Option<DateTime<Utc>>,
    /// Same version, other image: a migration to a multi-architecture payload.
    pub multi_arch: bool,
    /// A new installation: history has one entry only.
    pub installing: bool,
    /// `spec.channel`.
    pub channel: Option<String>,
    /// Requested (`spec.desiredUpdate`) but not accepted: version or image, and which step holds it up.
    pub requested: Option<Requested>,
    /// Progress of the payload as the Progressing message tells it.
    pub payload: Option<Payload>,
    /// What the cluster-version operator waits for, from its message.
    pub waiting_on: Vec<String>,
    /// The Progressing message, whole.
    pub message: String,
    /// Updates on offer, newest first.
    pub offers: Vec<Offer>,
}

/// An update that was requested and is not (yet) accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Version, or image when the request names none.
    pub target: String,
    /// `ReleaseAccepted.reason`: RetrievePayload, LoadPayload, VerifyPayloadVersion, PreconditionChecks.
    pub step: String,
    /// Its message.
    pub message: String,
    /// `ReleaseAccepted == False`: refused, as opposed to still being worked on.
    pub refused: bool,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

impl Requested {
    /// What holds it up, in short: the preconditions that failed, as `AdminAckRequired (ClusterVersionUpgradeable)`, else the
    /// first line of the message. A message of failed preconditions begins with the image and says why far behind it
    /// (cluster-version-operator: `precondition.Error`, `Precondition %q failed because of %q: %v`).
    pub fn why(&self) -> String {
        let told = self.message.split("Precondition \"").skip(1).filter_map(|rest| {
            let (name, rest) = rest.split_once("\" failed because of \"")?;
            let (reason, _) = rest.split_once('"')?;
            let known = !name.contains('"') && !reason.is_empty();
            known.then(|| format!("{reason} ({name})"))
        });
        let failed: Vec<String> = told.collect();
        if failed.is_empty() { words::first_line(&self.message).to_owned() } else { failed.join(", ") }
    }
}

/// Manifests applied, as the Progressing message says: `N of M done (P% complete)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Manifests done in this attempt.
    pub done: u32,
    /// Manifests in the payload.
    pub total: u32,
    /// Which run through the manifests this is, from 1, as far as it was watched: the count begins anew with each attempt
    /// and when the operator's pod moves to another node.
    pub attempt: u32,
    /// The most manifests that were done in any attempt that was watched; not below `done`.
    pub highest: u32,
}

impl Payload {
    /// A count of which no other is known.
    pub fn new(done: u32, total: u32) -> Self {
        Self { done, total, attempt: 1, highest: done }
    }
}

/// How the control plane is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Topology {
    /// Three control plane nodes or more.
    HighlyAvailable,
    /// One node: no drain, and an outage while it reboots.
    SingleReplica,
    /// Two control plane nodes and an arbiter.
    Arbiter,
    /// Two control plane nodes that fence each other.
    Dual,
    /// The control plane runs elsewhere (a hosted cluster): no control plane nodes and no pools here.
    External,
    /// Not known.
    #[default]
    Unknown,
}

impl Topology {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::HighlyAvailable => "highly available",
            Self::SingleReplica => "single node",
            Self::Arbiter => "two control plane nodes and an arbiter",
            Self::Dual => "two control plane nodes",
            Self::External => "hosted control plane",
            Self::Unknown => "unknown",
        }
    }
}

/// A version on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Version.
    pub version: String,
    /// Pull spec by digest.
    pub image: String,
    /// None: recommended. Otherwise the reason and message of the `Recommended` condition.
    pub risk: Option<String>,
    /// Release notes.
    pub url: Option<String>,
}

/// The state of one ClusterOperator towards the target version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorState {
    /// Not available: `Available` is missing or not True.
    Unavailable,
    /// `Degraded` is True.
    Degraded,
    /// Not at the target version, and Progressing.
    Updating,
    /// Not at the target version, and quiet.
    Waiting,
    /// At the target version.
    Updated,
}

/// One ClusterOperator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRow {
    /// Name.
    pub name: String,
    /// Run level of its manifest by the built-in table; none: not in the table (lane `?`).
    pub level: Option<u8>,
    /// Counts towards the payload (annotated `include.release.openshift.io/*` or `exclude...`).
    pub platform: bool,
    /// The most telling state; [`OperatorRow::updated`], `degraded` and `available` tell each part.
    pub state: OperatorState,
    /// At the target version.
    pub updated: bool,
    /// `Available`.
    pub available: bool,
    /// `Progressing`.
    pub progressing: bool,
    /// `Degraded`.
    pub degraded: bool,
    /// `Upgradeable` is False: its message.
    pub not_upgradeable: Option<String>,
    /// Version `operator` that it reports.
    pub version: Option<String>,
    /// Transition time of the condition that the state rests on.
    pub since: Option<DateTime<Utc>>,
    /// Reason and message of that condition.
    pub reason: String,
    /// See `reason`.
    pub message: String,
    /// Normal while nodes reboot (daemon set operators flip Progressing then).
    pub expected: bool,
    /// Since when it works on the target version, by the own clock; none: it does not, or that is not known.
    pub working_since: Option<DateTime<Utc>>,
    /// The limit that it runs into next, or has passed last; none: no limit applies to it now.
    pub deadline: Option<Deadline>,
    /// `status.extension.lastSyncError` of `machine-config`: what keeps it, long before it says so in a condition.
    pub sync_error: Option<String>,
}

/// When an operator will have taken too long, and by whose measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When it is reached, or was.
    pub at: DateTime<Utc>,
    /// Whose measure.
    pub limit: Limit,
}

/// How long an operator may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// 20 minutes: what every operator promises for its own change of version (api: config/v1/types_cluster_operator.go).
    Contract,
    /// 30 minutes: the cluster-version operator calls it slow (cvo: pkg/cvo/status.go).
    Slow,
    /// 40 minutes: the cluster-version operator fails because of a degraded operator (cvo: pkg/cvo/status.go).
    Degraded,
    /// 90 minutes: the same as `Slow` for `machine-config`, whose nodes reboot meanwhile; also its contract.
    MachineConfig,
}

impl Limit {
    /// How long.
    pub fn span(self) -> TimeDelta {
        TimeDelta::minutes(match self {
            Self::Contract => 20,
            Self::Slow => 30,
            Self::Degraded => 40,
            Self::MachineConfig => 90,
        })
    }

    /// What happens then, as the end of a sentence.
    pub fn then(self) -> &'static str {
        match self {
            Self::Contract => "it has taken longer than operators promise",
            Self::Slow | Self::MachineConfig => "the cluster-version operator calls it slow (Failing=Unknown)",
            Self::Degraded => "the cluster-version operator fails (Failing=True)",
        }
    }
}

/// The operators and their counts. Counts are over platform operators only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operators {
    /// All rows: by run level, then by name; those without level last.
    pub rows: Vec<OperatorRow>,
    /// Platform operators.
    pub total: usize,
    /// At the target version.
    pub updated: usize,
    /// Not at it and Progressing.
    pub updating: usize,
    /// Not at it and quiet.
    pub waiting: usize,
    /// Not available.
    pub unavailable: usize,
    /// Available but degraded.
    pub degraded: usize,
}

/// The phase of a node in a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodePhase {
    /// State Degraded or Unreconcilable.
    Degraded,
    /// The drain runs.
    Draining,
    /// Cordoned, the drain has not begun.
    Cordoned,
    /// Targeted: the daemon checks the change.
    Preparing,
    /// Files and OS image are being written.
    Applying,
    /// From the reboot command until the node is heard again.
    Rebooting,
    /// Booted, not Ready or not validated yet.
    Back,
    /// The new configuration runs; the cordon is being lifted.
    Uncordoning,
    /// Not at the pool's configuration, its turn has not come.
    Waiting,
    /// Not at the pool's configuration, and the pool is paused.
    Paused,
    /// At the pool's configuration.
    Done,
    /// No pool manages it (no pool matches, several custom pools match, Windows).
    Unmanaged,
}

impl NodePhase {
    /// The word that the screen shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Degraded => "Degraded",
            Self::Draining => "Draining",
            Self::Cordoned => "Cordoned",
            Self::Preparing => "Preparing",
            Self::Applying => "Applying",
            Self::Rebooting => "Rebooting",
            Self::Back => "Back",
            Self::Uncordoning => "Uncordoning",
            Self::Waiting => "Waiting",
            Self::Paused => "Paused",
            Self::Done => "Done",
            Self::Unmanaged => "Unmanaged",
        }
    }

    /// Is the machine-config daemon at work on the node?
    pub fn moving(self) -> bool {
        matches!(
            self,
            Self::Preparing
                | Self::Cordoned
                | Self::Draining
                | Self::Applying
                | Self::Rebooting
                | Self::Back
                | Self::Uncordoning
        )
    }
}

/// Where a phase or its age was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The MachineConfigNode.
    MachineConfigNode,
    /// Annotations and state of the Node.
    Annotations,
    /// This program saw it happen.
    Seen,
}

/// A cordon and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cordon {
    /// By the machine-config operator for its own drain; false: somebody else's.
    pub by_mco: bool,
    /// The manager that set `spec.unschedulable`, by managedFields, where known.
    pub manager: Option<String>,
    /// Since when (taint `node.kubernetes.io/unschedulable` timeAdded, else managedFields time).
    pub since: Option<DateTime<Utc>>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name.
    pub name: String,
    /// Pool that manages it.
    pub pool: Option<String>,
    /// `topology.kubernetes.io/zone`.
    pub zone: Option<String>,
    /// Roles, sorted.
    pub roles: Vec<String>,
    /// Phase.
    pub phase: NodePhase,
    /// Since when it is in the phase; none: unknown.
    pub since: Option<DateTime<Utc>>,
    /// How far a degraded node came: the phase in which it fails; none: it is not degraded, or that is not known.
    pub reached: Option<NodePhase>,
    /// Where phase came from.
    pub phase_source: Source,
    /// Rebuilt from what the API remembers rather than seen; the screen marks such ages with `~`.
    pub since_rebuilt: bool,
    /// When its boot ID was first seen to have changed in this cycle; none: it was not seen to boot.
    pub booted: Option<DateTime<Utc>>,
    /// Ready.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub cordon: Option<Cordon>,
    /// Release version of the current rendered config (`release-image-version` of that MachineConfig).
    pub version: Option<String>,
    /// `nodeInfo.kubeletVersion`.
    pub kubelet: Option<String>,
    /// Annotation `currentConfig`.
    pub current_config: Option<String>,
    /// Annotation `desiredConfig`.
    pub desired_config: Option<String>,
    /// Something outside of the cluster updates its operating system: judged by its kubelet alone.
    pub outside: Option<Outside>,
    /// Counted unavailable by the machine-config controller (not Ready, cordoned, or mid-work).
    pub unavailable: bool,
    /// Why it is degraded, blocked or special; one or several lines; empty when there is nothing to say.
    pub message: String,
    /// The drain has been failing: since when, and the pods that the last error names.
    pub drain_trouble: Option<DrainTrouble>,
    /// Place in the queue of the next candidates of its pool, from 1; none: not a candidate now.
    pub next: Option<usize>,
    /// Pods that hold its drain up now; empty when it does not drain, or when its pods are not known.
    pub blockers: Vec<Blocker>,
    /// What its drain would meet, for nodes of the next wave whose pods are known.
    pub forecast: Option<Arc<Forecast>>,
}

/// Why the machine-config operator does not bring a node's operating system to the release's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outside {
    /// It runs RHEL: the daemon applies configuration and ignores `osImageURL` (mco: pkg/daemon/update.go).
    Rhel,
    /// A MachineConfig names another OS image than the release's (annotation `os-image-url-overridden` of the rendered one).
    OverriddenImage,
}

/// What is known of a drain that does not come to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainTrouble {
    /// Since when the drain runs.
    pub since: Option<DateTime<Utc>>,
    /// Pods that the last error names, as `namespace/name`.
    pub pods: Vec<String>,
    /// The error, as the MachineConfigNode or the event tells it.
    pub error: String,
}

/// Why a pod keeps a drain from ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Its PodDisruptionBudget allows no disruption.
    Budget(Budget),
    /// Its PodDisruptionBudget was changed and the controller has not judged it yet.
    BudgetNotObserved {
        /// Name of the PDB.
        name: String,
    },
    /// Several PodDisruptionBudgets select it: the eviction API refuses (500) whatever they allow.
    SeveralBudgets {
        /// Names.
        names: Vec<String>,
    },
    /// It is being deleted and does not end.
    Terminating {
        /// When its grace period ends or ended.
        grace_ends: Option<DateTime<Utc>>,
        /// What has to be removed from it first.
        finalizers: Vec<String>,
    },
    /// A virtual machine that has to move first.
    VirtualMachine {
        /// Why it cannot, or how far it is.
        why: String,
    },
}

/// The numbers of a PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Name.
    pub name: String,
    /// `status.disruptionsAllowed`.
    pub allowed: i64,
    /// `status.currentHealthy`.
    pub healthy: i64,
    /// `status.desiredHealthy`.
    pub desired: i64,
    /// `status.expectedPods`.
    pub expected: i64,
    /// It can never allow a disruption, however healthy the workload: `maxUnavailable: 0`, `minAvailable: 100%`, or as
    /// many as there are pods.
    pub impossible: bool,
}

/// A pod that keeps a drain from ending, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Namespace of the pod.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Why.
    pub cause: Cause,
    /// The workload that it belongs to as `kind/name`; none: a bare pod.
    pub owner: Option<String>,
    /// Since when it is in the way, where known.
    pub since: Option<DateTime<Utc>>,
    /// What would free it, the best first.
    pub frees: Vec<Remedy>,
}

/// What a drain of a node that has not begun would meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Pods that would keep it from ending.
    pub blockers: Vec<Blocker>,
    /// Pods that would be evicted, in all.
    pub evicted: usize,
    /// Bare pods as `namespace/name`: nothing brings them back.
    pub bare: Vec<String>,
    /// Pods with `emptyDir` volumes, whose content is lost.
    pub empty_dir: Vec<String>,
    /// The longest grace period among them, seconds.
    pub longest_grace: i64,
}

/// The arithmetic of how many more nodes the controller would take now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// `maxUnavailable`, scaled (percent rounded down, 0 becomes 1).
    pub max_unavailable: usize,
    /// As written in the pool: `1`, `10%`.
    pub max_unavailable_spec: String,
    /// Nodes unavailable now.
    pub unavailable: usize,
    /// Nodes that target the configuration and fail.
    pub failing: usize,
    /// What is left.
    pub free: usize,
    /// The next candidates in the controller's order, as many as could be named (not only `free`).
    pub next: Vec<String>,
    /// Why no node is taken now although some wait; empty otherwise.
    pub why_none: String,
    /// The nodes that the controller works on, when they alone use the capacity up: the next one follows them, as it
    /// should. Empty when there is room, or when something else takes some of it.
    pub busy: Vec<String>,
    /// What the order of [`Capacity::next`] could not take into account; empty when it is exact.
    pub caveat: String,
}

/// The OS image of a layered pool, which is built on the cluster before any node takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The image that nodes go to (`status.currentImagePullSpec` of the MachineOSConfig); none: not known, or none yet.
    pub image: Option<String>,
    /// How far the build for the pool's configuration is.
    pub build: Build,
}

/// The state of the build of an OS image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Build {
    /// Not begun.
    Pending,
    /// In progress.
    Building,
    /// Failed: nodes keep what they have until a person repairs it.
    Failed,
    /// Stopped by somebody.
    Interrupted,
    /// The image can be used.
    Succeeded,
}

impl Build {
    /// In words, behind "the OS image build".
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "has not begun",
            Self::Building => "goes on",
            Self::Failed => "failed",
            Self::Interrupted => "was interrupted",
            Self::Succeeded => "is done",
        }
    }
}

/// One MachineConfigPool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Name.
    pub name: String,
    /// `spec.paused`.
    pub paused: bool,
    /// Who paused it and when, by managedFields; no time where that may be the time of another change.
    pub paused_by: Option<(String, Option<DateTime<Utc>>)>,
    /// `spec.configuration.name`: the rendered config that nodes go to.
    pub target: Option<String>,
    /// Release version of that config.
    pub target_version: Option<String>,
    /// Nodes, by true count from their annotations.
    pub total: usize,
    /// At the target; nodes that fail there (drift) count here and among the degraded ones.
    pub updated: usize,
    /// Being worked on.
    pub moving: usize,
    /// Of these, draining.
    pub draining: usize,
    /// Not at the target, not targeted.
    pub waiting: usize,
    /// Unavailable in the controller's count.
    pub unavailable: usize,
    /// State Degraded or Unreconcilable.
    pub degraded: usize,
    /// The pool's own condition `Degraded`: its message, and its time.
    pub degraded_message: Option<String>,
    /// Transition time of `Updating` when True: the start of this rollout.
    pub rolling_since: Option<DateTime<Utc>>,
    /// What rolls there is another release; otherwise it is only another configuration, or nothing.
    pub changes_release: bool,
    /// Capacity arithmetic.
    pub capacity: Capacity,
    /// The OS image that is built on the cluster for it; none: the pool is not layered, as far as is known.
    pub layer: Option<Layer>,
    /// Master, or arbiter: never paused, never above maxUnavailable 1.
    pub control_plane: bool,
}

impl Pool {
    /// Does any node differ from the target?
    pub fn outdated(&self) -> bool {
        self.updated < self.total
    }
}

/// State of a step of the phase rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Todo,
    /// In progress.
    Active,
    /// In progress, and a person is needed or something fails.
    Trouble,
    /// Done.
    Done,
}

/// A step of the phase rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `preflight`, `requested`, `accepted`, `operators`, `masters`, `pools`, `verify`; of an image-based upgrade `idle`,
    /// `prep`, `upgrade`, `rollback`.
    pub name: &'static str,
    /// State.
    pub state: StepState,
    /// Count such as `33/34`, the part of the step that is being done, or empty.
    pub detail: String,
    /// Rolls side by side with the step before it.
    pub beside: bool,
    /// When it began, or ended if it is done, as far as the API tells.
    pub since: Option<DateTime<Utc>>,
    /// What it waits for, a line each; empty when it is done or nothing is in its way.
    pub waits: Vec<String>,
    /// What it was judged by.
    pub evidence: Vec<Evidence>,
}

impl Step {
    /// A step without anything to say.
    pub fn new(name: &'static str, state: StepState) -> Self {
        Self { name, state, detail: String::new(), beside: false, since: None, waits: Vec::new(), evidence: Vec::new() }
    }
}

/// What the facts mean at a moment.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The moment.
    pub now: DateTime<Utc>,
    /// What it was made from.
    pub facts: Arc<Facts>,
    /// Counts up with each assessment: views rebuild their rows when it moves.
    pub generation: u64,
    /// Is this an OpenShift cluster? None: not known yet.
    pub openshift: Option<bool>,
    /// `spec.clusterID`.
    pub cluster_id: Option<String>,
    /// How the control plane is laid out.
    pub topology: Topology,
    /// Workloads run on control plane nodes and nowhere else.
    pub compact: bool,
    /// Where the update stands.
    pub verdict: Verdict,
    /// From where to where.
    pub update: Update,
    /// Progress of the whole in percent (operators, then nodes), 0 to 100; none when nothing rolls.
    pub progress: Option<u8>,
    /// Operators.
    pub operators: Operators,
    /// Pools: master first, arbiter, worker, then custom pools by name.
    pub pools: Vec<Pool>,
    /// The image-based upgrade of a single-node cluster; none: its kind is not served, or was not read.
    pub image_based: Option<Arc<ImageBased>>,
    /// Nodes by name; shared, so that an assessment that only became fresher costs nothing on a large cluster.
    pub nodes: Arc<Vec<Node>>,
    /// How long nodes took in this rollout, oldest first; shared.
    pub cycles: Arc<Vec<Cycle>>,
    /// The phase rail.
    pub rail: Vec<Step>,
    /// How long it still takes.
    pub estimates: Estimates,
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// What happened, oldest first.
    pub timeline: Arc<Timeline>,
}

impl Assessment {
    /// The words of the header: those of the verdict, or `settling` when all nodes are done and the cluster is watched
    /// until it is quiet; of an image-based upgrade where its stage machine stands.
    pub fn headline(&self) -> &'static str {
        if let Some(image) = self.image_based.as_deref().filter(|image| image.under_way()) {
            return image.headline();
        }
        let settling = self.verdict.kind == VerdictKind::UpdatingPools && !self.pools.iter().any(Pool::outdated);
        if settling { "settling" } else { self.verdict.kind.words() }
    }

    /// A node by name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok().map(|at| &self.nodes[at])
    }

    /// A pool by name.
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// An operator by name.
    pub fn operator(&self, name: &str) -> Option<&OperatorRow> {
        self.operators.rows.iter().find(|row| row.name == name)
    }

    /// The nodes of a pool.
    pub fn nodes_of<'a>(&'a self, pool: &'a str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.pool.as_deref() == Some(pool))
    }
}

/// An age for people, from `since` to `now`: never negative (clocks differ).
pub fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - since).max(TimeDelta::zero())
}

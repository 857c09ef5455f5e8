//! What goes wrong with the cluster of a scenario: the words of its list `faults`.
//!
//! Belongs here: the kinds, what each is about, when it begins and how it ends. Does not: bringing it about (see
//! [`crate::sim::actors::misfortune`] and the actors that ask for it), what was observed of it (see
//! [`crate::sim::mishaps`]).
//! Imports nothing of ours but spans.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::Span;

/// An entry of `faults`. Durations are simulated.
///
/// It is *armed* `after` so much time of the story, *begins* when its kind says (see [`MishapKind`]), and is over
/// `lasts` after it began, or when somebody removed its cause, whichever is first; without `lasts` it stays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mishap {
    /// What goes wrong.
    pub kind: MishapKind,
    /// What it happens to: see [`MishapKind::about`].
    #[serde(default)]
    pub object: String,
    /// How long after the story began it is armed.
    #[serde(default)]
    pub after: Span,
    /// How long it lasts.
    #[serde(default)]
    pub lasts: Option<Span>,
    /// The reason that is told, where the kind has one to choose.
    #[serde(default)]
    pub reason: Option<String>,
    /// The message that is told, where the kind has one to choose.
    #[serde(default)]
    pub message: Option<String>,
}

/// What the object of a mishap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The ClusterVersion: no object is named.
    ClusterVersion,
    /// A release, by its version.
    Release,
    /// The key of an admin gate.
    Gate,
    /// A cluster operator.
    Operator,
    /// A pool.
    Pool,
    /// A node.
    Node,
    /// `namespace/name` of a workload.
    Workload,
    /// The ImageBasedUpgrade: no object is named.
    ImageBasedUpgrade,
}

macro_rules! mishaps {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $about:ident;)*) => {
        /// What can go wrong with the cluster, when it begins, and what ends it besides `lasts`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MishapKind { $($(#[$doc])* $name,)* }

        impl MishapKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in scenario files and on the command line.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What its object is.
            pub const fn about(self) -> About {
                match self { $(Self::$name => About::$about,)* }
            }
        }
    };
}

mishaps! {
    /// `spec.desiredUpdate` names a version that is not on offer. At once; ends when the request is taken back.
    InvalidRequest = "invalid-request", ClusterVersion;
    /// Somebody asks for another release. At once, and over at once.
    Retarget = "retarget", Release;
    /// No signature of the release can be found. When it is retrieved next; ends when a signature ConfigMap is there.
    SignatureMissing = "signature-missing", Release;
    /// The image of the release cannot be pulled. When it is retrieved next.
    PayloadUnreachable = "payload-unreachable", Release;
    /// The update service does not answer. At once.
    UpdatesUnreachable = "updates-unreachable", ClusterVersion;
    /// A webhook rejects manifests of a component. When the payload comes to it.
    ManifestsRejected = "manifests-rejected", Operator;
    /// The cluster version operator crash-loops. At once.
    VersionOperatorDown = "version-operator-down", ClusterVersion;
    /// A gate appears that nobody has acknowledged. At once; ends with the acknowledgement.
    GateOpen = "gate-open", Gate;
    /// An operator says Degraded=True. At once.
    OperatorDegraded = "operator-degraded", Operator;
    /// An operator says Available=False. At once.
    OperatorUnavailable = "operator-unavailable", Operator;
    /// An operator does not get done. When it begins to update.
    OperatorSlow = "operator-slow", Operator;
    /// An operator says Upgradeable=False. At once.
    OperatorNotUpgradeable = "operator-not-upgradeable", Operator;
    /// An operator changes its mind every other minute: Degraded for twenty seconds. At once.
    OperatorFlapping = "operator-flapping", Operator;
    /// The etcd member of a control plane node is unhealthy: etcd is degraded, its guard is not ready. At once.
    EtcdMemberUnhealthy = "etcd-member-unhealthy", Node;
    /// Somebody pauses a pool. At once; ends when it is unpaused.
    PoolPaused = "pool-paused", Pool;
    /// The configuration of a pool cannot be rendered. At once.
    RenderDegraded = "render-degraded", Pool;
    /// The image of a layered pool cannot be built. When it is built next.
    BuildFailed = "build-failed", Pool;
    /// Somebody cordons a node. At once; ends when it is uncordoned.
    NodeCordoned = "node-cordoned", Node;
    /// A node does not come back from its reboot. When it reboots next.
    NodeLost = "node-lost", Node;
    /// A machine falls silent. At once.
    NodeDown = "node-down", Node;
    /// The reboot of a node cannot be started. When it is to reboot next.
    RebootFailed = "reboot-failed", Node;
    /// Somebody changed a file of the configuration by hand. At once while the node is at rest.
    ConfigDrift = "config-drift", Node;
    /// The image of the operating system cannot be pulled. When the node applies its next configuration.
    ImagePullFailing = "image-pull-failing", Node;
    /// The new configuration cannot be reached from the present one. When the node takes it up.
    Unreconcilable = "unreconcilable", Node;
    /// The rendered configuration that a node is to have does not exist. When the node takes it up.
    ConfigMissing = "config-missing", Node;
    /// The disk of a node is full. At once.
    DiskPressure = "disk-pressure", Node;
    /// Nobody approves the certificates of a node that was away. When it comes back; ends with the approval.
    CsrPending = "csr-pending", Node;
    /// A node cannot pull the images that are pinned for it. At once.
    PinnedImagesFailing = "pinned-images-failing", Node;
    /// A pod has a finalizer that nobody removes, so that it stays when it is deleted. At once.
    PodStuck = "pod-stuck", Workload;
    /// A second PodDisruptionBudget covers the pods of a workload. At once; ends when it is deleted.
    SecondBudget = "second-budget", Workload;
    /// OLM's own package server does not get installed. At once; ends when its ClusterServiceVersion is deleted.
    PackageServerStuck = "package-server-stuck", ClusterVersion;
    /// A PodDisruptionBudget allows no disruption at all of a workload. At once; ends when it is deleted.
    BudgetZero = "budget-zero", Workload;
    /// The seed image cannot be pulled. When Prep sets up the new stateroot.
    SeedUnreachable = "seed-unreachable", ImageBasedUpgrade;
    /// An image of the seed cannot be pulled. When Prep pulls them.
    PrecacheFailed = "precache-failed", ImageBasedUpgrade;
    /// A Backup fails. When it is made; `reason` names its phase.
    BackupFailed = "backup-failed", ImageBasedUpgrade;
    /// Velero cannot reach the backup location. At once; ends when somebody changes the location or its credentials.
    BackupLocationUnavailable = "backup-location-unavailable", ImageBasedUpgrade;
    /// The DataProtectionApplication does not come over. At the pivot.
    DataProtectionMissing = "data-protection-missing", ImageBasedUpgrade;
    /// The policy manifests cannot be applied. After the pivot.
    PolicyManifestsFailed = "policy-manifests-failed", ImageBasedUpgrade;
    /// The extra manifests cannot be applied. After the pivot.
    ConfigManifestsFailed = "config-manifests-failed", ImageBasedUpgrade;
    /// A Restore fails. When it is made; `reason` names its phase.
    RestoreFailed = "restore-failed", ImageBasedUpgrade;
    /// The cluster does not come to rest after the pivot. When it is waited for.
    UpgradeHangs = "upgrade-hangs", ImageBasedUpgrade;
    /// The configuration of the first boot fails. When the new stateroot boots.
    BootConfigFailed = "boot-config-failed", ImageBasedUpgrade;
    /// The machine boots the stateroot that it was to leave. At the pivot.
    UncontrolledRollback = "uncontrolled-rollback", ImageBasedUpgrade;
    /// The old stateroot cannot be made the default. When a rollback is to reboot into it.
    RollbackFailed = "rollback-failed", ImageBasedUpgrade;
    /// Somebody has to choose the deployment of the next boot by hand. When a rollback is to reboot; ends when it is
    /// chosen.
    DefaultDeploymentManual = "default-deployment-manual", ImageBasedUpgrade;
    /// What is left of an upgrade cannot be removed. When it is aborted or finalized.
    CleanupFailed = "cleanup-failed", ImageBasedUpgrade;
}

impl MishapKind {
    /// The object as findings name it: `node/worker-1`, `clusteroperator/etcd`, `pdb/shop/cart`.
    pub fn reference(self, object: &str) -> String {
        match self {
            Self::PodStuck => format!("pod/{object}"),
            Self::PackageServerStuck => {
                "clusterserviceversion/openshift-operator-lifecycle-manager/packageserver".to_owned()
            }
            Self::SecondBudget | Self::BudgetZero => format!("poddisruptionbudget/{object}"),
            _ => match self.about() {
                About::ClusterVersion | About::Release | About::Gate => "clusterversion/version".to_owned(),
                About::Operator => format!("clusteroperator/{object}"),
                About::Pool => format!("machineconfigpool/{object}"),
                About::Node => format!("node/{object}"),
                About::Workload => object.to_owned(),
                About::ImageBasedUpgrade => "imagebasedupgrade/upgrade".to_owned(),
            },
        }
    }
}

impl fmt::Display for MishapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for MishapKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.word() == text).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|kind| kind.word()).collect();
            format!("{text:?} is not something that can go wrong here: {}", words.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for MishapKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Mishap {
    /// A mishap that is armed at once and stays.
    pub fn now(kind: MishapKind, object: &str) -> Self {
        Self { kind, object: object.to_owned(), after: Span::default(), lasts: None, reason: None, message: None }
    }

    /// The same for a limited time.
    #[must_use]
    pub fn lasting(self, lasts: Span) -> Self {
        Self { lasts: Some(lasts), ..self }
    }

    /// The same, armed later.
    #[must_use]
    pub fn armed_after(self, after: Span) -> Self {
        Self { after, ..self }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.object.is_empty() {
            write!(f, ":{}", self.object)?;
        }
        if let Some(lasts) = self.lasts {
            write!(f, "+{}", lasts.0.as_secs())?;
        }
        Ok(())
    }
}

//! Image-based upgrades: the lifecycle agent of a single-node cluster, the seed, the backups, and how long it all takes.
//!
//! Belongs here: the words below `cluster.lifecycle-agent`. Does not: what the agent does with them (see
//! [`crate::sim::actors::lifecycle_agent`]).
//! Imports nothing of ours but spans.

use serde::Deserialize;

use super::Span;

/// The lifecycle agent and what it finds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LifecycleAgent {
    /// The namespace that it runs in: `openshift-operators` where it was installed for all namespaces.
    #[serde(default = "own_namespace")]
    pub namespace: String,
    /// The version of its ClusterServiceVersion.
    #[serde(default = "agent_version")]
    pub version: String,
    /// The image that the cluster is meant to be upgraded from.
    pub seed: Seed,
    /// Velero Backups, and Restores of the same names, that ConfigMaps hold.
    #[serde(default)]
    pub backups: Vec<BackupStory>,
    /// How many logical volumes of LVM storage there are.
    #[serde(default)]
    pub logical_volumes: usize,
    /// What the validation of extra manifests in Prep warns of.
    #[serde(default)]
    pub validation_warning: Option<String>,
    /// Automatic rollbacks that somebody has switched off before the story begins.
    #[serde(default)]
    pub switched_off: Vec<RollbackSwitch>,
    /// What becomes of access tokens when the cluster starts from the seed.
    #[serde(default)]
    pub tokens: Tokens,
    /// Whether the agent is so new that it has an IPConfig too.
    #[serde(default)]
    pub ip_config: bool,
    /// How long everything takes, simulated.
    #[serde(default)]
    pub durations: Durations,
    /// Stages that the story asks for by itself, where nobody is there to do so.
    #[serde(default)]
    pub steps: Vec<StageStep>,
    /// Whether this is the cluster as a seed brings it: without content of its own.
    #[serde(skip)]
    pub is_seed: bool,
}

/// A seed image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seed {
    /// Its pull spec.
    pub image: String,
    /// The OpenShift release that it was made from.
    pub version: String,
    /// How long before the story the cluster that it was made from was installed, on the wall.
    #[serde(default = "a_month")]
    pub installed: Span,
}

/// A Backup with its Restore.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupStory {
    /// The name of both.
    pub name: String,
    /// The namespaces that it covers.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Cluster-scoped resources that it covers, such as `logicalvolumes.topolvm.io`.
    #[serde(default)]
    pub cluster_resources: Vec<String>,
    /// `lca.openshift.io/apply-wave`.
    #[serde(default = "first_wave")]
    pub wave: u32,
    /// How many items it has.
    #[serde(default = "some_items")]
    pub items: u32,
    /// `restorePVs` and `restoreStatus.includedResources: [logicalvolumes]` of the Restore.
    #[serde(default)]
    pub restores_volumes: bool,
}

/// What an annotation `auto-rollback-on-failure.lca.openshift.io/...` switches off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackSwitch {
    /// The configuration of the first boot fails.
    PostRebootConfig,
    /// The agent calls the upgrade failed.
    UpgradeCompletion,
    /// The upgrade is not complete in time.
    InitMonitor,
}

impl RollbackSwitch {
    /// The annotation.
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::PostRebootConfig => "auto-rollback-on-failure.lca.openshift.io/post-reboot-config",
            Self::UpgradeCompletion => "auto-rollback-on-failure.lca.openshift.io/upgrade-completion",
            Self::InitMonitor => "auto-rollback-on-failure.lca.openshift.io/init-monitor",
        }
    }
}

/// What becomes of access tokens at the pivot. Client certificates stay good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tokens {
    /// They go on being accepted, as client certificates are.
    #[default]
    Kept,
    /// They were objects of the old etcd, and nothing carries them over: 401 until somebody logs in again.
    Lost,
}

/// How long the parts of an image-based upgrade take, simulated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Durations {
    /// Setting up the new stateroot.
    pub stateroot: Span,
    /// Pulling all images.
    pub precache: Span,
    /// How many images those are.
    pub images: u32,
    /// A Backup of a hundred items.
    pub backup: Span,
    /// From the reboot into the new stateroot to an API server that answers.
    pub reboot: Span,
    /// How long the operators are busy after it.
    pub settling: Span,
    /// A Restore of a hundred items.
    pub restore: Span,
    /// From the reboot into the old stateroot to an API server that answers.
    pub rollback: Span,
    /// Cleaning up for an abort or a finalize.
    pub cleanup: Span,
    /// How long the new stateroot's certificates still hold, on the wall: the old side can be booted until half an hour
    /// before.
    pub certificates: Span,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            stateroot: Span::seconds(90),
            precache: Span::seconds(150),
            images: 136,
            backup: Span::seconds(30),
            reboot: Span::seconds(560),
            settling: Span::seconds(120),
            restore: Span::seconds(40),
            rollback: Span::seconds(450),
            cleanup: Span::seconds(20),
            certificates: Span::seconds(26 * 86_400),
        }
    }
}

/// A stage that the story asks for by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageStep {
    /// The stage.
    pub stage: Stage,
    /// How long after it became possible, simulated.
    pub after: Span,
}

/// `spec.stage` of an ImageBasedUpgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Stage {
    /// At rest; aborts or finalizes what was.
    Idle,
    /// The new stateroot is prepared.
    Prep,
    /// Backup, reboot, restore.
    Upgrade,
    /// Back into the old stateroot.
    Rollback,
}

impl Stage {
    /// The word in `spec.stage`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Prep => "Prep",
            Self::Upgrade => "Upgrade",
            Self::Rollback => "Rollback",
        }
    }

    /// The stage of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Idle, Self::Prep, Self::Upgrade, Self::Rollback].into_iter().find(|stage| stage.word() == word)
    }
}

fn own_namespace() -> String {
    "openshift-lifecycle-agent".to_owned()
}

fn agent_version() -> String {
    "4.19.0".to_owned()
}

fn a_month() -> Span {
    Span::seconds(30 * 86_400)
}

const fn first_wave() -> u32 {
    1
}

const fn some_items() -> u32 {
    120
}

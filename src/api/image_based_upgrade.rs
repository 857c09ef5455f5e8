//! `lca.openshift.io/v1 ImageBasedUpgrade`, and its sibling `IPConfig`, which keeps it from starting.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::machine_config_node::ObjectName;
use super::metadata::{Keeps, annotation};

/// Keys of annotations on an ImageBasedUpgrade (lifecycle-agent: api/imagebasedupgrade/v1/types.go and
/// internal/common/consts.go).
pub mod ibu_key {
    /// Tells the agent that what it could not clean up was cleaned up by hand; it removes it and cleans up again.
    pub const MANUAL_CLEANUP: &str = "lca.openshift.io/manual-cleanup-done";
    /// Lets the agent look again; any new value does.
    pub const TRIGGER: &str = "lca.openshift.io/trigger-reconcile";
    /// What the dry run of extra manifests warned of, in Prep.
    pub const VALIDATION_WARNING: &str = "extra-manifest.lca.openshift.io/validation-warning";
    /// `Disabled`: no rollback when the units that configure the new system fail.
    pub const ROLLBACK_POST_REBOOT: &str = "auto-rollback-on-failure.lca.openshift.io/post-reboot-config";
    /// `Disabled`: no rollback when the agent marks the upgrade as failed.
    pub const ROLLBACK_COMPLETION: &str = "auto-rollback-on-failure.lca.openshift.io/upgrade-completion";
    /// `Disabled`: no rollback when the upgrade is not completed in time.
    pub const ROLLBACK_WATCHDOG: &str = "auto-rollback-on-failure.lca.openshift.io/init-monitor";
    /// The value that switches one of them off.
    pub const DISABLED: &str = "Disabled";
}

kind! {
    /// An image-based upgrade of a single-node cluster; there is one, named `upgrade`.
    pub struct ImageBasedUpgrade in "lca.openshift.io" / "v1" as "imagebasedupgrades", ClusterResourceScope {
        metadata: Keeps {
            annotations: &[
                "lca.openshift.io/",
                "extra-manifest.lca.openshift.io/",
                "auto-rollback-on-failure.lca.openshift.io/",
                "image-cleanup.lca.openshift.io/",
            ],
            owner_of: None,
            life: false,
        },
        /// What was asked for.
        "spec" => pub spec: ImageBasedUpgradeSpec,
        /// What is.
        "status" => pub status: ImageBasedUpgradeStatus,
    }
}

impl ImageBasedUpgrade {
    /// An annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        annotation(&self.metadata, key)
    }
}

part! {
    /// What was asked for.
    pub struct ImageBasedUpgradeSpec {
        /// `Idle`, `Prep`, `Upgrade` or `Rollback`.
        "stage" => pub stage: String,
        /// The image of the seed cluster.
        "seedImageRef" => pub seed: SeedImageRef,
        /// ConfigMaps with Backups and Restores.
        "oadpContent" => pub oadp_content: Vec<ConfigMapRef>,
        /// ConfigMaps with manifests that are applied after the reboot.
        "extraManifests" => pub extra_manifests: Vec<ConfigMapRef>,
        /// When it rolls back by itself.
        "autoRollbackOnFailure" => pub auto_rollback: AutoRollbackOnFailure,
    }
}

part! {
    /// A seed image.
    pub struct SeedImageRef {
        /// The seed cluster's version.
        "version" => pub version: String,
        /// Pull spec.
        "image" => pub image: String,
        /// A Secret in the agent's namespace.
        "pullSecretRef" => pub pull_secret: ObjectName,
    }
}

part! {
    /// A ConfigMap by its address.
    pub struct ConfigMapRef {
        /// Namespace.
        "namespace" => pub namespace: String,
        /// Name.
        "name" => pub name: String,
    }
}

part! {
    /// When it rolls back by itself.
    pub struct AutoRollbackOnFailure {
        /// Seconds from the boot into the new system within which the upgrade has to be completed; 0 stands for 1800.
        "initMonitorTimeoutSeconds" => pub watchdog_seconds: i64,
    }
}

part! {
    /// What is.
    pub struct ImageBasedUpgradeStatus {
        /// The generation that the agent has looked at.
        "observedGeneration" => pub observed_generation: i64,
        /// `Idle`, and `InProgress` and `Completed` of each stage; the one that changed last comes last.
        "conditions" => pub conditions: Vec<Condition>,
        /// The only values that `spec.stage` may be given now; absent: none.
        "validNextStages" => pub valid_next_stages: Vec<String>,
        /// From then on a rollback may need certificates to be recovered by hand.
        "rollbackAvailabilityExpiration" => pub rollback_expiration: Option<DateTime<Utc>>,
        /// One entry per stage since it was idle last.
        "history" => pub history: Vec<StageHistory>,
    }
}

part! {
    /// One stage as it went.
    pub struct StageHistory {
        /// Which.
        "stage" => pub stage: String,
        /// Begun.
        "startTime" => pub started: Option<DateTime<Utc>>,
        /// Ended well.
        "completionTime" => pub completed: Option<DateTime<Utc>>,
        /// Its phases. There is none for the reboot.
        "phases" => pub phases: Vec<StagePhase>,
    }
}

part! {
    /// A phase of a stage.
    pub struct StagePhase {
        /// `Stateroot`, `Precache`, `PrePivot`, `PostPivot`.
        "phase" => pub phase: String,
        /// Begun.
        "startTime" => pub started: Option<DateTime<Utc>>,
        /// Ended.
        "completionTime" => pub completed: Option<DateTime<Utc>>,
    }
}

kind! {
    /// A change of the node's addresses by the same agent; it and an image-based upgrade keep each other from starting.
    pub struct IPConfig in "lca.openshift.io" / "v1" as "ipconfigs", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: IPConfigStatus,
    }
}

part! {
    /// What is.
    pub struct IPConfigStatus {
        /// `Idle`, and others while it works.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

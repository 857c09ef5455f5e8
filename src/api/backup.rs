//! `velero.io/v1` and what holds it: backups and restores of application data, and where they are kept.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::{Keeps, annotation};

/// Annotation that puts backups and restores into groups that are run one after another (lifecycle-agent).
pub const APPLY_WAVE: &str = "lca.openshift.io/apply-wave";

/// What backups and restores have in common: the group, and how far it is. Only the name of the count of items differs.
macro_rules! run {
    ($kind:ident, $status:ident, $progress:ident, $done:literal) => {
        impl $kind {
            /// The group that it runs in; none: it is not said, so it runs last.
            pub fn wave(&self) -> Option<&str> {
                annotation(&self.metadata, APPLY_WAVE)
            }
        }

        part! {
            /// How far it is.
            pub struct $status {
                /// `New`, `InProgress`, `Completed`, `PartiallyFailed`, `Failed`, `FailedValidation` ...; empty: not begun.
                "phase" => pub phase: String,
                /// Items.
                "progress" => pub progress: $progress,
                /// Why it failed.
                "failureReason" => pub failure: String,
                /// What is wrong with what was asked for.
                "validationErrors" => pub validation_errors: Vec<String>,
                /// Errors so far.
                "errors" => pub errors: i64,
                /// Warnings so far.
                "warnings" => pub warnings: i64,
                /// Begun.
                "startTimestamp" => pub started: Option<DateTime<Utc>>,
                /// Ended.
                "completionTimestamp" => pub completed: Option<DateTime<Utc>>,
            }
        }

        part! {
            /// Its items.
            pub struct $progress {
                /// In all.
                "totalItems" => pub total: i64,
                /// So far.
                $done => pub done: i64,
            }
        }
    };
}

kind! {
    /// A backup.
    pub struct Backup in "velero.io" / "v1" as "backups", NamespaceResourceScope {
        metadata: Keeps { annotations: &[APPLY_WAVE], owner_of: None, life: false },
        /// What is.
        "status" => pub status: BackupStatus,
    }
}

run!(Backup, BackupStatus, BackupProgress, "itemsBackedUp");

kind! {
    /// A restore.
    pub struct Restore in "velero.io" / "v1" as "restores", NamespaceResourceScope {
        metadata: Keeps { annotations: &[APPLY_WAVE], owner_of: None, life: false },
        /// What was asked for.
        "spec" => pub spec: RestoreSpec,
        /// What is.
        "status" => pub status: RestoreStatus,
    }
}

run!(Restore, RestoreStatus, RestoreProgress, "itemsRestored");

part! {
    /// What was asked for.
    pub struct RestoreSpec {
        /// The backup.
        "backupName" => pub backup: String,
    }
}

kind! {
    /// Where backups are kept.
    pub struct BackupStorageLocation in "velero.io" / "v1" as "backupstoragelocations", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: BackupStorageLocationStatus,
    }
}

part! {
    /// Whether a location can be reached.
    pub struct BackupStorageLocationStatus {
        /// `Available` or `Unavailable`; empty: not tried yet.
        "phase" => pub phase: String,
        /// Why not.
        "message" => pub message: String,
        /// When it was tried last.
        "lastValidationTime" => pub validated: Option<DateTime<Utc>>,
    }
}

kind! {
    /// An installation of OADP, which runs Velero.
    pub struct DataProtectionApplication in "oadp.openshift.io" / "v1alpha1" as "dataprotectionapplications", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: DataProtectionApplicationStatus,
    }
}

part! {
    /// What is.
    pub struct DataProtectionApplicationStatus {
        /// `Reconciled`.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

kind! {
    /// A volume of the logical volume manager storage (TopoLVM), which lives on the node's own disks.
    pub struct LogicalVolume in "topolvm.io" / "v1" as "logicalvolumes", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: LogicalVolumeSpec,
    }
}

part! {
    /// What was asked for.
    pub struct LogicalVolumeSpec {
        /// The PersistentVolume that it stands behind.
        "name" => pub volume: String,
        /// The node.
        "nodeName" => pub node: String,
    }
}

kind! {
    /// The state of a node's virtual functions of network cards.
    pub struct SriovNetworkNodeState in "sriovnetwork.openshift.io" / "v1" as "sriovnetworknodestates", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: SriovNetworkNodeStateStatus,
    }
}

part! {
    /// What is.
    pub struct SriovNetworkNodeStateStatus {
        /// `Succeeded`, `InProgress`, `Failed`.
        "syncStatus" => pub sync: String,
        /// Why it failed.
        "lastSyncError" => pub error: String,
    }
}

//! `config.openshift.io/v1 ClusterOperator`: how a part of the platform feels, and at which version it is.

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::{Keeps, annotation};

kind! {
    /// A ClusterOperator.
    pub struct ClusterOperator in "config.openshift.io" / "v1" as "clusteroperators", ClusterResourceScope {
        metadata: Keeps { annotations: &["include.release.openshift.io/", "exclude.release.openshift.io/"], owner_of: None, life: false },
        /// How it feels.
        "status" => pub status: ClusterOperatorStatus,
    }
}

impl ClusterOperator {
    /// Does it come with the platform's payload? Operators of others carry neither annotation (oc:
    /// pkg/cli/admin/upgrade/status/controlplane.go).
    pub fn is_platform(&self) -> bool {
        self.metadata.annotations.as_ref().is_some_and(|kept| !kept.is_empty())
    }

    /// The version that it reports under a name (`operator` for the component itself).
    pub fn version(&self, name: &str) -> Option<&str> {
        self.status.versions.iter().find(|operand| operand.name == name).map(|operand| operand.version.as_str())
    }

    /// An annotation that was kept.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        annotation(&self.metadata, key)
    }
}

part! {
    /// How an operator feels.
    pub struct ClusterOperatorStatus {
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
        /// Versions of what it runs.
        "versions" => pub versions: Vec<OperandVersion>,
        /// What it has to do with.
        "relatedObjects" => pub related_objects: Vec<RelatedObject>,
        /// What only some operators tell.
        "extension" => pub extension: ClusterOperatorExtension,
    }
}

part! {
    /// A version of something that an operator runs.
    pub struct OperandVersion {
        /// What; `operator` is the operator itself.
        "name" => pub name: String,
        /// Its version.
        "version" => pub version: String,
    }
}

part! {
    /// An object that an operator names as its own business.
    pub struct RelatedObject {
        /// API group; empty for the core group.
        "group" => pub group: String,
        /// Plural: `namespaces`.
        "resource" => pub resource: String,
        /// Name; empty: all of them.
        "name" => pub name: String,
    }
}

part! {
    /// What `machine-config` tells early: the last error of its sync, long before it goes Degraded.
    pub struct ClusterOperatorExtension {
        /// The error.
        "lastSyncError" => pub last_sync_error: Option<String>,
    }
}

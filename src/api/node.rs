//! `v1 Node`: what the machine-config operator writes on it, and how it feels.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::{FieldOwner, Keeps, annotation, created, label, owner};
use super::quantity::Resources;

/// Annotations, labels and taints of Nodes.
pub mod node_key {
    /// Annotation: the rendered config that runs.
    pub const CURRENT_CONFIG: &str = "machineconfiguration.openshift.io/currentConfig";
    /// Annotation: the rendered config that the controller wants.
    pub const DESIRED_CONFIG: &str = "machineconfiguration.openshift.io/desiredConfig";
    /// Annotation: the OS image that runs (image mode only).
    pub const CURRENT_IMAGE: &str = "machineconfiguration.openshift.io/currentImage";
    /// Annotation: the OS image that the controller wants (image mode only).
    pub const DESIRED_IMAGE: &str = "machineconfiguration.openshift.io/desiredImage";
    /// Annotation: `Done`, `Working`, `Degraded`, `Unreconcilable`.
    pub const STATE: &str = "machineconfiguration.openshift.io/state";
    /// Annotation: why the state is Degraded or Unreconcilable.
    pub const REASON: &str = "machineconfiguration.openshift.io/reason";
    /// Annotation: `Rebooting` from just before the reboot until the daemon is back.
    pub const POST_CONFIG_ACTION: &str = "machineconfiguration.openshift.io/post-config-action";
    /// Annotation: what the daemon asks the drain controller for: `drain-...` or `uncordon-...`.
    pub const DESIRED_DRAIN: &str = "machineconfiguration.openshift.io/desiredDrain";
    /// Annotation: what the drain controller did last.
    pub const LAST_APPLIED_DRAIN: &str = "machineconfiguration.openshift.io/lastAppliedDrain";
    /// Label: zone.
    pub const ZONE: &str = "topology.kubernetes.io/zone";
    /// Label: operating system.
    pub const OS: &str = "kubernetes.io/os";
    /// Beginning of the labels that name roles.
    pub const ROLE: &str = "node-role.kubernetes.io/";
    /// Taint: set with `spec.unschedulable`.
    pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
    /// Taint: not yet targeted (the controller puts it on every node of the pool that is still to come).
    pub const UPDATE_IN_PROGRESS: &str = "UpdateInProgress";
}

kind! {
    /// A Node.
    pub struct Node in "" / "v1" as "nodes", ClusterResourceScope {
        metadata: Keeps {
            annotations: &["machineconfiguration.openshift.io/", "machine.openshift.io/machine"],
            owner_of: Some("unschedulable"), life: false,
        },
        /// What is asked of it.
        "spec" => pub spec: NodeSpec,
        /// How it feels.
        "status" => pub status: NodeStatus,
    }
}

impl Node {
    /// An annotation that was kept.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        annotation(&self.metadata, key)
    }

    /// A label.
    pub fn label(&self, key: &str) -> Option<&str> {
        label(&self.metadata, key)
    }

    /// All labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.metadata.labels.as_ref().unwrap_or(&NONE)
    }

    /// When it joined.
    pub fn created(&self) -> Option<DateTime<Utc>> {
        created(&self.metadata)
    }

    /// Who set `spec.unschedulable` last, and when.
    pub fn unschedulable_by(&self) -> Option<FieldOwner<'_>> {
        owner(&self.metadata)
    }

    /// A taint by key.
    pub fn taint(&self, key: &str) -> Option<&Taint> {
        self.spec.taints.iter().find(|taint| taint.key == key)
    }
}

part! {
    /// What is asked of a node.
    pub struct NodeSpec {
        /// Cordoned.
        "unschedulable" => pub unschedulable: bool,
        /// Taints.
        "taints" => pub taints: Vec<Taint>,
    }
}

part! {
    /// A taint.
    pub struct Taint {
        /// Its key.
        "key" => pub key: String,
        /// Its effect.
        "effect" => pub effect: String,
        /// When it was put on (the API keeps it for some taints only).
        "timeAdded" => pub added: Option<DateTime<Utc>>,
    }
}

part! {
    /// How a node feels.
    pub struct NodeStatus {
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
        /// What runs on it.
        "nodeInfo" => pub node_info: NodeInfo,
        /// What its pods may ask for in all.
        "allocatable" => pub allocatable: Resources,
    }
}

part! {
    /// What runs on a node.
    pub struct NodeInfo {
        /// Changes with every boot.
        "bootID" => pub boot_id: String,
        /// Version of the kubelet.
        "kubeletVersion" => pub kubelet_version: String,
        /// Operating system in words.
        "osImage" => pub os_image: String,
        /// `linux` or `windows`.
        "operatingSystem" => pub operating_system: String,
        /// `amd64`, `arm64`, `s390x`, `ppc64le`.
        "architecture" => pub architecture: String,
    }
}

//! `machineconfiguration.openshift.io/v1`: images built on the cluster, and images pulled ahead; and `v1alpha1` of the
//! releases before (openshift/api, machineconfiguration/v1alpha1), some of whose fields have other names.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::machine_config_node::ObjectName;
use super::metadata::Keeps;

kind! {
    /// A pool whose nodes run an image built on the cluster.
    pub struct MachineOSConfig in "machineconfiguration.openshift.io" / "v1" as "machineosconfigs", ClusterResourceScope {
        metadata: Keeps { annotations: &["machineconfiguration.openshift.io/"], owner_of: None, life: false },
        /// What was asked for.
        "spec" => pub spec: MachineOSConfigSpec,
        /// What is.
        "status" => pub status: MachineOSConfigStatus,
    }
}

part! {
    /// What was asked for.
    pub struct MachineOSConfigSpec {
        /// The pool.
        "machineConfigPool" => pub pool: ObjectName,
    }
}

part! {
    /// What is.
    pub struct MachineOSConfigStatus {
        /// The image that nodes go to.
        "currentImagePullSpec" => pub image_of_v1: String,
        /// The same in `v1alpha1`.
        "currentImagePullspec" => pub image_of_v1alpha1: String,
        /// The newest build.
        "machineOSBuild" => pub build: ObjectName,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

impl MachineOSConfigStatus {
    /// The image that nodes go to; empty: none yet.
    pub fn image(&self) -> &str {
        if self.image_of_v1.is_empty() { &self.image_of_v1alpha1 } else { &self.image_of_v1 }
    }
}

kind! {
    /// A build of such an image.
    pub struct MachineOSBuild in "machineconfiguration.openshift.io" / "v1" as "machineosbuilds", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: MachineOSBuildSpec,
        /// What is.
        "status" => pub status: MachineOSBuildStatus,
    }
}

part! {
    /// What was asked for.
    pub struct MachineOSBuildSpec {
        /// The rendered config that goes in.
        "machineConfig" => pub config_of_v1: ObjectName,
        /// The same in `v1alpha1`.
        "desiredConfig" => pub config_of_v1alpha1: ObjectName,
        /// The MachineOSConfig.
        "machineOSConfig" => pub of: ObjectName,
    }
}

impl MachineOSBuildSpec {
    /// The rendered config that goes in; empty: it does not say.
    pub fn config(&self) -> &str {
        if self.config_of_v1.name.is_empty() { &self.config_of_v1alpha1.name } else { &self.config_of_v1.name }
    }
}

part! {
    /// What is.
    pub struct MachineOSBuildStatus {
        /// `Prepared`, `Building`, `Failed`, `Interrupted`, `Succeeded`.
        "conditions" => pub conditions: Vec<Condition>,
        /// When it began.
        "buildStart" => pub started: Option<DateTime<Utc>>,
        /// When it ended.
        "buildEnd" => pub ended: Option<DateTime<Utc>>,
    }
}

kind! {
    /// Images that the nodes of a role pull ahead and keep.
    pub struct PinnedImageSet in "machineconfiguration.openshift.io" / "v1" as "pinnedimagesets", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: PinnedImageSetSpec,
    }
}

part! {
    /// What was asked for.
    pub struct PinnedImageSetSpec {
        /// By digest.
        "pinnedImages" => pub images: Vec<ObjectName>,
    }
}

//! `machineconfiguration.openshift.io/v1 MachineConfig`, its metadata only: a rendered config weighs a megabyte, and one
//! annotation of it is read.

use super::lens::kind;
use super::metadata::{Keeps, annotation};

/// Annotations of MachineConfigs.
pub mod mc_key {
    /// The release that a rendered config was made for.
    pub const RELEASE_VERSION: &str = "machineconfiguration.openshift.io/release-image-version";
    /// The commit of the machine-config operator that rendered it.
    pub const GENERATED_BY: &str = "machineconfiguration.openshift.io/generated-by-controller-version";
}

kind! {
    /// A MachineConfig, listed and watched as metadata only.
    pub struct MachineConfig in "machineconfiguration.openshift.io" / "v1" as "machineconfigs", ClusterResourceScope, metadata_only {
        metadata: Keeps { annotations: &["machineconfiguration.openshift.io/"], owner_of: None, life: false },
    }
}

impl MachineConfig {
    /// The release that it was rendered for; none for configs that people wrote.
    pub fn release_version(&self) -> Option<&str> {
        annotation(&self.metadata, mc_key::RELEASE_VERSION)
    }
}

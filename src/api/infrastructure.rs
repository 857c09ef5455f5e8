//! `config.openshift.io/v1`: what the cluster runs on, and where it pulls images from.

use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// What the cluster runs on; there is one, named `cluster`.
    pub struct Infrastructure in "config.openshift.io" / "v1" as "infrastructures", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: InfrastructureStatus,
    }
}

part! {
    /// What the cluster runs on.
    pub struct InfrastructureStatus {
        /// `HighlyAvailable`, `HighlyAvailableArbiter`, `SingleReplica`, `DualReplica`, `External`.
        "controlPlaneTopology" => pub control_plane_topology: String,
        /// The same for infrastructure workloads.
        "infrastructureTopology" => pub infrastructure_topology: String,
        /// The platform.
        "platformStatus" => pub platform: PlatformStatus,
    }
}

part! {
    /// The platform.
    pub struct PlatformStatus {
        /// `AWS`, `Azure`, `GCP`, `BareMetal`, `VSphere`, `OpenStack`, `None` ...
        "type" => pub kind: String,
    }
}

kind! {
    /// Mirrors of images by digest, from 4.13 on.
    pub struct ImageDigestMirrorSet in "config.openshift.io" / "v1" as "imagedigestmirrorsets", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: ImageDigestMirrorSetSpec,
    }
}

part! {
    /// Mirrors.
    pub struct ImageDigestMirrorSetSpec {
        /// Source to mirrors.
        "imageDigestMirrors" => pub mirrors: Vec<MirroredSource>,
    }
}

part! {
    /// Where images of a source are pulled from.
    pub struct MirroredSource {
        /// Repository as it is named in references.
        "source" => pub source: String,
        /// Repositories that are tried first.
        "mirrors" => pub mirrors: Vec<String>,
    }
}

kind! {
    /// Mirrors of images by digest, up to 4.12.
    pub struct ImageContentSourcePolicy in "operator.openshift.io" / "v1alpha1" as "imagecontentsourcepolicies", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: ImageContentSourcePolicySpec,
    }
}

part! {
    /// Mirrors.
    pub struct ImageContentSourcePolicySpec {
        /// Source to mirrors.
        "repositoryDigestMirrors" => pub mirrors: Vec<MirroredSource>,
    }
}

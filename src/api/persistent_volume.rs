//! `v1 PersistentVolume`: where the data of a claim lies, and what becomes of it when the claim goes.

use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// A volume of the cluster.
    pub struct PersistentVolume in "" / "v1" as "persistentvolumes", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: PersistentVolumeSpec,
        /// What is.
        "status" => pub status: PersistentVolumeStatus,
    }
}

part! {
    /// What was asked for.
    pub struct PersistentVolumeSpec {
        /// `Delete`: it goes with its claim; `Retain`: it stays (Kubernetes, `PersistentVolumeReclaimPolicy`).
        "persistentVolumeReclaimPolicy" => pub reclaim_policy: String,
        /// The class that it was made by.
        "storageClassName" => pub class: String,
        /// How much it holds.
        "capacity" => pub capacity: VolumeCapacity,
        /// The claim that it is bound to.
        "claimRef" => pub claim: Option<ClaimRef>,
        /// The driver that made it.
        "csi" => pub csi: Option<CsiVolume>,
        /// A disk of the node.
        "local" => pub local: Option<NodePath>,
        /// A folder of the node.
        "hostPath" => pub host_path: Option<NodePath>,
    }
}

part! {
    /// How much a volume holds.
    pub struct VolumeCapacity {
        /// As the API says it: `5Gi`.
        "storage" => pub storage: String,
    }
}

part! {
    /// A claim.
    pub struct ClaimRef {
        /// Namespace.
        "namespace" => pub namespace: String,
        /// Name.
        "name" => pub name: String,
    }
}

part! {
    /// A volume of a CSI driver.
    pub struct CsiVolume {
        /// The driver: `topolvm.io`.
        "driver" => pub driver: String,
    }
}

part! {
    /// A place on the node.
    pub struct NodePath {
        /// Where.
        "path" => pub path: String,
    }
}

part! {
    /// What is.
    pub struct PersistentVolumeStatus {
        /// `Available`, `Bound`, `Released`, `Failed`.
        "phase" => pub phase: String,
    }
}

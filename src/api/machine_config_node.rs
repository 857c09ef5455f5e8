//! `machineconfiguration.openshift.io/v1 MachineConfigNode`: how far the machine-config daemon is on a node.

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// A MachineConfigNode; it has the name of its node.
    pub struct MachineConfigNode in "machineconfiguration.openshift.io" / "v1" as "machineconfignodes", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// Where the node is to go.
        "spec" => pub spec: MachineConfigNodeSpec,
        /// How far it is.
        "status" => pub status: MachineConfigNodeStatus,
    }
}

part! {
    /// Where a node is to go.
    pub struct MachineConfigNodeSpec {
        /// The node.
        "node" => pub node: ObjectName,
        /// Its pool; `not-yet-set` at first.
        "pool" => pub pool: ObjectName,
        /// The rendered config.
        "configVersion" => pub config_version: NodeConfigVersion,
    }
}

part! {
    /// How far a node is.
    pub struct MachineConfigNodeStatus {
        /// The generation that the status speaks of.
        "observedGeneration" => pub observed_generation: i64,
        /// Where it is, and where it is to go as the daemon knows it.
        "configVersion" => pub config_version: NodeConfigVersionStatus,
        /// The steps of an update, and `NodeDegraded`.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

part! {
    /// A name.
    pub struct ObjectName {
        /// The name.
        "name" => pub name: String,
    }
}

part! {
    /// The rendered config that is wanted.
    pub struct NodeConfigVersion {
        /// Its name; `not-yet-set` at first.
        "desired" => pub desired: String,
    }
}

part! {
    /// The rendered configs that the daemon knows.
    pub struct NodeConfigVersionStatus {
        /// The one that runs.
        "current" => pub current: String,
        /// The one that is wanted.
        "desired" => pub desired: String,
    }
}

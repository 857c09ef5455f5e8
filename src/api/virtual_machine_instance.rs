//! `kubevirt.io/v1 VirtualMachineInstance`: whether a virtual machine can leave its node.

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// A running virtual machine.
    pub struct VirtualMachineInstance in "kubevirt.io" / "v1" as "virtualmachineinstances", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: VirtualMachineInstanceSpec,
        /// What is.
        "status" => pub status: VirtualMachineInstanceStatus,
    }
}

part! {
    /// What was asked for.
    pub struct VirtualMachineInstanceSpec {
        /// `LiveMigrate`, `None`, `External`, `LiveMigrateIfPossible`.
        "evictionStrategy" => pub eviction_strategy: String,
    }
}

part! {
    /// What is.
    pub struct VirtualMachineInstanceStatus {
        /// The node that it runs on.
        "nodeName" => pub node: String,
        /// Phase.
        "phase" => pub phase: String,
        /// `LiveMigratable` among them.
        "conditions" => pub conditions: Vec<Condition>,
        /// The node that it is to leave.
        "evacuationNodeName" => pub evacuates: String,
    }
}

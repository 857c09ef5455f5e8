//! How the machine-config operator is set up: `operator.openshift.io/v1 MachineConfiguration` and
//! `machineconfiguration.openshift.io/v1 ControllerConfig`.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// Set-up of the machine-config operator; there is one, named `cluster`.
    pub struct MachineConfiguration in "operator.openshift.io" / "v1" as "machineconfigurations", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: MachineConfigurationStatus,
    }
}

part! {
    /// What is.
    pub struct MachineConfigurationStatus {
        /// Conditions, such as `BootImageUpdateDegraded`.
        "conditions" => pub conditions: Vec<Condition>,
        /// What changes of configuration do to nodes.
        "nodeDisruptionPolicyStatus" => pub node_disruption: NodeDisruptionStatus,
    }
}

part! {
    /// What changes of configuration do to nodes.
    pub struct NodeDisruptionStatus {
        /// The policies in effect: those of people merged into the defaults of the release. None: the release has none, or
        /// its operator has not written them yet.
        "clusterPolicies" => pub policies: Option<NodeDisruptionPolicies>,
    }
}

part! {
    /// Policies in effect.
    pub struct NodeDisruptionPolicies {
        /// For files and folders.
        "files" => pub files: Vec<FileDisruption>,
        /// For units.
        "units" => pub units: Vec<UnitDisruption>,
        /// For users and their keys.
        "sshkey" => pub ssh_key: KeyDisruption,
    }
}

part! {
    /// What a change of a file does.
    pub struct FileDisruption {
        /// The file, or a folder.
        "path" => pub path: String,
        /// What is done.
        "actions" => pub actions: Vec<DisruptionAction>,
    }
}

part! {
    /// What a change of a unit does.
    pub struct UnitDisruption {
        /// The unit.
        "name" => pub name: String,
        /// What is done.
        "actions" => pub actions: Vec<DisruptionAction>,
    }
}

part! {
    /// What a change of users does.
    pub struct KeyDisruption {
        /// What is done.
        "actions" => pub actions: Vec<DisruptionAction>,
    }
}

part! {
    /// One action.
    pub struct DisruptionAction {
        /// `None`, `Drain`, `Reload`, `Restart`, `DaemonReload`, `Reboot`, or `Special` for registries.conf.
        "type" => pub kind: String,
    }
}

kind! {
    /// What the machine-config controller renders from; there is one, named `machine-config-controller`.
    pub struct ControllerConfig in "machineconfiguration.openshift.io" / "v1" as "controllerconfigs", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What is.
        "status" => pub status: ControllerConfigStatus,
    }
}

part! {
    /// What is.
    pub struct ControllerConfigStatus {
        /// Certificates that it hands out.
        "controllerCertificates" => pub certificates: Vec<ControllerCertificate>,
    }
}

part! {
    /// A certificate.
    pub struct ControllerCertificate {
        /// The bundle.
        "bundleFile" => pub bundle: String,
        /// Its subject.
        "subject" => pub subject: String,
        /// Who signed it.
        "signer" => pub signer: String,
        /// When it runs out.
        "notAfter" => pub expires: Option<DateTime<Utc>>,
    }
}

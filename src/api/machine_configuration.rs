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

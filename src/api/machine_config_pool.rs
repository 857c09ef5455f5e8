//! `machineconfiguration.openshift.io/v1 MachineConfigPool`: nodes that share a configuration and roll together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{Read, kind, part};
use super::metadata::{FieldOwner, Keeps, label, owner};

kind! {
    /// A MachineConfigPool.
    pub struct MachineConfigPool in "machineconfiguration.openshift.io" / "v1" as "machineconfigpools", ClusterResourceScope {
        metadata: Keeps { annotations: &[], owner_of: Some("paused"), life: false },
        /// What is asked of the nodes.
        "spec" => pub spec: MachineConfigPoolSpec,
        /// What the controller counts.
        "status" => pub status: MachineConfigPoolStatus,
    }
}

impl MachineConfigPool {
    /// Who set `spec.paused` last, and when.
    pub fn paused_by(&self) -> Option<FieldOwner<'_>> {
        owner(&self.metadata)
    }

    /// Must it be finished before the operator `machine-config` reports the new version (label
    /// `operator.machineconfiguration.openshift.io/required-for-upgrade`, on master and arbiter)?
    pub fn is_required_for_upgrade(&self) -> bool {
        label(&self.metadata, "operator.machineconfiguration.openshift.io/required-for-upgrade").is_some()
    }
}

part! {
    /// What is asked of the nodes.
    pub struct MachineConfigPoolSpec {
        /// New nodes are not targeted.
        "paused" => pub paused: bool,
        /// How many nodes may be unavailable; none: 1.
        "maxUnavailable" => pub max_unavailable: Option<IntOrString>,
        /// Which nodes.
        "nodeSelector" => pub node_selector: Option<LabelSelector>,
        /// The rendered config that nodes go to.
        "configuration" => pub configuration: ConfigurationRef,
    }
}

part! {
    /// What the controller counts.
    pub struct MachineConfigPoolStatus {
        /// The generation that the status speaks of.
        "observedGeneration" => pub observed_generation: i64,
        /// The rendered config that all nodes reached.
        "configuration" => pub configuration: ConfigurationRef,
        /// Nodes.
        "machineCount" => pub machine_count: i64,
        /// Nodes at the target.
        "updatedMachineCount" => pub updated_machine_count: i64,
        /// Of these, ready.
        "readyMachineCount" => pub ready_machine_count: i64,
        /// Unavailable nodes.
        "unavailableMachineCount" => pub unavailable_machine_count: i64,
        /// Degraded nodes.
        "degradedMachineCount" => pub degraded_machine_count: i64,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
        /// When certificates run out.
        "certExpirys" => pub cert_expirys: Vec<CertExpiry>,
    }
}

part! {
    /// A rendered config.
    pub struct ConfigurationRef {
        /// Its name; empty while there is none.
        "name" => pub name: String,
    }
}

part! {
    /// When a certificate runs out.
    pub struct CertExpiry {
        /// The bundle.
        "bundle" => pub bundle: String,
        /// Its subject.
        "subject" => pub subject: String,
        /// When.
        "expiry" => pub expiry: Option<DateTime<Utc>>,
    }
}

part! {
    /// A label selector.
    pub struct LabelSelector {
        /// Labels that must be there with these values.
        "matchLabels" => pub match_labels: BTreeMap<String, String>,
        /// Further requirements.
        "matchExpressions" => pub match_expressions: Vec<SelectorRequirement>,
    }
}

part! {
    /// A requirement of a label selector.
    pub struct SelectorRequirement {
        /// The label.
        "key" => pub key: String,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
        "operator" => pub operator: String,
        /// Values for `In` and `NotIn`.
        "values" => pub values: Vec<String>,
    }
}

impl LabelSelector {
    /// Has it no requirement at all?
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Do these labels satisfy it? An empty selector is satisfied by all; an unknown operator by none.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }
}

impl SelectorRequirement {
    /// Do these labels satisfy it?
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

/// A number, or a percentage in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// Text such as `10%`.
    Text(String),
}

impl Read for IntOrString {
    fn of_int(value: i64) -> Option<Self> {
        Some(Self::Int(value))
    }

    fn of_str(value: &str) -> Option<Self> {
        Some(Self::Text(value.to_owned()))
    }
}

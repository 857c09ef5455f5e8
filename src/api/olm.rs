//! `operators.coreos.com/v1alpha1`: operators that people installed.

use chrono::{DateTime, Utc};

use super::lens::{kind, part};
use super::machine_config_node::ObjectName;
use super::metadata::{Keeps, annotation};

/// Annotation with properties of an operator, as JSON (operator-framework, `olm.properties`).
const PROPERTIES: &str = "olm.properties";

kind! {
    /// An installed version of an operator.
    pub struct ClusterServiceVersion in "operators.coreos.com" / "v1alpha1" as "clusterserviceversions", NamespaceResourceScope {
        metadata: Keeps { annotations: &[PROPERTIES], owner_of: None, life: false },
        /// What it is.
        "spec" => pub spec: ClusterServiceVersionSpec,
        /// How it feels.
        "status" => pub status: ClusterServiceVersionStatus,
    }
}

impl ClusterServiceVersion {
    /// The newest OpenShift minor that it supports (`olm.maxOpenShiftVersion`), such as `4.18`.
    pub fn max_openshift_version(&self) -> Option<String> {
        let properties: serde_json::Value = serde_json::from_str(annotation(&self.metadata, PROPERTIES)?).ok()?;
        let newest = |property: &serde_json::Value| {
            (property.get("type")?.as_str()? == "olm.maxOpenShiftVersion").then_some(())?;
            match property.get("value")? {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        };
        properties.as_array()?.iter().find_map(newest)
    }
}

part! {
    /// What it is.
    pub struct ClusterServiceVersionSpec {
        /// Its name for people.
        "displayName" => pub display_name: String,
        /// Version.
        "version" => pub version: String,
    }
}

part! {
    /// How it feels.
    pub struct ClusterServiceVersionStatus {
        /// `Succeeded`, `Installing`, `Failed`, `Pending`, `Replacing` ...
        "phase" => pub phase: String,
        /// A word for machines.
        "reason" => pub reason: String,
        /// A sentence.
        "message" => pub message: String,
        /// Since when.
        "lastTransitionTime" => pub since: Option<DateTime<Utc>>,
    }
}

kind! {
    /// Which operator to install and to keep fresh.
    pub struct Subscription in "operators.coreos.com" / "v1alpha1" as "subscriptions", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: SubscriptionSpec,
        /// What is.
        "status" => pub status: SubscriptionStatus,
    }
}

part! {
    /// What was asked for.
    pub struct SubscriptionSpec {
        /// Package.
        "name" => pub package: String,
        /// Channel.
        "channel" => pub channel: String,
        /// `Automatic` or `Manual`.
        "installPlanApproval" => pub approval: String,
    }
}

part! {
    /// What is.
    pub struct SubscriptionStatus {
        /// `AtLatestKnown`, `UpgradePending`, `UpgradeAvailable` ...
        "state" => pub state: String,
        /// Installed.
        "installedCSV" => pub installed: String,
        /// The newest known.
        "currentCSV" => pub current: String,
        /// Its InstallPlan.
        "installPlanRef" => pub plan: ObjectName,
    }
}

kind! {
    /// What will be installed when it is approved.
    pub struct InstallPlan in "operators.coreos.com" / "v1alpha1" as "installplans", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: InstallPlanSpec,
        /// What is.
        "status" => pub status: InstallPlanStatus,
    }
}

part! {
    /// What was asked for.
    pub struct InstallPlanSpec {
        /// `Automatic` or `Manual`.
        "approval" => pub approval: String,
        /// A person approved it.
        "approved" => pub approved: bool,
        /// What it installs.
        "clusterServiceVersionNames" => pub installs: Vec<String>,
    }
}

part! {
    /// What is.
    pub struct InstallPlanStatus {
        /// `RequiresApproval`, `Installing`, `Complete`, `Failed`.
        "phase" => pub phase: String,
    }
}

//! `config.openshift.io/v1 ClusterVersion`: what was asked for, what is applied, what is on offer.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// The ClusterVersion; there is one, named `version`.
    pub struct ClusterVersion in "config.openshift.io" / "v1" as "clusterversions", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: ClusterVersionSpec,
        /// What is.
        "status" => pub status: ClusterVersionStatus,
    }
}

part! {
    /// What was asked for.
    pub struct ClusterVersionSpec {
        /// The cluster's identity.
        "clusterID" => pub cluster_id: Option<String>,
        /// Channel of recommended updates.
        "channel" => pub channel: Option<String>,
        /// Update service; none: Red Hat's.
        "upstream" => pub upstream: Option<String>,
        /// The requested update.
        "desiredUpdate" => pub desired_update: Option<DesiredUpdate>,
        /// Components taken out of the operator's hands.
        "overrides" => pub overrides: Vec<ComponentOverride>,
        /// Which optional parts of the platform were asked for.
        "capabilities" => pub capabilities: WantedCapabilities,
        /// Where signatures of releases are looked for, beside the ConfigMaps; none: Red Hat's stores. Behind a feature
        /// gate.
        "signatureStores" => pub signature_stores: Option<Vec<SignatureStore>>,
    }
}

part! {
    /// Which optional parts of the platform were asked for.
    pub struct WantedCapabilities {
        /// `None`, `v4.18`, `vCurrent`; empty: `vCurrent`.
        "baselineCapabilitySet" => pub baseline: String,
        /// Beyond that set.
        "additionalEnabledCapabilities" => pub additional: Vec<String>,
    }
}

part! {
    /// A store of signatures.
    pub struct SignatureStore {
        /// Where.
        "url" => pub url: String,
    }
}

part! {
    /// A requested update.
    pub struct DesiredUpdate {
        /// Version; may be empty when an image is given.
        "version" => pub version: String,
        /// Pull spec; may be empty when a version is given.
        "image" => pub image: String,
        /// `Multi` asks for the multi-architecture payload.
        "architecture" => pub architecture: String,
        /// Verification and preconditions are bypassed.
        "force" => pub force: bool,
        /// `Preflight`: the release is only checked, never applied. Behind a feature gate.
        "mode" => pub mode: String,
        /// Risks that a person accepted. Behind a feature gate.
        "acceptRisks" => pub accept_risks: Vec<AcceptedRisk>,
    }
}

part! {
    /// A risk that a person accepted.
    pub struct AcceptedRisk {
        /// Its name.
        "name" => pub name: String,
    }
}

part! {
    /// A component taken out of the operator's hands.
    pub struct ComponentOverride {
        /// API group; empty for the core group.
        "group" => pub group: String,
        /// Kind.
        "kind" => pub kind: String,
        /// Namespace; empty for cluster-scoped ones.
        "namespace" => pub namespace: String,
        /// Name.
        "name" => pub name: String,
        /// Really taken out.
        "unmanaged" => pub unmanaged: bool,
    }
}

impl ComponentOverride {
    /// `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    pub fn path(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("{}/{}", self.kind, self.name),
            namespace => format!("{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

part! {
    /// What is.
    pub struct ClusterVersionStatus {
        /// The release that is being applied, or was.
        "desired" => pub desired: Release,
        /// Releases applied so far, newest first.
        "history" => pub history: Vec<HistoryEntry>,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
        /// The generation that the status speaks of.
        "observedGeneration" => pub observed_generation: i64,
        /// Recommended updates.
        "availableUpdates" => pub available_updates: Vec<Release>,
        /// Updates that carry risks.
        "conditionalUpdates" => pub conditional_updates: Vec<ConditionalUpdate>,
        /// All risks of these, each once, judged for this cluster. Behind a feature gate.
        "conditionalUpdateRisks" => pub conditional_update_risks: Vec<ConditionalUpdateRisk>,
        /// Which optional parts of the platform there are.
        "capabilities" => pub capabilities: Capabilities,
    }
}

part! {
    /// Which optional parts of the platform there are.
    pub struct Capabilities {
        /// Those that are on; none is ever switched off again.
        "enabledCapabilities" => pub enabled: Vec<String>,
        /// All that this release knows.
        "knownCapabilities" => pub known: Vec<String>,
    }
}

part! {
    /// A release.
    pub struct Release {
        /// Version; empty while unknown.
        "version" => pub version: String,
        /// Pull spec by digest.
        "image" => pub image: String,
        /// Release notes.
        "url" => pub url: Option<String>,
        /// Channels that hold it.
        "channels" => pub channels: Vec<String>,
        /// `Multi`: its images run on several architectures; empty: on the one of the cluster.
        "architecture" => pub architecture: String,
    }
}

part! {
    /// A release that was applied, wholly or in part.
    pub struct HistoryEntry {
        /// `Completed` or `Partial`.
        "state" => pub state: String,
        /// Version; may be empty.
        "version" => pub version: String,
        /// Pull spec.
        "image" => pub image: String,
        /// When applying it began.
        "startedTime" => pub started: Option<DateTime<Utc>>,
        /// When it ended: fully applied, or replaced by another request.
        "completionTime" => pub completed: Option<DateTime<Utc>>,
        /// The signature was verified.
        "verified" => pub verified: bool,
        /// What was overridden to start it.
        "acceptedRisks" => pub accepted_risks: String,
    }
}

impl HistoryEntry {
    /// Was it applied to the end?
    pub fn is_completed(&self) -> bool {
        self.state == "Completed"
    }
}

part! {
    /// An update that carries risks.
    pub struct ConditionalUpdate {
        /// The release.
        "release" => pub release: Release,
        /// Its risks.
        "risks" => pub risks: Vec<ConditionalUpdateRisk>,
        /// Names of its risks among `conditionalUpdateRisks`. Behind a feature gate.
        "riskNames" => pub risk_names: Vec<String>,
        /// `Recommended`.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

part! {
    /// A risk of an update.
    pub struct ConditionalUpdateRisk {
        /// Its name.
        "name" => pub name: String,
        /// What may happen.
        "message" => pub message: String,
        /// Where to read more.
        "url" => pub url: String,
        /// `Applies`: is this cluster exposed to it? Behind a feature gate.
        "conditions" => pub conditions: Vec<Condition>,
        /// What decides whether a cluster is exposed.
        "matchingRules" => pub rules: Vec<MatchingRule>,
    }
}

part! {
    /// What decides whether a cluster is exposed to a risk.
    pub struct MatchingRule {
        /// `Always` or `PromQL`.
        "type" => pub kind: String,
    }
}

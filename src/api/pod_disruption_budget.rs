//! `policy/v1 PodDisruptionBudget` (`v1beta1` before 4.8): how many pods of a workload may be missing.

use super::condition::Condition;
use super::lens::{kind, part};
use super::machine_config_pool::{IntOrString, LabelSelector};
use super::metadata::Keeps;

kind! {
    /// A PodDisruptionBudget.
    pub struct PodDisruptionBudget in "policy" / "v1" as "poddisruptionbudgets", NamespaceResourceScope {
        metadata: Keeps { annotations: &[], owner_of: None, life: true },
        /// What was asked for.
        "spec" => pub spec: PodDisruptionBudgetSpec,
        /// What is.
        "status" => pub status: PodDisruptionBudgetStatus,
    }
}

impl PodDisruptionBudget {
    /// One that was read as `policy/v1beta1`, as `policy/v1` says the same: there an empty selector selects nothing, here
    /// it selects all of the namespace (Kubernetes: pkg/apis/policy/v1beta1/conversion.go).
    #[must_use]
    pub fn of_v1beta1(mut self) -> Self {
        self.spec.selector = self.spec.selector.filter(|selector| !selector.is_empty());
        self
    }

    /// Namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }
}

part! {
    /// What was asked for.
    pub struct PodDisruptionBudgetSpec {
        /// At least so many stay.
        "minAvailable" => pub min_available: Option<IntOrString>,
        /// At most so many are missing.
        "maxUnavailable" => pub max_unavailable: Option<IntOrString>,
        /// Which pods; in `policy/v1` an empty one selects all of the namespace, none selects nothing.
        "selector" => pub selector: Option<LabelSelector>,
        /// `IfHealthyBudget` (also when empty) or `AlwaysAllow`.
        "unhealthyPodEvictionPolicy" => pub unhealthy_pod_eviction_policy: String,
    }
}

part! {
    /// What is.
    pub struct PodDisruptionBudgetStatus {
        /// So many may go now.
        "disruptionsAllowed" => pub disruptions_allowed: i64,
        /// Healthy pods.
        "currentHealthy" => pub current_healthy: i64,
        /// Healthy pods that have to stay.
        "desiredHealthy" => pub desired_healthy: i64,
        /// Pods in all.
        "expectedPods" => pub expected_pods: i64,
        /// The generation that the status speaks of.
        "observedGeneration" => pub observed_generation: i64,
        /// `DisruptionAllowed` (from 1.20 on).
        "conditions" => pub conditions: Vec<Condition>,
    }
}

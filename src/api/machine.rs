//! `machine.openshift.io`: Machines, their health checks, the control plane's machine set.

use chrono::{DateTime, Utc};

use super::condition::Condition;
use super::lens::{kind, part};
use super::machine_config_pool::{IntOrString, LabelSelector};
use super::metadata::{Keeps, annotation, owner};

/// Annotation that pauses a MachineHealthCheck (cluster-api, `PausedAnnotation`).
pub const PAUSED: &str = "cluster.x-k8s.io/paused";

kind! {
    /// A Machine: what stands behind a node where the cluster provisions its machines.
    pub struct Machine in "machine.openshift.io" / "v1beta1" as "machines", NamespaceResourceScope {
        metadata: Keeps { annotations: &["machine.openshift.io/"], owner_of: None, life: true },
        /// What was asked for.
        "spec" => pub spec: MachineSpec,
        /// What is.
        "status" => pub status: MachineStatus,
    }
}

part! {
    /// What was asked for.
    pub struct MachineSpec {
        /// What holds its deletion up.
        "lifecycleHooks" => pub hooks: LifecycleHooks,
    }
}

part! {
    /// What holds a Machine's deletion up.
    pub struct LifecycleHooks {
        /// Before its node is drained.
        "preDrain" => pub pre_drain: Vec<LifecycleHook>,
        /// Before the instance is deleted.
        "preTerminate" => pub pre_terminate: Vec<LifecycleHook>,
    }
}

part! {
    /// A hook.
    pub struct LifecycleHook {
        /// Name.
        "name" => pub name: String,
        /// Who has to remove it.
        "owner" => pub owner: String,
    }
}

part! {
    /// What is.
    pub struct MachineStatus {
        /// `Provisioning`, `Provisioned`, `Running`, `Deleting`, `Failed`.
        "phase" => pub phase: String,
        /// Its node.
        "nodeRef" => pub node: NodeReference,
        /// A word for machines.
        "errorReason" => pub error_reason: String,
        /// A sentence.
        "errorMessage" => pub error_message: String,
    }
}

part! {
    /// A node by name.
    pub struct NodeReference {
        /// Name.
        "name" => pub name: String,
    }
}

kind! {
    /// A MachineHealthCheck: it deletes Machines whose nodes stay unhealthy, rebooting ones too.
    pub struct MachineHealthCheck in "machine.openshift.io" / "v1beta1" as "machinehealthchecks", NamespaceResourceScope {
        metadata: Keeps { annotations: &[PAUSED], owner_of: Some(PAUSED), life: false },
        /// What was asked for.
        "spec" => pub spec: MachineHealthCheckSpec,
        /// What is.
        "status" => pub status: MachineHealthCheckStatus,
    }
}

impl MachineHealthCheck {
    /// Does it leave Machines alone for now?
    pub fn is_paused(&self) -> bool {
        annotation(&self.metadata, PAUSED).is_some()
    }

    /// When it was paused, if `manager` and nobody else did that and the API tells the time.
    pub fn paused_by(&self, manager: &str) -> Option<DateTime<Utc>> {
        let alone =
            self.metadata.managed_fields.iter().flatten().all(|entry| entry.manager.as_deref() == Some(manager));
        owner(&self.metadata).filter(|_| alone && self.is_paused())?.at
    }
}

part! {
    /// What was asked for.
    pub struct MachineHealthCheckSpec {
        /// Which Machines.
        "selector" => pub selector: LabelSelector,
        /// What counts as unhealthy.
        "unhealthyConditions" => pub unhealthy: Vec<UnhealthyCondition>,
        /// Above this it does nothing.
        "maxUnhealthy" => pub max_unhealthy: Option<IntOrString>,
        /// How long a new Machine may take to become a node.
        "nodeStartupTimeout" => pub startup_timeout: String,
    }
}

part! {
    /// What counts as unhealthy.
    pub struct UnhealthyCondition {
        /// Condition of the node.
        "type" => pub kind: String,
        /// Its status.
        "status" => pub status: String,
        /// For so long (Go duration).
        "timeout" => pub timeout: String,
    }
}

part! {
    /// What is.
    pub struct MachineHealthCheckStatus {
        /// Healthy Machines.
        "currentHealthy" => pub current_healthy: i64,
        /// Machines in all.
        "expectedMachines" => pub expected: i64,
        /// So many may be remediated now.
        "remediationsAllowed" => pub remediations_allowed: i64,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

kind! {
    /// The ControlPlaneMachineSet: it may replace control plane machines.
    pub struct ControlPlaneMachineSet in "machine.openshift.io" / "v1" as "controlplanemachinesets", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: ControlPlaneMachineSetSpec,
        /// What is.
        "status" => pub status: ControlPlaneMachineSetStatus,
    }
}

part! {
    /// What was asked for.
    pub struct ControlPlaneMachineSetSpec {
        /// Machines.
        "replicas" => pub replicas: i64,
        /// `Active` or `Inactive`.
        "state" => pub state: String,
        /// How machines are replaced.
        "strategy" => pub strategy: ReplacementStrategy,
    }
}

part! {
    /// How machines are replaced.
    pub struct ReplacementStrategy {
        /// `RollingUpdate`, `OnDelete`, `Recreate`.
        "type" => pub kind: String,
    }
}

part! {
    /// What is.
    pub struct ControlPlaneMachineSetStatus {
        /// Machines.
        "replicas" => pub replicas: i64,
        /// Ready ones.
        "readyReplicas" => pub ready: i64,
        /// Those that need no replacement.
        "updatedReplicas" => pub updated: i64,
        /// Missing ones.
        "unavailableReplicas" => pub unavailable: i64,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
    }
}

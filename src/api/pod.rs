//! `v1 Pod`: as far as it decides whether a node can be drained.

use super::condition::Condition;
use super::lens::{kind, part};
use super::metadata::{Keeps, Owner, annotation, controller};
use super::quantity::Resources;

/// Annotation of a static pod's image in the API (kubelet, `ConfigMirrorAnnotationKey`).
const MIRROR: &str = "kubernetes.io/config.mirror";

kind! {
    /// A Pod.
    pub struct Pod in "" / "v1" as "pods", NamespaceResourceScope {
        metadata: Keeps { annotations: &[MIRROR], owner_of: None, life: true },
        /// What was asked for.
        "spec" => pub spec: PodSpec,
        /// What is.
        "status" => pub status: PodStatus,
    }
}

impl Pod {
    /// Namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// A static pod: the kubelet runs it from a file, evicting its image in the API does nothing.
    pub fn is_mirror(&self) -> bool {
        annotation(&self.metadata, MIRROR).is_some()
    }

    /// Its controlling owner; none: a bare pod, which nothing brings back.
    pub fn owner(&self) -> Option<Owner<'_>> {
        controller(&self.metadata)
    }

    /// Ended, well or badly: a drain does not wait for it.
    pub fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Does it use an `emptyDir`, whose content is lost when it goes?
    pub fn has_empty_dir(&self) -> bool {
        self.spec.volumes.iter().any(|volume| volume.empty_dir.is_some())
    }
}

part! {
    /// What was asked for.
    pub struct PodSpec {
        /// The node that it runs on; empty while unscheduled.
        "nodeName" => pub node_name: String,
        /// Seconds that it may take to end.
        "terminationGracePeriodSeconds" => pub grace_seconds: Option<i64>,
        /// Volumes.
        "volumes" => pub volumes: Vec<PodVolume>,
        /// Containers.
        "containers" => pub containers: Vec<PodContainer>,
        /// Containers that run before them; those that are restarted always stay beside them.
        "initContainers" => pub init_containers: Vec<PodContainer>,
        /// What the runtime takes for itself.
        "overhead" => pub overhead: Resources,
    }
}

part! {
    /// A container as it was asked for.
    pub struct PodContainer {
        /// What it needs.
        "resources" => pub resources: ContainerResources,
        /// `Always` makes a container that runs before the others one that stays beside them; else empty.
        "restartPolicy" => pub restart_policy: String,
    }
}

part! {
    /// What a container needs.
    pub struct ContainerResources {
        /// What is kept free for it.
        "requests" => pub requests: Resources,
    }
}

part! {
    /// A volume.
    pub struct PodVolume {
        /// Its content lives and dies with the pod.
        "emptyDir" => pub empty_dir: Option<EmptyDir>,
        /// A claim.
        "persistentVolumeClaim" => pub claim: Option<VolumeClaim>,
    }
}

part! {
    /// A volume that lives and dies with the pod.
    pub struct EmptyDir {
        /// `Memory`, or empty for the node's disk.
        "medium" => pub medium: String,
    }
}

part! {
    /// A persistent volume claim that a pod mounts.
    pub struct VolumeClaim {
        /// Its name.
        "claimName" => pub name: String,
    }
}

part! {
    /// What is.
    pub struct PodStatus {
        /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
        "phase" => pub phase: String,
        /// A word for machines, such as `Evicted`.
        "reason" => pub reason: String,
        /// Conditions.
        "conditions" => pub conditions: Vec<Condition>,
        /// Containers.
        "containerStatuses" => pub containers: Vec<ContainerStatus>,
    }
}

part! {
    /// A container.
    pub struct ContainerStatus {
        /// Its name.
        "name" => pub name: String,
        /// Passes its readiness probe.
        "ready" => pub ready: bool,
        /// How often it was started again.
        "restartCount" => pub restarts: i64,
        /// State.
        "state" => pub state: ContainerState,
    }
}

part! {
    /// The state of a container.
    pub struct ContainerState {
        /// Why it does not run.
        "waiting" => pub waiting: Option<ContainerWaiting>,
    }
}

part! {
    /// Why a container does not run.
    pub struct ContainerWaiting {
        /// `CrashLoopBackOff`, `ImagePullBackOff` ...
        "reason" => pub reason: String,
        /// A sentence.
        "message" => pub message: String,
    }
}

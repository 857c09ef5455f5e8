//! The pods on a node, read once when a plan needs to know whom it would touch.

/// A pod, as far as consequences depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodOnNode {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Kind of the controlling owner (`ReplicaSet`, `DaemonSet`, `Node` ...); empty for a bare pod.
    pub owner_kind: String,
    /// Phase.
    pub phase: PodPhase,
    /// A static pod (annotation `kubernetes.io/config.mirror`): never evicted.
    pub mirror: bool,
    /// Has an `emptyDir` volume: its content is lost when the pod is evicted.
    pub empty_dir: bool,
    /// Is being deleted.
    pub terminating: bool,
}

impl PodOnNode {
    /// Owned by a DaemonSet: a drain passes it over.
    pub fn daemon(&self) -> bool {
        self.owner_kind == "DaemonSet"
    }
}

/// `status.phase` of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PodPhase {
    /// Not started.
    Pending,
    /// Running.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// The node does not answer, or a phase that we do not know.
    #[default]
    Unknown,
}

//! The pods on a node, as far as consequences need them.

/// A pod on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// `namespace/name`.
    pub name: String,
    /// Kind of the controlling owner: `ReplicaSet`, `DaemonSet`, `Node` for static pods; none: nobody recreates it.
    pub owner: Option<String>,
    /// Succeeded or Failed: it does not run any more.
    pub completed: bool,
}

/// The pods on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodList {
    /// The pods.
    pub pods: Vec<Pod>,
}

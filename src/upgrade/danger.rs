//! How dangerous something is.

use serde::Serialize;

/// How dangerous an action or a remedy is, in the given state of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Danger {
    /// Reversible, no effect on workloads.
    L,
    /// May disrupt workloads or start reboots.
    M,
    /// Can lose quorum, data or support, or cannot be undone.
    H,
}

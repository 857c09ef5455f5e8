//! What we are connected to, for the header, the context popup and the messages about a wrong kubeconfig.

use std::path::PathBuf;

/// What we are connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// Name of the context in use; `in-cluster` for a pod's service account; empty while unknown.
    pub context: String,
    /// Name of its cluster entry.
    pub cluster: String,
    /// URL of the API server.
    pub server: String,
    /// Name of its user entry (who the server takes us for is in `Facts::access`).
    pub user: String,
    /// Every context of the kubeconfig, in its order.
    pub contexts: Vec<Context>,
    /// The files that were read, in the order of precedence.
    pub files: Vec<PathBuf>,
    /// Why there is no client, in words: what is wrong, in which file, what was expected.
    pub error: Option<String>,
}

/// A context of the kubeconfig.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Name.
    pub name: String,
    /// Cluster entry that it names.
    pub cluster: String,
    /// User entry that it names.
    pub user: String,
    /// URL of the API server; empty when the cluster entry is missing.
    pub server: String,
}

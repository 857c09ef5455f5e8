//! What the command line says about the connection.

use std::path::PathBuf;
use std::time::Duration;

/// How to reach the cluster: the flags that every Kubernetes tool has. All empty: `KUBECONFIG`, then `~/.kube/config`,
/// then the service account of the pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--kubeconfig`: this file alone, `KUBECONFIG` is not looked at.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`: another cluster entry than the context's.
    pub cluster: Option<String>,
    /// `--user`: another user entry than the context's.
    pub user: Option<String>,
    /// `--as`: user to impersonate.
    pub impersonate: Option<String>,
    /// `--as-group`, repeated: groups to impersonate.
    pub impersonate_groups: Vec<String>,
    /// `--token`: bearer token, instead of whatever credentials the kubeconfig names.
    pub token: Option<Token>,
    /// `--server`: URL of the API server.
    pub server: Option<String>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--certificate-authority`: file with the CA certificates to trust.
    pub certificate_authority: Option<PathBuf>,
    /// `--request-timeout`: limit of a single request (not of watches); none: 30 s.
    pub request_timeout: Option<Duration>,
}

/// A bearer token: never shown, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self(token.to_owned())
    }
}

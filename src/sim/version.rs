//! `GET /version`: the Kubernetes that belongs to the cluster's OpenShift.

use serde_json::{Value, json};

use crate::sim::kinds::Res;
use crate::sim::store::Store;

/// OpenShift 4.N is built on Kubernetes 1.(N+13), from 4.3 on.
const OFFSET: u64 = 13;

/// The answer. The API server is updated early, so the version is that of the `kube-apiserver` operator's operand, else
/// of the newest completed update; a cluster without either is plain Kubernetes.
pub fn version(store: &Store) -> Value {
    let (minor, patch) = kubernetes(store);
    json!({
        "major": "1",
        "minor": minor.to_string(),
        "gitVersion": format!("v1.{minor}.{patch}"),
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.24",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

/// Minor and patch of the Kubernetes that serves the API.
pub fn kubernetes(store: &Store) -> (u64, u64) {
    let from_operator = store.get(Res::CLUSTER_OPERATORS, None, "kube-apiserver").and_then(|operator| {
        let versions = operator.pointer("/status/versions")?.as_array()?;
        let found = |name: &str| versions.iter().find(|version| version["name"] == name)?["version"].as_str();
        found("kube-apiserver").and_then(minor_and_patch).or_else(|| openshift(found("operator")?))
    });
    from_operator.or_else(|| from_history(store)).unwrap_or((32, 0))
}

/// The version of `Eviction` that pods take: `policy/v1` since Kubernetes 1.22 (kube-apiserver,
/// pkg/registry/core/rest); there `v1beta1` is understood as well.
pub fn eviction(store: &Store) -> &'static str {
    if kubernetes(store).0 >= 22 { "v1" } else { "v1beta1" }
}

fn from_history(store: &Store) -> Option<(u64, u64)> {
    let clusters = store.list(Res::CLUSTER_VERSIONS);
    let history = clusters.first()?.pointer("/status/history")?.as_array()?;
    let completed = history.iter().find(|entry| entry["state"] == "Completed")?;
    openshift(completed["version"].as_str()?)
}

/// Minor and patch of a Kubernetes version such as `1.31.6`.
fn minor_and_patch(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split(['.', '-', '+']);
    let major = parts.next()?;
    (major == "1").then_some(())?;
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Minor and patch of the Kubernetes below an OpenShift version such as `4.18.22`.
fn openshift(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split(['.', '-', '+']);
    (parts.next()? == "4").then_some(())?;
    let minor: u64 = parts.next()?.parse().ok()?;
    Some((minor + OFFSET, 0))
}

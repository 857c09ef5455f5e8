//! Which cluster answers, and is its history the one that we know?
//!
//! The UID of ClusterVersion `version` names an OpenShift cluster; it is another one after an image-based pivot or
//! behind another load balancer. The UID of the namespace `kube-system` stands in where ClusterVersion is absent or
//! forbidden. A list's resourceVersion below one that was seen before means that etcd was restored from a backup.

use serde::Deserialize;

use super::link::PROBE_LIMIT;
use super::request::Requests;
use super::trouble::{self, Failure};
use crate::upgrade::link::{Trouble, TroubleKind};

const CLUSTER_VERSIONS: &str = "/apis/config.openshift.io/v1/clusterversions";
const KUBE_SYSTEM: &str = "/api/v1/namespaces/kube-system";
const NODES: &str = "/api/v1/nodes";

/// Who a cluster is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// UID of ClusterVersion `version`.
    pub cluster_version: Option<String>,
    /// UID of the namespace `kube-system`.
    pub kube_system: Option<String>,
}

impl Identity {
    /// Fills in what is missing.
    pub fn learn(&mut self, other: Self) {
        self.cluster_version = self.cluster_version.take().or(other.cluster_version);
        self.kube_system = self.kube_system.take().or(other.kube_system);
    }
}

/// Who answers now, and how far its history goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Answerer {
    pub identity: Identity,
    /// resourceVersion of a fresh list.
    pub version: Option<u128>,
}

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same cluster, the same history.
    Same,
    /// Another cluster, or an older state of the same; the reason, for the log.
    Another(String),
    /// It cannot be told yet.
    Unsure(Trouble),
}

/// Compares who answers now with who was known and with the highest resourceVersion `seen`.
pub(super) fn compare(known: &Identity, seen: u128, now: &Answerer) -> Verdict {
    let pairs = [
        ("ClusterVersion", &known.cluster_version, &now.identity.cluster_version),
        ("namespace kube-system", &known.kube_system, &now.identity.kube_system),
    ];
    for (what, before, after) in pairs {
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            return Verdict::Another(format!("{what} has the UID {after} instead of {before}"));
        }
    }
    if let Some(version) = now.version
        && version < seen
    {
        return Verdict::Another(format!("the resourceVersion went back from {seen} to {version}"));
    }
    let lost = known.cluster_version.is_some() && now.identity.cluster_version.is_none();
    if lost {
        // A starting API server answers 404 on kinds that it has not loaded yet.
        let words = "the server answers, but does not serve ClusterVersion yet";
        return Verdict::Unsure(trouble::trouble(TroubleKind::AbsentKind, words, ""));
    }
    Verdict::Same
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    uid: Option<String>,
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Object {
    metadata: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct List {
    metadata: Meta,
    items: Option<Vec<Object>>,
}

/// Asks who answers: one list of ClusterVersions and one namespace; nodes only where there is no ClusterVersion.
pub(super) async fn ask(requests: &Requests) -> Result<Answerer, Failure> {
    let (list, namespace) =
        futures::join!(get::<List>(requests, CLUSTER_VERSIONS, "?limit=1"), get::<Object>(requests, KUBE_SYSTEM, ""));
    let mut list = list?;
    let uid = list.as_mut().and_then(|list| list.items.take()?.pop()?.metadata.uid);
    if list.is_none() {
        list = get::<List>(requests, NODES, "?limit=1").await?;
    }
    let version = list.and_then(|list| list.metadata.resource_version?.parse().ok());
    let kube_system = namespace?.and_then(|namespace| namespace.metadata.uid);
    Ok(Answerer { identity: Identity { cluster_version: uid, kube_system }, version })
}

/// None where the server has no such thing or does not let us see it.
async fn get<T: serde::de::DeserializeOwned>(
    requests: &Requests,
    path: &str,
    query: &str,
) -> Result<Option<T>, Failure> {
    match requests.get(&format!("{path}{query}"), path, PROBE_LIMIT).await {
        Ok(body) => serde_json::from_slice(&body).map(Some).map_err(|error| trouble::undecodable(path, error)),
        Err(failure) if matches!(failure.kind(), TroubleKind::AbsentKind | TroubleKind::Forbidden) => Ok(None),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(cluster_version: &str, kube_system: &str) -> Identity {
        let some = |uid: &str| (!uid.is_empty()).then(|| uid.to_owned());
        Identity { cluster_version: some(cluster_version), kube_system: some(kube_system) }
    }

    fn answerer(cluster_version: &str, kube_system: &str, version: u128) -> Answerer {
        Answerer { identity: identity(cluster_version, kube_system), version: Some(version) }
    }

    #[test]
    fn the_same_uids_and_a_later_version_are_the_same_cluster() {
        assert_eq!(compare(&identity("a", "k"), 100, &answerer("a", "k", 100)), Verdict::Same);
    }

    #[test]
    fn another_cluster_version_is_another_cluster() {
        let verdict = compare(&identity("a", "k"), 100, &answerer("b", "k", 200));
        assert!(matches!(verdict, Verdict::Another(why) if why.contains("ClusterVersion")));
    }

    #[test]
    fn a_version_that_went_back_is_a_restored_etcd() {
        assert!(matches!(compare(&identity("a", "k"), 100, &answerer("a", "k", 99)), Verdict::Another(_)));
    }

    #[test]
    fn a_server_that_has_not_loaded_its_kinds_is_neither() {
        assert!(matches!(compare(&identity("a", "k"), 100, &answerer("", "k", 101)), Verdict::Unsure(_)));
    }

    #[test]
    fn plain_kubernetes_is_told_apart_by_kube_system() {
        assert_eq!(compare(&identity("", "k"), 5, &answerer("", "k", 6)), Verdict::Same);
        assert!(matches!(compare(&identity("", "k"), 5, &answerer("", "other", 6)), Verdict::Another(_)));
    }
}

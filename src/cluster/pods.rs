//! The pods on a node, read once when a plan needs to know whom it would touch.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::list;
use super::request::Requests;
use crate::upgrade::link::Trouble;

/// Annotation of a static pod's image in the API (kubelet, `ConfigMirrorAnnotationKey`).
const MIRROR: &str = "kubernetes.io/config.mirror";
/// At 250 a page, more pods than a node can hold (kubelet `maxPods` is 250, at most 2,500 by configuration).
const PAGES: usize = 12;

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

#[derive(Deserialize, Default)]
#[serde(default)]
struct Pod {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    namespace: Option<String>,
    name: Option<String>,
    annotations: Option<BTreeMap<String, Option<String>>>,
    owner_references: Option<Vec<Owner>>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Owner {
    kind: Option<String>,
    controller: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    volumes: Option<Vec<Volume>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Volume {
    #[serde(rename = "emptyDir")]
    empty_dir: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    phase: Option<String>,
}

/// The pods on `node`, ordered by namespace and name.
pub(super) async fn on(requests: &Requests, node: &str) -> Result<Vec<PodOnNode>, Trouble> {
    let selector = format!("spec.nodeName={node}");
    let selectors = [("fieldSelector", selector.as_str())];
    let read = list::all::<Pod>(requests, "/api/v1/pods", &selectors, "pods", PAGES);
    let mut pods: Vec<PodOnNode> =
        read.await.map_err(|failure| failure.trouble)?.into_iter().map(PodOnNode::from).collect();
    pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(pods)
}

impl From<Pod> for PodOnNode {
    fn from(pod: Pod) -> Self {
        let meta = pod.metadata;
        let owners = meta.owner_references.unwrap_or_default();
        let owner = owners.into_iter().find(|owner| owner.controller == Some(true)).and_then(|owner| owner.kind);
        let volumes = pod.spec.and_then(|spec| spec.volumes).unwrap_or_default();
        Self {
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            owner_kind: owner.unwrap_or_default(),
            phase: match pod.status.and_then(|status| status.phase).as_deref() {
                Some("Pending") => PodPhase::Pending,
                Some("Running") => PodPhase::Running,
                Some("Succeeded") => PodPhase::Succeeded,
                Some("Failed") => PodPhase::Failed,
                _ => PodPhase::Unknown,
            },
            mirror: meta.annotations.is_some_and(|all| all.contains_key(MIRROR)),
            empty_dir: volumes.iter().any(|volume| volume.empty_dir.is_some()),
            terminating: meta.deletion_timestamp.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_tells_what_a_drain_would_do_with_it() {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "metadata": { "namespace": "shop", "name": "cart-0", "annotations": { MIRROR: "x" },
                "ownerReferences": [{ "kind": "Other" }, { "kind": "StatefulSet", "controller": true }] },
            "spec": { "volumes": [{ "configMap": {} }, { "emptyDir": {} }] },
            "status": { "phase": "Running" },
        }))
        .unwrap();
        let pod = PodOnNode::from(pod);
        assert_eq!((pod.owner_kind.as_str(), pod.phase), ("StatefulSet", PodPhase::Running));
        assert!(pod.mirror && pod.empty_dir && !pod.terminating && !pod.daemon());
    }
}

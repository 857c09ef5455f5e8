//! The workload that a pod belongs to, as `oc` takes it: `deployment/web`, `statefulset/cart`.

use crate::api::Pod;

/// `kind/name` of the workload; none: a bare pod, which nothing brings back.
///
/// A ReplicaSet is nobody's word for a workload: it is told as its Deployment where the name shows it (Kubernetes,
/// pkg/controller/deployment/sync.go: `<deployment>-<pod-template-hash>`).
pub(super) fn of(pod: &Pod) -> Option<String> {
    let owner = pod.owner()?;
    let label = |key: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str);
    let name = match owner.kind {
        "ReplicaSet" => {
            let stem = owner.name.rsplit_once('-').filter(|(stem, hash)| {
                !stem.is_empty() && label("pod-template-hash").map_or_else(|| is_hash(hash), |known| known == *hash)
            });
            match stem {
                Some((deployment, _)) => format!("deployment/{deployment}"),
                None => format!("replicaset/{}", owner.name),
            }
        }
        "ReplicationController" => match label("deploymentconfig") {
            Some(config) => format!("deploymentconfig/{config}"),
            None => format!("replicationcontroller/{}", owner.name),
        },
        kind => format!("{}/{}", kind.to_lowercase(), owner.name),
    };
    Some(name)
}

/// What the pod template hash is written with (Kubernetes, apimachinery, `rand.SafeEncodeString`): no vowels, no
/// letters or digits that look alike.
fn is_hash(text: &str) -> bool {
    (5..=10).contains(&text.len()) && text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
}

/// The virtual machine that a pod runs, by the name of its VirtualMachineInstance.
pub(super) fn virtual_machine(pod: &Pod) -> Option<&str> {
    pod.owner().filter(|owner| owner.kind == "VirtualMachineInstance").map(|owner| owner.name)
}

//! How the control plane is laid out: what Infrastructure says, else what the machine-config operator wrote on nodes,
//! else what the roles of the nodes show.

use super::assessment::Topology;
use super::facts::{Facts, Kind, KindStatus};
use crate::api;

/// The machine-config operator copies the topology onto nodes (pkg/daemon/constants, `ClusterControlPlaneTopologyAnnotationKey`).
const ANNOTATION: &str = "machineconfiguration.openshift.io/controlPlaneTopology";

/// Labels of control plane nodes, the newer one first.
const CONTROL_PLANE: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// The label of an arbiter.
const ARBITER: &str = "node-role.kubernetes.io/arbiter";

/// The topology, and whether workloads have no other place than control plane nodes.
pub fn topology(facts: &Facts) -> (Topology, bool) {
    let topology = told(facts).or_else(|| written(facts)).unwrap_or_else(|| shown(facts));
    let several = !matches!(topology, Topology::SingleReplica | Topology::External | Topology::Unknown);
    let compact = several && !facts.nodes.is_empty() && facts.nodes.iter().all(|node| is_control_plane(node));
    (topology, compact)
}

/// By the word of `Infrastructure.status.controlPlaneTopology` (api: config/v1/types_infrastructure.go, `TopologyMode`).
fn of_word(word: &str) -> Option<Topology> {
    Some(match word {
        "HighlyAvailable" => Topology::HighlyAvailable,
        "HighlyAvailableArbiter" => Topology::Arbiter,
        "SingleReplica" => Topology::SingleReplica,
        "DualReplica" => Topology::Dual,
        "External" => Topology::External,
        _ => return None,
    })
}

fn told(facts: &Facts) -> Option<Topology> {
    let cluster = facts.around.infrastructures.iter().find(|one| one.name() == "cluster")?;
    of_word(&cluster.status.control_plane_topology)
}

fn written(facts: &Facts) -> Option<Topology> {
    let control_plane = facts.nodes.iter().filter(|node| is_control_plane(node));
    control_plane.filter_map(|node| node.annotation(ANNOTATION)).find_map(of_word)
}

fn is_control_plane(node: &api::Node) -> bool {
    CONTROL_PLANE.iter().chain([&ARBITER]).any(|label| node.label(label).is_some())
}

fn shown(facts: &Facts) -> Topology {
    let full = |node: &&std::sync::Arc<api::Node>| CONTROL_PLANE.iter().any(|label| node.label(label).is_some());
    let arbiter = facts.nodes.iter().any(|node| node.label(ARBITER).is_some());
    match facts.nodes.iter().filter(full).count() {
        0 if hosted(facts) => Topology::External,
        0 => Topology::Unknown,
        1 => Topology::SingleReplica,
        2 if arbiter => Topology::Arbiter,
        2 => Topology::Dual,
        _ => Topology::HighlyAvailable,
    }
}

/// Nodes, but none of the control plane, and the server itself says that it has no pools: as in a hosted cluster.
/// That a dump holds no pools says nothing.
fn hosted(facts: &Facts) -> bool {
    let no_pools = match facts.status(Kind::MachineConfigPools) {
        KindStatus::Absent => true,
        KindStatus::Live => facts.pools.is_empty(),
        _ => false,
    };
    no_pools && !facts.nodes.is_empty() && facts.cluster_version.is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::Specimen;
    use serde_json::json;

    fn of(cluster: &Specimen) -> (Topology, bool) {
        topology(&cluster.facts(0))
    }

    fn without(mut cluster: Specimen, names: &[&str]) -> Specimen {
        cluster.nodes.retain(|node| !names.contains(&node["metadata"]["name"].as_str().unwrap()));
        cluster
    }

    #[test]
    fn the_roles_of_the_nodes_show_it() {
        let workers = ["worker-0", "worker-1", "worker-2"];
        assert_eq!(of(&Specimen::idle()), (Topology::HighlyAvailable, false));
        assert_eq!(of(&without(Specimen::idle(), &workers)), (Topology::HighlyAvailable, true), "compact");
        let single = without(Specimen::idle(), &["master-1", "master-2", "worker-0", "worker-1", "worker-2"]);
        assert_eq!(of(&single), (Topology::SingleReplica, false));
        assert_eq!(of(&without(Specimen::idle(), &["master-2"])), (Topology::Dual, false));
        let mut arbiter = without(Specimen::idle(), &workers);
        arbiter.node("master-2")["metadata"]["labels"] = json!({"node-role.kubernetes.io/arbiter": ""});
        assert_eq!(of(&arbiter), (Topology::Arbiter, true));
    }

    #[test]
    fn what_the_cluster_says_counts_more_than_what_it_shows() {
        let mut cluster = Specimen::idle();
        cluster.mark("master-1", &[("controlPlaneTopology", "SingleReplica")]);
        assert_eq!(of(&cluster).0, Topology::SingleReplica);
        cluster.around.push(json!({
            "apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": {"name": "cluster"},
            "status": {"controlPlaneTopology": "DualReplica"},
        }));
        assert_eq!(of(&cluster).0, Topology::Dual);
    }

    #[test]
    fn a_cluster_without_pools_and_control_plane_nodes_is_hosted() {
        let mut cluster = without(Specimen::idle(), &["master-0", "master-1", "master-2"]);
        assert_eq!(of(&cluster).0, Topology::Unknown, "it has pools");
        cluster.pools.clear();
        assert_eq!(of(&cluster), (Topology::External, false));
    }
}

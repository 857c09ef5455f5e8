//! How the control plane is laid out: what Infrastructure says, else what the machine-config operator wrote on nodes,
//! else what the roles of the nodes show.

use super::assessment::{Node, Topology};
use super::facts::{Facts, Kind, KindStatus};

/// The machine-config operator copies the topology onto nodes (pkg/daemon/constants, `ClusterControlPlaneTopologyAnnotationKey`).
const ANNOTATION: &str = "machineconfiguration.openshift.io/controlPlaneTopology";

/// The topology, and whether workloads have no other place than control plane nodes. `rows` are those of the facts' nodes.
pub fn topology(facts: &Facts, rows: &[Node]) -> (Topology, bool) {
    let topology = told(facts).or_else(|| written(facts, rows)).unwrap_or_else(|| shown(facts, rows));
    let several = !matches!(topology, Topology::SingleReplica | Topology::External | Topology::Unknown);
    let compact = several && !rows.is_empty() && rows.iter().all(|row| is_control_plane(row) || is_arbiter(row));
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

fn written(facts: &Facts, rows: &[Node]) -> Option<Topology> {
    let control_plane = facts.nodes.iter().zip(rows).filter(|(_, row)| is_control_plane(row));
    control_plane.filter_map(|(node, _)| node.annotation(ANNOTATION)).find_map(of_word)
}

/// By its roles; `master` is the older word.
fn is_control_plane(row: &Node) -> bool {
    row.roles.iter().any(|role| role == "control-plane" || role == "master")
}

fn is_arbiter(row: &Node) -> bool {
    row.roles.iter().any(|role| role == "arbiter")
}

fn shown(facts: &Facts, rows: &[Node]) -> Topology {
    match rows.iter().filter(|row| is_control_plane(row)).count() {
        0 if hosted(facts) => Topology::External,
        0 => Topology::Unknown,
        1 => Topology::SingleReplica,
        2 if rows.iter().any(is_arbiter) => Topology::Arbiter,
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
        let assessment = cluster.assess(0);
        (assessment.topology, assessment.compact)
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

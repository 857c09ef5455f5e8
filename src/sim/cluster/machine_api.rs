//! What the machine API has besides Machines: MachineSets, the ControlPlaneMachineSet, MachineHealthChecks.

use serde_json::json;

use super::object::Condition;
use super::{Builder, configuration, infrastructure_name};
use crate::sim::kinds::Res;

/// The namespace of the machine API.
pub const NAMESPACE: &str = "openshift-machine-api";
/// The label that says which MachineSet a Machine belongs to.
pub const MACHINE_SET: &str = "machine.openshift.io/cluster-api-machineset";
/// The label with a Machine's role.
pub const ROLE: &str = "machine.openshift.io/cluster-api-machine-role";

/// The MachineSet of a pool's nodes in a zone.
pub fn set_name(builder_infrastructure: &str, pool: &str, zone: &str) -> String {
    if zone.is_empty() {
        format!("{builder_infrastructure}-{pool}")
    } else {
        format!("{builder_infrastructure}-{pool}-{zone}")
    }
}

/// Creates them, where the platform makes machines.
pub fn build(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    if !configuration::has_machine_api(&scenario.cluster.platform) {
        return;
    }
    machine_sets(builder);
    if scenario.cluster.platform != "BareMetal" && scenario.size("master") > 1 {
        control_plane(builder);
    }
    if scenario.size("worker") > 0 {
        health_check(builder);
    }
}

fn machine_sets(builder: &Builder<'_>) {
    let infrastructure = infrastructure_name(builder.scenario);
    for (pool_name, pool) in &builder.scenario.pools {
        if pool_name == "master" || pool.nodes == 0 {
            continue;
        }
        let zones: Vec<&str> =
            if pool.zones.is_empty() { vec![""] } else { pool.zones.iter().map(String::as_str).collect() };
        for (at, zone) in zones.iter().enumerate() {
            let replicas = (0..pool.nodes).filter(|index| index * zones.len() / pool.nodes == at).count();
            let name = set_name(&infrastructure, pool_name, zone);
            let labels = json!({"machine.openshift.io/cluster-api-cluster": infrastructure});
            builder.old(
                Res::MACHINE_SETS,
                json!({
                    "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
                    "spec": {
                        "replicas": replicas,
                        "selector": {"matchLabels": {MACHINE_SET: name}},
                        "template": {
                            "metadata": {"labels": {MACHINE_SET: name, ROLE: pool_name}},
                            "spec": {"providerSpec": {}},
                        },
                    },
                    "status": {
                        "availableReplicas": replicas, "fullyLabeledReplicas": replicas, "observedGeneration": 1,
                        "readyReplicas": replicas, "replicas": replicas,
                    },
                }),
            );
        }
    }
}

fn control_plane(builder: &Builder<'_>) {
    let count = builder.scenario.size("master");
    let conditions = [("Available", "True", "AllReplicasAvailable"), ("Degraded", "False", "AsExpected")]
        .into_iter()
        .chain([("Progressing", "False", "AllReplicasUpdated")])
        .map(|(kind, status, reason)| Condition::new(kind, status, reason, "").at(builder.installed))
        .collect::<Vec<_>>();
    builder.old(
        Res::CONTROL_PLANE_MACHINE_SETS,
        json!({
            "metadata": {
                "name": "cluster", "namespace": NAMESPACE,
                "finalizers": ["controlplanemachineset.machine.openshift.io"],
            },
            "spec": {
                "replicas": count,
                "selector": {"matchLabels": {ROLE: "master"}},
                "state": "Active",
                "strategy": {"type": "RollingUpdate"},
                "template": {"machineType": "machines_v1beta1_machine_openshift_io"},
            },
            "status": {
                "conditions": conditions, "observedGeneration": 1, "readyReplicas": count, "replicas": count,
                "updatedReplicas": count,
            },
        }),
    );
}

fn health_check(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    let given = &scenario.cluster.health_check;
    let timeout = format!("{}s", given.timeout.0.as_secs());
    let mut metadata = json!({"name": "workers", "namespace": NAMESPACE});
    if given.paused {
        metadata["annotations"] = json!({"cluster.x-k8s.io/paused": ""});
    }
    let check = json!({
        "metadata": metadata,
        "spec": {
            "maxUnhealthy": given.max_unhealthy,
            "nodeStartupTimeout": "10m",
            "selector": {"matchLabels": {ROLE: "worker"}},
            "unhealthyConditions": [
                {"status": "False", "timeout": timeout, "type": "Ready"},
                {"status": "Unknown", "timeout": timeout, "type": "Ready"},
            ],
        },
        "status": {
            "conditions": [
                Condition::new("RemediationAllowed", "True", "", "").at(builder.installed),
            ],
            "currentHealthy": scenario.size("worker"),
            "expectedMachines": scenario.size("worker"),
            "remediationsAllowed": scenario.size("worker") * 2 / 5,
        },
    });
    builder.old(Res::MACHINE_HEALTH_CHECKS, check);
}

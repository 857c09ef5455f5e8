//! What the machine config operator says about `MachineConfiguration` `cluster`: the node disruption policy in force and
//! the boot images that it looks after.
//!
//! Rules: machine-config-operator, pkg/operator/sync.go (syncMachineConfiguration) and pkg/controller/machine-set-boot-
//! image.

use serde_json::{Value, json};

use super::node_controller::NAMESPACE;
use super::world::{Actor, World};
use crate::sim::cluster::disruption_policy::{effective, is_adjustable};
use crate::sim::cluster::object::{number, text};
use crate::sim::cluster::release;
use crate::sim::kinds::Res;

/// The sync.
#[derive(Debug, Default)]
pub struct MachineConfiguration;

impl Actor for MachineConfiguration {
    fn step(&mut self, world: &mut World) {
        let Some(object) = world.store.get(Res::MACHINE_CONFIGURATIONS, None, "cluster") else { return };
        let generation = number(&object, "/metadata/generation");
        if number(&object, "/status/observedGeneration") == generation
            || world.seen.leader(NAMESPACE, "machine-config-operator").is_none()
        {
            return;
        }
        let cluster = world.store.get(Res::CLUSTER_OPERATORS, None, "machine-config");
        let version = cluster.as_ref().map_or("", |operator| text(operator, "/status/versions/0/version"));
        let adjustable = is_adjustable(release::minor(version));
        let policies = effective(&object["spec"]["nodeDisruptionPolicy"]);
        let images = object["spec"]["managedBootImages"].clone();
        world.store.update(Res::MACHINE_CONFIGURATIONS, None, "cluster", |object| {
            let status = &mut object["status"];
            status["observedGeneration"] = json!(generation);
            if adjustable {
                status["nodeDisruptionPolicyStatus"] = json!({"clusterPolicies": policies});
            }
            if images != Value::Null {
                status["managedBootImagesStatus"] = images;
            }
        });
    }
}

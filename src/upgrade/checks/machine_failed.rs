//! `machine-failed`: a Machine failed for good: it never becomes a node (again).

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, machines};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

/// What a Machine is for (machine-api-operator).
const ROLE: &str = "machine.openshift.io/cluster-api-machine-role";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for machine in look.now.facts.around.machines.iter().filter(|machine| machine.status.phase == "Failed") {
        let address = machines::address(machine);
        let name = machine.name();
        let node = machine.status.node.name.as_str();
        let status = &machine.status;
        let why = [status.error_message.as_str(), status.error_reason.as_str()].into_iter().find(|why| !why.is_empty());
        let why = why.unwrap_or("it does not say why");
        let mut resources = vec![address.clone()];
        if !node.is_empty() {
            resources.push(Resource::node(node));
        }
        let mut remedies = vec![Remedy::look("Read why.").oc(format!(
            "oc describe machine -n {} {name}",
            shell(&address.namespace),
            name = shell(name)
        ))];
        if machine.metadata.labels.as_ref().and_then(|labels| labels.get(ROLE)).is_some_and(|role| role == "master") {
            remedies.push(Remedy::look(
                "It is of the control plane: replace it only with all members of etcd healthy, and no other one away.",
            ));
        } else {
            remedies.push(
                Remedy::change(
                    Danger::M,
                    "Delete the Machine: its machine set makes a new one. Not of the control plane.",
                )
                .oc(format!(
                    "oc delete machine -n {} {name}",
                    shell(&address.namespace),
                    name = shell(name)
                )),
            );
        }
        found.push(Finding {
            impact: Impact::ClusterCapacity,
            resources,
            meaning: "A failed Machine is never tried again. If a node belongs to it, that node is gone or cannot be replaced by its \
                      machine set until the Machine is deleted."
                .to_owned(),
            remedies,
            evidence: vec![evidence(format!("machine/{name}"), "status.phase", format!("Failed: {why}"), None)],
            ..finding("machine-failed", Level::Warning, Subject::Object(address), format!("machine {name} failed: {why}"))
        });
    }
}

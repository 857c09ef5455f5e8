//! `guard-budgets-crossed`: two control plane nodes are drained at once, and the guards of the quorum let neither go.
//!
//! Happens when the machine-config operator rolls one node while a ControlPlaneMachineSet (or a person) replaces another.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, machines};
use crate::upgrade::assessment::Node;
use crate::upgrade::blockers;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let control_plane =
        |node: &&Node| node.pool.as_deref().and_then(|pool| look.now.pool(pool)).is_some_and(|pool| pool.control_plane);
    let leaving: Vec<&Node> = look
        .now
        .nodes
        .iter()
        .filter(control_plane)
        .filter(|node| blockers::drains(node) || machines::deleting(look, &node.name).is_some())
        .collect();
    let [first, second, ..] = leaving.as_slice() else { return };
    let names: Vec<&str> = leaving.iter().map(|node| node.name.as_str()).collect();
    let since = leaving.iter().filter_map(|node| node.cordon.as_ref()?.since).max();
    let told = |node: &Node| match machines::deleting(look, &node.name) {
        Some(machine) => {
            evidence(format!("machine/{}", machine.name()), "status.phase", "Deleting", machines::asked(machine))
        }
        None => evidence(format!("node/{}", node.name), "phase", node.phase.word(), node.since),
    };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        resources: names.iter().map(|name| Resource::node(name)).collect(),
        meaning: "The guard budgets of etcd and the API server let one control plane node go at a time. With two being \
                  drained each waits for the other, for ever. Whoever deletes a guard or its budget now can cost the quorum."
            .to_owned(),
        remedies: vec![
            Remedy::look(format!("Let one of them finish: end the deletion of the other's machine, or wait with its drain ({} or {}).", first.name, second.name))
                .oc("oc get machines -n openshift-machine-api -o wide"),
            Remedy::look("Never delete guard pods or their budgets, and never force one of these nodes.")
                .oc("oc get pods,pdb -n openshift-etcd -o wide"),
        ],
        since,
        evidence: leaving.iter().map(|node| told(node)).collect(),
        ..finding(
            "guard-budgets-crossed",
            Level::Critical,
            Subject::Node(second.name.clone()),
            format!("two control plane nodes are drained at once: {}", names.join(" and ")),
        )
    });
}

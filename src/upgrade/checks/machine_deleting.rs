//! `machine-deleting`: the Machine of a node is being deleted while pools roll: by a health check that takes a reboot for
//! a failure, by an autoscaler, or by a person.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, machines};
use crate::upgrade::assessment::{NodePhase, Pool};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let rolls = look.now.update.in_progress || look.now.pools.iter().any(Pool::outdated);
    for machine in look.now.facts.around.machines.iter().filter(|machine| machines::goes(machine)) {
        let address = machines::address(machine);
        let (name, node) = (machine.name(), machine.status.node.name.as_str());
        let row = look.now.node(node);
        let rebooting = row.is_some_and(|row| matches!(row.phase, NodePhase::Rebooting | NodePhase::Back));
        let hooks = &machine.spec.hooks;
        let held: Vec<&str> =
            hooks.pre_drain.iter().chain(&hooks.pre_terminate).map(|hook| hook.name.as_str()).collect();
        let mut resources = vec![address.clone()];
        resources.extend(row.map(|row| Resource::node(&row.name)));
        let mut lines = vec![
            "The node is drained and goes for good; the pool has one node less until a new one has joined.".to_owned(),
        ];
        if rebooting {
            lines.push(
                "The node was rebooting for the update: a health check that was not paused takes that for a failure."
                    .to_owned(),
            );
        }
        if !held.is_empty() {
            lines.push(format!("Held by its lifecycle hooks: {}.", held.join(", ")));
        }
        found.push(Finding {
            impact: Impact::ClusterCapacity,
            resources,
            meaning: lines.join("\n"),
            remedies: vec![
                Remedy::look("Find out who deletes it: events of the machine, health checks, autoscaler.").oc(format!(
                    "oc describe machine -n {} {name}",
                    shell(&address.namespace),
                    name = shell(name)
                )),
                Remedy::change(Danger::L, "Pause the health checks until the update is over.").oc(format!(
                    "oc annotate machinehealthcheck --all -n {} cluster.x-k8s.io/paused=",
                    shell(machines::NAMESPACE)
                )),
            ],
            since: machines::asked(machine),
            evidence: vec![evidence(format!("machine/{name}"), "status.phase", "Deleting", machines::asked(machine))],
            ..finding(
                "machine-deleting",
                if rebooting {
                    Level::Error
                } else if rolls {
                    Level::Warning
                } else {
                    Level::Info
                },
                Subject::Object(address),
                if node.is_empty() {
                    format!("machine {name} is being deleted")
                } else {
                    format!("machine {name} of node {node} is being deleted")
                },
            )
        });
    }
}

//! `health-check-active`: a MachineHealthCheck watches nodes that roll: it may take a long reboot for a failure and
//! delete the Machine. The guides pause all of them before an update.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, machines};
use crate::api::MachineHealthCheck;
use crate::upgrade::assessment::NodePhase;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let rolling: Vec<&str> =
        look.now.pools.iter().filter(|pool| pool.outdated() && !pool.paused).map(|pool| pool.name.as_str()).collect();
    if rolling.is_empty() && !look.now.update.in_progress {
        return;
    }
    for check in look.now.facts.around.machine_health_checks.iter().filter(|check| !check.is_paused()) {
        let nodes = watched(look, check, &rolling);
        // Once its nodes are done it may watch over them again.
        if nodes.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        found.push(active(check, &nodes.unwrap_or_default()));
    }
}

/// The nodes that a health check watches and that still have to roll; none: its Machines were not read.
fn watched<'a>(look: &'a Look, check: &MachineHealthCheck, rolling: &[&str]) -> Option<Vec<&'a str>> {
    if look.now.facts.around.machines.is_empty() {
        return None;
    }
    let none = std::collections::BTreeMap::new();
    let selected = look
        .now
        .facts
        .around
        .machines
        .iter()
        .filter(|machine| check.spec.selector.matches(machine.metadata.labels.as_ref().unwrap_or(&none)));
    let nodes = selected.filter_map(|machine| look.now.node(&machine.status.node.name));
    let to_roll = nodes.filter(|node| node.phase != NodePhase::Done).filter(|node| {
        match node.pool.as_deref().and_then(|pool| look.now.pool(pool)) {
            Some(pool) => rolling.contains(&pool.name.as_str()) || (look.now.update.in_progress && !pool.paused),
            None => false,
        }
    });
    Some(to_roll.map(|node| node.name.as_str()).collect())
}

fn active(check: &MachineHealthCheck, nodes: &[&str]) -> Finding {
    let name = check.name();
    let namespace = check.metadata.namespace.as_deref().unwrap_or(machines::NAMESPACE);
    let object = Resource::namespaced("machinehealthchecks.machine.openshift.io", namespace, name);
    let limits: Vec<String> = check
        .spec
        .unhealthy
        .iter()
        .map(|unhealthy| format!("{}={} for {}", unhealthy.kind, unhealthy.status, unhealthy.timeout))
        .collect();
    let mut resources = vec![object.clone()];
    resources.extend(nodes.iter().map(|node| Resource::node(node)));
    let of = if nodes.is_empty() { String::new() } else { format!(" of {}", words::count(nodes.len(), "node")) };
    Finding {
        impact: Impact::ClusterCapacity,
        resources,
        meaning: format!(
            "It deletes the Machine of a node that is unhealthy ({}). A node that reboots for the update looks just like that, and \
             servers of bare metal take longer than most limits.",
            limits.join(", ")
        ),
        remedies: vec![Remedy::change(Danger::L, "Pause it until the update is over, and resume it afterwards.").oc(
            format!(
                "oc annotate machinehealthcheck -n {namespace} {name} cluster.x-k8s.io/paused=",
                namespace = words::shell(namespace),
                name = words::shell(name)
            ),
        )],
        evidence: vec![evidence(
            format!("machinehealthcheck/{name}"),
            "metadata.annotations",
            "no cluster.x-k8s.io/paused",
            None,
        )],
        ..finding(
            "health-check-active",
            Level::Warning,
            Subject::Object(object),
            format!("health check {name} may delete machines{of} that reboot for the update"),
        )
    }
}

//! `node-cordoned`: a node that somebody cordoned: it uses up capacity of its pool, and its own turn does not come until
//! it is uncordoned. Nothing in the cluster says so.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::{Cordon, Node, NodePhase, Pool};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        let Some(cordon) = node.cordon.as_ref().filter(|cordon| !cordon.by_mco) else { continue };
        if node.phase.moving() || node.phase == NodePhase::Degraded {
            continue; // the operator has work on it and uncordons it at the end, whoever cordoned it
        }
        if let Some(pool) = node.pool.as_deref().and_then(|pool| look.now.pool(pool)) {
            found.push(cordoned(node, cordon, pool));
        }
    }
}

fn cordoned(node: &Node, cordon: &Cordon, pool: &Pool) -> Finding {
    let name = &node.name;
    let by = cordon.manager.as_ref().map(|manager| format!(" by {manager}")).unwrap_or_default();
    let waits = pool.waiting > 0 && !pool.paused;
    let own = match node.phase {
        NodePhase::Done => "It is at its pool's configuration already.",
        _ => "Its own update does not begin while it is cordoned.",
    };
    let spec = &pool.capacity.max_unavailable_spec;
    Finding {
        impact: if waits { Impact::UpdateSpeed } else { Impact::ClusterCapacity },
        resources: vec![Resource::node(name), Resource::pool(&pool.name)],
        meaning: format!(
            "The machine-config controller counts every cordoned node as unavailable, whoever cordoned it: it takes one of the \
             places of maxUnavailable ({spec}) of pool {}. {own} A finished pool does not become Updated while a node of it is \
             cordoned.",
            pool.name
        ),
        remedies: vec![
            Remedy::change(Danger::L, "Uncordon it, when whoever cordoned it is done.")
                .oc(format!("oc adm uncordon {name}", name = shell(name))),
        ],
        link: Some(reading::NODES.to_owned()),
        since: cordon.since,
        evidence: vec![evidence(format!("node/{name}"), "spec.unschedulable", format!("true{by}"), cordon.since)],
        ..finding(
            "node-cordoned",
            if waits { Level::Warning } else { Level::Info },
            Subject::Node(name.clone()),
            format!("{name} was cordoned{by} and uses up capacity of pool {}", pool.name),
        )
    }
}

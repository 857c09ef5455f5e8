//! `node-unmanaged`: a node that no pool updates, and nothing in the API says so.

use super::{Finding, Impact, Level, Look, Remedy, Subject, evidence, finding, node_conditions, reading};
use crate::upgrade::danger::Danger;
use crate::upgrade::membership::{Membership, Pools};
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for (node, roles) in unmanaged(look, Membership::NoPool) {
        found.push(Finding {
            impact: Impact::UpdateStalled,
            meaning: "No pool's selector matches its labels. It keeps its configuration and its release, and no pool, no operator and \
                      no alert counts it."
                .to_owned(),
            remedies: vec![
                Remedy::change(Danger::M, "Give it the role of a pool: it then rolls to that pool's configuration.")
                    .oc(format!("oc label node {node} node-role.kubernetes.io/worker=", node = shell(&node))),
            ],
            link: Some(reading::NODES.to_owned()),
            evidence: vec![evidence(format!("node/{node}"), "metadata.labels", format!("roles: {roles}"), None)],
            ..finding(
                "node-unmanaged",
                Level::Warning,
                Subject::Node(node.clone()),
                format!("no pool updates {node}: its roles ({roles}) belong to none"),
            )
        });
    }
}

/// The nodes with a membership that is none, with their roles.
pub(super) fn unmanaged(look: &Look, wanted: Membership) -> Vec<(String, String)> {
    let facts = &look.now.facts;
    if facts.pools.is_empty() {
        return Vec::new(); // a cluster without pools manages its nodes in another way
    }
    let pools = Pools::new(&facts.pools);
    let rows = look.now.nodes.iter().filter(|node| node.pool.is_none());
    let these =
        rows.filter(|row| node_conditions::object(look, &row.name).is_some_and(|node| pools.of(node) == wanted));
    these
        .map(|row| {
            let roles = if row.roles.is_empty() { "none".to_owned() } else { row.roles.join(", ") };
            (row.name.clone(), roles)
        })
        .collect()
}

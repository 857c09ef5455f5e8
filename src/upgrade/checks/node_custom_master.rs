//! `node-custom-master`: a control plane node with the role of a custom pool: the pool master wins, and what the custom
//! pool says is ignored (machine-config operator, pkg/helpers/helpers.go; alert MCCPoolAlert).

use super::node_in_two_pools::custom_pools;
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    if !look.now.facts.pools.iter().any(|pool| !matches!(pool.name(), "master" | "arbiter" | "worker")) {
        return;
    }
    for node in look.now.nodes.iter().filter(|node| node.pool.as_deref() == Some("master")) {
        let ignored = custom_pools(look, &node.name);
        let Some(first) = ignored.first() else { continue };
        let name = &node.name;
        let mut resources = vec![Resource::node(name), Resource::pool("master")];
        resources.extend(ignored.iter().map(|pool| Resource::pool(pool)));
        found.push(Finding {
            impact: Impact::None,
            resources,
            meaning: "Custom pools for control plane nodes are not supported: the node is updated as a master, and the configuration of \
                      the custom pool never reaches it."
                .to_owned(),
            remedies: vec![
                Remedy::change(Danger::L, "Take the role of the custom pool away from it.")
                    .oc(format!("oc label node {name} node-role.kubernetes.io/{first}-", name = shell(name), first = shell(first))),
            ],
            link: Some(reading::POOLS.to_owned()),
            evidence: vec![evidence(
                format!("node/{name}"),
                "metadata.labels",
                format!("roles: {}", node.roles.join(", ")),
                None,
            )],
            ..finding(
                "node-custom-master",
                Level::Warning,
                Subject::Node(name.clone()),
                format!("{name} is a master, pool {} selects it in vain", ignored.join(" and ")),
            )
        });
    }
}

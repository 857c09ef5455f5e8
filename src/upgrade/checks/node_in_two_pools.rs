//! `node-in-two-pools`: two custom pools select a node, so the machine-config operator leaves it alone, and only a line
//! of its log says so (pkg/helpers/helpers.go, "belongs to 2 custom roles").

use super::node_unmanaged::unmanaged;
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, node_conditions, reading};
use crate::upgrade::danger::Danger;
use crate::upgrade::membership::Membership;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for (node, roles) in unmanaged(look, Membership::SeveralCustomPools) {
        let pools = custom_pools(look, &node);
        let mut resources = vec![Resource::node(&node)];
        resources.extend(pools.iter().map(|pool| Resource::pool(pool)));
        let extra = pools.last().cloned().unwrap_or_default();
        found.push(Finding {
            impact: Impact::UpdateStalled,
            resources,
            meaning: "A node belongs to one custom pool at most. This one is in no pool's count and keeps its configuration and its \
                      release; no condition, event or alert says so."
                .to_owned(),
            remedies: vec![
                Remedy::change(Danger::M, "Take all but one of these roles away: it then rolls to the configuration of the one left.")
                    .oc(format!("oc label node {node} node-role.kubernetes.io/{extra}-", node = shell(&node), extra = shell(&extra))),
            ],
            link: Some(reading::NODES.to_owned()),
            evidence: vec![evidence(format!("node/{node}"), "metadata.labels", format!("roles: {roles}"), None)],
            ..finding(
                "node-in-two-pools",
                Level::Warning,
                Subject::Node(node.clone()),
                format!("no pool updates {node}: pools {} both select it", pools.join(" and ")),
            )
        });
    }
}

/// The custom pools that select a node.
pub(super) fn custom_pools(look: &Look, node: &str) -> Vec<String> {
    let Some(object) = node_conditions::object(look, node) else { return Vec::new() };
    let custom = look.now.facts.pools.iter().filter(|pool| !matches!(pool.name(), "master" | "arbiter" | "worker"));
    let selecting = custom.filter(|pool| {
        let selector = pool.spec.node_selector.as_ref();
        selector.is_some_and(|selector| !selector.is_empty() && selector.matches(object.labels()))
    });
    selecting.map(|pool| pool.name().to_owned()).collect()
}

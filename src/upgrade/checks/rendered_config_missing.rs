//! `rendered-config-missing`: a node refers to a rendered configuration that does not exist.

use super::degraded::{Cause, about, because_of, between, missing_config};
use super::{Finding, Look, Remedy, evidence, reading};
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let missing = |reason: &str| between(reason, "\"rendered-", "\"").map(|rest| format!("rendered-{rest}"));
    let title = |node: &Node, reason: &str| {
        let config = missing(reason).or_else(|| missing_config(look, node).map(|(_, config)| config.to_owned()));
        let config = config.unwrap_or_else(|| "a rendered configuration".to_owned());
        format!("{} refers to {config}, which does not exist", node.name)
    };
    let mut all = because_of(look, Cause::ConfigMissing, title);
    // The daemon need not have noticed yet: it looks when it is to go there, or when it starts.
    for node in look.now.nodes.iter().filter(|node| node.phase != NodePhase::Degraded) {
        if let Some((field, config)) = missing_config(look, node) {
            let proof = evidence(format!("node/{}", node.name), field, config, None);
            all.push(Finding { since: None, ..about(node, Cause::ConfigMissing, title(node, config), proof) });
        }
    }
    for about in all {
        let super::Subject::Node(name) = &about.subject else { continue };
        let pool = look.now.node(name).and_then(|node| node.pool.as_deref()).and_then(|pool| look.now.pool(pool));
        let mut remedies = vec![
            Remedy::look("Find out whether it was deleted; the configurations of the pool are these.")
                .oc("oc get machineconfigs --sort-by=.metadata.creationTimestamp"),
        ];
        // A control plane node is not to be thrown away for this.
        if !pool.is_some_and(|pool| pool.control_plane) {
            remedies.push(
                Remedy::change(
                    Danger::M,
                    "Replace a worker: delete its Machine, and let the machine set make a new one.",
                )
                .oc(format!("oc get machines -A -o wide | grep -w {name}", name = shell(name))),
            );
        }
        remedies.push(Remedy::look(
            "Do not edit currentConfig or desiredConfig of the node by hand: only with the help of the product's support.",
        ));
        found.push(Finding {
            meaning: "Without that configuration the daemon knows neither where the node is nor where it has to go. It was deleted, \
                      or never made on this cluster (a restore, a node of another cluster)."
                .to_owned(),
            remedies,
            link: Some(reading::NODES.to_owned()),
            ..about
        });
    }
}

//! `rendered-config-missing`: a node refers to a rendered configuration that does not exist.

use super::degraded::{Cause, because_of, between};
use super::{Finding, Look, Remedy, reading};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let missing = |reason: &str| between(reason, "\"rendered-", "\"").map(|rest| format!("rendered-{rest}"));
    let title = |node: &crate::upgrade::assessment::Node, reason: &str| {
        let config = missing(reason).unwrap_or_else(|| "a rendered configuration".to_owned());
        format!("{} refers to {config}, which does not exist", node.name)
    };
    for about in because_of(look, Cause::ConfigMissing, title) {
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

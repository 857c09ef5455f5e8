//! `multi-arch-left`: the control plane runs the multi-architecture release, and pools still roll to it.

use super::release::field;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let update = &look.now.update;
    let Some(version) = look.version().filter(|_| update.multi_arch && !update.in_progress) else { return };
    let left: Vec<_> = look.now.pools.iter().filter(|pool| pool.outdated()).collect();
    if left.is_empty() {
        return;
    }
    let nodes: usize = left.iter().map(|pool| pool.total - pool.updated).sum();
    let pools = words::some_of(left.iter().map(|pool| pool.name.as_str()), 3);
    found.push(Finding {
        impact: Impact::None,
        resources: std::iter::once(Resource::version()).chain(left.iter().map(|pool| Resource::pool(&pool.name))).collect(),
        meaning: "The version stays the same and only the images change, so nothing but the rendered configuration tells which \
                  nodes are done. Nodes of another architecture must wait until all are."
            .to_owned(),
        remedies: vec![Remedy::look("Wait for the pools; unpause those that are paused.").oc("oc get machineconfigpools")],
        since: update.completed,
        evidence: version
            .status
            .history
            .iter()
            .take(2)
            .map(|entry| field("status.history", format!("{} {}", entry.version, entry.image), entry.started))
            .collect(),
        ..finding(
            "multi-arch-left",
            Level::Info,
            Subject::Version,
            format!("{} of {pools} still to go to the multi-architecture release", words::count(nodes, "node")),
        )
    });
}

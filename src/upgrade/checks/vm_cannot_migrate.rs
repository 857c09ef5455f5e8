//! `vm-cannot-migrate`: a virtual machine that has to leave a node which is drained, and cannot.

use super::{Finding, Level, Look, Resource, blocked_pods};
use crate::upgrade::assessment::Cause;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let stuck = |cause: &Cause| matches!(cause, Cause::VirtualMachine { why } if why.starts_with("cannot"));
    for (node, blocker) in blocked_pods::with(look, stuck) {
        let Cause::VirtualMachine { why } = &blocker.cause else { continue };
        let owner = blocker.owner.as_deref().and_then(|owner| owner.split_once('/')).map_or("", |(_, name)| name);
        let title = format!("{}: virtual machine {}/{owner} {why}", node.name, blocker.namespace);
        let mut about = blocked_pods::about(look, "vm-cannot-migrate", Level::Error, node, blocker, title);
        about.resources.push(Resource::namespaced("virtualmachineinstances.kubevirt.io", &blocker.namespace, owner));
        found.push(Finding {
            meaning: "Its eviction strategy asks for a live migration, so its pod is not evicted before the machine has moved. \
                      The drain waits until it can move or is shut down."
                .to_owned(),
            ..about
        });
    }
}

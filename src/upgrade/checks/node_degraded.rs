//! `node-degraded`: the machine-config daemon failed on a node. A node that is called degraded because its drain took an
//! hour has its finding already: `drain-blocked`, which names the cause.

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let degraded = |node: &&Node| node.phase == NodePhase::Degraded && node.drain_trouble.is_none();
    for node in look.now.nodes.iter().filter(degraded) {
        let reason = words::first_line(&node.message);
        found.push(Finding {
            meaning: advice(&node.message).to_owned(),
            since: node.since,
            evidence: vec![evidence(
                format!("node/{}", node.name),
                "machineconfiguration.openshift.io/reason",
                node.message.clone(),
                node.since,
            )],
            ..finding(
                "node-degraded",
                Level::Error,
                Subject::Node(node.name.clone()),
                format!("{} is degraded: {reason}", node.name),
            )
        });
    }
}

/// What to do, by the sentences of the machine-config daemon (pkg/daemon/on_disk_validation.go, daemon.go, update.go;
/// pkg/controller/common/reconcile.go).
fn advice(reason: &str) -> &'static str {
    if reason.contains("drain") {
        "The drain went on for an hour. It still goes on: free what holds it up and the node recovers by itself."
    } else if reason.contains("content mismatch")
        || reason.contains("mode mismatch")
        || reason.contains("could not stat file")
    {
        "A file on the node was changed by hand. Restore its content and mode on the node; the daemon then goes on."
    } else if reason.contains("expected target osImageURL") {
        "The node did not boot into the wanted OS image. Look at rpm-ostree status and the space in /boot on the node."
    } else if reason.contains("can't reconcile config") {
        "The new configuration changes what cannot be changed on a running node. Revert the MachineConfig that does."
    } else if reason.contains("not found") && reason.contains("rendered-") {
        "The node refers to a rendered MachineConfig that is gone. On a worker, replace the node; on a master, ask support."
    } else if reason.contains("podman pull") || reason.contains("pinging container registry") {
        "The node cannot pull the OS image: look at DNS, proxy, mirror and pull secret. The daemon retries by itself."
    } else if reason.contains("reboot command failed") {
        "The node could not be rebooted by its daemon: reboot the host."
    } else {
        "Look at the log of the machine-config daemon on the node (openshift-machine-config-operator). It retries by itself."
    }
}

//! `node-degraded`: the machine-config daemon failed on a node. Where its reason is understood, a finding of its own
//! tells the cause and what to do, and this one points to it.

use super::degraded::{Cause, cause_of, daemon_log, reason};
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::Node;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        if reason(node).is_some() {
            found.push(degraded(node, cause_of(look, node).map(|(cause, _)| cause)));
        } else if node.pool.is_none() && look.oc.node(node).degraded {
            // No pool manages it, and its daemon fails all the same.
            found.push(degraded(node, Cause::of(&node.message)));
        }
    }
}

fn degraded(node: &Node, cause: Option<Cause>) -> Finding {
    let name = &node.name;
    let mut resources = vec![Resource::node(name)];
    resources.extend(node.pool.as_deref().map(Resource::pool));
    let pool = node.pool.as_deref().unwrap_or("its pool");
    let told = match &node.drain_trouble {
        Some(trouble) => trouble.error.clone(),
        None => node.message.clone(),
    };
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning: format!(
            "{}\nA degraded node uses up capacity of pool {pool}, and any degraded pool keeps the operator machine-config from \
             finishing. Its daemon tries again by itself.",
            words::first_line(&told)
        ),
        remedies: vec![
            match cause {
                Some(Cause::Drain) if node.drain_trouble.is_none() => Remedy::look(
                    "Free what holds the drain up: it still goes on, and the node recovers by itself when it succeeds.",
                ),
                Some(cause) => Remedy::look(format!("Do what the finding {} of this node says.", cause.id())),
                None => {
                    Remedy::look("Find out what the reason means; the annotations of the node are not to be edited.")
                }
            },
            daemon_log(node),
        ],
        link: Some(reading::NODES.to_owned()),
        since: node.since,
        evidence: vec![evidence(format!("node/{name}"), "machineconfiguration.openshift.io/reason", told, node.since)],
        because: cause.map(|cause| (cause.id(), Subject::Node(name.clone()))),
        // The words of `oc adm upgrade status`.
        ..finding("node-degraded", Level::Error, Subject::Node(name.clone()), format!("Node {name} is degraded"))
    }
}

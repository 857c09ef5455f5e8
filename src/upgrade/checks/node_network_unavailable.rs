//! `node-network-unavailable`: the network of a node is not set up. The machine-config controller takes no such node.

use super::{Finding, Look, Remedy, node_conditions};
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        let name = &node.name;
        let title = format!("Node {name} has unavailable network");
        let about = node_conditions::about(look, "node-network-unavailable", node, "NetworkUnavailable", title);
        found.extend(about.map(|about| Finding {
            meaning: "The node counts as unavailable: it uses up a place of its pool's maxUnavailable, and its own turn does not \
                      come. Pods on it cannot reach others."
                .to_owned(),
            remedies: vec![
                Remedy::look("Look at the pods of the cluster network on this node.")
                    .oc(format!("oc get pods -n openshift-ovn-kubernetes -o wide --field-selector spec.nodeName={name}", name = shell(name))),
            ],
            ..about
        }));
    }
}

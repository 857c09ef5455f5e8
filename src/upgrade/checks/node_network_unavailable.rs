//! `node-network-unavailable`: the network of a node is not set up. The machine-config controller takes no such node.

use super::node_conditions::{Bad, bad};
use super::{Finding, Look, Remedy};
use crate::upgrade::words::shell;

const CUT_OFF: Bad<'_> = Bad {
    id: "node-network-unavailable",
    kind: "NetworkUnavailable",
    wrong: "has unavailable network",
    pods: "Pods on it cannot reach others.",
    remedies,
};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    bad(look, &CUT_OFF, found);
}

fn remedies(name: &str) -> Vec<Remedy> {
    let pods = format!(
        "oc get pods -n openshift-ovn-kubernetes -o wide --field-selector spec.nodeName={name}",
        name = shell(name)
    );
    vec![Remedy::look("Look at the pods of the cluster network on this node.").oc(pods)]
}

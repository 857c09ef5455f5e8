//! `node-disk-pressure`: a node runs out of disk. The machine-config controller takes no such node.

use super::degraded::on_host;
use super::{Finding, Look, Remedy, node_conditions};
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        let name = &node.name;
        let title = format!("Node {name} has disk pressure");
        let about = node_conditions::about(look, "node-disk-pressure", node, "DiskPressure", title);
        found.extend(about.map(|about| Finding {
            meaning: "The node counts as unavailable: it uses up a place of its pool's maxUnavailable, and its own turn does not \
                      come. The kubelet evicts pods to gain space."
                .to_owned(),
            remedies: vec![
                Remedy::look("Look which file system is full.").oc(on_host(name, "df -h / /var /boot")),
                Remedy::change(Danger::M, "Take away images that no container uses.").oc(on_host(name, "crictl rmi --prune")),
            ],
            ..about
        }));
    }
}

//! `node-disk-pressure`: a node runs out of disk. The machine-config controller takes no such node.

use super::degraded::on_host;
use super::node_conditions::{Bad, bad};
use super::{Finding, Look, Remedy};
use crate::upgrade::danger::Danger;

const FULL: Bad<'_> = Bad {
    id: "node-disk-pressure",
    kind: "DiskPressure",
    wrong: "has disk pressure",
    pods: "The kubelet evicts pods to gain space.",
    remedies,
};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    bad(look, &FULL, found);
}

fn remedies(name: &str) -> Vec<Remedy> {
    vec![
        Remedy::look("Look which file system is full.").oc(on_host(name, "df -h / /var /boot")),
        Remedy::change(Danger::M, "Take away images that no container uses.").oc(on_host(name, "crictl rmi --prune")),
    ]
}

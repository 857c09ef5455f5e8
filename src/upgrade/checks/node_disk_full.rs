//! `node-disk-full`: an update fails on a node because a disk of it is full.

use super::degraded::{Cause, because_of, on_host};
use super::{Finding, Look, Remedy, reading};
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title =
        |node: &crate::upgrade::assessment::Node, _: &str| format!("{}: no space left for the update", node.name);
    for about in because_of(look, Cause::DiskFull, title) {
        let super::Subject::Node(name) = &about.subject else { continue };
        let remedies = vec![
            Remedy::look("Look which file system is full.").oc(on_host(name, "df -h /boot /var /sysroot")),
            Remedy::change(Danger::M, "Take away images and old deployments that nothing uses.")
                .oc(on_host(name, "sh -c 'crictl rmi --prune; rpm-ostree cleanup -rp'")),
        ];
        found.push(Finding {
            meaning: "The new OS image needs space in /boot and under /var beside the one that runs. The daemon tries again by \
                      itself when there is space."
                .to_owned(),
            remedies,
            link: Some(reading::DISK.to_owned()),
            ..about
        });
    }
}

//! `os-image-mismatch`: a node came back with another OS image than it should run: the new one was not finalized.

use super::degraded::{Cause, because_of, between, force_file, on_host};
use super::{Finding, Look, Remedy, reading};
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title =
        |node: &crate::upgrade::assessment::Node, reason: &str| match between(reason, "possible root cause: ", "\n")
            .or_else(|| reason.split_once("possible root cause: ").map(|(_, cause)| cause))
        {
            Some(cause) => format!("{} did not boot into the wanted OS image: {cause}", node.name),
            None => format!("{} did not boot into the wanted OS image", node.name),
        };
    for about in because_of(look, Cause::OsImage, title) {
        let super::Subject::Node(name) = &about.subject else { continue };
        let control_plane = look.now.node(name).and_then(|node| node.pool.as_deref());
        let control_plane = control_plane.and_then(|pool| look.now.pool(pool)).is_some_and(|pool| pool.control_plane);
        let mut remedies = vec![
            Remedy::look("Look which image was staged, and whether /boot has space for it.")
                .oc(on_host(name, "sh -c 'rpm-ostree status; df -h /boot /sysroot'")),
            force_file(name),
        ];
        remedies.push(if control_plane {
            Remedy::change(
                Danger::H,
                "As a last resort replace the control plane node, one at a time, after the etcd members are healthy.",
            )
        } else {
            Remedy::change(Danger::M, "As a last resort replace the node by deleting its Machine.")
        });
        found.push(Finding {
            meaning: "The daemon wrote the new image and rebooted, and the node runs the old one. Usually the new deployment could \
                      not be finalized at shutdown (no space in /boot), or its pull was cut short."
                .to_owned(),
            remedies,
            link: Some(reading::PIVOT.to_owned()),
            ..about
        });
    }
}

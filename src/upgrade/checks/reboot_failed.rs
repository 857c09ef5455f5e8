//! `reboot-failed`: the daemon asked for the reboot and nothing came of it.

use super::degraded::{Cause, because_of, daemon_log};
use super::{Finding, Look, Remedy, reading};
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title =
        |node: &crate::upgrade::assessment::Node, _: &str| format!("{} could not be rebooted by its daemon", node.name);
    for about in because_of(look, Cause::Reboot, title) {
        let node = look.now.nodes.iter().find(|node| about.subject == super::Subject::Node(node.name.clone()));
        let mut remedies = vec![Remedy::change(
            Danger::M,
            "Reboot the host by its console or management controller. Of the control plane only when all other nodes of it are up.",
        )];
        remedies.extend(node.map(daemon_log));
        found.push(Finding {
            meaning: "The new configuration is written and waits for the reboot. The node is drained; nothing runs on it but what \
                      belongs to it."
                .to_owned(),
            remedies,
            link: Some(reading::REBOOT.to_owned()),
            ..about
        });
    }
}

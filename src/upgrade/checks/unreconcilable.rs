//! `unreconcilable`: a change that the daemon cannot make on a running node: disks, file systems, users, FIPS.

use super::degraded::{Cause, because_of};
use super::{Finding, Look, Remedy, Resource, reading};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title = |node: &crate::upgrade::assessment::Node, reason: &str| {
        let what = reason.rsplit_once(": ").map_or(reason, |(_, what)| what);
        format!("{} cannot take its new configuration: {what}", node.name)
    };
    for about in because_of(look, Cause::Unreconcilable, title) {
        let pool = about
            .resources
            .iter()
            .find(|of| *of != &about.resources[0])
            .map_or("worker", |of: &Resource| of.name.as_str());
        let remedies = vec![
            Remedy::look("Find the MachineConfig that makes this change: the newest of the pool's sources.").oc(
                format!("oc get mcp {pool} -o jsonpath='{{.spec.configuration.source[*].name}}'", pool = shell(pool)),
            ),
            Remedy::change(
                Danger::M,
                "Take that change back: delete or correct the MachineConfig. A new configuration is rendered, and the pool rolls to it.",
            ),
        ];
        found.push(Finding {
            meaning: "What a MachineConfig asks for can be made at installation only. The node keeps its old configuration, and \
                      every other node of the pool will refuse the new one in the same way."
                .to_owned(),
            remedies,
            link: Some(reading::NODES.to_owned()),
            ..about
        });
    }
}

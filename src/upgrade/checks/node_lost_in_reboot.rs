//! `node-lost-in-reboot`: a node does not come back from its reboot in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, Impact, Look, Remedy, Resource, Subject, by_age, evidence, finding, reading};
use crate::upgrade::assessment::{Node, NodePhase, age};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// A virtual machine is back well before that.
const REBOOT_LONG: TimeDelta = TimeDelta::minutes(10);
/// And a server of bare metal, which tests its memory first, before that.
const REBOOT_LONG_METAL: TimeDelta = TimeDelta::minutes(20);

/// Since when a node is missed that should be back, and after how long that is so here.
pub(super) fn lost(look: &Look, node: &Node) -> Option<(DateTime<Utc>, TimeDelta)> {
    let reboots = node.phase == NodePhase::Rebooting || (node.phase == NodePhase::Back && !node.ready);
    let since = node.since.filter(|_| reboots)?;
    let metal = look.now.facts.around.infrastructures.iter().any(|infra| infra.status.platform.kind == "BareMetal");
    let limit = if metal { REBOOT_LONG_METAL } else { REBOOT_LONG };
    (age(since, look.now.now) >= limit).then_some((since, limit))
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        let Some((since, limit)) = lost(look, node) else { continue };
        let pool = node.pool.as_deref().and_then(|pool| look.now.pool(pool));
        let control_plane = pool.is_some_and(|pool| pool.control_plane);
        let mut resources = vec![Resource::node(&node.name)];
        resources.extend(pool.map(|pool| Resource::pool(&pool.name)));
        found.push(Finding {
            impact: Impact::UpdateStalled,
            resources,
            meaning: format!(
                "The daemon asked for the reboot and the kubelet has not been heard as ready since. {} is usual here. Its pool \
                 waits for it.{}",
                words::span(limit),
                if control_plane { "\nOne control plane node is away: taking a second one down costs the quorum." } else { "" }
            ),
            remedies: remedies(&node.name, control_plane),
            link: Some(reading::NOT_READY.to_owned()),
            since: Some(since),
            evidence: vec![evidence(format!("node/{}", node.name), "phase", node.phase.word(), Some(since))],
            ..finding(
                "node-lost-in-reboot",
                by_age(Some(since), look.now.now, limit, limit * 2),
                Subject::Node(node.name.clone()),
                format!("{} has not come back from its reboot", node.name),
            )
        });
    }
}

fn remedies(name: &str, control_plane: bool) -> Vec<Remedy> {
    let mut remedies = vec![
        Remedy::look("Look at the console of the machine: whether it boots, and from what.")
            .oc(format!("oc describe node {name}", name = words::shell(name))),
        Remedy::look("See whether its certificate requests wait for approval.").oc("oc get csr"),
    ];
    remedies.push(if control_plane {
        Remedy::change(
            Danger::H,
            "Switch its power off and on; replace it only with all other control plane nodes healthy.",
        )
    } else {
        Remedy::change(Danger::M, "Switch its power off and on by its management controller or the cloud's console.")
    });
    remedies
}

//! `pool-paused`: a paused pool whose nodes are not at its configuration. Meant, as long as the control plane updates
//! (updates by canary pools, and over two minors at once, pause pools first); afterwards nothing happens until a person
//! unpauses it.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::as_oc::Step;
use crate::upgrade::assessment::{Node, NodePhase, Pool};
use crate::upgrade::danger::Danger;
use crate::upgrade::node_disruption::of_pending;
use crate::upgrade::version::{below_extended, channel_minor};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in look.now.pools.iter().filter(|pool| pool.paused) {
        let held = held(look, pool);
        if pool.total > pool.updated || !held.is_empty() {
            found.push(paused(look, pool, &held));
        }
    }
}

/// The nodes that the pause holds back, those that `oc` counts in the pool among them.
fn held<'a>(look: &Look<'a>, pool: &Pool) -> Vec<&'a Node> {
    let held = look.now.nodes.iter().filter(|node| {
        let ours = node.phase == NodePhase::Paused && node.pool.as_deref() == Some(&pool.name);
        ours || look.updating() && {
            let told = look.oc.node(node);
            told.step == Step::Paused && told.pool.as_deref() == Some(&pool.name)
        }
    });
    held.collect()
}

fn paused(look: &Look, pool: &Pool, held: &[&Node]) -> Finding {
    let in_progress = look.now.update.in_progress;
    let (who, since) = by(pool);
    let name = &pool.name;
    let outdated = (pool.total - pool.updated).max(held.len());
    let to_come = words::count(outdated, "node");
    let certain = of_pending(look.now, pool).is_some();
    let mut resources = vec![Resource::pool(name)];
    resources.extend(held.iter().map(|node| Resource::node(&node.name)));
    let mut lines = vec![format!(
        "The pool was paused{who}: {to_come} to come. Nodes that were targeted before go on, no other one begins. Unpausing it \
         {}, {} at a time, all that was changed meanwhile in one go.",
        if certain {
            "drains and reboots them"
        } else {
            "drains and reboots them unless every change is one that needs less"
        },
        pool.capacity.max_unavailable
    )];
    if in_progress && !pool.control_plane {
        lines.push(
            "Pausing worker pools before an update is the documented way of canary updates and of going over two minors; it \
             matters when the control plane is done."
                .to_owned(),
        );
    } else if !pool.control_plane {
        lines.push("The control plane is done: nothing more happens until a person unpauses it.".to_owned());
    }
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning: lines.join("\n"),
        remedies: next_hop(look).into_iter().chain([release(pool, certain.then_some(outdated))]).collect(),
        link: Some(reading::PAUSED.to_owned()),
        since,
        expected: in_progress && !pool.control_plane,
        evidence: vec![evidence(format!("mcp/{name}"), "spec.paused", format!("true{who}"), since)],
        because: (in_progress && pool.control_plane).then(|| ("required-pool-paused", Subject::Pool(name.clone()))),
        // The words of `oc adm upgrade status`.
        ..finding(
            "pool-paused",
            Level::Warning,
            Subject::Pool(name.clone()),
            format!("Outdated nodes in a paused pool '{name}' will not be updated"),
        )
    }
}

/// Between two releases with extended support the pools are held on purpose: the second update comes first.
fn next_hop(look: &Look) -> Option<Remedy> {
    let present = &look.now.facts.cluster_version.as_deref()?.status.desired.version;
    let channel = look.now.update.channel.as_deref()?;
    let (major, minor) = channel_minor(channel).filter(|_| below_extended(present, channel))?;
    let words = format!(
        "If it is held for the way on to {major}.{minor} (channel {channel}): start that update first, and unpause the pool \
         when the control plane is there. Its nodes then reboot once."
    );
    Some(Remedy::change(Danger::H, words).oc("oc adm upgrade --to=VERSION"))
}

/// Unpausing it; with the number of nodes where it is certain that they reboot.
fn release(pool: &Pool, reboots: Option<usize>) -> Remedy {
    let words = match reboots {
        Some(nodes) => format!("Unpause it, which starts up to {}.", words::count(nodes, "reboot")),
        None => "Unpause it: its plan compares the two configurations and tells what they do to the nodes.".to_owned(),
    };
    Remedy::change(Danger::M, words).oc(unpause(&pool.name))
}

/// Who paused a pool, as the end of a sentence, and when.
pub(super) fn by(pool: &Pool) -> (String, Option<chrono::DateTime<chrono::Utc>>) {
    match &pool.paused_by {
        Some((manager, at)) if !manager.is_empty() => (format!(" by {manager}"), *at),
        Some((_, at)) => (String::new(), *at),
        None => (String::new(), None),
    }
}

/// The line that unpauses a pool.
pub(super) fn unpause(pool: &str) -> String {
    format!("oc patch mcp {pool} --type merge -p '{{\"spec\":{{\"paused\":false}}}}'", pool = words::shell(pool))
}

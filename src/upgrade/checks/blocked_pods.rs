//! What the findings about single pods that hold a drain up share.

use super::{Finding, Impact, Level, Look, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::{Blocker, Cause, Node};
use crate::upgrade::blockers;

/// The pods that hold drains up for a cause that `wanted` accepts, with their nodes.
pub(super) fn with<'a>(
    look: &'a Look,
    wanted: impl Fn(&Cause) -> bool + 'a,
) -> impl Iterator<Item = (&'a Node, &'a Blocker)> {
    let nodes = look.now.nodes.iter().filter(|node| !node.blockers.is_empty());
    let all = nodes.flat_map(|node| node.blockers.iter().map(move |blocker| (node, blocker)));
    all.filter(move |(_, blocker)| wanted(&blocker.cause))
}

/// A finding about such a pod, but for what it means.
pub(super) fn about(
    look: &Look,
    id: &'static str,
    level: Level,
    node: &Node,
    blocker: &Blocker,
    title: String,
) -> Finding {
    let pod = Resource::pod(&blocker.namespace, &blocker.pod);
    Finding {
        impact: Impact::UpdateStalled,
        resources: vec![pod.clone(), Resource::node(&node.name)],
        remedies: blocker.frees.clone(),
        link: Some(reading::DRAIN.to_owned()),
        since: blocker.since,
        evidence: vec![evidence(
            format!("pod/{} -n {}", blocker.pod, blocker.namespace),
            "blocked by",
            blockers::words(&blocker.cause, look.now.now),
            blocker.since,
        )],
        ..finding(id, level, Subject::Object(pod), title)
    }
}

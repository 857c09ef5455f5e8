//! `windows-node`: Windows nodes are updated by their own operator and count in no pool; `oc` shows them as never done.

use super::node_unmanaged::unmanaged;
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::upgrade::membership::Membership;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let nodes = unmanaged(look, Membership::Windows);
    let Some((first, _)) = nodes.first() else { return };
    let names = || nodes.iter().map(|(name, _)| name.as_str());
    found.push(Finding {
        impact: Impact::None,
        resources: names().map(Resource::node).collect(),
        meaning: "The machine-config operator leaves Windows nodes alone. The Windows Machine Config Operator replaces or updates \
                  them when it is updated itself; nothing of this update waits for them."
            .to_owned(),
        remedies: vec![Remedy::look("Update the Windows Machine Config Operator to the version that goes with the new release.")],
        evidence: names().map(|name| evidence(format!("node/{name}"), "kubernetes.io/os", "windows", None)).collect(),
        expected: true,
        ..finding(
            "windows-node",
            Level::Info,
            Subject::Node(first.clone()),
            format!("{} updated by the Windows operator, not by a pool: {}", is(nodes.len()), words::some_of(names().collect::<Vec<_>>().into_iter(), 3)),
        )
    });
}

fn is(nodes: usize) -> String {
    if nodes == 1 { "1 node is".to_owned() } else { format!("{nodes} nodes are") }
}

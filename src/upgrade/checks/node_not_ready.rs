//! `node-not-ready`: a node that the kubelet does not report as ready. Expected while it reboots; when that takes too
//! long, `node-lost-in-reboot` says so and this points to it.

use chrono::TimeDelta;

use super::{
    Finding, Impact, Level, Look, Remedy, Subject, by_age, evidence, finding, ibu, node_conditions,
    node_lost_in_reboot, reading,
};
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::words;

/// How long a node that is being worked on may be silent (oc: pkg/cli/admin/upgrade/status/mco/layered_node_state.go,
/// `SeriouslyUnavailable`).
const SILENT: TimeDelta = TimeDelta::minutes(5);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter().filter(|node| !node.ready) {
        found.push(silent(look, node));
    }
}

fn silent(look: &Look, node: &Node) -> Finding {
    let name = &node.name;
    let ready = node_conditions::condition(look, name, "Ready");
    let since = ready.and_then(|ready| ready.since);
    let reboots = matches!(node.phase, NodePhase::Rebooting | NodePhase::Back);
    let lost = reboots && node_lost_in_reboot::lost(look, node).is_some();
    let starts = !reboots && ibu::starts(look);
    let expected = starts || reboots && !lost;
    let told = ready.map(|ready| words::first_line(&ready.message)).filter(|told| !told.is_empty());
    let told = told.unwrap_or("The kubelet has not reported.");
    // `oc adm upgrade status` waits five minutes (and goes by the clock, so that its recordings are always older), and says
    // nothing while the node updates. That a node is missing which nothing works on is worth knowing at once.
    let carried = node_conditions::carried(look, node, "Ready");
    let level = match &carried {
        None if expected => Level::Info,
        None if node.phase.moving() => by_age(since, look.now.now, SILENT, TimeDelta::MAX),
        _ => Level::Warning,
    };
    let quiet = expected && carried.is_none();
    let (title, since) =
        carried.map_or_else(|| (format!("Node {name} is not ready"), since), |away| (away.title, away.since));
    Finding {
        impact: if quiet { Impact::None } else { Impact::UpdateSpeed },
        meaning: match (expected, reboots) {
            (true, false) => format!("{told}\nIt has just booted: this passes when everything on it has started."),
            (true, true) => format!("{told}\nIt reboots into its new configuration: this passes."),
            (_, true) => format!("{told}\nIt should be back from its reboot by now."),
            _ => format!(
                "{told}\nA node that is not ready counts against the maxUnavailable of its pool, and is passed over until it is back."
            ),
        },
        remedies: if expected { Vec::new() } else { remedies(name) },
        since,
        expected,
        link: Some(reading::NOT_READY.to_owned()),
        evidence: vec![evidence(
            format!("node/{name}"),
            "Ready",
            ready.map_or("missing", |ready| ready.status.word()),
            since,
        )],
        because: lost.then(|| ("node-lost-in-reboot", Subject::Node(name.clone()))),
        // The words of `oc adm upgrade status`.
        ..finding("node-not-ready", level, Subject::Node(name.clone()), title)
    }
}

fn remedies(name: &str) -> Vec<Remedy> {
    vec![
        Remedy::look("Look at the machine: its console, its power, its network.")
            .oc(format!("oc describe node {name}", name = words::shell(name))),
        Remedy::look("See whether its certificate requests wait for approval.").oc("oc get csr"),
    ]
}

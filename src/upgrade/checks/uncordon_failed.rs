//! `uncordon-failed`: a node is done and its cordon is not lifted (machine-config operator, pkg/daemon/drain.go: ten
//! minutes, then `FailedToUncordon`).

use chrono::TimeDelta;

use super::degraded::{Cause, because_of};
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::{NodePhase, age};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

const LIMIT: TimeDelta = TimeDelta::minutes(10);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title = |name: &str| format!("{name} is done and stays cordoned");
    let mut all = because_of(look, Cause::Uncordon, |node, _| title(&node.name));
    for node in look.now.nodes.iter().filter(|node| node.phase == NodePhase::Uncordoning && node.cordon.is_some()) {
        let Some(since) = node.since.filter(|since| age(*since, look.now.now) >= LIMIT) else { continue };
        let mut resources = vec![Resource::node(&node.name)];
        resources.extend(node.pool.as_deref().map(Resource::pool));
        all.push(Finding {
            impact: Impact::UpdateStalled,
            resources,
            since: Some(since),
            evidence: vec![evidence(format!("node/{}", node.name), "phase", node.phase.word(), Some(since))],
            ..finding("uncordon-failed", Level::Error, Subject::Node(node.name.clone()), title(&node.name))
        });
    }
    for about in all {
        let Subject::Node(name) = &about.subject else { continue };
        let remedies = vec![
            Remedy::look("Read why the machine-config controller does not lift it: it does so for the daemon.")
                .oc("oc logs -n openshift-machine-config-operator deployment/machine-config-controller"),
            Remedy::change(Danger::L, "Lift the cordon by hand.")
                .oc(format!("oc adm uncordon {name}", name = shell(name))),
        ];
        found.push(Finding {
            meaning: "The node runs the new configuration. As long as it is cordoned it takes no pods and uses up a place of its \
                      pool's maxUnavailable."
                .to_owned(),
            remedies,
            link: Some(reading::NODES.to_owned()),
            ..about
        });
    }
}

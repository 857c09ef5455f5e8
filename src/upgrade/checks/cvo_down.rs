//! `cvo-down`: the cluster-version operator does not run, so that everything it says is old.

use super::release::field;
use super::{Evidence, Finding, Impact, Level, Look, Subject, evidence, finding, ibu};
use crate::upgrade::assessment::{NodePhase, Remedy, Resource};
use crate::upgrade::facts::Kind;
use crate::upgrade::link::LinkState;

const NAMESPACE: &str = "openshift-cluster-version";
const NAME: &str = "cluster-version-operator";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = look.version() else { return };
    let around = &look.now.facts.around;
    let alert = around.alerts.iter().find(|alert| alert.fires() && alert.name == "ClusterVersionOperatorDown");
    let deployment = around
        .deployments
        .iter()
        .find(|deployment| deployment.metadata.namespace.as_deref() == Some(NAMESPACE) && deployment.name() == NAME)
        .filter(|deployment| look.now.facts.known(Kind::Deployments) && deployment.status.available == 0);
    let (wanted, seen) = (version.metadata.generation.unwrap_or(0), version.status.observed_generation);
    let unseen = wanted > seen;
    // Live, a generation is unseen for a moment after every change: only with other signs, or in a recording, it tells.
    let recorded = unseen && look.now.facts.link.state == LinkState::Recording;
    if alert.is_none() && deployment.is_none() && !recorded {
        return;
    }
    let moves =
        look.now.nodes.iter().any(|node| control_plane(look, node.pool.as_deref()) && node.phase != NodePhase::Done);
    let starts = ibu::starts(look);
    let expected = alert.is_none() && (moves || starts);
    let mut rests_on: Vec<Evidence> = Vec::new();
    rests_on.extend(
        alert.map(|alert| evidence(format!("alert/{}", alert.name), "state", alert.state.clone(), alert.active_at)),
    );
    rests_on.extend(deployment.map(|_| evidence(format!("deployment/{NAME}"), "status.availableReplicas", "0", None)));
    if unseen {
        rests_on.push(field("status.observedGeneration", format!("{seen}, the spec is at {wanted}"), None));
    }
    found.push(Finding {
        impact: Impact::UpdateStalled,
        resources: vec![Resource::version(), Resource::namespaced("deployments.apps", NAMESPACE, NAME)],
        meaning: if expected && starts {
            "The node has just booted, and everything on it starts."
        } else if expected {
            "Its pod runs on a control plane node and moves when that node is updated; the count of manifests begins anew then."
        } else {
            "Nothing of an update goes on without it, and what the ClusterVersion says is as old as its last run. Nodes that are \
             being updated go on."
        }
        .to_owned(),
        remedies: vec![
            Remedy::look("Look at its pod.").oc(format!("oc get pods -n {NAMESPACE} -o wide")),
            Remedy::look("Read its log.").oc(format!("oc logs -n {NAMESPACE} deployment/{NAME} --tail=100")),
        ],
        link: alert.map(|alert| alert.annotation("runbook_url").to_owned()).filter(|link| !link.is_empty()),
        since: alert.and_then(|alert| alert.active_at),
        expected,
        evidence: rests_on,
        ..finding(
            "cvo-down",
            match (alert, deployment) {
                (Some(_), _) => Level::Critical,
                (None, Some(_)) if !expected => Level::Error,
                _ => Level::Warning,
            },
            Subject::Version,
            if alert.is_none() && deployment.is_none() {
                "the cluster-version operator has not looked at the newest request".to_owned()
            } else {
                "the cluster-version operator does not run".to_owned()
            },
        )
    });
}

fn control_plane(look: &Look, pool: Option<&str>) -> bool {
    pool.and_then(|pool| look.now.pool(pool)).is_some_and(|pool| pool.control_plane)
}

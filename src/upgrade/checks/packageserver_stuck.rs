//! `packageserver-stuck`: the package server of the operator lifecycle manager never gets installed, and the update waits
//! for it.

use chrono::TimeDelta;

use super::{Finding, Impact, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{OperatorState, Remedy, Resource, age};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

const OPERATOR: &str = "operator-lifecycle-manager-packageserver";
const NAMESPACE: &str = "openshift-operator-lifecycle-manager";
const NAME: &str = "packageserver";
/// An installation takes a minute or two.
const LONG: TimeDelta = TimeDelta::minutes(20);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(row) = look.now.operator(OPERATOR).filter(|row| !row.updated || row.state != OperatorState::Updated)
    else {
        return;
    };
    let versions = look.now.facts.around.cluster_service_versions.iter();
    let Some(csv) =
        versions.into_iter().find(|csv| csv.metadata.namespace.as_deref() == Some(NAMESPACE) && csv.name() == NAME)
    else {
        return;
    };
    let Some(since) = csv.status.since.filter(|_| csv.status.phase != "Succeeded") else { return };
    let lasting = age(since, look.now.now);
    if lasting < LONG {
        return;
    }
    let resource = Resource::namespaced("clusterserviceversions.operators.coreos.com", NAMESPACE, NAME);
    found.push(Finding {
        impact: Impact::UpdateStalled,
        resources: vec![Resource::operator(OPERATOR), resource],
        meaning: format!(
            "{}\nThe update does not go past {OPERATOR} until it is installed. This one belongs to the release: deleted, it is \
             put back by the cluster-version operator. That is true of no other: deleting any other uninstalls its operator.",
            match words::first_line(&csv.status.message) {
                "" => "It does not say what it waits for.",
                message => message,
            }
        ),
        remedies: vec![
            Remedy::look("Look at its pods first.").oc(format!("oc get pods -n {NAMESPACE}")),
            Remedy::change(Danger::M, "Delete this ClusterServiceVersion, and only this one: it is put back at once.")
                .oc(format!("oc delete clusterserviceversion -n {NAMESPACE} {NAME}")),
        ],
        since: Some(since),
        evidence: vec![
            evidence(
                format!("clusterserviceversion/{NAME}"),
                "status.phase",
                format!("{} ({})", csv.status.phase, csv.status.reason),
                Some(since),
            ),
            evidence(format!("clusteroperator/{OPERATOR}"), "state", row.reason.clone(), row.since),
        ],
        ..finding(
            "packageserver-stuck",
            Level::Error,
            Subject::Operator(OPERATOR.to_owned()),
            format!("the package server has been {} for {}", csv.status.phase, words::span(lasting)),
        )
    });
}

//! `no-failing-condition`: the ClusterVersion does not say whether the update fails.

use super::release::{LOOK_AT_VERSION, OPERATOR_DEGRADED, field};
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = look.version() else { return };
    // A cluster that was never installed has said nothing yet; at rest nothing can fail.
    if look.says("Failing").is_some() || version.status.history.is_empty() || !look.updating() {
        return;
    }
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: "The cluster-version operator has not judged this update yet, or does not run.".to_owned(),
        remedies: vec![
            Remedy::look("Look whether the cluster-version operator runs.")
                .oc("oc get pods -n openshift-cluster-version"),
            Remedy::look("Look at what the ClusterVersion says.").oc(LOOK_AT_VERSION),
        ],
        link: Some(OPERATOR_DEGRADED.to_owned()),
        // As `oc` tells it: that it is missing is known of this moment alone.
        since: Some(look.now.now),
        evidence: vec![field("Failing", "missing", None)],
        ..finding(
            "no-failing-condition",
            Level::Warning,
            Subject::Version,
            "Cluster Version version has no Failing condition".to_owned(),
        )
    });
}

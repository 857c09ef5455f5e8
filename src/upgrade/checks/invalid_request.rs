//! `invalid-request`: the ClusterVersion's spec makes no sense to the operator, which ignores it as a whole.

use super::{Finding, Level, Look, Subject, finding};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = &look.now.facts.cluster_version else { return };
    let invalid = version.status.conditions.condition("Invalid").filter(|invalid| invalid.status == Tri::True);
    let Some(invalid) = invalid else { return };
    found.push(Finding {
        meaning: format!("The request is ignored until the spec is corrected.\n{}", invalid.message),
        since: invalid.since,
        evidence: vec![version_evidence(invalid)],
        ..finding(
            "invalid-request",
            Level::Error,
            Subject::Version,
            format!("the ClusterVersion is invalid: {}", words::first_line(&invalid.message)),
        )
    });
}

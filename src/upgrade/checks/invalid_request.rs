//! `invalid-request`: the ClusterVersion's spec makes no sense to the operator, which ignores it as a whole.

use super::release::WITHDRAW;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(invalid) = look.says_true("Invalid") else { return };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!("The request is ignored until the spec is corrected.\n{}", invalid.message),
        remedies: vec![
            Remedy::change(
                Danger::M,
                "Ask with version and image: a version alone must be among the available updates.",
            )
            .oc("oc adm upgrade --to-image=REPOSITORY@sha256:DIGEST --allow-explicit-upgrade"),
            Remedy::change(Danger::L, "Or withdraw the request.").oc(WITHDRAW),
        ],
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

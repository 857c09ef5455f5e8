//! `release-not-accepted`: an update was asked for, and the cluster-version operator does not take it.

use chrono::TimeDelta;

use super::{Finding, Level, Look, Subject, by_age, finding};
use crate::api::Conditions as _;
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

/// Retrieving and verifying a release has a budget of 4 minutes (cluster-version-operator, pkg/cvo/sync_worker.go).
const LONG: TimeDelta = TimeDelta::minutes(5);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = &look.now.facts.cluster_version else { return };
    let conditions = &version.status.conditions;
    let Some(requested) = look.now.update.requested.as_ref().filter(|_| !conditions.is_true("Invalid")) else { return };
    let level = if requested.refused { Level::Error } else { by_age(requested.since, look.now.now, LONG, LONG * 12) };
    if level == Level::Info {
        return;
    }
    let word = if requested.refused { "was refused" } else { "is still being looked at" };
    found.push(Finding {
        meaning: advice(&requested.step, &requested.message),
        since: requested.since,
        evidence: conditions.condition("ReleaseAccepted").map(version_evidence).into_iter().collect(),
        ..finding(
            "release-not-accepted",
            level,
            Subject::Version,
            format!(
                "the update to {} {word} ({}): {}",
                requested.target,
                requested.step,
                words::first_line(&requested.message)
            ),
        )
    });
}

/// What to do, by the step that it hangs at.
fn advice(step: &str, message: &str) -> String {
    let todo = match step {
        "RetrievePayload" => {
            "The release image cannot be pulled or its signature cannot be verified: look at mirrors, pull secret and, \
             without internet, the signature ConfigMaps in openshift-config-managed."
        }
        "VerifyPayloadVersion" => "The image holds another version than the one asked for.",
        "PreconditionChecks" => {
            "A precondition is not met: settle it, or withdraw the request (oc adm upgrade --clear)."
        }
        _ => "Until it is accepted the request can be withdrawn (oc adm upgrade --clear).",
    };
    if message.is_empty() { todo.to_owned() } else { format!("{todo}\n{message}") }
}

//! `release-not-accepted`: an update was asked for, and the cluster-version operator does not take it, for a reason that
//! has no check of its own.

use chrono::TimeDelta;

use super::admin_ack_missing;
use super::release::{LOOK_AT_VERSION, WITHDRAW};
use super::{Finding, Impact, Level, Look, Subject, by_age, finding};
use crate::upgrade::assessment::{Remedy, Requested};
use crate::upgrade::danger::Danger;
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

/// Retrieving and verifying a release has a budget of 4 minutes (cluster-version-operator, pkg/cvo/sync_worker.go).
const LONG: TimeDelta = TimeDelta::minutes(5);

/// The reason of the precondition that waits for an administrator (cluster-version-operator, pkg/cvo/upgradeable.go).
const ADMIN_ACK: &str = "AdminAckRequired";

/// At what it hangs, by the step (`ReleaseAccepted.reason`) and the words of its message (cluster-version-operator,
/// pkg/cvo/sync_worker.go, pkg/payload/precondition/clusterversion).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No signature, or not a good one.
    Signature,
    /// The image cannot be pulled.
    Pull,
    /// The image holds another version.
    Version,
    /// The way from here to there is not allowed.
    Hop,
    /// Anything else.
    Other,
}

/// The request that is not taken up and at what it hangs; none: nothing hangs, or it is invalid as a whole.
pub(super) fn refusal<'a>(look: &Look<'a>) -> Option<(&'a Requested, Refusal)> {
    let requested = look.now.update.requested.as_ref()?;
    if look.says_true("Invalid").is_some() {
        return None;
    }
    let says = |words: &[&str]| words.iter().any(|word| requested.message.contains(word));
    let refusal = match requested.step.as_str() {
        _ if !requested.refused => Refusal::Other,
        "RetrievePayload" if says(&["cannot be verified", "signature", "ImageVerificationFailed"]) => {
            Refusal::Signature
        }
        "RetrievePayload" | "LoadPayload" => Refusal::Pull,
        "VerifyPayloadVersion" => Refusal::Version,
        "PreconditionChecks"
            if says(&[
                "ClusterVersionGiantHop",
                "ClusterVersionRollback",
                "MultipleMinorVersionsUpdate",
                "LowDesiredVersion",
            ]) =>
        {
            Refusal::Hop
        }
        _ => Refusal::Other,
    };
    Some((requested, refusal))
}

/// A finding about a request that was refused, with the way back as its last remedy.
pub(super) fn refused(
    look: &Look,
    id: &'static str,
    requested: &Requested,
    title: String,
    meaning: &str,
    mut remedies: Vec<Remedy>,
) -> Finding {
    remedies.push(Remedy::change(Danger::L, "Or withdraw the request: nothing was changed so far.").oc(WITHDRAW));
    let meaning =
        if requested.message.is_empty() { meaning.to_owned() } else { format!("{meaning}\n{}", requested.message) };
    Finding {
        impact: Impact::UpdateStalled,
        meaning,
        remedies,
        since: requested.since,
        evidence: look.says("ReleaseAccepted").map(version_evidence).into_iter().collect(),
        ..finding(id, Level::Error, Subject::Version, title)
    }
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    if look.now.update.requested.is_none() {
        found.extend(present_release(look));
    }
    let Some((requested, Refusal::Other)) = refusal(look) else { return };
    let level = if requested.refused { Level::Error } else { by_age(requested.since, look.now.now, LONG, LONG * 12) };
    if level == Level::Info {
        return;
    }
    let word = if requested.refused { "was refused" } else { "is still being looked at" };
    let why = match requested.why().as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    let title = format!("the update to {} {word} ({}){why}", requested.target, requested.step);
    let (meaning, general) = advice(requested);
    // What does it comes before what is to be looked at.
    let gate = requested.step == "PreconditionChecks" && requested.message.contains(ADMIN_ACK);
    let mut remedies = if gate { admin_ack_missing::opens(look) } else { Vec::new() };
    remedies.extend(general);
    let finding = refused(look, "release-not-accepted", requested, title, meaning, remedies);
    found.push(Finding { level, ..finding });
}

/// What to do, by the step that it hangs at.
fn advice(requested: &Requested) -> (&'static str, Vec<Remedy>) {
    match requested.step.as_str() {
        "RetrievePayload" => (
            "The release image is being pulled and its signature verified; that has a budget of 4 minutes and is tried again.",
            vec![
                Remedy::look("Look at the pod that pulls it.")
                    .oc("oc get pods -n openshift-cluster-version -l k8s-app=retrieve-openshift-release"),
            ],
        ),
        "PreconditionChecks" => (
            "A precondition is not met. It is looked at again by itself, so the update begins when it is.",
            vec![
                Remedy::look("Settle what the message names: gates, operators that are not upgradeable, overrides.")
                    .oc("oc adm upgrade"),
            ],
        ),
        _ => (
            "The update has not begun.",
            vec![Remedy::look("Look at what the ClusterVersion says.").oc(LOOK_AT_VERSION)],
        ),
    }
}

/// `ReleaseAccepted=False` of the release that is applied already: it cannot be read again.
fn present_release(look: &Look) -> Option<Finding> {
    let accepted = look.says_false("ReleaseAccepted")?;
    Some(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "Nothing else is requested, so this is the release that is applied now: the cluster-version operator cannot load \
             it (again).\n{}",
            accepted.message
        ),
        remedies: vec![
            Remedy::look("Look at the events and the pods of the cluster-version operator.")
                .oc("oc get events,pods -n openshift-cluster-version"),
        ],
        since: accepted.since,
        evidence: vec![version_evidence(accepted)],
        ..finding(
            "release-not-accepted",
            Level::Warning,
            Subject::Version,
            format!(
                "the present release is not accepted ({}): {}",
                accepted.reason,
                words::first_line(&accepted.message)
            ),
        )
    })
}

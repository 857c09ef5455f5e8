//! `update-blocked-by-webhook`: the API server rejects a manifest of the release: a webhook, an aggregated API that is
//! down, or what somebody changed by hand.

use super::release::{LOOK_AT_WEBHOOKS, field};
use super::several_errors::errors;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::api::Tri;
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

/// Why an object is rejected, by the reason of `Failing` (cluster-version-operator, pkg/payload/task.go,
/// `reasonForUpdateError` and `summaryForReason`), and by the words that the same error has in a list of several.
const REASONS: [(&str, &str, &str); 9] = [
    ("UpdatePayloadResourceForbidden", "because some cluster components", "a webhook or a policy forbids it"),
    (
        "UpdatePayloadResourceInvalid",
        "the object is invalid",
        "the object is invalid, possibly because of what somebody changed",
    ),
    ("UpdatePayloadResourceTypeMissing", "a required extension is not available", "its type is not served"),
    ("UpdatePayloadResourceConflict", "someone else is updating", "somebody else changes it all the time"),
    ("UpdatePayloadResourceNotFound", "the resource may have been deleted", "it, or what it stands in, is gone"),
    ("UpdatePayloadClusterDown", "the control plane is down", "the API server does not answer"),
    ("UpdatePayloadClusterUnauthorized", "could not authenticate", "the cluster-version operator is not let in"),
    ("UpdatePayloadClusterOverloaded", "the control plane is overloaded", "the API server is overloaded"),
    (
        "UpdatePayloadClusterError",
        "the server is reporting an error",
        "the API server, or a webhook behind it, answers with an error",
    ),
];

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(failing) = look.says("Failing").filter(|failing| failing.status == Tri::True) else { return };
    let single = [failing.message.as_str()];
    let several = errors(&failing.message);
    let all = if several.is_empty() { single.as_slice() } else { several.as_slice() };
    let rejected: Vec<(&str, &str)> =
        all.iter().filter_map(|error| Some((*error, why(&failing.reason, error)?))).collect();
    let Some((first, why)) = rejected.first() else { return };
    let what = manifest(first).map_or_else(|| "a manifest of the release".to_owned(), |manifest| manifest.words());
    let more = if rejected.len() > 1 { format!(" (and {} more)", rejected.len() - 1) } else { String::new() };
    let errors: Vec<&str> = rejected.iter().map(|(error, _)| *error).collect();
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "{}\nThe cluster-version operator tries again all the time; the update goes on as soon as the object is accepted.",
            errors.join("\n")
        ),
        remedies: remedies(first),
        since: failing.since,
        evidence: errors
            .iter()
            .map(|error| field("Failing", format!("True ({}): {error}", failing.reason), failing.since))
            .collect(),
        ..finding(
            "update-blocked-by-webhook",
            Level::Error,
            Subject::Version,
            format!("{what} cannot be applied: {why}{more}"),
        )
    });
}

fn why(reason: &str, error: &str) -> Option<&'static str> {
    let by_reason = REASONS.iter().find(|(known, ..)| *known == reason);
    let by_words = || REASONS.iter().find(|(_, words, _)| reason == "MultipleErrors" && error.contains(words));
    by_reason.or_else(by_words).map(|(.., why)| *why)
}

fn remedies(error: &str) -> Vec<Remedy> {
    let mut remedies = vec![
        Remedy::look("Look for a webhook or an aggregated API whose service does not answer.").oc(LOOK_AT_WEBHOOKS),
    ];
    if let Some(manifest) = manifest(error) {
        remedies.push(Remedy::look("Look at the object as it is.").oc(manifest.line()));
    }
    remedies.push(
        Remedy::change(
            Danger::M,
            "Set failurePolicy of the webhook to Ignore until its service is back, then put it back.",
        )
        .oc("oc edit validatingwebhookconfiguration NAME"),
    );
    remedies
}

/// The manifest that an error names.
#[derive(Debug, PartialEq, Eq)]
struct Manifest<'a> {
    kind: &'a str,
    name: &'a str,
    place: &'a str,
}

impl Manifest<'_> {
    fn words(&self) -> String {
        let place = if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) };
        format!("{} {}{place}", self.kind, self.name)
    }

    fn line(&self) -> String {
        match self.name.split_once('/') {
            Some((namespace, name)) => format!(
                "oc get -n {namespace} {} {name} -o yaml",
                shell(self.kind),
                namespace = shell(namespace),
                name = shell(name)
            ),
            None => format!("oc get {} {} -o yaml", shell(self.kind), shell(self.name)),
        }
    }
}

/// `Could not update deployment "openshift-x/y" (12 of 859): ...` (cluster-version-operator, pkg/payload/task.go).
fn manifest(error: &str) -> Option<Manifest<'_>> {
    let (_, rest) = error.split_once("Could not update ").or_else(|| error.split_once("could not update "))?;
    let (kind, rest) = rest.split_once(" \"")?;
    let (name, rest) = rest.split_once('"')?;
    let place =
        rest.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or("", |(place, _)| place);
    (!kind.contains(' ') && !kind.is_empty() && !name.is_empty()).then_some(Manifest { kind, name, place })
}

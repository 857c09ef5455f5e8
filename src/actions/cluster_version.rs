//! What the actions on the ClusterVersion share: finding it, its request, what it says of itself.

use serde_json::Value;

use super::request::Change;
use super::{PatchKind, Precondition, Refusal, Session, Write, gate};
use crate::api::{self, Condition, Conditions as _, Tri};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Requested};
use crate::upgrade::facts::Kind;

/// All of these actions patch the ClusterVersion.
pub(super) const PATCH: Permission = Permission::cluster("patch", "config.openshift.io", "clusterversions");

/// What such a decision rests on.
pub(super) const KINDS: &[Kind] = &[Kind::ClusterVersions];

/// The architecture of payloads that run on several.
pub(super) const MULTI: &str = "Multi";

/// The ClusterVersion as it was seen.
pub(super) fn seen(assessment: &Assessment) -> Result<&api::ClusterVersion, Refusal> {
    assessment.facts.cluster_version.as_deref().ok_or_else(|| Refusal("there is no ClusterVersion".to_owned()))
}

/// The ClusterVersion, in a session that may write it.
pub(super) fn writable<'a>(assessment: &'a Assessment, session: &Session) -> Result<&'a api::ClusterVersion, Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    gate::permitted(assessment, &PATCH)?;
    Ok(seen)
}

/// The merge patch of `spec`, with the lock. `stored` names fields below `/spec`.
pub(super) fn write(
    session: &Session,
    seen: &api::ClusterVersion,
    spec: Value,
    oc: String,
    stored: Vec<(&str, Value)>,
) -> Result<Write, Refusal> {
    let name = seen.name();
    Change {
        object: format!("clusterversion/{name}"),
        path: format!("/apis/config.openshift.io/v1/clusterversions/{name}"),
        patch: PatchKind::Merge,
        metadata: &seen.metadata,
        spec,
        oc,
        stored: stored.into_iter().map(|(field, value)| (format!("/spec/{field}"), value)).collect(),
    }
    .write(session)
}

/// The `oc` arguments of a merge patch of `spec`, for what `oc adm upgrade` has no option for.
pub(super) fn patch_line(spec: &Value) -> String {
    let body = serde_json::json!({ "spec": spec });
    format!("patch clusterversion version --type=merge -p '{body}'")
}

/// A field of the ClusterVersion and its value as a precondition.
pub(super) fn found(words: impl Into<String>, field: &str, value: &str) -> Precondition {
    let value = if value.is_empty() { "(none)" } else { value };
    Precondition { words: words.into(), evidence: format!("clusterversion/version {field} = {value}") }
}

/// A condition and its status as a precondition.
pub(super) fn found_condition(seen: &api::ClusterVersion, words: &str, kind: &str) -> Precondition {
    let status = seen.status.conditions.condition(kind).map_or("absent", |found| found.status.word());
    Precondition { words: words.to_owned(), evidence: format!("clusterversion/version {kind} = {status}") }
}

/// Reason and message of a condition.
pub(super) fn told(condition: &Condition) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        ("", "") => "no reason is given".to_owned(),
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{message} ({reason})"),
    }
}

/// How far a request that was made before has come.
pub(super) fn acceptance(seen: &api::ClusterVersion) -> String {
    match seen.status.conditions.condition("ReleaseAccepted") {
        Some(found) if found.status == Tri::True => "the operator has accepted its payload".to_owned(),
        Some(found) => format!("ReleaseAccepted is {}: {}", found.status.word(), told(found)),
        None => "the operator has not said yet whether it accepts it".to_owned(),
    }
}

/// What speaks against any request now: that the ClusterVersion is invalid, fails, or is at work (`checkForUpgrade` of
/// `oc adm upgrade`, which lets Failing=Unknown pass; a cluster whose operator cannot tell is no cluster to start an
/// update on).
pub(super) fn hindrances(seen: &api::ClusterVersion) -> Vec<String> {
    let conditions = seen.status.conditions.as_slice();
    let mut found = Vec::new();
    if let Some(invalid) = conditions.condition("Invalid").filter(|found| found.status == Tri::True) {
        found.push(format!("the ClusterVersion is invalid: {}", told(invalid)));
    }
    match conditions.condition("Failing") {
        Some(failing) if failing.status == Tri::False => {}
        Some(failing) => found.push(format!("Failing is {}: {}", failing.status.word(), told(failing))),
        None => found.push("the ClusterVersion has no condition Failing: it is not known to be healthy".to_owned()),
    }
    if let Some(progressing) = conditions.condition("Progressing").filter(|found| found.status == Tri::True) {
        found.push(format!("an update is in progress: {}", told(progressing)));
    }
    found
}

/// The option that passes over [`hindrances`], as `--allow-upgrade-with-warnings` of `oc adm upgrade` does.
pub(super) const ALLOW_WITH_WARNINGS: &str = "allow-with-warnings";

/// Nothing is wrong with the ClusterVersion and nothing is under way, or it is `allowed` that something is; what was
/// passed over.
pub(super) fn idle(seen: &api::ClusterVersion, allowed: bool) -> Result<Vec<String>, Refusal> {
    let hindrances = hindrances(seen);
    if let Some(first) = hindrances.first().filter(|_| !allowed) {
        return Err(Refusal(format!("{first} (--{ALLOW_WITH_WARNINGS} passes over it)")));
    }
    if seen.status.observed_generation != 0
        && seen.metadata.generation.is_some_and(|generation| generation != seen.status.observed_generation)
    {
        return Err(Refusal(
            "the cluster-version operator has not yet taken note of the last change of its spec".to_owned(),
        ));
    }
    Ok(hindrances)
}

/// Where the request in `spec.desiredUpdate` stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// Nothing is requested (accepted risks are no request).
    Nothing,
    /// Asked for and not taken up: `status.desired` is still the release of before, and nothing was changed for it.
    Waiting(&'a Requested),
    /// Asked for the multi-architecture payload, which is not the one that is applied.
    WaitingForMulti,
    /// Taken up, and being applied.
    UnderWay,
    /// Applied: the request only repeats what is.
    Done,
}

impl<'a> Standing<'a> {
    /// Of the request as it was seen.
    pub(super) fn of(assessment: &'a Assessment, seen: &api::ClusterVersion) -> Self {
        let Some(wanted) = &seen.spec.desired_update else { return Self::Nothing };
        if [&wanted.version, &wanted.image, &wanted.architecture].into_iter().all(String::is_empty) {
            return Self::Nothing;
        }
        if let Some(requested) = &assessment.update.requested {
            return Self::Waiting(requested);
        }
        let accepted = seen.status.conditions.is_true("ReleaseAccepted");
        if wanted.architecture == MULTI && seen.status.desired.architecture != MULTI && !accepted {
            return Self::WaitingForMulti;
        }
        if assessment.update.in_progress { Self::UnderWay } else { Self::Done }
    }
}

/// The request in words: its version, else its image.
pub(super) fn name_of(wanted: &api::DesiredUpdate) -> String {
    let name = if wanted.version.is_empty() { &wanted.image } else { &wanted.version };
    if wanted.architecture.is_empty() { name.clone() } else { format!("{name} ({})", wanted.architecture) }
}

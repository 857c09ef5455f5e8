//! From where to where the update goes: ClusterVersion's history, request, message and offers.

use std::cmp::Ordering;

use semver::Version;

use super::assessment::{Offer, Requested, Update};
use super::progress_message;
use crate::api::{ClusterVersion, ClusterVersionStatus, Condition, Conditions as _, HistoryEntry, Release};

/// What the ClusterVersion tells.
pub fn update(version: &ClusterVersion) -> Update {
    let status = &version.status;
    let (current, before) = match status.history.split_first() {
        Some((current, before)) => (Some(current), before),
        None => (None, &[][..]),
    };
    let in_progress = match current {
        Some(entry) => !entry.is_completed(),
        None => status.conditions.is_true("Progressing"),
    };
    let progressing = status.conditions.condition("Progressing");
    let message = progressing.map(|condition| condition.message.clone()).unwrap_or_default();
    let told = progress_message::parse(&message);
    Update {
        from: before.iter().find(|entry| entry.is_completed()).and_then(name_of),
        from_incomplete: before.first().filter(|entry| !entry.is_completed()).and_then(name_of),
        to: target(status),
        in_progress,
        started: current.and_then(|entry| entry.started),
        completed: current.filter(|entry| entry.is_completed()).and_then(|entry| entry.completed),
        multi_arch: current.zip(before.first()).is_some_and(|(current, previous)| {
            !current.version.is_empty() && current.version == previous.version && current.image != previous.image
        }),
        installing: in_progress && status.history.len() == 1,
        channel: version.spec.channel.clone().filter(|channel| !channel.is_empty()),
        requested: requested(version),
        payload: in_progress.then_some(told.payload).flatten(),
        waiting_on: told.waiting_on,
        message,
        offers: offers(status),
    }
}

fn name_of(entry: &HistoryEntry) -> Option<String> {
    non_empty(&entry.version).or_else(|| non_empty(&entry.image))
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `status.desired` is the release that is applied (it stays at the old one until a request is accepted).
fn target(status: &ClusterVersionStatus) -> Option<String> {
    non_empty(&status.desired.version)
        .or_else(|| status.history.first().and_then(name_of))
        .or_else(|| non_empty(&status.desired.image))
}

/// A request that the operator has not taken up: refused, still being looked at, or not seen yet.
///
/// `spec.desiredUpdate` differs from `status.desired` and `ReleaseAccepted` is not True (cluster-version-operator,
/// pkg/cvo/sync_worker.go `syncPayload`), or the spec as a whole is `Invalid`, or is newer than what was observed.
fn requested(version: &ClusterVersion) -> Option<Requested> {
    let wanted = version.spec.desired_update.as_ref()?;
    let desired = &version.status.desired;
    let differs = if wanted.image.is_empty() {
        !wanted.version.is_empty() && wanted.version != desired.version
    } else {
        wanted.image != desired.image
    };
    if !differs {
        return None;
    }
    let target = non_empty(&wanted.version).unwrap_or_else(|| wanted.image.clone());
    let conditions = &version.status.conditions;
    let as_told = |condition: &Condition, refused: bool| Requested {
        target: target.clone(),
        step: condition.reason.clone(),
        message: condition.message.clone(),
        refused,
        since: condition.since,
    };
    if let Some(invalid) = conditions.condition("Invalid").filter(|_| conditions.is_true("Invalid")) {
        return Some(as_told(invalid, true));
    }
    let unseen = version.metadata.generation.unwrap_or(0) > version.status.observed_generation;
    match conditions.condition("ReleaseAccepted") {
        Some(accepted) if conditions.is_false("ReleaseAccepted") && !unseen => Some(as_told(accepted, true)),
        Some(accepted) if !conditions.is_true("ReleaseAccepted") => Some(as_told(accepted, false)),
        _ => Some(Requested {
            target: target.clone(),
            step: String::new(),
            message: "the cluster-version operator has not taken up the request yet".to_owned(),
            refused: false,
            since: None,
        }),
    }
}

/// Updates on offer, newest first. A conditional update that turned out to be recommended is in both lists.
fn offers(status: &ClusterVersionStatus) -> Vec<Offer> {
    let gate = status.conditions.condition("Upgradeable").filter(|_| status.conditions.is_false("Upgradeable"));
    let mut offers: Vec<Offer> =
        status.available_updates.iter().map(|release| offer(release, gated(status, release, gate))).collect();
    for conditional in &status.conditional_updates {
        let recommended = conditional.conditions.condition("Recommended");
        if conditional.conditions.is_true("Recommended")
            && offers.iter().any(|offer| offer.version == conditional.release.version)
        {
            continue;
        }
        let risk = match recommended {
            Some(_) if conditional.conditions.is_true("Recommended") => None,
            Some(condition) => Some(reason_and_message(condition)),
            None => Some(unevaluated(conditional.risks.iter().map(|risk| (risk.name.as_str(), risk.message.as_str())))),
        };
        let both = [gated(status, &conditional.release, gate), risk];
        let risk = both.into_iter().flatten().reduce(|a, b| format!("{a}\n{b}"));
        offers.push(offer(&conditional.release, risk));
    }
    offers.sort_by(|a, b| newer_first(&a.version, &b.version));
    offers
}

fn offer(release: &Release, risk: Option<String>) -> Offer {
    Offer { version: release.version.clone(), image: release.image.clone(), risk, url: release.url.clone() }
}

fn reason_and_message(condition: &Condition) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn unevaluated<'a>(risks: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    risks.fold("not evaluated yet".to_owned(), |text, (name, message)| format!("{text}\n{name}: {message}"))
}

/// `Upgradeable=False` holds up minor and major updates, never patches (cluster-version-operator,
/// pkg/payload/precondition/clusterversion/upgradeable.go).
fn gated(status: &ClusterVersionStatus, release: &Release, gate: Option<&Condition>) -> Option<String> {
    let gate = gate?;
    leaves_minor(&status.desired.version, &release.version)
        .then(|| format!("Upgradeable is False: {}", reason_and_message(gate)))
}

/// Is `to` of a later minor or major release than `from`? Unreadable versions count as such: better a gate too many.
pub fn leaves_minor(from: &str, to: &str) -> bool {
    match (Version::parse(from), Version::parse(to)) {
        (Ok(from), Ok(to)) => (to.major, to.minor) > (from.major, from.minor),
        _ => from != to,
    }
}

/// Order of versions, newest first; what is no version comes last.
pub fn newer_first(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => b.cmp(&a),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

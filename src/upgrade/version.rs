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

/// A version as it was typed, without the `v` that people put before it.
pub fn without_v(typed: &str) -> &str {
    let typed = typed.trim();
    let rest = typed.strip_prefix(['v', 'V']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    rest.unwrap_or(typed)
}

/// Major and minor of a version.
pub fn minor_parts(version: &str) -> Option<(u64, u64)> {
    Version::parse(version).ok().map(|version| (version.major, version.minor))
}

/// The minor that a channel is of: `eus-4.18` is of 4.18.
pub fn channel_minor(channel: &str) -> Option<(u64, u64)> {
    let (_, minor) = channel.rsplit_once('-')?;
    // A channel names no patch.
    minor_parts(&format!("{minor}.0"))
}

/// Is `version` the odd minor between two releases with extended support, on the way to the one that `channel` is of?
/// Pools are held then until the second update is done, so that their nodes reboot once.
pub fn below_extended(version: &str, channel: &str) -> bool {
    let both = channel_minor(channel).zip(minor_parts(version));
    channel.starts_with("eus-") && both.is_some_and(|(aim, now)| aim.0 == now.0 && aim.1 == now.1 + 1 && now.1 % 2 == 1)
}

/// The minor of Kubernetes 1 that a minor of OpenShift 4 brings: 4.y brings 1.(y+13), since 4.1. None: not known.
pub fn kubernetes_minor(major: u64, minor: u64) -> Option<u64> {
    minor.checked_add(13).filter(|_| major == 4)
}

/// Is an API that goes away in the Kubernetes release `removed_in` (`1.27`) gone in 1.`minor`? False when it stays.
pub fn removed_by(removed_in: &str, minor: u64) -> bool {
    let parsed = removed_in.trim().trim_start_matches('v').split_once('.');
    let parsed = parsed.and_then(|(major, minor)| Some((major.parse::<u64>().ok()?, minor.parse::<u64>().ok()?)));
    parsed.is_some_and(|removed| removed <= (1, minor))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, OLD, Specimen, at, condition, stamp};
    use serde_json::{Value, json};

    fn told(cluster: &Specimen) -> Update {
        update(&serde_json::from_value(cluster.version.clone()).unwrap())
    }

    #[test]
    fn history_tells_from_and_to() {
        let updating = told(&Specimen::updating());
        assert_eq!((updating.from.as_deref(), updating.to.as_deref()), (Some(OLD), Some(NEW)));
        assert!(updating.in_progress && !updating.installing && !updating.multi_arch);
        assert_eq!((updating.started, updating.completed), (Some(at(0)), None));
        assert_eq!(updating.payload.map(|payload| (payload.done, payload.total)), Some((100, 900)));
        assert_eq!(updating.waiting_on, ["etcd"]);

        let finished = told(&Specimen::finished());
        assert_eq!((finished.in_progress, finished.completed), (false, Some(at(60))));
        assert_eq!(finished.payload, None);
    }

    #[test]
    fn a_retarget_comes_from_what_was_never_completed() {
        let mut cluster = Specimen::updating();
        let history = cluster.version["status"]["history"].as_array_mut().unwrap();
        history.insert(
            1,
            json!({"state": "Partial", "version": "4.19.1", "startedTime": stamp(-60), "completionTime": stamp(0)}),
        );
        let update = told(&cluster);
        assert_eq!((update.from.as_deref(), update.from_incomplete.as_deref()), (Some(OLD), Some("4.19.1")));
    }

    #[test]
    fn the_same_version_by_another_image_is_a_migration_to_multi_arch() {
        let mut cluster = Specimen::updating();
        cluster.version["status"]["history"][0]["version"] = json!(OLD);
        assert!(told(&cluster).multi_arch);
    }

    #[test]
    fn a_first_entry_alone_is_an_installation_while_it_runs() {
        let mut cluster = Specimen::updating();
        cluster.version["status"]["history"].as_array_mut().unwrap().truncate(1);
        let update = told(&cluster);
        assert!(update.installing);
        assert_eq!((update.from, update.from_incomplete), (None, None));
    }

    fn asked_for(version: &str) -> Specimen {
        let mut cluster = Specimen::idle();
        cluster.version["spec"]["desiredUpdate"] = json!({"version": version, "image": "", "force": false});
        cluster
    }

    #[test]
    fn a_request_is_told_until_it_is_accepted() {
        let mut cluster = asked_for(NEW);
        cluster.version["metadata"]["generation"] = json!(4);
        let unseen = told(&cluster).requested.unwrap();
        assert_eq!((unseen.target.as_str(), unseen.step.as_str(), unseen.refused), (NEW, "", false), "not seen yet");

        cluster.version["status"]["observedGeneration"] = json!(4);
        cluster.says("ReleaseAccepted", "Unknown", "RetrievePayload", "Retrieving", 1);
        let retrieving = told(&cluster).requested.unwrap();
        assert_eq!((retrieving.step.as_str(), retrieving.refused), ("RetrievePayload", false));

        cluster.says("ReleaseAccepted", "False", "PreconditionChecks", "Preconditions failed", 3);
        let refused = told(&cluster).requested.unwrap();
        assert_eq!((refused.step.as_str(), refused.refused, refused.since), ("PreconditionChecks", true, Some(at(3))));

        cluster.says("ReleaseAccepted", "True", "PayloadLoaded", "", 4);
        cluster.version["status"]["desired"]["version"] = json!(NEW);
        assert_eq!(told(&cluster).requested, None);
    }

    #[test]
    fn an_invalid_request_is_refused() {
        let mut cluster = asked_for("4.99.0");
        cluster.says(
            "Invalid",
            "True",
            "InvalidClusterVersion",
            "when image is empty the update must be an available update",
            2,
        );
        let requested = told(&cluster).requested.unwrap();
        assert!(requested.refused);
        assert!(requested.message.contains("available update"));
    }

    #[test]
    fn a_request_by_image_is_compared_by_image() {
        let mut cluster = Specimen::idle();
        cluster.version["spec"]["desiredUpdate"] = json!({"version": "", "image": "registry/release@sha256:old"});
        assert_eq!(told(&cluster).requested, None);
    }

    #[test]
    fn offers_are_newest_first_with_their_risks_and_gates() {
        let recommended = |status: &str, reason: &str| json!([condition("Recommended", status, reason, "because", 0)]);
        let release =
            |version: &str| json!({"version": version, "image": format!("registry/release@sha256:{version}")});
        let conditional =
            |version: &str, conditions: Value| json!({"release": release(version), "conditions": conditions});
        let mut cluster = Specimen::idle();
        let status = &mut cluster.version["status"];
        status["availableUpdates"] = json!([release("4.18.25"), release("4.19.3")]);
        status["conditionalUpdates"] = json!([
            conditional("4.18.30", recommended("False", "BadDisk")),
            conditional("4.19.3", recommended("True", "NotExposedToRisks")),
            conditional("4.18.9-rc.1", json!([])),
        ]);
        let offers: Vec<(String, Option<String>)> =
            told(&cluster).offers.into_iter().map(|offer| (offer.version, offer.risk)).collect();
        let versions: Vec<&str> = offers.iter().map(|(version, _)| version.as_str()).collect();
        assert_eq!(versions, ["4.19.3", "4.18.30", "4.18.25", "4.18.9-rc.1"]);
        assert_eq!(offers[0].1, None);
        assert_eq!(offers[1].1.as_deref(), Some("BadDisk: because"));
        assert_eq!(offers[3].1.as_deref(), Some("not evaluated yet"));

        cluster.says("Upgradeable", "False", "AdminAckRequired", "read this first", 0);
        let gated = told(&cluster).offers;
        assert_eq!(gated[0].risk.as_deref(), Some("Upgradeable is False: AdminAckRequired: read this first"));
        assert_eq!(gated[2].risk, None, "a patch update is not concerned");
    }
}

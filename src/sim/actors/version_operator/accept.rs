//! From a request to an accepted release: retrieval, verification, preconditions.
//!
//! Rules: cluster-version-operator, pkg/cvo/sync_worker.go (loadUpdatedPayload), lib/validation/validation.go and
//! pkg/payload/precondition/clusterversion.

use std::time::Duration;

use semver::Version;
use serde_json::Value;

use super::super::world::{EventType, World};
use super::gates;
use crate::sim::cluster::object::{Condition, condition, flag, items, set_condition, text};
use crate::sim::cluster::{cluster_version, mirrors, release};
use crate::sim::kinds::Res;
use crate::sim::scenario::{MishapKind, Scenario};

/// How long it takes until a failed retrieval is tried again.
const RETRIEVE_AGAIN: Duration = Duration::from_secs(60);
/// How often blocked preconditions are looked at again.
const CHECK_AGAIN: Duration = Duration::from_secs(15);

/// What `spec.desiredUpdate` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Nothing.
    None,
    /// Something that cannot be: the problem.
    Invalid(String),
    /// A release.
    Target {
        /// Its version; may be empty when only an image was given.
        version: String,
        /// Its image.
        image: String,
        /// Whether checks may fail.
        force: bool,
    },
}

/// Reads and validates the request.
pub fn request(scenario: &Scenario, object: &Value) -> Request {
    let wish = &object["spec"]["desiredUpdate"];
    let (version, image, force) = (text(wish, "/version"), text(wish, "/image"), flag(wish, "/force"));
    if !image.is_empty() {
        return Request::Target { version: version.to_owned(), image: image.to_owned(), force };
    }
    if version.is_empty() {
        return Request::None;
    }
    if wish["architecture"] == "Multi" && !cluster_version::is_multi(object) {
        if version == text(object, "/status/desired/version") {
            let image = cluster_version::release_image(scenario, version, true);
            return Request::Target { version: version.to_owned(), image, force };
        }
        return Request::Invalid(not_available(version));
    }
    if version == text(object, "/status/desired/version") {
        return Request::None;
    }
    let offered = items(object, "/status/availableUpdates").iter().chain(items(object, "/status/history"));
    match offered.into_iter().find(|release| release["version"] == version) {
        Some(release) => {
            Request::Target { version: version.to_owned(), image: text(release, "/image").to_owned(), force }
        }
        None => Request::Invalid(not_available(version)),
    }
}

fn not_available(version: &str) -> String {
    format!(
        "spec.desiredUpdate.version: Invalid value: {version:?}: when image is empty the update must be an available \
         update"
    )
}

/// A release that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its version.
    pub version: String,
    /// Its image.
    pub image: String,
    /// Whether its signature was verified.
    pub verified: bool,
    /// What was accepted with it, as text.
    pub risks: String,
}

/// The step that an acceptance is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Retrieve,
    Load,
    Check,
}

/// An acceptance under way.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The version that was asked for, empty for an image alone.
    asked: String,
    /// The same, and once it is loaded that of the payload.
    version: String,
    image: String,
    force: bool,
    step: Step,
    due: Duration,
    /// It goes on without a signature, by force.
    unverified: bool,
}

/// Why a payload was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Pull,
    Signature,
}

impl Acceptance {
    /// Begins to retrieve a release.
    pub fn begin(world: &mut World, version: &str, image: &str, force: bool) -> Self {
        let message = format!("Retrieving and verifying payload version={version:?} image={image:?}");
        say(world, "Unknown", "RetrievePayload", &message);
        super::event(world, EventType::Normal, "RetrievePayload", &message);
        let due = world.elapsed + world.between(&format!("retrieve {image}"), (18, 35));
        Self {
            asked: version.to_owned(),
            version: version.to_owned(),
            image: image.to_owned(),
            force,
            step: Step::Retrieve,
            due,
            unverified: false,
        }
    }

    /// Whether it is about this request.
    pub fn is_for(&self, version: &str, image: &str, force: bool) -> bool {
        self.asked == version && self.image == image && self.force == force
    }

    /// Goes on; the release when it is accepted.
    pub fn step(&mut self, world: &mut World, object: &Value) -> Option<Accepted> {
        if world.elapsed < self.due {
            return None;
        }
        match self.step {
            Step::Retrieve => self.retrieved(world, object),
            Step::Load => self.loaded(world, object),
            Step::Check => return self.check(world, object),
        }
        None
    }

    fn payload_version(&self, world: &World, object: &Value) -> Option<String> {
        let known = world.scenario.releases.iter().map(|release| release.version.as_str());
        let past = items(object, "/status/history").iter().map(|entry| text(entry, "/version"));
        known.chain(past).find(|version| release::means(&self.image, version)).map(str::to_owned)
    }

    /// Whether the payload can be pulled and a signature of it found.
    fn found(&self, world: &World, named: &str) -> Result<(), (String, Failing)> {
        let version = world
            .scenario
            .releases
            .iter()
            .map(|release| release.version.as_str())
            .find(|version| release::means(&self.image, version))
            .unwrap_or(&self.version);
        if release::digest(&self.image).is_empty() && !self.force {
            let text = format!(
                "Retrieving payload failed {named} failure=The update cannot be verified: release images that are \
                 not accessed via digest cannot be verified"
            );
            return Err((text, Failing::Signature));
        }
        let mirror = world.scenario.cluster.mirror.as_ref();
        let mirrored = mirror.is_none_or(|mirror| {
            let kept = mirror.releases.is_empty() || mirror.releases.iter().any(|it| it == version);
            kept && mirrors::mirror_of_releases(&world.store).is_some()
        });
        if world.strikes(MishapKind::PayloadUnreachable, version).is_some() || !mirrored {
            let text = format!(
                "Retrieving payload failed {named} failure=Unable to download and prepare the update: timed out, \
                 reason: ErrImagePull, message: reading manifest {} in registry: manifest unknown",
                self.image.rsplit_once('@').map_or("", |(_, digest)| digest)
            );
            return Err((text, Failing::Pull));
        }
        let by_tag = release::digest(&self.image).is_empty();
        let signed = !by_tag && mirrors::is_signed(&world.store, &self.image);
        let offline = by_tag || world.strikes(MishapKind::SignatureMissing, version).is_some() || mirror.is_some();
        if !signed && offline {
            let digest = self.image.rsplit_once('@').map_or(self.image.as_str(), |(_, digest)| digest);
            let text = format!(
                "Retrieving payload failed {named} failure=The update cannot be verified: unable to verify {digest} \
                 against keyrings: verifier-public-key-redhat"
            );
            return Err((text, Failing::Signature));
        }
        Ok(())
    }

    fn retrieved(&mut self, world: &mut World, object: &Value) {
        let named = format!("version={:?} image={:?}", self.version, self.image);
        // Nothing is pulled that could not be verified.
        let may_pull = self.force || !release::digest(&self.image).is_empty();
        if may_pull && self.payload_version(world, object).is_none() {
            let message = format!(
                "Retrieving payload failed {named} failure=Unable to download and prepare the update: deadline \
                 exceeded, \
                 reason: \"DeadlineExceeded\", message: \"Job was active longer than specified deadline\""
            );
            say(world, "False", "RetrievePayload", &message);
            super::event(world, EventType::Warning, "RetrievePayloadFailed", &message);
            self.due = world.elapsed + RETRIEVE_AGAIN;
            return;
        }
        if let Err((text, failure)) = self.found(world, &named) {
            if !(self.force && failure == Failing::Signature) {
                say(world, "False", "RetrievePayload", &text);
                super::event(world, EventType::Warning, "RetrievePayloadFailed", &text);
                self.due = world.elapsed + CHECK_AGAIN;
                return;
            }
            self.unverified = true;
        } else {
            mirrors::keep(&world.store, &self.image);
        }
        let message = format!("Loading payload {named}");
        say(world, "Unknown", "LoadPayload", &message);
        super::event(world, EventType::Normal, "LoadPayload", &message);
        self.step = Step::Load;
        self.due = world.elapsed + world.between(&format!("load {}", self.image), (3, 6));
    }

    fn loaded(&mut self, world: &mut World, object: &Value) {
        let Some(payload) = self.payload_version(world, object) else { return };
        if !self.version.is_empty() && self.version != payload {
            let message = format!(
                "Verifying payload failed version={:?} image={:?} failure=release image version {payload} does \
                 not match \
                 the expected upstream version {}",
                self.version, self.image, self.version
            );
            say(world, "False", "VerifyPayloadVersion", &message);
            super::event(world, EventType::Warning, "VerifyPayloadVersionFailed", &message);
            self.due = world.elapsed + RETRIEVE_AGAIN;
            return;
        }
        self.version = payload;
        self.step = Step::Check;
        self.due = world.elapsed;
    }

    fn check(&mut self, world: &mut World, object: &Value) -> Option<Accepted> {
        let named = format!("version={:?} image={:?}", self.version, self.image);
        let verdict = preconditions(world, object, &self.version);
        let blocked = !verdict.blocking.is_empty();
        if blocked && !self.force {
            let text = summary(&verdict.blocking);
            let message = format!("Preconditions failed for payload loaded {named}: {text}");
            say(world, "False", "PreconditionChecks", &message);
            super::event(world, EventType::Warning, "PreconditionBlock", &message);
            self.due = world.elapsed + CHECK_AGAIN;
            return None;
        }
        let mut risks = Vec::new();
        if blocked {
            risks.push(format!("Forced through blocking failures: {}", summary(&verdict.blocking)));
        }
        if self.unverified {
            risks.push(format!(
                "Target release {named} cannot be verified, but continuing anyway because the update was forced: \
                 unable to verify it against keyrings: verifier-public-key-redhat"
            ));
        }
        risks.extend(verdict.warnings.iter().map(Failure::text));
        if risks.is_empty() {
            super::event(
                world,
                EventType::Normal,
                "PreconditionsPassed",
                &format!("preconditions passed for payload loaded {named}"),
            );
        } else {
            super::event(
                world,
                EventType::Warning,
                "PreconditionWarn",
                &format!("precondition warning for payload loaded {named}: {}", risks.join("\n")),
            );
        }
        let loaded = cluster_version::payload_loaded(&world.scenario, &self.version, &self.image);
        super::event(world, EventType::Normal, "PayloadLoaded", &loaded);
        Some(Accepted {
            version: self.version.clone(),
            image: self.image.clone(),
            verified: !self.unverified,
            risks: risks.join("\n"),
        })
    }
}

fn say(world: &World, status: &str, reason: &str, message: &str) {
    super::write(world, |object| {
        set_condition(object, &Condition::new("ReleaseAccepted", status, reason, message), world.now);
    });
}

/// A precondition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    check: &'static str,
    reason: String,
    message: String,
}

impl Failure {
    fn text(&self) -> String {
        format!("Precondition {:?} failed because of {:?}: {}", self.check, self.reason, self.message)
    }
}

fn summary(failures: &[Failure]) -> String {
    match failures {
        [one] => one.text(),
        many => {
            let lines: Vec<String> = many.iter().map(|failure| format!("* {}", failure.text())).collect();
            format!("Multiple precondition checks failed:\n{}", lines.join("\n"))
        }
    }
}

/// What the preconditions say.
#[derive(Debug, Default)]
struct Verdict {
    blocking: Vec<Failure>,
    warnings: Vec<Failure>,
}

fn preconditions(world: &World, object: &Value, target: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let (Ok(to), Ok(from)) = (Version::parse(target), Version::parse(text(object, "/status/desired/version"))) else {
        return verdict;
    };
    verdict.blocking.extend(rollback(object, &from, &to));
    verdict.blocking.extend(giant_hop(&from, &to));
    let completed = Version::parse(gates::current_version(object)).unwrap_or_else(|_| from.clone());
    if (to.major, to.minor) > (completed.major, completed.minor) {
        verdict.blocking.extend(etcd_backup(world, &completed));
        let holds = gates::holds(world, object);
        let only_progress = holds.iter().all(|hold| hold.reason == "UpdateInProgress");
        if let Some((reason, message)) = gates::summary(&holds) {
            let failure = Failure { check: "ClusterVersionUpgradeable", reason, message };
            if only_progress && (from.major, from.minor) == (to.major, to.minor) {
                let reason = "MinorVersionClusterUpdateInProgress".to_owned();
                let message =
                    format!("Retarget to {to} while a minor level update from {completed} to {from} is in progress");
                verdict.warnings.push(Failure { check: "ClusterVersionUpgradeable", reason, message });
            } else {
                verdict.blocking.push(failure);
            }
        }
    }
    if to.minor == from.minor
        && let Some(hold) = gates::holds(world, object).into_iter().find(|hold| hold.condition == gates::OVERRIDES)
    {
        // Up to 4.20 overrides hold patch updates too.
        let failure = Failure { check: "ClusterVersionUpgradeable", reason: hold.reason, message: hold.message };
        let held = if from.minor <= 20 { &mut verdict.blocking } else { &mut verdict.warnings };
        held.push(failure);
    }
    verdict.warnings.extend(recommended(object, &from, target));
    verdict
}

/// Up to 4.14 a minor update waits for a backup of etcd, which the etcd operator makes when it is asked for
/// (cluster-version-operator, pkg/payload/precondition/clusterversion/etcdbackup.go).
fn etcd_backup(world: &World, completed: &Version) -> Option<Failure> {
    if completed.minor > 14 {
        return None;
    }
    let operator = world.store.get(Res::CLUSTER_OPERATORS, None, "etcd")?;
    let found = condition(&operator, "RecentBackup");
    if found.is_some_and(|found| found["status"] == "True") {
        return None;
    }
    let (reason, message) =
        found.map_or(("EtcdRecentBackupNotSet", ""), |it| (text(it, "/reason"), text(it, "/message")));
    let message = format!("RecentBackup: {message}");
    Some(Failure { check: "EtcdRecentBackup", reason: reason.to_owned(), message })
}

/// Only the release before this one, of the same minor version, may be gone back to.
fn rollback(object: &Value, from: &Version, to: &Version) -> Option<Failure> {
    if to >= from {
        return None;
    }
    let history = items(object, "/status/history");
    let previous = history
        .iter()
        .find(|entry| text(entry, "/version") != from.to_string())
        .map_or("", |entry| text(entry, "/version"));
    if to.minor == from.minor && previous == to.to_string() {
        return None;
    }
    let message = if to.minor == from.minor {
        format!(
            "{to} is less than the current target {from}, and the only supported rollback is to the cluster's \
             previous version {previous}"
        )
    } else {
        format!("{to} is less than the current target {from}, and the cluster's previous version is {previous}")
    };
    Some(Failure { check: "ClusterVersionRollback", reason: "LowDesiredVersion".to_owned(), message })
}

fn giant_hop(from: &Version, to: &Version) -> Option<Failure> {
    let (reason, message) = if to.major > from.major {
        (
            "MajorVersionUpdate",
            format!(
                "{to} has a larger major version than the current target {from} ({} > {}), and only updates \
                 within the current major version are supported.",
                to.major, from.major
            ),
        )
    } else if to.minor > from.minor + 1 {
        (
            "MultipleMinorVersionsUpdate",
            format!(
                "{to} is more than one minor version beyond the current target {from} ({}.{} > {}.{} + 1), and \
                 only updates within the current minor version or to the next minor version are supported.",
                to.major, to.minor, from.major, from.minor
            ),
        )
    } else {
        return None;
    };
    Some(Failure { check: "ClusterVersionGiantHop", reason: reason.to_owned(), message })
}

/// Never blocks: what is not recommended is written down.
fn recommended(object: &Value, from: &Version, target: &str) -> Option<Failure> {
    let failure = |reason: &str, message: String| {
        Some(Failure { check: "ClusterVersionRecommendedUpdate", reason: reason.to_owned(), message })
    };
    let offered = |list: &str| items(object, list).iter().any(|update| update["version"] == target);
    if offered("/status/availableUpdates") {
        return None;
    }
    let conditional =
        items(object, "/status/conditionalUpdates").iter().find(|update| update["release"]["version"] == target);
    if let Some(update) = conditional {
        let told = &update["conditions"][0];
        let (status, reason, message) = (text(told, "/status"), text(told, "/reason"), text(told, "/message"));
        let message = match status {
            "True" => return None,
            "False" => format!("Update from {from} to {target} is not recommended:\n\n{message}"),
            other => format!("Update from {from} to {target} is Recommended={other}: {reason}: {message}"),
        };
        return failure(reason, message);
    }
    if text(object, "/spec/channel").is_empty() {
        let message = format!(
            "Configured channel is unset, so the recommended status of updating from {from} to {target} is unknown."
        );
        return failure("NoChannel", message);
    }
    let message = format!(
        "RetrievedUpdates=True (), so the update from {from} to {target} is probably neither recommended nor \
         supported."
    );
    failure("UnknownUpdate", message)
}

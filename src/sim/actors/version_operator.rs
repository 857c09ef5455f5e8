//! The cluster version operator: accepts a release, applies its payload run level by run level, tells how it goes.
//!
//! Rules: cluster-version-operator, pkg/cvo. What it remembers is what the real process remembers, and is lost when its
//! pod moves: the attempt, and since when it waits for each operator.

pub mod accept;
pub mod gates;
pub mod offers;
pub mod payload;
pub mod progress;
pub mod validate;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, Event, EventType, Speaker, World, involved};
use crate::sim::cluster::object::{Condition, condition_status, drop_condition, set_condition, text};
use crate::sim::cluster::{cluster_version, release};
use crate::sim::kinds::Res;
use crate::sim::scenario::{MishapKind, Payload};
use crate::sim::store::timestamp;
use accept::{Acceptance, Request};
use payload::Attempt;

/// The namespace of the cluster version operator, and of its events.
pub const NAMESPACE: &str = "openshift-cluster-version";
/// How often Upgradeable is looked at (15 s after a failed precondition; the steady interval of two minutes would only
/// make people wait).
const UPGRADEABLE_INTERVAL: Duration = Duration::from_secs(15);
/// How often recommendations are asked for.
const OFFERS_INTERVAL: Duration = Duration::from_secs(240);
/// How often a finished payload is reconciled.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(30);

/// The operator.
#[derive(Debug, Default)]
pub struct VersionOperator {
    leader: String,
    ready_at: Duration,
    acceptance: Option<Acceptance>,
    attempt: Option<Attempt>,
    /// Since when it waits for each cluster operator (pkg/payload/task.go, `COUpdateStartTimes`).
    waits: BTreeMap<&'static str, Duration>,
    offers_due: Duration,
    offers_for: (String, String, String),
    upgradeable_due: Duration,
    unreachable: bool,
    reconcile_due: Duration,
    said: Option<(progress::Verdict, String)>,
}

impl Actor for VersionOperator {
    fn step(&mut self, world: &mut World) {
        let Some((leader, _)) = world.seen.leader(NAMESPACE, "cluster-version-operator") else {
            self.leader.clear();
            return;
        };
        if leader != self.leader {
            // A first leader was there all along; a later one has to win the election.
            let election = if self.leader.is_empty() && world.elapsed.is_zero() {
                Duration::ZERO
            } else {
                world.between(&format!("election {leader}"), (8, 15))
            };
            *self = Self { leader, ready_at: world.elapsed + election, ..Self::default() };
        }
        if world.elapsed < self.ready_at {
            return;
        }
        let Some(object) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
        self.refresh_offers(world, &object);
        self.handle_request(world, &object);
        let Some(object) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
        self.refresh_upgradeable(world, &object);
        self.sync(world, &object);
    }
}

/// Changes the ClusterVersion.
pub(super) fn write(world: &World, change: impl FnOnce(&mut Value)) {
    world.store.update(Res::CLUSTER_VERSIONS, None, "version", change);
}

/// Records an event about the ClusterVersion.
pub(super) fn event(world: &mut World, kind: EventType, reason: &str, message: &str) {
    let speaker = Speaker::Leader(NAMESPACE, "cluster-version-operator");
    world.log(speaker, if kind == EventType::Normal { 'I' } else { 'E' }, "cvo.go", message);
    let Some(object) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
    let mut involved = involved(&object);
    involved["namespace"] = json!(NAMESPACE);
    world.event(&Event {
        namespace: NAMESPACE,
        involved,
        kind,
        reason,
        message,
        component: "openshift-cluster-version",
        host: "",
    });
}

impl VersionOperator {
    fn refresh_offers(&mut self, world: &World, object: &Value) {
        let accepted = offers::accepted(world, object).unwrap_or_default().join(",");
        let key = (
            format!("{} {} {accepted}", text(object, "/spec/channel"), text(object, "/spec/upstream")),
            text(object, "/status/desired/image").to_owned(),
            text(object, "/spec/desiredUpdate/architecture").to_owned(),
        );
        let unreachable = world.mishaps.is_armed(MishapKind::UpdatesUnreachable, "", world.elapsed);
        let news = std::mem::replace(&mut self.unreachable, unreachable) != unreachable;
        if !news && key == self.offers_for && world.elapsed < self.offers_due {
            return;
        }
        self.offers_for = key;
        self.offers_due = world.elapsed + OFFERS_INTERVAL;
        offers::write(world, object);
    }

    fn refresh_upgradeable(&mut self, world: &World, object: &Value) {
        if world.elapsed < self.upgradeable_due {
            return;
        }
        self.upgradeable_due = world.elapsed + UPGRADEABLE_INTERVAL;
        gates::write(world, object);
    }

    /// What the spec asks for, against what is being done.
    fn handle_request(&mut self, world: &mut World, object: &Value) {
        let generation = object["metadata"]["generation"].clone();
        let request = match validate::problem(object) {
            Some(problem) => Request::Invalid(problem),
            None => accept::request(&world.scenario, object),
        };
        if let Request::Invalid(problem) = &request {
            let message = format!("The cluster version is invalid: {problem}");
            self.acceptance = None;
            write(world, |object| {
                object["status"]["observedGeneration"] = generation;
                set_condition(object, &Condition::new("Invalid", "True", "InvalidClusterVersion", &message), world.now);
            });
            return;
        }
        if object["status"]["observedGeneration"] != generation || !condition_status(object, "Invalid").is_empty() {
            write(world, |object| {
                object["status"]["observedGeneration"] = generation;
                drop_condition(object, "Invalid");
            });
        }
        let current = text(object, "/status/desired/image").to_owned();
        match request {
            Request::Target { version, image, force } if image != current => {
                let same = self.acceptance.as_ref().is_some_and(|it| it.is_for(&version, &image, force));
                let acceptance = self.acceptance.take().filter(|_| same);
                let mut acceptance = acceptance.unwrap_or_else(|| Acceptance::begin(world, &version, &image, force));
                if let Some(accepted) = acceptance.step(world, object) {
                    self.start(world, object, &accepted);
                } else {
                    self.acceptance = Some(acceptance);
                }
            }
            _ => {
                if self.acceptance.take().is_some() || condition_status(object, "ReleaseAccepted") != "True" {
                    let message = cluster_version::payload_loaded(
                        &world.scenario,
                        text(object, "/status/desired/version"),
                        &current,
                    );
                    write(world, |object| {
                        set_condition(
                            object,
                            &Condition::new("ReleaseAccepted", "True", "PayloadLoaded", &message),
                            world.now,
                        );
                    });
                }
            }
        }
    }

    /// A release was accepted: it becomes what the cluster works towards.
    fn start(&mut self, world: &mut World, object: &Value, accepted: &accept::Accepted) {
        let now = world.now;
        let target = accepted.version.as_str();
        let multi = release::digest(&accepted.image) == release::digest(&release::multi_image(target))
            || (cluster_version::is_multi(object) && world.scenario.cluster.payload == Payload::Multi);
        let mut desired = cluster_version::release_object(&world.scenario, target, multi);
        // Wherever it was pulled from.
        desired["image"] = json!(accepted.image);
        let loaded = cluster_version::payload_loaded(&world.scenario, target, &accepted.image);
        write(world, |object| {
            let fields = &mut object["status"];
            fields["desired"] = desired;
            fields["versionHash"] = json!(release::version_hash(target));
            let mut entry = json!({
                "completionTime": null, "image": accepted.image, "startedTime": timestamp(now), "state": "Partial",
                "verified": accepted.verified, "version": target,
            });
            if !accepted.risks.is_empty() {
                entry["acceptedRisks"] = json!(accepted.risks);
            }
            if let Some(history) = fields["history"].as_array_mut() {
                if let Some(previous) = history.first_mut().filter(|previous| previous["state"] == "Partial") {
                    previous["completionTime"] = json!(timestamp(now));
                }
                history.insert(0, entry);
                history.truncate(100);
            }
            set_condition(object, &Condition::new("ReleaseAccepted", "True", "PayloadLoaded", &loaded), now);
            let working = format!("Working towards {target}");
            set_condition(object, &Condition::new("Progressing", "True", "", &working), now);
            set_condition(object, &Condition::new("Failing", "False", "", ""), now);
        });
        self.acceptance = None;
        self.waits.clear();
        self.said = None;
        self.attempt = Some(Attempt::new(world, target, true));
        self.upgradeable_due = world.elapsed;
        // The new payload brings a new cluster version operator: its pod is replaced, and what it remembered is gone.
        payload::roll(world, NAMESPACE, "cluster-version-operator", target, &release::image(target));
    }

    fn sync(&mut self, world: &mut World, object: &Value) {
        let target = text(object, "/status/desired/version").to_owned();
        let updating = object["status"]["history"][0]["state"] != "Completed";
        if !updating {
            self.attempt = None;
            if world.elapsed >= self.reconcile_due {
                self.reconcile_due = world.elapsed + RECONCILE_INTERVAL;
                progress::reconcile(world, &target);
            }
            return;
        }
        let mut attempt = self
            .attempt
            .take()
            .filter(|attempt| attempt.version == target)
            .unwrap_or_else(|| Attempt::new(world, &target, true));
        attempt.advance(world, &mut self.waits);
        if attempt.finished() {
            complete(world, &target);
            self.waits.clear();
            self.said = None;
            self.upgradeable_due = world.elapsed;
            self.offers_due = world.elapsed;
            return;
        }
        progress::write(world, &attempt, &self.waits, &mut self.said);
        self.attempt = Some(attempt);
    }
}

fn complete(world: &World, target: &str) {
    let now = world.now;
    write(world, |object| {
        let entry = &mut object["status"]["history"][0];
        entry["state"] = json!("Completed");
        entry["completionTime"] = json!(timestamp(now));
        set_condition(object, &Condition::new("Available", "True", "", &format!("Done applying {target}")), now);
        set_condition(object, &Condition::new("Failing", "False", "", ""), now);
        set_condition(
            object,
            &Condition::new("Progressing", "False", "", &format!("Cluster version is {target}")),
            now,
        );
    });
}

//! Velero and the OADP operator: backup locations that are checked, Backups and Restores that get on.
//!
//! Rules: velero, pkg/controller (backup, restore, backup-storage-location; phases and progress), openshift/oadp-operator
//! (a backup location for every DataProtectionApplication).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::image_based::{LOCATION, OADP};
use crate::sim::cluster::object::{Condition, name, set_condition, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::{LifecycleAgent, MishapKind};
use crate::sim::store::timestamp;

/// How often a backup location is checked (velero server, `--store-validation-frequency`).
const CHECK: Duration = Duration::from_secs(60);
/// How long the OADP operator takes for a change.
const REACTION: Duration = Duration::from_secs(8);
/// How many items Velero reports at a time.
const STEP: Duration = Duration::from_secs(2);
/// What a Backup has whose story is not told.
const ITEMS: u32 = 120;

/// Both of them.
#[derive(Debug, Default)]
pub struct Velero {
    check_due: Duration,
    work_due: Duration,
    react_at: Option<Duration>,
    /// What the location and its credentials were when it became unavailable.
    broken: Option<(Value, Value)>,
    /// When a Backup or Restore began, by kind and name.
    begun: BTreeMap<(Res, String), Duration>,
}

impl Actor for Velero {
    fn step(&mut self, world: &mut World) {
        let Some(agent) = world.scenario.cluster.lifecycle_agent.clone() else { return };
        self.reconcile(world);
        self.misfortune(world);
        if world.elapsed >= self.check_due {
            self.check(world);
        }
        if world.elapsed >= self.work_due {
            self.work_due = world.elapsed + STEP;
            for kind in [Res::BACKUPS, Res::RESTORES] {
                self.work(world, &agent, kind);
            }
        }
    }
}

impl Velero {
    /// The OADP operator: a DataProtectionApplication is reconciled, and makes its location.
    fn reconcile(&mut self, world: &World) {
        let applications = world.store.list(Res::DATA_PROTECTION_APPLICATIONS);
        let unready = |it: &Value| it.pointer("/status/conditions/0").is_none();
        let Some(fresh) = applications.iter().find(|it| unready(it)) else {
            self.react_at = None;
            return;
        };
        let at = *self.react_at.get_or_insert(world.elapsed + REACTION);
        if world.elapsed < at {
            return;
        }
        self.react_at = None;
        let ready = Condition::new("Reconciled", "True", "Complete", "Reconcile complete");
        world.store.update(Res::DATA_PROTECTION_APPLICATIONS, Some(OADP), name(fresh), |object| {
            set_condition(object, &ready, world.now);
        });
        if world.store.get(Res::BACKUP_STORAGE_LOCATIONS, Some(OADP), LOCATION).is_none() {
            let spec = fresh["spec"]["backupLocations"][0]["velero"].clone();
            let metadata = json!({"name": LOCATION, "namespace": OADP});
            world.store.create(Res::BACKUP_STORAGE_LOCATIONS, json!({"metadata": metadata, "spec": spec}), world.now);
            self.check_due = world.elapsed + REACTION;
        }
    }

    /// A location that cannot be reached is noticed at once, and one that somebody has set right too.
    fn misfortune(&mut self, world: &World) {
        let away = world.strikes(MishapKind::BackupLocationUnavailable, "").is_some();
        let present = present(world);
        match (&self.broken, away) {
            (None, true) => {
                self.broken = present;
                self.check_due = world.elapsed;
            }
            (Some(was), true) if present.as_ref().is_some_and(|now| now != was) => {
                let kind = MishapKind::BackupLocationUnavailable;
                for case in world.mishaps.cases().into_iter().filter(|case| case.is_on() && case.mishap.kind == kind) {
                    world.mishaps.finish(case.id, world.now);
                }
                self.broken = None;
                self.check_due = world.elapsed + REACTION;
            }
            (Some(_), false) => {
                self.broken = None;
                self.check_due = world.elapsed + REACTION;
            }
            _ => {}
        }
    }

    fn check(&mut self, world: &World) {
        self.check_due = world.elapsed + CHECK;
        let mishap = world.strikes(MishapKind::BackupLocationUnavailable, "");
        let carried = &world.disk.carried.backups;
        for location in world.store.list(Res::BACKUP_STORAGE_LOCATIONS) {
            world.store.update(Res::BACKUP_STORAGE_LOCATIONS, Some(OADP), name(&location), |object| {
                let status = &mut object["status"];
                status["lastValidationTime"] = json!(timestamp(world.now));
                if let Some(mishap) = &mishap {
                    let message = mishap.message.clone().unwrap_or_else(|| {
                        "BackupStorageLocation \"dpa-edge-1\" is unavailable: rpc error: code = Unknown desc = \
                         operation error S3: ListObjectsV2, StatusCode: 403, InvalidAccessKeyId"
                            .to_owned()
                    });
                    status["phase"] = json!("Unavailable");
                    status["message"] = json!(message);
                } else {
                    status["phase"] = json!("Available");
                    status["lastSyncedTime"] = json!(timestamp(world.now));
                    if let Some(fields) = status.as_object_mut() {
                        fields.remove("message");
                    }
                }
            });
        }
        // Backups are in the storage: whoever can read it finds them.
        if mishap.is_none() && !world.store.list(Res::BACKUP_STORAGE_LOCATIONS).is_empty() {
            for backup in carried {
                if world.store.get(Res::BACKUPS, Some(OADP), name(backup)).is_none() {
                    world.store.create(Res::BACKUPS, backup.clone(), world.now);
                }
            }
        }
    }

    /// Everything that is not over gets on.
    fn work(&mut self, world: &World, agent: &LifecycleAgent, kind: Res) {
        for object in world.store.list(kind) {
            let key = (kind, name(&object).to_owned());
            match text(&object, "/status/phase") {
                "" | "New" | "InProgress" | "Finalizing" => {
                    let began = *self.begun.entry(key).or_insert(world.elapsed);
                    get_on(world, agent, kind, &object, began);
                }
                _ => {
                    self.begun.remove(&key);
                }
            }
        }
    }
}

/// A Backup or a Restore that is not over.
fn get_on(world: &World, agent: &LifecycleAgent, kind: Res, object: &Value, began: Duration) {
    let own_name = name(object);
    let items = agent.backups.iter().find(|story| story.name == own_name).map_or(ITEMS, |story| story.items);
    let (field, each, mishap) = if kind == Res::BACKUPS {
        ("itemsBackedUp", agent.durations.backup.0, MishapKind::BackupFailed)
    } else {
        ("itemsRestored", agent.durations.restore.0, MishapKind::RestoreFailed)
    };
    let length = each.mul_f64((f64::from(items) / 100.0).max(0.1));
    let share = world.elapsed.saturating_sub(began).as_secs_f64() / length.as_secs_f64().max(0.1);
    let fails = (share >= 0.5).then(|| world.strikes(mishap, "")).flatten();
    let unavailable = is_unavailable(world);
    world.store.update(kind, Some(OADP), own_name, |object| {
        let status = &mut object["status"];
        if status["phase"].is_null() {
            *status = begun(world, kind, unavailable);
            if unavailable {
                return;
            }
        }
        let done = (f64::from(items) * share.min(1.0)).floor() as u32;
        status["progress"] = json!({field: done, "totalItems": items});
        if let Some(mishap) = &fails {
            status["phase"] = json!(mishap.reason.as_deref().unwrap_or("PartiallyFailed"));
            status["errors"] = json!(2);
            if let Some(message) = &mishap.message {
                status["failureReason"] = json!(message);
            }
            status["completionTimestamp"] = json!(timestamp(world.now));
        } else if share >= 1.1 {
            status["phase"] = json!("Completed");
            status["completionTimestamp"] = json!(timestamp(world.now));
        } else if share >= 1.0 {
            status["phase"] = json!("Finalizing");
        }
    });
}

/// The status of a Backup or a Restore that begins, or cannot.
fn begun(world: &World, kind: Res, unavailable: bool) -> Value {
    if unavailable {
        let what = if kind == Res::BACKUPS { "backup" } else { "restore" };
        let error =
            format!("{what} can't be created because BackupStorageLocation {LOCATION} is in Unavailable status");
        return json!({"phase": "FailedValidation", "validationErrors": [error]});
    }
    let mut status = json!({"phase": "InProgress", "startTimestamp": timestamp(world.now)});
    if kind == Res::BACKUPS {
        status["formatVersion"] = json!("1.1.0");
        status["version"] = json!(1);
    }
    status
}

fn is_unavailable(world: &World) -> bool {
    let location = world.store.get(Res::BACKUP_STORAGE_LOCATIONS, Some(OADP), LOCATION);
    location.is_none_or(|location| text(&location, "/status/phase") != "Available")
}

/// What reaching a location depends on: its spec, and the credentials.
fn present(world: &World) -> Option<(Value, Value)> {
    let location = world.store.get(Res::BACKUP_STORAGE_LOCATIONS, Some(OADP), LOCATION)?;
    let secret = text(&location, "/spec/credential/name").to_owned();
    let credentials = world.store.get(Res::SECRETS, Some(OADP), &secret);
    Some((location["spec"].clone(), credentials.map_or(Value::Null, |secret| secret["data"].clone())))
}

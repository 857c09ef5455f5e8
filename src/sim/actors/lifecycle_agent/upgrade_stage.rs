//! The Upgrade stage: backups and exports, the reboot into the new stateroot, and there manifests and restores. And the
//! ways in which it fails: before the pivot it just stops; after it the old stateroot is booted again, unless that is
//! switched off.
//!
//! Rules: lifecycle-agent, controllers/upgrade_handlers.go, lca-cli/initmonitor.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::health_wait::{Checks, unhealthy};
use super::oadp_content::{ask, bring_back, export, manifests, progress, waves};
use super::upgrade_status::{begin_phase, begin_stage, end_phase, end_stage, tell, upgrade_failed, write};
use super::{Turn, event, failed};
use crate::sim::actors::disk::Stateroot;
use crate::sim::actors::reboot::Reboot;
use crate::sim::actors::world::{EventType, World};
use crate::sim::cluster::image_based::{NAME, OADP};
use crate::sim::cluster::object::{annotation, condition_status, name, remove, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::scenario::from_image::{Durations, RollbackSwitch, Stage};
use crate::sim::store::timestamp;

/// How often the health of the cluster is looked at.
const HEALTH: Duration = Duration::from_secs(20);
/// How often Backups and Restores are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How long a step takes that only writes files or objects.
const SHORT: Duration = Duration::from_secs(4);
/// How long before its certificates run out the old stateroot is no longer offered.
const MARGIN: TimeDelta = TimeDelta::minutes(30);

/// What is exported before the pivot, in this order.
const EXPORTS: [&str; 3] = [
    "Exporting Application Configuration",
    "Exporting Policy and Config Manifests",
    "Exporting Cluster, LVM, and cert-manager configuration",
];

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Checking,
    BackingUp { left: Vec<Vec<Value>>, now: Vec<Value> },
    Exporting(usize),
    Leaving { saved: Box<Value> },
    Stabilizing,
    Policies,
    Configs,
    Restores,
    Restoring { left: Vec<Vec<Value>>, now: Vec<Value> },
    Finishing,
}

/// An Upgrade that is under way.
#[derive(Debug)]
pub struct Upgrade {
    step: Step,
    due: Duration,
}

impl Upgrade {
    /// It begins.
    pub fn begin(world: &World) -> Self {
        let now = world.now;
        write(world, |object| {
            tell(object, ("UpgradeInProgress", "True", "InProgress"), "In progress", now);
            begin_stage(object, Stage::Upgrade, now);
            begin_phase(object, Stage::Upgrade, "PrePivot", now);
        });
        Self { step: Step::Checking, due: world.elapsed + SHORT }
    }

    /// The agent was started anew: in the new stateroot it goes on there, else it begins once more.
    pub fn again(world: &World, upgrade: &Value) -> Self {
        if !world.disk.is_booted(text(upgrade, "/spec/seedImageRef/version")) {
            return Self { step: Step::Checking, due: world.elapsed };
        }
        let now = world.now;
        let certificates = durations(world).certificates.delta();
        write(world, |object| {
            begin_phase(object, Stage::Upgrade, "PostPivot", now);
            if object["status"]["rollbackAvailabilityExpiration"].is_null() {
                object["status"]["rollbackAvailabilityExpiration"] = json!(timestamp(now + certificates - MARGIN));
            }
        });
        Self { step: Step::Stabilizing, due: world.elapsed }
    }

    /// A step.
    pub fn step(&mut self, world: &mut World) -> Turn {
        let Some(upgrade) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) else { return Turn::On };
        if world.elapsed < self.due {
            return Turn::On;
        }
        match self.step.clone() {
            Step::Checking => self.check(world, &upgrade),
            Step::BackingUp { left, now } => return self.back_up(world, left, &now),
            Step::Exporting(done) => self.export(world, done),
            Step::Leaving { saved } => {
                leave(world, *saved);
                return Turn::Over;
            }
            Step::Stabilizing => self.stabilize(world),
            Step::Policies => return self.apply_policies(world, &upgrade),
            Step::Configs => return self.apply_configs(world, &upgrade),
            Step::Restores => return self.begin_restores(world, &upgrade),
            Step::Restoring { left, now } => return self.restore(world, &upgrade, left, &now),
            Step::Finishing => return self.finish(world),
        }
        Turn::On
    }

    fn then(&mut self, world: &World, step: Step, after: Duration) {
        self.step = step;
        self.due = world.elapsed + after;
    }

    fn check(&mut self, world: &World, upgrade: &Value) {
        if let Some(problems) = unhealthy(world, Checks::All) {
            say(
                world,
                &format!("Waiting for system to stabilize before Upgrade (pre-pivot) stage can continue: {problems}"),
            );
            self.due = world.elapsed + HEALTH;
            return;
        }
        let content = manifests(world, upgrade, "oadpContent").unwrap_or_default();
        let left = waves(content, "Backup");
        if left.is_empty() {
            say(world, EXPORTS[0]);
            return self.then(world, Step::Exporting(1), SHORT);
        }
        say(world, "Backing up Application Data");
        self.then(world, Step::BackingUp { left, now: Vec::new() }, SHORT);
    }

    fn back_up(&mut self, world: &World, mut left: Vec<Vec<Value>>, now: &[Value]) -> Turn {
        match progress(world, Res::BACKUPS, now) {
            Err(failed) => {
                fail_before_pivot(world, &format!("failed to backup application data: backups failed: {failed}"));
                return Turn::Over;
            }
            Ok(false) => self.due = world.elapsed + LOOK / 4,
            Ok(true) if left.is_empty() => {
                say(world, EXPORTS[0]);
                self.then(world, Step::Exporting(1), SHORT);
            }
            Ok(true) => {
                let now = left.remove(0);
                ask(world, Res::BACKUPS, &now);
                say(world, "Backup of Application Data is in progress");
                self.then(world, Step::BackingUp { left, now }, LOOK / 4);
            }
        }
        Turn::On
    }

    /// Whether the object has been saved for the new stateroot: an abort comes too late.
    pub const fn is_leaving(&self) -> bool {
        matches!(self.step, Step::Leaving { .. })
    }

    fn export(&mut self, world: &mut World, done: usize) {
        if let Some(message) = EXPORTS.get(done) {
            say(world, message);
            self.then(world, Step::Exporting(done + 1), SHORT);
        } else {
            say(world, "In progress");
            write(world, |object| end_phase(object, Stage::Upgrade, "PrePivot", world.now));
            let Some(upgrade) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) else { return };
            world.disk.carried = export(world, &upgrade);
            self.then(world, Step::Leaving { saved: Box::new((*upgrade).clone()) }, SHORT);
        }
    }

    fn stabilize(&mut self, world: &World) {
        if let Some(problems) = unhealthy(world, Checks::BeforeRestore) {
            say(world, &format!("Waiting for system to stabilize: {problems}"));
            self.due = world.elapsed + HEALTH;
            return;
        }
        say(world, "Applying Policy Manifests");
        self.then(world, Step::Policies, SHORT);
    }

    fn apply_policies(&mut self, world: &mut World, upgrade: &Value) -> Turn {
        if let Some(mishap) = world.strikes(MishapKind::PolicyManifestsFailed, "") {
            let why = mishap.message.unwrap_or_else(|| "admission webhook denied the request".to_owned());
            return fail_after_pivot(world, upgrade, &format!("failure applying policy manifests: {why}"));
        }
        say(world, "Applying Config Manifests");
        self.then(world, Step::Configs, SHORT);
        Turn::On
    }

    fn apply_configs(&mut self, world: &mut World, upgrade: &Value) -> Turn {
        let why = match world.strikes(MishapKind::ConfigManifestsFailed, "") {
            Some(mishap) => Err(mishap.message.unwrap_or_else(|| "admission webhook denied the request".to_owned())),
            None => super::oadp_content::apply(world),
        };
        if let Err(why) = why {
            return fail_after_pivot(world, upgrade, &format!("failure applying config manifests: {why}"));
        }
        if world.disk.carried.restores.is_empty() {
            self.then(world, Step::Finishing, SHORT);
        } else {
            say(world, "Restoring Application Data");
            self.then(world, Step::Restores, SHORT);
        }
        Turn::On
    }

    /// Restores are asked for once their Backups were found in the storage.
    fn begin_restores(&mut self, world: &mut World, upgrade: &Value) -> Turn {
        if world.store.list(Res::DATA_PROTECTION_APPLICATIONS).is_empty() {
            let why = format!("no DataProtectionApplication found in {OADP}");
            return fail_after_pivot(world, upgrade, &format!("missing DataProtectionApplication: {why}"));
        }
        let backups = &world.disk.carried.backups;
        let found = |backup: &Value| world.store.get(Res::BACKUPS, Some(OADP), name(backup)).is_some();
        if !backups.iter().all(found) {
            self.due = world.elapsed + LOOK / 4;
            return Turn::On;
        }
        let left = waves(world.disk.carried.restores.clone(), "Restore");
        self.then(world, Step::Restoring { left, now: Vec::new() }, Duration::ZERO);
        Turn::On
    }

    fn restore(&mut self, world: &mut World, upgrade: &Value, mut left: Vec<Vec<Value>>, now: &[Value]) -> Turn {
        match progress(world, Res::RESTORES, now) {
            Err(failed) => {
                return fail_after_pivot(world, upgrade, &format!("restore failure: restores failed: {failed}"));
            }
            Ok(false) => self.due = world.elapsed + LOOK / 4,
            Ok(true) if left.is_empty() => {
                bring_back(world);
                self.then(world, Step::Finishing, SHORT);
            }
            Ok(true) => {
                let now = left.remove(0);
                ask(world, Res::RESTORES, &now);
                say(world, "Restore of Application Data is in progress");
                self.then(world, Step::Restoring { left, now }, LOOK / 4);
            }
        }
        Turn::On
    }

    fn finish(&mut self, world: &mut World) -> Turn {
        if let Some(problems) = unhealthy(world, Checks::AtTheEnd) {
            say(world, &format!("Waiting for system to fully stabilize: {problems}"));
            self.due = world.elapsed + HEALTH;
            return Turn::On;
        }
        let now = world.now;
        world.disk.fallback = None;
        write(world, |object| {
            end_phase(object, Stage::Upgrade, "PostPivot", now);
            end_stage(object, Stage::Upgrade, now);
            tell(object, ("UpgradeInProgress", "False", "Completed"), "Upgrade completed", now);
            tell(object, ("UpgradeCompleted", "True", "Completed"), "Upgrade completed", now);
        });
        Turn::Over
    }
}

fn durations(world: &World) -> Durations {
    let agent = world.scenario.cluster.lifecycle_agent.as_ref();
    agent.map(|agent| agent.durations.clone()).unwrap_or_default()
}

fn say(world: &World, message: &str) {
    write(world, |object| tell(object, ("UpgradeInProgress", "True", "InProgress"), message, world.now));
}

fn leave(world: &mut World, saved: Value) {
    event(world, EventType::Normal, "Reboot", "System will now reboot for upgrade");
    let away = durations(world).reboot.0;
    world.reboot = Some(Reboot { away, fallback: Some(saved.clone()), saved });
}

fn fail_before_pivot(world: &World, cause: &str) {
    write(world, |object| upgrade_failed(object, cause, world.now));
}

/// After the pivot the agent goes back by itself, unless that is switched off: this switch is looked at now.
fn fail_after_pivot(world: &mut World, upgrade: &Value, cause: &str) -> Turn {
    if annotation(upgrade, RollbackSwitch::UpgradeCompletion.annotation()) == "Disabled" {
        write(world, |object| upgrade_failed(object, cause, world.now));
        return Turn::Over;
    }
    write(world, |object| {
        remove(object, "/status", "rollbackAvailabilityExpiration");
        upgrade_failed(object, &format!("Rollback due to {cause}"), world.now);
    });
    let saved = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME).map(|it| (*it).clone()).unwrap_or_default();
    turn_back(world, saved);
    Turn::Over
}

/// Back into the old stateroot, where the agent will find `saved`.
fn turn_back(world: &mut World, saved: Value) {
    event(world, EventType::Warning, "Reboot", "System will now reboot for rollback");
    world.disk.fallback = None;
    world.reboot = Some(Reboot { away: durations(world).rollback.0, saved, fallback: None });
}

/// Whether the agent cannot even start, because the configuration of the first boot failed and nothing rolls that back.
pub fn is_held(world: &World) -> bool {
    let first = world.disk.fallback.is_some();
    first && !world.disk.settings.post_reboot_config && world.strikes(MishapKind::BootConfigFailed, "").is_some()
}

/// The init monitor: an upgrade that is not complete in time, counted from the boot, goes back. It does not need the
/// agent.
pub fn watch_dog(world: &mut World) {
    let pending = world.disk.fallback.is_some() && matches!(world.disk.other, Some(Stateroot::Left(_)));
    let settings = world.disk.settings;
    if !pending || !settings.init_monitor || world.elapsed < world.disk.booted_at + settings.timeout {
        return;
    }
    let upgrade = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME);
    if upgrade.is_some_and(|upgrade| condition_status(&upgrade, "RollbackInProgress") == "True") {
        return;
    }
    let Some(fallback) = world.disk.fallback.take() else { return };
    let cause = format!("Rollback due to LCA Init Monitor timeout, after {}", spelled(settings.timeout));
    let saved = failed(fallback, &cause, world.now);
    turn_back(world, saved);
}

/// A duration as Go spells it: `30m0s`.
fn spelled(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_as_go_does() {
        assert_eq!(spelled(Duration::from_secs(1_800)), "30m0s");
        assert_eq!(spelled(Duration::from_secs(3_661)), "1h1m1s");
        assert_eq!(spelled(Duration::from_secs(45)), "45s");
    }
}

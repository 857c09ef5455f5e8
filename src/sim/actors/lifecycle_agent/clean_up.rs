//! The way to Idle: an abort, or a finalize, and the same cleanup for both.
//!
//! Rules: lifecycle-agent, controllers/idle_handlers.go.

use std::time::Duration;

use super::health_wait::{Checks, locations_away, unhealthy};
use super::oadp_content::MADE;
use super::prep_jobs::{self, PRECACHE, STATEROOT};
use super::upgrade_status::{rest, tell, write};
use super::{CLEANED, Turn, WARNING};
use crate::sim::actors::disk::Carried;
use crate::sim::actors::world::World;
use crate::sim::cluster::image_based::{NAME, OADP};
use crate::sim::cluster::object::{items, name, remove};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;

/// How often the health of the cluster is looked at.
const HEALTH: Duration = Duration::from_secs(20);
/// How long a stateroot job that runs may hold an abort: its pod stops late.
const JOB_STOPS: Duration = Duration::from_secs(150);

/// A cleanup that is under way.
#[derive(Debug)]
pub struct CleanUp {
    finalizes: bool,
    /// The health of the cluster has been waited for, where that is needed.
    healthy: bool,
    due: Duration,
}

impl CleanUp {
    /// An abort begins. It stops the jobs first.
    pub fn abort(world: &World) -> Self {
        let held = if prep_jobs::is_running(world, STATEROOT) { JOB_STOPS } else { Duration::ZERO };
        write(world, |object| tell(object, ("Idle", "False", "Aborting"), "In progress", world.now));
        Self { finalizes: false, healthy: true, due: world.elapsed + held + length(world) }
    }

    /// A finalize begins: the cluster has to be at rest.
    pub fn finalize(world: &World) -> Self {
        write(world, |object| tell(object, ("Idle", "False", "Finalizing"), "In progress", world.now));
        Self { finalizes: true, healthy: false, due: world.elapsed + Duration::from_secs(2) }
    }

    /// Somebody has cleaned up by hand: everything is tried once more.
    pub fn again(world: &World, finalizes: bool) -> Self {
        let reason = if finalizes { "Finalizing" } else { "Aborting" };
        write(world, |object| tell(object, ("Idle", "False", reason), "In progress", world.now));
        Self { finalizes, healthy: true, due: world.elapsed + length(world) }
    }

    /// A step.
    pub fn step(&mut self, world: &mut World) -> Turn {
        if world.elapsed < self.due {
            return Turn::On;
        }
        if !self.healthy {
            if let Some(problems) = unhealthy(world, Checks::All) {
                let message =
                    format!("Waiting for system to stabilize before finalize (idle) stage can continue: {problems}");
                write(world, |object| tell(object, ("Idle", "False", "Finalizing"), &message, world.now));
                self.due = world.elapsed + HEALTH;
                return Turn::On;
            }
            self.healthy = true;
            self.due = world.elapsed + length(world);
            write(world, |object| tell(object, ("Idle", "False", "Finalizing"), "In progress", world.now));
            return Turn::On;
        }
        match sweep(world) {
            Ok(()) => write(world, |object| {
                remove(object, "/metadata/annotations", WARNING);
                rest(object, world.now);
            }),
            Err(errors) => {
                let reason = if self.finalizes { "FinalizeFailed" } else { "AbortFailed" };
                let message = format!(
                    "{errors}. Perform cleanup manually then add '{CLEANED}' annotation to ibu CR to transition back \
                     to Idle"
                );
                write(world, |object| tell(object, ("Idle", "False", reason), &message, world.now));
            }
        }
        Turn::Over
    }
}

fn length(world: &World) -> Duration {
    world.scenario.cluster.lifecycle_agent.as_ref().map_or(Duration::ZERO, |agent| agent.durations.cleanup.0)
}

/// Removes what an upgrade leaves behind; what does not succeed does not keep the rest from being tried.
///
/// # Errors
/// What did not succeed, in words.
fn sweep(world: &mut World) -> Result<(), String> {
    let mut errors = Vec::new();
    for job in [STATEROOT, PRECACHE] {
        prep_jobs::remove(world, job);
    }
    if let Some(mishap) = world.strikes(MishapKind::CleanupFailed, "") {
        errors.push(mishap.message.unwrap_or_else(|| {
            "failed to cleanup stateroots: failed to remove stateroot: umount: /sysroot: target is busy".to_owned()
        }));
    } else {
        world.disk.other = None;
        world.disk.fallback = None;
    }
    if let Err(why) = sweep_backups(world) {
        errors.push(why);
    }
    if errors.is_empty() {
        world.disk.carried = Carried::default();
        return Ok(());
    }
    Err(errors.join("; "))
}

/// The Backups are deleted in their storage too, which has to be there for that.
fn sweep_backups(world: &mut World) -> Result<(), String> {
    let backups = world.store.list(Res::BACKUPS);
    let made: Vec<String> = backups
        .iter()
        .filter(|backup| !backup["metadata"]["labels"][MADE].is_null())
        .map(|backup| name(backup).to_owned())
        .collect();
    let upgrade = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME);
    let has_content = upgrade.is_some_and(|upgrade| !items(&upgrade, "/spec/oadpContent").is_empty());
    if made.is_empty() && !has_content {
        return Ok(());
    }
    let away = locations_away(world);
    if !away.is_empty() {
        return Err(format!("failed to cleanup backups: {}", away.join(", ")));
    }
    world.disk.carried.backups.clear();
    for backup in made {
        world.store.delete(Res::BACKUPS, Some(OADP), &backup);
    }
    Ok(())
}

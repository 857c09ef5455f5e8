//! The Rollback stage: the old stateroot is booted again because somebody wants it.
//!
//! Rules: lifecycle-agent, controllers/rollback_handlers.go.

use std::time::Duration;

use super::upgrade_status::{begin_stage, end_stage, tell, write};
use super::{Turn, event};
use crate::sim::actors::reboot::Reboot;
use crate::sim::actors::world::{EventType, World};
use crate::sim::cluster::image_based::NAME;
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::scenario::from_image::Stage;

/// How often it is looked whether somebody has set the deployment for the next boot.
const LOOK: Duration = Duration::from_secs(30);
/// How long a step takes.
const SHORT: Duration = Duration::from_secs(5);

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Initiating,
    Completing,
}

/// A Rollback that is under way.
#[derive(Debug)]
pub struct Rollback {
    step: Step,
    due: Option<Duration>,
}

impl Rollback {
    /// It begins, in the new stateroot.
    pub fn begin(world: &mut World) -> Self {
        let now = world.now;
        // From here on nobody else turns the machine back.
        world.disk.fallback = None;
        write(world, |object| {
            if let Some(status) = object["status"].as_object_mut() {
                status.remove("rollbackAvailabilityExpiration");
            }
            tell(object, ("UpgradeCompleted", "False", "Failed"), "Rollback requested", now);
            tell(object, ("UpgradeInProgress", "False", "Failed"), "Rollback requested", now);
            tell(object, ("RollbackInProgress", "True", "InProgress"), "Initiating rollback", now);
            begin_stage(object, Stage::Rollback, now);
        });
        Self { step: Step::Initiating, due: Some(world.elapsed + SHORT) }
    }

    /// The agent was started anew: in the old stateroot there is little left to do.
    pub const fn again(pivoted: bool) -> Self {
        Self { step: if pivoted { Step::Initiating } else { Step::Completing }, due: None }
    }

    /// A step.
    pub fn step(&mut self, world: &mut World) -> Turn {
        let due = *self.due.get_or_insert(world.elapsed + SHORT);
        if world.elapsed < due {
            return Turn::On;
        }
        let now = world.now;
        match self.step {
            Step::Initiating if world.strikes(MishapKind::DefaultDeploymentManual, "").is_some() => {
                let message = "default deployment must be manually set for next boot";
                write(world, |object| tell(object, ("RollbackInProgress", "True", "InProgress"), message, now));
                self.due = Some(world.elapsed + LOOK);
                Turn::On
            }
            Step::Initiating => {
                reboot(world);
                Turn::Over
            }
            Step::Completing => {
                write(world, |object| {
                    end_stage(object, Stage::Rollback, now);
                    tell(object, ("RollbackInProgress", "False", "Completed"), "Rollback completed", now);
                    tell(object, ("RollbackCompleted", "True", "Completed"), "Rollback completed", now);
                });
                Turn::Over
            }
        }
    }
}

fn reboot(world: &mut World) {
    let now = world.now;
    if let Some(mishap) = world.strikes(MishapKind::RollbackFailed, "") {
        let cause = mishap.message.unwrap_or_else(|| {
            "failed to set the default deployment: rpm-ostree: error: Bootloader write config: No space left on device"
                .to_owned()
        });
        write(world, |object| {
            tell(object, ("RollbackCompleted", "False", "Failed"), "Rollback failed", now);
            tell(object, ("RollbackInProgress", "False", "Failed"), &cause, now);
        });
        return;
    }
    write(world, |object| {
        tell(object, ("RollbackInProgress", "True", "InProgress"), "Completing rollback", now);
    });
    event(world, EventType::Normal, "Reboot", "System will now reboot for rollback");
    let saved = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME).map(|it| (*it).clone()).unwrap_or_default();
    let away = world.scenario.cluster.lifecycle_agent.as_ref().map_or(Duration::ZERO, |it| it.durations.rollback.0);
    world.reboot = Some(Reboot { away, saved, fallback: None });
}

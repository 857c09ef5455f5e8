//! `ibu-failed`: Prep or Upgrade of an image-based upgrade failed.

use super::ibu::{LOOK, about, ask_for, seen};
use super::{Finding, Impact, Level, Look, Remedy};
use crate::upgrade::danger::Danger;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::stage_machine::{Move, State};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    let (what, next) = match (image.state, image.pivoted) {
        (State::PrepFailed, _) => (
            "Prep failed",
            "Nothing was interrupted: the running system is untouched. Prep can only be tried again after Idle.",
        ),
        (State::UpgradeFailed, Some(true)) => (
            "the upgrade failed after its reboot",
            "The new system runs. Unless that is switched off the node goes back to the former system by itself; Idle is refused \
             from here, Rollback is the way back.",
        ),
        (State::UpgradeFailed, _) => (
            "the upgrade failed before its reboot",
            "The former system still runs, and nothing rolls back: Idle gives it up and cleans up.",
        ),
        _ => return,
    };
    let cause = words::first_line(&image.message).trim_end_matches(':');
    let title = if cause.is_empty() { what.to_owned() } else { format!("{what}: {cause}") };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!("{}\n{next}", image.message.trim()),
        remedies: remedies(image),
        ..about(image, "ibu-failed", Level::Error, title)
    });
}

fn remedies(image: &ImageBased) -> Vec<Remedy> {
    let mut remedies = vec![Remedy::look("Read the cause; collect logs before anything is cleaned up.").oc(LOOK)];
    if image.may(Move::Rollback) {
        remedies.push(Remedy::change(Danger::H, "Go back to the former system.").oc(ask_for("Rollback")));
    }
    if image.may(Move::Abort) {
        remedies.push(Remedy::change(Danger::M, "Give it up and clean up (Idle).").oc(ask_for("Idle")));
    }
    remedies
}

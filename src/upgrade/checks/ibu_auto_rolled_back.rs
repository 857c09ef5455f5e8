//! `ibu-auto-rolled-back`: the node went back to the former system without being asked.

use super::ibu::{LOOK, about, ask_for, seen};
use super::{Finding, Impact, Level, Look, Remedy};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look).filter(|image| image.rolled_back_by_itself()) else { return };
    let cause = words::first_line(&image.message);
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "{}\nThe node booted into the new system, did not get it to work, and went back: the former system runs. No condition \
             of a rollback says so; it looks like a failed upgrade whose way is Idle. Idle cleans up, and takes what is needed to \
             find the cause with it.",
            image.message.trim()
        ),
        remedies: vec![
            Remedy::look("Collect logs of the agent and of the failed boot before Idle.").oc(LOOK),
            Remedy::change(Danger::H, "Clean up when the cause is known (Idle).").oc(ask_for("Idle")),
        ],
        ..about(image, "ibu-auto-rolled-back", Level::Error, format!("the node rolled back by itself: {cause}"))
    });
}

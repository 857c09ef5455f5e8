//! `ibu-rollback-waits`: a rollback waits for a person to choose the system of the next boot.

use super::ibu::{LOOK, about, seen};
use super::{Finding, Impact, Level, Look, Remedy};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look).filter(|image| image.waits_for_boot_choice()) else { return };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "{}\nThe node's ostree cannot change the default deployment by itself. The agent looks every 30 seconds and reboots \
             into the former system when somebody has chosen it; until then nothing happens, and the new system runs on.",
            image.message.trim()
        ),
        remedies: vec![
            Remedy::look("Look at what the agent says.").oc(LOOK),
            Remedy::look(
                "On the node, make the former system's deployment the default of the next boot (see ostree admin status).",
            ),
        ],
        ..about(
            image,
            "ibu-rollback-waits",
            Level::Error,
            "the rollback waits until somebody chooses the system of the next boot on the node".to_owned(),
        )
    });
}

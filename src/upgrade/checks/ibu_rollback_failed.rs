//! `ibu-rollback-failed`: a rollback failed, and no stage is allowed from there.

use super::ibu::{LOOK, about, seen};
use super::{Finding, Impact, Level, Look, Remedy};
use crate::upgrade::image_based::stage_machine::State;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look).filter(|image| image.state == State::RollbackFailed) else { return };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "{}\nThe agent offers no stage from here, and no annotation helps. Deleting the object makes it begin a new record at \
             Idle; that repairs nothing on the node.",
            image.message.trim()
        ),
        remedies: vec![
            Remedy::look("Find out which system the node booted, and why, on the node itself (rpm-ostree status).").oc(LOOK),
            Remedy::look("Ask the product's support before the record is deleted."),
        ],
        ..about(
            image,
            "ibu-rollback-failed",
            Level::Critical,
            format!("the rollback failed: {}", words::first_line(&image.message)),
        )
    });
}

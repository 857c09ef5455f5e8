//! `ibu-validation-warning`: the dry run of extra manifests warned of something that does not stop the upgrade.

use super::ibu::{LOOK, about, seen};
use super::{Finding, Impact, Level, Look, Remedy, evidence};
use crate::api::ibu_key;
use crate::upgrade::image_based::OBJECT;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    let Some(warning) = &image.warning else { return };
    found.push(Finding {
        impact: Impact::Unknown,
        meaning: format!(
            "{}\nIt does not block: the upgrade goes on, and what was warned of fails after the reboot, if it fails.",
            warning.trim()
        ),
        remedies: vec![Remedy::look("Read it before Upgrade; Idle and a new Prep take corrected manifests.").oc(LOOK)],
        evidence: vec![evidence(OBJECT.to_owned(), ibu_key::VALIDATION_WARNING, warning.clone(), None)],
        since: None,
        ..about(
            image,
            "ibu-validation-warning",
            Level::Warning,
            format!("the extra manifests were taken with a warning: {}", words::first_line(warning)),
        )
    });
}

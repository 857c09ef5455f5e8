//! `ibu-rollback-expiring`: the way back of an image-based upgrade closes soon, or has closed.

use chrono::TimeDelta;

use super::ibu::{about, ask_for, seen};
use super::{Finding, Impact, Level, Look, Remedy, evidence};
use crate::upgrade::danger::Danger;
use crate::upgrade::image_based::OBJECT;
use crate::upgrade::image_based::stage_machine::Move;
use crate::upgrade::words;

/// From then on it is told.
const SOON: TimeDelta = TimeDelta::hours(24);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look).filter(|image| image.may(Move::Rollback)) else { return };
    let Some(expires) = image.rollback_expires else { return };
    let left = expires - look.now.now;
    if left > SOON {
        return;
    }
    let (level, title) = if left <= TimeDelta::zero() {
        (Level::Error, format!("a rollback has been unsafe for {}", words::span(-left)))
    } else {
        (Level::Warning, format!("a rollback is safe for {} more", words::span(left)))
    };
    let mut remedies = vec![
        Remedy::change(Danger::H, "Go back to the former system while its certificates hold, if that is wanted.")
            .oc(ask_for("Rollback")),
    ];
    if image.may(Move::Finalize) {
        remedies.push(Remedy::change(Danger::H, "Or keep the new one for good (Idle).").oc(ask_for("Idle")));
    }
    found.push(Finding {
        impact: Impact::Unknown,
        meaning: "The certificates of the former system's kubelet run out half an hour after that. After it a rollback can still be \
                  asked for, but the node may need its certificates to be recovered by hand."
            .to_owned(),
        remedies,
        evidence: vec![evidence(
            OBJECT.to_owned(),
            "status.rollbackAvailabilityExpiration",
            words::stamp(expires),
            None,
        )],
        since: None,
        ..about(image, "ibu-rollback-expiring", level, title)
    });
}

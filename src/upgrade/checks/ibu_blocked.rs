//! `ibu-blocked`: the agent does not follow what was asked for.

use super::ibu::{LOOK, about, ask_for, seen};
use super::{Finding, Impact, Level, Look, Remedy, evidence};
use crate::api::ibu_key;
use crate::upgrade::danger::Danger;
use crate::upgrade::image_based::OBJECT;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    let Some(banner) = &image.banner else { return };
    let key = ibu_key::TRIGGER;
    let (meaning, remedies) = if banner.reason == "Blocked" {
        (
            "Another change of the same agent keeps it from starting; it goes on when that is over.",
            vec![
                Remedy::look("Look at the other change.").oc("oc get ipconfig,imagebasedupgrade"),
                Remedy::change(Danger::L, "Let the agent look again.")
                    .oc(format!("oc annotate imagebasedupgrade upgrade --overwrite {key}=again")),
            ],
        )
    } else {
        let present = image.moves.first().map_or("Idle", |step| step.stage().word());
        (
            "The stage that was asked for is not allowed from where it stands; nothing happens until an allowed one is asked for.",
            vec![
                Remedy::look("See which stages are allowed (status.validNextStages).").oc(LOOK),
                Remedy::change(Danger::M, "Ask for a stage that is allowed.").oc(ask_for(present)),
            ],
        )
    };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!("{}\n{meaning}", banner.message.trim()),
        remedies,
        evidence: vec![evidence(OBJECT.to_owned(), &banner.condition, banner.reason.clone(), banner.since)],
        since: banner.since,
        ..about(
            image,
            "ibu-blocked",
            Level::Warning,
            format!("{}: {}", banner.reason, words::first_line(&banner.message)),
        )
    });
}

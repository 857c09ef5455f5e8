//! `ibu-abort-failed` and `ibu-finalize-failed`: the cleanup of an image-based upgrade failed.

use super::ibu::{LOOK, about, seen};
use super::{Finding, Impact, Level, Look, Remedy};
use crate::api::ibu_key;
use crate::upgrade::danger::Danger;
use crate::upgrade::image_based::stage_machine::State;
use crate::upgrade::words;

/// The cause without what the agent tells to do about it, which the remedies say.
fn cause(message: &str) -> &str {
    let line = words::first_line(message);
    line.split_once(". Perform cleanup manually").map_or(line, |(cause, _)| cause)
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    let (id, what) = match image.state {
        State::AbortFailed => ("ibu-abort-failed", "giving up the image-based upgrade"),
        State::FinalizeFailed => ("ibu-finalize-failed", "finalizing the image-based upgrade"),
        _ => return,
    };
    let key = ibu_key::MANUAL_CLEANUP;
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning: format!(
            "{}\nNo stage is allowed until the cleanup is through. The agent looks again every 5 minutes, and at once when it is told \
             by the annotation {key}: then it repeats the whole cleanup, which may fail again.",
            image.message.trim()
        ),
        remedies: vec![
            Remedy::look("Read the message and fix its cause, for example a backup location that is not Available.").oc(LOOK),
            Remedy::change(Danger::M, "Let the agent repeat the cleanup.")
                .oc(format!("oc annotate imagebasedupgrade upgrade {key}=")),
            Remedy::look("Only if that fails again: clean up by hand (never the booted stateroot), and annotate once more."),
        ],
        ..about(image, id, Level::Error, format!("{what} failed: {}", cause(&image.message)))
    });
}

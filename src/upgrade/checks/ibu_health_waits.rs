//! `ibu-health-waits`: the agent waits for the cluster to settle, or would when it is asked to reboot, by the same checks
//! made here.

use super::ibu::{about, seen, starts};
use super::{Finding, Impact, Level, Look, Remedy, evidence};
use crate::upgrade::image_based::health_checks::Health;
use crate::upgrade::image_based::stage_machine::State;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = seen(look) else { return };
    let verb = match image.state {
        State::Preparing | State::BeforePivot | State::AfterPivot | State::Finalizing => "waits",
        // Better known before the reboot is asked for than after.
        State::Prepared => "would wait",
        _ => return,
    };
    let waits: Vec<_> = image.health.iter().filter(|row| row.health == Health::Waits).collect();
    let Some(first) = waits.first() else { return };
    let more = if waits.len() > 1 { format!(", and {} more", waits.len() - 1) } else { String::new() };
    let lines: Vec<String> = waits.iter().map(|row| format!("{}: {}", row.name, row.words)).collect();
    found.push(Finding {
        impact: Impact::UpdateSpeed,
        // After a reboot everything starts: it would be odd if nothing did.
        expected: image.state == State::AfterPivot || starts(look),
        meaning: format!(
            "{}\nThe agent goes on when all of it is well, and looks every 20 seconds. After the reboot the watchdog counts meanwhile.",
            lines.join("\n")
        ),
        remedies: vec![Remedy::look("See the findings of what is not well; a denied certificate request has to be deleted.")],
        evidence: lines.iter().map(|line| evidence("checked here".to_owned(), "health", line.clone(), None)).collect(),
        ..about(image, "ibu-health-waits", Level::Warning, format!("the agent {verb} for {}: {}{more}", first.name, first.words))
    });
}

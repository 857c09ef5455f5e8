//! The image-based upgrade on the page.

use super::overview::Page;
use crate::report::parts::Moment;
use crate::report::text::Ink;

/// The section; empty where the cluster has no image-based upgrade, or it is at rest.
pub(super) fn section(page: &Page) -> String {
    let Some(image) = page.status.image_based.as_ref().filter(|image| image.under_way) else { return String::new() };
    let mut out = format!("{}\n", page.look.ink(Ink::Strong, "Image-based upgrade"));
    out += &page.line("Stage", &format!("{} ({})", image.stage.unwrap_or("none"), image.state));
    if let Some(message) = &image.message {
        out += &page.line("Agent says", message);
    }
    if let Some(blocked) = &image.blocked {
        out += &page.line("Blocked", blocked);
    }
    let moves = if image.moves.is_empty() { "nothing".to_owned() } else { image.moves.join(", ") };
    out += &page.line("May follow", &moves);
    for stage in &image.history {
        let phases = stage.phases.iter().map(|phase| match phase.seconds {
            Some(seconds) => format!("{} {seconds}s", phase.phase),
            None => format!("{} since {}", phase.phase, page.ago(phase.started_at)),
        });
        let told = phases.collect::<Vec<_>>().join(", ");
        let ended = if stage.completed_at.is_some() { "completed" } else { "not completed" };
        let told = if told.is_empty() { ended.to_owned() } else { format!("{ended}: {told}") };
        out += &page.line(stage.stage, &told);
    }
    let waits: Vec<String> = image
        .health
        .iter()
        .filter(|row| row.health == "Waits")
        .map(|row| format!("{}: {}", row.name, row.words))
        .collect();
    if !waits.is_empty() {
        out += &page.line("Waits for", &waits.join("; "));
    }
    if let Some(Moment(at)) = image.rollback_expires_at {
        out += &page.line("Way back", &format!("until {}", at.format("%Y-%m-%dT%H:%M:%SZ")));
    }
    let expected = image.reboot.as_ref().filter(|reboot| reboot.sureness != "Possible" || reboot.began_at.is_some());
    if let Some(reboot) = expected {
        out += &page.line("Reboot", &format!("{} ({}: {})", reboot.what, reboot.sureness.to_lowercase(), reboot.why));
    }
    out
}

//! The image-based upgrade on the page.

use chrono::{DateTime, Utc};

use super::image::{Backup, Health, ImageBased, Volumes};
use super::overview::Page;
use crate::report::parts::Moment;
use crate::report::text::{Cell, Ink, table};
use crate::upgrade::assessment::age;
use crate::upgrade::words::{count, span};

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

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
        let took = stage.started_at.zip(stage.completed_at).map(|(Moment(from), Moment(to))| span(age(from, to)));
        let phases = stage.phases.iter().map(|phase| match phase.seconds {
            Some(seconds) => format!("{} {seconds}s", phase.phase),
            None => format!("{} since {}", phase.phase, page.ago(phase.started_at)),
        });
        let told = phases.collect::<Vec<_>>().join(", ");
        let ended = took.map_or_else(|| "not completed".to_owned(), |took| format!("completed after {took}"));
        let told = if told.is_empty() { ended } else { format!("{ended}: {told}") };
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
    // With the details they are a table.
    for row in image.backups.iter().filter(|_| !page.details.image) {
        let items =
            row.done.zip(row.total).map(|(done, total)| format!(", {done} of {total} items")).unwrap_or_default();
        let trouble = row.trouble.as_ref().map(|trouble| format!(": {trouble}")).unwrap_or_default();
        let phase = row.phase.as_deref().unwrap_or("pending");
        out += &page.line(row.kind, &format!("{}/{} {phase}{items}{trouble}", row.namespace, row.name));
    }
    if !page.details.image && !image.backups_unread.is_empty() {
        out += &page.line("Backups", &image.backups_unread.join("; "));
    }
    if let Some(warning) = &image.validation_warning {
        out += &page.line("Warning", &format!("extra manifests: {warning}"));
    }
    for switch in image.auto_rollback.iter().filter(|switch| switch.off && switch.effect != "Over") {
        out += &page.line("No rollback", &format!("by itself when {}: switched off", switch.trigger));
    }
    let watchdog = image.watchdog.as_ref().filter(|watchdog| !watchdog.off);
    if let Some((Moment(from), to)) = watchdog.and_then(|watchdog| Some((watchdog.from?, watchdog.to))) {
        let to = to.map(|Moment(to)| format!(" and {}", time(to)));
        let told = to.map_or_else(|| format!("not before {}", time(from)), |to| format!("between {}{to}", time(from)));
        out += &page.line("Watchdog", &format!("if it is not completed it rolls back by itself, {told}"));
    }
    if let Some(Moment(at)) = image.rollback_expires_at {
        out += &page.line("Way back", &format!("until {}", time(at)));
    }
    let expected = image.reboot.as_ref().filter(|reboot| reboot.sureness != "Possible" || reboot.began_at.is_some());
    if let Some(reboot) = expected {
        out += &page.line("Reboot", &format!("{} ({}: {})", reboot.what, reboot.sureness.to_lowercase(), reboot.why));
    }
    out
}

/// What it waits for and moves, at rest too: so that before and after can be compared. Empty where it was not asked for.
pub(super) fn details(page: &Page) -> String {
    let Some(image) = page.status.image_based.as_ref().filter(|_| page.details.image) else { return String::new() };
    let parts = [checks(page, image), backups(page, image), volumes(page, &image.volumes)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn checks(page: &Page, image: &ImageBased) -> String {
    let row = |row: &Health| vec![Cell::from(row.name), Cell::from(row.health), Cell::from(row.words.as_str())];
    let rows: Vec<Vec<Cell>> = image.health.iter().map(row).collect();
    if rows.is_empty() { String::new() } else { table(page.look, &["CHECK", "HEALTH", "MESSAGE"], &rows) }
}

fn backups(page: &Page, image: &ImageBased) -> String {
    let row = |row: &Backup| {
        let items = match (row.done, row.total) {
            (Some(done), Some(total)) => format!("{done}/{total}"),
            _ => "-".to_owned(),
        };
        let trouble = row.trouble.as_deref().unwrap_or("-");
        vec![
            Cell::from(format!("{}/{}", row.namespace, row.name)),
            Cell::from(row.kind),
            Cell::from(row.phase.as_deref().unwrap_or("-")),
            Cell::from(items),
            Cell::from(trouble),
        ]
    };
    let rows: Vec<Vec<Cell>> = image.backups.iter().map(row).collect();
    let unread = image.backups_unread.join("; ");
    let told = if unread.is_empty() { String::new() } else { page.line("Backups", &unread) };
    if rows.is_empty() {
        told
    } else {
        table(page.look, &["BACKUP", "KIND", "PHASE", "ITEMS", "TROUBLE"], &rows) + &told
    }
}

fn volumes(page: &Page, volumes: &Volumes) -> String {
    let rows: Vec<Vec<Cell>> = volumes
        .on_node
        .iter()
        .map(|row| {
            let policy = match row.reclaim_policy.as_deref() {
                // It goes together with its claim.
                Some("Delete") => Cell::ink(Ink::Warn, "Delete"),
                other => Cell::from(other.unwrap_or("not known")),
            };
            let claim = row.claim.as_deref().unwrap_or("no claim");
            vec![
                Cell::from(row.name.as_str()),
                Cell::from(claim),
                policy,
                Cell::from(row.size.as_deref().unwrap_or("-")),
            ]
        })
        .collect();
    let mut out = String::new();
    if !rows.is_empty() {
        out += &table(page.look, &["VOLUME ON THE NODE", "CLAIM", "RECLAIM POLICY", "SIZE"], &rows);
    }
    let mut told = Vec::new();
    if volumes.on_node.is_empty() && volumes.unread.is_empty() {
        told.push("none on the node's own disks".to_owned());
    }
    if volumes.elsewhere > 0 {
        told.push(format!("{} on storage elsewhere", count(volumes.elsewhere, "volume")));
    }
    told.extend(volumes.unread.iter().cloned());
    if !told.is_empty() {
        out += &page.line("Volumes", &told.join("; "));
    }
    out
}

//! The right half: what the agent waits for, and how far backups and restores are.

use super::{heading, labelled};
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::ui::words;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::health_checks::{Health, HealthRow};
use crate::upgrade::image_based::node_volumes::{Backing, NodeVolumes};
use crate::upgrade::image_based::oadp::{OadpRow, OadpState};

/// All lines.
pub fn lines(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let mut lines = vec![heading("The agent waits for (checked here)")];
    if image.health.is_empty() {
        lines.push(TextLine::new(Tone::Dim, "  not known until the picture is live again"));
    }
    lines.extend(image.health.iter().map(|row| health(row, ctx)));
    lines.push(TextLine::default());
    lines.push(heading("Backups and restores"));
    if image.oadp.is_empty() && image.oadp_unread.is_empty() {
        lines.push(TextLine::new(Tone::Dim, "  none now"));
    }
    lines.extend(image.oadp.iter().map(|row| oadp(row, ctx)));
    lines.extend(image.oadp_unread.iter().map(|why| TextLine::new(Tone::Warning, format!("  ? {why}")).hanging(4)));
    lines.extend(volumes(&image.volumes, ctx));
    if let Some(busy) = &image.ip_config_busy {
        lines.push(labelled("IPConfig", Tone::Warning, format!("not idle, which blocks this: {busy}")));
    }
    lines
}

/// The volumes on the node's own disks, each with its reclaim policy and what that is known by.
fn volumes(volumes: &NodeVolumes, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let mut lines = vec![TextLine::default(), heading("Volumes on the node's own disks")];
    for row in &volumes.rows {
        let (tone, sign) = if row.goes_with_claim() { (Tone::Warning, signs.warn) } else { (Tone::Text, signs.dot) };
        let policy = if row.policy.is_empty() { "policy?" } else { &row.policy };
        let claim = row.claim.as_deref().unwrap_or("no claim");
        let line =
            TextLine::new(tone, format!("  {sign} {policy:<8}")).and(Tone::Text, format!("{claim}  {}", row.size));
        lines.push(line.hanging(4));
        lines.push(TextLine::new(Tone::Dim, format!("      {}", row.evidence)).hanging(8));
    }
    match volumes.elsewhere {
        _ if volumes.rows.is_empty() && !volumes.unread.is_empty() => {}
        0 if volumes.rows.is_empty() => lines.push(TextLine::new(Tone::Dim, "  none")),
        0 => {}
        n => {
            let text = format!("  {} on storage elsewhere", words::count(n, "volume", "volumes"));
            lines.push(TextLine::new(Tone::Dim, text));
        }
    }
    lines.extend(volumes.unread.iter().map(|why| TextLine::new(Tone::Warning, format!("  ? {why}")).hanging(4)));
    if volumes.rows.iter().any(|row| row.backing == Backing::Logical) {
        let text = "  With the old etcd their records go. They come back, with their contents, only if a Backup includes \
                    logicalvolumes.topolvm.io and a Restore has restorePVs: true and their status among restoreStatus: the \
                    plan of Prep checks it, volume by volume. Delete: a volume goes together with its claim.";
        lines.push(TextLine::new(Tone::Dim, text).hanging(2));
    }
    lines
}

fn health(row: &HealthRow, ctx: &Ctx<'_>) -> TextLine {
    let signs = ctx.theme.symbols();
    let (tone, sign) = match row.health {
        Health::Well => (Tone::Ok, signs.ok),
        Health::NotThere => (Tone::Dim, signs.todo),
        Health::Unknown => (Tone::Warning, "?"),
        Health::Waits => (Tone::Danger, signs.fail),
    };
    TextLine::new(tone, format!("  {sign} {:<26}", row.name))
        .and(if row.health == Health::Waits { Tone::Text } else { Tone::Dim }, &row.words)
        .hanging(4)
}

fn oadp(row: &OadpRow, ctx: &Ctx<'_>) -> TextLine {
    let signs = ctx.theme.symbols();
    let (tone, sign) = match row.state {
        OadpState::Pending => (Tone::Dim, signs.todo),
        OadpState::Running => (Tone::Active, signs.active),
        OadpState::Completed => (Tone::Ok, signs.ok),
        OadpState::Failed => (Tone::Danger, signs.fail),
    };
    let what = if row.restore { "restore" } else { "backup" };
    let phase = if row.phase.is_empty() { "pending" } else { &row.phase };
    let items = row.items.map(|(done, total)| format!(" {done}/{total} items")).unwrap_or_default();
    let wave = row.wave.as_ref().map(|wave| format!(" (wave {wave})")).unwrap_or_default();
    let trouble = if row.trouble.is_empty() { String::new() } else { format!("  {}", row.trouble) };
    TextLine::new(tone, format!("  {sign} {what:<8}"))
        .and(Tone::Text, format!("{}/{}{wave}  {phase}{items}", row.namespace, row.name))
        .and(Tone::Warning, trouble)
        .hanging(4)
}

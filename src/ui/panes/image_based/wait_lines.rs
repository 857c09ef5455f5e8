//! The right half: what the agent waits for, and how far backups and restores are.

use super::{heading, labelled};
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::ui::words;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::health_checks::{Health, HealthRow};
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
    if image.oadp.is_empty() {
        lines.push(TextLine::new(Tone::Dim, "  none"));
    }
    lines.extend(image.oadp.iter().map(|row| oadp(row, ctx)));
    let volumes = match image.logical_volumes {
        None => (Tone::Dim, "not read".to_owned()),
        Some(0) => (Tone::Dim, "none".to_owned()),
        Some(n) => {
            let text = format!(
                "{}: their contents come back only if a Backup includes logicalvolumes.topolvm.io and a Restore has \
                 restorePVs and their status",
                words::count(n, "logical volume", "logical volumes")
            );
            (Tone::Warning, text)
        }
    };
    lines.push(labelled("local volumes", volumes.0, volumes.1));
    if let Some(busy) = &image.ip_config_busy {
        lines.push(labelled("IPConfig", Tone::Warning, format!("not idle, which blocks this: {busy}")));
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

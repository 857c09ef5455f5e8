//! What a pane's frame says about the age of what it shows, and what it says when there is nothing to show.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::words;
use crate::upgrade::facts::{Kind, KindStatus};

/// Is what is shown older than the cluster, for the link or for one of these kinds?
pub fn stale(ctx: &Ctx<'_>, kinds: &[Kind]) -> bool {
    let facts = &ctx.assessment.facts;
    facts.link.state.stale() || kinds.iter().any(|kind| matches!(facts.status(*kind), KindStatus::Failing(_)))
}

/// The mark on the frame: empty while everything is live.
pub fn mark<'t>(ctx: &Ctx<'t>, kinds: &[Kind]) -> Pen<'t> {
    let mut pen = Pen::new(ctx.theme);
    let facts = &ctx.assessment.facts;
    if facts.link.state.stale() {
        if let Some(since) = facts.link.state.since() {
            pen.put(Tone::Warning, format!(" stale since {} ", words::clock(since, ctx.now)));
        }
        return pen;
    }
    for kind in kinds {
        match facts.status(*kind) {
            KindStatus::Failing(trouble) => {
                let heard = facts.kinds.get(kind).and_then(|state| state.heard).unwrap_or(trouble.since);
                let clock = words::clock(heard, ctx.now);
                // A pane of one kind needs not name it.
                let name = if kinds.len() > 1 { format!("{} ", kind.plural()) } else { String::new() };
                pen.put(Tone::Warning, format!(" {name}stale since {clock} "));
            }
            KindStatus::Forbidden(_) => {
                pen.put(Tone::Warning, format!(" no permission: {} ", kind.plural()));
            }
            KindStatus::Waiting if facts.link.state.writable() => {
                pen.put(Tone::Dim, format!(" reading {} ", kind.plural()));
            }
            _ => {}
        }
    }
    pen
}

/// The cause and the next thing to try, for the kinds of a pane that fail or may not be read: lines at its bottom.
pub fn troubles(ctx: &Ctx<'_>, kinds: &[Kind]) -> Vec<(Tone, String)> {
    let facts = &ctx.assessment.facts;
    let mut lines = Vec::new();
    for kind in kinds {
        let state = facts.kinds.get(kind);
        if let KindStatus::Failing(trouble) | KindStatus::Forbidden(trouble) = facts.status(*kind) {
            let hint = if trouble.hint.is_empty() { String::new() } else { format!("; {}", trouble.hint) };
            lines.push((Tone::Warning, format!("! {}: {}{hint}", kind.plural(), trouble.words)));
        }
        let unreadable = state.map(|state| state.unreadable.as_slice()).unwrap_or_default();
        if let Some((name, why)) = unreadable.first() {
            let more =
                if unreadable.len() > 1 { format!(" (and {} more)", unreadable.len() - 1) } else { String::new() };
            lines.push((Tone::Warning, format!("! {}: {name} could not be read: {why}{more}", kind.plural())));
        }
    }
    lines
}

/// Draws the troubles at the bottom of `area` and gives back what is left above them.
pub fn footnotes(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, kinds: &[Kind]) -> Rect {
    let mut left = area;
    for (tone, text) in troubles(ctx, kinds) {
        if left.height <= 2 {
            break;
        }
        left.height -= 1;
        write(buffer, (left.x, left.bottom()), left.width, ctx.theme, tone, &text);
    }
    left
}

/// What to say where there are no rows: still reading, absent, forbidden, filtered, or truly none.
pub fn nothing(ctx: &Ctx<'_>, kind: Kind, filtered: bool) -> String {
    let facts = &ctx.assessment.facts;
    if filtered {
        return "nothing passes the filter (esc clears it)".into();
    }
    match facts.status(kind) {
        KindStatus::Waiting | KindStatus::NotAsked => format!("reading {} ...", kind.plural()),
        KindStatus::Absent => format!("this server does not serve {}", kind.plural()),
        KindStatus::Forbidden(trouble) => format!("{}: {}", kind.plural(), trouble.words),
        KindStatus::Failing(_) | KindStatus::Live => format!("no {}", kind.plural()),
    }
}

/// Gives a stale pane its look: what is in it can be read and cannot be taken for live.
pub fn shade(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, kinds: &[Kind]) {
    if stale(ctx, kinds) {
        buffer.set_style(area.intersection(*buffer.area()), ctx.theme.style(Tone::Stale));
    }
}

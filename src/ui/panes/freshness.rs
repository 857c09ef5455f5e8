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
    // What is wrong with several kinds is told once.
    let mut causes: Vec<(Vec<&str>, String)> = Vec::new();
    for kind in kinds {
        if let KindStatus::Failing(trouble) | KindStatus::Forbidden(trouble) = facts.status(*kind) {
            let hint = if trouble.hint.is_empty() { String::new() } else { format!("; {}", trouble.hint) };
            let words = format!("{}{hint}", trouble.words);
            match causes.iter_mut().find(|(_, known)| *known == words) {
                Some((names, _)) => names.push(kind.plural()),
                None => causes.push((vec![kind.plural()], words)),
            }
        }
    }
    let mut lines: Vec<(Tone, String)> =
        causes.into_iter().map(|(names, words)| (Tone::Warning, format!("! {}: {words}", names.join(", ")))).collect();
    for kind in kinds {
        let unreadable = facts.kinds.get(kind).map(|state| state.unreadable.as_slice()).unwrap_or_default();
        if let Some((name, why)) = unreadable.first() {
            let more =
                if unreadable.len() > 1 { format!(" (and {} more)", unreadable.len() - 1) } else { String::new() };
            lines.push((Tone::Warning, format!("! {}: {name} could not be read: {why}{more}", kind.plural())));
        }
    }
    lines
}

/// Lines that a trouble takes, at most: what matters most is above it.
const LINES: usize = 3;

/// Lines that the troubles take at a width.
pub fn height(ctx: &Ctx<'_>, kinds: &[Kind], width: u16) -> u16 {
    let lines = |(_, text): (Tone, String)| words::wrap(&text, width.into(), 2).len().min(LINES);
    troubles(ctx, kinds).into_iter().map(lines).sum::<usize>() as u16
}

/// Draws the troubles at the bottom of `area` and gives back what is left above them.
pub fn footnotes(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, kinds: &[Kind]) -> Rect {
    let mut left = area;
    for (tone, text) in troubles(ctx, kinds) {
        let lines = words::wrap(&text, area.width.into(), 2);
        let room = usize::from(left.height.saturating_sub(2)).min(LINES);
        let shown = lines.len().min(room) as u16;
        left.height -= shown;
        for (line, y) in lines.iter().zip(left.bottom()..left.bottom() + shown) {
            write(buffer, (left.x, y), left.width, ctx.theme, tone, line);
        }
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

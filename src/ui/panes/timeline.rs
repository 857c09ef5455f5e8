//! The timeline: what happened, newest first; a short form for the overview.

use std::borrow::Cow;
use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::findings::subject_words;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::table::{Cell, Column, Sheet, Table, Width};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Level, Subject};
use crate::upgrade::timeline::{Entry, Origin};

/// The table of the timeline.
#[derive(Debug)]
pub struct TimelineSheet;

/// How an entry is known, in one sign: `~` rebuilt, `*` ours.
fn origin(entry: &Entry) -> &'static str {
    match entry.origin {
        Origin::Seen => " ",
        Origin::Rebuilt => "~",
        Origin::Action => ">",
    }
}

fn tone(entry: &Entry) -> Tone {
    match (entry.level, entry.origin) {
        (Level::Info, Origin::Action) => Tone::Strong,
        (Level::Info, _) => Tone::Text,
        (level, _) => level.into(),
    }
}

impl Sheet for TimelineSheet {
    type Row = Entry;
    const NAME: &'static str = "timeline";
    const STATE: usize = 3;
    const AGE: usize = 0;
    const COLUMNS: &'static [Column] = &[
        Column { title: "TIME", width: Width::Fixed(12), extra: 0 },
        Column { title: "AGE", width: Width::Fixed(6), extra: 1 },
        Column { title: "ABOUT", width: Width::Fixed(20), extra: 0 },
        Column { title: "WHAT", width: Width::Rest(20), extra: 0 },
    ];

    fn rows(assessment: &Assessment) -> &[Entry] {
        &assessment.timeline.entries
    }

    fn id(row: &Entry) -> Cow<'_, str> {
        Cow::Owned(format!("{} {}", row.at.timestamp_millis(), row.text))
    }

    fn cell<'a>(row: &'a Entry, column: usize, ctx: &Ctx<'_>) -> Cell<'a> {
        match column {
            0 => Cell::new(Tone::Dim, format!("{}{}", origin(row), words::clock(row.at, ctx.now))),
            1 => Cell::new(Tone::Dim, words::since(Some(row.at), ctx.now, row.origin == Origin::Rebuilt)),
            2 => Cell::new(Tone::Dim, subject_words(&row.subject)),
            _ if row.level == Level::Info => Cell::new(tone(row), row.text.as_str()),
            _ => Cell::new(tone(row), format!("{} {}", ctx.theme.symbols().level(row.level), row.text)),
        }
    }

    fn by_column(a: &Entry, b: &Entry, column: usize) -> Ordering {
        match column {
            0 | 1 => a.at.cmp(&b.at),
            2 => subject_words(&a.subject).cmp(&subject_words(&b.subject)),
            _ => (b.level, &a.text).cmp(&(a.level, &b.text)),
        }
    }

    fn natural(a: &Entry, b: &Entry) -> Ordering {
        b.at.cmp(&a.at)
    }

    fn field(row: &Entry, key: &str) -> Option<String> {
        match key {
            "level" => Some(super::findings::level_word(row.level).into()),
            "origin" => Some(
                match row.origin {
                    Origin::Seen => "seen",
                    Origin::Rebuilt => "rebuilt",
                    Origin::Action => "action",
                }
                .into(),
            ),
            _ => None,
        }
    }
}

/// Title with what was dropped.
pub fn title(assessment: &Assessment) -> String {
    match assessment.timeline.dropped {
        0 => "Timeline".into(),
        n => format!("Timeline (the oldest {n} were dropped)"),
    }
}

/// The table.
pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, table: &mut Table<TimelineSheet>, focused: bool) {
    let notes = u16::from(area.height > 6);
    let body = Rect { height: area.height.saturating_sub(notes), ..area };
    table.draw(buffer, body, ctx, focused, true);
    if notes > 0 {
        let text = " ~ rebuilt at start from what the API remembers   > an action of this program";
        write(buffer, (area.x, body.bottom()), area.width, ctx.theme, Tone::Dim, text);
    }
}

/// The newest entries, newest last so that it reads on from line to line.
pub fn draw_short(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, table: &mut Table<TimelineSheet>, focused: bool) {
    if focused {
        table.draw(buffer, area, ctx, focused, false);
        return;
    }
    let entries = &ctx.assessment.timeline.entries;
    let first = entries.len().saturating_sub(usize::from(area.height));
    for (entry, y) in entries[first..].iter().rev().zip(area.y..area.bottom()) {
        let mut pen = Pen::new(ctx.theme);
        pen.put(Tone::Dim, format!("{}{} ", origin(entry), words::clock(entry.at, ctx.now)));
        // Most entries name what they are about; the others are told what.
        let subject = subject_words(&entry.subject);
        let name = subject.rsplit('/').next().unwrap_or_default();
        if !entry.text.contains(name) && entry.subject != Subject::Version {
            pen.put(Tone::Dim, format!("{subject} "));
        }
        let sign = if entry.level == Level::Info { "" } else { ctx.theme.symbols().level(entry.level) };
        let space = if sign.is_empty() { "" } else { " " };
        pen.put(tone(entry), format!("{sign}{space}{}", entry.text));
        pen.draw(buffer, Rect { y, height: 1, ..area });
    }
}

//! Operators: lanes by run level, and a table.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::freshness;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::bar::bar;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::share::Need;
use crate::ui::widgets::table::{Cell, Column, Sheet, Table, Width};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Limit, OperatorRow, OperatorState};
use crate::upgrade::facts::Kind;

/// The kind that the pane shows.
pub const KINDS: &[Kind] = &[Kind::ClusterOperators];

/// The table of operators.
#[derive(Debug)]
pub struct OperatorSheet;

/// The column of the sign alone, for the overview.
const SIGN: usize = 9;

/// The column of the limit, or of version and age where no limit applies, for the overview.
const CLOCK: usize = 10;

/// The word of a state.
pub fn word(state: OperatorState) -> &'static str {
    match state {
        OperatorState::Unavailable => "unavailable",
        OperatorState::Degraded => "degraded",
        OperatorState::Updating => "updating",
        OperatorState::Waiting => "waiting",
        OperatorState::Updated => "updated",
    }
}

/// Run levels as people write them: two digits.
fn level(row: &OperatorRow) -> String {
    row.level.map_or_else(|| "?".into(), |level| format!("{level:02}"))
}

/// `slow in 12m`, `Failing in 8m`, `slow for 3m`: the limit that an operator runs into next, or has passed.
pub fn countdown(row: &OperatorRow, ctx: &Ctx<'_>) -> Option<(Tone, String)> {
    let deadline = row.deadline.as_ref()?;
    let word = match deadline.limit {
        Limit::Contract => "late",
        Limit::Slow | Limit::MachineConfig => "slow",
        Limit::Degraded => "Failing",
    };
    let left = deadline.at - ctx.now;
    Some(if left > TimeDelta::zero() {
        let tone = if left < TimeDelta::minutes(5) { Tone::Warning } else { Tone::Dim };
        (tone, format!("{word} in {}", words::duration(left)))
    } else {
        (Tone::Danger, format!("{word} for {}", words::duration(-left)))
    })
}

/// What a row says: reason and message when something is to be said.
fn says(row: &OperatorRow) -> String {
    let mut text = match (row.reason.as_str(), row.message.as_str()) {
        ("" | "AsExpected", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    if row.expected && !text.is_empty() {
        text.insert_str(0, "(expected while nodes reboot) ");
    }
    if let Some(error) = &row.sync_error {
        let gap = if text.is_empty() { "" } else { "; " };
        text = format!("sync error: {error}{gap}{text}");
    }
    if let (Some(why), true) = (&row.not_upgradeable, text.is_empty()) {
        text = format!("not upgradeable: {why}");
    }
    text
}

impl Sheet for OperatorSheet {
    type Row = OperatorRow;
    const NAME: &'static str = "operators";
    const STATE: usize = 1;
    const AGE: usize = 3;
    const COLUMNS: &'static [Column] = &[
        Column { title: "OPERATOR", width: Width::Name(12, 38), extra: 0 },
        Column { title: "STATE", width: Width::Fixed(13), extra: 0 },
        Column { title: "VERSION", width: Width::Fixed(9), extra: 2 },
        Column { title: "AGE", width: Width::Fixed(6), extra: 0 },
        Column { title: "LIMIT", width: Width::Fixed(16), extra: 1 },
        Column { title: "LEVEL", width: Width::Fixed(5), extra: 4 },
        Column { title: "A P D U", width: Width::Fixed(7), extra: 5 },
        Column { title: "WORKING", width: Width::Fixed(8), extra: 6 },
        Column { title: "MESSAGE", width: Width::Rest(30), extra: 3 },
    ];

    const BRIEF: &'static [(usize, Width)] =
        &[(SIGN, Width::Fixed(1)), (0, Width::Rest(12)), (CLOCK, Width::Fixed(16))];

    fn rows(assessment: &Assessment) -> &[OperatorRow] {
        &assessment.operators.rows
    }

    fn id(row: &OperatorRow) -> Cow<'_, str> {
        Cow::Borrowed(&row.name)
    }

    fn cell<'a>(row: &'a OperatorRow, column: usize, ctx: &Ctx<'_>) -> Cell<'a> {
        let signs = ctx.theme.symbols();
        match column {
            0 => Cell::new(if row.state <= OperatorState::Degraded { row.state.into() } else { Tone::Text }, &row.name),
            1 => Cell::new(row.state.into(), format!("{} {}", signs.operator(row.state), word(row.state))),
            2 => {
                let tone = if row.updated { Tone::Ok } else { Tone::Waiting };
                Cell::new(tone, row.version.as_deref().unwrap_or("?"))
            }
            3 => Cell::new(Tone::Dim, words::since(row.since, ctx.now, false)),
            4 => countdown(row, ctx).map_or(Cell::new(Tone::Dim, ""), |(tone, text)| Cell::new(tone, text)),
            5 => Cell::new(Tone::Dim, level(row)),
            6 => {
                let flag = |on: bool, letter: &'static str| if on { letter } else { "-" };
                let flags = [
                    flag(row.available, "A"),
                    flag(row.progressing, "P"),
                    flag(row.degraded, "D"),
                    flag(row.not_upgradeable.is_none(), "U"),
                ];
                Cell::new(Tone::Dim, flags.join(" "))
            }
            7 => Cell::new(Tone::Dim, words::since(row.working_since, ctx.now, false)),
            SIGN => Cell::new(row.state.into(), signs.operator(row.state)),
            CLOCK => {
                if let Some((tone, text)) = countdown(row, ctx) {
                    return Cell::new(tone, text);
                }
                let version = words::pad(row.version.as_deref().unwrap_or("?"), 8, ctx.theme.symbols().ellipsis);
                let age = words::since(row.since, ctx.now, false);
                Cell::new(if row.updated { Tone::Ok } else { Tone::Waiting }, format!("{version}  {age}"))
            }
            _ if row.sync_error.is_some() => Cell::new(Tone::Warning, says(row)),
            _ => Cell::new(Tone::Dim, says(row)),
        }
    }

    fn by_column(a: &OperatorRow, b: &OperatorRow, column: usize) -> Ordering {
        match column {
            0 => a.name.cmp(&b.name),
            1 => a.state.cmp(&b.state),
            2 => a.version.cmp(&b.version),
            3 => a.since.cmp(&b.since).reverse(),
            // Those without a limit come last.
            4 => {
                let at = |row: &OperatorRow| row.deadline.map(|deadline| deadline.at);
                at(a).is_none().cmp(&at(b).is_none()).then_with(|| at(a).cmp(&at(b)))
            }
            5 => a.level.unwrap_or(u8::MAX).cmp(&b.level.unwrap_or(u8::MAX)),
            7 => a
                .working_since
                .is_none()
                .cmp(&b.working_since.is_none())
                .then_with(|| a.working_since.cmp(&b.working_since)),
            _ => says(a).cmp(&says(b)),
        }
    }

    fn natural(a: &OperatorRow, b: &OperatorRow) -> Ordering {
        // Before an update begins all wait: the state tells nothing then, and the run level orders them.
        let key = |row: &OperatorRow| (row.state, row.level.unwrap_or(u8::MAX));
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    }

    fn unused(assessment: &Assessment, column: usize) -> bool {
        let rows = &assessment.operators.rows;
        match column {
            4 => rows.iter().all(|row| row.deadline.is_none()),
            7 => rows.iter().all(|row| row.working_since.is_none()),
            _ => false,
        }
    }

    fn field(row: &OperatorRow, key: &str) -> Option<String> {
        match key {
            "state" => Some(word(row.state).into()),
            "level" => Some(level(row)),
            "name" => Some(row.name.clone()),
            _ => None,
        }
    }
}

/// A lane: the operators of neighbouring run levels.
struct Lane<'a> {
    name: String,
    rows: Vec<&'a OperatorRow>,
}

/// Lanes as the update goes through them: by tens of the run level, those without one last.
fn lanes(assessment: &Assessment) -> Vec<Lane<'_>> {
    let mut lanes: Vec<(Option<u8>, Vec<&OperatorRow>)> = Vec::new();
    for row in assessment.operators.rows.iter().filter(|row| row.platform) {
        let decade = row.level.map(|level| level / 10);
        match lanes.iter_mut().find(|(known, _)| *known == decade) {
            Some((_, rows)) => rows.push(row),
            None => lanes.push((decade, vec![row])),
        }
    }
    lanes.sort_by_key(|(decade, _)| decade.unwrap_or(u8::MAX));
    let name = |decade: Option<u8>, rows: &[&OperatorRow]| {
        let levels = rows.iter().filter_map(|row| row.level);
        match (levels.clone().min(), levels.max()) {
            _ if decade.is_none() => "other".to_owned(),
            (Some(low), Some(high)) if low != high => format!("{low:02}-{high:02}"),
            (Some(low), _) => format!("{low:02}"),
            _ => "?".to_owned(),
        }
    };
    lanes.into_iter().map(|(decade, rows)| Lane { name: name(decade, &rows), rows }).collect()
}

/// One sign an operator, so that a single degraded one is seen.
fn cells(pen: &mut Pen<'_>, rows: &[&OperatorRow], room: usize) {
    let signs = *pen.theme().symbols();
    if rows.len() > room {
        let updated = rows.iter().filter(|row| row.updated).count();
        let moving = rows.iter().filter(|row| row.state == OperatorState::Updating).count();
        bar(pen, room, updated, moving, rows.len());
        return;
    }
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (!row.updated, row.state));
    for row in rows {
        let sign = match row.state {
            OperatorState::Unavailable => signs.fail,
            OperatorState::Degraded => signs.warn,
            OperatorState::Updating => signs.cell_moving,
            OperatorState::Waiting => signs.cell_waiting,
            OperatorState::Updated => signs.cell_done,
        };
        pen.sign(row.state.into(), sign);
    }
}

/// Lanes that the overview shows, at most.
const LANES: usize = 2;

/// Rows that the pane would like on the overview.
pub fn need(ctx: &Ctx<'_>, table: &Table<OperatorSheet>, width: u16) -> Need {
    let all = &ctx.assessment.operators;
    let notes = freshness::height(ctx, KINDS, width);
    let wrong = all.unavailable + all.degraded;
    let lanes = lane_lines(width, ctx, true).len().min(LANES) as u16;
    let rows = table.counts(ctx.assessment).0;
    Need::new(wrong, wrong + all.updating, rows).below(lanes + notes)
}

/// Lanes one below the other. Compact: as many as fit beside each other.
fn lane_lines<'t>(width: u16, ctx: &Ctx<'t>, compact: bool) -> Vec<Pen<'t>> {
    let lanes = lanes(ctx.assessment);
    let width = usize::from(width);
    let mut lines = Vec::new();
    let mut pen = Pen::new(ctx.theme);
    for lane in &lanes {
        let updated = lane.rows.iter().filter(|row| row.updated).count();
        let done = updated == lane.rows.len();
        let mut one = Pen::new(ctx.theme);
        one.put(if done { Tone::Ok } else { Tone::Text }, format!(" {} ", lane.name));
        if compact {
            cells(&mut one, &lane.rows, width.saturating_sub(10).clamp(8, 28));
        } else {
            one.to(8);
            cells(&mut one, &lane.rows, width.saturating_sub(40).clamp(8, 40));
            one.gap(1).put(if done { Tone::Ok } else { Tone::Dim }, format!("{updated}/{}", lane.rows.len()));
            let rest: Vec<&str> = lane.rows.iter().filter(|row| !row.updated).map(|row| row.name.as_str()).collect();
            one.gap(2).rest(Tone::Dim, rest.join(" "), width);
        }
        if pen.width() > 0 && (!compact || pen.width() + one.width() > width) {
            lines.push(std::mem::replace(&mut pen, Pen::new(ctx.theme)));
        }
        pen.append(one);
    }
    if pen.width() > 0 {
        lines.push(pen);
    }
    lines
}

/// Draws as many of the lanes as there is room for; gives back the lines used.
fn draw_lanes(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, compact: bool) -> u16 {
    let lines = lane_lines(area.width, ctx, compact);
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        line.draw(buffer, Rect { y, height: 1, ..area });
    }
    (lines.len() as u16).min(area.height)
}

/// Counts for the title: `33/34`.
pub fn title(assessment: &Assessment) -> String {
    let operators = &assessment.operators;
    if operators.total == 0 {
        return "Operators".into();
    }
    let mut text = format!("Operators by run level {}/{}", operators.updated, operators.total);
    for (n, word) in [(operators.unavailable, "unavailable"), (operators.degraded, "degraded")] {
        if n > 0 {
            text.push_str(&format!("  {n} {word}"));
        }
    }
    text
}

/// `manifests 780/912, waiting on machine-config; run 2 through them, 800 were reached before`: how far the payload is
/// applied, by the operator's own message. A count that began anew is told as such: it does not mean that anything was
/// undone.
pub fn payload_words(assessment: &Assessment) -> Option<String> {
    let update = &assessment.update;
    let payload = update.payload.filter(|_| update.in_progress)?;
    let mut text = format!("manifests {}/{}", payload.done, payload.total);
    if !update.waiting_on.is_empty() {
        text.push_str(&format!(", waiting on {}", update.waiting_on.join(", ")));
    }
    if payload.attempt > 1 {
        text.push_str(&format!("; run {} through them", payload.attempt));
        if payload.highest > payload.done {
            text.push_str(&format!(", {} were reached before", payload.highest));
        }
    }
    Some(text)
}

/// Lanes on top, the table below.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    ctx: &Ctx<'_>,
    table: &mut Table<OperatorSheet>,
    focused: bool,
    compact: bool,
) {
    let mut area = freshness::footnotes(buffer, area, ctx, KINDS);
    if ctx.assessment.operators.rows.is_empty() {
        let text = freshness::nothing(ctx, Kind::ClusterOperators, false);
        write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
        return;
    }
    if let Some(text) = payload_words(ctx.assessment).filter(|_| !compact && area.height > 8) {
        write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Text, &text);
        area.y += 1;
        area.height -= 1;
    }
    let most = if compact { LANES as u16 } else { (area.height / 2).max(1) };
    let (rows, lanes) = (table.counts(ctx.assessment).0, lane_lines(area.width, ctx, false).len());
    // One below the other only where the list has the room that it needs, or most of it.
    let beside = compact || lanes + rows + 2 > area.height.into() && lanes * 4 > area.height.into();
    let used = draw_lanes(buffer, Rect { height: most.min(area.height), ..area }, ctx, beside);
    let gap = u16::from(!compact && area.height > used + 6);
    area.y += used + gap;
    area.height = area.height.saturating_sub(used + gap);
    if area.height > 0 {
        table.draw(buffer, area, ctx, focused, !compact);
        if table.counts(ctx.assessment).0 == 0 {
            let text = freshness::nothing(ctx, Kind::ClusterOperators, true);
            let y = area.y + u16::from(!compact).min(area.height - 1);
            write(buffer, (area.x + 1, y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
        }
    }
}

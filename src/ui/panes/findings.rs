//! Findings: a list, and the selected one in full.

use std::borrow::Cow;
use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::ctx::Ctx;
use crate::ui::popups::finding::detail;
use crate::ui::theme::Tone;
use crate::ui::widgets::pen::write;
use crate::ui::widgets::share::Need;
use crate::ui::widgets::table::{Cell, Column, Sheet, Table, Width};
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Evidence, Finding, Level, Subject};

/// The table of findings.
#[derive(Debug)]
pub struct FindingSheet;

/// A subject as `oc` names it.
pub fn subject_words(subject: &Subject) -> String {
    match subject {
        Subject::Version => "clusterversion".into(),
        Subject::Operator(name) => format!("co/{name}"),
        Subject::Pool(name) => format!("mcp/{name}"),
        Subject::Node(name) => name.clone(),
        Subject::Link => "link".into(),
        Subject::Object(object) if object.namespace.is_empty() => object.name.clone(),
        Subject::Object(object) => format!("{}/{}", object.namespace, object.name),
    }
}

/// A level in one word.
pub fn level_word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

impl Sheet for FindingSheet {
    type Row = Finding;
    const NAME: &'static str = "findings";
    const STATE: usize = 1;
    const AGE: usize = 3;
    const COLUMNS: &'static [Column] = &[
        Column { title: "FINDING", width: Width::Rest(60), extra: 0 },
        Column { title: "LEVEL", width: Width::Fixed(8), extra: 4 },
        Column { title: "ABOUT", width: Width::Fixed(18), extra: 1 },
        Column { title: "AGE", width: Width::Fixed(6), extra: 0 },
        Column { title: "CHECK", width: Width::Fixed(22), extra: 2 },
        Column { title: "IMPACT", width: Width::Fixed(24), extra: 3 },
    ];

    const BRIEF: &'static [(usize, Width)] = &[(0, Width::Rest(20)), (3, Width::Fixed(6))];

    fn rows(assessment: &Assessment) -> &[Finding] {
        &assessment.findings
    }

    fn id(row: &Finding) -> Cow<'_, str> {
        Cow::Owned(format!("{} {}", row.id, subject_words(&row.subject)))
    }

    fn cell<'a>(row: &'a Finding, column: usize, ctx: &Ctx<'_>) -> Cell<'a> {
        let tone = if row.expected { Tone::Dim } else { row.level.into() };
        match column {
            0 => {
                // In front, where it is seen when the title is cut.
                let expected = if row.expected { "expected: " } else { "" };
                // A consequence stands below its cause.
                let below = if caused(row, ctx.assessment) { "  " } else { "" };
                let sign = ctx.theme.symbols().level(row.level);
                Cell::new(tone, format!("{below}{sign} {expected}{}", row.title))
            }
            1 => Cell::new(tone, level_word(row.level)),
            2 => Cell::new(Tone::Dim, subject_words(&row.subject)),
            3 => Cell::new(Tone::Dim, words::since(row.since, ctx.now, false)),
            4 => Cell::new(Tone::Dim, row.id),
            _ => Cell::new(Tone::Dim, row.impact.words()),
        }
    }

    fn by_column(a: &Finding, b: &Finding, column: usize) -> Ordering {
        match column {
            0 => a.title.cmp(&b.title),
            1 => b.level.cmp(&a.level),
            2 => subject_words(&a.subject).cmp(&subject_words(&b.subject)),
            3 => a.since.cmp(&b.since).reverse(),
            4 => a.id.cmp(b.id),
            _ => b.impact.cmp(&a.impact),
        }
    }

    fn natural(_: &Finding, _: &Finding) -> Ordering {
        // They come worst first, consequences below their causes, and sorting is stable.
        Ordering::Equal
    }

    fn field(row: &Finding, key: &str) -> Option<String> {
        match key {
            "level" => Some(level_word(row.level).into()),
            "check" | "id" => Some(row.id.into()),
            "expected" => Some(row.expected.to_string()),
            _ => None,
        }
    }
}

/// Is the finding that it follows from among the findings?
fn caused(finding: &Finding, assessment: &Assessment) -> bool {
    let because = |(id, subject): &(&'static str, Subject)| {
        assessment.findings.iter().any(|other| other.id == *id && other.subject == *subject)
    };
    finding.because.as_ref().is_some_and(because)
}

/// Counts for the title: `1 ✖  2 !  1 i`.
pub fn title(ctx: &Ctx<'_>) -> String {
    let count = |levels: &[Level]| ctx.assessment.findings.iter().filter(|row| levels.contains(&row.level)).count();
    let signs = ctx.theme.symbols();
    let mut text = String::from("Findings");
    for (n, sign) in [
        (count(&[Level::Critical, Level::Error]), signs.fail),
        (count(&[Level::Warning]), signs.warn),
        (count(&[Level::Info]), signs.info),
    ] {
        if n > 0 {
            text.push_str(&format!("  {n} {sign}"));
        }
    }
    text
}

/// Lines of evidence, for findings and for descriptions.
pub fn evidence_lines(evidence: &[Evidence], ctx: &Ctx<'_>) -> Vec<TextLine> {
    let line = |fact: &Evidence| {
        let mut line =
            TextLine::new(Tone::Dim, "  ").and(Tone::Text, &fact.object).and(Tone::Dim, format!(" {} = ", fact.field));
        line = line.and(Tone::Text, &fact.value);
        if let Some(at) = fact.at {
            let age = words::since(Some(at), ctx.now, false);
            line = line.and(Tone::Dim, format!("  since {} ({age})", words::clock(at, ctx.now)));
        }
        line.hanging(4)
    };
    evidence.iter().map(line).collect()
}

/// Rows that the list would like on the overview.
pub fn need(ctx: &Ctx<'_>, table: &Table<FindingSheet>) -> Need {
    let level = |least: Level| ctx.assessment.findings.iter().filter(|row| row.level >= least).count();
    Need::new(level(Level::Error), level(Level::Warning), table.counts(ctx.assessment).0)
}

/// The list, and below it the selected finding when there is room.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    ctx: &Ctx<'_>,
    table: &mut Table<FindingSheet>,
    focused: bool,
    with_detail: bool,
) {
    if ctx.assessment.findings.is_empty() {
        let text = if ctx.assessment.facts.complete() { "nothing to report" } else { "reading ..." };
        let sign = if ctx.assessment.facts.complete() { ctx.theme.symbols().ok } else { " " };
        write(
            buffer,
            (area.x + 1, area.y),
            area.width.saturating_sub(1),
            ctx.theme,
            Tone::Ok,
            &format!("{sign} {text}"),
        );
        return;
    }
    if !with_detail || area.height < 10 {
        table.draw(buffer, area, ctx, focused, with_detail);
        return;
    }
    let width = area.width.saturating_sub(2);
    let mut told = table.row(ctx.assessment).map(|finding| TextView::new(detail(finding, ctx, None)));
    let wanted = told.as_mut().map_or(0, |told| told.height(width.into())) as u16;
    // The list is cut only where the selected finding needs the room.
    let most = area.height.saturating_sub(wanted.saturating_add(1)).max(area.height / 2);
    let rows = (table.counts(ctx.assessment).0 as u16 + 2).clamp(4, most);
    table.draw(buffer, Rect { height: rows, ..area }, ctx, focused, true);
    let rule = "─".repeat(usize::from(area.width));
    let rule = if ctx.theme.symbols().dot == "-" { rule.replace('─', "-") } else { rule };
    write(buffer, (area.x, area.y + rows), area.width, ctx.theme, Tone::Border, &rule);
    if let Some(mut told) = told {
        let y = area.y + rows + 1;
        let below = Rect { x: area.x + 1, y, width, height: area.bottom().saturating_sub(y) };
        told.draw(buffer, below, ctx.theme);
    }
}

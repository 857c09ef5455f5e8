//! Is the cluster ready for an update? Row by row, with why and what to do.

use super::finding::remedy_lines;
use super::report::Section;
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::panes::findings::evidence_lines;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::upgrade::preflight::{Answer, Preflight, Row, preflight};

/// An answer in one word.
fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Pass => "pass",
        Answer::Unknown => "unknown",
        Answer::Warn => "warn",
        Answer::Block => "block",
    }
}

/// Meaning and sign of an answer.
fn look(answer: Answer, ctx: &Ctx<'_>) -> (Tone, &'static str) {
    let signs = ctx.theme.symbols();
    match answer {
        Answer::Pass => (Tone::Ok, signs.ok),
        Answer::Unknown => (Tone::Info, "?"),
        Answer::Warn => (Tone::Warning, signs.warn),
        Answer::Block => (Tone::Danger, signs.fail),
    }
}

/// The answer: a summary and a section per row, the worst first.
pub fn sections(target: Option<&str>, ctx: &Ctx<'_>) -> Vec<Section> {
    let list = preflight(ctx.assessment, target);
    if list.rows.is_empty() {
        let text = if ctx.assessment.facts.complete() { "There is nothing to check here." } else { "reading ..." };
        return vec![Section::fixed(vec![TextLine::new(Tone::Dim, text)])];
    }
    let mut rows: Vec<&Row> = list.rows.iter().collect();
    // Sorting is stable: rows of one answer stay in the order in which a person would go through them.
    rows.sort_by_key(|row| std::cmp::Reverse(row.answer));
    let mut sections = vec![Section::fixed(summary(&list, ctx))];
    sections.extend(rows.into_iter().map(|row| section(row, ctx)));
    sections
}

fn summary(list: &Preflight, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let target =
        list.target.as_deref().map_or_else(|| "an update".to_owned(), |version| format!("an update to {version}"));
    let (tone, text) = match list.worst() {
        Some(Answer::Block) => (Tone::Danger, format!("Not ready for {target}.")),
        Some(Answer::Warn) => (Tone::Warning, format!("Ready for {target}, with care.")),
        Some(Answer::Unknown) => (Tone::Info, format!("Nothing speaks against {target} as far as could be told.")),
        Some(Answer::Pass) | None => (Tone::Ok, format!("Ready for {target}.")),
    };
    let count = |answer: Answer| list.rows.iter().filter(|row| row.answer == answer).count();
    let mut line = TextLine::new(tone, text).and(Tone::Dim, "  ");
    for answer in [Answer::Block, Answer::Warn, Answer::Unknown, Answer::Pass] {
        if count(answer) > 0 {
            line = line.and(look(answer, ctx).0, format!(" {} {} ", count(answer), word(answer)));
        }
    }
    vec![line.hanging(2), TextLine::default()]
}

/// A row: what passes takes a line, the others say why, on what they rest, and what to do.
fn section(row: &Row, ctx: &Ctx<'_>) -> Section {
    let (tone, sign) = look(row.answer, ctx);
    let mut why = neutral_lines(&row.why).into_iter();
    let title = TextLine::new(tone, format!("{sign} {:<8}", word(row.answer))).and(Tone::Text, row.title);
    let mut lines = Vec::new();
    if row.answer == Answer::Pass {
        let said = why.next().unwrap_or_default();
        lines.push(title.and(Tone::Dim, if said.is_empty() { said } else { format!(": {said}") }).hanging(10));
        lines.extend(why.map(|line| TextLine::new(Tone::Dim, format!("          {line}")).hanging(12)));
    } else {
        lines.push(title.hanging(10));
        lines.extend(why.map(|line| TextLine::new(Tone::Text, format!("          {line}")).hanging(12)));
        for line in evidence_lines(&row.evidence, ctx) {
            lines.push(TextLine::new(Tone::Dim, format!("        {}", line.text())).hanging(12));
        }
        for remedy in &row.remedies {
            lines.extend(remedy_lines(remedy, ctx, "         "));
        }
    }
    let fields = vec![("answer", word(row.answer).to_owned()), ("id", row.id.to_owned())];
    Section { lines, name: row.id.to_owned(), fields, ..Section::default() }
}

//! The phases of the update: where each stands, since when, by what it was judged, what it waits for, and the next step.

use super::report::{Section, since_words};
use crate::actions::next_step::next_step;
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::panes::findings::evidence_lines;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::upgrade::assessment::{Step, StepState};

/// A state in one word: colour and sign are never the only signal.
fn word(state: StepState) -> &'static str {
    match state {
        StepState::Todo => "to come",
        StepState::Active => "under way",
        StepState::Trouble => "needs a look",
        StepState::Done => "done",
    }
}

/// A section a phase.
pub fn sections(ctx: &Ctx<'_>) -> Vec<Section> {
    let rail = &ctx.assessment.rail;
    if rail.is_empty() || !ctx.assessment.facts.complete() {
        return vec![Section::fixed(vec![TextLine::new(Tone::Dim, "reading ...")])];
    }
    let next = next_step(ctx.assessment, ctx.session);
    let mut sections: Vec<Section> = rail
        .iter()
        .map(|step| {
            let words = next.as_ref().filter(|next| next.phase == step.name).map(|next| next.words.as_str());
            section(step, words, ctx)
        })
        .collect();
    if next.is_none() {
        let text = match &ctx.session.read_only {
            Some(why) => format!("Nothing can be done from here: {why}."),
            None => "There is nothing to do but wait.".to_owned(),
        };
        sections.push(Section::fixed(vec![TextLine::new(Tone::Dim, text)]));
    }
    sections
}

fn section(step: &Step, next: Option<&str>, ctx: &Ctx<'_>) -> Section {
    let signs = ctx.theme.symbols();
    let beside = if step.beside { format!("{} ", signs.beside) } else { String::new() };
    let mut head = TextLine::new(step.state.into(), format!("{beside}{} {}", signs.step(step.state), step.name));
    if !step.detail.is_empty() {
        head = head.and(Tone::Strong, format!(" {}", step.detail));
    }
    head = head.and(Tone::Dim, format!("  {}", word(step.state)));
    if step.since.is_some() {
        head = head.and(Tone::Dim, format!(" {}", since_words(step.since, ctx)));
    }
    let mut lines = vec![head];
    for wait in &step.waits {
        let tone = if step.state == StepState::Trouble { Tone::Warning } else { Tone::Text };
        let mut label = "  waits: ";
        for line in neutral_lines(wait) {
            lines.push(TextLine::new(Tone::Dim, label).and(tone, line).hanging(9));
            label = "         ";
        }
    }
    if let Some(words) = next {
        let key = ctx.key_of(Command::NextStep);
        lines.push(TextLine::new(Tone::Key, format!("  {key}")).and(Tone::Strong, format!(" {words}")));
    }
    lines.extend(evidence_lines(&step.evidence, ctx));
    lines.push(TextLine::default());
    Section {
        lines,
        name: step.name.to_owned(),
        fields: vec![("state", word(step.state).to_owned())],
        ..Section::default()
    }
}

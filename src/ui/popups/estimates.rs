//! How long it still takes, with the working shown.

use chrono::TimeDelta;

use super::report::Section;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::ui::words;
use crate::upgrade::estimate::{Basis, Estimate, Part, Spread};
use crate::upgrade::image_based::ImageBased;

/// Where the numbers come from, in words.
pub fn basis_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "measured in this rollout",
        Basis::History => "from this cluster's earlier updates",
        Basis::Default => "documented defaults: nothing was measured here yet",
        Basis::Guide => "the guide's formula with this cluster's numbers",
    }
}

/// A part in words.
pub fn part_words(part: &Part) -> String {
    match part {
        Part::Whole => "the whole update".into(),
        Part::ControlPlane => "the control plane".into(),
        Part::Pool(name) => format!("pool {name}"),
    }
}

/// `38-55m`: from p10 to p90.
pub fn range(spread: &Spread) -> String {
    words::range(spread.p10, spread.p90)
}

/// Is everything that is left waiting for something that does not happen by itself?
pub fn at_rest(estimate: &Estimate) -> bool {
    estimate.remaining.p90 <= TimeDelta::zero() && !estimate.left_out.is_empty()
}

/// `38-55m left`, or that nothing of it goes on by itself.
pub fn left(estimate: &Estimate) -> String {
    if at_rest(estimate) { "at rest".into() } else { format!("{} left", range(&estimate.remaining)) }
}

/// The answer: one part, or the whole and its parts.
pub fn sections(part: &Part, ctx: &Ctx<'_>) -> Vec<Section> {
    let all = &ctx.assessment.estimates;
    let estimates: Vec<&Estimate> = match part {
        Part::Whole => all.whole.iter().chain(&all.parts).collect(),
        one => all.parts.iter().filter(|estimate| estimate.part == *one).collect(),
    };
    let mut sections = Vec::new();
    if estimates.is_empty() {
        sections.push(Section::fixed(vec![TextLine::new(Tone::Dim, nothing(part, ctx))]));
        return sections;
    }
    if all.before {
        let text = "Nothing rolls now: this is what an update would take.";
        sections.push(Section::fixed(vec![TextLine::new(Tone::Info, text), TextLine::default()]));
    }
    sections.extend(estimates.into_iter().map(|estimate| section(estimate, all.before, ctx)));
    let text = "One in ten is shorter than the first number, one in ten longer than the last. Both follow the update.";
    sections.push(Section::fixed(vec![TextLine::new(Tone::Dim, text)]));
    sections
}

/// Why there is no estimate.
fn nothing(part: &Part, ctx: &Ctx<'_>) -> String {
    let facts = &ctx.assessment.facts;
    match part {
        _ if !facts.complete() => "There is no estimate yet: the cluster is still being read.".into(),
        Part::Pool(name) => match ctx.assessment.pool(name) {
            Some(pool) if !pool.outdated() && pool.total > 0 => format!("Nothing is left to do in pool {name}."),
            Some(pool) if pool.paused => format!("There is no estimate for pool {name}: it is paused."),
            _ => format!("There is no estimate for pool {name}."),
        },
        _ if ctx.assessment.image_based.as_deref().is_some_and(ImageBased::under_way) => {
            "There is no estimate: an image-based upgrade is under way, and its stages have no payload that rolls. Tab 8 \
             shows how far it is, and how long its reboot usually takes."
                .into()
        }
        _ => "There is no estimate: nothing rolls, and nothing is on offer.".into(),
    }
}

fn section(estimate: &Estimate, before: bool, ctx: &Ctx<'_>) -> Section {
    let spread = &estimate.remaining;
    let name = part_words(&estimate.part);
    let left = if before { "" } else { " left" };
    let resting = at_rest(estimate);
    let first = if resting {
        TextLine::new(Tone::Warning, "  at rest: nothing of what is left goes on by itself")
    } else {
        TextLine::new(Tone::Dim, "  ")
            .and(Tone::Strong, format!("{}{left}", range(spread)))
            .and(Tone::Text, format!(", median {}", words::duration(spread.p50)))
            .and(Tone::Dim, format!("  ({})", basis_words(estimate.basis)))
            .hanging(4)
    };
    let mut lines = vec![TextLine::new(Tone::Heading, capital(&name)), first];
    if !before && !resting {
        let ends = [spread.p10, spread.p90].map(|span| (ctx.assessment.now + span).format("%H:%MZ").to_string());
        lines.push(TextLine::new(Tone::Dim, format!("  done between {} and {}", ends[0], ends[1])));
    }
    if !estimate.working.is_empty() && !resting {
        lines.push(TextLine::new(Tone::Text, format!("  {}", estimate.working)).hanging(4));
    }
    let longest = estimate.inputs.iter().map(|input| words::width(&input.name)).max().unwrap_or(0).min(44);
    for input in &estimate.inputs {
        let missing = longest.saturating_sub(words::width(&input.name));
        let line = TextLine::new(Tone::Dim, format!("    {}{} ", input.name, " ".repeat(missing)));
        lines.push(line.and(Tone::Text, &input.value).and(Tone::Dim, format!("  {}", input.source)).hanging(6));
    }
    for left_out in &estimate.left_out {
        let sign = ctx.theme.symbols().paused;
        lines.push(TextLine::new(Tone::Warning, format!("  {sign} not counted: {left_out}")).hanging(4));
    }
    lines.push(TextLine::default());
    Section { lines, name, ..Section::default() }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

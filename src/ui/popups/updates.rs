//! Where the cluster could go, and what stands in the way.

use super::choices::{standing, update_ask};
use super::report::{Section, since_words};
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::upgrade::updates::{Choice, Risk, Updates, updates};

/// The answer: where the cluster is, what speaks against any update, and a section per version.
pub fn sections(ctx: &Ctx<'_>) -> Vec<Section> {
    let all = updates(ctx.assessment);
    let mut sections = vec![Section::fixed(place(&all))];
    let against = against(&all, ctx);
    if !against.is_empty() {
        sections.push(Section::fixed(against));
    }
    if all.choices.is_empty() {
        sections.push(Section::fixed(vec![TextLine::new(Tone::Dim, nothing(&all, ctx))]));
    }
    sections.extend(all.choices.iter().map(|choice| section(choice, ctx)));
    sections
}

fn place(all: &Updates) -> Vec<TextLine> {
    let current = if all.current.is_empty() { "an unknown version" } else { all.current.as_str() };
    let mut line = TextLine::new(Tone::Text, "The cluster is at ").and(Tone::Strong, current);
    line = match all.channel.as_str() {
        "" => line.and(Tone::Warning, ", no channel is set"),
        channel => line.and(Tone::Text, format!(", channel {channel}")),
    };
    if let Some(upstream) = &all.upstream {
        line = line.and(Tone::Dim, format!(", update service {upstream}"));
    }
    vec![line.hanging(2), TextLine::default()]
}

/// Issues, `Upgradeable=False`, gates.
fn against(all: &Updates, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let mut lines = Vec::new();
    if !all.issues.is_empty() {
        lines.push(TextLine::new(Tone::Heading, "Against any update now"));
        for issue in &all.issues {
            let since = since_words(issue.since, ctx);
            let gap = if since.is_empty() { "" } else { "  " };
            lines.push(
                TextLine::new(Tone::Warning, format!("  {} {}", signs.warn, issue.name))
                    .and(Tone::Dim, format!("{gap}{since}")),
            );
            lines.extend(text(&issue.message, 4));
            lines.extend(issue.url.as_ref().map(|url| TextLine::new(Tone::Info, format!("    {url}")).hanging(6)));
        }
        lines.push(TextLine::default());
    }
    if all.not_upgradeable.is_some() || !all.operators.is_empty() {
        lines.push(TextLine::new(Tone::Heading, "Against a minor update"));
        // The message of the ClusterVersion sums up those of the operators, which say it better.
        if let (Some((reason, message)), true) = (&all.not_upgradeable, all.operators.is_empty()) {
            lines.push(TextLine::new(Tone::Warning, format!("  {} {reason}", signs.warn)));
            lines.extend(text(message, 4));
        }
        for operator in &all.operators {
            let line = TextLine::new(Tone::Warning, format!("  {} co/{}", signs.warn, operator.operator));
            lines.push(line.and(Tone::Dim, format!("  {}", operator.reason)).hanging(4));
            lines.extend(text(&operator.message, 4));
        }
        lines.push(TextLine::default());
    }
    let gates = all.gates.as_deref().unwrap_or_default();
    if all.gates.is_none() && all.known {
        let text = "The gates of an administrator are not known: ConfigMap admin-gates was not read.";
        lines.extend([TextLine::new(Tone::Info, text), TextLine::default()]);
    }
    if !gates.is_empty() {
        lines.push(TextLine::new(Tone::Heading, "Gates of an administrator"));
        for gate in gates {
            let (tone, sign, word) = match gate.acknowledged {
                Some(true) => (Tone::Ok, signs.ok, "acknowledged"),
                Some(false) => (Tone::Danger, signs.fail, "not acknowledged"),
                None => (Tone::Info, "?", "not known whether acknowledged"),
            };
            lines.push(TextLine::new(tone, format!("  {sign} {}", gate.key)).and(tone, format!("  {word}")).hanging(4));
            lines.extend(text(&gate.message, 4));
        }
        lines.push(TextLine::default());
    }
    lines
}

fn text(message: &str, indent: usize) -> Vec<TextLine> {
    let lines = neutral_lines(message).into_iter().filter(|line| !line.trim().is_empty());
    lines.map(|line| TextLine::new(Tone::Text, format!("{}{line}", " ".repeat(indent))).hanging(indent)).collect()
}

fn nothing(all: &Updates, ctx: &Ctx<'_>) -> String {
    match () {
        () if !ctx.assessment.facts.complete() => "reading ...".into(),
        () if !all.known => "There is no ClusterVersion: no versions are known.".into(),
        () if all.channel.is_empty() => "No version is on offer: no channel is set.".into(),
        () => "No version is on offer.".into(),
    }
}

/// A version with its risks.
fn section(choice: &Choice, ctx: &Ctx<'_>) -> Section {
    let signs = ctx.theme.symbols();
    let (tone, sign, word) = match choice.recommended {
        true => (Tone::Ok, signs.ok, "recommended".to_owned()),
        false if choice.reason.is_empty() => (Tone::Warning, signs.warn, "not recommended".to_owned()),
        false => (Tone::Warning, signs.warn, format!("not recommended: {}", choice.reason)),
    };
    let mut first = TextLine::new(tone, format!("{sign} {:<14} ", choice.version)).and(tone, &word);
    if choice.minor {
        first = first.and(Tone::Dim, "  minor");
    }
    if !choice.channels.is_empty() {
        first = first.and(Tone::Dim, format!("  {}", choice.channels.join(" ")));
    }
    let mut lines = vec![first.hanging(17)];
    if choice.risks.is_empty() && !choice.recommended {
        lines.extend(text(&choice.message, 4));
    }
    lines.extend(choice.risks.iter().flat_map(|risk| risk_lines(risk, ctx)));
    if let Some(url) = &choice.url {
        lines.push(TextLine::new(Tone::Dim, format!("    {url}")).hanging(6));
    }
    let fields = vec![
        ("version", choice.version.clone()),
        ("recommended", choice.recommended.to_string()),
        ("minor", choice.minor.to_string()),
    ];
    let ask = update_ask(&choice.version, ctx);
    let (standing, refusal) = standing(&ask, choice.recommended, ctx);
    // That nothing at all may be written here is said elsewhere.
    if let Some(refusal) = refusal.filter(|_| ctx.session.read_only.is_none()) {
        lines.push(TextLine::new(Tone::Dim, format!("    cannot be started: {}", refusal.0)).hanging(6));
    }
    Section { lines, fixed: false, name: choice.version.clone(), fields, ask: Some(ask), standing }
}

fn risk_lines(risk: &Risk, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let (tone, sign, word) = match (risk.applies, risk.accepted) {
        (_, true) => (Tone::Info, signs.ok, "accepted"),
        (Some(true), _) => (Tone::Warning, signs.warn, "applies here"),
        (Some(false), _) => (Tone::Ok, signs.ok, "does not apply here"),
        (None, _) => (Tone::Info, "?", "could not be evaluated"),
    };
    let mut lines =
        vec![TextLine::new(tone, format!("    {sign} {}", risk.name)).and(tone, format!("  {word}")).hanging(6)];
    lines.extend(text(&risk.message, 6));
    if !risk.url.is_empty() {
        lines.push(TextLine::new(Tone::Info, format!("      {}", risk.url)).hanging(8));
    }
    lines
}

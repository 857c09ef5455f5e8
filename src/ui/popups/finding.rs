//! A finding in full: what it means, what to do, what it rests on, what follows from it.

use ratatui::layout::Position;

use crate::actions::Ask;
use crate::actions::remedy::covered;
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::panes::findings::{evidence_lines, level_word, subject_words};
use crate::ui::popups::choices::{danger_tone, danger_words};
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Finding, Remedy, Resource, Subject};

/// The popup. It follows its finding from assessment to assessment, and says when that is over.
#[derive(Debug)]
pub struct FindingPopup {
    /// As it was seen last.
    finding: Finding,
    /// It is no longer among the findings.
    over: bool,
    /// The remedy that copying and doing are about.
    chosen: usize,
    /// Its text.
    pub view: TextView,
    made_for: Option<(u64, i64, usize)>,
}

/// Is `finding` the same as `other`, seen at another time?
fn same(finding: &Finding, other: &Finding) -> bool {
    finding.id == other.id && finding.subject == other.subject
}

impl FindingPopup {
    /// A popup about a finding.
    pub fn new(finding: &Finding) -> Self {
        Self { finding: finding.clone(), over: false, chosen: 0, view: TextView::default(), made_for: None }
    }

    /// Title.
    pub fn title(&self) -> String {
        format!("{}: {}", level_word(self.finding.level), self.finding.id)
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.finding.subject
    }

    /// What an action of this program does of the chosen remedy.
    pub fn action(&self, assessment: &Assessment) -> Option<Ask> {
        if self.over {
            return None;
        }
        self.finding.remedies.get(self.chosen).and_then(|remedy| covered(remedy, assessment))
    }

    /// Chooses the next or the previous remedy.
    pub fn choose(&mut self, forward: bool) {
        let n = self.finding.remedies.len().max(1);
        self.chosen = if forward { self.chosen + 1 } else { self.chosen + n - 1 } % n;
    }

    /// Chooses the remedy that was drawn there; true: it was chosen already.
    pub fn choose_at(&mut self, at: Position) -> bool {
        let Some(remedy) = self.view.choice_at(at) else { return false };
        std::mem::replace(&mut self.chosen, remedy) == remedy
    }

    /// What copying gives: the `oc` line of the chosen remedy, else the finding.
    pub fn copied(&self, ctx: &Ctx<'_>) -> String {
        let line = self.finding.remedies.get(self.chosen).and_then(|remedy| remedy.oc.clone());
        line.unwrap_or_else(|| plain(&self.finding, ctx))
    }

    /// The finding as text.
    pub fn text(&self, ctx: &Ctx<'_>) -> String {
        plain(&self.finding, ctx)
    }

    /// Makes the text again when something that it shows has changed.
    pub fn refresh(&mut self, ctx: &Ctx<'_>) {
        let made_for = Some((ctx.assessment.generation, ctx.now.timestamp(), self.chosen));
        if self.made_for == made_for {
            return;
        }
        self.made_for = made_for;
        match ctx.assessment.findings.iter().find(|finding| same(finding, &self.finding)) {
            Some(newer) => {
                self.finding = newer.clone();
                self.over = false;
            }
            None => self.over = true,
        }
        self.chosen = self.chosen.min(self.finding.remedies.len().saturating_sub(1));
        let mut lines = Vec::new();
        if self.over {
            let signs = ctx.theme.symbols();
            lines.push(TextLine::new(Tone::Ok, format!("{} It is over: this is how it was last seen.", signs.ok)));
            lines.push(TextLine::default());
        }
        lines.extend(detail(&self.finding, ctx, Some(self.chosen)));
        self.view.set(lines);
    }
}

/// A finding as plain text.
pub fn plain(finding: &Finding, ctx: &Ctx<'_>) -> String {
    let lines = detail(finding, ctx, None);
    lines.iter().map(|line| line.text().trim_end().to_owned() + "\n").collect::<String>().trim_end().to_owned()
}

fn heading(text: &str) -> [TextLine; 2] {
    [TextLine::default(), TextLine::new(Tone::Heading, text)]
}

/// A finding in full; `chosen` is the remedy that has the keyboard, if any has.
pub fn detail(finding: &Finding, ctx: &Ctx<'_>, chosen: Option<usize>) -> Vec<TextLine> {
    let tone: Tone = finding.level.into();
    let mut lines =
        vec![TextLine::new(tone, format!("{} {}", ctx.theme.symbols().level(finding.level), finding.title)).hanging(2)];
    lines.push(particulars(finding, ctx));
    if finding.expected {
        lines.push(TextLine::new(Tone::Info, "Expected at this point; worth a look when it stays."));
    }
    if let Some(cause) = finding.because.as_ref().and_then(|because| find(because, ctx.assessment)) {
        let sign = ctx.theme.symbols().level(cause.level);
        lines.push(
            TextLine::new(Tone::Dim, "Because of ")
                .and(cause.level.into(), format!("{sign} {}", cause.title))
                .hanging(2),
        );
    }
    lines.push(TextLine::default());
    lines.extend(neutral_lines(&finding.meaning).into_iter().map(|line| TextLine::new(Tone::Text, line)));
    remedies(&mut lines, finding, ctx, chosen);
    if !finding.evidence.is_empty() {
        lines.extend(heading("It rests on"));
        lines.extend(evidence_lines(&finding.evidence, ctx));
    }
    let follows = |other: &&Finding| {
        other.because.as_ref().is_some_and(|(id, subject)| *id == finding.id && *subject == finding.subject)
    };
    let following: Vec<&Finding> = ctx.assessment.findings.iter().filter(follows).collect();
    if !following.is_empty() {
        lines.extend(heading("Because of it"));
        for other in following {
            let sign = ctx.theme.symbols().level(other.level);
            lines.push(TextLine::new(other.level.into(), format!("  {sign} {}", other.title)).hanging(4));
        }
    }
    if finding.resources.len() > 1 {
        lines.extend(heading("It is about"));
        lines.extend(
            finding
                .resources
                .iter()
                .take(40)
                .map(|object| TextLine::new(Tone::Text, format!("  {}", resource_words(object))).hanging(4)),
        );
        if finding.resources.len() > 40 {
            lines.push(TextLine::new(Tone::Dim, format!("  and {} more", finding.resources.len() - 40)));
        }
    }
    if let Some(link) = &finding.link {
        lines.push(TextLine::default());
        lines.push(TextLine::new(Tone::Dim, "Read more: ").and(Tone::Info, link).hanging(2));
    }
    lines
}

/// Level, id, subject, impact, ages.
fn particulars(finding: &Finding, ctx: &Ctx<'_>) -> TextLine {
    let dot = ctx.theme.symbols().dot;
    let mut line = TextLine::new(Tone::Dim, format!("{} {dot} {} {dot} ", level_word(finding.level), finding.id))
        .and(Tone::Text, subject_words(&finding.subject));
    line = line.and(Tone::Dim, format!(" {dot} impact: {}", finding.impact.words()));
    if let Some(at) = finding.since {
        let age = words::since(Some(at), ctx.now, false);
        line = line.and(Tone::Dim, format!(" {dot} since {} ({age})", words::clock(at, ctx.now)));
    }
    if let Some(at) = finding.first_seen {
        line = line.and(Tone::Dim, format!(" {dot} first seen {}", words::clock(at, ctx.now)));
    }
    line.hanging(2)
}

/// The finding of an id and a subject.
fn find<'a>((id, subject): &(&'static str, Subject), assessment: &'a Assessment) -> Option<&'a Finding> {
    assessment.findings.iter().find(|finding| finding.id == *id && finding.subject == *subject)
}

fn remedies(lines: &mut Vec<TextLine>, finding: &Finding, ctx: &Ctx<'_>, chosen: Option<usize>) {
    if finding.remedies.is_empty() {
        return;
    }
    lines.extend(heading("What to do"));
    for (at, remedy) in finding.remedies.iter().enumerate() {
        let here = chosen == Some(at);
        let told = remedy_lines(remedy, ctx, if here { ctx.theme.symbols().cursor } else { " " });
        lines.extend(told.into_iter().map(|line| line.choosing(at)));
        // The chosen one can be done from here, whether or not its action has a key of its own.
        let key = ctx.keymap.keys(Command::DoRemedy, false).first().map(ToString::to_string);
        let does = here && ctx.session.read_only.is_none() && covered(remedy, ctx.assessment).is_some();
        if let Some(key) = key.filter(|_| does) {
            lines.push(TextLine::new(Tone::Key, format!("     {key}")).and(Tone::Dim, " plans it").choosing(at));
        }
    }
}

/// A remedy: its danger by a letter, what to do, the `oc` line, the key where this program does it.
pub fn remedy_lines(remedy: &Remedy, ctx: &Ctx<'_>, mark: &str) -> Vec<TextLine> {
    let (letter, tone) = match remedy.danger {
        Some(danger) => (&danger_words(danger)[..1], danger_tone(danger)),
        None => ("-", Tone::Dim),
    };
    let mut first =
        TextLine::new(Tone::Key, format!("{mark} ")).and(tone, letter).and(Tone::Text, format!("  {}", remedy.words));
    let writes = ctx.session.read_only.is_none();
    if let Some(ask) = covered(remedy, ctx.assessment).filter(|_| writes) {
        let own = ctx.keymap.keys(Command::Act(ask.action), false);
        let chosen = ctx.keymap.keys(Command::DoRemedy, false);
        if let Some(key) = own.first().filter(|_| ask.args.is_empty()) {
            let what = super::choices::target_words(&ask.target);
            first = first.and(Tone::Key, format!("  {key}")).and(Tone::Dim, format!(" on {what} does it"));
        } else if let Some(key) = chosen.first().filter(|_| !mark.trim().is_empty()) {
            first = first.and(Tone::Key, format!("  {key}")).and(Tone::Dim, " does it");
        } else if mark.trim().is_empty() {
            first = first.and(Tone::Key, format!("  :{}", ask.line())).and(Tone::Dim, " plans it");
        }
    }
    let indent = words::width(mark) + 4;
    let mut lines = vec![first.hanging(indent)];
    if let Some(oc) = &remedy.oc {
        lines.push(TextLine::new(Tone::Info, format!("{}{oc}", " ".repeat(indent))).hanging(indent + 2));
    }
    lines
}

/// `poddisruptionbudgets.policy shop/cart`.
pub fn resource_words(object: &Resource) -> String {
    let name = match object.namespace.as_str() {
        "" => object.name.clone(),
        namespace => format!("{namespace}/{}", object.name),
    };
    format!("{} {name}", object.resource)
}

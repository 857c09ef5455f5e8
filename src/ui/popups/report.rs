//! An answer that fills the screen and stays fresh: how long it takes, readiness, versions.

use std::ops::Range;

use chrono::{DateTime, Utc};
use ratatui::layout::Position;

use super::choices::Standing;
use super::{estimates, phases, preflight, updates};
use crate::actions::Ask;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::filter::{Filter, Filtered};
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;
use crate::upgrade::estimate::Part;
use crate::upgrade::facts::{Facts, KindStatus};
use crate::upgrade::needs::{PodsOf, Purpose, needs};

/// Columns that the names of kinds take that are being read.
const NAMED: usize = 110;

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// How long it still takes: all of it, or one part.
    Estimates(Part),
    /// Is the cluster ready for an update, to that version if one is named?
    Preflight(Option<String>),
    /// Where the cluster could go.
    Updates,
    /// Where the update stands, phase by phase.
    Phases,
}

/// A part of an answer that a filter shows or hides as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Its lines.
    pub lines: Vec<TextLine>,
    /// A heading or a summary: shown whatever the filter says.
    pub fixed: bool,
    /// Its name: for `-f`.
    pub name: String,
    /// Fields for `-l`.
    pub fields: Vec<(&'static str, String)>,
    /// What choosing it asks for; none: it is only to be read.
    pub ask: Option<Ask>,
    /// How well that can be done: until somebody chooses, the first of the best is chosen.
    pub standing: Standing,
}

impl Section {
    /// Lines that no filter hides.
    pub fn fixed(lines: Vec<TextLine>) -> Self {
        Self { lines, fixed: true, ..Self::default() }
    }
}

impl Filtered for &Section {
    fn text(&self) -> String {
        self.lines.iter().map(|line| line.text() + "\n").collect()
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn field(&self, key: &str) -> Option<String> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }
}

/// The popup.
#[derive(Debug)]
pub struct Report {
    /// What it answers.
    pub about: About,
    /// Its text.
    pub view: TextView,
    /// Which sections are shown.
    pub filter: Filter,
    sections: Vec<Section>,
    /// Name of the section that is chosen, where sections can be.
    chosen: String,
    /// Somebody chose it.
    moved: bool,
    /// The sections that can be chosen, as they are shown: name and lines.
    offered: Vec<(String, Range<usize>)>,
    /// The theme's sign for what is chosen.
    sign: &'static str,
    made_for: Option<(u64, i64)>,
}

impl Report {
    /// A popup that answers `about`.
    pub fn new(about: About) -> Self {
        Self {
            about,
            view: TextView::default(),
            filter: Filter::default(),
            sections: Vec::new(),
            chosen: String::new(),
            moved: false,
            offered: Vec::new(),
            sign: "",
            made_for: None,
        }
    }

    /// Title.
    pub fn title(&self) -> String {
        match &self.about {
            About::Estimates(Part::Pool(pool)) => format!("how long: pool {pool}"),
            About::Estimates(_) => "how long".into(),
            About::Preflight(Some(version)) => format!("preflight for {version}"),
            About::Preflight(None) => "preflight".into(),
            About::Updates => "updates".into(),
            About::Phases => "phases".into(),
        }
    }

    /// For saving.
    pub fn name(&self) -> &'static str {
        match self.about {
            About::Estimates(_) => "estimates",
            About::Preflight(_) => "preflight",
            About::Updates => "updates",
            About::Phases => "phases",
        }
    }

    /// What has to be read for it.
    pub fn purpose(&self) -> Purpose {
        match self.about {
            About::Estimates(_) | About::Phases => Purpose::Watch,
            About::Preflight(_) => Purpose::Preflight,
            About::Updates => Purpose::Updates,
        }
    }

    /// Shows the sections that pass `text`.
    pub fn narrow(&mut self, text: &str) {
        self.filter.set(text);
        self.show();
    }

    /// What the filter shows, for the frame.
    pub fn filter_words(&self) -> String {
        if !self.filter.active() {
            return String::new();
        }
        let (shown, all) = self.counts();
        format!("/{} {shown}/{all}", self.filter.text())
    }

    /// Sections that are shown, and all.
    pub fn counts(&self) -> (usize, usize) {
        let own = || self.sections.iter().filter(|section| !section.fixed);
        (own().filter(|section| self.filter.passes(section)).count(), own().count())
    }

    /// Makes the text again when the assessment or the second is another.
    pub fn refresh(&mut self, ctx: &Ctx<'_>) {
        let made_for = Some((ctx.assessment.generation, ctx.now.timestamp()));
        if self.made_for == made_for {
            return;
        }
        self.made_for = made_for;
        self.sign = ctx.theme.symbols().cursor;
        self.sections = match &self.about {
            About::Estimates(part) => estimates::sections(part, ctx),
            About::Preflight(target) => preflight::sections(target.as_deref(), ctx),
            About::Updates => updates::sections(ctx),
            About::Phases => phases::sections(ctx),
        };
        // The phases are judged on what is read all the time.
        let reading = if self.about == About::Phases { None } else { reading(self.purpose(), ctx) };
        if let Some(reading) = reading {
            self.sections.insert(0, Section::fixed(vec![reading]));
        }
        self.show();
    }

    fn show(&mut self) {
        let shown: Vec<&Section> =
            self.sections.iter().filter(|section| section.fixed || self.filter.passes(section)).collect();
        let open = || shown.iter().filter(|section| section.ask.is_some());
        if !self.moved || !open().any(|section| section.name == self.chosen) {
            self.chosen =
                open().min_by_key(|section| section.standing).map(|best| best.name.clone()).unwrap_or_default();
        }
        let mut lines: Vec<TextLine> = Vec::new();
        self.offered.clear();
        for section in shown {
            let from = lines.len();
            if section.ask.is_none() {
                lines.extend(section.lines.iter().cloned());
                continue;
            }
            let at = self.offered.len();
            let mut own = section.lines.iter().map(|line| line.clone().choosing(at));
            let sign = if section.name == self.chosen { self.sign } else { " " };
            lines.extend(own.next().map(|line| line.led_by(Tone::Key, &format!("{sign} "))));
            lines.extend(own);
            self.offered.push((section.name.clone(), from..from + section.lines.len()));
        }
        self.view.set(lines);
    }

    /// Chooses the section that was drawn there; true: it was chosen already.
    pub fn choose_at(&mut self, at: Position) -> bool {
        let offered = self.view.choice_at(at).and_then(|at| self.offered.get(at));
        let Some((name, _)) = offered else { return false };
        if *name == self.chosen {
            return true;
        }
        self.choose(name.clone());
        false
    }

    fn choose(&mut self, name: String) {
        self.chosen = name;
        self.moved = true;
        self.show();
    }

    /// What choosing the chosen section asks for.
    pub fn picked(&self) -> Option<&Ask> {
        self.sections.iter().find(|section| section.name == self.chosen).and_then(|section| section.ask.as_ref())
    }

    /// Brings what is chosen onto the screen; false: it was there.
    pub fn reveal(&mut self) -> bool {
        let chosen = self.offered.iter().find(|(name, _)| *name == self.chosen);
        let Some(rows) = chosen.map(|(_, lines)| self.view.rows(lines.clone())) else { return false };
        let seen = self.view.visible();
        let hidden = rows.end <= seen.start || rows.start >= seen.end;
        if hidden {
            self.view.reveal(&rows, false);
        }
        hidden
    }

    /// Name of the section that is chosen; empty: none is.
    pub fn chosen(&self) -> &str {
        &self.chosen
    }

    /// Moves: through what can be chosen, and through the lines of what is longer than the screen.
    pub fn go(&mut self, motion: Motion) {
        let Some(at) = self.offered.iter().position(|(name, _)| *name == self.chosen) else {
            return self.view.go(motion);
        };
        let rows = |report: &Self, at: usize| report.view.rows(report.offered[at].1.clone());
        let (own, seen) = (rows(self, at), self.view.visible());
        let next = match motion {
            Motion::Down if own.end > seen.end || at + 1 == self.offered.len() => None,
            Motion::Down => Some(at + 1),
            Motion::Up if own.start < seen.start || at == 0 => None,
            Motion::Up => Some(at - 1),
            _ => {
                self.view.go(motion);
                return self.follow(motion, &seen);
            }
        };
        match next {
            None => self.view.go(motion),
            Some(next) => {
                let rows = rows(self, next);
                self.view.reveal(&rows, motion == Motion::Up);
                self.choose(self.offered[next].0.clone());
            }
        }
    }

    /// After a jump what is chosen is on the screen again; where nothing was left to scroll it is the first or the last.
    fn follow(&mut self, motion: Motion, before: &Range<usize>) {
        let seen = self.view.visible();
        let stayed = seen == *before;
        let visible = |(_, lines): &&(String, Range<usize>)| seen.contains(&self.view.rows(lines.clone()).start);
        let upwards = matches!(motion, Motion::First | Motion::PageUp | Motion::HalfUp);
        let found = match motion {
            Motion::First => self.offered.first(),
            Motion::Last => self.offered.last(),
            _ if stayed && upwards => self.offered.first(),
            _ if stayed => self.offered.last(),
            _ if self.offered.iter().filter(visible).any(|(name, _)| *name == self.chosen) => None,
            _ if upwards => self.offered.iter().rfind(visible),
            _ => self.offered.iter().find(visible),
        };
        if let Some((name, _)) = found {
            self.choose(name.clone());
        }
    }
}

/// What is still being read for a purpose; none: nothing is.
fn reading(purpose: Purpose, ctx: &Ctx<'_>) -> Option<TextLine> {
    let facts: &Facts = &ctx.assessment.facts;
    let wanted = needs(ctx.assessment, purpose);
    let coming = |status: &KindStatus| matches!(status, KindStatus::Waiting | KindStatus::NotAsked);
    let mut names: Vec<String> =
        wanted.kinds.iter().filter(|kind| coming(facts.status(**kind))).map(|kind| kind.plural().to_owned()).collect();
    let pods = match &wanted.pods {
        PodsOf::All => true,
        PodsOf::Nodes(nodes) => nodes.iter().any(|node| !facts.around.pods.contains_key(node)),
    };
    if pods && coming(facts.status(crate::upgrade::facts::Kind::Pods)) {
        names.push("pods".to_owned());
    }
    if names.is_empty() || !facts.link.state.writable() {
        return None;
    }
    Some(
        TextLine::new(
            Tone::Active,
            format!("{} reading {} ...", ctx.theme.symbols().active, words::listed(&names, NAMED)),
        )
        .hanging(2),
    )
}

/// `2026-03-07 03:12 (14m ago)`, or empty.
pub fn since_words(at: Option<DateTime<Utc>>, ctx: &Ctx<'_>) -> String {
    at.map_or_else(String::new, |at| {
        format!("since {} ({})", words::clock(at, ctx.now), words::since(Some(at), ctx.now, false))
    })
}

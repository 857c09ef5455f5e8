//! The action menu: what can be done to the selected object, to its pool, to the cluster, and why not.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::choices::{danger_tone, danger_words, target_words};
use crate::actions::{self, ActionId, Ask, Danger, Entry, Offered, Takes, Target};
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::motion::{Motion, scrolled};
use crate::ui::widgets::panel::scroll_mark;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::spots::Spots;
use crate::ui::words;
use crate::upgrade::facts::Kind;

/// Columns of the titles, at least.
const TITLE: usize = 44;

/// Lines below the list: what the selected action is, why not, and the line that does the same.
const FOOT: u16 = 4;

/// The popup.
#[derive(Debug)]
pub struct Menu {
    /// What is selected, the nearest first.
    here: Vec<Target>,
    /// The whole cluster, and what has to be named, in place of what is selected.
    whole: bool,
    /// The actions on the image-based upgrade come first.
    image_based: bool,
    cursor: usize,
    offset: usize,
    page: usize,
    /// Lines of the list, as it was drawn last.
    all: usize,
    /// Where its actions stand.
    spots: Spots<usize>,
}

/// What was picked.
#[derive(Debug, Clone, PartialEq)]
pub enum Picked {
    /// This wish; something may be missing in it.
    Wish(Ask),
    /// Nothing, and why.
    Refused(String),
}

/// An action that can be picked.
struct Choice {
    ask: Ask,
    title: String,
    danger: String,
    tone: Tone,
    /// Why it cannot be done now.
    refusal: Option<String>,
    /// What it is decided on is being read.
    reading: Option<String>,
}

impl Choice {
    /// Is it done to the image-based upgrade?
    fn image_based(&self) -> bool {
        self.ask.action.entry().needs.contains(&Kind::ImageBasedUpgrades)
    }
}

struct Group {
    heading: String,
    choices: Vec<Choice>,
}

/// A line of the list.
enum Line {
    Heading(String),
    Choice(usize, Choice),
}

impl Menu {
    /// The menu for what is selected.
    pub fn new(here: Vec<Target>) -> Self {
        Self { here, whole: false, image_based: false, cursor: 0, offset: 0, page: 5, all: 0, spots: Spots::default() }
    }

    /// The menu for the cluster as a whole.
    pub fn cluster_wide() -> Self {
        Self { whole: true, ..Self::new(Vec::new()) }
    }

    /// The menu for the image-based upgrade: its actions, then the others for the cluster.
    pub fn image_based() -> Self {
        Self { image_based: true, ..Self::cluster_wide() }
    }

    /// Title.
    pub fn title(&self) -> String {
        match self.here.first() {
            Some(target) if !self.whole => format!("actions for {}", target_words(target)),
            _ => "actions for the cluster".into(),
        }
    }

    /// From what is selected to the cluster as a whole, and back.
    pub fn turn(&mut self) {
        self.whole = self.here.is_empty() || !self.whole;
        (self.cursor, self.offset) = (0, 0);
    }

    fn groups(&self, ctx: &Ctx<'_>) -> Vec<Group> {
        if ctx.session.read_only.is_some() {
            return Vec::new();
        }
        let of = |target: &Target| Group { heading: heading(target), choices: offered(target, ctx) };
        let mut groups: Vec<Group> =
            if self.whole { vec![of(&Target::Cluster), named(ctx)] } else { self.here.iter().map(of).collect() };
        if self.image_based {
            let mut own = Group { heading: "The image-based upgrade".to_owned(), choices: Vec::new() };
            for group in &mut groups {
                let (first, rest) = std::mem::take(&mut group.choices).into_iter().partition(Choice::image_based);
                own.choices.extend::<Vec<Choice>>(first);
                group.choices = rest;
            }
            groups.insert(0, own);
        }
        groups.retain(|group| !group.choices.is_empty());
        groups
    }

    fn lines(&self, ctx: &Ctx<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut at = 0;
        for group in self.groups(ctx) {
            lines.push(Line::Heading(group.heading));
            for choice in group.choices {
                lines.push(Line::Choice(at, choice));
                at += 1;
            }
        }
        lines
    }

    fn choices(&self, ctx: &Ctx<'_>) -> Vec<Choice> {
        self.groups(ctx).into_iter().flat_map(|group| group.choices).collect()
    }

    /// Moves the selection.
    pub fn go(&mut self, motion: Motion, ctx: &Ctx<'_>) {
        self.cursor = motion.apply(self.cursor, self.choices(ctx).len(), self.page);
    }

    /// Selects the action that was drawn there; true: it was selected already.
    pub fn select_at(&mut self, at: Position) -> bool {
        self.spots.at(at).is_some_and(|row| std::mem::replace(&mut self.cursor, row) == row)
    }

    /// Takes the selected action.
    pub fn pick(&self, ctx: &Ctx<'_>) -> Option<Picked> {
        let choice = self.choices(ctx).into_iter().nth(self.cursor)?;
        Some(match choice.refusal {
            Some(why) if choice.reading.is_none() => Picked::Refused(why),
            _ => Picked::Wish(choice.ask),
        })
    }

    /// The selected action as a wish, whether it can be done now or not.
    pub fn selected(&self, ctx: &Ctx<'_>) -> Option<Ask> {
        self.choices(ctx).into_iter().nth(self.cursor).map(|choice| choice.ask)
    }

    /// The actions whose kinds have to be read for what is shown.
    pub fn shown(&self) -> impl Iterator<Item = &'static Entry> {
        let entries = ActionId::ALL.iter().map(|id| id.entry());
        let whole = self.whole;
        let here = self.here.clone();
        entries.filter(move |entry| whole || here.iter().any(|target| entry.fits(target)))
    }

    /// The menu as text.
    pub fn text(&self, ctx: &Ctx<'_>) -> String {
        let line = |line: Line| match line {
            Line::Heading(heading) => heading + "\n",
            Line::Choice(_, choice) => {
                let why = choice.refusal.map(|why| format!("  no: {why}")).unwrap_or_default();
                format!("  {} {}{why}\n", words::pad(&choice.title, TITLE, ".."), choice.danger)
            }
        };
        self.lines(ctx).into_iter().map(line).collect()
    }

    /// Which part of the list is visible, where not all is.
    pub fn place(&self) -> String {
        scroll_mark(self.offset, self.page, self.all)
    }

    /// Lines that the popup would like.
    pub fn height(&self, ctx: &Ctx<'_>) -> u16 {
        (self.lines(ctx).len() as u16).max(1) + FOOT
    }

    /// Draws the list, and below it what the selected action is.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        self.spots.clear();
        let lines = self.lines(ctx);
        let count = lines.iter().filter(|line| matches!(line, Line::Choice(..))).count();
        self.cursor = self.cursor.min(count.saturating_sub(1));
        if count == 0 {
            let text = self.nothing(ctx);
            for (text, y) in words::wrap(&text, area.width.into(), 0).iter().zip(area.y..area.bottom()) {
                write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, text);
            }
            return;
        }
        let list = Rect { height: area.height.saturating_sub(FOOT).max(1), ..area };
        self.page = usize::from(list.height).max(1);
        self.all = lines.len();
        let row = lines.iter().position(|line| matches!(line, Line::Choice(at, _) if *at == self.cursor)).unwrap_or(0);
        // With the first action of a group its heading is to be seen too.
        let top =
            if matches!(row.checked_sub(1).map(|above| &lines[above]), Some(Line::Heading(_))) { row - 1 } else { row };
        self.offset = scrolled(self.offset, top, lines.len(), self.page);
        self.offset = scrolled(self.offset, row, lines.len(), self.page);
        for (line, y) in lines.iter().skip(self.offset).zip(list.y..list.bottom()) {
            let row = Rect { y, height: 1, ..list };
            self.draw_line(buffer, row, line, ctx);
            if let Line::Choice(at, _) = line {
                self.spots.put(row, *at);
            }
        }
        let selected = lines.into_iter().find_map(|line| match line {
            Line::Choice(at, choice) if at == self.cursor => Some(choice),
            _ => None,
        });
        if let Some(choice) = selected {
            let foot = Rect { y: list.bottom(), height: area.bottom().saturating_sub(list.bottom()), ..area };
            draw_foot(buffer, foot, &choice, ctx);
        }
    }

    fn draw_line(&self, buffer: &mut Buffer, area: Rect, line: &Line, ctx: &Ctx<'_>) {
        let mut pen = Pen::new(ctx.theme);
        let (at, choice) = match line {
            Line::Heading(heading) => {
                pen.put(Tone::Heading, heading);
                pen.draw(buffer, area);
                return;
            }
            Line::Choice(at, choice) => (*at, choice),
        };
        let selected = at == self.cursor;
        pen.sign(Tone::Key, if selected { ctx.theme.symbols().cursor } else { " " });
        let able = choice.refusal.is_none() || choice.reading.is_some();
        let title = title_columns(area.width);
        pen.put(if able { choice.tone } else { Tone::Dim }, format!(" {} ", words::pad(&choice.title, title, "..")));
        pen.put(if able { choice.tone } else { Tone::Dim }, words::pad(&choice.danger, 4, ""));
        let room = usize::from(area.width);
        match (&choice.reading, &choice.refusal) {
            (Some(kinds), _) => pen.rest(Tone::Dim, format!("reading {kinds} ..."), room),
            (None, Some(why)) => pen.rest(Tone::Dim, format!("no: {why}"), room),
            (None, None) => &mut pen,
        };
        pen.draw(buffer, area);
        if selected {
            buffer.set_style(area, ctx.theme.style(Tone::Selected));
        }
    }

    fn nothing(&self, ctx: &Ctx<'_>) -> String {
        let barred = barred(ctx).count();
        match (&ctx.session.read_only, self.here.first()) {
            (Some(why), _) => format!("writes are off: {why}"),
            (None, _) if barred == ActionId::ALL.len() => "no action is permitted here".into(),
            (None, Some(target)) if !self.whole => {
                format!("there is no action for {}", target_words(target))
            }
            (None, _) => "there is no action".into(),
        }
    }
}

/// Columns of the titles in a list that is so wide.
fn title_columns(width: u16) -> usize {
    TITLE.max(usize::from(width) * 3 / 5).min(usize::from(width).saturating_sub(8))
}

/// The actions that the server does not let this user do.
pub fn barred(ctx: &Ctx<'_>) -> impl Iterator<Item = ActionId> {
    let access = &ctx.assessment.facts.access;
    let barred = move |id: &ActionId| ctx.session.forbidden.contains(id) || id.entry().barred(access).is_some();
    ActionId::ALL.iter().copied().filter(barred)
}

fn heading(target: &Target) -> String {
    match target {
        Target::Cluster => "The cluster".into(),
        other => {
            let words = target_words(other);
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// The kinds that an action is decided on and that are not read yet, in words.
pub fn reading(entry: &Entry, ctx: &Ctx<'_>) -> Option<String> {
    let kinds = entry.unread(&ctx.assessment.facts);
    (!kinds.is_empty()).then(|| kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", "))
}

/// What makes sense for a target.
fn offered(target: &Target, ctx: &Ctx<'_>) -> Vec<Choice> {
    let permitted = |offered: &Offered| offered.action.entry().barred(&ctx.assessment.facts.access).is_none();
    let choice = |offered: Offered| {
        let entry = offered.action.entry();
        // How dangerous it is depends on what is only read for its plan: the least of it would be a promise.
        let open = matches!(entry.takes, Takes::Objects { .. } | Takes::Listed);
        let worst = entry.dangers.last().copied().filter(|_| open).unwrap_or(offered.danger);
        Choice {
            reading: reading(entry, ctx),
            ask: Ask::new(offered.action, target.clone()),
            title: offered.title,
            danger: if open { letters_of(entry.dangers) } else { letter(offered.danger) },
            tone: danger_tone(worst),
            refusal: offered.refusal.map(|refusal| refusal.0),
        }
    };
    actions::offered(ctx.assessment, ctx.session, target).into_iter().filter(permitted).map(choice).collect()
}

/// The actions that need something to be named.
fn named(ctx: &Ctx<'_>) -> Group {
    let cluster: Vec<ActionId> = actions::offered(ctx.assessment, ctx.session, &Target::Cluster)
        .into_iter()
        .map(|offered| offered.action)
        .collect();
    let barred: Vec<ActionId> = barred(ctx).collect();
    let entries = ActionId::ALL.iter().filter(|id| !cluster.contains(id) && !barred.contains(id)).map(|id| id.entry());
    let choice = |entry: &'static Entry| {
        let mut letters = entry.summary.chars();
        Choice {
            ask: Ask::new(entry.id, Target::Cluster),
            title: letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default(),
            danger: letters_of(entry.dangers),
            tone: entry.dangers.last().map_or(Tone::Text, |danger| danger_tone(*danger)),
            refusal: None,
            reading: None,
        }
    };
    Group { heading: "What has to be named".into(), choices: entries.map(choice).collect() }
}

fn letter(danger: Danger) -> String {
    format!("{danger:?}")
}

/// `L`, `L-H`.
fn letters_of(dangers: &[Danger]) -> String {
    match dangers {
        [] => String::new(),
        [one] => letter(*one),
        [first, .., last] => format!("{first:?}-{last:?}"),
    }
}

/// What the selected action is: a rule, why not or what its danger means, and the line that does it.
fn draw_foot(buffer: &mut Buffer, area: Rect, choice: &Choice, ctx: &Ctx<'_>) {
    let entry = choice.ask.action.entry();
    let dangers = || {
        let words = entry.dangers.iter().map(|danger| danger_words(*danger));
        words.collect::<Vec<_>>().join("; ")
    };
    let (tone, text) = match (&choice.reading, &choice.refusal) {
        (Some(kinds), _) => (Tone::Dim, format!("reading {kinds} ...")),
        (None, Some(why)) => (Tone::Warning, format!("no: {why}")),
        (None, None) => (Tone::Text, format!("{}: {}", entry.summary, dangers())),
    };
    // A title that is cut in the list is told in full.
    let cut = words::width(&choice.title) > title_columns(area.width);
    let text = if cut { format!("{}; {text}", choice.title) } else { text };
    let mut y = area.y;
    if area.height >= FOOT {
        let rule = ctx.theme.symbols().dot.repeat(usize::from(area.width));
        write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, &rule);
        y += 1;
    }
    let lines = words::wrap(&text, area.width.into(), 0);
    let room = usize::from(area.bottom().saturating_sub(y).saturating_sub(1));
    for line in lines.iter().take(room) {
        write(buffer, (area.x, y), area.width, ctx.theme, tone, line);
        y += 1;
    }
    if area.bottom() > area.y {
        let missing = entry.accepts(&choice.ask).is_err();
        let line = if missing { entry.usage() } else { choice.ask.line() };
        write(buffer, (area.x, area.bottom() - 1), area.width, ctx.theme, Tone::Dim, &format!("oc-cockpit do {line}"));
    }
}

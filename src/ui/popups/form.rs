//! The form of an action: a field for its target and for each of its values.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::menu::reading;
use crate::actions::{ActionId, Arg, ArgKind, Args, Ask, Refusal, SET, split};
use crate::input::{Command, Key};
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::line_edit::LineEdit;
use crate::ui::widgets::motion::scrolled;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::spots::Spots;
use crate::ui::words;

/// Choices that are shown below the field that has the focus.
const CHOICES: usize = 4;

/// What a command led to.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// Nothing further.
    Stay,
    /// The form was dropped.
    Close,
    /// This is wanted.
    Wanted(Ask),
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Target,
    Value(&'static str),
}

#[derive(Debug)]
struct Field {
    slot: Slot,
    label: String,
    help: &'static str,
    required: bool,
    several: bool,
    flag: bool,
    edit: LineEdit,
    on: bool,
}

/// The popup.
#[derive(Debug)]
pub struct Form {
    action: ActionId,
    fields: Vec<Field>,
    /// A field, or one of the two buttons behind them.
    focus: usize,
    /// What is in the way.
    notice: Option<String>,
    offset: usize,
    /// Where fields, choices and buttons stand.
    spots: Spots<Spot>,
    /// The choices below the field that has the focus, as they were drawn last.
    offered: Vec<String>,
}

/// What a click can be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// A field or a button, by its place in the order of the focus.
    Field(usize),
    /// A choice for the field that has the focus.
    Choice(usize),
}

impl Form {
    /// The form of an action with what is known already. The first field that has to be filled has the focus.
    pub fn new(action: ActionId, names: &[String], values: &Args) -> Self {
        let entry = action.entry();
        let mut fields = Vec::new();
        if let Some(nouns) = entry.nouns() {
            fields.push(Field {
                slot: Slot::Target,
                label: nouns.noun.to_lowercase(),
                help: if nouns.several { "by name, several with blanks between" } else { "by name" },
                required: nouns.required,
                several: nouns.several,
                flag: false,
                edit: LineEdit::with(&names.join(" ")),
                on: false,
            });
        }
        let words = entry.args.iter().filter(|arg| arg.positional);
        fields.extend(words.chain(entry.args.iter().filter(|arg| !arg.positional)).map(|arg| field(arg, values)));
        let empty = |field: &Field| field.required && field.edit.text().is_empty();
        let focus = fields.iter().position(empty).unwrap_or_else(|| usize::from(fields.is_empty()));
        Self { action, fields, focus, notice: None, offset: 0, spots: Spots::default(), offered: Vec::new() }
    }

    /// The action.
    pub fn action(&self) -> ActionId {
        self.action
    }

    /// Title.
    pub fn title(&self) -> String {
        self.action.name().to_owned()
    }

    /// Something is in the way: shown in the form, which keeps what was typed.
    pub fn refused(&mut self, why: &str) {
        self.notice = Some(why.to_owned());
    }

    /// Is text being typed?
    pub fn typing(&self) -> bool {
        self.focus < self.fields.len()
    }

    /// The place of the two buttons behind the fields.
    fn cancel(&self) -> usize {
        self.fields.len()
    }

    fn confirm(&self) -> usize {
        self.fields.len() + 1
    }

    fn step(&mut self, forward: bool) {
        let n = self.fields.len() + 2;
        self.focus = if forward { self.focus + 1 } else { self.focus + n - 1 } % n;
    }

    /// A key for the field that has the focus.
    pub fn key(&mut self, key: Key) {
        let Some(field) = self.fields.get_mut(self.focus) else { return };
        if field.flag {
            match key.typed() {
                Some(' ' | 'x') => field.on = !field.on,
                Some('y') => field.on = true,
                Some('n') => field.on = false,
                _ => {}
            }
        } else {
            field.edit.edit(key);
        }
    }

    /// A paste for the field that has the focus.
    pub fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.focus).filter(|field| !field.flag) {
            field.edit.insert(text.trim());
        }
    }

    /// A command.
    pub fn command(&mut self, command: Command, ctx: &Ctx<'_>) -> Outcome {
        match command {
            Command::Back | Command::Leave | Command::Cancel => return Outcome::Close,
            Command::NextField | Command::NextPane | Command::Right | Command::Down => self.step(true),
            Command::PreviousField | Command::PreviousPane | Command::Left | Command::Up => self.step(false),
            Command::Accept => self.focus = self.after(),
            Command::Complete | Command::Newer => self.choose(true, ctx),
            Command::Older => self.choose(false, ctx),
            Command::EraseLine | Command::EraseWord => {
                if let Some(field) = self.fields.get_mut(self.focus) {
                    if command == Command::EraseLine { field.edit.erase() } else { field.edit.erase_word() }
                }
            }
            Command::Press | Command::Enter if self.focus == self.cancel() => return Outcome::Close,
            Command::Press | Command::Enter => match self.ask() {
                Ok(ask) => {
                    self.notice = None;
                    return Outcome::Wanted(ask);
                }
                Err(Refusal(why)) => self.notice = Some(why),
            },
            _ => {}
        }
        Outcome::Stay
    }

    /// A click: it gives a field or a button the focus and takes a choice. On what has the focus already it turns a flag
    /// and presses a button: none of the two sends anything.
    pub fn click(&mut self, at: Position, ctx: &Ctx<'_>) -> Outcome {
        match self.spots.at(at) {
            Some(Spot::Choice(at)) => {
                if let (Some(choice), Some(field)) = (self.offered.get(at), self.fields.get_mut(self.focus)) {
                    let kept = field.edit.text().len() - last_word(field).len();
                    let text = format!("{}{choice}", &field.edit.text()[..kept]);
                    field.edit.set(&text);
                }
            }
            Some(Spot::Field(at)) if at != self.focus => self.focus = at,
            Some(Spot::Field(at)) => match self.fields.get_mut(at) {
                Some(field) => field.on = field.flag && !field.on,
                None => return self.command(Command::Press, ctx),
            },
            None => {}
        }
        Outcome::Stay
    }

    /// Where the focus goes when a field is accepted: to the next one; behind the last to the button that goes on.
    fn after(&self) -> usize {
        if self.focus + 1 < self.fields.len() { self.focus + 1 } else { self.confirm() }
    }

    /// What is wanted, as far as it is filled in.
    ///
    /// # Errors
    /// What is missing or wrong, in words.
    pub fn ask(&self) -> Result<Ask, Refusal> {
        let entry = self.action.entry();
        let (mut names, mut values) = (Vec::new(), Args::default());
        for field in &self.fields {
            let text = field.edit.text().trim();
            let texts = match (field.flag, field.several) {
                (true, _) if field.on => vec![SET.to_owned()],
                (true, _) => Vec::new(),
                (false, _) if text.is_empty() => Vec::new(),
                (false, true) => split(text).map_err(Refusal)?,
                (false, false) => vec![text.to_owned()],
            };
            match field.slot {
                Slot::Target => names = texts,
                Slot::Value(name) => texts.into_iter().for_each(|text| values.add(name, text)),
            }
        }
        entry.wish(&names, values)
    }

    /// The values to choose from for a field, that go on from what is typed.
    fn choices(&self, field: &Field, ctx: &Ctx<'_>) -> Vec<String> {
        let entry = self.action.entry();
        let all = match field.slot {
            Slot::Target => entry.targets(ctx.assessment),
            Slot::Value(name) => {
                let arg = entry.args.iter().find(|arg| arg.name == name);
                arg.and_then(|arg| arg.choices).map(|choices| choices(ctx.assessment)).unwrap_or_default()
            }
        };
        let last = last_word(field);
        let given: Vec<&str> = field.edit.text().split_whitespace().collect();
        // What is chosen already is a place in the list; what is typed narrows it.
        if all.iter().any(|one| one == last) {
            return all;
        }
        let fits = |one: &String| one.starts_with(last) && !(field.several && given.contains(&one.as_str()));
        all.into_iter().filter(fits).collect()
    }

    /// The next or the previous choice for the field; where there is none, the next field.
    fn choose(&mut self, forward: bool, ctx: &Ctx<'_>) {
        let Some(field) = self.fields.get(self.focus) else { return self.step(forward) };
        let choices = self.choices(field, ctx);
        if choices.is_empty() {
            return self.step(forward);
        }
        let last = last_word(field);
        let at = choices.iter().position(|choice| choice == last);
        let n = choices.len();
        let next = match (at, forward) {
            (None, true) => 0,
            (None, false) => n - 1,
            (Some(at), true) => (at + 1) % n,
            (Some(at), false) => (at + n - 1) % n,
        };
        let text = field.edit.text();
        let kept = text.len() - last.len();
        let text = format!("{}{}", &text[..kept], choices[next]);
        self.fields[self.focus].edit.set(&text);
    }

    /// The form as text.
    pub fn text(&self) -> String {
        let line = |field: &Field| format!("{}: {}\n", field.label, shown(field));
        let head = format!("{}\n", self.action.entry().usage());
        self.fields.iter().map(line).fold(head, |text, line| text + &line)
    }

    /// Lines that the popup would like.
    pub fn height(&self) -> u16 {
        (self.fields.len() * 2 + CHOICES + 10) as u16
    }

    /// Draws the fields and the buttons; gives back where the cursor stands.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        let entry = self.action.entry();
        let mut y = area.y;
        let mut line = |buffer: &mut Buffer, tone: Tone, text: &str| {
            for part in words::wrap(text, area.width.into(), 2) {
                if y + 1 < area.bottom() {
                    write(buffer, (area.x, y), area.width, ctx.theme, tone, &part);
                    y += 1;
                }
            }
        };
        line(buffer, Tone::Text, entry.summary);
        if let Some(notice) = &self.notice {
            line(buffer, Tone::Danger, &format!("{} {notice}", ctx.theme.symbols().warn));
        }
        if let Some(kinds) = reading(entry, ctx) {
            line(buffer, Tone::Dim, &format!("reading {kinds} ..."));
        }
        y += 1;
        self.spots.clear();
        let list = Rect { y, height: area.bottom().saturating_sub(y + 2), ..area };
        let cursor = self.draw_fields(buffer, list, ctx);
        self.draw_buttons(buffer, Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }, ctx);
        cursor
    }

    fn draw_fields(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        // Label and help, the text below: two lines a field, and the choices below the one that has the focus.
        let mut rows: Vec<(usize, Row)> = Vec::new();
        let mut offered = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            let star = if field.required { "*" } else { "" };
            let mut words =
                words::wrap(&format!("{}{star} {}", field.label, field.help), area.width.into(), 4).into_iter();
            let first = words.next().unwrap_or_default();
            let help = first.get(field.label.len() + star.len()..).unwrap_or_default().trim_start().to_owned();
            rows.push((at, Row::Label(help)));
            rows.extend(words.map(|more| (at, Row::More(more))));
            rows.push((at, Row::Text));
            if at == self.focus {
                let choices = self.choices(field, ctx);
                offered = window(&choices, last_word(field));
                rows.extend((0..offered.len()).map(|choice| (at, Row::Choice(choice))));
            }
        }
        self.offered = offered;
        let page = usize::from(area.height).max(1);
        let first = rows.iter().position(|(at, _)| *at == self.focus).unwrap_or(0);
        let last = rows.iter().rposition(|(at, _)| *at == self.focus).unwrap_or(0);
        self.offset = scrolled(self.offset, last, rows.len(), page);
        self.offset = scrolled(self.offset, first, rows.len(), page);
        let mut cursor = None;
        for ((at, row), y) in rows.iter().skip(self.offset).zip(area.y..area.bottom()) {
            let line = Rect { y, height: 1, ..area };
            let field = &self.fields[*at];
            let focused = *at == self.focus;
            self.spots.put(line, if let Row::Choice(choice) = row { Spot::Choice(*choice) } else { Spot::Field(*at) });
            match row {
                Row::Label(help) => draw_label(buffer, line, (field, help), focused, ctx),
                Row::More(help) => write(buffer, (line.x, y), line.width, ctx.theme, Tone::Dim, help),
                Row::Text => cursor = draw_text(buffer, line, field, focused, ctx).or(cursor),
                Row::Choice(choice) => {
                    let choice = self.offered[*choice].as_str();
                    let chosen = choice == last_word(field);
                    let mut pen = Pen::new(ctx.theme);
                    pen.gap(4).sign(Tone::Key, if chosen { ctx.theme.symbols().cursor } else { " " });
                    pen.put(if chosen { Tone::Strong } else { Tone::Dim }, format!(" {choice}"));
                    pen.draw(buffer, line);
                }
            }
        }
        cursor
    }

    fn draw_buttons(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let mut pen = Pen::new(ctx.theme);
        for (at, text) in [(self.cancel(), "leave it"), (self.confirm(), "show the plan")] {
            let focused = self.focus == at;
            let tone = if focused { Tone::ButtonFocused } else { Tone::Button };
            let from = pen.width();
            pen.put(tone, if focused { format!("[ {text} ]") } else { format!("  {text}  ") });
            self.spots.put(pen.span(area, from), Spot::Field(at));
            pen.gap(2);
        }
        pen.draw(buffer, area);
    }
}

enum Row {
    /// The name of the field, and as much of its help as fits beside it.
    Label(String),
    /// More of its help.
    More(String),
    Text,
    /// One of the choices that are offered.
    Choice(usize),
}

fn field(arg: &'static Arg, values: &Args) -> Field {
    let known = values.all(arg.name);
    let text = if arg.several { known.join(" ") } else { known.last().cloned().unwrap_or_default() };
    let flag = arg.kind == ArgKind::Flag;
    Field {
        slot: Slot::Value(arg.name),
        label: arg.name.to_owned(),
        help: arg.words,
        required: arg.required,
        several: arg.several,
        flag,
        edit: LineEdit::with(if flag { "" } else { &text }),
        on: flag && !known.is_empty(),
    }
}

/// What is typed since the last blank, where several can be named; else all of it.
fn last_word(field: &Field) -> &str {
    let text = field.edit.text();
    if field.several { text.rsplit(' ').next().unwrap_or_default() } else { text }
}

/// At most [`CHOICES`] of the choices, with the chosen one among them.
fn window(choices: &[String], chosen: &str) -> Vec<String> {
    let at = choices.iter().position(|choice| choice == chosen).unwrap_or(0);
    let first = (at + 1).saturating_sub(CHOICES);
    choices.iter().skip(first).take(CHOICES).cloned().collect()
}

fn shown(field: &Field) -> String {
    match (field.flag, field.on) {
        (true, true) => "yes".to_owned(),
        (true, false) => "no".to_owned(),
        (false, _) => field.edit.text().to_owned(),
    }
}

fn draw_label(buffer: &mut Buffer, area: Rect, (field, help): (&Field, &str), focused: bool, ctx: &Ctx<'_>) {
    let mut pen = Pen::new(ctx.theme);
    pen.put(if focused { Tone::Key } else { Tone::Text }, &field.label);
    if field.required {
        pen.put(Tone::Danger, "*");
    }
    pen.gap(1).rest(Tone::Dim, help, area.width.into());
    pen.draw(buffer, area);
}

fn draw_text(buffer: &mut Buffer, area: Rect, field: &Field, focused: bool, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
    let mut pen = Pen::new(ctx.theme);
    let tone = if focused { Tone::Key } else { Tone::Dim };
    if field.flag {
        pen.put(tone, if field.on { "  [x] yes" } else { "  [ ] no" });
        if focused {
            pen.gap(2).put(Tone::Dim, "space changes it");
        }
        pen.draw(buffer, area);
        return None;
    }
    let before = field.edit.before();
    let room = usize::from(area.width).saturating_sub(5);
    // A long text is seen at its cursor.
    let lead = words::width(before).saturating_sub(room);
    let mut skipped = 0;
    let text: String = field
        .edit
        .text()
        .chars()
        .skip_while(|c| {
            let skip = skipped < lead;
            skipped += words::width(&c.to_string());
            skip
        })
        .collect();
    pen.put(tone, "  > ").put(Tone::Prompt, text);
    pen.draw(buffer, area);
    let x = area.x + 4 + words::width(before).min(room) as u16;
    (focused && x < area.right()).then_some((x, area.y))
}

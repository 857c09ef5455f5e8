//! A plan that waits for confirmation: everything it rests on and everything it will do, before anything is sent.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::choices::{danger_tone, danger_words};
use crate::actions::{ALL, ActionId, Arg, ArgKind, Ask, Confirm, Danger, Drain, PatchKind, Plan, Read, Verb, Write};
use crate::input::{Command, Key};
use crate::ui::ctx::Ctx;
use crate::ui::request::{Rehearsed, Request};
use crate::ui::theme::Tone;
use crate::ui::widgets::line_edit::LineEdit;
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// The answer to a question.
    Answer(usize),
    /// The text that confirms.
    Typed,
    /// A flag of the action, by its place among them: given or not, the plan is made anew.
    Flag(usize),
    /// The safe button.
    Cancel,
    /// The other one.
    Confirm,
}

/// What a command led to.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// Nothing further.
    Stay,
    /// The plan was dropped.
    Close,
    /// The plan was confirmed.
    Confirmed(Request),
    /// Another plan is wanted.
    Asked(Request),
    /// It cannot be confirmed yet: why.
    NotYet(String),
}

/// The popup.
#[derive(Debug)]
pub struct PlanPopup {
    plan: Plan,
    dry_runs: Vec<Option<Result<(), String>>>,
    reads: Vec<Option<Result<Vec<String>, String>>>,
    answers: Vec<LineEdit>,
    typed: LineEdit,
    focus: Field,
    notice: Option<String>,
    /// It cannot be made as it was asked for.
    refused: bool,
    view: TextView,
}

impl PlanPopup {
    /// A plan as it was made. Where text has to be typed the first field has the focus, else the safe button.
    pub fn new(plan: Plan) -> Self {
        let mut popup = Self {
            dry_runs: vec![None; plan.writes.len()],
            reads: vec![None; plan.reads.len()],
            answers: vec![LineEdit::default(); plan.questions.len()],
            typed: LineEdit::default(),
            focus: Field::Cancel,
            notice: None,
            refused: false,
            view: TextView::default(),
            plan,
        };
        popup.focus = popup.first();
        popup
    }

    /// What was typed for a plan of before stays where the same is asked.
    pub fn keep_answers(&mut self, before: &Self) {
        for (question, answer) in self.plan.questions.iter().zip(&mut self.answers) {
            let asked = before.plan.questions.iter().position(|asked| asked.name == question.name);
            if let Some(known) = asked.and_then(|at| before.answers.get(at)) {
                answer.clone_from(known);
            }
        }
        self.focus = self.first();
    }

    /// The first field without a text; without any, the safe button.
    fn first(&self) -> Field {
        let empty = |field: &Field| match field {
            Field::Answer(at) => self.answers[*at].text().is_empty(),
            // What could be given besides is no question.
            Field::Flag(_) => false,
            _ => true,
        };
        self.fields().into_iter().find(empty).unwrap_or(Field::Cancel)
    }

    /// The action.
    pub fn action(&self) -> ActionId {
        self.plan.action
    }

    /// Is this the plan for that wish?
    pub fn is(&self, ask: &Ask) -> bool {
        self.plan.ask() == *ask
    }

    /// Title.
    pub fn title(&self) -> &str {
        &self.plan.title
    }

    /// Danger, for the frame.
    pub fn danger(&self) -> Danger {
        self.plan.danger
    }

    /// News about the plan.
    pub fn rehearsed(&mut self, news: Rehearsed) {
        match news {
            Rehearsed::DryRun { write, result } => {
                if let Some(slot) = self.dry_runs.get_mut(write) {
                    let refused = result.is_err();
                    *slot = Some(result.map(|_| ()));
                    if refused {
                        // There is nothing left to type for: the safe button closes it.
                        self.focus = Field::Cancel;
                    }
                }
            }
            Rehearsed::Read { read, result } => {
                let known = self.plan.reads.iter().position(|planned| *planned == read);
                if let Some(slot) = known.and_then(|at| self.reads.get_mut(at)) {
                    *slot = Some(result);
                }
            }
            Rehearsed::Whole { plan } => self.renew(*plan),
            Rehearsed::Changed { plan, why } => {
                self.renew(*plan);
                self.notice = Some(format!("{why}: this is the new plan, read it again"));
            }
        }
    }

    fn renew(&mut self, plan: Plan) {
        let before = std::mem::replace(self, Self::new(plan));
        self.keep_answers(&before);
    }

    /// Something is in the way: shown in the popup, which stays until it is left by the safe button, which has the focus.
    pub fn refused(&mut self, why: &str) {
        self.notice = Some(why.to_owned());
        self.refused = true;
        // What may be in the way of the plan is in the way no longer when it is accepted.
        let missing = self.flags().position(|flag| !self.plan.args.flag(flag.name));
        self.focus = missing.map_or(Field::Cancel, Field::Flag);
    }

    /// What can be given with the action, or not: where something is in the way of the plan, or may be. Once it is whole,
    /// what was given can be taken back; the rest is for the form.
    fn flags(&self) -> impl Iterator<Item = &'static Arg> {
        let open = self.refused || self.plan.writes.is_empty();
        let shown = move |arg: &&Arg| arg.name != ALL && (open || self.plan.args.flag(arg.name));
        self.plan.action.entry().args.iter().filter(|arg| arg.kind == ArgKind::Flag).filter(shown)
    }

    /// The same wish with a flag that was not given, or without one that was.
    fn toggled(&self, at: usize) -> Option<Ask> {
        let flag = self.flags().nth(at)?;
        let mut ask = self.plan.ask();
        if ask.args.flag(flag.name) {
            ask.args.remove(flag.name);
        } else {
            ask.args.add(flag.name, "true");
        }
        Some(ask)
    }

    fn fields(&self) -> Vec<Field> {
        let answers = (0..self.answers.len()).map(Field::Answer);
        let typed = matches!(self.plan.confirm, Confirm::Type(_)).then_some(Field::Typed);
        let flags = (0..self.flags().count()).map(Field::Flag);
        answers.chain(typed).chain([Field::Cancel, Field::Confirm]).chain(flags).collect()
    }

    /// Is text being typed?
    pub fn typing(&self) -> bool {
        matches!(self.focus, Field::Answer(_) | Field::Typed)
    }

    fn edit(&mut self) -> Option<&mut LineEdit> {
        match self.focus {
            Field::Answer(at) => self.answers.get_mut(at),
            Field::Typed => Some(&mut self.typed),
            _ => None,
        }
    }

    /// A key for the field that has the focus.
    pub fn key(&mut self, key: Key) {
        if let Some(edit) = self.edit() {
            edit.edit(key);
        }
    }

    /// A paste for the field that has the focus. What has to be typed has to be typed.
    pub fn paste(&mut self, text: &str) {
        if let Field::Answer(at) = self.focus
            && let Some(edit) = self.answers.get_mut(at)
        {
            edit.insert(text);
        }
    }

    fn step(&mut self, forward: bool) {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.focus).unwrap_or(0);
        let next = if forward { at + 1 } else { at + fields.len() - 1 };
        self.focus = fields[next % fields.len()];
    }

    /// A command.
    pub fn command(&mut self, command: Command, ctx: &Ctx<'_>) -> Outcome {
        match command {
            Command::Back | Command::Leave | Command::Cancel => return Outcome::Close,
            Command::NextField | Command::Right | Command::NextPane | Command::Accept => self.step(true),
            Command::PreviousField | Command::Left | Command::PreviousPane => self.step(false),
            Command::EraseLine => {
                if let Some(edit) = self.edit() {
                    edit.erase();
                }
            }
            Command::EraseWord => {
                if let Some(edit) = self.edit() {
                    edit.erase_word();
                }
            }
            Command::Press | Command::Enter => match self.focus {
                Field::Confirm => return self.confirm(ctx),
                Field::Cancel => return Outcome::Close,
                Field::Flag(at) => {
                    if let Some(ask) = self.toggled(at) {
                        return Outcome::Asked(Request::Plan(ask));
                    }
                }
                _ => self.step(true),
            },
            Command::Older => self.view.go(Motion::Up),
            Command::Newer => self.view.go(Motion::Down),
            other => {
                if let Some(motion) = Motion::of(other) {
                    self.view.go(motion);
                }
            }
        }
        Outcome::Stay
    }

    fn confirm(&self, ctx: &Ctx<'_>) -> Outcome {
        match self.obstacle(ctx) {
            Some(why) => Outcome::NotYet(why),
            None => Outcome::Confirmed(Request::Confirm {
                plan: Box::new(self.plan.clone()),
                answers: self
                    .plan
                    .questions
                    .iter()
                    .zip(&self.answers)
                    .map(|(question, answer)| (question.name.clone(), answer.text().trim().to_owned()))
                    .collect(),
            }),
        }
    }

    /// Why the plan cannot be confirmed now.
    fn obstacle(&self, ctx: &Ctx<'_>) -> Option<String> {
        if let Some(why) = &ctx.session.read_only {
            return Some(format!("writes are off: {why}"));
        }
        if !ctx.assessment.facts.link.state.writable() {
            return Some("the picture is not live: no write is sent on it".into());
        }
        if self.refused {
            return Some("it is refused as it was asked for".into());
        }
        if self.dry_runs.iter().any(|run| matches!(run, Some(Err(_)))) {
            return Some("the server refused the dry run".into());
        }
        if self.dry_runs.iter().any(Option::is_none) {
            return Some("the dry run has not come back yet".into());
        }
        if self.reads.iter().any(Option::is_none) {
            return Some("the consequences are still being read".into());
        }
        let mut answers = self.plan.questions.iter().zip(&self.answers);
        if let Some(open) = answers.find_map(|(question, answer)| question.unanswered_by(answer.text())) {
            return Some(format!("to be answered first: {open}"));
        }
        match &self.plan.confirm {
            Confirm::Type(text) if self.typed.text().trim() != text => Some(format!("type {text} to confirm")),
            _ => None,
        }
    }

    /// What copying gives: the `oc` lines.
    pub fn oc_lines(&self) -> String {
        if let Some(drain) = &self.plan.drain {
            return drain.oc.clone();
        }
        self.plan.writes.iter().map(|write| write.oc.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The plan as text.
    pub fn text(&self) -> String {
        self.view.text()
    }

    fn lines(&self, ctx: &Ctx<'_>) -> Vec<TextLine> {
        let signs = ctx.theme.symbols();
        let mut lines = Vec::new();
        if let Some(notice) = &self.notice {
            lines.push(TextLine::new(Tone::Danger, format!("{} {notice}", signs.warn)).hanging(2));
            lines.push(TextLine::default());
        }
        self.dry_run_refusals(&mut lines, signs.fail);
        let danger = self.plan.danger;
        lines.push(TextLine::new(Tone::Dim, "danger ").and(danger_tone(danger), danger_words(danger)));
        lines.push(TextLine::default());
        lines.push(TextLine::new(Tone::Heading, "What follows"));
        for text in &self.plan.consequences {
            let tone = if danger == Danger::L { Tone::Text } else { Tone::Strong };
            lines.push(TextLine::new(Tone::Dim, format!("  {} ", signs.dot)).and(tone, text).hanging(4));
        }
        for (read, answer) in self.plan.reads.iter().zip(&self.reads) {
            read_lines(&mut lines, read, answer.as_ref());
        }
        lines.push(TextLine::default());
        lines.push(TextLine::new(Tone::Heading, "What was checked on the live objects"));
        for check in &self.plan.preconditions {
            let line = TextLine::new(Tone::Ok, format!("  {} ", signs.ok)).and(Tone::Text, &check.words);
            lines.push(line.and(Tone::Dim, format!("   {}", check.evidence)).hanging(6));
        }
        lines.push(TextLine::default());
        let many = words::count(self.plan.writes.len(), "request", "requests");
        lines.push(TextLine::new(Tone::Heading, format!("What will be sent: {many}")));
        for (write, run) in self.plan.writes.iter().zip(&self.dry_runs) {
            write_lines(&mut lines, write, run.as_ref(), ctx);
        }
        if let Some(drain) = &self.plan.drain {
            drain_lines(&mut lines, drain);
        }
        if let Some(inverse) = self.plan.inverse {
            lines.push(TextLine::default());
            lines.push(TextLine::new(Tone::Dim, format!("to be reversed by: {}", Command::Act(inverse).word())));
        }
        lines
    }

    /// What the server has against it comes first: the requests, which tell it again, may stand below the fold.
    fn dry_run_refusals(&self, lines: &mut Vec<TextLine>, sign: &str) {
        let runs = self.plan.writes.iter().zip(&self.dry_runs);
        let refused: Vec<(&Write, &String)> =
            runs.filter_map(|(write, run)| Some((write, run.as_ref()?.as_ref().err()?))).collect();
        let Some(((write, why), more)) = refused.split_first() else { return };
        lines.push(TextLine::new(Tone::Danger, format!("{sign} {}: {why}", write.object)).hanging(2));
        if !more.is_empty() {
            let more = words::count(more.len(), "request", "requests");
            lines.push(TextLine::new(Tone::Danger, format!("{sign} {more} more would be refused, see below")));
        }
        lines.push(TextLine::default());
    }

    /// Lines that the popup would like at a width.
    pub fn height(&self, ctx: &Ctx<'_>) -> u16 {
        (self.lines(ctx).len() + self.answers.len() * 2 + self.flags().count() + 8).clamp(12, 46) as u16
    }

    /// Draws the plan, the fields and the buttons; gives back where the cursor stands.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        let typed = usize::from(matches!(self.plan.confirm, Confirm::Type(_)));
        let fields = (self.answers.len() * 2 + typed + self.flags().count()) as u16;
        let below = (fields + 2).min(area.height);
        self.view.set(self.lines(ctx));
        let text = Rect { height: area.height - below, ..area };
        self.view.draw(buffer, text, ctx.theme);
        // What does not fit has to be read too: the key that shows it stands beside the place.
        let place = match (self.view.place(), ctx.keymap.keys(Command::PageDown, false).first()) {
            (place, Some(key)) if !place.is_empty() => format!("{key} {}", place.trim_start()),
            (place, _) => place,
        };
        let right = words::width(&place) as u16;
        if right > 0 && right < area.width {
            write(buffer, (area.right() - right, text.bottom()), right, ctx.theme, Tone::Dim, &place);
        }
        let mut y = text.bottom();
        let mut cursor = None;
        for (at, (question, answer)) in self.plan.questions.iter().zip(&self.answers).enumerate() {
            write(buffer, (area.x, y), area.width.saturating_sub(right), ctx.theme, Tone::Text, &question.words);
            let line = Rect { y: (y + 1).min(area.bottom() - 1), height: 1, ..area };
            let focused = self.focus == Field::Answer(at);
            cursor = draw_field(buffer, line, ctx, "> ", answer, focused).or(cursor);
            y = (y + 2).min(area.bottom() - 1);
        }
        if let Confirm::Type(text) = &self.plan.confirm {
            let line = Rect { y: y.min(area.bottom() - 1), height: 1, ..area };
            let label = format!("type {text} to confirm: ");
            cursor = draw_field(buffer, line, ctx, &label, &self.typed, self.focus == Field::Typed).or(cursor);
        }
        if matches!(self.plan.confirm, Confirm::Type(_)) {
            y = (y + 1).min(area.bottom() - 1);
        }
        for (at, flag) in self.flags().enumerate() {
            // The first line may have to be shared with the place in the text.
            let width = if y == text.bottom() { area.width.saturating_sub(right + 1) } else { area.width };
            let line = Rect { y: y.min(area.bottom() - 1), height: 1, width, ..area };
            draw_flag(buffer, line, ctx, flag, self.plan.args.flag(flag.name), self.focus == Field::Flag(at));
            y = (y + 1).min(area.bottom() - 1);
        }
        self.draw_buttons(buffer, Rect { y: area.bottom() - 1, height: 1, ..area }, ctx);
        cursor
    }

    fn draw_buttons(&self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let obstacle = self.obstacle(ctx);
        let mut pen = Pen::new(ctx.theme);
        let cancel = if self.focus == Field::Cancel { Tone::ButtonFocused } else { Tone::Button };
        let confirm = match (self.focus, &obstacle) {
            (Field::Confirm, None) => Tone::ButtonDanger,
            (Field::Confirm, Some(_)) => Tone::ButtonFocused,
            (_, Some(_)) => Tone::Dim,
            _ => Tone::Button,
        };
        let hold = |focused: bool, text: &str| if focused { format!("[ {text} ]") } else { format!("  {text}  ") };
        pen.put(cancel, hold(self.focus == Field::Cancel, "leave it")).gap(2);
        pen.put(confirm, hold(self.focus == Field::Confirm, &self.plan.title)).gap(2);
        if let Some(why) = obstacle {
            pen.rest(Tone::Dim, why, usize::from(area.width));
        }
        pen.draw(buffer, area);
    }
}

fn draw_flag(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, flag: &Arg, given: bool, focused: bool) {
    let mut pen = Pen::new(ctx.theme);
    let mark = if given { "[x]" } else { "[ ]" };
    pen.put(if focused { Tone::ButtonFocused } else { Tone::Button }, format!("{mark} --{}", flag.name)).gap(2);
    pen.rest(Tone::Dim, flag.words, usize::from(area.width));
    pen.draw(buffer, area);
}

fn draw_field(
    buffer: &mut Buffer,
    area: Rect,
    ctx: &Ctx<'_>,
    label: &str,
    edit: &LineEdit,
    focused: bool,
) -> Option<(u16, u16)> {
    let mut pen = Pen::new(ctx.theme);
    pen.put(if focused { Tone::Key } else { Tone::Dim }, label).put(Tone::Prompt, edit.text());
    pen.draw(buffer, area);
    let x = area.x + (words::width(label) + words::width(edit.before())) as u16;
    (focused && x < area.right()).then_some((x, area.y))
}

fn read_lines(lines: &mut Vec<TextLine>, read: &Read, answer: Option<&Result<Vec<String>, String>>) {
    let Read::PodsOn(node) = read else {
        let words = match read {
            Read::Object(path) | Read::List(path) | Read::File(path) | Read::PodsOn(path) => path,
        };
        let head = TextLine::new(Tone::Dim, format!("  {words}: "));
        lines.push(match answer {
            Some(Err(why)) => head.and(Tone::Warning, format!("could not be read: {why}")).hanging(4),
            _ => head.and(Tone::Dim, "reading ..."),
        });
        return;
    };
    let head = TextLine::new(Tone::Dim, format!("  pods on {node}: "));
    match answer {
        None => lines.push(head.and(Tone::Dim, "reading ...")),
        Some(Err(why)) => lines.push(head.and(Tone::Warning, format!("could not be read: {why}")).hanging(4)),
        Some(Ok(found)) if found.is_empty() => lines.push(head.and(Tone::Text, "none")),
        Some(Ok(found)) => {
            lines.push(head);
            lines.extend(found.iter().map(|line| TextLine::new(Tone::Text, format!("    {line}")).hanging(6)));
        }
    }
}

/// What is sent after the requests, as it goes.
fn drain_lines(lines: &mut Vec<TextLine>, drain: &Drain) {
    let pods: usize = drain.nodes.iter().map(|node| node.pods.len()).sum();
    let many = words::count(pods, "eviction", "evictions");
    lines.push(TextLine::new(Tone::Strong, format!("  {}", drain.oc)).hanging(6));
    let how = "each entered in the audit log, again after 5 s or more while a budget refuses; no budget is gone past";
    lines.push(TextLine::new(Tone::Dim, format!("    then {many} ({}), {how}", drain.eviction)).hanging(6));
}

fn write_lines(lines: &mut Vec<TextLine>, write: &Write, run: Option<&Result<(), String>>, ctx: &Ctx<'_>) {
    let kind = match write.verb {
        Verb::Patch(PatchKind::Merge) => "merge-patch",
        Verb::Patch(PatchKind::Strategic) => "strategic-merge-patch",
        Verb::Patch(PatchKind::Json) => "json-patch",
        Verb::Create => "create",
        Verb::Replace => "replace",
        Verb::Delete => "delete",
        Verb::Evict => "evict",
    };
    lines.push(TextLine::new(Tone::Strong, format!("  {}", write.oc)).hanging(6));
    lines.push(TextLine::new(Tone::Dim, format!("    {} {} ({kind})", write.method(), write.path)).hanging(6));
    lines.push(TextLine::new(Tone::Dim, format!("    {}", write.shown())).hanging(6));
    let signs = ctx.theme.symbols();
    lines.push(match run {
        None => TextLine::new(Tone::Dim, format!("    {} dry run: waiting for the server", signs.active)),
        Some(Ok(())) => TextLine::new(Tone::Ok, format!("    {} dry run: the server takes it", signs.ok)),
        Some(Err(why)) => TextLine::new(Tone::Danger, format!("    {} dry run refused: {why}", signs.fail)).hanging(6),
    });
}

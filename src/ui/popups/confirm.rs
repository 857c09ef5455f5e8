//! A plan that waits for confirmation: everything it rests on and everything it will do, before anything is sent.

mod plan_fields;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::choices::{danger_tone, danger_words};
use crate::actions::{
    ALL, ActionId, Arg, ArgKind, Ask, Confirm, Danger, Drain, PatchKind, Plan, Read, Target, Verb, Write,
};
use crate::input::{Command, Key};
use crate::ui::ctx::Ctx;
use crate::ui::request::{Rehearsed, Request};
use crate::ui::theme::Tone;
use crate::ui::widgets::line_edit::LineEdit;
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::spots::Spots;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;

/// The safe button.
const SAFE: &str = "leave it";

/// From this height on there is room for lines of their own for what is in the way.
const ROOMY: u16 = 10;

/// So many things that are meant are named in one line; of more all are listed in the text.
const FEW: usize = 3;

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
    /// The first visible line of the fields.
    field_top: usize,
    /// Where fields and buttons stand.
    spots: Spots<Field>,
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
            field_top: 0,
            spots: Spots::default(),
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

    /// A click: it gives a field or a button the focus. On what has the focus already it presses the safe button and turns
    /// a flag, which asks for the plan anew. It never presses the button that sends: that takes a key.
    pub fn click(&mut self, at: Position, ctx: &Ctx<'_>) -> Outcome {
        match self.spots.at(at) {
            Some(field) if field == self.focus => match field {
                Field::Cancel | Field::Flag(_) => self.command(Command::Press, ctx),
                Field::Answer(_) | Field::Typed | Field::Confirm => Outcome::Stay,
            },
            Some(field) => {
                self.focus = field;
                Outcome::Stay
            }
            None => Outcome::Stay,
        }
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
        if let Some((open, _)) = answers.find(|(question, answer)| question.unanswered_by(answer.text()).is_some()) {
            return Some(format!("to be answered first: {}", open.words));
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
        let meant = self.meant().map(|(many, names)| format!("{many}: {}\n", names.join(", "))).unwrap_or_default();
        format!("danger {}\n{meant}\n{}", danger_words(self.plan.danger), self.view.text())
    }

    /// What is meant, where that is more than one thing: how many, and which.
    fn meant(&self) -> Option<(String, Vec<String>)> {
        let names = self.plan.target.written();
        let (one, many) = match &self.plan.target {
            Target::Nodes(_) => ("node", "nodes"),
            Target::Pools(_) => ("pool", "pools"),
            Target::Objects(_) => ("object", "objects"),
            Target::Version(_) | Target::Cluster => return None,
        };
        (names.len() > 1).then(|| (words::count(names.len(), one, many), names))
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
        if let Some((many, names)) = self.meant().filter(|(_, names)| names.len() > FEW) {
            lines.push(TextLine::new(Tone::Heading, format!("All {many}")));
            lines.push(TextLine::new(Tone::Text, format!("  {}", names.join(", "))).hanging(2));
            lines.push(TextLine::default());
        }
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
        lines.push(TextLine::new(Tone::Heading, format!("What will be sent: {}", self.how_many())));
        for (write, run) in self.plan.writes.iter().zip(&self.dry_runs) {
            write_lines(&mut lines, write, run.as_ref(), ctx);
        }
        if let Some(drain) = &self.plan.drain {
            drain_lines(&mut lines, drain);
        }
        lines.extend(self.ways_back());
        lines
    }

    /// How much is sent, the evictions of a drain among it.
    fn how_many(&self) -> String {
        let requests = words::count(self.plan.writes.len(), "request", "requests");
        let Some(drain) = &self.plan.drain else { return requests };
        let evictions = words::count(drain.nodes.iter().map(|node| node.pods.len()).sum(), "eviction", "evictions");
        if self.plan.writes.is_empty() { evictions } else { format!("{requests}, then {evictions}") }
    }

    /// What undoes it: the lines for `:` where the plan knows them, else the name of the action that does.
    fn ways_back(&self) -> Vec<TextLine> {
        let known = self.plan.back.iter().map(|wish| format!(":{}", wish.line()));
        let mut ways: Vec<String> = known.collect();
        if ways.is_empty() {
            ways.extend(self.plan.inverse.map(|inverse| Command::Act(inverse).word().to_owned()));
        }
        let told = ways.into_iter().map(|way| TextLine::new(Tone::Dim, format!("to be reversed by: {way}")).hanging(2));
        let mut lines: Vec<TextLine> = told.collect();
        if !lines.is_empty() {
            lines.insert(0, TextLine::default());
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
    pub fn height(&mut self, columns: u16, ctx: &Ctx<'_>) -> u16 {
        let columns = usize::from(columns);
        self.view.set(self.lines(ctx));
        let text = self.view.height(columns);
        let head = 1 + usize::from(self.meant().is_some());
        (head + text + self.fields_height(columns) + self.typed_height(columns) + 3).clamp(12, 60) as u16
    }

    /// Draws the plan, the fields and the buttons; gives back where the cursor stands. Danger, what is meant, what is
    /// typed to confirm and the buttons are always there; text and fields share what is left, and are scrolled.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        self.spots.clear();
        let columns = usize::from(area.width);
        let head = self.draw_head(buffer, area, ctx);
        let obstacle = self.obstacle(ctx);
        let roomy = obstacle.as_ref().filter(|_| area.height >= ROOMY);
        let above = roomy.map_or_else(Vec::new, |why| self.above_buttons(why, columns));
        let typed = self.typed_height(columns) as u16;
        let foot = typed + above.len() as u16 + 1;
        let room = area.height.saturating_sub(head + foot + 1);
        self.view.set(self.lines(ctx));
        let wanted = (self.view.height(columns) as u16, self.fields_height(columns) as u16);
        // The text is read before the fields are filled in: they leave it half of the room.
        let least = room.div_ceil(2).max(self.focused_height(columns) as u16).min(room);
        let fields = wanted.1.min(room.saturating_sub(wanted.0).max(least));
        let text = Rect { y: area.y + head, height: room - fields, ..area }.intersection(area);
        self.view.draw(buffer, text, ctx.theme);
        self.draw_places(buffer, Rect { y: text.bottom(), height: 1, ..area }.intersection(area), fields, ctx);
        let mut y = text.bottom() + 1;
        let mut part = |height: u16| {
            let part = Rect { y, height, ..area }.intersection(area);
            y += height;
            part
        };
        let cursor = self.draw_fields(buffer, part(fields), ctx);
        let cursor = self.draw_typed(buffer, part(typed), ctx).or(cursor);
        let lines = part(above.len() as u16);
        for (line, y) in above.iter().zip(lines.y..lines.bottom()) {
            write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, line);
        }
        let beside = obstacle.as_deref().filter(|_| above.is_empty());
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1.min(area.height), ..area };
        self.draw_buttons(buffer, last, ctx, obstacle.is_some(), beside);
        cursor
    }

    /// Danger and, of several things that are meant, how many and which; gives back its lines.
    fn draw_head(&self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> u16 {
        let mut pen = Pen::new(ctx.theme);
        pen.put(Tone::Dim, "danger ").put(danger_tone(self.plan.danger), danger_words(self.plan.danger));
        pen.draw(buffer, area);
        let Some((many, names)) = self.meant() else { return 1 };
        let lead = format!("{many}: ");
        let listed = words::listed(&names, usize::from(area.width).saturating_sub(words::width(&lead)));
        let mut pen = Pen::new(ctx.theme);
        pen.put(Tone::Strong, lead).put(Tone::Text, listed);
        pen.draw(buffer, Rect { y: area.y + 1, ..area }.intersection(area));
        2
    }

    /// Between text and fields: which part of each is visible, and the key that shows the rest.
    fn draw_places(&self, buffer: &mut Buffer, area: Rect, fields: u16, ctx: &Ctx<'_>) {
        let place = match (self.view.place(), ctx.keymap.keys(Command::PageDown, false).first()) {
            (place, Some(key)) if !place.is_empty() => format!("{key} {}", place.trim_start()),
            (place, _) => place,
        };
        let right = words::width(&place) as u16;
        if right > 0 && right < area.width {
            write(buffer, (area.right() - right, area.y), right, ctx.theme, Tone::Dim, &place);
        }
        let answered = self.fields_words(usize::from(area.width), usize::from(fields));
        if !answered.is_empty() {
            let key = ctx.key_of(Command::NextField);
            let text = format!("{answered}, {key} goes on");
            write(buffer, (area.x, area.y), area.width.saturating_sub(right + 1), ctx.theme, Tone::Active, &text);
        }
    }

    /// Columns of the buttons.
    fn buttons_width(&self) -> usize {
        words::width(SAFE) + words::width(&self.plan.title) + 12
    }

    /// What is in the way, in lines above the buttons where it does not fit beside them.
    fn above_buttons(&self, why: &str, columns: usize) -> Vec<String> {
        let fits = self.buttons_width() + words::width(why) <= columns;
        if fits { Vec::new() } else { words::wrap(why, columns, 2).into_iter().take(2).collect() }
    }

    fn draw_buttons(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, held: bool, why: Option<&str>) {
        let mut pen = Pen::new(ctx.theme);
        let cancel = if self.focus == Field::Cancel { Tone::ButtonFocused } else { Tone::Button };
        let confirm = match (self.focus, held) {
            (Field::Confirm, false) => Tone::ButtonDanger,
            (Field::Confirm, true) => Tone::ButtonFocused,
            (_, true) => Tone::Dim,
            _ => Tone::Button,
        };
        let hold = |focused: bool, text: &str| if focused { format!("[ {text} ]") } else { format!("  {text}  ") };
        pen.put(cancel, hold(self.focus == Field::Cancel, SAFE));
        self.spots.put(pen.span(area, 0), Field::Cancel);
        let from = pen.gap(2).width();
        pen.put(confirm, hold(self.focus == Field::Confirm, &self.plan.title));
        self.spots.put(pen.span(area, from), Field::Confirm);
        pen.gap(2);
        if let Some(why) = why {
            pen.rest(Tone::Dim, why, usize::from(area.width));
        }
        pen.draw(buffer, area);
    }
}

fn read_lines(lines: &mut Vec<TextLine>, read: &Read, answer: Option<&Result<Vec<String>, String>>) {
    let Read::PodsOn(node) = read else {
        let head = TextLine::new(Tone::Dim, format!("  {}: ", read.words()));
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
        Some(Err(why)) => TextLine::new(Tone::Danger, format!("    {} {why}", signs.fail)).hanging(6),
    });
}

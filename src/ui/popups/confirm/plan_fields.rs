//! The fields of a plan: its questions and flags above, the text that confirms below. What does not fit is scrolled, to
//! the field that has the focus; what confirms stays where it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Field, PlanPopup};
use crate::actions::Confirm;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::line_edit::LineEdit;
use crate::ui::widgets::motion::scrolled;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::words;

/// What an answer is typed behind.
const LEAD: &str = "> ";

/// A line of the fields.
enum Line {
    /// Words of a question, or more words of a flag.
    Words(Tone, String),
    /// The answer to a question.
    Answer(usize),
    /// A flag: what is pressed, and the words behind it.
    Flag(String, String),
}

impl PlanPopup {
    /// Questions and flags, line by line, each with its field.
    fn field_lines(&self, columns: usize) -> Vec<(Field, Line)> {
        let mut lines = Vec::new();
        for (at, question) in self.plan.questions.iter().enumerate() {
            let field = Field::Answer(at);
            let words = words::wrap(&question.words, columns, 2);
            lines.extend(words.into_iter().map(|text| (field, Line::Words(Tone::Text, text))));
            lines.push((field, Line::Answer(at)));
        }
        for (at, flag) in self.flags().enumerate() {
            let field = Field::Flag(at);
            let mark = if self.plan.args.flag(flag.name) { "[x]" } else { "[ ]" };
            let button = format!("{mark} --{}", flag.name);
            let mut words = words::wrap(&format!("{button}  {}", flag.words), columns, 4).into_iter();
            let first = words.next().unwrap_or_default();
            let rest = first.strip_prefix(&button).unwrap_or_default().to_owned();
            lines.push((field, Line::Flag(button, rest)));
            lines.extend(words.map(|text| (field, Line::Words(Tone::Dim, text))));
        }
        lines
    }

    /// Lines that questions and flags take.
    pub(super) fn fields_height(&self, columns: usize) -> usize {
        self.field_lines(columns).len()
    }

    /// Lines of the field that has the focus, if it is one of them.
    pub(super) fn focused_height(&self, columns: usize) -> usize {
        self.field_lines(columns).iter().filter(|(field, _)| *field == self.focus).count()
    }

    /// Draws questions and flags; gives back where the cursor stands.
    pub(super) fn draw_fields(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        let lines = self.field_lines(usize::from(area.width));
        let page = usize::from(area.height);
        // The end of a field is where it is answered.
        let own = |(field, _): &(Field, Line)| *field == self.focus;
        if let (Some(first), Some(last)) = (lines.iter().position(own), lines.iter().rposition(own)) {
            self.field_top = scrolled(self.field_top, first, lines.len(), page);
            self.field_top = scrolled(self.field_top, last, lines.len(), page);
        }
        self.field_top = self.field_top.min(lines.len().saturating_sub(page));
        let mut cursor = None;
        for ((field, line), y) in lines.iter().skip(self.field_top).zip(area.y..area.bottom()) {
            let row = Rect { y, height: 1, ..area };
            let focused = self.focus == *field;
            self.spots.put(row, *field);
            match line {
                Line::Words(tone, text) => write(buffer, (row.x, y), row.width, ctx.theme, *tone, text),
                Line::Answer(at) => cursor = draw_field(buffer, row, ctx, LEAD, &self.answers[*at], focused).or(cursor),
                Line::Flag(button, text) => {
                    let mut pen = Pen::new(ctx.theme);
                    pen.put(if focused { Tone::ButtonFocused } else { Tone::Button }, button).put(Tone::Dim, text);
                    pen.draw(buffer, row);
                }
            }
        }
        cursor
    }

    /// What is said of fields that are not all visible: `3 of 14 answered`.
    pub(super) fn fields_words(&self, columns: usize, visible: usize) -> String {
        if self.fields_height(columns) <= visible || self.answers.is_empty() {
            return String::new();
        }
        let answered = self.plan.questions.iter().zip(&self.answers);
        let answered = answered.filter(|(question, answer)| question.unanswered_by(answer.text()).is_none()).count();
        format!("{answered} of {} answered", self.answers.len())
    }

    /// What has to be typed to confirm: the words, in lines of their own where text and answer do not fit beside each
    /// other.
    fn typed_words(&self, columns: usize) -> Option<(Vec<String>, &str)> {
        let Confirm::Type(text) = &self.plan.confirm else { return None };
        let label = format!("type {text} to confirm: ");
        if words::width(&label) + words::width(text) < columns {
            return Some((Vec::new(), text));
        }
        Some((words::wrap(label.trim_end(), columns, 2), text))
    }

    /// Lines that the text that confirms takes.
    pub(super) fn typed_height(&self, columns: usize) -> usize {
        self.typed_words(columns).map_or(0, |(lines, _)| lines.len() + 1)
    }

    /// Draws the field of the text that confirms; gives back where the cursor stands.
    pub(super) fn draw_typed(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
        self.spots.put(area, Field::Typed);
        let (lines, text) = self.typed_words(usize::from(area.width))?;
        let focused = self.focus == Field::Typed;
        let label = if lines.is_empty() { format!("type {text} to confirm: ") } else { LEAD.to_owned() };
        for (line, y) in lines.iter().zip(area.y..area.bottom()) {
            write(buffer, (area.x, y), area.width, ctx.theme, if focused { Tone::Key } else { Tone::Dim }, line);
        }
        let y = area.y + lines.len() as u16;
        let row = Rect { y, height: 1, ..area };
        if y < area.bottom() { draw_field(buffer, row, ctx, &label, &self.typed, focused) } else { None }
    }
}

/// Draws a field; of a text that is too long the part around the cursor.
fn draw_field(
    buffer: &mut Buffer,
    area: Rect,
    ctx: &Ctx<'_>,
    label: &str,
    edit: &LineEdit,
    focused: bool,
) -> Option<(u16, u16)> {
    let room = usize::from(area.width).saturating_sub(words::width(label) + 1);
    let before = words::tail(edit.before(), room, ctx.theme.symbols().ellipsis);
    let after = edit.text().get(edit.before().len()..).unwrap_or_default();
    let mut pen = Pen::new(ctx.theme);
    pen.put(if focused { Tone::Key } else { Tone::Dim }, label).put(Tone::Prompt, before.as_ref());
    pen.rest(Tone::Prompt, after, usize::from(area.width));
    pen.draw(buffer, area);
    let x = area.x + (words::width(label) + words::width(&before)) as u16;
    (focused && x < area.right()).then_some((x, area.y))
}

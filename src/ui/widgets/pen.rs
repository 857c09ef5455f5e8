//! Writing a line piece by piece, each piece by its meaning.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::neutral::neutral;
use crate::ui::theme::{Theme, Tone};
use crate::ui::words;

/// A line in the making. Every text that goes in is neutralised.
#[derive(Debug, Clone)]
pub struct Pen<'t> {
    theme: &'t Theme,
    spans: Vec<Span<'static>>,
    width: usize,
}

impl<'t> Pen<'t> {
    /// An empty line.
    pub fn new(theme: &'t Theme) -> Self {
        Self { theme, spans: Vec::new(), width: 0 }
    }

    /// Adds text.
    pub fn put(&mut self, tone: Tone, text: impl AsRef<str>) -> &mut Self {
        let text = neutral(text.as_ref()).into_owned();
        self.width += words::width(&text);
        self.spans.push(Span::styled(text, self.theme.style(tone)));
        self
    }

    /// Adds one of the theme's signs, or a text of this program.
    pub fn sign(&mut self, tone: Tone, text: &'static str) -> &mut Self {
        self.width += words::width(text);
        self.spans.push(Span::styled(text, self.theme.style(tone)));
        self
    }

    /// Adds text cut or padded to `columns`.
    pub fn cell(&mut self, tone: Tone, text: impl AsRef<str>, columns: usize) -> &mut Self {
        let text = words::pad(&neutral(text.as_ref()), columns, self.theme.symbols().ellipsis);
        self.width += words::width(&text);
        self.spans.push(Span::styled(text, self.theme.style(tone)));
        self
    }

    /// Adds blanks.
    pub fn gap(&mut self, columns: usize) -> &mut Self {
        self.width += columns;
        self.spans.push(Span::raw(" ".repeat(columns)));
        self
    }

    /// Adds blanks up to `column`.
    pub fn to(&mut self, column: usize) -> &mut Self {
        let missing = column.saturating_sub(self.width);
        self.gap(missing)
    }

    /// Adds text, cut to what is left of `columns`.
    pub fn rest(&mut self, tone: Tone, text: impl AsRef<str>, columns: usize) -> &mut Self {
        let room = columns.saturating_sub(self.width);
        let text = words::fit(&neutral(text.as_ref()), room, self.theme.symbols().ellipsis).into_owned();
        self.width += words::width(&text);
        self.spans.push(Span::styled(text, self.theme.style(tone)));
        self
    }

    /// Columns so far.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Where on the first line of `area` stands what was put since it was `from` columns wide.
    pub fn span(&self, area: Rect, from: usize) -> Rect {
        let wide = (self.width - from.min(self.width)) as u16;
        Rect { x: area.x.saturating_add(from as u16), width: wide, height: 1, ..area }.intersection(area)
    }

    /// The theme.
    pub fn theme(&self) -> &'t Theme {
        self.theme
    }

    /// Appends another line.
    pub fn append(&mut self, other: Pen<'_>) -> &mut Self {
        self.width += other.width;
        self.spans.extend(other.spans);
        self
    }

    /// The line.
    pub fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.content.as_ref()).collect()
    }

    /// Draws the line at the top of `area`, cut to its width.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect) {
        let area = area.intersection(*buffer.area());
        if area.is_empty() {
            return;
        }
        let end = area.right();
        let mut x = area.x;
        for span in &self.spans {
            if x >= end {
                break;
            }
            x = buffer.set_stringn(x, area.y, span.content.as_ref(), usize::from(end - x), span.style).0;
        }
        let cut = x >= end && self.width > usize::from(area.width);
        if cut && let Some(cell) = buffer.cell_mut((end - 1, area.y)) {
            cell.set_symbol(self.theme.symbols().ellipsis);
        }
    }
}

/// Writes `text` at a place, cut to `columns`, neutralised.
pub fn write(buffer: &mut Buffer, (x, y): (u16, u16), columns: u16, theme: &Theme, tone: Tone, text: &str) {
    if y >= buffer.area().bottom() || y < buffer.area().y || x >= buffer.area().right() {
        return;
    }
    let clean = neutral(text);
    let shown: Cow<'_, str> = words::fit(&clean, usize::from(columns), theme.symbols().ellipsis);
    buffer.set_stringn(x, y, shown.as_ref(), usize::from(columns), theme.style(tone));
}

//! A text to read: scrolled, wrapped or not, searched.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use regex::Regex;

use super::filter::regex;
use super::motion::Motion;
use crate::ui::neutral::neutral;
use crate::ui::theme::{Theme, Tone};
use crate::ui::words;

/// A line: pieces with their meanings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextLine {
    pieces: Vec<(Tone, String)>,
    /// Columns by which further lines are indented when this one is wrapped.
    hang: usize,
    /// Which of what can be chosen it belongs to.
    choice: Option<usize>,
}

impl TextLine {
    /// A line of one piece.
    pub fn new(tone: Tone, text: impl AsRef<str>) -> Self {
        Self::default().and(tone, text)
    }

    /// Adds a piece.
    #[must_use]
    pub fn and(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        self.pieces.push((tone, neutral(text.as_ref()).into_owned()));
        self
    }

    /// Indents what follows when the line is wrapped.
    #[must_use]
    pub fn hanging(mut self, columns: usize) -> Self {
        self.hang = columns;
        self
    }

    /// Says which of what can be chosen it belongs to: a click on it chooses that.
    #[must_use]
    pub fn choosing(mut self, choice: usize) -> Self {
        self.choice = Some(choice);
        self
    }

    /// Puts a sign in front.
    #[must_use]
    pub fn led_by(mut self, tone: Tone, sign: &str) -> Self {
        self.hang += words::width(sign);
        self.pieces.insert(0, (tone, neutral(sign).into_owned()));
        self
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The line broken to `columns`.
    fn broken(&self, columns: usize) -> Vec<Self> {
        if words::width(&self.text()) <= columns {
            return vec![self.clone()];
        }
        let mut tones = self.pieces.iter().flat_map(|(tone, text)| text.chars().map(move |c| (*tone, c)));
        let mut pending = tones.next();
        let indent = self.hang.min(columns / 2);
        let mut lines = Vec::new();
        for (index, part) in words::wrap(&self.text(), columns, indent).into_iter().enumerate() {
            let mut line = Self { choice: self.choice, ..Self::default() };
            let lead = if index == 0 { 0 } else { indent };
            line.pieces.push((Tone::Text, " ".repeat(lead)));
            for c in part.chars().skip(lead) {
                // Blanks that fell off at a line's end are skipped here as well.
                while let Some((_, ' ')) = pending.filter(|(_, have)| *have != c) {
                    pending = tones.next();
                }
                let tone = pending.map_or(Tone::Text, |(tone, _)| tone);
                pending = tones.next();
                match line.pieces.last_mut() {
                    Some((last, text)) if *last == tone => text.push(c),
                    _ => line.pieces.push((tone, c.to_string())),
                }
            }
            lines.push(line);
        }
        lines
    }
}

/// Where a match is: line, and bytes in its text.
type Match = (usize, usize, usize);

/// The state of a text.
#[derive(Debug, Clone, Default)]
pub struct TextView {
    source: Vec<TextLine>,
    lines: Vec<TextLine>,
    /// Where each line of the source begins among those that are drawn.
    starts: Vec<usize>,
    wrapped_at: Option<usize>,
    nowrap: bool,
    top: usize,
    left: usize,
    page: usize,
    search: Option<Regex>,
    search_text: String,
    search_error: Option<String>,
    matches: Vec<Match>,
    current: usize,
    /// Where it was drawn last.
    body: Rect,
}

impl TextView {
    /// A text.
    pub fn new(lines: Vec<TextLine>) -> Self {
        Self { source: lines, page: 10, ..Self::default() }
    }

    /// Replaces the text; place and search stay.
    pub fn set(&mut self, lines: Vec<TextLine>) {
        if self.source != lines {
            self.source = lines;
            self.wrapped_at = None;
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.source.iter().map(|line| line.text() + "\n").collect()
    }

    /// Wrap long lines, or not.
    pub fn toggle_wrap(&mut self) {
        self.nowrap = !self.nowrap;
        self.left = 0;
        self.wrapped_at = None;
    }

    /// Moves.
    pub fn go(&mut self, motion: Motion) {
        let last = self.lines.len().saturating_sub(self.page);
        self.top = match motion {
            Motion::Last => last,
            other => other.apply(self.top, last + 1, self.page),
        };
    }

    /// Scrolls sideways (when lines are not wrapped).
    pub fn scroll(&mut self, right: bool) {
        if self.nowrap {
            self.left = if right { (self.left + 8).min(2_000) } else { self.left.saturating_sub(8) };
        }
    }

    /// Searches; an invalid pattern leaves the last good one in force. Jumps to the first match below the top.
    pub fn search(&mut self, pattern: &str) {
        pattern.clone_into(&mut self.search_text);
        if pattern.is_empty() {
            self.search = None;
            self.search_error = None;
        } else {
            match regex(pattern) {
                Ok(found) => {
                    self.search = Some(found);
                    self.search_error = None;
                }
                Err(error) => self.search_error = Some(error),
            }
        }
        self.find();
        self.current = self.matches.iter().position(|(line, ..)| *line >= self.top).unwrap_or(0);
        self.show_match();
    }

    /// Is there a search?
    pub fn searching(&self) -> bool {
        self.search.is_some()
    }

    /// Why the pattern is not in force.
    pub fn search_error(&self) -> Option<&str> {
        self.search_error.as_deref()
    }

    /// `/pattern 3/17`, or empty.
    pub fn search_words(&self) -> String {
        if self.search.is_none() {
            return String::new();
        }
        let at = if self.matches.is_empty() { 0 } else { self.current + 1 };
        format!("/{} {at}/{}", self.search_text, self.matches.len())
    }

    /// To the next or the previous match, around the ends.
    pub fn next_match(&mut self, forward: bool) {
        let n = self.matches.len();
        if n > 0 {
            self.current = if forward { (self.current + 1) % n } else { (self.current + n - 1) % n };
            self.show_match();
        }
    }

    fn show_match(&mut self) {
        if let Some((line, ..)) = self.matches.get(self.current)
            && !(self.top..self.top + self.page).contains(line)
        {
            self.top = line.saturating_sub(self.page / 2);
        }
    }

    fn find(&mut self) {
        self.matches.clear();
        let Some(search) = &self.search else { return };
        for (index, line) in self.lines.iter().enumerate() {
            let text = line.text();
            let found = search.find_iter(&text).filter(|found| !found.is_empty());
            self.matches.extend(found.map(|found| (index, found.start(), found.end())));
        }
        self.current = self.current.min(self.matches.len().saturating_sub(1));
    }

    fn layout(&mut self, columns: usize) {
        if self.wrapped_at == Some(columns) {
            return;
        }
        self.wrapped_at = Some(columns);
        self.lines.clear();
        self.starts.clear();
        for line in &self.source {
            self.starts.push(self.lines.len());
            if self.nowrap {
                self.lines.push(line.clone());
            } else {
                self.lines.extend(line.broken(columns));
            }
        }
        self.find();
    }

    /// Lines that the text takes at a width.
    pub fn height(&mut self, columns: usize) -> usize {
        self.layout(columns.max(1));
        self.lines.len()
    }

    /// Where lines of the text are, as they were drawn last.
    pub fn rows(&self, lines: Range<usize>) -> Range<usize> {
        let place = |line: usize| self.starts.get(line).copied().unwrap_or(self.lines.len());
        place(lines.start)..place(lines.end)
    }

    /// The drawn lines that are visible.
    pub fn visible(&self) -> Range<usize> {
        self.top..self.top + self.page
    }

    /// Scrolls as little as possible until these drawn lines are visible; of more than a page, their beginning or, when
    /// `end`, their end.
    pub fn reveal(&mut self, rows: &Range<usize>, end: bool) {
        let lowest = rows.end.saturating_sub(self.page);
        self.top = match rows.len() > self.page {
            true if end => lowest,
            true => rows.start,
            false => self.top.clamp(lowest.min(rows.start), rows.start),
        };
    }

    /// What can be chosen by the line that was drawn there.
    pub fn choice_at(&self, at: Position) -> Option<usize> {
        let row = self.top + usize::from(at.y.saturating_sub(self.body.y));
        self.lines.get(row).filter(|_| self.body.contains(at)).and_then(|line| line.choice)
    }

    /// Which part is visible, where not all is.
    pub fn place(&self) -> String {
        super::panel::scroll_mark(self.top, self.page, self.lines.len())
    }

    /// Draws the visible lines.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.layout(usize::from(area.width).max(1));
        self.page = usize::from(area.height).max(1);
        self.body = area;
        self.top = self.top.min(self.lines.len().saturating_sub(self.page));
        for (offset, y) in (area.y..area.bottom()).enumerate() {
            let index = self.top + offset;
            let Some(line) = self.lines.get(index) else { break };
            self.draw_line(buffer, Rect { y, height: 1, ..area }, theme, index, line);
        }
    }

    fn draw_line(&self, buffer: &mut Buffer, area: Rect, theme: &Theme, index: usize, line: &TextLine) {
        let first = self.matches.partition_point(|(at, ..)| *at < index);
        let (mut column, mut byte) = (0, 0);
        for (tone, text) in &line.pieces {
            for (_, grapheme, wide) in words::graphemes(text) {
                let x = column as i64 - self.left as i64;
                if x >= 0 && x + wide as i64 <= i64::from(area.width) && wide > 0 {
                    let inside = |m: &&Match| m.0 == index && (m.1..m.2).contains(&byte);
                    let hit = self.matches[first..].iter().take_while(|m| m.0 == index).find(inside);
                    let style = match hit {
                        Some(hit) if self.matches.get(self.current) == Some(hit) => theme.style(Tone::MatchCurrent),
                        Some(_) => theme.style(Tone::Match),
                        None => theme.style(*tone),
                    };
                    buffer.set_stringn(area.x + x as u16, area.y, grapheme, wide, style);
                }
                column += wide;
                byte += grapheme.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> TextView {
        let mut view = TextView::new(text.lines().map(|line| TextLine::new(Tone::Text, line)).collect());
        view.layout(40);
        view
    }

    #[test]
    fn search_counts_wraps_around_and_survives_mistakes() {
        let mut view = view("ready: true\nready: false\nother");
        view.search("READY");
        assert_eq!(view.search_words(), "/READY 1/2");
        view.next_match(true);
        view.next_match(true);
        assert_eq!(view.search_words(), "/READY 1/2");
        view.next_match(false);
        assert_eq!(view.search_words(), "/READY 2/2");
        view.search("ready(");
        assert!(view.search_error().is_some());
        assert_eq!(view.matches.len(), 2);
    }

    #[test]
    fn wrapped_lines_keep_their_tones() {
        let line = TextLine::new(Tone::Key, "message: ").and(Tone::Danger, "one two three four").hanging(2);
        let lines = line.broken(16);
        assert_eq!(lines.iter().map(TextLine::text).collect::<Vec<_>>(), ["message: one two", "  three four"]);
        assert!(lines[1].pieces.contains(&(Tone::Danger, "three four".into())), "{lines:?}");
    }
}

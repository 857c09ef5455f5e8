//! A log that goes on: bounded, filtered, followed to its end or held where a person reads.
//!
//! Lines may come by the thousand: only those that are visible are wrapped and drawn.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Filter, Filtered};
use super::motion::Motion;
use super::pen::Pen;
use crate::ui::neutral::neutral;
use crate::ui::theme::{Theme, Tone};
use crate::ui::words;

/// Lines that are kept.
pub const LINES: usize = 5_000;
/// Bytes of text that are kept.
pub const BYTES: usize = 2 * 1024 * 1024;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: Option<DateTime<Utc>>,
    text: String,
    /// Told by this program, not by the container.
    told: bool,
}

impl Filtered for &Line {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn name(&self) -> String {
        self.text.clone()
    }

    fn field(&self, _key: &str) -> Option<String> {
        None
    }
}

/// The state of a log.
#[derive(Debug)]
pub struct LogView {
    lines: VecDeque<Line>,
    /// Number of the oldest line that is kept: a line keeps its number.
    first: u64,
    /// Number of the first line of this log.
    begun: u64,
    /// Numbers of the lines that pass the filter, ascending.
    passing: VecDeque<u64>,
    bytes: usize,
    /// Which lines are shown.
    pub filter: Filter,
    /// The newest line stays in view.
    pub following: bool,
    /// Times are shown.
    pub times: bool,
    nowrap: bool,
    left: usize,
    /// Number of the line at the top while it is not followed.
    top: u64,
    /// Lines that the last frame showed.
    page: usize,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            first: 0,
            begun: 0,
            passing: VecDeque::new(),
            bytes: 0,
            filter: Filter::default(),
            following: true,
            times: false,
            nowrap: false,
            left: 0,
            top: 0,
            page: 10,
        }
    }
}

impl LogView {
    /// Takes a line of the container.
    pub fn say(&mut self, at: Option<DateTime<Utc>>, text: &str) {
        self.add(Line { at, text: neutral(&text.replace('\t', "    ")).into_owned(), told: false });
    }

    /// Takes a line of this program: an end, an error.
    pub fn tell(&mut self, text: &str) {
        self.add(Line { at: None, text: neutral(text).into_owned(), told: true });
    }

    fn add(&mut self, line: Line) {
        let number = self.first + self.lines.len() as u64;
        if self.passes(&line) {
            self.passing.push_back(number);
        }
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || (self.bytes > BYTES && self.lines.len() > 1) {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes -= gone.text.len();
            if self.passing.front() == Some(&self.first) {
                self.passing.pop_front();
            }
            self.first += 1;
        }
    }

    /// What this program tells is never filtered away.
    fn passes(&self, line: &Line) -> bool {
        line.told || !self.filter.active() || self.filter.passes(&line)
    }

    /// Forgets every line: another log is read.
    pub fn clear(&mut self) {
        self.first += self.lines.len() as u64;
        self.begun = self.first;
        self.lines.clear();
        self.passing.clear();
        self.bytes = 0;
        self.following = true;
        self.top = self.first;
    }

    /// Shows the lines that pass `text`; what is invalid leaves the last good filter in force.
    pub fn filter(&mut self, text: &str) {
        self.filter.set(text);
        let passing = self.lines.iter().enumerate().filter(|(_, line)| self.passes(line));
        self.passing = passing.map(|(at, _)| self.first + at as u64).collect();
    }

    /// Wrap long lines, or not.
    pub fn toggle_wrap(&mut self) {
        self.nowrap = !self.nowrap;
        self.left = 0;
    }

    /// Scrolls sideways while lines are not wrapped.
    pub fn scroll(&mut self, right: bool) {
        if self.nowrap {
            self.left = if right { (self.left + 8).min(8_000) } else { self.left.saturating_sub(8) };
        }
    }

    /// Follow the end, or stay.
    pub fn toggle_follow(&mut self) {
        self.following = !self.following;
    }

    /// Moves: away from the end stops following, to the end begins it again.
    pub fn go(&mut self, motion: Motion) {
        let n = self.passing.len();
        let last = n.saturating_sub(self.page);
        let at = if self.following { last } else { self.place_of(self.top) };
        let next = motion.apply(at.min(last), last + 1, self.page);
        let onwards = matches!(motion, Motion::Down | Motion::PageDown | Motion::HalfDown | Motion::Last);
        self.following = motion == Motion::Last || (onwards && at >= last);
        if let Some(number) = self.passing.get(next) {
            self.top = *number;
        }
    }

    /// Where the line of a number is among those that pass.
    fn place_of(&self, number: u64) -> usize {
        self.passing.partition_point(|passing| *passing < number).min(self.passing.len().saturating_sub(1))
    }

    /// Are there no lines?
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines shown and lines kept.
    pub fn counts(&self) -> (usize, usize) {
        (self.passing.len(), self.lines.len())
    }

    /// How many lines were dropped because there were too many, since the log was opened.
    pub fn dropped(&self) -> u64 {
        self.first - self.begun
    }

    /// The lines that are shown, each with its time.
    pub fn text(&self) -> String {
        let lines = self.passing.iter().filter_map(|number| self.line(*number));
        lines
            .map(|line| match line.at {
                Some(at) => format!("{} {}\n", at.to_rfc3339(), line.text),
                None if line.told => format!("# {}\n", line.text),
                None => format!("{}\n", line.text),
            })
            .collect()
    }

    fn line(&self, number: u64) -> Option<&Line> {
        number.checked_sub(self.first).and_then(|at| self.lines.get(at as usize))
    }

    /// The rows of a line on a screen of so many columns.
    fn rows(&self, line: &Line, columns: usize) -> Vec<(usize, String)> {
        let time = if self.times && !line.told {
            line.at.map_or_else(|| " ".repeat(13), |at| format!("{} ", at.format("%H:%M:%S%.3f")))
        } else {
            String::new()
        };
        let whole = format!("{time}{}", line.text);
        if !self.nowrap {
            let indent = words::width(&time) + 2;
            let wrapped = words::wrap(&whole, columns, indent);
            return wrapped
                .into_iter()
                .enumerate()
                .map(|(at, row)| (if at == 0 { time.len() } else { 0 }, row))
                .collect();
        }
        let mut skipped = 0;
        let mut left = words::graphemes(&whole).skip_while(|(.., wide)| {
            let skips = skipped < self.left;
            skipped += wide;
            skips
        });
        let shown = left.next().map_or_else(String::new, |(at, ..)| whole[at..].to_owned());
        let lead = if self.left == 0 { time.len() } else { 0 };
        vec![(lead, shown)]
    }

    /// Draws what is visible.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let (columns, height) = (usize::from(area.width).max(1), usize::from(area.height));
        let mut rows: Vec<(Tone, usize, String)> = Vec::new();
        let mut shown = 0;
        let rows_of = |number: u64| -> Vec<(Tone, usize, String)> {
            let Some(line) = self.line(number) else { return Vec::new() };
            let tone = if line.told { Tone::Info } else { level(&line.text) };
            self.rows(line, columns).into_iter().map(|(lead, row)| (tone, lead, row)).collect()
        };
        let n = self.passing.len();
        if self.following {
            let mut blocks: Vec<Vec<(Tone, usize, String)>> = Vec::new();
            let mut used = 0;
            for number in self.passing.iter().rev() {
                if used >= height {
                    break;
                }
                let block = rows_of(*number);
                used += block.len();
                shown += 1;
                blocks.push(block);
            }
            rows = blocks.into_iter().rev().flatten().collect();
            // The end is what is followed: a long line at the top loses its beginning.
            let surplus = rows.len().saturating_sub(height);
            rows.drain(..surplus);
        } else {
            let start = self.place_of(self.top);
            for number in self.passing.iter().skip(start) {
                if rows.len() >= height {
                    break;
                }
                rows.extend(rows_of(*number));
                shown += 1;
            }
            rows.truncate(height);
        }
        self.page = shown.max(1);
        if self.following {
            self.top = self.passing.get(n.saturating_sub(shown)).copied().unwrap_or(self.first);
        }
        for ((tone, lead, row), y) in rows.into_iter().zip(area.y..area.bottom()) {
            let mut pen = Pen::new(theme);
            let (time, text) = row.split_at(lead.min(row.len()));
            pen.put(Tone::Dim, time).put(tone, text);
            pen.draw(buffer, Rect { y, height: 1, ..area });
        }
    }
}

/// What a line means, by the letter that klog begins it with (`E0307 03:12:44.123456 ...`), or by a word.
fn level(text: &str) -> Tone {
    let klog = text.len() > 5 && text.as_bytes()[1..5].iter().all(u8::is_ascii_digit);
    match text.as_bytes().first() {
        Some(b'E' | b'F') if klog => Tone::Danger,
        Some(b'W') if klog => Tone::Warning,
        _ if text.contains("level=error") || text.contains("\"level\":\"error\"") => Tone::Danger,
        _ if text.contains("level=warn") || text.contains("\"level\":\"warn") => Tone::Warning,
        _ => Tone::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Depth;

    fn drawn(log: &mut LogView, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        log.draw(&mut buffer, area, &Theme::built_in("dark", Depth::None, true).unwrap());
        let rows = buffer.content.chunks(usize::from(width));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned())
            .collect()
    }

    fn counted(n: usize) -> LogView {
        let mut log = LogView::default();
        (0..n).for_each(|at| log.say(None, &format!("line {at}")));
        log
    }

    #[test]
    fn memory_is_bounded_by_lines_and_by_bytes() {
        let log = counted(LINES + 7);
        assert_eq!(log.counts(), (LINES, LINES));
        let mut log = LogView::default();
        (0..40).for_each(|_| log.say(None, &"x".repeat(BYTES / 8)));
        assert!(log.bytes <= BYTES && log.counts().1 == 8, "{:?}", log.counts());
        assert_eq!(log.counts().0, log.counts().1, "what was dropped is not counted as shown");
    }

    #[test]
    fn the_end_is_followed_until_a_person_scrolls_up_and_again_at_the_end() {
        let mut log = counted(10);
        assert_eq!(drawn(&mut log, 20, 3), ["line 7", "line 8", "line 9"]);
        log.go(Motion::Up);
        log.say(None, "line 10");
        assert_eq!(drawn(&mut log, 20, 3), ["line 6", "line 7", "line 8"], "what is read stays in its place");
        log.go(Motion::Last);
        assert_eq!(drawn(&mut log, 20, 3), ["line 8", "line 9", "line 10"]);
        log.go(Motion::First);
        log.say(None, "line 11");
        assert_eq!(drawn(&mut log, 20, 3), ["line 0", "line 1", "line 2"]);
    }

    #[test]
    fn a_filter_holds_for_what_comes_and_never_hides_what_this_program_tells() {
        let mut log = counted(20);
        log.filter("line 1[0-9]");
        log.say(None, "line 19b");
        log.say(None, "other");
        log.tell("the container ended");
        assert_eq!(log.counts(), (12, 23));
        assert_eq!(drawn(&mut log, 30, 2), ["line 19b", "the container ended"]);
        log.filter("(");
        assert!(log.filter.error().is_some());
        assert_eq!(log.counts().0, 12);
    }

    #[test]
    fn long_lines_are_wrapped_or_scrolled() {
        let mut log = LogView::default();
        log.say(None, "one two three four");
        assert_eq!(drawn(&mut log, 10, 3), ["one two", "  three", "  four"]);
        log.toggle_wrap();
        assert_eq!(drawn(&mut log, 10, 1), ["one two t~"]);
        log.scroll(true);
        assert_eq!(drawn(&mut log, 10, 1), ["three four"]);
    }

    #[test]
    fn escape_sequences_of_a_log_do_nothing() {
        let mut log = LogView::default();
        log.say(None, "\u{1b}[2Jcleared");
        assert_eq!(drawn(&mut log, 30, 1), ["\u{fffd}[2Jcleared"]);
    }
}

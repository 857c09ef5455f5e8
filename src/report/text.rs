//! Text for people: widths, tables, wrapping, colour. Colour only underlines what words say already.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

use crate::upgrade::assessment::Level;
use crate::upgrade::neutral::{neutral, neutral_lines};

/// Columns that every text fits in when nothing is known of the reader's terminal.
pub const WIDTH: usize = 80;

/// How a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// With colour: the output is a terminal, and nobody said no.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self { colour: false, width: WIDTH }
    }
}

/// A colour, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// As the terminal writes.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    /// Fine.
    Good,
    /// Look at it.
    Warn,
    /// Wrong.
    Bad,
}

impl From<Level> for Ink {
    fn from(level: Level) -> Self {
        match level {
            Level::Info => Self::Plain,
            Level::Warning => Self::Warn,
            Level::Error | Level::Critical => Self::Bad,
        }
    }
}

impl Look {
    /// `text` in a colour. The text itself has to be neutral already.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Ink::Plain => return text.to_owned(),
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Warn => "33",
            Ink::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A heading.
    pub fn heading(&self, words: &str) -> String {
        self.ink(Ink::Strong, &neutral(words))
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// A cell in a colour.
    pub fn ink(ink: Ink, text: impl AsRef<str>) -> Self {
        Self { text: neutral(text.as_ref()).into_owned(), ink }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::ink(Ink::Plain, text)
    }
}

/// Columns that a last column wants for what it says; with less, long cells of it go below their row.
const ROOM: usize = 40;

/// How far such a cell is indented.
const BELOW: usize = 4;

/// A table with aligned columns, two blanks between them. The last column takes what is left and is wrapped below
/// itself, or below the whole row where little is left; a first column that would leave it nothing is cut in its middle.
pub fn table(look: &Look, head: &[&str], rows: &[Vec<Cell>]) -> String {
    let columns = head.len();
    let mut widths: Vec<usize> = head.iter().map(|word| word.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    let between = 2 * columns.saturating_sub(1);
    let rest: usize = widths.iter().skip(1).take(columns.saturating_sub(2)).sum();
    let last = head.last().map_or(0, |word| word.width());
    if columns > 1 {
        widths[0] = widths[0].min(look.width.saturating_sub(between + rest + last).max(8));
    }
    let used: usize = widths.iter().take(columns.saturating_sub(1)).sum::<usize>() + between;
    let lines = Lines { look, widths: &widths, used, room: look.width.saturating_sub(used).max(8) };
    let head: Vec<Cell> = head.iter().map(|word| Cell::ink(Ink::Strong, word)).collect();
    std::iter::once(&head).chain(rows).map(|row| lines.of(row)).collect()
}

struct Lines<'a> {
    look: &'a Look,
    widths: &'a [usize],
    /// Columns before the last one.
    used: usize,
    /// Columns of the last one.
    room: usize,
}

impl Lines<'_> {
    fn of(&self, row: &[Cell]) -> String {
        let mut out = String::new();
        for (at, cell) in row.iter().enumerate() {
            if at + 1 < self.widths.len() {
                let text = middle(&cell.text, self.widths[at]);
                let blanks = self.widths[at].saturating_sub(text.width()) + 2;
                out += &self.look.ink(cell.ink, &text);
                out += &" ".repeat(blanks);
            } else {
                self.last(cell, &mut out);
            }
        }
        out.split('\n').map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn last(&self, cell: &Cell, out: &mut String) {
        let below = self.room < ROOM && cell.text.width() > self.room;
        let (indent, room) = if below { (BELOW, self.look.width - BELOW) } else { (self.used, self.room) };
        for (place, part) in wrapped(&cell.text, room).iter().enumerate() {
            if place > 0 || below {
                out.push('\n');
                *out += &" ".repeat(indent);
            }
            *out += &self.look.ink(cell.ink, part);
        }
    }
}

/// `text` in at most `width` columns: its middle gives way, because names differ at their ends.
pub fn middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let keep = width.saturating_sub(2);
    let (front, back) = (keep - keep / 2, keep / 2);
    let end: usize = taken(text.graphemes(true), front).map(str::len).sum();
    let start: usize = taken(text.graphemes(true).rev(), back).map(str::len).sum();
    format!("{}..{}", &text[..end], &text[text.len() - start..])
}

/// `text` in at most `width` columns, its end cut.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    taken(text.graphemes(true), width.saturating_sub(2)).chain([".."]).collect()
}

/// As many of the characters, as a person takes them, as have room.
fn taken<'a>(graphemes: impl Iterator<Item = &'a str>, width: usize) -> impl Iterator<Item = &'a str> {
    let mut used = 0;
    graphemes.take_while(move |grapheme| {
        used += grapheme.width();
        used <= width
    })
}

/// The lines of `text`, broken at blanks so that none is wider than `width`; a word that is wider is broken anywhere.
/// At least one line. Neutral.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    for paragraph in neutral_lines(text) {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let mut word = word.to_owned();
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            while word.width() > width {
                let fits: usize = taken(word.graphemes(true), width).map(str::len).sum();
                // One that is wider than the line stays whole.
                let end = fits.max(word.graphemes(true).next().map_or(0, str::len));
                let part = word[..end].to_owned();
                word = word[part.len()..].to_owned();
                lines.push(part);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// `text` wrapped with `first` before its first line and as many blanks before the others; a line break at the end.
pub fn paragraph(look: &Look, first: &str, text: &str) -> String {
    let indent = " ".repeat(first.width());
    let mut out = String::new();
    for (at, line) in wrapped(text, look.width.saturating_sub(indent.len())).iter().enumerate() {
        let begin = if at == 0 { first } else { &indent };
        out.push_str(format!("{begin}{line}").trim_end());
        out.push('\n');
    }
    out
}

/// A command line, `indent` columns in; where it is too long it goes on behind a backslash, so that it can be copied
/// whole. It is never broken inside quotes.
pub fn command(look: &Look, indent: usize, line: &str) -> String {
    let room = look.width.saturating_sub(indent + 4).max(16);
    let mut lines: Vec<String> = vec![String::new()];
    for word in shell_words(&neutral(line)) {
        let (first, last) = (lines.len() == 1, lines.last_mut());
        match last {
            Some(last) if last.is_empty() => *last = word,
            Some(last) if last.width() + 1 + word.width() <= room + 2 * usize::from(first) => {
                last.push(' ');
                *last += &word;
            }
            _ => lines.push(word),
        }
    }
    let blanks = " ".repeat(indent);
    format!("{blanks}{}\n", lines.join(&format!(" \\\n{blanks}  ")))
}

/// The words of a command line, each with its quotes.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (c, quote) {
            (' ', None) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_the_last_column_wraps_below_itself() {
        let rows = vec![
            vec!["a".into(), "12".into(), "one two three four five six seven eight nine ten".into()],
            vec!["节点".into(), "3".into(), "x".into()],
        ];
        assert_eq!(
            table(&Look { colour: false, width: 50 }, &["NAME", "N", "MESSAGE"], &rows),
            "NAME  N   MESSAGE\na     12  one two three four five six seven eight\n          nine ten\n节点  3   x\n"
        );
        assert_eq!(
            table(&Look { colour: false, width: 40 }, &["NAME", "N", "MESSAGE"], &rows),
            "NAME  N   MESSAGE\na     12\n    one two three four five six seven\n    eight nine ten\n节点  3   x\n",
            "with little room it goes below"
        );
    }

    #[test]
    fn long_names_lose_their_middle_and_nothing_is_wider_than_asked() {
        let look = Look { colour: false, width: 40 };
        let rows = vec![vec!["a-very-long-name-of-a-node.example.com".repeat(2).into(), "m".repeat(100).into()]];
        for line in table(&look, &["NAME", "MESSAGE"], &rows).lines() {
            assert!(line.width() <= 40, "{line}");
        }
        assert_eq!(middle("abcdefghij", 6), "ab..ij");
        assert_eq!(cut("abcdefghij", 6), "abcd..");
    }

    #[test]
    fn what_a_server_said_cannot_steer_the_terminal() {
        let look = Look { colour: true, width: 40 };
        let text = table(&look, &["NAME", "MESSAGE"], &[vec!["n".into(), "\u{1b}[2J\u{7}".into()]]);
        assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{7}'), "{text:?}");
        assert!(!paragraph(&look, "", "\u{9b}x").contains('\u{9b}'));
    }

    #[test]
    fn commands_can_be_copied_whole() {
        let look = Look { colour: false, width: 40 };
        let line = "oc patch mcp worker --type merge -p '{\"spec\": {\"paused\": false}}'";
        assert_eq!(
            command(&look, 2, line),
            "  oc patch mcp worker --type merge -p \\\n    '{\"spec\": {\"paused\": false}}'\n"
        );
        assert_eq!(command(&look, 2, "oc get co"), "  oc get co\n");
    }

    #[test]
    fn paragraphs_keep_their_indent_and_their_empty_lines() {
        let look = Look { colour: false, width: 20 };
        assert_eq!(paragraph(&look, "- ", "one two three four five\n\nsix"), "- one two three four\n  five\n\n  six\n");
    }
}

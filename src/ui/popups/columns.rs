//! Which columns a table shows, and in which order.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::input::{Command, Pane};
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::motion::{Motion, scrolled};
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::spots::Spots;
use crate::ui::widgets::table::Column;
use crate::ui::words;

/// The name of a column in the configuration: `kubelet`, `a-p-d-u`.
pub fn name(column: &Column) -> String {
    column.title.to_lowercase().replace(' ', "-")
}

/// The columns of those names.
///
/// # Errors
/// The first name that is none, by its index, and what was expected.
pub fn named(columns: &[Column], names: &[String]) -> Result<Vec<usize>, (usize, String)> {
    let find = |(index, wanted): (usize, &String)| {
        let known: Vec<String> = columns.iter().map(name).collect();
        let found = known.iter().position(|known| known == wanted);
        let words = || format!("`{wanted}` is not a column, expected some of {}", known.join(", "));
        found.ok_or_else(|| (index, words()))
    };
    let mut found: Vec<usize> = Vec::new();
    for at in names.iter().enumerate().map(find) {
        let at = at?;
        if !found.contains(&at) {
            found.push(at);
        }
    }
    Ok(found)
}

/// The popup.
#[derive(Debug)]
pub struct ColumnsPopup {
    /// The pane of the table.
    pub pane: Pane,
    table: &'static str,
    columns: &'static [Column],
    choice: Vec<(usize, bool)>,
    cursor: usize,
    offset: usize,
    /// Where its columns stand.
    spots: Spots<usize>,
}

impl ColumnsPopup {
    /// A popup about the table of a pane: its name, its columns, and what is shown of them now.
    pub fn new(pane: Pane, table: &'static str, columns: &'static [Column], choice: Vec<(usize, bool)>) -> Self {
        Self { pane, table, columns, choice, cursor: 0, offset: 0, spots: Spots::default() }
    }

    /// Title.
    pub fn title(&self) -> String {
        format!("columns of {}", self.table)
    }

    /// Selects the column that was drawn there; true: it was selected already.
    pub fn select_at(&mut self, at: Position) -> bool {
        self.spots.at(at).is_some_and(|row| std::mem::replace(&mut self.cursor, row) == row)
    }

    /// The columns that are shown, in their order.
    pub fn shown(&self) -> Vec<usize> {
        self.choice.iter().filter(|(_, shown)| *shown).map(|(at, _)| *at).collect()
    }

    /// The line that makes the choice last, for the configuration.
    pub fn line(&self) -> String {
        let names: Vec<String> = self.shown().into_iter().map(|at| name(&self.columns[at])).collect();
        format!("columns: {{{}: [{}]}}", self.table, names.join(", "))
    }

    /// A command; true: what is shown is another.
    pub fn command(&mut self, command: Command) -> bool {
        let last = self.choice.len().saturating_sub(1);
        match command {
            // The name leads, and is always shown.
            Command::Mark | Command::Press | Command::Enter if self.cursor > 0 => {
                self.choice[self.cursor].1 = !self.choice[self.cursor].1;
                true
            }
            Command::ColumnLeft if self.cursor > 1 => {
                self.choice.swap(self.cursor, self.cursor - 1);
                self.cursor -= 1;
                true
            }
            Command::ColumnRight if (1..last).contains(&self.cursor) => {
                self.choice.swap(self.cursor, self.cursor + 1);
                self.cursor += 1;
                true
            }
            other => {
                if let Some(motion) = Motion::of(other) {
                    self.cursor = motion.apply(self.cursor, self.choice.len(), self.choice.len());
                }
                false
            }
        }
    }

    /// Lines that the popup would like.
    pub fn height(&self) -> u16 {
        self.choice.len() as u16 + 5
    }

    /// Draws the columns, and below them how the choice is kept.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let key = ctx.key_of(Command::Copy);
        let foot = format!("To keep it, put this into the configuration ({key} copies it): {}", self.line());
        let foot = words::wrap(&foot, area.width.into(), 2);
        let below = (foot.len() as u16 + 1).min(area.height.saturating_sub(1));
        let list = Rect { height: area.height - below, ..area };
        let page = usize::from(list.height).max(1);
        self.offset = scrolled(self.offset, self.cursor, self.choice.len(), page);
        self.spots.clear();
        for ((index, (at, shown)), y) in self.choice.iter().enumerate().skip(self.offset).zip(list.y..list.bottom()) {
            let mut pen = Pen::new(ctx.theme);
            pen.sign(Tone::Key, if index == self.cursor { ctx.theme.symbols().cursor } else { " " });
            let (tone, mark) = if *shown { (Tone::Text, "[x]") } else { (Tone::Dim, "[ ]") };
            pen.put(tone, format!(" {mark} {}", name(&self.columns[*at])));
            if *at == 0 {
                pen.put(Tone::Dim, "  always the first");
            }
            let row = Rect { y, height: 1, ..list };
            pen.draw(buffer, row);
            self.spots.put(row, index);
        }
        for (line, y) in foot.iter().zip(list.bottom() + 1..area.bottom()) {
            write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, line);
        }
    }
}

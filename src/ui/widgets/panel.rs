//! The frame around a pane: title, what is remarkable about its freshness, focus.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::widgets::{Block, Widget};

use crate::ui::theme::{Theme, Tone};
use crate::ui::widgets::pen::Pen;
use crate::ui::words;

/// Draws the frame of a pane into `area` and gives back what is left inside. Neighbours share their borders.
pub fn panel(buffer: &mut Buffer, area: Rect, theme: &Theme, title: &Pen<'_>, mark: &Pen<'_>) -> Rect {
    let block = Block::bordered()
        .border_set(theme.symbols().border)
        .border_style(theme.style(Tone::Border))
        .merge_borders(MergeStrategy::Exact);
    let inner = block.inner(area);
    block.render(area, buffer);
    if area.width > 4 {
        let room = Rect { x: area.x + 1, width: area.width - 2, height: 1, ..area };
        title.draw(buffer, room);
    }
    draw_mark(buffer, area, theme, mark);
    inner
}

/// What is remarkable about the content of a frame, in its upper right: before the end of a long title.
pub fn draw_mark(buffer: &mut Buffer, area: Rect, theme: &Theme, mark: &Pen<'_>) {
    if area.width <= 4 {
        return;
    }
    let room = Rect { x: area.x + 1, width: area.width - 2, height: 1, ..area };
    let columns = (mark.width() as u16).min(room.width.saturating_sub(12));
    if columns > 0 {
        let x = room.right() - columns;
        mark.draw(buffer, Rect { x, width: columns, ..room });
        // A title that goes on below the mark is cut as any text is.
        let before = buffer.cell_mut((x.saturating_sub(1), room.y));
        if let Some(cell) = before.filter(|cell| cell.symbol().chars().all(char::is_alphanumeric)) {
            cell.set_symbol(theme.symbols().ellipsis);
        }
    }
}

/// The title of a pane: marked by colour and by brackets when it has the focus.
pub fn title<'t>(theme: &'t Theme, words: &str, focused: bool) -> Pen<'t> {
    let mut pen = Pen::new(theme);
    if focused {
        pen.put(Tone::TitleFocused, format!("[{words}]"));
    } else {
        pen.put(Tone::Title, format!(" {words} "));
    }
    pen
}

/// Gives the border of the focused pane its colour. Done last: neighbours have been drawn over it.
pub fn focus(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let area = area.intersection(*buffer.area());
    for position in area.positions() {
        let edge = position.x == area.x
            || position.x + 1 == area.right()
            || position.y == area.y
            || position.y + 1 == area.bottom();
        let Some(cell) = buffer.cell_mut(position).filter(|_| edge) else { continue };
        let line = cell.symbol().chars().all(|c| matches!(c, '\u{2500}'..='\u{257f}' | '+' | '-' | '|'));
        if line && cell.style().fg == theme.style(Tone::Border).fg.or(Some(ratatui::style::Color::Reset)) {
            cell.set_style(theme.style(Tone::BorderFocused));
        }
    }
}

/// A scroll mark such as `12-30 of 340`, where not everything is visible.
pub fn scroll_mark(first: usize, visible: usize, total: usize) -> String {
    if total <= visible {
        return String::new();
    }
    format!(" {}-{} of {total} ", first + 1, (first + visible).min(total))
}

/// A rectangle in the middle of `area`.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Columns of the longest line.
pub fn longest(lines: &[String]) -> usize {
    lines.iter().map(|line| words::width(line)).max().unwrap_or(0)
}

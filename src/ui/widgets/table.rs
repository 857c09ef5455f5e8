//! A table over the rows of an assessment: order, filter, sort, marks, selection that follows the object.
//!
//! Rows stay in the assessment: the table keeps their order only, rebuilt when the generation moves, and asks for the
//! cells of the visible rows only. 5,000 rows cost a sort per assessment and some thirty rows per frame.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::marker::PhantomData;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::filter::{Filter, Filtered};
use super::motion::{Motion, scrolled};
use super::pen::write;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::words;
use crate::upgrade::assessment::Assessment;

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// So many columns.
    Fixed(u16),
    /// As wide as the longest name, within limits.
    Name(u16, u16),
    /// What is left, at least so much.
    Rest(u16),
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading; in lower case the key for `-l`.
    pub title: &'static str,
    /// Its width.
    pub width: Width,
    /// Shown when there is room or all columns are asked for; smaller is shown earlier, 0 always.
    pub extra: u8,
}

/// Columns between two columns.
const GAP: usize = 2;

/// From this `extra` on a column is shown only when all columns are asked for.
pub const RARE: u8 = 20;

/// What is in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Text.
    pub text: Cow<'a, str>,
    /// Meaning.
    pub tone: Tone,
}

impl<'a> Cell<'a> {
    /// A cell.
    pub fn new(tone: Tone, text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), tone }
    }
}

/// A kind of row and how it is shown.
pub trait Sheet {
    /// The row.
    type Row;
    /// Name of the table, for files.
    const NAME: &'static str;
    /// Its columns; the first is the name.
    const COLUMNS: &'static [Column];
    /// The column that tells the state, and the one that tells the age.
    const STATE: usize;
    /// See `STATE`.
    const AGE: usize;
    /// All rows of an assessment.
    fn rows(assessment: &Assessment) -> &[Self::Row];
    /// What identifies a row across assessments.
    fn id(row: &Self::Row) -> Cow<'_, str>;
    /// A cell.
    fn cell<'a>(row: &'a Self::Row, column: usize, ctx: &Ctx<'_>) -> Cell<'a>;
    /// Order by a column.
    fn by_column(a: &Self::Row, b: &Self::Row, column: usize) -> Ordering;
    /// The order without a sort: what matters first.
    fn natural(a: &Self::Row, b: &Self::Row) -> Ordering;
    /// Columns where there is no room for headings (the overview), each with its width; empty: as with headings. A
    /// column beyond [`Sheet::COLUMNS`] is one that [`Sheet::cell`] knows and that only stands here.
    const BRIEF: &'static [(usize, Width)] = &[];
    /// Would a column that is shown when there is room be empty in every row? Then it takes none.
    fn unused(_assessment: &Assessment, _column: usize) -> bool {
        false
    }
    /// A field for `-l` besides the columns.
    fn field(_row: &Self::Row, _key: &str) -> Option<String> {
        None
    }
}

/// By which column, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// Column.
    pub column: usize,
    /// Downwards.
    pub descending: bool,
}

/// The state of a table.
#[derive(Debug)]
pub struct Table<S: Sheet> {
    order: Vec<u32>,
    generation: Option<u64>,
    cursor: usize,
    selected: Option<String>,
    /// The person moved: from then on the selection follows its object.
    moved: bool,
    offset: usize,
    page: usize,
    marks: Vec<String>,
    anchor: Option<String>,
    /// The filter.
    pub filter: Filter,
    sort: Option<Sort>,
    column: Option<usize>,
    wide: bool,
    /// The columns that a person chose, in their order; none: as the room allows.
    chosen: Option<Vec<usize>>,
    skip: usize,
    name_width: usize,
    /// Where the rows were drawn last.
    body: Rect,
    sheet: PhantomData<S>,
}

impl<S: Sheet> Default for Table<S> {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            generation: None,
            cursor: 0,
            selected: None,
            moved: false,
            offset: 0,
            page: 10,
            marks: Vec::new(),
            anchor: None,
            filter: Filter::default(),
            sort: None,
            column: None,
            wide: false,
            chosen: None,
            skip: 0,
            name_width: 0,
            body: Rect::ZERO,
            sheet: PhantomData,
        }
    }
}

/// A row as a filter sees it.
struct Seen<'a, S: Sheet> {
    row: &'a S::Row,
    ctx: &'a Ctx<'a>,
    wide: bool,
}

impl<S: Sheet> Filtered for Seen<'_, S> {
    fn text(&self) -> String {
        // What is shown only when all columns are asked for does not let a row pass unseen.
        let columns = (0..S::COLUMNS.len()).filter(|at| self.wide || S::COLUMNS[*at].extra < RARE);
        columns.map(|column| S::cell(self.row, column, self.ctx).text).collect::<Vec<_>>().join(" ")
    }

    fn name(&self) -> String {
        S::cell(self.row, 0, self.ctx).text.into_owned()
    }

    fn field(&self, key: &str) -> Option<String> {
        S::field(self.row, key).or_else(|| {
            let column = S::COLUMNS.iter().position(|column| column.title.eq_ignore_ascii_case(key))?;
            Some(S::cell(self.row, column, self.ctx).text.into_owned())
        })
    }
}

impl<S: Sheet> Table<S> {
    /// Takes the rows of a new assessment; does nothing when it is not new.
    pub fn assessed(&mut self, ctx: &Ctx<'_>) {
        if self.generation != Some(ctx.assessment.generation) {
            self.generation = Some(ctx.assessment.generation);
            self.rebuild(ctx);
        }
    }

    /// Orders the rows anew: the filter or the sort changed.
    pub fn rebuild(&mut self, ctx: &Ctx<'_>) {
        let rows = S::rows(ctx.assessment);
        if matches!(S::COLUMNS[0].width, Width::Name(..)) {
            self.name_width = rows.iter().map(|row| words::width(&S::id(row))).max().unwrap_or(0);
        }
        self.order.clear();
        let filter = &self.filter;
        let passing = (0..rows.len() as u32).filter(|at| {
            !filter.active() || filter.passes(&Seen::<S> { row: &rows[*at as usize], ctx, wide: self.wide })
        });
        self.order.extend(passing);
        let sort = self.sort;
        self.order.sort_by(|a, b| {
            let (a, b) = (&rows[*a as usize], &rows[*b as usize]);
            let sorted = sort.map_or(Ordering::Equal, |sort| {
                let order = S::by_column(a, b, sort.column);
                if sort.descending { order.reverse() } else { order }
            });
            sorted.then_with(|| S::natural(a, b))
        });
        self.follow(rows);
    }

    /// Puts the cursor back on the selected object, or near where it was.
    fn follow(&mut self, rows: &[S::Row]) {
        let found = self
            .selected
            .as_ref()
            .filter(|_| self.moved)
            .and_then(|id| self.order.iter().position(|at| S::id(&rows[*at as usize]) == id.as_str()));
        if let Some(at) = found {
            self.cursor = at;
        } else if !self.moved {
            self.cursor = 0;
        }
        self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
        if found.is_none() {
            self.remember(rows);
        }
    }

    fn remember(&mut self, rows: &[S::Row]) {
        self.selected = self.order.get(self.cursor).and_then(|at| rows.get(*at as usize)).map(|row| S::id(row).into());
    }

    /// The selected row.
    pub fn row<'a>(&self, assessment: &'a Assessment) -> Option<&'a S::Row> {
        self.order.get(self.cursor).and_then(|at| S::rows(assessment).get(*at as usize))
    }

    /// Identity of the selected row.
    pub fn selected(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    /// Selects an object; false when it is not among the rows (or hidden by the filter).
    pub fn select(&mut self, id: &str, ctx: &Ctx<'_>) -> bool {
        self.assessed(ctx);
        let rows = S::rows(ctx.assessment);
        let found = self.order.iter().position(|at| S::id(&rows[*at as usize]) == id);
        if let Some(at) = found {
            self.cursor = at;
            self.moved = true;
            self.remember(rows);
        }
        found.is_some()
    }

    /// Moves the selection.
    pub fn go(&mut self, motion: Motion, ctx: &Ctx<'_>) {
        self.cursor = motion.apply(self.cursor, self.order.len(), self.page);
        self.moved = motion != Motion::First;
        self.remember(S::rows(ctx.assessment));
    }

    /// Scrolls the columns.
    pub fn scroll(&mut self, right: bool) {
        let most = S::COLUMNS.len().saturating_sub(2);
        self.skip = if right { (self.skip + 1).min(most) } else { self.skip.saturating_sub(1) };
    }

    /// All columns, or those that matter.
    pub fn toggle_wide(&mut self) {
        self.wide = !self.wide;
        self.skip = 0;
    }

    /// Chooses the column that [`Table::sort_chosen`] sorts by.
    pub fn choose_column(&mut self, right: bool) {
        let at = self.column.or(self.sort.map(|sort| sort.column)).unwrap_or(0);
        let last = S::COLUMNS.len() - 1;
        self.column = Some(if right { (at + 1).min(last) } else { at.saturating_sub(1) });
    }

    /// Sorts by the chosen column; again to reverse; a third time for the natural order.
    pub fn sort_chosen(&mut self, ctx: &Ctx<'_>) {
        let column = self.column.unwrap_or(0);
        self.sort_by(column, ctx);
    }

    /// Sorts by a column; again to reverse; a third time for the natural order.
    pub fn sort_by(&mut self, column: usize, ctx: &Ctx<'_>) {
        self.sort = match self.sort {
            Some(Sort { column: at, descending: false }) if at == column => Some(Sort { column, descending: true }),
            Some(Sort { column: at, descending: true }) if at == column => None,
            _ => Some(Sort { column, descending: false }),
        };
        self.moved = true;
        self.rebuild(ctx);
    }

    /// Rows that pass the filter, and all rows.
    pub fn counts(&self, assessment: &Assessment) -> (usize, usize) {
        (self.order.len(), S::rows(assessment).len())
    }

    /// Selects the row that was drawn there, if one was.
    pub fn select_at(&mut self, at: Position, ctx: &Ctx<'_>) {
        let row = self.offset + usize::from(at.y.saturating_sub(self.body.y));
        if self.body.contains(at)
            && let Some(row) = self.order.get(row).and_then(|at| S::rows(ctx.assessment).get(*at as usize))
        {
            let id = S::id(row).into_owned();
            self.select(&id, ctx);
        }
    }

    /// All columns by name, and whether each is shown: the shown ones first, in their order.
    pub fn choice(&self) -> Vec<(usize, bool)> {
        let shown = self
            .chosen
            .clone()
            .unwrap_or_else(|| (0..S::COLUMNS.len()).filter(|at| S::COLUMNS[*at].extra < RARE).collect());
        let hidden = (0..S::COLUMNS.len()).filter(|at| !shown.contains(at));
        shown.iter().map(|at| (*at, true)).chain(hidden.map(|at| (at, false))).collect()
    }

    /// The columns that were chosen.
    pub fn chosen(&self) -> Option<Vec<usize>> {
        self.chosen.clone()
    }

    /// Shows these columns, in this order; the first one, the name, always leads. None: as the room allows.
    pub fn choose(&mut self, columns: Option<Vec<usize>>) {
        self.chosen = columns.map(|mut columns| {
            columns.retain(|at| *at != 0 && *at < S::COLUMNS.len());
            columns.insert(0, 0);
            columns
        });
        self.skip = 0;
    }

    /// Marks or unmarks the selected row.
    pub fn mark(&mut self) {
        let Some(id) = self.selected.clone() else { return };
        if let Some(at) = self.marks.iter().position(|mark| *mark == id) {
            self.marks.remove(at);
        } else {
            self.marks.push(id.clone());
        }
        self.moved = true;
        self.anchor = Some(id);
    }

    /// Marks everything between the last marked row and the selected one.
    pub fn mark_range(&mut self, ctx: &Ctx<'_>) {
        let rows = S::rows(ctx.assessment);
        let place = |id: &str| self.order.iter().position(|at| S::id(&rows[*at as usize]) == id);
        let from = self.anchor.as_deref().and_then(place).unwrap_or(self.cursor);
        let range = from.min(self.cursor)..=from.max(self.cursor);
        let ids: Vec<String> = self
            .order
            .get(range)
            .unwrap_or_default()
            .iter()
            .map(|at| S::id(&rows[*at as usize]).into_owned())
            .collect();
        for id in ids {
            if !self.marks.contains(&id) {
                self.marks.push(id);
            }
        }
        self.anchor.clone_from(&self.selected);
        self.moved = true;
    }

    /// Forgets the marks; false when there were none.
    pub fn clear_marks(&mut self) -> bool {
        self.anchor = None;
        let had = !self.marks.is_empty();
        self.marks.clear();
        had
    }

    /// Marked objects that still exist, in the order in which they were marked.
    pub fn marks(&self, assessment: &Assessment) -> Vec<String> {
        let rows = S::rows(assessment);
        self.marks.iter().filter(|mark| rows.iter().any(|row| S::id(row) == mark.as_str())).cloned().collect()
    }

    /// Are any rows marked?
    pub fn marked(&self) -> bool {
        !self.marks.is_empty()
    }

    /// `3 marked, 1 hidden: worker-0, worker-1 +1`; empty without marks.
    pub fn marks_words(&self, assessment: &Assessment) -> String {
        if self.marks.is_empty() {
            return String::new();
        }
        let rows = S::rows(assessment);
        let marks = self.marks(assessment);
        let visible = |mark: &String| self.order.iter().any(|at| S::id(&rows[*at as usize]) == mark.as_str());
        let hidden = if self.filter.active() { marks.iter().filter(|mark| !visible(mark)).count() } else { 0 };
        let names = words::listed(&marks, words::MARKED);
        match hidden {
            0 => format!("{} marked: {names}", marks.len()),
            hidden => format!("{} marked, {hidden} hidden: {names}", marks.len()),
        }
    }

    /// What is remarkable about the list for its title: the filter with its count, marks, the part that is visible.
    pub fn words(&self, assessment: &Assessment) -> String {
        let (shown, total) = self.counts(assessment);
        let mut parts = Vec::new();
        if self.filter.active() {
            parts.push(format!("/{} {shown}/{total}", self.filter.text()));
        }
        let marks = self.marks_words(assessment);
        if !marks.is_empty() {
            parts.push(marks);
        }
        if shown > self.page {
            parts.push(format!("{}-{} of {shown}", self.offset + 1, (self.offset + self.page).min(shown)));
        }
        parts.join("  ")
    }

    /// The few columns of the overview with their widths. No gap is left behind the last one.
    fn brief(room: usize) -> Vec<(usize, usize)> {
        let least = |width: &Width| match width {
            Width::Fixed(columns) | Width::Rest(columns) | Width::Name(columns, _) => usize::from(*columns),
        };
        let fixed = |width: &Width| matches!(width, Width::Fixed(_));
        let taken: usize = S::BRIEF.iter().map(|(_, width)| if fixed(width) { least(width) + GAP } else { GAP }).sum();
        let rest = (room + GAP).saturating_sub(taken);
        S::BRIEF
            .iter()
            .map(|(at, width)| (*at, if fixed(width) { least(width) } else { rest.max(least(width)) }))
            .collect()
    }

    /// Columns to show with their widths. No gap is left behind the last one.
    fn columns(&self, room: usize, assessment: &Assessment) -> Vec<(usize, usize)> {
        let room = room + GAP;
        let own = self.chosen.as_ref().filter(|_| !self.wide);
        let least = |column: &Column| match column.width {
            Width::Fixed(columns) | Width::Rest(columns) => usize::from(columns),
            Width::Name(low, high) => self.name_width.clamp(usize::from(low), usize::from(high)),
        };
        let mut chosen: Vec<usize> = own
            .cloned()
            .unwrap_or_else(|| (0..S::COLUMNS.len()).filter(|at| self.wide || S::COLUMNS[*at].extra == 0).collect());
        let all = if own.is_some() { 0 } else { S::COLUMNS.len() };
        let mut extras: Vec<usize> =
            (0..all).filter(|at| !chosen.contains(at) && !S::unused(assessment, *at)).collect();
        extras.sort_by_key(|at| S::COLUMNS[*at].extra);
        let total = |chosen: &[usize]| chosen.iter().map(|at| least(&S::COLUMNS[*at]) + GAP).sum::<usize>();
        for extra in extras {
            let columns = least(&S::COLUMNS[extra]) + GAP;
            if S::COLUMNS[extra].extra >= RARE || total(&chosen) + columns > room {
                break;
            }
            chosen.push(extra);
        }
        if own.is_none() {
            chosen.sort_unstable();
        }
        let skipped = self.skip.min(chosen.len().saturating_sub(1));
        chosen.drain(1..=skipped.min(chosen.len() - 1));
        let left = room.saturating_sub(total(&chosen));
        let rests = chosen.iter().filter(|at| matches!(S::COLUMNS[**at].width, Width::Rest(_))).count();
        let share = left.checked_div(rests).unwrap_or(0);
        let grown = |at: &usize| {
            let column = &S::COLUMNS[*at];
            least(column) + if matches!(column.width, Width::Rest(_)) { share } else { 0 }
        };
        chosen.iter().map(|at| (*at, grown(at))).collect()
    }

    /// Draws headings (if asked for) and the visible rows.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, focused: bool, headings: bool) {
        self.assessed(ctx);
        let brief = !headings && !S::BRIEF.is_empty();
        let headings = headings && area.height > 2;
        let body =
            Rect { y: area.y + u16::from(headings), height: area.height.saturating_sub(u16::from(headings)), ..area };
        self.page = usize::from(body.height);
        self.body = body;
        self.offset = scrolled(self.offset, self.cursor, self.order.len(), self.page);
        if area.is_empty() || area.width < 4 {
            return;
        }
        let room = usize::from(area.width).saturating_sub(1);
        let columns = if brief { Self::brief(room) } else { self.columns(room, ctx.assessment) };
        if headings {
            self.draw_headings(buffer, area, ctx, &columns);
        }
        let rows = S::rows(ctx.assessment);
        let visible = self.order.iter().skip(self.offset).take(self.page);
        for ((index, at), y) in visible.enumerate().zip(body.y..body.bottom()) {
            let Some(row) = rows.get(*at as usize) else { continue };
            let selected = self.offset + index == self.cursor;
            let marked = !self.marks.is_empty() && self.marks.iter().any(|mark| S::id(row) == mark.as_str());
            Self::draw_row(buffer, Rect { y, height: 1, ..body }, ctx, &columns, row, marked);
            if selected {
                let tone = if focused { Tone::Selected } else { Tone::SelectedDim };
                buffer.set_style(Rect { y, height: 1, ..body }, ctx.theme.style(tone));
                if focused && !marked {
                    write(buffer, (body.x, y), 1, ctx.theme, tone, ctx.theme.symbols().cursor);
                }
            }
        }
    }

    fn draw_headings(&self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, columns: &[(usize, usize)]) {
        let signs = ctx.theme.symbols();
        let mut x = area.x + 1;
        for (at, width) in columns {
            let mut title = S::COLUMNS[*at].title.to_owned();
            if let Some(sort) = self.sort.filter(|sort| sort.column == *at) {
                title.push_str(if sort.descending { signs.descending } else { signs.ascending });
            }
            let chosen = self.column == Some(*at);
            let tone = if chosen { Tone::Key } else { Tone::Heading };
            let width = (*width as u16).min(area.right().saturating_sub(x));
            write(buffer, (x, area.y), width, ctx.theme, tone, &title);
            x = x.saturating_add(width + GAP as u16);
            if x >= area.right() {
                break;
            }
        }
    }

    fn draw_row(
        buffer: &mut Buffer,
        line: Rect,
        ctx: &Ctx<'_>,
        columns: &[(usize, usize)],
        row: &S::Row,
        marked: bool,
    ) {
        if marked {
            write(buffer, (line.x, line.y), 1, ctx.theme, Tone::Marked, ctx.theme.symbols().mark);
        }
        let mut x = line.x + 1;
        let mut columns = columns.iter().map(|(at, width)| (*at, *width, S::cell(row, *at, ctx))).peekable();
        while let Some((at, mut width, cell)) = columns.next() {
            if x >= line.right() {
                break;
            }
            let tone = if marked && at == 0 { Tone::Marked } else { cell.tone };
            // A text goes on where nothing stands beside it.
            while words::width(&cell.text) > width
                && let Some((_, more, _)) = columns.next_if(|(_, _, next)| next.text.is_empty())
            {
                width += GAP + more;
            }
            let width = (width as u16).min(line.right() - x);
            write(buffer, (x, line.y), width, ctx.theme, tone, &cell.text);
            x = x.saturating_add(width + GAP as u16);
        }
    }

    /// The shown rows with all columns as tab separated values.
    pub fn tsv(&self, ctx: &Ctx<'_>) -> String {
        let rows = S::rows(ctx.assessment);
        let titles: Vec<&str> = S::COLUMNS.iter().map(|column| column.title).collect();
        let mut out = titles.join("\t");
        for row in self.order.iter().filter_map(|at| rows.get(*at as usize)) {
            let cells = (0..S::COLUMNS.len()).map(|column| S::cell(row, column, ctx).text);
            out.push('\n');
            out.push_str(
                &cells.map(|text| crate::ui::neutral::neutral(&text).into_owned()).collect::<Vec<_>>().join("\t"),
            );
        }
        out.push('\n');
        out
    }
}

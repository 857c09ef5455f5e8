//! The overview: every pane at a glance. Rows go where they are needed: what is wrong comes first, then what moves; no pane
//! has blank rows while a list beside it is cut.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Stage;
use crate::input::Pane;
use crate::ui::panes::{findings, operators};
use crate::ui::widgets::share::{Need, share};

/// From this height on all panes have a place in one column.
const TALL: u16 = 24;

/// From this height on operators have a place in one column.
const OPERATORS: u16 = 12;

/// Rows that the timeline has at least where there is room for it at all, and how many it would like in two columns: one in
/// so many.
const TIMELINE: u16 = 2;
const TIMELINE_PART: u16 = 5;

/// Rows that a finding takes to be told in full below the list: a rule, and enough of its text.
const TOLD: u16 = 12;

/// Panes one below the other with so many rows each; neighbours share a border.
fn stack(area: Rect, rows: &[u16]) -> Vec<Rect> {
    let mut y = area.y;
    let mut place = |rows: &u16| {
        let place = Rect { y, height: rows + 2, ..area }.intersection(area);
        y = y.saturating_add(rows + 1);
        place
    };
    rows.iter().map(&mut place).collect()
}

/// Rows for content in a stack of so many panes.
fn room(area: Rect, panes: usize) -> u16 {
    area.height.saturating_sub(panes as u16 + 1)
}

impl Stage<'_, '_> {
    /// What a pane needs at a width, and what it takes to show all that it has.
    fn need(&mut self, pane: Pane, width: u16) -> (Need, u16) {
        let ctx = self.ctx;
        let need = match pane {
            Pane::Operators => operators::need(ctx, &self.view.operators, width.saturating_sub(2)),
            Pane::Pools => return self.view.pools.need(ctx, width.saturating_sub(2)),
            Pane::Findings => findings::need(ctx, &self.view.findings),
            Pane::Map => {
                let lines = usize::from(self.view.map.height(ctx.assessment, width.saturating_sub(3)));
                // With the line that says what the signs mean.
                Need::new(0, lines + 1, lines + 1)
            }
            _ => Need::new(0, 3, self.view.timeline.counts(ctx.assessment).0),
        };
        (need, need.all)
    }

    /// Shares a stack of panes, given in the order of their importance: rows of each, and whether the finding that is
    /// selected is told in full.
    fn shared(&mut self, area: Rect, panes: &[Pane]) -> (Vec<u16>, bool) {
        let needs: Vec<(Need, u16)> = panes.iter().map(|pane| self.need(*pane, area.width)).collect();
        let room = room(area, panes.len());
        let mut rows = share(room, &needs.iter().map(|(need, _)| *need).collect::<Vec<_>>());
        let mut left = room.saturating_sub(rows.iter().sum());
        // What is left tells more of what is there already: every node of a pool, then the selected finding in full.
        for (rows, (_, all)) in rows.iter_mut().zip(&needs) {
            if *all > *rows && all - *rows <= left {
                left -= all - *rows;
                *rows = *all;
            }
        }
        let listed = !self.ctx.assessment.findings.is_empty();
        let findings = panes.iter().position(|pane| *pane == Pane::Findings).filter(|_| listed && left >= TOLD);
        let last = panes.iter().position(|pane| *pane == Pane::Pools).unwrap_or(0);
        if let Some(rows) = rows.get_mut(findings.unwrap_or(last)) {
            *rows += left;
        }
        (rows, findings.is_some())
    }

    /// Two columns and the timeline below.
    pub(super) fn overview_wide(&mut self, buffer: &mut Buffer, area: Rect) {
        let width = area.width * 2 / 5;
        let (left, right) = ([Pane::Operators, Pane::Map], [Pane::Pools, Pane::Findings]);
        let right_width = area.width - width + 1;
        let inner = area.height.saturating_sub(4);
        // What a column needs for what moves, and for all that fits.
        let mut needs = |panes: [Pane; 2], width: u16| {
            let needs = panes.map(|pane| self.need(pane, width));
            let sum = |of: fn(&(Need, u16)) -> u16| needs.iter().map(of).fold(0_u16, u16::saturating_add);
            let whole = Some(sum(|(_, all)| *all)).filter(|whole| *whole <= inner);
            (sum(|(need, _)| need.moves), whole.unwrap_or_else(|| sum(|(need, _)| need.all)))
        };
        let (a, b) = (needs(left, width), needs(right, right_width));
        let (entries, _) = self.view.timeline.counts(self.ctx.assessment);
        let entries = u16::try_from(entries).unwrap_or(u16::MAX).max(1);
        // The timeline leaves its rows to what moves, and takes those that nobody else needs.
        let fair = (area.height / TIMELINE_PART).saturating_sub(2).max(1);
        let spared = inner.saturating_sub(a.0.max(b.0)).max(1);
        let unused = inner.saturating_sub(a.1.max(b.1));
        let below = entries.min(fair.min(spared).max(unused));
        let upper = Rect { height: area.height.saturating_sub(below + 1), ..area };
        let low = Rect { y: upper.bottom().saturating_sub(1), height: below + 2, ..area }.intersection(area);
        let column = Rect { width, ..upper };
        let (rows, _) = self.shared(column, &left);
        for (pane, place) in left.into_iter().zip(stack(column, &rows)) {
            self.place(buffer, place, pane, true);
        }
        let column = Rect { x: column.right() - 1, width: right_width, ..upper };
        let (rows, told) = self.shared(column, &right);
        self.told = told;
        for (pane, place) in right.into_iter().zip(stack(column, &rows)) {
            self.place(buffer, place, pane, true);
        }
        self.place(buffer, low, Pane::Timeline, true);
        self.view.visible = vec![Pane::Pools, Pane::Findings, Pane::Timeline, Pane::Operators, Pane::Map];
    }

    /// One column: what matters most has the most room, the rest comes as the height allows.
    pub(super) fn overview_narrow(&mut self, buffer: &mut Buffer, area: Rect) {
        let mut panes = vec![Pane::Findings, Pane::Pools];
        if area.height >= OPERATORS {
            panes.push(Pane::Operators);
        }
        let width = area.width;
        let wanted: u16 =
            panes.clone().into_iter().map(|pane| self.need(pane, width).0.all).fold(0, u16::saturating_add);
        // Each costs a border as well.
        let mut left = room(area, panes.len()).saturating_sub(wanted);
        let (entries, _) = self.view.timeline.counts(self.ctx.assessment);
        if area.height >= TALL || (entries > 0 && left > TIMELINE) {
            panes.push(Pane::Timeline);
            left = left.saturating_sub(1 + (entries as u16).min(TIMELINE));
        }
        let map = self.need(Pane::Map, width).0.all;
        if area.height >= TALL || (!self.ctx.assessment.nodes.is_empty() && left > map) {
            panes.push(Pane::Map);
        }
        let (rows, told) = self.shared(area, &panes);
        self.told = told;
        let order = [Pane::Operators, Pane::Pools, Pane::Findings, Pane::Map, Pane::Timeline];
        let shown: Vec<(Pane, u16)> = order
            .into_iter()
            .filter_map(|pane| Some((pane, *rows.get(panes.iter().position(|other| *other == pane)?)?)))
            .collect();
        let places = stack(area, &shown.iter().map(|(_, rows)| *rows).collect::<Vec<_>>());
        for ((pane, _), place) in shown.iter().zip(places) {
            self.place(buffer, place, *pane, true);
        }
        let order = [Pane::Pools, Pane::Findings, Pane::Map, Pane::Timeline, Pane::Operators];
        let shown = std::mem::take(&mut self.view.visible);
        self.view.visible = order.into_iter().filter(|pane| shown.contains(pane)).collect();
    }
}

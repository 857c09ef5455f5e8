//! Nodes as a map: one cell each, by pool and zone, always in the same place, so that a wave is seen moving.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::freshness;
use super::nodes::tone;
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::motion::{Motion, scrolled};
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::strip::stuck;
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, NodePhase};
use crate::upgrade::facts::Kind;

/// A run of cells on a line.
#[derive(Debug, Clone, Default)]
struct Run {
    x: u16,
    label: String,
    /// Indices into the assessment's nodes.
    nodes: Vec<u32>,
}

/// The state of the map.
#[derive(Debug, Default)]
pub struct Map {
    lines: Vec<Vec<Run>>,
    made_for: Option<(u64, u16)>,
    top: usize,
    page: usize,
}

/// Zones with their nodes, as indices into the assessment's.
type Zones = Vec<(String, Vec<u32>)>;

/// Pools in the order of the assessment, then nodes of no pool.
fn groups(assessment: &Assessment) -> Vec<(String, Zones)> {
    let mut groups: Vec<(String, Zones)> =
        assessment.pools.iter().map(|pool| (pool.name.clone(), Vec::new())).collect();
    for (index, node) in assessment.nodes.iter().enumerate() {
        let pool = node.pool.as_deref().unwrap_or("no pool");
        let at = groups.iter().position(|(name, _)| name == pool).unwrap_or_else(|| {
            groups.push((pool.to_owned(), Vec::new()));
            groups.len() - 1
        });
        let zones = &mut groups[at].1;
        let zone = node.zone.as_deref().unwrap_or("");
        match zones.iter_mut().find(|(name, _)| name == zone) {
            Some((_, nodes)) => nodes.push(index as u32),
            None => zones.push((zone.to_owned(), vec![index as u32])),
        }
    }
    let name = |at: &u32| assessment.nodes[*at as usize].name.as_str();
    for (_, zones) in &mut groups {
        zones.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, nodes) in zones {
            nodes.sort_by(|a, b| words::natural(name(a), name(b)));
        }
    }
    groups.retain(|(_, zones)| !zones.is_empty());
    groups
}

/// The part of a zone's name in which zones differ: `b` of `eu-central-1b`.
fn short_zone(zone: &str, assessment: &Assessment) -> String {
    let others = assessment.nodes.iter().filter_map(|node| node.zone.as_deref()).take(500);
    let common = others.fold(zone.len(), |common, other| {
        if other == zone {
            return common;
        }
        let same = zone.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b).last();
        common.min(same.map_or(0, |((at, c), _)| at + c.len_utf8()))
    });
    let start = if common >= zone.len() { 0 } else { common };
    // Digits and words are not cut in half.
    let cut = zone[start..].trim_start_matches('-');
    cut.to_owned()
}

impl Map {
    fn layout(&mut self, assessment: &Assessment, width: u16) {
        if self.made_for == Some((assessment.generation, width)) {
            return;
        }
        self.made_for = Some((assessment.generation, width));
        self.lines.clear();
        let groups = groups(assessment);
        let indent = groups.iter().map(|(name, _)| name.len()).max().unwrap_or(0).clamp(4, 12) as u16 + 2;
        for (pool, zones) in groups {
            self.lines.push(vec![Run { x: 0, label: pool, nodes: Vec::new() }]);
            let mut x = indent;
            for (zone, nodes) in zones {
                let label = short_zone(&zone, assessment);
                let lead = if label.is_empty() { 0 } else { label.chars().count().min(16) as u16 + 1 };
                if x > indent && x + lead + nodes.len() as u16 > width {
                    self.lines.push(Vec::new());
                    x = indent;
                }
                let mut label = Some(label);
                let mut lead = lead;
                let mut rest = nodes.as_slice();
                while !rest.is_empty() {
                    let room = usize::from(width.saturating_sub(x + lead)).max(1);
                    let (here, more) = rest.split_at(room.min(rest.len()));
                    let run = Run { x, label: label.take().unwrap_or_default(), nodes: here.to_vec() };
                    x += lead + here.len() as u16 + 2;
                    if let Some(line) = self.lines.last_mut() {
                        line.push(run);
                    }
                    rest = more;
                    if !rest.is_empty() {
                        self.lines.push(Vec::new());
                        x = indent;
                        lead = 0;
                    }
                }
            }
        }
    }

    /// Line and column of a node.
    fn place(&self, index: u32) -> Option<(usize, u16)> {
        self.lines.iter().enumerate().find_map(|(line, runs)| {
            runs.iter().find_map(|run| {
                let at = run.nodes.iter().position(|node| *node == index)?;
                Some((line, run.cells() + at as u16))
            })
        })
    }

    /// The node nearest to a column on a line.
    fn nearest(&self, line: usize, column: u16) -> Option<u32> {
        let cells = self.lines.get(line)?.iter().flat_map(|run| {
            let start = run.cells();
            run.nodes.iter().enumerate().map(move |(at, node)| (start + at as u16, *node))
        });
        cells.min_by_key(|(x, _)| x.abs_diff(column)).map(|(_, node)| node)
    }

    /// The node that a movement from `selected` leads to.
    pub fn go(&self, command: Command, selected: Option<&str>, assessment: &Assessment) -> Option<String> {
        let name = |index: u32| assessment.nodes.get(index as usize).map(|node| node.name.clone());
        let order: Vec<u32> = self.lines.iter().flatten().flat_map(|run| run.nodes.iter().copied()).collect();
        let index = selected
            .and_then(|name| assessment.nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok())
            .map(|at| at as u32);
        let Some((line, column)) = index.and_then(|index| self.place(index)) else {
            return order.first().copied().and_then(name);
        };
        if matches!(command, Command::Left | Command::Right) {
            let at = order.iter().position(|node| Some(*node) == index)?;
            let motion = if command == Command::Left { Motion::Up } else { Motion::Down };
            return order.get(motion.apply(at, order.len(), 1)).copied().and_then(name);
        }
        match Motion::of(command)? {
            Motion::First => order.first().copied().and_then(name),
            Motion::Last => order.last().copied().and_then(name),
            motion => {
                let mut target = motion.apply(line, self.lines.len(), self.page);
                // Lines of labels alone are stepped over.
                while target != line && self.nearest(target, column).is_none() {
                    let next = if target > line { target - 1 } else { target + 1 };
                    target = next;
                }
                self.nearest(target, column).and_then(name)
            }
        }
    }

    /// Lines that the map needs at a width.
    pub fn height(&mut self, assessment: &Assessment, width: u16) -> u16 {
        self.layout(assessment, width);
        self.lines.len() as u16
    }

    /// Draws the map; `selected` is the node under the cursor.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, selected: Option<&str>, focused: bool) {
        if ctx.assessment.nodes.is_empty() {
            let text = freshness::nothing(ctx, Kind::Nodes, false);
            write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
            return;
        }
        let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
        if area.width < 8 || area.height == 0 {
            return;
        }
        self.layout(ctx.assessment, area.width);
        let nodes = &ctx.assessment.nodes;
        let index = selected.and_then(|name| nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok());
        let place = index.and_then(|index| self.place(index as u32));
        let legend = u16::from(usize::from(area.height) > self.lines.len());
        self.page = usize::from(area.height - legend);
        if let Some((line, _)) = place {
            self.top = scrolled(self.top, line, self.lines.len(), self.page);
        }
        self.top = self.top.min(self.lines.len().saturating_sub(self.page));
        for (runs, y) in self.lines.iter().skip(self.top).zip(area.y..area.bottom() - legend) {
            for run in runs {
                run.draw(buffer, Rect { y, height: 1, ..area }, ctx);
            }
        }
        if let Some((line, x)) = place.filter(|(line, _)| (self.top..self.top + self.page).contains(line)) {
            let y = area.y + (line - self.top) as u16;
            let tone = if focused { Tone::Selected } else { Tone::SelectedDim };
            if let Some(cell) = buffer.cell_mut((area.x + x, y)).filter(|_| x < area.width) {
                cell.set_style(ctx.theme.style(tone));
            }
        }
        if legend > 0 {
            draw_legend(buffer, Rect { y: area.bottom() - 1, height: 1, ..area }, ctx);
        }
    }
}

impl Run {
    /// Column of the first cell.
    fn cells(&self) -> u16 {
        self.x
            + if self.label.is_empty() || self.nodes.is_empty() {
                0
            } else {
                self.label.chars().count().min(16) as u16 + 1
            }
    }

    fn draw(&self, buffer: &mut Buffer, line: Rect, ctx: &Ctx<'_>) {
        let tone_of_label = if self.nodes.is_empty() { Tone::Text } else { Tone::Dim };
        let room = line.width.saturating_sub(self.x).min(16);
        write(buffer, (line.x + self.x, line.y), room, ctx.theme, tone_of_label, &self.label);
        for (x, index) in (line.x + self.cells()..line.right()).zip(&self.nodes) {
            let Some(node) = ctx.assessment.nodes.get(*index as usize) else { continue };
            if let Some(cell) = buffer.cell_mut((x, line.y)) {
                let sign = ctx.theme.symbols().cell(node.phase, stuck(node));
                cell.set_symbol(sign).set_style(ctx.theme.style(tone(node)));
            }
        }
    }
}

/// What the signs mean.
fn draw_legend(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let signs = ctx.theme.symbols();
    let mut pen = Pen::new(ctx.theme);
    let entries = [
        (signs.cell(NodePhase::Done, false), Tone::Ok, "done"),
        (signs.cell(NodePhase::Draining, false), Tone::Active, "moving"),
        (signs.cell(NodePhase::Waiting, false), Tone::Waiting, "waiting"),
        (signs.cell(NodePhase::Paused, false), Tone::Paused, "paused"),
        (signs.cell(NodePhase::Degraded, true), Tone::Danger, "stuck"),
    ];
    let gap = if area.width >= 48 { 2 } else { 1 };
    for (sign, tone, word) in entries {
        pen.sign(tone, sign).gap(1).put(Tone::Dim, word).gap(gap);
    }
    pen.draw(buffer, area);
}

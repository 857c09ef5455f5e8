//! Pools as a tree: pool, node, what holds it up, why.
//!
//! The tree widget keeps what is open, selected and scrolled. It is given items without text, made again only when the
//! structure changes: the texts of the visible rows are written over what it draws, so that 5,000 nodes cost a frame
//! little more than fifty.

mod rows;
mod shape;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::StatefulWidget;
use tui_tree_widget::{Tree, TreeState};

pub use self::rows::capacity_words;
use self::rows::{next_words, node_line, pool_line, told};
use self::shape::{Shape, Wanted};
use super::freshness;
use super::nodes::{label, says};
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::filter::{Filter, Filtered};
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::share::Need;
use crate::ui::widgets::strip::{rank, stuck};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Node, Resource, Subject};
use crate::upgrade::facts::Kind;

/// The kinds that the pane rests on.
pub const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// Up to so many nodes every pool is open when the tree is first seen in full: all of it fits on a screen or two.
const SMALL: usize = 30;

/// More rows than a screen has: up to so many the rows of the tree are counted exactly.
const EXACT: usize = 200;

/// The name of a pool or a node as a number: paths of the tree are compared and hashed by the thousand in a frame.
type Name = u32;

/// What identifies a line of the tree among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TreeId {
    /// A pool.
    Pool(Name),
    /// A node.
    Node(Name),
    /// How many more nodes the controller takes.
    Capacity,
    /// Which nodes are next, or why none is.
    Next,
    /// The nodes that are not listed one by one.
    Rest,
    /// A line of explanation, by its place.
    Line(u16),
}

/// Names that were given numbers: a number is never given to another name.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Arc<str>, Name>,
    names: Vec<Arc<str>>,
}

impl Names {
    fn number(&mut self, name: &str) -> Name {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as Name;
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    fn name(&self, number: Name) -> &str {
        self.names.get(number as usize).map_or("", AsRef::as_ref)
    }
}

/// A pool with its nodes in the order in which they are listed.
#[derive(Debug)]
struct Branch {
    pool: Name,
    /// Index into the assessment's pools.
    index: usize,
    /// Each with its index into the assessment's nodes.
    nodes: Vec<(Name, u32)>,
    /// All nodes of the pool that are stuck in a drain, whatever the filter says.
    blocked: usize,
    /// One that moves, likewise.
    moves: Option<u32>,
}

/// The state of the tree.
#[derive(Debug, Default)]
pub struct Pools {
    tree: TreeState<TreeId>,
    names: Names,
    branches: Vec<Branch>,
    generation: Option<u64>,
    /// Branches that were opened once for their trouble: closing one by hand is respected.
    offered: HashSet<TreeId>,
    /// Nodes whose first blocker was opened once, likewise.
    told: HashSet<Name>,
    /// The tree was drawn in full before.
    seen: bool,
    page: usize,
    shown: usize,
    /// Counts the changes of what is open or passes the filter.
    changes: u64,
    shape: Option<Shape>,
    /// For what the rows were counted, and how many they are: compact, and in full.
    counted: Option<(Wanted, (usize, usize))>,
    /// The filter: over nodes.
    pub filter: Filter,
    /// Marked pools, in the order in which they were marked.
    marks: Vec<String>,
}

/// A node as a filter sees it.
struct Seen<'a>(&'a Node);

impl Filtered for Seen<'_> {
    fn text(&self) -> String {
        let node = self.0;
        let (pool, zone) = (node.pool.as_deref().unwrap_or(""), node.zone.as_deref().unwrap_or(""));
        format!("{} {pool} {zone} {} {}", node.name, node.phase.word(), says(node))
    }

    fn name(&self) -> String {
        self.0.name.clone()
    }

    fn field(&self, key: &str) -> Option<String> {
        let node = self.0;
        match key {
            "pool" => node.pool.clone(),
            "zone" => node.zone.clone(),
            "node" | "name" => Some(node.name.clone()),
            "phase" | "state" => Some(node.phase.word().into()),
            "role" | "roles" => Some(node.roles.join(",")),
            "stuck" => Some(stuck(node).to_string()),
            _ => label(node, key),
        }
    }
}

impl Pools {
    /// Takes the rows of a new assessment; does nothing when it is not new.
    pub fn assessed(&mut self, ctx: &Ctx<'_>) {
        if self.generation != Some(ctx.assessment.generation) {
            self.generation = Some(ctx.assessment.generation);
            self.rebuild(ctx);
        }
    }

    /// Orders the rows anew: the filter changed.
    pub fn rebuild(&mut self, ctx: &Ctx<'_>) {
        let assessment = ctx.assessment;
        let mut places: HashMap<&str, usize> = HashMap::new();
        self.branches.clear();
        for (index, pool) in assessment.pools.iter().enumerate() {
            places.insert(&pool.name, index);
            let pool = self.names.number(&pool.name);
            self.branches.push(Branch { pool, index, nodes: Vec::new(), blocked: 0, moves: None });
        }
        self.shown = 0;
        for (index, node) in assessment.nodes.iter().enumerate() {
            let Some(place) = node.pool.as_deref().and_then(|pool| places.get(pool)) else { continue };
            let branch = &mut self.branches[*place];
            branch.blocked += usize::from(node.drain_trouble.is_some());
            if branch.moves.is_none() && node.phase.moving() && !stuck(node) {
                branch.moves = Some(index as u32);
            }
            if self.filter.active() && !self.filter.passes(&Seen(node)) {
                continue;
            }
            self.shown += 1;
            branch.nodes.push((self.names.number(&node.name), index as u32));
        }
        if self.filter.active() {
            self.branches.retain(|branch| !branch.nodes.is_empty());
        }
        for branch in &mut self.branches {
            branch.nodes.sort_by(|(_, a), (_, b)| {
                let (a, b) = (&assessment.nodes[*a as usize], &assessment.nodes[*b as usize]);
                rank(a).cmp(&rank(b)).then_with(|| words::natural(&a.name, &b.name))
            });
        }
        self.changes += 1;
        self.open_what_matters(ctx);
        if self.tree.selected().is_empty()
            && let Some(first) = self.worst(ctx)
        {
            self.tree.select(first);
        }
    }

    /// What to look at first: the pool that needs it most.
    fn worst(&self, ctx: &Ctx<'_>) -> Option<Vec<TreeId>> {
        let urgency = |branch: &&Branch| {
            let pool = &ctx.assessment.pools[branch.index];
            let blocked = branch.nodes.iter().filter(|(_, at)| stuck(&ctx.assessment.nodes[*at as usize])).count();
            (blocked, pool.moving, pool.total - pool.updated.min(pool.total))
        };
        let best = self.branches.iter().rev().max_by_key(urgency)?;
        Some(vec![TreeId::Pool(best.pool)])
    }

    /// Opens pools that roll and nodes that are stuck, with what holds them up, once each.
    fn open_what_matters(&mut self, ctx: &Ctx<'_>) {
        for branch in &self.branches {
            let pool = &ctx.assessment.pools[branch.index];
            let id = TreeId::Pool(branch.pool);
            let blocked = branch.nodes.first().is_some_and(|(_, at)| stuck(&ctx.assessment.nodes[*at as usize]));
            if (pool.moving > 0 || pool.degraded > 0 || blocked) && self.offered.insert(id) {
                self.tree.open(vec![id]);
            }
            // Rows that matter come first: the search ends with the first that does not.
            for (name, at) in &branch.nodes {
                let node = &ctx.assessment.nodes[*at as usize];
                if !stuck(node) {
                    break;
                }
                let below = TreeId::Node(*name);
                if self.offered.insert(below) {
                    self.tree.open(vec![id, below]);
                }
            }
        }
    }

    /// A small cluster is shown whole when the tree is first seen in full.
    fn open_all_if_small(&mut self, ctx: &Ctx<'_>) {
        if self.seen || self.branches.is_empty() {
            return;
        }
        self.seen = true;
        if ctx.assessment.nodes.len() <= SMALL {
            for branch in &self.branches {
                self.offered.insert(TreeId::Pool(branch.pool));
                self.tree.open(vec![TreeId::Pool(branch.pool)]);
            }
            self.changes += 1;
        }
    }

    /// In full, what holds up the first drains is told whole, once each.
    fn open_blockers(&mut self, ctx: &Ctx<'_>) {
        for branch in &self.branches {
            for (name, at) in branch.nodes.iter().take(3) {
                let held = !ctx.assessment.nodes[*at as usize].blockers.is_empty();
                if held && self.told.insert(*name) {
                    self.tree.open(vec![TreeId::Pool(branch.pool), TreeId::Node(*name), TreeId::Line(0)]);
                    self.changes += 1;
                }
            }
        }
    }

    fn opened(&self, path: &[TreeId]) -> bool {
        self.tree.opened().contains(path)
    }

    /// Rows of the tree at a width: when nodes that do not matter now are counted in a line of their pool, and when every
    /// node of an open pool is listed. Where that is more than fits anywhere it is not counted exactly.
    fn rows(&mut self, ctx: &Ctx<'_>, width: u16) -> (usize, usize) {
        let compact = self.wanted(width, true);
        if let Some((_, rows)) = self.counted.filter(|(made_for, _)| *made_for == compact) {
            return rows;
        }
        let open = self.branches.iter().filter(|branch| self.opened(&[TreeId::Pool(branch.pool)]));
        let least = self.branches.len() + open.map(|branch| branch.nodes.len()).sum::<usize>();
        let count = |wanted| Shape::new(self, ctx, wanted).rows;
        let full = if least > EXACT { least } else { count(Wanted { compact: false, selected: None, ..compact }) };
        let rows = (count(compact), full);
        self.counted = Some((compact, rows));
        rows
    }

    /// For what a structure is needed now.
    fn wanted(&self, width: u16, compact: bool) -> Wanted {
        let selected = match self.tree.selected().get(1) {
            Some(TreeId::Node(node)) if compact => Some(*node),
            _ => None,
        };
        Wanted { changes: self.changes, width, compact, selected }
    }

    /// Rows that the pane would like on the overview, and how many it takes to list every node.
    pub fn need(&mut self, ctx: &Ctx<'_>, width: u16) -> (Need, u16) {
        self.assessed(ctx);
        let (compact, full) = self.rows(ctx, width);
        let blocked = ctx.assessment.nodes.iter().filter(|node| stuck(node)).count();
        let pools = self.branches.len();
        let wrong = if blocked > 0 { pools + 2 * blocked } else { 0 };
        let notes = freshness::height(ctx, KINDS, width);
        let all = u16::try_from(full).unwrap_or(u16::MAX).saturating_add(notes);
        (Need::new(wrong, compact, compact).below(notes), all)
    }

    /// What is selected.
    pub fn subject(&self) -> Option<Subject> {
        self.tree.selected().iter().rev().find_map(|id| match id {
            TreeId::Pool(name) => Some(Subject::Pool(self.names.name(*name).to_owned())),
            TreeId::Node(name) => Some(Subject::Node(self.names.name(*name).to_owned())),
            _ => None,
        })
    }

    /// The pool that is selected itself, not one of its nodes.
    fn selected_pool(&self) -> Option<&str> {
        match self.tree.selected() {
            [TreeId::Pool(name), ..] if self.subject_node().is_none() => Some(self.names.name(*name)),
            _ => None,
        }
    }

    fn subject_node(&self) -> Option<&TreeId> {
        self.tree.selected().iter().find(|id| matches!(id, TreeId::Node(_)))
    }

    /// Marks or unmarks the selected pool; false when a node is selected, or nothing.
    pub fn mark(&mut self) -> bool {
        let Some(name) = self.selected_pool().map(str::to_owned) else { return false };
        match self.marks.iter().position(|mark| *mark == name) {
            Some(at) => drop(self.marks.remove(at)),
            None => self.marks.push(name),
        }
        true
    }

    /// Marks every pool from the one marked last to the selected one; false when a node is selected, or nothing.
    pub fn mark_range(&mut self) -> bool {
        let Some(name) = self.selected_pool().map(str::to_owned) else { return false };
        let listed: Vec<&str> = self.branches.iter().map(|branch| self.names.name(branch.pool)).collect();
        let place = |name: &str| listed.iter().position(|other| *other == name);
        let here = place(&name).unwrap_or(0);
        let from = self.marks.last().and_then(|mark| place(mark)).unwrap_or(here);
        let range = listed.get(from.min(here)..=from.max(here)).unwrap_or_default();
        let more: Vec<String> = range.iter().map(|&name| name.to_owned()).collect();
        self.marks.extend(more.into_iter().filter(|name| !self.marks.contains(name)).collect::<Vec<_>>());
        true
    }

    /// The marked pools that there still are.
    pub fn marks(&self, assessment: &Assessment) -> Vec<String> {
        self.marks.iter().filter(|mark| assessment.pool(mark).is_some()).cloned().collect()
    }

    /// Selects what was drawn there, if anything was.
    pub fn select_at(&mut self, at: Position) {
        if let Some(path) = self.tree.rendered_at(at).map(<[TreeId]>::to_vec) {
            self.tree.select(path);
        }
    }

    /// Are any pools marked?
    pub fn marked(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Forgets the marks; false when there were none.
    pub fn clear_marks(&mut self) -> bool {
        !std::mem::take(&mut self.marks).is_empty()
    }

    /// The pod that the selected line is about: one that holds a drain up, or will.
    pub fn pod(&self, ctx: &Ctx<'_>) -> Option<Resource> {
        let [_, TreeId::Node(name), TreeId::Line(at), ..] = self.tree.selected() else { return None };
        let (node, shape) = (ctx.assessment.node(self.names.name(*name))?, self.shape.as_ref()?);
        told(node, ctx, shape.room(2), shape.most()).get(usize::from(*at))?.pod.clone()
    }

    /// Selects a pool or a node, opening what is around it.
    pub fn select(&mut self, subject: &Subject, ctx: &Ctx<'_>) -> bool {
        let path = match subject {
            Subject::Pool(name) => vec![TreeId::Pool(self.names.number(name))],
            Subject::Node(name) => {
                let pool = ctx.assessment.node(name).and_then(|node| node.pool.as_deref());
                let Some(pool) = pool else { return false };
                let pool = TreeId::Pool(self.names.number(pool));
                self.tree.open(vec![pool]);
                vec![pool, TreeId::Node(self.names.number(name))]
            }
            _ => return false,
        };
        self.changes += 1;
        self.tree.select(path);
        true
    }

    /// Moves, opens, closes.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::Left => {
                self.tree.key_left();
                self.changes += 1;
            }
            Command::Right => {
                self.tree.key_right();
                self.changes += 1;
            }
            Command::Enter => {
                self.tree.toggle_selected();
                self.changes += 1;
            }
            Command::First => {
                self.tree.select_first();
            }
            Command::Last => {
                self.tree.select_last();
            }
            other => {
                if let Some(motion) = Motion::of(other) {
                    let page = self.page;
                    self.tree.select_relative(|at| motion.apply(at.unwrap_or(0), usize::MAX, page));
                    self.leave_closed(motion == Motion::Down);
                }
            }
        }
        self.tree.scroll_selected_into_view();
    }

    /// The closed branch that hides what is selected.
    fn hidden_by(&self) -> Option<Vec<TreeId>> {
        let path = self.tree.selected();
        let closed = |end: &usize| !self.tree.opened().contains(&path[..*end]);
        (1..path.len()).find(closed).map(|end| path[..end].to_vec())
    }

    /// The tree moves by the rows that were drawn last: a key right after one that closed a branch may end in it. Then
    /// the selection goes on to what follows the branch, or back to the branch.
    fn leave_closed(&mut self, downwards: bool) {
        let Some(closed) = self.hidden_by() else { return };
        let mut before = None;
        while downwards && self.hidden_by().is_some() && before.as_deref() != Some(self.tree.selected()) {
            before = Some(self.tree.selected().to_vec());
            self.tree.select_relative(|at| at.map_or(0, |at| at + 1));
        }
        if self.hidden_by().is_some() {
            self.tree.select(closed);
        }
    }

    /// What is remarkable about the list for its title.
    pub fn words(&self, ctx: &Ctx<'_>) -> String {
        let mut parts = Vec::new();
        if self.filter.active() {
            let (shown, all) = self.counts(ctx);
            parts.push(format!("/{} {shown}/{all}", self.filter.text()));
        }
        let marks = self.marks(ctx.assessment);
        if !marks.is_empty() {
            parts.push(format!("{} marked: {}", marks.len(), words::listed(&marks, words::MARKED)));
        }
        let rows = self.shape.as_ref().map_or(0, |shape| shape.rows);
        if rows > self.page {
            let first = self.tree.get_offset();
            parts.push(format!("{}-{} of {rows}", first + 1, (first + self.page).min(rows)));
        }
        parts.join("  ")
    }

    /// Nodes that pass the filter, and all nodes of pools.
    pub fn counts(&self, ctx: &Ctx<'_>) -> (usize, usize) {
        (self.shown, ctx.assessment.nodes.iter().filter(|node| node.pool.is_some()).count())
    }

    /// Draws the tree. Compact: nodes that are done or wait are counted in a line of their pool.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, focused: bool, compact: bool) {
        self.assessed(ctx);
        if !compact {
            self.open_all_if_small(ctx);
            self.open_blockers(ctx);
        }
        let area = freshness::footnotes(buffer, area, ctx, KINDS);
        self.page = usize::from(area.height);
        if self.branches.is_empty() {
            let text = freshness::nothing(ctx, Kind::MachineConfigPools, self.filter.active());
            write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
            return;
        }
        let compact = compact && self.rows(ctx, area.width).1 > self.page;
        let wanted = self.wanted(area.width, compact);
        let shape = match self.shape.take().filter(|shape| shape.made_for == wanted) {
            Some(shape) => shape,
            None => Shape::new(self, ctx, wanted),
        };
        let signs = ctx.theme.symbols();
        let highlight = ctx.theme.style(if focused { Tone::Selected } else { Tone::SelectedDim });
        if let Ok(tree) = Tree::new(&shape.items) {
            let tree = tree
                .highlight_style(highlight)
                .highlight_symbol(if focused { signs.cursor } else { " " })
                .node_open_symbol(signs.open)
                .node_closed_symbol(signs.closed);
            tree.render(area, buffer, &mut self.tree);
            self.write(buffer, area, ctx, &shape, highlight);
        }
        self.shape = Some(shape);
    }

    /// Writes the texts of the visible rows over the tree, which knows where each is.
    fn write(&self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, shape: &Shape, highlight: ratatui::style::Style) {
        let mut before: Option<&[TreeId]> = None;
        for y in area.y..area.bottom() {
            let Some(path) = self.tree.rendered_at(Position { x: area.x, y }) else { break };
            // Below the last row it is the last row that is named.
            if before == Some(path) {
                break;
            }
            before = Some(path);
            // The cursor's sign, two columns for each level, the sign of the branch.
            let lead = (1 + 2 * path.len()) as u16;
            let row = Rect { y, height: 1, ..area };
            if area.width > lead {
                let room = Rect { x: area.x + lead, width: area.width - lead, ..row };
                if let Some(pen) = self.row(path, ctx, shape, usize::from(room.width)) {
                    pen.draw(buffer, room);
                }
            }
            if self.tree.selected() == path {
                buffer.set_style(row, highlight);
            }
            // The sign of a mark takes the place of the cursor's, as in tables.
            if let [TreeId::Pool(name)] = path
                && self.marks.iter().any(|mark| mark == self.names.name(*name))
            {
                write(buffer, (area.x, y), 1, ctx.theme, Tone::Marked, ctx.theme.symbols().mark);
            }
        }
    }

    /// The text of a row.
    fn row<'t>(&self, path: &[TreeId], ctx: &Ctx<'t>, shape: &Shape, width: usize) -> Option<Pen<'t>> {
        let dim = |text: String| {
            let mut pen = Pen::new(ctx.theme);
            pen.rest(Tone::Dim, text, width);
            pen
        };
        let branch = self.branches.iter().find(|branch| TreeId::Pool(branch.pool) == path[0])?;
        let pool = &ctx.assessment.pools[branch.index];
        match path[1..] {
            [] => Some(pool_line(pool, branch, ctx, width, shape.pool_width, self.opened(&path[..1]))),
            [TreeId::Capacity] => Some(dim(capacity_words(pool, ctx))),
            [TreeId::Next] => next_words(pool, ctx).map(dim),
            [TreeId::Rest] => Some(dim(shape.counted(branch, ctx))),
            [TreeId::Node(name), ref below @ ..] => {
                let node = ctx.assessment.node(self.names.name(name))?;
                if below.is_empty() {
                    return Some(node_line(node, ctx, width, shape.node_width));
                }
                let told = told(node, ctx, shape.room(2), shape.most());
                let line = match below {
                    [TreeId::Line(at)] => told.get(usize::from(*at)).map(|told| (told.tone, told.text.clone())),
                    [TreeId::Line(at), TreeId::Line(under)] => {
                        told.get(usize::from(*at)).and_then(|told| told.below.get(usize::from(*under)).cloned())
                    }
                    _ => None,
                };
                line.map(|(tone, text)| {
                    let mut pen = Pen::new(ctx.theme);
                    pen.rest(tone, text, width);
                    pen
                })
            }
            _ => None,
        }
    }

    /// The tree as indented text: all pools and nodes.
    pub fn text(&self, ctx: &Ctx<'_>) -> String {
        let mut out = String::new();
        for branch in &self.branches {
            let pool = &ctx.assessment.pools[branch.index];
            out.push_str(pool_line(pool, branch, ctx, 160, 12, true).text().trim_end());
            out.push('\n');
            if pool.outdated() {
                out.push_str(&format!("    {}\n", capacity_words(pool, ctx)));
            }
            if let Some(next) = next_words(pool, ctx) {
                out.push_str(&format!("    {next}\n"));
            }
            for (_, at) in &branch.nodes {
                let node = &ctx.assessment.nodes[*at as usize];
                out.push_str(&format!("    {}\n", node_line(node, ctx, 140, 30).text().trim_end()));
                for line in told(node, ctx, 200, 20) {
                    out.push_str(&format!("        {}\n", line.text));
                    line.below.iter().for_each(|(_, text)| out.push_str(&format!("            {text}\n")));
                }
            }
        }
        out
    }
}

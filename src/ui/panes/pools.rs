//! Pools as a tree: pool, node, why.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::StatefulWidget;
use tui_tree_widget::{Tree, TreeItem, TreeState};

use super::freshness;
use super::nodes::{label, says, tone};
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::theme::Tone;
use crate::ui::widgets::bar::bar;
use crate::ui::widgets::filter::{Filter, Filtered};
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::strip::{rank, strip, stuck};
use crate::ui::words;
use crate::upgrade::assessment::{Node, NodePhase, Pool, Subject};
use crate::upgrade::facts::Kind;

/// The kinds that the pane rests on.
pub const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// Up to so many nodes every pool is open when the tree is first seen in full: all of it fits on a screen or two.
const SMALL: usize = 30;

/// What identifies a line of the tree among its siblings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TreeId {
    /// A pool.
    Pool(Arc<str>),
    /// A node.
    Node(Arc<str>),
    /// Which nodes are next, or why none is.
    Next,
    /// The nodes that are not listed one by one.
    Rest,
    /// A line of explanation.
    Line(u16),
}

/// A pool with its nodes in the order in which they are listed.
#[derive(Debug)]
struct Branch {
    name: Arc<str>,
    index: usize,
    nodes: Vec<(Arc<str>, u32)>,
}

/// The state of the tree.
#[derive(Debug, Default)]
pub struct Pools {
    tree: TreeState<TreeId>,
    branches: Vec<Branch>,
    generation: Option<u64>,
    /// Branches that were opened once for their trouble: closing one by hand is respected.
    offered: HashSet<String>,
    /// The tree was drawn in full before.
    seen: bool,
    page: usize,
    shown: usize,
    /// The filter: over nodes.
    pub filter: Filter,
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
        self.branches = assessment
            .pools
            .iter()
            .enumerate()
            .map(|(index, pool)| Branch { name: pool.name.as_str().into(), index, nodes: Vec::new() })
            .collect();
        self.shown = 0;
        for (index, node) in assessment.nodes.iter().enumerate() {
            let Some(pool) = node.pool.as_deref() else { continue };
            if self.filter.active() && !self.filter.passes(&Seen(node)) {
                continue;
            }
            self.shown += 1;
            if let Some(branch) = self.branches.iter_mut().find(|branch| branch.name.as_ref() == pool) {
                branch.nodes.push((node.name.as_str().into(), index as u32));
            }
        }
        if self.filter.active() {
            self.branches.retain(|branch| !branch.nodes.is_empty());
        }
        for branch in &mut self.branches {
            branch.nodes.sort_by_key(|(_, at)| rank(&assessment.nodes[*at as usize]));
        }
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
        Some(vec![TreeId::Pool(Arc::clone(&best.name))])
    }

    /// Opens pools that roll and nodes that are stuck, once each.
    fn open_what_matters(&mut self, ctx: &Ctx<'_>) {
        for branch in &self.branches {
            let pool = &ctx.assessment.pools[branch.index];
            let path = vec![TreeId::Pool(Arc::clone(&branch.name))];
            let blocked = branch.nodes.first().is_some_and(|(_, at)| stuck(&ctx.assessment.nodes[*at as usize]));
            if (pool.moving > 0 || pool.degraded > 0 || blocked) && self.offered.insert(format!("pool {}", pool.name)) {
                self.tree.open(path.clone());
            }
            // Rows that matter come first: the search ends with the first that does not.
            for (name, at) in &branch.nodes {
                if !stuck(&ctx.assessment.nodes[*at as usize]) {
                    break;
                }
                if self.offered.insert(format!("node {name}")) {
                    self.tree.open(vec![path[0].clone(), TreeId::Node(Arc::clone(name))]);
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
                self.offered.insert(format!("pool {}", branch.name));
                self.tree.open(vec![TreeId::Pool(Arc::clone(&branch.name))]);
            }
        }
    }

    /// Rows when every node of an open pool is listed.
    fn rows(&self) -> usize {
        let opened = |path: &[TreeId]| self.tree.opened().contains(path);
        let nodes = |branch: &Branch| {
            let pool = TreeId::Pool(Arc::clone(&branch.name));
            if !opened(std::slice::from_ref(&pool)) {
                return 1;
            }
            // What explains a node takes some six lines.
            let why = branch
                .nodes
                .iter()
                .take(50)
                .filter(|(name, _)| opened(&[pool.clone(), TreeId::Node(Arc::clone(name))]));
            2 + branch.nodes.len() + why.count() * 6
        };
        self.branches.iter().map(nodes).sum()
    }

    /// What is selected.
    pub fn subject(&self) -> Option<Subject> {
        self.tree.selected().iter().rev().find_map(|id| match id {
            TreeId::Pool(name) => Some(Subject::Pool(name.to_string())),
            TreeId::Node(name) => Some(Subject::Node(name.to_string())),
            _ => None,
        })
    }

    /// Selects a pool or a node, opening what is around it.
    pub fn select(&mut self, subject: &Subject, ctx: &Ctx<'_>) -> bool {
        let path = match subject {
            Subject::Pool(name) => vec![TreeId::Pool(name.as_str().into())],
            Subject::Node(name) => {
                let pool = ctx.assessment.node(name).and_then(|node| node.pool.as_deref());
                let Some(pool) = pool else { return false };
                let pool = TreeId::Pool(pool.into());
                self.tree.open(vec![pool.clone()]);
                vec![pool, TreeId::Node(name.as_str().into())]
            }
            _ => return false,
        };
        self.tree.select(path);
        true
    }

    /// Moves, opens, closes.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::Left => {
                self.tree.key_left();
            }
            Command::Right => {
                self.tree.key_right();
            }
            Command::Enter => {
                self.tree.toggle_selected();
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
        if !self.filter.active() {
            return String::new();
        }
        let (shown, all) = self.counts(ctx);
        format!("/{} {shown}/{all}", self.filter.text())
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
        }
        let area = freshness::footnotes(buffer, area, ctx, KINDS);
        self.page = usize::from(area.height);
        if self.branches.is_empty() {
            let text = freshness::nothing(ctx, Kind::MachineConfigPools, self.filter.active());
            write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
            return;
        }
        let items = Planter::new(self, ctx, area, compact).items();
        let signs = ctx.theme.symbols();
        let Ok(tree) = Tree::new(&items) else { return };
        let tone = if focused { Tone::Selected } else { Tone::SelectedDim };
        let tree = tree
            .highlight_style(ctx.theme.style(tone))
            .highlight_symbol(if focused { signs.cursor } else { " " })
            .node_open_symbol(signs.open)
            .node_closed_symbol(signs.closed);
        tree.render(area, buffer, &mut self.tree);
    }

    /// The tree as indented text: all pools and nodes.
    pub fn text(&self, ctx: &Ctx<'_>) -> String {
        let mut out = String::new();
        for branch in &self.branches {
            let pool = &ctx.assessment.pools[branch.index];
            out.push_str(pool_line(pool, ctx, 120, 12, true).text().trim_end());
            out.push('\n');
            if let Some(next) = next_words(pool) {
                out.push_str(&format!("    {next}\n"));
            }
            for (_, at) in &branch.nodes {
                let node = &ctx.assessment.nodes[*at as usize];
                out.push_str(&format!("    {}\n", node_line(node, ctx, 140, 30).text().trim_end()));
                for line in why(node, ctx) {
                    out.push_str(&format!("        {}\n", line.text()));
                }
            }
        }
        out
    }
}

/// Makes the items of the tree. Only rows near the visible ones get a text: the others are not drawn.
struct Planter<'a> {
    pools: &'a Pools,
    ctx: &'a Ctx<'a>,
    width: usize,
    compact: bool,
    /// Rows that may be drawn: around the scroll offset, and around the selection that it may jump to.
    windows: [std::ops::Range<usize>; 2],
    row: usize,
    name_width: usize,
    node_width: usize,
}

impl<'a> Planter<'a> {
    fn new(pools: &'a Pools, ctx: &'a Ctx<'a>, area: Rect, compact: bool) -> Self {
        let page = usize::from(area.height);
        let around = |at: usize| at.saturating_sub(page)..at + 2 * page + 2;
        let names = ctx.assessment.pools.iter().map(|pool| words::width(&pool.name));
        let mut planter = Self {
            pools,
            ctx,
            width: usize::from(area.width).saturating_sub(3),
            compact: compact && pools.rows() > page,
            windows: [around(pools.tree.get_offset()), 0..0],
            row: 0,
            name_width: names.max().unwrap_or(6).clamp(6, 16),
            node_width: 8,
        };
        planter.node_width = planter.longest_node();
        if let Some(at) = planter.selected_row() {
            planter.windows[1] = around(at);
        }
        planter
    }

    fn longest_node(&self) -> usize {
        let nodes = self.pools.branches.iter().filter(|branch| self.opened(&[TreeId::Pool(Arc::clone(&branch.name))]));
        let longest = nodes.flat_map(|branch| &branch.nodes).map(|(name, _)| words::width(name)).max();
        longest.unwrap_or(8).clamp(8, 36)
    }

    fn opened(&self, path: &[TreeId]) -> bool {
        self.pools.tree.opened().contains(path)
    }

    /// Nodes of a branch that are listed one by one, and how many are only counted.
    fn listed(&self, branch: &'a Branch) -> (&'a [(Arc<str>, u32)], usize) {
        if !self.compact || self.pools.filter.active() {
            return (&branch.nodes, 0);
        }
        let selected = self.pools.tree.selected().get(1);
        let matters = |(name, at): &(Arc<str>, u32)| {
            rank(&self.ctx.assessment.nodes[*at as usize]).0 <= 2
                || matches!(selected, Some(TreeId::Node(node)) if node == name)
        };
        let listed = branch.nodes.iter().rposition(matters).map_or(0, |at| at + 1);
        (&branch.nodes[..listed], branch.nodes.len() - listed)
    }

    /// Row of the selection, counted without making texts.
    fn selected_row(&self) -> Option<usize> {
        let selected = self.pools.tree.selected();
        let Some(TreeId::Pool(pool)) = selected.first() else { return None };
        let mut row = 0;
        for branch in &self.pools.branches {
            let open = self.opened(&[TreeId::Pool(Arc::clone(&branch.name))]);
            if branch.name == *pool {
                let Some(TreeId::Node(node)) = selected.get(1) else { return Some(row) };
                return Some(row + 2 + branch.nodes.iter().position(|(name, _)| name == node).unwrap_or(0));
            }
            row += 1 + if open { self.listed(branch).0.len() + 2 } else { 0 };
        }
        None
    }

    fn visible(&self) -> bool {
        self.windows.iter().any(|window| window.contains(&self.row))
    }

    fn leaf(&mut self, id: TreeId, line: impl FnOnce(&Self) -> Line<'static>) -> TreeItem<'static, TreeId> {
        let text = if self.visible() { line(self) } else { Line::default() };
        self.row += 1;
        TreeItem::new_leaf(id, text)
    }

    fn items(mut self) -> Vec<TreeItem<'static, TreeId>> {
        let branches: &'a [Branch] = &self.pools.branches;
        branches.iter().filter_map(|branch| self.pool(branch)).collect()
    }

    fn pool(&mut self, branch: &'a Branch) -> Option<TreeItem<'static, TreeId>> {
        let pool = &self.ctx.assessment.pools[branch.index];
        let id = TreeId::Pool(Arc::clone(&branch.name));
        let text = if self.visible() {
            let open = self.opened(std::slice::from_ref(&id));
            pool_line(pool, self.ctx, self.width, self.name_width, open).line()
        } else {
            Line::default()
        };
        self.row += 1;
        let mut children = Vec::new();
        if !self.opened(std::slice::from_ref(&id)) {
            // A closed branch needs to know only that there is something in it.
            if !branch.nodes.is_empty() || next_words(pool).is_some() {
                children.push(TreeItem::new_leaf(TreeId::Rest, Line::default()));
            }
            return TreeItem::new(id, text, children).ok();
        }
        let (listed, counted) = self.listed(branch);
        for (name, at) in listed {
            let node = &self.ctx.assessment.nodes[*at as usize];
            children.push(self.node(&id, name, node)?);
        }
        if let Some(next) = next_words(pool) {
            children.push(self.leaf(TreeId::Next, |it| {
                let mut pen = Pen::new(it.ctx.theme);
                pen.rest(Tone::Dim, next, it.width.saturating_sub(2));
                pen.line()
            }));
        }
        if counted > 0 {
            let rest = &branch.nodes[listed.len()..];
            children.push(self.leaf(TreeId::Rest, |it| it.counted(rest)));
        }
        TreeItem::new(id, text, children).ok()
    }

    /// `2 waiting, 4 done`.
    fn counted(&self, rest: &[(Arc<str>, u32)]) -> Line<'static> {
        let phases = rest.iter().map(|(_, at)| self.ctx.assessment.nodes[*at as usize].phase);
        let count = |phase: NodePhase| phases.clone().filter(|other| *other == phase).count();
        let parts = [NodePhase::Waiting, NodePhase::Paused, NodePhase::Done, NodePhase::Unmanaged];
        let words = parts.iter().map(|phase| (count(*phase), phase.word())).filter(|(n, _)| *n > 0);
        let text = words.map(|(n, word)| format!("{n} {}", word.to_lowercase())).collect::<Vec<_>>().join(", ");
        let mut pen = Pen::new(self.ctx.theme);
        pen.rest(Tone::Dim, text, self.width.saturating_sub(2));
        pen.line()
    }

    fn node(&mut self, pool: &TreeId, name: &Arc<str>, node: &Node) -> Option<TreeItem<'static, TreeId>> {
        let id = TreeId::Node(Arc::clone(name));
        let open = self.opened(&[pool.clone(), id.clone()]);
        let visible = self.visible();
        let text = if visible {
            node_line(node, self.ctx, self.width.saturating_sub(2), self.node_width).line()
        } else {
            Line::default()
        };
        self.row += 1;
        let mut children = Vec::new();
        if open {
            let room = self.width.saturating_sub(4);
            let most = if self.compact { 2 } else { 8 };
            let texts = why(node, self.ctx).into_iter().flat_map(|line| clipped(&line.text(), room, most));
            for (at, text) in texts.enumerate() {
                children.push(self.leaf(TreeId::Line(at as u16), |it| {
                    let mut pen = Pen::new(it.ctx.theme);
                    pen.rest(Tone::Text, text, room);
                    pen.line()
                }));
            }
        } else if visible && !why(node, self.ctx).is_empty() {
            children.push(TreeItem::new_leaf(TreeId::Rest, Line::default()));
        }
        TreeItem::new(id, text, children).ok()
    }
}

/// `worker   ███████▒▒░░░░  4/6   1 draining  1 blocked   max 1, free 0`.
fn pool_line<'t>(pool: &Pool, ctx: &Ctx<'t>, width: usize, name_width: usize, open: bool) -> Pen<'t> {
    let signs = ctx.theme.symbols();
    let mut pen = Pen::new(ctx.theme);
    pen.cell(Tone::Strong, &pool.name, name_width).gap(1);
    let columns = if width > 60 { 14 } else { 8 };
    bar(&mut pen, columns, pool.updated, pool.moving, pool.total);
    let done = !pool.outdated();
    let longest = ctx.assessment.pools.iter().map(|pool| 1 + 2 * digits(pool.total)).max().unwrap_or(5).max(5);
    let count = format!("{}/{}", pool.updated, pool.total);
    pen.gap(1).put(if done { Tone::Ok } else { Tone::Text }, format!("{count:>longest$}"));
    pen.gap(2);
    if pool.paused {
        let by = pool.paused_by.as_ref().map_or_else(String::new, |(who, at)| {
            let age = at.map(|at| format!(" {} ago", words::since(Some(at), ctx.now, false))).unwrap_or_default();
            format!(" by {who}{age}")
        });
        pen.put(Tone::Paused, format!("{} paused{by}", signs.paused)).gap(2);
    }
    let blocked = ctx.assessment.nodes_of(&pool.name).filter(|node| node.drain_trouble.is_some()).count();
    let draining = pool.draining.saturating_sub(blocked);
    let moving = pool.moving.saturating_sub(pool.draining);
    // A single node under way is named where it is not listed below.
    if let (1, false) = (moving, open)
        && let Some(node) = ctx.assessment.nodes_of(&pool.name).find(|node| node.phase.moving() && !stuck(node))
    {
        let age = words::since(node.since, ctx.now, node.since_rebuilt);
        pen.put(Tone::Active, format!("{} {} {age}", node.name, node.phase.word().to_lowercase())).gap(2);
    }
    let moving = if moving == 1 && !open { 0 } else { moving };
    let parts = [
        (pool.degraded, "degraded", Tone::Danger),
        (blocked, "blocked", Tone::Danger),
        (draining, "draining", Tone::Active),
        (moving, "moving", Tone::Active),
        (pool.waiting, if pool.paused { "held" } else { "waiting" }, Tone::Dim),
    ];
    for (n, word, tone) in parts {
        if n > 0 {
            pen.put(tone, format!("{n} {word}")).gap(2);
        }
    }
    if pool.total == 0 {
        pen.put(Tone::Dim, "no nodes");
    } else if done && pool.moving == 0 {
        pen.put(Tone::Ok, format!("{} done", signs.ok)).gap(2);
    }
    if pool.outdated() || pool.unavailable > 0 {
        let capacity = &pool.capacity;
        pen.rest(Tone::Dim, format!("max {}, free {}", capacity.max_unavailable_spec, capacity.free), width);
    }
    pen
}

/// A text in at most so many lines; the last one is cut where there would be more.
fn clipped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = words::wrap(text, columns, 2);
    if lines.len() > most {
        let rest = lines.split_off(most).concat();
        if let Some(last) = lines.last_mut() {
            last.push_str(&rest);
        }
    }
    lines
}

fn digits(n: usize) -> usize {
    n.checked_ilog10().unwrap_or(0) as usize + 1
}

/// `next: worker-5, then worker-6`, or why none.
fn next_words(pool: &Pool) -> Option<String> {
    let capacity = &pool.capacity;
    if !pool.outdated() {
        return None;
    }
    match capacity.next.as_slice() {
        [] if capacity.why_none.is_empty() => None,
        [] => Some(format!("next: none, {}", capacity.why_none)),
        [first] => Some(format!("next: {first}")),
        // Of several masters the one that runs the operator's own pod comes last (`DeferringOperatorNodeUpdate` in the
        // machine-config controller); which one that is cannot be told from what is watched.
        [first, second, rest @ ..] if pool.name == "master" => {
            let then = if rest.is_empty() { String::new() } else { format!(", then {}", rest.join(", ")) };
            Some(format!("next: {first} or {second}{then}"))
        }
        [first, rest @ ..] => {
            let more = rest.len().saturating_sub(2);
            let then = rest.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!("next: {first}, then {then}{more}"))
        }
    }
}

/// `worker-3   ■■▣□□□□  Draining  14m   ✖ PDB shop/cart`.
fn node_line<'t>(node: &Node, ctx: &Ctx<'t>, width: usize, name_width: usize) -> Pen<'t> {
    let mut pen = Pen::new(ctx.theme);
    pen.cell(if stuck(node) { Tone::Danger } else { Tone::Text }, &node.name, name_width).gap(2);
    pen.put(tone(node), strip(node, ctx.theme.symbols())).gap(2);
    pen.cell(tone(node), node.phase.word(), 11).gap(1);
    let age = if matches!(node.phase, NodePhase::Done | NodePhase::Waiting | NodePhase::Unmanaged) {
        String::new()
    } else {
        words::since(node.since, ctx.now, node.since_rebuilt)
    };
    pen.cell(Tone::Dim, age, 7).gap(1);
    if stuck(node) {
        pen.rest(Tone::Danger, format!("{} {}", ctx.theme.symbols().fail, says(node)), width);
    } else if !node.ready && node.phase != NodePhase::Rebooting {
        pen.rest(Tone::Warning, "not ready", width);
    } else {
        pen.rest(Tone::Dim, says(node), width);
    }
    pen
}

/// Why a node is where it is: lines below it.
fn why<'t>(node: &Node, ctx: &Ctx<'t>) -> Vec<Pen<'t>> {
    let mut lines = Vec::new();
    let mut say = |text: String| {
        let mut pen = Pen::new(ctx.theme);
        pen.put(Tone::Text, text);
        lines.push(pen);
    };
    if let Some(trouble) = &node.drain_trouble {
        let since = words::since(trouble.since, ctx.now, false);
        // The age of the phase stands beside it already; what starts a drain is not all at the same second.
        let apart = |(drain, phase): (DateTime<Utc>, DateTime<Utc>)| (drain - phase).abs() > TimeDelta::seconds(10);
        if !since.is_empty() && trouble.since.zip(node.since).is_none_or(apart) {
            say(format!("drain runs for {since}"));
        }
        for pod in trouble.pods.iter().take(6) {
            say(format!("pod {pod}"));
        }
        neutral_lines(&trouble.error).into_iter().for_each(&mut say);
    }
    neutral_lines(&node.message).into_iter().filter(|line| !line.is_empty()).for_each(&mut say);
    // The operator's own cordon belongs to its work and needs no words while that goes on.
    if let Some(cordon) = node.cordon.as_ref().filter(|cordon| !(cordon.by_mco && node.phase.moving())) {
        let by = cordon.manager.as_deref().unwrap_or("an unknown manager");
        let since = words::since(cordon.since, ctx.now, false);
        let whose = if cordon.by_mco { "by the machine-config operator".to_owned() } else { format!("by {by}") };
        say(format!("cordoned {whose}{}", if since.is_empty() { String::new() } else { format!(", {since} ago") }));
    }
    lines
}

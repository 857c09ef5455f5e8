//! The structure of the tree: which rows there are, without their texts.

use ratatui::text::Line;
use tui_tree_widget::TreeItem;

use super::rows::{has_more, next_words, told};
use super::{Branch, Name, Pools, TreeId};
use crate::ui::ctx::Ctx;
use crate::ui::widgets::strip::rank;
use crate::ui::words;
use crate::upgrade::assessment::{Node, NodePhase};

/// For what a structure was made: as long as that holds, it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What is open and what passes the filter, counted.
    pub changes: u64,
    /// Columns: explanations are wrapped to them.
    pub width: u16,
    /// Nodes that do not matter now are counted.
    pub compact: bool,
    /// The selected node, which is listed whatever it does.
    pub selected: Option<Name>,
}

/// The structure.
#[derive(Debug)]
pub struct Shape {
    /// For what it was made.
    pub made_for: Wanted,
    /// The rows.
    pub items: Vec<TreeItem<'static, TreeId>>,
    /// Rows that are seen with what is open.
    pub rows: usize,
    /// Columns of the names of pools.
    pub pool_width: usize,
    /// Columns of the names of nodes.
    pub node_width: usize,
}

fn leaf(id: TreeId) -> TreeItem<'static, TreeId> {
    TreeItem::new_leaf(id, Line::default())
}

/// With children; they are of one kind each and numbered, so that no two are the same.
fn branch(id: TreeId, children: Vec<TreeItem<'static, TreeId>>) -> TreeItem<'static, TreeId> {
    TreeItem::new(id, Line::default(), children).unwrap_or_else(|_| leaf(id))
}

/// Nodes of a branch that are listed one by one; the others are counted.
fn listed<'b>(pools: &Pools, branch: &'b Branch, wanted: Wanted, ctx: &Ctx<'_>) -> &'b [(Name, u32)] {
    if !wanted.compact || pools.filter.active() {
        return &branch.nodes;
    }
    let matters =
        |(name, at): &(Name, u32)| rank(&ctx.assessment.nodes[*at as usize]).0 <= 2 || wanted.selected == Some(*name);
    let listed = branch.nodes.iter().rposition(matters).map_or(0, |at| at + 1);
    &branch.nodes[..listed]
}

impl Shape {
    /// The structure for what is open in `pools`.
    pub fn new(pools: &Pools, ctx: &Ctx<'_>, wanted: Wanted) -> Self {
        let names = ctx.assessment.pools.iter().map(|pool| words::width(&pool.name));
        let mut shape = Self {
            made_for: wanted,
            items: Vec::new(),
            rows: 0,
            pool_width: names.max().unwrap_or(6).clamp(6, 16),
            node_width: 8,
        };
        shape.items = pools.branches.iter().map(|branch| shape.pool(pools, branch, ctx)).collect();
        shape.rows = pools.tree.flatten(&shape.items).len();
        let open = pools.branches.iter().filter(|branch| pools.opened(&[TreeId::Pool(branch.pool)]));
        let names = open.flat_map(|branch| listed(pools, branch, wanted, ctx)).map(|(name, _)| pools.names.name(*name));
        shape.node_width = names.map(words::width).max().unwrap_or(8).clamp(8, 36);
        shape
    }

    /// Columns for a text, below so many levels.
    pub fn room(&self, levels: usize) -> usize {
        usize::from(self.made_for.width).saturating_sub(3 + 2 * levels)
    }

    /// Lines that one explanation may take.
    pub fn most(&self) -> usize {
        if self.made_for.compact { 2 } else { 8 }
    }

    fn pool(&self, pools: &Pools, own: &Branch, ctx: &Ctx<'_>) -> TreeItem<'static, TreeId> {
        let pool = &ctx.assessment.pools[own.index];
        let id = TreeId::Pool(own.pool);
        let next = next_words(pool, ctx).is_some();
        if !pools.opened(&[id]) {
            // A closed branch has to show only that there is something in it.
            let any = !own.nodes.is_empty() || next;
            return branch(id, any.then(|| leaf(TreeId::Rest)).into_iter().collect());
        }
        let listed = listed(pools, own, self.made_for, ctx);
        let mut children = Vec::with_capacity(listed.len() + 3);
        if !self.made_for.compact && (pool.outdated() || pool.unavailable > 0) {
            children.push(leaf(TreeId::Capacity));
        }
        for (name, at) in listed {
            children.push(self.node(pools, id, *name, &ctx.assessment.nodes[*at as usize], ctx));
        }
        if next {
            children.push(leaf(TreeId::Next));
        }
        if own.nodes.len() > listed.len() {
            children.push(leaf(TreeId::Rest));
        }
        branch(id, children)
    }

    fn node(&self, pools: &Pools, pool: TreeId, name: Name, node: &Node, ctx: &Ctx<'_>) -> TreeItem<'static, TreeId> {
        let id = TreeId::Node(name);
        if !has_more(node) {
            return leaf(id);
        }
        if !pools.opened(&[pool, id]) {
            return branch(id, vec![leaf(TreeId::Rest)]);
        }
        let told = told(node, ctx, self.room(2), self.most());
        let lines = told.iter().enumerate().map(|(at, told)| {
            let below = (0..told.below.len()).map(|at| leaf(TreeId::Line(at as u16))).collect();
            branch(TreeId::Line(at as u16), below)
        });
        branch(id, lines.collect())
    }

    /// `2 waiting, 4 done`: the nodes of a branch that are not listed.
    pub fn counted(&self, own: &Branch, ctx: &Ctx<'_>) -> String {
        let pool = self.items.iter().find(|item| *item.identifier() == TreeId::Pool(own.pool));
        let listed = pool.map_or(0, |item| {
            item.children().iter().filter(|child| matches!(child.identifier(), TreeId::Node(_))).count()
        });
        let rest = own.nodes.get(listed..).unwrap_or_default();
        let phases = rest.iter().map(|(_, at)| ctx.assessment.nodes[*at as usize].phase);
        let count = |phase: NodePhase| phases.clone().filter(|other| *other == phase).count();
        let parts = [NodePhase::Waiting, NodePhase::Paused, NodePhase::Done, NodePhase::Unmanaged];
        let words = parts.iter().map(|phase| (count(*phase), phase.word())).filter(|(n, _)| *n > 0);
        words.map(|(n, word)| format!("{n} {}", word.to_lowercase())).collect::<Vec<_>>().join(", ")
    }
}

//! What is left of a pool: its nodes at work and those that wait, as many at a time as the controller takes.
//!
//! Each case lets the nodes go one after another through the slots that are free. What cannot go on by itself is left
//! out and named: paused, cordoned by somebody, failing, drains that are blocked, nodes that no slot is left for.

use super::Basis;
use super::Input;
use super::lots;
use super::node_pace::{Measures, NodePace};
use super::tell::clock;
use super::typical::{self, NodeStep};
use crate::upgrade::assessment::{Assessment, Build, Cause, Node, NodePhase, Pool, age};
use crate::upgrade::cycles::Cycle;
use crate::upgrade::drain::THRESHOLD;
use crate::upgrade::words;

/// At most so many slots are followed one by one; more are scaled down to them, and the nodes with them.
const SLOTS: usize = 16;
/// At most so many nodes are followed one by one; those beyond take their turns at the mean.
const FOLLOWED: usize = 48;

/// A node at work.
#[derive(Debug, Clone)]
struct Moving {
    name: String,
    step: NodeStep,
    phase: NodePhase,
    /// How long it has been in the step, in seconds.
    spent: f64,
}

/// What is left of a pool.
#[derive(Debug, Clone)]
pub struct NodesLeft {
    /// The pool's name.
    pub pool: String,
    /// Its place among the pools: pools draw from columns of their own.
    place: usize,
    /// Done, and all.
    counts: (usize, usize),
    /// Nodes that wait for their turn.
    pub waiting: usize,
    moving: Vec<Moving>,
    /// How many go at a time.
    slots: usize,
    max_unavailable: String,
    /// How long the steps of a node take here.
    pub pace: NodePace,
    /// What does not go on by itself, in words.
    pub left_out: Vec<String>,
}

impl NodesLeft {
    /// What is left of a pool; none when every node is done.
    pub fn of(assessment: &Assessment, place: usize, measures: &Measures, pace: NodePace) -> Option<Self> {
        let pool = assessment.pools.get(place)?;
        let outdated = |node: &&Node| node.phase != NodePhase::Done && node.phase != NodePhase::Unmanaged;
        let nodes: Vec<&Node> = assessment.nodes_of(&pool.name).collect();
        if !nodes.iter().any(outdated) {
            return None;
        }
        let mut sorted = Sorted::default();
        for node in nodes.iter().copied().filter(|node| outdated(node)) {
            sorted.put(assessment, pool, node, measures);
        }
        // Whoever holds a slot without going on: cordons of others, nodes that are not ready, failed and blocked ones.
        let held = nodes.iter().filter(|node| node.unavailable).count().saturating_sub(sorted.unavailable);
        let slots = pool.capacity.max_unavailable.saturating_sub(held).saturating_sub(pool.capacity.failing);
        // A pool may name any number, and has no use for more turns than nodes.
        let slots = if no_image(pool) { 0 } else { slots.min(pool.total.max(1)) };
        let mut left = Self {
            pool: pool.name.clone(),
            place,
            counts: (pool.updated, pool.total),
            waiting: sorted.waiting,
            moving: sorted.moving.clone(),
            slots,
            max_unavailable: pool.capacity.max_unavailable_spec.clone(),
            pace,
            left_out: Vec::new(),
        };
        left.left_out = sorted.told(pool, left.usual_rounds(sorted.paused), slots);
        if slots == 0 {
            left.waiting = 0;
        }
        left.pace.heed_overdue(left.moving.iter().map(|node| (node.step, node.spent)));
        Some(left)
    }

    /// Does anything of it go on by itself?
    pub fn goes_on(&self) -> bool {
        self.waiting > 0 || !self.moving.is_empty()
    }

    /// How long so many nodes usually take, one round after another, in seconds.
    fn usual_rounds(&self, nodes: usize) -> f64 {
        nodes.div_ceil(self.slots.max(1)) as f64 * self.pace.usual()
    }

    /// How long it takes in a case from when the pool may begin, in seconds.
    pub fn lasts(&self, lot: usize) -> f64 {
        let steps = self.pace.steps(lot);
        let rests = self.moving.iter().enumerate().map(|(at, node)| {
            let column = self.column(FOLLOWED + at % SLOTS);
            self.pace.rest(&steps, node.step, node.spent, lots::draw(column, lot))
        });
        let mut rests: Vec<f64> = rests.collect();
        rests.sort_by(|a, b| b.total_cmp(a));
        let longest = rests.first().copied().unwrap_or(0.0);
        if self.waiting == 0 {
            return longest;
        }
        let (mut slots, waiting) = self.scaled(&rests);
        let cycle = self.pace.cycle(&steps);
        let followed = waiting.min(FOLLOWED);
        for node in 0..followed {
            let Some(first) = slots.iter_mut().min_by(|a, b| a.total_cmp(b)) else { break };
            *first += typical::NODE_PAUSE + cycle.at(lots::draw(self.column(node), lot));
        }
        let end = slots.iter().copied().fold(longest, f64::max);
        let beyond = (waiting - followed) as f64 / slots.len().max(1) as f64 * (cycle.mean + typical::NODE_PAUSE);
        (end + beyond).max(self.drains(steps[0]))
    }

    /// No more than [`typical::DRAIN_WORKERS`] drains at a time: what all that are to come take at least.
    fn drains(&self, drain: f64) -> f64 {
        if self.slots <= typical::DRAIN_WORKERS {
            return 0.0;
        }
        self.waiting as f64 / typical::DRAIN_WORKERS as f64 * drain
    }

    /// When each slot is free, and how many nodes wait for them. `rests`: of the nodes at work, longest first.
    fn scaled(&self, rests: &[f64]) -> (Vec<f64>, usize) {
        // Slots without a node to go through them need not be followed.
        let slots = self.slots.min(self.waiting + self.moving.len()).max(1);
        // More nodes at work than slots (the limit was lowered): the first to end free none.
        let mut busy: Vec<f64> = rests.iter().copied().take(slots).collect();
        busy.resize(slots, 0.0);
        if slots <= SLOTS {
            return (busy, self.waiting);
        }
        let few = (0..SLOTS).map(|at| busy[at * slots / SLOTS]).collect();
        (few, (self.waiting * SLOTS).div_ceil(slots))
    }

    fn column(&self, node: usize) -> usize {
        let columns = lots::COLUMNS - lots::NODES;
        lots::NODES + (self.place * 23 + node) % columns
    }

    /// The arithmetic in words.
    pub fn working(&self) -> String {
        let mut parts = Vec::new();
        let steps = self.pace.usual_steps();
        if !self.moving.is_empty() {
            let mut told: Vec<(f64, &Moving)> =
                self.moving.iter().map(|node| (self.pace.rest(&steps, node.step, node.spent, 0.0), node)).collect();
            told.sort_by(|a, b| b.0.total_cmp(&a.0));
            let (rest, slowest) = told[0];
            let many = match self.moving.len() {
                1 => String::new(),
                several => format!("{several} nodes at work, the slowest of them "),
            };
            parts.push(format!(
                "{many}{} ({} for {}, {} usual) with {} left",
                slowest.name,
                slowest.phase.word().to_lowercase(),
                clock(slowest.spent),
                clock(steps[slowest.step as usize]),
                clock(rest)
            ));
        }
        if self.waiting > 0 {
            let rounds = self.waiting.div_ceil(self.slots.max(1));
            parts.push(format!(
                "{} to come, {} at a time: {} x {}",
                words::count(self.waiting, "node"),
                self.slots,
                rounds,
                clock(self.pace.usual())
            ));
        }
        parts.join(" + ")
    }

    /// The numbers that went in.
    pub fn inputs(&self) -> Vec<Input> {
        let mut inputs = vec![Input {
            name: format!("nodes of {} at the target", self.pool),
            value: format!("{} of {}", self.counts.0, self.counts.1),
            source: "nodes annotation currentConfig".to_owned(),
        }];
        inputs.push(self.pace.input());
        if self.waiting > 0 {
            let usable = match self.slots.to_string() {
                slots if slots == self.max_unavailable => slots,
                slots => format!("{} ({slots} usable)", self.max_unavailable),
            };
            inputs.push(Input {
                name: format!("maxUnavailable of {}", self.pool),
                value: usable,
                source: format!("mcp/{} spec.maxUnavailable", self.pool),
            });
        }
        inputs
    }

    /// Where the numbers come from.
    pub fn basis(&self) -> Basis {
        self.pace.basis
    }

    /// The spread from when the pool may begin.
    #[cfg(test)]
    pub fn spread(&self) -> super::Spread {
        lots::spread((0..lots::LOTS).map(|lot| self.lasts(lot)).collect())
    }
}

/// The outdated nodes of a pool, by what is to be expected of them.
#[derive(Debug, Default)]
struct Sorted {
    waiting: usize,
    moving: Vec<Moving>,
    /// How many of those that move count as unavailable.
    unavailable: usize,
    paused: usize,
    passed_over: Vec<String>,
    failing: Vec<String>,
    blocked: Vec<String>,
}

impl Sorted {
    fn put(&mut self, assessment: &Assessment, pool: &Pool, node: &Node, measures: &Measures) {
        if node.phase == NodePhase::Degraded {
            self.failing.push(node.name.clone());
        } else if is_blocked(assessment, node) {
            self.blocked.push(node.name.clone());
        } else if let Some(step) = NodeStep::of(node.phase) {
            let spent = spent(assessment, node, step, measures.open(&node.name));
            self.unavailable += usize::from(node.unavailable);
            self.moving.push(Moving { name: node.name.clone(), step, phase: node.phase, spent });
        } else if pool.paused {
            self.paused += 1;
        } else if node.cordon.is_some() || !node.ready {
            self.passed_over.push(node.name.clone());
        } else {
            self.waiting += 1;
        }
    }

    fn told(&self, pool: &Pool, paused_for: f64, slots: usize) -> Vec<String> {
        let name = pool.name.as_str();
        let mut told = Vec::new();
        let names = |names: &[String]| words::some_of(names.iter().map(String::as_str), 3);
        if self.paused > 0 {
            let nodes = words::count(self.paused, "node");
            told.push(format!("pool {name} is paused: {nodes}, about {} once it is unpaused", clock(paused_for)));
        }
        for (list, what) in [
            (&self.blocked, "the drain does not end by itself"),
            (&self.failing, "the machine-config daemon fails there"),
            (&self.passed_over, "cordoned or not ready, so the controller passes over it"),
        ] {
            if !list.is_empty() {
                told.push(format!("{} of pool {name}: {what}", names(list)));
            }
        }
        if slots == 0 && self.waiting > 0 {
            let nodes = words::count(self.waiting, "node");
            let verb = if self.waiting == 1 { "waits" } else { "wait" };
            told.push(if no_image(pool) {
                format!("{nodes} of pool {name} {verb}: its OS image could not be built")
            } else {
                format!("{nodes} of pool {name} {verb} behind them: no capacity is left")
            });
        }
        told
    }
}

/// Is the pool's OS image not to be had before somebody does something? A build that failed is not begun again.
fn no_image(pool: &Pool) -> bool {
    pool.layer.as_ref().is_some_and(|layer| matches!(layer.build, Build::Failed | Build::Interrupted))
}

/// A drain that will not end before somebody does something.
fn is_blocked(assessment: &Assessment, node: &Node) -> bool {
    let drains = matches!(node.phase, NodePhase::Cordoned | NodePhase::Draining);
    let long = node
        .drain_trouble
        .as_ref()
        .is_some_and(|trouble| trouble.since.is_none_or(|since| age(since, assessment.now) >= THRESHOLD));
    let never = node.blockers.iter().any(|blocker| match &blocker.cause {
        Cause::Budget(budget) => budget.impossible,
        Cause::SeveralBudgets { .. } => true,
        _ => false,
    });
    drains && (long || never)
}

/// How long a node has been in a step: by the clocks of its cycle, else by its phase.
fn spent(assessment: &Assessment, node: &Node, step: NodeStep, cycle: Option<&Cycle>) -> f64 {
    let begun = cycle.and_then(|cycle| match step {
        NodeStep::Drain => Some(cycle.began),
        NodeStep::Apply => cycle.drained,
        NodeStep::Reboot => cycle.rebooted,
        NodeStep::Settle => cycle.back,
    });
    let since = begun.or(node.since);
    since.map_or(0.0, |since| age(since, assessment.now).num_milliseconds() as f64 / 1000.0)
}

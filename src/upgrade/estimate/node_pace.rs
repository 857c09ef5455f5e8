//! How long the steps of a node take in a pool: usual lengths, corrected by what nodes took in this rollout. Nodes of the
//! pool itself count fully, those of other pools as far as pools are alike.

use std::collections::{BTreeMap, HashMap};

use super::belief::{Belief, Measured};
use super::lots;
use super::past::Past;
use super::tell::clock;
use super::typical::NodeStep;
use super::{Basis, Input};
use crate::api::InfrastructureStatus;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::cycles::Cycle;
use crate::upgrade::drain::THRESHOLD;

/// How much of a longer or shorter control plane in the past is put down to its nodes (the rest to operators).
const FROM_PAST: f64 = 0.6;

/// How long nodes take.
#[derive(Debug, Clone)]
pub struct NodePace {
    /// The usual length of each step, and how unsure that is.
    beliefs: [Belief; 4],
    /// How much single nodes differ.
    sigmas: [f64; 4],
    /// Whole cycles that were measured: in the pool, and in others; their median length.
    measured: (usize, usize, Option<f64>),
    /// Where the numbers come from.
    pub basis: Basis,
    bare_metal: bool,
}

/// The length of a node's whole cycle in a case: log-normal.
#[derive(Debug, Clone, Copy)]
pub struct CycleLength {
    /// The mean, in seconds.
    pub mean: f64,
    log: f64,
    sigma: f64,
}

impl CycleLength {
    /// In the case of that draw.
    pub fn at(self, draw: f64) -> f64 {
        (self.log + self.sigma * draw).exp()
    }
}

/// What the nodes of this rollout took, added up once for all pools.
#[derive(Debug, Default)]
pub struct Measures<'a> {
    /// By pool.
    pools: BTreeMap<&'a str, PoolMeasures>,
    /// Of all pools.
    all: [Measured; 4],
    /// Cycles that go on, by node.
    open: HashMap<&'a str, &'a Cycle>,
}

#[derive(Debug, Default)]
struct PoolMeasures {
    steps: [Measured; 4],
    /// Whole cycles, in seconds.
    lengths: Vec<f64>,
}

impl<'a> Measures<'a> {
    /// Adds the cycles up.
    pub fn of(cycles: &'a [Cycle]) -> Self {
        let mut measures = Self::default();
        for cycle in cycles {
            let pool = measures.pools.entry(cycle.pool.as_str()).or_default();
            for step in NodeStep::ALL {
                if let Some(length) = length(cycle, step) {
                    pool.steps[step as usize].add(length);
                    measures.all[step as usize].add(length);
                }
            }
            if let Some(length) = cycle.length().filter(|_| !cycle.blocked) {
                pool.lengths.push(length.num_seconds().max(0) as f64);
            }
            if cycle.done.is_none() {
                measures.open.insert(cycle.node.as_str(), cycle);
            }
        }
        measures
    }

    /// The cycle that a node is in.
    pub fn open(&self, node: &str) -> Option<&'a Cycle> {
        self.open.get(node).copied()
    }

    /// How many whole cycles were measured in the pool, and in others; the median of the pool's, else of the others'.
    fn whole(&self, pool: &str) -> (usize, usize, Option<f64>) {
        let own = self.pools.get(pool).map_or(&[][..], |measures| &measures.lengths);
        let others: Vec<f64> = self
            .pools
            .iter()
            .filter(|(name, _)| **name != pool)
            .flat_map(|(_, measures)| measures.lengths.iter().copied())
            .collect();
        let (many, others_many) = (own.len(), others.len());
        (many, others_many, median(if own.is_empty() { others } else { own.to_vec() }))
    }
}

impl NodePace {
    /// The pace of a pool. `past` and `usual`: earlier updates of the control plane, and what one usually takes.
    pub fn of(assessment: &Assessment, pool: &str, measures: &Measures, past: Option<&Past>, usual: f64) -> Self {
        let bare_metal = is_bare_metal(assessment.facts.around.infrastructures.first().map(|one| &one.status));
        let slower = past.map_or(0.0, |past| FROM_PAST * (past.median() / usual.max(1.0)).ln());
        let of_pool = measures.pools.get(pool);
        let mut beliefs = [Belief { log: 0.0, variance: 0.0 }; 4];
        let mut sigmas = [0.0; 4];
        for step in NodeStep::ALL {
            let at = step as usize;
            let usual = step.belief(bare_metal);
            let usual = Belief { log: usual.log + if bare_metal { 0.0 } else { slower }, ..usual };
            let own = of_pool.map(|of_pool| of_pool.steps[at]).unwrap_or_default();
            let others = measures.all[at].without(&own);
            let sigma = own.sigma(others.sigma(step.sigma()));
            beliefs[at] = learned(step, usual, &own, &others, sigma);
            sigmas[at] = sigma;
        }
        let measured = measures.whole(pool);
        let basis = match (measured.0 + measured.1, past) {
            (1.., _) => Basis::Measured,
            (0, Some(_)) => Basis::History,
            (0, None) => Basis::Default,
        };
        Self { beliefs, sigmas, measured, basis, bare_metal }
    }

    /// Nodes that have taken longer in a step than usual tell something before it ends. Drains are left out: a drain that
    /// takes long tells about its own pods.
    pub fn heed_overdue(&mut self, moving: impl Iterator<Item = (NodeStep, f64)>) {
        for (step, spent) in moving.filter(|(step, _)| *step != NodeStep::Drain) {
            let (belief, sigma) = (self.beliefs[step as usize], self.sigmas[step as usize]);
            if spent > belief.median() {
                let expected = spent + lots::rest(belief.median(), sigma, spent, 0.0);
                self.beliefs[step as usize] = belief.corrected(expected.ln(), sigma * sigma);
            }
        }
    }

    /// What the steps usually take in a case.
    pub fn steps(&self, lot: usize) -> [f64; 4] {
        std::array::from_fn(|step| self.beliefs[step].at(lots::draw(lots::STEPS + step, lot)))
    }

    /// What the steps usually take.
    pub fn usual_steps(&self) -> [f64; 4] {
        self.beliefs.map(Belief::median)
    }

    /// What a node usually takes, in seconds.
    pub fn usual(&self) -> f64 {
        let cycle = self.cycle(&self.usual_steps());
        cycle.at(0.0)
    }

    /// A whole cycle where the steps usually take so long: the sum of its steps, matched by mean and variance.
    pub fn cycle(&self, steps: &[f64; 4]) -> CycleLength {
        let (mut mean, mut variance) = (0.0, 0.0);
        for (usual, sigma) in steps.iter().zip(self.sigmas) {
            let square = sigma * sigma;
            let own = usual * (square / 2.0).exp();
            mean += own;
            variance += own * own * (square.exp() - 1.0);
        }
        let square = (1.0 + variance / (mean * mean).max(1e-9)).ln();
        CycleLength { mean, log: mean.max(1e-9).ln() - square / 2.0, sigma: square.sqrt() }
    }

    /// What is left of a node that has spent so long in a step.
    pub fn rest(&self, steps: &[f64; 4], step: NodeStep, spent: f64, draw: f64) -> f64 {
        let now = step as usize;
        let this = lots::rest(steps[now], self.sigmas[now], spent, draw);
        // The later steps differ from node to node too, and not with this one: their deviations partly cancel out.
        let later = (now + 1..4).map(|at| steps[at] * (self.sigmas[at] * self.sigmas[at] / 2.0).exp());
        this + later.sum::<f64>()
    }

    /// As an input.
    pub fn input(&self) -> Input {
        let (own, others, median) = self.measured;
        let usual = clock(self.usual());
        match (own + others, median) {
            (count, Some(median)) if count > 0 => Input {
                name: format!("node cycle (median of {} measured)", if own > 0 { own } else { others }),
                value: if own > 0 {
                    clock(median)
                } else {
                    format!("{} in other pools, reckoned {usual}", clock(median))
                },
                source: "phase clocks of this rollout".to_owned(),
            },
            _ => Input {
                name: "node cycle".to_owned(),
                value: usual,
                source: match self.basis {
                    Basis::History => "documented default, stretched as earlier updates of this cluster were",
                    _ if self.bare_metal => "documented default for bare metal; no node was measured yet",
                    _ => "documented default: 5 minutes a node; no node was measured yet",
                }
                .to_owned(),
            },
        }
    }
}

fn learned(step: NodeStep, usual: Belief, own: &Measured, others: &Measured, sigma: f64) -> Belief {
    let apart = step.between_pools();
    let within = sigma * sigma;
    let mut belief = Belief { variance: (usual.variance - apart * apart).max(0.05 * 0.05), ..usual };
    if let Some(log) = others.log() {
        belief = belief.corrected(log, apart * apart + within / others.count as f64);
    }
    belief = belief.widened(apart);
    match own.log() {
        Some(log) => belief.corrected(log, within / own.count as f64),
        None => belief,
    }
}

/// How long a node took in a step, in seconds; none where that is not known, or says nothing about other nodes.
fn length(cycle: &Cycle, step: NodeStep) -> Option<f64> {
    // A long drain says nothing about other drains; what failed elsewhere says nothing at all.
    let drained_late = cycle.drained.is_some_and(|drained| drained - cycle.began >= THRESHOLD);
    if cycle.blocked && (step == NodeStep::Drain || !drained_late) {
        return None;
    }
    let (from, to) = match step {
        NodeStep::Drain => (Some(cycle.began), cycle.drained),
        NodeStep::Apply => (cycle.drained, cycle.rebooted),
        NodeStep::Reboot => (cycle.rebooted, cycle.back),
        NodeStep::Settle => (cycle.back, cycle.done),
    };
    let length = (to? - from?).num_milliseconds() as f64 / 1000.0;
    (length >= 0.0).then_some(length)
}

fn median(mut lengths: Vec<f64>) -> Option<f64> {
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied()
}

fn is_bare_metal(status: Option<&InfrastructureStatus>) -> bool {
    status.is_some_and(|status| status.platform.kind == "BareMetal")
}

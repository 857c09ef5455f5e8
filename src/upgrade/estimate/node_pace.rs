//! How long the steps of a node take in a pool: usual lengths, corrected by what nodes took in this rollout. Nodes of the
//! pool itself count fully, those of other pools as far as pools are alike.

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

impl NodePace {
    /// The pace of a pool, by the cycles of this rollout. `past`: a factor by which earlier updates of the control plane
    /// took longer than the guide says.
    pub fn of(assessment: &Assessment, pool: &str, cycles: &[Cycle], past: Option<&Past>, usual: f64) -> Self {
        let bare_metal = is_bare_metal(assessment.facts.around.infrastructures.first().map(|one| &one.status));
        let slower = past.map_or(0.0, |past| FROM_PAST * (past.median() / usual.max(1.0)).ln());
        let told = |step, own| Measured::of(lengths(cycles, step, |cycle| (cycle.pool == pool) == own));
        let mut beliefs = [Belief { log: 0.0, variance: 0.0 }; 4];
        let mut sigmas = [0.0; 4];
        for step in NodeStep::ALL {
            let usual = step.belief(bare_metal);
            let usual = Belief { log: usual.log + if bare_metal { 0.0 } else { slower }, ..usual };
            let (own, others) = (told(step, true), told(step, false));
            let sigma = Measured::sigma(own.as_ref(), Measured::sigma(others.as_ref(), step.sigma()));
            beliefs[step as usize] = learned(step, usual, own.as_ref(), others.as_ref(), sigma);
            sigmas[step as usize] = sigma;
        }
        let whole = |own: bool| {
            let ended = cycles.iter().filter(move |cycle| !cycle.blocked && (cycle.pool == pool) == own);
            ended.filter_map(Cycle::length).map(|length| length.num_seconds() as f64)
        };
        let (own, others) = (whole(true).count(), whole(false).count());
        let median = median(if own > 0 { whole(true).collect() } else { whole(false).collect() });
        let basis = match (own + others, past) {
            (1.., _) => Basis::Measured,
            (0, Some(_)) => Basis::History,
            (0, None) => Basis::Default,
        };
        Self { beliefs, sigmas, measured: (own, others, median), basis, bare_metal }
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

fn learned(step: NodeStep, usual: Belief, own: Option<&Measured>, others: Option<&Measured>, sigma: f64) -> Belief {
    let apart = step.between_pools();
    let within = sigma * sigma;
    let mut belief = Belief { variance: (usual.variance - apart * apart).max(0.05 * 0.05), ..usual };
    if let Some(others) = others {
        belief = belief.corrected(others.log, apart * apart + within / others.count as f64);
    }
    belief = belief.widened(apart);
    match own {
        Some(own) => belief.corrected(own.log, within / own.count as f64),
        None => belief,
    }
}

/// How long nodes took in a step.
fn lengths(cycles: &[Cycle], step: NodeStep, counts: impl Fn(&Cycle) -> bool) -> impl Iterator<Item = f64> {
    let ended = cycles.iter().filter(move |cycle| counts(cycle)).filter_map(move |cycle| {
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
    });
    ended
}

fn median(mut lengths: Vec<f64>) -> Option<f64> {
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied()
}

fn is_bare_metal(status: Option<&InfrastructureStatus>) -> bool {
    status.is_some_and(|status| status.platform.kind == "BareMetal")
}

//! While it rolls: the estimates of the parts and of the whole, case by case.

use super::lots::{self, LOTS};
use super::node_pace::{Measures, NodePace};
use super::nodes_left::NodesLeft;
use super::past::Past;
use super::payload_left::PayloadLeft;
use super::tell::clock;
use super::{Basis, Estimate, Estimates, Input, Part, Spread, typical};
use crate::upgrade::assessment::{Assessment, NodePhase, Pool};
use crate::upgrade::cycles::Cycle;

/// Does anything roll, or should, or would if it were let?
pub fn rolls(assessment: &Assessment) -> bool {
    let update = &assessment.update;
    // An installation is no update: nothing that is known here tells how long it takes.
    if update.installing {
        return false;
    }
    update.in_progress || assessment.pools.iter().any(|pool| pool.moving > 0 || pool.waiting > 0)
}

/// The estimates while something rolls.
pub fn estimates(assessment: &Assessment, cycles: &[Cycle]) -> Estimates {
    let left = Left::of(assessment, cycles);
    let parts: Vec<Estimate> = left.control_plane().into_iter().chain(left.pools()).collect();
    Estimates { whole: left.whole(&parts), parts, before: false }
}

/// All that is left.
struct Left<'a> {
    assessment: &'a Assessment,
    past: Option<Past>,
    /// The payload; none: it is applied, only nodes are left.
    payload: Option<PayloadLeft>,
    /// Pools that are not done, in the order of the assessment.
    pools: Vec<(&'a Pool, NodesLeft)>,
    /// How long it takes until nodes may begin, in each case, in seconds.
    begin: Vec<f64>,
}

impl<'a> Left<'a> {
    fn of(assessment: &'a Assessment, cycles: &[Cycle]) -> Self {
        let update = &assessment.update;
        let past = Past::of(assessment, update.to.as_deref());
        let rendered = !update.in_progress || is_rendered(assessment);
        let payload = update.in_progress.then(|| PayloadLeft::of(assessment, past.as_ref(), rendered));
        let measures = Measures::of(cycles);
        let usual = typical::CONTROL_PLANE.0;
        let pools = assessment.pools.iter().enumerate().filter_map(|(place, pool)| {
            let pace = NodePace::of(assessment, &pool.name, &measures, past.as_ref(), usual);
            Some((pool, NodesLeft::of(assessment, place, &measures, pace)?))
        });
        let pools = pools.collect();
        let begin = match &payload {
            Some(payload) => (0..LOTS).map(|lot| payload.lasts(lot)).collect(),
            None => vec![0.0; LOTS],
        };
        Self { assessment, past, payload, pools, begin }
    }

    fn masters(&self) -> impl Iterator<Item = &NodesLeft> {
        self.pools.iter().filter(|(pool, _)| pool.control_plane).map(|(_, left)| left)
    }

    fn workers(&self) -> impl Iterator<Item = &NodesLeft> {
        self.pools.iter().filter(|(pool, _)| !pool.control_plane).map(|(_, left)| left)
    }

    /// Operators, then control plane nodes (the arbiter after the masters), then the end of the payload.
    fn control_plane_lasts(&self, lot: usize) -> f64 {
        let nodes: f64 = self.masters().filter(|left| left.goes_on()).map(|left| left.lasts(lot)).sum();
        let stuck = self.masters().any(|left| !left.goes_on());
        let tail = if self.payload.is_some() && !stuck {
            typical::TAIL * (typical::TAIL_SIGMA * lots::draw(lots::TAIL, lot)).exp()
        } else {
            0.0
        };
        self.begin[lot] + nodes + tail
    }

    fn control_plane(&self) -> Option<Estimate> {
        let masters: Vec<&NodesLeft> = self.masters().collect();
        if self.payload.is_none() && masters.is_empty() {
            return None;
        }
        let payload = self.payload.as_ref();
        let goes_on = payload.is_some_and(|payload| !payload.is_done())
            || masters.iter().any(|left| left.goes_on())
            || masters.is_empty();
        let remaining = cases(|lot| if goes_on { self.control_plane_lasts(lot) } else { 0.0 });
        let mut basis = masters.iter().map(|left| left.basis()).max().unwrap_or(Basis::Measured);
        let mut inputs: Vec<Input> = Vec::new();
        let mut working: Vec<String> = Vec::new();
        let mut left_out: Vec<String> = Vec::new();
        if let Some(payload) = payload {
            inputs.extend(payload.inputs(self.past.as_ref()));
            inputs.extend(self.past.as_ref().map(Past::input));
            if !payload.is_done() {
                basis = basis.max(payload.basis);
                working.push(payload.working());
            }
            left_out.extend(
                payload.troubled.iter().map(|name| format!("the trouble of {name}: taken as over in its usual time")),
            );
        }
        for left in masters.iter().filter(|left| left.goes_on()) {
            inputs.extend(left.inputs());
            working.push(left.working());
        }
        left_out.extend(masters.iter().flat_map(|left| left.left_out.iter().cloned()));
        let ends = payload.is_some() && masters.iter().all(|left| left.goes_on());
        if ends {
            working.push(format!("the end of the payload {}", clock(typical::TAIL)));
        }
        let working = format!("{} = about {}", working.join(" + "), clock(remaining.p50.num_seconds() as f64));
        Some(Estimate { part: Part::ControlPlane, remaining, basis, inputs, working, left_out })
    }

    /// Each pool by itself, those with control plane nodes too.
    fn pools(&self) -> impl Iterator<Item = Estimate> {
        self.pools.iter().map(|(_, left)| {
            let remaining = cases(|lot| if left.goes_on() { self.begin[lot] + left.lasts(lot) } else { 0.0 });
            let mut working = left.working();
            let begins = cases(|lot| self.begin[lot]).p50.num_seconds() as f64;
            if begins > 0.0 && left.goes_on() {
                working = format!("begins in {} + {working}", clock(begins));
            }
            let sum = clock(remaining.p50.num_seconds() as f64);
            let working = if left.goes_on() { format!("{working} = about {sum}") } else { nothing() };
            let mut basis = left.basis();
            if let Some(payload) = self.payload.as_ref().filter(|payload| !payload.is_done()) {
                basis = basis.max(payload.basis);
            }
            Estimate {
                part: Part::Pool(left.pool.clone()),
                remaining,
                basis,
                inputs: left.inputs(),
                working,
                left_out: left.left_out.clone(),
            }
        })
    }

    /// The longest of the parts, case by case.
    fn whole(&self, parts: &[Estimate]) -> Option<Estimate> {
        let control_plane = parts.iter().find(|part| part.part == Part::ControlPlane);
        let counts = control_plane.is_some_and(|part| !part.waits());
        let remaining = cases(|lot| {
            let control_plane = if counts { self.control_plane_lasts(lot) } else { 0.0 };
            let pools = self.workers().filter(|left| left.goes_on()).map(|left| self.begin[lot] + left.lasts(lot));
            pools.fold(control_plane, f64::max)
        });
        // The pools of the control plane are in its part already.
        let told = |part: &&Estimate| match &part.part {
            Part::Pool(name) => self.workers().any(|left| left.pool == *name),
            _ => true,
        };
        let told: Vec<&Estimate> = parts.iter().filter(told).collect();
        let mut left_out: Vec<String> = told.iter().flat_map(|part| part.left_out.iter().cloned()).collect();
        left_out.extend(unmanaged(self.assessment));
        let running: Vec<&&Estimate> = told.iter().filter(|part| !part.waits()).collect();
        if running.is_empty() && left_out.is_empty() {
            return None;
        }
        let name = |part: &Estimate| match &part.part {
            Part::Pool(name) => format!("pool {name}"),
            _ => "the control plane".to_owned(),
        };
        let each: Vec<String> = running
            .iter()
            .map(|part| format!("{} {}", name(part), clock(part.remaining.p50.num_seconds() as f64)))
            .collect();
        let sum = clock(remaining.p50.num_seconds() as f64);
        let working = match each.as_slice() {
            [] => nothing(),
            [one] => format!("{one}, and nothing beside it"),
            several => format!("the longest of what rolls side by side: {} = about {sum}", several.join(", ")),
        };
        let mut inputs: Vec<Input> = Vec::new();
        for input in running.iter().flat_map(|part| &part.inputs) {
            if !inputs.contains(input) {
                inputs.push(input.clone());
            }
        }
        let basis = running.iter().map(|part| part.basis).max().unwrap_or(Basis::Default);
        Some(Estimate { part: Part::Whole, remaining, basis, inputs, working, left_out })
    }
}

/// The spread of something over all cases.
fn cases(of: impl Fn(usize) -> f64) -> Spread {
    lots::spread((0..LOTS).map(of).collect())
}

fn nothing() -> String {
    "nothing of what is left goes on by itself".to_owned()
}

/// New configurations are there, so that nodes may roll: machine-config has come so far.
fn is_rendered(assessment: &Assessment) -> bool {
    let to = assessment.update.to.as_deref();
    let mut known =
        assessment.pools.iter().filter(|pool| pool.control_plane && pool.target_version.is_some()).peekable();
    if known.peek().is_some() {
        return known.all(|pool| pool.target_version.as_deref() == to);
    }
    // The releases of rendered configurations cannot be read: nodes that move tell it, and operators that are all done.
    let operators = &assessment.operators;
    let last = operators.rows.iter().filter(|row| row.platform && !row.updated).all(|row| row.name == "machine-config");
    assessment.pools.iter().any(|pool| pool.moving > 0) || (operators.total > 0 && last)
}

fn unmanaged(assessment: &Assessment) -> Option<String> {
    let nodes: Vec<&str> = assessment
        .nodes
        .iter()
        .filter(|node| node.phase == NodePhase::Unmanaged)
        .map(|node| node.name.as_str())
        .collect();
    let verb = if nodes.len() == 1 { "is" } else { "are" };
    let names = crate::upgrade::words::some_of(nodes.iter().copied(), 3);
    (!nodes.is_empty()).then(|| format!("{names} {verb} managed by no pool"))
}

//! What is left of the payload: the operators by run level, up to where machine-config renders new configurations.
//!
//! The cluster-version operator goes through the run levels one by one and waits at each for its operators, which work
//! side by side. The time that finished levels took tells the pace of this cluster.

use chrono::{DateTime, Utc};

use super::belief::Belief;
use super::lots::{self, LOTS};
use super::past::Past;
use super::tell::{clock, percent};
use super::typical;
use super::{Basis, Input};
use crate::upgrade::assessment::{Assessment, OperatorRow, age};
use crate::upgrade::words;

/// Where operators stand that the table of levels does not know: where most stand.
const COMMON_LEVEL: u8 = 50;
/// The operator whose own part comes last, and which is reckoned apart.
const MACHINE_CONFIG: &str = "machine-config";

/// An operator that is not at the target version yet.
#[derive(Debug, Clone)]
struct Left {
    /// Its usual length at the usual pace, in seconds.
    usual: f64,
    /// Its column.
    column: usize,
}

/// A run level that is not done.
#[derive(Debug, Clone)]
struct Level {
    number: u8,
    operators: Vec<Left>,
    /// Manifests before they begin, in seconds at the usual pace.
    overhead: f64,
    /// What it usually takes as a whole, in seconds: the slowest of its operators, with some chance for each.
    usual: f64,
}

/// What is left of the payload.
#[derive(Debug, Clone)]
pub struct PayloadLeft {
    levels: Vec<Level>,
    /// How long the first of them has been going on, in seconds.
    spent: f64,
    /// The machine-config operator's own parts: not begun, or going on for so many seconds; none: new configurations are
    /// rendered.
    own_parts: Option<f64>,
    /// How fast this cluster is, as a factor of the usual lengths: above 1 is slower.
    pub pace: Belief,
    /// Where the pace comes from.
    pub basis: Basis,
    /// Finished operators and all, platform ones.
    pub done: (usize, usize),
    /// What finished levels took and usually take, in seconds.
    measured: Option<(f64, f64)>,
    /// Operators of the level that goes on that are in trouble.
    pub troubled: Vec<String>,
}

impl PayloadLeft {
    /// What is left in `assessment`. `rendered`: new configurations are there already.
    pub fn of(assessment: &Assessment, past: Option<&Past>, rendered: bool) -> Self {
        let rows: Vec<&OperatorRow> = assessment.operators.rows.iter().filter(|row| row.platform).collect();
        let all = levels(&rows, |_| true);
        let levels = levels(&rows, |row| !row.updated);
        let (mut pace, mut basis) = prior(&all, past);
        let reached = levels.first().map_or(u8::MAX, |level| level.number);
        let since = level_began(assessment, &rows, reached);
        let spent = since.map_or(0.0, |since| seconds(since, assessment.now));
        let mut measured = None;
        let behind: Vec<&Level> = all.iter().filter(|level| level.number < reached).collect();
        if let Some((since, started)) = since.zip(assessment.update.started)
            && !rendered
            && !behind.is_empty()
        {
            let usual: f64 = behind.iter().map(|level| level.usual).sum();
            let took = seconds(started, since);
            let squares: f64 = behind.iter().map(|level| (level.usual * typical::LEVEL_SIGMA).powi(2)).sum();
            if took > 1.0 && usual > 0.0 {
                pace = pace.corrected((took / usual).ln(), squares / (usual * usual));
                measured = Some((took, usual));
                let whole: f64 = all.iter().map(|level| level.usual).sum();
                if usual > 0.3 * whole {
                    basis = Basis::Measured;
                }
            }
        }
        let own_parts = (!rendered).then_some(if levels.is_empty() { spent } else { 0.0 });
        let troubled = rows
            .iter()
            .filter(|row| !row.updated && !row.expected && (row.degraded || !row.available))
            .map(|row| row.name.clone())
            .collect();
        let done = (assessment.operators.updated, assessment.operators.total);
        let mut left = Self { levels, spent, own_parts, pace, basis, done, measured, troubled };
        left.heed_overdue();
        left
    }

    /// A level that has taken longer than it usually would tells something about the pace before it ends.
    fn heed_overdue(&mut self) {
        let Some(level) = self.levels.first() else { return };
        let usual = level.usual * self.pace.median();
        if self.spent <= usual || usual <= 0.0 {
            return;
        }
        let expected = self.spent + lots::rest(usual, typical::OPERATOR_SIGMA, self.spent, 0.0);
        // Worth half of a level that has ended.
        let variance = 2.0 * typical::LEVEL_SIGMA.powi(2);
        self.pace = self.pace.corrected((expected / level.usual).ln(), variance);
    }

    /// Nothing is left of it.
    pub fn is_done(&self) -> bool {
        self.levels.is_empty() && self.own_parts.is_none()
    }

    /// How long it takes until new configurations are rendered, in a case, in seconds.
    pub fn lasts(&self, lot: usize) -> f64 {
        let pace = self.pace.at(lots::draw(lots::PACE, lot));
        let mut sum = 0.0;
        for (at, level) in self.levels.iter().enumerate() {
            let spent = if at == 0 { self.spent } else { 0.0 };
            sum += level.lasts(pace, spent, lot);
        }
        if let Some(spent) = self.own_parts {
            sum +=
                lots::rest(typical::OWN_PARTS * pace, typical::OPERATOR_SIGMA, spent, lots::draw(lots::OWN_PARTS, lot));
        }
        sum
    }

    /// The arithmetic in words; empty when nothing is left.
    pub fn working(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let median = |level: &Level, spent: f64| {
            let mut cases: Vec<f64> = (0..LOTS).map(|lot| level.lasts(self.pace.median(), spent, lot)).collect();
            cases.sort_by(f64::total_cmp);
            cases.get(LOTS / 2).copied().unwrap_or(0.0)
        };
        if let Some(level) = self.levels.first() {
            let operators = words::count(level.operators.len(), "operator");
            let spent = if self.spent > 0.0 { format!(" (begun {} ago)", clock(self.spent)) } else { String::new() };
            parts.push(format!("run level {}: {operators}, {}{spent}", level.number, clock(median(level, self.spent))));
        }
        let later = self.levels.get(1..).unwrap_or_default();
        if !later.is_empty() {
            let numbers: Vec<String> = later.iter().map(|level| level.number.to_string()).collect();
            let sum: f64 = later.iter().map(|level| median(level, 0.0)).sum();
            parts.push(format!("run levels {}: {}", numbers.join(", "), clock(sum)));
        }
        if let Some(spent) = self.own_parts {
            let left = lots::rest(typical::OWN_PARTS * self.pace.median(), typical::OPERATOR_SIGMA, spent, 0.0);
            parts.push(format!("machine-config's own parts: {}", clock(left)));
        }
        parts.join(" + ")
    }

    /// The numbers that went in.
    pub fn inputs(&self, past: Option<&Past>) -> Vec<Input> {
        let mut inputs = vec![Input {
            name: "operators at the target version".to_owned(),
            value: format!("{} of {}", self.done.0, self.done.1),
            source: "clusteroperators status.versions[operator]".to_owned(),
        }];
        if self.is_done() {
            return inputs;
        }
        inputs.push(Input {
            name: "pace of operators".to_owned(),
            value: format!("{} of the usual lengths", percent(self.pace.median())),
            source: match (self.measured, past) {
                (Some((took, usual)), _) => {
                    format!("finished run levels of this update: {} where {} are usual", clock(took), clock(usual))
                }
                (None, Some(_)) => "earlier updates of this cluster".to_owned(),
                (None, None) => "documented defaults: 60 to 120 minutes for the control plane".to_owned(),
            },
        });
        inputs
    }
}

impl Level {
    /// How long it takes in a case, of which `spent` has gone by.
    fn lasts(&self, pace: f64, spent: f64, lot: usize) -> f64 {
        let of = |left: &Left| {
            let usual = (left.usual + self.overhead) * pace;
            lots::rest(usual, typical::OPERATOR_SIGMA, spent, lots::draw(left.column, lot))
        };
        self.operators.iter().map(of).fold(0.0, f64::max)
    }
}

/// The levels of those operators that `counts`, lowest first; machine-config is reckoned apart.
fn levels(rows: &[&OperatorRow], counts: impl Fn(&OperatorRow) -> bool) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let lowest = rows.iter().filter(|row| row.name != MACHINE_CONFIG).map(|row| level(row)).min();
    for (place, row) in rows.iter().enumerate() {
        if row.name == MACHINE_CONFIG || !counts(row) {
            continue;
        }
        let number = level(row);
        let left = Left {
            usual: typical::operator(&row.name),
            column: lots::OPERATORS + place % (lots::NODES - lots::OPERATORS),
        };
        if let Some(known) = levels.iter_mut().find(|known| known.number == number) {
            known.operators.push(left);
            continue;
        }
        let before = if Some(number) == lowest { typical::BEFORE_OPERATORS } else { 0.0 };
        let overhead = typical::LEVEL_OVERHEAD + before;
        levels.push(Level { number, operators: vec![left], overhead, usual: 0.0 });
    }
    levels.sort_by_key(|level| level.number);
    for level in &mut levels {
        level.usual = (0..LOTS).map(|lot| level.lasts(1.0, 0.0, lot)).sum::<f64>() / LOTS as f64;
    }
    levels
}

fn level(row: &OperatorRow) -> u8 {
    row.level.unwrap_or(COMMON_LEVEL)
}

/// When the run level `reached` began: when the last operator before it was done, else when the first of its own
/// operators set to work, else with the update.
fn level_began(assessment: &Assessment, rows: &[&OperatorRow], reached: u8) -> Option<DateTime<Utc>> {
    let started = assessment.update.started?;
    let before = rows.iter().filter(|row| row.updated && level(row) < reached && row.name != MACHINE_CONFIG);
    // What moved its condition later, while nodes reboot, does not tell when it was done.
    let done = before.filter(|row| !row.progressing).filter_map(|row| row.since).filter(|at| *at >= started).max();
    let own = rows.iter().filter(|row| !row.updated && (level(row) == reached || reached == u8::MAX));
    let begun = own.filter_map(|row| row.working_since).filter(|at| *at >= started).min();
    let at = done.or(begun).unwrap_or(started);
    Some(at.min(assessment.now))
}

fn seconds(since: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    age(since, now).num_milliseconds() as f64 / 1000.0
}

/// The pace before anything was measured: earlier updates, else the guide's 60 to 120 minutes.
fn prior(all: &[Level], past: Option<&Past>) -> (Belief, Basis) {
    let operators: f64 = all.iter().map(|level| level.usual).sum();
    let whole = operators
        + typical::OWN_PARTS
        + typical::CONTROL_PLANE_NODES * (typical::NODE + typical::NODE_WAITS)
        + typical::TAIL;
    if let Some(past) = past {
        // Updates differ from each other, those of another kind more so; several say more than one.
        let unsure = if past.same_kind { 0.15_f64 } else { 0.25 };
        let sigma = unsure.hypot(0.12 / (past.lengths.len() as f64).sqrt());
        return (Belief::about(past.median() / whole, sigma), Basis::History);
    }
    // The guide's range is taken for what eight of ten need (1.28 standard deviations to each side).
    let (least, most) = typical::CONTROL_PLANE;
    (Belief::about((least * most).sqrt() / whole, (most / least).ln() / 2.0 / 1.28), Basis::Default)
}

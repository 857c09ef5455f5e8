//! What has to be remembered between assessments because the API does not: phase clocks, what was there before, the
//! timeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assess::settles;
use super::assessment::Assessment;
use super::facts::Facts;
use super::progress;
use super::timeline::{Entry, Timeline};

/// The memory of one session with one cluster. `assess` reads it; [`Memory::observe`] lets it learn.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The newest assessment that was observed.
    pub last: Option<Arc<Assessment>>,
    /// What happened.
    pub timeline: Arc<Timeline>,
    /// Entries that no assessment carries yet.
    pub noted: Vec<Entry>,
    /// The clocks.
    pub clocks: Clocks,
}

/// Clocks that the API does not keep.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    /// Since when operators work on the target version. The cluster-version operator keeps such clocks too
    /// (pkg/payload/task.go, `COUpdateStartTimes`), but loses them with its pod and never tells them.
    operators: BTreeMap<String, DateTime<Utc>>,
    /// The target version of these clocks.
    target: Option<String>,
    /// When anything moved last, and what it looked like.
    moved: Option<(DateTime<Utc>, u64)>,
}

impl Memory {
    /// Lets the memory learn from an assessment that was made with it.
    pub fn observe(&mut self, assessment: &Arc<Assessment>) {
        if self.last.as_ref().is_some_and(|last| last.facts.epoch != assessment.facts.epoch) {
            // Another cluster (or another state of it) answers: nothing that was known holds.
            *self = Self { noted: std::mem::take(&mut self.noted), ..Self::default() };
        }
        self.clocks.time_operators(assessment);
        if settles(&assessment.facts) {
            self.clocks.time_moves(assessment);
        }
        let carried = &assessment.timeline.entries;
        self.noted.retain(|noted| !carried.iter().rev().take(64).any(|entry| entry == noted));
        self.timeline = Arc::clone(&assessment.timeline);
        self.last = Some(Arc::clone(assessment));
    }

    /// Adds an entry to the timeline (an action of this program); the next assessment carries it.
    pub fn note(&mut self, entry: Entry) {
        self.noted.push(entry);
    }

    /// The assessment to compare `facts` with; none after a start, while kinds were still being listed, and when
    /// another cluster answers.
    pub(super) fn settled(&self, facts: &Facts) -> Option<&Assessment> {
        self.last.as_deref().filter(|last| last.facts.epoch == facts.epoch && settles(&last.facts))
    }

    /// The timeline with what was noted and with `entries`.
    pub(super) fn timeline_with(&self, entries: Vec<Entry>) -> Arc<Timeline> {
        if entries.is_empty() && self.noted.is_empty() {
            return Arc::clone(&self.timeline);
        }
        let mut timeline = Timeline::clone(&self.timeline);
        timeline.add(self.noted.iter().cloned().chain(entries));
        Arc::new(timeline)
    }

    /// Since when an operator works on the target version, by the own clock.
    pub fn operator_since(&self, name: &str) -> Option<DateTime<Utc>> {
        self.clocks.operators.get(name).copied()
    }

    /// When anything moved last; none before the first assessment.
    pub fn moved(&self) -> Option<DateTime<Utc>> {
        self.clocks.moved.map(|(at, _)| at)
    }
}

impl Clocks {
    fn time_moves(&mut self, assessment: &Assessment) {
        let signature = progress::signature(assessment);
        let at = match self.moved {
            Some((_, before)) if before == signature => return,
            Some(_) => assessment.now,
            None => newest_known_move(assessment).unwrap_or(assessment.now),
        };
        self.moved = Some((at, signature));
    }

    fn time_operators(&mut self, assessment: &Assessment) {
        if self.target != assessment.update.to || !assessment.update.in_progress {
            self.operators.clear();
            self.target.clone_from(&assessment.update.to);
        }
        if !assessment.update.in_progress {
            return;
        }
        for row in &assessment.operators.rows {
            if row.updated {
                self.operators.remove(&row.name);
            } else if row.progressing && !self.operators.contains_key(&row.name) {
                let since = progressing_since(assessment, &row.name).unwrap_or(assessment.now);
                self.operators.insert(row.name.clone(), since);
            }
        }
    }
}

/// Transition time of an operator's Progressing, not before the update began.
fn progressing_since(assessment: &Assessment, name: &str) -> Option<DateTime<Utc>> {
    use crate::api::Conditions as _;
    let operators = &assessment.facts.operators;
    let at = operators.binary_search_by(|operator| operator.name().cmp(name)).ok()?;
    let since = operators[at].status.conditions.condition("Progressing")?.since?;
    Some(assessment.update.started.map_or(since, |started| since.max(started)))
}

/// The newest move that the API remembers: what the clock begins with after a start.
fn newest_known_move(assessment: &Assessment) -> Option<DateTime<Utc>> {
    let nodes = assessment.nodes.iter().filter(|node| node.phase.moving()).filter_map(|node| node.since);
    let pools = assessment.pools.iter().filter_map(|pool| pool.rolling_since);
    let operators = assessment.operators.rows.iter().filter(|row| row.platform).filter_map(|row| row.since);
    nodes.chain(pools).chain(operators).chain(assessment.update.started).filter(|at| *at <= assessment.now).max()
}

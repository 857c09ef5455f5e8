//! Confirmed actions: sent, answered, and proved by the watch.
//!
//! The reply to a write proves nothing: an action is done when the watch shows its effect. When it does not within
//! [`PATIENCE`], the job says "sent, not seen yet" and goes on looking.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::command_log::LineId;
use super::effect::Effect as Do;
use crate::actions::audit::{AuditId, Proof};
use crate::actions::drain::Progress;
use crate::actions::outcome::Outcome;
use crate::actions::{Effect, Plan};
use crate::ui::{Job, JobState};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;
use crate::upgrade::words;

/// How long the watch may take to show an effect before the job says that it was not seen. A watch that is cut is
/// noticed after 45 s at the latest; an effect that shows within a minute is the rule.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// Ended jobs that are kept for the screen.
const KEPT: usize = 200;

/// All jobs of the session.
#[derive(Debug, Default)]
pub struct Jobs {
    shown: Vec<Job>,
    live: BTreeMap<u64, Live>,
    last: u64,
}

/// A job that is not over.
#[derive(Debug)]
struct Live {
    plan: Plan,
    lines: Vec<LineId>,
    /// When it was confirmed: what is told to the person counts from there.
    confirmed: DateTime<Utc>,
    /// When it was answered: the watch is waited for from there.
    answered: DateTime<Utc>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Requests are being sent.
    Sending,
    /// Requests are being sent, and another cluster is observed by now: nothing will show the effect.
    Abandoned,
    /// The watch has to show the effect.
    Awaiting { effect: Effect, ids: Vec<AuditId>, late: bool, unread: bool },
}

/// What a job that was answered leads to.
#[derive(Debug, Default)]
pub struct Answered {
    /// The plan and the lines of the command log, one a write.
    pub job: Option<(Plan, Vec<LineId>)>,
    /// Another cluster is observed by now: what came of it is not this one's.
    pub abandoned: bool,
    /// Entries of the audit log that can be ended at once.
    pub effects: Vec<Do>,
}

impl Jobs {
    /// For the screen, oldest first.
    pub fn shown(&self) -> &[Job] {
        &self.shown
    }

    /// Time is told by another clock from now on, which is ahead by so much.
    pub fn set_clock(&mut self, ahead: TimeDelta) {
        for job in &mut self.shown {
            job.since += ahead;
            job.ended = job.ended.map(|ended| ended + ahead);
        }
        for live in self.live.values_mut() {
            live.confirmed += ahead;
            live.answered += ahead;
        }
    }

    /// Are requests under way?
    pub fn sending(&self) -> bool {
        self.live.values().any(|live| matches!(live.phase, Phase::Sending | Phase::Abandoned))
    }

    /// What somebody who leaves now does not see the end of, a line each.
    pub fn parting(&self) -> Vec<String> {
        let line = |(id, live): (&u64, &Live)| {
            let title = &live.plan.title;
            let job = self.shown.iter().find(|job| job.id == *id);
            if let Some(progress) = job.and_then(|job| job.drain.as_deref()) {
                let names = words::some_of(progress.nodes.iter().map(|node| node.name.as_str()), 10);
                let stay = if progress.nodes.len() == 1 { "stays" } else { "stay" };
                return format!("{title}: ended on the way ({}); {names} {stay} cordoned", progress.headline());
            }
            match live.phase {
                Phase::Awaiting { .. } => format!("{title}: accepted; its effect was not seen yet"),
                Phase::Sending | Phase::Abandoned => {
                    format!("{title}: being sent; whether it was applied is not known, the audit log has the attempt")
                }
            }
        };
        self.live.iter().map(line).collect()
    }

    /// The kinds that jobs under way were decided on, and that have to show what came of them.
    pub fn needs(&self) -> impl Iterator<Item = Kind> + '_ {
        self.live.values().flat_map(|live| live.plan.action.entry().needs).copied()
    }

    /// A plan was confirmed; `lines` are the lines of its writes in the command log.
    pub fn start(&mut self, plan: Plan, lines: Vec<LineId>, now: DateTime<Utc>) -> u64 {
        self.last += 1;
        let id = self.last;
        self.shown.push(Job {
            id,
            title: plan.title.clone(),
            state: JobState::Running,
            words: "sending".to_owned(),
            since: now,
            ended: None,
            drain: None,
        });
        if self.shown.len() > KEPT {
            self.shown.remove(0);
        }
        self.live.insert(id, Live { plan, lines, confirmed: now, answered: now, phase: Phase::Sending });
        id
    }

    /// The requests of a job were answered.
    pub fn answered(&mut self, id: u64, outcome: &Outcome, now: DateTime<Utc>) -> Answered {
        let Some(mut live) = self.live.remove(&id) else { return Answered::default() };
        live.answered = now;
        let mut words = outcome.words(&live.plan.target);
        let ids = outcome.unproved();
        let abandoned = matches!(live.phase, Phase::Abandoned);
        let effect = outcome.awaited(&live.plan.effect);
        let state = match outcome {
            Outcome::Accepted { .. } => JobState::Running,
            Outcome::Unknown { .. } if outcome.is_whole(&live.plan.effect) => JobState::Running,
            // What was sent was told of as it went; nobody waits for the rest.
            Outcome::Stopped { .. } => JobState::Cancelled,
            // Also when the watch shows that what has no answer was applied: the rest was not sent.
            Outcome::Refused { .. } | Outcome::Failed { .. } | Outcome::Changed { .. } | Outcome::Unknown { .. } => {
                JobState::Failed
            }
        };
        let (state, effect) = match (abandoned, state) {
            (true, JobState::Running) => {
                "sent; another cluster is observed now, so the effect is not seen".clone_into(&mut words);
                (JobState::Unproven, None)
            }
            (true, state) => (state, None),
            (false, state) => (state, effect),
        };
        self.set(id, state, &words, (state != JobState::Running).then_some(now));
        let job = Some((live.plan.clone(), live.lines.clone()));
        let mut answered = Answered { job, abandoned, effects: Vec::new() };
        match effect {
            Some(effect) => {
                let unread = !effect.reread().is_empty();
                live.phase = Phase::Awaiting { effect, ids, late: false, unread };
                self.live.insert(id, live);
            }
            None if ids.is_empty() => {}
            None => answered.effects.push(Do::Prove { ids, proof: Proof::NotSeen { until: now } }),
        }
        answered
    }

    /// A drain has come further.
    pub fn draining(&mut self, id: u64, progress: Arc<Progress>) {
        if let Some(job) = self.shown.iter_mut().find(|job| job.id == id) {
            if job.state == JobState::Running {
                job.words = progress.headline();
            }
            job.drain = Some(progress);
        }
    }

    /// Does the newest picture show what was waited for? Returns the proofs for the audit log.
    pub fn watch(&mut self, assessment: &Assessment, now: DateTime<Utc>) -> Vec<Do> {
        let (mut effects, mut over) = (Vec::new(), Vec::new());
        for (id, live) in &mut self.live {
            let Phase::Awaiting { effect, ids, late, unread } = &mut live.phase else { continue };
            if *unread || effect.watched().is_some_and(|effect| !effect.holds(assessment)) {
                continue;
            }
            let after = seconds(now - live.confirmed);
            let words = match effect.begins() {
                // What the plan is called is only begun: that it was seen must not read as its end.
                Some(begun) => format!("{begun}, seen in the watch after {after}"),
                None => format!("seen in the watch after {after}"),
            };
            if !*late {
                effects.push(Do::Prove { ids: std::mem::take(ids), proof: Proof::Seen { at: now } });
            }
            over.push((*id, words));
        }
        for (id, words) in over {
            self.live.remove(&id);
            if self.state(id) != Some(JobState::Failed) {
                self.set(id, JobState::Done, &words, Some(now));
            }
        }
        effects
    }

    /// The objects that no watch shows were read again, and show the effect.
    pub fn reread(&mut self, id: u64) {
        if let Some(Phase::Awaiting { unread, .. }) = self.live.get_mut(&id).map(|live| &mut live.phase) {
            *unread = false;
        }
    }

    /// Time passes: what was not seen for too long is said so.
    pub fn tick(&mut self, now: DateTime<Utc>) -> (Vec<String>, Vec<Do>) {
        let (mut said, mut effects, mut unproven) = (Vec::new(), Vec::new(), Vec::new());
        for (id, live) in &mut self.live {
            if let Phase::Awaiting { ids, late, .. } = &mut live.phase
                && !*late
                && now - live.answered >= PATIENCE
            {
                *late = true;
                effects.push(Do::Prove { ids: std::mem::take(ids), proof: Proof::NotSeen { until: now } });
                unproven.push((*id, live.plan.title.clone()));
            }
        }
        for (id, title) in unproven {
            if self.state(id) == Some(JobState::Failed) {
                self.live.remove(&id);
            } else {
                self.set(id, JobState::Unproven, "sent, not seen yet", None);
                said.push(format!("{title}: sent, not seen in the watch for {}", seconds(PATIENCE)));
            }
        }
        (said, effects)
    }

    /// The person stops a job. None: there is no such job under way.
    pub fn cancel(&mut self, id: u64, now: DateTime<Utc>) -> Option<Vec<Do>> {
        let live = self.live.get(&id)?;
        // A drain ends by itself, and says how far it came.
        if live.plan.drain.is_some() && matches!(live.phase, Phase::Sending | Phase::Abandoned) {
            self.set(id, JobState::Running, "stopping; what was sent stays sent", None);
            return Some(vec![Do::CancelJob(id)]);
        }
        let live = self.live.remove(&id)?;
        Some(match live.phase {
            Phase::Sending | Phase::Abandoned => {
                self.set(id, JobState::Cancelled, "stopped; what was sent before may have been applied", Some(now));
                vec![Do::CancelJob(id)]
            }
            Phase::Awaiting { ids, late, .. } => {
                self.set(id, JobState::Cancelled, "sent; no longer waited for", Some(now));
                if late { Vec::new() } else { vec![Do::Prove { ids, proof: Proof::NotSeen { until: now } }] }
            }
        })
    }

    /// Another cluster answers: the effects that are waited for will not be seen.
    pub fn forget(&mut self, now: DateTime<Utc>) -> Vec<Do> {
        let mut awaited = Vec::new();
        for (id, live) in &mut self.live {
            match live.phase {
                Phase::Sending | Phase::Abandoned => live.phase = Phase::Abandoned,
                Phase::Awaiting { .. } => awaited.push(*id),
            }
        }
        awaited.into_iter().flat_map(|id| self.cancel(id, now).unwrap_or_default()).collect()
    }

    fn state(&self, id: u64) -> Option<JobState> {
        self.shown.iter().find(|job| job.id == id).map(|job| job.state)
    }

    fn set(&mut self, id: u64, state: JobState, words: &str, ended: Option<DateTime<Utc>>) {
        if let Some(job) = self.shown.iter_mut().find(|job| job.id == id) {
            job.state = state;
            words.clone_into(&mut job.words);
            job.ended = ended;
        }
    }
}

/// `0.3 s`, `12 s`.
fn seconds(delta: TimeDelta) -> String {
    let millis = delta.num_milliseconds().max(0);
    if millis < 10_000 { format!("{:.1} s", millis as f64 / 1_000.0) } else { format!("{} s", millis / 1_000) }
}

//! From a wish to an order: plan, rehearsal, confirmation.
//!
//! A write needs all of: writes are on, the picture is live, the plan was made, the server rehearsed it and would accept
//! it, and the person confirmed what was shown.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::command_log::LineId;
use super::{App, Effect, flash};
use crate::actions::audit::{Actor, Given};
use crate::actions::outcome::{Order, Outcome, Rehearsal};
use crate::actions::{self, Ask, Material, Plan, Read, Refusal, Target};
use crate::ui::Rehearsed;
use crate::upgrade::assessment::{Level, Subject};
use crate::upgrade::timeline::{Entry, Origin};

/// The plan that is on the screen.
#[derive(Debug, Default)]
pub struct Orders {
    /// Counts the questions: an answer to an older one is ignored.
    ticket: u64,
    pending: Option<Pending>,
}

impl Orders {
    /// Another cluster answers: what is on its way is for the one of before. The count goes on, or an answer of before
    /// would pass for one to a question of now.
    pub fn forget(&mut self) {
        self.ticket += 1;
        self.pending = None;
    }
}

#[derive(Debug)]
struct Pending {
    plan: Plan,
    rehearsal: Option<Rehearsal>,
    lines: Vec<LineId>,
    /// Why it cannot be done any more, as it was told.
    impossible: Option<String>,
}

impl App {
    /// Why nothing can be written now, whatever it is.
    fn closed(&self) -> Option<String> {
        let link = &self.state.assessment.facts.link;
        if let Some(why) = &self.state.session.read_only {
            return Some(format!("read-only: {why}"));
        }
        if link.state.writable() {
            return None;
        }
        let since =
            link.state.since().map_or_else(String::new, |since| format!(" since {}Z", since.format("%H:%M:%S")));
        Some(format!("the picture is not live{since}: nothing is written on what may no longer be true"))
    }

    /// The person wants something.
    pub(super) fn plan(&mut self, ask: &Ask) -> Vec<Effect> {
        let plan = match self.closed() {
            Some(why) => Err(Refusal(why)),
            // What it is decided on is read first: the view asks for it as long as the wish waits there.
            None if !ask.action.entry().unread(&self.state.assessment.facts).is_empty() => {
                self.view.show_waiting(ask.clone());
                return Vec::new();
            }
            None => actions::plan(&self.state.assessment, &self.state.session, ask, &Material::default()),
        };
        match plan {
            Ok(plan) => self.offer(plan),
            Err(Refusal(why)) => {
                self.view.show_refusal(ask, &why);
                Vec::new()
            }
        }
    }

    /// The picture is newer: a wish may have what it waited for, and a plan on the screen may mean something else.
    pub(super) fn reconsider(&mut self) -> Vec<Effect> {
        let facts = &self.state.assessment.facts;
        if let Some(ask) = self.view.waiting().filter(|ask| ask.action.entry().unread(facts).is_empty()).cloned() {
            return self.plan(&ask);
        }
        if !self.view.confirming() || self.closed().is_some() {
            return Vec::new();
        }
        let Some(pending) = &mut self.orders.pending else { return Vec::new() };
        let Some(rehearsal) = &pending.rehearsal else { return Vec::new() };
        let (plan, material) = (&rehearsal.plan, rehearsal.material.refreshed(Vec::new()));
        let ask = plan.ask();
        match actions::again(&self.state.assessment, &self.state.session, plan, &plan.target, &material) {
            Err(Refusal(why)) => {
                if pending.impossible.as_ref() != Some(&why) {
                    pending.impossible = Some(why.clone());
                    self.view.show_refusal(&ask, &format!("not possible any more: {why}"));
                }
                Vec::new()
            }
            Ok(newer) => {
                let completed = actions::complete(newer.clone(), &material);
                let why = actions::difference(plan, &completed).or_else(|| {
                    let was = pending.impossible.take()?;
                    Some(format!("possible again, after it was refused for a while ({was})"))
                });
                let Some(why) = why else { return Vec::new() };
                let effects = self.offer(newer.clone());
                self.view.show_rehearsal(&ask, Rehearsed::Changed { plan: Box::new(newer), why });
                effects
            }
        }
    }

    /// Shows a plan, and asks the server what it would say to it.
    fn offer(&mut self, plan: Plan) -> Vec<Effect> {
        self.view.show_plan(plan.clone());
        let now = self.state.now;
        let lines = plan
            .writes
            .iter()
            .map(|write| self.state.log.begin(now, false, format!("{} --dry-run=server", write.oc)))
            .collect();
        self.orders.ticket += 1;
        self.orders.pending = Some(Pending { plan: plan.clone(), rehearsal: None, lines, impossible: None });
        vec![Effect::Rehearse { ticket: self.orders.ticket, plan: Box::new(plan) }]
    }

    /// The server rehearsed the plan.
    pub(super) fn rehearsed(&mut self, ticket: u64, rehearsed: Result<Rehearsal, Refusal>) -> Vec<Effect> {
        if ticket != self.orders.ticket {
            return Vec::new();
        }
        let Some(pending) = &mut self.orders.pending else { return Vec::new() };
        let ask = pending.plan.ask();
        let rehearsal = match rehearsed {
            Ok(rehearsal) => rehearsal,
            Err(Refusal(why)) => {
                for line in std::mem::take(&mut pending.lines) {
                    self.state.log.end(line, why.clone());
                }
                self.orders.pending = None;
                self.view.show_refusal(&ask, &why);
                return Vec::new();
            }
        };
        for (line, step) in pending.lines.iter().zip(&rehearsal.steps) {
            self.state.log.end(*line, step.words.clone());
        }
        let mut news = news(&rehearsal);
        // The pods complete a plan; without the rest it is not even one.
        if !rehearsal.changed && pending.plan.reads.iter().any(|read| !matches!(read, Read::PodsOn(_))) {
            news.retain(|news| !matches!(news, Rehearsed::Read { .. }));
            news.insert(0, Rehearsed::Whole { plan: Box::new(rehearsal.plan.clone()) });
        }
        pending.plan = rehearsal.plan.clone();
        pending.rehearsal = Some(rehearsal);
        for news in news {
            self.view.show_rehearsal(&ask, news);
        }
        Vec::new()
    }

    /// The person confirmed the plan that is on the screen.
    pub(super) fn confirm(&mut self, plan: &Plan, answers: Vec<(String, String)>) -> Vec<Effect> {
        let refuse = |app: &mut Self, why: &str| {
            app.view.show_refusal(&plan.ask(), why);
            Vec::new()
        };
        if let Some(why) = self.closed() {
            return refuse(self, &why);
        }
        let fits = |pending: &&mut Pending| pending.plan.ask() == plan.ask();
        let Some(pending) = self.orders.pending.as_mut().filter(fits) else {
            return refuse(self, "this plan is no longer the newest: ask for it again");
        };
        let Some(rehearsal) = pending.rehearsal.clone() else {
            self.state.say(flash::warning("the server has not answered the dry run yet"));
            return Vec::new();
        };
        if let Some(step) = rehearsal.steps.iter().find(|step| !step.ok) {
            let why = format!("the server would not accept it: {}: {}", step.object, step.words);
            return refuse(self, &why);
        }
        self.orders.pending = None;
        let now = self.state.now;
        let plan = rehearsal.plan.clone();
        let lines = plan.writes.iter().map(|write| self.state.log.begin(now, true, write.oc.clone())).collect();
        let actor = Actor::of(&self.state.assessment, &self.state.session);
        let answers = answers.into_iter().map(|(name, answer)| Given { name, answer }).collect();
        let drains = plan.drain.is_some();
        let id = self.state.jobs.start(plan, lines, now);
        if drains {
            self.state.jobs.draining(id, Arc::default());
            self.view.show_drain(id);
        }
        vec![Effect::Execute { id, order: Box::new(Order { rehearsal, actor, answers }) }]
    }

    /// The requests of a job were answered (or could not be sent).
    pub(super) fn job_done(&mut self, id: u64, outcome: &Outcome) -> Vec<Effect> {
        let now = self.state.now;
        let answered = self.state.jobs.answered(id, outcome, now);
        let mut effects = answered.effects;
        let Some((plan, lines)) = answered.job else { return effects };
        for (line, write) in lines.iter().zip(&plan.writes) {
            self.state.log.end(*line, write_outcome(outcome, &write.object));
        }
        let words = format!("{}: {}", plan.title, outcome.words(&plan.target));
        if answered.abandoned {
            self.state.say(flash::warning(format!("{words} (another cluster is observed now)")));
            return effects;
        }
        effects.extend(notes(&plan, outcome, now).into_iter().map(Effect::Note));
        match outcome {
            // The line of the job says it until the watch shows the effect, or how far it came.
            Outcome::Accepted { .. } | Outcome::Stopped { .. } => {}
            Outcome::Unknown { .. } => self.state.say(flash::warning(words)),
            Outcome::Refused { .. } | Outcome::Failed { .. } => {
                self.view.show_refusal(&plan.ask(), &words);
            }
            Outcome::Changed { plan: newer, words: why, .. } => {
                // The line of the job says that nothing was sent, the new plan says why.
                let ask = newer.ask();
                effects.extend(self.offer((**newer).clone()));
                let changed = Rehearsed::Changed { plan: newer.clone(), why: why.clone() };
                self.view.show_rehearsal(&ask, changed);
            }
        }
        effects.extend(self.state.jobs.watch(&self.state.assessment, now));
        effects
    }

    /// Objects that no watch shows were read again.
    pub(super) fn reread(&mut self, id: u64, seen: bool) -> Vec<Effect> {
        if seen {
            self.state.jobs.reread(id);
        }
        self.state.jobs.watch(&self.state.assessment, self.state.now)
    }
}

/// What the screen is told of a rehearsal of the plan that it shows.
fn news(rehearsal: &Rehearsal) -> Vec<Rehearsed> {
    let mut news = Vec::new();
    if rehearsal.changed {
        let why = "the objects changed after the plan was made; this is the plan for what they are now".to_owned();
        news.push(Rehearsed::Changed { plan: Box::new(rehearsal.plan.clone()), why });
    }
    // The completed plan has one consequence more for each read, in their order, at its end.
    let lines = &rehearsal.plan.consequences;
    let pods = rehearsal.material.answers.iter().filter(|(read, _)| matches!(read, Read::PodsOn(_)));
    let told = lines.len().saturating_sub(pods.clone().count());
    for ((read, answer), line) in pods.zip(&lines[told..]) {
        let result = match answer {
            Ok(_) if rehearsal.changed => Ok(Vec::new()),
            Ok(_) => Ok(vec![line.clone()]),
            Err(words) => Err(words.clone()),
        };
        news.push(Rehearsed::Read { read: read.clone(), result });
    }
    for (write, step) in rehearsal.steps.iter().enumerate() {
        let result = if step.ok { Ok(step.words.clone()) } else { Err(step.words.clone()) };
        news.push(Rehearsed::DryRun { write, result });
    }
    news
}

/// What goes into the timeline: an entry for each object that was changed.
fn notes(plan: &Plan, outcome: &Outcome, now: DateTime<Utc>) -> Vec<Entry> {
    let entry = |subject: Subject| Entry {
        at: now,
        level: Level::Info,
        subject,
        text: format!("{} (by this cockpit)", plan.title),
        origin: Origin::Action,
    };
    let wrote = |name: &&String| outcome.done().iter().any(|written| written.object == format!("node/{name}"));
    match &plan.target {
        _ if outcome.done().is_empty() => Vec::new(),
        Target::Pools(names) => names.iter().map(|name| entry(Subject::Pool(name.clone()))).collect(),
        Target::Objects(objects) => objects.iter().map(|object| entry(Subject::Object(object.clone()))).collect(),
        Target::Nodes(names) => names.iter().filter(wrote).map(|name| entry(Subject::Node(name.clone()))).collect(),
        Target::Version(_) | Target::Cluster => vec![entry(Subject::Version)],
    }
}

/// How the write of `object` ended, for the command log.
fn write_outcome(outcome: &Outcome, object: &str) -> String {
    if let Some(written) = outcome.done().iter().find(|written| written.object == object) {
        return written.words.clone();
    }
    match outcome {
        Outcome::Failed { object: failed, words, .. } if failed == object => words.clone(),
        Outcome::Unknown { object: failed, words, .. } if failed == object => format!("no answer: {words}"),
        Outcome::Refused { words } => words.clone(),
        _ => "not sent".to_owned(),
    }
}

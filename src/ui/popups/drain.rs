//! A drain as it goes: which pods still have to go, how long they may take, which budget refuses, and since when.

use chrono::{DateTime, Utc};
use ratatui::layout::Position;

use super::command_log::job_sign;
use crate::actions::Target;
use crate::actions::drain::{NodeProgress, NodeState, PodProgress, PodState, Progress};
use crate::input::Command;
use crate::ui::ctx::{Ctx, Job, JobState};
use crate::ui::popups::finding::remedy_lines;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;
use crate::upgrade::assessment::Resource;
use crate::upgrade::blockers;

/// The popup. It follows its job to the end, and stays until it is closed.
#[derive(Debug)]
pub struct DrainPopup {
    job: u64,
    /// The pod that has the keyboard, by namespace and name: it follows the pod, not the row.
    chosen: Option<(String, String)>,
    /// Its text.
    pub view: TextView,
}

fn is(pod: &PodProgress, chosen: Option<&(String, String)>) -> bool {
    chosen.is_some_and(|(namespace, name)| *namespace == pod.namespace && *name == pod.name)
}

/// The pods that have to go from the node that is being drained.
fn pods(progress: &Progress) -> &[PodProgress] {
    progress.current().map_or(&[], |node| &node.pods)
}

impl DrainPopup {
    /// A popup about a job.
    pub fn new(job: u64) -> Self {
        Self { job, chosen: None, view: TextView::default() }
    }

    /// Is it about that job?
    pub fn is(&self, job: u64) -> bool {
        self.job == job
    }

    fn job<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a Job> {
        ctx.jobs.iter().find(|job| job.id == self.job)
    }

    fn progress<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a Progress> {
        self.job(ctx).and_then(|job| job.drain.as_deref())
    }

    /// When the job ended, if it did.
    fn ended(&self, ctx: &Ctx<'_>) -> Option<DateTime<Utc>> {
        self.job(ctx).and_then(|job| job.ended)
    }

    /// Title.
    pub fn title(&self, ctx: &Ctx<'_>) -> String {
        self.job(ctx).map_or_else(|| "drain".to_owned(), |job| job.title.clone())
    }

    /// The job, while it can be stopped.
    pub fn running(&self, ctx: &Ctx<'_>) -> Option<u64> {
        self.job(ctx).filter(|job| job.state == JobState::Running).map(|job| job.id)
    }

    /// Chooses the next or the previous pod.
    pub fn choose(&mut self, forward: bool, ctx: &Ctx<'_>) {
        let pods = self.progress(ctx).map_or(&[][..], pods);
        let at = pods.iter().position(|pod| is(pod, self.chosen.as_ref()));
        let next = match (at, forward) {
            (Some(at), true) => at + 1,
            (Some(at), false) => at + pods.len() - 1,
            (None, _) => 0,
        };
        self.chosen = pods.get(next % pods.len().max(1)).map(|pod| (pod.namespace.clone(), pod.name.clone()));
    }

    /// Chooses the pod that was drawn there.
    pub fn choose_at(&mut self, at: Position, ctx: &Ctx<'_>) {
        let pods = self.progress(ctx).map_or(&[][..], pods);
        if let Some(pod) = self.view.choice_at(at).and_then(|at| pods.get(at)) {
            self.chosen = Some((pod.namespace.clone(), pod.name.clone()));
        }
    }

    /// What the actions of the menu are aimed at: the chosen pod.
    pub fn target(&self) -> Option<Target> {
        let (namespace, name) = self.chosen.as_ref()?;
        Some(Target::Objects(vec![Resource::pod(namespace, name)]))
    }

    /// What copying gives: the chosen pod, else everything.
    pub fn copied(&self) -> String {
        self.chosen.as_ref().map_or_else(|| self.view.text(), |(namespace, name)| format!("{namespace}/{name}"))
    }

    /// Makes the text again: times count down.
    pub fn refresh(&mut self, ctx: &Ctx<'_>) {
        let pods = self.progress(ctx).map_or(&[][..], pods);
        if !pods.iter().any(|pod| is(pod, self.chosen.as_ref())) {
            self.chosen = pods.first().map(|pod| (pod.namespace.clone(), pod.name.clone()));
        }
        let lines = self.lines(ctx);
        self.view.set(lines);
    }

    fn lines(&self, ctx: &Ctx<'_>) -> Vec<TextLine> {
        let Some(job) = self.job(ctx) else { return vec![TextLine::new(Tone::Dim, "it is not known any more")] };
        let (tone, sign) = job_sign(job, ctx);
        let took = words::duration(job.ended.unwrap_or(ctx.now) - job.since);
        let mut lines =
            vec![TextLine::new(tone, format!("{sign} {}", job.words)).and(Tone::Dim, format!("   {took}")).hanging(2)];
        let Some(progress) = job.drain.as_deref() else { return lines };
        if let Some((since, why)) = &progress.silent {
            let since = words::since(Some(*since), ctx.now, false);
            let text = format!("Nobody answers for {since}: {why}. It goes on when the same cluster is back.");
            lines.push(TextLine::new(Tone::Warning, text).hanging(2));
        }
        if let Some(deadline) = progress.deadline.filter(|_| job.state == JobState::Running) {
            lines.push(TextLine::new(Tone::Dim, format!("It gives up {}.", until(deadline, ctx.now))));
        }
        for node in &progress.nodes {
            lines.push(TextLine::default());
            self.node(&mut lines, node, ctx);
        }
        lines.push(TextLine::default());
        lines.push(TextLine::new(Tone::Dim, Self::hint(job, ctx)).hanging(2));
        lines
    }

    fn hint(job: &Job, ctx: &Ctx<'_>) -> String {
        let key = |command| ctx.keymap.keys(command, false).first().map(ToString::to_string).unwrap_or_default();
        if job.state == JobState::Running {
            let (stop, again) = (key(Command::CancelJob), key(Command::Drains));
            return format!(
                "{stop} stops it: what was sent stays sent, and the nodes stay cordoned. Closed, it goes on; {again} \
                 opens it again."
            );
        }
        "The nodes stay cordoned until they are uncordoned.".to_owned()
    }

    fn node(&self, lines: &mut Vec<TextLine>, node: &NodeProgress, ctx: &Ctx<'_>) {
        let signs = ctx.theme.symbols();
        let gone = node.counted();
        let draining = self.progress(ctx).and_then(Progress::current).is_some_and(|current| current.name == node.name);
        let (tone, sign, words) = match &node.state {
            NodeState::Waiting => (Tone::Dim, signs.todo, "cordoned, its turn comes".to_owned()),
            NodeState::Draining { since } => {
                let age = words::since(Some(*since), ctx.now, false);
                (Tone::Active, signs.active, format!("draining for {age}, {gone}"))
            }
            NodeState::Drained { at } => (
                Tone::Ok,
                signs.ok,
                format!("drained at {}, {} gone", words::clock(*at, ctx.now), pod_count(node.gone)),
            ),
            NodeState::Failed(why) => (Tone::Danger, signs.fail, format!("{why} ({gone})")),
            NodeState::Left => (Tone::Warning, signs.todo, format!("left as it is, {gone}")),
        };
        let head = TextLine::new(tone, format!("{sign} ")).and(Tone::Strong, &node.name);
        lines.push(head.and(tone, format!("   {words}")).hanging(2));
        for (at, pod) in node.pods.iter().enumerate() {
            let from = lines.len();
            self.pod(lines, pod, ctx);
            if draining {
                let own = lines.split_off(from);
                lines.extend(own.into_iter().map(|line| line.choosing(at)));
            }
        }
        let kinds = ["of DaemonSets", "static", "ended", "guarding the control plane"];
        let stays = node.stays.iter().zip(kinds).filter(|(n, _)| **n > 0).map(|(n, kind)| format!("{n} {kind}"));
        let stays: Vec<String> = stays.collect();
        if !stays.is_empty() {
            lines.push(TextLine::new(Tone::Dim, format!("    stay: {}", stays.join(", "))).hanging(6));
        }
    }

    fn pod(&self, lines: &mut Vec<TextLine>, pod: &PodProgress, ctx: &Ctx<'_>) {
        let signs = ctx.theme.symbols();
        let chosen = is(pod, self.chosen.as_ref());
        let (tone, sign, words) = match &pod.state {
            PodState::Waiting => (Tone::Dim, signs.todo, "to be evicted".to_owned()),
            PodState::Ending { until: at, finalizers } => ending(*at, finalizers, ctx),
            PodState::Refused { words, since, next } => {
                let (now, over) = (self.ended(ctx).unwrap_or(ctx.now), self.ended(ctx).is_some());
                let why =
                    pod.blocker.as_ref().map_or_else(|| words.clone(), |one| blockers::words(&one.cause, ctx.now));
                let age = words::since(Some(*since), now, false);
                let times = words::count(pod.tries as usize, "time", "times");
                let next =
                    if over { String::new() } else { format!(", again {} or when it is free", until(*next, now)) };
                (Tone::Danger, signs.fail, format!("{why}; refused {times} for {age}{next}"))
            }
            PodState::Failed(why) => (Tone::Danger, signs.fail, why.clone()),
        };
        let mark = if chosen { signs.cursor } else { " " };
        let owner = pod.owner.as_ref().map_or_else(|| "bare pod".to_owned(), Clone::clone);
        let line = TextLine::new(Tone::Key, format!("  {mark} ")).and(tone, format!("{sign} "));
        let line =
            line.and(Tone::Text, format!("{}/{}", pod.namespace, pod.name)).and(Tone::Dim, format!(" ({owner})"));
        lines.push(line.and(tone, format!("   {words}")).hanging(8));
        if chosen && let Some(blocker) = &pod.blocker {
            for remedy in &blocker.frees {
                lines.extend(remedy_lines(remedy, ctx, "     "));
            }
        }
    }
}

fn ending<'s>(at: DateTime<Utc>, finalizers: &[String], ctx: &Ctx<'s>) -> (Tone, &'s str, String) {
    let signs = ctx.theme.symbols();
    let held = if finalizers.is_empty() { String::new() } else { format!(", held by {}", finalizers.join(", ")) };
    if at > ctx.now {
        return (Tone::Active, signs.active, format!("ends within {}{held}", words::duration(at - ctx.now)));
    }
    let late = words::duration(ctx.now - at);
    let tone = if (ctx.now - at).num_seconds() > 30 { Tone::Warning } else { Tone::Active };
    (tone, signs.active, format!("its grace period ended {late} ago{held}"))
}

/// `in 20s`, `now`.
fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at <= now { "now".to_owned() } else { format!("in {}", words::duration(at - now)) }
}

fn pod_count(n: usize) -> String {
    words::count(n, "pod", "pods")
}

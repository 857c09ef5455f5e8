//! Commands that answer and end: `status`, `updates`, `preflight`, on a cluster or on a recording; `logs` on a cluster.
//!
//! Single-threaded: a few lists, one judgement, one answer. Errors go to stderr in words, with the next thing to try.

mod screen;
mod watch;

use std::sync::Arc;

use color_eyre::eyre::{Result, eyre};
use tokio::runtime::{Builder, Runtime};

pub use screen::look;
use screen::{abandoned, shown};
pub(super) use screen::{complain, print};

use super::logs;
use super::start::options;
use crate::cli::{Answer, Connect, LogsArgs, PreflightArgs, Source, StatusArgs, UpdatesArgs};
use crate::cluster;
use crate::cluster::once::Once;
use crate::report::status::{Exit, Problem, Status};
use crate::report::{self, Format, Look};
use crate::snapshot::{Broken, Recording, Unopened};
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::link::Trouble;
use crate::upgrade::memory::Memory;
use crate::upgrade::needs::{Needs, PodsOf, Purpose, needs};
use crate::upgrade::{preflight, updates};

/// Exit code when nothing can be told.
const COULD_NOT_TELL: u8 = 1;

/// The command line is wrong.
pub(super) const WRONG_LINE: u8 = 2;

/// What was found out.
struct Found {
    assessment: Arc<Assessment>,
    /// Files that could not be read.
    problems: Vec<Problem>,
}

/// `oc-cockpit status`; the exit code.
pub fn status(args: StatusArgs, look: Look) -> Result<u8> {
    let purpose = args.purpose();
    let StatusArgs { output, details, exit_code, watch, source, connect } = args;
    if watch {
        let asked = watch::Asked { output, details, purpose, exit_code, look };
        return runtime()?.block_on(watch::watch(options(connect), asked));
    }
    let mut found = match find(&source, connect, purpose)? {
        Ok(found) => found,
        Err(code) => return Ok(code),
    };
    let status = Status::of(&found.assessment, details, std::mem::take(&mut found.problems));
    print(&report::render(&status, output, &look).map_err(|words| eyre!(words))?)?;
    found.leave();
    Ok(match status.exit() {
        Exit::Unknown => COULD_NOT_TELL,
        exit if exit_code => exit.code(),
        _ => 0,
    })
}

/// `oc-cockpit updates`; the exit code.
pub fn updates(args: UpdatesArgs, look: Look) -> Result<u8> {
    let UpdatesArgs { version, all, accept, answer: Answer { output, source, connect } } = args;
    let found = match find(&source, connect, Purpose::Updates)? {
        Ok(found) => found,
        Err(code) => return Ok(code),
    };
    if found.assessment.facts.cluster_version.is_none() {
        complain(&found.assessment.verdict.why, "");
        return Ok(COULD_NOT_TELL);
    }
    let answer = updates::updates(&found.assessment);
    let wanted = report::updates::Options { version, all, accept, look, problems: found.unread() };
    let text = match output {
        Format::Text => report::updates::text(&answer, &wanted),
        form => report::written(&report::updates::json(&answer, &wanted), form).map_err(|words| eyre!(words))?,
    };
    print(&text)?;
    say(&wanted.problems);
    found.leave();
    Ok(report::updates::exit_code(&answer, &wanted))
}

/// `oc-cockpit preflight`; the exit code.
pub fn preflight(args: PreflightArgs, look: Look) -> Result<u8> {
    let PreflightArgs { to, answer: Answer { output, source, connect } } = args;
    let found = match find(&source, connect, Purpose::Preflight)? {
        Ok(found) => found,
        Err(code) => return Ok(code),
    };
    if found.assessment.facts.cluster_version.is_none() {
        complain(&found.assessment.verdict.why, "");
        return Ok(COULD_NOT_TELL);
    }
    let answer = preflight::preflight(&found.assessment, to.as_deref());
    let wanted = report::preflight::Options { look, problems: found.unread() };
    let text = match output {
        Format::Text => report::preflight::text(&answer, &wanted),
        form => report::written(&report::preflight::json(&answer, &wanted), form).map_err(|words| eyre!(words))?,
    };
    print(&text)?;
    say(&wanted.problems);
    found.leave();
    Ok(report::preflight::exit_code(&answer))
}

/// `oc-cockpit logs`; the exit code.
pub fn logs(args: LogsArgs) -> Result<u8> {
    runtime()?.block_on(print_logs(args))
}

async fn print_logs(mut args: LogsArgs) -> Result<u8> {
    let once = match Once::open(options(std::mem::take(&mut args.connect))).await {
        Ok(once) => once,
        Err(trouble) => {
            complain(&trouble.words, &trouble.hint);
            return Ok(COULD_NOT_TELL);
        }
    };
    let assessment = match look_through(&once, Purpose::Watch).await {
        Ok(assessment) => assessment,
        Err(trouble) => {
            complain(&trouble.words, &trouble.hint);
            return Ok(COULD_NOT_TELL);
        }
    };
    let (mut out, requests) = (Out::default(), once.requests());
    let told = tokio::select! {
        told = logs::tell(&requests, &assessment, &args, |piece| out.put(&piece)) => told,
        // Whoever read it has gone: that is no failure.
        () = abandoned() => return Ok(0),
    };
    out.broken.map_or(Ok(()), Err)?;
    match told {
        Ok(()) => Ok(0),
        Err(words) => {
            complain(&words, "");
            Ok(COULD_NOT_TELL)
        }
    }
}

/// Where the pieces of logs go: lines to stdout, what is said about them to stderr.
#[derive(Default)]
struct Out {
    broken: Option<std::io::Error>,
}

impl Out {
    /// Does anybody listen still?
    fn put(&mut self, piece: &logs::Piece) -> bool {
        let written = match piece {
            logs::Piece::Line(line) => print(&format!("{}\n", shown(line))),
            logs::Piece::Aside(words) => {
                complain(words, "");
                Ok(true)
            }
        };
        written.unwrap_or_else(|error| {
            self.broken = Some(error);
            false
        })
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Found {
    /// Leaves it to the end of the program: to free thousands of objects one by one takes as long as to judge them.
    fn leave(self) {
        std::mem::forget(self);
    }

    /// What could not be read: kinds, objects, files.
    fn unread(&self) -> Vec<Problem> {
        report::parts::unread(&self.assessment).chain(self.problems.iter().cloned()).collect()
    }
}

/// Says on stderr what could not be read: the text has no place for it.
fn say(problems: &[Problem]) {
    for problem in problems {
        complain(&format!("{}: {}", problem.what, problem.words), problem.hint.as_deref().unwrap_or_default());
    }
}

/// Looks where it is asked to. Where there is nothing to tell stderr says why, and this gives back the exit code.
fn find(source: &Source, connect: Connect, purpose: Purpose) -> Result<std::result::Result<Found, u8>> {
    if source.from.is_empty() {
        let found = runtime()?.block_on(look_at_cluster(options(connect), purpose))?;
        return Ok(found.ok_or(COULD_NOT_TELL));
    }
    Ok(Recording::open(&source.from, source.now).map(|recording| of_recording(&recording)).map_err(|why| {
        complain(&why.to_string(), "");
        match why {
            Unopened::Empty(_) => COULD_NOT_TELL,
            Unopened::TooEarly(_) => WRONG_LINE,
        }
    }))
}

fn of_recording(recording: &Recording) -> Found {
    let broken =
        |broken: &Broken| Problem { what: broken.path.display().to_string(), words: broken.why.clone(), hint: None };
    let assessment = assess(Arc::clone(&recording.facts), &Memory::default(), recording.now);
    Found { assessment: Arc::new(assessment), problems: recording.broken.iter().map(broken).collect() }
}

/// What time it is, by the server's clock when this machine's differs from it.
fn now(facts: &Facts) -> chrono::DateTime<chrono::Utc> {
    crate::clock::now() + facts.link.clock_ahead
}

async fn look_at_cluster(options: cluster::Options, purpose: Purpose) -> Result<Option<Found>> {
    let once = match Once::open(options).await {
        Ok(once) => once,
        Err(trouble) => return Ok(unreachable(&trouble)),
    };
    match look_through(&once, purpose).await {
        Ok(assessment) => Ok(Some(Found { assessment: Arc::new(assessment), problems: Vec::new() })),
        Err(trouble) => Ok(unreachable(&trouble)),
    }
}

async fn look_through(once: &Once, purpose: Purpose) -> Result<Assessment, Trouble> {
    let mut facts = once.core().await;
    if let Some(trouble) = silent(&facts) {
        return Err(trouble.clone());
    }
    let judge = |facts: &Facts| assess(Arc::new(facts.clone()), &Memory::default(), now(facts));
    let mut assessment = judge(&facts);
    let mut asked = Needs::default();
    // What the first round shows (a node that drains) can ask for more (its pods).
    for _ in 0..2 {
        let more = beyond(&needs(&assessment, purpose), &asked);
        if more == Needs::default() {
            break;
        }
        once.around(&mut facts, &more).await;
        assessment = judge(&facts);
        asked = together(asked, more);
    }
    Ok(assessment)
}

fn unreachable(trouble: &Trouble) -> Option<Found> {
    complain(&trouble.words, &trouble.hint);
    None
}

/// What is wrong, when no core kind could be read for it.
fn silent(facts: &Facts) -> Option<&Trouble> {
    let heard = |kind: &Kind| matches!(facts.status(*kind), KindStatus::Live | KindStatus::Absent);
    if Kind::CORE.iter().any(heard) {
        return None;
    }
    let of_kind = |kind: &Kind| match facts.status(*kind) {
        KindStatus::Failing(trouble) | KindStatus::Forbidden(trouble) => Some(trouble),
        _ => None,
    };
    facts.link.trouble.as_ref().or_else(|| Kind::CORE.iter().find_map(of_kind))
}

/// What of `needed` was not asked for.
fn beyond(needed: &Needs, asked: &Needs) -> Needs {
    let pods = match (&needed.pods, &asked.pods) {
        (_, PodsOf::All) => PodsOf::default(),
        (PodsOf::Nodes(needed), PodsOf::Nodes(asked)) => PodsOf::Nodes(needed - asked),
        (PodsOf::All, PodsOf::Nodes(_)) => PodsOf::All,
    };
    // Events are read with the core.
    Needs { kinds: &needed.kinds - &asked.kinds, pods, ..Needs::default() }
}

fn together(a: Needs, b: Needs) -> Needs {
    let pods = match (a.pods, b.pods) {
        (PodsOf::Nodes(a), PodsOf::Nodes(b)) => PodsOf::Nodes(&a | &b),
        _ => PodsOf::All,
    };
    Needs { kinds: &a.kinds | &b.kinds, pods, ..Needs::default() }
}

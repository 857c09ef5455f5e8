//! `status --watch`: an answer whenever it changed, from the same watches that the cockpit lives on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use color_eyre::eyre::{Result, eyre};
use tokio::sync::watch;

use super::screen::{abandoned, complain, print};
use crate::api::{self, Conditions as _};
use crate::clock;
use crate::cluster::{self, Cluster, Connection};
use crate::report::status::{Details, Exit, Status};
use crate::report::{self, Format, Look};
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::{Assessment, Topology};
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::link::LinkState;
use crate::upgrade::memory::Memory;
use crate::upgrade::needs::{Needs, Purpose, needs};

/// Changes come in swarms: the answer is made when one has passed.
const SETTLES: Duration = Duration::from_millis(500);

/// What bears on an answer is waited for so long: then it is told without.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// Some findings come with time alone: quiet facts are judged again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Form of each answer.
    pub output: Format,
    /// What the text tells at length.
    pub details: Details,
    /// What is read for it.
    pub purpose: Purpose,
    /// End when nothing goes on by itself any more, and say by the code how it stands then.
    pub exit_code: bool,
    /// How the text looks.
    pub look: Look,
}

/// Answers until nothing goes on by itself any more (with `exit_code`) or nobody listens; the exit code.
pub async fn watch(options: cluster::Options, asked: Asked) -> Result<u8> {
    let cluster = Cluster::start(options);
    tokio::select! {
        code = answers(&cluster, &asked) => code,
        () = abandoned() => Ok(0),
    }
}

async fn answers(cluster: &Cluster, asked: &Asked) -> Result<u8> {
    let mut facts = cluster.facts();
    let mut connection = cluster.connection();
    connection.mark_changed();
    let mut said = None;
    let mut memory = Memory::default();
    let mut last: Option<Status> = None;
    let mut reading: Option<DateTime<Utc>> = None;
    loop {
        tokio::select! {
            changed = facts.changed() => changed?,
            changed = connection.changed() => {
                changed?;
                tell_trouble(&mut connection, &mut said);
                continue;
            }
            () = tokio::time::sleep(AGAIN) => {}
        }
        tokio::time::sleep(SETTLES).await;
        let newest = Arc::clone(&facts.borrow_and_update());
        tell_link(&newest, &mut said);
        if !newest.complete() {
            continue;
        }
        let now = clock::now() + newest.link.clock_ahead;
        let assessment = Arc::new(assess(newest, &memory, now));
        memory.observe(&assessment);
        let needed = needs(&assessment, asked.purpose);
        // An answer without what bears on it may be the contrary of the one that follows: a single node rests, as far as
        // its ClusterVersion tells, while it is upgraded by an image.
        let missing = unread(&assessment.facts, &needed);
        cluster.need(needed);
        let since = *reading.get_or_insert(now);
        if missing && now - since < PATIENCE {
            continue;
        }
        if !missing {
            reading = None;
        }
        let status = Status::of(&assessment, asked.details, Vec::new());
        let news = !last.as_ref().is_some_and(|last| last.same_as(&status));
        if news && !print(&text(&status, asked, now, last.is_none())?)? {
            return Ok(0);
        }
        // What keeps it from its end may pass without another word of the answer.
        if let Some(exit) = ends(&assessment, status.exit()).filter(|_| asked.exit_code) {
            return Ok(exit.code());
        }
        if news {
            last = Some(status);
        }
    }
}

/// Is something that bears on the answer still being read?
fn unread(facts: &Facts, needed: &Needs) -> bool {
    needed.kinds.iter().any(|kind| *kind != Kind::Alerts && silent(facts, *kind))
}

/// Was nothing heard of a kind, although it may still come?
fn silent(facts: &Facts, kind: Kind) -> bool {
    match facts.status(kind) {
        KindStatus::NotAsked | KindStatus::Waiting => true,
        KindStatus::Failing(_) => !facts.known(kind),
        KindStatus::Live | KindStatus::Absent | KindStatus::Forbidden(_) => false,
    }
}

/// After a boot the lifecycle agent takes a while to bring its record back: until then the server has none, or that of the
/// seed, which rests. Whoever did not watch before the reboot cannot tell it from the end.
const RECORD_BACK: TimeDelta = TimeDelta::minutes(5);

fn just_booted(assessment: &Assessment) -> bool {
    let readied = |node: &api::Node| node.status.conditions.condition("Ready").and_then(|ready| ready.since);
    let mut moments = assessment.facts.nodes.iter().filter_map(|node| readied(node));
    assessment.image_based.is_some() && moments.any(|since| assessment.now - since < RECORD_BACK)
}

/// What it ends with, if nothing goes on by itself any more: the update is over, or a stage of an image-based upgrade has
/// ended, so that a person decides which is the next.
fn ends(assessment: &Assessment, exit: Exit) -> Option<Exit> {
    let facts = &assessment.facts;
    let failing = |kind: &Kind| matches!(facts.status(*kind), KindStatus::Failing(_));
    let live = facts.link.state == LinkState::Live && !Kind::CORE.iter().any(failing);
    let single = assessment.topology == Topology::SingleReplica;
    let over = match assessment.image_based.as_deref().filter(|image| image.under_way()) {
        None if single && silent(facts, Kind::ImageBasedUpgrades) => false,
        None => exit == Exit::Fine && !just_booted(assessment),
        Some(image) => image.ended(),
    };
    (live && over).then_some(exit)
}

/// One answer: text with a line that says when before all but the first, a JSON document in a line, a YAML document.
fn text(status: &Status, asked: &Asked, now: DateTime<Utc>, first: bool) -> Result<String> {
    let told = match asked.output {
        Format::Json => report::line(status),
        form => report::render(status, form, &asked.look),
    };
    let told = told.map_err(|words| eyre!(words))?;
    Ok(match asked.output {
        Format::Text if !first => {
            let line = format!("--- {} ", now.format("%Y-%m-%d %H:%M:%SZ"));
            format!("\n{}\n\n{told}", asked.look.heading(&format!("{line:-<width$}", width = asked.look.width.min(80))))
        }
        Format::Yaml if !first => format!("---\n{told}"),
        _ => told,
    })
}

fn tell_trouble(connection: &mut watch::Receiver<Arc<Connection>>, said: &mut Option<String>) {
    let newest = Arc::clone(&connection.borrow_and_update());
    tell(newest.error.clone(), "", said);
}

fn tell_link(facts: &Facts, said: &mut Option<String>) {
    let trouble = facts.link.trouble.as_ref();
    tell(trouble.map(|trouble| trouble.words.clone()), trouble.map_or("", |trouble| &trouble.hint), said);
}

/// Each trouble once.
fn tell(words: Option<String>, hint: &str, said: &mut Option<String>) {
    if words != *said {
        if let Some(words) = &words {
            complain(words, hint);
        }
        *said = words;
    }
}

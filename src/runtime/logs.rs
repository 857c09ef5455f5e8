//! The logs that explain something, without a screen: which there are, and what they say, once or as it comes.

use super::follow::streams;
use crate::cli::LogsArgs;
use crate::cluster::Requests;
use crate::cluster::tail::Logged;
use crate::ui::LogStream;
use crate::upgrade::assessment::{Assessment, Subject};
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::log_source::{Explaining, LogSource, sources};
use crate::upgrade::words::count;

/// What is told, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line of a log, as it was said; or the line that names the log which follows, where there are several.
    Line(String),
    /// Something about the log, for a person.
    Aside(String),
}

/// A log that can be read.
struct Readable<'a> {
    of: &'a Explaining,
    stream: LogStream,
}

/// Tells the logs that are asked for to `out`, which answers whether anybody listens still.
///
/// # Errors
/// What is to be explained is not there, or nothing of it could be read; in words.
pub async fn tell(
    requests: &Requests,
    assessment: &Assessment,
    asked: &LogsArgs,
    mut out: impl FnMut(Piece) -> bool,
) -> Result<(), String> {
    exists(assessment, &asked.what)?;
    let explaining = sources(assessment, &asked.what);
    let logs = readable(requests, &explaining, asked, &mut out).await?;
    if asked.list {
        let mut names = logs.iter().map(|log| format!("{}: {}", log.of.title, log.stream.words()));
        let all_told = names.all(|name| out(Piece::Line(name)));
        if all_told {
            notes(&logs, &mut out);
        }
        return Ok(());
    }
    let (mut read, mut failed) = (0, None);
    for (at, log) in logs.iter().enumerate() {
        let name = format!("{}: {}", log.of.title, log.stream.words());
        let told = if asked.all {
            out(Piece::Line(format!("{}==> {name} <==", if at > 0 { "\n" } else { "" })))
        } else {
            out(Piece::Aside(name))
        };
        if !told {
            return Ok(());
        }
        match one(requests, &log.stream, asked, &mut out).await {
            Ok(true) => read += 1,
            Ok(false) => return Ok(()),
            Err(words) => {
                if asked.all && !out(Piece::Aside(words.clone())) {
                    return Ok(());
                }
                failed = Some(words);
            }
        }
        if !asked.all {
            break;
        }
    }
    if let Some(words) = failed.filter(|_| read == 0) {
        return Err(words);
    }
    if !asked.all && logs.len() > 1 {
        let more = count(logs.len() - 1, "other log");
        out(Piece::Aside(format!(
            "{more} explain it too: --list names them, --all prints them, --pod and --container choose"
        )));
    }
    notes(&logs[..if asked.all { logs.len() } else { 1 }], &mut out);
    Ok(())
}

/// What is in none of these logs, each thing once.
fn notes(logs: &[Readable<'_>], out: &mut impl FnMut(Piece) -> bool) {
    let mut told: Vec<&str> = Vec::new();
    for note in logs.iter().map(|log| log.of.note.as_str()).filter(|note| !note.is_empty()) {
        if !told.contains(&note) {
            told.push(note);
            out(Piece::Aside(note.to_owned()));
        }
    }
}

/// Is there what the logs shall explain?
fn exists(assessment: &Assessment, what: &Subject) -> Result<(), String> {
    let there = |kind: Kind, words: String, found: bool| match assessment.facts.status(kind) {
        _ if found => Ok(()),
        KindStatus::Forbidden(trouble) | KindStatus::Failing(trouble) => {
            Err(format!("whether there is {words} is not known: {}", trouble.words))
        }
        _ => Err(format!("there is no {words}")),
    };
    match what {
        Subject::Operator(name) => {
            there(Kind::ClusterOperators, format!("cluster operator {name}"), assessment.operator(name).is_some())
        }
        Subject::Pool(name) => there(Kind::MachineConfigPools, format!("pool {name}"), assessment.pool(name).is_some()),
        Subject::Node(name) => there(Kind::Nodes, format!("node {name}"), assessment.node(name).is_some()),
        Subject::Object(_) => {
            let found = assessment.image_based.is_some();
            there(Kind::ImageBasedUpgrades, "image-based upgrade in this cluster".to_owned(), found)
        }
        Subject::Version | Subject::Link => Ok(()),
    }
}

/// The logs that can be read, in their order, those that are chosen only.
async fn readable<'a>(
    requests: &Requests,
    explaining: &'a [Explaining],
    asked: &LogsArgs,
    out: &mut impl FnMut(Piece) -> bool,
) -> Result<Vec<Readable<'a>>, String> {
    let (mut found, mut troubles, mut empty) = (Vec::new(), Vec::new(), Vec::new());
    for of in explaining {
        match requests.pods_of(&of.query).await {
            Ok(pods) => {
                let here = streams(pods, of.container.as_deref());
                if here.is_empty() {
                    empty.push(of.title.as_str());
                }
                found.extend(here.into_iter().map(|stream| Readable { of, stream }));
            }
            Err(trouble) => troubles.push(format!("{}: {}", of.title, trouble.words)),
        }
    }
    let chosen = |log: &Readable<'_>| {
        asked.pod.as_ref().is_none_or(|pod| log.stream.pod == *pod)
            && asked.container.as_ref().is_none_or(|container| log.stream.container == *container)
    };
    let any = !found.is_empty();
    found.retain(chosen);
    if found.is_empty() {
        return Err(match troubles.first() {
            Some(words) => words.clone(),
            None if any => {
                "none of the logs that explain it is of that pod and container: --list names them".to_owned()
            }
            None => format!("no pod is there now to say anything: {}", empty.join(", ")),
        });
    }
    // What else could not be read is told, and the rest goes on.
    for words in troubles {
        out(Piece::Aside(words));
    }
    Ok(found)
}

/// One log to its end. False: nobody listens any more.
async fn one(
    requests: &Requests,
    stream: &LogStream,
    asked: &LogsArgs,
    out: &mut impl FnMut(Piece) -> bool,
) -> Result<bool, String> {
    let mut tail = requests.tail(LogSource {
        namespace: stream.namespace.clone(),
        pod: stream.pod.clone(),
        container: Some(stream.container.clone()).filter(|name| !name.is_empty()),
        previous: asked.previous,
        follow: asked.follow,
        tail_lines: asked.tail,
        timestamps: asked.timestamps,
    });
    while let Some(logged) = tail.next().await {
        let listens = match logged {
            Logged::Line(line) => out(Piece::Line(line)),
            Logged::Gap(words) => out(Piece::Aside(words)),
            Logged::Ended(words) => return Ok(words.is_empty() || out(Piece::Aside(words))),
            Logged::Failed(words) => return Err(words),
        };
        if !listens {
            return Ok(false);
        }
    }
    Ok(true)
}

//! `oc-cockpit preflight`: is the cluster ready, for people and for programs.

use serde::Serialize;

use super::Report;
use super::parts::{Evidence, Head, Problem, Remedy, Resource, each};
use super::text::{Ink, Look, paragraph};
use crate::upgrade::neutral::neutral;
use crate::upgrade::preflight::{self as domain, Answer, Preflight};
use crate::upgrade::words;

/// Exit code: nothing blocks, and all that the cluster could tell was judged.
pub const READY: u8 = 0;
/// Exit code: nothing blocks, but something could not be judged. What only a person can answer does not count.
pub const UNKNOWN: u8 = 1;
/// Exit code: something blocks.
pub const BLOCKED: u8 = 4;

/// How the answer is wanted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Width and colour of the text.
    pub look: Look,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// `kind` is `Preflight`.
    #[serde(flatten)]
    pub head: Head,
    /// The version that it was made for; null: no particular one.
    pub target: Option<String>,
    /// The target is of another minor.
    pub minor: bool,
    /// The worst answer: `pass`, `unknown`, `warn`, `block`; null: nothing is known.
    pub answer: Option<&'static str>,
    /// How many rows have which answer.
    pub counts: Counts,
    /// The rows, in the order in which a person would go through them.
    pub rows: Vec<Row>,
    /// What could not be read: the answer is incomplete in that respect.
    pub problems: Vec<Problem>,
}

/// How many rows have which answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Ready.
    pub pass: usize,
    /// Possible, with care.
    pub warn: usize,
    /// Not before this is put right.
    pub block: usize,
    /// Could not tell.
    pub unknown: usize,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Stable id.
    pub id: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// `pass`, `warn`, `block` or `unknown`.
    pub answer: &'static str,
    /// Only a person can answer it.
    pub asked: bool,
    /// Why.
    pub why: String,
    /// What it is about.
    pub resources: Vec<Resource>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub remedies: Vec<Remedy>,
}

/// The word of an answer, in JSON and in text.
pub fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Pass => "pass",
        Answer::Unknown => "unknown",
        Answer::Warn => "warn",
        Answer::Block => "block",
    }
}

/// For programs.
pub fn json(preflight: &Preflight, options: &Options) -> Document {
    let count = |answer| preflight.with(answer).count();
    Document {
        head: Head::new("Preflight", preflight.now.filter(|_| preflight.known), &preflight.current),
        target: preflight.target.clone(),
        minor: preflight.minor,
        answer: preflight.worst().map(word),
        counts: Counts {
            pass: count(Answer::Pass),
            warn: count(Answer::Warn),
            block: count(Answer::Block),
            unknown: count(Answer::Unknown),
        },
        rows: preflight.rows.iter().map(row).collect(),
        problems: options.problems.clone(),
    }
}

fn row(row: &domain::Row) -> Row {
    Row {
        id: row.id,
        title: row.title,
        answer: word(row.answer),
        asked: row.asked,
        why: row.why.clone(),
        resources: each(&row.resources),
        evidence: each(&row.evidence),
        remedies: each(&row.remedies),
    }
}

/// For people.
pub fn text(preflight: &Preflight, options: &Options) -> String {
    json(preflight, options).text(&options.look)
}

/// How the command exits: [`BLOCKED`] when something blocks, else [`UNKNOWN`] when something could not be judged that the
/// cluster could tell, else [`READY`].
pub fn exit_code(preflight: &Preflight) -> u8 {
    if preflight.with(Answer::Block).next().is_some() {
        BLOCKED
    } else if !preflight.known || preflight.unjudged().next().is_some() {
        UNKNOWN
    } else {
        READY
    }
}

impl Report for Document {
    fn text(&self, look: &Look) -> String {
        let Some(current) = &self.head.current else {
            return "No ClusterVersion was read: nothing is known of the cluster.\n".to_owned();
        };
        let to = self.target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
        let kind = match (&self.target, self.minor) {
            (None, _) => "",
            (Some(_), true) => ", another minor",
            (Some(_), false) => ", a patch",
        };
        let mut out = format!("{}\n", look.heading(&format!("Preflight {current}{to}{kind}")));
        for row in &self.rows {
            out += &row_text(row, look);
        }
        out + "\n" + &paragraph(look, "", &self.summary())
    }
}

impl Document {
    fn summary(&self) -> String {
        let Counts { pass, warn, block, unknown } = self.counts;
        let asked = self.rows.iter().filter(|row| row.answer == "unknown" && row.asked).count();
        let first = match (block, unknown - asked, warn) {
            (0, 0, 0) => "Ready.",
            (0, 0, _) => "Ready, with care.",
            (0, ..) => "Nothing blocks, but not all could be judged.",
            _ => "Not ready.",
        };
        let person = if asked > 0 {
            format!(" ({} for a person to answer)", words::count(asked, "question"))
        } else {
            String::new()
        };
        format!("{first} {block} block, {warn} warn, {unknown} unknown{person}, {pass} pass.")
    }
}

fn ink(answer: &str) -> Ink {
    match answer {
        "pass" => Ink::Good,
        "block" => Ink::Bad,
        _ => Ink::Warn,
    }
}

/// The answer beside the question; what is not fine with its why and what to do below.
fn row_text(row: &Row, look: &Look) -> String {
    let word = format!("{:<8}", row.answer);
    let indent = " ".repeat(9);
    let title = paragraph(look, &indent, row.title);
    let mut out = format!("\n{} {}", look.ink(ink(row.answer), &word), title.trim_start());
    if row.answer == "pass" {
        let line = paragraph(look, &indent, &format!("{}: {}", row.title, row.why));
        return format!("{} {}", look.ink(ink(row.answer), &word), line.trim_start());
    }
    out += &paragraph(look, &indent, &row.why);
    for remedy in &row.remedies {
        let danger = remedy.danger.map(|danger| format!(" [{danger:?}]")).unwrap_or_default();
        out += &paragraph(look, &format!("{indent}- "), &format!("{}{danger}", remedy.words));
        if let Some(oc) = &remedy.oc {
            out += &format!("{indent}  $ {}\n", neutral(oc)); // never broken, so that it can be copied
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::assessment;
    use crate::upgrade::danger::Danger;

    fn row(id: &'static str, title: &'static str, answer: Answer, why: &str) -> domain::Row {
        domain::Row {
            id,
            title,
            answer,
            why: why.to_owned(),
            resources: Vec::new(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            asked: false,
        }
    }

    fn list(rows: Vec<domain::Row>) -> Preflight {
        Preflight {
            known: true,
            current: "4.18.22".to_owned(),
            target: Some("4.19.3".to_owned()),
            minor: true,
            now: chrono::DateTime::from_timestamp(1_772_366_400, 0),
            rows,
        }
    }

    fn sample() -> Preflight {
        let gate = assessment::Remedy::change(Danger::M, "Acknowledge it when what it says has been settled.")
            .oc("oc -n openshift-config patch configmap admin-acks --type=merge --patch '{\"data\":{\"ack-4.18-x\":\"true\"}}'");
        let evidence = assessment::Evidence {
            object: "configmap/admin-acks".to_owned(),
            field: "data[ack-4.18-x]".to_owned(),
            value: "not \"true\"".to_owned(),
            at: None,
        };
        list(vec![
            row("target", "The target is on offer and recommended", Answer::Pass, "4.19.3 is recommended"),
            domain::Row {
                asked: true,
                ..row("etcd-backup", "There is a recent backup of etcd", Answer::Unknown, "when was the last one made?")
            },
            row("pools-unpaused", "No pool is paused", Answer::Warn, "pool infra is paused\npool worker is paused"),
            domain::Row {
                resources: vec![assessment::Resource::namespaced("configmaps", "openshift-config", "admin-acks")],
                evidence: vec![evidence],
                remedies: vec![gate],
                ..row("admin-gates", "All admin gates are acknowledged", Answer::Block, "ack-4.18-x: read this")
            },
        ])
    }

    #[test]
    fn the_list_as_text() {
        insta::assert_snapshot!(text(&sample(), &Options::default()));
    }

    #[test]
    fn the_list_as_json() -> Result<(), serde_json::Error> {
        insta::assert_snapshot!(serde_json::to_string_pretty(&json(&sample(), &Options::default()))?);
        Ok(())
    }

    #[test]
    fn it_exits_by_the_worst_that_is_not_for_a_person() {
        let of = |answers: &[(Answer, bool)]| {
            let rows =
                answers.iter().map(|(answer, asked)| domain::Row { asked: *asked, ..row("x", "X", *answer, "y") });
            exit_code(&list(rows.collect()))
        };
        assert_eq!(of(&[(Answer::Pass, false), (Answer::Warn, false)]), READY);
        assert_eq!(of(&[(Answer::Pass, false), (Answer::Unknown, true)]), READY, "a person is asked");
        assert_eq!(of(&[(Answer::Warn, false), (Answer::Unknown, false)]), UNKNOWN);
        assert_eq!(of(&[(Answer::Unknown, false), (Answer::Block, false)]), BLOCKED);
        assert_eq!(exit_code(&Preflight::default()), UNKNOWN);
    }
}

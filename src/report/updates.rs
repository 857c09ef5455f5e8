//! `oc-cockpit updates`: where the cluster could go, for people and for programs.
//!
//! Versions, reasons and names of issues are those of `oc adm upgrade recommend`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Report;
use super::parts::{Head, Moment, Problem, said};
use super::text::{Cell, Ink, Look, paragraph, table};
use crate::upgrade::neutral::neutral;
use crate::upgrade::updates::{self as domain, CONDITIONAL_UPDATE_RISK, Updates, acknowledge, minor_of, newest_two};
use crate::upgrade::words;

/// What is wrong with no version, in the words of `oc`.
const NO_ISSUES: &str = "no known issues relevant to this cluster";

/// Exit code: all is fine, or no version was asked about.
pub const FINE: u8 = 0;
/// Exit code: nothing is known of the version, because it is not on offer or no ClusterVersion could be read.
pub const UNKNOWN: u8 = 1;
/// Exit code: issues apply that were not accepted.
pub const NEEDS_PERSON: u8 = 4;

/// What of the answer is wanted, and how it is to look.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One version in detail.
    pub version: Option<String>,
    /// All versions, not only the newest two of each minor.
    pub all: bool,
    /// Names of issues that the person knows and accepts.
    pub accept: Vec<String>,
    /// Width and colour of the text.
    pub look: Look,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// `kind` is `Updates`.
    #[serde(flatten)]
    pub head: Head,
    /// Channel; null: none is set.
    pub channel: Option<String>,
    /// Channels that hold the present version.
    pub channels: Vec<String>,
    /// Update service; null: Red Hat's.
    pub upstream: Option<String>,
    /// What speaks against any update now.
    pub issues: Vec<Issue>,
    /// What holds updates to another minor up.
    pub upgradeable: Upgradeable,
    /// Risks that were accepted in the cluster (`spec.desiredUpdate.acceptRisks`).
    pub accepted_risks: Vec<String>,
    /// Versions: newest minor first, in it newest first.
    pub updates: Vec<Choice>,
    /// How many older versions of each minor are left out.
    pub older: BTreeMap<String, usize>,
    /// The version that was asked about; null: none.
    pub asked: Option<Asked>,
    /// What could not be read: the answer is incomplete in that respect.
    pub problems: Vec<Problem>,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// Name, as `--accept` takes it.
    pub name: String,
    /// Reason; null: none.
    pub reason: Option<String>,
    /// What it says; null: nothing.
    pub message: Option<String>,
    /// Since when; null: not told.
    pub since: Option<Moment>,
    /// Where to read more; null: nowhere.
    pub url: Option<String>,
    /// It was named by `--accept`.
    pub accepted: bool,
}

/// What holds updates to another minor up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgradeable {
    /// The ClusterVersion says nothing against another minor; null: unknown.
    pub allowed: Option<bool>,
    /// Its reason; null: none.
    pub reason: Option<String>,
    /// Its message; null: none.
    pub message: Option<String>,
    /// Operators that speak against it.
    pub operators: Vec<Operator>,
    /// Gates of this minor; null: they could not be read.
    pub gates: Option<Vec<Gate>>,
}

/// An operator that says `Upgradeable=False`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// Name.
    pub name: String,
    /// Reason; null: none.
    pub reason: Option<String>,
    /// Message; null: none.
    pub message: Option<String>,
    /// Since when; null: not told.
    pub since: Option<Moment>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// Key in both ConfigMaps.
    pub key: String,
    /// What it says.
    pub message: String,
    /// Acknowledged; null: that could not be read.
    pub acknowledged: Option<bool>,
    /// The `oc` line that acknowledges it.
    pub oc: String,
}

/// A version on offer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// Version.
    pub version: String,
    /// Pull spec by digest.
    pub image: Option<String>,
    /// Another minor or major than the present one.
    pub minor: bool,
    /// Recommended for this cluster; null: that could not be found out.
    pub recommended: Option<bool>,
    /// Why not; null: nothing is known against it.
    pub reason: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Release notes.
    pub url: Option<String>,
    /// Channels that hold it.
    pub channels: Vec<String>,
    /// Its risks.
    pub risks: Vec<Risk>,
}

/// A risk of a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// Name.
    pub name: String,
    /// Is this cluster exposed to it? Null: that could not be found out.
    pub applies: Option<bool>,
    /// Accepted in the cluster.
    pub accepted: bool,
    /// What may happen.
    pub message: String,
    /// Where to read more.
    pub url: Option<String>,
}

/// The version that was asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Version.
    pub version: String,
    /// It is on offer.
    pub on_offer: bool,
    /// Names of issues that apply and were not accepted, sorted.
    pub unaccepted: Vec<String>,
}

/// For programs.
pub fn json(updates: &Updates, options: &Options) -> Document {
    let choices: Vec<&domain::Choice> = match &options.version {
        Some(version) => updates.choice(version).into_iter().collect(),
        None if options.all => updates.choices.iter().collect(),
        None => newest_two(updates).into_iter().flat_map(|minor| minor.choices).collect(),
    };
    let minors = if options.all || options.version.is_some() { Vec::new() } else { newest_two(updates) };
    Document {
        head: Head::new("Updates", updates.now, &updates.current),
        channel: said(&updates.channel),
        channels: updates.channels.clone(),
        upstream: updates.upstream.clone(),
        issues: updates.issues.iter().map(|issue| issue_of(issue, options)).collect(),
        upgradeable: upgradeable(updates),
        accepted_risks: updates.accepted_risks.clone(),
        updates: choices.into_iter().map(choice_of).collect(),
        older: minors.into_iter().filter(|minor| minor.older > 0).map(|minor| (minor.name, minor.older)).collect(),
        asked: options.version.as_ref().map(|version| Asked {
            version: version.clone(),
            on_offer: updates.choice(version).is_some(),
            unaccepted: unaccepted(updates, version, &options.accept),
        }),
        problems: options.problems.clone(),
    }
}

/// For people.
pub fn text(updates: &Updates, options: &Options) -> String {
    json(updates, options).text(&options.look)
}

/// How the command exits: as `oc adm upgrade recommend` does, only about a version. [`NEEDS_PERSON`] when issues apply that
/// were not accepted, [`UNKNOWN`] when nothing is known of it, else [`FINE`].
pub fn exit_code(updates: &Updates, options: &Options) -> u8 {
    let Some(version) = options.version.as_ref().filter(|_| updates.known) else {
        return if updates.known { FINE } else { UNKNOWN };
    };
    if updates.choice(version).is_none() {
        UNKNOWN
    } else if unaccepted(updates, version, &options.accept).is_empty() {
        FINE
    } else {
        NEEDS_PERSON
    }
}

fn unaccepted(updates: &Updates, version: &str, accept: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = updates.issue_names(updates.choice(version));
    names.into_iter().filter(|name| !accept.iter().any(|accepted| accepted == name)).map(str::to_owned).collect()
}

fn issue_of(issue: &domain::Issue, options: &Options) -> Issue {
    Issue {
        name: issue.name.clone(),
        reason: said(&issue.reason),
        message: said(&issue.message),
        since: issue.since.map(Moment),
        url: issue.url.clone(),
        accepted: options.accept.contains(&issue.name),
    }
}

fn upgradeable(updates: &Updates) -> Upgradeable {
    let told = updates.not_upgradeable.as_ref();
    Upgradeable {
        allowed: updates.known.then_some(told.is_none()),
        reason: told.and_then(|(reason, _)| said(reason)),
        message: told.and_then(|(_, message)| said(message)),
        operators: updates
            .operators
            .iter()
            .map(|operator| Operator {
                name: operator.operator.clone(),
                reason: said(&operator.reason),
                message: said(&operator.message),
                since: operator.since.map(Moment),
            })
            .collect(),
        gates: updates.gates.as_ref().map(|gates| {
            let gate = |gate: &domain::Gate| Gate {
                key: gate.key.clone(),
                message: gate.message.clone(),
                acknowledged: gate.acknowledged,
                oc: acknowledge(&gate.key),
            };
            gates.iter().map(gate).collect()
        }),
    }
}

fn choice_of(choice: &domain::Choice) -> Choice {
    Choice {
        version: choice.version.clone(),
        image: said(&choice.image),
        minor: choice.minor,
        recommended: (!choice.unknown).then_some(choice.recommended),
        reason: said(&choice.reason),
        message: said(&choice.message),
        url: choice.url.clone(),
        channels: choice.channels.clone(),
        risks: choice
            .risks
            .iter()
            .map(|risk| Risk {
                name: risk.name.clone(),
                applies: risk.applies,
                accepted: risk.accepted,
                message: risk.message.clone(),
                url: said(&risk.url),
            })
            .collect(),
    }
}

impl Report for Document {
    fn text(&self, look: &Look) -> String {
        let mut out = self.head(look);
        out += &self.issues_text(look);
        out += &self.upgradeable_text(look);
        match &self.asked {
            Some(asked) => out += &self.asked_text(asked, look),
            None => out += &self.versions_text(look),
        }
        out
    }
}

impl Document {
    fn head(&self, look: &Look) -> String {
        let Some(current) = &self.head.current else {
            return "No ClusterVersion was read: nothing is known of updates.\n".to_owned();
        };
        let mut out = paragraph(look, "Version: ", current);
        out += &match &self.channel {
            Some(channel) if self.channels.is_empty() => paragraph(look, "Channel: ", channel),
            Some(channel) => {
                paragraph(look, "Channel: ", &format!("{channel} (available channels: {})", self.channels.join(", ")))
            }
            None => paragraph(look, "Channel: ", "none is set, so no updates are recommended"),
        };
        if let Some(upstream) = &self.upstream {
            out += &paragraph(look, "Update service: ", upstream);
        }
        out
    }

    fn ago(&self, since: Option<Moment>) -> String {
        let (Some(now), Some(since)) = (self.head.now, since) else { return String::new() };
        let lasting: DateTime<Utc> = since.0;
        format!(", for {}", words::span(now.0 - lasting))
    }

    fn issues_text(&self, look: &Look) -> String {
        if self.issues.is_empty() {
            return format!(
                "\n{}\n",
                look.ink(Ink::Good, "Nothing of this cluster's state speaks against an update now.")
            );
        }
        let mut out = format!("\n{}\n", look.heading("What speaks against any update now"));
        for issue in &self.issues {
            let reason = issue.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let accepted = if issue.accepted { ", accepted" } else { "" };
            out += &paragraph(look, "  ", &format!("{}{reason}{}{accepted}", issue.name, self.ago(issue.since)));
            for text in [&issue.message, &issue.url].into_iter().flatten() {
                out += &paragraph(look, "      ", text);
            }
        }
        out
    }

    fn upgradeable_text(&self, look: &Look) -> String {
        let open: Vec<&Gate> =
            self.upgradeable.gates.iter().flatten().filter(|gate| gate.acknowledged != Some(true)).collect();
        if self.upgradeable.allowed != Some(false) && self.upgradeable.operators.is_empty() && open.is_empty() {
            return String::new();
        }
        let reason = self.upgradeable.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let mut out = format!("\n{}\n", look.heading(&format!("What holds updates to another minor up{reason}")));
        if let Some(message) = &self.upgradeable.message {
            out += &paragraph(look, "  ", message);
        }
        for operator in &self.upgradeable.operators {
            let reason = operator.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            out += &paragraph(look, "  ", &format!("operator {}{reason}{}", operator.name, self.ago(operator.since)));
            if let Some(message) =
                operator.message.as_ref().filter(|message| Some(*message) != self.upgradeable.message.as_ref())
            {
                out += &paragraph(look, "      ", message);
            }
        }
        for gate in open {
            let word = if gate.acknowledged.is_none() {
                "whether it is acknowledged is not known"
            } else {
                "not acknowledged"
            };
            out += &paragraph(look, "  ", &format!("gate {}: {word}", gate.key));
            out += &paragraph(look, "      ", &gate.message);
            out += &format!("      $ {}\n", neutral(&gate.oc)); // never broken, so that it can be copied
        }
        out
    }

    fn versions_text(&self, look: &Look) -> String {
        if self.updates.is_empty() {
            return if self.head.current.is_some() { "\nNo updates are on offer.\n".to_owned() } else { String::new() };
        }
        let mut out = String::new();
        let mut minors: Vec<(String, Vec<&Choice>)> = Vec::new();
        for choice in &self.updates {
            let name = minor_of(&choice.version).unwrap_or_else(|| "other".to_owned());
            match minors.last_mut().filter(|(last, _)| *last == name) {
                Some((_, choices)) => choices.push(choice),
                None => minors.push((name, vec![choice])),
            }
        }
        for (minor, choices) in minors {
            let rows: Vec<Vec<Cell>> = choices.iter().map(|choice| row(choice)).collect();
            out += &format!(
                "\n{}\n{}",
                look.heading(&format!("Updates to {minor}")),
                table(look, &["VERSION", "ISSUES"], &rows)
            );
            if let Some(older) = self.older.get(&minor) {
                out += &paragraph(
                    look,
                    "",
                    &format!(
                        "And {}: --all lists {}, --version VERSION tells of one.",
                        words::count(*older, &format!("older {minor} update")),
                        if *older == 1 { "it" } else { "them" }
                    ),
                );
            }
        }
        out
    }

    fn asked_text(&self, asked: &Asked, look: &Look) -> String {
        let Some(choice) = self.updates.first() else {
            let why =
                format!("{} is not on offer, so nothing is known of it. It may be in another channel.", asked.version);
            return format!("\n{}", paragraph(look, "", &why));
        };
        let mut out = format!("\n{}\n", look.heading(&format!("Update to {}: {}", choice.version, verdict(choice))));
        // What is known of each risk is told below; why one could not be judged only the message tells.
        if let Some(message) =
            choice.message.as_ref().filter(|_| choice.risks.is_empty() || choice.recommended.is_none())
        {
            out += &paragraph(look, "  ", message);
        }
        for (word, value) in [("Image: ", &choice.image), ("Release notes: ", &choice.url)] {
            out += &value.as_ref().map(|value| paragraph(look, &format!("  {word}"), value)).unwrap_or_default();
        }
        if !choice.channels.is_empty() {
            out += &paragraph(look, "  Channels: ", &choice.channels.join(", "));
        }
        for risk in &choice.risks {
            out += &risk_text(risk, look);
        }
        if asked.unaccepted.is_empty() {
            out += &format!("\n{}\n", look.ink(Ink::Good, "No issue applies that was not accepted."));
        } else {
            let names = asked.unaccepted.join(", ");
            out += &format!("\n{}\n", look.ink(Ink::Warn, "Issues that apply and were not accepted with --accept"));
            out += &paragraph(look, "  ", &names);
        }
        out
    }
}

fn verdict(choice: &Choice) -> String {
    let reason = choice.reason.as_deref().unwrap_or(CONDITIONAL_UPDATE_RISK);
    match choice.recommended {
        Some(true) => NO_ISSUES.to_owned(),
        Some(false) => format!("not recommended ({reason})"),
        None => format!("whether it is recommended is unknown ({reason})"),
    }
}

fn row(choice: &Choice) -> Vec<Cell> {
    let issues = match choice.recommended {
        Some(true) => Cell::ink(Ink::Good, NO_ISSUES),
        _ => Cell::ink(Ink::Warn, choice.reason.as_deref().unwrap_or(CONDITIONAL_UPDATE_RISK)),
    };
    vec![Cell::from(&choice.version), issues]
}

fn risk_text(risk: &Risk, look: &Look) -> String {
    let applies = match risk.applies {
        Some(true) => "applies to this cluster",
        Some(false) => "does not apply to this cluster",
        None => "whether it applies is not known",
    };
    let accepted = if risk.accepted { ", accepted in the cluster" } else { "" };
    let mut out = format!("\n{}", paragraph(look, "  ", &format!("Risk {}: {applies}{accepted}", risk.name)));
    out += &paragraph(look, "      ", &risk.message);
    out + &risk.url.as_ref().map(|url| paragraph(look, "      ", url)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(version: &str, minor: bool, reason: &str, risks: Vec<domain::Risk>) -> domain::Choice {
        domain::Choice {
            version: version.to_owned(),
            image: format!("quay.io/openshift-release-dev/ocp-release@sha256:{version}"),
            recommended: reason.is_empty(),
            unknown: reason == "EvaluationFailed",
            reason: reason.to_owned(),
            message: risks.iter().map(|risk| risk.message.clone()).collect::<Vec<_>>().join("\n\n"),
            risks,
            url: Some(format!("https://access.redhat.com/errata/{version}")),
            channels: vec!["stable-4.19".to_owned()],
            minor,
        }
    }

    fn sample() -> Updates {
        let risk = |name: &str, applies, accepted| domain::Risk {
            name: name.to_owned(),
            applies,
            message: format!("{name} may break what runs on nodes with slow disks, until they are rebooted once more."),
            url: format!("https://issues.example.com/{name}"),
            accepted,
        };
        let at = |minute: i64| DateTime::from_timestamp(1_772_366_400 + minute * 60, 0);
        Updates {
            known: true,
            now: at(0),
            current: "4.18.22".to_owned(),
            channel: "stable-4.19".to_owned(),
            channels: vec!["stable-4.18".to_owned(), "stable-4.19".to_owned()],
            upstream: None,
            choices: vec![
                choice(
                    "4.19.3",
                    true,
                    "MultipleReasons",
                    vec![risk("SlowDisks", Some(true), true), risk("Other", None, false)],
                ),
                choice("4.18.30", false, "", Vec::new()),
                choice("4.18.29", false, "EvaluationFailed", vec![risk("SlowDisks", None, false)]),
                choice("4.18.28", false, "", Vec::new()),
            ],
            issues: vec![domain::Issue {
                name: "KubeNodeNotReady".to_owned(),
                reason: "Alert:firing".to_owned(),
                message: "warning, workload may not find a place while nodes update. Node is not ready.".to_owned(),
                since: at(-90),
                url: Some("https://example.com/KubeNodeNotReady.md".to_owned()),
            }],
            not_upgradeable: Some(("AdminAckRequired".to_owned(), "Kubernetes 1.32 removes APIs.".to_owned())),
            operators: vec![domain::NotUpgradeable {
                operator: "storage".to_owned(),
                reason: "OldDriver".to_owned(),
                message: "the driver has to be removed first".to_owned(),
                since: at(-600),
            }],
            gates: Some(vec![domain::Gate {
                key: "ack-4.18-kube-1.32-api-removals-in-4.19".to_owned(),
                message: "Kubernetes 1.32 removes APIs.".to_owned(),
                acknowledged: Some(false),
                broken: false,
            }]),
            accepted_risks: vec!["SlowDisks".to_owned()],
        }
    }

    fn asking(version: &str, accept: &[&str]) -> Options {
        let accept = accept.iter().map(|name| (*name).to_owned()).collect();
        Options { version: Some(version.to_owned()), accept, ..Options::default() }
    }

    #[test]
    fn the_list_as_text() {
        insta::assert_snapshot!(text(&sample(), &Options::default()));
    }

    #[test]
    fn a_version_as_text() {
        insta::assert_snapshot!(text(&sample(), &asking("4.19.3", &[])));
    }

    #[test]
    fn a_version_as_json() -> Result<(), serde_json::Error> {
        insta::assert_snapshot!(serde_json::to_string_pretty(&json(&sample(), &asking("4.18.29", &[])))?);
        Ok(())
    }

    #[test]
    fn a_version_exits_by_what_was_not_accepted() {
        let code = |version, accept: &[&str]| exit_code(&sample(), &asking(version, accept));
        assert_eq!(code("4.18.30", &[]), NEEDS_PERSON);
        assert_eq!(code("4.18.30", &["KubeNodeNotReady"]), FINE);
        assert_eq!(code("4.19.3", &["KubeNodeNotReady"]), NEEDS_PERSON);
        assert_eq!(code("4.19.3", &["KubeNodeNotReady", "ConditionalUpdateRisk"]), FINE);
        assert_eq!(code("4.20.0", &[]), UNKNOWN);
        assert_eq!(exit_code(&sample(), &Options::default()), FINE, "a list is only an answer");
        assert_eq!(exit_code(&Updates::default(), &Options::default()), UNKNOWN);
    }
}

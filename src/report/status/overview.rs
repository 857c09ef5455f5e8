//! The answer for a person: what stands where, why, and what to do, in one page.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::NodePhase;
use super::finding::Finding;
use super::forecast::Remaining;
use super::node::{Node, NodeAssessment};
use super::pool::{Pool, PoolAssessment};
use super::{Exit, Operator, Problem, Status, image_page};
use crate::report::parts::LINK;
use crate::report::parts::{Moment, Remedy, Resource};
use crate::report::text::{Cell, Ink, Look, command, cut, paragraph, table, wrapped};
use crate::upgrade::assessment::{Level, VerdictKind, age};
use crate::upgrade::neutral::neutral;
use crate::upgrade::words::{count, some_of, span};

/// Rows of nodes in a pool, beside those in trouble, that are shown without [`Details::nodes`]; as `oc` does.
const ROWS: usize = 10;

/// Rows of operators that just update which are shown without [`Details::operators`].
const UPDATING: usize = 5;

/// Characters of a message or title that are shown where the details were not asked for.
const MESSAGE: usize = 150;

/// Kinds that are named where one trouble keeps many of them.
const NAMED: usize = 5;

/// Remedies that are shown for the worst findings.
const NEXT: usize = 3;

/// Which parts of the text are told at length.
#[expect(clippy::struct_excessive_bools, reason = "each part by itself")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Details {
    /// All nodes.
    pub nodes: bool,
    /// Findings with meaning, evidence and remedies.
    pub health: bool,
    /// Operators that update, wait or are in trouble.
    pub operators: bool,
    /// What an image-based upgrade waits for and moves: checks, backups, volumes.
    pub image: bool,
}

impl Details {
    /// The words that `--details` takes: those of `oc`, and one more.
    pub const NAMES: [&'static str; 6] = ["none", "all", "nodes", "health", "operators", "image"];
}

impl FromStr for Details {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let none = Self::default();
        match text {
            "none" => Ok(none),
            "all" => Ok(Self { nodes: true, health: true, operators: true, image: true }),
            "nodes" => Ok(Self { nodes: true, ..none }),
            "health" => Ok(Self { health: true, ..none }),
            "operators" => Ok(Self { operators: true, ..none }),
            "image" => Ok(Self { image: true, ..none }),
            other => Err(format!("`{other}` is none of {}", Self::NAMES.join(", "))),
        }
    }
}

/// The page.
pub fn text(status: &Status, look: &Look, details: Details) -> String {
    let page = Page { status, look, details };
    let sections = [
        page.head(),
        image_page::section(&page),
        image_page::details(&page),
        page.operators(),
        page.pools(),
        page.nodes(),
        page.health(),
        page.next(),
        page.gaps(),
    ];
    let told: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    told.join("\n")
}

pub(super) struct Page<'a> {
    pub(super) status: &'a Status,
    pub(super) look: &'a Look,
    pub(super) details: Details,
}

impl Page<'_> {
    pub(super) fn ago(&self, at: Option<Moment>) -> String {
        at.map_or_else(|| "-".to_owned(), |Moment(at)| span(age(at, self.status.now.0)))
    }

    /// `label` in a column of its own, `text` beside it.
    pub(super) fn line(&self, label: &str, text: &str) -> String {
        paragraph(self.look, &format!("{label:<12}"), text)
    }

    fn head(&self) -> String {
        let update = &self.status.update;
        let kind = update.kind;
        let mut out = String::new();
        if self.status.recording {
            out += &self.line("Recording", &format!("of {}", when(self.status.now.0)));
        }
        if let Some(link) = self.status.problems.iter().find(|problem| problem.what == LINK) {
            let told = format!("{}; what follows is what was last heard", link.words);
            out += &self.line("No answer", &told).replacen("No answer", &self.look.ink(Ink::Bad, "No answer"), 1);
        }
        let word = self.status.headline.to_uppercase();
        let since = update.since.map(|_| format!(" for {}", self.ago(update.since))).unwrap_or_default();
        let first = format!("{:<12}", "Verdict");
        let told = paragraph(self.look, &first, &format!("{word}{since}: {}", update.why));
        out += &told.replacen(&word, &self.look.ink(ink(kind), &word), 1);
        out += &self.line("Version", &self.versions());
        if let Some(requested) = &update.requested {
            let state = if requested.refused { "refused" } else { "not accepted yet" };
            let step = requested.step.as_ref().map(|step| format!(" at {step}")).unwrap_or_default();
            // What the verdict has told already is not told again.
            let told = requested.message.as_ref().filter(|message| !update.why.contains(message.trim()));
            let why = told.map(|message| format!(": {message}")).unwrap_or_default();
            out += &self.line("Requested", &format!("{}, {state}{step}{why}", requested.target));
        }
        if let Some(progress) = self.progress() {
            out += &self.line("Progress", &progress);
        }
        if let Some(estimate) = &self.status.estimate {
            let label = if estimate.before { "Would take" } else { "Time left" };
            let left_out = match estimate.left_out.as_slice() {
                [] => String::new(),
                left_out => format!("; not counted: {}", left_out.join("; ")),
            };
            // What cannot go on by itself has no end.
            let told = match estimate.remaining.p90 {
                0 if !estimate.left_out.is_empty() => "nothing is left that goes on by itself".to_owned(),
                _ => format!("{}, {}", range(estimate.remaining), basis(estimate.basis)),
            };
            out += &self.line(label, &format!("{told}{left_out}"));
        }
        if let Some(next) = &self.status.next {
            let how = next.line.as_ref().or(next.look.as_ref()).map(|line| format!(": {line}")).unwrap_or_default();
            out += &self.line("Next step", &format!("{}{how}", next.words));
        }
        out
    }

    fn versions(&self) -> String {
        let (update, cluster) = (&self.status.update, &self.status.cluster);
        let unknown = || "unknown".to_owned();
        let to = update.to.clone().unwrap_or_else(unknown);
        // The update before one that was refused is long over.
        let updated = |pools: &[Pool]| pools.iter().all(|pool| pool.updated == pool.total);
        let rests = update.requested.is_some()
            && update.completed_at.is_some()
            && self.status.pools.as_deref().is_some_and(updated);
        let still = matches!(update.kind, VerdictKind::NotUpdating | VerdictKind::Unknown | VerdictKind::ConfigRollout);
        let image = self.status.image_based.as_ref().filter(|image| image.under_way);
        // The ClusterVersion knows nothing of an image: its last update is long over.
        let moves = !still && !rests && image.is_none();
        let mut out = match (&update.from, update.from_incomplete) {
            _ if update.multi_arch == Some(true) && moves => format!("{to} to a multi-architecture payload"),
            (Some(from), Some(true)) if moves => format!(
                "{from} (never completed; last complete was {}) -> {to}",
                update.last_completed.clone().unwrap_or_else(unknown)
            ),
            (Some(from), _) if moves => format!("{from} -> {to}"),
            (None, _) if update.installing == Some(true) => format!("{to} (a new installation)"),
            _ => to,
        };
        if let Some(seed) = image.and_then(|image| image.seed_version.as_ref()).filter(|seed| **seed != out) {
            let _ = write!(out, ", seed image {seed}");
        }
        match &cluster.channel {
            Some(channel) => {
                let _ = write!(out, ", channel {channel}");
            }
            None if update.kind != VerdictKind::Unknown => out += ", no channel",
            None => {}
        }
        match (update.started_at, update.completed_at) {
            (Some(Moment(started)), Some(Moment(completed))) => {
                let lasted = span(age(started, completed));
                let _ = write!(out, "; control plane completed {} after {lasted}", when(completed));
            }
            (Some(started), None) => {
                let _ = write!(out, "; started {} ago", self.ago(Some(started)));
            }
            _ => {}
        }
        out
    }

    fn progress(&self) -> Option<String> {
        let update = &self.status.update;
        let percent = update.percent?;
        let operators = update.operators.updated.zip(update.operators.total);
        let mut parts = vec![format!("{percent}%")];
        parts.extend(operators.map(|(updated, total)| format!("{updated} of {total} operators")));
        if let (Some(_), Some(nodes)) = (&self.status.pools, &self.status.nodes) {
            let managed = nodes.iter().filter(|node| node.managed);
            let (updated, total) = managed.fold((0, 0), |(updated, total), node| {
                (updated + usize::from(node.phase == NodePhase::Updated), total + 1)
            });
            parts.push(format!("{updated} of {}", count(total, "node")));
        }
        parts.extend(update.payload.map(|payload| format!("{} of {} manifests", payload.done, payload.total)));
        Some(parts.join(", "))
    }

    fn operators(&self) -> String {
        let update = &self.status.update;
        let counts = &update.operators;
        let Some((total, unavailable, degraded)) = known(counts.total, counts.unavailable, counts.degraded) else {
            return String::new();
        };
        let [updated, updating, waiting, healthy] =
            [counts.updated, counts.updating, counts.waiting, counts.healthy].map(Option::unwrap_or_default);
        let rolls = if updated < total {
            format!("{updated} updated, {updating} updating, {waiting} waiting; ")
        } else {
            String::new()
        };
        let health = match (unavailable, degraded) {
            _ if total == 0 => "none of the platform was read".to_owned(),
            (0, 0) => format!("all {total} healthy"),
            _ => format!("{healthy} healthy, {unavailable} unavailable, {degraded} available but degraded"),
        };
        let mut out = self.line("Operators", &format!("{rolls}{health}"));
        if let Some(names) = update.updating_operators.as_deref().filter(|names| !names.is_empty()) {
            let shown = if self.details.operators { names.len() } else { 8 };
            out += &self.line("Updating", &some_of(names.iter().map(String::as_str), shown));
        }
        let told = |row: &&Operator| {
            row.platform && (row.state != "Updated" && (self.details.operators || row.state != "Waiting"))
        };
        let rows: Vec<&Operator> = self.status.operators.iter().flatten().filter(told).collect();
        let any_trouble = unavailable + degraded > 0;
        if rows.is_empty() || !(self.details.operators || any_trouble || updating > 0) {
            return out;
        }
        // Whoever is in trouble is always told; of those that just update, a few show that it goes on.
        let mut calm = 0;
        let (shown, more): (Vec<&Operator>, Vec<&Operator>) = rows.into_iter().partition(|row| {
            calm += usize::from(row.state == "Updating");
            self.details.operators || row.state != "Updating" || calm <= UPDATING
        });
        let cells: Vec<Vec<Cell>> = shown.into_iter().map(|row| self.operator(row)).collect();
        out.push('\n');
        out += &table(self.look, &["OPERATOR", "STATE", "SINCE", "MESSAGE"], &cells);
        if !more.is_empty() {
            let words = format!("and {} more updating; --details=operators lists all", more.len());
            out += &self.look.ink(Ink::Faint, &cut(&words, self.look.width));
            out.push('\n');
        }
        out
    }

    fn operator(&self, row: &Operator) -> Vec<Cell> {
        let ink = match row.state {
            "Unavailable" => Ink::Bad,
            "Degraded" if !row.expected => Ink::Warn,
            _ => Ink::Plain,
        };
        let said = match (&row.reason, &row.message) {
            (Some(reason), Some(message)) => format!("{reason}: {message}"),
            (Some(said), None) | (None, Some(said)) => said.clone(),
            (None, None) => "-".to_owned(),
        };
        let said = if row.expected { format!("(expected while nodes reboot) {said}") } else { said };
        let said = if self.details.operators { said } else { first_line(&said, MESSAGE) };
        vec![row.name.as_str().into(), Cell::ink(ink, row.state), self.ago(row.since).into(), said.into()]
    }

    fn pools(&self) -> String {
        let Some(pools) = self.status.pools.as_deref().filter(|pools| !pools.is_empty()) else {
            return String::new();
        };
        let head = ["POOL", "ASSESSMENT", "UPDATED", "AVAILABLE", "MOVING", "DRAINING", "NEXT"];
        let rows: Vec<Vec<Cell>> = pools.iter().map(Self::pool).collect();
        table(self.look, &head, &rows)
    }

    fn pool(pool: &Pool) -> Vec<Cell> {
        let ink = match pool.assessment {
            PoolAssessment::Completed => Ink::Good,
            PoolAssessment::Degraded => Ink::Bad,
            PoolAssessment::Excluded => Ink::Warn,
            PoolAssessment::Pending | PoolAssessment::Progressing | PoolAssessment::Empty => Ink::Plain,
        };
        let capacity = &pool.capacity;
        let next = match (&capacity.why_none, capacity.next.first()) {
            (Some(_), Some(first)) if !capacity.busy.is_empty() => {
                format!("{first}, after {}", some_of(capacity.busy.iter().map(String::as_str), 2))
            }
            (Some(why), _) => why.clone(),
            (None, Some(first)) if capacity.free > 0 => format!("{first} (room for {})", capacity.free),
            (None, Some(first)) => format!("{first}, when there is room"),
            (None, None) => "-".to_owned(),
        };
        let paused = if pool.paused && pool.assessment != PoolAssessment::Excluded { "paused; " } else { "" };
        vec![
            pool.name.as_str().into(),
            Cell::ink(ink, pool.assessment.word()),
            format!("{}/{}", pool.updated, pool.total).into(),
            pool.available.to_string().into(),
            pool.progressing.to_string().into(),
            pool.draining.to_string().into(),
            format!("{paused}{next}").into(),
        ]
    }

    fn nodes(&self) -> String {
        let Some(nodes) = self.status.nodes.as_deref().filter(|nodes| !nodes.is_empty()) else { return String::new() };
        let (mut rows, mut omitted) = (Vec::new(), Vec::new());
        for node in nodes {
            let troubled = matches!(node.assessment, NodeAssessment::Degraded | NodeAssessment::Unavailable);
            let plain = node.assessment == NodeAssessment::Completed && !node.cordoned;
            if self.details.nodes || troubled || !node.blockers.is_empty() || (rows.len() < ROWS && !plain) {
                rows.push(self.node(node));
            } else {
                omitted.push(node);
            }
        }
        let mut out = String::new();
        if !rows.is_empty() {
            out += &table(self.look, &["NODE", "POOL", "ASSESSMENT", "PHASE", "SINCE", "MESSAGE"], &rows);
        }
        if !omitted.is_empty() {
            let by = |wanted: NodeAssessment| omitted.iter().filter(|node| node.assessment == wanted).count();
            let kinds = [
                NodeAssessment::Progressing,
                NodeAssessment::Excluded,
                NodeAssessment::Outdated,
                NodeAssessment::Completed,
            ];
            let counts: Vec<String> = kinds
                .into_iter()
                .filter(|kind| by(*kind) > 0)
                .map(|kind| format!("{} {}", by(kind), kind.word()))
                .collect();
            let more = if rows.is_empty() { "" } else { " more" };
            let plural = if omitted.len() == 1 { "" } else { "s" };
            let number = omitted.len();
            let words = format!("{number}{more} node{plural}: {}; --details=nodes lists them", counts.join(", "));
            out += &self.look.ink(Ink::Faint, &cut(&words, self.look.width));
            out.push('\n');
        }
        out
    }

    fn node(&self, node: &Node) -> Vec<Cell> {
        let ink = match node.assessment {
            NodeAssessment::Degraded => Ink::Bad,
            NodeAssessment::Unavailable => Ink::Warn,
            NodeAssessment::Completed => Ink::Good,
            NodeAssessment::Progressing | NodeAssessment::Excluded | NodeAssessment::Outdated => Ink::Plain,
        };
        let blockers =
            node.blockers.iter().map(|blocker| format!("pod {}/{}: {}", blocker.namespace, blocker.pod, blocker.why));
        let mut said: Vec<String> = blockers.take(if self.details.nodes { usize::MAX } else { 2 }).collect();
        if said.is_empty() {
            said.extend(node.message.iter().cloned());
        }
        let said = said.join("; ");
        let said = if self.details.nodes { said } else { first_line(&said, MESSAGE) };
        vec![
            node.name.as_str().into(),
            node.pool.as_deref().filter(|_| node.managed).unwrap_or("-").into(),
            Cell::ink(ink, node.assessment.word()),
            node.phase_detail.into(),
            self.ago(node.phase_since).into(),
            said.into(),
        ]
    }

    fn health(&self) -> String {
        let findings = &self.status.findings;
        if findings.is_empty() {
            return match self.status.problems.as_slice() {
                [] => "Nothing to report.\n".to_owned(),
                _ => "Nothing found in what could be read.\n".to_owned(),
            };
        }
        if self.details.health {
            return findings.iter().map(|finding| self.whole(finding)).collect::<Vec<_>>().join("\n");
        }
        let rows: Vec<Vec<Cell>> = once(findings)
            .map(|(finding, often)| {
                let often = if often > 1 { format!(" ({often} times)") } else { String::new() };
                let expected = if finding.expected && finding.id != "update-proceeding" { "expected: " } else { "" };
                vec![
                    self.ago(finding.since).into(),
                    Cell::ink(Ink::from(finding.degree), finding.level),
                    finding.impact.into(),
                    first_line(&format!("{expected}{}{often}", finding.title), MESSAGE).into(),
                ]
            })
            .collect();
        table(self.look, &["SINCE", "LEVEL", "IMPACT", "FINDING"], &rows)
    }

    /// A finding with all that is known of it.
    fn whole(&self, finding: &Finding) -> String {
        let level = self.look.ink(Ink::from(finding.degree), finding.level);
        let first = format!("{} ", finding.level);
        let mut out = paragraph(self.look, &first, &finding.title).replacen(finding.level, &level, 1);
        let field =
            |out: &mut String, label: &str, text: &str| *out += &paragraph(self.look, &format!("  {label:<10}"), text);
        field(&mut out, "Since", &self.ago(finding.since));
        field(&mut out, "Impact", finding.impact);
        if finding.expected {
            field(&mut out, "Expected", "normal while nodes reboot");
        }
        if let Some(meaning) = &finding.meaning {
            field(&mut out, "Meaning", meaning);
        }
        for resource in &finding.resources {
            let namespace = resource.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
            field(&mut out, "About", &format!("{}/{}{namespace}", resource.resource, resource.name));
        }
        for evidence in &finding.evidence {
            let at = evidence.at.map(|Moment(at)| format!(" at {}", when(at))).unwrap_or_default();
            field(&mut out, "Evidence", &format!("{} {} = {}{at}", evidence.object, evidence.field, evidence.value));
        }
        for remedy in &finding.remedies {
            let danger = remedy.danger.map(|danger| format!(" [{danger:?}]")).unwrap_or_default();
            field(&mut out, "Do", &format!("{}{danger}", remedy.words));
            if let Some(oc) = &remedy.oc {
                out += &command(self.look, 12, oc);
            }
        }
        if let Some(link) = &finding.link {
            let _ = writeln!(out, "  {:<10}{}", "More", neutral(link)); // never broken, so that it can be opened
        }
        field(&mut out, "Id", finding.id);
        out
    }

    /// The first remedies of the worst findings; with `--details=health` each finding has its own.
    fn next(&self) -> String {
        let worth = |finding: &&Finding| finding.degree >= Level::Warning && !finding.expected;
        let mut told: Vec<(&Finding, &Remedy)> = Vec::new();
        for finding in self.status.findings.iter().filter(worth) {
            let Some(remedy) = finding.remedies.first() else { continue };
            let same = |known: &Remedy| match (&known.oc, &remedy.oc) {
                (Some(known), Some(oc)) => known == oc,
                _ => known.words == remedy.words,
            };
            // What can be done about a thing is worth more than words about the same thing.
            let about = |known: &Finding| remedy.oc.is_none() && known.resources.first() == finding.resources.first();
            if !told.iter().any(|(before, known)| same(known) || about(before)) {
                told.push((finding, remedy));
            }
        }
        if told.is_empty() || self.details.health {
            return String::new();
        }
        let mut out = format!("{}\n", self.look.heading("What to do"));
        for (at, (finding, remedy)) in told.into_iter().take(NEXT).enumerate() {
            let about = finding.resources.first().map(|resource| format!("{}: ", short(resource))).unwrap_or_default();
            out += &paragraph(self.look, &format!("  {}. ", at + 1), &format!("{about}{}", remedy.words));
            if let Some(oc) = &remedy.oc {
                out += &command(self.look, 5, oc);
            } else if let Some(link) = &finding.link {
                out += &format!("     {}\n", neutral(link)); // never broken, so that it can be opened
            }
        }
        out + "  --details=health tells meaning, evidence and all remedies.\n"
    }

    fn gaps(&self) -> String {
        if self.status.problems.is_empty() {
            return String::new();
        }
        let mut out = format!("{}\n", self.look.ink(Ink::Warn, "Not everything could be read"));
        // One trouble of many kinds is told once.
        let mut groups: Vec<(&Problem, Vec<&str>)> = Vec::new();
        for problem in &self.status.problems {
            match groups.iter_mut().find(|(first, _)| first.words == problem.words && first.hint == problem.hint) {
                Some((_, names)) => names.push(&problem.what),
                None => groups.push((problem, vec![&problem.what])),
            }
        }
        for (problem, names) in groups {
            let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            let names = some_of(names.iter().copied(), NAMED);
            out += &paragraph(self.look, "  ", &format!("{names}: {}{hint}", problem.words));
        }
        out
    }
}

/// Findings that say the same of several objects (alerts), the first of each with their number.
fn once(findings: &[Finding]) -> impl Iterator<Item = (&Finding, usize)> {
    let same =
        |a: &Finding, b: &Finding| a.id == "alert-firing" && a.id == b.id && a.level == b.level && a.title == b.title;
    findings.iter().enumerate().filter_map(move |(at, finding)| {
        let known = findings[..at].iter().any(|before| same(before, finding));
        let more = findings[at + 1..].iter().filter(|other| same(finding, other)).count();
        (!known).then_some((finding, more + 1))
    })
}

/// `machineconfigpool/infra`: as `oc` takes it, without the group.
fn short(resource: &Resource) -> String {
    let plural = resource.resource.split('.').next().unwrap_or_default();
    format!("{}/{}", plural.strip_suffix('s').unwrap_or(plural), resource.name)
}

fn known<A, B, C>(a: Option<A>, b: Option<B>, c: Option<C>) -> Option<(A, B, C)> {
    Some((a?, b?, c?))
}

fn ink(kind: VerdictKind) -> Ink {
    match Exit::of(kind) {
        Exit::Fine => Ink::Good,
        Exit::Updating if kind == VerdictKind::Slow => Ink::Warn,
        Exit::Updating => Ink::Strong,
        Exit::Unknown | Exit::NeedsPerson => Ink::Warn,
        Exit::Trouble => Ink::Bad,
    }
}

fn when(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `about 42m (38m to 55m)`.
fn range(remaining: Remaining) -> String {
    let told = |seconds: i64| span(TimeDelta::try_seconds(seconds).unwrap_or_default());
    format!("about {} ({} to {})", told(remaining.p50), told(remaining.p10), told(remaining.p90))
}

fn basis(basis: &str) -> &'static str {
    match basis {
        "measured" => "measured in this rollout",
        "history" => "by this cluster's earlier updates",
        "guide" => "by the guide's formula",
        _ => "by documented defaults",
    }
}

/// The beginning of a text, in one line.
fn first_line(text: &str, width: usize) -> String {
    let line = wrapped(text, usize::MAX).into_iter().find(|line| !line.is_empty()).unwrap_or_default();
    cut(&line, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::specimen::Specimen;

    fn told(problems: &[(&str, &str)]) -> String {
        let problem = |(what, words): &(&str, &str)| Problem {
            what: (*what).to_owned(),
            words: (*words).to_owned(),
            hint: Some("is it running?".to_owned()),
        };
        let status =
            Status::of(&Specimen::updating().assess(40), Details::default(), problems.iter().map(problem).collect());
        text(&status, &Look { colour: false, width: 120 }, Details::default())
    }

    #[test]
    fn one_trouble_of_many_kinds_is_told_once() {
        let page = told(&[("nodes", "nobody listens"), ("pods", "nobody listens"), ("configmaps", "not allowed")]);
        assert!(page.contains("\n  nodes, pods: nobody listens (is it running?)\n"), "{page}");
        assert!(page.contains("\n  configmaps: not allowed (is it running?)\n"), "{page}");
        assert!(!page.contains("No answer"), "{page}");
    }

    #[test]
    fn while_nobody_answers_that_is_told_before_the_verdict() {
        let page = told(&[(LINK, "nobody listens at https://127.0.0.1:1")]);
        let told = "No answer   nobody listens at https://127.0.0.1:1; what follows is what was last heard\nVerdict ";
        assert!(page.contains(told), "{page}");
    }
}

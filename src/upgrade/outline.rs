//! An assessment as text that a person can read: for tests that keep one, and for looking at a recording.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Deadline, Level, Node, OperatorState, Pool, StepState, Topology, age};
use super::timeline::Origin;
use super::words;

/// The whole assessment, in sections. Ages are relative to its moment, so that it does not depend on the day.
pub fn outline(assessment: &Assessment) -> String {
    let mut text = String::new();
    head(assessment, &mut text);
    operators(assessment, &mut text);
    for pool in &assessment.pools {
        pool_lines(assessment, pool, &mut text);
    }
    for node in assessment.nodes.iter().filter(|node| node.pool.is_none()) {
        node_line(assessment, node, &mut text);
    }
    findings(assessment, &mut text);
    timeline(assessment, &mut text);
    text
}

fn ago(at: Option<DateTime<Utc>>, assessment: &Assessment) -> String {
    at.map(|at| words::span(age(at, assessment.now))).unwrap_or_default()
}

// Writing to a String cannot fail.
macro_rules! line {
    ($text:expr, $($arg:tt)*) => { let _ = writeln!($text, $($arg)*); };
}

fn head(assessment: &Assessment, text: &mut String) {
    let update = &assessment.update;
    let unknown = "?".to_owned();
    let from = match (&update.from, &update.from_incomplete) {
        (from, Some(incomplete)) => format!("{} via incomplete {incomplete}", from.as_ref().unwrap_or(&unknown)),
        (Some(from), None) => from.clone(),
        (None, None) => "nothing".to_owned(),
    };
    line!(text, "{from} -> {}", update.to.as_ref().unwrap_or(&unknown));
    line!(
        text,
        "{}: {} [{}]",
        assessment.headline(),
        assessment.verdict.why,
        ago(assessment.verdict.since, assessment)
    );
    if let Some(requested) = &update.requested {
        let word = if requested.refused { "refused" } else { "asked" };
        line!(text, "requested {} ({word} at {:?})", requested.target, requested.step);
    }
    let topology = match assessment.topology {
        Topology::HighlyAvailable | Topology::Unknown => String::new(),
        topology => topology.words().to_owned(),
    };
    let compact = if assessment.compact { "compact".to_owned() } else { String::new() };
    let payload =
        update.payload.map(|payload| format!("manifests {}/{}", payload.done, payload.total)).unwrap_or_default();
    let percent = assessment.progress.map(|percent| format!("{percent}%")).unwrap_or_default();
    let multi = if update.multi_arch { "to multi-arch".to_owned() } else { String::new() };
    let facts = [percent, payload, multi, topology, compact];
    let facts: Vec<&str> = facts.iter().map(String::as_str).filter(|fact| !fact.is_empty()).collect();
    if !facts.is_empty() {
        line!(text, "{}", facts.join(", "));
    }
    let rail: Vec<String> = assessment
        .rail
        .iter()
        .map(|step| {
            let sign = match step.state {
                StepState::Todo => 'o',
                StepState::Active => '~',
                StepState::Trouble => 'x',
                StepState::Done => '+',
            };
            format!("{sign} {}{}{}", step.name, if step.detail.is_empty() { "" } else { " " }, step.detail)
        })
        .collect();
    line!(text, "rail: {}", rail.join(" | "));
    for offer in &update.offers {
        let risk = offer.risk.as_deref().map(|risk| format!(", {}", words::first_line(risk))).unwrap_or_default();
        line!(text, "offer {}{risk}", offer.version);
    }
}

fn operators(assessment: &Assessment, text: &mut String) {
    let all = &assessment.operators;
    line!(
        text,
        "operators: {} of {} updated, {} updating, {} waiting, {} unavailable, {} degraded",
        all.updated,
        all.total,
        all.updating,
        all.waiting,
        all.unavailable,
        all.degraded
    );
    for row in all.rows.iter().filter(|row| row.state != OperatorState::Updated && row.state != OperatorState::Waiting)
    {
        let expected = if row.expected { " (expected)" } else { "" };
        let limit = row.deadline.map(|deadline| limit(&deadline, assessment)).unwrap_or_default();
        line!(text, "  {} {:?} [{}] {}{expected}{limit}", row.name, row.state, ago(row.since, assessment), row.reason);
        if let Some(error) = &row.sync_error {
            line!(text, "    {}", words::first_line(error));
        }
    }
}

fn limit(deadline: &Deadline, assessment: &Assessment) -> String {
    let minutes = deadline.limit.span().num_minutes();
    let left = deadline.at - assessment.now;
    if left > TimeDelta::zero() {
        format!(", {minutes} min in {}", words::span(left))
    } else {
        format!(", {minutes} min passed {} ago", words::span(-left))
    }
}

fn pool_lines(assessment: &Assessment, pool: &Pool, text: &mut String) {
    let paused = match &pool.paused_by {
        _ if !pool.paused => String::new(),
        Some((manager, at)) => format!(", paused by {manager} [{}]", ago(*at, assessment)),
        None => ", paused".to_owned(),
    };
    line!(
        text,
        "pool {}: {}/{} updated, {} moving, {} draining, {} waiting, {} degraded{paused}",
        pool.name,
        pool.updated,
        pool.total,
        pool.moving,
        pool.draining,
        pool.waiting,
        pool.degraded
    );
    let capacity = &pool.capacity;
    let next = capacity.next.iter().map(String::as_str);
    line!(
        text,
        "  max {} ({}), {} unavailable, {} failing, {} free; next: {}{}",
        capacity.max_unavailable,
        capacity.max_unavailable_spec,
        capacity.unavailable,
        capacity.failing,
        capacity.free,
        if capacity.next.is_empty() { "nobody".to_owned() } else { words::some_of(next, 4) },
        if capacity.why_none.is_empty() { String::new() } else { format!("; {}", capacity.why_none) }
    );
    if let Some(layer) = &pool.layer {
        line!(text, "  OS image {}, its build {}", layer.image.as_deref().unwrap_or("?"), layer.build.words());
    }
    if !capacity.caveat.is_empty() {
        line!(text, "  {}", capacity.caveat);
    }
    let mut nodes: Vec<&Node> = assessment.nodes_of(&pool.name).collect();
    nodes.sort_by(|a, b| words::natural(&a.name, &b.name));
    for node in nodes {
        node_line(assessment, node, text);
    }
}

fn node_line(assessment: &Assessment, node: &Node, text: &mut String) {
    let mark = if node.since_rebuilt { "~" } else { "" };
    let message = words::first_line(&node.message);
    let dash = if message.is_empty() { "" } else { " - " };
    let cordon = match &node.cordon {
        Some(cordon) if cordon.by_mco => ", cordoned",
        Some(_) => ", cordoned by somebody",
        None => "",
    };
    let ready = if node.ready { "" } else { ", not ready" };
    line!(
        text,
        "  {} {} [{mark}{}] {}{cordon}{ready}{dash}{message}",
        node.name,
        node.phase.word(),
        ago(node.since, assessment),
        node.version.as_deref().unwrap_or("?")
    );
}

fn findings(assessment: &Assessment, text: &mut String) {
    for finding in &assessment.findings {
        let level = match finding.level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        };
        let expected = if finding.expected { " (expected)" } else { "" };
        line!(text, "{level} {}: {} [{}]{expected}", finding.id, finding.title, ago(finding.since, assessment));
    }
}

fn timeline(assessment: &Assessment, text: &mut String) {
    for entry in &assessment.timeline.entries {
        let origin = match entry.origin {
            Origin::Seen => "",
            Origin::Rebuilt => "~",
            Origin::Action => "!",
        };
        line!(text, "{origin}-{}: {}", ago(Some(entry.at), assessment), entry.text);
    }
}

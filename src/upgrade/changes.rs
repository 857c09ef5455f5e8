//! What happened between two assessments, as entries of the timeline.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Finding, Level, Node, NodePhase, OperatorState, Pool, Subject, VerdictKind};
use super::facts::Kind;
use super::image_based::{ImageBased, NAME, Record};
use super::timeline::{Entry, Origin};
use super::words;

/// The differences of two assessments of the same cluster.
pub fn between(before: &Assessment, now: &Assessment) -> Vec<Entry> {
    let mut log = Log { at: now.now, entries: Vec::new() };
    version(before, now, &mut log);
    operators(before, now, &mut log);
    pools(before, now, &mut log);
    nodes(before, now, &mut log);
    link(before, now, &mut log);
    image(before, now, &mut log);
    findings(before, now, &mut log);
    if before.verdict.kind != now.verdict.kind {
        let text = format!("now {}: {}", now.headline(), now.verdict.why);
        log.add(verdict_level(now.verdict.kind), Subject::Version, text);
    }
    log.entries
}

struct Log {
    at: DateTime<Utc>,
    entries: Vec<Entry>,
}

impl Log {
    fn add(&mut self, level: Level, subject: Subject, text: impl Into<String>) {
        self.add_at(self.at, level, subject, text);
    }

    fn add_at(&mut self, at: DateTime<Utc>, level: Level, subject: Subject, text: impl Into<String>) {
        self.entries.push(Entry { at, level, subject, text: text.into(), origin: Origin::Seen });
    }
}

fn verdict_level(kind: VerdictKind) -> Level {
    match kind {
        VerdictKind::Failing => Level::Error,
        VerdictKind::NeedsPerson | VerdictKind::Stalled | VerdictKind::Slow => Level::Warning,
        _ => Level::Info,
    }
}

fn version(before: &Assessment, now: &Assessment, log: &mut Log) {
    let (was, is) = (&before.update, &now.update);
    let to = is.to.as_deref().unwrap_or("the target");
    match (&was.requested, &is.requested) {
        (None, Some(requested)) => {
            log.add(Level::Info, Subject::Version, format!("update to {} requested", requested.target));
        }
        (Some(requested), None) if is.started == was.started => {
            log.add(Level::Info, Subject::Version, format!("request for {} withdrawn", requested.target));
        }
        (Some(was), Some(is)) if was.target == is.target && !was.refused && is.refused => {
            log.add(Level::Error, Subject::Version, format!("update to {} refused ({})", is.target, is.step));
        }
        _ => {}
    }
    if is.started != was.started && is.in_progress {
        let from =
            is.from_incomplete.as_ref().or(is.from.as_ref()).map(|from| format!(" from {from}")).unwrap_or_default();
        let at = is.started.filter(|at| *at <= now.now).unwrap_or(now.now);
        log.add_at(at, Level::Info, Subject::Version, format!("update{from} to {to} started"));
    }
    if let (Some(was), Some(is)) = (was.payload, is.payload)
        && is.attempt > was.attempt
    {
        let text = format!(
            "manifests are counted anew (attempt {}): {} of {}, {} before",
            is.attempt, is.done, is.total, was.done
        );
        log.add(Level::Info, Subject::Version, text);
    }
    if was.in_progress && !is.in_progress {
        log.add(Level::Info, Subject::Version, format!("control plane is at {to}"));
    }
}

fn operators(before: &Assessment, now: &Assessment, log: &mut Log) {
    for row in &now.operators.rows {
        let Some(was) = before.operator(&row.name) else { continue };
        let subject = || Subject::Operator(row.name.clone());
        if row.updated && !was.updated {
            let version = row.version.as_deref().unwrap_or("the target");
            log.add(Level::Info, subject(), format!("{} is at {version}", row.name));
        }
        if was.state == row.state {
            continue;
        }
        let why = words::first_line(&row.message);
        match row.state {
            OperatorState::Unavailable => {
                log.add(Level::Warning, subject(), format!("{} is not available: {why}", row.name));
            }
            OperatorState::Degraded => {
                let level = if row.expected { Level::Info } else { Level::Warning };
                log.add(level, subject(), format!("{} is degraded: {why}", row.name));
            }
            OperatorState::Updating => log.add(Level::Info, subject(), format!("{} is updating", row.name)),
            OperatorState::Waiting | OperatorState::Updated => {}
        }
        let well = |state| !matches!(state, OperatorState::Unavailable | OperatorState::Degraded);
        if well(row.state) && !well(was.state) {
            log.add(Level::Info, subject(), format!("{} is well again", row.name));
        }
    }
}

fn pools(before: &Assessment, now: &Assessment, log: &mut Log) {
    for pool in &now.pools {
        let Some(was) = before.pool(&pool.name) else { continue };
        let subject = || Subject::Pool(pool.name.clone());
        if pool.paused != was.paused {
            let by = pool.paused_by.as_ref().map(|(manager, _)| format!(" by {manager}")).unwrap_or_default();
            let word = if pool.paused { format!("paused{by}") } else { "unpaused".to_owned() };
            log.add(Level::Info, subject(), format!("pool {} {word}", pool.name));
        }
        if pool.target != was.target
            && let Some(target) = &pool.target
        {
            log.add(Level::Info, subject(), format!("pool {} goes to {target}", pool.name));
        }
        if pool.degraded_message.is_some() && was.degraded_message.is_none() {
            log.add(Level::Warning, subject(), format!("pool {} is degraded", pool.name));
        }
        if !pool.outdated() && was.outdated() && pool.total > 0 {
            log.add(
                Level::Info,
                subject(),
                format!("pool {} is done, {}", pool.name, words::count(pool.total, "node")),
            );
        }
        if pool.capacity.max_unavailable_spec != was.capacity.max_unavailable_spec {
            let spec = &pool.capacity.max_unavailable_spec;
            log.add(Level::Info, subject(), format!("pool {}: maxUnavailable is {spec}", pool.name));
        }
    }
    let gone = before.pools.iter().filter(|was| now.pool(&was.name).is_none());
    gone.map(|was: &Pool| &was.name)
        .for_each(|name| log.add(Level::Info, Subject::Pool(name.clone()), format!("pool {name} is gone")));
}

fn nodes(before: &Assessment, now: &Assessment, log: &mut Log) {
    let mut old = before.nodes.iter().peekable();
    for node in now.nodes.iter() {
        while let Some(gone) = old.next_if(|was| was.name < node.name) {
            log.add(Level::Info, Subject::Node(gone.name.clone()), format!("{} is gone", gone.name));
        }
        match old.next_if(|was| was.name == node.name) {
            Some(was) => node_changes(was, node, now.now, log),
            None => log.add(Level::Info, Subject::Node(node.name.clone()), format!("{} joined", node.name)),
        }
    }
    old.for_each(|gone| log.add(Level::Info, Subject::Node(gone.name.clone()), format!("{} is gone", gone.name)));
}

fn node_changes(was: &Node, node: &Node, now: DateTime<Utc>, log: &mut Log) {
    let name = &node.name;
    let subject = || Subject::Node(name.clone());
    if was.phase != node.phase {
        let at = node.since.filter(|since| *since <= now).unwrap_or(now);
        let (level, text) = phase_words(node);
        log.add_at(at, level, subject(), text);
    }
    let foreign = |node: &Node| node.cordon.as_ref().is_some_and(|cordon| !cordon.by_mco);
    if foreign(node) && was.cordon.is_none() {
        let manager = node.cordon.as_ref().and_then(|cordon| cordon.manager.as_deref());
        let by = manager.map(|manager| format!(" by {manager}")).unwrap_or_default();
        log.add(Level::Info, subject(), format!("{name} cordoned{by}"));
    } else if foreign(was) && node.cordon.is_none() {
        log.add(Level::Info, subject(), format!("{name} uncordoned"));
    }
    if was.ready && !node.ready {
        let level = if node.phase.moving() { Level::Info } else { Level::Warning };
        log.add(level, subject(), format!("{name} is not ready"));
    } else if !was.ready && node.ready {
        log.add(Level::Info, subject(), format!("{name} is ready"));
    }
    if was.drain_trouble.is_none()
        && let Some(trouble) = &node.drain_trouble
    {
        let pods = words::some_of(trouble.pods.iter().map(String::as_str), 3);
        let what = if pods.is_empty() { words::first_line(&trouble.error).to_owned() } else { pods };
        log.add(Level::Warning, subject(), format!("{name}: the drain fails: {what}"));
    }
}

/// A phase that was entered, as a sentence.
pub(super) fn phase_words(node: &Node) -> (Level, String) {
    let name = &node.name;
    match node.phase {
        NodePhase::Degraded => (Level::Error, format!("{name} is degraded: {}", words::first_line(&node.message))),
        NodePhase::Preparing => {
            let target = node.desired_config.as_deref().unwrap_or("a new configuration");
            (Level::Info, format!("{name} targeted, goes to {target}"))
        }
        NodePhase::Cordoned => (Level::Info, format!("{name} cordoned")),
        NodePhase::Draining => (Level::Info, format!("{name} drain started")),
        NodePhase::Applying => (Level::Info, format!("{name} drained, applies the configuration")),
        NodePhase::Rebooting => (Level::Info, format!("{name} reboots")),
        NodePhase::Back => (Level::Info, format!("{name} is back from its reboot")),
        NodePhase::Uncordoning => (Level::Info, format!("{name} runs the configuration, uncordons")),
        NodePhase::Waiting => (Level::Info, format!("{name} waits for its turn")),
        NodePhase::Paused => (Level::Info, format!("{name} waits, its pool is paused")),
        NodePhase::Done => {
            let version = node.version.as_deref().map(|version| format!(", at {version}")).unwrap_or_default();
            (Level::Info, format!("{name} is done{version}"))
        }
        NodePhase::Unmanaged => (Level::Warning, format!("{name} is no longer managed by any pool: {}", node.message)),
    }
}

/// The stage machine of an image-based upgrade.
fn image(before: &Assessment, now: &Assessment, log: &mut Log) {
    let (Some(was), Some(is)) = (before.image_based.as_deref(), now.image_based.as_deref()) else { return };
    if let Some(entry) = image_entry(Some(was), is) {
        let at = is.since.filter(|at| *at <= now.now).unwrap_or(now.now);
        log.add_at(at, entry.0, image_subject(), entry.1);
    }
}

/// What it is about.
pub(super) fn image_subject() -> Subject {
    Subject::Object(super::assessment::Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME))
}

/// A state of the stage machine that was entered, as a sentence; none: it is the same as before.
pub(super) fn image_entry(was: Option<&ImageBased>, is: &ImageBased) -> Option<(Level, String)> {
    if matches!(is.record, Record::Remembered { .. }) || was.is_some_and(|was| was.state == is.state) {
        return None;
    }
    let level = match is.state {
        state if state.failed() => Level::Error,
        _ => Level::Info,
    };
    let cause = if is.state.failed() { format!(": {}", words::first_line(&is.message)) } else { String::new() };
    let seed = if is.seed.version.is_empty() { String::new() } else { format!(" ({})", is.seed.version) };
    Some((level, format!("image-based upgrade{seed}: {}{cause}", is.state.headline())))
}

/// So many findings are told one by one; when more come or go at once, they are counted.
const TOLD: usize = 20;

/// Findings that came and went. What is expected or merely good to know is not told; nor is the link, which speaks for
/// itself.
fn findings(before: &Assessment, now: &Assessment, log: &mut Log) {
    fn telling(assessment: &Assessment) -> BTreeMap<(&'static str, &Subject), &Finding> {
        let tell = |finding: &&Finding| {
            !finding.expected && finding.level >= Level::Warning && finding.subject != Subject::Link
        };
        assessment.findings.iter().filter(tell).map(|finding| ((finding.id, &finding.subject), finding)).collect()
    }
    if before.findings.is_empty() && now.findings.is_empty() {
        return;
    }
    let (was, is) = (telling(before), telling(now));
    let came: Vec<&Finding> = is.iter().filter(|(key, _)| !was.contains_key(*key)).map(|(_, found)| *found).collect();
    let went: Vec<&Finding> = was.iter().filter(|(key, _)| !is.contains_key(*key)).map(|(_, found)| *found).collect();
    for finding in came.iter().take(TOLD) {
        log.add(finding.level, finding.subject.clone(), format!("finding {}: {}", finding.id, finding.title));
    }
    for finding in went.iter().take(TOLD) {
        let lasted =
            finding.first_seen.map(|seen| format!(" after {}", words::span(now.now - seen))).unwrap_or_default();
        let text = format!("finding {} cleared{lasted}: {}", finding.id, finding.title);
        log.add(Level::Info, finding.subject.clone(), text);
    }
    for (more, word) in [(came.len(), "more findings"), (went.len(), "more findings cleared")] {
        if more > TOLD {
            log.add(Level::Warning, Subject::Version, format!("{} {word}", more - TOLD));
        }
    }
}

fn link(before: &Assessment, now: &Assessment, log: &mut Log) {
    let (was, is) = (before.facts.link.state, now.facts.link.state);
    if !was.stale() && is.stale() {
        let since = is.since().filter(|since| *since <= now.now).unwrap_or(now.now);
        let expected = now.facts.link.expected_outage.as_ref();
        let (level, why) = match expected {
            Some(why) => (Level::Info, format!(", expected: {why}")),
            None => (Level::Warning, String::new()),
        };
        let words = now.facts.link.trouble.as_ref().map_or("no answer from the API server", |trouble| &trouble.words);
        log.add_at(since, level, Subject::Link, format!("{words}{why}"));
    } else if was.stale() && !is.stale() {
        let lasted = was.since().map(|since| format!(" after {}", words::span(now.now - since))).unwrap_or_default();
        log.add(Level::Info, Subject::Link, format!("the API server answers again{lasted}"));
    }
}

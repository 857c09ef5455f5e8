//! The timeline after a start: what the API itself remembers of the time before.

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Level, OperatorState, Subject};
use super::changes::{image_entry, image_subject};
use super::image_based::Record;
use super::node_events::node_of;
use super::node_phase::Steps;
use super::timeline::{Entry, Origin};
use super::words;
use crate::api::{Conditions as _, Event, MachineConfigNode, Tri};

/// How far back is looked when no update tells it.
const BACK: TimeDelta = TimeDelta::hours(24);

/// How much of the time before the update began is of interest.
const LEAD: TimeDelta = TimeDelta::minutes(10);

/// How many entries of the version history are told.
const HISTORY: usize = 10;

/// Entries from history, condition times, cordons and events; all are marked as rebuilt.
pub fn entries(assessment: &Assessment) -> Vec<Entry> {
    let from = match assessment.update.started {
        Some(started) if assessment.update.in_progress => started - LEAD,
        Some(started) => (started - LEAD).max(assessment.now - BACK),
        None => assessment.now - BACK,
    };
    // Which versions the cluster has run is worth knowing however long ago it was.
    let mut ever = Log { from: DateTime::<Utc>::MIN_UTC, to: assessment.now, entries: Vec::new() };
    history(assessment, &mut ever);
    let mut log = Log { from, ..ever };
    version(assessment, &mut log);
    operators(assessment, &mut log);
    pools(assessment, &mut log);
    assessment.facts.machine_config_nodes.iter().for_each(|node| steps(node, &mut log));
    nodes(assessment, &mut log);
    image(assessment, &mut log);
    assessment.facts.events.iter().for_each(|event| said(event, &mut log));
    log.entries
}

struct Log {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    entries: Vec<Entry>,
}

impl Log {
    fn add(&mut self, at: Option<DateTime<Utc>>, level: Level, subject: Subject, text: impl FnOnce() -> String) {
        if let Some(at) = at.filter(|at| (self.from..=self.to).contains(at)) {
            self.entries.push(Entry { at, level, subject, text: text(), origin: Origin::Rebuilt });
        }
    }
}

/// The stages of an image-based upgrade, as its record tells them.
fn image(assessment: &Assessment, log: &mut Log) {
    let Some(image) = assessment.image_based.as_deref().filter(|image| image.record == Record::Seen) else { return };
    for run in &image.history {
        let stage = run.stage.word();
        log.add(run.started, Level::Info, image_subject(), || format!("image-based upgrade: {stage} began"));
        for phase in &run.phases {
            let name = &phase.name;
            log.add(phase.completed, Level::Info, image_subject(), || format!("image-based upgrade: {name} ended"));
        }
        log.add(run.completed, Level::Info, image_subject(), || format!("image-based upgrade: {stage} completed"));
    }
    if image.under_way()
        && let Some((level, text)) = image_entry(None, image)
    {
        log.add(image.since, level, image_subject(), || text);
    }
}

fn history(assessment: &Assessment, log: &mut Log) {
    let Some(version) = &assessment.facts.cluster_version else { return };
    let history = &version.status.history;
    for (place, entry) in history.iter().enumerate().take(HISTORY) {
        let name = if entry.version.is_empty() { &entry.image } else { &entry.version };
        let what = if place + 1 == history.len() { "installation of" } else { "update to" };
        log.add(entry.started, Level::Info, Subject::Version, || format!("{what} {name} started"));
        if entry.is_completed() {
            log.add(entry.completed, Level::Info, Subject::Version, || format!("control plane is at {name}"));
        } else if entry.completed.is_some() {
            log.add(entry.completed, Level::Warning, Subject::Version, || format!("update to {name} given up"));
        }
    }
}

fn version(assessment: &Assessment, log: &mut Log) {
    let Some(version) = &assessment.facts.cluster_version else { return };
    for (kind, status, level, words) in [
        ("ReleaseAccepted", Tri::True, Level::Info, "release accepted"),
        ("ReleaseAccepted", Tri::False, Level::Error, "release not accepted"),
        ("Failing", Tri::True, Level::Error, "the cluster-version operator fails"),
    ] {
        if let Some(condition) = version.status.conditions.condition(kind).filter(|found| found.status == status) {
            let detail = if level == Level::Info { "" } else { words::first_line(&condition.message) };
            let colon = if detail.is_empty() { "" } else { ": " };
            log.add(condition.since, level, Subject::Version, || format!("{words}{colon}{detail}"));
        }
    }
}

fn operators(assessment: &Assessment, log: &mut Log) {
    for row in assessment.operators.rows.iter().filter(|row| row.platform) {
        let why = words::first_line(&row.message);
        let (level, text) = match row.state {
            OperatorState::Unavailable => (Level::Warning, format!("{} is not available: {why}", row.name)),
            OperatorState::Degraded => (Level::Warning, format!("{} is degraded: {why}", row.name)),
            OperatorState::Updating => (Level::Info, format!("{} is updating", row.name)),
            // Progressing that ended before the update began says nothing about the update.
            OperatorState::Updated if !row.progressing && row.since >= assessment.update.started => {
                (Level::Info, format!("{} is at {}", row.name, row.version.as_deref().unwrap_or("the target")))
            }
            OperatorState::Updated | OperatorState::Waiting => continue,
        };
        log.add(row.since, level, Subject::Operator(row.name.clone()), || text);
    }
}

fn pools(assessment: &Assessment, log: &mut Log) {
    for pool in &assessment.pools {
        let subject = || Subject::Pool(pool.name.clone());
        log.add(pool.rolling_since, Level::Info, subject(), || {
            format!("pool {} goes to {}", pool.name, pool.target.as_deref().unwrap_or("a new configuration"))
        });
        if let Some((manager, at)) = &pool.paused_by {
            log.add(*at, Level::Info, subject(), || format!("pool {} paused by {manager}", pool.name));
        }
        let object = assessment.facts.pools.iter().find(|object| object.name() == pool.name);
        let updated = object.and_then(|object| object.status.conditions.condition("Updated"));
        if let Some(updated) = updated.filter(|updated| updated.status == Tri::True && !pool.outdated()) {
            let nodes = words::count(pool.total, "node");
            log.add(updated.since, Level::Info, subject(), || format!("pool {} is done, {nodes}", pool.name));
        }
    }
}

/// The steps of a MachineConfigNode that were reached.
fn steps(node: &MachineConfigNode, log: &mut Log) {
    let name = node.name();
    let steps = Steps::of(node);
    let table = [
        (steps.cordoned, "cordoned"),
        (steps.drained, "drained"),
        (steps.rebooted, "is back from its reboot"),
        (steps.resumed, "runs the configuration"),
        (steps.updated, "is done"),
    ];
    for (step, words) in table {
        if let Some(step) = step.filter(|step| step.status == Tri::True) {
            log.add(step.since, Level::Info, Subject::Node(name.to_owned()), || format!("{name} {words}"));
        }
    }
    if let Some(rebooting) = steps.rebooted.filter(|rebooted| rebooted.status == Tri::Unknown) {
        log.add(rebooting.since, Level::Info, Subject::Node(name.to_owned()), || format!("{name} reboots"));
    }
    if let Some(degraded) = steps.degraded.filter(|degraded| degraded.status == Tri::True) {
        let why = words::first_line(&degraded.message);
        log.add(degraded.since, Level::Error, Subject::Node(name.to_owned()), || format!("{name} is degraded: {why}"));
    }
}

fn nodes(assessment: &Assessment, log: &mut Log) {
    for (node, object) in assessment.nodes.iter().zip(assessment.facts.nodes.iter()) {
        let name = &node.name;
        let subject = || Subject::Node(name.clone());
        if let Some(cordon) = &node.cordon {
            let by = cordon.manager.as_deref().filter(|_| !cordon.by_mco);
            let by = by.map(|manager| format!(" by {manager}")).unwrap_or_default();
            log.add(cordon.since, Level::Info, subject(), || format!("{name} cordoned{by}"));
        }
        if let Some(ready) = object.status.conditions.condition("Ready") {
            let words = if node.ready { "is ready" } else { "is not ready" };
            log.add(ready.since, Level::Info, subject(), || format!("{name} {words}"));
        }
    }
}

/// What is worth telling of an Event, by its reason: events of the machine-config operator on nodes, and of the
/// cluster-version operator. Others are left out: each is said many times over by somebody.
fn said(event: &Event, log: &mut Log) {
    let (level, words) = match event.reason.as_str() {
        "SetDesiredConfig" => (Level::Info, "targeted"),
        "Cordon" => (Level::Info, "cordoned"),
        "Drain" => (Level::Info, "drain started"),
        "Reboot" => (Level::Info, "reboots"),
        "OSUpdateStaged" => (Level::Info, "OS update staged"),
        "NodeDone" => (Level::Info, "is done"),
        "DrainThresholdExceeded" => (Level::Warning, "drain has failed for 10 minutes"),
        "DrainFailed" => (Level::Error, "drain has failed for an hour"),
        "FailedToDrain"
        | "FailedToUncordon"
        | "FailedToReconcile"
        | "ConfigDriftDetected"
        | "OnDiskStateValidationFailed"
        | "PreflightConfigDriftCheckFailed" => (Level::Error, ""),
        "RetrievePayloadFailed" | "LoadPayloadFailed" | "VerifyPayloadVersionFailed" | "PreconditionBlock" => {
            let text = || format!("{}: {}", event.reason, words::first_line(&event.message));
            log.add(event.last_at(), Level::Error, Subject::Version, text);
            return;
        }
        _ => return,
    };
    let Some(name) = node_of(event) else { return };
    let text = if words.is_empty() {
        format!("{name}: {}", words::first_line(&event.message))
    } else {
        format!("{name} {words}")
    };
    log.add(event.first_at(), level, Subject::Node(name.to_owned()), || text);
}

//! The checks: what a person should know. One file per check, named as its findings are.
//!
//! A check reads the assessment (rows, counts, facts) and the memory's clocks, and adds findings. It never looks at
//! another check's findings.

mod capacity_exhausted;
mod cvo_failing;
mod drain_blocked;
mod invalid_request;
mod kind_unreadable;
mod link_stale;
mod node_degraded;
mod node_not_ready;
mod node_unmanaged;
mod not_upgradeable;
mod operator_degraded;
pub mod operator_slow;
mod operator_unavailable;
mod pool_degraded;
mod pool_paused;
mod release_not_accepted;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Evidence, Finding, Impact, Level, Resource, Subject, age};
use super::memory::Memory;

/// What a check looks at.
pub(super) struct Look<'a> {
    /// Rows and facts; its findings and verdict are not made yet.
    pub now: &'a Assessment,
    /// The clocks.
    pub memory: &'a Memory,
}

/// A finding that the checks can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// What it says, in one line.
    pub title: &'static str,
}

const fn entry(id: &'static str, title: &'static str) -> Entry {
    Entry { id, title }
}

/// All findings that there are, for help, documentation and tests.
pub const CATALOGUE: &[Entry] = &[
    // Drains.
    entry("drain-blocked", "a drain does not come to an end, and which pods hold it up"),
    // Nodes.
    entry("node-degraded", "the machine-config daemon failed on a node"),
    entry("node-not-ready", "a node is not ready, or its reboot takes long"),
    entry("node-unmanaged", "a node that no pool updates"),
    // Pools.
    entry("pool-paused", "a paused pool whose nodes are not at its configuration"),
    entry("pool-degraded", "a pool says that something is wrong"),
    entry("capacity-exhausted", "nodes wait and the controller takes no further one"),
    // Operators and the update itself.
    entry("operator-unavailable", "what an operator provides does not work"),
    entry("operator-degraded", "an operator says that something is wrong"),
    entry("operator-slow", "an operator takes longer than it should"),
    entry("cvo-failing", "the cluster-version operator says that it fails, or may"),
    entry("release-not-accepted", "a requested update was refused, or takes long to be accepted"),
    entry("invalid-request", "the requested update is not valid"),
    entry("not-upgradeable", "minor updates are held up"),
    // What this program can see.
    entry("kind-unreadable", "a kind, or an object of it, cannot be read"),
    entry("link-stale", "the API server does not answer"),
];

type Check = fn(&Look, &mut Vec<Finding>);

const CHECKS: &[Check] = &[
    drain_blocked::check,
    node_degraded::check,
    node_not_ready::check,
    pool_paused::check,
    pool_degraded::check,
    capacity_exhausted::check,
    operator_unavailable::check,
    operator_degraded::check,
    operator_slow::check,
    cvo_failing::check,
    release_not_accepted::check,
    invalid_request::check,
    not_upgradeable::check,
    node_unmanaged::check,
    kind_unreadable::check,
    link_stale::check,
];

/// All findings, worst first; among equals the unexpected before the expected, then the oldest.
pub fn all(assessment: &Assessment, memory: &Memory) -> Vec<Finding> {
    let look = Look { now: assessment, memory };
    let mut found = Vec::new();
    for check in CHECKS {
        check(&look, &mut found);
    }
    let undated = DateTime::<Utc>::MAX_UTC;
    found.sort_by(|a, b| {
        (b.level, a.expected, a.since.unwrap_or(undated), a.id, &a.subject).cmp(&(
            a.level,
            b.expected,
            b.since.unwrap_or(undated),
            b.id,
            &b.subject,
        ))
    });
    found
}

/// A finding without meaning, remedies, time and evidence: what every check begins with. Its resource is its subject.
fn finding(id: &'static str, level: Level, subject: Subject, title: String) -> Finding {
    let resources = match &subject {
        Subject::Version => vec![Resource::version()],
        Subject::Operator(name) => vec![Resource::operator(name)],
        Subject::Pool(name) => vec![Resource::pool(name)],
        Subject::Node(name) => vec![Resource::node(name)],
        Subject::Object(resource) => vec![resource.clone()],
        Subject::Link => Vec::new(),
    };
    Finding {
        id,
        level,
        impact: Impact::default(),
        subject,
        resources,
        title,
        meaning: String::new(),
        remedies: Vec::new(),
        link: None,
        since: None,
        first_seen: None,
        expected: false,
        evidence: Vec::new(),
        because: None,
    }
}

/// A level by age: the highest whose age is reached; unknown ages count as just begun.
fn by_age(since: Option<DateTime<Utc>>, now: DateTime<Utc>, warning: TimeDelta, error: TimeDelta) -> Level {
    let old = since.map_or(TimeDelta::zero(), |since| age(since, now));
    if old >= error {
        Level::Error
    } else if old >= warning {
        Level::Warning
    } else {
        Level::Info
    }
}

fn evidence(object: String, field: &str, value: impl Into<String>, at: Option<DateTime<Utc>>) -> Evidence {
    Evidence { object, field: field.to_owned(), value: value.into(), at }
}

//! The checks: what a person should know. One file per check, named as its findings are.
//!
//! A check reads the assessment (rows, counts, facts) and the memory's clocks, and adds findings. It never looks at
//! another check's findings.

mod admin_ack_missing;
mod alert_firing;
mod capabilities_implicit;
mod capacity_exhausted;
mod clear_came_too_late;
pub(super) mod cv_overrides;
mod cvo_down;
mod cvo_failing;
mod cvo_failing_early;
mod drain_blocked;
mod etcd_member_unhealthy;
mod hop_refused;
mod invalid_request;
mod kind_unreadable;
mod link_stale;
mod multi_arch_left;
mod no_failing_condition;
mod node_degraded;
mod node_not_ready;
mod node_unmanaged;
pub(super) mod not_upgradeable;
mod operator_degraded;
pub mod operator_slow;
mod operator_unavailable;
mod packageserver_stuck;
mod payload_pull_failed;
mod payload_version_mismatch;
mod pool_degraded;
mod pool_paused;
mod preflight_mode_left;
mod release;
mod release_not_accepted;
pub(super) mod removed_api_used;
mod risk_unknown;
mod several_errors;
pub(super) mod signature_missing;
#[cfg(test)]
mod tests;
mod update_blocked_by_webhook;
mod update_partial;
pub(super) mod updates_not_retrieved;

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
    entry("etcd-member-unhealthy", "a member of etcd is down"),
    entry("packageserver-stuck", "the package server never gets installed"),
    entry("cvo-failing", "the cluster-version operator says that it fails, or may"),
    entry("cvo-failing-early", "a degraded operator is called failing before its time is over"),
    entry("several-errors", "the cluster-version operator fails because of several errors"),
    entry("no-failing-condition", "the ClusterVersion does not say whether the update fails"),
    entry("update-blocked-by-webhook", "the API server rejects a manifest of the release"),
    entry("cvo-down", "the cluster-version operator does not run"),
    // Requests.
    entry("release-not-accepted", "a requested update was refused, or takes long to be accepted"),
    entry("signature-missing", "the requested release cannot be verified"),
    entry("payload-pull-failed", "the image of the requested release cannot be pulled"),
    entry("payload-version-mismatch", "the requested image holds another version"),
    entry("hop-refused", "there is no way to the requested version in one step"),
    entry("invalid-request", "the requested update is not valid"),
    entry("preflight-mode-left", "the request says that the release is only to be checked"),
    entry("clear-came-too-late", "the request was withdrawn after the update had begun"),
    entry("update-partial", "an update was begun before the one before it had ended"),
    entry("multi-arch-left", "pools still roll to the multi-architecture release"),
    // What stands in the way of the next update.
    entry("not-upgradeable", "minor updates are held up"),
    entry("admin-ack-missing", "a gate for minor updates is not acknowledged"),
    entry("cv-overrides", "components are out of the cluster-version operator's hands"),
    entry("removed-api-used", "an API that the next minor drops is still used"),
    entry("risk-unknown", "whether risks of versions apply here is unknown"),
    entry("updates-not-retrieved", "the cluster does not learn which updates there are"),
    entry("capabilities-implicit", "an update switched optional parts of the platform on"),
    // Monitoring.
    entry("alert-firing", "an alert that bears on the update fires"),
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
    etcd_member_unhealthy::check,
    packageserver_stuck::check,
    cvo_failing::check,
    cvo_failing_early::check,
    several_errors::check,
    no_failing_condition::check,
    update_blocked_by_webhook::check,
    cvo_down::check,
    release_not_accepted::check,
    signature_missing::check,
    payload_pull_failed::check,
    payload_version_mismatch::check,
    hop_refused::check,
    invalid_request::check,
    preflight_mode_left::check,
    clear_came_too_late::check,
    update_partial::check,
    multi_arch_left::check,
    not_upgradeable::check,
    admin_ack_missing::check,
    cv_overrides::check,
    removed_api_used::check,
    risk_unknown::check,
    updates_not_retrieved::check,
    capabilities_implicit::check,
    alert_firing::check,
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

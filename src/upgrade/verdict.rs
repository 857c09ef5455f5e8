//! The verdict: one word for where the update stands, one sentence why, and what it rests on.
//!
//! The first judge that has something to say wins; the order is how much it matters to the person at the keyboard. Each
//! verdict but `Unknown` names what it rests on.

mod advancing;
mod ending;
mod failure;
mod refusal;
mod standstill;
#[cfg(test)]
mod verdict_tests;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Evidence, Pool, Verdict, VerdictKind};
use super::facts::{Kind, KindStatus};
use super::image_based::image_verdict;
use super::memory::Memory;
use super::words;
use crate::api::{Condition, Conditions as _};

pub use standstill::standing_pool;

/// How long nothing may move although something should.
pub const STALL: TimeDelta = TimeDelta::minutes(5);

/// How long operators have to be quiet before an update is called completed: the rule by which release tests wait for a
/// stable cluster.
pub const QUIET: TimeDelta = TimeDelta::minutes(5);

/// How long `Failing` stays the verdict when the cluster-version operator takes it back: it flips with each attempt.
pub const HOLD: TimeDelta = TimeDelta::seconds(60);

/// Which verdict may not follow which, and why, as long as the cluster is watched without a gap: whatever is not listed
/// may, and each follows itself. A session may begin with any, and go on with any after an outage of the link. `Failing` is
/// held for a moment ([`HOLD`]), since it flips with each attempt of the cluster-version operator.
pub const NEVER: &[(VerdictKind, VerdictKind, &str)] = {
    use VerdictKind::{Completed, ConfigRollout, NotUpdating, Slow, Stalled, UpdatingPools};
    &[
        (NotUpdating, UpdatingPools, "the control plane updates before the other pools: that is seen first"),
        (NotUpdating, Slow, "operators are slow after minutes of an update, which are seen first"),
        (NotUpdating, Stalled, "nothing can stand still that was not rolling before"),
        (NotUpdating, Completed, "only what was begun is completed"),
        (UpdatingPools, Slow, "operators are done when pools alone are left, and only operators are called slow"),
        (ConfigRollout, Slow, "no operator applies a release meanwhile"),
        (Slow, NotUpdating, "an update that goes on slowly ends completed, or replaced by another one"),
        (Completed, Slow, "another update begins before it can be slow"),
    ]
};

/// May the verdict `is` follow `was`, when nothing was missed in between?
pub fn may_follow(was: VerdictKind, is: VerdictKind) -> bool {
    !NEVER.iter().any(|(from, to, _)| (*from, *to) == (was, is))
}

/// The verdict on all that is known.
pub fn verdict(assessment: &Assessment, memory: &Memory) -> Verdict {
    let judges = [
        image_verdict::judge,
        unknown,
        failure::failing,
        failure::just_failed,
        refusal::refused,
        refusal::invalid,
        refusal::unheard,
        standstill::drain_blocked,
        advancing::required_pool_paused,
        standstill::stalled,
        standstill::slow,
        refusal::requested,
        advancing::control_plane,
        advancing::pools,
        advancing::paused,
        ending::unseen,
        ending::ending,
    ];
    let mut verdict =
        judges.iter().find_map(|judge| judge(assessment, memory)).unwrap_or_else(|| ending::not_updating(assessment));
    failure::add_doubts(assessment, &mut verdict);
    if verdict.since.is_none() {
        let before = memory.settled(&assessment.facts).map(|last| &last.verdict);
        verdict.since = before.filter(|before| before.kind == verdict.kind).and_then(|before| before.since);
    }
    verdict
}

fn condition<'a>(assessment: &'a Assessment, kind: &str) -> Option<&'a Condition> {
    assessment.facts.cluster_version.as_ref()?.status.conditions.condition(kind)
}

/// A condition of the ClusterVersion as evidence.
pub fn version_evidence(condition: &Condition) -> Evidence {
    Evidence {
        object: VERSION.to_owned(),
        field: condition.kind.clone(),
        value: match condition.reason.as_str() {
            "" => condition.status.word().to_owned(),
            reason => format!("{} ({reason})", condition.status.word()),
        },
        at: condition.since,
    }
}

/// The ClusterVersion as evidence names it.
const VERSION: &str = "clusterversion/version";

fn evidence(object: String, field: &str, value: impl Into<String>, at: Option<DateTime<Utc>>) -> Evidence {
    Evidence { object, field: field.to_owned(), value: value.into(), at }
}

/// The newest entry of the history as evidence; what a ClusterVersion without one says otherwise.
fn history_evidence(assessment: &Assessment) -> Evidence {
    let status = assessment.facts.cluster_version.as_ref().map(|version| &version.status);
    if let Some(entry) = status.and_then(|status| status.history.first()) {
        let name = if entry.version.is_empty() { &entry.image } else { &entry.version };
        let value = format!("{} {name}", entry.state);
        return evidence(VERSION.to_owned(), "status.history[0]", value, entry.completed.or(entry.started));
    }
    let desired = status.map(|status| status.desired.version.clone()).filter(|version| !version.is_empty());
    let value = desired.unwrap_or_else(|| "no history and no version".to_owned());
    evidence(VERSION.to_owned(), "status.desired.version", value, None)
}

/// The condition of the ClusterVersion as evidence, or the history where it is missing.
fn evidence_of(assessment: &Assessment, kind: &str) -> Evidence {
    condition(assessment, kind).map_or_else(|| history_evidence(assessment), version_evidence)
}

fn told(condition: &Condition) -> String {
    match (condition.reason.as_str(), words::first_line(&condition.message)) {
        ("", "") => "it gives no reason".to_owned(),
        (reason, "") => reason.to_owned(),
        (_, message) => message.to_owned(),
    }
}

/// The pool's configuration is the one that the update ends with.
pub fn rendered(assessment: &Assessment, pool: &Pool) -> bool {
    pool.target_version.is_none() || pool.target_version == assessment.update.to
}

fn unknown(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    if assessment.facts.cluster_version.is_some() {
        return None;
    }
    let why = match (assessment.openshift, assessment.facts.status(Kind::ClusterVersions)) {
        (_, KindStatus::Waiting) => "the cluster has not been read yet".to_owned(),
        (Some(false), _) => "this is not an OpenShift cluster: it has no ClusterVersion".to_owned(),
        (_, KindStatus::Forbidden(trouble) | KindStatus::Failing(trouble)) => {
            format!("the ClusterVersion cannot be read: {}", trouble.words)
        }
        _ => "there is no ClusterVersion named version".to_owned(),
    };
    Some(Verdict { kind: VerdictKind::Unknown, why, since: None, evidence: Vec::new() })
}

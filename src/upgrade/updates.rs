//! Where the cluster could go: versions on offer with their risks, and what stands in the way.
//!
//! The rules are those of `oc adm upgrade recommend` (oc: pkg/cli/admin/upgrade/recommend), so that both name the same
//! versions and the same issues; gates and operators are told on top.

mod choices;
mod gates;
mod precheck_alerts;
mod removed_apis;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use semver::Version;

pub use gates::acknowledge;
pub use removed_apis::{StillUsed, kubernetes_of_next_minor, still_used};

use super::alert::Alert;
use super::assessment::Assessment;
use super::facts::{Kind, KindStatus};
use crate::api::{ClusterVersion, Conditions as _, ConfigMap, Release, Tri};

/// A risk of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// Name: of the conditional risk, or [`UPGRADEABLE_FALSE`].
    pub name: String,
    /// Does it apply to this cluster? None: that could not be evaluated.
    pub applies: Option<bool>,
    /// What may happen.
    pub message: String,
    /// Where to read more.
    pub url: String,
    /// Accepted in `spec.desiredUpdate.acceptRisks`.
    pub accepted: bool,
}

/// The risk that stands for `Upgradeable=False` (oc: pkg/cli/admin/upgrade/recommend/recommend.go).
pub const UPGRADEABLE_FALSE: &str = "UpgradeableFalse";

/// The issue of a version that is not recommended for this cluster.
pub const CONDITIONAL_UPDATE_RISK: &str = "ConditionalUpdateRisk";

/// The issue of a cluster whose alerts could not be read.
pub const FAILED_TO_COMPLETE_PRECHECK: &str = "FailedToCompletePrecheck";

/// A version that the cluster could go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Version.
    pub version: String,
    /// Pull spec by digest.
    pub image: String,
    /// Recommended for this cluster, with `Upgradeable` taken into account.
    pub recommended: bool,
    /// Whether it is recommended could not be found out (`Recommended` is Unknown, or missing beside risks).
    pub unknown: bool,
    /// `Recommended` reason, or empty: `ExposedToRisks`, `EvaluationFailed`, `MultipleReasons` ...
    pub reason: String,
    /// Its message, or empty.
    pub message: String,
    /// Its risks.
    pub risks: Vec<Risk>,
    /// Release notes.
    pub url: Option<String>,
    /// Channels that hold it.
    pub channels: Vec<String>,
    /// Another minor or major version: `Upgradeable=False` blocks it.
    pub minor: bool,
}

/// An issue of the cluster that speaks against any update now, as `oc adm upgrade recommend` names them
/// (oc: pkg/cli/admin/upgrade/recommend): `Failing`, `Progressing`, an alert's name ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Name, as `--accept` takes it. Several alerts may share one.
    pub name: String,
    /// A word for machines: the reason of the condition, `Alert:firing`; may be empty.
    pub reason: String,
    /// What it says.
    pub message: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Where to read more.
    pub url: Option<String>,
}

/// An operator that says `Upgradeable=False`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUpgradeable {
    /// Name.
    pub operator: String,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// A gate that an administrator has to acknowledge before a minor update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Key in `admin-gates` and `admin-acks`.
    pub key: String,
    /// What it says.
    pub message: String,
    /// Acknowledged; none: `admin-acks` could not be read.
    pub acknowledged: Option<bool>,
    /// The gate itself is wrong (its name, or that it says nothing): it blocks whatever is acknowledged.
    pub broken: bool,
}

/// Where the cluster could go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updates {
    /// A ClusterVersion was read: without one nothing below is known.
    pub known: bool,
    /// The moment of the assessment.
    pub now: Option<DateTime<Utc>>,
    /// The version that the cluster is at (`status.desired`).
    pub current: String,
    /// Channel; empty: none is set.
    pub channel: String,
    /// Channels that hold the present version.
    pub channels: Vec<String>,
    /// Update service; none: Red Hat's.
    pub upstream: Option<String>,
    /// Versions: major.minor descending, then newest first.
    pub choices: Vec<Choice>,
    /// What speaks against any update now.
    pub issues: Vec<Issue>,
    /// What the ClusterVersion says about minor updates; none: nothing speaks against one.
    pub not_upgradeable: Option<(String, String)>,
    /// Operators that speak against minor updates.
    pub operators: Vec<NotUpgradeable>,
    /// Gates that apply to the present minor; none: they could not be read.
    pub gates: Option<Vec<Gate>>,
    /// Names of risks that a person accepted (`spec.desiredUpdate.acceptRisks`).
    pub accepted_risks: Vec<String>,
}

impl Updates {
    /// A version on offer.
    pub fn choice(&self, version: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.version == version)
    }

    /// The names of all issues, with [`CONDITIONAL_UPDATE_RISK`] when `choice` is not recommended.
    pub fn issue_names(&self, choice: Option<&Choice>) -> BTreeSet<&str> {
        let risk = choice.filter(|choice| !choice.recommended).map(|_| CONDITIONAL_UPDATE_RISK);
        self.issues.iter().map(|issue| issue.name.as_str()).chain(risk).collect()
    }
}

/// The versions on offer of one minor, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minor<'a> {
    /// `4.19`; what is no version stands under `other`.
    pub name: String,
    /// Those that are shown.
    pub choices: Vec<&'a Choice>,
    /// How many older ones are left out.
    pub older: usize,
}

/// The newest two versions of each minor, newest minor first: what `oc adm upgrade recommend` shows unasked.
pub fn newest_two(updates: &Updates) -> Vec<Minor<'_>> {
    by_minor(updates, 2)
}

/// At most `limit` versions of each minor, newest minor first.
pub fn by_minor(updates: &Updates, limit: usize) -> Vec<Minor<'_>> {
    let mut minors: Vec<Minor> = Vec::new();
    for choice in &updates.choices {
        let name = minor_of(&choice.version).unwrap_or_else(|| "other".to_owned());
        if minors.last().is_none_or(|last| last.name != name) {
            minors.push(Minor { name, choices: Vec::new(), older: 0 });
        }
        if let Some(minor) = minors.last_mut() {
            if minor.choices.len() < limit {
                minor.choices.push(choice);
            } else {
                minor.older += 1;
            }
        }
    }
    minors
}

/// `4.19` of `4.19.3`; none of what is no version.
pub fn minor_of(version: &str) -> Option<String> {
    let version = Version::parse(version).ok()?;
    Some(format!("{}.{}", version.major, version.minor))
}

/// Where the cluster could go.
pub fn updates(assessment: &Assessment) -> Updates {
    let Some(version) = assessment.facts.cluster_version.as_deref() else { return Updates::default() };
    let desired = &version.status.desired;
    let wanted = version.spec.desired_update.as_ref();
    let upgradeable = version.status.conditions.condition("Upgradeable").filter(|gate| gate.status == Tri::False);
    Updates {
        known: true,
        now: Some(assessment.now),
        current: desired.version.clone(),
        channel: version.spec.channel.clone().unwrap_or_default(),
        channels: desired.channels.clone(),
        upstream: version.spec.upstream.clone().filter(|upstream| !upstream.is_empty()),
        choices: choices::choices(version),
        issues: issues(assessment, version),
        not_upgradeable: upgradeable.map(|gate| (gate.reason.clone(), gate.message.clone())),
        operators: not_upgradeable(assessment),
        gates: gates::gates(&assessment.facts, gate_version(version)),
        accepted_risks: wanted
            .map(|wanted| wanted.accept_risks.iter().map(|risk| risk.name.clone()).collect())
            .unwrap_or_default(),
    }
}

/// The versions on offer whose release fits: for who asks about one, without judging the others.
pub fn choices_of(version: &ClusterVersion, fits: impl Fn(&Release) -> bool) -> Vec<Choice> {
    choices::fitting(version, fits)
}

/// Does an alert speak against any update, by the rules of `oc adm upgrade recommend`?
pub(super) fn speaks_against_update(alert: &Alert) -> bool {
    precheck_alerts::why(alert).is_some()
}

/// Gates that apply and whether they are acknowledged; none: they could not be read.
pub fn gates_of(assessment: &Assessment) -> Option<Vec<Gate>> {
    let version = assessment.facts.cluster_version.as_deref()?;
    gates::gates(&assessment.facts, gate_version(version))
}

/// The same of the two ConfigMaps as they were read by themselves; none: it does not exist. `version`: [`gate_version`].
pub fn gates_in(gates: Option<&ConfigMap>, acks: Option<&ConfigMap>, version: &str) -> Vec<Gate> {
    gates::judge(gates, |key| Some(acks.is_some_and(|acks| gates::is_acknowledged(acks, key))), version)
}

/// The version that gates are judged for: the newest that was completed (cluster-version-operator, pkg/cvo/status.go,
/// `getCurrentVersion`).
pub fn gate_version(version: &ClusterVersion) -> &str {
    let completed = version.status.history.iter().find(|entry| entry.is_completed() && !entry.version.is_empty());
    completed.map_or(version.status.desired.version.as_str(), |entry| entry.version.as_str())
}

fn not_upgradeable(assessment: &Assessment) -> Vec<NotUpgradeable> {
    let operators = assessment.facts.operators.iter().filter_map(|operator| {
        let gate = operator.status.conditions.condition("Upgradeable")?;
        (gate.status == Tri::False).then(|| NotUpgradeable {
            operator: operator.name().to_owned(),
            reason: gate.reason.clone(),
            message: gate.message.clone(),
            since: gate.since,
        })
    });
    operators.collect()
}

/// What speaks against any update now, in the order in which `oc` looks at it.
fn issues(assessment: &Assessment, version: &ClusterVersion) -> Vec<Issue> {
    let conditions = &version.status.conditions;
    let told = |name: &str, kind: &str, absent: &str| {
        let condition = conditions.condition(kind);
        Issue {
            name: name.to_owned(),
            reason: condition.map(|condition| condition.reason.clone()).unwrap_or_default(),
            message: condition.map_or_else(|| absent.to_owned(), |condition| condition.message.clone()),
            since: condition.and_then(|condition| condition.since),
            url: None,
        }
    };
    let mut issues = Vec::new();
    if !conditions.is_false("Failing") {
        issues.push(told("Failing", "Failing", "the ClusterVersion does not say whether it fails"));
    }
    if conditions.is_true("Progressing") {
        issues.push(told("Progressing", "Progressing", ""));
    }
    match unread_alerts(assessment) {
        Some(why) => issues.push(Issue {
            name: FAILED_TO_COMPLETE_PRECHECK.to_owned(),
            reason: "AlertsUnknown".to_owned(),
            message: why,
            since: None,
            url: None,
        }),
        None => issues.extend(precheck_alerts::issues(&assessment.facts.around.alerts)),
    }
    if !conditions.is_true("RetrievedUpdates") {
        let absent = "the ClusterVersion does not say whether updates could be retrieved";
        issues.push(told("CannotRetrieveUpdates", "RetrievedUpdates", absent));
    }
    issues
}

/// Why the alerts are not known; none: they are.
pub(super) fn unread_alerts(assessment: &Assessment) -> Option<String> {
    let why = match assessment.facts.status(Kind::Alerts) {
        KindStatus::Live => return None,
        KindStatus::Failing(trouble) | KindStatus::Forbidden(trouble) => trouble.words.clone(),
        KindStatus::Absent => "the cluster has no monitoring that answers".to_owned(),
        KindStatus::NotAsked => "they were not read".to_owned(),
        KindStatus::Waiting => "they have not been read yet".to_owned(),
    };
    Some(format!("firing alerts are not known: {why}"))
}

#[cfg(test)]
mod updates_tests;

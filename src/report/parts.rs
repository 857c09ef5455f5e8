//! Pieces that several answers share, as their JSON has them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::API_VERSION;
use crate::upgrade::assessment::{self, Assessment, Level};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::KindStatus;
use crate::upgrade::link::Trouble;

/// A time: RFC 3339 in UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// With what an answer begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// Which answer.
    pub kind: &'static str,
    /// The moment that it speaks of; null: no ClusterVersion was read.
    pub now: Option<Moment>,
    /// The version that the cluster is at; null: unknown.
    pub current: Option<String>,
}

impl Head {
    /// The head of an answer; `current` empty: the version is not known.
    pub fn new(kind: &'static str, now: Option<DateTime<Utc>>, current: &str) -> Self {
        Self { api_version: API_VERSION, kind, now: now.map(Moment), current: said(current) }
    }
}

/// [`Problem::what`] when nobody answers, so that all that is told may be old.
pub const LINK: &str = "link";

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A resource as `oc get` takes it, a file, or `link`.
    pub what: String,
    /// What happened.
    pub words: String,
    /// The next thing to try.
    pub hint: Option<String>,
}

/// What kept kinds from being read, and single objects of them.
pub fn unread(assessment: &Assessment) -> impl Iterator<Item = Problem> + '_ {
    let facts = &assessment.facts;
    let told =
        |what: String, trouble: &Trouble| Problem { what, words: trouble.words.clone(), hint: said(&trouble.hint) };
    let link = facts.link.trouble.iter().map(move |trouble| told(LINK.to_owned(), trouble));
    let kinds = facts.kinds.iter().flat_map(move |(kind, state)| {
        let whole = match &state.status {
            KindStatus::Forbidden(trouble) | KindStatus::Failing(trouble) => Some(told(kind.resource(), trouble)),
            KindStatus::Waiting => {
                Some(Problem { what: kind.resource(), words: "they were not read".to_owned(), hint: None })
            }
            KindStatus::NotAsked | KindStatus::Live | KindStatus::Absent => None,
        };
        let single = state.unreadable.iter().map(|(name, why)| Problem {
            what: format!("{}/{name}", kind.resource()),
            words: why.clone(),
            hint: None,
        });
        whole.into_iter().chain(single).collect::<Vec<_>>()
    });
    link.chain(kinds)
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Plural and group, as `oc get` takes it: `nodes`, `clusteroperators.config.openshift.io`.
    pub resource: String,
    /// Null: cluster-scoped.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl From<&assessment::Resource> for Resource {
    fn from(from: &assessment::Resource) -> Self {
        Self { resource: from.resource.clone(), namespace: said(&from.namespace), name: from.name.clone() }
    }
}

/// What a statement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// `kind/name`.
    pub object: String,
    /// Path of the field, or the name of the condition.
    pub field: String,
    /// Its value.
    pub value: String,
    /// The time that the object gives for it.
    pub at: Option<Moment>,
}

impl From<&assessment::Evidence> for Evidence {
    fn from(from: &assessment::Evidence) -> Self {
        Self {
            object: from.object.clone(),
            field: from.field.clone(),
            value: from.value.clone(),
            at: from.at.map(Moment),
        }
    }
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    /// In words.
    pub words: String,
    /// `L` (reversible), `M` (may disrupt workloads or start reboots), `H` (can lose quorum, data or support); null: it
    /// changes nothing in the cluster.
    pub danger: Option<Danger>,
    /// The `oc` line for it.
    pub oc: Option<String>,
}

impl From<&assessment::Remedy> for Remedy {
    fn from(from: &assessment::Remedy) -> Self {
        Self { words: from.words.clone(), danger: from.danger, oc: from.oc.clone() }
    }
}

/// `list` in another form.
pub fn each<'a, A: 'a, B: From<&'a A>>(list: &'a [A]) -> Vec<B> {
    list.iter().map(B::from).collect()
}

/// A text, unless it is empty: what is not known is null.
pub fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The word of a level, in JSON and in text.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

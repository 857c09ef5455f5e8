//! What is written down about every attempted write, and who writes it down.
//!
//! An attempt is recorded before its request is sent, its outcome when the answer and the effect (or the end of the
//! wait for it) are known. Both share an id. An attempt without an outcome means that the program was killed in between:
//! the write may have been applied, and only the cluster can tell. The room `recorder` implements [`Audit`]; `cluster` only calls it.

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{ActionId, Args, Danger, Session, Target};
use crate::upgrade::assessment::Assessment;

/// Joins the two lines of one attempted write. Unique within the audit log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AuditId(pub String);

/// Who acts, on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// User name by SelfSubjectReview; none where the server does not serve it.
    pub user: Option<String>,
    /// `spec.clusterID` of the ClusterVersion.
    pub cluster_id: Option<String>,
    /// Context of the kubeconfig.
    pub context: String,
}

impl Actor {
    /// As known now.
    pub fn of(assessment: &Assessment, session: &Session) -> Self {
        Self {
            user: assessment.facts.access.user.clone(),
            cluster_id: assessment.cluster_id.clone(),
            context: session.context.clone(),
        }
    }
}

/// A request as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Method.
    pub method: &'static str,
    /// Path and query.
    pub uri: String,
    /// `Content-Type`; empty without a body.
    pub content_type: &'static str,
    /// Body.
    pub body: Value,
}

/// The answer to a question of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// [`super::Question::name`].
    pub name: String,
    /// What the person answered.
    pub answer: String,
}

/// A write that is about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// Action.
    pub action: ActionId,
    /// What the action is aimed at.
    pub target: Target,
    /// The values that were given with it.
    #[serde(skip_serializing_if = "Args::is_empty")]
    pub args: Args,
    /// Danger at the time of confirming.
    pub danger: Danger,
    /// The object of this write: `node/worker-1`.
    pub object: String,
    /// The request.
    pub request: Sent,
    /// The equivalent `oc` line.
    pub oc: String,
    /// The `oc` line that undoes it, made of what was there before; never of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// What the server said to the dry run of this write; none: it was not rehearsed.
    pub dry_run: Option<String>,
    /// Answers to the questions of the plan.
    pub answers: Vec<Given>,
    /// Which try of this write it is, from 1: further ones follow a conflict that changed nothing of the meaning.
    pub attempt: u32,
}

/// What came of a write, as far as the server's reply tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// The server accepted and stored it.
    Accepted {
        /// HTTP status.
        status: u16,
        /// resourceVersion after the write.
        #[serde(rename = "resourceVersion")]
        resource_version: String,
    },
    /// The server refused it, or accepted it and did not store what was asked for.
    Refused {
        /// HTTP status.
        status: u16,
        /// In words.
        words: String,
    },
    /// No answer, or none that can be read: it may or may not have been applied.
    Unknown {
        /// In words.
        words: String,
    },
}

/// Whether the watch showed the effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Proof {
    /// The watch showed it.
    Seen {
        /// When.
        at: DateTime<Utc>,
    },
    /// It was waited for until then, and not seen.
    NotSeen {
        /// The end of the wait.
        until: DateTime<Utc>,
    },
    /// The program ended before it was seen.
    Abandoned,
    /// Nothing to wait for: the write was refused.
    None,
}

impl Proof {
    /// The same, its moment told by a clock that is ahead by so much.
    #[must_use]
    pub fn ahead_by(self, ahead: TimeDelta) -> Self {
        match self {
            Self::Seen { at } => Self::Seen { at: at + ahead },
            Self::NotSeen { until } => Self::NotSeen { until: until + ahead },
            same @ (Self::Abandoned | Self::None) => same,
        }
    }
}

/// The book in which attempted writes are entered. Cheap to clone; all methods may wait for the disk.
pub trait Audit: Clone + Send + Sync + 'static {
    /// Enters an attempt and makes it durable. An error (in words) means that nothing may be sent.
    fn attempt(&self, attempt: Attempt) -> impl Future<Output = Result<AuditId, String>> + Send;

    /// Notes the answer. A refusal ends the entry at once; an accepted or unknown write waits for its proof.
    fn answered(&self, id: &AuditId, answer: Answer) -> impl Future<Output = ()> + Send;

    /// Ends the entries of accepted (or unknown) writes with what the watch showed.
    fn proved(&self, ids: &[AuditId], proof: Proof) -> impl Future<Output = ()> + Send;
}

//! What a plan is made of beside the assessment: what was read for it alone, files that the person named included.

use serde::Serialize;
use serde_json::Value;

use super::pods::PodList;
use crate::upgrade::access::{Answer, Permission};

/// Something to read before confirming, because the plan depends on it and it is not watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The pods on a node: they complete the consequences.
    PodsOn(String),
    /// The object at a path, raw.
    Object(String),
    /// The objects at the path of a collection (a query for a selector may follow), raw, all pages.
    List(String),
    /// The objects in a file that the person handed over, YAML or JSON; read on this machine, not from the cluster.
    File(String),
    /// Whether the user may do something in a namespace, by a SelfSubjectAccessReview.
    Access {
        /// What.
        permission: Permission,
        /// Where.
        namespace: String,
    },
}

impl Read {
    /// What is read: a path, a node, or a question.
    pub fn words(&self) -> String {
        match self {
            Self::PodsOn(node) => format!("pods on {node}"),
            Self::Object(path) | Self::List(path) | Self::File(path) => path.clone(),
            Self::Access { permission, namespace } => format!("permission to {} in {namespace}", permission.words()),
        }
    }
}

/// What a read found.
#[derive(Clone, PartialEq)]
pub enum Found {
    /// The pods on a node.
    Pods(PodList),
    /// An object as the server sent it; none: it does not exist, or its kind is not served.
    Object(Option<Value>),
    /// The objects of a collection; none: its kind is not served.
    List(Option<Vec<Value>>),
    /// The objects in a file, in their order.
    File(Vec<Value>),
    /// The answer of the server.
    Access(Answer),
}

// What was read may be a Secret: its content is in no log and no panic message.
impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, count) = match self {
            Self::Pods(list) => ("Pods", list.pods.len()),
            Self::Object(found) => ("Object", usize::from(found.is_some())),
            Self::List(found) => ("List", found.as_ref().map_or(0, Vec::len)),
            Self::File(objects) => ("File", objects.len()),
            Self::Access(answer) => ("Access", usize::from(*answer == Answer::Allowed)),
        };
        f.debug_tuple(kind).field(&count).finish()
    }
}

/// What was read for a plan.
#[derive(Clone, Default, PartialEq)]
pub struct Material {
    /// Answers to [`super::Plan::reads`], in words where something could not be read.
    pub answers: Vec<(Read, Result<Found, String>)>,
    /// Objects of the plan's writes as the server has them now, by path: newer than the answers and than the watch.
    pub fresh: Vec<(String, Value)>,
}

// Objects that were read may be Secrets.
impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reads: Vec<&Read> = self.answers.iter().map(|(read, _)| read).collect();
        f.debug_struct("Material").field("reads", &reads).finish_non_exhaustive()
    }
}

impl Material {
    /// The answer to a read; none: it was not read yet.
    pub fn answer(&self, read: &Read) -> Option<Result<&Found, &str>> {
        let (_, answer) = self.answers.iter().find(|(asked, _)| asked == read)?;
        Some(answer.as_ref().map_err(String::as_str))
    }

    /// The object at `path`: none when it was not read yet, an error in words when it could not be read, `Ok(None)` when
    /// it does not exist.
    pub fn object(&self, path: &str) -> Option<Result<Option<&Value>, &str>> {
        if let Some((_, fresh)) = self.fresh.iter().find(|(at, _)| at == path) {
            return Some(Ok(Some(fresh)));
        }
        Some(match self.answer(&Read::Object(path.to_owned()))? {
            Ok(Found::Object(found)) => Ok(found.as_ref()),
            Ok(_) => Err("the answer is no object"),
            Err(words) => Err(words),
        })
    }

    /// The objects of the collection at `path`: as [`Self::object`].
    pub fn list(&self, path: &str) -> Option<Result<Option<&[Value]>, &str>> {
        Some(match self.answer(&Read::List(path.to_owned()))? {
            Ok(Found::List(found)) => Ok(found.as_deref()),
            Ok(_) => Err("the answer is no list"),
            Err(words) => Err(words),
        })
    }

    /// The pods on a node: none when they were not read yet.
    pub fn pods(&self, node: &str) -> Option<Result<&PodList, &str>> {
        Some(match self.answer(&Read::PodsOn(node.to_owned()))? {
            Ok(Found::Pods(pods)) => Ok(pods),
            Ok(_) => Err("the answer is no list of pods"),
            Err(words) => Err(words),
        })
    }

    /// The objects in the file at `path`: none when it was not read yet.
    pub fn file(&self, path: &str) -> Option<Result<&[Value], &str>> {
        Some(match self.answer(&Read::File(path.to_owned()))? {
            Ok(Found::File(objects)) => Ok(objects),
            Ok(_) => Err("the answer is no file"),
            Err(words) => Err(words),
        })
    }

    /// The same with `fresh` objects in place of those of before.
    #[must_use]
    pub fn refreshed(&self, fresh: Vec<(String, Value)>) -> Self {
        Self { fresh, ..self.clone() }
    }
}

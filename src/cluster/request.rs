//! Single requests: for reads that are not watched, and for the writes of a plan.

use std::time::Duration;

use serde_json::Value;

use super::pods::PodOnNode;
use crate::actions::Read;
use crate::clock;
use crate::upgrade::facts::Kind;
use crate::upgrade::link::{Trouble, TroubleKind};

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Content type of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`.
    Json,
    /// `application/merge-patch+json`.
    MergePatch,
    /// `application/strategic-merge-patch+json`.
    StrategicPatch,
    /// `application/json-patch+json`.
    JsonPatch,
}

/// One request. Never retried by itself: whoever sends decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path, starting with `/`, without query.
    pub path: String,
    /// Query parameters; they are percent-encoded on the way.
    pub query: Vec<(String, String)>,
    /// Body with its content type.
    pub body: Option<(ContentType, Value)>,
    /// Limit for the whole exchange; none: the limit of the options.
    pub limit: Option<Duration>,
}

/// The answer to a request, of whatever status.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Body; a body that is not JSON comes as a string.
    pub body: Value,
    /// What `Retry-After` asks for.
    pub retry_after: Option<Duration>,
}

impl Reply {
    /// Is it 2xx?
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The way to send single requests.
#[derive(Debug, Clone, Default)]
pub struct Requests {}

impl Requests {
    /// Sends `request` once, with the newest credentials.
    ///
    /// # Errors
    /// Only what kept the answer from coming (refused, timeout, TLS ...); an answer of any status is a [`Reply`].
    pub async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        let _ = request;
        std::future::ready(Err(not_connected())).await
    }

    /// The object as the API serves it now.
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn fetch(&self, kind: Kind, name: &str) -> Result<Value, Trouble> {
        let _ = (kind, name);
        std::future::ready(Err(not_connected())).await
    }

    /// Something that a plan asks to be read before it is confirmed.
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn read(&self, read: &Read) -> Result<Vec<PodOnNode>, Trouble> {
        let _ = read;
        std::future::ready(Err(not_connected())).await
    }

    /// The user's name, as the server says it (SelfSubjectReview).
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn identity(&self) -> Result<String, Trouble> {
        std::future::ready(Err(not_connected())).await
    }

    /// The trouble that an answer other than 2xx means, in words, for `subject` (`pods`, `node/worker-1`).
    pub fn trouble(reply: &Reply, subject: &str) -> Trouble {
        let _ = (reply, subject);
        not_connected()
    }
}

fn not_connected() -> Trouble {
    Trouble {
        kind: TroubleKind::Credentials,
        words: "not connected to a cluster yet".to_owned(),
        hint: String::new(),
        since: clock::now(),
    }
}

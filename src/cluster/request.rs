//! Single requests: for reads that are not watched, and for the writes of a plan. None is ever repeated by itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::{Beside, Line};
use super::execute::pod_list;
use super::picture::Picture;
use super::pods;
use super::tail::{self, FoundPod, Tail};
use super::trouble::{self, Failure};
use crate::actions::{Found, Read};
use crate::clock;
use crate::upgrade::assessment::Resource;
use crate::upgrade::facts::Kind;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::log_source::{LogSource, PodQuery};

/// Limit of a single request, unless the options say another.
pub(super) const DEFAULT_LIMIT: Duration = Duration::from_secs(30);
/// The largest answer that is read to its end; a page of 250 large nodes is about 6 MiB.
const LARGEST: usize = 256 * 1024 * 1024;

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

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
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

impl ContentType {
    /// As the header says it.
    pub fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicPatch => "application/strategic-merge-patch+json",
            Self::JsonPatch => "application/json-patch+json",
        }
    }
}

/// One request. Never retried by itself: whoever sends decides.
#[derive(Clone, PartialEq)]
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

// A body may be that of a Secret: it is in no log and no panic message.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.body.as_ref().map(|(kind, body)| (kind, body.to_string().len()));
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("body", &body)
            .field("limit", &self.limit)
            .finish()
    }
}

impl Request {
    /// A request without query and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: None, limit: None }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: ContentType, body: Value) -> Self {
        self.body = Some((content_type, body));
        self
    }
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

/// The way to send single requests: cheap to clone, may be moved into a job. Always uses the newest credentials.
#[derive(Debug, Clone)]
pub struct Requests {
    line: watch::Receiver<Option<Arc<Line>>>,
    picture: Arc<Picture>,
    limit: Duration,
    /// The epoch of the facts that the requests were decided on; none: they go to whichever cluster is observed.
    epoch: Option<u64>,
}

impl Requests {
    pub(super) fn new(line: watch::Receiver<Option<Arc<Line>>>, picture: Arc<Picture>, limit: Duration) -> Self {
        Self { line, picture, limit, epoch: None }
    }

    /// The same for what was decided on facts of `epoch`: nothing goes to another cluster, no answer of it comes back,
    /// and what changes anything is sent only while the picture is live. A dry run changes nothing.
    #[must_use]
    pub fn bound(&self, epoch: u64) -> Self {
        Self { epoch: Some(epoch), ..self.clone() }
    }

    /// The same, for the cluster that is observed now and no other.
    pub(super) fn bound_to_this_cluster(&self) -> Self {
        let epoch = self.epoch.unwrap_or_else(|| self.picture.look(|facts| facts.epoch));
        self.bound(epoch)
    }

    /// The same over another line, for asking somebody who is not trusted yet.
    pub(super) fn over(&self, line: Arc<Line>) -> Self {
        Self { line: watch::Sender::new(Some(line)).subscribe(), ..self.clone() }
    }

    /// Limit of a single request.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// URL of the server, for words.
    pub(super) fn server(&self) -> String {
        self.line.borrow().as_ref().map(|line| line.server.clone()).unwrap_or_default()
    }

    /// The way to other servers of the same cluster.
    pub(super) fn beside(&self) -> Option<Arc<Beside>> {
        self.line.borrow().as_ref().and_then(|line| line.beside.clone())
    }

    /// What time it is for the cluster: by the API server's clock when this machine's differs from it.
    pub fn now(&self) -> DateTime<Utc> {
        clock::now() + self.picture.ahead()
    }

    /// Sends `request` once.
    ///
    /// # Errors
    /// Only what kept the answer from coming (refused, timeout, TLS ...); an answer of any status is a [`Reply`].
    pub async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        let limit = request.limit.unwrap_or(self.limit);
        let subject = request.path.clone();
        let mut builder = http::Request::builder().method(http::Method::from(request.method));
        builder = builder.uri(format!("{}{}", request.path, encode(&request.query)));
        builder = builder.header(ACCEPT, "application/json");
        let body = match request.body {
            Some((content_type, body)) => {
                builder = builder.header(CONTENT_TYPE, content_type.header());
                Body::from(body.to_string().into_bytes())
            }
            None => Body::empty(),
        };
        let reads = request.method == Method::Get;
        let request = builder.body(body).map_err(|error| {
            trouble::trouble(TroubleKind::Other, format!("the request for {subject} is not valid: {error}"), "")
        })?;
        let exchange = async {
            let response = self.exchange(request, limit).await?;
            let (parts, body) = response.into_parts();
            let body = self.collect(body, &subject, limit).await?;
            Ok::<_, Failure>((parts, body))
        };
        let answer = tokio::time::timeout(limit, exchange).await;
        let (parts, body) = answer
            .unwrap_or_else(|_| Err(trouble::timeout(&self.server(), limit)))
            .map_err(|failure| failure.trouble)?;
        if reads {
            self.same_cluster()?;
        }
        let retry_after = trouble::retry_after(&parts.headers);
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).trim().to_owned()));
        Ok(Reply { status: parts.status.as_u16(), body, retry_after })
    }

    /// The object as the API serves it now.
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn fetch(&self, kind: Kind, name: &str) -> Result<Value, Trouble> {
        let path = format!("{}/{name}", kind.path());
        let reply = self.send(Request::new(Method::Get, path)).await?;
        if reply.ok() {
            return Ok(reply.body);
        }
        let mut trouble = Self::trouble(&reply, &format!("{}/{name}", kind.plural()));
        if reply.status == 404 {
            trouble.words = format!("{}/{name} does not exist (any more)", kind.plural());
        }
        Err(trouble)
    }

    /// Any object as the API serves it now, by the address that a finding gives it.
    ///
    /// # Errors
    /// What keeps us from it, in words; 404 of an object says that it is gone.
    pub async fn fetch_object(&self, object: &Resource) -> Result<Value, Trouble> {
        super::object::fetch(self, object).await
    }

    /// The pods that a query asks for, ordered by namespace and name.
    ///
    /// # Errors
    /// What keeps us from them, in words.
    pub async fn pods_of(&self, query: &PodQuery) -> Result<Vec<FoundPod>, Trouble> {
        tail::pods(self, query).await
    }

    /// Reads a log, line by line. Must be called inside a tokio runtime.
    pub fn tail(&self, source: LogSource) -> Tail {
        tail::tail(self, source)
    }

    /// Something that a plan asks to be read before it is confirmed.
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        match read {
            Read::PodsOn(node) => pods::on(self, node).await.map(|pods| Found::Pods(pod_list(pods))),
            Read::Object(path) => {
                let reply = self.send(Request::new(Method::Get, path)).await?;
                match reply.status {
                    404 => Ok(Found::Object(None)),
                    _ if reply.ok() => Ok(Found::Object(Some(reply.body))),
                    _ => Err(Self::trouble(&reply, path)),
                }
            }
            Read::List(path) => self.pages(path).await.map(Found::List),
            Read::File(path) => Err(trouble::undecodable(path, "files are not read from the cluster").trouble),
            Read::Access { permission, namespace } => {
                super::access::allowed(self, permission, namespace).await.map(Found::Access)
            }
        }
    }

    /// All objects of the collection at `path` (a query may follow), raw; none: its kind is not served.
    async fn pages(&self, path: &str) -> Result<Option<Vec<Value>>, Trouble> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut objects = Vec::new();
        let mut more = String::new();
        loop {
            let mut request = Request::new(Method::Get, path).with("limit", "500");
            for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                request = request.with(name, value);
            }
            if !more.is_empty() {
                request = request.with("continue", &more);
            }
            let mut reply = self.send(request).await?;
            if reply.status == 404 {
                return Ok(None);
            }
            if !reply.ok() {
                return Err(Self::trouble(&reply, path));
            }
            // Objects of a list come without kind and version.
            let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
            let kind = text(reply.body.get("kind")).trim_end_matches("List").to_owned();
            let version = text(reply.body.get("apiVersion"));
            if let Some(Value::Array(items)) = reply.body.get_mut("items").map(Value::take) {
                objects.extend(items.into_iter().map(|mut item| {
                    if item.is_object() && item.get("kind").is_none() {
                        item["kind"] = Value::from(kind.as_str());
                        item["apiVersion"] = Value::from(version.as_str());
                    }
                    item
                }));
            }
            more = text(reply.body.pointer("/metadata/continue"));
            if more.is_empty() {
                return Ok(Some(objects));
            }
        }
    }

    /// The user's name, as the server says it (`SelfSubjectReview`, Kubernetes 1.28 and later).
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn identity(&self) -> Result<String, Trouble> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let reply = self.send(Request::new(Method::Post, path).body(ContentType::Json, review)).await?;
        if !reply.ok() {
            return Err(Self::trouble(&reply, "selfsubjectreviews"));
        }
        let name = reply.body.pointer("/status/userInfo/username").and_then(Value::as_str);
        name.map(ToOwned::to_owned)
            .ok_or_else(|| trouble::undecodable("selfsubjectreviews", "it names no user").trouble)
    }

    /// The trouble that an answer other than 2xx means, in words, for `subject` (`pods`, `node/worker-1`).
    pub fn trouble(reply: &Reply, subject: &str) -> Trouble {
        let text = match &reply.body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        trouble::of_status(reply.status, &http::HeaderMap::new(), text.as_bytes(), subject).trouble
    }

    /// A GET whose answer must be 2xx; `limit` holds for the head and for each piece of the body.
    pub(super) async fn get(&self, uri: &str, subject: &str, limit: Duration) -> Result<Bytes, Failure> {
        let response = self.open(uri, "application/json", subject, limit).await?;
        self.collect(response.into_body(), subject, limit).await
    }

    /// Sends a GET and waits for the head of a 2xx answer.
    pub(super) async fn open(
        &self,
        uri: &str,
        accept: &'static str,
        subject: &str,
        limit: Duration,
    ) -> Result<http::Response<Body>, Failure> {
        // Watches that come compressed, an event at a time, would be read to the end of the first event only.
        let request = http::Request::get(uri).header(ACCEPT, accept).header(ACCEPT_ENCODING, "identity");
        let request = request.body(Body::empty()).map_err(|error| trouble::undecodable(subject, error))?;
        let response = self.exchange(request, limit).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = self.collect(body, subject, limit).await.unwrap_or_default();
        Err(trouble::of_status(status.as_u16(), &parts.headers, &body, subject))
    }

    /// May `request` be sent now, considering what it was decided on?
    fn allowed(&self, request: &http::Request<Body>) -> Result<(), Trouble> {
        self.same_cluster()?;
        let dry = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "dryRun=All"));
        if self.epoch.is_none() || dry || request.method() == http::Method::GET {
            return Ok(());
        }
        if self.picture.writable() {
            return Ok(());
        }
        let words = "the picture on which it was decided is not live any more";
        Err(trouble::trouble(TroubleKind::Credentials, words, "wait until the link is live"))
    }

    /// Does another cluster answer by now than the one that the requests were decided for? Then in words.
    pub fn elsewhere(&self) -> Option<String> {
        self.same_cluster().err().map(|trouble| trouble.words)
    }

    /// Is the cluster still the one that the request was decided for?
    fn same_cluster(&self) -> Result<(), Trouble> {
        match self.epoch {
            Some(epoch) if self.picture.look(|facts| facts.epoch) != epoch => {
                let words = "another cluster (or another state of it) is observed now";
                Err(trouble::trouble(TroubleKind::Credentials, words, ""))
            }
            _ => Ok(()),
        }
    }

    async fn exchange(&self, request: http::Request<Body>, limit: Duration) -> Result<http::Response<Body>, Failure> {
        let line = self.line.borrow().clone();
        let Some(line) = line else {
            let trouble = trouble::trouble(TroubleKind::Credentials, "not connected to a cluster yet", "");
            return Err(Failure { trouble, retry_after: None });
        };
        // In this order: the line of another cluster is taken only after the epoch has moved on, and one that nobody
        // vouched for only after the link was doubted.
        let epoch = self.picture.look(|facts| facts.epoch);
        self.allowed(&request).map_err(|trouble| Failure { trouble, retry_after: None })?;
        let sent = clock::now();
        match tokio::time::timeout(limit, line.client.send(request)).await {
            Ok(Ok(response)) => {
                // A refusal of who we are, or a failure (perhaps a proxy's), is no sign of the cluster's life.
                // And neither is what the cluster of before still answers.
                let same = self.picture.look(|facts| facts.epoch) == epoch;
                if same && response.status() != http::StatusCode::UNAUTHORIZED && !response.status().is_server_error() {
                    self.picture.heard(None);
                }
                if same && let Some(date) = date_of(&response) {
                    self.picture.dated(sent, date);
                }
                Ok(response)
            }
            Ok(Err(error)) => Err(trouble::of_error(&error, &line.server)),
            Err(_) => Err(trouble::timeout(&line.server, limit)),
        }
    }

    pub(super) async fn collect(&self, mut body: Body, subject: &str, limit: Duration) -> Result<Bytes, Failure> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece(&mut body, subject, limit).await? {
            if all.is_empty() && http_body::Body::is_end_stream(&body) {
                return Ok(piece);
            }
            all.extend_from_slice(&piece);
            if all.len() > LARGEST {
                return Err(trouble::undecodable(subject, "it is larger than any list should be"));
            }
        }
        Ok(all.freeze())
    }

    /// The next piece of a body; none at its end.
    pub(super) async fn piece(
        &self,
        body: &mut Body,
        subject: &str,
        limit: Duration,
    ) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame =
                tokio::time::timeout(limit, body.frame()).await.map_err(|_| trouble::timeout(&self.server(), limit))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| trouble::broken(subject, &error, &self.server()))?;
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
    }
}

/// What time the API server has, as it says with an answer. Refusals and failures may come from what stands before it.
fn date_of(response: &http::Response<Body>) -> Option<DateTime<Utc>> {
    let date = response.headers().get(DATE).filter(|_| response.status().is_success())?;
    DateTime::parse_from_rfc2822(date.to_str().ok()?).ok().map(|date| date.to_utc())
}

/// `?a=b&c=d`, percent-encoded; empty for no parameters.
pub(super) fn encode(query: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in query {
        text.push(if text.is_empty() { '?' } else { '&' });
        escape(name, &mut text);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(super) fn escape(value: &str, into: &mut String) {
    use std::fmt::Write as _;
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_escaped() {
        let query =
            [("fieldSelector".to_owned(), "spec.nodeName=a b".to_owned()), ("dryRun".to_owned(), "All".to_owned())];
        assert_eq!(encode(&query), "?fieldSelector=spec.nodeName%3Da%20b&dryRun=All");
        assert_eq!(encode(&[]), "");
    }
}

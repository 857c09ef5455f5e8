//! A transport into the simulated API server in the same process.

use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt as _;
use oc_cockpit::actions::pods::{Pod, PodList};
use oc_cockpit::actions::{Found, Read};
use oc_cockpit::cluster::execute::Transport;
use oc_cockpit::cluster::{ContentType, Method, Reply, Request, allowed};
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::Value;
use tower::ServiceExt as _;

/// Something that happens to the cluster just before a request arrives.
type Meddling = Box<dyn FnMut(&Request) + Send>;

/// Sends to the simulated API server as the admin, or as whom the token belongs to.
pub struct InProcess {
    service: Router,
    token: Option<String>,
    meddle: Mutex<Option<Meddling>>,
    sent: Mutex<Vec<Request>>,
}

impl InProcess {
    pub fn new(service: Router) -> Self {
        Self { service, token: None, meddle: Mutex::new(None), sent: Mutex::new(Vec::new()) }
    }

    /// Sends as the owner of `token`.
    pub fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    /// Calls `meddle` before each write that is no dry run arrives.
    pub fn before_writes(self, meddle: impl FnMut(&Request) + Send + 'static) -> Self {
        *self.meddle.lock().unwrap() = Some(Box::new(meddle));
        self
    }

    /// Every request as it went out, several lines each.
    pub fn requests(&self) -> String {
        self.sent.lock().unwrap().iter().map(text).collect::<Vec<_>>().join("\n")
    }

    /// Every request, in order.
    pub fn sent(&self) -> Vec<Request> {
        self.sent.lock().unwrap().clone()
    }

    /// How many writes that are no dry runs were sent.
    pub fn writes(&self) -> usize {
        self.sent.lock().unwrap().iter().filter(|request| is_write(request)).count()
    }
}

/// Does it change something, and is it no dry run?
pub fn is_write(request: &Request) -> bool {
    request.method != Method::Get && request.query.iter().all(|(name, _)| name != "dryRun")
}

fn header(content_type: ContentType) -> &'static str {
    match content_type {
        ContentType::Json => "application/json",
        ContentType::MergePatch => "application/merge-patch+json",
        ContentType::StrategicPatch => "application/strategic-merge-patch+json",
        ContentType::JsonPatch => "application/json-patch+json",
    }
}

fn uri(request: &Request) -> String {
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", request.path, query.join("&"))
}

fn text(request: &Request) -> String {
    let method = format!("{:?}", request.method).to_uppercase();
    let body = request.body.as_ref().map(|(kind, body)| format!("  {}\n  {body}\n", header(*kind)));
    format!("{method} {}\n{}", uri(request), body.unwrap_or_default())
}

impl Transport for InProcess {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        if is_write(&request)
            && let Some(meddle) = self.meddle.lock().unwrap().as_mut()
        {
            meddle(&request);
        }
        self.sent.lock().unwrap().push(request.clone());
        let method = format!("{:?}", request.method).to_uppercase();
        let mut builder = http::Request::builder().method(method.as_str()).uri(uri(&request));
        if let Some(token) = &self.token {
            builder = builder.header("Authorization", format!("Bearer {token}"));
        }
        let body = match &request.body {
            None => Body::empty(),
            Some((kind, body)) => {
                builder = builder.header("Content-Type", header(*kind));
                Body::from(body.to_string())
            }
        };
        let response = self.service.clone().oneshot(builder.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let wait = response.headers().get("Retry-After").and_then(|wait| wait.to_str().ok()?.parse().ok());
        let retry_after = wait.map(std::time::Duration::from_secs);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Ok(Reply { status, body: serde_json::from_slice(&bytes).unwrap_or_default(), retry_after })
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        let path = match read {
            Read::PodsOn(node) => format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}"),
            Read::Object(path) | Read::List(path) => path.clone(),
            Read::Access { permission, namespace } => {
                return allowed(self, permission, namespace).await.map(Found::Access);
            }
            Read::File(path) => {
                let objects = oc_cockpit::snapshot::manifest(std::path::Path::new(path));
                return objects.map(Found::File).map_err(|words| trouble(&words));
            }
        };
        let reply = self.send(Request::new(Method::Get, path)).await?;
        match read {
            _ if !reply.ok() && reply.status != 404 => return Err(trouble(&reply.body.to_string())),
            Read::Object(_) => return Ok(Found::Object(reply.ok().then_some(reply.body))),
            Read::List(_) => {
                return Ok(Found::List(reply.body["items"].as_array().cloned()));
            }
            _ => {}
        }
        let text =
            |pod: &Value, pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let pod = |pod: &Value| Pod {
            name: format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name")),
            owner: Some(text(pod, "/metadata/ownerReferences/0/kind")).filter(|kind| !kind.is_empty()),
            completed: matches!(text(pod, "/status/phase").as_str(), "Succeeded" | "Failed"),
            ..Pod::default()
        };
        Ok(Found::Pods(PodList { pods: reply.body["items"].as_array().unwrap().iter().map(pod).collect() }))
    }
}

fn trouble(words: &str) -> Trouble {
    let since = chrono::DateTime::UNIX_EPOCH;
    Trouble { kind: TroubleKind::Other, words: words.to_owned(), hint: String::new(), since }
}

//! The routes of the API: every request comes through here, in the order in which a real server deals with it: faults,
//! who is it, what is it about, may they, and then the work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::WallClock;
use crate::sim::actors::Boards;
use crate::sim::cluster::monitoring;
use crate::sim::faults::{Answer, FaultsHandle};
use crate::sim::identity::{Attempt, Identity, User};
use crate::sim::kinds::Res;
use crate::sim::patch::PatchKind;
use crate::sim::present::{Presentation, RowObject};
use crate::sim::removal::{Broom, DeleteOptions, Removed};
use crate::sim::request::{Form, Params, Target, Verb, content_type, field_manager};
use crate::sim::status::{Refusal, bytes_response, json_response, no_such_path};
use crate::sim::store::Store;
use crate::sim::watch_hub::{self, Surroundings};
use crate::sim::write::{Outcome, Pen, UnknownFields};
use crate::sim::{admin, discovery, openapi, pod_log, querier, read, reviews, version};

/// The largest body that is read, as in kube-apiserver (etcd takes no more).
const BODY: usize = 3 * 1024 * 1024;

/// Everything that answering a request needs.
pub struct Api {
    /// The objects.
    pub store: Arc<Store>,
    /// The users.
    pub identity: Arc<Identity>,
    /// The faults.
    pub faults: FaultsHandle,
    /// The cluster's time.
    pub clock: WallClock,
    /// How much faster than reality durations pass; controllers follow it.
    pub speed: watch::Sender<f64>,
    /// Whether somebody plays operators and kubelets.
    pub controllers: AtomicBool,
    /// The kubeconfig as clients should have it.
    pub kubeconfig: RwLock<String>,
    /// Facts for `GET /sim/status` that do not change: name of the scenario, seed.
    pub about: Value,
    /// What is seen of the controllers from outside.
    pub boards: Boards,
}

impl Api {
    /// The API as a service. In process (`trusted`) a request without a token comes from the admin.
    pub fn router(self: Arc<Self>, trusted: bool) -> Router {
        Router::new().fallback(move |request: Request| {
            let api = Arc::clone(&self);
            async move { api.answer(request, trusted).await }
        })
    }

    /// The querier of the cluster's monitoring as a service.
    pub fn querier(self: Arc<Self>) -> Router {
        Router::new().fallback(move |request: Request| {
            let api = Arc::clone(&self);
            async move { api.query(&request.into_parts().0, None, false) }
        })
    }

    /// Answers for the querier; `path` where it is not that of the request.
    fn query(&self, parts: &Parts, path: Option<&str>, trusted: bool) -> Response {
        let path = path.unwrap_or_else(|| parts.uri.path());
        querier::answer(&self.boards.alerts, &self.identity, &parts.method, &parts.headers, path, trusted)
    }

    async fn answer(&self, request: Request, trusted: bool) -> Response {
        let mut response = self.respond(request, trusted).await;
        // As Go's server, which kube-apiserver is; clients tell from it how far their own clock is off.
        let date = self.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    async fn respond(&self, request: Request, trusted: bool) -> Response {
        let (parts, body) = request.into_parts();
        if trusted && querier::is_meant(&self.store, &parts) {
            return self.query(&parts, None, trusted);
        }
        let params = Params::parse(parts.uri.query().unwrap_or_default());
        if !parts.uri.path().starts_with("/sim")
            && let Some(response) = self.suffer(&parts, &params).await
        {
            return response;
        }
        let Ok(body) = axum::body::to_bytes(body, BODY).await else {
            let message = "the request body was too large or broke off";
            return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message).into_response();
        };
        self.serve(&parts, &params, &body, trusted).unwrap_or_else(IntoResponse::into_response)
    }

    /// What the faults in force do to a request.
    async fn suffer(&self, parts: &Parts, params: &Params) -> Option<Response> {
        let mut silent = self.faults.signals().silent;
        drop(silent.wait_for(|silent| !silent).await);
        if self.boards.host.is_down() {
            // Over a socket nobody gets as far as this: connections are refused.
            let message = "the machine is rebooting";
            return Some(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message).into_response());
        }
        let starts_watch = parts.method == Method::GET && params.get("watch").is_some() && params.flag("watch");
        let verdict = self.faults.judge(starts_watch);
        if !verdict.delay.is_zero() {
            tokio::time::sleep(verdict.delay).await;
        }
        let refusal = match verdict.answer? {
            Answer::TooMany(seconds) => {
                Refusal::too_many_requests("the server is currently unable to handle the request", seconds)
            }
            Answer::Internal => Refusal::internal("etcdserver: leader changed"),
            Answer::Unavailable => {
                let message = "the server is currently unable to handle the request";
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
            }
            Answer::Gone => {
                let current = self.store.resource_version();
                Refusal::expired(
                    format!("too old resource version: {} ({current})", params.text("resourceVersion")),
                    None,
                )
            }
        };
        Some(refusal.into_response())
    }

    fn serve(&self, parts: &Parts, params: &Params, body: &Bytes, trusted: bool) -> Result<Response, Refusal> {
        let path = parts.uri.path();
        self.identity.belong_to(self.boards.host.tokens());
        let is_open = is_open(path) && !parts.headers.contains_key(header::AUTHORIZATION);
        let user = self.identity.authenticate(&parts.headers, trusted || is_open)?;
        if let Some(response) = self.serve_path(parts, &user, body)? {
            return Ok(response);
        }
        if let Some(behind) = querier::behind_proxy(path)
            && self.store.get(Res::SERVICES, Some(monitoring::NAMESPACE), monitoring::QUERIER).is_some()
        {
            return Ok(self.query(parts, Some(behind), trusted));
        }
        let Some(target) = Target::parse(&self.store, path) else { return Ok(no_such_path()) };
        let verb = Verb::of(&parts.method, &target, params)?;
        self.identity.authorize(&user, verb, &target)?;
        if self.store.is_initializing(target.info.res()) {
            return Err(Refusal::too_many_requests("storage is (re)initializing", 1));
        }
        if let Some(subresource) = target.subresource.as_deref()
            && !target.is_part_of_object(subresource)
        {
            return self.serve_part(&target, subresource, verb, params, body);
        }
        match verb {
            Verb::Get | Verb::List | Verb::Watch => self.serve_read(parts, &target, verb, params),
            Verb::Delete | Verb::DeleteCollection => self.serve_removal(parts, &target, verb, params, body),
            Verb::Create | Verb::Update | Verb::Patch => self.serve_write(parts, &target, verb, params, body),
        }
    }

    /// Paths that are no collections of objects.
    fn serve_path(&self, parts: &Parts, user: &User, body: &Bytes) -> Result<Option<Response>, Refusal> {
        let path = parts.uri.path();
        let first = path.split('/').nth(1).unwrap_or_default();
        match first {
            "healthz" | "livez" | "readyz" => {
                return Ok(Some(bytes_response(StatusCode::OK, "text/plain; charset=utf-8", "ok")));
            }
            "version" => return Ok(Some(json_response(StatusCode::OK, &version::version(&self.store)))),
            "openapi" => return Ok(Some(openapi::answer(&self.store, path).unwrap_or_else(no_such_path))),
            "sim" => {
                let all = Attempt { verb: "*".to_owned(), resource: "*".to_owned(), ..Attempt::default() };
                if !self.identity.allows(user, &all) {
                    let message = format!("User \"{}\" cannot drive the simulation", user.name);
                    return Err(Refusal::forbidden("sim", "simulation", "", &message));
                }
                return admin::answer(self, &parts.method, path, body).map(Some);
            }
            "" => {
                let paths =
                    ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
                return Ok(Some(json_response(StatusCode::OK, &json!({"paths": paths}))));
            }
            _ => {}
        }
        if parts.method == Method::POST {
            let kind = content_type(&parts.headers);
            return reviews::answer(&self.identity, user, path, kind, body, self.clock.now()).transpose();
        }
        if parts.method == Method::GET {
            let form = Form::of(&parts.headers)?;
            return Ok(discovery::answer(&self.store, path, form));
        }
        Ok(None)
    }

    fn serve_read(&self, parts: &Parts, target: &Target, verb: Verb, params: &Params) -> Result<Response, Refusal> {
        let form = match Form::of(&parts.headers)? {
            Form::Discovery => Form::Whole,
            form => form,
        };
        if verb == Verb::Watch {
            let surroundings = Surroundings {
                store: Arc::clone(&self.store),
                clock: self.clock.clone(),
                signals: self.faults.signals(),
            };
            return watch_hub::watch(surroundings, target, params, form);
        }
        let presentation = self.presentation(target, form, params);
        match verb {
            Verb::List => read::list(&self.store, target, params, &presentation),
            _ => read::get(&self.store, target, &presentation),
        }
    }

    fn presentation<'a>(&self, target: &'a Target, form: Form, params: &Params) -> Presentation<'a> {
        Presentation {
            form,
            info: &target.info,
            now: self.clock.now(),
            rows: RowObject::parse(params.text("includeObject")),
        }
    }

    fn serve_write(
        &self,
        parts: &Parts,
        target: &Target,
        verb: Verb,
        params: &Params,
        body: &Bytes,
    ) -> Result<Response, Refusal> {
        let manager = field_manager(&parts.headers, params);
        let pen = Pen {
            store: &self.store,
            now: self.clock.now(),
            manager: &manager,
            dry_run: params.dry_run()?,
            unknown_fields: UnknownFields::parse(params.text("fieldValidation"))?,
        };
        let (code, outcome) = match verb {
            Verb::Create => (StatusCode::CREATED, pen.create(target, json_body(parts, body)?)?),
            Verb::Update => (StatusCode::OK, pen.update(target, json_body(parts, body)?)?),
            _ if PatchKind::of(content_type(&parts.headers), target.info.custom)? == PatchKind::Apply => {
                let force = params.text("force") == "true";
                if params.get("fieldManager").is_none_or(str::is_empty) {
                    return Err(Refusal::manager_required());
                }
                let config: Value = serde_saphyr::from_slice(body)
                    .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))?;
                let (made, outcome) = pen.apply(target, config, force)?;
                (if made { StatusCode::CREATED } else { StatusCode::OK }, outcome)
            }
            _ => {
                let kind = PatchKind::of(content_type(&parts.headers), target.info.custom)?;
                let patch = serde_json::from_slice(body)
                    .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
                (StatusCode::OK, pen.patch(target, kind, &patch)?)
            }
        };
        let Outcome { object, warnings } = outcome;
        let presentation = self.presentation(target, Form::of(&parts.headers)?, params);
        let mut response = bytes_response(code, "application/json", presentation.object_bytes(&object));
        for warning in warnings {
            let warning = format!("299 - \"{}\"", warning.replace('"', "\\\""));
            if let Ok(value) = HeaderValue::from_str(&warning) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
        Ok(response)
    }

    fn broom(&self) -> Broom<'_> {
        let kubelets = self.controllers.load(Ordering::Relaxed);
        let speed = if kubelets { *self.speed.borrow() } else { 1.0 };
        Broom { store: &self.store, now: self.clock.now(), kubelets, speed }
    }

    fn serve_removal(
        &self,
        parts: &Parts,
        target: &Target,
        verb: Verb,
        params: &Params,
        body: &Bytes,
    ) -> Result<Response, Refusal> {
        let options = if body.is_empty() { Value::Null } else { json_body(parts, body)? };
        let options = DeleteOptions::parse(&options, params)?;
        let presentation = self.presentation(target, Form::of(&parts.headers)?, params);
        let info = &target.info;
        if verb == Verb::DeleteCollection {
            let removed = self.broom().delete_collection(target, params, &options)?;
            let metadata = super::present::ListMetadata {
                version: self.store.resource_version(),
                ..super::present::ListMetadata::default()
            };
            let bytes = presentation.list_bytes(removed.iter().map(Arc::as_ref), &metadata);
            return Ok(bytes_response(StatusCode::OK, "application/json", bytes));
        }
        let name = target.name.as_deref().unwrap_or_default();
        let removed = self.broom().delete(info, target.namespace.as_deref(), name, &options)?;
        match removed {
            // Pods and namespaces hand back what was deleted, other kinds a Status: registry/generic, ReturnDeletedObject.
            Removed::Gone(object) if info.res() != Res::PODS && info.res() != Res::NAMESPACES => {
                let mut details = json!({"name": name, "kind": info.plural, "uid": object["metadata"]["uid"]});
                if !info.group.is_empty() {
                    details["group"] = json!(info.group);
                }
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                });
                Ok(json_response(StatusCode::OK, &status))
            }
            removed => {
                let bytes = presentation.object_bytes(removed.object());
                Ok(bytes_response(StatusCode::OK, "application/json", bytes))
            }
        }
    }

    /// Parts of an object other than its status.
    fn serve_part(
        &self,
        target: &Target,
        part: &str,
        verb: Verb,
        params: &Params,
        body: &Bytes,
    ) -> Result<Response, Refusal> {
        let name = target.name.as_deref().unwrap_or_default();
        match (target.info.res(), part, verb) {
            (Res::PODS, "eviction", Verb::Create) => self.evict(target, name, params, body),
            (Res::PODS, "log", Verb::Get) => {
                let pod = self.store.get(Res::PODS, target.namespace.as_deref(), name);
                let pod = pod.ok_or_else(|| Refusal::not_found(&target.info, name))?;
                let source = pod_log::Source {
                    store: Arc::clone(&self.store),
                    journal: self.boards.journal.clone(),
                    clock: self.clock.clone(),
                    signals: self.faults.signals(),
                };
                pod_log::answer(source, &pod, params)
            }
            _ => Ok(no_such_path()),
        }
    }

    fn evict(&self, target: &Target, name: &str, params: &Params, body: &Bytes) -> Result<Response, Refusal> {
        let eviction: Value = serde_json::from_slice(body)
            .map_err(|error| Refusal::bad_request(format!("the eviction is not JSON: {error}")))?;
        let served = version::eviction(&self.store);
        let understood = |asked: &str| asked == "policy/v1beta1" || (asked == "policy/v1" && served == "v1");
        if let Some(api_version) = eviction["apiVersion"].as_str()
            && !understood(api_version)
        {
            let message = format!("no kind \"Eviction\" is registered for version \"{api_version}\"");
            return Err(Refusal::bad_request(message));
        }
        if let Some(other) = eviction["metadata"]["name"].as_str().filter(|other| *other != name) {
            let message = format!("name in URL does not match name in Eviction object: {name} is not {other}");
            return Err(Refusal::bad_request(message));
        }
        let options = DeleteOptions::parse(&eviction["deleteOptions"], params)?;
        self.broom().evict(&target.info, target.namespace.as_deref().unwrap_or_default(), name, &options)?;
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
        Ok(json_response(StatusCode::CREATED, &status))
    }

    /// The kubeconfig as clients should have it now.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Paths that everybody may see, as in OpenShift.
fn is_open(path: &str) -> bool {
    matches!(path.split('/').nth(1), Some("healthz" | "livez" | "readyz" | "version"))
}

fn json_body(parts: &Parts, body: &Bytes) -> Result<Value, Refusal> {
    let kind = content_type(&parts.headers);
    if !matches!(kind, "" | "application/json" | "*/*") {
        return Err(Refusal::unsupported_media_type("application/json"));
    }
    serde_json::from_slice(body).map_err(|error| {
        Refusal::bad_request(format!("the object provided is unrecognized: couldn't get version/kind; json: {error}"))
    })
}

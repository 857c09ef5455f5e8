//! Somebody between the client and the simulated cluster, who does to requests what networks and proxies do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use oc_cockpit::sim::server::Simulation;
use tokio::sync::Notify;
use tower::{BoxError, ServiceExt as _};

type Change = Arc<dyn Fn(&str, Bytes) -> Bytes + Send + Sync>;
type ResponseBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

#[derive(Default)]
struct State {
    inner: Option<Router>,
    user: Option<&'static str>,
    refuse: bool,
    held: BTreeSet<&'static str>,
    change: Option<Change>,
    restored: bool,
    log: Vec<String>,
}

/// The one in the middle.
#[derive(Clone, Default)]
pub struct Middle {
    state: Arc<Mutex<State>>,
    released: Arc<Notify>,
}

impl Middle {
    pub fn before(simulation: &Simulation) -> Self {
        let middle = Self::default();
        middle.leads_to(simulation);
        middle
    }

    /// From now on `simulation` answers.
    pub fn leads_to(&self, simulation: &Simulation) {
        self.state.lock().unwrap().inner = Some(simulation.service());
    }

    /// From now on requests come from this user.
    pub fn user(&self, name: &'static str) {
        self.state.lock().unwrap().user = Some(name);
    }

    /// Connections are refused, or not any more.
    pub fn refuse(&self, refuse: bool) {
        self.state.lock().unwrap().refuse = refuse;
    }

    /// From now on watches of nodes begin at versions that the server does not know, until nodes are listed.
    pub fn restore(&self) {
        self.state.lock().unwrap().restored = true;
    }

    /// Requests whose URI contains `part` are not answered until they are released.
    pub fn hold(&self, part: &'static str) {
        self.state.lock().unwrap().held.insert(part);
    }

    /// Everything that was held goes on.
    pub fn release(&self) {
        self.state.lock().unwrap().held.clear();
        self.released.notify_waiters();
    }

    /// Answers are changed on their way: by URI and body. Only for answers that end.
    pub fn change(&self, change: impl Fn(&str, Bytes) -> Bytes + Send + Sync + 'static) {
        self.state.lock().unwrap().change = Some(Arc::new(change));
    }

    /// The URIs asked for since the last time, in order.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    pub fn client(&self) -> kube::Client {
        let middle = self.clone();
        kube::Client::new(tower::service_fn(move |request| middle.clone().pass(request)), "default")
    }

    async fn pass(self, mut request: Request<Body>) -> Result<Response<ResponseBody>, BoxError> {
        let uri = request.uri().to_string();
        self.state.lock().unwrap().log.push(uri.clone());
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            if !self.state.lock().unwrap().held.iter().any(|part| uri.contains(part)) {
                break;
            }
            released.await;
        }
        let (inner, change) = {
            let mut state = self.state.lock().unwrap();
            state.restored &= !uri.starts_with("/api/v1/nodes?limit");
            if state.refuse {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
            }
            if state.restored && uri.starts_with("/api/v1/nodes?watch") {
                let body = Full::from("Too large resource version").map_err(|never| match never {}).boxed_unsync();
                return Ok(Response::builder().status(504).body(body)?);
            }
            if let Some(user) = state.user {
                request.headers_mut().insert("impersonate-user", http::HeaderValue::from_static(user));
            }
            (state.inner.clone().unwrap(), state.change.clone())
        };
        let response = inner.oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let body = match change {
            Some(change) if !uri.contains("watch=true") => {
                let whole = body.collect().await?.to_bytes();
                Full::new(change(&uri, whole)).map_err(|never| match never {}).boxed_unsync()
            }
            _ => body.map_err(Into::into).boxed_unsync(),
        };
        Ok(Response::from_parts(parts, body))
    }
}

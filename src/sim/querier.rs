//! The querier of the simulated cluster's monitoring: `/api/v1/alerts` for whoever has a token.
//!
//! It is reached in three ways. By the Route `openshift-monitoring/thanos-querier`: a listener of its own, whose
//! certificate the kubeconfig's authority has signed; the host in the Route is that address with its port, for the
//! simulation owns no names. In process, where nobody listens, by asking the API's service for that host. And by the
//! API server's proxy to the Service, which a real cluster refuses with 401 (the API server takes the token out of the
//! request before it passes it on); here it answers, for clients that have nothing else.

use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};

use crate::sim::alert_board::AlertBoard;
use crate::sim::cluster::monitoring::{NAMESPACE, QUERIER, host};
use crate::sim::identity::{Attempt, Identity};
use crate::sim::status::{bytes_response, json_response};
use crate::sim::store::Store;

/// The path of the alerts below the querier.
const ALERTS: &str = "/api/v1/alerts";

/// The host that a request is for.
fn asked_host(parts: &Parts) -> Option<String> {
    let in_uri = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    in_uri.or_else(|| parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned))
}

/// Whether a request is for the querier's own host.
pub fn is_meant(store: &Store, parts: &Parts) -> bool {
    asked_host(parts).is_some_and(|asked| host(store).is_some_and(|own| own == asked))
}

/// The path behind the API server's proxy to the querier's Service, if a path is one: the name may carry scheme and
/// port (`https:thanos-querier:9091`).
pub fn behind_proxy(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/api/v1/namespaces/")?.strip_prefix(NAMESPACE)?.strip_prefix("/services/")?;
    let (service, rest) = rest.split_once("/proxy")?;
    let name = service.split(':').nth(1).unwrap_or(service);
    (name == QUERIER && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

/// Answers for the querier: `path` is what follows its host.
pub fn answer(
    board: &AlertBoard,
    identity: &Identity,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
    trusted: bool,
) -> Response {
    // The proxy in front of the querier speaks plain text.
    let Ok(user) = identity.authenticate(headers, trusted) else {
        return bytes_response(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", "Unauthorized\n");
    };
    let attempt = Attempt {
        verb: "get".to_owned(),
        group: "monitoring.coreos.com".to_owned(),
        resource: "prometheuses/api".to_owned(),
        namespace: NAMESPACE.to_owned(),
        name: "k8s".to_owned(),
        path: None,
    };
    if !identity.allows(&user, &attempt) {
        let text = format!("Forbidden (user={}, verb=get, resource=prometheuses, subresource=api)\n", user.name);
        return bytes_response(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", text);
    }
    match (method, path) {
        (&Method::GET | &Method::POST, ALERTS) => json_response(StatusCode::OK, &board.answer()),
        _ => bytes_response(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n"),
    }
}

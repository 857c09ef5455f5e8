//! The alerts of the cluster's monitoring: asked of `thanos-querier` over its Route with the user's token, as
//! `oc adm upgrade recommend` does (oc: pkg/cli/admin/inspectalerts); where that fails, through the API server's proxy of
//! services.

use std::sync::Arc;
use std::time::Duration;

use http::header::ACCEPT;
use http::uri::Authority;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;

use super::client::Beside;
use super::reads::Put;
use super::request::Requests;
use super::trouble::{self, Failure, trouble};
use crate::upgrade::alert::{self, Alert};
use crate::upgrade::link::TroubleKind;

const ROUTE: &str = "/apis/route.openshift.io/v1/namespaces/openshift-monitoring/routes/thanos-querier";
const PROXY: &str = "/api/v1/namespaces/openshift-monitoring/services/https:thanos-querier:9091/proxy/api/v1/alerts";
const ALERTS: &str = "/api/v1/alerts";
/// What is asked, for words.
const SUBJECT: &str = "the alerts of thanos-querier";
/// Who may not read alerts may be given this role (cluster-monitoring-operator).
const ROLE: &str = "the cluster role cluster-monitoring-view lets a user read alerts";
const UNKNOWN_ROUTER: &str =
    "the router's certificate is of an authority that is not trusted here: add it to certificate-authority";
const LIMIT: Duration = Duration::from_secs(10);
/// Some hundred alerts are less than a MiB.
const LARGEST: usize = 32 * 1024 * 1024;

/// Reads all alerts.
pub(super) async fn read(requests: &Requests) -> Result<Put, Failure> {
    let alerts = match over_route(requests).await {
        Ok(alerts) => alerts,
        Err(direct) => over_api_server(requests).await.map_err(|proxied| told(direct, proxied))?,
    };
    Ok(Box::new(move |facts, _| {
        // Most answers are the one of before: then nothing has to be judged again.
        if *facts.around.alerts != alerts {
            Arc::make_mut(&mut facts.around).alerts = Arc::new(alerts);
        }
    }))
}

async fn over_api_server(requests: &Requests) -> Result<Vec<Alert>, Failure> {
    let body = requests.get(PROXY, SUBJECT, LIMIT).await?;
    of(&body)
}

async fn over_route(requests: &Requests) -> Result<Vec<Alert>, Failure> {
    let beside = requests.beside().ok_or_else(without_token)?;
    if !beside.has_token() {
        return Err(without_token());
    }
    let subject = "the route thanos-querier in openshift-monitoring";
    let route = requests.get(ROUTE, subject, LIMIT).await?;
    let route = serde_json::from_slice::<Value>(&route).map_err(|error| trouble::undecodable(subject, error))?;
    let url = host(&route).ok_or_else(|| trouble::undecodable(subject, "it names no host"))?;
    let asked = tokio::time::timeout(LIMIT, ask(&beside, &url)).await;
    asked.unwrap_or_else(|_| Err(trouble::timeout(&url, LIMIT)))
}

async fn ask(beside: &Beside, url: &str) -> Result<Vec<Alert>, Failure> {
    let client = beside.client(url).await.map_err(|words| failure(TroubleKind::Credentials, &words, ""))?;
    let request = http::Request::get(ALERTS).header(ACCEPT, "application/json").body(Body::empty());
    let request = request.map_err(|error| trouble::undecodable(SUBJECT, error))?;
    let response = client.send(request).await.map_err(|error| trouble::of_error(&error, url))?;
    let (parts, mut body) = response.into_parts();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| trouble::broken(SUBJECT, &error, url))?;
        all.extend_from_slice(frame.data_ref().map_or(&[], |piece| piece.as_ref()));
        if all.len() > LARGEST {
            return Err(trouble::undecodable(SUBJECT, "it is larger than any answer should be"));
        }
    }
    if parts.status.is_success() {
        return of(&all);
    }
    Err(refused(trouble::of_status(parts.status.as_u16(), &parts.headers, &all, SUBJECT)))
}

/// It is the monitoring that refuses, not the API server: nobody has to log in again.
fn refused(mut failure: Failure) -> Failure {
    if failure.kind() == TroubleKind::Unauthorized {
        failure.trouble.kind = TroubleKind::Forbidden;
        "the monitoring does not accept the credentials (401)".clone_into(&mut failure.trouble.words);
        failure.trouble.hint.clear();
    }
    failure
}

/// The address of the route. The user's token is sent there: nothing but a plain host name is taken.
fn host(route: &Value) -> Option<String> {
    let named = route.pointer("/spec/host").or_else(|| route.pointer("/status/ingress/0/host"))?.as_str()?;
    let authority: Authority = named.parse().ok()?;
    (!authority.host().is_empty() && !named.contains('@')).then(|| format!("https://{authority}"))
}

fn of(body: &[u8]) -> Result<Vec<Alert>, Failure> {
    let answer = serde_json::from_slice(body).map_err(|error| trouble::undecodable(SUBJECT, error))?;
    alert::of_answer(&answer).ok_or_else(|| trouble::undecodable(SUBJECT, "it holds no alerts"))
}

fn without_token() -> Failure {
    let words = "alerts are read with a token, and these credentials have none (a client certificate)";
    failure(TroubleKind::Forbidden, words, "log in with `oc login`, or pass --token")
}

fn failure(kind: TroubleKind, words: &str, hint: &str) -> Failure {
    Failure { trouble: trouble(kind, words, hint), retry_after: None }
}

/// Why neither way led to the alerts: what is wrong with the direct one, unless there is none.
fn told(direct: Failure, proxied: Failure) -> Failure {
    let mut failure = match direct.kind() {
        // The route was read: it is not the API server that says 401 now.
        TroubleKind::AbsentKind => refused(proxied),
        _ => direct,
    };
    let trouble = &mut failure.trouble;
    match trouble.kind {
        TroubleKind::Forbidden if trouble.hint.is_empty() => ROLE.clone_into(&mut trouble.hint),
        TroubleKind::TlsUnknownAuthority => {
            let host = trouble.words.clone();
            trouble.words = format!("alerts cannot be read over their route: {host}");
            UNKNOWN_ROUTER.clone_into(&mut trouble.hint);
        }
        TroubleKind::AbsentKind | TroubleKind::Forbidden | TroubleKind::Unauthorized => {}
        _ => trouble.words = format!("alerts cannot be read: {}", trouble.words),
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_token_goes_to_a_host_and_nowhere_else() {
        let table = [
            (json!({"spec": {"host": "thanos.apps.example.com"}}), Some("https://thanos.apps.example.com")),
            (json!({"spec": {"host": "thanos.apps.example.com:8443"}}), Some("https://thanos.apps.example.com:8443")),
            (json!({"status": {"ingress": [{"host": "t.example.com"}]}}), Some("https://t.example.com")),
            (json!({"spec": {"host": "t.example.com@evil.example.org"}}), None),
            (json!({"spec": {"host": "t.example.com/evil"}}), None),
            (json!({"spec": {"host": ""}}), None),
            (json!({}), None),
        ];
        for (route, expected) in table {
            assert_eq!(host(&route).as_deref(), expected, "{route}");
        }
    }

    #[test]
    fn a_refusal_of_the_monitoring_is_no_refusal_of_the_api_server() {
        let answer = |status: u16| trouble::of_status(status, &http::HeaderMap::new(), b"", SUBJECT);
        let failure = told(refused(answer(401)), answer(401));
        assert_eq!(failure.kind(), TroubleKind::Forbidden);
        assert!(failure.trouble.words.contains("401") && failure.trouble.hint.contains("cluster-monitoring-view"));
        assert_eq!(told(answer(401), answer(401)).kind(), TroubleKind::Unauthorized, "the API server said so itself");
        assert_eq!(told(answer(404), answer(401)).kind(), TroubleKind::Forbidden);
        assert_eq!(told(answer(403), answer(503)).trouble.hint, ROLE);
        assert_eq!(told(answer(404), answer(404)).kind(), TroubleKind::AbsentKind, "no monitoring at all");
        assert_eq!(told(answer(404), answer(403)).kind(), TroubleKind::Forbidden);
        assert_eq!(told(without_token(), answer(403)).trouble.words, without_token().trouble.words);
    }
}

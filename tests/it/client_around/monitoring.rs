//! Alerts over the Route of the monitoring: over real sockets, for it is TLS and tokens that decide.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use oc_cockpit::cluster::Options;
use oc_cockpit::cluster::once::Once;
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, Trouble, TroubleKind};
use oc_cockpit::upgrade::needs::Needs;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_util::task::AbortOnDropHandle;

use super::FIRING;
use crate::support::sim;

/// An HTTPS server that says the same to everybody who asks for a path, and remembers who asked.
struct Place {
    address: String,
    authority: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    _serves: AbortOnDropHandle<()>,
}

impl Place {
    async fn new(answer: impl Fn(&str) -> Response + Clone + Send + Sync + 'static) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let log = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| {
            let path = request.uri().path().to_owned();
            let token =
                request.headers().get("authorization").and_then(|token| token.to_str().ok()).unwrap_or_default();
            log.lock().unwrap().push((path.clone(), token.to_owned()));
            let answer = answer(&path);
            async move { answer }
        });
        let serves = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let builder = auto::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { address, authority: authority.pem(), asked, _serves: AbortOnDropHandle::new(serves) }
    }

    /// The tokens that came with requests for `path`.
    fn tokens(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(other, _)| other == path).map(|(_, token)| token.clone()).collect()
    }
}

const ROUTE: &str = "/apis/route.openshift.io/v1/namespaces/openshift-monitoring/routes/thanos-querier";

/// An API server that knows of a route to `host`, and nothing else.
async fn api_server(host: &str) -> Place {
    let route = json!({"kind": "Route", "spec": {"host": host}}).to_string();
    Place::new(move |path| match path {
        ROUTE => route.clone().into_response(),
        path if path.contains("/proxy/") => StatusCode::FORBIDDEN.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
    .await
}

async fn thanos(status: StatusCode) -> Place {
    Place::new(move |_| if status == StatusCode::OK { FIRING.into_response() } else { status.into_response() }).await
}

/// What is known of alerts with a kubeconfig that trusts `trusted`.
async fn alerts(api: &Place, trusted: &[&Place], user: &serde_json::Value) -> Facts {
    let bundle: String = trusted.iter().map(|place| place.authority.as_str()).collect();
    let authority = base64::engine::general_purpose::STANDARD.encode(bundle);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("https://{}", api.address),
                                               "certificate-authority-data": authority}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let file = sim::TempKubeconfig::path();
    std::fs::write(&file.0, config.to_string()).unwrap();
    let once = Once::open(Options { kubeconfig: Some(file.0.clone()), ..Options::default() }).await.unwrap();
    let mut facts = once.core().await;
    let needs = Needs { kinds: BTreeSet::from([Kind::Alerts]), ..Needs::default() };
    once.around(&mut facts, &needs).await;
    facts
}

fn trouble(facts: &Facts) -> &Trouble {
    match facts.status(Kind::Alerts) {
        KindStatus::Forbidden(trouble) | KindStatus::Failing(trouble) => trouble,
        status => panic!("{status:?}"),
    }
}

#[tokio::test]
async fn the_token_of_the_kubeconfig_opens_the_route() {
    let thanos = thanos(StatusCode::OK).await;
    let api = api_server(&thanos.address).await;
    let facts = alerts(&api, &[&api, &thanos], &json!({"token": "sesame"})).await;
    assert_eq!(*facts.status(Kind::Alerts), KindStatus::Live);
    assert_eq!(facts.around.alerts[0].name, "PodDisruptionBudgetLimit");
    assert_eq!(thanos.tokens("/api/v1/alerts"), ["Bearer sesame"]);
    assert_eq!(facts.link.state, LinkState::Live);
}

#[tokio::test]
async fn the_router_of_an_unknown_authority_gets_no_token_and_is_told() {
    let thanos = thanos(StatusCode::OK).await;
    let api = api_server(&thanos.address).await;
    let facts = alerts(&api, &[&api], &json!({"token": "sesame"})).await;
    let trouble = trouble(&facts);
    assert_eq!(trouble.kind, TroubleKind::TlsUnknownAuthority);
    assert!(trouble.words.contains("route") && trouble.hint.contains("router's certificate"), "{trouble:?}");
    assert!(thanos.tokens("/api/v1/alerts").is_empty());
    assert!(facts.around.alerts.is_empty() && !facts.known(Kind::Alerts));
}

#[tokio::test]
async fn a_monitoring_that_refuses_is_told_with_the_role_that_helps() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let thanos = thanos(status).await;
        let api = api_server(&thanos.address).await;
        let facts = alerts(&api, &[&api, &thanos], &json!({"token": "sesame"})).await;
        assert_eq!(trouble(&facts).kind, TroubleKind::Forbidden, "{status}");
        assert!(trouble(&facts).hint.contains("cluster-monitoring-view"), "{status}: {:?}", trouble(&facts));
    }
}

#[tokio::test]
async fn without_a_token_nobody_is_asked() {
    let thanos = thanos(StatusCode::OK).await;
    let api = api_server(&thanos.address).await;
    let facts = alerts(&api, &[&api, &thanos], &json!({"username": "u", "password": "p"})).await;
    assert_eq!(trouble(&facts).kind, TroubleKind::Forbidden);
    assert!(trouble(&facts).words.contains("token"), "{:?}", trouble(&facts));
    assert!(thanos.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_route_that_leads_nowhere_is_told_and_a_missing_one_is_no_monitoring() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let api = api_server(&nobody.to_string()).await;
    let facts = alerts(&api, &[&api], &json!({"token": "sesame"})).await;
    assert_eq!(trouble(&facts).kind, TroubleKind::Refused);
    assert!(trouble(&facts).words.starts_with("alerts cannot be read: nobody listens"), "{:?}", trouble(&facts));

    let bare = Place::new(|_| StatusCode::NOT_FOUND.into_response()).await;
    let facts = alerts(&bare, &[&bare], &json!({"token": "sesame"})).await;
    assert_eq!(*facts.status(Kind::Alerts), KindStatus::Absent);
}

//! Kubeconfigs, credentials, TLS and contexts, over real sockets.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use oc_cockpit::cluster::{Cluster, Connection, Options};
use oc_cockpit::sim::faults::{Fault, Trouble};
use oc_cockpit::sim::server::{self, Server, serve};
use oc_cockpit::upgrade::facts::Kind;
use oc_cockpit::upgrade::link::{LinkState, TroubleKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_util::task::AbortOnDropHandle;

use super::{NODES, PATIENCE, all_live, cordoned, until};
use crate::support::sim;

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = sim::TempKubeconfig::path().0.with_extension("d");
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn with(kubeconfig: &Path) -> Options {
    Options { kubeconfig: Some(kubeconfig.to_owned()), ..Options::default() }
}

async fn simulated(kubeconfig: &Path) -> Server {
    let kubeconfig_out = Some(kubeconfig.to_owned());
    serve(server::Options { objects: sim::small_cluster(), kubeconfig_out, ..server::Options::default() }, None)
        .await
        .unwrap()
}

/// A kubeconfig with one context, in JSON (which is YAML).
fn kubeconfig(server: &str, cluster: &serde_json::Value, user: &serde_json::Value) -> String {
    let mut cluster = cluster.clone();
    cluster["server"] = json!(server);
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{"name": "one", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
    })
    .to_string()
}

/// Waits for the words that say why there is no client.
async fn refusal(cluster: &Cluster) -> Arc<Connection> {
    let mut connection = cluster.connection();
    let found = tokio::time::timeout(PATIENCE, connection.wait_for(|connection| connection.error.is_some())).await;
    Arc::clone(&found.expect("no words in time").unwrap())
}

#[tokio::test]
async fn the_printed_kubeconfig_leads_to_a_complete_picture() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    let facts =
        until(&cluster, "a complete picture and a user", |facts| all_live(facts) && facts.access.user.is_some()).await;
    assert_eq!(facts.nodes.len(), 3);
    assert_eq!(facts.access.user.as_deref(), Some("admin"));
    let connection = cluster.connection().borrow().clone();
    assert_eq!((connection.context.as_str(), connection.server.as_str()), ("admin", server.url.as_str()));
    let names: Vec<_> = connection.contexts.iter().map(|context| context.name.as_str()).collect();
    assert_eq!(names, ["admin", "viewer"]);
    assert_eq!(connection.files, [path]);
}

#[tokio::test]
async fn another_context_is_another_picture() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let _server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    until(&cluster, "the admin", |facts| facts.access.user.as_deref() == Some("admin")).await;
    cluster.switch("nowhere");
    let connection = refusal(&cluster).await;
    assert!(connection.error.as_deref().unwrap().contains("\"nowhere\""), "{connection:?}");
    assert_eq!(connection.context, "admin", "the present one stays");
    cluster.switch("viewer");
    let facts = until(&cluster, "the viewer", |facts| facts.access.user.as_deref() == Some("viewer")).await;
    assert_eq!(facts.epoch, 1);
    until(&cluster, "the picture", |facts| all_live(facts)).await;
    assert_eq!(cluster.connection().borrow().error, None);
    assert_eq!(cluster.connection().borrow().context, "viewer");
}

#[tokio::test]
async fn asking_again_keeps_the_picture_until_the_answer_is_there() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    until(&cluster, "the first picture", |facts| all_live(facts)).await;
    // No answer comes for some time: what was known has to stay.
    let slow = Duration::from_millis(300);
    server.faults.throw(Fault::now(Trouble::Latency(slow)));
    let mut facts = cluster.facts();
    cluster.refresh();
    let nodes = oc_cockpit::sim::kinds::Res { group: "", plural: "nodes" };
    server.store.update(nodes, None, "worker-0", |node| node["spec"]["unschedulable"] = json!(true));
    let told = async {
        loop {
            facts.changed().await.unwrap();
            let now = Arc::clone(&facts.borrow_and_update());
            assert!(all_live(&now) && now.nodes.len() == 3 && now.epoch == 0, "the picture was dropped");
            if cordoned(&now, "worker-0") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the answer did not come");
}

#[tokio::test]
async fn a_refused_token_is_replaced_when_the_kubeconfig_has_a_new_one() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    until(&cluster, "the first picture", |facts| all_live(facts)).await;
    server.faults.throw(Fault::now(Trouble::RevokeToken(Duration::from_secs(5))));
    server.faults.cut_watches();
    let facts = until(&cluster, "the refusal in words", |facts| {
        facts.link.trouble.as_ref().is_some_and(|trouble| trouble.kind == TroubleKind::Unauthorized)
    })
    .await;
    assert!(facts.link.trouble.as_ref().unwrap().hint.contains("oc login"));
    server.store.update(NODES, None, "worker-0", |node| node["spec"]["unschedulable"] = json!(true));
    let facts = until(&cluster, "the watch goes on", |facts| all_live(facts) && cordoned(facts, "worker-0")).await;
    assert_eq!(facts.epoch, 0, "the same cluster");
}

/// However soon after the refusal the new token comes: before it is noticed, while it is looked at, and after that.
#[tokio::test]
async fn a_new_token_is_taken_up_however_soon_it_comes() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    until(&cluster, "the first picture", |facts| all_live(facts)).await;
    for millis in [0, 100, 500, 1_000, 1_500, 2_500] {
        let old = std::fs::read(&path).unwrap();
        server.faults.throw(Fault::now(Trouble::RevokeToken(Duration::from_millis(millis))));
        server.faults.cut_watches();
        tokio::time::timeout(PATIENCE, async {
            while std::fs::read(&path).unwrap() == old || cluster.fetch(Kind::Nodes, "worker-0").await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("the token that came after {millis} ms is not used"));
        let name = format!("worker-{}", millis % 2);
        server.store.update(NODES, None, &name, |node| node["metadata"]["labels"]["seen"] = json!(millis.to_string()));
        until(&cluster, "the watch goes on", |facts| {
            let node = facts.nodes.iter().find(|node| node.name() == name);
            all_live(facts) && node.is_some_and(|node| node.label("seen") == Some(&millis.to_string()))
        })
        .await;
    }
}

#[tokio::test]
async fn an_outage_over_sockets_is_survived() {
    let folder = Folder::new();
    let path = folder.0.join("kubeconfig");
    let server = simulated(&path).await;
    let cluster = Cluster::start(with(&path));
    until(&cluster, "the first picture", |facts| all_live(facts)).await;
    let outage = server.faults.throw(Fault::now(Trouble::Outage));
    let facts =
        until(&cluster, "reconnecting", |facts| matches!(facts.link.state, LinkState::Reconnecting { .. })).await;
    assert_eq!(facts.link.trouble.as_ref().unwrap().kind, TroubleKind::Refused);
    assert_eq!(facts.nodes.len(), 3);
    server.faults.clear(outage);
    until(&cluster, "live", |facts| all_live(facts)).await;
}

#[tokio::test]
async fn nobody_listening_is_said_in_words() {
    let folder = Folder::new();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let url = format!("https://{free}");
    let path = folder.file("config", &kubeconfig(&url, &json!({}), &json!({"token": "t"})));
    let cluster = Cluster::start(with(&path));
    let facts = until(&cluster, "a trouble", |facts| facts.link.trouble.is_some()).await;
    let trouble = facts.link.trouble.as_ref().unwrap();
    assert_eq!(trouble.kind, TroubleKind::Refused);
    assert_eq!(trouble.words, format!("nobody listens at {url}"));
    assert!(matches!(facts.link.state, LinkState::Connecting { .. }));
    assert!(!facts.complete());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_said_in_words() {
    let folder = Folder::new();
    let path = folder.file("config", &kubeconfig("https://api.nowhere.invalid:6443", &json!({}), &json!({})));
    let cluster = Cluster::start(with(&path));
    let facts = until(&cluster, "a trouble", |facts| facts.link.trouble.is_some()).await;
    let trouble = facts.link.trouble.as_ref().unwrap();
    // Where no name server answers at all, the look-up outlasts the probe.
    if trouble.kind != TroubleKind::Timeout {
        assert_eq!(trouble.kind, TroubleKind::Dns, "{}", trouble.words);
        assert_eq!(trouble.words, "the name api.nowhere.invalid does not resolve");
    }
}

#[tokio::test]
async fn credentials_that_end_are_renewed_before_they_do() {
    let folder = Folder::new();
    let printed = folder.0.join("kubeconfig");
    let server = simulated(&printed).await;
    let ends = (oc_cockpit::clock::now() + chrono::TimeDelta::seconds(61)).to_rfc3339();
    let answer = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                        "status": {"token": server.admin_token(), "expirationTimestamp": ends}});
    let user = plugin(&folder, &format!("echo '{answer}'"));
    let insecure = json!({"insecure-skip-tls-verify": true});
    let path = folder.file("config", &kubeconfig(&server.url, &insecure, &user));
    let cluster = Cluster::start(with(&path));
    until(&cluster, "a picture", |facts| all_live(facts)).await;
    let runs = || std::fs::read_to_string(folder.0.join("count")).unwrap().lines().count();
    let again = async {
        while runs() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("the plugin was not asked again");
    let facts = until(&cluster, "all well", |facts| all_live(facts)).await;
    assert_eq!(facts.epoch, 0);
}

/// A credential plugin: a shell script that counts how often it runs.
fn plugin(folder: &Folder, body: &str) -> serde_json::Value {
    let count = folder.0.join("count");
    let script = format!("echo run >> {}\n{body}\n", count.display());
    let script = folder.file("plugin.sh", &script);
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [script],
                    "interactiveMode": "IfAvailable"}})
}

#[tokio::test]
async fn a_credential_plugin_runs_once_and_without_a_terminal() {
    let folder = Folder::new();
    let printed = folder.0.join("kubeconfig");
    let server = simulated(&printed).await;
    let answer = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                        "status": {"token": server.admin_token()}});
    // It waits for input until there is none, as one that asks for a password does.
    let user = plugin(&folder, &format!("cat > /dev/null\necho '{answer}'"));
    let insecure = json!({"insecure-skip-tls-verify": true});
    let path = folder.file("config", &kubeconfig(&server.url, &insecure, &user));
    let cluster = Cluster::start(with(&path));
    until(&cluster, "a picture", |facts| all_live(facts)).await;
    assert_eq!(std::fs::read_to_string(folder.0.join("count")).unwrap(), "run\n");
}

#[tokio::test]
async fn a_credential_plugin_that_fails_is_quoted() {
    let folder = Folder::new();
    let user = plugin(&folder, "echo 'token cache is empty, log in first' >&2; exit 3");
    let path = folder.file("config", &kubeconfig("https://127.0.0.1:1", &json!({}), &user));
    let cluster = Cluster::start(with(&path));
    let words = refusal(&cluster).await.error.clone().unwrap();
    assert!(words.contains("`sh` failed: token cache is empty, log in first"), "{words}");
    let facts = until(&cluster, "the link's trouble", |facts| facts.link.trouble.is_some()).await;
    assert_eq!(facts.link.trouble.as_ref().unwrap().kind, TroubleKind::Credentials);
}

#[tokio::test]
async fn a_kubeconfig_that_is_mended_is_taken_by_itself() {
    let folder = Folder::new();
    let printed = folder.0.join("kubeconfig");
    let _server = simulated(&printed).await;
    let path = folder.file("config", "clusters: [");
    let cluster = Cluster::start(with(&path));
    let words = refusal(&cluster).await.error.clone().unwrap();
    assert!(words.contains("is not the YAML of a kubeconfig"), "{words}");
    std::fs::copy(&printed, &path).unwrap();
    until(&cluster, "a picture", |facts| all_live(facts)).await;
    assert_eq!(cluster.connection().borrow().error, None);
}

#[tokio::test]
async fn a_proxy_of_the_kubeconfig_is_used() {
    let folder = Folder::new();
    let printed = folder.0.join("kubeconfig");
    let server = simulated(&printed).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let (seen, mut saw) = tokio::sync::mpsc::unbounded_channel();
    let _proxy = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, seen.clone()));
        }
    }));
    // The name resolves nowhere: only somebody who asks the proxy gets through.
    let port = server.address.port();
    let cluster = json!({"proxy-url": proxy, "insecure-skip-tls-verify": true});
    let text =
        kubeconfig(&format!("https://api.nowhere.invalid:{port}"), &cluster, &json!({"token": server.admin_token()}));
    let cluster = Cluster::start(with(&folder.file("config", &text)));
    until(&cluster, "a picture", |facts| all_live(facts)).await;
    assert_eq!(saw.recv().await.unwrap(), format!("CONNECT api.nowhere.invalid:{port} HTTP/1.1"));
}

/// Connects to the asked port of this machine, whatever the name.
async fn tunnel(mut client: TcpStream, seen: tokio::sync::mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap().to_owned();
    let port: u16 = line.split(':').nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    drop(seen.send(line));
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
}

/// What the certificate of a server is like.
enum Flaw {
    None,
    Name,
    Expired,
    IsAuthority,
}

/// A TLS server that closes every connection after the handshake; gives its URL and the PEM of its authority.
async fn tls_server(flaw: Flaw) -> (String, String, AbortOnDropHandle<()>) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let name = if matches!(flaw, Flaw::Name) { "api.elsewhere.example" } else { "127.0.0.1" };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if matches!(flaw, Flaw::Expired) {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    if matches!(flaw, Flaw::IsAuthority) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(acceptor.accept(stream).await);
        }
    });
    (url, authority.pem(), AbortOnDropHandle::new(task))
}

async fn tls_trouble(flaw: Flaw, trusts_it: bool) -> (TroubleKind, String) {
    let folder = Folder::new();
    let (url, authority, _server) = tls_server(flaw).await;
    let (_, other, _) = tls_server(Flaw::None).await;
    let pem = if trusts_it { authority } else { other };
    let data = base64::engine::general_purpose::STANDARD.encode(pem);
    let text = kubeconfig(&url, &json!({"certificate-authority-data": data}), &json!({"token": "t"}));
    let cluster = Cluster::start(with(&folder.file("config", &text)));
    let facts = until(&cluster, "a trouble", |facts| facts.link.trouble.is_some()).await;
    let trouble = facts.link.trouble.clone().unwrap();
    (trouble.kind, trouble.words)
}

#[tokio::test]
async fn tls_refusals_are_told_apart_in_words() {
    let (kind, words) = tls_trouble(Flaw::None, false).await;
    assert_eq!(kind, TroubleKind::TlsUnknownAuthority, "{words}");
    assert!(words.contains("127.0.0.1") && words.contains("authority"), "{words}");

    let (kind, words) = tls_trouble(Flaw::Name, true).await;
    assert_eq!(kind, TroubleKind::TlsName, "{words}");
    assert!(words.contains("not for 127.0.0.1, but for api.elsewhere.example"), "{words}");

    let (kind, words) = tls_trouble(Flaw::Expired, true).await;
    assert_eq!(kind, TroubleKind::TlsExpired, "{words}");

    let (kind, words) = tls_trouble(Flaw::IsAuthority, true).await;
    assert_eq!(kind, TroubleKind::TlsCaAsServer, "{words}");
}

#[tokio::test]
async fn plain_http_at_an_https_address_is_said_in_words() {
    let folder = Folder::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let _server = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await);
        }
    }));
    let path = folder.file("config", &kubeconfig(&url, &json!({}), &json!({})));
    let cluster = Cluster::start(with(&path));
    let facts = until(&cluster, "a trouble", |facts| facts.link.trouble.is_some()).await;
    let trouble = facts.link.trouble.as_ref().unwrap();
    assert_eq!(trouble.kind, TroubleKind::TlsOther, "{}", trouble.words);
    assert!(trouble.hint.contains("https"), "{}", trouble.hint);
}

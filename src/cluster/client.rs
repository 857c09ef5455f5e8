//! From a chosen context to a client.
//!
//! One client serves everything. kube's own retries are off, so that each retry is ours and visible, and an eviction
//! that a PodDisruptionBudget refuses (429) is told at once. The read timeout lies above the timeout of a watch, and
//! is counted from the last write, so that a pooled connection that was idle does not fail its next request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use chrono::{DateTime, Utc};
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::client::ClientBuilder;
use kube::config::Cluster;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;

use super::kubeconfig::Chosen;
use super::plugin;
use super::trouble::short;

/// After this long a watch is ended by the server and begun again by us: a dead connection is noticed that soon.
pub(super) const WATCH_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(WATCH_TIMEOUT.as_secs() + 15);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Building reads the system's certificate store, which may lie on a slow disk.
const BUILD_LIMIT: Duration = Duration::from_secs(10);

/// A client with what has to be known about it.
#[derive(Clone)]
pub(super) struct Line {
    pub client: kube::Client,
    /// URL of the server, for words.
    pub server: String,
    /// When the credentials end, if that is known.
    pub expires: Option<DateTime<Utc>>,
    /// The way to other servers of the same cluster; none for a cluster in the same process.
    pub beside: Option<Arc<Beside>>,
}

/// The way to servers beside the API server that take the same token (the monitoring).
pub(super) struct Beside {
    token: Option<SecretString>,
    /// What the kubeconfig trusts, and its proxy.
    cluster: Cluster,
    name: String,
    /// The client that was made last, and for which URL.
    made: Mutex<Option<(String, kube::Client)>>,
}

impl Beside {
    /// Without a token nobody beside the API server knows the user.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// A client for `url`, which is https. No client certificate is shown there. It trusts what the kubeconfig trusts;
    /// a kubeconfig that names no authority trusts what this machine trusts.
    pub async fn client(&self, url: &str) -> Result<kube::Client, String> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, client)) = made.filter(|(before, _)| before == url) {
            return Ok(client);
        }
        let uri: http::Uri = url.parse().map_err(|error| format!("{url} is not a URL: {error}"))?;
        let user = kube::config::AuthInfo { token: self.token.clone(), ..kube::config::AuthInfo::default() };
        let cluster = Cluster { tls_server_name: None, ..self.cluster.clone() };
        let config = config_of(uri, &cluster, &self.name, user)?;
        let build = tokio::task::spawn_blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build));
        let client = match tokio::time::timeout(BUILD_LIMIT, build).await {
            Ok(Ok(client)) => client.map_err(|error| format!("no client for {url}: {}", short(&error.to_string())))?,
            _ => return Err(format!("no client for {url} could be built")),
        };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some((url.to_owned(), client.clone()));
        Ok(client)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Line").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Makes a client; errors are words for a person.
pub(super) async fn build(chosen: &Chosen) -> Result<Line, String> {
    let mut user = chosen.user.clone();
    let expires = plugin::resolve(&mut user).await?;
    let chosen = chosen.clone();
    let server = chosen.connection.server.clone();
    let beside = Beside {
        token: user.token.clone(),
        cluster: chosen.cluster.clone(),
        name: chosen.connection.cluster.clone(),
        made: Mutex::default(),
    };
    let beside = Some(Arc::new(beside));
    let build = tokio::task::spawn_blocking(move || {
        let config = config(&chosen, user)?;
        let builder = ClientBuilder::try_from(config).map_err(|error| refused(&chosen, &error))?;
        Ok(builder.build())
    });
    match tokio::time::timeout(BUILD_LIMIT, build).await {
        Ok(Ok(client)) => client.map(|client| Line { client, server, expires, beside }),
        Ok(Err(_)) => Err("the client could not be built".to_owned()),
        Err(_) => Err(format!(
            "the client was not ready within {} s: is a file of the kubeconfig on a dead network disk?",
            BUILD_LIMIT.as_secs()
        )),
    }
}

fn config(chosen: &Chosen, user: kube::config::AuthInfo) -> Result<Config, String> {
    let name = &chosen.connection.cluster;
    let url: http::Uri =
        chosen.connection.server.parse().map_err(|error| format!("the server of \"{name}\" is not a URL: {error}"))?;
    config_of(url, &chosen.cluster, name, user)
}

fn config_of(url: http::Uri, cluster: &Cluster, name: &str, user: kube::config::AuthInfo) -> Result<Config, String> {
    let mut config = Config::new(url);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    config.write_timeout = Some(WRITE_TIMEOUT);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.root_cert =
        cluster.certificate_authority_data.as_deref().map(|data| certificates(data, name)).transpose()?;
    config.proxy_url = proxy(cluster.proxy_url.as_deref(), &config.cluster_url)?;
    config.auth_info = user;
    Ok(config)
}

fn certificates(data: &str, cluster: &str) -> Result<Vec<Vec<u8>>, String> {
    let expected = "expected one or more CERTIFICATE blocks of PEM";
    let wrong = |why: &str| format!("the certificate-authority of the cluster \"{cluster}\" {why}: {expected}");
    let pem = base64::engine::general_purpose::STANDARD.decode(data.trim()).map_err(|_| wrong("is not base64"))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).map(|one| one.map(|der| der.to_vec())).collect();
    let all = all.map_err(|_| wrong("is not valid PEM"))?;
    if all.is_empty() { Err(wrong("holds no certificate")) } else { Ok(all) }
}

/// The proxy: the kubeconfig's own always; else the environment's, but for what NO_PROXY names and for this machine
/// (as Go's `ProxyFromEnvironment`, hence `oc`, does).
fn proxy(own: Option<&str>, server: &http::Uri) -> Result<Option<http::Uri>, String> {
    let parse = |text: &str, from: &str| {
        text.parse::<http::Uri>().map(Some).map_err(|error| format!("the proxy of {from} is not a URL: {error}"))
    };
    if let Some(url) = own.filter(|url| !url.is_empty()) {
        return parse(url, "the kubeconfig (proxy-url)");
    }
    if server.host().is_some_and(this_machine) || Matcher::from_env().intercept(server).is_none() {
        return Ok(None);
    }
    let names: &[&str] = match server.scheme_str() {
        Some("https") => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    };
    let found =
        names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(|v| (*name, v)));
    match found {
        Some((name, url)) if url.contains("://") => parse(&url, name),
        Some((name, url)) => parse(&format!("http://{url}"), name),
        None => Ok(None),
    }
}

fn this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refused(chosen: &Chosen, error: &kube::Error) -> String {
    let user = &chosen.connection.user;
    let words = short(&error.to_string());
    match error {
        kube::Error::RustlsTls(_) => {
            format!(
                "the certificates of the context \"{}\" (user \"{user}\") are not usable: {words}",
                chosen.connection.context
            )
        }
        kube::Error::Auth(_) => format!("the credentials of the user \"{user}\" are not usable: {words}"),
        _ => format!("no client for the context \"{}\": {words}", chosen.connection.context),
    }
}

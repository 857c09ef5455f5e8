//! Failures in words: what kept an answer from coming, or what a refusing answer means, with the next thing to try.
//!
//! Every failure to connect displays as "client error (Connect)" on its surface, so the words are made from the
//! innermost cause: a TLS error (which hides inside an `io::Error`), the kind of the `io::Error`, or a failed name
//! look-up.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use rustls::CertificateError;

use crate::clock;
use crate::upgrade::link::{Trouble, TroubleKind};

/// How much of a server's own message is repeated, in characters.
const MESSAGE_LIMIT: usize = 300;

/// A trouble, with what the server said about when to come back.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub trouble: Trouble,
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub fn kind(&self) -> TroubleKind {
        self.trouble.kind
    }

    fn new(kind: TroubleKind, words: String, hint: &str) -> Self {
        Self { trouble: trouble(kind, words, hint), retry_after: None }
    }
}

/// A trouble that began now.
pub(super) fn trouble(kind: TroubleKind, words: impl Into<String>, hint: impl Into<String>) -> Trouble {
    Trouble { kind, words: words.into(), hint: hint.into(), since: clock::now() }
}

/// No answer came within `limit`.
pub(super) fn timeout(server: &str, limit: Duration) -> Failure {
    let words = format!("no answer from {server} within {} s", seconds(limit));
    Failure::new(TroubleKind::Timeout, words, "is the API server (or the way to it: VPN, proxy, load balancer) down?")
}

/// What came is not what was asked for.
pub(super) fn undecodable(subject: &str, why: impl std::fmt::Display) -> Failure {
    let words = format!("the answer on {subject} could not be read: {why}");
    Failure::new(TroubleKind::Undecodable, words, "something between here and the API server may answer in its place")
}

/// A watch ended at once, without a word.
pub(super) fn ended(subject: &str) -> Failure {
    Failure::new(TroubleKind::Broken, format!("the watch of {subject} ends as soon as it begins"), "")
}

/// The connection ended in the middle of an answer.
pub(super) fn broken(subject: &str, error: &(dyn Error + 'static), server: &str) -> Failure {
    let failure = of_error(error, server);
    match failure.kind() {
        TroubleKind::Other => {
            Failure::new(TroubleKind::Broken, format!("the connection broke while reading {subject}"), "")
        }
        _ => failure,
    }
}

/// What kept the answer from coming, by the innermost cause of `error`.
pub(super) fn of_error(error: &(dyn Error + 'static), server: &str) -> Failure {
    let mut causes = vec![error];
    while let Some(next) = causes.last().and_then(|last| inner(*last)) {
        causes.push(next);
    }
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return of_tls(tls, server);
    }
    if causes.iter().any(|cause| cause.to_string() == "dns error") {
        let host = host_of(server);
        return Failure::new(
            TroubleKind::Dns,
            format!("the name {host} does not resolve"),
            "check the server's name in the kubeconfig, DNS and VPN",
        );
    }
    if causes.iter().any(|cause| cause.is::<tokio::time::error::Elapsed>()) {
        return Failure::new(TroubleKind::Timeout, format!("no answer from {server} in time"), "");
    }
    if let Some(failure) =
        causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).find_map(|e| of_io(e, server))
    {
        return failure;
    }
    let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
    if innermost.contains("IncompleteMessage") || innermost.contains("connection closed before message completed") {
        return Failure::new(TroubleKind::Broken, format!("{server} closed the connection without an answer"), "");
    }
    if causes.iter().any(|cause| cause.to_string().contains("proxy")) {
        let hint = "check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY";
        return Failure::new(TroubleKind::Other, format!("the proxy on the way to {server} failed: {innermost}"), hint);
    }
    Failure::new(TroubleKind::Other, format!("no connection to {server}: {}", short(&innermost)), "")
}

/// The next inner cause. An `io::Error` does not name its own content as its source, but that content's.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(content) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(content);
    }
    error.source()
}

fn of_io(error: &io::Error, server: &str) -> Option<Failure> {
    let (kind, words, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            TroubleKind::Refused,
            format!("nobody listens at {server}"),
            "is the API server running, and is the address of the kubeconfig right?",
        ),
        io::ErrorKind::TimedOut => (
            TroubleKind::Timeout,
            format!("no answer from {server} in time"),
            "is the way to it (VPN, proxy, firewall) open?",
        ),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => (TroubleKind::Broken, format!("the connection to {server} broke"), ""),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            (TroubleKind::Refused, format!("{server} cannot be reached from here"), "check network and VPN")
        }
        _ => return None,
    };
    Some(Failure::new(kind, words, hint))
}

fn of_tls(error: &rustls::Error, server: &str) -> Failure {
    let rustls::Error::InvalidCertificate(why) = error else {
        let hint = match error {
            rustls::Error::InvalidMessage(_) => "does the server speak https at that port?",
            rustls::Error::AlertReceived(_) => "the server refused the handshake: is a client certificate missing?",
            _ => "",
        };
        return Failure::new(TroubleKind::TlsOther, format!("TLS with {server} failed: {error}"), hint);
    };
    let host = host_of(server);
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Failure::new(
            TroubleKind::TlsUnknownAuthority,
            format!("the certificate of {host} is signed by an authority that the kubeconfig does not name"),
            "renew certificate-authority-data in the kubeconfig, or pass --certificate-authority",
        ),
        CertificateError::NotValidForName => Failure::new(
            TroubleKind::TlsName,
            format!("the certificate that answered is not for {host}"),
            "check the server's name in the kubeconfig, or set tls-server-name there",
        ),
        CertificateError::NotValidForNameContext { presented, .. } => Failure::new(
            TroubleKind::TlsName,
            format!("the certificate that answered is not for {host}, but for {}", names(presented)),
            "check the server's name in the kubeconfig, or set tls-server-name there",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Failure::new(
            TroubleKind::TlsExpired,
            format!("the certificate of {host} has expired"),
            "check the clock here; on a cluster that was off, certificate signing requests may wait for approval",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Failure::new(
            TroubleKind::TlsExpired,
            format!("the certificate of {host} is not valid yet"),
            "check the clock here and on the server",
        ),
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Failure::new(
            TroubleKind::TlsCaAsServer,
            format!("{host} uses the certificate of an authority as its own, which TLS clients refuse"),
            "the server needs a certificate of its own, signed by that authority",
        ),
        other => Failure::new(TroubleKind::TlsOther, format!("the certificate of {host} is refused: {other}"), ""),
    }
}

/// What an answer other than 2xx means for `subject`: `nodes`, `node/worker-1`, `/version`.
pub(super) fn of_status(status: u16, headers: &HeaderMap, body: &[u8], subject: &str) -> Failure {
    let retry_after = retry_after(headers);
    let message = message_of(body);
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    let (kind, words, hint) = match status {
        401 => (
            TroubleKind::Unauthorized,
            "the server does not accept the credentials (401)".to_owned(),
            "log in again (`oc login`): the kubeconfig is read again by itself",
        ),
        403 => (TroubleKind::Forbidden, format!("not allowed to read or write {subject} (403){said}"), ""),
        404 => (TroubleKind::AbsentKind, format!("the server has no {subject} (404)"), ""),
        410 => (TroubleKind::Gone, format!("the watch of {subject} fell too far behind (410)"), ""),
        429 => (TroubleKind::TooManyRequests, format!("the server asks to slow down (429){said}"), ""),
        500.. => (
            TroubleKind::Server,
            format!("the server failed on {subject} ({status}){said}"),
            "it may be starting; else look at kube-apiserver, etcd and the load balancer",
        ),
        _ => (TroubleKind::Other, format!("the server answered {status} on {subject}{said}"), ""),
    };
    Failure { trouble: trouble(kind, words, hint), retry_after }
}

/// `Retry-After` in whole seconds, as API servers send it.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The message of a `Status`; else the beginning of a plain text. A proxy's HTML page is not repeated.
pub(super) fn message_of(body: &[u8]) -> String {
    if let Ok(serde_json::Value::Object(status)) = serde_json::from_slice(body) {
        return short(status.get("message").and_then(serde_json::Value::as_str).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') { String::new() } else { short(text) }
}

/// One line of at most [`MESSAGE_LIMIT`] characters, without control characters.
pub(super) fn short(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE_LIMIT + 1).collect::<String>();
    if line.chars().count() > MESSAGE_LIMIT {
        line = line.chars().take(MESSAGE_LIMIT).collect();
        line.push('…');
    }
    line.trim().to_owned()
}

fn names(presented: &[String]) -> String {
    // rustls writes them as `DnsName("a")`, `IpAddress(10.0.0.1)`.
    let bare = |name: &String| {
        let inside = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        inside.trim_matches('"').to_owned()
    };
    let all: Vec<String> = presented.iter().take(4).map(bare).collect();
    if all.is_empty() { "no name at all".to_owned() } else { all.join(", ") }
}

fn host_of(server: &str) -> String {
    server
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(ToOwned::to_owned))
        .unwrap_or_else(|| server.to_owned())
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { limit.as_secs().to_string() } else { format!("{:.1}", limit.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &str) -> Trouble {
        of_status(status, &HeaderMap::new(), body.as_bytes(), "nodes").trouble
    }

    #[test]
    fn answers_are_told_apart() {
        let message = r#"{"kind":"Status","message":"nodes is forbidden: User \"eve\" cannot list"}"#;
        let forbidden = status(403, message);
        assert_eq!(forbidden.kind, TroubleKind::Forbidden);
        assert!(
            forbidden.words.ends_with(r#"(403): nodes is forbidden: User "eve" cannot list"#),
            "{}",
            forbidden.words
        );
        assert_eq!(status(401, "").kind, TroubleKind::Unauthorized);
        assert_eq!(status(404, "404 page not found").words, "the server has no nodes (404)");
        assert_eq!(status(410, "").kind, TroubleKind::Gone);
        assert_eq!(status(503, "").kind, TroubleKind::Server);
        assert_eq!(status(418, "teapot").words, "the server answered 418 on nodes: teapot");
    }

    #[test]
    fn a_proxys_page_is_not_repeated() {
        assert_eq!(status(502, "<html><body>Bad gateway</body></html>").words, "the server failed on nodes (502)");
    }

    #[test]
    fn what_a_server_says_is_one_short_line_without_escapes() {
        let words = short(&format!("\u{1b}[2Jevil\nline {}", "x".repeat(1_000)));
        assert!(words.starts_with("[2Jevil line x"), "{words}");
        assert!(words.chars().count() <= MESSAGE_LIMIT + 1 && words.ends_with('…'));
    }

    #[test]
    fn a_tls_error_is_found_inside_an_io_error() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let failure = of_error(&io::Error::other(io::Error::other(tls)), "https://api.example.com:6443");
        assert_eq!(failure.kind(), TroubleKind::TlsUnknownAuthority);
        assert!(failure.trouble.words.contains("api.example.com"), "{}", failure.trouble.words);
    }

    #[test]
    fn seconds_to_wait_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_static("7"));
        let failure = of_status(429, &headers, b"Too many requests, please try again later.", "nodes");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        assert!(failure.trouble.words.ends_with(": Too many requests, please try again later."));
    }
}

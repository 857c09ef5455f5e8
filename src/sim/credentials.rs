//! What a client needs to trust the server and to be trusted by it: certificates, and the kubeconfig that names them.
//!
//! The authority and the server are two certificates: rustls refuses one that is both.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::{self, ServerConfig, pki_types::PrivateKeyDer};

use crate::sim::identity::Identity;

/// Certificates made at start, and what the server needs of them.
pub struct Certificates {
    /// The authority's certificate, PEM.
    pub authority: String,
    /// TLS with ALPN for HTTP/1.1.
    pub tls: Arc<ServerConfig>,
}

impl Certificates {
    /// A new authority and a server certificate for `localhost`, `127.0.0.1` and the given host.
    pub fn new(host: &str) -> Result<Self, CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "oc-cockpit-simulator-authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !names.iter().any(|name| name == host) {
            names.push(host.to_owned());
        }
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "oc-cockpit-simulator");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { authority: authority.pem(), tls: Arc::new(tls) })
    }
}

/// Why no certificates could be made.
#[derive(Debug)]
pub struct CertificateError(String);

impl std::fmt::Display for CertificateError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for CertificateError {}

impl From<rcgen::Error> for CertificateError {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<rustls::Error> for CertificateError {
    fn from(error: rustls::Error) -> Self {
        Self(error.to_string())
    }
}

/// The kubeconfig: contexts `admin` (current) and `viewer`.
pub fn kubeconfig(url: &str, authority: &str, identity: &Identity) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: simulated
  cluster:
    server: {url}
    certificate-authority-data: {authority}
users:
- name: admin
  user:
    token: {admin}
- name: viewer
  user:
    token: {viewer}
contexts:
- name: admin
  context:
    cluster: simulated
    user: admin
    namespace: default
- name: viewer
  context:
    cluster: simulated
    user: viewer
    namespace: default
current-context: admin
",
        authority = STANDARD.encode(authority),
        admin = identity.admin_token(),
        viewer = identity.viewer_token(),
    )
}

/// Writes a kubeconfig that only its owner may read, in one step: whoever watches the file never sees half of it.
pub fn write_kubeconfig(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

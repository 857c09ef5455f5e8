//! What a kubelet asks for: a certificate request (PKCS #10) as `spec.request` of a CertificateSigningRequest holds it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The beginning of a PKCS #8 key for Ed25519 (RFC 8410); 32 bytes of key follow.
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// The request of a node: for `hosts` where the certificate is to serve with. The same node always has the same key, so
/// that a story told twice is the same.
pub fn of_node(node: &str, hosts: Vec<String>) -> Result<String, rcgen::Error> {
    of(&format!("system:node:{node}"), "system:nodes", hosts)
}

/// A request for any subject, as forgers write them.
pub fn of(common_name: &str, organization: &str, hosts: Vec<String>) -> Result<String, rcgen::Error> {
    let secret = ring::digest::digest(&ring::digest::SHA256, common_name.as_bytes());
    let der = [&ED25519[..], secret.as_ref()].concat();
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &rcgen::PKCS_ED25519)?;
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, common_name);
    let request = params.serialize_request(&key)?.pem()?;
    Ok(STANDARD.encode(request))
}

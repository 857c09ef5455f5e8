//! `certificates.k8s.io/v1 CertificateSigningRequest`: a node that asks for its certificate.

use super::condition::Condition;
use super::lens::{Present, kind, part};
use super::metadata::Keeps;

kind! {
    /// A CertificateSigningRequest.
    pub struct CertificateSigningRequest in "certificates.k8s.io" / "v1" as "certificatesigningrequests", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What is asked.
        "spec" => pub spec: CertificateSigningRequestSpec,
        /// What was answered.
        "status" => pub status: CertificateSigningRequestStatus,
    }
}

impl CertificateSigningRequest {
    /// Nobody has approved or denied it.
    pub fn is_pending(&self) -> bool {
        self.status.certificate.is_none() && self.status.conditions.is_empty()
    }

    /// The node that asks for a serving certificate, by its user name (`system:node:NAME`).
    pub fn node(&self) -> Option<&str> {
        self.spec.username.strip_prefix("system:node:")
    }
}

part! {
    /// What is asked.
    pub struct CertificateSigningRequestSpec {
        /// `kubernetes.io/kubelet-serving`, `kubernetes.io/kube-apiserver-client-kubelet` ...
        "signerName" => pub signer: String,
        /// Who asks.
        "username" => pub username: String,
    }
}

part! {
    /// What was answered.
    pub struct CertificateSigningRequestStatus {
        /// `Approved`, `Denied`, `Failed`.
        "conditions" => pub conditions: Vec<Condition>,
        /// It was issued.
        "certificate" => pub certificate: Option<Present>,
    }
}

//! How the cluster gets its cloud credentials.

use super::lens::{kind, part};
use super::metadata::{Keeps, annotation};

/// The version that a person declared manually maintained credentials to be ready for.
pub const UPGRADEABLE_TO: &str = "cloudcredential.openshift.io/upgradeable-to";

kind! {
    /// `operator.openshift.io/v1 CloudCredential`; there is one, named `cluster`.
    pub struct CloudCredential in "operator.openshift.io" / "v1" as "cloudcredentials", ClusterResourceScope {
        metadata: Keeps { annotations: &[UPGRADEABLE_TO], owner_of: None, life: false },
        /// What was asked for.
        "spec" => pub spec: CloudCredentialSpec,
    }
}

impl CloudCredential {
    /// What a person declared credentials to be ready for.
    pub fn upgradeable_to(&self) -> Option<&str> {
        annotation(&self.metadata, UPGRADEABLE_TO)
    }
}

part! {
    /// What was asked for.
    pub struct CloudCredentialSpec {
        /// Empty, `Mint`, `Passthrough` or `Manual`.
        "credentialsMode" => pub mode: String,
    }
}

kind! {
    /// `config.openshift.io/v1 Authentication`; there is one, named `cluster`.
    pub struct Authentication in "config.openshift.io" / "v1" as "authentications", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: AuthenticationSpec,
    }
}

part! {
    /// What was asked for.
    pub struct AuthenticationSpec {
        /// Set when credentials were made by ccoctl.
        "serviceAccountIssuer" => pub issuer: String,
    }
}

kind! {
    /// A Secret: that it exists, never what is in it.
    pub struct Secret in "" / "v1" as "secrets", NamespaceResourceScope, metadata_only {
        metadata: Keeps::NOTHING,
    }
}

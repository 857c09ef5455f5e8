//! The root credentials of clouds: which Secret each platform has for them, and what is in it.
//!
//! The cloud-credential operator makes the credentials of components from it, or hands it on as it is.

/// Where they are (cloud-credential-operator, pkg/operator/constants: `CloudCredSecretNamespace`).
pub const NAMESPACE: &str = "kube-system";

/// The Secret of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootSecret {
    /// The platform, as `Infrastructure` `cluster` names it in `status.platformStatus.type`.
    pub platform: &'static str,
    /// Name of the Secret (cloud-credential-operator, pkg/operator/constants).
    pub name: &'static str,
    /// What is in it.
    pub keys: Keys,
    /// Are credentials of components minted from it? Elsewhere they are handed on as they are.
    pub mints: bool,
}

/// The keys of a root secret (installer, data/data/manifests/openshift/cloud-creds-secret.yaml.template).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// All of these, a value on a line each.
    Lines(&'static [&'static str]),
    /// This one, a JSON object.
    Json(&'static str),
    /// This one, a text of several lines.
    Text(&'static str),
    /// For each server a `SERVER.username` and a `SERVER.password`.
    Servers,
}

/// Those of all platforms that have one.
pub const ROOT_SECRETS: [RootSecret; 6] = [
    RootSecret {
        platform: "AWS",
        name: "aws-creds",
        keys: Keys::Lines(&["aws_access_key_id", "aws_secret_access_key"]),
        mints: true,
    },
    RootSecret {
        platform: "Azure",
        name: "azure-credentials",
        keys: Keys::Lines(&[
            "azure_subscription_id",
            "azure_client_id",
            "azure_client_secret",
            "azure_tenant_id",
            "azure_resource_prefix",
            "azure_resourcegroup",
            "azure_region",
        ]),
        mints: false,
    },
    RootSecret { platform: "GCP", name: "gcp-credentials", keys: Keys::Json("service_account.json"), mints: true },
    RootSecret { platform: "OpenStack", name: "openstack-credentials", keys: Keys::Text("clouds.yaml"), mints: false },
    RootSecret {
        platform: "oVirt",
        name: "ovirt-credentials",
        keys: Keys::Lines(&["ovirt_url", "ovirt_username", "ovirt_password"]),
        mints: false,
    },
    RootSecret { platform: "VSphere", name: "vsphere-creds", keys: Keys::Servers, mints: false },
];

/// Their names.
pub const NAMES: [&str; 6] = {
    let mut names = [""; ROOT_SECRETS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = ROOT_SECRETS[at].name;
        at += 1;
    }
    names
};

/// The root secret of a platform; none: it has none, or is not known.
pub fn of_platform(platform: &str) -> Option<&'static RootSecret> {
    ROOT_SECRETS.iter().find(|secret| secret.platform == platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_one_and_no_name_is_forgotten() {
        for secret in ROOT_SECRETS {
            assert_eq!(of_platform(secret.platform), Some(&secret));
            assert!(NAMES.contains(&secret.name));
        }
        assert_eq!(of_platform("BareMetal"), None);
        assert_eq!(of_platform(""), None);
    }

    #[test]
    fn only_two_platforms_mint() {
        let mints: Vec<&str> = ROOT_SECRETS.iter().filter(|one| one.mints).map(|one| one.platform).collect();
        assert_eq!(mints, ["AWS", "GCP"]);
    }
}

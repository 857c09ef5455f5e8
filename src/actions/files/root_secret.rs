//! The root credentials of the cloud, which the cloud-credential operator works with: of them only keys are told.

use serde_json::Value;

use super::secret_data::{json, keys, value};
use crate::actions::raw::text;
use crate::actions::reading::Reading;
use crate::actions::words::list;
use crate::actions::{Precondition, Refusal};
use crate::upgrade::root_credentials::{Keys, NAMESPACE, RootSecret, of_platform};

const INFRASTRUCTURE: &str = "/apis/config.openshift.io/v1/infrastructures/cluster";
const MODE: &str = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";
/// What the operator finds the credentials good for; it writes that itself (cloud-credential-operator,
/// pkg/operator/constants: `AnnotationKey`).
pub(super) const CAPABILITY: &str = "cloudcredential.openshift.io/mode";
/// The last minor release without the kind CloudCredential: there the operator works in its default mode.
const WITHOUT_MODE: u64 = 6;

/// What the cluster says about its credentials.
pub(super) struct Cloud<'a> {
    /// `status.platformStatus.type`; empty: not told.
    platform: &'a str,
    /// `spec.credentialsMode`; none: there is no CloudCredential.
    mode: Option<&'a str>,
}

impl<'a> Cloud<'a> {
    /// Reads it. None: not read yet.
    ///
    /// # Errors
    /// It could not be read: then nobody knows whether the credentials belong to this cluster.
    pub(super) fn read(reading: &mut Reading<'a>) -> Result<Option<Self>, Refusal> {
        let (platform, mode) = (reading.object(INFRASTRUCTURE)?, reading.object(MODE)?);
        let (Some(platform), Some(mode)) = (platform, mode) else { return Ok(None) };
        Ok(Some(Self {
            platform: platform.map_or("", |object| text(object, "/status/platformStatus/type")),
            mode: mode.map(|object| text(object, "/spec/credentialsMode")),
        }))
    }

    /// Is it the root secret of this cluster, does anything read it, and is everything in it?
    pub(super) fn check(
        &self,
        object: &str,
        name: &str,
        body: &Value,
        minor: Option<(u64, u64)>,
    ) -> Result<[Precondition; 2], Refusal> {
        let refuse = |why: String| Err(Refusal(why));
        let platform = self.platform;
        if platform.is_empty() {
            return refuse(format!(
                "infrastructure/cluster does not tell the platform: whether {object} is its root secret is not known"
            ));
        }
        let Some(root) = of_platform(platform) else {
            return refuse(format!("on {platform} there are no root credentials: nothing reads {object}"));
        };
        if root.name != name {
            return refuse(format!(
                "{object} is not the root secret of {platform}, which is {NAMESPACE}/{}: nothing reads it",
                root.name
            ));
        }
        let mode = match (self.mode, minor) {
            (Some("Manual"), _) => {
                return refuse(format!(
                    "credentials are maintained by hand (cloudcredential/cluster, credentialsMode Manual): nothing reads \
                     {object}, apply the Secrets of the components"
                ));
            }
            (None, Some((4, minor))) if minor > WITHOUT_MODE => {
                return refuse(format!(
                    "there is no cloudcredential/cluster, so no cloud-credential operator: nothing reads {object}"
                ));
            }
            (Some(mode), _) => format!("spec.credentialsMode = {}", if mode.is_empty() { "\"\"" } else { mode }),
            (None, _) => "not there: the default mode, as on releases up to 4.6".to_owned(),
        };
        let read = complete(object, body, root)?;
        let found = |words: String, evidence: String| Precondition { words, evidence };
        Ok([
            found(
                format!(
                    "{object} is the root secret of {platform}, and holds {}",
                    list(read.iter().map(String::as_str))
                ),
                format!("infrastructure/cluster status.platformStatus.type = {platform}"),
            ),
            found(format!("the cloud-credential operator reads {object}"), format!("cloudcredential/cluster {mode}")),
        ])
    }

    /// What the operator does with it (cloud-credential-operator, pkg/operator/secretannotator: `Reconcile`; and
    /// `MissingRootCredentialUpgradeableReason`).
    pub(super) fn told(&self, there: bool) -> Vec<String> {
        let mints = of_platform(self.platform).is_some_and(|root| root.mints);
        let mode = self.mode.unwrap_or_default();
        let does = match mode {
            "Mint" => {
                "makes the credentials of components from it, for each what it asks for, without looking whether it may \
                 (mode Mint)"
            }
            "Passthrough" => "hands it on to every component as it is (mode Passthrough)",
            _ if mints => {
                "looks what it is good for: to make credentials for each component, else to hand it on to them as it is \
                 (default mode)"
            }
            _ => "hands it on to every component as it is, as always on this platform",
        };
        let mut lines = vec![format!("the cloud-credential operator {does}")];
        let may_mint = mints && mode != "Passthrough";
        if there && may_mint {
            lines.push(
                "credentials that were made before stay as they are: they are made anew only where the Secret of a component \
                 goes, which is not done from here"
                    .to_owned(),
            );
        }
        if !there && may_mint {
            lines.push(
                "minor updates are no longer held up for its absence (MissingRootCredential) some minutes later; after the \
                 update it can be taken away again, which is not done from here"
                    .to_owned(),
            );
        }
        lines.push("no node is drained or rebooted for it".to_owned());
        lines
    }
}

/// The keys that are read, all of them with a value that can be one.
fn complete(object: &str, body: &Value, root: &RootSecret) -> Result<Vec<String>, Refusal> {
    let refuse = |why: String| Err(Refusal(format!("{object} {why}")));
    let wanted: Vec<String> = match root.keys {
        Keys::Lines(keys) => keys.iter().map(|key| (*key).to_owned()).collect(),
        Keys::Json(key) | Keys::Text(key) => vec![key.to_owned()],
        Keys::Servers => of_servers(body),
    };
    if wanted.is_empty() {
        return refuse("has no SERVER.username and SERVER.password".to_owned());
    }
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|key| body["data"].get(key).is_none()).collect();
    if !missing.is_empty() {
        return refuse(format!("lacks {}", list(missing)));
    }
    let single = matches!(root.keys, Keys::Lines(_) | Keys::Servers);
    for key in &wanted {
        let Some(value) = value(body, key) else { return refuse(format!("has something under {key} that is no text")) };
        if value.trim().is_empty() {
            return refuse(format!("has nothing under {key}"));
        }
        if single && (value.trim() != value || value.contains('\n')) {
            return refuse(format!("has a blank or a line break around the value of {key}, which would be part of it"));
        }
    }
    if let Keys::Json(key) = root.keys
        && json(body, key).is_none()
    {
        return refuse(format!("has something under {key} that is no JSON object"));
    }
    Ok(wanted)
}

/// For each server that a key names its `.username` and its `.password`.
fn of_servers(body: &Value) -> Vec<String> {
    let servers = keys(body).filter_map(|key| key.strip_suffix(".username").or_else(|| key.strip_suffix(".password")));
    let servers: std::collections::BTreeSet<&str> = servers.collect();
    servers.into_iter().flat_map(|server| [format!("{server}.username"), format!("{server}.password")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::root_credentials::ROOT_SECRETS;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Map, json as object};

    fn secret(data: &[(&str, &str)]) -> Value {
        let data: Map<String, Value> =
            data.iter().map(|(key, value)| ((*key).to_owned(), Value::from(STANDARD.encode(value)))).collect();
        object!({ "data": data })
    }

    fn said(platform: &str, mode: Option<&str>, name: &str, data: &[(&str, &str)]) -> String {
        match (Cloud { platform, mode }).check("secret/x", name, &secret(data), Some((4, 18))) {
            Ok(found) => found.map(|found| format!("{} ({})", found.words, found.evidence)).join("; "),
            Err(Refusal(why)) => why,
        }
    }

    const AWS: [(&str, &str); 2] = [("aws_access_key_id", "AKIA"), ("aws_secret_access_key", "canary")];

    #[test]
    fn the_root_secret_of_this_platform_is_taken() {
        assert_eq!(
            said("AWS", Some(""), "aws-creds", &AWS),
            "secret/x is the root secret of AWS, and holds aws_access_key_id, aws_secret_access_key \
             (infrastructure/cluster status.platformStatus.type = AWS); the cloud-credential operator reads secret/x \
             (cloudcredential/cluster spec.credentialsMode = \"\")"
        );
    }

    #[test]
    fn that_of_another_platform_and_what_nothing_reads_are_refused() {
        for (platform, mode, part) in [
            ("GCP", Some("Mint"), "is not the root secret of GCP, which is kube-system/gcp-credentials"),
            ("BareMetal", Some(""), "on BareMetal there are no root credentials"),
            ("", Some(""), "does not tell the platform"),
            ("AWS", Some("Manual"), "credentials are maintained by hand"),
            ("AWS", None, "there is no cloudcredential/cluster"),
        ] {
            let why = said(platform, mode, "aws-creds", &AWS);
            assert!(why.contains(part), "{platform} {mode:?}: {why}");
        }
        let old = Cloud { platform: "AWS", mode: None };
        assert!(old.check("secret/x", "aws-creds", &secret(&AWS), Some((4, 6))).is_ok(), "4.6 has no such kind");
    }

    #[test]
    fn each_platform_has_keys_of_its_own_and_no_value_is_told() {
        let service = object!({ "type": "service_account", "private_key": "canary" }).to_string();
        let azure: Vec<(&str, &str)> = match ROOT_SECRETS[1].keys {
            Keys::Lines(keys) => keys.iter().map(|key| (*key, "canary")).collect(),
            _ => Vec::new(),
        };
        for (platform, name, data, part) in [
            ("AWS", "aws-creds", &AWS[..1], "lacks aws_secret_access_key"),
            ("AWS", "aws-creds", &[AWS[0], (AWS[1].0, " \n")], "has nothing under aws_secret_access_key"),
            ("AWS", "aws-creds", &[AWS[0], (AWS[1].0, "canary\n")], "around the value of aws_secret_access_key"),
            ("GCP", "gcp-credentials", &[("service_account.json", service.as_str())], "is the root secret of GCP"),
            ("GCP", "gcp-credentials", &[("service_account.json", "canary")], "that is no JSON object"),
            ("Azure", "azure-credentials", &azure, "azure_region"),
            ("Azure", "azure-credentials", &azure[1..], "lacks azure_subscription_id"),
            ("OpenStack", "openstack-credentials", &[("clouds.yaml", "clouds:\n  a: canary\n")], "holds clouds.yaml"),
            (
                "VSphere",
                "vsphere-creds",
                &[("vc.username", "a"), ("vc.password", "canary")],
                "vc.username, vc.password",
            ),
            ("VSphere", "vsphere-creds", &[("vc.password", "canary")], "lacks vc.username"),
            ("VSphere", "vsphere-creds", &[("other", "canary")], "has no SERVER.username"),
        ] {
            let said = said(platform, Some(""), name, data);
            assert!(said.contains(part) && !said.contains("canary"), "{platform}: {said}\nand not: {part}");
        }
    }
}

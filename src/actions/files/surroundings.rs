//! What is read around an object of a file, to tell what becomes of the nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kinds::Role;
use super::registry_ca::named;
use super::root_secret::Cloud;
use super::user_data::Machines;
use crate::actions::Refusal;
use crate::actions::disruption::{self, Known};
use crate::actions::raw::{annotation, items, text};
use crate::actions::reading::Reading;
use crate::upgrade::assessment::Assessment;

const POOLS: &str = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools";
/// The second version was served before the first.
const LAYERED: [&str; 2] = [
    "/apis/machineconfiguration.openshift.io/v1/machineosconfigs",
    "/apis/machineconfiguration.openshift.io/v1alpha1/machineosconfigs",
];
const DIGEST_MIRRORS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
const CONTENT_SOURCES: &str = "/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies";
const IMAGES: &str = "/apis/config.openshift.io/v1/images/cluster";
const PROXY: &str = "/apis/config.openshift.io/v1/proxies/cluster";
const REQUESTS: &str =
    "/apis/cloudcredential.openshift.io/v1/namespaces/openshift-cloud-credential-operator/credentialsrequests";

/// What was read.
pub(super) struct Surroundings<'a> {
    /// What is known beside it.
    pub assessment: &'a Assessment,
    /// The pools as the server has them.
    pub pools: Vec<&'a Value>,
    /// Pools whose nodes run an image that is built on the cluster.
    pub layered: BTreeSet<String>,
    /// The rules by which nodes drain and reboot.
    pub known: Known,
    /// Does the release have ImageDigestMirrorSets? None: not asked, or not known.
    pub digest_mirrors: Option<bool>,
    /// ImageContentSourcePolicies that are there.
    pub content_sources: usize,
    /// The ConfigMap with certificates of registries (`Image/cluster spec.additionalTrustedCA`).
    pub registry_ca: &'a str,
    /// The ConfigMap with certificates that all trust (`Proxy/cluster spec.trustedCA`).
    pub trusted_ca: &'a str,
    /// ConfigMaps that the file or the cluster names, as they are there: what [`registry_ca`](super::registry_ca) is about.
    pub maps: BTreeMap<String, Option<&'a Value>>,
    /// Namespace and name of the Secrets that CredentialsRequests of the cluster name.
    pub credentials: Vec<(String, String)>,
    /// What the root credentials of the cloud are for; none: not asked.
    pub cloud: Option<Cloud<'a>>,
    /// What makes machines; none: not asked.
    pub machines: Option<Machines<'a>>,
}

impl<'a> Surroundings<'a> {
    /// Reads what objects of these roles need. None: not read yet.
    pub(super) fn read(
        assessment: &'a Assessment,
        reading: &mut Reading<'a>,
        roles: &BTreeSet<Role>,
    ) -> Result<Option<Self>, Refusal> {
        let any = |wanted: &[Role]| roles.iter().any(|role| wanted.contains(role));
        let pools = reading.list(POOLS)?;
        let layered = match reading.try_list(LAYERED[0]) {
            Some(Ok(None)) => reading.try_list(LAYERED[1]),
            found => found,
        };
        let configuration = reading.try_object(disruption::PATH);
        let mirrors = any(&[Role::DigestMirrors, Role::TagMirrors, Role::ContentSources])
            .then(|| (reading.try_list(DIGEST_MIRRORS), reading.try_list(CONTENT_SOURCES)));
        let trust = any(&[Role::RegistryCa, Role::Image, Role::Proxy])
            .then(|| (reading.try_object(IMAGES), reading.try_object(PROXY)));
        let requests = any(&[Role::Credentials, Role::Namespace]).then(|| reading.try_list(REQUESTS));
        let cloud = if any(&[Role::RootSecret]) { Some(Cloud::read(reading)?) } else { None };
        let machines = any(&[Role::UserData]).then(|| Machines::read(reading, configuration.flatten()));
        let (Some(pools), Some(layered), Some(configuration)) = (pools, layered, configuration) else {
            return Ok(None);
        };
        if matches!(cloud, Some(None)) || matches!(machines, Some(None)) {
            return Ok(None);
        }
        let mut around = Self {
            assessment,
            pools: pools.unwrap_or_default(),
            layered: layered.ok().flatten().unwrap_or_default().into_iter().map(layered_pool).collect(),
            known: Known::new(assessment, configuration),
            digest_mirrors: None,
            content_sources: 0,
            registry_ca: "",
            trusted_ca: "",
            maps: BTreeMap::new(),
            credentials: Vec::new(),
            cloud: cloud.flatten(),
            machines: machines.flatten(),
        };
        match mirrors {
            Some((Some(digest), Some(older))) => {
                around.digest_mirrors = digest.ok().map(|sets| sets.is_some());
                around.content_sources = older.ok().flatten().map_or(0, |policies| policies.len());
            }
            Some(_) => return Ok(None),
            None => {}
        }
        match trust {
            Some((Some(images), Some(proxy))) => {
                around.registry_ca = images.map_or("", |images| named(Role::Image, images));
                around.trusted_ca = proxy.map_or("", |proxy| named(Role::Proxy, proxy));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        match requests {
            Some(Some(requests)) => {
                around.credentials =
                    requests.ok().flatten().unwrap_or_default().into_iter().filter_map(secret_of).collect();
            }
            Some(None) => return Ok(None),
            None => {}
        }
        Ok(Some(around))
    }
}

fn layered_pool(config: &Value) -> String {
    text(config, "/spec/machineConfigPool/name").to_owned()
}

/// Namespace and name of the Secret that a CredentialsRequest names.
pub(super) fn secret_of(request: &Value) -> Option<(String, String)> {
    let (namespace, name) = (text(request, "/spec/secretRef/namespace"), text(request, "/spec/secretRef/name"));
    (!namespace.is_empty() && !name.is_empty()).then(|| (namespace.to_owned(), name.to_owned()))
}

/// Is it a CredentialsRequest? In a file it says which Secrets belong to the release.
pub(super) fn is_credentials_request(object: &Value) -> bool {
    text(object, "/kind") == "CredentialsRequest"
        && text(object, "/apiVersion").starts_with("cloudcredential.openshift.io/")
}

/// Does a controller own the object, or has the machine-config operator made it?
pub(super) fn is_made_by_a_controller(object: &Value) -> bool {
    let owned = items(object, "/metadata/ownerReferences")
        .iter()
        .any(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    owned || annotation(object, "machineconfiguration.openshift.io/generated-by-controller-version").is_some()
}

//! What `Image/cluster` and `Proxy/cluster` say, and the files of nodes that the machine config operator makes of it.
//!
//! Rules: machine-config-operator, pkg/operator/sync.go (getTrustedBundle, getImageRegistryBundles),
//! templates/common/_base/files (additional-trust-bundle.yaml, etc-mco-proxy.yaml) and
//! pkg/controller/container-runtime-config/helpers.go (updatePolicyJSON, updateSearchRegistriesConfig).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Builder;
use super::object::{items, text};
use crate::sim::kinds::Res;
use crate::sim::store::Store;

/// Where ConfigMaps with certificates are.
pub const NAMESPACE: &str = "openshift-config";
/// The key of a bundle.
pub const KEY: &str = "ca-bundle.crt";
/// The ConfigMap that is handed to nodes whoever names it.
const USER_BUNDLE: &str = "user-ca-bundle";
/// Both objects have this name, and no other is looked at.
const NAME: &str = "cluster";

/// Creates both, as an installer without proxy leaves them.
pub fn build(builder: &Builder<'_>) {
    let status = json!({"internalRegistryHostname": "image-registry.openshift-image-registry.svc:5000"});
    builder.old(Res::IMAGES, json!({"metadata": {"name": NAME}, "spec": {}, "status": status}));
    let spec = json!({"trustedCA": {"name": ""}});
    builder.old(Res::PROXIES, json!({"metadata": {"name": NAME}, "spec": spec, "status": {}}));
}

/// A text as the contents of a file of a MachineConfig.
fn contents(text: &str) -> Value {
    json!({"source": format!("data:text/plain;charset=utf-8;base64,{}", STANDARD.encode(text))})
}

/// A bundle of certificates; `None` where it is not there.
fn bundle(store: &Store, name: &str) -> Option<String> {
    let map = store.get(Res::CONFIGMAPS, Some(NAMESPACE), name)?;
    map["data"][KEY].as_str().map(str::to_owned)
}

/// The files of every node: certificates that all trust, and the proxy. `None`: the proxy names certificates that are not
/// there, and the operator cannot go on.
pub fn files(store: &Store) -> Option<Vec<Value>> {
    let proxy = store.get(Res::PROXIES, None, NAME);
    let named = proxy.as_ref().map_or("", |proxy| text(proxy, "/spec/trustedCA/name"));
    let mut certificates = bundle(store, USER_BUNDLE).unwrap_or_default();
    if !matches!(named, "" | USER_BUNDLE) {
        certificates.push_str(&bundle(store, named)?);
    }
    let mut files = Vec::new();
    if !certificates.is_empty() {
        let path = "/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt";
        files.push(json!({"path": path, "mode": 384, "overwrite": true, "contents": contents(&certificates)}));
    }
    let status = |field: &str| proxy.as_ref().map_or("", |proxy| text(proxy, field)).to_owned();
    let ways =
        [("HTTP_PROXY", "/status/httpProxy"), ("HTTPS_PROXY", "/status/httpsProxy"), ("NO_PROXY", "/status/noProxy")];
    let lines: String = ways
        .into_iter()
        .map(|(variable, field)| (variable, status(field)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(variable, value)| format!("{variable}={value}\n"))
        .collect();
    if !lines.is_empty() {
        files.push(json!({"path": "/etc/mco/proxy.env", "mode": 420, "overwrite": true, "contents": contents(&lines)}));
    }
    Some(files)
}

/// The certificates of registries that nodes are given, as the controller configuration carries them.
pub fn registry_bundles(store: &Store) -> Value {
    let image = store.get(Res::IMAGES, None, NAME);
    let named = image.as_ref().map_or("", |image| text(image, "/spec/additionalTrustedCA/name"));
    let map = store.get(Res::CONFIGMAPS, Some(NAMESPACE), named).filter(|_| !named.is_empty());
    let data = map.as_ref().and_then(|map| map["data"].as_object()).into_iter().flatten();
    let entry = |(file, value): (&String, &Value)| json!({"file": file, "data": STANDARD.encode(value.as_str().unwrap_or_default())});
    Value::Array(data.map(entry).collect())
}

/// A list of `spec.registrySources` of the image configuration.
pub fn sources(store: &Store, list: &str) -> Vec<String> {
    let image = store.get(Res::IMAGES, None, NAME);
    let found = image.as_ref().map_or(&[][..], |image| items(image, &format!("/spec/registrySources/{list}")));
    found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The files beside registries.conf that the image configuration asks for: what may be pulled, and where short names are
/// looked for.
pub fn image_files(store: &Store) -> Vec<Value> {
    let [allowed, blocked, searched] =
        ["allowedRegistries", "blockedRegistries", "containerRuntimeSearchRegistries"].map(|list| sources(store, list));
    let mut files = Vec::new();
    if !allowed.is_empty() || !blocked.is_empty() {
        let verdict = |kind: &str| json!([{"type": kind}]);
        let (places, each, default) = if allowed.is_empty() {
            (&blocked, "reject", "insecureAcceptAnything")
        } else {
            (&allowed, "insecureAcceptAnything", "reject")
        };
        let scopes: Map<String, Value> = places.iter().map(|place| (place.clone(), verdict(each))).collect();
        let policy = json!({"default": verdict(default), "transports": {"atomic": scopes, "docker": scopes}});
        let text = contents(&policy.to_string());
        files.push(json!({"path": "/etc/containers/policy.json", "mode": 420, "overwrite": true, "contents": text}));
    }
    if !searched.is_empty() {
        let path = "/etc/containers/registries.conf.d/01-image-searchRegistries.conf";
        let quoted: Vec<String> = searched.iter().map(|place| format!("{place:?}")).collect();
        let text = contents(&format!("unqualified-search-registries = [{}]\n", quoted.join(", ")));
        files.push(json!({"path": path, "mode": 420, "overwrite": true, "contents": text}));
    }
    files
}

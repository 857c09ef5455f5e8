//! ConfigMaps of `openshift-config` that hold certificates (of registries, of the update service, of a proxy), and the
//! two objects that name them: `Image/cluster` and `Proxy/cluster`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::Role;
use crate::actions::Refusal;
use crate::actions::raw::{name, text};

/// The key that a proxy's ConfigMap has its certificates under (machine-config-operator, pkg/operator/sync.go,
/// `getTrustedBundle`; cluster-network-operator, pkg/names, `TRUSTED_CA_BUNDLE_CONFIGMAP_KEY`).
pub(super) const BUNDLE: &str = "ca-bundle.crt";
/// The ConfigMap whose bundle nodes are given whether a proxy names it or not (machine-config-operator,
/// `getTrustedBundle`).
pub(super) const USER_BUNDLE: &str = "user-ca-bundle";
/// The key that the update service has the certificates of its registry under (cincinnati-operator,
/// controllers, `NameCertConfigMapKey`).
pub(super) const UPDATE_SERVICE: &str = "updateservice-registry";

/// Does it hold certificates and nothing else? Other ConfigMaps of that namespace are not for files: acknowledgements of
/// gates have an action of their own.
pub(super) fn check(object: &Value) -> Result<Vec<String>, Refusal> {
    let refuse = |why: String| {
        Err(Refusal(format!("ConfigMap {} {why}: only certificates are applied to openshift-config", name(object))))
    };
    if object.get("binaryData").and_then(Value::as_object).is_some_and(|data| !data.is_empty()) {
        return refuse("holds binary data".to_owned());
    }
    match certified(object) {
        Err(why) => refuse(why),
        Ok(keys) if keys.is_empty() => refuse("holds no certificate".to_owned()),
        Ok(keys) => Ok(keys),
    }
}

/// The keys of a ConfigMap, all of which hold certificates.
fn certified(object: &Value) -> Result<Vec<String>, String> {
    let data = object.get("data").and_then(Value::as_object).into_iter().flatten();
    data.map(|(key, value)| match certificates(value.as_str().unwrap_or_default()) {
        0 => Err(format!("holds something else under {key}")),
        _ => Ok(key.clone()),
    })
    .collect()
}

/// How many certificates a text in PEM holds; 0 too when it holds anything else.
fn certificates(text: &str) -> usize {
    let mut count = 0;
    for block in x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()) {
        match block {
            Ok(block) if block.label == "CERTIFICATE" && block.parse_x509().is_ok() => count += 1,
            _ => return 0,
        }
    }
    count
}

/// The field by which an object of a role names such a ConfigMap; none: it names none.
pub(super) fn field(role: Role) -> Option<&'static str> {
    match role {
        Role::Image => Some("spec.additionalTrustedCA"),
        Role::Proxy => Some("spec.trustedCA"),
        _ => None,
    }
}

/// The ConfigMap that an object names; empty: none.
pub(super) fn named(role: Role, object: &Value) -> &str {
    match role {
        Role::Image => text(object, "/spec/additionalTrustedCA/name"),
        Role::Proxy => text(object, "/spec/trustedCA/name"),
        _ => "",
    }
}

/// Where a ConfigMap of that name is.
pub(super) fn path(name: &str) -> String {
    format!("/api/v1/namespaces/{}/configmaps/{name}", super::kinds::CLUSTER_CONFIG)
}

/// Does the ConfigMap hold what whoever names it looks for? The keys in words.
///
/// # Errors
/// Why not.
pub(super) fn serves(role: Role, map: &Value) -> Result<String, String> {
    if role == Role::Proxy {
        let bundle = map.pointer("/data").and_then(|data| data.get(BUNDLE)).and_then(Value::as_str);
        return match bundle.map(certificates) {
            None => Err(format!("has no key {BUNDLE}, which is the one that is read")),
            Some(0) => Err(format!("holds something else than certificates in PEM under {BUNDLE}")),
            Some(_) => Ok(BUNDLE.to_owned()),
        };
    }
    let keys = certified(map)?;
    if registries(map).is_empty() && !keys.iter().any(|key| key == UPDATE_SERVICE) {
        return Err(format!(
            "names no registry: its keys have to be hosts, with .. before the port (registry.example.com..5000), or \
             {UPDATE_SERVICE}"
        ));
    }
    Ok(keys.join(", "))
}

/// The registries that the keys of a ConfigMap stand for, as images name them: `registry.example.com:5000`
/// (machine-config-operator, pkg/daemon/certificate_writer.go: a colon cannot stand in a key).
pub(super) fn registries(map: &Value) -> BTreeSet<String> {
    let keys = map.get("data").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
    keys.filter(|key| is_registry(key)).map(|key| key.replace("..", ":")).collect()
}

fn is_registry(key: &str) -> bool {
    let (host, port) = key.split_once("..").unwrap_or((key, "443"));
    let host_is_one = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    host_is_one && port.parse::<u16>().is_ok() && key != BUNDLE && key != UPDATE_SERVICE
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn registries_of(keys: &[&str]) -> Vec<String> {
        let data: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!("x"))).collect();
        registries(&json!({ "data": data })).into_iter().collect()
    }

    #[test]
    fn keys_are_hosts_with_two_dots_before_the_port() {
        assert_eq!(
            registries_of(&["registry.example.com..5000", "quay.lab", "10.0.0.1..443"]),
            ["10.0.0.1:443", "quay.lab", "registry.example.com:5000"]
        );
        let none = registries_of(&[BUNDLE, UPDATE_SERVICE, "a..b..c", "host..port", "under_score", "..5000"]);
        assert!(none.is_empty(), "{none:?}");
    }

    #[test]
    fn what_is_no_certificate_serves_nobody() {
        let map = |key: &str, value: &str| json!({ "data": { key: value } });
        let why = |role, map: &Value| serves(role, map).unwrap_err();
        assert!(why(Role::Proxy, &map("other", "x")).contains("has no key ca-bundle.crt"));
        assert!(why(Role::Proxy, &map(BUNDLE, "-----BEGIN CERTIFICATE-----")).contains("something else"));
        assert!(why(Role::Image, &map("registry.lab..5000", "x")).contains("under registry.lab..5000"));
        assert!(why(Role::Image, &json!({})).contains("names no registry"));
    }
}

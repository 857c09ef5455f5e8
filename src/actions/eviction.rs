//! The request that asks a pod to go, in the group and version that the server takes.

use serde_json::{Value, json};

use super::request::oc;
use super::{Material, Read, Refusal, Session, Verb, Write};
use crate::upgrade::access::Permission;

/// Evictions are created below pods.
pub(super) const EVICT: Permission =
    Permission { verb: "create", group: "", resource: "pods", subresource: "eviction", namespace: "", name: "" };

/// The discovery of the core group, in which `pods/eviction` stands with the group and version of its body (kubectl,
/// pkg/drain/drain.go, `CheckEvictionSupport`): `policy/v1` from Kubernetes 1.22 on, `policy/v1beta1` until 1.24.
const CORE: &str = "/api/v1";

/// What has to be read to know them.
pub(super) fn discovery() -> Read {
    Read::Object(CORE.to_owned())
}

/// Group and version of the Eviction; none: they were not read yet.
pub(super) fn group_version(material: &Material) -> Option<Result<String, Refusal>> {
    let refuse = |words: String| Err(Refusal(words));
    Some(match material.object(CORE)? {
        Err(words) => refuse(format!("what the API server takes as an eviction could not be read: {words}")),
        Ok(found) => match found.and_then(of_discovery) {
            Some(version) => Ok(version),
            None => refuse(
                "this API server takes no evictions (its discovery has no pods/eviction): pods could only be deleted \
                 past their budgets, which a drain never does"
                    .to_owned(),
            ),
        },
    })
}

fn of_discovery(list: &Value) -> Option<String> {
    let resources = list.get("resources")?.as_array()?;
    let entry = resources.iter().find(|entry| entry["name"] == "pods/eviction" && entry["kind"] == "Eviction")?;
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some(format!("{}/{}", text("group")?, text("version")?))
}

/// The eviction of the pod of that UID and of no other.
pub fn evict(session: &Session, group_version: &str, namespace: &str, name: &str, uid: &str) -> Write {
    let pod = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let body = json!({
        "apiVersion": group_version,
        "kind": "Eviction",
        "metadata": { "namespace": namespace, "name": name },
        "deleteOptions": { "preconditions": { "uid": uid } },
    });
    Write {
        object: format!("pod/{namespace}/{name}"),
        path: format!("{pod}/eviction"),
        // `oc` has no word of its own for it.
        oc: oc(session, &format!("create --raw {pod}/eviction -f - <<<'{body}'")),
        object_path: Some(pod),
        verb: Verb::Evict,
        body,
        secret: false,
        uid: Some(uid.to_owned()),
        resource_version: None,
        stored: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_says_what_an_eviction_is_written_in() {
        let list = |entry: Value| json!({ "resources": [{ "name": "pods", "kind": "Pod" }, entry] });
        let eviction = |group: &str, version: &str| {
            list(json!({ "name": "pods/eviction", "kind": "Eviction", "group": group, "version": version }))
        };
        assert_eq!(of_discovery(&eviction("policy", "v1")).as_deref(), Some("policy/v1"));
        assert_eq!(of_discovery(&eviction("policy", "v1beta1")).as_deref(), Some("policy/v1beta1"));
        assert_eq!(of_discovery(&eviction("", "")), None, "before Kubernetes 1.8 nobody said");
        assert_eq!(of_discovery(&list(json!({ "name": "pods/log", "kind": "Pod" }))), None);
    }
}

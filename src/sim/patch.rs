//! The kinds of patches: JSON merge patch (RFC 7386), JSON patch (RFC 6902), strategic merge patch; and the configuration
//! that is applied on the server, which [`crate::sim::apply`] merges.

use serde_json::{Map, Value};

use crate::sim::status::Refusal;

/// How a patch is to be read, told by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/merge-patch+json`.
    Merge,
    /// `application/json-patch+json`.
    Json,
    /// `application/strategic-merge-patch+json`.
    Strategic,
    /// `application/apply-patch+yaml`.
    Apply,
}

impl PatchKind {
    /// Which patch a content type means for a kind; custom resources know no strategic merge patch.
    pub fn of(content_type: &str, custom: bool) -> Result<Self, Refusal> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/json-patch+json" => Ok(Self::Json),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            "application/strategic-merge-patch+json" if !custom => Ok(Self::Strategic),
            _ if custom => Err(Refusal::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            _ => Err(Refusal::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, \
                 application/strategic-merge-patch+json, application/apply-patch+yaml",
            )),
        }
    }

    /// The object after the patch.
    pub fn apply(self, object: &Value, patch: &Value) -> Result<Value, Refusal> {
        let mut next = object.clone();
        match self {
            Self::Merge => {
                require_object(patch)?;
                json_patch::merge(&mut next, patch);
            }
            Self::Json => {
                let operations: json_patch::Patch = serde_json::from_value(patch.clone())
                    .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
                json_patch::patch(&mut next, &operations).map_err(|error| {
                    // kube-apiserver answers a patch that cannot be applied by 422: apiserver endpoints/handlers,
                    // jsonPatcher.applyJSPatch.
                    let message = format!("the server rejected our request due to an error in our request: {error}");
                    Refusal::new(http::StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
                })?;
            }
            Self::Strategic => {
                require_object(patch)?;
                strategic(&mut next, patch);
            }
            Self::Apply => return Err(Refusal::bad_request("a configuration is applied by its manager")),
        }
        Ok(next)
    }
}

fn require_object(patch: &Value) -> Result<(), Refusal> {
    if patch.is_object() { Ok(()) } else { Err(Refusal::bad_request("error decoding patch: expected an object")) }
}

/// The key by which a list of objects is merged; `None` for a list that is replaced as a whole. Taken from the
/// `patchMergeKey` tags of k8s.io/api. Taints and tolerations are atomic.
pub(super) fn merge_key(field: &str, elements: &[Value]) -> Option<&'static str> {
    // A container's ports and a service's ports have the same name and another key.
    let containers = elements.iter().any(|element| element.get("containerPort").is_some());
    match field {
        "conditions" | "addresses" => Some("type"),
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "ports" if containers => Some("containerPort"),
        "ports" => Some("port"),
        "ownerReferences" => Some("uid"),
        "hostAliases" => Some("ip"),
        _ => None,
    }
}

/// Lists of plain values that are merged instead of replaced.
pub(super) fn is_set(field: &str) -> bool {
    matches!(field, "finalizers" | "podCIDRs")
}

fn strategic(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    match changes.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut whole = changes.clone();
            whole.remove("$patch");
            *target = Value::Object(whole);
            return;
        }
        Some("delete") => {
            *target = Value::Null;
            return;
        }
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    if let Some(keep) = changes.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|name, _| keep.iter().any(|kept| kept.as_str() == Some(name)));
    }
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = change.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(Value::Array(values)) = fields.get_mut(list) {
                values.retain(|value| !gone.contains(value));
            }
        } else if name.starts_with('$') {
            // Orders of elements carry no meaning here.
        } else if change.is_null() {
            fields.remove(name);
        } else if let Value::Array(elements) = change {
            let list = fields.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
            strategic_list(list, elements, name);
        } else {
            let value = fields.entry(name.clone()).or_insert(Value::Null);
            strategic(value, change);
            if value.is_null() {
                fields.remove(name);
            }
        }
    }
}

fn strategic_list(target: &mut Value, elements: &[Value], field: &str) {
    let replaces = elements.iter().any(|element| element["$patch"] == "replace");
    let is_directive = |element: &Value| element["$patch"] == "replace";
    let fresh = || elements.iter().filter(|element| !is_directive(element)).cloned().collect::<Vec<_>>();
    let Some(values) = target.as_array_mut() else {
        *target = Value::Array(fresh());
        return;
    };
    let Some(key) = merge_key(field, elements).filter(|_| !replaces) else {
        if is_set(field) && !replaces {
            for element in elements {
                if !values.contains(element) {
                    values.push(element.clone());
                }
            }
        } else {
            *values = fresh();
        }
        return;
    };
    for element in elements {
        let place = values.iter().position(|value| value.get(key).is_some() && value.get(key) == element.get(key));
        match (element["$patch"] == "delete", place) {
            (true, Some(place)) => {
                values.remove(place);
            }
            (true, None) => {}
            (false, Some(place)) => strategic(&mut values[place], element),
            (false, None) => values.push(element.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_strategic_patch_merges_conditions_by_type_and_replaces_taints() {
        let node = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}},
            "spec": {"unschedulable": true, "taints": [{"key": "x"}, {"key": "y"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}]},
        });
        let patch = json!({
            "metadata": {"labels": {"a": null, "c": "3"}},
            "spec": {"unschedulable": null, "taints": [{"key": "z"}]},
            "status": {"$setElementOrder/conditions": [{"type": "Ready"}],
                       "conditions": [{"type": "Ready", "status": "Unknown"}, {"type": "Disk", "$patch": "delete"}]},
        });
        let next = PatchKind::Strategic.apply(&node, &patch).unwrap();
        assert_eq!(
            next,
            json!({
                "metadata": {"labels": {"b": "2", "c": "3"}},
                "spec": {"taints": [{"key": "z"}]},
                "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
            })
        );
    }

    #[test]
    fn a_list_may_be_replaced_and_values_taken_out() {
        let pod = json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"volumes": [{"name": "v"}]}});
        let patch = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]},
            "spec": {"volumes": [{"$patch": "replace"}, {"name": "w"}]},
        });
        let next = PatchKind::Strategic.apply(&pod, &patch).unwrap();
        assert_eq!(next, json!({"metadata": {"finalizers": ["b"]}, "spec": {"volumes": [{"name": "w"}]}}));
    }

    #[test]
    fn a_failed_test_operation_refuses_the_whole_json_patch() {
        let pool = json!({"spec": {"paused": true}});
        let patch = json!([
            {"op": "replace", "path": "/spec/paused", "value": false},
            {"op": "test", "path": "/spec/name", "value": "x"},
        ]);
        assert!(PatchKind::Json.apply(&pool, &patch).is_err());
    }

    #[test]
    fn the_content_type_decides_and_custom_resources_know_no_strategic_patch() {
        assert_eq!(PatchKind::of("application/merge-patch+json; charset=utf-8", true), Ok(PatchKind::Merge));
        assert!(PatchKind::of("application/strategic-merge-patch+json", true).is_err());
        assert!(PatchKind::of("text/plain", false).is_err());
    }
}

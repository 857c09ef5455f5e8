//! Roles: how a pool is named, which label takes a node into it, what a custom pool looks like.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::pool::{API, GROUP};
use super::request::{oc, patch};
use super::words::{in_pointer, shell};
use super::{PatchKind, Refusal, Session, Write};
use crate::api::{self, node_key};
use crate::upgrade::access::Permission;

/// The roles that are no custom ones.
pub(super) const BUILT_IN: [&str; 3] = ["master", "worker", "arbiter"];

/// Moving a node patches its labels.
pub(super) const PATCH_NODES: Permission = Permission::cluster("patch", "", "nodes");

/// Labels with their new values; none removes one.
pub(super) type Labels = BTreeMap<String, Option<String>>;

/// The label of a role.
pub(super) fn label(role: &str) -> String {
    format!("{}{role}", node_key::ROLE)
}

/// Does the node carry a role of the control plane? `control-plane` is the newer name of `master`.
pub(super) fn is_control_plane(node: &api::Node) -> bool {
    ["master", "control-plane", "arbiter"].iter().any(|role| node.label(&label(role)).is_some())
}

/// Can a custom pool have this name? It becomes the end of a label key (63 characters), the value of a label, and part of
/// the names of rendered configs: a DNS label.
pub(super) fn name_fits(name: &str) -> Result<(), Refusal> {
    let refuse = |words: String| Err(Refusal(words));
    if BUILT_IN.contains(&name) {
        return refuse(format!("{name} is a pool of the platform itself"));
    }
    if name == "control-plane" {
        return refuse(
            "every control plane node has the role control-plane: a pool of that name would claim them".into(),
        );
    }
    if name.is_empty() || name.len() > 63 {
        return refuse(format!("the name of a pool has 1 to 63 characters, this one has {}", name.len()));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(fits) || name.starts_with('-') || name.ends_with('-') {
        return refuse(format!(
            "`{name}` is no name for a pool: lower-case letters, digits and dashes, with no dash at either end"
        ));
    }
    Ok(())
}

/// A custom pool: it takes the configuration of workers and its own, and the nodes with its role label.
pub(super) fn custom_pool(name: &str, paused: bool, max_unavailable: Option<&Value>) -> Value {
    let mut pool = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "MachineConfigPool",
        "metadata": { "name": name },
        "spec": {
            "machineConfigSelector": { "matchExpressions": [
                { "key": format!("{GROUP}/role"), "operator": "In", "values": ["worker", name] },
            ] },
            "nodeSelector": { "matchLabels": { label(name): "" } },
            "paused": paused,
        },
    });
    if let Some(value) = max_unavailable {
        pool["spec"]["maxUnavailable"] = value.clone();
    }
    pool
}

/// The role labels that a pool's node selector asks for; none when it asks for anything else too, so that no role label
/// alone takes a node in or out.
pub(super) fn asked_for(pool: &api::MachineConfigPool) -> Option<Vec<String>> {
    let selector = pool.spec.node_selector.as_ref()?;
    let mut keys: Vec<String> = Vec::new();
    for (key, value) in &selector.match_labels {
        if !key.starts_with(node_key::ROLE) || !value.is_empty() {
            return None;
        }
        keys.push(key.clone());
    }
    for requirement in &selector.match_expressions {
        if requirement.operator != "Exists" || !requirement.key.starts_with(node_key::ROLE) {
            return None;
        }
        keys.push(requirement.key.clone());
    }
    (!keys.is_empty()).then_some(keys)
}

/// Where the pools are created.
pub(super) fn pools() -> String {
    format!("{API}/machineconfigpools")
}

/// The request that sets and removes labels of a node. A strategic patch of labels alone: nothing else of the node is
/// touched, its annotations least of all.
pub(super) fn write(session: &Session, node: &api::Node, labels: &Labels) -> Result<Write, Refusal> {
    let name = node.name();
    let mut patched = Map::new();
    let (mut stored, mut words) = (Vec::new(), Vec::new());
    for (key, value) in labels {
        let value = value.as_ref().map_or(Value::Null, |value| json!(value));
        words.push(if value.is_null() { format!("{key}-") } else { format!("{key}=") });
        stored.push((format!("/metadata/labels/{}", in_pointer(key)), value.clone()));
        patched.insert(key.clone(), value);
    }
    let (object, path) = (format!("node/{name}"), format!("/api/v1/nodes/{name}"));
    let line = oc(session, &format!("label node {} {}", shell(name), words.join(" ")));
    let body = json!({ "metadata": { "labels": patched } });
    Ok(patch(&object, &path, PatchKind::Strategic, &node.metadata, body, line)?.storing(stored))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names_of_pools_are_dns_labels_and_not_those_of_the_platform() {
        for name in ["canary", "infra-2", "a", "0"] {
            assert_eq!(name_fits(name), Ok(()), "{name}");
        }
        let long = "a".repeat(64);
        for name in ["master", "worker", "arbiter", "control-plane", "", "Canary", "a.b", "-a", "a-", "a_b", &long] {
            assert!(name_fits(name).is_err(), "{name}");
        }
    }

    #[test]
    fn only_a_selector_of_role_labels_lets_a_label_decide() {
        let pool = |selector: Value| -> api::MachineConfigPool {
            serde_json::from_value(json!({ "metadata": { "name": "x" }, "spec": { "nodeSelector": selector } }))
                .unwrap()
        };
        let key = "node-role.kubernetes.io/x";
        let table = [
            (json!({ "matchLabels": { key: "" } }), Some(vec![key.to_owned()])),
            (json!({ "matchExpressions": [{ "key": key, "operator": "Exists" }] }), Some(vec![key.to_owned()])),
            (json!({ "matchLabels": { key: "", "gpu": "yes" } }), None),
            (json!({ "matchLabels": { key: "true" } }), None),
            (json!({ "matchExpressions": [{ "key": key, "operator": "DoesNotExist" }] }), None),
            (json!({}), None),
        ];
        for (selector, expected) in table {
            assert_eq!(asked_for(&pool(selector.clone())), expected, "{selector}");
        }
    }
}

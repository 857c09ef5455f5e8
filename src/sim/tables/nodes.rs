//! The columns of Nodes: pkg/printers/internalversion, printNode.

use serde_json::Value;

use crate::sim::tables::columns::{Column, created, text};

const NONE: &str = "<none>";

pub(super) fn columns() -> Vec<Column> {
    let info = |name, field: &'static str| {
        text(name, move |node| {
            node["status"]["nodeInfo"][field].as_str().filter(|it| !it.is_empty()).unwrap_or("<unknown>").to_owned()
        })
    };
    vec![
        text("Status", status),
        text("Roles", roles),
        created(),
        text("Version", |node| node["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap_or_default().to_owned()),
        text("Internal-IP", |node| address(node, "InternalIP")).wide(),
        text("External-IP", |node| address(node, "ExternalIP")).wide(),
        info("OS-Image", "osImage").wide(),
        info("Kernel-Version", "kernelVersion").wide(),
        info("Container-Runtime", "containerRuntimeVersion").wide(),
    ]
}

fn status(node: &Value) -> String {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.and_then(|conditions| conditions.iter().find(|condition| condition["type"] == "Ready"));
    let mut told = match ready.map(|ready| ready["status"] == "True") {
        Some(true) => "Ready".to_owned(),
        Some(false) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node["spec"]["unschedulable"] == true {
        told.push_str(",SchedulingDisabled");
    }
    told
}

fn roles(node: &Value) -> String {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => Some(role),
            _ if key == "kubernetes.io/role" => value.as_str(),
            _ => None,
        })
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { NONE.to_owned() } else { roles.join(",") }
}

fn address(node: &Value, kind: &str) -> String {
    let addresses = node.pointer("/status/addresses").and_then(Value::as_array);
    let found = addresses.and_then(|addresses| addresses.iter().find(|address| address["type"] == kind));
    found.and_then(|address| address["address"].as_str()).unwrap_or(NONE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cordoned_node_says_so_and_roles_are_sorted() {
        let node = json!({
            "metadata": {"labels": {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/infra": ""}},
            "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
        });
        assert_eq!(status(&node), "NotReady,SchedulingDisabled");
        assert_eq!(roles(&node), "infra,worker");
        assert_eq!(roles(&json!({})), "<none>");
        assert_eq!(address(&node, "InternalIP"), "<none>");
    }
}

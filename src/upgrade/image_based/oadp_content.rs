//! Whether backups and restores take along what logical volumes need. Nothing enforces these rules, and without them the
//! contents of the volumes do not come back.

use serde_json::Value;

/// The resource that has to be among those that are backed up and whose status is restored.
const VOLUMES: &str = "logicalvolumes";
/// The same with its group.
const VOLUMES_IN_GROUP: &str = "logicalvolumes.topolvm.io";

/// The documents in the texts of ConfigMaps, YAML or JSON.
///
/// # Errors
/// One of them is neither.
pub fn documents(texts: &[&str]) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for text in texts {
        let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple(text);
        all.extend(read.map_err(|error| format!("their content cannot be read as YAML ({error})"))?);
    }
    Ok(all)
}

/// What is wrong with the contents of ConfigMaps for a node with logical volumes; empty: nothing.
pub fn volume_rules_broken(documents: &[Value]) -> Vec<String> {
    let of_kind = |kind: &'static str| documents.iter().filter(move |one| text(one, "/kind") == kind);
    let mut broken = Vec::new();
    if !of_kind("Backup").any(includes_volumes) {
        broken.push(format!("no Backup includes {VOLUMES_IN_GROUP}"));
    }
    if !of_kind("Restore").any(restores_volumes) {
        broken.push(format!("no Restore has restorePVs: true and restoreStatus.includedResources with {VOLUMES}"));
    }
    broken
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn names(value: &Value, pointer: &str) -> bool {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|name| name == VOLUMES || name == VOLUMES_IN_GROUP || name == "*")
}

fn includes_volumes(backup: &Value) -> bool {
    names(backup, "/spec/includedClusterScopedResources") || names(backup, "/spec/includedResources")
}

fn restores_volumes(restore: &Value) -> bool {
    restore.pointer("/spec/restorePVs").and_then(Value::as_bool) == Some(true)
        && names(restore, "/spec/restoreStatus/includedResources")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn logical_volumes_need_to_be_backed_up_and_restored_with_their_status() {
        let backup =
            json!({"kind": "Backup", "spec": {"includedClusterScopedResources": ["logicalvolumes.topolvm.io"]}});
        let restore = json!({"kind": "Restore", "spec": {"restorePVs": true,
            "restoreStatus": {"includedResources": ["logicalvolumes"]}}});
        assert_eq!(volume_rules_broken(&[backup.clone(), restore.clone()]), Vec::<String>::new());
        assert_eq!(volume_rules_broken(std::slice::from_ref(&backup)).len(), 1);
        assert_eq!(volume_rules_broken(&[]).len(), 2);
        let half = json!({"kind": "Restore", "spec": {"restorePVs": true}});
        assert_eq!(volume_rules_broken(&[backup, half]).len(), 1, "the status is what tells the driver");
    }
}

//! Whether backups and restores take along what logical volumes need. Nothing enforces these rules, and without them the
//! contents of the volumes do not come back.

use std::collections::BTreeSet;

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

/// What is wrong with the contents of ConfigMaps for a node with logical volumes, whose claims are in these namespaces;
/// empty: nothing.
pub fn volume_rules_broken(documents: &[Value], namespaces: &BTreeSet<&str>) -> Vec<String> {
    let of_kind = |kind: &'static str| documents.iter().filter(move |one| text(one, "/kind") == kind);
    let mut broken = Vec::new();
    let backups: Vec<&Value> = of_kind("Backup").filter(|backup| includes_volumes(backup)).collect();
    if backups.is_empty() {
        broken.push(format!("no Backup includes {VOLUMES_IN_GROUP}"));
    }
    let restores: Vec<&Value> = of_kind("Restore").filter(|restore| restores_volumes(restore)).collect();
    let of_them = |restore: &Value| {
        let name = text(restore, "/spec/backupName");
        name.is_empty() || backups.iter().any(|backup| text(backup, "/metadata/name") == name)
    };
    if restores.is_empty() {
        broken.push(format!("no Restore has restorePVs: true and restoreStatus.includedResources with {VOLUMES}"));
    } else if !backups.is_empty() && !restores.iter().any(|restore| of_them(restore)) {
        broken.push(format!("no Restore of them is of a Backup (backupName) that includes {VOLUMES_IN_GROUP}"));
    }
    let missing = namespaces.iter().filter(|namespace| !of_kind("Backup").any(|backup| includes(backup, namespace)));
    broken.extend(missing.map(|namespace| format!("no Backup includes the claims in namespace {namespace}")));
    broken
}

/// Is the namespace backed up? Where none is named all are (velero: `Backup.spec.includedNamespaces`).
fn includes(backup: &Value, namespace: &str) -> bool {
    let list = |pointer: &str| backup.pointer(pointer).and_then(Value::as_array).filter(|list| !list.is_empty());
    let named = |list: &Vec<Value>| list.iter().any(|one| one == "*" || one == namespace);
    list("/spec/includedNamespaces").is_none_or(named) && !list("/spec/excludedNamespaces").is_some_and(named)
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
        let broken = |documents: &[Value]| volume_rules_broken(documents, &BTreeSet::new());
        assert_eq!(broken(&[backup.clone(), restore.clone()]), Vec::<String>::new());
        assert_eq!(broken(std::slice::from_ref(&backup)).len(), 1);
        assert_eq!(broken(&[]).len(), 2);
        let half = json!({"kind": "Restore", "spec": {"restorePVs": true}});
        assert_eq!(broken(&[backup, half]).len(), 1, "the status is what tells the driver");
    }

    #[test]
    fn a_restore_brings_back_what_its_own_backup_holds() {
        let backup = |name: &str, spec: Value| json!({"kind": "Backup", "metadata": {"name": name}, "spec": spec});
        let restore = json!({"kind": "Restore", "spec": {"backupName": "apps", "restorePVs": true,
            "restoreStatus": {"includedResources": ["logicalvolumes"]}}});
        let volumes = json!({"includedClusterScopedResources": ["logicalvolumes.topolvm.io"]});
        let none = BTreeSet::new();
        let broken = volume_rules_broken(&[backup("other", volumes.clone()), restore.clone()], &none);
        assert_eq!(broken, ["no Restore of them is of a Backup (backupName) that includes logicalvolumes.topolvm.io"]);
        assert_eq!(volume_rules_broken(&[backup("apps", volumes), restore.clone()], &none), Vec::<String>::new());
        let one =
            json!({"includedNamespaces": ["shop"], "includedClusterScopedResources": ["logicalvolumes.topolvm.io"]});
        let broken = volume_rules_broken(&[backup("apps", one), restore], &BTreeSet::from(["shop", "edge"]));
        assert_eq!(broken, ["no Backup includes the claims in namespace edge"]);
    }
}

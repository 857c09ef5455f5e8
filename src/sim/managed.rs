//! `metadata.managedFields`: who changed which field last.
//!
//! Kept to the depth that people ask about: single labels and annotations, the fields directly below `spec` and
//! `status`, other top-level fields as a whole.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sim::store::timestamp;

/// Who writes, as managedFields tells it.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The manager's name.
    pub manager: &'a str,
    /// The subresource that is written to.
    pub subresource: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

type Path = Vec<String>;

/// Records in `next` that `writer` made it out of `previous` (null for a new object).
pub fn record(next: &mut Value, previous: &Value, writer: &Writer) {
    let changed = changed_fields(previous, next);
    if changed.is_empty() {
        return;
    }
    let mut entries = match next["metadata"].get_mut("managedFields").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let subresource = writer.subresource.map_or(Value::Null, |name| json!(name));
    let is_own = |entry: &Value| {
        entry["manager"] == writer.manager && entry["operation"] == "Update" && entry["subresource"] == subresource
    };
    let mut owned = changed.clone();
    for entry in &mut entries {
        let mut fields = paths_of(&entry["fieldsV1"]);
        if is_own(entry) {
            owned.append(&mut fields);
        } else {
            let before = fields.len();
            fields.retain(|path| !changed.contains(path));
            // What nobody took away stays as it was, to whatever depth it was told.
            if fields.len() < before {
                entry["fieldsV1"] = tree_of(&fields);
            }
        }
    }
    entries.retain(|entry| !is_own(entry) && entry["fieldsV1"].as_object().is_some_and(|fields| !fields.is_empty()));
    owned.retain(|path| exists(next, path));
    if !owned.is_empty() {
        let mut entry = json!({
            "manager": writer.manager,
            "operation": "Update",
            "apiVersion": next["apiVersion"],
            "time": timestamp(writer.at),
            "fieldsType": "FieldsV1",
            "fieldsV1": tree_of(&owned),
        });
        if let Some(name) = writer.subresource {
            entry["subresource"] = json!(name);
        }
        entries.push(entry);
    }
    if let Some(metadata) = next["metadata"].as_object_mut() {
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

fn changed_fields(previous: &Value, next: &Value) -> BTreeSet<Path> {
    let mut changed = BTreeSet::new();
    for path in ["/metadata/labels", "/metadata/annotations", "/spec", "/status"] {
        let field: Path = path.split('/').skip(1).map(str::to_owned).collect();
        differences(previous.pointer(path), next.pointer(path), &field, &mut changed);
    }
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    let names = |object: &Value| object.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    for name in names(previous).into_iter().chain(names(next)).flatten() {
        if !known.contains(&name.as_str()) && previous.get(&name) != next.get(&name) {
            changed.insert(vec![name]);
        }
    }
    changed
}

fn differences(before: Option<&Value>, after: Option<&Value>, field: &Path, changed: &mut BTreeSet<Path>) {
    let empty = Map::new();
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (before, after) = (fields(before), fields(after));
    for name in before.keys().chain(after.keys()) {
        if before.get(name) != after.get(name) {
            let mut path = field.clone();
            path.push(name.clone());
            changed.insert(path);
        }
    }
}

fn exists(object: &Value, path: &Path) -> bool {
    path.iter().try_fold(object, |value, step| value.get(step)).is_some()
}

/// The paths in a `fieldsV1` tree, cut to the depth that is kept here.
fn paths_of(tree: &Value) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    collect(tree, &mut Vec::new(), &mut paths);
    paths
}

fn collect(tree: &Value, path: &mut Path, paths: &mut BTreeSet<Path>) {
    let depth = if path.first().is_some_and(|first| first == "metadata") { 3 } else { 2 };
    let children =
        tree.as_object().into_iter().flatten().filter_map(|(key, child)| Some((key.strip_prefix("f:")?, child)));
    let mut is_leaf = true;
    if path.len() < depth {
        for (name, child) in children {
            is_leaf = false;
            path.push(name.to_owned());
            collect(child, path, paths);
            path.pop();
        }
    }
    if is_leaf && !path.is_empty() {
        paths.insert(path.clone());
    }
}

fn tree_of(paths: &BTreeSet<Path>) -> Value {
    let mut tree = Value::Object(Map::new());
    for path in paths {
        let mut node = &mut tree;
        for step in path {
            node = &mut node[format!("f:{step}")];
            if node.is_null() {
                *node = Value::Object(Map::new());
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(manager: &'static str) -> Writer<'static> {
        Writer { manager, subresource: None, at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
    }

    #[test]
    fn a_changed_field_moves_to_whoever_changed_it() {
        let mut pool = json!({"apiVersion": "v1", "metadata": {"name": "infra"}, "spec": {"paused": false, "max": 1}});
        record(&mut pool, &Value::Null, &writer("installer"));
        let mut paused = pool.clone();
        paused["spec"]["paused"] = json!(true);
        record(&mut paused, &pool, &writer("kubectl-patch"));
        let entries = paused["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(entries[0]["manager"], "installer");
        assert_eq!(entries[0]["fieldsV1"], json!({"f:spec": {"f:max": {}}}));
        assert_eq!(entries[1]["manager"], "kubectl-patch");
        assert_eq!(entries[1]["fieldsV1"], json!({"f:spec": {"f:paused": {}}}));
        assert_eq!(entries[1]["time"], "2027-01-15T08:00:00Z");
    }

    #[test]
    fn changing_nothing_leaves_no_trace() {
        let pool = json!({"metadata": {"name": "infra"}, "spec": {"paused": false}});
        let mut same = pool.clone();
        record(&mut same, &pool, &writer("kubectl"));
        assert_eq!(same, pool);
    }
}

//! `metadata.managedFields`: who changed which field last.
//!
//! Belongs here: what a create, an update or a patch makes of the entries. Does not: what an applied configuration makes of
//! them (see [`crate::sim::apply`]), the sets of fields (see [`crate::sim::field_set`]).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::field_set::{self, FieldSet};
use super::kinds::KindInfo;
use super::store::timestamp;

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

/// Records in `next` that `writer` made it out of `previous` (null for a new object).
pub fn record(info: &KindInfo, next: &mut Value, previous: &Value, writer: &Writer<'_>) {
    let (before, after) = (field_set::of(info, previous), field_set::of(info, next));
    let differs = |path: &&Vec<String>| field_set::at(info, previous, path) != field_set::at(info, next, path);
    let member = |path: &Vec<String>| path.last().is_some_and(|step| step.starts_with("k:"));
    // An element is there or not; what it says is in its own fields.
    let changed: FieldSet = after
        .iter()
        .filter(|path| if member(path) { !before.contains(*path) } else { differs(path) })
        .cloned()
        .collect();
    if changed.is_empty() && before.is_subset(&after) {
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
        let mut fields = field_set::paths_of(&entry["fieldsV1"]);
        if is_own(entry) {
            owned.append(&mut fields);
            continue;
        }
        let many = fields.len();
        let lost = |path: &Vec<String>| {
            let gone = before.contains(path) && !after.contains(path);
            gone || changed.iter().any(|changed| field_set::rules(path, changed))
        };
        fields.retain(|path| !lost(path));
        // What nobody took away stays as it was, to whatever depth it was told.
        if fields.len() < many {
            entry["fieldsV1"] = field_set::tree_of(&fields);
        }
    }
    let empty = |entry: &Value| entry["fieldsV1"].as_object().is_none_or(serde_json::Map::is_empty);
    let own = entries.iter().position(is_own).map(|place| entries.remove(place));
    entries.retain(|entry| !empty(entry));
    owned.retain(|path| field_set::at(info, next, path).is_some());
    if changed.is_empty() {
        // It only took something away.
        entries.extend(own.filter(|_| !owned.is_empty()).map(|mut own| {
            own["fieldsV1"] = field_set::tree_of(&owned);
            own
        }));
    } else if !owned.is_empty() {
        let mut entry = json!({
            "manager": writer.manager,
            "operation": "Update",
            "apiVersion": next["apiVersion"],
            "time": timestamp(writer.at),
            "fieldsType": "FieldsV1",
            "fieldsV1": field_set::tree_of(&owned),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::sim::kinds::{KINDS, Res};

    fn pools() -> &'static KindInfo {
        KINDS.iter().find(|info| info.res() == Res::MACHINE_CONFIG_POOLS).unwrap()
    }

    fn writer(manager: &'static str) -> Writer<'static> {
        Writer { manager, subresource: None, at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
    }

    #[test]
    fn a_changed_field_moves_to_whoever_changed_it() {
        let mut pool = json!({"apiVersion": "v1", "metadata": {"name": "infra"}, "spec": {"paused": false, "max": 1}});
        record(pools(), &mut pool, &Value::Null, &writer("installer"));
        let mut paused = pool.clone();
        paused["spec"]["paused"] = json!(true);
        record(pools(), &mut paused, &pool, &writer("kubectl-patch"));
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
        record(pools(), &mut same, &pool, &writer("kubectl"));
        assert_eq!(same, pool);
    }
}

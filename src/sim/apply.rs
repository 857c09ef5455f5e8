//! Server-side apply: a manager says which fields it wants to have which values; what it said before and says no more
//! goes, what belongs to others is a conflict unless it forces.
//!
//! Belongs here: merging, conflicts, and the manager's own entry in `managedFields`. Does not: storing (see
//! [`crate::sim::write`]), entries of other writes (see [`crate::sim::managed`]).
//!
//! Rules: sigs.k8s.io/structured-merge-diff, merge/update.go (`Updater.Apply`); the words of conflicts:
//! k8s.io/apimachinery, pkg/util/managedfields/internal/conflict.go.

use serde_json::{Map, Value, json};

use super::field_set::{self, FieldSet, Path};
use super::kinds::KindInfo;
use super::managed::Writer;
use super::status::{Cause, Refusal};
use super::store::timestamp;

/// What becomes of an object when somebody applies a configuration.
#[derive(Debug)]
pub struct Applied {
    /// The object, without the entries of `managedFields`.
    pub object: Value,
    /// The fields of the configuration: the manager's from now on.
    fields: FieldSet,
    /// Those of them that somebody else had with another value.
    taken: FieldSet,
}

/// Applies `config` to `live` (null where there is no such object).
pub fn apply(
    info: &KindInfo,
    live: &Value,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Applied, Refusal> {
    let fields = field_set::of(info, config);
    let others = others(live, writer);
    let mut conflicts: Vec<(&Value, Path)> = Vec::new();
    for path in &fields {
        let (now, wanted) = (field_set::at(info, live, path), field_set::at(info, config, path));
        // An element of a list is there or not; what it says is in its own fields.
        let member = path.last().is_some_and(|step| step.starts_with("k:"));
        if now.is_none() || now == wanted || member {
            continue;
        }
        let owners = others.iter().filter(|(_, owned)| owned.iter().any(|other| field_set::rules(other, path)));
        conflicts.extend(owners.map(|(entry, _)| (*entry, path.clone())));
    }
    if !force && !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    let mut object = live.clone();
    merge(info, "", &mut object, config);
    for path in dropped(info, live, writer, &fields, &others) {
        field_set::remove(info, &mut object, &path);
    }
    Ok(Applied { object, fields, taken: conflicts.into_iter().map(|(_, path)| path).collect() })
}

/// The entries of all but the manager's own applied configuration, with their fields.
fn others<'a>(live: &'a Value, writer: &Writer<'_>) -> Vec<(&'a Value, FieldSet)> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let others = entries.into_iter().flatten().filter(|entry| !is_own(entry, writer));
    others.map(|entry| (entry, field_set::paths_of(&entry["fieldsV1"]))).collect()
}

fn is_own(entry: &Value, writer: &Writer<'_>) -> bool {
    entry["manager"] == writer.manager
        && entry["operation"] == "Apply"
        && entry.get("subresource").and_then(Value::as_str) == writer.subresource
}

/// Fields that the manager applied before, applies no more, and nobody else has: the deepest first.
fn dropped(
    info: &KindInfo,
    live: &Value,
    writer: &Writer<'_>,
    fields: &FieldSet,
    others: &[(&Value, FieldSet)],
) -> Vec<Path> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let own = entries.into_iter().flatten().filter(|entry| is_own(entry, writer));
    let before: FieldSet = own.flat_map(|entry| field_set::paths_of(&entry["fieldsV1"])).collect();
    let shared = |path: &Path| {
        let others = others.iter().flat_map(|(_, owned)| owned);
        // Somebody's field below an element keeps the element.
        others.chain(fields).any(|other| other.starts_with(path))
    };
    let mut dropped: Vec<Path> = before.into_iter().filter(|path| !shared(path)).collect();
    dropped.retain(|path| field_set::at(info, live, path).is_some());
    dropped.sort_by_key(|path| std::cmp::Reverse(path.len()));
    dropped
}

/// Puts the configuration over the object: fields by name, elements by their keys, everything else as a whole.
fn merge(info: &KindInfo, field: &str, target: &mut Value, config: &Value) {
    match config {
        Value::Object(fields) => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            let Some(into) = target.as_object_mut() else { return };
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                merge(info, name, into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        Value::Array(list) => {
            let Some(elements) = field_set::elements(info, field, list) else {
                *target = config.clone();
                return;
            };
            let known = match target.as_array() {
                Some(known) => field_set::elements(info, field, known)
                    .map(|known| known.into_iter().map(|(step, _)| step).collect::<Vec<_>>()),
                None => Some(Vec::new()),
            };
            let Some(known) = known else {
                *target = config.clone();
                return;
            };
            if !target.is_array() {
                *target = json!([]);
            }
            let Some(into) = target.as_array_mut() else { return };
            for (step, element) in elements {
                match known.iter().position(|known| *known == step) {
                    Some(place) => merge(info, "", &mut into[place], element),
                    None => into.push(element.clone()),
                }
            }
        }
        _ => *target = config.clone(),
    }
}

/// Somebody else has fields that are to get another value.
fn conflict(conflicts: &[(&Value, Path)]) -> Refusal {
    let causes: Vec<Cause> = conflicts
        .iter()
        .map(|(entry, path)| Cause {
            reason: "FieldManagerConflict",
            message: format!("conflict with {}", manager(entry)),
            field: field_set::words(path),
        })
        .collect();
    let message = if let [(entry, path)] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {}: {}", manager(entry), field_set::words(path))
    } else {
        let mut managers: Vec<String> = conflicts.iter().map(|(entry, _)| manager(entry)).collect();
        managers.sort();
        managers.dedup();
        let mut lines = Vec::new();
        for name in managers {
            lines.push(format!("conflicts with {name}:"));
            let theirs = conflicts.iter().filter(|(entry, _)| manager(entry) == name);
            lines.extend(theirs.map(|(_, path)| format!("- {}", field_set::words(path))));
        }
        format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
    };
    Refusal::apply_conflict(message, &causes)
}

/// `"kubectl-patch" using v1`, `"kube-controller-manager" with subresource "status" using v1`.
fn manager(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    let mut words = format!("\"{}\"", text("manager"));
    if !text("subresource").is_empty() {
        words.push_str(&format!(" with subresource \"{}\"", text("subresource")));
    }
    if text("operation") == "Update" {
        words.push_str(&format!(" using {}", text("apiVersion")));
    }
    words
}

impl Applied {
    /// Writes who owns what now into `next`, which came of this.
    pub fn record(&self, info: &KindInfo, next: &mut Value, writer: &Writer<'_>) {
        let mut entries = match next["metadata"].get_mut("managedFields").map(Value::take) {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        let own = entries.iter().position(|entry| is_own(entry, writer)).map(|place| entries.remove(place));
        for entry in &mut entries {
            let mut owned = field_set::paths_of(&entry["fieldsV1"]);
            let before = owned.len();
            owned.retain(|path| {
                let taken = self.taken.iter().any(|taken| field_set::rules(path, taken));
                !taken && field_set::at(info, next, path).is_some()
            });
            if owned.len() < before {
                entry["fieldsV1"] = field_set::tree_of(&owned);
            }
        }
        entries.retain(|entry| entry["fieldsV1"].as_object().is_some_and(|fields| !fields.is_empty()));
        // A field that the server dropped is nobody's.
        let mut fields = self.fields.clone();
        fields.retain(|path| field_set::at(info, next, path).is_some());
        if !fields.is_empty() {
            let tree = field_set::tree_of(&fields);
            let same = own.as_ref().filter(|own| own["fieldsV1"] == tree).map(|own| own["time"].clone());
            let mut entry = json!({
                "manager": writer.manager,
                "operation": "Apply",
                "apiVersion": next["apiVersion"],
                "time": same.unwrap_or_else(|| json!(timestamp(writer.at))),
                "fieldsType": "FieldsV1",
                "fieldsV1": tree,
            });
            if let Some(name) = writer.subresource {
                entry["subresource"] = json!(name);
            }
            // Who applied comes before who updated (apimachinery, managedfields/internal, sortEncodedManagedFields).
            entries.insert(0, entry);
        }
        if let Some(metadata) = next["metadata"].as_object_mut() {
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use chrono::DateTime;

    use super::*;
    use crate::sim::kinds::{KINDS, Res};
    use crate::sim::managed;

    fn info() -> &'static KindInfo {
        KINDS.iter().find(|info| info.res() == Res::CONFIGMAPS).unwrap()
    }

    fn writer(manager: &'static str) -> Writer<'static> {
        Writer { manager, subresource: None, at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
    }

    fn applies(live: &Value, manager: &'static str, data: &Value, force: bool) -> Result<Value, Refusal> {
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data});
        let applied = apply(info(), live, &config, &writer(manager), force)?;
        let mut next = applied.object.clone();
        applied.record(info(), &mut next, &writer(manager));
        Ok(next)
    }

    #[test]
    fn what_is_applied_no_more_goes_unless_somebody_else_has_it() {
        let first = applies(&Value::Null, "a", &json!({"x": "1", "y": "2", "z": "3"}), false).unwrap();
        let shared = applies(&first, "b", &json!({"y": "2"}), false).unwrap();
        let less = applies(&shared, "a", &json!({"x": "1"}), false).unwrap();
        assert_eq!(less["data"], json!({"x": "1", "y": "2"}));
        let owners = less["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(owners.len(), 2);
        assert!(owners.iter().any(|it| it["manager"] == "b" && it["fieldsV1"] == json!({"f:data": {"f:y": {}}})));
    }

    #[test]
    fn another_value_is_a_conflict_until_it_is_forced() {
        let first = applies(&Value::Null, "a", &json!({"x": "1"}), false).unwrap();
        let mut patched = first.clone();
        patched["data"]["y"] = json!("2");
        managed::record(info(), &mut patched, &first, &writer("kubectl-patch"));
        let words = |refusal: Refusal| refusal.message().to_owned();
        assert_eq!(
            words(applies(&patched, "b", &json!({"x": "2"}), false).unwrap_err()),
            "Apply failed with 1 conflict: conflict with \"a\": .data.x"
        );
        assert_eq!(
            words(applies(&patched, "b", &json!({"x": "2", "y": "3"}), false).unwrap_err()),
            "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\nconflicts with \"kubectl-patch\" using \
             v1:\n- .data.y"
        );
        let forced = applies(&patched, "b", &json!({"x": "2", "y": "3"}), true).unwrap();
        let owners = forced["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!((owners.len(), owners[0]["manager"].as_str()), (1, Some("b")));
        assert_eq!(forced["data"], json!({"x": "2", "y": "3"}));
    }
}

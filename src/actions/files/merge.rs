//! The merge patch that leads from an object to what a file says, the one that leads back, and what must be stored.
//!
//! RFC 7386, two ways only: fields that the file does not name stay as they are.

use serde_json::{Map, Value};

use crate::actions::raw::pointer;

/// The merge patch of what differs; none when nothing does. API version and kind are no part of it.
pub(super) fn patch(there: &Value, wanted: &Value) -> Option<Value> {
    let mut patch = Map::new();
    for (key, wanted) in wanted.as_object().into_iter().flatten() {
        if key == "apiVersion" || key == "kind" {
            continue;
        }
        if let Some(changed) = changed(there.get(key).unwrap_or(&Value::Null), wanted) {
            patch.insert(key.clone(), changed);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn changed(there: &Value, wanted: &Value) -> Option<Value> {
    if is_said_by(there, wanted) {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (there, wanted) else { return Some(wanted.clone()) };
    let fields =
        new.iter().filter_map(|(key, new)| Some((key.clone(), changed(old.get(key).unwrap_or(&Value::Null), new)?)));
    Some(Value::Object(fields.collect()))
}

/// Does the object say what is wanted, and perhaps more: defaults that the server has put in?
fn is_said_by(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(old), Value::Object(new)) => {
            new.iter().all(|(key, new)| is_said_by(old.get(key).unwrap_or(&Value::Null), new))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_said_by(old, new))
        }
        // A map or a list without content is often not stored.
        (Value::Null, Value::Object(new)) => new.is_empty(),
        (Value::Null, Value::Array(new)) => new.is_empty(),
        (old, new) => old == new,
    }
}

/// The merge patch that brings back what `patch` changes.
pub(super) fn back(there: &Value, patch: &Value) -> Value {
    let Value::Object(fields) = patch else { return there.clone() };
    let old = |key: &str| there.get(key).unwrap_or(&Value::Null);
    let field = |(key, patch): (&String, &Value)| {
        let old = old(key);
        let back = if old.is_object() && patch.is_object() { back(old, patch) } else { old.clone() };
        (key.clone(), back)
    };
    Value::Object(fields.iter().map(field).collect())
}

/// The object as it would be.
pub(super) fn merged(there: &Value, patch: &Value) -> Value {
    let mut object = there.clone();
    json_patch::merge(&mut object, patch);
    object
}

/// The single values of an object with their JSON pointers: what the server has to have stored. Single values, because it
/// adds defaults beside them.
pub(super) fn leaves(object: &Value) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    collect(object, &mut Vec::new(), &mut leaves);
    leaves
}

fn collect(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(key.clone());
                collect(value, path, leaves);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                path.push(at.to_string());
                collect(value, path, leaves);
                path.pop();
            }
        }
        Value::Null => {}
        value => leaves.push((pointer(&path.iter().map(String::as_str).collect::<Vec<_>>()), value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_sent_and_the_way_back_is_known() {
        let there = json!({ "metadata": { "name": "x", "labels": { "a": "1" } },
                            "spec": { "keep": 1, "list": [1, 2], "old": { "a": 1 } } });
        let wanted = json!({ "apiVersion": "v1", "kind": "X", "metadata": { "name": "x", "labels": { "b": "2" } },
                             "spec": { "list": [1], "old": { "a": 2 } } });
        let patch = patch(&there, &wanted).unwrap_or_default();
        assert_eq!(
            patch,
            json!({ "metadata": { "labels": { "b": "2" } }, "spec": { "list": [1], "old": { "a": 2 } } })
        );
        let after = merged(&there, &patch);
        assert_eq!(after["spec"], json!({ "keep": 1, "list": [1], "old": { "a": 2 } }));
        assert_eq!(merged(&after, &back(&there, &patch)), there);
    }

    #[test]
    fn defaults_of_the_server_are_no_difference() {
        let there = json!({ "spec": { "mirrors": [{ "source": "a", "policy": "AllowContactingSource" }], "n": 1 } });
        assert_eq!(patch(&there, &json!({ "spec": { "mirrors": [{ "source": "a" }], "empty": {} } })), None);
        assert!(patch(&there, &json!({ "spec": { "mirrors": [] } })).is_some(), "an emptied list is one");
    }

    #[test]
    fn single_values_are_verified() {
        let body = json!({ "spec": { "a/b": [{ "c": true }], "none": null } });
        assert_eq!(leaves(&body), [("/spec/a~1b/0/c".to_owned(), json!(true))]);
    }
}

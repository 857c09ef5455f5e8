//! Objects as a server sent them, for plans on what no lens reads: fields, who wrote them, the lock, the patch.

use serde::Deserialize;
use serde_json::Value;

use super::request::{locked, oc};
use super::words::in_pointer;
use super::{PatchKind, Refusal, Session, Write};
use crate::api::{LabelSelector, SelectorRequirement};
use crate::upgrade::access::Permission;

/// A permission on a resource in a namespace; an empty one stands for all of them.
pub(super) const fn permission(
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    namespace: &'static str,
) -> Permission {
    Permission::cluster(verb, group, resource).in_namespace(namespace)
}

/// The text at a JSON pointer; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// `metadata.name`.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// The list at a JSON pointer; empty where there is none.
pub(super) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An annotation.
pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// A label.
pub(super) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The part of `object` at `pointer` as a plain type; none where it is absent or something else.
pub(super) fn part<'a, T: Deserialize<'a>>(object: &'a Value, pointer: &str) -> Option<T> {
    T::deserialize(object.pointer(pointer).filter(|part| !part.is_null())?).ok()
}

/// The labels of an object.
pub(super) fn labels(object: &Value) -> std::collections::BTreeMap<String, String> {
    part(object, "/metadata/labels").unwrap_or_default()
}

/// The label selector at `pointer`; none where there is none.
pub(super) fn selector(object: &Value, pointer: &str) -> Option<LabelSelector> {
    let found = object.pointer(pointer).filter(|found| found.is_object())?;
    let requirement = |requirement: &Value| SelectorRequirement {
        key: text(requirement, "/key").to_owned(),
        operator: text(requirement, "/operator").to_owned(),
        values: part(requirement, "/values").unwrap_or_default(),
    };
    Some(LabelSelector {
        match_labels: part(found, "/matchLabels").unwrap_or_default(),
        match_expressions: items(found, "/matchExpressions").iter().map(requirement).collect(),
    })
}

/// A JSON pointer to nested fields; `/` and `~` in their names are escaped (RFC 6901).
pub(super) fn pointer(fields: &[&str]) -> String {
    fields.iter().map(|field| format!("/{}", in_pointer(field))).collect()
}

/// Who wrote a field, as `metadata.managedFields` remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer<'a> {
    /// The manager: `kubectl-annotate`, `oc-cockpit`.
    pub manager: &'a str,
    /// When it last wrote one of its fields, as the server says it.
    pub at: &'a str,
}

/// The managers of an annotation. Several, when they set it to the same value by server-side apply.
pub(super) fn annotated_by<'a>(object: &'a Value, key: &str) -> Vec<Writer<'a>> {
    let field = pointer(&["fieldsV1", "f:metadata", "f:annotations", &format!("f:{key}")]);
    items(object, "/metadata/managedFields")
        .iter()
        .filter(|entry| entry.pointer(&field).is_some())
        .map(|entry| Writer { manager: text(entry, "/manager"), at: text(entry, "/time") })
        .collect()
}

/// What a change of an object as the server sent it is made of.
pub(super) struct Patch<'a> {
    /// `machinehealthcheck/workers`.
    pub object: String,
    /// Path of the object.
    pub path: String,
    /// The object as it is.
    pub seen: &'a Value,
    /// What is changed, without the lock.
    pub body: Value,
    /// The `oc` command line after `oc`.
    pub oc: String,
    /// What has to be stored, see [`Write::stored`].
    pub stored: Vec<(String, Value)>,
}

impl Patch<'_> {
    /// The write: a merge patch with both halves of the lock.
    pub(super) fn write(self, session: &Session) -> Result<Write, Refusal> {
        let lock = lock(self.seen, &self.object)?;
        let line = oc(session, &self.oc);
        Ok(locked(&self.object, &self.path, PatchKind::Merge, lock, self.body, line).storing(self.stored))
    }
}

/// UID and resourceVersion of an object, which lock what is done with it.
pub(super) fn lock<'a>(seen: &'a Value, words: &str) -> Result<(&'a str, &'a str), Refusal> {
    match (text(seen, "/metadata/uid"), text(seen, "/metadata/resourceVersion")) {
        ("", _) | (_, "") => {
            Err(Refusal(format!("{words} was read without uid or resourceVersion: it cannot be locked")))
        }
        lock => Ok(lock),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_escape_what_separates_them() {
        let object = json!({ "metadata": { "annotations": { "a/b~c": "x" } } });
        assert_eq!(text(&object, &pointer(&["metadata", "annotations", "a/b~c"])), "x");
    }

    #[test]
    fn managers_of_an_annotation_are_told_from_those_of_others() {
        let entry = |manager: &str, key: &str| {
            let key = format!("f:{key}");
            json!({ "manager": manager, "time": "2026-11-20T03:00:00Z",
                    "fieldsV1": { "f:metadata": { "f:annotations": { ".": {}, key: {} } } } })
        };
        let object =
            json!({ "metadata": { "managedFields": [entry("oc", "other"), entry("oc-cockpit", "x/paused")] } });
        let managers: Vec<&str> = annotated_by(&object, "x/paused").iter().map(|writer| writer.manager).collect();
        assert_eq!(managers, ["oc-cockpit"]);
    }

    #[test]
    fn what_cannot_be_locked_is_not_written() {
        let seen = json!({ "metadata": { "name": "x", "uid": "u" } });
        assert!(lock(&seen, "x").is_err());
    }
}

//! Which fields an object has, as `metadata.managedFields` tells them (FieldsV1).
//!
//! Belongs here: the sets themselves, to and from their trees, what of an object they name. Does not: who owns what (see
//! [`crate::sim::managed`]), applying (see [`crate::sim::apply`]). Imports the kinds.
//!
//! Rules: sigs.k8s.io/structured-merge-diff, fieldpath. A step is `f:name` for a field, `k:{...}` for an element of a list
//! that is merged by keys, `v:...` for a value of a set. Lists of which that is not known are one field as a whole.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::kinds::KindInfo;
use super::patch::{is_set, merge_key};

/// The way to a field.
pub type Path = Vec<String>;
/// Fields.
pub type FieldSet = BTreeSet<Path>;

/// What nobody owns: it identifies the object, or the server sets it (apimachinery, managedfields/internal/stripmeta.go).
const STRIPPED: [&str; 8] =
    ["name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion"];

/// How the elements of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListType {
    Keys(&'static [&'static str]),
    Set,
    Atomic,
}

fn list_type(info: &KindInfo, field: &str, elements: &[Value]) -> ListType {
    const KEYS: [&str; 6] = ["type", "name", "mountPath", "devicePath", "uid", "ip"];
    if field == "finalizers" || (!info.custom && is_set(field)) {
        return ListType::Set;
    }
    // Of other lists of custom resources the schema would have to say how they are merged.
    if info.custom && !matches!(field, "conditions" | "ownerReferences") {
        return ListType::Atomic;
    }
    match merge_key(field, elements) {
        Some("containerPort") => ListType::Keys(&["containerPort", "protocol"]),
        Some("port") => ListType::Keys(&["port", "protocol"]),
        Some(key) => match KEYS.iter().position(|known| *known == key) {
            Some(at) => ListType::Keys(&KEYS[at..=at]),
            None => ListType::Atomic,
        },
        None => ListType::Atomic,
    }
}

/// The step to an element of a list; none where the element lacks a key.
fn step(keys: &[&str], element: &Value) -> Option<String> {
    let mut found = Map::new();
    for key in keys {
        let default = (*key == "protocol").then(|| Value::from("TCP"));
        found.insert((*key).to_owned(), element.get(key).cloned().or(default)?);
    }
    Some(format!("k:{}", Value::Object(found)))
}

/// The elements of a list by their steps; none for a list that is one field.
pub fn elements<'a>(info: &KindInfo, field: &str, list: &'a [Value]) -> Option<Vec<(String, &'a Value)>> {
    match list_type(info, field, list) {
        ListType::Keys(keys) => list.iter().map(|element| Some((step(keys, element)?, element))).collect(),
        ListType::Set => Some(list.iter().map(|value| (format!("v:{value}"), value)).collect()),
        ListType::Atomic => None,
    }
}

/// All fields of an object that somebody may own.
pub fn of(info: &KindInfo, object: &Value) -> FieldSet {
    let mut all = FieldSet::new();
    collect(info, object, &mut Vec::new(), "", &mut all);
    all.retain(|path| match path.as_slice() {
        [only] => !matches!(only.as_str(), "f:apiVersion" | "f:kind" | "f:metadata"),
        [first, second, ..] if first == "f:metadata" => {
            !STRIPPED.iter().any(|name| second.strip_prefix("f:") == Some(name))
        }
        _ => true,
    });
    all
}

fn collect(info: &KindInfo, value: &Value, path: &mut Path, field: &str, all: &mut FieldSet) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, child) in fields {
                path.push(format!("f:{name}"));
                collect(info, child, path, name, all);
                path.pop();
            }
        }
        Value::Array(list) if !list.is_empty() => match elements(info, field, list) {
            Some(elements) => {
                for (step, element) in elements {
                    path.push(step);
                    // An element is a member itself: who put it there owns it.
                    all.insert(path.clone());
                    if element.is_object() {
                        collect(info, element, path, "", all);
                    }
                    path.pop();
                }
            }
            None => {
                all.insert(path.clone());
            }
        },
        Value::Null => {}
        _ => {
            if !path.is_empty() {
                all.insert(path.clone());
            }
        }
    }
}

/// What an object has at a path.
pub fn at<'a>(info: &KindInfo, object: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut value = object;
    let mut field = "";
    for step in path {
        if let Some(name) = step.strip_prefix("f:") {
            value = value.get(name)?;
            field = name;
        } else {
            let list = value.as_array()?;
            value = elements(info, field, list)?.into_iter().find(|(known, _)| known == step)?.1;
            field = "";
        }
    }
    Some(value)
}

/// Takes away what an object has at a path.
pub fn remove(info: &KindInfo, object: &mut Value, path: &[String]) {
    let Some((last, way)) = path.split_last() else { return };
    let mut value = object;
    let mut field = "";
    for step in way {
        let next = if let Some(name) = step.strip_prefix("f:") {
            field = name;
            value.get_mut(name)
        } else {
            let place = place(info, value, field, step);
            field = "";
            place.and_then(|place| value.get_mut(place))
        };
        let Some(next) = next else { return };
        value = next;
    }
    if let Some(name) = last.strip_prefix("f:") {
        if let Some(fields) = value.as_object_mut() {
            fields.remove(name);
        }
    } else if let Some(place) = place(info, value, field, last)
        && let Some(list) = value.as_array_mut()
    {
        list.remove(place);
    }
}

fn place(info: &KindInfo, list: &Value, field: &str, step: &str) -> Option<usize> {
    elements(info, field, list.as_array()?)?.iter().position(|(known, _)| known == step)
}

/// The set as a `fieldsV1` tree.
pub fn tree_of(set: &FieldSet) -> Value {
    let mut tree = Value::Object(Map::new());
    for path in set {
        let mut node = &mut tree;
        for step in path {
            node = &mut node[step.as_str()];
            if node.is_null() {
                *node = Value::Object(Map::new());
            }
        }
        // A member with members below it says so by a dot.
        if path.last().is_some_and(|step| !step.starts_with("f:")) {
            node["."] = Value::Object(Map::new());
        }
    }
    tree
}

/// The set of a `fieldsV1` tree.
pub fn paths_of(tree: &Value) -> FieldSet {
    let mut all = FieldSet::new();
    gather(tree, &mut Vec::new(), &mut all);
    all
}

fn gather(tree: &Value, path: &mut Path, all: &mut FieldSet) {
    let fields = tree.as_object();
    if fields.is_none_or(|fields| fields.is_empty() || fields.contains_key(".")) && !path.is_empty() {
        all.insert(path.clone());
    }
    for (step, child) in fields.into_iter().flatten().filter(|(step, _)| *step != ".") {
        path.push(step.clone());
        gather(child, path, all);
        path.pop();
    }
}

/// Whether who owns `owned` has a say about what is at `path`: it is the same, or within it, or the whole of which it is a
/// part. An element of a list that somebody put there is not all that is in it.
pub fn rules(owned: &[String], path: &[String]) -> bool {
    let whole = path.starts_with(owned) && owned.last().is_some_and(|step| step.starts_with("f:"));
    owned.starts_with(path) || whole
}

/// The path as people read it: `.spec.containers[name="app"].image` (fieldpath, `Path.String`).
pub fn words(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        if let Some(name) = step.strip_prefix("f:") {
            text.push('.');
            text.push_str(name);
        } else if let Some(keys) = step.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let told: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            text.push_str(&format!("[{}]", told.join(",")));
        } else if let Some(value) = step.strip_prefix("v:") {
            text.push_str(&format!("[={value}]"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::sim::kinds::{KINDS, Res};

    fn info(res: Res) -> &'static KindInfo {
        KINDS.iter().find(|info| info.res() == res).unwrap()
    }

    fn pod() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "uid": "1", "labels": {"app": "a"}, "finalizers": ["x/y"]},
            "spec": {"containers": [{"name": "app", "image": "i", "ports": [{"containerPort": 80}], "args": ["a", "b"]}]},
        })
    }

    #[test]
    fn elements_are_told_apart_by_their_keys_and_other_lists_are_one_field() {
        let set = of(info(Res::PODS), &pod());
        let told: Vec<String> = set.iter().map(|path| words(path)).collect();
        assert_eq!(
            told,
            [
                ".metadata.finalizers[=\"x/y\"]",
                ".metadata.labels.app",
                ".spec.containers[name=\"app\"]",
                ".spec.containers[name=\"app\"].args",
                ".spec.containers[name=\"app\"].image",
                ".spec.containers[name=\"app\"].name",
                ".spec.containers[name=\"app\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.containers[name=\"app\"].ports[containerPort=80,protocol=\"TCP\"].containerPort",
            ]
        );
        assert_eq!(paths_of(&tree_of(&set)), set);
        assert_eq!(tree_of(&set)["f:metadata"]["f:labels"], json!({"f:app": {}}));
    }

    #[test]
    fn what_a_path_names_is_found_and_taken_away() {
        let mut pod = pod();
        let container = vec!["f:spec".to_owned(), "f:containers".to_owned(), "k:{\"name\":\"app\"}".to_owned()];
        assert_eq!(at(info(Res::PODS), &pod, &container).unwrap()["image"], "i");
        let image = [container.clone(), vec!["f:image".to_owned()]].concat();
        remove(info(Res::PODS), &mut pod, &image);
        assert_eq!(at(info(Res::PODS), &pod, &image), None);
        remove(info(Res::PODS), &mut pod, &container);
        assert_eq!(pod["spec"]["containers"], json!([]));
    }
}

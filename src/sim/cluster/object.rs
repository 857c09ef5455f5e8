//! Reading and writing the parts that all objects share: paths, annotations, conditions, times, owners.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sim::selector::label_selector_matches;
use crate::sim::store::timestamp;

/// The text at a JSON pointer, empty when there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a JSON pointer, zero when there is none.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether the value at a JSON pointer is `true`.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// The time at a JSON pointer.
pub fn time(object: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text(object, pointer)).ok().map(|at| at.with_timezone(&Utc))
}

/// The list at a JSON pointer, empty when there is none.
pub fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// An annotation, empty when it is not there.
pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key].as_str().unwrap_or_default()
}

/// A label, if it is there.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"][key].as_str()
}

/// Sets an annotation.
pub fn annotate(object: &mut Value, key: &str, value: &str) {
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][key] = json!(value);
}

/// Removes a field of an object below a JSON pointer.
pub fn remove(object: &mut Value, parent: &str, field: &str) {
    if let Some(fields) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        fields.remove(field);
    }
}

/// Whether every pair of `matchLabels` (or of a plain map) is among the labels. An empty selector matches nothing, as
/// the machine config operator and disruption budgets' callers here want it.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    if !items(selector, "/matchExpressions").is_empty() {
        return label_selector_matches(selector, labels);
    }
    let pairs = selector.get("matchLabels").unwrap_or(selector).as_object();
    pairs.is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// What a condition is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition<'a> {
    /// `type`.
    pub kind: &'a str,
    /// `status`: True, False or Unknown.
    pub status: &'a str,
    /// `reason`; empty ones are left out.
    pub reason: &'a str,
    /// `message`; empty ones are left out.
    pub message: &'a str,
}

impl<'a> Condition<'a> {
    /// A condition.
    pub const fn new(kind: &'a str, status: &'a str, reason: &'a str, message: &'a str) -> Self {
        Self { kind, status, reason, message }
    }

    /// The object as the API shows it.
    pub fn at(&self, since: DateTime<Utc>) -> Value {
        let mut fields = Map::new();
        fields.insert("lastTransitionTime".to_owned(), json!(timestamp(since)));
        for (field, value) in [("message", self.message), ("reason", self.reason)] {
            if !value.is_empty() {
                fields.insert(field.to_owned(), json!(value));
            }
        }
        fields.insert("status".to_owned(), json!(self.status));
        fields.insert("type".to_owned(), json!(self.kind));
        Value::Object(fields)
    }
}

/// `True` or `False`.
pub const fn status(yes: bool) -> &'static str {
    if yes { "True" } else { "False" }
}

/// The condition of that type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// The status of a condition, empty when it is not there.
pub fn condition_status<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind).map_or("", |condition| text(condition, "/status"))
}

/// Sets a condition; its `lastTransitionTime` moves only when the status changes.
pub fn set_condition(object: &mut Value, wanted: &Condition<'_>, now: DateTime<Utc>) {
    let list = conditions(object);
    let Some(found) = list.iter_mut().find(|condition| condition["type"] == wanted.kind) else {
        list.push(wanted.at(now));
        return;
    };
    let since = if found["status"] == wanted.status { found["lastTransitionTime"].clone() } else { Value::Null };
    // What the condition carries besides (heartbeats) stays.
    let heartbeat = found.get("lastHeartbeatTime").cloned();
    *found = wanted.at(now);
    if !since.is_null() {
        found["lastTransitionTime"] = since;
    }
    if let Some(heartbeat) = heartbeat {
        found["lastHeartbeatTime"] = heartbeat;
    }
}

/// Removes a condition.
pub fn drop_condition(object: &mut Value, kind: &str) {
    conditions(object).retain(|condition| condition["type"] != kind);
}

fn conditions(object: &mut Value) -> &mut Vec<Value> {
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    match &mut object["status"]["conditions"] {
        Value::Array(list) => list,
        _ => unreachable!("made an array above"),
    }
}

/// An owner reference that controls.
pub fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!([{
        "apiVersion": api_version, "kind": kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// A number derived from a text: the same text gives the same number on every machine (FNV-1a, then mixed).
pub fn hash(text: &str) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(state)
}

/// One step of the splitmix64 generator.
pub const fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// `length` hexadecimal digits derived from a text, such as a digest.
pub fn hex(text: &str, length: usize) -> String {
    let mut digits = String::with_capacity(length + 16);
    let mut state = hash(text);
    while digits.len() < length {
        digits.extend(format!("{state:016x}").chars());
        state = mix(state);
    }
    digits.truncate(length);
    digits
}

/// A UUID derived from a text.
pub fn uuid(text: &str) -> String {
    let digits = hex(text, 32);
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_time_moves_only_when_the_status_changes() {
        let early = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let late = DateTime::from_timestamp(1_800_000_600, 0).unwrap();
        let mut object = json!({"metadata": {"name": "a"}});
        set_condition(&mut object, &Condition::new("Ready", "True", "Ok", "fine"), early);
        set_condition(&mut object, &Condition::new("Ready", "True", "Ok", "still fine"), late);
        assert_eq!(time(&object, "/status/conditions/0/lastTransitionTime"), Some(early));
        assert_eq!(text(&object, "/status/conditions/0/message"), "still fine");
        set_condition(&mut object, &Condition::new("Ready", "False", "", ""), late);
        assert_eq!(time(&object, "/status/conditions/0/lastTransitionTime"), Some(late));
        assert!(object["status"]["conditions"][0].get("reason").is_none());
    }

    #[test]
    fn selectors_need_every_pair_and_an_empty_one_matches_nothing() {
        let labels = json!({"app": "cart", "tier": "backend"});
        assert!(selects(&json!({"matchLabels": {"app": "cart"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"app": "cart", "tier": "web"}}), &labels));
        assert!(!selects(&json!({}), &labels));
    }
}

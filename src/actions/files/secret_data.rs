//! The values of a Secret, for checks alone: none of them goes into words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The keys of a Secret.
pub(super) fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.get("data").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
}

/// The value of a key as text; none: there is no such key, or it is no text.
pub(super) fn value(object: &Value, key: &str) -> Option<String> {
    let encoded = object.get("data")?.get(key)?.as_str()?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

/// The value of a key as a JSON object; none: there is no such key, or it is something else.
pub(super) fn json(object: &Value, key: &str) -> Option<Value> {
    serde_json::from_str::<Value>(&value(object, key)?).ok().filter(Value::is_object)
}

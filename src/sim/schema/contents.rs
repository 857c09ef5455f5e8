//! What ConfigMaps and Secrets may hold, and what the server makes of it.
//!
//! Rules: Kubernetes, pkg/apis/core/validation (ValidateConfigMap, ValidateSecret, their updates) and
//! pkg/apis/core/v1 (conversion of `stringData`, defaults). Keys are checked here because a release signature is found
//! by its key alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::status::{Cause, Refusal};

/// The type of Secrets with registry credentials, and their key.
const REGISTRY: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");

/// Completes and checks what a ConfigMap or a Secret holds; other kinds pass. `previous` is null for a new object.
///
/// # Errors
/// What the server would refuse it with.
pub fn admit(info: &KindInfo, object: &mut Value, previous: &Value) -> Result<(), Refusal> {
    let res = info.res();
    if res != Res::CONFIGMAPS && res != Res::SECRETS {
        return Ok(());
    }
    let is_secret = res == Res::SECRETS;
    for (map, encoded) in [("data", is_secret), ("binaryData", true), ("stringData", false)] {
        decode(info, &object[map], map, encoded)?;
    }
    if is_secret {
        complete(object);
    }
    let mut causes: Vec<Cause> = ["data", "binaryData"]
        .into_iter()
        .flat_map(|map| object[map].as_object().into_iter().flatten().map(move |(key, _)| (map, key)))
        .filter_map(|(map, key)| bad_key(map, key))
        .collect();
    if is_secret {
        causes.extend(registry_credentials(object));
    }
    if !previous.is_null() {
        causes.extend(immutable(object, previous, is_secret));
    }
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Refusal::invalid(info.group, info.kind, name, &causes))
}

/// A value of the wrong type never gets as far as the validation.
fn decode(info: &KindInfo, map: &Value, field: &str, encoded: bool) -> Result<(), Refusal> {
    for value in map.as_object().into_iter().flat_map(serde_json::Map::values) {
        let why = match value.as_str() {
            None => format!("json: cannot unmarshal a value into Go struct field {}.{field} of type string", info.kind),
            Some(text) if encoded && STANDARD.decode(text).is_err() => "illegal base64 data at input byte 0".to_owned(),
            Some(_) => continue,
        };
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: {why}",
            info.version,
            kind = info.kind,
        )));
    }
    Ok(())
}

/// `stringData` is for writing only; a type there always is.
fn complete(secret: &mut Value) {
    let plain = secret.as_object_mut().and_then(|fields| fields.remove("stringData"));
    for (key, value) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
        secret["data"][key] = json!(STANDARD.encode(value.as_str().unwrap_or_default()));
    }
    if secret["type"].as_str().is_none_or(str::is_empty) {
        secret["type"] = json!("Opaque");
    }
}

fn bad_key(map: &str, key: &str) -> Option<Cause> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let good = !key.is_empty() && key.len() <= 253 && key.bytes().all(fits) && key != "." && key != "..";
    (!good).then(|| Cause {
        reason: "FieldValueInvalid",
        message: format!(
            "Invalid value: \"{key}\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
             (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ),
        field: format!("{map}[{key}]"),
    })
}

/// Credentials of registries are JSON, and there.
fn registry_credentials(secret: &Value) -> Option<Cause> {
    let (kind, key) = REGISTRY;
    if secret["type"] != kind {
        return None;
    }
    let field = format!("data[{key}]");
    let Some(text) = secret["data"][key].as_str() else {
        return Some(Cause { reason: "FieldValueRequired", message: "Required value".to_owned(), field });
    };
    let bytes = STANDARD.decode(text).unwrap_or_default();
    let error = serde_json::from_slice::<Value>(&bytes).err()?;
    let message = format!("Invalid value: \"<secret contents redacted>\": {error}");
    Some(Cause { reason: "FieldValueInvalid", message, field })
}

fn immutable(object: &Value, previous: &Value, is_secret: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    if is_secret && object["type"] != previous["type"] {
        let found = object["type"].as_str().unwrap_or_default();
        causes.push(Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: \"{found}\": field is immutable"),
            field: "type".to_owned(),
        });
    }
    if previous["immutable"] == true {
        for field in ["data", "binaryData", "immutable"] {
            if object[field] != previous[field] {
                causes.push(Cause {
                    reason: "FieldValueForbidden",
                    message: "Forbidden: field is immutable when `immutable` is set".to_owned(),
                    field: field.to_owned(),
                });
            }
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinds::KINDS;

    fn admitted(res: Res, mut object: Value, previous: &Value) -> Result<Value, String> {
        let info = KINDS.iter().find(|info| info.res() == res).unwrap();
        admit(info, &mut object, previous)
            .map(|()| object)
            .map_err(|refusal| refusal.status()["message"].as_str().unwrap().to_owned())
    }

    #[test]
    fn plain_text_of_a_secret_is_kept_encoded() {
        let secret = admitted(Res::SECRETS, json!({"stringData": {"user": "me"}}), &Value::Null).unwrap();
        assert_eq!(secret, json!({"data": {"user": "bWU="}, "type": "Opaque"}));
    }

    #[test]
    fn credentials_of_registries_are_json_and_their_type_stays() {
        let secret = |data: &str| json!({"type": REGISTRY.0, "data": {REGISTRY.1: STANDARD.encode(data)}});
        assert!(admitted(Res::SECRETS, secret("{\"auths\": {}}"), &Value::Null).is_ok());
        let told = admitted(Res::SECRETS, secret("nonsense"), &Value::Null).unwrap_err();
        assert!(told.contains("redacted") && !told.contains("nonsense"), "{told}");
        let told = admitted(Res::SECRETS, json!({"type": "Opaque"}), &secret("{}")).unwrap_err();
        assert!(told.contains("type: Invalid value: \"Opaque\": field is immutable"), "{told}");
    }

    #[test]
    fn keys_and_values_of_a_config_map_are_checked() {
        let map = |data: Value| admitted(Res::CONFIGMAPS, data, &Value::Null);
        assert!(map(json!({"binaryData": {"sha256-aa-1": "c2ln"}, "data": {"a.b": "text"}})).is_ok());
        assert!(map(json!({"binaryData": {"k": "no base64!"}})).unwrap_err().contains("illegal base64"));
        assert!(map(json!({"data": {"a/b": "x"}})).unwrap_err().contains("data[a/b]: Invalid value"));
        assert!(map(json!({"data": {"a": 1}})).unwrap_err().contains("cannot unmarshal"));
    }
}

//! ConfigMaps of `openshift-config` that hold certificates: of registries, of the update service, of a proxy.

use serde_json::Value;

use crate::actions::Refusal;
use crate::actions::raw::name;

/// Does it hold certificates and nothing else? Other ConfigMaps of that namespace are not for files: acknowledgements of
/// gates have an action of their own.
pub(super) fn check(object: &Value) -> Result<Vec<String>, Refusal> {
    let own = name(object);
    let refuse =
        |why: String| Err(Refusal(format!("ConfigMap {own} {why}: only certificates are applied to openshift-config")));
    if object.get("binaryData").and_then(Value::as_object).is_some_and(|data| !data.is_empty()) {
        return refuse("holds binary data".to_owned());
    }
    let mut keys = Vec::new();
    for (key, value) in object.get("data").and_then(Value::as_object).into_iter().flatten() {
        match certificates(value.as_str().unwrap_or_default()) {
            0 => return refuse(format!("holds something else under {key}")),
            _ => keys.push(key.clone()),
        }
    }
    if keys.is_empty() { refuse("holds no certificate".to_owned()) } else { Ok(keys) }
}

/// How many certificates a text in PEM holds; 0 too when it holds anything else.
fn certificates(text: &str) -> usize {
    let mut count = 0;
    for block in x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()) {
        match block {
            Ok(block) if block.label == "CERTIFICATE" && block.parse_x509().is_ok() => count += 1,
            _ => return 0,
        }
    }
    count
}

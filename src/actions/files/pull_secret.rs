//! The global pull secret: of its content only numbers are told.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::actions::Refusal;
use crate::actions::raw::text;
use crate::actions::words::count;

const KEY: &str = "/data/.dockerconfigjson";

/// The registries that it has credentials for.
fn registries(object: &Value) -> Option<BTreeSet<String>> {
    let bytes = STANDARD.decode(text(object, KEY)).ok()?;
    let config: Value = serde_json::from_slice(&bytes).ok()?;
    let auths = config.get("auths")?.as_object()?;
    Some(auths.keys().cloned().collect())
}

/// Can nodes use it? A broken one keeps every node from pulling anything.
pub(super) fn check(object: &Value) -> Result<(), Refusal> {
    if text(object, "/type") != "kubernetes.io/dockerconfigjson" {
        return Err(Refusal("the pull secret is not of the type kubernetes.io/dockerconfigjson".to_owned()));
    }
    match registries(object) {
        Some(registries) if !registries.is_empty() => Ok(()),
        Some(_) => Err(Refusal("the pull secret has credentials for no registry".to_owned())),
        None => Err(Refusal("the pull secret has no .dockerconfigjson that can be read (JSON with auths)".to_owned())),
    }
}

/// How many registries come and go.
pub(super) fn told(there: Option<&Value>, would_be: &Value) -> Vec<String> {
    let old = there.and_then(registries).unwrap_or_default();
    let new = registries(would_be).unwrap_or_default();
    let mut lines =
        vec![format!("credentials for {} (by key and digest only: nothing of them is shown)", registry(new.len()))];
    let gone = old.difference(&new).count();
    if gone > 0 {
        lines.push(format!(
            "credentials for {} are gone then: images from there cannot be pulled any more",
            registry(gone)
        ));
    }
    lines
}

fn registry(number: usize) -> String {
    count(number, "registry").replace("registrys", "registries")
}

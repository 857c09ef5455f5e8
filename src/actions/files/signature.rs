//! ConfigMaps that hold signatures of releases, where the cluster cannot reach the signature stores.
//!
//! library-go, pkg/verify/store/configmap: the label, and keys `sha256-<digest>` with a number behind; oc adm release
//! mirror names the ConfigMap after the digest too, oc-mirror puts several releases into one.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value;

use super::kinds::SIGNATURES;
use crate::actions::Refusal;
use crate::actions::raw::{label, name, text};
use crate::actions::words::list;
use crate::upgrade::assessment::Assessment;

/// The label by which the cluster-version operator finds them.
const LABEL: &str = "release.openshift.io/verification-signatures";

static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^sha256-([0-9a-f]{64})(?:-[0-9]+)?$").ok());
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"sha256-([0-9a-f]+)").ok());

/// The digests (`sha256:...`) of the releases that are asked for, or may be: the request, the present one, and those on
/// offer.
pub(super) fn asked_for(assessment: &Assessment) -> Vec<String> {
    let mut images: Vec<&str> = Vec::new();
    if let Some(version) = &assessment.facts.cluster_version {
        images.extend(version.spec.desired_update.as_ref().map(|wanted| wanted.image.as_str()));
        images.push(&version.status.desired.image);
    }
    images.extend(assessment.update.offers.iter().map(|offer| offer.image.as_str()));
    images.into_iter().filter_map(digest_of).collect()
}

/// The digest of an image by digest, or a digest itself: `sha256:...`.
pub(super) fn digest_of(image: &str) -> Option<String> {
    let digest = image.rsplit_once('@').map_or(image, |(_, digest)| digest);
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))).then(|| digest.to_owned())
}

/// The digests whose signatures the ConfigMap holds.
///
/// # Errors
/// What keeps the cluster-version operator from finding or using it.
pub(super) fn digests(object: &Value) -> Result<Vec<String>, Refusal> {
    let own = name(object);
    let refuse = |why: String| Err(Refusal(format!("signature ConfigMap {own} {why}")));
    if text(object, "/metadata/namespace") != SIGNATURES {
        return refuse(format!("is not in {SIGNATURES}, where signatures are looked for"));
    }
    if label(object, LABEL).is_none() {
        return refuse(format!("has no label {LABEL}: it would not be found"));
    }
    if object.get("data").and_then(Value::as_object).is_some_and(|data| !data.is_empty()) {
        return refuse("has data beside binaryData: signatures are binary".to_owned());
    }
    let mut found: Vec<String> = Vec::new();
    for (key, value) in object.get("binaryData").and_then(Value::as_object).into_iter().flatten() {
        let Some(hex) = KEY.as_ref().and_then(|key_form| key_form.captures(key)).map(|parts| parts[1].to_owned())
        else {
            return refuse(format!("has the key {key}, which is not sha256-DIGEST"));
        };
        let signature = value.as_str().map(|text| text.split_whitespace().collect::<String>());
        let signature = signature.and_then(|text| STANDARD.decode(text).ok()).filter(|bytes| !bytes.is_empty());
        if signature.is_none() {
            return refuse(format!("holds under {key} nothing that is a signature (base64)"));
        }
        let named = NAME.as_ref().and_then(|form| form.captures(own)).map(|parts| parts[1].to_owned());
        if named.is_some_and(|named| !hex.starts_with(&named)) {
            return refuse(format!("is named after another digest than its key {key}"));
        }
        let digest = format!("sha256:{hex}");
        if !found.contains(&digest) {
            found.push(digest);
        }
    }
    if found.is_empty() {
        return refuse("holds no signature".to_owned());
    }
    Ok(found)
}

/// The digests of those that are asked for; refused when there is none among them.
pub(super) fn wanted(object: &Value, asked: &[String]) -> Result<Vec<String>, Refusal> {
    let found = digests(object)?;
    let wanted: Vec<String> = found.iter().filter(|digest| asked.contains(digest)).cloned().collect();
    if wanted.is_empty() {
        return Err(Refusal(format!(
            "signature ConfigMap {} is for {}, and no release with that digest is asked for or on offer; if it is the one that \
             will be asked for, name it: apply-signature FILE --for sha256:DIGEST",
            name(object),
            list(found.iter().map(String::as_str))
        )));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn map() -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": format!("sha256-{HEX}"), "namespace": SIGNATURES, "labels": { LABEL: "" } },
            "binaryData": { format!("sha256-{HEX}-1"): "owGbwMvM" },
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut map = map();
        change(&mut map);
        digests(&map).err().map(|Refusal(words)| words).unwrap_or_default()
    }

    #[test]
    fn what_the_operator_would_not_find_or_use_is_refused() {
        assert_eq!(digests(&map()), Ok(vec![format!("sha256:{HEX}")]));
        assert!(refusal(|map| map["metadata"]["namespace"] = json!("openshift-config")).contains("is not in"));
        assert!(refusal(|map| map["metadata"]["labels"] = json!({})).contains("has no label"));
        assert!(refusal(|map| map["binaryData"] = json!({})).contains("holds no signature"));
        assert!(refusal(|map| map["binaryData"] = json!({ "sha256-12": "YQ==" })).contains("not sha256-DIGEST"));
        assert!(
            refusal(|map| map["metadata"]["name"] = json!("signature-sha256-ffff")).contains("named after another")
        );
        assert!(refusal(|map| map["binaryData"][format!("sha256-{HEX}-1")] = json!("%")).contains("base64"));
        assert!(refusal(|map| map["data"] = json!({ "a": "b" })).contains("beside binaryData"));
        assert_eq!(refusal(|map| map["metadata"]["name"] = json!("mirrored-release-signatures")), "");
    }

    #[test]
    fn a_release_that_nobody_asks_for_needs_no_signature() {
        let Err(Refusal(words)) = wanted(&map(), &["sha256:ff".to_owned()]) else { panic!("it is taken") };
        assert!(words.contains("apply-signature FILE --for"), "{words}");
        assert!(wanted(&map(), &[format!("sha256:{HEX}")]).is_ok());
        assert_eq!(digest_of(&format!("quay.io/x@sha256:{HEX}")), Some(format!("sha256:{HEX}")));
        assert_eq!(digest_of("quay.io/x:4.19"), None);
    }
}

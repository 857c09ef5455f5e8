//! Where images come from, and whose signatures are known: mirror sets and signature ConfigMaps.
//!
//! Rules: cluster-version-operator and library-go, pkg/verify (signatures are kept in ConfigMaps with the label
//! `release.openshift.io/verification-signatures`, under the key `sha256-DIGEST-N`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::object::items;
use super::{Builder, release};
use crate::sim::kinds::Res;
use crate::sim::store::Store;

/// The label of ConfigMaps with signatures.
pub const LABEL: &str = "release.openshift.io/verification-signatures";
/// Their namespace.
pub const NAMESPACE: &str = "openshift-config-managed";
/// The ConfigMap in which the cluster version operator keeps those that it downloaded.
const MANAGED: &str = "signatures-managed";

/// The key of the first signature of a release image.
fn key(image: &str) -> String {
    let digest = image.rsplit_once("sha256:").map_or(image, |(_, digest)| digest);
    format!("sha256-{digest}-1")
}

/// Whether a signature of the image is in the cluster.
pub fn is_signed(store: &Store, image: &str) -> bool {
    let key = key(image);
    store.list(Res::CONFIGMAPS).iter().any(|map| {
        map["metadata"]["namespace"] == NAMESPACE
            && !map["metadata"]["labels"][LABEL].is_null()
            && (!map["binaryData"][&key].is_null() || !map["data"][&key].is_null())
    })
}

/// The signature ConfigMap of a release as mirroring tools write it.
pub fn signature(version: &str) -> Value {
    let image = release::image(version);
    let key = key(&image);
    let digest = key.trim_start_matches("sha256-").trim_end_matches("-1");
    let name = format!("sha256-{}", &digest[..digest.len().min(64)]);
    json!({
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {LABEL: ""}},
        "binaryData": {key: "c2ltdWxhdGVk"},
    })
}

/// A signature was downloaded: it is kept.
pub fn keep(store: &Store, image: &str) {
    let key = key(image);
    store.update(Res::CONFIGMAPS, Some(NAMESPACE), MANAGED, |map| map["binaryData"][key] = json!("c2ltdWxhdGVk"));
}

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    let mut known = Map::new();
    // The installer's own release was never verified by the cluster.
    let updates = scenario.cluster.history.len().saturating_sub(1);
    for past in scenario.cluster.history.iter().take(updates) {
        known.insert(key(&release::image(&past.version)), json!("c2ltdWxhdGVk"));
    }
    let metadata = json!({"name": MANAGED, "namespace": NAMESPACE, "labels": {LABEL: ""}});
    builder.old(Res::CONFIGMAPS, json!({"metadata": metadata, "binaryData": known}));
    let Some(mirror) = &scenario.cluster.mirror else { return };
    for version in &mirror.signatures {
        builder.old(Res::CONFIGMAPS, signature(version));
    }
    let source = |name: &str| format!("quay.io/openshift-release-dev/{name}");
    let pair = |name: &str| json!({"mirrors": [format!("{}/{name}", mirror.registry)], "source": source(name)});
    let pairs = json!([pair("ocp-release"), pair("ocp-v4.0-art-dev")]);
    if builder.store.served(Res::IMAGE_DIGEST_MIRROR_SETS) {
        let spec = json!({"imageDigestMirrors": pairs});
        builder.old(Res::IMAGE_DIGEST_MIRROR_SETS, json!({"metadata": {"name": "idms-release"}, "spec": spec}));
    } else {
        let spec = json!({"repositoryDigestMirrors": pairs});
        builder.old(Res::IMAGE_CONTENT_SOURCE_POLICIES, json!({"metadata": {"name": "release"}, "spec": spec}));
    }
}

/// Where images may be pulled from: for each source its mirrors, and whether the source itself may not be asked.
pub fn pairs(store: &Store) -> BTreeMap<String, (Vec<String>, bool)> {
    let mut pairs: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
    for (res, list) in [
        (Res::IMAGE_DIGEST_MIRROR_SETS, "/spec/imageDigestMirrors"),
        (Res::IMAGE_CONTENT_SOURCE_POLICIES, "/spec/repositoryDigestMirrors"),
    ] {
        for set in store.list(res) {
            for pair in items(&set, list) {
                let entry = pairs.entry(pair["source"].as_str().unwrap_or_default().to_owned()).or_default();
                let mirrors = pair["mirrors"].as_array().into_iter().flatten().filter_map(Value::as_str);
                for mirror in mirrors {
                    if !entry.0.iter().any(|known| known == mirror) {
                        entry.0.push(mirror.to_owned());
                    }
                }
                entry.1 |= pair["mirrorSourcePolicy"] == "NeverContactSource";
            }
        }
    }
    pairs
}

/// The registry that the release payload is pulled from, if a mirror set names one.
pub fn mirror_of_releases(store: &Store) -> Option<String> {
    let sets = store.list(Res::IMAGE_DIGEST_MIRROR_SETS);
    let policies = store.list(Res::IMAGE_CONTENT_SOURCE_POLICIES);
    let pairs = sets
        .iter()
        .flat_map(|set| items(set, "/spec/imageDigestMirrors"))
        .chain(policies.iter().flat_map(|policy| items(policy, "/spec/repositoryDigestMirrors")));
    let release = "quay.io/openshift-release-dev/ocp-release";
    pairs.filter(|pair| pair["source"] == release).find_map(|pair| pair["mirrors"][0].as_str().map(str::to_owned))
}

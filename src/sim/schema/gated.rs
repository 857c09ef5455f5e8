//! Fields that a definition has only where a feature gate is on: elsewhere the server does not know them.
//!
//! Rules: openshift/api, config/v1/types_cluster_version.go (`acceptRisks`, feature gate ClusterUpdateAcceptRisks, in the
//! technology preview since 4.22).

use serde_json::Value;

use crate::sim::kinds::Res;
use crate::sim::store::Store;

/// The first minor release with the gate.
const SINCE: u64 = 22;

/// Which gates are on, read before an object is written: the store is not asked while it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    preview: bool,
}

impl Gates {
    /// Reads them for a write to objects of a kind.
    pub fn of(store: &Store, res: Res) -> Self {
        let gates = if res == Res::CLUSTER_VERSIONS { store.get(Res::FEATURE_GATES, None, "cluster") } else { None };
        let set = gates.as_ref().and_then(|gates| gates.pointer("/spec/featureSet")?.as_str()).unwrap_or_default();
        Self { preview: matches!(set, "TechPreviewNoUpgrade" | "DevPreviewNoUpgrade") }
    }
}

impl Gates {
    /// Whether the ClusterVersion has a place for accepted risks, and its operator heeds them.
    pub fn accept_risks(self, cluster: &Value) -> bool {
        self.preview && minor(cluster) >= SINCE
    }
}

/// Drops fields whose gate is off, and says which they were.
pub fn prune(gates: Gates, res: Res, object: &mut Value) -> Vec<String> {
    if res != Res::CLUSTER_VERSIONS || gates.accept_risks(object) {
        return Vec::new();
    }
    let update = object.pointer_mut("/spec/desiredUpdate").and_then(Value::as_object_mut);
    let dropped = update.and_then(|fields| fields.remove("acceptRisks"));
    dropped.map(|_| "spec.desiredUpdate.acceptRisks".to_owned()).into_iter().collect()
}

fn minor(cluster: &Value) -> u64 {
    let version = cluster.pointer("/status/desired/version").and_then(Value::as_str).unwrap_or_default();
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

//! `v1 ConfigMap`: gates, acknowledgements, and the names of signatures.

use std::collections::BTreeMap;

use super::lens::{Present, kind};
use super::metadata::Keeps;

kind! {
    /// A ConfigMap. Of binary data only the keys are kept.
    pub struct ConfigMap in "" / "v1" as "configmaps", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// Text.
        "data" => pub data: BTreeMap<String, String>,
        /// Names of binary data.
        #[expect(clippy::zero_sized_map_values, reason = "that there is a value is all that is kept of it")]
        "binaryData" => pub binary_keys: BTreeMap<String, Present>,
    }
}

impl ConfigMap {
    /// Namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }
}

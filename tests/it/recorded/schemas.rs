//! The lenses read fields that exist in the schemas of their kinds.

use oc_cockpit::api::{self, lens};
use oc_cockpit::snapshot;
use serde_json::Value;

use super::{SHARED, present};

/// The object under a path of a schema, or nothing. `[]` enters a list, `{}` a map of free keys.
fn schema_has(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    for part in path.trim_start_matches('.').split('.') {
        let (key, behind) = part.split_at(part.find(['[', '{']).unwrap_or(part.len()));
        if let Some(inner) = at.pointer("/properties").and_then(|properties| properties.get(key)) {
            at = inner;
        } else {
            return at.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        }
        for (sign, field) in [("[]", "items"), ("{}", "additionalProperties")] {
            if behind.contains(sign) {
                match at.get(field) {
                    Some(inner) => at = inner,
                    None => return false,
                }
            }
        }
    }
    true
}

fn schema(file: &str) -> Value {
    let snapshot = snapshot::read([format!("{SHARED}/crds/{file}")]);
    assert_eq!(snapshot.broken, [], "{file} can be read");
    let versions = snapshot.objects[0].pointer("/spec/versions").and_then(Value::as_array).expect("versions");
    let v1 = versions.iter().find(|version| version["name"] == "v1").expect("version v1");
    v1["schema"]["openAPIV3Schema"].clone()
}

/// Fields of the ClusterVersion that only clusters with some feature gate serve, which the default schema leaves out.
const GATED: [&str; 6] = [
    ".spec.signatureStores",
    ".spec.desiredUpdate.mode",
    ".spec.desiredUpdate.acceptRisks",
    ".status.conditionalUpdateRisks",
    ".status.conditionalUpdates[].riskNames",
    ".status.conditionalUpdates[].risks[].conditions",
];

#[test]
fn every_field_that_a_lens_reads_exists_in_the_schema() {
    if !present("crds") {
        return;
    }
    let table: [(&str, Vec<String>); 4] = [
        ("0000_00_cluster-version-operator_01_clusterversions-Default.crd.yaml", lens::paths::<api::ClusterVersion>()),
        ("0000_00_cluster-version-operator_01_clusteroperators.crd.yaml", lens::paths::<api::ClusterOperator>()),
        ("0000_80_machine-config_01_machineconfigpools.crd.yaml", lens::paths::<api::MachineConfigPool>()),
        (
            "0000_80_machine-config_01_machineconfignodes-SelfManagedHA-Default.crd.yaml",
            lens::paths::<api::MachineConfigNode>(),
        ),
    ];
    for (file, paths) in table {
        let schema = schema(file);
        assert!(paths.len() > 5, "{file}: the lens lists its paths");
        let gated = |path: &str| GATED.iter().any(|gated| path.starts_with(gated));
        let missing: Vec<&String> = paths.iter().filter(|path| !gated(path) && !schema_has(&schema, path)).collect();
        assert!(missing.is_empty(), "{file} has no {missing:?}");
    }
    assert!(
        !schema_has(&schema("0000_80_machine-config_01_machineconfigpools.crd.yaml"), ".spec.pausd"),
        "it can fail"
    );
}

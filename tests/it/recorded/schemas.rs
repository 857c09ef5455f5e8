//! The lenses read fields that exist in the schemas of their kinds.

use oc_cockpit::api::{self, lens};
use oc_cockpit::snapshot;
use serde_json::Value;

use super::{SHARED, present};

/// The object under a path of a schema, or nothing. `[]` enters a list, `{}` a map of free keys.
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
    // Each of these has one version that the lens reads: v1, or before there was one, v1beta1 or v1alpha1.
    let rank = |version: &&Value| ["v1", "v1beta1", "v1alpha1"].iter().position(|name| version["name"] == *name);
    let version = versions.iter().filter(|version| rank(version).is_some()).min_by_key(rank).expect("a version");
    version["schema"]["openAPIV3Schema"].clone()
}

/// Fields of the ClusterVersion that only clusters with some feature gate serve, which the default schema leaves out, and
/// fields that have another name in an older version of their kind.
const GATED: [&str; 8] = [
    ".spec.signatureStores",
    ".spec.desiredUpdate.mode",
    ".spec.desiredUpdate.acceptRisks",
    ".status.conditionalUpdateRisks",
    ".status.conditionalUpdates[].riskNames",
    ".status.conditionalUpdates[].risks[].conditions",
    ".status.currentImagePullspec",
    ".spec.desiredConfig",
];

#[test]
fn every_field_that_a_lens_reads_exists_in_the_schema() {
    if !present("crds") {
        return;
    }
    let table: [(&str, Vec<String>); 15] = [
        ("0000_00_cluster-version-operator_01_clusterversions-Default.crd.yaml", lens::paths::<api::ClusterVersion>()),
        ("0000_00_cluster-version-operator_01_clusteroperators.crd.yaml", lens::paths::<api::ClusterOperator>()),
        ("0000_80_machine-config_01_machineconfigpools.crd.yaml", lens::paths::<api::MachineConfigPool>()),
        (
            "0000_80_machine-config_01_machineconfignodes-SelfManagedHA-Default.crd.yaml",
            lens::paths::<api::MachineConfigNode>(),
        ),
        ("0000_80_machine-config_01_machineconfigurations.crd.yaml", lens::paths::<api::MachineConfiguration>()),
        ("0000_80_machine-config_01_controllerconfigs-Default.crd.yaml", lens::paths::<api::ControllerConfig>()),
        ("0000_80_machine-config_01_machineosconfigs.crd.yaml", lens::paths::<api::MachineOSConfig>()),
        ("0000_80_machine-config_01_machineosbuilds.crd.yaml", lens::paths::<api::MachineOSBuild>()),
        ("0000_80_machine-config_01_pinnedimagesets.crd.yaml", lens::paths::<api::PinnedImageSet>()),
        ("0000_10_machine-api_01_machinehealthchecks.crd.yaml", lens::paths::<api::MachineHealthCheck>()),
        ("0000_10_config-operator_01_infrastructures-Default.crd.yaml", lens::paths::<api::Infrastructure>()),
        ("0000_10_config-operator_01_imagedigestmirrorsets.crd.yaml", lens::paths::<api::ImageDigestMirrorSet>()),
        (
            "0000_10_config-operator_01_imagecontentsourcepolicies.crd.yaml",
            lens::paths::<api::ImageContentSourcePolicy>(),
        ),
        ("0000_40_cloud-credential_00_cloudcredentials.crd.yaml", lens::paths::<api::CloudCredential>()),
        ("kube-apiserver_apirequestcounts.crd.yaml", lens::paths::<api::APIRequestCount>()),
    ];
    for (file, paths) in table {
        let schema = schema(file);
        assert!(!paths.is_empty(), "{file}: the lens lists its paths");
        let gated = |path: &str| GATED.iter().any(|gated| path.starts_with(gated));
        let missing: Vec<&String> = paths.iter().filter(|path| !gated(path) && !schema_has(&schema, path)).collect();
        assert!(missing.is_empty(), "{file} has no {missing:?}");
    }
    assert!(
        !schema_has(&schema("0000_80_machine-config_01_machineconfigpools.crd.yaml"), ".spec.pausd"),
        "it can fail"
    );
}

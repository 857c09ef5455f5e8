//! CredentialsRequests: what the platform's components want of the cloud, and the secrets that they got.
//!
//! Rules: openshift/cloud-credential-operator; names are those of the payload for AWS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Builder;
use crate::sim::kinds::Res;

/// Where CredentialsRequests live.
const NAMESPACE: &str = "openshift-cloud-credential-operator";

/// Those of a cluster on AWS: name, and namespace and name of the secret.
const REQUESTS: [(&str, &str, &str); 5] = [
    ("aws-ebs-csi-driver-operator", "openshift-cluster-csi-drivers", "ebs-cloud-credentials"),
    ("cloud-credential-operator-iam-ro", NAMESPACE, "cloud-credential-operator-iam-ro-creds"),
    ("openshift-image-registry", "openshift-image-registry", "installer-cloud-credentials"),
    ("openshift-ingress", "openshift-ingress-operator", "cloud-credentials"),
    ("openshift-machine-api-aws", "openshift-machine-api", "aws-cloud-credentials"),
];

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    if builder.scenario.cluster.platform != "AWS" {
        return;
    }
    let manual = builder.scenario.cluster.credentials.mode == "Manual";
    for (name, place, secret) in REQUESTS {
        let spec = json!({
            "providerSpec": {
                "apiVersion": "cloudcredential.openshift.io/v1", "kind": "AWSProviderSpec",
                "statementEntries": [{"action": ["ec2:Describe*"], "effect": "Allow", "resource": "*"}],
            },
            "secretRef": {"name": secret, "namespace": place},
        });
        // Nobody but the operator fulfils a request, and where people make the credentials it does not.
        let status = json!({"lastSyncGeneration": i32::from(!manual), "provisioned": !manual});
        let metadata = json!({"name": name, "namespace": NAMESPACE});
        builder.old(Res::CREDENTIALS_REQUESTS, json!({"metadata": metadata, "spec": spec, "status": status}));
        if builder.store.get(Res::NAMESPACES, None, place).is_some() {
            let data = json!({"credentials": STANDARD.encode("simulated")});
            let metadata = json!({"name": secret, "namespace": place});
            builder.old(Res::SECRETS, json!({"metadata": metadata, "type": "Opaque", "data": data}));
        }
    }
}

//! What a person configures once for the whole cluster: Infrastructure, gates, credentials, pull secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Builder, infrastructure_name};
use crate::sim::kinds::Res;
use crate::sim::scenario::{ARBITER, Scenario};

/// Credentials for the registries of the platform, which nobody would let in.
const REGISTRIES: &str = r#"{"auths":{"cloud.openshift.com":{"auth":"c2ltdWxhdGVk"},"quay.io":{"auth":"c2ltdWxhdGVk"},"registry.redhat.io":{"auth":"c2ltdWxhdGVk"}}}"#;

/// `controlPlaneTopology` of a scenario's cluster (openshift/api, config/v1 TopologyMode).
pub fn control_plane_topology(scenario: &Scenario) -> &'static str {
    match (scenario.size("master"), scenario.size(ARBITER)) {
        (1, _) => "SingleReplica",
        (_, 0) => "HighlyAvailable",
        _ => "HighlyAvailableArbiter",
    }
}

/// Whether the platform makes machines for the cluster, so that the machine API knows of them.
pub fn has_machine_api(platform: &str) -> bool {
    !matches!(platform, "None" | "External")
}

/// The Secret of `kube-system` that holds a platform's root credentials (cloud-credential-operator,
/// pkg/operator/constants).
pub fn root_secret(platform: &str) -> Option<&'static str> {
    Some(match platform {
        "AWS" => "aws-creds",
        "Azure" => "azure-credentials",
        "GCP" => "gcp-credentials",
        "OpenStack" => "openstack-credentials",
        "VSphere" => "vsphere-creds",
        "Nutanix" => "nutanix-credentials",
        _ => return None,
    })
}

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    let config_map = |namespace: &str, name: &str, data: Value| {
        builder.old(Res::CONFIGMAPS, json!({"metadata": {"name": name, "namespace": namespace}, "data": data}));
    };
    config_map("openshift-config-managed", "admin-gates", json!(scenario.gates));
    let acks: std::collections::BTreeMap<&str, &str> =
        scenario.acknowledged.iter().map(|gate| (gate.as_str(), "true")).collect();
    config_map("openshift-config", "admin-acks", json!(acks));
    config_map(
        "openshift-monitoring",
        "cluster-monitoring-config",
        json!({"config.yaml": "enableUserWorkload: true\n"}),
    );
    builder.old(Res::INFRASTRUCTURES, infrastructure(scenario));
    let gates = json!({"metadata": {"name": "cluster"}, "spec": {"featureSet": scenario.cluster.feature_set}});
    builder.old(Res::FEATURE_GATES, gates);
    credentials(builder);
}

fn infrastructure(scenario: &Scenario) -> Value {
    let name = &scenario.cluster.name;
    let platform = &scenario.cluster.platform;
    let workers = scenario.hosts("worker").len();
    json!({
        "metadata": {"name": "cluster"},
        "spec": {"cloudConfig": {"name": ""}, "platformSpec": {"type": platform}},
        "status": {
            "apiServerInternalURI": format!("https://api-int.{name}.example.com:6443"),
            "apiServerURL": format!("https://api.{name}.example.com:6443"),
            "controlPlaneTopology": control_plane_topology(scenario),
            "cpuPartitioning": "None",
            "etcdDiscoveryDomain": "",
            "infrastructureName": infrastructure_name(scenario),
            "infrastructureTopology": if workers == 1 { "SingleReplica" } else { "HighlyAvailable" },
            "platform": platform,
            "platformStatus": {"type": platform},
        },
    })
}

fn credentials(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    let given = &scenario.cluster.credentials;
    let mut metadata = json!({"name": "cluster"});
    if let Some(release) = &given.upgradeable_to {
        metadata["annotations"] = json!({"cloudcredential.openshift.io/upgradeable-to": release});
    }
    let spec = json!({"credentialsMode": given.mode, "logLevel": "Normal", "operatorLogLevel": "Normal"});
    builder.old(Res::CLOUD_CREDENTIALS, json!({"metadata": metadata, "spec": spec, "status": {"readyReplicas": 0}}));
    let spec = json!({
        "oauthMetadata": {"name": ""}, "serviceAccountIssuer": given.issuer, "type": "",
        "webhookTokenAuthenticator": {"kubeConfig": {"name": "webhook-authentication-integrated-oauth"}},
    });
    let status = json!({"integratedOAuthMetadata": {"name": "oauth-openshift"}});
    builder.old(Res::AUTHENTICATIONS, json!({"metadata": {"name": "cluster"}, "spec": spec, "status": status}));
    let secret = |namespace: &str, name: &str, kind: &str, key: &str| {
        // "simulated", and nothing that would open a door.
        let plain = if kind == "Opaque" { "simulated" } else { REGISTRIES };
        let data = json!({key: STANDARD.encode(plain)});
        let metadata = json!({"name": name, "namespace": namespace});
        builder.old(Res::SECRETS, json!({"metadata": metadata, "type": kind, "data": data}));
    };
    secret("openshift-config", "pull-secret", "kubernetes.io/dockerconfigjson", ".dockerconfigjson");
    if let Some(name) = root_secret(&scenario.cluster.platform)
        && !given.without_root_secret
        && given.mode != "Manual"
    {
        secret("kube-system", name, "Opaque", "credentials");
    }
}

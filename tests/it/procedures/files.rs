//! The files that steps name, as people would have them.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::plans::script::scratch;

const MCO: &str = "machineconfiguration.openshift.io";
const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub const UPDATE_SERVICE: &str = "openshift-update-service";

pub fn namespace() -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": UPDATE_SERVICE } })
}

pub fn group() -> Value {
    json!({
        "apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup",
        "metadata": { "name": "update-service-operator", "namespace": UPDATE_SERVICE },
        "spec": { "targetNamespaces": [UPDATE_SERVICE] },
    })
}

pub fn subscription() -> Value {
    json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription",
        "metadata": { "name": "update-service-operator", "namespace": UPDATE_SERVICE },
        "spec": { "channel": "v1", "name": "cincinnati-operator", "source": "mirrored", "sourceNamespace": "openshift-marketplace" },
    })
}

pub fn service() -> Value {
    json!({
        "apiVersion": "updateservice.operator.openshift.io/v1", "kind": "UpdateService",
        "metadata": { "name": "service", "namespace": UPDATE_SERVICE },
        "spec": { "replicas": 2, "releases": "registry.example.com/ocp/release-images",
                  "graphDataImage": "registry.example.com/ocp/graph-data:latest" },
    })
}

/// A MachineConfig of the workers with a file in it.
pub fn chrony() -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfig",
        "metadata": { "name": "50-worker-chrony", "labels": { format!("{MCO}/role"): "worker" } },
        "spec": { "config": { "ignition": { "version": "3.4.0" }, "storage": { "files": [
            { "path": "/etc/chrony.conf", "mode": 420, "contents": { "source": "data:,server%20a" } }] } } },
    })
}

fn machine_configuration(spec: &Value) -> Value {
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "MachineConfiguration", "metadata": { "name": "cluster" },
        "spec": spec,
    })
}

fn pull_secret() -> Value {
    let auths = json!({ "auths": { "registry.example.com": { "auth": STANDARD.encode("mirror:secret") } } });
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pull-secret", "namespace": "openshift-config" },
        "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": STANDARD.encode(auths.to_string()) },
    })
}

fn mirrors() -> Value {
    let one = |source: &str, mirror: &str| json!({ "source": source, "mirrors": [mirror] });
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": { "name": "release" },
        "spec": { "imageDigestMirrors": [
            one("quay.io/openshift-release-dev/ocp-release", "registry.example.com/ocp/release"),
            one("quay.io/openshift-release-dev/ocp-v4.0-art-dev", "registry.example.com/ocp/images")] },
    })
}

fn signature() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": format!("sha256-{HEX}"), "namespace": "openshift-config-managed",
                      "labels": { "release.openshift.io/verification-signatures": "" } },
        "binaryData": { format!("sha256-{HEX}-1"): "owGbwMvMwMEoOU9/4l9n2UDGtYy8wAA=" },
    })
}

fn certificate(host: &str) -> String {
    rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap().cert.pem()
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn certificates(name: &str, data: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "openshift-config" },
        "data": data,
    })
}

pub fn registry_ca() -> Value {
    let certificate = certificate("registry.example.com");
    certificates("registry-ca", json!({ "registry.example.com": certificate, "updateservice-registry": certificate }))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn cluster_config(kind: &str, spec: Value) -> Value {
    json!({ "apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": { "name": "cluster" }, "spec": spec })
}

/// The certificates that the update service is trusted by, and who names them.
fn trusted() -> Vec<Value> {
    vec![
        certificates("trusted-ca", json!({ "ca-bundle.crt": certificate("updates.example.com") })),
        cluster_config("Proxy", json!({ "trustedCA": { "name": "trusted-ca" } })),
    ]
}

fn credentials() -> Vec<Value> {
    let namespace = "openshift-new-component";
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "cloud", "namespace": namespace },
            "stringData": { "role_arn": "arn:aws:iam::1:role/new" },
        }),
    ]
}

fn requests() -> Value {
    json!({
        "apiVersion": "cloudcredential.openshift.io/v1", "kind": "CredentialsRequest",
        "metadata": { "name": "new-component", "namespace": "openshift-cloud-credential-operator" },
        "spec": { "secretRef": { "namespace": "openshift-new-component", "name": "cloud" } },
    })
}

/// The root credentials of the cloud, as somebody kept them.
fn root_secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "aws-creds", "namespace": "kube-system" },
        "type": "Opaque", "stringData": { "aws_access_key_id": "AKIA0000", "aws_secret_access_key": "root" },
    })
}

/// What new workers boot with: in the words of `spec`, pointing to the machine config server by `how`.
pub fn user_data(spec: &str, how: &str) -> Value {
    let server = json!([{ "source": "https://api-int.lab.example.com:22623/config/worker" }]);
    let stub = json!({ "ignition": { "version": spec, "config": { how: server } } }).to_string();
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "worker-user-data", "namespace": "openshift-machine-api" },
        "type": "Opaque", "data": { "disableTemplating": STANDARD.encode("true"), "userData": STANDARD.encode(stub) },
    })
}

/// What machines it is for.
pub fn machine_set() -> Value {
    json!({
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet",
        "metadata": { "name": "worker-eu-1a", "namespace": "openshift-machine-api" },
        "spec": { "template": { "spec": { "providerSpec": { "value": {
            "userDataSecret": { "name": "worker-user-data" } } } } } },
    })
}

fn pinned() -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "PinnedImageSet",
        "metadata": { "name": "release", "labels": { format!("{MCO}/role"): "worker" } },
        "spec": { "pinnedImages": [{ "name": format!("quay.io/a@sha256:{HEX}") }] },
    })
}

/// A folder with all of them.
pub fn folder() -> PathBuf {
    let folder = scratch("procedures");
    let policy = machine_configuration(&json!({ "nodeDisruptionPolicy": { "files": [
        { "path": "/etc/chrony.conf", "actions": [{ "type": "Restart", "restart": { "serviceName": "chronyd.service" } }] }] } }));
    let boot_images =
        |managers: Value| vec![machine_configuration(&json!({ "managedBootImages": { "machineManagers": managers } }))];
    let all =
        json!([{ "resource": "machinesets", "apiGroup": "machine.openshift.io", "selection": { "mode": "All" } }]);
    let files: Vec<(&str, Vec<Value>)> = vec![
        ("pull-secret.yaml", vec![pull_secret()]),
        ("mirrors.yaml", vec![mirrors()]),
        ("signature.yaml", vec![signature()]),
        ("update-service-operator.yaml", vec![namespace(), group(), subscription()]),
        ("registry-ca.yaml", vec![registry_ca()]),
        ("image.yaml", vec![cluster_config("Image", json!({ "additionalTrustedCA": { "name": "registry-ca" } }))]),
        ("proxy.yaml", trusted()),
        ("update-service.yaml", vec![service()]),
        ("credentials.yaml", credentials()),
        ("requests.yaml", vec![requests()]),
        ("images.yaml", vec![pinned()]),
        ("config.yaml", vec![chrony()]),
        ("policy.yaml", vec![policy]),
        ("boot-images-off.yaml", boot_images(json!([]))),
        ("boot-images-on.yaml", boot_images(all)),
        ("root-secret.yaml", vec![root_secret()]),
        ("user-data.yaml", vec![user_data("3.2.0", "merge")]),
        ("user-data-broken.yaml", vec![user_data("3.2.0", "append")]),
    ];
    for (name, objects) in files {
        let text: Vec<String> = objects.iter().map(Value::to_string).collect();
        std::fs::write(folder.join(name), format!("---\n{}\n", text.join("\n---\n"))).unwrap();
    }
    folder
}

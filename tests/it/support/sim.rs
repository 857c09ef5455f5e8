//! A small cluster for tests of the simulated API server, and a client for it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Method, Request};
use kube::client::Body;
use oc_cockpit::sim::server::{Options, Server, Simulation, serve};
use serde_json::{Value, json};

/// Three nodes, two pools, an update, two operators, a shop with a protected pod and a free one.
pub fn small_cluster() -> Vec<Value> {
    let mut objects = vec![
        namespace("default"),
        namespace("shop"),
        json!({
            "apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
            "metadata": {"name": "version", "uid": "cv-uid", "generation": 2},
            "spec": {"clusterID": "11111111-2222-4333-8444-555555555555", "channel": "stable-4.19"},
            "status": {
                "desired": {"version": "4.19.3", "image": "quay.io/ocp@sha256:aa"},
                "history": [
                    {"state": "Partial", "version": "4.19.3", "startedTime": "2026-11-20T10:00:00Z", "completionTime": null},
                    {"state": "Completed", "version": "4.18.22", "startedTime": "2026-10-20T10:00:00Z",
                     "completionTime": "2026-10-20T11:00:00Z"},
                ],
                "conditions": [
                    {"type": "Available", "status": "True", "lastTransitionTime": "2026-10-20T11:00:00Z"},
                    {"type": "Progressing", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z",
                     "message": "Working towards 4.19.3: 300 of 910 done (32% complete)"},
                ],
            },
        }),
        operator("etcd", "4.19.3"),
        operator("machine-config", "4.18.22"),
        pool("master"),
        pool("worker"),
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "cart", "namespace": "shop", "generation": 1},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "cart"}}},
            "status": {"currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1,
                       "observedGeneration": 1},
        }),
        pod("cart-0", "cart", "worker-0"),
        pod("web-0", "web", "worker-0"),
    ];
    objects.extend([node("master-0", "master"), node("worker-0", "worker"), node("worker-1", "worker")]);
    objects
}

pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}})
}

pub fn operator(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator", "metadata": {"name": name}, "spec": {},
        "status": {
            "versions": [{"name": "operator", "version": version}],
            "conditions": [
                {"type": "Available", "status": "True", "lastTransitionTime": "2026-11-20T09:00:00Z"},
                {"type": "Progressing", "status": "False", "lastTransitionTime": "2026-11-20T09:00:00Z"},
                {"type": "Degraded", "status": "False", "lastTransitionTime": "2026-11-20T09:00:00Z"},
            ],
        },
    })
}

pub fn pool(name: &str) -> Value {
    json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
        "metadata": {"name": name, "generation": 1},
        "spec": {"paused": false, "configuration": {"name": format!("rendered-{name}-1")},
                 "nodeSelector": {"matchLabels": {format!("node-role.kubernetes.io/{name}"): ""}}},
        "status": {
            "configuration": {"name": format!("rendered-{name}-1")},
            "machineCount": 3, "readyMachineCount": 3, "updatedMachineCount": 3, "degradedMachineCount": 0,
            "conditions": [{"type": "Updated", "status": "True"}, {"type": "Updating", "status": "False"},
                           {"type": "Degraded", "status": "False"}],
        },
    })
}

pub fn node(name: &str, role: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            format!("node-role.kubernetes.io/{role}"): "", "kubernetes.io/hostname": name,
            "topology.kubernetes.io/zone": "zone-a",
        }},
        "spec": {"providerID": format!("sim:///{name}")},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T09:00:00Z",
                            "lastHeartbeatTime": "2026-11-20T09:00:00Z", "reason": "KubeletReady", "message": "ready"}],
            "capacity": {"cpu": "4", "memory": "16Gi", "pods": "250"},
            "allocatable": {"cpu": "4", "memory": "15Gi", "pods": "250"},
            "nodeInfo": {"kubeletVersion": "v1.31.9", "osImage": "Red Hat CoreOS 418", "kernelVersion": "5.14",
                         "containerRuntimeVersion": "cri-o://1.31", "architecture": "amd64", "operatingSystem": "linux",
                         "bootID": "b", "machineID": "m", "systemUUID": "s", "kubeProxyVersion": ""},
        },
    })
}

pub fn pod(name: &str, app: &str, node: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app},
                     "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": app, "uid": "u",
                                          "controller": true}]},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 30,
                 "containers": [{"name": app, "image": "registry.example.com/shop:1"}]},
        "status": {"phase": "Running", "podIP": "10.128.0.5",
                   "conditions": [{"type": "Ready", "status": "True"}],
                   "containerStatuses": [{"name": app, "ready": true, "restartCount": 0, "image": "shop:1", "imageID": "",
                                          "state": {"running": {"startedAt": "2026-11-20T09:00:00Z"}}}]},
    })
}

/// A server on a free port, holding the small cluster.
pub async fn server() -> Server {
    serve(Options { objects: small_cluster(), ..Options::default() }, None).await.unwrap()
}

/// The small cluster in process.
pub fn simulation() -> Simulation {
    Simulation::new(&Options { objects: small_cluster(), ..Options::default() }).unwrap()
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The watch events in the body: type and object.
    pub fn events(&self) -> Vec<(String, Value)> {
        let lines = self.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (line["type"].as_str().unwrap().to_owned(), line["object"].clone())).collect()
    }
}

/// Sends one request to the API in process and waits for the whole answer.
pub async fn ask(
    simulation: &Simulation,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Answer {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.into())).unwrap();
    let response = simulation.service().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// A kubeconfig file of its own, removed when dropped.
pub struct TempKubeconfig(pub PathBuf);

impl TempKubeconfig {
    pub fn path() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("oc-cockpit-sim-{}-{number}.kubeconfig", std::process::id())))
    }
}

impl Drop for TempKubeconfig {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

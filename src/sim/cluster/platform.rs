//! The platform's own pods: operators, daemons of every node, static pods and their guards.

use serde_json::{Value, json};

use super::object::{hex, text};
use super::operators::OPERATORS;
use super::workloads::{Owned, Template, budget};
use super::{Builder, release, workloads};
use crate::sim::kinds::Res;
use crate::sim::scenario::node_name;
use crate::sim::store::Store;

/// The environment variable by which the payload tells an operator the release that it belongs to.
pub const RELEASE_VERSION: &str = "RELEASE_VERSION";

/// Static pods of every control plane node: namespace, name, and whether a guard pod with a budget watches over it.
pub const STATIC_PODS: [(&str, &str); 4] = [
    ("openshift-etcd", "etcd"),
    ("openshift-kube-apiserver", "kube-apiserver"),
    ("openshift-kube-controller-manager", "kube-controller-manager"),
    ("openshift-kube-scheduler", "openshift-kube-scheduler"),
];

/// DaemonSets of the platform: namespace and name. Big clusters are given the first two only, to spare memory.
const DAEMONS: [(&str, &str); 5] = [
    ("openshift-machine-config-operator", "machine-config-daemon"),
    ("openshift-ovn-kubernetes", "ovnkube-node"),
    ("openshift-dns", "dns-default"),
    ("openshift-cluster-node-tuning-operator", "tuned"),
    ("openshift-monitoring", "node-exporter"),
];

/// Above this many nodes only the first two DaemonSets have pods.
const BIG: usize = 500;

/// Creates the platform's pods and their owners.
pub fn build(builder: &Builder<'_>) {
    daemons(builder);
    control_plane(builder);
    operators(builder);
    monitoring(builder);
}

fn since(builder: &Builder<'_>) -> chrono::DateTime<chrono::Utc> {
    builder
        .scenario
        .cluster
        .history
        .first()
        .map_or(builder.installed, |past| builder.now - past.started.delta() + past.took.delta())
}

fn daemons(builder: &Builder<'_>) {
    let nodes: Vec<String> = builder.scenario.node_names().into_iter().collect();
    let count = if nodes.len() > BIG { 2 } else { DAEMONS.len() };
    let version = &builder.scenario.cluster.version;
    for (namespace, name) in &DAEMONS[..count] {
        let mut template = Template::new(name, release::component_image(version, name), "");
        template.tolerates_all = true;
        if *name == "machine-config-daemon" {
            template.labels = json!({"k8s-app": "machine-config-daemon"});
            template.grace = 600;
        }
        let owned = Owned { namespace, name, template, on: nodes.clone(), since: since(builder), claim: None };
        owned.daemon_set(builder);
    }
}

fn control_plane(builder: &Builder<'_>) {
    let masters = builder.scenario.hosts("master");
    let version = &builder.scenario.cluster.version;
    for (namespace, name) in STATIC_PODS {
        for master in &masters {
            let mut template = Template::new(name, release::component_image(version, name), "");
            template.labels = json!({"k8s-app": name, "app": name});
            template.tolerates_all = true;
            let mut pod = workloads::pod(&template.object(), namespace, &format!("{name}-{master}"), Value::Null);
            mirror(builder.store, &mut pod, master, version);
            workloads::bind(&mut pod, master, since(builder));
            workloads::run(&mut pod, since(builder));
            builder.born(Res::PODS, pod, since(builder));
            let mut guard = guard_pod(namespace, name, master, version);
            workloads::bind(&mut guard, master, since(builder));
            workloads::run(&mut guard, since(builder));
            builder.born(Res::PODS, guard, since(builder));
        }
        // library-go, staticpod guard controller: one of the control plane nodes may be down.
        let limit = ("minAvailable", json!(masters.len().saturating_sub(1)));
        let guard = guard_name(name);
        builder.old(Res::PDBS, budget(namespace, &format!("{guard}-pdb"), &guard, limit));
    }
}

/// Marks a pod as the API's picture of a static pod.
pub fn mirror(store: &Store, pod: &mut Value, node: &str, version: &str) {
    let digest = hex(&format!("{node} {} {version}", text(pod, "/metadata/name")), 32);
    pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = json!(digest);
    pod["metadata"]["annotations"]["kubernetes.io/config.source"] = json!("file");
    let object = store.get(Res::NODES, None, node);
    let uid = object.as_ref().map_or("", |object| text(object, "/metadata/uid"));
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": true}]);
}

/// The app label of the guards of a static pod.
pub fn guard_name(name: &str) -> String {
    format!("{}-guard", name.trim_start_matches("openshift-"))
}

/// The pod whose budget keeps two control plane nodes from draining at once.
pub fn guard_pod(namespace: &str, name: &str, node: &str, version: &str) -> Value {
    let guard = guard_name(name);
    let mut template = Template::new(&guard, release::component_image(version, "cli"), "master");
    template.grace = 3;
    template.stop = 1;
    template.labels = json!({"app": guard});
    let pod_name = format!("{name}-guard-{node}");
    workloads::pod(&template.object(), namespace, &pod_name, Value::Null)
}

fn operators(builder: &Builder<'_>) {
    let version = &builder.scenario.cluster.version;
    let masters = builder.scenario.pools["master"].nodes;
    let mut seat = 0;
    let mut place = |namespace: &str, name: &str, image: String, label: Option<&str>| {
        let mut template = Template::new(name, image, "master");
        template.env.push((RELEASE_VERSION.to_owned(), version.clone()));
        if let Some(label) = label {
            template.labels = json!({"k8s-app": label});
        }
        let on = vec![node_name("master", seat % masters)];
        seat += 1;
        Owned { namespace, name, template, on, since: since(builder), claim: None }.deployment(builder);
    };
    place(
        "openshift-cluster-version",
        "cluster-version-operator",
        release::image(version),
        Some("cluster-version-operator"),
    );
    place(
        "openshift-machine-config-operator",
        "machine-config-controller",
        release::component_image(version, "machine-config-operator"),
        Some("machine-config-controller"),
    );
    for operator in &OPERATORS {
        let image = release::component_image(version, operator.deployment);
        let label = (operator.name == "machine-config").then_some("machine-config-operator");
        place(operator.namespace, operator.deployment, image, label);
    }
}

fn monitoring(builder: &Builder<'_>) {
    let hosts = builder.scenario.hosts("worker");
    let workers = hosts.len();
    let version = &builder.scenario.cluster.version;
    let pair = |offset: usize| -> Vec<String> {
        let first = (workers / 2 + offset) % workers;
        let mut pair = vec![hosts[first].clone(), hosts[(first + workers.div_ceil(2)) % workers].clone()];
        pair.dedup();
        pair
    };
    let component = |namespace, name, app: &str, offset| {
        let mut template = Template::new(app, release::component_image(version, app), "worker");
        template.stop = 12;
        template.grace = 60;
        Owned { namespace, name, template, on: pair(offset), since: since(builder), claim: None }
    };
    component("openshift-monitoring", "prometheus-k8s", "prometheus", 0).stateful_set(builder);
    if workers == 1 {
        // One of each, and no budgets: infrastructureTopology SingleReplica.
        component("openshift-monitoring", "thanos-querier", "thanos-querier", 1).deployment(builder);
        component("openshift-ingress", "router-default", "router-default", 2).deployment(builder);
        return;
    }
    builder.old(Res::PDBS, budget("openshift-monitoring", "prometheus-k8s", "prometheus", ("minAvailable", json!(1))));
    component("openshift-monitoring", "thanos-querier", "thanos-querier", 1).deployment(builder);
    builder.old(
        Res::PDBS,
        budget("openshift-monitoring", "thanos-querier-pdb", "thanos-querier", ("minAvailable", json!(1))),
    );
    component("openshift-ingress", "router-default", "router-default", 2).deployment(builder);
    builder.old(
        Res::PDBS,
        budget("openshift-ingress", "router-default", "router-default", ("maxUnavailable", json!("50%"))),
    );
}

//! The cluster operators: their names, run levels, namespaces, versions, and how long they take.
//!
//! Names and extra versions are those of a 4.19 cluster; run levels are those at which the ClusterOperator manifest
//! stands in the payload.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::object::{self, Condition};
use super::{Builder, release};
use crate::sim::kinds::Res;

/// How an operator's component runs, which decides what its messages say and what disturbs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Static pods on the control plane, installed node by node.
    StaticPods,
    /// Pods on every node: Progressing while nodes reboot. Namespace and name of the DaemonSet.
    DaemonSet(&'static str, &'static str),
    /// Deployments.
    Deployment,
    /// The machine config operator, which has its own actor.
    MachineConfig,
}

/// One cluster operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// The ClusterOperator's name.
    pub name: &'static str,
    /// The run level of its ClusterOperator manifest.
    pub level: u8,
    /// The namespace of its own Deployment.
    pub namespace: &'static str,
    /// The name of its own Deployment.
    pub deployment: &'static str,
    /// Names in `status.versions` besides `operator`.
    pub versions: &'static [&'static str],
    /// The capability that it belongs to, if it is optional.
    pub capability: Option<&'static str>,
    /// How its component runs.
    pub style: Style,
    /// How long an update takes: at least and at most, simulated seconds.
    pub seconds: (u64, u64),
}

const fn operator(name: &'static str, level: u8, seconds: (u64, u64), home: [&'static str; 2]) -> Operator {
    let [namespace, deployment] = home;
    Operator { name, level, namespace, deployment, versions: &[], capability: None, style: Style::Deployment, seconds }
}

impl Operator {
    const fn style(self, style: Style) -> Self {
        Self { style, ..self }
    }

    const fn versions(self, versions: &'static [&'static str]) -> Self {
        Self { versions, ..self }
    }

    const fn optional(self, capability: &'static str) -> Self {
        Self { capability: Some(capability), ..self }
    }
}

/// All cluster operators, by name.
pub static OPERATORS: [Operator; 34] = [
    operator("authentication", 50, (190, 280), ["openshift-authentication-operator", "authentication-operator"])
        .versions(&["oauth-apiserver", "oauth-openshift"]),
    operator("baremetal", 31, (15, 30), ["openshift-machine-api", "cluster-baremetal-operator"]).optional("baremetal"),
    operator(
        "cloud-controller-manager",
        26,
        (40, 70),
        ["openshift-cloud-controller-manager-operator", "cluster-cloud-controller-manager-operator"],
    )
    .optional("CloudControllerManager"),
    operator("cloud-credential", 50, (40, 60), ["openshift-cloud-credential-operator", "cloud-credential-operator"])
        .optional("CloudCredential"),
    operator("cluster-autoscaler", 50, (25, 40), ["openshift-machine-api", "cluster-autoscaler-operator"])
        .optional("MachineAPI"),
    operator("config-operator", 50, (20, 35), ["openshift-config-operator", "openshift-config-operator"])
        .versions(&["feature-gates"]),
    operator("console", 50, (150, 220), ["openshift-console-operator", "console-operator"]).optional("Console"),
    operator(
        "control-plane-machine-set",
        50,
        (45, 65),
        ["openshift-machine-api", "control-plane-machine-set-operator"],
    )
    .optional("MachineAPI"),
    operator(
        "csi-snapshot-controller",
        50,
        (60, 85),
        ["openshift-cluster-storage-operator", "csi-snapshot-controller-operator"],
    )
    .versions(&["csi-snapshot-controller"])
    .optional("CSISnapshot"),
    operator("dns", 70, (140, 190), ["openshift-dns-operator", "dns-operator"])
        .versions(&["coredns", "openshift-cli", "kube-rbac-proxy"])
        .style(Style::DaemonSet("openshift-dns", "dns-default")),
    operator("etcd", 12, (270, 330), ["openshift-etcd-operator", "etcd-operator"])
        .versions(&["raw-internal", "etcd"])
        .style(Style::StaticPods),
    operator("image-registry", 50, (120, 180), ["openshift-image-registry", "cluster-image-registry-operator"])
        .optional("ImageRegistry"),
    operator("ingress", 50, (170, 250), ["openshift-ingress-operator", "ingress-operator"])
        .versions(&["ingress-controller", "canary-server"])
        .optional("Ingress"),
    operator("insights", 50, (50, 75), ["openshift-insights", "insights-operator"]).optional("Insights"),
    operator("kube-apiserver", 20, (480, 570), ["openshift-kube-apiserver-operator", "kube-apiserver-operator"])
        .versions(&["raw-internal", "kube-apiserver"])
        .style(Style::StaticPods),
    operator(
        "kube-controller-manager",
        25,
        (210, 250),
        ["openshift-kube-controller-manager-operator", "kube-controller-manager-operator"],
    )
    .versions(&["raw-internal", "kube-controller-manager"])
    .style(Style::StaticPods),
    operator(
        "kube-scheduler",
        25,
        (180, 230),
        ["openshift-kube-scheduler-operator", "openshift-kube-scheduler-operator"],
    )
    .versions(&["raw-internal", "kube-scheduler"])
    .style(Style::StaticPods),
    operator(
        "kube-storage-version-migrator",
        40,
        (25, 40),
        ["openshift-kube-storage-version-migrator-operator", "kube-storage-version-migrator-operator"],
    ),
    operator("machine-api", 30, (80, 110), ["openshift-machine-api", "machine-api-operator"]).optional("MachineAPI"),
    operator("machine-approver", 50, (30, 50), ["openshift-cluster-machine-approver", "machine-approver"]),
    operator("machine-config", 80, (0, 0), ["openshift-machine-config-operator", "machine-config-operator"])
        .versions(&["operator-image"])
        .style(Style::MachineConfig),
    operator("marketplace", 50, (70, 95), ["openshift-marketplace", "marketplace-operator"]).optional("marketplace"),
    operator("monitoring", 50, (260, 330), ["openshift-monitoring", "cluster-monitoring-operator"]),
    operator("network", 70, (270, 320), ["openshift-network-operator", "network-operator"])
        .style(Style::DaemonSet("openshift-ovn-kubernetes", "ovnkube-node")),
    operator("node-tuning", 50, (130, 170), ["openshift-cluster-node-tuning-operator", "cluster-node-tuning-operator"])
        .versions(&["ocp-tuned"])
        .optional("NodeTuning")
        .style(Style::DaemonSet("openshift-cluster-node-tuning-operator", "tuned")),
    operator("olm", 50, (90, 130), ["openshift-cluster-olm-operator", "cluster-olm-operator"])
        .optional("OperatorLifecycleManagerV1"),
    operator("openshift-apiserver", 30, (170, 220), ["openshift-apiserver-operator", "openshift-apiserver-operator"])
        .versions(&["openshift-apiserver"]),
    operator(
        "openshift-controller-manager",
        50,
        (80, 120),
        ["openshift-controller-manager-operator", "openshift-controller-manager-operator"],
    ),
    operator("openshift-samples", 50, (100, 150), ["openshift-cluster-samples-operator", "cluster-samples-operator"])
        .optional("openshift-samples"),
    operator("operator-lifecycle-manager", 50, (60, 100), ["openshift-operator-lifecycle-manager", "olm-operator"])
        .versions(&["operator-lifecycle-manager"])
        .optional("OperatorLifecycleManager"),
    operator(
        "operator-lifecycle-manager-catalog",
        50,
        (65, 105),
        ["openshift-operator-lifecycle-manager", "catalog-operator"],
    )
    .versions(&["operator-lifecycle-manager"])
    .optional("OperatorLifecycleManager"),
    operator(
        "operator-lifecycle-manager-packageserver",
        50,
        (110, 160),
        ["openshift-operator-lifecycle-manager", "package-server-manager"],
    )
    .versions(&["packageserver"])
    .optional("OperatorLifecycleManager"),
    operator("service-ca", 50, (45, 70), ["openshift-service-ca-operator", "service-ca-operator"]),
    operator("storage", 50, (200, 270), ["openshift-cluster-storage-operator", "cluster-storage-operator"])
        .optional("Storage"),
];

/// The operator of that name.
pub fn find(name: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|operator| operator.name == name)
}

/// `status.versions` of an operator at a release.
pub fn versions(operator: &Operator, version: &str) -> Value {
    let mut versions = vec![json!({"name": "operator", "version": version})];
    for name in operator.versions {
        let value = match *name {
            "operator-image" => release::component_image(version, "machine-config-operator"),
            "raw-internal"
            | "etcd"
            | "feature-gates"
            | "oauth-apiserver"
            | "ocp-tuned"
            | "openshift-apiserver"
            | "csi-snapshot-controller" => version.to_owned(),
            "oauth-openshift" => format!("{version}_openshift"),
            "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" => {
                release::kubelet(version).trim_start_matches('v').to_owned()
            }
            "packageserver" => "0.0.1-snapshot".to_owned(),
            "operator-lifecycle-manager" => {
                format!("{version}-{}", &object::hex(&format!("olm {version}"), 7))
            }
            component => release::component_image(version, component),
        };
        versions.push(json!({"name": name, "version": value}));
    }
    Value::Array(versions)
}

/// `1 node is`, `3 nodes are`.
pub fn nodes_are(count: usize) -> String {
    if count == 1 { "1 node is".to_owned() } else { format!("{count} nodes are") }
}

/// What the operator says when all is well at a release on a control plane of `masters` nodes: Available, Progressing,
/// Degraded, Upgradeable as reason and message.
pub fn calm(operator: &Operator, version: &str, masters: usize) -> BTreeMap<&'static str, (&'static str, String)> {
    let well = || "All is well".to_owned();
    let texts = match operator.style {
        Style::StaticPods => {
            let revision = 6 + object::hash(&format!("{} {version}", operator.name)) % 12;
            [
                (
                    "AsExpected",
                    format!("StaticPodsAvailable: {0} active; {0} at revision {revision}", nodes_are(masters)),
                ),
                ("AsExpected", format!("NodeInstallerProgressing: {} at revision {revision}", nodes_are(masters))),
                ("AsExpected", "NodeControllerDegraded: All master nodes are ready".to_owned()),
                ("AsExpected", well()),
            ]
        }
        Style::DaemonSet(..) if operator.name == "dns" => [
            ("AsExpected", "DNS \"default\" is available.".to_owned()),
            ("AsExpected", "Desired and current number of DNSes are equal".to_owned()),
            ("DNSNotDegraded", String::new()),
            ("DNSUpgradeable", "DNS default is upgradeable: DNS Operator can be upgraded".to_owned()),
        ],
        Style::DaemonSet(..) if operator.name == "node-tuning" => [
            ("AsExpected", "Cluster has deployed the operands".to_owned()),
            ("AsExpected", format!("Cluster version is \"{version}\"")),
            ("AsExpected", "DaemonSet \"tuned\" available".to_owned()),
            ("AsExpected", String::new()),
        ],
        Style::DaemonSet(..) => [("", String::new()), ("", String::new()), ("", String::new()), ("", String::new())],
        Style::MachineConfig => [
            ("AsExpected", format!("Cluster has deployed [{{operator {version}}}]")),
            ("", format!("Cluster version is {version}")),
            ("", String::new()),
            ("AsExpected", String::new()),
        ],
        Style::Deployment if operator.name == "monitoring" => [
            ("RollOutDone", "Successfully rolled out the stack.".to_owned()),
            ("", String::new()),
            ("", String::new()),
            ("", String::new()),
        ],
        Style::Deployment => {
            [("AsExpected", well()), ("AsExpected", well()), ("AsExpected", well()), ("AsExpected", well())]
        }
    };
    ["Available", "Progressing", "Degraded", "Upgradeable"].into_iter().zip(texts).collect()
}

/// Creates the ClusterOperators at the scenario's version.
pub fn build(builder: &Builder<'_>) {
    let owner = builder.store.get(Res::CLUSTER_VERSIONS, None, "version");
    let uid = owner.as_ref().map_or("", |owner| object::text(owner, "/metadata/uid"));
    for operator in &OPERATORS {
        builder.old(Res::CLUSTER_OPERATORS, cluster_operator(builder, operator, uid));
    }
}

fn cluster_operator(builder: &Builder<'_>, operator: &Operator, owner: &str) -> Value {
    let version = &builder.scenario.cluster.version;
    let mut annotations = json!({
        "exclude.release.openshift.io/internal-openshift-hosted": "true",
        "include.release.openshift.io/self-managed-high-availability": "true",
        "include.release.openshift.io/single-node-developer": "true",
    });
    if let Some(capability) = operator.capability {
        annotations["capability.openshift.io/name"] = json!(capability);
    }
    let settled = builder
        .scenario
        .cluster
        .history
        .first()
        .map_or(builder.installed, |past| builder.now - past.started.delta() + past.took.delta());
    let calm = calm(operator, version, builder.scenario.size("master"));
    let conditions: Vec<Value> =
        [("Degraded", "False"), ("Progressing", "False"), ("Available", "True"), ("Upgradeable", "True")]
            .into_iter()
            .map(|(kind, status)| {
                let (reason, message) = &calm[kind];
                let since = if matches!(kind, "Progressing" | "Degraded") { settled } else { builder.installed };
                Condition::new(kind, status, reason, message).at(since)
            })
            .collect();
    let place = |namespace: &str| json!({"group": "", "name": namespace, "resource": "namespaces"});
    let mut related = vec![place(operator.namespace)];
    // What an operator runs is mostly beside it, in the namespace without the tail.
    if let Some(operand) = operator.namespace.strip_suffix("-operator")
        && builder.store.get(Res::NAMESPACES, None, operand).is_some()
    {
        related.push(place(operand));
    }
    let operand = match operator.name {
        "etcd" => Some("etcds"),
        "kube-apiserver" => Some("kubeapiservers"),
        "cloud-credential" => Some("cloudcredentials"),
        _ => None,
    };
    if let Some(resource) = operand {
        related.push(json!({"group": "operator.openshift.io", "name": "cluster", "resource": resource}));
    }
    if let Style::DaemonSet(namespace, name) = operator.style {
        related.push(json!({"group": "apps", "name": name, "namespace": namespace, "resource": "daemonsets"}));
    }
    let mut status = json!({
        "conditions": conditions,
        "extension": null,
        "relatedObjects": related,
        "versions": versions(operator, version),
    });
    if operator.style == Style::MachineConfig {
        status["relatedObjects"] = json!([
            {"group": "", "name": operator.namespace, "resource": "namespaces"},
            {"group": "machineconfiguration.openshift.io", "name": "", "resource": "machineconfigpools"},
            {"group": "machineconfiguration.openshift.io", "name": "", "resource": "machineconfigs"},
            {"group": "", "name": "", "resource": "nodes"},
        ]);
    }
    json!({
        "metadata": {
            "name": operator.name,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "config.openshift.io/v1", "controller": true, "kind": "ClusterVersion",
                "name": "version", "uid": owner,
            }],
        },
        "spec": {},
        "status": status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_in_order_and_at_the_levels_of_the_payload() {
        assert!(OPERATORS.windows(2).all(|pair| pair[0].name < pair[1].name));
        let level = |name| find(name).unwrap().level;
        assert_eq!((level("etcd"), level("kube-apiserver"), level("machine-config")), (12, 20, 80));
        assert_eq!(OPERATORS.iter().filter(|operator| operator.level == 50).count(), 22);
    }
}

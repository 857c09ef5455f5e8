//! Which files of a dump can matter, by their paths alone: a must-gather holds thousands that nobody here reads.
//!
//! `oc adm inspect` writes `cluster-scoped-resources/GROUP/PLURAL[/NAME].yaml` and
//! `namespaces/NAMESPACE/GROUP/PLURAL[/NAME].yaml`, with `core` for the group without a name (oc: pkg/cli/admin/inspect).
//! Must-gather keeps the answers of Prometheus below `monitoring/`.

use std::path::{Component, Path};

use crate::upgrade::facts::Kind;

/// Namespaces whose events, deployments, config maps and secrets are read; those of others say nothing about an update.
const PLACES: [(&str, &[&str]); 4] = [
    ("events", &["default", "openshift-machine-config-operator", "openshift-cluster-version"]),
    ("deployments", &["openshift-machine-config-operator", "openshift-cluster-version"]),
    ("configmaps", &["openshift-config", "openshift-config-managed"]),
    ("secrets", &["kube-system"]),
];

/// Files of `monitoring/` that hold alerts.
const ALERTS: [&str; 2] = ["rules", "alerts"];

/// May the file hold something that is read? `path` is relative to what was named.
pub fn wanted(path: &Path) -> bool {
    if !looks_like_objects(path) {
        return false;
    }
    let parts = parts(path);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if let Some(at) = parts.iter().rposition(|part| *part == "cluster-scoped-resources") {
        return match parts[at + 1..] {
            [group, file] => is_read(group, plural(file)),
            [group, plural, ..] => is_read(group, plural),
            _ => true,
        };
    }
    if let Some(at) = parts.iter().position(|part| *part == "namespaces") {
        return match parts[at + 1..] {
            // The namespace itself.
            [_, _] => false,
            [_, "pods", ..] => true,
            [namespace, group, file] => is_read_in(namespace, group, plural(file)),
            [namespace, group, plural, ..] => is_read_in(namespace, group, plural),
            _ => true,
        };
    }
    !parts.contains(&"monitoring") || ALERTS.contains(&stem)
}

/// Is it where must-gather writes when it was taken?
pub fn is_timestamp(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "timestamp")
}

/// Is it the folder with the single pods of a namespace: `namespaces/NAMESPACE/pods`?
pub fn is_pods_of_namespace(path: &Path) -> bool {
    matches!(parts(path)[..], [.., "namespaces", _, "pods"])
}

fn parts(path: &Path) -> Vec<&str> {
    let normal = |component: Component| matches!(component, Component::Normal(_));
    path.components().filter(|part| normal(*part)).filter_map(|part| part.as_os_str().to_str()).collect()
}

fn plural(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

fn is_read(group: &str, plural: &str) -> bool {
    let group = if group == "core" { "" } else { group };
    let events = plural == "events" && (group.is_empty() || group == "events.k8s.io");
    events || Kind::CORE.into_iter().chain(Kind::AROUND).any(|kind| kind.group() == group && kind.plural() == plural)
}

fn is_read_in(namespace: &str, group: &str, plural: &str) -> bool {
    let place = PLACES.iter().find(|(place, _)| *place == plural);
    is_read(group, plural) && place.is_none_or(|(_, namespaces)| namespaces.contains(&namespace))
}

fn looks_like_objects(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_matter_is_passed_over_by_its_path() {
        let table = [
            ("nodes.yaml", true),
            ("notes.txt", false),
            ("mg/cluster-scoped-resources/core/nodes/worker-0.yaml", true),
            ("mg/cluster-scoped-resources/core/nodes.yaml", true),
            ("mg/cluster-scoped-resources/core/persistentvolumes/pv.yaml", true),
            ("mg/cluster-scoped-resources/core/namespaces/shop.yaml", false),
            ("mg/cluster-scoped-resources/config.openshift.io/clusterversions.yaml", true),
            ("mg/cluster-scoped-resources/config.openshift.io/clusteroperators/etcd.yaml", true),
            ("mg/cluster-scoped-resources/config.openshift.io/proxies.yaml", false),
            ("mg/cluster-scoped-resources/machineconfiguration.openshift.io/machineconfigs/rendered-x.yaml", true),
            ("mg/namespaces/shop/core/pods.yaml", true),
            ("mg/namespaces/shop/core/events.yaml", false),
            ("mg/namespaces/default/core/events.yaml", true),
            ("mg/namespaces/shop/policy/poddisruptionbudgets.yaml", true),
            ("mg/namespaces/shop/apps/deployments.yaml", false),
            ("mg/namespaces/openshift-machine-config-operator/apps/deployments.yaml", true),
            ("mg/namespaces/openshift-machine-api/machine.openshift.io/machines/w.yaml", true),
            ("mg/namespaces/openshift-config/core/configmaps.yaml", true),
            ("mg/namespaces/shop/core/configmaps.yaml", false),
            ("mg/namespaces/shop/shop.yaml", false),
            ("mg/namespaces/shop/pods/cart-0/cart-0.yaml", true),
            ("mg/namespaces/shop/pods/cart-0/cart/cart/logs/current.log", false),
            ("mg/monitoring/prometheus/rules.json", true),
            ("mg/monitoring/prometheus/prometheus-k8s-0/active-targets.json", false),
        ];
        for (path, expected) in table {
            assert_eq!(wanted(Path::new(path)), expected, "{path}");
        }
        assert!(is_pods_of_namespace(Path::new("mg/namespaces/shop/pods")));
        assert!(!is_pods_of_namespace(Path::new("mg/namespaces/shop/core")));
    }
}

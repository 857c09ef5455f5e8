//! MachineConfigPools and MachineConfigs, and how the one is rendered from the other.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::disruption_policy::{REGISTRIES, registries_file};
use super::object::{hex, items, label, name, owner, text};
use super::{Builder, controller_config, mirrors, release, trust};
use crate::sim::kinds::Res;
use crate::sim::scenario::{ARBITER, MaxUnavailable, Pool};
use crate::sim::store::{Store, timestamp};

/// The label that says which pools a MachineConfig is for.
pub const ROLE: &str = "machineconfiguration.openshift.io/role";
/// The annotation that names the release of a rendered config.
pub const RELEASE_VERSION: &str = "machineconfiguration.openshift.io/release-image-version";
/// The annotation that names the controller's git hash.
pub const CONTROLLER_VERSION: &str = "machineconfiguration.openshift.io/generated-by-controller-version";
/// The label of pools that the update waits for.
pub const REQUIRED: &str = "operator.machineconfiguration.openshift.io/required-for-upgrade";

/// The MachineConfigs that the controller itself generates for a role at a release.
///
/// `files` are those that follow from what the cluster trusts; see [`trust::files`].
pub fn generated(role: &str, version: &str, multi: bool, files: &[Value]) -> Vec<Value> {
    let os = if multi { "rhel-coreos-multi" } else { "rhel-coreos" };
    let config = |name: String, spec: Value| {
        json!({
            "metadata": {
                "name": name,
                "labels": {ROLE: role},
                "annotations": {CONTROLLER_VERSION: release::controller_hash(version)},
            },
            "spec": spec,
        })
    };
    let file = |path: &str, content: &str| {
        let source = format!("data:,{}%20{}", hex(&format!("{content} {version}"), 12), content);
        json!({
            "config": {
                "ignition": {"version": "3.4.0"},
                "storage": {"files": [{"path": path, "mode": 420, "overwrite": true, "contents": {"source": source}}]},
            },
        })
    };
    let mut base = json!({
        "config": {"ignition": {"version": "3.4.0"}},
        "osImageURL": release::component_image(version, os),
    });
    if !files.is_empty() {
        base["config"]["storage"] = json!({"files": files});
    }
    vec![
        config(format!("00-{role}"), base),
        config(format!("01-{role}-container-runtime"), file("/etc/containers/storage.conf", "storage")),
        config(format!("01-{role}-kubelet"), file("/etc/kubernetes/kubelet.conf", "kubelet")),
        config(format!("97-{role}-generated-kubelet"), file("/etc/kubernetes/kubelet-features.conf", "features")),
        config(format!("98-{role}-generated-kubelet"), file("/etc/node-sizing-enabled.env", "sizing")),
    ]
}

/// The name of the MachineConfig that says where images come from.
pub fn registries_name(role: &str) -> String {
    format!("99-{role}-generated-registries")
}

/// What that MachineConfig holds for the mirror sets that there are, and for what the image configuration says.
pub fn registries(store: &Store) -> Value {
    let mut pairs = mirrors::pairs(store);
    for place in trust::sources(store, "blockedRegistries") {
        pairs.entry(place).or_default().1 = true;
    }
    let insecure = trust::sources(store, "insecureRegistries");
    let file = if pairs.is_empty() && insecure.is_empty() {
        json!({"path": REGISTRIES, "mode": 420, "contents": {"source": "data:,unqualified"}})
    } else {
        registries_file(&pairs, &insecure)
    };
    let mut files = vec![file];
    files.extend(trust::image_files(store));
    json!({"config": {"ignition": {"version": "3.4.0"}, "storage": {"files": files}}})
}

/// What a person (or the installer) added for a role: it does not change with the release.
fn given(store: &Store, role: &str) -> Vec<Value> {
    let config = |name: String, spec: Value| json!({"metadata": {"name": name, "labels": {ROLE: role}}, "spec": spec});
    vec![
        config(registries_name(role), registries(store)),
        config(
            format!("99-{role}-ssh"),
            json!({"config": {"ignition": {"version": "3.2.0"}, "passwd": {"users": [{"name": "core"}]}}}),
        ),
    ]
}

/// A MachineConfig that somebody adds for a role: the pool rolls without a new release.
pub fn changed(role: &str) -> Value {
    json!({
        "metadata": {"name": format!("99-{role}-sysctl"), "labels": {ROLE: role}},
        "spec": {"config": {"ignition": {"version": "3.4.0"}, "storage": {"files": [
            {"path": "/etc/sysctl.d/99-tuning.conf", "mode": 420, "contents": {"source": "data:,vm.swappiness%3D1"}},
        ]}}},
    })
}

/// The MachineConfigs that a pool selects, by name; rendered ones never.
pub fn sources(store: &Store, pool: &Value) -> Vec<Arc<Value>> {
    let selector = &pool["spec"]["machineConfigSelector"];
    let selected = |config: &Value| {
        let Some(role) = label(config, ROLE) else { return false };
        text(selector, "/matchLabels/machineconfiguration.openshift.io~1role") == role
            || items(selector, "/matchExpressions")
                .iter()
                .any(|rule| rule["key"] == ROLE && items(rule, "/values").iter().any(|value| value == role))
    };
    store.list(Res::MACHINE_CONFIGS).into_iter().filter(|config| selected(config)).collect()
}

/// The config that a controller of that release renders for a pool: the same sources give the same name.
pub fn render(pool: &Value, sources: &[Arc<Value>], version: &str) -> Value {
    let pool_name = name(pool);
    let mut content = format!("{pool_name} {}", release::controller_hash(version));
    let mut files = Vec::new();
    let mut os_image = json!("");
    let mut kernel_arguments = Vec::new();
    let (mut units, mut users, mut extensions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fips, mut kernel_type) = (false, json!("default"));
    for source in sources {
        content.push_str(name(source));
        content.push_str(&source["spec"].to_string());
        files.extend_from_slice(items(source, "/spec/config/storage/files"));
        kernel_arguments.extend_from_slice(items(source, "/spec/kernelArguments"));
        units.extend_from_slice(items(source, "/spec/config/systemd/units"));
        users.extend_from_slice(items(source, "/spec/config/passwd/users"));
        extensions.extend_from_slice(items(source, "/spec/extensions"));
        fips |= source["spec"]["fips"] == true;
        if let Some(kernel) = source["spec"].get("kernelType").filter(|kernel| *kernel != "") {
            kernel_type = kernel.clone();
        }
        if let Some(image) = source["spec"].get("osImageURL").filter(|image| *image != "") {
            os_image = image.clone();
        }
    }
    json!({
        "metadata": {
            "name": format!("rendered-{pool_name}-{}", hex(&content, 32)),
            "annotations": {
                CONTROLLER_VERSION: release::controller_hash(version),
                RELEASE_VERSION: version,
            },
            "ownerReferences": owner(
                "machineconfiguration.openshift.io/v1",
                "MachineConfigPool",
                pool_name,
                text(pool, "/metadata/uid"),
            ),
        },
        "spec": {
            "baseOSExtensionsContainerImage": release::component_image(version, "rhel-coreos-extensions"),
            "config": {
                "ignition": {"version": "3.4.0"}, "passwd": {"users": users}, "storage": {"files": files},
                "systemd": {"units": units},
            },
            "extensions": extensions,
            "fips": fips,
            "kernelArguments": kernel_arguments,
            "kernelType": kernel_type,
            "osImageURL": os_image,
        },
    })
}

/// `spec.configuration` of a pool for a rendered config.
pub fn configuration(rendered: &str, sources: &[Arc<Value>]) -> Value {
    let source: Vec<Value> = sources
        .iter()
        .map(|config| {
            json!({
                "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig", "name": name(config),
            })
        })
        .collect();
    json!({"name": rendered, "source": source})
}

/// Creates MachineConfigs and pools; the pools' nodes are made elsewhere.
pub fn build(builder: &Builder<'_>) {
    let version = &builder.scenario.cluster.version;
    let updated =
        builder.scenario.cluster.history.first().map_or(builder.installed, |past| builder.now - past.started.delta());
    let files = trust::files(builder.store).unwrap_or_default();
    for role in builder.scenario.roles() {
        for config in generated(role, version, false, &files).into_iter().chain(given(builder.store, role)) {
            builder.old(Res::MACHINE_CONFIGS, config);
        }
    }
    for (pool_name, pool) in &builder.scenario.pools {
        builder.old(Res::MACHINE_CONFIG_POOLS, skeleton(pool_name, pool));
        let Some(object) = builder.store.get(Res::MACHINE_CONFIG_POOLS, None, pool_name) else { continue };
        let sources = sources(builder.store, &object);
        let rendered = render(&object, &sources, version);
        let target = configuration(name(&rendered), &sources);
        builder.born(Res::MACHINE_CONFIGS, rendered, updated);
        builder.store.update(Res::MACHINE_CONFIG_POOLS, None, pool_name, |object| {
            object["spec"]["configuration"] = target.clone();
            object["status"] = initial_status(&target, pool.nodes, updated, builder);
        });
    }
}

fn skeleton(pool_name: &str, pool: &Pool) -> Value {
    let built_in = matches!(pool_name, "master" | "worker" | ARBITER);
    let mut labels = json!({format!("pools.operator.machineconfiguration.openshift.io/{pool_name}"): ""});
    if built_in {
        labels["machineconfiguration.openshift.io/mco-built-in"] = json!("");
    }
    if matches!(pool_name, "master" | ARBITER) {
        labels[REQUIRED] = json!("");
    }
    let selector = if built_in {
        json!({"matchLabels": {ROLE: pool_name}})
    } else {
        json!({"matchExpressions": [{"key": ROLE, "operator": "In", "values": ["worker", pool_name]}]})
    };
    let mut spec = json!({
        "machineConfigSelector": selector,
        "nodeSelector": {"matchLabels": {format!("node-role.kubernetes.io/{pool_name}"): ""}},
        "paused": pool.paused,
    });
    match &pool.max_unavailable {
        Some(MaxUnavailable::Count(count)) => spec["maxUnavailable"] = json!(count),
        Some(MaxUnavailable::Percent(percent)) => spec["maxUnavailable"] = json!(percent),
        None => {}
    }
    json!({"metadata": {"name": pool_name, "labels": labels}, "spec": spec})
}

fn initial_status(target: &Value, nodes: usize, updated: DateTime<Utc>, builder: &Builder<'_>) -> Value {
    let rendered = text(target, "/name").to_owned();
    let condition = |kind: &str, status: &str, message: &str, since: DateTime<Utc>| {
        json!({
            "lastTransitionTime": timestamp(since), "message": message, "reason": "", "status": status, "type": kind,
        })
    };
    let since = updated + TimeDelta::minutes(70);
    let installed = builder.installed;
    json!({
        "certExpirys": certificates(builder),
        "conditions": [
            condition("PinnedImageSetsDegraded", "False", "", installed),
            condition("RenderDegraded", "False", "", installed),
            condition("NodeDegraded", "False", "", installed),
            condition("Degraded", "False", "", installed),
            condition("Updated", "True", &format!("All nodes are updated with MachineConfig {rendered}"), since),
            condition("Updating", "False", "", since),
        ],
        "configuration": target,
        "degradedMachineCount": 0,
        "machineCount": nodes,
        "observedGeneration": 2,
        "readyMachineCount": nodes,
        "unavailableMachineCount": 0,
        "updatedMachineCount": nodes,
    })
}

fn certificates(builder: &Builder<'_>) -> Value {
    let signers = controller_config::signers(builder);
    signers
        .iter()
        .filter(|signer| signer.bundle == "KubeAPIServerServingCAData")
        .map(|signer| json!({"bundle": signer.bundle, "expiry": timestamp(signer.until), "subject": signer.subject}))
        .collect()
}

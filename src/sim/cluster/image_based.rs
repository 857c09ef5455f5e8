//! What a cluster has that can be upgraded from a seed image: the lifecycle agent and its ImageBasedUpgrade at rest, the
//! data protection of OADP with the content that an upgrade carries over, logical volumes.
//!
//! Sources: openshift-kni/lifecycle-agent (api/imagebasedupgrade/v1, internal/backuprestore), openshift/oadp-operator,
//! velero (pkg/apis/velero/v1), topolvm (api/v1).

use serde_json::{Value, json};

use super::object::{hash, hex, uuid};
use super::workloads::{Owned, Template};
use super::{Builder, packages};
use crate::sim::kinds::Res;
use crate::sim::scenario::from_image::{BackupStory, LifecycleAgent};
use crate::sim::scenario::{Package, node_name};
use crate::sim::store::timestamp;

/// Where OADP and its objects live.
pub const OADP: &str = "openshift-adp";
/// The name of the only ImageBasedUpgrade.
pub const NAME: &str = "upgrade";
/// The DataProtectionApplication, and the Secret with the credentials of its backup location.
pub const DATA_PROTECTION: (&str, &str) = ("dpa-edge", "cloud-credentials");
/// The backup location that the DataProtectionApplication makes.
pub const LOCATION: &str = "dpa-edge-1";
/// The Deployment of the lifecycle agent.
pub const CONTROLLER: &str = "lifecycle-agent-controller-manager";
/// The annotation that orders groups of content.
pub const WAVE: &str = "lca.openshift.io/apply-wave";

/// Creates them, where the scenario has an agent.
pub fn build(builder: &Builder<'_>) {
    let Some(agent) = &builder.scenario.cluster.lifecycle_agent else { return };
    for kind in [
        Res::IMAGE_BASED_UPGRADES,
        Res::BACKUPS,
        Res::RESTORES,
        Res::BACKUP_STORAGE_LOCATIONS,
        Res::DATA_PROTECTION_APPLICATIONS,
    ] {
        builder.store.serve_always(kind);
    }
    namespaces(builder, agent);
    operators(builder, agent);
    controllers(builder, agent);
    builder.old(Res::IMAGE_BASED_UPGRADES, at_rest(builder, agent));
    if agent.ip_config {
        builder.store.serve_always(Res::IP_CONFIGS);
        builder.old(Res::IP_CONFIGS, ip_config(builder));
    }
    if !agent.is_seed {
        content(builder, agent);
    }
}

/// Creates what only the cluster has that is to be upgraded, not one that starts from a seed: the content of the upgrade
/// and the volumes.
fn content(builder: &Builder<'_>, agent: &LifecycleAgent) {
    protection(builder);
    for backup in &agent.backups {
        builder.old(Res::CONFIGMAPS, content_map(backup));
    }
    if agent.logical_volumes > 0 {
        volumes(builder, agent.logical_volumes);
    }
}

fn namespaces(builder: &Builder<'_>, agent: &LifecycleAgent) {
    for name in [agent.namespace.as_str(), OADP] {
        namespace(builder, name);
    }
}

/// Creates a namespace.
pub fn namespace(builder: &Builder<'_>, name: &str) {
    let labels = json!({"kubernetes.io/metadata.name": name});
    let namespace = json!({
        "metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    });
    builder.old(Res::NAMESPACES, namespace);
}

fn operators(builder: &Builder<'_>, agent: &LifecycleAgent) {
    let package = |name: &str, title: &str, namespace: &str, version: &str| Package {
        name: name.to_owned(),
        title: title.to_owned(),
        namespace: namespace.to_owned(),
        version: version.to_owned(),
        channel: "stable".to_owned(),
        max_openshift: None,
        offered: None,
        phase: "Succeeded".to_owned(),
    };
    packages::install(
        builder,
        &package("lifecycle-agent", "Openshift Lifecycle Agent", &agent.namespace, &agent.version),
    );
    packages::install(builder, &package("oadp-operator", "OADP Operator", OADP, "1.4.4"));
}

/// The pods of both operators, and Velero's.
fn controllers(builder: &Builder<'_>, agent: &LifecycleAgent) {
    let controllers =
        [(agent.namespace.as_str(), CONTROLLER), (OADP, "openshift-adp-controller-manager"), (OADP, "velero")];
    for (namespace, name) in controllers {
        let image = format!("registry.redhat.io/{name}@sha256:{}", hex(&format!("{name} {}", agent.version), 64));
        let mut template = Template::new(name, image, "master");
        if name == CONTROLLER {
            // openshift-kni/lifecycle-agent: config/manager/manager.yaml.
            template.labels = json!({"app.kubernetes.io/component": "lifecycle-agent"});
            "manager".clone_into(&mut template.container);
        }
        let on = builder.scenario.hosts("master");
        Owned { namespace, name, template, on, since: builder.installed, claim: None }.deployment(builder);
    }
}

fn at_rest(builder: &Builder<'_>, agent: &LifecycleAgent) -> Value {
    let mut metadata = json!({"name": NAME, "generation": 1});
    for switch in &agent.switched_off {
        metadata["annotations"][switch.annotation()] = json!("Disabled");
    }
    json!({
        "metadata": metadata,
        "spec": {"seedImageRef": {}, "stage": "Idle"},
        "status": {
            "conditions": [{
                "lastTransitionTime": timestamp(builder.installed), "message": "Idle", "observedGeneration": 1,
                "reason": "Idle", "status": "True", "type": "Idle",
            }],
            "observedGeneration": 1,
            "validNextStages": ["Prep"],
        },
    })
}

fn ip_config(builder: &Builder<'_>) -> Value {
    json!({
        "metadata": {"name": "ipconfig"},
        "spec": {"stage": "Idle"},
        "status": {
            "conditions": [{
                "lastTransitionTime": timestamp(builder.installed), "message": "Idle", "observedGeneration": 1,
                "reason": "Idle", "status": "True", "type": "Idle",
            }],
            "observedGeneration": 1,
            "validNextStages": ["Config"],
        },
    })
}

/// The DataProtectionApplication, its backup location and the credentials.
fn protection(builder: &Builder<'_>) {
    let (name, secret) = DATA_PROTECTION;
    let storage = json!({
        "config": {"profile": "default", "region": "minio", "s3ForcePathStyle": "true",
                   "s3Url": "https://minio.storage.example.com:9000"},
        "credential": {"key": "cloud", "name": secret},
        "default": true,
        "objectStorage": {"bucket": "edge", "prefix": builder.scenario.cluster.name},
        "provider": "aws",
    });
    builder.old(
        Res::SECRETS,
        json!({
            // "simulated", and nothing that would open a door.
            "metadata": {"name": secret, "namespace": OADP}, "type": "Opaque", "data": {"cloud": "c2ltdWxhdGVk"},
        }),
    );
    builder.old(
        Res::DATA_PROTECTION_APPLICATIONS,
        json!({
            "metadata": {"name": name, "namespace": OADP},
            "spec": {
                "backupLocations": [{"velero": storage.clone()}],
                "configuration": {"velero": {"defaultPlugins": ["aws", "openshift"]}},
            },
            "status": {"conditions": [{
                "lastTransitionTime": timestamp(builder.installed), "message": "Reconcile complete",
                "reason": "Complete", "status": "True", "type": "Reconciled",
            }]},
        }),
    );
    builder.old(
        Res::BACKUP_STORAGE_LOCATIONS,
        json!({
            "metadata": {"name": LOCATION, "namespace": OADP},
            "spec": storage,
            "status": {
                "lastSyncedTime": timestamp(builder.now), "lastValidationTime": timestamp(builder.now),
                "phase": "Available",
            },
        }),
    );
}

/// The ConfigMap of a Backup and its Restore. Each key is a manifest in YAML, which JSON is too.
fn content_map(backup: &BackupStory) -> Value {
    json!({
        "metadata": {"name": backup.name, "namespace": OADP},
        "data": {
            "backup.yaml": format!("{:#}\n", backup_object(backup)),
            "restore.yaml": format!("{:#}\n", restore_object(backup)),
        },
    })
}

/// The Backup as somebody wrote it.
pub fn backup_object(backup: &BackupStory) -> Value {
    let mut spec = json!({"includedNamespaces": backup.namespaces});
    if !backup.cluster_resources.is_empty() {
        spec["includedClusterScopedResources"] = json!(backup.cluster_resources);
    }
    json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {
            "annotations": {WAVE: backup.wave.to_string()}, "labels": {"velero.io/storage-location": "default"},
            "name": backup.name, "namespace": OADP,
        },
        "spec": spec,
    })
}

/// The Restore as somebody wrote it.
pub fn restore_object(backup: &BackupStory) -> Value {
    let mut spec = json!({"backupName": backup.name});
    if backup.restores_volumes {
        spec["restorePVs"] = json!(true);
        spec["restoreStatus"] = json!({"includedResources": ["logicalvolumes"]});
    }
    json!({
        "apiVersion": "velero.io/v1", "kind": "Restore",
        "metadata": {
            "annotations": {WAVE: backup.wave.to_string()}, "labels": {"velero.io/storage-location": "default"},
            "name": backup.name, "namespace": OADP,
        },
        "spec": spec,
    })
}

/// Logical volumes of LVM storage, each behind a claim that is bound to its volume.
pub fn volumes(builder: &Builder<'_>, count: usize) {
    builder.store.serve_always(Res::LOGICAL_VOLUMES);
    let node = node_name("master", 0);
    let workload = builder.scenario.workloads.first();
    let namespace = workload.map_or("default", |workload| workload.namespace.as_str());
    for index in 0..count {
        let claim = format!("data-{index}");
        let volume = format!("pvc-{}", uuid(&format!("volume {namespace}/{claim}")));
        let size = format!("{}Gi", 2 + hash(&volume) % 30);
        builder.old(
            Res::LOGICAL_VOLUMES,
            json!({
                "metadata": {"name": volume, "finalizers": ["topolvm.io/logicalvolume"]},
                "spec": {"deviceClass": "vg1", "name": volume, "nodeName": node, "size": size},
                "status": {"currentSize": size, "volumeID": uuid(&volume)},
            }),
        );
        builder.old(
            Res::PERSISTENT_VOLUMES,
            json!({
                "metadata": {"name": volume},
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size},
                    "claimRef": {"kind": "PersistentVolumeClaim", "name": claim, "namespace": namespace},
                    "csi": {"driver": "topolvm.io", "volumeHandle": uuid(&volume)},
                    "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "lvms-vg1",
                },
                "status": {"phase": "Bound"},
            }),
        );
        builder.old(
            Res::PERSISTENT_VOLUME_CLAIMS,
            json!({
                "metadata": {"name": claim, "namespace": namespace},
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
                    "storageClassName": "lvms-vg1", "volumeMode": "Filesystem", "volumeName": volume,
                },
                "status": {"capacity": {"storage": size}, "phase": "Bound"},
            }),
        );
    }
}

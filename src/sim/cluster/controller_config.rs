//! What the machine config operator has besides pools and configs: its set-up, certificates, layered pools, pinned
//! images.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::object::{Condition, hex, name, text};
use super::{Builder, disruption_policy, release};
use crate::sim::kinds::Res;
use crate::sim::store::{Store, timestamp};

/// The label by which a PinnedImageSet says whose it is.
const ROLE: &str = "machineconfiguration.openshift.io/role";
/// The namespace of the machine config operator.
const NAMESPACE: &str = "openshift-machine-config-operator";

/// Signers of the cluster: bundle, subject, how many days a certificate is valid, after how many it is renewed.
const SIGNERS: [(&str, &str, i64, i64); 6] = [
    ("KubeAPIServerServingCAData", "admin-kubeconfig-signer", 3_650, 3_650),
    ("KubeAPIServerServingCAData", "kubelet-signer", 365, 292),
    ("KubeAPIServerServingCAData", "kube-apiserver-to-kubelet-signer", 365, 292),
    ("KubeAPIServerServingCAData", "kube-control-plane-signer", 365, 292),
    ("KubeAPIServerServingCAData", "kubelet-bootstrap-kubeconfig-signer", 3_650, 3_650),
    ("RootCAData", "root-ca", 3_650, 3_650),
];

/// A certificate that the operator hands out.
pub struct Signer {
    /// The bundle that it is in.
    pub bundle: &'static str,
    /// `CN=...,OU=openshift`.
    pub subject: String,
    /// From when it is valid.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// The certificates of a cluster of that age: those that are renewed are as old as their last renewal.
pub fn signers(builder: &Builder<'_>) -> Vec<Signer> {
    let age = (builder.now - builder.installed).num_days();
    SIGNERS
        .iter()
        .map(|&(bundle, subject, valid, renewed)| {
            let from = builder.now - TimeDelta::days(age.rem_euclid(renewed));
            let until = from + TimeDelta::days(valid);
            Signer { bundle, subject: format!("CN={subject},OU=openshift"), from, until }
        })
        .collect()
}

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    controller_config(builder);
    machine_configuration(builder);
    for (pool, spec) in &builder.scenario.pools {
        if spec.layered {
            layered(builder, pool);
        }
    }
    for pinned in &builder.scenario.cluster.pinned {
        let images: Vec<Value> = (0..pinned.images)
            .map(|index| {
                let digest = hex(&format!("pinned {} {index}", pinned.name), 64);
                json!({"name": format!("registry.example.com/pinned/image-{index}@sha256:{digest}")})
            })
            .collect();
        let metadata = json!({"name": pinned.name, "labels": {ROLE: pinned.pool}});
        builder.old(Res::PINNED_IMAGE_SETS, json!({"metadata": metadata, "spec": {"pinnedImages": images}}));
    }
}

fn controller_config(builder: &Builder<'_>) {
    let version = &builder.scenario.cluster.version;
    let certificates: Vec<Value> = signers(builder)
        .into_iter()
        .map(|signer| {
            json!({
                "bundleFile": signer.bundle, "notAfter": timestamp(signer.until), "notBefore": timestamp(signer.from),
                "signer": signer.subject, "subject": signer.subject,
            })
        })
        .collect();
    let conditions = [
        ("TemplateControllerRunning", "False"),
        ("TemplateControllerCompleted", "True"),
        ("TemplateControllerFailing", "False"),
    ]
    .map(|(kind, status)| {
        let message = if status == "True" { "sync completed towards (1) generation" } else { "" };
        Condition::new(kind, status, "", message).at(builder.installed)
    });
    let platform = &builder.scenario.cluster.platform;
    builder.old(
        Res::CONTROLLER_CONFIGS,
        json!({
            "metadata": {"name": "machine-config-controller"},
            "spec": {
                "baseOSContainerImage": release::component_image(version, "rhel-coreos"),
                "baseOSExtensionsContainerImage": release::component_image(version, "rhel-coreos-extensions"),
                "clusterDNSIP": "172.30.0.10",
                "ipFamilies": "IPv4",
                "osImageURL": release::component_image(version, "rhel-coreos"),
                "platform": platform.to_lowercase(),
                "releaseImage": release::image(version),
            },
            "status": {
                "conditions": conditions, "controllerCertificates": certificates, "observedGeneration": 1,
            },
        }),
    );
}

fn machine_configuration(builder: &Builder<'_>) {
    let conditions = [
        (
            "BootImageUpdateProgressing",
            "False",
            "Reconciled 0 of 0 MAPI MachineSets | Reconciled 0 of 0 CAPI MachineSets",
        ),
        ("BootImageUpdateDegraded", "False", "0 Degraded MAPI MachineSets | 0 Degraded CAPI MachineSets"),
    ]
    .map(|(kind, status, message)| Condition::new(kind, status, "MachineSetsUpdated", message).at(builder.installed));
    let mut status = json!({"conditions": conditions, "observedGeneration": 1});
    if disruption_policy::is_adjustable(release::minor(&builder.scenario.cluster.version)) {
        let policies = disruption_policy::effective(&Value::Null);
        status["nodeDisruptionPolicyStatus"] = json!({"clusterPolicies": policies});
    }
    let spec = json!({"logLevel": "Normal", "managementState": "Managed", "operatorLogLevel": "Normal"});
    let object = json!({"metadata": {"name": "cluster"}, "spec": spec, "status": status});
    builder.old(Res::MACHINE_CONFIGURATIONS, object);
}

/// A pool whose nodes run an image that is built on the cluster: the build that they run was made long ago.
fn layered(builder: &Builder<'_>, pool: &str) {
    let Some(object) = builder.store.get(Res::MACHINE_CONFIG_POOLS, None, pool) else { return };
    let rendered = text(&object, "/spec/configuration/name").to_owned();
    let registry = format!("image-registry.openshift-image-registry.svc:5000/{NAMESPACE}/os-image");
    let builder_type = json!({"imageBuilderType": "Job"});
    builder.old(
        Res::MACHINE_OS_CONFIGS,
        json!({
            "metadata": {"name": pool},
            "spec": {
                "containerFile": [{
                    "containerfileArch": "NoArch",
                    "content": "FROM configs AS final\nRUN dnf install -y usbguard && ostree container commit\n",
                }],
                "imageBuilder": builder_type,
                "machineConfigPool": {"name": pool},
                "renderedImagePushSecret": {"name": "os-image-push"},
                "renderedImagePushSpec": format!("{registry}:latest"),
            },
        }),
    );
    let Some(config) = builder.store.get(Res::MACHINE_OS_CONFIGS, None, pool) else { return };
    let built = builder.installed + TimeDelta::hours(2);
    builder.born(Res::MACHINE_OS_BUILDS, os_build(&config, &rendered, built), built);
    let build_name = os_build_name(pool, &rendered);
    let image = built_image(&build_name, 0);
    finish_build(builder.store, pool, (&build_name, &image), built + TimeDelta::minutes(9));
}

/// The name of the build of a pool's image for a rendered config.
pub fn os_build_name(pool: &str, rendered: &str) -> String {
    format!("{pool}-{}", hex(&format!("os image {rendered}"), 32))
}

/// The name of the build that a MachineOSConfig asks for now: one that was changed asks for another.
pub fn os_build_of(config: &Value, rendered: &str) -> String {
    let pool = text(config, "/spec/machineConfigPool/name");
    match config["metadata"]["generation"].as_i64() {
        Some(generation) if generation > 1 => os_build_name(pool, &format!("{rendered} {generation}")),
        _ => os_build_name(pool, rendered),
    }
}

/// The image that a build makes; one that is repeated makes another.
pub fn built_image(build: &str, again: u32) -> String {
    let registry = format!("image-registry.openshift-image-registry.svc:5000/{NAMESPACE}/os-image");
    let purpose = if again == 0 { format!("built {build}") } else { format!("built {build} {again}") };
    format!("{registry}@sha256:{}", hex(&purpose, 64))
}

/// A MachineOSBuild that has just been asked for.
pub fn os_build(config: &Value, rendered: &str, now: DateTime<Utc>) -> Value {
    let pool = text(config, "/spec/machineConfigPool/name");
    let build = os_build_of(config, rendered);
    let job = json!({"group": "batch", "name": format!("build-{build}"), "namespace": NAMESPACE, "resource": "jobs"});
    let conditions: Vec<Value> = ["Prepared", "Building", "Failed", "Interrupted", "Succeeded"]
        .into_iter()
        .map(|kind| {
            let (status, message) =
                if kind == "Prepared" { ("True", "Build Prepared and Pending") } else { ("False", "") };
            let mut condition = Condition::new(kind, status, kind, message).at(now);
            condition["message"] = json!(message);
            condition
        })
        .collect();
    json!({
        "metadata": {
            "name": build,
            "labels": {
                "machineconfiguration.openshift.io/machine-os-config": name(config),
                "machineconfiguration.openshift.io/rendered-machine-config": rendered,
                "machineconfiguration.openshift.io/target-machine-config-pool": pool,
            },
        },
        "spec": {
            "machineConfig": {"name": rendered},
            "machineOSConfig": {"name": name(config)},
            "renderedImagePushSpec": text(config, "/spec/renderedImagePushSpec"),
        },
        "status": {
            "buildStart": timestamp(now),
            "builder": {"imageBuilderType": "Job", "job": job},
            "conditions": conditions,
        },
    })
}

/// A build has succeeded: its image is what the pool's nodes are to run.
pub fn finish_build(store: &Store, config: &str, (build, image): (&str, &str), now: DateTime<Utc>) {
    store.update(Res::MACHINE_OS_BUILDS, None, build, |object| {
        for (kind, status, message) in
            [("Prepared", "False", ""), ("Building", "False", ""), ("Succeeded", "True", "Build Ready")]
        {
            super::object::set_condition(object, &Condition::new(kind, status, kind, message), now);
        }
        object["status"]["buildEnd"] = json!(timestamp(now));
        object["status"]["digestedImagePushSpec"] = json!(image);
    });
    store.update(Res::MACHINE_OS_CONFIGS, None, config, |object| {
        let generation = object["metadata"]["generation"].clone();
        object["metadata"]["annotations"]["machineconfiguration.openshift.io/current-machine-os-build"] = json!(build);
        object["status"] = json!({
            "conditions": [],
            "currentImagePullSpec": image,
            "machineOSBuild": {
                "group": "machineconfiguration.openshift.io", "name": build, "resource": "machineosbuilds",
            },
            "observedGeneration": generation,
        });
    });
}

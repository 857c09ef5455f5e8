//! Lenses on API objects: only the fields that are read.
//!
//! Belongs here: one file per kind. Every field tolerates absence, `null` and a value of another type (it is then the
//! default of that one field): a strange object never fails a list. Metadata is kept lean: labels, the annotations
//! that a kind names, and of `managedFields` only who set the one field that a kind asks about.
//! Does not: judgement (that is `upgrade`). No lens is ever written back: it has forgotten most of its object.
//! May import: nothing of ours. Times are chrono's; jiff stays inside the `ObjectMeta` that kube wants.
//!
//! How a client lists: `Api::<Node>::all(client)` and so on. [`MachineConfig`] says itself that it is listed and watched
//! as metadata only (`kube::Resource::metadata_api`), so `Api::<MachineConfig>::all(client)` and `watcher(...)` ask for
//! `PartialObjectMetadata` without further care.

mod api_request_count;
mod backup;
mod certificate_signing_request;
mod cloud_credential;
mod cluster_operator;
mod cluster_version;
mod condition;
mod config_map;
mod deployment;
mod event;
mod image_based_upgrade;
mod infrastructure;
mod layering;
pub mod lens;
mod machine;
mod machine_config;
mod machine_config_node;
mod machine_config_pool;
mod machine_configuration;
pub mod metadata;
mod node;
mod olm;
mod persistent_volume;
mod pod;
mod pod_disruption_budget;
mod quantity;
mod virtual_machine_instance;

pub use api_request_count::{APIRequestCount, APIRequestCountStatus, HourCount, NodeCount, UserCount};
pub use backup::{
    APPLY_WAVE, Backup, BackupProgress, BackupStatus, BackupStorageLocation, BackupStorageLocationStatus,
    DataProtectionApplication, DataProtectionApplicationStatus, LogicalVolume, LogicalVolumeSpec, Restore,
    RestoreProgress, RestoreSpec, RestoreStatus, SriovNetworkNodeState, SriovNetworkNodeStateStatus,
};
pub use certificate_signing_request::{
    CertificateSigningRequest, CertificateSigningRequestSpec, CertificateSigningRequestStatus,
};
pub use cloud_credential::{
    Authentication, AuthenticationSpec, CloudCredential, CloudCredentialSpec, Secret, UPGRADEABLE_TO,
};
pub use cluster_operator::{
    ClusterOperator, ClusterOperatorExtension, ClusterOperatorStatus, OperandVersion, RelatedObject,
};
pub use cluster_version::{
    AcceptedRisk, Capabilities, ClusterVersion, ClusterVersionSpec, ClusterVersionStatus, ComponentOverride,
    ConditionalUpdate, ConditionalUpdateRisk, DesiredUpdate, HistoryEntry, MatchingRule, Release, SignatureStore,
    WantedCapabilities,
};
pub use condition::{Condition, Conditions, Tri};
pub use config_map::ConfigMap;
pub use deployment::{ContainerSpec, Deployment, DeploymentSpec, DeploymentStatus, PodTemplate, PodTemplateSpec};
pub use event::{Event, EventSeries, EventSource, InvolvedObject};
pub use image_based_upgrade::{
    AutoRollbackOnFailure, ConfigMapRef, IPConfig, IPConfigStatus, ImageBasedUpgrade, ImageBasedUpgradeSpec,
    ImageBasedUpgradeStatus, SeedImageRef, StageHistory, StagePhase, ibu_key,
};
pub use infrastructure::{
    ImageContentSourcePolicy, ImageContentSourcePolicySpec, ImageDigestMirrorSet, ImageDigestMirrorSetSpec,
    Infrastructure, InfrastructureStatus, MirroredSource, PlatformStatus,
};
pub use layering::{
    MachineOSBuild, MachineOSBuildSpec, MachineOSBuildStatus, MachineOSConfig, MachineOSConfigSpec,
    MachineOSConfigStatus, PinnedImageSet, PinnedImageSetSpec,
};
pub use machine::{
    ControlPlaneMachineSet, ControlPlaneMachineSetSpec, ControlPlaneMachineSetStatus, LifecycleHook, LifecycleHooks,
    Machine, MachineHealthCheck, MachineHealthCheckSpec, MachineHealthCheckStatus, MachineSpec, MachineStatus,
    NodeReference, PAUSED, ReplacementStrategy, UnhealthyCondition,
};
pub use machine_config::{MachineConfig, mc_key};
pub use machine_config_node::{
    MachineConfigNode, MachineConfigNodeSpec, MachineConfigNodeStatus, NodeConfigVersion, NodeConfigVersionStatus,
    ObjectName,
};
pub use machine_config_pool::{
    CertExpiry, ConfigurationRef, IntOrString, LabelSelector, MachineConfigPool, MachineConfigPoolSpec,
    MachineConfigPoolStatus, SelectorRequirement,
};
pub use machine_configuration::{
    ControllerCertificate, ControllerConfig, ControllerConfigStatus, DisruptionAction, FileDisruption, KeyDisruption,
    MachineConfiguration, MachineConfigurationStatus, NodeDisruptionPolicies, NodeDisruptionStatus, UnitDisruption,
};
pub use metadata::{FieldOwner, Keeps, Owner};
pub use node::{Node, NodeInfo, NodeSpec, NodeStatus, Taint, node_key};
pub use olm::{
    ClusterServiceVersion, ClusterServiceVersionSpec, ClusterServiceVersionStatus, InstallPlan, InstallPlanSpec,
    InstallPlanStatus, Subscription, SubscriptionSpec, SubscriptionStatus,
};
pub use persistent_volume::{
    ClaimRef, CsiVolume, NodePath, PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus, VolumeCapacity,
};
pub use pod::{
    ContainerResources, ContainerState, ContainerStatus, ContainerWaiting, EmptyDir, Pod, PodContainer, PodSpec,
    PodStatus, PodVolume, VolumeClaim,
};
pub use pod_disruption_budget::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};
pub use quantity::{Quantity, Resources};
pub use virtual_machine_instance::{VirtualMachineInstance, VirtualMachineInstanceSpec, VirtualMachineInstanceStatus};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use chrono::{DateTime, Utc};
    use kube::Resource;
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the lenses hold it")]
    fn at(text: &str) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc))
    }

    /// What k8s-openapi's own type writes is what the lens reads: no field of a core kind is misspelt.
    #[test]
    fn a_node_written_by_the_full_type_is_read_whole() {
        let full: k8s_openapi::api::core::v1::Node = serde_json::from_value(json!({
            "metadata": {
                "name": "worker-1", "uid": "u1", "resourceVersion": "77", "creationTimestamp": "2026-01-02T03:04:05Z",
                "labels": {"node-role.kubernetes.io/worker": ""},
                "annotations": {
                    "machineconfiguration.openshift.io/state": "Done",
                    "k8s.ovn.org/node-subnets": "{}",
                },
                "managedFields": [
                    {"manager": "kubelet", "operation": "Update", "time": "2026-01-02T03:04:05Z",
                     "fieldsV1": {"f:status": {}}},
                    {"manager": "kubectl-cordon", "operation": "Update", "time": "2026-01-03T00:00:00Z",
                     "fieldsV1": {"f:spec": {"f:unschedulable": {}}}},
                ],
            },
            "spec": {
                "unschedulable": true,
                "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule",
                            "timeAdded": "2026-01-03T00:00:01Z"}],
            },
            "status": {
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready",
                                "lastTransitionTime": "2026-01-02T04:00:00Z"}],
                "nodeInfo": {"bootID": "b", "kubeletVersion": "v1.32.5", "osImage": "CoreOS", "operatingSystem": "linux",
                             "architecture": "amd64", "containerRuntimeVersion": "", "kernelVersion": "",
                             "kubeProxyVersion": "", "machineID": "", "systemUUID": ""},
            },
        }))
        .unwrap();
        let node: Node = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();

        assert_eq!(node.name(), "worker-1");
        assert_eq!(node.metadata.resource_version.as_deref(), Some("77"));
        assert_eq!(node.created(), at("2026-01-02T03:04:05Z"));
        assert_eq!(node.label("node-role.kubernetes.io/worker"), Some(""));
        assert_eq!(node.annotation(node_key::STATE), Some("Done"));
        assert_eq!(node.annotation("k8s.ovn.org/node-subnets"), None, "annotations that nobody reads are not kept");
        let owner = node.unschedulable_by().unwrap();
        assert_eq!((owner.manager, owner.at), ("kubectl-cordon", at("2026-01-03T00:00:00Z")));
        assert!(node.spec.unschedulable);
        assert_eq!(node.taint(node_key::UNSCHEDULABLE).unwrap().added, at("2026-01-03T00:00:01Z"));
        let ready = node.status.conditions.condition("Ready").unwrap();
        assert_eq!((ready.status, ready.reason.as_str()), (Tri::True, "KubeletReady"));
        assert_eq!(ready.since, at("2026-01-02T04:00:00Z"));
        assert_eq!(node.status.node_info.kubelet_version, "v1.32.5");
        assert_eq!(node.status.node_info.boot_id, "b");
        assert_eq!(node.status.node_info.architecture, "amd64");
    }

    #[test]
    fn an_event_written_by_the_full_type_is_read_whole() {
        let full: k8s_openapi::api::core::v1::Event = serde_json::from_value(json!({
            "metadata": {"name": "worker-1.17", "namespace": "default"},
            "involvedObject": {"kind": "Node", "name": "worker-1", "namespace": ""},
            "reason": "Drain", "message": "Draining node", "type": "Normal", "count": 3,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:10:00Z",
            "source": {"component": "machineconfigcontroller", "host": "m-0"},
        }))
        .unwrap();
        let event: Event = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        assert_eq!((event.involved_object.kind.as_str(), event.involved_object.name.as_str()), ("Node", "worker-1"));
        assert_eq!((event.reason.as_str(), event.event_type.as_str(), event.times()), ("Drain", "Normal", 3));
        assert_eq!((event.first_at(), event.last_at()), (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:10:00Z")));
        assert_eq!(event.component(), "machineconfigcontroller");
    }

    /// The same for what is around an update. Fields that are not named here are the full type's own: what it writes for
    /// them must not disturb.
    #[test]
    fn a_pod_and_its_budget_written_by_the_full_types_are_read_whole() {
        let full: k8s_openapi::api::core::v1::Pod = serde_json::from_value(json!({
            "metadata": {"name": "cart-0", "namespace": "shop", "labels": {"app": "cart"},
                "annotations": {"kubernetes.io/config.mirror": "m", "other": "o"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "cart", "uid": "u",
                                     "controller": true}],
                "finalizers": ["example.com/hold"], "deletionTimestamp": "2026-01-01T00:10:00Z",
                "deletionGracePeriodSeconds": 600},
            "spec": {"nodeName": "worker-1", "terminationGracePeriodSeconds": 600,
                "containers": [{"name": "cart", "image": "i"}],
                "volumes": [{"name": "a", "emptyDir": {"medium": "Memory"}},
                            {"name": "b", "persistentVolumeClaim": {"claimName": "data"}}]},
            "status": {"phase": "Running", "reason": "Evicted",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
                "containerStatuses": [{"name": "cart", "ready": true, "restartCount": 4, "image": "i", "imageID": "",
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}]},
        }))
        .unwrap();
        let pod: Pod = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        assert_eq!((pod.namespace(), pod.name(), pod.spec.node_name.as_str()), ("shop", "cart-0", "worker-1"));
        assert_eq!(pod.owner().map(|owner| (owner.kind, owner.name)), Some(("StatefulSet", "cart")));
        assert!(pod.is_mirror() && pod.has_empty_dir());
        assert_eq!(pod.spec.volumes[0].empty_dir.as_ref().unwrap().medium, "Memory");
        assert_eq!(pod.spec.volumes[1].claim.as_ref().unwrap().name, "data");
        assert_eq!(pod.spec.grace_seconds, Some(600));
        assert_eq!(metadata::deleted(&pod.metadata), at("2026-01-01T00:10:00Z"));
        assert_eq!(pod.metadata.finalizers.as_deref(), Some(&["example.com/hold".to_owned()][..]));
        assert_eq!((pod.status.phase.as_str(), pod.status.reason.as_str()), ("Running", "Evicted"));
        assert!(pod.status.conditions.condition("Ready").is_some());
        let container = &pod.status.containers[0];
        assert_eq!((container.name.as_str(), container.ready, container.restarts), ("cart", true, 4));
        let waiting = container.state.waiting.as_ref().unwrap();
        assert_eq!((waiting.reason.as_str(), waiting.message.as_str()), ("CrashLoopBackOff", "back-off"));

        let full: k8s_openapi::api::policy::v1::PodDisruptionBudget = serde_json::from_value(json!({
            "metadata": {"name": "cart", "namespace": "shop", "generation": 3},
            "spec": {"minAvailable": "50%", "maxUnavailable": 1, "selector": {"matchLabels": {"app": "cart"},
                "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}]},
                "unhealthyPodEvictionPolicy": "AlwaysAllow"},
            "status": {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 3, "expectedPods": 4,
                       "observedGeneration": 5},
        }))
        .unwrap();
        let budget: PodDisruptionBudget = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        assert_eq!(budget.metadata.generation, Some(3));
        assert_eq!(budget.spec.min_available, Some(IntOrString::Text("50%".to_owned())));
        assert_eq!(budget.spec.max_unavailable, Some(IntOrString::Int(1)));
        assert!(!budget.spec.selector.as_ref().unwrap().is_empty());
        assert_eq!(budget.spec.unhealthy_pod_eviction_policy, "AlwaysAllow");
        let PodDisruptionBudgetStatus { disruptions_allowed, current_healthy, desired_healthy, .. } = budget.status;
        assert_eq!((disruptions_allowed, current_healthy, desired_healthy), (1, 2, 3));
        assert_eq!((budget.status.expected_pods, budget.status.observed_generation), (4, 5));
    }

    #[test]
    fn a_deployment_and_a_config_map_written_by_the_full_types_are_read_whole() {
        let full: k8s_openapi::api::apps::v1::Deployment = serde_json::from_value(json!({
            "metadata": {"name": "machine-config-operator", "namespace": "openshift-machine-config-operator"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [
                {"name": "kube-rbac-proxy", "image": "p"}, {"name": "machine-config-operator", "image": "quay.io/x@sha256:1"}]}}},
            "status": {"availableReplicas": 1},
        }))
        .unwrap();
        let deployment: Deployment = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        assert_eq!(deployment.image("machine-config-operator"), Some("quay.io/x@sha256:1"));
        assert_eq!(deployment.status.available, 1);

        let full: k8s_openapi::api::core::v1::ConfigMap = serde_json::from_value(json!({
            "metadata": {"name": "sha256-1", "namespace": "openshift-config-managed"},
            "data": {"ack-4.18": "true"}, "binaryData": {"sha256-1-1": "c2ln"},
        }))
        .unwrap();
        let map: ConfigMap = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        assert_eq!(map.data.get("ack-4.18").map(String::as_str), Some("true"));
        assert!(map.binary_keys.contains_key("sha256-1-1"));
    }

    #[test]
    fn a_signing_request_written_by_the_full_type_is_read_whole() {
        let full: k8s_openapi::api::certificates::v1::CertificateSigningRequest = serde_json::from_value(json!({
            "metadata": {"name": "csr-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"request": "LS0t", "signerName": "kubernetes.io/kubelet-serving", "username": "system:node:worker-1",
                     "usages": ["server auth"]},
            "status": {"certificate": "LS0t", "conditions": [{"type": "Approved", "status": "True"}]},
        }))
        .unwrap();
        let text = serde_json::to_string(&full).unwrap();
        let request: CertificateSigningRequest = serde_json::from_str(&text).unwrap();
        assert_eq!((request.name(), request.node()), ("csr-1", Some("worker-1")));
        assert_eq!(request.spec.signer, "kubernetes.io/kubelet-serving");
        assert!(request.status.certificate.is_some());
        assert_eq!(request.status.conditions[0].kind, "Approved");
        assert!(!request.is_pending());
    }

    /// Each of these would fail a list of plainly derived types.
    #[test]
    fn a_field_of_a_strange_type_is_its_default_and_the_rest_is_read() {
        let strange: [Value; 7] = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5e300),
            json!("text"),
            json!([null, {}, 1, "a"]),
            json!({"metadata": 1, "a": {"b": []}}),
        ];
        for odd in &strange {
            let pool: MachineConfigPool = serde_json::from_value(json!({
                "metadata": {"name": "worker", "labels": odd, "annotations": odd, "managedFields": odd,
                             "creationTimestamp": odd, "generation": odd},
                "spec": {"nodeSelector": odd, "configuration": odd, "paused": true, "maxUnavailable": "10%"},
                "status": {"conditions": odd, "machineCount": 3, "certExpirys": [odd]},
            }))
            .unwrap();
            assert_eq!(pool.name(), "worker", "with {odd}");
            assert!(pool.spec.paused, "with {odd}");
            assert_eq!(pool.spec.max_unavailable, Some(IntOrString::Text("10%".to_owned())), "with {odd}");
            assert_eq!(pool.status.machine_count, 3, "with {odd}");
            assert!(serde_json::from_value::<ClusterVersion>(odd.clone()).is_ok(), "{odd} as a whole object");
            assert!(serde_json::from_value::<Node>(json!({"metadata": odd, "spec": odd, "status": odd})).is_ok());
        }
    }

    #[test]
    fn only_machine_configs_and_secrets_are_asked_for_as_metadata() {
        assert!(MachineConfig::metadata_api() && Secret::metadata_api());
        assert!(!Node::metadata_api());
        assert_eq!(
            MachineConfigPool::url_path(&(), None),
            "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"
        );
    }

    /// Watch events of kube are enums with a tag: the lens must also read from serde's buffered content.
    #[test]
    fn a_lens_is_read_from_a_watch_event() {
        let line = r#"{"type":"MODIFIED","object":{"apiVersion":"config.openshift.io/v1","kind":"ClusterOperator",
            "metadata":{"name":"etcd","annotations":{"include.release.openshift.io/self-managed-high-availability":"true"}},
            "spec":{},"status":{"versions":[{"name":"operator","version":"4.19.3"}],"extension":null}}}"#;
        let event: kube::core::WatchEvent<ClusterOperator> = serde_json::from_str(line).unwrap();
        let kube::core::WatchEvent::Modified(operator) = event else { panic!("not MODIFIED: {event:?}") };
        assert_eq!((operator.name(), operator.version("operator")), ("etcd", Some("4.19.3")));
        assert!(operator.is_platform());
    }
}

//! From objects to facts: JSON values (dumps, the simulator's store) or lenses (a client's stores).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kube::core::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::alert::{self, Alert};
use super::facts::{Around, Facts, Kind, KindState, KindStatus};
use super::link::Link;
use crate::api;

/// Objects by kind, in any order.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// ClusterVersions; the one named `version` counts.
    pub cluster_versions: Vec<Arc<api::ClusterVersion>>,
    /// ClusterOperators.
    pub operators: Vec<Arc<api::ClusterOperator>>,
    /// MachineConfigPools.
    pub pools: Vec<Arc<api::MachineConfigPool>>,
    /// MachineConfigNodes.
    pub machine_config_nodes: Vec<Arc<api::MachineConfigNode>>,
    /// Nodes.
    pub nodes: Vec<Arc<api::Node>>,
    /// MachineConfigs.
    pub machine_configs: Vec<Arc<api::MachineConfig>>,
    /// Events.
    pub events: Vec<api::Event>,
    /// Pods, of whatever nodes.
    pub pods: Vec<Arc<api::Pod>>,
    /// `policy/v1 PodDisruptionBudget`, `v1beta1` before 4.8.
    pub pod_disruption_budgets: Vec<Arc<api::PodDisruptionBudget>>,
    /// `certificates.k8s.io/v1 CertificateSigningRequest`.
    pub certificate_signing_requests: Vec<Arc<api::CertificateSigningRequest>>,
    /// `machine.openshift.io/v1beta1 Machine`.
    pub machines: Vec<Arc<api::Machine>>,
    /// `machine.openshift.io/v1beta1 MachineHealthCheck`.
    pub machine_health_checks: Vec<Arc<api::MachineHealthCheck>>,
    /// `machine.openshift.io/v1 ControlPlaneMachineSet`.
    pub control_plane_machine_sets: Vec<Arc<api::ControlPlaneMachineSet>>,
    /// `v1 ConfigMap`: admin-gates and release signatures of `openshift-config-managed`, admin-acks of `openshift-config`.
    pub config_maps: Vec<Arc<api::ConfigMap>>,
    /// `apiserver.openshift.io/v1 APIRequestCount`.
    pub api_request_counts: Vec<Arc<api::APIRequestCount>>,
    /// `config.openshift.io/v1 Infrastructure`; the one named `cluster`.
    pub infrastructures: Vec<Arc<api::Infrastructure>>,
    /// `config.openshift.io/v1 ImageDigestMirrorSet`; absent before 4.13.
    pub image_digest_mirror_sets: Vec<Arc<api::ImageDigestMirrorSet>>,
    /// `operator.openshift.io/v1alpha1 ImageContentSourcePolicy`.
    pub image_content_source_policies: Vec<Arc<api::ImageContentSourcePolicy>>,
    /// `machineconfiguration.openshift.io/v1 PinnedImageSet`.
    pub pinned_image_sets: Vec<Arc<api::PinnedImageSet>>,
    /// `machineconfiguration.openshift.io/v1 MachineOSConfig`.
    pub machine_os_configs: Vec<Arc<api::MachineOSConfig>>,
    /// `machineconfiguration.openshift.io/v1 MachineOSBuild`.
    pub machine_os_builds: Vec<Arc<api::MachineOSBuild>>,
    /// `operator.openshift.io/v1 MachineConfiguration`; the one named `cluster`.
    pub machine_configurations: Vec<Arc<api::MachineConfiguration>>,
    /// `machineconfiguration.openshift.io/v1 ControllerConfig`: certificates.
    pub controller_configs: Vec<Arc<api::ControllerConfig>>,
    /// `operators.coreos.com/v1alpha1 ClusterServiceVersion`, without copies.
    pub cluster_service_versions: Vec<Arc<api::ClusterServiceVersion>>,
    /// `operators.coreos.com/v1alpha1 Subscription`.
    pub subscriptions: Vec<Arc<api::Subscription>>,
    /// `operators.coreos.com/v1alpha1 InstallPlan`.
    pub install_plans: Vec<Arc<api::InstallPlan>>,
    /// `apps/v1 Deployment`: the machine-config operator and the cluster-version operator.
    pub deployments: Vec<Arc<api::Deployment>>,
    /// `operator.openshift.io/v1 CloudCredential`; the one named `cluster`.
    pub cloud_credentials: Vec<Arc<api::CloudCredential>>,
    /// `config.openshift.io/v1 Authentication`; the one named `cluster`.
    pub authentications: Vec<Arc<api::Authentication>>,
    /// `v1 Secret`, metadata only: the root cloud credentials of `kube-system`.
    pub secrets: Vec<Arc<api::Secret>>,
    /// `kubevirt.io/v1 VirtualMachineInstance`.
    pub virtual_machine_instances: Vec<Arc<api::VirtualMachineInstance>>,
    /// `lca.openshift.io/v1 ImageBasedUpgrade`; the one named `upgrade`.
    pub image_based_upgrades: Vec<Arc<api::ImageBasedUpgrade>>,
    /// `lca.openshift.io/v1 IPConfig`; the one named `ipconfig`.
    pub ip_configs: Vec<Arc<api::IPConfig>>,
    /// `velero.io/v1 Backup`.
    pub backups: Vec<Arc<api::Backup>>,
    /// `velero.io/v1 Restore`.
    pub restores: Vec<Arc<api::Restore>>,
    /// `velero.io/v1 BackupStorageLocation`.
    pub backup_storage_locations: Vec<Arc<api::BackupStorageLocation>>,
    /// `oadp.openshift.io/v1alpha1 DataProtectionApplication`.
    pub data_protection_applications: Vec<Arc<api::DataProtectionApplication>>,
    /// `topolvm.io/v1 LogicalVolume`: volumes on the node's own disks.
    pub logical_volumes: Vec<Arc<api::LogicalVolume>>,
    /// `v1 PersistentVolume`.
    pub persistent_volumes: Vec<Arc<api::PersistentVolume>>,
    /// `sriovnetwork.openshift.io/v1 SriovNetworkNodeState`.
    pub sriov_node_states: Vec<Arc<api::SriovNetworkNodeState>>,
    /// Alerts; none: there was no answer of the monitoring among the files.
    pub alerts: Option<Vec<Alert>>,
}

impl Objects {
    /// Sorts JSON objects by kind; `List`s are opened, kinds that nobody reads are passed over.
    pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut objects = Self::default();
        for value in values {
            objects.add(value);
        }
        objects
    }

    /// Adds one JSON object, or all items of a `List`.
    pub fn add(&mut self, value: &Value) {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (group, _) = text("apiVersion").rsplit_once('/').unwrap_or_default();
        match (group, text("kind")) {
            ("config.openshift.io", "ClusterVersion") => push(&mut self.cluster_versions, value),
            ("config.openshift.io", "ClusterOperator") => push(&mut self.operators, value),
            ("machineconfiguration.openshift.io", "MachineConfigPool") => push(&mut self.pools, value),
            ("machineconfiguration.openshift.io", "MachineConfigNode") => push(&mut self.machine_config_nodes, value),
            ("machineconfiguration.openshift.io", "MachineConfig") => push(&mut self.machine_configs, value),
            ("", "Node") => push(&mut self.nodes, value),
            ("", "Event") => self.events.extend(read::<api::Event>(value).filter(concerns)),
            ("", "Pod") => push(&mut self.pods, value),
            ("policy", "PodDisruptionBudget") => {
                let older = text("apiVersion").ends_with("/v1beta1");
                let budget = read::<api::PodDisruptionBudget>(value);
                let budget = budget.map(|budget| if older { budget.of_v1beta1() } else { budget });
                self.pod_disruption_budgets.extend(budget.map(Arc::new));
            }
            ("certificates.k8s.io", "CertificateSigningRequest") => push(&mut self.certificate_signing_requests, value),
            ("machine.openshift.io", "Machine") => push(&mut self.machines, value),
            ("machine.openshift.io", "MachineHealthCheck") => push(&mut self.machine_health_checks, value),
            ("machine.openshift.io", "ControlPlaneMachineSet") => push(&mut self.control_plane_machine_sets, value),
            ("", "ConfigMap") => push(&mut self.config_maps, value),
            ("apiserver.openshift.io", "APIRequestCount") => push(&mut self.api_request_counts, value),
            ("config.openshift.io", "Infrastructure") => push(&mut self.infrastructures, value),
            ("config.openshift.io", "ImageDigestMirrorSet") => push(&mut self.image_digest_mirror_sets, value),
            ("operator.openshift.io", "ImageContentSourcePolicy") => {
                push(&mut self.image_content_source_policies, value);
            }
            ("machineconfiguration.openshift.io", "PinnedImageSet") => push(&mut self.pinned_image_sets, value),
            ("machineconfiguration.openshift.io", "MachineOSConfig") => push(&mut self.machine_os_configs, value),
            ("machineconfiguration.openshift.io", "MachineOSBuild") => push(&mut self.machine_os_builds, value),
            ("operator.openshift.io", "MachineConfiguration") => push(&mut self.machine_configurations, value),
            ("machineconfiguration.openshift.io", "ControllerConfig") => push(&mut self.controller_configs, value),
            ("operators.coreos.com", "ClusterServiceVersion") => push(&mut self.cluster_service_versions, value),
            ("operators.coreos.com", "Subscription") => push(&mut self.subscriptions, value),
            ("operators.coreos.com", "InstallPlan") => push(&mut self.install_plans, value),
            ("apps", "Deployment") => push(&mut self.deployments, value),
            ("operator.openshift.io", "CloudCredential") => push(&mut self.cloud_credentials, value),
            ("config.openshift.io", "Authentication") => push(&mut self.authentications, value),
            ("", "Secret") => push(&mut self.secrets, value),
            ("kubevirt.io", "VirtualMachineInstance") => push(&mut self.virtual_machine_instances, value),
            ("lca.openshift.io", "ImageBasedUpgrade") => push(&mut self.image_based_upgrades, value),
            ("lca.openshift.io", "IPConfig") => push(&mut self.ip_configs, value),
            ("velero.io", "Backup") => push(&mut self.backups, value),
            ("velero.io", "Restore") => push(&mut self.restores, value),
            ("velero.io", "BackupStorageLocation") => push(&mut self.backup_storage_locations, value),
            ("oadp.openshift.io", "DataProtectionApplication") => push(&mut self.data_protection_applications, value),
            ("topolvm.io", "LogicalVolume") => push(&mut self.logical_volumes, value),
            ("", "PersistentVolume") => push(&mut self.persistent_volumes, value),
            ("sriovnetwork.openshift.io", "SriovNetworkNodeState") => push(&mut self.sriov_node_states, value),
            (_, kind) if kind.ends_with("List") => {
                value.get("items").and_then(Value::as_array).into_iter().flatten().for_each(|item| self.add(item));
            }
            ("", "") => {
                if let Some(alerts) = alert::of_answer(value) {
                    self.alerts.get_or_insert_default().extend(alerts);
                }
            }
            _ => {}
        }
    }

    /// How many objects of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::ClusterVersions => self.cluster_versions.len(),
            Kind::ClusterOperators => self.operators.len(),
            Kind::MachineConfigPools => self.pools.len(),
            Kind::MachineConfigNodes => self.machine_config_nodes.len(),
            Kind::Nodes => self.nodes.len(),
            Kind::MachineConfigs => self.machine_configs.len(),
            Kind::Pods => self.pods.len(),
            Kind::PodDisruptionBudgets => self.pod_disruption_budgets.len(),
            Kind::CertificateSigningRequests => self.certificate_signing_requests.len(),
            Kind::Machines => self.machines.len(),
            Kind::MachineHealthChecks => self.machine_health_checks.len(),
            Kind::ControlPlaneMachineSets => self.control_plane_machine_sets.len(),
            Kind::ConfigMaps => self.config_maps.len(),
            Kind::ApiRequestCounts => self.api_request_counts.len(),
            Kind::Infrastructures => self.infrastructures.len(),
            Kind::ImageDigestMirrorSets => self.image_digest_mirror_sets.len(),
            Kind::ImageContentSourcePolicies => self.image_content_source_policies.len(),
            Kind::PinnedImageSets => self.pinned_image_sets.len(),
            Kind::MachineOsConfigs => self.machine_os_configs.len(),
            Kind::MachineOsBuilds => self.machine_os_builds.len(),
            Kind::MachineConfigurations => self.machine_configurations.len(),
            Kind::ControllerConfigs => self.controller_configs.len(),
            Kind::ClusterServiceVersions => self.cluster_service_versions.len(),
            Kind::Subscriptions => self.subscriptions.len(),
            Kind::InstallPlans => self.install_plans.len(),
            Kind::Deployments => self.deployments.len(),
            Kind::CloudCredentials => self.cloud_credentials.len(),
            Kind::Authentications => self.authentications.len(),
            Kind::Secrets => self.secrets.len(),
            Kind::VirtualMachineInstances => self.virtual_machine_instances.len(),
            Kind::ImageBasedUpgrades => self.image_based_upgrades.len(),
            Kind::IpConfigs => self.ip_configs.len(),
            Kind::Backups => self.backups.len(),
            Kind::Restores => self.restores.len(),
            Kind::BackupStorageLocations => self.backup_storage_locations.len(),
            Kind::DataProtectionApplications => self.data_protection_applications.len(),
            Kind::LogicalVolumes => self.logical_volumes.len(),
            Kind::PersistentVolumes => self.persistent_volumes.len(),
            Kind::SriovNodeStates => self.sriov_node_states.len(),
            Kind::Alerts => self.alerts.as_ref().map_or(0, Vec::len),
        }
    }

    /// The facts of objects that come from files or from a store without a link: every kind that has objects is live
    /// as of `now`, the others count as absent.
    pub fn into_recording(self, now: DateTime<Utc>) -> Facts {
        let recorded = |kind: Kind| {
            let some = self.count(kind) > 0 || (kind == Kind::Alerts && self.alerts.is_some());
            // That a dump holds none of a kind that it need not hold says nothing about the cluster.
            let status = match (some, kind.is_core()) {
                (true, _) => KindStatus::Live,
                (false, true) => KindStatus::Absent,
                (false, false) => return None,
            };
            Some((kind, KindState { status, heard: Some(now), unreadable: Vec::new() }))
        };
        let kinds = Kind::CORE.into_iter().chain(Kind::AROUND).filter_map(recorded).collect();
        let mut facts = Facts { link: Link::recording(), kinds, ..Facts::nothing(now) };
        self.put_into(&mut facts);
        facts
    }

    /// Replaces the objects of `facts`, in the order that facts promise; link, freshness and access stay.
    pub fn put_into(mut self, facts: &mut Facts) {
        facts.cluster_version = self.cluster_versions.into_iter().find(|object| object.name() == "version");
        self.events.sort_by_key(api::Event::last_at);
        facts.operators = ordered(&self.operators);
        facts.pools = ordered(&self.pools);
        facts.machine_config_nodes = ordered(&self.machine_config_nodes);
        facts.nodes = ordered(&self.nodes);
        facts.machine_configs = ordered(&self.machine_configs);
        facts.events = Arc::new(self.events);
        facts.around = Arc::new(Around {
            pods: Arc::new(by_node(self.pods, &facts.nodes)),
            pod_disruption_budgets: ordered(&self.pod_disruption_budgets),
            certificate_signing_requests: ordered(&self.certificate_signing_requests),
            machines: ordered(&self.machines),
            machine_health_checks: ordered(&self.machine_health_checks),
            control_plane_machine_sets: ordered(&self.control_plane_machine_sets),
            config_maps: ordered(&self.config_maps),
            api_request_counts: ordered(&self.api_request_counts),
            infrastructures: ordered(&self.infrastructures),
            image_digest_mirror_sets: ordered(&self.image_digest_mirror_sets),
            image_content_source_policies: ordered(&self.image_content_source_policies),
            pinned_image_sets: ordered(&self.pinned_image_sets),
            machine_os_configs: ordered(&self.machine_os_configs),
            machine_os_builds: ordered(&self.machine_os_builds),
            machine_configurations: ordered(&self.machine_configurations),
            controller_configs: ordered(&self.controller_configs),
            cluster_service_versions: ordered(&self.cluster_service_versions),
            subscriptions: ordered(&self.subscriptions),
            install_plans: ordered(&self.install_plans),
            deployments: ordered(&self.deployments),
            cloud_credentials: ordered(&self.cloud_credentials),
            authentications: ordered(&self.authentications),
            secrets: ordered(&self.secrets),
            virtual_machine_instances: ordered(&self.virtual_machine_instances),
            image_based_upgrades: ordered(&self.image_based_upgrades),
            ip_configs: ordered(&self.ip_configs),
            backups: ordered(&self.backups),
            restores: ordered(&self.restores),
            backup_storage_locations: ordered(&self.backup_storage_locations),
            data_protection_applications: ordered(&self.data_protection_applications),
            logical_volumes: ordered(&self.logical_volumes),
            persistent_volumes: ordered(&self.persistent_volumes),
            sriov_node_states: ordered(&self.sriov_node_states),
            alerts: Arc::new(self.alerts.unwrap_or_default()),
        });
    }
}

/// Objects in the order that facts promise: by namespace and name.
pub fn ordered<K: kube::Resource>(objects: &[Arc<K>]) -> Arc<Vec<Arc<K>>> {
    let order = order(&objects.iter().map(|object| key(object.meta())).collect::<Vec<_>>());
    Arc::new(order.into_iter().map(|place| Arc::clone(&objects[place])).collect())
}

fn key(metadata: &ObjectMeta) -> (&str, &str) {
    (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default())
}

/// The places of the keys in their order: apart from the objects, so that sorting is compiled once and not for each kind.
fn order(keys: &[(&str, &str)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|place| keys[*place]);
    order
}

/// Pods by node. When there are any at all, a node without pods has none (as opposed to: its pods were not read).
fn by_node(pods: Vec<Arc<api::Pod>>, nodes: &[Arc<api::Node>]) -> BTreeMap<String, Arc<Vec<Arc<api::Pod>>>> {
    if pods.is_empty() {
        return BTreeMap::new();
    }
    let mut sorted: BTreeMap<String, Vec<Arc<api::Pod>>> = BTreeMap::new();
    for node in nodes {
        sorted.insert(node.name().to_owned(), Vec::new());
    }
    for pod in pods {
        if !pod.spec.node_name.is_empty() {
            sorted.entry(pod.spec.node_name.clone()).or_default().push(pod);
        }
    }
    sorted.into_iter().map(|(node, pods)| (node, ordered(&pods))).collect()
}

/// The facts of JSON objects without a link (dumps, a store): see [`Objects::into_recording`].
pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>, now: DateTime<Utc>) -> Facts {
    Objects::from_values(values).into_recording(now)
}

/// How far apart what belongs together may have been written, or made.
const TOGETHER: TimeDelta = TimeDelta::hours(24);

/// The "now" of a recording, which has none: the newest time in it, of conditions, heartbeats, events, alerts, of the
/// creation of objects and of the request to delete them.
///
/// Files of several clusters that somebody put together are told by a pool `master` that is not as old as the
/// ClusterVersion (the installer makes both). Then ClusterVersion and ClusterOperators decide, as they do for `oc` and its
/// recordings (`oc adm upgrade status --mock-clusterversion`: the newest transition time of their conditions).
pub fn newest_transition<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<DateTime<Utc>> {
    let mut times = Times::default();
    for value in values {
        times.add(value);
    }
    let strangers = match (times.version_made, times.master_made) {
        (Some(version), Some(master)) => (master - version).abs() > TOGETHER,
        // Events and pods are not put together by hand.
        _ if times.lively => false,
        _ => times.any.zip(times.platform).is_some_and(|(any, platform)| any - platform > TOGETHER),
    };
    if strangers { times.platform.or(times.any) } else { times.any }
}

/// The times of a recording.
#[derive(Default)]
struct Times {
    /// The newest of all.
    any: Option<DateTime<Utc>>,
    /// The newest transition of the ClusterVersion and of ClusterOperators.
    platform: Option<DateTime<Utc>>,
    /// When the ClusterVersion was made.
    version_made: Option<DateTime<Utc>>,
    /// When the pool `master` was made.
    master_made: Option<DateTime<Utc>>,
    /// There are events, or pods.
    lively: bool,
}

impl Times {
    fn add(&mut self, value: &Value) {
        if let Some(items) = value.get("items").and_then(Value::as_array) {
            for item in items {
                self.add(item);
            }
            return;
        }
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let conditions = newest_of(value, "/status/conditions", &["lastTransitionTime"]);
        let made = time(value, "/metadata/creationTimestamp");
        match text("/kind") {
            "ClusterVersion" => {
                self.platform = self.platform.max(conditions);
                self.version_made = made;
            }
            "ClusterOperator" => self.platform = self.platform.max(conditions),
            "MachineConfigPool" if text("/metadata/name") == "master" => self.master_made = made,
            "Event" | "Pod" => self.lively = true,
            _ => {}
        }
        // A deletion is dated by the end of the grace period that was given.
        let grace = value.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or_default();
        let deleted = time(value, "/metadata/deletionTimestamp")
            .and_then(|end| end.checked_sub_signed(TimeDelta::try_seconds(grace)?));
        let told = ["/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/firstTimestamp"];
        let said = told.into_iter().filter_map(|pointer| time(value, pointer)).max();
        let alerts = alert::of_answer(value).into_iter().flatten().filter_map(|alert| alert.active_at).max();
        let newest = [
            conditions,
            newest_of(value, "/status/conditions", &["lastHeartbeatTime", "lastUpdateTime"]),
            newest_of(value, "/status/history", &["startedTime", "completionTime"]),
            made,
            deleted,
            said,
            alerts,
        ];
        self.any = newest.into_iter().fold(self.any, Option::max);
    }
}

fn time(value: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    parsed(value.pointer(pointer)?)
}

fn parsed(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.with_timezone(&Utc))
}

/// The newest of the times in the list at `pointer`.
fn newest_of(value: &Value, pointer: &str, keys: &[&str]) -> Option<DateTime<Utc>> {
    let list = value.pointer(pointer)?.as_array()?;
    list.iter().flat_map(|item| keys.iter().filter_map(|key| parsed(item.get(*key)?))).max()
}

/// Is it an event that the live client would read, too? Dumps hold those of all workloads.
fn concerns(event: &api::Event) -> bool {
    match event.metadata.namespace.as_deref().unwrap_or_default() {
        "openshift-machine-config-operator" | "openshift-cluster-version" => true,
        "" | "default" => matches!(event.involved_object.kind.as_str(), "Node" | "MachineConfigPool"),
        _ => false,
    }
}

/// A lens of a JSON value cannot fail on types; what fails (nothing, as far as known) is left out.
fn push<K: DeserializeOwned>(into: &mut Vec<Arc<K>>, value: &Value) {
    into.extend(read(value).map(Arc::new));
}

fn read<K: DeserializeOwned>(value: &Value) -> Option<K> {
    serde::Deserialize::deserialize(value).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde_json::json;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn made(kind: &str, name: &str, day: &str) -> Value {
        let api = if kind == "MachineConfigPool" { "machineconfiguration.openshift.io" } else { "config.openshift.io" };
        json!({"apiVersion": format!("{api}/v1"), "kind": kind,
            "metadata": {"name": name, "creationTimestamp": format!("2026-01-{day}T10:00:00Z")},
            "status": {"conditions": [{"type": "Available", "lastTransitionTime": format!("2026-01-{day}T12:00:00Z")}]}})
    }

    fn node(heartbeat: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-01-01T11:00:00Z",
                                       "lastHeartbeatTime": heartbeat}]}})
    }

    #[test]
    fn the_newest_time_of_any_sort_is_now() {
        let version = made("ClusterVersion", "version", "01");
        let table: [(Value, &str); 7] = [
            (json!({"kind": "Event", "lastTimestamp": "2026-01-01T13:00:00Z"}), "2026-01-01T13:00:00Z"),
            (
                json!({"kind": "Event", "eventTime": "2026-01-01T13:00:00.5Z", "lastTimestamp": null}),
                "2026-01-01T13:00:00.5Z",
            ),
            (json!({"kind": "Event", "series": {"lastObservedTime": "2026-01-09T13:00:00Z"}}), "2026-01-09T13:00:00Z"),
            (json!({"kind": "Pod", "metadata": {"creationTimestamp": "2026-01-05T13:00:00Z"}}), "2026-01-05T13:00:00Z"),
            (
                json!({"kind": "Pod", "metadata": {"deletionTimestamp": "2026-01-01T13:00:30Z",
                                                   "deletionGracePeriodSeconds": 30}}),
                "2026-01-01T13:00:00Z",
            ),
            (
                json!({"status": "success", "data": {"alerts": [{"labels": {"alertname": "A"},
                                                                 "activeAt": "2026-01-01T13:00:00Z"}]}}),
                "2026-01-01T13:00:00Z",
            ),
            (node("2026-01-01T13:00:00Z"), "2026-01-01T13:00:00Z"),
        ];
        for (value, expected) in table {
            assert_eq!(newest_transition([&version, &value]), Some(at(expected)), "{value}");
        }
        let list = json!({"kind": "List", "items": [version, node("2026-01-01T13:30:00Z")]});
        assert_eq!(newest_transition([&list]), Some(at("2026-01-01T13:30:00Z")));
        assert_eq!(newest_transition([&json!({"kind": "Secret"}), &json!(null)]), None);
    }

    #[test]
    fn a_cluster_at_rest_is_recorded_long_after_its_operators_moved() {
        let objects = [
            made("ClusterVersion", "version", "01"),
            made("MachineConfigPool", "master", "01"),
            node("2026-01-20T13:00:00Z"),
        ];
        assert_eq!(newest_transition(&objects), Some(at("2026-01-20T13:00:00Z")));
    }

    #[test]
    fn of_files_of_several_clusters_the_version_decides() {
        let objects = [
            made("ClusterVersion", "version", "01"),
            made("ClusterOperator", "etcd", "02"),
            made("MachineConfigPool", "master", "10"),
            node("2026-01-20T13:00:00Z"),
        ];
        assert_eq!(newest_transition(&objects), Some(at("2026-01-02T12:00:00Z")));
        assert_eq!(newest_transition([&objects[0], &objects[3]]), Some(at("2026-01-01T12:00:00Z")), "nothing tells");
    }

    #[test]
    fn budgets_of_old_releases_and_alerts_are_read_from_files() {
        let values = [
            json!({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget",
                 "metadata": {"namespace": "shop", "name": "cart"}, "status": {"disruptionsAllowed": 1}}]}),
            json!({"status": "success", "data": {"alerts": [{"labels": {"alertname": "A"}, "state": "firing"}]}}),
        ];
        let facts = from_values(&values, at("2026-01-01T00:00:00Z"));
        assert_eq!(facts.around.pod_disruption_budgets[0].status.disruptions_allowed, 1);
        let selecting = |version: &str| {
            let budget = json!({"apiVersion": version, "kind": "PodDisruptionBudget",
                "metadata": {"namespace": "shop", "name": "all"}, "spec": {"selector": {}}});
            from_values([&budget], at("2026-01-01T00:00:00Z")).around.pod_disruption_budgets[0].spec.selector.is_some()
        };
        assert!(selecting("policy/v1"), "an empty selector selects all of the namespace");
        assert!(!selecting("policy/v1beta1"), "there it selects nothing");
        assert!(facts.around.alerts[0].fires());
        assert!(facts.known(Kind::Alerts) && facts.known(Kind::PodDisruptionBudgets));
        assert!(!facts.known(Kind::Machines), "that a dump holds no machine says nothing");
        let none = json!({"status": "success", "data": {"alerts": []}});
        assert!(
            from_values([&none], at("2026-01-01T00:00:00Z")).known(Kind::Alerts),
            "an answer without alerts is one"
        );
    }
}

//! From objects to facts: JSON values (dumps, the simulator's store) or lenses (a client's stores).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
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
            ("", "Event") => self.events.extend(read::<api::Event>(value)),
            ("", "Pod") => push(&mut self.pods, value),
            ("policy", "PodDisruptionBudget") => push(&mut self.pod_disruption_budgets, value),
            ("certificates.k8s.io", "CertificateSigningRequest") => push(&mut self.certificate_signing_requests, value),
            ("machine.openshift.io", "Machine") => push(&mut self.machines, value),
            ("machine.openshift.io", "MachineHealthCheck") => push(&mut self.machine_health_checks, value),
            ("machine.openshift.io", "ControlPlaneMachineSet") => push(&mut self.control_plane_machine_sets, value),
            ("", "ConfigMap") => push(&mut self.config_maps, value),
            ("apiserver.openshift.io", "APIRequestCount") => push(&mut self.api_request_counts, value),
            ("config.openshift.io", "Infrastructure") => push(&mut self.infrastructures, value),
            ("config.openshift.io", "ImageDigestMirrorSet") => push(&mut self.image_digest_mirror_sets, value),
            ("operator.openshift.io", "ImageContentSourcePolicy") => {
                push(&mut self.image_content_source_policies, value)
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
        self.operators.sort_by(|a, b| a.name().cmp(b.name()));
        self.pools.sort_by(|a, b| a.name().cmp(b.name()));
        self.machine_config_nodes.sort_by(|a, b| a.name().cmp(b.name()));
        self.nodes.sort_by(|a, b| a.name().cmp(b.name()));
        self.machine_configs.sort_by(|a, b| a.name().cmp(b.name()));
        self.events.sort_by_key(api::Event::last_at);
        facts.operators = Arc::new(self.operators);
        facts.pools = Arc::new(self.pools);
        facts.machine_config_nodes = Arc::new(self.machine_config_nodes);
        facts.nodes = Arc::new(self.nodes);
        facts.machine_configs = Arc::new(self.machine_configs);
        facts.events = Arc::new(self.events);
        facts.around = Arc::new(Around {
            pods: Arc::new(by_node(self.pods, &facts.nodes)),
            pod_disruption_budgets: ordered(self.pod_disruption_budgets),
            certificate_signing_requests: ordered(self.certificate_signing_requests),
            machines: ordered(self.machines),
            machine_health_checks: ordered(self.machine_health_checks),
            control_plane_machine_sets: ordered(self.control_plane_machine_sets),
            config_maps: ordered(self.config_maps),
            api_request_counts: ordered(self.api_request_counts),
            infrastructures: ordered(self.infrastructures),
            image_digest_mirror_sets: ordered(self.image_digest_mirror_sets),
            image_content_source_policies: ordered(self.image_content_source_policies),
            pinned_image_sets: ordered(self.pinned_image_sets),
            machine_os_configs: ordered(self.machine_os_configs),
            machine_os_builds: ordered(self.machine_os_builds),
            machine_configurations: ordered(self.machine_configurations),
            controller_configs: ordered(self.controller_configs),
            cluster_service_versions: ordered(self.cluster_service_versions),
            subscriptions: ordered(self.subscriptions),
            install_plans: ordered(self.install_plans),
            deployments: ordered(self.deployments),
            cloud_credentials: ordered(self.cloud_credentials),
            authentications: ordered(self.authentications),
            secrets: ordered(self.secrets),
            virtual_machine_instances: ordered(self.virtual_machine_instances),
            alerts: Arc::new(self.alerts.unwrap_or_default()),
        });
    }
}

/// Objects in the order that facts promise: by namespace and name.
pub fn ordered<K: kube::Resource>(mut objects: Vec<Arc<K>>) -> Arc<Vec<Arc<K>>> {
    objects.sort_by(|a, b| {
        let key = |object: &K| (object.meta().namespace.clone(), object.meta().name.clone());
        key(a).cmp(&key(b))
    });
    Arc::new(objects)
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
    sorted.into_iter().map(|(node, pods)| (node, ordered(pods))).collect()
}

/// The facts of JSON objects without a link (dumps, a store): see [`Objects::into_recording`].
pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>, now: DateTime<Utc>) -> Facts {
    Objects::from_values(values).into_recording(now)
}

/// How far apart the parts of one dump may be written.
const TOGETHER: TimeDelta = TimeDelta::hours(24);

/// The "now" of a recording, which has none: the newest transition time of any condition.
///
/// When nodes or pools are from another day than ClusterVersion and ClusterOperators (files put together by hand), the
/// latter two decide, as `oc` does for its recordings (`oc adm upgrade status --mock-clusterversion`).
pub fn newest_transition<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<DateTime<Utc>> {
    let (mut any, mut platform) = (None, None);
    for value in values {
        newest_in(value, &mut any, &mut platform);
    }
    match (any, platform) {
        (Some(any), Some(platform)) if any - platform > TOGETHER => Some(platform),
        _ => any,
    }
}

fn newest_in(value: &Value, any: &mut Option<DateTime<Utc>>, platform: &mut Option<DateTime<Utc>>) {
    if let Some(items) = value.get("items").and_then(Value::as_array) {
        for item in items {
            newest_in(item, any, platform);
        }
        return;
    }
    let Some(conditions) = value.pointer("/status/conditions").and_then(Value::as_array) else { return };
    let newest = conditions
        .iter()
        .filter_map(|condition| condition.get("lastTransitionTime")?.as_str())
        .filter_map(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(|at| at.with_timezone(&Utc))
        .max();
    *any = (*any).max(newest);
    if matches!(value.get("kind").and_then(Value::as_str), Some("ClusterVersion" | "ClusterOperator")) {
        *platform = (*platform).max(newest);
    }
}

/// A lens of a JSON value cannot fail on types; what fails (nothing, as far as known) is left out.
fn push<K: DeserializeOwned>(into: &mut Vec<Arc<K>>, value: &Value) {
    into.extend(read(value).map(Arc::new));
}

fn read<K: DeserializeOwned>(value: &Value) -> Option<K> {
    serde::Deserialize::deserialize(value).ok()
}

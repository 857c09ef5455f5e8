//! What was observed: the objects as last heard, per kind how fresh they are, the link, the user.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::access::Access;
use super::alert::Alert;
use super::link::{Link, Trouble};
use crate::api;

/// What is read of the cluster. The first six, [`Kind::CORE`], are watched all the time, one watch each; the others only
/// while something needs them ([`super::needs`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `config.openshift.io/v1 ClusterVersion`; the one named `version`.
    ClusterVersions,
    /// `config.openshift.io/v1 ClusterOperator`.
    ClusterOperators,
    /// `machineconfiguration.openshift.io/v1 MachineConfigPool`.
    MachineConfigPools,
    /// `machineconfiguration.openshift.io/v1 MachineConfigNode`; absent before 4.19.
    MachineConfigNodes,
    /// `v1 Node`.
    Nodes,
    /// `machineconfiguration.openshift.io/v1 MachineConfig`, metadata only.
    MachineConfigs,
    /// `v1 Pod`, of the nodes that matter.
    Pods,
    /// `policy/v1 PodDisruptionBudget`, `v1beta1` before 4.8.
    PodDisruptionBudgets,
    /// `certificates.k8s.io/v1 CertificateSigningRequest`.
    CertificateSigningRequests,
    /// `machine.openshift.io/v1beta1 Machine`.
    Machines,
    /// `machine.openshift.io/v1beta1 MachineHealthCheck`.
    MachineHealthChecks,
    /// `machine.openshift.io/v1 ControlPlaneMachineSet`.
    ControlPlaneMachineSets,
    /// `v1 ConfigMap`: admin-gates and release signatures of `openshift-config-managed`, admin-acks of `openshift-config`.
    ConfigMaps,
    /// `apiserver.openshift.io/v1 APIRequestCount`.
    ApiRequestCounts,
    /// `config.openshift.io/v1 Infrastructure`; the one named `cluster`.
    Infrastructures,
    /// `config.openshift.io/v1 ImageDigestMirrorSet`; absent before 4.13.
    ImageDigestMirrorSets,
    /// `operator.openshift.io/v1alpha1 ImageContentSourcePolicy`.
    ImageContentSourcePolicies,
    /// `machineconfiguration.openshift.io/v1 PinnedImageSet`.
    PinnedImageSets,
    /// `machineconfiguration.openshift.io/v1 MachineOSConfig`.
    MachineOsConfigs,
    /// `machineconfiguration.openshift.io/v1 MachineOSBuild`.
    MachineOsBuilds,
    /// `operator.openshift.io/v1 MachineConfiguration`; the one named `cluster`.
    MachineConfigurations,
    /// `machineconfiguration.openshift.io/v1 ControllerConfig`: certificates.
    ControllerConfigs,
    /// `operators.coreos.com/v1alpha1 ClusterServiceVersion`, without copies.
    ClusterServiceVersions,
    /// `operators.coreos.com/v1alpha1 Subscription`.
    Subscriptions,
    /// `operators.coreos.com/v1alpha1 InstallPlan`.
    InstallPlans,
    /// `apps/v1 Deployment`: the machine-config operator and the cluster-version operator.
    Deployments,
    /// `operator.openshift.io/v1 CloudCredential`; the one named `cluster`.
    CloudCredentials,
    /// `config.openshift.io/v1 Authentication`; the one named `cluster`.
    Authentications,
    /// `v1 Secret`, metadata only: the root cloud credentials of `kube-system`.
    Secrets,
    /// `kubevirt.io/v1 VirtualMachineInstance`.
    VirtualMachineInstances,
    /// `lca.openshift.io/v1 ImageBasedUpgrade`; the one named `upgrade`.
    ImageBasedUpgrades,
    /// `lca.openshift.io/v1 IPConfig`; the one named `ipconfig`.
    IpConfigs,
    /// `velero.io/v1 Backup`.
    Backups,
    /// `velero.io/v1 Restore`.
    Restores,
    /// `velero.io/v1 BackupStorageLocation`.
    BackupStorageLocations,
    /// `oadp.openshift.io/v1alpha1 DataProtectionApplication`.
    DataProtectionApplications,
    /// `topolvm.io/v1 LogicalVolume`: volumes on the node's own disks.
    LogicalVolumes,
    /// `v1 PersistentVolume`: read for the volumes on the node's own disks.
    PersistentVolumes,
    /// `sriovnetwork.openshift.io/v1 SriovNetworkNodeState`.
    SriovNodeStates,
    /// Firing alerts of the cluster's monitoring; no kind of the API server.
    Alerts,
}

impl Kind {
    /// Those that are watched all the time, in the order in which a person would ask.
    pub const CORE: [Self; 6] = [
        Self::ClusterVersions,
        Self::ClusterOperators,
        Self::MachineConfigPools,
        Self::MachineConfigNodes,
        Self::Nodes,
        Self::MachineConfigs,
    ];

    /// The others, read while something needs them.
    pub const AROUND: [Self; 34] = [
        Self::Pods,
        Self::PodDisruptionBudgets,
        Self::CertificateSigningRequests,
        Self::Machines,
        Self::MachineHealthChecks,
        Self::ControlPlaneMachineSets,
        Self::ConfigMaps,
        Self::ApiRequestCounts,
        Self::Infrastructures,
        Self::ImageDigestMirrorSets,
        Self::ImageContentSourcePolicies,
        Self::PinnedImageSets,
        Self::MachineOsConfigs,
        Self::MachineOsBuilds,
        Self::MachineConfigurations,
        Self::ControllerConfigs,
        Self::ClusterServiceVersions,
        Self::Subscriptions,
        Self::InstallPlans,
        Self::Deployments,
        Self::CloudCredentials,
        Self::Authentications,
        Self::Secrets,
        Self::VirtualMachineInstances,
        Self::ImageBasedUpgrades,
        Self::IpConfigs,
        Self::Backups,
        Self::Restores,
        Self::BackupStorageLocations,
        Self::DataProtectionApplications,
        Self::LogicalVolumes,
        Self::PersistentVolumes,
        Self::SriovNodeStates,
        Self::Alerts,
    ];

    /// Is it watched all the time?
    pub fn is_core(self) -> bool {
        Self::CORE.contains(&self)
    }

    /// Is it read for image-based upgrades alone?
    pub fn image_based(self) -> bool {
        matches!(
            self,
            Self::ImageBasedUpgrades
                | Self::IpConfigs
                | Self::Backups
                | Self::Restores
                | Self::BackupStorageLocations
                | Self::DataProtectionApplications
                | Self::LogicalVolumes
                | Self::PersistentVolumes
                | Self::SriovNodeStates
        )
    }

    /// Its API group; empty for the core group, and for alerts.
    pub fn group(self) -> &'static str {
        match self {
            Self::Nodes | Self::Pods | Self::ConfigMaps | Self::Secrets | Self::PersistentVolumes | Self::Alerts => "",
            Self::ClusterVersions
            | Self::ClusterOperators
            | Self::Infrastructures
            | Self::ImageDigestMirrorSets
            | Self::Authentications => "config.openshift.io",
            Self::MachineConfigPools
            | Self::MachineConfigNodes
            | Self::MachineConfigs
            | Self::PinnedImageSets
            | Self::MachineOsConfigs
            | Self::MachineOsBuilds
            | Self::ControllerConfigs => "machineconfiguration.openshift.io",
            Self::PodDisruptionBudgets => "policy",
            Self::CertificateSigningRequests => "certificates.k8s.io",
            Self::Machines | Self::MachineHealthChecks | Self::ControlPlaneMachineSets => "machine.openshift.io",
            Self::ApiRequestCounts => "apiserver.openshift.io",
            Self::ImageContentSourcePolicies | Self::MachineConfigurations | Self::CloudCredentials => {
                "operator.openshift.io"
            }
            Self::ClusterServiceVersions | Self::Subscriptions | Self::InstallPlans => "operators.coreos.com",
            Self::Deployments => "apps",
            Self::VirtualMachineInstances => "kubevirt.io",
            Self::ImageBasedUpgrades | Self::IpConfigs => "lca.openshift.io",
            Self::Backups | Self::Restores | Self::BackupStorageLocations => "velero.io",
            Self::DataProtectionApplications => "oadp.openshift.io",
            Self::LogicalVolumes => "topolvm.io",
            Self::SriovNodeStates => "sriovnetwork.openshift.io",
        }
    }

    /// The version of its group that is read.
    pub fn version(self) -> &'static str {
        match self {
            Self::Machines | Self::MachineHealthChecks => "v1beta1",
            Self::ImageContentSourcePolicies
            | Self::ClusterServiceVersions
            | Self::Subscriptions
            | Self::InstallPlans
            | Self::DataProtectionApplications => "v1alpha1",
            _ => "v1",
        }
    }

    /// Where the API server lists it, in all namespaces; empty for alerts, which another server has.
    pub fn path(self) -> String {
        match (self, self.group()) {
            (Self::Alerts, _) => String::new(),
            (_, "") => format!("/api/{}/{}", self.version(), self.plural()),
            (_, group) => format!("/apis/{group}/{}/{}", self.version(), self.plural()),
        }
    }

    /// The resource with its group, as `oc get` takes it: `nodes`, `machineconfigpools.machineconfiguration.openshift.io`.
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// The plural as the API says it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ClusterVersions => "clusterversions",
            Self::ClusterOperators => "clusteroperators",
            Self::MachineConfigPools => "machineconfigpools",
            Self::MachineConfigNodes => "machineconfignodes",
            Self::Nodes => "nodes",
            Self::MachineConfigs => "machineconfigs",
            Self::Pods => "pods",
            Self::PodDisruptionBudgets => "poddisruptionbudgets",
            Self::CertificateSigningRequests => "certificatesigningrequests",
            Self::Machines => "machines",
            Self::MachineHealthChecks => "machinehealthchecks",
            Self::ControlPlaneMachineSets => "controlplanemachinesets",
            Self::ConfigMaps => "configmaps",
            Self::ApiRequestCounts => "apirequestcounts",
            Self::Infrastructures => "infrastructures",
            Self::ImageDigestMirrorSets => "imagedigestmirrorsets",
            Self::ImageContentSourcePolicies => "imagecontentsourcepolicies",
            Self::PinnedImageSets => "pinnedimagesets",
            Self::MachineOsConfigs => "machineosconfigs",
            Self::MachineOsBuilds => "machineosbuilds",
            Self::MachineConfigurations => "machineconfigurations",
            Self::ControllerConfigs => "controllerconfigs",
            Self::ClusterServiceVersions => "clusterserviceversions",
            Self::Subscriptions => "subscriptions",
            Self::InstallPlans => "installplans",
            Self::Deployments => "deployments",
            Self::CloudCredentials => "cloudcredentials",
            Self::Authentications => "authentications",
            Self::Secrets => "secrets",
            Self::VirtualMachineInstances => "virtualmachineinstances",
            Self::ImageBasedUpgrades => "imagebasedupgrades",
            Self::IpConfigs => "ipconfigs",
            Self::Backups => "backups",
            Self::Restores => "restores",
            Self::BackupStorageLocations => "backupstoragelocations",
            Self::DataProtectionApplications => "dataprotectionapplications",
            Self::LogicalVolumes => "logicalvolumes",
            Self::PersistentVolumes => "persistentvolumes",
            Self::SriovNodeStates => "sriovnetworknodestates",
            Self::Alerts => "alerts",
        }
    }
}

/// How well a kind is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KindStatus {
    /// Nothing has needed it so far; never the status of a core kind.
    NotAsked,
    /// The first list has not ended yet.
    #[default]
    Waiting,
    /// Listed and watched.
    Live,
    /// Listed once, but its watch fails now: what is shown is the last good content. Or it could not be listed even once:
    /// then it was never heard.
    Failing(Trouble),
    /// The server does not serve the kind (old release, plain Kubernetes). Asked again every 60 s.
    Absent,
    /// The user may not list it. Asked again every 60 s.
    Forbidden(Trouble),
}

/// The freshness of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindState {
    /// How well it is known.
    pub status: KindStatus,
    /// When bytes last came on the kind's own watch, bookmarks included; none before its first list was complete. A good
    /// probe never refreshes it.
    pub heard: Option<DateTime<Utc>>,
    /// Objects that could not be read (wrong types), by name and reason. The rest of the list is shown.
    pub unreadable: Vec<(String, String)>,
}

/// What is around the update: the kinds that are read while something needs them. Vectors are ordered by namespace and
/// name. An empty vector says nothing by itself: ask [`Facts::known`].
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Pods by node: of the nodes whose pods were read.
    pub pods: Arc<BTreeMap<String, Arc<Vec<Arc<api::Pod>>>>>,
    /// `policy/v1 PodDisruptionBudget`, `v1beta1` before 4.8.
    pub pod_disruption_budgets: Arc<Vec<Arc<api::PodDisruptionBudget>>>,
    /// `certificates.k8s.io/v1 CertificateSigningRequest`.
    pub certificate_signing_requests: Arc<Vec<Arc<api::CertificateSigningRequest>>>,
    /// `machine.openshift.io/v1beta1 Machine`.
    pub machines: Arc<Vec<Arc<api::Machine>>>,
    /// `machine.openshift.io/v1beta1 MachineHealthCheck`.
    pub machine_health_checks: Arc<Vec<Arc<api::MachineHealthCheck>>>,
    /// `machine.openshift.io/v1 ControlPlaneMachineSet`.
    pub control_plane_machine_sets: Arc<Vec<Arc<api::ControlPlaneMachineSet>>>,
    /// `v1 ConfigMap`: admin-gates and release signatures of `openshift-config-managed`, admin-acks of `openshift-config`.
    pub config_maps: Arc<Vec<Arc<api::ConfigMap>>>,
    /// `apiserver.openshift.io/v1 APIRequestCount`.
    pub api_request_counts: Arc<Vec<Arc<api::APIRequestCount>>>,
    /// `config.openshift.io/v1 Infrastructure`; the one named `cluster`.
    pub infrastructures: Arc<Vec<Arc<api::Infrastructure>>>,
    /// `config.openshift.io/v1 ImageDigestMirrorSet`; absent before 4.13.
    pub image_digest_mirror_sets: Arc<Vec<Arc<api::ImageDigestMirrorSet>>>,
    /// `operator.openshift.io/v1alpha1 ImageContentSourcePolicy`.
    pub image_content_source_policies: Arc<Vec<Arc<api::ImageContentSourcePolicy>>>,
    /// `machineconfiguration.openshift.io/v1 PinnedImageSet`.
    pub pinned_image_sets: Arc<Vec<Arc<api::PinnedImageSet>>>,
    /// `machineconfiguration.openshift.io/v1 MachineOSConfig`.
    pub machine_os_configs: Arc<Vec<Arc<api::MachineOSConfig>>>,
    /// `machineconfiguration.openshift.io/v1 MachineOSBuild`.
    pub machine_os_builds: Arc<Vec<Arc<api::MachineOSBuild>>>,
    /// `operator.openshift.io/v1 MachineConfiguration`; the one named `cluster`.
    pub machine_configurations: Arc<Vec<Arc<api::MachineConfiguration>>>,
    /// `machineconfiguration.openshift.io/v1 ControllerConfig`: certificates.
    pub controller_configs: Arc<Vec<Arc<api::ControllerConfig>>>,
    /// `operators.coreos.com/v1alpha1 ClusterServiceVersion`, without copies.
    pub cluster_service_versions: Arc<Vec<Arc<api::ClusterServiceVersion>>>,
    /// `operators.coreos.com/v1alpha1 Subscription`.
    pub subscriptions: Arc<Vec<Arc<api::Subscription>>>,
    /// `operators.coreos.com/v1alpha1 InstallPlan`.
    pub install_plans: Arc<Vec<Arc<api::InstallPlan>>>,
    /// `apps/v1 Deployment`: the machine-config operator and the cluster-version operator.
    pub deployments: Arc<Vec<Arc<api::Deployment>>>,
    /// `operator.openshift.io/v1 CloudCredential`; the one named `cluster`.
    pub cloud_credentials: Arc<Vec<Arc<api::CloudCredential>>>,
    /// `config.openshift.io/v1 Authentication`; the one named `cluster`.
    pub authentications: Arc<Vec<Arc<api::Authentication>>>,
    /// `v1 Secret`, metadata only: the root cloud credentials of `kube-system`.
    pub secrets: Arc<Vec<Arc<api::Secret>>>,
    /// `kubevirt.io/v1 VirtualMachineInstance`.
    pub virtual_machine_instances: Arc<Vec<Arc<api::VirtualMachineInstance>>>,
    /// `lca.openshift.io/v1 ImageBasedUpgrade`; the one named `upgrade`.
    pub image_based_upgrades: Arc<Vec<Arc<api::ImageBasedUpgrade>>>,
    /// `lca.openshift.io/v1 IPConfig`; the one named `ipconfig`.
    pub ip_configs: Arc<Vec<Arc<api::IPConfig>>>,
    /// `velero.io/v1 Backup`.
    pub backups: Arc<Vec<Arc<api::Backup>>>,
    /// `velero.io/v1 Restore`.
    pub restores: Arc<Vec<Arc<api::Restore>>>,
    /// `velero.io/v1 BackupStorageLocation`.
    pub backup_storage_locations: Arc<Vec<Arc<api::BackupStorageLocation>>>,
    /// `oadp.openshift.io/v1alpha1 DataProtectionApplication`.
    pub data_protection_applications: Arc<Vec<Arc<api::DataProtectionApplication>>>,
    /// `topolvm.io/v1 LogicalVolume`: volumes on the node's own disks.
    pub logical_volumes: Arc<Vec<Arc<api::LogicalVolume>>>,
    /// `v1 PersistentVolume`.
    pub persistent_volumes: Arc<Vec<Arc<api::PersistentVolume>>>,
    /// `sriovnetwork.openshift.io/v1 SriovNetworkNodeState`.
    pub sriov_node_states: Arc<Vec<Arc<api::SriovNetworkNodeState>>>,
    /// Alerts, firing ones and pending ones.
    pub alerts: Arc<Vec<Alert>>,
}

impl Around {
    /// The pods of a node; none: they were not read.
    pub fn pods_of(&self, node: &str) -> Option<&[Arc<api::Pod>]> {
        self.pods.get(node).map(|pods| pods.as_slice())
    }

    /// A ConfigMap.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&api::ConfigMap> {
        self.config_maps.iter().map(AsRef::as_ref).find(|map| map.namespace() == namespace && map.name() == name)
    }
}

/// Something the cluster said once: an Event on a Node, of the machine-config operator or the cluster-version operator.
pub type Event = api::Event;

/// All that was observed. Cheap to clone: vectors of pointers. Vectors are ordered by name.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The link to the API server.
    pub link: Link,
    /// Freshness per kind; a missing entry is [`KindStatus::Waiting`].
    pub kinds: BTreeMap<Kind, KindState>,
    /// ClusterVersion `version`.
    pub cluster_version: Option<Arc<api::ClusterVersion>>,
    /// ClusterOperators.
    pub operators: Arc<Vec<Arc<api::ClusterOperator>>>,
    /// MachineConfigPools.
    pub pools: Arc<Vec<Arc<api::MachineConfigPool>>>,
    /// MachineConfigNodes; empty where the kind is absent.
    pub machine_config_nodes: Arc<Vec<Arc<api::MachineConfigNode>>>,
    /// Nodes.
    pub nodes: Arc<Vec<Arc<api::Node>>>,
    /// MachineConfigs, metadata only.
    pub machine_configs: Arc<Vec<Arc<api::MachineConfig>>>,
    /// Events, oldest first: read once at the start (from which timeline and clocks are rebuilt), and watched while nodes
    /// drain or a request is being accepted.
    pub events: Arc<Vec<Event>>,
    /// What is around the update, as far as it was needed.
    pub around: Arc<Around>,
    /// Who the user is and what the user may do.
    pub access: Arc<Access>,
    /// Counts up when another cluster answered and everything was dropped: memories of before are void.
    pub epoch: u64,
    /// Counts up when the person chose another context: then what answers has nothing to do with what did before.
    pub chosen: u64,
}

impl Facts {
    /// Nothing was observed yet.
    pub fn nothing(now: DateTime<Utc>) -> Self {
        Self {
            link: Link::connecting(now),
            kinds: BTreeMap::new(),
            cluster_version: None,
            operators: Arc::default(),
            pools: Arc::default(),
            machine_config_nodes: Arc::default(),
            nodes: Arc::default(),
            machine_configs: Arc::default(),
            events: Arc::default(),
            around: Arc::default(),
            access: Arc::default(),
            epoch: 0,
            chosen: 0,
        }
    }

    /// Are these the same observations as `other`, heard at another time? Then they mean the same; only ages differ.
    pub fn same_but_heard(&self, other: &Self) -> bool {
        let version = match (&self.cluster_version, &other.cluster_version) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        let kinds = |facts: &Self| {
            let said = facts.kinds.iter().map(|(kind, state)| (*kind, state.status.clone(), state.unreadable.clone()));
            said.collect::<Vec<_>>()
        };
        version
            && self.epoch == other.epoch
            && (self.link.state, &self.link.trouble) == (other.link.state, &other.link.trouble)
            && self.link.clock_ahead == other.link.clock_ahead
            && Arc::ptr_eq(&self.operators, &other.operators)
            && Arc::ptr_eq(&self.pools, &other.pools)
            && Arc::ptr_eq(&self.machine_config_nodes, &other.machine_config_nodes)
            && Arc::ptr_eq(&self.nodes, &other.nodes)
            && Arc::ptr_eq(&self.machine_configs, &other.machine_configs)
            && Arc::ptr_eq(&self.events, &other.events)
            && Arc::ptr_eq(&self.around, &other.around)
            && Arc::ptr_eq(&self.access, &other.access)
            && kinds(self) == kinds(other)
    }

    /// The same, with what was dated by this machine's clock told by one that is ahead by so much (the server's). Objects
    /// have the server's moments anyway.
    #[must_use]
    pub fn ahead_by(mut self, ahead: TimeDelta) -> Self {
        if ahead.is_zero() {
            return self;
        }
        self.link = self.link.ahead_by(ahead);
        for state in self.kinds.values_mut() {
            state.heard = state.heard.map(|heard| heard + ahead);
            state.status = match std::mem::take(&mut state.status) {
                KindStatus::Failing(trouble) => KindStatus::Failing(trouble.ahead_by(ahead)),
                KindStatus::Forbidden(trouble) => KindStatus::Forbidden(trouble.ahead_by(ahead)),
                same => same,
            };
        }
        self
    }

    /// How well `kind` is known.
    pub fn status(&self, kind: Kind) -> &KindStatus {
        const WAITING: &KindStatus = &KindStatus::Waiting;
        const NOT_ASKED: &KindStatus = &KindStatus::NotAsked;
        let unheard = if kind.is_core() { WAITING } else { NOT_ASKED };
        self.kinds.get(&kind).map_or(unheard, |state| &state.status)
    }

    /// Has `kind` been asked for and said something: objects, absence, a refusal, a failure?
    pub fn settled(&self, kind: Kind) -> bool {
        !matches!(self.status(kind), KindStatus::NotAsked | KindStatus::Waiting)
    }

    /// Was `kind` listed, so that an object that is not among its objects does not exist? An absent kind has none.
    /// While its watch fails, what is known is the last good content, if there was any.
    pub fn known(&self, kind: Kind) -> bool {
        match self.status(kind) {
            KindStatus::Live | KindStatus::Absent => true,
            KindStatus::Failing(_) => self.kinds.get(&kind).is_some_and(|state| state.heard.is_some()),
            KindStatus::NotAsked | KindStatus::Waiting | KindStatus::Forbidden(_) => false,
        }
    }

    /// Has every core kind said something (objects, absence or refusal)? The first picture is complete then.
    pub fn complete(&self) -> bool {
        Kind::CORE.iter().all(|kind| *self.status(*kind) != KindStatus::Waiting)
    }
}

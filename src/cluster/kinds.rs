//! Where the objects of each kind live in the facts.

use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::places::{Part, Place};
use super::session::Session;
use crate::api;
use crate::upgrade::facts::{Facts, Kind, KindState};

/// A kind that is listed and watched.
pub(super) trait Watched:
    kube::Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// Which kind.
    const KIND: Kind;

    /// Its objects in the facts, ordered by namespace and name; of kinds that are kept apart (pods by node) those of the
    /// place.
    fn objects<R>(facts: &mut Facts, place: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R;

    /// Its name; empty for what is no object.
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace; empty for what has none.
    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// The same where an older version of the API told it ([`Place::fallback`]): it may have meant something else.
    #[must_use]
    fn told_by_older(self) -> Self {
        self
    }

    /// Called for each object that came, before it is put into the facts.
    fn noticed(&self, _session: &Session) {}
}

macro_rules! core {
    ($lens:ident, $kind:ident, $field:ident) => {
        impl Watched for api::$lens {
            const KIND: Kind = Kind::$kind;

            fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
                change(Arc::make_mut(&mut facts.$field))
            }
        }
    };
}

macro_rules! around {
    ($lens:ident, $kind:ident, $field:ident) => {
        impl Watched for api::$lens {
            const KIND: Kind = Kind::$kind;

            fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
                change(Arc::make_mut(&mut Arc::make_mut(&mut facts.around).$field))
            }
        }
    };
}

core!(ClusterOperator, ClusterOperators, operators);
core!(MachineConfigPool, MachineConfigPools, pools);
core!(MachineConfigNode, MachineConfigNodes, machine_config_nodes);
core!(Node, Nodes, nodes);
core!(MachineConfig, MachineConfigs, machine_configs);

around!(CertificateSigningRequest, CertificateSigningRequests, certificate_signing_requests);
around!(Machine, Machines, machines);
around!(MachineHealthCheck, MachineHealthChecks, machine_health_checks);
around!(ControlPlaneMachineSet, ControlPlaneMachineSets, control_plane_machine_sets);
around!(ConfigMap, ConfigMaps, config_maps);
around!(APIRequestCount, ApiRequestCounts, api_request_counts);
around!(Infrastructure, Infrastructures, infrastructures);
around!(ImageDigestMirrorSet, ImageDigestMirrorSets, image_digest_mirror_sets);
around!(ImageContentSourcePolicy, ImageContentSourcePolicies, image_content_source_policies);
around!(PinnedImageSet, PinnedImageSets, pinned_image_sets);
around!(MachineOSConfig, MachineOsConfigs, machine_os_configs);
around!(MachineOSBuild, MachineOsBuilds, machine_os_builds);
around!(MachineConfiguration, MachineConfigurations, machine_configurations);
around!(ControllerConfig, ControllerConfigs, controller_configs);
around!(ClusterServiceVersion, ClusterServiceVersions, cluster_service_versions);
around!(Subscription, Subscriptions, subscriptions);
around!(InstallPlan, InstallPlans, install_plans);
around!(Deployment, Deployments, deployments);
around!(CloudCredential, CloudCredentials, cloud_credentials);
around!(Authentication, Authentications, authentications);
around!(Secret, Secrets, secrets);
around!(VirtualMachineInstance, VirtualMachineInstances, virtual_machine_instances);
around!(ImageBasedUpgrade, ImageBasedUpgrades, image_based_upgrades);
around!(IPConfig, IpConfigs, ip_configs);
around!(Backup, Backups, backups);
around!(Restore, Restores, restores);
around!(BackupStorageLocation, BackupStorageLocations, backup_storage_locations);
around!(DataProtectionApplication, DataProtectionApplications, data_protection_applications);
around!(LogicalVolume, LogicalVolumes, logical_volumes);
around!(PersistentVolume, PersistentVolumes, persistent_volumes);
around!(SriovNetworkNodeState, SriovNodeStates, sriov_node_states);

impl Watched for api::PodDisruptionBudget {
    const KIND: Kind = Kind::PodDisruptionBudgets;

    fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        change(Arc::make_mut(&mut Arc::make_mut(&mut facts.around).pod_disruption_budgets))
    }

    fn told_by_older(self) -> Self {
        self.of_v1beta1()
    }
}

impl Watched for api::ClusterVersion {
    const KIND: Kind = Kind::ClusterVersions;

    /// There is one, named `version` (cluster-version-operator, `DefaultClusterVersionName`); others are not looked at.
    fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        let mut objects: Vec<_> = facts.cluster_version.take().into_iter().collect();
        let result = change(&mut objects);
        facts.cluster_version = objects.into_iter().find(|one| one.name() == "version");
        result
    }

    fn noticed(&self, session: &Session) {
        if self.name() == "version" {
            session.saw_cluster_version(self);
        }
    }
}

impl Watched for api::Pod {
    const KIND: Kind = Kind::Pods;

    /// Kept by node; a place that holds no node's pods has none to keep.
    fn objects<R>(facts: &mut Facts, place: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        let Part::Node(node) = &place.part else { return change(&mut Vec::new()) };
        let pods = Arc::make_mut(&mut Arc::make_mut(&mut facts.around).pods);
        change(Arc::make_mut(pods.entry(node.clone()).or_default()))
    }
}

/// Does `$then` with the lens of `$kind` as `$lens`; kinds that are no objects of the API server get `$other`.
macro_rules! with_lens {
    ($kind:expr, $lens:ident => $then:expr, else $other:expr) => {
        $crate::cluster::kinds::with_lens!(@ $kind, $lens => $then, else $other;
            ClusterVersions: ClusterVersion, ClusterOperators: ClusterOperator, MachineConfigPools: MachineConfigPool,
            MachineConfigNodes: MachineConfigNode, Nodes: Node, MachineConfigs: MachineConfig, Pods: Pod,
            PodDisruptionBudgets: PodDisruptionBudget, CertificateSigningRequests: CertificateSigningRequest,
            Machines: Machine, MachineHealthChecks: MachineHealthCheck,
            ControlPlaneMachineSets: ControlPlaneMachineSet, ConfigMaps: ConfigMap, ApiRequestCounts: APIRequestCount,
            Infrastructures: Infrastructure, ImageDigestMirrorSets: ImageDigestMirrorSet,
            ImageContentSourcePolicies: ImageContentSourcePolicy, PinnedImageSets: PinnedImageSet,
            MachineOsConfigs: MachineOSConfig, MachineOsBuilds: MachineOSBuild,
            MachineConfigurations: MachineConfiguration, ControllerConfigs: ControllerConfig,
            ClusterServiceVersions: ClusterServiceVersion, Subscriptions: Subscription, InstallPlans: InstallPlan,
            Deployments: Deployment, CloudCredentials: CloudCredential, Authentications: Authentication,
            Secrets: Secret, VirtualMachineInstances: VirtualMachineInstance,
            ImageBasedUpgrades: ImageBasedUpgrade, IpConfigs: IPConfig, Backups: Backup, Restores: Restore, BackupStorageLocations: BackupStorageLocation, DataProtectionApplications: DataProtectionApplication, LogicalVolumes: LogicalVolume,
            PersistentVolumes: PersistentVolume, SriovNodeStates: SriovNetworkNodeState)
    };
    (@ $kind:expr, $lens:ident => $then:expr, else $other:expr; $($name:ident: $type:ident),*) => {
        match $kind {
            $( $crate::upgrade::facts::Kind::$name => { type $lens = $crate::api::$type; $then } )*
            $crate::upgrade::facts::Kind::Alerts => $other,
        }
    };
}

pub(super) use with_lens;

/// What an object that could not be read is called: `name`, or `namespace/name`.
pub(super) fn label(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Replaces all objects of the place. Objects that could not be read this time stay as they were last read.
pub(super) fn replace<K: Watched>(
    (facts, state): (&mut Facts, &mut KindState),
    place: &Place,
    mut fresh: Vec<Arc<K>>,
    unreadable: Vec<(String, String)>,
) {
    K::objects(facts, place, |objects| {
        let stays = |object: &&Arc<K>| {
            let (namespace, name) = (object.namespace(), object.name());
            !place.owns(namespace, name) || unreadable.iter().any(|(bad, _)| *bad == label(namespace, name))
        };
        fresh.extend(objects.iter().filter(stays).cloned());
        fresh.sort_by(|a, b| key(a.as_ref()).cmp(&key(b.as_ref())));
        fresh.shrink_to_fit();
        *objects = fresh;
    });
    state.unreadable = unreadable;
}

/// Adds or replaces one object.
pub(super) fn apply<K: Watched>((facts, state): (&mut Facts, &mut KindState), place: &Place, object: Arc<K>) {
    forgive(state, object.namespace(), object.name());
    K::objects(facts, place, |objects| match find(objects, key(object.as_ref())) {
        Ok(place) => objects[place] = object,
        Err(place) => objects.insert(place, object),
    });
}

/// Removes one object.
pub(super) fn delete<K: Watched>((facts, state): (&mut Facts, &mut KindState), place: &Place, key: (&str, &str)) {
    forgive(state, key.0, key.1);
    K::objects(facts, place, |objects| {
        if let Ok(place) = find(objects, key) {
            objects.remove(place);
        }
    });
}

/// Removes all objects of the place.
pub(super) fn clear<K: Watched>((facts, state): (&mut Facts, &mut KindState), place: &Place) {
    K::objects(facts, place, |objects| objects.retain(|object| !place.owns(object.namespace(), object.name())));
    state.unreadable.clear();
}

/// Names an object that could not be read; its last good version stays.
pub(super) fn unreadable(state: &mut KindState, name: String, why: String) {
    state.unreadable.retain(|(other, _)| *other != name);
    state.unreadable.push((name, why));
}

fn forgive(state: &mut KindState, namespace: &str, name: &str) {
    if !state.unreadable.is_empty() {
        let label = label(namespace, name);
        state.unreadable.retain(|(unreadable, _)| *unreadable != label);
    }
}

fn key<K: Watched>(object: &K) -> (&str, &str) {
    (object.namespace(), object.name())
}

fn find<K: Watched>(objects: &[Arc<K>], wanted: (&str, &str)) -> Result<usize, usize> {
    objects.binary_search_by(|object| key(object.as_ref()).cmp(&wanted))
}

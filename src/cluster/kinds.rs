//! Where the objects of each kind live in the facts.
//!
//! Whoever lists and watches knows an [`Object`] and its [`Shelf`], not its lens: those tasks are compiled once, not once
//! for each kind.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::decode;
use super::places::{Part, Place};
use super::session::Session;
use crate::api;
use crate::upgrade::facts::{Around, Facts, Kind, KindState};

/// An object of whichever kind.
pub(super) trait Observed: Any + Send + Sync {
    /// Its name; empty for what is no object.
    fn name(&self) -> &str;

    /// Its namespace; empty for what has none.
    fn namespace(&self) -> &str;

    /// Its resourceVersion; empty for what has none.
    fn version(&self) -> &str;

    /// Called for each object that came, before it is put into the facts.
    fn noticed(&self, session: &Session);
}

/// An object as it is handed on.
pub(super) type Object = Arc<dyn Observed>;

/// The place of a kind's objects in the facts, ordered by namespace and name.
pub(super) trait Shelf: Send + Sync {
    /// Is only metadata asked for?
    fn metadata_only(&self) -> bool;

    /// Reads an object; `older`: as an older version of the API told it ([`Place::fallback`]).
    fn read(&self, text: &[u8], older: bool) -> Result<Object, serde_json::Error>;

    /// Replaces the objects of the place, but for those that stay.
    fn replace(&self, facts: &mut Facts, place: &Place, fresh: Vec<Object>, stays: Stays<'_>);

    /// Adds or replaces one object.
    fn put(&self, facts: &mut Facts, place: &Place, object: Object);

    /// Removes the object of this namespace and name.
    fn take(&self, facts: &mut Facts, place: &Place, key: (&str, &str));
}

/// Does the object of this namespace and name stay?
type Stays<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A kind that is listed and watched.
pub(super) trait Watched: kube::Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static {
    /// Its objects in the facts, ordered by namespace and name; of kinds that are kept apart (pods by node) those of the
    /// place.
    fn objects<R>(facts: &mut Facts, place: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R;

    /// The same where an older version of the API told it ([`Place::fallback`]): it may have meant something else.
    #[must_use]
    fn told_by_older(self) -> Self {
        self
    }

    /// See [`Observed::noticed`].
    fn noticed(&self, _session: &Session) {}
}

impl<K: Watched> Observed for K {
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    fn version(&self) -> &str {
        self.meta().resource_version.as_deref().unwrap_or_default()
    }

    fn noticed(&self, session: &Session) {
        Watched::noticed(self, session);
    }
}

/// The shelf of a lens.
struct Of<K>(PhantomData<fn() -> K>);

impl<K: Watched> Shelf for Of<K> {
    fn metadata_only(&self) -> bool {
        K::metadata_api()
    }

    fn read(&self, text: &[u8], older: bool) -> Result<Object, serde_json::Error> {
        let object: K = decode::object(text)?;
        Ok(Arc::new(if older { object.told_by_older() } else { object }))
    }

    fn replace(&self, facts: &mut Facts, place: &Place, mut fresh: Vec<Object>, stays: Stays<'_>) {
        K::objects(facts, place, |objects| {
            let staying = objects.iter().filter(|object| stays(object.namespace(), object.name()));
            fresh.extend(staying.map(|object| Arc::clone(object) as Object));
            sort(&mut fresh);
            *objects = fresh.into_iter().filter_map(own).collect();
            objects.shrink_to_fit();
        });
    }

    fn put(&self, facts: &mut Facts, place: &Place, object: Object) {
        let Some(object) = own::<K>(object) else { return };
        K::objects(facts, place, |objects| match find(objects, key(object.as_ref())) {
            Ok(place) => objects[place] = object,
            Err(place) => objects.insert(place, object),
        });
    }

    fn take(&self, facts: &mut Facts, place: &Place, key: (&str, &str)) {
        K::objects(facts, place, |objects| {
            if let Ok(place) = find(objects, key) {
                objects.remove(place);
            }
        });
    }
}

/// The object in its own lens.
fn own<K: Watched>(object: Object) -> Option<Arc<K>> {
    let object: Arc<dyn Any + Send + Sync> = object;
    object.downcast().ok()
}

fn sort(objects: &mut [Object]) {
    objects.sort_by(|a, b| key(a.as_ref()).cmp(&key(b.as_ref())));
}

fn key(object: &dyn Observed) -> (&str, &str) {
    (object.namespace(), object.name())
}

fn find<K: Watched>(objects: &[Arc<K>], wanted: (&str, &str)) -> Result<usize, usize> {
    objects.binary_search_by(|object| key(object.as_ref()).cmp(&wanted))
}

fn around(facts: &mut Facts) -> &mut Around {
    Arc::make_mut(&mut facts.around)
}

macro_rules! core {
    ($lens:ident, $field:ident) => {
        impl Watched for api::$lens {
            fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
                change(Arc::make_mut(&mut facts.$field))
            }
        }
    };
}

macro_rules! around {
    ($lens:ident, $field:ident) => {
        impl Watched for api::$lens {
            fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
                change(Arc::make_mut(&mut around(facts).$field))
            }
        }
    };
}

core!(ClusterOperator, operators);
core!(MachineConfigPool, pools);
core!(MachineConfigNode, machine_config_nodes);
core!(Node, nodes);
core!(MachineConfig, machine_configs);

around!(CertificateSigningRequest, certificate_signing_requests);
around!(Machine, machines);
around!(MachineHealthCheck, machine_health_checks);
around!(ControlPlaneMachineSet, control_plane_machine_sets);
around!(ConfigMap, config_maps);
around!(APIRequestCount, api_request_counts);
around!(Infrastructure, infrastructures);
around!(ImageDigestMirrorSet, image_digest_mirror_sets);
around!(ImageContentSourcePolicy, image_content_source_policies);
around!(PinnedImageSet, pinned_image_sets);
around!(MachineOSConfig, machine_os_configs);
around!(MachineOSBuild, machine_os_builds);
around!(MachineConfiguration, machine_configurations);
around!(ControllerConfig, controller_configs);
around!(ClusterServiceVersion, cluster_service_versions);
around!(Subscription, subscriptions);
around!(InstallPlan, install_plans);
around!(Deployment, deployments);
around!(CloudCredential, cloud_credentials);
around!(Authentication, authentications);
around!(Secret, secrets);
around!(VirtualMachineInstance, virtual_machine_instances);
around!(ImageBasedUpgrade, image_based_upgrades);
around!(IPConfig, ip_configs);
around!(Backup, backups);
around!(Restore, restores);
around!(BackupStorageLocation, backup_storage_locations);
around!(DataProtectionApplication, data_protection_applications);
around!(LogicalVolume, logical_volumes);
around!(PersistentVolume, persistent_volumes);
around!(SriovNetworkNodeState, sriov_node_states);

impl Watched for api::PodDisruptionBudget {
    fn objects<R>(facts: &mut Facts, _: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        change(Arc::make_mut(&mut around(facts).pod_disruption_budgets))
    }

    fn told_by_older(self) -> Self {
        self.of_v1beta1()
    }
}

impl Watched for api::ClusterVersion {
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
    /// Kept by node; a place that holds no node's pods has none to keep.
    fn objects<R>(facts: &mut Facts, place: &Place, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        let Part::Node(node) = &place.part else { return change(&mut Vec::new()) };
        let pods = Arc::make_mut(&mut around(facts).pods);
        change(Arc::make_mut(pods.entry(node.clone()).or_default()))
    }
}

/// The shelf of a kind; none for those that are no objects of the API server.
pub(super) fn shelf(kind: Kind) -> Option<&'static dyn Shelf> {
    fn of<K: Watched>() -> &'static dyn Shelf {
        &Of::<K>(PhantomData)
    }
    let shelf = match kind {
        Kind::Alerts => return None,
        Kind::ClusterVersions => of::<api::ClusterVersion>(),
        Kind::ClusterOperators => of::<api::ClusterOperator>(),
        Kind::MachineConfigPools => of::<api::MachineConfigPool>(),
        Kind::MachineConfigNodes => of::<api::MachineConfigNode>(),
        Kind::Nodes => of::<api::Node>(),
        Kind::MachineConfigs => of::<api::MachineConfig>(),
        Kind::Pods => of::<api::Pod>(),
        Kind::PodDisruptionBudgets => of::<api::PodDisruptionBudget>(),
        Kind::CertificateSigningRequests => of::<api::CertificateSigningRequest>(),
        Kind::Machines => of::<api::Machine>(),
        Kind::MachineHealthChecks => of::<api::MachineHealthCheck>(),
        Kind::ControlPlaneMachineSets => of::<api::ControlPlaneMachineSet>(),
        Kind::ConfigMaps => of::<api::ConfigMap>(),
        Kind::ApiRequestCounts => of::<api::APIRequestCount>(),
        Kind::Infrastructures => of::<api::Infrastructure>(),
        Kind::ImageDigestMirrorSets => of::<api::ImageDigestMirrorSet>(),
        Kind::ImageContentSourcePolicies => of::<api::ImageContentSourcePolicy>(),
        Kind::PinnedImageSets => of::<api::PinnedImageSet>(),
        Kind::MachineOsConfigs => of::<api::MachineOSConfig>(),
        Kind::MachineOsBuilds => of::<api::MachineOSBuild>(),
        Kind::MachineConfigurations => of::<api::MachineConfiguration>(),
        Kind::ControllerConfigs => of::<api::ControllerConfig>(),
        Kind::ClusterServiceVersions => of::<api::ClusterServiceVersion>(),
        Kind::Subscriptions => of::<api::Subscription>(),
        Kind::InstallPlans => of::<api::InstallPlan>(),
        Kind::Deployments => of::<api::Deployment>(),
        Kind::CloudCredentials => of::<api::CloudCredential>(),
        Kind::Authentications => of::<api::Authentication>(),
        Kind::Secrets => of::<api::Secret>(),
        Kind::VirtualMachineInstances => of::<api::VirtualMachineInstance>(),
        Kind::ImageBasedUpgrades => of::<api::ImageBasedUpgrade>(),
        Kind::IpConfigs => of::<api::IPConfig>(),
        Kind::Backups => of::<api::Backup>(),
        Kind::Restores => of::<api::Restore>(),
        Kind::BackupStorageLocations => of::<api::BackupStorageLocation>(),
        Kind::DataProtectionApplications => of::<api::DataProtectionApplication>(),
        Kind::LogicalVolumes => of::<api::LogicalVolume>(),
        Kind::PersistentVolumes => of::<api::PersistentVolume>(),
        Kind::SriovNodeStates => of::<api::SriovNetworkNodeState>(),
    };
    Some(shelf)
}

/// What an object that could not be read is called: `name`, or `namespace/name`.
pub(super) fn label(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Replaces all objects of the place. Objects that could not be read this time stay as they were last read.
pub(super) fn replace(
    (facts, state): (&mut Facts, &mut KindState),
    (shelf, place): (&dyn Shelf, &Place),
    fresh: Vec<Object>,
    unreadable: Vec<(String, String)>,
) {
    shelf.replace(facts, place, fresh, &|namespace, name| {
        !place.owns(namespace, name) || unreadable.iter().any(|(bad, _)| *bad == label(namespace, name))
    });
    state.unreadable = unreadable;
}

/// Adds or replaces one object.
pub(super) fn apply(
    (facts, state): (&mut Facts, &mut KindState),
    (shelf, place): (&dyn Shelf, &Place),
    object: Object,
) {
    forgive(state, object.namespace(), object.name());
    shelf.put(facts, place, object);
}

/// Removes one object.
pub(super) fn delete(
    (facts, state): (&mut Facts, &mut KindState),
    (shelf, place): (&dyn Shelf, &Place),
    key: (&str, &str),
) {
    forgive(state, key.0, key.1);
    shelf.take(facts, place, key);
}

/// Removes all objects of the place.
pub(super) fn clear((facts, state): (&mut Facts, &mut KindState), (shelf, place): (&dyn Shelf, &Place)) {
    shelf.replace(facts, place, Vec::new(), &|namespace, name| !place.owns(namespace, name));
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

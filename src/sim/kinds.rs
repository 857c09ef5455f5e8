//! The registry of kinds that the simulated cluster serves.
//!
//! Belongs here: names, scope, subresources and traits of kinds. Does not: objects (see [`crate::sim::store`]),
//! columns ([`crate::sim::tables`]) or validation ([`crate::sim::schema`]).

/// The address of a kind's collection: its API group and its plural name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Res {
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The plural, lower-case name, as in a URL.
    pub plural: &'static str,
}

/// What the server knows about one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindInfo {
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The served (and preferred) version.
    pub version: &'static str,
    /// The kind, as in `kind:`.
    pub kind: &'static str,
    /// The plural name, as in a URL.
    pub plural: &'static str,
    /// The singular name.
    pub singular: &'static str,
    /// Short names that kubectl understands.
    pub short: &'static [&'static str],
    /// Categories, such as `all`.
    pub categories: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether there is a status subresource. Writes to the main resource then leave `.status` alone.
    pub status: bool,
    /// Whether the kind comes from a CustomResourceDefinition: such kinds know no strategic merge patch.
    pub custom: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub generation: bool,
}

impl KindInfo {
    /// The kind's address.
    pub const fn res(&self) -> Res {
        Res { group: self.group, plural: self.plural }
    }

    /// `group/version`, or the bare version in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The verbs that clients may use on the collection and its members.
    pub const fn verbs(&self) -> &'static [&'static str] {
        // A Namespace has no deletecollection: kube-apiserver, pkg/registry/core/namespace/storage.
        if self.group.is_empty() && matches!(self.plural.as_bytes(), b"namespaces") {
            &["create", "delete", "get", "list", "patch", "update", "watch"]
        } else {
            &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        }
    }

    /// A kind that comes from a CustomResourceDefinition: cluster-scoped, with a status subresource.
    const fn custom(group: &'static str, version: &'static str, kind: &'static str, names: [&'static str; 2]) -> Self {
        let [plural, singular] = names;
        Self {
            group,
            version,
            kind,
            plural,
            singular,
            short: &[],
            categories: &[],
            namespaced: false,
            status: true,
            custom: true,
            generation: true,
        }
    }

    /// A kind built into the API server: cluster-scoped, with a status subresource and without a generation.
    const fn built_in(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        names: [&'static str; 2],
    ) -> Self {
        let info = Self::custom(group, version, kind, names);
        Self { custom: false, generation: false, ..info }
    }

    const fn short(self, short: &'static [&'static str]) -> Self {
        Self { short, ..self }
    }

    const fn extends_api(self) -> Self {
        Self { categories: &["api-extensions"], ..self }
    }

    const fn in_all(self) -> Self {
        Self { categories: &["all"], ..self }
    }

    const fn namespaced(self) -> Self {
        Self { namespaced: true, ..self }
    }

    const fn no_status(self) -> Self {
        Self { status: false, ..self }
    }

    const fn counted(self) -> Self {
        Self { generation: true, ..self }
    }

    /// A kind that is known only from an object of it: the plural is guessed as clients guess it, the scope is told by
    /// whether the object has a namespace. The names live as long as the program.
    pub fn guessed(api_version: &str, kind: &str, namespaced: bool) -> Self {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let singular = kind.to_lowercase();
        let plural = plural_of(&singular);
        Self {
            group: leak(group),
            version: leak(version),
            kind: leak(kind),
            plural: leak(&plural),
            singular: leak(&singular),
            short: &[],
            categories: &[],
            namespaced,
            status: false,
            custom: true,
            generation: true,
        }
    }
}

/// Kinds are few and live as long as the program, which keeps [`Res`] a plain copyable key.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// The plural that `meta.UnsafeGuessKindToResource` of apimachinery would guess.
fn plural_of(singular: &str) -> String {
    if singular.ends_with("endpoints") {
        singular.to_owned()
    } else if singular.ends_with('s') {
        format!("{singular}es")
    } else if let Some(stem) = singular.strip_suffix('y') {
        format!("{stem}ies")
    } else {
        format!("{singular}s")
    }
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident = $group:literal, $plural:literal;)*) => {
        impl Res {
            $(
                #[doc = concat!("`", $plural, "`, group `", $group, "`.")]
                pub const $name: Self = Self { group: $group, plural: $plural };
            )*
        }
    };
}

addresses! {
    NODES = "", "nodes";
    PODS = "", "pods";
    NAMESPACES = "", "namespaces";
    CONFIGMAPS = "", "configmaps";
    SECRETS = "", "secrets";
    EVENTS = "", "events";
    SERVICES = "", "services";
    ENDPOINTS = "", "endpoints";
    SERVICEACCOUNTS = "", "serviceaccounts";
    PERSISTENT_VOLUMES = "", "persistentvolumes";
    PERSISTENT_VOLUME_CLAIMS = "", "persistentvolumeclaims";
    REPLICATION_CONTROLLERS = "", "replicationcontrollers";
    DEPLOYMENTS = "apps", "deployments";
    REPLICA_SETS = "apps", "replicasets";
    DAEMON_SETS = "apps", "daemonsets";
    STATEFUL_SETS = "apps", "statefulsets";
    JOBS = "batch", "jobs";
    CRON_JOBS = "batch", "cronjobs";
    LEASES = "coordination.k8s.io", "leases";
    CSRS = "certificates.k8s.io", "certificatesigningrequests";
    PDBS = "policy", "poddisruptionbudgets";
    CRDS = "apiextensions.k8s.io", "customresourcedefinitions";
    API_SERVICES = "apiregistration.k8s.io", "apiservices";
    STORAGE_CLASSES = "storage.k8s.io", "storageclasses";
    VOLUME_ATTACHMENTS = "storage.k8s.io", "volumeattachments";
    CLUSTER_ROLES = "rbac.authorization.k8s.io", "clusterroles";
    CLUSTER_ROLE_BINDINGS = "rbac.authorization.k8s.io", "clusterrolebindings";
    CLUSTER_VERSIONS = "config.openshift.io", "clusterversions";
    CLUSTER_OPERATORS = "config.openshift.io", "clusteroperators";
    INFRASTRUCTURES = "config.openshift.io", "infrastructures";
    FEATURE_GATES = "config.openshift.io", "featuregates";
    PROXIES = "config.openshift.io", "proxies";
    IMAGES = "config.openshift.io", "images";
    NETWORKS = "config.openshift.io", "networks";
    IMAGE_DIGEST_MIRROR_SETS = "config.openshift.io", "imagedigestmirrorsets";
    IMAGE_CONTENT_SOURCE_POLICIES = "operator.openshift.io", "imagecontentsourcepolicies";
    AUTHENTICATIONS = "config.openshift.io", "authentications";
    ROUTES = "route.openshift.io", "routes";
    VIRTUAL_MACHINE_INSTANCES = "kubevirt.io", "virtualmachineinstances";
    VALIDATING_WEBHOOKS = "admissionregistration.k8s.io", "validatingwebhookconfigurations";
    MACHINE_CONFIG_POOLS = "machineconfiguration.openshift.io", "machineconfigpools";
    MACHINE_CONFIGS = "machineconfiguration.openshift.io", "machineconfigs";
    MACHINE_CONFIG_NODES = "machineconfiguration.openshift.io", "machineconfignodes";
    CONTROLLER_CONFIGS = "machineconfiguration.openshift.io", "controllerconfigs";
    KUBELET_CONFIGS = "machineconfiguration.openshift.io", "kubeletconfigs";
    CONTAINER_RUNTIME_CONFIGS = "machineconfiguration.openshift.io", "containerruntimeconfigs";
    MACHINE_OS_BUILDS = "machineconfiguration.openshift.io", "machineosbuilds";
    MACHINE_OS_CONFIGS = "machineconfiguration.openshift.io", "machineosconfigs";
    PINNED_IMAGE_SETS = "machineconfiguration.openshift.io", "pinnedimagesets";
    MACHINE_CONFIGURATIONS = "operator.openshift.io", "machineconfigurations";
    CLOUD_CREDENTIALS = "operator.openshift.io", "cloudcredentials";
    CREDENTIALS_REQUESTS = "cloudcredential.openshift.io", "credentialsrequests";
    ETCDS = "operator.openshift.io", "etcds";
    KUBE_API_SERVERS = "operator.openshift.io", "kubeapiservers";
    MACHINES = "machine.openshift.io", "machines";
    MACHINE_SETS = "machine.openshift.io", "machinesets";
    MACHINE_HEALTH_CHECKS = "machine.openshift.io", "machinehealthchecks";
    CONTROL_PLANE_MACHINE_SETS = "machine.openshift.io", "controlplanemachinesets";
    API_REQUEST_COUNTS = "apiserver.openshift.io", "apirequestcounts";
    SUBSCRIPTIONS = "operators.coreos.com", "subscriptions";
    CLUSTER_SERVICE_VERSIONS = "operators.coreos.com", "clusterserviceversions";
    INSTALL_PLANS = "operators.coreos.com", "installplans";
    CATALOG_SOURCES = "operators.coreos.com", "catalogsources";
    OPERATOR_GROUPS = "operators.coreos.com", "operatorgroups";
    UPDATE_SERVICES = "updateservice.operator.openshift.io", "updateservices";
    IMAGE_BASED_UPGRADES = "lca.openshift.io", "imagebasedupgrades";
    IP_CONFIGS = "lca.openshift.io", "ipconfigs";
    BACKUPS = "velero.io", "backups";
    RESTORES = "velero.io", "restores";
    BACKUP_STORAGE_LOCATIONS = "velero.io", "backupstoragelocations";
    DATA_PROTECTION_APPLICATIONS = "oadp.openshift.io", "dataprotectionapplications";
    LOGICAL_VOLUMES = "topolvm.io", "logicalvolumes";
    CLUSTER_GROUP_UPGRADES = "ran.openshift.io", "clustergroupupgrades";
    IMAGE_BASED_GROUP_UPGRADES = "lcm.openshift.io", "imagebasedgroupupgrades";
    MANAGED_CLUSTERS = "cluster.open-cluster-management.io", "managedclusters";
}

const CONFIG: &str = "config.openshift.io";
const MCO: &str = "machineconfiguration.openshift.io";
const OPERATOR: &str = "operator.openshift.io";
const MACHINE: &str = "machine.openshift.io";
const OLM: &str = "operators.coreos.com";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Every kind that is known from the start: those of a 4.19 cluster that concern an update. Names, scopes and
/// subresources follow the definitions in openshift/api and the built-in storages of kube-apiserver.
pub static KINDS: &[KindInfo] = &[
    KindInfo::built_in("", "v1", "ConfigMap", ["configmaps", "configmap"]).short(&["cm"]).namespaced().no_status(),
    KindInfo::built_in("", "v1", "Endpoints", ["endpoints", "endpoints"]).short(&["ep"]).namespaced().no_status(),
    KindInfo::built_in("", "v1", "Event", ["events", "event"]).short(&["ev"]).namespaced().no_status(),
    KindInfo::built_in("", "v1", "Namespace", ["namespaces", "namespace"]).short(&["ns"]),
    KindInfo::built_in("", "v1", "Node", ["nodes", "node"]).short(&["no"]),
    KindInfo::built_in("", "v1", "PersistentVolumeClaim", ["persistentvolumeclaims", "persistentvolumeclaim"])
        .short(&["pvc"])
        .namespaced(),
    KindInfo::built_in("", "v1", "PersistentVolume", ["persistentvolumes", "persistentvolume"]).short(&["pv"]),
    KindInfo::built_in("", "v1", "Pod", ["pods", "pod"]).short(&["po"]).in_all().namespaced(),
    KindInfo::built_in("", "v1", "ReplicationController", ["replicationcontrollers", "replicationcontroller"])
        .short(&["rc"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("", "v1", "Secret", ["secrets", "secret"]).namespaced().no_status(),
    KindInfo::built_in("", "v1", "ServiceAccount", ["serviceaccounts", "serviceaccount"])
        .short(&["sa"])
        .namespaced()
        .no_status(),
    KindInfo::built_in("", "v1", "Service", ["services", "service"]).short(&["svc"]).in_all().namespaced(),
    KindInfo::built_in("apps", "v1", "DaemonSet", ["daemonsets", "daemonset"])
        .short(&["ds"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("apps", "v1", "Deployment", ["deployments", "deployment"])
        .short(&["deploy"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("apps", "v1", "ReplicaSet", ["replicasets", "replicaset"])
        .short(&["rs"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("apps", "v1", "StatefulSet", ["statefulsets", "statefulset"])
        .short(&["sts"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("batch", "v1", "CronJob", ["cronjobs", "cronjob"])
        .short(&["cj"])
        .in_all()
        .namespaced()
        .counted(),
    KindInfo::built_in("batch", "v1", "Job", ["jobs", "job"]).in_all().namespaced().counted(),
    KindInfo::built_in("coordination.k8s.io", "v1", "Lease", ["leases", "lease"]).namespaced().no_status(),
    KindInfo::built_in(
        "certificates.k8s.io",
        "v1",
        "CertificateSigningRequest",
        ["certificatesigningrequests", "certificatesigningrequest"],
    )
    .short(&["csr"]),
    KindInfo::built_in("policy", "v1", "PodDisruptionBudget", ["poddisruptionbudgets", "poddisruptionbudget"])
        .short(&["pdb"])
        .namespaced()
        .counted(),
    KindInfo::built_in(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        ["customresourcedefinitions", "customresourcedefinition"],
    )
    .short(&["crd", "crds"])
    .extends_api()
    .counted(),
    KindInfo::built_in("apiregistration.k8s.io", "v1", "APIService", ["apiservices", "apiservice"]).extends_api(),
    KindInfo::built_in("storage.k8s.io", "v1", "StorageClass", ["storageclasses", "storageclass"])
        .short(&["sc"])
        .no_status(),
    KindInfo::built_in("storage.k8s.io", "v1", "VolumeAttachment", ["volumeattachments", "volumeattachment"]),
    KindInfo::built_in(RBAC, "v1", "ClusterRole", ["clusterroles", "clusterrole"]).no_status(),
    KindInfo::built_in(RBAC, "v1", "ClusterRoleBinding", ["clusterrolebindings", "clusterrolebinding"]).no_status(),
    KindInfo::built_in(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        ["validatingwebhookconfigurations", "validatingwebhookconfiguration"],
    )
    .extends_api()
    .no_status()
    .counted(),
    KindInfo::custom(CONFIG, "v1", "Authentication", ["authentications", "authentication"]),
    KindInfo::custom(CONFIG, "v1", "ClusterOperator", ["clusteroperators", "clusteroperator"]).short(&["co"]),
    KindInfo::custom(CONFIG, "v1", "ClusterVersion", ["clusterversions", "clusterversion"]),
    KindInfo::custom(CONFIG, "v1", "FeatureGate", ["featuregates", "featuregate"]),
    KindInfo::custom(CONFIG, "v1", "Image", ["images", "image"]),
    KindInfo::custom(CONFIG, "v1", "ImageDigestMirrorSet", ["imagedigestmirrorsets", "imagedigestmirrorset"])
        .short(&["idms"]),
    KindInfo::custom(CONFIG, "v1", "Infrastructure", ["infrastructures", "infrastructure"]),
    KindInfo::custom(CONFIG, "v1", "Network", ["networks", "network"]).no_status(),
    KindInfo::custom(CONFIG, "v1", "Proxy", ["proxies", "proxy"]),
    KindInfo::custom(MCO, "v1", "ContainerRuntimeConfig", ["containerruntimeconfigs", "containerruntimeconfig"])
        .short(&["ctrcfg"]),
    KindInfo::custom(MCO, "v1", "ControllerConfig", ["controllerconfigs", "controllerconfig"]),
    KindInfo::custom(MCO, "v1", "KubeletConfig", ["kubeletconfigs", "kubeletconfig"]),
    KindInfo::custom(MCO, "v1", "MachineConfigNode", ["machineconfignodes", "machineconfignode"]),
    KindInfo::custom(MCO, "v1", "MachineConfigPool", ["machineconfigpools", "machineconfigpool"]).short(&["mcp"]),
    KindInfo::custom(MCO, "v1", "MachineConfig", ["machineconfigs", "machineconfig"]).short(&["mc"]).no_status(),
    KindInfo::custom(MCO, "v1", "MachineOSBuild", ["machineosbuilds", "machineosbuild"]),
    KindInfo::custom(MCO, "v1", "MachineOSConfig", ["machineosconfigs", "machineosconfig"]),
    KindInfo::custom(MCO, "v1", "PinnedImageSet", ["pinnedimagesets", "pinnedimageset"]).no_status(),
    KindInfo::custom(
        OPERATOR,
        "v1alpha1",
        "ImageContentSourcePolicy",
        ["imagecontentsourcepolicies", "imagecontentsourcepolicy"],
    ),
    KindInfo::custom(OPERATOR, "v1", "CloudCredential", ["cloudcredentials", "cloudcredential"]),
    KindInfo::custom(OPERATOR, "v1", "Etcd", ["etcds", "etcd"]),
    KindInfo::custom(OPERATOR, "v1", "KubeAPIServer", ["kubeapiservers", "kubeapiserver"]),
    KindInfo::custom(OPERATOR, "v1", "MachineConfiguration", ["machineconfigurations", "machineconfiguration"]),
    KindInfo::custom(MACHINE, "v1", "ControlPlaneMachineSet", ["controlplanemachinesets", "controlplanemachineset"])
        .namespaced(),
    KindInfo::custom(MACHINE, "v1beta1", "MachineHealthCheck", ["machinehealthchecks", "machinehealthcheck"])
        .short(&["mhc", "mhcs"])
        .namespaced(),
    KindInfo::custom(MACHINE, "v1beta1", "Machine", ["machines", "machine"]).namespaced(),
    KindInfo::custom(MACHINE, "v1beta1", "MachineSet", ["machinesets", "machineset"]).namespaced(),
    KindInfo::custom("route.openshift.io", "v1", "Route", ["routes", "route"]).in_all().namespaced(),
    KindInfo::custom(
        "kubevirt.io",
        "v1",
        "VirtualMachineInstance",
        ["virtualmachineinstances", "virtualmachineinstance"],
    )
    .short(&["vmi", "vmis"])
    .namespaced(),
    KindInfo::custom("apiserver.openshift.io", "v1", "APIRequestCount", ["apirequestcounts", "apirequestcount"]),
    KindInfo::custom(
        "cloudcredential.openshift.io",
        "v1",
        "CredentialsRequest",
        ["credentialsrequests", "credentialsrequest"],
    )
    .namespaced(),
    KindInfo::custom("updateservice.operator.openshift.io", "v1", "UpdateService", ["updateservices", "updateservice"])
        .namespaced(),
    KindInfo::custom(OLM, "v1", "OperatorGroup", ["operatorgroups", "operatorgroup"]).short(&["og"]).namespaced(),
    KindInfo::custom(OLM, "v1alpha1", "CatalogSource", ["catalogsources", "catalogsource"])
        .short(&["catsrc"])
        .namespaced(),
    KindInfo::custom(OLM, "v1alpha1", "ClusterServiceVersion", ["clusterserviceversions", "clusterserviceversion"])
        .short(&["csv", "csvs"])
        .namespaced(),
    KindInfo::custom(OLM, "v1alpha1", "InstallPlan", ["installplans", "installplan"]).short(&["ip"]).namespaced(),
    KindInfo::custom(OLM, "v1alpha1", "Subscription", ["subscriptions", "subscription"])
        .short(&["sub", "subs"])
        .namespaced(),
    KindInfo::custom("lca.openshift.io", "v1", "ImageBasedUpgrade", ["imagebasedupgrades", "imagebasedupgrade"])
        .short(&["ibu"]),
    KindInfo::custom("lca.openshift.io", "v1", "IPConfig", ["ipconfigs", "ipconfig"]).short(&["ipc"]),
    // Velero's own kinds have no status subresource; whoever may write them may write all of them.
    KindInfo::custom("velero.io", "v1", "Backup", ["backups", "backup"]).namespaced().no_status(),
    KindInfo::custom("velero.io", "v1", "Restore", ["restores", "restore"]).namespaced().no_status(),
    KindInfo::custom("velero.io", "v1", "BackupStorageLocation", ["backupstoragelocations", "backupstoragelocation"])
        .short(&["bsl"])
        .namespaced()
        .no_status(),
    KindInfo::custom(
        "oadp.openshift.io",
        "v1alpha1",
        "DataProtectionApplication",
        ["dataprotectionapplications", "dataprotectionapplication"],
    )
    .short(&["dpa"])
    .namespaced(),
    KindInfo::custom("topolvm.io", "v1", "LogicalVolume", ["logicalvolumes", "logicalvolume"]),
    KindInfo::custom(
        "ran.openshift.io",
        "v1alpha1",
        "ClusterGroupUpgrade",
        ["clustergroupupgrades", "clustergroupupgrade"],
    )
    .short(&["cgu"])
    .namespaced(),
    KindInfo::custom(
        "lcm.openshift.io",
        "v1alpha1",
        "ImageBasedGroupUpgrade",
        ["imagebasedgroupupgrades", "imagebasedgroupupgrade"],
    )
    .short(&["ibgu"])
    .namespaced(),
    KindInfo::custom(
        "cluster.open-cluster-management.io",
        "v1",
        "ManagedCluster",
        ["managedclusters", "managedcluster"],
    ),
];

/// Kinds that a plain OpenShift cluster has not got: they are served once an object of them exists or a scenario says
/// so.
pub const OPTIONAL: &[Res] = &[
    Res::IMAGE_BASED_UPGRADES,
    Res::IP_CONFIGS,
    Res::BACKUPS,
    Res::RESTORES,
    Res::BACKUP_STORAGE_LOCATIONS,
    Res::DATA_PROTECTION_APPLICATIONS,
    Res::LOGICAL_VOLUMES,
    Res::CLUSTER_GROUP_UPGRADES,
    Res::IMAGE_BASED_GROUP_UPGRADES,
    Res::MANAGED_CLUSTERS,
    Res::VIRTUAL_MACHINE_INSTANCES,
    Res::UPDATE_SERVICES,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_share_an_address() {
        let mut addresses: Vec<Res> = KINDS.iter().map(KindInfo::res).collect();
        addresses.sort_unstable();
        let before = addresses.len();
        addresses.dedup();
        assert_eq!(addresses.len(), before);
    }

    #[test]
    fn a_kind_known_from_an_object_gets_the_plural_that_clients_guess() {
        let policy = KindInfo::guessed("example.com/v1beta1", "BackupPolicy", true);
        assert_eq!((policy.group, policy.version, policy.plural), ("example.com", "v1beta1", "backuppolicies"));
        assert_eq!(KindInfo::guessed("v1", "Ingress", true).plural, "ingresses");
    }
}

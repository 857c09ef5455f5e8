//! The list of kinds that are applied from files, and what each of them is here.
//!
//! It holds what the procedures of an update need and nothing else: whatever is not on it is refused with the list.

use super::user_data;
use crate::actions::Refusal;
use crate::actions::words::list as some;
use crate::upgrade::access::Permission;
use crate::upgrade::root_credentials;

/// What an object is to the procedures; one kind may be several things, by where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::actions) enum Role {
    /// Mirrors by digest.
    DigestMirrors,
    /// Mirrors by tag.
    TagMirrors,
    /// Mirrors by digest, as releases before 4.13 have them.
    ContentSources,
    /// The signature of a release.
    Signature,
    /// Certificates of registries.
    RegistryCa,
    /// Where images may come from, and which certificates registries are trusted by.
    Image,
    /// The way out of the cluster, and which certificates everything trusts.
    Proxy,
    /// The pull secret of all nodes.
    PullSecret,
    /// Credentials that a component asks for, where they are maintained by hand.
    Credentials,
    /// The root credentials of the cloud, which those of components are made from.
    RootSecret,
    /// What a new machine boots with.
    UserData,
    /// A namespace for one of those, or for the update service.
    Namespace,
    /// Of the update service.
    OperatorGroup,
    /// Of the update service.
    Subscription,
    /// The update service.
    UpdateService,
    /// Configuration of nodes.
    MachineConfig,
    /// Configuration of kubelets.
    KubeletConfig,
    /// Configuration of CRI-O.
    ContainerRuntimeConfig,
    /// Images that are pulled ahead.
    PinnedImageSet,
    /// An OS image that is built on the cluster.
    MachineOsConfig,
    /// How the machine-config operator is set up.
    MachineConfiguration,
}

/// Where objects of a row are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actions) enum Home {
    /// In no namespace.
    Cluster,
    /// In this one.
    Only(&'static str),
    /// In the one that a CredentialsRequest names.
    OfRequests,
}

/// Which names objects of a row have.
#[derive(Debug, Clone, Copy)]
pub(in crate::actions) enum Names {
    /// Any.
    Any,
    /// One of these: a component reads it by its name, and no other.
    Only(&'static [&'static str]),
    /// Those that this says yes to.
    Like(fn(&str) -> bool),
}

impl Names {
    /// Is it one of them?
    fn take(self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.contains(&name),
            Self::Like(is_meant) => is_meant(name),
        }
    }

    /// The name as a role lists it in `resourceNames`; none: roles cannot tell these objects from others.
    fn listed(self, name: &str) -> Option<&'static str> {
        match self {
            Self::Only(names) => names.iter().copied().find(|one| *one == name),
            Self::Any | Self::Like(_) => None,
        }
    }
}

/// A row of the list.
#[derive(Debug)]
pub(in crate::actions) struct Row {
    /// What it is.
    pub role: Role,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Versions of the group, the usual one first.
    pub versions: &'static [&'static str],
    /// Kind.
    pub kind: &'static str,
    /// Plural, as in paths.
    pub plural: &'static str,
    /// Where.
    pub home: Home,
    /// What they are called.
    pub names: Names,
    /// Which of them, in words, where not all: `release signatures`.
    pub which: &'static str,
    /// May it be deleted too? Where not, why not.
    pub deletes: Result<(), &'static str>,
}

const CONFIG: &str = "config.openshift.io";
const MCO: &str = "machineconfiguration.openshift.io";
/// The namespace of the update service.
pub(super) const UPDATE_SERVICE: &str = "openshift-update-service";
/// The package of its operator.
pub(super) const UPDATE_SERVICE_PACKAGE: &str = "cincinnati-operator";
/// Where signatures of releases are.
pub(super) const SIGNATURES: &str = "openshift-config-managed";
/// Where what people configure for the whole cluster is.
pub(super) const CLUSTER_CONFIG: &str = "openshift-config";

const fn row(
    role: Role,
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    plural: &'static str,
) -> Row {
    Row { role, group, versions, kind, plural, home: Home::Cluster, names: Names::Any, which: "", deletes: Ok(()) }
}

/// All rows.
pub(super) static ROWS: &[Row] = &[
    row(Role::DigestMirrors, CONFIG, &["v1"], "ImageDigestMirrorSet", "imagedigestmirrorsets"),
    row(Role::TagMirrors, CONFIG, &["v1"], "ImageTagMirrorSet", "imagetagmirrorsets"),
    Row {
        which: "before 4.13",
        ..row(
            Role::ContentSources,
            "operator.openshift.io",
            &["v1alpha1"],
            "ImageContentSourcePolicy",
            "imagecontentsourcepolicies",
        )
    },
    Row {
        home: Home::Only(SIGNATURES),
        which: "release signatures",
        ..row(Role::Signature, "", &["v1"], "ConfigMap", "configmaps")
    },
    Row {
        home: Home::Only(CLUSTER_CONFIG),
        which: "certificates of registries",
        ..row(Role::RegistryCa, "", &["v1"], "ConfigMap", "configmaps")
    },
    Row {
        names: Names::Only(&["cluster"]),
        which: "cluster",
        // pkg/operator/sync.go, `getImageRegistryBundles`.
        deletes: Err("there is one, and the machine-config operator is degraded without it"),
        ..row(Role::Image, CONFIG, &["v1"], "Image", "images")
    },
    Row {
        names: Names::Only(&["cluster"]),
        which: "cluster",
        deletes: Err("there is one, and the network operator and the nodes have their proxy from it"),
        ..row(Role::Proxy, CONFIG, &["v1"], "Proxy", "proxies")
    },
    Row {
        home: Home::Only(CLUSTER_CONFIG),
        names: Names::Only(&["pull-secret"]),
        which: "pull-secret",
        deletes: Err("without the global pull secret no node can pull images of the release"),
        ..row(Role::PullSecret, "", &["v1"], "Secret", "secrets")
    },
    Row {
        home: Home::Only(root_credentials::NAMESPACE),
        names: Names::Only(&root_credentials::NAMES),
        which: "the root credentials of the platform",
        deletes: Err("only who has a copy may take it away, and whether there is one cannot be seen from here"),
        ..row(Role::RootSecret, "", &["v1"], "Secret", "secrets")
    },
    Row {
        home: Home::Only(user_data::NAMESPACE),
        names: Names::Like(user_data::is_user_data),
        which: "*-user-data, unless an operator writes it",
        deletes: Err("machines that are made later could not boot without it"),
        ..row(Role::UserData, "", &["v1"], "Secret", "secrets")
    },
    Row {
        home: Home::OfRequests,
        which: "named by CredentialsRequests",
        deletes: Err("a component works with these credentials, and nobody has a copy"),
        ..row(Role::Credentials, "", &["v1"], "Secret", "secrets")
    },
    Row {
        which: "openshift-update-service, or named by CredentialsRequests",
        deletes: Err("everything in it would go with it"),
        ..row(Role::Namespace, "", &["v1"], "Namespace", "namespaces")
    },
    Row {
        home: Home::Only(UPDATE_SERVICE),
        ..row(Role::OperatorGroup, "operators.coreos.com", &["v1"], "OperatorGroup", "operatorgroups")
    },
    Row {
        home: Home::Only(UPDATE_SERVICE),
        which: "package cincinnati-operator",
        ..row(Role::Subscription, "operators.coreos.com", &["v1alpha1"], "Subscription", "subscriptions")
    },
    Row {
        home: Home::Only(UPDATE_SERVICE),
        ..row(Role::UpdateService, "updateservice.operator.openshift.io", &["v1"], "UpdateService", "updateservices")
    },
    row(Role::MachineConfig, MCO, &["v1"], "MachineConfig", "machineconfigs"),
    row(Role::KubeletConfig, MCO, &["v1"], "KubeletConfig", "kubeletconfigs"),
    row(Role::ContainerRuntimeConfig, MCO, &["v1"], "ContainerRuntimeConfig", "containerruntimeconfigs"),
    row(Role::PinnedImageSet, MCO, &["v1", "v1alpha1"], "PinnedImageSet", "pinnedimagesets"),
    row(Role::MachineOsConfig, MCO, &["v1", "v1alpha1"], "MachineOSConfig", "machineosconfigs"),
    Row {
        names: Names::Only(&["cluster"]),
        which: "cluster",
        deletes: Err("there is one, and the machine-config operator needs it"),
        ..row(
            Role::MachineConfiguration,
            "operator.openshift.io",
            &["v1"],
            "MachineConfiguration",
            "machineconfigurations",
        )
    },
];

impl Row {
    /// `machineconfiguration.openshift.io/v1`, with the usual version.
    pub(in crate::actions) fn api_version(&self) -> String {
        of_group(self.group, self.versions.first().copied().unwrap_or_default())
    }

    /// The same with each of its versions.
    pub(in crate::actions) fn api_versions(&self) -> impl Iterator<Item = String> {
        self.versions.iter().map(|version| of_group(self.group, version))
    }

    /// Does the API version belong to it?
    fn serves(&self, api_version: &str) -> bool {
        self.api_versions().any(|known| known == api_version)
    }

    /// As `oc get` takes it: `machineconfigs.machineconfiguration.openshift.io`.
    pub(in crate::actions) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// As `oc` takes it for one object: `machineconfig`. Where another group has a kind of that name, with the group:
    /// `image` alone may be one of `image.openshift.io`.
    pub(in crate::actions) fn oc_name(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.role == Role::Image { format!("{kind}.{}", self.group) } else { kind }
    }

    /// The permission that a verb on the object of that name needs.
    pub(in crate::actions) fn permission(&self, verb: &'static str, name: &str) -> Permission {
        let namespace = match self.home {
            Home::Only(namespace) => namespace,
            Home::Cluster | Home::OfRequests => "",
        };
        let permission = Permission::cluster(verb, self.group, self.plural).in_namespace(namespace);
        // Creations have no name that a role could list.
        match self.names.listed(name) {
            Some(name) if verb != "create" => permission.named(name),
            _ => permission,
        }
    }

    /// `ConfigMap in openshift-config (certificates of registries)`.
    pub(in crate::actions) fn words(&self) -> String {
        let place = match self.home {
            Home::Only(namespace) => format!(" in {namespace}"),
            Home::Cluster | Home::OfRequests => String::new(),
        };
        let which = if self.which.is_empty() { String::new() } else { format!(" ({})", self.which) };
        format!("{}{place}{which}", self.kind)
    }
}

fn of_group(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The row of an object.
///
/// # Errors
/// It is not on the list: with the list.
pub(super) fn row_of(api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<&'static Row, Refusal> {
    let of_kind = || ROWS.iter().filter(|row| row.kind == kind && row.serves(api_version));
    let lives_there = |row: &&Row| match row.home {
        Home::Cluster => namespace.is_empty(),
        Home::Only(only) => namespace == only,
        Home::OfRequests => !namespace.is_empty(),
    };
    if let Some(row) = of_kind().filter(lives_there).find(|row| row.names.take(name)) {
        return Ok(row);
    }
    if let Some(Names::Only(names)) = of_kind().find(lives_there).map(|row| row.names) {
        return Err(Refusal(format!("{kind} {name} is not one that is read: {}", some(names.iter().copied()))));
    }
    let place = if namespace.is_empty() { "in no namespace".to_owned() } else { format!("in {namespace}") };
    Err(Refusal(match of_kind().next() {
        Some(_) => format!("{kind} {name} {place} is not on the list of what is applied from files: {}", list()),
        None => format!("{kind} ({api_version}) is not on the list of what is applied from files: {}", list()),
    }))
}

/// The rows that a person may mean by a resource: its plural, with or without group, or its kind.
pub(super) fn rows_named(resource: &str) -> Vec<&'static Row> {
    let named = |row: &&Row| {
        [row.plural, row.kind, row.resource().as_str()].iter().any(|name| name.eq_ignore_ascii_case(resource))
    };
    ROWS.iter().filter(named).collect()
}

/// The resource that a person means by a kind or a plural, as `oc get` takes it; none: it is not on the list.
pub(in crate::actions) fn resource_named(word: &str) -> Option<String> {
    rows_named(word).first().map(|row| row.resource())
}

/// Is the resource (`plural.group`) one of the list, whichever of its objects?
pub(in crate::actions) fn is_listed(resource: &str) -> bool {
    ROWS.iter().any(|row| row.resource() == resource)
}

/// The resources whose objects may be deleted, with the only namespace that they live in; empty: none.
pub(in crate::actions) fn resources() -> Vec<(String, &'static str)> {
    let place = |row: &Row| match row.home {
        Home::Only(namespace) => Some(namespace),
        Home::Cluster => Some(""),
        Home::OfRequests => None,
    };
    let deletable = ROWS.iter().filter(|row| row.deletes.is_ok());
    deletable.filter_map(|row| Some((row.resource(), place(row)?))).collect()
}

/// The list in words.
pub(in crate::actions) fn list() -> String {
    ROWS.iter().map(Row::words).collect::<Vec<_>>().join(", ")
}

/// A kind that is applied from files, for documentation and lists.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileKind {
    /// `config.openshift.io/v1`.
    pub api_version: String,
    /// `ImageDigestMirrorSet`.
    pub kind: &'static str,
    /// Which of them and where, in words; empty: all.
    pub which: String,
    /// Why it is never deleted; none: it may be.
    pub kept: Option<&'static str>,
}

/// All kinds that `apply-file` takes, with what `delete-object` takes of them.
pub fn file_kinds() -> Vec<FileKind> {
    let told = |row: &Row| FileKind {
        api_version: row.api_version(),
        kind: row.kind,
        which: row.words().trim_start_matches(row.kind).trim().to_owned(),
        kept: row.deletes.err(),
    };
    ROWS.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_is_several_things_by_where_it_is() {
        let role = |kind, namespace, name| row_of("v1", kind, namespace, name).map(|row| row.role);
        assert_eq!(role("ConfigMap", SIGNATURES, "x"), Ok(Role::Signature));
        assert_eq!(role("ConfigMap", CLUSTER_CONFIG, "x"), Ok(Role::RegistryCa));
        assert_eq!(role("Secret", CLUSTER_CONFIG, "pull-secret"), Ok(Role::PullSecret));
        assert_eq!(role("Secret", CLUSTER_CONFIG, "other"), Ok(Role::Credentials));
        assert_eq!(role("Secret", "kube-system", "aws-creds"), Ok(Role::RootSecret));
        assert_eq!(role("Secret", "kube-system", "other"), Ok(Role::Credentials));
        assert_eq!(role("Secret", "openshift-config", "aws-creds"), Ok(Role::Credentials));
        assert_eq!(role("Secret", "openshift-machine-api", "worker-user-data"), Ok(Role::UserData));
        assert_eq!(role("Secret", "openshift-machine-api", "aws-cloud-credentials"), Ok(Role::Credentials));
        assert_eq!(role("Namespace", "", "x"), Ok(Role::Namespace));
    }

    #[test]
    fn what_is_read_by_its_name_has_no_other() {
        let row = |name| row_of("config.openshift.io/v1", "Image", "", name);
        assert_eq!(row("cluster").map(|row| row.role), Ok(Role::Image));
        assert_eq!(
            row("registry").map(|row| row.role),
            Err(Refusal("Image registry is not one that is read: cluster".into()))
        );
        let permission = |verb| row("cluster").map(|row| row.permission(verb, "cluster").words());
        assert_eq!(permission("patch"), Ok("patch images.config.openshift.io cluster".into()));
        assert_eq!(permission("create"), Ok("create images.config.openshift.io".into()));
        assert_eq!(row("cluster").map(Row::oc_name), Ok("image.config.openshift.io".into()));
    }

    #[test]
    fn what_is_not_on_the_list_is_refused_with_the_list() {
        for (api, kind, namespace) in [
            ("v1", "ConfigMap", "default"),
            ("v1", "Node", ""),
            ("policy/v1", "PodDisruptionBudget", "openshift-etcd"),
            ("operators.coreos.com/v1alpha1", "ClusterServiceVersion", UPDATE_SERVICE),
            ("operators.coreos.com/v1alpha1", "Subscription", "openshift-operators"),
            ("config.openshift.io/v1", "ClusterVersion", ""),
            ("machineconfiguration.openshift.io/v1", "MachineConfigPool", ""),
        ] {
            let Err(Refusal(words)) = row_of(api, kind, namespace, "x") else { panic!("{kind} is taken") };
            assert!(words.contains("is not on the list") && words.contains("PinnedImageSet"), "{words}");
        }
    }

    #[test]
    fn a_resource_is_named_as_oc_takes_it() {
        assert_eq!(rows_named("machineconfigs").len(), 1);
        assert_eq!(rows_named("machineconfigs.machineconfiguration.openshift.io").len(), 1);
        assert_eq!(rows_named("MachineConfig").len(), 1);
        assert_eq!(rows_named("configmaps").len(), 2);
        assert!(rows_named("poddisruptionbudgets").is_empty());
    }
}

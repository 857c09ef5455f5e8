//! Where the objects of each kind are listed: the whole kind, or only the few that matter of a kind that is large.
//!
//! The live client and the one look of a command read the same places, so that they see the same.

use super::request::encode;
use crate::upgrade::facts::Kind;

/// Where the platform keeps what it was configured with, and who acknowledged what (cluster-version operator,
/// pkg/internal/constants.go: `ConfigManagedNamespace`, `ConfigNamespace`, `AdminGatesConfigMap`, `AdminAcksConfigMap`).
const MANAGED: &str = "openshift-config-managed";
const CONFIG: &str = "openshift-config";
const ADMIN_GATES: &str = "admin-gates";
const ADMIN_ACKS: &str = "admin-acks";
/// Label of the ConfigMaps that hold signatures of releases (library-go, pkg/verify/store/configmap: `ReleaseLabelConfigMap`).
const SIGNATURES: &str = "release.openshift.io/verification-signatures";
/// Where Machines live (machine-api-operator).
const MACHINE_API: &str = "openshift-machine-api";
/// The platform's own Deployments that tell how far it is.
const DEPLOYMENTS: [(&str, &str); 2] = [
    ("openshift-machine-config-operator", "machine-config-operator"),
    ("openshift-cluster-version", "cluster-version-operator"),
];
/// OLM puts a copy of each ClusterServiceVersion into each namespace that it is meant for, with this label.
const NO_COPIES: &str = "!olm.copiedFrom";

/// Which of the kind's objects a place holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All.
    Whole,
    /// Those of a namespace; with a name the one, without it all but those that have a place of their own.
    Of(&'static str, Option<&'static str>),
    /// The pods of a node.
    Node(String),
}

/// A list that can be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Path of the collection.
    pub path: String,
    /// Where older releases serve it.
    pub fallback: Option<String>,
    /// Query parameters.
    pub selectors: Vec<(&'static str, String)>,
    /// What it holds.
    pub part: Part,
    /// What it is, for words: `configmaps in openshift-config`.
    pub subject: String,
}

impl Place {
    /// All of a kind, wherever its objects are.
    pub fn whole(kind: Kind) -> Self {
        Self {
            path: kind.path(),
            fallback: None,
            selectors: Vec::new(),
            part: Part::Whole,
            subject: kind.plural().to_owned(),
        }
    }

    fn inside(kind: Kind, namespace: &'static str) -> Self {
        let subject = format!("{} in {namespace}", kind.plural());
        Self { path: namespaced(kind, namespace), part: Part::Of(namespace, None), subject, ..Self::whole(kind) }
    }

    fn one(kind: Kind, namespace: &'static str, name: &'static str) -> Self {
        let subject = format!("{} {name} in {namespace}", kind.plural());
        let selectors = vec![("fieldSelector", format!("metadata.name={name}"))];
        Self { part: Part::Of(namespace, Some(name)), selectors, subject, ..Self::inside(kind, namespace) }
    }

    fn selected(self, selector: &'static str, value: &str) -> Self {
        Self { selectors: vec![(selector, value.to_owned())], ..self }
    }

    /// The pods on `node`.
    pub fn pods_on(node: &str) -> Self {
        let selectors = vec![("fieldSelector", format!("spec.nodeName={node}"))];
        let subject = format!("pods on {node}");
        Self { selectors, subject, part: Part::Node(node.to_owned()), ..Self::whole(Kind::Pods) }
    }

    /// Does the object belong here?
    pub fn owns(&self, namespace: &str, name: &str) -> bool {
        match &self.part {
            Part::Whole | Part::Node(_) => true,
            Part::Of(own, Some(only)) => (*own, *only) == (namespace, name),
            Part::Of(own, None) => *own == namespace && name != ADMIN_GATES,
        }
    }

    /// The selectors with `more` parameters, as a query.
    pub fn query(&self, more: &[(&str, &str)]) -> String {
        let own = self.selectors.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        encode(&own.chain(more).collect::<Vec<_>>())
    }
}

/// The path of a kind in a namespace.
pub(super) fn namespaced(kind: Kind, namespace: &str) -> String {
    let path = kind.path();
    let base = path.strip_suffix(kind.plural()).unwrap_or(&path);
    format!("{base}namespaces/{namespace}/{}", kind.plural())
}

/// Where the objects of `kind` are listed. Of pods: all; see [`Place::pods_on`]. Of alerts and Secrets, which are read in
/// another way: nowhere.
pub(super) fn places(kind: Kind) -> Vec<Place> {
    match kind {
        Kind::Alerts | Kind::Secrets => Vec::new(),
        Kind::PodDisruptionBudgets => {
            // `policy/v1` came with Kubernetes 1.21 (OpenShift 4.8).
            let fallback = Some(Kind::PodDisruptionBudgets.path().replace("/v1/", "/v1beta1/"));
            vec![Place { fallback, ..Place::whole(kind) }]
        }
        // `v1` of the first two came with 4.18, of the third with 4.19; before, behind feature gates, `v1alpha1`.
        Kind::MachineOsConfigs | Kind::MachineOsBuilds | Kind::PinnedImageSets => {
            let fallback = Some(kind.path().replace("/v1/", "/v1alpha1/"));
            vec![Place { fallback, ..Place::whole(kind) }]
        }
        Kind::Machines | Kind::MachineHealthChecks | Kind::ControlPlaneMachineSets => {
            vec![Place::inside(kind, MACHINE_API)]
        }
        Kind::ConfigMaps => vec![
            Place::one(kind, MANAGED, ADMIN_GATES),
            Place::inside(kind, MANAGED).selected("labelSelector", SIGNATURES),
            Place::one(kind, CONFIG, ADMIN_ACKS),
        ],
        Kind::ClusterServiceVersions => vec![Place::whole(kind).selected("labelSelector", NO_COPIES)],
        Kind::Deployments => DEPLOYMENTS.map(|(namespace, name)| Place::one(kind, namespace, name)).to_vec(),
        _ => vec![Place::whole(kind)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(kind: Kind) -> Vec<String> {
        places(kind).iter().map(|place| format!("{}{}", place.path, place.query(&[]))).collect()
    }

    #[test]
    fn only_what_matters_of_large_kinds_is_listed() {
        assert_eq!(uris(Kind::Nodes), ["/api/v1/nodes"]);
        assert_eq!(
            uris(Kind::ConfigMaps),
            [
                "/api/v1/namespaces/openshift-config-managed/configmaps?fieldSelector=metadata.name%3Dadmin-gates",
                "/api/v1/namespaces/openshift-config-managed/configmaps?labelSelector=release.openshift.io%2Fverification-signatures",
                "/api/v1/namespaces/openshift-config/configmaps?fieldSelector=metadata.name%3Dadmin-acks",
            ]
        );
        assert_eq!(
            uris(Kind::Machines),
            ["/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machines"]
        );
        assert_eq!(
            uris(Kind::ClusterServiceVersions),
            ["/apis/operators.coreos.com/v1alpha1/clusterserviceversions?labelSelector=%21olm.copiedFrom"]
        );
        assert_eq!(
            places(Kind::PodDisruptionBudgets)[0].fallback.as_deref(),
            Some("/apis/policy/v1beta1/poddisruptionbudgets")
        );
        assert_eq!(
            places(Kind::MachineOsBuilds)[0].fallback.as_deref(),
            Some("/apis/machineconfiguration.openshift.io/v1alpha1/machineosbuilds")
        );
    }

    #[test]
    fn each_object_of_a_kind_in_parts_belongs_to_one_of_them() {
        for (namespace, name) in [(MANAGED, ADMIN_GATES), (MANAGED, "sha256-1"), (CONFIG, ADMIN_ACKS)] {
            let owners = places(Kind::ConfigMaps).iter().filter(|place| place.owns(namespace, name)).count();
            assert_eq!(owners, 1, "{namespace}/{name}");
        }
    }
}

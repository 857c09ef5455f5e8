//! The objects of a simulated cluster before anything happens.
//!
//! Belongs here: builders of the initial objects from a scenario, and the tables behind them (operators, releases).
//! Does not: what moves them later (see [`crate::sim::actors`]), HTTP.
//! May import the store, the kinds and the scenario of this room, nothing else of ours.

pub mod cloud_access;
pub mod cluster_version;
pub mod configuration;
pub mod controller_config;
pub mod disruption_policy;
pub mod image_based;
pub mod machine_api;
pub mod machines;
pub mod mirrors;
pub mod monitoring;
pub mod object;
pub mod operators;
pub mod packages;
pub mod platform;
pub mod pools;
pub mod release;
pub mod signing_request;
pub mod trust;
pub mod workloads;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::kinds::Res;
use super::scenario::Scenario;
use super::store::Store;

/// What every builder needs.
pub struct Builder<'a> {
    /// Where the objects go.
    pub store: &'a Store,
    /// What the cluster is to be.
    pub scenario: &'a Scenario,
    /// The time of the start.
    pub now: DateTime<Utc>,
    /// When the cluster was installed.
    pub installed: DateTime<Utc>,
}

impl Builder<'_> {
    /// Creates an object that is as old as the cluster.
    pub fn old(&self, res: Res, object: Value) {
        self.born(res, object, self.installed);
    }

    /// Creates an object that was born at `at`.
    pub fn born(&self, res: Res, object: Value, at: DateTime<Utc>) {
        self.store.create(res, object, at);
    }
}

/// Fills the store with the idle cluster of the scenario, as of `now`. A running update, if the scenario has one, is
/// for the actors to live through.
pub fn build(store: &Store, scenario: &Scenario, now: DateTime<Utc>) {
    let installed = now.checked_sub_signed(scenario.cluster.installed.delta()).unwrap_or(now);
    let builder = Builder { store, scenario, now, installed };
    serve_kinds(store, &scenario.cluster.version, &scenario.cluster.feature_set);
    namespaces(&builder);
    configuration::build(&builder);
    cluster_version::build(&builder);
    operators::build(&builder);
    mirrors::build(&builder);
    trust::build(&builder);
    pools::build(&builder);
    machines::build(&builder);
    machine_api::build(&builder);
    controller_config::build(&builder);
    packages::build(&builder);
    platform::build(&builder);
    monitoring::build(&builder);
    workloads::build(&builder);
    cloud_access::build(&builder);
    image_based::build(&builder);
}

/// What a cluster of that release serves, and in which version.
fn serve_kinds(store: &Store, version: &str, feature_set: &str) {
    let minor = release::minor(version);
    let preview = !feature_set.is_empty();
    for (kind, since, _) in release::ARRIVALS {
        let early = release::preview_version(kind, minor).filter(|_| preview);
        if let Some(early) = early {
            store.serve_version(kind, early);
        }
        store.set_served(kind, minor >= since || early.is_some());
    }
    store.serve_version(Res::PDBS, release::policy_version(minor));
}

fn namespaces(builder: &Builder<'_>) {
    let platform = [
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "openshift",
        "openshift-config",
        "openshift-config-managed",
        "openshift-cluster-version",
        "openshift-monitoring",
        "openshift-machine-config-operator",
        "openshift-machine-api",
        "openshift-etcd",
        "openshift-kube-apiserver",
        "openshift-kube-controller-manager",
        "openshift-kube-scheduler",
        "openshift-dns",
        "openshift-ovn-kubernetes",
        "openshift-cluster-node-tuning-operator",
        "openshift-ingress",
    ];
    let mut names: std::collections::BTreeSet<&str> = platform.into();
    names.extend(operators::OPERATORS.iter().map(|operator| operator.namespace));
    names.extend(builder.scenario.cluster.packages.iter().map(|package| package.namespace.as_str()));
    names.extend(builder.scenario.workloads.iter().map(|workload| workload.namespace.as_str()));
    for name in names {
        let namespace = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        });
        builder.old(Res::NAMESPACES, namespace);
        let account = json!({"metadata": {"name": "default", "namespace": name}});
        builder.old(Res::SERVICEACCOUNTS, account);
    }
}

/// The name with the random tail that installers add; the tail is derived from the name.
pub fn infrastructure_name(scenario: &Scenario) -> String {
    let name = &scenario.cluster.name;
    format!("{name}-{}", &object::hex(name, 8)[..5])
}

/// `at` earlier by `minutes`.
pub(crate) fn minutes_before(at: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
    at - TimeDelta::minutes(minutes)
}

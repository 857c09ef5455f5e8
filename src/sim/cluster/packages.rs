//! Operators that OLM installed: ClusterServiceVersions, Subscriptions, InstallPlans. And who uses which API.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::object::{hash, hex};
use super::{Builder, minutes_before};
use crate::sim::kinds::Res;
use crate::sim::scenario::{OldApi, Package};
use crate::sim::store::timestamp;

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    package_server(builder);
    for package in &builder.scenario.cluster.packages {
        install(builder, package);
    }
    request_counts(builder);
}

/// The namespace of OLM.
pub const NAMESPACE: &str = "openshift-operator-lifecycle-manager";
/// The ClusterServiceVersion of OLM's own package server, which is a part of the payload.
pub const PACKAGE_SERVER: &str = "packageserver";

/// OLM manages its own package server as one of its packages.
fn package_server(builder: &Builder<'_>) {
    builder.old(Res::CLUSTER_SERVICE_VERSIONS, package_server_csv(&phase(builder, "Succeeded")));
}

/// That ClusterServiceVersion in a phase.
pub fn package_server_csv(status: &Value) -> Value {
    json!({
        "metadata": {"name": PACKAGE_SERVER, "namespace": NAMESPACE},
        "spec": {
            "displayName": "Package Server", "version": "0.0.1-snapshot", "maturity": "alpha",
            "minKubeVersion": "1.11.0", "provider": {"name": "Red Hat"},
        },
        "status": status,
    })
}

fn phase(builder: &Builder<'_>, phase: &str) -> Value {
    phase_at(phase, minutes_before(builder.now, 60 * 24 * 12))
}

/// The status of a ClusterServiceVersion that has been in a phase since then.
pub fn phase_at(phase: &str, since: DateTime<Utc>) -> Value {
    let (reason, message) = match phase {
        "Succeeded" => ("InstallSucceeded", "install strategy completed with no errors"),
        "Failed" => ("InstallCheckFailed", "install timeout"),
        "Installing" => ("InstallWaiting", "installing: waiting for deployment to become ready"),
        _ => ("RequirementsNotMet", "one or more requirements couldn't be found"),
    };
    json!({
        "lastTransitionTime": timestamp(since), "lastUpdateTime": timestamp(since), "message": message,
        "phase": phase, "reason": reason,
    })
}

/// The name of a package's ClusterServiceVersion.
pub fn csv_name(package: &str, version: &str) -> String {
    format!("{package}.v{version}")
}

/// Installs a package: its ClusterServiceVersion, Subscription and InstallPlans.
pub fn install(builder: &Builder<'_>, package: &Package) {
    let csv = csv_name(&package.name, &package.version);
    let mut metadata = json!({"name": csv, "namespace": package.namespace});
    if let Some(newest) = &package.max_openshift {
        let properties = json!([{"type": "olm.maxOpenShiftVersion", "value": newest}]);
        metadata["annotations"] = json!({"olm.properties": properties.to_string()});
    }
    let title = if package.title.is_empty() { &package.name } else { &package.title };
    let spec = json!({"displayName": title, "version": package.version, "provider": {"name": "Example"}});
    let object = json!({"metadata": metadata, "spec": spec, "status": phase(builder, &package.phase)});
    builder.old(Res::CLUSTER_SERVICE_VERSIONS, object);
    let group = json!({"metadata": {"name": package.name, "namespace": package.namespace}, "spec": {}});
    builder.old(Res::OPERATOR_GROUPS, group);
    let group = json!({
        "metadata": {"name": package.name, "namespace": package.namespace},
        "spec": {
            "channel": package.channel, "name": package.name, "source": "redhat-operators",
            "sourceNamespace": "openshift-marketplace", "startingCSV": csv,
            "installPlanApproval": if package.offered.is_some() { "Manual" } else { "Automatic" },
        },
        "status": subscription_status(package, &csv),
    });
    builder.old(Res::SUBSCRIPTIONS, group);
    install_plan(builder, package, &csv, true);
    if let Some(next) = &package.offered {
        install_plan(builder, package, &csv_name(&package.name, next), false);
    }
}

/// The name of the InstallPlan that brings a ClusterServiceVersion.
pub fn plan_name(csv: &str) -> String {
    format!("install-{}", &hex(csv, 5))
}

fn subscription_status(package: &Package, csv: &str) -> Value {
    let offered = package.offered.as_ref().map(|next| csv_name(&package.name, next));
    let current = offered.as_deref().unwrap_or(csv);
    let plan = json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan", "name": plan_name(current),
        "namespace": package.namespace,
    });
    json!({
        "currentCSV": current,
        "installedCSV": csv,
        "installPlanRef": plan,
        "state": if offered.is_some() { "UpgradePending" } else { "AtLatestKnown" },
    })
}

fn install_plan(builder: &Builder<'_>, package: &Package, csv: &str, done: bool) {
    let object = json!({
        "metadata": {"name": plan_name(csv), "namespace": package.namespace},
        "spec": {
            "approval": if package.offered.is_some() { "Manual" } else { "Automatic" },
            "approved": done,
            "clusterServiceVersionNames": [csv],
            "generation": if done { 1 } else { 2 },
        },
        "status": {"phase": if done { "Complete" } else { "RequiresApproval" }},
    });
    builder.old(Res::INSTALL_PLANS, object);
}

/// Resources that everybody asks for and that stay.
const COMMON: [&str; 6] =
    ["configmaps.v1", "deployments.v1.apps", "leases.v1.coordination.k8s.io", "nodes.v1", "pods.v1", "secrets.v1"];
/// Resources that go away, with the Kubernetes release without them (Kubernetes, deprecation guide), which nobody of
/// the platform uses.
const LEAVING: [(&str, &str); 3] = [
    ("flowschemas.v1beta3.flowcontrol.apiserver.k8s.io", "1.32"),
    ("prioritylevelconfigurations.v1beta3.flowcontrol.apiserver.k8s.io", "1.32"),
    ("validatingadmissionpolicies.v1beta1.admissionregistration.k8s.io", "1.34"),
];

fn request_counts(builder: &Builder<'_>) {
    let masters = builder.scenario.hosts("master");
    let count = |name: &str, removed: Option<&str>, users: &[(&str, &str, u64)]| {
        let total: u64 = users.iter().map(|user| user.2).sum();
        let hours: Vec<Value> = (0..24).map(|hour| hour_of(&masters, users, hour)).collect();
        let mut status = json!({"currentHour": hours[0], "last24h": hours, "requestCount": total});
        if let Some(release) = removed {
            status["removedInRelease"] = json!(release);
        }
        let object = json!({"metadata": {"name": name}, "spec": {"numberOfUsersToReport": 10}, "status": status});
        builder.old(Res::API_REQUEST_COUNTS, object);
    };
    for name in COMMON {
        let requests = 20_000 + hash(name) % 60_000;
        let agent = "kube-controller-manager/v1.31 (linux/amd64)";
        count(name, None, &[("system:kube-controller-manager", agent, requests)]);
    }
    let given = &builder.scenario.cluster.old_apis;
    for (name, removed) in LEAVING {
        if !given.iter().any(|api| api.name == name) {
            count(name, Some(removed), &[]);
        }
    }
    let mut names: Vec<&str> = given.iter().map(|api| api.name.as_str()).collect();
    names.dedup();
    for name in names {
        let of_name: Vec<&OldApi> = given.iter().filter(|api| api.name == name).collect();
        let users: Vec<(&str, &str, u64)> =
            of_name.iter().map(|api| (api.user.as_str(), api.agent.as_str(), api.requests)).collect();
        count(name, of_name.first().map(|api| api.removed_in.as_str()), &users);
    }
}

/// The requests of one hour: the total is dealt to the hours, and within an hour to the API servers in turn.
fn hour_of(masters: &[String], users: &[(&str, &str, u64)], hour: u64) -> Value {
    let share = |total: u64| total / 24 + u64::from(hour < total % 24);
    let seat = hour as usize % masters.len().max(1);
    let nodes: Vec<Value> = masters
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let told: Vec<Value> = users
                .iter()
                .map(|&(user, agent, total)| (user, agent, if at == seat { share(total) } else { 0 }))
                .filter(|(.., requests)| *requests > 0)
                .map(|(user, agent, requests)| {
                    json!({
                        "byVerb": [{"requestCount": requests, "verb": "list"}],
                        "requestCount": requests, "userAgent": agent, "username": user,
                    })
                })
                .collect();
            let total: u64 = told.iter().filter_map(|user| user["requestCount"].as_u64()).sum();
            json!({"byUser": told, "nodeName": node, "requestCount": total})
        })
        .collect();
    let total: u64 = nodes.iter().filter_map(|node| node["requestCount"].as_u64()).sum();
    json!({"byNode": nodes, "requestCount": total})
}

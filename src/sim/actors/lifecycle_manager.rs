//! OLM: Subscriptions become InstallPlans, approved ones become ClusterServiceVersions, and the platform keeps its own
//! package server.
//!
//! Rules: operator-framework/operator-lifecycle-manager, pkg/controller/operators (catalog and olm operators) and
//! cmd/package-server-manager (which puts the ClusterServiceVersion of the package server back; any other that is deleted
//! is uninstalled and stays away).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::object::{annotation, items, name, namespace, remove, text};
use crate::sim::cluster::packages::{NAMESPACE, PACKAGE_SERVER, csv_name, package_server_csv, phase_at, plan_name};
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// Packages that anybody may subscribe to: package, ClusterServiceVersion without its version, version, title.
const CATALOG: [(&str, &str, &str, &str); 4] = [
    ("cincinnati-operator", "update-service-operator", "5.0.3", "OpenShift Update Service"),
    ("redhat-oadp-operator", "oadp-operator", "1.5.0", "OADP Operator"),
    ("lifecycle-agent", "lifecycle-agent", "4.18.2", "Lifecycle Agent"),
    ("local-storage-operator", "local-storage-operator", "4.18.0", "Local Storage"),
];
/// The package that brings the kind UpdateService.
const UPDATE_SERVICE: &str = "cincinnati-operator";
/// Marks a package server that a mishap keeps from being installed.
const HELD: &str = "sim.oc-cockpit.dev/held";

/// OLM's controllers.
#[derive(Debug, Default)]
pub struct LifecycleManager {
    /// When ClusterServiceVersions and InstallPlans are through with what they do.
    due: BTreeMap<(Res, String, String), Duration>,
}

impl Actor for LifecycleManager {
    fn step(&mut self, world: &mut World) {
        self.keep_package_server(world);
        for subscription in world.store.list(Res::SUBSCRIPTIONS) {
            resolve(world, &subscription);
        }
        for plan in world.store.list(Res::INSTALL_PLANS) {
            self.carry_out(world, &plan);
        }
        for csv in world.store.list(Res::CLUSTER_SERVICE_VERSIONS) {
            self.install(world, &csv);
        }
    }
}

/// The package server does not get on.
pub fn hold_package_server(world: &World) -> bool {
    world.store.update(Res::CLUSTER_SERVICE_VERSIONS, Some(NAMESPACE), PACKAGE_SERVER, |csv| {
        csv["metadata"]["annotations"][HELD] = json!("");
        csv["status"] = phase_at("Installing", world.now);
    })
}

/// It does again.
pub fn free_package_server(world: &World) {
    world.store.update(Res::CLUSTER_SERVICE_VERSIONS, Some(NAMESPACE), PACKAGE_SERVER, |csv| {
        remove(csv, "/metadata/annotations", HELD);
    });
}

/// Whether it is kept from being installed.
pub fn is_package_server_held(world: &World) -> bool {
    let csv = world.store.get(Res::CLUSTER_SERVICE_VERSIONS, Some(NAMESPACE), PACKAGE_SERVER);
    csv.is_some_and(|csv| csv["metadata"]["annotations"][HELD].is_string())
}

/// Whether OLM's package server is installed: its operator reports a new release only then.
pub fn is_package_server_up(world: &World) -> bool {
    let csv = world.store.get(Res::CLUSTER_SERVICE_VERSIONS, Some(NAMESPACE), PACKAGE_SERVER);
    csv.is_none_or(|csv| text(&csv, "/status/phase") == "Succeeded")
}

impl LifecycleManager {
    fn due(&mut self, world: &World, object: &Value, res: Res, seconds: (u64, u64)) -> bool {
        let purpose = format!("{} {} {}", res.plural, name(object), text(object, "/metadata/uid"));
        let key = (res, namespace(object).to_owned(), text(object, "/metadata/uid").to_owned());
        let wait = world.between(&purpose, seconds);
        let due = *self.due.entry(key.clone()).or_insert(world.elapsed + wait);
        let is_due = world.elapsed >= due;
        if is_due {
            self.due.remove(&key);
        }
        is_due
    }

    fn keep_package_server(&mut self, world: &World) {
        if world.store.get(Res::CLUSTER_SERVICE_VERSIONS, Some(NAMESPACE), PACKAGE_SERVER).is_some() {
            return;
        }
        let gone = json!({"metadata": {"name": PACKAGE_SERVER, "namespace": NAMESPACE, "uid": "gone"}});
        if self.due(world, &gone, Res::CLUSTER_SERVICE_VERSIONS, (5, 15)) {
            let csv = package_server_csv(&phase_at("Pending", world.now));
            world.store.create(Res::CLUSTER_SERVICE_VERSIONS, csv, world.now);
        }
    }

    /// A ClusterServiceVersion that is new goes through its phases.
    fn install(&mut self, world: &World, csv: &Value) {
        let next = match text(csv, "/status/phase") {
            _ if csv["metadata"]["annotations"][HELD].is_string() => return,
            "" | "Pending" if annotation(csv, PENDING).is_empty() => "Installing",
            "Installing" if annotation(csv, PENDING).is_empty() => "Succeeded",
            _ => return,
        };
        // What a scenario begins with in another phase than Succeeded stays there.
        if world.elapsed.is_zero() {
            world.store.update(Res::CLUSTER_SERVICE_VERSIONS, Some(namespace(csv)), name(csv), |csv| {
                csv["metadata"]["annotations"][PENDING] = json!("true");
            });
            return;
        }
        if !self.due(world, csv, Res::CLUSTER_SERVICE_VERSIONS, (12, 30)) {
            return;
        }
        world.store.update(Res::CLUSTER_SERVICE_VERSIONS, Some(namespace(csv)), name(csv), |csv| {
            csv["status"] = phase_at(next, world.now);
        });
        if next == "Succeeded" {
            installed(world, csv);
        }
    }

    /// An approved plan brings its ClusterServiceVersions.
    fn carry_out(&mut self, world: &World, plan: &Value) {
        let place = namespace(plan);
        let approved = plan["spec"]["approved"] == true;
        let say = |phase: &str| {
            world.store.update(Res::INSTALL_PLANS, Some(place), name(plan), |plan| {
                plan["status"]["phase"] = json!(phase);
            });
        };
        match text(plan, "/status/phase") {
            "" if !approved => say("RequiresApproval"),
            "" | "RequiresApproval" if approved => say("Installing"),
            "Installing" if self.due(world, plan, Res::INSTALL_PLANS, (6, 14)) => {
                for csv in items(plan, "/spec/clusterServiceVersionNames").iter().filter_map(Value::as_str) {
                    bring(world, place, csv);
                }
                say("Complete");
            }
            _ => {}
        }
    }
}

/// Marks a ClusterServiceVersion that a scenario wants to stay as it is.
const PENDING: &str = "sim.oc-cockpit.dev/stays";

/// The Subscription that a ClusterServiceVersion was resolved for.
fn subscription_of(world: &World, place: &str, csv: &str) -> Option<Arc<Value>> {
    let subscriptions = world.store.list(Res::SUBSCRIPTIONS);
    subscriptions.into_iter().find(|it| namespace(it) == place && text(it, "/status/currentCSV") == csv)
}

fn bring(world: &World, place: &str, csv: &str) {
    if world.store.get(Res::CLUSTER_SERVICE_VERSIONS, Some(place), csv).is_some() {
        return;
    }
    let (stem, version) = csv.rsplit_once(".v").unwrap_or((csv, ""));
    let subscription = subscription_of(world, place, csv);
    let before = subscription.as_ref().map_or("", |it| text(it, "/status/installedCSV")).to_owned();
    let old = world.store.get(Res::CLUSTER_SERVICE_VERSIONS, Some(place), &before);
    let title = CATALOG.iter().find(|entry| entry.1 == stem).map_or(stem, |entry| entry.3);
    let title = old.as_ref().map_or(title, |old| text(old, "/spec/displayName")).to_owned();
    let mut spec = json!({"displayName": title, "version": version, "provider": {"name": "Example"}});
    if old.is_some() {
        spec["replaces"] = json!(before);
        world.store.update(Res::CLUSTER_SERVICE_VERSIONS, Some(place), &before, |old| {
            old["status"]["phase"] = json!("Replacing");
            old["status"]["reason"] = json!("BeingReplaced");
            old["status"]["message"] = json!(format!("being replaced by csv: {csv}"));
        });
    }
    let metadata = json!({"name": csv, "namespace": place});
    let status = phase_at("Pending", world.now);
    let object = json!({"metadata": metadata, "spec": spec, "status": status});
    world.store.create(Res::CLUSTER_SERVICE_VERSIONS, object, world.now);
}

/// What comes with an installed ClusterServiceVersion: the one before goes, its Subscription says so, its kinds are there.
fn installed(world: &World, csv: &Value) {
    let place = namespace(csv);
    let before = text(csv, "/spec/replaces");
    if !before.is_empty() {
        world.store.delete(Res::CLUSTER_SERVICE_VERSIONS, Some(place), before);
    }
    let Some(subscription) = subscription_of(world, place, name(csv)) else { return };
    world.store.update(Res::SUBSCRIPTIONS, Some(place), name(&subscription), |subscription| {
        subscription["status"]["installedCSV"] = json!(name(csv));
        subscription["status"]["state"] = json!("AtLatestKnown");
    });
    if text(&subscription, "/spec/name") == UPDATE_SERVICE {
        world.store.set_served(Res::UPDATE_SERVICES, true);
    }
}

/// A new Subscription is resolved once its namespace has one OperatorGroup.
fn resolve(world: &World, subscription: &Value) {
    if subscription["status"]["currentCSV"].is_string() {
        return;
    }
    let place = namespace(subscription);
    let groups = world.store.list(Res::OPERATOR_GROUPS);
    if groups.iter().filter(|group| namespace(group) == place).count() != 1 {
        return;
    }
    let package = text(subscription, "/spec/name");
    let Some((_, stem, version, _)) = CATALOG.iter().find(|entry| entry.0 == package) else {
        if items(subscription, "/status/conditions").is_empty() {
            let source = text(subscription, "/spec/source");
            let condition = json!({
                "lastTransitionTime": timestamp(world.now), "reason": "ConstraintsNotSatisfiable", "status": "True",
                "type": "ResolutionFailed",
                "message": format!(
                    "constraints not satisfiable: no operators found in package {package} in the catalog referenced \
                     by subscription {}, subscription {} exists (catalog {source})",
                    name(subscription), name(subscription)
                ),
            });
            world.store.update(Res::SUBSCRIPTIONS, Some(place), name(subscription), |it| {
                it["status"]["conditions"] = json!([condition]);
            });
        }
        return;
    };
    let starting = text(subscription, "/spec/startingCSV");
    let csv = if starting.is_empty() { csv_name(stem, version) } else { starting.to_owned() };
    let manual = text(subscription, "/spec/installPlanApproval") == "Manual";
    let plan = plan_name(&format!("{place} {csv}"));
    let object = json!({
        "metadata": {"name": plan, "namespace": place},
        "spec": {
            "approval": if manual { "Manual" } else { "Automatic" }, "approved": !manual,
            "clusterServiceVersionNames": [csv], "generation": 1,
        },
    });
    world.store.create(Res::INSTALL_PLANS, object, world.now);
    world.store.update(Res::SUBSCRIPTIONS, Some(place), name(subscription), |it| {
        it["status"] = json!({
            "currentCSV": csv, "state": "UpgradePending",
            "installPlanRef": {
                "apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan", "name": plan, "namespace": place,
            },
        });
    });
}

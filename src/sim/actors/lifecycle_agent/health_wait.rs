//! What the agent waits for before it goes on: a cluster that is at rest.
//!
//! Rules: lifecycle-agent, internal/healthcheck. After the pivot the checks are made in two parts.

use serde_json::Value;

use crate::sim::actors::world::World;
use crate::sim::cluster::object::{condition_status, items, label, name, namespace, number, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;

/// Which checks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// All of them.
    All,
    /// After the pivot, before anything is restored: operators, pools, data protection.
    BeforeRestore,
    /// After the pivot, at the end: node, packages, certificates; and the rest again.
    AtTheEnd,
}

/// What is not at rest, told as the agent tells it; `None` when everything is.
pub fn unhealthy(world: &World, checks: Checks) -> Option<String> {
    let mut problems = operators(world);
    problems.extend(pools(world));
    problems.extend(protection(world));
    if checks != Checks::BeforeRestore {
        problems.extend(nodes(world));
        problems.extend(packages(world));
        problems.extend(certificates(world));
    }
    if checks == Checks::AtTheEnd
        && let Some(mishap) = world.strikes(MishapKind::UpgradeHangs, "")
    {
        let message = mishap.message.unwrap_or_else(|| {
            "clusterserviceversion not ready: openshift-ptp/ptp-operator.v4.19.0: phase Installing".to_owned()
        });
        problems.push(message);
    }
    if problems.is_empty() {
        return None;
    }
    let list: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
    Some(format!("one or more health checks failed: {list}"))
}

fn operators(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    for operator in world.store.list(Res::CLUSTER_OPERATORS) {
        for (kind, calm, told) in [
            ("Available", "True", "not available"),
            ("Progressing", "False", "progressing"),
            ("Degraded", "False", "degraded"),
        ] {
            if condition_status(&operator, kind) != calm {
                problems.push(format!("cluster operator not ready: {} ({told})", name(&operator)));
            }
        }
    }
    problems
}

fn pools(world: &World) -> Vec<String> {
    let pools = world.store.list(Res::MACHINE_CONFIG_POOLS);
    let counts = |pool: &Value| (number(pool, "/status/machineCount"), number(pool, "/status/readyMachineCount"));
    pools
        .iter()
        .map(|pool| (name(pool), counts(pool)))
        .filter(|(_, (all, ready))| all != ready)
        .map(|(pool, (all, ready))| {
            format!("machineConfigPool not ready: {pool} ({ready} of {all} machines are ready)")
        })
        .collect()
}

/// The DataProtectionApplication is reconciled, and its backup locations are available.
fn protection(world: &World) -> Vec<String> {
    let applications = world.store.list(Res::DATA_PROTECTION_APPLICATIONS);
    if applications.is_empty() {
        return Vec::new();
    }
    let mut problems: Vec<String> = applications
        .iter()
        .filter(|it| condition_status(it, "Reconciled") != "True")
        .map(|it| format!("dataProtectionApplication not reconciled: {}/{}", namespace(it), name(it)))
        .collect();
    problems.extend(locations_away(world));
    problems
}

/// Backup locations that are not available.
pub fn locations_away(world: &World) -> Vec<String> {
    let locations = world.store.list(Res::BACKUP_STORAGE_LOCATIONS);
    if locations.is_empty() {
        return vec!["no BackupStorageLocation found".to_owned()];
    }
    let phase = |location: &Value| match text(location, "/status/phase") {
        "" => "unknown".to_owned(),
        phase => phase.to_owned(),
    };
    locations
        .iter()
        .map(|location| (location, phase(location)))
        .filter(|(_, phase)| phase != "Available")
        .map(|(location, phase)| {
            let message = text(location, "/status/message");
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            format!("BackupStorageLocation {}/{} is {phase}{why}", namespace(location), name(location))
        })
        .collect()
}

fn nodes(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    for node in world.store.list(Res::NODES) {
        if condition_status(&node, "Ready") != "True" {
            problems.push(format!("node not ready: {}", name(&node)));
        }
        if condition_status(&node, "NetworkUnavailable") == "True" {
            problems.push(format!("node network unavailable: {}", name(&node)));
        }
        for role in ["control-plane", "master", "worker"] {
            if label(&node, &format!("node-role.kubernetes.io/{role}")).is_none() {
                problems.push(format!("node {} has no label node-role.kubernetes.io/{role}", name(&node)));
            }
        }
    }
    problems
}

fn packages(world: &World) -> Vec<String> {
    let packages = world.store.list(Res::CLUSTER_SERVICE_VERSIONS);
    packages
        .iter()
        .filter(|it| !name(it).contains("lifecycle-agent") && text(it, "/status/phase") != "Succeeded")
        .map(|it| {
            format!(
                "clusterserviceversion not ready: {}/{}: phase {}",
                namespace(it),
                name(it),
                text(it, "/status/phase")
            )
        })
        .collect()
}

/// Every request has to be approved: one that was denied blocks like one that nobody has looked at.
fn certificates(world: &World) -> Vec<String> {
    let approved = |request: &Value| {
        items(request, "/status/conditions").iter().any(|it| it["type"] == "Approved" && it["status"] != "False")
    };
    let requests = world.store.list(Res::CSRS);
    let waiting = requests.iter().filter(|request| !approved(request));
    waiting.map(|request| format!("certificateSigningRequest not approved: {}", name(request))).collect()
}

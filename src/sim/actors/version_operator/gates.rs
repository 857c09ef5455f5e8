//! The condition Upgradeable: admin gates, operators, overrides, an update that is under way.
//!
//! Rules: cluster-version-operator, pkg/cvo/upgradeable.go of the releases up to 4.22, which the simulated ones are.

use serde_json::Value;

use super::super::world::World;
use crate::sim::cluster::object::{
    Condition, condition, condition_status, drop_condition, flag, items, name, set_condition, text,
};
use crate::sim::cluster::release;
use crate::sim::kinds::Res;

/// One reason why minor updates are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The condition that names it besides Upgradeable.
    pub condition: &'static str,
    /// That condition's status: an update in progress is, oddly, told with True.
    pub status: &'static str,
    /// CamelCase.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// The condition that names overrides.
pub const OVERRIDES: &str = "UpgradeableClusterVersionOverrides";

/// The version that gates compare with: the newest that was completed.
pub fn current_version(object: &Value) -> &str {
    items(object, "/status/history")
        .iter()
        .find(|entry| entry["state"] == "Completed")
        .map_or("", |entry| text(entry, "/version"))
}

/// Everything that holds minor updates now.
pub fn holds(world: &World, object: &Value) -> Vec<Hold> {
    let mut holds = Vec::new();
    holds.extend(admin_acks(world, current_version(object)));
    holds.extend(operators(world));
    if items(object, "/spec/overrides").iter().any(|it| flag(it, "/unmanaged")) {
        holds.push(Hold {
            condition: OVERRIDES,
            status: "False",
            reason: "ClusterVersionOverridesSet".to_owned(),
            message: "Disabling ownership via cluster version overrides prevents upgrades. Please remove overrides \
                      before continuing."
                .to_owned(),
        });
    }
    if condition_status(object, "Progressing") == "True" {
        holds.push(Hold {
            condition: "UpgradeableUpgradeInProgress",
            status: "True",
            reason: "UpdateInProgress".to_owned(),
            message: "An update is already in progress and the details are in the Progressing condition".to_owned(),
        });
    }
    holds
}

/// Gates of the running minor version that nobody has acknowledged.
fn admin_acks(world: &World, current: &str) -> Option<Hold> {
    let gates = world.store.get(Res::CONFIGMAPS, Some("openshift-config-managed"), "admin-gates")?;
    let acks = world.store.get(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks");
    let prefix = format!("ack-4.{}-", release::minor(current));
    let open: Vec<String> = gates["data"]
        .as_object()?
        .iter()
        .filter(|(gate, _)| gate.starts_with(&prefix) && gate.len() > prefix.len())
        .filter(|(gate, _)| acks.as_ref().is_none_or(|acks| acks["data"][gate.as_str()] != "true"))
        .map(|(gate, text)| match text.as_str().unwrap_or_default() {
            "" => format!("admin-gates configmap gate {gate} must contain a non-empty value."),
            text => text.to_owned(),
        })
        .collect();
    let reason = match open.len() {
        0 => return None,
        1 => "AdminAckRequired",
        _ => "MultipleReasons",
    };
    Some(Hold {
        condition: "UpgradeableAdminAckRequired",
        status: "False",
        reason: reason.to_owned(),
        message: open.join(" "),
    })
}

fn operators(world: &World) -> Option<Hold> {
    let mut held = Vec::new();
    for operator in world.store.list(Res::CLUSTER_OPERATORS) {
        if let Some(found) = condition(&operator, "Upgradeable").filter(|it| it["status"] == "False") {
            let message = format!(
                "Cluster operator {} should not be upgraded between minor versions: {}",
                name(&operator),
                text(found, "/message")
            );
            held.push((text(found, "/reason").to_owned(), message));
        }
    }
    let (reason, message) = match held.len() {
        0 => return None,
        1 => held.remove(0),
        _ => {
            let lines: Vec<String> = held.iter().map(|(_, message)| format!("* {message}")).collect();
            let head = "Multiple cluster operators should not be upgraded between minor versions:";
            ("ClusterOperatorsNotUpgradeable".to_owned(), format!("{head}\n{}", lines.join("\n")))
        }
    };
    Some(Hold { condition: "UpgradeableClusterOperators", status: "False", reason, message })
}

/// Writes Upgradeable and the conditions that name its reasons.
pub fn write(world: &World, object: &Value) {
    let holds = holds(world, object);
    super::write(world, |object| {
        for kind in
            ["UpgradeableAdminAckRequired", "UpgradeableClusterOperators", OVERRIDES, "UpgradeableUpgradeInProgress"]
        {
            match holds.iter().find(|hold| hold.condition == kind) {
                Some(hold) => {
                    set_condition(object, &Condition::new(kind, hold.status, &hold.reason, &hold.message), world.now);
                }
                None => drop_condition(object, kind),
            }
        }
        match summary(&holds) {
            Some((reason, message)) => {
                set_condition(object, &Condition::new("Upgradeable", "False", &reason, &message), world.now);
            }
            // Absent means fine.
            None => drop_condition(object, "Upgradeable"),
        }
    });
}

/// Reason and message of Upgradeable=False, if anything holds.
pub fn summary(holds: &[Hold]) -> Option<(String, String)> {
    match holds {
        [] => None,
        [one] => Some((one.reason.clone(), one.message.clone())),
        many => {
            let reasons: Vec<&str> = many.iter().map(|hold| hold.reason.as_str()).collect();
            let lines: Vec<String> = many.iter().map(|hold| format!("* {}", hold.message)).collect();
            let head = format!(
                "Cluster should not be upgraded between minor versions for multiple reasons: {}",
                reasons.join(",")
            );
            Some(("MultipleReasons".to_owned(), format!("{head}\n{}", lines.join("\n"))))
        }
    }
}

//! The conditions of MachineConfigNodes.
//!
//! Rules: machine-config-operator, pkg/upgrademonitor (GenerateAndApplyMachineConfigNodes). A transition time is
//! rewritten whenever status, reason or message change: it is not a real transition time, and readers must know.

use serde_json::{Value, json};

use super::world::World;
use crate::sim::cluster::object::text;
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// Conditions that an update does not reset.
const KEPT: [&str; 3] = ["Updated", "NodeDegraded", "PinnedImageSetsProgressing"];

/// One condition to write: type, status, reason, message.
pub type Phase<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Writes conditions of a node's MachineConfigNode, if the kind is served and the object there.
pub fn write(world: &World, node: &str, phases: &[Phase<'_>]) {
    let now = timestamp(world.now);
    change(world, node, |object| {
        for phase in phases {
            set(object, phase, &now);
        }
    });
}

/// Begins an update: `Updated` becomes False, everything else starts again.
pub fn begin(world: &World, node: &str, target: &str) {
    let now = timestamp(world.now);
    change(world, node, |object| {
        let prefix = format!("Action during update to {target}: ");
        if let Some(list) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
            for condition in list.iter_mut().filter(|it| !KEPT.contains(&text(it, "/type"))) {
                let message = text(condition, "/message");
                let bare = message
                    .split_once(": ")
                    .filter(|_| message.starts_with("Action during"))
                    .map_or(message, |it| it.1);
                condition["message"] = json!(format!("{prefix}{bare}"));
                condition["status"] = json!("False");
                condition["lastTransitionTime"] = json!(now);
            }
        }
        let message = format!("Node {node} needs an update");
        set(object, &("Updated", "False", "Updated", &message), &now);
        object["spec"]["configVersion"]["desired"] = json!(target);
        object["status"]["configVersion"]["desired"] = json!(target);
    });
}

/// Ends an update: the node is on `config`.
pub fn finish(world: &World, node: &str, config: &str) {
    let now = timestamp(world.now);
    let done = format!("Node {node} Updated");
    let fine = format!("Node {node} upgrade succeeded");
    change(world, node, |object| {
        object["status"]["configVersion"] = json!({"current": config, "desired": config});
        set(object, &("Updated", "True", "Updated", &done), &now);
        set(object, &("NodeDegraded", "False", "NodeDegraded", &fine), &now);
    });
}

fn change(world: &World, node: &str, change: impl FnOnce(&mut Value)) {
    if world.store.served(Res::MACHINE_CONFIG_NODES) {
        world.store.update(Res::MACHINE_CONFIG_NODES, None, node, |object| {
            change(object);
            object["status"]["observedGeneration"] = object["metadata"]["generation"].clone();
        });
    }
}

fn set(object: &mut Value, (kind, status, reason, message): &Phase<'_>, now: &str) {
    let wanted = |since: &str| {
        json!({
            "lastTransitionTime": since, "message": message, "reason": reason, "status": status, "type": kind,
        })
    };
    let Some(list) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    match list.iter_mut().find(|condition| condition["type"] == *kind) {
        None => list.push(wanted(now)),
        Some(found) => {
            let same = wanted(text(found, "/lastTransitionTime"));
            if *found != same {
                *found = wanted(now);
            }
        }
    }
}

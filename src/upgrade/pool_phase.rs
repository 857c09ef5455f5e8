//! A pool's true progress: counted from its nodes, because the pool's own counters survive a change of target
//! (machine-config operator, pkg/controller/node/status.go) and a cordoned node keeps a finished pool "not updated".

use super::assessment::{Capacity, Layer, Node, NodePhase, Pool};
use crate::api::{Condition, Conditions as _, MachineConfigPool, Tri};

/// Master and arbiter: their nodes carry etcd.
pub fn is_control_plane(name: &str) -> bool {
    matches!(name, "master" | "arbiter")
}

/// The order of pools on the screen: master, arbiter, worker, then custom ones by name.
pub fn order(name: &str) -> (u8, &str) {
    match name {
        "master" => (0, ""),
        "arbiter" => (1, ""),
        "worker" => (2, ""),
        custom => (3, custom),
    }
}

/// The pool with the counts of its `nodes`. `rendered`: its configuration is the one that the update will end with.
pub fn pool<'a>(
    object: &MachineConfigPool,
    nodes: impl Iterator<Item = &'a Node>,
    target_version: Option<&str>,
    capacity: Capacity,
    layer: Option<Layer>,
    rendered: bool,
) -> Pool {
    let conditions = &object.status.conditions;
    let owner = object.paused_by().filter(|_| object.spec.paused);
    let mut pool = Pool {
        name: object.name().to_owned(),
        paused: object.spec.paused,
        paused_by: owner.map(|owner| (owner.manager.to_owned(), owner.since())),
        target: Some(object.spec.configuration.name.clone()).filter(|name| !name.is_empty()),
        target_version: target_version.map(str::to_owned),
        total: 0,
        updated: 0,
        moving: 0,
        draining: 0,
        waiting: 0,
        unavailable: capacity.unavailable,
        degraded: 0,
        degraded_message: degraded_message(object),
        rolling_since: conditions
            .condition("Updating")
            .filter(|updating| updating.status == Tri::True)
            .and_then(|updating| updating.since),
        changes_release: false,
        capacity,
        layer,
        control_plane: is_control_plane(object.name()),
    };
    for node in nodes {
        pool.total += 1;
        match node.phase {
            NodePhase::Done => pool.updated += 1,
            NodePhase::Degraded => {
                pool.degraded += 1;
                let there = node.reached.is_none() && node.current_config == pool.target;
                pool.updated += usize::from(rendered && there && pool.target.is_some());
            }
            NodePhase::Waiting | NodePhase::Paused => pool.waiting += 1,
            phase => {
                pool.moving += usize::from(phase.moving());
                pool.draining += usize::from(phase == NodePhase::Draining);
            }
        }
    }
    pool
}

/// What the pool's conditions say is wrong. `Degraded` leaves out the message of a render failure, so the telling
/// conditions are asked first.
fn degraded_message(object: &MachineConfigPool) -> Option<String> {
    let conditions = &object.status.conditions;
    let telling = ["RenderDegraded", "ImageBuildDegraded", "NodeDegraded", "Degraded"];
    let wrong: Vec<&Condition> =
        telling.iter().filter(|kind| conditions.is_true(kind)).filter_map(|kind| conditions.condition(kind)).collect();
    let told = wrong.iter().find(|condition| !condition.message.is_empty()).or_else(|| wrong.first())?;
    Some(if told.message.is_empty() { told.reason.clone() } else { told.message.clone() })
}

//! Delete a custom pool that nothing uses any more: the end of a canary.

use serde_json::Value;

use super::pool::{self, GROUP, find};
use super::pool_role::BUILT_IN;
use super::rendered_config::{KINDS, Usage, of_pool};
use super::request::lock;
use super::words::{count, list, shell};
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, PoolEffect, Precondition, Refusal, Session,
    Takes, Target, Write, create_pool, gate,
};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

const DELETE: Permission = Permission::cluster("delete", GROUP, "machineconfigpools");

/// Its rendered configs go with it, and cannot be brought back.
const DANGER: Danger = Danger::H;

/// Delete a custom pool.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::DeletePool,
    name: "delete-pool",
    word: "delete pool",
    summary: "delete a custom pool, when nothing uses it or its rendered configs any more",
    gerund: "deleting a pool",
    dangers: &[DANGER],
    takes: Takes::Pool,
    args: &[],
    permissions: &[DELETE],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let [name] = target.pools() else { return None };
    assessment.pool(name).filter(|pool| !BUILT_IN.contains(&pool.name.as_str()))?;
    let refusal = available(assessment, session, name).err();
    Some(Offered { action: ActionId::DeletePool, title: title(name), danger: DANGER, refusal })
}

fn title(name: &str) -> String {
    format!("Delete pool {name}")
}

/// Can it be deleted, as far as the watches tell?
fn available(assessment: &Assessment, session: &Session, name: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let (pool, seen) = find(assessment, name)?;
    if BUILT_IN.contains(&name) || pool::required(pool, seen) {
        return Err(Refusal(format!("pool {name} is a pool of the platform itself: it is never deleted")));
    }
    if api::metadata::deleted(&seen.metadata).is_some() {
        return Err(Refusal(format!("pool {name} is being deleted already")));
    }
    let nodes: Vec<&str> = assessment.nodes_of(name).map(|node| node.name.as_str()).collect();
    if !nodes.is_empty() {
        return Err(Refusal(format!(
            "pool {name} still has {}: {}; move them first (move-nodes NODE... --pool worker)",
            count(nodes.len(), "node"),
            list(nodes)
        )));
    }
    // The rendered configs are owned by the pool and go with it. Its machineCount is 0 before its former nodes have left
    // them: a node that names a config which is gone is degraded for good.
    for node in assessment.facts.nodes.iter() {
        for key in [api::node_key::CURRENT_CONFIG, api::node_key::DESIRED_CONFIG] {
            let config = node.annotation(key).unwrap_or_default();
            if of_pool(config, name) {
                let field = key.rsplit('/').next().unwrap_or(key);
                return Err(Refusal(format!(
                    "node {} still has {config} of pool {name} ({field}): wait until it has left it, or it is lost",
                    node.name()
                )));
            }
        }
    }
    gate::permitted(assessment, &DELETE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let [name] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    available(assessment, session, name)?;
    let (_, seen) = find(assessment, name)?;
    let mut plan =
        Plan { danger: DANGER, confirm: Confirm::Type(name.clone()), ..Plan::draft(&ENTRY, ask, title(name)) };
    let Some(usage) = Usage::read(assessment, material, &mut plan.reads)? else {
        plan.consequences.push("whether layered pools refer to it is being read".to_owned());
        return Ok(plan);
    };
    let configs: Vec<String> = rendered(assessment, name);
    nothing_uses(&usage, name, &configs)?;
    let (uid, version) = lock(&seen.metadata, &format!("mcp/{name}"))?;
    plan.preconditions = preconditions(assessment, name);
    plan.consequences = consequences(assessment, name, &configs);
    let line = format!("delete mcp/{}", shell(name));
    let write = Write::delete(session, format!("mcp/{name}"), &pool::path(name), uid, &line);
    // Whom its selector takes may change at any time: only the pool that was looked at is deleted.
    plan.writes = vec![write.unless_modified(version)];
    plan.effect = Effect::Pool(PoolEffect::Gone { pool: name.clone() });
    Ok(plan)
}

/// All MachineConfigs that look like rendered ones of the pool.
fn rendered(assessment: &Assessment, pool: &str) -> Vec<String> {
    let configs = assessment.facts.machine_configs.iter().map(|config| config.name().to_owned());
    configs.filter(|config| of_pool(config, pool)).collect()
}

/// Does nothing refer to the pool or to one of its rendered configs, but the pool itself?
fn nothing_uses(usage: &Usage<'_>, name: &str, configs: &[String]) -> Result<(), Refusal> {
    // Items of a list carry no kind: what names a pool is a MachineOSConfig.
    let refers = usage
        .layered()
        .find(|object| object.pointer("/spec/machineConfigPool/name").and_then(Value::as_str) == Some(name));
    if let Some(object) = refers {
        let config = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
        return Err(Refusal(format!(
            "MachineOSConfig {config} refers to pool {name}: delete it first, and wait until its nodes have left the image"
        )));
    }
    let own = format!("pool {name}");
    for config in configs {
        let itself = |who: &str| who == own || who.starts_with(&format!("{own} ("));
        if let Some(who) = usage.but(config, itself) {
            return Err(Refusal(format!("{who} still uses {config}, which goes with pool {name}")));
        }
    }
    Ok(())
}

fn preconditions(assessment: &Assessment, name: &str) -> Vec<Precondition> {
    let nodes = assessment.facts.nodes.len();
    vec![
        Precondition {
            words: format!("pool {name} has no node"),
            evidence: format!("{} looked at, by the operator's own rules", count(nodes, "node")),
        },
        Precondition {
            words: format!("no node names a rendered config of pool {name}"),
            evidence: format!("currentConfig and desiredConfig of {}", count(nodes, "node")),
        },
        Precondition {
            words: format!("no MachineOSConfig refers to pool {name}, and no build to its configurations"),
            evidence: "machineosconfigs and machineosbuilds, as they were read".to_owned(),
        },
        gate::permission_found(assessment, &DELETE),
    ]
}

fn consequences(assessment: &Assessment, name: &str, configs: &[String]) -> Vec<String> {
    let mut lines = vec![if configs.is_empty() {
        "it has no rendered config".to_owned()
    } else {
        format!(
            "with it go, and cannot be brought back, {}: {}",
            count(configs.len(), "rendered config"),
            list(configs.iter().map(String::as_str))
        )
    }];
    let own: Vec<String> =
        create_pool::own_configs(assessment, name).into_iter().filter(|at| !of_pool(at, name)).collect();
    if !own.is_empty() {
        lines.push(format!("MachineConfigs with its role stay: {}", list(own.iter().map(String::as_str))));
    }
    let key = super::pool_role::label(name);
    let labelled: Vec<&str> =
        assessment.facts.nodes.iter().filter(|node| node.label(&key).is_some()).map(|node| node.name()).collect();
    if !labelled.is_empty() {
        lines.push(format!("these keep the label {key}, which means nothing then: {}", list(labelled)));
    }
    lines.push(format!("create-pool {name} makes an empty pool of that name again, and nothing of what it had"));
    lines
}

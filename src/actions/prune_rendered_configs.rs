//! Delete the oldest rendered configs of a pool that nothing uses: the machine-config operator keeps all of them.

use super::pool::{GROUP, find};
use super::rendered_config::{self, KINDS, Usage};
use super::words::{count, shell, since};
use super::{
    ActionId, Arg, ArgKind, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, PoolEffect, Precondition,
    Refusal, Session, Takes, Target, Write, gate,
};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

const DELETE: Permission = Permission::cluster("delete", GROUP, "machineconfigs");

/// What is deleted is gone: a node that would still name one could not find its way back.
const DANGER: Danger = Danger::H;

const COUNT: &str = "count";

/// More in one plan nobody reads.
const MOST: usize = 100;

/// Prune rendered configs.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::PruneRenderedConfigs,
    name: "prune-rendered-configs",
    word: "prune",
    summary: "delete the oldest rendered configs of the pool that nothing uses",
    gerund: "pruning rendered configs",
    dangers: &[DANGER],
    takes: Takes::Pool,
    args: &[Arg {
        required: true,
        ..Arg::option(COUNT, ArgKind::Number, "how many at most, the oldest first; those in use are never among them")
    }],
    permissions: &[DELETE],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let [name] = target.pools() else { return None };
    let any = !rendered_config::all_of(assessment, name).is_empty();
    assessment.pool(name).filter(|_| any)?;
    let refusal = available(assessment, session, name).err();
    let title = format!("Delete unused rendered configs of pool {name}");
    Some(Offered { action: ActionId::PruneRenderedConfigs, title, danger: DANGER, refusal })
}

/// Can it be done, as far as the watches tell?
fn available(assessment: &Assessment, session: &Session, name: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    find(assessment, name)?;
    if rendered_config::all_of(assessment, name).is_empty() {
        return Err(Refusal(format!("pool {name} has no rendered config")));
    }
    gate::permitted(assessment, &DELETE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let [name] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    available(assessment, session, name)?;
    let wanted = wanted(ask.args.get(COUNT).unwrap_or_default())?;
    let mut plan = Plan {
        danger: DANGER,
        confirm: Confirm::Type(name.clone()),
        ..Plan::draft(&ENTRY, ask, format!("Delete unused rendered configs of pool {name}"))
    };
    let Some(usage) = Usage::read(assessment, material, &mut plan.reads)? else {
        plan.consequences.push("whether layered pools use them is being read".to_owned());
        return Ok(plan);
    };
    let all = rendered_config::all_of(assessment, name);
    let (kept, unused): (Vec<_>, Vec<_>) = all.iter().partition(|config| usage.of(config.name()).is_some());
    let going: Vec<&api::MachineConfig> = unused.iter().take(wanted).copied().collect();
    if going.is_empty() {
        return Err(Refusal(format!(
            "nothing to delete, each is in use: {} of pool {name}",
            count(all.len(), "rendered config")
        )));
    }
    plan.title = format!("Delete {} of pool {name}", count(going.len(), "unused rendered config"));
    plan.preconditions = preconditions(assessment, &usage, &kept);
    plan.consequences = consequences(&going, unused.len(), wanted);
    for config in &going {
        plan.writes.push(write(session, config)?);
    }
    let configs = going.iter().map(|config| config.name().to_owned()).collect();
    plan.effect = Effect::Pool(PoolEffect::ConfigsGone { configs });
    Ok(plan)
}

fn wanted(text: &str) -> Result<usize, Refusal> {
    match text.parse::<usize>() {
        Ok(0) => Err(Refusal("a count of 0 deletes nothing".to_owned())),
        Ok(number) if number > MOST => Err(Refusal(format!("at most {MOST} at a time: a plan is there to be read"))),
        Ok(number) if text.chars().all(|c| c.is_ascii_digit()) => Ok(number),
        _ => Err(Refusal(format!("the count is a whole number, not `{text}`"))),
    }
}

fn write(session: &Session, config: &api::MachineConfig) -> Result<Write, Refusal> {
    let name = config.name();
    let Some(uid) = &config.metadata.uid else {
        return Err(Refusal(format!("machineconfig/{name} was read without uid: it cannot be locked")));
    };
    let line = format!("delete machineconfig/{}", shell(name));
    Ok(Write::delete(session, format!("machineconfig/{name}"), &rendered_config::path(name), uid, &line))
}

fn preconditions(assessment: &Assessment, usage: &Usage<'_>, kept: &[&api::MachineConfig]) -> Vec<Precondition> {
    let facts = &assessment.facts;
    let mut lines = vec![Precondition {
        words: "nothing names one that is deleted".to_owned(),
        evidence: format!(
            "annotations of {}, spec and status of {}, {}, layered pools and their builds",
            count(facts.nodes.len(), "node"),
            count(facts.pools.len(), "pool"),
            count(facts.machine_config_nodes.len(), "machineconfignode"),
        ),
    }];
    lines.extend(kept.iter().map(|config| Precondition {
        words: format!("{} is in use and stays", config.name()),
        evidence: usage.of(config.name()).unwrap_or_default(),
    }));
    lines.push(gate::permission_found(assessment, &DELETE));
    lines
}

fn consequences(going: &[&api::MachineConfig], unused: usize, wanted: usize) -> Vec<String> {
    let told = |config: &&api::MachineConfig| {
        let version = config.release_version().map(|version| format!(" ({version})")).unwrap_or_default();
        format!("deleted: {}{version}, made{}", config.name(), since(api::metadata::created(&config.metadata)))
            .replace("made since", "made")
    };
    let mut lines: Vec<String> = going.iter().map(told).collect();
    if going.len() < wanted {
        lines.push(format!("{wanted} were asked for, no more than {} can go", going.len()));
    }
    if unused > going.len() {
        lines.push(format!("{} more are unused and stay", unused - going.len()));
    }
    lines.push(
        "no pool can go back to a configuration that is deleted; the operator renders new ones as needed".to_owned(),
    );
    lines
}

//! Create a custom pool: nodes that roll apart from the other workers, for a canary or to be held back.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::pool::{GROUP, KINDS};
use super::pool_role::{self, custom_pool, is_control_plane, label, name_fits};
use super::words::{count, list, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, PoolEffect, Precondition, Refusal,
    Session, Takes, Target, Write, gate, what_if,
};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

const CREATE: Permission = Permission::cluster("create", GROUP, "machineconfigpools");
const NAME: &str = "name";
const PAUSED: &str = "paused";

/// Create a custom pool.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::CreatePool,
    name: "create-pool",
    word: "create pool",
    summary: "create a custom pool that takes the configuration of workers",
    gerund: "creating a pool",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Cluster,
    args: &[
        Arg::word(NAME, ArgKind::Text, "the name of the pool, which is the role of its nodes, for example canary"),
        Arg::option(PAUSED, ArgKind::Flag, "create it paused: its nodes keep what they have"),
    ],
    permissions: &[CREATE],
    needs: &[],
    inverse: Some(ActionId::DeletePool),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    if !matches!(target, Target::Cluster) || assessment.openshift == Some(false) {
        return None;
    }
    Some(Offered {
        action: ActionId::CreatePool,
        title: "Create a custom pool".to_owned(),
        danger: Danger::L,
        refusal: available(assessment, session).err(),
    })
}

fn available(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    if assessment.pool("worker").is_none() {
        return Err(Refusal("there is no pool worker that a custom pool could inherit from".to_owned()));
    }
    gate::permitted(assessment, &CREATE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    available(assessment, session)?;
    let name = ask.args.get(NAME).unwrap_or_default();
    let paused = ask.args.flag(PAUSED);
    name_fits(name)?;
    if assessment.pool(name).is_some() {
        return Err(Refusal(format!("there is a pool {name} already")));
    }
    let body = custom_pool(name, paused, None);
    let joining = joining(assessment, name, &body)?;
    let at_once = !joining.is_empty() && !paused;
    Ok(Plan {
        danger: if at_once { Danger::M } else { Danger::L },
        preconditions: vec![
            Precondition { words: format!("there is no pool {name}"), evidence: format!("mcp/{name} does not exist") },
            Precondition {
                words: format!("no control plane node has the role {name}"),
                evidence: format!("label {} on none of them", label(name)),
            },
            gate::permission_found(assessment, &CREATE),
        ],
        consequences: consequences(assessment, name, paused, &joining),
        writes: vec![write(session, name, body, paused)],
        effect: Effect::Pool(PoolEffect::Exists { pool: name.to_owned(), paused }),
        ..Plan::draft(&ENTRY, ask, format!("Create pool {name}{}", if paused { ", paused" } else { "" }))
    }
    .undone_on(Target::pool(name)))
}

fn write(session: &Session, name: &str, body: Value, paused: bool) -> Write {
    let line = format!("create -f - <<<{}", shell(&body.to_string()));
    let stored = ["machineConfigSelector", "nodeSelector"];
    let mut stored: Vec<_> =
        stored.iter().map(|field| (format!("/spec/{field}"), body["spec"][*field].clone())).collect();
    stored.push(("/spec/paused".to_owned(), if paused { json!(true) } else { Value::Null }));
    Write::create(session, format!("mcp/{name}"), &pool_role::pools(), body, &line).storing(stored)
}

/// The nodes that have the role already: the pool takes them at once.
fn joining(assessment: &Assessment, name: &str, body: &Value) -> Result<Vec<String>, Refusal> {
    let key = label(name);
    let labelled = || assessment.facts.nodes.iter().filter(|node| node.label(&key).is_some());
    if let Some(node) = labelled().find(|node| is_control_plane(node)) {
        return Err(Refusal(format!(
            "the control plane node {} has the role {name}: custom pools for control plane nodes are not supported",
            node.name()
        )));
    }
    let Ok(pool) = api::MachineConfigPool::deserialize(body) else {
        return Err(Refusal("the pool cannot be read back".to_owned()));
    };
    let after = what_if::with_pool(assessment, pool);
    let lost = labelled().find(|node| after.node(node.name()).is_some_and(|node| node.pool.is_none()));
    if let Some(node) = lost {
        return Err(Refusal(format!(
            "node {} has the role {name} and is in another custom pool: with two of them no pool would manage it",
            node.name()
        )));
    }
    let nodes = after.nodes_of(name).map(|node| node.name.clone()).collect();
    Ok(nodes)
}

fn consequences(assessment: &Assessment, name: &str, paused: bool, joining: &[String]) -> Vec<String> {
    let mut lines = vec![format!(
        "the pool takes the configuration of the pool worker and every MachineConfig with the role {name}, and the nodes \
         with the label {}",
        label(name)
    )];
    let own = own_configs(assessment, name);
    if !own.is_empty() {
        lines.push(format!("MachineConfigs with the role {name}: {}", list(own.iter().map(String::as_str))));
    }
    if joining.is_empty() {
        lines.push(format!("no node has the label yet: move some with move-nodes NODE... --pool {name}"));
    } else {
        let names = list(joining.iter().map(String::as_str));
        lines.push(format!("{} has the label and joins: {names}", count(joining.len(), "node")));
        lines.push(if paused {
            "they keep what they have until the pool is unpaused".to_owned()
        } else {
            "as soon as its configuration is rendered they go to it, one at a time: they drain and reboot if it differs \
             from what they have"
                .to_owned()
        });
    }
    if paused {
        lines.push("the pool takes no node until it is unpaused; what comes meanwhile gathers".to_owned());
    } else if assessment.update.in_progress {
        lines.push("an update is in progress, and the pool is not paused: it rolls with the others".to_owned());
    }
    lines
}

/// MachineConfigs with the role of a pool, other than rendered ones.
pub(super) fn own_configs(assessment: &Assessment, role: &str) -> Vec<String> {
    let key = format!("{GROUP}/role");
    let configs = assessment.facts.machine_configs.iter();
    let own = configs.filter(|config| api::metadata::label(&config.metadata, &key) == Some(role));
    own.map(|config| config.name().to_owned()).collect()
}

//! What actions on pools share: finding a pool, choosing several, the patch of one, the control plane's refusal.

use serde_json::{Value, json};

use super::catalogue::ALL;
use super::request::Change;
use super::words::{list, shell, whose_pause};
use super::{
    Ask, Danger, Effect, Entry, Offered, PatchKind, Plan, Precondition, Refusal, Session, Target, Write, gate,
};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::facts::Kind;

/// The API group of pools and all that belongs to them.
pub(super) const GROUP: &str = "machineconfiguration.openshift.io";

/// Where its objects are.
pub(super) const API: &str = "/apis/machineconfiguration.openshift.io/v1";

/// Pausing, unpausing and the like patch the pool.
pub(super) const PATCH: Permission = Permission::cluster("patch", GROUP, "machineconfigpools");

/// What such a decision rests on.
pub(super) const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// The pool as it is meant and as it was seen.
pub(super) fn find<'a>(
    assessment: &'a Assessment,
    name: &str,
) -> Result<(&'a Pool, &'a api::MachineConfigPool), Refusal> {
    let gone = || Refusal(format!("there is no pool {name}"));
    let pool = assessment.pool(name).ok_or_else(gone)?;
    let seen = assessment.facts.pools.iter().find(|seen| seen.name() == name).ok_or_else(gone)?;
    Ok((pool, seen))
}

/// Does the update of the cluster wait for the pool (machine-config-operator, `RequiredPools` in pkg/operator/sync.go)?
/// Master and arbiter are labelled so; their names are enough.
pub(super) fn required(pool: &Pool, seen: &api::MachineConfigPool) -> bool {
    pool.control_plane || seen.is_required_for_upgrade()
}

/// Path of a pool.
pub(super) fn path(name: &str) -> String {
    format!("{API}/machineconfigpools/{name}")
}

/// The request that sets one field of `spec`.
pub(super) fn write(
    session: &Session,
    seen: &api::MachineConfigPool,
    field: &str,
    value: &Value,
) -> Result<Write, Refusal> {
    let name = seen.name();
    let spec = json!({ field: value });
    Change {
        object: format!("mcp/{name}"),
        path: path(name),
        patch: PatchKind::Merge,
        metadata: &seen.metadata,
        oc: format!("patch mcp/{} --type=merge -p {}", shell(name), shell(&json!({ "spec": spec }).to_string())),
        spec,
        stored: vec![(format!("/spec/{field}"), value.clone())],
    }
    .write(session)
}

/// The pools that are meant: those named, or with the flag `--all` those that `fit`, in the order of the screen.
pub(super) fn meant(
    assessment: &Assessment,
    ask: &Ask,
    fit: impl Fn(&Pool, &api::MachineConfigPool) -> bool,
) -> Result<Vec<String>, Refusal> {
    match (&ask.target, ask.args.flag(ALL)) {
        (Target::Pools(names), false) => Ok(names.clone()),
        (Target::Pools(_), true) => Err(Refusal("either pools are named, or --all stands for them".to_owned())),
        _ => {
            let names = assessment.pools.iter().map(|pool| pool.name.clone());
            let fits = |name: &String| find(assessment, name).is_ok_and(|(pool, seen)| fit(pool, seen));
            Ok(names.filter(fits).collect())
        }
    }
}

/// `Pause pool worker`, `Pause 3 pools: gpu, infra, worker`.
pub(super) fn title(verb: &str, names: &[&str]) -> String {
    match names {
        [name] => format!("{verb} pool {name}"),
        names => format!("{verb} {} pools: {}", names.len(), list(names.iter().copied())),
    }
}

/// `the pool is (not) paused`, with its evidence.
pub(super) fn paused_found(pool: &Pool) -> Precondition {
    let not = if pool.paused { "" } else { "not " };
    Precondition {
        words: format!("pool {} is {not}paused", pool.name),
        evidence: format!("mcp/{} spec.paused = {}", pool.name, pool.paused),
    }
}

/// The lines of several pools in one list: each names its pool where there is more than one.
pub(super) fn told_of(several: bool, pool: &Pool, lines: Vec<String>) -> Vec<String> {
    if several { lines.into_iter().map(|line| format!("{}: {line}", pool.name)).collect() } else { lines }
}

/// The update does not wait for the pool, with its evidence.
pub(super) fn not_required_found(name: &str) -> Precondition {
    Precondition {
        words: format!("pool {name} is not one that the update waits for"),
        evidence: format!("mcp/{name} has no label operator.machineconfiguration.openshift.io/required-for-upgrade"),
    }
}

/// Fills the plan that pauses pools, or unpauses them. Those that are so already are left as they are, and named; `tell`
/// adds what is peculiar of a pool to the plan, and gives the lines of what follows.
pub(super) fn switch(
    assessment: &Assessment,
    session: &Session,
    plan: Plan,
    (names, paused): (&[String], bool),
    mut tell: impl FnMut(&Pool, &mut Plan) -> Vec<String>,
) -> Result<Plan, Refusal> {
    let mut plan = plan;
    let (mut effects, mut chosen) = (Vec::new(), Vec::new());
    let differs = |name: &&String| assessment.pool(name).is_some_and(|pool| pool.paused != paused);
    let several = names.iter().filter(differs).count() > 1;
    for name in names {
        let (pool, seen) = find(assessment, name)?;
        if pool.paused == paused {
            let (is, whose) = if paused {
                ("paused already", format!(", {}", whose_pause(pool)))
            } else {
                ("not paused", String::new())
            };
            plan.preconditions.push(Precondition {
                words: format!("pool {name} is {is} and is left as it is"),
                evidence: format!("mcp/{name} spec.paused = {paused}{whose}"),
            });
            continue;
        }
        plan.preconditions.push(paused_found(pool));
        let lines = tell(pool, &mut plan);
        plan.consequences.extend(told_of(several, pool, lines));
        plan.writes.push(write(session, seen, "paused", &json!(paused))?);
        effects.push(Effect::PoolPaused { pool: name.clone(), paused });
        chosen.push(name.clone());
    }
    plan.preconditions.push(gate::permission_found(assessment, &PATCH));
    plan.effect = if effects.len() == 1 { effects.remove(0) } else { Effect::All(effects) };
    Ok(plan.undone_on(Target::Pools(chosen)))
}

/// The offer of an action on one pool, when the target is one.
pub(super) fn offered(
    entry: &Entry,
    assessment: &Assessment,
    target: &Target,
    title: impl Fn(&str) -> String,
    danger: Danger,
    available: impl Fn(&str) -> Result<(), Refusal>,
) -> Option<Offered> {
    let [name] = target.pools() else { return None };
    assessment.pool(name)?;
    Some(Offered { action: entry.id, title: title(name), danger, refusal: available(name).err() })
}

//! Unpause pools: everything that has gathered is released, and reboots begin.

use super::pending::{certificate, difference, impact, in_flight, pending, reboots, still_to_come};
use super::pool::{self, KINDS, PATCH, find};
use super::rendered_config::Difference;
use super::words::{FIELD_MANAGER, count, list, whose_pause};
use super::{
    ALL, ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Read, Refusal, Session, Takes, Target,
    capacity, gate, health_checks, what_if,
};
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::verdict::rendered;
use crate::upgrade::version::{below_extended, channel_minor};

/// Reboots begin, or may begin with the next change.
pub(super) const DANGER: Danger = Danger::M;

/// On how many of the next nodes the pods are read: more would be a long list that changes before it is reached.
const NODES_READ: usize = 3;

/// Unpause pools.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::UnpausePool,
    name: "unpause-pool",
    word: "unpause",
    summary: "unpause the pool or the marked pools: their nodes will reboot",
    gerund: "unpausing a pool",
    dangers: &[DANGER],
    takes: Takes::Pools,
    args: &[Arg::option(ALL, ArgKind::Flag, "every pool that was paused from here; those that others paused stay so")],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::PausePool),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.pools();
    let chosen = to_unpause(assessment, names);
    (!chosen.is_empty()).then(|| Offered {
        action: ActionId::UnpausePool,
        title: pool::title("Unpause", &chosen),
        danger: DANGER,
        refusal: available(assessment, session, names).err(),
    })
}

/// Those of the pools that are paused.
fn to_unpause<'a>(assessment: &'a Assessment, names: &[String]) -> Vec<&'a str> {
    let pools = names.iter().filter_map(|name| assessment.pool(name));
    pools.filter(|pool| pool.paused).map(|pool| pool.name.as_str()).collect()
}

/// Paused by this program: by this person or by a colleague's cockpit.
fn ours(pool: &Pool) -> bool {
    pool.paused && pool.paused_by.as_ref().is_some_and(|(manager, _)| manager == FIELD_MANAGER)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = pool::meant(assessment, ask, |pool, _| ours(pool))?;
    if names.is_empty() {
        gate::session(assessment, session, KINDS)?;
        let others: Vec<&Pool> = assessment.pools.iter().filter(|pool| pool.paused).collect();
        let others = others.iter().map(|pool| format!("{} ({})", pool.name, whose_pause(pool))).collect::<Vec<_>>();
        return Err(Refusal(if others.is_empty() {
            "no pool is paused".to_owned()
        } else {
            format!("no pool was paused from here; name those that are meant: {}", others.join(", "))
        }));
    }
    plan(assessment, session, ask, &names, material)
}

/// Can the pools be unpaused now?
pub(super) fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    for name in names {
        find(assessment, name)?;
    }
    if to_unpause(assessment, names).is_empty() {
        return Err(match names {
            [name] => Refusal(format!("pool {name} is not paused")),
            names => Refusal(format!("none of the {} pools is paused", names.len())),
        });
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan. Pools that are not paused are left as they are, and named.
fn plan(
    assessment: &Assessment,
    session: &Session,
    ask: &Ask,
    names: &[String],
    material: &Material,
) -> Result<Plan, Refusal> {
    available(assessment, session, names)?;
    let chosen = to_unpause(assessment, names);
    let plan = Plan { danger: DANGER, ..Plan::draft(&ENTRY, ask, pool::title("Unpause", &chosen)) };
    let mut first = Vec::new();
    let mut plan = pool::switch(assessment, session, plan, (names, false), |pool, plan| {
        let after = what_if::unpaused(assessment, &pool.name);
        let next = after.pool(&pool.name).map(|then| (then.capacity.free, capacity::candidates(then, &after)));
        let (free, next) = next.unwrap_or_default();
        first.extend(next.into_iter().take(free));
        consequences(assessment, pool, &after, material, &mut plan.reads)
    })?;
    plan.consequences.extend(together(&chosen));
    if chosen.iter().any(|name| assessment.pool(name).is_some_and(Pool::outdated)) {
        plan.consequences.extend(health_checks::not_paused(assessment));
    }
    plan.consequences.extend(left_paused(assessment, ask));
    plan.reads.splice(0..0, first.into_iter().take(NODES_READ).map(Read::PodsOn));
    Ok(plan)
}

/// Several pools roll at the same time.
fn together(chosen: &[&str]) -> Option<String> {
    (chosen.len() > 1).then(|| {
        format!(
            "the {} pools roll at the same time, each as far as its own maxUnavailable goes: to test one before the \
             next, unpause them one by one",
            chosen.len()
        )
    })
}

/// With `--all`: whose pauses are respected.
fn left_paused(assessment: &Assessment, ask: &Ask) -> Option<String> {
    let others = assessment.pools.iter().filter(|pool| pool.paused && !ours(pool));
    let others: Vec<String> = others.map(|pool| format!("{} ({})", pool.name, whose_pause(pool))).collect();
    (ask.args.flag(ALL) && !others.is_empty())
        .then(|| format!("left as they are, because they were not paused from here: {}", others.join(", ")))
}

fn consequences(
    assessment: &Assessment,
    pool: &Pool,
    after: &Assessment,
    material: &Material,
    reads: &mut Vec<Read>,
) -> Vec<String> {
    let mut lines = vec![whose_pause(pool)];
    let waiting = still_to_come(assessment, pool);
    let Some(pending) = pending(assessment, pool).filter(|_| !waiting.is_empty()) else {
        lines.push("nothing is pending: no node reboots now".to_owned());
        lines.push(certificate(assessment, pool));
        return lines;
    };
    lines.push(format!("pending: {pending}"));
    let difference = difference(assessment, pool, material, reads);
    lines.extend(difference.as_ref().map(Difference::words));
    lines.extend(reboots(assessment, pool, after, impact(assessment, pool, difference.as_ref())));
    let moving = in_flight(assessment, pool);
    if !moving.is_empty() {
        lines.push(format!("{} in flight already: {}", count(moving.len(), "node"), list(moving)));
    }
    lines.push(format!(
        "at most {} unavailable at once (maxUnavailable {}), {} unavailable now, effective capacity {} afterwards",
        pool.capacity.max_unavailable,
        pool.capacity.max_unavailable_spec,
        pool.capacity.unavailable,
        capacity::free(pool, pool.capacity.unavailable),
    ));
    lines.extend(capacity::next(pool, after));
    lines.extend(second_round(assessment, pool));
    lines.extend(second_hop(assessment));
    lines.push(certificate(assessment, pool));
    lines
}

/// The cluster is between two releases with extended support: nodes that are released now reboot for each.
fn second_hop(assessment: &Assessment) -> Option<String> {
    let present = &assessment.facts.cluster_version.as_deref()?.status.desired.version;
    let channel = assessment.update.channel.as_deref()?;
    let (major, minor) = channel_minor(channel).filter(|_| below_extended(present, channel))?;
    Some(format!(
        "the channel {channel} leads on from {present} to {major}.{minor}: nodes that reboot now reboot again for it, and \
         once only if the pool stays paused until the control plane is there"
    ))
}

/// The pool's target is not yet that of the version that the update goes to: its nodes would reboot twice.
fn second_round(assessment: &Assessment, pool: &Pool) -> Option<String> {
    let to = assessment.update.to.as_ref()?;
    (assessment.update.in_progress && !rendered(assessment, pool)).then(|| {
        format!(
            "the configuration of {to} is not rendered yet (machine-config comes last): nodes that reboot now reboot \
             again for it"
        )
    })
}

//! Unpause a pool: everything that has gathered is released, and reboots begin.

use super::pool::{self, KINDS, PATCH, find, in_flight, paused_found, pending, still_to_come};
use super::words::{count, list, whose_pause};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Read, Refusal, Session, Takes, Target, capacity,
    gate, what_if,
};
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::verdict::rendered;

/// Reboots begin, or may begin with the next change.
pub(super) const DANGER: Danger = Danger::M;

/// On how many of the next nodes the pods are read: more would be a long list that changes before it is reached.
const NODES_READ: usize = 3;

/// Unpause the pool.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::UnpausePool,
    name: "unpause-pool",
    word: "unpause",
    summary: "unpause the pool: its nodes will reboot",
    gerund: "unpausing a pool",
    dangers: &[DANGER],
    takes: Takes::Pool,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::PausePool),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let [name] = target.pools() else { return None };
    assessment.pool(name).filter(|pool| pool.paused == true)?;
    let refusal = available(assessment, session, name).err();
    Some(Offered { action: ActionId::UnpausePool, title: title(name), danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let [name] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    plan(assessment, session, ask, name)
}

/// Can the pool be unpaused now?
pub(super) fn available(assessment: &Assessment, session: &Session, name: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let (pool, _) = find(assessment, name)?;
    if !pool.paused {
        return Err(Refusal(format!("pool {name} is not paused")));
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan.
fn plan(assessment: &Assessment, session: &Session, ask: &Ask, name: &str) -> Result<Plan, Refusal> {
    available(assessment, session, name)?;
    let (pool, seen) = find(assessment, name)?;
    let after = what_if::unpaused(assessment, name);
    let next = after.pool(name).map(|pool| (pool.capacity.free, capacity::candidates(pool, &after)));
    let (free, next) = next.unwrap_or_default();
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![paused_found(pool), gate::permission_found(assessment, &PATCH)],
        consequences: consequences(assessment, pool, &after),
        reads: next.into_iter().take(free.min(NODES_READ)).map(Read::PodsOn).collect(),
        writes: vec![pool::write(session, seen, false)?],
        effect: Effect::PoolPaused { pool: name.to_owned(), paused: false },
        ..Plan::draft(&ENTRY, ask, title(name))
    })
}

/// `Unpause pool worker`.
pub(super) fn title(name: &str) -> String {
    format!("Unpause pool {name}")
}

fn consequences(assessment: &Assessment, pool: &Pool, after: &Assessment) -> Vec<String> {
    let mut lines = vec![whose_pause(pool)];
    let waiting = still_to_come(assessment, pool);
    let Some(pending) = pending(assessment, pool).filter(|_| !waiting.is_empty()) else {
        lines.push("nothing is pending: no node reboots now".to_owned());
        return lines;
    };
    lines.push(format!("pending: {pending}"));
    lines.push(format!(
        "{} will be cordoned, drained and rebooted (unless every change is one that needs no reboot): {}",
        count(waiting.len(), "node"),
        list(waiting.iter().copied()),
    ));
    let moving = in_flight(assessment, pool);
    if !moving.is_empty() {
        lines.push(format!("in flight already: {}", list(moving)));
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
    lines
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

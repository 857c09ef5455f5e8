//! Pause pools: the machine-config controller takes no further node of them.

use super::pending::{certificate, difference, in_flight, pending, still_to_come};
use super::pool::{self, KINDS, PATCH, find, required};
use super::words::{count, list, order, whose_pause};
use super::{
    ALL, ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Read, Refusal, Session, Takes, Target,
    capacity, gate,
};
use crate::upgrade::assessment::{Assessment, Pool};

/// Pause pools.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::PausePool,
    name: "pause-pool",
    word: "pause",
    summary: "pause the pool or the marked pools: no further node is taken",
    gerund: "pausing a pool",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Pools,
    args: &[Arg::option(
        ALL,
        ArgKind::Flag,
        "every pool that the update does not wait for: all but master and arbiter",
    )],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::UnpausePool),
    offered,
    plan: make,
};

/// Pausing is reversible and touches no workload. But a rollout that it stops stays stopped without a sign: the effective
/// capacity is 0, no condition, event or alert tells of it (machine-config-operator dropped the alert in 4.13), and nodes
/// of two configurations stay side by side.
pub(super) fn danger(assessment: &Assessment, names: &[String]) -> Danger {
    let stops = |name: &String| {
        assessment.pool(name).is_some_and(|pool| !pool.paused && !still_to_come(assessment, pool).is_empty())
    };
    if names.iter().any(stops) { Danger::M } else { Danger::L }
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.pools();
    let chosen = to_pause(assessment, names);
    (!chosen.is_empty()).then(|| Offered {
        action: ActionId::PausePool,
        title: pool::title("Pause", &chosen),
        danger: danger(assessment, names),
        refusal: available(assessment, session, names).err(),
    })
}

/// Those of the pools that are not paused yet.
fn to_pause<'a>(assessment: &'a Assessment, names: &[String]) -> Vec<&'a str> {
    let pools = names.iter().filter_map(|name| assessment.pool(name));
    pools.filter(|pool| !pool.paused).map(|pool| pool.name.as_str()).collect()
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = pool::meant(assessment, ask, |pool, seen| !required(pool, seen) && !pool.paused);
    let names = match (names, &ask.target) {
        // Before anything was listed there are no pools either: that is told first.
        (Ok(names), Target::Cluster) if names.is_empty() => {
            gate::session(assessment, session, KINDS)?;
            return Err(Refusal("every pool that may be paused is paused already, or there is none".to_owned()));
        }
        (names, _) => names?,
    };
    plan(assessment, session, ask, &names, material)
}

/// Can the pools be paused now?
pub(super) fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    for name in names {
        let (pool, seen) = find(assessment, name)?;
        if required(pool, seen) {
            // machine-config-operator, RequiredPools (pkg/operator/sync.go): the operator waits for these pools, paused
            // or not, and degrades.
            return Err(Refusal(format!(
                "pool {name} is never paused: the cluster operator machine-config waits for it, so the update of the \
                 cluster would hang"
            )));
        }
    }
    if to_pause(assessment, names).is_empty() {
        return Err(match names {
            [name] => Refusal(format!("pool {name} is paused already, {}", whose_pause(find(assessment, name)?.0))),
            names => Refusal(format!("all {} pools are paused already", names.len())),
        });
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan. Pools that are paused already are left as they are, and named.
fn plan(
    assessment: &Assessment,
    session: &Session,
    ask: &Ask,
    names: &[String],
    material: &Material,
) -> Result<Plan, Refusal> {
    available(assessment, session, names)?;
    let chosen = to_pause(assessment, names);
    let plan = Plan { danger: danger(assessment, names), ..Plan::draft(&ENTRY, ask, pool::title("Pause", &chosen)) };
    let mut plan = pool::switch(assessment, session, plan, (names, true), |pool, plan| {
        plan.preconditions.push(pool::not_required_found(&pool.name));
        consequences(assessment, pool, material, &mut plan.reads)
    })?;
    plan.consequences.extend(for_all(assessment));
    Ok(plan)
}

fn consequences(assessment: &Assessment, pool: &Pool, material: &Material, reads: &mut Vec<Read>) -> Vec<String> {
    let mut lines = Vec::new();
    let moving = in_flight(assessment, pool);
    if moving.is_empty() {
        lines.push("no node of the pool is being worked on".to_owned());
    } else {
        let names = list(moving.iter().copied());
        lines.push(format!("{} in flight will finish, reboot included: {names}", count(moving.len(), "node")));
    }
    let free = capacity::free(pool, pool.capacity.unavailable);
    lines.push(format!("no further node is taken: effective capacity {free} before, 0 afterwards"));
    let waiting = still_to_come(assessment, pool);
    if let (Some(pending), false) = (pending(assessment, pool), waiting.is_empty()) {
        lines.push(format!("{} of {} stay as they are: {}", waiting.len(), pool.total, list(waiting)));
        lines.push(format!("pending: {pending}"));
        lines.extend(difference(assessment, pool, material, reads).map(|difference| difference.words()));
        let next = capacity::candidates(pool, assessment);
        if !next.is_empty() {
            lines.push(format!("without the pause these would be taken, in this order: {}", order(&next)));
        }
    } else {
        lines.push("nothing is pending now".to_owned());
    }
    lines.push(certificate(assessment, pool));
    lines
}

/// What a pause means whatever the pool.
fn for_all(assessment: &Assessment) -> Vec<String> {
    let mut lines =
        vec!["changes that come while it is paused gather; unpausing releases all of them at once".to_owned()];
    if assessment.update.in_progress {
        let to = assessment.update.to.as_deref().unwrap_or("the new version");
        lines.push(format!(
            "the update to {to} completes without this pool, and the next minor update is refused while its kubelets lag \
             too far"
        ));
    }
    lines
}

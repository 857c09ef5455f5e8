//! Pause a pool: the machine-config controller takes no further node of it.

use super::pool::{self, KINDS, PATCH, find, in_flight, paused_found, pending, still_to_come};
use super::words::{count, list, order, whose_pause};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes, Target,
    capacity, gate,
};
use crate::upgrade::assessment::{Assessment, Pool};

/// Pausing is reversible and touches no workload: what is being worked on goes on, what is not stays as it is.
pub(super) const DANGER: Danger = Danger::L;

/// Pause the pool.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::PausePool,
    name: "pause-pool",
    word: "pause",
    summary: "pause the pool: no further node is taken",
    gerund: "pausing a pool",
    dangers: &[DANGER],
    takes: Takes::Pool,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::UnpausePool),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let [name] = target.pools() else { return None };
    assessment.pool(name).filter(|pool| pool.paused == false)?;
    let refusal = available(assessment, session, name).err();
    Some(Offered { action: ActionId::PausePool, title: title(name), danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let [name] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    plan(assessment, session, ask, name)
}

/// Can the pool be paused now?
pub(super) fn available(assessment: &Assessment, session: &Session, name: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let (pool, seen) = find(assessment, name)?;
    if pool.control_plane || seen.is_required_for_upgrade() {
        // machine-config-operator, RequiredPools (pkg/operator/sync.go): the operator waits for these pools, paused or
        // not, and degrades.
        return Err(Refusal(format!(
            "pool {name} is never paused: the cluster operator machine-config waits for it, so the update of the cluster \
             would hang"
        )));
    }
    if pool.paused {
        return Err(Refusal(format!("pool {name} is paused already, {}", whose_pause(pool))));
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan.
fn plan(assessment: &Assessment, session: &Session, ask: &Ask, name: &str) -> Result<Plan, Refusal> {
    available(assessment, session, name)?;
    let (pool, seen) = find(assessment, name)?;
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![
            paused_found(pool),
            Precondition {
                words: format!("pool {name} is not one that the update waits for"),
                evidence: format!(
                    "mcp/{name} has no label operator.machineconfiguration.openshift.io/required-for-upgrade"
                ),
            },
            gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(assessment, pool),
        writes: vec![pool::write(session, seen, true)?],
        effect: Effect::PoolPaused { pool: name.to_owned(), paused: true },
        ..Plan::draft(&ENTRY, ask, title(name))
    })
}

/// `Pause pool worker`.
pub(super) fn title(name: &str) -> String {
    format!("Pause pool {name}")
}

fn consequences(assessment: &Assessment, pool: &Pool) -> Vec<String> {
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
        let next = capacity::candidates(pool, assessment);
        if !next.is_empty() {
            lines.push(format!("without the pause the next would be: {}", order(&next)));
        }
    } else {
        lines.push("nothing is pending now".to_owned());
    }
    lines.push("changes that come while it is paused gather; unpausing releases all of them at once".to_owned());
    if assessment.update.in_progress {
        let to = assessment.update.to.as_deref().unwrap_or("the new version");
        lines.push(format!(
            "the update to {to} completes without this pool, and the next minor update is refused while its kubelets lag \
             too far"
        ));
    }
    lines
}

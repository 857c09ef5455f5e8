//! Pause a pool: the machine-config controller takes no further node of it.

use super::pool::{self, KINDS, PATCH, find, in_flight, paused_found, pending, still_to_come};
use super::words::{count, list, order, whose_pause};
use super::{ActionId, Confirm, Danger, Effect, Plan, Precondition, Refusal, Session, Target, capacity, gate};
use crate::upgrade::assessment::{Assessment, Pool};

/// Pausing is reversible and touches no workload: what is being worked on goes on, what is not stays as it is.
pub(super) const DANGER: Danger = Danger::L;

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
pub(super) fn plan(assessment: &Assessment, session: &Session, name: &str) -> Result<Plan, Refusal> {
    available(assessment, session, name)?;
    let (pool, seen) = find(assessment, name)?;
    Ok(Plan {
        action: ActionId::PausePool,
        target: Target::Pool(name.to_owned()),
        title: title(name),
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
        reads: Vec::new(),
        writes: vec![pool::write(session, seen, true)?],
        questions: Vec::new(),
        confirm: Confirm::Button,
        effect: Effect::PoolPaused { pool: name.to_owned(), paused: true },
        inverse: Some(ActionId::UnpausePool),
        strict_lock: false,
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

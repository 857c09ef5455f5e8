//! The phase rail: where in the procedure the cluster is.

use super::assessment::{
    Assessment, Finding, Level, NodePhase, OperatorState, Pool, Step, StepState, Subject, VerdictKind,
};
use super::progress;
use crate::api::Conditions as _;

/// The steps of an update, from preflight to verification; masters and pools roll side by side.
pub fn rail(assessment: &Assessment) -> Vec<Step> {
    let begun = assessment.update.in_progress
        || assessment.verdict.kind == VerdictKind::Completed
        || (assessment.update.completed.is_some() && progress::release_differs(assessment));
    let accepted = accepted(assessment, begun);
    let asked = accepted != StepState::Todo;
    let (masters, pools): (Vec<&Pool>, Vec<&Pool>) = assessment.pools.iter().partition(|pool| pool.control_plane);
    let step = |name, state, detail, beside| Step { name, state, detail, beside };
    vec![
        step("preflight", if asked { StepState::Done } else { StepState::Todo }, String::new(), false),
        step("accepted", accepted, String::new(), false),
        operators(assessment, begun),
        nodes("masters", assessment, &masters, begun, false),
        nodes("pools", assessment, &pools, begun, true),
        step("verify", verify(assessment, begun), String::new(), false),
    ]
}

fn accepted(assessment: &Assessment, begun: bool) -> StepState {
    match &assessment.update.requested {
        Some(requested) if requested.refused => StepState::Trouble,
        Some(_) => StepState::Active,
        None if begun => StepState::Done,
        None => StepState::Todo,
    }
}

/// All operators but `machine-config`, whose progress is that of the masters.
fn operators(assessment: &Assessment, begun: bool) -> Step {
    let rows = || assessment.operators.rows.iter().filter(|row| row.platform && row.name != "machine-config");
    let (total, updated) = (rows().count(), rows().filter(|row| row.updated).count());
    let failing = assessment.verdict.kind == VerdictKind::Failing;
    let trouble = failing || assessment.findings.iter().any(is_operator_trouble);
    let state = match (begun, updated == total) {
        (false, _) => StepState::Todo,
        (true, true) => StepState::Done,
        (true, false) if trouble => StepState::Trouble,
        (true, false) => StepState::Active,
    };
    let detail = if total == 0 { String::new() } else { format!("{updated}/{total}") };
    Step { name: "operators", state, detail, beside: false }
}

/// Trouble that lasts: an operator that hiccups for a minute is none.
fn is_operator_trouble(finding: &Finding) -> bool {
    let operator = matches!(&finding.subject, Subject::Operator(name) if name != "machine-config");
    operator && !finding.expected && finding.level >= Level::Warning
}

fn nodes(name: &'static str, assessment: &Assessment, pools: &[&Pool], begun: bool, beside: bool) -> Step {
    let (total, updated) =
        pools.iter().fold((0, 0), |(total, updated), pool| (total + pool.total, updated + pool.updated));
    let moving = pools.iter().any(|pool| pool.moving > 0);
    let person = |pool: &&Pool| pool.paused && pool.outdated() && !assessment.update.in_progress;
    let stuck = |pool: &&Pool| {
        pool.outdated()
            && (pool.degraded > 0
                || pool.degraded_message.is_some()
                || assessment.nodes_of(&pool.name).any(|node| node.drain_trouble.is_some()))
    };
    let targeted = assessment.nodes.iter().any(|node| {
        let ours = pools.iter().any(|pool| Some(pool.name.as_str()) == node.pool.as_deref());
        ours && node.phase == NodePhase::Done && assessment.update.in_progress
    });
    let state = if total == updated {
        if begun && total > 0 { StepState::Done } else { StepState::Todo }
    } else if pools.iter().any(|pool| stuck(pool) || person(pool)) {
        StepState::Trouble
    } else if moving || targeted || !assessment.update.in_progress {
        StepState::Active
    } else {
        StepState::Todo
    };
    let detail = if total == 0 { String::new() } else { format!("{updated}/{total}") };
    Step { name, state, detail, beside }
}

fn verify(assessment: &Assessment, begun: bool) -> StepState {
    if !begun || assessment.update.in_progress || assessment.pools.iter().any(Pool::outdated) {
        return StepState::Todo;
    }
    let version = assessment.facts.cluster_version.as_ref();
    let failing = version.is_some_and(|version| version.status.conditions.is_true("Failing"));
    let rows = || assessment.operators.rows.iter().filter(|row| row.platform);
    if failing || rows().any(|row| matches!(row.state, OperatorState::Unavailable | OperatorState::Degraded)) {
        StepState::Trouble
    } else if rows().any(|row| row.progressing) {
        StepState::Active
    } else {
        StepState::Done
    }
}

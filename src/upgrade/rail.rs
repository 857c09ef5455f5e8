//! The phase rail: where in the procedure the cluster is, what each phase was judged by, and what it waits for.
//!
//! Preflight, the request, its acceptance (retrieve, load, verify, preconditions: the steps that `ReleaseAccepted` names,
//! cvo: pkg/cvo/sync_worker.go), operators by run level, then control plane nodes beside the other pools, and the check
//! that all of it holds.

#[cfg(test)]
mod rail_tests;

use super::assessment::{
    Assessment, Evidence, Finding, Level, NodePhase, OperatorState, Pool, Step, StepState, Subject, VerdictKind,
};
use super::progress;
use super::updates;
use super::words;
use crate::api::{self, Conditions as _, Tri};

/// The ClusterVersion as evidence names it.
const VERSION: &str = "clusterversion/version";

/// How many names a line shows.
const NAMES: usize = 3;

/// The steps of an update, from preflight to verification; masters and pools roll side by side.
pub fn rail(assessment: &Assessment) -> Vec<Step> {
    let begun = assessment.update.in_progress
        || matches!(assessment.verdict.kind, VerdictKind::Completed | VerdictKind::UpdatingPools)
        || (assessment.update.completed.is_some() && progress::release_differs(assessment));
    let (masters, pools): (Vec<&Pool>, Vec<&Pool>) = assessment.pools.iter().partition(|pool| pool.control_plane);
    vec![
        preflight(assessment, begun),
        requested(assessment, begun),
        accepted(assessment, begun),
        operators(assessment, begun),
        nodes("masters", assessment, &masters, begun),
        Step { beside: true, ..nodes("pools", assessment, &pools, begun) },
        verify(assessment, begun),
    ]
}

fn evidence(object: impl Into<String>, field: &str, value: impl Into<String>) -> Evidence {
    Evidence { object: object.into(), field: field.to_owned(), value: value.into(), at: None }
}

/// A condition of the ClusterVersion as evidence; none where it is absent.
fn condition(assessment: &Assessment, kind: &str) -> Option<Evidence> {
    let version = assessment.facts.cluster_version.as_deref()?;
    let found = version.status.conditions.condition(kind)?;
    let said: Vec<&str> = [found.status.word(), found.reason.as_str(), words::first_line(&found.message)]
        .into_iter()
        .filter(|said| !said.is_empty())
        .collect();
    Some(Evidence { at: found.since, ..evidence(VERSION, kind, said.join(", ")) })
}

/// What keeps a minor update from being asked for. Whatever can be found out before is in `preflight`, which reads more.
fn preflight(assessment: &Assessment, begun: bool) -> Step {
    let asked = begun || assessment.update.requested.is_some();
    if asked {
        return Step::new("preflight", StepState::Done);
    }
    let gates: Vec<String> = updates::gates_of(assessment)
        .unwrap_or_default()
        .iter()
        .filter(|gate| gate.acknowledged == Some(false))
        .map(|gate| format!("gate {} is not acknowledged: minor updates are barred", gate.key))
        .collect();
    let barred = condition(assessment, "Upgradeable")
        .filter(|found| found.value.starts_with(Tri::False.word()))
        .map(|_| "Upgradeable is False: minor updates are barred".to_owned());
    let degraded = |pool: &&Pool| pool.degraded_message.is_some();
    let pools = assessment.pools.iter().filter(degraded).map(|pool| format!("pool {} is degraded", pool.name));
    Step {
        waits: gates.into_iter().chain(barred).chain(pools).collect(),
        evidence: condition(assessment, "Upgradeable").into_iter().collect(),
        ..Step::new("preflight", StepState::Todo)
    }
}

/// Somebody asks for a version.
fn requested(assessment: &Assessment, begun: bool) -> Step {
    let update = &assessment.update;
    let wanted = assessment.facts.cluster_version.as_deref().and_then(|version| version.spec.desired_update.as_ref());
    let spec = wanted.map(|wanted| {
        let named = if wanted.version.is_empty() { &wanted.image } else { &wanted.version };
        evidence(VERSION, "spec.desiredUpdate", named.clone())
    });
    let before = update.from_incomplete.as_ref().map(|version| {
        evidence(VERSION, "status.history[1]", format!("{version}, Partial: it was never completed, and then replaced"))
    });
    let evidence = spec.into_iter().chain(before).collect();
    if let Some(requested) = &update.requested {
        return Step { since: requested.since, evidence, ..Step::new("requested", StepState::Done) };
    }
    if begun {
        return Step { since: update.started, evidence, ..Step::new("requested", StepState::Done) };
    }
    let waits = match (update.offers.len(), &update.channel) {
        (0, None) => "no channel is set, so nothing is on offer".to_owned(),
        (0, Some(channel)) => format!("no update is on offer in {channel}"),
        (count, _) => format!("nobody asks for an update; {count} on offer"),
    };
    Step { waits: vec![waits], evidence, ..Step::new("requested", StepState::Todo) }
}

/// The part of the acceptance that `ReleaseAccepted.reason` names.
fn part(reason: &str) -> &'static str {
    match reason {
        "RetrievePayload" => "retrieve",
        "LoadPayload" => "load",
        "VerifyPayloadVersion" | "ImageVerificationFailed" => "verify",
        "PreconditionChecks" => "preconditions",
        _ => "",
    }
}

fn accepted(assessment: &Assessment, begun: bool) -> Step {
    let evidence: Vec<Evidence> = condition(assessment, "ReleaseAccepted").into_iter().collect();
    match &assessment.update.requested {
        Some(requested) => {
            let said = words::first_line(&requested.message);
            let waits =
                if said.is_empty() { "the cluster-version operator checks it".to_owned() } else { said.to_owned() };
            let state = if requested.refused { StepState::Trouble } else { StepState::Active };
            Step {
                detail: part(&requested.step).to_owned(),
                since: requested.since,
                waits: vec![waits],
                evidence,
                ..Step::new("accepted", state)
            }
        }
        None if begun => Step { since: assessment.update.started, evidence, ..Step::new("accepted", StepState::Done) },
        None => Step::new("accepted", StepState::Todo),
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
    let going = matches!(state, StepState::Active | StepState::Trouble);
    let mut waits = Vec::new();
    if going && !assessment.update.waiting_on.is_empty() {
        let named = words::some_of(assessment.update.waiting_on.iter().map(String::as_str), NAMES);
        waits.push(format!("the cluster-version operator waits for {named}"));
    }
    if state == StepState::Trouble {
        waits
            .extend(assessment.findings.iter().filter(|finding| is_operator_trouble(finding)).map(|f| f.title.clone()));
    }
    Step {
        detail: if total == 0 { String::new() } else { format!("{updated}/{total}") },
        since: assessment.update.started.filter(|_| going),
        waits,
        evidence: condition(assessment, "Progressing").into_iter().filter(|_| begun).collect(),
        ..Step::new("operators", state)
    }
}

/// Trouble that lasts: an operator that hiccups for a minute is none.
fn is_operator_trouble(finding: &Finding) -> bool {
    let operator = matches!(&finding.subject, Subject::Operator(name) if name != "machine-config");
    operator && !finding.expected && finding.level >= Level::Warning
}

/// Is something wrong with a pool that has nodes to update?
fn stuck(assessment: &Assessment, pool: &Pool) -> bool {
    pool.outdated()
        && (pool.degraded > 0
            || pool.degraded_message.is_some()
            || assessment.nodes_of(&pool.name).any(|node| node.drain_trouble.is_some()))
}

fn nodes(name: &'static str, assessment: &Assessment, pools: &[&Pool], begun: bool) -> Step {
    let (total, updated) =
        pools.iter().fold((0, 0), |(total, updated), pool| (total + pool.total, updated + pool.updated));
    let moving = pools.iter().any(|pool| pool.moving > 0);
    let person = |pool: &Pool| pool.paused && pool.outdated() && !assessment.update.in_progress;
    let targeted = assessment.nodes.iter().any(|node| {
        let ours = pools.iter().any(|pool| Some(pool.name.as_str()) == node.pool.as_deref());
        ours && node.phase == NodePhase::Done && assessment.update.in_progress
    });
    let state = if total == updated {
        if begun && total > 0 { StepState::Done } else { StepState::Todo }
    } else if pools.iter().any(|pool| stuck(assessment, pool) || person(pool)) {
        StepState::Trouble
    } else if moving || targeted || !assessment.update.in_progress {
        StepState::Active
    } else {
        StepState::Todo
    };
    let going = matches!(state, StepState::Active | StepState::Trouble);
    let since = |pool: &Pool| assessment.nodes_of(&pool.name).filter_map(|node| node.since).min();
    Step {
        detail: if total == 0 { String::new() } else { format!("{updated}/{total}") },
        since: if going {
            pools.iter().filter(|pool| pool.moving > 0).filter_map(|pool| since(pool)).min()
        } else {
            None
        },
        waits: if state == StepState::Done { Vec::new() } else { waits_of(assessment, pools, going) },
        evidence: pools
            .iter()
            .filter(|pool| pool.total > 0)
            .map(|pool| {
                let value = format!("{} of {}", pool.updated, pool.total);
                evidence(format!("mcp/{}", pool.name), "updated nodes", value)
            })
            .collect(),
        ..Step::new(name, state)
    }
}

/// What the pools wait for: a person, a drain, or the nodes that are on their way.
fn waits_of(assessment: &Assessment, pools: &[&Pool], going: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for pool in pools.iter().filter(|pool| pool.outdated()) {
        if pool.paused {
            lines.push(format!("pool {} is paused: {} stay behind", pool.name, left(pool)));
        }
        for node in assessment.nodes_of(&pool.name) {
            if let Some(trouble) = &node.drain_trouble {
                lines.push(format!("{}: {}", node.name, words::first_line(&trouble.error)));
            }
        }
        if let Some(message) = &pool.degraded_message {
            lines.push(format!("pool {} is degraded: {}", pool.name, words::first_line(message)));
        }
        let moving = assessment.nodes_of(&pool.name).filter(|node| node.phase.moving());
        let moving: Vec<String> = moving.map(|node| format!("{} ({})", node.name, node.phase.word())).collect();
        if going && !moving.is_empty() {
            lines.push(words::some_of(moving.iter().map(String::as_str), NAMES));
        }
    }
    lines
}

/// `3 nodes`.
fn left(pool: &Pool) -> String {
    match pool.total - pool.updated {
        1 => "1 node".to_owned(),
        left => format!("{left} nodes"),
    }
}

fn verify(assessment: &Assessment, begun: bool) -> Step {
    let waiting = |lines: Vec<String>| Step { waits: lines, ..Step::new("verify", StepState::Todo) };
    if !begun {
        return waiting(Vec::new());
    }
    if assessment.update.in_progress {
        return waiting(vec!["the cluster-version operator has not completed the update".to_owned()]);
    }
    let behind: Vec<&str> =
        assessment.pools.iter().filter(|pool| pool.outdated()).map(|pool| pool.name.as_str()).collect();
    if !behind.is_empty() {
        let named = words::some_of(behind.into_iter(), NAMES);
        return waiting(vec![format!("not every node is at the new version: {named}")]);
    }
    let version: Option<&api::ClusterVersion> = assessment.facts.cluster_version.as_deref();
    let failing = version.is_some_and(|version| version.status.conditions.is_true("Failing"));
    let rows = || assessment.operators.rows.iter().filter(|row| row.platform);
    let state =
        if failing || rows().any(|row| matches!(row.state, OperatorState::Unavailable | OperatorState::Degraded)) {
            StepState::Trouble
        } else if rows().any(|row| row.progressing) || assessment.verdict.kind != VerdictKind::Completed {
            StepState::Active
        } else {
            StepState::Done
        };
    Step {
        since: assessment.update.completed.filter(|_| state != StepState::Done).or(assessment.verdict.since),
        waits: if state == StepState::Done { Vec::new() } else { vec![assessment.verdict.why.clone()] },
        evidence: assessment.verdict.evidence.clone(),
        ..Step::new("verify", state)
    }
}

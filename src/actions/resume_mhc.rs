//! Resume the MachineHealthChecks that this program has paused, once the nodes that they watch over are well and at rest.

use serde_json::Value;

use super::health_checks::{self as checks, Check, PATCH, There, chosen, may, names};
use super::raw::{name, text};
use super::words::{count, list};
use super::{ActionId, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target, gate};
use crate::upgrade::assessment::{Assessment, Node};

/// They watch over machines again, as they did before.
const DANGER: Danger = Danger::L;

/// Resume health checks.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ResumeMhc,
    name: "resume-mhc",
    word: "resume health checks",
    summary: "resume the MachineHealthChecks that were paused from here; none named: all of those",
    gerund: "resuming health checks",
    dangers: &[DANGER, Danger::M],
    inverse: Some(ActionId::PauseMhc),
    offered,
    plan: make,
    ..checks::ENTRY
};

/// How titles begin.
const VERB: &str = "Resume";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let available = available(assessment, session, target);
    checks::offered((&ENTRY, VERB), assessment, target, crate::api::MachineHealthCheck::is_paused, available)
}

fn available(assessment: &Assessment, session: &Session, target: &Target) -> Result<(), Refusal> {
    names(target)?;
    may(assessment, session)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    available(assessment, session, &ask.target)?;
    let There { names, all, machines } = match checks::read((&ENTRY, VERB), ask, material)? {
        Ok(there) => there,
        Err(waits) => return Ok(waits),
    };
    let chosen = ours(&all, &names)?;
    let mut preconditions = Vec::new();
    let mut lines = Vec::new();
    let mut danger = DANGER;
    for check in &chosen {
        let selected = check.selected(&machines);
        at_rest(assessment, *check, &selected)?;
        preconditions.push(check.found());
        preconditions.push(Precondition {
            words: format!("health check {} was paused from here", check.name()),
            evidence: format!("machinehealthcheck/{} managedFields: {}", check.name(), check.whose_pause()),
        });
        preconditions.push(Precondition {
            words: format!("the nodes that {} watches over are ready, and none of their pools rolls", check.name()),
            evidence: format!("{} selected, by machines and their nodes", count(selected.len(), "machine")),
        });
        lines.push(format!("{} watches over {} again", check.name(), count(selected.len(), "machine")));
        let bare: Vec<&str> =
            selected.iter().filter(|machine| nodeless(assessment, machine)).map(|at| name(at)).collect();
        if !bare.is_empty() {
            danger = Danger::M;
            lines.push(format!("without a node, so that it may delete and replace them: {}", list(bare)));
        }
    }
    lines.push("from now on a node that stays unhealthy for long is deleted with its machine and replaced".to_owned());
    lines.extend(left(&all, &chosen));
    preconditions.push(gate::permission_found(assessment, &PATCH));
    Ok(Plan {
        danger,
        preconditions,
        consequences: lines,
        ..checks::plan((&ENTRY, VERB), session, ask, &chosen, false)?
    })
}

/// The checks that were paused from here: those that were named, else all.
fn ours<'a>(all: &[&'a Value], names: &[&str]) -> Result<Vec<Check<'a>>, Refusal> {
    let chosen = chosen(all, names, Check::is_ours)?;
    for check in &chosen {
        if !check.is_paused() {
            return Err(Refusal(format!("health check {} is not paused", check.name())));
        }
        if !check.is_ours() {
            return Err(Refusal(format!(
                "health check {} was not paused from here ({}): whoever paused it had a reason that this program does not \
                 know",
                check.name(),
                check.whose_pause()
            )));
        }
    }
    if chosen.is_empty() {
        let others: Vec<&str> =
            all.iter().copied().map(Check).filter(|check| check.is_paused()).map(Check::name).collect();
        let others = if others.is_empty() { String::new() } else { format!(" (by somebody else: {})", list(others)) };
        return Err(Refusal(format!("no health check was paused from here{others}")));
    }
    Ok(chosen)
}

/// Those that stay paused, because somebody else paused them.
fn left(all: &[&Value], chosen: &[Check]) -> Vec<String> {
    let stays = |check: &Check| check.is_paused() && !chosen.iter().any(|one| one.name() == check.name());
    let line = |check: Check| format!("{} stays as it is, {}", check.name(), check.whose_pause());
    all.iter().copied().map(Check).filter(stays).map(line).collect()
}

/// Has the Machine no node? A Machine that is being deleted is on its way out whatever the check does.
fn nodeless(assessment: &Assessment, machine: &Value) -> bool {
    checks::node(assessment, machine).is_none() && text(machine, "/metadata/deletionTimestamp").is_empty()
}

/// A check that is resumed while its nodes reboot deletes their Machines: what it counts against them are minutes that
/// have passed already.
fn at_rest(assessment: &Assessment, check: Check, selected: &[&Value]) -> Result<(), Refusal> {
    for machine in selected {
        let Some(node) = checks::node(assessment, machine) else { continue };
        let refuse = |why: String| {
            Err(Refusal(format!("{} watches over {}, {why}: it might delete its machine", check.name(), node.name)))
        };
        if !node.ready {
            return refuse("which is not ready".to_owned());
        }
        if node.phase.moving() {
            return refuse(format!("which is being worked on ({})", node.phase.word()));
        }
        if let Some(why) = rolls(assessment, node) {
            return refuse(why);
        }
    }
    Ok(())
}

/// Does the node's pool roll, or will it as soon as the update comes to it? A paused pool does neither.
fn rolls(assessment: &Assessment, node: &Node) -> Option<String> {
    let pool = node.pool.as_deref().and_then(|pool| assessment.pool(pool)).filter(|pool| !pool.paused)?;
    if pool.outdated() {
        return Some(format!("whose pool {} rolls", pool.name));
    }
    let to = assessment.update.to.as_deref().unwrap_or("the new version");
    assessment.update.in_progress.then(|| format!("whose pool {} will roll for the update to {to}", pool.name))
}

//! Pause MachineHealthChecks: while nodes reboot for an update, nothing takes a long reboot for a failure and deletes the
//! Machine.

use serde_json::Value;

use super::health_checks::{self as checks, Check, PATCH, There, chosen, may, names};
use super::raw::{name, text};
use super::words::{count, list};
use super::{ActionId, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target, gate};
use crate::upgrade::assessment::{Assessment, Topology};

/// It is reversible, and keeps the cluster from doing something.
const DANGER: Danger = Danger::L;

/// Pause health checks.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::PauseMhc,
    name: "pause-mhc",
    word: "pause health checks",
    summary: "pause MachineHealthChecks, so that no rebooting node is replaced; none named: all that are not paused",
    gerund: "pausing health checks",
    dangers: &[DANGER],
    inverse: Some(ActionId::ResumeMhc),
    offered,
    plan: make,
    ..checks::ENTRY
};

/// How titles begin.
const VERB: &str = "Pause";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let available = available(assessment, session, target);
    checks::offered((&ENTRY, VERB), assessment, target, |check| !check.is_paused(), available)
}

/// Can it be planned, as far as is known without reading anything?
fn available(assessment: &Assessment, session: &Session, target: &Target) -> Result<(), Refusal> {
    names(target)?;
    if assessment.topology == Topology::SingleReplica {
        return Err(Refusal(
            "on a single node there is no other machine that could take its place: health checks are left as they are"
                .to_owned(),
        ));
    }
    may(assessment, session)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    available(assessment, session, &ask.target)?;
    let There { names, all, machines } = match checks::read((&ENTRY, VERB), ask, material)? {
        Ok(there) => there,
        Err(waits) => return Ok(waits),
    };
    let chosen = chosen(&all, &names, |_| true)?;
    let (before, awake): (Vec<Check>, Vec<Check>) = chosen.into_iter().partition(|check| check.is_paused());
    if awake.is_empty() {
        return Err(Refusal(match before.as_slice() {
            [] => "there are no MachineHealthChecks: nothing replaces machines".to_owned(),
            [one] => format!("health check {} is paused already, {}", one.name(), one.whose_pause()),
            several => format!("all {} health checks are paused already", several.len()),
        }));
    }
    let mut preconditions: Vec<Precondition> = awake.iter().map(|check| check.found()).collect();
    preconditions.push(Precondition {
        words: "more than one node runs the cluster".to_owned(),
        evidence: format!("topology: {}", assessment.topology.words()),
    });
    preconditions.push(gate::permission_found(assessment, &PATCH));
    Ok(Plan {
        danger: DANGER,
        preconditions,
        consequences: consequences(assessment, &awake, &before, &machines),
        ..checks::plan((&ENTRY, VERB), session, ask, &awake, true)?
    })
}

fn consequences(assessment: &Assessment, awake: &[Check], before: &[Check], machines: &[&Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for check in awake {
        let selected = check.selected(machines);
        let nodes: Vec<&str> = selected
            .iter()
            .filter_map(|machine| checks::node(assessment, machine))
            .map(|node| node.name.as_str())
            .collect();
        let of = if nodes.is_empty() { String::new() } else { format!(", nodes {}", list(nodes)) };
        lines.push(format!("{} watches over {}{of}", check.name(), count(selected.len(), "machine")));
    }
    lines.push("a node that breaks for another reason is not replaced either, until they are resumed".to_owned());
    for check in before {
        lines.push(format!(
            "{} is {}: it is left as it is, and resuming leaves it too unless it was paused from here",
            check.name(),
            check.whose_pause()
        ));
    }
    let deleting = |machine: &&Value| !text(machine, "/metadata/deletionTimestamp").is_empty();
    let gone: Vec<&str> = machines.iter().copied().filter(deleting).map(name).collect();
    if !gone.is_empty() {
        lines.push(format!("being deleted already, which a pause does not stop: {}", list(gone)));
    }
    lines.push("to be resumed after the update with resume-mhc: it takes back these pauses and no others".to_owned());
    lines
}

//! Evict a pod: it goes if its budget lets it, and is never forced.

use super::departing::held;
use super::pod::{self, Begun, Seen};
use super::{ActionId, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target, eviction};
use crate::upgrade::assessment::Assessment;

/// Evict a pod.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::EvictPod,
    name: "evict-pod",
    word: "evict",
    summary: "ask a pod to go, if its budget allows it",
    gerund: "evicting a pod",
    dangers: &[Danger::L, Danger::M, Danger::H],
    permissions: &[eviction::EVICT],
    offered,
    plan: make,
    ..pod::ENTRY
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    pod::offered(&ENTRY, assessment, session, target)
}

/// A workload with a budget has said how much it can bear; without one nobody has. What nothing brings back is gone, and what
/// holds data comes back only where its volume can follow.
fn danger(seen: &Seen) -> Danger {
    let protected = seen.budgets.as_ref().is_ok_and(|budgets| !budgets.is_empty());
    match () {
        () if seen.owner.is_none() || seen.holds_data() => Danger::H,
        () if protected => Danger::L,
        () => Danger::M,
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let version = eviction::group_version(material).transpose()?;
    let more = version.is_none().then(eviction::discovery);
    let begun = pod::begin(&ENTRY, assessment, session, ask, (material, more))?;
    let (mut plan, which, seen, version) = match (begun, version) {
        (Begun::Whole(plan, which, seen), Some(version)) => (plan, which, seen, version),
        (Begun::Whole(plan, ..), None) | (Begun::Waits(plan), _) => return Ok(plan),
    };
    plan.preconditions.insert(
        1,
        Precondition {
            words: format!("the server takes evictions as {version}"),
            evidence: "discovery of /api/v1: pods/eviction".to_owned(),
        },
    );
    plan.consequences = consequences(assessment, &seen);
    let write = eviction::evict(session, &version, which.namespace, which.name, &seen.uid);
    Ok(pod::finish(plan, &which, &seen, danger(&seen), write))
}

fn consequences(assessment: &Assessment, seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    match (&seen.budgets, &seen.blocker) {
        (Err(why), _) => lines.push(format!("which budget protects it could not be read: {why}")),
        (Ok(_), Some(blocker)) => lines.push(format!(
            "it is refused as things are: {}; an eviction never goes past that",
            held(&blocker.cause, assessment)
        )),
        (Ok(budgets), None) => lines.push(match budgets.as_slice() {
            [] => {
                "no PodDisruptionBudget protects it: nobody has said how many of its workload may be missing".to_owned()
            }
            names => format!("PDB {} allows it", names.join(", ")),
        }),
    }
    lines.push(seen.recreated());
    lines.extend(seen.loses());
    lines
}

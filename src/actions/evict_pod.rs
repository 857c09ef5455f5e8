//! Evict a pod: it goes if its budget lets it, and is never forced.

use super::departing::held;
use super::pod::{self, Gathered, Seen, TAKES, Which};
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target,
    eviction,
};
use crate::upgrade::assessment::Assessment;

/// Evict a pod.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::EvictPod,
    name: "evict-pod",
    word: "evict",
    summary: "ask a pod to go, if its budget allows it",
    gerund: "evicting a pod",
    dangers: &[Danger::L, Danger::M, Danger::H],
    takes: TAKES,
    args: &[],
    permissions: &[eviction::EVICT],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn title(which: &Which<'_>) -> String {
    format!("Evict pod {}", which.words())
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let which = pod::which(target)?;
    Some(Offered {
        action: ActionId::EvictPod,
        title: title(&which),
        danger: Danger::L,
        refusal: pod::available(assessment, session, &which).err(),
    })
}

/// A workload with a budget has said how much it can bear; without one nobody has. What nothing brings back is gone.
fn danger(seen: &Seen) -> Danger {
    let protected = seen.budgets.as_ref().is_ok_and(|budgets| !budgets.is_empty());
    match () {
        () if seen.owner.is_none() => Danger::H,
        () if protected && !seen.holds_data() => Danger::L,
        () => Danger::M,
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let Some(which) = pod::which(&ask.target) else { return Err(Refusal("name one pod".to_owned())) };
    pod::available(assessment, session, &which)?;
    let draft = Plan::draft(&ENTRY, ask, title(&which));
    let version = eviction::group_version(material).transpose()?;
    let gathered = pod::gather(assessment, ask, material)?;
    let (seen, version) = match (gathered, version) {
        (Gathered::Whole(seen), Some(version)) => (seen, version),
        (Gathered::Reading(mut reads), version) => {
            if version.is_none() {
                reads.insert(0, eviction::discovery());
            }
            return Ok(reading(draft, reads));
        }
        (Gathered::Whole(_), None) => return Ok(reading(draft, vec![eviction::discovery()])),
    };
    let danger = danger(&seen);
    let write = eviction::evict(session, &version, which.namespace, which.name, &seen.uid);
    Ok(Plan {
        danger,
        preconditions: vec![
            Precondition {
                words: format!("pod {} is there, and is not being deleted", which.words()),
                evidence: format!("metadata.uid = {}, {}", seen.uid, seen.place()),
            },
            Precondition {
                words: format!("the server takes evictions as {version}"),
                evidence: "discovery of /api/v1: pods/eviction".to_owned(),
            },
            permitted(&which, "create pods/eviction"),
        ],
        consequences: consequences(assessment, &seen),
        effect: Effect::Leaving { object: write.object.clone(), path: which.path(), uid: seen.uid.clone() },
        confirm: if danger == Danger::H { Confirm::Type(which.name.to_owned()) } else { Confirm::Button },
        writes: vec![write],
        ..draft
    })
}

/// A plan that waits for what it rests on.
pub(super) fn reading(draft: Plan, reads: Vec<super::Read>) -> Plan {
    Plan {
        danger: draft.action.entry().dangers[0],
        preconditions: vec![Precondition {
            words: "the picture is live".to_owned(),
            evidence: "the link answers".to_owned(),
        }],
        consequences: vec!["what follows is told once it is read".to_owned()],
        reads,
        ..draft
    }
}

/// Whoever may do it in one namespace need not be allowed to everywhere, which is what the access reviews ask.
pub(super) fn permitted(which: &Which<'_>, what: &str) -> Precondition {
    Precondition {
        words: format!("{what} is permitted in {}", which.namespace),
        evidence: "the dry run asks the server".to_owned(),
    }
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

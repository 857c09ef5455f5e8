//! Delete a pod: it goes whatever its budget says. For a drain that nothing else frees.

use serde_json::json;

use super::departing::held;
use super::pod::{self, Begun, Seen, Which};
use super::words::{count, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target, Write,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

/// Pods are deleted.
pub(super) const DELETE: Permission = Permission::cluster("delete", "", "pods");

const GRACE: &str = "grace-period";

/// Delete a pod.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::DeletePod,
    name: "delete-pod",
    word: "delete",
    summary: "delete a pod past its budget: what frees a drain when nothing else does",
    gerund: "deleting a pod",
    dangers: &[Danger::M, Danger::H],
    args: &[Arg::option(GRACE, ArgKind::Number, "seconds that it is given to end, instead of its own; 0 is refused")],
    permissions: &[DELETE],
    offered,
    plan: make,
    ..pod::ENTRY
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    pod::offered(&ENTRY, assessment, session, target)
}

/// A pod of a StatefulSet or with a volume of its own takes data along, a bare pod or a virtual machine itself.
fn danger(seen: &Seen) -> Danger {
    let machine = seen.of("virtualmachineinstance/");
    if seen.holds_data() || seen.owner.is_none() || machine { Danger::H } else { Danger::M }
}

/// The grace period that was asked for.
fn grace(ask: &Ask) -> Result<Option<u32>, Refusal> {
    let Some(text) = ask.args.get(GRACE) else { return Ok(None) };
    match text.trim().parse() {
        Ok(0) => Err(Refusal(
            "a grace period of 0 takes the pod out of the API while its processes may go on beside those of its successor: \
             never from here"
                .to_owned(),
        )),
        Ok(seconds) => Ok(Some(seconds)),
        Err(_) => Err(Refusal(format!("{GRACE} is a number of seconds, not {text:?}"))),
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let grace = grace(ask)?;
    let (mut plan, which, seen) = match pod::begin(&ENTRY, assessment, session, ask, (material, None))? {
        Begun::Waits(plan) => return Ok(plan),
        Begun::Whole(plan, which, seen) => (plan, which, seen),
    };
    plan.preconditions.insert(
        1,
        Precondition {
            words: format!("pod {} is neither a static pod nor a guard of the control plane", which.words()),
            evidence: format!("owner: {}", seen.owner.as_deref().unwrap_or("none")),
        },
    );
    plan.consequences = consequences(assessment, &seen, grace);
    let write = write(session, &which, &seen, grace);
    Ok(pod::finish(plan, &which, &seen, danger(&seen), write))
}

fn write(session: &Session, which: &Which<'_>, seen: &Seen, grace: Option<u32>) -> Write {
    let seconds = grace.map(|grace| format!(" --grace-period={grace}")).unwrap_or_default();
    let arguments = format!("delete pod -n {} {}{seconds}", shell(which.namespace), shell(which.name));
    let mut write = Write::delete(session, format!("pod/{}", which.words()), &which.path(), &seen.uid, &arguments);
    if let Some(grace) = grace {
        write.body["gracePeriodSeconds"] = json!(grace);
    }
    write
}

fn consequences(assessment: &Assessment, seen: &Seen, grace: Option<u32>) -> Vec<String> {
    let mut lines = Vec::new();
    match (&seen.budgets, &seen.blocker) {
        (Err(why), _) => lines.push(format!("which budget it goes past could not be read: {why}")),
        (Ok(_), Some(blocker)) => {
            lines.push(format!("it goes although it should not: {}", held(&blocker.cause, assessment)));
        }
        (Ok(budgets), None) => lines.push(match budgets.as_slice() {
            [] => "no PodDisruptionBudget protects it".to_owned(),
            names => format!("PDB {} would let an eviction pass: evict it instead", names.join(", ")),
        }),
    }
    lines.push(seen.recreated());
    if let Some(owner) = seen.owner.as_deref().filter(|owner| !owner.starts_with("daemonset/")) {
        lines.push(format!("{owner} has one replica less until then"));
    }
    if seen.of("statefulset/") {
        lines.push("it is the only one of its name: a second one beside it would write what it writes".to_owned());
    }
    if !seen.claims.is_empty() {
        lines.push("only one node at a time may use its volumes: the next one waits until they are let go".to_owned());
    }
    lines.extend(seen.loses());
    if let Some(grace) = grace {
        lines.push(format!("it is killed after {}, whatever it asks for", count(grace as usize, "second")));
    }
    lines
}

//! `drain-blocked`: a drain that does not come to an end, and the pods that hold it up, with what would free them.

use chrono::{DateTime, Utc};

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, by_age, evidence, finding, reading};
use crate::upgrade::assessment::{Blocker, Cause, DrainTrouble, Node, Pool};
use crate::upgrade::blockers;
use crate::upgrade::drain::{THRESHOLD, TOO_LONG};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter() {
        if let Some(trouble) = &node.drain_trouble {
            found.push(blocked(look, node, trouble));
        }
    }
}

fn blocked(look: &Look, node: &Node, trouble: &DrainTrouble) -> Finding {
    let now = look.now.now;
    let name = &node.name;
    // What can never pass by itself need not be waited for.
    let hopeless = node.blockers.iter().any(|blocker| blockers::lasting(&blocker.cause));
    let stands = node.pool.as_deref().and_then(|pool| look.now.pool(pool)).is_some_and(stands_for_it);
    // A drain that nothing waits for is bad after an hour; one that a whole pool waits for from the threshold on.
    let level = by_age(trouble.since, now, THRESHOLD, if stands { THRESHOLD } else { TOO_LONG });
    let mut told = vec![evidence(format!("node/{name}"), "drain", trouble.error.clone(), trouble.since)];
    told.extend(node.blockers.iter().map(|blocker| of_blocker(blocker, now)));
    let mut resources = vec![Resource::node(name)];
    resources.extend(node.blockers.iter().flat_map(objects));
    resources.dedup();
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning: meaning(node, trouble, now),
        remedies: remedies(node, trouble),
        link: Some(reading::DRAIN.to_owned()),
        since: trouble.since,
        evidence: told,
        because: cause(node),
        ..finding(
            "drain-blocked",
            if hopeless { level.max(Level::Warning) } else { level },
            Subject::Node(name.clone()),
            title(node, trouble),
        )
    }
}

/// Does the whole pool wait for a drain?
fn stands_for_it(pool: &Pool) -> bool {
    pool.waiting > 0 && !pool.paused && pool.capacity.free == 0 && pool.moving <= 1
}

/// How long is told beside the title: what holds it up must fit.
fn title(node: &Node, trouble: &DrainTrouble) -> String {
    let name = &node.name;
    match (node.blockers.as_slice(), trouble.pods.len()) {
        ([], 0) => format!("{name}: the drain does not come to an end"),
        ([], _) => {
            format!("{name}: drain blocked by {}", words::some_of(trouble.pods.iter().map(String::as_str), 3))
        }
        (blockers, _) => {
            let pods: Vec<String> = blockers.iter().map(pod).collect();
            let pods = words::some_of(pods.iter().map(String::as_str), 2);
            let why = blockers::short(&blockers[0].cause);
            format!("{name}: drain blocked by {pods} ({why})")
        }
    }
}

fn pod(blocker: &Blocker) -> String {
    format!("{}/{}", blocker.namespace, blocker.pod)
}

fn of_blocker(blocker: &Blocker, now: DateTime<Utc>) -> super::Evidence {
    let object = format!("pod/{} -n {}", blocker.pod, blocker.namespace);
    evidence(object, "blocked by", blockers::words(&blocker.cause, now), blocker.since)
}

fn objects(blocker: &Blocker) -> Vec<Resource> {
    let budget = |name: &String| Resource::budget(&blocker.namespace, name);
    let mut objects = vec![Resource::pod(&blocker.namespace, &blocker.pod)];
    match &blocker.cause {
        Cause::Budget(of) => objects.push(budget(&of.name)),
        Cause::BudgetNotObserved { name } => objects.push(budget(name)),
        Cause::SeveralBudgets { names } => objects.extend(names.iter().map(budget)),
        Cause::Terminating { .. } | Cause::VirtualMachine { .. } => {}
    }
    objects
}

fn meaning(node: &Node, trouble: &DrainTrouble, now: DateTime<Utc>) -> String {
    let mut lines: Vec<String> = node
        .blockers
        .iter()
        .map(|blocker| {
            let owner = blocker.owner.as_ref().map_or("a bare pod".to_owned(), |owner| format!("of {owner}"));
            format!("{} ({owner}): {}.", pod(blocker), blockers::words(&blocker.cause, now))
        })
        .collect();
    if node.blockers.is_empty() {
        lines.push(match trouble.pods.len() {
            0 => "Which pods hold it up is not known.".to_owned(),
            _ => "The pods are those that the last error names; the node's pods were not read, or nothing is seen to hold \
                  them now."
                .to_owned(),
        });
    }
    lines.push(
        "The node goes on by itself as soon as the drain succeeds. Until then it keeps its place in its pool's \
         maxUnavailable. After an hour it is called degraded, which changes nothing about that: its annotations are not to \
         be edited."
            .to_owned(),
    );
    lines.join("\n")
}

fn remedies(node: &Node, trouble: &DrainTrouble) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in node.blockers.iter().flat_map(|blocker| &blocker.frees) {
        if !remedies.contains(remedy) {
            remedies.push(remedy.clone());
        }
    }
    // What changes least comes first, whichever pod it is for.
    remedies.sort_by_key(|remedy| remedy.danger);
    if !remedies.is_empty() {
        return remedies;
    }
    if let Some((namespace, pod)) = trouble.pods.first().and_then(|pod| pod.split_once('/')) {
        remedies.push(
            Remedy::look(
                "Find the PodDisruptionBudget that allows no disruption, and give its workload another ready replica.",
            )
            .oc(format!("oc get pdb -n {namespace}", namespace = words::shell(namespace))),
        );
        remedies.push(Remedy::look("Find out why the pod does not end, if it is being deleted already.").oc(format!(
            "oc describe pod -n {namespace} {pod}",
            namespace = words::shell(namespace),
            pod = words::shell(pod)
        )));
    } else {
        remedies.push(
            Remedy::look("Look which pods are still on the node.")
                .oc(format!("oc get pods -A -o wide --field-selector spec.nodeName={}", words::shell(&node.name))),
        );
    }
    remedies
}

/// A finding of its own that tells all that holds the drain up, when there is one.
fn cause(node: &Node) -> Option<(&'static str, Subject)> {
    let mut causes = node.blockers.iter().map(|blocker| match &blocker.cause {
        Cause::SeveralBudgets { .. } => Some("several-budgets"),
        Cause::Terminating { .. } => Some("pod-terminating"),
        Cause::VirtualMachine { why } if why.starts_with("cannot") => Some("vm-cannot-migrate"),
        _ => None,
    });
    let first = causes.next()??;
    causes.all(|other| other.is_some()).then(|| {
        let blocker = &node.blockers[0];
        (first, Subject::Object(Resource::pod(&blocker.namespace, &blocker.pod)))
    })
}

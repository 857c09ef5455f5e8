//! What frees a pod that is in the way, the best first, and what must not be tried.
//!
//! Scaling a workload up disturbs nobody. Deleting a pod goes around its budget. What guards the control plane is never
//! touched: a deleted guard lets a second member go, and with it the quorum.

use chrono::{DateTime, Utc};

use super::{Evictions, budgets, guards, owner};
use crate::api::{IntOrString, Pod, PodDisruptionBudget};
use crate::upgrade::assessment::{Budget, Cause, Remedy};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// What frees `pod`.
pub(super) fn frees(evictions: &Evictions, pod: &Pod, owner: Option<&str>, cause: &Cause) -> Vec<Remedy> {
    match cause {
        Cause::Budget(budget) => of_budget(evictions, pod, owner, budget),
        Cause::BudgetNotObserved { name } => not_observed(pod, name),
        Cause::SeveralBudgets { names } => several(pod, owner, names),
        Cause::Terminating { grace_ends, finalizers } => {
            terminating(pod, owner, *grace_ends, finalizers, evictions.now)
        }
        Cause::VirtualMachine { why } => virtual_machine(pod, why),
    }
}

fn of_budget(evictions: &Evictions, pod: &Pod, owner: Option<&str>, numbers: &Budget) -> Vec<Remedy> {
    let namespace = pod.namespace();
    let Some(budget) = evictions.budgets.named(namespace, &numbers.name) else { return Vec::new() };
    let unhealthy = evictions.budgets.unhealthy(budget, pod);
    let mut remedies: Vec<Remedy> = unhealthy.iter().take(3).map(|other| repair(other)).collect();
    if guards(pod) {
        remedies.push(
            Remedy::look(format!(
                "Bring the other members back and wait: {} keeps the quorum of the control plane. Never delete it or its \
                 PDB, and never take a second control plane node down.",
                pod.name()
            ))
            .oc(format!("oc get pods -n {namespace} -o wide", namespace = words::shell(namespace))),
        );
        return remedies;
    }
    if unhealthy.is_empty() && numbers.healthy < numbers.expected {
        let missing =
            words::count(usize::try_from(numbers.expected.saturating_sub(numbers.healthy)).unwrap_or(0), "pod");
        remedies.push(
            Remedy::look(format!("Find out why {missing} of PDB {} {} not healthy.", numbers.name, are(numbers))).oc(
                format!("oc get pods -n {namespace}{} -o wide", selector(budget), namespace = words::shell(namespace)),
            ),
        );
    }
    if budgets::of_platform(namespace) {
        // Its operator sets scale and budget back: neither is offered.
        remedies.push(delete(pod, owner));
        return remedies;
    }
    // A StatefulSet starts no further pod before all it has are ready (`OrderedReady`).
    let waits = |owner: &&str| owner.starts_with("statefulset/") && numbers.healthy < numbers.expected;
    let scalable = owner.filter(|owner| scales(owner) && scaling_helps(budget)).filter(|owner| !waits(owner));
    if let Some(owner) = scalable {
        let replicas = missing_pods_added(numbers);
        remedies.push(
            Remedy::change(
                Danger::L,
                format!("Scale {owner} up to {replicas} replicas, and back afterwards: then one may go."),
            )
            .oc(format!(
                "oc scale -n {namespace} {owner} --replicas={replicas}",
                namespace = words::shell(namespace),
                owner = words::shell(owner)
            )),
        );
    }
    remedies.push(delete(pod, owner));
    remedies.push(relax(namespace, budget));
    remedies
}

/// So many replicas that, when the new ones are healthy, one may go.
fn missing_pods_added(numbers: &Budget) -> i64 {
    let missing = numbers.desired.saturating_add(1).saturating_sub(numbers.healthy).max(1);
    numbers.expected.max(0).saturating_add(missing)
}

fn are(numbers: &Budget) -> &'static str {
    if numbers.expected.saturating_sub(numbers.healthy) == 1 { "is" } else { "are" }
}

/// A pod that is not healthy and so uses the budget up.
fn repair(other: &Pod) -> Remedy {
    let (namespace, name) = (other.namespace(), other.name());
    let stuck = other.status.containers.iter().find_map(|container| {
        container.state.waiting.as_ref().map(|waiting| (container.name.as_str(), waiting.reason.as_str()))
    });
    match stuck {
        Some((container, reason @ ("CrashLoopBackOff" | "Error"))) => Remedy::look(format!(
            "Bring {name} back, which uses the budget up: its container {container} is in {reason}."
        ))
        .oc(format!(
            "oc logs -n {namespace} {name} -c {container} --previous",
            namespace = words::shell(namespace),
            name = words::shell(name),
            container = words::shell(container)
        )),
        Some((container, reason)) => Remedy::look(format!(
            "Bring {name} back, which uses the budget up: its container {container} waits ({reason})."
        ))
        .oc(format!(
            "oc describe pod -n {namespace} {name}",
            namespace = words::shell(namespace),
            name = words::shell(name)
        )),
        None => Remedy::look(format!("Bring {name} back, which is not ready and so uses the budget up.")).oc(format!(
            "oc describe pod -n {namespace} {name}",
            namespace = words::shell(namespace),
            name = words::shell(name)
        )),
    }
}

fn scales(owner: &str) -> bool {
    ["deployment/", "deploymentconfig/", "statefulset/", "replicaset/", "replicationcontroller/"]
        .iter()
        .any(|kind| owner.starts_with(kind))
}

/// Would another healthy pod let one go? Not with `maxUnavailable`, where what has to stay grows with the workload.
fn scaling_helps(budget: &PodDisruptionBudget) -> bool {
    matches!(&budget.spec.min_available, Some(IntOrString::Int(_))) && !budgets::demands_all(budget)
}

/// With or without a claim on a volume: two pods that both think they are the one may destroy what is on it.
fn holds_data(pod: &Pod, owner: Option<&str>) -> bool {
    owner.is_some_and(|owner| owner.starts_with("statefulset/"))
        || pod.spec.volumes.iter().any(|volume| volume.claim.is_some())
}

fn delete(pod: &Pod, owner: Option<&str>) -> Remedy {
    let (namespace, name) = (pod.namespace(), pod.name());
    let (danger, words) = match owner {
        None => (Danger::H, format!("Delete {name}: nothing brings it back, nor what it has not stored elsewhere.")),
        Some(owner) if holds_data(pod, Some(owner)) => (
            Danger::H,
            format!(
                "Delete {name} although its budget forbids it: {owner} has one replica less until it runs elsewhere, and its volume has to follow."
            ),
        ),
        Some(owner) => (
            Danger::M,
            format!(
                "Delete {name} although its budget forbids it: {owner} has one replica less until it runs elsewhere."
            ),
        ),
    };
    Remedy::change(danger, words).oc(format!(
        "oc delete pod -n {namespace} {name}",
        namespace = words::shell(namespace),
        name = words::shell(name)
    ))
}

/// Lets one pod go by changing the budget.
fn relax(namespace: &str, budget: &PodDisruptionBudget) -> Remedy {
    let name = budget.name();
    let (field, value) = if budget.spec.max_unavailable.is_some() {
        ("maxUnavailable", budget.status.expected_pods.saturating_sub(budget.status.current_healthy).saturating_add(1))
    } else {
        ("minAvailable", budget.status.current_healthy.saturating_sub(1))
    };
    let value = value.max(i64::from(field == "maxUnavailable"));
    let words = format!("Let PDB {name} allow one disruption ({field}: {value}), and put it back afterwards.");
    Remedy::change(Danger::M, words).oc(format!(
        "oc patch pdb -n {namespace} {name} --type merge -p '{{\"spec\":{{\"{field}\":{value}}}}}'",
        namespace = words::shell(namespace),
        name = words::shell(name)
    ))
}

fn selector(budget: &PodDisruptionBudget) -> String {
    let labels = budget.spec.selector.as_ref().map(|selector| &selector.match_labels);
    let pairs: Vec<String> = labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { String::new() } else { format!(" -l {}", words::shell(&pairs.join(","))) }
}

fn not_observed(pod: &Pod, name: &str) -> Vec<Remedy> {
    vec![
        Remedy::look(
            "Wait: the disruption controller judges it within seconds. If it does not, look at the operator \
             kube-controller-manager.",
        )
        .oc(format!(
            "oc get pdb -n {} {name} -o yaml",
            words::shell(pod.namespace()),
            name = words::shell(name)
        )),
    ]
}

fn several(pod: &Pod, owner: Option<&str>, names: &[String]) -> Vec<Remedy> {
    let namespace = pod.namespace();
    let look = Remedy::look("Find out which of them is meant, and change the selector of the others.").oc(format!(
        "oc get pdb -n {namespace} {} -o yaml",
        words::shell_all(names.iter().map(String::as_str)),
        namespace = words::shell(namespace)
    ));
    if budgets::of_platform(namespace) {
        return vec![look];
    }
    let last = names.last().map_or("", String::as_str);
    vec![
        look,
        Remedy::change(Danger::M, format!("Delete one of them, such as {last}: the other one still protects the pod."))
            .oc(format!(
                "oc delete pdb -n {namespace} {last}",
                namespace = words::shell(namespace),
                last = words::shell(last)
            )),
        delete(pod, owner),
    ]
}

fn terminating(
    pod: &Pod,
    owner: Option<&str>,
    grace_ends: Option<DateTime<Utc>>,
    finalizers: &[String],
    now: DateTime<Utc>,
) -> Vec<Remedy> {
    let (namespace, name) = (pod.namespace(), pod.name());
    let describe = format!(
        "oc describe pod -n {namespace} {name}",
        namespace = words::shell(namespace),
        name = words::shell(name)
    );
    if guards(pod) {
        let words = "Wait, and look at its node: it keeps the quorum of the control plane. Never force it away.";
        return vec![Remedy::look(words).oc(describe)];
    }
    let left = grace_ends.map(|ends| ends - now).filter(|left| left.num_seconds() > 0);
    if let Some(left) = left {
        let words = format!("Wait: it may take {} more to end by itself.", words::span(left));
        return vec![Remedy::look(words).oc(describe), force(pod, owner)];
    }
    if finalizers.is_empty() {
        let words = "Find out why it does not end: the kubelet of its node does not answer, a volume cannot be unmounted, or \
                     a process cannot be killed.";
        return vec![Remedy::look(words).oc(describe), force(pod, owner)];
    }
    let danger = if holds_data(pod, owner) { Danger::H } else { Danger::M };
    vec![
        Remedy::look(format!(
            "Find out why the controller that put {} there does not take it away.",
            finalizers.join(", ")
        ))
        .oc(describe),
        Remedy::change(danger, "Take the finalizers away: what their controller wanted to clean up stays behind.").oc(
            format!(
                "oc patch pod -n {namespace} {name} --type merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'",
                namespace = words::shell(namespace),
                name = words::shell(name)
            ),
        ),
    ]
}

fn force(pod: &Pod, owner: Option<&str>) -> Remedy {
    let (namespace, name) = (pod.namespace(), pod.name());
    let danger = if holds_data(pod, owner) || owner.is_none() { Danger::H } else { Danger::M };
    let words = if danger == Danger::H {
        format!(
            "Force {name} away only when its process is known to be dead: a second one may write to the same volume."
        )
    } else {
        format!("Force {name} away: its process may go on for a while beside its successor.")
    };
    Remedy::change(danger, words).oc(format!(
        "oc delete pod -n {namespace} {name} --grace-period=0 --force",
        namespace = words::shell(namespace),
        name = words::shell(name)
    ))
}

fn virtual_machine(pod: &Pod, why: &str) -> Vec<Remedy> {
    let namespace = pod.namespace();
    let name = owner::virtual_machine(pod).unwrap_or_default();
    let look = format!(
        "oc get vmi -n {namespace} {name} -o yaml",
        namespace = words::shell(namespace),
        name = words::shell(name)
    );
    if !why.starts_with("cannot") {
        return vec![
            Remedy::look("Wait for the migration, or see why it fails.")
                .oc(format!("oc get vmim -n {namespace}", namespace = words::shell(namespace))),
            Remedy::change(Danger::L, format!("Ask for the migration of {name} again."))
                .oc(format!("virtctl migrate -n {namespace} {name}")),
        ];
    }
    vec![
        Remedy::look(format!(
            "Take away what keeps {name} from moving: a disk that only one node can mount, a device of the host."
        ))
        .oc(look),
        Remedy::change(Danger::M, format!("Shut {name} down, and start it again on another node."))
            .oc(format!("virtctl stop -n {namespace} {name}")),
    ]
}

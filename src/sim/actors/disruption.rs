//! PodDisruptionBudgets: their status, and what they refuse.
//!
//! Rules: Kubernetes, pkg/controller/disruption and pkg/registry/core/pod/storage/eviction.go.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::seen::{Entry, Key, PodView};
use super::world::{Actor, World};
use crate::sim::cluster::object::{Condition, name, namespace, number, remove, selects, set_condition, status, text};
use crate::sim::kinds::Res;
use crate::sim::store::timestamp;

/// Why a pod was not evicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A budget says no for now (429).
    Budget(String),
    /// The request cannot succeed as things are (500).
    Broken(String),
}

/// Evicts a pod as the eviction subresource does.
///
/// # Errors
/// When a budget refuses.
pub fn evict(world: &World, key: &Key) -> Result<(), Refused> {
    let Some(pod) = world.store.get(Res::PODS, Some(&key.0), &key.1) else { return Ok(()) };
    let budgets: Vec<&str> = world
        .seen
        .budgets
        .iter()
        .filter(|((place, _), budget)| *place == key.0 && covers(&budget.object, &pod))
        .map(|((_, budget), _)| budget.as_str())
        .collect();
    match budgets.as_slice() {
        [] => {}
        [budget] => claim(world, &key.0, budget, &pod)?,
        _ => {
            let why =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Refused::Broken(why.to_owned()));
        }
    }
    terminate(world, &pod);
    Ok(())
}

/// Whether a budget covers a pod. An empty selector covers all of the namespace (policy/v1).
pub fn covers(budget: &Value, pod: &Value) -> bool {
    let selector = &budget["spec"]["selector"];
    let empty = selector.as_object().is_some_and(serde_json::Map::is_empty);
    empty || selects(selector, &pod["metadata"]["labels"])
}

/// Takes one disruption from a budget.
fn claim(world: &World, place: &str, budget: &str, pod: &Value) -> Result<(), Refused> {
    let Some(object) = world.store.get(Res::PDBS, Some(place), budget) else { return Ok(()) };
    let refused = || Refused::Budget(budget.to_owned());
    let view = <PodView as super::seen::View>::read(pod);
    let healthy = number(&object, "/status/currentHealthy") >= number(&object, "/status/desiredHealthy");
    let always = text(&object, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow";
    if view.phase == "Pending"
        || (!view.ready && (always || (healthy && number(&object, "/status/desiredHealthy") > 0)))
    {
        return Ok(());
    }
    if number(&object, "/status/observedGeneration") < number(&object, "/metadata/generation")
        || number(&object, "/status/disruptionsAllowed") <= 0
    {
        return Err(refused());
    }
    world.store.update(Res::PDBS, Some(place), budget, |object| {
        object["status"]["disruptionsAllowed"] = json!(number(object, "/status/disruptionsAllowed") - 1);
        if !object["status"]["disruptedPods"].is_object() {
            object["status"]["disruptedPods"] = json!({});
        }
        object["status"]["disruptedPods"][name(pod)] = json!(timestamp(world.now));
    });
    Ok(())
}

/// Begins to delete a pod: one that is on no node is gone at once.
pub fn terminate(world: &World, pod: &Value) {
    let (place, pod_name) = (namespace(pod), name(pod));
    if text(pod, "/spec/nodeName").is_empty() {
        world.store.delete(Res::PODS, Some(place), pod_name);
        return;
    }
    let grace = pod.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(30);
    let until = world.now
        + TimeDelta::from_std(world.pace.scale(std::time::Duration::from_secs(grace)))
            .unwrap_or_else(|_| TimeDelta::zero());
    world.store.update(Res::PODS, Some(place), pod_name, |object| {
        if text(object, "/metadata/deletionTimestamp").is_empty() {
            object["metadata"]["deletionTimestamp"] = json!(timestamp(until));
            object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        }
    });
}

/// The disruption controller: looks at a budget when it, or a pod that it may cover, changed.
#[derive(Debug, Default)]
pub struct Disruption;

impl Actor for Disruption {
    fn step(&mut self, world: &mut World) {
        let mut due: BTreeSet<Key> = world.seen.budgets.changed.clone();
        if !world.seen.budgets.is_empty() {
            let places: BTreeSet<String> = world.seen.pods.touched().into_iter().map(|(place, _)| place).collect();
            due.extend(
                world.seen.budgets.iter().filter(|((place, _), _)| places.contains(place)).map(|(key, _)| key.clone()),
            );
        }
        for key in due {
            if let Some(entry) = world.seen.budgets.get(&key.0, &key.1) {
                count(world, &entry.object);
            }
        }
    }
}

fn count(world: &World, budget: &Value) {
    let place = namespace(budget);
    let pods: Vec<&Entry<PodView>> = world
        .seen
        .pods
        .in_namespace(place)
        .filter(|pod| !pod.view.completed() && covers(budget, &pod.object))
        .collect();
    let healthy = pods.iter().filter(|pod| pod.view.ready && !pod.view.deleting).count() as i64;
    let expected = expected(world, budget, &pods);
    let desired = desired(budget, expected, pods.len() as i64);
    let allowed = if pods.is_empty() { 0 } else { (healthy - desired).max(0) };
    let staying: Vec<&str> = pods.iter().filter(|pod| !pod.view.deleting).map(|pod| name(&pod.object)).collect();
    let now = world.now;
    world.store.update(Res::PDBS, Some(place), name(budget), |object| {
        let generation = object["metadata"]["generation"].clone();
        let fields = &mut object["status"];
        fields["currentHealthy"] = json!(healthy);
        fields["desiredHealthy"] = json!(desired);
        fields["disruptionsAllowed"] = json!(allowed);
        fields["expectedPods"] = json!(expected);
        fields["observedGeneration"] = generation;
        // A disruption that was granted is remembered until the pod is seen to be going.
        if let Some(disrupted) = fields.get_mut("disruptedPods").and_then(Value::as_object_mut) {
            disrupted.retain(|pod, _| staying.contains(&pod.as_str()));
            let open = disrupted.len() as i64;
            if open == 0 {
                remove(object, "/status", "disruptedPods");
            } else {
                object["status"]["disruptionsAllowed"] = json!((allowed - open).max(0));
            }
        }
        let enough = number(object, "/status/disruptionsAllowed") > 0;
        let reason = if enough { "SufficientPods" } else { "InsufficientPods" };
        let mut condition = Condition::new("DisruptionAllowed", status(enough), reason, "");
        condition.message = "";
        set_condition(object, &condition, now);
    });
}

/// How many pods the owners want: the sum of their replicas, each owner once.
fn expected(world: &World, budget: &Value, pods: &[&Entry<PodView>]) -> i64 {
    let by_number = budget["spec"]["minAvailable"].is_number();
    let owners: BTreeSet<&str> = pods.iter().map(|pod| pod.view.owner.as_str()).collect();
    let mut total = 0;
    for owner in owners {
        let set = world
            .seen
            .replica_sets
            .values()
            .chain(world.seen.stateful_sets.values())
            .find(|set| !owner.is_empty() && text(&set.object, "/metadata/uid") == owner);
        match set {
            Some(set) => total += number(&set.object, "/spec/replicas"),
            None => total += pods.iter().filter(|pod| pod.view.owner == owner).count() as i64,
        }
    }
    if by_number { pods.len() as i64 } else { total }
}

fn desired(budget: &Value, expected: i64, pods: i64) -> i64 {
    // Percentages are rounded up (intstr.GetScaledValueFromIntOrPercent with roundUp).
    let amount = |value: &Value, of: i64| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim_end_matches('%').parse::<i64>().ok().map(|percent| (of * percent + 99) / 100),
        _ => None,
    };
    match (amount(&budget["spec"]["minAvailable"], expected), amount(&budget["spec"]["maxUnavailable"], expected)) {
        (Some(least), _) => least,
        (None, Some(most)) => (expected - most).max(0),
        (None, None) => pods,
    }
}

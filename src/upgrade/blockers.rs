//! What keeps pods from leaving a node: budgets, pods that do not end, virtual machines; now and ahead of time.
//!
//! The rules are those of the eviction (Kubernetes, pkg/registry/core/pod/storage/eviction.go) and of `kubectl drain` as
//! the machine-config controller runs it (pkg/controller/drain/drain_controller.go: `Force`, `IgnoreAllDaemonSets`,
//! `DeleteEmptyDirData`): pods of DaemonSets, static pods and ended pods are passed over, bare pods are evicted too.

pub(super) mod budgets;
#[cfg(test)]
mod eviction_tests;
mod freeing;
mod owner;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Blocker, Budget, Cause, Forecast, Node, NodePhase, Pool};
use super::facts::{Facts, Kind};
use crate::api::metadata::deleted;
use crate::api::{self, Conditions as _, Pod, PodDisruptionBudget, Tri, VirtualMachineInstance, node_key};
use budgets::{Budgets, Claim};

/// A pod that ends within this time is not worth a word: drains wait for such pods all the time.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// Roles of the nodes that etcd and the API servers run on; `master` is the older word.
const CONTROL_PLANE: [&str; 3] = ["control-plane", "master", "arbiter"];

/// How long after its grace period a pod may still be listed, with nothing wrong.
const TELLS: TimeDelta = TimeDelta::seconds(30);

/// Fills in what holds up the nodes that drain, and what awaits those of the next wave, as far as their pods were read.
/// Costs nothing while no pods were read.
pub fn fill(nodes: &mut [Node], pools: &[Pool], facts: &Facts, now: DateTime<Utc>) {
    if facts.around.pods.is_empty() {
        return;
    }
    let evictions = Evictions::new(facts, now);
    let widest = |node: &Node| {
        let pool = pools.iter().find(|pool| Some(pool.name.as_str()) == node.pool.as_deref());
        pool.map_or(0, |pool| pool.capacity.max_unavailable)
    };
    for node in nodes {
        if drains(node) {
            node.blockers = evictions.blockers(node);
        } else if node.next.is_some_and(|place| place <= widest(node)) {
            node.forecast = evictions.forecast(&node.name).map(Arc::new);
        }
    }
}

/// Is the node being drained, by whatever it came to meanwhile?
pub fn drains(node: &Node) -> bool {
    node.phase == NodePhase::Draining || (node.phase == NodePhase::Degraded && node.drain_trouble.is_some())
}

/// Pods, budgets and virtual machines, ready to be asked about many nodes.
pub struct Evictions<'a> {
    facts: &'a Facts,
    budgets: Budgets<'a>,
    now: DateTime<Utc>,
}

impl<'a> Evictions<'a> {
    /// Sorts what was read.
    pub fn new(facts: &'a Facts, now: DateTime<Utc>) -> Self {
        Self { facts, budgets: Budgets::new(facts), now }
    }

    /// The pods that hold up the drain of `node` now; empty also when its pods were not read.
    pub fn blockers(&self, node: &Node) -> Vec<Blocker> {
        let started = node.drain_trouble.as_ref().and_then(|trouble| trouble.since).or(node.since);
        let pods = self.facts.around.pods_of(&node.name).unwrap_or_default();
        let mut blockers: Vec<Blocker> =
            pods.iter().filter(|pod| leaves(pod)).filter_map(|pod| self.blocker(pod, started, false)).collect();
        blockers.sort_by(|a, b| (&a.namespace, &a.pod).cmp(&(&b.namespace, &b.pod)));
        blockers
    }

    /// What a drain of the node of that name would meet; none when its pods or the budgets were not read: then nothing
    /// can be said.
    pub fn forecast(&self, node: &str) -> Option<Forecast> {
        let pods = self.facts.around.pods_of(node)?;
        if !self.facts.known(Kind::PodDisruptionBudgets) {
            return None;
        }
        let mut forecast = Forecast::default();
        let back = self.waits_for_a_fellow(node);
        for pod in pods.iter().filter(|pod| leaves(pod)) {
            let name = || format!("{}/{}", pod.namespace(), pod.name());
            forecast.evicted += 1;
            forecast.longest_grace = forecast.longest_grace.max(pod.spec.grace_seconds.unwrap_or_default());
            // The guards of the control plane are bare pods too, which their operator puts back.
            if pod.owner().is_none() && !budgets::of_platform(pod.namespace()) {
                forecast.bare.push(name());
            }
            if pod.has_empty_dir() && !budgets::of_platform(pod.namespace()) {
                forecast.empty_dir.push(name());
            }
            forecast.blockers.extend(self.blocker(pod, None, true).filter(|blocker| !back || !passes(pod, blocker)));
        }
        Some(forecast)
    }

    /// Is `node` of a control plane of which another node is away? It has to be back before this one is taken: never two
    /// at once.
    fn waits_for_a_fellow(&self, node: &str) -> bool {
        let control_plane = |seen: &api::Node| {
            CONTROL_PLANE.iter().any(|role| seen.label(&format!("{}{role}", node_key::ROLE)).is_some())
        };
        let nodes = &self.facts.nodes;
        nodes.iter().any(|seen| seen.name() == node && control_plane(seen))
            && nodes.iter().any(|seen| {
                let away = seen.spec.unschedulable || !seen.status.conditions.is_true("Ready");
                seen.name() != node && control_plane(seen) && away
            })
    }

    fn blocker(&self, pod: &Pod, started: Option<DateTime<Utc>>, ahead: bool) -> Option<Blocker> {
        let (cause, since) = match terminating(pod, self.now, ahead) {
            Some(found) => found,
            // An eviction of a pod that is being deleted, or that never ran, asks no budget (`canIgnorePDB`).
            None if deleted(&pod.metadata).is_some() || pod.status.phase == "Pending" => return None,
            None => (self.machine(pod, ahead).or_else(|| self.budget(pod))?, started),
        };
        let owner = owner::of(pod);
        let frees = freeing::frees(self, pod, owner.as_deref(), &cause);
        Some(Blocker { namespace: pod.namespace().to_owned(), pod: pod.name().to_owned(), cause, owner, since, frees })
    }

    /// What keeps a pod that was told to go now from going, with what frees it; none: nothing is known to.
    pub fn holds(&self, pod: &Pod) -> Option<Blocker> {
        self.blocker(pod, None, false)
    }

    /// The budgets that select a pod, by name.
    pub fn budgets_of(&self, pod: &Pod) -> Vec<String> {
        self.budgets.over(pod).iter().map(|claim| claim.budget.name().to_owned()).collect()
    }

    fn budget(&self, pod: &Pod) -> Option<Cause> {
        let claims = self.budgets.over(pod);
        match claims.as_slice() {
            [] => None,
            [claim] => self.refuses(claim, pod),
            several => {
                let names = several.iter().map(|claim| claim.budget.name().to_owned()).collect();
                Some(Cause::SeveralBudgets { names })
            }
        }
    }

    /// Has the budget said the same for a while, as far as it says since when?
    fn is_settled(&self, budget: &PodDisruptionBudget) -> bool {
        let since = budget.status.conditions.condition("DisruptionAllowed").and_then(|found| found.since);
        since.is_none_or(|since| self.now - since >= PATIENCE)
    }

    fn refuses(&self, claim: &Claim, pod: &Pod) -> Option<Cause> {
        let status = &claim.budget.status;
        let enough = status.desired_healthy > 0 && status.current_healthy >= status.desired_healthy;
        let always = claim.budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow";
        if !ready(pod) && (always || enough) {
            return None;
        }
        let generation = claim.budget.metadata.generation.unwrap_or_default();
        if status.observed_generation < generation {
            return Some(Cause::BudgetNotObserved { name: claim.budget.name().to_owned() });
        }
        (status.disruptions_allowed <= 0).then(|| {
            Cause::Budget(Budget {
                name: claim.budget.name().to_owned(),
                allowed: status.disruptions_allowed,
                healthy: status.current_healthy,
                desired: status.desired_healthy,
                expected: status.expected_pods,
                // Of a number of pods that have to stay the pods that exist are counted, and one that is moved is missing for a
                // moment (Kubernetes: pkg/controller/disruption, `getExpectedPodCount`).
                impossible: budgets::demands_all(claim.budget)
                    || (budgets::impossible(claim.budget) && self.is_settled(claim.budget)),
            })
        })
    }

    /// The virtual machine in a pod that cannot leave, or (while its node drains) has not left yet.
    fn machine(&self, pod: &Pod, ahead: bool) -> Option<Cause> {
        let name = owner::virtual_machine(pod)?;
        let machines = &self.facts.around.virtual_machine_instances;
        let machine = machines
            .iter()
            .find(|one| one.name() == name && one.metadata.namespace.as_deref() == Some(pod.namespace()));
        let because = |why: String| Some(Cause::VirtualMachine { why });
        let Some(machine) = machine else {
            // Without the machine it is not known whether it can move; a drain that waits for it does wait.
            return if ahead { None } else { because("has to move to another node first".to_owned()) };
        };
        if !migrates(machine) {
            return None;
        }
        match machine.status.conditions.condition("LiveMigratable") {
            Some(told) if told.status == Tri::False => {
                let why = [told.message.as_str(), told.reason.as_str()].into_iter().find(|why| !why.is_empty());
                because(format!("cannot move to another node: {}", why.unwrap_or("it does not say why")))
            }
            _ if ahead => None,
            _ if machine.status.evacuates.is_empty() => because("has to move to another node first".to_owned()),
            _ => because("is moving to another node".to_owned()),
        }
    }
}

/// Is a machine moved rather than shut down when its node is drained (KubeVirt, `evictionStrategy`)? Without a word
/// of its own the cluster's default counts, which is `LiveMigrate` where there is more than one node.
fn migrates(machine: &VirtualMachineInstance) -> bool {
    matches!(machine.spec.eviction_strategy.as_str(), "" | "LiveMigrate")
}

/// Does what holds a pod of the platform on the control plane pass by itself, as soon as the node that is away now is
/// back? Its budgets let one member go, and that is the one that is away.
fn passes(pod: &Pod, blocker: &Blocker) -> bool {
    let passing = match &blocker.cause {
        Cause::Budget(budget) => !budget.impossible,
        Cause::BudgetNotObserved { .. } => true,
        _ => false,
    };
    passing && of_platform(pod.namespace())
}

/// Does a drain make it go?
pub fn leaves(pod: &Pod) -> bool {
    let of_daemon_set = pod.owner().is_some_and(|owner| owner.kind == "DaemonSet");
    !of_daemon_set && !pod.is_mirror() && !pod.is_finished()
}

/// Does it keep the quorum of the control plane (static pod operators, `<operand>-guard-<node>`; etcd's old deployment
/// `etcd-quorum-guard`)?
pub fn guards(pod: &Pod) -> bool {
    of_platform(pod.namespace()) && (pod.name().contains("-guard-") || pod.namespace() == "openshift-etcd")
}

/// Does a namespace belong to the platform? What is in it is looked after by operators, not by people.
pub fn of_platform(namespace: &str) -> bool {
    budgets::of_platform(namespace)
}

/// The workload that a pod belongs to, as `oc` takes it: `deployment/web`; none: a bare pod, which nothing brings back.
pub fn workload(pod: &Pod) -> Option<String> {
    owner::of(pod)
}

/// Ready, as budgets count it.
fn ready(pod: &Pod) -> bool {
    pod.status.conditions.is_true("Ready")
}

/// A pod that is being deleted and does not end soon, and since when it is being deleted. Ahead of a drain only what
/// will still be there then: a pod that something else has to let go first.
fn terminating(pod: &Pod, now: DateTime<Utc>, ahead: bool) -> Option<(Cause, Option<DateTime<Utc>>)> {
    let grace_ends = deleted(&pod.metadata)?;
    let finalizers = pod.metadata.finalizers.clone().unwrap_or_default();
    // The kubelet takes a moment to tell that a pod has ended; one that something holds is told at once.
    let over = grace_ends <= now && (!finalizers.is_empty() || now - grace_ends >= TELLS);
    let long = grace_ends - now > PATIENCE;
    if (ahead && !(over && (!finalizers.is_empty() || now - grace_ends > PATIENCE))) || !(over || long) {
        return None;
    }
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default().clamp(0, 1 << 32);
    let asked = grace_ends.checked_sub_signed(TimeDelta::seconds(grace));
    Some((Cause::Terminating { grace_ends: Some(grace_ends), finalizers }, asked))
}

/// Will it still be in the way when the time comes, as things stand? A budget that lacks healthy pods while other
/// nodes are drained has them again soon; one that can never allow anything has not.
pub fn lasting(cause: &Cause) -> bool {
    match cause {
        Cause::Budget(budget) => budget.impossible,
        Cause::SeveralBudgets { .. } | Cause::Terminating { .. } => true,
        Cause::VirtualMachine { why } => why.starts_with("cannot"),
        Cause::BudgetNotObserved { .. } => false,
    }
}

/// Why a pod does not leave, as short as a title needs it: `PDB cart allows 0 of 1`.
pub fn short(cause: &Cause) -> String {
    match cause {
        Cause::Budget(budget) if budget.impossible => format!("PDB {} can never allow it", budget.name),
        Cause::Budget(budget) => format!("PDB {} allows {} of {}", budget.name, budget.allowed, budget.expected),
        Cause::BudgetNotObserved { name } => format!("PDB {name} not judged yet"),
        Cause::SeveralBudgets { names } => format!("{} PDBs select it", names.len()),
        Cause::Terminating { finalizers, .. } if finalizers.is_empty() => "it does not end".to_owned(),
        Cause::Terminating { .. } => "held by a finalizer".to_owned(),
        Cause::VirtualMachine { .. } => "a virtual machine".to_owned(),
    }
}

/// `1 of 1 pod has`, `2 of 3 pods have`.
pub fn has(part: i64, of: i64) -> String {
    let verb = if of == 1 { "has" } else { "have" };
    format!("{} {verb}", super::words::share(part, of, "pod"))
}

/// Why a pod does not leave, in a few words: `PDB cart allows 0 of 2 (1 healthy, 1 needed)`.
pub fn words(cause: &Cause, now: DateTime<Utc>) -> String {
    use super::words::{quantity, share, span};
    match cause {
        Cause::Budget(budget) if budget.impossible => format!(
            "PDB {} can never allow a disruption ({} to stay)",
            budget.name,
            has(budget.desired, budget.expected)
        ),
        Cause::Budget(budget) => format!(
            "PDB {} allows {} ({} healthy, {} needed)",
            budget.name,
            quantity(budget.allowed, "disruption"),
            share(budget.healthy, budget.expected, "pod"),
            budget.desired
        ),
        Cause::BudgetNotObserved { name } => format!("PDB {name} was changed and not judged yet"),
        Cause::SeveralBudgets { names } => {
            format!("{} PDBs select it: {}", names.len(), names.join(", "))
        }
        Cause::Terminating { grace_ends, finalizers } => {
            let grace = match grace_ends {
                Some(ends) if *ends > now => format!("its grace period ends in {}", span(*ends - now)),
                Some(ends) => format!("its grace period ended {} ago", span(now - *ends)),
                None => "it is being deleted".to_owned(),
            };
            match finalizers.as_slice() {
                [] => grace,
                some => format!("{grace}, held by finalizer {}", some.join(", ")),
            }
        }
        Cause::VirtualMachine { why } => format!("its virtual machine {why}"),
    }
}

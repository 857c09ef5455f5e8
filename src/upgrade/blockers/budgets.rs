//! PodDisruptionBudgets by namespace, and the pods that use them up.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::ready;
use crate::api::{IntOrString, LabelSelector, Pod, PodDisruptionBudget};
use crate::upgrade::facts::Facts;

/// A budget that selects a pod.
pub(super) struct Claim<'a> {
    /// The budget.
    pub budget: &'a PodDisruptionBudget,
}

/// All budgets.
pub(super) struct Budgets<'a> {
    facts: &'a Facts,
    by_namespace: HashMap<&'a str, Vec<&'a PodDisruptionBudget>>,
    /// Pods that are not ready, of those that were read; made when first asked for.
    unready: OnceCell<HashMap<&'a str, Vec<&'a Pod>>>,
}

impl<'a> Budgets<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let mut by_namespace: HashMap<&str, Vec<&PodDisruptionBudget>> = HashMap::new();
        for budget in facts.around.pod_disruption_budgets.iter() {
            by_namespace.entry(budget.namespace()).or_default().push(budget);
        }
        Self { facts, by_namespace, unready: OnceCell::new() }
    }

    /// The budgets that select a pod.
    pub(super) fn over(&self, pod: &Pod) -> Vec<Claim<'a>> {
        let candidates = self.by_namespace.get(pod.namespace()).map_or(&[][..], Vec::as_slice);
        candidates.iter().filter(|budget| selects(budget, pod)).map(|budget| Claim { budget }).collect()
    }

    /// A budget by name.
    pub(super) fn named(&self, namespace: &str, name: &str) -> Option<&'a PodDisruptionBudget> {
        self.by_namespace.get(namespace)?.iter().find(|budget| budget.name() == name).copied()
    }

    /// The pods of a budget that are not ready and so use it up, of those that were read.
    pub(super) fn unhealthy(&self, budget: &PodDisruptionBudget, but: &Pod) -> Vec<&'a Pod> {
        let unready = self.unready.get_or_init(|| {
            let mut unready: HashMap<&str, Vec<&Pod>> = HashMap::new();
            let pods = self.facts.around.pods.values().flat_map(|pods| pods.iter());
            for pod in pods.filter(|pod| !pod.is_finished() && !ready(pod)) {
                unready.entry(pod.namespace()).or_default().push(pod);
            }
            unready
        });
        let near = unready.get(budget.namespace()).map_or(&[][..], Vec::as_slice);
        near.iter().filter(|pod| pod.name() != but.name() && selects(budget, pod)).copied().collect()
    }
}

/// Does the budget select the pod? In `policy/v1` an empty selector selects all of the namespace, none selects nothing;
/// budgets of `v1beta1` were brought to that when they were read.
fn selects(budget: &PodDisruptionBudget, pod: &Pod) -> bool {
    static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&NO_LABELS);
    budget.spec.selector.as_ref().is_some_and(|selector: &LabelSelector| selector.matches(labels))
}

/// Can it never allow a disruption, even when all pods are healthy? The platform's own budgets expect fewer pods than
/// there should be while a node is away (guards of the control plane are bare pods that leave with it, and come back).
pub(in crate::upgrade) fn impossible(budget: &PodDisruptionBudget) -> bool {
    let status = &budget.status;
    let all_needed = status.expected_pods > 0 && status.desired_healthy >= status.expected_pods;
    demands_all(budget) || (all_needed && !of_platform(budget.namespace()))
}

/// Does it forbid disruptions whatever the number of pods: `maxUnavailable: 0`, `minAvailable: 100%`?
pub(super) fn demands_all(budget: &PodDisruptionBudget) -> bool {
    let none_missing = budget.spec.max_unavailable.as_ref().is_some_and(|most| match most {
        IntOrString::Int(number) => *number <= 0,
        IntOrString::Text(text) => percent(text) == Some(0),
    });
    let all_there = budget.spec.min_available.as_ref().is_some_and(|least| match least {
        IntOrString::Int(_) => false,
        IntOrString::Text(text) => percent(text).is_some_and(|percent| percent >= 100),
    });
    none_missing || all_there
}

fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.trim().parse().ok()
}

/// Does a namespace belong to the platform? What is in it is looked after by operators, not by people.
pub(in crate::upgrade) fn of_platform(namespace: &str) -> bool {
    namespace.starts_with("openshift-") || namespace.starts_with("kube-") || namespace == "openshift"
}

//! `drain-blocked`: a drain that does not come to an end, and the pods that hold it up.

use super::{Finding, Level, Look, Subject, by_age, evidence, finding};
use crate::upgrade::assessment::DrainTrouble;
use crate::upgrade::drain::THRESHOLD;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let now = look.now.now;
    for node in look.now.nodes.iter() {
        let Some(trouble) = &node.drain_trouble else { continue };
        let name = &node.name;
        let pods = words::some_of(trouble.pods.iter().map(String::as_str), 3);
        // How long is told beside the title: what holds it up must fit.
        let title = match trouble.pods.len() {
            0 => format!("{name}: the drain does not come to an end"),
            _ => format!("{name}: drain blocked by {pods}"),
        };
        found.push(Finding {
            meaning: advice(trouble),
            since: trouble.since,
            evidence: vec![evidence(format!("node/{name}"), "drain", trouble.error.clone(), trouble.since)],
            ..finding(
                "drain-blocked",
                by_age(trouble.since, now, THRESHOLD / 10, THRESHOLD).max(Level::Warning),
                Subject::Node(name.clone()),
                title,
            )
        });
    }
}

fn advice(trouble: &DrainTrouble) -> String {
    let look = match trouble.pods.first().and_then(|pod| pod.split_once('/')) {
        Some((namespace, pod)) => format!(
            "Find the PodDisruptionBudget that allows no disruption (oc get pdb -n {namespace}) and give the workload of \
             {pod} another ready replica, or find out why the pod does not end."
        ),
        None => "Look which pods are still on the node, and which of their PodDisruptionBudgets allow 0 disruptions."
            .to_owned(),
    };
    format!(
        "{look}\nThe node goes on by itself as soon as the drain succeeds; after an hour it is called degraded, which changes \
         nothing about that. Do not edit the node's annotations."
    )
}

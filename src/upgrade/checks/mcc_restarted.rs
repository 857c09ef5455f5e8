//! `mcc-restarted`: the machine-config controller is younger than a drain, so it counts that drain from its own start:
//! its events, metrics and alerts come late (pkg/controller/drain, `ongoingDrains` is memory of the process).

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::api::metadata::created;
use crate::upgrade::words;

const NAMESPACE: &str = "openshift-machine-config-operator";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let troubles = look.now.nodes.iter().filter_map(|node| Some((node, node.drain_trouble.as_ref()?.since?)));
    let Some((node, since)) = troubles.min_by_key(|(_, since)| *since) else { return };
    let pods = look.now.facts.around.pods.values().flat_map(|pods| pods.iter());
    let controller = pods.filter(|pod| pod.namespace() == NAMESPACE && !pod.is_finished()).find(|pod| {
        let labels = pod.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get("k8s-app")).is_some_and(|app| app == "machine-config-controller")
    });
    let Some((pod, started)) = controller.and_then(|pod| Some((pod, created(&pod.metadata)?))) else { return };
    if started <= since {
        return;
    }
    let object = Resource::pod(NAMESPACE, pod.name());
    found.push(Finding {
        impact: Impact::None,
        resources: vec![object.clone(), Resource::node(&node.name)],
        meaning: format!(
            "It moves with every reboot of its own node. The drain of {} is {} old, the controller counts it from its own start: \
             its event after ten minutes, the metric mcc_drain_err and the alert after an hour come later than they should. \
             Ages here come from the cordon and are right.",
            node.name,
            words::span(look.now.now - since)
        ),
        remedies: vec![Remedy::look("Nothing has to be done; do not wait for the alert.")],
        since: Some(started),
        evidence: vec![evidence(
            format!("pod/{} -n {NAMESPACE}", pod.name()),
            "metadata.creationTimestamp",
            started.to_rfc3339(),
            Some(started),
        )],
        because: Some(("drain-blocked", Subject::Node(node.name.clone()))),
        ..finding(
            "mcc-restarted",
            Level::Info,
            Subject::Object(object),
            "the machine-config controller started anew and counts drains from then".to_owned(),
        )
    });
}

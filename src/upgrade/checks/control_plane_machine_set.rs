//! `control-plane-machine-set`: control plane machines are being replaced while an update runs.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, machines};
use crate::upgrade::danger::Danger;
use crate::upgrade::words::shell;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let rolls = look.now.update.in_progress || look.now.pools.iter().any(|pool| pool.control_plane && pool.outdated());
    for set in look.now.facts.around.control_plane_machine_sets.iter().filter(|set| rolls && set.spec.state == "Active")
    {
        let (wanted, status) = (set.spec.replicas, &set.status);
        let replaces = status.updated < wanted || status.replicas > wanted || status.unavailable > 0;
        if !replaces || wanted == 0 {
            continue;
        }
        let namespace = set.metadata.namespace.as_deref().unwrap_or(machines::NAMESPACE);
        let object = Resource::namespaced("controlplanemachinesets.machine.openshift.io", namespace, set.name());
        let by_itself = set.spec.strategy.kind == "RollingUpdate";
        let behind = wanted.saturating_sub(status.updated).max(0);
        found.push(Finding {
            impact: Impact::ApiAvailability,
            resources: vec![object.clone(), Resource::pool("master")],
            meaning: format!(
                "{behind} of {wanted} control plane machines are to be replaced{}. Together with the reboots of the update two \
                 control plane nodes may be drained at once: the guards of the quorum then let neither go.",
                if by_itself { ", by itself (RollingUpdate)" } else { ", one for each that a person deletes (OnDelete)" }
            ),
            remedies: vec![
                Remedy::look("Delete no control plane machine before the pool master is done.")
                    .oc(format!("oc get machines -n {namespace} -l machine.openshift.io/cluster-api-machine-role=master", namespace = shell(namespace))),
                Remedy::change(Danger::L, "Let the set replace nothing by itself until then (strategy OnDelete).").oc(format!("oc patch controlplanemachineset -n {namespace} {} --type merge -p '{{\"spec\":{{\"strategy\":{{\"type\":\"OnDelete\"}}}}}}'", shell(set.name()), namespace = shell(namespace))),
            ],
            evidence: vec![evidence(
                format!("controlplanemachineset/{}", set.name()),
                "status",
                format!("{} replicas, {} updated, {} unavailable of {wanted}", status.replicas, status.updated, status.unavailable),
                None,
            )],
            ..finding(
                "control-plane-machine-set",
                if by_itself { Level::Error } else { Level::Warning },
                Subject::Object(object),
                "control plane machines are being replaced during the update".to_owned(),
            )
        });
    }
}

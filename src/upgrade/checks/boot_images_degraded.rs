//! `boot-images-degraded`: the machine-config operator could not renew the images that new machines boot
//! (machine-config-operator: pkg/controller/machine-set-boot-image, condition `BootImageUpdateDegraded`).

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::api::{Condition, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// The condition of `MachineConfiguration` `cluster`.
pub(in crate::upgrade) const DEGRADED: &str = "BootImageUpdateDegraded";
/// What its message says of a user-data secret that it cannot convert.
const STUB: &str = "converting ignition stub failed";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(told) = told(look.now) else { return };
    let object = Resource::cluster("machineconfigurations.operator.openshift.io", "cluster");
    found.push(Finding {
        impact: Impact::None,
        resources: vec![object.clone()],
        meaning: "Nodes that run are not concerned. Machines that are added later boot the old image, and from some releases on \
                  images that are too old hold up the next minor update."
            .to_owned(),
        remedies: remedies(told),
        since: told.since,
        evidence: vec![evidence(
            "machineconfiguration/cluster".to_owned(),
            DEGRADED,
            format!("{} {}", told.reason, told.message),
            told.since,
        )],
        ..finding(
            "boot-images-degraded",
            Level::Warning,
            Subject::Object(object),
            format!("boot images could not be renewed: {}", why(told)),
        )
    });
}

/// The condition, where it says that it failed.
pub(in crate::upgrade) fn told(now: &Assessment) -> Option<&Condition> {
    let objects = now.facts.around.machine_configurations.iter();
    let mut told = objects.filter_map(|object| object.status.conditions.condition(DEGRADED));
    told.find(|told| told.status == Tri::True)
}

/// Why, in a line.
pub(in crate::upgrade) fn why(told: &Condition) -> &str {
    match words::first_line(&told.message) {
        "" => told.reason.as_str(),
        message => message,
    }
}

/// What helps.
pub(in crate::upgrade) fn remedies(told: &Condition) -> Vec<Remedy> {
    let mut remedies = vec![
        Remedy::look("See which machine sets it names, and what it says of them.")
            .oc("oc get machineconfiguration cluster -o yaml"),
    ];
    if told.message.contains(STUB) {
        remedies.push(
            Remedy::change(
                Danger::M,
                "Switch the updates of boot images off, put the user-data secret of the machine set right \
                 (openshift-machine-api, *-user-data), and switch them on again.",
            )
            .oc("oc apply -f user-data.yaml"),
        );
    }
    remedies
}

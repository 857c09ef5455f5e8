//! Do machines and certificates of nodes stand still, and will nothing delete a node that reboots?

use super::{Answer, Ask, Row, evidence};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::checks::boot_images_degraded;
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::words;

pub(super) fn certificate_requests(ask: &Ask) -> Option<Row> {
    let (id, title) = ("certificate-requests", "No node waits for a certificate");
    if let Some(why) = ask.unread(&[Kind::CertificateSigningRequests]) {
        return Some(Row::unknown(id, title, why, Kind::CertificateSigningRequests));
    }
    let all = &ask.now.facts.around.certificate_signing_requests;
    let of_nodes = |signer: &str| signer.starts_with("kubernetes.io/kube") && signer.contains("kubelet");
    let pending: Vec<_> = all.iter().filter(|request| request.is_pending() && of_nodes(&request.spec.signer)).collect();
    if pending.is_empty() {
        return Some(Row::new(id, title, Answer::Pass, "no request of a kubelet is pending"));
    }
    let who = |request: &crate::api::CertificateSigningRequest| {
        request.node().map_or_else(|| request.spec.username.clone(), str::to_owned)
    };
    let mut nodes: Vec<String> = pending.iter().map(|request| who(request)).collect();
    nodes.sort();
    nodes.dedup();
    let why = format!(
        "{} of {} {}: without its certificate a node does not come back, or gives no logs",
        words::count(pending.len(), "request"),
        words::some_of(nodes.iter().map(String::as_str), 5),
        if pending.len() == 1 { "is pending" } else { "are pending" }
    );
    Some(
        Row::new(id, title, Answer::Warn, why)
            .about(
                pending
                    .iter()
                    .map(|request| Resource::cluster("certificatesigningrequests.certificates.k8s.io", request.name())),
            )
            .rests_on(pending.iter().take(20).map(|request| {
                evidence(format!("csr/{}", request.name()), "spec.username", request.spec.username.clone())
            }))
            .remedied([
                Remedy::look("See who asks, and whether these nodes are yours.")
                    .oc("oc get certificatesigningrequests"),
                Remedy::change(Danger::M, "Approve those whose node you know; an unknown one may be a forgery.")
                    .oc("oc adm certificate approve NAME"),
            ]),
    )
}

pub(super) fn health_checks(ask: &Ask) -> Option<Row> {
    let (id, title) = ("machine-health-checks", "No health check deletes a node that reboots");
    if let Some(why) = ask.unread(&[Kind::MachineHealthChecks]) {
        return Some(Row::unknown(id, title, why, Kind::MachineHealthChecks));
    }
    let all = &ask.now.facts.around.machine_health_checks;
    let awake: Vec<_> = all.iter().filter(|check| !check.is_paused()).collect();
    if awake.is_empty() {
        let why = if all.is_empty() {
            "there are none".to_owned()
        } else {
            format!("{} paused", words::count(all.len(), "check"))
        };
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let namespace = |check: &crate::api::MachineHealthCheck| check.metadata.namespace.clone().unwrap_or_default();
    let names: Vec<String> = awake.iter().map(|check| format!("{}/{}", namespace(check), check.name())).collect();
    let why = format!(
        "not paused: {}. A node that takes long to reboot may be deleted",
        words::some_of(names.iter().map(String::as_str), 5)
    );
    Some(
        Row::new(id, title, Answer::Warn, why)
            .about(awake.iter().map(|check| {
                Resource::namespaced("machinehealthchecks.machine.openshift.io", &namespace(check), check.name())
            }))
            .rests_on(names.iter().map(|name| {
                evidence(format!("machinehealthcheck/{name}"), "metadata.annotations[cluster.x-k8s.io/paused]", "none")
            }))
            .remedied(awake.iter().take(8).map(|check| {
                Remedy::change(
                    Danger::L,
                    format!("Pause {} for the update, and take the annotation away afterwards.", check.name()),
                )
                .oc(format!(
                    "oc annotate machinehealthcheck -n {} {} cluster.x-k8s.io/paused=",
                    words::shell(&namespace(check)),
                    words::shell(check.name())
                ))
            })),
    )
}

pub(super) fn machines(ask: &Ask) -> Option<Row> {
    let (id, title) = ("machines", "No machine is being replaced");
    if let Some(why) = ask.unread(&[Kind::Machines, Kind::ControlPlaneMachineSets]) {
        return Some(Row::unknown(id, title, why, Kind::Machines));
    }
    let around = &ask.now.facts.around;
    let namespace = |machine: &crate::api::Machine| machine.metadata.namespace.clone().unwrap_or_default();
    let odd = |phase: &str| matches!(phase, "Failed" | "Deleting" | "Provisioning" | "Provisioned");
    let moving: Vec<_> = around.machines.iter().filter(|machine| odd(&machine.status.phase)).collect();
    let sets: Vec<_> = around
        .control_plane_machine_sets
        .iter()
        .filter(|set| {
            set.spec.state == "Active" && (set.status.updated < set.spec.replicas || set.status.unavailable > 0)
        })
        .collect();
    if moving.is_empty() && sets.is_empty() {
        let why = match around.machines.len() {
            0 => "the cluster does not provision its machines".to_owned(),
            number => format!("{} at rest", words::count(number, "machine")),
        };
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let mut why: Vec<String> =
        moving.iter().take(8).map(|machine| format!("{} is {}", machine.name(), machine.status.phase)).collect();
    why.extend(sets.iter().map(|set| {
        format!(
            "control plane machines: {} of {} are up to date, {} missing",
            set.status.updated, set.spec.replicas, set.status.unavailable
        )
    }));
    let control_plane =
        sets.iter().any(|set| set.status.updated < set.spec.replicas && set.spec.strategy.kind == "RollingUpdate");
    Some(
        Row::new(id, title, if control_plane { Answer::Block } else { Answer::Warn }, why.join("\n"))
            .about(moving.iter().map(|machine| {
                Resource::namespaced("machines.machine.openshift.io", &namespace(machine), machine.name())
            }))
            .rests_on(
                moving
                    .iter()
                    .map(|machine| {
                        evidence(format!("machine/{}", machine.name()), "status.phase", machine.status.phase.clone())
                    })
                    .chain(sets.iter().map(|set| {
                        evidence(
                            format!("controlplanemachineset/{}", set.name()),
                            "status.updatedReplicas",
                            set.status.updated.to_string(),
                        )
                    })),
            )
            .remedied([Remedy::look("Wait until they are in place, or settle what failed.")
                .oc("oc get machines -n openshift-machine-api")]),
    )
}

/// Only releases that renew them, and where somebody asked for it, say anything.
pub(super) fn boot_images(ask: &Ask) -> Option<Row> {
    let told = boot_images_degraded::told(ask.now)?;
    let (id, title) = ("boot-images", "New machines boot images that are renewed");
    Some(
        Row::new(id, title, Answer::Warn, boot_images_degraded::why(told))
            .about([Resource::cluster("machineconfigurations.operator.openshift.io", "cluster")])
            .rests_on([evidence(
                "machineconfiguration/cluster",
                boot_images_degraded::DEGRADED,
                format!("{} {}", told.reason, told.message),
            )])
            .remedied(boot_images_degraded::remedies(told)),
    )
}

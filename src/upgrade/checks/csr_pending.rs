//! `csr-pending`: nodes that wait for the approval of their certificates: without it they stay, or become, not ready.

use chrono::TimeDelta;

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::api::CertificateSigningRequest;
use crate::api::metadata::created;
use crate::upgrade::assessment::age;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// The machine approver answers within seconds; after that long nobody will.
const WAIT: TimeDelta = TimeDelta::minutes(2);

/// So many are named in one line to approve them.
const AT_ONCE: usize = 10;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let now = look.now.now;
    let of_kubelets = |request: &&CertificateSigningRequest| {
        matches!(
            request.spec.signer.as_str(),
            "kubernetes.io/kubelet-serving" | "kubernetes.io/kube-apiserver-client-kubelet"
        )
    };
    let requests = look.now.facts.around.certificate_signing_requests.iter().map(AsRef::as_ref);
    let pending: Vec<&CertificateSigningRequest> = requests
        .filter(|request| request.is_pending())
        .filter(of_kubelets)
        .filter(|request| created(&request.metadata).is_none_or(|asked| age(asked, now) >= WAIT))
        .collect();
    let Some(first) = pending.first() else { return };
    let address = |request: &CertificateSigningRequest| {
        Resource::cluster("certificatesigningrequests.certificates.k8s.io", request.name())
    };
    let mut nodes: Vec<&str> = pending.iter().filter_map(|request| request.node()).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let down = nodes.iter().any(|node| look.now.node(node).is_some_and(|node| !node.ready));
    let new = pending.iter().any(|request| request.spec.signer.ends_with("client-kubelet"));
    let whose = match nodes.len() {
        0 => "of kubelets".to_owned(),
        _ => format!("of {}", words::some_of(nodes.iter().copied(), 3)),
    };
    let names: Vec<&str> = pending.iter().map(|request| request.name()).collect();
    let mut resources: Vec<Resource> = pending.iter().map(|request| address(request)).collect();
    resources.extend(nodes.iter().map(|node| Resource::node(node)));
    found.push(Finding {
        impact: if down || new { Impact::ClusterCapacity } else { Impact::ApplicationAvailability },
        resources,
        meaning: "A node that was away for long, or is new, needs a new certificate. While a client certificate is missing the node \
                  does not become ready; while a serving certificate is missing, logs and exec of its pods fail. Check that each \
                  request is really of that node: whoever gets a certificate of a node can act as it."
            .to_owned(),
        remedies: vec![
            Remedy::look("See who asks, and for what.").oc("oc get csr -o wide"),
            Remedy::change(Danger::M, "Approve the requests of nodes that you know.")
                .oc(format!("oc adm certificate approve {}", words::shell_all(names.iter().take(AT_ONCE).copied()))),
        ],
        since: pending.iter().filter_map(|request| created(&request.metadata)).min(),
        evidence: pending
            .iter()
            .map(|request| {
                let at = created(&request.metadata);
                evidence(format!("csr/{}", request.name()), "status.conditions", format!("none ({})", request.spec.signer), at)
            })
            .collect(),
        ..finding(
            "csr-pending",
            if down || new { Level::Error } else { Level::Warning },
            Subject::Object(address(first)),
            format!(
                "{} {whose} {} for approval",
                words::count(pending.len(), "certificate request"),
                if pending.len() == 1 { "waits" } else { "wait" }
            ),
        )
    });
}

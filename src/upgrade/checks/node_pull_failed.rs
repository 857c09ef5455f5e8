//! `node-pull-failed`: a node cannot pull the new OS image.

use super::degraded::{Cause, because_of, between, on_host, plain};
use super::{Finding, Look, Remedy, reading};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let title = |node: &crate::upgrade::assessment::Node, reason: &str| {
        format!("{} cannot pull the OS image{}", node.name, why(reason))
    };
    for about in because_of(look, Cause::Pull, title) {
        let super::Subject::Node(name) = &about.subject else { continue };
        let reason = about.evidence.first().map_or("", |told| told.value.as_str());
        let registry = between(reason, "pinging container registry ", ":").filter(|host| plain(host));
        let registry = registry.unwrap_or("quay.io");
        let remedies = vec![
            Remedy::look("Try the registry from the node: name service, proxy, firewall, certificate.")
                .oc(on_host(name, &format!("curl -sSI https://{registry}/v2/"))),
            Remedy::look("Look at mirrors and pull secret if it answers and still refuses.")
                .oc("oc get imagedigestmirrorsets,imagecontentsourcepolicies"),
        ];
        found.push(Finding {
            meaning: "The daemon tries again by itself for as long as it takes; nothing has to be restarted once the registry \
                      answers. Until then the node stays cordoned and its pool waits."
                .to_owned(),
            remedies,
            link: Some(reading::PIVOT.to_owned()),
            ..about
        });
    }
}

/// The sort of failure, from the words that podman and the registries use.
fn why(reason: &str) -> &'static str {
    let any = |needles: &[&str]| needles.iter().any(|needle| reason.contains(needle));
    if any(&["unauthorized", "authentication required", "denied"]) {
        ": the registry refuses its credentials"
    } else if any(&["x509", "certificate"]) {
        ": the registry's certificate is not trusted"
    } else if any(&["lookup ", "no such host"]) {
        ": the registry's name cannot be resolved"
    } else if any(&["manifest unknown", "not found"]) {
        ": the registry does not have it"
    } else if any(&["i/o timeout", "connection refused", "no route to host", "Client.Timeout"]) {
        ": the registry cannot be reached"
    } else {
        ""
    }
}

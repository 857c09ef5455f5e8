//! `admin-ack-missing`: a gate for minor updates that no administrator has acknowledged.

use super::release::UPGRADEABLE;
use super::{Finding, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::danger::Danger;
use crate::upgrade::updates::{acknowledge, gates_of};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    if look.now.update.in_progress {
        return; // the gates are those of the version that is being left
    }
    let (level, impact) = look.minor_hindrance();
    for gate in gates_of(look.now).unwrap_or_default() {
        if gate.acknowledged != Some(false) {
            continue;
        }
        let acks = Resource::namespaced("configmaps", "openshift-config", "admin-acks");
        found.push(Finding {
            impact,
            resources: vec![Resource::version(), acks],
            meaning: format!(
                "{}\nUntil it is acknowledged no minor update is accepted; patch updates are not concerned. The \
                 cluster-version operator looks again every few minutes.",
                gate.message.trim()
            ),
            remedies: vec![
                Remedy::look("See who still uses APIs that go away.")
                    .oc("oc get apirequestcounts -o jsonpath='{range .items[?(@.status.removedInRelease!=\"\")]}{.metadata.name}{\"\\t\"}{.status.removedInRelease}{\"\\t\"}{.status.requestCount}{\"\\n\"}{end}'"),
                Remedy::change(
                    Danger::M,
                    "Acknowledge it when what it says has been settled: clients that are not ready break after the update.",
                )
                .oc(acknowledge(&gate.key)),
            ],
            link: Some(first_link(&gate.message).unwrap_or(UPGRADEABLE).to_owned()),
            since: look.says_false("Upgradeable").and_then(|gate| gate.since),
            evidence: vec![
                evidence("configmap/admin-gates".to_owned(), &format!("data[{}]", gate.key), gate.message.trim(), None),
                evidence("configmap/admin-acks".to_owned(), &format!("data[{}]", gate.key), "not \"true\"", None),
            ],
            ..finding(
                "admin-ack-missing",
                level,
                Subject::Version,
                format!("admin gate {} is not acknowledged", gate.key),
            )
        });
    }
}

/// The first address in a text.
fn first_link(text: &str) -> Option<&str> {
    let at = text.find("https://")?;
    let link = text[at..].split(|c: char| c.is_whitespace() || c == ')').next()?;
    Some(link.trim_end_matches(['.', ',']))
}

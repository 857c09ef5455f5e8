//! `admin-ack-missing`: a gate for minor updates that no administrator has acknowledged.

use super::release::UPGRADEABLE;
use super::{Evidence, Finding, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::danger::Danger;
use crate::upgrade::updates::{Gate, acknowledge, gates_of};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    if look.now.update.in_progress {
        return; // the gates are those of the version that is being left
    }
    let closed = closed(look);
    let Some(first) = closed.first() else { return };
    let (level, impact) = look.minor_hindrance();
    let told: Vec<&str> = closed.iter().map(|gate| gate.message.trim()).collect();
    let keys = closed.iter().map(|gate| gate.key.as_str());
    found.push(Finding {
        impact,
        resources: vec![Resource::version(), Resource::namespaced("configmaps", "openshift-config", "admin-acks")],
        meaning: format!(
            "{}\nUntil then no update to another minor is accepted; patch updates are not concerned. The cluster-version \
             operator looks again every few minutes.",
            told.join("\n")
        ),
        remedies: remedies(&closed),
        link: Some(first_link(&first.message).unwrap_or(UPGRADEABLE).to_owned()),
        since: look.says_false("Upgradeable").and_then(|gate| gate.since),
        evidence: closed.iter().flat_map(rests_on).collect(),
        ..finding(
            "admin-ack-missing",
            level,
            Subject::Version,
            match closed.len() {
                1 => format!("admin gate {} is not acknowledged", first.key),
                number => format!("{number} admin gates are not acknowledged: {}", keys.collect::<Vec<_>>().join(", ")),
            },
        )
    });
}

/// The gates that nobody has acknowledged, as far as they are known.
fn closed(look: &Look) -> Vec<Gate> {
    let mut gates = gates_of(look.now).unwrap_or_default();
    gates.retain(|gate| gate.acknowledged == Some(false));
    gates
}

/// What opens the gates that nobody has acknowledged; empty: there are none, as far as is known.
pub(super) fn opens(look: &Look) -> Vec<Remedy> {
    let closed = closed(look);
    if closed.is_empty() { Vec::new() } else { remedies(&closed) }
}

fn rests_on(gate: &Gate) -> [Evidence; 2] {
    let field = format!("data[{}]", gate.key);
    [
        evidence("configmap/admin-gates".to_owned(), &field, gate.message.trim(), None),
        evidence("configmap/admin-acks".to_owned(), &field, "not \"true\"", None),
    ]
}

fn remedies(closed: &[Gate]) -> Vec<Remedy> {
    let look = Remedy::look("See who still uses APIs that go away.").oc(
        "oc get apirequestcounts -o jsonpath='{range .items[?(@.status.removedInRelease!=\"\")]}{.metadata.name}{\"\\t\"}\
         {.status.removedInRelease}{\"\\t\"}{.status.requestCount}{\"\\n\"}{end}'",
    );
    let acknowledge = closed.iter().filter(|gate| !gate.broken).map(|gate| {
        let words =
            "Acknowledge it when what it says has been settled: clients that are not ready break after the update.";
        Remedy::change(Danger::M, words).oc(acknowledge(&gate.key))
    });
    acknowledge.chain([look]).collect()
}

/// The first address in a text.
fn first_link(text: &str) -> Option<&str> {
    let at = text.find("https://")?;
    let link = text[at..].split(|c: char| c.is_whitespace() || c == ')').next()?;
    Some(link.trim_end_matches(['.', ',']))
}

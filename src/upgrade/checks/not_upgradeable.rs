//! `not-upgradeable`: minor updates are held up, and by which operator. Normal while an update runs.

use super::release::{UPGRADEABLE, operator_evidence, said};
use super::{Finding, Look, Subject, finding};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::updates::gates_of;
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = look.version() else { return };
    if look.now.update.in_progress {
        return;
    }
    let before = found.len();
    for row in &look.now.operators.rows {
        let gate = look.operator_says(&row.name, "Upgradeable").filter(|gate| gate.status == Tri::False);
        found.extend(gate.map(|gate| operator(look, &row.name, gate)));
    }
    // The ClusterVersion only repeats what these say, so that it is told below them.
    let gates = gates_of(look.now).unwrap_or_default();
    let because = if let Some(operator) = found.get(before) {
        Some((operator.id, operator.subject.clone()))
    } else if gates.iter().any(|gate| gate.acknowledged == Some(false)) {
        Some(("admin-ack-missing", Subject::Version))
    } else if version.spec.overrides.iter().any(|component| component.unmanaged) {
        Some(("cv-overrides", Subject::Version))
    } else {
        None
    };
    let Some(gate) = look.says_false("Upgradeable") else { return };
    let (level, impact) = look.minor_hindrance();
    let why = match words::first_line(&gate.message) {
        "" => gate.reason.as_str(),
        message => message,
    };
    found.push(Finding {
        impact,
        meaning: format!("Patch updates are not concerned.\n{}", gate.message).trim_end().to_owned(),
        remedies: vec![
            Remedy::look("Settle what it names; it is looked at again every few minutes.").oc("oc adm upgrade"),
        ],
        link: Some(UPGRADEABLE.to_owned()),
        since: gate.since,
        evidence: vec![version_evidence(gate)],
        because,
        ..finding("not-upgradeable", level, Subject::Version, format!("minor updates are held up: {why}"))
    });
}

fn operator(look: &Look, name: &str, gate: &Condition) -> Finding {
    let (level, impact) = look.minor_hindrance();
    let why = if gate.reason.is_empty() { String::new() } else { format!(" ({})", gate.reason) };
    Finding {
        impact,
        meaning: format!(
            "{}\nPatch updates are not concerned.",
            if gate.message.is_empty() { said(gate) } else { &gate.message }
        ),
        remedies: remedies(name, &gate.reason),
        link: Some(UPGRADEABLE.to_owned()),
        since: gate.since,
        evidence: vec![operator_evidence(name, gate)],
        ..finding(
            "not-upgradeable",
            level,
            Subject::Operator(name.to_owned()),
            format!("minor updates are held up by {name}{why}"),
        )
    }
}

/// What settles it, by operator.
pub(in crate::upgrade) fn remedies(operator: &str, reason: &str) -> Vec<Remedy> {
    let look = |words: &str, line: &str| Remedy::look(words).oc(line);
    let first = match operator {
        "operator-lifecycle-manager" => look(
            "Update the operators that it names to versions that support the next minor; approve pending install plans.",
            "oc get subscriptions,installplans,clusterserviceversions -A",
        ),
        "kube-apiserver" if reason.contains("Kubelet") => {
            look("Finish the pools first: kubelets must not fall further behind.", "oc get machineconfigpools,nodes")
        }
        "machine-config" => look("Let the pools finish, or mend the degraded one.", "oc get machineconfigpools"),
        "cloud-credential" => Remedy::change(Danger::L, "Bring the credentials to what the target needs, then say so.")
            .oc("oc annotate cloudcredential cluster --overwrite cloudcredential.openshift.io/upgradeable-to=VERSION"),
        "storage" => look("Look which driver it speaks of.", "oc get clustercsidrivers"),
        _ => {
            return vec![look(
                "Look at what it says.",
                &format!("oc describe clusteroperator {operator}", operator = words::shell(operator)),
            )];
        }
    };
    vec![
        first,
        look(
            "Look at what it says.",
            &format!("oc describe clusteroperator {operator}", operator = words::shell(operator)),
        ),
    ]
}

//! `operator-unavailable`: what an operator provides does not work. The cluster-version operator fails at once on it.

use chrono::TimeDelta;

use super::release::{OPERATOR_DOWN, operator_evidence, said};
use super::{Finding, Impact, Level, Look, Subject, by_age, finding};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::{OperatorRow, Remedy};
use crate::upgrade::words::shell;

/// From `oc adm upgrade status` (pkg/cli/admin/upgrade/status/controlplane.go, `unavailableWarningThreshold` and
/// `unavailableErrorThreshold`).
const WARNING: TimeDelta = TimeDelta::minutes(5);
const ERROR: TimeDelta = TimeDelta::minutes(20);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for row in look.now.operators.rows.iter().filter(|row| !row.available) {
        let available = look.operator_says(&row.name, "Available").filter(|available| available.status == Tri::False);
        found.push(match available {
            Some(available) => unavailable(look, row, available),
            None => untold(look, row),
        });
    }
}

fn unavailable(look: &Look, row: &OperatorRow, available: &Condition) -> Finding {
    let level = by_age(available.since, look.now.now, WARNING, ERROR);
    let next = match (row.platform, look.now.update.in_progress) {
        (false, _) => "It does not come with the platform, so no update waits for it.",
        (true, true) => {
            "The cluster-version operator stops at it and calls the update failing at once; it goes on by itself as soon as \
             the operator is available again."
        }
        (true, false) => "What it provides does not work, or only in part; an update would stop at it.",
    };
    Finding {
        impact: if row.platform { Impact::ApiAvailability } else { Impact::Unknown },
        meaning: format!("{}\n{next}", said(available)),
        remedies: vec![
            Remedy::look("Look at what it says and at the pods in its namespaces.")
                .oc(format!("oc describe clusteroperator {}", shell(&row.name))),
            Remedy::look("Gather its objects and logs.")
                .oc(format!("oc adm inspect clusteroperator/{}", shell(&row.name))),
        ],
        link: Some(OPERATOR_DOWN.to_owned()),
        since: available.since,
        expected: row.expected && level < Level::Error,
        evidence: vec![operator_evidence(&row.name, available)],
        ..finding(
            "operator-unavailable",
            if row.platform { level } else { level.min(Level::Warning) },
            Subject::Operator(row.name.clone()),
            // Brackets and all, also around nothing: these are the words that `oc` has, which people search for.
            format!("Cluster Operator {} is unavailable ({})", row.name, available.reason),
        )
    }
}

/// `Available` is missing or Unknown: the cluster-version operator counts that as unavailable too.
fn untold(look: &Look, row: &OperatorRow) -> Finding {
    let available = look.operator_says(&row.name, "Available");
    Finding {
        impact: Impact::Unknown,
        meaning: "The cluster-version operator counts it as unavailable. Right after an installation or in the first \
                  moments of a new operator that is normal."
            .to_owned(),
        remedies: vec![
            Remedy::look("Look whether its pod runs.")
                .oc(format!("oc adm inspect clusteroperator/{}", shell(&row.name))),
        ],
        link: Some(OPERATOR_DOWN.to_owned()),
        since: available.and_then(|available| available.since),
        evidence: match available {
            Some(available) => vec![operator_evidence(&row.name, available)],
            None => vec![super::evidence(format!("clusteroperator/{}", row.name), "Available", "missing", None)],
        },
        ..finding(
            "operator-unavailable",
            Level::Warning,
            Subject::Operator(row.name.clone()),
            format!("Cluster Operator {} does not say whether it is available", row.name),
        )
    }
}

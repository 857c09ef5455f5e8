//! `operator-unavailable`: what an operator provides does not work. The cluster-version operator fails at once on it.

use chrono::TimeDelta;

use super::{Finding, Look, Subject, by_age, evidence, finding};
use crate::upgrade::words;

/// From `oc adm upgrade status` (pkg/cli/admin/upgrade/status/controlplane.go, `unavailableWarningThreshold` and
/// `unavailableErrorThreshold`).
const WARNING: TimeDelta = TimeDelta::minutes(5);
const ERROR: TimeDelta = TimeDelta::minutes(20);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for row in look.now.operators.rows.iter().filter(|row| !row.available) {
        let why = match words::first_line(&row.message) {
            "" => row.reason.clone(),
            message => message.to_owned(),
        };
        let why = if why.is_empty() { "it gives no reason".to_owned() } else { why };
        found.push(Finding {
            meaning:
                "Look at the pods in the operator's namespace. The update goes on by itself when it is available again."
                    .to_owned(),
            since: row.since,
            expected: row.expected,
            evidence: vec![evidence(
                format!("clusteroperator/{}", row.name),
                "Available",
                row.reason.clone(),
                row.since,
            )],
            ..finding(
                "operator-unavailable",
                by_age(row.since, look.now.now, WARNING, ERROR),
                Subject::Operator(row.name.clone()),
                format!("{} is not available: {why}", row.name),
            )
        });
    }
}

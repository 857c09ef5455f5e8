//! `operator-degraded`: an operator says that something is wrong with what it looks after.

use chrono::TimeDelta;

use super::{Finding, Level, Look, Subject, by_age, evidence, finding};
use crate::upgrade::assessment::OperatorState;
use crate::upgrade::words;

/// From `oc adm upgrade status` (pkg/cli/admin/upgrade/status/controlplane.go, `degradedWarningThreshold`); the second
/// is also how long the cluster-version operator bears it (pkg/cvo/status.go, 40 minutes).
const WARNING: TimeDelta = TimeDelta::minutes(5);
const ERROR: TimeDelta = TimeDelta::minutes(40);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for row in look.now.operators.rows.iter().filter(|row| row.state == OperatorState::Degraded) {
        let why = match words::first_line(&row.message) {
            "" => row.reason.as_str(),
            message => message,
        };
        let level = by_age(row.since, look.now.now, WARNING, ERROR);
        found.push(Finding {
            meaning: if row.expected {
                "A control plane node reboots; this passes when it is back.".to_owned()
            } else {
                "The cluster-version operator bears this for 40 minutes, then it calls the update failing.".to_owned()
            },
            since: row.since,
            expected: row.expected,
            evidence: vec![evidence(
                format!("clusteroperator/{}", row.name),
                "Degraded",
                row.reason.clone(),
                row.since,
            )],
            ..finding(
                "operator-degraded",
                if row.expected { level.min(Level::Info) } else { level },
                Subject::Operator(row.name.clone()),
                format!("{} is degraded: {why}", row.name),
            )
        });
    }
}

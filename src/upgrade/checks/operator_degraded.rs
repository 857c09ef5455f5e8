//! `operator-degraded`: an operator says that something is wrong with what it looks after.

use chrono::TimeDelta;

use super::release::{OPERATOR_DEGRADED, operator_evidence, said};
use super::{Finding, Impact, Level, Look, Subject, by_age, finding};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::{OperatorRow, Remedy, age};
use crate::upgrade::words;

/// From `oc adm upgrade status` (pkg/cli/admin/upgrade/status/controlplane.go, `degradedWarningThreshold`); the second
/// is also how long the cluster-version operator bears it (pkg/cvo/status.go, 40 minutes).
const WARNING: TimeDelta = TimeDelta::minutes(5);
pub(super) const ERROR: TimeDelta = TimeDelta::minutes(40);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for row in &look.now.operators.rows {
        let degraded = look.operator_says(&row.name, "Degraded").filter(|degraded| degraded.status == Tri::True);
        let Some(degraded) = degraded else { continue };
        let level = by_age(degraded.since, look.now.now, WARNING, ERROR);
        found.push(Finding {
            impact: if row.platform { Impact::ApiAvailability } else { Impact::Unknown },
            meaning: format!("{}\n{}", said(degraded), next(look, row, degraded)),
            remedies: remedies(row, degraded),
            link: Some(OPERATOR_DEGRADED.to_owned()),
            since: degraded.since,
            expected: row.expected && level < Level::Error,
            evidence: vec![operator_evidence(&row.name, degraded)],
            ..finding(
                "operator-degraded",
                if row.platform { level } else { level.min(Level::Warning) },
                Subject::Operator(row.name.clone()),
                format!("Cluster Operator {} is degraded ({})", row.name, degraded.reason),
            )
        });
    }
}

/// What happens if nobody acts, with the time that is left. The cluster-version operator's own clock starts when it
/// reaches the operator's manifest and is lost with its pod, so what is left is told from our clock.
fn next(look: &Look, row: &OperatorRow, degraded: &Condition) -> String {
    if !row.platform {
        return "It does not come with the platform, so no update waits for it.".to_owned();
    }
    let excuse =
        if row.expected { "A control plane node is out of service; this passes when it is back. " } else { "" };
    if !look.now.update.in_progress {
        return format!("{excuse}No update is in progress; one that is started would stop at it.");
    }
    let since = look.memory.operator_since(&row.name).max(degraded.since.max(look.now.update.started));
    match since.map(|since| ERROR - age(since, look.now.now)) {
        Some(left) if left > TimeDelta::zero() => format!(
            "{excuse}The cluster-version operator bears it for about {} more, then it calls the update failing.",
            words::span(left)
        ),
        Some(over) => format!(
            "{excuse}The 40 minutes that the cluster-version operator bears it are over since {}.",
            words::span(-over)
        ),
        None => {
            format!("{excuse}The cluster-version operator bears it for 40 minutes, then it calls the update failing.")
        }
    }
}

fn remedies(row: &OperatorRow, degraded: &Condition) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    if degraded.reason.contains("MasterNodesReady") {
        remedies.push(
            Remedy::look("Look at the control plane node that is not ready: the operator is well when the node is.")
                .oc("oc get nodes -l node-role.kubernetes.io/master"),
        );
    }
    if row.name == "machine-config" {
        remedies.push(Remedy::look("Look at the pools: one of them is degraded.").oc("oc get machineconfigpools"));
    }
    remedies.push(
        Remedy::look("Look at what it says and at the pods in its namespaces.")
            .oc(format!("oc describe clusteroperator {}", words::shell(&row.name))),
    );
    remedies.push(
        Remedy::look("Gather its objects and logs.")
            .oc(format!("oc adm inspect clusteroperator/{}", words::shell(&row.name))),
    );
    remedies
}

//! `operator-slow`: an operator works on the target version for longer than it should.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, Impact, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{Assessment, OperatorRow, Remedy, age};
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// How long a component may take by its contract (api: config/v1/types_cluster_operator.go: 20 minutes, and 90 for
/// machine-config, whose nodes reboot meanwhile).
fn contract(operator: &str) -> TimeDelta {
    if operator == "machine-config" { TimeDelta::minutes(90) } else { TimeDelta::minutes(20) }
}

/// The cluster-version operator's own limits (pkg/cvo/status.go: 30 minutes, and 90 for machine-config).
pub fn limit(operator: &str) -> TimeDelta {
    if operator == "machine-config" { TimeDelta::minutes(90) } else { TimeDelta::minutes(30) }
}

/// Since when an operator works on the target version: by the own clock, else by its condition, never before the
/// update began.
fn working_since(look: &Assessment, memory: &Memory, row: &OperatorRow) -> Option<DateTime<Utc>> {
    if row.updated || !row.progressing || !row.platform || !look.update.in_progress {
        return None;
    }
    let since = memory.operator_since(&row.name).or(row.since)?;
    Some(look.update.started.map_or(since, |started| since.max(started)))
}

/// The operator that is furthest beyond its limit: name, since when it works, its limit.
pub fn slowest<'a>(look: &'a Assessment, memory: &Memory) -> Option<(&'a str, DateTime<Utc>, TimeDelta)> {
    let late = look.operators.rows.iter().filter_map(|row| {
        let since = working_since(look, memory, row)?;
        let limit = limit(&row.name);
        (age(since, look.now) > limit).then_some((row.name.as_str(), since, limit))
    });
    late.min_by_key(|(name, since, limit)| (*since + *limit, *name))
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for row in &look.now.operators.rows {
        let Some(since) = working_since(look.now, look.memory, row) else { continue };
        let (lasting, limit) = (age(since, look.now.now), limit(&row.name));
        if lasting <= contract(&row.name) {
            continue;
        }
        let late = lasting > limit;
        let clock = if late {
            format!("longer than the {} it should take", words::span(limit))
        } else {
            format!("{} left before it counts as slow", words::span(limit - lasting))
        };
        found.push(Finding {
            impact: Impact::UpdateSpeed,
            meaning: meaning(row, late),
            remedies: remedies(row),
            since: Some(since),
            evidence: vec![
                evidence(format!("clusteroperator/{}", row.name), "Progressing", progressing(row), Some(since)),
                evidence(
                    format!("clusteroperator/{}", row.name),
                    "status.versions[operator]",
                    row.version.clone().unwrap_or_else(|| "none".to_owned()),
                    None,
                ),
            ],
            ..finding(
                "operator-slow",
                if late { Level::Warning } else { Level::Info },
                Subject::Operator(row.name.clone()),
                format!("{} has been updating for {}, {clock}", row.name, words::span(lasting)),
            )
        });
    }
}

fn progressing(row: &OperatorRow) -> String {
    if row.reason.is_empty() { "True".to_owned() } else { format!("True ({})", row.reason) }
}

fn meaning(row: &OperatorRow, late: bool) -> String {
    let said = match words::first_line(&row.message) {
        "" => "It does not say what it waits for.",
        message => message,
    };
    let next = if late {
        "Slow is no error: the cluster-version operator says Failing=Unknown (SlowClusterOperator) and goes on waiting."
    } else {
        "An operator should be done in 20 minutes; after 30 the cluster-version operator says that it is slow."
    };
    format!("{said}\n{next}")
}

fn remedies(row: &OperatorRow) -> Vec<Remedy> {
    if row.name == "machine-config" {
        return vec![
            Remedy::look("Look at the control plane nodes: they are drained and rebooted one after the other.")
                .oc("oc get machineconfigpools,nodes"),
        ];
    }
    vec![
        Remedy::look("Look at what it waits for.")
            .oc(format!("oc describe clusteroperator {}", words::shell(&row.name))),
        Remedy::look("Gather its objects and logs.")
            .oc(format!("oc adm inspect clusteroperator/{}", words::shell(&row.name))),
    ]
}

//! `operator-slow`: an operator works on the target version for longer than it should.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::{Assessment, OperatorRow, age};
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// The cluster-version operator's own limits (pkg/cvo/status.go: 30 minutes, and 90 for machine-config, whose nodes
/// reboot meanwhile).
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
        let limit = limit(&row.name);
        if age(since, look.now.now) <= limit {
            continue;
        }
        found.push(Finding {
            meaning: words::first_line(&row.message).to_owned(),
            since: Some(since),
            evidence: vec![evidence(format!("clusteroperator/{}", row.name), "Progressing", "True", Some(since))],
            ..finding(
                "operator-slow",
                Level::Warning,
                Subject::Operator(row.name.clone()),
                format!(
                    "{} has been updating for {}, it should take less than {}",
                    row.name,
                    words::span(look.now.now - since),
                    words::span(limit)
                ),
            )
        });
    }
}

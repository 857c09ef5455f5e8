//! Operators against the clock: since when each works on the target version, and which limit it runs into.
//!
//! The cluster-version operator keeps such clocks itself (cvo: pkg/payload/task.go, `COUpdateStartTimes`), but never tells
//! them and loses them with its pod, so own ones are kept ([`Memory::operator_since`]).

use chrono::{DateTime, Utc};

use super::assessment::{Deadline, Limit, OperatorRow, OperatorState, Operators, Update};
use super::facts::Facts;
use super::memory::Memory;
use crate::api::{Conditions as _, Tri};

/// Puts clocks and deadlines on the rows.
pub fn time(operators: &mut Operators, facts: &Facts, update: &Update, memory: &Memory, now: DateTime<Utc>) {
    if !update.in_progress {
        return;
    }
    for row in operators.rows.iter_mut().filter(|row| row.platform) {
        row.working_since = working_since(row, facts, update, memory);
        row.deadline = row.working_since.and_then(|since| deadline(row, since, now));
    }
}

/// Since when the cluster-version operator waits for this one, as far as is known: the own clock, else the condition that
/// tells of it, never before the update began.
fn working_since(row: &OperatorRow, facts: &Facts, update: &Update, memory: &Memory) -> Option<DateTime<Utc>> {
    let troubled = matches!(row.state, OperatorState::Degraded | OperatorState::Unavailable);
    if row.updated && !troubled {
        return None;
    }
    let own = memory.operator_since(&row.name).filter(|_| !row.updated);
    let told = || match row.state {
        OperatorState::Degraded | OperatorState::Unavailable if row.updated || !row.progressing => row.since,
        _ if row.progressing => progressing_since(facts, &row.name),
        _ => None,
    };
    let since = own.or_else(told)?;
    Some(update.started.map_or(since, |started| since.max(started)))
}

/// Transition time of an operator's Progressing, when it is True.
pub fn progressing_since(facts: &Facts, name: &str) -> Option<DateTime<Utc>> {
    let operators = &facts.operators;
    let at = operators.binary_search_by(|operator| operator.name().cmp(name)).ok()?;
    operators[at].status.conditions.condition("Progressing").filter(|told| told.status == Tri::True)?.since
}

/// The next limit, or the last one when all are passed. An operator that is not available has none: that fails at once.
fn deadline(row: &OperatorRow, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<Deadline> {
    let limits: &[Limit] = match row.state {
        OperatorState::Unavailable => return None,
        OperatorState::Degraded => &[Limit::Degraded],
        _ if row.name == "machine-config" => &[Limit::MachineConfig],
        _ => &[Limit::Contract, Limit::Slow],
    };
    let of = |limit: &Limit| Deadline { at: since + limit.span(), limit: *limit };
    limits.iter().map(of).find(|deadline| deadline.at > now).or_else(|| limits.last().map(of))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use crate::upgrade::assessment::{Assessment, Limit};
    use crate::upgrade::memory::Memory;
    use crate::upgrade::specimen::{NEW, Specimen, at, condition};
    use serde_json::json;

    fn limit(assessment: &Assessment, name: &str) -> Option<(Limit, i64)> {
        let deadline = assessment.operator(name).unwrap().deadline?;
        Some((deadline.limit, (deadline.at - at(0)).num_minutes()))
    }

    #[test]
    fn each_limit_comes_in_its_turn() {
        let mut cluster = Specimen::updating();
        cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 5);
        cluster.operator("machine-config")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 6);
        let table = [(10, Limit::Contract, 25), (26, Limit::Slow, 35), (50, Limit::Slow, 35)];
        for (minute, kind, due) in table {
            assert_eq!(limit(&cluster.assess(minute), "etcd"), Some((kind, due)), "minute {minute}");
        }
        assert_eq!(limit(&cluster.assess(10), "machine-config"), Some((Limit::MachineConfig, 96)));
        assert_eq!(limit(&cluster.assess(10), "dns"), None, "its turn has not come");
        assert_eq!(cluster.assess(10).operator("etcd").unwrap().working_since, Some(at(5)));
    }

    #[test]
    fn a_degraded_operator_fails_the_update_after_forty_minutes_of_its_own_clock() {
        let mut cluster = Specimen::updating();
        let mut memory = Memory::default();
        cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 5);
        cluster.watched(&mut memory, 6);
        cluster.operator("etcd")["status"]["conditions"][2] = condition("Degraded", "True", "", "", 15);
        assert_eq!(limit(&cluster.watched(&mut memory, 16), "etcd"), Some((Limit::Degraded, 45)));
        // At the target and degraded: it is waited for all the same.
        cluster.operator("etcd")["status"]["versions"][0]["version"] = json!(NEW);
        assert_eq!(limit(&cluster.watched(&mut memory, 17), "etcd"), Some((Limit::Degraded, 55)));
    }

    #[test]
    fn an_operator_that_is_waited_for_is_timed_though_it_does_not_move() {
        let cluster = Specimen::updating();
        let mut memory = Memory::default();
        cluster.watched(&mut memory, 2);
        let late = cluster.watched(&mut memory, 12);
        assert_eq!(late.operator("etcd").unwrap().working_since, Some(at(2)), "the message names it");
        assert_eq!(late.operator("dns").unwrap().working_since, None);
    }

    #[test]
    fn without_an_update_there_is_no_clock() {
        let mut cluster = Specimen::finished();
        cluster.operator("etcd")["status"]["conditions"][2] = condition("Degraded", "True", "", "", 92);
        let row = cluster.assess(95).operator("etcd").unwrap().clone();
        assert_eq!((row.working_since, row.deadline), (None, None));
    }
}

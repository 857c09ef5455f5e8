//! What the ClusterVersion says about an attempt: Progressing and Failing.
//!
//! Rules: cluster-version-operator, pkg/cvo/status.go (setClusterVersionStatus, convertErrorToProgressing) and
//! pkg/payload/task.go (SummaryForReason).

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::world::World;
use super::payload::{Attempt, Health, health};
use crate::sim::cluster::object::{Condition, condition_status, set_condition};
use crate::sim::cluster::operators::OPERATORS;
use crate::sim::kinds::Res;

/// How long a degraded operator is waited for before the update is failing.
const DEGRADED_LIMIT: Duration = Duration::from_secs(40 * 60);
/// How long an operator may take before it is called slow.
const SLOW: Duration = Duration::from_secs(30 * 60);
/// The same for machine-config, which waits for reboots.
const SLOW_MACHINE_CONFIG: Duration = Duration::from_secs(90 * 60);
/// How long the attempt waits for an operator before it says so.
const SAY_AFTER: Duration = Duration::from_secs(20);

/// What is to be said: reason and message of Progressing, and Failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Status, reason and message of Failing.
    pub failing: (&'static str, String, String),
    /// Reason of Progressing.
    pub reason: String,
    /// What follows `Working towards ...`, or all of it when the update cannot go on.
    pub text: String,
    /// Whether the update cannot go on.
    pub hard: bool,
}

/// Judges the operators that are waited for: name, health, for how long.
pub fn judge(version: &str, waiting: &[(&'static str, Health, Duration)]) -> Verdict {
    let names = |fits: &dyn Fn(&(&'static str, Health, Duration)) -> bool| -> Vec<&'static str> {
        waiting.iter().filter(|it| fits(it)).map(|it| it.0).collect()
    };
    let unavailable = names(&|it| it.1 == Health::Unavailable);
    let overdue = names(&|it| it.1 == Health::Degraded && it.2 >= DEGRADED_LIMIT);
    let degraded = names(&|it| it.1 == Health::Degraded);
    let updating = names(&|it| it.1 == Health::Updating);
    if !unavailable.is_empty() {
        let summary = singular_or(&unavailable, "is not available", "are not available");
        return hard(version, "ClusterOperator", "NotAvailable", &unavailable, &summary, None);
    }
    if !overdue.is_empty() {
        let wait = format!("wait has exceeded 40 minutes for these operators: {}", overdue.join(", "));
        let summary = singular_or(&overdue, "is degraded", "are degraded");
        return hard(version, "ClusterOperator", "Degraded", &overdue, &summary, Some(&wait));
    }
    let calm = ("False", String::new(), String::new());
    if !degraded.is_empty() {
        return Verdict {
            failing: calm,
            reason: plural("ClusterOperator", "Degraded", degraded.len()),
            text: format!("waiting up to 40 minutes on {}", degraded.join(", ")),
            hard: false,
        };
    }
    let slow = names(&|it| it.1 == Health::Updating && it.0 != "machine-config" && it.2 >= SLOW);
    let slow_machines =
        waiting.iter().any(|it| it.0 == "machine-config" && it.1 == Health::Updating && it.2 >= SLOW_MACHINE_CONFIG);
    let mut late = Vec::new();
    if !slow.is_empty() {
        late.push(format!("{} over 30 minutes", slow.join(", ")));
    }
    if slow_machines {
        late.push("machine-config over 90 minutes".to_owned());
    }
    let reason =
        if updating.is_empty() { String::new() } else { plural("ClusterOperator", "Updating", updating.len()) };
    if late.is_empty() {
        let text = if updating.is_empty() { String::new() } else { format!("waiting on {}", updating.join(", ")) };
        return Verdict { failing: calm, reason, text, hard: false };
    }
    let text = format!("waiting on {} which is longer than expected", late.join(" and "));
    Verdict { failing: ("Unknown", "SlowClusterOperator".to_owned(), text.clone()), reason, text, hard: false }
}

/// A manifest that the server does not take (pkg/payload/task.go, SummaryForReason).
fn rejected(version: &str, manifest: &str) -> Verdict {
    let summary = "the server is rejecting updates";
    let reason = "UpdatePayloadResourceForbidden".to_owned();
    Verdict {
        failing: ("True", reason.clone(), format!("Could not update {manifest}: {summary}")),
        reason,
        text: format!("Unable to apply {version}: {summary}"),
        hard: true,
    }
}

fn hard(version: &str, what: &str, state: &str, names: &[&str], summary: &str, progressing: Option<&str>) -> Verdict {
    let reason = plural(what, state, names.len());
    let message = summary.replacen("the cluster", "Cluster", 1);
    Verdict {
        failing: ("True", reason.clone(), message),
        reason,
        text: format!("Unable to apply {version}: {}", progressing.unwrap_or(summary)),
        hard: true,
    }
}

fn singular_or(names: &[&str], one: &str, many: &str) -> String {
    match names {
        [name] => format!("the cluster operator {name} {one}"),
        names => format!("the cluster operators {} {many}", names.join(", ")),
    }
}

fn plural(what: &str, state: &str, count: usize) -> String {
    if count == 1 { format!("{what}{state}") } else { format!("{what}s{state}") }
}

/// Writes how the attempt goes, unless that is what was `said` last.
pub fn write(
    world: &World,
    attempt: &Attempt,
    waits: &BTreeMap<&'static str, Duration>,
    said: &mut Option<(Verdict, String)>,
) {
    let waiting: Vec<(&'static str, Health, Duration)> = attempt
        .waiting()
        .map(|operator| {
            let since = waits.get(operator.name).copied().unwrap_or(world.elapsed);
            (operator.name, health(world, operator, &attempt.version), world.elapsed.saturating_sub(since))
        })
        .filter(|it| it.2 >= SAY_AFTER)
        .collect();
    let (done, total) = (attempt.done(), attempt.total());
    let verdict = match attempt.rejected() {
        Some((kind, name, number)) => rejected(&attempt.version, &format!("{kind} {name:?} ({number} of {total})")),
        None => judge(&attempt.version, &waiting),
    };
    let message = if verdict.hard {
        verdict.text.clone()
    } else {
        let version = &attempt.version;
        let percent = done * 100 / total.max(1);
        let base = format!("Working towards {version}: {done} of {total} done ({percent}% complete)");
        match (done, verdict.text.as_str()) {
            (0, "") => format!("Working towards {version}"),
            (_, "") => base,
            (0, text) => format!("Working towards {version}: {text}"),
            (_, text) => format!("{base}, {text}"),
        }
    };
    let saying = (verdict, message);
    if said.as_ref() == Some(&saying) {
        return;
    }
    let (verdict, message) = &saying;
    super::write(world, |object| {
        let (status, reason, text) = &verdict.failing;
        set_condition(object, &Condition::new("Failing", status, reason, text), world.now);
        set_condition(object, &Condition::new("Progressing", "True", &verdict.reason, message), world.now);
    });
    *said = Some(saying);
}

/// Outside an update there is no grace: Failing follows the operators.
pub fn reconcile(world: &World, version: &str) {
    let waiting: Vec<(&'static str, Health, Duration)> = OPERATORS
        .iter()
        .map(|operator| (operator.name, health(world, operator, version), Duration::MAX))
        .filter(|it| matches!(it.1, Health::Unavailable | Health::Degraded))
        .collect();
    let verdict = judge(version, &waiting);
    let invalid = world
        .store
        .get(Res::CLUSTER_VERSIONS, None, "version")
        .is_some_and(|object| condition_status(&object, "Invalid") == "True");
    let message = if invalid {
        format!("Stopped at {version}: the cluster version is invalid")
    } else if verdict.hard {
        let summary = verdict.failing.2.replacen("Cluster", "the cluster", 1);
        format!("Error while reconciling {version}: {summary}")
    } else {
        format!("Cluster version is {version}")
    };
    let reason = if invalid { "InvalidClusterVersion" } else { verdict.reason.as_str() };
    super::write(world, |object| {
        let (status, reason_failing, text) = &verdict.failing;
        set_condition(object, &Condition::new("Failing", status, reason_failing, text), world.now);
        set_condition(object, &Condition::new("Progressing", "False", reason, &message), world.now);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_updating_operator_is_waited_for_without_failing_until_30_minutes() {
        let verdict = judge("4.19.3", &[("etcd", Health::Updating, 29 * MINUTE), ("dns", Health::Updating, MINUTE)]);
        assert_eq!(verdict.text, "waiting on etcd, dns");
        assert_eq!(verdict.failing.0, "False");
        let verdict = judge("4.19.3", &[("etcd", Health::Updating, 30 * MINUTE), ("dns", Health::Updating, MINUTE)]);
        assert_eq!(verdict.failing.0, "Unknown");
        assert_eq!(verdict.failing.1, "SlowClusterOperator");
        assert_eq!(verdict.text, "waiting on etcd over 30 minutes which is longer than expected");
    }

    #[test]
    fn machine_config_may_take_90_minutes() {
        assert_eq!(judge("4.19.3", &[("machine-config", Health::Updating, 89 * MINUTE)]).failing.0, "False");
        let verdict = judge(
            "4.19.3",
            &[("etcd", Health::Updating, 31 * MINUTE), ("machine-config", Health::Updating, 90 * MINUTE)],
        );
        assert_eq!(
            verdict.text,
            "waiting on etcd over 30 minutes and machine-config over 90 minutes which is longer than expected"
        );
    }

    #[test]
    fn a_degraded_operator_fails_the_update_after_40_minutes_and_an_unavailable_one_at_once() {
        let verdict = judge("4.18.25", &[("monitoring", Health::Degraded, 39 * MINUTE)]);
        assert_eq!(verdict.text, "waiting up to 40 minutes on monitoring");
        assert_eq!((verdict.failing.0, verdict.reason.as_str()), ("False", "ClusterOperatorDegraded"));
        let verdict = judge("4.18.25", &[("monitoring", Health::Degraded, 40 * MINUTE)]);
        assert_eq!(
            verdict.failing,
            ("True", "ClusterOperatorDegraded".to_owned(), "Cluster operator monitoring is degraded".to_owned())
        );
        assert_eq!(
            verdict.text,
            "Unable to apply 4.18.25: wait has exceeded 40 minutes for these operators: monitoring"
        );
        let verdict = judge("4.18.25", &[("dns", Health::Unavailable, Duration::ZERO)]);
        assert_eq!(verdict.failing.1, "ClusterOperatorNotAvailable");
        assert_eq!(verdict.text, "Unable to apply 4.18.25: the cluster operator dns is not available");
    }
}

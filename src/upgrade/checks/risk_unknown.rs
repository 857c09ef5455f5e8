//! `risk-unknown`: versions of which it could not be found out whether their risks apply to this cluster.

use chrono::TimeDelta;

use super::release::field;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::assessment::{Remedy, age};
use crate::upgrade::words;

/// The judgement of a risk is kept for an hour (cluster-version-operator, pkg/clusterconditions/cache), so that one that
/// is unknown for longer is not merely waiting for its turn; the alert CannotEvaluateConditionalUpdates has the same limit.
const LONG: TimeDelta = TimeDelta::hours(1);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = look.version() else { return };
    if look.now.update.in_progress {
        return;
    }
    let unknown: Vec<_> = version
        .status
        .conditional_updates
        .iter()
        .filter_map(|update| {
            let told = update.conditions.condition("Recommended")?;
            (told.status == Tri::Unknown).then_some((update.release.version.as_str(), told))
        })
        .collect();
    let Some(since) = unknown.iter().map(|(_, told)| told.since).min() else { return };
    let long = since.is_some_and(|since| age(since, look.now.now) >= LONG);
    let versions = words::some_of(unknown.iter().map(|(version, _)| *version), 4);
    let monitoring = look.now.operator("monitoring").filter(|row| !row.available || row.degraded);
    let why = match monitoring {
        Some(_) => "The operator monitoring has trouble itself, and it is monitoring that is asked.",
        None => "Monitoring is asked about each risk, one question at a time; an answer holds for an hour.",
    };
    found.push(Finding {
        impact: Impact::None,
        meaning: format!("They are not recommended until that is known. {why}\n{}", unknown[0].1.message),
        remedies: vec![
            Remedy::look("Look whether monitoring is well.").oc("oc describe clusteroperator monitoring"),
            Remedy::look("Read the risks of a version.").oc("oc adm upgrade recommend --version VERSION"),
        ],
        since,
        evidence: unknown
            .iter()
            .take(5)
            .map(|(version, told)| {
                field(
                    &format!("status.conditionalUpdates[{version}].Recommended"),
                    format!("Unknown ({})", told.reason),
                    told.since,
                )
            })
            .collect(),
        ..finding(
            "risk-unknown",
            if long { Level::Warning } else { Level::Info },
            Subject::Version,
            format!(
                "whether the risks of {} apply here is unknown: {versions}",
                words::count(unknown.len(), "version")
            ),
        )
    });
}

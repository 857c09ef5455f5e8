//! `not-upgradeable`: minor updates are held up. Normal while an update runs.

use super::{Finding, Level, Look, Subject, finding};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::version::leaves_minor;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = &look.now.facts.cluster_version else { return };
    let gate = version.status.conditions.condition("Upgradeable").filter(|gate| gate.status == Tri::False);
    let blockers: Vec<_> = look.now.operators.rows.iter().filter(|row| row.not_upgradeable.is_some()).collect();
    if look.now.update.in_progress || (gate.is_none() && blockers.is_empty()) {
        return;
    }
    let from = look.now.update.to.as_deref().unwrap_or_default();
    let minor_on_offer = look.now.update.offers.iter().any(|offer| leaves_minor(from, &offer.version));
    let why = match (gate.map(|gate| words::first_line(&gate.message)), blockers.len()) {
        (Some(message), _) if !message.is_empty() => message.to_owned(),
        (_, 0) => gate.map(|gate| gate.reason.clone()).unwrap_or_default(),
        _ => words::some_of(blockers.iter().map(|row| row.name.as_str()), 3),
    };
    let details = blockers.iter().filter_map(|row| Some(format!("{}: {}", row.name, row.not_upgradeable.as_ref()?)));
    let details = gate.map(|gate| gate.message.clone()).into_iter().chain(details);
    found.push(Finding {
        meaning: format!("Patch updates are not concerned.\n{}", details.collect::<Vec<_>>().join("\n")),
        since: gate.and_then(|gate| gate.since),
        evidence: gate.map(version_evidence).into_iter().collect(),
        ..finding(
            "not-upgradeable",
            if minor_on_offer { Level::Warning } else { Level::Info },
            Subject::Version,
            format!("minor updates are held up: {why}"),
        )
    });
}

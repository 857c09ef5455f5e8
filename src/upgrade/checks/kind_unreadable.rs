//! `kind-unreadable`: a kind, or an object of it, that cannot be read: what is shown is incomplete.

use super::{Finding, Level, Look, Subject, finding};
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for (kind, state) in &look.now.facts.kinds {
        let plural = kind.plural();
        match &state.status {
            KindStatus::Forbidden(trouble) => found.push(Finding {
                meaning: format!("{}\n{}", missing(*kind), trouble.hint),
                since: Some(trouble.since),
                ..finding(
                    "kind-unreadable",
                    Level::Warning,
                    Subject::Link,
                    format!("{plural} may not be read: {}", trouble.words),
                )
            }),
            // While the link as a whole is down, that is what is said, not that each kind is.
            KindStatus::Failing(trouble) if !look.now.facts.link.state.stale() => found.push(Finding {
                meaning: format!("What is shown is the last good content.\n{}", trouble.hint),
                since: Some(trouble.since),
                ..finding(
                    "kind-unreadable",
                    Level::Warning,
                    Subject::Link,
                    format!("{plural} cannot be watched: {}", trouble.words),
                )
            }),
            _ => {}
        }
        if let Some((name, why)) = state.unreadable.first() {
            let others = words::count(state.unreadable.len(), "object");
            found.push(finding(
                "kind-unreadable",
                Level::Warning,
                Subject::Link,
                format!("{others} of {plural} cannot be read, such as {name}: {why}"),
            ));
        }
    }
}

/// What is not known without the kind.
fn missing(kind: Kind) -> &'static str {
    match kind {
        Kind::ClusterVersions => "Without it nothing is known of the update itself.",
        Kind::ClusterOperators => "Without them the progress of the control plane is not known.",
        Kind::MachineConfigPools => "Without them it is not known which nodes update and when.",
        Kind::MachineConfigNodes => "Without them the phases of nodes come from annotations and are coarser.",
        Kind::Nodes => "Without them the progress of the pools is not known.",
        Kind::MachineConfigs => "Without them the release of each node is not known.",
        Kind::Pods | Kind::PodDisruptionBudgets => "Without them it cannot be told what holds a drain up.",
        Kind::Alerts => "Without them what the monitoring has noticed is not among the findings.",
        _ => "Findings that rest on it are missing.",
    }
}

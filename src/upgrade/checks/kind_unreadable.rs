//! `kind-unreadable`: a kind, or an object of it, that cannot be read: what is shown is incomplete.

use chrono::TimeDelta;

use super::{Evidence, Finding, Impact, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::link::Trouble;
use crate::upgrade::words;

/// How long a watch that breaks may take to come back: longer than it takes to see that the API server is gone.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for (kind, state) in &look.now.facts.kinds {
        let plural = kind.plural();
        match &state.status {
            KindStatus::Forbidden(trouble) => found.push(Finding {
                meaning: with_hint(missing(*kind), trouble),
                remedies: vec![
                    Remedy::look("Ask for the permission to get, list and watch it.")
                        .oc(format!("oc auth can-i list {} -A", kind.resource())),
                ],
                ..unreadable(*kind, trouble, format!("{plural} may not be read: {}", trouble.words))
            }),
            KindStatus::Failing(trouble) if lasts(look, trouble) => found.push(Finding {
                meaning: with_hint("What is shown is the last good content.", trouble),
                remedies: vec![Remedy::look("Wait: it is tried again all the time.")],
                ..unreadable(*kind, trouble, format!("{plural} cannot be watched: {}", trouble.words))
            }),
            _ => {}
        }
        if let Some((name, why)) = state.unreadable.first() {
            let others = words::count(state.unreadable.len(), "object");
            let unread = state.unreadable.iter().take(10);
            let rests_on: Vec<Evidence> =
                unread.map(|(name, why)| evidence(format!("{plural}/{name}"), "object", why.clone(), None)).collect();
            found.push(Finding {
                impact: Impact::None,
                meaning: "They are left out of everything that is shown and counted.".to_owned(),
                remedies: vec![Remedy::look("Look at it as the server has it.").oc(format!(
                    "oc get {} {name} -o yaml",
                    kind.resource(),
                    name = words::shell(name)
                ))],
                evidence: rests_on,
                ..finding(
                    "kind-unreadable",
                    level(*kind),
                    Subject::Link,
                    format!("{others} of {plural} cannot be read, such as {name}: {why}"),
                )
            });
        }
    }
}

/// Has it been so for a while? While the link as a whole is down, that is what is said, not that each kind is; and in the
/// moments before that is known every watch breaks.
fn lasts(look: &Look, trouble: &Trouble) -> bool {
    !look.now.facts.link.state.stale() && look.now.now - trouble.since >= PATIENCE
}

fn unreadable(kind: Kind, trouble: &Trouble, title: String) -> Finding {
    Finding {
        impact: Impact::None,
        since: Some(trouble.since),
        evidence: vec![evidence(kind.resource(), "list", trouble.words.clone(), Some(trouble.since))],
        ..finding("kind-unreadable", level(kind), Subject::Link, title)
    }
}

/// What everything rests on is a warning; what explains more is not.
fn level(kind: Kind) -> Level {
    match kind {
        _ if kind.is_core() => Level::Warning,
        Kind::Pods | Kind::PodDisruptionBudgets => Level::Warning,
        _ => Level::Info,
    }
}

fn with_hint(words: &str, trouble: &Trouble) -> String {
    format!("{words}\n{}", trouble.hint).trim_end().to_owned()
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
        Kind::ConfigMaps => "Without them gates for minor updates and signatures of releases are not known.",
        Kind::ApiRequestCounts => "Without them it is not known who uses APIs that go away.",
        Kind::CertificateSigningRequests => "Without them it is not known whether nodes wait for a certificate.",
        Kind::Machines | Kind::MachineHealthChecks | Kind::ControlPlaneMachineSets => {
            "Without them it is not known whether machines are being replaced or deleted."
        }
        Kind::ClusterServiceVersions | Kind::Subscriptions | Kind::InstallPlans => {
            "Without them it is not known whether installed operators support the next minor."
        }
        _ => "Findings that rest on it are missing.",
    }
}

//! `alert-firing`: what the cluster's monitoring has noticed, as far as it bears on the update.

use std::collections::BTreeMap;

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::alert::Alert;
use crate::upgrade::assessment::{Assessment, Remedy, Resource};
use crate::upgrade::memory::Memory;
use crate::upgrade::updates::speaks_against_update;
use crate::upgrade::words;

/// The id of the finding.
const ID: &str = "alert-firing";

/// Told whenever they fire, because they hold drains up (oc: pkg/cli/admin/upgrade/status/alerts.go, `allowedAlerts`).
const ALWAYS: [&str; 2] = ["PodDisruptionBudgetLimit", "PodDisruptionBudgetAtLimit"];

/// What fires in every update, because nodes go away and come back.
const NOISE: [&str; 18] = [
    "KubeDaemonSetMisScheduled",
    "KubeDaemonSetNotScheduled",
    "KubeDaemonSetRolloutStuck",
    "KubeDeploymentReplicasMismatch",
    "KubeDeploymentRolloutStuck",
    "KubeNodeNotReady",
    "KubeNodeReadinessFlapping",
    "KubeNodeUnreachable",
    "KubePodNotReady",
    "KubePodNotScheduled",
    "KubeStatefulSetReplicasMismatch",
    "KubeStatefulSetUpdateNotRolledOut",
    "KubeletDown",
    "NodeClockNotSynchronising",
    "PodDisruptionBudgetAtLimit",
    "SystemMemoryExceedsReservation",
    "TargetDown",
    "etcdMemberCommunicationSlow",
];

/// Alerts that say the same of several objects: one thing to know.
struct Group<'a> {
    name: &'a str,
    level: Level,
    summary: &'a str,
    alerts: Vec<&'a Alert>,
    expected: bool,
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let before = found.len();
    for group in groups(look) {
        let mut told = group.finding(&group.alerts);
        // A finding is known by its id and subject; an alert whose summary differs from place to place has several.
        let others = found[before..].iter().filter(|other| other.resources.first() == told.resources.first()).count();
        if let (Subject::Object(subject), 1..) = (&mut told.subject, others) {
            subject.name = format!("{}/{}", group.name, others + 1);
        }
        found.push(told);
    }
}

/// A finding for each alert of those that `finding` puts together, as `oc adm upgrade status` tells them; `finding` alone
/// when it is not of alerts.
pub fn apart(assessment: &Assessment, finding: &Finding) -> Vec<Finding> {
    if finding.id != ID {
        return vec![finding.clone()];
    }
    let memory = Memory::default();
    let look = Look::at(assessment, &memory);
    let same = |told: &Finding| told.level == finding.level && told.title == finding.title;
    let group = groups(&look).into_iter().find(|group| {
        let told = group.finding(&group.alerts);
        same(&told) && told.resources == finding.resources
    });
    let Some(group) = group else { return vec![finding.clone()] };
    let single = |alert: &&Alert| Finding { because: finding.because.clone(), ..group.finding(&[*alert]) };
    group.alerts.iter().map(single).collect()
}

fn groups<'a>(look: &Look<'a>) -> Vec<Group<'a>> {
    // A paused pool with nodes to come is an update that goes on, for `oc`.
    let rolls = look.rolls() || look.oc.updating();
    let started = look.version().and_then(|version| version.status.history.first()?.started);
    let begun = |alert: &Alert| started.zip(alert.active_at).is_some_and(|(started, active)| active > started);
    let told = |alert: &&Alert| {
        let held = ALWAYS.contains(&alert.name.as_str());
        let during = rolls && begun(alert);
        alert.state != "pending" && level(alert).is_some() && (during || held || !rolls && speaks_against_update(alert))
    };
    let mut groups: BTreeMap<(&str, Level, &str), Vec<&Alert>> = BTreeMap::new();
    for alert in look.now.facts.around.alerts.iter().filter(told) {
        let Some(level) = level(alert) else { continue };
        groups.entry((&alert.name, level, summary(alert))).or_default().push(alert);
    }
    let nodes_move = look.now.nodes.iter().any(|node| node.phase.moving());
    let groups = groups.into_iter().map(|((name, level, summary), alerts)| {
        // What fired before the update began is not of its making.
        let noise = nodes_move && level < Level::Critical && NOISE.contains(&name);
        let expected = noise && alerts.iter().all(|alert| begun(alert));
        Group { name, level, summary, alerts, expected }
    });
    groups.collect()
}

/// Warnings and what is critical; the rest is not told.
fn level(alert: &Alert) -> Option<Level> {
    match alert.label("severity") {
        "warning" => Some(Level::Warning),
        "critical" => Some(Level::Critical),
        _ => None,
    }
}

fn summary(alert: &Alert) -> &str {
    match words::first_line(alert.annotation("summary")) {
        "" => &alert.name,
        summary => summary,
    }
}

impl Group<'_> {
    /// The finding of these alerts of the group.
    fn finding(&self, alerts: &[&Alert]) -> Finding {
        let Self { name, level, summary, expected, .. } = *self;
        let resources: Vec<Resource> =
            alerts.iter().map(|alert| Resource::namespaced("alerts", alert.label("namespace"), name)).collect();
        let mut resources_once = resources.clone();
        resources_once.dedup();
        let budgets = alerts.iter().filter(|alert| !alert.label("poddisruptionbudget").is_empty());
        resources_once.extend(
            budgets.map(|alert| Resource::budget(alert.label("namespace"), alert.label("poddisruptionbudget"))),
        );
        let told = alerts.iter().map(|alert| [alert.annotation("description"), alert.annotation("message")]);
        let details: Vec<&str> =
            told.filter_map(|texts| texts.into_iter().find(|text| !text.is_empty())).take(5).collect();
        let often =
            if alerts.len() > 1 { format!("{name} fires {} times.", alerts.len()) } else { format!("{name} fires.") };
        let excuse = if expected { " It does in every update while nodes reboot." } else { "" };
        let mut meaning = format!("{often}{excuse}");
        for detail in details {
            meaning.push('\n');
            meaning.push_str(detail.trim());
        }
        let runbook = alerts.iter().map(|alert| alert.annotation("runbook_url")).find(|link| !link.is_empty());
        Finding {
            meaning,
            remedies: vec![match runbook {
                Some(_) => Remedy::look("Go by its runbook."),
                None => Remedy::look("Look at what it names."),
            }],
            link: runbook.map(str::to_owned),
            since: alerts.iter().filter_map(|alert| alert.active_at).min(),
            expected,
            evidence: alerts
                .iter()
                .take(20)
                .map(|alert| evidence(format!("alert/{name}"), "labels", labels(alert), alert.active_at))
                .collect(),
            resources: resources_once,
            ..finding(ID, level, Subject::Object(resources[0].clone()), format!("Alert is firing: {summary}"))
        }
    }
}

/// The labels that tell one alert of a name from the others.
fn labels(alert: &Alert) -> String {
    let common = ["alertname", "prometheus", "endpoint", "job", "service", "container", "uid"];
    let labels = alert.labels.iter().filter(|(name, _)| !common.contains(&name.as_str()));
    labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

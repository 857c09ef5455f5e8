//! Which alerts speak against an update, whatever it goes to (oc: pkg/cli/admin/upgrade/recommend/alerts.go): not all
//! that fire, but those that say something of drains, image pulls, nodes, or of the platform being in trouble.

use super::Issue;
use crate::upgrade::alert::Alert;

/// Alerts about nodes that do not do as they are told.
const NODE: [&str; 4] = ["KubeletHealthState", "KubeNodeNotReady", "KubeNodeReadinessFlapping", "KubeNodeUnreachable"];
/// Alerts about virtual machines that will not move.
const VIRTUAL: [&str; 2] = ["VirtHandlerDaemonSetRolloutFailing", "VMCannotBeEvicted"];

/// Why an alert speaks against an update; none: it does not. Pending ones are left out; the first reason wins.
pub fn why(alert: &Alert) -> Option<&'static str> {
    if alert.state == "pending" {
        return None;
    }
    if alert.label("severity") == "critical" {
        Some("the cluster is in trouble that is worth looking into first")
    } else if alert.name == "PodDisruptionBudgetAtLimit" {
        Some("drains may be slow or blocked")
    } else if alert.name == "KubeContainerWaiting" {
        Some("images may not be pullable")
    } else if NODE.contains(&alert.name.as_str()) {
        Some("workload may not find a place while nodes update")
    } else if alert.label("openShiftUpdatePrecheck") == "true" {
        Some("it asks to be looked at before an update")
    } else if VIRTUAL.contains(&alert.name.as_str()) {
        Some("virtual machines may hold drains up")
    } else {
        None
    }
}

/// The issues of these alerts, one for each alert that speaks against an update.
pub fn issues(alerts: &[Alert]) -> Vec<Issue> {
    let issues = alerts.iter().filter_map(|alert| {
        let why = why(alert)?;
        Some(Issue {
            name: alert.name.clone(),
            reason: format!("Alert:{}", alert.state),
            message: message(alert, why),
            since: alert.active_at,
            url: Some(alert.annotation("runbook_url").to_owned()).filter(|url| !url.is_empty()),
        })
    });
    issues.collect()
}

/// Which budget, what it says, and why it matters here.
fn message(alert: &Alert, why: &str) -> String {
    let severity = match alert.label("severity") {
        "" => "an alert of no severity",
        severity => severity,
    };
    let mut text = format!("{severity}, {why}.");
    let (namespace, budget) = (alert.label("namespace"), alert.label("poddisruptionbudget"));
    if !budget.is_empty() {
        text.push_str(&format!(" PodDisruptionBudget {namespace}/{budget}."));
    }
    let told = [alert.annotation("summary"), alert.annotation("description"), alert.annotation("message")];
    for words in told.into_iter().filter(|words| !words.is_empty()) {
        text.push(' ');
        text.push_str(words.trim());
    }
    text
}

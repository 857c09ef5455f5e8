//! Monitoring: alerting rules over the state of the cluster, with the times that they wait.
//!
//! Rules: cluster-version-operator (install, service monitor), machine-config-operator (install, prometheus rules),
//! cluster-monitoring-operator and kubernetes-mixin: name, severity and `for` are theirs, the sentences are ours. An
//! alert is pending while its condition holds for less than `for`, fires afterwards, and is gone when the condition is.
//! What holds when the story begins has held for a long time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::seen::Key;
use super::world::{Actor, World};
use crate::sim::alert_board::Alert;
use crate::sim::cluster::object::{condition, condition_status, items, name, namespace, number, text};
use crate::sim::cluster::release;
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;

/// How often rules are evaluated.
const INTERVAL: Duration = Duration::from_secs(15);
/// For how long what holds at the start has held.
const LONG: TimeDelta = TimeDelta::hours(26);

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A condition that holds now.
struct Holding {
    alert: &'static str,
    severity: &'static str,
    wait: Duration,
    labels: Vec<(&'static str, String)>,
    text: String,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    at: DateTime<Utc>,
    fires_at: Duration,
}

/// Monitoring.
#[derive(Debug, Default)]
pub struct Alerts {
    due: Duration,
    active: BTreeMap<String, Since>,
    started: bool,
    /// Pods whose container waits to be started again.
    looping: BTreeSet<Key>,
}

impl Actor for Alerts {
    fn step(&mut self, world: &mut World) {
        self.watch_pods(world);
        if self.started && world.elapsed < self.due {
            return;
        }
        self.due = world.elapsed + INTERVAL;
        // Statuses that controllers write at once are there after their first steps.
        let settled = world.elapsed >= MINUTE / 2;
        let holding = rules(world, &self.looping);
        let mut active = BTreeMap::new();
        let mut alerts = Vec::with_capacity(holding.len());
        for it in holding {
            let key = format!("{} {:?}", it.alert, it.labels);
            let since = self.active.get(&key).copied().unwrap_or_else(|| {
                if settled {
                    Since { at: world.now, fires_at: world.elapsed + it.wait }
                } else {
                    Since { at: world.now - LONG, fires_at: world.elapsed }
                }
            });
            active.insert(key, since);
            alerts.push(alert(it, since, world.elapsed));
        }
        alerts.sort_by(|a, b| a.labels.cmp(&b.labels));
        self.active = active;
        self.started = true;
        world.alerts.set(alerts);
    }
}

impl Alerts {
    /// Only pods that changed are looked at: there are too many.
    fn watch_pods(&mut self, world: &World) {
        let pods = &world.seen.pods;
        for (key, _) in &pods.before {
            self.looping.remove(key);
        }
        for key in &pods.changed {
            let Some(pod) = pods.get(&key.0, &key.1).filter(|pod| !pod.view.ready) else { continue };
            let state = pod.object.pointer("/status/containerStatuses/0/state/waiting/reason").and_then(Value::as_str);
            if state == Some("CrashLoopBackOff") {
                self.looping.insert(key.clone());
            }
        }
    }
}

fn alert(it: Holding, since: Since, elapsed: Duration) -> Alert {
    let mut labels: BTreeMap<String, String> =
        it.labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    labels.insert("alertname".to_owned(), it.alert.to_owned());
    labels.insert("severity".to_owned(), it.severity.to_owned());
    labels.insert("prometheus".to_owned(), "openshift-monitoring/k8s".to_owned());
    labels.entry("namespace".to_owned()).or_insert_with(|| "openshift-monitoring".to_owned());
    let mut annotations = BTreeMap::new();
    let (summary, _) = it.text.split_once(". ").unwrap_or((&it.text, ""));
    annotations.insert("summary".to_owned(), format!("{}.", summary.trim_end_matches('.')));
    annotations.insert("description".to_owned(), it.text.clone());
    if let Some(folder) = runbook(it.alert) {
        let url = format!("https://github.com/openshift/runbooks/blob/master/alerts/{folder}/{}.md", it.alert);
        annotations.insert("runbook_url".to_owned(), url);
    }
    Alert { labels, annotations, fires: elapsed >= since.fires_at, active_at: since.at }
}

fn runbook(alert: &str) -> Option<&'static str> {
    Some(match alert {
        "ClusterOperatorDegraded"
        | "ClusterOperatorDown"
        | "KubeNodeNotReady"
        | "PodDisruptionBudgetAtLimit"
        | "PodDisruptionBudgetLimit" => "cluster-monitoring-operator",
        "etcdMembersDown" | "etcdInsufficientMembers" => "cluster-etcd-operator",
        "MCCDrainError" | "MCDRebootError" | "MCCPoolAlert" | "OCLBuildFailed" => "machine-config-operator",
        _ => return None,
    })
}

fn holding(alert: &'static str, severity: &'static str, wait: Duration, text: String) -> Holding {
    Holding { alert, severity, wait, labels: Vec::new(), text }
}

impl Holding {
    fn with(mut self, key: &'static str, value: &str) -> Self {
        self.labels.push((key, value.to_owned()));
        self
    }
}

fn rules(world: &World, looping: &BTreeSet<Key>) -> Vec<Holding> {
    let mut all = vec![holding(
        "Watchdog",
        "none",
        Duration::ZERO,
        "An alert that always fires, to show that alerting works. It is of no other use.".to_owned(),
    )];
    budgets(world, &mut all);
    nodes(world, &mut all);
    operators(world, &mut all);
    version(world, &mut all);
    machine_config(world, &mut all);
    requests(world, &mut all);
    crash_loops(looping, &mut all);
    all
}

fn budgets(world: &World, all: &mut Vec<Holding>) {
    for entry in world.seen.budgets.values() {
        let budget = &entry.object;
        let count = |field: &str| number(budget, &format!("/status/{field}"));
        let (healthy, desired) = (count("currentHealthy"), count("desiredHealthy"));
        if count("expectedPods") == 0 {
            continue;
        }
        let place = format!("{}/{}", namespace(budget), name(budget));
        let (alert, severity, wait, told) = match healthy.cmp(&desired) {
            std::cmp::Ordering::Equal => {
                ("PodDisruptionBudgetAtLimit", "warning", 60 * MINUTE, "allows no further disruption")
            }
            std::cmp::Ordering::Less => {
                ("PodDisruptionBudgetLimit", "critical", 15 * MINUTE, "has fewer healthy pods than it wants")
            }
            std::cmp::Ordering::Greater => continue,
        };
        let text = format!("The pod disruption budget {place} {told}. Its pods keep their nodes from being drained.");
        all.push(
            holding(alert, severity, wait, text)
                .with("namespace", namespace(budget))
                .with("poddisruptionbudget", name(budget)),
        );
    }
}

fn nodes(world: &World, all: &mut Vec<Holding>) {
    let mut away = 0;
    for entry in world.seen.nodes.values() {
        let node = entry.view.name.as_str();
        if entry.view.ready {
            continue;
        }
        away += 1;
        let text = format!("The node {node} is not ready. It has been so for more than 15 minutes.");
        let found = holding("KubeNodeNotReady", "warning", 15 * MINUTE, text);
        all.push(found.with("node", node).with("namespace", "kube-system"));
        if entry.view.readiness == "Unknown" {
            let text = format!("The node {node} cannot be reached. Its workloads may have moved elsewhere.");
            let found = holding("KubeNodeUnreachable", "warning", 15 * MINUTE, text);
            all.push(found.with("node", node).with("namespace", "kube-system"));
        }
        if world.seen.pool_of(node) == Some("master") {
            let text = "The etcd cluster has members that are down. Quorum is at risk.".to_owned();
            all.push(holding("etcdMembersDown", "critical", 20 * MINUTE, text).with("namespace", "openshift-etcd"));
        }
    }
    let total = world.seen.nodes.len();
    // More than a tenth of the kubelets do not answer: usual noise while nodes reboot.
    if away * 10 > total {
        let percent = away * 100 / total.max(1);
        let text =
            format!("{percent}% of the kubelet/kubelet targets in kube-system are down. Their metrics are missing.");
        let found = holding("TargetDown", "warning", 15 * MINUTE, text);
        all.push(found.with("namespace", "kube-system").with("job", "kubelet").with("service", "kubelet"));
    }
    for (key, set) in world.seen.daemon_sets.iter() {
        if key.0.starts_with("openshift-") && number(&set.object, "/status/numberUnavailable") > 0 {
            let text = format!("The DaemonSet {}/{} has pods that are not available.", key.0, key.1);
            let found = holding("KubeDaemonSetRolloutStuck", "warning", 30 * MINUTE, text);
            all.push(found.with("namespace", &key.0).with("daemonset", &key.1));
        }
    }
}

fn operators(world: &World, all: &mut Vec<Holding>) {
    for operator in world.store.list(Res::CLUSTER_OPERATORS) {
        let own = name(&operator).to_owned();
        let reason = |kind: &str| condition(&operator, kind).map_or("", |it| text(it, "/reason")).to_owned();
        if condition_status(&operator, "Available") == "False" {
            let text = format!("The cluster operator {own} has been unavailable for 10 minutes. See its conditions.");
            let found = holding("ClusterOperatorDown", "critical", 10 * MINUTE, text);
            all.push(found.with("name", &own).with("reason", &reason("Available")).with("namespace", CVO));
        }
        if condition_status(&operator, "Degraded") == "True" {
            let text = format!("The cluster operator {own} has been degraded for 30 minutes. See its conditions.");
            let found = holding("ClusterOperatorDegraded", "warning", 30 * MINUTE, text);
            all.push(found.with("name", &own).with("reason", &reason("Degraded")).with("namespace", CVO));
        }
    }
}

const CVO: &str = "openshift-cluster-version";

fn version(world: &World, all: &mut Vec<Holding>) {
    let Some(cluster) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
    let reason = |kind: &str| condition(&cluster, kind).map_or("", |it| text(it, "/reason")).to_owned();
    if world.seen.leader(CVO, "cluster-version-operator").is_none() {
        let text = "The cluster version operator is not running. The cluster will not be updated or kept as it \
                    should be.";
        all.push(
            holding("ClusterVersionOperatorDown", "critical", 10 * MINUTE, text.to_owned()).with("namespace", CVO),
        );
        // What it would measure is missing.
        return;
    }
    if condition_status(&cluster, "Failing") == "True" {
        let text = "The cluster version operator has been failing for 30 minutes. See the condition Failing.";
        let found = holding("ClusterOperatorDegraded", "warning", 30 * MINUTE, text.to_owned());
        all.push(found.with("name", "version").with("reason", &reason("Failing")).with("namespace", CVO));
    }
    if matches!(condition_status(&cluster, "ReleaseAccepted"), "False" | "Unknown") {
        let text = "The desired release has not been accepted for an hour. See the condition ReleaseAccepted.";
        let found = holding("ClusterReleaseNotAccepted", "warning", HOUR, text.to_owned());
        all.push(found.with("reason", &reason("ReleaseAccepted")).with("namespace", CVO));
    }
    if condition_status(&cluster, "RetrievedUpdates") == "False" && reason("RetrievedUpdates") != "NoChannel" {
        let text = "The cluster has not retrieved updates for an hour. See the condition RetrievedUpdates.";
        let found = holding("CannotRetrieveUpdates", "warning", HOUR, text.to_owned());
        all.push(found.with("reason", &reason("RetrievedUpdates")).with("namespace", CVO));
    }
    if condition_status(&cluster, "Upgradeable") == "False" {
        let text = "Something keeps the cluster from minor updates for an hour. See the condition Upgradeable.";
        let found = holding("ClusterNotUpgradeable", "info", HOUR, text.to_owned());
        all.push(found.with("condition", "Upgradeable").with("namespace", CVO));
    }
    if !items(&cluster, "/status/availableUpdates").is_empty() {
        let told = format!(
            "The update channel {} offers updates. An administrator may start one.",
            text(&cluster, "/spec/channel")
        );
        all.push(holding("UpdateAvailable", "info", Duration::ZERO, told).with("namespace", CVO));
    }
}

fn machine_config(world: &World, all: &mut Vec<Holding>) {
    const MCO: &str = super::node_controller::NAMESPACE;
    for node in &world.drain_errors {
        let text =
            format!("The drain of {node} has failed for more than an hour. The update of its pool waits for it.");
        let found = holding("MCCDrainError", "warning", Duration::ZERO, text);
        all.push(found.with("node", node).with("namespace", MCO));
    }
    for entry in world.seen.nodes.values() {
        let node = entry.view.name.as_str();
        if world.mishaps.is_on(MishapKind::RebootFailed, node) {
            let text = format!("The reboot of {node} failed. The update of the node is blocked.");
            let found = holding("MCDRebootError", "critical", 5 * MINUTE, text);
            all.push(found.with("node", node).with("namespace", MCO));
        }
        if world.seen.pool_of(node) != Some("master") {
            continue;
        }
        let labels = &entry.object["metadata"]["labels"];
        let roles = labels.as_object().into_iter().flatten().filter_map(|(key, _)| {
            key.strip_prefix("node-role.kubernetes.io/").filter(|role| world.seen.pools.get("", role).is_some())
        });
        let custom: Vec<&str> = roles.filter(|role| !matches!(*role, "master" | "worker")).collect();
        if !custom.is_empty() {
            let text =
                format!("The control plane node {node} is in a custom pool too. That pool does not apply to it.");
            let found = holding("MCCPoolAlert", "warning", Duration::ZERO, text);
            all.push(found.with("node", node).with("namespace", MCO));
        }
    }
    for build in world.store.list(Res::MACHINE_OS_BUILDS) {
        if condition_status(&build, "Failed") == "True" {
            let text =
                format!("The build {} of an operating system image failed. Its pool stays as it is.", name(&build));
            all.push(holding("OCLBuildFailed", "warning", MINUTE, text).with("namespace", MCO));
        }
    }
}

fn requests(world: &World, all: &mut Vec<Holding>) {
    let Some(cluster) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
    let minor = release::kubernetes_minor(release::minor(text(&cluster, "/status/desired/version")));
    for api in world.store.list(Res::API_REQUEST_COUNTS) {
        let removed = text(&api, "/status/removedInRelease");
        if removed != format!("1.{}", minor + 1) || number(&api, "/status/requestCount") == 0 {
            continue;
        }
        let mut parts = name(&api).splitn(3, '.');
        let (resource, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let group = parts.next().unwrap_or_default();
        let text = format!(
            "An API that the next release removes is in use: {}. Its clients will fail after the update.",
            name(&api)
        );
        let found = holding("APIRemovedInNextReleaseInUse", "info", HOUR, text);
        all.push(found.with("resource", resource).with("version", version).with("group", group));
    }
}

fn crash_loops(looping: &BTreeSet<Key>, all: &mut Vec<Holding>) {
    for (namespace, pod) in looping {
        let text = format!("The pod {namespace}/{pod} is restarting again and again. See its log.");
        let found = holding("KubePodCrashLooping", "warning", 15 * MINUTE, text);
        all.push(found.with("namespace", namespace).with("pod", pod));
    }
}

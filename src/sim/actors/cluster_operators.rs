//! The cluster operators, all but machine-config: they update when their Deployment is of a new release, and tell how
//! they are.
//!
//! Rules: api, config/v1/types_cluster_operator.go (what the conditions mean), library-go, staticpod controllers, and
//! the network, dns and node tuning operators for what a DaemonSet's nodes do to Progressing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::cloud_credentials;
use super::lifecycle_manager;
use super::proxy_controller;
use super::version_operator::payload::reported;
use super::world::{Actor, Speaker, World};
use crate::sim::cluster::object::{Condition, condition, number, set_condition, text};
use crate::sim::cluster::operators::{OPERATORS, Operator, Style, calm, nodes_are, versions};
use crate::sim::cluster::platform::RELEASE_VERSION;
use crate::sim::cluster::workloads::{env, run};
use crate::sim::kinds::Res;
use crate::sim::scenario::{Group, Mishap, MishapKind, Trouble};
use crate::sim::store::timestamp;

/// How long a control plane node may be not Ready before the static pod operators call themselves degraded
/// (library-go, degraded inertia).
const INERTIA: Duration = Duration::from_secs(120);
/// A flapping operator changes its mind every so many seconds, for so many.
const FLAP: (u64, u64) = (120, 20);
/// How much the length of an operator's rollout varies.
const SPREAD: f64 = 0.1;
/// The pause between two restarts of a crash-looping container.
const CRASH_PAUSE: Duration = Duration::from_secs(60);

/// An operator's way to a new release.
#[derive(Debug, Clone)]
struct Rollout {
    target: String,
    since: Duration,
    until: Duration,
}

/// An operator's time of trouble.
#[derive(Debug, Clone)]
struct Ordeal {
    /// The pod that crash-loops: namespace, name and uid.
    pod: Option<(String, String, String)>,
    crash_due: Duration,
}

/// What an operator says about itself; an absent part is as in calm times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Statement {
    progressing: Option<(String, String)>,
    degraded: Option<(String, String)>,
    unavailable: Option<(String, String)>,
    not_upgradeable: Option<(String, String)>,
}

/// The operators.
#[derive(Debug, Default)]
pub struct ClusterOperators {
    rollouts: BTreeMap<&'static str, Rollout>,
    troubles: BTreeMap<(&'static str, bool), Ordeal>,
    /// Troubles that are over, with the release that they disturbed.
    over: BTreeMap<(&'static str, bool), String>,
    masters_down: BTreeMap<String, Duration>,
    said: BTreeMap<&'static str, (String, Statement)>,
    /// Operators to which something happens: they are looked at until it is over, and once more.
    afflicted: BTreeSet<&'static str>,
    /// Whether credentials hold minor updates: reason and message; not looked at yet.
    #[expect(clippy::option_option, reason = "not looked at yet, and not held, are two things")]
    credentials: Option<Option<(String, String)>>,
    /// Why the proxy is not taken over: reason and message.
    proxy: Option<(String, String)>,
    /// When that is looked at again, once something about it has changed.
    credentials_due: Option<Duration>,
    /// When the backup of etcd that was asked for is made.
    backup: Option<Duration>,
}

impl Actor for ClusterOperators {
    fn step(&mut self, world: &mut World) {
        self.watch_masters(world);
        self.watch_credentials(world);
        self.watch_proxy(world);
        back_up(world, &mut self.backup);
        for operator in OPERATORS.iter().filter(|operator| operator.style != Style::MachineConfig) {
            if self.is_due(world, operator) {
                self.run(world, operator);
            }
        }
    }
}

impl ClusterOperators {
    fn watch_masters(&mut self, world: &World) {
        let changed: Vec<&str> = world
            .seen
            .nodes
            .altered
            .iter()
            .map(|(_, node)| node.as_str())
            .filter(|node| world.seen.pool_of(node) == Some("master"))
            .collect();
        for node in changed {
            match world.seen.node(node) {
                Some(entry) if !entry.view.ready => {
                    self.masters_down.entry(node.to_owned()).or_insert(world.elapsed);
                }
                _ => {
                    self.masters_down.remove(node);
                }
            }
        }
    }

    /// What the cloud credential operator finds, some minutes after it has come to be (its status controller syncs every
    /// five minutes at the latest).
    fn watch_credentials(&mut self, world: &World) {
        let found = cloud_credentials::hold(world);
        let Some(known) = &self.credentials else {
            self.credentials = Some(found);
            return;
        };
        if *known == found {
            self.credentials_due = None;
            return;
        }
        let wait = world.between("credentials", (60, 180));
        let due = *self.credentials_due.get_or_insert(world.elapsed + wait);
        if world.elapsed >= due {
            self.credentials = Some(found);
            self.credentials_due = None;
            self.said.remove("cloud-credential");
        }
    }

    /// What the network operator finds of the proxy, at once.
    fn watch_proxy(&mut self, world: &World) {
        let found = proxy_controller::trouble(world);
        if self.proxy != found {
            self.proxy = found;
            self.said.remove("network");
        }
    }

    /// Whether there is anything to look at: a new release, a rollout, nodes that went or came.
    fn is_due(&self, world: &World, operator: &Operator) -> bool {
        let deployments = &world.seen.deployments;
        let disturbed = match operator.style {
            Style::DaemonSet(namespace, name) => {
                world.seen.daemon_sets.changed.contains(&(namespace.to_owned(), name.to_owned()))
            }
            Style::StaticPods => !self.masters_down.is_empty() || !world.seen.nodes.altered.is_empty(),
            Style::Deployment | Style::MachineConfig => false,
        };
        disturbed
            || settling(world, operator).is_some()
            || self.afflicted.contains(operator.name)
            || world.mishaps.touches(operator.name)
            || self.rollouts.contains_key(operator.name)
            || !self.said.contains_key(operator.name)
            || deployments.changed.contains(&(operator.namespace.to_owned(), operator.deployment.to_owned()))
    }

    fn run(&mut self, world: &World, operator: &'static Operator) {
        let Some(object) = world.store.get(Res::CLUSTER_OPERATORS, None, operator.name) else { return };
        let deployment = world.store.get(Res::DEPLOYMENTS, Some(operator.namespace), operator.deployment);
        let target = deployment.as_ref().map_or("", |deployment| env(deployment, RELEASE_VERSION)).to_owned();
        let current = reported(&object).to_owned();
        let mut statement = Statement::default();
        let settling = settling(world, operator);
        if world.mishaps.touches(operator.name) || settling.is_some() {
            self.afflicted.insert(operator.name);
        } else {
            self.afflicted.remove(operator.name);
        }
        suffer(world, operator, &mut statement);
        if operator.name == "cloud-credential" && statement.not_upgradeable.is_none() {
            statement.not_upgradeable = self.credentials.clone().flatten();
        }
        if operator.name == "config-operator" && statement.not_upgradeable.is_none() {
            statement.not_upgradeable = unsupported_features(world);
        }
        if operator.name == "network" && statement.degraded.is_none() {
            statement.degraded = self.proxy.clone();
        }
        let masters = world.scenario.size("master");
        if !target.is_empty() && target != current {
            let rollout = self.rollout(world, operator, &target);
            for unavailable in [false, true] {
                self.trouble(world, operator, &rollout, unavailable, &mut statement);
            }
            let uninstalled = operator.name == "operator-lifecycle-manager-packageserver"
                && !lifecycle_manager::is_package_server_up(world);
            let slow = uninstalled || world.strikes(MishapKind::OperatorSlow, operator.name).is_some();
            let troubled = slow || statement.degraded.is_some() || statement.unavailable.is_some();
            if troubled {
                // What is left after the trouble.
                let rest = world.elapsed + Duration::from_secs(25);
                let until = rollout.until.max(rest);
                self.rollouts.insert(operator.name, Rollout { until, ..rollout.clone() });
            }
            statement.progressing = Some(working(operator, &rollout, world.elapsed, masters));
            if !troubled && world.elapsed >= rollout.until {
                self.rollouts.remove(operator.name);
                self.say(world, operator, &target, &Statement { progressing: None, ..statement });
                return;
            }
        } else {
            self.rollouts.remove(operator.name);
            statement.progressing = settling.or_else(|| nodes_away(world, operator));
        }
        if statement.degraded.is_none() {
            statement.degraded = self.master_down(world, operator);
        }
        self.say(world, operator, &current, &statement);
    }

    fn rollout(&mut self, world: &World, operator: &'static Operator, target: &str) -> Rollout {
        let known = self.rollouts.get(operator.name).filter(|rollout| rollout.target == target).cloned();
        known.unwrap_or_else(|| {
            let slower = world.scenario.operators.get(operator.name).and_then(|story| story.slower).unwrap_or(1.0);
            let (least, most) = operator.seconds;
            let median = (least + most) as f64 / 2.0;
            let length = world.lasts(Group::Operators, &format!("operator {} {target}", operator.name), median, SPREAD);
            let rollout = Rollout {
                target: target.to_owned(),
                since: world.elapsed,
                until: world.elapsed + length.mul_f64(slower.max(0.0)),
            };
            self.rollouts.insert(operator.name, rollout.clone());
            rollout
        })
    }

    /// The scenario's trouble: begins some time into the rollout, ends by itself or when its pod is deleted.
    fn trouble(
        &mut self,
        world: &World,
        operator: &'static Operator,
        rollout: &Rollout,
        unavailable: bool,
        statement: &mut Statement,
    ) {
        let Some(story) = world.scenario.operators.get(operator.name) else { return };
        let Some(trouble) = (if unavailable { &story.unavailable } else { &story.degraded }) else { return };
        let key = (operator.name, unavailable);
        let begins = rollout.since + trouble.after.0;
        if world.elapsed < begins || self.over.get(&key) == Some(&rollout.target) {
            return;
        }
        let state = self
            .troubles
            .entry(key)
            .or_insert_with(|| Ordeal { pod: find_pod(world, trouble), crash_due: world.elapsed });
        let timed_out = trouble.lasts.is_some_and(|lasts| world.elapsed >= begins + lasts.0);
        let deleted = state.pod.as_ref().is_some_and(|(namespace, name, uid)| {
            world.store.get(Res::PODS, Some(namespace), name).is_none_or(|pod| {
                text(&pod, "/metadata/uid") != uid || !text(&pod, "/metadata/deletionTimestamp").is_empty()
            })
        });
        if timed_out || deleted {
            if let (Some((namespace, name, _)), false) = (&state.pod, deleted) {
                world.store.update(Res::PODS, Some(namespace), name, |pod| run(pod, world.now));
            }
            self.troubles.remove(&key);
            self.over.insert(key, rollout.target.clone());
            return;
        }
        if let Some((namespace, name, _)) = &state.pod
            && world.elapsed >= state.crash_due
        {
            state.crash_due = world.elapsed + CRASH_PAUSE;
            let text = format!("error running {}: {}", operator.name, trouble.message);
            world.log(Speaker::Pod(namespace, name), 'F', "main.go", &text);
            world.store.update(Res::PODS, Some(namespace), name, |pod| crash(pod, world.now));
        }
        let text = Some((trouble.reason.clone(), trouble.message.clone()));
        if unavailable {
            statement.unavailable = text;
        } else {
            statement.degraded = text;
        }
    }

    /// Static pod operators notice a control plane node that stays away.
    fn master_down(&self, world: &World, operator: &Operator) -> Option<(String, String)> {
        if operator.style != Style::StaticPods {
            return None;
        }
        let (node, _) = self.masters_down.iter().find(|(_, since)| world.elapsed >= **since + INERTIA)?;
        let object = &world.seen.node(node)?.object;
        let ready = condition(object, "Ready")?;
        let message = format!(
            "NodeControllerDegraded: The master nodes not ready: node {node:?} not ready since {} because {} ({})",
            text(ready, "/lastTransitionTime"),
            text(ready, "/reason"),
            text(ready, "/message")
        );
        Some(("NodeController_MasterNodesReady".to_owned(), message))
    }

    /// Writes what changed; nothing when the operator said the same before.
    fn say(&mut self, world: &World, operator: &'static Operator, version: &str, statement: &Statement) {
        let saying = (version.to_owned(), statement.clone());
        if self.said.get(operator.name) == Some(&saying) {
            return;
        }
        let calm = calm(operator, version, world.scenario.size("master"));
        let well = |kind: &str| {
            let (reason, message) = &calm[kind];
            ((*reason).to_owned(), message.clone())
        };
        world.store.update(Res::CLUSTER_OPERATORS, None, operator.name, |object| {
            object["status"]["versions"] = versions(operator, version);
            let parts = [
                ("Progressing", true, statement.progressing.as_ref()),
                ("Degraded", true, statement.degraded.as_ref()),
                ("Available", false, statement.unavailable.as_ref()),
                ("Upgradeable", false, statement.not_upgradeable.as_ref()),
            ];
            for (kind, when_told, told) in parts {
                let yes = told.is_some() == when_told;
                let (reason, message) = told.cloned().unwrap_or_else(|| well(kind));
                let status = crate::sim::cluster::object::status(yes);
                set_condition(object, &Condition::new(kind, status, &reason, &message), world.now);
            }
        });
        self.said.insert(operator.name, saying);
        for (kind, told) in [("Degraded=True", &statement.degraded), ("Available=False", &statement.unavailable)]
            .into_iter()
            .chain([("Progressing=True", &statement.progressing), ("Upgradeable=False", &statement.not_upgradeable)])
        {
            if let Some((reason, message)) = told {
                let speaker = Speaker::Leader(operator.namespace, operator.deployment);
                let text = format!("clusteroperator/{} {kind} {reason}: {message}", operator.name);
                let severity = if kind == "Progressing=True" { 'I' } else { 'E' };
                world.log(speaker, severity, "status_controller.go", &text);
            }
        }
    }
}

/// Up to 4.14 the etcd operator makes a backup when a minor update waits for one (cluster-etcd-operator,
/// pkg/operator/upgradebackupcontroller).
fn back_up(world: &World, due: &mut Option<Duration>) {
    let Some(cluster) = world.store.get(Res::CLUSTER_VERSIONS, None, "version") else { return };
    let accepted = condition(&cluster, "ReleaseAccepted");
    let asked = accepted.is_some_and(|it| it["status"] == "False" && text(it, "/message").contains("RecentBackup"));
    if !asked {
        *due = None;
        return;
    }
    let say = |status: &str, reason: &str, message: &str| {
        world.store.update(Res::CLUSTER_OPERATORS, None, "etcd", |operator| {
            set_condition(operator, &Condition::new("RecentBackup", status, reason, message), world.now);
        });
    };
    match *due {
        None => {
            *due = Some(world.elapsed + world.between("etcd backup", (40, 80)));
            say("Unknown", "UpgradeBackupInProgress", "Backup pod phase: \"Running\"");
        }
        Some(until) if world.elapsed >= until => {
            say("True", "UpgradeBackupSuccessful", "UpgradeBackup was successful");
        }
        Some(_) => {}
    }
}

/// After a reboot into another stateroot operators find that what they manage is not quite as they want it, some for
/// longer than others.
fn settling(world: &World, operator: &Operator) -> Option<(String, String)> {
    if world.elapsed >= world.settles {
        return None;
    }
    let (since, purpose) = (world.disk.booted_at, format!("settle {} {}", operator.name, world.disk.boots));
    let share = 0.2 + 0.8 * (world.dice.roll(&purpose) % 1_000) as f64 / 1_000.0;
    let until = since + world.settles.saturating_sub(since).mul_f64(share);
    let message = format!("{}: waiting for the operand to become available after a restart", operator.name);
    (world.elapsed < until).then(|| ("RollingOut".to_owned(), message))
}

/// A feature set that is not the default one holds up minor updates for good (cluster-config-operator,
/// pkg/operator/featureupgradablecontroller).
fn unsupported_features(world: &World) -> Option<(String, String)> {
    let gates = world.store.get(Res::FEATURE_GATES, None, "cluster")?;
    let set = text(&gates, "/spec/featureSet");
    (!set.is_empty()).then(|| {
        (
            format!("FeatureGates_RestrictedFeatureGates_{set}"),
            format!("FeatureGatesUpgradeable: \"{set}\" does not allow updates"),
        )
    })
}

/// What mishaps make an operator say.
fn suffer(world: &World, operator: &Operator, statement: &mut Statement) {
    let name = operator.name;
    let told = |mishap: &Mishap, reason: &str, message: String| {
        Some((mishap.reason.clone().unwrap_or(reason.to_owned()), mishap.message.clone().unwrap_or(message)))
    };
    if let Some(mishap) = world.strikes(MishapKind::OperatorDegraded, name) {
        let message = format!("SyncDegraded: the operand of {name} could not be brought to its desired state");
        statement.degraded = told(&mishap, "SyncError", message);
    }
    if let Some(mishap) = world.strikes(MishapKind::OperatorUnavailable, name) {
        let message = format!("{name}: no replicas are available");
        statement.unavailable = told(&mishap, "NoReplicasAvailable", message);
    }
    if let Some(mishap) = world.strikes(MishapKind::OperatorNotUpgradeable, name) {
        let message = format!("{name} has a configuration that the next minor release does not support");
        statement.not_upgradeable = told(&mishap, "UnsupportedConfiguration", message);
    }
    if let Some(mishap) = world.strikes(MishapKind::OperatorFlapping, name)
        && world.elapsed.as_secs() % FLAP.0 < FLAP.1
    {
        statement.degraded = told(&mishap, "SyncError", format!("{name}: the connection to its operand was lost"));
    }
    if name == "etcd" {
        let masters = world.scenario.hosts("master");
        let sick = masters.iter().find(|node| world.mishaps.is_on(MishapKind::EtcdMemberUnhealthy, node));
        if let Some(node) = sick {
            let total = masters.len();
            let message =
                format!("EtcdMembersDegraded: {} of {total} members are available, {node} is unhealthy", total - 1);
            statement.degraded = Some(("EtcdMembers_UnhealthyMembers".to_owned(), message));
        }
    }
}

/// The pod whose deletion ends a trouble.
fn find_pod(world: &World, trouble: &Trouble) -> Option<(String, String, String)> {
    let (namespace, prefix) = trouble.ends_when_deleted.as_deref()?.split_once('/')?;
    world.seen.pods.in_namespace(namespace).find(|pod| text(&pod.object, "/metadata/name").starts_with(prefix)).map(
        |pod| {
            let field = |pointer| text(&pod.object, pointer).to_owned();
            (namespace.to_owned(), field("/metadata/name"), field("/metadata/uid"))
        },
    )
}

/// One more crash of a pod's container.
pub fn crash(pod: &mut Value, now: DateTime<Utc>) {
    let status = &mut pod["status"]["containerStatuses"][0];
    let restarts = status["restartCount"].as_u64().unwrap_or_default() + 1;
    status["restartCount"] = json!(restarts);
    status["ready"] = json!(false);
    status["started"] = json!(false);
    let started = status["state"]["running"]["startedAt"].clone();
    let started = if started.is_null() { json!(timestamp(now)) } else { started };
    status["lastState"] =
        json!({"terminated": {"exitCode": 1, "startedAt": started, "finishedAt": timestamp(now), "reason": "Error"}});
    let message = "back-off 1m20s restarting failed container";
    status["state"] = json!({"waiting": {"message": message, "reason": "CrashLoopBackOff"}});
    for kind in ["Ready", "ContainersReady"] {
        set_condition(pod, &Condition::new(kind, "False", "ContainersNotReady", ""), now);
    }
}

/// Reason and message of Progressing while an operator rolls out.
fn working(operator: &Operator, rollout: &Rollout, elapsed: Duration, masters: usize) -> (String, String) {
    let target = &rollout.target;
    let length = rollout.until.saturating_sub(rollout.since).as_secs_f64().max(1.0);
    let share = elapsed.saturating_sub(rollout.since).as_secs_f64() / length;
    match operator.style {
        Style::StaticPods => {
            let done = (share * masters as f64).floor().clamp(0.0, masters as f64 - 1.0) as u32;
            let revision = 7 + crate::sim::cluster::object::hash(&format!("{} {target}", operator.name)) % 12;
            let old = format!("{} at revision {}", nodes_are(masters - done as usize), revision - 1);
            let message = match done {
                0 => format!(
                    "NodeInstallerProgressing: {old}; 0 nodes have achieved new revision \
                     {revision}"
                ),
                done => {
                    format!("NodeInstallerProgressing: {old}; {} at revision {revision}", nodes_are(done as usize))
                }
            };
            ("NodeInstaller".to_owned(), message)
        }
        Style::DaemonSet(namespace, name) => {
            let message = format!(
                "DaemonSet \"/{namespace}/{name}\" update is rolling out ({:.0}% updated)",
                (share * 4.0).floor().min(3.0) * 25.0
            );
            ("Deploying".to_owned(), message)
        }
        _ if operator.name == "monitoring" => ("RollOutInProgress".to_owned(), "Rolling out the stack.".to_owned()),
        _ => {
            let message =
                format!("deployment/{}.{}: {target} is being rolled out", operator.deployment, operator.namespace);
            ("SyncLoopRefreshProgressing".to_owned(), message)
        }
    }
}

/// DaemonSet operators are Progressing while nodes of theirs are away.
fn nodes_away(world: &World, operator: &Operator) -> Option<(String, String)> {
    let Style::DaemonSet(namespace, name) = operator.style else { return None };
    let set = world.seen.daemon_sets.get(namespace, name)?;
    let wanted = number(&set.object, "/status/desiredNumberScheduled");
    let away = number(&set.object, "/status/numberUnavailable");
    if away == 0 {
        return None;
    }
    let text = match operator.name {
        "dns" => (
            "DNSReportsProgressingIsTrue",
            format!(
                "DNS \"default\" reports Progressing=True: \"Have {} available DNS pods, want {wanted}.\"",
                wanted - away
            ),
        ),
        "node-tuning" => ("ProfileProgressing", format!("Waiting for {away}/{wanted} Profiles to be applied")),
        _ => ("Deploying", format!("DaemonSet \"/{namespace}/{name}\" is not available (awaiting {away} nodes)")),
    };
    Some((text.0.to_owned(), text.1))
}

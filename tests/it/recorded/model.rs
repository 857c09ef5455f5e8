//! A small model of what `oc adm upgrade status` says, written from its rules alone, and our answer beside it over many
//! variations of a dump: annotations, conditions, pools, histories, alerts.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::snapshot;
use serde_json::{Map, Value, json};

use super::told::{Insight, Node, Pool, Told};

/// The release that is rolled out, and the one before.
pub const NEW: &str = "4.19.3";
const OLD: &str = "4.18.22";
const MCO: &str = "machineconfiguration.openshift.io/";
/// The moment of all variations.
pub const NOW: &str = "2026-03-01T12:00:00Z";

/// The time so many minutes before now.
pub fn ago(minutes: i64) -> String {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    (now - TimeDelta::minutes(minutes)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn seconds_since(time: &Value) -> Option<i64> {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    Some((now - time.as_str()?.parse::<DateTime<Utc>>().ok()?).num_seconds())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of a cluster, by what `oc` reads.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub version: Value,
    pub operators: Vec<Value>,
    pub pools: Vec<Value>,
    pub nodes: Vec<Value>,
    pub configs: Vec<Value>,
    pub alerts: Vec<Value>,
    pub deployment: Option<Value>,
}

impl Cluster {
    /// A cluster of ours that began to update an hour ago; nothing has moved yet.
    pub fn updating() -> Self {
        let read = snapshot::read([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cluster")]);
        let mut items: Vec<Value> = Vec::new();
        for object in &read.objects {
            match object["items"].as_array() {
                Some(list) => items.extend(list.iter().cloned()),
                None => items.push(object.clone()),
            }
        }
        let of = |kind: &str| items.iter().filter(|item| item["kind"] == kind).cloned().collect::<Vec<_>>();
        let mut version = of("ClusterVersion").remove(0);
        let status = &mut version["status"];
        status["desired"] = json!({"version": NEW, "image": "registry/release@sha256:new"});
        let entry =
            json!({"state": "Partial", "version": NEW, "image": "registry/release@sha256:new", "startedTime": ago(60)});
        status["history"].as_array_mut().unwrap().insert(0, entry);
        let mut pools = of("MachineConfigPool");
        for pool in &mut pools {
            pool["spec"]["configuration"]["name"] = json!(format!("rendered-{}-new", text(pool, "/metadata/name")));
        }
        let mut cluster = Self {
            version,
            operators: of("ClusterOperator"),
            pools,
            nodes: of("Node"),
            configs: of("MachineConfig"),
            alerts: Vec::new(),
            deployment: None,
        };
        set(&mut cluster.version, "Progressing", "True", 60);
        cluster
    }

    /// Our answer.
    pub fn ours(&self) -> Value {
        let mut all = vec![self.version.clone()];
        for part in [&self.operators, &self.pools, &self.nodes, &self.configs] {
            all.extend(part.iter().cloned());
        }
        all.extend(self.deployment.clone());
        all.push(json!({"status": "success", "data": {"alerts": self.alerts}}));
        let now = NOW.parse().unwrap();
        let facts = oc_cockpit::upgrade::assemble::from_values(&all, now);
        super::json_of(&oc_cockpit::upgrade::assess::assess(
            facts.into(),
            &oc_cockpit::upgrade::memory::Memory::default(),
            now,
        ))
    }

    /// What `oc` says, by the model; and whether nodes that only another operator updates are all that is left.
    pub fn told(&self) -> (Told, bool) {
        let oc = Model { cluster: self };
        let progressing = status(&self.version, "Progressing") == Some("True");
        let outdated: Vec<&Value> = self
            .nodes
            .iter()
            .filter(|node| !matches!(oc.pool(node), None | Some("master")) && !oc.updated(node))
            .collect();
        let mut told = oc.head();
        told.updating = progressing || !outdated.is_empty();
        oc.rows(&mut told);
        oc.insights(&mut told);
        let alone = !progressing && outdated.iter().all(|node| !oc.managed(node));
        (told, alone)
    }
}

/// Sets a condition, so many minutes ago.
pub fn set(object: &mut Value, kind: &str, status: &str, minutes: i64) {
    let conditions = object["status"]["conditions"].as_array_mut().unwrap();
    conditions.retain(|condition| condition["type"] != kind);
    let reason = format!("{kind}{status}");
    conditions.push(json!({"type": kind, "status": status, "reason": reason, "message": "words", "lastTransitionTime": ago(minutes)}));
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn status<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    condition(object, kind)?["status"].as_str()
}

fn mark<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node["metadata"]["annotations"].get(format!("{MCO}{key}"))?.as_str()
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

struct Model<'a> {
    cluster: &'a Cluster,
}

impl<'a> Model<'a> {
    fn history(&self) -> &'a [Value] {
        self.cluster.version["status"]["history"].as_array().map_or(&[], Vec::as_slice)
    }

    fn selects(pool: &Value, node: &Value) -> bool {
        let Some(selector) = pool["spec"].get("nodeSelector").filter(|selector| !selector.is_null()) else {
            return false;
        };
        let none = Map::new();
        let wanted = selector.get("matchLabels").and_then(Value::as_object).unwrap_or(&none);
        wanted.iter().all(|(key, value)| node["metadata"]["labels"].get(key) == Some(value))
    }

    fn pool(&self, node: &Value) -> Option<&'a str> {
        let of = |wanted: &dyn Fn(&str) -> bool| {
            let mut names: Vec<&str> = self
                .cluster
                .pools
                .iter()
                .filter(|pool| Self::selects(pool, node))
                .map(name)
                .filter(|name| wanted(name))
                .collect();
            names.sort_unstable();
            names.first().copied()
        };
        of(&|name| name == "master").or_else(|| of(&|name| name != "worker")).or_else(|| of(&|name| name == "worker"))
    }

    /// Does the machine-config operator update it (which `oc` does not ask)?
    fn managed(&self, node: &Value) -> bool {
        let custom = self.cluster.pools.iter().filter(|pool| {
            !matches!(name(pool), "master" | "worker" | "arbiter")
                && pool["spec"]["nodeSelector"] != json!({})
                && Self::selects(pool, node)
        });
        let some = self
            .cluster
            .pools
            .iter()
            .any(|pool| pool["spec"]["nodeSelector"] != json!({}) && Self::selects(pool, node));
        some && custom.count() < 2 && node["metadata"]["labels"]["kubernetes.io/os"] != "windows"
    }

    fn target_config(&self, node: &Value) -> &'a str {
        let pool = self.pool(node).and_then(|wanted| self.cluster.pools.iter().find(|pool| name(pool) == wanted));
        pool.map_or("", |pool| text(pool, "/spec/configuration/name"))
    }

    fn release(&self, config: Option<&str>) -> Option<&'a str> {
        let config = self.cluster.configs.iter().find(|candidate| Some(name(candidate)) == config)?;
        config["metadata"]["annotations"].get(format!("{MCO}release-image-version"))?.as_str().filter(|v| !v.is_empty())
    }

    fn multi_arch(&self) -> bool {
        let history = self.history();
        history.len() > 1
            && history[0]["version"] == history[1]["version"]
            && history[0]["image"] != history[1]["image"]
    }

    fn updated(&self, node: &Value) -> bool {
        let (current, desired) = (mark(node, "currentConfig"), mark(node, "desiredConfig"));
        let there = self.release(current).is_some_and(|release| self.history()[0]["version"] == release);
        let migrates = self.multi_arch() && status(&self.cluster.version, "Progressing") == Some("True");
        there && (!migrates || desired.is_none() || (current == desired && desired == Some(self.target_config(node))))
    }

    fn updating(&self, node: &Value) -> bool {
        let (current, desired) = (mark(node, "currentConfig"), mark(node, "desiredConfig"));
        !self.updated(node)
            && self.release(current).is_some()
            && self.release(desired).is_some_and(|release| self.history()[0]["version"] == release)
            && current != desired
            && desired == Some(self.target_config(node))
    }

    fn phase(&self, node: &Value) -> &'static str {
        let state = mark(node, "state").unwrap_or_default();
        if self.updating(node) {
            let (desired, applied) =
                (mark(node, "desiredDrain").unwrap_or_default(), mark(node, "lastAppliedDrain").unwrap_or_default());
            let both = !desired.is_empty() && !applied.is_empty();
            return match state {
                _ if both && desired != applied && desired.split('-').next() == Some("drain") => "Draining",
                "Done" if both => "Draining",
                "Done" => "Updated",
                "Rebooting" => "Rebooting",
                _ => "Updating",
            };
        }
        let paused = || {
            let wanted = self.pool(node);
            self.cluster.pools.iter().any(|pool| Some(name(pool)) == wanted && pool["spec"]["paused"] == true)
        };
        match () {
            () if self.updated(node) => "Updated",
            () if paused() => "Paused",
            () => "Pending",
        }
    }

    fn failing(node: &Value) -> bool {
        matches!(mark(node, "state"), Some("Degraded" | "Unreconcilable"))
    }

    fn degraded(node: &Value) -> bool {
        Self::failing(node) && mark(node, "desiredConfig").is_some_and(|config| !config.is_empty())
    }

    /// What is wrong by its conditions: words, and how long in seconds.
    fn wrong(node: &Value) -> Vec<(String, Option<i64>)> {
        let mut wrong = Vec::new();
        for condition in node["status"]["conditions"].as_array().into_iter().flatten() {
            let words = match (condition["type"].as_str().unwrap(), condition["status"].as_str().unwrap()) {
                ("Ready", status) if status != "True" => "is not ready",
                ("DiskPressure", status) if status != "False" => "has disk pressure",
                ("NetworkUnavailable", status) if status != "False" => "has unavailable network",
                _ => continue,
            };
            wrong.push((format!("Node {} {words}", name(node)), seconds_since(&condition["lastTransitionTime"])));
        }
        wrong
    }

    fn unavailable(node: &Value) -> bool {
        let (current, desired) = (mark(node, "currentConfig"), mark(node, "desiredConfig"));
        let (image, wanted) = (mark(node, "currentImage"), mark(node, "desiredImage"));
        let done = current.is_some() && current == desired && image == wanted && mark(node, "state") == Some("Done");
        let away = !Self::wrong(node).is_empty() || node["spec"]["unschedulable"] == true;
        (away || !(done || Self::failing(node))) && wanted.is_none()
    }

    fn standing(&self, node: &Value) -> &'static str {
        match self.phase(node) {
            _ if Self::degraded(node) => "Degraded",
            _ if Self::unavailable(node) && !self.updating(node) => "Unavailable",
            "Paused" => "Excluded",
            "Pending" => "Outdated",
            "Updated" => "Completed",
            _ => "Progressing",
        }
    }

    fn platform(&self) -> impl Iterator<Item = &'a Value> {
        self.cluster.operators.iter().filter(|operator| {
            let annotations = operator["metadata"]["annotations"].as_object();
            annotations.is_some_and(|all| {
                let of = |prefix: &str| all.keys().any(|key| key.starts_with(prefix));
                of("include.release.openshift.io/") || of("exclude.release.openshift.io/")
            })
        })
    }

    fn operator_updated(&self, operator: &Value) -> bool {
        let version = |wanted: &str| {
            let all = operator["status"]["versions"].as_array().into_iter().flatten();
            all.into_iter().find(|version| version["name"] == wanted).map(|version| &version["version"])
        };
        let image =
            self.cluster.deployment.as_ref().map(|one| &one["spec"]["template"]["spec"]["containers"][0]["image"]);
        let there = name(operator) != "machine-config" || image.is_none() || version("operator-image") == image;
        version("operator") == Some(&self.cluster.version["status"]["desired"]["version"]) && there
    }

    fn head(&self) -> Told {
        let history = self.history();
        let mut told =
            Told { target: text(&history[0], "/version").to_owned(), multi_arch: self.multi_arch(), ..Told::default() };
        if let Some(before) = history.get(1) {
            told.from = Some(text(before, "/version").to_owned());
            told.from_incomplete = Some(before["state"] == "Partial");
        }
        let (mut counts, mut healthy) = ([0; 3], 0);
        for operator in self.platform() {
            let progressing = status(operator, "Progressing");
            match self.operator_updated(operator) {
                true => counts[0] += 1,
                false if progressing == Some("True") => {
                    counts[1] += 1;
                    told.updating_operators.insert(name(operator).to_owned());
                }
                false => counts[2] += usize::from(progressing == Some("False")),
            }
            match (status(operator, "Available"), status(operator, "Degraded")) {
                (Some("True"), Some("True")) => told.degraded += 1,
                (Some("True"), _) => healthy += 1,
                _ => told.unavailable += 1,
            }
        }
        told.control_plane_done = counts[0] == self.platform().count();
        (told.operators, told.healthy) = (Some(counts), Some(healthy));
        told
    }

    fn rows(&self, told: &mut Told) {
        let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for node in &self.cluster.nodes {
            let Some(pool) = self.pool(node) else { continue };
            members.entry(pool).or_default().push(node);
            let version = self.release(mark(node, "currentConfig")).map(str::to_owned);
            let row = Node {
                pool: pool.to_owned(),
                assessment: self.standing(node).to_owned(),
                phase: self.phase(node).to_owned(),
                version,
            };
            told.nodes.insert(name(node).to_owned(), row);
        }
        for pool in self.cluster.pools.iter().map(name) {
            let nodes = members.get(pool).cloned().unwrap_or_default();
            let count = |wanted: &dyn Fn(&Value) -> bool| nodes.iter().filter(|node| wanted(node)).count();
            let in_phase = |phases: &[&str]| count(&|node| phases.contains(&self.phase(node)));
            let (total, updated, degraded) = (nodes.len(), in_phase(&["Updated"]), count(&Self::degraded));
            let moving = count(&|node| {
                ["Draining", "Updating", "Rebooting"].contains(&self.phase(node)) && !Self::degraded(node)
            });
            let excluded = in_phase(&["Paused"]);
            let assessment = match () {
                () if total == 0 => "Empty",
                () if updated == total => "Completed",
                () if in_phase(&["Pending"]) == total => "Pending",
                () if degraded > 0 => "Degraded",
                () if excluded > 0 => "Excluded",
                () => "Progressing",
            };
            let counts = [
                ("Available", count(&|node| !Self::unavailable(node))),
                ("Progressing", moving),
                ("Draining", in_phase(&["Draining"])),
                ("Excluded", excluded),
                ("Degraded", degraded),
            ];
            let counts = counts.map(|(word, number)| (word.to_owned(), number)).into();
            let completion = (total > 0).then_some((updated, total));
            told.pools.insert(pool.to_owned(), Pool { assessment: assessment.to_owned(), completion, counts });
        }
    }

    fn insights(&self, told: &mut Told) {
        let mut all = Vec::new();
        let mut say = |message: String, since: Option<i64>, level: &str, impact: &str, about: (&str, &str)| {
            let resources = vec![(about.0.to_owned(), about.1.to_owned())];
            all.push(Insight { message, since, level: level.to_owned(), impact: impact.to_owned(), resources });
        };
        let cv = ("clusterversions.config.openshift.io", "version");
        match condition(&self.cluster.version, "Failing") {
            None => say(
                "Cluster Version version has no Failing condition".to_owned(),
                Some(0),
                "Warning",
                "Update Stalled",
                cv,
            ),
            Some(failing) if failing["status"] != "False" => {
                let verb = if failing["status"] == "True" { "is" } else { "may be" };
                let reason = text(failing, "/reason");
                let words = format!("Cluster Version version {verb} failing to proceed with the update ({reason})");
                say(words, seconds_since(&failing["lastTransitionTime"]), "Warning", "Update Stalled", cv);
            }
            Some(_) => {}
        }
        for operator in self.platform() {
            for (kind, bad, words, error) in
                [("Available", "False", "unavailable", 20), ("Degraded", "True", "degraded", 40)]
            {
                let Some(told) = condition(operator, kind).filter(|told| told["status"] == bad) else { continue };
                let since = seconds_since(&told["lastTransitionTime"]).unwrap();
                if since >= 5 * 60 {
                    let words = format!("Cluster Operator {} is {words} ({})", name(operator), text(told, "/reason"));
                    let level = if since >= error * 60 { "Error" } else { "Warning" };
                    let about = ("clusteroperators.config.openshift.io", name(operator));
                    say(words, Some(since), level, "API Availability", about);
                }
            }
        }
        let history = self.history();
        if history.len() > 1 && history[1]["state"] == "Partial" && !told.control_plane_done {
            let last = history[2..].iter().find(|entry| entry["state"] == "Completed");
            let last = last.map_or("unknown", |entry| text(entry, "/version"));
            let words = format!(
                "Previous update to {} never completed, last complete update was {last}",
                text(&history[1], "/version")
            );
            say(words, seconds_since(&history[0]["startedTime"]), "Warning", "None", cv);
        }
        for node in self.cluster.nodes.iter().filter(|node| self.pool(node).is_some()) {
            let mut wrong = Self::wrong(node);
            if !wrong.is_empty() && Self::unavailable(node) && !self.updating(node) {
                let since = wrong.iter().filter_map(|(_, since)| *since).max();
                if node["spec"]["unschedulable"] == true {
                    wrong.push(("Node is marked unschedulable".to_owned(), None));
                }
                let words: Vec<String> = wrong.into_iter().map(|(words, _)| words).collect();
                say(words.join(" | "), since, "Warning", "Update Speed", ("nodes", name(node)));
            }
            if Self::degraded(node) {
                let words = format!("Node {} is degraded", name(node));
                say(words, None, "Error", "Update Stalled", ("nodes", name(node)));
            }
        }
        for pool in &self.cluster.pools {
            let excluded = told.pools[name(pool)].counts["Excluded"];
            if excluded > 0 && pool["spec"]["paused"] == true {
                let words = format!("Outdated nodes in a paused pool '{}' will not be updated", name(pool));
                let about = ("machineconfigpools.machineconfiguration.openshift.io", name(pool));
                say(words, None, "Warning", "Update Stalled", about);
            }
        }
        for alert in &self.cluster.alerts {
            let name = text(alert, "/labels/alertname");
            let during = seconds_since(&alert["activeAt"]) < seconds_since(&history[0]["startedTime"]);
            let always = ["PodDisruptionBudgetLimit", "PodDisruptionBudgetAtLimit"].contains(&name);
            let level = match text(alert, "/labels/severity") {
                "warning" => "Warning",
                "critical" => "Critical",
                _ => continue,
            };
            if name.is_empty() || alert["state"] == "pending" || !(during || always) {
                continue;
            }
            let summary = Some(text(alert, "/annotations/summary")).filter(|text| !text.is_empty()).unwrap_or(name);
            let words = format!("Alert is firing: {summary}");
            say(words, seconds_since(&alert["activeAt"]), level, "Unknown", ("alerts.config.openshift.io", name));
        }
        if all.is_empty() {
            let since = seconds_since(&history[0]["startedTime"]);
            let words = "Update is proceeding well".to_owned();
            let (level, impact) = ("Info".to_owned(), "None".to_owned());
            all.push(Insight { message: words, since, level, impact, resources: Vec::new() });
        }
        told.insights = all;
    }
}

/// A version before [`NEW`].
pub fn old() -> &'static str {
    OLD
}

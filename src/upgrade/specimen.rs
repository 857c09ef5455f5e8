//! A small cluster for tests, as JSON: 3 masters, 3 workers in two zones, and a few operators.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::assemble;
use super::assess::assess;
use super::assessment::Assessment;
use super::facts::Facts;
use super::memory::Memory;

pub const OLD: &str = "4.18.22";
pub const NEW: &str = "4.19.3";

/// The moment `minutes` after the story's noon.
pub fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 0).unwrap_or_default() + TimeDelta::minutes(minutes)
}

/// The same as the API writes it.
pub fn stamp(minutes: i64) -> String {
    at(minutes).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn condition(kind: &str, status: &str, reason: &str, message: &str, minutes: i64) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(minutes)})
}

#[derive(Clone)]
pub struct Specimen {
    pub version: Value,
    pub operators: Vec<Value>,
    pub pools: Vec<Value>,
    pub nodes: Vec<Value>,
    pub machine_config_nodes: Vec<Value>,
    pub machine_configs: Vec<Value>,
    pub events: Vec<Value>,
    /// Objects of any other kind.
    pub around: Vec<Value>,
    pub epoch: u64,
}

/// The name of the rendered config of a pool for a release.
pub fn rendered(pool: &str, release: &str) -> String {
    format!("rendered-{pool}-{release}")
}

fn operator(name: &str, version: &str, minutes: i64) -> Value {
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator",
        "metadata": {"name": name, "annotations": {"include.release.openshift.io/self-managed-high-availability": "true"}},
        "status": {
            "versions": [{"name": "operator", "version": version}],
            "conditions": [
                condition("Available", "True", "AsExpected", "", -9000),
                condition("Progressing", "False", "AsExpected", "", minutes),
                condition("Degraded", "False", "AsExpected", "", -9000),
            ],
        },
    })
}

fn pool(name: &str, release: &str) -> Value {
    let role = format!("node-role.kubernetes.io/{name}");
    json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
        "metadata": {"name": name},
        "spec": {
            "configuration": {"name": rendered(name, release)},
            "nodeSelector": {"matchLabels": {role: ""}},
        },
        "status": {"conditions": [
            condition("Updated", "True", "", "", -9000), condition("Updating", "False", "", "", -9000),
        ]},
    })
}

fn node(name: &str, role: &str, zone: &str) -> Value {
    let role_label = format!("node-role.kubernetes.io/{role}");
    let config = rendered(role, OLD);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "creationTimestamp": "2025-01-01T00:00:00Z",
            "labels": {role_label: "", "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone},
            "annotations": {
                "machineconfiguration.openshift.io/currentConfig": config,
                "machineconfiguration.openshift.io/desiredConfig": config,
                "machineconfiguration.openshift.io/state": "Done",
                "machineconfiguration.openshift.io/desiredDrain": format!("uncordon-{config}"),
                "machineconfiguration.openshift.io/lastAppliedDrain": format!("uncordon-{config}"),
            },
        },
        "spec": {},
        "status": {
            "conditions": [
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", -9000),
                condition("DiskPressure", "False", "", "", -9000),
            ],
            "nodeInfo": {"kubeletVersion": "v1.31.9"},
        },
    })
}

impl Specimen {
    /// At rest on the old version.
    pub fn idle() -> Self {
        let configs = ["master", "worker"].into_iter().flat_map(|pool| [OLD, NEW].map(|release| (pool, release)));
        Self {
            version: json!({
                "apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
                "metadata": {"name": "version", "generation": 3},
                "spec": {"clusterID": "c1", "channel": "stable-4.19"},
                "status": {
                    "observedGeneration": 3,
                    "desired": {"version": OLD, "image": "registry/release@sha256:old"},
                    "history": [
                        {"state": "Completed", "version": OLD, "image": "registry/release@sha256:old",
                         "startedTime": stamp(-9100), "completionTime": stamp(-9000), "verified": true},
                        {"state": "Completed", "version": "4.18.1", "image": "registry/release@sha256:older",
                         "startedTime": stamp(-20_000), "completionTime": stamp(-19_900)},
                    ],
                    "conditions": [
                        condition("Available", "True", "", "", -9000),
                        condition("Failing", "False", "", "", -9000),
                        condition("Progressing", "False", "", "Cluster version is 4.18.22", -9000),
                        condition("ReleaseAccepted", "True", "PayloadLoaded", "Payload loaded", -9100),
                    ],
                },
            }),
            operators: ["etcd", "kube-apiserver", "dns", "machine-config"]
                .map(|name| operator(name, OLD, -9000))
                .to_vec(),
            pools: vec![pool("master", OLD), pool("worker", OLD)],
            nodes: vec![
                node("master-0", "master", "a"),
                node("master-1", "master", "b"),
                node("master-2", "master", "b"),
                node("worker-0", "worker", "a"),
                node("worker-1", "worker", "b"),
                node("worker-2", "worker", "a"),
            ],
            machine_config_nodes: Vec::new(),
            machine_configs: configs
                .map(|(pool, release)| {
                    json!({
                        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig",
                        "metadata": {
                            "name": rendered(pool, release),
                            "annotations": {"machineconfiguration.openshift.io/release-image-version": release},
                        },
                    })
                })
                .collect(),
            events: Vec::new(),
            around: Vec::new(),
            epoch: 1,
        }
    }

    /// The update to the new version began at noon; no operator is done.
    pub fn updating() -> Self {
        let mut cluster = Self::idle();
        cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW, "image": "registry/release@sha256:new"});
        cluster.version["status"]["desired"] = json!({"version": NEW, "image": "registry/release@sha256:new"});
        if let Some(history) = cluster.version["status"]["history"].as_array_mut() {
            history.insert(
                0,
                json!({"state": "Partial", "version": NEW, "image": "registry/release@sha256:new",
                       "startedTime": stamp(0), "completionTime": null}),
            );
        }
        cluster.says(
            "Progressing",
            "True",
            "ClusterOperatorsUpdating",
            "Working towards 4.19.3: 100 of 900 done (11% complete), waiting on etcd",
            0,
        );
        cluster
    }

    /// All operators but machine-config are done, and the pools roll to the new configuration since minute 30.
    pub fn rolling() -> Self {
        let mut cluster = Self::updating();
        for name in ["etcd", "kube-apiserver", "dns"] {
            cluster.operator(name)["status"]["versions"][0]["version"] = json!(NEW);
        }
        cluster.operator("machine-config")["status"]["conditions"][1] =
            condition("Progressing", "True", "", "Working towards 4.19.3", 28);
        for name in ["master", "worker"] {
            let pool = cluster.pool(name);
            pool["spec"]["configuration"]["name"] = json!(rendered(name, NEW));
            pool["status"]["conditions"] =
                json!([condition("Updated", "False", "", "", 30), condition("Updating", "True", "", "", 30)]);
        }
        cluster
    }

    /// The control plane is done since minute 60: operators, masters, history.
    pub fn workers_left() -> Self {
        let mut cluster = Self::rolling();
        cluster.operator("machine-config")["status"]["versions"][0]["version"] = json!(NEW);
        cluster.operator("machine-config")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 60);
        for name in ["master-0", "master-1", "master-2"] {
            cluster.reaches(name, "master");
        }
        cluster.pool("master")["status"]["conditions"] =
            json!([condition("Updated", "True", "", "", 59), condition("Updating", "False", "", "", 59)]);
        cluster.version["status"]["history"][0]["state"] = json!("Completed");
        cluster.version["status"]["history"][0]["completionTime"] = json!(stamp(60));
        cluster.says("Progressing", "False", "", "Cluster version is 4.19.3", 60);
        cluster
    }

    /// Everything is at the new version since minute 90.
    pub fn finished() -> Self {
        let mut cluster = Self::workers_left();
        for name in ["worker-0", "worker-1", "worker-2"] {
            cluster.reaches(name, "worker");
        }
        cluster.pool("worker")["status"]["conditions"] =
            json!([condition("Updated", "True", "", "", 90), condition("Updating", "False", "", "", 90)]);
        cluster
    }

    /// Sets a condition of the ClusterVersion.
    pub fn says(&mut self, kind: &str, status: &str, reason: &str, message: &str, minutes: i64) {
        let new = condition(kind, status, reason, message, minutes);
        let Some(conditions) = self.version["status"]["conditions"].as_array_mut() else { return };
        match conditions.iter_mut().find(|condition| condition["type"] == kind) {
            Some(condition) => *condition = new,
            None => conditions.push(new),
        }
    }

    pub fn operator(&mut self, name: &str) -> &mut Value {
        named(&mut self.operators, name)
    }

    pub fn pool(&mut self, name: &str) -> &mut Value {
        named(&mut self.pools, name)
    }

    pub fn node(&mut self, name: &str) -> &mut Value {
        named(&mut self.nodes, name)
    }

    /// Sets the node's annotations of the machine-config operator (the part of the key behind the slash).
    pub fn mark(&mut self, name: &str, marks: &[(&str, &str)]) {
        for (key, value) in marks {
            let key = format!("machineconfiguration.openshift.io/{key}");
            self.node(name)["metadata"]["annotations"][key] = json!(value);
        }
    }

    /// The node runs the new configuration, and nothing is left to do.
    pub fn reaches(&mut self, name: &str, pool: &str) {
        let config = rendered(pool, NEW);
        let drain = format!("uncordon-{config}");
        self.node(name)["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.32.6");
        self.mark(
            name,
            &[
                ("currentConfig", &config),
                ("desiredConfig", &config),
                ("state", "Done"),
                ("desiredDrain", &drain),
                ("lastAppliedDrain", &drain),
            ],
        );
    }

    /// Makes the node unschedulable, as `manager` would, at a minute.
    pub fn cordon(&mut self, name: &str, manager: &str, minutes: i64) {
        let node = self.node(name);
        node["spec"] = json!({"unschedulable": true, "taints": [
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": stamp(minutes)},
        ]});
        node["metadata"]["managedFields"] = json!([
            {"manager": manager, "operation": "Update", "time": stamp(minutes), "fieldsV1": {"f:spec": {"f:unschedulable": {}}}},
        ]);
    }

    /// The operator targets the node and drains it, from a minute on.
    pub fn drains(&mut self, name: &str, pool: &str, minutes: i64) {
        let config = rendered(pool, NEW);
        self.mark(
            name,
            &[("desiredConfig", &config), ("state", "Working"), ("desiredDrain", &format!("drain-{config}"))],
        );
        self.cordon(name, "machine-config-controller", minutes);
    }

    /// Gives the node a MachineConfigNode with these conditions.
    pub fn steps(&mut self, name: &str, conditions: impl Into<Value>) {
        self.machine_config_nodes.retain(|known| known["metadata"]["name"] != name);
        self.machine_config_nodes.push(json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigNode",
            "metadata": {"name": name}, "status": {"conditions": conditions.into()},
        }));
    }

    pub fn facts(&self, minutes: i64) -> Facts {
        let all = [&self.version].into_iter().chain(&self.operators).chain(&self.pools).chain(&self.nodes);
        let all =
            all.chain(&self.machine_config_nodes).chain(&self.machine_configs).chain(&self.events).chain(&self.around);
        let mut facts = assemble::from_values(all, at(minutes));
        facts.epoch = self.epoch;
        facts
    }

    /// Judged at a minute, with nothing remembered.
    pub fn assess(&self, minutes: i64) -> Assessment {
        assess(Arc::new(self.facts(minutes)), &Memory::default(), at(minutes))
    }

    /// Judged at a minute by somebody who has been looking on.
    pub fn watched(&self, memory: &mut Memory, minutes: i64) -> Arc<Assessment> {
        let assessment = Arc::new(assess(Arc::new(self.facts(minutes)), memory, at(minutes)));
        memory.observe(&assessment);
        assessment
    }
}

fn named<'a>(values: &'a mut [Value], name: &str) -> &'a mut Value {
    match values.iter_mut().find(|value| value["metadata"]["name"] == name) {
        Some(value) => value,
        None => panic!("the specimen has no {name}"),
    }
}

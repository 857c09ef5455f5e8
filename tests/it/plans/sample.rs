//! A small cluster in objects as a server sends them, to plan on: 3 masters, 4 workers in two zones, 2 infra nodes whose
//! pool is paused; 4.18.22 is rolled out, 4.18.25 and 4.19.3 are on offer.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use oc_cockpit::actions::{ActionId, Ask, Material, Plan, Refusal, Session, Target, offered, permissions, plan};
use oc_cockpit::upgrade::access::{Access, Answer, Permission};
use oc_cockpit::upgrade::assemble::Objects;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};
use oc_cockpit::upgrade::link::LinkState;
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};

const MCO: &str = "machineconfiguration.openshift.io";

/// The cluster, changed as a test needs it.
#[derive(Debug, Clone)]
pub struct Sample {
    objects: BTreeMap<String, Value>,
    denied: Vec<Permission>,
    kinds: Vec<(Kind, KindStatus)>,
    pub session: Session,
    pub link: LinkState,
}

/// The moment at which everything is looked at.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 3, 12, 44).unwrap()
}

impl Sample {
    /// Nothing rolls.
    pub fn idle() -> Self {
        let mut sample = Self {
            objects: BTreeMap::new(),
            denied: Vec::new(),
            kinds: Vec::new(),
            session: Session { context: "lab".into(), ..Session::default() },
            link: LinkState::Live,
        };
        for (pool, names) in [
            ("master", &["master-0", "master-1", "master-2"][..]),
            ("worker", &["worker-0", "worker-1", "worker-2", "worker-3"]),
            ("infra", &["infra-0", "infra-1"]),
        ] {
            sample.add(pool_object(pool, names.len()));
            sample.add(config_object(pool, 1, "4.18.22"));
            for (at, name) in names.iter().enumerate() {
                sample.add(node_object(name, pool, at));
            }
        }
        sample.add(cluster_version());
        sample.edit("pool/infra", |pool| {
            pool["spec"]["paused"] = json!(true);
            pool["metadata"]["managedFields"] = json!([{
                "manager": "kubectl-patch", "operation": "Update", "apiVersion": format!("{MCO}/v1"),
                "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": { "f:paused": {} } }, "time": "2026-11-18T08:00:00Z",
            }]);
        });
        sample
    }

    /// All pools go to 4.19.3, and no node has begun; infra is paused.
    pub fn rolling_to_be() -> Self {
        let mut sample = Self::idle();
        for pool in ["master", "worker", "infra"] {
            sample.add(config_object(pool, 2, "4.19.3"));
            sample.edit(&format!("pool/{pool}"), |object| {
                object["spec"]["configuration"]["name"] = json!(rendered(pool, 2));
            });
        }
        sample.edit("version", |version| {
            version["status"]["desired"] = json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" });
            version["status"]["history"] = json!([
                { "state": "Partial", "version": "4.19.3", "image": "quay.io/r@sha256:193",
                  "startedTime": "2026-11-20T02:00:00Z", "completionTime": null, "verified": true },
                { "state": "Completed", "version": "4.18.22", "image": "quay.io/r@sha256:1822",
                  "startedTime": "2026-10-01T00:00:00Z", "completionTime": "2026-10-01T02:00:00Z", "verified": true },
            ]);
        });
        sample.condition("Progressing", "True", "", "Working towards 4.19.3: 800 of 901 done (88% complete)");
        sample
    }

    /// The nodes go to 4.19.3: worker-0 is there, worker-1 is being drained, the others wait; infra is paused.
    pub fn rolling() -> Self {
        let mut sample = Self::rolling_to_be();
        for name in ["master-0", "master-1", "master-2", "worker-0"] {
            let target = rendered(name.split('-').next().unwrap(), 2);
            sample.annotate(name, "currentConfig", &target);
            sample.annotate(name, "desiredConfig", &target);
            sample.annotate(name, "desiredDrain", &format!("uncordon-{target}"));
            sample.annotate(name, "lastAppliedDrain", &format!("uncordon-{target}"));
        }
        sample.annotate("worker-1", "desiredConfig", &rendered("worker", 2));
        sample.annotate("worker-1", "desiredDrain", &format!("drain-{}", rendered("worker", 2)));
        sample.annotate("worker-1", "state", "Working");
        sample.cordon("worker-1", "machine-config-controller", "2026-11-20T02:58:12Z");
        sample
    }

    /// Puts an object into it: found again by `Kind/name` (nodes by name, `pool/worker`, `version`).
    pub fn add(&mut self, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let key = match object["kind"].as_str().unwrap() {
            "Node" => name.to_owned(),
            "MachineConfigPool" => format!("pool/{name}"),
            "ClusterVersion" => "version".to_owned(),
            kind => format!("{kind}/{name}"),
        };
        self.objects.insert(key, object);
    }

    /// Changes an object: a node by name, `pool/worker`, `version`.
    pub fn edit(&mut self, key: &str, edit: impl FnOnce(&mut Value)) -> &mut Self {
        edit(self.objects.get_mut(key).unwrap_or_else(|| panic!("no {key}")));
        self
    }

    /// An object as the server would send it.
    pub fn object(&self, key: &str) -> Value {
        self.objects[key].clone()
    }

    /// Sets an annotation of the machine-config operator on a node.
    pub fn annotate(&mut self, node: &str, key: &str, value: &str) -> &mut Self {
        self.edit(node, |node| node["metadata"]["annotations"][format!("{MCO}/{key}")] = json!(value))
    }

    /// Cordons a node as `manager`.
    pub fn cordon(&mut self, node: &str, manager: &str, at: &str) -> &mut Self {
        self.edit(node, |node| {
            node["spec"] = json!({
                "unschedulable": true,
                "taints": [{ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": at }],
            });
            node["metadata"]["managedFields"] = json!([{
                "manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "time": at,
                "fieldsV1": { "f:spec": { "f:unschedulable": {} } },
            }]);
        })
    }

    /// Makes a node NotReady.
    pub fn not_ready(&mut self, node: &str) -> &mut Self {
        self.edit(node, |node| node["status"]["conditions"][0]["status"] = json!("Unknown"))
    }

    /// Sets a condition of the ClusterVersion; an empty status removes it.
    pub fn condition(&mut self, kind: &str, status: &str, reason: &str, message: &str) -> &mut Self {
        self.edit("version", |version| {
            let conditions = version["status"]["conditions"].as_array_mut().unwrap();
            conditions.retain(|condition| condition["type"] != kind);
            if !status.is_empty() {
                conditions.push(json!({
                    "type": kind, "status": status, "reason": reason, "message": message,
                    "lastTransitionTime": "2026-11-20T02:00:00Z",
                }));
            }
        })
    }

    /// The access review says no.
    pub fn deny(&mut self, permission: Permission) -> &mut Self {
        self.denied.push(permission);
        self
    }

    /// How well a kind is known.
    pub fn kind(&mut self, kind: Kind, status: KindStatus) -> &mut Self {
        self.kinds.push((kind, status));
        self
    }

    /// All objects as a server sends them.
    pub fn objects(&self) -> Vec<Value> {
        self.objects.values().cloned().collect()
    }

    pub fn assessment(&self) -> Assessment {
        let mut facts: Facts = Objects::from_values(self.objects.values()).into_recording(now());
        facts.link.state = self.link;
        for (kind, status) in &self.kinds {
            facts.kinds.entry(*kind).or_default().status = status.clone();
        }
        let mut access = Access { user: Some("kim".into()), ..Access::default() };
        for permission in permissions() {
            let denied = self.denied.contains(&permission);
            let answer = if denied { Answer::Denied(String::new()) } else { Answer::Allowed };
            access.answers.insert(permission, answer);
        }
        facts.access = Arc::new(access);
        assess(Arc::new(facts), &Memory::default(), now())
    }

    pub fn plan(&self, action: ActionId, target: &Target) -> Result<Plan, Refusal> {
        plan(&self.assessment(), &self.session, &Ask::new(action, target.clone()), &Material::default())
    }

    /// The plan for a wish, with what was read for it.
    pub fn plan_of(&self, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
        plan(&self.assessment(), &self.session, ask, material)
    }

    /// Why a wish is refused; `ok` with its danger when it is not.
    pub fn answer(&self, ask: &Ask) -> String {
        match self.plan_of(ask, &Material::default()) {
            Ok(plan) => format!("ok, {:?}", plan.danger),
            Err(Refusal(words)) => words,
        }
    }

    /// Adds an object, or puts it in the place of the one of that name.
    pub fn put(&mut self, object: Value) -> &mut Self {
        self.add(object);
        self
    }

    /// Why the action is refused; `ok` with its danger when it is not.
    pub fn verdict(&self, action: ActionId, target: &Target) -> String {
        match self.plan(action, target) {
            Ok(plan) => format!("ok, {:?}", plan.danger),
            Err(Refusal(words)) => words,
        }
    }

    /// What is offered, a line each.
    pub fn offers(&self, target: &Target) -> Vec<String> {
        let offers = offered(&self.assessment(), &self.session, target);
        let line = |offer: &oc_cockpit::actions::Offered| match &offer.refusal {
            None => format!("{} [{:?}]", offer.title, offer.danger),
            Some(Refusal(words)) => format!("{} [{:?}] not now: {words}", offer.title, offer.danger),
        };
        offers.iter().map(line).collect()
    }
}

/// What `objects` mean when a live watch shows them to a user who may do everything.
pub fn assess_live<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Assessment {
    assess_at(objects, now())
}

/// The same at another moment.
pub fn assess_at<'a>(objects: impl IntoIterator<Item = &'a Value>, now: DateTime<Utc>) -> Assessment {
    let mut facts = Objects::from_values(objects).into_recording(now);
    facts.link.state = LinkState::Live;
    let answers = permissions().into_iter().map(|permission| (permission, Answer::Allowed)).collect();
    facts.access = Arc::new(Access { user: Some("kim".into()), answers, ..Access::default() });
    assess(Arc::new(facts), &Memory::default(), now)
}

/// A rendered config of a pool, by number.
pub fn rendered(pool: &str, number: u32) -> String {
    format!("rendered-{pool}-{number}")
}

fn node_object(name: &str, pool: &str, at: usize) -> Value {
    let config = rendered(pool, 1);
    let mut labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": if at.is_multiple_of(2) { "a" } else { "b" },
    });
    labels[format!("node-role.kubernetes.io/{}", if pool == "infra" { "worker" } else { pool })] = json!("");
    if pool == "infra" {
        labels["node-role.kubernetes.io/infra"] = json!("");
    }
    let annotations: serde_json::Map<String, Value> = [
        ("currentConfig", config.clone()),
        ("desiredConfig", config.clone()),
        ("state", "Done".to_owned()),
        ("desiredDrain", format!("uncordon-{config}")),
        ("lastAppliedDrain", format!("uncordon-{config}")),
    ]
    .into_iter()
    .map(|(key, value)| (format!("{MCO}/{key}"), json!(value)))
    .collect();
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1000",
            "creationTimestamp": format!("2026-01-01T00:0{at}:00Z"), "labels": labels, "annotations": annotations,
        },
        "spec": {},
        "status": {
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T01:00:00Z" }],
            "nodeInfo": { "bootID": format!("boot-{name}"), "kubeletVersion": "v1.31.9", "operatingSystem": "linux" },
        },
    })
}

pub fn pool_object(name: &str, nodes: usize) -> Value {
    let config = rendered(name, 1);
    let mut labels = json!({});
    if name == "master" {
        labels["operator.machineconfiguration.openshift.io/required-for-upgrade"] = json!("");
    }
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfigPool",
        "metadata": { "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1000", "labels": labels },
        "spec": {
            "paused": false,
            "configuration": { "name": config },
            "nodeSelector": { "matchLabels": { format!("node-role.kubernetes.io/{name}"): "" } },
        },
        "status": { "configuration": { "name": config }, "machineCount": nodes, "updatedMachineCount": nodes,
                    "readyMachineCount": nodes, "unavailableMachineCount": 0, "degradedMachineCount": 0, "conditions": [] },
    })
}

pub fn config_object(pool: &str, number: u32, version: &str) -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfig",
        "metadata": {
            "name": rendered(pool, number), "uid": format!("uid-{pool}-{number}"), "resourceVersion": "1",
            "annotations": { format!("{MCO}/release-image-version"): version },
        },
    })
}

fn cluster_version() -> Value {
    let condition = |kind: &str, status: &str, message: &str| {
        json!({ "type": kind, "status": status, "reason": "", "message": message,
                "lastTransitionTime": "2026-10-01T02:00:00Z" })
    };
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
        "metadata": { "name": "version", "uid": "uid-version", "resourceVersion": "1000", "generation": 4 },
        "spec": { "clusterID": "11111111-2222-3333-4444-555555555555", "channel": "stable-4.19" },
        "status": {
            "observedGeneration": 4,
            "desired": { "version": "4.18.22", "image": "quay.io/r@sha256:1822" },
            "history": [{ "state": "Completed", "version": "4.18.22", "image": "quay.io/r@sha256:1822",
                          "startedTime": "2026-10-01T00:00:00Z", "completionTime": "2026-10-01T02:00:00Z",
                          "verified": true }],
            "conditions": [
                condition("Available", "True", "Done applying 4.18.22"),
                condition("Failing", "False", ""),
                condition("Progressing", "False", "Cluster version is 4.18.22"),
                condition("RetrievedUpdates", "True", ""),
                condition("ReleaseAccepted", "True", ""),
            ],
            "availableUpdates": [
                { "version": "4.19.3", "image": "quay.io/r@sha256:193", "url": "https://example.com/4.19.3" },
                { "version": "4.18.25", "image": "quay.io/r@sha256:1825" },
            ],
            "conditionalUpdates": [{
                "release": { "version": "4.18.24", "image": "quay.io/r@sha256:1824" },
                "risks": [{ "name": "DiskLoss", "message": "Disks may get lost.", "url": "https://example.com/r" }],
                "conditions": [{ "type": "Recommended", "status": "False", "reason": "DiskLoss",
                                 "message": "Disks may get lost.", "lastTransitionTime": "2026-11-01T00:00:00Z" }],
            }],
        },
    })
}

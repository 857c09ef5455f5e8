//! What runs on the cluster besides the platform, and the shapes that all pods and their owners share.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::object::{hash, hex, items, name, namespace, owner, text};
use super::{Builder, minutes_before};
use crate::sim::kinds::Res;
use crate::sim::scenario::{Budget, MaxUnavailable, Workload, WorkloadKind};
use crate::sim::store::timestamp;

/// The annotation that tells the simulated kubelet how long a pod takes to stop, in simulated seconds.
pub const STOP: &str = "sim.oc-cockpit.dev/stop-seconds";

/// A pod template.
#[derive(Debug, Clone)]
pub struct Template {
    /// The label `app`.
    pub app: String,
    /// The container's name.
    pub container: String,
    /// More labels.
    pub labels: Value,
    /// The container's image.
    pub image: String,
    /// Environment of the container.
    pub env: Vec<(String, String)>,
    /// The role that a node must have.
    pub role: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: u64,
    /// How long the container takes to stop, simulated seconds.
    pub stop: u64,
    /// Whether it tolerates every taint, as DaemonSets of the platform do.
    pub tolerates_all: bool,
    /// Volumes besides those of a StatefulSet's replicas.
    pub volumes: Vec<Value>,
}

impl Template {
    /// A template for `app` on nodes of that role.
    pub fn new(app: &str, image: String, role: &str) -> Self {
        Self {
            app: app.to_owned(),
            container: app.to_owned(),
            labels: json!({}),
            image,
            env: Vec::new(),
            role: role.to_owned(),
            grace: 30,
            stop: 6,
            tolerates_all: false,
            volumes: Vec::new(),
        }
    }

    /// The template as the API shows it.
    pub fn object(&self) -> Value {
        let mut labels = self.labels.clone();
        labels["app"] = json!(self.app);
        let mut tolerations = Vec::new();
        if self.tolerates_all {
            tolerations.push(json!({"operator": "Exists"}));
        } else if matches!(self.role.as_str(), "master" | "infra") {
            let key = format!("node-role.kubernetes.io/{}", self.role);
            tolerations.push(json!({"effect": "NoSchedule", "key": key, "operator": "Exists"}));
        }
        let env: Vec<Value> = self.env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut spec = json!({
            "containers": [{
                "env": env, "image": self.image, "imagePullPolicy": "IfNotPresent", "name": self.container,
                "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
            }],
            "restartPolicy": "Always",
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": self.grace,
            "tolerations": tolerations,
        });
        if !self.volumes.is_empty() {
            let mounts: Vec<Value> = self
                .volumes
                .iter()
                .map(|volume| json!({"mountPath": format!("/var/{}", text(volume, "/name")), "name": volume["name"]}))
                .collect();
            spec["containers"][0]["volumeMounts"] = json!(mounts);
            spec["volumes"] = json!(self.volumes);
        }
        if !self.role.is_empty() {
            spec["nodeSelector"] = json!({format!("node-role.kubernetes.io/{}", self.role): ""});
        }
        json!({"metadata": {"annotations": {STOP: self.stop.to_string()}, "labels": labels}, "spec": spec})
    }
}

/// The hash that names what a template makes.
pub fn template_hash(template: &Value) -> String {
    hex(&template.to_string(), 10)
}

/// A pod from a template, not yet on any node.
pub fn pod(template: &Value, in_namespace: &str, pod_name: &str, owners: Value) -> Value {
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(pod_name);
    metadata["namespace"] = json!(in_namespace);
    if !owners.is_null() {
        metadata["ownerReferences"] = owners;
    }
    json!({
        "metadata": metadata,
        "spec": template["spec"],
        "status": {"phase": "Pending", "qosClass": "Burstable"},
    })
}

/// Puts a pod onto a node.
pub fn bind(pod: &mut Value, node: &str, now: DateTime<Utc>) {
    pod["spec"]["nodeName"] = json!(node);
    pod["status"]["conditions"] = json!([condition("PodScheduled", "True", now)]);
}

/// Makes a bound pod run.
pub fn run(pod: &mut Value, now: DateTime<Utc>) {
    let container = pod["spec"]["containers"][0].clone();
    let restarts = pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_u64).unwrap_or_default();
    let address = hash(&format!("{}/{}", namespace(pod), name(pod)));
    let conditions: Vec<Value> =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
            .into_iter()
            .map(|kind| condition(kind, "True", now))
            .collect();
    pod["status"] = json!({
        "conditions": conditions,
        "containerStatuses": [{
            "image": container["image"], "imageID": container["image"], "name": container["name"],
            "containerID": format!("cri-o://{}", hex(&format!("{address} {restarts}"), 64)),
            "lastState": {}, "ready": true, "restartCount": restarts, "started": true,
            "state": {"running": {"startedAt": timestamp(now)}},
        }],
        "phase": "Running",
        "podIP": format!("10.{}.{}.{}", 128 + address % 4, address / 4 % 256, 2 + address / 1024 % 250),
        "qosClass": "Burstable",
        "startTime": timestamp(now),
    });
}

fn condition(kind: &str, status: &str, now: DateTime<Utc>) -> Value {
    json!({"lastProbeTime": null, "lastTransitionTime": timestamp(now), "status": status, "type": kind})
}

/// The owner reference to a stored object of the group `apps`.
pub fn owned_by(object: &Value) -> Value {
    owner("apps/v1", text(object, "/kind"), name(object), text(object, "/metadata/uid"))
}

/// A controller with its pods, to be created old and running.
pub struct Owned<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The pods' template.
    pub template: Template,
    /// Where the pods run; one pod each.
    pub on: Vec<String>,
    /// When the pods started.
    pub since: DateTime<Utc>,
    /// The access mode of the volume of each replica of a StatefulSet.
    pub claim: Option<&'a str>,
}

impl Owned<'_> {
    fn spec(&self) -> Value {
        json!({
            "replicas": self.on.len(),
            "selector": {"matchLabels": {"app": self.template.app}},
            "template": self.template.object(),
        })
    }

    /// A Deployment with its ReplicaSet.
    pub fn deployment(&self, builder: &Builder<'_>) {
        let mut spec = self.spec();
        spec["strategy"] =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
        let metadata = json!({
            "name": self.name, "namespace": self.namespace, "labels": {"app": self.template.app},
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        });
        builder.old(Res::DEPLOYMENTS, json!({"metadata": metadata, "spec": spec}));
        let Some(deployment) = builder.store.get(Res::DEPLOYMENTS, Some(self.namespace), self.name) else { return };
        let set = replica_set(&deployment, self.on.len() as i64, 1);
        let set_name = name(&set).to_owned();
        builder.old(Res::REPLICA_SETS, set);
        let Some(set) = builder.store.get(Res::REPLICA_SETS, Some(self.namespace), &set_name) else { return };
        for (index, node) in self.on.iter().enumerate() {
            let tail = &hex(&format!("{}/{set_name} {index}", self.namespace), 5);
            self.start(builder, &set["spec"]["template"], &format!("{set_name}-{tail}"), owned_by(&set), node);
        }
    }

    /// A StatefulSet.
    pub fn stateful_set(&self, builder: &Builder<'_>) {
        let mut spec = self.spec();
        spec["serviceName"] = json!(self.name);
        if let Some(mode) = self.claim {
            spec["volumeClaimTemplates"] = json!([{"metadata": {"name": DATA}, "spec": claim_spec(mode)}]);
        }
        let metadata = json!({"name": self.name, "namespace": self.namespace, "labels": {"app": self.template.app}});
        builder.old(Res::STATEFUL_SETS, json!({"metadata": metadata, "spec": spec}));
        let Some(set) = builder.store.get(Res::STATEFUL_SETS, Some(self.namespace), self.name) else { return };
        for (index, node) in self.on.iter().enumerate() {
            let pod_name = format!("{}-{index}", self.name);
            let mut pod = pod(&set["spec"]["template"], self.namespace, &pod_name, owned_by(&set));
            for claim in claims(&set, &mut pod) {
                builder.old(Res::PERSISTENT_VOLUME_CLAIMS, claim);
            }
            self.run(builder, pod, node);
        }
    }

    /// A DaemonSet.
    pub fn daemon_set(&self, builder: &Builder<'_>) {
        let mut spec = self.spec();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("replicas");
        }
        let metadata = json!({"name": self.name, "namespace": self.namespace, "labels": {"app": self.template.app}});
        builder.old(Res::DAEMON_SETS, json!({"metadata": metadata, "spec": spec}));
        let Some(set) = builder.store.get(Res::DAEMON_SETS, Some(self.namespace), self.name) else { return };
        for node in &self.on {
            let tail = &hex(&format!("{}/{} {node}", self.namespace, self.name), 5);
            self.start(builder, &set["spec"]["template"], &format!("{}-{tail}", self.name), owned_by(&set), node);
        }
    }

    /// Pods that nothing replaces.
    pub fn bare(&self, builder: &Builder<'_>) {
        let template = self.template.object();
        for (index, node) in self.on.iter().enumerate() {
            let pod_name = if index == 0 { self.name.to_owned() } else { format!("{}-{index}", self.name) };
            self.start(builder, &template, &pod_name, Value::Null, node);
        }
    }

    fn start(&self, builder: &Builder<'_>, template: &Value, pod_name: &str, owners: Value, node: &str) {
        self.run(builder, pod(template, self.namespace, pod_name, owners), node);
    }

    fn run(&self, builder: &Builder<'_>, mut pod: Value, node: &str) {
        bind(&mut pod, node, self.since);
        run(&mut pod, self.since);
        builder.born(Res::PODS, pod, self.since);
    }
}

/// The name of the volume that a replica of a StatefulSet has for itself.
const DATA: &str = "data";

fn claim_spec(mode: &str) -> Value {
    json!({
        "accessModes": [mode], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "gp3-csi",
        "volumeMode": "Filesystem",
    })
}

/// A claim that has got its volume.
fn bound_claim(in_namespace: &str, claim_name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["volumeName"] = json!(format!("pvc-{}", super::object::uuid(&format!("{in_namespace}/{claim_name}"))));
    let status = json!({"accessModes": spec["accessModes"], "capacity": {"storage": "10Gi"}, "phase": "Bound"});
    json!({"metadata": {"name": claim_name, "namespace": in_namespace}, "spec": spec, "status": status})
}

/// Gives a replica of a StatefulSet its own volumes; the claims that they need, which outlive the pod.
pub fn claims(set: &Value, pod: &mut Value) -> Vec<Value> {
    let mut needed = Vec::new();
    for template in items(set, "/spec/volumeClaimTemplates") {
        let volume = text(template, "/metadata/name");
        let claim = format!("{volume}-{}", name(pod));
        let entry = json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}});
        let mount = json!({"mountPath": format!("/var/{volume}"), "name": volume});
        for (list, entry) in [("/spec/volumes", entry), ("/spec/containers/0/volumeMounts", mount)] {
            let mut values = items(pod, list).to_vec();
            values.push(entry);
            let (parent, field) = list.rsplit_once('/').unwrap_or_default();
            if let Some(parent) = pod.pointer_mut(parent) {
                parent[field] = json!(values);
            }
        }
        needed.push(bound_claim(namespace(pod), &claim, &template["spec"]));
    }
    needed
}

/// The ReplicaSet of a Deployment's present template.
pub fn replica_set(deployment: &Value, replicas: i64, revision: i64) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    let hash = template_hash(&template);
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(hash);
    json!({
        "metadata": {
            "name": format!("{}-{hash}", name(deployment)),
            "namespace": namespace(deployment),
            "labels": labels,
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
            "ownerReferences": owner(
                "apps/v1", "Deployment", name(deployment), text(deployment, "/metadata/uid"),
            ),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    })
}

/// A PodDisruptionBudget for the pods of `app`.
pub fn budget(in_namespace: &str, budget_name: &str, app: &str, limit: (&str, Value)) -> Value {
    let (field, amount) = limit;
    json!({
        "metadata": {"name": budget_name, "namespace": in_namespace},
        "spec": {field: amount, "selector": {"matchLabels": {"app": app}}},
    })
}

/// Creates what the scenario runs.
pub fn build(builder: &Builder<'_>) {
    for workload in &builder.scenario.workloads {
        create(builder, workload);
    }
}

fn create(builder: &Builder<'_>, workload: &Workload) {
    let hosts = builder.scenario.hosts(&workload.pool);
    if hosts.is_empty() {
        return;
    }
    let nodes = hosts.len();
    // Where the scenario does not say, from the far end of the pool: the first node is the first to be drained.
    let start = (hash(&workload.name) % nodes as u64) as usize;
    let on: Vec<String> = (0..workload.replicas)
        .map(|index| workload.on.get(index).cloned().unwrap_or_else(|| hosts[(start + index) % nodes].clone()))
        .collect();
    let image =
        format!("registry.example.com/{}/{}:{}", workload.namespace, workload.name, 1 + hash(&workload.name) % 40);
    let mut template = Template::new(&workload.name, image, &workload.pool);
    template.grace = workload.grace.0.as_secs();
    template.stop = workload.stop.0.as_secs();
    if workload.scratch {
        template.volumes.push(json!({"emptyDir": {}, "name": "scratch"}));
    }
    let claim = workload.claim.as_deref();
    if let Some(mode) = claim.filter(|_| workload.kind != WorkloadKind::StatefulSet) {
        let volume = json!({"name": DATA, "persistentVolumeClaim": {"claimName": workload.name}});
        template.volumes.push(volume);
        let claim = bound_claim(&workload.namespace, &workload.name, &claim_spec(mode));
        builder.old(Res::PERSISTENT_VOLUME_CLAIMS, claim);
    }
    let since = minutes_before(builder.now, 60 * 24 * (2 + (hash(&workload.name) % 20) as i64)).max(builder.installed);
    let owned = Owned { namespace: &workload.namespace, name: &workload.name, template, on, since, claim };
    match workload.kind {
        WorkloadKind::Deployment => owned.deployment(builder),
        WorkloadKind::StatefulSet => owned.stateful_set(builder),
        WorkloadKind::Pod => owned.bare(builder),
    }
    if let Some(Budget { min_available, max_unavailable }) = &workload.budget {
        let (field, limit) = match (min_available, max_unavailable) {
            (Some(limit), _) => ("minAvailable", limit),
            (None, Some(limit)) => ("maxUnavailable", limit),
            (None, None) => return,
        };
        let amount = match limit {
            MaxUnavailable::Count(count) => json!(count),
            MaxUnavailable::Percent(percent) => json!(percent),
        };
        let object = budget(&workload.namespace, &workload.name, &workload.name, (field, amount));
        builder.old(Res::PDBS, object);
    }
}

/// The environment variable of a template's first container.
pub fn env<'a>(object: &'a Value, variable: &str) -> &'a str {
    items(object, "/spec/template/spec/containers/0/env")
        .iter()
        .find(|entry| entry["name"] == variable)
        .map_or("", |entry| text(entry, "/value"))
}

//! What the actors' informers hold: objects of the kinds that controllers look at, read once per change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::sim::cluster::machines::MCO;
use crate::sim::cluster::object::{annotation, flag, hash, items, label, name, namespace, selects, text, time};
use crate::sim::kinds::Res;
use crate::sim::store::{ChangeKind, Store};

/// Namespace (empty for cluster-scoped objects) and name.
pub type Key = (String, String);

/// The part of an object that controllers decide by.
pub trait View: PartialEq {
    /// Reads it.
    fn read(object: &Value) -> Self;
}

/// An object and what was read of it.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// The object.
    pub object: Arc<Value>,
    /// What was read of it.
    pub view: T,
}

/// All objects of a kind, kept up to date by their changes.
#[derive(Debug)]
pub struct Mirror<T> {
    res: Res,
    version: Option<u64>,
    entries: BTreeMap<Key, Entry<T>>,
    /// Objects that appeared or changed since the last refresh.
    pub changed: BTreeSet<Key>,
    /// Those of them whose view is another than before, and objects that vanished: a heartbeat alters nothing.
    pub altered: BTreeSet<Key>,
    /// Objects that vanished since the last refresh, and objects that changed, as they were.
    pub before: Vec<(Key, Entry<T>)>,
}

impl<T: View> Mirror<T> {
    fn new(res: Res) -> Self {
        Self {
            res,
            version: None,
            entries: BTreeMap::new(),
            changed: BTreeSet::new(),
            altered: BTreeSet::new(),
            before: Vec::new(),
        }
    }

    /// Catches up with the store; returns how many objects were read.
    fn refresh(&mut self, store: &Store) -> usize {
        self.changed.clear();
        self.altered.clear();
        self.before.clear();
        let news = self.version.map(|version| store.changes_since(self.res, version));
        let Some(Ok((changes, version))) = news else { return self.relist(store) };
        self.version = Some(version);
        let read = changes.len();
        for change in changes {
            let key = (namespace(&change.object).to_owned(), name(&change.object).to_owned());
            let old = if change.kind == ChangeKind::Deleted {
                self.changed.remove(&key);
                self.altered.insert(key.clone());
                self.entries.remove(&key)
            } else {
                let view = T::read(&change.object);
                self.changed.insert(key.clone());
                if self.entries.get(&key).is_none_or(|old| old.view != view) {
                    self.altered.insert(key.clone());
                }
                self.entries.insert(key.clone(), Entry { object: change.object, view })
            };
            if let Some(old) = old {
                self.before.push((key, old));
            }
        }
        read
    }

    fn relist(&mut self, store: &Store) -> usize {
        let (objects, version) = store.snapshot(self.res);
        // A kind that is not served has no news; look again next time.
        self.version = store.served(self.res).then_some(version);
        let old = std::mem::take(&mut self.entries);
        for object in objects {
            let key = (namespace(&object).to_owned(), name(&object).to_owned());
            self.changed.insert(key.clone());
            self.altered.insert(key.clone());
            let view = T::read(&object);
            self.entries.insert(key, Entry { object, view });
        }
        self.altered.extend(old.keys().cloned());
        self.before.extend(old);
        self.entries.len()
    }

    /// The entry of an object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Entry<T>> {
        self.entries.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The entries of a namespace.
    pub fn in_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Entry<T>> + 'a {
        let from = (namespace.to_owned(), String::new());
        self.entries.range(from..).take_while(move |((place, _), _)| place == namespace).map(|(_, entry)| entry)
    }

    /// All entries by namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Entry<T>)> {
        self.entries.iter()
    }

    /// All entries.
    pub fn values(&self) -> impl Iterator<Item = &Entry<T>> {
        self.entries.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether anything appeared, changed or vanished since the last refresh.
    pub fn has_news(&self) -> bool {
        !self.changed.is_empty() || !self.before.is_empty()
    }

    /// Keys of everything that appeared, changed or vanished.
    pub fn touched(&self) -> BTreeSet<Key> {
        self.changed.iter().cloned().chain(self.before.iter().map(|(key, _)| key.clone())).collect()
    }
}

/// A kind of which controllers need the object only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole;

impl View for Whole {
    fn read(_: &Value) -> Self {
        Self
    }
}

/// What controllers decide by about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: Option<String>,
    /// When it joined.
    pub born: DateTime<Utc>,
    /// `currentConfig`.
    pub current: String,
    /// `desiredConfig`.
    pub desired: String,
    /// `state`.
    pub state: String,
    /// `desiredDrain`.
    pub desired_drain: String,
    /// `lastAppliedDrain`.
    pub applied_drain: String,
    /// The status of Ready: True, False or Unknown.
    pub readiness: String,
    /// Ready is True.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// DiskPressure or NetworkUnavailable.
    pub pressed: bool,
    /// Whether it carries the taint of nodes that wait for their update.
    pub update_taint: bool,
    /// Whether it carries the taint that follows `spec.unschedulable`.
    pub cordon_taint: bool,
    /// Keys of taints that keep pods away.
    pub taints: Vec<String>,
    /// Whether it runs Windows: pods of the platform do not.
    pub windows: bool,
    /// `currentImage`: the image, built on the cluster, that it runs; empty for that of the release.
    pub current_image: String,
    /// `desiredImage`.
    pub desired_image: String,
    /// A digest of its labels, by which pools select it.
    pub labels: u64,
}

/// The taint on nodes that are not yet targeted (machine-config-operator, pkg/controller/node).
pub const UPDATE_TAINT: &str = "UpdateInProgress";
/// The taint that follows `spec.unschedulable` (Kubernetes, node lifecycle controller).
pub const CORDON_TAINT: &str = "node.kubernetes.io/unschedulable";

impl View for NodeView {
    fn read(object: &Value) -> Self {
        let note = |key: &str| annotation(object, &format!("{MCO}/{key}")).to_owned();
        let taints = items(object, "/spec/taints");
        let status = |kind: &str| {
            items(object, "/status/conditions")
                .iter()
                .find(|condition| condition["type"] == kind)
                .map_or("", |condition| text(condition, "/status"))
        };
        Self {
            name: name(object).to_owned(),
            zone: label(object, "topology.kubernetes.io/zone").map(str::to_owned),
            born: time(object, "/metadata/creationTimestamp").unwrap_or_default(),
            current: note("currentConfig"),
            desired: note("desiredConfig"),
            state: note("state"),
            desired_drain: note("desiredDrain"),
            applied_drain: note("lastAppliedDrain"),
            readiness: status("Ready").to_owned(),
            ready: status("Ready") == "True",
            unschedulable: flag(object, "/spec/unschedulable"),
            pressed: status("DiskPressure") == "True" || status("NetworkUnavailable") == "True",
            update_taint: taints.iter().any(|taint| taint["key"] == UPDATE_TAINT),
            cordon_taint: taints.iter().any(|taint| taint["key"] == CORDON_TAINT),
            taints: taints
                .iter()
                .filter(|taint| taint["effect"] != "PreferNoSchedule")
                .map(|taint| text(taint, "/key").to_owned())
                .collect(),
            windows: label(object, "kubernetes.io/os") == Some("windows"),
            current_image: note("currentImage"),
            desired_image: note("desiredImage"),
            labels: hash(&object["metadata"]["labels"].to_string()),
        }
    }
}

/// What controllers decide by about a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodView {
    /// The node that it is bound to, empty for none.
    pub node: String,
    /// The controlling owner's kind, empty for none.
    pub owner_kind: String,
    /// The controlling owner's uid, empty for none.
    pub owner: String,
    /// Its phase.
    pub phase: String,
    /// Ready is True.
    pub ready: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it is the picture of a static pod.
    pub mirror: bool,
    /// When it was created.
    pub born: DateTime<Utc>,
}

impl PodView {
    /// Whether it has run to its end.
    pub fn completed(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether a drain leaves it where it is (kubectl drain: DaemonSet and mirror pods, completed ones).
    pub fn stays(&self) -> bool {
        self.mirror || self.owner_kind == "DaemonSet"
    }
}

impl View for PodView {
    fn read(object: &Value) -> Self {
        let owner = items(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true);
        Self {
            node: text(object, "/spec/nodeName").to_owned(),
            owner_kind: owner.map_or("", |owner| text(owner, "/kind")).to_owned(),
            owner: owner.map_or("", |owner| text(owner, "/uid")).to_owned(),
            phase: text(object, "/status/phase").to_owned(),
            ready: items(object, "/status/conditions")
                .iter()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True"),
            deleting: !text(object, "/metadata/deletionTimestamp").is_empty(),
            mirror: !annotation(object, "kubernetes.io/config.mirror").is_empty(),
            born: time(object, "/metadata/creationTimestamp").unwrap_or_default(),
        }
    }
}

/// Everything that was seen.
pub struct Seen {
    /// Nodes.
    pub nodes: Mirror<NodeView>,
    /// Pods.
    pub pods: Mirror<PodView>,
    /// MachineConfigPools.
    pub pools: Mirror<Whole>,
    /// MachineConfigs.
    pub configs: Mirror<Whole>,
    /// PodDisruptionBudgets.
    pub budgets: Mirror<Whole>,
    /// Deployments.
    pub deployments: Mirror<Whole>,
    /// ReplicaSets.
    pub replica_sets: Mirror<Whole>,
    /// StatefulSets.
    pub stateful_sets: Mirror<Whole>,
    /// DaemonSets.
    pub daemon_sets: Mirror<Whole>,
    /// Pods by node.
    by_node: BTreeMap<String, BTreeSet<Key>>,
    /// Pods by the uid of their controlling owner.
    by_owner: BTreeMap<String, BTreeSet<Key>>,
    /// The pool of each node.
    pool_of: BTreeMap<String, String>,
    /// Nodes that went from one pool to another since the last refresh: node, old pool, new pool.
    pub moved: Vec<(String, Option<String>, Option<String>)>,
    /// How many objects were read at the last refresh: the measure of a step's cost.
    pub read: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            nodes: Mirror::new(Res::NODES),
            pods: Mirror::new(Res::PODS),
            pools: Mirror::new(Res::MACHINE_CONFIG_POOLS),
            configs: Mirror::new(Res::MACHINE_CONFIGS),
            budgets: Mirror::new(Res::PDBS),
            deployments: Mirror::new(Res::DEPLOYMENTS),
            replica_sets: Mirror::new(Res::REPLICA_SETS),
            stateful_sets: Mirror::new(Res::STATEFUL_SETS),
            daemon_sets: Mirror::new(Res::DAEMON_SETS),
            by_node: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            pool_of: BTreeMap::new(),
            moved: Vec::new(),
            read: 0,
        }
    }
}

impl Seen {
    /// Catches up with the store.
    pub fn refresh(&mut self, store: &Store) {
        self.read = self.nodes.refresh(store)
            + self.pods.refresh(store)
            + self.pools.refresh(store)
            + self.configs.refresh(store)
            + self.budgets.refresh(store)
            + self.deployments.refresh(store)
            + self.replica_sets.refresh(store)
            + self.stateful_sets.refresh(store)
            + self.daemon_sets.refresh(store);
        self.index_pods();
        self.assign_pools();
    }

    fn index_pods(&mut self) {
        for (key, old) in &self.pods.before {
            for (index, value) in [(&mut self.by_node, &old.view.node), (&mut self.by_owner, &old.view.owner)] {
                if let Some(keys) = index.get_mut(value) {
                    keys.remove(key);
                    if keys.is_empty() {
                        index.remove(value);
                    }
                }
            }
        }
        for key in &self.pods.changed {
            let Some(entry) = self.pods.entries.get(key) else { continue };
            self.by_node.entry(entry.view.node.clone()).or_default().insert(key.clone());
            self.by_owner.entry(entry.view.owner.clone()).or_default().insert(key.clone());
        }
    }

    /// A node belongs to the custom pool that selects it, else to master, else to worker; one that two custom pools
    /// select belongs to none (machine-config-operator, pkg/helpers GetPoolsForNode).
    fn assign_pools(&mut self) {
        self.moved.clear();
        let all = self.pools.has_news();
        for (key, old) in &self.nodes.before {
            if !self.nodes.entries.contains_key(key) {
                self.pool_of.remove(&old.view.name);
            }
        }
        let nodes: Vec<&Entry<NodeView>> = if all {
            self.nodes.entries.values().collect()
        } else {
            self.nodes.changed.iter().filter_map(|key| self.nodes.entries.get(key)).collect()
        };
        let pools: Vec<(&str, &Value)> =
            self.pools.values().map(|pool| (name(&pool.object), &pool.object["spec"]["nodeSelector"])).collect();
        let mut assigned = Vec::with_capacity(nodes.len());
        for node in nodes {
            let labels = &node.object["metadata"]["labels"];
            let windows = labels["kubernetes.io/os"] == "windows";
            let selecting: Vec<&str> = pools
                .iter()
                .filter(|(_, selector)| !windows && selects(selector, labels))
                .map(|(pool, _)| *pool)
                .collect();
            let custom: Vec<&str> =
                selecting.iter().copied().filter(|pool| !matches!(*pool, "master" | "worker")).collect();
            let pool = match (custom.as_slice(), selecting.contains(&"master"), selecting.contains(&"worker")) {
                (_, true, _) => Some("master"),
                ([one], false, _) => Some(*one),
                ([], false, true) => Some("worker"),
                _ => None,
            };
            assigned.push((node.view.name.clone(), pool.map(str::to_owned)));
        }
        for (node, pool) in assigned {
            let old = match &pool {
                Some(pool) => self.pool_of.insert(node.clone(), pool.clone()),
                None => self.pool_of.remove(&node),
            };
            if old != pool {
                self.moved.push((node, old, pool));
            }
        }
    }

    /// The node of that name.
    pub fn node(&self, node: &str) -> Option<&Entry<NodeView>> {
        self.nodes.get("", node)
    }

    /// The pool of a node.
    pub fn pool_of(&self, node: &str) -> Option<&str> {
        self.pool_of.get(node).map(String::as_str)
    }

    /// The nodes of a pool, by name.
    pub fn nodes_of<'a>(&'a self, pool: &'a str) -> impl Iterator<Item = &'a Entry<NodeView>> + 'a {
        self.nodes.values().filter(move |node| self.pool_of(&node.view.name) == Some(pool))
    }

    /// The pods on a node; of the node "" those that are on none.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = (&Key, &Entry<PodView>)> {
        self.pods_of(self.by_node.get(node))
    }

    /// The pods that an owner controls.
    pub fn pods_by(&self, owner: &str) -> impl Iterator<Item = (&Key, &Entry<PodView>)> {
        self.pods_of(self.by_owner.get(owner))
    }

    fn pods_of<'a>(&'a self, keys: Option<&'a BTreeSet<Key>>) -> impl Iterator<Item = (&'a Key, &'a Entry<PodView>)> {
        keys.into_iter().flatten().filter_map(|key| self.pods.entries.get_key_value(key))
    }

    /// How many pods are on a node.
    pub fn pod_count(&self, node: &str) -> usize {
        self.by_node.get(node).map_or(0, BTreeSet::len)
    }

    /// The ready pod of a Deployment that leads (the only one, or the first by name): its uid and node.
    pub fn leader(&self, namespace: &str, app: &str) -> Option<(String, String)> {
        let pod = self.leading(namespace, app)?;
        Some((text(&pod.object, "/metadata/uid").to_owned(), pod.view.node.clone()))
    }

    /// The name of that pod.
    pub fn leading_pod(&self, namespace: &str, app: &str) -> Option<String> {
        self.leading(namespace, app).map(|pod| name(&pod.object).to_owned())
    }

    fn leading(&self, namespace: &str, app: &str) -> Option<&Entry<PodView>> {
        let owned = |set: &Entry<Whole>| {
            items(&set.object, "/metadata/ownerReferences").iter().any(|owner| owner["name"] == app)
        };
        self.replica_sets
            .iter()
            .filter(|((place, _), set)| place == namespace && owned(set))
            .flat_map(|(_, set)| self.pods_by(text(&set.object, "/metadata/uid")))
            .find(|(_, pod)| pod.view.ready && !pod.view.deleting)
            .map(|(_, pod)| pod)
    }
}

//! The simulated cluster's memory: objects as plain JSON, one resourceVersion for all, and a bounded history.
//!
//! Belongs here: what etcd and the registry of a real API server keep true, whoever writes: names, uids, generations,
//! versions, order of changes. Does not: HTTP, permissions, validation, rules of single kinds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::clock;
use crate::sim::kinds::{KINDS, KindInfo, OPTIONAL, Res};

/// How many changes of one kind are remembered for watches, unless told otherwise.
pub const HISTORY: usize = 4096;

/// The first resourceVersion. Above the small numbers that clients use to mean "very old".
const FIRST_VERSION: u64 = 10_000;

/// How long requests for a kind that has just appeared are answered by 429 "storage is (re)initializing".
const INITIALIZING: Duration = Duration::from_secs(1);

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change, as watches need it.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resourceVersion that the change made.
    pub version: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// The object after the change; for a deletion its last state, at the version of the deletion.
    pub object: Arc<Value>,
    /// The object before the change: a selector may have matched then and not now.
    pub previous: Option<Arc<Value>>,
}

/// Why a watch cannot go on from a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoChanges {
    /// The version fell out of the history; the oldest version that can be continued from is given.
    Expired {
        /// The oldest version that can still be continued from.
        oldest: u64,
    },
    /// The kind is not served (any more).
    NotServed,
}

/// What became of a write that may be refused.
#[derive(Debug)]
pub enum Written {
    /// Nothing was different; the object as it is.
    Unchanged(Arc<Value>),
    /// The object as it is now.
    Changed(Arc<Value>),
    /// The write took away the last finalizer of an object that was being deleted: it is gone.
    Removed(Arc<Value>),
}

impl Written {
    /// The object, whatever became of it.
    pub fn object(self) -> Arc<Value> {
        match self {
            Self::Unchanged(object) | Self::Changed(object) | Self::Removed(object) => object,
        }
    }
}

type Key = (String, String);

/// The objects of one kind.
struct Table {
    info: Arc<KindInfo>,
    served: bool,
    appeared: Option<tokio::time::Instant>,
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    /// Watches may continue from this version or a later one.
    oldest: u64,
    news: watch::Sender<u64>,
}

impl Table {
    fn new(info: KindInfo, version: u64) -> Self {
        Self {
            served: !OPTIONAL.contains(&info.res()),
            info: Arc::new(info),
            appeared: None,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            oldest: version,
            news: watch::Sender::new(version),
        }
    }

    fn publish(&mut self, change: Change, limit: usize) {
        let version = change.version;
        self.history.push_back(change);
        while self.history.len() > limit {
            if let Some(forgotten) = self.history.pop_front() {
                self.oldest = forgotten.version;
            }
        }
        self.news.send_replace(version);
    }
}

struct Inner {
    seed: u64,
    version: u64,
    tables: BTreeMap<Res, Table>,
    /// How many objects of one name there have been: the same name gets another uid when it is made again.
    births: BTreeMap<(Res, Key), u64>,
    history: usize,
}

/// The objects of the simulated cluster. Share it behind an [`Arc`]; every method takes `&self`.
///
/// Every change takes the next resourceVersion, is remembered in the history of its kind and wakes the watches of that
/// kind. Readers get the objects themselves behind [`Arc`]s, never copies.
pub struct Store {
    inner: RwLock<Inner>,
}

/// All that an etcd holds, taken out of a [`Store`]: objects, versions, history.
pub struct Etcd(Inner);

impl std::fmt::Debug for Etcd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Etcd(version {})", self.0.version)
    }
}

impl Store {
    /// An empty store that knows the kinds of [`KINDS`]. Uids are derived from `seed`: the same seed gives the same
    /// story.
    pub fn new(seed: u64) -> Self {
        Self::from_version(seed, FIRST_VERSION)
    }

    /// The same, with versions that begin after `version`: another etcd knows nothing of the versions of this one.
    pub fn from_version(seed: u64, version: u64) -> Self {
        let tables = KINDS.iter().map(|info| (info.res(), Table::new(info.clone(), version))).collect();
        let inner = Inner { seed, version, tables, births: BTreeMap::new(), history: HISTORY };
        Self { inner: RwLock::new(inner) }
    }

    /// What the store holds, without the store.
    pub fn into_etcd(self) -> Etcd {
        Etcd(self.inner.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The API server starts on another etcd; the one that it had is handed back. Whoever waits for changes of a kind is
    /// woken, and goes on from versions that mean nothing here.
    pub fn exchange(&self, etcd: Etcd) -> Etcd {
        let mut inner = self.write();
        let mut old = std::mem::replace(&mut *inner, etcd.0);
        let version = inner.version;
        for (res, table) in &mut inner.tables {
            if let Some(former) = old.tables.get_mut(res) {
                std::mem::swap(&mut table.news, &mut former.news);
            }
            table.news.send_replace(version);
        }
        Etcd(old)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object of that name. `namespace` is ignored for cluster-scoped kinds.
    pub fn get(&self, res: Res, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let inner = self.read();
        let table = inner.tables.get(&res)?;
        table.objects.get(&table.info.key(namespace, name)).cloned()
    }

    /// All objects of a kind, ordered by namespace and name.
    pub fn list(&self, res: Res) -> Vec<Arc<Value>> {
        self.read().tables.get(&res).map(|table| table.objects.values().cloned().collect()).unwrap_or_default()
    }

    /// All objects of a kind and the resourceVersion at which they were seen together.
    pub fn snapshot(&self, res: Res) -> (Vec<Arc<Value>>, u64) {
        let inner = self.read();
        let objects = inner.tables.get(&res).map(|table| table.objects.values().cloned().collect()).unwrap_or_default();
        (objects, inner.version)
    }

    /// Stores a new object, or replaces the one of that name, and returns it completed: apiVersion, kind, uid,
    /// creationTimestamp (kept when given), generation 1 (kept when given), resourceVersion. Makes an optional kind
    /// served. The address decides about the kind; an unknown one is ignored and the object handed back as given.
    pub fn create(&self, res: Res, object: Value, now: DateTime<Utc>) -> Arc<Value> {
        let mut inner = self.write();
        let version = inner.version + 1;
        Self::put(&mut inner, res, object, now, version)
    }

    /// Stores a recorded object as it is: uid, timestamps and resourceVersion are kept when given.
    pub fn load(&self, res: Res, object: Value, now: DateTime<Utc>) -> Arc<Value> {
        let recorded = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let recorded = recorded.and_then(|version| version.parse::<u64>().ok());
        let mut inner = self.write();
        let version = recorded.unwrap_or(inner.version + 1);
        Self::put(&mut inner, res, object, now, version)
    }

    fn put(inner: &mut Inner, res: Res, object: Value, now: DateTime<Utc>, version: u64) -> Arc<Value> {
        let Some(info) = inner.tables.get(&res).map(|table| Arc::clone(&table.info)) else {
            return Arc::new(object);
        };
        let mut object = if object.is_object() { object } else { json!({}) };
        let key = info.key_of(&object);
        let previous = inner.tables.get(&res).and_then(|table| table.objects.get(&key)).cloned();
        let birth = inner.births.entry((res, key.clone())).or_insert(0);
        *birth += u64::from(previous.is_none());
        let uid = uid(inner.seed, res, &key, *birth);
        complete(&mut object, &info, &uid, now, version);
        let object = Arc::new(object);
        inner.version = inner.version.max(version);
        // A recorded version may lie below what was already published; the history is in the order of publication.
        let published = inner.version;
        let limit = inner.history;
        if let Some(table) = inner.tables.get_mut(&res) {
            table.served |= OPTIONAL.contains(&res);
            table.objects.insert(key, Arc::clone(&object));
            let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
            table.publish(Change { version: published, kind, object: Arc::clone(&object), previous }, limit);
        }
        object
    }

    /// Changes an object in place and publishes it. False when it is not there or when nothing was different: then there
    /// is no event either. The generation counts changes of the spec, for kinds that have one. Identity (name,
    /// namespace, uid, creationTimestamp, resourceVersion) cannot be changed. Taking away the last finalizer of an
    /// object that is being deleted removes it.
    pub fn update(&self, res: Res, namespace: Option<&str>, name: &str, change: impl FnOnce(&mut Value)) -> bool {
        let written = self.transact::<()>(res, namespace, name, |object| {
            let mut next = object.clone();
            change(&mut next);
            Ok(next)
        });
        matches!(written, Some(Ok(Written::Changed(_) | Written::Removed(_))))
    }

    /// Changes an object by a function that may refuse, while nobody else writes. `None` when it is not there.
    pub fn transact<E>(
        &self,
        res: Res,
        namespace: Option<&str>,
        name: &str,
        change: impl FnOnce(&Value) -> Result<Value, E>,
    ) -> Option<Result<Written, E>> {
        let mut guard = self.write();
        let inner = &mut *guard;
        let table = inner.tables.get_mut(&res)?;
        let key = table.info.key(namespace, name);
        let previous = Arc::clone(table.objects.get(&key)?);
        let mut next = match change(&previous) {
            Ok(next) => next,
            Err(refusal) => return Some(Err(refusal)),
        };
        settle(&mut next, &previous, &table.info);
        if next == *previous {
            return Some(Ok(Written::Unchanged(previous)));
        }
        inner.version += 1;
        set_metadata(&mut next, "resourceVersion", json!(inner.version.to_string()));
        let next = Arc::new(next);
        let removed = finalizers(&previous) > 0 && finalizers(&next) == 0 && is_terminating(&next);
        let kind = if removed { ChangeKind::Deleted } else { ChangeKind::Modified };
        if removed {
            table.objects.remove(&key);
        } else {
            table.objects.insert(key, Arc::clone(&next));
        }
        let change = Change { version: inner.version, kind, object: Arc::clone(&next), previous: Some(previous) };
        table.publish(change, inner.history);
        Some(Ok(if removed { Written::Removed(next) } else { Written::Changed(next) }))
    }

    /// What [`Store::transact`] would make of an object, without storing it.
    pub fn rehearse<E>(
        &self,
        res: Res,
        namespace: Option<&str>,
        name: &str,
        change: impl FnOnce(&Value) -> Result<Value, E>,
    ) -> Option<Result<Arc<Value>, E>> {
        let info = self.info(res)?;
        let previous = self.get(res, namespace, name)?;
        let settled = change(&previous).map(|mut next| {
            settle(&mut next, &previous, &info);
            Arc::new(next)
        });
        Some(settled)
    }

    /// What [`Store::create`] would make of a new object, without storing it: it has no resourceVersion.
    pub fn rehearse_create(&self, info: &KindInfo, object: Value, now: DateTime<Utc>) -> Value {
        let mut object = object;
        let key = info.key_of(&object);
        complete(&mut object, info, &uid(self.read().seed, info.res(), &key, 0), now, 0);
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        object
    }

    /// Removes an object at once, whatever its finalizers and grace, and returns its last state.
    pub fn delete(&self, res: Res, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let mut guard = self.write();
        let inner = &mut *guard;
        let table = inner.tables.get_mut(&res)?;
        let previous = table.objects.remove(&table.info.key(namespace, name))?;
        inner.version += 1;
        let mut last = (*previous).clone();
        set_metadata(&mut last, "resourceVersion", json!(inner.version.to_string()));
        let last = Arc::new(last);
        let change = Change {
            version: inner.version,
            kind: ChangeKind::Deleted,
            object: Arc::clone(&last),
            previous: Some(previous),
        };
        table.publish(change, inner.history);
        Some(last)
    }

    /// The version of the newest change.
    pub fn resource_version(&self) -> u64 {
        self.read().version
    }

    /// Whether the kind is served.
    pub fn served(&self, res: Res) -> bool {
        self.read().tables.get(&res).is_some_and(|table| table.served)
    }

    /// Makes a kind appear or vanish. Discovery and 404s follow at once; for a moment after a kind has appeared,
    /// requests for it are told that its storage is initializing.
    pub fn set_served(&self, res: Res, served: bool) {
        let mut inner = self.write();
        let version = inner.version;
        if let Some(table) = inner.tables.get_mut(&res) {
            if served && !table.served {
                table.appeared = Some(clock::runtime_instant());
            }
            table.served = served;
            table.news.send_replace(version);
        }
    }

    /// Makes a kind served that was there before anybody looked. For a cluster that is being built.
    pub fn serve_always(&self, res: Res) {
        if let Some(table) = self.write().tables.get_mut(&res) {
            table.served = true;
        }
    }

    /// Whether the kind has appeared so recently that its storage is still initializing.
    pub fn is_initializing(&self, res: Res) -> bool {
        let inner = self.read();
        let appeared = inner.tables.get(&res).and_then(|table| table.appeared);
        appeared.is_some_and(|at| clock::runtime_instant().duration_since(at) < INITIALIZING)
    }

    /// Serves a kind in another version from now on. For a cluster that is being built: objects that are there already
    /// keep the version that they were made in.
    pub fn serve_version(&self, res: Res, version: &'static str) {
        if let Some(table) = self.write().tables.get_mut(&res) {
            table.info = Arc::new(KindInfo { version, ..(*table.info).clone() });
        }
    }

    /// Adds a kind, served at once. One that is already known at this address stays as it is.
    pub fn register(&self, info: KindInfo) {
        let mut inner = self.write();
        let version = inner.version;
        let table = inner.tables.entry(info.res()).or_insert_with(|| Table::new(info, version));
        table.served = true;
    }

    /// What is known about a kind, whether it is served or not.
    pub fn info(&self, res: Res) -> Option<Arc<KindInfo>> {
        self.read().tables.get(&res).map(|table| Arc::clone(&table.info))
    }

    /// The served kind behind a path such as `/apis/<group>/<version>/<plural>`.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<KindInfo>> {
        let inner = self.read();
        let fits = |table: &&Table| {
            let info = &table.info;
            table.served && info.group == group && info.version == version && info.plural == plural
        };
        inner.tables.values().find(fits).map(|table| Arc::clone(&table.info))
    }

    /// The known kind that an object's `apiVersion` and `kind` mean, whatever its version.
    pub fn find_kind(&self, group: &str, kind: &str) -> Option<Arc<KindInfo>> {
        let inner = self.read();
        let fits = |table: &&Table| table.info.group == group && table.info.kind == kind;
        inner.tables.values().find(fits).map(|table| Arc::clone(&table.info))
    }

    /// The served kinds, ordered by group and plural name.
    pub fn kinds(&self) -> Vec<Arc<KindInfo>> {
        self.read().tables.values().filter(|table| table.served).map(|table| Arc::clone(&table.info)).collect()
    }

    /// Wakes whenever a kind changes, or appears, or vanishes. `None` for an unknown kind.
    pub fn subscribe(&self, res: Res) -> Option<watch::Receiver<u64>> {
        self.read().tables.get(&res).map(|table| table.news.subscribe())
    }

    /// The changes of a kind after a version, oldest first, and the version that they lead to.
    pub fn changes_since(&self, res: Res, version: u64) -> Result<(Vec<Change>, u64), NoChanges> {
        let inner = self.read();
        let table = inner.tables.get(&res).filter(|table| table.served).ok_or(NoChanges::NotServed)?;
        if version < table.oldest {
            return Err(NoChanges::Expired { oldest: table.oldest });
        }
        let from = table.history.partition_point(|change| change.version <= version);
        Ok((table.history.range(from..).cloned().collect(), inner.version.max(version)))
    }

    /// All objects of a kind as they were at an earlier version, undone change by change.
    pub fn snapshot_at(&self, res: Res, version: u64) -> Result<Vec<Arc<Value>>, NoChanges> {
        let inner = self.read();
        let table = inner.tables.get(&res).filter(|table| table.served).ok_or(NoChanges::NotServed)?;
        if version < table.oldest {
            return Err(NoChanges::Expired { oldest: table.oldest });
        }
        let later = table.history.partition_point(|change| change.version <= version);
        if later == table.history.len() {
            return Ok(table.objects.values().cloned().collect());
        }
        let mut objects = table.objects.clone();
        for change in table.history.range(later..).rev() {
            let key = table.info.key_of(&change.object);
            match &change.previous {
                Some(previous) => objects.insert(key, Arc::clone(previous)),
                None => objects.remove(&key),
            };
        }
        Ok(objects.into_values().collect())
    }

    /// Forgets the history: whoever watches from an older version has to list again. Done once the initial objects are
    /// there, and as a fault.
    pub fn forget_history(&self) {
        let mut inner = self.write();
        let version = inner.version;
        for table in inner.tables.values_mut() {
            table.history.clear();
            table.oldest = version;
        }
    }

    /// Changes how many changes of one kind are remembered.
    pub fn set_history(&self, changes: usize) {
        self.write().history = changes;
    }
}

impl KindInfo {
    fn key(&self, namespace: Option<&str>, name: &str) -> Key {
        let namespace = if self.namespaced { namespace.unwrap_or("default") } else { "" };
        (namespace.to_owned(), name.to_owned())
    }

    fn key_of(&self, object: &Value) -> Key {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        self.key(text("/metadata/namespace"), text("/metadata/name").unwrap_or_default())
    }
}

/// Fills what the API server fills when an object is born.
fn complete(object: &mut Value, info: &KindInfo, uid: &str, now: DateTime<Utc>, version: u64) {
    object["apiVersion"] = json!(info.api_version());
    object["kind"] = json!(info.kind);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    let fill = |metadata: &mut Map<String, Value>, field: &str, value: Value| {
        if metadata.get(field).is_none_or(Value::is_null) {
            metadata.insert(field.to_owned(), value);
        }
    };
    fill(metadata, "uid", json!(uid));
    fill(metadata, "creationTimestamp", json!(timestamp(now)));
    if info.namespaced {
        fill(metadata, "namespace", json!("default"));
    } else {
        metadata.remove("namespace");
    }
    if info.generation {
        fill(metadata, "generation", json!(1));
    }
    metadata.insert("resourceVersion".to_owned(), json!(version.to_string()));
}

/// Keeps true what a write cannot change, and counts the generation.
fn settle(next: &mut Value, previous: &Value, info: &KindInfo) {
    next["apiVersion"] = previous["apiVersion"].clone();
    next["kind"] = previous["kind"].clone();
    if !next["metadata"].is_object() {
        next["metadata"] = json!({});
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation"] {
        match previous["metadata"].get(field) {
            Some(value) => set_metadata(next, field, value.clone()),
            None => {
                if let Some(metadata) = next["metadata"].as_object_mut() {
                    metadata.remove(field);
                }
            }
        }
    }
    if info.generation && spec_differs(next, previous, info) {
        let generation = previous["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        set_metadata(next, "generation", json!(generation));
    }
}

/// A kind without status subresource counts every change outside the metadata: apiextensions-apiserver,
/// customresource strategy, PrepareForUpdate.
fn spec_differs(next: &Value, previous: &Value, info: &KindInfo) -> bool {
    if info.status || !info.custom {
        return next["spec"] != previous["spec"];
    }
    let body = |object: &Value| {
        let mut body = object.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("metadata");
        }
        body
    };
    body(next) != body(previous)
}

fn set_metadata(object: &mut Value, field: &str, value: Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert(field.to_owned(), value);
    }
}

fn finalizers(object: &Value) -> usize {
    object.pointer("/metadata/finalizers").and_then(Value::as_array).map_or(0, Vec::len)
}

fn is_terminating(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// A time as `metav1.Time` writes it: whole seconds, UTC.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A uid in the form of a random UUID, derived from what the object is: replaying a story gives the same uids.
fn uid(seed: u64, res: Res, key: &Key, birth: u64) -> String {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    for byte in [res.group, "/", res.plural, "/", &key.0, "/", &key.1].iter().flat_map(|part| part.bytes()) {
        state = scramble(state ^ u64::from(byte));
    }
    let high = scramble(state ^ birth);
    let low = scramble(high);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// One step of the splitmix64 generator.
fn scramble(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn pool(name: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"paused": false}})
    }

    #[test]
    fn a_new_object_is_completed() {
        let store = Store::new(1);
        let made = store.create(Res::MACHINE_CONFIG_POOLS, pool("worker"), now());
        assert_eq!(made["apiVersion"], "machineconfiguration.openshift.io/v1");
        assert_eq!(made["kind"], "MachineConfigPool");
        assert_eq!(made["metadata"]["generation"], 1);
        assert_eq!(made["metadata"]["creationTimestamp"], "2027-01-15T08:00:00Z");
        assert_eq!(made["metadata"]["resourceVersion"], store.resource_version().to_string());
        assert_eq!(made["metadata"]["uid"].as_str().unwrap().len(), 36);
    }

    #[test]
    fn the_same_seed_gives_the_same_uids_and_a_rebirth_another() {
        let uids = |seed| {
            let store = Store::new(seed);
            let first = store.create(Res::MACHINE_CONFIG_POOLS, pool("worker"), now())["metadata"]["uid"].clone();
            store.delete(Res::MACHINE_CONFIG_POOLS, None, "worker");
            let second = store.create(Res::MACHINE_CONFIG_POOLS, pool("worker"), now())["metadata"]["uid"].clone();
            (first, second)
        };
        assert_eq!(uids(7), uids(7));
        assert_ne!(uids(7).0, uids(8).0);
        assert_ne!(uids(7).0, uids(7).1);
    }

    #[test]
    fn generations_count_changes_of_the_spec_only_and_nodes_have_none() {
        let store = Store::new(1);
        store.create(Res::MACHINE_CONFIG_POOLS, pool("worker"), now());
        store.create(Res::NODES, json!({"metadata": {"name": "n"}, "spec": {}}), now());
        assert!(store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| pool["status"] = json!({"a": 1})));
        assert!(store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| pool["spec"]["paused"] = json!(true)));
        assert!(store.update(Res::NODES, None, "n", |node| node["spec"]["unschedulable"] = json!(true)));
        let pool = store.get(Res::MACHINE_CONFIG_POOLS, None, "worker").unwrap();
        assert_eq!(pool["metadata"]["generation"], 2);
        let node = store.get(Res::NODES, None, "n").unwrap();
        assert!(node["metadata"].get("generation").is_none());
    }

    #[test]
    fn writing_the_same_again_is_no_change() {
        let store = Store::new(1);
        store.create(Res::MACHINE_CONFIG_POOLS, pool("worker"), now());
        let before = store.resource_version();
        assert!(!store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| pool["spec"]["paused"] = json!(false)));
        assert!(!store.update(Res::MACHINE_CONFIG_POOLS, None, "nope", |_| ()));
        assert_eq!(store.resource_version(), before);
    }

    #[test]
    fn changes_are_told_in_order_until_they_are_forgotten() {
        let store = Store::new(1);
        store.set_history(2);
        let start = store.resource_version();
        store.create(Res::MACHINE_CONFIG_POOLS, pool("a"), now());
        store.update(Res::MACHINE_CONFIG_POOLS, None, "a", |pool| pool["spec"]["paused"] = json!(true));
        let kinds = |from| {
            let (changes, _) = store.changes_since(Res::MACHINE_CONFIG_POOLS, from)?;
            Ok(changes.iter().map(|change| change.kind).collect::<Vec<_>>())
        };
        assert_eq!(kinds(start), Ok(vec![ChangeKind::Added, ChangeKind::Modified]));
        store.delete(Res::MACHINE_CONFIG_POOLS, None, "a");
        assert_eq!(kinds(start), Err(NoChanges::Expired { oldest: start + 1 }));
        assert_eq!(kinds(start + 1), Ok(vec![ChangeKind::Modified, ChangeKind::Deleted]));
        assert_eq!(kinds(start + 3), Ok(vec![]));
    }

    #[test]
    fn the_last_finalizer_of_a_dying_object_removes_it() {
        let store = Store::new(1);
        let mut held = pool("held");
        held["metadata"]["finalizers"] = json!(["example.com/hold"]);
        store.create(Res::MACHINE_CONFIG_POOLS, held, now());
        let drop_finalizers = |pool: &mut Value| pool["metadata"]["finalizers"] = json!([]);
        store.update(Res::MACHINE_CONFIG_POOLS, None, "held", |pool| {
            pool["metadata"]["deletionTimestamp"] = json!(timestamp(now()));
        });
        assert!(store.get(Res::MACHINE_CONFIG_POOLS, None, "held").is_some());
        store.update(Res::MACHINE_CONFIG_POOLS, None, "held", drop_finalizers);
        assert!(store.get(Res::MACHINE_CONFIG_POOLS, None, "held").is_none());
    }

    #[test]
    fn recorded_versions_are_kept_and_never_overtaken() {
        let store = Store::new(1);
        let recorded = json!({"metadata": {"name": "a", "resourceVersion": "4865176381", "uid": "u"}});
        let loaded = store.load(Res::MACHINE_CONFIG_POOLS, recorded, now());
        assert_eq!(loaded["metadata"]["resourceVersion"], "4865176381");
        assert_eq!(loaded["metadata"]["uid"], "u");
        let next = store.create(Res::MACHINE_CONFIG_POOLS, pool("b"), now());
        assert_eq!(next["metadata"]["resourceVersion"], "4865176382");
    }

    #[test]
    fn another_etcd_has_other_uids_and_versions_and_the_old_one_comes_back_as_it_was() {
        let store = Store::new(1);
        let first = store.create(Res::MACHINE_CONFIG_POOLS, pool("a"), now());
        let old_version = store.resource_version();
        let mut news = store.subscribe(Res::MACHINE_CONFIG_POOLS).unwrap();
        news.mark_unchanged();
        let other = Store::from_version(2, 500);
        other.create(Res::MACHINE_CONFIG_POOLS, pool("a"), now());
        let kept = store.exchange(other.into_etcd());
        assert!(news.has_changed().unwrap());
        let seen = store.get(Res::MACHINE_CONFIG_POOLS, None, "a").unwrap();
        assert_ne!(seen["metadata"]["uid"], first["metadata"]["uid"]);
        assert!(store.resource_version() < old_version);
        let (changes, _) = store.changes_since(Res::MACHINE_CONFIG_POOLS, old_version).unwrap();
        assert!(changes.is_empty(), "a version of the old etcd lies in the future of this one");
        store.exchange(kept);
        assert_eq!(store.get(Res::MACHINE_CONFIG_POOLS, None, "a").unwrap(), first);
        assert_eq!(
            store.create(Res::MACHINE_CONFIG_POOLS, pool("b"), now())["metadata"]["resourceVersion"],
            (old_version + 1).to_string()
        );
    }

    #[test]
    fn optional_kinds_appear_with_their_first_object() {
        let store = Store::new(1);
        assert!(!store.served(Res::IMAGE_BASED_UPGRADES));
        store.create(Res::IMAGE_BASED_UPGRADES, json!({"metadata": {"name": "upgrade"}}), now());
        assert!(store.served(Res::IMAGE_BASED_UPGRADES));
        store.set_served(Res::MACHINE_CONFIG_NODES, false);
        assert!(store.find("machineconfiguration.openshift.io", "v1", "machineconfignodes").is_none());
        assert!(!store.is_initializing(Res::MACHINE_CONFIG_NODES));
        store.set_served(Res::MACHINE_CONFIG_NODES, true);
        assert!(store.is_initializing(Res::MACHINE_CONFIG_NODES));
    }
}

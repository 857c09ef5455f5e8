//! Lean metadata: read straight into the `ObjectMeta` that kube wants, without what nobody looks at.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;

use super::lens::{Map, Read, Seq, Slot, Stopped, part, value};

/// What a kind keeps of its metadata beside name, namespace, uid, versions, times and labels.
#[derive(Debug, Clone, Copy)]
pub struct Keeps {
    /// Annotations whose keys begin so.
    pub annotations: &'static [&'static str],
    /// The field of `spec`, or the annotation (its key has a slash), whose managers are kept (of `managedFields`, nothing
    /// else is).
    pub owner_of: Option<&'static str>,
    /// What decides how it ends: controlling owner, finalizers, grace period.
    pub life: bool,
}

impl Keeps {
    /// No annotation, no manager.
    pub const NOTHING: Self = Self { annotations: &[], owner_of: None, life: false };
}

/// Who set a field, by `metadata.managedFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldOwner<'a> {
    /// The manager, such as `kubectl-patch` or `machine-config-controller`.
    pub manager: &'a str,
    /// When the manager last wrote one of its fields: it set this one then or earlier.
    pub at: Option<DateTime<Utc>>,
    /// It has this field alone: then that is when it set it.
    pub alone: bool,
}

impl FieldOwner<'_> {
    /// When the field was set; none where the time may be that of another change.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.at.filter(|_| self.alone)
    }
}

/// The controlling owner of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Kind, such as `ReplicaSet`.
    pub kind: &'a str,
    /// Name.
    pub name: &'a str,
}

/// The controlling owner, where the kind keeps it ([`Keeps::life`]).
pub fn controller(metadata: &ObjectMeta) -> Option<Owner<'_>> {
    let owner = metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    Some(Owner { kind: &owner.kind, name: &owner.name })
}

/// When its deletion was asked for; for pods the moment at which the grace period ends.
pub fn deleted(metadata: &ObjectMeta) -> Option<DateTime<Utc>> {
    metadata.deletion_timestamp.as_ref().and_then(to_chrono)
}

/// A time of the API in chrono's type.
pub fn to_chrono(time: &Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.0.as_second(), u32::try_from(time.0.subsec_nanosecond()).unwrap_or(0))
}

/// Who set the field that the kind asks about ([`Keeps::owner_of`]): the newest of its managers.
pub fn owner(metadata: &ObjectMeta) -> Option<FieldOwner<'_>> {
    metadata
        .managed_fields
        .iter()
        .flatten()
        .map(|entry| FieldOwner {
            manager: entry.manager.as_deref().unwrap_or_default(),
            at: entry.time.as_ref().and_then(to_chrono),
            alone: entry.fields_v1.is_none(),
        })
        .max_by_key(|owner| owner.at)
}

/// When the object was created.
pub fn created(metadata: &ObjectMeta) -> Option<DateTime<Utc>> {
    metadata.creation_timestamp.as_ref().and_then(to_chrono)
}

/// An annotation.
pub fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// A label.
pub fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// Reads the metadata at the current key of `map`; what is no object gives empty metadata.
pub fn read(map: &mut dyn Map, keeps: &'static Keeps) -> Result<ObjectMeta, Stopped> {
    let mut lean = Lean { keeps, meta: ObjectMeta::default() };
    map.value(&mut lean)?;
    Ok(lean.meta)
}

/// Metadata, and what is kept of it.
struct Lean {
    keeps: &'static Keeps,
    meta: ObjectMeta,
}

impl Slot for Lean {
    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        const KEYS: &[&str] = &[
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "labels",
            "annotations",
            "managedFields",
            "ownerReferences",
            "finalizers",
            "deletionGracePeriodSeconds",
        ];
        let (keeps, meta) = (self.keeps, &mut self.meta);
        while let Some(at) = map.key(KEYS)? {
            match at.map(|at| KEYS[at]) {
                Some("name") => meta.name = value(map)?,
                Some("namespace") => meta.namespace = value(map)?,
                Some("uid") => meta.uid = value(map)?,
                Some("resourceVersion") => meta.resource_version = value(map)?,
                Some("generation") => meta.generation = value(map)?,
                Some("creationTimestamp") => meta.creation_timestamp = value::<Stamp>(map)?.map(|at| at.0),
                Some("deletionTimestamp") => meta.deletion_timestamp = value::<Stamp>(map)?.map(|at| at.0),
                Some("labels") => meta.labels = value(map)?,
                Some("annotations") => {
                    let mut annotations = Annotations { wanted: keeps.annotations, kept: None };
                    map.value(&mut annotations)?;
                    meta.annotations = annotations.kept;
                }
                Some("managedFields") if keeps.owner_of.is_some() => {
                    let field = Field::of(keeps.owner_of.unwrap_or_default());
                    let mut managers = Managers { field: &field, kept: Vec::new() };
                    map.value(&mut managers)?;
                    meta.managed_fields = Some(managers.kept).filter(|kept| !kept.is_empty());
                }
                Some("ownerReferences") if keeps.life => {
                    let owners: Option<Vec<KeptOwner>> = value(map)?;
                    meta.owner_references = owners.map(|owners| owners.into_iter().map(KeptOwner::into).collect());
                }
                Some("finalizers") if keeps.life => meta.finalizers = value(map)?,
                Some("deletionGracePeriodSeconds") if keeps.life => meta.deletion_grace_period_seconds = value(map)?,
                _ => map.skip()?,
            }
        }
        Ok(())
    }
}

part! {
    /// An owner, as far as it is kept.
    pub struct KeptOwner {
        /// Kind.
        "kind" => pub kind: String,
        /// Name.
        "name" => pub name: String,
        /// Whether it controls the object.
        "controller" => pub controller: bool,
    }
}

impl From<KeptOwner> for OwnerReference {
    fn from(kept: KeptOwner) -> Self {
        Self { kind: kept.kind, name: kept.name, controller: Some(kept.controller), ..Self::default() }
    }
}

/// A time that goes into an `ObjectMeta`.
struct Stamp(Time);

impl Read for Stamp {
    fn of_str(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|at| Self(Time(at)))
    }
}

/// Annotations, those with the right beginnings only.
struct Annotations {
    wanted: &'static [&'static str],
    kept: Option<BTreeMap<String, String>>,
}

impl Slot for Annotations {
    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        let wanted = self.wanted;
        let kept = self.kept.insert(BTreeMap::new());
        while let Some(key) = map.name(&|key| wanted.iter().any(|beginning| key.starts_with(beginning)))? {
            match key {
                Some(key) => {
                    if let Some(text) = value::<String>(map)? {
                        kept.insert(key, text);
                    }
                }
                None => map.skip()?,
            }
        }
        Ok(())
    }
}

/// Where `fieldsV1` names a field: the keys from the outside in.
struct Field {
    keys: Vec<String>,
}

impl Field {
    /// A field of `spec` has no slash in its name; the key of an annotation with a domain has one.
    fn of(name: &str) -> Self {
        let parents: &[&str] = if name.contains('/') { &["f:metadata", "f:annotations"] } else { &["f:spec"] };
        let keys = parents.iter().map(|&parent| parent.to_owned()).chain([format!("f:{name}")]);
        Self { keys: keys.collect() }
    }
}

/// `managedFields`, reduced to the managers of one field; an empty tree of fields stands for whatever else one has.
struct Managers<'a> {
    field: &'a Field,
    kept: Vec<ManagedFieldsEntry>,
}

impl Slot for Managers<'_> {
    fn seq(&mut self, seq: &mut dyn Seq) -> Result<(), Stopped> {
        loop {
            let owns = Owns { keys: &self.field.keys, found: false, others: false };
            let mut one = Manager { owns, entry: ManagedFieldsEntry::default() };
            if !seq.next(&mut one)? {
                return Ok(());
            }
            if one.owns.found {
                one.entry.fields_v1 = one.owns.others.then_some(FieldsV1(serde_json::Value::Null));
                self.kept.push(one.entry);
            }
        }
    }
}

/// One entry of `managedFields`.
struct Manager<'a> {
    owns: Owns<'a>,
    entry: ManagedFieldsEntry,
}

impl Slot for Manager<'_> {
    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        const KEYS: &[&str] = &["manager", "operation", "time", "fieldsV1"];
        while let Some(at) = map.key(KEYS)? {
            match at.map(|at| KEYS[at]) {
                Some("manager") => self.entry.manager = value(map)?,
                Some("operation") => self.entry.operation = value(map)?,
                Some("time") => self.entry.time = value::<Stamp>(map)?.map(|at| at.0),
                Some("fieldsV1") => map.value(&mut self.owns)?,
                _ => map.skip()?,
            }
        }
        Ok(())
    }
}

/// Whether a tree of fields has the one below these keys, and whether it has others: those are passed over.
struct Owns<'a> {
    keys: &'a [String],
    found: bool,
    others: bool,
}

/// Stands in a tree of fields for the object that holds the others.
const ITSELF: &str = ".";

impl Slot for Owns<'_> {
    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        let Some((first, deeper)) = self.keys.split_first() else { return Ok(()) };
        while let Some(at) = map.key(&[first.as_str(), ITSELF])? {
            match at {
                Some(0) if deeper.is_empty() => {
                    self.found = true;
                    map.skip()?;
                }
                Some(0) => {
                    let mut inner = Owns { keys: deeper, found: false, others: false };
                    map.value(&mut inner)?;
                    self.found |= inner.found;
                    self.others |= inner.others;
                }
                Some(_) => map.skip()?,
                None => {
                    self.others = true;
                    map.skip()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::api::MachineConfigPool;

    fn owner_of(entries: &serde_json::Value) -> Option<(String, bool, bool)> {
        let pool = serde_json::json!({"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
            "metadata": {"name": "infra", "managedFields": entries}, "spec": {"paused": true}});
        let pool: MachineConfigPool = serde_json::from_value(pool).unwrap();
        pool.paused_by().map(|owner| (owner.manager.to_owned(), owner.at.is_some(), owner.since().is_some()))
    }

    #[test]
    fn the_time_of_a_field_is_told_only_where_its_manager_has_no_other() {
        let entry = |fields: serde_json::Value| serde_json::json!([{"manager": "oc", "operation": "Update", "time": "2026-03-01T01:00:00Z", "fieldsV1": fields}]);
        let alone = entry(serde_json::json!({"f:spec": {".": {}, "f:paused": {}}}));
        assert_eq!(owner_of(&alone), Some(("oc".into(), true, true)));
        // Somebody who wrote `maxUnavailable` later has the same entry: its time says nothing of the pause.
        for more in [
            serde_json::json!({"f:spec": {"f:maxUnavailable": {}, "f:paused": {}}}),
            serde_json::json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:paused": {}}}),
        ] {
            assert_eq!(owner_of(&entry(more)), Some(("oc".into(), true, false)));
        }
        assert_eq!(owner_of(&entry(serde_json::json!({"f:spec": {"f:maxUnavailable": {}}}))), None);
    }
}

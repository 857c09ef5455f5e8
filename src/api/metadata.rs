//! Lean metadata: read straight into the `ObjectMeta` that kube wants, without what nobody looks at.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::lens::{Key, Read, part, value};

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
    /// When the manager last wrote one of its fields: not later than that it set this one.
    pub at: Option<DateTime<Utc>>,
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

/// Reads metadata, keeping what is said.
pub struct MetadataSeed<'a>(pub &'a Keeps);

impl<'de> DeserializeSeed<'de> for MetadataSeed<'_> {
    type Value = ObjectMeta;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ObjectMeta, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Things that are no object give empty metadata.
macro_rules! empty_of_scalars {
    ($value:ty) => {
        fn visit_bool<E>(self, _: bool) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_i64<E>(self, _: i64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_u64<E>(self, _: u64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_f64<E>(self, _: f64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_str<E>(self, _: &str) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok(Default::default())
        }
    };
}

impl<'de> Visitor<'de> for MetadataSeed<'_> {
    type Value = ObjectMeta;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("metadata")
    }

    empty_of_scalars!(ObjectMeta);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ObjectMeta, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ObjectMeta::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMeta, A::Error> {
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
        let mut meta = ObjectMeta::default();
        while let Some(at) = map.next_key_seed(Key(KEYS))? {
            match at.map(|at| KEYS[at]) {
                Some("name") => meta.name = value(&mut map)?,
                Some("namespace") => meta.namespace = value(&mut map)?,
                Some("uid") => meta.uid = value(&mut map)?,
                Some("resourceVersion") => meta.resource_version = value(&mut map)?,
                Some("generation") => meta.generation = value(&mut map)?,
                Some("creationTimestamp") => meta.creation_timestamp = value::<Stamp, _>(&mut map)?.map(|at| at.0),
                Some("deletionTimestamp") => meta.deletion_timestamp = value::<Stamp, _>(&mut map)?.map(|at| at.0),
                Some("labels") => meta.labels = value(&mut map)?,
                Some("annotations") => meta.annotations = map.next_value_seed(AnnotationsSeed(self.0.annotations))?,
                Some("managedFields") if self.0.owner_of.is_some() => {
                    let owned = self.0.owner_of.unwrap_or_default();
                    meta.managed_fields = map.next_value_seed(ManagersSeed(owned))?;
                }
                Some("ownerReferences") if self.0.life => {
                    let owners: Option<Vec<KeptOwner>> = value(&mut map)?;
                    meta.owner_references = owners.map(|owners| owners.into_iter().map(KeptOwner::into).collect());
                }
                Some("finalizers") if self.0.life => meta.finalizers = value(&mut map)?,
                Some("deletionGracePeriodSeconds") if self.0.life => {
                    meta.deletion_grace_period_seconds = value(&mut map)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(meta)
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
struct AnnotationsSeed(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for AnnotationsSeed {
    type Value = Option<BTreeMap<String, String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnnotationsSeed {
    type Value = Option<BTreeMap<String, String>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("annotations")
    }

    empty_of_scalars!(Option<BTreeMap<String, String>>);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut kept = BTreeMap::new();
        while let Some(key) = map.next_key_seed(KeptKey(self.0))? {
            match key {
                Some(key) => {
                    if let Some(text) = value::<String, _>(&mut map)? {
                        kept.insert(key, text);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(kept))
    }
}

/// A key that begins with one of these; others are not even copied.
struct KeptKey(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for KeptKey {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeptKey {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().any(|beginning| key.starts_with(beginning)).then(|| key.to_owned()))
    }
}

/// `managedFields`, reduced to the managers of one field of `spec` or of one annotation.
struct ManagersSeed(&'static str);

impl<'de> DeserializeSeed<'de> for ManagersSeed {
    type Value = Option<Vec<ManagedFieldsEntry>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ManagersSeed {
    type Value = Option<Vec<ManagedFieldsEntry>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("managedFields")
    }

    empty_of_scalars!(Option<Vec<ManagedFieldsEntry>>);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut managers = Vec::new();
        // The entries are few and small; what they own is a tree of empty objects, read as JSON and dropped at once.
        while let Some(entry) = seq.next_element::<serde_json::Value>().map_err(A::Error::custom)? {
            // A field of `spec` has no slash in its name; the key of an annotation with a domain has one.
            let parent = if self.0.contains('/') { "/fieldsV1/f:metadata/f:annotations" } else { "/fieldsV1/f:spec" };
            if entry.pointer(parent).and_then(|fields| fields.get(format!("f:{}", self.0))).is_none() {
                continue;
            }
            let text = |key: &str| entry.get(key).and_then(|text| text.as_str());
            managers.push(ManagedFieldsEntry {
                manager: text("manager").map(str::to_owned),
                operation: text("operation").map(str::to_owned),
                time: text("time").and_then(Stamp::of_str).map(|at| at.0),
                ..ManagedFieldsEntry::default()
            });
        }
        Ok((!managers.is_empty()).then_some(managers))
    }
}

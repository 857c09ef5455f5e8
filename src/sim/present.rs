//! Putting objects into the form that a client asked for.
//!
//! Belongs here: the bytes of single objects, lists and watch events. Does not: columns ([`crate::sim::tables`]).

use chrono::{DateTime, Utc};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::sim::kinds::KindInfo;
use crate::sim::request::Form;
use crate::sim::tables;

/// How the objects of one answer are presented.
#[derive(Debug, Clone, Copy)]
pub struct Presentation<'a> {
    /// The form.
    pub form: Form,
    /// The kind of the objects.
    pub info: &'a KindInfo,
    /// What time it is, for ages.
    pub now: DateTime<Utc>,
    /// In a table: how much of each object comes with its row (`includeObject`).
    pub rows: RowObject,
}

/// How much of an object comes with its table row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowObject {
    /// Its metadata.
    #[default]
    Metadata,
    /// Nothing.
    None,
    /// All of it.
    Object,
}

impl RowObject {
    /// Reads the parameter `includeObject`.
    pub fn parse(text: &str) -> Self {
        match text {
            "None" => Self::None,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// The metadata of a list.
#[derive(Debug, Clone, Default)]
pub struct ListMetadata {
    /// The version at which the list was taken.
    pub version: u64,
    /// The token for the next page.
    pub go_on: Option<String>,
    /// How many objects come after this page, where that is known.
    pub remaining: Option<usize>,
}

impl ListMetadata {
    fn to_json(&self) -> Value {
        let mut metadata = json!({"resourceVersion": self.version.to_string()});
        if let Some(token) = &self.go_on {
            metadata["continue"] = json!(token);
        }
        if let Some(remaining) = self.remaining {
            metadata["remainingItemCount"] = json!(remaining);
        }
        metadata
    }
}

impl Presentation<'_> {
    /// One object, as an answer or inside a watch event.
    pub fn object(&self, object: &Value) -> Value {
        match self.form {
            Form::Whole | Form::Discovery => object.clone(),
            Form::Metadata => partial(object),
            Form::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                tables::table(self, std::iter::once(object), &metadata)
            }
        }
    }

    /// The bytes of one object, without a copy where none is needed.
    pub fn object_bytes(&self, object: &Value) -> Vec<u8> {
        match self.form {
            Form::Whole | Form::Discovery => to_bytes(object),
            Form::Metadata | Form::Table => to_bytes(&self.object(object)),
        }
    }

    /// The bytes of a list.
    pub fn list_bytes<'v>(&self, objects: impl Iterator<Item = &'v Value>, metadata: &ListMetadata) -> Vec<u8> {
        let mut metadata = metadata.to_json();
        if self.form == Form::Whole && self.info.custom && metadata.get("continue").is_none() {
            // Lists of custom resources say that there is no next page; those of built-in kinds say nothing.
            metadata["continue"] = json!("");
        }
        match self.form {
            Form::Table => to_bytes(&tables::table(self, objects, &metadata)),
            Form::Metadata => {
                let head = ("PartialObjectMetadataList", "meta.k8s.io/v1".to_owned());
                join(head, &metadata, objects, |bytes, object| write(bytes, &partial(object)))
            }
            Form::Whole | Form::Discovery => {
                let head = (list_kind(self.info), self.info.api_version());
                join((&head.0, head.1), &metadata, objects, |bytes, object| {
                    // Built-in kinds leave out what the list says already.
                    if self.info.custom { write(bytes, object) } else { write(bytes, &WithoutType(object)) }
                })
            }
        }
    }

    /// The bytes of one watch event, a line of JSON.
    pub fn event_bytes(&self, event: &str, object: &Value) -> Vec<u8> {
        let mut bytes = format!("{{\"type\":\"{event}\",\"object\":").into_bytes();
        match self.form {
            Form::Whole | Form::Discovery => write(&mut bytes, object),
            Form::Metadata | Form::Table => write(&mut bytes, &self.object(object)),
        }
        bytes.extend_from_slice(b"}\n");
        bytes
    }

    /// A bookmark: the version up to which a watch has told everything. `is_initial_end` marks the end of the initial
    /// events.
    pub fn bookmark(&self, version: u64, is_initial_end: bool) -> Vec<u8> {
        let (kind, api_version) = match self.form {
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            _ => (self.info.kind, self.info.api_version()),
        };
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if is_initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
        match self.form {
            Form::Table => {
                let metadata = json!({"resourceVersion": version.to_string()});
                let table = tables::table(self, std::iter::empty(), &metadata);
                format!("{{\"type\":\"BOOKMARK\",\"object\":{table}}}\n").into_bytes()
            }
            _ => format!("{{\"type\":\"BOOKMARK\",\"object\":{object}}}\n").into_bytes(),
        }
    }
}

/// The metadata of an object as an object of its own.
pub fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// The kind of a list of these objects.
pub fn list_kind(info: &KindInfo) -> String {
    format!("{}List", info.kind)
}

fn join<'v>(
    (kind, api_version): (&str, String),
    metadata: &Value,
    objects: impl Iterator<Item = &'v Value>,
    put: impl Fn(&mut Vec<u8>, &Value),
) -> Vec<u8> {
    let mut bytes =
        format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":[")
            .into_bytes();
    for (at, object) in objects.enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        put(&mut bytes, object);
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value);
    bytes
}

/// Writing JSON values into memory cannot fail.
fn write(bytes: &mut Vec<u8>, value: &impl Serialize) {
    drop(serde_json::to_writer(bytes, value));
}

/// An object without `kind` and `apiVersion`.
struct WithoutType<'a>(&'a Value);

impl Serialize for WithoutType<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.0.as_object() else { return self.0.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion")) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

//! Writing: create, update and patch, with dry run, optimistic lock, validation and field ownership.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sim::apply::{self, Applied};
use crate::sim::kinds::{KindInfo, Res};
use crate::sim::managed::{self, Writer};
use crate::sim::patch::PatchKind;
use crate::sim::request::Target;
use crate::sim::schema;
use crate::sim::schema::gated::Gates;
use crate::sim::status::{Cause, Refusal};
use crate::sim::store::{Store, Written, timestamp};

/// What a write needs besides its body.
#[derive(Clone, Copy)]
pub struct Pen<'a> {
    /// The objects.
    pub store: &'a Store,
    /// When.
    pub now: DateTime<Utc>,
    /// Under which name the changes are kept in `managedFields`.
    pub manager: &'a str,
    /// Whether to rehearse only.
    pub dry_run: bool,
    /// What to do with fields that nobody knows.
    pub unknown_fields: UnknownFields,
}

/// The parameter `fieldValidation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownFields {
    /// They are dropped silently.
    Ignore,
    /// They are dropped, and the client is told in a `Warning` header.
    #[default]
    Warn,
    /// They are refused.
    Strict,
}

impl UnknownFields {
    /// Reads the parameter.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "" | "Warn" => Ok(Self::Warn),
            "Ignore" => Ok(Self::Ignore),
            "Strict" => Ok(Self::Strict),
            other => Err(Refusal::bad_request(format!(
                "fieldValidation: Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""
            ))),
        }
    }
}

/// The outcome of a write: the object, and what the client should be warned of.
#[derive(Debug)]
pub struct Outcome {
    /// The object after the write.
    pub object: Arc<Value>,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
}

impl Pen<'_> {
    /// Creates an object in a collection.
    pub fn create(&self, target: &Target, body: Value) -> Result<Outcome, Refusal> {
        self.create_as(target, body, None)
    }

    /// Applies a configuration: makes the object, or merges it into the one that is there. Whether it was made.
    pub fn apply(&self, target: &Target, config: Value, force: bool) -> Result<(bool, Outcome), Refusal> {
        let info = &target.info;
        let name = target.name.clone().unwrap_or_default();
        let mut config = require_kind(info, config)?;
        if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let given = text(&config, "/metadata/name");
        if !given.is_empty() && given != name {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        config["metadata"]["name"] = json!(name);
        let writer = self.writer(target);
        if self.store.get(info.res(), target.namespace.as_deref(), &name).is_none() {
            if target.subresource.is_some() {
                return Err(Refusal::not_found(info, &name));
            }
            let applied = apply::apply(info, &Value::Null, &config, &writer, force)?;
            return Ok((true, self.create_as(target, config, Some(&applied))?));
        }
        let merge = |previous: &Value| {
            let applied = apply::apply(info, previous, &config, &writer, force)?;
            Ok((applied.object.clone(), Some(applied)))
        };
        Ok((false, self.write(target, merge)?))
    }

    fn writer<'a>(&'a self, target: &'a Target) -> Writer<'a> {
        Writer { manager: self.manager, subresource: target.subresource.as_deref(), at: self.now }
    }

    fn create_as(&self, target: &Target, body: Value, applied: Option<&Applied>) -> Result<Outcome, Refusal> {
        let info = &target.info;
        let mut object = self.named(target, body)?;
        let name = text(&object, "/metadata/name");
        if info.namespaced {
            self.require_namespace(target)?;
        }
        if object.pointer("/metadata/resourceVersion").is_some_and(|version| version != "") {
            return Err(Refusal::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in
                ["uid", "creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion"]
            {
                metadata.remove(field);
            }
        }
        if info.status
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        born(&mut object, info);
        let warnings = self.check(info, &mut object, &Value::Null, Gates::of(self.store, info.res()))?;
        match applied {
            Some(applied) => applied.record(info, &mut object, &self.writer(target)),
            None => managed::record(info, &mut object, &Value::Null, &self.writer(target)),
        }
        if self.store.get(info.res(), target.namespace.as_deref(), &name).is_some() {
            return Err(Refusal::already_exists(info, &name));
        }
        let object = if self.dry_run {
            Arc::new(self.store.rehearse_create(info, object, self.now))
        } else {
            self.store.create(info.res(), object, self.now)
        };
        Ok(Outcome { object, warnings })
    }

    /// The body with a name and the namespace of the path.
    fn named(&self, target: &Target, body: Value) -> Result<Value, Refusal> {
        let info = &target.info;
        let mut object = require_kind(info, body)?;
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        let given = text(&object, "/metadata/namespace");
        if let Some(namespace) = &target.namespace {
            if !given.is_empty() && given != *namespace {
                return Err(Refusal::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            object["metadata"]["namespace"] = json!(namespace);
        }
        if text(&object, "/metadata/name").is_empty() {
            let prefix = text(&object, "/metadata/generateName");
            if prefix.is_empty() {
                let cause = Cause {
                    reason: "FieldValueRequired",
                    message: "Required value: name or generateName is required".to_owned(),
                    field: "metadata.name".to_owned(),
                };
                return Err(Refusal::invalid(info.group, info.kind, "", &[cause]));
            }
            object["metadata"]["name"] = json!(format!("{prefix}{}", suffix(self.store.resource_version())));
        }
        Ok(object)
    }

    /// Admission of kube-apiserver refuses objects in namespaces that are not there. A recording may hold objects
    /// without their namespaces: those count as there.
    fn require_namespace(&self, target: &Target) -> Result<(), Refusal> {
        let Some(namespace) = target.namespace.as_deref() else {
            return Err(Refusal::bad_request("an empty namespace may not be set during creation"));
        };
        let exists = self.store.get(Res::NAMESPACES, None, namespace).is_some();
        let is_used = || {
            let belongs = |object: &Arc<Value>| object["metadata"]["namespace"] == *namespace;
            self.store.list(target.info.res()).iter().any(belongs)
        };
        if exists || is_used() || self.store.list(Res::NAMESPACES).is_empty() {
            return Ok(());
        }
        let info = self.store.info(Res::NAMESPACES);
        Err(info.map_or_else(|| Refusal::bad_request("no namespaces"), |info| Refusal::not_found(&info, namespace)))
    }

    /// Replaces an object.
    pub fn update(&self, target: &Target, body: Value) -> Result<Outcome, Refusal> {
        let info = Arc::clone(&target.info);
        let name = target.name.clone().unwrap_or_default();
        let body = require_kind(&info, body)?;
        if text(&body, "/metadata/name") != name {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({name})",
                text(&body, "/metadata/name")
            )));
        }
        if info.custom && text(&body, "/metadata/resourceVersion").is_empty() {
            let cause = Cause {
                reason: "FieldValueInvalid",
                message: "Invalid value: 0: must be specified for an update".to_owned(),
                field: "metadata.resourceVersion".to_owned(),
            };
            return Err(Refusal::invalid(info.group, info.kind, &name, &[cause]));
        }
        self.write(target, |_| Ok((body, None)))
    }

    /// Changes parts of an object.
    pub fn patch(&self, target: &Target, kind: PatchKind, patch: &Value) -> Result<Outcome, Refusal> {
        self.write(target, |previous| Ok((kind.apply(previous, patch)?, None)))
    }

    /// Changes an existing object by what the client sent, under the rules for the part that is addressed. `make` tells too
    /// what of it was applied.
    fn write(
        &self,
        target: &Target,
        make: impl FnOnce(&Value) -> Result<(Value, Option<Applied>), Refusal>,
    ) -> Result<Outcome, Refusal> {
        let info = &target.info;
        let name = target.name.clone().unwrap_or_default();
        let mut warnings = Vec::new();
        let gates = Gates::of(self.store, info.res());
        let change = |previous: &Value| {
            let (made, applied) = make(previous)?;
            require_lock(info, &name, previous, &made)?;
            let mut next = match target.subresource.as_deref() {
                Some("status") => only_status(previous, &made),
                Some("approval") => only_approval(previous, &made, self.now),
                _ => without_status(info, previous, made),
            };
            keep_deletion(&mut next, previous);
            warnings = self.check(info, &mut next, previous, gates)?;
            match applied {
                Some(applied) => applied.record(info, &mut next, &self.writer(target)),
                None => managed::record(info, &mut next, previous, &self.writer(target)),
            }
            Ok(next)
        };
        let namespace = target.namespace.as_deref();
        let object = if self.dry_run {
            self.store.rehearse(info.res(), namespace, &name, change)
        } else {
            let written = self.store.transact(info.res(), namespace, &name, change);
            written.map(|written| written.map(Written::object))
        };
        let object = object.ok_or_else(|| Refusal::not_found(info, &name))??;
        Ok(Outcome { object, warnings })
    }

    /// Validates, and drops or refuses fields that nobody knows.
    fn check(
        &self,
        info: &KindInfo,
        object: &mut Value,
        previous: &Value,
        gates: Gates,
    ) -> Result<Vec<String>, Refusal> {
        let mut unknown = schema::prune(info.res(), object);
        unknown.extend(schema::gated::prune(gates, info.res(), object));
        if self.unknown_fields == UnknownFields::Strict && !unknown.is_empty() {
            let told: Vec<String> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
            return Err(Refusal::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {}",
                told.join(", "),
                kind = info.kind,
                version = info.version,
            )));
        }
        schema::validate(info, object, previous)?;
        schema::contents::admit(info, object, previous)?;
        let told = unknown.into_iter().filter(|_| self.unknown_fields == UnknownFields::Warn);
        Ok(told.map(|field| format!("unknown field \"{field}\"")).collect())
    }
}

/// The body of a write has to be of the kind that the path names.
fn require_kind(info: &KindInfo, mut body: Value) -> Result<Value, Refusal> {
    let Some(fields) = body.as_object_mut() else {
        return Err(Refusal::bad_request("the object provided is unrecognized: it is not a JSON object"));
    };
    let found = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (found("apiVersion"), found("kind"));
    let expected = info.api_version();
    if !api_version.is_empty() && api_version != expected {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if !kind.is_empty() && kind != info.kind {
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {}",
            info.version, info.kind
        )));
    }
    fields.insert("apiVersion".to_owned(), json!(expected));
    fields.insert("kind".to_owned(), json!(info.kind));
    Ok(body)
}

/// The optimistic lock: a version or a uid that the client names has to be the current one.
fn require_lock(info: &KindInfo, name: &str, previous: &Value, made: &Value) -> Result<(), Refusal> {
    let differs = |pointer: &str| {
        let asked = made.pointer(pointer).and_then(Value::as_str).filter(|asked| !asked.is_empty());
        asked.is_some_and(|asked| Some(asked) != previous.pointer(pointer).and_then(Value::as_str))
    };
    if differs("/metadata/uid") {
        let found = text(previous, "/metadata/uid");
        let asked = text(made, "/metadata/uid");
        let why = format!("Precondition failed: UID in precondition: {asked}, UID in object meta: {found}");
        return Err(Refusal::conflict(info, name, &why));
    }
    if differs("/metadata/resourceVersion") {
        return Err(Refusal::modified(info, name));
    }
    if differs("/metadata/name") {
        let cause = Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: \"{}\": field is immutable", text(made, "/metadata/name")),
            field: "metadata.name".to_owned(),
        };
        return Err(Refusal::invalid(info.group, info.kind, name, &[cause]));
    }
    Ok(())
}

/// A write to the status subresource changes nothing else.
fn only_status(previous: &Value, made: &Value) -> Value {
    let mut next = previous.clone();
    match made.get("status") {
        Some(status) => next["status"] = status.clone(),
        None => {
            if let Some(fields) = next.as_object_mut() {
                fields.remove("status");
            }
        }
    }
    next
}

/// A write to the approval of a CertificateSigningRequest changes what people say about it, which once said stays
/// (kube-apiserver, pkg/registry/certificates: preserveConditionInstances of csrApprovalStrategy).
fn only_approval(previous: &Value, made: &Value, now: DateTime<Utc>) -> Value {
    let said = |object: &Value| object.pointer("/status/conditions").and_then(Value::as_array).cloned();
    let verdict = |condition: &Value| matches!(condition["type"].as_str(), Some("Approved" | "Denied"));
    let mut conditions = said(previous).unwrap_or_default();
    for mut condition in said(made).unwrap_or_default().into_iter().filter(verdict) {
        if conditions.iter().any(|old| old["type"] == condition["type"]) {
            continue;
        }
        for field in ["lastUpdateTime", "lastTransitionTime"] {
            if condition[field].is_null() {
                condition[field] = json!(timestamp(now));
            }
        }
        conditions.push(condition);
    }
    let mut next = previous.clone();
    if !conditions.is_empty() {
        next["status"]["conditions"] = json!(conditions);
    }
    next
}

/// A write to the object itself leaves the status alone where the status is a part of its own.
fn without_status(info: &KindInfo, previous: &Value, mut made: Value) -> Value {
    if info.status
        && let Some(fields) = made.as_object_mut()
    {
        match previous.get("status") {
            Some(status) => fields.insert("status".to_owned(), status.clone()),
            None => fields.remove("status"),
        };
    }
    made
}

/// Only a DELETE marks an object for deletion, and nothing takes the mark away.
fn keep_deletion(next: &mut Value, previous: &Value) {
    let Some(metadata) = next.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        match previous["metadata"].get(field) {
            Some(value) => metadata.insert(field.to_owned(), value.clone()),
            None => metadata.remove(field),
        };
    }
    if !metadata.contains_key("managedFields")
        && let Some(entries) = previous["metadata"].get("managedFields")
    {
        metadata.insert("managedFields".to_owned(), entries.clone());
    }
}

/// What some kinds are born with.
fn born(object: &mut Value, info: &KindInfo) {
    if info.kind == "Namespace" {
        let name = text(object, "/metadata/name");
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
        if object.pointer("/spec/finalizers").is_none() {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
        }
    }
    let status = match info.kind {
        "Pod" => json!({"phase": "Pending", "qosClass": "BestEffort"}),
        "Namespace" => json!({"phase": "Active"}),
        _ => return,
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert("status".to_owned(), status);
        fields.entry("spec").or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Five characters from the alphabet of apimachinery's `rand.String`.
fn suffix(version: u64) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut left = version.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    (0..5)
        .map(|_| {
            let character = ALPHABET[(left % ALPHABET.len() as u64) as usize];
            left /= ALPHABET.len() as u64;
            char::from(character)
        })
        .collect()
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

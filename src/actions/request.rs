//! From the change that is meant to the exact write, with its lock and its `oc` line.

use std::fmt;

use kube::core::ObjectMeta;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::words::{field, shell};
use super::{PatchKind, Refusal, Session, Verb, Write};

/// What the patch of an object that is watched is made of.
pub(super) struct Change<'a> {
    /// `mcp/worker`.
    pub object: String,
    /// Path of the object.
    pub path: String,
    /// Kind of patch: merge for what a CRD defines, strategic for the built-in kinds.
    pub patch: PatchKind,
    /// Metadata of the object as it was seen.
    pub metadata: &'a ObjectMeta,
    /// The patch of `spec`.
    pub spec: Value,
    /// The `oc` command line after `oc`.
    pub oc: String,
    /// What has to be stored, see [`Write::stored`].
    pub stored: Vec<(String, Value)>,
}

impl Change<'_> {
    /// The write. Both halves of the lock go into `metadata` of the patch: the API server then refuses an object that
    /// is another one (uid) or that was modified (resourceVersion).
    pub(super) fn write(self, session: &Session) -> Result<Write, Refusal> {
        let (body, line) = (json!({ "spec": self.spec }), oc(session, &self.oc));
        let write = patch(&self.object, &self.path, self.patch, self.metadata, body, line)?;
        Ok(write.storing(self.stored))
    }
}

/// UID and resourceVersion of an object as it was seen, which lock what is done with it.
pub(super) fn lock<'a>(metadata: &'a ObjectMeta, object: &str) -> Result<(&'a str, &'a str), Refusal> {
    match (&metadata.uid, &metadata.resource_version) {
        (Some(uid), Some(version)) => Ok((uid, version)),
        _ => Err(Refusal(format!("{object} was read without uid or resourceVersion: it cannot be locked"))),
    }
}

/// The patch of an object as it was seen; `body` without the lock, `line` the whole `oc` line.
pub(super) fn patch(
    object: &str,
    path: &str,
    kind: PatchKind,
    metadata: &ObjectMeta,
    body: Value,
    line: String,
) -> Result<Write, Refusal> {
    Ok(locked(object, path, kind, lock(metadata, object)?, body, line))
}

/// The same of the object whose lock this is.
pub(super) fn locked(
    object: &str,
    path: &str,
    kind: PatchKind,
    (uid, version): (&str, &str),
    body: Value,
    line: String,
) -> Write {
    let mut body = body;
    body["metadata"]["uid"] = json!(uid);
    body["metadata"]["resourceVersion"] = json!(version);
    Write {
        object: object.to_owned(),
        path: path.to_owned(),
        object_path: None,
        verb: Verb::Patch(kind),
        body,
        secret: false,
        uid: Some(uid.to_owned()),
        resource_version: Some(version.to_owned()),
        oc: line,
        stored: Vec::new(),
    }
}

/// Where a Proxy may hold a password: `http://user:password@host`.
pub(super) const PROXIES: [&str; 2] = ["/spec/httpProxy", "/spec/httpsProxy"];

/// `sha256:` and the first 16 hexadecimal digits of the digest: enough to compare, too little to guess from.
pub fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut words = "sha256:".to_owned();
    for byte in hash.as_ref().iter().take(8) {
        let _ = write!(words, "{byte:02x}");
    }
    words
}

/// Values shorter than this may be part of any sentence.
const SHORTEST_SECRET: usize = 4;

/// Replaces a value in `words` by its digest; JSON quotes inside it may be escaped there.
fn veil(words: &mut String, value: &str) {
    if value.len() < SHORTEST_SECRET {
        return;
    }
    for form in [value.to_owned(), value.replace('"', "\\\"")] {
        *words = words.replace(&form, &digest(value));
    }
}

/// An `oc` line that names the context, so that it does the same when it is pasted elsewhere.
pub fn oc(session: &Session, arguments: &str) -> String {
    if session.context.is_empty() {
        return format!("oc {arguments}");
    }
    format!("oc --context={} {arguments}", shell(&session.context))
}

impl Write {
    /// The same write on a newer version of the object.
    #[must_use]
    pub fn on_version(&self, resource_version: &str) -> Self {
        let mut write = self.clone();
        if write.resource_version.is_some() {
            write.resource_version = Some(resource_version.to_owned());
        }
        for lock in ["/metadata/resourceVersion", "/preconditions/resourceVersion"] {
            if let Some(version) = write.body.pointer_mut(lock) {
                *version = Value::from(resource_version);
            }
        }
        write
    }

    /// A request that creates an object: `collection` is where it is posted, `body` the whole object.
    pub(crate) fn create(session: &Session, object: String, collection: &str, body: Value, arguments: &str) -> Self {
        let name = body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        Self {
            object,
            object_path: Some(format!("{collection}/{name}")),
            path: collection.to_owned(),
            verb: Verb::Create,
            body,
            secret: false,
            uid: None,
            resource_version: None,
            oc: oc(session, arguments),
            stored: Vec::new(),
        }
    }

    /// A request that deletes an object, if it still is that one.
    pub(crate) fn delete(session: &Session, object: String, path: &str, uid: &str, arguments: &str) -> Self {
        Self {
            object,
            object_path: None,
            path: path.to_owned(),
            verb: Verb::Delete,
            body: json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } }),
            secret: false,
            uid: Some(uid.to_owned()),
            resource_version: None,
            oc: oc(session, arguments),
            stored: Vec::new(),
        }
    }

    /// The same deletion, of the object as it was at that resourceVersion only.
    #[must_use]
    pub(crate) fn unless_modified(mut self, resource_version: &str) -> Self {
        self.body["preconditions"]["resourceVersion"] = Value::from(resource_version);
        self.resource_version = Some(resource_version.to_owned());
        self
    }

    /// The same with fields that have to be stored.
    #[must_use]
    pub(crate) fn storing(mut self, stored: Vec<(String, Value)>) -> Self {
        self.stored = stored;
        self
    }

    /// Where the object itself is.
    pub fn object_path(&self) -> &str {
        self.object_path.as_deref().unwrap_or(&self.path)
    }

    /// HTTP method.
    pub fn method(&self) -> &'static str {
        match self.verb {
            Verb::Patch(_) => "PATCH",
            Verb::Create | Verb::Evict => "POST",
            Verb::Replace => "PUT",
            Verb::Delete => "DELETE",
        }
    }

    /// Content type of the body.
    pub fn content_type(&self) -> &'static str {
        match self.verb {
            Verb::Patch(kind) => kind.content_type(),
            Verb::Create | Verb::Replace | Verb::Delete | Verb::Evict => "application/json",
        }
    }

    /// The body as it may be shown and written down: values under `data` and `stringData` of a secret body, hashes of
    /// passwords and addresses of proxies are replaced by their digests.
    pub fn shown(&self) -> Value {
        if !self.secret {
            return self.body.clone();
        }
        let mut body = self.body.clone();
        for field in ["data", "stringData"] {
            let Some(values) = body.get_mut(field).and_then(Value::as_object_mut) else { continue };
            for value in values.values_mut() {
                *value = Value::from(value.as_str().map_or_else(|| "(removed)".to_owned(), digest));
            }
        }
        let users = body.pointer_mut("/spec/config/passwd/users").and_then(Value::as_array_mut);
        for hash in users.into_iter().flatten().filter_map(|user| user.get_mut("passwordHash")) {
            *hash = Value::from(hash.as_str().map_or_else(|| "(removed)".to_owned(), digest));
        }
        for pointer in PROXIES {
            if let Some(address) = body.pointer_mut(pointer) {
                *address = Value::from(address.as_str().map_or_else(|| "(removed)".to_owned(), digest));
            }
        }
        // What kubectl apply leaves there is the whole object once more.
        if let Some(annotations) = body.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        body
    }

    /// `words` of a server without the values of a secret body, encoded or not: each is replaced by its digest.
    pub fn veiled(&self, words: &str) -> String {
        use base64::Engine as _;
        let mut words = words.to_owned();
        for field in ["data", "stringData"] {
            for value in self.body.get(field).and_then(Value::as_object).into_iter().flat_map(|data| data.values()) {
                let Some(value) = value.as_str() else { continue };
                let plain = base64::engine::general_purpose::STANDARD.decode(value).ok();
                let plain = plain.and_then(|bytes| String::from_utf8(bytes).ok());
                for text in [Some(value.to_owned()), plain].into_iter().flatten() {
                    veil(&mut words, text.trim());
                }
            }
        }
        for user in self.body.pointer("/spec/config/passwd/users").and_then(Value::as_array).into_iter().flatten() {
            veil(&mut words, user.get("passwordHash").and_then(Value::as_str).unwrap_or_default());
        }
        for pointer in PROXIES {
            veil(&mut words, self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
        }
        words
    }

    /// The first field of `answer` that was not stored as asked for, in words. [`Value::Null`] asks for a field that
    /// is absent, null or false (the API drops a false `unschedulable`).
    pub fn not_stored(&self, answer: &Value) -> Option<String> {
        self.stored.iter().find_map(|(pointer, wanted)| {
            let found = match answer.pointer(pointer) {
                Some(Value::String(text)) if self.secret => Some(Value::from(digest(text))),
                found => found.cloned(),
            };
            let stored = match wanted {
                Value::Null => matches!(found, None | Some(Value::Null | Value::Bool(false))),
                wanted => found.as_ref() == Some(wanted),
            };
            let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
            (!stored).then(|| format!("{} should be {wanted} and is {found}", field(pointer)))
        })
    }
}

// What is in a secret body gets neither into a report nor into a panic message.
impl Serialize for Write {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut write = serializer.serialize_struct("Write", 9)?;
        write.serialize_field("object", &self.object)?;
        write.serialize_field("path", &self.path)?;
        if let Some(path) = &self.object_path {
            write.serialize_field("object_path", path)?;
        }
        write.serialize_field("verb", &self.verb)?;
        write.serialize_field("body", &self.shown())?;
        write.serialize_field("uid", &self.uid)?;
        write.serialize_field("resource_version", &self.resource_version)?;
        write.serialize_field("oc", &self.oc)?;
        write.serialize_field("stored", &self.stored)?;
        write.end()
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("object", &self.object)
            .field("path", &self.path)
            .field("object_path", &self.object_path)
            .field("verb", &self.verb)
            .field("body", &self.shown())
            .field("secret", &self.secret)
            .field("uid", &self.uid)
            .field("resource_version", &self.resource_version)
            .field("oc", &self.oc)
            .field("stored", &self.stored)
            .finish()
    }
}

impl PatchKind {
    /// Content type of such a patch.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write() -> Write {
        Write {
            object: "mcp/worker".into(),
            path: "/x".into(),
            object_path: None,
            verb: Verb::Patch(PatchKind::Merge),
            body: json!({ "metadata": { "uid": "u", "resourceVersion": "1" }, "spec": { "paused": true } }),
            secret: false,
            uid: Some("u".into()),
            resource_version: Some("1".into()),
            oc: String::new(),
            stored: vec![("/spec/paused".into(), json!(true)), ("/spec/mode".into(), Value::Null)],
        }
    }

    #[test]
    fn a_newer_version_changes_the_lock_and_nothing_else() {
        let newer = write().on_version("7");
        assert_eq!(
            newer.body,
            json!({ "metadata": { "uid": "u", "resourceVersion": "7" }, "spec": { "paused": true } })
        );
        assert_eq!(newer.resource_version.as_deref(), Some("7"));
        assert_eq!(newer.on_version("1"), write());
    }

    #[test]
    fn a_secret_body_is_shown_by_digests_whatever_way_it_is_written_down() {
        let canary = "Y2FuYXJ5LTQyNDI=";
        let secret = Write {
            secret: true,
            body: json!({ "metadata": { "name": "s", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": canary } },
                "data": { "k": canary }, "stringData": { "l": canary } }),
            stored: vec![("/data/k".into(), json!(digest(canary)))],
            ..write()
        };
        for told in [format!("{secret:?}"), serde_json::to_string(&secret).unwrap_or_default()] {
            assert!(!told.contains(canary), "{told}");
            assert!(told.contains(&digest(canary)), "{told}");
        }
        assert_eq!(secret.not_stored(&json!({ "data": { "k": canary } })), None);
        let quoted = secret.veiled(&format!("Invalid value: \"{canary}\" (canary-4242)"));
        assert!(!quoted.contains(canary) && !quoted.contains("canary-4242"), "{quoted}");
        let other = secret.not_stored(&json!({ "data": { "k": "b3RoZXI=" } })).unwrap_or_default();
        assert!(other.starts_with("data.k should be \"sha256:") && !other.contains("b3RoZXI="), "{other}");
    }

    #[test]
    fn what_the_server_dropped_or_kept_is_noticed() {
        assert_eq!(write().not_stored(&json!({ "spec": { "paused": true } })), None);
        assert_eq!(write().not_stored(&json!({ "spec": { "paused": true, "mode": null } })), None);
        let pruned = write().not_stored(&json!({ "spec": {} }));
        assert_eq!(pruned.as_deref(), Some("spec.paused should be true and is nothing"));
        let kept = write().not_stored(&json!({ "spec": { "paused": true, "mode": "Preflight" } }));
        assert_eq!(kept.as_deref(), Some("spec.mode should be null and is \"Preflight\""));
    }
}

//! From the change that is meant to the exact write, with its lock and its `oc` line.

use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::words::shell;
use super::{PatchKind, Refusal, Session, Write};

/// What a write is made of.
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
        let (Some(uid), Some(version)) = (&self.metadata.uid, &self.metadata.resource_version) else {
            return Err(Refusal(format!(
                "{} was read without uid or resourceVersion: it cannot be locked",
                self.object
            )));
        };
        Ok(Write {
            body: json!({ "metadata": { "uid": uid, "resourceVersion": version }, "spec": self.spec }),
            uid: uid.clone(),
            resource_version: version.clone(),
            oc: oc(session, &self.oc),
            object: self.object,
            path: self.path,
            patch: self.patch,
            stored: self.stored,
        })
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
        resource_version.clone_into(&mut write.resource_version);
        if let Some(version) = write.body.pointer_mut("/metadata/resourceVersion") {
            *version = Value::from(resource_version);
        }
        write
    }

    /// The first field of `answer` that was not stored as asked for, in words. [`Value::Null`] asks for a field that
    /// is absent, null or false (the API drops a false `unschedulable`).
    pub fn not_stored(&self, answer: &Value) -> Option<String> {
        self.stored.iter().find_map(|(pointer, wanted)| {
            let found = answer.pointer(pointer);
            let stored = match wanted {
                Value::Null => matches!(found, None | Some(Value::Null | Value::Bool(false))),
                wanted => found == Some(wanted),
            };
            let field = pointer.trim_start_matches('/').replace('/', ".");
            let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
            (!stored).then(|| format!("{field} should be {wanted} and is {found}"))
        })
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
            patch: PatchKind::Merge,
            body: json!({ "metadata": { "uid": "u", "resourceVersion": "1" }, "spec": { "paused": true } }),
            uid: "u".into(),
            resource_version: "1".into(),
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
        assert_eq!(newer.resource_version, "7");
        assert_eq!(newer.on_version("1"), write());
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

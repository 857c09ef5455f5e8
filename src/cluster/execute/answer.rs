//! What an answer to a write means, in words that say what to do next.

use serde_json::Value;

use super::Reply;
use crate::actions::{Verb, Write};
use crate::upgrade::link::{Trouble, TroubleKind};

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) enum Verdict {
    /// Accepted, and stored as asked for.
    Accepted { status: u16, resource_version: String, words: String },
    /// The object was modified since it was read.
    Conflict { status: u16, words: String },
    /// Not applied; or applied without storing what was asked for, which is no success either.
    Refused { status: u16, words: String },
    /// Perhaps applied, perhaps not.
    Unknown { words: String },
}

impl Verdict {
    /// The same in other words.
    pub(super) fn reworded(mut self, change: impl Fn(&str) -> String) -> Self {
        let (Self::Accepted { words, .. }
        | Self::Conflict { words, .. }
        | Self::Refused { words, .. }
        | Self::Unknown { words }) = &mut self;
        *words = change(words);
        self
    }
}

/// What `reply` means for `write`.
pub(in crate::cluster) fn judge(write: &Write, reply: &Reply) -> Verdict {
    let status = reply.status;
    let refused = |words: String| Verdict::Refused { status, words };
    match status {
        200..=299 => stored(write, reply),
        401 => refused(format!("the server does not accept the credentials (any more): {}", told(reply))),
        403 => refused(forbidden(write, reply)),
        404 if write.verb == Verb::Create => refused(format!(
            "what it is to be created in is gone, or the server does not serve its kind: {}",
            told(reply)
        )),
        404 => refused(format!("it is gone, or the server does not serve its kind: {}", told(reply))),
        409 if write.verb == Verb::Create => refused(format!("it exists already: {}", told(reply))),
        409 => Verdict::Conflict { status, words: "it was modified since it was read".to_owned() },
        415 => refused(format!("the server does not take this kind of patch for it: {}", told(reply))),
        422 => refused(invalid(reply)),
        429 if write.verb == Verb::Evict => refused(protected(reply)),
        429 => refused(slow_down(reply)),
        500 if write.verb == Verb::Evict && several_budgets(reply) => refused(told(reply)),
        500..=599 => Verdict::Unknown { words: format!("the server failed with {status}: {}", told(reply)) },
        _ => refused(format!("the server refused it with {status}: {}", told(reply))),
    }
}

/// What it means that no answer came. Where no connection came about, nothing can have been applied.
pub(in crate::cluster) fn lost(trouble: &Trouble) -> Verdict {
    let hint = if trouble.hint.is_empty() { String::new() } else { format!("; {}", trouble.hint) };
    let words = format!("{}{hint}", trouble.words);
    match trouble.kind {
        TroubleKind::Refused
        | TroubleKind::Dns
        | TroubleKind::TlsUnknownAuthority
        | TroubleKind::TlsName
        | TroubleKind::TlsExpired
        | TroubleKind::TlsCaAsServer
        | TroubleKind::TlsOther
        | TroubleKind::Unauthorized
        | TroubleKind::Forbidden
        | TroubleKind::AbsentKind
        | TroubleKind::Credentials => Verdict::Refused { status: 0, words: format!("it was not sent: {words}") },
        TroubleKind::Timeout
        | TroubleKind::Gone
        | TroubleKind::TooManyRequests
        | TroubleKind::Server
        | TroubleKind::Broken
        | TroubleKind::Undecodable
        | TroubleKind::Other => Verdict::Unknown { words },
    }
}

/// The server's own words: the message of its Status, or the beginning of whatever it sent.
pub(in crate::cluster) fn told(reply: &Reply) -> String {
    const SHOWN: usize = 300;
    let message = reply.body.get("message").and_then(Value::as_str).filter(|message| !message.is_empty());
    match (message, &reply.body) {
        (Some(message), _) => message.to_owned(),
        (None, Value::String(text)) if !text.trim().is_empty() => text.trim().chars().take(SHOWN).collect(),
        _ => format!("status {} without a message", reply.status),
    }
}

/// Accepted: is it stored?
fn stored(write: &Write, reply: &Reply) -> Verdict {
    if !reply.body.is_object() {
        let words = format!("the server answered {} with something that is no object", reply.status);
        return Verdict::Unknown { words };
    }
    if let Some(field) = write.not_stored(&reply.body) {
        let words = format!("the server accepted it and did not store it: {field} (does its schema know the field?)");
        return Verdict::Refused { status: reply.status, words };
    }
    let version = reply.body.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
    Verdict::Accepted {
        status: reply.status,
        resource_version: version.to_owned(),
        words: "accepted and stored".to_owned(),
    }
}

/// Names the permission that is missing. A message that is not RBAC's (an admission webhook, a policy) is told as it is.
fn forbidden(write: &Write, reply: &Reply) -> String {
    let told = told(reply);
    let verb = match write.verb {
        Verb::Patch(_) => "patch",
        Verb::Create | Verb::Evict => "create",
        Verb::Replace => "update",
        Verb::Delete => "delete",
    };
    if told.contains(&format!("cannot {verb} resource")) {
        return format!("not permitted: {told} (oc auth can-i {verb} {})", asked_for(write));
    }
    format!("forbidden: {told}")
}

/// What a write asks a permission for, as `oc auth can-i` takes it: by its path, since the words of the plan name neither
/// group nor namespace.
fn asked_for(write: &Write) -> String {
    let parts: Vec<&str> = write.path.trim_start_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["apis", group, _, rest @ ..] => (format!(".{group}"), rest),
        ["api", _, rest @ ..] => (String::new(), rest),
        _ => return write.object.clone(),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, plural, more @ ..] => (format!(" -n {namespace}"), [&[*plural], more].concat()),
        rest => (String::new(), rest.to_vec()),
    };
    match rest.as_slice() {
        [plural] => format!("{plural}{group}{namespace}"),
        [plural, name] => format!("{plural}{group}/{name}{namespace}"),
        [plural, name, subresource, ..] => format!("{plural}{group}/{name} --subresource={subresource}{namespace}"),
        [] => write.object.clone(),
    }
}

/// What the server adds where a schema is broken, so that it does not look at its other rules (apiextensions-apiserver,
/// pkg/registry/customresource/validator.go).
const NOT_CHECKED: &str = "some validation rules were not checked";

/// Each cause with its field, in the server's words. A changed uid comes as "field is immutable".
fn invalid(reply: &Reply) -> String {
    let causes = reply.body.pointer("/details/causes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let field = |cause: &Value, key: &str| cause.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if causes.iter().any(|cause| field(cause, "field") == "metadata.uid") {
        return "it is another object now: it was deleted and created again".to_owned();
    }
    // A rule of the definition speaks of the object as a whole: its field is "<nil>", and its sentence the reason.
    let told_of = |cause: &Value| match field(cause, "field").as_str() {
        "" | "<nil>" => field(cause, "message"),
        name => format!("{name}: {}", field(cause, "message")),
    };
    let checked = causes.iter().filter(|cause| !field(cause, "message").contains(NOT_CHECKED));
    let words: Vec<String> = checked.map(told_of).collect();
    if words.is_empty() { format!("invalid: {}", told(reply)) } else { format!("invalid: {}", words.join("; ")) }
}

/// The budget that protects a pod, with its numbers.
fn protected(reply: &Reply) -> String {
    let causes = reply.body.pointer("/details/causes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let budget = causes.iter().find(|cause| cause["reason"] == "DisruptionBudget");
    match budget.and_then(|cause| cause["message"].as_str()) {
        Some(words) => format!("its budget does not let it go: {words}"),
        None => slow_down(reply),
    }
}

/// The eviction of a pod that two budgets select is an error of the server, whatever they allow (Kubernetes,
/// pkg/registry/core/pod/storage/eviction.go): it was not carried out.
pub(in crate::cluster) fn several_budgets(reply: &Reply) -> bool {
    told(reply).contains("more than one PodDisruptionBudget")
}

fn slow_down(reply: &Reply) -> String {
    let after = reply.retry_after.map(|wait| format!(", try again in {} s", wait.as_secs())).unwrap_or_default();
    format!("the server asks to slow down{after}: {}", told(reply))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::specimen;
    use super::*;
    use crate::actions::PatchKind;
    use serde_json::json;

    fn write() -> Write {
        specimen::write(Verb::Patch(PatchKind::Merge))
    }

    fn reply(status: u16, body: Value) -> Reply {
        Reply { status, body, retry_after: None }
    }

    fn words(status: u16, body: Value) -> String {
        match judge(&write(), &reply(status, body)) {
            Verdict::Refused { words, .. } => format!("refused: {words}"),
            Verdict::Unknown { words } => format!("unknown: {words}"),
            Verdict::Conflict { words, .. } => format!("conflict: {words}"),
            Verdict::Accepted { words, .. } => words,
        }
    }

    #[test]
    fn every_status_says_what_it_means() {
        let stored = json!({ "metadata": { "resourceVersion": "7" }, "spec": { "paused": true } });
        assert_eq!(words(200, stored), "accepted and stored");
        assert_eq!(
            words(200, json!({ "spec": {} })),
            "refused: the server accepted it and did not store it: spec.paused should be true and is nothing (does its \
             schema know the field?)"
        );
        assert_eq!(
            words(403, json!({ "message": "User \"viewer\" cannot patch resource \"machineconfigpools\"" })),
            "refused: not permitted: User \"viewer\" cannot patch resource \"machineconfigpools\" (oc auth can-i patch \
             machineconfigpools.machineconfiguration.openshift.io/worker)"
        );
        assert_eq!(
            words(403, json!({ "message": "admission webhook denied the request" })),
            "refused: forbidden: admission webhook denied the request"
        );
        assert_eq!(words(409, json!({})), "conflict: it was modified since it was read");
        let causes = json!({ "details": { "causes": [
            { "field": "spec.paused", "message": "must be of type boolean" },
            { "field": "<nil>", "message": "Invalid value: null: some validation rules were not checked because ..." },
        ] } });
        assert_eq!(words(422, causes), "refused: invalid: spec.paused: must be of type boolean");
        let rules = json!({ "details": { "causes": [
            { "field": "spec.paused", "message": "too soon" },
            { "field": "<nil>", "message": "Invalid value: \"object\": the two do not go together" },
        ] } });
        assert_eq!(
            words(422, rules),
            "refused: invalid: spec.paused: too soon; Invalid value: \"object\": the two do not go together"
        );
        let other = json!({ "details": { "causes": [{ "field": "metadata.uid", "message": "field is immutable" }] } });
        assert!(words(422, other).contains("another object"));
        assert_eq!(
            words(504, Value::String("<html>gateway".into())),
            "unknown: the server failed with 504: <html>gateway"
        );
        assert_eq!(words(400, json!({})), "refused: the server refused it with 400: status 400 without a message");
    }

    #[test]
    fn a_missing_permission_is_named_as_it_can_be_asked_for() {
        let asked = |path: &str| asked_for(&Write { path: path.into(), ..write() });
        for (path, words) in [
            ("/api/v1/nodes/worker-1", "nodes/worker-1"),
            ("/api/v1/namespaces/shop/pods/cart-0/eviction", "pods/cart-0 --subresource=eviction -n shop"),
            ("/api/v1/namespaces/openshift-config/configmaps", "configmaps -n openshift-config"),
            ("/api/v1/namespaces", "namespaces"),
            ("/apis/config.openshift.io/v1/imagedigestmirrorsets", "imagedigestmirrorsets.config.openshift.io"),
            (
                "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval",
                "certificatesigningrequests.certificates.k8s.io/x --subresource=approval",
            ),
        ] {
            assert_eq!(asked(path), words);
        }
    }

    #[test]
    fn an_eviction_that_two_budgets_forbid_was_not_carried_out() {
        let two = json!({ "message": "This pod has more than one PodDisruptionBudget, which is not supported." });
        let evict = Write { verb: Verb::Evict, ..write() };
        assert!(matches!(judge(&evict, &reply(500, two.clone())), Verdict::Refused { .. }));
        assert!(matches!(judge(&write(), &reply(500, two)), Verdict::Unknown { .. }));
    }

    #[test]
    fn slowing_down_says_for_how_long() {
        let reply = Reply {
            status: 429,
            body: json!({ "message": "too many requests" }),
            retry_after: Some(Duration::from_secs(5)),
        };
        let Verdict::Refused { words, .. } = judge(&write(), &reply) else { panic!("429 is a refusal") };
        assert_eq!(words, "the server asks to slow down, try again in 5 s: too many requests");
    }

    #[test]
    fn only_a_request_that_may_have_arrived_is_unknown() {
        let trouble =
            |kind| Trouble { kind, words: "w".into(), hint: String::new(), since: chrono::DateTime::UNIX_EPOCH };
        assert!(matches!(lost(&trouble(TroubleKind::Refused)), Verdict::Refused { .. }));
        assert!(matches!(lost(&trouble(TroubleKind::Timeout)), Verdict::Unknown { .. }));
        assert!(matches!(lost(&trouble(TroubleKind::Broken)), Verdict::Unknown { .. }));
    }
}

//! Nothing that looks like a secret reaches the audit log.
//!
//! Requests of this program carry none; answers to questions are free text, and servers quote what they were sent.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Patterns and what they become. Each must leave digests of images (`@sha256:...`) alone.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // User information of a URL.
        (r"://[^/\s@:]*:[^/\s@]+@", "://<redacted>@"),
        // OpenShift's OAuth tokens.
        (r"sha256~[A-Za-z0-9_-]+", "<redacted>"),
        // JSON Web Tokens: service account tokens and most others.
        (r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", "<redacted>"),
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", "$1 <redacted>"),
        // name=value and name: value in free text and in query strings of presigned addresses.
        (
            r#"(?i)\b((?:[a-z0-9]+[-_])*(?:password|passwd|secret|token|signature|credential|api[-_]?key|access[-_]?key|secret[-_]?key)\s*[=:]\s*)[^\s&"',;]+"#,
            "$1<redacted>",
        ),
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", "<redacted>"),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with)))
    .collect()
});

/// `value` with every secret-looking part of every string replaced.
pub(super) fn redact(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(redact).collect()),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, redact(field))).collect(),
        other => other,
    }
}

fn redact_text(mut text: String) -> String {
    for (pattern, with) in PATTERNS.iter() {
        if pattern.is_match(&text) {
            text = pattern.replace_all(&text, *with).into_owned();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 6);
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, redacted) in [
            ("s3://backups/etcd/2026-11-20.db", "s3://backups/etcd/2026-11-20.db"),
            ("https://bob:hunter2@nas/etcd.db", "https://<redacted>@nas/etcd.db"),
            ("https://s3/x?X-Amz-Signature=abc&b=1", "https://s3/x?X-Amz-Signature=<redacted>&b=1"),
            ("on nas, password: hunter2, shelf 4", "on nas, password: <redacted>, shelf 4"),
            ("oc login --token=sha256~AbC-d_e --server=x", "oc login --token=<redacted> --server=x"),
            ("Authorization: Bearer abcdefgh123", "Authorization: Bearer <redacted>"),
            ("quay.io/a/b@sha256:0123abcd", "quay.io/a/b@sha256:0123abcd"),
            ("got eyJhbGciOi.eyJpc3Mi.c2ln back", "got <redacted> back"),
        ] {
            assert_eq!(redact(json!({ "answers": [text] })), json!({ "answers": [redacted] }), "{text}");
        }
    }
}

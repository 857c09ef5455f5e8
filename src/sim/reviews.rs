//! Reviews about oneself: who am I, and what may I do.
//!
//! `kubectl auth can-i` sends its question as protobuf and does not ask again in JSON, so that envelope is read here.

use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use crate::sim::identity::{Attempt, Identity, User};
use crate::sim::status::{Refusal, json_response};
use crate::sim::store::timestamp;

/// The media type of Kubernetes' protobuf envelope.
pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Answers a review; `None` when the path is none.
pub fn answer(
    identity: &Identity,
    user: &User,
    path: &str,
    content_type: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Option<Result<Response, Refusal>> {
    let review = match path.trim_end_matches('/') {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => access(identity, user, content_type, body),
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" => rules(identity, user, content_type, body),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => Ok(json!({
            "kind": "SelfSubjectReview",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": timestamp(now)},
            "status": {"userInfo": user.info()},
        })),
        _ => return None,
    };
    Some(review.map(|review| json_response(StatusCode::CREATED, &review)))
}

fn access(identity: &Identity, user: &User, content_type: &str, body: &[u8]) -> Result<Value, Refusal> {
    let spec = spec_of(content_type, body, access_spec)?;
    let attempt = attempt_of(&spec)?;
    let allowed = identity.allows(user, &attempt);
    Ok(json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": {"allowed": allowed},
    }))
}

fn rules(identity: &Identity, user: &User, content_type: &str, body: &[u8]) -> Result<Value, Refusal> {
    let spec = spec_of(content_type, body, rules_spec)?;
    Ok(json!({
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": identity.rules(user),
    }))
}

fn spec_of(content_type: &str, body: &[u8], read: fn(&[u8]) -> Option<Value>) -> Result<Value, Refusal> {
    if content_type == PROTOBUF {
        let spec = envelope(body).and_then(|raw| read(field(raw, 2).unwrap_or_default()));
        return spec.ok_or_else(|| Refusal::bad_request("the protobuf envelope of the review cannot be read"));
    }
    let review: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("the body of the review is not JSON: {error}")))?;
    Ok(review["spec"].clone())
}

fn attempt_of(spec: &Value) -> Result<Attempt, Refusal> {
    let text = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    if spec["nonResourceAttributes"].is_object() {
        let path = Some(text("/nonResourceAttributes/path"));
        return Ok(Attempt { verb: text("/nonResourceAttributes/verb"), path, ..Attempt::default() });
    }
    if !spec["resourceAttributes"].is_object() {
        return Err(Refusal::bad_request(
            "spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        ));
    }
    let subresource = text("/resourceAttributes/subresource");
    let plural = text("/resourceAttributes/resource");
    let resource = if subresource.is_empty() { plural } else { format!("{plural}/{subresource}") };
    Ok(Attempt {
        verb: text("/resourceAttributes/verb"),
        group: text("/resourceAttributes/group"),
        resource,
        namespace: text("/resourceAttributes/namespace"),
        name: text("/resourceAttributes/name"),
        path: None,
    })
}

/// `SelfSubjectAccessReviewSpec` of k8s.io/api/authorization/v1/generated.proto.
fn access_spec(spec: &[u8]) -> Option<Value> {
    let text = |message: &[u8], number| String::from_utf8(field(message, number)?.to_vec()).ok();
    if let Some(attributes) = field(spec, 1) {
        let names = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
        let mut read = json!({});
        for (number, name) in (1..).zip(names) {
            if let Some(value) = text(attributes, number).filter(|value| !value.is_empty()) {
                read[name] = json!(value);
            }
        }
        return Some(json!({"resourceAttributes": read}));
    }
    let attributes = field(spec, 2)?;
    let (path, verb) = (text(attributes, 1).unwrap_or_default(), text(attributes, 2).unwrap_or_default());
    Some(json!({"nonResourceAttributes": {"path": path, "verb": verb}}))
}

/// `SelfSubjectRulesReviewSpec`: a namespace.
fn rules_spec(spec: &[u8]) -> Option<Value> {
    let namespace = field(spec, 1).unwrap_or_default();
    Some(json!({"namespace": String::from_utf8(namespace.to_vec()).ok()?}))
}

/// The object inside `runtime.Unknown`, which follows the magic bytes `k8s\0`.
fn envelope(body: &[u8]) -> Option<&[u8]> {
    field(body.strip_prefix(b"k8s\0")?, 2)
}

/// The first length-delimited field of that number in a protobuf message.
fn field(message: &[u8], number: u64) -> Option<&[u8]> {
    let mut rest = message;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match key & 7 {
            0 => drop(varint(&mut rest)?),
            1 => rest = rest.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                if key >> 3 == number {
                    return Some(value);
                }
                rest = after;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    None
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, value) in fields {
            bytes.extend([number << 3 | 2, u8::try_from(value.len()).unwrap()]);
            bytes.extend_from_slice(value);
        }
        bytes
    }

    #[test]
    fn a_question_in_protobuf_is_understood() {
        let attributes = message(&[(2, b"patch"), (3, b"apps"), (5, b"deployments"), (6, b"status")]);
        let review = message(&[(1, b""), (2, &message(&[(1, &attributes)]))]);
        let kind = message(&[(1, b"authorization.k8s.io/v1"), (2, b"SelfSubjectAccessReview")]);
        let mut body = b"k8s\0".to_vec();
        body.extend(message(&[(1, &kind), (2, &review)]));
        let spec = spec_of(PROTOBUF, &body, access_spec).unwrap();
        let attempt = attempt_of(&spec).unwrap();
        assert_eq!((attempt.verb.as_str(), attempt.group.as_str()), ("patch", "apps"));
        assert_eq!(attempt.resource, "deployments/status");
    }

    #[test]
    fn broken_protobuf_is_refused_and_never_a_panic() {
        for body in [&b""[..], b"k8s\0", b"k8s\0\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"k8s\0\x12\x05ab"] {
            assert!(spec_of(PROTOBUF, body, access_spec).is_err());
        }
    }
}

//! What the server says when it refuses: `metav1.Status` objects, as apimachinery's `api/errors` builds them.
//!
//! Belongs here: the shape and the wording of refusals. Does not: deciding when to refuse.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::sim::kinds::KindInfo;

/// A refused request.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    retry_after: Option<u32>,
    /// A `continue` token that the client may go on with, for lists that have expired.
    go_on: Option<String>,
}

/// One finding of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The machine-readable reason, such as `FieldValueInvalid`.
    pub reason: &'static str,
    /// What is wrong, without the field.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None, go_on: None }
    }

    fn with_details(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401: no token, or one that is not known.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// 403: this user may not do that.
    pub fn forbidden(group: &str, plural: &str, name: &str, message: &str) -> Self {
        let message = format!("{} is forbidden: {message}", quoted(&qualified(group, plural), name));
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with_details(details(group, plural, name))
    }

    /// 404: no object of that name.
    pub fn not_found(info: &KindInfo, name: &str) -> Self {
        let message = format!("{} not found", quoted(&qualified(info.group, info.plural), name));
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with_details(details(info.group, info.plural, name))
    }

    /// 405: the path exists and the method does not.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with_details(json!({}))
    }

    /// 406: nothing that the client accepts can be made.
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json";
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// 409: an object of that name is there already.
    pub fn already_exists(info: &KindInfo, name: &str) -> Self {
        let message = format!("{} already exists", quoted(&qualified(info.group, info.plural), name));
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).with_details(details(info.group, info.plural, name))
    }

    /// 409: the optimistic lock did not hold.
    pub fn conflict(info: &KindInfo, name: &str, why: &str) -> Self {
        let what = quoted(&qualified(info.group, info.plural), name);
        let message = format!("Operation cannot be fulfilled on {what}: {why}");
        Self::new(StatusCode::CONFLICT, "Conflict", message).with_details(details(info.group, info.plural, name))
    }

    /// 409: somebody else wrote in the meantime.
    pub fn modified(info: &KindInfo, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(info, name, why)
    }

    /// 409: fields of a configuration that is applied belong to others.
    pub fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        let causes: Value = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        Self::new(StatusCode::CONFLICT, "Conflict", message).with_details(json!({"causes": causes}))
    }

    /// 422: a configuration is applied by nobody (apimachinery, apis/meta/v1/validation, `ValidatePatchOptions`).
    pub fn manager_required() -> Self {
        let cause = Cause {
            reason: "FieldValueRequired",
            message: "Required value: is required for apply patch".to_owned(),
            field: "fieldManager".to_owned(),
        };
        Self::invalid("meta.k8s.io", "PatchOptions", "", &[cause])
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// 410: the version is too old to continue from. `go_on` is a token for an inconsistent rest of the list.
    pub fn expired(message: impl Into<String>, go_on: Option<String>) -> Self {
        Self { go_on, ..Self::new(StatusCode::GONE, "Expired", message) }
    }

    /// 415: the body is in a format that is not understood.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// 422: the object breaks rules of its kind.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let told: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let told = if let [only] = told.as_slice() { only.clone() } else { format!("[{}]", told.join(", ")) };
        let message = format!("{} \"{name}\" is invalid: {told}", qualified(group, kind));
        let mut details = details(group, kind, name);
        details["causes"] = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_details(details)
    }

    /// 429: come back later.
    pub fn too_many_requests(message: impl Into<String>, retry_after: u32) -> Self {
        let details = json!({"retryAfterSeconds": retry_after});
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).with_details(details)
        }
    }

    /// 429: the pod's disruption budget does not allow an eviction now.
    pub fn disruption_budget(cause: impl Into<String>, retry_after: Option<u32>) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut details = json!({"causes": [{"reason": "DisruptionBudget", "message": cause.into()}]});
        if let Some(seconds) = retry_after {
            details["retryAfterSeconds"] = json!(seconds);
        }
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).with_details(details);
        Self { retry_after, ..refusal }
    }

    /// 500: the server broke.
    pub fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let details = json!({"causes": [{"message": message}]});
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", format!("Internal error occurred: {message}"))
            .with_details(details)
    }

    /// 504: a version was asked for that does not exist yet.
    pub fn too_large_version(asked: u64, current: u64) -> Self {
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let details = json!({"causes": [cause], "retryAfterSeconds": 1});
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).with_details(details)
        }
    }

    /// The refusal as a `Status` object.
    pub fn status(&self) -> Value {
        let mut metadata = json!({});
        if let Some(token) = &self.go_on {
            metadata["continue"] = json!(token);
        }
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code.as_u16(),
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json_response(self.code, &self.status());
        if self.code == StatusCode::FORBIDDEN {
            response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer in JSON, never cached.
pub fn json_response(code: StatusCode, body: &Value) -> Response {
    bytes_response(code, "application/json", serde_json::to_vec(body).unwrap_or_default())
}

/// An answer whose body is at hand.
pub fn bytes_response(code: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// The answer for a path that nothing is registered at: plain text, no `Status`.
pub fn no_such_path() -> Response {
    let mut response =
        bytes_response(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n".to_owned());
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// `plural.group`, or the bare plural in the core group.
pub fn qualified(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

fn quoted(what: &str, name: &str) -> String {
    if name.is_empty() { what.to_owned() } else { format!("{what} \"{name}\"") }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = json!({"kind": kind});
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    if !group.is_empty() {
        details["group"] = json!(group);
    }
    details
}

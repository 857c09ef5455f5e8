//! Pod logs: a plausible text that is derived from the pod's state.

use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::clock::WallClock;
use crate::sim::faults::Signals;
use crate::sim::request::Params;
use crate::sim::status::{Refusal, bytes_response};
use crate::sim::store::Store;

/// Answers a request for the log of a pod.
pub fn answer(
    _store: &Store,
    _pod: &Value,
    _params: &Params,
    _clock: WallClock,
    _signals: Signals,
) -> Result<Response, Refusal> {
    Ok(bytes_response(StatusCode::OK, "text/plain", ""))
}

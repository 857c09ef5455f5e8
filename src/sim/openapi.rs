//! OpenAPI documents, as far as kubectl reads them.

use axum::response::Response;

use crate::sim::store::Store;

/// Answers a path below `/openapi`.
pub fn answer(_store: &Store, _path: &str) -> Option<Response> {
    None
}

//! An object of a file beside what is there in its place.

use serde_json::Value;

use super::manifest::Manifest;
use super::merge::{merged, patch};

/// An object of the file, and what is there in its place.
pub(super) struct Item<'a> {
    /// As it is applied.
    pub manifest: &'a Manifest,
    /// As it is; none: it is not there.
    pub there: Option<&'a Value>,
    /// Its namespace does not exist.
    pub homeless: bool,
}

impl Item<'_> {
    /// The object once it is applied.
    pub(super) fn would_be(&self) -> Value {
        let Some(there) = self.there else { return self.manifest.body.clone() };
        patch(there, &self.manifest.body).map_or_else(|| there.clone(), |patch| merged(there, &patch))
    }
}

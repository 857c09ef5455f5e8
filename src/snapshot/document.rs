//! One file's text into JSON values: JSON, or YAML with one or several documents.

use std::fmt;

use serde_json::Value;

/// Why a text is neither JSON nor YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// The documents of a text; empty documents are left out.
pub fn read(text: &str) -> Result<Vec<Value>, Malformed> {
    if text.trim_start().starts_with(['{', '[']) {
        // `oc` writes several objects of JSON one after the other when asked for several kinds.
        let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        if let Ok(documents) = documents {
            return Ok(documents);
        }
    }
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| Malformed(error.to_string()))
}

/// As `oc` writes YAML: only `true` and `false` are booleans. The limits are those of a dump of thousands of nodes, not
/// of a configuration file; they still stop a file that unfolds without end.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 25_000_000,
            max_documents: 100_000,
            max_total_scalar_bytes: 1 << 30,
        },
    }
}

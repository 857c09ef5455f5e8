//! One file's text into JSON values: JSON, or YAML with one or several documents.

use std::borrow::Cow;
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

/// The documents of a text, whole: for objects that are to be written.
pub fn read_whole(text: &str) -> Result<Vec<Value>, Malformed> {
    if text.trim_start().starts_with(['{', '[']) {
        let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        return documents.map_err(|error| Malformed(error.to_string()));
    }
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| Malformed(error.to_string()))
}

/// The documents of a text; empty documents are left out. Of MachineConfigs in YAML the `spec` is left out: a rendered
/// one weighs a megabyte, a must-gather holds hundreds, and nobody reads more than their metadata.
pub fn read(text: &str) -> Result<Vec<Value>, Malformed> {
    if text.trim_start().starts_with(['{', '[']) {
        // `oc` writes several objects of JSON one after the other when asked for several kinds.
        let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        if let Ok(documents) = documents {
            return Ok(documents);
        }
    }
    let lean = without_specs(text);
    serde_saphyr::from_multiple_with_options(&lean, options()).map_err(|error| Malformed(error.to_string()))
}

/// The text without the `spec` of MachineConfigs, wherever such an object begins with its kind before its spec, as all
/// tools write it.
fn without_specs(text: &str) -> Cow<'_, str> {
    const KIND: &str = "kind: MachineConfig";
    let is_kind =
        |line: &str| line.trim_start_matches([' ', '-']).strip_prefix(KIND).is_some_and(|rest| rest.trim() == "");
    if !text.contains(KIND) {
        return Cow::Borrowed(text);
    }
    let mut lean = String::with_capacity(text.len() / 4);
    // How far the fields of the object are indented, and whether its spec is being passed over.
    let (mut indent, mut inside) = (None, false);
    for line in text.split_inclusive('\n') {
        let depth = line.len() - line.trim_start_matches(' ').len();
        let blank = line.trim().is_empty();
        if inside && (blank || indent.is_some_and(|indent| depth > indent)) {
            continue;
        }
        inside = false;
        if is_kind(line) {
            // The first field of an item of a list stands behind its dash.
            indent = Some(line.len() - line.trim_start_matches([' ', '-']).len());
        } else if indent == Some(depth) && line.trim_end() == format!("{}spec:", " ".repeat(depth)) {
            inside = true;
            continue;
        } else if !blank && indent.is_some_and(|indent| depth + 2 <= indent || line.starts_with("---")) {
            // The object has ended.
            indent = None;
        }
        lean.push_str(line);
    }
    Cow::Owned(lean)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const RENDERED: &str = "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\nmetadata:\n  name: r\nspec:\n  config:\n    ignition:\n      version: 3.2.0\n\n  osImageURL: x\n";

    #[test]
    fn of_machine_configs_only_the_metadata_is_kept() {
        let both =
            read(&format!("---\n{RENDERED}---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n\nspec:\n  a: 1\n"))
                .unwrap();
        assert_eq!(both.len(), 2);
        assert_eq!((&both[0]["metadata"]["name"], both[0].get("spec")), (&"r".into(), None));
        assert_eq!(both[1]["spec"]["a"], 1, "other objects stay whole");
    }

    #[test]
    fn in_lists_too_and_pools_stay_whole() {
        let item = |text: &str| format!("- {}", text.trim_end().replace('\n', "\n  "));
        let pool = RENDERED.replace("kind: MachineConfig", "kind: MachineConfigPool");
        let list =
            format!("apiVersion: v1\nitems:\n{}\n{}\n{}\nkind: List\n", item(RENDERED), item(&pool), item(RENDERED));
        let read = read(&list).unwrap();
        let specs: Vec<bool> =
            read[0]["items"].as_array().unwrap().iter().map(|item| item.get("spec").is_some()).collect();
        assert_eq!(specs, [false, true, false]);
        assert_eq!(read[0]["kind"], "List");
    }
}

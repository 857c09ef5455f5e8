//! Dumps of clusters, read into JSON values.
//!
//! Belongs here: reading files and directories that `oc get -o yaml|json`, `oc adm inspect` and must-gather write:
//! single objects, `List`s, several YAML documents in a file. A file that cannot be read is named beside what could.
//! Does not: judging what was read (that is `upgrade`), and writing.
//! May import: `upgrade` (facts, assemble).

pub mod document;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use document::Malformed;

/// What was found in files.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Objects, in the order of files and documents. `List`s are opened.
    pub objects: Vec<Value>,
    /// Files that could not be read, or hold something else than objects.
    pub broken: Vec<Broken>,
    /// How many files were read.
    pub files: usize,
}

/// A file that could not be read, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub path: PathBuf,
    /// Why, in words.
    pub why: String,
}

/// Reads files, and directories with all that is below them (`*.yaml`, `*.yml`, `*.json`; other files there are passed
/// over, while a file that is named outright is read whatever its name).
///
/// Nothing makes this fail as a whole: what cannot be read is told in the broken files of the snapshot.
pub fn read<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for path in paths {
        snapshot.add(path.as_ref(), true);
    }
    snapshot
}

impl Snapshot {
    fn add(&mut self, path: &Path, named: bool) {
        if path.is_dir() {
            match children(path) {
                Ok(children) => children.iter().for_each(|child| self.add(child, false)),
                Err(error) => self.broken(path, error.to_string()),
            }
        } else if named || looks_like_objects(path) {
            self.add_file(path, named);
        }
    }

    fn add_file(&mut self, path: &Path, named: bool) {
        self.files += 1;
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.broken(path, error.to_string()),
        };
        let documents = match document::read(&text) {
            Ok(documents) => documents,
            Err(error) => return self.broken(path, error.to_string()),
        };
        let mut strangers = 0;
        for document in documents {
            strangers += open(document, &mut self.objects);
        }
        // A must-gather holds other YAML and JSON too: only a file that was named outright must hold objects.
        if strangers > 0 && named {
            self.broken(
                path,
                format!("{strangers} of its documents are no Kubernetes objects (no apiVersion and kind)"),
            );
        }
    }

    fn broken(&mut self, path: &Path, why: String) {
        self.broken.push(Broken { path: path.to_owned(), why });
    }
}

/// In a fixed order, so that the same dump is always read the same way. Links are not followed: a dump may hold loops.
fn children(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_symlink() {
            children.push(entry.path());
        }
    }
    children.sort();
    Ok(children)
}

fn looks_like_objects(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Puts an object, or the items of a list, into `objects`; returns how many documents were no objects. Items of a typed
/// list (`NodeList`) carry neither apiVersion nor kind: they get those of the list.
fn open(document: Value, objects: &mut Vec<Value>) -> usize {
    let Value::Object(mut document) = document else {
        return usize::from(!document.is_null());
    };
    let text = |document: &serde_json::Map<String, Value>, key: &str| {
        document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (api_version, kind) = (text(&document, "apiVersion"), text(&document, "kind"));
    if kind.is_empty() || api_version.is_empty() {
        return 1;
    }
    let Some(item_kind) = kind.strip_suffix("List").filter(|_| document.contains_key("items")) else {
        objects.push(Value::Object(document));
        return 0;
    };
    let Some(Value::Array(items)) = document.remove("items") else { return 0 };
    let mut strangers = 0;
    for mut item in items {
        if let Value::Object(fields) = &mut item
            && !item_kind.is_empty()
        {
            fields.entry("apiVersion").or_insert_with(|| Value::String(api_version.clone()));
            fields.entry("kind").or_insert_with(|| Value::String(item_kind.to_owned()));
        }
        strangers += open(item, objects);
    }
    strangers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn names(objects: &[Value]) -> Vec<String> {
        objects
            .iter()
            .map(|object| {
                format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
            })
            .collect()
    }

    fn opened(text: &str) -> (Vec<String>, usize) {
        let mut objects = Vec::new();
        let strangers = document::read(text).unwrap().into_iter().map(|document| open(document, &mut objects)).sum();
        (names(&objects), strangers)
    }

    #[test]
    fn lists_and_documents_are_opened() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata: {name: a}\n---\n\
                    apiVersion: v1\nkind: NodeList\nitems:\n- metadata: {name: b}\n---\n---\napiVersion: v1\nkind: Pod\n\
                    metadata: {name: c}\n";
        assert_eq!(opened(text), (vec!["Node/a".to_owned(), "Node/b".to_owned(), "Pod/c".to_owned()], 0));
    }

    #[test]
    fn json_is_read_too_and_strangers_are_counted() {
        let text = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}, 7, {"a": 1}]}"#;
        assert_eq!(opened(text), (vec!["Node/a".to_owned()], 2));
    }

    #[test]
    fn a_broken_file_is_named_and_the_others_are_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/snapshot");
        let snapshot = read([folder]);
        assert_eq!(names(&snapshot.objects), ["ConfigMap/first", "ConfigMap/second"]);
        let broken: Vec<_> =
            snapshot.broken.iter().map(|broken| broken.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(broken, ["broken.yaml"]);
        assert_eq!(snapshot.files, 4, "notes.txt is none of the files");
    }

    #[test]
    fn a_file_that_is_named_outright_must_hold_objects() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/snapshot");
        let snapshot = read([format!("{folder}/values.json"), format!("{folder}/missing.yaml")]);
        assert!(snapshot.objects.is_empty());
        assert_eq!(snapshot.broken.len(), 2);
        assert!(snapshot.broken[0].why.contains("no Kubernetes objects"), "{}", snapshot.broken[0].why);
    }
}

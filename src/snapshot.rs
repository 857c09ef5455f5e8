//! Dumps of clusters, read into JSON values.
//!
//! Belongs here: reading files, directories and archives that `oc get -o yaml|json`, `oc adm inspect` and must-gather
//! write: single objects, `List`s, several YAML documents in a file, alerts as the monitoring answers them. A file that
//! cannot be read is named beside what could; what cannot matter (logs, kinds that nobody reads) is passed over by its
//! path. Archives are read as they are, never unpacked to disk.
//! Does not: judging what was read (that is `upgrade`), and writing.
//! May import: `upgrade` (facts, assemble).

mod archive;
pub mod document;
mod recording;
mod wanted;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

pub use document::Malformed;
pub use recording::{Recording, Unopened};

use crate::upgrade::alert;

/// The largest file that is read, archived or not: a dump of thousands of nodes in one file weighs a tenth of that.
const LARGEST: u64 = 512 << 20;

/// How deep folders are entered.
const DEEPEST: usize = 32;

/// What was found in files.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Objects, in the order of files and documents. `List`s are opened.
    pub objects: Vec<Value>,
    /// Answers of the monitoring (`/api/v1/alerts`, `/api/v1/rules`), which are no objects.
    pub answers: Vec<Value>,
    /// Files that could not be read, or hold something else than objects.
    pub broken: Vec<Broken>,
    /// How many files were read.
    pub files: usize,
    /// When a must-gather was taken, by its own `timestamp` files; the newest.
    pub taken: Option<DateTime<Utc>>,
}

/// A file that could not be read, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which; in an archive, its path there behind that of the archive.
    pub path: PathBuf,
    /// Why, in words.
    pub why: String,
}

/// Reads files, archives (`.tar`, `.tar.gz`, `.tgz`), and directories with all that is below them (`*.yaml`, `*.yml`,
/// `*.json`; other files there are passed over, archives too, while a file that is named outright is read whatever its
/// name).
///
/// Nothing makes this fail as a whole: what cannot be read is told in the broken files of the snapshot.
pub fn read<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for path in paths {
        snapshot.add_named(path.as_ref());
    }
    snapshot.settle();
    snapshot
}

/// The largest file of objects to write: etcd takes no object above 1.5 MiB, and a person reads no more.
const LARGEST_MANIFEST: u64 = 16 << 20;

/// The objects in a file that are to be written: whole, in their order, `List`s opened.
///
/// # Errors
/// In words, with the line where the text is malformed: a file that cannot be read, that is too large, or that holds
/// something else than objects.
pub fn manifest(path: &Path) -> Result<Vec<Value>, String> {
    let told = |why: String| format!("{}: {why}", path.display());
    let size = fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if size > LARGEST_MANIFEST {
        return Err(told(too_large(size)));
    }
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let mut objects = Vec::new();
    for document in document::read_whole(&text).map_err(|error| told(error.to_string()))? {
        if open(document, &mut objects) > 0 {
            return Err(told("a document of it is no object: apiVersion and kind are expected".to_owned()));
        }
    }
    if objects.is_empty() {
        return Err(told("it holds no object".to_owned()));
    }
    Ok(objects)
}

impl Snapshot {
    fn add_named(&mut self, path: &Path) {
        if path.is_dir() {
            self.add_folder(path, path, 0);
            return;
        }
        match archive::of(path) {
            Ok(Some(packed)) => archive::add(self, path, packed),
            Ok(None) => self.add_file(path, true),
            Err(error) => self.broken(path, error.to_string()),
        }
    }

    /// `top` is the folder that was named: what is above it says nothing about what a file is.
    fn add_folder(&mut self, top: &Path, folder: &Path, depth: usize) {
        let children = match children(folder) {
            Ok(children) if depth < DEEPEST => children,
            Ok(_) => return self.broken(folder, format!("more than {DEEPEST} folders deep: it is not entered")),
            Err(error) => return self.broken(folder, error.to_string()),
        };
        for child in children {
            let below = child.strip_prefix(top).unwrap_or(&child);
            if child.is_dir() {
                // The pods of a namespace are in one file already.
                let listed =
                    wanted::is_pods_of_namespace(below) && child.with_file_name("core").join("pods.yaml").is_file();
                if !listed {
                    self.add_folder(top, &child, depth + 1);
                }
            } else if wanted::is_timestamp(below) {
                self.stamp(&fs::read_to_string(&child).unwrap_or_default());
            } else if wanted::wanted(below) {
                self.add_file(&child, false);
            }
        }
    }

    fn add_file(&mut self, path: &Path, named: bool) {
        let text = match fs::metadata(path) {
            Ok(told) if told.len() > LARGEST => Err(too_large(told.len())),
            Ok(_) => fs::read_to_string(path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        self.files += 1;
        match text {
            Ok(text) => self.add_text(path, &text, named),
            Err(why) => self.broken(path, why),
        }
    }

    fn add_text(&mut self, path: &Path, text: &str, named: bool) {
        let documents = match document::read(text) {
            Ok(documents) => documents,
            Err(error) => return self.broken(path, error.to_string()),
        };
        let mut strangers = 0;
        for document in documents {
            if alert::of_answer(&document).is_some() {
                self.answers.push(document);
            } else {
                strangers += open(document, &mut self.objects);
            }
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

    /// `2026-03-01 11:20:00.123456789 +0000 UTC m=+0.012`: how must-gather writes when it began and ended.
    fn stamp(&mut self, text: &str) {
        let read = |line: &str| {
            let time = line.get(..19).filter(|_| line.contains(" +0000 "))?;
            NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").ok().map(|time| time.and_utc())
        };
        self.taken = self.taken.max(text.lines().filter_map(read).max());
    }

    /// An object that was written down twice (a must-gather holds pods in lists and one by one) counts once: as it was
    /// later. So do alerts.
    fn settle(&mut self) {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut kept: Vec<Value> = Vec::with_capacity(self.objects.len());
        for object in self.objects.drain(..) {
            let Some(address) = address(&object) else {
                kept.push(object);
                continue;
            };
            match places.get(&address) {
                Some(&at) if revision(&object) >= revision(&kept[at]) => kept[at] = object,
                Some(_) => {}
                None => {
                    places.insert(address, kept.len());
                    kept.push(object);
                }
            }
        }
        self.objects = kept;
        self.answers = alerts_once(&self.answers).into_iter().collect();
    }
}

fn too_large(size: u64) -> String {
    format!("{} MiB is more than the {} MiB that are read of one file", size >> 20, LARGEST >> 20)
}

/// Group, kind, namespace and name; none: it has no name (or is no object).
fn address(object: &Value) -> Option<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let group = text("/apiVersion")?.rsplit_once('/').map_or("", |(group, _)| group);
    let (kind, name) = (text("/kind")?, text("/metadata/name")?);
    Some(format!("{group}/{kind}/{}/{name}", text("/metadata/namespace").unwrap_or_default()))
}

fn revision(object: &Value) -> Option<u64> {
    object.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok()
}

/// All alerts of all answers as one answer, each once; none when there was no answer.
fn alerts_once(answers: &[Value]) -> Option<Value> {
    fn alerts_in<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
        let list = |value: &'a Value, key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
        if let Some(data) = value.get("data") {
            into.extend(list(data, "alerts"));
            for rule in list(data, "groups").flat_map(|group| list(group, "rules")) {
                into.extend(list(rule, "alerts"));
            }
        }
    }
    let mut alerts = Vec::new();
    for answer in answers {
        alerts_in(answer, &mut alerts);
    }
    let mut once: Vec<&Value> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for alert in alerts {
        if seen.insert(alert.get("labels").map(Value::to_string)) {
            once.push(alert);
        }
    }
    (!answers.is_empty()).then(|| serde_json::json!({"status": "success", "data": {"alerts": once}}))
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

//! A dump as a cluster that can be looked at: its facts, its moment, its objects.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Broken, Snapshot};
use crate::upgrade::assemble;
use crate::upgrade::assessment::Resource;
use crate::upgrade::facts::{Facts, Kind};
use crate::upgrade::words;

/// A dump as a cluster.
#[derive(Debug)]
pub struct Recording {
    /// What it is called: the last part of the first path.
    pub name: String,
    /// Where it was read.
    pub paths: Vec<PathBuf>,
    /// What it holds.
    pub facts: Arc<Facts>,
    /// The moment that it shows: given, or the newest time in it.
    pub now: DateTime<Utc>,
    /// Files that could not be read.
    pub broken: Vec<Broken>,
    /// How many files were read.
    pub files: usize,
    objects: Vec<Value>,
}

/// Why a dump cannot be judged, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unopened {
    /// There is nothing of a cluster in it, or no time.
    Empty(String),
    /// The moment that was asked for is earlier than what is in it: a mistake of the one who asked.
    TooEarly(String),
}

impl fmt::Display for Unopened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(words) | Self::TooEarly(words) => out.write_str(words),
        }
    }
}

impl Recording {
    /// Reads the dump in `paths`. `now`: the moment to judge it at; none: the newest time in it.
    ///
    /// # Errors
    /// There is nothing of a cluster in it, or no time, or the moment is earlier than what happened in it.
    pub fn open(paths: &[PathBuf], now: Option<DateTime<Utc>>) -> Result<Self, Unopened> {
        let snapshot = super::read(paths);
        let Snapshot { objects, answers, broken, files, taken } = snapshot;
        let read = assemble::Objects::from_values(objects.iter().chain(&answers));
        let any = Kind::CORE.into_iter().any(|kind| read.count(kind) > 0);
        if !any {
            return Err(Unopened::Empty(nothing(paths, files, &broken)));
        }
        let newest = if are_mocks(paths) {
            let platform = |object: &&Value| {
                matches!(object.get("kind").and_then(Value::as_str), Some("ClusterVersion" | "ClusterOperator"))
            };
            assemble::newest_transition(objects.iter().filter(platform))
        } else {
            assemble::newest_transition(&objects).max(taken)
        };
        if let Some((asked, known)) = now.zip(assemble::newest_transition(&objects)).filter(|(now, known)| now < known)
            && !are_mocks(paths)
        {
            return Err(Unopened::TooEarly(format!(
                "{} is earlier than what these files tell, the newest of which happened at {}: name that moment or a \
                 later one with --now",
                words::stamp(asked),
                words::stamp(known)
            )));
        }
        let now = now
            .or(newest)
            .ok_or("there is no time in these files that could be its moment: name one with --now".to_owned())
            .map_err(Unopened::Empty)?;
        let name = paths.first().and_then(|path| path.file_name()).unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        Ok(Self { name, paths: paths.to_vec(), facts: Arc::new(read.into_recording(now)), now, broken, files, objects })
    }

    /// The object as it was written down.
    pub fn object(&self, wanted: &Resource) -> Option<&Value> {
        let (plural, group) = wanted.resource.split_once('.').unwrap_or((&wanted.resource, ""));
        let text = |object: &Value, pointer: &str| {
            object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        self.objects.iter().find(|object| {
            let version = text(object, "/apiVersion");
            let of_group = version.rsplit_once('/').map_or("", |(group, _)| group);
            of_group == group
                && text(object, "/metadata/name") == wanted.name
                && text(object, "/metadata/namespace") == wanted.namespace
                && is_plural_of(plural, &text(object, "/kind"))
        })
    }
}

/// `clusterversions` of `ClusterVersion`, `policies` of `Policy`.
fn is_plural_of(plural: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let stem = kind.strip_suffix('y').map_or_else(|| kind.clone(), |stem| format!("{stem}ie"));
    [format!("{kind}s"), format!("{kind}es"), format!("{stem}s")].iter().any(|candidate| candidate == plural)
}

/// Are these files named as `oc adm upgrade status --mock-clusterversion` takes them (`NAME-cv.yaml`, `NAME-co.yaml`)?
/// Such sets are put together by hand, nodes and pools may be of another hour. `oc` takes the newest transition of
/// ClusterVersion and ClusterOperators for the moment that they show (oc: pkg/cli/admin/upgrade/status/mockresources.go).
fn are_mocks(paths: &[PathBuf]) -> bool {
    let names: Vec<&str> = paths.iter().filter_map(|path| path.to_str()).collect();
    let of_mock = names.iter().find_map(|name| name.strip_suffix("-cv.yaml"));
    of_mock.is_some_and(|mock| names.iter().any(|name| name.strip_suffix("-co.yaml") == Some(mock)))
}

fn nothing(paths: &[PathBuf], files: usize, broken: &[Broken]) -> String {
    let shown = |path: &Path| path.display().to_string();
    let named: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    let why = match broken.first() {
        Some(first) => format!("; {}: {}", shown(&first.path), first.why),
        None => String::new(),
    };
    let read = words::count(files, "file");
    format!(
        "there is nothing of an OpenShift cluster in {} ({read} read{why}). It takes what `oc get -o yaml` or `oc adm \
         inspect` write of clusterversions, clusteroperators, machineconfigpools, nodes and machineconfigs, or a \
         must-gather",
        named.join(", ")
    )
}

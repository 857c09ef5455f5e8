//! Every finding and every verdict, each shown by a dump of a cluster that has it.
//!
//! `tests/fixtures/cluster` is a small healthy cluster as `oc get -o yaml` writes it, `tests/fixtures/stages/<stage>`
//! moves it along its update from 4.18.22 to 4.19.3 (`idle`, `updating`, `workers`, `done`), and
//! `tests/fixtures/findings/<id>` or `tests/fixtures/verdicts/<Name>` change what makes that finding or verdict appear.
//!
//! A change is a YAML document with `kind` and `metadata.name` (`metadata.names: [a, b]` for several; `metadata.namespace`
//! where there is one) that is merged over the object as a JSON merge patch. Beyond that standard:
//! - items of `status.conditions` are merged by their `type`, so that a change names only those that differ;
//! - `$delete: true` in a document deletes the object, in a condition that condition;
//! - an object that is not there is added (then `apiVersion` has to be given).
//!
//! One document has no `kind` and sets the scene ([`Scene`]); an answer of the monitoring (`data: ...`) has none either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::snapshot::document;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Finding, Subject, VerdictKind};
use oc_cockpit::upgrade::checks;
use oc_cockpit::upgrade::facts::{Kind, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, Trouble, TroubleKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;
use serde::Deserialize;
use serde_json::{Map, Value};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// Findings whose dump is still to be made. It has to be empty in the end.
const PENDING: &[&str] = &[];

/// Verdicts whose dump is still to be made. It has to be empty in the end.
const PENDING_VERDICTS: &[&str] = &[];

/// What a folder says beside its changes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Scene {
    /// The moment; none: that of the stage.
    now: Option<DateTime<Utc>>,
    /// How far the update is; none: `workers`.
    stage: Option<String>,
    /// The level that the finding must have: `info`, `warning`, `error`, `critical`.
    level: Option<String>,
    /// What it must be about: `node/worker-2`, `pool/worker`, `operator/etcd`, `version`, `link`, else the resource with
    /// its name, such as `machines.machine.openshift.io/openshift-machine-api/prod-worker-2`.
    subject: Option<String>,
    /// It must be marked as expected.
    expected: bool,
    /// Moments at which somebody looked at the same objects before.
    looked: Vec<DateTime<Utc>>,
    /// Kinds (by their plural) that the user may not read.
    forbidden: Vec<String>,
    /// Since when the API server does not answer.
    silent_since: Option<DateTime<Utc>>,
    /// How far the API server's clock is ahead of that of the machine that looks.
    server_ahead_seconds: i64,
}

/// Objects, and the scene.
#[derive(Debug, Default)]
struct Dump {
    objects: Vec<Value>,
    scene: Scene,
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn documents(folder: &Path) -> Vec<Value> {
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        document::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    yaml_files(folder).into_iter().flat_map(read).collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// RFC 7396, but conditions are merged by their type.
fn merge(into: &mut Value, change: &Value) {
    let Value::Object(changes) = change else {
        *into = change.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let fields = into.as_object_mut().unwrap();
    for (key, change) in changes {
        match (key.as_str(), change) {
            (_, Value::Null) => {
                fields.remove(key);
            }
            ("conditions", Value::Array(conditions)) => {
                let known = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
                for condition in conditions {
                    merge_condition(known.as_array_mut().expect("conditions are a list"), condition);
                }
            }
            _ => merge(fields.entry(key).or_insert(Value::Null), change),
        }
    }
}

fn merge_condition(known: &mut Vec<Value>, change: &Value) {
    let place = known.iter().position(|condition| condition["type"] == change["type"]);
    match (place, change.get("$delete").is_some()) {
        (Some(at), true) => {
            known.remove(at);
        }
        (Some(at), false) => known[at] = change.clone(),
        (None, deleted) => {
            assert!(!deleted, "there is no condition {} to delete", change["type"]);
            known.push(change.clone());
        }
    }
}

impl Dump {
    /// The healthy cluster, at rest on the old version.
    fn healthy() -> Self {
        let mut dump = Self::default();
        for list in documents(&Path::new(FIXTURES).join("cluster")) {
            match list.get("items").and_then(Value::as_array) {
                Some(items) => dump.objects.extend(items.iter().cloned()),
                None => dump.objects.push(list),
            }
        }
        dump
    }

    /// The healthy cluster at a stage of its update.
    fn stage(stage: &str) -> Self {
        let mut dump = Self::healthy();
        dump.change(documents(&Path::new(FIXTURES).join("stages").join(stage)));
        dump
    }

    /// The cluster of a folder of findings or verdicts, and the same without what the folder changes.
    fn folder(folder: &Path) -> (Self, Self) {
        let documents = documents(folder);
        let scene = documents.iter().find(|document| is_scene(document));
        let stage = scene.map_or("", |scene| text(scene, "/stage"));
        let stage = if stage.is_empty() { "workers" } else { stage };
        let before = Self::stage(stage);
        let mut after = Self::stage(stage);
        after.change(documents);
        (before, after)
    }

    fn change(&mut self, documents: Vec<Value>) {
        for document in documents {
            if is_scene(&document) {
                let now = self.scene.now;
                self.scene = serde_json::from_value(document).expect("a scene");
                self.scene.now = self.scene.now.or(now);
            } else if document.get("data").is_some() && document.get("kind").is_none() {
                self.objects.push(document);
            } else {
                self.change_objects(document);
            }
        }
    }

    fn change_objects(&mut self, mut document: Value) {
        let metadata = document["metadata"].as_object_mut().expect("a change names its object");
        let names = match metadata.remove("names") {
            Some(names) => serde_json::from_value(names).expect("names"),
            None => vec![metadata["name"].as_str().expect("a name").to_owned()],
        };
        for name in names {
            document["metadata"]["name"] = Value::String(name);
            self.change_object(&document);
        }
    }

    fn change_object(&mut self, change: &Value) {
        let key =
            |object: &Value| ["/kind", "/metadata/namespace", "/metadata/name"].map(|at| text(object, at).to_owned());
        let at = self.objects.iter().position(|object| key(object) == key(change));
        match at {
            Some(at) if change.get("$delete").is_some() => {
                self.objects.remove(at);
            }
            Some(at) => merge(&mut self.objects[at], change),
            None => {
                assert!(change.get("$delete").is_none(), "there is no {:?} to delete", key(change));
                assert!(change.get("apiVersion").is_some(), "{:?} is new: it needs its apiVersion", key(change));
                let mut object = Value::Null;
                merge(&mut object, change);
                self.objects.push(object);
            }
        }
    }

    fn assess(&self) -> Assessment {
        let now = self.scene.now.expect("each stage has its moment");
        let mut memory = Memory::default();
        for looked in &self.scene.looked {
            let seen = assess(Arc::new(self.facts(*looked)), &memory, *looked);
            memory.observe(&Arc::new(seen));
        }
        assess(Arc::new(self.facts(now)), &memory, now)
    }

    fn facts(&self, now: DateTime<Utc>) -> oc_cockpit::upgrade::facts::Facts {
        let mut facts = assemble::from_values(&self.objects, now);
        for plural in &self.scene.forbidden {
            let kind = Kind::CORE.into_iter().chain(Kind::AROUND).find(|kind| kind.plural() == plural).expect("a kind");
            let words = format!("the user may not list {plural}");
            let hint = "Ask for the role of docs/permissions.md.".to_owned();
            facts.kinds.entry(kind).or_default().status =
                KindStatus::Forbidden(Trouble { kind: TroubleKind::Forbidden, words, hint, since: now });
        }
        if let Some(since) = self.scene.silent_since {
            facts.link.state = LinkState::Stale { since };
        }
        facts.ahead_by(TimeDelta::seconds(self.scene.server_ahead_seconds))
    }
}

fn is_scene(document: &Value) -> bool {
    document.get("kind").is_none() && document.get("data").is_none()
}

/// The folders below `tests/fixtures/<of>`, by name.
fn folders(of: &str) -> BTreeMap<String, PathBuf> {
    let parent = Path::new(FIXTURES).join(of);
    let Ok(entries) = fs::read_dir(&parent) else { return BTreeMap::new() };
    let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Version => "version".to_owned(),
        Subject::Operator(name) => format!("operator/{name}"),
        Subject::Pool(name) => format!("pool/{name}"),
        Subject::Node(name) => format!("node/{name}"),
        Subject::Link => "link".to_owned(),
        Subject::Object(of) if of.namespace.is_empty() => format!("{}/{}", of.resource, of.name),
        Subject::Object(of) => format!("{}/{}/{}", of.resource, of.namespace, of.name),
    }
}

/// A finding with all that it says.
fn whole(finding: &Finding, now: DateTime<Utc>) -> String {
    let mut text = String::new();
    let mut line =
        |word: &str, said: &str| writeln!(text, "{word:>9}: {}", said.replace('\n', "\n           ")).unwrap();
    line("finding", finding.id);
    let expected = if finding.expected { ", expected" } else { "" };
    line("level", &format!("{:?}{expected}", finding.level).to_lowercase());
    line("impact", finding.impact.words());
    line("subject", &subject(&finding.subject));
    for of in &finding.resources {
        let namespace = if of.namespace.is_empty() { String::new() } else { format!("{}/", of.namespace) };
        line("object", &format!("{} {namespace}{}", of.resource, of.name));
    }
    let ago = |at: DateTime<Utc>| format!("{}s ago", (now - at).num_seconds());
    line("since", &finding.since.map_or("-".to_owned(), ago));
    line("title", &finding.title);
    line("meaning", &finding.meaning);
    for remedy in &finding.remedies {
        let danger = remedy.danger.map_or(String::new(), |danger| format!("[{danger:?}] "));
        let oc = remedy.oc.as_ref().map_or(String::new(), |oc| format!("\n  {oc}"));
        line("remedy", &format!("{danger}{}{oc}", remedy.words));
    }
    if let Some(link) = &finding.link {
        line("link", link);
    }
    for evidence in &finding.evidence {
        line("evidence", &format!("{} {} = {}", evidence.object, evidence.field, evidence.value));
    }
    if let Some((id, of)) = &finding.because {
        line("because", &format!("{id} of {}", subject(of)));
    }
    text
}

/// What a finding must have to be of use.
fn complete(finding: &Finding) {
    let id = finding.id;
    assert!(!finding.title.is_empty() && !finding.title.contains('\n'), "{id}: a title of one line");
    assert!(!finding.meaning.is_empty(), "{id}: what it means");
    assert!(!finding.evidence.is_empty(), "{id}: what it rests on");
    assert!(finding.expected || !finding.remedies.is_empty(), "{id}: what to do");
    assert!(finding.subject == Subject::Link || !finding.resources.is_empty(), "{id}: the objects");
    for remedy in &finding.remedies {
        assert!(remedy.words.ends_with('.'), "{id}: a sentence: {}", remedy.words);
    }
}

#[test]
fn the_healthy_cluster_has_no_findings_at_any_stage() {
    for stage in folders("stages").keys() {
        let assessment = Dump::stage(stage).assess();
        assert_eq!(assessment.findings, [], "{stage}");
        snapshot("stages", stage, &outline(&assessment));
    }
}

#[test]
fn each_finding_has_a_dump_that_shows_it() {
    let mut failed = Vec::new();
    for (id, path) in folders("findings") {
        if std::panic::catch_unwind(|| shows(&id, &path)).is_err() {
            failed.push(id);
        }
    }
    assert!(failed.is_empty(), "these do not, for the reasons above: {failed:?}");
}

/// The finding of a folder is there, is what the folder says, and is not there without the folder.
fn shows(id: &str, path: &Path) {
    let (before, after) = Dump::folder(path);
    assert!(!before.assess().findings.iter().any(|finding| finding.id == id), "{id}: without the change too");
    let assessment = after.assess();
    let found: Vec<&Finding> = assessment.findings.iter().filter(|finding| finding.id == id).collect();
    let all: Vec<&str> = assessment.findings.iter().map(|finding| finding.title.as_str()).collect();
    let first = *found.first().unwrap_or_else(|| panic!("{id}: not among {all:#?}"));
    if let Some(level) = &after.scene.level {
        assert_eq!(format!("{:?}", first.level).to_lowercase(), *level, "{id}: {}", first.title);
    }
    if let Some(about) = &after.scene.subject {
        assert_eq!(subject(&first.subject), *about, "{id}: {}", first.title);
    }
    assert_eq!(first.expected, after.scene.expected, "{id}: {}", first.title);
    for finding in &found {
        complete(finding);
    }
    let mut told = format!("{}: {}\n", assessment.verdict.kind.words(), assessment.verdict.why);
    for finding in &assessment.findings {
        let indent = "  ".repeat(depth(&assessment.findings, finding));
        writeln!(told, "{indent}{:?} {}: {}", finding.level, finding.id, finding.title).unwrap();
    }
    for finding in found {
        write!(told, "\n{}", whole(finding, assessment.now)).unwrap();
    }
    snapshot("findings", id, &told);
}

/// How many causes stand above a finding.
fn depth(all: &[Finding], finding: &Finding) -> usize {
    let Some((id, subject)) = &finding.because else { return 0 };
    let cause = all.iter().find(|other| other.id == *id && other.subject == *subject);
    1 + depth(all, cause.expect("a finding points to one that is there"))
}

#[test]
fn each_verdict_has_a_dump_that_shows_it() {
    for (name, path) in folders("verdicts") {
        let assessment = Dump::folder(&path).1.assess();
        let verdict = &assessment.verdict;
        assert_eq!(verdict.kind.name(), Some(name.as_str()), "{}", verdict.why);
        assert!(!verdict.evidence.is_empty(), "{name}: what it rests on");
        snapshot("verdicts", &name, &outline(&assessment));
    }
}

/// Keeps `told` beside the other snapshots of these dumps.
fn snapshot(of: &str, name: &str, told: &str) {
    insta::with_settings!({ snapshot_path => format!("snapshots/{of}"), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, told);
    });
}

/// Names without a folder that are not pending, folders without a name, and names that are pending without need.
fn gaps(names: &BTreeSet<&str>, of: &str, pending: &[&str]) -> [Vec<String>; 3] {
    let folders = folders(of);
    let missing = names.iter().filter(|name| !folders.contains_key(**name) && !pending.contains(name));
    let strange = folders.keys().filter(|folder| !names.contains(folder.as_str()));
    let settled = pending.iter().filter(|name| folders.contains_key(**name) || !names.contains(**name));
    [
        missing.map(|name| (*name).to_owned()).collect(),
        strange.cloned().collect(),
        settled.map(|name| (*name).to_owned()).collect(),
    ]
}

#[test]
fn the_catalogue_and_the_dumps_are_the_same() {
    let ids: BTreeSet<&str> = checks::CATALOGUE.iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), checks::CATALOGUE.len(), "each id once");
    let none: [Vec<String>; 3] = Default::default();
    assert_eq!(gaps(&ids, "findings", PENDING), none, "ids without a folder, folders without an id, pending in vain");
    let all = [
        VerdictKind::Unknown,
        VerdictKind::NotUpdating,
        VerdictKind::Requested,
        VerdictKind::UpdatingControlPlane,
        VerdictKind::UpdatingPools,
        VerdictKind::ConfigRollout,
        VerdictKind::ImageBased,
        VerdictKind::NeedsPerson,
        VerdictKind::Slow,
        VerdictKind::Stalled,
        VerdictKind::Failing,
        VerdictKind::Completed,
    ];
    let names: BTreeSet<&str> = all.into_iter().filter_map(VerdictKind::name).collect();
    assert_eq!(gaps(&names, "verdicts", PENDING_VERDICTS), none, "verdicts without a folder, and so on");
}

#[test]
fn a_check_says_nothing_that_the_catalogue_does_not_list() {
    let ids: BTreeSet<&str> = checks::CATALOGUE.iter().map(|entry| entry.id).collect();
    for (folder, path) in folders("findings") {
        for finding in Dump::folder(&path).1.assess().findings {
            assert!(ids.contains(finding.id), "{folder}: {} is in no catalogue", finding.id);
        }
    }
}

#[test]
fn changes_are_merged_as_the_head_of_this_file_says() {
    let mut object = serde_json::json!({"a": {"b": 1, "c": 2}, "list": [1, 2], "conditions": [{"type": "X", "n": 1}, {"type": "Y"}]});
    let change = serde_json::json!({"a": {"b": null, "d": 3}, "list": [3],
        "conditions": [{"type": "X", "n": 2}, {"type": "Y", "$delete": true}, {"type": "Z"}]});
    merge(&mut object, &change);
    let expected =
        serde_json::json!({"a": {"c": 2, "d": 3}, "list": [3], "conditions": [{"type": "X", "n": 2}, {"type": "Z"}]});
    assert_eq!(object, expected);
}

//! Rendered configs: what differs between two of them, and which ones something still uses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pool::API;
use super::words::list;
use super::{Material, Read, Refusal};
use crate::api;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;

/// Path of a MachineConfig.
pub(super) fn path(name: &str) -> String {
    format!("{API}/machineconfigs/{name}")
}

/// Does the rendered config belong to the pool? `rendered-<pool>-<hash>`, and the hash has no dash
/// (machine-config-operator: `GetMachineConfigRenderedName` in pkg/controller/render/hash.go): `rendered-a-b-1` is not one
/// of pool `a`.
pub(super) fn of_pool(config: &str, pool: &str) -> bool {
    let rest = config.strip_prefix("rendered-").and_then(|rest| rest.strip_prefix(pool));
    rest.and_then(|rest| rest.strip_prefix('-')).is_some_and(|hash| !hash.is_empty() && !hash.contains('-'))
}

/// What differs between two rendered configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// They are not read yet.
    Reading,
    /// They could not be compared, and why.
    Unknown(String),
    /// They were compared.
    Known(Changes),
}

/// What differs. Contents are never part of it: files may hold secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Fields that always take a reboot: `OS image`, `kernel arguments`.
    system: Vec<&'static str>,
    /// Paths of files.
    files: Vec<String>,
    /// Names of units.
    units: Vec<String>,
    /// Users and their keys.
    users: bool,
    /// Anything else of the Ignition configuration.
    other: bool,
}

impl Difference {
    /// In a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Reading => "what differs is being read".to_owned(),
            Self::Unknown(why) => format!("what differs is not known: {why}"),
            Self::Known(changes) => changes.words(),
        }
    }

    /// Do they differ in nothing that a node applies?
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Known(changes) if *changes == Changes::default())
    }
}

impl Changes {
    fn words(&self) -> String {
        let names = |names: &[String]| list(names.iter().map(String::as_str));
        let mut parts: Vec<String> = self.system.iter().map(|field| (*field).to_owned()).collect();
        if !self.files.is_empty() {
            parts.push(format!("files {}", names(&self.files)));
        }
        if !self.units.is_empty() {
            parts.push(format!("units {}", names(&self.units)));
        }
        if self.users {
            parts.push("users or their SSH keys".to_owned());
        }
        if self.other {
            parts.push("other parts of the Ignition configuration".to_owned());
        }
        if parts.is_empty() {
            return "the two configurations have the same content: neither drain nor reboot".to_owned();
        }
        let then = if self.system.is_empty() {
            "drain and reboot, unless the node disruption policy asks for less"
        } else {
            "drain and reboot"
        };
        format!("differs in {}: {then}", parts.join("; "))
    }
}

/// Compares two rendered configs; what is not read yet is added to `reads`. None: they are the same one.
pub(super) fn difference(from: &str, to: &str, material: &Material, reads: &mut Vec<Read>) -> Option<Difference> {
    if from == to {
        return None;
    }
    let mut specs = Vec::new();
    let mut reading = false;
    for name in [from, to] {
        let path = path(name);
        match material.object(&path) {
            None => {
                reading = true;
                if !reads.contains(&Read::Object(path.clone())) {
                    reads.push(Read::Object(path));
                }
            }
            Some(Err(words)) => return Some(Difference::Unknown(words.to_owned())),
            Some(Ok(None)) => return Some(Difference::Unknown(format!("{name} does not exist"))),
            Some(Ok(Some(object))) => match object.get("spec") {
                Some(spec) if spec.as_object().is_some_and(|spec| !spec.is_empty()) => specs.push(spec),
                _ => return Some(Difference::Unknown(format!("{name} holds nothing"))),
            },
        }
    }
    match specs.as_slice() {
        [old, new] if !reading => Some(Difference::Known(compare(old, new))),
        _ => Some(Difference::Reading),
    }
}

/// As the daemon compares them (machine-config-operator: `newMachineConfigDiff` in pkg/daemon/update.go): the order of
/// kernel arguments matters, an absent value is an empty one.
fn compare(old: &Value, new: &Value) -> Changes {
    const SYSTEM: [(&str, &str); 5] = [
        ("osImageURL", "OS image"),
        ("kernelArguments", "kernel arguments"),
        ("kernelType", "kernel type"),
        ("fips", "FIPS mode"),
        ("extensions", "extensions"),
    ];
    let mut changes = Changes::default();
    for (field, words) in SYSTEM {
        if plain(old.get(field)) != plain(new.get(field)) {
            changes.system.push(words);
        }
    }
    changes.files = named(old, new, "/config/storage/files", "path");
    changes.units = named(old, new, "/config/systemd/units", "name");
    let part = |spec: &Value, pointer: &str| plain(spec.pointer(pointer));
    changes.users = part(old, "/config/passwd") != part(new, "/config/passwd");
    changes.other = rest(old) != rest(new);
    changes
}

/// A value, where absent, null, false and empty are the same.
fn plain(value: Option<&Value>) -> Option<Value> {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "default",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    value.filter(|value| !empty(value)).cloned()
}

/// The names of the entries at `pointer` that are in one list only, or differ.
fn named(old: &Value, new: &Value, pointer: &str, key: &str) -> Vec<String> {
    let by_name = |spec: &Value| -> BTreeMap<String, Value> {
        let entries = spec.pointer(pointer).and_then(Value::as_array);
        let named = |entry: &Value| Some((entry.get(key)?.as_str()?.to_owned(), entry.clone()));
        entries.into_iter().flatten().filter_map(named).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

/// What is left of the Ignition configuration.
fn rest(spec: &Value) -> Option<Value> {
    let mut config = spec.get("config")?.clone();
    for (part, field) in [("storage", "files"), ("systemd", "units")] {
        if let Some(fields) = config.get_mut(part).and_then(Value::as_object_mut) {
            fields.remove(field);
        }
    }
    let fields = config.as_object_mut()?;
    for part in ["passwd", "ignition"] {
        fields.remove(part);
    }
    fields.retain(|_, value| plain(Some(value)).is_some());
    plain(Some(&config))
}

/// Where layered pools keep which configuration they build; the second version was served before the first.
const LAYERED: [&str; 4] = [
    "/apis/machineconfiguration.openshift.io/v1/machineosconfigs",
    "/apis/machineconfiguration.openshift.io/v1/machineosbuilds",
    "/apis/machineconfiguration.openshift.io/v1alpha1/machineosconfigs",
    "/apis/machineconfiguration.openshift.io/v1alpha1/machineosbuilds",
];

/// The kinds that must be live before a rendered config is called unused.
pub(super) const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes, Kind::MachineConfigs];

/// Who uses rendered configs.
pub(super) struct Usage<'a> {
    by: BTreeMap<String, Vec<String>>,
    layered: Vec<&'a Value>,
}

impl<'a> Usage<'a> {
    /// Everything that names a rendered config: nodes (any annotation), the configuration that each pool asks for and the
    /// one that it last reached, MachineConfigNodes, layered pools and their builds. None while something is to be read.
    ///
    /// `oc adm prune renderedmachineconfigs` looks at fewer places: only at pools of the name given, and not at builds.
    ///
    /// # Errors
    /// What cannot be known: then nothing is deleted.
    pub(super) fn read(
        assessment: &Assessment,
        material: &'a Material,
        reads: &mut Vec<Read>,
    ) -> Result<Option<Self>, Refusal> {
        complete(assessment)?;
        let mut layered = Vec::new();
        let mut reading = false;
        for path in LAYERED {
            match material.list(path) {
                None => {
                    reading = true;
                    reads.push(Read::List(path.to_owned()));
                }
                Some(Err(words)) => {
                    return Err(Refusal(format!("whether layered pools use them cannot be told: {words}")));
                }
                Some(Ok(found)) => layered.extend(found.unwrap_or_default()),
            }
        }
        Ok((!reading).then(|| Self { by: watched(assessment), layered }))
    }

    /// Who uses a rendered config, in words; none: nobody does.
    pub(super) fn of(&self, config: &str) -> Option<String> {
        self.but(config, |_| false)
    }

    /// The same, passing over those that `passed` says.
    pub(super) fn but(&self, config: &str, passed: impl Fn(&str) -> bool) -> Option<String> {
        let watched = self.by.get(config).into_iter().flatten().find(|who| !passed(who)).cloned();
        watched.or_else(|| {
            let object = self.layered.iter().find(|object| names(object, config))?;
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            // Items of a list carry no kind.
            let kind = text("/kind").unwrap_or("the layered pool or build");
            Some(format!("{kind} {}", text("/metadata/name").unwrap_or("?")))
        })
    }

    /// Layered pools and their builds, as they were read.
    pub(super) fn layered(&self) -> impl Iterator<Item = &'a Value> {
        self.layered.iter().copied()
    }
}

/// Is every node, pool and MachineConfigNode known? One that cannot be read may use any configuration.
fn complete(assessment: &Assessment) -> Result<(), Refusal> {
    let facts = &assessment.facts;
    if !facts.known(Kind::MachineConfigNodes) {
        return Err(Refusal(
            "machineconfignodes could not be listed, so which configurations they name is not known".to_owned(),
        ));
    }
    for kind in [Kind::Nodes, Kind::MachineConfigPools, Kind::MachineConfigNodes, Kind::MachineConfigs] {
        let unreadable = facts.kinds.get(&kind).and_then(|state| state.unreadable.first());
        if let Some((name, why)) = unreadable {
            return Err(Refusal(format!(
                "{} {name} cannot be read ({why}), so which configuration it uses is not known",
                kind.plural()
            )));
        }
    }
    Ok(())
}

/// What the watched objects name.
fn watched(assessment: &Assessment) -> BTreeMap<String, Vec<String>> {
    let facts = &assessment.facts;
    let mut by: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut used = |config: &str, who: String| {
        if !config.is_empty() {
            by.entry(config.to_owned()).or_default().push(who);
        }
    };
    for pool in facts.pools.iter() {
        used(&pool.spec.configuration.name, format!("pool {}", pool.name()));
        used(&pool.status.configuration.name, format!("pool {} (the last that all its nodes reached)", pool.name()));
    }
    for node in facts.nodes.iter() {
        for value in node.metadata.annotations.iter().flat_map(BTreeMap::values) {
            // `drain-rendered-...` and `uncordon-rendered-...` name one too.
            let config = value.find("rendered-").map_or(value.as_str(), |at| &value[at..]);
            used(config, format!("node {}", node.name()));
        }
    }
    for node in facts.machine_config_nodes.iter() {
        let seen = [
            &node.spec.config_version.desired,
            &node.status.config_version.current,
            &node.status.config_version.desired,
        ];
        for config in seen {
            used(config, format!("machineconfignode {}", node.name()));
        }
    }
    by
}

/// Does any text in the object hold the name?
fn names(object: &Value, name: &str) -> bool {
    match object {
        Value::String(text) => text.contains(name),
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains(name) || names(value, name)),
        _ => false,
    }
}

/// The rendered configs of a pool that the controller made, oldest first.
pub(super) fn all_of<'a>(assessment: &'a Assessment, pool: &str) -> Vec<&'a api::MachineConfig> {
    let made = |config: &&api::MachineConfig| {
        api::metadata::annotation(&config.metadata, api::mc_key::GENERATED_BY).is_some() && of_pool(config.name(), pool)
    };
    let configs = assessment.facts.machine_configs.iter().map(AsRef::as_ref);
    let mut configs: Vec<&api::MachineConfig> = configs.filter(made).collect();
    configs.sort_by_key(|config| (api::metadata::created(&config.metadata), config.name().to_owned()));
    configs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::actions::Found;
    use serde_json::json;

    #[test]
    fn a_rendered_config_belongs_to_one_pool() {
        let table = [
            ("rendered-a-0123abcd", "a", true),
            ("rendered-a-b-0123abcd", "a", false),
            ("rendered-a-b-0123abcd", "a-b", true),
            ("rendered-ab-0123abcd", "a", false),
            ("rendered-a-", "a", false),
            ("99-a-ssh", "a", false),
        ];
        for (config, pool, expected) in table {
            assert_eq!(of_pool(config, pool), expected, "{config} of {pool}");
        }
    }

    fn difference_of(old: Value, new: Value) -> Difference {
        let answer =
            |name: &str, spec: Value| (Read::Object(path(name)), Ok(Found::Object(Some(json!({ "spec": spec })))));
        let material = Material { answers: vec![answer("old", old), answer("new", new)], fresh: Vec::new() };
        let mut reads = Vec::new();
        let difference = difference("old", "new", &material, &mut reads).unwrap();
        assert_eq!(reads, []);
        difference
    }

    #[test]
    fn the_operating_system_and_the_kernel_always_take_a_reboot() {
        let told = difference_of(
            json!({ "osImageURL": "a", "kernelArguments": [] }),
            json!({ "osImageURL": "b", "kernelArguments": ["quiet"], "kernelType": "default" }),
        );
        assert_eq!(told.words(), "differs in OS image; kernel arguments: drain and reboot");
    }

    #[test]
    fn files_and_units_are_named_without_their_contents() {
        let file = |path: &str, text: &str| json!({ "path": path, "contents": { "source": text } });
        let spec = |files: Value, users: Value| {
            json!({ "osImageURL": "a", "config": { "ignition": { "version": "3.4.0" }, "passwd": users,
                    "storage": { "files": files }, "systemd": { "units": [{ "name": "x.service", "enabled": true }] } } })
        };
        let old = spec(json!([file("/a", "data:,secret"), file("/b", "data:,")]), json!({}));
        let new =
            spec(json!([file("/a", "data:,other"), file("/b", "data:,"), file("/c", "")]), json!({ "users": [1] }));
        let words = difference_of(old.clone(), new).words();
        assert_eq!(
            words,
            "differs in files /a, /c; users or their SSH keys: drain and reboot, unless the node disruption policy asks \
             for less"
        );
        let same = difference_of(old.clone(), old);
        assert!(same.is_nothing());
        assert!(same.words().contains("neither drain nor reboot"));
    }

    #[test]
    fn what_was_not_read_or_does_not_exist_is_not_called_the_same() {
        let mut reads = Vec::new();
        let told = difference("old", "new", &Material::default(), &mut reads).unwrap();
        assert_eq!((told, reads.len()), (Difference::Reading, 2));
        let gone = (Read::Object(path("old")), Ok(Found::Object(None)));
        let denied = (Read::Object(path("old")), Err("403".to_owned()));
        for answer in [gone, denied] {
            let material = Material { answers: vec![answer], fresh: Vec::new() };
            let told = difference("old", "new", &material, &mut Vec::new()).unwrap();
            assert!(matches!(told, Difference::Unknown(_)), "{told:?}");
        }
        assert!(matches!(difference_of(json!({}), json!({})), Difference::Unknown(_)));
    }
}

//! Rendered configs: what differs between two of them and what that does to a node, and which ones something still uses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pool::API;
use super::words::list;
use super::{Material, Read, Refusal, disruption};
use crate::api;
use crate::upgrade::assessment::{Assessment, Pool, Topology};
use crate::upgrade::facts::Kind;
use crate::upgrade::node_disruption::{Impact, Judged, of_spec};

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
    /// They were compared; on what the judgement rests, where something is missing; a single node is not drained.
    Known {
        /// What differs, and what that does.
        judged: Judged,
        /// On what the judgement rests, where something could not be read.
        caveat: &'static str,
        /// The cluster has one node, which is not drained.
        single_node: bool,
    },
}

impl Difference {
    /// In a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Reading => "what differs is being read".to_owned(),
            Self::Unknown(why) => format!("what differs is not known: {why}"),
            Self::Known { judged, .. } if judged.is_nothing() => {
                "the two configurations have the same content: neither drain nor reboot".to_owned()
            }
            Self::Known { judged, caveat, single_node } => known(judged, caveat, *single_node),
        }
    }

    /// What becomes of the nodes; none: it is not known.
    pub(super) fn impact(&self) -> Option<Impact> {
        match self {
            Self::Known { judged, caveat: "", .. } => Some(judged.impact()),
            _ => None,
        }
    }
}

fn known(judged: &Judged, caveat: &str, single_node: bool) -> String {
    let (differs, reasons) = (judged.differences(), judged.reasons());
    let mut words = match (differs.is_empty(), judged.impact()) {
        (true, _) => String::new(),
        (false, impact) => format!("differs in {differs}: {}", impact.words(single_node)),
    };
    if !differs.is_empty() && !reasons.is_empty() && reasons != differs {
        words += &format!(", for {reasons}");
    }
    words += caveat;
    if !judged.impossible.is_empty() {
        let what = list(judged.impossible.iter().map(String::as_str));
        let then = if words.is_empty() { "" } else { "; " };
        words += &format!(
            "{then}differs in what an installed node cannot change ({what}): its machine-config daemon refuses and calls it \
             Unreconcilable"
        );
    }
    words
}

/// Compares two rendered configs, for the nodes of `pool`; what is not read yet is added to `reads`. None: they are the
/// same one.
pub(super) fn difference(
    assessment: &Assessment,
    pool: &Pool,
    (from, to): (&str, &str),
    material: &Material,
    reads: &mut Vec<Read>,
) -> Option<Difference> {
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
    let known = disruption::Known::read(assessment, material, reads);
    let ([old, new], Some(known), false) = (specs.as_slice(), known, reading) else { return Some(Difference::Reading) };
    let judged = of_spec(old, new, &known.of_pool(Some(pool)));
    let caveat = if judged.is_certain() || judged.is_nothing() { "" } else { known.caveat() };
    Some(Difference::Known { judged, caveat, single_node: assessment.topology == Topology::SingleReplica })
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
    use crate::upgrade::specimen::Specimen;
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

    const POLICIES: &str = disruption::PATH;

    /// Of the pool worker in a cluster of 4.18 whose policy wants nothing done for `/quiet`.
    fn difference_of(old: impl Into<Value>, new: impl Into<Value>) -> Difference {
        let (old, new): (Value, Value) = (old.into(), new.into());
        let answer = |path: String, object: Value| (Read::Object(path), Ok(Found::Object(Some(object))));
        let policies = json!({ "status": { "nodeDisruptionPolicyStatus": { "clusterPolicies": {
            "files": [{ "path": "/quiet", "actions": [{ "type": "None" }] }],
            "sshkey": { "actions": [{ "type": "None" }] },
        } } } });
        difference_with(vec![
            answer(path("old"), json!({ "spec": old })),
            answer(path("new"), json!({ "spec": new })),
            answer(POLICIES.to_owned(), policies),
        ])
    }

    fn difference_with(answers: Vec<(Read, Result<Found, String>)>) -> Difference {
        let assessment = Specimen::idle().assess(0);
        let material = Material { answers, fresh: Vec::new() };
        let pool = assessment.pool("worker").unwrap();
        difference(&assessment, pool, ("old", "new"), &material, &mut Vec::new()).unwrap()
    }

    #[test]
    fn the_operating_system_and_the_kernel_always_take_a_reboot() {
        let told = difference_of(
            json!({ "osImageURL": "a", "kernelArguments": [] }),
            json!({ "osImageURL": "b", "kernelArguments": ["quiet"], "kernelType": "default" }),
        );
        assert_eq!(told.words(), "differs in OS image; kernel arguments: drain and reboot");
        assert_eq!(told.impact(), Some(Impact::Reboot));
    }

    #[test]
    fn files_and_units_are_named_without_their_contents() {
        let file = |path: &str, text: &str| json!({ "path": path, "contents": { "source": text } });
        let spec = |files: Value, users: Value| {
            json!({ "osImageURL": "a", "config": { "ignition": { "version": "3.4.0" }, "passwd": users,
                    "storage": { "files": files }, "systemd": { "units": [{ "name": "x.service", "enabled": true }] } } })
        };
        let old = spec(json!([file("/a", "data:,secret"), file("/quiet", "data:,")]), json!({}));
        let core = json!({ "users": [{ "name": "core", "sshAuthorizedKeys": ["k"] }] });
        let new = spec(json!([file("/a", "data:,other"), file("/quiet", "data:,x"), file("/c", "")]), core.clone());
        assert_eq!(
            difference_of(old.clone(), new).words(),
            "differs in files /a, /c, /quiet; users or their SSH keys: drain and reboot, for files /a, /c"
        );
        let quiet = spec(json!([file("/a", "data:,secret"), file("/quiet", "data:,x")]), core);
        let told = difference_of(old.clone(), quiet);
        assert_eq!(told.words(), "differs in file /quiet; users or their SSH keys: neither drain nor reboot");
        let same = difference_of(old.clone(), old);
        assert_eq!(same.words(), "the two configurations have the same content: neither drain nor reboot");
    }

    #[test]
    fn what_the_daemon_refuses_is_told() {
        let disks = json!({ "config": { "storage": { "disks": [{ "device": "/dev/sda" }] } }, "fips": true });
        let told = difference_of(json!({ "osImageURL": "a" }), {
            let mut disks = disks;
            disks["osImageURL"] = json!("a");
            disks
        });
        assert_eq!(
            told.words(),
            "differs in what an installed node cannot change (FIPS mode, disks): its machine-config daemon refuses and calls \
             it Unreconcilable"
        );
    }

    #[test]
    fn without_the_policies_the_defaults_are_told_as_such() {
        let file = |text: &str| json!({ "spec": { "config": { "storage": { "files": [{ "path": "/a", "contents": { "source": text } }] } } } });
        let told = difference_with(vec![
            (Read::Object(path("old")), Ok(Found::Object(Some(file("data:,1"))))),
            (Read::Object(path("new")), Ok(Found::Object(Some(file("data:,2"))))),
            (Read::Object(POLICIES.to_owned()), Err("403".to_owned())),
        ]);
        assert_eq!(
            told.words(),
            "differs in file /a: drain and reboot (by the defaults of the release: the node disruption policy could not be \
             read)"
        );
        assert_eq!(told.impact(), None, "a policy may ask for less");
    }

    #[test]
    fn what_was_not_read_or_does_not_exist_is_not_called_the_same() {
        assert_eq!(difference_with(Vec::new()), Difference::Reading);
        let gone = (Read::Object(path("old")), Ok(Found::Object(None)));
        let denied = (Read::Object(path("old")), Err("403".to_owned()));
        for answer in [gone, denied] {
            let told = difference_with(vec![answer]);
            assert!(matches!(told, Difference::Unknown(_)), "{told:?}");
        }
        assert!(matches!(difference_of(json!({}), json!({})), Difference::Unknown(_)));
    }
}

//! What a change of machine configuration does to a node: which files, units and keys need a reboot, a reload, a drain.
//!
//! Rules: machine-config-operator, pkg/daemon/update.go (calculatePostConfigChangeAction, isDrainRequired,
//! isSafeContainerRegistryConfChanges) and pkg/apihelpers/apihelpers.go (the defaults of the node disruption policy,
//! which is in force since 4.17). Up to 4.6 every change reboots; 4.7 reloads CRI-O for a change of registries but drains
//! all the same.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::object::{annotation, items, text};
use super::pools::RELEASE_VERSION;
use super::release;
use crate::sim::kinds::Res;
use crate::sim::store::Store;

/// The file that says where images come from.
pub const REGISTRIES: &str = "/etc/containers/registries.conf";
/// The first minor release whose nodes follow the node disruption policy.
const POLICY_SINCE: u64 = 17;

/// What a node does once the files are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    None,
    /// A service reads its files again.
    Reload(String),
    /// A service starts again.
    Restart(String),
    /// The service manager reads its units again.
    DaemonReload,
    /// Pods leave first.
    Drain,
    /// The machine boots.
    Reboot,
}

impl Action {
    /// The word in the messages of the daemon.
    pub fn word(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Reload(service) => format!("reload {}", service.trim_end_matches(".service")),
            Self::Restart(service) => format!("restart {}", service.trim_end_matches(".service")),
            Self::DaemonReload => "daemon-reload".to_owned(),
            Self::Drain => "drain".to_owned(),
            Self::Reboot => "reboot".to_owned(),
        }
    }
}

/// What lies between two configurations of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The operating system changes.
    pub os: bool,
    /// Keys of people change.
    pub ssh: bool,
    /// Pods have to leave.
    pub drain: bool,
    /// What is done afterwards.
    pub actions: BTreeSet<Action>,
}

impl Change {
    /// A change of which nothing is known: the machine boots.
    pub fn whole() -> Self {
        Self { os: true, ssh: false, drain: true, actions: BTreeSet::from([Action::Reboot]) }
    }

    /// Whether the machine boots.
    pub fn reboots(&self) -> bool {
        self.actions.contains(&Action::Reboot)
    }

    /// The actions in words.
    pub fn words(&self) -> String {
        self.actions.iter().map(Action::word).collect::<Vec<_>>().join(" ")
    }

    /// From what is known of one rendered configuration to another, on a node whose image changes too or not, and is one
    /// that was built on the cluster or not.
    pub fn between(store: &Store, old: &Value, new: &Value, image: ImageChange) -> Self {
        let differs = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
        let os = differs("/spec/osImageURL") || image == ImageChange::Another;
        let hardware = ["kernelArguments", "fips", "kernelType", "extensions"];
        let ssh = differs("/spec/config/passwd");
        let mut change = Self { os, ssh, drain: false, actions: BTreeSet::new() };
        let minor = release::minor(annotation(new, RELEASE_VERSION));
        let files = changed(&files(old), &files(new));
        let units = changed(&units(old), &units(new));
        if os || hardware.iter().any(|field| differs(&format!("/spec/{field}"))) {
            change.actions.insert(Action::Reboot);
        } else if image == ImageChange::SameLayered || minor <= 6 {
            // Layered nodes ignore the policy: whatever changes, changes the image.
            if ssh || !files.is_empty() || !units.is_empty() {
                change.actions.insert(Action::Reboot);
            }
        } else {
            let policies = policies(store, minor);
            for path in &files {
                change.apply(&policies, "files", "path", path, minor, (old, new));
            }
            for unit in &units {
                change.apply(&policies, "units", "name", unit, minor, (old, new));
            }
            if ssh {
                change.follow(&policies["sshkey"]["actions"]);
            }
        }
        if change.actions.len() > 1 {
            change.actions.remove(&Action::None);
        }
        if change.reboots() {
            change.actions = BTreeSet::from([Action::Reboot]);
            change.drain = true;
        }
        change.drain |= change.actions.remove(&Action::Drain);
        if change.actions.is_empty() {
            change.actions.insert(Action::None);
        }
        change
    }

    fn apply(&mut self, policies: &Value, part: &str, key: &str, name: &str, minor: u64, configs: (&Value, &Value)) {
        let covers = |entry: &&Value| {
            let covered = text(entry, &format!("/{key}"));
            name == covered || (part == "files" && name.starts_with(&format!("{}/", covered.trim_end_matches('/'))))
        };
        // The longest path decides.
        let entry = items(policies, &format!("/{part}"))
            .iter()
            .filter(covers)
            .max_by_key(|entry| text(entry, &format!("/{key}")).len());
        match entry {
            Some(entry) if items(entry, "/actions").iter().any(|action| action["type"] == "Special") => {
                self.actions.insert(Action::Reload("crio".to_owned()));
                self.drain |= minor < 8 || !only_adds_digest_mirrors(configs.0, configs.1);
            }
            Some(entry) => self.follow(&entry["actions"]),
            None => drop(self.actions.insert(Action::Reboot)),
        }
    }

    fn follow(&mut self, actions: &Value) {
        for action in actions.as_array().into_iter().flatten() {
            let service =
                |kind: &str| text(action, &format!("/{kind}/serviceName")).trim_end_matches(".service").to_owned();
            self.actions.insert(match text(action, "/type") {
                "None" => Action::None,
                "Reload" => Action::Reload(service("reload")),
                "Restart" => Action::Restart(service("restart")),
                "DaemonReload" => Action::DaemonReload,
                "Drain" => Action::Drain,
                _ => Action::Reboot,
            });
        }
    }
}

/// What happens to the image of a node besides its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageChange {
    /// No image was built on the cluster.
    NotLayered,
    /// The node keeps an image that was built on the cluster.
    SameLayered,
    /// It gets another one, or goes back to that of the release.
    Another,
}

/// The policies that the nodes of a release follow.
fn policies(store: &Store, minor: u64) -> Value {
    if minor < POLICY_SINCE {
        return before_policies();
    }
    let own = store.get(Res::MACHINE_CONFIGURATIONS, None, "cluster");
    own.and_then(|object| object.pointer("/status/nodeDisruptionPolicyStatus/clusterPolicies").cloned())
        .unwrap_or_else(built_in)
}

/// Whether a release has a node disruption policy that people may change.
pub const fn is_adjustable(minor: u64) -> bool {
    minor >= POLICY_SINCE
}

/// What holds where nobody says otherwise.
fn built_in() -> Value {
    let file = |path: &str, action: Value| json!({"actions": [action], "path": path});
    let none = || json!({"type": "None"});
    let crio = || json!({"reload": {"serviceName": "crio.service"}, "type": "Reload"});
    let trust = json!({"restart": {"serviceName": "coreos-update-ca-trust.service"}, "type": "Restart"});
    json!({
        "files": [
            file("/etc/mco/internal-registry-pull-secret.json", none()),
            file("/var/lib/kubelet/config.json", none()),
            file("/etc/kubernetes/kubelet-ca.crt", none()),
            file("/etc/machine-config-daemon/no-reboot/containers-gpg.pub", crio()),
            file("/etc/containers/policy.json", crio()),
            file(REGISTRIES, json!({"type": "Special"})),
            file("/etc/containers/registries.d", crio()),
            file("/etc/nmstate/openshift", none()),
            file("/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt", trust),
        ],
        "sshkey": {"actions": [{"type": "None"}]},
        "units": [],
    })
}

/// What the daemon spared nodes before there were policies (pkg/daemon/update.go,
/// calculatePostConfigChangeActionFromMCDiffs): less than the policies do.
fn before_policies() -> Value {
    const LATER: [&str; 3] = [
        "/etc/containers/registries.d",
        "/etc/nmstate/openshift",
        "/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt",
    ];
    let mut known = built_in();
    if let Some(files) = known["files"].as_array_mut() {
        files.retain(|file| !LATER.contains(&text(file, "/path")));
    }
    known
}

/// `status.nodeDisruptionPolicyStatus.clusterPolicies` for what people ask for: theirs goes before the defaults.
pub fn effective(asked: &Value) -> Value {
    let mut policies = built_in();
    for (part, key) in [("files", "path"), ("units", "name")] {
        for entry in items(asked, &format!("/{part}")) {
            let Some(list) = policies[part].as_array_mut() else { continue };
            list.retain(|known| known[key] != entry[key]);
            list.push(entry.clone());
        }
    }
    if asked["sshkey"].is_object() {
        policies["sshkey"] = asked["sshkey"].clone();
    }
    policies
}

type Parts<'a> = BTreeMap<&'a str, &'a Value>;

fn files(config: &Value) -> Parts<'_> {
    items(config, "/spec/config/storage/files").iter().map(|file| (text(file, "/path"), file)).collect()
}

fn units(config: &Value) -> Parts<'_> {
    items(config, "/spec/config/systemd/units").iter().map(|unit| (text(unit, "/name"), unit)).collect()
}

/// Names of parts that are in one only, or not the same in both.
fn changed<'a>(old: &Parts<'a>, new: &Parts<'a>) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).copied().collect()
}

/// Images may be pulled from one more place by their digest, and nothing else changes: no pod notices.
fn only_adds_digest_mirrors(old: &Value, new: &Value) -> bool {
    let (old, new) = (mirrors_in(old), mirrors_in(new));
    old.is_subset(&new) && new.difference(&old).all(|mirror| mirror.ends_with(" digest-only"))
}

/// Mirrors and blocks of a configuration's registries file, a line each: `SOURCE MIRROR digest-only`, `SOURCE blocked`.
fn mirrors_in(config: &Value) -> BTreeSet<String> {
    let files = files(config);
    let source = files.get(REGISTRIES).map_or("", |file| text(file, "/contents/source"));
    let bytes = source.split_once("base64,").and_then(|(_, data)| STANDARD.decode(data).ok()).unwrap_or_default();
    let content = String::from_utf8_lossy(&bytes).into_owned();
    let mut found = BTreeSet::new();
    let (mut registry, mut mirror) = (String::new(), String::new());
    for line in content.lines().map(str::trim) {
        let value = line.split_once(" = ").map_or("", |(_, value)| value.trim_matches('"')).to_owned();
        match line.split(' ').next().unwrap_or_default() {
            "[[registry]]" => (registry, mirror) = (String::new(), String::new()),
            "location" if registry.is_empty() => registry = value,
            "location" => mirror = value,
            "pull-from-mirror" => drop(found.insert(format!("{registry} {mirror} {value}"))),
            field @ ("blocked" | "insecure") => drop(found.insert(format!("{registry} {field}"))),
            _ => {}
        }
    }
    found
}

/// A registries file as the container runtime config controller writes it: pairs of a source and its mirrors, and
/// whether the source itself may not be asked; and the registries that need no certificate.
pub fn registries_file(pairs: &BTreeMap<String, (Vec<String>, bool)>, insecure: &[String]) -> Value {
    use std::fmt::Write;
    let mut text =
        "unqualified-search-registries = [\"registry.access.redhat.com\", \"docker.io\"]\nshort-name-mode = \"\"\n"
            .to_owned();
    let mut places = pairs.clone();
    places.extend(
        insecure.iter().filter(|place| !pairs.contains_key(*place)).map(|place| (place.clone(), Default::default())),
    );
    for (source, (mirrors, blocked)) in &places {
        let _ = write!(text, "\n[[registry]]\n  prefix = \"\"\n  location = \"{source}\"\n");
        if insecure.contains(source) {
            text.push_str("  insecure = true\n");
        }
        if *blocked {
            text.push_str("  blocked = true\n");
        }
        for mirror in mirrors {
            let _ = write!(
                text,
                "\n  [[registry.mirror]]\n    location = \"{mirror}\"\n    pull-from-mirror = \"digest-only\"\n"
            );
        }
    }
    let source = format!("data:text/plain;charset=utf-8;base64,{}", STANDARD.encode(text));
    json!({"path": REGISTRIES, "mode": 420, "contents": {"source": source}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
    fn config(version: &str, files: Value) -> Value {
        json!({
            "metadata": {"annotations": {RELEASE_VERSION: version}},
            "spec": {"osImageURL": "os", "config": {"storage": {"files": files}}},
        })
    }

    fn mirrored(mirrors: &[&str], blocked: bool) -> Value {
        let mirrors = mirrors.iter().map(|mirror| (*mirror).to_owned()).collect();
        json!([registries_file(&BTreeMap::from([("quay.io/ocp".to_owned(), (mirrors, blocked))]), &[])])
    }

    fn change(old: &Value, new: &Value) -> (String, bool) {
        let change = Change::between(&Store::new(0), old, new, ImageChange::NotLayered);
        (change.words(), change.drain)
    }

    #[test]
    fn one_more_mirror_by_digest_disturbs_nobody_and_anything_else_drains() {
        let (none, one, other) = (json!([]), mirrored(&["a"], false), mirrored(&["b"], false));
        let crio = "reload crio".to_owned();
        assert_eq!(change(&config("4.18.1", none.clone()), &config("4.18.1", one.clone())), (crio.clone(), false));
        assert_eq!(change(&config("4.18.1", one.clone()), &config("4.18.1", none.clone())), (crio.clone(), true));
        assert_eq!(change(&config("4.18.1", one.clone()), &config("4.18.1", other)), (crio.clone(), true));
        let blocked = mirrored(&["a"], true);
        assert_eq!(change(&config("4.18.1", one.clone()), &config("4.18.1", blocked)), (crio.clone(), true));
        assert_eq!(change(&config("4.7.9", none.clone()), &config("4.7.9", one.clone())), (crio, true));
        assert_eq!(change(&config("4.6.9", none), &config("4.6.9", one)), ("reboot".to_owned(), true));
    }

    #[test]
    fn files_that_nobody_named_reboot_and_named_ones_do_not() {
        let file = |path: &str| json!([{"path": path, "contents": {"source": "data:,x"}}]);
        let of = |path: &str| change(&config("4.18.1", json!([])), &config("4.18.1", file(path)));
        assert_eq!(of("/etc/sysctl.d/99.conf"), ("reboot".to_owned(), true));
        assert_eq!(of("/var/lib/kubelet/config.json"), ("none".to_owned(), false));
        assert_eq!(of("/etc/containers/registries.d/a.yaml"), ("reload crio".to_owned(), false));
        assert_eq!(of("/etc/nmstate/openshift/a.yml"), ("none".to_owned(), false));
    }

    #[test]
    fn an_own_policy_goes_before_the_default() {
        let store = Store::new(0);
        let asked =
            json!({"files": [{"path": "/etc/sysctl.d", "actions": [{"type": "Drain"}, {"type": "DaemonReload"}]}]});
        let status = json!({"nodeDisruptionPolicyStatus": {"clusterPolicies": effective(&asked)}});
        let now = chrono::DateTime::UNIX_EPOCH;
        store.create(Res::MACHINE_CONFIGURATIONS, json!({"metadata": {"name": "cluster"}, "status": status}), now);
        let file = json!([{"path": "/etc/sysctl.d/99.conf"}]);
        let (old, new) = (config("4.18.1", json!([])), config("4.18.1", file.clone()));
        let found = Change::between(&store, &old, &new, ImageChange::NotLayered);
        assert_eq!((found.words(), found.drain), ("daemon-reload".to_owned(), true));
        assert!(Change::between(&store, &old, &new, ImageChange::SameLayered).reboots());
        let (old, new) = (config("4.16.1", json!([])), config("4.16.1", file));
        assert!(Change::between(&store, &old, &new, ImageChange::NotLayered).reboots(), "there was no policy yet");
    }

    #[test]
    fn the_same_content_under_another_name_does_nothing() {
        let same = config("4.18.1", json!([{"path": "/etc/a"}]));
        assert_eq!(change(&same, &same), ("none".to_owned(), false));
    }
}

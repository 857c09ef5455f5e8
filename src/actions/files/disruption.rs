//! What a change of configuration does to a node: nothing, a service restarted, a drain, a reboot.
//!
//! machine-config-operator, pkg/daemon/update.go: `calculatePostConfigChangeNodeDisruptionAction`, and before node
//! disruption policies (4.17) `calculatePostConfigChangeAction`. Files and units go by the policies of
//! `MachineConfiguration/cluster` (`status.nodeDisruptionPolicyStatus.clusterPolicies`), everything else reboots.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::actions::raw::{items, text};
use crate::actions::words::list;

/// What becomes of a node, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Impact {
    /// Nothing.
    None,
    /// Files change, services may be reloaded or restarted.
    Service,
    /// A drain without a reboot.
    Drain,
    /// A drain and a reboot.
    Reboot,
}

/// What was found, with the reasons for the worst of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// The worst.
    pub impact: Impact,
    /// What leads to it: `kernel arguments`, `file /etc/x`.
    pub why: Vec<String>,
    /// What a node cannot do at all once it is installed.
    pub impossible: Vec<String>,
}

impl Judged {
    fn nothing() -> Self {
        Self { impact: Impact::None, why: Vec::new(), impossible: Vec::new() }
    }

    fn add(&mut self, impact: Impact, why: String) {
        if impact > self.impact {
            self.why.clear();
            self.impact = impact;
        }
        if impact == self.impact && impact > Impact::None {
            self.why.push(why);
        }
    }

    /// The reasons as one text.
    pub(super) fn reasons(&self) -> String {
        list(self.why.iter().map(String::as_str))
    }
}

/// Fields of a MachineConfig beside Ignition, which always take a reboot.
const REBOOTING: [(&str, &str); 6] = [
    ("/spec/kernelArguments", "kernel arguments"),
    ("/spec/extensions", "extensions"),
    ("/spec/kernelType", "kernel type"),
    ("/spec/fips", "FIPS mode"),
    ("/spec/osImageURL", "OS image"),
    ("/spec/baseOSExtensionsContainerImage", "image of the extensions"),
];

/// Sections of Ignition that only count when a node is installed: the daemon refuses a change
/// (pkg/daemon/update.go, `reconcilable`).
const AT_INSTALLATION: [(&str, &str); 5] = [
    ("/spec/config/storage/disks", "disks"),
    ("/spec/config/storage/filesystems", "file systems"),
    ("/spec/config/storage/raid", "RAID"),
    ("/spec/config/storage/luks", "LUKS"),
    ("/spec/config/storage/links", "links"),
];

/// What the daemon does without policies, where it does not reboot.
const BUILT_IN: [(&str, Impact); 5] = [
    ("/etc/kubernetes/kubelet-ca.crt", Impact::None),
    ("/var/lib/kubelet/config.json", Impact::None),
    ("/etc/machine-config-daemon/no-reboot/containers-gpg.pub", Impact::Service),
    ("/etc/containers/policy.json", Impact::Service),
    ("/etc/containers/registries.conf", Impact::Drain),
];

/// What a change of a MachineConfig does; `there` or `would_be` is none where it comes or goes.
pub(super) fn of_machine_config(there: Option<&Value>, would_be: Option<&Value>, policies: Option<&Value>) -> Judged {
    let mut judged = Judged::nothing();
    let empty = Value::Null;
    let (old, new) = (there.unwrap_or(&empty), would_be.unwrap_or(&empty));
    for (field, words) in REBOOTING {
        if set(old, field) != set(new, field) {
            judged.add(Impact::Reboot, words.to_owned());
        }
    }
    for (field, words) in AT_INSTALLATION {
        if set(old, field) != set(new, field) {
            judged.impossible.push(words.to_owned());
        }
    }
    for path in changed(old, new, "/spec/config/storage/files", "/path") {
        judged.add(of_file(&path, policies), format!("file {path}"));
    }
    for unit in changed(old, new, "/spec/config/systemd/units", "/name") {
        judged.add(of_unit(&unit, policies), format!("unit {unit}"));
    }
    if set(old, "/spec/config/storage/directories") != set(new, "/spec/config/storage/directories") {
        judged.impossible.push("directories".to_owned());
    }
    users(&mut judged, (old, new), policies);
    judged
}

/// What a change of files at these paths does: those that a KubeletConfig or a ContainerRuntimeConfig is rendered to.
pub(super) fn of_files(paths: &[&str], policies: Option<&Value>) -> Judged {
    let mut judged = Judged::nothing();
    for path in paths {
        judged.add(of_file(path, policies), format!("file {path}"));
    }
    judged
}

/// A field that is there: what is absent, empty or false is the same to the daemon.
fn set<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    object.pointer(pointer).filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    })
}

/// The names of items that came, went or changed.
fn changed(old: &Value, new: &Value, at: &str, key: &str) -> BTreeSet<String> {
    let (old, new) = (items(old, at), items(new, at));
    let differs = |one: &&Value, others: &[Value]| !others.contains(one);
    let gone = old.iter().filter(|one| differs(one, new));
    let came = new.iter().filter(|one| differs(one, old));
    gone.chain(came).map(|one| text(one, key).to_owned()).collect()
}

/// SSH keys go by a policy of their own, passwords take effect at once.
fn users(judged: &mut Judged, (old, new): (&Value, &Value), policies: Option<&Value>) {
    let at = "/spec/config/passwd/users";
    let keys = |object: &Value| -> Vec<Value> {
        items(object, at).iter().filter_map(|user| user.get("sshAuthorizedKeys").cloned()).collect()
    };
    let hashes = |object: &Value| -> Vec<Value> {
        items(object, at).iter().filter_map(|user| user.get("passwordHash").cloned()).collect()
    };
    if keys(old) != keys(new) {
        let policy = policies.and_then(|policies| policies.pointer("/sshkey"));
        judged.add(policy.map_or(Impact::None, actions), "SSH keys".to_owned());
    }
    if hashes(old) != hashes(new) {
        judged.add(Impact::None, "password".to_owned());
    }
    for (field, words) in [("/spec/config/passwd/groups", "groups of users")] {
        if set(old, field) != set(new, field) {
            judged.impossible.push(words.to_owned());
        }
    }
}

/// By the policy of the file itself, or of the closest folder that has one.
fn of_file(path: &str, policies: Option<&Value>) -> Impact {
    let Some(policies) = policies else {
        return BUILT_IN.iter().find(|(known, _)| *known == path).map_or(Impact::Reboot, |(_, impact)| *impact);
    };
    let covers = |policy: &&Value| {
        let own = text(policy, "/path");
        own == path
            || !own.is_empty() && path.strip_prefix(own.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    let closest = items(policies, "/files").iter().filter(covers).max_by_key(|policy| text(policy, "/path").len());
    closest.map_or(Impact::Reboot, actions)
}

fn of_unit(unit: &str, policies: Option<&Value>) -> Impact {
    let units = policies.map_or(&[][..], |policies| items(policies, "/units"));
    units.iter().find(|policy| text(policy, "/name") == unit).map_or(Impact::Reboot, actions)
}

/// The worst of the actions of a policy.
fn actions(policy: &Value) -> Impact {
    let one = |action: &Value| match text(action, "/type") {
        "None" => Impact::None,
        // `Special` is for registries.conf: drained unless only mirrors by digest come.
        "Drain" | "Special" => Impact::Drain,
        "Reload" | "Restart" | "DaemonReload" => Impact::Service,
        _ => Impact::Reboot,
    };
    items(policy, "/actions").iter().map(one).max().unwrap_or(Impact::None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
    fn config(spec: Value) -> Value {
        json!({ "spec": spec })
    }

    fn file(path: &str) -> Value {
        config(json!({ "config": { "storage": { "files": [{ "path": path, "contents": { "source": "data:,x" } }] } } }))
    }

    fn policies() -> Value {
        json!({
            "files": [
                { "path": "/etc/chrony.conf", "actions": [{ "type": "Restart", "restart": { "serviceName": "chronyd" } }] },
                { "path": "/etc/mine", "actions": [{ "type": "Drain" }] },
                { "path": "/etc/mine/quiet.conf", "actions": [{ "type": "None" }] },
            ],
            "units": [{ "name": "mine.service", "actions": [{ "type": "DaemonReload" }] }],
            "sshkey": { "actions": [{ "type": "None" }] },
        })
    }

    fn comes(object: &Value, policies: Option<&Value>) -> Impact {
        of_machine_config(None, Some(object), policies).impact
    }

    #[test]
    fn files_go_by_the_closest_policy() {
        let policies = policies();
        for (path, impact) in [
            ("/etc/chrony.conf", Impact::Service),
            ("/etc/mine/a.conf", Impact::Drain),
            ("/etc/mine/quiet.conf", Impact::None),
            ("/etc/minerals", Impact::Reboot),
            ("/etc/other", Impact::Reboot),
        ] {
            assert_eq!(comes(&file(path), Some(&policies)), impact, "{path}");
        }
        assert_eq!(comes(&file("/etc/chrony.conf"), None), Impact::Reboot, "without policies");
        assert_eq!(comes(&file("/etc/containers/policy.json"), None), Impact::Service);
    }

    #[test]
    fn what_no_policy_can_spare_reboots() {
        let policies = policies();
        for spec in [
            json!({ "kernelArguments": ["nosmt"] }),
            json!({ "extensions": ["usbguard"] }),
            json!({ "kernelType": "realtime" }),
            json!({ "osImageURL": "quay.io/x@sha256:1" }),
        ] {
            assert_eq!(comes(&config(spec.clone()), Some(&policies)), Impact::Reboot, "{spec}");
        }
    }

    #[test]
    fn keys_and_passwords_do_not_reboot_and_disks_cannot_change() {
        let users = config(json!({ "config": { "passwd": { "users": [
            { "name": "core", "sshAuthorizedKeys": ["k"], "passwordHash": "h" }] } } }));
        assert_eq!(comes(&users, None), Impact::None);
        let disks = config(json!({ "config": { "storage": { "disks": [{ "device": "/dev/sda" }] } } }));
        assert_eq!(of_machine_config(None, Some(&disks), None).impossible, ["disks"]);
    }

    #[test]
    fn only_what_differs_counts_and_a_deletion_counts_as_much() {
        let policies = policies();
        let (old, same) = (file("/etc/other"), file("/etc/other"));
        assert_eq!(of_machine_config(Some(&old), Some(&same), Some(&policies)).impact, Impact::None);
        let judged = of_machine_config(Some(&old), None, Some(&policies));
        assert_eq!((judged.impact, judged.reasons().as_str()), (Impact::Reboot, "file /etc/other"));
    }
}

//! `Image/cluster`: where images may come from, and which registries are trusted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::Role;
use super::mirrors::covers_releases;
use super::registry_ca::{UPDATE_SERVICE, named, registries};
use crate::actions::raw::part;
use crate::actions::words::list;
use crate::actions::{Danger, Refusal};
use crate::upgrade::node_disruption::REGISTRIES;

/// Who may sign what, and what may be pulled at all (machine-config-operator,
/// pkg/controller/container-runtime-config/helpers.go, `policyConfigPath`).
const POLICY: &str = "/etc/containers/policy.json";
/// Where short names are looked for (`searchRegDropInFilePath`).
const SEARCH: &str = "/etc/containers/registries.conf.d/01-image-searchRegistries.conf";
/// The first minor release whose machine-config daemon writes the certificates of registries (the operator hands them
/// over in `ControllerConfig spec.imageRegistryBundleUserData`, the daemon's pkg/daemon/certificate_writer.go writes
/// them). Before, cluster-image-registry-operator's DaemonSet node-ca does.
const DAEMON_WRITES_SINCE: (u64, u64) = (4, 14);

/// The lists of `spec.registrySources`, and the files that they are rendered to (machine-config-operator,
/// pkg/controller/container-runtime-config: `updateRegistriesConfig`, `updatePolicyJSON`,
/// `updateSearchRegistriesConfig`).
const SOURCES: [(&str, &[&str]); 4] = [
    ("allowedRegistries", &[POLICY]),
    ("blockedRegistries", &[REGISTRIES, POLICY]),
    ("containerRuntimeSearchRegistries", &[SEARCH]),
    ("insecureRegistries", &[REGISTRIES]),
];

/// Fields that the API servers for images read, and no node.
const OF_THE_API: [&str; 3] = ["allowedRegistriesForImport", "externalRegistryHostnames", "imageStreamImportMode"];

fn source(object: Option<&Value>, field: &str) -> BTreeSet<String> {
    object.and_then(|object| part(object, &format!("/spec/registrySources/{field}"))).unwrap_or_default()
}

/// Would the machine-config operator take it?
///
/// # Errors
/// It names both what is allowed and what is blocked (`updatePolicyJSON`), and would be degraded.
pub(super) fn check(words: &str, would_be: &Value) -> Result<(), Refusal> {
    let has = |field: &str| !source(Some(would_be), field).is_empty();
    if has("allowedRegistries") && has("blockedRegistries") {
        return Err(Refusal(format!(
            "{words} would name allowedRegistries and blockedRegistries: the machine-config operator takes one of them only"
        )));
    }
    Ok(())
}

/// The files of nodes that change, by MachineConfigs.
pub(super) fn files(there: Option<&Value>, would_be: Option<&Value>) -> Vec<&'static str> {
    let changed = SOURCES.iter().filter(|(field, _)| source(there, field) != source(would_be, field));
    let files: BTreeSet<&str> = changed.flat_map(|(_, files)| files.iter().copied()).collect();
    files.into_iter().collect()
}

/// What it changes, and the ConfigMaps that were and would be named.
pub(super) struct Change<'a> {
    pub there: Option<&'a Value>,
    pub would_be: &'a Value,
    pub old_map: Option<&'a Value>,
    pub new_map: Option<Value>,
    /// Minor release of the daemon.
    pub minor: Option<(u64, u64)>,
}

impl Change<'_> {
    /// Anything that may keep an image from being pulled may disrupt; certificates that come do not.
    pub(super) fn danger(&self) -> Danger {
        let sources = !files(self.there, Some(self.would_be)).is_empty();
        if sources || self.renames() && !self.old().is_empty() { Danger::M } else { Danger::L }
    }

    fn old(&self) -> &str {
        self.there.map_or("", |there| named(Role::Image, there))
    }

    fn renames(&self) -> bool {
        self.old() != named(Role::Image, self.would_be)
    }

    /// What follows, beside what becomes of the nodes.
    pub(super) fn told(&self) -> Vec<String> {
        let mut lines = if self.renames() { self.trust() } else { Vec::new() };
        lines.extend(SOURCES.iter().filter_map(|(field, _)| self.sources(field)));
        let spec = |object: Option<&Value>, field: &str| object.and_then(|object| object["spec"].get(field)).cloned();
        let differs = |field: &str| spec(self.there, field) != spec(Some(self.would_be), field);
        let api: Vec<&str> = OF_THE_API.into_iter().filter(|field| differs(field)).collect();
        if !api.is_empty() {
            lines.push(format!(
                "spec.{}: imports of images and the cluster's own registry go by it; no node is touched",
                list(api)
            ));
        }
        lines
    }

    fn trust(&self) -> Vec<String> {
        let (name, keys) =
            (named(Role::Image, self.would_be), self.new_map.as_ref().map(registries).unwrap_or_default());
        let mut lines = Vec::new();
        if !name.is_empty() {
            let writer = match self.minor {
                Some(minor) if minor < DAEMON_WRITES_SINCE => "the DaemonSet node-ca of the image registry operator",
                _ => "the machine-config daemon",
            };
            if !keys.is_empty() {
                lines.push(format!(
                    "{} trusted by the certificates in {name}: {writer} writes them to /etc/docker/certs.d on every node, \
                     those of paused pools too, without drain or reboot; imports of images and builds trust them too",
                    are(&keys)
                ));
            }
            lines.push(match self.new_map.as_ref().and_then(|map| map["data"].get(UPDATE_SERVICE)) {
                Some(_) => format!("an update service of this cluster trusts its registry by {UPDATE_SERVICE}"),
                None => format!(
                    "{name} has no key {UPDATE_SERVICE}: an update service of this cluster would not trust a registry by it"
                ),
            });
        }
        let old = self.old();
        let gone: BTreeSet<String> =
            self.old_map.map(registries).unwrap_or_default().difference(&keys).cloned().collect();
        match (old, self.old_map) {
            ("", _) => {}
            (old, None) => lines.push(format!(
                "{old} is not named any more: which registries it was for is not known (it is absent, or could not be read)"
            )),
            (old, Some(_)) if gone.is_empty() => lines.push(format!("{old} is not named any more")),
            (old, Some(_)) => lines.push(format!(
                "{old} is not named any more: {} not trusted by it any more, and images from there may fail to be pulled",
                are(&gone)
            )),
        }
        lines
    }

    fn sources(&self, field: &str) -> Option<String> {
        let (old, new) = (source(self.there, field), source(Some(self.would_be), field));
        if old == new {
            return None;
        }
        let names = list(new.iter().map(String::as_str));
        Some(match (field, new.is_empty()) {
            (_, true) => format!("spec.registrySources.{field} goes"),
            ("allowedRegistries", _) => {
                let release = if covers_releases(&new) {
                    ""
                } else {
                    "; none of them covers the images of the release (quay.io/openshift-release-dev): pods of the platform \
                     could not be started anew"
                };
                format!("images are pulled from {names} and from nowhere else{release}")
            }
            ("blockedRegistries", _) => format!("no image is pulled from {names}"),
            ("insecureRegistries", _) => format!("{names}: no certificate is asked for, and plain HTTP is taken"),
            (field, _) => format!("spec.registrySources.{field}: short names of images are looked for in {names}"),
        })
    }
}

fn are(registries: &BTreeSet<String>) -> String {
    let verb = if registries.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", list(registries.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_list_is_rendered_to_its_files() {
        let image = |sources: Value| json!({ "spec": { "registrySources": sources } });
        let plain = image(json!({}));
        let files = |sources: Value| files(Some(&plain), Some(&image(sources)));
        assert_eq!(files(json!({ "blockedRegistries": ["docker.io"] })), [POLICY, REGISTRIES]);
        assert_eq!(files(json!({ "allowedRegistries": ["quay.io"] })), [POLICY]);
        assert_eq!(files(json!({ "insecureRegistries": ["lab:5000"] })), [REGISTRIES]);
        assert_eq!(files(json!({ "containerRuntimeSearchRegistries": ["quay.io"] })), [SEARCH]);
        assert!(files(json!({ "blockedRegistries": [] })).is_empty());
    }
}

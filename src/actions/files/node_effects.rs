//! Which pools roll through a change, and whether their nodes drain or reboot.

use std::collections::BTreeMap;

use serde_json::Value;

use super::disruption::{Impact, Judged, of_files, of_machine_config};
use super::kinds::Role;
use super::mirrors;
use super::surroundings::Surroundings;
use crate::actions::raw::{label, labels, name, selector, text};
use crate::actions::words::{count, list};
use crate::upgrade::assessment::{Pool, Topology};

/// The role label of MachineConfigs and PinnedImageSets.
const ROLE: &str = "machineconfiguration.openshift.io/role";
/// Where the certificates end up that all trust.
const TRUSTED: &str = "/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt";
/// What a KubeletConfig is rendered to.
const KUBELET: [&str; 1] = ["/etc/kubernetes/kubelet.conf"];
/// What a ContainerRuntimeConfig is rendered to.
const RUNTIME: [&str; 2] = ["/etc/crio/crio.conf.d/01-ctrcfg", "/etc/containers/storage.conf"];

/// A change of one object; nothing there: it comes; nothing would be: it goes.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    /// What it is.
    pub role: Role,
    /// As it is.
    pub there: Option<&'a Value>,
    /// As it would be.
    pub would_be: Option<&'a Value>,
}

/// What all changes of a plan do to the pools.
#[derive(Debug, Default)]
pub(super) struct OnNodes {
    pools: BTreeMap<String, (Impact, Vec<String>)>,
    notes: Vec<String>,
    /// What nodes that are installed already cannot take.
    pub impossible: Vec<String>,
}

impl OnNodes {
    /// Adds what a change does; `words` names its object.
    pub(super) fn add(&mut self, around: &Surroundings, words: &str, change: Change) {
        let pools = pools(around, change);
        if pools.is_empty() {
            if let Role::MachineConfig | Role::KubeletConfig | Role::ContainerRuntimeConfig | Role::PinnedImageSet =
                change.role
            {
                self.notes.push(format!("no pool takes {words}: none is selected by its labels or its selector"));
            }
            return;
        }
        let Some(judged) = judged(around, change) else { return };
        self.impossible.extend(judged.impossible.iter().cloned());
        for pool in pools {
            let layered = around.layered.contains(pool) && reboots_layers(change, &judged);
            let impact = if layered { Impact::Reboot } else { judged.impact };
            let why =
                if layered && judged.why.is_empty() { "its image is built anew".to_owned() } else { judged.reasons() };
            let entry = self.pools.entry(pool.to_owned()).or_insert((Impact::None, Vec::new()));
            entry.0 = entry.0.max(impact);
            if !why.is_empty() && !entry.1.contains(&why) {
                entry.1.push(why);
            }
        }
    }

    /// Does any node drain or reboot as soon as it is done? Nodes of paused pools do so later.
    pub(super) fn rolls(&self, around: &Surroundings) -> bool {
        let paused = |name: &str| around.assessment.pool(name).is_some_and(|pool| pool.paused);
        self.pools.iter().any(|(name, (impact, _))| *impact >= Impact::Drain && !paused(name))
    }

    /// A line for each pool, and how to hold them back.
    pub(super) fn lines(&self, around: &Surroundings) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let rows = &around.assessment.pools;
        for row in rows {
            if let Some((impact, why)) = self.pools.get(&row.name) {
                lines.push(line(around, row, *impact, &why.join("; ")));
            }
        }
        for name in self.pools.keys().filter(|name| !rows.iter().any(|row| row.name == **name)) {
            lines.push(format!("pool {name} takes it too; what its nodes do is not known yet"));
        }
        lines.extend(self.notes.iter().cloned());
        let held: Vec<&str> = rows
            .iter()
            .filter(|row| !row.paused && !row.control_plane)
            .filter(|row| self.pools.get(&row.name).is_some_and(|(impact, _)| *impact >= Impact::Drain))
            .map(|row| row.name.as_str())
            .collect();
        if !held.is_empty() {
            lines.push(format!("to choose the moment, pause first with pause-pool: {}", list(held)));
        }
        lines
    }
}

/// The pools that a change reaches.
fn pools<'a>(around: &'a Surroundings, change: Change) -> Vec<&'a str> {
    let objects = || [change.there, change.would_be].into_iter().flatten();
    let reached = |pool: &Value| match change.role {
        Role::MachineConfig => {
            // An empty selector selects nothing here (pkg/controller/render, `getMachineConfigsForPool`).
            let selector = selector(pool, "/spec/machineConfigSelector").filter(|selector| !selector.is_empty());
            selector.is_some_and(|selector| objects().any(|object| selector.matches(&labels(object))))
        }
        Role::KubeletConfig | Role::ContainerRuntimeConfig => objects().any(|object| {
            let selector = selector(object, "/spec/machineConfigPoolSelector").filter(|selector| !selector.is_empty());
            selector.is_some_and(|selector| selector.matches(&labels(pool)))
        }),
        Role::PinnedImageSet => objects().any(|object| label(object, ROLE) == Some(name(pool))),
        Role::MachineOsConfig => objects().any(|object| text(object, "/spec/machineConfigPool/name") == name(pool)),
        Role::DigestMirrors | Role::TagMirrors | Role::ContentSources | Role::PullSecret => true,
        Role::RegistryCa => objects().any(|object| name(object) == around.trusted_ca),
        _ => false,
    };
    around.pools.iter().copied().filter(|pool| reached(pool)).map(name).collect()
}

/// What a change does to a node; none: it does not concern nodes.
fn judged(around: &Surroundings, change: Change) -> Option<Judged> {
    let one = |impact: Impact, why: &str| Judged { impact, why: vec![why.to_owned()], impossible: Vec::new() };
    let spec = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned();
    let differs = spec(change.there) != spec(change.would_be);
    Some(match change.role {
        Role::MachineConfig => of_machine_config(change.there, change.would_be, around.policies),
        Role::KubeletConfig if differs => of_files(&KUBELET, around.policies),
        Role::ContainerRuntimeConfig if differs => of_files(&RUNTIME, around.policies),
        Role::DigestMirrors | Role::TagMirrors | Role::ContentSources => of_mirrors(around, change),
        // 4.7 and later write it without a drain.
        Role::PullSecret => match around.minor() {
            Some((4, minor)) if minor < 7 => one(Impact::Reboot, "the pull secret, on a release before 4.7"),
            _ => one(Impact::Service, "the pull secret"),
        },
        Role::RegistryCa => of_files(&[TRUSTED], around.policies),
        Role::PinnedImageSet => one(Impact::Service, "images are pulled ahead and kept"),
        Role::MachineOsConfig => match (change.there, change.would_be) {
            (Some(_), None) => one(Impact::Reboot, "back to the image of the release"),
            _ => one(Impact::Reboot, "into an image that is built on the cluster first"),
        },
        _ => return None,
    })
}

/// By release: 4.6 reboots, 4.7 drains, 4.8 and later take additions by digest without a drain.
fn of_mirrors(around: &Surroundings, change: Change) -> Judged {
    let adds = mirrors::only_adds(change.role, change.there, change.would_be);
    let (impact, why) = match around.minor() {
        Some((4, minor)) if minor <= 6 => (Impact::Reboot, "registries.conf, on a release before 4.7"),
        Some((4, 7)) => (Impact::Drain, "registries.conf, on 4.7"),
        Some(_) if adds => (Impact::Service, "mirrors by digest are only added: CRI-O reads registries.conf again"),
        Some(_) => (Impact::Drain, "mirrors change or go, or are by tag"),
        None => (Impact::Drain, "registries.conf; before 4.7 they reboot, and which release this is is not known"),
    };
    Judged { impact, why: vec![why.to_owned()], impossible: Vec::new() }
}

/// Nodes with an image that is built on the cluster follow no disruption policy: keys, files, units, certificates and
/// mirrors that go all reboot them.
fn reboots_layers(change: Change, judged: &Judged) -> bool {
    match change.role {
        Role::DigestMirrors | Role::TagMirrors | Role::ContentSources => {
            !mirrors::only_adds(change.role, change.there, change.would_be)
        }
        Role::PullSecret | Role::PinnedImageSet => false,
        Role::MachineConfig => {
            let spec = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned();
            spec(change.there) != spec(change.would_be)
        }
        _ => judged.impact > Impact::None,
    }
}

fn line(around: &Surroundings, pool: &Pool, impact: Impact, why: &str) -> String {
    let nodes = count(pool.total, "node");
    let most = format!("at most {} at once", pool.capacity.max_unavailable);
    let single = around.assessment.topology == Topology::SingleReplica;
    let what = match impact {
        Impact::None => "nothing is drained or rebooted".to_owned(),
        Impact::Service => "files are written and services reloaded, without drain or reboot".to_owned(),
        Impact::Drain if single => "taken over without a drain, which a single node does not have".to_owned(),
        Impact::Drain => format!("cordoned and drained, {most}, and not rebooted"),
        Impact::Reboot if single => "rebooted without a drain: everything on it is away meanwhile".to_owned(),
        Impact::Reboot => format!("cordoned, drained and rebooted, {most}"),
    };
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let when = match () {
        () if pool.paused => "; it is paused: not before it is unpaused",
        () if pool.outdated() && impact >= Impact::Drain => "; it rolls already: nodes that are done go again",
        () => "",
    };
    format!("pool {}, {nodes}: {what}{why}{when}", pool.name)
}

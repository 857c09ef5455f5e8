//! Which pools roll through a change, and whether their nodes drain or reboot.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::Role;
use super::registry_ca::{BUNDLE, USER_BUNDLE};
use super::surroundings::Surroundings;
use super::{image_config, mirrors, proxy_config};
use crate::actions::raw::{label, labels, name, selector, text};
use crate::actions::words::{count, list};
use crate::upgrade::assessment::{Pool, Topology};
use crate::upgrade::node_disruption::{Impact, KUBELET_AUTH, USER_CA, of_files, of_machine_config};

/// The role label of MachineConfigs and PinnedImageSets.
const ROLE: &str = "machineconfiguration.openshift.io/role";
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
        for pool in pools {
            let Some(told) = told(around, pool, change) else { continue };
            for words in told.impossible {
                if !self.impossible.contains(&words) {
                    self.impossible.push(words);
                }
            }
            let caveat = around.known.caveat().trim_matches([' ', '(', ')']);
            if told.assumed && !caveat.is_empty() && !self.notes.iter().any(|note| note.ends_with(caveat)) {
                self.notes.push(format!("judged {caveat}"));
            }
            let entry = self.pools.entry(pool.to_owned()).or_insert((Impact::None, Vec::new()));
            entry.0 = entry.0.max(told.impact);
            if !told.why.is_empty() && !entry.1.contains(&told.why) {
                entry.1.push(told.why);
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
        Role::RegistryCa => is_on_nodes(around, change),
        Role::Image | Role::Proxy => !files(change).is_empty(),
        _ => false,
    };
    around.pools.iter().copied().filter(|pool| reached(pool)).map(name).collect()
}

/// Does a change of certificates reach nodes by their MachineConfigs? The bundle of the user is there whether a proxy names
/// it or not (pkg/operator/sync.go, `getTrustedBundle`).
fn is_on_nodes(around: &Surroundings, change: Change) -> bool {
    let bundle = |object: Option<&Value>| object.and_then(|object| object["data"].get(BUNDLE)).cloned();
    let name = [change.there, change.would_be].into_iter().flatten().map(name).next().unwrap_or_default();
    (name == around.trusted_ca || name == USER_BUNDLE) && bundle(change.there) != bundle(change.would_be)
}

/// The files that an object of the cluster's configuration is rendered to, as far as they change.
fn files(change: Change) -> Vec<&'static str> {
    match change.role {
        Role::Image => image_config::files(change.there, change.would_be),
        Role::Proxy => proxy_config::files(change.there, change.would_be),
        _ => Vec::new(),
    }
}

/// What a change does to the nodes of a pool.
struct Told {
    impact: Impact,
    why: String,
    /// A node disruption policy may want something else.
    assumed: bool,
    impossible: Vec<String>,
}

impl Told {
    fn new(impact: Impact, why: &str) -> Self {
        Self { impact, why: why.to_owned(), assumed: false, impossible: Vec::new() }
    }
}

/// What a change does to the nodes of a pool; none: it does not concern nodes.
fn told(around: &Surroundings, pool: &str, change: Change) -> Option<Told> {
    let spec = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned();
    let differs = spec(change.there) != spec(change.would_be);
    let rules = around.known.rules(around.layered.contains(pool));
    let judged = match change.role {
        Role::MachineConfig => of_machine_config(change.there, change.would_be, &rules),
        Role::KubeletConfig if differs => of_files(&KUBELET, &rules),
        Role::ContainerRuntimeConfig if differs => of_files(&RUNTIME, &rules),
        Role::RegistryCa => of_files(&[USER_CA], &rules),
        Role::Image | Role::Proxy => of_files(&files(change), &rules),
        Role::PullSecret => {
            let impact = of_files(&[KUBELET_AUTH], &rules).impact();
            let before = if impact == Impact::Reboot { ", on a release before 4.7" } else { "" };
            return Some(Told::new(impact.max(Impact::Service), &format!("the pull secret{before}")));
        }
        Role::DigestMirrors | Role::TagMirrors | Role::ContentSources => {
            let told = of_mirrors(around, change);
            let layered = rules.layered && told.impact >= Impact::Drain;
            return Some(Told { impact: if layered { Impact::Reboot } else { told.impact }, ..told });
        }
        Role::PinnedImageSet => return Some(Told::new(Impact::Service, "images are pulled ahead and kept")),
        Role::MachineOsConfig => {
            return Some(Told::new(
                Impact::Reboot,
                match (change.there, change.would_be) {
                    (Some(_), None) => "back to the image of the release",
                    _ => "into an image that is built on the cluster first",
                },
            ));
        }
        _ => return None,
    };
    let why = match judged.reasons() {
        why if judged.impact() == Impact::Reboot && rules.layered => format!("its image is built anew for {why}"),
        why => why,
    };
    let assumed = !judged.differs.is_empty() && !judged.is_certain() && !rules.layered;
    Some(Told { impact: judged.impact(), why, assumed, impossible: judged.impossible })
}

/// By release: 4.6 reboots, 4.7 drains, 4.8 and later take additions by digest without a drain. What is compared here are
/// the objects: the daemon compares the registries.conf that all of them together make.
fn of_mirrors(around: &Surroundings, change: Change) -> Told {
    let adds = mirrors::only_adds(change.role, change.there, change.would_be);
    match around.known.minor() {
        Some((4, minor)) if minor <= 6 => Told::new(Impact::Reboot, "registries.conf, on a release before 4.7"),
        Some((4, 7)) => Told::new(Impact::Drain, "registries.conf, on 4.7"),
        Some(_) if adds => {
            Told::new(Impact::Service, "mirrors by digest are only added: CRI-O reads registries.conf again")
        }
        Some(_) => Told::new(Impact::Drain, "mirrors change or go, or are by tag"),
        None => {
            Told::new(Impact::Drain, "registries.conf; before 4.7 they reboot, and which release this is is not known")
        }
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

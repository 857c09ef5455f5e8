//! The payload: its manifests by run level, and an attempt to apply them.
//!
//! Rules: cluster-version-operator, pkg/payload/task_graph.go (by number and component) and pkg/cvo/sync_worker.go.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::world::{Speaker, World};
use crate::sim::cluster::object::{condition_status, hash, items, text};
use crate::sim::cluster::operators::{OPERATORS, Operator};
use crate::sim::cluster::platform::RELEASE_VERSION;
use crate::sim::cluster::release;
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;

/// How long a manifest takes that changes something, and one that does not.
const CHANGING: Duration = Duration::from_millis(1_300);
const UNCHANGED: Duration = Duration::from_millis(60);

/// Manifests without a ClusterOperator: run level, component, how many.
const PLAIN: [(u8, &str, u32); 15] = [
    (0, "cluster-version-operator", 16),
    (0, "core-namespaces", 41),
    (3, "config-operator-crds", 13),
    (3, "marketplace-crds", 5),
    (10, "config-crds", 46),
    (10, "etcd-crds", 3),
    (10, "machine-api-crds", 11),
    (10, "olm-crds", 15),
    (10, "network-crds", 18),
    (10, "operator-crds", 24),
    (50, "csi-drivers", 9),
    (50, "cluster-samples", 7),
    (80, "csi-snapshot-crds", 6),
    (90, "alerts", 22),
    (90, "dashboards", 14),
];

/// The manifests of one component at one run level.
#[derive(Debug, Clone, Copy)]
struct Component {
    level: u8,
    name: &'static str,
    manifests: u32,
    operator: Option<&'static Operator>,
}

fn components() -> Vec<Component> {
    let mut all: Vec<Component> =
        PLAIN.iter().map(|&(level, name, manifests)| Component { level, name, manifests, operator: None }).collect();
    all.extend(OPERATORS.iter().map(|operator| Component {
        level: operator.level,
        name: operator.name,
        manifests: 11 + (hash(operator.name) % 15) as u32,
        operator: Some(operator),
    }));
    all.sort_by_key(|component| (component.level, component.name));
    all
}

/// How far a component is.
#[derive(Debug, Clone)]
struct Progress {
    component: Component,
    applied: u32,
    spent: Duration,
    each: Duration,
    finished: bool,
    /// The number of its first manifest in the payload.
    first: u32,
    /// How many were told in the log.
    told: u32,
    /// Whether the server rejects one of its manifests.
    rejected: bool,
}

/// The kinds of an operator's manifests as they come one after the other, the ClusterOperator last.
const KINDS: [&str; 8] = [
    "namespace",
    "customresourcedefinition",
    "serviceaccount",
    "clusterrole",
    "clusterrolebinding",
    "configmap",
    "service",
    "deployment",
];

/// One attempt to apply a payload. It starts from the first manifest; what is applied already goes fast.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The release.
    pub version: String,
    /// Whether something is different from what the cluster runs.
    pub updating: bool,
    at: Duration,
    parts: Vec<Progress>,
}

impl Attempt {
    /// Begins.
    pub fn new(world: &World, version: &str, updating: bool) -> Self {
        let mut first = 1;
        let parts = components()
            .into_iter()
            .map(|component| {
                let number = first;
                first += component.manifests;
                Progress {
                    component,
                    applied: 0,
                    spent: Duration::ZERO,
                    each: if already_applied(world, &component, version) { UNCHANGED } else { CHANGING },
                    finished: false,
                    first: number,
                    told: 0,
                    rejected: false,
                }
            })
            .collect();
        Self { version: version.to_owned(), updating, at: world.elapsed, parts }
    }

    /// How many manifests there are.
    pub fn total(&self) -> u32 {
        self.parts.iter().map(|part| part.component.manifests).sum()
    }

    /// How many are applied.
    pub fn done(&self) -> u32 {
        self.parts.iter().map(|part| part.applied).sum()
    }

    /// Whether all are.
    pub fn finished(&self) -> bool {
        self.parts.iter().all(|part| part.finished)
    }

    /// The operators whose manifests are applied up to the ClusterOperator, which the attempt waits for.
    pub fn waiting(&self) -> impl Iterator<Item = &'static Operator> {
        self.parts
            .iter()
            .filter(|part| !part.finished && part.applied + 1 == part.component.manifests)
            .filter_map(|part| part.component.operator)
    }

    /// The manifest that the server rejects: its kind, name and number.
    pub fn rejected(&self) -> Option<(&'static str, String, u32)> {
        let part = self.parts.iter().find(|part| part.rejected)?;
        let (kind, name) = part.manifest(part.applied);
        Some((kind, name, part.first + part.applied))
    }

    /// Goes on for the time that has passed.
    pub fn advance(&mut self, world: &World, waits: &mut BTreeMap<&'static str, Duration>) {
        let mut passed = world.elapsed.saturating_sub(self.at);
        self.at = world.elapsed;
        // A long step may carry through several levels.
        while let Some(level) = self.parts.iter().filter(|part| !part.finished).map(|part| part.component.level).min() {
            let version = self.version.clone();
            let mut used = passed;
            let total = self.total();
            for part in self.parts.iter_mut().filter(|part| part.component.level == level && !part.finished) {
                used = used.min(part.advance(world, &version, passed, waits));
                part.tell(world, total);
            }
            if self.parts.iter().any(|part| part.component.level == level && !part.finished) {
                return;
            }
            passed = passed.saturating_sub(used);
            if passed.is_zero() {
                return;
            }
        }
    }
}

impl Progress {
    /// Kind and name of a manifest of the component.
    fn manifest(&self, index: u32) -> (&'static str, String) {
        let Some(operator) = self.component.operator else {
            return ("customresourcedefinition", format!("{}-{index}", self.component.name));
        };
        if index + 1 == self.component.manifests {
            return ("clusteroperator", operator.name.to_owned());
        }
        let kind = KINDS[(index as usize * KINDS.len() / self.component.manifests as usize).min(KINDS.len() - 1)];
        match kind {
            "namespace" => (kind, operator.namespace.to_owned()),
            "deployment" => (kind, format!("{}/{}", operator.namespace, operator.deployment)),
            _ => (kind, format!("{}/{}-{index}", operator.namespace, operator.name)),
        }
    }

    /// What was applied since the last step is in the log, and so is what is waited for.
    fn tell(&mut self, world: &World, total: u32) {
        let speaker = Speaker::Leader(super::NAMESPACE, "cluster-version-operator");
        let waits = self.component.operator.is_some() && self.applied + 1 == self.component.manifests;
        let reached = if waits { self.component.manifests } else { self.applied };
        for index in self.told..reached {
            let (kind, name) = self.manifest(index);
            let number = self.first + index;
            world.log(
                speaker,
                'I',
                "sync_worker.go",
                &format!("Running sync for {kind} {name:?} ({number} of {total})"),
            );
            if index < self.applied {
                let text = format!("Done syncing for {kind} {name:?} ({number} of {total})");
                world.log(speaker, 'I', "sync_worker.go", &text);
            }
        }
        self.told = self.told.max(reached);
        if self.finished && self.component.operator.is_some() {
            let (kind, name) = self.manifest(self.component.manifests - 1);
            let number = self.first + self.component.manifests - 1;
            world.log(
                speaker,
                'I',
                "sync_worker.go",
                &format!("Done syncing for {kind} {name:?} ({number} of {total})"),
            );
        }
    }

    /// Applies manifests for `passed`; returns how much of it was needed.
    fn advance(
        &mut self,
        world: &World,
        version: &str,
        passed: Duration,
        waits: &mut BTreeMap<&'static str, Duration>,
    ) -> Duration {
        if self.applied == 0 && self.spent.is_zero() {
            self.reach(world, version);
        }
        self.spent += passed;
        let plain =
            if self.component.operator.is_some() { self.component.manifests - 1 } else { self.component.manifests };
        let possible = (self.spent.as_millis() / self.each.as_millis().max(1)) as u32;
        let needed = self.each * plain;
        self.applied = self.applied.max(possible.min(plain));
        let half = plain / 2;
        let at_hand = self.applied >= half && self.told <= half;
        self.rejected = at_hand && world.strikes(MishapKind::ManifestsRejected, self.component.name).is_some();
        if self.rejected {
            (self.applied, self.spent) = (half, self.each * half);
            return passed;
        }
        let Some(operator) = self.component.operator else {
            self.finished = self.applied == self.component.manifests;
            return needed.min(passed);
        };
        // The operator's own Deployment stands in the middle of its manifests.
        if self.applied >= plain / 2 {
            roll_operator(world, operator, version);
        }
        if self.applied >= plain {
            waits.entry(operator.name).or_insert(world.elapsed);
            if is_updated(world, operator, version) {
                waits.remove(operator.name);
                self.applied = self.component.manifests;
                self.finished = true;
            }
        }
        needed.min(passed)
    }

    /// The first manifests of a component are applied: kinds may appear.
    fn reach(&self, world: &World, version: &str) {
        for kind in release::brings(version, self.component.level) {
            if !world.store.served(kind) {
                world.store.set_served(kind, true);
            }
        }
    }
}

/// Whether the cluster is at the release already, as far as this component goes.
fn already_applied(world: &World, component: &Component, version: &str) -> bool {
    let deployed = |namespace: &str, deployment: &str| {
        world
            .store
            .get(Res::DEPLOYMENTS, Some(namespace), deployment)
            .is_some_and(|object| crate::sim::cluster::workloads::env(&object, RELEASE_VERSION) == version)
    };
    match component.operator {
        Some(operator) => deployed(operator.namespace, operator.deployment),
        // What stands before an operator was applied before it.
        None => OPERATORS
            .iter()
            .filter(|operator| operator.level > component.level)
            .any(|operator| deployed(operator.namespace, operator.deployment)),
    }
}

fn roll_operator(world: &World, operator: &Operator, version: &str) {
    let component = if operator.name == "machine-config" { "machine-config-operator" } else { operator.deployment };
    roll(world, operator.namespace, operator.deployment, version, &release::component_image(version, component));
}

/// Sets the release and the image of an operator's Deployment.
pub fn roll(world: &World, namespace: &str, deployment: &str, version: &str, image: &str) {
    let there = world
        .store
        .get(Res::DEPLOYMENTS, Some(namespace), deployment)
        .is_some_and(|object| crate::sim::cluster::workloads::env(&object, RELEASE_VERSION) != version);
    if !there {
        return;
    }
    world.store.update(Res::DEPLOYMENTS, Some(namespace), deployment, |object| {
        let container = &mut object["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!(image);
        if let Some(env) = container["env"].as_array_mut() {
            for entry in env.iter_mut().filter(|entry| entry["name"] == RELEASE_VERSION) {
                entry["value"] = json!(version);
            }
        }
    });
}

/// What is wrong with a cluster operator that the attempt waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// At the version, available, not degraded.
    Updated,
    /// Available is not True.
    Unavailable,
    /// Degraded is not False.
    Degraded,
    /// Only the version is missing.
    Updating,
}

/// Looks at a ClusterOperator as pkg/cvo/internal/operatorstatus.go does.
pub fn health(world: &World, operator: &Operator, version: &str) -> Health {
    let Some(object) = world.store.get(Res::CLUSTER_OPERATORS, None, operator.name) else { return Health::Unavailable };
    if condition_status(&object, "Available") != "True" {
        Health::Unavailable
    } else if condition_status(&object, "Degraded") != "False" {
        Health::Degraded
    } else if reported(&object) == version {
        Health::Updated
    } else {
        Health::Updating
    }
}

/// The version `operator` of a ClusterOperator.
pub fn reported(object: &Value) -> &str {
    items(object, "/status/versions").iter().find(|it| it["name"] == "operator").map_or("", |it| text(it, "/version"))
}

fn is_updated(world: &World, operator: &Operator, version: &str) -> bool {
    health(world, operator, version) == Health::Updated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_about_nine_hundred_manifests_in_run_levels() {
        let all = components();
        let total: u32 = all.iter().map(|component| component.manifests).sum();
        assert!((800..=1_000).contains(&total), "{total}");
        assert!(all.windows(2).all(|pair| pair[0].level <= pair[1].level));
    }
}

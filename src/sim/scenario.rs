//! Scenarios: which cluster there is at the start, and what goes wrong with it.
//!
//! Belongs here: the shape of a scenario file, reading and checking it, the scenarios that are compiled in.
//! Does not: objects (see [`crate::sim::cluster`]) and what happens (see [`crate::sim::actors`]).
//! Imports nothing of ours except the table of operator names.
//!
//! # What goes wrong, and how a test finds out
//!
//! [`Scenario::faults`] lists what goes wrong besides what the cluster is made of (budgets, cordons, paused pools, the
//! troubles of [`Scenario::operators`]). Every entry is a [`Mishap`]: its kind says when it begins, `after` when at the
//! earliest, `lasts` when it ends. A test that moves the time itself does this:
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use chrono::{DateTime, TimeDelta};
//! # use oc_cockpit::sim::{actors::Actors, pace::Pace, store::Store};
//! use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario, Span};
//! let mut scenario = Scenario::load("minor").unwrap();
//! scenario.faults.push(
//!     Mishap::now(MishapKind::OperatorDegraded, "ingress").armed_after(Span::seconds(60)).lasting(Span::seconds(120)),
//! );
//! # let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
//! # let pace = Pace::new(1.0);
//! # let store = Arc::new(Store::new(1));
//! let mut actors = Actors::prepare(&store, &scenario, &pace, 1, now);
//! actors.step(now + TimeDelta::seconds(90));
//! let case = &actors.mishaps().cases()[0];
//! assert_eq!((case.reference().as_str(), case.is_on()), ("clusteroperator/ingress", true));
//! assert!(case.began.is_some() && case.ended.is_none());
//! actors.step(now + TimeDelta::seconds(300));
//! assert!(actors.mishaps().cases()[0].ended.is_some());
//! ```
//!
//! `began` is the wall time at which the cause was in the API, `ended` that at which it was gone: what is derived from
//! it (pool counts, conditions with a grace period, alerts) follows as late as in a real cluster. The store, the actors'
//! pace and [`crate::sim::actors::Actors::elapsed`] tell the rest.

pub mod check;
pub mod from_image;
pub mod mishap;
pub mod span;
pub mod surroundings;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

pub use from_image::LifecycleAgent;
pub use mishap::{About, Mishap, MishapKind};
pub use span::Span;
pub use surroundings::{Credentials, Hardware, HealthCheck, Mirror, OldApi, Package, Payload, Pinned};

/// The scenarios that are compiled in: name and text.
const BUILT_IN: [(&str, &str); 21] = [
    ("tour", include_str!("../../assets/scenarios/tour.yaml")),
    ("minor", include_str!("../../assets/scenarios/minor.yaml")),
    ("stuck-drain", include_str!("../../assets/scenarios/stuck-drain.yaml")),
    ("degraded-operator", include_str!("../../assets/scenarios/degraded-operator.yaml")),
    ("gate", include_str!("../../assets/scenarios/gate.yaml")),
    ("lost-node", include_str!("../../assets/scenarios/lost-node.yaml")),
    ("drift", include_str!("../../assets/scenarios/drift.yaml")),
    ("layered", include_str!("../../assets/scenarios/layered.yaml")),
    ("disconnected", include_str!("../../assets/scenarios/disconnected.yaml")),
    ("arbiter", include_str!("../../assets/scenarios/arbiter.yaml")),
    ("sno", include_str!("../../assets/scenarios/sno.yaml")),
    ("compact", include_str!("../../assets/scenarios/compact.yaml")),
    ("multi-arch", include_str!("../../assets/scenarios/multi-arch.yaml")),
    ("eus", include_str!("../../assets/scenarios/eus.yaml")),
    ("config-rollout", include_str!("../../assets/scenarios/config-rollout.yaml")),
    ("canary", include_str!("../../assets/scenarios/canary.yaml")),
    ("credentials-manual", include_str!("../../assets/scenarios/credentials-manual.yaml")),
    ("offline", include_str!("../../assets/scenarios/offline.yaml")),
    ("ibu", include_str!("../../assets/scenarios/ibu.yaml")),
    ("ibu-auto-rollback", include_str!("../../assets/scenarios/ibu-auto-rollback.yaml")),
    ("ibu-abort-failed", include_str!("../../assets/scenarios/ibu-abort-failed.yaml")),
];

/// Above this many workers a pool left at the default `maxUnavailable` of one would roll for days: `--nodes` then sets
/// ten per cent.
const BIG_POOL: usize = 20;

/// One scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What the scenario is called.
    pub name: String,
    /// One sentence for a person who chooses.
    pub about: String,
    /// Simulated seconds per real second, unless the caller asks for another speed.
    #[serde(default = "real_time")]
    pub speed: f64,
    /// How much lengths of work differ from seed to seed; not at all unless told, so that a story runs to its clock.
    #[serde(default)]
    pub variation: Variation,
    /// The cluster at the start.
    pub cluster: Cluster,
    /// The releases that the update service knows.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// Admin gates (`openshift-config-managed/admin-gates`): key and text.
    #[serde(default)]
    pub gates: BTreeMap<String, String>,
    /// Keys of gates that are acknowledged already (`openshift-config/admin-acks`).
    #[serde(default)]
    pub acknowledged: Vec<String>,
    /// MachineConfigPools by name; `master` and `worker` are mandatory.
    pub pools: BTreeMap<String, Pool>,
    /// What runs on the cluster besides the platform.
    #[serde(default)]
    pub workloads: Vec<Workload>,
    /// Cluster operators that behave differently, by name.
    #[serde(default)]
    pub operators: BTreeMap<String, OperatorStory>,
    /// Nodes that behave differently, by name.
    #[serde(default)]
    pub nodes: BTreeMap<String, NodeStory>,
    /// What goes wrong while the story goes on.
    #[serde(default)]
    pub faults: Vec<Mishap>,
    /// An update that is under way when the scenario starts.
    #[serde(default)]
    pub start: Option<Start>,
}

/// How much lengths of work differ beyond the narrow bounds that the actors know: standard deviations of the logarithm,
/// so that 0.3 means a third longer or shorter in one of three cases.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variation {
    /// Between clusters, that is, seeds: all operators of one are slow or quick together.
    #[serde(default)]
    pub operators: f64,
    /// The same for nodes: how long they take to apply a configuration and to boot.
    #[serde(default)]
    pub nodes: f64,
    /// Between the operators and the nodes of one cluster.
    #[serde(default)]
    pub parts: f64,
}

/// What is slow or quick together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The operators of a cluster.
    Operators,
    /// The nodes of a cluster.
    Nodes,
}

impl Variation {
    /// How much clusters differ in a group, and its name for the dice.
    pub fn of(self, group: Group) -> (f64, &'static str) {
        match group {
            Group::Operators => (self.operators, "operators"),
            Group::Nodes => (self.nodes, "nodes"),
        }
    }
}

/// The cluster before anything happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Its infrastructure name.
    pub name: String,
    /// `Infrastructure` platform, for example `AWS`.
    #[serde(default = "default_platform")]
    pub platform: String,
    /// The release that it runs.
    pub version: String,
    /// The update channel; empty for none.
    #[serde(default)]
    pub channel: String,
    /// How long ago it was installed, on the wall.
    pub installed: Span,
    /// Earlier releases, newest first, the running one included, the installed one last.
    #[serde(default)]
    pub history: Vec<Past>,
    /// What the nodes are.
    #[serde(default)]
    pub hardware: Hardware,
    /// What the payload is for.
    #[serde(default)]
    pub payload: Payload,
    /// `FeatureGate` `cluster`, `spec.featureSet`: empty, `TechPreviewNoUpgrade`, `DevPreviewNoUpgrade`.
    #[serde(default)]
    pub feature_set: String,
    /// How the platform's credentials are made.
    #[serde(default)]
    pub credentials: Credentials,
    /// The MachineHealthCheck of the workers.
    #[serde(default)]
    pub health_check: HealthCheck,
    /// Clients of APIs that go away.
    #[serde(default)]
    pub old_apis: Vec<OldApi>,
    /// Operators that OLM installed.
    #[serde(default)]
    pub packages: Vec<Package>,
    /// Where images come from when there is no internet.
    #[serde(default)]
    pub mirror: Option<Mirror>,
    /// Images that nodes have to have.
    #[serde(default)]
    pub pinned: Vec<Pinned>,
    /// How many Windows nodes there are, which no pool owns: `win-0`, `win-1` ...
    #[serde(default)]
    pub windows: usize,
    /// What upgrades the cluster from an image, where there is such a thing: a single node.
    #[serde(default)]
    pub lifecycle_agent: Option<LifecycleAgent>,
}

/// An entry of the update history. Times are on the wall.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Past {
    /// The release.
    pub version: String,
    /// How long ago the update to it began.
    pub started: Span,
    /// How long it took.
    pub took: Span,
    /// Whether it never completed.
    #[serde(default)]
    pub partial: bool,
}

/// A release that the update service knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The channels that it is in.
    pub channels: Vec<String>,
    /// Its errata page.
    #[serde(default)]
    pub url: String,
    /// Known issues of updating to it: it is then a conditional update.
    #[serde(default)]
    pub risks: Vec<Risk>,
}

/// A known issue of updating to a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Risk {
    /// Its name, CamelCase as in the graph data.
    pub name: String,
    /// What it means.
    pub message: String,
    /// Where to read about it.
    pub url: String,
    /// The query that tells whether this cluster is exposed; absent for a risk that always applies.
    #[serde(default)]
    pub promql: Option<String>,
    /// What that query answers here.
    #[serde(default)]
    pub applies: Applies,
}

/// Whether a risk applies to this cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// The cluster is exposed.
    #[default]
    Yes,
    /// It is not.
    No,
    /// Monitoring could not answer.
    Unknown,
}

/// A MachineConfigPool and its nodes, named `<pool>-0`, `<pool>-1` ...
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pool {
    /// How many nodes.
    pub nodes: usize,
    /// The zones that they are dealt to in blocks, in this order; empty for no zone labels.
    #[serde(default)]
    pub zones: Vec<String>,
    /// `spec.paused`.
    #[serde(default)]
    pub paused: bool,
    /// `spec.maxUnavailable`: a number, or a percentage such as `"10%"`.
    #[serde(default)]
    pub max_unavailable: Option<MaxUnavailable>,
    /// How long ago the first node joined, on the wall; the others joined a minute apart. The cluster's age if absent.
    #[serde(default)]
    pub joined: Option<Span>,
    /// Whether its nodes run an image that is built on the cluster.
    #[serde(default)]
    pub layered: bool,
    /// The architecture of its nodes.
    #[serde(default = "amd64")]
    pub architecture: String,
}

/// `maxUnavailable`: nodes, or a percentage of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum MaxUnavailable {
    /// That many nodes.
    Count(u64),
    /// For example `10%`.
    Percent(String),
}

/// The kind of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum WorkloadKind {
    /// Interchangeable replicas.
    #[default]
    Deployment,
    /// Named replicas.
    StatefulSet,
    /// A pod that nothing replaces.
    Pod,
}

/// Something that runs on the cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    #[serde(default)]
    pub kind: WorkloadKind,
    /// How many replicas.
    #[serde(default = "one")]
    pub replicas: usize,
    /// The pool that it runs on.
    #[serde(default = "worker")]
    pub pool: String,
    /// Where its first pods are at the start; the scheduler chooses for the others.
    #[serde(default)]
    pub on: Vec<String>,
    /// The access mode of the volume that each of its replicas has, such as `ReadWriteOnce`; absent for none. Replicas of
    /// a StatefulSet have one each, others share one.
    #[serde(default)]
    pub claim: Option<String>,
    /// Whether its pods keep something on their node (emptyDir).
    #[serde(default)]
    pub scratch: bool,
    /// How long a pod takes to stop, simulated.
    #[serde(default = "default_stop")]
    pub stop: Span,
    /// `terminationGracePeriodSeconds`, simulated.
    #[serde(default = "default_grace")]
    pub grace: Span,
    /// Its PodDisruptionBudget.
    #[serde(default)]
    pub budget: Option<Budget>,
}

/// A PodDisruptionBudget of the workload's name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// `spec.minAvailable`.
    #[serde(default)]
    pub min_available: Option<MaxUnavailable>,
    /// `spec.maxUnavailable`.
    #[serde(default)]
    pub max_unavailable: Option<MaxUnavailable>,
}

/// How a cluster operator behaves differently while it updates. Durations are simulated.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OperatorStory {
    /// It takes that many times longer than usual.
    #[serde(default)]
    pub slower: Option<f64>,
    /// It goes Degraded.
    #[serde(default)]
    pub degraded: Option<Trouble>,
    /// It goes unavailable.
    #[serde(default)]
    pub unavailable: Option<Trouble>,
}

/// A time of trouble of an operator. It does not finish its update while it lasts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trouble {
    /// How long after the operator began to update.
    pub after: Span,
    /// How long it lasts, unless somebody ends it earlier; for ever if absent.
    #[serde(default)]
    pub lasts: Option<Span>,
    /// `namespace/prefix` of a pod whose deletion ends it: it crash-loops meanwhile.
    #[serde(default)]
    pub ends_when_deleted: Option<String>,
    /// The condition's reason.
    pub reason: String,
    /// The condition's message.
    pub message: String,
}

/// How a node behaves differently. Durations are simulated.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeStory {
    /// How long it stays away when it reboots.
    #[serde(default)]
    pub reboot: Option<Span>,
    /// Whether somebody cordoned it before the scenario starts.
    #[serde(default)]
    pub cordoned: bool,
    /// Roles that it has besides those of its pool: with a second custom pool's role no pool owns it.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What is under way when the scenario starts: an update, a change of configuration, or both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Start {
    /// The release that was asked for.
    #[serde(default)]
    pub update_to: Option<String>,
    /// The pool for whose role somebody added a MachineConfig.
    #[serde(default)]
    pub change_configuration: Option<String>,
    /// How long ago, simulated. The actors live through this time before the cluster is shown.
    pub requested: Span,
}

fn real_time() -> f64 {
    1.0
}

fn default_platform() -> String {
    "AWS".to_owned()
}

fn amd64() -> String {
    "amd64".to_owned()
}

fn worker() -> String {
    "worker".to_owned()
}

fn one() -> usize {
    1
}

fn default_stop() -> Span {
    Span::seconds(8)
}

fn default_grace() -> Span {
    Span::seconds(30)
}

/// Why a scenario cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// The scenario's name or path.
    pub source: String,
    /// What is wrong, with the line where the file's own shape is.
    pub problem: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}: {}", self.source, self.problem)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// Names of the scenarios that are compiled in, the default of the demo first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The scenario of that name, or the one in that file.
    ///
    /// # Errors
    /// When there is neither, or the file is not a scenario: the message has the line.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, text);
        }
        let text = std::fs::read_to_string(Path::new(name_or_path)).map_err(|error| ScenarioError {
            source: name_or_path.to_owned(),
            problem: format!(
                "neither one of {} nor a file that can be read: {error}",
                Self::names().collect::<Vec<_>>().join(", ")
            ),
        })?;
        Self::parse(name_or_path, &text)
    }

    /// Reads and checks the text of a scenario; `source` names it in errors.
    ///
    /// # Errors
    /// When the text is not YAML of this shape, or contradicts itself.
    pub fn parse(source: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |problem: String| ScenarioError { source: source.to_owned(), problem };
        let scenario: Self = serde_saphyr::from_str(text).map_err(|error| fail(error.to_string()))?;
        check::check(&scenario).map_err(fail)?;
        Ok(scenario)
    }

    /// The same story with `workers` nodes in the pool `worker`. A big pool that did not say otherwise rolls ten per
    /// cent at a time.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        if let Some(pool) = self.pools.get_mut("worker") {
            pool.nodes = workers.max(1);
            if workers >= BIG_POOL {
                pool.max_unavailable = Some(MaxUnavailable::Percent("10%".to_owned()));
            }
        }
        let names = self.node_names();
        for workload in &mut self.workloads {
            workload.on.retain(|node| names.contains(node));
        }
        self.nodes.retain(|node, _| names.contains(node));
        self
    }

    /// Names of all nodes that a pool was made for, pool by pool.
    pub fn node_names(&self) -> std::collections::BTreeSet<String> {
        self.pools.iter().flat_map(|(pool, spec)| (0..spec.nodes).map(move |i| node_name(pool, i))).collect()
    }

    /// How many nodes a pool has; none where there is no such pool.
    pub fn size(&self, pool: &str) -> usize {
        self.pools.get(pool).map_or(0, |pool| pool.nodes)
    }

    /// Whether the control plane carries the workloads too: a compact cluster, or a single node.
    pub fn is_compact(&self) -> bool {
        self.size("worker") == 0
    }

    /// The nodes on which pods of a pool run: in a compact cluster the control plane stands in for the workers.
    pub fn hosts(&self, pool: &str) -> Vec<String> {
        let pool = if pool == "worker" && self.is_compact() { "master" } else { pool };
        (0..self.size(pool)).map(|index| node_name(pool, index)).collect()
    }

    /// The roles whose machine configs the controller generates.
    pub fn roles(&self) -> Vec<&'static str> {
        let mut roles = vec!["master", "worker"];
        roles.extend(self.pools.contains_key(ARBITER).then_some(ARBITER));
        roles
    }
}

/// The pool of the node that keeps two control plane nodes apart (topology HighlyAvailableArbiter).
pub const ARBITER: &str = "arbiter";

/// The name of a pool's node.
pub fn node_name(pool: &str, index: usize) -> String {
    format!("{pool}-{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_is_compiled_in_can_be_used() {
        for name in Scenario::names() {
            let scenario = Scenario::load(name).unwrap();
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.is_empty());
        }
    }

    #[test]
    fn a_misspelt_field_is_named_with_its_line() {
        let text = include_str!("../../assets/scenarios/minor.yaml").replace("channel:", "chanel:");
        let line = text.lines().position(|line| line.contains("chanel:")).unwrap() + 1;
        let error = Scenario::parse("mine.yaml", &text).unwrap_err().to_string();
        assert!(error.contains("mine.yaml") && error.contains("chanel"), "{error}");
        assert!(error.contains(&format!("line {line}")), "{error}");
    }

    #[test]
    fn a_name_that_is_neither_scenario_nor_file_lists_the_scenarios() {
        let error = Scenario::load("no-such").unwrap_err().to_string();
        assert!(error.contains("tour, minor, stuck-drain, degraded-operator"), "{error}");
    }

    #[test]
    fn more_workers_roll_ten_per_cent_at_a_time() {
        let scenario = Scenario::load("tour").unwrap().with_workers(2_000);
        assert_eq!(scenario.pools["worker"].nodes, 2_000);
        assert_eq!(scenario.pools["worker"].max_unavailable, Some(MaxUnavailable::Percent("10%".to_owned())));
    }
}

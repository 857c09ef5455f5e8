//! From objects to facts: JSON values (dumps, the simulator's store) or lenses (a client's stores).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::facts::{Facts, Kind, KindState, KindStatus};
use super::link::Link;
use crate::api;

/// Objects by kind, in any order.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// ClusterVersions; the one named `version` counts.
    pub cluster_versions: Vec<Arc<api::ClusterVersion>>,
    /// ClusterOperators.
    pub operators: Vec<Arc<api::ClusterOperator>>,
    /// MachineConfigPools.
    pub pools: Vec<Arc<api::MachineConfigPool>>,
    /// MachineConfigNodes.
    pub machine_config_nodes: Vec<Arc<api::MachineConfigNode>>,
    /// Nodes.
    pub nodes: Vec<Arc<api::Node>>,
    /// MachineConfigs.
    pub machine_configs: Vec<Arc<api::MachineConfig>>,
    /// Events.
    pub events: Vec<api::Event>,
}

impl Objects {
    /// Sorts JSON objects by kind; `List`s are opened, kinds that nobody reads are passed over.
    pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut objects = Self::default();
        for value in values {
            objects.add(value);
        }
        objects
    }

    /// Adds one JSON object, or all items of a `List`.
    pub fn add(&mut self, value: &Value) {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (group, _) = text("apiVersion").rsplit_once('/').unwrap_or_default();
        match (group, text("kind")) {
            ("config.openshift.io", "ClusterVersion") => push(&mut self.cluster_versions, value),
            ("config.openshift.io", "ClusterOperator") => push(&mut self.operators, value),
            ("machineconfiguration.openshift.io", "MachineConfigPool") => push(&mut self.pools, value),
            ("machineconfiguration.openshift.io", "MachineConfigNode") => push(&mut self.machine_config_nodes, value),
            ("machineconfiguration.openshift.io", "MachineConfig") => push(&mut self.machine_configs, value),
            ("", "Node") => push(&mut self.nodes, value),
            ("", "Event") => self.events.extend(read::<api::Event>(value)),
            (_, kind) if kind.ends_with("List") => {
                value.get("items").and_then(Value::as_array).into_iter().flatten().for_each(|item| self.add(item));
            }
            _ => {}
        }
    }

    /// How many objects of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::ClusterVersions => self.cluster_versions.len(),
            Kind::ClusterOperators => self.operators.len(),
            Kind::MachineConfigPools => self.pools.len(),
            Kind::MachineConfigNodes => self.machine_config_nodes.len(),
            Kind::Nodes => self.nodes.len(),
            Kind::MachineConfigs => self.machine_configs.len(),
        }
    }

    /// The facts of objects that come from files or from a store without a link: every kind that has objects is live
    /// as of `now`, the others count as absent.
    pub fn into_recording(self, now: DateTime<Utc>) -> Facts {
        let kinds = Kind::ALL
            .into_iter()
            .map(|kind| {
                let status = if self.count(kind) > 0 { KindStatus::Live } else { KindStatus::Absent };
                (kind, KindState { status, heard: Some(now), unreadable: Vec::new() })
            })
            .collect();
        let mut facts = Facts { link: Link::recording(), kinds, ..Facts::nothing(now) };
        self.put_into(&mut facts);
        facts
    }

    /// Replaces the objects of `facts`, in the order that facts promise; link, freshness and access stay.
    pub fn put_into(mut self, facts: &mut Facts) {
        facts.cluster_version = self.cluster_versions.into_iter().find(|object| object.name() == "version");
        self.operators.sort_by(|a, b| a.name().cmp(b.name()));
        self.pools.sort_by(|a, b| a.name().cmp(b.name()));
        self.machine_config_nodes.sort_by(|a, b| a.name().cmp(b.name()));
        self.nodes.sort_by(|a, b| a.name().cmp(b.name()));
        self.machine_configs.sort_by(|a, b| a.name().cmp(b.name()));
        self.events.sort_by_key(api::Event::last_at);
        facts.operators = Arc::new(self.operators);
        facts.pools = Arc::new(self.pools);
        facts.machine_config_nodes = Arc::new(self.machine_config_nodes);
        facts.nodes = Arc::new(self.nodes);
        facts.machine_configs = Arc::new(self.machine_configs);
        facts.events = Arc::new(self.events);
    }
}

/// The facts of JSON objects without a link (dumps, a store): see [`Objects::into_recording`].
pub fn from_values<'a>(values: impl IntoIterator<Item = &'a Value>, now: DateTime<Utc>) -> Facts {
    Objects::from_values(values).into_recording(now)
}

/// How far apart the parts of one dump may be written.
const TOGETHER: TimeDelta = TimeDelta::hours(24);

/// The "now" of a recording, which has none: the newest transition time of any condition.
///
/// When nodes or pools are from another day than ClusterVersion and ClusterOperators (files put together by hand), the
/// latter two decide, as `oc` does for its recordings (`oc adm upgrade status --mock-clusterversion`).
pub fn newest_transition<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<DateTime<Utc>> {
    let (mut any, mut platform) = (None, None);
    for value in values {
        newest_in(value, &mut any, &mut platform);
    }
    match (any, platform) {
        (Some(any), Some(platform)) if any - platform > TOGETHER => Some(platform),
        _ => any,
    }
}

fn newest_in(value: &Value, any: &mut Option<DateTime<Utc>>, platform: &mut Option<DateTime<Utc>>) {
    if let Some(items) = value.get("items").and_then(Value::as_array) {
        for item in items {
            newest_in(item, any, platform);
        }
        return;
    }
    let Some(conditions) = value.pointer("/status/conditions").and_then(Value::as_array) else { return };
    let newest = conditions
        .iter()
        .filter_map(|condition| condition.get("lastTransitionTime")?.as_str())
        .filter_map(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(|at| at.with_timezone(&Utc))
        .max();
    *any = (*any).max(newest);
    if matches!(value.get("kind").and_then(Value::as_str), Some("ClusterVersion" | "ClusterOperator")) {
        *platform = (*platform).max(newest);
    }
}

/// A lens of a JSON value cannot fail on types; what fails (nothing, as far as known) is left out.
fn push<K: DeserializeOwned>(into: &mut Vec<Arc<K>>, value: &Value) {
    into.extend(read(value).map(Arc::new));
}

fn read<K: DeserializeOwned>(value: &Value) -> Option<K> {
    serde::Deserialize::deserialize(value).ok()
}

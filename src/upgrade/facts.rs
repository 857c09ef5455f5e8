//! What was observed: the objects as last heard, per kind how fresh they are, the link, the user.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::access::Access;
use super::link::{Link, Trouble};
use crate::api;

/// The kinds that are watched all the time, one watch each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `config.openshift.io/v1 ClusterVersion`; the one named `version`.
    ClusterVersions,
    /// `config.openshift.io/v1 ClusterOperator`.
    ClusterOperators,
    /// `machineconfiguration.openshift.io/v1 MachineConfigPool`.
    MachineConfigPools,
    /// `machineconfiguration.openshift.io/v1 MachineConfigNode`; absent before 4.19.
    MachineConfigNodes,
    /// `v1 Node`.
    Nodes,
    /// `machineconfiguration.openshift.io/v1 MachineConfig`, metadata only.
    MachineConfigs,
}

impl Kind {
    /// All of them, in the order in which a person would ask.
    pub const ALL: [Self; 6] = [
        Self::ClusterVersions,
        Self::ClusterOperators,
        Self::MachineConfigPools,
        Self::MachineConfigNodes,
        Self::Nodes,
        Self::MachineConfigs,
    ];

    /// The plural as the API says it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ClusterVersions => "clusterversions",
            Self::ClusterOperators => "clusteroperators",
            Self::MachineConfigPools => "machineconfigpools",
            Self::MachineConfigNodes => "machineconfignodes",
            Self::Nodes => "nodes",
            Self::MachineConfigs => "machineconfigs",
        }
    }
}

/// How well a kind is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KindStatus {
    /// The first list has not ended yet.
    #[default]
    Waiting,
    /// Listed and watched.
    Live,
    /// Listed once, but its watch fails now: what is shown is the last good content.
    Failing(Trouble),
    /// The server does not serve the kind (old release, plain Kubernetes). Asked again every 60 s.
    Absent,
    /// The user may not list it. Asked again every 60 s.
    Forbidden(Trouble),
}

/// The freshness of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindState {
    /// How well it is known.
    pub status: KindStatus,
    /// When bytes last came on the kind's own watch, bookmarks included. A good probe never refreshes it.
    pub heard: Option<DateTime<Utc>>,
    /// Objects that could not be read (wrong types), by name and reason. The rest of the list is shown.
    pub unreadable: Vec<(String, String)>,
}

/// Something the cluster said once: an Event on a Node, of the machine-config operator or the cluster-version operator.
pub type Event = api::Event;

/// All that was observed. Cheap to clone: vectors of pointers. Vectors are ordered by name.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The link to the API server.
    pub link: Link,
    /// Freshness per kind; a missing entry is [`KindStatus::Waiting`].
    pub kinds: BTreeMap<Kind, KindState>,
    /// ClusterVersion `version`.
    pub cluster_version: Option<Arc<api::ClusterVersion>>,
    /// ClusterOperators.
    pub operators: Arc<Vec<Arc<api::ClusterOperator>>>,
    /// MachineConfigPools.
    pub pools: Arc<Vec<Arc<api::MachineConfigPool>>>,
    /// MachineConfigNodes; empty where the kind is absent.
    pub machine_config_nodes: Arc<Vec<Arc<api::MachineConfigNode>>>,
    /// Nodes.
    pub nodes: Arc<Vec<Arc<api::Node>>>,
    /// MachineConfigs, metadata only.
    pub machine_configs: Arc<Vec<Arc<api::MachineConfig>>>,
    /// Events read once at the start (from which timeline and clocks are rebuilt), oldest first.
    pub events: Arc<Vec<Event>>,
    /// Who the user is and what the user may do.
    pub access: Arc<Access>,
    /// Counts up when another cluster answered and everything was dropped: memories of before are void.
    pub epoch: u64,
}

impl Facts {
    /// Nothing was observed yet.
    pub fn nothing(now: DateTime<Utc>) -> Self {
        Self {
            link: Link::connecting(now),
            kinds: BTreeMap::new(),
            cluster_version: None,
            operators: Arc::default(),
            pools: Arc::default(),
            machine_config_nodes: Arc::default(),
            nodes: Arc::default(),
            machine_configs: Arc::default(),
            events: Arc::default(),
            access: Arc::default(),
            epoch: 0,
        }
    }

    /// Are these the same observations as `other`, heard at another time? Then they mean the same; only ages differ.
    pub fn same_but_heard(&self, other: &Self) -> bool {
        let version = match (&self.cluster_version, &other.cluster_version) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        let kinds = |facts: &Self| {
            let said = facts.kinds.iter().map(|(kind, state)| (*kind, state.status.clone(), state.unreadable.clone()));
            said.collect::<Vec<_>>()
        };
        version
            && self.epoch == other.epoch
            && (self.link.state, &self.link.trouble) == (other.link.state, &other.link.trouble)
            && Arc::ptr_eq(&self.operators, &other.operators)
            && Arc::ptr_eq(&self.pools, &other.pools)
            && Arc::ptr_eq(&self.machine_config_nodes, &other.machine_config_nodes)
            && Arc::ptr_eq(&self.nodes, &other.nodes)
            && Arc::ptr_eq(&self.machine_configs, &other.machine_configs)
            && Arc::ptr_eq(&self.events, &other.events)
            && Arc::ptr_eq(&self.access, &other.access)
            && kinds(self) == kinds(other)
    }

    /// How well `kind` is known.
    pub fn status(&self, kind: Kind) -> &KindStatus {
        const WAITING: &KindStatus = &KindStatus::Waiting;
        self.kinds.get(&kind).map_or(WAITING, |state| &state.status)
    }

    /// Has every kind said something (objects, absence or refusal)? The first picture is complete then.
    pub fn complete(&self) -> bool {
        Kind::ALL.iter().all(|kind| *self.status(*kind) != KindStatus::Waiting)
    }
}

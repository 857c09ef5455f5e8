//! What proves an action on pools: what the watches of pools, nodes and configurations show.

use serde::Serialize;

use super::words::list;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;

/// What pools, their nodes and their configurations have to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolEffect {
    /// The pool exists.
    Exists {
        /// Pool.
        pool: String,
        /// `spec.paused`.
        paused: bool,
    },
    /// The pool is gone.
    Gone {
        /// Pool.
        pool: String,
    },
    /// `spec.maxUnavailable` of the pool.
    MaxUnavailable {
        /// Pool.
        pool: String,
        /// As written: `2`, `10%`.
        value: String,
    },
    /// The pool manages these nodes.
    Manages {
        /// Pool.
        pool: String,
        /// Nodes.
        nodes: Vec<String>,
    },
    /// These MachineConfigs are gone.
    ConfigsGone {
        /// Names.
        configs: Vec<String>,
    },
}

impl PoolEffect {
    /// Does the assessment show the effect?
    pub fn holds(&self, assessment: &Assessment) -> bool {
        let facts = &assessment.facts;
        match self {
            Self::Exists { pool, paused } => assessment.pool(pool).is_some_and(|pool| pool.paused == *paused),
            Self::Gone { pool } => facts.known(Kind::MachineConfigPools) && assessment.pool(pool).is_none(),
            Self::MaxUnavailable { pool, value } => {
                assessment.pool(pool).is_some_and(|pool| pool.capacity.max_unavailable_spec == *value)
            }
            Self::Manages { pool, nodes } => nodes
                .iter()
                .all(|name| assessment.node(name).is_some_and(|node| node.pool.as_deref() == Some(pool.as_str()))),
            Self::ConfigsGone { configs } => {
                facts.known(Kind::MachineConfigs)
                    && !facts.machine_configs.iter().any(|config| configs.iter().any(|name| name == config.name()))
            }
        }
    }

    /// What is waited for, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Exists { pool, paused: true } => format!("pool {pool} shows, paused"),
            Self::Exists { pool, paused: false } => format!("pool {pool} shows"),
            Self::Gone { pool } => format!("pool {pool} is gone"),
            Self::MaxUnavailable { pool, value } => format!("pool {pool} shows maxUnavailable {value}"),
            Self::Manages { pool, nodes } => {
                let verb = if nodes.len() == 1 { "shows" } else { "show" };
                format!("{} {verb} in pool {pool}", list(nodes.iter().map(String::as_str)))
            }
            Self::ConfigsGone { configs } => {
                let verb = if configs.len() == 1 { "is" } else { "are" };
                format!("{} {verb} gone", list(configs.iter().map(String::as_str)))
            }
        }
    }
}

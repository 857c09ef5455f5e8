//! What has to be read beyond the core kinds, so that what is going on can be explained. Nothing is read for nobody.

use std::collections::BTreeSet;

use super::assessment::Assessment;
use super::facts::Kind;

/// What somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Purpose {
    /// The update as it goes: the cockpit, `status`.
    #[default]
    Watch,
    /// The versions on offer: `updates`.
    Updates,
    /// Everything that bears on readiness: `preflight`.
    Preflight,
}

/// Whose pods are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodsOf {
    /// Those of these nodes.
    Nodes(BTreeSet<String>),
    /// All pods of the cluster.
    All,
}

impl Default for PodsOf {
    fn default() -> Self {
        Self::Nodes(BTreeSet::new())
    }
}

/// What has to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Kinds, none of them core; [`Kind::Pods`] is told by `pods` alone.
    pub kinds: BTreeSet<Kind>,
    /// Pods.
    pub pods: PodsOf,
    /// Events as they come, and not only those of the start.
    pub events: bool,
}

/// What has to be read to say more about `assessment` than it says.
pub fn needs(assessment: &Assessment, purpose: Purpose) -> Needs {
    let _ = (assessment, purpose);
    Needs::default()
}

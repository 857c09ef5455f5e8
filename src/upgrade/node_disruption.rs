//! What a changed machine configuration does to a node: nothing, a service reloaded, a drain, a reboot, or nothing at all
//! because the machine-config daemon refuses it. The one place for these rules: every plan, pane and check that tells of
//! drains and reboots asks here.
//!
//! Sources, all of machine-config-operator: pkg/daemon/update.go (`newMachineConfigDiff`, `reconcilable`,
//! `calculatePostConfigChangeNodeDisruptionAction`, and before node disruption policies
//! `calculatePostConfigChangeActionFromMCDiffs`), pkg/daemon/drain.go (`isDrainRequiredForNodeDisruptionActions`,
//! `isSafeContainerRegistryConfChanges`, `drainRequired`), pkg/apihelpers/apihelpers.go (`defaultClusterPolicies`). By
//! release:
//!
//! | Release | What holds |
//! |---|---|
//! | up to 4.6 | whatever changes, the node drains and reboots |
//! | 4.7 to 4.16 | a built-in list of files, keys and passwords that need less; units always reboot |
//! | 4.17 and later | `MachineConfiguration/cluster` `status.nodeDisruptionPolicyStatus.clusterPolicies` |
//!
//! In all of them the OS image, kernel arguments, kernel type and extensions reboot, and nodes with an image that is built
//! on the cluster reboot for every change.

mod machine_config;
mod policies;
mod registries;

use super::assessment::{Assessment, Node, Pool};
use super::version::minor_parts;
use super::words::some_of;
use crate::api::NodeDisruptionPolicies;

pub use machine_config::{of_files, of_machine_config, of_spec};
pub use policies::{KUBELET_AUTH, REGISTRIES, USER_CA};

/// The first minor release whose nodes follow node disruption policies (they were a preview in 4.16).
const POLICIES_SINCE: (u64, u64) = (4, 17);
/// The first minor release that does not reboot for every change.
const REBOOTLESS_SINCE: (u64, u64) = (4, 7);

/// How many files or units are named before it is said how many more there are.
const SHOWN: usize = 8;

/// What becomes of a node, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// Nothing but what is written.
    None,
    /// Services may be reloaded or restarted.
    Service,
    /// A drain without a reboot.
    Drain,
    /// A drain and a reboot.
    Reboot,
}

impl Impact {
    /// What follows, in a few words: on a cluster of one node nothing is drained (pkg/daemon/drain.go, `drainRequired`).
    pub const fn words(self, single_node: bool) -> &'static str {
        match (self, single_node) {
            (Self::None, _) => "neither drain nor reboot",
            (Self::Service, _) => "services are reloaded or restarted, neither drain nor reboot",
            (Self::Drain, false) => "drain without a reboot",
            (Self::Drain, true) => "no reboot, and a single node is not drained",
            (Self::Reboot, false) => "drain and reboot",
            (Self::Reboot, true) => "reboot, without a drain",
        }
    }
}

/// The rules that hold on the nodes of a pool.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// Minor release of the machine-config daemon; none: not known, then what any release reboots for reboots.
    pub minor: Option<(u64, u64)>,
    /// The policies in effect; none: the release has none, or they are not known.
    pub policies: Option<&'a NodeDisruptionPolicies>,
    /// The nodes run an image that is built on the cluster: they follow no policy.
    pub layered: bool,
}

impl Rules<'_> {
    /// The release has policies, and they are not known: what is told then follows the defaults of the release.
    pub fn assumes_defaults(&self) -> bool {
        self.policies.is_none() && !self.layered && self.minor.is_some_and(|minor| minor >= POLICIES_SINCE)
    }

    /// Neither policies nor the release are known.
    pub fn knows_nothing(&self) -> bool {
        self.policies.is_none() && !self.layered && self.minor.is_none()
    }
}

/// What differs between two configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A field of the MachineConfig beside Ignition: `OS image`.
    Field(&'static str),
    /// A file, by its path.
    File(String),
    /// A unit, by its name.
    Unit(String),
    /// Users, their keys or their passwords.
    Users,
}

/// A difference and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs. Contents are never part of it: files may hold secrets.
    pub what: What,
    /// What that does to the node.
    pub impact: Impact,
}

/// What a change does to a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// All that differs.
    pub differs: Vec<Difference>,
    /// What a node that is installed cannot take: the daemon calls the node Unreconcilable.
    pub impossible: Vec<String>,
}

impl Judged {
    /// The worst of it.
    pub fn impact(&self) -> Impact {
        self.differs.iter().map(|one| one.impact).max().unwrap_or(Impact::None)
    }

    /// Does it reboot whatever the node disruption policy says?
    pub fn is_certain(&self) -> bool {
        self.differs.iter().any(|one| matches!(one.what, What::Field(_)) && one.impact == Impact::Reboot)
    }

    /// Does nothing differ that a node applies?
    pub fn is_nothing(&self) -> bool {
        self.differs.is_empty() && self.impossible.is_empty()
    }

    /// What differs: `OS image; kernel arguments; files /a, /b; unit x.service; users or their SSH keys`.
    pub fn differences(&self) -> String {
        words(self.differs.iter().map(|one| &one.what))
    }

    /// What leads to the worst of it; empty when that is nothing.
    pub fn reasons(&self) -> String {
        let worst = self.impact();
        words(self.differs.iter().filter(|one| one.impact == worst && worst > Impact::None).map(|one| &one.what))
    }

    fn add(&mut self, what: What, impact: Impact) {
        self.differs.push(Difference { what, impact });
    }
}

fn words<'a>(differences: impl Iterator<Item = &'a What>) -> String {
    let (mut parts, mut files, mut units, mut users) = (Vec::new(), Vec::new(), Vec::new(), false);
    for what in differences {
        match what {
            What::Field(words) => parts.push((*words).to_owned()),
            What::File(path) => files.push(path.as_str()),
            What::Unit(name) => units.push(name.as_str()),
            What::Users => users = true,
        }
    }
    for (one, several, names) in [("file", "files", files), ("unit", "units", units)] {
        match names.len() {
            0 => {}
            1 => parts.push(format!("{one} {}", names[0])),
            _ => parts.push(format!("{several} {}", some_of(names.into_iter(), SHOWN))),
        }
    }
    if users {
        parts.push("users or their SSH keys".to_owned());
    }
    parts.join("; ")
}

/// What it does to the nodes of a pool to take up what is pending, as far as that is known without comparing the two
/// configurations: another release brings another OS image, which always reboots; what any other change does depends on
/// what it changes. None: nothing is pending, or only a comparison tells.
pub fn of_pending(assessment: &Assessment, pool: &Pool) -> Option<Impact> {
    let target = pool.target_version.as_deref()?;
    let behind = |node: &&Node| node.current_config != pool.target;
    let mut releases = assessment.nodes_of(&pool.name).filter(behind).filter_map(|node| node.version.as_deref());
    releases.any(|release| release != target).then_some(Impact::Reboot)
}

/// The minor release whose machine-config daemon takes changes up: during an update the one that it comes from.
pub fn daemon_release(assessment: &Assessment) -> Option<(u64, u64)> {
    let update = &assessment.update;
    let version = if update.in_progress { update.from.as_ref() } else { update.to.as_ref() };
    version.and_then(|version| minor_parts(version))
}

#[cfg(test)]
mod node_disruption_tests;

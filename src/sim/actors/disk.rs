//! The disk of a node that is upgraded from an image: the stateroots on it, and what the lifecycle agent has left there
//! for itself.
//!
//! Belongs here: what outlives a reboot besides the etcd that runs. Does not: deciding to reboot (see
//! [`super::lifecycle_agent`]), rebooting (see [`super::reboot`]).

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::sim::kinds::Res;
use crate::sim::scenario::{Scenario, Span};
use crate::sim::store::Etcd;

/// The stateroot that the installer makes.
const INSTALLED: &str = "rhcos";

/// What is on the disk.
#[derive(Debug)]
pub struct Disk {
    /// The stateroot that is booted.
    pub booted: String,
    /// The number of its etcd; that of the story's beginning is 0.
    pub etcd: u64,
    /// The other stateroot, if there is one.
    pub other: Option<Stateroot>,
    /// What the agent writes into the API when it starts, in place of what it finds there.
    pub saved: Option<Value>,
    /// The same for the case that the machine comes back in the stateroot that it left.
    pub fallback: Option<Value>,
    /// What was exported from the stateroot that was left, for the one that is booted.
    pub carried: Carried,
    /// How many stages the story has asked for by itself, and since when the next one is possible.
    pub steps: (usize, Option<Duration>),
    /// What Prep copied for the first boot of the stateroot that is booted.
    pub settings: Settings,
    /// When the system that runs began to boot.
    pub booted_at: Duration,
    /// How often the machine has been booted.
    pub boots: u32,
    /// How many etcds there have been besides the first.
    pub made: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            booted: INSTALLED.to_owned(),
            etcd: 0,
            other: None,
            saved: None,
            fallback: None,
            carried: Carried::default(),
            steps: (0, None),
            settings: Settings::default(),
            booted_at: Duration::ZERO,
            boots: 0,
            made: 0,
        }
    }
}

impl Disk {
    /// Whether the stateroot for the seed of that version is booted: the agent's test for "after the pivot".
    pub fn is_booted(&self, version: &str) -> bool {
        self.booted == stateroot_of(version)
    }
}

/// What an upgrade takes along.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// Restores, as their ConfigMaps have them.
    pub restores: Vec<Value>,
    /// Backups as they were when they were complete: Velero finds them in the storage.
    pub backups: Vec<Value>,
    /// DataProtectionApplications, and the Secrets that they need.
    pub protection: Vec<(Res, Value)>,
    /// Extra manifests.
    pub manifests: Vec<Value>,
}

/// A stateroot that is not booted.
#[derive(Debug)]
pub enum Stateroot {
    /// Prepared from a seed, and never booted.
    Prepared {
        /// The seed's release.
        version: String,
        /// What the first boot will go by.
        settings: Settings,
    },
    /// Left behind by a pivot.
    Left(Box<Left>),
}

/// A stateroot that ran before.
#[derive(Debug)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// Its etcd, as it was when the machine went down.
    pub etcd: Etcd,
    /// The number of that etcd.
    pub number: u64,
    /// What the cluster is that runs on it.
    pub scenario: Arc<Scenario>,
}

/// The automatic rollbacks that Prep copies into the new stateroot: later changes have no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The configuration of the first boot fails.
    pub post_reboot_config: bool,
    /// The upgrade is not complete in time.
    pub init_monitor: bool,
    /// That time.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { post_reboot_config: true, init_monitor: true, timeout: Span::seconds(1_800).0 }
    }
}

/// The name of the stateroot for a seed (lifecycle-agent, internal/common GetStaterootName).
pub fn stateroot_of(version: &str) -> String {
    format!("{INSTALLED}_{}", version.replace('-', "_"))
}

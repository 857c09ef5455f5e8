//! The table of all actions: name, danger, permissions, what they take, how they are offered and planned.
//!
//! Whoever shows, parses or lists actions reads it here: menu, palette, help, forms, `oc-cockpit do`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Ask, Danger, Material, Offered, Plan, Refusal, Session, Target};
use crate::upgrade::access::{Access, Permission};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::{Facts, Kind};

/// The flag that stands for the names of pools ([`Takes::Pools`]): the action chooses them.
pub const ALL: &str = "all";

/// What an action takes as its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: its object is given.
    Cluster,
    /// A version, or none where an argument says which.
    Version,
    /// One pool.
    Pool,
    /// One pool or several; none with the flag [`ALL`], where the action has it.
    Pools,
    /// One node or several.
    Nodes,
    /// Objects of a resource (`plural.group`), by `NAME`, or `NAMESPACE/NAME` where they have one.
    Objects {
        /// As `oc get` takes it.
        resource: &'static str,
        /// The noun for one of them in usage lines: `CSR`, `NAMESPACE/POD`.
        noun: &'static str,
        /// Do they live in namespaces?
        namespaced: bool,
        /// The only namespace that they may be in, so that a bare name will do; empty: any.
        namespace: &'static str,
        /// May several be named?
        several: bool,
        /// May none be named (then the action chooses: all that fit)?
        none: bool,
    },
    /// One object of the kinds that are applied from files, by `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    Listed,
}

/// What the value of an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// Any text.
    Text,
    /// A whole number, or a percentage where the API takes one.
    Number,
    /// Given or not.
    Flag,
    /// The path of a file with objects in YAML or JSON.
    File,
}

/// A value that an action takes beside its target.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    /// Kebab-case: `--name VALUE`.
    pub name: &'static str,
    /// What it is, for help and forms: `the channel, for example stable-4.19`.
    pub words: &'static str,
    /// Kind of value.
    pub kind: ArgKind,
    /// Is it given as a word behind the target, rather than as an option?
    pub positional: bool,
    /// Can the action not be planned without it?
    pub required: bool,
    /// May it be given several times?
    pub several: bool,
    /// Values to choose from, as far as the cluster tells.
    pub choices: Option<fn(&Assessment) -> Vec<String>>,
}

impl Arg {
    /// An optional `--name VALUE`.
    pub const fn option(name: &'static str, kind: ArgKind, words: &'static str) -> Self {
        Self { name, words, kind, positional: false, required: false, several: false, choices: None }
    }

    /// A required word behind the target.
    pub const fn word(name: &'static str, kind: ArgKind, words: &'static str) -> Self {
        Self { name, words, kind, positional: true, required: true, several: false, choices: None }
    }
}

/// An action of the catalogue.
pub struct Entry {
    /// Which.
    pub id: ActionId,
    /// Kebab-case verb: `pause-pool`.
    pub name: &'static str,
    /// One word for the footer: `pause`.
    pub word: &'static str,
    /// What it does, for help, menu and `do --list`, without a full stop.
    pub summary: &'static str,
    /// In words for sentences: `pausing a pool`.
    pub gerund: &'static str,
    /// How dangerous it can be, from the least to the most; the plan says how much it is now.
    pub dangers: &'static [Danger],
    /// What it is aimed at.
    pub takes: Takes,
    /// Further values.
    pub args: &'static [Arg],
    /// The permissions that its requests need.
    pub permissions: &'static [Permission],
    /// Kinds of [`Kind::AROUND`] that it is decided on: they have to be read before it is planned.
    pub needs: &'static [Kind],
    /// The action that undoes it.
    pub inverse: Option<ActionId>,
    /// Whether it makes sense for a target (then with why not, where it cannot be done now).
    pub offered: fn(&Assessment, &Session, &Target) -> Option<Offered>,
    /// The plan, or why not. [`Plan::reads`] says what is missing in the material.
    pub plan: fn(&Assessment, &Session, &Ask, &Material) -> Result<Plan, Refusal>,
}

impl Entry {
    /// Nothing but the id, and an action that is none: what entries and what families of them have in common is filled in.
    pub(super) const fn blank(id: ActionId) -> Self {
        Self {
            id,
            name: "",
            word: "",
            summary: "",
            gerund: "",
            dangers: &[],
            takes: Takes::Cluster,
            args: &[],
            permissions: &[],
            needs: &[],
            inverse: None,
            offered: |_, _, _| None,
            plan: |_, _, ask, _| Err(Refusal(format!("{} is no action", ask.action.name()))),
        }
    }

    /// Is it aimed at such a target?
    pub fn fits(&self, target: &Target) -> bool {
        match (self.takes, target) {
            (Takes::Cluster | Takes::Version, Target::Cluster) | (Takes::Version, Target::Version(_)) => true,
            (Takes::Pool, Target::Pools(names)) => names.len() == 1,
            (Takes::Pools, Target::Pools(names)) | (Takes::Nodes, Target::Nodes(names)) => !names.is_empty(),
            (Takes::Objects { none, .. }, Target::Cluster) => none,
            (Takes::Listed, Target::Objects(objects)) => {
                matches!(objects.as_slice(), [one] if super::files::kinds::is_listed(&one.resource))
            }
            (Takes::Objects { resource, several, none, .. }, Target::Objects(objects)) => {
                let known = objects.iter().all(|object| object.resource == resource);
                known && if objects.is_empty() { none } else { several || objects.len() == 1 }
            }
            _ => false,
        }
    }

    /// Does the wish fit the form: the target, the names of the values, the required ones?
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn accepts(&self, ask: &Ask) -> Result<(), Refusal> {
        let refuse = |words: String| Err(Refusal(words));
        match (self.takes, &ask.target) {
            (Takes::Nodes, Target::Nodes(names)) if names.is_empty() => return refuse("no node is chosen".to_owned()),
            (Takes::Pool | Takes::Pools, Target::Pools(names)) if names.is_empty() => {
                return refuse("no pool is chosen".to_owned());
            }
            _ => {}
        }
        // A flag `--all` stands for the names of pools.
        let all = self.takes == Takes::Pools && ask.target == Target::Cluster && ask.args.flag(ALL);
        if !all && ask.target == Target::Cluster && matches!(self.takes, Takes::Pool | Takes::Pools | Takes::Nodes) {
            let noun = if self.takes == Takes::Nodes { "node" } else { "pool" };
            let or = if self.args.iter().any(|arg| arg.name == ALL) { ", or give --all" } else { "" };
            return refuse(format!("{} needs a {noun}: name it{or}", self.gerund));
        }
        if !all && !self.fits(&ask.target) {
            return refuse(format!("{} does not apply to {}", self.gerund, ask.target.words()));
        }
        for name in ask.args.names() {
            let Some(arg) = self.args.iter().find(|arg| arg.name == name) else {
                return refuse(format!("{} takes no {name}", self.gerund));
            };
            if !arg.several && ask.args.all(name).len() > 1 {
                return refuse(format!("{name} is given more than once"));
            }
            if let Some(why) = ask.args.all(name).iter().find_map(|value| arg.takes(value).err()) {
                return refuse(format!("{} needs {}, {}: {why}", self.gerund, arg.name, arg.words));
            }
        }
        match self.args.iter().find(|arg| arg.required && !ask.args.flag(arg.name)) {
            Some(missing) => refuse(format!("{} needs {}: {}", self.gerund, missing.name, missing.words)),
            None => Ok(()),
        }
    }
}

impl Entry {
    /// The permission that is missing, where the server has refused all that the action's requests need: then it is not
    /// offered at all. Where it has refused some, the plan tells what that means.
    pub fn barred(&self, access: &Access) -> Option<&Permission> {
        access.refuses_all(self.permissions).then(|| self.permissions.first()).flatten()
    }

    /// The kinds that it is decided on and that were not read yet.
    pub fn unread(&self, facts: &Facts) -> Vec<Kind> {
        self.needs.iter().copied().filter(|kind| !facts.settled(*kind)).collect()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The ids with the files that hold their entries.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $id:ident => $file:ident,)*) => {
        /// The actions of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ActionId {
            $($(#[$doc])* $id,)*
        }

        impl ActionId {
            /// All of them, in the order of menu, help and list.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// Its row.
            pub fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$id => &super::$file::ENTRY,)*
                }
            }
        }
    };
}

catalogue! {
    // --- The ClusterVersion ---
    /// Set the channel.
    SetChannel => set_channel,
    /// Set the update service.
    SetUpstream => set_upstream,
    /// Start an update.
    StartUpdate => start_update,
    /// Migrate to the multi-architecture payload.
    MigrateMultiArch => migrate_multi_arch,
    /// Clear the request of an update.
    ClearUpdate => clear_update,
    /// Give components back to the cluster-version operator.
    ClearOverrides => clear_overrides,
    /// Accept risks of updates.
    AcceptRisks => accept_risks,
    /// Acknowledge an admin gate.
    AckGate => ack_gate,
    /// Force an update.
    ForceUpdate => force_update,
    /// Say that cloud credentials are ready.
    SetUpgradeableTo => set_upgradeable_to,

    // --- Pools ---
    /// Pause MachineConfigPools.
    PausePool => pause_pool,
    /// Unpause MachineConfigPools.
    UnpausePool => unpause_pool,
    /// Set how many nodes of a pool may be unavailable.
    SetMaxUnavailable => set_max_unavailable,
    /// Create a custom pool.
    CreatePool => create_pool,
    /// Move nodes to another pool.
    MoveNodes => move_nodes,
    /// Delete a custom pool.
    DeletePool => delete_pool,
    /// Delete rendered configs that nothing uses.
    PruneRenderedConfigs => prune_rendered_configs,
    /// Build the image of a layered pool again.
    RebuildImage => rebuild_image,
    /// Have the nodes of a pool pull images ahead.
    PinImages => pin_images,

    // --- Nodes and pods ---
    /// Cordon nodes.
    CordonNodes => cordon_nodes,
    /// Uncordon nodes.
    UncordonNodes => uncordon_nodes,
    /// Drain nodes.
    DrainNodes => drain_nodes,
    /// Evict a pod.
    EvictPod => evict_pod,
    /// Delete a pod.
    DeletePod => delete_pod,

    // --- Around the update ---
    /// Pause MachineHealthChecks.
    PauseMhc => pause_mhc,
    /// Resume the MachineHealthChecks that this program has paused.
    ResumeMhc => resume_mhc,
    /// Approve CertificateSigningRequests of nodes.
    ApproveCsr => approve_csr,
    /// Delete the platform's packageserver ClusterServiceVersion, when it is stuck.
    DeletePackageserverCsv => delete_packageserver_csv,
    /// Approve an InstallPlan.
    ApproveInstallPlan => approve_install_plan,
    /// Apply the signature of a release from a file.
    ApplySignature => apply_signature,
    /// Add mirrors from a file.
    AddMirrorSet => add_mirror_set,

    // --- Files ---
    /// Apply objects from a file.
    ApplyFile => apply_file,
    /// Delete an object of the kinds that are applied from files.
    DeleteObject => delete_object,

    // --- Image-based upgrade ---
    /// Configure a seed image and begin Prep.
    IbuPrep => ibu_prep,
    /// Reboot into the prepared system.
    IbuUpgrade => ibu_upgrade,
    /// Reboot into the former system.
    IbuRollback => ibu_rollback,
    /// Give up, or finalize.
    IbuIdle => ibu_idle,
    /// Repeat a cleanup that failed.
    IbuManualCleanupDone => ibu_manual_cleanup_done,
    /// Let the agent look again.
    IbuTriggerReconcile => ibu_trigger_reconcile,
}

impl ActionId {
    /// Its kebab-case verb: `pause-pool`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The action of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| id.name() == name)
    }

    /// In words: `pausing a pool`.
    pub fn words(self) -> &'static str {
        self.entry().gerund
    }

    /// The permissions that the action's requests need.
    pub fn permissions(self) -> &'static [Permission] {
        self.entry().permissions
    }
}

impl Serialize for ActionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_its_own_name_and_finds_itself() {
        let names: BTreeSet<&str> = ActionId::ALL.iter().map(|id| id.name()).collect();
        assert_eq!(names.len(), ActionId::ALL.len());
        for id in ActionId::ALL {
            let entry = id.entry();
            assert_eq!(entry.id, *id, "{} stands in the wrong file", entry.name);
            assert_eq!(ActionId::named(entry.name), Some(*id));
            assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entry.name);
            assert!(!entry.summary.ends_with('.') && !entry.dangers.is_empty(), "{}", entry.name);
            assert!(entry.dangers.is_sorted(), "{}", entry.name);
            assert!(!entry.permissions.is_empty(), "{} needs some permission", entry.name);
        }
    }

    #[test]
    fn words_behind_the_target_come_in_an_order_that_can_be_parsed() {
        for id in ActionId::ALL {
            let entry = id.entry();
            let words: Vec<&Arg> = entry.args.iter().filter(|arg| arg.positional).collect();
            let several = matches!(entry.takes, Takes::Pools | Takes::Nodes | Takes::Objects { several: true, .. });
            assert!(words.is_empty() || !several, "{}: where do the targets end?", entry.name);
            for (at, arg) in words.iter().enumerate() {
                assert!(!arg.several || at + 1 == words.len(), "{}: {} swallows what follows", entry.name, arg.name);
                assert!(arg.required || at + 1 == words.len(), "{}: {} cannot be left out", entry.name, arg.name);
            }
        }
    }
}

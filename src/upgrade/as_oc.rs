//! Pools and nodes as `oc adm upgrade status` sees them: its membership, phases, assessments and reasons (oc:
//! pkg/cli/admin/upgrade/status: status.go, workerpool.go, mco/layered_node_state.go).
//!
//! Belongs here: what has to be told in the words and counts of `oc` although the machine-config operator sees it
//! otherwise. What is true stands in the rows of the assessment. Imports `api` alone.
//!
//! While a version rolls, `oc` judges a node by the release that its rendered config was made for. Where it has nothing
//! to say (a rollout of configuration alone, MachineConfigs that cannot be read) the rendered config itself decides.

use std::cell::Cell;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::assessment::{Assessment, Node, NodePhase, Pool};
use super::facts::Kind;
use super::node_phase::{DaemonState, Marks};
use crate::api::{self, Conditions as _, Tri, node_key};

/// `ASSESSMENT` of `oc`, in the order in which it sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Standing {
    /// The machine-config daemon failed.
    Degraded,
    /// Not ready, cordoned, or worked on although not by this update.
    Unavailable,
    /// Being updated.
    Progressing,
    /// Its pool is paused.
    Excluded,
    /// Not updated.
    Outdated,
    /// Updated.
    Completed,
}

impl Standing {
    /// As `oc` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Degraded => "Degraded",
            Self::Unavailable => "Unavailable",
            Self::Progressing => "Progressing",
            Self::Excluded => "Excluded",
            Self::Outdated => "Outdated",
            Self::Completed => "Completed",
        }
    }
}

/// `PHASE` of `oc`, in the order in which it sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Step {
    /// Targeted, or being drained.
    Draining,
    /// Being changed.
    Updating,
    /// Down for its reboot. (`oc` has the word and never comes to it: it looks for a state that is never written.)
    Rebooting,
    /// Its pool is paused.
    Paused,
    /// Its turn has not come.
    Pending,
    /// Done.
    Updated,
}

impl Step {
    /// As `oc` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draining => "Draining",
            Self::Updating => "Updating",
            Self::Rebooting => "Rebooting",
            Self::Paused => "Paused",
            Self::Pending => "Pending",
            Self::Updated => "Updated",
        }
    }
}

/// What `oc` says of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The pool that it counts the node in. None: it leaves the node out.
    pub pool: Option<String>,
    /// `PHASE`.
    pub step: Step,
    /// `ASSESSMENT`.
    pub standing: Standing,
    /// Not counted among the available ones.
    pub unavailable: bool,
    /// Counted among the degraded ones.
    pub degraded: bool,
    /// On the way to the version of the update.
    pub updating: bool,
}

/// Why a node is unavailable, as far as `oc` has a finding for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// All reasons in its words, in its order.
    pub title: String,
    /// Since when: the earliest of them.
    pub since: Option<DateTime<Utc>>,
}

/// An assessment, looked at as `oc` does.
pub struct AsOc<'a> {
    assessment: &'a Assessment,
    /// The version that it compares with: that of the newest history entry.
    target: &'a str,
    /// `Progressing` of the ClusterVersion.
    progressing: bool,
    /// A pool has a selector without requirements, which selects all nodes for `oc` and none for the operator.
    greedy: bool,
    /// Nodes are judged by the release of their rendered configs.
    by_release: bool,
    /// A node that the machine-config operator updates, in another pool than `master`, is not updated.
    outdated: bool,
    /// The node that is asked for next, presumably.
    next: Cell<usize>,
}

impl<'a> AsOc<'a> {
    /// Looks at `assessment`.
    pub fn of(assessment: &'a Assessment) -> Self {
        let facts = &assessment.facts;
        let version = facts.cluster_version.as_deref();
        let target = version.and_then(|version| version.status.history.first()).map_or("", |entry| &entry.version);
        let progressing = version.is_some_and(|version| version.status.conditions.is_true("Progressing"));
        let greedy = facts.pools.iter().any(|pool| {
            let selector = pool.spec.node_selector.as_ref();
            selector.is_some_and(api::LabelSelector::is_empty)
        });
        let releases = facts.known(Kind::MachineConfigs) && !facts.machine_configs.is_empty();
        let mut seen =
            Self { assessment, target, progressing, greedy, by_release: releases, outdated: false, next: Cell::new(0) };
        let mut any = progressing;
        for row in assessment.nodes.iter() {
            if seen.outdated || (!releases && row.pool.is_none()) {
                continue;
            }
            let outdated = seen
                .look_up(row)
                .is_some_and(|(node, pool)| pool.name != "master" && !seen.updated(row, pool, &Marks::of(node)));
            any |= outdated;
            seen.outdated |= outdated && row.pool.is_some();
        }
        // "The cluster is not updating": then it says nothing about nodes.
        seen.by_release = releases && any;
        seen.next.set(0);
        seen
    }

    /// Would it say that the cluster is updating? Nodes that nobody but another operator updates aside, for which it says so
    /// for ever.
    pub fn updating(&self) -> bool {
        self.progressing || self.outdated
    }

    /// What it says of a node.
    pub fn node(&self, row: &Node) -> Told {
        let Some((node, pool)) = self.look_up(row) else { return left_out(row) };
        let marks = Marks::of(node);
        let updated = self.updated(row, pool, &marks);
        let updating = !updated && self.moves(pool, &marks);
        let step = step(row, pool, node, &marks, updating, updated);
        let failing = marks.state == DaemonState::Failing;
        // It takes the wanted image of layered nodes for a mismatch, and such nodes for available.
        let layered = marks.desired_image.is_some();
        // To be done, a wanted configuration has to be named.
        let done = marks.done() && marks.desired.is_some();
        let unavailable = !layered && (!super::capacity::controller_ready(node) || !(done || failing));
        let degraded = failing && marks.desired.is_some();
        let standing = match step {
            _ if degraded => Standing::Degraded,
            _ if unavailable && !updating => Standing::Unavailable,
            Step::Paused => Standing::Excluded,
            Step::Pending => Standing::Outdated,
            Step::Draining | Step::Updating | Step::Rebooting => Standing::Progressing,
            Step::Updated => Standing::Completed,
        };
        Told { pool: Some(pool.name.clone()), step, standing, unavailable, degraded, updating }
    }

    /// Its finding that a node is unavailable although it is not updating; none: it has none. A cordon alone is none.
    ///
    /// It waits five minutes for nodes that are not ready, and one for disks and networks; whoever judges a recording (it
    /// goes by the clock then) or wants to know at once does not.
    pub fn away(&self, row: &Node) -> Option<Away> {
        let told = self.node(row);
        if told.pool.is_none() || !told.unavailable || told.updating {
            return None;
        }
        let (node, _) = self.look_up(row)?;
        let name = &row.name;
        let mut reasons: Vec<String> = Vec::new();
        let mut since: Option<DateTime<Utc>> = None;
        for condition in &node.status.conditions {
            let reason = match (condition.kind.as_str(), condition.status) {
                ("Ready", Tri::True) | ("DiskPressure" | "NetworkUnavailable", Tri::False) => continue,
                ("Ready", _) => format!("Node {name} is not ready"),
                ("DiskPressure", _) => format!("Node {name} has disk pressure"),
                ("NetworkUnavailable", _) => format!("Node {name} has unavailable network"),
                _ => continue,
            };
            reasons.push(reason);
            since = [since, condition.since].into_iter().flatten().min();
        }
        if reasons.is_empty() {
            return None;
        }
        if node.spec.unschedulable {
            reasons.push("Node is marked unschedulable".to_owned());
        }
        Some(Away { title: reasons.join(" | "), since })
    }

    /// The node behind a row, and the pool that `oc` counts it in.
    fn look_up(&self, row: &Node) -> Option<(&'a api::Node, &'a Pool)> {
        let facts = &self.assessment.facts;
        // Whoever asks goes through the rows, which stand in the order of the nodes.
        let expected = facts.nodes.get(self.next.get()).filter(|node| node.name() == row.name);
        let at = match expected {
            Some(_) => self.next.get(),
            None => facts.nodes.binary_search_by(|node| node.name().cmp(&row.name)).ok()?,
        };
        self.next.set(at + 1);
        let node = facts.nodes[at].as_ref();
        let pool = match &row.pool {
            Some(pool) if !self.greedy => pool.as_str(),
            _ => self.selecting(node)?,
        };
        Some((node, self.assessment.pool(pool)?))
    }

    /// Which pool gets a node (`whichPool`): master, any other one, worker. Of several others it takes one at random; here it is
    /// the first by name.
    fn selecting(&self, node: &api::Node) -> Option<&'a str> {
        let pools = &self.assessment.facts.pools;
        let selects = |pool: &api::MachineConfigPool| {
            pool.spec.node_selector.as_ref().is_some_and(|selector| selector.matches(node.labels()))
        };
        let rank = |name: &str| match name {
            "master" => 0,
            "worker" => 2,
            _ => 1,
        };
        let selecting = pools.iter().filter(|pool| selects(pool)).map(|pool| pool.name());
        selecting.min_by_key(|name| (rank(name), *name))
    }

    fn release(&self, config: Option<&str>) -> Option<&'a str> {
        let configs = &self.assessment.facts.machine_configs;
        let config = config?;
        let at = configs.binary_search_by(|candidate| candidate.name().cmp(config)).ok()?;
        configs[at].release_version().filter(|version| !version.is_empty())
    }

    fn updated(&self, row: &Node, pool: &Pool, marks: &Marks) -> bool {
        if !self.by_release {
            return row.phase == NodePhase::Done;
        }
        let same_release = self.release(marks.current).is_some_and(|release| release == self.target);
        // A migration to a multi-architecture payload keeps the version: only the configs tell it.
        let migrates = self.assessment.update.multi_arch && self.progressing;
        let settled = marks.current == marks.desired && marks.desired == pool.target.as_deref();
        same_release && (!migrates || marks.desired.is_none() || settled)
    }

    fn moves(&self, pool: &Pool, marks: &Marks) -> bool {
        let targeted = marks.desired.is_some() && marks.current != marks.desired;
        let to_pool = marks.desired == pool.target.as_deref();
        if !self.by_release {
            return targeted && to_pool;
        }
        let desired = self.release(marks.desired).is_some_and(|release| release == self.target);
        targeted && to_pool && desired && self.release(marks.current).is_some()
    }
}

/// No pool selects it: `oc` has no word for it. Nothing comes to it by itself.
fn left_out(row: &Node) -> Told {
    let standing = if row.ready { Standing::Excluded } else { Standing::Unavailable };
    Told { pool: None, step: Step::Pending, standing, unavailable: row.unavailable, degraded: false, updating: false }
}

fn step(row: &Node, pool: &Pool, node: &api::Node, marks: &Marks, updating: bool, updated: bool) -> Step {
    // Both sides have to have said something: a node that was never drained has no `lastAppliedDrain`.
    let drains = !marks.applied_drain.is_empty() && !marks.desired_drain.is_empty();
    let drain_asked = marks.desired_drain.split('-').next() == Some("drain");
    if updating {
        let reboots = row.phase == NodePhase::Rebooting || node.annotation(node_key::STATE) == Some("Rebooting");
        return match marks.state {
            _ if drains && marks.desired_drain != marks.applied_drain && drain_asked => Step::Draining,
            // Targeted, and the daemon has not picked it up.
            DaemonState::Done if drains => Step::Draining,
            DaemonState::Done => Step::Updated,
            _ if reboots => Step::Rebooting,
            _ => Step::Updating,
        };
    }
    match (updated, pool.paused) {
        (true, _) => Step::Updated,
        (false, true) => Step::Paused,
        (false, false) => Step::Pending,
    }
}

//! What the assessment before said of nodes: its rows are taken over for nodes of which nothing changed, because on a large
//! cluster only a few change at a time.

use std::cmp::Ordering;
use std::sync::Arc;

use super::assessment::{Assessment, Node, NodePhase};
use crate::api;

/// A node as the assessment before knew it.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its row.
    pub row: &'a Node,
    /// Its object.
    pub object: &'a Arc<api::Node>,
    /// Its MachineConfigNode.
    pub steps: Option<&'a Arc<api::MachineConfigNode>>,
}

/// Goes along the nodes of the assessment before, which are ordered by name: no search per node.
pub struct Earlier<'a> {
    rows: &'a [Node],
    objects: &'a [Arc<api::Node>],
    steps: Walk<'a, Arc<api::MachineConfigNode>>,
}

impl<'a> Earlier<'a> {
    /// Of an assessment, or of none.
    pub fn new(last: Option<&'a Assessment>) -> Self {
        Self {
            rows: last.map_or(&[][..], |last| &last.nodes),
            objects: last.map_or(&[][..], |last| &last.facts.nodes),
            steps: Walk(last.map_or(&[][..], |last| &last.facts.machine_config_nodes), |node| node.name()),
        }
    }

    /// The node of that name. Names must be asked for in their order.
    pub fn to(&mut self, name: &str) -> Option<Known<'a>> {
        while let Some((row, object)) = self.rows.first().zip(self.objects.first()) {
            let order = row.name.as_str().cmp(name);
            if order == Ordering::Greater {
                return None;
            }
            (self.rows, self.objects) = (&self.rows[1..], &self.objects[1..]);
            if order == Ordering::Equal {
                return Some(Known { row, object, steps: self.steps.to(name) });
            }
        }
        None
    }
}

impl Known<'_> {
    /// The row anew, when these are the same objects and nothing about them depends on the time: the node rests. What the
    /// pool and its pods decide (the queue, blockers, forecasts) is left to be filled in.
    pub fn kept(&self, object: &Arc<api::Node>, steps: Option<&Arc<api::MachineConfigNode>>) -> Option<Node> {
        let same_steps = match (self.steps, steps) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (before, now) => before.is_none() && now.is_none(),
        };
        let rests =
            matches!(self.row.phase, NodePhase::Done | NodePhase::Waiting | NodePhase::Paused | NodePhase::Unmanaged);
        let unchanged = same_steps && Arc::ptr_eq(self.object, object);
        if !unchanged || !rests || self.row.drain_trouble.is_some() {
            return None;
        }
        let mut row = self.row.clone();
        row.next = None;
        row.blockers.clear();
        row.forecast = None;
        Some(row)
    }
}

/// Goes along a list that is ordered by name, beside another such list.
pub struct Walk<'a, T>(pub &'a [T], pub fn(&T) -> &str);

impl<'a, T> Walk<'a, T> {
    /// The element of that name. Names must be asked for in their order.
    pub fn to(&mut self, name: &str) -> Option<&'a T> {
        while let Some((first, rest)) = self.0.split_first() {
            match (self.1)(first).cmp(name) {
                Ordering::Less => self.0 = rest,
                Ordering::Equal => return Some(first),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use crate::upgrade::assess::assess;
    use crate::upgrade::facts::Facts;
    use crate::upgrade::memory::Memory;
    use crate::upgrade::specimen::{Specimen, at, condition};
    use serde_json::json;
    use std::sync::Arc;

    /// Facts of `changed`, sharing with `before` every node and MachineConfigNode that is equal: as watches deliver them.
    fn delivered(before: &Facts, changed: &Specimen, minute: i64) -> Facts {
        let mut facts = changed.facts(minute);
        facts.machine_configs = Arc::clone(&before.machine_configs);
        facts.events = Arc::clone(&before.events);
        let nodes = facts.nodes.iter().map(|node| before.nodes.iter().find(|old| *old == node).unwrap_or(node).clone());
        facts.nodes = Arc::new(nodes.collect());
        facts
    }

    #[test]
    fn what_is_taken_over_is_what_would_be_found_anew() {
        let start = Specimen::workers_left();
        let mut paused = start.clone();
        paused.pool("worker")["spec"]["paused"] = json!(true);
        let mut cordoned = start.clone();
        cordoned.cordon("worker-1", "kubectl-cordon", 62);
        let mut drains = start.clone();
        drains.drains("worker-0", "worker", 62);
        let mut down = start.clone();
        down.node("worker-2")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "silent", 62);
        let mut relabelled = start.clone();
        relabelled.pool("worker")["spec"]["nodeSelector"] = json!({"matchLabels": {"nobody": ""}});
        let mut retargeted = start.clone();
        retargeted.pool("worker")["spec"]["configuration"]["name"] = json!("rendered-worker-more");
        for (story, changed) in [
            ("nothing", start.clone()),
            ("paused", paused),
            ("cordoned", cordoned),
            ("drains", drains),
            ("down", down),
            ("relabelled", relabelled),
            ("retargeted", retargeted),
        ] {
            let mut memory = Memory::default();
            let first = start.watched(&mut memory, 61);
            let shared = Arc::new(delivered(&first.facts, &changed, 63));
            let quick = assess(shared, &memory, at(63));
            let anew = assess(Arc::new(changed.facts(63)), &memory, at(63));
            assert_eq!(quick.nodes, anew.nodes, "{story}");
            assert_eq!(quick.pools, anew.pools, "{story}");
        }
    }
}

//! What the cluster would look like if: the domain's own judgement of facts with a change in them.
//!
//! So the order of the next nodes is never told by a second opinion that could differ from the screen's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api;
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Facts;
use crate::upgrade::memory::Memory;

/// The assessment of the same moment with `edit` applied to the facts.
pub(super) fn what_if(assessment: &Assessment, edit: impl FnOnce(&mut Facts)) -> Assessment {
    let mut facts = (*assessment.facts).clone();
    edit(&mut facts);
    let mut memory = Memory::default();
    memory.observe(&Arc::new(assessment.clone()));
    assess(Arc::new(facts), &memory, assessment.now)
}

/// The assessment with `nodes` cordoned or uncordoned.
pub(super) fn cordoned(assessment: &Assessment, nodes: &[&str], unschedulable: bool) -> Assessment {
    let nodes: BTreeSet<&str> = nodes.iter().copied().collect();
    what_if(assessment, |facts| {
        for node in Arc::make_mut(&mut facts.nodes).iter_mut().filter(|node| nodes.contains(node.name())) {
            let node = Arc::make_mut(node);
            node.spec.unschedulable = unschedulable;
            if !unschedulable {
                node.spec.taints.retain(|taint| taint.key != api::node_key::UNSCHEDULABLE);
            }
        }
    })
}

/// The assessment with `pool` unpaused.
pub(super) fn unpaused(assessment: &Assessment, pool: &str) -> Assessment {
    what_if(assessment, |facts| {
        for seen in Arc::make_mut(&mut facts.pools).iter_mut().filter(|seen| seen.name() == pool) {
            Arc::make_mut(seen).spec.paused = false;
        }
    })
}

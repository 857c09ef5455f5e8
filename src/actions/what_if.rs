//! What the cluster would look like if: the domain's own judgement of facts with a change in them.
//!
//! So the order of the next nodes is never told by a second opinion that could differ from the screen's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

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

/// The assessment with another `maxUnavailable` of `pool`.
pub(super) fn with_max_unavailable(assessment: &Assessment, pool: &str, value: &Value) -> Assessment {
    let value = match value {
        Value::Number(number) => api::IntOrString::Int(number.as_i64().unwrap_or(i64::MAX)),
        other => api::IntOrString::Text(other.as_str().unwrap_or_default().to_owned()),
    };
    what_if(assessment, |facts| {
        for seen in Arc::make_mut(&mut facts.pools).iter_mut().filter(|seen| seen.name() == pool) {
            Arc::make_mut(seen).spec.max_unavailable = Some(value.clone());
        }
    })
}

/// The assessment with a pool more; pools are kept by name.
pub(super) fn with_pool(assessment: &Assessment, pool: api::MachineConfigPool) -> Assessment {
    what_if(assessment, |facts| {
        let pools = Arc::make_mut(&mut facts.pools);
        let at = pools.partition_point(|seen| seen.name() < pool.name());
        pools.insert(at, Arc::new(pool));
    })
}

/// The assessment with other labels on nodes; none removes a label.
pub(super) fn labelled(
    assessment: &Assessment,
    changes: &BTreeMap<&str, BTreeMap<String, Option<String>>>,
) -> Assessment {
    what_if(assessment, |facts| {
        for node in Arc::make_mut(&mut facts.nodes).iter_mut() {
            let Some(change) = changes.get(node.name()) else { continue };
            let labels = Arc::make_mut(node).metadata.labels.get_or_insert_default();
            for (key, value) in change {
                match value {
                    Some(value) => labels.insert(key.clone(), value.clone()),
                    None => labels.remove(key),
                };
            }
        }
    })
}

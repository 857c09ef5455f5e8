//! `pool-degraded`: the pool itself says that something is wrong.

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::api::Conditions as _;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in &look.now.pools {
        let Some(message) = &pool.degraded_message else { continue };
        let object = look.now.facts.pools.iter().find(|object| object.name() == pool.name);
        let conditions = object.map(|object| object.status.conditions.as_slice()).unwrap_or_default();
        let since = conditions.condition("Degraded").and_then(|degraded| degraded.since);
        let advice = if conditions.is_true("RenderDegraded") {
            "No new configuration can be rendered for this pool: a MachineConfig or KubeletConfig is wrong."
        } else if conditions.is_true("ImageBuildDegraded") {
            "The OS image of this pool could not be built."
        } else {
            "See its degraded nodes. Any degraded pool, workers too, keeps the operator machine-config from finishing."
        };
        found.push(Finding {
            meaning: advice.to_owned(),
            since,
            evidence: vec![evidence(format!("mcp/{}", pool.name), "Degraded", message.clone(), since)],
            ..finding(
                "pool-degraded",
                Level::Error,
                Subject::Pool(pool.name.clone()),
                format!("pool {} is degraded: {}", pool.name, words::first_line(message)),
            )
        });
    }
}

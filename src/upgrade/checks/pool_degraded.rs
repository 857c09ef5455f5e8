//! `pool-degraded`: the pool itself says that something is wrong. What it is has a finding of its own.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::api::Conditions as _;
use crate::upgrade::assessment::{NodePhase, Pool};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in &look.now.pools {
        if let Some(message) = &pool.degraded_message {
            found.push(degraded(look, pool, message));
        }
    }
}

fn degraded(look: &Look, pool: &Pool, message: &str) -> Finding {
    let name = &pool.name;
    let object = look.now.facts.pools.iter().find(|object| object.name() == name);
    let conditions = object.map(|object| object.status.conditions.as_slice()).unwrap_or_default();
    let since = conditions.condition("Degraded").and_then(|degraded| degraded.since);
    let nodes = || look.now.nodes_of(name).filter(|node| node.phase == NodePhase::Degraded);
    let mut resources = vec![Resource::pool(name)];
    resources.extend(nodes().map(|node| Resource::node(&node.name)));
    let because = if conditions.is_true("RenderDegraded") {
        Some(("render-degraded", Subject::Pool(name.clone())))
    } else if conditions.is_true("ImageBuildDegraded") {
        Some(("image-build-failed", Subject::Pool(name.clone())))
    } else {
        nodes().next().map(|node| ("node-degraded", Subject::Node(node.name.clone())))
    };
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning:
            "Any degraded pool, one of workers too, keeps the operator machine-config from finishing, and with it the \
                  control plane's part of an update. It passes when what made it degraded passes."
                .to_owned(),
        remedies: vec![
            Remedy::look("Repair what it names: nodes, a configuration, or an image build.")
                .oc(format!("oc describe mcp {name}", name = words::shell(name))),
        ],
        link: Some(reading::NODES.to_owned()),
        since,
        evidence: vec![evidence(format!("mcp/{name}"), "Degraded", message, since)],
        because,
        ..finding(
            "pool-degraded",
            Level::Error,
            Subject::Pool(name.clone()),
            format!("pool {name} is degraded: {}", words::first_line(message)),
        )
    }
}

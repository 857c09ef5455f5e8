//! `eviction-loses-data`: the drains of the next wave end pods that nothing brings back, or whose scratch space is lost.
//! The machine-config controller evicts both without asking (`Force`, `DeleteEmptyDirData`).

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::upgrade::assessment::{Forecast, Pool};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in &look.now.pools {
        let forecasts =
            look.now.nodes_of(&pool.name).filter_map(|node| Some((node.name.as_str(), node.forecast.as_deref()?)));
        let forecasts: Vec<(&str, &Forecast)> = forecasts.collect();
        let all = |of: fn(&Forecast) -> &Vec<String>| -> Vec<&str> {
            forecasts.iter().flat_map(|(_, forecast)| of(forecast)).map(String::as_str).collect()
        };
        let (bare, scratch) = (all(|forecast| &forecast.bare), all(|forecast| &forecast.empty_dir));
        if bare.is_empty() && scratch.is_empty() {
            continue;
        }
        let nodes = forecasts.iter().filter(|(_, told)| !told.bare.is_empty() || !told.empty_dir.is_empty());
        found.push(told(pool, &nodes.map(|(name, _)| *name).collect::<Vec<_>>(), &bare, &scratch));
    }
}

fn told(pool: &Pool, nodes: &[&str], bare: &[&str], scratch: &[&str]) -> Finding {
    let mut parts = Vec::new();
    let mut lines = Vec::new();
    if !bare.is_empty() {
        parts.push(words::count(bare.len(), "bare pod"));
        lines.push(format!("Nothing starts these again: {}.", words::some_of(bare.iter().copied(), 8)));
    }
    if !scratch.is_empty() {
        parts.push(format!("the emptyDir of {}", words::count(scratch.len(), "pod")));
        lines.push(format!("What these keep in an emptyDir is lost: {}.", words::some_of(scratch.iter().copied(), 8)));
    }
    let address = |pod: &&str| pod.split_once('/').map(|(namespace, name)| Resource::pod(namespace, name));
    let mut resources = vec![Resource::pool(&pool.name)];
    resources.extend(bare.iter().chain(scratch).filter_map(address));
    resources.dedup();
    Finding {
        impact: Impact::DataLoss,
        resources,
        meaning: lines.join("\n"),
        remedies: vec![Remedy::look(
            "Save what is needed, or start these pods elsewhere under a controller, before their node's turn comes.",
        )],
        evidence: nodes.iter().map(|node| evidence(format!("node/{node}"), "pods", parts.join(", "), None)).collect(),
        ..finding(
            "eviction-loses-data",
            Level::Info,
            Subject::Pool(pool.name.clone()),
            format!("the next drains of pool {} end {}", pool.name, parts.join(" and ")),
        )
    }
}

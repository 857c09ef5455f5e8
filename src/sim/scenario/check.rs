//! What a scenario must not contradict.

use semver::Version;

use super::{About, Budget, MaxUnavailable, Mishap, MishapKind, Scenario};
use crate::sim::cluster::operators::{self, Style};

/// Checks what the shape of the file cannot: that names exist and that a story can happen.
///
/// # Errors
/// The first contradiction, in words.
pub fn check(scenario: &Scenario) -> Result<(), String> {
    versions(scenario)?;
    pools(scenario)?;
    lifecycle_agent(scenario)?;
    workloads(scenario)?;
    for name in scenario.operators.keys() {
        if operators::find(name).is_none() {
            return Err(format!("operators: {name} is not a cluster operator of this simulation"));
        }
    }
    mishaps(scenario)?;
    let names = scenario.node_names();
    if let Some(node) = scenario.nodes.keys().find(|node| !names.contains(*node)) {
        return Err(format!("nodes: no pool has a node {node}"));
    }
    if let Some(gate) = scenario.acknowledged.iter().find(|gate| !scenario.gates.contains_key(*gate)) {
        return Err(format!("acknowledged: there is no gate {gate}"));
    }
    let variation = scenario.variation;
    for (part, sigma) in [("operators", variation.operators), ("nodes", variation.nodes), ("parts", variation.parts)] {
        if !(0.0..=1.0).contains(&sigma) {
            return Err(format!("variation.{part}: {sigma} is not between 0 and 1"));
        }
    }
    if !(scenario.speed.is_finite() && scenario.speed > 0.0) {
        return Err(format!("speed: {} is not a positive number", scenario.speed));
    }
    Ok(())
}

/// Image-based upgrades are for single nodes, and to newer releases.
fn lifecycle_agent(scenario: &Scenario) -> Result<(), String> {
    let Some(agent) = &scenario.cluster.lifecycle_agent else { return Ok(()) };
    if scenario.node_names().len() != 1 {
        return Err("cluster.lifecycle-agent: the cluster has more than one node".to_owned());
    }
    let seed = &agent.seed.version;
    match (Version::parse(seed), Version::parse(&scenario.cluster.version)) {
        (Ok(seed), Ok(running)) if seed > running => Ok(()),
        (Ok(_), _) => Err(format!("cluster.lifecycle-agent.seed: {seed} is not newer than the cluster")),
        (Err(error), _) => Err(format!("cluster.lifecycle-agent.seed: {seed:?} is not a version: {error}")),
    }
}

fn mishaps(scenario: &Scenario) -> Result<(), String> {
    for fault in &scenario.faults {
        mishap(scenario, fault).map_err(|why| format!("faults: {}: {why}", fault.kind))?;
    }
    Ok(())
}

/// Whether what a mishap happens to is there.
///
/// # Errors
/// What is not there, in words.
pub fn mishap(scenario: &Scenario, fault: &Mishap) -> Result<(), String> {
    let object = fault.object.as_str();
    let there = match fault.kind.about() {
        About::ClusterVersion => object.is_empty(),
        About::ImageBasedUpgrade => object.is_empty() && scenario.cluster.lifecycle_agent.is_some(),
        About::Release => scenario.releases.iter().any(|release| release.version == object),
        About::Gate => object.starts_with("ack-4."),
        About::Operator => operators::find(object).is_some_and(|operator| operator.style != Style::MachineConfig),
        About::Pool => scenario.pools.contains_key(object),
        About::Node => scenario.node_names().contains(object),
        About::Workload => scenario.workloads.iter().any(|it| format!("{}/{}", it.namespace, it.name) == object),
    };
    let layered = || scenario.pools.get(object).is_some_and(|pool| pool.layered);
    match fault.kind {
        _ if !there => Err(format!("{object:?} is not {}", expected(fault.kind.about()))),
        MishapKind::BuildFailed if !layered() => Err(format!("the pool {object} is not layered")),
        MishapKind::EtcdMemberUnhealthy if !object.starts_with("master-") => {
            Err(format!("{object} has no member of etcd"))
        }
        _ => Ok(()),
    }
}

fn expected(about: About) -> &'static str {
    match about {
        About::ClusterVersion => "needed: it happens to the whole cluster",
        About::Release => "one of the releases",
        About::Gate => "the key of a gate, such as ack-4.18-something",
        About::Operator => "a cluster operator to which this can happen",
        About::Pool => "a pool",
        About::Node => "a node of a pool",
        About::Workload => "namespace/name of a workload",
        About::ImageBasedUpgrade => "needed, where a cluster has a lifecycle agent",
    }
}

fn versions(scenario: &Scenario) -> Result<(), String> {
    let read = |what: &str, text: &str| {
        Version::parse(text).map_err(|error| format!("{what}: {text:?} is not a version: {error}"))
    };
    let running = read("cluster.version", &scenario.cluster.version)?;
    for past in &scenario.cluster.history {
        read("cluster.history", &past.version)?;
    }
    if let Some(newest) = scenario.cluster.history.first()
        && newest.version != scenario.cluster.version
    {
        return Err(format!("cluster.history: its first entry is {}, but the cluster runs {running}", newest.version));
    }
    for release in &scenario.releases {
        read("releases", &release.version)?;
    }
    let Some(start) = &scenario.start else { return Ok(()) };
    if let Some(pool) = start.change_configuration.as_ref().filter(|pool| !scenario.pools.contains_key(*pool)) {
        return Err(format!("start.change-configuration: there is no pool {pool}"));
    }
    let Some(update_to) = &start.update_to else {
        return match start.change_configuration {
            Some(_) => Ok(()),
            None => Err("start: says neither update-to nor change-configuration".to_owned()),
        };
    };
    let target = read("start.update-to", update_to)?;
    if !scenario.releases.iter().any(|release| release.version == *update_to) {
        return Err(format!("start.update-to: {target} is not among the releases"));
    }
    if target <= running {
        return Err(format!("start.update-to: {target} is not newer than {running}"));
    }
    Ok(())
}

fn pools(scenario: &Scenario) -> Result<(), String> {
    for needed in ["master", "worker"] {
        match scenario.pools.get(needed) {
            None => return Err(format!("pools: {needed} is missing")),
            // No workers: the control plane carries the workloads.
            Some(pool) if pool.nodes == 0 && needed == "master" => return Err(format!("pools.{needed}: has no nodes")),
            Some(_) => {}
        }
    }
    for (name, pool) in &scenario.pools {
        if !matches!(pool.architecture.as_str(), "amd64" | "arm64" | "ppc64le" | "s390x") {
            return Err(format!("pools.{name}.architecture: {:?} is none that nodes have", pool.architecture));
        }
        if let Some(limit) = &pool.max_unavailable {
            amount(&format!("pools.{name}.max-unavailable"), limit)?;
        }
    }
    Ok(())
}

fn workloads(scenario: &Scenario) -> Result<(), String> {
    let names = scenario.node_names();
    for workload in &scenario.workloads {
        let id = format!("{}/{}", workload.namespace, workload.name);
        if !scenario.pools.contains_key(&workload.pool) {
            return Err(format!("workloads: {id} is on pool {}, which does not exist", workload.pool));
        }
        if let Some(node) = workload.on.iter().find(|node| !names.contains(*node)) {
            return Err(format!("workloads: {id} is on node {node}, which does not exist"));
        }
        let modes = ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany", "ReadWriteOncePod"];
        if let Some(mode) = workload.claim.as_deref().filter(|mode| !modes.contains(mode)) {
            return Err(format!("workloads: the claim of {id} is {mode:?}, which is none of {}", modes.join(", ")));
        }
        if let Some(Budget { min_available, max_unavailable }) = &workload.budget {
            match (min_available, max_unavailable) {
                (Some(limit), None) | (None, Some(limit)) => amount(&format!("workloads: budget of {id}"), limit)?,
                _ => return Err(format!("workloads: the budget of {id} needs min-available or max-unavailable")),
            }
        }
    }
    Ok(())
}

fn amount(what: &str, limit: &MaxUnavailable) -> Result<(), String> {
    match limit {
        MaxUnavailable::Count(_) => Ok(()),
        MaxUnavailable::Percent(text) => match text.strip_suffix('%').map(str::parse::<u8>) {
            Some(Ok(0..=100)) => Ok(()),
            _ => Err(format!("{what}: {text:?} is neither a number nor a percentage")),
        },
    }
}

//! Before an update: the formula of the product's guide, with this cluster's numbers.
//!
//! time = control plane (60 minutes, up to 120) + rounds of the slowest pool x node (5 minutes), where rounds is the
//! number of its nodes divided by `maxUnavailable`, rounded up. Control plane nodes roll beside the workers and are
//! quicker. Nodes that are not ready or cordoned count against `maxUnavailable`.

use super::lots::delta;
use super::past::Past;
use super::tell::clock;
use super::{Basis, Estimate, Estimates, Input, Part, Spread, typical};
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::words;

/// How far below the guide's hour a control plane may come.
const CONTROL_PLANE_LEAST: f64 = 2700.0;
/// A node at its quickest: a cloud machine with little to drain.
const NODE_LEAST: f64 = 180.0;
/// A node at its slowest, unless it is bare metal.
const NODE_MOST: f64 = 600.0;
/// A node on bare metal: usual, and at its slowest ("may exceed 15 minutes").
const BARE_METAL: (f64, f64, f64) = (600.0, 900.0, 1500.0);

/// Three lengths in seconds: p10, p50, p90.
type Three = [f64; 3];

/// What an update would take; nothing when none is on offer and none was asked for.
pub fn estimates(assessment: &Assessment) -> Estimates {
    let update = &assessment.update;
    let offered = update.offers.iter().find(|offer| offer.risk.is_none()).or(update.offers.first());
    let asked = update.requested.as_ref().map(|requested| requested.target.as_str());
    let Some(target) = asked.or(offered.map(|offer| offer.version.as_str())) else { return Estimates::default() };
    let past = Past::of(assessment, Some(target));
    let (control_plane, told) = control_plane(past.as_ref());
    let node = node(assessment);
    let pools: Vec<Rounds> = assessment.pools.iter().filter(|pool| !pool.control_plane).map(Rounds::of).collect();
    let left_out: Vec<String> = pools.iter().filter_map(|rounds| rounds.left_out.clone()).collect();
    let mut parts = vec![part(
        Part::ControlPlane,
        control_plane,
        vec![told.clone()],
        format!("the guide's formula: control plane {}", clock(control_plane[1])),
    )];
    let rolling: Vec<&Rounds> = pools.iter().filter(|rounds| rounds.count > 0).collect();
    for rounds in &rolling {
        let working = format!("the guide's formula: {} = {}", rounds.working(node[1]), clock(rounds.of_node(node)[1]));
        let inputs = vec![rounds.input(), node_input(node)];
        parts.push(part(Part::Pool(rounds.pool.clone()), rounds.of_node(node), inputs, working));
    }
    // The first of those that take longest.
    let slowest = rolling.iter().rev().max_by_key(|rounds| rounds.count);
    let (sum, working) = match slowest {
        Some(slowest) => {
            let nodes = slowest.of_node(node);
            let sum = std::array::from_fn(|at| control_plane[at] + nodes[at]);
            let working = format!(
                "the guide's formula for {target}: control plane {} + slowest pool {} ({}) = {}",
                clock(control_plane[1]),
                slowest.pool,
                slowest.working(node[1]),
                clock(sum[1])
            );
            (sum, working)
        }
        None => (
            control_plane,
            format!("the guide's formula for {target}: control plane {}, no pool to roll", clock(control_plane[1])),
        ),
    };
    let mut inputs = vec![told];
    inputs.extend(slowest.map(|slowest| slowest.input()));
    inputs.extend(slowest.map(|_| node_input(node)));
    let whole = Estimate { left_out, ..part(Part::Whole, sum, inputs, working) };
    Estimates { whole: Some(whole), parts, before: true }
}

fn part(part: Part, [p10, p50, p90]: Three, inputs: Vec<Input>, working: String) -> Estimate {
    let remaining = Spread { p10: delta(p10), p50: delta(p50), p90: delta(p90) };
    Estimate { part, remaining, basis: Basis::Guide, inputs, working, left_out: Vec::new() }
}

/// This cluster's earlier updates, else the guide's hour.
fn control_plane(past: Option<&Past>) -> (Three, Input) {
    if let Some(past) = past {
        let median = past.median();
        let (least, most) = past
            .lengths
            .iter()
            .fold((median, median), |(least, most), (_, length)| (least.min(*length), most.max(*length)));
        // Few updates do not show how far they may go.
        let room = if past.same_kind { 1.25 } else { 1.5 };
        return ([least.min(median / room), median, most.max(median * room)], past.input());
    }
    let (usual, most) = typical::CONTROL_PLANE;
    let input = Input {
        name: "control plane".to_owned(),
        value: "1h00m, up to 2h00m".to_owned(),
        source: "the guide's formula; this cluster has not been updated yet".to_owned(),
    };
    ([CONTROL_PLANE_LEAST, usual, most], input)
}

fn node(assessment: &Assessment) -> Three {
    let platform = assessment.facts.around.infrastructures.first().map(|one| one.status.platform.kind.as_str());
    match platform {
        Some("BareMetal") => [BARE_METAL.0, BARE_METAL.1, BARE_METAL.2],
        _ => [NODE_LEAST, typical::NODE, NODE_MOST],
    }
}

fn node_input(node: Three) -> Input {
    Input {
        name: "node".to_owned(),
        value: format!("{}, from {} to {}", clock(node[1]), clock(node[0]), clock(node[2])),
        source: "the guide's formula; measured once nodes roll".to_owned(),
    }
}

/// How many rounds a pool rolls.
struct Rounds {
    pool: String,
    nodes: usize,
    at_a_time: usize,
    as_written: String,
    count: usize,
    left_out: Option<String>,
}

impl Rounds {
    fn of(pool: &Pool) -> Self {
        let capacity = &pool.capacity;
        let at_a_time = capacity.max_unavailable.saturating_sub(capacity.unavailable);
        let nodes = pool.total;
        let name = pool.name.as_str();
        let out = if nodes == 0 {
            None
        } else if pool.paused {
            Some(format!("pool {name} is paused: {}", words::count(nodes, "node")))
        } else if at_a_time == 0 {
            let unavailable = words::count(capacity.unavailable, "node");
            Some(format!(
                "pool {name} would not begin: {unavailable} unavailable, maxUnavailable {}",
                capacity.max_unavailable_spec
            ))
        } else {
            None
        };
        let count = if out.is_some() { 0 } else { nodes.div_ceil(at_a_time.max(1)) };
        Self {
            pool: pool.name.clone(),
            nodes,
            at_a_time,
            as_written: capacity.max_unavailable_spec.clone(),
            count,
            left_out: out,
        }
    }

    fn of_node(&self, node: Three) -> Three {
        // The rounds of a pool are alike: slow machines are slow in every round.
        node.map(|node| node * self.count as f64)
    }

    fn working(&self, node: f64) -> String {
        let nodes = words::count(self.nodes, "node");
        format!("{nodes} / {} = {} x {}", self.at_a_time, words::count(self.count, "round"), clock(node))
    }

    fn input(&self) -> Input {
        Input {
            name: format!("nodes of {}", self.pool),
            value: format!("{}, maxUnavailable {}", self.nodes, self.as_written),
            source: format!("mcp/{} spec.maxUnavailable", self.pool),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, Specimen};
    use chrono::TimeDelta;
    use serde_json::json;

    fn minutes(minutes: i64) -> TimeDelta {
        TimeDelta::minutes(minutes)
    }

    /// A cluster that was never updated, with so many workers, and 4.19.3 on offer.
    fn offered(workers: usize, max_unavailable: &serde_json::Value) -> Specimen {
        let mut cluster = Specimen::idle();
        let history = cluster.version["status"]["history"].as_array_mut().unwrap();
        history.truncate(1);
        cluster.version["status"]["availableUpdates"] =
            json!([{"version": NEW, "image": "registry/release@sha256:new"}]);
        let model = cluster.node("worker-0").clone();
        cluster.nodes.retain(|node| !node["metadata"]["name"].as_str().unwrap().starts_with("worker"));
        for number in 0..workers {
            let mut node = model.clone();
            node["metadata"]["name"] = json!(format!("worker-{number}"));
            cluster.nodes.push(node);
        }
        cluster.pool("worker")["spec"]["maxUnavailable"] = max_unavailable.clone();
        cluster
    }

    fn told(cluster: &Specimen) -> Estimates {
        estimates(&cluster.assess(0))
    }

    #[test]
    fn the_guides_examples_come_out_as_in_the_guide() {
        for (max_unavailable, expected, rounds) in [(1, 90, "6 / 1"), (2, 75, "3 / 2")] {
            let estimates = told(&offered(6, &json!(max_unavailable)));
            assert!(estimates.before);
            let whole = estimates.whole.unwrap();
            assert_eq!(whole.remaining.p50, minutes(expected), "maxUnavailable {max_unavailable}, {rounds}");
            assert_eq!(whole.basis, Basis::Guide);
        }
    }

    #[test]
    fn the_working_can_be_checked_by_hand() {
        let whole = told(&offered(6, &json!(2))).whole.unwrap();
        assert_eq!(
            whole.working,
            "the guide's formula for 4.19.3: control plane 1h00m + slowest pool worker (6 nodes / 2 = 3 rounds x 5m) = \
             1h15m"
        );
    }

    #[test]
    fn a_cordoned_node_counts_against_the_limit() {
        let mut cluster = offered(6, &json!(3));
        cluster.cordon("worker-2", "kubectl-cordon", -60);
        assert_eq!(told(&cluster).whole.unwrap().remaining.p50, minutes(75));
        cluster.pool("worker")["spec"]["maxUnavailable"] = json!(1);
        let whole = told(&cluster).whole.unwrap();
        assert_eq!(whole.remaining.p50, minutes(60));
        assert_eq!(whole.left_out, ["pool worker would not begin: 1 node unavailable, maxUnavailable 1"]);
    }

    #[test]
    fn a_paused_pool_is_left_out_and_named() {
        let mut cluster = offered(6, &json!(1));
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        let estimates = told(&cluster);
        let whole = estimates.whole.unwrap();
        assert_eq!((whole.remaining.p50, whole.left_out.len()), (minutes(60), 1));
        assert_eq!(whole.left_out, ["pool worker is paused: 6 nodes"]);
        assert_eq!(estimates.parts.len(), 1);
    }

    #[test]
    fn this_clusters_own_updates_are_better_than_the_guides_hour() {
        let mut cluster = offered(6, &json!(1));
        cluster.version["status"]["history"] = Specimen::idle().version["status"]["history"].clone();
        let whole = told(&cluster).whole.unwrap();
        assert_eq!(whole.remaining.p50, minutes(100 + 30));
        assert_eq!(whole.inputs[0].source, "clusterversion/version status.history [0]");
    }

    #[test]
    fn the_slowest_pool_is_named() {
        let mut cluster = offered(6, &json!(3));
        let mut infra = cluster.pool("worker").clone();
        infra["metadata"]["name"] = json!("infra");
        infra["spec"]["maxUnavailable"] = json!(1);
        infra["spec"]["nodeSelector"] = json!({"matchLabels": {"node-role.kubernetes.io/infra": ""}});
        cluster.pools.push(infra);
        for number in 0..4 {
            let node = cluster.node(&format!("worker-{number}"));
            node["metadata"]["labels"]["node-role.kubernetes.io/infra"] = json!("");
        }
        let estimates = told(&cluster);
        let whole = estimates.whole.unwrap();
        assert!(whole.working.contains("slowest pool infra (4 nodes / 1 = 4 rounds x 5m)"), "{}", whole.working);
        assert_eq!(whole.remaining.p50, minutes(80));
        let parts: Vec<&Part> = estimates.parts.iter().map(|part| &part.part).collect();
        let [worker, infra] = ["worker", "infra"].map(|pool| Part::Pool(pool.to_owned()));
        assert_eq!(parts, [&Part::ControlPlane, &worker, &infra]);
    }

    #[test]
    fn nothing_on_offer_is_nothing_to_reckon() {
        assert_eq!(told(&Specimen::idle()), Estimates::default());
    }
}

//! The middle of an upgrade with everything that the assessment can say: blockers, forecasts, limits, estimates, remedies.

use std::sync::Arc;

use chrono::TimeDelta;
use oc_cockpit::upgrade::assessment::{
    Blocker, Budget, Cause, Deadline, Forecast, Impact, Level, Limit, NodePhase, Payload, Remedy, Resource, Subject,
};
use oc_cockpit::upgrade::danger::Danger;
use oc_cockpit::upgrade::estimate::{Basis, Estimate, Estimates, Input, Part, Spread};

use super::sample::{self, World, ago, now};

/// A pod behind a budget.
pub fn blocker(pod: &str, budget: &str, impossible: bool) -> Blocker {
    let scale = Remedy::change(Danger::L, format!("scale deployment/{budget} up, so that a pod may go"))
        .oc(format!("oc scale deployment/{budget} -n shop --replicas=2"));
    let delete =
        Remedy::change(Danger::M, format!("delete the pod {pod}: its workload is down until it runs elsewhere"))
            .oc(format!("oc delete pod {pod} -n shop"));
    Blocker {
        namespace: "shop".into(),
        pod: pod.into(),
        cause: Cause::Budget(Budget {
            name: budget.into(),
            allowed: 0,
            healthy: 1,
            desired: 1,
            expected: 1,
            impossible,
        }),
        owner: Some(format!("deployment/{budget}")),
        since: Some(ago(780)),
        frees: vec![scale, delete],
    }
}

fn minutes(p10: i64, p50: i64, p90: i64) -> Spread {
    let [p10, p50, p90] = [p10, p50, p90].map(TimeDelta::minutes);
    Spread { p10, p50, p90 }
}

fn estimate(part: Part, remaining: Spread, working: &str) -> Estimate {
    let input =
        |name: &str, value: &str, source: &str| Input { name: name.into(), value: value.into(), source: source.into() };
    Estimate {
        part,
        remaining,
        basis: Basis::Measured,
        inputs: vec![
            input("node cycle (median of 4)", "6m40s", "phase clocks of this rollout"),
            input("nodes left", "2", "mcp/worker"),
        ],
        working: working.into(),
        left_out: Vec::new(),
    }
}

fn estimates() -> Estimates {
    let mut whole = estimate(Part::Whole, minutes(38, 44, 55), "the slower of control plane and pools");
    whole.left_out = vec!["pool infra: paused, 3 reboots".into(), "worker-3: its drain is blocked".into()];
    let mut worker = estimate(Part::Pool("worker".into()), minutes(12, 14, 21), "2 nodes, one at a time: 2 x 6m40s");
    worker.left_out = vec!["worker-3: its drain is blocked".into()];
    Estimates {
        whole: Some(whole),
        parts: vec![estimate(Part::ControlPlane, minutes(38, 44, 55), "1 master, then the operators settle"), worker],
        before: false,
    }
}

/// The world.
pub fn rich() -> World {
    let mut world = sample::rolling();
    let a = &mut world.assessment;
    a.estimates = estimates();
    a.update.payload = Some(Payload { done: 120, total: 912, attempt: 2, highest: 780 });
    for node in Arc::make_mut(&mut a.nodes) {
        match node.name.as_str() {
            "worker-3" => node.blockers = vec![blocker("cart-0", "cart", false), blocker("till-0", "till", true)],
            "worker-5" => {
                node.forecast = Some(Arc::new(Forecast {
                    blockers: vec![blocker("stock-1", "stock", true)],
                    evicted: 14,
                    bare: vec!["shop/debug".into()],
                    empty_dir: vec!["shop/cache-0".into(), "shop/cache-1".into()],
                    longest_grace: 600,
                }));
            }
            "worker-6" => {
                node.phase = NodePhase::Degraded;
                node.reached = Some(NodePhase::Applying);
                node.unavailable = true;
                node.message = "unexpected on-disk state validating against rendered-worker-12af".into();
            }
            _ => {}
        }
    }
    a.pools[1].degraded = 1;
    a.pools[1].updated -= 1;
    a.pools[1].capacity.max_unavailable_spec = "10%".into();
    a.pools[1].capacity.unavailable = 2;
    a.pools[1].capacity.failing = 1;
    for row in &mut a.operators.rows {
        match row.name.as_str() {
            "machine-config" => {
                row.working_since = Some(ago(3_600));
                row.deadline = Some(Deadline { at: now() + TimeDelta::minutes(30), limit: Limit::MachineConfig });
                row.sync_error = Some("pool worker has not progressed to latest configuration".into());
            }
            "monitoring" => {
                row.deadline = Some(Deadline { at: now() + TimeDelta::seconds(190), limit: Limit::Degraded });
            }
            "dns" => row.deadline = Some(Deadline { at: now() - TimeDelta::minutes(3), limit: Limit::Slow }),
            _ => {}
        }
    }
    let drain = &mut a.findings[0];
    drain.resources =
        vec![Resource::node("worker-3"), Resource::budget("shop", "cart"), Resource::pod("shop", "cart-0")];
    drain.first_seen = Some(ago(830));
    drain.link = Some("https://access.redhat.com/solutions/4757011".into());
    drain.remedies = vec![
        Remedy::change(Danger::L, "Scale shop/cart up, or make its pods healthy")
            .oc("oc scale deployment/cart -n shop --replicas=2"),
        Remedy::change(Danger::L, "Hold the pool while the owner of the workload is asked")
            .oc("oc patch mcp/worker --type merge -p '{\"spec\":{\"paused\":true}}'"),
        Remedy::look("Look at the budget").oc("oc describe pdb cart -n shop"),
    ];
    let mut budget = a.findings[0].clone();
    budget.id = "budget-impossible";
    budget.level = Level::Warning;
    budget.impact = Impact::UpdateSpeed;
    budget.subject = Subject::Object(Resource::budget("shop", "till"));
    budget.title = "PDB shop/till can never allow a disruption".into();
    budget.because = None;
    let mut stalls = a.findings[0].clone();
    stalls.id = "pool-stalled";
    stalls.level = Level::Warning;
    stalls.subject = Subject::Pool("worker".into());
    stalls.title = "pool worker does not go on".into();
    stalls.remedies = Vec::new();
    stalls.because = Some(("drain-blocked", Subject::Node("worker-3".into())));
    a.findings.insert(1, stalls);
    a.findings.insert(2, budget);
    world
}

//! The plans as a person reads them, with the exact requests.

use std::fmt::Write as _;

use oc_cockpit::actions::{ActionId, Ask, Confirm, Plan, Target};
use serde_json::json;

use super::lab::Lab;
use super::sample::Sample;

/// A plan as text.
pub fn text(plan: &Plan) -> String {
    let mut text = format!("{} [{:?}]\n", plan.title, plan.danger);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(text, "\n{title}\n");
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    };
    let found = |found: &oc_cockpit::actions::Precondition| format!("{} <- {}", found.words, found.evidence);
    section("holds", plan.preconditions.iter().map(found).collect());
    section("follows", plan.consequences.clone());
    section("reads", plan.reads.iter().map(|read| format!("{read:?}")).collect());
    for write in &plan.writes {
        let stored = write.stored.iter().map(|(pointer, value)| format!("stored {pointer} = {value}"));
        let mut lines = vec![
            format!("{} {} ({})", write.method(), write.path, write.content_type()),
            write.shown().to_string(),
            write.oc.clone(),
        ];
        lines.extend(stored);
        section(&write.object, lines);
    }
    if let Some(drain) = &plan.drain {
        let mut lines: Vec<String> =
            drain.nodes.iter().map(|node| format!("{} ({}): {} pods", node.name, node.uid, node.pods.len())).collect();
        lines.push(format!("{}, budgets {}, timeout {:?}", drain.eviction, drain.budgets, drain.timeout));
        lines.push(drain.oc.clone());
        section("then drains", lines);
    }
    section("asks", plan.questions.iter().map(|question| format!("{}: {}", question.name, question.words)).collect());
    let confirm = match &plan.confirm {
        Confirm::Button => "by button".to_owned(),
        Confirm::Type(what) => format!("by typing {what}"),
    };
    let lock = if plan.strict_lock { "strict" } else { "planned again on a conflict" };
    for wish in &plan.back {
        let words = oc_cockpit::actions::split(&wish.line()).unwrap();
        assert_eq!(wish.action.entry().parse(&words[1..]).as_ref(), Ok(wish), "the way back can be gone");
    }
    section("confirmed", vec![format!("{confirm}; lock {lock}; inverse {:?}", plan.inverse), plan.effect.words()]);
    text
}

fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn pausing_a_rolling_pool() {
    let plan = Sample::rolling().plan(ActionId::PausePool, &Target::pool("worker")).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn pausing_an_idle_pool() {
    let plan = Sample::idle().plan(ActionId::PausePool, &Target::pool("worker")).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn unpausing_a_pool_that_has_gathered_a_minor_version() {
    let plan = Sample::rolling().plan(ActionId::UnpausePool, &Target::pool("infra")).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn unpausing_before_the_new_configuration_is_rendered() {
    let mut sample = Sample::rolling();
    sample.edit("pool/infra", |pool| pool["spec"]["configuration"]["name"] = json!("rendered-infra-1"));
    sample.annotate("infra-0", "currentConfig", "rendered-infra-0").annotate(
        "infra-0",
        "desiredConfig",
        "rendered-infra-0",
    );
    let plan = sample.plan(ActionId::UnpausePool, &Target::pool("infra")).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[tokio::test]
async fn cordoning_nodes_that_were_marked_during_a_rollout() {
    let mut sample = Sample::rolling();
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(3));
    let wish = Ask::new(ActionId::CordonNodes, nodes(&["worker-2", "worker-0"]));
    let plan = Lab::new(&sample).rehearse(&wish).await.unwrap().plan;
    let told = text(&plan);
    for part in [
        "2 of 9 nodes: 2 of 4 (50 %) in pool worker; by role: worker 2 of 6 (33 %)",
        "no control plane node is among them",
        "pool worker: 1 unavailable of at most 3, effective capacity 2; afterwards 3 unavailable, effective capacity 0",
        "pool worker takes no further node until one is available again; no event will say so",
        "in line: worker-3",
        "worker-2 still has its old configuration and is passed over while it is cordoned",
        "worker-2, worker-0 show as cordoned",
    ] {
        assert!(told.contains(part), "expected: {part}\n{told}");
    }
}

#[test]
fn cordoning_a_control_plane_node() {
    let plan = Sample::idle().plan(ActionId::CordonNodes, &nodes(&["master-1"])).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn uncordoning_a_forgotten_node_gives_the_pool_its_capacity_back() {
    let mut sample = Sample::rolling();
    sample.edit("worker-1", |node| node["spec"] = json!({}));
    for (key, value) in
        [("desiredConfig", "rendered-worker-1"), ("desiredDrain", "uncordon-rendered-worker-1"), ("state", "Done")]
    {
        sample.annotate("worker-1", key, value);
    }
    sample.cordon("worker-3", "kubectl-cordon", "2026-11-19T22:10:00Z");
    let plan = sample.plan(ActionId::UncordonNodes, &nodes(&["worker-3"])).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn starting_a_patch_update() {
    let plan = Sample::idle().plan(ActionId::StartUpdate, &Target::Version("4.18.25".into())).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn starting_a_minor_update_on_a_cluster_with_loose_ends() {
    let mut sample = Sample::idle();
    sample.cordon("worker-2", "kubectl-cordon", "2026-11-19T22:10:00Z");
    sample.edit("version", |version| {
        version["spec"]["overrides"] = json!([{ "kind": "Deployment", "name": "x", "namespace": "y", "unmanaged": true }]);
        version["spec"]["desiredUpdate"] = json!({
            "version": "4.18.25", "image": "quay.io/r@sha256:1825", "mode": "Preflight", "acceptRisks": [{ "name": "R" }],
        });
    });
    let plan = sample.plan(ActionId::StartUpdate, &Target::Version("4.19.3".into())).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn a_cordon_of_this_program_is_not_called_somebody_elses() {
    let mut sample = Sample::idle();
    sample.cordon("worker-3", "oc-cockpit", "2026-11-20T02:10:00Z");
    let told = text(&sample.plan(ActionId::UncordonNodes, &nodes(&["worker-3"])).unwrap());
    assert!(told.contains("worker-3 was cordoned by oc-cockpit since 2026-11-20T02:10:00Z"), "{told}");
    assert!(!told.contains("somebody else"), "{told}");
}

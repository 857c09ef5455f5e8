//! What cordoning and uncordoning several nodes reaches.

use oc_cockpit::actions::{ActionId, Ask, Plan, Target};
use serde_json::{Value, json};

use super::lab::Lab;
use super::sample::Sample;
use super::words::text;

fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

fn pod(name: &str, node: &str, cpu: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "labels": { "app": app }, "ownerReferences": [
            { "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": app, "controller": true }] },
        "spec": { "nodeName": node, "containers": [{ "name": "c", "image": "quay.io/shop/c:1",
            "resources": { "requests": { "cpu": cpu, "memory": "1Gi" } } }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

/// Workers with four cores each; the cart on worker-0 may not be disturbed.
fn busy() -> Sample {
    let mut sample = Sample::idle();
    let names: Vec<String> = sample.assessment().nodes.iter().map(|node| node.name.clone()).collect();
    for name in names {
        sample.edit(&name, |node| {
            node["status"]["allocatable"] = json!({ "cpu": "4", "memory": "16Gi", "pods": "250" });
        });
    }
    sample.add(pod("cart-0", "worker-0", "3", "cart"));
    sample.add(pod("list-0", "worker-2", "1500m", "list"));
    sample.add(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "cart", "namespace": "shop", "generation": 1 },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "cart" } } },
        "status": { "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1 },
    }));
    sample
}

fn tells(plan: &Plan, parts: &[&str]) {
    let told = text(plan);
    for part in parts {
        assert!(told.contains(part), "expected: {part}\n{told}");
    }
}

#[tokio::test]
async fn cordoning_several_nodes_tells_what_is_left_and_whose_budgets_are_at_zero() {
    let lab = Lab::new(&busy());
    let wish = Ask::new(ActionId::CordonNodes, nodes(&["worker-0", "worker-2"]));
    let plan = lab.rehearse(&wish).await.unwrap().plan;
    tells(
        &plan,
        &[
            "2 of 9 nodes: 2 of 4 (50 %) in pool worker; by role: worker 2 of 6 (33 %)",
            "no control plane node is among them",
            "pool worker: 11.5 cores and 62.0 GiB free for new pods (allocatable without requests), afterwards 8.0 cores and \
         32.0 GiB",
            "a drain of worker-0 would wait for shop/cart-0: PDB cart can never allow a disruption",
        ],
    );
    assert_eq!(plan.back, [Ask::new(ActionId::UncordonNodes, nodes(&["worker-0", "worker-2"]))]);
}

#[tokio::test]
async fn uncordoning_several_nodes_tells_what_they_give_back() {
    let mut sample = busy();
    for name in ["worker-0", "worker-2"] {
        sample.edit(name, |node| node["spec"]["unschedulable"] = json!(true));
    }
    let lab = Lab::new(&sample);
    let plan = lab.rehearse(&Ask::new(ActionId::UncordonNodes, nodes(&["worker-0", "worker-2"]))).await.unwrap().plan;
    tells(
        &plan,
        &[
            "2 of 9 nodes: 2 of 4 (50 %) in pool worker",
            "pool worker: 8.0 cores and 32.0 GiB free for new pods (allocatable without requests), afterwards 11.5 cores and \
         62.0 GiB",
        ],
    );
}

#[tokio::test]
async fn one_control_plane_node_among_workers_is_named() {
    let lab = Lab::new(&busy());
    let wish = Ask::new(ActionId::CordonNodes, nodes(&["master-1", "worker-2"]));
    let plan = lab.rehearse(&wish).await.unwrap().plan;
    assert!(
        plan.consequences.contains(&"control plane nodes among them: master-1".to_owned()),
        "{:#?}",
        plan.consequences
    );
}

#[test]
fn a_single_node_needs_no_further_reading() {
    let plan = busy().plan(ActionId::CordonNodes, &nodes(&["worker-0"])).unwrap();
    assert_eq!(plan.writes.len(), 1);
    assert!(busy().plan(ActionId::CordonNodes, &nodes(&["worker-0", "worker-2"])).unwrap().writes.is_empty());
}

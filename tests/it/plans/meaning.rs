//! Whether a plan that was made again still means what the person confirmed.

use oc_cockpit::actions::pods::{Pod, PodList};
use oc_cockpit::actions::{ActionId, Found, Material, Plan, Read, Target, again, complete, difference, same_meaning};
use serde_json::{Value, json};

use super::sample::{Sample, rendered};

fn cordon() -> (ActionId, Target) {
    (ActionId::CordonNodes, Target::Nodes(vec!["worker-3".into()]))
}

fn planned(sample: &Sample) -> Plan {
    let (action, target) = cordon();
    sample.plan(action, &target).unwrap()
}

/// The plan made again on the objects of `after` that a server would send, while the watch still shows `before`.
fn made_again(before: &Sample, after: &Sample, key: &str) -> Result<Plan, String> {
    let plan = planned(before);
    again(&before.assessment(), &before.session, &plan, &plan.target, &fresh(after.object(key)))
        .map_err(|refusal| refusal.0)
}

#[test]
fn a_heartbeat_changes_nothing_of_the_meaning() {
    let before = Sample::rolling();
    let mut after = Sample::rolling();
    after.edit("worker-3", |node| {
        node["metadata"]["resourceVersion"] = json!("1001");
        node["status"]["conditions"][0]["lastHeartbeatTime"] = json!("2026-11-20T03:12:43Z");
    });
    let again = made_again(&before, &after, "worker-3").unwrap();
    assert!(same_meaning(&planned(&before), &again), "{:?}", difference(&planned(&before), &again));
    assert_eq!(again.writes[0].resource_version.as_deref(), Some("1001"), "the lock is on the newer version");
    assert_eq!(again.writes[0].body["metadata"]["resourceVersion"], "1001");
}

#[test]
fn a_node_that_was_targeted_meanwhile_is_another_matter() {
    let before = Sample::rolling();
    let mut after = Sample::rolling();
    after.annotate("worker-3", "desiredConfig", &rendered("worker", 2)).annotate("worker-3", "state", "Working");
    let again = made_again(&before, &after, "worker-3").unwrap();
    let words = difference(&planned(&before), &again).expect("the operator works on it now");
    assert!(words.starts_with("the consequences changed"), "{words}");
}

#[test]
fn a_node_that_was_cordoned_meanwhile_needs_no_plan() {
    let before = Sample::rolling();
    let mut after = Sample::rolling();
    after.cordon("worker-3", "kubectl-cordon", "2026-11-20T03:12:00Z");
    let words = made_again(&before, &after, "worker-3").unwrap_err();
    assert_eq!(words, "node worker-3 is cordoned by kubectl-cordon since 2026-11-20T03:12:00Z already");
}

#[test]
fn another_object_of_the_same_name_is_noticed() {
    let before = Sample::rolling();
    let mut after = Sample::rolling();
    after.edit("worker-3", |node| node["metadata"]["uid"] = json!("uid-of-another"));
    let again = made_again(&before, &after, "worker-3").unwrap();
    let words = difference(&planned(&before), &again).unwrap();
    assert_eq!(words, "node/worker-3 is another object now (it was deleted and created again)");
}

#[test]
fn another_pool_size_changes_the_danger() {
    let mut before = Sample::idle();
    before.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(2));
    let again = planned(&Sample::idle());
    assert_eq!(difference(&planned(&before), &again).unwrap(), "the danger is M now, it was L");
    assert!(difference(&again, &planned(&before)).is_some(), "less danger is a difference as well");
}

#[test]
fn evidence_may_age_without_asking() {
    let plan = planned(&Sample::idle());
    let mut aged = plan.clone();
    aged.preconditions[0].evidence = "seen a moment later".into();
    assert!(same_meaning(&plan, &aged));
    aged.preconditions[0].words = "something else holds".into();
    assert!(!same_meaning(&plan, &aged));
}

/// What was read: the pods on a node.
fn found(read: Read, pods: Result<PodList, String>) -> Material {
    Material { answers: vec![(read, pods.map(Found::Pods))], ..Material::default() }
}

/// An object as the server has it now.
fn fresh(object: Value) -> Material {
    Material { fresh: vec![(String::new(), object)], ..Material::default() }
}

#[test]
fn pods_complete_the_consequences_in_words() {
    let pod =
        |name: &str, owner: Option<&str>| Pod { name: name.into(), owner: owner.map(str::to_owned), ..Pod::default() };
    let pods = PodList {
        pods: vec![
            pod("shop/cart-0", Some("StatefulSet")),
            pod("shop/debug", None),
            pod("openshift-dns/dns-x", Some("DaemonSet")),
            Pod { mirror: true, ..pod("kube-system/static", None) },
            Pod { completed: true, ..pod("shop/job-1", Some("Job")) },
            Pod { empty_dir: true, ..pod("shop/cache", Some("ReplicaSet")) },
        ],
    };
    let sample = Sample::rolling();
    let plan = sample.plan(ActionId::UnpausePool, &Target::pool("infra")).unwrap();
    let Some(Read::PodsOn(node)) = plan.reads.first().cloned() else { panic!("{plan:?}") };
    let completed = complete(plan.clone(), &found(Read::PodsOn(node.clone()), Ok(pods.clone())));
    let expected = format!(
        "{node} would be drained: 3 pods evicted; nobody recreates shop/debug; emptyDir data is lost of shop/cache"
    );
    assert_eq!(completed.consequences.last(), Some(&expected));
    assert!(!completed.reads.iter().any(|read| matches!(read, Read::PodsOn(_))));
    assert_eq!(complete(completed.clone(), &Material::default()), completed, "a completed plan stays as it is");

    let plan = planned(&sample);
    let read = plan.reads[0].clone();
    let completed = complete(plan.clone(), &found(read.clone(), Ok(pods)));
    let expected = "5 pods on worker-3 stay: a cordon evicts nothing";
    assert_eq!(completed.consequences.last().map(String::as_str), Some(expected));
    let unknown = complete(plan, &found(read, Err("pods may not be listed".into())));
    let expected = "pods on worker-3: unknown (pods may not be listed)";
    assert_eq!(unknown.consequences.last().map(String::as_str), Some(expected));
}

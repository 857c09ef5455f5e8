//! What keeps a pod on its node, and what frees it: one case each, as a person would tell it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::Evictions;
use crate::upgrade::assemble;
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::{Assessment, Blocker, Cause, Forecast};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::{Around, Facts, Kind, KindStatus};
use crate::upgrade::memory::Memory;
use crate::upgrade::specimen::{Specimen, at, stamp};

/// A ready pod of a Deployment `web` on worker-0, in the namespace `shop`.
fn web() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-6c5d7f8b9-x2x1q", "namespace": "shop", "labels": {"app": "web", "pod-template-hash": "6c5d7f8b9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6c5d7f8b9", "controller": true}],
        },
        "spec": {"nodeName": "worker-0"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// A budget over `web` that allows none of two pods, one of which is missing.
fn budget() -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop", "generation": 2},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 2, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 2},
    })
}

fn facts(objects: &[Value]) -> Facts {
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    let mut all: Vec<Value> =
        [&cluster.version].into_iter().chain(&cluster.pools).chain(&cluster.nodes).cloned().collect();
    all.extend(cluster.machine_configs);
    all.extend_from_slice(objects);
    let mut facts = assemble::from_values(&all, at(65));
    facts.kinds.entry(Kind::PodDisruptionBudgets).or_default().status = KindStatus::Live;
    facts
}

fn assessed(objects: &[Value]) -> Assessment {
    assess(Arc::new(facts(objects)), &Memory::default(), at(65))
}

fn blockers(objects: &[Value]) -> Vec<Blocker> {
    assessed(objects).node("worker-0").unwrap().blockers.clone()
}

fn the(objects: &[Value]) -> Blocker {
    let mut all = blockers(objects);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn words(blocker: &Blocker) -> Vec<(Option<Danger>, &str)> {
    blocker.frees.iter().map(|remedy| (remedy.danger, remedy.oc.as_deref().unwrap_or_default())).collect()
}

#[test]
fn a_budget_without_a_disruption_left_holds_its_pod() {
    let blocker = the(&[web(), budget()]);
    assert_eq!((blocker.namespace.as_str(), blocker.pod.as_str()), ("shop", "web-6c5d7f8b9-x2x1q"));
    assert_eq!(blocker.owner.as_deref(), Some("deployment/web"), "nobody knows ReplicaSets by name");
    let Cause::Budget(numbers) = &blocker.cause else { panic!("{:?}", blocker.cause) };
    assert_eq!((numbers.allowed, numbers.healthy, numbers.desired, numbers.expected), (0, 1, 1, 2));
    assert!(!numbers.impossible, "with both pods healthy one may go");
    let mut allows = budget();
    allows["status"]["disruptionsAllowed"] = json!(1);
    assert_eq!(blockers(&[web(), allows]), []);
    assert_eq!(blockers(&[web()]), [], "no budget, nothing to hold it");
}

#[test]
fn what_a_drain_passes_over_is_in_nobodys_way() {
    let changed = |change: fn(&mut Value)| {
        let mut pod = web();
        change(&mut pod);
        blockers(&[pod, budget()])
    };
    assert_eq!(changed(|pod| pod["metadata"]["ownerReferences"][0]["kind"] = json!("DaemonSet")), []);
    assert_eq!(changed(|pod| pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"})), []);
    assert_eq!(changed(|pod| pod["status"]["phase"] = json!("Succeeded")), []);
    assert_eq!(changed(|pod| pod["status"]["phase"] = json!("Pending")), [], "it has not begun");
    assert_eq!(changed(|pod| pod["metadata"]["namespace"] = json!("other")), [], "another namespace's budget");
}

#[test]
fn an_empty_selector_takes_all_of_the_namespace_and_none_takes_nothing() {
    let with = |selector: Value| {
        let mut budget = budget();
        budget["spec"]["selector"] = selector;
        blockers(&[web(), budget]).len()
    };
    assert_eq!((with(json!({})), with(Value::Null)), (1, 0));
}

#[test]
fn budgets_that_can_never_be_met_are_recognised() {
    let table = [
        (json!({"maxUnavailable": 0}), 4, 4, true),
        (json!({"maxUnavailable": "0%"}), 4, 4, true),
        (json!({"minAvailable": "100%"}), 4, 4, true),
        (json!({"minAvailable": 2}), 2, 2, true),
        (json!({"minAvailable": 2}), 2, 3, false),
        (json!({"minAvailable": "50%"}), 2, 4, false),
    ];
    for (spec, desired, expected, impossible) in table {
        let mut budget = budget();
        budget["spec"] = spec.clone();
        budget["spec"]["selector"] = json!({"matchLabels": {"app": "web"}});
        budget["status"]["desiredHealthy"] = json!(desired);
        budget["status"]["currentHealthy"] = json!(desired);
        budget["status"]["expectedPods"] = json!(expected);
        let Cause::Budget(numbers) = the(&[web(), budget]).cause else { panic!("{spec}") };
        assert_eq!(numbers.impossible, impossible, "{spec} of {expected}");
    }
}

#[test]
fn an_unhealthy_pod_may_go_when_its_budget_says_so() {
    let mut pod = web();
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    assert_eq!(blockers(&[pod.clone(), budget()]), [], "enough others are healthy (IfHealthyBudget)");
    let mut scarce = budget();
    scarce["status"]["currentHealthy"] = json!(0);
    assert_eq!(blockers(&[pod.clone(), scarce.clone()]).len(), 1, "too few are healthy");
    scarce["spec"]["unhealthyPodEvictionPolicy"] = json!("AlwaysAllow");
    assert_eq!(blockers(&[pod, scarce]), []);
}

#[test]
fn a_budget_that_was_changed_has_to_be_judged_first() {
    let mut changed = budget();
    changed["metadata"]["generation"] = json!(3);
    assert_eq!(the(&[web(), changed]).cause, Cause::BudgetNotObserved { name: "web".to_owned() });
}

#[test]
fn two_budgets_hold_a_pod_whatever_they_allow() {
    let mut generous = budget();
    generous["metadata"]["name"] = json!("all");
    generous["status"]["disruptionsAllowed"] = json!(9);
    let blocker = the(&[web(), budget(), generous]);
    assert_eq!(blocker.cause, Cause::SeveralBudgets { names: vec!["all".to_owned(), "web".to_owned()] });
    assert!(
        blocker.frees.iter().any(|remedy| remedy.oc.as_deref() == Some("oc delete pdb -n shop web")),
        "{:?}",
        blocker.frees
    );
}

#[test]
fn a_pod_that_ends_within_its_grace_is_nobodys_trouble() {
    let ending = |minute: i64, finalizers: Value| {
        let mut pod = web();
        pod["metadata"]["deletionTimestamp"] = json!(stamp(minute));
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(600);
        pod["metadata"]["finalizers"] = finalizers;
        blockers(&[pod, budget()])
    };
    assert_eq!(ending(66, json!([])), [], "a minute is left: no budget is asked any more");
    let long = ending(75, json!([]));
    assert_eq!(long[0].since, Some(at(65)), "asked ten minutes before its grace ends");
    assert!(long[0].frees[0].words.contains("10m"), "{:?}", long[0].frees);
    let held = ending(63, json!(["shop.example/queue"]));
    let expected = Cause::Terminating { grace_ends: Some(at(63)), finalizers: vec!["shop.example/queue".to_owned()] };
    assert_eq!(held[0].cause, expected);
    assert!(held[0].frees.iter().any(|remedy| remedy.words.contains("finalizers")), "{:?}", held[0].frees);
}

#[test]
fn what_frees_a_pod_comes_with_its_danger_the_mildest_first() {
    let mut missing = web();
    missing["metadata"]["name"] = json!("web-6c5d7f8b9-zz9zz");
    missing["spec"]["nodeName"] = json!("worker-1");
    missing["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    missing["status"]["containerStatuses"] =
        json!([{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
    let blocker = the(&[web(), budget(), missing]);
    assert!(blocker.frees[0].words.contains("ImagePullBackOff"), "who uses it up: {:?}", blocker.frees[0]);
    let expected = [
        (None, "oc describe pod -n shop web-6c5d7f8b9-zz9zz"),
        (Some(Danger::L), "oc scale -n shop deployment/web --replicas=3"),
        (Some(Danger::M), "oc delete pod -n shop web-6c5d7f8b9-x2x1q"),
        (Some(Danger::M), "oc patch pdb -n shop web --type merge -p '{\"spec\":{\"minAvailable\":0}}'"),
    ];
    assert_eq!(words(&blocker), expected);
}

#[test]
fn pods_with_data_are_more_dangerous_to_delete() {
    let danger = |change: fn(&mut Value)| {
        let mut pod = web();
        change(&mut pod);
        let blocker = the(&[pod, budget()]);
        blocker
            .frees
            .iter()
            .find(|remedy| remedy.oc.as_deref().is_some_and(|oc| oc.contains("delete pod")))
            .unwrap()
            .danger
    };
    assert_eq!(danger(|_| {}), Some(Danger::M));
    assert_eq!(danger(|pod| pod["metadata"]["ownerReferences"][0]["kind"] = json!("StatefulSet")), Some(Danger::H));
    assert_eq!(danger(|pod| pod["metadata"]["ownerReferences"] = json!([])), Some(Danger::H), "nothing brings it back");
    let claim = |pod: &mut Value| pod["spec"]["volumes"] = json!([{"persistentVolumeClaim": {"claimName": "data"}}]);
    assert_eq!(danger(claim), Some(Danger::H));
}

#[test]
fn guards_of_the_control_plane_are_never_offered_to_be_touched() {
    let mut guard = web();
    guard["metadata"] = json!({"name": "etcd-guard-master-0", "namespace": "openshift-etcd", "labels": {"app": "web"}});
    let mut budget = budget();
    budget["metadata"]["namespace"] = json!("openshift-etcd");
    let blocker = the(&[guard.clone(), budget]);
    assert!(blocker.frees.iter().all(|remedy| remedy.danger.is_none()), "{:?}", blocker.frees);
    assert!(blocker.frees.iter().any(|remedy| remedy.words.contains("Never delete it")), "{:?}", blocker.frees);

    guard["metadata"]["deletionTimestamp"] = json!(stamp(64));
    guard["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    let ends = the(&[guard]);
    assert!(ends.frees.iter().all(|remedy| remedy.danger.is_none()), "{:?}", ends.frees);
}

#[test]
fn guards_that_lack_one_while_its_node_is_away_are_not_said_to_hold_for_ever() {
    let impossible = |namespace: &str| {
        let (mut pod, mut budget) = (web(), budget());
        pod["metadata"]["namespace"] = json!(namespace);
        budget["metadata"]["namespace"] = json!(namespace);
        budget["status"] = json!({
            "observedGeneration": 2, "disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2,
        });
        match the(&[pod, budget]).cause {
            Cause::Budget(budget) => budget.impossible,
            other => panic!("{other:?}"),
        }
    };
    assert!(impossible("shop"), "all that there are have to stay");
    assert!(!impossible("openshift-etcd"), "the third guard comes back with its node");
}

#[test]
fn a_pod_that_has_just_ended_is_not_in_the_way_yet() {
    let mut pod = web();
    pod["metadata"]["deletionTimestamp"] = json!((at(65) - chrono::TimeDelta::seconds(5)).to_rfc3339());
    assert_eq!(blockers(&[pod.clone()]).len(), 0);
    pod["metadata"]["deletionTimestamp"] = json!((at(65) - chrono::TimeDelta::seconds(45)).to_rfc3339());
    assert_eq!(blockers(&[pod]).len(), 1);
}

#[test]
fn the_platforms_own_budgets_are_not_offered_to_be_changed() {
    let (mut router, mut budget) = (web(), budget());
    router["metadata"]["namespace"] = json!("openshift-ingress");
    budget["metadata"]["namespace"] = json!("openshift-ingress");
    let lines = the(&[router, budget]);
    let lines = words(&lines);
    assert!(!lines.iter().any(|(_, oc)| oc.contains("patch pdb") || oc.contains("scale")), "{lines:?}");
    assert!(lines.iter().any(|(danger, oc)| *danger == Some(Danger::M) && oc.contains("delete pod")), "{lines:?}");
}

#[test]
fn a_virtual_machine_has_to_move_first() {
    let machine = |strategy: &str, migratable: &str| {
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"evictionStrategy": strategy},
            "status": {"conditions": [{"type": "LiveMigratable", "status": migratable, "message": "disk is not shared"}]},
        })
    };
    let mut pod = web();
    pod["metadata"]["ownerReferences"][0] = json!({"kind": "VirtualMachineInstance", "name": "db", "controller": true});
    let why = |machine: Value| match blockers(&[pod.clone(), machine]).pop().map(|blocker| blocker.cause) {
        Some(Cause::VirtualMachine { why }) => why,
        other => format!("{other:?}"),
    };
    assert_eq!(why(machine("LiveMigrate", "False")), "cannot move to another node: disk is not shared");
    assert_eq!(why(machine("LiveMigrate", "True")), "has to move to another node first");
    assert_eq!(why(machine("None", "False")), "None", "it is shut down with its pod");
}

#[test]
fn the_next_wave_is_foretold_and_those_behind_it_are_not() {
    let on = |node: &str, name: &str| {
        let mut pod = web();
        pod["spec"] = json!({"nodeName": node, "terminationGracePeriodSeconds": 90, "volumes": [{"emptyDir": {}}]});
        pod["metadata"]["name"] = json!(name);
        pod
    };
    let mut bare = on("worker-2", "bare");
    bare["metadata"]["ownerReferences"] = json!([]);
    bare["metadata"]["labels"] = json!({});
    let assessment = assessed(&[on("worker-2", "web-6c5d7f8b9-2"), on("worker-1", "web-6c5d7f8b9-1"), bare, budget()]);
    // worker-0 is in zone a and drains; worker-2 is in zone a too, worker-1 in zone b.
    let forecast: &Forecast = assessment.node("worker-2").unwrap().forecast.as_ref().unwrap();
    assert_eq!((forecast.evicted, forecast.longest_grace), (2, 90));
    assert_eq!(forecast.bare, ["shop/bare"]);
    assert_eq!(forecast.empty_dir.len(), 2);
    assert_eq!(forecast.blockers.len(), 1);
    assert_eq!(assessment.node("worker-1").unwrap().forecast, None, "its turn is not next");
}

#[test]
fn a_guard_of_the_control_plane_waits_for_the_node_that_is_away_and_says_nothing_of_the_next() {
    let mut guard = web();
    guard["metadata"] =
        json!({"name": "etcd-guard-master-1", "namespace": "openshift-etcd", "labels": {"app": "guard"}});
    guard["spec"] = json!({"nodeName": "master-1"});
    let mut pdb = budget();
    pdb["metadata"] = json!({"name": "etcd-guard-pdb", "namespace": "openshift-etcd", "generation": 2});
    pdb["spec"] = json!({"minAvailable": 2, "selector": {"matchLabels": {"app": "guard"}}});
    pdb["status"] = json!({"observedGeneration": 2, "disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 3});
    let told = |away: bool| {
        let mut facts = facts(&[guard.clone(), pdb.clone()]);
        if away {
            let cordon = |node: &Arc<crate::api::Node>| {
                let mut node = crate::api::Node::clone(node);
                node.spec.unschedulable |= node.name() == "master-0";
                Arc::new(node)
            };
            facts.nodes = Arc::new(facts.nodes.iter().map(cordon).collect());
        }
        Evictions::new(&facts, at(65)).forecast("master-1").unwrap().blockers.len()
    };
    assert_eq!(told(false), 1, "all nodes are there, and the budget lets none go: a member is not well");
    assert_eq!(told(true), 0, "it lets one go as soon as master-0 is back, and master-1 is not taken before");
}

#[test]
fn what_was_not_read_is_not_said_to_be_free() {
    let mut facts = facts(&[web()]);
    assert!(Evictions::new(&facts, at(65)).forecast("worker-0").is_some());
    facts.around = Arc::new(Around { pods: Arc::default(), ..Around::clone(&facts.around) });
    assert_eq!(Evictions::new(&facts, at(65)).forecast("worker-0"), None, "its pods were not read");
    let mut facts = self::facts(&[web()]);
    facts.kinds.remove(&Kind::PodDisruptionBudgets);
    assert_eq!(Evictions::new(&facts, at(65)).forecast("worker-0"), None, "the budgets were not read");
}

#[test]
fn odd_numbers_are_borne() {
    for odd in [i64::MIN, -1, 0, i64::MAX] {
        for field in ["currentHealthy", "desiredHealthy", "expectedPods", "observedGeneration"] {
            let mut budget = budget();
            budget["status"][field] = json!(odd);
            let mut pod = web();
            pod["spec"]["terminationGracePeriodSeconds"] = json!(odd);
            assert!(blockers(&[pod.clone(), budget]).len() <= 1);
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(odd);
            pod["metadata"]["deletionTimestamp"] = json!("-262143-01-01T00:00:00Z");
            assert!(blockers(&[pod]).len() <= 1);
        }
    }
}

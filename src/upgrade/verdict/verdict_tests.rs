//! The verdicts, each on a small cluster that has it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::upgrade::facts::Facts;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered};
use serde_json::json;
use std::sync::Arc;

fn told(cluster: &Specimen, minute: i64) -> (VerdictKind, String, Option<DateTime<Utc>>) {
    let verdict = cluster.assess(minute).verdict;
    (verdict.kind, verdict.why, verdict.since)
}

#[test]
fn the_quiet_way_through_an_update() {
    let mut requested = Specimen::idle();
    requested.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    requested.says("ReleaseAccepted", "Unknown", "RetrievePayload", "Retrieving", -1);
    let table = [
        (Specimen::idle(), 0, VerdictKind::NotUpdating, Some(-9000)),
        (requested, 0, VerdictKind::Requested, Some(-1)),
        (Specimen::updating(), 5, VerdictKind::UpdatingControlPlane, Some(0)),
        (Specimen::rolling(), 32, VerdictKind::UpdatingControlPlane, Some(0)),
        (Specimen::workers_left(), 62, VerdictKind::UpdatingPools, Some(30)),
        (Specimen::finished(), 100, VerdictKind::Completed, Some(90)),
        (Specimen::finished(), 151, VerdictKind::NotUpdating, Some(60)),
    ];
    for (cluster, minute, kind, since) in table {
        let (told, why, at_minute) = told(&cluster, minute);
        assert_eq!((told, at_minute), (kind, since.map(at)), "at minute {minute}: {why}");
        assert!(!why.is_empty());
    }
}

#[test]
fn failing_is_what_the_operator_says() {
    let mut cluster = Specimen::rolling();
    cluster.says("Failing", "True", "ClusterOperatorDegraded", "Cluster operator etcd is degraded", 20);
    let (kind, why, since) = told(&cluster, 40);
    assert_eq!((kind, since), (VerdictKind::Failing, Some(at(20))));
    assert_eq!(why, "the cluster-version operator fails: Cluster operator etcd is degraded");
}

#[test]
fn a_gate_that_refuses_a_request_needs_a_person() {
    let mut cluster = Specimen::idle();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    cluster.says(
        "ReleaseAccepted",
        "False",
        "PreconditionChecks",
        "Precondition \"ClusterVersionUpgradeable\" failed",
        3,
    );
    let (kind, why, since) = told(&cluster, 5);
    assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(3))));
    assert!(why.contains("ClusterVersionUpgradeable"), "{why}");
}

#[test]
fn a_drain_that_fails_needs_a_person_after_ten_minutes() {
    let error = "Error: Node Drain has not succeeded. Error is: [error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s]";
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    cluster.steps(
        "worker-0",
        vec![
            condition("Updated", "False", "", "", 60),
            condition("UpdatePrepared", "True", "", "", 60),
            condition("Cordoned", "True", "", "", 61),
            condition("Drained", "Unknown", "", error, 64),
        ],
    );
    assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools, "it may still succeed");
    let (kind, why, since) = told(&cluster, 71);
    assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(61))));
    assert_eq!(why, "the drain of worker-0 has been blocked for 10m: shop/cart-0");
}

#[test]
fn a_drain_without_a_machine_config_node_is_timed_all_the_same() {
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools);
    assert_eq!(told(&cluster, 72).0, VerdictKind::NeedsPerson);
}

#[test]
fn cordons_that_use_the_capacity_up_are_a_stall() {
    let mut cluster = Specimen::workers_left();
    cluster.cordon("worker-0", "kubectl-cordon", 50);
    let (kind, why, _) = told(&cluster, 65);
    assert_eq!(kind, VerdictKind::Stalled);
    assert_eq!(why, "pool worker stands still, 3 nodes to come: no capacity: cordoned worker-0");

    cluster.cordon("worker-0", "kubectl-cordon", 62);
    assert_eq!(told(&cluster, 65).0, VerdictKind::UpdatingPools, "somebody may be about to lift it");
}

#[test]
fn a_controller_that_takes_nobody_is_a_stall() {
    let cluster = Specimen::workers_left();
    let mut memory = Memory::default();
    assert_eq!(cluster.watched(&mut memory, 61).verdict.kind, VerdictKind::UpdatingPools);
    assert_eq!(cluster.watched(&mut memory, 64).verdict.kind, VerdictKind::UpdatingPools);
    let stalled = &cluster.watched(&mut memory, 66).verdict;
    assert_eq!(stalled.kind, VerdictKind::Stalled, "{}", stalled.why);
    assert!(stalled.why.contains("takes no node although it could"), "{}", stalled.why);
}

#[test]
fn nothing_is_stalled_while_anything_moves() {
    let mut cluster = Specimen::workers_left();
    cluster.cordon("worker-0", "kubectl-cordon", 20);
    cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
    cluster.drains("worker-1", "worker", 62);
    assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools);
}

#[test]
fn slow_is_what_the_operator_says_or_what_the_own_clock_says() {
    let mut cluster = Specimen::updating();
    cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "True", "NodeInstaller", "", 1);
    assert_eq!(told(&cluster, 31).0, VerdictKind::UpdatingControlPlane, "30 minutes are allowed");
    let (kind, why, since) = told(&cluster, 33);
    assert_eq!((kind, since), (VerdictKind::Slow, Some(at(31))));
    assert!(why.starts_with("etcd has been updating for 32m"), "{why}");

    let mut told_so = Specimen::updating();
    told_so.says(
        "Failing",
        "Unknown",
        "SlowClusterOperator",
        "waiting on etcd over 30 minutes which is longer than expected",
        30,
    );
    assert_eq!(told(&told_so, 31).0, VerdictKind::Slow);
}

#[test]
fn machine_config_is_allowed_ninety_minutes() {
    let mut cluster = Specimen::rolling();
    cluster.drains("master-0", "master", 110);
    assert_eq!(told(&cluster, 117).0, VerdictKind::UpdatingControlPlane);
    assert_eq!(told(&cluster, 119).0, VerdictKind::Slow);
}

#[test]
fn a_paused_pool_needs_a_person_when_it_is_all_that_is_left() {
    let mut cluster = Specimen::workers_left();
    cluster.pool("worker")["spec"]["paused"] = json!(true);
    cluster.pool("worker")["metadata"]["managedFields"] = json!([
        {"manager": "oc-patch", "operation": "Update", "time": crate::upgrade::specimen::stamp(-120), "fieldsV1": {"f:spec": {"f:paused": {}}}},
    ]);
    let (kind, why, since) = told(&cluster, 70);
    assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(-120))));
    assert_eq!(why, "pool worker is paused by oc-patch, 3 nodes to come");

    let mut earlier = Specimen::updating();
    earlier.pool("worker")["spec"]["paused"] = json!(true);
    assert_eq!(
        told(&earlier, 5).0,
        VerdictKind::UpdatingControlPlane,
        "meant so, as long as the control plane updates"
    );
}

#[test]
fn a_paused_master_pool_holds_the_update_up() {
    let mut cluster = Specimen::rolling();
    cluster.pool("master")["spec"]["paused"] = json!(true);
    cluster.drains("worker-0", "worker", 35);
    let (kind, why, _) = told(&cluster, 36);
    assert_eq!(kind, VerdictKind::NeedsPerson);
    assert!(why.contains("cannot end"), "{why}");
}

#[test]
fn another_configuration_of_the_same_release_is_no_update() {
    let mut cluster = Specimen::finished();
    cluster.pool("worker")["spec"]["configuration"]["name"] = json!("rendered-worker-more");
    cluster.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 200)]);
    cluster.mark("worker-0", &[("desiredConfig", "rendered-worker-more"), ("state", "Working")]);
    let assessment = cluster.assess(202);
    assert_eq!(assessment.verdict.kind, VerdictKind::ConfigRollout, "{}", assessment.verdict.why);
    assert_eq!(assessment.verdict.since, Some(at(200)));
    assert_eq!(assessment.progress, Some(0), "of the pool that rolls");
    assert_eq!(rendered("worker", NEW), assessment.node("worker-1").unwrap().current_config.clone().unwrap());
}

#[test]
fn what_is_not_known_is_said_so() {
    let now = at(0);
    let judged = |facts: Facts| crate::upgrade::assess::assess(Arc::new(facts), &Memory::default(), now);
    assert_eq!(judged(Facts::nothing(now)).verdict.why, "the cluster has not been read yet");

    let mut plain = Facts::nothing(now);
    plain.kinds.entry(Kind::ClusterVersions).or_default().status = KindStatus::Absent;
    let plain = judged(plain);
    assert_eq!((plain.openshift, plain.verdict.kind), (Some(false), VerdictKind::Unknown));
    assert!(plain.verdict.why.contains("not an OpenShift cluster"));

    let mut refused = Facts::nothing(now);
    let words = "you may not list clusterversions".to_owned();
    let trouble = Trouble { kind: TroubleKind::Forbidden, words, hint: String::new(), since: now };
    refused.kinds.entry(Kind::ClusterVersions).or_default().status = KindStatus::Forbidden(trouble);
    let refused = judged(refused);
    assert_eq!(refused.openshift, None);
    assert!(refused.verdict.why.contains("you may not list"), "{}", refused.verdict.why);
}

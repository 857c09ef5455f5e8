//! The verdicts, each on a small cluster that has it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::upgrade::facts::Facts;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered};
use chrono::TimeDelta;
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

/// History alone says Completed; that nothing was read of the rest is no sign that nothing rolls.
#[test]
fn what_could_roll_unseen_is_not_called_at_rest() {
    let words = "the server failed (503)".to_owned();
    let trouble = Trouble { kind: TroubleKind::Server, words, hint: String::new(), since: at(0) };
    let statuses = [KindStatus::Waiting, KindStatus::Forbidden(trouble.clone()), KindStatus::Failing(trouble)];
    for cluster in [Specimen::idle(), Specimen::finished()] {
        for status in &statuses {
            let mut facts = cluster.facts(61);
            facts.pools = Arc::default();
            let state = facts.kinds.entry(Kind::MachineConfigPools).or_default();
            (state.status, state.heard) = (status.clone(), None);
            let verdict = crate::upgrade::assess::assess(Arc::new(facts), &Memory::default(), at(61)).verdict;
            assert_eq!(verdict.kind, VerdictKind::Unknown, "{status:?}: {}", verdict.why);
            assert!(verdict.why.contains("machineconfigpools"), "{}", verdict.why);
        }
    }
    let mut facts = Specimen::finished().facts(90);
    facts.operators = Arc::default();
    facts.kinds.entry(Kind::ClusterOperators).or_default().status = KindStatus::Waiting;
    let verdict = crate::upgrade::assess::assess(Arc::new(facts), &Memory::default(), at(90)).verdict;
    assert_eq!(verdict.kind, VerdictKind::Unknown, "{}", verdict.why);
}

/// Failing=True because of these, said at a minute.
fn fails(cluster: &mut Specimen, reason: &str, minute: i64) {
    cluster.says("Failing", "True", reason, "Cluster operator etcd is degraded", minute);
}

/// etcd is degraded since minute 12 while dns updates; Failing since minute 13.
fn early_failure() -> Specimen {
    let mut cluster = Specimen::updating();
    cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 10);
    cluster.operator("etcd")["status"]["conditions"][2] = condition("Degraded", "True", "", "", 12);
    cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 11);
    fails(&mut cluster, "ClusterOperatorDegraded", 13);
    cluster
}

#[test]
fn an_early_failing_beside_updating_operators_is_not_believed_for_forty_minutes() {
    let cluster = early_failure();
    let verdict = cluster.assess(15).verdict;
    assert_eq!(verdict.kind, VerdictKind::UpdatingControlPlane, "{}", verdict.why);
    assert!(verdict.why.contains("called failing early, because etcd is degraded"), "{}", verdict.why);
    assert!(verdict.evidence.iter().any(|evidence| evidence.field == "Failing"), "it is named all the same");
    assert_eq!(told(&cluster, 51).0, VerdictKind::Failing, "40 minutes of its own clock are over");

    let mut alone = early_failure();
    alone.operator("dns")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 14);
    assert_eq!(told(&alone, 15).0, VerdictKind::Failing, "nothing else explains why it came early");

    let mut gone = early_failure();
    gone.operator("kube-apiserver")["status"]["conditions"][0] = condition("Available", "False", "", "", 13);
    assert_eq!(told(&gone, 15).0, VerdictKind::Failing, "an operator that is not available fails at once, rightly");

    let mut other = early_failure();
    other.says("Failing", "True", "UpdatePayloadFailed", "Could not update deployment", 13);
    assert_eq!(told(&other, 15).0, VerdictKind::Failing, "it is not about operators");
}

#[test]
fn several_errors_are_doubted_only_when_all_are_about_operators() {
    let mut cluster = early_failure();
    let operators = "Multiple errors are preventing progress:\n* Cluster operator etcd is degraded\n* Cluster operators dns are updating";
    cluster.says("Failing", "True", "MultipleErrors", operators, 13);
    assert_eq!(told(&cluster, 15).0, VerdictKind::UpdatingControlPlane);
    cluster.says("Failing", "True", "MultipleErrors", &format!("{operators}\n* Could not update deployment \"x\""), 13);
    assert_eq!(told(&cluster, 15).0, VerdictKind::Failing);
}

#[test]
fn failing_while_reconciling_has_to_last_and_is_held_for_a_moment() {
    let mut cluster = Specimen::idle();
    fails(&mut cluster, "ClusterOperatorDegraded", 10);
    let young = cluster.facts(10);
    let young = crate::upgrade::assess::assess(Arc::new(young), &Memory::default(), at(10) + TimeDelta::seconds(30));
    assert_eq!(young.verdict.kind, VerdictKind::NotUpdating);
    assert!(young.verdict.why.contains("has just failed once"), "{}", young.verdict.why);
    let mut memory = Memory::default();
    let lasting = cluster.watched(&mut memory, 12);
    assert_eq!(lasting.verdict.kind, VerdictKind::Failing);
    assert!(lasting.verdict.why.contains("fails to keep the cluster at 4.18.22"), "{}", lasting.verdict.why);

    cluster.says("Failing", "False", "", "", 13);
    let seconds = |seconds| at(13) + TimeDelta::seconds(seconds);
    let judged = |moment| crate::upgrade::assess::assess(Arc::new(cluster.facts(13)), &memory, moment).verdict.kind;
    assert_eq!(judged(seconds(30)), VerdictKind::Failing, "it may only be trying again");
    assert_eq!(judged(seconds(61)), VerdictKind::NotUpdating);
}

#[test]
fn a_gate_that_blocks_a_minor_is_named() {
    let mut cluster = Specimen::idle();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    cluster.says("ReleaseAccepted", "False", "PreconditionChecks", "Preconditions failed", 3);
    let map = |namespace: &str, name: &str, data: serde_json::Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data});
    let gate = "ack-4.18-kube-1.32-api-removals-in-4.19";
    cluster.around = vec![
        map("openshift-config-managed", "admin-gates", json!({gate: "read this", "ack-4.17-older": "read that"})),
        map("openshift-config", "admin-acks", json!({})),
    ];
    let verdict = cluster.assess(5).verdict;
    assert_eq!(verdict.kind, VerdictKind::NeedsPerson);
    assert_eq!(verdict.why, format!("the update to {NEW} waits for an acknowledgement: {gate}"));
    assert!(verdict.evidence.iter().any(|evidence| evidence.field.contains(gate)));
    cluster.around[1]["data"][gate] = json!("true");
    assert!(cluster.assess(5).verdict.why.contains("was refused"), "something else refuses it");
    cluster.around[1]["data"][gate] = json!("false");
    cluster.version["spec"]["desiredUpdate"] = json!({"version": "4.18.30"});
    assert!(cluster.assess(5).verdict.why.contains("was refused"), "gates do not concern patches");
}

#[test]
fn an_operator_that_does_not_look_at_its_cluster_version_is_a_stall() {
    let mut cluster = Specimen::idle();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    cluster.version["metadata"]["generation"] = json!(4);
    let mut memory = Memory::default();
    assert_eq!(cluster.watched(&mut memory, 0).verdict.kind, VerdictKind::Requested);
    assert_eq!(cluster.watched(&mut memory, 4).verdict.kind, VerdictKind::Requested);
    let verdict = cluster.watched(&mut memory, 6).verdict.clone();
    assert_eq!((verdict.kind, verdict.since), (VerdictKind::Stalled, Some(at(0))), "{}", verdict.why);
    assert_eq!(cluster.assess(6).verdict.kind, VerdictKind::Requested, "one look cannot know");
    cluster.version["status"]["observedGeneration"] = json!(4);
    assert_eq!(cluster.watched(&mut memory, 7).verdict.kind, VerdictKind::Requested);
}

#[test]
fn an_update_that_does_not_move_at_all_is_a_stall_when_it_was_watched() {
    let mut cluster = Specimen::updating();
    let mut memory = Memory::default();
    for minute in [2, 10, 21] {
        assert_eq!(
            cluster.watched(&mut memory, minute).verdict.kind,
            VerdictKind::UpdatingControlPlane,
            "minute {minute}"
        );
    }
    let verdict = cluster.watched(&mut memory, 23).verdict.clone();
    assert_eq!((verdict.kind, verdict.since), (VerdictKind::Stalled, Some(at(2))));
    assert!(
        verdict.why.contains("no manifest, no operator and no node has moved for 21m; it waits on etcd"),
        "{}",
        verdict.why
    );
    assert_eq!(cluster.assess(23).verdict.kind, VerdictKind::UpdatingControlPlane, "one look cannot know");
    let message = "Working towards 4.19.3: 101 of 900 done (11% complete), waiting on etcd";
    cluster.says("Progressing", "True", "", message, 0);
    assert_eq!(cluster.watched(&mut memory, 24).verdict.kind, VerdictKind::UpdatingControlPlane, "a manifest more");
}

#[test]
fn retarget_and_withdrawal_are_told_as_they_are() {
    let mut cluster = Specimen::updating();
    let history = cluster.version["status"]["history"].as_array_mut().unwrap();
    history.insert(
        1,
        json!({"state": "Partial", "version": "4.19.1", "startedTime": crate::upgrade::specimen::stamp(-60),
        "completionTime": crate::upgrade::specimen::stamp(0)}),
    );
    let why = told(&cluster, 5).1;
    assert!(why.contains("the update to 4.19.1 before it was never completed"), "{why}");
    cluster.version["spec"].as_object_mut().unwrap().remove("desiredUpdate");
    let (kind, why, _) = told(&cluster, 5);
    assert_eq!(kind, VerdictKind::UpdatingControlPlane, "clearing came too late");
    assert!(why.contains("withdrawn, which does not stop"), "{why}");
}

#[test]
fn a_count_that_begins_anew_is_recognised() {
    let mut cluster = Specimen::updating();
    let mut memory = Memory::default();
    cluster.watched(&mut memory, 5);
    cluster.says("Progressing", "True", "", "Working towards 4.19.3: 7 of 900 done (0% complete)", 0);
    let assessment = cluster.watched(&mut memory, 6);
    let payload = assessment.update.payload.unwrap();
    assert_eq!((payload.done, payload.attempt, payload.highest), (7, 2, 100));
    assert!(
        assessment.verdict.why.contains("counted anew (attempt 2: 7 of 900, 100 before)"),
        "{}",
        assessment.verdict.why
    );
    assert!(assessment.timeline.entries.iter().any(|entry| entry.text.contains("counted anew")));
    let same = cluster.watched(&mut memory, 7).update.payload.unwrap();
    assert_eq!(same, payload, "the same count is no other attempt");
}

#[test]
fn an_invalid_cluster_version_needs_a_person() {
    let mut cluster = Specimen::updating();
    cluster.says("Invalid", "True", "InvalidClusterVersion", "spec.overrides: duplicate", 3);
    let (kind, why, since) = told(&cluster, 5);
    assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(3))));
    assert!(why.contains("duplicate"), "{why}");
}

#[test]
fn an_update_is_completed_only_when_all_is_quiet_and_well() {
    let completed = |cluster: &Specimen| cluster.assess(100).verdict;
    assert_eq!(completed(&Specimen::finished()).kind, VerdictKind::Completed);

    let mut noisy = Specimen::finished();
    noisy.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 98);
    let verdict = noisy.assess(100);
    assert_eq!((verdict.verdict.kind, verdict.headline()), (VerdictKind::UpdatingPools, "settling"));
    assert_eq!(verdict.verdict.why, "everything is at the new version; the cluster settles: dns is progressing");
    noisy.operator("dns")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 97);
    assert_eq!(completed(&noisy).why, "everything is at the new version; operators have to be quiet for 2m more");
    noisy.operator("dns")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 95);
    assert_eq!(completed(&noisy).kind, VerdictKind::Completed, "five minutes");

    let mut cordoned = Specimen::finished();
    cordoned.cordon("worker-1", "kubectl-cordon", 93);
    let verdict = completed(&cordoned);
    assert_eq!((verdict.kind, verdict.since), (VerdictKind::NeedsPerson, Some(at(93))));
    assert_eq!(verdict.why, "all pools are done; worker-1 is still cordoned by kubectl-cordon");

    let mut down = Specimen::finished();
    down.node("worker-1")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "", 97);
    assert_eq!(completed(&down).kind, VerdictKind::UpdatingPools, "it may be a hiccup");
    down.node("worker-1")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "", 95);
    assert_eq!(completed(&down).kind, VerdictKind::Stalled);

    let mut old = Specimen::finished();
    old.node("worker-1")["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.31.9");
    assert_eq!(completed(&old).why, "all pools are done; worker-1 still reports kubelet v1.31.9");
}

#[test]
fn nodes_that_others_update_need_a_person() {
    let mut cluster = Specimen::finished();
    cluster.node("worker-1")["status"]["nodeInfo"] =
        json!({"kubeletVersion": "v1.31.9", "osImage": "Red Hat Enterprise Linux 8.10 (Ootpa)"});
    let verdict = cluster.assess(100).verdict;
    assert_eq!(verdict.kind, VerdictKind::NeedsPerson);
    assert_eq!(verdict.why, "worker-1 still runs an older kubelet (v1.31.9): RHEL is updated outside of the cluster");
    cluster.node("worker-1")["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.32.6");
    assert_eq!(cluster.assess(100).verdict.kind, VerdictKind::Completed);
}

#[test]
fn noise_after_the_end_does_not_undo_it() {
    let mut cluster = Specimen::finished();
    let mut memory = Memory::default();
    assert_eq!(cluster.watched(&mut memory, 100).verdict.kind, VerdictKind::Completed);
    cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 101);
    assert_eq!(cluster.watched(&mut memory, 102).verdict.kind, VerdictKind::Completed);
}

#[test]
fn a_hosted_cluster_is_not_called_broken() {
    let mut cluster = Specimen::finished();
    cluster.pools.clear();
    cluster.machine_configs.clear();
    cluster.operators.retain(|operator| operator["metadata"]["name"] != "machine-config");
    cluster.nodes.retain(|node| node["metadata"]["name"].as_str().unwrap().starts_with("worker"));
    for node in &mut cluster.nodes {
        node["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.31.9");
    }
    let assessment = cluster.assess(100);
    assert_eq!(assessment.verdict.kind, VerdictKind::Completed, "{}", assessment.verdict.why);
    assert!(assessment.verdict.why.contains("hosted control plane"), "{}", assessment.verdict.why);
    assert!(cluster.assess(300).verdict.why.contains("NodePools"), "at rest too");
    assert_eq!(assessment.findings.iter().filter(|finding| finding.id == "node-unmanaged").count(), 0);
}

#[test]
fn a_migration_to_multi_arch_rolls_pools_though_the_version_stays() {
    let mut cluster = Specimen::finished();
    cluster.version["status"]["history"][1]["version"] = json!(NEW);
    cluster.pool("worker")["spec"]["configuration"]["name"] = json!("rendered-worker-multi");
    cluster.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 58)]);
    cluster.mark("worker-0", &[("desiredConfig", "rendered-worker-multi"), ("state", "Working")]);
    assert_eq!(told(&cluster, 62).0, VerdictKind::UpdatingPools);
    cluster.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 80)]);
    assert_eq!(told(&cluster, 82).0, VerdictKind::ConfigRollout, "it began long after the migration");
}

#[test]
fn a_rest_that_is_not_well_says_so() {
    let mut cluster = Specimen::idle();
    cluster.node("worker-1")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "", -60);
    cluster.operator("dns")["status"]["conditions"][2] = condition("Degraded", "True", "Bad", "", -70);
    let (kind, why, _) = told(&cluster, 0);
    assert_eq!(kind, VerdictKind::NotUpdating);
    assert_eq!(why, "the cluster is at 4.18.22 and nothing rolls; worker-1 is not ready; dns is degraded");
}

#[test]
fn what_may_never_follow_is_listed_once_with_its_reason_and_a_link_may_always_be_lost() {
    for (at, (was, is, why)) in NEVER.iter().enumerate() {
        assert_ne!(was, is, "each follows itself");
        assert!(!why.is_empty() && !may_follow(*was, *is), "{was:?} -> {is:?}");
        assert!(NEVER[..at].iter().all(|(from, to, _)| (from, to) != (was, is)), "{was:?} -> {is:?} stands twice");
        for kind in [was, is] {
            assert!(may_follow(*kind, VerdictKind::Unknown) && may_follow(VerdictKind::Unknown, *kind), "{kind:?}");
            assert!(may_follow(*kind, VerdictKind::Failing) && may_follow(*kind, VerdictKind::NeedsPerson), "{kind:?}");
        }
    }
}

#[test]
fn findings_that_come_and_go_are_dated() {
    let mut cluster = Specimen::workers_left();
    let mut memory = Memory::default();
    cluster.watched(&mut memory, 61);
    cluster.node("worker-1")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "Kubelet stopped", 62);
    for minute in [62, 70] {
        cluster.watched(&mut memory, minute);
    }
    let assessment = cluster.watched(&mut memory, 75);
    let seen = assessment.findings.iter().find(|finding| finding.id == "node-not-ready").unwrap();
    assert_eq!(seen.first_seen, Some(at(62)));
    cluster.node("worker-1")["status"]["conditions"][0] = condition("Ready", "True", "", "", 76);
    let assessment = cluster.watched(&mut memory, 77);
    let texts: Vec<&str> = assessment.timeline.entries.iter().map(|entry| entry.text.as_str()).collect();
    let told = |start: &str| texts.iter().filter(|text| text.starts_with(start)).count();
    assert_eq!(
        (told("finding node-not-ready: "), told("finding node-not-ready cleared after 15m")),
        (1, 1),
        "{texts:#?}"
    );
    assert!(
        cluster.assess(75).findings.iter().all(|finding| finding.first_seen.is_none()),
        "one look saw nothing first"
    );
}

#[test]
fn a_paused_pool_of_the_old_release_does_not_make_an_update_of_a_config_rollout() {
    let mut cluster = Specimen::workers_left();
    cluster.pool("worker")["spec"]["paused"] = json!(true);
    cluster.pool("master")["spec"]["configuration"]["name"] = json!("rendered-master-more");
    cluster.mark("master-0", &[("desiredConfig", "rendered-master-more"), ("state", "Working")]);
    let (kind, why, _) = told(&cluster, 62);
    assert_eq!(kind, VerdictKind::ConfigRollout, "{why}");
}

#[test]
fn the_last_node_of_an_update_does_not_make_a_config_rollout_of_it() {
    let config = rendered("worker", NEW);
    let mut cluster = Specimen::workers_left();
    cluster.reaches("worker-0", "worker");
    cluster.reaches("worker-1", "worker");
    // worker-2 runs the new configuration and waits to be uncordoned.
    cluster.mark(
        "worker-2",
        &[
            ("currentConfig", &config),
            ("desiredConfig", &config),
            ("state", "Working"),
            ("desiredDrain", &format!("uncordon-{config}")),
        ],
    );
    cluster.pool("worker")["status"]["configuration"] =
        json!({"name": rendered("worker", crate::upgrade::specimen::OLD)});
    assert_eq!(
        told(&cluster, 80).0,
        VerdictKind::UpdatingPools,
        "the pool names what it comes from until all are there"
    );
    cluster.pool("worker")["status"]["configuration"] = json!(null);
    // A pool that was unpaused the day after.
    let mut memory = Memory::default();
    let mut late = Specimen::workers_left();
    late.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 1500)]);
    assert_eq!(late.watched(&mut memory, 1501).verdict.kind, VerdictKind::UpdatingPools);
    cluster.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 1500)]);
    assert_eq!(cluster.watched(&mut memory, 1502).verdict.kind, VerdictKind::UpdatingPools);
}

#[test]
fn a_pool_that_was_disturbed_long_after_an_update_ends_no_update() {
    let mut cluster = Specimen::finished();
    cluster.pool("worker")["status"]["conditions"] = json!([condition("Updated", "True", "", "", 5000)]);
    assert_eq!(told(&cluster, 5010).0, VerdictKind::NotUpdating);
    // Workers that took a day: seen to roll, or told by their MachineConfigNodes.
    let mut memory = Memory::default();
    let mut rolling = Specimen::workers_left();
    rolling.drains("worker-0", "worker", 5000);
    rolling.watched(&mut memory, 5001);
    assert_eq!(cluster.watched(&mut memory, 5010).verdict.kind, VerdictKind::Completed);
    cluster.steps("worker-0", vec![condition("Updated", "True", "", "", 5000)]);
    assert_eq!(told(&cluster, 5010).0, VerdictKind::NotUpdating, "it may be another configuration");
    for config in &mut cluster.machine_configs {
        config["metadata"]["creationTimestamp"] = json!(crate::upgrade::specimen::stamp(29));
    }
    let (kind, _, since) = told(&cluster, 5010);
    assert_eq!((kind, since), (VerdictKind::Completed, Some(at(5000))));
}

#[test]
fn a_node_that_drifts_is_updated_and_degraded() {
    let mut cluster = Specimen::finished();
    cluster.mark("worker-1", &[("state", "Degraded"), ("reason", "content mismatch for file \"/etc/x\"")]);
    let assessment = cluster.assess(100);
    let pool = assessment.pool("worker").unwrap();
    assert_eq!((pool.updated, pool.degraded, pool.outdated()), (3, 1, false));
    assert_eq!(assessment.verdict.kind, VerdictKind::NeedsPerson);
    assert!(assessment.verdict.why.contains("worker-1 is degraded: content mismatch"), "{}", assessment.verdict.why);
}

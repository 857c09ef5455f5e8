//! Each check: what it needs to speak, what it says, and when it stays silent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::{Finding, Impact, Level, Subject};
use crate::upgrade::assess::assess;
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::link::{LinkState, Trouble, TroubleKind};
use crate::upgrade::memory::Memory;
use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered, stamp};

fn findings(cluster: &Specimen, minute: i64) -> Vec<Finding> {
    cluster.assess(minute).findings
}

fn find(cluster: &Specimen, minute: i64, id: &str) -> Option<(Level, Subject, String, bool)> {
    let mut found = findings(cluster, minute).into_iter().filter(|finding| finding.id == id);
    let first = found.next().map(|finding| (finding.level, finding.subject, finding.title, finding.expected));
    assert!(found.next().is_none(), "one finding of {id} is enough here");
    first
}

fn on_node(name: &str) -> Subject {
    Subject::Node(name.to_owned())
}

#[test]
fn a_cluster_at_rest_has_nothing_to_say() {
    assert_eq!(findings(&Specimen::idle(), 0), []);
    assert_eq!(findings(&Specimen::finished(), 100), []);
    assert_eq!(findings(&Specimen::updating(), 5), []);
    assert_eq!(findings(&Specimen::rolling(), 32), []);
}

fn blocked_drain(last_attempt: i64) -> Specimen {
    let error = "Error: Node Drain has not succeeded. Error is: [error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s]";
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    cluster.steps(
        "worker-0",
        vec![
            condition("Updated", "False", "", "", 60),
            condition("Cordoned", "True", "", "", 61),
            condition("Drained", "Unknown", "", error, last_attempt),
        ],
    );
    cluster
}

#[test]
fn drain_blocked_names_the_pod_and_grows_with_age() {
    let cluster = blocked_drain(64);
    let mut others_go_on = blocked_drain(64);
    others_go_on.pool("worker")["spec"]["maxUnavailable"] = json!(2);
    let title = || "worker-0: drain blocked by shop/cart-0".to_owned();
    // Minute, when the pool waits for it, when it does not.
    let levels = [
        (65, Level::Info, Level::Info),
        (70, Level::Info, Level::Info),
        (71, Level::Error, Level::Warning),
        (120, Level::Error, Level::Warning),
        (121, Level::Error, Level::Error),
    ];
    for (minute, waited_for, alone) in levels {
        for (cluster, level) in [(&cluster, waited_for), (&others_go_on, alone)] {
            let expected = Some((level, on_node("worker-0"), title(), false));
            assert_eq!(find(cluster, minute, "drain-blocked"), expected, "minute {minute}");
        }
    }
    let finding = findings(&cluster, 75).into_iter().find(|finding| finding.id == "drain-blocked").unwrap();
    assert_eq!(finding.since, Some(at(61)), "a later attempt does not reset the clock");
    assert_eq!(finding.impact, Impact::UpdateStalled);
    let lines: Vec<_> = finding.remedies.iter().filter_map(|remedy| remedy.oc.as_deref()).collect();
    assert_eq!(lines, ["oc get pdb -n shop", "oc describe pod -n shop cart-0"], "its pods were not read");
}

#[test]
fn a_drain_that_lasts_over_an_hour_says_what_comes_of_it() {
    let cluster = blocked_drain(64);
    assert_eq!(find(&cluster, 120, "drain-over-an-hour"), None);
    assert_eq!(find(&cluster, 121, "drain-over-an-hour").unwrap().0, Level::Error);
}

#[test]
fn a_drain_that_the_daemon_gave_up_on_by_its_own_clock_has_no_beginning() {
    let mut cluster = blocked_drain(64);
    cluster.mark("worker-0", &[("state", "Degraded"), ("reason", "failed to drain node: worker-0 after 1 hour")]);
    let told = findings(&cluster, 70).into_iter().find(|finding| finding.id == "drain-over-an-hour").unwrap();
    assert_eq!(told.since, None, "an hour after what is known of it has not come yet");
    assert!(told.title.contains("gave up on the drain"), "{}", told.title);
}

#[test]
fn a_drain_that_was_only_begun_is_no_finding() {
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    assert_eq!(find(&cluster, 65, "drain-blocked"), None);
}

#[test]
fn an_old_event_says_nothing_about_a_new_drain() {
    let event = |minute: i64| {
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"},
            "reason": "DrainThresholdExceeded", "involvedObject": {"kind": "Node", "name": "worker-0"},
            "message": "Drain failed. Error message from drain: [error when evicting pods/\"old\" -n \"shop\": global timeout reached: 1m30s]",
            "lastTimestamp": stamp(minute),
        })
    };
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    cluster.events = vec![event(50)];
    assert_eq!(find(&cluster, 65, "drain-blocked"), None);
    cluster.events.push(event(64));
    let (.., title, _) = find(&cluster, 65, "drain-blocked").unwrap();
    assert!(title.contains("shop/old"), "{title}");
}

fn degraded_by(reason: &str) -> Specimen {
    let mut cluster = Specimen::workers_left();
    let config = rendered("worker", NEW);
    cluster.mark("worker-0", &[("desiredConfig", &config), ("state", "Degraded"), ("reason", reason)]);
    cluster
}

#[test]
fn each_reason_of_the_daemon_is_told_as_what_it_means() {
    // Reason, finding, a word of its title, a word of what it means or asks for.
    let table = [
        (
            "unexpected on-disk state validating against rendered-x: content mismatch for file \"/etc/a\"",
            "config-drift",
            "/etc/a",
            "changed by hand",
        ),
        (
            "unexpected on-disk state validating against rendered-x: expected target osImageURL \"a\", have \"b\"",
            "os-image-mismatch",
            "did not boot",
            "/boot",
        ),
        (
            "can't reconcile config a with b: ignition disks section contains changes",
            "unreconcilable",
            "ignition disks",
            "Take that change back",
        ),
        (
            "machineconfig.machineconfiguration.openshift.io \"rendered-x\" not found",
            "rendered-config-missing",
            "rendered-x",
            "delete its Machine",
        ),
        (
            "podman pull -q x: pinging container registry r.example: lookup r.example: no such host",
            "node-pull-failed",
            "name cannot be resolved",
            "https://r.example/v2/",
        ),
        ("podman pull -q x: unauthorized", "node-pull-failed", "credentials", "pull secret"),
        ("error writing: no space left on device", "node-disk-full", "no space left", "df -h"),
        ("reboot command failed, something is seriously wrong", "reboot-failed", "could not be rebooted", "console"),
        (
            "failed to uncordon node: worker-0 after 10 minutes",
            "uncordon-failed",
            "stays cordoned",
            "oc adm uncordon worker-0",
        ),
    ];
    for (reason, id, title, word) in table {
        let all = findings(&degraded_by(reason), 61);
        let found = all.iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{reason}: {all:#?}"));
        assert_eq!((found.level, &found.subject), (Level::Error, &on_node("worker-0")), "{reason}");
        assert!(found.title.contains(title), "{reason}: {}", found.title);
        let said = format!("{} {:?}", found.meaning, found.remedies);
        assert!(said.contains(word), "{reason}: {said}");
        let ids: Vec<&str> = all.iter().map(|finding| finding.id).collect();
        assert_eq!(ids[..2], [id, "node-degraded"], "the cause, then what follows from it");
        assert_eq!(all[1].because, Some((id, on_node("worker-0"))));
        assert_eq!(all[1].title, "Node worker-0 is degraded", "the words that people know from oc");
    }
}

#[test]
fn a_reason_that_is_not_understood_stands_for_itself() {
    for reason in ["something new", "failed to drain node: worker-0 after 1 hour"] {
        let found =
            findings(&degraded_by(reason), 61).into_iter().find(|finding| finding.id == "node-degraded").unwrap();
        assert_eq!((found.level, found.because), (Level::Error, None), "{reason}");
        assert!(found.meaning.starts_with(reason), "{}", found.meaning);
    }
}

#[test]
fn a_node_that_reboots_is_not_ready_as_expected_and_lost_when_it_takes_long() {
    let mut cluster = Specimen::workers_left();
    cluster.drains("worker-0", "worker", 61);
    let drain = format!("drain-{}", rendered("worker", NEW));
    cluster.mark("worker-0", &[("lastAppliedDrain", &drain), ("post-config-action", "Rebooting")]);
    cluster.node("worker-0")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "", 65);
    let table = [
        (66, (Level::Info, true), None),
        (74, (Level::Info, true), None),
        (75, (Level::Warning, false), Some(Level::Warning)),
        (85, (Level::Warning, false), Some(Level::Error)),
    ];
    for (minute, not_ready, lost) in table {
        let (level, _, title, expected) = find(&cluster, minute, "node-not-ready").unwrap();
        assert_eq!(((level, expected), title.as_str()), (not_ready, "Node worker-0 is not ready"), "minute {minute}");
        let told = find(&cluster, minute, "node-lost-in-reboot").map(|(level, ..)| level);
        assert_eq!(told, lost, "minute {minute}");
    }
    let not_ready = findings(&cluster, 85).into_iter().find(|finding| finding.id == "node-not-ready").unwrap();
    assert_eq!(not_ready.because, Some(("node-lost-in-reboot", on_node("worker-0"))));
}

#[test]
fn a_silent_node_that_nothing_works_on_is_warned_of_at_once() {
    let mut silent = Specimen::idle();
    silent.node("worker-0")["status"]["conditions"][0] =
        condition("Ready", "Unknown", "", "Kubelet stopped posting node status.", -3);
    for minute in [0, 2, 200] {
        let (told, _, title, expected) = find(&silent, minute, "node-not-ready").unwrap();
        let seen = (told, expected, title.as_str());
        assert_eq!(seen, (Level::Warning, false, "Node worker-0 is not ready"), "minute {minute}");
    }
}

#[test]
fn disk_and_network_are_told_at_once_and_what_is_not_heard_says_nothing() {
    for (kind, id) in [("DiskPressure", "node-disk-pressure"), ("NetworkUnavailable", "node-network-unavailable")] {
        let mut cluster = Specimen::idle();
        let ready = cluster.node("worker-0")["status"]["conditions"][0].clone();
        cluster.node("worker-0")["status"]["conditions"] = json!([ready, condition(kind, "True", "", "", 0)]);
        assert_eq!(find(&cluster, 0, id).unwrap().0, Level::Warning, "{kind}");
        let silent = condition("Ready", "Unknown", "", "", 0);
        cluster.node("worker-0")["status"]["conditions"] = json!([condition(kind, "Unknown", "", "", 0), silent]);
        assert_eq!(find(&cluster, 0, id), None, "{kind}: the node is not heard");
        assert!(find(&cluster, 0, "node-not-ready").unwrap().2.contains(" | "), "all of it in one line, as oc has it");
    }
}

#[test]
fn pool_paused_has_ocs_words_and_is_expected_while_the_control_plane_updates() {
    let paused = |mut cluster: Specimen, pool: &str, minute, id| {
        cluster.pool(pool)["spec"]["paused"] = json!(true);
        find(&cluster, minute, id).map(|(level, _, title, expected)| (level, title, expected))
    };
    let told = |expected| {
        let title = "Outdated nodes in a paused pool 'worker' will not be updated".to_owned();
        Some((Level::Warning, title, expected))
    };
    assert_eq!(paused(Specimen::idle(), "worker", 0, "pool-paused"), None, "nothing is pending");
    assert_eq!(paused(Specimen::updating(), "worker", 5, "pool-paused"), told(true), "the documented procedure");
    assert_eq!(paused(Specimen::workers_left(), "worker", 61, "pool-paused"), told(false), "all that is left");
    let (level, title, _) = paused(Specimen::updating(), "master", 5, "required-pool-paused").unwrap();
    assert_eq!((level, title.as_str()), (Level::Error, "pool master is paused: the update cannot end"));
    assert_eq!(paused(Specimen::updating(), "worker", 5, "required-pool-paused"), None);
}

#[test]
fn pool_degraded_finds_the_message_where_it_is() {
    let mut cluster = Specimen::idle();
    cluster.pool("worker")["status"]["conditions"] = json!([
        condition("RenderDegraded", "True", "", "Failed to render configuration for pool worker: bad ignition", -5),
        condition("Degraded", "True", "", "", -5),
    ]);
    let (level, subject, title, _) = find(&cluster, 0, "pool-degraded").unwrap();
    assert_eq!((level, subject), (Level::Error, Subject::Pool("worker".to_owned())));
    assert!(title.contains("bad ignition"), "{title}");
}

#[test]
fn capacity_exhausted_names_who_holds_it() {
    let mut cluster = Specimen::workers_left();
    cluster.cordon("worker-2", "kubectl-cordon", 50);
    assert_eq!(find(&cluster, 51, "capacity-exhausted").unwrap().0, Level::Warning);
    let (level, _, title, _) = find(&cluster, 61, "capacity-exhausted").unwrap();
    assert_eq!(level, Level::Error, "after five minutes of nothing");
    assert_eq!(title, "pool worker: 3 nodes to come, no capacity: cordoned worker-2");
    cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
    assert_eq!(find(&cluster, 61, "capacity-exhausted"), None);
}

fn operator_with(condition: serde_json::Value, place: usize) -> Specimen {
    let mut cluster = Specimen::updating();
    cluster.operator("etcd")["status"]["conditions"][place] = condition;
    cluster
}

#[test]
fn unavailable_and_degraded_operators_grow_with_age() {
    let unavailable = operator_with(condition("Available", "False", "Down", "no leader", 0), 0);
    let degraded =
        operator_with(condition("Degraded", "True", "EtcdMembers_UnhealthyMembers", "one member is gone", 0), 2);
    let levels = [(2, Level::Info), (6, Level::Warning), (25, Level::Error)];
    for (minute, level) in levels {
        assert_eq!(find(&unavailable, minute, "operator-unavailable").unwrap().0, level, "minute {minute}");
    }
    let levels = [(2, Level::Info), (6, Level::Warning), (39, Level::Warning), (41, Level::Error)];
    for (minute, level) in levels {
        let (told, _, title, expected) = find(&degraded, minute, "operator-degraded").unwrap();
        assert_eq!((told, expected), (level, false), "minute {minute}: {title}");
    }
    assert_eq!(find(&unavailable, 6, "operator-degraded"), None);
}

#[test]
fn a_degraded_etcd_is_expected_while_a_master_reboots() {
    let mut cluster = Specimen::rolling();
    cluster.operator("etcd")["status"]["conditions"][2] =
        condition("Degraded", "True", "EtcdMembers_UnhealthyMembers", "", 33);
    cluster.drains("master-0", "master", 32);
    let (level, _, title, expected) = find(&cluster, 40, "operator-degraded").unwrap();
    assert_eq!((level, expected), (Level::Warning, true), "as oc weighs it, and marked");
    assert_eq!(title, "Cluster Operator etcd is degraded (EtcdMembers_UnhealthyMembers)");
    let (level, _, _, expected) = find(&cluster, 40, "etcd-member-unhealthy").unwrap();
    assert_eq!((level, expected), (Level::Warning, true));
    let (level, _, _, expected) = find(&cluster, 74, "operator-degraded").unwrap();
    assert_eq!((level, expected), (Level::Error, false), "no reboot takes that long");
}

#[test]
fn cvo_failing_has_two_shades() {
    let mut cluster = Specimen::updating();
    cluster.says("Failing", "True", "UpdatePayloadFailed", "could not apply", 3);
    let title = |cluster: &Specimen| find(cluster, 5, "cvo-failing").map(|(level, _, title, _)| (level, title));
    let is = "Cluster Version version is failing to proceed with the update (UpdatePayloadFailed)".to_owned();
    assert_eq!(title(&cluster), Some((Level::Warning, is)));
    cluster.says("Failing", "Unknown", "SlowClusterOperator", "waiting on etcd", 3);
    let may = "Cluster Version version may be failing to proceed with the update (SlowClusterOperator)".to_owned();
    assert_eq!(title(&cluster), Some((Level::Warning, may)));
}

#[test]
fn a_request_is_a_finding_when_it_is_refused_or_takes_long() {
    let mut cluster = Specimen::idle();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    cluster.says("ReleaseAccepted", "Unknown", "RetrievePayload", "Retrieving", 0);
    assert_eq!(find(&cluster, 3, "release-not-accepted"), None);
    assert_eq!(find(&cluster, 6, "release-not-accepted").unwrap().0, Level::Warning);
    cluster.says("ReleaseAccepted", "False", "PreconditionChecks", "Preconditions failed", 4);
    let (level, _, title, _) = find(&cluster, 6, "release-not-accepted").unwrap();
    assert_eq!(level, Level::Error);
    assert_eq!(title, format!("the update to {NEW} was refused (PreconditionChecks): Preconditions failed"));
    let message = "Preconditions failed for payload loaded version=\"4.19.3\" image=\"quay.io/r@sha256:ab\": Multiple precondition \
                   checks failed:\n* Precondition \"ClusterVersionUpgradeable\" failed because of \"AdminAckRequired\": read \
                   this first\n* Precondition \"EtcdRecentBackup\" failed because of \"ControllerStarted\": ";
    cluster.says("ReleaseAccepted", "False", "PreconditionChecks", message, 4);
    let (_, _, title, _) = find(&cluster, 5, "release-not-accepted").unwrap();
    let why = "AdminAckRequired (ClusterVersionUpgradeable), ControllerStarted (EtcdRecentBackup)";
    assert_eq!(title, format!("the update to {NEW} was refused (PreconditionChecks): {why}"));

    cluster.says("Invalid", "True", "InvalidClusterVersion", "not an available update", 4);
    assert_eq!(find(&cluster, 6, "release-not-accepted"), None, "said by invalid-request");
    assert_eq!(find(&cluster, 6, "invalid-request").unwrap().0, Level::Error);
}

#[test]
fn what_the_cluster_version_repeats_is_told_below_its_cause() {
    let because = |cluster: &Specimen| {
        let found = findings(cluster, 0).into_iter();
        let mut of_version =
            found.filter(|finding| finding.id == "not-upgradeable" && finding.subject == Subject::Version);
        of_version.next().map(|finding| finding.because)
    };
    let mut cluster = Specimen::idle();
    cluster.says("Upgradeable", "False", "MultipleReasons", "two reasons", -60);
    assert_eq!(because(&cluster), Some(None));
    cluster.version["spec"]["overrides"] =
        json!([{"kind": "Deployment", "namespace": "a", "name": "b", "unmanaged": true}]);
    assert_eq!(because(&cluster), Some(Some(("cv-overrides", Subject::Version))));
    let conditions = cluster.operator("dns")["status"]["conditions"].as_array_mut().unwrap();
    conditions.push(condition("Upgradeable", "False", "OldDriver", "remove it", -60));
    assert_eq!(because(&cluster), Some(Some(("not-upgradeable", Subject::Operator("dns".to_owned())))));
}

/// Each refusal has one finding, named by its cause.
#[test]
fn a_refusal_is_named_by_its_cause() {
    let table = [
        (
            "RetrievePayload",
            "Retrieving payload failed version=\"4.19.3\" failure=The update cannot be verified: unable to verify sha256:1",
            "signature-missing",
        ),
        ("RetrievePayload", "Retrieving payload failed version=\"4.19.3\" failure=timed out", "payload-pull-failed"),
        ("LoadPayload", "Loading payload failed", "payload-pull-failed"),
        (
            "VerifyPayloadVersion",
            "Verifying payload failed: release image version 4.19.4 does not match",
            "payload-version-mismatch",
        ),
        (
            "PreconditionChecks",
            "Precondition \"ClusterVersionGiantHop\" failed because of \"MultipleMinorVersionsUpdate\"",
            "hop-refused",
        ),
        (
            "PreconditionChecks",
            "Precondition \"ClusterVersionRollback\" failed because of \"LowDesiredVersion\"",
            "hop-refused",
        ),
        (
            "PreconditionChecks",
            "Precondition \"ClusterVersionUpgradeable\" failed because of \"AdminAckRequired\"",
            "release-not-accepted",
        ),
    ];
    let all: std::collections::BTreeSet<&str> = table.iter().map(|(.., id)| *id).collect();
    for (step, message, expected) in table {
        let mut cluster = Specimen::idle();
        cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW, "image": "registry/release@sha256:new"});
        cluster.says("ReleaseAccepted", "False", step, message, 4);
        let found = findings(&cluster, 6);
        let ids: Vec<&str> = found.iter().map(|finding| finding.id).filter(|id| all.contains(id)).collect();
        assert_eq!(ids, [expected], "{message}");
        let finding = found.iter().find(|finding| finding.id == expected).unwrap();
        assert_eq!((finding.level, finding.since), (Level::Error, Some(at(4))));
        assert!(finding.meaning.contains(message), "{}", finding.meaning);
        assert!(
            finding.remedies.iter().any(|remedy| remedy.oc.as_deref() == Some("oc adm upgrade --clear")),
            "{expected}"
        );
    }
}

#[test]
fn failing_before_the_forty_minutes_of_a_degraded_operator_is_of_low_confidence() {
    let mut cluster = Specimen::updating();
    cluster.operator("dns")["status"]["conditions"][2] = condition("Degraded", "True", "Pods", "one is missing", -9000);
    cluster.says("Failing", "True", "ClusterOperatorDegraded", "Cluster operator dns is degraded", 20);
    let title = "Cluster Version version is failing to proceed with the update (ClusterOperatorDegraded)".to_owned();
    let told = |minute| {
        let found = findings(&cluster, minute).into_iter();
        found
            .filter(|finding| finding.id.starts_with("cvo-"))
            .map(|finding| (finding.id, finding.title))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(39), [("cvo-failing-early", title.clone())], "the clock does not start before the update");
    assert_eq!(told(41), [("cvo-failing", title)]);
    let several = "Multiple errors are preventing progress:\n* Cluster operator dns is degraded\n* Could not update deployment \"a/b\" (12 of 859): the object is invalid";
    cluster.says("Failing", "True", "MultipleErrors", several, 20);
    let finding = findings(&cluster, 39).into_iter().find(|finding| finding.id == "several-errors").unwrap();
    assert!(finding.meaning.contains("2 errors") && finding.meaning.contains("Low confidence"), "{}", finding.meaning);
    let (level, _, title, _) = find(&cluster, 39, "update-blocked-by-webhook").unwrap();
    assert_eq!(level, Level::Error);
    assert!(title.starts_with("deployment a/b (12 of 859) cannot be applied: the object is invalid"), "{title}");
}

#[test]
fn a_slow_operator_is_told_by_its_countdown_first() {
    let mut cluster = Specimen::updating();
    cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "Rolling", "2 of 3 pods", 5);
    let told = |minute| find(&cluster, minute, "operator-slow").map(|(level, _, title, _)| (level, title));
    assert_eq!(told(25), None);
    assert_eq!(
        told(27),
        Some((Level::Info, "dns has been updating for 22m, 8m left before it counts as slow".to_owned()))
    );
    assert_eq!(
        told(36),
        Some((Level::Warning, "dns has been updating for 31m, longer than the 30m it should take".to_owned()))
    );
}

#[test]
fn not_upgradeable_matters_when_a_minor_is_on_offer_and_not_during_an_update() {
    let mut cluster = Specimen::idle();
    cluster.says("Upgradeable", "False", "AdminAckRequired", "Kubernetes 1.32 removes APIs", -60);
    assert_eq!(find(&cluster, 0, "not-upgradeable").unwrap().0, Level::Info);
    cluster.version["status"]["availableUpdates"] = json!([{"version": NEW, "image": "i"}]);
    let (level, _, title, _) = find(&cluster, 0, "not-upgradeable").unwrap();
    assert_eq!((level, title.as_str()), (Level::Warning, "minor updates are held up: Kubernetes 1.32 removes APIs"));

    let mut updating = Specimen::updating();
    updating.says("Upgradeable", "False", "ClusterVersionUpdating", "", 0);
    assert_eq!(find(&updating, 5, "not-upgradeable"), None, "normal while an update runs");
}

#[test]
fn node_unmanaged_finds_the_node_that_nobody_updates() {
    let mut cluster = Specimen::idle();
    for role in ["infra", "gpu"] {
        let mut pool = cluster.pool("worker").clone();
        pool["metadata"]["name"] = json!(role);
        let label = format!("node-role.kubernetes.io/{role}");
        pool["spec"]["nodeSelector"] = json!({"matchLabels": {label.clone(): ""}});
        cluster.node("worker-0")["metadata"]["labels"][label] = json!("");
        cluster.pools.push(pool);
    }
    let (level, subject, title, _) = find(&cluster, 0, "node-in-two-pools").unwrap();
    assert_eq!((level, subject), (Level::Warning, on_node("worker-0")));
    assert_eq!(title, "no pool updates worker-0: pools gpu and infra both select it");
    assert_eq!(find(&cluster, 0, "node-unmanaged"), None, "said already");

    cluster.node("worker-0")["metadata"]["labels"]["kubernetes.io/os"] = json!("windows");
    assert_eq!(find(&cluster, 0, "node-in-two-pools"), None, "Windows nodes have an operator of their own");
    assert_eq!(
        find(&cluster, 0, "windows-node").map(|(level, _, _, expected)| (level, expected)),
        Some((Level::Info, true))
    );

    let labels = json!({"kubernetes.io/os": "linux", "node-role.kubernetes.io/spare": ""});
    cluster.node("worker-0")["metadata"]["labels"] = labels;
    let (.., title, _) = find(&cluster, 0, "node-unmanaged").unwrap();
    assert_eq!(title, "no pool updates worker-0: its roles (spare) belong to none");
}

/// Numbers that no cluster has, but that anybody may write.
#[test]
fn absurd_numbers_are_no_reason_to_fall_over() {
    let mut cluster = Specimen::updating();
    let absurd = format!("4.{}.0", u64::MAX);
    cluster.version["status"]["desired"]["version"] = json!(absurd);
    cluster.version["status"]["availableUpdates"] = json!([{"version": absurd, "image": "i"}]);
    let mut etcd = condition("Degraded", "True", "EtcdMembers_UnhealthyMembers", "", 5);
    etcd["message"] = json!("EtcdMembersDegraded: 4294967295 of 4294967295 members are available");
    cluster.operator("etcd")["status"]["conditions"][2] = etcd;
    let assessment = cluster.assess(20);
    assert!(assessment.findings.iter().any(|finding| finding.id == "etcd-member-unhealthy"));
    let list = crate::upgrade::preflight::preflight(&assessment, Some(&absurd));
    assert!(list.rows.iter().any(|row| row.id == "target"));
}

/// The lines of all remedies of a finding.
fn lines<'a>(all: &'a [Finding], id: &str) -> Vec<&'a str> {
    let found = all.iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{id}: {all:#?}"));
    found.remedies.iter().filter_map(|remedy| remedy.oc.as_deref()).collect()
}

#[test]
fn drift_is_told_by_the_machine_config_node_and_by_events_too() {
    let drift = "unexpected on-disk state validating against rendered-x: content mismatch for file \"/etc/a\"";
    // A later failure took the place of the annotation; the MachineConfigNode still has the first.
    let mut cluster = degraded_by("something else");
    let told = json!({"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigNode",
        "metadata": {"name": "worker-0"}, "status": {"conditions": [
        {"type": "NodeDegraded", "status": "True", "message": drift, "lastTransitionTime": stamp(60)}]}});
    cluster.machine_config_nodes.retain(|node| node["metadata"]["name"] != "worker-0");
    cluster.machine_config_nodes.push(told);
    let all = findings(&cluster, 61);
    let found = all.iter().find(|finding| finding.id == "config-drift").unwrap_or_else(|| panic!("{all:#?}"));
    assert!(found.title.contains("/etc/a"), "{}", found.title);
    assert_eq!(found.evidence[0].object, "machineconfignode/worker-0");

    for (reason, message, id) in [
        ("ConfigDriftDetected", "content is odd", "config-drift"),
        ("OnDiskStateValidationFailed", "expected target osImageURL \"a\", have \"b\"", "os-image-mismatch"),
    ] {
        let event = |minutes: i64| {
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"}, "reason": reason,
                "message": message, "involvedObject": {"kind": "Node", "name": "worker-0"}, "lastTimestamp": stamp(minutes)})
        };
        let mut cluster = degraded_by("words that no release has used before");
        cluster.events.push(event(61));
        let all = findings(&cluster, 62);
        let found = all.iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{reason}: {all:#?}"));
        assert_eq!(found.evidence[0].field, format!("event {reason}"));
        let degraded = all.iter().find(|finding| finding.id == "node-degraded").unwrap();
        assert_eq!(degraded.because.as_ref().map(|(id, _)| *id), Some(id));
    }
}

#[test]
fn a_configuration_that_does_not_exist_is_seen_without_any_message() {
    let mut cluster = Specimen::updating();
    cluster.mark("worker-0", &[("currentConfig", "rendered-worker-gone")]);
    let found = findings(&cluster, 61);
    let about = found.iter().find(|finding| finding.id == "rendered-config-missing").unwrap();
    assert_eq!(about.title, "worker-0 refers to rendered-worker-gone, which does not exist");
    assert_eq!((about.evidence[0].field.as_str(), &about.subject), ("currentConfig", &on_node("worker-0")));
    // A list that does not even hold what the pool asks for is no evidence.
    cluster.machine_configs.retain(|config| config["metadata"]["name"] == "rendered-master-4.19.3");
    let found = findings(&cluster, 61);
    assert!(!found.iter().any(|finding| finding.id == "rendered-config-missing"), "{found:#?}");
}

#[test]
fn lines_work_as_they_are_written() {
    let found = of_facts(|facts| {
        let requests = (0..12).map(|number| {
            json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                "metadata": {"name": format!("csr-{number:02}")},
                "spec": {"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:worker-0"}})
        });
        let requests: Vec<_> = requests.collect();
        facts.around = crate::upgrade::assemble::from_values(&requests, at(0)).around;
    });
    let approve = "oc adm certificate approve csr-00 csr-01 csr-02 csr-03 csr-04 csr-05 csr-06 csr-07 csr-08 csr-09";
    assert!(lines(&found, "csr-pending").contains(&approve), "{found:#?}");

    let hostile = "unexpected on-disk state validating against x: content mismatch for file \"/etc/a; rm -rf ~\"";
    let found = findings(&degraded_by(hostile), 61);
    assert!(lines(&found, "config-drift").iter().all(|line| !line.contains("rm -rf")), "{found:#?}");
}

#[test]
fn machines_of_the_control_plane_are_not_offered_to_be_deleted() {
    for (role, offered) in [("worker", true), ("master", false)] {
        let found = of_facts(|facts| {
            let machine = json!({"apiVersion": "machine.openshift.io/v1beta1", "kind": "Machine",
                "metadata": {"name": "m-0", "namespace": "openshift-machine-api",
                    "labels": {"machine.openshift.io/cluster-api-machine-role": role}},
                "status": {"phase": "Failed"}});
            facts.around = crate::upgrade::assemble::from_values([&machine], at(0)).around;
        });
        let deletes = lines(&found, "machine-failed").iter().any(|line| line.starts_with("oc delete machine"));
        assert_eq!(deletes, offered, "{role}");
    }
    let missing = "machineconfig.machineconfiguration.openshift.io \"rendered-x\" not found";
    let mut cluster = Specimen::updating();
    cluster.mark("master-0", &[("state", "Degraded"), ("reason", missing)]);
    let found = findings(&cluster, 61);
    assert!(lines(&found, "rendered-config-missing").iter().all(|line| !line.contains("get machines")), "{found:#?}");
}

fn of_facts(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
    let mut facts = Specimen::idle().facts(0);
    change(&mut facts);
    assess(Arc::new(facts), &Memory::default(), at(0)).findings
}

fn trouble() -> Trouble {
    Trouble { kind: TroubleKind::Forbidden, words: "not allowed".to_owned(), hint: "ask".to_owned(), since: at(-5) }
}

#[test]
fn a_kind_that_cannot_be_read_is_said_and_an_absent_one_is_not() {
    let with =
        |status: KindStatus| of_facts(|facts| facts.kinds.entry(Kind::MachineConfigNodes).or_default().status = status);
    assert_eq!(with(KindStatus::Absent), [], "older releases have none");
    let forbidden = with(KindStatus::Forbidden(trouble()));
    assert_eq!((forbidden[0].id, forbidden[0].level), ("kind-unreadable", Level::Warning));
    assert!(forbidden[0].title.contains("machineconfignodes may not be read"), "{}", forbidden[0].title);
    assert!(forbidden[0].meaning.contains("annotations"), "what is lost: {}", forbidden[0].meaning);
    let unreadable = of_facts(|facts| {
        let state = facts.kinds.entry(Kind::Nodes).or_default();
        state.unreadable.push(("worker-7".to_owned(), "no object".to_owned()));
    });
    assert!(unreadable[0].title.contains("worker-7"), "{}", unreadable[0].title);
}

#[test]
fn a_watch_that_breaks_for_a_moment_is_no_finding() {
    let failing = |since| {
        of_facts(|facts| {
            let trouble = Trouble { kind: TroubleKind::Refused, since, ..trouble() };
            facts.kinds.entry(Kind::Nodes).or_default().status = KindStatus::Failing(trouble);
        })
    };
    assert_eq!(failing(at(0) - TimeDelta::seconds(4)), [], "every watch breaks before it is known that nobody answers");
    let lasting = failing(at(0) - TimeDelta::seconds(40));
    assert!(lasting[0].title.contains("nodes cannot be watched"), "{}", lasting[0].title);
}

#[test]
fn a_stale_link_is_one_finding_and_an_expected_one_is_milder() {
    let stale = |expected: Option<&str>| {
        of_facts(|facts| {
            facts.link.state = LinkState::Stale { since: at(0) - TimeDelta::seconds(42) };
            facts.link.expected_outage = expected.map(str::to_owned);
            facts.kinds.entry(Kind::Nodes).or_default().status = KindStatus::Failing(trouble());
        })
    };
    let surprise = stale(None);
    assert_eq!(surprise.len(), 1, "not one for each kind: {surprise:?}");
    assert_eq!((surprise[0].id, surprise[0].level, surprise[0].expected), ("link-stale", Level::Error, false));
    assert!(surprise[0].title.contains("for 42s"), "{}", surprise[0].title);
    let expected = stale(Some("master-1 is rebooting"));
    assert_eq!((expected[0].level, expected[0].expected), (Level::Warning, true));
    assert!(expected[0].meaning.contains("master-1 is rebooting"), "{}", expected[0].meaning);
}

#[test]
fn the_worst_comes_first() {
    let mut cluster = blocked_drain(64);
    cluster.operator("etcd")["status"]["conditions"][2] = condition("Degraded", "True", "Members", "", 70);
    cluster.says("Upgradeable", "False", "AdminAckRequired", "", -60);
    let ids: Vec<&str> = findings(&cluster, 77).into_iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["drain-blocked", "operator-degraded", "not-upgradeable"]);
}

#[test]
fn one_cause_is_told_once_and_what_follows_stands_below_it() {
    let mut cluster = degraded_by("podman pull -q x: unauthorized");
    cluster.pool("worker")["status"]["conditions"] = json!([
        condition("NodeDegraded", "True", "", "Node worker-0 is reporting: unauthorized", 60),
        condition("Degraded", "True", "", "", 60),
        condition("Updating", "True", "", "", 30),
    ]);
    cluster.operator("machine-config")["status"]["conditions"][2] =
        condition("Degraded", "True", "RequiredPoolsFailed", "pool worker is not ready", 61);
    cluster.says("Failing", "True", "ClusterOperatorDegraded", "Cluster operator machine-config is degraded", 101);
    cluster.operator("dns")["status"]["conditions"][2] =
        condition("Degraded", "True", "Own", "a trouble of its own", 20);
    let all = findings(&cluster, 102);
    let place = |id: &str, subject: &str| {
        let at = all.iter().position(|finding| finding.id == id && format!("{:?}", finding.subject).contains(subject));
        at.unwrap_or_else(|| panic!("{id} of {subject}: {all:#?}"))
    };
    let chain = [
        place("node-pull-failed", "worker-0"),
        place("node-degraded", "worker-0"),
        place("pool-degraded", "worker"),
        place("operator-degraded", "machine-config"),
        place("cvo-failing", "Version"),
    ];
    assert!(chain.is_sorted(), "each below its cause: {chain:?}");
    for pair in chain.windows(2) {
        let cause = &all[pair[0]];
        assert_eq!(all[pair[1]].because, Some((cause.id, cause.subject.clone())), "{}", all[pair[1]].title);
    }
    let dns = place("operator-degraded", "dns");
    assert_eq!(all[dns].because, None, "a trouble of its own");
    assert!(dns > chain[4], "what blocks progress comes first: {dns}");
}

#[test]
fn a_pool_that_no_cordon_holds_up_is_not_blamed_on_one() {
    let mut cluster = Specimen::workers_left();
    cluster.cordon("worker-2", "kubectl-cordon", 50);
    let exhausted = |cluster: &Specimen| {
        findings(cluster, 61)
            .into_iter()
            .find(|finding| finding.id == "capacity-exhausted")
            .map(|finding| finding.because)
    };
    assert_eq!(exhausted(&cluster), Some(Some(("node-cordoned", on_node("worker-2")))));
    cluster.cordon("master-2", "kubectl-cordon", 50);
    assert_eq!(exhausted(&cluster), Some(Some(("node-cordoned", on_node("worker-2")))), "another pool's node");
}

#[test]
fn causes_that_point_in_a_circle_or_nowhere_are_dropped() {
    let of = |id: &'static str, because: &'static str| Finding {
        because: Some((because, on_node("n"))),
        ..super::finding(id, Level::Info, on_node("n"), id.to_owned())
    };
    let cluster = Specimen::idle().assess(0);
    let memory = Memory::default();
    let look = super::Look::at(&cluster, &memory);
    let mut found = vec![of("a", "b"), of("b", "a"), of("c", "c"), of("d", "gone"), of("e", "b")];
    super::causes::link(&look, &mut found);
    let causes: Vec<Option<&str>> = found.iter().map(|finding| finding.because.as_ref().map(|(id, _)| *id)).collect();
    assert_eq!(causes, [None, Some("a"), None, None, Some("b")]);
    let order: Vec<&str> = super::causes::order(found).into_iter().map(|finding| finding.id).collect();
    assert_eq!(order, ["a", "b", "e", "c", "d"], "none is lost");
}

#[test]
fn certificates_are_judged_by_the_signer_that_lives_long_and_by_what_a_pause_holds_back() {
    let with = |version: &str, paused: bool, expirys: serde_json::Value| {
        let mut cluster = Specimen::idle();
        cluster.version["status"]["desired"]["version"] = json!(version);
        let pool = cluster.pool("worker");
        pool["spec"]["paused"] = json!(paused);
        pool["status"]["certExpirys"] = expirys;
        find(&cluster, 0, "pool-certificates").map(|(level, ..)| level)
    };
    let signer = |days: i64| {
        json!({"bundle": "KubeAPIServerServingCAData", "subject": "CN=kube-apiserver-to-kubelet-signer,OU=openshift",
               "expiry": stamp(days * 24 * 60)})
    };
    let short =
        json!({"bundle": "KubeAPIServerServingCAData", "subject": "CN=kube-csr-signer_@17", "expiry": stamp(60)});
    assert_eq!(with(NEW, false, json!([short, signer(200)])), None, "it is renewed every few weeks");
    assert_eq!(with(NEW, false, json!([signer(5)])), Some(Level::Warning));
    assert_eq!(with(NEW, false, json!([signer(5), signer(360)])), None, "its successor is there");
    assert_eq!(with(NEW, true, json!([signer(40)])), None, "delivered although the pool is paused");
    assert_eq!(with("4.12.30", true, json!([signer(40)])), Some(Level::Warning), "held back by the pause");
    assert_eq!(with("4.12.30", true, json!([signer(10)])), Some(Level::Critical));
    assert_eq!(with(NEW, false, json!([signer(-1)])), Some(Level::Critical));
}

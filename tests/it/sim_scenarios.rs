//! Every scenario comes to its end, and what goes wrong in it begins, shows itself and is over.

use std::time::Duration;

use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{MaxUnavailable, Mishap, MishapKind, Scenario, Span};
use serde_json::{Value, json};

use crate::sim_story::{Story, ask_for, completed, condition, events, minor, pause, pool_updated};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

impl Story {
    /// Lets time pass in steps of five seconds until something is true.
    fn stride(&mut self, what: &str, limit: Duration, truth: impl Fn(&Self) -> bool) {
        let end = self.actors.elapsed() + limit;
        while !truth(self) {
            assert!(self.actors.elapsed() < end, "{what}: not within {limit:?}\n{}{}", self.summary(), self.mishaps());
            let real = self.pace.scale(Duration::from_secs(5));
            self.now += chrono::TimeDelta::from_std(real).unwrap();
            self.actors.step(self.now);
        }
    }

    fn all_pools_updated(&self, but: &[&str]) -> bool {
        let pools = self.store.list(Res::MACHINE_CONFIG_POOLS);
        pools
            .iter()
            .map(|pool| pool["metadata"]["name"].as_str().unwrap())
            .all(|pool| but.contains(&pool) || pool_updated(self, pool))
    }

    fn mishaps(&self) -> String {
        let cases = self.actors.mishaps().cases();
        cases.iter().map(|case| format!("{}: {:?} to {:?}\n", case.mishap, case.began, case.ended)).collect()
    }

    /// The update to a version is complete, pools and all.
    fn is_at(&self, version: &str) -> bool {
        let desired = self.version()["status"]["desired"]["version"] == version;
        desired && completed(self) && self.all_pools_updated(&[])
    }

    /// A mishap was on and is over.
    fn all_over(&self) -> bool {
        self.actors.mishaps().cases().iter().all(|case| case.began.is_some() && case.ended.is_some())
    }

    fn is_on(&self, kind: MishapKind) -> bool {
        self.actors.mishaps().cases().iter().any(|case| case.mishap.kind == kind && case.is_on())
    }

    fn is_over(&self, kind: MishapKind) -> bool {
        self.actors.mishaps().cases().iter().any(|case| case.mishap.kind == kind && case.ended.is_some())
    }

    fn alert(&self, name: &str) -> Option<bool> {
        self.actors.alerts().alerts().iter().find(|alert| alert.name() == name).map(|alert| alert.fires)
    }

    fn reason(&self, node: &str) -> String {
        self.note(node, "reason")
    }
}

/// The update of a scenario ends by itself: every pool is updated, and what went wrong is over.
fn ends(name: &str) -> Story {
    let mut story = Story::new(name);
    story.stride("the end", 8 * HOUR, |story| completed(story) && story.all_pools_updated(&[]) && story.all_over());
    story
}

#[test]
fn the_gate_opens_with_the_acknowledgement_and_the_update_goes_through() {
    let mut story = Story::new("gate");
    let refused = condition(&story.version(), "ReleaseAccepted");
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("False"), &json!("PreconditionChecks")), "{refused}");
    assert!(!story.store.served(Res::MACHINE_CONFIG_NODES));
    story.stride("still refused", 40 * MINUTE, |story| story.alert("ClusterReleaseNotAccepted") == Some(true));
    let gate = "ack-4.18-kube-1.32-api-removals-in-4.19";
    story
        .store
        .update(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks", |acks| acks["data"][gate] = json!("true"));
    story.stride("the end", 5 * HOUR, |story| story.is_at("4.19.3"));
    assert!(story.store.served(Res::MACHINE_CONFIG_NODES) && story.store.served(Res::PINNED_IMAGE_SETS));
    assert_eq!(story.alert("ClusterReleaseNotAccepted"), None);
}

#[test]
fn a_lost_node_holds_its_pool_and_comes_back_when_its_certificates_are_approved() {
    let mut story = Story::new("lost-node");
    story.stride("lost", 3 * HOUR, |story| story.is_on(MishapKind::NodeLost));
    story.stride("noticed", 3 * MINUTE, |story| condition(&story.node("worker-2"), "Ready")["status"] == "Unknown");
    story.stride("alerted", 20 * MINUTE, |story| story.alert("KubeNodeUnreachable") == Some(true));
    assert!(story.store.get(Res::MACHINES, Some("openshift-machine-api"), &machine(&story, "worker-2")).is_some());
    story.stride("asks", 40 * MINUTE, |story| !story.store.list(Res::CSRS).is_empty());
    let request = story.store.list(Res::CSRS)[0].clone();
    assert_eq!(request["spec"]["signerName"], "kubernetes.io/kube-apiserver-client-kubelet");
    assert!(request["status"]["conditions"].is_null());
    story.stride("the end", 6 * HOUR, |story| completed(story) && story.all_pools_updated(&[]) && story.all_over());
    assert_eq!(story.store.list(Res::CSRS).len(), 2, "for asking, and for serving");
}

fn machine(story: &Story, node: &str) -> String {
    story.node(node)["metadata"]["annotations"]["machine.openshift.io/machine"]
        .as_str()
        .and_then(|machine| machine.split_once('/'))
        .map(|(_, name)| name.to_owned())
        .unwrap_or_default()
}

#[test]
fn a_file_changed_by_hand_and_an_image_that_cannot_be_pulled_degrade_their_nodes() {
    let mut story = Story::new("drift");
    story.stride("drifted", HOUR, |story| story.reason("worker-3").contains("content mismatch for file"));
    assert!(
        !events(&story, "ConfigDriftDetected").is_empty()
            || !events(&story, "PreflightConfigDriftCheckFailed").is_empty()
    );
    story.stride("not pulled", 3 * HOUR, |story| story.reason("worker-4").contains("pinging container registry"));
    assert_eq!(condition(&story.pool("worker"), "Degraded")["status"], "True");
    story.stride("the end", 6 * HOUR, |story| completed(story) && story.all_pools_updated(&[]) && story.all_over());
    assert_eq!(story.reason("worker-3"), "");
}

#[test]
fn a_layered_pool_waits_for_its_image_and_one_that_cannot_be_built_says_so() {
    let mut story = Story::new("layered");
    story.stride("not built", 3 * HOUR, |story| {
        condition(&story.pool("infra"), "ImageBuildDegraded")["status"] == "True"
    });
    assert_eq!(condition(&story.pool("infra"), "Degraded")["message"], "Custom OS image build failed");
    assert!(["infra-0", "infra-1", "infra-2"].iter().all(|node| !story.targeted(node)), "{}", story.summary());
    story.stride("alerted", 5 * MINUTE, |story| story.alert("OCLBuildFailed") == Some(true));
    story.stride("the end", 8 * HOUR, |story| completed(story) && story.all_pools_updated(&[]) && story.all_over());
    let config = story.get(Res::MACHINE_OS_CONFIGS, "infra");
    let image = config["status"]["currentImagePullSpec"].as_str().unwrap();
    assert_eq!(story.note("infra-1", "currentImage"), image);
    let pinned = condition(&story.get(Res::MACHINE_CONFIG_NODES, "worker-5"), "PinnedImageSetsDegraded");
    assert_eq!(pinned["status"], "False");
}

#[test]
fn a_release_without_a_signature_is_refused_until_somebody_applies_it() {
    let mut story = Story::new("disconnected");
    let refused = condition(&story.version(), "ReleaseAccepted");
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("False"), &json!("RetrievePayload")), "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("cannot be verified"), "{refused}");
    assert_eq!(story.version()["status"]["desired"]["version"], "4.18.22");
    assert_eq!(story.store.list(Res::IMAGE_DIGEST_MIRROR_SETS).len(), 1);
    story.stride("the end", 6 * HOUR, |story| story.is_at("4.18.25"));
    assert!(story.all_over(), "{}", story.mishaps());
    assert_eq!(story.version()["status"]["history"][0]["verified"], true);
}

#[test]
fn control_plane_and_arbiter_never_move_together() {
    let mut story = Story::new("arbiter");
    let moving = |story: &Story, nodes: &[&str]| {
        nodes.iter().filter(|node| story.targeted(node) && !story.updated(node)).count()
    };
    let mut worst = 0;
    let mut arbiter_moved = false;
    for _ in 0..8_000 {
        if completed(&story) && story.all_pools_updated(&[]) {
            break;
        }
        let step = story.actors.elapsed();
        story.stride("a moment", MINUTE, |story| story.actors.elapsed() > step);
        worst = worst.max(moving(&story, &["master-0", "master-1", "arbiter-0"]));
        arbiter_moved |= moving(&story, &["arbiter-0"]) == 1;
    }
    assert!(completed(&story) && story.all_pools_updated(&[]), "{}", story.summary());
    assert_eq!((worst, arbiter_moved), (1, true));
}

#[test]
fn one_node_and_three_nodes_that_are_everything_update_themselves() {
    let story = ends("sno");
    assert!(events(&story, "Cordon").is_empty(), "a single node is not drained");
    let story = ends("compact");
    assert!(!events(&story, "Drain").is_empty());
    assert_eq!(story.pool("worker")["status"]["machineCount"], 0);
}

#[test]
fn nodes_that_no_pool_owns_stay_as_they_are() {
    let story = ends("multi-arch");
    assert_eq!(story.version()["status"]["desired"]["architecture"], "Multi");
    assert_eq!(story.node("arm-0")["status"]["nodeInfo"]["architecture"], "arm64");
    assert!(!story.note("worker-5", "currentConfig").is_empty());
    assert_eq!(story.node("worker-5")["status"]["nodeInfo"]["kubeletVersion"], "v1.31.11");
    assert_eq!(story.node("worker-0")["status"]["nodeInfo"]["kubeletVersion"], "v1.31.12");
    assert_eq!(story.node("win-1")["status"]["nodeInfo"]["kubeletVersion"], "v1.31.11");
    let counted: u64 = story
        .store
        .list(Res::MACHINE_CONFIG_POOLS)
        .iter()
        .filter_map(|pool| pool["status"]["machineCount"].as_u64())
        .sum();
    assert_eq!(counted, 3 + 5 + 3 + 2);
}

#[test]
fn paused_workers_are_taken_over_two_minor_versions_at_once() {
    let mut story = Story::new("eus");
    assert!(!story.store.served(Res::MACHINE_OS_CONFIGS));
    story.stride("4.17", 4 * HOUR, |story| completed(story) && story.all_pools_updated(&["worker"]));
    assert!(story.store.list(Res::NODES).iter().any(|node| node["status"]["nodeInfo"]["kubeletVersion"] == "v1.29.20"));
    ask_for(&story, "4.18.22", false);
    let at = |story: &Story| story.version()["status"]["desired"]["version"] == "4.18.22";
    story.stride("4.18", 5 * HOUR, |story| at(story) && completed(story) && story.all_pools_updated(&["worker"]));
    assert!(story.store.served(Res::MACHINE_OS_CONFIGS) && !story.store.served(Res::MACHINE_CONFIG_NODES));
    pause(&story, "worker", false);
    story.stride("the workers", 3 * HOUR, |story| story.all_pools_updated(&[]));
    let kubelets: std::collections::BTreeSet<String> = story
        .store
        .list(Res::NODES)
        .iter()
        .map(|node| node["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kubelets.into_iter().collect::<Vec<_>>(), ["v1.31.11"]);
}

#[test]
fn a_changed_configuration_rolls_without_an_update_and_a_cordoned_node_holds_it() {
    let mut story = Story::new("config-rollout");
    assert_eq!(condition(&story.version(), "Progressing")["status"], "False");
    story.stride("cordoned", 20 * MINUTE, |story| story.is_on(MishapKind::NodeCordoned));
    story.stride("uncordoned", 40 * MINUTE, |story| story.is_over(MishapKind::NodeCordoned));
    story.stride("the end", 3 * HOUR, |story| story.all_pools_updated(&[]));
    assert_eq!(story.version()["status"]["history"].as_array().unwrap().len(), 4);
}

/// `minor` with a quick worker pool, and something that goes wrong.
fn with(faults: Vec<Mishap>) -> Scenario {
    let mut scenario = minor();
    scenario.pools.get_mut("worker").unwrap().max_unavailable = Some(MaxUnavailable::Count(6));
    scenario.faults = faults;
    scenario
}

fn story(faults: Vec<Mishap>) -> Story {
    Story::of(&with(faults), 1)
}

fn minutes(count: u64) -> Span {
    Span::seconds(count * 60)
}

#[test]
fn operators_say_what_happens_to_them_and_stop_when_it_is_over() {
    let faults = vec![
        Mishap::now(MishapKind::OperatorDegraded, "ingress").armed_after(minutes(1)).lasting(minutes(35)),
        Mishap::now(MishapKind::OperatorUnavailable, "console").armed_after(minutes(1)).lasting(minutes(20)),
        Mishap::now(MishapKind::OperatorNotUpgradeable, "storage").armed_after(minutes(1)).lasting(minutes(20)),
        Mishap::now(MishapKind::EtcdMemberUnhealthy, "master-1").armed_after(minutes(1)).lasting(minutes(20)),
        Mishap::now(MishapKind::OperatorFlapping, "dns").armed_after(minutes(1)).lasting(minutes(10)),
    ];
    let mut story = story(faults);
    let operator = |story: &Story, name: &str, kind: &str| {
        condition(&story.get(Res::CLUSTER_OPERATORS, name), kind)["status"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(operator(&story, "ingress", "Degraded"), "False");
    story.stride("said", 3 * MINUTE, |story| {
        operator(story, "ingress", "Degraded") == "True"
            && operator(story, "console", "Available") == "False"
            && operator(story, "storage", "Upgradeable") == "False"
            && operator(story, "etcd", "Degraded") == "True"
    });
    assert_eq!(
        condition(&story.get(Res::CLUSTER_OPERATORS, "etcd"), "Degraded")["reason"],
        "EtcdMembers_UnhealthyMembers"
    );
    let guard = |story: &Story| {
        let guard = story.store.get(Res::PDBS, Some("openshift-etcd"), "etcd-guard-pdb").unwrap();
        guard["status"]["disruptionsAllowed"].as_i64()
    };
    story.stride("guarded", MINUTE, |story| guard(story) == Some(0));
    story.stride("flaps", 3 * MINUTE, |story| operator(story, "dns", "Degraded") == "True");
    story.stride("flaps", 3 * MINUTE, |story| operator(story, "dns", "Degraded") == "False");
    story.stride("failing", 3 * MINUTE, |story| condition(&story.version(), "Failing")["status"] == "True");
    story.stride("held", 3 * MINUTE, |story| {
        condition(&story.version(), "UpgradeableClusterOperators")["status"] == "False"
    });
    story.stride("alerts", 15 * MINUTE, |story| story.alert("ClusterOperatorDown") == Some(true));
    assert_eq!(story.alert("ClusterOperatorDegraded"), Some(false), "pending for half an hour");
    story.stride("fires", 25 * MINUTE, |story| story.alert("ClusterOperatorDegraded") == Some(true));
    story.stride("over", 30 * MINUTE, Story::all_over);
    story.stride("calm", MINUTE, |story| {
        story.store.list(Res::CLUSTER_OPERATORS).iter().all(|operator| {
            condition(operator, "Degraded")["status"] == "False"
                && condition(operator, "Available")["status"] == "True"
                && condition(operator, "Upgradeable")["status"] == "True"
        }) && story.alert("ClusterOperatorDegraded").is_none()
            && guard(story) == Some(1)
    });
}

#[test]
fn a_release_that_cannot_be_pulled_and_a_bad_request_are_told_and_end() {
    let faults = vec![
        Mishap::now(MishapKind::PayloadUnreachable, "4.18.25").lasting(minutes(10)),
        Mishap::now(MishapKind::InvalidRequest, "").armed_after(minutes(30)).lasting(minutes(5)),
        Mishap::now(MishapKind::UpdatesUnreachable, "").armed_after(minutes(30)).lasting(minutes(5)),
    ];
    let mut story = story(faults);
    ask_for(&story, "4.18.25", false);
    story.stride("not pulled", 5 * MINUTE, |story| story.message("ReleaseAccepted").contains("ErrImagePull"));
    story.stride("pulled", 12 * MINUTE, |story| condition(&story.version(), "ReleaseAccepted")["status"] == "True");
    story.stride("invalid", 30 * MINUTE, |story| condition(&story.version(), "Invalid")["status"] == "True");
    let retrieved = |story: &Story| condition(&story.version(), "RetrievedUpdates")["reason"].clone();
    story.stride("no graph", MINUTE, |story| retrieved(story) == "RemoteFailed");
    story.stride("over", 7 * MINUTE, Story::all_over);
    story
        .stride("fine", MINUTE, |story| condition(&story.version(), "Invalid").is_null() && retrieved(story).is_null());
}

#[test]
fn rejected_manifests_stop_the_update_where_they_are_and_it_goes_on_afterwards() {
    let mut story = story(vec![Mishap::now(MishapKind::ManifestsRejected, "kube-scheduler").lasting(minutes(12))]);
    ask_for(&story, "4.18.25", false);
    story.stride("rejected", HOUR, |story| condition(&story.version(), "Failing")["status"] == "True");
    let failing = condition(&story.version(), "Failing");
    assert_eq!(failing["reason"], "UpdatePayloadResourceForbidden");
    assert!(failing["message"].as_str().unwrap().contains("the server is rejecting updates"), "{failing}");
    assert_eq!(story.message("Progressing"), "Unable to apply 4.18.25: the server is rejecting updates");
    story.stride("goes on", 14 * MINUTE, |story| condition(&story.version(), "Failing")["status"] == "False");
    story.stride("done", 2 * HOUR, completed);
}

#[test]
fn a_dead_version_operator_leaves_requests_unseen() {
    let mut story = story(vec![
        Mishap::now(MishapKind::VersionOperatorDown, "").armed_after(minutes(1)).lasting(minutes(15)),
        Mishap::now(MishapKind::OperatorSlow, "dns").lasting(minutes(80)),
    ]);
    story.stride("down", 2 * MINUTE, |story| story.is_on(MishapKind::VersionOperatorDown));
    ask_for(&story, "4.18.25", false);
    story.stride("alerted", 14 * MINUTE, |story| story.alert("ClusterVersionOperatorDown") == Some(true));
    let seen =
        |story: &Story| story.version()["status"]["observedGeneration"] == story.version()["metadata"]["generation"];
    assert!(!seen(&story));
    story.stride("seen", 8 * MINUTE, seen);
    story.stride("slow", 2 * HOUR, |story| condition(&story.version(), "Failing")["reason"] == "SlowClusterOperator");
    assert!(story.message("Progressing").contains("dns over 30 minutes"), "{}", story.summary());
}

#[test]
fn nodes_say_what_keeps_them_from_their_configuration_and_go_on_when_it_is_over() {
    let faults = vec![
        Mishap::now(MishapKind::RebootFailed, "worker-0").lasting(minutes(15)),
        Mishap::now(MishapKind::Unreconcilable, "worker-1").lasting(minutes(15)),
        Mishap::now(MishapKind::ConfigMissing, "worker-2").lasting(minutes(15)),
        Mishap::now(MishapKind::DiskPressure, "worker-3").lasting(minutes(15)),
        Mishap::now(MishapKind::NodeDown, "infra-0").armed_after(minutes(2)).lasting(minutes(18)),
        Mishap::now(MishapKind::RenderDegraded, "infra").lasting(minutes(10)),
    ];
    let mut scenario = with(faults);
    scenario.start =
        Some(serde_json::from_value(json!({"change-configuration": "worker", "requested": "1s"})).unwrap());
    let mut story = Story::of(&scenario, 3);
    story.stride("infra is not rendered", 3 * MINUTE, |story| {
        condition(&story.pool("infra"), "Degraded")["status"] == "True"
    });
    assert_eq!(condition(&story.node("worker-3"), "DiskPressure")["status"], "True");
    story.stride("refused", 5 * MINUTE, |story| {
        story.note("worker-1", "state") == "Unreconcilable" && story.reason("worker-2").ends_with("not found")
    });
    assert!(story.reason("worker-1").starts_with("can't reconcile config rendered-worker-"));
    story.stride("down", 5 * MINUTE, |story| condition(&story.node("infra-0"), "Ready")["status"] == "Unknown");
    story.stride("not rebooted", 15 * MINUTE, |story| story.reason("worker-0").starts_with("reboot command failed"));
    story.stride("alerted", 7 * MINUTE, |story| story.alert("MCDRebootError") == Some(true));
    story.stride("the end", 2 * HOUR, |story| story.all_pools_updated(&[]) && story.all_over());
    assert_eq!(condition(&story.pool("infra"), "RenderDegraded")["status"], "False");
    assert_eq!(condition(&story.node("worker-3"), "DiskPressure")["status"], "False");
}

#[test]
fn drains_name_the_pods_and_budgets_that_hold_them() {
    let faults = vec![
        Mishap::now(MishapKind::PodStuck, "batch/report-builder").lasting(minutes(25)),
        Mishap::now(MishapKind::SecondBudget, "shop/web").lasting(minutes(30)),
        Mishap::now(MishapKind::BudgetZero, "batch/loner").lasting(minutes(35)),
    ];
    let mut scenario = with(faults);
    let mut loner = scenario.workloads.iter().find(|workload| workload.name == "report-builder").unwrap().clone();
    loner.name = "loner".to_owned();
    scenario.workloads.push(loner);
    scenario.start =
        Some(serde_json::from_value(json!({"change-configuration": "worker", "requested": "1s"})).unwrap());
    let mut story = Story::of(&scenario, 1);
    let log = |story: &Story| -> String {
        let pods = story.store.list(Res::PODS);
        let pod = pods
            .iter()
            .map(|pod| pod["metadata"]["name"].as_str().unwrap())
            .find(|pod| pod.starts_with("machine-config-controller-"))
            .unwrap();
        let lines = story.actors.journal().read("openshift-machine-config-operator", pod, 0);
        lines.map(|(lines, _)| lines.iter().map(|line| format!("{}\n", line.text)).collect()).unwrap_or_default()
    };
    story.stride("two budgets", 5 * MINUTE, |story| log(story).contains("more than one PodDisruptionBudget"));
    story.stride("no disruption", 5 * MINUTE, |story| log(story).contains("(PodDisruptionBudget batch/loner-frozen)"));
    story.stride("terminating", 5 * MINUTE, |story| log(story).contains("in namespace \"batch\" to terminate"));
    let limit = |story: &Story| {
        story
            .actors
            .alerts()
            .alerts()
            .into_iter()
            .any(|alert| alert.labels.get("poddisruptionbudget").is_some_and(|name| name == "loner-frozen"))
    };
    assert!(limit(&story));
    story.stride("the end", 3 * HOUR, |story| story.all_pools_updated(&[]) && story.all_over());
    assert!(!limit(&story));
}

#[test]
fn a_health_check_deletes_the_machine_of_a_node_that_is_away_too_long_unless_it_is_paused() {
    for paused in [true, false] {
        let mut scenario = with(vec![Mishap::now(MishapKind::NodeLost, "worker-4").lasting(minutes(30))]);
        scenario.cluster.health_check.timeout = minutes(8);
        scenario.cluster.health_check.paused = paused;
        scenario.start =
            Some(serde_json::from_value(json!({"change-configuration": "worker", "requested": "1s"})).unwrap());
        scenario.pools.get_mut("worker").unwrap().max_unavailable = Some(MaxUnavailable::Count(1));
        let mut story = Story::of(&scenario, 1);
        let machine = machine(&story, "worker-4");
        let there = |story: &Story| story.store.get(Res::MACHINES, Some("openshift-machine-api"), &machine);
        story.stride("lost", 2 * HOUR, |story| story.is_on(MishapKind::NodeLost));
        if paused {
            story.stride("the end", 4 * HOUR, |story| story.all_pools_updated(&[]));
            assert!(there(&story).is_some());
            continue;
        }
        story.stride("deleting", 12 * MINUTE, |story| {
            there(story).is_some_and(|machine| machine["status"]["phase"] == "Deleting")
        });
        assert_eq!(events(&story, "MachineDeleted").len(), 1);
        story.stride("replaced", 10 * MINUTE, |story| there(story).is_none() && story.node("worker-4").is_null());
        let nodes = |story: &Story| story.store.list(Res::NODES).len();
        let before = nodes(&story);
        story.stride("joined", 15 * MINUTE, |story| nodes(story) == before + 1);
        story.stride("the end", 4 * HOUR, |story| story.all_pools_updated(&[]));
        assert_eq!(story.pool("worker")["status"]["machineCount"], 6);
    }
}

#[test]
fn a_mishap_is_thrown_and_ended_while_the_story_runs() {
    let mut story = story(Vec::new());
    let id = story.actors.mishaps().add(Mishap::now(MishapKind::GateOpen, "ack-4.18-late"));
    story.stride("open", MINUTE, |story| {
        condition(&story.version(), "UpgradeableAdminAckRequired")["message"]
            .as_str()
            .is_some_and(|it| it.contains("removed"))
    });
    assert!(story.actors.mishaps().end(id) && story.is_on(MishapKind::GateOpen));
    story.stride("closed", MINUTE, Story::all_over);
    assert!(!story.actors.mishaps().end(id));
    let gates: Value =
        (*story.store.get(Res::CONFIGMAPS, Some("openshift-config-managed"), "admin-gates").unwrap()).clone();
    assert!(gates["data"]["ack-4.18-late"].is_null());
}

#[test]
fn a_mishap_that_cannot_be_is_refused_by_name() {
    let broken = |from: &str, to: &str| {
        let text = include_str!("../../assets/scenarios/lost-node.yaml").replace(from, to);
        assert!(text.contains(to));
        (Scenario::parse("mine.yaml", &text).unwrap_err().to_string(), text)
    };
    let (error, text) = broken("kind: node-lost", "kind: node-gone");
    let line = text.lines().position(|line| line.contains("node-gone")).unwrap() + 1;
    assert!(
        error.contains("\"node-gone\" is not something that can go wrong") && error.contains(&format!("line {line}")),
        "{error}"
    );
    let (error, _) = broken("object: worker-2, lasts: 40m", "object: worker-77, lasts: 40m");
    assert!(error.contains("faults: node-lost: \"worker-77\" is not a node of a pool"), "{error}");
}

#[test]
fn times_vary_from_seed_to_seed_with_a_long_tail_and_never_within_one() {
    let lengths = |seed: u64| {
        let mut story = Story::of(&with(Vec::new()), seed);
        story.store.create(Res::MACHINE_CONFIGS, oc_cockpit::sim::cluster::pools::changed("worker"), story.now);
        let began = story.actors.elapsed();
        story.stride("begun", MINUTE, |story| !story.all_pools_updated(&[]));
        story.stride("rolled", 2 * HOUR, |story| story.all_pools_updated(&[]));
        story.actors.elapsed().saturating_sub(began).as_secs()
    };
    let all: Vec<u64> = (1..=6).map(lengths).collect();
    assert_eq!(lengths(1), all[0]);
    let (least, most) = (*all.iter().min().unwrap(), *all.iter().max().unwrap());
    assert!(most > least + 30, "{all:?}");
}

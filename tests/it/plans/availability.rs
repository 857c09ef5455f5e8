//! What may be done now, and why not.

use chrono::TimeDelta;
use oc_cockpit::actions::{
    ActionId, Ask, Danger, Effect, Material, Session, Target, WantedUpdate, offered, permissions, plan,
};
use oc_cockpit::upgrade::facts::{Kind, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, Trouble, TroubleKind};
use serde_json::json;

use super::sample::{Sample, now, rendered};

fn pool(name: &str) -> Target {
    Target::pool(name)
}

fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

fn version(version: &str) -> Target {
    Target::Version(version.into())
}

#[track_caller]
fn refused(sample: &Sample, action: ActionId, target: &Target, part: &str) {
    let verdict = sample.verdict(action, target);
    assert!(verdict.contains(part), "{action:?} on {target:?}\n  expected: {part}\n  said:     {verdict}");
}

#[test]
fn pools_are_paused_unless_the_update_waits_for_them() {
    use ActionId::PausePool;
    // What stops a rollout leaves no sign of it in the cluster.
    for (sample, verdict) in [(Sample::idle(), "ok, L"), (Sample::rolling(), "ok, M")] {
        assert_eq!(sample.verdict(PausePool, &pool("worker")), verdict);
        refused(&sample, PausePool, &pool("master"), "pool master is never paused");
        refused(
            &sample,
            PausePool,
            &pool("infra"),
            "pool infra is paused already, paused by kubectl-patch since 2026-11-18T08:00:00Z",
        );
        refused(&sample, PausePool, &pool("gpu"), "there is no pool gpu");
    }
}

#[test]
fn unpausing_may_start_reboots() {
    use ActionId::UnpausePool;
    for sample in [Sample::idle(), Sample::rolling()] {
        assert_eq!(sample.verdict(UnpausePool, &pool("infra")), "ok, M");
        refused(&sample, UnpausePool, &pool("worker"), "pool worker is not paused");
    }
}

#[test]
fn a_cordon_is_more_dangerous_when_it_takes_the_pools_last_capacity() {
    let mut sample = Sample::idle();
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-3"])), "ok, M", "maxUnavailable is 1");
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(2));
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-3"])), "ok, L");
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-3", "worker-2"])), "ok, M");
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!("75%"));
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-3", "worker-2"])), "ok, L");
}

#[test]
fn a_node_that_counts_unavailable_already_takes_no_capacity_when_it_is_cordoned() {
    let mut sample = Sample::idle();
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(2)).not_ready("worker-3");
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-3"])), "ok, L");
    assert_eq!(sample.verdict(ActionId::CordonNodes, &nodes(&["worker-2"])), "ok, M");
}

#[test]
fn a_cordon_says_whose_it_is() {
    let mut sample = Sample::idle();
    sample.cordon("worker-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    let whose = "node worker-2 is cordoned by kubectl-cordon since 2026-11-20T02:00:00Z already";
    refused(&sample, ActionId::CordonNodes, &nodes(&["worker-2"]), whose);
    let plan = sample.plan(ActionId::CordonNodes, &nodes(&["worker-2", "worker-3"])).unwrap();
    assert_eq!(plan.title, "Cordon node worker-3", "the other one is left as it is");
    assert_eq!(plan.writes.len(), 1);
    assert!(plan.preconditions[0].words.contains("worker-2 is cordoned already and is left as it is"));
}

#[test]
fn a_second_control_plane_node_is_never_taken_out() {
    use ActionId::CordonNodes;
    let mut sample = Sample::idle();
    assert_eq!(sample.verdict(CordonNodes, &nodes(&["master-0"])), "ok, M");
    refused(&sample, CordonNodes, &nodes(&["master-0", "worker-0", "master-1"]), "never two at once");
    sample.cordon("master-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    refused(&sample, CordonNodes, &nodes(&["master-0"]), "master-2 is out already (cordoned by kubectl-cordon");
    assert_eq!(sample.verdict(CordonNodes, &nodes(&["worker-0"])), "ok, M", "workers are not concerned");
    let mut sample = Sample::idle();
    sample.not_ready("master-1");
    refused(&sample, CordonNodes, &nodes(&["master-0"]), "master-1 is out already (not Ready)");
    // The node that is out may itself be cordoned: that takes nobody else out.
    assert!(sample.verdict(CordonNodes, &nodes(&["master-1"])).starts_with("ok"));
}

#[test]
fn somebodys_cordon_is_lifted_and_the_operators_own_is_not() {
    use ActionId::UncordonNodes;
    let mut sample = Sample::rolling();
    refused(&sample, UncordonNodes, &nodes(&["worker-2"]), "node worker-2 is not cordoned");
    refused(&sample, UncordonNodes, &nodes(&["worker-1"]), "the machine-config operator is draining it");
    sample.cordon("worker-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    assert_eq!(sample.verdict(UncordonNodes, &nodes(&["worker-2"])), "ok, M");
    refused(&sample, UncordonNodes, &nodes(&["worker-2", "worker-1"]), "uncordons worker-1 itself at the end");
}

#[test]
fn a_node_stays_the_operators_until_it_asks_for_the_uncordon() {
    let mut sample = Sample::rolling();
    let drain = format!("drain-{}", rendered("worker", 2));
    // Drained, being rebooted.
    sample.annotate("worker-1", "lastAppliedDrain", &drain).annotate("worker-1", "post-config-action", "Rebooting");
    refused(&sample, ActionId::UncordonNodes, &nodes(&["worker-1"]), "the machine-config operator works on it");
    // The drain failed for an hour: state Degraded, and the daemon still waits for it.
    let mut sample = Sample::rolling();
    sample.annotate("worker-1", "state", "Degraded").annotate(
        "worker-1",
        "reason",
        "failed to drain node: worker-1 after 1 hour",
    );
    refused(&sample, ActionId::UncordonNodes, &nodes(&["worker-1"]), "the machine-config operator is draining it");
}

#[test]
fn an_update_starts_from_a_healthy_idle_cluster_only() {
    use ActionId::StartUpdate;
    let patch = version("4.18.25");
    assert_eq!(Sample::idle().verdict(StartUpdate, &patch), "ok, H");
    for (kind, status, message, part) in [
        ("Invalid", "True", "spec.upstream: bad", "the ClusterVersion is invalid: spec.upstream: bad"),
        ("Failing", "True", "etcd is degraded", "Failing is True: etcd is degraded"),
        ("Failing", "Unknown", "etcd is slow", "Failing is Unknown: etcd is slow"),
        ("Failing", "", "", "no condition Failing"),
        ("Progressing", "True", "Working towards 4.18.23", "an update is in progress: Working towards 4.18.23"),
    ] {
        let mut sample = Sample::idle();
        sample.condition(kind, status, "", message);
        refused(&sample, StartUpdate, &patch, part);
        refused(&sample, StartUpdate, &Target::Cluster, part);
    }
    let mut sample = Sample::idle();
    sample.edit("version", |version| version["metadata"]["generation"] = json!(5));
    refused(&sample, StartUpdate, &patch, "has not yet taken note of the last change");
    refused(&Sample::idle(), StartUpdate, &Target::Cluster, "choose the version");
}

#[test]
fn an_update_goes_to_a_higher_recommended_version_on_offer() {
    use ActionId::StartUpdate;
    let sample = Sample::idle();
    refused(&sample, StartUpdate, &version("4.18.22"), "at 4.18.22 already");
    refused(&sample, StartUpdate, &version("4.18.21"), "below the present version 4.18.22");
    refused(&sample, StartUpdate, &version("4.18.30"), "4.18.30 is not on offer (channel stable-4.19; on offer: ");
    assert_eq!(sample.verdict(StartUpdate, &version("4.18.24")), "ok, H", "its risk is asked about");
    refused(&sample, StartUpdate, &version("latest"), "cannot be compared");
    let mut requested = Sample::idle();
    requested.edit("version", |object| {
        object["spec"]["desiredUpdate"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
    });
    refused(&requested, StartUpdate, &version("4.18.25"), "4.18.25 is requested already");
    let mut hop = Sample::idle();
    hop.edit("version", |object| {
        object["status"]["availableUpdates"] = json!([{ "version": "4.20.1", "image": "quay.io/r@sha256:201" }]);
    });
    refused(&hop, StartUpdate, &version("4.20.1"), "more than one minor version above 4.18.22");
}

#[test]
fn a_gate_bars_the_minor_update_with_its_own_words_and_lets_the_patch_pass() {
    use ActionId::StartUpdate;
    let gate = "Kubernetes 1.32 removes APIs: acknowledge ack-4.18-kube-1.32-api-removals-in-4.19";
    for kind in ["Upgradeable", "UpgradeableAdminAckRequired"] {
        let mut sample = Sample::idle();
        sample.condition(kind, "False", "AdminAckRequired", gate);
        refused(&sample, StartUpdate, &version("4.19.3"), gate);
        refused(&sample, StartUpdate, &version("4.19.3"), "4.19.3 is not a patch of 4.18.22");
        assert_eq!(sample.verdict(StartUpdate, &version("4.18.25")), "ok, H");
    }
    assert_eq!(Sample::idle().verdict(StartUpdate, &version("4.19.3")), "ok, H", "no condition means no bar");
}

/// Every action with a target on which it is possible.
fn everything() -> Vec<(ActionId, Target, Sample)> {
    let mut cordoned = Sample::idle();
    cordoned.cordon("worker-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    let mut requested = Sample::idle();
    requested.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
    });
    vec![
        (ActionId::PausePool, pool("worker"), Sample::idle()),
        (ActionId::UnpausePool, pool("infra"), Sample::idle()),
        (ActionId::CordonNodes, nodes(&["worker-3"]), Sample::idle()),
        (ActionId::UncordonNodes, nodes(&["worker-2"]), cordoned),
        (ActionId::DrainNodes, nodes(&["worker-3"]), Sample::idle()),
        (ActionId::StartUpdate, version("4.18.25"), Sample::idle()),
        (ActionId::MigrateMultiArch, Target::Cluster, Sample::idle()),
        (ActionId::ClearUpdate, Target::Cluster, requested),
    ]
}

#[test]
fn a_read_only_session_and_a_recording_are_offered_nothing() {
    for (action, target, mut sample) in everything() {
        assert!(!sample.offers(&target).is_empty(), "{action:?}");
        sample.session = Session { read_only: Some("--read-only".into()), context: "lab".into(), ..Session::default() };
        assert!(sample.offers(&target).is_empty(), "{action:?}");
        refused(&sample, action, &target, "writes are off: --read-only");
    }
    for (action, target, mut sample) in everything() {
        sample.link = LinkState::Recording;
        assert!(sample.offers(&target).is_empty(), "{action:?}");
        refused(&sample, action, &target, "this is a recording");
    }
}

#[test]
fn nothing_is_decided_on_a_stale_picture() {
    let since = now() - TimeDelta::seconds(20);
    for link in
        [LinkState::Stale { since }, LinkState::Reconnecting { since, attempts: 3 }, LinkState::Verifying { since }]
    {
        for (action, target, mut sample) in everything() {
            sample.link = link;
            refused(&sample, action, &target, "2026-11-20T03:12:24Z");
            assert!(sample.offers(&target).iter().all(|line| line.contains("not now: writes are off")), "{action:?}");
        }
    }
}

#[test]
fn nothing_is_decided_on_a_kind_that_is_not_live() {
    let trouble =
        |words: &str| Trouble { kind: TroubleKind::Server, words: words.into(), hint: String::new(), since: now() };
    for (status, part) in [
        (KindStatus::Waiting, "the first list of nodes has not ended yet"),
        (KindStatus::Absent, "does not serve nodes"),
        (KindStatus::Forbidden(trouble("no")), "nodes may not be listed"),
        (
            KindStatus::Failing(trouble("etcd leader changed")),
            "nodes is not live since 2026-11-20T03:12:44Z: etcd leader changed",
        ),
    ] {
        for (action, target, mut sample) in everything() {
            sample.kind(Kind::Nodes, status.clone());
            if matches!(target, Target::Nodes(_) | Target::Pools(_)) {
                refused(&sample, action, &target, part);
            } else {
                assert!(sample.verdict(action, &target).starts_with("ok"), "the ClusterVersion alone decides");
            }
        }
    }
}

#[test]
fn a_missing_permission_is_named_as_oc_would_ask_for_it() {
    for (action, target, mut sample) in everything() {
        for permission in action.permissions() {
            sample.deny(permission.clone());
        }
        let resource = match action {
            ActionId::PausePool | ActionId::UnpausePool => "machineconfigpools.machineconfiguration.openshift.io",
            ActionId::CordonNodes | ActionId::UncordonNodes | ActionId::DrainNodes => "nodes",
            ActionId::EvictPod | ActionId::DeletePod => continue,
            _ => "clusterversions.config.openshift.io",
        };
        refused(&sample, action, &target, &format!("kim may not patch {resource} (oc auth can-i patch {resource})"));
    }
}

#[test]
fn every_permission_of_an_action_is_reviewed_beforehand() {
    for (action, ..) in everything() {
        for permission in action.permissions() {
            assert!(permissions().contains(permission), "{action:?} needs {}", permission.words());
        }
    }
}

#[test]
fn the_menu_holds_what_would_change_something() {
    let mut sample = Sample::idle();
    sample.cordon("worker-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    let max = "Set maxUnavailable of pool worker [M]";
    let pull = "Pull images ahead on the nodes of pool worker [L]";
    assert_eq!(sample.offers(&pool("worker")), ["Pause pool worker [L]", max, pull]);
    let infra = sample.offers(&pool("infra"));
    assert_eq!(infra[0], "Unpause pool infra [M]");
    assert!(infra[2].starts_with("Delete pool infra [H] not now: pool infra still has 2 nodes"), "{infra:?}");
    let away = |name: &str| format!("Move node {name} to another pool [M]");
    assert_eq!(
        sample.offers(&nodes(&["worker-0"])),
        [&away("worker-0"), "Cordon node worker-0 [M]", "Drain node worker-0 [M]"]
    );
    assert_eq!(
        sample.offers(&nodes(&["worker-2"])),
        [&away("worker-2"), "Uncordon node worker-2 [M]", "Drain node worker-2 [M]"]
    );
    assert_eq!(
        sample.offers(&nodes(&["worker-0", "worker-2"])),
        [
            "Move 2 nodes to another pool [M]",
            "Cordon node worker-0 [M]",
            "Uncordon node worker-2 [M]",
            "Drain 2 nodes [M]"
        ]
    );
    assert_eq!(sample.offers(&version("4.18.25")), ["Start update to 4.18.25 [H]"]);
    let of_cluster = sample.offers(&Target::Cluster);
    for offer in ["Start an update [H]", "Create a custom pool [L]"] {
        assert!(of_cluster.iter().any(|other| other == offer), "{of_cluster:?}");
    }
    assert!(sample.offers(&pool("master"))[0].contains("not now: pool master is never paused"));
}

#[test]
fn what_is_offered_can_be_planned_and_what_is_refused_cannot() {
    let mut sample = Sample::rolling();
    sample.cordon("worker-3", "kubectl-cordon", "2026-11-20T02:00:00Z");
    let assessment = sample.assessment();
    let names = ["master-0", "worker-0", "worker-1", "worker-2", "worker-3", "infra-0"];
    let mut targets: Vec<Target> = names.iter().map(|name| nodes(&[name])).collect();
    targets.extend(["master", "worker", "infra"].map(pool));
    targets.extend(["4.19.3", "4.18.25", "4.20.0"].map(version));
    for target in targets {
        for offer in offered(&assessment, &sample.session, &target) {
            // Without its values nothing can be planned.
            if offer.action.entry().args.iter().any(|arg| arg.required) {
                continue;
            }
            let planned =
                plan(&assessment, &sample.session, &Ask::new(offer.action, target.clone()), &Material::default());
            assert_eq!(planned.as_ref().err(), offer.refusal.as_ref(), "{offer:?}");
            if let Ok(plan) = planned {
                assert_eq!((plan.title, plan.danger), (offer.title, offer.danger));
            }
        }
    }
}

#[test]
fn an_effect_holds_when_the_watch_shows_it() {
    let mut sample = Sample::idle();
    let paused = Effect::PoolPaused { pool: "worker".into(), paused: true };
    let both = ["worker-2".to_owned(), "worker-3".to_owned()].to_vec();
    let cordoned = Effect::NodesUnschedulable { nodes: both, unschedulable: true };
    let requested = Effect::UpdateRequested(WantedUpdate { version: "4.18.25".into(), ..WantedUpdate::default() });
    for effect in [&paused, &cordoned, &requested] {
        assert!(!effect.holds(&sample.assessment()), "{}", effect.words());
    }
    sample.edit("pool/worker", |pool| pool["spec"]["paused"] = json!(true));
    sample.cordon("worker-2", "oc-cockpit", "2026-11-20T03:12:00Z");
    assert!(!cordoned.holds(&sample.assessment()), "both are meant");
    sample.cordon("worker-3", "oc-cockpit", "2026-11-20T03:12:00Z");
    sample.edit("version", |version| version["spec"]["desiredUpdate"] = json!({ "version": "4.18.25" }));
    for effect in [&paused, &cordoned, &requested] {
        assert!(effect.holds(&sample.assessment()), "{}", effect.words());
    }
}

#[test]
fn an_action_does_not_apply_to_just_anything() {
    refused(
        &Sample::idle(),
        ActionId::PausePool,
        &nodes(&["worker-0"]),
        "pausing a pool does not apply to node worker-0",
    );
    refused(&Sample::idle(), ActionId::CordonNodes, &nodes(&[]), "no node is chosen");
    refused(&Sample::idle(), ActionId::CordonNodes, &nodes(&["ghost"]), "there is no node ghost");
    let twice = Sample::idle().plan(ActionId::CordonNodes, &nodes(&["worker-0", "worker-0"])).unwrap();
    assert_eq!(twice.writes.len(), 1, "a node that is named twice is cordoned once");
    assert_eq!(twice.danger, Danger::M);
}

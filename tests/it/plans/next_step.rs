//! The one next step: what it is in each situation of a standard update, in which phase, and where it leads.

use std::sync::Arc;

use oc_cockpit::actions::next_step::{Leads, NextStep, next_step};
use oc_cockpit::actions::{ActionId, Target, offered};
use oc_cockpit::upgrade::assessment::{Assessment, Blocker, Cause, Remedy};
use oc_cockpit::upgrade::danger::Danger;
use oc_cockpit::upgrade::link::LinkState;
use serde_json::{Value, json};

use super::gates::{GATE, acks, gates};
use super::sample::{Sample, now, rendered};

const PAUSED: &str = "cluster.x-k8s.io/paused";

/// `phase: words -> where it leads`; `-` when there is nothing to do.
fn told(assessment: &Assessment, sample: &Sample) -> String {
    let Some(NextStep { phase, words, leads }) = next_step(assessment, &sample.session) else { return "-".into() };
    let leads = match leads {
        Leads::Plan(ask) => {
            let shown = offered(assessment, &sample.session, &ask.target);
            let can = shown.iter().any(|offer| offer.action == ask.action && offer.refusal.is_none());
            assert!(can, "{words} leads to what is refused");
            format!("do {}", ask.line())
        }
        Leads::Versions => "the versions on offer".to_owned(),
        Leads::Look(subject) => format!("{subject:?}"),
        Leads::Phases => "the phases".to_owned(),
    };
    assert!(words.chars().count() <= 40, "{words} does not fit the header");
    format!("{phase}: {words} -> {leads}")
}

fn step(sample: &Sample) -> String {
    told(&sample.assessment(), sample)
}

/// Nothing rolls, no pool is paused.
fn idle() -> Sample {
    let mut sample = Sample::idle();
    sample.edit("pool/infra", |pool| pool["spec"]["paused"] = json!(false));
    sample
}

/// A gate bars the next minor.
fn gated(mut sample: Sample) -> Sample {
    sample.add(gates());
    sample.add(acks(&json!({})));
    sample.condition("Upgradeable", "False", "AdminAckRequired", "Kubernetes 1.32 removes APIs.");
    sample
}

/// worker-1 is drained, and has not been for long.
fn rolling() -> Sample {
    let mut sample = Sample::rolling();
    sample.cordon("worker-1", "machine-config-controller", "2026-11-20T03:11:00Z");
    sample
}

/// An operator at the new version that is at work, or not.
fn operator(progressing: bool) -> Value {
    let at = if progressing { "2026-11-20T03:12:00Z" } else { "2026-11-20T02:30:00Z" };
    let condition = |kind: &str, on: bool| {
        let status = if on { "True" } else { "False" };
        json!({ "type": kind, "status": status, "lastTransitionTime": at })
    };
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator",
        "metadata": { "name": "dns", "annotations": { "include.release.openshift.io/self-managed-high-availability": "true" } },
        "status": {
            "versions": [{ "name": "operator", "version": "4.19.3" }],
            "conditions": [condition("Available", true), condition("Progressing", progressing), condition("Degraded", false)],
        },
    })
}

/// The release is rolled out by the cluster-version operator; the workers are there, infra is held.
fn control_plane_done() -> Sample {
    let mut sample = Sample::rolling_to_be();
    for name in ["master-0", "master-1", "master-2", "worker-0", "worker-1", "worker-2", "worker-3"] {
        arrive(&mut sample, name);
    }
    sample.edit("version", |version| {
        version["status"]["history"][0]["state"] = json!("Completed");
        version["status"]["history"][0]["completionTime"] = json!("2026-11-20T03:00:00Z");
    });
    sample.condition("Progressing", "False", "", "Cluster version is 4.19.3");
    sample
}

fn arrive(sample: &mut Sample, name: &str) {
    let target = rendered(name.split('-').next().unwrap(), 2);
    for key in ["currentConfig", "desiredConfig"] {
        sample.annotate(name, key, &target);
    }
    for key in ["desiredDrain", "lastAppliedDrain"] {
        sample.annotate(name, key, &format!("uncordon-{target}"));
    }
    sample.edit(name, |node| node["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.32.6"));
}

/// All of it is done.
fn done() -> Sample {
    let mut sample = control_plane_done();
    sample.edit("pool/infra", |pool| pool["spec"]["paused"] = json!(false));
    for name in ["infra-0", "infra-1"] {
        arrive(&mut sample, name);
    }
    sample
}

/// A health check that `manager` paused at a time of the night.
fn paused_check(sample: &mut Sample, manager: &str, at: &str) {
    sample.add(json!({
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineHealthCheck",
        "metadata": { "name": "workers", "namespace": "openshift-machine-api", "annotations": { PAUSED: "" },
            "managedFields": [{ "manager": manager, "operation": "Update", "time": format!("2026-11-20T{at}Z"),
                "apiVersion": "machine.openshift.io/v1beta1", "fieldsType": "FieldsV1",
                "fieldsV1": { "f:metadata": { "f:annotations": { format!("f:{PAUSED}"): {} } } } }] },
        "spec": { "selector": { "matchLabels": { "role": "worker" } }, "unhealthyConditions": [] },
    }));
}

#[test]
fn at_rest_an_update_is_started() {
    assert_eq!(step(&idle()), "requested: start an update -> the versions on offer");
    let mut none = idle();
    none.edit("version", |version| version["status"]["availableUpdates"] = json!([]));
    assert_eq!(step(&none), "-", "one that is not recommended is nothing to be led to");
}

#[test]
fn a_gate_is_acknowledged_where_it_bars_what_is_wanted() {
    let expected = format!("preflight: acknowledge the gate -> do ack-gate {GATE}");
    assert_eq!(step(&gated(idle())), expected, "the channel is that of the next minor");
    let mut stays = gated(idle());
    stays.edit("version", |version| version["spec"]["channel"] = json!("stable-4.18"));
    assert_eq!(step(&stays), "requested: start an update -> the versions on offer", "a patch release is not barred");
    stays.edit("version", |version| version["status"]["availableUpdates"] = json!([]));
    assert_eq!(step(&stays), expected, "nothing else is left to be done");
    let mut refused = gated(idle());
    refused.edit("version", |version| {
        version["spec"]["channel"] = json!("stable-4.18");
        version["spec"]["desiredUpdate"] = json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" });
    });
    refused.condition(
        "ReleaseAccepted",
        "False",
        "PreconditionChecks",
        "Preconditions failed for payload loaded version=\"4.19.3\"",
    );
    let expected = expected.replace("preflight", "accepted");
    assert_eq!(step(&refused), expected, "the request was refused");
    let mut settled = gated(idle());
    settled.add(acks(&json!({ GATE: "true" })));
    assert_ne!(step(&settled), expected);
}

#[test]
fn while_nodes_roll_there_is_nothing_to_do_but_wait() {
    assert_eq!(step(&rolling()), "-");
    assert_eq!(
        step(&Sample::rolling_to_be()),
        "-",
        "a pool that is held is not let go before the control plane is done"
    );
}

#[test]
fn pools_that_are_held_are_let_go_one_at_a_time() {
    let mut sample = control_plane_done();
    assert_eq!(step(&sample), "pools: unpause infra -> do unpause-pool infra");
    // worker is let go and rolls: infra has to wait for it.
    sample.annotate("worker-2", "currentConfig", &rendered("worker", 1));
    assert_eq!(step(&sample), "-");
    sample.edit("pool/worker", |pool| pool["spec"]["paused"] = json!(true));
    assert_eq!(step(&sample), "pools: unpause worker -> do unpause-pool worker", "both are held: one of them");
}

#[test]
fn between_two_releases_with_extended_support_the_workers_stay_held() {
    let mut sample = control_plane_done();
    sample.edit("version", |version| {
        version["spec"]["channel"] = json!("eus-4.20");
        version["status"]["availableUpdates"] = json!([{ "version": "4.20.1", "image": "quay.io/r@sha256:201" }]);
    });
    assert_eq!(
        step(&sample),
        "requested: start an update -> the versions on offer",
        "their nodes reboot once, at the end"
    );
    let unpause = sample.plan(ActionId::UnpausePool, &Target::pool("infra")).unwrap();
    let told = "the channel eus-4.20 leads on from 4.19.3 to 4.20: nodes that reboot now reboot again for it, and once only \
                if the pool stays paused until the control plane is there";
    assert!(unpause.consequences.iter().any(|line| line == told), "{:?}", unpause.consequences);
    let finding = sample.assessment().findings.iter().find(|finding| finding.id == "pool-paused").cloned().unwrap();
    assert!(finding.remedies[0].words.starts_with("If it is held for the way on to 4.20 (channel eus-4.20)"));
    assert!(finding.remedies[1].words.starts_with("Unpause it"), "{:?}", finding.remedies);
    sample.edit("version", |version| version["status"]["availableUpdates"] = json!([]));
    assert_eq!(step(&sample), "pools: unpause infra -> do unpause-pool infra", "there is no way on");
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn stuck(frees: Vec<Remedy>, pods: &[&str]) -> (Assessment, Sample) {
    use oc_cockpit::upgrade::assessment::DrainTrouble;
    let sample = Sample::rolling();
    let mut assessment = sample.assessment();
    let node = Arc::make_mut(&mut assessment.nodes).iter_mut().find(|node| node.name == "worker-1").unwrap();
    node.drain_trouble = Some(DrainTrouble { since: Some(now()), pods: vec![], error: "times out".into() });
    node.blockers = pods
        .iter()
        .map(|pod| Blocker {
            namespace: "shop".into(),
            pod: (*pod).to_owned(),
            cause: Cause::SeveralBudgets { names: vec![] },
            owner: None,
            since: None,
            frees: frees.clone(),
        })
        .collect();
    (assessment, sample)
}

#[test]
fn a_drain_that_does_not_end_is_looked_at_unless_one_action_is_the_only_way() {
    let look = r#"pools: look at worker-1 -> Node("worker-1")"#;
    let delete = |pod: &str| Remedy::change(Danger::M, "Delete it.").oc(format!("oc delete pod -n shop {pod}"));
    let scale = Remedy::change(Danger::L, "Scale it up.").oc("oc scale -n shop deployment/cart --replicas=2");
    for (frees, pods) in [
        (vec![], &["cart-0"][..]),
        (vec![scale, delete("cart-0")], &["cart-0"]),
        (vec![delete("cart-0")], &["cart-0", "cart-1"]),
        (vec![delete("another")], &["cart-0"]),
        (vec![delete("cart-0")], &[]),
    ] {
        let (assessment, sample) = stuck(frees.clone(), pods);
        assert_eq!(told(&assessment, &sample), look, "{frees:?} {pods:?}");
    }
    let (assessment, sample) = stuck(vec![delete("cart-0")], &["cart-0"]);
    let told = told(&assessment, &sample);
    assert!(told == "pools: delete pod cart-0 -> do delete-pod shop/cart-0" || told == look, "{told}");
}

#[test]
fn only_health_checks_that_were_paused_here_for_this_update_are_resumed() {
    let resume = "verify: resume health checks -> do resume-mhc";
    let ours = |sample: &mut Sample| paused_check(sample, "oc-cockpit", "01:50:00");
    let mut sample = done();
    ours(&mut sample);
    assert_eq!(step(&sample), resume);
    let mut sample = done();
    paused_check(&mut sample, "kubectl-annotate", "01:50:00");
    assert_ne!(step(&sample), resume, "somebody else paused it");
    let mut sample = done();
    paused_check(&mut sample, "oc-cockpit", "03:10:00");
    assert_ne!(step(&sample), resume, "paused after the update: for the next one");
    let mut sample = control_plane_done();
    ours(&mut sample);
    assert_eq!(step(&sample), "pools: unpause infra -> do unpause-pool infra", "a pool is not done");
    let mut sample = done();
    ours(&mut sample);
    sample.not_ready("worker-3");
    assert_ne!(step(&sample), resume, "a node is not ready");
    let mut sample = rolling();
    ours(&mut sample);
    assert_eq!(step(&sample), "-", "nodes roll");
}

#[test]
fn what_one_action_settles_is_offered_while_nodes_roll() {
    let mut watched = rolling();
    paused_check(&mut watched, "somebody", "01:50:00");
    watched.edit("MachineHealthCheck/workers", |check| check["metadata"]["annotations"] = json!({}));
    assert_eq!(step(&watched), "pools: pause health checks -> do pause-mhc");
    // A certificate that nobody approved is more urgent: without it the node does not come back.
    watched.add(json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": { "name": "csr-8x2lm", "creationTimestamp": "2026-11-20T02:40:00Z" },
        "spec": {
            "signerName": "kubernetes.io/kubelet-serving", "username": "system:node:worker-1", "request": "",
            "groups": ["system:nodes", "system:authenticated"], "usages": ["digital signature", "server auth"],
        },
        "status": {},
    }));
    assert_eq!(step(&watched), "pools: approve certificates -> do approve-csr csr-8x2lm");
}

#[test]
fn what_stands_still_and_no_one_action_settles_is_looked_at() {
    let mut drifted = rolling();
    drifted.annotate("worker-3", "state", "Degraded");
    drifted.annotate(
        "worker-3",
        "reason",
        "unexpected on-disk state validating against rendered-worker-1: content mismatch for file \"/etc/chrony.conf\"",
    );
    assert_eq!(step(&drifted), r#"pools: look at worker-3 -> Node("worker-3")"#);
}

#[test]
fn what_is_not_well_at_the_end_is_verified() {
    let ended = |progressing| {
        let mut sample = done();
        sample.edit("version", |version| version["status"]["availableUpdates"] = json!([]));
        sample.add(operator(progressing));
        sample
    };
    assert_eq!(step(&ended(true)), "verify: verify -> the phases");
    let well = ended(false);
    assert_eq!(step(&well), "-", "{}", well.assessment().verdict.why);
}

#[test]
fn nothing_is_offered_that_cannot_be_written() {
    let mut read_only = gated(idle());
    read_only.session.read_only = Some("started with --read-only".into());
    assert_eq!(step(&read_only), "-");
    let mut recording = gated(idle());
    recording.link = LinkState::Recording;
    assert_eq!(step(&recording), "-");
    let mut stale = control_plane_done();
    stale.link = LinkState::Stale { since: now() };
    assert_eq!(step(&stale), "-");
    let mut denied = control_plane_done();
    for permission in ActionId::UnpausePool.permissions() {
        denied.deny(permission.clone());
    }
    assert!(!step(&denied).contains("unpause"), "{}", step(&denied));
}

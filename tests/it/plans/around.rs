//! What stands around an update: health checks, certificate requests, the packageserver, install plans.

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Target, offered};
use oc_cockpit::sim::cluster::signing_request;
use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use super::lab::{Lab, resource};
use super::sample::Sample;
use super::words::text;

pub const PAUSED: &str = "cluster.x-k8s.io/paused";
const API: &str = "openshift-machine-api";

pub fn health_check(name: &str, role: &str) -> Value {
    json!({
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineHealthCheck",
        "metadata": { "name": name, "namespace": API },
        "spec": { "selector": { "matchLabels": { "role": role } },
                  "unhealthyConditions": [{ "type": "Ready", "status": "Unknown", "timeout": "300s" }] },
    })
}

fn machine(name: &str, role: &str, node: Option<&str>) -> Value {
    let mut machine = json!({
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "Machine",
        "metadata": { "name": name, "namespace": API, "labels": { "role": role },
                      "creationTimestamp": "2026-11-20T01:00:00Z" },
        "spec": {},
        "status": { "phase": "Running", "addresses": [
            { "type": "InternalIP", "address": "10.0.0.9" }, { "type": "InternalDNS", "address": name.trim_start_matches("m-") }] },
    });
    if let Some(node) = node {
        machine["status"]["nodeRef"] = json!({ "kind": "Node", "name": node });
    }
    machine
}

/// Checks for workers and for infra nodes, which somebody has paused; the machines of workers.
pub fn checked(mut sample: Sample) -> Sample {
    sample.add(health_check("workers", "worker"));
    let mut infra = health_check("infra", "infra");
    infra["metadata"]["annotations"] = json!({ PAUSED: "" });
    infra["metadata"]["managedFields"] = json!([{
        "manager": "kubectl-annotate", "operation": "Update", "apiVersion": "machine.openshift.io/v1beta1",
        "fieldsType": "FieldsV1", "time": "2026-11-18T08:00:00Z",
        "fieldsV1": { "f:metadata": { "f:annotations": { format!("f:{PAUSED}"): {} } } },
    }]);
    sample.add(infra);
    for node in ["worker-0", "worker-1", "worker-2", "worker-3"] {
        sample.add(machine(&format!("m-{node}"), "worker", Some(node)));
    }
    sample
}

fn checks(names: &[&str]) -> Target {
    let check = |name: &&str| resource("machinehealthchecks.machine.openshift.io", API, name);
    Target::Objects(names.iter().map(check).collect())
}

/// The moment at the end of some words: when the simulated server wrote it.
fn lab_time(words: &str) -> String {
    words.rsplit(' ').next().unwrap().to_owned()
}

pub fn pause() -> Ask {
    Ask::new(ActionId::PauseMhc, Target::Cluster)
}

pub fn resume() -> Ask {
    Ask::new(ActionId::ResumeMhc, Target::Cluster)
}

#[test]
fn what_reboots_nodes_tells_of_health_checks_that_are_not_paused() {
    let told = |sample: &Sample, action: ActionId, target: &Target| {
        let plan = sample.plan(action, target).unwrap();
        plan.consequences.into_iter().find(|line| line.contains("health check"))
    };
    let words = "health check workers is not paused: where a node that is watched over takes long to reboot, its machine \
                 may be deleted (pause-mhc pauses them)";
    let version = Target::Version("4.18.25".into());
    assert_eq!(told(&checked(Sample::idle()), ActionId::StartUpdate, &version).as_deref(), Some(words));
    assert_eq!(told(&Sample::idle(), ActionId::StartUpdate, &version), None, "none is known");
    let mut held = checked(Sample::rolling());
    held.edit("pool/worker", |pool| pool["spec"]["paused"] = json!(true));
    assert_eq!(told(&held, ActionId::UnpausePool, &Target::pool("worker")).as_deref(), Some(words));
}

#[tokio::test]
async fn pausing_health_checks_leaves_those_that_are_paused_already() {
    let lab = Lab::new(&checked(Sample::idle()));
    let done = lab.act(&pause()).await;
    insta::assert_snapshot!(text(&done.plan));
    assert_eq!(done.outcome.done().len(), 1);
    let check = lab.get(Res::MACHINE_HEALTH_CHECKS, Some(API), "workers");
    assert_eq!(check["metadata"]["annotations"], json!({ PAUSED: "" }), "the annotation and no other");
    assert_eq!(lab.refusal(&pause()).await, "all 2 health checks are paused already");
}

#[tokio::test]
async fn resuming_takes_back_what_was_paused_from_here_and_nothing_else() {
    let lab = Lab::new(&checked(Sample::idle()));
    assert!(lab.refusal(&resume()).await.starts_with("no health check was paused from here (by somebody else: infra)"));
    lab.act(&pause()).await;
    let others = Ask::new(ActionId::ResumeMhc, checks(&["infra"]));
    let why = lab.refusal(&others).await;
    assert!(why.contains("was not paused from here (paused by kubectl-annotate since 2026-11-18T08:00:00Z)"), "{why}");
    let done = lab.act(&resume()).await;
    let since = lab_time(&done.plan.preconditions[1].evidence);
    insta::assert_snapshot!(text(&done.plan).replace(&since, "NOW"));
    let paused = |name| lab.get(Res::MACHINE_HEALTH_CHECKS, Some(API), name)["metadata"]["annotations"][PAUSED].clone();
    assert_eq!((paused("workers"), paused("infra")), (Value::Null, json!("")));
}

#[tokio::test]
async fn a_check_that_somebody_else_paused_again_is_theirs() {
    let lab = Lab::new(&checked(Sample::idle()));
    lab.act(&pause()).await;
    lab.store.update(Res::MACHINE_HEALTH_CHECKS, Some(API), "workers", |check| {
        check["metadata"]["managedFields"][0]["manager"] = json!("kubectl-annotate");
    });
    assert!(lab.refusal(&resume()).await.contains("no health check was paused from here"));
}

#[tokio::test]
async fn nothing_is_resumed_while_its_nodes_are_away_or_about_to_go() {
    let paused_by_us = |sample: Sample| async move {
        let lab = Lab::new(&checked(Sample::idle()));
        lab.act(&pause()).await;
        let check = lab.get(Res::MACHINE_HEALTH_CHECKS, Some(API), "workers");
        let mut sample = checked(sample);
        sample.add(check);
        Lab::new(&sample).refusal(&resume()).await
    };
    let mut away = Sample::idle();
    away.not_ready("worker-2");
    let rolling = Sample::rolling();
    let mut to_come = Sample::idle();
    to_come.edit("version", |version| {
        version["status"]["history"] = Sample::rolling().object("version")["status"]["history"].clone();
    });
    for (sample, part) in [
        (away, "watches over worker-2, which is not ready"),
        (rolling, "watches over worker-0, whose pool worker rolls"),
        (to_come, "whose pool worker will roll for the update to"),
    ] {
        let why = paused_by_us(sample).await;
        assert!(why.contains(part), "expected: {part}\nsaid: {why}");
        assert!(why.ends_with("it might delete its machine"), "{why}");
    }
}

#[tokio::test]
async fn a_machine_without_a_node_makes_resuming_more_dangerous() {
    let mut sample = checked(Sample::idle());
    sample.add(machine("m-new", "worker", None));
    let lab = Lab::new(&sample);
    lab.act(&pause()).await;
    let plan = lab.rehearse(&resume()).await.unwrap().plan;
    assert_eq!(plan.danger, Danger::M);
    assert!(plan.consequences.iter().any(|line| line.contains("may delete and replace them: m-new")), "{plan:?}");
}

#[test]
fn health_checks_of_a_single_node_are_left_alone() {
    let mut sample = checked(Sample::idle());
    sample.add(
        json!({ "apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": { "name": "cluster" },
                       "status": { "controlPlaneTopology": "SingleReplica" } }),
    );
    assert!(
        sample.verdict(ActionId::PauseMhc, &Target::Cluster).starts_with("on a single node there is no other machine")
    );
}

#[test]
fn what_is_offered_about_health_checks_and_why_not() {
    let sample = checked(Sample::idle());
    assert!(sample.verdict(ActionId::PauseMhc, &checks(&["workers"])).starts_with("ok"));
    let elsewhere = Target::Objects(vec![resource("machinehealthchecks.machine.openshift.io", "shop", "workers")]);
    assert!(sample.verdict(ActionId::PauseMhc, &elsewhere).contains("is no health check of openshift-machine-api"));
    assert!(sample.verdict(ActionId::PauseMhc, &Target::pool("worker")).contains("does not apply to pool worker"));
    let offers = sample.offers(&checks(&["infra"]));
    assert_eq!(offers, ["Pause health check infra [L]", "Resume health check infra [L]"]);
    let mut denied = sample.clone();
    let patch = ActionId::PauseMhc.permissions()[0].clone();
    denied.deny(patch);
    let why = denied.verdict(ActionId::PauseMhc, &Target::Cluster);
    assert!(
        why.contains("oc auth can-i patch machinehealthchecks.machine.openshift.io -n openshift-machine-api"),
        "{why}"
    );
}

/// A request of `node`; `change` may forge it.
pub fn csr(name: &str, node: &str, serving: bool, change: impl FnOnce(&mut Value)) -> Value {
    let hosts = if serving { vec![node.to_owned(), "10.0.0.7".to_owned()] } else { Vec::new() };
    let (signer, username, groups, usage) = if serving {
        let groups = json!(["system:nodes", "system:authenticated"]);
        ("kubernetes.io/kubelet-serving", format!("system:node:{node}"), groups, "server auth")
    } else {
        let account = "system:serviceaccount:openshift-machine-config-operator:node-bootstrapper".to_owned();
        let groups = json!(["system:serviceaccounts", "system:serviceaccounts:openshift-machine-config-operator"]);
        ("kubernetes.io/kube-apiserver-client-kubelet", account, groups, "client auth")
    };
    let mut csr = json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": { "name": name, "creationTimestamp": "2026-11-20T03:00:00Z" },
        "spec": { "request": signing_request::of_node(node, hosts).unwrap(), "signerName": signer, "username": username,
                  "groups": groups, "usages": ["digital signature", usage] },
        "status": {},
    });
    change(&mut csr);
    csr
}

/// worker-3 has the address that its requests name; the given requests wait.
pub fn asking(sample: Sample, requests: Vec<Value>) -> Sample {
    let mut sample = sample;
    sample.edit("worker-3", |node| {
        node["status"]["addresses"] = json!([
            { "type": "InternalIP", "address": "10.0.0.7" }, { "type": "Hostname", "address": "worker-3" }]);
    });
    for request in requests {
        sample.add(request);
    }
    sample
}

pub fn approve(names: &[&str]) -> Ask {
    let request = |name: &&str| resource("certificatesigningrequests.certificates.k8s.io", "", name);
    Ask::new(ActionId::ApproveCsr, Target::Objects(names.iter().map(request).collect()))
}

#[tokio::test]
async fn approving_requests_whose_nodes_are_known() {
    let mut sample = asking(
        Sample::idle(),
        vec![csr("csr-serve", "worker-3", true, |_| {}), csr("csr-join", "worker-9", false, |_| {})],
    );
    sample.add(machine("m-worker-9", "worker", None));
    let lab = Lab::new(&sample);
    let done = lab.act(&approve(&["csr-serve", "csr-join"])).await;
    assert_eq!(done.plan.danger, Danger::M);
    let shown = text(&done.plan);
    let requests: Vec<&str> = shown.lines().filter(|line| !line.trim_start().starts_with('{')).collect();
    insta::assert_snapshot!(requests.join("\n"));
    for name in ["csr-serve", "csr-join"] {
        let condition = lab.get(Res::CSRS, None, name)["status"]["conditions"][0].clone();
        assert_eq!((&condition["type"], &condition["status"]), (&json!("Approved"), &json!("True")));
        assert!(condition["lastUpdateTime"].is_string(), "the server puts the time in");
    }
    assert_eq!(lab.refusal(&approve(&["csr-serve"])).await, "csr-serve is approved already");
}

/// What is forged, the request, and what is said of it.
type Forgery = (&'static str, Value, &'static str);

#[tokio::test]
async fn what_no_kubelet_of_this_cluster_asks_for_is_refused() {
    let forged = |common_name: &str, organization: &str, hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        json!(signing_request::of(common_name, organization, hosts).unwrap())
    };
    let forgeries: Vec<Forgery> = vec![
        (
            "signer",
            csr("x", "worker-3", true, |csr| csr["spec"]["signerName"] = json!("kubernetes.io/kube-apiserver-client")),
            "only kubelets' certificates",
        ),
        ("user", csr("x", "worker-3", true, |csr| csr["spec"]["username"] = json!("eve")), "is asked for by eve"),
        (
            "another node",
            csr("x", "worker-3", true, |csr| csr["spec"]["username"] = json!("system:node:worker-2")),
            "who is not worker-3",
        ),
        (
            "groups",
            csr("x", "worker-3", true, |csr| csr["spec"]["groups"] = json!(["system:authenticated"])),
            "is asked for by",
        ),
        (
            "usage",
            csr("x", "worker-3", true, |csr| csr["spec"]["usages"] = json!(["server auth", "client auth"])),
            "asks for the usage client auth",
        ),
        (
            "no usage",
            csr("x", "worker-3", true, |csr| csr["spec"]["usages"] = json!(["digital signature"])),
            "does not ask for the usage server auth",
        ),
        (
            "name",
            csr("x", "worker-3", true, |csr| csr["spec"]["request"] = forged("kim", "system:nodes", &["worker-3"])),
            "which is no node",
        ),
        (
            "organization",
            csr("x", "worker-3", true, |csr| {
                csr["spec"]["request"] = forged("system:node:worker-3", "system:masters", &["worker-3"]);
            }),
            "asks for the organization system:masters",
        ),
        (
            "no hosts",
            csr("x", "worker-3", true, |csr| {
                csr["spec"]["request"] = forged("system:node:worker-3", "system:nodes", &[]);
            }),
            "names no host",
        ),
        (
            "hosts of a client",
            csr("x", "worker-9", false, |csr| {
                csr["spec"]["request"] = forged("system:node:worker-9", "system:nodes", &["a"]);
            }),
            "names hosts",
        ),
        ("not PEM", csr("x", "worker-3", true, |csr| csr["spec"]["request"] = json!("Y2FuYXJ5")), "cannot be read"),
        ("no such node", csr("x", "worker-8", true, |_| {}), "which is no node of this cluster"),
        (
            "a node that has one",
            csr("x", "worker-3", false, |_| {}),
            "is ready and has one: whoever asks is not that node",
        ),
        (
            "denied",
            csr("x", "worker-3", true, |csr| {
                csr["status"]["conditions"] = json!([{ "type": "Denied", "status": "True" }]);
            }),
            "is denied already",
        ),
        (
            "the name of another node",
            csr("x", "worker-3", true, |csr| {
                let hosts = vec!["worker-3".to_owned(), "worker-1".to_owned()];
                csr["spec"]["request"] = json!(signing_request::of_node("worker-3", hosts).unwrap());
            }),
            "would be for worker-1, which is worker-1: one node does not serve for another",
        ),
    ];
    for (what, request, part) in forgeries {
        let lab = Lab::new(&asking(Sample::idle(), vec![request]));
        let why = lab.refusal(&approve(&["x"])).await;
        assert!(why.contains(part), "{what}\n  expected: {part}\n  said:     {why}");
    }
    let lab = Lab::new(&Sample::idle());
    assert_eq!(lab.refusal(&approve(&["gone"])).await, "there is no certificate request gone");
}

#[tokio::test]
async fn what_the_cluster_cannot_verify_is_typed_and_approved_by_itself() {
    let mut away = Sample::idle();
    away.not_ready("worker-3");
    let strange = csr("x", "worker-3", true, |csr| {
        let hosts = vec!["worker-3".to_owned(), "evil.example.com".to_owned()];
        csr["spec"]["request"] = json!(signing_request::of_node("worker-3", hosts).unwrap());
    });
    for (sample, request, part) in [
        (Sample::idle(), strange, "would be for evil.example.com, which neither node nor machine of worker-3 has"),
        (away, csr("x", "worker-3", false, |_| {}), "which had one: fine after a long time switched off"),
        (Sample::idle(), csr("x", "worker-9", false, |_| {}), "no machine of this cluster is called worker-9"),
    ] {
        let other = csr("fine", "worker-3", true, |_| {});
        let lab = Lab::new(&asking(sample, vec![request, other]));
        let plan = lab.rehearse(&approve(&["x"])).await.unwrap().plan;
        assert_eq!((plan.danger, &plan.confirm), (Danger::H, &Confirm::Type("x".into())));
        assert!(plan.consequences[0].contains(part), "expected: {part}\nsaid: {}", plan.consequences[0]);
        let why = lab.refusal(&approve(&["fine", "x"])).await;
        assert!(why.starts_with("approve it by itself"), "{why}");
    }
}

#[tokio::test]
async fn a_request_that_somebody_denies_in_between_is_not_approved() {
    let lab = Lab::new(&asking(Sample::idle(), vec![csr("x", "worker-3", true, |_| {})]));
    let store = lab.simulation.store();
    let meddling = super::in_process::InProcess::new(lab.simulation.service()).before_writes(move |_| {
        store.update(Res::CSRS, None, "x", |csr| {
            csr["status"]["conditions"] = json!([{ "type": "Denied", "status": "True" }]);
        });
    });
    let done = lab.send_by(&meddling, &approve(&["x"])).await;
    let Outcome::Failed { words, .. } = done.outcome else { panic!("{:?}", done.outcome) };
    assert_eq!(words, "x is denied already");
    assert_eq!(lab.get(Res::CSRS, None, "x")["status"]["conditions"].as_array().unwrap().len(), 1);
}

const OLM: &str = "openshift-operator-lifecycle-manager";

pub fn packageserver(phase: &str, since: &str) -> Sample {
    let mut sample = Sample::rolling();
    sample.add(json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
        "metadata": { "name": "packageserver", "namespace": OLM }, "spec": { "version": "0.19.0" },
        "status": { "phase": phase, "message": "waiting for install components to report healthy", "lastTransitionTime": since },
    }));
    sample.add(json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator",
        "metadata": { "name": "operator-lifecycle-manager-packageserver",
                      "annotations": { "include.release.openshift.io/self-managed-high-availability": "true" } },
        "spec": {},
        "status": { "versions": [{ "name": "operator", "version": "4.18.22" }], "conditions": [
            { "type": "Available", "status": "True", "lastTransitionTime": "2026-10-01T02:00:00Z" },
            { "type": "Progressing", "status": "True", "reason": "ClusterServiceVersionNotSucceeded", "lastTransitionTime": "2026-11-20T02:20:00Z" },
            { "type": "Degraded", "status": "False", "lastTransitionTime": "2026-10-01T02:00:00Z" }] },
    }));
    sample
}

pub fn free_it() -> Ask {
    Ask::new(ActionId::DeletePackageserverCsv, Target::Cluster)
}

#[tokio::test]
async fn deleting_the_stuck_packageserver() {
    let lab = Lab::new(&packageserver("Installing", "2026-11-20T02:20:00Z"));
    let done = lab.act(&free_it()).await;
    insta::assert_snapshot!(text(&done.plan));
    assert_eq!(lab.get(Res::CLUSTER_SERVICE_VERSIONS, Some(OLM), "packageserver"), Value::Null);
}

#[tokio::test]
async fn a_packageserver_that_is_not_stuck_stays() {
    for (phase, since, part) in [
        ("Succeeded", "2026-11-20T02:20:00Z", "it is not stuck"),
        ("Installing", "2026-11-20T03:00:00Z", "it counts as slow, not as stuck"),
        ("Installing", "", "does not say since when"),
    ] {
        let why = Lab::new(&packageserver(phase, since)).refusal(&free_it()).await;
        assert!(why.contains(part), "{why}");
    }
    let mut sample = packageserver("Installing", "2026-11-20T02:20:00Z");
    sample.edit("ClusterOperator/operator-lifecycle-manager-packageserver", |operator| {
        operator["status"]["versions"][0]["version"] = json!("4.19.3");
        operator["status"]["conditions"][1]["status"] = json!("False");
    });
    let well = Lab::new(&sample).refusal(&free_it()).await;
    assert_eq!(well, "operator-lifecycle-manager-packageserver is well: the packageserver is not stuck");
}

pub fn install_plan(phase: &str, approved: bool) -> Sample {
    let mut sample = Sample::idle();
    sample.add(json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan",
        "metadata": { "name": "install-abc", "namespace": "shop" },
        "spec": { "approval": "Manual", "approved": approved, "clusterServiceVersionNames": ["cart.v2", "dependency.v1"] },
        "status": { "phase": phase, "bundleLookups": [{
            "identifier": "cart.v2",
            "properties": json!({ "properties": [{ "type": "olm.maxOpenShiftVersion", "value": "4.19" }] }).to_string(),
        }] },
    }));
    sample.add(json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription",
        "metadata": { "name": "cart", "namespace": "shop" }, "spec": { "name": "cart" },
        "status": { "installedCSV": "cart.v1", "currentCSV": "cart.v2", "installPlanRef": { "name": "install-abc" } },
    }));
    sample.add(json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
        "metadata": { "name": "cart.v1", "namespace": "shop" }, "spec": { "version": "1.4.2" },
        "status": { "phase": "Succeeded" },
    }));
    sample
}

pub fn approve_plan() -> Ask {
    let plan = resource("installplans.operators.coreos.com", "shop", "install-abc");
    Ask::new(ActionId::ApproveInstallPlan, Target::Objects(vec![plan]))
}

#[tokio::test]
async fn approving_an_install_plan_names_every_version_that_it_moves() {
    let lab = Lab::new(&install_plan("RequiresApproval", false));
    let done = lab.act(&approve_plan()).await;
    insta::assert_snapshot!(text(&done.plan));
    assert_eq!(lab.get(Res::INSTALL_PLANS, Some("shop"), "install-abc")["spec"]["approved"], true);
}

#[tokio::test]
async fn an_install_plan_that_waits_for_nobody_is_refused() {
    for (phase, approved, part) in
        [("Complete", true, "is approved already"), ("Failed", false, "is Failed: it waits for no approval")]
    {
        let why = Lab::new(&install_plan(phase, approved)).refusal(&approve_plan()).await;
        assert!(why.contains(part), "{why}");
    }
    let lab = Lab::new(&Sample::idle());
    assert!(lab.refusal(&approve_plan()).await.contains("there is no install plan install-abc in shop"));
}

#[test]
fn what_is_not_offered_on_the_whole_cluster() {
    let sample = Sample::idle();
    let names: Vec<&str> = offered(&sample.assessment(), &sample.session, &Target::Cluster)
        .iter()
        .map(|offer| offer.action.name())
        .collect();
    for absent in ["approve-csr", "approve-install-plan", "delete-packageserver-csv"] {
        assert!(!names.contains(&absent), "{absent} has nothing to be about");
    }
    let stuck = packageserver("Installing", "2026-11-20T02:20:00Z");
    let offers = stuck.offers(&Target::Cluster);
    assert!(offers.contains(&"Delete the stuck ClusterServiceVersion packageserver [M]".to_owned()), "{offers:?}");
}

//! Single pods: evicted when their budget allows it, deleted past it, and some of them never touched.

use oc_cockpit::actions::audit::Actor;
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Material, Refusal, Target, plan};
use oc_cockpit::cluster::execute::{execute, rehearse};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::Simulation;
use oc_cockpit::upgrade::assessment::Resource;
use serde_json::{Value, json};

use super::draining::{budget, owned, simulation};
use super::in_process::InProcess;
use super::sample::Sample;
use super::script::{lines, scratch};
use super::simulated::{look, replanner, session};
use super::words::text;

fn ask(action: ActionId, namespace: &str, name: &str) -> Ask {
    Ask::new(action, Target::Objects(vec![Resource::pod(namespace, name)]))
}

fn of(pods: Vec<Value>) -> Simulation {
    simulation(&Sample::idle(), pods)
}

async fn rehearsed(simulation: &Simulation, client: &InProcess, ask: &Ask) -> Result<Rehearsal, Refusal> {
    let seen = look(&simulation.store());
    let plan = plan(&seen, &session(), ask, &Material::default())?;
    rehearse(client, plan.clone(), replanner(seen, plan)).await
}

async fn refused(pods: Vec<Value>, ask: &Ask) -> String {
    let simulation = of(pods);
    let client = InProcess::new(simulation.service());
    match rehearsed(&simulation, &client, ask).await {
        Err(Refusal(words)) => words,
        Ok(rehearsal) => panic!("{rehearsal:?}"),
    }
}

async fn carried_out(simulation: &Simulation, client: &InProcess, rehearsal: Rehearsal) -> (Outcome, Vec<Value>) {
    let seen = look(&simulation.store());
    let path = scratch("pods").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let first = rehearsal.plan.clone();
    let order = Order { rehearsal, actor: Actor::of(&seen, &session()), answers: Vec::new() };
    let outcome = execute(client, order, &recorder, replanner(seen, first)).await;
    task.close(&recorder).await;
    (outcome, lines(&path))
}

fn web(name: &str) -> Value {
    let mut pod = owned(name, "ReplicaSet", "web-6d5f7c9b8", "worker-3");
    pod["metadata"]["labels"] = json!({ "app": "web" });
    pod
}

#[tokio::test]
async fn an_eviction_goes_where_its_budget_lets_it() {
    let simulation = of(vec![web("web-6d5f7c9b8-aaaaa"), budget("web", 1)]);
    let client = InProcess::new(simulation.service());
    let ask = ask(ActionId::EvictPod, "shop", "web-6d5f7c9b8-aaaaa");
    let rehearsal = rehearsed(&simulation, &client, &ask).await.unwrap();
    assert!(rehearsal.ok(), "{rehearsal:?}");
    insta::assert_snapshot!(text(&rehearsal.plan));
    let (outcome, audit) = carried_out(&simulation, &client, rehearsal).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-6d5f7c9b8-aaaaa").is_none());
    assert_eq!(audit[0]["request"]["body"]["deleteOptions"]["preconditions"]["uid"], "uid-web-6d5f7c9b8-aaaaa");
}

#[tokio::test]
async fn an_eviction_that_a_budget_refuses_is_told_with_the_budget_and_cannot_be_confirmed() {
    let simulation = of(vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)]);
    let client = InProcess::new(simulation.service());
    let rehearsal = rehearsed(&simulation, &client, &ask(ActionId::EvictPod, "shop", "cart-0")).await.unwrap();
    assert!(!rehearsal.ok());
    assert!(
        rehearsal.steps[0].words.contains("its budget does not let it go: The disruption budget cart needs 1 healthy"),
        "{:?}",
        rehearsal.steps
    );
    assert_eq!(rehearsal.plan.confirm, Confirm::Type("cart-0".into()), "it holds data");
    let told = &rehearsal.plan.consequences[0];
    assert!(told.contains("PDB cart allows 0 disruptions") && told.contains("never goes past that"), "{told}");
}

#[tokio::test]
async fn a_deletion_goes_past_the_budget_and_says_so() {
    let simulation = of(vec![web("web-6d5f7c9b8-aaaaa"), budget("web", 0)]);
    let client = InProcess::new(simulation.service());
    let ask = ask(ActionId::DeletePod, "shop", "web-6d5f7c9b8-aaaaa");
    let rehearsal = rehearsed(&simulation, &client, &ask).await.unwrap();
    assert!(rehearsal.ok(), "{rehearsal:?}");
    assert_eq!((rehearsal.plan.danger, &rehearsal.plan.confirm), (Danger::M, &Confirm::Button));
    insta::assert_snapshot!(text(&rehearsal.plan));
    let (outcome, _) = carried_out(&simulation, &client, rehearsal).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(simulation.store().get(Res::PODS, Some("shop"), "web-6d5f7c9b8-aaaaa").is_none());
    let pdb = simulation.store().get(Res::PDBS, Some("shop"), "web").unwrap();
    assert_eq!(pdb["status"]["disruptionsAllowed"], 0, "the budget itself is not touched");
}

#[tokio::test]
async fn data_makes_a_deletion_dangerous() {
    let simulation = of(vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)]);
    let client = InProcess::new(simulation.service());
    let rehearsal = rehearsed(&simulation, &client, &ask(ActionId::DeletePod, "shop", "cart-0")).await.unwrap();
    assert_eq!(rehearsal.plan.confirm, Confirm::Type("cart-0".into()));
    insta::assert_snapshot!(text(&rehearsal.plan));

    for (mode, danger) in [(Some("ReadWriteOnce"), Danger::H), (Some("ReadWriteMany"), Danger::M), (None, Danger::H)] {
        let mut pod = web("web-6d5f7c9b8-aaaaa");
        pod["spec"]["volumes"] = json!([{ "name": "d", "persistentVolumeClaim": { "claimName": "data" } }]);
        let claim = mode.map(|mode| {
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "shop" },
                "spec": { "accessModes": [mode] },
            })
        });
        let simulation = of([pod].into_iter().chain(claim).collect());
        let client = InProcess::new(simulation.service());
        let ask = ask(ActionId::DeletePod, "shop", "web-6d5f7c9b8-aaaaa");
        assert_eq!(rehearsed(&simulation, &client, &ask).await.unwrap().plan.danger, danger, "{mode:?}");
    }
}

#[tokio::test]
async fn a_grace_period_of_nothing_is_never_sent() {
    let delete = || ask(ActionId::DeletePod, "shop", "web-6d5f7c9b8-aaaaa");
    let words = refused(vec![web("web-6d5f7c9b8-aaaaa")], &delete().with("grace-period", "0")).await;
    assert!(words.contains("a grace period of 0"), "{words}");
    let words = refused(vec![web("web-6d5f7c9b8-aaaaa")], &delete().with("grace-period", "soon")).await;
    assert!(words.contains("`soon` is no whole number"), "{words}");
    let simulation = of(vec![web("web-6d5f7c9b8-aaaaa")]);
    let client = InProcess::new(simulation.service());
    let rehearsal = rehearsed(&simulation, &client, &delete().with("grace-period", "5")).await.unwrap();
    assert_eq!(rehearsal.plan.writes[0].body["gracePeriodSeconds"], 5);
    assert!(rehearsal.plan.writes[0].oc.ends_with("--grace-period=5"));
}

#[tokio::test]
async fn guards_static_pods_and_etcd_are_never_touched() {
    let placed = |name: &str, namespace: &str| {
        let mut pod = owned(name, "ReplicaSet", "x", "master-0");
        pod["metadata"]["namespace"] = json!(namespace);
        pod
    };
    let mut mirror = placed("kube-apiserver-master-0", "openshift-kube-apiserver");
    mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" });
    let mut ending = web("web-6d5f7c9b8-aaaaa");
    ending["metadata"]["deletionTimestamp"] = json!("2026-11-20T03:12:44Z");
    for action in [ActionId::EvictPod, ActionId::DeletePod] {
        let etcd = refused(Vec::new(), &ask(action, "openshift-etcd", "etcd-master-0")).await;
        assert!(etcd.contains("never touched from here"), "{etcd}");
        let guard = ask(action, "openshift-kube-apiserver", "kube-apiserver-guard-master-0");
        assert!(refused(Vec::new(), &guard).await.contains("guards the quorum"));
        let of_static = ask(action, "openshift-kube-apiserver", "kube-apiserver-master-0");
        assert!(refused(vec![mirror.clone()], &of_static).await.contains("static pod"));
        let going = ask(action, "shop", "web-6d5f7c9b8-aaaaa");
        assert!(refused(vec![ending.clone()], &going).await.contains("is being deleted already"));
        assert!(refused(Vec::new(), &ask(action, "shop", "ghost")).await.contains("there is no pod shop/ghost"));
    }
}

//! Each action against the simulated API server: the exact requests, dry runs without a trace, real ones with one,
//! objects that move in between.

use std::sync::Arc;
use std::time::Duration;

use oc_cockpit::actions::audit::{Actor, Audit as _, Proof};
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Material, Plan, Refusal, Session, Target, again, permissions, plan};
use oc_cockpit::cluster::Cluster;
use oc_cockpit::cluster::execute::{execute, rehearse, shown};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation, serve};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::Facts;
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;

use super::in_process::InProcess;
use super::lab::answers;
use super::sample::{Sample, assess_live, now};
use super::script::{lines, scratch};
use crate::support::sim::{namespace, pod};

/// A simulated cluster with the sample's objects, and two pods on worker-3.
pub fn options(sample: &Sample) -> Options {
    let mut objects = sample.objects();
    objects.extend([namespace("shop"), pod("cart-0", "cart", "worker-3"), pod("web-0", "web", "worker-3")]);
    Options { objects, ..Options::default() }
}

pub fn simulation(sample: &Sample) -> Simulation {
    Simulation::new(&options(sample)).unwrap()
}

pub fn session() -> Session {
    Session { context: "lab".into(), ..Session::default() }
}

/// What a watch of everything would show now.
pub fn look(store: &Store) -> Assessment {
    let objects = store.kinds().into_iter().flat_map(|kind| store.list(kind.res()));
    let objects: Vec<Value> = objects.map(|object| (*object).clone()).collect();
    assess_live(objects.iter())
}

/// Plans again on what the watch showed at the beginning, with the fresh objects put in.
pub fn replanner(seen: Assessment, first: Plan) -> impl FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send {
    move |target, material| again(&seen, &session(), &first, target, material)
}

fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A person who plans, rehearses, reads and confirms.
pub struct Person {
    seen: Assessment,
    plan: Plan,
    pub rehearsal: Rehearsal,
}

async fn rehearsed(store: &Store, client: &InProcess, action: ActionId, target: &Target) -> Person {
    rehearsed_for(store, client, &Ask::new(action, target.clone())).await
}

/// The same for a wish with values.
pub async fn rehearsed_for(store: &Store, client: &InProcess, ask: &Ask) -> Person {
    let seen = look(store);
    let plan = plan(&seen, &session(), ask, &Material::default()).unwrap();
    let rehearsal = rehearse(client, plan.clone(), replanner(seen.clone(), plan.clone())).await.unwrap();
    Person { seen, plan, rehearsal }
}

impl Person {
    /// By now the watch shows this.
    pub fn seeing(self, seen: Assessment) -> Self {
        Self { seen, ..self }
    }

    pub async fn confirms(self, client: &InProcess) -> (Outcome, Vec<Value>) {
        let path = scratch("simulated").join("audit.jsonl");
        let (recorder, task) = Recorder::start(Some(path.clone()));
        let answers = answers(&self.plan);
        let order = Order { rehearsal: self.rehearsal, actor: Actor::of(&self.seen, &session()), answers };
        let outcome = execute(client, order, &recorder, replanner(self.seen, self.plan)).await;
        task.close(&recorder).await;
        (outcome, lines(&path))
    }
}

/// Everything that a write could change, but for what the server counts.
fn everything(store: &Store) -> Vec<Arc<Value>> {
    let kinds = [Res::CLUSTER_VERSIONS, Res::MACHINE_CONFIG_POOLS, Res::MACHINE_CONFIGS, Res::NODES];
    kinds.iter().flat_map(|kind| store.list(*kind)).collect()
}

/// Each action on a target on which it is possible: a dry run leaves no trace, the real one shows its effect.
async fn acts(sample: &Sample, action: ActionId, target: &Target) -> String {
    acts_for(sample, &Ask::new(action, target.clone())).await
}

/// The same for a wish with values.
pub async fn acts_for(sample: &Sample, ask: &Ask) -> String {
    let simulation = simulation(sample);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let before = everything(&store);
    let person = rehearsed_for(&store, &client, ask).await;
    assert!(person.rehearsal.ok() && !person.rehearsal.changed, "{:?}", person.rehearsal);
    assert_eq!(everything(&store), before, "a rehearsal changes nothing");
    let effect = person.rehearsal.plan.effect.clone();
    assert!(!effect.holds(&look(&store)));
    let (outcome, audit) = person.confirms(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    // What no watch shows is read again.
    let watched = effect.watched().is_none_or(|effect| effect.holds(&look(&store)));
    assert!(watched && shown(&client, &effect.reread()).await, "{}", effect.words());
    assert_eq!(audit.len(), 2 * outcome.done().len());
    client.requests()
}

#[tokio::test]
async fn pausing_a_pool() {
    let requests = acts(&Sample::rolling(), ActionId::PausePool, &Target::pool("worker")).await;
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn unpausing_a_pool() {
    let requests = acts(&Sample::rolling(), ActionId::UnpausePool, &Target::pool("infra")).await;
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn cordoning_two_nodes() {
    let requests = acts(&Sample::idle(), ActionId::CordonNodes, &nodes(&["worker-3", "worker-0"])).await;
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn uncordoning_a_node() {
    let mut sample = Sample::idle();
    sample.cordon("worker-3", "kubectl-cordon", "2026-11-20T02:00:00Z");
    let requests = acts(&sample, ActionId::UncordonNodes, &nodes(&["worker-3"])).await;
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn starting_an_update() {
    let requests = acts(&Sample::idle(), ActionId::StartUpdate, &Target::Version("4.18.25".into())).await;
    insta::assert_snapshot!(requests);
}

#[test]
fn starting_an_update_removes_a_preflight_and_keeps_accepted_risks() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({
            "version": "4.18.22", "image": "quay.io/r@sha256:1822", "architecture": "", "force": true,
            "mode": "Preflight", "acceptRisks": [{ "name": "DiskLoss" }],
        });
    });
    let plan = sample.plan(ActionId::StartUpdate, &Target::Version("4.18.25".into())).unwrap();
    // On a cluster whose schema knows both fields (4.22 and later, by feature gate) the merge decides.
    let mut version = sample.object("version");
    json_patch::merge(&mut version, &plan.writes[0].body);
    let expected = json!({
        "version": "4.18.25", "image": "quay.io/r@sha256:1825", "architecture": "", "force": false,
        "acceptRisks": [{ "name": "DiskLoss" }],
    });
    assert_eq!(version["spec"]["desiredUpdate"], expected);
}

#[tokio::test]
async fn a_field_that_the_schema_does_not_know_is_an_error_already_in_the_dry_run() {
    let simulation = simulation(&Sample::idle());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let seen = look(&store);
    let mut plan = plan(
        &seen,
        &session(),
        &Ask::new(ActionId::StartUpdate, Target::Version("4.18.25".into())),
        &Material::default(),
    )
    .unwrap();
    let risks = json!([{ "name": "DiskLoss" }]);
    plan.writes[0].body["spec"]["desiredUpdate"]["acceptRisks"] = risks.clone();
    plan.writes[0].stored.push(("/spec/desiredUpdate/acceptRisks".into(), risks));
    let again = plan.clone();
    let replan = move |_: &Target, _: &Material| Ok(again.clone());
    let rehearsal = rehearse(&client, plan, replan).await.unwrap();
    assert!(rehearsal.steps[0].words.contains("did not store it: spec.desiredUpdate.acceptRisks"), "{rehearsal:?}");
    assert!(!rehearsal.ok());
}

#[tokio::test]
async fn our_writes_are_known_by_their_manager() {
    let simulation = simulation(&Sample::idle());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    rehearsed(&store, &client, ActionId::CordonNodes, &nodes(&["worker-3"])).await.confirms(&client).await;
    let assessment = look(&store);
    let cordon = assessment.node("worker-3").unwrap().cordon.as_ref().unwrap();
    assert_eq!(cordon.manager.as_deref(), Some("oc-cockpit"));
    assert!(!cordon.by_mco);
}

#[tokio::test]
async fn the_pods_of_the_nodes_complete_the_consequences() {
    let simulation = simulation(&Sample::idle());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let person = rehearsed(&store, &client, ActionId::CordonNodes, &nodes(&["worker-3"])).await;
    let last = person.rehearsal.plan.consequences.last().unwrap();
    assert_eq!(last, "2 pods on worker-3 stay: a cordon evicts nothing");
}

/// Changes a node each time a write arrives, as often as `times`.
fn meddler(
    store: &Arc<Store>,
    times: usize,
    change: impl Fn(&mut Value, usize) + Send + 'static,
) -> impl FnMut(&oc_cockpit::cluster::Request) + Send + 'static {
    let (store, mut left) = (Arc::clone(store), times);
    move |_| {
        if left > 0 {
            left -= 1;
            assert!(store.update(Res::NODES, None, "worker-3", |node| change(node, left)), "nothing was changed");
        }
    }
}

fn heartbeat(node: &mut Value, count: usize) {
    node["status"]["conditions"][0]["lastHeartbeatTime"] = json!(format!("2026-11-20T03:12:{count:02}Z"));
}

#[tokio::test]
async fn a_heartbeat_in_between_is_sent_again_with_the_newer_version() {
    let simulation = simulation(&Sample::rolling());
    let store = simulation.store();
    let client = InProcess::new(simulation.service()).before_writes(meddler(&store, 2, heartbeat));
    let person = rehearsed(&store, &client, ActionId::CordonNodes, &nodes(&["worker-3"])).await;
    let (outcome, audit) = person.confirms(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(client.writes(), 3);
    let attempts: Vec<_> = audit.iter().filter_map(|line| line["attempt"].as_u64()).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let statuses: Vec<_> = audit.iter().filter_map(|line| line["status"].as_u64()).collect();
    assert_eq!(statuses, [409, 409, 200]);
    assert_eq!(store.get(Res::NODES, None, "worker-3").unwrap()["spec"]["unschedulable"], true);
}

#[tokio::test]
async fn a_change_of_meaning_in_between_asks() {
    let simulation = simulation(&Sample::rolling());
    let store = simulation.store();
    let target = |node: &mut Value, _: usize| {
        let annotations = &mut node["metadata"]["annotations"];
        annotations["machineconfiguration.openshift.io/desiredConfig"] = json!("rendered-worker-2");
        annotations["machineconfiguration.openshift.io/state"] = json!("Working");
    };
    let client = InProcess::new(simulation.service()).before_writes(meddler(&store, 1, target));
    let person = rehearsed(&store, &client, ActionId::CordonNodes, &nodes(&["worker-3"])).await;
    let (outcome, _) = person.confirms(&client).await;
    let Outcome::Changed { plan, words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("consequences changed"), "{words}");
    assert_eq!(plan.reads.len(), 1, "it is rehearsed again before it is shown");
    assert_eq!(client.writes(), 1);
    assert_eq!(store.get(Res::NODES, None, "worker-3").unwrap()["spec"]["unschedulable"], Value::Null);
}

#[tokio::test]
async fn the_cluster_version_keeps_the_strict_lock() {
    let simulation = simulation(&Sample::idle());
    let store = simulation.store();
    let touched = Arc::clone(&store);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        touched.update(Res::CLUSTER_VERSIONS, None, "version", |version| {
            version["status"]["conditions"][0]["message"] = json!("a status write");
        });
    });
    let person = rehearsed(&store, &client, ActionId::StartUpdate, &Target::Version("4.18.25".into())).await;
    let (outcome, _) = person.confirms(&client).await;
    let Outcome::Changed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "clusterversion/version was modified since the plan was made");
    assert_eq!(client.writes(), 1);
    let version = store.get(Res::CLUSTER_VERSIONS, None, "version").unwrap();
    assert_eq!(version["spec"]["desiredUpdate"], Value::Null);
}

#[tokio::test]
async fn a_node_that_was_replaced_in_between_is_not_cordoned() {
    let simulation = simulation(&Sample::idle());
    let store = simulation.store();
    let (other, clock) = (Arc::clone(&store), simulation.clock());
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        let mut node = (*other.delete(Res::NODES, None, "worker-3").unwrap()).clone();
        node["metadata"] = json!({ "name": "worker-3", "labels": node["metadata"]["labels"] });
        other.create(Res::NODES, node, clock.now());
    });
    let person = rehearsed(&store, &client, ActionId::CordonNodes, &nodes(&["worker-3"])).await;
    let (outcome, _) = person.confirms(&client).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("another object now"), "{words}");
    assert_eq!(store.get(Res::NODES, None, "worker-3").unwrap()["spec"]["unschedulable"], Value::Null);
}

#[tokio::test]
async fn a_viewer_is_told_which_permission_is_missing_and_changes_nothing() {
    let server = serve(options(&Sample::idle()), None).await.unwrap();
    let client = InProcess::new(server.service()).with_token(server.viewer_token());
    let person = rehearsed(&server.store, &client, ActionId::PausePool, &Target::pool("worker")).await;
    let [step] = person.rehearsal.steps.as_slice() else { panic!("one write") };
    assert!(!step.ok);
    assert!(
        step.words.contains("cannot patch resource") && step.words.contains("oc auth can-i patch"),
        "{}",
        step.words
    );
    let (outcome, audit) = person.confirms(&client).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(
        words.contains("oc auth can-i patch machineconfigpools.machineconfiguration.openshift.io/worker"),
        "{words}"
    );
    assert_eq!((audit.len(), audit[1]["status"].as_u64()), (2, Some(403)));
    assert!(!look(&server.store).pool("worker").unwrap().paused);
}

/// Waits until what the client observes satisfies `holds`.
async fn until(facts: &mut Receiver<Arc<Facts>>, holds: impl Fn(&Assessment) -> bool) -> Assessment {
    loop {
        let seen = Arc::clone(&facts.borrow_and_update());
        let assessment = assess(seen, &Memory::default(), now());
        if holds(&assessment) {
            return assessment;
        }
        tokio::time::timeout(Duration::from_secs(20), facts.changed()).await.expect("nothing changed").unwrap();
    }
}

#[tokio::test]
async fn the_cockpits_own_client_pauses_a_pool_and_its_watch_shows_it() {
    let simulation = simulation(&Sample::rolling());
    let cluster = Cluster::start_in_process(kube::Client::new(simulation.service(), "default"));
    let mut facts = cluster.facts();
    let ready = |seen: &Assessment| {
        let asked = |permission| seen.facts.access.answer(&permission).is_some();
        seen.facts.complete() && seen.facts.link.state.writable() && permissions().into_iter().all(asked)
    };
    let seen = until(&mut facts, ready).await;
    let target = Target::pool("worker");
    let plan = plan(&seen, &session(), &Ask::new(ActionId::PausePool, target), &Material::default()).unwrap();
    let requests = cluster.requests();
    let rehearsal = rehearse(&requests, plan.clone(), replanner(seen.clone(), plan.clone())).await.unwrap();
    assert!(rehearsal.ok(), "{rehearsal:?}");

    let path = scratch("client").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let order = Order { rehearsal, actor: Actor::of(&seen, &session()), answers: Vec::new() };
    let outcome = execute(&requests, order, &recorder, replanner(seen, plan.clone())).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let shown = until(&mut facts, |seen| plan.effect.holds(seen)).await;
    recorder.proved(&outcome.unproved(), Proof::Seen { at: now() }).await;
    task.close(&recorder).await;

    let whose = shown.pool("worker").unwrap().paused_by.clone().unwrap();
    assert_eq!(whose.0, "oc-cockpit");
    let audit = lines(&path);
    assert_eq!((audit.len(), &audit[1]["effect"]), (2, &json!("seen")));
    assert_eq!(audit[0]["clusterId"], "11111111-2222-3333-4444-555555555555");
    assert!(audit[0]["user"].as_str().is_some_and(|user| !user.is_empty()), "{}", audit[0]);
}

//! Each action against the simulated API server: the exact requests, dry runs without a trace, real ones with one,
//! objects that move in between.

use std::sync::Arc;

use oc_cockpit::actions::audit::Actor;
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Plan, Refusal, Session, Target, again, plan};
use oc_cockpit::cluster::execute::{execute, rehearse};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation, serve};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::in_process::InProcess;
use super::sample::{Sample, assess_live};
use super::script::{lines, scratch};
use crate::support::sim::{namespace, pod};

/// A simulated cluster with the sample's objects, and two pods on worker-3.
fn options(sample: &Sample) -> Options {
    let mut objects = sample.objects();
    objects.extend([namespace("shop"), pod("cart-0", "cart", "worker-3"), pod("web-0", "web", "worker-3")]);
    Options { objects, ..Options::default() }
}

fn simulation(sample: &Sample) -> Simulation {
    Simulation::new(&options(sample)).unwrap()
}

fn session() -> Session {
    Session { read_only: None, context: "lab".into() }
}

/// What a watch would show now.
fn look(store: &Store) -> Assessment {
    let kinds = [Res::CLUSTER_VERSIONS, Res::MACHINE_CONFIG_POOLS, Res::MACHINE_CONFIGS, Res::NODES];
    let objects: Vec<Value> = kinds.iter().flat_map(|kind| store.list(*kind)).map(|object| (*object).clone()).collect();
    assess_live(objects.iter())
}

/// Plans again on what the watch showed at the beginning, with the fresh objects put in.
fn replanner(seen: Assessment, first: Plan) -> impl FnMut(&Target, &[Value]) -> Result<Plan, Refusal> + Send {
    move |target, fresh| again(&seen, &session(), &first, target, fresh)
}

fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A person who plans, rehearses, reads and confirms.
struct Person {
    seen: Assessment,
    plan: Plan,
    rehearsal: Rehearsal,
}

async fn rehearsed(store: &Store, client: &InProcess, action: ActionId, target: &Target) -> Person {
    let seen = look(store);
    let plan = plan(&seen, &session(), action, target).unwrap();
    let rehearsal = rehearse(client, plan.clone(), replanner(seen.clone(), plan.clone())).await.unwrap();
    Person { seen, plan, rehearsal }
}

impl Person {
    async fn confirms(self, client: &InProcess) -> (Outcome, Vec<Value>) {
        let path = scratch("simulated").join("audit.jsonl");
        let (recorder, task) = Recorder::start(Some(path.clone()));
        let order = Order { rehearsal: self.rehearsal, actor: Actor::of(&self.seen, &session()), answers: Vec::new() };
        let outcome = execute(client, order, &recorder, replanner(self.seen, self.plan)).await;
        task.close(&recorder).await;
        (outcome, lines(&path))
    }
}

/// Everything that a write could change, but for what the server counts.
fn everything(store: &Store) -> Vec<Arc<Value>> {
    [Res::CLUSTER_VERSIONS, Res::MACHINE_CONFIG_POOLS, Res::NODES].iter().flat_map(|kind| store.list(*kind)).collect()
}

/// Each action on a target on which it is possible: a dry run leaves no trace, the real one shows its effect.
async fn acts(sample: &Sample, action: ActionId, target: &Target) -> String {
    let simulation = simulation(sample);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let before = everything(&store);
    let person = rehearsed(&store, &client, action, target).await;
    assert!(person.rehearsal.ok() && !person.rehearsal.changed, "{:?}", person.rehearsal);
    assert_eq!(everything(&store), before, "a rehearsal changes nothing");
    let effect = person.plan.effect.clone();
    assert!(!effect.holds(&look(&store)));
    let (outcome, audit) = person.confirms(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(effect.holds(&look(&store)), "{}", effect.words());
    assert_eq!(audit.len(), 2 * outcome.done().len());
    client.requests()
}

#[tokio::test]
async fn pausing_a_pool() {
    let requests = acts(&Sample::rolling(), ActionId::PausePool, &Target::Pool("worker".into())).await;
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn unpausing_a_pool() {
    let requests = acts(&Sample::rolling(), ActionId::UnpausePool, &Target::Pool("infra".into())).await;
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

#[tokio::test]
async fn starting_an_update_removes_a_preflight_and_keeps_accepted_risks() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({
            "version": "4.18.22", "image": "quay.io/r@sha256:1822", "architecture": "", "force": false,
            "mode": "Preflight", "acceptRisks": [{ "name": "DiskLoss" }],
        });
    });
    let simulation = simulation(&sample);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let person = rehearsed(&store, &client, ActionId::StartUpdate, &Target::Version("4.18.25".into())).await;
    let (outcome, _) = person.confirms(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let version = store.get(Res::CLUSTER_VERSIONS, None, "version").unwrap();
    let expected = json!({
        "version": "4.18.25", "image": "quay.io/r@sha256:1825", "architecture": "", "force": false,
        "acceptRisks": [{ "name": "DiskLoss" }],
    });
    assert_eq!(version["spec"]["desiredUpdate"], expected);
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
    let person = rehearsed(&server.store, &client, ActionId::PausePool, &Target::Pool("worker".into())).await;
    let [step] = person.rehearsal.steps.as_slice() else { panic!("one write") };
    assert!(!step.ok);
    assert!(
        step.words.contains("cannot patch resource") && step.words.contains("oc auth can-i patch"),
        "{}",
        step.words
    );
    let (outcome, audit) = person.confirms(&client).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("oc auth can-i patch mcp/worker"), "{words}");
    assert_eq!((audit.len(), audit[1]["status"].as_u64()), (2, Some(403)));
    assert!(!look(&server.store).pool("worker").unwrap().paused);
}

//! Draining: what the plan tells, which evictions are sent and when, and what every answer leads to.

use std::sync::{Arc, Mutex};

use oc_cockpit::actions::audit::Actor;
use oc_cockpit::actions::drain::{NodeState, PodState, Progress};
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Danger, Effect, Found, Material, Read, Refusal, Target, plan};
use oc_cockpit::cluster::drain::drain;
use oc_cockpit::cluster::execute::{Transport, rehearse};
use oc_cockpit::cluster::{Method, Reply, Request};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::{Assessment, Cause};
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::in_process::InProcess;
use super::sample::Sample;
use super::script::{lines, scratch};
use super::simulated::{look, replanner, session};
use super::words::text;
use crate::support::sim::{namespace, operator};

/// A pod of an owner, in the namespace `shop`.
pub fn owned(name: &str, kind: &str, owner: &str, node: &str) -> Value {
    let mut pod = crate::support::sim::pod(name, owner, node);
    pod["metadata"]["uid"] = json!(format!("uid-{name}"));
    pod["metadata"]["ownerReferences"][0]["kind"] = json!(kind);
    pod
}

fn bare(name: &str, node: &str) -> Value {
    let mut pod = owned(name, "Pod", name, node);
    pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    pod
}

fn with_empty_dir(mut pod: Value) -> Value {
    pod["spec"]["volumes"] = json!([{ "name": "scratch", "emptyDir": {} }]);
    pod
}

/// A budget of the pods of an app that allows so many disruptions.
pub fn budget(app: &str, allowed: i64) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": app, "namespace": "shop", "generation": 1 },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": app } } },
        "status": { "currentHealthy": 1 + allowed, "desiredHealthy": 1, "disruptionsAllowed": allowed,
                    "expectedPods": 2, "observedGeneration": 1 },
    })
}

fn claim(name: &str, mode: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name, "namespace": "shop" },
        "spec": { "accessModes": [mode] },
    })
}

/// Some of everything on worker-3, and a pod on worker-2.
fn full_house() -> Vec<Value> {
    let mut cart = owned("cart-0", "StatefulSet", "cart", "worker-3");
    cart["spec"]["volumes"] = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data-cart-0" } }]);
    let mut mirror = bare("kube-proxy-worker-3", "worker-3");
    mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" });
    let mut ended = owned("import-1", "Job", "import", "worker-3");
    ended["status"]["phase"] = json!("Succeeded");
    vec![
        cart,
        claim("data-cart-0", "ReadWriteOnce"),
        with_empty_dir(owned("web-6d5f7c9b8-aaaaa", "ReplicaSet", "web-6d5f7c9b8", "worker-3")),
        owned("web-6d5f7c9b8-bbbbb", "ReplicaSet", "web-6d5f7c9b8", "worker-3"),
        owned("log-x1", "DaemonSet", "log", "worker-3"),
        mirror,
        ended,
        bare("scratch", "worker-3"),
        owned("web-6d5f7c9b8-ccccc", "ReplicaSet", "web-6d5f7c9b8", "worker-2"),
        budget("cart", 0),
    ]
}

pub fn simulation(sample: &Sample, more: Vec<Value>) -> Simulation {
    let mut objects = sample.objects();
    objects.push(namespace("shop"));
    objects.extend(more);
    Simulation::new(&Options { objects, ..Options::default() }).unwrap()
}

fn ask(nodes: &[&str]) -> Ask {
    Ask::new(ActionId::DrainNodes, Target::Nodes(nodes.iter().map(|name| (*name).to_owned()).collect()))
}

/// Accepts everything.
fn by_force(nodes: &[&str]) -> Ask {
    ask(nodes).with("force", "true").with("delete-emptydir-data", "true")
}

/// Answers some requests itself, and lets the others pass.
struct Between {
    inner: InProcess,
    #[expect(clippy::type_complexity, reason = "written once")]
    answer: Mutex<Box<dyn FnMut(&Request) -> Option<Result<Reply, Trouble>> + Send>>,
    elsewhere: Mutex<Option<String>>,
}

impl Between {
    fn new(
        simulation: &Simulation,
        answer: impl FnMut(&Request) -> Option<Result<Reply, Trouble>> + Send + 'static,
    ) -> Self {
        let inner = InProcess::new(simulation.service());
        Self { inner, answer: Mutex::new(Box::new(answer)), elsewhere: Mutex::default() }
    }

    fn ask(&self, request: &Request) -> Option<Result<Reply, Trouble>> {
        (self.answer.lock().unwrap())(request)
    }
}

impl Transport for Between {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        match self.ask(&request) {
            Some(answer) => answer,
            None => self.inner.send(request).await,
        }
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        if let Read::Object(path) | Read::List(path) = read
            && let Some(answer) = self.ask(&Request::new(Method::Get, path))
        {
            let reply = answer?;
            return Ok(match read {
                Read::List(_) => Found::List(reply.body["items"].as_array().cloned()),
                _ => Found::Object(reply.ok().then_some(reply.body)),
            });
        }
        self.inner.read(read).await
    }

    fn elsewhere(&self) -> Option<String> {
        self.elsewhere.lock().unwrap().clone()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in a list with answers that are not scripted")]
fn reply(status: u16, body: Value) -> Option<Result<Reply, Trouble>> {
    Some(Ok(Reply { status, body, retry_after: None }))
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in a list with answers that are not scripted")]
fn lost(kind: TroubleKind) -> Option<Result<Reply, Trouble>> {
    let since = chrono::DateTime::UNIX_EPOCH;
    Some(Err(Trouble { kind, words: "nobody answers".into(), hint: String::new(), since }))
}

fn evicts(request: &Request) -> bool {
    request.path.ends_with("/eviction")
}

async fn rehearsed(store: &Store, client: &impl Transport, ask: &Ask) -> Result<(Assessment, Rehearsal), Refusal> {
    let seen = look(store);
    let plan = plan(&seen, &session(), ask, &Material::default())?;
    let rehearsal = rehearse(client, plan.clone(), replanner(seen.clone(), plan)).await?;
    Ok((seen, rehearsal))
}

/// How a drain went.
struct Run {
    outcome: Outcome,
    told: Vec<Progress>,
    audit: Vec<Value>,
    effect: Effect,
}

impl Run {
    fn words(&self) -> String {
        self.outcome.words(&Target::Cluster)
    }

    /// The states in which a pod was told.
    fn states(&self, name: &str) -> Vec<&PodState> {
        let pods = self.told.iter().flat_map(|told| &told.nodes).flat_map(|node| &node.pods);
        let mut states: Vec<&PodState> = pods.filter(|pod| pod.name == name).map(|pod| &pod.state).collect();
        states.dedup();
        states
    }
}

/// Plans, rehearses, confirms and drains; `watch` hears of every change and may stop it.
async fn run(
    store: &Store,
    client: &impl Transport,
    ask: &Ask,
    mut watch: impl FnMut(&Progress, &CancellationToken) + Send,
) -> Run {
    let (seen, rehearsal) = rehearsed(store, client, ask).await.unwrap();
    assert!(rehearsal.ok() && !rehearsal.changed, "{rehearsal:?}");
    let effect = rehearsal.plan.effect.clone();
    let path = scratch("draining").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let order = Order { actor: Actor::of(&seen, &session()), answers: Vec::new(), rehearsal };
    let again = replanner(seen, order.rehearsal.plan.clone());
    let stop = CancellationToken::new();
    let mut told = Vec::new();
    let tell = |progress: &Progress| {
        told.push(progress.clone());
        watch(progress, &stop);
    };
    let outcome = drain(client, order, &recorder, again, &stop, tell).await;
    task.close(&recorder).await;
    Run { outcome, told, audit: lines(&path), effect }
}

/// Each write that was sent, dry runs apart.
fn sent(client: &InProcess) -> Vec<String> {
    let real =
        |request: &Request| request.method != Method::Get && request.query.iter().all(|(name, _)| name != "dryRun");
    client.sent().iter().filter(|request| real(request)).map(|request| request.path.clone()).collect()
}

/// What no drain ever sends.
fn harmless(client: &InProcess) {
    for request in client.sent().iter().filter(|request| request.method != Method::Get) {
        let body = request.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        if evicts(request) {
            assert_eq!(request.method, Method::Post);
            assert!(body["deleteOptions"]["preconditions"]["uid"].is_string(), "{body}");
            assert!(body["deleteOptions"].get("gracePeriodSeconds").is_none(), "its own grace period holds");
        } else {
            assert_eq!(request.method, Method::Patch, "{}: nothing is deleted", request.path);
            assert!(request.path.starts_with("/api/v1/nodes/"), "{}", request.path);
            assert_eq!(body["spec"], json!({ "unschedulable": true }));
            let lock: Vec<_> = body["metadata"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(lock, ["resourceVersion", "uid"], "no annotation, no label");
        }
    }
}

fn quiet(_: &Progress, _: &CancellationToken) {}

#[tokio::test]
async fn a_drain_is_told_in_full_before_it_begins() {
    let simulation = simulation(&Sample::idle(), full_house());
    let client = InProcess::new(simulation.service());
    let (_, rehearsal) = rehearsed(&simulation.store(), &client, &by_force(&["worker-3"])).await.unwrap();
    assert!(rehearsal.ok() && !rehearsal.changed, "{rehearsal:?}");
    assert_eq!(rehearsal.plan.danger, Danger::H, "a bare pod goes for good");
    insta::assert_snapshot!(text(&rehearsal.plan));
    assert!(sent(&client).is_empty(), "a rehearsal changes nothing");
}

#[tokio::test]
async fn several_nodes_are_drained_in_order_with_the_capacity_of_their_pool() {
    let pods = vec![
        owned("web-6d5f7c9b8-aaaaa", "ReplicaSet", "web-6d5f7c9b8", "worker-3"),
        owned("web-6d5f7c9b8-ccccc", "ReplicaSet", "web-6d5f7c9b8", "worker-0"),
    ];
    let simulation = simulation(&Sample::idle(), pods);
    let client = InProcess::new(simulation.service());
    let ask = ask(&["worker-3", "worker-0"]).with("timeout", "10m");
    let (_, rehearsal) = rehearsed(&simulation.store(), &client, &ask).await.unwrap();
    insta::assert_snapshot!(text(&rehearsal.plan));
}

#[tokio::test]
async fn without_arguments_bare_pods_and_empty_dirs_are_in_the_way_by_name() {
    let simulation = simulation(&Sample::idle(), full_house());
    let client = InProcess::new(simulation.service());
    let Err(Refusal(words)) = rehearsed(&simulation.store(), &client, &ask(&["worker-3"])).await else {
        panic!("it needs arguments")
    };
    assert_eq!(
        words,
        "nothing brings back shop/scratch (--force evicts them all the same); emptyDir data would be lost of \
         shop/web-6d5f7c9b8-aaaaa (--delete-emptydir-data accepts that)"
    );
}

#[test]
fn a_control_plane_node_is_drained_alone_and_only_while_etcd_is_well() {
    let mut sample = Sample::idle();
    let refused = |sample: &Sample, nodes: &[&str]| match sample.plan(ActionId::DrainNodes, &ask(nodes).target) {
        Err(Refusal(words)) => words,
        Ok(plan) => format!("ok, {:?}", plan.danger),
    };
    assert!(!refused(&sample, &["master-0"]).starts_with("ok"), "nobody tells how etcd is");
    sample.add(operator("etcd", "4.18.22"));
    assert_eq!(refused(&sample, &["master-0"]), "ok, M");
    assert!(refused(&sample, &["master-0", "master-1"]).contains("never two at once"));
    assert!(refused(&sample, &["master-0", "worker-0"]).contains("it is drained alone"));
    for (kind, status, words) in [
        ("Available", "False", "is not Available"),
        ("Degraded", "True", "is Degraded"),
        ("Progressing", "True", "is Progressing"),
    ] {
        let mut ill = sample.clone();
        ill.edit("ClusterOperator/etcd", |etcd| {
            for condition in etcd["status"]["conditions"].as_array_mut().unwrap() {
                if condition["type"] == kind {
                    condition["status"] = json!(status);
                }
            }
        });
        assert!(refused(&ill, &["master-0"]).contains(words), "{}", refused(&ill, &["master-0"]));
    }
    sample.not_ready("master-2");
    assert!(refused(&sample, &["master-0"]).contains("master-2 is out already"));
}

#[test]
fn two_drains_of_a_node_are_one_too_many() {
    let sample = Sample::rolling();
    let Err(Refusal(words)) = sample.plan(ActionId::DrainNodes, &ask(&["worker-1"]).target) else {
        panic!("it drains")
    };
    assert!(words.starts_with("the machine-config operator is draining it"), "{words}");
    sample.plan(ActionId::DrainNodes, &ask(&["worker-3"]).target).unwrap();
}

#[tokio::test]
async fn a_guard_whose_budget_lets_none_go_speaks_for_the_quorum() {
    let mut sample = Sample::idle();
    sample.add(operator("etcd", "4.18.22"));
    let guard = |allowed: i64| {
        let mut pod = bare("etcd-guard-master-0", "master-0");
        pod["metadata"]["namespace"] = json!("openshift-etcd");
        pod["metadata"]["labels"] = json!({ "app": "guard" });
        let mut pdb = budget("guard", allowed);
        pdb["metadata"]["namespace"] = json!("openshift-etcd");
        vec![namespace("openshift-etcd"), pod, pdb]
    };
    let ill = simulation(&sample, guard(0));
    let client = InProcess::new(ill.service());
    let Err(Refusal(words)) = rehearsed(&ill.store(), &client, &ask(&["master-0"])).await else { panic!("one is ill") };
    assert!(words.contains("guards the quorum") && words.contains("another member is not well"), "{words}");
    let well = simulation(&sample, guard(1));
    let client = InProcess::new(well.service());
    let (_, planned) = rehearsed(&well.store(), &client, &ask(&["master-0"])).await.unwrap();
    let oc = planned.plan.drain.unwrap().oc;
    assert_eq!(oc, "oc --context=lab adm drain master-0 --ignore-daemonsets --pod-selector='app!=guard'");
    let run = run(&well.store(), &client, &ask(&["master-0"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert_eq!(sent(&client), ["/api/v1/nodes/master-0"], "the guard stays where it is");
}

#[tokio::test(start_paused = true)]
async fn all_nodes_are_cordoned_and_then_emptied_one_after_the_other() {
    let simulation = simulation(
        &Sample::idle(),
        vec![
            owned("a", "ReplicaSet", "a", "worker-3"),
            owned("b", "ReplicaSet", "b", "worker-3"),
            owned("log-x1", "DaemonSet", "log", "worker-3"),
            owned("c", "ReplicaSet", "c", "worker-0"),
        ],
    );
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let run = run(&store, &client, &ask(&["worker-3", "worker-0"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert!(run.effect.holds(&look(&store)), "{}", run.effect.words());
    let pod = |name: &str| format!("/api/v1/namespaces/shop/pods/{name}/eviction");
    let mut requests = sent(&client);
    requests[2..4].sort();
    assert_eq!(requests, ["/api/v1/nodes/worker-3", "/api/v1/nodes/worker-0", &pod("a"), &pod("b"), &pod("c")]);
    harmless(&client);
    let last = run.told.last().unwrap();
    assert!(last.nodes.iter().all(|node| matches!(node.state, NodeState::Drained { .. })), "{last:?}");
    assert_eq!(last.nodes.iter().map(|node| node.gone).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(last.nodes[0].stays, [1, 0, 0, 0]);
    // Two lines each, and all of it was seen: the cordon by a look at the node, the pod by its absence.
    let attempts: Vec<&Value> = run.audit.iter().filter(|line| line["line"] == "attempt").collect();
    assert_eq!(attempts.len(), 5);
    assert!(attempts.iter().all(|line| line["action"] == "drain" && line["oc"].is_string()));
    let seen = run.audit.iter().filter(|line| line["line"] == "outcome" && line["effect"] == "seen").count();
    assert_eq!(seen, 5, "{:?}", run.audit);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_refuses_is_told_and_asked_again_when_it_allows_it() {
    let simulation =
        simulation(&Sample::idle(), vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)]);
    let store = simulation.store();
    let (other, times) = (Arc::clone(&store), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&times);
    let client = Between::new(&simulation, move |request| {
        if evicts(request) {
            seen.lock().unwrap().push(oc_cockpit::clock::runtime_instant());
            if seen.lock().unwrap().len() == 3 {
                // Another replica has become ready.
                other.update(Res::PDBS, Some("shop"), "cart", |pdb| pdb["status"]["disruptionsAllowed"] = json!(1));
            }
        }
        None
    });
    let run = run(&store, &client, &ask(&["worker-3"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    let times = times.lock().unwrap().clone();
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert_eq!(times.len(), 3, "{gaps:?}");
    assert!(gaps[0] >= 5 && gaps[1] >= 10, "longer and longer while the budget says no: {gaps:?}");
    let refusal = run.told.iter().flat_map(|told| &told.nodes[0].pods).find(|pod| pod.blocker.is_some()).unwrap();
    let PodState::Refused { words, .. } = &refusal.state else { panic!("{refusal:?}") };
    assert!(words.contains("The disruption budget cart needs 1 healthy pods"), "{words}");
    let Cause::Budget(budget) = &refusal.blocker.as_ref().unwrap().cause else { panic!("{refusal:?}") };
    assert_eq!((budget.name.as_str(), budget.allowed), ("cart", 0));
    let tries: Vec<_> = run.audit.iter().filter_map(|line| line["attempt"].as_u64()).collect();
    assert_eq!(tries, [1, 1, 2, 3], "the cordon, and three tries of the eviction");
    let statuses: Vec<_> = run.audit.iter().filter_map(|line| line["status"].as_u64()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 2, "{statuses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_seen_to_allow_it_is_not_kept_waiting() {
    let simulation =
        simulation(&Sample::idle(), vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)]);
    let store = simulation.store();
    let other = Arc::clone(&store);
    let client = InProcess::new(simulation.service());
    let began = oc_cockpit::clock::runtime_instant();
    let run = run(&store, &client, &ask(&["worker-3"]), move |told, _| {
        let tries = told.nodes[0].pods.first().map_or(0, |pod| pod.tries);
        // After the third refusal the next try would be due in 20 s.
        if tries == 3 {
            other.update(Res::PDBS, Some("shop"), "cart", |pdb| pdb["status"]["disruptionsAllowed"] = json!(1));
        }
    })
    .await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert_eq!(sent(&client).len(), 5);
    assert!(began.elapsed().as_secs() < 32, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn two_budgets_over_a_pod_are_told_as_what_they_are() {
    let mut second = budget("cart", 1);
    second["metadata"]["name"] = json!("cart-too");
    let pods = vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 1), second];
    let simulation = simulation(&Sample::idle(), pods);
    let store = simulation.store();
    let other = Arc::clone(&store);
    let client = InProcess::new(simulation.service());
    let run = run(&store, &client, &ask(&["worker-3"]), move |told, _| {
        if told.nodes[0].pods.iter().any(|pod| pod.blocker.is_some()) {
            other.delete(Res::PDBS, Some("shop"), "cart-too");
        }
    })
    .await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    let mut pods = run.told.iter().flat_map(|told| &told.nodes[0].pods);
    let blocker = pods.find_map(|pod| pod.blocker.clone()).unwrap();
    assert_eq!(blocker.cause, Cause::SeveralBudgets { names: vec!["cart".into(), "cart-too".into()] });
    assert!(run.audit.iter().any(|line| line["status"] == 500), "{:?}", run.audit);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_will_never_take_ends_it_after_the_others_have_gone() {
    for (status, body, words) in [
        (403, json!({ "message": "User \"x\" cannot create resource \"pods/eviction\"" }), "not permitted"),
        (422, json!({ "message": "invalid" }), "invalid"),
        (400, json!({ "message": "does not match the expected API version" }), "refused it with 400"),
    ] {
        let pods = vec![owned("a", "ReplicaSet", "a", "worker-3"), owned("b", "ReplicaSet", "b", "worker-3")];
        let simulation = simulation(&Sample::idle(), pods);
        let store = simulation.store();
        let client = Between::new(&simulation, move |request| {
            request.path.contains("/a/eviction").then(|| reply(status, body.clone())).flatten()
        });
        let run = run(&store, &client, &ask(&["worker-3", "worker-0"]), quiet).await;
        let Outcome::Failed { words: told, left, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
        assert!(told.starts_with("shop/a: ") && told.contains(words), "{told}");
        assert!(told.contains("1 of 2 pods are gone") && told.contains("stay cordoned"), "{told}");
        assert_eq!(left, &["node/worker-0"]);
        assert_eq!(run.audit.iter().filter(|line| line["object"] == "pod/shop/a").count(), 1, "it is asked once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_another_one_by_now_is_not_evicted_in_its_place() {
    let simulation = simulation(&Sample::idle(), vec![owned("cart-0", "StatefulSet", "cart", "worker-3")]);
    let store = simulation.store();
    let (other, clock) = (Arc::clone(&store), simulation.clock());
    let mut moved = false;
    let client = Between::new(&simulation, move |request| {
        if evicts(request) && !moved {
            moved = true;
            other.delete(Res::PODS, Some("shop"), "cart-0");
            let mut successor = owned("cart-0", "StatefulSet", "cart", "worker-0");
            successor["metadata"].as_object_mut().unwrap().remove("uid");
            other.create(Res::PODS, successor, clock.now());
        }
        None
    });
    let run = run(&store, &client, &ask(&["worker-3"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert!(run.audit.iter().any(|line| line["status"] == 409), "{:?}", run.audit);
    let successor = store.get(Res::PODS, Some("shop"), "cart-0").unwrap();
    assert_eq!(successor["spec"]["nodeName"], "worker-0");
    assert_eq!(successor["metadata"].get("deletionTimestamp"), None);
}

#[tokio::test(start_paused = true)]
async fn before_the_pods_are_known_none_are_counted() {
    let simulation = simulation(&Sample::idle(), vec![owned("a", "ReplicaSet", "a", "worker-3")]);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let run = run(&store, &client, &ask(&["worker-3"]), |_, _| {}).await;
    let told: Vec<String> = run.told.iter().map(Progress::headline).collect();
    assert_eq!(told[0], "worker-3: looking which pods are on it", "{told:?}");
    assert!(told.iter().all(|line| !line.contains("0 of 0")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("worker-3: 0 of 1 gone")), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("1 of 1 node drained"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_in_the_midst_is_waited_for() {
    let pods = vec![
        owned("a", "ReplicaSet", "a", "worker-3"),
        owned("cart-0", "StatefulSet", "cart", "worker-3"),
        budget("cart", 0),
    ];
    let simulation = simulation(&Sample::idle(), pods);
    let store = simulation.store();
    let other = Arc::clone(&store);
    let mut out: Option<tokio::time::Instant> = None;
    let client = Between::new(&simulation, move |request| {
        let now = oc_cockpit::clock::runtime_instant();
        if evicts(request) && request.path.contains("/cart-0/") && out.is_none() {
            out = Some(now);
        }
        match out {
            // The first request of the outage may have arrived, the others find nobody.
            Some(since) if since == now => lost(TroubleKind::Timeout),
            Some(since) if now.duration_since(since).as_secs() < 60 => lost(TroubleKind::Refused),
            Some(_) => {
                other.update(Res::PDBS, Some("shop"), "cart", |pdb| pdb["status"]["disruptionsAllowed"] = json!(1));
                None
            }
            None => None,
        }
    });
    let run = run(&store, &client, &ask(&["worker-3"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    let silent: Vec<&Progress> = run.told.iter().filter(|told| told.silent.is_some()).collect();
    assert!(silent[0].headline().starts_with("waits for the API server: nobody answers"), "{silent:?}");
    assert!(run.told.last().unwrap().silent.is_none());
    assert!(run.audit.iter().any(|line| line["answer"] == "unknown" || line["words"] == "nobody answers"));
}

#[tokio::test(start_paused = true)]
async fn another_cluster_in_its_place_is_left_alone() {
    let pods = vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)];
    let simulation = simulation(&Sample::idle(), pods);
    let store = simulation.store();
    let client = Arc::new(Between::new(&simulation, |_| None));
    let switch = Arc::clone(&client);
    let run = run(&store, &*client, &ask(&["worker-3"]), move |told, _| {
        if told.nodes[0].pods.iter().any(|pod| pod.tries > 0) {
            *switch.elsewhere.lock().unwrap() = Some("another cluster is observed now".into());
        }
    })
    .await;
    let Outcome::Failed { words, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(words.starts_with("another cluster is observed now"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn stopped_it_says_how_far_it_came_and_sends_nothing_more() {
    let pods = vec![
        owned("a", "ReplicaSet", "a", "worker-3"),
        owned("cart-0", "StatefulSet", "cart", "worker-3"),
        budget("cart", 0),
    ];
    let simulation = simulation(&Sample::idle(), pods);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let run = run(&store, &client, &ask(&["worker-3", "worker-0"]), |told, stop| {
        if told.nodes[0].gone == 1 {
            stop.cancel();
        }
    })
    .await;
    assert!(matches!(run.outcome, Outcome::Stopped { .. }), "{:?}", run.outcome);
    assert_eq!(
        run.words(),
        "stopped: worker-3: 1 of 2 pods are gone, held: shop/cart-0 (PDB cart allows 0 of 2); what was sent stays sent, \
         and all its nodes stay cordoned; not sent: node/worker-0"
    );
    assert_eq!(run.told.last().unwrap().nodes[0].state, NodeState::Left);
    assert_eq!(store.get(Res::NODES, None, "worker-0").unwrap()["spec"]["unschedulable"], true);
    harmless(&client);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_when_its_time_is_over() {
    let pods = vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)];
    let simulation = simulation(&Sample::idle(), pods);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let began = oc_cockpit::clock::runtime_instant();
    let run = run(&store, &client, &ask(&["worker-3"]).with("timeout", "90s"), quiet).await;
    let Outcome::Failed { words, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(words.starts_with("not drained in the time that it was given: worker-3: 0 of 1 pod is gone"), "{words}");
    assert!((90..95).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// What somebody does to the node.
type Change = fn(&mut Value, &str);

#[tokio::test(start_paused = true)]
async fn what_happens_to_the_node_meanwhile_ends_it() {
    let mco = "machineconfiguration.openshift.io";
    let changes: [(&str, Change); 2] = [
        ("somebody uncordoned worker-3", |node, _| node["spec"]["unschedulable"] = Value::Null),
        ("the machine-config operator drains worker-3 itself now", |node, mco| {
            node["metadata"]["annotations"][format!("{mco}/desiredDrain")] = json!("drain-rendered-worker-2");
        }),
    ];
    for (expected, change) in changes {
        let pods = vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)];
        let simulation = simulation(&Sample::idle(), pods);
        let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
        let other = Arc::clone(&store);
        let run = run(&store, &client, &ask(&["worker-3"]), move |told, _| {
            if told.nodes[0].pods.iter().any(|pod| pod.tries == 1) {
                other.update(Res::NODES, None, "worker-3", |node| change(node, mco));
            }
        })
        .await;
        let Outcome::Failed { words, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
        assert!(words.starts_with(expected), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_came_later_is_held_to_what_was_confirmed() {
    let pods = vec![owned("cart-0", "StatefulSet", "cart", "worker-3"), budget("cart", 0)];
    let simulation = simulation(&Sample::idle(), pods);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let (other, clock) = (Arc::clone(&store), simulation.clock());
    let mut come = false;
    let run = run(&store, &client, &ask(&["worker-3"]), move |told, _| {
        if told.nodes[0].pods.iter().any(|pod| pod.tries == 1) && !std::mem::replace(&mut come, true) {
            other.create(Res::PODS, bare("late", "worker-3"), clock.now());
        }
    })
    .await;
    let Outcome::Failed { words, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(words.starts_with("shop/late has come, and nothing would bring it back (--force)"), "{words}");
    assert!(!sent(&client).iter().any(|path| path.contains("late")));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_ends_is_told_with_its_countdown() {
    let simulation = simulation(&Sample::idle(), vec![owned("a", "ReplicaSet", "a", "worker-3")]);
    let store = simulation.store();
    let (marks, gone) = (Arc::clone(&store), Arc::clone(&store));
    let client = Between::new(&simulation, move |request| {
        evicts(request).then(|| {
            marks.update(Res::PODS, Some("shop"), "a", |pod| {
                pod["metadata"]["deletionTimestamp"] = json!("2126-11-20T03:12:44Z");
                pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
            });
            reply(201, json!({ "kind": "Status", "status": "Success" }))
        })?
    });
    let run = run(&store, &client, &ask(&["worker-3"]), move |told, _| {
        if told.nodes[0]
            .pods
            .iter()
            .any(|pod| matches!(&pod.state, PodState::Ending { until, .. } if until.timestamp() > 4_000_000_000))
        {
            gone.delete(Res::PODS, Some("shop"), "a");
        }
    })
    .await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert!(matches!(run.states("a").last().unwrap(), PodState::Ending { .. }), "{:?}", run.states("a"));
}

#[tokio::test(start_paused = true)]
async fn old_servers_take_evictions_and_serve_budgets_as_v1beta1() {
    let simulation = simulation(&Sample::idle(), vec![owned("a", "ReplicaSet", "a", "worker-3")]);
    let store = simulation.store();
    let other = Arc::clone(&store);
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let posted = Arc::clone(&bodies);
    let client = Between::new(&simulation, move |request| {
        if request.path == "/api/v1" {
            let entry = json!({ "name": "pods/eviction", "kind": "Eviction", "group": "policy", "version": "v1beta1" });
            return reply(200, json!({ "resources": [entry] }));
        }
        if request.path.starts_with("/apis/policy/v1/") {
            return reply(404, json!({ "message": "not found" }));
        }
        if request.path.starts_with("/apis/policy/v1beta1/") {
            return reply(200, json!({ "items": [budget("a", 1)] }));
        }
        evicts(request).then(|| {
            posted.lock().unwrap().push(request.body.clone().unwrap().1);
            other.delete(Res::PODS, Some("shop"), "a");
            reply(201, json!({ "kind": "Status", "status": "Success" }))
        })?
    });
    let run = run(&store, &client, &ask(&["worker-3"]), quiet).await;
    assert!(matches!(run.outcome, Outcome::Accepted { .. }), "{:?}", run.outcome);
    assert_eq!(bodies.lock().unwrap()[0]["apiVersion"], "policy/v1beta1");
}

#[tokio::test]
async fn a_server_without_evictions_is_not_drained_by_deletions() {
    let simulation = simulation(&Sample::idle(), vec![owned("a", "ReplicaSet", "a", "worker-3")]);
    let client = Between::new(&simulation, |request| {
        (request.path == "/api/v1").then(|| reply(200, json!({ "resources": [] })))?
    });
    let Err(Refusal(words)) = rehearsed(&simulation.store(), &client, &ask(&["worker-3"])).await else {
        panic!("there are no evictions")
    };
    assert!(words.contains("takes no evictions"), "{words}");
}

#[test]
fn a_drain_is_offered_with_its_flags_and_refuses_what_is_no_time() {
    let sample = Sample::idle();
    let ask = ask(&["worker-3"]).with("timeout", "soon");
    let Err(Refusal(words)) = plan(&sample.assessment(), &sample.session, &ask, &Material::default()) else {
        panic!("that is no time")
    };
    assert!(words.contains("timeout is a time such as"), "{words}");
}

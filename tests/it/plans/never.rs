//! What no plan ever does, in whatever state the cluster is.

use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Material, Plan, Refusal, Target, offered, plan};
use oc_cockpit::cluster::{Method, Request};
use oc_cockpit::upgrade::assessment::{Assessment, Resource};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::draining::{budget, owned};
use super::in_process::{InProcess, is_write};
use super::lab::{Lab, ask, file, selecting};
use super::sample::{Sample, rendered};
use crate::support::sim::operator;

const NODES: [&str; 9] =
    ["infra-0", "infra-1", "master-0", "master-1", "master-2", "worker-0", "worker-1", "worker-2", "worker-3"];
const POOLS: [&str; 3] = ["infra", "master", "worker"];

/// What may be the matter with a node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Fine,
    Old,
    Cordoned,
    NotReady,
    Targeted,
    Draining,
    Drained,
    Failed,
}

fn state() -> impl Strategy<Value = State> {
    use State::{Cordoned, Drained, Draining, Failed, Fine, NotReady, Old, Targeted};
    prop::sample::select(vec![Fine, Old, Cordoned, NotReady, Targeted, Draining, Drained, Failed])
}

fn put(sample: &mut Sample, name: &str, state: State) {
    let pool = name.split('-').next().unwrap_or_default();
    let new = rendered(pool, 2);
    if !matches!(state, State::Old | State::Cordoned | State::NotReady) {
        sample.annotate(name, "desiredConfig", &new);
    }
    match state {
        State::Old => {}
        State::Fine => drop(sample.annotate(name, "currentConfig", &new)),
        State::Cordoned => drop(sample.cordon(name, "kubectl-cordon", "2026-11-20T02:00:00Z")),
        State::NotReady => drop(sample.not_ready(name)),
        State::Targeted => drop(sample.annotate(name, "state", "Working")),
        State::Draining | State::Drained | State::Failed => {
            let drain = format!("drain-{new}");
            sample.annotate(name, "desiredDrain", &drain).annotate(name, "state", "Working");
            sample.cordon(name, "machine-config-controller", "2026-11-20T02:58:12Z");
            if state == State::Drained {
                sample.annotate(name, "lastAppliedDrain", &drain);
            }
            if state == State::Failed {
                sample.annotate(name, "state", "Degraded").annotate(name, "reason", "failed to drain");
            }
        }
    }
}

prop_compose! {
    /// Any cluster in the middle of a rollout, with some nodes marked.
    fn cluster()(
        states in prop::collection::vec(state(), NODES.len()),
        paused in prop::collection::vec(any::<bool>(), POOLS.len()),
        max in prop::collection::vec(prop::sample::select(vec![json!(null), json!(0), json!(2), json!("50%")]), POOLS.len()),
        marks in prop::sample::subsequence(NODES.to_vec(), 1..=4),
    ) -> (Sample, Vec<(&'static str, State)>, Vec<String>) {
        let mut sample = Sample::rolling_to_be();
        for (name, state) in NODES.iter().zip(&states) {
            put(&mut sample, name, *state);
        }
        for ((pool, paused), max) in POOLS.iter().zip(&paused).zip(&max) {
            sample.edit(&format!("pool/{pool}"), |object| {
                object["spec"]["paused"] = json!(paused);
                object["spec"]["maxUnavailable"] = max.clone();
            });
        }
        let states = NODES.into_iter().zip(states).collect();
        (sample, states, marks.into_iter().map(str::to_owned).collect())
    }
}

/// What holds of every plan.
fn check(assessment: &Assessment, sample: &Sample, plan: &Plan) {
    for write in &plan.writes {
        let fields: Vec<_> = write.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["metadata", "spec"], "a write changes a spec and nothing else");
        let lock: Vec<_> = write.body["metadata"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(lock, ["resourceVersion", "uid"], "metadata is the lock and nothing else: no annotation, no label");
        let spec = write.body["spec"].as_object().unwrap();
        assert_eq!(spec.len(), 1);
        assert!(["paused", "unschedulable", "desiredUpdate"].contains(&spec.keys().next().unwrap().as_str()));
        assert_ne!(write.body.pointer("/spec/desiredUpdate/force"), Some(&json!(true)));
        assert!(write.oc.starts_with("oc --context=lab "), "{}", write.oc);
        assert!(!write.stored.is_empty(), "every write is verified");
    }
    let typed = matches!(plan.confirm, Confirm::Type(_));
    assert_eq!(plan.danger == Danger::H, typed, "what is dangerous is typed");
    assert!(!plan.preconditions.is_empty() && !plan.consequences.is_empty(), "{plan:?}");
    let again = oc_cockpit::actions::plan(assessment, &sample.session, &plan.ask(), &Material::default()).unwrap();
    assert_eq!(&again, plan, "the same facts give the same plan");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_state((sample, states, marks) in cluster()) {
        let assessment = sample.assessment();
        let mut targets: Vec<Target> = POOLS.into_iter().map(Target::pool).collect();
        targets.push(Target::Nodes(marks.clone()));
        for target in &targets {
            for offer in offered(&assessment, &sample.session, target) {
                // Without its values nothing can be planned.
                if offer.action.entry().args.iter().any(|arg| arg.required) {
                    continue;
                }
                let planned = plan(&assessment, &sample.session, &Ask::new(offer.action, target.clone()), &Material::default());
                prop_assert_eq!(planned.as_ref().err(), offer.refusal.as_ref());
                let Ok(plan) = planned else { continue };
                prop_assert_eq!((plan.danger, plan.title.as_str()), (offer.danger, offer.title.as_str()));
                check(&assessment, &sample, &plan);
                match plan.action {
                    ActionId::PausePool => prop_assert_ne!(target, &Target::pool("master")),
                    ActionId::CordonNodes => one_control_plane_node_at_most(&plan, &states),
                    ActionId::UncordonNodes => nobodys_drain(&plan, &states),
                    ActionId::DrainNodes => {
                        prop_assert!(plan.writes.is_empty() && plan.drain.is_none(), "no pod was read yet");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What kind of pod stands on a node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stands {
    Web,
    Database,
    Agent,
    Static,
    Guard,
    Etcd,
    Bare,
    Scratch,
    Ended,
}

const STANDS: [Stands; 9] = [
    Stands::Web,
    Stands::Database,
    Stands::Agent,
    Stands::Static,
    Stands::Guard,
    Stands::Etcd,
    Stands::Bare,
    Stands::Scratch,
    Stands::Ended,
];

impl Stands {
    /// Is it a pod that nobody may take away from its node: by whatever action, and by a drain?
    fn stays(self, drain: bool) -> bool {
        match self {
            Self::Static | Self::Guard | Self::Etcd => true,
            Self::Agent | Self::Ended => drain,
            Self::Web | Self::Database | Self::Bare | Self::Scratch => false,
        }
    }

    /// Its name tells its kind and its node.
    fn pod(self, node: &str, at: usize) -> Value {
        let (kind, owner) = match self {
            Self::Web | Self::Scratch | Self::Etcd | Self::Bare | Self::Guard => ("ReplicaSet", "web-6d5f7c9b8"),
            Self::Database => ("StatefulSet", "database"),
            Self::Agent => ("DaemonSet", "agent"),
            Self::Static => ("Node", node),
            Self::Ended => ("Job", "import"),
        };
        let word = format!("{self:?}").to_lowercase();
        // The names of real guards.
        let name = if self == Self::Guard {
            format!("kube-apiserver-guard-{node}-{at}")
        } else {
            format!("{word}-{node}-{at}")
        };
        let mut pod = owned(&name, kind, owner, node);
        pod["metadata"]["labels"] = json!({ "app": word });
        match self {
            Self::Static => pod["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" }),
            Self::Scratch => pod["spec"]["volumes"] = json!([{ "name": "scratch", "emptyDir": {} }]),
            Self::Ended => pod["status"]["phase"] = json!("Succeeded"),
            Self::Etcd => pod["metadata"]["namespace"] = json!("openshift-etcd"),
            Self::Guard => pod["metadata"]["namespace"] = json!("openshift-kube-apiserver"),
            _ => {}
        }
        if matches!(self, Self::Bare | Self::Guard) {
            pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        }
        pod
    }
}

prop_compose! {
    /// Any cluster in the middle of a rollout with pods on its nodes, and nodes that are to be drained, in any order.
    fn inhabited()(
        (sample, states, _) in cluster(),
        inhabitants in prop::collection::vec(
            prop::collection::vec(prop::sample::select(STANDS.to_vec()), 0..4), NODES.len()),
        allowed in prop::collection::vec(0_i64..3, 2),
        etcd in prop::sample::select(vec!["well", "well", "well", "degraded", "unknown"]),
        // A node may be marked by its name, and most are at rest: or hardly any drain would begin.
        rest in prop::collection::vec(prop::bool::weighted(0.7), NODES.len()),
        marks in prop::sample::subsequence(NODES.to_vec(), 1..=3).prop_shuffle(),
        flags in any::<(bool, bool)>(),
    ) -> Inhabited {
        let mut sample = sample;
        let mut states = states;
        for ((name, state), rest) in states.iter_mut().zip(&rest) {
            if *rest && *state != State::Fine {
                let fresh = Sample::idle().object(name);
                sample.put(fresh);
                *state = State::Old;
            }
        }
        let mut protected = Vec::new();
        for (node, kinds) in NODES.iter().zip(&inhabitants) {
            for (at, kind) in kinds.iter().enumerate() {
                let pod = kind.pod(node, at);
                if kind.stays(true) {
                    protected.push(pod["metadata"]["name"].as_str().unwrap().to_owned());
                }
                sample.add(pod);
            }
        }
        for (app, allowed) in ["web", "database"].iter().zip(&allowed) {
            sample.add(budget(app, *allowed));
        }
        if etcd != "unknown" {
            sample.add(operator("etcd", "4.18.22"));
        }
        if etcd == "degraded" {
            sample.edit("ClusterOperator/etcd", |etcd| etcd["status"]["conditions"][2]["status"] = json!("True"));
        }
        let marks = marks.into_iter().map(str::to_owned).collect();
        Inhabited { sample, states, marks, protected, force: flags.0, empty_dir: flags.1, etcd_well: etcd == "well" }
    }
}

/// A cluster with pods on its nodes.
#[derive(Debug)]
struct Inhabited {
    sample: Sample,
    states: Vec<(&'static str, State)>,
    marks: Vec<String>,
    /// The names of the pods that no drain takes away.
    protected: Vec<String>,
    force: bool,
    empty_dir: bool,
    etcd_well: bool,
}

impl Inhabited {
    fn ask(&self) -> Ask {
        let mut ask = Ask::new(ActionId::DrainNodes, Target::Nodes(self.marks.clone())).with("timeout", "30s");
        for (given, flag) in [(self.force, "force"), (self.empty_dir, "delete-emptydir-data")] {
            if given {
                ask = ask.with(flag, "true");
            }
        }
        ask
    }

    /// No more than one control plane node is drained, alone, with all others in and etcd well.
    fn quorum(&self, emptied: &[&str]) {
        let masters: Vec<_> = emptied.iter().filter(|name| name.starts_with("master")).collect();
        let Some(master) = masters.first() else { return };
        assert_eq!(masters.len(), 1, "{masters:?}");
        assert!(self.etcd_well, "nobody knows that the other members are well");
        let out = |(name, state): &&(&str, State)| {
            name.starts_with("master") && name != *master && !matches!(state, State::Fine | State::Old)
        };
        assert_eq!(self.states.iter().find(out), None, "{master} would be a second one");
    }

    /// What a server sees of a drain, at the worst.
    fn seen(&self, request: &Request) {
        let body = request.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        if let Some(pod) = request.path.strip_suffix("/eviction") {
            let name = pod.rsplit('/').next().unwrap();
            assert_eq!((request.method, &body["kind"]), (Method::Post, &json!("Eviction")));
            assert!(!self.protected.iter().any(|protected| protected == name), "{name} was evicted");
            assert!(!pod.contains("/openshift-"), "{pod}");
            assert!(self.marks.iter().any(|node| name.contains(node.as_str())), "{name} is on another node");
            assert!(name.starts_with("bare-") <= self.force, "{name} is bare");
            assert!(name.starts_with("scratch-") <= self.empty_dir, "{name} loses data");
            assert!(body["deleteOptions"].get("gracePeriodSeconds").is_none(), "its own grace period holds");
            assert!(body["deleteOptions"]["preconditions"]["uid"].is_string(), "that pod and no other of its name");
            return;
        }
        let node = request.path.strip_prefix("/api/v1/nodes/").unwrap_or_else(|| panic!("{}", request.path));
        assert_eq!((request.method, &body["spec"]), (Method::Patch, &json!({ "unschedulable": true })));
        assert!(self.marks.iter().any(|mark| mark == node), "{node} was not asked for");
        let metadata: Vec<_> = body["metadata"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(metadata, ["resourceVersion", "uid"]);
    }
}

/// The writes that a server saw of what was asked for: rehearsed, confirmed, and carried out to its end.
fn writes_of(sample: &Sample, ask: &Ask) -> Vec<Request> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let lab = Lab::new(sample);
        let rehearsal = lab.rehearse(ask).await;
        assert_eq!(lab.client.writes(), 0, "nothing is written before it was confirmed");
        let Ok(rehearsal) = rehearsal else { return Vec::new() };
        if !rehearsal.ok() {
            return Vec::new();
        }
        let client = InProcess::new(lab.simulation.service());
        lab.carry_out(&client, rehearsal).await;
        client.sent().into_iter().filter(is_write).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_drain_takes_what_keeps_the_cluster(cluster in inhabited()) {
        let sent = writes_of(&cluster.sample, &cluster.ask());
        for request in &sent {
            cluster.seen(request);
        }
        let emptied: Vec<&str> = match sent.as_slice() {
            [] => Vec::new(),
            _ => cluster.marks.iter().map(String::as_str).collect(),
        };
        cluster.quorum(&emptied);
    }

    #[test]
    fn no_pod_is_taken_that_keeps_the_cluster_and_none_without_its_grace(
        kind in prop::sample::select(STANDS.to_vec()),
        action in prop::sample::select(vec![ActionId::EvictPod, ActionId::DeletePod]),
        grace in prop::sample::select(vec!["", "0", "00", "0s", "-1", "1", "30", "soon"]),
        allowed in 0_i64..2,
        node in prop::sample::select(vec!["master-0", "worker-3"]),
    ) {
        let mut sample = Sample::idle();
        let pod = kind.pod(node, 0);
        let text = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
        let object = Resource::pod(&text("namespace"), &text("name"));
        sample.add(pod.clone());
        sample.add(budget("web", allowed));
        let mut ask = Ask::new(action, Target::Objects(vec![object]));
        if action == ActionId::DeletePod && !grace.is_empty() {
            ask = ask.with("grace-period", grace);
        }
        let sent = writes_of(&sample, &ask);
        prop_assert!(sent.is_empty() || !kind.stays(false), "{:?}", sent);
        prop_assert!(sent.len() <= 1, "{:?}", sent);
        for request in &sent {
            let body = &request.body.as_ref().unwrap().1;
            let options = if action == ActionId::EvictPod { &body["deleteOptions"] } else { body };
            prop_assert!(options["preconditions"]["uid"].is_string());
            let seconds = options.get("gracePeriodSeconds").map(|seconds| seconds.as_u64().unwrap());
            prop_assert!(seconds.is_none_or(|seconds| seconds > 0), "{:?}", options);
            prop_assert_eq!(seconds, grace.parse().ok().filter(|_| action == ActionId::DeletePod));
        }
    }
}

#[test]
fn drains_of_the_property_do_begin() {
    // Otherwise it would prove nothing.
    let mut sample = Sample::idle();
    sample.add(operator("etcd", "4.18.22"));
    for node in NODES {
        for (at, kind) in STANDS.into_iter().enumerate() {
            sample.add(kind.pod(node, at));
        }
    }
    for (marks, evictions) in [(&["master-0"][..], 4), (&["worker-3", "worker-0"], 8)] {
        let marks: Vec<String> = marks.iter().map(|name| (*name).to_owned()).collect();
        let ask = Ask::new(ActionId::DrainNodes, Target::Nodes(marks.clone()));
        let ask = ask.with("force", "true").with("delete-emptydir-data", "true");
        let sent = writes_of(&sample, &ask);
        assert_eq!(sent.len(), marks.len() + evictions, "{sent:?}");
    }
    let two = Ask::new(ActionId::DrainNodes, Target::Nodes(vec!["master-0".into(), "master-1".into()]));
    assert!(writes_of(&sample, &two).is_empty());
}

fn written(plan: &Plan) -> Vec<&str> {
    plan.writes.iter().map(|write| write.object.trim_start_matches("node/")).collect()
}

/// After the plan at most one control plane node is out, unless more were before and it takes no other one.
fn one_control_plane_node_at_most(plan: &Plan, states: &[(&str, State)]) {
    let masters = written(plan).into_iter().filter(|name| name.starts_with("master")).collect::<Vec<_>>();
    let out = |(name, state): &&(&str, State)| {
        name.starts_with("master") && !matches!(state, State::Fine | State::Old) && !masters.contains(name)
    };
    if !masters.is_empty() {
        assert_eq!(masters.len(), 1);
        assert_eq!(states.iter().find(out), None, "{masters:?} would be a second one");
    }
}

fn nobodys_drain(plan: &Plan, states: &[(&str, State)]) {
    for name in written(plan) {
        let state = states.iter().find(|(other, _)| *other == name).map(|(_, state)| *state);
        assert_eq!(state, Some(State::Cordoned), "{name}");
    }
}

#[test]
fn a_session_that_reads_only_gets_no_plan_of_anything() {
    let mut sample = Sample::rolling();
    sample.session.read_only = Some("the configuration marks this context".into());
    for (action, target) in [
        (ActionId::PausePool, Target::pool("worker")),
        (ActionId::UnpausePool, Target::pool("infra")),
        (ActionId::CordonNodes, Target::Nodes(vec!["worker-3".into()])),
        (ActionId::UncordonNodes, Target::Nodes(vec!["worker-1".into()])),
        (ActionId::DrainNodes, Target::Nodes(vec!["worker-3".into()])),
        (ActionId::EvictPod, Target::Objects(vec![Resource::pod("shop", "cart-0")])),
        (ActionId::DeletePod, Target::Objects(vec![Resource::pod("shop", "cart-0")])),
        (ActionId::StartUpdate, Target::Version("4.20.0".into())),
        (ActionId::StartUpdate, Target::Cluster),
    ] {
        let Err(Refusal(words)) = sample.plan(action, &target) else { panic!("{action:?}") };
        assert_eq!(words, "writes are off: the configuration marks this context");
    }
}

/// Every file that names an object that is never touched, whatever it says of it.
#[tokio::test]
async fn no_file_reaches_what_is_never_touched() {
    let lab = Lab::new(&selecting(Sample::idle()));
    let object = |api: &str, kind: &str, namespace: &str| {
        json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "x", "namespace": namespace },
                "spec": { "minAvailable": 0, "maxUnavailable": 3 } })
    };
    let annotated = |api: &str, kind: &str| {
        let mut object = object(api, kind, "");
        object["metadata"]["labels"] = json!({ "machineconfiguration.openshift.io/role": "worker" });
        object["metadata"]["annotations"] = json!({ "machineconfiguration.openshift.io/desiredConfig": "y" });
        object
    };
    let mut files = vec![
        annotated("v1", "Node"),
        annotated("machineconfiguration.openshift.io/v1", "MachineConfig"),
        object("machineconfiguration.openshift.io/v1", "MachineConfigPool", ""),
        object("config.openshift.io/v1", "ClusterVersion", ""),
        object("v1", "Pod", "openshift-etcd"),
    ];
    for namespace in ["openshift-etcd", "openshift-kube-apiserver", "openshift-update-service", "shop"] {
        files.push(object("policy/v1", "PodDisruptionBudget", namespace));
        files.push(object("operators.coreos.com/v1alpha1", "ClusterServiceVersion", namespace));
    }
    for object in files {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let path = file("never.yaml", &[object]);
        for action in [ActionId::ApplyFile, ActionId::AddMirrorSet, ActionId::ApplySignature] {
            let why = lab.refusal(&ask(action, &[("file", path.to_str().unwrap())])).await;
            assert!(
                why.contains("is not on the list") || why.contains("machine-config operator alone"),
                "{kind}: {why}"
            );
        }
        let why = match ActionId::DeleteObject.entry().parse(&[format!("{kind}/openshift-etcd/x")]) {
            Err(Refusal(why)) => why,
            Ok(named) => lab.refusal(&named).await,
        };
        assert!(why.contains("is not on the list"), "{kind}: {why}");
    }
}

#[test]
fn no_other_cluster_service_version_is_ever_deleted() {
    let sample = Sample::rolling();
    let csv = |namespace: &str, name: &str| {
        let resource = super::lab::resource("clusterserviceversions.operators.coreos.com", namespace, name);
        Target::Objects(vec![resource])
    };
    for target in [
        csv("shop", "cart.v1"),
        csv("shop", "packageserver"),
        csv("openshift-operator-lifecycle-manager", "packageserver"),
    ] {
        let why = sample.verdict(ActionId::DeletePackageserverCsv, &target);
        assert!(why.contains("does not apply to"), "it takes no target: {why}");
        assert!(sample.offers(&target).is_empty(), "nothing is offered on one");
    }
}

//! What no plan ever does, in whatever state the cluster is.

use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Material, Plan, Refusal, Target, offered, plan};
use oc_cockpit::upgrade::assessment::{Assessment, Resource};
use proptest::prelude::*;
use serde_json::json;

use super::lab::{Lab, ask, file, selecting};
use super::sample::{Sample, rendered};

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

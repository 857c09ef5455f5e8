//! Actions on pools and what belongs to them: several pools at once, capacity, custom pools with their nodes, rendered
//! configs, images.

use std::collections::BTreeSet;
use std::sync::Arc;

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Found, Material, Plan, Read, Refusal, Target};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::upgrade::access::Permission;
use oc_cockpit::upgrade::facts::{Kind, KindStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::in_process::InProcess;
use super::sample::{Sample, config_object, pool_object, rendered};
use super::simulated::{acts_for, look, rehearsed_for, simulation};
use super::words::text;

const MCO: &str = "machineconfiguration.openshift.io";

fn pools(names: &[&str]) -> Target {
    Target::Pools(names.iter().map(|name| (*name).to_owned()).collect())
}

pub fn nodes(names: &[&str]) -> Target {
    Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect())
}

pub fn all(action: ActionId) -> Ask {
    Ask::new(action, Target::Cluster).with("all", "")
}

pub fn set_max(pool: &str, value: &str) -> Ask {
    Ask::new(ActionId::SetMaxUnavailable, Target::pool(pool)).with("number", value)
}

pub fn create(name: &str) -> Ask {
    Ask::new(ActionId::CreatePool, Target::Cluster).with("name", name)
}

pub fn moving(names: &[&str], pool: &str) -> Ask {
    Ask::new(ActionId::MoveNodes, nodes(names)).with("pool", pool)
}

pub fn prune(pool: &str, count: &str) -> Ask {
    Ask::new(ActionId::PruneRenderedConfigs, Target::pool(pool)).with("count", count)
}

pub fn rebuild(name: &str) -> Ask {
    let resource = format!("machineosconfigs.{MCO}");
    let object = oc_cockpit::upgrade::assessment::Resource::cluster(&resource, name);
    Ask::new(ActionId::RebuildImage, Target::Objects(vec![object]))
}

pub fn image(c: char) -> String {
    format!("quay.io/release/art@sha256:{}", c.to_string().repeat(64))
}

pub fn pin(pool: &str, name: &str, images: &[String]) -> Ask {
    let ask = Ask::new(ActionId::PinImages, Target::pool(pool)).with("name", name);
    images.iter().fold(ask, |ask, image| ask.with("image", image))
}

/// Answers every read: configurations with these specs, lists with these objects.
fn material(plan: &Plan, answer: impl Fn(&str) -> Option<Value>) -> Material {
    let answers = plan.reads.iter().filter_map(|read| {
        Some((
            read.clone(),
            Ok(match read {
                Read::Object(path) => Found::Object(answer(path)),
                Read::List(path) => Found::List(answer(path).map(|list| list.as_array().cloned().unwrap_or_default())),
                _ => return None,
            }),
        ))
    });
    Material { answers: answers.collect(), fresh: Vec::new() }
}

/// The plan with all that it asks for.
#[track_caller]
fn whole(sample: &Sample, ask: &Ask, answer: impl Fn(&str) -> Option<Value>) -> Result<Plan, Refusal> {
    let plan = sample.plan_of(ask, &Material::default())?;
    sample.plan_of(ask, &material(&plan, answer))
}

/// Configurations whose operating system differs by number, and no layered pool.
fn systems(path: &str) -> Option<Value> {
    let name = path.strip_prefix("/apis/machineconfiguration.openshift.io/v1/machineconfigs/")?;
    let number = name.rsplit('-').next()?;
    Some(json!({ "spec": { "osImageURL": format!("os-{number}"), "config": { "ignition": { "version": "3.4.0" } } } }))
}

/// Configurations that all have the same content.
fn alike(path: &str) -> Option<Value> {
    path.contains("/machineconfigs/").then(|| json!({ "spec": { "osImageURL": "os" } }))
}

#[track_caller]
fn refused(result: Result<Plan, Refusal>, part: &str) {
    let Err(Refusal(words)) = result else { panic!("not refused: {part}\n{result:#?}") };
    assert!(words.contains(part), "\n  expected: {part}\n  said:     {words}");
}

/// A rendered config as the controller makes it.
fn generated(pool: &str, number: u32) -> Value {
    let mut config = config_object(pool, number, "4.18.22");
    config["metadata"]["annotations"][format!("{MCO}/generated-by-controller-version")] = json!("abc");
    config["metadata"]["creationTimestamp"] = json!(format!("2026-0{}-01T00:00:00Z", number % 9 + 1));
    config
}

/// An idle cluster with a canary pool of one node (worker-3), in the middle of its life: `rendered-canary-1`.
pub fn canary() -> Sample {
    let mut sample = Sample::idle();
    sample.add(pool_object("canary", 1));
    sample.add(config_object("canary", 1, "4.18.22"));
    sample.edit("worker-3", |node| node["metadata"]["labels"]["node-role.kubernetes.io/canary"] = json!(""));
    for key in ["currentConfig", "desiredConfig"] {
        sample.annotate("worker-3", key, "rendered-canary-1");
    }
    sample
}

/// The canary is over: its node is back in worker.
pub fn canary_over() -> Sample {
    let mut sample = canary();
    sample.edit("worker-3", |node| {
        node["metadata"]["labels"].as_object_mut().unwrap().remove("node-role.kubernetes.io/canary");
    });
    for key in ["currentConfig", "desiredConfig"] {
        sample.annotate("worker-3", key, "rendered-worker-1");
    }
    sample
}

fn nothing(_: &str) -> Option<Value> {
    None
}

// --- Pausing and unpausing several ---

#[test]
fn pausing_is_more_dangerous_when_it_stops_a_rollout() {
    let danger = |sample: &Sample, pool: &str| {
        sample.plan(ActionId::PausePool, &Target::pool(pool)).map(|plan| plan.danger).unwrap()
    };
    assert_eq!(danger(&Sample::idle(), "worker"), Danger::L);
    assert_eq!(danger(&Sample::rolling(), "worker"), Danger::M);
    let mut done = Sample::rolling();
    for name in ["worker-1", "worker-2", "worker-3"] {
        for key in ["currentConfig", "desiredConfig"] {
            done.annotate(name, key, "rendered-worker-2");
        }
        done.annotate(name, "state", "Done");
    }
    assert_eq!(danger(&done, "worker"), Danger::L, "nothing is to come");
}

#[test]
fn all_but_the_control_plane_are_paused_for_an_update_over_two_minors() {
    let mut sample = Sample::idle();
    sample.add(pool_object("gpu", 0));
    sample.edit("pool/worker", |pool| {
        let subject = "CN=openshift-kube-apiserver-operator_kube-apiserver-to-kubelet-signer@1700000000";
        pool["status"]["certExpirys"] =
            json!([{ "bundle": "KubeAPIServerServingCAData", "subject": subject, "expiry": "2027-01-19T03:12:44Z" }]);
    });
    let plan = whole(&sample, &all(ActionId::PausePool), systems).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn all_is_refused_beside_names_and_when_there_is_nothing() {
    let both = Ask::new(ActionId::PausePool, Target::pool("worker")).with("all", "");
    refused(Sample::idle().plan_of(&both, &Material::default()), "either pools are named, or --all");
    let neither = Ask::new(ActionId::PausePool, Target::Cluster);
    refused(
        Sample::idle().plan_of(&neither, &Material::default()),
        "pausing a pool needs a pool: name it, or give --all",
    );
    let mut sample = Sample::idle();
    sample.edit("pool/worker", |pool| pool["spec"]["paused"] = json!(true));
    refused(sample.plan_of(&all(ActionId::PausePool), &Material::default()), "paused already");
    refused(
        Sample::idle().plan_of(&all(ActionId::UnpausePool), &Material::default()),
        "no pool was paused from here; name those that are meant: infra (paused by kubectl-patch",
    );
}

#[test]
fn marked_pools_are_paused_together_and_master_keeps_all_from_it() {
    let sample = Sample::idle();
    let plan = sample.plan(ActionId::PausePool, &pools(&["worker", "infra"])).unwrap();
    assert_eq!((plan.title.as_str(), plan.writes.len()), ("Pause pool worker", 1));
    assert!(plan.preconditions.iter().any(|it| it.words == "pool infra is paused already and is left as it is"));
    refused(sample.plan(ActionId::PausePool, &pools(&["worker", "master"])), "pool master is never paused");
    assert_eq!(
        sample.offers(&pools(&["worker", "infra"]))[..2],
        ["Pause pool worker [L]".to_owned(), "Unpause pool infra [M]".to_owned(),]
    );
}

#[test]
fn unpausing_all_unpauses_only_what_was_paused_from_here() {
    let mut sample = Sample::rolling();
    sample.edit("pool/worker", |pool| {
        pool["spec"]["paused"] = json!(true);
        pool["metadata"]["managedFields"] = json!([{
            "manager": "oc-cockpit", "operation": "Update", "apiVersion": format!("{MCO}/v1"), "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": { "f:paused": {} } }, "time": "2026-11-20T01:00:00Z",
        }]);
    });
    let plan = whole(&sample, &all(ActionId::UnpausePool), systems).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn several_pools_that_are_unpaused_roll_together() {
    let mut sample = Sample::rolling();
    sample.edit("pool/worker", |pool| pool["spec"]["paused"] = json!(true));
    let plan = whole(&sample, &Ask::new(ActionId::UnpausePool, pools(&["worker", "infra"])), systems).unwrap();
    let together = "the 2 pools roll at the same time, each as far as its own maxUnavailable goes";
    assert!(plan.consequences.iter().any(|line| line.starts_with(together)), "{plan:#?}");
    assert!(plan.consequences.iter().any(|line| line.starts_with("infra: pending: ")), "{plan:#?}");
    assert_eq!(plan.writes.len(), 2);
}

#[test]
fn a_pause_of_an_old_release_keeps_certificates_from_the_nodes() {
    let told = |version: &str, expiry: Option<&str>| {
        let mut sample = Sample::idle();
        sample.edit("version", |object| object["status"]["history"][0]["version"] = json!(version));
        sample.edit("version", |object| object["status"]["desired"]["version"] = json!(version));
        let subject = "CN=openshift-kube-apiserver-operator_kube-apiserver-to-kubelet-signer@17";
        if let Some(expiry) = expiry {
            sample.edit("pool/worker", |pool| {
                pool["status"]["certExpirys"] = json!([{ "bundle": "B", "subject": subject, "expiry": expiry }]);
            });
        }
        let plan = sample.plan(ActionId::PausePool, &Target::pool("worker")).unwrap();
        plan.consequences.into_iter().find(|line| line.contains("trust the API server")).unwrap()
    };
    assert_eq!(
        told("4.12.30", Some("2026-12-01T00:00:00Z")),
        "its nodes trust the API server until 2026-12-01T00:00:00Z (10 days left): up to 4.12 a paused pool does not get \
         the renewed one: unpause it before, or its nodes are lost"
    );
    assert!(told("4.18.22", Some("2026-11-20T12:00:00Z")).contains("less than a day left"));
    assert!(told("4.18.22", Some("2026-11-01T00:00:00Z")).contains("it has run out"));
    assert!(told("4.18.22", None).starts_with("until when its nodes trust the API server is not known"));
}

#[tokio::test]
async fn the_requests_that_pause_all() {
    let mut sample = Sample::idle();
    sample.add(pool_object("gpu", 0));
    insta::assert_snapshot!(acts_for(&sample, &all(ActionId::PausePool)).await);
}

#[tokio::test]
async fn after_a_conflict_the_rest_of_the_pools_is_paused() {
    let mut sample = Sample::idle();
    sample.add(pool_object("gpu", 0));
    let simulation = simulation(&sample);
    let store = simulation.store();
    let (touched, mut writes) = (Arc::clone(&store), 0);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        writes += 1;
        if writes == 2 {
            for pool in ["worker", "gpu"] {
                touched.update(Res::MACHINE_CONFIG_POOLS, None, pool, |pool| {
                    pool["status"]["observedGeneration"] = json!(9);
                });
            }
        }
    });
    let person = rehearsed_for(&store, &client, &all(ActionId::PausePool)).await;
    let (outcome, audit) = person.confirms(&client).await;
    assert!(matches!(&outcome, Outcome::Accepted { done } if done.len() == 2), "{outcome:?}");
    let statuses: Vec<_> = audit.iter().filter_map(|line| line["status"].as_u64()).collect();
    // A refusal ends its entry at once; what was accepted waits for its proof.
    assert_eq!(statuses, [409, 200, 200], "{}", client.requests());
    assert!(["worker", "gpu"].iter().all(|pool| look(&store).pool(pool).unwrap().paused));
}

// --- maxUnavailable ---

#[test]
fn max_unavailable_is_set_for_workers_and_never_for_the_control_plane() {
    let sample = Sample::idle();
    let table = [
        (set_max("worker", "2"), "ok, M"),
        (set_max("worker", "50%"), "ok, M"),
        (set_max("worker", "1"), "ok, L"),
        (set_max("worker", "10%"), "ok, L"),
        (set_max("worker", "0"), "does not hold a pool back: the controller takes it for 1"),
        (set_max("worker", "0%"), "does not hold a pool back"),
        (set_max("worker", "-1"), "`-1` is no whole number"),
        (set_max("worker", "150%"), "more than the whole pool"),
        (set_max("master", "2"), "maxUnavailable of pool master is never changed"),
        (set_max("gpu", "2"), "there is no pool gpu"),
    ];
    for (ask, part) in table {
        let said = match sample.plan_of(&ask, &Material::default()) {
            Ok(plan) => format!("ok, {:?}", plan.danger),
            Err(Refusal(words)) => words,
        };
        assert!(said.contains(part), "{ask:?}: {said}");
    }
    let mut set = Sample::idle();
    set.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!("34%"));
    refused(set.plan_of(&set_max("worker", "34%"), &Material::default()), "is 34% already");
    let plan = set.plan_of(&set_max("worker", "1"), &Material::default()).unwrap();
    assert!(plan.consequences.contains(&"to undo it: set-max-unavailable worker 34%".to_owned()));
}

#[test]
fn raising_max_unavailable_in_a_rollout() {
    let mut sample = Sample::rolling();
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(1));
    let plan = sample.plan_of(&set_max("worker", "75%"), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn lowering_max_unavailable_below_what_is_unavailable() {
    let mut sample = Sample::rolling();
    sample.cordon("worker-2", "kubectl-cordon", "2026-11-20T02:00:00Z");
    sample.edit("pool/worker", |pool| pool["spec"]["maxUnavailable"] = json!(3));
    let plan = sample.plan_of(&set_max("worker", "1"), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[tokio::test]
async fn the_requests_that_set_max_unavailable() {
    insta::assert_snapshot!(acts_for(&Sample::rolling(), &set_max("worker", "34%")).await);
}

#[tokio::test]
async fn a_pruned_field_is_an_error_and_no_success() {
    let simulation = simulation(&Sample::idle());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let touched = Arc::clone(&store);
    let person = rehearsed_for(&store, &client, &set_max("worker", "2")).await;
    // The server stores what was asked for; had it not, the answer would tell.
    let write = &person.rehearsal.plan.writes[0];
    let mut pruned = (*touched.get(Res::MACHINE_CONFIG_POOLS, None, "worker").unwrap()).clone();
    assert_eq!(write.not_stored(&pruned), Some("spec.maxUnavailable should be 2 and is nothing".to_owned()));
    pruned["spec"]["maxUnavailable"] = json!(2);
    assert_eq!(write.not_stored(&pruned), None);
}

// --- Custom pools ---

#[test]
fn creating_a_canary_pool() {
    let plan = Sample::idle().plan_of(&create("canary"), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn creating_a_pool_for_nodes_that_have_the_role_already() {
    let mut sample = Sample::idle();
    sample.edit("worker-3", |node| node["metadata"]["labels"]["node-role.kubernetes.io/gpu"] = json!(""));
    let plan = sample.plan_of(&create("gpu"), &Material::default()).unwrap();
    assert_eq!(plan.danger, Danger::M);
    assert!(plan.consequences.iter().any(|line| line == "1 node has the label and joins: worker-3"), "{plan:#?}");
    let paused = sample.plan_of(&create("gpu").with("paused", ""), &Material::default()).unwrap();
    assert_eq!((paused.danger, paused.title.as_str()), (Danger::L, "Create pool gpu, paused"));
    assert_eq!(paused.writes[0].body["spec"]["paused"], true);
}

#[test]
fn a_pool_is_not_created_when_it_would_take_nodes_out_of_reach() {
    let mut sample = Sample::idle();
    let none = Material::default();
    refused(sample.plan_of(&create("infra"), &none), "there is a pool infra already");
    refused(sample.plan_of(&create("master"), &none), "a pool of the platform itself");
    refused(sample.plan_of(&create("control-plane"), &none), "every control plane node has the role");
    refused(sample.plan_of(&create("Canary"), &none), "no name for a pool");
    refused(sample.plan_of(&Ask::new(ActionId::CreatePool, Target::Cluster), &none), "needs name");
    sample.edit("infra-0", |node| node["metadata"]["labels"]["node-role.kubernetes.io/gpu"] = json!(""));
    refused(sample.plan_of(&create("gpu"), &none), "infra-0 has the role gpu and is in another custom pool");
    sample.edit("master-0", |node| node["metadata"]["labels"]["node-role.kubernetes.io/etcd"] = json!(""));
    refused(sample.plan_of(&create("etcd"), &none), "custom pools for control plane nodes are not supported");
    sample.deny(Permission::cluster("create", MCO, "machineconfigpools"));
    refused(sample.plan_of(&create("canary"), &none), "kim may not create machineconfigpools");
}

#[tokio::test]
async fn the_requests_that_create_a_pool() {
    insta::assert_snapshot!(acts_for(&Sample::idle(), &create("canary").with("paused", "")).await);
}

#[tokio::test]
async fn a_pool_that_somebody_creates_in_between_is_not_written_over() {
    let simulation = simulation(&Sample::idle());
    let (store, clock) = (simulation.store(), simulation.clock());
    let other = Arc::clone(&store);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        other.create(Res::MACHINE_CONFIG_POOLS, pool_object("canary", 0), clock.now());
    });
    let person = rehearsed_for(&store, &client, &create("canary")).await;
    let (outcome, _) = person.confirms(&client).await;
    assert!(!matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let pool = store.get(Res::MACHINE_CONFIG_POOLS, None, "canary").unwrap();
    assert_eq!(pool["spec"]["machineConfigSelector"], Value::Null, "it is still theirs");
}

// --- Nodes from pool to pool ---

#[test]
fn moving_nodes_into_an_unpaused_pool_of_another_configuration() {
    let mut sample = canary();
    sample.add(config_object("canary", 2, "4.19.3"));
    sample.edit("pool/canary", |pool| {
        pool["spec"]["configuration"]["name"] = json!("rendered-canary-2");
        pool["spec"]["maxUnavailable"] = json!(2);
    });
    let plan = whole(&sample, &moving(&["worker-2", "worker-1", "worker-3"], "canary"), systems).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn moving_a_node_into_a_paused_pool_reboots_nothing() {
    let mut sample = canary();
    sample.edit("pool/canary", |pool| pool["spec"]["paused"] = json!(true));
    let plan = whole(&sample, &moving(&["worker-2"], "canary"), systems).unwrap();
    assert_eq!(plan.danger, Danger::L);
    let held = "pool canary is paused: they keep what they have, and take it over when it is unpaused";
    assert!(plan.consequences.iter().any(|line| line == held), "{plan:#?}");
}

#[test]
fn moving_a_node_back_to_worker_keeps_the_worker_label() {
    let plan = whole(&canary(), &moving(&["worker-3"], "worker"), alike).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn what_could_not_be_compared_is_taken_for_a_reboot() {
    let sample = canary();
    let unread = sample.plan_of(&moving(&["worker-2"], "canary"), &Material::default()).unwrap();
    assert_eq!((unread.danger, unread.reads.len()), (Danger::M, 3));
    let absent = whole(&sample, &moving(&["worker-2"], "canary"), nothing).unwrap();
    assert_eq!(absent.danger, Danger::M);
    assert!(absent.consequences.iter().any(|line| line.contains("does not exist")), "{absent:#?}");
}

#[test]
fn nodes_are_moved_by_the_operators_own_rules_or_not_at_all() {
    let mut sample = canary();
    let none = Material::default();
    refused(sample.plan_of(&moving(&["master-0"], "canary"), &none), "master-0 is a control plane node");
    refused(sample.plan_of(&moving(&["worker-0"], "master"), &none), "no node is moved to pool master");
    refused(sample.plan_of(&moving(&["worker-0"], "gpu"), &none), "there is no pool gpu");
    refused(sample.plan_of(&moving(&["worker-9"], "canary"), &none), "there is no node worker-9");
    refused(sample.plan_of(&moving(&["worker-3"], "canary"), &none), "node worker-3 is in pool canary already");
    refused(sample.plan_of(&Ask::new(ActionId::MoveNodes, nodes(&["worker-0"])), &none), "needs pool");
    // From one custom pool to another: the role of the first goes, so that it is not in two.
    let plan = whole(&sample, &moving(&["infra-0"], "canary"), systems).unwrap();
    let labels = json!({ "node-role.kubernetes.io/canary": "", "node-role.kubernetes.io/infra": null });
    assert_eq!(plan.writes[0].body["metadata"]["labels"], labels);
    // A pool that asks for more than a role cannot be entered by a role label.
    sample.edit("pool/canary", |pool| pool["spec"]["nodeSelector"]["matchLabels"]["disk"] = json!("fast"));
    refused(sample.plan_of(&moving(&["worker-0"], "canary"), &none), "asks for more than role labels");
    let rolling = Sample::rolling();
    refused(
        rolling.plan_of(&moving(&["worker-1"], "infra"), &none),
        "the machine-config operator is at work on worker-1",
    );
    let mut windows = canary();
    windows.edit("worker-0", |node| node["metadata"]["labels"]["kubernetes.io/os"] = json!("windows"));
    refused(windows.plan_of(&moving(&["worker-0"], "canary"), &none), "runs Windows");
    let mut denied = canary();
    denied.deny(Permission::cluster("patch", "", "nodes"));
    refused(denied.plan_of(&moving(&["worker-0"], "canary"), &none), "kim may not patch nodes");
}

#[test]
fn only_what_one_move_restores_is_named_as_the_way_back() {
    let role = |name: &str| format!("node-role.kubernetes.io/{name}");
    let back = |plan: &Plan| plan.back.iter().map(Ask::line).collect::<Vec<_>>();
    let mut sample = canary();
    // In two custom pools the operator leaves it alone: no move takes a node there.
    sample.edit("infra-0", |node| node["metadata"]["labels"][role("canary")] = json!(""));
    let plan = whole(&sample, &moving(&["infra-0"], "worker"), alike).unwrap();
    assert_eq!((back(&plan), plan.inverse), (Vec::new(), None), "{plan:#?}");
    let undo = "oc --context=lab label node infra-0 node-role.kubernetes.io/canary= node-role.kubernetes.io/infra=";
    assert_eq!(plan.undo.iter().map(|undo| undo.oc.as_deref()).collect::<Vec<_>>(), [Some(undo)]);
    assert!(plan.consequences.contains(&format!("to undo it: {undo}")), "{:#?}", plan.consequences);
    // A label that stays although its pool loses the node would be another way.
    let plan = whole(&sample, &moving(&["infra-0", "worker-2"], "canary"), systems).unwrap();
    assert_eq!((back(&plan), plan.inverse), (Vec::new(), None), "a half way back is none");
    let undo: Vec<&str> = plan.undo.iter().filter_map(|undo| undo.oc.as_deref()).collect();
    assert_eq!(
        undo,
        [
            "oc --context=lab label node infra-0 node-role.kubernetes.io/infra=",
            "oc --context=lab label node worker-2 node-role.kubernetes.io/canary-",
        ]
    );
    let plan = whole(&canary(), &moving(&["infra-0", "worker-2"], "canary"), systems).unwrap();
    let lines = ["move-nodes infra-0 --pool infra", "move-nodes worker-2 --pool worker"];
    assert_eq!((back(&plan), plan.inverse), (lines.map(str::to_owned).into(), Some(ActionId::MoveNodes)));
}

#[tokio::test]
async fn the_requests_that_move_nodes() {
    insta::assert_snapshot!(acts_for(&canary(), &moving(&["worker-2", "infra-0"], "canary")).await);
}

#[tokio::test]
async fn a_node_that_is_targeted_in_between_is_not_moved() {
    let sample = canary();
    let simulation = simulation(&sample);
    let store = simulation.store();
    let touched = Arc::clone(&store);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        touched.update(Res::NODES, None, "worker-2", |node| {
            node["metadata"]["annotations"][format!("{MCO}/desiredConfig")] = json!("rendered-worker-2");
            node["metadata"]["annotations"][format!("{MCO}/state")] = json!("Working");
        });
    });
    let person = rehearsed_for(&store, &client, &moving(&["worker-2"], "canary")).await;
    let (outcome, _) = person.confirms(&client).await;
    let Outcome::Failed { words, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(words.contains("at work on worker-2"), "{words}");
    assert_eq!(look(&store).node("worker-2").unwrap().pool.as_deref(), Some("worker"));
}

// --- The end of a custom pool ---

#[test]
fn deleting_a_pool_that_nothing_uses() {
    let plan = whole(&canary_over(), &Ask::new(ActionId::DeletePool, Target::pool("canary")), nothing).unwrap();
    assert_eq!(plan.confirm, Confirm::Type("canary".into()));
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn a_pool_is_not_deleted_while_anything_names_it_or_its_configurations() {
    let delete = |name: &str| Ask::new(ActionId::DeletePool, Target::pool(name));
    let none = Material::default();
    for name in ["master", "worker"] {
        refused(Sample::idle().plan_of(&delete(name), &none), "it is never deleted");
    }
    refused(canary().plan_of(&delete("canary"), &none), "pool canary still has 1 node: worker-3; move them first");
    // machineCount is 0 by then, and the node has not left the configuration yet.
    for key in ["currentConfig", "desiredConfig"] {
        let mut sample = canary_over();
        sample.annotate("worker-3", key, "rendered-canary-1");
        refused(sample.plan_of(&delete("canary"), &none), "node worker-3 still has rendered-canary-1 of pool canary");
    }
    let unread = canary_over().plan_of(&delete("canary"), &none).unwrap();
    assert!(unread.writes.is_empty() && !unread.reads.is_empty(), "nothing is deleted before it is known");
    let layered = |path: &str| {
        path.ends_with("/v1/machineosconfigs").then(
            || json!([{ "metadata": { "name": "canary-os" }, "spec": { "machineConfigPool": { "name": "canary" } } }]),
        )
    };
    refused(whole(&canary_over(), &delete("canary"), layered), "MachineOSConfig canary-os refers to pool canary");
    let build = |path: &str| {
        path.ends_with("/v1/machineosbuilds").then(|| {
            json!([{ "kind": "MachineOSBuild", "metadata": { "name": "b-1" },
                     "spec": { "machineConfig": { "name": "rendered-canary-1" } } }])
        })
    };
    refused(whole(&canary_over(), &delete("canary"), build), "MachineOSBuild b-1 still uses rendered-canary-1");
    let mut elsewhere = canary_over();
    elsewhere.edit("pool/infra", |pool| pool["status"]["configuration"]["name"] = json!("rendered-canary-1"));
    refused(
        whole(&elsewhere, &delete("canary"), nothing),
        "pool infra (the last that all its nodes reached) still uses",
    );
    // The configurations of a pool whose name begins alike are others.
    let mut alike = canary_over();
    alike.annotate("worker-3", "currentConfig", "rendered-canary-b-1");
    assert!(whole(&alike, &delete("canary"), nothing).is_ok());
    let mut going = canary_over();
    going.edit("pool/canary", |pool| pool["metadata"]["deletionTimestamp"] = json!("2026-11-20T03:00:00Z"));
    refused(going.plan_of(&delete("canary"), &none), "being deleted already");
}

#[test]
fn what_cannot_be_known_is_not_deleted() {
    let delete = Ask::new(ActionId::DeletePool, Target::pool("canary"));
    let mut sample = canary_over();
    sample.kind(Kind::MachineConfigNodes, KindStatus::Waiting);
    refused(sample.plan_of(&delete, &Material::default()), "machineconfignodes could not be listed");
    let sample = canary_over();
    let plan = sample.plan_of(&delete, &Material::default()).unwrap();
    let mut material = material(&plan, nothing);
    material.answers[0].1 = Err("forbidden".to_owned());
    refused(sample.plan_of(&delete, &material), "whether layered pools use them cannot be told: forbidden");
}

#[tokio::test]
async fn the_requests_that_delete_a_pool() {
    insta::assert_snapshot!(acts_for(&canary_over(), &Ask::new(ActionId::DeletePool, Target::pool("canary"))).await);
}

#[tokio::test]
async fn a_pool_that_was_made_anew_in_between_is_not_deleted() {
    let simulation = simulation(&canary_over());
    let (store, clock) = (simulation.store(), simulation.clock());
    let other = Arc::clone(&store);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        let mut pool = (*other.delete(Res::MACHINE_CONFIG_POOLS, None, "canary").unwrap()).clone();
        pool["metadata"] = json!({ "name": "canary" });
        other.create(Res::MACHINE_CONFIG_POOLS, pool, clock.now());
    });
    let person = rehearsed_for(&store, &client, &Ask::new(ActionId::DeletePool, Target::pool("canary"))).await;
    let (outcome, _) = person.confirms(&client).await;
    assert!(!matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(look(&store).pool("canary").is_some());
}

// --- Rendered configs ---

/// Rendered configs of worker: 1 in use, 3 to 6 unused, 7 in use by what `use_it` makes of it.
pub fn many() -> Sample {
    let mut sample = Sample::idle();
    for number in [1, 3, 4, 5, 6, 7] {
        sample.add(generated("worker", number));
    }
    sample
}

#[test]
fn pruning_the_oldest_rendered_configs() {
    let mut sample = many();
    sample.annotate("worker-2", "desiredConfig", "rendered-worker-7");
    let plan = whole(&sample, &prune("worker", "2"), nothing).unwrap();
    assert_eq!(plan.confirm, Confirm::Type("worker".into()));
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn a_count_is_needed_and_something_that_is_unused() {
    let sample = many();
    let none = Material::default();
    refused(sample.plan_of(&prune("worker", "0"), &none), "deletes nothing");
    refused(sample.plan_of(&prune("worker", "10%"), &none), "a whole number");
    refused(sample.plan_of(&prune("worker", "101"), &none), "at most 100 at a time");
    refused(sample.plan_of(&prune("gpu", "1"), &none), "there is no pool gpu");
    let without = Ask::new(ActionId::PruneRenderedConfigs, Target::pool("worker"));
    refused(sample.plan_of(&without, &none), "needs count");
    refused(Sample::idle().plan_of(&prune("worker", "1"), &none), "has no rendered config");
    let mut used = Sample::idle();
    used.add(generated("worker", 1));
    refused(
        whole(&used, &prune("worker", "1"), nothing),
        "nothing to delete, each is in use: 1 rendered config of pool worker",
    );
    let mut denied = many();
    denied.deny(Permission::cluster("delete", MCO, "machineconfigs"));
    refused(denied.plan_of(&prune("worker", "1"), &none), "kim may not delete machineconfigs");
}

/// How a rendered config may be in use.
#[derive(Debug, Clone, Copy)]
enum Use {
    Nobody,
    Current,
    Desired,
    FirstPivot,
    Drain,
    PoolSpec,
    PoolStatus,
    OtherPool,
    NodeSpec,
    NodeStatus,
    Config,
    Build,
    OlderBuild,
}

const USES: [Use; 13] = [
    Use::Nobody,
    Use::Current,
    Use::Desired,
    Use::FirstPivot,
    Use::Drain,
    Use::PoolSpec,
    Use::PoolStatus,
    Use::OtherPool,
    Use::NodeSpec,
    Use::NodeStatus,
    Use::Config,
    Use::Build,
    Use::OlderBuild,
];

/// Puts a use of `config` into the cluster, or into what is listed.
fn use_it(sample: &mut Sample, listed: &mut Vec<(&'static str, Value)>, how: Use, config: &str, at: usize) {
    let node = ["worker-0", "worker-1", "worker-2", "worker-3", "infra-0", "master-0"][at % 6];
    let machine_config_node = |spec: Value, status: Value| {
        json!({ "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfigNode",
                "metadata": { "name": format!("{node}-{at}"), "uid": "u", "resourceVersion": "1" },
                "spec": { "configVersion": spec }, "status": { "configVersion": status } })
    };
    let named =
        |field: &str| json!({ "metadata": { "name": format!("x-{at}") }, "spec": { field: { "name": config } } });
    match how {
        Use::Nobody => {}
        Use::Current => drop(sample.annotate(node, "currentConfig", config)),
        Use::Desired => drop(sample.annotate(node, "desiredConfig", config)),
        Use::FirstPivot => drop(sample.annotate(node, "firstPivotConfig", config)),
        Use::Drain => drop(sample.annotate(node, "desiredDrain", &format!("drain-{config}"))),
        Use::PoolSpec => drop(sample.edit("pool/worker", |pool| pool["spec"]["configuration"]["name"] = json!(config))),
        Use::PoolStatus => {
            sample.edit("pool/worker", |pool| pool["status"]["configuration"]["name"] = json!(config));
        }
        Use::OtherPool => {
            sample.edit("pool/infra", |pool| pool["status"]["configuration"]["name"] = json!(config));
        }
        Use::NodeSpec => sample.add(machine_config_node(json!({ "desired": config }), json!({}))),
        Use::NodeStatus => sample.add(machine_config_node(json!({}), json!({ "current": config, "desired": "" }))),
        Use::Config => {
            let mut object = named("none");
            object["metadata"]["annotations"] = json!({ "current": format!("{config}-image") });
            listed.push(("/v1/machineosconfigs", object));
        }
        Use::Build => listed.push(("/v1/machineosbuilds", named("machineConfig"))),
        Use::OlderBuild => listed.push(("/v1alpha1/machineosbuilds", named("desiredConfig"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rendered_config_in_use_is_never_deleted(
        uses in prop::collection::vec((0_u32..12, prop::sample::select(USES.to_vec())), 0..8),
        count in 1_usize..15,
        pool in prop::sample::select(vec!["worker", "infra"]),
    ) {
        let mut sample = Sample::idle();
        for number in 0..12 {
            sample.add(generated("worker", number));
            sample.add(generated("infra", number));
        }
        let mut listed = Vec::new();
        for (at, (number, how)) in uses.iter().enumerate() {
            // A later use may take the place of an earlier one of the same node: what holds is asked of the objects below.
            use_it(&mut sample, &mut listed, *how, &rendered("worker", *number), at);
        }
        let mut named: BTreeSet<String> = BTreeSet::new();
        let objects = sample.objects().into_iter().filter(|object| object["kind"] != "MachineConfig");
        for text in objects.chain(listed.iter().map(|(_, object)| object.clone())).map(|object| object.to_string()) {
            for number in 0..12 {
                for pool in ["worker", "infra"] {
                    // Numbers of one digit begin others: the sign behind the name tells them apart.
                    let config = rendered(pool, number);
                    let whole = text.match_indices(&config).any(|(at, found)| {
                        !text[at + found.len()..].starts_with(|c: char| c.is_ascii_digit())
                    });
                    if whole {
                        named.insert(config);
                    }
                }
            }
        }
        let answer = |path: &str| {
            let of = listed.iter().filter(|(end, _)| path.ends_with(end)).map(|(_, object)| object.clone());
            Some(Value::Array(of.collect()))
        };
        let Ok(plan) = whole(&sample, &prune(pool, &count.to_string()), answer) else { return Ok(()) };
        prop_assert!(plan.writes.len() <= count && !plan.writes.is_empty());
        prop_assert_eq!(plan.danger, Danger::H);
        for write in &plan.writes {
            let name = write.object.trim_start_matches("machineconfig/");
            prop_assert!(!named.contains(name), "{} is in use: {:?}", name, uses);
            let of_pool = format!("rendered-{pool}-");
            prop_assert!(name.starts_with(&of_pool), "{} is of another pool", name);
            prop_assert!(write.uid.is_some(), "only that very object");
        }
    }
}

#[tokio::test]
async fn the_requests_that_prune() {
    insta::assert_snapshot!(acts_for(&many(), &prune("worker", "2")).await);
}

#[tokio::test]
async fn a_config_that_comes_into_use_before_the_confirmation_stays() {
    let simulation = simulation(&many());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let person = rehearsed_for(&store, &client, &prune("worker", "1")).await;
    let oldest = person.rehearsal.plan.writes[0].object.trim_start_matches("machineconfig/").to_owned();
    store.update(Res::NODES, None, "worker-0", |node| {
        node["metadata"]["annotations"][format!("{MCO}/desiredConfig")] = json!(oldest);
    });
    let (outcome, _) = person.seeing(look(&store)).confirms(&client).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert_eq!(client.writes(), 0);
    assert!(store.get(Res::MACHINE_CONFIGS, None, &oldest).is_some());
}

// --- Images ---

pub fn layered() -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineOSConfig",
        "metadata": { "name": "worker-os", "uid": "uid-os", "resourceVersion": "7", "annotations": {} },
        "spec": {
            "machineConfigPool": { "name": "worker" }, "imageBuilder": { "imageBuilderType": "Job" },
            "renderedImagePushSecret": { "name": "push" }, "renderedImagePushSpec": "registry.lab/os:latest",
        },
        "status": { "currentImagePullSpec": "quay.io/os@sha256:1" },
    })
}

fn with_builds(config: Option<Value>, builds: Value) -> impl Fn(&str) -> Option<Value> {
    move |path| if path.ends_with("/machineosbuilds") { Some(builds.clone()) } else { config.clone() }
}

#[test]
fn rebuilding_the_image_of_a_layered_pool() {
    let plan = whole(&Sample::idle(), &rebuild("worker-os"), with_builds(Some(layered()), json!([]))).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn an_image_is_rebuilt_when_a_build_can_begin() {
    let ask = rebuild("worker-os");
    let sample = Sample::idle();
    refused(whole(&sample, &ask, with_builds(None, json!([]))), "there is no MachineOSConfig worker-os");
    let mut asked = layered();
    asked["metadata"]["annotations"][format!("{MCO}/rebuild")] = json!("");
    refused(whole(&sample, &ask, with_builds(Some(asked), json!([]))), "was asked for already");
    let build = |kind: &str| {
        json!([{ "metadata": { "name": "worker-os-1" }, "spec": { "machineOSConfig": { "name": "worker-os" } },
                 "status": { "conditions": [{ "type": "Prepared", "status": "True" }, { "type": kind, "status": "True" }] } }])
    };
    refused(whole(&sample, &ask, with_builds(Some(layered()), build("Building"))), "worker-os-1 is being built");
    assert!(whole(&sample, &ask, with_builds(Some(layered()), build("Failed"))).is_ok());
    let mut degraded = Sample::idle();
    degraded.edit("pool/worker", |pool| {
        pool["status"]["conditions"] = json!([{ "type": "Degraded", "status": "True", "message": "a node fails" }]);
    });
    refused(
        whole(&degraded, &ask, with_builds(Some(layered()), json!([]))),
        "pool worker is degraded, so no build begins",
    );
    let condition = |kind: &str| json!({ "type": kind, "status": "True", "message": "the build failed" });
    let mut failed = Sample::idle();
    let mut says = |conditions: Value| {
        failed.edit("pool/worker", |pool| pool["status"]["conditions"] = conditions);
        whole(&failed, &ask, with_builds(Some(layered()), json!([])))
    };
    assert!(says(json!([condition("Degraded"), condition("ImageBuildDegraded")])).is_ok(), "that is what is repaired");
    let also = json!([condition("Degraded"), condition("ImageBuildDegraded"), condition("NodeDegraded")]);
    refused(says(also), "pool worker is degraded, so no build begins");
}

#[tokio::test]
async fn the_requests_that_rebuild_an_image() {
    let mut sample = Sample::idle();
    // The real API wants the name of its pool.
    let mut config = layered();
    config["metadata"]["name"] = json!("worker");
    sample.add(config);
    let simulation = simulation(&sample);
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let person = rehearsed_for(&store, &client, &rebuild("worker")).await;
    assert!(person.rehearsal.ok(), "{:?}", person.rehearsal);
    let (outcome, _) = person.confirms(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    insta::assert_snapshot!(client.requests());
}

#[test]
fn pinning_images() {
    let plan = whole(&Sample::idle(), &pin("worker", "release", &[image('a'), image('b')]), |_| Some(json!([])));
    insta::assert_snapshot!(text(&plan.unwrap()));
}

#[test]
fn images_are_pinned_where_the_kind_is_served_and_the_name_is_free() {
    let sample = Sample::idle();
    let ask = pin("worker", "release", &[image('a')]);
    refused(whole(&sample, &ask, nothing), "serves no PinnedImageSets");
    let taken = |_: &str| Some(json!([{ "metadata": { "name": "release" } }]));
    refused(whole(&sample, &ask, taken), "there is a PinnedImageSet release already");
    let empty = |_: &str| Some(json!([]));
    refused(whole(&sample, &pin("worker", "release", &[]), empty), "no image is named");
    refused(whole(&sample, &pin("worker", "Release!", &[image('a')]), empty), "no name for a set");
    let tag = pin("worker", "release", &["quay.io/r/x:4.19".to_owned()]);
    refused(whole(&sample, &tag, empty), "names no digest");
    let mut denied = Sample::idle();
    denied.deny(Permission::cluster("create", MCO, "pinnedimagesets"));
    refused(denied.plan_of(&ask, &Material::default()), "kim may not create pinnedimagesets");
}

/// What only `v1alpha1` has.
fn of_the_preview(path: &str) -> Option<Value> {
    path.contains("/v1alpha1/").then(|| json!([]))
}

#[test]
fn a_kind_is_written_in_the_version_that_is_served() {
    let ask = pin("worker", "release", &[image('a')]);
    let plan = whole(&Sample::idle(), &ask, of_the_preview).unwrap();
    assert_eq!(plan.writes[0].path, format!("/apis/{MCO}/v1alpha1/pinnedimagesets"));
    assert_eq!(plan.writes[0].body["apiVersion"], format!("{MCO}/v1alpha1"));
    refused(whole(&Sample::idle(), &rebuild("worker-os"), of_the_preview), "serves v1alpha1");
}

#[tokio::test]
async fn the_requests_that_pin_images() {
    insta::assert_snapshot!(acts_for(&Sample::idle(), &pin("worker", "release", &[image('a')])).await);
}

// --- What a server may answer ---

#[tokio::test]
async fn what_the_schema_refuses_is_said_in_the_dry_run() {
    let simulation = simulation(&Sample::idle());
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let seen = look(&store);
    let session = oc_cockpit::actions::Session { context: "lab".into(), ..Default::default() };
    let ask = pin("worker", "release", &[image('a')]);
    let first = oc_cockpit::actions::plan(&seen, &session, &ask, &Material::default()).unwrap();
    let replan = |_: &Target, material: &Material| {
        let mut plan = oc_cockpit::actions::plan(&seen, &session, &ask, material)?;
        for write in &mut plan.writes {
            write.body["spec"]["pinnedImages"] = json!([{ "name": "quay.io/r/x:4.19" }]);
        }
        Ok(plan)
    };
    let rehearsal = oc_cockpit::cluster::execute::rehearse(&client, first, replan).await.unwrap();
    let [step] = rehearsal.steps.as_slice() else { panic!("{rehearsal:?}") };
    assert!(!step.ok && step.words.contains("invalid: spec.pinnedImages"), "{}", step.words);
}

#[test]
fn none_of_it_is_planned_when_the_picture_is_not_live() {
    let mut sample = canary_over();
    sample.kind(Kind::Nodes, KindStatus::Waiting);
    for ask in [
        all(ActionId::PausePool),
        set_max("worker", "2"),
        create("gpu"),
        moving(&["worker-3"], "canary"),
        Ask::new(ActionId::DeletePool, Target::pool("canary")),
        prune("worker", "1"),
        rebuild("worker-os"),
        pin("worker", "release", &[image('a')]),
    ] {
        refused(sample.plan_of(&ask, &Material::default()), "the first list of nodes has not ended yet");
    }
}

#[test]
fn the_role_of_drivers_covers_all_of_it() {
    let read = |file: &str| -> Vec<Value> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/rbac").join(file);
        oc_cockpit::snapshot::manifest(&path).unwrap()
    };
    let roles: Vec<Value> = ["driver.yaml", "viewer.yaml"].into_iter().flat_map(read).collect();
    let holds = |list: &Value, word: &str| list.as_array().unwrap().iter().any(|item| item == word);
    let allowed = |verb: &str, group: &str, resource: &str| {
        roles.iter().filter(|role| role["kind"] == "ClusterRole").any(|role| {
            role["rules"].as_array().unwrap().iter().any(|rule| {
                holds(&rule["verbs"], verb) && holds(&rule["apiGroups"], group) && holds(&rule["resources"], resource)
            })
        })
    };
    for action in [
        ActionId::PausePool,
        ActionId::UnpausePool,
        ActionId::SetMaxUnavailable,
        ActionId::CreatePool,
        ActionId::MoveNodes,
        ActionId::DeletePool,
        ActionId::PruneRenderedConfigs,
        ActionId::RebuildImage,
        ActionId::PinImages,
    ] {
        for needed in action.permissions() {
            assert!(allowed(needed.verb, needed.group, needed.resource), "{action:?}: {}", needed.words());
        }
    }
    // What the plans read beside what is watched.
    for resource in ["machineconfigs", "machineosconfigs", "machineosbuilds", "pinnedimagesets"] {
        for verb in ["get", "list"] {
            assert!(allowed(verb, MCO, resource), "{verb} {resource}");
        }
    }
}

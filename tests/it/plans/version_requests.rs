//! The requests of the actions on the ClusterVersion, its gates and credentials, against the simulated API server: dry
//! runs without a trace, what is stored, and what the server may have against them.

use std::sync::Arc;

use oc_cockpit::actions::audit::{Actor, Given};
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Material, Plan, Refusal, Target, plan};
use oc_cockpit::cluster::execute::{Transport, execute, rehearse, shown};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation, serve};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::cases::overridden;
use super::gates::{GATE, acks, count, credentials, gates};
use super::in_process::InProcess;
use super::lab::answers;
use super::sample::Sample;
use super::script::{Script, lines, order, reply, scratch, timeout};
use super::simulated::{look, options, replanner, session};
use crate::support::sim::namespace;

fn with(sample: &Sample, extra: Vec<Value>) -> Options {
    let mut options = options(sample);
    options.objects.extend(extra);
    options
}

pub fn cluster(action: ActionId) -> Ask {
    Ask::new(action, Target::Cluster)
}

pub fn start(version: &str) -> Ask {
    Ask::new(ActionId::StartUpdate, Target::Version(version.into()))
}

/// A wish, rehearsed.
struct Wish {
    seen: Assessment,
    plan: Plan,
    rehearsal: Rehearsal,
}

async fn wish(store: &Store, client: &impl Transport, ask: &Ask) -> Result<Wish, Refusal> {
    let seen = look(store);
    let plan = plan(&seen, &session(), ask, &Material::default())?;
    let rehearsal = rehearse(client, plan.clone(), replanner(seen.clone(), plan.clone())).await?;
    Ok(Wish { seen, plan, rehearsal })
}

impl Wish {
    /// Confirms with what the questions ask for.
    async fn confirmed(self, client: &impl Transport) -> (Outcome, Vec<Value>) {
        let answers = answers(&self.rehearsal.plan);
        self.answered(client, answers).await
    }

    async fn answered(self, client: &impl Transport, answers: Vec<Given>) -> (Outcome, Vec<Value>) {
        let path = scratch("version").join("audit.jsonl");
        let (recorder, task) = Recorder::start(Some(path.clone()));
        let order = Order { rehearsal: self.rehearsal, actor: Actor::of(&self.seen, &session()), answers };
        let outcome = execute(client, order, &recorder, replanner(self.seen, self.plan)).await;
        task.close(&recorder).await;
        (outcome, lines(&path))
    }
}

fn everything(store: &Store) -> Vec<Arc<Value>> {
    let kinds = [Res::CLUSTER_VERSIONS, Res::CONFIGMAPS, Res::CLOUD_CREDENTIALS];
    kinds.iter().flat_map(|kind| store.list(*kind)).collect()
}

/// A wish that can be done: a rehearsal leaves no trace, the confirmation shows its effect. The requests.
async fn acts(sample: &Sample, extra: Vec<Value>, ask: &Ask) -> (String, Arc<Store>) {
    let simulation = Simulation::new(&with(sample, extra)).unwrap();
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let before = everything(&store);
    let wish = wish(&store, &client, ask).await.unwrap();
    assert!(wish.rehearsal.ok() && !wish.rehearsal.changed, "{:?}", wish.rehearsal);
    assert_eq!(everything(&store), before, "a rehearsal changes nothing");
    let effect = wish.rehearsal.plan.effect.clone();
    if let Some(watched) = effect.watched() {
        assert!(!watched.holds(&look(&store)), "{} before it was sent", watched.words());
    }
    let (outcome, audit) = wish.confirmed(&client).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(audit.len(), 2 * outcome.done().len());
    let requests = client.requests();
    if let Some(watched) = effect.watched() {
        assert!(watched.holds(&look(&store)), "{}", watched.words());
    }
    assert!(shown(&client, &effect.reread()).await, "{}", effect.words());
    (requests, store)
}

fn spec(store: &Store) -> Value {
    store.get(Res::CLUSTER_VERSIONS, None, "version").unwrap()["spec"].clone()
}

#[tokio::test]
async fn setting_and_clearing_the_channel() {
    let ask = cluster(ActionId::SetChannel).with("channel", "fast-4.19");
    let (requests, store) = acts(&Sample::idle(), Vec::new(), &ask).await;
    assert_eq!(spec(&store)["channel"], "fast-4.19");
    insta::assert_snapshot!(requests);
    let (_, store) = acts(&Sample::idle(), Vec::new(), &cluster(ActionId::SetChannel).with("clear", "")).await;
    assert_eq!(spec(&store).get("channel"), None);
}

#[tokio::test]
async fn setting_the_update_service() {
    let url = "https://osus.example.com/api/upgrades_info/v1/graph";
    let (requests, store) = acts(&Sample::idle(), Vec::new(), &cluster(ActionId::SetUpstream).with("url", url)).await;
    assert_eq!(spec(&store)["upstream"], url);
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn giving_components_back() {
    let (requests, store) = acts(&overridden(), Vec::new(), &cluster(ActionId::ClearOverrides)).await;
    let left = spec(&store)["overrides"].clone();
    assert_eq!(left.pointer("/0/name"), Some(&json!("metrics")), "{left}");
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn starting_an_update_with_a_risk() {
    let (requests, store) = acts(&Sample::idle(), Vec::new(), &start("4.18.24")).await;
    assert_eq!(spec(&store)["desiredUpdate"]["version"], "4.18.24");
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn a_risk_that_is_answered_by_something_else_is_not_accepted() {
    let simulation = Simulation::new(&options(&Sample::idle())).unwrap();
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let wish = wish(&store, &client, &start("4.18.24")).await.unwrap();
    let given = |name: &str, answer: &str| Given { name: name.into(), answer: answer.into() };
    let answers = vec![given("accept-risk-DiskLoss", "yes"), given("etcd-backup", "nas:/x")];
    let (outcome, audit) = wish.answered(&client, answers).await;
    let Outcome::Refused { words } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("type DiskLoss"), "{words}");
    assert!(audit.is_empty() && client.writes() == 0);
}

/// A cluster whose ClusterVersion has a place for accepted risks, or only says so.
pub fn at_4_22(sample: &mut Sample) -> Value {
    sample.edit("version", |version| {
        version["status"]["desired"]["version"] = json!("4.22.1");
        version["status"]["history"][0]["version"] = json!("4.22.1");
        version["status"]["conditionalUpdates"][0]["release"]["version"] = json!("4.22.3");
        version["status"]["conditionalUpdateRisks"] = json!([{ "name": "DiskLoss", "message": "Disks may get lost." }]);
    });
    json!({ "apiVersion": "config.openshift.io/v1", "kind": "FeatureGate", "metadata": { "name": "cluster" },
        "spec": { "featureSet": "TechPreviewNoUpgrade" } })
}

#[tokio::test]
async fn accepted_risks_are_stored_where_there_is_a_place_for_them() {
    let mut sample = Sample::idle();
    let gate = at_4_22(&mut sample);
    let accept = cluster(ActionId::AcceptRisks).with("risk", "DiskLoss");
    let (requests, store) = acts(&sample, vec![gate.clone()], &accept).await;
    assert_eq!(spec(&store)["desiredUpdate"]["acceptRisks"], json!([{ "name": "DiskLoss" }]));
    insta::assert_snapshot!(requests);
    let (_, store) = acts(&sample, vec![gate], &start("4.22.3")).await;
    assert_eq!(spec(&store)["desiredUpdate"]["acceptRisks"], json!([{ "name": "DiskLoss" }]));
}

#[tokio::test]
async fn a_risk_that_the_server_drops_is_no_accepted_risk() {
    // The operator speaks of risks by name, and the server's schema does not have the field all the same.
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["status"]["conditionalUpdateRisks"] = json!([{ "name": "DiskLoss", "message": "Disks may get lost." }]);
    });
    let simulation = Simulation::new(&options(&sample)).unwrap();
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    for ask in [cluster(ActionId::AcceptRisks).with("risk", "DiskLoss"), start("4.18.24")] {
        let wish = wish(&store, &client, &ask).await.unwrap();
        let [step] = wish.rehearsal.steps.as_slice() else { panic!("one write") };
        assert!(!step.ok && step.words.contains("did not store it: spec.desiredUpdate.acceptRisks"), "{step:?}");
    }
    assert_eq!(spec(&store).get("desiredUpdate"), None);
}

#[tokio::test]
async fn migrating_to_the_multi_architecture_payload() {
    let (requests, store) = acts(&Sample::idle(), Vec::new(), &cluster(ActionId::MigrateMultiArch)).await;
    let wanted = json!({ "architecture": "Multi", "version": "4.18.22", "image": "", "force": false });
    assert_eq!(spec(&store)["desiredUpdate"], wanted);
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn cancelling_a_request() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
    });
    sample.condition("ReleaseAccepted", "False", "RetrievePayload", "no signature");
    let (requests, store) = acts(&sample, Vec::new(), &cluster(ActionId::ClearUpdate)).await;
    assert_eq!(spec(&store).get("desiredUpdate"), None);
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn a_request_that_is_accepted_in_between_is_looked_at_again() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
    });
    sample.condition("ReleaseAccepted", "Unknown", "LoadPayload", "");
    let simulation = Simulation::new(&options(&sample)).unwrap();
    let store = simulation.store();
    let operator = Arc::clone(&store);
    let client = InProcess::new(simulation.service()).before_writes(move |_| {
        operator.update(Res::CLUSTER_VERSIONS, None, "version", |version| {
            version["status"]["desired"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
            version["status"]["history"].as_array_mut().unwrap().insert(
                0,
                json!({ "state": "Partial",
                "version": "4.18.25", "image": "quay.io/r@sha256:1825", "startedTime": "2026-11-20T03:12:40Z" }),
            );
        });
    });
    let wish = wish(&store, &client, &cluster(ActionId::ClearUpdate)).await.unwrap();
    let (outcome, _) = wish.confirmed(&client).await;
    let Outcome::Changed { plan, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(plan.title, "Clear the request for 4.18.25: the update goes on", "it can no longer be cancelled");
    assert_eq!(spec(&store)["desiredUpdate"]["version"], "4.18.25", "nothing was stored");
}

#[tokio::test]
async fn forcing_an_update() {
    let ask = Ask::new(ActionId::ForceUpdate, Target::Version("4.18.25".into()));
    let (requests, store) = acts(&Sample::idle(), Vec::new(), &ask).await;
    assert_eq!(spec(&store)["desiredUpdate"]["force"], true);
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn acknowledging_a_gate_writes_one_key() {
    let ask = cluster(ActionId::AckGate).with("key", GATE);
    let extra = vec![
        namespace("openshift-config"),
        namespace("openshift-config-managed"),
        gates(),
        acks(&json!({ "ack-4.17-old": "true" })),
        count("widgets.v1beta1.example.com", "1.32", "system:serviceaccount:shop:cart"),
    ];
    let (requests, store) = acts(&Sample::idle(), extra, &ask).await;
    let stored = store.get(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks").unwrap();
    assert_eq!(stored["data"], json!({ "ack-4.17-old": "true", GATE: "true" }));
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn a_missing_map_of_acknowledgements_is_created_when_that_was_asked_for() {
    let extra = vec![namespace("openshift-config"), namespace("openshift-config-managed"), gates()];
    let ask = cluster(ActionId::AckGate).with("key", GATE);
    let simulation = Simulation::new(&with(&Sample::idle(), extra.clone())).unwrap();
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let Err(Refusal(words)) = wish(&store, &client, &ask).await else { panic!("nothing said that it may be created") };
    assert!(words.contains("create makes it"), "{words}");
    let (_, store) = acts(&Sample::idle(), extra, &ask.with("create", "")).await;
    let stored = store.get(Res::CONFIGMAPS, Some("openshift-config"), "admin-acks").unwrap();
    assert_eq!(stored["data"], json!({ GATE: "true" }));
}

#[tokio::test]
async fn declaring_credentials_ready() {
    let ask = Ask::new(ActionId::SetUpgradeableTo, Target::Version("4.19.3".into()));
    let (requests, store) = acts(&Sample::idle(), vec![credentials("Manual", &json!({ "kept": "yes" }))], &ask).await;
    let stored = store.get(Res::CLOUD_CREDENTIALS, None, "cluster").unwrap();
    let expected = json!({ "kept": "yes", "cloudcredential.openshift.io/upgradeable-to": "4.19.3" });
    assert_eq!(stored["metadata"]["annotations"], expected);
    insta::assert_snapshot!(requests);
}

#[tokio::test]
async fn a_viewer_is_told_which_permission_is_missing() {
    let extra = vec![namespace("openshift-config"), namespace("openshift-config-managed"), gates(), acks(&json!({}))];
    let server = serve(with(&Sample::idle(), extra), None).await.unwrap();
    let client = InProcess::new(server.service()).with_token(server.viewer_token());
    let ask = cluster(ActionId::SetChannel).with("channel", "fast-4.19");
    let wish = wish(&server.store, &client, &ask).await.unwrap();
    assert!(wish.rehearsal.steps[0].words.contains("oc auth can-i patch clusterversion"), "{:?}", wish.rehearsal.steps);
    let (outcome, audit) = wish.confirmed(&client).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(audit[1]["status"], 403);
    assert_eq!(spec(&server.store)["channel"], "stable-4.19");
}

#[tokio::test]
async fn what_breaks_the_rules_of_the_kind_is_told_in_the_servers_words() {
    let simulation = Simulation::new(&options(&Sample::idle())).unwrap();
    let (store, client) = (simulation.store(), InProcess::new(simulation.service()));
    let seen = look(&store);
    let ask = cluster(ActionId::MigrateMultiArch);
    let mut plan = plan(&seen, &session(), &ask, &Material::default()).unwrap();
    plan.writes[0].body["spec"]["desiredUpdate"]["image"] = json!("quay.io/r@sha256:1825");
    let same = plan.clone();
    let rehearsal = rehearse(&client, plan, move |_: &Target, _: &Material| Ok(same.clone())).await.unwrap();
    assert!(rehearsal.steps[0].words.contains("cannot set both Architecture and Image"), "{:?}", rehearsal.steps);
}

/// A plan of the sample, sent to a server that answers from a list.
async fn sent(answers: Script) -> (Outcome, Vec<Value>, Script) {
    let ask = cluster(ActionId::SetChannel).with("channel", "fast-4.19");
    let plan = Sample::idle().plan_of(&ask, &Material::default()).unwrap();
    let path = scratch("answers").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let again = plan.clone();
    let outcome = execute(&answers, order(plan), &recorder, move |_: &Target, _: &Material| Ok(again.clone())).await;
    task.close(&recorder).await;
    (outcome, lines(&path), answers)
}

#[tokio::test]
async fn a_server_that_is_busy_or_gone_gets_no_second_request() {
    let busy =
        reply(429, json!({ "message": "too many requests, please try again later", "reason": "TooManyRequests" }));
    let (outcome, audit, script) = sent(Script::of([busy])).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("too many requests"), "{words}");
    assert_eq!((script.log().len(), &audit[1]["status"]), (1, &json!(429)));
    // It went away between dry run and write: whether it took the request is not known, and it is not sent again.
    let (outcome, audit, script) = sent(Script::of([timeout(), reply(404, json!({}))])).await;
    let Outcome::Unknown { words, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "no answer within 30 s; read again, it is gone, or another object of its name");
    assert_eq!((script.log().len(), &audit[1]["answer"]), (2, &json!("unknown")));
}

//! What administrators declare before another minor: gates that were seen to, credentials that are ready.

use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Found, Material, Read, Target};
use oc_cockpit::upgrade::facts::{Kind, KindStatus};
use serde_json::{Value, json};

use super::cluster_version::{and_lists, objects, refused};
use super::sample::Sample;
use super::words::text;

pub const GATE: &str = "ack-4.18-kube-1.32-api-removals-in-4.19";
const GATES: &str = "/api/v1/namespaces/openshift-config-managed/configmaps/admin-gates";
const ACKS: &str = "/api/v1/namespaces/openshift-config/configmaps/admin-acks";
const COUNTS: &str = "/apis/apiserver.openshift.io/v1/apirequestcounts";
const CREDENTIALS: &str = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";

pub fn gates() -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": "openshift-config-managed", "name": "admin-gates", "uid": "g", "resourceVersion": "1" },
        "data": { GATE: "Kubernetes 1.32 removes APIs.\nRead https://example.com/gate first.", "ack-4.17-old": "long ago" } })
}

pub fn acks(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": "openshift-config", "name": "admin-acks", "uid": "a", "resourceVersion": "7" },
        "data": data })
}

/// An API that Kubernetes `removed_in` no longer has, asked for by `user`.
pub fn count(name: &str, removed_in: &str, user: &str) -> Value {
    json!({ "apiVersion": "apiserver.openshift.io/v1", "kind": "APIRequestCount", "metadata": { "name": name },
        "status": { "removedInRelease": removed_in, "requestCount": 12, "last24h": [{ "byNode": [{ "nodeName": "master-0",
            "byUser": [{ "username": user, "userAgent": "controller/v1.2", "requestCount": 12 }] }] }] } })
}

fn ack(key: &str) -> Ask {
    Ask::new(ActionId::AckGate, Target::Cluster).with("key", key)
}

fn read(acks: Value, counts: &[Value]) -> Material {
    and_lists(objects(&[(GATES, gates()), (ACKS, acks)]), &[(COUNTS, json!(counts))])
}

#[test]
fn a_gate_is_acknowledged_after_it_was_shown_who_still_uses_what_goes_away() {
    let sample = Sample::idle();
    let draft = sample.plan_of(&ack(GATE), &Material::default()).unwrap();
    assert_eq!((draft.reads.len(), draft.writes.len()), (3, 0), "nothing is sent before it was read");
    let used = count("flowschemas.v1beta3.flowcontrol.apiserver.k8s.io", "1.32", "system:serviceaccount:shop:cart");
    let walker = count("widgets.v1beta1.example.com", "1.32", "system:serviceaccount:kube-system:namespace-controller");
    let later = count("gadgets.v1beta1.example.com", "1.40", "system:serviceaccount:shop:cart");
    let plan = sample.plan_of(&ack(GATE), &read(acks(&json!({})), &[used, walker.clone(), later.clone()])).unwrap();
    assert_eq!(plan.confirm, Confirm::Type(GATE.into()), "somebody will miss it");
    insta::assert_snapshot!(text(&plan));
    let quiet = sample.plan_of(&ack(GATE), &read(acks(&json!({})), &[walker, later])).unwrap();
    assert_eq!((quiet.confirm, quiet.danger), (Confirm::Button, Danger::M));
    assert!(
        quiet.consequences.iter().any(|line| line.contains("none was asked for in the last day")),
        "{:?}",
        quiet.consequences
    );
    // What could not be counted is not called unused.
    let mut unknown = read(acks(&json!({})), &[]);
    unknown.answers[2].1 = Err("apirequestcounts may not be listed".into());
    let plan = sample.plan_of(&ack(GATE), &unknown).unwrap();
    assert_eq!(plan.confirm, Confirm::Type(GATE.into()));
    assert!(plan.consequences.iter().any(|line| line.ends_with("is not known: apirequestcounts may not be listed")));
}

#[test]
fn only_gates_of_the_present_minor_that_are_open_can_be_acknowledged() {
    let sample = Sample::idle();
    let said = |ask: &Ask, acks: Value| match sample.plan_of(ask, &read(acks, &[])) {
        Ok(plan) => format!("ok, {:?}", plan.danger),
        Err(refusal) => refusal.0,
    };
    let open = || acks(&json!({}));
    let done = || acks(&json!({ GATE: "true" }));
    assert_eq!(said(&ack(GATE), open()), "ok, M");
    assert_eq!(said(&ack(GATE), done()), format!("{GATE} is acknowledged already"));
    assert_eq!(said(&ack(GATE).with("withdraw", ""), done()), "ok, L");
    assert_eq!(said(&ack(GATE).with("withdraw", ""), open()), format!("{GATE} is not acknowledged"));
    let old = said(&ack("ack-4.17-old"), open());
    assert_eq!(old, format!("ack-4.17-old is no gate of 4.18.22; its gates: {GATE}"));
    let missing = said(&ack(GATE), Value::Null);
    assert!(missing.starts_with("ConfigMap openshift-config/admin-acks does not exist; create makes it"), "{missing}");
    refused(&sample, &Ask::new(ActionId::AckGate, Target::Cluster), "acknowledging an admin gate needs key");
    let plan = sample.plan_of(&ack(GATE).with("create", ""), &read(Value::Null, &[])).unwrap();
    insta::assert_snapshot!(text(&plan));
    let back = sample.plan_of(&ack(GATE).with("withdraw", ""), &read(done(), &[])).unwrap();
    assert_eq!(back.writes[0].body["data"], json!({ GATE: null }));
    assert_eq!(back.writes[0].body["metadata"], json!({ "uid": "a", "resourceVersion": "7" }));
}

#[test]
fn a_known_gate_is_offered_and_another_reason_is_told() {
    let mut sample = Sample::idle();
    assert!(sample.offers(&Target::Cluster).iter().all(|line| !line.contains("cknowledge")));
    sample.put(gates()).put(acks(&json!({ "other": "true" }))).kind(Kind::ConfigMaps, KindStatus::Live);
    let offer = format!("Acknowledge {GATE} [M]");
    assert!(sample.offers(&Target::Cluster).contains(&offer), "{:?}", sample.offers(&Target::Cluster));
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" });
    });
    sample.condition("ReleaseAccepted", "False", "PreconditionChecks", "AdminAckRequired");
    let plan = sample.plan_of(&ack(GATE), &read(acks(&json!({})), &[])).unwrap();
    let begins = "the update to 4.19.3 is requested and was refused: once nothing else holds it up it begins by itself";
    assert!(plan.consequences.iter().any(|line| line == begins), "{:?}", plan.consequences);
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
pub fn credentials(mode: &str, annotations: Value) -> Value {
    json!({ "apiVersion": "operator.openshift.io/v1", "kind": "CloudCredential",
        "metadata": { "name": "cluster", "uid": "c", "resourceVersion": "9", "annotations": annotations },
        "spec": { "credentialsMode": mode } })
}

fn ready_for(version: &str) -> Ask {
    Ask::new(ActionId::SetUpgradeableTo, Target::Version(version.into()))
}

#[test]
fn credentials_are_declared_ready_where_they_are_maintained_by_hand() {
    let sample = Sample::idle();
    let said = |ask: &Ask, object: Value| match sample.plan_of(ask, &objects(&[(CREDENTIALS, object)])) {
        Ok(plan) => format!("ok, {:?}", plan.danger),
        Err(refusal) => refusal.0,
    };
    let manual = || credentials("Manual", json!({}));
    assert_eq!(said(&ready_for("4.19.3"), manual()), "ok, M");
    assert_eq!(said(&ready_for("v4.19.3"), manual()), "ok, M");
    assert!(said(&ready_for("4.18.25"), manual()).contains("is of no later minor"), "patches are not held up");
    assert!(said(&ready_for("4.19"), manual()).contains("is no version"));
    assert!(said(&ready_for("4.19.3"), credentials("Mint", json!({}))).contains("not maintained by hand (mode Mint)"));
    assert!(said(&ready_for("4.19.3"), credentials("", json!({}))).contains("mode the default"));
    assert!(said(&ready_for("4.19.3"), Value::Null).contains("has no CloudCredential"));
    let declared = || credentials("Manual", json!({ "cloudcredential.openshift.io/upgradeable-to": "4.19.3" }));
    assert_eq!(said(&ready_for("4.19.3"), declared()), "4.19.3 is declared already");
    let clear = Ask::new(ActionId::SetUpgradeableTo, Target::Cluster).with("clear", "");
    assert_eq!(said(&clear, declared()), "ok, L");
    assert_eq!(said(&clear, manual()), "nothing is declared");
    let plan = sample.plan_of(&ready_for("4.19.3"), &objects(&[(CREDENTIALS, manual())])).unwrap();
    insta::assert_snapshot!(text(&plan));
}

/// A request as a release carries it.
pub fn credentials_request(name: &str, provider: &str, secret: &str) -> Value {
    json!({ "apiVersion": "cloudcredential.openshift.io/v1", "kind": "CredentialsRequest",
        "metadata": { "name": name, "namespace": "openshift-cloud-credential-operator" },
        "spec": { "providerSpec": { "kind": provider }, "secretRef": { "namespace": "openshift-new", "name": secret } } })
}

#[test]
fn what_new_requests_need_is_looked_up_before_they_are_called_ready() {
    const REQUESTS: &str = "/apis/cloudcredential.openshift.io/v1/credentialsrequests";
    const INFRASTRUCTURE: &str = "/apis/config.openshift.io/v1/infrastructures/cluster";
    const SPACE: &str = "/api/v1/namespaces/openshift-new";
    let sample = Sample::idle();
    let ask = ready_for("4.19.3").with("requests", "requests.yaml");
    let (new, old, other) = (
        credentials_request("new", "AWSProviderSpec", "new-creds"),
        credentials_request("old", "AWSProviderSpec", "old-creds"),
        credentials_request("azure", "AzureProviderSpec", "azure-creds"),
    );
    let known = |space: Value, secret: Value| {
        let objects = objects(&[
            (CREDENTIALS, credentials("Manual", json!({}))),
            (INFRASTRUCTURE, json!({ "status": { "platformStatus": { "type": "AWS" } } })),
            (SPACE, space),
            (&format!("{SPACE}/secrets/new-creds"), secret),
        ]);
        let mut material = and_lists(objects, &[(REQUESTS, json!([old.clone()]))]);
        let file = Found::File(vec![new.clone(), old.clone(), other.clone()]);
        material.answers.push((Read::File("requests.yaml".into()), Ok(file)));
        material
    };
    let there = json!({ "metadata": { "name": "x" }, "data": { "key": "c2VjcmV0" } });
    let plan = sample.plan_of(&ask, &known(there.clone(), there.clone())).unwrap();
    assert_eq!(plan.questions, [], "the requests answer it");
    assert_eq!(plan.consequences[0], "new CredentialsRequest new: secret openshift-new/new-creds is there");
    assert!(!format!("{plan:?}").contains("c2VjcmV0"), "no value of a secret in a plan");
    let missing = sample.plan_of(&ask, &known(there, Value::Null)).unwrap_err();
    assert_eq!(
        missing.0,
        "what new CredentialsRequests need is not there: secret openshift-new/new-creds for new; apply it first"
    );
    let missing = sample.plan_of(&ask, &known(Value::Null, Value::Null)).unwrap_err();
    assert!(missing.0.contains("namespace openshift-new for new"), "{}", missing.0);
}

//! Two Secrets that a cluster cannot do without, out of files: the root credentials of its cloud, and what new machines
//! boot with. What is taken, what is refused, what follows, and that no value is told anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oc_cockpit::actions::Danger;
use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use super::from_files::{apply, delete};
use super::lab::{Done, Lab, file, homely, selecting};
use super::sample::Sample;
use super::words::text;
use crate::support::sim::namespace;

/// Stands in every value that nobody may see.
const CANARY: &str = "canary-5150";

/// The sample, with the namespace that root credentials are in.
fn sample() -> Sample {
    let mut sample = selecting(Sample::idle());
    sample.add(namespace("kube-system"));
    sample
}

/// The sample on a cloud, its credentials maintained in this way.
fn on(platform: &str, mode: &str) -> Sample {
    let mut sample = sample();
    sample.add(json!({
        "apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": { "name": "cluster" },
        "spec": {}, "status": { "platformStatus": { "type": platform } },
    }));
    sample.add(json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "CloudCredential", "metadata": { "name": "cluster" },
        "spec": { "credentialsMode": mode },
    }));
    sample
}

fn root(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "kube-system" },
        "type": "Opaque", "stringData": data,
    })
}

fn aws(secret: &str) -> Value {
    root("aws-creds", &[("aws_access_key_id", &format!("AKIA-{CANARY}")), ("aws_secret_access_key", secret)])
}

fn user_data(name: &str, content: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "openshift-machine-api" },
        "type": "Opaque", "data": { "disableTemplating": STANDARD.encode("true"), "userData": STANDARD.encode(content) },
    })
}

fn stub(version: &str, how: &str) -> String {
    let server = json!([{ "source": format!("https://{CANARY}:22623/config/worker") }]);
    json!({ "ignition": { "version": version, "config": { how: server } } }).to_string()
}

fn machine_set(name: &str, user_data: &str) -> Value {
    json!({
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet",
        "metadata": { "name": name, "namespace": "openshift-machine-api" },
        "spec": { "template": { "spec": { "providerSpec": { "value": { "userDataSecret": { "name": user_data } } } } } },
    })
}

fn boot_images(mode: &str) -> Value {
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "MachineConfiguration", "metadata": { "name": "cluster" },
        "spec": { "managementState": "Managed", "managedBootImages": { "machineManagers": [
            { "resource": "machinesets", "apiGroup": "machine.openshift.io", "selection": { "mode": mode } }] } },
    })
}

/// What a person, a file or a log could see of it.
fn silent(what: &str, told: &str) {
    for hidden in [CANARY.to_owned(), STANDARD.encode(CANARY), STANDARD.encode(format!("AKIA-{CANARY}"))] {
        assert!(!told.contains(&hidden), "{what} tells {hidden}: {told}");
    }
}

/// Nothing that was said or written on the way has a value in it.
fn nothing_is_told(done: &Done) {
    silent("the plan", &text(&done.plan));
    silent("the plan as JSON", &serde_json::to_string(&done.plan).unwrap());
    silent("a panic message", &format!("{:?} {:?}", done.plan, done.outcome));
    silent("the audit log", &done.audit.iter().map(Value::to_string).collect::<String>());
    assert_eq!(done.audit[0]["undo"], Value::Null);
    for write in &done.plan.writes {
        silent("what is shown of the request", &write.shown().to_string());
    }
}

fn consequence<'a>(done: &'a Done, part: &str) -> &'a str {
    let found = done.plan.consequences.iter().find(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("{part}: {:#?}", done.plan.consequences))
}

#[tokio::test]
async fn a_root_secret_is_put_back() {
    let lab = Lab::new(&on("AWS", ""));
    let path = file("root-secret.yaml", &[aws(CANARY)]);
    let done = lab.act(&apply(&path)).await;
    assert_eq!(done.plan.danger, Danger::M);
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    nothing_is_told(&done);
    let stored = lab.get(Res::SECRETS, Some("kube-system"), "aws-creds");
    assert_eq!(stored["data"]["aws_secret_access_key"], STANDARD.encode(CANARY), "the request itself has it");
    assert!(lab.refusal(&apply(&path)).await.contains("is there already"));
}

#[tokio::test]
async fn a_root_secret_that_is_there_is_renewed_and_what_was_minted_stays() {
    let mut sample = on("AWS", "Mint");
    let mut old = aws("older");
    old["data"] =
        json!({ "aws_access_key_id": STANDARD.encode(CANARY), "aws_secret_access_key": STANDARD.encode(CANARY) });
    old.as_object_mut().unwrap().remove("stringData");
    old["metadata"]["annotations"] = json!({ "cloudcredential.openshift.io/mode": "insufficient" });
    sample.add(old);
    let lab = Lab::new(&sample);
    let mut new = aws("newer");
    new["metadata"]["annotations"] = json!({ "cloudcredential.openshift.io/mode": "mint" });
    let done = lab.act(&apply(&file("root-secret.yaml", &[new]))).await;
    nothing_is_told(&done);
    consequence(&done, "credentials that were made before stay as they are");
    consequence(&done, "(mode Mint)");
    consequence(&done, "left out of the file, for it is not for people to say: metadata.annotations[cloudcredential");
    consequence(&done, "what is there now is written down nowhere");
    let stored = lab.get(Res::SECRETS, Some("kube-system"), "aws-creds");
    assert_eq!(
        stored["metadata"]["annotations"]["cloudcredential.openshift.io/mode"], "insufficient",
        "the operator's own"
    );
}

#[tokio::test]
async fn elsewhere_credentials_are_handed_on() {
    let service = json!({ "type": "service_account", "private_key": CANARY }).to_string();
    for (platform, mode, secret, part) in [
        ("AWS", "Passthrough", aws(CANARY), "hands it on to every component as it is (mode Passthrough)"),
        ("GCP", "", root("gcp-credentials", &[("service_account.json", &service)]), "(default mode)"),
        ("OpenStack", "", root("openstack-credentials", &[("clouds.yaml", CANARY)]), "as always on this platform"),
        (
            "VSphere",
            "",
            root("vsphere-creds", &[("vc.lab.username", "admin"), ("vc.lab.password", CANARY)]),
            "as always on this platform",
        ),
    ] {
        let lab = Lab::new(&on(platform, mode));
        let done = lab.act(&apply(&file("root-secret.yaml", &[secret]))).await;
        consequence(&done, part);
        nothing_is_told(&done);
    }
}

#[tokio::test]
async fn root_credentials_that_help_nobody_are_refused() {
    let half = root("aws-creds", &[("aws_access_key_id", CANARY)]);
    let elsewhere = {
        let mut secret = aws(CANARY);
        secret["metadata"]["namespace"] = json!("openshift-config");
        secret
    };
    for (platform, mode, secret, part) in [
        ("AWS", "", half, "secret/aws-creds -n kube-system lacks aws_secret_access_key"),
        ("AWS", "", aws(""), "has nothing under aws_secret_access_key"),
        ("AWS", "", aws(&format!("{CANARY}\n")), "a line break around the value of aws_secret_access_key"),
        ("GCP", "Mint", aws(CANARY), "is not the root secret of GCP, which is kube-system/gcp-credentials"),
        ("GCP", "", root("gcp-credentials", &[("service_account.json", CANARY)]), "that is no JSON object"),
        ("None", "", aws(CANARY), "on None there are no root credentials"),
        ("AWS", "Manual", aws(CANARY), "credentials are maintained by hand"),
        ("AWS", "", root("aws-root", &[("a", CANARY)]), "no CredentialsRequest names secret/aws-root -n kube-system"),
        ("AWS", "", elsewhere, "no CredentialsRequest names secret/aws-creds -n openshift-config"),
    ] {
        let lab = Lab::new(&on(platform, mode));
        let why = lab.refusal(&apply(&file("root-secret.yaml", &[secret]))).await;
        assert!(why.contains(part), "{platform} {mode}\n  expected: {part}\n  said:     {why}");
        silent("the refusal", &why);
    }
    let nobody = Lab::new(&sample());
    let why = nobody.refusal(&apply(&file("root-secret.yaml", &[aws(CANARY)]))).await;
    assert!(why.contains("infrastructure/cluster does not tell the platform"), "{why}");
}

#[tokio::test]
async fn user_data_is_put_right_for_machines_to_come() {
    let mut sample = sample();
    sample.add(user_data("worker-user-data", &stub("2.2.0", "add")));
    sample.add(machine_set("worker-eu-1a", "worker-user-data"));
    sample.add(machine_set("worker-eu-1b", "worker-user-data"));
    sample.add(machine_set("gpu-eu-1a", "gpu-user-data"));
    sample.add(boot_images("None"));
    let lab = Lab::new(&sample);
    let path = file("user-data.yaml", &[user_data("worker-user-data", &stub("3.2.0", "merge"))]);
    let done = lab.act(&apply(&path)).await;
    assert_eq!(done.plan.danger, Danger::M);
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    nothing_is_told(&done);
    let stored = lab.get(Res::SECRETS, Some("openshift-machine-api"), "worker-user-data");
    assert_eq!(stored["data"]["userData"], STANDARD.encode(stub("3.2.0", "merge")));
}

#[tokio::test]
async fn what_is_not_as_it_should_be_around_user_data_is_told() {
    let mut sample = sample();
    sample.add(boot_images("All"));
    let lab = Lab::new(&sample);
    let alone = json!({ "ignition": { "version": "3.4.0" } }).to_string();
    let done = lab.act(&apply(&file("user-data.yaml", &[user_data("infra-user-data", &alone)]))).await;
    consequence(&done, "no machine set names it");
    consequence(&done, "boot images are renewed now (managedBootImages)");
    consequence(&done, "spec 3.4 is newer than the 3.2 of the procedure");
    consequence(&done, "it points to no machine config server");
    let old = lab.act(&apply(&file("user-data.yaml", &[user_data("old-user-data", &stub("2.2.0", "append"))]))).await;
    consequence(&old, "spec 2.2 is read by boot images of 4.5 and before alone");
    nothing_is_told(&old);
}

#[tokio::test]
async fn user_data_that_no_machine_could_boot_with_is_refused() {
    let lab = Lab::new(&sample());
    let mut empty = user_data("worker-user-data", "");
    empty["data"].as_object_mut().unwrap().remove("userData");
    for (secret, part) in [
        (user_data("worker-user-data-managed", &stub("3.2.0", "merge")), "is written by the machine-config operator"),
        (user_data("windows-user-data", CANARY), "is written by the Windows Machine Config Operator"),
        (user_data("worker-user-data", CANARY), "that is no JSON object"),
        (user_data("worker-user-data", &json!([CANARY]).to_string()), "that is no JSON object"),
        (
            user_data("worker-user-data", &json!({ "ignition": { "version": CANARY } }).to_string()),
            "has no ignition.version",
        ),
        (user_data("worker-user-data", &stub("1.2.0", "append")), "says ignition.version 1.2"),
        (user_data("worker-user-data", &stub("3.2.0", "append")), "there it is ignition.config.merge"),
        (empty, "has no data.userData"),
        (user_data("aws-cloud-credentials", CANARY), "no CredentialsRequest names"),
    ] {
        let why = lab.refusal(&apply(&file("user-data.yaml", &[secret]))).await;
        assert!(why.contains(part), "expected: {part}\nsaid:     {why}");
        silent("the refusal", &why);
    }
}

#[tokio::test]
async fn neither_is_ever_deleted() {
    let mut sample = on("AWS", "");
    sample.add(user_data("worker-user-data", &stub("3.2.0", "merge")));
    let mut there = aws(CANARY);
    there.as_object_mut().unwrap().remove("stringData");
    sample.add(there);
    let lab = Lab::new(&sample);
    for (name, part) in [
        ("kube-system/aws-creds", "only who has a copy may take it away"),
        ("openshift-machine-api/worker-user-data", "machines that are made later could not boot without it"),
    ] {
        let why = lab.refusal(&delete("secrets", name)).await;
        assert!(why.contains("is never deleted from here") && why.contains(part), "{why}");
    }
}

//! Objects out of files: what is taken, what is refused, what becomes of the nodes, the way back, and secrets that stay
//! secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Target, file_kinds};
use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use super::lab::{Hurdle, Lab, Way, ask, file, homely, selecting};
use super::sample::Sample;
use super::words::text;

const MCO: &str = "machineconfiguration.openshift.io";
pub const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub fn apply(path: &std::path::Path) -> Ask {
    ask(ActionId::ApplyFile, &[("file", path.to_str().unwrap())])
}

pub fn delete(resource: &str, name: &str) -> Ask {
    ActionId::DeleteObject.entry().parse(&[format!("{resource}/{name}")]).unwrap()
}

fn lab() -> Lab {
    Lab::new(&selecting(Sample::idle()))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
pub fn config(name: &str, role: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfig",
        "metadata": { "name": name, "labels": { format!("{MCO}/role"): role } }, "spec": spec,
    })
}

pub fn file_in(path: &str, content: &str) -> Value {
    json!({ "config": { "ignition": { "version": "3.4.0" }, "storage": { "files": [
        { "path": path, "mode": 420, "contents": { "source": format!("data:,{content}") } }] } } })
}

pub fn mirrors(name: &str, mapping: &[(&str, &[&str])]) -> Value {
    let one = |(source, mirrors): &(&str, &[&str])| json!({ "source": source, "mirrors": mirrors });
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": { "name": name },
        "spec": { "imageDigestMirrors": mapping.iter().map(one).collect::<Vec<_>>() },
    })
}

fn policies() -> Value {
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "MachineConfiguration", "metadata": { "name": "cluster" },
        "spec": { "managementState": "Managed" },
        "status": { "nodeDisruptionPolicyStatus": { "clusterPolicies": {
            "files": [{ "path": "/etc/chrony.conf", "actions": [{ "type": "Restart", "restart": { "serviceName": "chronyd.service" } }] }],
            "sshkey": { "actions": [{ "type": "None" }] },
        } } },
    })
}

#[tokio::test]
async fn a_machine_config_is_created_and_its_pools_are_told() {
    let lab = lab();
    let path = file("chrony.yaml", &[config("50-chrony", "worker", file_in("/etc/chrony.conf", "server%20a"))]);
    let done = lab.act(&apply(&path)).await;
    assert_eq!(done.plan.danger, Danger::M);
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    assert_eq!(done.audit[0]["undo"], "oc --context=lab delete machineconfig 50-chrony");
    let again = lab.refusal(&apply(&path)).await;
    assert_eq!(again, "nothing to do: machineconfig/50-chrony is there already, as the file has it");
}

#[tokio::test]
async fn a_policy_spares_the_reboot_and_a_layered_pool_follows_none() {
    let mut sample = selecting(Sample::idle());
    sample.add(policies());
    sample.add(json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineOSConfig", "metadata": { "name": "infra" },
        "spec": { "machineConfigPool": { "name": "infra" } },
    }));
    let lab = Lab::new(&sample);
    let path = file("chrony.yaml", &[config("50-chrony", "worker", file_in("/etc/chrony.conf", "x"))]);
    let plan = lab.rehearse(&apply(&path)).await.unwrap().plan;
    let about = |pool: &str| plan.consequences.iter().find(|line| line.starts_with(&format!("pool {pool},"))).unwrap();
    assert!(about("worker").contains("without drain or reboot (file /etc/chrony.conf)"), "{}", about("worker"));
    assert!(about("infra").contains("cordoned, drained and rebooted"), "{}", about("infra"));
    assert!(about("infra").ends_with("it is paused: not before it is unpaused"), "{}", about("infra"));
    assert_eq!(plan.danger, Danger::L, "what would reboot is paused");
}

#[tokio::test]
async fn what_is_there_is_patched_by_what_differs_and_the_way_back_is_recorded() {
    let mut sample = selecting(Sample::idle());
    let mut kubelet = json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "KubeletConfig", "metadata": { "name": "tuned", "labels": { "team": "a" } },
        "spec": { "machineConfigPoolSelector": { "matchLabels": { format!("pools.operator.{MCO}/worker"): "" } },
                  "kubeletConfig": { "maxPods": 250, "podPidsLimit": 4096 } },
    });
    sample.add(kubelet.clone());
    let lab = Lab::new(&sample);
    kubelet["spec"]["kubeletConfig"] = json!({ "maxPods": 500 });
    kubelet["metadata"]["labels"] = json!({ "tier": "b" });
    kubelet["status"] = json!({ "conditions": [] });
    let path = file("tuned.yaml", &[kubelet]);
    let done = lab.act(&apply(&path)).await;
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    let stored = lab.get(Res::KUBELET_CONFIGS, None, "tuned");
    assert_eq!(
        stored["spec"]["kubeletConfig"],
        json!({ "maxPods": 500, "podPidsLimit": 4096 }),
        "what is not named stays"
    );
    assert_eq!(stored["metadata"]["labels"], json!({ "team": "a", "tier": "b" }));
    let undo = done.audit[0]["undo"].as_str().unwrap();
    assert!(undo.contains(r#""maxPods":250"#) && undo.contains(r#""tier":null"#), "{undo}");
}

#[tokio::test]
async fn adding_mirrors_says_what_it_does_by_release() {
    let path = file(
        "mirrors.yaml",
        &[mirrors("ocp", &[("quay.io/openshift-release-dev/ocp-release", &["mirror.lab/ocp/release"])])],
    );
    let wish = ask(ActionId::AddMirrorSet, &[("file", path.to_str().unwrap())]);
    let lab = lab();
    let done = lab.act(&wish).await;
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    for (version, part) in [
        ("4.6.30", "cordoned, drained and rebooted, at most 1 at once (registries.conf, on a release before 4.7)"),
        ("4.7.12", "cordoned and drained, at most 1 at once, and not rebooted (registries.conf, on 4.7)"),
        ("4.8.1", "without drain or reboot (mirrors by digest are only added"),
    ] {
        let mut sample = selecting(Sample::idle());
        sample.edit("version", |object| {
            object["status"]["desired"]["version"] = json!(version);
            object["status"]["history"][0]["version"] = json!(version);
        });
        let plan = Lab::new(&sample).rehearse(&wish).await.unwrap().plan;
        let worker = plan.consequences.iter().find(|line| line.starts_with("pool worker,")).unwrap();
        assert!(worker.contains(part), "{version}: {worker}");
    }
}

#[tokio::test]
async fn a_mirror_that_goes_drains_and_a_release_takes_its_own_kind() {
    let lab = lab();
    let two = [("quay.io/a", &["m/a"][..]), ("quay.io/b", &["m/b"][..])];
    lab.act(&apply(&file("two.yaml", &[mirrors("set", &two)]))).await;
    let plan = lab.rehearse(&apply(&file("one.yaml", &[mirrors("set", &two[..1])]))).await.unwrap().plan;
    assert!(plan.consequences.iter().any(|line| line.contains("cordoned and drained")), "{plan:?}");
    assert_eq!(plan.danger, Danger::M);
    let older = json!({
        "apiVersion": "operator.openshift.io/v1alpha1", "kind": "ImageContentSourcePolicy", "metadata": { "name": "old" },
        "spec": { "repositoryDigestMirrors": [{ "source": "quay.io/a", "mirrors": ["m/a"] }] },
    });
    let older = ask(ActionId::AddMirrorSet, &[("file", file("icsp.yaml", &[older]).to_str().unwrap())]);
    assert!(lab.refusal(&older).await.contains("this release has ImageDigestMirrorSets"));
    lab.store.set_served(Res::IMAGE_DIGEST_MIRROR_SETS, false);
    assert!(lab.rehearse(&older).await.unwrap().ok());
    let newer = apply(&file("one.yaml", &[mirrors("set", &two)]));
    assert!(lab.refusal(&newer).await.contains("only ImageContentSourcePolicies"));
}

pub fn signature() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": format!("sha256-{HEX}"), "namespace": "openshift-config-managed",
                      "labels": { "release.openshift.io/verification-signatures": "" } },
        "binaryData": { format!("sha256-{HEX}-1"): "owGbwMvMwMEoOU9/4l9n2UDGtYy8wAA=" },
    })
}

#[tokio::test]
async fn a_signature_is_applied_for_a_release_that_is_asked_for() {
    let path = file("signature-sha256-0123456789abcdef.yaml", &[signature()]);
    let plain = ask(ActionId::ApplySignature, &[("file", path.to_str().unwrap())]);
    assert!(lab().refusal(&plain).await.contains("no release with that digest is asked for or on offer"));
    let mut sample = selecting(Sample::idle());
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "", "image": format!("mirror.lab/ocp@sha256:{HEX}") });
    });
    let lab = Lab::new(&sample);
    let done = lab.act(&plain).await;
    assert_eq!(done.plan.danger, Danger::L);
    insta::assert_snapshot!(homely(&text(&done.plan), &path));
    let for_it = Ask { args: plain.args.clone(), ..plain.clone() }.with("for", format!("sha256:{HEX}"));
    assert!(self::lab().rehearse(&for_it).await.unwrap().ok(), "named by the person");
    let other = file("other.yaml", &[config("50-x", "worker", json!({}))]);
    let other = ask(ActionId::ApplySignature, &[("file", other.to_str().unwrap())]);
    assert!(lab.refusal(&other).await.contains("and not only signatures of releases"));
}

/// A pull secret whose content must not be seen anywhere.
pub fn pull_secret(canary: &str) -> Value {
    let content = json!({ "auths": { "quay.io": { "auth": STANDARD.encode(format!("user:{canary}")) } } }).to_string();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pull-secret", "namespace": "openshift-config" },
        "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": STANDARD.encode(content) },
    })
}

#[tokio::test]
async fn secret_values_are_nowhere_but_in_the_request() {
    let (old, new) = ("canary-old-1717", "canary-new-4242");
    let mut sample = selecting(Sample::idle());
    sample.add(pull_secret(old));
    let path = file("pull-secret.yaml", &[pull_secret(new)]);
    let values = |canary: &str| {
        let secret = pull_secret(canary)["data"][".dockerconfigjson"].as_str().unwrap().to_owned();
        [canary.to_owned(), STANDARD.encode(format!("user:{canary}")), secret]
    };
    let forbidden: Vec<String> = values(old).into_iter().chain(values(new)).collect();
    let silent = |what: &str, told: &str| {
        for value in &forbidden {
            assert!(!told.contains(value.as_str()), "{what} tells {value}: {told}");
        }
    };
    let lab = Lab::new(&sample);
    let rehearsal = lab.rehearse(&apply(&path)).await.unwrap();
    silent("the plan", &text(&rehearsal.plan));
    silent("the plan as JSON", &serde_json::to_string(&rehearsal.plan).unwrap());
    silent("a panic message", &format!("{rehearsal:?}"));
    silent("the rehearsal as JSON", &serde_json::to_string(&rehearsal).unwrap());
    insta::assert_snapshot!(homely(&text(&rehearsal.plan), &path));
    let done = lab.act(&apply(&path)).await;
    silent("the outcome", &format!("{:?}", done.outcome));
    silent("the audit log", &done.audit.iter().map(Value::to_string).collect::<String>());
    assert!(done.audit[0]["request"]["body"]["data"][".dockerconfigjson"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(done.audit[0]["undo"], Value::Null);
    let stored = lab.get(Res::SECRETS, Some("openshift-config"), "pull-secret");
    assert_eq!(stored["data"], pull_secret(new)["data"], "the request itself has it");
    let words = Lab::new(&sample).send_by(&Hurdle::new(&Lab::new(&sample).client, Way::Breaks), &apply(&path)).await;
    silent("a broken connection", &format!("{:?}", words.outcome));
}

#[tokio::test]
async fn a_server_that_quotes_a_secret_is_not_repeated() {
    let mut secret = pull_secret("canary-new-4242");
    secret["metadata"]["labels"] = json!({ "not a label": "x" });
    let lab = Lab::new(&selecting(Sample::idle()));
    let rehearsal = lab.rehearse(&apply(&file("s.yaml", &[secret.clone()]))).await.unwrap();
    let value = secret["data"][".dockerconfigjson"].as_str().unwrap();
    let write = &rehearsal.plan.writes[0];
    assert!(!write.veiled(&format!("Invalid value: {value}")).contains(value));
    assert!(!format!("{:?}", rehearsal.steps).contains(value));
}

#[tokio::test]
async fn a_pull_secret_that_no_node_could_use_is_refused() {
    let lab = lab();
    for (content, part) in [("{}", "can be read"), (r#"{"auths":{}}"#, "for no registry"), ("no json", "can be read")] {
        let mut secret = pull_secret("x");
        secret["data"][".dockerconfigjson"] = json!(STANDARD.encode(content));
        let why = lab.refusal(&apply(&file("s.yaml", &[secret]))).await;
        assert!(why.contains(part), "{why}");
    }
}

#[tokio::test]
async fn credentials_are_applied_where_a_request_names_them() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "installer-cloud-credentials", "namespace": "openshift-image-registry" },
        "stringData": { "aws_secret_access_key": "canary-key-9" },
    });
    let request = json!({
        "apiVersion": "cloudcredential.openshift.io/v1", "kind": "CredentialsRequest",
        "metadata": { "name": "registry", "namespace": "openshift-cloud-credential-operator" },
        "spec": { "secretRef": { "namespace": "openshift-image-registry", "name": "installer-cloud-credentials" } },
    });
    let lab = lab();
    let path = file("secrets.yaml", std::slice::from_ref(&secret));
    assert!(
        lab.refusal(&apply(&path)).await.contains("no CredentialsRequest names secret/installer-cloud-credentials")
    );
    let requests = file("requests.yaml", std::slice::from_ref(&request));
    let with = apply(&path).with("requests", requests.to_str().unwrap());
    let done = lab.act(&with).await;
    assert_eq!(done.plan.danger, Danger::M);
    assert!(!format!("{:?}{:?}", done.plan, done.audit).contains(&STANDARD.encode("canary-key-9")));
    let other = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "openshift-etcd" } });
    let both = file("both.yaml", &[secret, request, other]);
    assert!(
        lab.refusal(&apply(&both)).await.contains("namespace/openshift-etcd is neither"),
        "the file may name the requests itself"
    );
}

#[tokio::test]
async fn what_lives_in_a_namespace_waits_until_it_is_there() {
    let group = json!({
        "apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup",
        "metadata": { "name": "update-service", "namespace": "openshift-update-service" },
        "spec": { "targetNamespaces": ["openshift-update-service"] },
    });
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "openshift-update-service" } });
    let lab = lab();
    let alone = file("group.yaml", std::slice::from_ref(&group));
    assert!(lab.refusal(&apply(&alone)).await.ends_with("the namespace openshift-update-service does not exist"));
    let path = file("service.yaml", &[namespace, group]);
    let first = lab.act(&apply(&path)).await;
    assert_eq!(first.outcome.done().len(), 1);
    assert!(
        first.plan.consequences.iter().any(|line| line.contains("apply the file once more then")),
        "{:?}",
        first.plan
    );
    let second = lab.rehearse(&apply(&path)).await.unwrap();
    assert_eq!(second.plan.writes.len(), 1, "{second:?}");
    assert!(second.plan.writes[0].object.starts_with("operatorgroup/"));
}

#[tokio::test]
async fn what_files_do_not_do() {
    let owned = {
        let mut config = config("99-worker-generated-kubelet", "worker", file_in("/etc/x", "y"));
        config["metadata"]["annotations"] = json!({ format!("{MCO}/generated-by-controller-version"): "abc" });
        config
    };
    let mut sample = selecting(Sample::idle());
    sample.add(owned);
    let lab = Lab::new(&sample);
    let object = |api: &str, kind: &str, namespace: &str, name: &str| json!({ "apiVersion": api, "kind": kind, "metadata": { "name": name, "namespace": namespace } });
    let labelled = |name: &str, spec: Value| config(name, "worker", spec);
    for (objects, part) in [
        (vec![object("policy/v1", "PodDisruptionBudget", "openshift-etcd", "etcd")], "is not on the list"),
        (vec![object("operators.coreos.com/v1alpha1", "ClusterServiceVersion", "shop", "x")], "is not on the list"),
        (vec![object("v1", "Node", "", "worker-0")], "is not on the list"),
        (vec![object("v1", "ConfigMap", "openshift-etcd", "x")], "is not on the list"),
        (vec![object("v1", "Secret", "openshift-etcd", "x")], "no CredentialsRequest names"),
        (vec![object("v1", "ConfigMap", "openshift-config", "admin-acks")], "only certificates are applied"),
        (
            vec![object("operators.coreos.com/v1alpha1", "Subscription", "openshift-update-service", "x")],
            "is not for the package",
        ),
        (
            vec![object("operator.openshift.io/v1", "MachineConfiguration", "", "other")],
            "is not one that is read: cluster",
        ),
        (vec![object("config.openshift.io/v1", "Image", "", "other")], "Image other is not one that is read: cluster"),
        (vec![object("config.openshift.io/v1", "Proxy", "", "other")], "Proxy other is not one that is read: cluster"),
        (vec![labelled("rendered-worker-9", json!({}))], "is a rendered configuration"),
        (vec![labelled("99-worker-generated-kubelet", json!({ "kernelType": "realtime" }))], "belongs to a controller"),
        (
            vec![labelled("50-disk", json!({ "config": { "storage": { "disks": [{ "device": "/dev/sdb" }] } } }))],
            "cannot change their disks",
        ),
        (vec![labelled("50-a", json!({})), labelled("50-a", json!({}))], "twice"),
        (vec![object(&format!("{MCO}/v1"), "MachineConfig", "", "50-none")], "no pool would take it"),
    ] {
        let why = lab.refusal(&apply(&file("objects.yaml", &objects))).await;
        assert!(why.contains(part), "expected: {part}\nsaid: {why}");
    }
    let mut annotated = config("50-a", "worker", json!({}));
    annotated["metadata"]["annotations"] = json!({ format!("{MCO}/currentConfig"): "rendered-worker-1" });
    assert!(lab.refusal(&apply(&file("a.yaml", &[annotated]))).await.contains("by the machine-config operator alone"));
    let missing = ask(ActionId::ApplyFile, &[("file", "/nowhere/at/all.yaml")]);
    assert!(lab.refusal(&missing).await.starts_with("the file could not be read"));
}

#[tokio::test]
async fn what_the_schema_refuses_or_drops_is_told_by_the_dry_run() {
    let pinned = json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "PinnedImageSet",
        "metadata": { "name": "ahead", "labels": { format!("{MCO}/role"): "worker" } },
        "spec": { "pinnedImages": [{ "name": "quay.io/x:latest" }] },
    });
    let rehearsal = lab().rehearse(&apply(&file("pinned.yaml", &[pinned]))).await.unwrap();
    assert!(!rehearsal.ok());
    assert!(rehearsal.steps[0].words.contains("invalid: spec.pinnedImages"), "{}", rehearsal.steps[0].words);
    let mut set = mirrors("ocp", &[("quay.io/a", &["m/a"])]);
    set["spec"]["mirrorEverything"] = json!(true);
    let rehearsal = lab().rehearse(&apply(&file("set.yaml", &[set]))).await.unwrap();
    assert!(
        rehearsal.steps[0].words.contains("did not store it: spec.mirrorEverything"),
        "{}",
        rehearsal.steps[0].words
    );
}

#[tokio::test]
async fn somebody_who_was_faster_is_not_overwritten() {
    let mut sample = selecting(Sample::idle());
    sample.add(mirrors("set", &[("quay.io/a", &["m/a"])]));
    let lab = Lab::new(&sample);
    let store = lab.simulation.store();
    let meddling = super::in_process::InProcess::new(lab.simulation.service()).before_writes(move |_| {
        store.update(Res::IMAGE_DIGEST_MIRROR_SETS, None, "set", |set| {
            set["spec"]["imageDigestMirrors"][0]["mirrors"] = json!(["m/theirs"]);
        });
    });
    let wanted = apply(&file("set.yaml", &[mirrors("set", &[("quay.io/a", &["m/ours", "m/a"])])]));
    let done = lab.send_by(&meddling, &wanted).await;
    let Outcome::Changed { words, .. } = done.outcome else { panic!("{:?}", done.outcome) };
    assert_eq!(words, "the danger is M now, it was L", "their mirror would go");
    let created = apply(&file("new.yaml", &[mirrors("new", &[("quay.io/a", &["m/a"])])]));
    let store = lab.simulation.store();
    let clock = lab.simulation.clock();
    let meddling = super::in_process::InProcess::new(lab.simulation.service()).before_writes(move |_| {
        if store.get(Res::IMAGE_DIGEST_MIRROR_SETS, None, "new").is_none() {
            store.create(Res::IMAGE_DIGEST_MIRROR_SETS, mirrors("new", &[("quay.io/z", &["m/z"])]), clock.now());
        }
    });
    let done = lab.send_by(&meddling, &created).await;
    let Outcome::Failed { words, .. } = done.outcome else { panic!("{:?}", done.outcome) };
    assert!(words.contains("it exists already"), "{words}");
}

#[tokio::test]
async fn deleting_an_object_of_the_list() {
    let mut sample = selecting(Sample::idle());
    sample.add(config("50-kargs", "worker", json!({ "kernelArguments": ["nosmt"] })));
    let lab = Lab::new(&sample);
    let done = lab.act(&delete("machineconfigs", "50-kargs")).await;
    assert_eq!(done.plan.danger, Danger::M);
    insta::assert_snapshot!(text(&done.plan));
    let undo = done.audit[0]["undo"].as_str().unwrap();
    assert!(undo.contains("create -f -") && undo.contains("nosmt"), "{undo}");
    assert!(lab.refusal(&delete("machineconfigs", "50-kargs")).await.contains("there is no machineconfig/50-kargs"));
}

#[tokio::test]
async fn what_is_served_as_a_preview_only_is_deleted_there() {
    const PREVIEW: &str = "v1alpha1";
    let of_preview = |mut object: Value| {
        object["apiVersion"] = json!(format!("{MCO}/{PREVIEW}"));
        object
    };
    let set = json!({ "kind": "PinnedImageSet", "metadata": { "name": "release", "labels": { format!("{MCO}/role"): "worker" } },
                      "spec": { "pinnedImages": [{ "name": super::pools::image('a') }] } });
    let mut layered = super::pools::layered();
    layered["metadata"]["name"] = json!("worker");
    for (resource, name, res, object) in [
        ("machineosconfigs", "worker", Res::MACHINE_OS_CONFIGS, layered),
        ("pinnedimagesets", "release", Res::PINNED_IMAGE_SETS, set),
    ] {
        let lab = lab();
        lab.store.serve_version(res, PREVIEW);
        lab.store.create(res, of_preview(object), lab.simulation.clock().now());
        let done = lab.act(&delete(resource, name)).await;
        let path = format!("/apis/{MCO}/{PREVIEW}/{resource}/{name}");
        assert_eq!(done.plan.writes[0].path, path);
        assert_eq!(lab.get(res, None, name), Value::Null);
        let undo = done.audit[0]["undo"].as_str().unwrap();
        assert!(undo.contains(&format!("{MCO}/{PREVIEW}")), "{undo}");
        assert!(lab.refusal(&delete(resource, name)).await.contains("there is no "), "{resource}");
    }
}

#[tokio::test]
async fn without_the_mirrors_of_releases_a_disconnected_cluster_cannot_pull() {
    let mut sample = selecting(Sample::idle());
    sample.add(mirrors("ocp", &[("quay.io/openshift-release-dev/ocp-release", &["m/r"])]));
    let plan = Lab::new(&sample).rehearse(&delete("imagedigestmirrorsets", "ocp")).await.unwrap().plan;
    assert_eq!((plan.danger, &plan.confirm), (Danger::H, &Confirm::Type("ocp".into())));
    assert!(
        plan.consequences.iter().any(|line| line.contains("no pod of the platform can be started anew")),
        "{plan:?}"
    );
}

#[tokio::test]
async fn what_is_never_deleted() {
    let mut sample = selecting(Sample::idle());
    sample.add(pull_secret("x"));
    let lab = Lab::new(&sample);
    for (resource, name, part) in [
        ("secrets", "openshift-config/pull-secret", "without the global pull secret no node can pull"),
        ("namespaces", "openshift-update-service", "everything in it would go with it"),
        ("machineconfigs", "rendered-worker-1", "a rendered configuration"),
        ("machineconfigurations", "cluster", "there is one"),
        ("images.config.openshift.io", "cluster", "the machine-config operator is degraded without it"),
        ("proxies", "cluster", "the network operator and the nodes have their proxy from it"),
        ("images", "other", "Image other is not one that is read: cluster"),
        ("clusterserviceversions", "shop/cart.v1", "is not on the list"),
        ("poddisruptionbudgets", "openshift-etcd/etcd", "is not on the list"),
        ("nodes", "worker-0", "is not on the list"),
        ("configmaps", "openshift-etcd/x", "is not on the list"),
        ("configmaps", "x", "name it as KIND/NAMESPACE/NAME"),
        ("machineconfigs", "../nodes/worker-0", "is not KIND/NAME or KIND/NAMESPACE/NAME"),
    ] {
        let why = match ActionId::DeleteObject.entry().parse(&[format!("{resource}/{name}")]) {
            Ok(ask) => lab.refusal(&ask).await,
            Err(why) => why.0,
        };
        assert!(why.contains(part), "{resource} {name}\n  expected: {part}\n  said:     {why}");
    }
}

#[test]
fn the_list_is_published() {
    let kinds = file_kinds();
    assert!(kinds.iter().any(|kind| kind.kind == "UpdateService" && kind.which == "in openshift-update-service"));
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/files.md")).unwrap();
    for kind in kinds {
        assert!(documented.contains(&format!("| {} | ", kind.kind)), "docs/files.md does not tell of {}", kind.kind);
    }
    let form = Ask::new(ActionId::ApplyFile, Target::Cluster);
    assert!(ActionId::ApplyFile.entry().accepts(&form).is_err(), "a file has to be named");
}

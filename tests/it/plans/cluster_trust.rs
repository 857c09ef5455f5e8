//! Certificates that registries and everything else are trusted by: named in `Image/cluster` and `Proxy/cluster` out of
//! files.

use oc_cockpit::actions::{Danger, Found, Plan, Read};
use oc_cockpit::cluster::execute::Transport;
use oc_cockpit::cluster::{Reply, Request};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::{Value, json};

use super::from_files::{apply, delete};
use super::in_process::InProcess;
use super::lab::{Lab, file, homely, selecting};
use super::sample::Sample;
use super::words::text;

const CONFIG: &str = "config.openshift.io/v1";

/// A certificate that is the same in every run: snapshots show it.
const CERTIFICATE: &str = include_str!("../../fixtures/certificates/registry.pem");

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn map(name: &str, data: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "openshift-config" },
        "data": data,
    })
}

fn registry_ca() -> Value {
    map("registry-ca", json!({ "registry.lab..5000": CERTIFICATE, "updateservice-registry": CERTIFICATE }))
}

fn bundle(name: &str) -> Value {
    map(name, json!({ "ca-bundle.crt": CERTIFICATE }))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn image(spec: Value) -> Value {
    json!({ "apiVersion": CONFIG, "kind": "Image", "metadata": { "name": "cluster" }, "spec": spec })
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn proxy(spec: Value) -> Value {
    json!({ "apiVersion": CONFIG, "kind": "Proxy", "metadata": { "name": "cluster" }, "spec": spec })
}

fn naming(name: &str) -> Value {
    image(json!({ "additionalTrustedCA": { "name": name } }))
}

fn trusting(name: &str) -> Value {
    proxy(json!({ "trustedCA": { "name": name } }))
}

/// The sample with both objects as an installer leaves them, and these beside or instead.
fn sample(objects: &[Value]) -> Sample {
    let mut sample = selecting(Sample::idle());
    let are = |kind: &str| objects.iter().any(|object| object["kind"] == kind);
    if !are("Image") {
        sample.add(image(json!({})));
    }
    if !are("Proxy") {
        sample.add(trusting(""));
    }
    for object in objects {
        sample.add(object.clone());
    }
    sample
}

fn lab(objects: &[Value]) -> Lab {
    Lab::new(&sample(objects))
}

/// The sample of another release.
fn of_release(version: &str, objects: &[Value]) -> Lab {
    let mut sample = sample(objects);
    sample.edit("version", |object| {
        object["status"]["desired"]["version"] = json!(version);
        object["status"]["history"][0]["version"] = json!(version);
    });
    Lab::new(&sample)
}

/// Without what is in the certificate: that it is one shows.
fn short(text: &str) -> String {
    let inner: Vec<&str> = CERTIFICATE.lines().filter(|line| !line.starts_with("-----")).collect();
    let text = text.replace(&inner.join("\\n"), "...");
    let shown = text.lines().filter(|line| !inner[1..].iter().any(|inner| line.ends_with(inner)));
    shown.map(|line| line.replace(inner[0], "...")).collect::<Vec<_>>().join("\n")
}

fn about<'a>(plan: &'a Plan, start: &str) -> &'a str {
    let line = plan.consequences.iter().find(|line| line.starts_with(start));
    line.unwrap_or_else(|| panic!("nothing begins with {start:?}: {:#?}", plan.consequences))
}

fn tells(plan: &Plan, part: &str) -> bool {
    plan.consequences.iter().any(|line| line.contains(part))
}

async fn planned(lab: &Lab, objects: &[Value]) -> Plan {
    let rehearsal = lab.rehearse(&apply(&file("trust.yaml", objects))).await.unwrap();
    assert!(rehearsal.ok(), "{rehearsal:?}");
    rehearsal.plan
}

#[tokio::test]
async fn certificates_of_registries_are_named_without_touching_a_pool() {
    let lab = lab(&[registry_ca()]);
    let path = file("image.yaml", &[naming("registry-ca")]);
    let done = lab.act(&apply(&path)).await;
    assert_eq!(done.plan.danger, Danger::L);
    insta::assert_snapshot!(short(&homely(&text(&done.plan), &path)));
    assert_eq!(lab.get(Res::IMAGES, None, "cluster")["spec"]["additionalTrustedCA"]["name"], "registry-ca");
    assert_eq!(
        done.audit[0]["undo"],
        r#"oc --context=lab patch image.config.openshift.io cluster --type=merge -p '{"spec":{"additionalTrustedCA":null}}'"#
    );
    let again = lab.refusal(&apply(&path)).await;
    assert_eq!(again, "nothing to do: image/cluster is there already, as the file has it");
}

#[tokio::test]
async fn what_writes_them_to_nodes_depends_on_the_release() {
    for (version, writer) in
        [("4.13.40", "the DaemonSet node-ca of the image registry operator"), ("4.14.1", "the machine-config daemon")]
    {
        let lab = of_release(version, &[registry_ca()]);
        let plan = planned(&lab, &[naming("registry-ca")]).await;
        assert!(about(&plan, "registry.lab:5000 is trusted").contains(writer), "{version}: {plan:?}");
    }
}

#[tokio::test]
async fn what_is_named_may_come_before_it_in_the_file() {
    let lab = lab(&[]);
    let path = file("trust.yaml", &[registry_ca(), naming("registry-ca"), bundle("corporate"), trusting("corporate")]);
    let done = lab.act(&apply(&path)).await;
    insta::assert_snapshot!(short(&homely(&text(&done.plan), &path)));
    assert_eq!(lab.get(Res::PROXIES, None, "cluster")["spec"]["trustedCA"]["name"], "corporate");
}

#[tokio::test]
async fn a_proxy_gives_nodes_its_certificates_as_the_release_has_it() {
    for (version, part) in [
        ("4.6.30", "cordoned, drained and rebooted"),
        ("4.16.20", "cordoned, drained and rebooted"),
        ("4.18.22", "without drain or reboot"),
    ] {
        let lab = of_release(version, &[bundle("corporate")]);
        let plan = planned(&lab, &[trusting("corporate")]).await;
        assert!(about(&plan, "pool worker,").contains(part), "{version}: {plan:?}");
        assert_eq!(plan.danger, Danger::M);
        assert_eq!(tells(&plan, "pause first with pause-pool"), part.contains("drained"), "{version}: {plan:?}");
    }
}

#[tokio::test]
async fn the_way_out_is_part_of_the_machine_configuration() {
    let lab = lab(&[]);
    let path = file("proxy.yaml", &[proxy(json!({ "httpProxy": "http://proxy.lab:3128", "noProxy": ".lab" }))]);
    let done = lab.act(&apply(&path)).await;
    insta::assert_snapshot!(short(&homely(&text(&done.plan), &path)));
    let undo = done.audit[0]["undo"].as_str().unwrap();
    assert!(
        undo.contains(r#"patch proxy cluster --type=merge -p '{"spec":{"httpProxy":null,"noProxy":null}}'"#),
        "{undo}"
    );
}

#[tokio::test]
async fn the_bundle_of_the_user_is_on_nodes_whoever_names_it() {
    let lab = lab(&[bundle("user-ca-bundle")]);
    let plan = planned(&lab, &[trusting("user-ca-bundle")]).await;
    assert!(!plan.consequences.iter().any(|line| line.starts_with("pool ")), "{plan:?}");
    assert!(tells(&plan, "nodes have the certificates of user-ca-bundle in either case"), "{plan:?}");
    let lab = self::lab(&[]);
    let plan = planned(&lab, &[bundle("user-ca-bundle")]).await;
    assert!(about(&plan, "pool worker,").contains("openshift-config-user-ca-bundle.crt"), "{plan:?}");
    assert!(tells(&plan, "nodes trust it whoever names it"), "{plan:?}");
}

#[tokio::test]
async fn certificates_that_nobody_names_lead_to_whoever_names_them() {
    let lab = lab(&[]);
    for (object, part) in [
        (registry_ca(), "with apply-file an Image cluster names it in spec.additionalTrustedCA, for registries"),
        (bundle("corporate"), "with apply-file a Proxy cluster names it in spec.trustedCA, for everything"),
        (
            map("both", json!({ "registry.lab": CERTIFICATE, "ca-bundle.crt": CERTIFICATE })),
            "for registries, or a Proxy cluster names it in spec.trustedCA",
        ),
    ] {
        let plan = planned(&lab, &[object]).await;
        assert!(about(&plan, "nothing refers to it yet").contains(part), "{part}: {plan:?}");
    }
    let lab = self::lab(&[registry_ca(), naming("registry-ca")]);
    let plan = planned(&lab, &[map("registry-ca", json!({ "quay.lab": CERTIFICATE }))]).await;
    assert!(tells(&plan, "image.config.openshift.io/cluster trusts it for registries"), "{plan:?}");
}

#[tokio::test]
async fn what_cannot_be_trusted_is_not_named() {
    let broken = map("broken", json!({ "ca-bundle.crt": "none", "registry.lab": "none" }));
    let lab = lab(&[registry_ca(), bundle("corporate"), broken]);
    let nowhere = "there is no such ConfigMap in openshift-config, and none before it in the file";
    for (objects, part) in [
        (vec![naming("missing")], format!("image/cluster names missing in spec.additionalTrustedCA: {nowhere}")),
        (vec![trusting("missing")], format!("proxy/cluster names missing in spec.trustedCA: {nowhere}")),
        (vec![trusting("late"), bundle("late")], "that ConfigMap stands behind it in the file: put it before".into()),
        (vec![naming("corporate")], "that ConfigMap names no registry: its keys have to be hosts".into()),
        (vec![trusting("registry-ca")], "that ConfigMap has no key ca-bundle.crt".into()),
        (vec![trusting("broken")], "holds something else than certificates in PEM under ca-bundle.crt".into()),
        (vec![naming("broken")], "that ConfigMap holds something else under".into()),
        (vec![naming("../secrets/pull-secret")], "names a ConfigMap in spec.additionalTrustedCA that cannot be".into()),
        (
            vec![image(json!({ "registrySources": { "allowedRegistries": ["quay.io"], "blockedRegistries": ["a"] } }))],
            "the machine-config operator takes one of them only".into(),
        ),
        (vec![proxy(json!({ "httpProxy": "https://proxy.lab" }))], "the network operator would not take it".into()),
    ] {
        let why = lab.refusal(&apply(&file("objects.yaml", &objects))).await;
        assert!(why.contains(&part), "expected: {part}\nsaid: {why}");
    }
    assert!(lab.refusal(&delete("proxies", "cluster")).await.contains("is never deleted from here"));
    assert!(
        lab.refusal(&delete("configmaps", "openshift-config/missing")).await.contains("there is no configmap/missing")
    );
}

/// A server that shows no ConfigMap to this user.
struct Secretive<'a>(&'a InProcess);

impl Transport for Secretive<'_> {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        self.0.send(request).await
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        match read {
            Read::Object(path) if path.contains("/configmaps/") => Err(Trouble {
                kind: TroubleKind::Forbidden,
                words: "configmaps may not be read".into(),
                hint: String::new(),
                since: chrono::DateTime::UNIX_EPOCH,
            }),
            read => self.0.read(read).await,
        }
    }
}

#[tokio::test]
async fn a_named_config_map_that_may_not_be_read_is_not_named_unseen() {
    let lab = lab(&[registry_ca()]);
    let asked = apply(&file("image.yaml", &[naming("registry-ca")]));
    let Err(why) = lab.rehearse_by(&Secretive(&lab.client), &asked).await else { panic!("it is named") };
    assert!(why.0.contains("configmaps/registry-ca could not be read"), "{}", why.0);
}

#[tokio::test]
async fn registries_that_lose_their_certificates_are_told() {
    let lab = lab(&[registry_ca(), naming("registry-ca"), map("other", json!({ "quay.lab": CERTIFICATE }))]);
    let plan = planned(&lab, &[naming("other")]).await;
    assert_eq!(plan.danger, Danger::M);
    assert!(about(&plan, "registry-ca is not named any more").contains("registry.lab:5000 is not trusted"), "{plan:?}");
    assert!(tells(&plan, "other has no key updateservice-registry"), "{plan:?}");
    let plan = planned(&lab, &[naming("")]).await;
    assert!(tells(&plan, "registry-ca is not named any more") && plan.danger == Danger::M, "{plan:?}");
}

#[tokio::test]
async fn where_images_may_come_from_is_part_of_the_machine_configuration() {
    let lab = of_release("4.18.22", &[]);
    let path = file("image.yaml", &[image(json!({ "registrySources": { "blockedRegistries": ["docker.io"] } }))]);
    let done = lab.act(&apply(&path)).await;
    insta::assert_snapshot!(short(&homely(&text(&done.plan), &path)));
    for (sources, part) in [
        (json!({ "containerRuntimeSearchRegistries": ["quay.io"] }), "cordoned, drained and rebooted"),
        (json!({ "insecureRegistries": ["registry.lab:5000"] }), "cordoned and drained"),
        (json!({ "blockedRegistries": [], "allowedRegistries": ["quay.io"] }), "cordoned and drained"),
    ] {
        let plan = planned(&lab, &[image(json!({ "registrySources": sources }))]).await;
        assert!(about(&plan, "pool worker,").contains(part), "{part}: {plan:?}");
        assert!(tells(&plan, "pause first with pause-pool: worker"), "{plan:?}");
    }
    let allowed =
        image(json!({ "registrySources": { "blockedRegistries": [], "allowedRegistries": ["registry.lab"] } }));
    assert!(tells(&planned(&lab, &[allowed]).await, "none of them covers the images of the release"));
    let imports = image(json!({ "allowedRegistriesForImport": [{ "domainName": "quay.io" }] }));
    let plan = planned(&lab, &[imports]).await;
    assert!(tells(&plan, "spec.allowedRegistriesForImport: imports of images") && plan.danger == Danger::L, "{plan:?}");
}

#[tokio::test]
async fn the_password_of_a_proxy_is_nowhere_but_in_the_request() {
    let (old, new) = ("canary-old-31", "canary-new-32");
    let with = |password: &str| json!({ "httpProxy": format!("http://user:{password}@proxy.lab:3128"), "trustedCA": { "name": "" } });
    let lab = lab(&[proxy(with(old)), bundle("corporate")]);
    let silent = |what: &str, told: &str| {
        assert!(!told.contains(old) && !told.contains(new), "{what} tells it: {told}");
    };
    // Whatever stands beside the password changes: the patch is shown, and leads back.
    let mut beside = with(old);
    beside["trustedCA"]["name"] = json!("corporate");
    let plan = planned(&lab, &[proxy(beside)]).await;
    silent("the plan", &text(&plan));
    assert!(!plan.writes[0].secret && text(&plan).contains(r#""trustedCA":{"name":"corporate"}"#), "{}", text(&plan));
    let path = file("proxy.yaml", &[proxy(with(new))]);
    let done = lab.act(&apply(&path)).await;
    silent("the plan", &text(&done.plan));
    silent("the plan as JSON", &serde_json::to_string(&done.plan).unwrap());
    silent("the audit log", &done.audit.iter().map(Value::to_string).collect::<String>());
    assert_eq!(done.audit[0]["undo"], Value::Null);
    assert!(lab.get(Res::PROXIES, None, "cluster")["spec"]["httpProxy"].as_str().unwrap().contains(new));
    // Without a password in the file: the way back would hold the one that is there.
    let done = lab.act(&apply(&file("proxy.yaml", &[proxy(json!({ "httpProxy": "http://proxy.lab" }))]))).await;
    silent("the plan", &text(&done.plan));
    silent("the audit log", &done.audit.iter().map(Value::to_string).collect::<String>());
}

#[tokio::test]
async fn the_schema_has_the_last_word() {
    let wrong = image(json!({ "additionalTrustedCA": { "name": "registry-ca", "key": "x" } }));
    let rehearsal = lab(&[registry_ca()]).rehearse(&apply(&file("image.yaml", &[wrong]))).await.unwrap();
    assert!(rehearsal.steps[0].words.contains("did not store it: spec.additionalTrustedCA.key"), "{rehearsal:?}");
    let wrong = image(json!({ "imageStreamImportMode": "Sometimes" }));
    let rehearsal = lab(&[]).rehearse(&apply(&file("image.yaml", &[wrong]))).await.unwrap();
    assert!(!rehearsal.ok(), "{rehearsal:?}");
}

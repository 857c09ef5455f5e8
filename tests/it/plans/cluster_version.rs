//! What may be asked of the ClusterVersion, why not, and the plans as a person reads them.

use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Found, Material, Plan, Read, Target};
use serde_json::{Value, json};

use super::cases::overridden;
use super::sample::Sample;
use super::words::text;

const SCHEMA: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterversions.config.openshift.io";
const SIGNATURES: &str = "/api/v1/namespaces/openshift-config-managed/configmaps?labelSelector=release.openshift.io%2Fverification-signatures";
const SERVICES: &str = "/apis/updateservice.operator.openshift.io/v1/updateservices";

pub fn digest(digit: &str) -> String {
    digit.repeat(64)
}

fn cluster(action: ActionId) -> Ask {
    Ask::new(action, Target::Cluster)
}

fn start(version: &str) -> Ask {
    Ask::new(ActionId::StartUpdate, Target::Version(version.into()))
}

/// Material of objects by path; `null` stands for one that does not exist.
pub fn objects(known: &[(&str, Value)]) -> Material {
    let answer = |(path, object): &(&str, Value)| {
        let found = Some(object.clone()).filter(|object| !object.is_null());
        (Read::Object((*path).to_owned()), Ok(Found::Object(found)))
    };
    Material { answers: known.iter().map(answer).collect(), fresh: Vec::new() }
}

/// The same with lists; `null` stands for a kind that is not served.
pub fn and_lists(mut material: Material, known: &[(&str, Value)]) -> Material {
    let answer =
        |(path, list): &(&str, Value)| (Read::List((*path).to_owned()), Ok(Found::List(list.as_array().cloned())));
    material.answers.extend(known.iter().map(answer));
    material
}

#[track_caller]
pub fn refused(sample: &Sample, ask: &Ask, part: &str) {
    let verdict = sample.answer(ask);
    assert!(verdict.contains(part), "{ask:?}\n  expected: {part}\n  said:     {verdict}");
}

fn schema(fields: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|field| ((*field).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "spec": { "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": { "properties": {
        "spec": { "properties": { "desiredUpdate": { "properties": properties } } },
    } } } }] } })
}

fn known_channels() -> Sample {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["status"]["desired"]["channels"] = json!(["candidate-4.19", "eus-4.20", "fast-4.19", "stable-4.19"]);
    });
    sample
}

#[test]
fn a_channel_that_does_not_hold_the_release_has_to_be_meant() {
    let set = |channel: &str| cluster(ActionId::SetChannel).with("channel", channel);
    let sample = known_channels();
    assert_eq!(sample.answer(&set("fast-4.19")), "ok, L");
    refused(&sample, &set("stable-4.19"), "the channel is stable-4.19 already");
    refused(&sample, &set("stable-4.20"), "stable-4.20 is not among the channels that are known to hold 4.18.22");
    assert_eq!(sample.answer(&set("stable-4.20").with("allow-explicit", "")), "ok, L");
    refused(&sample, &cluster(ActionId::SetChannel), "choose the channel: candidate-4.19, eus-4.20");
    refused(&sample, &cluster(ActionId::SetChannel).with("clear", ""), "allow-explicit takes it away all the same");
    refused(&sample, &set("fast-4.19").with("clear", ""), "not both");
    refused(&sample, &set("fast 4.19"), "a channel is one word");
    let entry = ActionId::SetChannel.entry().args[0];
    assert_eq!(entry.choices.unwrap()(&sample.assessment()), ["candidate-4.19", "eus-4.20", "fast-4.19"]);
    // Where the channels of the release are not known, nothing can be held against one.
    assert_eq!(Sample::idle().answer(&set("stable-4.20")), "ok, L");
    assert_eq!(Sample::idle().answer(&cluster(ActionId::SetChannel).with("clear", "")), "ok, L");
    let plan = sample.plan_of(&set("eus-4.20"), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn taking_the_channel_away_leaves_no_empty_one() {
    let ask = cluster(ActionId::SetChannel).with("clear", "").with("allow-explicit", "");
    let plan = known_channels().plan_of(&ask, &Material::default()).unwrap();
    assert_eq!(plan.writes[0].body["spec"], json!({ "channel": null }));
    assert_eq!(plan.writes[0].oc, "oc --context=lab adm upgrade channel --allow-explicit-channel");
}

#[test]
fn an_update_service_has_an_address() {
    let set = |url: &str| cluster(ActionId::SetUpstream).with("url", url);
    let sample = Sample::idle();
    refused(&sample, &set("osus.example.com"), "is no address of a service");
    refused(&sample, &set("ftp://osus.example.com/graph"), "is no address of a service");
    refused(&sample, &set("https://not an address"), "is no address");
    refused(&sample, &cluster(ActionId::SetUpstream), "name the address");
    refused(&sample, &cluster(ActionId::SetUpstream).with("clear", ""), "Red Hat's is asked already");
    let ask = set("https://osus.apps.example.com/api/upgrades_info/v1/graph");
    let draft = sample.plan_of(&ask, &Material::default()).unwrap();
    assert!(draft.writes.is_empty(), "it is not whole before the services were read");
    assert_eq!(draft.reads, [Read::List(SERVICES.into())]);
    let service = json!([{ "metadata": { "namespace": "openshift-update-service", "name": "service" },
        "status": { "policyEngineURI": "https://osus.apps.example.com" } }]);
    let plan = sample.plan_of(&ask, &and_lists(Material::default(), &[(SERVICES, service)])).unwrap();
    insta::assert_snapshot!(text(&plan));
    let none = sample.plan_of(&ask, &and_lists(Material::default(), &[(SERVICES, Value::Null)])).unwrap();
    assert!(none.consequences.iter().all(|line| !line.contains("of this cluster")), "{:?}", none.consequences);
    let plain = set("http://osus.example.com/api/upgrades_info/v1/graph");
    let plain = sample.plan_of(&plain, &and_lists(Material::default(), &[(SERVICES, Value::Null)])).unwrap();
    let says = |part: &str| plain.consequences.iter().any(|line| line.contains(part));
    assert!(says("without encryption") && !says("certificate"), "{:?}", plain.consequences);
}

#[test]
fn the_update_service_of_this_cluster_needs_no_address() {
    let sample = Sample::idle();
    let ask = cluster(ActionId::SetUpstream).with("local", "");
    let planned = |services: Value| sample.plan_of(&ask, &and_lists(Material::default(), &[(SERVICES, services)]));
    assert_eq!(sample.plan_of(&ask, &Material::default()).unwrap().reads, [Read::List(SERVICES.into())]);
    let service = |name: &str, status: Value| json!({ "metadata": { "namespace": "openshift-update-service", "name": name }, "status": status });
    let address = json!({ "policyEngineURI": "https://osus.apps.example.com/" });
    let plan = planned(json!([service("service", address.clone())])).unwrap();
    assert_eq!(plan.title, "Ask the update service https://osus.apps.example.com/api/upgrades_info/v1/graph");
    assert!(plan.consequences.iter().any(|line| line.contains("openshift-update-service/service of this cluster")));
    let why = |services: Value| planned(services).unwrap_err().0;
    assert_eq!(why(Value::Null), "this cluster runs no update service");
    assert!(why(json!([service("a", address.clone()), service("b", address)])).contains("runs 2 update services"));
    let failed = json!({ "conditions": [{ "type": "ReconcileCompleted", "status": "False", "reason": "CreateRouteFailed",
                                          "message": "the name of the route is too long" }] });
    let why = why(json!([service("service", failed)]));
    assert!(why.contains("no address yet: CreateRouteFailed the name of the route is too long"), "{why}");
    refused(&sample, &ask.clone().with("url", "https://osus.example.com/graph"), "either local, or an address");
}

#[test]
fn a_version_that_is_not_recommended_asks_about_each_of_its_risks() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        let update = &mut version["status"]["conditionalUpdates"][0];
        update["risks"].as_array_mut().unwrap().push(json!({ "name": "SlowBoot", "message": "Nodes may boot slowly.",
            "matchingRules": [{ "type": "Always" }] }));
        update["conditions"][0]["reason"] = json!("MultipleReasons");
    });
    let before = sample.plan_of(&start("4.18.24"), &Material::default()).unwrap();
    assert_eq!((before.reads.len(), before.writes.len()), (1, 0), "whether acceptances can be kept is read first");
    let material = objects(&[(SCHEMA, schema(&["version", "image"]))]);
    let plan = sample.plan_of(&start("4.18.24"), &material).unwrap();
    insta::assert_snapshot!(text(&plan));
    let [disk, boot, backup] = plan.questions.as_slice() else { panic!("{:?}", plan.questions) };
    assert_eq!(disk.unanswered_by("yes").as_deref(), Some("Accept the risk DiskLoss: type its name (type DiskLoss)"));
    assert_eq!((disk.unanswered_by(" DiskLoss "), boot.exactly.as_deref()), (None, Some("SlowBoot")));
    assert_eq!((backup.name.as_str(), backup.unanswered_by("on the nas")), ("etcd-backup", None));

    let one = sample.plan_of(&start("4.18.24").with("accept-risk", "DiskLoss"), &material).unwrap();
    let names: Vec<&str> = one.questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, ["accept-risk-SlowBoot", "etcd-backup"]);
    let unnamed = sample.plan_of(&start("4.18.24").with("allow-not-recommended", ""), &Material::default()).unwrap();
    assert_eq!((unnamed.questions.len(), unnamed.writes.len()), (1, 1));
    assert!(
        unnamed.writes[0].oc.ends_with("adm upgrade --allow-not-recommended --to=4.18.24"),
        "{}",
        unnamed.writes[0].oc
    );
    assert!(unnamed.consequences.iter().any(|line| line.contains("Disks may get lost.")), "{:?}", unnamed.consequences);
    refused(
        &sample,
        &start("4.18.24").with("accept-risk", "Typo"),
        "Typo is no open risk of 4.18.24; its open risks: DiskLoss, SlowBoot",
    );
    refused(&sample, &start("4.18.25").with("accept-risk", "DiskLoss"), "its open risks: none");
}

#[test]
fn accepted_risks_are_written_down_where_the_release_has_a_place_for_them() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] =
            json!({ "version": "", "image": "", "architecture": "", "force": false, "acceptRisks": [{ "name": "Old" }] });
    });
    let plan = sample.plan_of(&start("4.18.24"), &Material::default()).unwrap();
    assert_eq!(plan.reads, [], "the names that are there show that there is a place");
    let wanted = json!([{ "name": "Old" }, { "name": "DiskLoss" }]);
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["acceptRisks"], wanted);
    assert!(plan.writes[0].stored.contains(&("/spec/desiredUpdate/acceptRisks".into(), wanted)));
    // Another version leaves them alone, and looks whether they were left.
    let other = sample.plan_of(&start("4.18.25"), &Material::default()).unwrap();
    assert_eq!(other.writes[0].body["spec"]["desiredUpdate"].get("acceptRisks"), None);
    let kept = ("/spec/desiredUpdate/acceptRisks".into(), json!([{ "name": "Old" }]));
    assert!(other.writes[0].stored.contains(&kept));
    let in_schema = objects(&[(SCHEMA, schema(&["acceptRisks"]))]);
    let plan = Sample::idle().plan_of(&start("4.18.24"), &in_schema).unwrap();
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["acceptRisks"], json!([{ "name": "DiskLoss" }]));
}

#[test]
fn the_newest_is_the_highest_that_is_recommended() {
    let newest = cluster(ActionId::StartUpdate).with("newest", "");
    let title = |sample: &Sample, ask: &Ask| sample.plan_of(ask, &Material::default()).map(|plan| plan.title);
    assert_eq!(title(&Sample::idle(), &newest).unwrap(), "Start update to 4.19.3");
    let mut sample = Sample::idle();
    sample.condition("Upgradeable", "False", "AdminAckRequired", "read this first");
    assert_eq!(title(&sample, &newest).unwrap(), "Start update to 4.18.25", "the other minor is held up");
    sample.edit("version", |version| version["status"]["availableUpdates"] = json!([]));
    refused(
        &sample,
        &newest,
        "4.18.22 is the newest that is recommended (channel stable-4.19); on offer, not recommended: 4.18.24",
    );
    let all = newest.clone().with("allow-not-recommended", "");
    assert_eq!(title(&sample, &all).unwrap(), "Start update to 4.18.24");
    refused(&Sample::idle(), &start("4.18.25").with("newest", ""), "newest chooses the release itself");
}

fn mirrored() -> (Sample, String) {
    let mut sample = Sample::idle();
    let image = format!("quay.io/openshift-release-dev/ocp-release@sha256:{}", digest("a"));
    sample.edit("version", |version| version["status"]["availableUpdates"][1]["image"] = json!(image));
    (sample, format!("mirror.example:5000/ocp/release@sha256:{}", digest("b")))
}

#[test]
fn an_image_is_named_by_its_digest_and_has_to_be_meant() {
    let (sample, image) = mirrored();
    let by = |image: &str| cluster(ActionId::StartUpdate).with("image", image);
    refused(&sample, &by("mirror.example:5000/ocp/release:4.18.25"), "a tag can be moved to another image");
    refused(&sample, &by("mirror.example:5000/ocp/release@sha256:12"), "64 hexadecimal digits");
    refused(&sample, &by(&image), "allow-explicit asks for");
    refused(&sample, &by(&image).with("newest", ""), "newest chooses the release itself");
    let explicit = by(&image).with("allow-explicit", "");
    let draft = sample.plan_of(&explicit, &Material::default()).unwrap();
    assert_eq!((draft.reads.as_slice(), draft.writes.len()), ([Read::List(SIGNATURES.into())].as_slice(), 0));
    let signature = json!([{ "metadata": { "name": "sha256-b" },
        "binaryData": { format!("sha256-{}", digest("b")): "c2ln" } }]);
    let signed = and_lists(Material::default(), &[(SIGNATURES, signature)]);
    insta::assert_snapshot!(text(&sample.plan_of(&explicit, &signed).unwrap()));
    let unsigned = and_lists(Material::default(), &[(SIGNATURES, json!([]))]);
    let told = sample.plan_of(&explicit, &unsigned).unwrap().consequences;
    assert!(
        told.iter().any(|line| line.starts_with("no ConfigMap in openshift-config-managed has its signature")),
        "{told:?}"
    );

    // By the same digest it is the release that is on offer, wherever it is mirrored.
    let known = by(&format!("mirror.example:5000/ocp/release@sha256:{}", digest("a")));
    let plan = sample.plan_of(&known, &unsigned).unwrap();
    assert_eq!(plan.title, "Start update to 4.18.25");
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["version"], "4.18.25");
    assert!(plan.writes[0].body["spec"]["desiredUpdate"]["image"].as_str().unwrap().starts_with("mirror.example"));
    // A version beside it is a claim that the operator holds the image to.
    let claim = Ask { target: Target::Version("4.18.26".into()), ..explicit.clone() };
    let plan = sample.plan_of(&claim, &unsigned).unwrap();
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["version"], "4.18.26");
    refused(
        &sample,
        &Ask { target: Target::Version("4.20.1".into()), ..explicit },
        "more than one minor version above",
    );
    refused(&sample, &Ask { target: Target::Version("4.18.26".into()), ..known }, "is on offer as 4.18.25");
}

#[test]
fn another_target_takes_the_place_of_an_update_that_is_in_progress() {
    let sample = Sample::rolling();
    refused(&sample, &start("4.19.4"), "4.19.4 is not on offer");
    let mut sample = sample;
    sample.edit("version", |version| {
        version["status"]["availableUpdates"] = json!([{ "version": "4.19.4", "image": "quay.io/r@sha256:194" }]);
        version["spec"]["desiredUpdate"] = json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" });
    });
    refused(&sample, &start("4.19.4"), "an update is in progress: Working towards 4.19.3");
    refused(&sample, &start("4.19.4"), "(--allow-with-warnings passes over it)");
    let plan = sample.plan_of(&start("4.19.4").with("allow-with-warnings", ""), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

fn once_updated() -> Sample {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["status"]["history"].as_array_mut().unwrap().push(json!({
            "state": "Completed", "version": "4.18.20", "image": "quay.io/r@sha256:1820",
            "startedTime": "2026-09-01T00:00:00Z", "completionTime": "2026-09-01T02:00:00Z", "verified": true,
        }));
    });
    sample
}

#[test]
fn only_the_release_before_of_the_same_minor_can_be_gone_back_to() {
    let back = |version: &str| start(version).with("rollback", "");
    let sample = once_updated();
    refused(&sample, &start("4.18.20"), "it was applied just before, and rollback goes back to it");
    refused(&sample, &back("4.18.19"), "only the release that was applied just before (4.18.20) can be gone back to");
    refused(&sample, &back("4.17.30"), "there is no way back to another minor");
    refused(&sample, &back("4.18.25"), "4.18.25 is no way back");
    let mut busy = once_updated();
    busy.condition("Progressing", "True", "", "Working towards 4.18.22");
    refused(&busy, &back("4.18.20"), "going back needs Progressing to be False, and it is True");
    refused(&busy, &back("4.18.20").with("allow-with-warnings", ""), "needs Progressing to be False");
    let mut failing = once_updated();
    failing.condition("Failing", "True", "", "etcd is degraded");
    let plan = failing.plan_of(&back("4.18.20"), &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn a_preflight_is_asked_for_again_to_become_an_update() {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] =
            json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825", "mode": "Preflight" });
    });
    let plan = sample.plan_of(&start("4.18.25"), &Material::default()).unwrap();
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["mode"], Value::Null);
    assert!(!plan.effect.holds(&sample.assessment()), "it is not asked for as long as the mode is there");
    assert!(plan.consequences.iter().any(|line| line.contains("the request of before was a preflight")), "{plan:?}");
}

#[test]
fn a_recent_backup_that_etcd_tells_of_is_not_asked_for() {
    let etcd = |status: &str| {
        json!({ "apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator", "metadata": { "name": "etcd" },
            "status": { "conditions": [{ "type": "RecentBackup", "status": status, "reason": "UpgradeBackup",
                "message": "backup of today", "lastTransitionTime": "2026-11-20T03:00:00Z" }] } })
    };
    let mut sample = Sample::idle();
    sample.put(etcd("True"));
    let plan = sample.plan_of(&start("4.18.25"), &Material::default()).unwrap();
    assert_eq!(plan.questions, []);
    assert!(plan.preconditions.iter().any(|found| found.words == "there is a recent backup of etcd"), "{plan:?}");
    sample.put(etcd("False"));
    let plan = sample.plan_of(&start("4.18.25"), &Material::default()).unwrap();
    assert_eq!(plan.questions.len(), 1);
    assert!(plan.consequences.iter().any(|line| line.starts_with("etcd has no recent backup")), "{plan:?}");
}

#[test]
fn the_multi_architecture_payload_has_the_same_version() {
    let ask = cluster(ActionId::MigrateMultiArch);
    let plan = Sample::idle().plan_of(&ask, &Material::default()).unwrap();
    insta::assert_snapshot!(text(&plan));
    let mut there = Sample::idle();
    there.edit("version", |version| version["status"]["desired"]["architecture"] = json!("Multi"));
    refused(&there, &ask, "the cluster has the multi-architecture payload already");
    assert!(
        there.offers(&Target::Cluster).iter().all(|line| !line.contains("multi")),
        "{:?}",
        there.offers(&Target::Cluster)
    );
    let mut asked = Sample::idle();
    asked.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.18.22", "architecture": "Multi", "image": "" });
    });
    refused(&asked, &ask, "the multi-architecture payload is requested already");
    let mut busy = Sample::idle();
    busy.condition("Progressing", "True", "", "Working towards 4.18.23");
    refused(&busy, &ask, "an update is in progress");
    assert_eq!(busy.answer(&ask.with("allow-with-warnings", "")), "ok, H");
}

/// A request that stands in the spec, at rest or rolling.
fn requested(mut sample: Sample, wanted: Value) -> Sample {
    sample.edit("version", |version| version["spec"]["desiredUpdate"] = wanted);
    sample
}

#[test]
fn clearing_says_whether_it_still_cancels() {
    let ask = cluster(ActionId::ClearUpdate);
    refused(&Sample::idle(), &ask, "no update is requested");
    let mut waiting = requested(Sample::idle(), json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" }));
    waiting.condition("ReleaseAccepted", "False", "RetrievePayload", "no signature");
    let under_way = requested(Sample::rolling(), json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" }));
    let done = requested(Sample::idle(), json!({ "version": "4.18.22", "image": "quay.io/r@sha256:1822" }));
    let kept = json!([{ "name": "DiskLoss" }]);
    let only_risks = requested(Sample::idle(), json!({ "version": "", "image": "", "acceptRisks": kept }));
    refused(&only_risks, &ask, "no update is requested");
    for (sample, title, first) in [
        (&waiting, "Cancel the requested update to 4.18.25", "this cancels it: 4.18.25 was refused (RetrievePayload)"),
        (
            &under_way,
            "Clear the request for 4.19.3: the update goes on",
            "this does not stop the update: 4.19.3 was accepted",
        ),
        (&done, "Clear the request for 4.18.22, which is done", "only the field is cleared: the cluster is at 4.18.22"),
    ] {
        let plan = sample.plan_of(&ask, &Material::default()).unwrap();
        assert_eq!((plan.title.as_str(), plan.danger), (title, Danger::L));
        assert!(plan.consequences[0].starts_with(first), "{:?}", plan.consequences);
        assert_eq!(plan.writes[0].body["spec"], json!({ "desiredUpdate": null }));
        // What was accepted goes on, and what is done is not asked for again.
        let back: Vec<String> = plan.back.iter().map(Ask::line).collect();
        let waits = title.starts_with("Cancel");
        assert_eq!(back, if waits { vec!["start-update 4.18.25"] } else { Vec::new() });
        assert_eq!(plan.inverse, waits.then_some(ActionId::StartUpdate));
        assert!(
            sample.offers(&Target::Cluster).contains(&format!("{title} [L]")),
            "{:?}",
            sample.offers(&Target::Cluster)
        );
    }
    let with_risks = requested(
        Sample::idle(),
        json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825", "mode": "Preflight", "acceptRisks": kept }),
    );
    let plan = with_risks.plan_of(&ask, &Material::default()).unwrap();
    let expected =
        json!({ "architecture": "", "version": "", "image": "", "force": false, "mode": null, "acceptRisks": kept });
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"], expected);
    insta::assert_snapshot!(text(&waiting.plan_of(&ask, &Material::default()).unwrap()));
}

#[test]
fn a_request_is_made_again_only_where_that_is_still_a_request() {
    let ask = cluster(ActionId::ClearUpdate);
    let image = format!("quay.io/r@sha256:{}", digest("a"));
    let lines = |sample: &Sample| {
        let plan = sample.plan_of(&ask, &Material::default()).unwrap();
        let lines: Vec<String> = plan.back.iter().map(Ask::line).collect();
        assert_eq!(plan.inverse, plan.back.first().map(|back| back.action), "{lines:?}");
        lines
    };
    let wanted = |version: &str, image: &str| json!({ "version": version, "image": image });
    let refused = |wanted: Value| {
        let mut sample = requested(Sample::idle(), wanted);
        sample.condition("ReleaseAccepted", "False", "RetrievePayload", "no signature");
        sample
    };
    // What was accepted, or is applied, is nothing to be asked for once more.
    let none: [&str; 0] = [];
    assert_eq!(lines(&requested(Sample::rolling(), wanted("4.19.3", "quay.io/r@sha256:193"))), none);
    assert_eq!(lines(&requested(Sample::idle(), wanted("4.18.22", "quay.io/r@sha256:1822"))), none);
    // What waits is asked for as it was.
    assert_eq!(lines(&refused(wanted("4.18.25", "quay.io/r@sha256:1825"))), ["start-update 4.18.25"]);
    let by_image = format!("start-update --image '{image}' --allow-explicit");
    assert_eq!(lines(&refused(wanted("", &image))), [by_image.replace('\'', "")]);
    let both = format!("start-update 4.18.30 --image {image} --allow-explicit");
    assert_eq!(lines(&refused(wanted("4.18.30", &image))), [both]);
    let multi = json!({ "version": "4.18.22", "architecture": "Multi", "image": "" });
    assert_eq!(lines(&refused(multi)), ["migrate-multi-arch"]);
    let forced = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825", "force": true });
    assert_eq!(lines(&refused(forced)), ["force-update 4.18.25"]);
    // No action asks for a check alone.
    let preflight = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825", "mode": "Preflight" });
    assert_eq!(lines(&refused(preflight)), none);
}

#[test]
fn a_version_is_written_as_a_person_types_it_and_told_as_it_is() {
    let entry = ActionId::StartUpdate.entry();
    let asked = |word: &str| entry.parse(&[word.to_owned()]);
    let title = |word: &str| Sample::idle().plan_of(&asked(word).unwrap(), &Material::default()).unwrap().title;
    for (word, version) in [
        ("4.18.25", "4.18.25"),
        ("v4.18.25", "4.18.25"),
        ("V4.18.25", "4.18.25"),
        ("newest", "4.19.3"),
        ("LATEST", "4.19.3"),
    ] {
        assert_eq!(title(word), format!("Start update to {version}"), "{word}");
    }
    let newest = Sample::idle().plan_of(&asked("latest").unwrap(), &Material::default()).unwrap();
    assert_eq!(newest.confirm, Confirm::Type("4.19.3".into()), "the version is typed, not the word");
    let told = newest.preconditions.iter().map(|one| one.words.as_str()).collect::<Vec<_>>();
    assert!(told.contains(&"4.19.3 is the newest that is recommended"), "{told:?}");
    for word in ["4.19", "stable-4.19", "v", "newst", "4.19.3.1"] {
        let why = asked(word).unwrap_err().0;
        let part = format!("`{word}` is no version: expected is one such as 4.19.3, or newest; usage: start-update");
        assert!(why.starts_with(&part), "{why}");
    }
    let force = ActionId::ForceUpdate.entry();
    let why = force.parse(&["newest".to_owned()]).unwrap_err().0;
    assert!(why.starts_with("`newest` is no version: expected is one such as 4.19.3; usage: force-update"), "{why}");
    assert_eq!(force.parse(&["v4.18.25".to_owned()]).unwrap().target, Target::Version("4.18.25".into()));
    let prep = |version: &str| {
        let words = ["--seed-image=registry/seed:4.19.3".to_owned(), format!("--seed-version={version}")];
        ActionId::IbuPrep.entry().parse(&words).unwrap()
    };
    let idle = super::image_based::sample(super::image_based::Stage::Idle);
    let plan = idle.plan_of(&prep("v4.19.3"), &Material::default()).unwrap();
    assert_eq!(plan.writes[0].body["spec"]["seedImageRef"]["version"], "4.19.3");
}

#[test]
fn risks_are_accepted_by_names_that_are_told_of() {
    let accept = |name: &str| cluster(ActionId::AcceptRisks).with("risk", name);
    let sample = Sample::idle();
    refused(&sample, &cluster(ActionId::AcceptRisks), "name the risks to accept: DiskLoss");
    refused(&sample, &accept("Typo"), "no version on offer carries the risk Typo; known risks: DiskLoss");
    refused(&sample, &cluster(ActionId::AcceptRisks).with("withdraw", "DiskLoss"), "DiskLoss is not accepted");
    refused(&sample, &accept("DiskLoss").with("clear", ""), "name no risk beside it");
    let missing = objects(&[(SCHEMA, schema(&["version"]))]);
    let no_place = sample.plan_of(&accept("DiskLoss"), &missing).unwrap_err();
    assert!(no_place.0.starts_with("this release cannot remember accepted risks"), "{}", no_place.0);
    let there = objects(&[(SCHEMA, schema(&["acceptRisks"]))]);
    insta::assert_snapshot!(text(&sample.plan_of(&accept("DiskLoss"), &there).unwrap()));

    let kept = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825", "acceptRisks": [{ "name": "Old" }] });
    let sample = requested(Sample::idle(), kept);
    let body = |ask: &Ask| {
        let plan: Plan = sample.plan_of(ask, &Material::default()).unwrap();
        (plan.danger, plan.writes[0].body["spec"]["desiredUpdate"].clone())
    };
    let names = |names: &[&str]| {
        let names: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "acceptRisks": names })
    };
    assert_eq!(body(&accept("DiskLoss")), (Danger::M, names(&["Old", "DiskLoss"])));
    assert_eq!(body(&accept("DiskLoss").with("replace", "")), (Danger::M, names(&["DiskLoss"])));
    assert_eq!(
        body(&cluster(ActionId::AcceptRisks).with("withdraw", "Old")),
        (Danger::L, json!({ "acceptRisks": null }))
    );
    assert_eq!(body(&cluster(ActionId::AcceptRisks).with("clear", "")), (Danger::L, json!({ "acceptRisks": null })));
    refused(&sample, &accept("Old"), "accepted already: Old");
}

#[test]
fn force_names_what_it_passes_over_and_goes_neither_back_nor_over_a_minor() {
    let force = |version: &str| Ask::new(ActionId::ForceUpdate, Target::Version(version.into()));
    let mut sample = once_updated();
    sample.condition("Upgradeable", "False", "AdminAckRequired", "read this first");
    let plan = sample.plan_of(&force("4.19.3"), &Material::default()).unwrap();
    assert_eq!(plan.confirm, Confirm::Type("force 4.19.3 without signature and preconditions".into()));
    assert_eq!(plan.writes[0].body["spec"]["desiredUpdate"]["force"], true);
    insta::assert_snapshot!(text(&plan));
    refused(&sample, &force("4.18.20"), "it was applied just before");
    refused(&sample, &force("4.17.9"), "no way back to another minor");
    refused(&sample, &force("4.20.1"), "more than one minor version above");
    let tag = cluster(ActionId::ForceUpdate).with("image", "quay.io/r:4.18.25").with("allow-explicit", "");
    refused(&sample, &tag, "a tag can be moved");
    // It is offered for what is refused, and for nothing else.
    let offers = |sample: &Sample, version: &str| sample.offers(&Target::Version(version.into()));
    assert!(
        offers(&sample, "4.19.3").contains(&"Force the update to 4.19.3 [H]".to_owned()),
        "{:?}",
        offers(&sample, "4.19.3")
    );
    assert_eq!(offers(&sample, "4.18.25"), ["Start update to 4.18.25 [H]"]);
}

#[test]
fn what_was_refused_can_be_forced_as_it_was_asked_for() {
    let wanted =
        json!({ "version": "4.18.30", "image": "mirror.example/r@sha256:1830", "architecture": "", "force": false });
    let mut sample = requested(Sample::idle(), wanted);
    sample.condition("ReleaseAccepted", "False", "RetrievePayload", "the image cannot be verified");
    let plan = sample.plan_of(&cluster(ActionId::ForceUpdate), &Material::default()).unwrap();
    let body = &plan.writes[0].body["spec"]["desiredUpdate"];
    assert_eq!(
        (&body["version"], &body["image"], &body["force"]),
        (&json!("4.18.30"), &json!("mirror.example/r@sha256:1830"), &json!(true))
    );
    assert!(plan.consequences.iter().any(|line| line.contains("refused so far: ReleaseAccepted is False")), "{plan:?}");
    assert!(sample.offers(&Target::Cluster).contains(&"Force the update to 4.18.30 [H]".to_owned()));
    assert!(!plan.effect.holds(&sample.assessment()), "the same request without force is not it");
}

#[test]
fn components_are_given_back_all_or_one() {
    let all = overridden().plan_of(&cluster(ActionId::ClearOverrides), &Material::default()).unwrap();
    insta::assert_snapshot!("overrides_all", text(&all));
    assert_eq!(
        all.writes[0].body["spec"]["overrides"].as_array().map(Vec::len),
        Some(1),
        "what is managed is left alone"
    );
    let one = cluster(ActionId::ClearOverrides).with("component", "Deployment/openshift-dns/dns");
    let one = overridden().plan_of(&one, &Material::default()).unwrap();
    insta::assert_snapshot!("overrides_one", text(&one));
    let other = cluster(ActionId::ClearOverrides).with("component", "Deployment/openshift-dns/other");
    refused(&overridden(), &other, "is not among the overrides: they are Deployment/openshift-console/console");
    refused(&Sample::idle(), &cluster(ActionId::ClearOverrides), "no component is out of");
}

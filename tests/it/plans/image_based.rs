//! The actions on an image-based upgrade: what has to hold, what they say, the exact request, and what the server
//! answers.

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, Confirm, Danger, Effect, Found, Material, Plan, Read, Refusal, Target, Verb};
use serde_json::{Value, json};

use super::sample::Sample;
use super::script::{Script, calm, order, reply, scratch};
use crate::plans::image_based::Stage::{AbortFailed, Blocked, Idle, Prepared, Running, Upgraded};
use oc_cockpit::cluster::execute::execute;
use oc_cockpit::recorder::Recorder;

const PATH: &str = "/apis/lca.openshift.io/v1/imagebasedupgrades/upgrade";
const CONTENT: &str = "/api/v1/namespaces/openshift-adp/configmaps/oadp-cm";

/// Where the stage machine stands.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    Idle,
    Running,
    Prepared,
    Upgraded,
    RolledBack,
    AbortFailed,
    Blocked,
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
           "lastTransitionTime": "2026-11-20T03:00:00Z"})
}

pub fn object(stage: Stage) -> Value {
    let busy = condition("Idle", "False", "InProgress", "In progress");
    let prepared = [
        condition("PrepInProgress", "False", "Completed", "Prep completed"),
        condition("PrepCompleted", "True", "Completed", "Prep stage completed successfully"),
    ];
    let with = |more: Vec<Value>| [vec![busy.clone()], prepared.to_vec(), more].concat();
    let (asked, conditions, valid): (&str, Vec<Value>, &[&str]) = match stage {
        Idle => ("Idle", vec![condition("Idle", "True", "Idle", "Idle")], &["Prep"]),
        Running => ("Prep", vec![busy, condition("PrepInProgress", "True", "InProgress", "In progress")], &["Idle"]),
        Prepared => ("Prep", with(vec![]), &["Idle", "Upgrade"]),
        Upgraded => (
            "Upgrade",
            with(vec![
                condition("UpgradeInProgress", "False", "Completed", "Upgrade completed"),
                condition("UpgradeCompleted", "True", "Completed", "Upgrade completed"),
            ]),
            &["Idle", "Rollback"],
        ),
        Stage::RolledBack => (
            "Rollback",
            with(vec![
                condition("RollbackInProgress", "False", "Completed", "Rollback completed"),
                condition("RollbackCompleted", "True", "Completed", "Rollback completed"),
            ]),
            &["Idle"],
        ),
        AbortFailed => (
            "Idle",
            vec![condition("Idle", "False", "AbortFailed", "failed to delete backups: default is Unavailable")],
            &[],
        ),
        Blocked => ("Idle", vec![condition("Idle", "False", "Blocked", "IPC is not idle")], &["Idle"]),
    };
    let seed =
        if matches!(stage, Idle) { json!({}) } else { json!({"version": "4.19.3", "image": "registry/seed:4.19.3"}) };
    json!({"apiVersion": "lca.openshift.io/v1", "kind": "ImageBasedUpgrade",
        "metadata": {"name": "upgrade", "uid": "uid-ibu", "resourceVersion": "70", "generation": 5},
        "spec": {"stage": asked, "seedImageRef": seed},
        "status": {"observedGeneration": 5, "conditions": conditions, "validNextStages": valid,
                   "rollbackAvailabilityExpiration": "2026-12-20T03:00:00Z"}})
}

pub fn sample(stage: Stage) -> Sample {
    let mut sample = Sample::idle();
    sample.put(object(stage));
    sample
}

pub fn upgraded() -> Sample {
    let mut sample = sample(Upgraded);
    sample.edit("version", |version| version["status"]["desired"]["version"] = json!("4.19.3"));
    sample
}

fn material(answers: Vec<(&str, Value)>) -> Material {
    let answer = |(path, found): (&str, Value)| {
        let found = Some(found).filter(|found| !found.is_null());
        (Read::Object(path.to_owned()), Ok(Found::Object(found)))
    };
    Material { answers: answers.into_iter().map(answer).collect(), ..Material::default() }
}

pub fn ask(action: ActionId) -> Ask {
    Ask::new(action, Target::Cluster)
}

pub fn prep() -> Ask {
    ask(ActionId::IbuPrep).with("seed-image", "registry/seed:4.19.3").with("seed-version", "4.19.3")
}

fn refusal(sample: &Sample, ask: &Ask, material: &Material) -> String {
    match sample.plan_of(ask, material) {
        Ok(plan) => panic!("it is possible: {}", plan.title),
        Err(Refusal(words)) => words,
    }
}

/// A plan as a person reads it.
fn told(plan: &Plan) -> String {
    let mut text = format!("{} [{:?}]\n", plan.title, plan.danger);
    plan.preconditions.iter().for_each(|one| text += &format!("  + {}   {}\n", one.words, one.evidence));
    plan.consequences.iter().for_each(|line| text += &format!("  - {line}\n"));
    plan.questions.iter().for_each(|one| text += &format!("  ? {}: {}\n", one.name, one.words));
    plan.reads.iter().for_each(|read| text += &format!("  reads {read:?}\n"));
    plan.writes
        .iter()
        .for_each(|write| text += &format!("  {} {} {}\n  {}\n", write.method(), write.path, write.body, write.oc));
    text += &format!("  confirmed by {:?}; proved when {}\n", plan.confirm, plan.effect.words());
    if let Some(keepsake) = &plan.keepsake {
        text += &format!("  keeps {}\n", keepsake.name);
    }
    text
}

#[test]
fn the_plans() {
    let mut text = String::new();
    let mut add = |plan: Result<Plan, Refusal>| text += &(told(&plan.unwrap()) + "\n");
    add(sample(Idle).plan_of(&prep(), &Material::default()));
    add(sample(Prepared).plan_of(&ask(ActionId::IbuUpgrade), &Material::default()));
    add(upgraded().plan_of(&ask(ActionId::IbuRollback), &Material::default()));
    add(sample(Running).plan_of(&ask(ActionId::IbuIdle), &Material::default()));
    add(upgraded().plan_of(&ask(ActionId::IbuIdle), &material(vec![(PATH, object(Upgraded))])));
    add(sample(Stage::RolledBack).plan_of(&ask(ActionId::IbuIdle), &material(vec![(PATH, object(Stage::RolledBack))])));
    add(sample(AbortFailed).plan_of(&ask(ActionId::IbuManualCleanupDone), &Material::default()));
    add(sample(Blocked).plan_of(&ask(ActionId::IbuTriggerReconcile), &Material::default()));
    insta::assert_snapshot!(text);
}

#[test]
fn every_stage_is_one_patch_with_the_strict_lock() {
    let plans = [
        (sample(Idle).plan_of(&prep(), &Material::default()).unwrap(), "Prep"),
        (sample(Prepared).plan_of(&ask(ActionId::IbuUpgrade), &Material::default()).unwrap(), "Upgrade"),
        (upgraded().plan_of(&ask(ActionId::IbuRollback), &Material::default()).unwrap(), "Rollback"),
        (sample(Prepared).plan_of(&ask(ActionId::IbuIdle), &Material::default()).unwrap(), "Idle"),
    ];
    for (plan, stage) in plans {
        assert!(plan.strict_lock);
        let [write] = plan.writes.as_slice() else { panic!("{stage}: one request") };
        assert!(matches!(write.verb, Verb::Patch(_)));
        assert_eq!(write.body["metadata"], json!({"uid": "uid-ibu", "resourceVersion": "70"}));
        assert_eq!(write.body["spec"]["stage"], stage);
        assert!(write.stored.contains(&("/spec/stage".to_owned(), json!(stage))));
        let begun = plan.effect.begins().unwrap();
        assert_eq!(
            begun,
            format!("begun: the lifecycle agent has taken up the stage {stage}"),
            "and not that it is over"
        );
    }
}

#[test]
fn only_what_the_agent_offers_can_be_asked_for() {
    let all = [ActionId::IbuUpgrade, ActionId::IbuRollback, ActionId::IbuIdle];
    for action in all {
        let words = refusal(&sample(Idle), &ask(action), &Material::default());
        assert!(words.contains("validNextStages offers Prep"), "{words}");
    }
    let words = refusal(&sample(AbortFailed), &ask(ActionId::IbuIdle), &Material::default());
    assert!(words.contains("offers nothing"), "{words}");
    let words = refusal(&sample(Blocked), &prep(), &Material::default());
    assert_eq!(words, "the lifecycle agent is blocked: IPC is not idle");
    let mut late = sample(Prepared);
    late.edit("ImageBasedUpgrade/upgrade", |object| object["metadata"]["generation"] = json!(6));
    let words = refusal(&late, &ask(ActionId::IbuUpgrade), &Material::default());
    assert_eq!(words, "the lifecycle agent has not caught up: it has looked at generation 5 of 6");
    let words = refusal(&Sample::idle(), &prep(), &Material::default());
    assert!(words.contains("imagebasedupgrades"), "{words}");
}

#[test]
fn a_seed_has_to_be_named_and_above_what_runs() {
    let words = refusal(&sample(Idle), &ask(ActionId::IbuPrep), &Material::default());
    assert_eq!(words, "preparing an image-based upgrade needs seed-image: pull spec of the seed image");
    let lower = ask(ActionId::IbuPrep).with("seed-image", "i").with("seed-version", "4.18.1");
    let words = refusal(&sample(Idle), &lower, &Material::default());
    assert_eq!(words, "4.18.1 is not above the present version 4.18.22, as the agent asks for");
}

#[test]
fn config_maps_are_read_before_anything_is_decided_and_have_to_exist() {
    let wanted = prep().with("oadp-content", "openshift-adp/oadp-cm");
    let first = sample(Idle).plan_of(&wanted, &Material::default()).unwrap();
    assert_eq!(first.reads, [Read::Object(CONTENT.to_owned())]);
    assert!(first.writes.is_empty(), "nothing is sent before it is read");
    let words = refusal(&sample(Idle), &wanted, &material(vec![(CONTENT, Value::Null)]));
    assert_eq!(words, "there is no ConfigMap oadp-cm in openshift-adp");
    let words = refusal(&sample(Idle), &prep().with("oadp-content", "oadp-cm"), &Material::default());
    assert_eq!(words, "oadp-cm is no NAMESPACE/NAME");
}

#[test]
fn volumes_that_nothing_brings_back_make_prep_dangerous() {
    let mut with_volume = sample(Idle);
    with_volume.put(json!({"apiVersion": "topolvm.io/v1", "kind": "LogicalVolume", "metadata": {"name": "pvc-1"}}));
    let wanted = prep().with("oadp-content", "openshift-adp/oadp-cm");
    let map = |text: &str| json!({"kind": "ConfigMap", "data": {"app.yaml": text}});
    let plan = |text: &str| with_volume.plan_of(&wanted, &material(vec![(CONTENT, map(text))])).unwrap();
    let bare = plan("kind: Backup\nspec: {includedNamespaces: [shop]}\n---\nkind: Restore\nspec: {backupName: app}\n");
    assert_eq!((bare.danger, bare.confirm.clone()), (Danger::H, Confirm::Type("4.19.3".to_owned())));
    with_volume.put(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pvc-1"}, "spec": {
        "persistentVolumeReclaimPolicy": "Delete", "capacity": {"storage": "5Gi"},
        "claimRef": {"namespace": "shop", "name": "data"}, "csi": {"driver": "topolvm.io"}}}));
    let map = |text: &str| json!({"kind": "ConfigMap", "data": {"app.yaml": text}});
    let plan = |text: &str| with_volume.plan_of(&wanted, &material(vec![(CONTENT, map(text))])).unwrap();
    let lost = plan("kind: Backup\nspec: {includedNamespaces: [shop]}\n");
    let told = "PersistentVolume pvc-1 would be lost: claim shop/data, 5Gi, reclaim policy Delete";
    assert!(lost.consequences.contains(&told.to_owned()), "{:#?}", lost.consequences);
    assert!(
        bare.consequences.iter().any(|line| line.contains("logicalvolumes.topolvm.io")),
        "{:#?}",
        bare.consequences
    );
    let whole = plan(
        "kind: Backup\nspec: {includedClusterScopedResources: [logicalvolumes.topolvm.io]}\n---\nkind: Restore\nspec: \
         {restorePVs: true, restoreStatus: {includedResources: [logicalvolumes]}}\n",
    );
    assert_eq!((whole.danger, whole.confirm.clone()), (Danger::L, Confirm::Button));
    let told = "PersistentVolume pvc-1 is to come back by a Restore: claim shop/data, 5Gi, reclaim policy Delete";
    assert!(whole.consequences.contains(&told.to_owned()), "{:#?}", whole.consequences);
}

#[test]
fn no_update_of_the_other_kind_is_begun_beside_it() {
    let start = Ask::new(ActionId::StartUpdate, Target::Version("4.18.25".to_owned()));
    let mut resting = sample(Idle);
    let words = "an image-based upgrade is under way (it is prepared): neither knows of the other; finish it or give it up first";
    for action in [start.clone(), ask(ActionId::StartUpdate).with("newest", "true")] {
        let why = resting.plan_of(&action, &Material::default()).err().map(|refusal| refusal.0).unwrap_or_default();
        assert!(!why.contains("image-based"), "{why}");
    }
    let mut offered = sample(Prepared);
    for one in [&mut resting, &mut offered] {
        one.edit("version", |version| {
            version["status"]["availableUpdates"] =
                json!([{"version": "4.18.25", "image": "quay.io/openshift-release-dev/ocp-release@sha256:25"}]);
        });
    }
    assert!(resting.plan_of(&start, &Material::default()).is_ok(), "{:?}", resting.answer(&start));
    assert_eq!(refusal(&offered, &start, &Material::default()), words);
    let force = Ask::new(ActionId::ForceUpdate, Target::Version("4.18.25".to_owned()));
    assert_eq!(refusal(&offered, &force, &Material::default()), words);
}

#[test]
fn what_is_not_backed_up_is_not_said_to_be() {
    let without = sample(Prepared).plan_of(&ask(ActionId::IbuUpgrade), &Material::default()).unwrap();
    let none = |line: &String| line.contains("NO application data is carried over");
    assert!(without.consequences.iter().any(none), "{:#?}", without.consequences);
    let mut with = sample(Prepared);
    with.edit("ImageBasedUpgrade/upgrade", |object| {
        object["spec"]["oadpContent"] = json!([{"namespace": "openshift-adp", "name": "oadp-cm"}]);
    });
    let maps = material(vec![(CONTENT, json!({"kind": "ConfigMap", "data": {}}))]);
    let with = with.plan_of(&ask(ActionId::IbuUpgrade), &maps).unwrap();
    let told = "before it application data is backed up, as openshift-adp/oadp-cm say";
    assert!(with.consequences.iter().any(|line| line == told) && !with.consequences.iter().any(none));
}

#[test]
fn a_config_map_that_could_not_be_read_is_not_said_to_exist() {
    let wanted = prep().with("oadp-content", "openshift-adp/oadp-cm");
    let unread = Material {
        answers: vec![(Read::Object(CONTENT.to_owned()), Err("not allowed".to_owned()))],
        ..Material::default()
    };
    let plan = sample(Idle).plan_of(&wanted, &unread).unwrap();
    assert!(!plan.preconditions.iter().any(|one| one.words.contains("exists")), "{:#?}", plan.preconditions);
    let told = "openshift-adp/oadp-cm could not be read: not allowed";
    assert!(plan.consequences.contains(&told.to_owned()), "{:#?}", plan.consequences);
}

#[test]
fn what_failed_by_itself_is_cleaned_up_as_gravely_as_the_menu_says() {
    let mut back = sample(Prepared);
    back.edit("ImageBasedUpgrade/upgrade", |object| {
        object["spec"]["stage"] = json!("Upgrade");
        object["status"]["validNextStages"] = json!(["Idle"]);
        let failed = [
            condition("UpgradeInProgress", "False", "Failed", "Rollback due to restore failure: x"),
            condition("UpgradeCompleted", "False", "Failed", "Upgrade failed"),
        ];
        object["status"]["conditions"].as_array_mut().unwrap().extend(failed);
    });
    let given_up = material(vec![(PATH, json!({}))]);
    let plan = back.plan_of(&ask(ActionId::IbuIdle), &given_up).unwrap();
    assert_eq!((plan.danger, plan.confirm.clone()), (Danger::H, Confirm::Type("clean-up".to_owned())));
    let assessment = back.assessment();
    let offered = (ActionId::IbuIdle.entry().offered)(&assessment, &back.session, &Target::Cluster).unwrap();
    assert_eq!((offered.danger, offered.title), (plan.danger, plan.title));
}

#[test]
fn what_an_earlier_configuration_left_is_taken_away_or_kept_as_it_was() {
    let mut again = sample(Idle);
    again.edit("ImageBasedUpgrade/upgrade", |object| {
        object["spec"] = json!({"stage": "Idle", "extraManifests": [{"namespace": "a", "name": "b"}],
            "seedImageRef": {"version": "4.19.0", "image": "old", "pullSecretRef": {"name": "s"}}});
    });
    let maps = material(vec![("/api/v1/namespaces/a/configmaps/b", json!({"kind": "ConfigMap"}))]);
    let kept = again.plan_of(&prep(), &maps).unwrap();
    assert_eq!(
        kept.writes[0].body["spec"],
        json!({"stage": "Prep", "oadpContent": [], "extraManifests": [{"namespace": "a", "name": "b"}],
               "seedImageRef": {"version": "4.19.3", "image": "registry/seed:4.19.3", "pullSecretRef": {"name": "s"}}})
    );
    let taken = prep().with("extra-manifest", "none").with("pull-secret", "none").with("watchdog", "3600");
    let taken = again.plan_of(&taken, &Material::default()).unwrap();
    assert_eq!(
        taken.writes[0].body["spec"],
        json!({"stage": "Prep", "oadpContent": [], "extraManifests": [],
               "autoRollbackOnFailure": {"initMonitorTimeoutSeconds": 3600},
               "seedImageRef": {"version": "4.19.3", "image": "registry/seed:4.19.3", "pullSecretRef": null}})
    );
}

#[test]
fn a_finalize_keeps_what_goes_and_asks_for_a_word() {
    let finalize = ask(ActionId::IbuIdle);
    let first = upgraded().plan_of(&finalize, &Material::default()).unwrap();
    assert_eq!(first.reads, [Read::Object(PATH.to_owned())], "the whole object, and not what a lens keeps of it");
    let mut raw = object(Upgraded);
    raw["status"]["history"] = json!([{"stage": "Prep", "unknown": "field"}]);
    let plan = upgraded().plan_of(&finalize, &material(vec![(PATH, raw)])).unwrap();
    assert_eq!((plan.danger, plan.confirm.clone()), (Danger::H, Confirm::Type("finalize".to_owned())));
    let kept: Value = serde_json::from_str(&plan.keepsake.unwrap().text).unwrap();
    assert_eq!(kept["status"]["history"][0]["unknown"], "field");
    assert_eq!(kept["status"]["conditions"].as_array().unwrap().len(), 5);
    let unread = Material {
        answers: vec![(Read::Object(PATH.to_owned()), Err("not allowed".to_owned()))],
        ..Material::default()
    };
    let words = refusal(&upgraded(), &finalize, &unread);
    assert_eq!(words, "its history cannot be saved first: not allowed");
    let abort = sample(Prepared).plan_of(&finalize, &Material::default()).unwrap();
    assert_eq!((abort.danger, abort.keepsake), (Danger::M, None));
}

#[test]
fn a_repeated_cleanup_is_proved_by_the_agent_taking_the_annotation() {
    let mut sample = sample(AbortFailed);
    let plan = sample.plan_of(&ask(ActionId::IbuManualCleanupDone), &Material::default()).unwrap();
    let key = "lca.openshift.io/manual-cleanup-done";
    assert_eq!(
        plan.writes[0].body,
        json!({"metadata": {"uid": "uid-ibu", "resourceVersion": "70", "annotations": {key: ""}}})
    );
    assert!(matches!(plan.effect, Effect::ImageAnnotationTaken { .. }));
    assert!(!plan.effect.holds(&sample.assessment()), "nothing has happened yet");
    sample.edit("ImageBasedUpgrade/upgrade", |object| {
        object["metadata"]["resourceVersion"] = json!("71");
        object["metadata"]["annotations"] = json!({key: ""});
    });
    assert!(!plan.effect.holds(&sample.assessment()), "the agent has not seen it");
    let words = refusal(&sample, &ask(ActionId::IbuManualCleanupDone), &Material::default());
    assert!(words.contains("is set already"), "{words}");
    sample.edit("ImageBasedUpgrade/upgrade", |object| {
        object["metadata"] = json!({"name": "upgrade", "uid": "uid-ibu", "resourceVersion": "72", "generation": 5});
    });
    assert!(plan.effect.holds(&sample.assessment()));
}

/// The sentence of the definition's rule comes through word for word.
#[tokio::test]
async fn what_the_server_refuses_is_told_in_its_own_words() {
    let sentence =
        "the stage transition is not permitted. Please refer to status.validNextStages for valid transitions.";
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422,
        "message": format!("ImageBasedUpgrade.lca.openshift.io \"upgrade\" is invalid: <nil>: Invalid value: {sentence}")});
    let plan = sample(Prepared).plan_of(&ask(ActionId::IbuUpgrade), &Material::default()).unwrap();
    let script = Script::of([reply(422, status)]);
    let (recorder, task) = Recorder::start(Some(scratch("image-based").join("audit.jsonl")));
    let outcome = execute(&script, order(plan.clone()), &recorder, calm(&plan)).await;
    task.close(&recorder).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains(sentence), "{words}");
}

/// A stage is never sent on an object that has changed since it was read.
#[tokio::test]
async fn an_object_that_moved_is_asked_about_again() {
    let plan = sample(Prepared).plan_of(&ask(ActionId::IbuUpgrade), &Material::default()).unwrap();
    let mut moved = object(Prepared);
    moved["metadata"]["resourceVersion"] = json!("71");
    let conflict =
        json!({"kind": "Status", "reason": "Conflict", "code": 409, "message": "the object has been modified"});
    let script = Script::of([reply(409, conflict), reply(200, moved)]);
    let planned = plan.clone();
    let again = move |_: &Target, _: &Material| Ok(planned.clone());
    let (recorder, task) = Recorder::start(Some(scratch("image-based").join("audit.jsonl")));
    let outcome = execute(&script, order(plan.clone()), &recorder, again).await;
    task.close(&recorder).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert_eq!(script.sent().len(), 2, "it is never sent again by itself");
}

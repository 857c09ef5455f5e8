//! The stage machine moment by moment, and what the reboot does to what is known.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::auto_rollback::SwitchEffect;
use super::health_checks::Health;
use super::pivot_outage::Sureness;
use super::stage_machine::{Move, Stage, State};
use super::{ImageBased, Record};
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::{Assessment, StepState, VerdictKind};
use crate::upgrade::facts::Facts;
use crate::upgrade::link::LinkState;
use crate::upgrade::memory::Memory;
use crate::upgrade::specimen::{OLD, Specimen, at, condition, stamp};

const SEED: &str = "4.19.3";

fn c(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    condition(kind, status, reason, message, 10)
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn ibu(stage: &str, conditions: Vec<Value>, valid: &[&str]) -> Value {
    json!({
        "apiVersion": "lca.openshift.io/v1", "kind": "ImageBasedUpgrade",
        "metadata": {"name": "upgrade", "uid": "i1", "generation": 2},
        "spec": {"stage": stage, "seedImageRef": {"version": SEED, "image": "registry/seed:4.19.3"}},
        "status": {"observedGeneration": 2, "conditions": conditions, "validNextStages": valid},
    })
}

/// The history of an upgrade whose node left at minute 20, and was back at `back` if it was.
fn left(mut object: Value, back: Option<i64>) -> Value {
    let mut phases = vec![json!({"phase": "PrePivot", "startTime": stamp(19), "completionTime": stamp(20)})];
    phases.extend(back.map(|back| json!({"phase": "PostPivot", "startTime": stamp(back)})));
    object["status"]["history"] = json!([
        {"stage": "Prep", "startTime": stamp(10), "completionTime": stamp(12), "phases": []},
        {"stage": "Upgrade", "startTime": stamp(19), "phases": phases},
    ]);
    object
}

fn single(object: Value) -> Specimen {
    let mut cluster = Specimen::idle();
    cluster.nodes.truncate(1);
    cluster.pools.truncate(1);
    cluster.around = vec![object];
    cluster
}

fn image(cluster: &Specimen, minute: i64) -> Arc<ImageBased> {
    cluster.assess(minute).image_based.unwrap()
}

fn prepared() -> Vec<Value> {
    vec![
        c("Idle", "False", "InProgress", "In progress"),
        c("PrepInProgress", "False", "Completed", "Prep completed"),
        c("PrepCompleted", "True", "Completed", "Prep stage completed successfully"),
    ]
}

fn with(more: Vec<Value>) -> Vec<Value> {
    prepared().into_iter().chain(more).collect()
}

fn running(stage: &str) -> Value {
    c(&format!("{stage}InProgress"), "True", "InProgress", "In progress")
}

fn failed(stage: &str, cause: &str) -> Vec<Value> {
    let name = format!("{stage} failed");
    vec![
        c(&format!("{stage}Completed"), "False", "Failed", &name),
        c(&format!("{stage}InProgress"), "False", "Failed", cause),
    ]
}

fn ended(stage: &str) -> Vec<Value> {
    vec![
        c(&format!("{stage}InProgress"), "False", "Completed", "done"),
        c(&format!("{stage}Completed"), "True", "Completed", "done"),
    ]
}

#[test]
fn each_moment_is_read_as_what_it_is() {
    let mut aborting = with(vec![running("Upgrade")]);
    aborting[0] = c("Idle", "False", "Aborting", "Cleaning up");
    let mut finalizing = with(ended("Upgrade"));
    finalizing[0] = c("Idle", "False", "Finalizing", "Waiting for system to stabilize");
    let mut abort_failed = prepared();
    abort_failed[0] = c("Idle", "False", "AbortFailed", "failed to delete backups");
    let mut finalize_failed = with(ended("Upgrade"));
    finalize_failed[0] = c("Idle", "False", "FinalizeFailed", "failed to delete backups");
    let requested = [failed("Upgrade", "Rollback requested"), vec![running("Rollback")]].concat();
    let rolled = [failed("Upgrade", "Rollback requested"), ended("Rollback")].concat();
    let dead = [failed("Upgrade", "Rollback requested"), failed("Rollback", "no default deployment")].concat();
    let table: Vec<(Value, State, &[Move], &str)> = vec![
        (ibu("Idle", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]), State::Idle, &[Move::Prep], "Idle"),
        (
            ibu("Prep", vec![c("Idle", "False", "InProgress", "x"), running("Prep")], &["Idle"]),
            State::Preparing,
            &[Move::Abort],
            "In progress",
        ),
        (
            ibu("Prep", [vec![c("Idle", "False", "InProgress", "x")], failed("Prep", "no space")].concat(), &["Idle"]),
            State::PrepFailed,
            &[Move::Abort],
            "no space",
        ),
        (
            ibu("Prep", prepared(), &["Idle", "Upgrade"]),
            State::Prepared,
            &[Move::Upgrade, Move::Abort],
            "Prep stage completed successfully",
        ),
        (ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), State::BeforePivot, &[Move::Abort], "In progress"),
        (
            left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(30)),
            State::AfterPivot,
            &[Move::Rollback],
            "In progress",
        ),
        (
            ibu("Upgrade", with(failed("Upgrade", "backup failed")), &["Idle"]),
            State::UpgradeFailed,
            &[Move::Abort],
            "backup failed",
        ),
        (
            left(ibu("Upgrade", with(failed("Upgrade", "restore failure")), &["Rollback"]), Some(30)),
            State::UpgradeFailed,
            &[Move::Rollback],
            "restore failure",
        ),
        (
            left(
                ibu(
                    "Upgrade",
                    with(failed("Upgrade", "Rollback due to LCA Init Monitor timeout, after 30m0s")),
                    &["Idle"],
                ),
                None,
            ),
            State::RolledBackByItself,
            &[Move::Abort],
            "Rollback due to LCA Init Monitor timeout, after 30m0s",
        ),
        (
            left(ibu("Upgrade", with(failed("Upgrade", "a cause of another release")), &["Idle"]), None),
            State::RolledBackByItself,
            &[Move::Abort],
            "a cause of another release",
        ),
        (
            left(ibu("Upgrade", with(ended("Upgrade")), &["Idle", "Rollback"]), Some(30)),
            State::Upgraded,
            &[Move::Rollback, Move::Finalize],
            "done",
        ),
        (left(ibu("Rollback", with(requested), &[]), Some(30)), State::RollingBack, &[], "In progress"),
        (ibu("Rollback", with(rolled), &["Idle"]), State::RolledBack, &[Move::Finalize], "done"),
        (ibu("Rollback", with(dead), &[]), State::RollbackFailed, &[], "no default deployment"),
        (ibu("Idle", aborting, &[]), State::Aborting, &[], "Cleaning up"),
        (ibu("Idle", abort_failed, &[]), State::AbortFailed, &[], "failed to delete backups"),
        (ibu("Idle", finalizing, &[]), State::Finalizing, &[], "Waiting for system to stabilize"),
        (ibu("Idle", finalize_failed, &[]), State::FinalizeFailed, &[], "failed to delete backups"),
        (ibu("", vec![], &["Idle"]), State::Unknown, &[Move::Abort], ""),
    ];
    for (object, state, moves, message) in table {
        let image = image(&single(object.clone()), 40);
        assert_eq!(image.state, state, "{object}");
        assert_eq!(image.moves, moves, "{state:?}");
        assert_eq!(image.message, message, "{state:?}");
    }
}

#[test]
fn nothing_offered_means_that_nothing_is_allowed() {
    let mut object = ibu("Prep", prepared(), &[]);
    object["status"].as_object_mut().unwrap().remove("validNextStages");
    assert_eq!(image(&single(object), 40).moves, []);
}

#[test]
fn a_request_that_the_agent_has_not_begun_is_no_rest() {
    let mut object = ibu("Prep", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]);
    object["metadata"]["generation"] = json!(3);
    let assessment = single(object.clone()).assess(40);
    let image = assessment.image_based.as_deref().unwrap();
    assert_eq!((image.asked(), image.behind, image.under_way()), (Some(Stage::Prep), Some((3, 2)), true));
    assert_eq!(image.moves, [], "what is asked for already is no move");
    assert_eq!(assessment.verdict.kind, VerdictKind::ImageBased);
    object["status"]["conditions"] = json!([c("Idle", "False", "Blocked", "IPC is not idle")]);
    let blocked = single(object).assess(40);
    assert_eq!(blocked.image_based.as_ref().unwrap().banner.as_ref().unwrap().message, "IPC is not idle");
    assert_eq!(blocked.verdict.kind, VerdictKind::NeedsPerson);
}

#[test]
fn the_count_of_images_and_the_job_are_read_from_the_message() {
    let message = "Precache job in progress. job-name: lca-prep-precache, job-namespace: openshift-lifecycle-agent. total: 136 (pulled: 2, failed: 1)";
    let object = ibu(
        "Prep",
        vec![c("Idle", "False", "InProgress", "x"), c("PrepInProgress", "True", "InProgress", message)],
        &["Idle"],
    );
    let assessment = single(object).assess(40);
    let image = assessment.image_based.as_deref().unwrap();
    let count = image.precache.unwrap();
    assert_eq!((count.total, count.pulled, count.failed), (136, 2, 1));
    assert_eq!(image.job, Some(("openshift-lifecycle-agent".to_owned(), "lca-prep-precache".to_owned())));
    let prep = &assessment.rail[1];
    assert_eq!((prep.name, prep.state, prep.detail.as_str()), ("prep", StepState::Active, "2/136"));
    assert_eq!(assessment.headline(), "preparing");
}

#[test]
fn the_reboot_is_what_lies_between_two_phases() {
    let image = image(&single(left(ibu("Upgrade", with(ended("Upgrade")), &["Idle", "Rollback"]), Some(30))), 40);
    let run = image.run(Stage::Upgrade).unwrap();
    let names: Vec<&str> = run.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["PrePivot", "reboot", "PostPivot"]);
    assert_eq!(run.phase("reboot").unwrap().took(), Some(TimeDelta::minutes(10)));
}

#[test]
fn the_watchdogs_deadline_is_a_range() {
    let mut object = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(30));
    let watchdog = image(&single(object.clone()), 40).watchdog.clone().unwrap();
    assert_eq!((watchdog.from, watchdog.to), (Some(at(50)), Some(at(60))), "1800 s when none is given");
    object["spec"]["autoRollbackOnFailure"] = json!({"initMonitorTimeoutSeconds": 600});
    let watchdog = image(&single(object), 40).watchdog.clone().unwrap();
    assert_eq!((watchdog.from, watchdog.to), (Some(at(30)), Some(at(40))));
    let gone = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), None);
    assert_eq!(image(&single(gone), 21).watchdog.as_ref().unwrap().to, None, "the boot is not known yet");
    let over = left(ibu("Upgrade", with(ended("Upgrade")), &["Idle", "Rollback"]), Some(30));
    assert_eq!(image(&single(over), 40).watchdog, None);
}

#[test]
fn a_switch_counts_as_long_as_it_can() {
    let key = crate::api::ibu_key::ROLLBACK_WATCHDOG;
    let effects = |object: Value| -> Vec<(bool, SwitchEffect)> {
        image(&single(object), 40).switches.iter().map(|switch| (switch.off, switch.effect)).collect()
    };
    let mut idle = ibu("Idle", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]);
    idle["metadata"]["annotations"] = json!({key: "Disabled"});
    assert_eq!(
        effects(idle),
        [(false, SwitchEffect::NextPrep), (false, SwitchEffect::NextPrep), (true, SwitchEffect::NextPrep)]
    );
    let fixed = [(false, SwitchEffect::FixedAtPrep), (false, SwitchEffect::Live), (false, SwitchEffect::FixedAtPrep)];
    assert_eq!(effects(ibu("Prep", prepared(), &["Idle", "Upgrade"])), fixed);
    let over = effects(ibu("Upgrade", with(ended("Upgrade")), &["Idle", "Rollback"]));
    assert!(over.iter().all(|(_, effect)| *effect == SwitchEffect::Over));
}

#[test]
fn what_was_not_read_is_unknown_and_a_denied_request_holds_everything_up() {
    let mut cluster = single(ibu("Idle", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]));
    let of = |cluster: &Specimen, name: &str| {
        image(cluster, 40)
            .health
            .iter()
            .find(|row| row.name == name)
            .map(|row| (row.health, row.words.clone()))
            .unwrap()
    };
    assert_eq!(of(&cluster, "cluster operators").0, Health::Well);
    assert_eq!(of(&cluster, "certificate requests").0, Health::Unknown);
    assert_eq!(of(&cluster, "node").0, Health::Waits, "it lacks roles");
    cluster.around.push(json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": {"name": "csr-1"}, "status": {"conditions": [{"type": "Denied", "status": "True"}]}}));
    assert_eq!(of(&cluster, "certificate requests"), (Health::Waits, "csr-1 denied (delete it)".to_owned()));
    cluster.operators[0]["status"]["conditions"][1] = condition("Progressing", "True", "", "", 5);
    assert_eq!(of(&cluster, "cluster operators"), (Health::Waits, "etcd progressing".to_owned()));
    cluster.around.push(json!({"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
        "metadata": {"name": "lifecycle-agent.v4.19", "namespace": "x"}, "status": {"phase": "Installing"}}));
    assert_eq!(of(&cluster, "operators by OLM").0, Health::Well, "the agent leaves itself out");
}

/// The facts of a cluster whose API server does not answer since a minute.
fn silent(cluster: &Specimen, minute: i64, since: i64) -> Facts {
    let mut facts = cluster.facts(minute);
    facts.link.state = LinkState::Stale { since: at(since) };
    facts
}

#[test]
fn a_silence_is_expected_as_far_as_the_stage_makes_it_so() {
    let outage = |object: Value| {
        let memory = Memory::default();
        let assessment = assess(Arc::new(silent(&single(object), 25, 21)), &memory, at(25));
        let outage = assessment.image_based.as_ref().unwrap().outage.clone();
        (outage, assessment)
    };
    let (certain, assessment) = outage(left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), None));
    let certain = certain.unwrap();
    assert_eq!((certain.sure, certain.began), (Sureness::Certain, Some(at(20))));
    assert_eq!(certain.usually_back(), Some((at(27), at(36))));
    assert_eq!(certain.rolls_back, Some(at(50)));
    assert_eq!(assessment.facts.link.expected_outage.as_deref(), Some("the node reboots into 4.19.3"));
    assert_eq!(assessment.headline(), "rebooting");

    let (likely, _) = outage(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]));
    assert_eq!(likely.unwrap().sure, Sureness::Likely, "that PrePivot ended was not seen");

    let (possible, assessment) = outage(left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(30)));
    assert_eq!(possible.unwrap().sure, Sureness::Possible);
    assert_eq!(assessment.facts.link.expected_outage, None, "nothing says that it rolls back");

    let (none, assessment) = outage(ibu("Prep", prepared(), &["Idle", "Upgrade"]));
    assert_eq!((none, assessment.facts.link.expected_outage.clone()), (None, None));
}

/// What a cluster looks like from minute to minute, with one memory.
struct Watched {
    memory: Memory,
    last: Option<Arc<Assessment>>,
}

impl Watched {
    fn sees(&mut self, facts: Facts, minute: i64) -> Arc<Assessment> {
        let assessment = Arc::new(assess(Arc::new(facts), &self.memory, at(minute)));
        self.memory.observe(&assessment);
        self.last = Some(Arc::clone(&assessment));
        assessment
    }
}

/// A cluster that was watched until its node left for the new system.
fn gone() -> (Watched, Specimen) {
    let mut watched = Watched { memory: Memory::default(), last: None };
    let cluster = single(left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), None));
    watched.sees(single(ibu("Prep", prepared(), &["Idle", "Upgrade"])).facts(15), 15);
    watched.sees(cluster.facts(20), 20);
    watched.sees(silent(&cluster, 22, 21), 22);
    (watched, cluster)
}

/// The new system as it first answers: the seed's ClusterVersion with our id, and what the agent has of its record.
fn back(object: Option<Value>) -> Specimen {
    let mut cluster = single(json!({}));
    cluster.epoch = 2;
    cluster.version["status"]["desired"]["version"] = json!(SEED);
    cluster.around = object.into_iter().collect();
    cluster
}

#[test]
fn after_the_reboot_nothing_is_finished_before_the_agents_record_is_back() {
    let (mut watched, _) = gone();
    let nothing = watched.sees(Facts { epoch: 2, ..Facts::nothing(at(29)) }, 29);
    assert_eq!(nothing.verdict.kind, VerdictKind::ImageBased);
    let seed = {
        let mut object = ibu("Idle", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]);
        object["spec"]["seedImageRef"] = json!({});
        object
    };
    let empty = ibu("Upgrade", vec![], &[]);
    for object in [None, Some(seed), Some(empty)] {
        let assessment = watched.sees(back(object.clone()).facts(30), 30);
        let image = assessment.image_based.as_deref().unwrap();
        assert_eq!(image.record, Record::Remembered { at: at(21) }, "{object:?}");
        assert_eq!((image.state, image.moves.as_slice()), (State::BeforePivot, &[][..]));
        assert_eq!(assessment.verdict.kind, VerdictKind::ImageBased);
        assert!(assessment.verdict.why.contains("not finished"), "{}", assessment.verdict.why);
    }
    let restored = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(31));
    let assessment = watched.sees(back(Some(restored)).facts(31), 31);
    let image = assessment.image_based.as_deref().unwrap();
    assert_eq!((image.record, image.state), (Record::Seen, State::AfterPivot));
    assert_eq!(image.from.as_deref(), Some(OLD), "what ran before is remembered");
}

#[test]
fn what_happened_before_the_reboot_is_kept_when_it_is_the_same_cluster() {
    let (mut watched, _) = gone();
    let restored = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(31));
    let assessment = watched.sees(back(Some(restored.clone())).facts(31), 31);
    let texts: Vec<&str> = assessment.timeline.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("before the reboot")), "{texts:#?}");
    assert!(texts.iter().any(|text| text.contains("by its clusterID")), "{texts:#?}");
    let again = watched.sees(back(Some(restored)).facts(32), 32);
    let said = again.timeline.entries.iter().filter(|entry| entry.text.contains("by its clusterID")).count();
    assert_eq!(said, 1);
}

#[test]
fn another_cluster_inherits_nothing() {
    let (mut watched, _) = gone();
    let mut other = back(None);
    other.version["spec"]["clusterID"] = json!("c2");
    let waits = watched.sees(other.facts(30), 30);
    assert!(waits.image_based.is_some(), "the seed's own id stands there until the agent has set ours");
    let late = watched.sees(other.facts(100), 100);
    assert_eq!(late.image_based, None);
    assert!(!late.timeline.entries.iter().any(|entry| entry.text.contains("before the reboot")));

    let (mut watched, _) = gone();
    let mut facts = other.facts(30);
    facts.chosen = 1;
    let chosen = watched.sees(facts, 30);
    assert_eq!(chosen.image_based, None, "the person chose another context");
}

#[test]
fn a_memory_is_not_held_for_ever() {
    let (mut watched, _) = gone();
    let idle = ibu("Idle", vec![c("Idle", "True", "Idle", "Idle")], &["Prep"]);
    let mut seed = idle.clone();
    seed["spec"]["seedImageRef"] = json!({});
    assert_eq!(
        watched.sees(back(Some(seed.clone())).facts(60), 60).image_based.as_ref().unwrap().state,
        State::BeforePivot
    );
    let late = watched.sees(back(Some(seed)).facts(82), 82);
    assert_eq!(late.image_based.as_ref().unwrap().state, State::Idle, "an hour after it left");
    let (mut watched, _) = gone();
    let ours = watched.sees(back(Some(idle)).facts(45), 45);
    assert_eq!(ours.image_based.as_ref().unwrap().state, State::Idle, "it names our seed image: somebody finalized it");
}

#[test]
fn how_long_it_lasts_is_counted_from_where_it_began() {
    let after = image(&single(left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(30))), 40);
    assert_eq!(after.since, Some(at(30)), "the new system is watched since the agent is back in it, not since Upgrade");
    let gone = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), None);
    let assessment = assess(Arc::new(silent(&single(gone), 25, 21)), &Memory::default(), at(25));
    let image = assessment.image_based.as_deref().unwrap();
    assert_eq!((image.headline(), image.since), ("rebooting", Some(at(20))));
    assert!(assessment.verdict.why.starts_with("the node reboots into"), "{}", assessment.verdict.why);
}

#[test]
fn a_restore_that_failed_makes_a_rollback_likely() {
    let restore = json!({"apiVersion": "velero.io/v1", "kind": "Restore",
        "metadata": {"name": "apps", "namespace": "openshift-adp"}, "status": {"phase": "PartiallyFailed"}});
    let sure = |switched_off: bool| {
        let mut object = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Rollback"]), Some(30));
        if switched_off {
            object["metadata"]["annotations"] = json!({crate::api::ibu_key::ROLLBACK_COMPLETION: "Disabled"});
        }
        let mut cluster = single(object);
        cluster.around.push(restore.clone());
        image(&cluster, 40).outage.as_ref().unwrap().sure
    };
    assert_eq!((sure(false), sure(true)), (Sureness::Likely, Sureness::Possible));
}

#[test]
fn a_change_of_addresses_that_waits_for_this_upgrade_does_not_block_it() {
    let busy = |reason: &str| {
        let mut cluster = single(ibu("Prep", prepared(), &["Idle", "Upgrade"]));
        cluster.around.push(json!({"apiVersion": "lca.openshift.io/v1", "kind": "IPConfig",
            "metadata": {"name": "ipconfig"}, "status": {"conditions": [c("Idle", "False", reason, "x")]}}));
        image(&cluster, 40).ip_config_busy.clone()
    };
    assert_eq!(busy("Blocked"), None, "it is the one that is blocked");
    assert_eq!(busy("InProgress").as_deref(), Some("InProgress: x"));
}

#[test]
fn a_stage_has_ended_when_nothing_goes_on_by_itself() {
    let over = |object: Value| image(&single(object), 40).ended();
    assert!(over(ibu("Prep", prepared(), &["Idle", "Upgrade"])));
    assert!(over(left(ibu("Upgrade", with(ended("Upgrade")), &["Idle", "Rollback"]), Some(30))));
    assert!(over(ibu("Upgrade", with(failed("Upgrade", "backup failed")), &["Idle"])));
    assert!(
        !over(left(ibu("Upgrade", with(failed("Upgrade", "restore failed")), &["Rollback"]), Some(30))),
        "it may go back"
    );
    assert!(!over(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"])));
    let mut late = ibu("Upgrade", prepared(), &["Idle", "Upgrade"]);
    late["metadata"]["generation"] = json!(9);
    assert!(!over(late), "Upgrade was asked for and not looked at");
}

#[test]
fn backups_that_may_not_be_read_are_not_none() {
    let cluster = single(ibu("Prep", prepared(), &["Idle", "Upgrade"]));
    let mut facts = cluster.facts(40);
    facts.kinds.remove(&crate::upgrade::facts::Kind::Restores);
    let assessment = assess(Arc::new(facts), &Memory::default(), at(40));
    let image = assessment.image_based.as_deref().unwrap();
    assert!(image.oadp_unread.iter().any(|line| line == "restores were not read yet"), "{:?}", image.oadp_unread);
    assert_eq!(assessment.estimates.whole, None, "no update would take any time beside it");
}

#[test]
fn a_server_that_is_back_and_takes_no_credentials_is_not_rebooting_any_more() {
    let object = left(ibu("Upgrade", with(vec![running("Upgrade")]), &["Idle"]), None);
    let mut facts = silent(&single(object), 35, 21);
    facts.link.trouble = Some(crate::upgrade::link::Trouble {
        kind: crate::upgrade::link::TroubleKind::Unauthorized,
        words: "the server does not accept the credentials (401)".to_owned(),
        hint: String::new(),
        since: at(32),
    });
    let assessment = assess(Arc::new(facts), &Memory::default(), at(35));
    let image = assessment.image_based.as_deref().unwrap();
    assert_eq!((image.headline(), image.since), ("back, log in again", None));
    assert_eq!(assessment.verdict.kind, VerdictKind::NeedsPerson);
    assert!(assessment.verdict.why.contains("does not take the credentials"), "{}", assessment.verdict.why);
}

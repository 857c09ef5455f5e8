//! The rail of an update that is asked for, accepted, replaced, held up, and verified.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use crate::upgrade::assessment::{Assessment, Step, StepState};
use crate::upgrade::specimen::{NEW, Specimen, condition};

/// `+ preflight | ~ accepted retrieve`: as far as anything is to be said.
fn told(assessment: &Assessment) -> String {
    let sign = |state| match state {
        StepState::Todo => "o",
        StepState::Active => "~",
        StepState::Trouble => "x",
        StepState::Done => "+",
    };
    let steps = assessment.rail.iter().map(|step| format!("{} {} {}", sign(step.state), step.name, step.detail));
    steps.map(|step| step.trim_end().to_owned()).collect::<Vec<_>>().join(" | ")
}

fn step<'a>(assessment: &'a Assessment, name: &str) -> &'a Step {
    assessment.rail.iter().find(|step| step.name == name).unwrap()
}

/// Asked for, and `ReleaseAccepted` says so much.
fn asked(status: &str, reason: &str, message: &str) -> Assessment {
    let mut cluster = Specimen::idle();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
    cluster.says("ReleaseAccepted", status, reason, message, -1);
    cluster.assess(0)
}

#[test]
fn at_rest_nobody_asks() {
    let rest = Specimen::idle().assess(0);
    assert!(told(&rest).starts_with("o preflight | o requested | o accepted | o operators"), "{}", told(&rest));
    let waits = &step(&rest, "requested").waits;
    assert!(waits[0].contains("on offer"), "{waits:?}");
}

#[test]
fn acceptance_names_its_part_and_what_the_operator_says() {
    for (reason, part) in [
        ("RetrievePayload", "retrieve"),
        ("LoadPayload", "load"),
        ("VerifyPayloadVersion", "verify"),
        ("PreconditionChecks", "preconditions"),
    ] {
        let assessment = asked("Unknown", reason, "so it goes");
        let accepted = step(&assessment, "accepted");
        assert_eq!((accepted.state, accepted.detail.as_str()), (StepState::Active, part));
        assert_eq!(accepted.waits, ["so it goes"]);
        assert_eq!(accepted.evidence[0].field, "ReleaseAccepted");
        assert_eq!(step(&assessment, "requested").state, StepState::Done);
    }
    let refused = asked("False", "PreconditionChecks", "Preconditions failed: a gate");
    let accepted = step(&refused, "accepted");
    assert_eq!((accepted.state, accepted.since), (StepState::Trouble, Some(crate::upgrade::specimen::at(-1))));
}

#[test]
fn a_request_that_was_cleared_before_it_was_accepted_leaves_nothing() {
    let mut cluster = Specimen::idle();
    cluster.says("ReleaseAccepted", "True", "PayloadLoaded", "Payload loaded", -1);
    let cleared = cluster.assess(0);
    assert!(told(&cleared).starts_with("o preflight | o requested | o accepted"), "{}", told(&cleared));
}

#[test]
fn clearing_does_not_stop_an_update_that_has_begun() {
    let mut cluster = Specimen::updating();
    cluster.version["spec"]["desiredUpdate"] = json!(null);
    let going = cluster.assess(5);
    assert!(told(&going).starts_with("+ preflight | + requested | + accepted | ~ operators"), "{}", told(&going));
}

#[test]
fn a_replaced_target_is_told_with_the_one_that_was_never_completed() {
    let mut cluster = Specimen::updating();
    let history = cluster.version["status"]["history"].as_array_mut().unwrap();
    let mut before = history[0].clone();
    before["version"] = json!("4.19.2");
    before["completionTime"] = before["startedTime"].clone();
    history.insert(1, before);
    let going = cluster.assess(5);
    let requested = step(&going, "requested");
    assert!(requested.evidence.iter().any(|fact| fact.value.starts_with("4.19.2, Partial")), "{requested:?}");
}

#[test]
fn another_request_during_an_update_is_told_beside_it() {
    let mut cluster = Specimen::updating();
    cluster.version["spec"]["desiredUpdate"] = json!({"version": "4.19.9"});
    cluster.says("ReleaseAccepted", "Unknown", "RetrievePayload", "Retrieving 4.19.9", 4);
    let going = cluster.assess(5);
    assert!(
        told(&going).starts_with("+ preflight | + requested | ~ accepted retrieve | ~ operators"),
        "{}",
        told(&going)
    );
    assert_eq!(step(&going, "requested").evidence[0].value, "4.19.9");
}

#[test]
fn a_paused_pool_and_a_blocked_drain_say_what_they_wait_for() {
    let mut cluster = Specimen::workers_left();
    cluster.pool("worker")["spec"]["paused"] = json!(true);
    let held = cluster.assess(62);
    let pools = step(&held, "pools");
    assert_eq!(pools.state, StepState::Trouble);
    assert!(pools.waits.iter().any(|line| line.contains("pool worker is paused")), "{pools:?}");
    assert_eq!(step(&held, "verify").state, StepState::Todo);
    assert!(step(&held, "verify").waits[0].contains("worker"));
}

#[test]
fn verified_is_what_has_been_quiet() {
    let quiet = Specimen::finished().assess(100);
    assert_eq!(step(&quiet, "verify").state, StepState::Done);
    assert!(step(&quiet, "verify").waits.is_empty());
    let mut cluster = Specimen::finished();
    let conditions = cluster.operator("etcd")["status"]["conditions"].as_array_mut().unwrap();
    conditions.retain(|known| known["type"] != "Progressing");
    conditions.push(condition("Progressing", "True", "NodeInstaller", "1 node is at an older revision", 92));
    let settling = cluster.assess(93);
    let verify = step(&settling, "verify");
    assert_eq!(verify.state, StepState::Active, "{}", told(&settling));
    assert!(verify.waits[0].contains("etcd is progressing"), "{verify:?}");
}

//! `oc-cockpit do` when something comes between its requests, or an answer gets lost: how it ends, what it says, its exit
//! code, and the audit log.

use std::process::Output;

use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::store::Store;
use serde_json::{Value, json};

use crate::image_journeys::PREP;
use crate::support::Home;
use crate::support::door::{Door, Fate};

/// What the program said to a person, with its exit code.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// Object, answer and effect of each attempt in the audit log, in their order.
fn audit(home: &Home) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["line"] == kind).cloned().collect::<Vec<_>>();
    let (attempts, outcomes) = (of("attempt"), of("outcome"));
    assert_eq!(attempts.len(), outcomes.len(), "{text}");
    let entry = |attempt: Value| {
        let end = outcomes.iter().find(|end| end["id"] == attempt["id"]).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&attempt["object"]), text(&end["answer"]), text(&end["effect"]))
    };
    attempts.into_iter().map(entry).collect()
}

/// Three nodes are cordoned, and something is done to the second one just before its request.
fn cordoning(strike: fn(&Store), answer: &str, part: &str) {
    let home = Home::new();
    let door = Door::open(&home, "minor", move |count, store| {
        if count == 2 {
            strike(store);
        }
        Fate::Answered
    });
    let output = door.carry_out(&home, &["cordon", "worker-1", "worker-2", "worker-3", "--yes", "-o", "json"]);
    let (code, text) = said(&output);
    assert_eq!(code, Some(1), "{text}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    let words = told["words"].as_str().unwrap();
    assert!(words.contains("1 of 3 done (node/worker-1), then node/worker-2"), "{words}");
    assert!(words.contains(part) && words.ends_with("; not sent: node/worker-3"), "{words}");
    assert_eq!((&told["result"], &told["exitCode"]), (&json!("failed"), &json!(1)), "{told}");
    let fates: Vec<&Value> = told["plan"]["writes"].as_array().unwrap().iter().map(|write| &write["fate"]).collect();
    assert_eq!(fates, ["accepted", "refused", "not-sent"], "{told}");
    let entry = |object: &str, answer: &str, effect: &str| (object.to_owned(), answer.to_owned(), effect.to_owned());
    let refused = audit(&home)[1].2.clone();
    assert_eq!(audit(&home), [entry("node/worker-1", "accepted", "seen"), entry("node/worker-2", answer, &refused)]);
    let store = door.simulation.store();
    let cordoned = |name: &str| store.get(Res::NODES, None, name).map(|node| node["spec"]["unschedulable"] == true);
    assert_eq!((cordoned("worker-1"), cordoned("worker-3")), (Some(true), Some(false)));
}

#[test]
fn a_second_object_that_somebody_has_changed_ends_it_with_what_was_done() {
    cordoning(
        |store| {
            assert!(store.update(Res::NODES, None, "worker-2", |node| node["spec"]["unschedulable"] = json!(true)));
        },
        "refused",
        "a precondition is new: node worker-2 is cordoned already and is left as it is",
    );
}

#[test]
fn a_second_object_that_is_gone_ends_it_with_what_was_done() {
    cordoning(|store| drop(store.delete(Res::NODES, None, "worker-2").expect("it is there")), "refused", "it is gone");
}

/// The answer to the only request gets lost.
fn unanswered(scenario: &str, words: &[&str], object: &str, shown: &str) {
    let home = Home::new();
    let door = Door::open(&home, scenario, |_, _| Fate::Unanswered);
    let (code, text) = said(&door.carry_out(&home, words));
    assert_eq!(code, Some(0), "{text}");
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("done ({shown}, seen in the watch")), "{text}");
    assert_eq!(audit(&home), [(object.to_owned(), "unknown".to_owned(), "seen".to_owned())], "{text}");
}

#[test]
fn a_lost_answer_is_done_when_the_watch_shows_it() {
    unanswered("minor", &["pause-pool", "worker", "--yes"], "mcp/worker", "pool worker shows as paused");
}

#[test]
fn a_stage_whose_answer_got_lost_is_done_when_the_agent_has_taken_it_up() {
    unanswered("ibu", &PREP[1..], "imagebasedupgrade/upgrade", "the lifecycle agent has taken up the stage Prep");
}

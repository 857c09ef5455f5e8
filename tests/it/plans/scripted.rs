//! What is sent, in which order, and what is not sent, whatever the server answers.

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{Danger, Material, Plan, Question, Refusal, Target};
use oc_cockpit::cluster::execute::{execute, rehearse};
use oc_cockpit::cluster::{ContentType, Method};
use oc_cockpit::recorder::Recorder;
use serde_json::{Value, json};

use super::script::{
    Script, calm, conflict, cordon, lines, node, on_conflict, order, pause, pool, reply, scratch, timeout,
};

async fn run(
    script: &Script,
    plan: Plan,
    replan: impl FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send,
) -> (Outcome, Vec<Value>) {
    let path = script.audit.clone().unwrap_or_else(|| scratch("scripted").join("audit.jsonl"));
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let outcome = execute(script, order(plan), &recorder, replan).await;
    task.close(&recorder).await;
    (outcome, lines(&path))
}

#[tokio::test]
async fn a_rehearsal_reads_fresh_objects_and_changes_nothing() {
    let script = Script::of([reply(200, pool("7", false)), reply(200, pool("7", true))]);
    let rehearsal = rehearse(&script, pause("1"), on_conflict(&pause("1"), |_, version| pause(version))).await.unwrap();
    assert!(rehearsal.ok() && !rehearsal.changed, "{rehearsal:?}");
    assert_eq!(
        rehearsal.plan.writes[0].resource_version.as_deref(),
        Some("7"),
        "the lock is on what was read just now"
    );
    let sent = script.sent();
    assert_eq!(script.log(), ["Get worker", "Patch worker 7"]);
    assert_eq!(sent[1].query, [("dryRun".into(), "All".into()), ("fieldManager".into(), "oc-cockpit".into())]);
    assert_eq!(sent[1].body.as_ref().unwrap().0, ContentType::MergePatch);
}

#[tokio::test]
async fn a_rehearsal_tells_what_the_server_would_refuse() {
    let no = reply(403, json!({ "message": "User \"viewer\" cannot patch resource \"machineconfigpools\"" }));
    let script = Script::of([reply(200, pool("1", false)), no]);
    let rehearsal = rehearse(&script, pause("1"), on_conflict(&pause("1"), |_, version| pause(version))).await.unwrap();
    assert!(!rehearsal.ok());
    assert!(
        rehearsal.steps[0]
            .words
            .contains("oc auth can-i patch machineconfigpools.machineconfiguration.openshift.io/worker"),
        "{:?}",
        rehearsal.steps
    );
}

#[tokio::test]
async fn a_rehearsal_marks_a_plan_that_means_something_else_by_now() {
    let script = Script::of([reply(200, pool("7", false)), reply(200, pool("7", true))]);
    let worse = |_: &Target, version: &str| Plan { consequences: vec!["3 nodes stay behind".into()], ..pause(version) };
    let rehearsal = rehearse(&script, pause("1"), on_conflict(&pause("1"), worse)).await.unwrap();
    assert!(rehearsal.changed);
    assert_eq!(rehearsal.plan.consequences, ["3 nodes stay behind"], "the fresh plan is the one to show");
}

#[tokio::test]
async fn a_rehearsal_looks_again_when_the_object_moves_under_it() {
    let script = Script::of([
        reply(200, pool("1", false)),
        conflict(),
        reply(200, pool("2", false)),
        reply(200, pool("2", true)),
    ]);
    let rehearsal = rehearse(&script, pause("1"), on_conflict(&pause("1"), |_, version| pause(version))).await.unwrap();
    assert!(rehearsal.ok());
    assert_eq!(script.log(), ["Get worker", "Patch worker 1", "Get worker", "Patch worker 2"]);
}

#[tokio::test]
async fn another_object_of_the_same_name_is_not_touched() {
    let mut other = pool("7", false);
    other["metadata"]["uid"] = json!("uid-of-another");
    let script = Script::of([reply(200, other)]);
    let Err(Refusal(words)) = rehearse(&script, pause("1"), calm(&pause("1"))).await else {
        panic!("it is another object")
    };
    assert_eq!(words, "mcp/worker is another object now: it was deleted and created again");
}

#[tokio::test]
async fn the_attempt_is_on_disk_before_the_request_is_sent() {
    let mut script = Script::of([reply(200, pool("2", true))]);
    script.audit = Some(scratch("before").join("audit.jsonl"));
    let (outcome, _) = run(&script, pause("1"), calm(&pause("1"))).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let when_sent = &script.audit_when_sent()[0];
    assert_eq!(when_sent.len(), 1);
    assert_eq!(when_sent[0]["line"], "attempt");
    assert_eq!(when_sent[0]["request"]["body"]["spec"], json!({ "paused": true }));
}

#[tokio::test]
async fn nothing_is_sent_when_the_attempt_cannot_be_recorded() {
    let mut script = Script::of([]);
    // A folder is no file to append to.
    script.audit = Some(scratch("unwritable"));
    let path = script.audit.take().unwrap();
    let (recorder, task) = Recorder::start(Some(path));
    let outcome = execute(&script, order(pause("1")), &recorder, calm(&pause("1"))).await;
    task.close(&recorder).await;
    let Outcome::Refused { words } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("cannot be written"), "{words}");
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn a_conflict_that_changes_nothing_of_the_meaning_is_sent_again_and_audited_again() {
    let script = Script::of([conflict(), reply(200, pool("2", false)), reply(200, pool("3", true))]);
    let (outcome, audit) = run(&script, pause("1"), on_conflict(&pause("1"), |_, version| pause(version))).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(script.log(), ["Patch worker 1", "Get worker", "Patch worker 2"]);
    let told: Vec<_> = audit.iter().map(|line| (line["line"].as_str().unwrap(), line["attempt"].as_u64())).collect();
    assert_eq!(told, [("attempt", Some(1)), ("outcome", None), ("attempt", Some(2)), ("outcome", None)]);
    assert_eq!(audit[1]["status"], 409);
}

#[tokio::test]
async fn a_conflict_that_changes_the_meaning_asks() {
    let script = Script::of([conflict(), reply(200, pool("2", false))]);
    let worse = |_: &Target, version: &str| Plan { danger: Danger::M, ..pause(version) };
    let (outcome, _) = run(&script, pause("1"), on_conflict(&pause("1"), worse)).await;
    let Outcome::Changed { plan, words, done, left } = outcome else { panic!("{outcome:?}") };
    assert_eq!((done.len(), left), (0, vec!["mcp/worker".to_owned()]));
    assert_eq!(plan.danger, Danger::M);
    assert_eq!(words, "the danger is M now, it was L");
    assert_eq!(script.log(), ["Patch worker 1", "Get worker"], "nothing more was sent");
}

#[tokio::test]
async fn a_conflict_after_which_the_action_is_pointless_says_so() {
    let script = Script::of([conflict(), reply(200, pool("2", true))]);
    let paused = |_: &Target, material: &Material| match material.fresh.as_slice() {
        [] => Ok(pause("1")),
        _ => Err(Refusal("pool worker is paused already, paused by oc".into())),
    };
    let (outcome, _) = run(&script, pause("1"), paused).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "pool worker is paused already, paused by oc");
}

#[tokio::test]
async fn a_strict_lock_is_never_sent_again() {
    let strict = |version: &str| Plan { strict_lock: true, ..pause(version) };
    let script = Script::of([conflict(), reply(200, pool("2", false))]);
    let (outcome, _) = run(&script, strict("1"), on_conflict(&strict("1"), move |_, version| strict(version))).await;
    let Outcome::Changed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "mcp/worker was modified since the plan was made");
    assert_eq!(script.log(), ["Patch worker 1", "Get worker"]);
}

#[tokio::test]
async fn an_object_that_never_rests_is_given_up_after_three_more_tries() {
    let endless = (1..=4).flat_map(|_| [conflict(), reply(200, pool("2", false))]);
    let script = Script::of(endless);
    let (outcome, audit) = run(&script, pause("1"), on_conflict(&pause("1"), |_, version| pause(version))).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "it was modified since it was read; it was sent 4 times");
    assert_eq!(audit.iter().filter(|line| line["line"] == "attempt").count(), 4);
}

#[tokio::test]
async fn a_bulk_plan_stops_at_the_first_refusal_and_says_what_was_done() {
    let script = Script::of([reply(200, node("a", "2", true)), reply(403, json!({ "message": "no" }))]);
    let (outcome, _) = run(&script, cordon(&["a", "b", "c"], "1"), calm(&cordon(&["a", "b", "c"], "1"))).await;
    let words = outcome.words(&Target::Nodes(vec!["a".into(), "b".into(), "c".into()]));
    assert_eq!(words, "1 of 3 done (node/a), then node/b: forbidden: no; not sent: node/c");
    assert_eq!(script.log(), ["Patch a 1", "Patch b 1"]);
}

#[tokio::test]
async fn a_conflict_within_a_bulk_plan_is_judged_by_what_is_left() {
    let script = Script::of([
        reply(200, node("a", "2", true)),
        conflict(),
        reply(200, node("b", "5", false)),
        reply(200, node("b", "6", true)),
        reply(200, node("c", "2", true)),
    ]);
    // What is left is planned again, so its consequences differ from those of the whole; that alone does not ask.
    let rest = |target: &Target, version: &str| {
        let Target::Nodes(left) = target else { panic!("{target:?}") };
        assert_eq!(left, &["b", "c"]);
        cordon(&["b", "c"], version)
    };
    let (outcome, _) =
        run(&script, cordon(&["a", "b", "c"], "1"), on_conflict(&cordon(&["a", "b", "c"], "1"), rest)).await;
    assert_eq!(outcome.done().len(), 3, "{outcome:?}");
    assert_eq!(script.log(), ["Patch a 1", "Patch b 1", "Get b", "Patch b 5", "Patch c 1"]);
}

#[tokio::test]
async fn a_field_that_the_server_dropped_is_an_error() {
    let mut pruned = pool("2", false);
    pruned["spec"] = json!({});
    let script = Script::of([reply(200, pruned)]);
    let (outcome, audit) = run(&script, pause("1"), calm(&pause("1"))).await;
    let Outcome::Failed { words, .. } = outcome else { panic!("{outcome:?}") };
    assert!(words.starts_with("the server accepted it and did not store it: spec.paused"), "{words}");
    assert_eq!(audit[1]["answer"], "refused");
}

#[tokio::test]
async fn a_missing_answer_is_neither_success_nor_failure() {
    for answer in [timeout(), reply(504, json!({ "message": "upstream timed out" }))] {
        let script = Script::of([answer, reply(200, node("a", "1", false))]);
        let (outcome, audit) = run(&script, cordon(&["a", "b"], "1"), calm(&cordon(&["a", "b"], "1"))).await;
        let Outcome::Unknown { object, left, words, .. } = &outcome else { panic!("{outcome:?}") };
        assert_eq!((object.as_str(), left.as_slice()), ("node/a", &["node/b".to_owned()][..]));
        assert_eq!(outcome.unproved().len(), 1, "the watch will tell");
        assert_eq!(audit[1]["answer"], "unknown");
        assert!(words.ends_with("; read again, it is as it was before: it was not applied so far"), "{words}");
        assert_eq!(audit[1]["words"].as_str(), Some(words.as_str()));
        let methods: Vec<Method> = script.sent().iter().map(|request| request.method).collect();
        assert_eq!(methods, [Method::Patch, Method::Get], "nothing is sent blindly again");
    }
}

#[tokio::test]
async fn what_became_impossible_since_the_rehearsal_is_not_sent() {
    let script = Script::of([]);
    let stale = |_: &Target, _: &Material| Err(Refusal("writes are off while the API server does not answer".into()));
    let (outcome, audit) = run(&script, pause("1"), stale).await;
    let Outcome::Refused { words } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "writes are off while the API server does not answer");
    assert!(script.sent().is_empty() && audit.is_empty());
}

#[tokio::test]
async fn what_became_more_dangerous_since_the_rehearsal_asks() {
    let script = Script::of([]);
    let worse = |_: &Target, _: &Material| Ok(Plan { danger: Danger::M, ..pause("1") });
    let (outcome, _) = run(&script, pause("1"), worse).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn a_question_without_an_answer_keeps_the_order_back() {
    let asks = |name: &str| Plan { questions: vec![Question::open(name, "Where?")], ..pause("1") };
    let script = Script::of([]);
    let (outcome, _) = run(&script, asks("etcd-backup"), calm(&asks("etcd-backup"))).await;
    let Outcome::Refused { words } = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "a question is not answered: Where?");
    let script = Script::of([reply(200, pool("2", true))]);
    let (outcome, _) = run(&script, asks("why"), calm(&asks("why"))).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

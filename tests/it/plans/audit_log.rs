//! The audit log: durable, private, two lines a write.

use std::os::unix::fs::PermissionsExt as _;

use chrono::{TimeZone as _, Utc};
use oc_cockpit::actions::audit::{Audit as _, Proof};
use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::cluster::execute::execute;
use oc_cockpit::recorder::Recorder;
use serde_json::Value;

use super::script::{Script, calm, lines, order, pause, pool, reply, scratch};

async fn accepted(recorder: &Recorder) -> Outcome {
    let script = Script::of([reply(200, pool("2", true))]);
    execute(&script, order(pause("1")), recorder, calm(&pause("1"))).await
}

#[tokio::test]
async fn a_write_is_two_lines_that_share_an_id() {
    let path = scratch("two-lines").join("state").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let outcome = accepted(&recorder).await;
    assert_eq!(lines(&path).len(), 1, "the outcome waits for the watch");
    let at = Utc.with_ymd_and_hms(2026, 11, 20, 3, 12, 44).unwrap();
    recorder.proved(&outcome.unproved(), Proof::Seen { at }).await;
    let entries = lines(&path);
    let [attempt, end] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(attempt["id"], end["id"]);
    for field in ["time", "user", "clusterId", "context", "action", "target", "object", "request", "oc", "dryRun"] {
        assert!(!attempt[field].is_null(), "{field} is missing: {attempt}");
    }
    assert_eq!(attempt["request"]["uri"].as_str().unwrap().split('?').nth(1), Some("fieldManager=oc-cockpit"));
    assert_eq!((&end["answer"], &end["effect"]), (&"accepted".into(), &"seen".into()));
    assert_eq!(end["resourceVersion"], "2");
    assert_eq!(end["at"], "2026-11-20T03:12:44Z");
    task.close(&recorder).await;
    assert_eq!(lines(&path).len(), 2, "an entry ends once");
}

#[tokio::test]
async fn an_effect_that_was_not_seen_says_until_when_it_was_waited_for() {
    let path = scratch("not-seen").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    let outcome = accepted(&recorder).await;
    let until = Utc.with_ymd_and_hms(2026, 11, 20, 3, 13, 0).unwrap();
    recorder.proved(&outcome.unproved(), Proof::NotSeen { until }).await;
    assert_eq!(lines(&path)[1]["effect"], "not-seen");
    assert_eq!(lines(&path)[1]["until"], "2026-11-20T03:13:00Z");
    task.close(&recorder).await;
}

#[tokio::test]
async fn closing_ends_what_is_open_and_refuses_what_comes_later() {
    let path = scratch("closing").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    accepted(&recorder).await;
    task.close(&recorder).await;
    assert_eq!(lines(&path)[1]["effect"], "abandoned");
    let Outcome::Refused { words } = accepted(&recorder).await else { panic!("the log is closed") };
    assert_eq!(words, "the audit log was closed");
}

#[tokio::test]
async fn the_log_belongs_to_the_user_alone_and_grows() {
    let path = scratch("private").join("audit.jsonl");
    std::fs::write(&path, "{\"line\":\"older\"}\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (recorder, task) = Recorder::start(Some(path.clone()));
    accepted(&recorder).await;
    task.close(&recorder).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(lines(&path).len(), 3);
    assert_eq!(lines(&path)[0]["line"], "older");
}

#[tokio::test]
async fn a_log_that_was_moved_away_is_begun_anew() {
    let folder = scratch("rotated");
    let path = folder.join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    accepted(&recorder).await;
    std::fs::rename(&path, folder.join("audit.jsonl.1")).unwrap();
    accepted(&recorder).await;
    task.close(&recorder).await;
    let attempts = lines(&path).iter().filter(|line| line["line"] == "attempt").count();
    assert_eq!(attempts, 1, "the second attempt is in the new file");
}

#[tokio::test]
async fn a_line_that_was_cut_off_swallows_no_other() {
    let path = scratch("torn").join("audit.jsonl");
    std::fs::write(&path, "{\"line\":\"att").unwrap();
    let (recorder, task) = Recorder::start(Some(path.clone()));
    accepted(&recorder).await;
    task.close(&recorder).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let whole: Vec<_> = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert_eq!((text.lines().count(), whole[0]["line"].as_str()), (3, Some("attempt")));
}

#[tokio::test]
async fn a_session_that_only_looks_leaves_no_file() {
    let path = scratch("looking").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    task.close(&recorder).await;
    assert!(!path.exists());
    let (recorder, task) = Recorder::start(None);
    assert!(recorder.ready().await.unwrap_err().contains("XDG_STATE_HOME"));
    task.close(&recorder).await;
}

#[tokio::test]
async fn no_secret_is_written() {
    let path = scratch("secret").join("audit.jsonl");
    let (recorder, task) = Recorder::start(Some(path.clone()));
    accepted(&recorder).await;
    task.close(&recorder).await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("abcdef"), "{text}");
    assert_eq!(lines(&path)[0]["answers"][0]["answer"], "a test; token=<redacted>");
}

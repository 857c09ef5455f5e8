//! Image-based upgrades in the real binary: through Prep, the reboot into another etcd and back, and to the end.

use serde_json::Value;

use crate::plans::image_based::{Stage, object};
use crate::plans::sample::Sample;
use crate::support::hands::{ENTER, TAB};
use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (150, 45);
/// Prep without the screen: one patch configures the seed and begins.
pub const PREP: &[&str] = &[
    "do",
    "ibu-prep",
    "--seed-image=registry.example.com:5000/seeds/edge:4.19.3",
    "--seed-version=4.19.3",
    "--oadp-content=openshift-adp/acm-klusterlet",
    "--oadp-content=openshift-adp/edge-apps",
    "--yes",
];
const LOCATION: &str = "/apis/velero.io/v1/namespaces/openshift-adp/backupstoragelocations/dpa-edge-1";
const VERSION: &str = "/apis/config.openshift.io/v1/clusterversions/version";
const PATH: &str = "/apis/lca.openshift.io/v1/imagebasedupgrades/upgrade";

/// A single node whose seed image is prepared, and the cockpit on it, on the tab of image-based upgrades.
fn prepared(home: &Home, scenario: &str) -> (Sim, Terminal) {
    let sim = Sim::start(home, &["--scenario", scenario, "--speed", "60"]);
    // It is the first tab although its kind is asked for only now.
    let terminal = Terminal::on(home, &sim, "admin", &["--tab", "8"], SIZE);
    terminal.wait_text("[8 Image-based]");
    terminal.wait_line(&["Prep", "puts the seed's system beside the running one"]);
    let mut args: Vec<String> = PREP.iter().map(|arg| (*arg).to_owned()).collect();
    args.extend(sim.flags("admin"));
    let done = home.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    terminal.wait_text("PREPARED");
    (sim, terminal)
}

fn upgraded(home: &Home) -> (Sim, Terminal) {
    let (sim, mut terminal) = prepared(home, "ibu");
    terminal.press("n");
    terminal.confirm("Reboot into 4.19.3", &["4.19.3"]);
    terminal.wait_text("REBOOTING");
    terminal.wait_line(&["expected: the node reboots into 4.19.3"]);
    terminal.wait_text("UPGRADED, NOT FINALIZED");
    (sim, terminal)
}

fn of(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

fn condition(sim: &Sim, kind: &str) -> Value {
    of(&sim.ask("GET", PATH, ""), kind)
}

#[test]
fn an_upgrade_is_driven_through_its_reboot_and_rolled_back() {
    let home = Home::new();
    let (sim, mut terminal) = upgraded(&home);
    assert_eq!(condition(&sim, "UpgradeCompleted")["status"], "True");
    assert!(terminal.text().contains("4.18.22"), "what ran before is remembered: {}", terminal.text());
    terminal.press("6");
    terminal.press("/");
    terminal.press("same cluster|: before the reboot");
    terminal.press(ENTER);
    terminal.wait_text("it is the same cluster, by its clusterID");
    terminal.wait_text("image-based upgrade (4.19.3): before the reboot");
    terminal.press("8");
    terminal.command("ibu-rollback");
    terminal.confirm("it cannot be taken back", &["rollback"]);
    terminal.wait_line(&["expected: the node reboots into its former system"]);
    terminal.wait_text("ROLLED BACK");
    assert_eq!(condition(&sim, "RollbackCompleted")["status"], "True");
    terminal.press("q");
    terminal.press("q");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn a_finalize_keeps_the_history_in_a_file_first() {
    let home = Home::new();
    let (sim, mut terminal) = upgraded(&home);
    terminal.command("ibu-idle");
    terminal.confirm("no way back after that", &["kim, just now", "finalize"]);
    terminal.wait_text("saved before it goes");
    terminal.wait_text("NOT UPDATING");
    assert_eq!(condition(&sim, "Idle")["status"], "True");
    assert_eq!(stages(&kept(&home)), ["Prep", "Upgrade"]);
}

/// What was saved of the object before it was emptied.
fn kept(home: &Home) -> Value {
    let views = std::fs::read_dir(home.state("views")).expect("a folder for what is saved");
    let saved: Vec<_> = views.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok()).collect();
    let [text] = saved.as_slice() else { panic!("one file: {saved:?}") };
    serde_json::from_str(text).expect("JSON")
}

/// The stages of a history, in their order.
fn stages(kept: &Value) -> Vec<&str> {
    kept["status"]["history"].as_array().unwrap().iter().filter_map(|run| run["stage"].as_str()).collect()
}

#[test]
fn an_upgrade_that_comes_back_by_itself_is_told_with_its_cause_and_cleaned_up() {
    const CLEAN_UP: &str = "Clean up after the rollback: the system that failed goes";
    let home = Home::new();
    // With credentials that are taken after the reboot too, so that the other system is seen as well.
    let story = home.path().join("rollback.yaml");
    let text = include_str!("../../assets/scenarios/ibu-auto-rollback.yaml").replace("    tokens: lost\n", "");
    std::fs::write(&story, text).unwrap();
    let (sim, mut terminal) = prepared(&home, story.to_str().unwrap());
    terminal.wait_text("validation warning: no matches for kind \"PtpConfig\"");
    let before = sim.ask("GET", VERSION, "");
    terminal.press("n");
    terminal.confirm("Reboot into 4.19.3", &["4.19.3"]);
    terminal.wait_text("REBOOTING");
    terminal.wait_line(&["expected: the node reboots into 4.19.3"]);

    // It is up in the new system, fails there, and comes back without a key being pressed.
    terminal.wait_text("ROLLED BACK BY ITSELF");
    terminal.wait_line(&["Rollback due to restore failure", "acm-klusterlet"]);
    terminal.wait_line(&["UpgradeCompleted=False/Failed"]);
    terminal.wait_line(&["✖ Upgrade"]);
    terminal.wait_line(&["→ Idle (abort)"]);
    let after = sim.ask("GET", VERSION, "");
    assert_eq!(after["status"]["history"][0]["version"], "4.18.22");
    assert_eq!(after["spec"]["clusterID"], before["spec"]["clusterID"]);
    terminal.press("6");
    terminal.wait_text("[6 Timeline");
    terminal.press("/same cluster|another state|nobody listens");
    terminal.press(ENTER);
    terminal.wait_line(&["nobody listens", "expected: the node reboots into 4.19.3"]);
    terminal.wait_text("another state of the cluster answers");
    terminal.wait_text("it is the same cluster, by its clusterID");
    terminal.open_finding("ibu-auto-rolled-back");
    terminal.wait_line(&["did not get it to work, and went back: the former system runs"]);
    terminal.press(TAB);
    terminal.wait_text("x plans it");
    terminal.press("x");
    terminal.wait_text("the system that failed is deleted, and with it what tells why it failed");
    terminal.confirm(CLEAN_UP, &["s3://logs/edge-0117", "clean-up"]);
    terminal.wait_text("saved before it goes");
    terminal.wait_text("NOT UPDATING");
    assert_eq!(condition(&sim, "Idle")["status"], "True");
    let kept = kept(&home);
    assert_eq!(stages(&kept), ["Prep", "Upgrade"]);
    let why = of(&kept, "UpgradeCompleted")["reason"].clone();
    assert_eq!(why, "Failed", "what told the cause is kept: {kept:#}");
    assert_eq!(home.done(), ["ibu-prep", "ibu-upgrade", "ibu-idle"]);
    terminal.leave();
}

#[test]
fn an_abort_that_fails_is_put_right_and_repeated() {
    const REPEAT: &str = "Let the agent repeat its cleanup";
    const SECRET: &str = "/api/v1/namespaces/openshift-adp/secrets/cloud-credentials";
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "ibu-abort-failed", "--speed", "60"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &["--tab", "8"], SIZE);
    // Until then the object changes every moment, and a plan for it with it.
    terminal.wait_text("PREPARED");
    sim.until(LOCATION, "unavailable", |location| location["status"]["phase"] == "Unavailable");
    terminal.command("ibu-idle");
    terminal.confirm("Give up the image-based upgrade and clean up", &[]);
    terminal.wait_text("ABORT FAILED");
    terminal.wait_line(&["BackupStorageLocation", "openshift-adp/dpa-edge-1 is Unavailable"]);
    terminal.wait_line(&["OADP and backup locations", "dpa-edge-1 Unavailable"]);
    terminal.wait_line(&["nothing: the agent offers no stage"]);

    // Repeated before the cause is gone it fails again.
    terminal.press("n");
    terminal.wait_text("fix that cause first");
    terminal.carry_out(REPEAT, &["nothing was done yet"]);
    terminal.press("6");
    terminal.press("/abort failed");
    terminal.press(ENTER);
    terminal.wait("the second failure", |screen| {
        screen.contents().lines().filter(|line| line.contains("now abort failed")).count() == 2
    });
    terminal.press("8");
    terminal.wait_text("n repeat the cleanup");

    sim.ask("PATCH", SECRET, r#"{"data":{"cloud":"bmV3"}}"#);
    terminal.wait_line(&["✔ OADP and backup locations", "1 location"]);
    terminal.press("n");
    terminal.carry_out(REPEAT, &["the key of the bucket had expired: replaced"]);
    terminal.wait_text("NOT UPDATING");
    terminal.wait_line(&["→ Prep"]);
    assert_eq!(condition(&sim, "Idle")["status"], "True");
    assert_eq!(home.done(), ["ibu-idle", "ibu-manual-cleanup-done", "ibu-manual-cleanup-done"]);
    terminal.leave();
}

/// A server with a recorded cluster, as it is: nobody plays the agent.
fn recorded(home: &Home, upgrade: Value) -> Sim {
    let mut sample = Sample::idle();
    sample.put(upgrade);
    let path = home.path().join("cluster.json");
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": sample.objects() });
    std::fs::write(&path, list.to_string()).unwrap();
    Sim::start(home, &["--from", path.to_str().unwrap()])
}

/// The words of a text, whatever its lines are.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The agent offers Prep and does not say that it is at rest: the definition's own rule decides.
#[test]
fn what_the_definition_refuses_is_told_word_for_word() {
    const RULE: &str = "Invalid value: can not change spec.seedImageRef while ibu is in progress";
    let home = Home::new();
    let mut busy = object(Stage::Idle);
    busy["status"]["conditions"][0]["status"] = "False".into();
    busy["status"]["conditions"][0]["reason"] = "InProgress".into();
    let sim = recorded(&home, busy.clone());
    let prep = ["do", "ibu-prep", "--seed-image=registry/seed:4.19.3", "--seed-version=4.19.3", "--yes"];
    let run = |more: &[&str]| {
        let flags = sim.flags("admin");
        let args: Vec<&str> =
            prep.iter().copied().chain(flags.iter().map(String::as_str)).chain(more.iter().copied()).collect();
        home.run(&args)
    };
    let refused = run(&[]);
    let said = in_one_line(&String::from_utf8_lossy(&refused.stderr));
    assert_eq!(refused.status.code(), Some(3), "{said}");
    let words = "the server would not accept it: imagebasedupgrade/upgrade: dry run: invalid: ";
    assert!(said.contains(&format!("{words}{RULE}")), "{said}");
    let told: Value = serde_json::from_slice(&run(&["-o", "json"]).stdout).unwrap();
    assert_eq!((&told["exitCode"], &told["result"]), (&3.into(), &"refused".into()));
    let rehearsal = &told["plan"]["writes"][0]["rehearsal"];
    assert!(rehearsal["words"].as_str().unwrap().contains(RULE) && rehearsal["ok"] == false, "{rehearsal}");
    assert_eq!(told["plan"]["writes"][0]["fate"], "not-sent");

    let mut terminal = Terminal::on(&home, &sim, "admin", &[], (200, 50));
    terminal.wait_text("NOT UPDATING");
    terminal.command("ibu-prep --seed-image=registry/seed:4.19.3 --seed-version=4.19.3");
    terminal.wait_text("Prepare 4.19.3 beside the running system");
    terminal.wait("the rule in the plan", |screen| {
        let text: String = screen.contents().replace(['│', '┃'], " ");
        in_one_line(&text).contains(RULE)
    });
    assert_eq!(sim.ask("GET", PATH, "")["spec"], busy["spec"], "nothing was stored");
    assert!(!home.state("audit.jsonl").exists(), "nothing was attempted");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
}

/// Somebody else aborts while the question is on the terminal.
#[test]
fn a_stage_that_somebody_else_moved_meanwhile_is_not_asked_for() {
    let home = Home::new();
    let sim = recorded(&home, object(Stage::Prepared));
    let mut args = vec!["do".to_owned(), "ibu-upgrade".to_owned()];
    args.extend(sim.flags("admin"));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut terminal = Terminal::cockpit(&home, &args, (150, 60));
    terminal.wait_text("type 4.19.3 to confirm:");
    let moved = sim.ask("PATCH", PATH, r#"{"spec":{"stage":"Idle"}}"#);
    assert_eq!(moved["spec"]["stage"], "Idle");
    terminal.press("4.19.3\r");
    // By the watch nothing is sent; by the server, which refuses the lock, nothing is changed.
    let code = terminal.end();
    let text = in_one_line(&terminal.text());
    let expected = match code {
        3 => "nothing was sent: the lifecycle agent has not caught up: it has looked at generation 5 of 6",
        1 => "imagebasedupgrade/upgrade: the lifecycle agent has not caught up: it has looked at generation 5 of 6",
        other => panic!("{other}: {text}"),
    };
    assert!(text.contains(expected), "{text}");
    assert_eq!(sim.ask("GET", PATH, "")["spec"]["stage"], "Idle", "theirs stays");
}

//! `oc-cockpit do`: every way in which an action can end, by the real binary against a simulated cluster.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use oc_cockpit::actions::ActionId;
use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::{COCKPIT, Home, Sim, Terminal, fields};

const GATE: &str = "ack-4.18-kube-1.32-api-removals-in-4.19";

/// Who knows of uses of the removed APIs types the gate; who does not may.
fn agreed() -> String {
    format!("--yes={GATE}")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

struct Stage {
    home: Home,
    sim: Sim,
}

impl Stage {
    fn new() -> Self {
        let home = Home::new();
        let sim = Sim::start(&home, &["--scenario", "minor", "--speed", "1"]);
        Self { home, sim }
    }

    fn args(&self, user: &str, line: &[&str]) -> Vec<String> {
        let mut args = vec!["do".to_owned()];
        args.extend(self.sim.flags(user));
        args.extend(line.iter().map(ToString::to_string));
        args
    }

    fn as_user(&self, user: &str, line: &[&str]) -> Output {
        let args = self.args(user, line);
        self.home.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn run(&self, line: &[&str]) -> Output {
        self.as_user("admin", line)
    }

    /// The JSON of a run, with its exit code.
    fn told(&self, line: &[&str]) -> (Value, i32) {
        let mut all = line.to_vec();
        all.extend(["-o", "json"]);
        let output = self.run(&all);
        let told = serde_json::from_slice(&output.stdout);
        let told = told.unwrap_or_else(|error| panic!("{error}: {}\n{}", text(&output.stdout), text(&output.stderr)));
        (told, output.status.code().unwrap())
    }

    /// The program on its way, its stderr to be read.
    fn spawn(&self, line: &[&str]) -> std::process::Child {
        Command::new(COCKPIT)
            .args(self.args("admin", line))
            .env_clear()
            .envs(self.home.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn audit(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_action_is_done_when_the_watch_shows_it() {
    let stage = Stage::new();
    let output = stage.run(&["pause-pool", "worker", "--yes"]);
    let (page, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{page}\n{said}");
    for part in
        ["Pause pool worker\ndanger L", "What follows", "What was checked", "dry run: the server would accept it"]
    {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    assert!(page.contains("Pause pool worker: done (pool worker shows as paused, seen in the watch"), "{page}");
    assert!(said.contains("mcp/worker: accepted"), "{said}");
    assert!(page.lines().all(|line| line.chars().count() <= 80 && !line.contains('\u{1b}')), "{page}");
    assert_eq!(stage.sim.pool("worker")["spec"]["paused"], true);

    let again = stage.run(&["pause-pool", "worker", "--yes"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stderr).contains("paused already") || text(&again.stderr).contains("is paused"));
}

#[test]
fn nothing_is_sent_by_a_dry_run_nor_without_a_confirmation() {
    let stage = Stage::new();
    let before = stage.sim.node("worker-1");
    let (told, code) = stage.told(&["cordon", "worker-1", "--dry-run"]);
    assert_eq!((code, &told["result"], &told["dryRun"]), (0, &"rehearsed".into(), &true.into()));
    let write = &told["plan"]["writes"][0];
    assert_eq!((&write["rehearsal"]["ok"], &write["fate"]), (&true.into(), &"not-sent".into()));
    let output = stage.run(&["cordon", "worker-1"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("it needs --yes"), "{}", text(&output.stderr));
    assert_eq!(stage.sim.node("worker-1")["spec"], before["spec"]);
    assert!(!stage.home.state("audit.jsonl").exists(), "nothing was attempted");
}

#[test]
fn what_is_dangerous_needs_what_has_to_be_typed_and_answers() {
    let stage = Stage::new();
    let (told, code) = stage.told(&["start-update", "4.18.25", "--yes", "--allow-with-warnings"]);
    assert_eq!(code, 3, "{told}");
    let words = told["words"].as_str().unwrap();
    assert!(words.contains("--yes=4.18.25") && words.contains("--answer etcd-backup=TEXT"), "{words}");
    assert_eq!(told["plan"]["typed"], "4.18.25");
    let wrong = stage.run(&["start-update", "4.18.25", "--yes=4.18.24", "--answer", "etcd-backup=nas"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", text(&wrong.stderr));
    let line = ["start-update", "4.18.25", "--yes=4.18.25", "--answer", "etcd-backup=on the nas"];
    let (told, code) = stage.told(&line);
    assert_eq!((code, &told["result"]), (0, &"done".into()), "{told}");
    assert_eq!(told["plan"]["questions"][0]["answer"], "on the nas");
    let version = stage.sim.ask("GET", "/apis/config.openshift.io/v1/clusterversions/version", "");
    assert_eq!(version["spec"]["desiredUpdate"]["version"], "4.18.25");
    let log = audit(&stage.home.state("audit.jsonl"));
    assert_eq!(log[0]["answers"][0]["answer"], "on the nas");
}

#[test]
fn refusals_have_their_own_code_and_say_why() {
    let stage = Stage::new();
    let refused = |user: &str, line: &[&str], why: &str| {
        let output = stage.as_user(user, line);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{line:?}: {said}");
        assert!(said.contains(why), "{line:?}: {said}");
    };
    refused("admin", &["pause-pool", "nope", "--yes"], "there is no pool nope");
    refused("admin", &["uncordon", "worker-1", "--yes"], "not cordoned");
    refused("admin", &["start-update", "4.19.3", "--yes=4.19.3"], "Upgradeable is False");
    refused("viewer", &["cordon", "worker-1", "--yes"], "viewer may not patch nodes");
    refused("admin", &["--read-only", "cordon", "worker-1", "--yes"], "writes are off: started with --read-only");
    stage.home.configure("contexts: {admin: {read-only: true}}\n");
    refused("admin", &["cordon", "worker-1", "--yes"], "marks context `admin` read-only");
    stage.home.configure("actions: {forbid: [cordon, fly]}\n");
    let output = stage.run(&["cordon", "worker-1", "--dry-run"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("the configuration forbids cordoning") && said.contains("`fly` is no action"), "{said}");
    stage.home.configure("actions: {confirm: typed}\n");
    refused("admin", &["cordon", "worker-1", "--yes"], "--yes=admin");
    assert_eq!(stage.run(&["cordon", "worker-1", "--yes=admin"]).status.code(), Some(0));
}

#[test]
fn usage_errors_and_failures_have_their_own_codes() {
    let home = Home::new();
    let code = |line: &[&str]| {
        let output = home.run(line);
        assert!(!output.stderr.is_empty(), "{line:?} says nothing");
        output.status.code()
    };
    for line in [
        &["do"] as &[&str],
        &["do", "explode"],
        &["do", "cordon"],
        &["do", "pause-pool", "worker", "--force-it"],
        &["do", "cordon", "a", "--answer", "x"],
        &["do", "cordon", "a", "--timeout", "soon"],
        &["do", "cordon", "a", "-o", "xml"],
    ] {
        assert_eq!(code(line), Some(2), "{line:?}");
    }
    let missing = home.path().join("nothing").display().to_string();
    assert_eq!(code(&["do", "cordon", "a", "--yes", "--kubeconfig", &missing]), Some(1));
}

#[test]
fn an_effect_that_is_not_seen_in_time_is_told_by_the_code() {
    let stage = Stage::new();
    stage.sim.throw("latency=400ms");
    let (told, code) = stage.told(&["ack-gate", GATE, &agreed(), "--timeout", "50ms"]);
    assert_eq!((code, &told["result"]), (4, &"not-seen".into()), "{told}");
    assert_eq!(told["plan"]["writes"][0]["fate"], "accepted");
    let log = audit(&stage.home.state("audit.jsonl"));
    assert_eq!((&log[1]["answer"], &log[1]["effect"]), (&"accepted".into(), &"not-seen".into()));
}

#[test]
fn an_interruption_says_what_was_sent() {
    let stage = Stage::new();
    stage.sim.throw("latency=2s");
    let mut child = stage.spawn(&["ack-gate", GATE, &agreed(), "--timeout", "0"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let accepted = lines.by_ref().map_while(Result::ok).find(|line| line.contains("admin-acks: accepted"));
    assert!(accepted.is_some());
    rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let said = rest.join(" ");
    assert!(said.contains("interrupted; accepted, its effect not waited for: "), "{said}");
    let log = audit(&stage.home.state("audit.jsonl"));
    assert_eq!((log.len(), &log[1]["effect"]), (2, &"abandoned".into()), "{log:?}");

    let mut child = stage.spawn(&["cordon", "worker-1", "--yes"]);
    rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code();
    // Before the program listens for signals nobody can say anything.
    assert!(code.is_none() || code == Some(143) && said.contains("nothing was sent"), "{code:?} {said}");
}

#[test]
fn the_audit_log_has_every_attempt_before_it_is_sent_and_every_outcome() {
    let stage = Stage::new();
    let path = stage.home.path().join("book.jsonl");
    let file = path.display().to_string();
    assert_eq!(stage.run(&["cordon", "worker-1", "worker-2", "--yes", "--audit", &file]).status.code(), Some(0));
    assert!(!stage.home.state("audit.jsonl").exists(), "--audit is in place of the usual one");
    let log = audit(&path);
    let kinds: Vec<(&str, &str)> =
        log.iter().map(|line| (line["line"].as_str().unwrap(), line["object"].as_str().unwrap_or(""))).collect();
    assert_eq!(kinds, [("attempt", "node/worker-1"), ("attempt", "node/worker-2"), ("outcome", ""), ("outcome", "")]);
    for (attempt, outcome) in [(&log[0], &log[2]), (&log[1], &log[3])] {
        assert_eq!(attempt["id"], outcome["id"]);
        assert_eq!((&attempt["user"], &attempt["context"]), (&"admin".into(), &"admin".into()));
        assert_eq!((&attempt["action"], &attempt["request"]["method"]), (&"cordon".into(), &"PATCH".into()));
        assert!(attempt["dryRun"].as_str().unwrap().contains("would accept"));
        assert_eq!((&outcome["answer"], &outcome["effect"]), (&"accepted".into(), &"seen".into()));
        assert!(attempt["time"].as_str() <= outcome["time"].as_str());
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let unwritable = stage.run(&["uncordon", "worker-1", "--yes", "--audit", "/proc/nothing/book"]);
    assert_eq!(unwritable.status.code(), Some(3), "nothing is sent that cannot be recorded");
    assert_eq!(stage.sim.node("worker-1")["spec"]["unschedulable"], true);
}

/// Pods of a namespace, as names with their nodes.
fn pods(sim: &Sim, namespace: &str) -> Vec<(String, String)> {
    let list = sim.ask("GET", &format!("/api/v1/namespaces/{namespace}/pods"), "");
    let text = |pod: &Value, pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|pod| (text(pod, "/metadata/name"), text(pod, "/spec/nodeName"))).collect()
}

/// What an attempt has to be: action, object, method, address.
type Expected<'a> = (&'a str, String, &'a str, String);

/// Every attempt of the log is whole and has one outcome; the attempts in their order, with their outcomes.
fn entries(log: &[Value]) -> Vec<(&Value, &Value)> {
    let attempts = log.iter().filter(|line| line["line"] == "attempt");
    let paired: Vec<_> = attempts
        .map(|attempt| {
            let outcomes: Vec<_> =
                log.iter().filter(|line| line["line"] == "outcome" && line["id"] == attempt["id"]).collect();
            let [outcome] = outcomes.as_slice() else { panic!("{} outcomes of {attempt}", outcomes.len()) };
            for field in ["time", "clusterId", "target", "danger", "oc", "answers"] {
                assert!(!attempt[field].is_null(), "{field}: {attempt}");
            }
            assert_eq!((&attempt["user"], &attempt["context"]), (&"admin".into(), &"admin".into()));
            assert!(attempt["request"]["contentType"].as_str().unwrap().starts_with("application/"), "{attempt}");
            assert!(attempt["time"].as_str() <= outcome["time"].as_str(), "{attempt} {outcome}");
            (attempt, *outcome)
        })
        .collect();
    assert_eq!(paired.len() * 2, log.len(), "a line that belongs to nothing: {log:?}");
    paired
}

#[test]
fn every_line_of_the_audit_log_of_creations_deletions_and_evictions() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor", "--speed", "60"]);
    let stage = Stage { home, sim };
    let path = stage.home.path().join("book.jsonl");
    let book = path.display().to_string();
    let mirrors = stage.home.path().join("mirrors.yaml");
    fs::write(
        &mirrors,
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: ours}\n\
         spec: {imageDigestMirrors: [{source: quay.io/a, mirrors: [mirror.lab/a]}]}\n",
    )
    .unwrap();
    let run = |line: &[&str]| {
        let line: Vec<&str> = line.iter().copied().chain(["--audit", &book]).collect();
        let output = stage.run(&line);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}{}", text(&output.stdout), text(&output.stderr));
    };
    let named = |prefix: &str| {
        let found = pods(&stage.sim, "shop").into_iter().find(|(name, _)| name.starts_with(prefix));
        found.unwrap_or_else(|| panic!("no {prefix}"))
    };
    run(&["create-pool", "canary", "--yes"]);
    run(&["delete-pool", "canary", "--yes=canary"]);
    run(&["add-mirror-set", mirrors.to_str().unwrap(), "--yes"]);
    run(&["delete-object", "imagedigestmirrorsets", "ours", "--yes"]);
    let (catalog, _) = named("catalog-");
    run(&["evict-pod", &format!("shop/{catalog}"), "--yes"]);
    let (web, _) = named("web-");
    run(&["delete-pod", &format!("shop/{web}"), "--yes"]);

    let mco = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools";
    let sets = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
    let manager = "?fieldManager=oc-cockpit";
    let pod = |name: &str| format!("/api/v1/namespaces/shop/pods/{name}");
    let expected: Vec<Expected<'_>> = vec![
        ("create-pool", "mcp/canary".into(), "POST", format!("{mco}{manager}")),
        ("delete-pool", "mcp/canary".into(), "DELETE", format!("{mco}/canary")),
        ("add-mirror-set", "imagedigestmirrorset/ours".into(), "POST", format!("{sets}{manager}")),
        ("delete-object", "imagedigestmirrorset/ours".into(), "DELETE", format!("{sets}/ours")),
        ("evict-pod", format!("pod/shop/{catalog}"), "POST", format!("{}/eviction", pod(&catalog))),
        ("delete-pod", format!("pod/shop/{web}"), "DELETE", pod(&web)),
    ];
    let log = audit(&path);
    // The pool is modified while it is looked at: a conflict has an entry of its own, and nothing is left out.
    let entries: Vec<_> = entries(&log).into_iter().filter(|(_, outcome)| outcome["status"] != 409).collect();
    assert_eq!(entries.len(), expected.len(), "{log:?}");
    for ((attempt, outcome), (action, object, method, uri)) in entries.iter().zip(&expected) {
        let request = &attempt["request"];
        assert_eq!((&attempt["action"], &attempt["object"]), (&(*action).into(), &object.as_str().into()));
        assert_eq!((&request["method"], &request["uri"]), (&(*method).into(), &uri.as_str().into()), "{action}");
        assert!(attempt["dryRun"].as_str().unwrap().contains("would accept"), "{attempt}");
        let body = &request["body"];
        match *method {
            "DELETE" => {
                assert_eq!(body["kind"], "DeleteOptions", "{body}");
                assert!(body["preconditions"]["uid"].is_string() && body["gracePeriodSeconds"].is_null(), "{body}");
            }
            _ if *action == "evict-pod" => assert!(body["deleteOptions"]["preconditions"]["uid"].is_string(), "{body}"),
            _ => assert!(body["spec"].is_object(), "{body}"),
        }
        assert_eq!(
            (&outcome["answer"], &outcome["effect"]),
            (&"accepted".into(), &"seen".into()),
            "{action}: {outcome}"
        );
        assert!(outcome["at"].is_string() && outcome["status"].as_u64().is_some_and(|status| status / 100 == 2));
    }
    assert!(entries[2].0["undo"].as_str().unwrap().contains("delete imagedigestmirrorset"), "{}", entries[2].0);
    assert!(entries[3].0["undo"].as_str().unwrap().contains("mirror.lab/a"), "{}", entries[3].0);
}

#[test]
fn every_line_of_the_audit_log_of_a_drain() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor", "--speed", "60"]);
    let stage = Stage { home, sim };
    let (told, code) = stage.told(&["drain", "worker-3", "--delete-emptydir-data", "--yes"]);
    assert_eq!((code, &told["result"]), (0, &"done".into()), "{told}");
    let log = audit(&stage.home.state("audit.jsonl"));
    let entries = entries(&log);
    let (cordon, evictions) = entries.split_first().unwrap();
    assert_eq!((&cordon.0["object"], &cordon.0["request"]["method"]), (&"node/worker-3".into(), &"PATCH".into()));
    assert_eq!((&cordon.1["answer"], &cordon.1["effect"]), (&"accepted".into(), &"seen".into()));
    assert!(!evictions.is_empty());
    for (attempt, outcome) in evictions {
        let object = attempt["object"].as_str().unwrap().strip_prefix("pod/").unwrap();
        let (namespace, name) = object.split_once('/').unwrap();
        let request = &attempt["request"];
        assert_eq!(request["uri"], format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction"));
        assert_eq!((&request["method"], &attempt["action"]), (&"POST".into(), &"drain".into()));
        assert!(request["body"]["deleteOptions"]["preconditions"]["uid"].is_string(), "{attempt}");
        assert_eq!(attempt["dryRun"], Value::Null, "evictions are not rehearsed one by one");
        match outcome["answer"].as_str().unwrap() {
            "accepted" => {
                assert_eq!((&outcome["status"], &outcome["effect"]), (&201.into(), &"seen".into()), "{outcome}");
            }
            "refused" => {
                assert_eq!((&outcome["status"], &outcome["effect"]), (&429.into(), &"none".into()), "{outcome}");
                assert!(outcome["words"].as_str().is_some_and(|words| words.contains("budget")), "{outcome}");
            }
            other => panic!("{other}: {outcome}"),
        }
        // Told as it is: every request of the document is one of the log.
        let told = told["plan"]["writes"].as_array().unwrap();
        assert!(told.iter().all(|write| write["fate"] != "unknown"), "{told:?}");
    }
    let left = pods(&stage.sim, "shop").into_iter().filter(|(_, node)| node == "worker-3").count();
    assert_eq!(left, 0);
}

#[test]
fn a_drain_that_is_told_to_end_says_how_far_it_came_and_what_stays_cordoned() {
    let stage = Stage::new();
    let budget = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web";
    stage.sim.ask("PATCH", budget, r#"{"spec":{"maxUnavailable":0}}"#);
    let mut nodes: Vec<String> = pods(&stage.sim, "shop")
        .into_iter()
        .filter(|(name, _)| name.starts_with("web-"))
        .map(|(_, node)| node)
        .collect();
    nodes.sort();
    nodes.dedup();
    let [first, second, ..] = nodes.as_slice() else { panic!("{nodes:?}") };
    for (signal, code, node, other) in [(Signal::INT, 130, first, "worker-0"), (Signal::TERM, 143, second, "worker-0")]
    {
        let other = if node == other { "worker-5" } else { other };
        let path = stage.home.path().join(format!("book-{code}.jsonl"));
        let book = path.display().to_string();
        let line = ["drain", node, other, "--delete-emptydir-data", "--yes", "--timeout", "0", "--audit", &book];
        let mut child = stage.spawn(&line);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let refused = lines.by_ref().map_while(Result::ok).find(|line| line.contains("refused: shop/web-"));
        assert!(refused.is_some(), "no budget holds it up");
        rustix::process::kill_process(Pid::from_child(&child), signal).unwrap();
        let said = lines.map_while(Result::ok).collect::<Vec<_>>().join(" ");
        assert_eq!(child.wait().unwrap().code(), Some(code), "{said}");
        assert!(said.contains("stopping: what was evicted stays evicted, and the nodes stay cordoned"), "{said}");
        for part in [
            format!("stopped: {node}: "),
            "pods are gone".into(),
            "held: shop/web-".into(),
            "all its nodes stay cordoned".into(),
        ] {
            assert!(said.contains(&part), "{part}: {said}");
        }
        assert!(said.contains(&format!("not sent: node/{other}")), "{said}");
        for name in [node.as_str(), other] {
            assert_eq!(stage.sim.node(name)["spec"]["unschedulable"], true, "{name} stays cordoned");
        }
        let log = audit(&path);
        let entries = entries(&log);
        let cordons = entries.iter().filter(|(attempt, _)| attempt["request"]["method"] == "PATCH");
        assert_eq!(cordons.count(), 2, "both were cordoned before");
        let evicted = entries.iter().filter(|(attempt, _)| attempt["request"]["method"] == "POST");
        for (attempt, outcome) in evicted.clone() {
            let name = attempt["object"].as_str().unwrap().rsplit('/').next().unwrap();
            let ends = [("accepted", "seen"), ("accepted", "not-seen"), ("refused", "none")];
            let end = (outcome["answer"].as_str().unwrap(), outcome["effect"].as_str().unwrap());
            assert!(ends.contains(&end), "{name}: {outcome}");
        }
        assert!(evicted.clone().any(|(_, outcome)| outcome["status"] == 429), "{log:?}");
        stage.sim.ask("PATCH", &format!("/api/v1/nodes/{node}"), r#"{"spec":{"unschedulable":null}}"#);
        stage.sim.ask("PATCH", &format!("/api/v1/nodes/{other}"), r#"{"spec":{"unschedulable":null}}"#);
    }
}

#[test]
fn on_a_terminal_it_asks() {
    let stage = Stage::new();
    let ask = |line: &[&str]| {
        let args = stage.args("admin", line);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Terminal::cockpit(&stage.home, &args, (100, 50))
    };
    let mut terminal = ask(&["cordon", "worker-1"]);
    terminal.wait_text("Cordon node worker-1? [y/N]");
    terminal.press("\r");
    assert_eq!(terminal.end(), 3);
    assert_eq!(stage.sim.node("worker-1")["spec"]["unschedulable"], Value::Null);
    let mut terminal = ask(&["cordon", "worker-1"]);
    terminal.wait_text("[y/N]");
    terminal.press("y\r");
    assert_eq!(terminal.end(), 0);
    assert_eq!(stage.sim.node("worker-1")["spec"]["unschedulable"], true);
    let mut terminal = ask(&["start-update", "4.18.25"]);
    terminal.wait_text("etcd backup");
    terminal.wait_text("taken before this update?");
    terminal.press("on the nas\r");
    terminal.wait_text("type 4.18.25 to confirm:");
    terminal.press("4.18\r");
    assert_eq!(terminal.end(), 3);
}

#[test]
fn the_catalogue_is_listed_with_danger_and_permission() {
    let home = Home::new();
    let page = home.run(&["do", "--list"]);
    assert_eq!(page.status.code(), Some(0));
    let page = text(&page.stdout);
    let told: Value = serde_json::from_slice(&home.run(&["do", "--list", "-o", "json"]).stdout).unwrap();
    assert_eq!(told["kind"], "ActionList");
    let rows = told["actions"].as_array().unwrap();
    assert_eq!(rows.len(), ActionId::ALL.len());
    for (row, id) in rows.iter().zip(ActionId::ALL) {
        assert_eq!(row["name"], id.name(), "in the order of the catalogue");
        assert!(!row["dangers"].as_array().unwrap().is_empty() && !row["permissions"].as_array().unwrap().is_empty());
        assert_eq!(row["permitted"], Value::Null, "nobody was asked");
        assert!(page.contains(id.name()), "{}", id.name());
    }
    for kind in told["fileKinds"].as_array().unwrap() {
        let name = kind["kind"].as_str().unwrap();
        assert!(page.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name} can be read: {page}");
    }
    let stage = Stage::new();
    for (user, may) in [("admin", true), ("viewer", false)] {
        let output = stage.as_user(user, &["--list", "--permitted", "-o", "json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let row = told["actions"].as_array().unwrap().iter().find(|row| row["name"] == "cordon").unwrap();
        assert_eq!(row["permitted"], may, "{user}");
    }
    assert!(text(&stage.as_user("viewer", &["--list", "--permitted"]).stdout).contains("not permitted: patch nodes"));
}

#[test]
fn the_json_is_documented_field_by_field() {
    let stage = Stage::new();
    let documented = include_str!("../../docs/do.md");
    let (told, _) = stage.told(&["start-update", "4.18.25", "--dry-run"]);
    let list: Value = serde_json::from_slice(&stage.run(&["--list", "-o", "json"]).stdout).unwrap();
    for (document, heading) in [(&told, "Action"), (&list, "ActionList")] {
        let mut paths = Vec::new();
        // What a request's body or the values hold is not ours to document.
        fields(document, "", &["plan.writes[].body", "args"], &mut paths);
        let missing: Vec<&String> = paths.iter().filter(|path| !documented.contains(&format!("`{path}`"))).collect();
        assert!(missing.is_empty(), "{heading}: not in docs/do.md: {missing:?}");
    }
}

//! Procedures driven from their first step to the last, by keys in a pseudo-terminal and by `oc-cockpit do` beside it.
//!
//! They wait for what the screen shows, never for time.

use serde_json::Value;

use crate::support::hands::ENTER;
use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (160, 45);
const VERSION: &str = "/apis/config.openshift.io/v1/clusterversions/version";
const CHECK: &str = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinehealthchecks/workers";
const PAUSED: &str = "cluster.x-k8s.io/paused";
const GATE: &str = "ack-4.18-kube-1.32-api-removals-in-4.19";

#[test]
fn a_minor_update_from_its_gate_to_the_end() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor", "--speed", "300"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &[], SIZE);
    terminal.wait_text("NOT UPDATING");
    for (pool, count) in [("master", "3/3"), ("worker", "6/6"), ("infra", "3/3")] {
        terminal.wait_line(&[pool, count]);
    }
    // infra is to wait until somebody lets it go.
    terminal.command("pause-pool infra");
    terminal.carry_out("Pause pool infra", &[]);
    terminal.wait_text("n acknowledge the gate");
    terminal.press("n");
    terminal.wait_text("Kubernetes 1.32");
    terminal.carry_out(&format!("Acknowledge {GATE}"), &[]);

    // The operator takes the acknowledgement up: the way is free.
    sim.until(VERSION, "upgradeable", |version| {
        let conditions = version["status"]["conditions"].as_array().unwrap();
        !conditions.iter().any(|found| found["type"] == "Upgradeable" && found["status"] == "False")
    });
    terminal.wait_gone("Upgradeable is False");
    terminal.wait_text("n start an update");
    terminal.press("n");
    terminal.wait_text("versions on offer");
    terminal.press(ENTER);
    terminal.wait_text("etcd backup");
    terminal.carry_out("Start update to 4.19.3", &["/backup/0300", "4.19.3"]);
    terminal.wait_text("CONTROL PLANE UPDATING");
    terminal.press("P");
    terminal.wait_line(&["accepted", "done"]);
    terminal.close("[phases");

    // A health check would take a long reboot for a failure.
    terminal.open_finding("health-check-active");
    terminal.plan_remedy("Pause it until the update is over, and resume it afterwards.");
    terminal.carry_out("Pause health check workers", &[]);
    terminal.wait_text("It is over");
    terminal.close("It is over");
    assert_eq!(sim.ask("GET", CHECK, "")["metadata"]["annotations"][PAUSED], "");

    // Everything but infra arrives; then infra is the next step.
    terminal.wait_text("n unpause infra");
    assert_eq!(sim.pool("infra")["spec"]["paused"], true, "naming the step sends nothing");
    terminal.press("n");
    terminal.carry_out("Unpause pool infra", &[]);
    // Its nodes are back: what was paused from here is resumed from here.
    terminal.wait_text("n resume health checks");
    terminal.press("n");
    terminal.carry_out("Resume health check workers", &[]);
    assert_eq!(sim.ask("GET", CHECK, "")["metadata"]["annotations"][PAUSED], Value::Null);
    // Operators have to be quiet for a while before it is called completed: what is left is to verify.
    terminal.wait_text("n verify");
    terminal.press("n");
    terminal.wait_text("[phases");
    terminal.wait_line(&["pools", "9/9", "done"]);
    terminal.wait_line(&["verify", "under way"]);
    terminal.wait_text("operators have to be quiet for");
    let version = sim.ask("GET", VERSION, "");
    assert_eq!(version["status"]["history"][0]["version"], "4.19.3");
    assert_eq!(version["status"]["history"][0]["state"], "Completed");
    assert_eq!(status(&home, &sim), (Some(3), "UpdatingPools".to_owned()), "a look from outside says the same");

    // Five quiet minutes of the cluster, by its own clock, which the cockpit follows.
    sim.pass("6m");
    terminal.wait_line(&["verify", "done"]);
    terminal.close("[phases");
    terminal.wait_text("COMPLETED");
    terminal.wait_line(&["4.18.22", "4.19.3"]);
    terminal.wait_gone("n verify");
    assert_eq!(status(&home, &sim), (Some(0), "Completed".to_owned()));
    terminal.press("5");
    terminal.wait_line(&["this machine's clock is", "behind the API server's"]);
    terminal.leave();

    audited(
        &home,
        &[
            ("pause-pool", "mcp/infra", "infra"),
            ("ack-gate", "configmap/admin-acks", "admin-acks"),
            ("start-update", "clusterversion/version", "version"),
            ("pause-mhc", "machinehealthcheck/workers", "workers"),
            ("unpause-pool", "mcp/infra", "infra"),
            ("resume-mhc", "machinehealthcheck/workers", "workers"),
        ],
    );
}

/// What `status --exit-code` says: its code, and the verdict.
fn status(home: &Home, sim: &Sim) -> (Option<i32>, String) {
    let mut args: Vec<String> = ["status", "--exit-code", "-o", "json"].map(str::to_owned).to_vec();
    args.extend(sim.flags("admin"));
    let output = home.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.code(), told["update"]["verdict"].as_str().unwrap_or_default().to_owned())
}

/// The audit log is what was done and nothing else, line by line.
fn audited(home: &Home, done: &[(&str, &str, &str)]) {
    let text = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), done.len() * 2, "{text}");
    let mut before = String::new();
    for (pair, (action, object, name)) in lines.chunks(2).zip(done) {
        let (attempt, outcome) = (&pair[0], &pair[1]);
        assert_eq!((&attempt["line"], &outcome["line"]), (&"attempt".into(), &"outcome".into()), "{action}");
        assert_eq!(attempt["id"], outcome["id"], "{action}");
        assert_eq!((&attempt["action"], &attempt["object"]), (&(*action).into(), &(*object).into()));
        assert_eq!((&attempt["user"], &attempt["context"]), (&"admin".into(), &"admin".into()), "{action}");
        assert_eq!(attempt["request"]["method"], "PATCH", "{action}");
        assert!(attempt["request"]["uri"].as_str().unwrap().split('?').next().unwrap().ends_with(name), "{attempt}");
        assert!(attempt["dryRun"].as_str().unwrap().contains("would accept"), "{attempt}");
        assert_eq!((&outcome["answer"], &outcome["effect"]), (&"accepted".into(), &"seen".into()), "{action}");
        for line in pair {
            let at = line["time"].as_str().unwrap().to_owned();
            assert!(before <= at, "the lines stand in the order of time: {before} {at}");
            before = at;
        }
    }
    let answers = |line: &Value| line["answers"].as_array().map_or(0, Vec::len);
    let backup = lines.iter().find(|line| line["action"] == "start-update").unwrap();
    assert_eq!((answers(backup), &backup["answers"][0]["answer"]), (1, &"/backup/0300".into()));
    assert!(lines.iter().all(|line| line["action"] == "start-update" || answers(line) == 0), "{text}");
}

/// A line of `do`, carried out: rehearsed first, which tells what has to be typed.
fn carry_out(home: &Home, sim: &Sim, words: &[&str]) {
    let run = |more: &[String]| {
        let mut args = vec!["do".to_owned()];
        args.extend(sim.flags("admin"));
        args.extend(words.iter().map(ToString::to_string));
        args.extend(more.iter().cloned());
        args.extend(["-o".to_owned(), "json".to_owned()]);
        let output = home.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}\n{told:#}", String::from_utf8_lossy(&output.stderr));
        told
    };
    let rehearsed = run(&["--dry-run".to_owned()]);
    let plan = &rehearsed["plan"];
    let mut more = vec![plan["typed"].as_str().map_or("--yes".to_owned(), |typed| format!("--yes={typed}"))];
    for question in plan["questions"].as_array().into_iter().flatten() {
        let name = question["name"].as_str().unwrap();
        let answer = question["exactly"].as_str().unwrap_or("/backup/0300");
        more.extend(["--answer".to_owned(), format!("{name}={answer}")]);
    }
    assert_eq!(run(&more)["result"], "done", "{words:?}");
}

#[test]
fn a_canary_of_one_node() {
    const ACK: &str = "ack-4.16-kube-1.30-api-removals-in-4.17";
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "canary", "--speed", "400"]);
    let mut eyes = Terminal::on(&home, &sim, "admin", &["--tab", "pools", "--read-only"], SIZE);
    let does = |words: &[&str]| carry_out(&home, &sim, words);
    eyes.wait_line(&["worker", "8/8"]);

    does(&["create-pool", "canary"]);
    does(&["move-nodes", "worker-7", "--pool", "canary"]);
    eyes.wait_line(&["canary", "1/1"]);
    eyes.wait_line(&["worker", "7/7"]);
    does(&["pause-pool", "worker"]);
    does(&["set-channel", "eus-4.18"]);
    eyes.press("P");
    eyes.wait_text("Upgradeable is False");
    does(&["ack-gate", ACK]);
    eyes.wait_gone("Upgradeable is False");
    eyes.close("[phases");
    does(&["start-update", "4.17.30"]);

    // The control plane and the canary go; the rest is held.
    eyes.wait_line(&["worker", "paused", "0/7"]);
    eyes.wait_line(&["master", "3/3"]);
    eyes.wait_line(&["canary", "1/1"]);
    eyes.wait_text("NEEDS A PERSON");
    assert_eq!(sim.pool("worker")["spec"]["paused"], true);

    // The canary is well: the others follow, and the node goes home.
    does(&["unpause-pool", "worker"]);
    eyes.wait_text("SETTLING");
    eyes.wait_line(&["worker", "7/7"]);
    does(&["move-nodes", "worker-7", "--pool", "worker"]);
    eyes.wait_line(&["worker", "8/8"]);
    does(&["delete-pool", "canary"]);
    eyes.wait("the pool to be gone", |screen| !screen.contents().lines().any(|line| line.contains("canary  ")));
    let labels = sim.node("worker-7")["metadata"]["labels"].clone();
    assert_eq!(labels["node-role.kubernetes.io/worker"], "");
    assert_eq!(labels["node-role.kubernetes.io/canary"], Value::Null, "the label went with the move");
    eyes.leave();
}

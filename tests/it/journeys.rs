//! Journeys: the real binary in a pseudo-terminal, as the person at the keyboard meets it.
//!
//! They wait for what the screen shows, never for time. What a journey changes is checked past the cockpit, by another
//! client of the simulated cluster.

use rustix::process::Signal;

use crate::support::hands::{CTRL_C, ENTER, ESC, TAB};
use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (120, 40);

/// A cluster that rests, and the cockpit on it as the admin.
fn resting(home: &Home) -> (Sim, Terminal) {
    let sim = Sim::start(home, &["--scenario", "minor"]);
    let terminal = Terminal::on(home, &sim, "admin", &[], SIZE);
    terminal.wait_text("NOT UPDATING");
    complete(&terminal);
    (sim, terminal)
}

/// The first picture is complete: a key that is pressed earlier meets an empty pane.
fn complete(terminal: &Terminal) {
    terminal.wait_line(&["master", "3/3"]);
    terminal.wait_line(&["worker", "6/6"]);
    terminal.wait_line(&["infra", "3/3"]);
}

#[test]
fn the_demo_opens_on_a_moving_update() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["demo"], SIZE);
    terminal.wait_text("CONTROL PLANE UPDATING");
    terminal.wait_line(&["4.18.22", "4.19.3", "stable-4.19"]);
    terminal.wait_line(&["preflight", "accepted", "operators", "masters", "pools", "verify"]);
    terminal.wait_line(&["infra", "paused"]);
    let before = terminal.text();
    terminal.wait("another picture", |screen| screen.contents() != before);
    terminal.press("q");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn each_tab_shows_its_pane() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    for (key, tab, shown) in [
        ("2", "[2 Operators", "kube-apiserver"),
        ("3", "[3 Pools", "infra"),
        ("4", "[4 Nodes", "worker-5"),
        ("5", "[5 Findings", "is not acknowledged"),
        ("6", "[6 Timeline", "Timeline"),
        ("1", "[1 Overview", "Nodes, one cell each"),
    ] {
        terminal.press(key);
        terminal.wait_text(tab);
        terminal.wait_text(shown);
    }
    terminal.press("?");
    terminal.wait_text("Change the cluster");
    terminal.press(ESC);
    terminal.wait_gone("Change the cluster");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn a_filter_narrows_the_nodes_and_esc_takes_it_away() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press("4");
    terminal.wait_text("[4 Nodes");
    terminal.wait_text("master-2");
    terminal.press("/worker-[12]");
    terminal.press(ENTER);
    terminal.wait_gone("master-2");
    terminal.wait_text("worker-2");
    terminal.press(ESC);
    terminal.wait_text("master-2");
}

#[test]
fn a_pool_is_paused_and_unpaused() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("3");
    terminal.wait_text("[3 Pools");
    terminal.press("hjp");
    terminal.confirm("Pause pool worker", &[]);
    terminal.wait_line(&["worker", "paused by oc-cockpit"]);
    terminal.wait_text("seen in the watch");
    assert_eq!(sim.pool("worker")["spec"]["paused"], true);

    terminal.press("p");
    terminal.confirm("Unpause pool worker", &[]);
    terminal.wait_gone("paused by oc-cockpit");
    assert_eq!(sim.pool("worker")["spec"]["paused"], false);

    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    let audit = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = lines.iter().map(|line| format!("{} {}", line["line"], line["effect"])).collect();
    assert_eq!(told, [r#""attempt" null"#, r#""outcome" "seen""#, r#""attempt" null"#, r#""outcome" "seen""#]);
    assert_eq!(lines[0]["id"], lines[1]["id"]);
}

#[test]
fn master_is_never_paused() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("3");
    terminal.wait_text("[3 Pools");
    terminal.press("p");
    terminal.wait_text("is never paused");
    assert_ne!(sim.pool("master")["spec"]["paused"], true);
}

#[test]
fn marked_nodes_are_cordoned_and_uncordoned() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("4");
    terminal.wait_text("[4 Nodes");
    terminal.press("/worker-[12]");
    terminal.press(ENTER);
    terminal.wait_gone("master-2");
    terminal.press("g j c");
    terminal.confirm("Cordon 2 nodes", &[]);
    terminal.wait_line(&["Cordon 2 nodes", "seen in the watch"]);
    let cordoned = |name: &str| sim.node(name)["spec"]["unschedulable"] == true;
    assert!(cordoned("worker-1") && cordoned("worker-2"), "both marked nodes are cordoned");
    assert!(!cordoned("worker-3"), "no other node is");

    // The marks went with their action: the next key meets the selected row alone, unless it is marked anew.
    terminal.press("g j u");
    terminal.confirm("Uncordon 2 nodes", &[]);
    terminal.wait_line(&["Uncordon 2 nodes", "seen in the watch"]);
    assert!(!cordoned("worker-1") && !cordoned("worker-2"), "both are back");
}

#[test]
fn a_drain_that_a_budget_blocks_is_freed_from_its_finding() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "stuck-drain", "--speed", "30"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &["--tab", "findings"], SIZE);
    terminal.wait_line(&["worker-0: drain blocked by shop/cart-0"]);
    terminal.press("/drain blocked");
    terminal.press(ENTER);
    terminal.wait_text("1/");
    terminal.press(ENTER);
    terminal.wait_text("What to do");
    terminal.wait_text("oc delete pod -n shop cart-0");
    let before = sim.ask("GET", "/api/v1/namespaces/shop/pods/cart-0", "");
    let uid = before["metadata"]["uid"].clone();
    // It scales up first, then relaxes the budget, then deletes the pod: only the last is done from here.
    terminal.press(TAB);
    terminal.press(TAB);
    terminal.wait_text("x plans it");
    terminal.press("x");
    terminal.wait_text("statefulset/cart starts cart-0 again");
    terminal.wait_text("type cart-0 to confirm");
    terminal.wait("the answer to the dry run", |screen| screen.contents().contains("the server takes it"));
    terminal.press("cart-0");
    terminal.press(TAB);
    terminal.press(TAB);
    terminal.press(ENTER);
    terminal.wait_line(&["Delete pod shop/cart-0", "seen in the watch"]);
    // Two keys in one read would be another key.
    terminal.press(ESC);
    terminal.wait_gone("What to do");
    terminal.press("4");
    terminal.wait_text("[4 Nodes");
    terminal.wait("the drain to end", |screen| {
        let text = screen.contents();
        let line = text.lines().find(|line| line.contains("worker-0"));
        line.is_some_and(|line| {
            ["Applying", "Rebooting", "Back", "Uncordoning", "Done"].iter().any(|to| line.contains(to))
        })
    });
    let after = sim.ask("GET", "/api/v1/namespaces/shop/pods/cart-0", "");
    assert_ne!(after["metadata"]["uid"], uid, "another one runs in its place");
    assert_ne!(after["spec"]["nodeName"], "worker-0", "elsewhere");
    let audit = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[0]["action"], &lines[0]["object"]),
        (2, &"delete-pod".into(), &"pod/shop/cart-0".into())
    );
    assert_eq!(lines[1]["effect"], "seen");
}

/// A budget of the shop, which has pods on worker-3.
const BUDGET: &str = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web";

/// worker-3 is being drained from here, and the budget, which allows nothing, is told to be in the way.
fn draining(home: &Home) -> (Sim, Terminal) {
    let (sim, mut terminal) = resting(home);
    sim.ask("PATCH", BUDGET, r#"{"spec":{"maxUnavailable":0}}"#);
    loop {
        let seen = sim.ask("GET", BUDGET, "");
        if seen["status"]["observedGeneration"] == seen["metadata"]["generation"] {
            break;
        }
    }
    terminal.pick_node("worker-3");
    terminal.press("r");
    terminal.wait_text("PDB web can never allow a");
    terminal.wait_text("the server takes it");
    terminal.confirm("Drain node worker-3", &[]);
    terminal.wait_line(&["shop/web-", "refused"]);
    terminal.wait_line(&["shop/web-", "PDB web can never allow"]);
    (sim, terminal)
}

#[test]
fn a_node_is_drained_and_a_refused_pod_is_freed_on_the_way() {
    let home = Home::new();
    let (sim, mut terminal) = draining(&home);
    terminal.wait_text("refused 1 time");
    assert_eq!(sim.node("worker-3")["spec"]["unschedulable"], true);

    // What is refused has the keyboard; its menu offers the way past the budget, which has to be confirmed by itself.
    terminal.press("x");
    terminal.wait_text("actions for pods shop/web-");
    terminal.press("j");
    terminal.press(ENTER);
    terminal.wait_text("it goes although it should not");
    terminal.wait_text("the server takes it");
    terminal.confirm("Delete pod shop/web-", &[]);
    terminal.wait_line(&["Drain node worker-3", "seen in the watch"]);
    terminal.wait_text("drained at");
    let budget = sim.ask("GET", BUDGET, "");
    assert_eq!(budget["spec"]["maxUnavailable"], 0, "the budget itself is not touched");
    let audit = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let refused = audit.lines().filter(|line| line.contains(r#""status":429"#)).count();
    assert!(refused >= 1, "{audit}");
}

#[test]
fn a_drain_is_stopped_and_says_so() {
    let home = Home::new();
    let (sim, mut terminal) = draining(&home);
    terminal.press("\x0b");
    terminal.wait_text("stopped: worker-3");
    terminal.wait_text("The nodes stay cordoned until they are uncordoned.");
    assert_eq!(sim.node("worker-3")["spec"]["unschedulable"], true);
}

#[test]
fn leaving_a_drain_says_what_stays_as_it_is() {
    let home = Home::new();
    let (sim, mut terminal) = draining(&home);
    terminal.press(CTRL_C);
    terminal.wait_text("quit again");
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), 0);
    terminal.wait_text("Drain node worker-3: ended on the way");
    terminal.wait_text("worker-3 stays cordoned");
    terminal.assert_intact();
    assert_eq!(sim.node("worker-3")["spec"]["unschedulable"], true);
}

#[test]
fn the_simulated_cluster_is_driven_from_the_cockpit() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["demo", "--scenario", "minor"], SIZE);
    complete(&terminal);
    terminal.press(":sim");
    terminal.press(ENTER);
    terminal.wait_text("export KUBECONFIG=");
    let text = terminal.text();
    let path = text.split("export KUBECONFIG=").nth(1).unwrap();
    let path: String = path.split(['│', '\n']).next().unwrap().trim().to_owned();
    assert!(std::path::Path::new(&path).exists(), "{path}");
    terminal.press("+");
    terminal.wait_text("speed 20x");
    // The first of the faults is an outage.
    terminal.press(ENTER);
    terminal.wait_text("STALE");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    assert!(!std::path::Path::new(&path).exists(), "the kubeconfig goes with the cluster");
}

#[test]
fn an_outage_leaves_the_versions_whole_on_a_small_terminal() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["demo"], (80, 24));
    terminal.wait_line(&["CONTROL PLANE UPDATING", "left"]);
    terminal.command("sim");
    terminal.wait_text("export KUBECONFIG=");
    // The first of the faults is an outage.
    terminal.press(ENTER);
    terminal.wait_line(&["4.18.22 → 4.19.3", "CONTROL PLANE UPDATING", "as of"]);
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_cordon_by_somebody_else_is_seen_within_a_second() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("4");
    terminal.wait_text("[4 Nodes");
    sim.ask("PATCH", "/api/v1/nodes/worker-3", r#"{"spec":{"unschedulable":true}}"#);
    terminal.wait_line(&["worker-3", "cordoned"]);
}

#[test]
fn a_patch_update_starts_and_a_minor_one_waits_for_its_gate() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("U");
    terminal.wait_text("versions on offer");
    // The one that may be started is preselected: the highest is not.
    terminal.press("g");
    terminal.press(ENTER);
    terminal.wait_text("refused");
    terminal.wait_text("AdminAckRequired");
    terminal.wait_text("require admin");
    terminal.press(ESC);
    terminal.wait_gone("refused");
    if !terminal.text().contains("versions on offer") {
        terminal.press("U");
        terminal.wait_text("versions on offer");
    }
    terminal.press("G");
    terminal.press(ENTER);
    terminal.wait_text("Start update to 4.18.25");
    terminal.wait_text("etcd backup");
    terminal.press("s3://backups/etcd");
    terminal.press(TAB);
    terminal.press("4.18.25");
    terminal.press(TAB);
    terminal.press(TAB);
    terminal.press(ENTER);
    terminal.wait_text("seen in the watch");
    terminal.wait_line(&["4.18.22", "4.18.25"]);
    let version = sim.ask("GET", "/apis/config.openshift.io/v1/clusterversions/version", "");
    assert_eq!(version["spec"]["desiredUpdate"]["version"], "4.18.25");
    terminal.wait_text("CONTROL PLANE UPDATING");
    let audit = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    assert!(audit.contains("s3://backups/etcd"), "the answer is recorded: {audit}");
}

/// Presses `key` until its plan is shown: the link is live a moment before every watch is, and until then the refusal
/// names the kind.
fn press_until_planned(terminal: &mut Terminal, key: &str) {
    let shows = |screen: &vt100::Screen, text: &str| screen.contents().contains(text);
    loop {
        terminal.press(key);
        terminal.wait("a plan or a refusal", |screen| shows(screen, "danger ") || shows(screen, ": refused]"));
        if !terminal.text().contains(": refused]") {
            return;
        }
        terminal.press("\x1b");
        terminal.wait_gone(": refused]");
    }
}

#[test]
fn an_outage_is_dated_refuses_writes_and_ends_without_a_key() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    terminal.press("3");
    terminal.wait_text("[3 Pools");
    terminal.press("hj");
    sim.throw("outage=12s");
    terminal.wait_text("STALE");
    terminal.wait_text("stale since");
    terminal.wait_line(&["worker", "6/6"]);
    terminal.press("p");
    terminal.wait_text("the picture is not live");
    terminal.wait_text("live 0.");
    terminal.wait_gone("STALE");
    press_until_planned(&mut terminal, "p");
    terminal.wait_text("Pause pool worker");
}

#[test]
fn a_new_token_in_the_kubeconfig_is_taken_up() {
    let home = Home::new();
    let (sim, mut terminal) = resting(&home);
    let old = std::fs::read_to_string(&sim.kubeconfig).unwrap();
    sim.throw("revoke-token=10s");
    terminal.wait_text("does not accept the credentials (401)");
    terminal.wait_text("STALE");
    terminal.wait_gone("STALE");
    terminal.wait_line(&["the API server answers again"]);
    assert_ne!(std::fs::read_to_string(&sim.kubeconfig).unwrap(), old, "there is a new token");
    terminal.press("3");
    terminal.wait_text("[3 Pools");
    terminal.press("hj");
    press_until_planned(&mut terminal, "p");
    terminal.confirm("Pause pool worker", &[]);
    terminal.wait_text("seen in the watch");
    assert_eq!(sim.pool("worker")["spec"]["paused"], true);
}

#[test]
fn a_restart_in_the_middle_keeps_verdict_and_ages() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "stuck-drain"]);
    let read = |terminal: &mut Terminal| {
        terminal.press("4");
        terminal.wait_text("[4 Nodes");
        terminal.wait("a node that drains", |screen| drain(&screen.contents()).is_some());
        let text = terminal.text();
        (verdict(&text), drain(&text).unwrap())
    };
    let mut first = Terminal::on(&home, &sim, "admin", &[], SIZE);
    first.wait_text("live 0.");
    let before = read(&mut first);
    first.press("\x03");
    assert_eq!(first.end(), 0);

    let mut second = Terminal::on(&home, &sim, "admin", &[], SIZE);
    second.wait_text("live 0.");
    let after = read(&mut second);
    assert_eq!(before.0, after.0, "the verdict");
    assert_eq!(before.1.0, after.1.0, "the node");
    let grown = after.1.1 - before.1.1;
    // Above ten minutes an age is shown in minutes.
    assert!((-60..=60).contains(&grown), "the age of the drain went from {} s to {} s", before.1.1, after.1.1);
}

/// The capitals of the header.
fn verdict(screen: &str) -> String {
    let line = screen.lines().nth(1).unwrap_or_default();
    let words = line.split("   ").map(str::trim);
    words.filter(|word| word.len() > 3 && word.chars().all(|c| c.is_uppercase() || c == ' ' || c == ',')).collect()
}

/// The first node that drains, with the age of that in seconds.
fn drain(screen: &str) -> Option<(String, i64)> {
    let row = screen.lines().find(|line| line.contains("worker-") && line.contains("Draining"))?;
    let name = row.split(|c: char| !c.is_alphanumeric() && c != '-').find(|word| word.starts_with("worker-"))?;
    let rest = row.split("Draining").nth(1)?;
    let age = rest.split_whitespace().map(|word| word.trim_start_matches('~')).find_map(age)?;
    Some((name.to_owned(), age))
}

/// `14m`, `3m12s`, `21s` in seconds.
fn age(word: &str) -> Option<i64> {
    let mut seconds = 0;
    let mut number = String::new();
    for c in word.chars() {
        match c {
            '0'..='9' => number.push(c),
            's' | 'm' | 'h' => {
                let unit = if c == 's' {
                    1
                } else if c == 'm' {
                    60
                } else {
                    3_600
                };
                seconds += number.parse::<i64>().ok()? * unit;
                number.clear();
            }
            _ => return None,
        }
    }
    (number.is_empty() && word.len() > 1).then_some(seconds)
}

#[test]
fn another_size_is_drawn_whole() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    for (columns, rows) in [(80, 24), (200, 60), (120, 40)] {
        terminal.resize(columns, rows);
        terminal.wait("the frame at the new size", |screen| {
            let lines: Vec<String> = screen.rows(0, columns).collect();
            let wide = |line: &String| line.trim_end().chars().count() > usize::from(columns) - 4;
            lines.iter().any(wide) && lines.last().is_some_and(|line| line.contains("x actions"))
        });
    }
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press("\x1a");
    terminal.wait_state("T");
    terminal.wait("the main screen", |screen| !screen.alternate_screen());
    terminal.assert_intact();
    terminal.signal(Signal::CONT);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.wait_text("NOT UPDATING");
    assert_eq!(terminal.cooked(), Some(false));
    terminal.press("2");
    terminal.wait_text("[2 Operators");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn read_only_offers_nothing_that_writes() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &["--read-only", "--tab", "pools"], SIZE);
    terminal.wait_text("NOT UPDATING");
    terminal.wait_text("[3 Pools");
    complete(&terminal);
    assert!(!terminal.text().contains("p pause"), "{}", terminal.text());
    terminal.press("hjp");
    terminal.wait_text("writes are off: started with --read-only");
    assert_ne!(sim.pool("worker")["spec"]["paused"], true);
}

#[test]
fn a_viewer_looks_and_is_told_why_not_more() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor"]);
    let mut terminal = Terminal::on(&home, &sim, "viewer", &["--tab", "3"], SIZE);
    terminal.wait_text("NOT UPDATING");
    terminal.wait_text("[3 Pools");
    complete(&terminal);
    terminal.wait_text(" RO ");
    terminal.wait_gone("p pause");
    terminal.wait_gone("x actions");
    terminal.press("jp");
    terminal.wait_text("does nothing here");
    terminal.press(":pause-pool worker");
    terminal.press(ENTER);
    terminal.wait_text("viewer may look and not write");
    assert_ne!(sim.pool("worker")["spec"]["paused"], true);
}

#[test]
fn a_view_is_saved_and_a_name_is_copied() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press("4");
    terminal.wait_text("[4 Nodes");
    terminal.press("\x13");
    terminal.wait_text("saved ");
    let saved: Vec<_> = std::fs::read_dir(home.state("views")).unwrap().collect();
    assert_eq!(saved.len(), 1);
    let text = std::fs::read_to_string(saved[0].as_ref().unwrap().path()).unwrap();
    assert!(text.contains("worker-5"), "{text}");
    terminal.press("Y");
    terminal.wait_text("copied: ");
    assert!(terminal.raw().contains("\x1b]52;c;"), "the copy goes out by OSC 52");
}

#[test]
fn no_color_means_no_colour() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor"]);
    let mut args = sim.flags("admin");
    args.push("--ascii".to_owned());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let terminal = Terminal::cockpit_with(&home, &args, SIZE, &[("NO_COLOR", "1")]);
    terminal.wait_text("NOT UPDATING");
    let raw = terminal.raw();
    let coloured = regex::Regex::new("\x1b\\[[0-9;]*?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m").unwrap();
    assert_eq!(coloured.find(&raw).map(|found| found.as_str()), None, "colour although NO_COLOR is set");
    assert!(terminal.text().is_ascii(), "not in ASCII alone: {}", terminal.text());
}

#[test]
fn without_a_kubeconfig_it_points_to_the_demo() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &[], SIZE);
    terminal.wait_text("no kubeconfig was found");
    terminal.wait_text("oc-cockpit demo");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let output = home.run(&["demo"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("standard output is not a terminal"), "{words}");
}

#[test]
fn a_dumb_terminal_is_refused_in_words() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit_with(&home, &["demo"], SIZE, &[("TERM", "dumb")]);
    assert_eq!(terminal.end(), 1);
    assert!(terminal.text().contains("TERM=dumb"), "{}", terminal.text());
    terminal.assert_intact();
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let home = Home::new();
        let mut terminal = Terminal::cockpit(&home, &[], SIZE);
        terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
        terminal.signal(signal);
        assert_eq!(terminal.end(), code, "{signal:?}");
        terminal.assert_intact();
    }
}

#[test]
fn a_terminal_that_dies_ends_it_without_a_defect() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["demo", "--scenario", "minor"], SIZE);
    complete(&terminal);
    assert_eq!(terminal.hang_up(), 129);
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("oc-cockpit-sim")), "{left:?}");
}

#[test]
fn a_panic_gives_the_terminal_back_and_tells_about_it() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["--panic-on", "~"], SIZE);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.press("~");
    assert_eq!(terminal.end(), 101);
    terminal.assert_intact();
    let text = terminal.text();
    assert!(text.contains("asked for by --panic-on ~"), "{text}");
    assert!(text.contains("The log may say more"), "{text}");
}

#[test]
fn ctrl_c_leaves_although_the_api_server_never_answers() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor", "--fault", "half-open=10m"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &[], SIZE);
    terminal.wait("the first frame", |screen| screen.contents().contains("[1 Overview"));
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn a_wrong_configuration_is_told_with_file_and_line() {
    let home = Home::new();
    home.configure("theme: dark\nread-only: sometimes\n");
    let output = home.run(&["config"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("config.yaml:2:"), "{words}");
}

#[test]
fn config_prints_the_paths_and_what_holds() {
    let home = Home::new();
    home.configure("theme: light\nthema: dark\ncolumns: {nodes: [zon]}\n");
    let output = home.run(&["config", "--ascii"]);
    assert_eq!(output.status.code(), Some(0));
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains("state/oc-cockpit/audit.jsonl"), "{words}");
    assert!(words.contains("theme: light") && words.contains("ascii: true"), "{words}");
    assert!(words.contains("config.yaml:2:1: unknown key `thema`"), "{words}");
    assert!(words.contains("config.yaml:3:19: columns: `zon` is not a column"), "{words}");
}

#[test]
fn the_simulator_serves_until_it_is_asked_to_end() {
    let home = Home::new();
    let mut sim = Sim::start(&home, &["--scenario", "minor"]);
    assert!(std::fs::read_to_string(&sim.kubeconfig).unwrap().contains("certificate-authority-data"));
    assert_eq!(sim.stop(), Some(0));
}

#[test]
fn a_wrong_scenario_or_fault_is_told_in_words() {
    let home = Home::new();
    for (args, words) in [
        (["sim", "--scenario", "moon"], "moon"),
        (["sim", "--fault", "flood=3s"], "there is no fault"),
        (["sim", "--from", "/nowhere"], "/nowhere"),
    ] {
        let output = home.run(&args);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn readiness_is_gone_through_and_what_it_needs_is_read() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press(":preflight");
    terminal.press(ENTER);
    terminal.wait_text("[preflight");
    terminal.wait_line(&["pass", "perators"]);
    terminal.wait("all that it needs to be read", |screen| {
        let text = screen.contents();
        text.contains("eady for") && !text.contains("reading ")
    });
    terminal.press("/-l answer=pass");
    terminal.press(ENTER);
    terminal.wait_text("/-l answer=pass");
    // Two escapes in one read would be another key.
    terminal.press(ESC);
    terminal.wait_gone("/-l answer=pass");
    terminal.press(ESC);
    terminal.wait_gone("[preflight");
}

#[test]
fn versions_are_looked_at_with_what_is_in_the_way() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press(":updates");
    terminal.press(ENTER);
    terminal.wait_text("[updates]");
    terminal.wait_text("The cluster is at 4.18.22");
    terminal.wait_line(&["4.19.3"]);
    terminal.press(ESC);
    terminal.wait_gone("The cluster is at");
}

#[test]
fn a_finding_is_opened_and_leads_to_what_it_is_about() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.press("5");
    terminal.wait_text("[5 Findings");
    terminal.wait_line(&["admin gate", "is not acknowledged"]);
    terminal.press(ENTER);
    terminal.wait_text("What to do");
    terminal.wait_text("It rests on");
    terminal.press(ENTER);
    terminal.wait_gone("It rests on");
}

#[test]
fn the_log_of_the_daemon_of_a_node_is_followed() {
    let home = Home::new();
    let (_sim, mut terminal) = resting(&home);
    terminal.pick_node("worker-3");
    terminal.press("l");
    terminal.wait_line(&["log for worker-3", "machine-config-daemon"]);
    terminal.wait_line(&["openshift-machine-config-operator/machine-config-daemon", "on worker-3"]);
    terminal.wait_text("following");
    terminal.press("k");
    terminal.wait_text("held");
    terminal.press(ESC);
    terminal.wait_gone("log for worker-3");
}

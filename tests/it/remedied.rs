//! From a finding to the action that helps, by keys in a pseudo-terminal, and what it changes in the cluster.
//!
//! They wait for what the screen shows, never for time; where something has to last, the simulated cluster lets time pass.

use oc_cockpit::sim::cluster::mirrors;
use serde_json::Value;

use crate::support::hands::{ENTER, TAB};
use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (150, 45);
const CSV: &str =
    "/apis/operators.coreos.com/v1alpha1/namespaces/openshift-operator-lifecycle-manager/clusterserviceversions/packageserver";

/// The cockpit on a scenario, with its first picture.
fn on(home: &Home, args: &[&str], verdict: &str) -> (Sim, Terminal) {
    let sim = Sim::start(home, args);
    let terminal = Terminal::on(home, &sim, "admin", &[], SIZE);
    terminal.wait_text(verdict);
    (sim, terminal)
}

/// Lets something go wrong.
fn misfortune(sim: &Sim, mishap: &str) {
    sim.ask("POST", "/sim/mishaps", mishap);
}

/// Goes on to the remedy that says `words`, in the finding that is open, and plans it.
fn plan(terminal: &mut Terminal, words: &str) {
    let chosen = |screen: &str| -> Vec<String> {
        screen.lines().filter(|line| line.contains('▌')).map(str::to_owned).collect()
    };
    while !chosen(&terminal.text()).iter().any(|line| line.contains(words)) {
        let before = chosen(&terminal.text());
        terminal.press(TAB);
        terminal.wait("another remedy", |screen| {
            let now = chosen(&screen.contents());
            now != before && now.len() == 1
        });
    }
    terminal.wait_text("x plans it");
    terminal.press("x");
}

/// The actions of the audit log, each seen in the watch.
fn done(home: &Home) -> Vec<String> {
    let text = std::fs::read_to_string(home.state("audit.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<&Value> = lines.iter().filter(|line| line["line"] == "outcome").map(|line| &line["effect"]).collect();
    assert!(outcomes.iter().all(|effect| **effect == "seen"), "{text}");
    let attempts = lines.iter().filter(|line| line["line"] == "attempt");
    attempts.map(|line| line["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_certificates_of_a_node_that_came_back_are_approved() {
    let home = Home::new();
    let (sim, mut terminal) = on(&home, &["--scenario", "minor", "--speed", "60"], "NOT UPDATING");
    misfortune(&sim, r#"{"kind":"csr-pending","object":"worker-2"}"#);
    misfortune(&sim, r#"{"kind":"node-down","object":"worker-2","lasts":"8m"}"#);
    terminal.press("4");
    terminal.wait_line(&["worker-2", "NotReady"]);
    sim.pass("20m");
    terminal.press("5");
    std::thread::sleep(std::time::Duration::from_secs(8));
    eprintln!("{}", terminal.text());
    eprintln!("{:#}", sim.ask("GET", "/apis/certificates.k8s.io/v1/certificatesigningrequests", ""));
    terminal.open_finding("csr-pending");
    eprintln!("{}", terminal.text());
    plan(&mut terminal, "Approve the requests");
    terminal.wait_text("leave it");
    terminal.rehearsed();
    eprintln!("{}", terminal.text());
    panic!();
}

#[test]
fn a_stuck_packageserver_is_deleted_and_comes_back() {
    let home = Home::new();
    let story = home.path().join("stuck.yaml");
    let story_of = include_str!("../../assets/scenarios/minor.yaml").to_owned()
        + "\nfaults:\n  - {kind: package-server-stuck}\nstart:\n  update-to: 4.18.25\n  requested: 90m\n";
    std::fs::write(&story, story_of).unwrap();
    let (sim, mut terminal) = on(&home, &["--scenario", story.to_str().unwrap(), "--speed", "1"], "4.18.25");
    terminal.open_finding("packageserver-stuck");
    let before = sim.ask("GET", CSV, "");
    assert_eq!(before["status"]["phase"], "Installing");
    plan(&mut terminal, "Delete this ClusterServiceVersion");
    terminal.wait_text("leave it");
    terminal.rehearsed();
    eprintln!("{}", terminal.text());
    terminal.carry_out("Delete the stuck ClusterServiceVersion packageserver", &[]);
    eprintln!("{}", terminal.text());
    sim.ask("POST", "/sim/speed", "60");
    let after = sim.until(CSV, "installed", |csv| csv["status"]["phase"] == "Succeeded");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"], "another one");
    terminal.wait_text("not among the findings any more");
    eprintln!("{}", terminal.text());
    assert_eq!(done(&home), ["delete-packageserver-csv"]);
    terminal.leave();
}

#[test]
fn an_install_plan_that_waits_is_approved() {
    let home = Home::new();
    let (sim, mut terminal) = on(&home, &["--scenario", "canary", "--speed", "60"], "NOT UPDATING");
    terminal.command("preflight");
    terminal.wait_text("waits for approval");
    eprintln!("{}", terminal.text());
    eprintln!("{:#}", sim.ask("GET", "/apis/operators.coreos.com/v1alpha1/namespaces/vault-sync/installplans", ""));
    panic!();
}

#[test]
fn a_forgotten_signature_is_applied_from_its_file() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "disconnected", "--speed", "10"]);
    let mut terminal = Terminal::on(&home, &sim, "admin", &[], SIZE);
    terminal.wait_text("4.18.25");
    terminal.open_finding("signature-missing");
    eprintln!("{}", terminal.text());
    plan(&mut terminal, "Apply the signature");
    terminal.wait_text("[apply-signature]");
    eprintln!("{}", terminal.text());
    let mut signature = mirrors::signature("4.18.25");
    signature["apiVersion"] = "v1".into();
    signature["kind"] = "ConfigMap".into();
    let file = home.path().join("signature-sha256-f9402d00.yaml");
    std::fs::write(&file, signature.to_string()).unwrap();
    terminal.press(file.to_str().unwrap());
    terminal.press(ENTER);
    terminal.wait_text("leave it");
    terminal.rehearsed();
    eprintln!("{}", terminal.text());
    panic!();
}

//! From a finding to the action that helps, by keys in a pseudo-terminal, and what it changes in the cluster.
//!
//! They wait for what the screen shows, never for time; where something has to last, the simulated cluster lets time pass.

use oc_cockpit::sim::cluster::mirrors;
use serde_json::Value;

use crate::support::hands::{ENTER, TAB};
use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (150, 45);
const CSV: &str = "/apis/operators.coreos.com/v1alpha1/namespaces/openshift-operator-lifecycle-manager/clusterserviceversions/packageserver";

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

#[test]
fn the_certificates_of_a_node_that_came_back_are_approved() {
    const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let home = Home::new();
    let (sim, mut terminal) = on(&home, &["--scenario", "minor", "--speed", "60"], "NOT UPDATING");
    misfortune(&sim, r#"{"kind":"csr-pending","object":"worker-2"}"#);
    misfortune(&sim, r#"{"kind":"node-down","object":"worker-2","lasts":"8m"}"#);
    terminal.press("4");
    terminal.wait_line(&["worker-2", "NotReady"]);
    sim.pass("20m");

    // First the kubelet asks for the certificate of a client, with the account of new nodes; then for that of its server.
    terminal.open_finding("csr-pending");
    terminal.wait_line(&["1 certificate request of kubelets waits for approval"]);
    let client = request(&sim.ask("GET", REQUESTS, ""), "kubernetes.io/kube-apiserver-client-kubelet");
    terminal.plan_remedy("Approve the requests of nodes that you know.");
    terminal.wait_text("asks with the bootstrap account");
    terminal.carry_out(&format!("Approve certificate request {client}"), &[&client]);
    terminal.wait_text("It is over");
    terminal.close("It is over");
    sim.until("/api/v1/nodes/worker-2", "ready", |node| {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        conditions.iter().any(|found| found["type"] == "Ready" && found["status"] == "True")
    });
    sim.pass("3m");
    terminal.wait_line(&["1 certificate request of worker-2 waits for approval"]);
    let server = request(&sim.ask("GET", REQUESTS, ""), "kubernetes.io/kubelet-serving");
    terminal.press(ENTER);
    terminal.wait_text(": csr-pending]");
    terminal.wait_gone("[Findings ");
    terminal.plan_remedy("Approve the requests of nodes that you know.");
    terminal.carry_out(&format!("Approve certificate request {server}"), &[]);
    terminal.wait_text("It is over");
    assert_eq!(home.done(), ["approve-csr", "approve-csr"]);
    terminal.leave();
}

/// The name of the request that waits for that signer.
fn request(list: &Value, signer: &str) -> String {
    let waits = |request: &&Value| {
        request["spec"]["signerName"] == signer && request["status"]["conditions"].as_array().is_none_or(Vec::is_empty)
    };
    let found = list["items"].as_array().unwrap().iter().find(waits);
    found.unwrap_or_else(|| panic!("no request for {signer}: {list:#}"))["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_stuck_packageserver_is_deleted_and_comes_back() {
    let home = Home::new();
    // An update that has waited for it since more than an hour, told in real time.
    let story = home.path().join("stuck.yaml");
    let text = include_str!("../../assets/scenarios/minor.yaml").to_owned()
        + "\nfaults:\n  - {kind: package-server-stuck}\nstart:\n  update-to: 4.18.25\n  requested: 90m\n";
    std::fs::write(&story, text).unwrap();
    let (sim, mut terminal) = on(&home, &["--scenario", story.to_str().unwrap(), "--speed", "1"], "4.18.25");
    terminal.open_finding("packageserver-stuck");
    let before = sim.ask("GET", CSV, "");
    assert_eq!(before["status"]["phase"], "Installing");
    terminal.plan_remedy("Delete this ClusterServiceVersion, and only this one");
    terminal.wait_text("until it is back the web console and oc list no packages");
    terminal.carry_out("Delete the stuck ClusterServiceVersion packageserver", &[]);
    terminal.wait_text("It is over");
    sim.ask("POST", "/sim/speed", "60");
    // What it held up goes on.
    terminal.wait_line(&["operators 33/33"]);
    let after = sim.ask("GET", CSV, "");
    assert_eq!(after["status"]["phase"], "Succeeded");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"], "another one");
    assert_eq!(home.done(), ["delete-packageserver-csv"]);
    terminal.leave();
}

#[test]
fn an_install_plan_that_waits_is_approved_as_the_look_before_the_update_says() {
    const OLM: &str = "/apis/operators.coreos.com/v1alpha1/namespaces/vault-sync";
    let home = Home::new();
    let (sim, mut terminal) = on(&home, &["--scenario", "canary", "--speed", "60"], "NOT UPDATING");
    terminal.command("preflight");
    terminal.wait_line(&["waits for approval: vault-sync.v1.8.2"]);
    terminal.wait_line(&[":approve-install-plan vault-sync/", "plans it"]);
    let text = terminal.text();
    let line = text.split(" :").find(|said| said.starts_with("approve-install-plan ")).unwrap();
    let line = line.split(" plans it").next().unwrap().to_owned();
    terminal.close("[preflight]");
    terminal.command(&line);
    terminal.wait_text("vault-sync.v1.7.0 (1.7.0) -> vault-sync.v1.8.2");
    terminal.carry_out("Approve install plan vault-sync/", &[]);
    sim.until(&format!("{OLM}/subscriptions/vault-sync"), "at the newer version", |subscription| {
        subscription["status"]["installedCSV"] == "vault-sync.v1.8.2"
    });
    terminal.command("preflight");
    terminal.wait("nothing to say about operators that are installed", |screen| {
        let text = screen.contents();
        text.contains("Ready for an update") && !text.contains("reading ") && !text.contains("Installed operators")
    });
    assert_eq!(home.done(), ["approve-install-plan"]);
    terminal.leave();
}

#[test]
fn a_forgotten_signature_is_applied_from_its_file() {
    let home = Home::new();
    let (sim, mut terminal) = on(&home, &["--scenario", "disconnected"], "NEEDS A PERSON");
    let mut signature = mirrors::signature("4.18.25");
    signature["apiVersion"] = "v1".into();
    signature["kind"] = "ConfigMap".into();
    let file = home.path().join("signature-sha256-mirrored.yaml");
    std::fs::write(&file, signature.to_string()).unwrap();
    terminal.open_finding("signature-missing");
    // Which file is asked for, as everywhere where something is missing.
    terminal.plan_remedy("Apply the signature ConfigMap that mirroring the release has written.");
    terminal.wait_text("[apply-signature]");
    terminal.press("signature-sha256-mirrored.yaml");
    terminal.press(TAB);
    terminal.press(TAB);
    terminal.wait_text("[ leave it ]");
    terminal.press(TAB);
    terminal.wait_text("[ show the plan ]");
    terminal.press(ENTER);
    terminal.carry_out("Apply signature-sha256-mirrored.yaml", &[]);
    terminal.wait_text("It is over");
    terminal.close("It is over");
    // The release is verified, and the update that was asked for begins.
    terminal.wait_text("CONTROL PLANE UPDATING");
    terminal.wait_line(&["4.18.22", "4.18.25"]);
    let version = sim.ask("GET", "/apis/config.openshift.io/v1/clusterversions/version", "");
    assert_eq!(version["status"]["history"][0]["verified"], true);
    assert_eq!(home.done(), ["apply-signature"]);
    terminal.leave();
}

//! `oc-cockpit logs`: the real binary on simulated clusters.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use crate::support::{COCKPIT, Home, Sim};

/// A simulated cluster that is asked for logs.
struct Asked {
    home: Home,
    sim: Sim,
}

impl Asked {
    fn of(scenario: &str) -> Self {
        let home = Home::new();
        let sim = Sim::start(&home, &["--scenario", scenario]);
        Self { home, sim }
    }

    fn run(&self, words: &[&str]) -> Output {
        let flags = self.sim.flags("admin");
        let mut all = vec!["logs"];
        all.extend(words);
        all.extend(flags.iter().map(String::as_str));
        self.home.run(&all)
    }

    /// Code, stdout, stderr.
    fn told(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.run(words);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The names of the logs that explain something.
    fn listed(&self, what: &str) -> Vec<String> {
        let (code, out, err) = self.told(&[what, "--list"]);
        assert_eq!(code, 0, "{err}");
        out.lines().map(str::to_owned).collect()
    }
}

#[test]
fn the_log_of_an_operator_goes_to_stdout_and_what_it_is_to_stderr() {
    let asked = Asked::of("degraded-operator");
    let (code, out, err) = asked.told(&["operator/monitoring"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.lines().count() >= 1, "{out}\n{err}");
    assert!(err.contains("pods of openshift-monitoring: openshift-monitoring/"), "{err}");
    assert!(err.contains("explain it too: --list names them"), "{err}");
    assert!(!err.contains("journalctl"), "nothing of it is in a journal: {err}");

    let names = asked.listed("co/monitoring");
    assert!(names.len() > 1 && names.iter().any(|name| name.contains("prometheus-k8s-0")), "{names:#?}");
    let (code, out, err) = asked.told(&["operator/monitoring", "--pod", "prometheus-k8s-0", "--tail", "1"]);
    assert_eq!((code, out.lines().count()), (0, 1), "{err}");
    assert!(err.contains("openshift-monitoring/prometheus-k8s-0"), "{err}");
    let (_, stamped, _) =
        asked.told(&["operator/monitoring", "--pod", "prometheus-k8s-0", "--tail", "1", "--timestamps"]);
    let (at, _) = stamped.split_once(' ').unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{stamped}");

    let (code, out, err) = asked.told(&["operator/monitoring", "--pod", "nobody"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("none of the logs that explain it is of that pod"), "{err}");
}

#[test]
fn a_pool_and_a_node_are_explained_by_controller_and_daemon() {
    let asked = Asked::of("stuck-drain");
    let pool = asked.listed("pool/worker");
    assert!(pool[0].starts_with("machine-config-controller: openshift-machine-config-operator/"), "{pool:#?}");
    assert!(pool.iter().any(|name| name.starts_with("machine-config-daemon on worker-0")), "{pool:#?}");
    let (code, out, err) = asked.told(&["node/worker-0", "--all", "--tail", "2"]);
    assert_eq!(code, 0, "{err}");
    let heads: Vec<&str> = out.lines().filter(|line| line.starts_with("==> ")).collect();
    assert_eq!(heads.len(), asked.listed("node/worker-0").len(), "{out}");
    assert!(heads[0].contains("machine-config-daemon on worker-0: "), "{heads:?}");
    let (code, out, _) = asked.told(&["version"]);
    assert_eq!(code, 0);
    assert!(out.lines().count() > 2, "{out}");
    let (code, out, _) = asked.told(&["version", "--tail", "2"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
}

#[test]
fn what_the_api_does_not_show_of_an_image_based_upgrade_is_said() {
    let asked = Asked::of("ibu");
    let (code, out, err) = asked.told(&["ibu", "--all"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("==> lifecycle agent: ") && out.lines().count() > 1, "{out}");
    assert!(err.contains("journalctl -u installation-configuration"), "{err}");
    let (code, out, err) = asked.told(&["ibu", "--previous"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("was never started again"), "{err}");
}

#[test]
fn what_is_not_there_is_told_and_a_wrong_line_is_usage() {
    let asked = Asked::of("minor");
    for (what, part) in [
        ("operator/nothing", "there is no cluster operator nothing"),
        ("pool/gpu", "there is no pool gpu"),
        ("node/worker-99", "there is no node worker-99"),
        ("ibu", "there is no image-based upgrade in this cluster"),
    ] {
        let (code, out, err) = asked.told(&[what]);
        assert_eq!((code, out.as_str()), (1, ""), "{what}");
        assert!(err.contains(part), "{what}: {err}");
    }
    let of_nobody = asked.home.run(&["logs", "version", "--server", "https://127.0.0.1:1"]);
    assert_eq!(of_nobody.status.code(), Some(1));
    for line in [&["pod/x"][..], &["node/a", "--follow", "--previous"], &["ibu", "--tail", "all"], &[]] {
        assert_eq!(asked.run(line).status.code(), Some(2), "{line:?}");
    }
}

#[test]
fn a_log_is_followed_until_nobody_reads_it() {
    let asked = Asked::of("stuck-drain");
    let mut child = Command::new(COCKPIT)
        .args(["logs", "node/worker-0", "--follow", "--tail", "1"])
        .args(asked.sim.flags("admin"))
        .env_clear()
        .envs(asked.home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

//! The commands that answer and end, and the cockpit on a recording: the real binary, on dumps and on a simulated cluster.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use flate2::{Compression, write::GzEncoder};
use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::{COCKPIT, Home, Sim, Terminal, fields};

const DUMP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stuck-drain");
const NOW: &str = "2026-03-01T11:20:00Z";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", text(&output.stdout), text(&output.stderr)))
}

/// `status` of the dump at `path`, as JSON.
fn status(home: &Home, path: &Path) -> Value {
    json(&home.run(&["status", "--from", path.to_str().unwrap(), "--now", NOW, "-o", "json"]))
}

#[test]
fn status_tells_a_recording_on_a_page() {
    let home = Home::new();
    let page = home.run(&["status", "--from", DUMP, "--now", NOW]);
    assert_eq!((page.status.code(), text(&page.stderr)), (Some(0), String::new()));
    let page = text(&page.stdout);
    assert!(!page.contains('\u{1b}'), "no colour where no terminal is");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    insta::assert_snapshot!("status_page", page);
    let all = text(&home.run(&["status", "--from", DUMP, "--now", NOW, "--details=all"]).stdout);
    for part in ["Meaning", "Evidence", "Do ", "worker-0", "infra-0"] {
        assert!(all.contains(part), "{part} is in the details:\n{all}");
    }
}

#[test]
fn status_has_the_documented_fields() {
    let home = Home::new();
    let told = status(&home, Path::new(DUMP));
    assert_eq!(
        (&told["apiVersion"], &told["kind"], &told["now"]),
        (&"oc-cockpit.io/v1".into(), &"Status".into(), &NOW.into())
    );
    let documented = include_str!("../../docs/status-json.md");
    let mut paths = Vec::new();
    fields(&told, "", &[], &mut paths);
    assert!(paths.len() > 80, "{paths:?}");
    let missing: Vec<&String> = paths.iter().filter(|path| !documented.contains(&format!("`{path}`"))).collect();
    assert!(missing.is_empty(), "not in docs/status-json.md: {missing:?}");
    for path in [
        "update.verdict",
        "update.from",
        "update.to",
        "update.fromIncomplete",
        "update.multiArch",
        "update.startedAt",
        "update.completedAt",
        "update.operators.total",
        "update.operators.healthy",
        "update.updatingOperators",
        "pools[].assessment",
        "pools[].excluded",
        "pools[].paused",
        "nodes[].phase",
        "nodes[].message",
        "nodes[].version",
        "findings[].level",
        "findings[].impact",
        "findings[].since",
        "findings[].title",
        "findings[].resources",
        "estimate",
    ] {
        assert!(paths.iter().any(|known| known == path), "{path} is missing");
    }
    let yaml = home.run(&["status", "--from", DUMP, "--now", NOW, "-o", "yaml"]);
    let same: Value = serde_saphyr::from_slice(&yaml.stdout).unwrap();
    assert_eq!(same, told, "YAML is the same document");
}

#[test]
fn the_exit_code_says_where_the_update_stands_when_it_is_asked_to() {
    let home = Home::new();
    let code = |args: &[&str]| home.run(args).status.code();
    assert_eq!(code(&["status", "--from", DUMP, "--now", NOW]), Some(0));
    assert_eq!(code(&["status", "--from", DUMP, "--now", NOW, "--exit-code"]), Some(4), "the drain needs a person");
    let finished = home.path().join("cv.yaml");
    fs::write(&finished, "apiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {name: version}\nstatus:\n  \
        desired: {version: 4.19.3}\n  history: [{state: Completed, version: 4.19.3, startedTime: '2026-01-01T00:00:00Z', \
        completionTime: '2026-01-01T01:00:00Z'}]\n  conditions: [{type: Progressing, status: 'False', \
        lastTransitionTime: '2026-01-01T01:00:00Z'}]\n").unwrap();
    let alone = code(&["status", "--from", finished.to_str().unwrap(), "--exit-code"]);
    assert_eq!(alone, Some(1), "without pools and nodes nobody knows whether they roll");
    let rest = home.path().join("rest.yaml");
    fs::write(
        &rest,
        "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfigPool\nmetadata: {name: worker}\n\
        ---\napiVersion: v1\nkind: Node\nmetadata: {name: worker-0}\n",
    )
    .unwrap();
    let whole = ["status", "--from", finished.to_str().unwrap(), rest.to_str().unwrap(), "--exit-code"];
    assert_eq!(code(&whole), Some(0));
    assert_eq!(code(&["status", "--nonsense"]), Some(2));
    let nothing = home.run(&["status", "--from", home.path().join("missing.yaml").to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stderr).contains("missing.yaml"), "{}", text(&nothing.stderr));
    let nobody = home.run(&["status", "--server", "https://127.0.0.1:1", "--token", "t"]);
    assert_eq!(nobody.status.code(), Some(1), "{}", text(&nobody.stdout));
    assert!(text(&nobody.stderr).contains("oc-cockpit: "), "{}", text(&nobody.stderr));
}

/// The dump as a must-gather tree: what `oc adm inspect` writes where, with what such trees hold besides.
fn must_gather(home: &Home) -> PathBuf {
    let top = home.path().join("must-gather.local.1");
    let write = |path: &str, text: &str| {
        let path = top.join("quay-io-image").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let read = |file: &str| fs::read_to_string(format!("{DUMP}/{file}")).unwrap();
    let cluster = "cluster-scoped-resources";
    write(&format!("{cluster}/config.openshift.io/clusterversions/version.yaml"), &read("clusterversion.yaml"));
    write(&format!("{cluster}/config.openshift.io/clusteroperators.yaml"), &read("clusteroperators.yaml"));
    let mco = format!("{cluster}/machineconfiguration.openshift.io");
    write(&format!("{mco}/machineconfigpools/all.yaml"), &read("machineconfigpools.yaml"));
    write(&format!("{mco}/machineconfignodes/all.yaml"), &read("machineconfignodes.yaml"));
    write(&format!("{mco}/machineconfigs/all.yaml"), &read("machineconfigs.yaml"));
    write(&format!("{cluster}/core/nodes/all.yaml"), &read("nodes.yaml"));
    write("namespaces/default/core/events.yaml", &read("events.json"));
    write("namespaces/shop/core/events.yaml", "{ this is no yaml and is not read");
    write(&format!("{cluster}/core/nodes/broken.yaml"), "a: [1");
    write("namespaces/shop/pods/cart-0/cart/cart/logs/current.log", &"a line\n".repeat(10_000));
    top
}

#[test]
fn trees_and_archives_tell_the_same_as_plain_files() {
    let home = Home::new();
    let tree = must_gather(&home);
    let plain = status(&home, Path::new(DUMP));
    let mut of_tree = status(&home, &tree);
    let problems = of_tree["problems"].as_array().unwrap().clone();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0]["what"].as_str().unwrap().ends_with("nodes/broken.yaml"));
    of_tree["problems"] = plain["problems"].clone();
    assert_eq!(of_tree, plain);

    let packed = home.path().join("must-gather.tar.gz");
    let mut archive = tar::Builder::new(GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast()));
    archive.follow_symlinks(false);
    std::os::unix::fs::symlink("/etc/passwd", tree.join("quay-io-image/cluster-scoped-resources/core/nodes/link.yaml"))
        .unwrap();
    archive.append_dir_all("must-gather.local.1", &tree).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let mut of_archive = status(&home, &packed);
    assert_eq!(
        of_archive["problems"].as_array().unwrap().len(),
        1,
        "the link is not followed: {}",
        of_archive["problems"]
    );
    of_archive["problems"] = plain["problems"].clone();
    assert_eq!(of_archive, plain);

    let whole = fs::read(&packed).unwrap();
    let cut = home.path().join("cut.tgz");
    fs::write(&cut, &whole[..whole.len() - 64]).unwrap();
    let of_rest = status(&home, &cut);
    let told = of_rest["problems"].as_array().unwrap();
    assert!(
        told.iter().any(|problem| problem["words"].as_str().unwrap().contains("cannot be read to its end")),
        "{told:?}"
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let home = Home::new();
    let mut child = Command::new(COCKPIT)
        .args(["status", "--from", DUMP, "--now", NOW, "--details=all"])
        .env_clear()
        .envs(home.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_cluster_is_asked_once() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "tour"]);
    let ask = |args: &[&str], user: &str| {
        let flags = sim.flags(user);
        let mut all: Vec<&str> = args.to_vec();
        all.extend(flags.iter().map(String::as_str));
        home.run(&all)
    };
    let told = json(&ask(&["status", "-o", "json"], "admin"));
    assert_eq!((&told["update"]["to"], &told["recording"]), (&"4.19.3".into(), &false.into()));
    assert!(told["nodes"].as_array().unwrap().len() > 3 && told["pools"].as_array().unwrap().len() >= 2);
    assert!(told["update"]["verdict"].is_string());
    let code = ask(&["status", "--exit-code"], "viewer").status.code();
    assert!(matches!(code, Some(3..=5)), "an update is under way: {code:?}");
    let updates = ask(&["updates", "-o", "json"], "admin");
    assert_eq!(json(&updates)["current"], "4.19.3", "{}", text(&updates.stderr));
    let preflight = ask(&["preflight", "-o", "json"], "admin");
    assert!(json(&preflight)["rows"].as_array().unwrap().len() > 10, "{}", text(&preflight.stderr));
    assert!(!text(&ask(&["updates"], "admin").stdout).is_empty());
    assert!(!text(&ask(&["preflight"], "admin").stdout).is_empty());
}

#[test]
fn volumes_of_an_image_based_upgrade_are_told_before_it_and_by_field() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "ibu"]);
    let ask = |args: &[&str]| {
        let flags = sim.flags("admin");
        let mut all: Vec<&str> = args.to_vec();
        all.extend(flags.iter().map(String::as_str));
        home.run(&all)
    };
    let told = json(&ask(&["status", "-o", "json"]));
    let volumes = &told["imageBased"]["volumes"];
    assert_eq!((&told["imageBased"]["state"], &volumes["unread"]), (&"Idle".into(), &Value::Array(Vec::new())));
    let rows = volumes["onNode"].as_array().unwrap();
    assert!(rows.len() >= 2, "{volumes}");
    let page = text(&ask(&["status", "--details=image"]).stdout);
    for row in rows {
        for field in ["name", "claim", "reclaimPolicy", "size"] {
            let value = row[field].as_str().unwrap_or_else(|| panic!("{field}: {row}"));
            assert!(page.contains(value), "{value}\n{page}");
        }
        assert_eq!(row["backing"], "logical");
    }
    let documented = include_str!("../../docs/status-json.md");
    let mut paths = Vec::new();
    fields(&told["imageBased"], "imageBased", &[], &mut paths);
    // The rail has the fields of `phases[]`.
    paths.retain(|path| !path.starts_with("imageBased.rail[]"));
    let missing: Vec<&String> = paths.iter().filter(|path| !documented.contains(&format!("`{path}`"))).collect();
    assert!(missing.is_empty() && paths.len() > 20, "not in docs/status-json.md: {missing:?} of {paths:?}");
    assert!(!text(&ask(&["status"]).stdout).contains("RECLAIM POLICY"), "not asked for");
}

/// `oc-cockpit status --watch`, whose answers are read from its output.
fn watching(home: &Home, sim: &Sim, flags: &[&str]) -> Child {
    Command::new(COCKPIT)
        .args(["status", "--watch"])
        .args(flags)
        .args(sim.flags("admin"))
        .env_clear()
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_moment_before_the_dump_is_refused() {
    let home = Home::new();
    for line in [&["status", "--from", DUMP][..], &["preflight", "--from", DUMP], &["open", DUMP]] {
        let refused = home.run(&[line, &["--now", "2020-01-01T00:00:00Z"]].concat());
        assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(2), String::new()), "{line:?}");
        let words = text(&refused.stderr);
        assert!(words.contains("2020-01-01") && words.contains("is earlier than what these files tell"), "{words}");
    }
    let without = home.run(&["status", "--now", "2026-03-01T11:20:00Z"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("--from"), "a moment is for a dump");
}

#[test]
fn updates_and_preflight_tell_in_json_what_could_not_be_read() {
    let home = Home::new();
    let broken = home.path().join("broken.yaml");
    fs::write(&broken, "kind: [unclosed").unwrap();
    for command in ["updates", "preflight"] {
        let output = home.run(&[command, "--from", DUMP, broken.to_str().unwrap(), "--now", NOW, "-o", "json"]);
        let told = json(&output);
        let named = |problem: &Value| problem["what"].as_str().is_some_and(|what| what.ends_with("broken.yaml"));
        assert!(told["problems"].as_array().unwrap().iter().any(named), "{command}: {}", told["problems"]);
        assert_eq!((&told["apiVersion"], &told["current"]), (&"oc-cockpit.io/v1".into(), &"4.19.3".into()));
    }
}

#[test]
fn watching_answers_whenever_the_answer_changed() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "tour", "--speed", "60"]);
    let mut child = watching(&home, &sim, &["-o", "json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answer = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let (first, second) = (answer(), answer());
    assert_eq!(first["kind"], "Status");
    assert_ne!(first, second, "nothing is said twice");
    // Whoever runs the tests in the background may have INT ignored.
    rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
}

/// A script that waits for a stage must neither be told that all is over while the stage goes on (the ClusterVersion rests
/// meanwhile), nor wait for ever when only a person can go on.
#[test]
fn watching_a_stage_of_an_image_based_upgrade_ends_when_a_person_decides_what_follows() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "ibu", "--speed", "30"]);
    let run = |args: &[&str]| {
        let mut command = Command::new(COCKPIT);
        command.args(args).args(sim.flags("admin")).env_clear().envs(home.environment()).stdin(Stdio::null());
        command.output().unwrap()
    };
    let seed = ["--seed-image", "registry.example.com:5000/seeds/edge:4.19.3", "--seed-version", "4.19.3"];
    let content = ["--oadp-content", "openshift-adp/acm-klusterlet", "--oadp-content", "openshift-adp/edge-apps"];
    let prep = run(&[&["do", "ibu-prep", "--yes"], seed.as_slice(), &content].concat());
    assert_eq!(prep.status.code(), Some(0), "{}", text(&prep.stderr));
    let watched = run(&["status", "--watch", "--exit-code", "-o", "json"]);
    let answers = text(&watched.stdout);
    let states: Vec<String> = answers
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["imageBased"]["state"].as_str().unwrap_or("none").to_owned()
        })
        .collect();
    assert_eq!(watched.status.code(), Some(4), "a person decides: {answers}");
    assert_eq!(states.last().map(String::as_str), Some("Prepared"));
    assert!(states.iter().all(|state| ["Preparing", "Prepared"].contains(&state.as_str())), "{states:?}");
    let idle = run(&["do", "ibu-idle", "--yes"]);
    assert_eq!(idle.status.code(), Some(0), "{}", text(&idle.stderr));
    let over = run(&["status", "--watch", "--exit-code"]);
    assert_eq!(over.status.code(), Some(0), "{}", text(&over.stdout));
}

#[test]
fn watching_ends_when_nobody_reads_any_more() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--scenario", "minor"]);
    let mut child = watching(&home, &sim, &[]);
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_cockpit_opens_on_a_recording_and_writes_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["open", DUMP, "--now", NOW], (120, 40));
    terminal.wait_text("recording");
    terminal.wait_line(&["4.18.22", "4.19.3"]);
    terminal.wait_text("11:20:00");
    terminal.press("4");
    terminal.wait_text("worker-1");
    terminal.press("y");
    terminal.wait_text("kind: Node");
    terminal.press("\x1b");
    terminal.wait_gone("kind: Node");
    terminal.press(":cordon\r");
    terminal.wait_text("this is a recording");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
    assert_eq!(home.run(&["open", "/nowhere/at/all"]).status.code(), Some(1));
}

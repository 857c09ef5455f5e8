//! kubectl works against the simulated cluster.

use std::process::{Command, Output};

use oc_cockpit::sim::actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario};
use oc_cockpit::sim::server::{Options, Server, serve};
use serde_json::json;

use crate::support::sim::{TempKubeconfig, small_cluster};

/// A simulated cluster with kubectl pointed at it.
struct Cluster {
    server: Option<Server>,
    runtime: tokio::runtime::Runtime,
    kubeconfig: TempKubeconfig,
    cache: PathGuard,
}

struct PathGuard(std::path::PathBuf);

impl Drop for PathGuard {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Cluster {
    /// The small cluster.
    fn start() -> Option<Self> {
        Self::of(None)
    }

    /// The cluster of a scenario, alive.
    fn playing(scenario: &str) -> Option<Self> {
        Self::of(Some(scenario))
    }

    /// `None`, with a word why, where kubectl is missing on somebody's own machine; CI has to have it.
    fn of(scenario: Option<&str>) -> Option<Self> {
        if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "kubectl is not on the PATH: these tests need it in CI");
            println!("skipped: kubectl is not on the PATH");
            return None;
        }
        let kubeconfig = TempKubeconfig::path();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut options = Options { kubeconfig_out: Some(kubeconfig.0.clone()), ..Options::default() };
        let controllers = scenario.map(|name| {
            let scenario = Scenario::load(name).unwrap();
            options.speed = scenario.speed;
            actors::play(scenario)
        });
        if controllers.is_none() {
            options.objects = small_cluster();
        }
        let server = runtime.block_on(serve(options, controllers)).unwrap();
        let cache = PathGuard(kubeconfig.0.with_extension("cache"));
        Some(Self { server: Some(server), runtime, kubeconfig, cache })
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", &self.kubeconfig.0).env("HOME", &self.cache.0).arg("--cache-dir").arg(&self.cache.0);
        command.args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The output of a command that has to work.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "kubectl {}\n{out}{err}", args.join(" "));
        out
    }

    /// The complaint of a command that has to fail.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert!(!output.status.success(), "kubectl {}\n{out}", args.join(" "));
        err
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn it_says_what_there_is() {
    let Some(cluster) = Cluster::start() else { return };
    assert!(cluster.ok(&["version"]).contains("Server Version: v1.31"));
    let resources = cluster.ok(&["api-resources"]);
    assert!(resources.contains("machineconfigpools") && resources.contains("mcp"), "{resources}");
    let versions = cluster.ok(&["api-versions"]);
    assert!(versions.lines().any(|line| line == "config.openshift.io/v1"), "{versions}");
}

#[test]
fn it_prints_the_tables_that_people_know() {
    let Some(cluster) = Cluster::start() else { return };
    let header = |args: &[&str]| {
        let table = cluster.ok(args);
        table.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(header(&["get", "clusterversion"]), "NAME VERSION AVAILABLE PROGRESSING SINCE STATUS");
    assert_eq!(header(&["get", "co"]), "NAME VERSION AVAILABLE PROGRESSING DEGRADED SINCE");
    let pools = "NAME CONFIG UPDATED UPDATING DEGRADED MACHINECOUNT READYMACHINECOUNT UPDATEDMACHINECOUNT \
                 DEGRADEDMACHINECOUNT AGE";
    assert_eq!(header(&["get", "mcp"]), pools);
    assert_eq!(header(&["get", "nodes"]), "NAME STATUS ROLES AGE VERSION");
    let wide = header(&["get", "nodes", "-o", "wide"]);
    assert!(wide.ends_with("INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"), "{wide}");
    assert_eq!(header(&["get", "pods", "-A"]), "NAMESPACE NAME READY STATUS RESTARTS AGE");
    assert_eq!(header(&["get", "pdb", "-n", "shop"]), "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE");
    let cluster_version = cluster.ok(&["get", "clusterversion"]);
    assert!(cluster_version.contains("4.18.22") && cluster_version.contains("32% complete"), "{cluster_version}");
    let pods = cluster.ok(&["get", "pods", "-n", "shop", "--no-headers"]);
    let cart: Vec<&str> = pods.lines().next().unwrap().split_whitespace().take(4).collect();
    assert_eq!(cart, ["cart-0", "1/1", "Running", "0"]);
}

#[test]
fn it_selects_and_prints_in_other_forms() {
    let Some(cluster) = Cluster::start() else { return };
    let names = |args: &[&str]| {
        let mut all = vec!["get", "-o", "name"];
        all.extend(args);
        cluster.ok(&all).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["nodes", "-l", "node-role.kubernetes.io/worker"]), ["node/worker-0", "node/worker-1"]);
    assert_eq!(names(&["nodes", "-l", "kubernetes.io/hostname notin (worker-0,master-0)"]), ["node/worker-1"]);
    assert_eq!(names(&["nodes", "--field-selector", "metadata.name=master-0"]), ["node/master-0"]);
    let on_node = ["pods", "-A", "--field-selector", "spec.nodeName=worker-0"];
    assert_eq!(names(&on_node), ["pod/cart-0", "pod/web-0"]);
    assert_eq!(names(&["nodes", "--chunk-size=1"]).len(), 3);
    let json = cluster.ok(&["get", "mcp", "worker", "-o", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["kind"], "MachineConfigPool");
    assert!(cluster.ok(&["get", "co", "etcd", "-o", "yaml"]).contains("kind: ClusterOperator"));
    assert!(cluster.refused(&["get", "mcp", "nope"]).contains("\"nope\" not found"));
}

#[test]
fn it_describes_a_node_with_its_pods() {
    let Some(cluster) = Cluster::start() else { return };
    let told = cluster.ok(&["describe", "node", "worker-0"]);
    for part in ["Roles:              worker", "KubeletReady", "cart-0", "v1.31.9"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
}

#[test]
fn it_patches_in_three_ways_and_rehearses() {
    let Some(cluster) = Cluster::start() else { return };
    let paused = || cluster.ok(&["get", "mcp", "worker", "-o", "jsonpath={.spec.paused}"]);
    let merge = ["patch", "mcp", "worker", "--type", "merge", "-p", r#"{"spec":{"paused":true}}"#];
    let mut rehearsal = merge.to_vec();
    rehearsal.push("--dry-run=server");
    cluster.ok(&rehearsal);
    assert_eq!(paused(), "false");
    cluster.ok(&merge);
    assert_eq!(paused(), "true");
    let json =
        r#"[{"op":"test","path":"/spec/paused","value":true},{"op":"replace","path":"/spec/paused","value":false}]"#;
    cluster.ok(&["patch", "mcp", "worker", "--type", "json", "-p", json]);
    assert_eq!(paused(), "false");
    let taint = r#"{"spec":{"taints":[{"key":"maintenance","effect":"NoSchedule"}]}}"#;
    cluster.ok(&["patch", "node", "worker-0", "-p", taint]);
    assert_eq!(cluster.ok(&["get", "node", "worker-0", "-o", "jsonpath={.spec.taints[0].key}"]), "maintenance");
    let refused = cluster.refused(&["patch", "mcp", "worker", "--type", "merge", "-p", r#"{"spec":{"paused":"yes"}}"#]);
    assert!(refused.contains("spec.paused in body must be of type boolean"), "{refused}");
    let managers = "jsonpath={.metadata.managedFields[*].manager}";
    assert_eq!(cluster.ok(&["get", "mcp", "worker", "-o", managers, "--show-managed-fields"]), "kubectl-patch");
}

#[test]
fn it_cordons_drains_and_uncordons() {
    let Some(cluster) = Cluster::start() else { return };
    cluster.ok(&["cordon", "worker-0"]);
    assert!(cluster.ok(&["get", "node", "worker-0"]).contains("Ready,SchedulingDisabled"));
    let drain = ["drain", "worker-0", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3s"];
    let refused = cluster.refused(&drain);
    assert!(refused.contains("cart-0") && refused.contains("disruption budget"), "{refused}");
    assert_eq!(cluster.ok(&["get", "pods", "-n", "shop", "-o", "name"]), "pod/cart-0\n");
    cluster.ok(&["delete", "pdb", "cart", "-n", "shop"]);
    cluster.ok(&drain);
    assert_eq!(cluster.ok(&["get", "pods", "-n", "shop", "-o", "name"]), "");
    cluster.ok(&["uncordon", "worker-0"]);
    assert!(!cluster.ok(&["get", "node", "worker-0"]).contains("SchedulingDisabled"));
}

#[test]
fn it_labels_annotates_creates_explains_waits_and_deletes() {
    let Some(cluster) = Cluster::start() else { return };
    cluster.ok(&["label", "node", "worker-1", "rack=7"]);
    assert!(cluster.ok(&["get", "nodes", "-l", "rack=7", "-o", "name"]).contains("worker-1"));
    cluster.ok(&["annotate", "mcp", "worker", "example.com/why=test"]);
    cluster.ok(&["create", "configmap", "notes", "--from-literal=a=b"]);
    assert!(cluster.refused(&["create", "configmap", "notes"]).contains("already exists"));
    assert_eq!(cluster.ok(&["get", "cm", "notes", "-o", "jsonpath={.data.a}"]), "b");
    assert!(cluster.ok(&["explain", "mcp.spec.paused"]).contains("boolean"));
    cluster.ok(&["wait", "node/worker-0", "--for=condition=Ready", "--timeout=5s"]);
    cluster.ok(&["delete", "pod", "web-0", "-n", "shop", "--wait=true", "--timeout=5s"]);
    assert!(cluster.refused(&["get", "pod", "web-0", "-n", "shop"]).contains("not found"));
    assert!(cluster.ok(&["logs", "cart-0", "-n", "shop", "--tail=1"]).contains("cart"));
    assert!(cluster.ok(&["delete", "cm", "notes"]).starts_with("configmap \"notes\" deleted"));
}

#[test]
fn it_knows_who_may_do_what() {
    let Some(cluster) = Cluster::start() else { return };
    assert_eq!(cluster.ok(&["auth", "can-i", "patch", "mcp"]).trim(), "yes");
    let output = cluster.run(&["--context", "viewer", "auth", "can-i", "patch", "mcp"]);
    assert_eq!(texts(&output).0.trim(), "no");
    assert!(cluster.ok(&["auth", "whoami"]).contains("admin"));
    assert!(cluster.ok(&["--context", "viewer", "auth", "can-i", "--list"]).contains("[get list watch]"));
    let refused = cluster.refused(&["--context", "viewer", "label", "node", "worker-0", "a=b"]);
    assert!(refused.contains("cannot patch resource \"nodes\""), "{refused}");
    assert!(cluster.refused(&["--as", "somebody", "get", "nodes"]).contains("User \"somebody\" cannot list"));
    assert!(cluster.refused(&["--context", "viewer", "get", "secrets"]).contains("forbidden"));
}

#[test]
fn it_follows_changes() {
    let Some(cluster) = Cluster::start() else { return };
    // Of a single object kubectl drops the first event, so that only a watch of the collection shows every change.
    let mut watch = cluster.command(&["get", "mcp", "-w", "--no-headers", "--request-timeout=20s"]);
    let mut child = watch.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.next().unwrap().unwrap().starts_with("master"));
    assert!(lines.next().unwrap().unwrap().starts_with("worker"));
    let store = &cluster.server().store;
    store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| {
        pool["status"]["updatedMachineCount"] = serde_json::json!(1);
    });
    let changed = lines.next().unwrap().unwrap();
    let cells: Vec<&str> = changed.split_whitespace().collect();
    assert_eq!(cells[5..8], ["3", "3", "1"], "{changed}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_prints_what_stands_around_an_update() {
    let Some(cluster) = Cluster::playing("layered") else { return };
    let header = |args: &[&str]| {
        let table = cluster.ok(args);
        table.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let machines = ["get", "-n", "openshift-machine-api"];
    let of = |kind: &'static str| [&machines[..], &[kind]].concat();
    assert_eq!(header(&of("machines")), "NAME PHASE TYPE REGION ZONE AGE");
    assert_eq!(header(&of("mhc")), "NAME MAXUNHEALTHY EXPECTEDMACHINES CURRENTHEALTHY");
    assert_eq!(header(&of("controlplanemachinesets")), "NAME DESIRED CURRENT READY UPDATED UNAVAILABLE STATE AGE");
    assert_eq!(header(&["get", "machineosbuilds"]), "NAME PREPARED BUILDING SUCCEEDED INTERRUPTED FAILED AGE");
    assert_eq!(header(&["get", "apirequestcounts"]), "NAME REMOVEDINRELEASE REQUESTSINCURRENTHOUR REQUESTSINLAST24H");
    assert_eq!(
        header(&["get", "-n", "openshift-operator-lifecycle-manager", "csv"]),
        "NAME DISPLAY VERSION REPLACES PHASE"
    );
    assert_eq!(
        header(&["get", "-n", "openshift-monitoring", "routes"]),
        "NAME HOST/PORT PATH SERVICES PORT TERMINATION WILDCARD"
    );
    for kind in ["infrastructures", "controllerconfigs", "pinnedimagesets", "machineosconfigs", "cloudcredentials"] {
        assert_eq!(header(&["get", kind]), "NAME AGE", "{kind}");
    }
    let path = "/api/v1/namespaces/openshift-monitoring/services/https:thanos-querier:9091/proxy/api/v1/alerts";
    assert!(cluster.ok(&["get", "--raw", path]).contains("Watchdog"));
}

#[test]
fn it_approves_certificates() {
    let Some(cluster) = Cluster::start() else { return };
    for name in ["csr-good", "csr-bad"] {
        let request = json!({
            "metadata": {"name": name},
            "spec": {"request": "cmVxdWVzdA==", "signerName": "kubernetes.io/kubelet-serving",
                     "username": "system:node:worker-0", "usages": ["server auth"]},
            "status": {},
        });
        cluster.server().store.create(Res::CSRS, request, cluster.server().clock().now());
    }
    let table = cluster.ok(&["get", "csr"]);
    assert!(table.starts_with("NAME") && table.contains("SIGNERNAME") && table.contains("Pending"), "{table}");
    assert!(cluster.ok(&["certificate", "approve", "csr-good"]).contains("approved"));
    cluster.ok(&["certificate", "deny", "csr-bad"]);
    let table = cluster.ok(&["get", "csr"]);
    assert!(table.contains("Approved") && table.contains("Denied") && !table.contains("Pending"), "{table}");
}

/// A file for `-f`, removed at the end.
struct Manifest(std::path::PathBuf);

impl Manifest {
    fn new(cluster: &Cluster, name: &str, object: &serde_json::Value) -> Self {
        let path = cluster.kubeconfig.0.with_extension(format!("{name}.json"));
        std::fs::write(&path, object.to_string()).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn it_makes_a_pool_moves_a_node_into_it_and_drains_in_a_living_cluster() {
    let Some(cluster) = Cluster::playing("canary") else { return };
    let pool = json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool", "metadata": {"name": "canary"},
        "spec": {
            "machineConfigSelector": {"matchExpressions": [{
                "key": "machineconfiguration.openshift.io/role", "operator": "In", "values": ["worker", "canary"],
            }]},
            "nodeSelector": {"matchLabels": {"node-role.kubernetes.io/canary": ""}},
        },
    });
    let file = Manifest::new(&cluster, "pool", &pool);
    assert!(cluster.ok(&["create", "-f", file.path(), "--dry-run=server"]).contains("created (server dry run)"));
    assert!(cluster.ok(&["apply", "-f", file.path()]).contains("created"));
    assert!(cluster.ok(&["label", "node", "worker-7", "node-role.kubernetes.io/canary="]).contains("labeled"));
    cluster.ok(&["wait", "mcp/canary", "--for=jsonpath={.status.updatedMachineCount}=1", "--timeout=60s"]);
    assert!(cluster.ok(&["get", "node", "worker-7"]).contains("canary,worker"));
    let drain = ["drain", "worker-7", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s"];
    assert!(cluster.ok(&drain).contains("drained"));
    let left = cluster.ok(&["get", "pods", "-A", "--field-selector=spec.nodeName=worker-7", "-o", "name"]);
    assert!(!left.contains("pod/web-") && left.contains("machine-config-daemon"), "{left}");
    cluster.ok(&["uncordon", "worker-7"]);
    cluster.ok(&["label", "node", "worker-7", "node-role.kubernetes.io/canary-"]);
    cluster.ok(&["wait", "mcp/worker", "--for=jsonpath={.status.updatedMachineCount}=8", "--timeout=60s"]);
    assert!(cluster.ok(&["delete", "mcp", "canary"]).contains("deleted"));
}

#[test]
fn it_applies_on_the_server_and_names_the_fields_of_others() {
    let Some(cluster) = Cluster::playing("offline") else { return };
    let map = |data: serde_json::Value| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": "openshift-config"},
               "data": data})
    };
    let both = Manifest::new(&cluster, "both", &map(json!({"a": "1", "b": "2"})));
    let apply = |file: &str, more: &[&str]| [&["apply", "--server-side", "-f", file][..], more].concat().join(" ");
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let run = |line: &str| cluster.ok(&words(line).iter().map(String::as_str).collect::<Vec<_>>());
    let data = || run("get configmap mine -n openshift-config -o jsonpath={.data}");
    assert!(run(&apply(both.path(), &["--dry-run=server"])).contains("serverside-applied"));
    assert!(cluster.refused(&["get", "configmap", "mine", "-n", "openshift-config"]).contains("NotFound"));
    assert!(run(&apply(both.path(), &[])).contains("serverside-applied"));

    // Somebody else changes a field: to apply another value there is a conflict, until it is forced.
    let patch = json!({"data": {"a": "9"}}).to_string();
    run(&format!("patch configmap mine -n openshift-config --type=merge --field-manager=somebody -p {patch}"));
    let refused = cluster.refused(&["apply", "--server-side", "-f", both.path()]);
    assert!(
        refused.contains("Apply failed with 1 conflict: conflict with \"somebody\" using v1: .data.a"),
        "{refused}"
    );
    assert_eq!(data(), r#"{"a":"9","b":"2"}"#);
    run(&apply(both.path(), &["--force-conflicts"]));
    assert_eq!(data(), r#"{"a":"1","b":"2"}"#);

    // What is applied no more goes, and what another manager applied stays.
    let other = Manifest::new(&cluster, "other", &map(json!({"c": "3"})));
    run(&apply(other.path(), &["--field-manager=other"]));
    let less = Manifest::new(&cluster, "less", &map(json!({"a": "1"})));
    run(&apply(less.path(), &[]));
    assert_eq!(data(), r#"{"a":"1","c":"3"}"#);
    let owners = run(
        "get configmap mine -n openshift-config --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}",
    );
    let mut owners: Vec<&str> = owners.split(' ').collect();
    owners.sort_unstable();
    assert_eq!(owners, ["kubectl", "other"]);

    // A custom resource the same way.
    let pool = json!({"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
                      "metadata": {"name": "worker"}, "spec": {"paused": true}});
    let file = Manifest::new(&cluster, "paused", &pool);
    run(&apply(file.path(), &["--force-conflicts"]));
    assert_eq!(run("get mcp worker -o jsonpath={.spec.paused}"), "true");
}

#[test]
fn it_applies_what_an_update_without_internet_needs() {
    let Some(cluster) = Cluster::playing("offline") else { return };
    let mut signature = oc_cockpit::sim::cluster::mirrors::signature("4.18.25");
    signature["apiVersion"] = json!("v1");
    signature["kind"] = json!("ConfigMap");
    let digest = oc_cockpit::sim::cluster::release::image("4.18.25");
    let file = Manifest::new(&cluster, "signature", &signature);
    assert!(cluster.ok(&["apply", "-f", file.path()]).contains("created"));
    assert!(cluster.ok(&["apply", "-f", file.path()]).contains("unchanged"));
    let patch = json!({"spec": {"desiredUpdate": {"image": digest, "version": "", "force": false}}}).to_string();
    cluster.ok(&["patch", "clusterversion", "version", "--type=merge", "-p", &patch]);
    cluster.ok(&[
        "wait",
        "clusterversion/version",
        "--for=jsonpath={.status.desired.version}=4.18.25",
        "--timeout=60s",
    ]);
    let viewer = cluster.refused(&["--context", "viewer", "create", "namespace", "mine"]);
    assert!(viewer.contains("Forbidden"), "{viewer}");
    let refused = cluster.refused(&["create", "configmap", "Bad_Name", "-n", "openshift-config"]);
    assert!(refused.contains("RFC 1123"), "{refused}");
}

#[test]
fn it_follows_logs_and_those_of_before() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let Some(cluster) = Cluster::playing("stuck-drain") else { return };
    let namespace = "openshift-cluster-version";
    let pods = cluster.ok(&["get", "pods", "-n", namespace, "-o", "name"]);
    let pod = pods.lines().next().unwrap().replace("pod/", "");
    let log = ["logs", "-n", namespace, &pod];
    let refused = cluster.refused(&[&log[..], &["--previous"]].concat());
    assert!(refused.contains("previous terminated container"), "{refused}");
    let last = cluster.ok(&[&log[..], &["--tail=2", "--timestamps"]].concat());
    assert!(last.lines().count() == 2 && last.lines().all(|line| line.starts_with("20")), "{last}");
    let mut follow = cluster.command(&[&log[..], &["-f", "--tail=1"]].concat());
    let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().is_ok());
    let boards = cluster.server().boards();
    boards.mishaps.add(Mishap::now(MishapKind::VersionOperatorDown, ""));
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("error: cannot load the payload"))));
    child.kill().unwrap();
    child.wait().unwrap();
    let before = cluster.ok(&[&log[..], &["--previous"]].concat());
    assert!(before.contains("error: cannot load the payload"), "{before}");
}

#[test]
fn an_image_based_upgrade_is_shown_by_its_last_condition() {
    let Some(cluster) = Cluster::playing("ibu") else { return };
    let table = cluster.ok(&["get", "ibu"]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "AGE", "DESIRED", "STAGE", "STATE", "DETAILS"]);
    assert_eq!((lines[1][0], &lines[1][2..]), ("upgrade", &["Idle", "Idle", "Idle"][..]));
    let refused =
        cluster.refused(&["patch", "ibu", "upgrade", "--type=merge", "-p", r#"{"spec":{"stage":"Upgrade"}}"#]);
    assert!(refused.contains("the stage transition is not permitted"), "{refused}");
    let seed = r#"{"spec":{"stage":"Prep","seedImageRef":{"image":"registry.example.com:5000/seeds/edge:4.19.3","version":"4.19.3"}}}"#;
    cluster.ok(&["patch", "ibu", "upgrade", "--type=merge", "--dry-run=server", "-p", seed]);
    cluster.ok(&["patch", "ibu", "upgrade", "--type=merge", "-p", seed]);
    cluster.ok(&["wait", "ibu/upgrade", "--for=condition=PrepInProgress", "--timeout=60s"]);
    let columns = |kind: &str| cluster.ok(&["get", kind, "-n", "openshift-adp"]);
    assert!(columns("bsl").starts_with("NAME"), "{}", columns("bsl"));
    assert!(columns("bsl").contains("Available"));
    assert!(columns("dpa").contains("True"));
    assert_eq!(cluster.ok(&["get", "logicalvolumes.topolvm.io", "-o", "name"]).lines().count(), 2);
    assert!(
        cluster.ok(&["get", "configmap", "edge-apps", "-n", "openshift-adp", "-o", "yaml"]).contains("restore.yaml")
    );
}

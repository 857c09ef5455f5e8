//! Many variations of a cluster of ours, each compared with the model of `oc`; and the differences on purpose that no
//! recording at hand shows, each pinned.

use serde_json::{Value, json};

use super::compare::{Difference, compare};
use super::model::{Cluster, NEW, ago, old, set};

const MCO: &str = "machineconfiguration.openshift.io/";

/// Numbers that look random and are the same in each run (splitmix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.throw(choices.len())]
    }
}

fn mark(node: &mut Value, key: &str, value: &str) {
    node["metadata"]["annotations"][format!("{MCO}{key}")] = json!(value);
}

fn unmark(node: &mut Value, key: &str) {
    node["metadata"]["annotations"].as_object_mut().unwrap().remove(&format!("{MCO}{key}"));
}

fn label(node: &mut Value, key: &str, value: &str) {
    node["metadata"]["labels"][key] = json!(value);
}

/// One thing that befalls a node.
fn befall(node: &mut Value, what: usize, dice: &mut Dice) {
    let pool = node["metadata"]["name"].as_str().unwrap().split('-').next().unwrap().to_owned();
    let new = format!("rendered-{pool}-new");
    let minutes = dice.of(&[0, 2, 6, 90]);
    match what {
        0 => ["currentConfig", "desiredConfig"].into_iter().for_each(|key| mark(node, key, &new)),
        1..=3 => {
            mark(node, "desiredConfig", &new);
            mark(node, "state", ["Working", "Done", "Working"][what - 1]);
            mark(node, "desiredDrain", &format!("drain-{new}"));
            if what == 3 {
                mark(node, "lastAppliedDrain", &format!("drain-{new}"));
            }
        }
        4 => {
            mark(node, "desiredConfig", &new);
            mark(node, "state", dice.of(&["Degraded", "Unreconcilable"]));
            mark(node, "reason", dice.of(&["", "failed to drain node", "words: no space left on device"]));
        }
        5 => mark(node, "state", dice.of(&["Degraded", "", "Working", "Weird", "Rebooting"])),
        6 => set(node, "Ready", dice.of(&["False", "Unknown"]), minutes),
        7 => ["NetworkUnavailable", "DiskPressure", "Ready"]
            .into_iter()
            .for_each(|kind| set(node, kind, "Unknown", minutes)),
        8 => set(node, "DiskPressure", "True", minutes),
        9 => set(node, "NetworkUnavailable", "True", minutes),
        10 => node["spec"]["unschedulable"] = json!(true),
        11 => {
            label(node, "kubernetes.io/os", "windows");
            node["metadata"]["annotations"] = json!({});
        }
        12 => label(node, "node-role.kubernetes.io/gpu", ""),
        13 => {
            mark(node, "desiredImage", "registry/os@sha256:a");
            mark(node, "currentImage", dice.of(&["registry/os@sha256:a", "registry/os@sha256:b"]));
        }
        14 => mark(node, dice.of(&["currentConfig", "desiredConfig"]), "rendered-gone"),
        15 => node["metadata"]["annotations"] = json!({}),
        16 => ["desiredDrain", "lastAppliedDrain"].into_iter().for_each(|key| unmark(node, key)),
        17 => {
            mark(node, "desiredConfig", &new);
            mark(node, "state", dice.of(&["Done", "Working"]));
            mark(node, "post-config-action", "Rebooting");
            for key in ["desiredDrain", "lastAppliedDrain"] {
                mark(node, key, &format!("drain-{new}"));
            }
            set(node, "Ready", "Unknown", minutes);
        }
        18 => unmark(node, "desiredConfig"),
        19 => label(node, "node-role.kubernetes.io/arbiter", ""),
        _ => {
            node["metadata"]["labels"].as_object_mut().unwrap().remove("node-role.kubernetes.io/worker");
        }
    }
}

fn befall_pools(cluster: &mut Cluster, dice: &mut Dice) {
    let at = dice.throw(cluster.pools.len());
    match dice.throw(9) {
        0 | 1 => cluster.pools[at]["spec"]["paused"] = json!(true),
        2 => cluster.pools[at]["spec"]["configuration"]["name"] = json!("rendered-worker-old"),
        3 => {
            for (name, role) in [("gpu", "gpu"), ("arbiter", "arbiter"), ("empty", "nobody")] {
                let mut pool = cluster.pools[0].clone();
                pool["metadata"]["name"] = json!(name);
                pool["spec"]["nodeSelector"] = json!({"matchLabels": {format!("node-role.kubernetes.io/{role}"): ""}});
                cluster.pools.push(pool);
            }
        }
        4 => {
            let pool = cluster.pools.iter_mut().find(|pool| pool["metadata"]["name"] != "master").unwrap();
            pool["spec"]["nodeSelector"] = if dice.throw(2) == 0 { json!({}) } else { Value::Null };
        }
        _ => {}
    }
}

fn befall_operators(cluster: &mut Cluster, dice: &mut Dice) {
    let share = dice.throw(5);
    for operator in &mut cluster.operators {
        if dice.throw(4) < share {
            operator["status"]["versions"] = json!([{"name": "operator", "version": NEW}]);
        }
        let minutes = dice.of(&[0, 4, 6, 19, 21, 39, 41, 300]);
        let status = dice.of(&["True", "False", "Unknown"]);
        match dice.throw(14) {
            0 => operator["metadata"]["annotations"] = json!({"other": "x"}),
            1 => set(operator, "Available", status, minutes),
            2 => set(operator, "Degraded", status, minutes),
            3 | 4 => set(operator, "Progressing", status, minutes),
            5 => {
                let gone = dice.of(&["Available", "Progressing", "Degraded"]);
                operator["status"]["conditions"].as_array_mut().unwrap().retain(|condition| condition["type"] != gone);
            }
            6 => operator["status"]["versions"] = json!([]),
            7 => operator["metadata"]["annotations"] = json!({"exclude.release.openshift.io/x": "true"}),
            _ => {}
        }
    }
}

fn befall_version(cluster: &mut Cluster, dice: &mut Dice) {
    let version = &mut cluster.version;
    match dice.throw(8) {
        0 => set(version, "Failing", "True", dice.of(&[1, 50])),
        1 => set(version, "Failing", "Unknown", 3),
        2 => version["status"]["conditions"].as_array_mut().unwrap().retain(|one| one["type"] != "Failing"),
        3 => {
            set(version, "Failing", "True", 7);
            let failing = version["status"]["conditions"].as_array_mut().unwrap().last_mut().unwrap();
            (failing["message"], failing["reason"]) =
                (json!(""), json!(dice.of(&["MultipleErrors", "ClusterOperatorDegraded"])));
        }
        _ => {}
    }
    let history = version["status"]["history"].as_array_mut().unwrap();
    match dice.throw(12) {
        0 => history.truncate(1),
        1 => history.truncate(2),
        2 => history[1]["state"] = json!("Partial"),
        3 => {
            history.truncate(2);
            history[1]["state"] = json!("Partial");
        }
        4 => {
            history[0]["version"] = json!(old());
            version["status"]["desired"]["version"] = json!(old());
            migrate(cluster, dice);
        }
        5 => {
            history[0]["version"] = json!("");
            version["status"]["desired"]["version"] = json!("");
        }
        6 | 7 => {
            (history[0]["state"], history[0]["completionTime"]) = (json!("Completed"), json!(ago(1)));
            set(version, "Progressing", "False", 1);
            for operator in &mut cluster.operators {
                operator["status"]["versions"] = json!([{"name": "operator", "version": NEW}]);
            }
        }
        _ => {}
    }
}

/// A migration to a multi-architecture payload: the version stays.
fn migrate(cluster: &mut Cluster, dice: &mut Dice) {
    for config in &mut cluster.configs {
        config["metadata"]["annotations"][format!("{MCO}release-image-version")] = json!(old());
    }
    if dice.throw(2) == 0 {
        let images = json!([{"name": "machine-config-operator", "image": "registry/mco@sha256:multi"}]);
        cluster.deployment = Some(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "machine-config-operator", "namespace": "openshift-machine-config-operator"},
            "spec": {"template": {"spec": {"containers": images}}}}));
        let operator = cluster.operators.iter_mut().find(|one| one["metadata"]["name"] == "machine-config").unwrap();
        operator["status"]["versions"] = json!([{"name": "operator", "version": old()},
            {"name": "operator-image", "version": dice.of(&["registry/mco@sha256:multi", "registry/mco@sha256:one"])}]);
    }
}

fn alert(dice: &mut Dice) -> Value {
    let name = dice.of(&[
        "TargetDown",
        "TargetDown",
        "KubePodCrashLooping",
        "PodDisruptionBudgetAtLimit",
        "PodDisruptionBudgetLimit",
    ]);
    let severity = dice.of(&["warning", "warning", "critical", "info", "none"]);
    let summary = dice.of(&["", "Something is down.", "Something is down."]);
    json!({"labels": {"alertname": name, "severity": severity, "namespace": dice.of(&["a", "b"])},
        "annotations": {"summary": summary, "description": "d"}, "state": dice.of(&["firing", "firing", "pending"]),
        "activeAt": ago(dice.of(&[1, 5, 59, 61, 500]))})
}

fn variation(seed: u64) -> Cluster {
    let mut dice = Dice(seed);
    let mut cluster = Cluster::updating();
    befall_operators(&mut cluster, &mut dice);
    befall_version(&mut cluster, &mut dice);
    befall_pools(&mut cluster, &mut dice);
    for _ in 0..dice.throw(8) {
        let at = dice.throw(cluster.nodes.len());
        let what = dice.throw(21);
        befall(&mut cluster.nodes[at], what, &mut dice);
    }
    cluster.alerts = (0..dice.throw(5)).map(|_| alert(&mut dice)).collect();
    cluster
}

#[test]
fn every_variation_agrees_with_the_model_of_oc() {
    let (mut wrong, mut updating, mut insights) = (Vec::new(), 0, 0);
    for seed in 0..1500 {
        let cluster = variation(seed);
        let (mut told, alone) = cluster.told();
        if !told.updating {
            continue;
        }
        if alone {
            // Pinned below: an update that only another operator could end is none.
            told.insights.clear();
        }
        (updating, insights) = (updating + 1, insights + told.insights.len());
        let outcome = compare(&told, &cluster.ours());
        wrong.extend(outcome.wrong.into_iter().map(|words| format!("{seed}: {words}")));
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(updating > 1000 && insights > 3000, "they show something: {updating}, {insights}");
}

fn node<'a>(cluster: &'a mut Cluster, name: &str) -> &'a mut Value {
    cluster.nodes.iter_mut().find(|node| node["metadata"]["name"] == name).unwrap()
}

fn row<'a>(ours: &'a Value, kind: &str, name: &str) -> &'a Value {
    ours[kind].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
}

fn has(ours: &Value, id: &str) -> bool {
    ours["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == id)
}

/// All is done, by every rule.
fn finished() -> Cluster {
    let mut cluster = Cluster::updating();
    let history = &mut cluster.version["status"]["history"][0];
    (history["state"], history["completionTime"]) = (json!("Completed"), json!(ago(20)));
    set(&mut cluster.version, "Progressing", "False", 20);
    for operator in &mut cluster.operators {
        operator["status"]["versions"] = json!([{"name": "operator", "version": NEW}]);
    }
    for node in &mut cluster.nodes {
        befall(node, 0, &mut Dice(1));
        node["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.32.5");
    }
    for pool in &mut cluster.pools {
        let config = pool["spec"]["configuration"].clone();
        pool["status"]["configuration"] = config;
    }
    cluster
}

#[test]
fn a_node_that_two_pools_select_is_counted_and_not_managed() {
    let mut cluster = Cluster::updating();
    let mut pool = cluster.pools[0].clone();
    pool["metadata"]["name"] = json!("gpu");
    pool["spec"]["nodeSelector"] = json!({"matchLabels": {"node-role.kubernetes.io/gpu": ""}});
    cluster.pools.push(pool);
    label(node(&mut cluster, "infra-0"), "node-role.kubernetes.io/gpu", "");
    let ours = cluster.ours();
    let told = row(&ours, "nodes", "infra-0");
    assert_eq!(
        (&told["pool"], &told["managed"], &told["phaseDetail"]),
        (&json!("gpu"), &json!(false), &json!("Unmanaged"))
    );
    let pool = row(&ours, "pools", "gpu");
    assert_eq!((&pool["total"], &pool["managed"], &pool["unmanaged"]), (&json!(1), &json!(0), &json!(1)));
    assert!(has(&ours, "node-in-two-pools"));
}

#[test]
fn a_pool_with_an_empty_selector_is_counted_and_manages_nothing() {
    let mut cluster = Cluster::updating();
    cluster.pools[0]["spec"]["nodeSelector"] = json!({});
    let ours = cluster.ours();
    let pool = row(&ours, "pools", "infra");
    assert_eq!((&pool["total"], &pool["managed"], &pool["unmanaged"]), (&json!(6), &json!(0), &json!(6)));
    assert_eq!(row(&ours, "pools", "master")["managed"], json!(3));
}

#[test]
fn windows_nodes_are_counted_and_keep_no_update_going() {
    let mut cluster = finished();
    befall(node(&mut cluster, "worker-0"), 11, &mut Dice(1));
    cluster.alerts =
        vec![json!({"labels": {"alertname": "A", "severity": "warning"}, "annotations": {"description": "d"},
        "state": "firing", "activeAt": ago(30)})];
    let (told, alone) = cluster.told();
    assert!(told.updating && alone, "for oc it goes on for ever");
    let ours = cluster.ours();
    assert!(
        ["NotUpdating", "Completed"].contains(&ours["update"]["verdict"].as_str().unwrap()),
        "{}",
        ours["update"]["why"]
    );
    let windows = row(&ours, "nodes", "worker-0");
    assert_eq!(
        (&windows["pool"], &windows["managed"], &windows["version"]),
        (&json!("worker"), &json!(false), &Value::Null)
    );
    assert_eq!(row(&ours, "pools", "worker")["unmanaged"], json!(1));
    assert!(has(&ours, "windows-node") && !has(&ours, "alert-firing"));
}

#[test]
fn layered_nodes_are_available_for_oc_and_told_as_not_ready() {
    let mut cluster = Cluster::updating();
    befall(node(&mut cluster, "worker-1"), 13, &mut Dice(1));
    set(node(&mut cluster, "worker-1"), "Ready", "False", 30);
    let ours = cluster.ours();
    assert_eq!(row(&ours, "pools", "worker")["available"], json!(4), "as oc counts");
    assert_eq!(row(&ours, "nodes", "worker-1")["ready"], json!(false));
    assert!(has(&ours, "node-not-ready"), "oc says nothing of it");
}

#[test]
fn a_rollout_of_configuration_is_one() {
    let mut cluster = finished();
    let new = "rendered-worker-newer";
    let mut config = cluster.configs[0].clone();
    config["metadata"] = json!({"name": new, "annotations": {format!("{MCO}release-image-version"): NEW}});
    cluster.configs.push(config);
    let pool = cluster.pools.iter_mut().find(|pool| pool["metadata"]["name"] == "worker").unwrap();
    pool["spec"]["configuration"]["name"] = json!(new);
    mark(node(&mut cluster, "worker-0"), "desiredConfig", new);
    mark(node(&mut cluster, "worker-0"), "state", "Working");
    assert!(!cluster.told().0.updating, "the cluster is not updating, for oc");
    let ours = cluster.ours();
    assert_eq!(ours["update"]["verdict"], json!("ConfigRollout"), "{}", ours["update"]["why"]);
    assert_eq!(row(&ours, "nodes", "worker-0")["phase"], json!("Updating"));
    assert_eq!((&ours["update"]["from"], &ours["update"]["to"]), (&json!(old()), &json!(NEW)), "what was applied last");
}

#[test]
fn trouble_at_rest_is_told() {
    let mut cluster = finished();
    set(&mut cluster.version, "Failing", "True", 30);
    assert!(!cluster.told().0.updating);
    assert_eq!(cluster.ours()["update"]["verdict"], json!("Failing"));
    let mut refused = finished();
    refused.version["spec"]["desiredUpdate"] = json!({"version": "4.19.9", "image": "registry/release@sha256:newer"});
    set(&mut refused.version, "ReleaseAccepted", "False", 30);
    assert!(!refused.told().0.updating);
    let ours = refused.ours();
    assert_eq!(ours["update"]["requested"]["refused"], json!(true));
    assert!(["NeedsPerson", "Requested"].contains(&ours["update"]["verdict"].as_str().unwrap()));
}

#[test]
fn a_config_that_is_missing_and_a_clock_that_has_run_out_are_no_end() {
    let mut cluster = Cluster::updating();
    mark(node(&mut cluster, "worker-2"), "currentConfig", "rendered-gone");
    let ours = cluster.ours();
    assert_eq!(row(&ours, "nodes", "worker-2")["version"], Value::Null);

    // Ten hours for nothing but an estimate: operators still change, which is no stall.
    let mut late = Cluster::updating();
    late.version["status"]["history"][0]["startedTime"] = json!(ago(600));
    for operator in &mut late.operators[..3] {
        set(operator, "Progressing", "True", 1);
    }
    assert_ne!(late.ours()["update"]["verdict"], json!("Stalled"));
}

#[test]
fn each_alert_is_told_with_its_time() {
    let mut cluster = Cluster::updating();
    let one = |minutes| {
        json!({"labels": {"alertname": "TargetDown", "severity": "warning"}, "annotations": {"summary": "s", "description": "d"},
            "state": "firing", "activeAt": ago(minutes)})
    };
    cluster.alerts = vec![one(5), one(9), one(9)];
    let ours = cluster.ours();
    let all = ours["findings"].as_array().unwrap().iter().filter(|finding| finding["id"] == "alert-firing");
    let since: Vec<&Value> = all.map(|finding| &finding["since"]).collect();
    assert_eq!(since, [&json!(ago(5)), &json!(ago(9)), &json!(ago(9))]);
}

#[test]
fn oc_proceeds_well_where_something_it_does_not_know_stands_in_the_way() {
    let mut cluster = Cluster::updating();
    befall(node(&mut cluster, "worker-0"), 10, &mut Dice(1));
    let (told, _) = cluster.told();
    assert_eq!(told.insights[0].message, "Update is proceeding well", "a cordon is no finding for oc");
    let outcome = compare(&told, &cluster.ours());
    assert_eq!(outcome.wrong, Vec::<String>::new());
    assert!(outcome.met.is_empty() || outcome.met.contains(&Difference::NotSoWell));
}

//! The simulated machine config operator reacts to what people write: pools, role labels, configs, images.

use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use crate::support::bench::{Bench, MCO, MINUTE, file_config};

const POOLS: &str = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools";
const CONFIGS: &str = "/apis/machineconfiguration.openshift.io/v1/machineconfigs";
const MIRRORS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";

fn canary_pool(paused: bool) -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "MachineConfigPool", "metadata": {"name": "canary"},
        "spec": {
            "machineConfigSelector": {"matchExpressions": [
                {"key": format!("{MCO}/role"), "operator": "In", "values": ["worker", "canary"]},
            ]},
            "nodeSelector": {"matchLabels": {"node-role.kubernetes.io/canary": ""}},
            "paused": paused,
        },
    })
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is handed over")]
fn label(role: &str, value: Value) -> Value {
    json!({"metadata": {"labels": {format!("node-role.kubernetes.io/{role}"): value}}})
}

fn rendered(bench: &Bench, pool: &str) -> String {
    bench.pool(pool)["spec"]["configuration"]["name"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_custom_pool_takes_the_nodes_with_its_label_without_a_reboot_and_gives_them_back() {
    let mut bench = Bench::new("minor");
    let boot = bench.boot("worker-5");
    bench.create(POOLS, &canary_pool(false)).await;
    bench
        .until("the new pool is rendered", MINUTE, |bench| rendered(bench, "canary").starts_with("rendered-canary-"))
        .await;
    bench.until("an empty pool is up to date", MINUTE, |bench| bench.settled("canary")).await;
    assert_eq!(bench.count("canary"), (0, 0));
    bench.patch("/api/v1/nodes/worker-5", &label("canary", json!(""))).await;
    bench.until("the node has moved", MINUTE, |bench| bench.count("canary").0 == 1).await;
    assert_eq!(bench.count("worker").0, 5);
    bench
        .until("and is on its config", 5 * MINUTE, |bench| bench.settled("canary") && bench.count("canary").1 == 1)
        .await;
    assert_eq!(bench.note("worker-5", "currentConfig"), rendered(&bench, "canary"));
    assert_eq!(bench.boot("worker-5"), boot, "the content is the same: nothing boots");
    assert!(bench.events("SkipReboot").iter().any(|event| event.starts_with("worker-5")));
    bench.patch("/api/v1/nodes/worker-5", &label("canary", Value::Null)).await;
    bench
        .until("the node is back", 5 * MINUTE, |bench| bench.count("worker") == (6, 6) && bench.settled("worker"))
        .await;
    assert_eq!(bench.note("worker-5", "currentConfig"), rendered(&bench, "worker"));
    let config = rendered(&bench, "canary");
    assert_eq!(bench.delete(&format!("{POOLS}/canary")).await.status, 200);
    bench
        .until("its configs go with it", MINUTE, |bench| bench.object(Res::MACHINE_CONFIGS, None, &config).is_null())
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_holds_its_nodes_and_a_node_that_leaves_it_reboots_at_once() {
    let mut bench = Bench::new("minor");
    bench.create(POOLS, &canary_pool(true)).await;
    bench.pass(MINUTE / 3).await;
    for node in ["worker-4", "worker-5"] {
        bench.patch(&format!("/api/v1/nodes/{node}"), &label("canary", json!(""))).await;
    }
    bench.until("both have moved", MINUTE, |bench| bench.count("canary").0 == 2).await;
    let old = rendered(&bench, "worker");
    bench.create(CONFIGS, &file_config("worker", "99-worker-tuning", "/etc/sysctl.d/99-tuning.conf")).await;
    bench.until("a new config", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("the workers are updated", 90 * MINUTE, |bench| bench.settled("worker")).await;
    let pool = bench.pool("canary");
    assert_eq!(bench.count("canary"), (2, 0), "{}", bench.summary());
    for kind in ["Updated", "Updating", "Degraded"] {
        assert_eq!(bench.said(&pool, kind).0, "False", "paused with something to do: {kind}");
    }
    assert!(bench.said(&pool, "Updating").2.starts_with("Pool is paused; will not update to"));
    let boot = bench.boot("worker-5");
    bench.patch("/api/v1/nodes/worker-5", &label("canary", Value::Null)).await;
    bench
        .until("it is drained for its old pool", 2 * MINUTE, |bench| {
            bench.note("worker-5", "desiredDrain").starts_with("drain-rendered-worker")
        })
        .await;
    bench.until("and updated", 30 * MINUTE, |bench| bench.count("worker") == (5, 5) && bench.settled("worker")).await;
    assert_ne!(bench.boot("worker-5"), boot);
    bench.patch(&format!("{POOLS}/canary"), &json!({"spec": {"paused": false}})).await;
    bench
        .until("the held node follows", 30 * MINUTE, |bench| bench.count("canary") == (1, 1) && bench.settled("canary"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_deleted_too_early_leaves_its_nodes_degraded() {
    let mut bench = Bench::new("minor");
    bench.create(POOLS, &canary_pool(false)).await;
    bench.patch("/api/v1/nodes/worker-5", &label("canary", json!(""))).await;
    bench
        .until("the node is in the pool", 5 * MINUTE, |bench| bench.settled("canary") && bench.count("canary").0 == 1)
        .await;
    bench.delete(&format!("{POOLS}/canary")).await;
    bench
        .until("the daemon misses its config", 5 * MINUTE, |bench| bench.note("worker-5", "state") == "Degraded")
        .await;
    assert!(bench.note("worker-5", "reason").contains("rendered-canary-"), "{}", bench.summary());
    assert!(bench.note("worker-5", "reason").ends_with("not found"));
}

#[tokio::test(start_paused = true)]
async fn max_unavailable_is_followed_while_the_pool_rolls() {
    let mut bench = Bench::new("minor");
    bench.patch(&format!("{POOLS}/worker"), &json!({"spec": {"maxUnavailable": 3}})).await;
    bench.create(CONFIGS, &file_config("worker", "99-worker-tuning", "/etc/sysctl.d/99-tuning.conf")).await;
    let targeted = |bench: &Bench| {
        let target = rendered(bench, "worker");
        (0..6).filter(|at| bench.note(&format!("worker-{at}"), "desiredConfig") == target).count()
    };
    let old = rendered(&bench, "worker");
    bench.until("a new config", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("three at a time", MINUTE, |bench| targeted(bench) == 3).await;
    bench.patch(&format!("{POOLS}/worker"), &json!({"spec": {"maxUnavailable": "100%"}})).await;
    bench.until("all at a time", MINUTE, |bench| targeted(bench) == 6).await;
}

#[tokio::test(start_paused = true)]
async fn a_rendered_config_that_is_still_wanted_comes_back_and_another_stays_away() {
    let mut bench = Bench::new("minor");
    let first = rendered(&bench, "infra");
    bench.create(CONFIGS, &file_config("infra", "99-infra-tuning", "/var/lib/kubelet/config.json")).await;
    bench.until("the next config", MINUTE, |bench| rendered(bench, "infra") != first).await;
    bench.until("it is reached", 10 * MINUTE, |bench| bench.settled("infra")).await;
    let second = rendered(&bench, "infra");
    for config in [&first, &second] {
        assert_eq!(bench.delete(&format!("{CONFIGS}/{config}")).await.status, 200);
    }
    bench
        .until("it is rendered again", MINUTE, |bench| !bench.object(Res::MACHINE_CONFIGS, None, &second).is_null())
        .await;
    bench.pass(MINUTE).await;
    assert!(bench.object(Res::MACHINE_CONFIGS, None, &first).is_null());
    assert_eq!(bench.delete(&format!("{CONFIGS}/99-infra-tuning")).await.status, 200);
    bench
        .until("back to what it was", 10 * MINUTE, |bench| rendered(bench, "infra") == first && bench.settled("infra"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_mirror_set_reaches_the_nodes_without_a_drain_and_its_removal_drains_them() {
    let mut bench = Bench::new("minor");
    bench.patch(&format!("{POOLS}/worker"), &json!({"spec": {"maxUnavailable": "100%"}})).await;
    let boot = bench.boot("worker-0");
    let old = rendered(&bench, "worker");
    let set = json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": {"name": "release"},
        "spec": {"imageDigestMirrors": [
            {"source": "quay.io/openshift-release-dev/ocp-release", "mirrors": ["registry.example.com:5000/ocp/release"]},
        ]},
    });
    bench.create(MIRRORS, &set).await;
    bench.until("a new config", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("the workers have it", 10 * MINUTE, |bench| bench.settled("worker")).await;
    assert!(bench.events("Drain").is_empty(), "{:?}", bench.events("Drain"));
    assert!(bench.events("SkipReboot").iter().any(|event| event.contains("Service crio was reloaded")));
    assert_eq!(bench.delete(&format!("{MIRRORS}/release")).await.status, 200);
    bench.until("back to the old config", 2 * MINUTE, |bench| rendered(bench, "worker") == old).await;
    bench.until("the workers are drained one after the other", 30 * MINUTE, |bench| bench.settled("worker")).await;
    assert!(bench.events("Drain").iter().any(|event| event.starts_with("worker-")));
    assert_eq!(bench.boot("worker-0"), boot, "a change of registries never boots");
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_config_becomes_a_machine_config_of_the_pools_that_it_selects() {
    let mut bench = Bench::new("minor");
    let path = "/apis/machineconfiguration.openshift.io/v1/kubeletconfigs";
    let of = |name: &str, pool: &str| {
        json!({
            "apiVersion": format!("{MCO}/v1"), "kind": "KubeletConfig", "metadata": {"name": name},
            "spec": {
                "kubeletConfig": {"maxPods": 500},
                "machineConfigPoolSelector": {"matchLabels": {format!("pools.operator.machineconfiguration.openshift.io/{pool}"): ""}},
            },
        })
    };
    bench.create(path, &of("big", "worker")).await;
    bench.create(path, &of("nobody", "no-such")).await;
    let config = "99-worker-generated-kubelet";
    bench
        .until("its config is there", MINUTE, |bench| !bench.object(Res::MACHINE_CONFIGS, None, config).is_null())
        .await;
    let big = bench.object(Res::KUBELET_CONFIGS, None, "big");
    assert_eq!(bench.said(&big, "Success").2, "Success");
    assert_eq!(big["metadata"]["finalizers"], json!([config]));
    let nobody = bench.object(Res::KUBELET_CONFIGS, None, "nobody");
    assert!(bench.said(&nobody, "Failure").2.contains("could not find any MachineConfigPool"));
    bench
        .until("a worker reboots for it", 5 * MINUTE, |bench| {
            bench.note("worker-0", "desiredDrain").starts_with("drain-")
        })
        .await;
    bench.delete(&format!("{path}/big")).await;
    bench
        .until("both are gone", MINUTE, |bench| {
            bench.object(Res::MACHINE_CONFIGS, None, config).is_null()
                && bench.object(Res::KUBELET_CONFIGS, None, "big").is_null()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_disruption_policy_spares_the_reboot() {
    let mut bench = Bench::new("minor");
    let path = "/apis/operator.openshift.io/v1/machineconfigurations/cluster";
    let alone = json!({"spec": {"nodeDisruptionPolicy": {"files": [
        {"path": "/etc/sysctl.d", "actions": [{"type": "Reboot"}, {"type": "Drain"}]},
    ]}}});
    let refused = bench.merge(path, &alone).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Reboot action can only be specified standalone"), "{}", refused.text);
    let none = json!({"spec": {"nodeDisruptionPolicy": {"files": [{"path": "/etc/sysctl.d", "actions": [{"type": "None"}]}]}}});
    bench.patch(path, &none).await;
    bench
        .until("the policy is in force", MINUTE, |bench| {
            let object = bench.object(Res::MACHINE_CONFIGURATIONS, None, "cluster");
            let files = &object["status"]["nodeDisruptionPolicyStatus"]["clusterPolicies"]["files"];
            files.as_array().is_some_and(|files| files.iter().any(|file| file["path"] == "/etc/sysctl.d"))
        })
        .await;
    let (boot, old) = (bench.boot("infra-0"), rendered(&bench, "infra"));
    bench.create(CONFIGS, &file_config("infra", "99-infra-tuning", "/etc/sysctl.d/99-tuning.conf")).await;
    bench.until("a new config", MINUTE, |bench| rendered(bench, "infra") != old).await;
    bench.until("the nodes have it", 10 * MINUTE, |bench| bench.settled("infra")).await;
    assert_eq!(bench.boot("infra-0"), boot);
}

#[tokio::test(start_paused = true)]
async fn pinned_images_are_fetched_by_the_nodes_of_their_pool() {
    let mut scenario = oc_cockpit::sim::scenario::Scenario::load("minor").unwrap();
    scenario.cluster.version = "4.19.3".to_owned();
    scenario.cluster.history.clear();
    let mut bench = Bench::of(&scenario);
    let path = "/apis/machineconfiguration.openshift.io/v1/pinnedimagesets";
    let set = |image: &str| {
        json!({
            "apiVersion": format!("{MCO}/v1"), "kind": "PinnedImageSet",
            "metadata": {"name": "next", "labels": {format!("{MCO}/role"): "infra"}},
            "spec": {"pinnedImages": [{"name": image}]},
        })
    };
    let refused = bench.post(path, &set("quay.io/ocp/image:latest")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("must end with a valid '@sha256:<digest>'"), "{}", refused.text);
    bench.create(path, &set(&format!("quay.io/ocp/image@sha256:{}", "a".repeat(64)))).await;
    let progress = |bench: &Bench| {
        let state = bench.object(Res::MACHINE_CONFIG_NODES, None, "infra-0");
        (bench.said(&state, "PinnedImageSetsProgressing").0, state["status"]["pinnedImageSets"].clone())
    };
    bench.until("the node fetches", MINUTE, |bench| progress(bench).0 == "True").await;
    let fetched = json!([{"name": "next", "desiredGeneration": 1, "currentGeneration": 1}]);
    bench.until("it has them", 5 * MINUTE, |bench| progress(bench) == ("False".to_owned(), fetched.clone())).await;
    bench
        .until("the pool counts it", 5 * MINUTE, |bench| {
            bench.pool("infra")["status"]["poolSynchronizersStatus"][0]["updatedMachineCount"] == 3
        })
        .await;
    assert!(bench.object(Res::MACHINE_CONFIG_NODES, None, "worker-0")["status"]["pinnedImageSets"].is_null());
    bench.delete(&format!("{path}/next")).await;
    bench.until("they let go", MINUTE, |bench| progress(bench).1 == json!([])).await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_asked_for_once_more_is_rolled_out() {
    let mut bench = Bench::new("minor");
    let path = "/apis/machineconfiguration.openshift.io/v1/machineosconfigs";
    let layered = |name: &str| {
        json!({
            "apiVersion": format!("{MCO}/v1"), "kind": "MachineOSConfig", "metadata": {"name": name},
            "spec": {
                "machineConfigPool": {"name": "infra"}, "imageBuilder": {"imageBuilderType": "Job"},
                "containerFile": [{"content": "FROM configs AS final"}],
                "renderedImagePushSecret": {"name": "push"}, "renderedImagePushSpec": "registry.example.com/os:latest",
            },
        })
    };
    assert_eq!(bench.post(path, &layered("other")).await.status, 422, "it has to be called as its pool");
    bench.patch(&format!("{POOLS}/infra"), &json!({"spec": {"maxUnavailable": 3}})).await;
    bench.create(path, &layered("infra")).await;
    bench
        .until("an image is built", MINUTE, |bench| {
            bench.said(&bench.pool("infra"), "Updating").2.contains("OS image build")
        })
        .await;
    bench
        .until("the pool runs it", 60 * MINUTE, |bench| {
            bench.settled("infra") && !bench.note("infra-0", "currentImage").is_empty()
        })
        .await;
    let (image, boot) = (bench.note("infra-0", "currentImage"), bench.boot("infra-0"));
    let again = json!({"metadata": {"annotations": {format!("{MCO}/rebuild"): ""}}});
    bench.patch(&format!("{path}/infra"), &again).await;
    bench
        .until("another image runs", 60 * MINUTE, |bench| {
            bench.settled("infra") && bench.note("infra-0", "currentImage") != image
        })
        .await;
    assert_ne!(bench.boot("infra-0"), boot);
    let config = bench.object(Res::MACHINE_OS_CONFIGS, None, "infra");
    assert!(config["metadata"]["annotations"][format!("{MCO}/rebuild")].is_null(), "the wish was fulfilled");
    assert_eq!(config["status"]["currentImagePullSpec"], json!(bench.note("infra-0", "currentImage")));
    bench.delete(&format!("{path}/infra")).await;
    bench
        .until("back to the image of the release", 60 * MINUTE, |bench| {
            bench.settled("infra")
                && bench.note("infra-0", "currentImage").is_empty()
                && bench.note("infra-0", "desiredImage").is_empty()
        })
        .await;
}

//! The simulated operators take up what people say of images, of the proxy and of certificates.

use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use crate::support::bench::{Bench, MINUTE};

const IMAGE: &str = "/apis/config.openshift.io/v1/images/cluster";
const PROXY: &str = "/apis/config.openshift.io/v1/proxies/cluster";
const MAPS: &str = "/api/v1/namespaces/openshift-config/configmaps";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

fn map(name: &str, key: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "openshift-config"},
        "data": {key: PEM},
    })
}

fn rendered(bench: &Bench, pool: &str) -> String {
    bench.pool(pool)["spec"]["configuration"]["name"].as_str().unwrap_or_default().to_owned()
}

fn trusting(name: &str) -> Value {
    json!({"spec": {"trustedCA": {"name": name}}})
}

#[tokio::test(start_paused = true)]
async fn certificates_of_registries_reach_nodes_past_their_pools() {
    let mut bench = Bench::new("minor");
    let old = rendered(&bench, "worker");
    bench.create(MAPS, &map("registry-ca", "registry.lab..5000")).await;
    bench.patch(IMAGE, &json!({"spec": {"additionalTrustedCA": {"name": "registry-ca"}}})).await;
    let handed = |bench: &Bench| {
        let config = bench.object(Res::CONTROLLER_CONFIGS, None, "machine-config-controller");
        config["spec"]["imageRegistryBundleUserData"][0]["file"] == "registry.lab..5000"
    };
    bench.until("the controller configuration has them", MINUTE, handed).await;
    bench.pass(2 * MINUTE).await;
    assert_eq!(rendered(&bench, "worker"), old, "no configuration is rendered for them");
    let answer = bench.merge(IMAGE, &json!({"spec": {"additionalTrustedCA": {"name": 7}}})).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let answer =
        bench.merge(IMAGE, &json!({"spec": {"registrySources": {"containerRuntimeSearchRegistries": []}}})).await;
    assert_eq!(answer.status, 422, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn certificates_of_a_proxy_are_a_file_that_restarts_a_service() {
    let mut bench = Bench::new("minor");
    let (old, boot) = (rendered(&bench, "worker"), bench.boot("worker-0"));
    bench.create(MAPS, &map("corporate", "ca-bundle.crt")).await;
    bench.patch(PROXY, &trusting("corporate")).await;
    bench.until("a new config", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("the workers have it", 15 * MINUTE, |bench| bench.settled("worker")).await;
    assert!(bench.events("Drain").is_empty(), "{:?}", bench.events("Drain"));
    assert_eq!(bench.boot("worker-0"), boot);
    let merged = bench.object(Res::CONFIGMAPS, Some("openshift-config-managed"), "trusted-ca-bundle");
    assert!(merged["data"]["ca-bundle.crt"].as_str().unwrap().contains(PEM), "{merged}");
    bench.patch(PROXY, &trusting("")).await;
    bench.until("back to the old config", 2 * MINUTE, |bench| rendered(bench, "worker") == old).await;
}

#[tokio::test(start_paused = true)]
async fn before_there_were_policies_they_reboot() {
    let mut bench = Bench::new("canary");
    let (old, boot) = (rendered(&bench, "worker"), bench.boot("worker-0"));
    bench.create(MAPS, &map("user-ca-bundle", "ca-bundle.crt")).await;
    bench.until("nobody has to name it", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("the workers have it", 90 * MINUTE, |bench| bench.settled("worker")).await;
    assert_ne!(bench.boot("worker-0"), boot);
}

#[tokio::test(start_paused = true)]
async fn what_a_proxy_names_and_is_not_there_degrades_the_network_operator() {
    let mut bench = Bench::new("minor");
    let old = rendered(&bench, "worker");
    bench.patch(PROXY, &trusting("missing")).await;
    let degraded = |bench: &Bench| bench.said(&bench.object(Res::CLUSTER_OPERATORS, None, "network"), "Degraded");
    bench.until("it is told", 2 * MINUTE, |bench| degraded(bench).1 == "InvalidProxyConfig").await;
    assert!(degraded(&bench).2.contains("\"missing\" not found"), "{:?}", degraded(&bench));
    assert_eq!(rendered(&bench, "worker"), old);
    bench.create(MAPS, &map("missing", "ca-bundle.crt")).await;
    bench.until("it is well again", 2 * MINUTE, |bench| degraded(bench).0 == "False").await;
    bench.until("and nodes get it", 2 * MINUTE, |bench| rendered(bench, "worker") != old).await;
}

#[tokio::test(start_paused = true)]
async fn the_way_out_is_taken_over_by_the_network_operator_and_reboots() {
    let mut bench = Bench::new("minor");
    let boot = bench.boot("worker-0");
    bench.patch(PROXY, &json!({"spec": {"httpProxy": "http://proxy.lab:3128", "noProxy": ".lab"}})).await;
    let proxy = |bench: &Bench| bench.object(Res::PROXIES, None, "cluster");
    bench.until("it is in force", MINUTE, |bench| proxy(bench)["status"]["httpProxy"] == "http://proxy.lab:3128").await;
    let without = proxy(&bench)["status"]["noProxy"].as_str().unwrap().to_owned();
    assert!(without.contains(".lab") && without.contains(".svc"), "{without}");
    bench.until("a worker boots", 20 * MINUTE, |bench| bench.boot("worker-0") != boot).await;
}

#[tokio::test(start_paused = true)]
async fn blocked_registries_drain() {
    let mut bench = Bench::new("minor");
    let (old, boot) = (rendered(&bench, "worker"), bench.boot("worker-0"));
    bench.patch(IMAGE, &json!({"spec": {"registrySources": {"blockedRegistries": ["docker.io"]}}})).await;
    bench.until("a new config", MINUTE, |bench| rendered(bench, "worker") != old).await;
    bench.until("the workers have it", 60 * MINUTE, |bench| bench.settled("worker")).await;
    assert!(bench.events("Drain").iter().any(|event| event.starts_with("worker-")), "{:?}", bench.events("Drain"));
    assert_eq!(bench.boot("worker-0"), boot);
}

//! The ClusterVersion of an idle cluster.

use serde_json::{Value, json};

use super::object::{Condition, uuid};
use super::{Builder, release};
use crate::sim::kinds::Res;
use crate::sim::scenario::{Payload, Scenario};
use crate::sim::store::timestamp;

/// Capabilities of a 4.18 cluster, all of them enabled.
const CAPABILITIES: [&str; 17] = [
    "Build",
    "CSISnapshot",
    "CloudControllerManager",
    "CloudCredential",
    "Console",
    "DeploymentConfig",
    "ImageRegistry",
    "Ingress",
    "Insights",
    "MachineAPI",
    "NodeTuning",
    "OperatorLifecycleManager",
    "OperatorLifecycleManagerV1",
    "Storage",
    "baremetal",
    "marketplace",
    "openshift-samples",
];

/// The image of a release for a cluster that runs payloads for all architectures, or for one.
pub fn release_image(scenario: &Scenario, version: &str, multi: bool) -> String {
    let migrated = multi && scenario.cluster.payload != Payload::Multi;
    if migrated { release::multi_image(version) } else { release::image(version) }
}

/// Whether a cluster runs payloads for all architectures.
pub fn is_multi(cluster: &Value) -> bool {
    cluster["status"]["desired"]["architecture"] == "Multi"
}

/// `status.desired` (and an entry of `availableUpdates`) of a release: what the update service knows, or the bare
/// version and image.
pub fn release_object(scenario: &Scenario, version: &str, multi: bool) -> Value {
    let mut object = json!({"image": release_image(scenario, version, multi), "version": version});
    if multi || scenario.cluster.payload == Payload::Multi {
        object["architecture"] = json!("Multi");
    }
    let minor = release::minor(version);
    let known = scenario.releases.iter().find(|release| release.version == version);
    let mut channels = known.map_or_else(
        || {
            let next = minor + 1;
            let mut channels = Vec::new();
            for stream in ["candidate", "fast", "stable"] {
                channels.push(format!("{stream}-4.{minor}"));
                channels.push(format!("{stream}-4.{next}"));
            }
            if minor.is_multiple_of(2) {
                channels.push(format!("eus-4.{minor}"));
                channels.push(format!("eus-4.{}", minor + 2));
            }
            channels
        },
        |release| release.channels.clone(),
    );
    channels.sort();
    object["channels"] = json!(channels);
    if let Some(url) = known.map(|release| &release.url).filter(|url| !url.is_empty()) {
        object["url"] = json!(url);
    }
    object
}

/// `Payload loaded ...`, as ReleaseAccepted says it.
pub fn payload_loaded(scenario: &Scenario, version: &str, image: &str) -> String {
    let migrated = release::digest(image) == release::digest(&release::multi_image(version));
    let architecture = if migrated || scenario.cluster.payload == Payload::Multi { "Multi" } else { "amd64" };
    format!("Payload loaded version=\"{version}\" image=\"{image}\" architecture=\"{architecture}\"")
}

/// Creates the ClusterVersion.
pub fn build(builder: &Builder<'_>) {
    let scenario = builder.scenario;
    let version = &scenario.cluster.version;
    let history: Vec<Value> = scenario
        .cluster
        .history
        .iter()
        .enumerate()
        .map(|(index, past)| {
            let started = builder.now - past.started.delta();
            json!({
                "completionTime": timestamp(started + past.took.delta()),
                "image": release::image(&past.version),
                "startedTime": timestamp(started),
                "state": if past.partial { "Partial" } else { "Completed" },
                // The installer's own release is not verified by the cluster.
                "verified": index + 1 != scenario.cluster.history.len(),
                "version": past.version,
            })
        })
        .collect();
    let history = if history.is_empty() { vec![installation(builder)] } else { history };
    let settled = scenario
        .cluster
        .history
        .first()
        .map_or(builder.installed, |past| builder.now - past.started.delta() + past.took.delta());
    let conditions = [
        (Condition::new("RetrievedUpdates", "True", "", ""), builder.installed),
        (
            Condition::new(
                "ImplicitlyEnabledCapabilities",
                "False",
                "AsExpected",
                "Capabilities match configured spec",
            ),
            builder.installed,
        ),
        (
            Condition::new(
                "ReleaseAccepted",
                "True",
                "PayloadLoaded",
                &payload_loaded(scenario, version, &release::image(version)),
            ),
            builder.installed,
        ),
        (Condition::new("Available", "True", "", &format!("Done applying {version}")), builder.installed),
        (Condition::new("Failing", "False", "", ""), settled),
        (Condition::new("Progressing", "False", "", &format!("Cluster version is {version}")), settled),
    ]
    .map(|(condition, since)| condition.at(since));
    let object = json!({
        "metadata": {"name": "version", "generation": 2},
        "spec": {"channel": scenario.cluster.channel, "clusterID": uuid(&scenario.cluster.name)},
        "status": {
            "availableUpdates": null,
            "capabilities": {"enabledCapabilities": CAPABILITIES, "knownCapabilities": CAPABILITIES},
            "conditions": conditions,
            "desired": release_object(scenario, version, false),
            "history": history,
            "observedGeneration": 2,
            "versionHash": release::version_hash(version),
        },
    });
    builder.old(Res::CLUSTER_VERSIONS, object);
}

fn installation(builder: &Builder<'_>) -> Value {
    let version = &builder.scenario.cluster.version;
    json!({
        "completionTime": timestamp(builder.installed + chrono::TimeDelta::minutes(36)),
        "image": release::image(version),
        "startedTime": timestamp(builder.installed),
        "state": "Completed",
        "verified": false,
        "version": version,
    })
}

//! Pools whose nodes run an OS image that is built on the cluster: which image, and how far its build is. As long as it is
//! not usable the machine-config controller takes no node (pkg/controller/node/node_controller.go, `canLayeredPoolContinue`).

use super::assessment::{Build, Layer};
use super::facts::Facts;
use crate::api::{
    Condition, Conditions as _, MachineConfigPool, MachineOSBuild, MachineOSConfig, Tri, metadata::annotation,
};

/// Annotation of a MachineOSConfig: its newest build.
const CURRENT_BUILD: &str = "machineconfiguration.openshift.io/current-machine-os-build";

/// The layer of a pool; none: it is not layered, as far as is known.
pub fn layer(facts: &Facts, pool: &MachineConfigPool) -> Option<Layer> {
    let config = facts.around.machine_os_configs.iter().find(|config| config.spec.pool.name == pool.name());
    match config {
        Some(config) => Some(Layer {
            image: Some(config.status.image().to_owned()).filter(|image| !image.is_empty()),
            build: build_of(facts, config, pool),
        }),
        None => of_conditions(pool).map(|build| Layer { image: None, build }),
    }
}

/// The state of the build for the pool's configuration.
fn build_of(facts: &Facts, config: &MachineOSConfig, pool: &MachineConfigPool) -> Build {
    let target = pool.spec.configuration.name.as_str();
    let newest = annotation(&config.metadata, CURRENT_BUILD).unwrap_or(config.status.build.name.as_str());
    let builds = &facts.around.machine_os_builds;
    let ours = |build: &&std::sync::Arc<MachineOSBuild>| build.spec.of.name == config.name();
    let named = builds.iter().find(|build| build.name() == newest).filter(|build| build.spec.config() == target);
    let found = named.or_else(|| builds.iter().filter(ours).find(|build| build.spec.config() == target));
    match found {
        Some(build) => of_build(&build.status.conditions),
        // Without builds at hand the pool's own words have to do.
        None if builds.is_empty() => of_conditions(pool).unwrap_or(Build::Succeeded),
        None => Build::Pending,
    }
}

fn of_build(conditions: &[Condition]) -> Build {
    let table = [
        ("Succeeded", Build::Succeeded),
        ("Failed", Build::Failed),
        ("Interrupted", Build::Interrupted),
        ("Building", Build::Building),
    ];
    table.iter().find(|(kind, _)| conditions.is_true(kind)).map_or(Build::Pending, |(_, build)| *build)
}

/// By the pool's conditions and the sentences of its condition `Updating` (pkg/controller/node/status.go,
/// `calculateStatus`).
fn of_conditions(pool: &MachineConfigPool) -> Option<Build> {
    let conditions = &pool.status.conditions;
    if conditions.is_true("ImageBuildDegraded") || conditions.is_true("BuildFailed") {
        return Some(Build::Failed);
    }
    if conditions.is_true("BuildInterrupted") {
        return Some(Build::Interrupted);
    }
    if conditions.is_true("Building") {
        return Some(Build::Building);
    }
    if conditions.is_true("BuildPending") {
        return Some(Build::Pending);
    }
    let updating = conditions.condition("Updating").filter(|updating| updating.status == Tri::False)?;
    let says = |words: &str| updating.message.contains(words);
    if says("OS image build failure") {
        Some(Build::Failed)
    } else if says("waiting for OS image build to start") {
        Some(Build::Pending)
    } else if says("OS image build") {
        Some(Build::Building)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::assessment::NodePhase;
    use crate::upgrade::specimen::{NEW, Specimen, condition, rendered};
    use serde_json::json;

    /// The pool worker is layered; its build for the new configuration has these conditions.
    fn layered(conditions: &[&str]) -> Specimen {
        let mut cluster = Specimen::rolling();
        let conditions: Vec<_> = conditions.iter().map(|kind| condition(kind, "True", "", "", 31)).collect();
        cluster.around.extend([
            json!({
                "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineOSConfig",
                "metadata": {"name": "worker", "annotations": {CURRENT_BUILD: "worker-1"}},
                "spec": {"machineConfigPool": {"name": "worker"}},
                "status": {"currentImagePullSpec": "registry/os@sha256:new"},
            }),
            json!({
                "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineOSBuild", "metadata": {"name": "worker-1"},
                "spec": {"machineConfig": {"name": rendered("worker", NEW)}, "machineOSConfig": {"name": "worker"}},
                "status": {"conditions": conditions},
            }),
        ]);
        cluster
    }

    #[test]
    fn a_build_that_is_not_usable_leaves_no_candidate() {
        let table: [(&[&str], &str); 3] = [
            (&[], "waits for its OS image: the build has not begun"),
            (&["Prepared", "Building"], "waits for its OS image: the build goes on"),
            (&["Failed"], "waits for its OS image: the build failed"),
        ];
        for (conditions, why) in table {
            let assessment = layered(conditions).assess(40);
            let pool = assessment.pool("worker").unwrap();
            assert_eq!((pool.capacity.next.len(), pool.capacity.why_none.as_str()), (0, why), "{conditions:?}");
            assert_eq!(assessment.node("worker-0").unwrap().next, None);
        }
        let built = layered(&["Prepared", "Succeeded"]).assess(40);
        assert_eq!(built.pool("worker").unwrap().capacity.next.len(), 3);
        assert_eq!(Specimen::rolling().assess(40).pool("worker").unwrap().layer, None);
    }

    #[test]
    fn a_node_is_done_when_its_image_agrees_too() {
        let mut cluster = layered(&["Succeeded"]);
        cluster.reaches("worker-0", "worker");
        let phase = |cluster: &Specimen| cluster.assess(40).node("worker-0").unwrap().phase;
        assert_eq!(phase(&cluster), NodePhase::Waiting, "the configuration alone is half of it");
        cluster.mark(
            "worker-0",
            &[("currentImage", "registry/os@sha256:old"), ("desiredImage", "registry/os@sha256:new")],
        );
        assert!(phase(&cluster).moving());
        cluster.mark("worker-0", &[("currentImage", "registry/os@sha256:new")]);
        assert_eq!(phase(&cluster), NodePhase::Done);
    }

    #[test]
    fn without_builds_at_hand_the_pools_own_words_have_to_do() {
        let mut cluster = Specimen::rolling();
        cluster.pool("worker")["status"]["conditions"] = json!([condition(
            "Updating",
            "False",
            "",
            "Pool is waiting for OS image build to start (mosc: worker)",
            30
        )]);
        let assessment = cluster.assess(40);
        assert_eq!(assessment.pool("worker").unwrap().layer, Some(Layer { image: None, build: Build::Pending }));
    }
}

//! The machine OS builder: makes the image of a layered pool for every config that is rendered for it.
//!
//! Rules: machine-config-operator, pkg/controller/build (buildcontroller, imagebuilder): a build has conditions Prepared,
//! Building, Failed, Interrupted, Succeeded; the job retries three times; the annotation `rebuild` on the
//! MachineOSConfig starts over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::world::{Actor, Speaker, World};
use crate::sim::cluster::controller_config::{built_image, finish_build, os_build, os_build_of};
use crate::sim::cluster::object::{Condition, condition_status, name, set_condition, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::store::timestamp;

/// The annotation by which a person asks for another build.
const REBUILD: &str = "machineconfiguration.openshift.io/rebuild";

/// What a layered pool waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// No image is built for the pool.
    NotLayered,
    /// It has not begun: the build's name.
    Waiting(String),
    /// It goes on.
    Running(String),
    /// It failed.
    Failed(String),
    /// The image to go to.
    Ready(String),
}

/// The build of a pool's present target.
pub fn build_of(world: &World, pool: &Value) -> Build {
    let configs = world.store.list(Res::MACHINE_OS_CONFIGS);
    let own = configs.iter().find(|config| text(config, "/spec/machineConfigPool/name") == name(pool));
    let Some(own) = own else { return Build::NotLayered };
    let build = os_build_of(own, text(pool, "/spec/configuration/name"));
    let Some(object) = world.store.get(Res::MACHINE_OS_BUILDS, None, &build) else { return Build::Waiting(build) };
    let is = |kind| condition_status(&object, kind) == "True";
    if is("Succeeded") {
        Build::Ready(text(&object, "/status/digestedImagePushSpec").to_owned())
    } else if is("Failed") {
        Build::Failed(build)
    } else {
        Build::Running(build)
    }
}

/// When a build begins to build, and when it is done.
#[derive(Debug, Clone, Copy)]
struct Plan {
    prepared: Duration,
    done: Duration,
}

/// The builder.
#[derive(Debug, Default)]
pub struct ImageBuilder {
    plans: BTreeMap<String, Plan>,
    /// How often a build was repeated.
    again: BTreeMap<String, u32>,
    /// The MachineOSConfigs that were there.
    known: BTreeSet<String>,
}

impl Actor for ImageBuilder {
    fn step(&mut self, world: &mut World) {
        let configs = world.store.list(Res::MACHINE_OS_CONFIGS);
        let there: BTreeSet<String> = configs.iter().map(|config| name(config).to_owned()).collect();
        for gone in self.known.difference(&there) {
            drop_builds(world, gone);
        }
        self.known = there;
        for config in configs {
            let pool = text(&config, "/spec/machineConfigPool/name").to_owned();
            let Some(object) = world.store.get(Res::MACHINE_CONFIG_POOLS, None, &pool) else { continue };
            match build_of(world, &object) {
                // Nothing is built for a pool that is in trouble.
                Build::Waiting(_) if condition_status(&object, "NodeDegraded") == "True" => {}
                Build::Waiting(build) => {
                    let rendered = text(&object, "/spec/configuration/name");
                    world.store.create(Res::MACHINE_OS_BUILDS, os_build(&config, rendered, world.now), world.now);
                    self.plan(world, &build);
                }
                Build::Running(build) => self.go_on(world, &config, &pool, &build),
                Build::Failed(build) => start_over(world, &config, &pool, &build),
                Build::Ready(_) => self.repeat(world, &config, text(&object, "/spec/configuration/name")),
                Build::NotLayered => {}
            }
        }
    }
}

fn say(world: &World, build: &str, kind: &str, status: &str, message: &str) {
    world.store.update(Res::MACHINE_OS_BUILDS, None, build, |object| {
        set_condition(object, &Condition::new(kind, status, kind, message), world.now);
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            if condition.get("message").is_none() {
                condition["message"] = serde_json::json!("");
            }
        }
    });
    let speaker = Speaker::Leader(super::node_controller::NAMESPACE, "machine-config-operator");
    world.log(speaker, 'I', "buildcontroller.go", &format!("MachineOSBuild {build} {kind}={status} {message}"));
}

impl ImageBuilder {
    fn plan(&mut self, world: &World, build: &str) {
        let prepared = world.elapsed + world.between(&format!("prepare build {build}"), (8, 20));
        let done = prepared + world.around(&format!("build {build}"), 540.0, 0.25);
        self.plans.insert(build.to_owned(), Plan { prepared, done });
    }

    fn go_on(&mut self, world: &World, config: &Value, pool: &str, build: &str) {
        let Some(plan) = self.plans.get(build).copied() else { return self.plan(world, build) };
        if world.elapsed < plan.prepared {
            return;
        }
        let Some(object) = world.store.get(Res::MACHINE_OS_BUILDS, None, build) else { return };
        if condition_status(&object, "Building") != "True" {
            say(world, build, "Prepared", "False", "");
            say(world, build, "Building", "True", "Image Build In Progress");
        }
        // The job has failed three times well before a good build would have been done.
        let halfway = plan.prepared + (plan.done.saturating_sub(plan.prepared)) / 2;
        if world.elapsed >= halfway && world.strikes(MishapKind::BuildFailed, pool).is_some() {
            say(world, build, "Building", "False", "");
            say(world, build, "Failed", "True", "Build Failed");
            world.store.update(Res::MACHINE_OS_BUILDS, None, build, |object| {
                object["status"]["buildEnd"] = serde_json::json!(timestamp(world.now));
            });
            self.plans.remove(build);
            return;
        }
        if world.elapsed >= plan.done {
            self.plans.remove(build);
            let image = built_image(build, self.again.get(build).copied().unwrap_or_default());
            finish_build(&world.store, name(config), (build, &image), world.now);
        }
    }

    /// Somebody asks for the image once more, with what its sources are now.
    fn repeat(&mut self, world: &World, config: &Value, rendered: &str) {
        if config["metadata"]["annotations"][REBUILD].is_null() {
            return;
        }
        let build = os_build_of(config, rendered);
        *self.again.entry(build.clone()).or_default() += 1;
        world.store.update(Res::MACHINE_OS_CONFIGS, None, name(config), |config| {
            crate::sim::cluster::object::remove(config, "/metadata/annotations", REBUILD);
        });
        world.store.delete(Res::MACHINE_OS_BUILDS, None, &build);
    }
}

/// Builds go with the MachineOSConfig that asked for them.
fn drop_builds(world: &World, config: &str) {
    for build in world.store.list(Res::MACHINE_OS_BUILDS) {
        if text(&build, "/spec/machineOSConfig/name") == config {
            world.store.delete(Res::MACHINE_OS_BUILDS, None, name(&build));
        }
    }
}

/// A build that failed stays failed until somebody asks for another, or its cause is gone.
fn start_over(world: &World, config: &Value, pool: &str, build: &str) {
    let asked = !config["metadata"]["annotations"][REBUILD].is_null();
    if world.mishaps.is_on(MishapKind::BuildFailed, pool) && !asked {
        return;
    }
    if asked {
        world.store.update(Res::MACHINE_OS_CONFIGS, None, name(config), |config| {
            crate::sim::cluster::object::remove(config, "/metadata/annotations", REBUILD);
        });
    }
    world.store.delete(Res::MACHINE_OS_BUILDS, None, build);
}

//! The Prep stage: the seed image becomes a second stateroot, and the images that it needs are pulled.
//!
//! Rules: lifecycle-agent, controllers/prep_handlers.go.

use std::time::Duration;

use semver::Version;
use serde_json::Value;

use super::health_wait::{Checks, unhealthy};
use super::oadp_content::{manifests, missing, refused_manifest, waves};
use super::prep_jobs::{self, PRECACHE, STATEROOT, home};
use super::upgrade_status::{begin_phase, begin_stage, end_phase, end_stage, tell, write};
use super::{Turn, WARNING};
use crate::sim::actors::disk::{Settings, Stateroot};
use crate::sim::actors::world::World;
use crate::sim::cluster::image_based::NAME;
use crate::sim::cluster::object::{annotate, annotation, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::scenario::from_image::{Durations, RollbackSwitch, Stage};

/// How often the health of the cluster is looked at.
const HEALTH: Duration = Duration::from_secs(20);
/// How often a Job is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// `initMonitorTimeoutSeconds` where it is not set.
const TIMEOUT: u64 = 1_800;
/// The annotation with the number of policy manifests that are expected.
const EXPECTED: &str = "lca.openshift.io/target-ocp-version-manifest-count";

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Checking,
    Stateroot { since: Duration },
    Precache { since: Duration, told: Duration },
}

/// A Prep that is under way.
#[derive(Debug)]
pub struct Prep {
    step: Step,
    due: Duration,
}

impl Prep {
    /// It begins.
    pub fn begin(world: &World, upgrade: &Value) -> Self {
        let now = world.now;
        write(world, |object| {
            if let Some(status) = object["status"].as_object_mut() {
                status.remove("history");
            }
            tell(object, ("Idle", "False", "InProgress"), "In progress", now);
            tell(object, ("PrepInProgress", "True", "InProgress"), "In progress", now);
            begin_stage(object, Stage::Prep, now);
        });
        if let Some(why) = invalid(world, upgrade) {
            fail(world, &why);
        }
        Self { step: Step::Checking, due: world.elapsed + Duration::from_secs(3) }
    }

    /// The agent was started anew: it begins with the checks again.
    pub fn again(world: &World) -> Self {
        Self { step: Step::Checking, due: world.elapsed }
    }

    /// A step.
    pub fn step(&mut self, world: &mut World) -> Turn {
        let Some(upgrade) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) else { return Turn::Over };
        if super::condition_status(&upgrade, "PrepInProgress") != "True" {
            return Turn::Over;
        }
        match self.step {
            Step::Checking if world.elapsed >= self.due => self.check(world),
            Step::Stateroot { since } => return self.stateroot(world, &upgrade, since),
            Step::Precache { since, told } => return self.precache(world, &upgrade, since, told),
            Step::Checking => {}
        }
        Turn::On
    }

    fn check(&mut self, world: &World) {
        if let Some(problems) = unhealthy(world, Checks::All) {
            say(world, &format!("Waiting for system to stabilize before Prep stage can continue: {problems}"));
            self.due = world.elapsed + HEALTH;
            return;
        }
        prep_jobs::start(world, STATEROOT);
        prep_jobs::say(world, STATEROOT, "info", "Cleaning up stateroot setup leftovers");
        prep_jobs::say(world, STATEROOT, "info", "Pulling seed image");
        let message = format!("Stateroot setup job in progress. job-name: {STATEROOT}, job-namespace: {}", home(world));
        let now = world.now;
        write(world, |object| {
            begin_phase(object, Stage::Prep, "Stateroot", now);
            tell(object, ("PrepInProgress", "True", "InProgress"), &message, now);
        });
        self.step = Step::Stateroot { since: world.elapsed };
        self.due = world.elapsed + Duration::from_secs(10);
    }

    fn stateroot(&mut self, world: &mut World, upgrade: &Value, since: Duration) -> Turn {
        let length = durations(world).stateroot.0;
        let quarter = length / 4;
        if world.elapsed < self.due {
            return Turn::On;
        }
        let image = text(upgrade, "/spec/seedImageRef/image");
        if let Some(why) = cannot_pull(world, upgrade) {
            prep_jobs::say(world, STATEROOT, "error", &why);
            prep_jobs::finish(world, STATEROOT, false);
            fail(
                world,
                &format!(
                    "stateroot setup job failed to complete. job-name: {STATEROOT}, job-namespace: {}: {why}",
                    home(world)
                ),
            );
            return Turn::Over;
        }
        if world.elapsed < since + length {
            let lines = [
                format!("Pulled seed image {image}"),
                "Creating new stateroot".to_owned(),
                "Deploying the ostree commit of the seed".to_owned(),
                "Restoring /var of the seed".to_owned(),
            ];
            let done = (world.elapsed.saturating_sub(since).as_secs_f64() / quarter.as_secs_f64().max(0.1)) as usize;
            if let Some(line) = lines.get(done) {
                prep_jobs::say(world, STATEROOT, "info", line);
            }
            self.due = (self.due + quarter).min(since + length);
            return Turn::On;
        }
        prep_jobs::say(world, STATEROOT, "info", "Stateroot setup done");
        prep_jobs::finish(world, STATEROOT, true);
        let version = text(upgrade, "/spec/seedImageRef/version").to_owned();
        world.disk.other = Some(Stateroot::Prepared { version, settings: settings(upgrade) });
        prep_jobs::start(world, PRECACHE);
        let now = world.now;
        write(world, |object| {
            end_phase(object, Stage::Prep, "Stateroot", now);
            begin_phase(object, Stage::Prep, "Precache", now);
        });
        say_precache(world, 0, 0);
        self.step = Step::Precache { since: world.elapsed, told: world.elapsed };
        Turn::On
    }

    fn precache(&mut self, world: &World, upgrade: &Value, since: Duration, told: Duration) -> Turn {
        let Durations { precache, images, .. } = durations(world);
        let share = world.elapsed.saturating_sub(since).as_secs_f64() / precache.0.as_secs_f64().max(0.1);
        let pulled = (f64::from(images) * share.min(1.0)) as u32;
        let failing = (share >= 0.5).then(|| world.strikes(MishapKind::PrecacheFailed, "")).flatten();
        if let Some(mishap) = failing {
            let message = mishap.message.unwrap_or_else(|| {
                format!("failed to pull 1 of {images} images: unauthorized: authentication required")
            });
            prep_jobs::say(world, PRECACHE, "error", &message);
            prep_jobs::finish(world, PRECACHE, false);
            say_precache(world, pulled, 1);
            let job = format!("precache job failed to complete. job-name: {PRECACHE}, job-namespace: {}", home(world));
            fail(world, &format!("{job}: {message}"));
            return Turn::Over;
        }
        if share < 1.0 {
            if world.elapsed >= told + LOOK {
                say_precache(world, pulled, 0);
                prep_jobs::say(world, PRECACHE, "info", &format!("Completed: {pulled} of {images} images"));
                self.step = Step::Precache { since, told: world.elapsed };
            }
            return Turn::On;
        }
        prep_jobs::say(world, PRECACHE, "info", &format!("Completed precaching, {images} images"));
        prep_jobs::finish(world, PRECACHE, true);
        complete(world, upgrade);
        Turn::Over
    }
}

fn durations(world: &World) -> Durations {
    let agent = world.scenario.cluster.lifecycle_agent.as_ref();
    agent.map(|agent| agent.durations.clone()).unwrap_or_default()
}

fn say(world: &World, message: &str) {
    write(world, |object| tell(object, ("PrepInProgress", "True", "InProgress"), message, world.now));
}

fn say_precache(world: &World, pulled: u32, failed: u32) {
    let images = durations(world).images;
    say(
        world,
        &format!(
            "Precache job in progress. job-name: {PRECACHE}, job-namespace: {}. total: {images} (pulled: {pulled}, \
             failed: {failed})",
            home(world)
        ),
    );
}

fn fail(world: &World, cause: &str) {
    write(world, |object| {
        tell(object, ("PrepCompleted", "False", "Failed"), "Prep failed", world.now);
        tell(object, ("PrepInProgress", "False", "Failed"), cause, world.now);
    });
}

fn complete(world: &World, upgrade: &Value) {
    let now = world.now;
    let warning = warning(world, upgrade);
    write(world, |object| {
        let message = if let Some(warning) = &warning {
            annotate(object, WARNING, warning);
            format!(
                "Prep stage completed with extramanifests validation warning. Please check the annotation '{WARNING}' \
                 for details."
            )
        } else {
            "Prep stage completed successfully".to_owned()
        };
        tell(object, ("PrepInProgress", "False", "Completed"), "Prep completed", now);
        tell(object, ("PrepCompleted", "True", "Completed"), &message, now);
        end_phase(object, Stage::Prep, "Precache", now);
        end_stage(object, Stage::Prep, now);
    });
}

/// What the dry run of the extra manifests warns of: what the story says, or a kind that is not served here.
fn warning(world: &World, upgrade: &Value) -> Option<String> {
    let agent = world.scenario.cluster.lifecycle_agent.as_ref()?;
    if agent.validation_warning.is_some() {
        return agent.validation_warning.clone();
    }
    let manifests = manifests(world, upgrade, "extraManifests").ok()?;
    let unknown = manifests.iter().find(|manifest| {
        let group = text(manifest, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let known = world.store.find_kind(group, text(manifest, "/kind"));
        known.is_none_or(|info| !world.store.served(info.res()))
    })?;
    let (kind, version) = (text(unknown, "/kind"), text(unknown, "/apiVersion"));
    Some(format!("no matches for kind \"{kind}\" in version \"{version}\""))
}

/// Copied into the new stateroot: what is changed later has no effect.
fn settings(upgrade: &Value) -> Settings {
    let on = |switch: RollbackSwitch| annotation(upgrade, switch.annotation()) != "Disabled";
    let seconds = upgrade.pointer("/spec/autoRollbackOnFailure/initMonitorTimeoutSeconds").and_then(Value::as_u64);
    Settings {
        post_reboot_config: on(RollbackSwitch::PostRebootConfig),
        init_monitor: on(RollbackSwitch::InitMonitor),
        timeout: Duration::from_secs(seconds.filter(|seconds| *seconds > 0).unwrap_or(TIMEOUT)),
    }
}

/// What is wrong with the request, before anything is done.
fn invalid(world: &World, upgrade: &Value) -> Option<String> {
    let (image, version) = (text(upgrade, "/spec/seedImageRef/image"), text(upgrade, "/spec/seedImageRef/version"));
    if image.is_empty() || version.is_empty() {
        return Some("seedImageRef.image and seedImageRef.version have to be set".to_owned());
    }
    let cluster = world.store.get(Res::CLUSTER_VERSIONS, None, "version");
    let current = cluster.as_ref().map_or("", |cluster| text(cluster, "/status/desired/version"));
    match (Version::parse(version), Version::parse(current)) {
        (Err(error), _) => return Some(format!("the seed image's version {version:?} cannot be read: {error}")),
        (Ok(seed), Ok(running)) if seed <= running => {
            return Some(format!(
                "seed image version {version} is not higher than the version of the cluster, {current}"
            ));
        }
        _ => {}
    }
    if let Some(name) = upgrade.pointer("/spec/seedImageRef/pullSecretRef/name").and_then(Value::as_str)
        && world.store.get(Res::SECRETS, Some(&home(world)), name).is_none()
    {
        return Some(format!("failed to get the pull secret: secrets \"{name}\" not found"));
    }
    for list in ["oadpContent", "extraManifests"] {
        if let Some(map) = missing(world, upgrade, list).into_iter().next() {
            return Some(format!("{list}: configmap {map} not found"));
        }
    }
    let oadp = match manifests(world, upgrade, "oadpContent") {
        Ok(oadp) => oadp,
        Err(why) => return Some(why),
    };
    if waves(oadp.clone(), "Backup").is_empty() != waves(oadp, "Restore").is_empty() {
        return Some("oadpContent: Backups and Restores have to come together".to_owned());
    }
    match manifests(world, upgrade, "extraManifests") {
        Err(why) => return Some(why),
        Ok(extra) => {
            if let Some(why) = refused_manifest(&extra) {
                return Some(why);
            }
        }
    }
    // No policies are bound to this cluster.
    let expected = annotation(upgrade, EXPECTED);
    (!expected.is_empty() && expected != "0")
        .then(|| format!("the number of policy manifests found, 0, is not the expected one, {expected}"))
}

/// Why the seed image cannot be used, as soon as it is pulled.
fn cannot_pull(world: &World, upgrade: &Value) -> Option<String> {
    let (image, version) = (text(upgrade, "/spec/seedImageRef/image"), text(upgrade, "/spec/seedImageRef/version"));
    let seed = &world.scenario.cluster.lifecycle_agent.as_ref()?.seed;
    if let Some(mishap) = world.strikes(MishapKind::SeedUnreachable, "") {
        return Some(mishap.message.unwrap_or_else(|| {
            format!("failed to pull image {image}: pinging container registry: dial tcp: i/o timeout")
        }));
    }
    if image != seed.image {
        return Some(format!("failed to pull image {image}: reading manifest: manifest unknown"));
    }
    (version != seed.version).then(|| {
        format!("version specified in seed image ref ({version}) differs from version in seed image ({})", seed.version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn switches_and_timeout_are_read_from_the_object() {
        let switch = RollbackSwitch::InitMonitor.annotation();
        let upgrade = json!({
            "metadata": {"annotations": {switch: "Disabled"}},
            "spec": {"autoRollbackOnFailure": {"initMonitorTimeoutSeconds": 0}},
        });
        let read = settings(&upgrade);
        assert_eq!((read.init_monitor, read.post_reboot_config, read.timeout.as_secs()), (false, true, TIMEOUT));
    }
}

//! The lifecycle agent: upgrades a single node from an image of another, and takes it back.
//!
//! Belongs here: the process, what wakes it, what it makes of `spec.stage`. The stages are in [`prep`], [`upgrade_stage`],
//! [`rollback_stage`] and [`clean_up`]. Does not: the reboot itself (see [`super::reboot`]), Velero ([`super::velero`]).
//!
//! Rules: openshift-kni/lifecycle-agent, controllers/imagebasedupgrade_controller.go and {prep,upgrade,rollback,idle}
//! handlers. The agent looks when the spec changes, when one of its two annotations changes, and when a timer runs out:
//! its words are as old as that.

pub mod clean_up;
pub mod health_wait;
pub mod oadp_content;
pub mod prep;
pub mod prep_jobs;
pub mod rollback_stage;
pub mod upgrade_stage;
pub mod upgrade_status;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::world::{Actor, Event, EventType, World, involved};
use crate::sim::cluster::image_based::NAME;
use crate::sim::cluster::object::{annotation, condition, condition_status, number, remove, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::from_image::Stage;
use clean_up::CleanUp;
use prep::Prep;
use rollback_stage::Rollback;
use upgrade_stage::Upgrade;
use upgrade_status::{tell, upgrade_failed, write};

/// The annotation by which a person says that they have cleaned up: the agent tries again, and removes it.
pub const CLEANED: &str = "lca.openshift.io/manual-cleanup-done";
/// The annotation that wakes the agent whenever its value changes.
pub const TRIGGER: &str = "lca.openshift.io/trigger-reconcile";
/// The annotation with what the dry run of the extra manifests warned of.
pub const WARNING: &str = "extra-manifest.lca.openshift.io/validation-warning";

/// How long the agent takes to see a change.
const REACTION: Duration = Duration::from_secs(2);
/// How long after the node is Ready the agent runs in a stateroot that was just booted.
const STARTING: Duration = Duration::from_secs(20);
/// Between the steps by which it puts its ImageBasedUpgrade back: delete, create, write the status.
const BETWEEN: Duration = Duration::from_secs(6);
/// How often it looks again after a cleanup that failed.
const RECHECK: Duration = Duration::from_secs(300);

/// What the agent is in the midst of.
#[derive(Debug, Default)]
enum Task {
    #[default]
    None,
    Prep(Prep),
    Upgrade(Upgrade),
    Rollback(Rollback),
    CleanUp(CleanUp),
}

/// How far the agent's process is.
#[derive(Debug, Default)]
enum Process {
    /// The machine was booted: the node has to be Ready first.
    #[default]
    Waiting,
    /// The pod starts.
    Starting(Duration),
    /// The object of this etcd is deleted.
    Deleted(Duration),
    /// The saved one is there, without a status.
    Created(Duration, Value),
    /// It works.
    Running,
}

/// What a stage's task says after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    On,
    /// It is over, well or not.
    Over,
}

/// The agent.
#[derive(Debug, Default)]
pub struct LifecycleAgent {
    process: Process,
    task: Task,
    /// Generation and annotations that were seen last.
    seen: Option<(i64, String, String)>,
    due: Option<Duration>,
    /// The object as it was last: a deletion is no way out.
    last: Option<Arc<Value>>,
    gone_since: Option<Duration>,
}

impl Actor for LifecycleAgent {
    fn step(&mut self, world: &mut World) {
        if world.scenario.cluster.lifecycle_agent.is_none() {
            return;
        }
        upgrade_stage::watch_dog(world);
        if world.reboot.is_some() || !self.is_running(world) {
            return;
        }
        drive(world);
        let Some(upgrade) = self.find(world) else { return };
        self.block(world, &upgrade);
        self.notice(world, &upgrade);
        self.work(world);
        self.last = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME).or(Some(upgrade));
    }
}

impl LifecycleAgent {
    /// Whether the process has come so far. In a stateroot that was just booted it first puts back what it saved.
    fn is_running(&mut self, world: &mut World) -> bool {
        match &self.process {
            Process::Running => return true,
            Process::Waiting if world.disk.boots == 0 => self.process = Process::Running,
            Process::Waiting => {
                let ready = world.seen.nodes.values().all(|node| node.view.ready);
                if ready && !upgrade_stage::is_held(world) {
                    self.process = Process::Starting(world.elapsed + STARTING);
                }
            }
            Process::Starting(at) if world.elapsed >= *at => {
                let saved = world.disk.saved.take();
                oadp_content::import(world);
                match saved {
                    Some(saved) => {
                        world.store.delete(Res::IMAGE_BASED_UPGRADES, None, NAME);
                        world.disk.saved = Some(saved);
                        self.process = Process::Deleted(world.elapsed + BETWEEN);
                    }
                    None => self.process = Process::Running,
                }
            }
            Process::Deleted(at) if world.elapsed >= *at => {
                let saved = world.disk.saved.take().unwrap_or_default();
                put_back(world, &saved, false);
                self.process = Process::Created(world.elapsed + BETWEEN, saved);
            }
            Process::Created(at, saved) if world.elapsed >= *at => {
                let saved = saved.clone();
                write(world, |object| object["status"] = saved["status"].clone());
                self.process = Process::Running;
            }
            _ => {}
        }
        matches!(self.process, Process::Running)
    }

    /// The object. One that was deleted is made again: at rest where nothing was under way (or nothing can be saved any
    /// more), and else as it was.
    fn find(&mut self, world: &World) -> Option<Arc<Value>> {
        if let Some(upgrade) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) {
            self.gone_since = None;
            return Some(upgrade);
        }
        let since = *self.gone_since.get_or_insert(world.elapsed);
        if world.elapsed < since + REACTION {
            return None;
        }
        let last = self.last.take();
        let kept = last.filter(|last| {
            condition_status(last, "Idle") != "True" && condition_status(last, "RollbackCompleted") != "False"
        });
        if let Some(last) = kept {
            put_back(world, &last, true);
        } else {
            let object = json!({"metadata": {"name": NAME}, "spec": {"seedImageRef": {}, "stage": "Idle"}});
            world.store.create(Res::IMAGE_BASED_UPGRADES, object, world.now);
            write(world, |object| upgrade_status::rest(object, world.now));
            self.task = Task::None;
        }
        self.seen = None;
        None
    }

    /// An IPConfig that is at work blocks upgrades, and the other way round.
    fn block(&self, world: &World, upgrade: &Value) {
        if !world.store.served(Res::IP_CONFIGS) {
            return;
        }
        let Some(config) = world.store.get(Res::IP_CONFIGS, None, "ipconfig") else { return };
        let reason = |object: &Value| condition(object, "Idle").map_or("", |idle| text(idle, "/reason")).to_owned();
        let resting = |object: &Value| condition_status(object, "Idle") == "True" || reason(object) == "Blocked";
        let (ours, theirs) = (resting(upgrade), resting(&config));
        if ours {
            let wanted = if theirs && text(&config, "/spec/stage") == "Idle" {
                (("Idle", "True", "Idle"), "Idle")
            } else {
                (("Idle", "False", "Blocked"), "IPC is not idle")
            };
            if reason(upgrade) != wanted.0.2 && matches!(self.task, Task::None) {
                write(world, |object| tell(object, wanted.0, wanted.1, world.now));
            }
        }
        let wanted = if ours { ("True", "Idle", "Idle") } else { ("False", "Blocked", "IBU is not idle") };
        if theirs && reason(&config) != wanted.1 {
            world.store.update(Res::IP_CONFIGS, None, "ipconfig", |object| {
                tell(object, ("Idle", wanted.0, wanted.1), wanted.2, world.now);
            });
        }
    }

    /// What wakes the agent.
    fn notice(&mut self, world: &mut World, upgrade: &Value) {
        if matches!(&self.task, Task::Upgrade(task) if task.is_leaving()) {
            // The machine goes down: what is asked for now stays in the etcd that is left.
            return;
        }
        let now = (
            number(upgrade, "/metadata/generation"),
            annotation(upgrade, CLEANED).to_owned(),
            annotation(upgrade, TRIGGER).to_owned(),
        );
        let present = upgrade["metadata"]["annotations"].get(CLEANED).is_some();
        let now = (now.0, if present { format!("={}", now.1) } else { String::new() }, now.2);
        if self.seen.as_ref() != Some(&now) {
            let first = self.seen.is_none();
            self.seen = Some(now);
            self.due = Some(if first { world.elapsed } else { world.elapsed + REACTION });
        }
        if self.due.is_some_and(|due| world.elapsed >= due) {
            self.due = None;
            self.reconcile(world, upgrade);
        }
    }

    fn work(&mut self, world: &mut World) {
        let turn = match &mut self.task {
            Task::None => return,
            Task::Prep(task) => task.step(world),
            Task::Upgrade(task) => task.step(world),
            Task::Rollback(task) => task.step(world),
            Task::CleanUp(task) => task.step(world),
        };
        if turn == Turn::Over {
            self.task = Task::None;
            self.due = Some(world.elapsed + RECHECK);
        }
    }

    /// Does what the stage asks for.
    fn reconcile(&mut self, world: &mut World, upgrade: &Value) {
        let stage = Stage::parse(text(upgrade, "/spec/stage")).unwrap_or(Stage::Idle);
        // That the spec was seen is told whatever comes of it; on the way to Idle the history ends here.
        write(world, |object| {
            if stage == Stage::Idle {
                remove(object, "/status", "history");
            }
        });
        match stage {
            Stage::Idle => self.go_idle(world, upgrade),
            Stage::Prep => self.go_prep(world, upgrade),
            Stage::Upgrade => self.go_upgrade(world, upgrade),
            Stage::Rollback => self.go_rollback(world, upgrade),
        }
    }

    fn go_idle(&mut self, world: &mut World, upgrade: &Value) {
        let status = |kind: &str| condition_status(upgrade, kind);
        let reason = condition(upgrade, "Idle").map_or("", |idle| text(idle, "/reason"));
        if matches!(self.task, Task::CleanUp(_)) || status("Idle") == "True" || reason == "Blocked" {
            return;
        }
        let finalizes = status("UpgradeCompleted") == "True" || status("RollbackCompleted") == "True";
        match reason {
            "AbortFailed" | "FinalizeFailed" => {
                if upgrade["metadata"]["annotations"].get(CLEANED).is_none() {
                    self.due = Some(world.elapsed + RECHECK);
                    return;
                }
                world.store.update(Res::IMAGE_BASED_UPGRADES, None, NAME, |object| {
                    remove(object, "/metadata/annotations", CLEANED);
                });
                self.seen = None;
                self.task = Task::CleanUp(CleanUp::again(world, reason == "FinalizeFailed"));
            }
            "" => write(world, |object| upgrade_status::rest(object, world.now)),
            _ if finalizes => self.task = Task::CleanUp(CleanUp::finalize(world)),
            _ if world.disk.is_booted(text(upgrade, "/spec/seedImageRef/version")) => {
                let why = match (status("RollbackInProgress"), status("RollbackCompleted")) {
                    (_, "False") => "Transition to Idle not allowed - Rollback failed",
                    ("True", _) => "Transition to Idle not allowed - Rollback is in progress",
                    _ => "Transition to Idle not allowed - Rollback first",
                };
                refuse(world, "Idle", why);
            }
            _ => self.task = Task::CleanUp(CleanUp::abort(world)),
        }
    }

    fn go_prep(&mut self, world: &mut World, upgrade: &Value) {
        match begun(upgrade, "PrepInProgress") {
            "True" if matches!(self.task, Task::None) => self.task = Task::Prep(Prep::again(world)),
            "" if condition_status(upgrade, "Idle") == "True" => self.task = Task::Prep(Prep::begin(world, upgrade)),
            "" => refuse(world, "PrepInProgress", "Abort or finalize not allowed"),
            _ => {}
        }
    }

    fn go_upgrade(&mut self, world: &mut World, upgrade: &Value) {
        match begun(upgrade, "UpgradeInProgress") {
            "True" if matches!(self.task, Task::None) => self.task = Task::Upgrade(Upgrade::again(world, upgrade)),
            "" if condition_status(upgrade, "PrepCompleted") == "True" => {
                self.task = Task::Upgrade(Upgrade::begin(world));
            }
            "" => refuse(world, "UpgradeInProgress", "Previous stage not succeeded"),
            _ => {}
        }
    }

    fn go_rollback(&mut self, world: &mut World, upgrade: &Value) {
        let pivoted = world.disk.is_booted(text(upgrade, "/spec/seedImageRef/version"));
        let upgrading = !begun(upgrade, "UpgradeInProgress").is_empty();
        match begun(upgrade, "RollbackInProgress") {
            "True" if matches!(self.task, Task::None) => self.task = Task::Rollback(Rollback::again(pivoted)),
            "" if pivoted && upgrading => self.task = Task::Rollback(Rollback::begin(world)),
            "" => refuse(world, "RollbackInProgress", "Upgrade not started or already finalized"),
            _ => {}
        }
    }
}

/// The status of a stage's progress; empty where it has not begun, were it only because the request for it was refused.
fn begun<'u>(upgrade: &'u Value, kind: &str) -> &'u str {
    let progress = condition(upgrade, kind).filter(|it| it["reason"] != "InvalidTransition");
    progress.map_or("", |it| text(it, "/status"))
}

/// A request that got past the API server all the same.
fn refuse(world: &World, kind: &str, why: &str) {
    write(world, |object| tell(object, (kind, "False", "InvalidTransition"), why, world.now));
}

/// Writes a saved object into the API: another uid, generation 1, and its status only in a write of its own.
fn put_back(world: &World, saved: &Value, with_status: bool) {
    let mut metadata = json!({"name": NAME});
    for field in ["annotations", "labels"] {
        if let Some(value) = saved["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    let object = json!({"metadata": metadata, "spec": saved["spec"]});
    world.store.create(Res::IMAGE_BASED_UPGRADES, object, world.now);
    if with_status {
        write(world, |object| object["status"] = saved["status"].clone());
    }
}

/// The object after a rollback that nobody asked for.
pub fn failed(mut upgrade: Value, cause: &str, now: DateTime<Utc>) -> Value {
    upgrade_failed(&mut upgrade, cause, now);
    upgrade
}

/// An event about the ImageBasedUpgrade.
pub(super) fn event(world: &mut World, kind: EventType, reason: &str, message: &str) {
    let Some(object) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) else { return };
    world.event(&Event {
        namespace: "default",
        involved: involved(&object),
        kind,
        reason,
        message,
        component: "ImageBasedUpgrade",
        host: "",
    });
}

/// Stages that the story asks for by itself.
fn drive(world: &mut World) {
    let Some(agent) = world.scenario.cluster.lifecycle_agent.clone() else { return };
    let (done, since) = world.disk.steps;
    let Some(step) = agent.steps.get(done) else { return };
    let Some(upgrade) = world.store.get(Res::IMAGE_BASED_UPGRADES, None, NAME) else { return };
    let stages = upgrade["status"]["validNextStages"].as_array();
    let possible = stages.is_some_and(|stages| stages.iter().any(|stage| stage == step.stage.word()));
    let under_way = upgrade["metadata"]["generation"] != upgrade["status"]["observedGeneration"];
    // A stage that is under way offers its abort: that is not what the story waits for.
    let busy = ["PrepInProgress", "UpgradeInProgress"].iter().any(|kind| condition_status(&upgrade, kind) == "True");
    if !possible || under_way || busy {
        world.disk.steps.1 = None;
        return;
    }
    let since = since.unwrap_or(world.elapsed);
    world.disk.steps.1 = Some(since);
    if world.elapsed < since + step.after.0 {
        return;
    }
    world.disk.steps = (done + 1, None);
    world.store.update(Res::IMAGE_BASED_UPGRADES, None, NAME, |object| {
        object["spec"]["stage"] = json!(step.stage.word());
        if step.stage == Stage::Prep {
            object["spec"]["seedImageRef"] = json!({"image": agent.seed.image, "version": agent.seed.version});
            let maps = agent.backups.iter().map(|it| json!({"name": it.name, "namespace": "openshift-adp"}));
            object["spec"]["oadpContent"] = json!(maps.collect::<Vec<_>>());
        }
    });
}

//! The actors of the simulated cluster: its controllers, each a step function of what it sees and the time.
//!
//! Belongs here: what moves the objects (cluster version operator, cluster operators, machine config operator, drains,
//! kubelets, pods and their owners), and the story that a scenario starts with. Does not: the initial objects (see
//! [`crate::sim::cluster`]), serving them.
//! May import [`crate::clock`] and this room.
//!
//! Users are obeyed because decisions are made from objects: a cordon, a pause, a deleted pod, an edited budget are
//! seen at the next step. Only what a real component keeps in its process is kept in memory here.

pub mod alerts;
pub mod certificates;
pub mod cloud_credentials;
pub mod cluster_operators;
pub mod config_daemon;
pub mod disk;
pub mod disruption;
pub mod drain_controller;
pub mod garbage_collector;
pub mod generated_configs;
pub mod image_builder;
pub mod kubelet;
pub mod lifecycle_agent;
pub mod lifecycle_manager;
pub mod machine_config_operator;
pub mod machine_configuration;
pub mod machine_health;
pub mod misfortune;
pub mod node_controller;
pub mod node_lifecycle;
pub mod node_state;
pub mod pinned_images;
pub mod proxy_controller;
pub mod reboot;
pub mod replicas;
pub mod scheduler;
pub mod seen;
pub mod update_service;
pub mod velero;
pub mod version_operator;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::alert_board::AlertBoard;
use super::cluster::{self, release};
use super::host::Host;
use super::journal::Journal;
use super::kinds::Res;
use super::mishaps::Mishaps;
use super::pace::Pace;
use super::scenario::Scenario;
use super::server::{Controllers, Stage};
use super::store::Store;
use crate::clock::WallClock;
use disk::Disk;
use reboot::Down;
use seen::Seen;
use world::{Actor, Dice, Recorder, World};

/// How often the actors step in real time.
const STEP: Duration = Duration::from_millis(100);
/// The longest simulated time that one step may carry: after a pause of the machine, or at a high speed, the time is
/// lived through in pieces, so that no phase is skipped.
const LONGEST: Duration = Duration::from_secs(5);
/// How long the controllers may settle before a scenario is shown, simulated.
const SETTLE: Duration = Duration::from_secs(40);

/// The controllers of a scenario for a server: they build the cluster in its store, live through the scenario's past,
/// and then go on at the stage's speed. Watches begin at what the scenario starts with.
pub fn play(scenario: Scenario) -> Controllers {
    Box::new(move |stage: Stage| {
        let pace = Pace::new(*stage.speed.borrow());
        let boards = stage.boards.clone();
        let now = stage.clock.now();
        let actors = Actors::prepare_with(boards, &stage.store, &scenario, &pace, stage.seed, now);
        stage.store.forget_history();
        Box::pin(act(actors, pace, stage))
    })
}

/// Lets the actors act, at the speed that the stage is told.
async fn act(actors: Actors, pace: Pace, mut stage: Stage) {
    let follow = async {
        while stage.speed.changed().await.is_ok() {
            pace.set_speed(*stage.speed.borrow_and_update());
        }
        future::pending::<()>().await;
    };
    tokio::select! {
        () = actors.run(stage.clock) => {}
        () = follow => {}
    }
}

/// What the actors share with whoever watches them from outside; clones share it too.
#[derive(Debug, Clone, Default)]
pub struct Boards {
    /// What goes wrong.
    pub mishaps: Mishaps,
    /// What pods have said.
    pub journal: Journal,
    /// What monitoring answers.
    pub alerts: AlertBoard,
    /// The machine, where the cluster has only one.
    pub host: Host,
}

/// All actors and the world that they live in.
pub struct Actors {
    world: World,
    cast: Vec<Box<dyn Actor>>,
    down: Option<Down>,
    last: Option<DateTime<Utc>>,
    /// How much of the time that was let pass by hand was lived through; see [`WallClock::passed`].
    passed: TimeDelta,
}

impl Actors {
    /// Actors for a store that holds the scenario's cluster already; see [`Actors::prepare`] for both in one.
    pub fn new(boards: Boards, store: Arc<Store>, scenario: &Scenario, pace: Pace, seed: u64) -> Self {
        let Boards { mishaps, journal, alerts, host } = boards;
        let world = World {
            store,
            now: DateTime::UNIX_EPOCH,
            elapsed: Duration::ZERO,
            pace,
            scenario: Arc::new(scenario.clone()),
            dice: Dice(seed),
            seen: Seen::default(),
            machines: BTreeMap::new(),
            unwatched: false,
            events: Recorder::default(),
            mishaps,
            journal,
            alerts,
            drain_errors: BTreeSet::new(),
            host,
            disk: Disk::default(),
            reboot: None,
            settles: Duration::ZERO,
        };
        Self { world, cast: cast(), down: None, last: None, passed: TimeDelta::zero() }
    }

    /// Builds the scenario's cluster in the store and lives through its past, so that `now` finds it as the scenario
    /// says: an update that was requested some time ago is where the same rules have brought it.
    pub fn prepare(store: &Arc<Store>, scenario: &Scenario, pace: &Pace, seed: u64, now: DateTime<Utc>) -> Self {
        Self::prepare_with(Boards::default(), store, scenario, pace, seed, now)
    }

    /// The same with boards that somebody else has too.
    pub fn prepare_with(
        boards: Boards,
        store: &Arc<Store>,
        scenario: &Scenario,
        pace: &Pace,
        seed: u64,
        now: DateTime<Utc>,
    ) -> Self {
        let past = scenario.start.as_ref().map_or(Duration::ZERO, |start| start.requested.0) + SETTLE;
        let real = TimeDelta::from_std(pace.scale(past)).unwrap_or_else(|_| TimeDelta::zero());
        let begin = now - real;
        cluster::build(store, scenario, begin);
        let mut actors = Self::new(boards, Arc::clone(store), scenario, pace.clone(), seed);
        actors.step(begin);
        let settled = begin + TimeDelta::from_std(pace.scale(SETTLE)).unwrap_or_else(|_| TimeDelta::zero());
        actors.live(settled);
        for fault in &scenario.faults {
            actors.world.mishaps.add(fault.clone());
        }
        let start = scenario.start.as_ref();
        if let Some(role) = start.and_then(|start| start.change_configuration.as_deref()) {
            store.create(Res::MACHINE_CONFIGS, cluster::pools::changed(role), settled);
        }
        if let Some(version) = start.and_then(|start| start.update_to.as_deref()) {
            store.update(Res::CLUSTER_VERSIONS, None, "version", |object| {
                object["spec"]["desiredUpdate"] = json!({
                    "architecture": "", "force": false, "image": release::image(version), "version": version,
                });
            });
        }
        actors.live(now);
        actors
    }

    /// Lives until `now` in steps of about a simulated second.
    fn live(&mut self, now: DateTime<Utc>) {
        let step = TimeDelta::from_std(self.world.pace.scale(Duration::from_secs(2))).unwrap_or(TimeDelta::seconds(1));
        let mut at = self.last.unwrap_or(now);
        self.world.unwatched = true;
        while at + step < now {
            at += step;
            self.step(at);
        }
        self.world.unwatched = false;
        self.step(now);
    }

    /// Lets everybody do what is due at `now`. Time does not go back: an earlier `now` is taken as the last one.
    pub fn step(&mut self, now: DateTime<Utc>) {
        let last = self.last.unwrap_or(now);
        let now = now.max(last);
        let real = (now - last).to_std().unwrap_or_default();
        let simulated = self.world.pace.simulated(real);
        let pieces = (simulated.as_millis() / LONGEST.as_millis().max(1)).min(2_000) as u32 + 1;
        for piece in 1..=pieces {
            self.live_piece(last + (now - last) * piece as i32 / pieces as i32, simulated / pieces);
        }
        self.last = Some(now);
    }

    /// Lives through the next piece of the time that the clock was put forward by; false: there is none left. A minute of
    /// it is a minute of the cluster's life, whatever the speed: what its timestamps say is how long things take.
    pub fn catch_up(&mut self, clock: &WallClock) -> bool {
        let left = (clock.passed() - self.passed).to_std().unwrap_or_default();
        let Some(last) = self.last.filter(|_| !left.is_zero()) else { return false };
        let piece = left.min(LONGEST);
        let delta = TimeDelta::from_std(piece).unwrap_or_else(|_| TimeDelta::zero());
        self.passed += delta;
        self.live_piece(last + delta, piece);
        self.last = Some(last + delta);
        true
    }

    /// Everybody acts once at `now`, `simulated` after they did last.
    fn live_piece(&mut self, now: DateTime<Utc>, simulated: Duration) {
        self.world.now = now;
        self.world.elapsed += simulated;
        if let Some(down) = self.down.take() {
            self.down = down.step(&mut self.world);
            if self.down.is_some() {
                return;
            }
            // What the controllers remembered was in the memory of the machine.
            self.cast = cast();
        }
        self.world.seen.refresh(&self.world.store);
        for actor in &mut self.cast {
            actor.step(&mut self.world);
        }
        self.down = self.world.reboot.take().map(|reboot| Down::begin(&self.world, reboot));
    }

    /// Whether the machine of a single-node cluster is down for a reboot into its other stateroot.
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Steps about ten times a second, for as long as it is polled.
    pub async fn run(mut self, clock: WallClock) {
        let mut ticks = tokio::time::interval(STEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            while self.catch_up(&clock) {
                // Clients are answered meanwhile.
                tokio::task::yield_now().await;
            }
            self.step(clock.now());
        }
    }

    /// The pace, shared: changing it changes how fast these actors live.
    pub fn pace(&self) -> &Pace {
        &self.world.pace
    }

    /// What goes wrong: what is to come, what is on, what is over.
    pub fn mishaps(&self) -> &Mishaps {
        &self.world.mishaps
    }

    /// What monitoring answers now.
    pub fn alerts(&self) -> &AlertBoard {
        &self.world.alerts
    }

    /// What the pods of the platform have said.
    pub fn journal(&self) -> &Journal {
        &self.world.journal
    }

    /// Simulated time since the actors began to live.
    pub fn elapsed(&self) -> Duration {
        self.world.elapsed
    }

    /// How many objects the last step had to read: its cost grows with what changes, not with the cluster.
    pub fn objects_read(&self) -> usize {
        self.world.seen.read
    }
}

/// Everybody, freshly started.
fn cast() -> Vec<Box<dyn Actor>> {
    vec![
        Box::<misfortune::Misfortune>::default(),
        Box::<version_operator::VersionOperator>::default(),
        Box::<proxy_controller::ProxyController>::default(),
        Box::<cluster_operators::ClusterOperators>::default(),
        Box::<garbage_collector::GarbageCollector>::default(),
        Box::<generated_configs::GeneratedConfigs>::default(),
        Box::<machine_configuration::MachineConfiguration>::default(),
        Box::<machine_config_operator::MachineConfigOperator>::default(),
        Box::<node_controller::NodeController>::default(),
        Box::<pinned_images::PinnedImages>::default(),
        Box::<drain_controller::DrainController>::default(),
        Box::<config_daemon::ConfigDaemon>::default(),
        Box::<kubelet::Kubelet>::default(),
        Box::<node_lifecycle::NodeLifecycle>::default(),
        Box::<replicas::Replicas>::default(),
        Box::<scheduler::Scheduler>::default(),
        Box::<disruption::Disruption>::default(),
        Box::<certificates::Certificates>::default(),
        Box::<image_builder::ImageBuilder>::default(),
        Box::<machine_health::MachineHealth>::default(),
        Box::<lifecycle_manager::LifecycleManager>::default(),
        Box::<update_service::UpdateServices>::default(),
        Box::<alerts::Alerts>::default(),
        Box::<velero::Velero>::default(),
        Box::<lifecycle_agent::LifecycleAgent>::default(),
    ]
}

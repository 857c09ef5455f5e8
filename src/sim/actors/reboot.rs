//! Reboots of a single node between its stateroots: nobody answers for some minutes, and then somebody does from the etcd
//! of the stateroot that was booted.
//!
//! Belongs here: going down, choosing what boots, exchanging the etcd. Does not: why (see [`super::lifecycle_agent`]).
//!
//! What the controllers kept in their processes is lost with the processes. What the seed brings is its own: uids,
//! versions, ages, events, an ImageBasedUpgrade at rest; only the identity of the cluster is written over it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::disk::{Left, Settings, Stateroot, stateroot_of};
use super::lifecycle_agent::failed;
use super::seen::Seen;
use super::world::{Power, Recorder, World};
use crate::sim::cluster;
use crate::sim::cluster::object::{mix, text};
use crate::sim::cluster::release;
use crate::sim::kinds::Res;
use crate::sim::scenario::from_image::Tokens;
use crate::sim::scenario::{MishapKind, Scenario, Span, node_name};
use crate::sim::store::Store;

/// The share of an outage after which the other system has taken over from the firmware.
const BOOTING: f64 = 0.6;

/// A reboot that somebody asked for: into the other stateroot.
#[derive(Debug, Clone)]
pub struct Reboot {
    /// How long nobody answers.
    pub away: Duration,
    /// What the agent is to write there when it starts.
    pub saved: Value,
    /// The same where the machine boots what it has just left.
    pub fallback: Option<Value>,
}

/// A machine that is down.
#[derive(Debug)]
pub struct Down {
    reboot: Reboot,
    until: Duration,
    away: Duration,
    /// It comes back in the stateroot that it left.
    turned: bool,
}

impl Down {
    /// The machine goes down.
    pub fn begin(world: &World, reboot: Reboot) -> Self {
        world.host.go_down();
        let away = reboot.away;
        Self { reboot, until: world.elapsed + away, away, turned: false }
    }

    /// The next moment: the machine, if it is still down. Otherwise it has booted, and the controllers have to start
    /// anew.
    pub fn step(mut self, world: &mut World) -> Option<Self> {
        if world.elapsed < self.until {
            return Some(self);
        }
        let first = match &world.disk.other {
            Some(Stateroot::Prepared { settings, .. }) if !self.turned => Some(*settings),
            _ => None,
        };
        if let Some(settings) = first
            && let Some(cause) = turned_back(world, settings)
        {
            let fallback = self.reboot.fallback.take().map(|upgrade| failed(upgrade, &cause, world.now));
            self.reboot.saved = fallback.unwrap_or_default();
            self.away = durations(world).rollback.0;
            self.until = world.elapsed + if cause == UNCONTROLLED { Duration::ZERO } else { self.away };
            self.turned = true;
            return Some(self);
        }
        self.boot(world);
        None
    }

    fn boot(self, world: &mut World) {
        if !self.turned {
            let other = world.disk.other.take();
            match other {
                Some(Stateroot::Prepared { version, settings }) => {
                    pivot(world, &version);
                    world.disk.settings = settings;
                }
                Some(Stateroot::Left(left)) => go_back(world, *left),
                None => {}
            }
        }
        world.disk.saved = Some(self.reboot.saved).filter(Value::is_object);
        world.disk.fallback = self.reboot.fallback;
        world.disk.boots += 1;
        world.disk.booted_at = world.elapsed.saturating_sub(self.away.mul_f64(1.0 - BOOTING));
        world.seen = Seen::default();
        world.events = Recorder::default();
        world.drain_errors.clear();
        world.machines.clear();
        let version = world.store.get(Res::CLUSTER_VERSIONS, None, "version");
        let release = version.as_ref().map_or("", |version| text(version, "/status/desired/version")).to_owned();
        world.machines.insert(node_name("master", 0), Power::Away { until: world.elapsed, release });
        world.settles = world.elapsed + durations(world).settling.0;
        let lost = world.scenario.cluster.lifecycle_agent.as_ref().is_some_and(|agent| agent.tokens == Tokens::Lost);
        world.host.come_up(if lost { world.disk.etcd } else { 0 });
    }
}

/// The cause of a rollback without anybody having asked for it.
const UNCONTROLLED: &str = "Uncontrolled rollback";

/// Why the machine does not stay in a stateroot that it boots for the first time.
fn turned_back(world: &World, settings: Settings) -> Option<String> {
    if world.strikes(MishapKind::UncontrolledRollback, "").is_some() {
        return Some(UNCONTROLLED.to_owned());
    }
    if !settings.post_reboot_config {
        return None;
    }
    let mishap = world.strikes(MishapKind::BootConfigFailed, "")?;
    Some(mishap.message.unwrap_or_else(|| "Rollback due to service-unit failure: component config".to_owned()))
}

fn durations(world: &World) -> crate::sim::scenario::from_image::Durations {
    let agent = world.scenario.cluster.lifecycle_agent.as_ref();
    agent.map(|agent| agent.durations.clone()).unwrap_or_default()
}

/// The cluster of a seed, with the identity of this one: it knows the platform, and none of the applications.
fn seeded(scenario: &Scenario, version: &str) -> Scenario {
    let mut seeded = scenario.clone();
    version.clone_into(&mut seeded.cluster.version);
    seeded.cluster.history = Vec::new();
    seeded.cluster.channel = format!("stable-4.{}", release::minor(version));
    seeded.gates.clear();
    seeded.acknowledged.clear();
    if let Some(agent) = &mut seeded.cluster.lifecycle_agent {
        seeded.cluster.installed = agent.seed.installed;
        agent.switched_off.clear();
        agent.is_seed = true;
    }
    for pool in seeded.pools.values_mut() {
        pool.joined = Some(Span(seeded.cluster.installed.0.saturating_sub(Duration::from_secs(2_400))));
    }
    seeded.workloads.clear();
    seeded.start = None;
    seeded
}

/// The new stateroot boots: the API server starts on the seed's etcd. The old one stays on the disk.
fn pivot(world: &mut World, version: &str) {
    let scenario = Arc::new(seeded(&world.scenario, version));
    world.disk.made += 1;
    let number = world.disk.made;
    // Another cluster made it: its versions have nothing to do with those here, and are lower, for it was young.
    let lower = world.store.resource_version() / 8;
    let store = Store::from_version(mix(world.dice.0 ^ mix(number)), lower);
    cluster::build(&store, &scenario, world.now);
    store.forget_history();
    let etcd = world.store.exchange(store.into_etcd());
    let left = Left {
        name: std::mem::replace(&mut world.disk.booted, stateroot_of(version)),
        etcd,
        number: std::mem::replace(&mut world.disk.etcd, number),
        scenario: std::mem::replace(&mut world.scenario, scenario),
    };
    world.disk.other = Some(Stateroot::Left(Box::new(left)));
}

/// The old stateroot boots: everything is as it was when it went down, and what happened since is gone with the other.
fn go_back(world: &mut World, left: Left) {
    let Left { name, etcd, number, scenario } = left;
    let new = Left {
        etcd: world.store.exchange(etcd),
        name: std::mem::replace(&mut world.disk.booted, name),
        number: std::mem::replace(&mut world.disk.etcd, number),
        scenario: std::mem::replace(&mut world.scenario, scenario),
    };
    world.disk.other = Some(Stateroot::Left(Box::new(new)));
}

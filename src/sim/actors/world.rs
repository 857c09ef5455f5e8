//! What the actors live in: the store, the time, the dice, what was last seen, the machines' power, the events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::disk::Disk;
use super::reboot::Reboot;
use super::seen::{Key, Seen};
use crate::sim::alert_board::AlertBoard;
use crate::sim::cluster::object::{hash, hex, mix, name, namespace, text};
use crate::sim::host::Host;
use crate::sim::journal::Journal;
use crate::sim::kinds::Res;
use crate::sim::mishaps::Mishaps;
use crate::sim::pace::Pace;
use crate::sim::scenario::{Group, Mishap, MishapKind, Scenario};
use crate::sim::store::{Store, timestamp};

/// How many events are kept: as etcd forgets them after a time, so does the simulation after a number.
const EVENTS_KEPT: usize = 4_000;

/// One controller, moved a step at a time.
pub trait Actor: Send {
    /// Looks at the world and does what the controller would do now.
    fn step(&mut self, world: &mut World);
}

/// What happens to a machine, which no object can hold: power and boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// The kubelet stops the pods that are left.
    ShuttingDown {
        /// When the machine goes off.
        until: Duration,
        /// The release whose operating system it will boot.
        release: String,
    },
    /// Off, or booting.
    Away {
        /// When the kubelet is back.
        until: Duration,
        /// The release whose operating system it boots.
        release: String,
    },
    /// The kubelet is up, the network is not yet.
    Joining {
        /// When the node is Ready.
        until: Duration,
    },
}

/// What the actors share.
pub struct World {
    /// The API.
    pub store: Arc<Store>,
    /// The wall time of this step.
    pub now: DateTime<Utc>,
    /// Simulated time since the actors began to live: the clock of everything that waits, so that a change of speed is
    /// felt at once.
    pub elapsed: Duration,
    /// How fast it lives.
    pub pace: Pace,
    /// The story.
    pub scenario: Arc<Scenario>,
    /// The same question gets the same answer, whatever was asked before.
    pub dice: Dice,
    /// What the informers of all actors hold: as old as the last step, as in reality.
    pub seen: Seen,
    /// Machines that are not simply up, by node.
    pub machines: BTreeMap<String, Power>,
    /// Whether the past is lived through that nobody watches: heartbeats are left out.
    pub unwatched: bool,
    /// Events about everything.
    pub events: Recorder,
    /// What goes wrong.
    pub mishaps: Mishaps,
    /// What pods have said.
    pub journal: Journal,
    /// What monitoring would answer.
    pub alerts: AlertBoard,
    /// Nodes whose drain is said to have failed (`mcc_drain_err`).
    pub drain_errors: BTreeSet<String>,
    /// The machine that everything runs on, where there is only one.
    pub host: Host,
    /// What its disk holds.
    pub disk: Disk,
    /// A reboot into the other stateroot that somebody wants.
    pub reboot: Option<Reboot>,
    /// Until when the operators are busy after such a reboot.
    pub settles: Duration,
}

/// Who writes a log line.
#[derive(Debug, Clone, Copy)]
pub enum Speaker<'a> {
    /// The pod of a Deployment that leads: namespace and Deployment.
    Leader(&'a str, &'a str),
    /// The machine config daemon of a node.
    Daemon(&'a str),
    /// A pod: namespace and name.
    Pod(&'a str, &'a str),
}

impl World {
    /// A pod says something, as the Kubernetes logging library writes it: severity, time, source.
    pub fn log(&self, speaker: Speaker<'_>, severity: char, source: &str, text: &str) {
        let (namespace, pod) = match speaker {
            Speaker::Leader(namespace, deployment) => {
                let Some(pod) = self.seen.leading_pod(namespace, deployment) else { return };
                (namespace, pod)
            }
            Speaker::Daemon(node) => {
                let namespace = super::node_controller::NAMESPACE;
                let is_daemon = |key: &Key| key.0 == namespace && key.1.starts_with("machine-config-daemon-");
                let Some((key, _)) = self.seen.pods_on(node).find(|(key, _)| is_daemon(key)) else { return };
                (namespace, key.1.clone())
            }
            Speaker::Pod(namespace, pod) => (namespace, pod.to_owned()),
        };
        let time = self.now.format("%m%d %H:%M:%S%.6f");
        let line = format!("{severity}{time}       1 {source}] {}", text.replace('\n', "\\n"));
        self.journal.write(namespace, &pod, self.now, &line);
    }

    /// The occasion of a mishap has come: it begins if it was waiting for this object. Told while it is on.
    pub fn strikes(&self, kind: MishapKind, object: &str) -> Option<Mishap> {
        self.mishaps.strikes(kind, object, self.now, self.elapsed)
    }

    /// A duration that is mostly about `median` simulated seconds, and now and then much longer: what machines and
    /// registries take. The same for the same purpose; between half and four times the median.
    pub fn around(&self, purpose: &str, median: f64, spread: f64) -> Duration {
        Duration::from_secs_f64(median * (spread * self.dice.bell(purpose)).exp().clamp(0.5, 4.0))
    }

    /// The same for work that differs from cluster to cluster too, as far as the scenario lets it vary.
    pub fn lasts(&self, group: Group, purpose: &str, median: f64, spread: f64) -> Duration {
        let variation = self.scenario.variation;
        let (apart, group) = variation.of(group);
        let cluster = (apart * self.dice.bell(&format!("cluster {group}"))).exp();
        self.around(purpose, median, spread.hypot(variation.parts)).mul_f64(cluster)
    }

    /// Records an event about an object.
    pub fn event(&mut self, event: &Event<'_>) {
        self.events.record(&self.store, event, self.now);
    }

    /// Records an event about a node, as the machine config operator does: in the namespace `default`, with the node's
    /// name for a uid.
    pub fn node_event(&mut self, node: &str, component: &str, kind: EventType, reason: &str, message: &str) {
        let involved = json!({"kind": "Node", "name": node, "uid": node});
        self.event(&Event { namespace: "default", involved, kind, reason, message, component, host: "" });
    }

    /// A duration between two bounds in simulated seconds, the same for the same purpose.
    pub fn between(&self, purpose: &str, seconds: (u64, u64)) -> Duration {
        self.dice.between(purpose, seconds)
    }
}

/// Seeded randomness without order: an answer depends on the seed and the question alone.
#[derive(Debug, Clone, Copy)]
pub struct Dice(pub u64);

impl Dice {
    /// A number that belongs to the purpose.
    pub fn roll(self, purpose: &str) -> u64 {
        mix(self.0 ^ hash(purpose))
    }

    /// A duration between two bounds in seconds, in milliseconds.
    pub fn between(self, purpose: &str, (least, most): (u64, u64)) -> Duration {
        let span = (most.max(least) - least) * 1_000;
        Duration::from_millis(least * 1_000 + self.roll(purpose) % (span + 1))
    }

    /// A number of the normal distribution around 0 (Box and Muller).
    pub fn bell(self, purpose: &str) -> f64 {
        let first = self.roll(purpose);
        let share = |roll: u64| (roll >> 11) as f64 / (1_u64 << 53) as f64;
        let (radius, angle) = (share(first).max(1e-12), share(mix(first)));
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// Whether an event worries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// All in order.
    Normal,
    /// Not in order.
    Warning,
}

/// An event to record.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// The namespace that it is kept in.
    pub namespace: &'a str,
    /// `involvedObject`.
    pub involved: Value,
    /// Whether it worries.
    pub kind: EventType,
    /// CamelCase.
    pub reason: &'a str,
    /// A sentence.
    pub message: &'a str,
    /// Who says so.
    pub component: &'a str,
    /// On which node, empty for none.
    pub host: &'a str,
}

/// `involvedObject` of a stored object.
pub fn involved(object: &Value) -> Value {
    let mut reference = json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": name(object),
        "uid": text(object, "/metadata/uid"), "resourceVersion": text(object, "/metadata/resourceVersion"),
    });
    if !namespace(object).is_empty() {
        reference["namespace"] = json!(namespace(object));
    }
    reference
}

/// Writes events, counts repeated ones, and forgets the oldest.
#[derive(Debug, Default)]
pub struct Recorder {
    known: BTreeMap<u64, (String, String)>,
    order: VecDeque<u64>,
}

impl Recorder {
    fn record(&mut self, store: &Store, event: &Event<'_>, now: DateTime<Utc>) {
        let about = text(&event.involved, "/name");
        let identity = hash(&format!(
            "{} {about} {} \
                                      {}",
            text(&event.involved, "/kind"),
            event.reason,
            event.message
        ));
        if let Some((namespace, name)) = self.known.get(&identity) {
            let counted = store.update(Res::EVENTS, Some(namespace), name, |object| {
                object["count"] = json!(object["count"].as_u64().unwrap_or(1) + 1);
                object["lastTimestamp"] = json!(timestamp(now));
            });
            if counted {
                return;
            }
        }
        let unique = hex(&format!("{identity} {}", now.timestamp_millis()), 16);
        let event_name = format!("{about}.{unique}");
        let mut source = json!({"component": event.component});
        if !event.host.is_empty() {
            source["host"] = json!(event.host);
        }
        let object = json!({
            "metadata": {"name": event_name, "namespace": event.namespace},
            "count": 1,
            "eventTime": null,
            "firstTimestamp": timestamp(now),
            "involvedObject": event.involved,
            "lastTimestamp": timestamp(now),
            "message": event.message,
            "reason": event.reason,
            "reportingComponent": event.component,
            "reportingInstance": event.host,
            "source": source,
            "type": match event.kind { EventType::Normal => "Normal", EventType::Warning => "Warning" },
        });
        store.create(Res::EVENTS, object, now);
        if self.known.insert(identity, (event.namespace.to_owned(), event_name)).is_none() {
            self.order.push_back(identity);
        }
        while self.order.len() > EVENTS_KEPT {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((namespace, name)) = self.known.remove(&oldest) {
                store.delete(Res::EVENTS, Some(&namespace), &name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_answer_the_question_not_the_order() {
        let dice = Dice(7);
        let first = dice.between("reboot worker-0", (100, 200));
        dice.roll("something else");
        assert_eq!(dice.between("reboot worker-0", (100, 200)), first);
        assert!((100..=200).contains(&first.as_secs()));
        assert_ne!(Dice(8).between("reboot worker-0", (100, 200)), first);
    }

    #[test]
    fn seeds_differ_as_much_as_they_should() {
        let draws: Vec<f64> = (0..2_000).map(|seed| Dice(seed).bell("cluster nodes")).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let square = draws.iter().map(|draw| draw * draw).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.1 && (0.9..1.1).contains(&square), "{mean} {square}");
    }

    #[test]
    fn a_repeated_event_is_counted() {
        let store = Store::new(1);
        let mut recorder = Recorder::default();
        let event = Event {
            namespace: "default",
            involved: json!({"kind": "Node", "name": "worker-0", "uid": "worker-0"}),
            kind: EventType::Normal,
            reason: "Drain",
            message: "Draining node",
            component: "machineconfigdaemon",
            host: "worker-0",
        };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        recorder.record(&store, &event, now);
        recorder.record(&store, &event, now);
        let events = store.list(Res::EVENTS);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["count"], 2);
    }
}

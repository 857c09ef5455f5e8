//! A stage of an image-based upgrade whose answer got lost: whether it was applied is found out by reading again, and that
//! the agent has taken it up is seen in the watch.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, Material, plan};
use oc_cockpit::cluster::execute::rehearse;
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::hurdle::{Hurdle, Way};
use super::image_based::ask;
use super::in_process::InProcess;
use super::lab::{Done, Lab};
use super::sample::assess_at;
use super::simulated::{replanner, session};
use super::stand::kind;

const PATH: &str = "/apis/lca.openshift.io/v1/imagebasedupgrades/upgrade";
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const SEED: &str = "registry.example.com:5000/seeds/edge:4.19.3";
const HOUR: u64 = 3_600;

/// Where the upgrade stands when the stage is asked for.
#[derive(Debug, Clone, Copy)]
enum At {
    Rest,
    Prepared,
    Upgraded,
    AbortFailed,
}

/// A single node with its agent, whose time is moved by hand.
struct Edge {
    lab: Lab,
    actors: Actors,
    pace: Pace,
    now: DateTime<Utc>,
}

impl Edge {
    async fn at(at: At) -> Self {
        let name = if matches!(at, At::AbortFailed) { "ibu-abort-failed" } else { "ibu" };
        let scenario = Scenario::load(name).unwrap();
        let simulation = Simulation::new(&Options::default()).unwrap();
        let stage = simulation.stage();
        let (pace, now) = (Pace::new(scenario.speed), simulation.clock().now());
        let actors = Actors::prepare_with(stage.boards, &stage.store, &scenario, &pace, 1, now);
        let lab = Lab { store: simulation.store(), client: InProcess::new(simulation.service()), simulation };
        let mut edge = Self { lab, actors, pace, now };
        if matches!(at, At::Rest) {
            return edge;
        }
        let prep = json!({ "seedImageRef": { "image": SEED, "version": "4.19.3" }, "stage": "Prep" });
        edge.asks(&prep).await;
        edge.until(|edge| edge.says("PrepCompleted", "True"));
        match at {
            At::Upgraded => {
                edge.asks(&json!({ "stage": "Upgrade" })).await;
                edge.until(|edge| edge.says("UpgradeCompleted", "True"));
            }
            At::AbortFailed => {
                edge.asks(&json!({ "stage": "Idle" })).await;
                edge.until(|edge| edge.condition("Idle")["reason"] == "AbortFailed");
            }
            At::Rest | At::Prepared => {}
        }
        edge
    }

    /// A stage is asked for past the cockpit.
    async fn asks(&self, spec: &Value) {
        let body = json!({ "spec": spec }).to_string();
        let answer = crate::support::sim::ask(&self.lab.simulation, Method::PATCH, PATH, &[MERGE], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A simulated second passes.
    fn pass(&mut self) {
        self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
        self.actors.step(self.now);
    }

    fn until(&mut self, truth: impl Fn(&Self) -> bool) {
        for _ in 0..2 * HOUR {
            if truth(self) {
                return;
            }
            self.pass();
        }
        panic!("it does not come true: {:#}", self.upgrade());
    }

    fn upgrade(&self) -> Value {
        self.lab.get(Res::IMAGE_BASED_UPGRADES, None, "upgrade")
    }

    fn condition(&self, kind: &str) -> Value {
        let upgrade = self.upgrade();
        let conditions = upgrade["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
    }

    fn says(&self, kind: &str, status: &str) -> bool {
        self.condition(kind)["status"] == status
    }

    /// What a watch shows now.
    fn look(&self) -> Assessment {
        let store = &self.lab.store;
        let objects = store.kinds().into_iter().flat_map(|kind| store.list(kind.res()));
        let objects: Vec<Value> = objects.map(|object| (*object).clone()).collect();
        assess_at(objects.iter(), self.now)
    }

    /// It is planned, rehearsed, confirmed and sent, and meets `way`.
    async fn sends(&self, ask: &Ask, way: Way) -> Done {
        let seen = self.look();
        let plan = plan(&seen, &session(), ask, &Material::default()).unwrap();
        let rehearsal = rehearse(&self.lab.client, plan.clone(), replanner(seen, plan)).await.unwrap();
        assert!(rehearsal.ok(), "{rehearsal:?}");
        let hurdle = Hurdle::new(&self.lab.client, way);
        let seen = self.look();
        let done = self.lab.carry_out_seeing(&hurdle, rehearsal, || seen.clone()).await;
        assert_eq!(hurdle.sent().len(), 1, "it is sent once");
        done
    }
}

fn wishes() -> [(At, Ask); 6] {
    let prep = ask(ActionId::IbuPrep).with("seed-image", SEED).with("seed-version", "4.19.3");
    [
        (At::Rest, prep),
        (At::Prepared, ask(ActionId::IbuUpgrade)),
        (At::Prepared, ask(ActionId::IbuIdle)),
        (At::Upgraded, ask(ActionId::IbuRollback)),
        (At::Upgraded, ask(ActionId::IbuIdle)),
        (At::AbortFailed, ask(ActionId::IbuManualCleanupDone)),
    ]
}

fn row(done: &Done) -> String {
    format!("{}\n  {}: {}\n", done.plan.title, kind(&done.outcome), done.outcome.words(&done.plan.target))
}

#[tokio::test(start_paused = true)]
async fn what_was_applied_is_known_at_once_and_done_when_the_agent_has_taken_it_up() {
    let mut rows = String::new();
    for (at, ask) in wishes() {
        let mut edge = Edge::at(at).await;
        let done = edge.sends(&ask, Way::LosesReply).await;
        let title = &done.plan.title;
        assert!(matches!(done.outcome, Outcome::Unknown { .. }), "{title}: {:?}", done.outcome);
        assert!(done.outcome.is_whole(&done.plan.effect), "{title}: nothing else has to be sent");
        let words = done.outcome.words(&done.plan.target);
        assert!(words.contains("; it was applied all the same"), "{title}: {words}");
        let awaited = done.outcome.awaited(&done.plan.effect).unwrap();
        assert!(awaited.reread().is_empty(), "{title}: the watch shows it");
        assert!(!awaited.holds(&edge.look()), "{title}: the agent has not even looked");
        let mut seconds = 0;
        while !awaited.holds(&edge.look()) {
            assert!(seconds < 60, "{title}: not taken up\n{:#}", edge.upgrade());
            edge.pass();
            seconds += 1;
        }
        rows += &format!("{}  then: {}\n", row(&done), awaited.words());
    }
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_told_so_and_never_counts_as_done() {
    let mut rows = String::new();
    for (at, ask) in wishes() {
        let mut edge = Edge::at(at).await;
        let before = edge.upgrade();
        let done = edge.sends(&ask, Way::Breaks).await;
        let title = &done.plan.title;
        let words = done.outcome.words(&done.plan.target);
        assert!(words.contains("it was not applied so far"), "{title}: {words}");
        assert_eq!(edge.upgrade(), before);
        let awaited = done.outcome.awaited(&done.plan.effect).unwrap();
        for _ in 0..60 {
            edge.pass();
            assert!(!awaited.holds(&edge.look()), "{title}: nothing was applied\n{:#}", edge.upgrade());
        }
        rows += &row(&done);
    }
    insta::assert_snapshot!(rows);
}

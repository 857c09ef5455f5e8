//! What a plan foretells is what the simulated controllers then do: they know nothing of the plan's arithmetic.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::actions::audit::{Actor, Given};
use oc_cockpit::actions::outcome::{Order, Outcome};
use oc_cockpit::actions::{ActionId, Ask, Danger, Material, Plan, Refusal, Session, Target, again, plan};
use oc_cockpit::cluster::execute::{execute, rehearse};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::in_process::InProcess;
use super::sample::assess_at;
use super::script::scratch;

const MCO: &str = "machineconfiguration.openshift.io";

/// A scenario whose time is moved by hand, and an API in front of it.
struct Story {
    simulation: Simulation,
    store: Arc<Store>,
    actors: Actors,
    pace: Pace,
    now: DateTime<Utc>,
}

impl Story {
    fn new(scenario: &str) -> Self {
        let simulation = Simulation::new(&Options::default()).unwrap();
        let (store, now) = (simulation.store(), simulation.clock().now());
        let scenario = Scenario::load(scenario).unwrap();
        let pace = Pace::new(scenario.speed);
        let actors = Actors::prepare(&store, &scenario, &pace, 1, now);
        Self { simulation, store, actors, pace, now }
    }

    fn second(&mut self) {
        self.now += TimeDelta::from_std(self.pace.scale(Duration::from_secs(1))).unwrap();
        self.actors.step(self.now);
    }

    fn pass_minutes(&mut self, minutes: usize) {
        (0..minutes * 60).for_each(|_| self.second());
    }

    /// Lets an hour pass at most, until something is true.
    fn until(&mut self, what: &str, truth: impl Fn(&Self) -> bool) {
        for _ in 0..3600 {
            if truth(self) {
                return;
            }
            self.second();
        }
        panic!("not within an hour: {what}");
    }

    fn look(&self) -> Assessment {
        let kinds = [
            Res::CLUSTER_VERSIONS,
            Res::CLUSTER_OPERATORS,
            Res::MACHINE_CONFIG_POOLS,
            Res::MACHINE_CONFIGS,
            Res::MACHINE_CONFIG_NODES,
            Res::NODES,
        ];
        let objects: Vec<Value> =
            kinds.iter().flat_map(|kind| self.store.list(*kind)).map(|object| (*object).clone()).collect();
        assess_at(objects.iter(), self.now)
    }

    fn plan(&self, action: ActionId, target: &Target) -> Result<Plan, Refusal> {
        plan(&self.look(), &session(), &Ask::new(action, target.clone()), &Material::default())
    }

    /// Plans, rehearses and executes.
    async fn act(&self, action: ActionId, target: &Target) -> Plan {
        let seen = self.look();
        let plan = plan(&seen, &session(), &Ask::new(action, target.clone()), &Material::default()).unwrap();
        let client = InProcess::new(self.simulation.service());
        let replan = |target: &Target, material: &Material| again(&seen, &session(), &plan, target, material);
        let rehearsal = rehearse(&client, plan.clone(), replan).await.unwrap();
        assert!(rehearsal.ok(), "{rehearsal:?}");
        let answer = |name: &str| Given { name: name.into(), answer: "nas:/backups/etcd".into() };
        let answers = plan.questions.iter().map(|question| answer(&question.name)).collect();
        let order = Order { rehearsal, actor: Actor::of(&seen, &session()), answers };
        let (recorder, task) = Recorder::start(Some(scratch("foretold").join("audit.jsonl")));
        let outcome = execute(&client, order, &recorder, replan).await;
        task.close(&recorder).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        assert!(plan.effect.holds(&self.look()));
        plan
    }

    fn pool(&self, name: &str) -> Arc<Value> {
        self.store.get(Res::MACHINE_CONFIG_POOLS, None, name).unwrap()
    }

    /// The nodes of a pool that were given its configuration, by name.
    fn targeted(&self, pool: &str) -> Vec<String> {
        let config = self.pool(pool)["spec"]["configuration"]["name"].clone();
        let nodes = self.store.list(Res::NODES);
        let name = |node: &Arc<Value>| node["metadata"]["name"].as_str().unwrap().to_owned();
        let of = |node: &&Arc<Value>| name(node).starts_with(&format!("{pool}-"));
        let given = |node: &&Arc<Value>| node["metadata"]["annotations"][format!("{MCO}/desiredConfig")] == config;
        nodes.iter().filter(of).filter(given).map(name).collect()
    }

    /// The order in which `count` further nodes of a pool are given its configuration.
    fn order_of(&mut self, pool: &str, count: usize) -> Vec<String> {
        let before = self.targeted(pool);
        let mut order: Vec<String> = Vec::new();
        for _ in 0..4 * 3600 {
            let new = self.targeted(pool).into_iter().filter(|name| !before.contains(name) && !order.contains(name));
            order.extend(new.collect::<Vec<_>>());
            if order.len() >= count {
                return order;
            }
            self.second();
        }
        panic!("only {order:?} were taken");
    }
}

fn session() -> Session {
    Session { context: "sim".into(), ..Session::default() }
}

fn node(name: &str) -> Target {
    Target::Nodes(vec![name.into()])
}

/// The names after `next in pool ...:`.
fn foretold(plan: &Plan) -> Vec<String> {
    let line = plan.consequences.iter().find(|line| line.starts_with("next in pool")).unwrap();
    line.split_once(": ").unwrap().1.split(", then ").map(str::to_owned).collect()
}

/// A change of machine configuration that rolls without a new release.
fn change_configuration(story: &Story, role: &str) {
    let config = json!({
        "metadata": { "name": format!("99-{role}-sysctl"), "labels": { format!("{MCO}/role"): role } },
        "spec": { "config": { "ignition": { "version": "3.4.0" }, "storage": { "files": [
            { "path": "/etc/sysctl.d/99-x.conf", "mode": 420, "contents": { "source": "data:,vm.swappiness%3D1" } },
        ] } } },
    });
    story.store.create(Res::MACHINE_CONFIGS, config, story.now);
}

#[tokio::test]
async fn an_unpaused_pool_takes_its_nodes_in_the_foretold_order() {
    let mut story = Story::new("tour");
    story.until("the pool infra gets its new configuration", |story| {
        let pool = story.pool("infra");
        pool["spec"]["configuration"]["name"] != pool["status"]["configuration"]["name"]
    });
    story.pass_minutes(5);
    assert!(story.targeted("infra").is_empty(), "it is paused");
    let plan = story.act(ActionId::UnpausePool, &Target::pool("infra")).await;
    assert_eq!(plan.danger, Danger::M);
    let foretold = foretold(&plan);
    assert_eq!(foretold.len(), 3, "{:?}", plan.consequences);
    assert_eq!(story.order_of("infra", 3), foretold);
}

#[tokio::test]
async fn a_paused_pool_takes_no_node_and_those_in_flight_finish() {
    let mut story = Story::new("tour");
    story.until("workers are taken", |story| story.look().pool("worker").unwrap().moving == 2);
    let taken = story.targeted("worker");
    let plan = story.act(ActionId::PausePool, &Target::pool("worker")).await;
    let line = &plan.consequences[0];
    assert_eq!(*line, format!("{} nodes in flight will finish, reboot included: {}", taken.len(), taken.join(", ")));
    story.pass_minutes(30);
    assert_eq!(story.targeted("worker"), taken);
    assert_eq!(story.look().node(&taken[0]).unwrap().current_config, story.look().pool("worker").unwrap().target);
}

#[tokio::test]
async fn a_cordon_takes_the_capacity_and_the_uncordon_gives_it_back_as_foretold() {
    let mut story = Story::new("minor");
    let plan = story.act(ActionId::CordonNodes, &node("worker-5")).await;
    assert_eq!(plan.danger, Danger::M, "maxUnavailable is 1");
    change_configuration(&story, "worker");
    story.pass_minutes(10);
    assert!(story.look().pool("worker").unwrap().outdated());
    assert_eq!(story.targeted("worker"), Vec::<String>::new(), "no capacity, and no event says so");

    let plan = story.act(ActionId::UncordonNodes, &node("worker-5")).await;
    assert!(plan.consequences[0].starts_with("worker-5 was cordoned by oc-cockpit since"), "{:?}", plan.consequences);
    let foretold = foretold(&plan);
    assert_eq!(foretold.len(), 6);
    assert_eq!(story.order_of("worker", 3), foretold[..3]);
}

#[tokio::test]
async fn nothing_that_the_operator_works_on_can_be_uncordoned() {
    let mut story = Story::new("tour");
    let (mut refused, mut phases) = (0, std::collections::BTreeSet::new());
    for _ in 0..40 {
        story.pass_minutes(1);
        let seen = story.look();
        for found in seen.nodes.iter().filter(|found| found.cordon.is_some()) {
            // Nobody but the operator cordons in this story.
            let verdict =
                plan(&seen, &session(), &Ask::new(ActionId::UncordonNodes, node(&found.name)), &Material::default());
            assert!(verdict.is_err(), "{} is {}", found.name, found.phase.word());
            phases.insert(found.phase);
            refused += 1;
        }
    }
    assert!(refused > 40 && phases.len() > 3, "{refused} times in {phases:?}");
}

#[tokio::test]
async fn the_gate_bars_the_minor_update_and_the_patch_starts() {
    let mut story = Story::new("minor");
    story.pass_minutes(3);
    let Err(Refusal(words)) = story.plan(ActionId::StartUpdate, &Target::Version("4.19.3".into())) else {
        panic!("the gate is open")
    };
    assert!(words.contains("remove several APIs which require admin consideration"), "{words}");
    let Err(Refusal(words)) = story.plan(ActionId::StartUpdate, &Target::Version("4.19.2".into())) else {
        panic!("it carries a risk, and the gate is open")
    };
    assert!(words.starts_with("4.19.2 "), "{words}");
    story.act(ActionId::StartUpdate, &Target::Version("4.18.25".into())).await;
    story.until("the update is accepted", |story| story.look().update.to.as_deref() == Some("4.18.25"));
    let seen = story.look();
    assert!(seen.update.in_progress, "{:?}", seen.update);
    let Err(Refusal(words)) = story.plan(ActionId::StartUpdate, &Target::Cluster) else { panic!("one is under way") };
    assert!(words.contains("an update is in progress"), "{words}");
}

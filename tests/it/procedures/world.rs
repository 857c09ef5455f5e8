//! A simulated cluster in process, prepared for a step, and how it is read: as the one-shot commands read it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::actions::audit::{Actor, Given};
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{self, Found, Plan, Read, Refusal, Session, permissions};
use oc_cockpit::clock;
use oc_cockpit::cluster::execute::{Transport, execute, rehearse};
use oc_cockpit::cluster::once::Once;
use oc_cockpit::cluster::{Reply, Request, Requests};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::actors::Actors;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::pace::Pace;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use oc_cockpit::snapshot;
use oc_cockpit::upgrade::access::{Access, Answer};
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::facts::Facts;
use oc_cockpit::upgrade::link::{LinkState, Trouble, TroubleKind};
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::needs::{Needs, Wanted};
use serde_json::{Value, json};

use super::files;

/// A cluster, and whoever works with it.
pub struct World {
    pub store: Arc<Store>,
    pub now: DateTime<Utc>,
    actors: Actors,
    once: Once,
    desk: Desk,
    /// The server has been silent for two minutes.
    silent: bool,
    /// The last picture before that, where the machine is away with it.
    last: Option<Facts>,
    /// What was observed in the past.
    memory: Memory,
    /// What was read, by what was wanted: nothing moves while steps are gone through.
    read: Mutex<BTreeMap<String, Arc<Assessment>>>,
    _simulation: Simulation,
}

impl World {
    /// The cluster of a scenario as it begins.
    pub async fn of(scenario: &Scenario) -> Self {
        let simulation = Simulation::new(&Options::default()).unwrap();
        let stage = simulation.stage();
        let now = clock::now();
        let actors = Actors::prepare_with(stage.boards, &stage.store, scenario, &Pace::new(1.0), 1, now);
        let client = kube::Client::new(simulation.service(), "default");
        let once = Once::open_in_process(client).await.unwrap();
        let desk = Desk { requests: once.requests(), folder: files::folder() };
        Self {
            store: stage.store,
            now,
            actors,
            once,
            desk,
            silent: false,
            last: None,
            memory: Memory::default(),
            read: Mutex::default(),
            _simulation: simulation,
        }
    }

    /// Lets time pass; the controllers act on what was done.
    pub fn pass(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
        self.actors.step(self.now);
        self.read.lock().unwrap().clear();
    }

    /// Looks, and remembers what was seen.
    pub async fn remember(&mut self) {
        let seen = self.look(&Wanted::default()).await;
        self.memory.observe(&seen);
        self.last = Some((*seen.facts).clone());
        self.read.lock().unwrap().clear();
    }

    /// Is the machine of a single node down?
    pub fn is_down(&self) -> bool {
        self.actors.is_down()
    }

    /// The API server stops to answer.
    pub fn silence(&mut self) {
        self.silent = true;
    }

    /// Changes an object past all rules.
    pub fn edit(&self, res: Res, namespace: Option<&str>, name: &str, edit: impl FnOnce(&mut Value)) {
        assert!(self.store.update(res, namespace, name, edit), "there is no {} {name}", res.plural);
    }

    /// Sets a condition of an object of the cluster.
    pub fn condition(&self, res: Res, name: &str, kind: &str, status: &str, reason: &str, message: &str) {
        let at = (self.now - TimeDelta::minutes(20)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        self.edit(res, None, name, |object| {
            let found = json!({
                "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at,
            });
            let conditions = object["status"]["conditions"].as_array_mut().unwrap();
            conditions.retain(|condition| condition["type"] != kind);
            conditions.push(found);
        });
    }

    /// Adds an object.
    pub fn add(&self, res: Res, object: Value) {
        self.store.create(res, object, self.now);
    }

    /// What is seen when this is wanted, read in the rounds of the one-shot commands.
    pub async fn look(&self, wanted: &Wanted) -> Arc<Assessment> {
        let key = format!("{wanted:?}");
        if let Some(known) = self.read.lock().unwrap().get(&key) {
            return Arc::clone(known);
        }
        if let Some(last) = self.last.as_ref().filter(|_| self.silent) {
            return Arc::new(self.judge(last));
        }
        let mut facts = self.once.core().await;
        let mut assessment = self.judge(&facts);
        let mut asked = Needs::default();
        for _ in 0..3 {
            let needs = Needs { events: false, ..wanted.needs(&assessment) };
            if needs == asked {
                break;
            }
            self.once.around(&mut facts, &needs).await;
            assessment = self.judge(&facts);
            asked = needs;
        }
        let assessment = Arc::new(assessment);
        self.read.lock().unwrap().insert(key, Arc::clone(&assessment));
        assessment
    }

    fn judge(&self, facts: &Facts) -> Assessment {
        let mut facts = facts.clone();
        assert_eq!(facts.link.state, LinkState::Live, "{:?}", facts.link);
        let answers = permissions().into_iter().map(|permission| (permission, Answer::Allowed)).collect();
        facts.access = Arc::new(Access { user: Some("kim".into()), answers, ..Access::default() });
        if self.silent {
            facts.link.state = LinkState::Stale { since: self.now - TimeDelta::minutes(2) };
        }
        assess(Arc::new(facts), &self.memory, self.now)
    }

    pub fn session() -> Session {
        Session { context: "lab".into(), ..Session::default() }
    }

    /// The way to the server, and to the files of the steps.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The server's answer to the dry run of a plan that was made on `seen`.
    pub async fn rehearse(&self, seen: &Assessment, session: &Session, plan: Plan) -> Result<Rehearsal, Refusal> {
        let first = plan.clone();
        rehearse(&self.desk, plan, |target: &_, material: &_| actions::again(seen, session, &first, target, material))
            .await
    }

    /// Carries out what was rehearsed; the controllers act on it for a minute.
    pub async fn carry_out(&mut self, seen: &Assessment, rehearsal: Rehearsal) {
        let session = Self::session();
        let plan = rehearsal.plan.clone();
        let given = |question: &actions::Question| Given {
            name: question.name.clone(),
            answer: question.exactly.clone().unwrap_or_else(|| "/backup/0300".into()),
        };
        let answers = plan.questions.iter().map(given).collect();
        let order = Order { rehearsal, actor: Actor::of(seen, &session), answers };
        let (recorder, task) = Recorder::start(Some(self.desk.folder.join("audit.jsonl")));
        let again = |target: &_, material: &_| actions::again(seen, &session, &plan, target, material);
        let outcome = execute(&self.desk, order, &recorder, again).await;
        task.close(&recorder).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{}: {outcome:?}", plan.title);
        self.pass(1);
    }
}

/// Requests to the server; files are those of the steps.
pub struct Desk {
    pub requests: Requests,
    folder: PathBuf,
}

impl Transport for Desk {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        self.requests.send(request).await
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        let Read::File(name) = read else { return self.requests.read(read).await };
        snapshot::manifest(&self.folder.join(name)).map(Found::File).map_err(|words| Trouble {
            kind: TroubleKind::Undecodable,
            words,
            hint: String::new(),
            since: DateTime::UNIX_EPOCH,
        })
    }
}

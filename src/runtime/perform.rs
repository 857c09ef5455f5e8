//! Effects become work: owned tasks on the worker, whose answers come back as messages.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::files::WithFiles;
use super::simulator::Simulator;
use super::{follow, hook, keepsake, save};
use crate::actions::audit::Audit;
use crate::actions::drain::Progress;
use crate::actions::outcome::Outcome;
use crate::actions::{self, Plan, Refusal, Session};
use crate::app::{Effect, Msg};
use crate::clock;
use crate::cluster::{Cluster, drain, execute};
use crate::recorder::Recorder;
use crate::snapshot::Recording;
use crate::ui::{Flash, FlashLevel, SimRequest};
use crate::upgrade::assessment::{Assessment, Level, Resource, Subject};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based;
use crate::upgrade::needs::Wanted;
use crate::upgrade::timeline::{Entry, Origin};

/// How long an action that is confirmed waits for the server to say who the user is.
const WHO: Duration = Duration::from_secs(3);

/// What the loop itself has to do, because it concerns the terminal or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// Put this text on the clipboard.
    Copy(String),
    /// Ring the bell.
    Bell,
    /// Show a desktop notification.
    Notify(String),
    /// Hand the terminal to the shell for a while.
    Suspend,
    /// Leave.
    Quit,
}

/// An action under way.
#[derive(Debug)]
struct Work {
    task: AbortOnDropHandle<()>,
    /// Asks it to come to an end by itself; none: it is ended as it is.
    stop: Option<CancellationToken>,
}

/// Turns effects into work. Dropping it ends all work that is under way.
#[derive(Debug)]
pub struct Performer {
    /// What is observed; none until it is known where (the demo's simulator has to start first).
    pub cluster: Option<Arc<Cluster>>,
    /// The recording that is looked at in place of a cluster.
    pub recording: Option<Arc<Recording>>,
    /// The simulated cluster, if it is ours.
    pub simulator: Option<Simulator>,
    recorder: Recorder,
    assessed: watch::Receiver<Arc<Assessment>>,
    messages: mpsc::UnboundedSender<Msg>,
    notes: mpsc::UnboundedSender<Entry>,
    wanted: watch::Sender<Wanted>,
    views: PathBuf,
    jobs: BTreeMap<u64, Work>,
    /// The log that is on the screen.
    log: Option<AbortOnDropHandle<()>>,
    rehearsal: Option<AbortOnDropHandle<()>>,
    reads: Vec<AbortOnDropHandle<()>>,
}

impl Performer {
    /// A performer that answers into `messages`, tells the timeline by `notes` and saves views in `views`.
    pub fn new(
        recorder: Recorder,
        assessed: watch::Receiver<Arc<Assessment>>,
        messages: mpsc::UnboundedSender<Msg>,
        notes: mpsc::UnboundedSender<Entry>,
        views: PathBuf,
    ) -> Self {
        Self {
            cluster: None,
            recording: None,
            simulator: None,
            recorder,
            assessed,
            messages,
            notes,
            wanted: watch::Sender::default(),
            views,
            jobs: BTreeMap::new(),
            log: None,
            rehearsal: None,
            reads: Vec::new(),
        }
    }

    /// What somebody looks at and is about to do, for whoever says what has to be read.
    pub fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// Does `effect`, or hands it back when it is the loop's own. It was decided on facts of `epoch`: nothing of it goes
    /// to another cluster.
    pub fn perform(&mut self, effect: Effect, session: &Session, epoch: u64) -> Option<Own> {
        self.jobs.retain(|_, work| !work.task.is_finished());
        self.reads.retain(|task| !task.is_finished());
        match effect {
            Effect::Copy(text) => return Some(Own::Copy(text)),
            Effect::Bell => return Some(Own::Bell),
            Effect::Notify(text) => return Some(Own::Notify(text)),
            Effect::Suspend => return Some(Own::Suspend),
            Effect::Quit => return Some(Own::Quit),
            Effect::Rehearse { ticket, plan } => self.rehearse(ticket, *plan, session.clone(), epoch),
            Effect::Execute { id, order } => self.execute(id, *order, session.clone(), epoch),
            Effect::CancelJob(id) => self.cancel(id),
            Effect::Prove { ids, proof } => {
                // The audit log is kept by this machine's clock, as its other lines are.
                let proof = proof.ahead_by(-self.assessed.borrow().facts.link.clock_ahead);
                let recorder = self.recorder.clone();
                tokio::spawn(async move { recorder.proved(&ids, proof).await });
            }
            Effect::Note(entry) => drop(self.notes.send(entry)),
            Effect::Fetch(subject) => self.fetch(subject, epoch),
            Effect::Want(wanted) => {
                self.wanted.send_replace(wanted);
            }
            Effect::Follow { ticket, ask } => {
                let requests = self.cluster.as_ref().map(|cluster| cluster.requests().bound(epoch));
                let messages = self.messages.clone();
                self.log = requests.map(|requests| own(follow::follow(requests, *ask, ticket, messages)));
            }
            Effect::Unfollow => self.log = None,
            Effect::SwitchContext(context) => {
                if let Some(cluster) = &self.cluster {
                    cluster.switch(&context);
                }
            }
            Effect::Refresh => {
                if let Some(cluster) = &self.cluster {
                    cluster.refresh();
                }
            }
            Effect::Save { name, extension, text } => self.save(name, extension, text),
            Effect::Sim(request) => self.drive(request),
            Effect::Hook { command, story } => self.hook(command, story),
        }
        None
    }

    fn rehearse(&mut self, ticket: u64, plan: Plan, session: Session, epoch: u64) {
        let Some(cluster) = &self.cluster else { return };
        let requests = WithFiles(cluster.requests().bound(epoch));
        let replan = replan(self.assessed.clone(), plan.clone(), session, epoch);
        let messages = self.messages.clone();
        // Only the newest plan is on the screen: the rehearsal of an older one ends with it.
        self.rehearsal = Some(own(async move {
            let rehearsed = Box::new(execute::rehearse(&requests, plan, replan).await);
            let _ = messages.send(Msg::Rehearsed { ticket, rehearsed });
        }));
    }

    fn execute(&mut self, id: u64, mut order: actions::outcome::Order, session: Session, epoch: u64) {
        let Some(cluster) = &self.cluster else { return };
        let requests = WithFiles(cluster.requests().bound(epoch));
        let replan = replan(self.assessed.clone(), order.rehearsal.plan.clone(), session, epoch);
        let (messages, recorder) = (self.messages.clone(), self.recorder.clone());
        let first = order.rehearsal.plan.writes.first().map(|write| write.object.clone()).unwrap_or_default();
        let effect = order.rehearsal.plan.effect.clone();
        let (views, notes) = (self.views.clone(), self.notes.clone());
        let drains = order.rehearsal.plan.drain.is_some();
        let stop = CancellationToken::new();
        let asked = drains.then(|| stop.clone());
        let ahead = self.assessed.borrow().facts.link.clock_ahead;
        let task = own(async move {
            match keepsake::keep(&order.rehearsal.plan, &views).await {
                Ok(None) => {}
                Ok(Some(path)) => {
                    let text = format!("saved before it goes: {}", path.display());
                    let _ = notes.send(kept(text.clone(), clock::now() + ahead));
                    let _ = messages.send(Msg::Say(Flash { level: FlashLevel::Info, text }));
                }
                Err(words) => {
                    let _ = messages.send(Msg::JobDone { id, outcome: Outcome::Refused { words } });
                    return;
                }
            }
            // Somebody who is quick may be done before it is known who they are to the server: the audit log names them.
            if order.actor.user.is_none()
                && let Ok(Ok(user)) = tokio::time::timeout(WHO, requests.0.identity()).await
            {
                order.actor.user = Some(user);
            }
            // A job that ended without a word would count as being sent for ever.
            let tell = |progress: &Progress| {
                let _ = messages.send(Msg::Draining { id, progress: Arc::new(progress.clone()) });
            };
            let work = AssertUnwindSafe(drain::drain(&requests, order, &recorder, replan, &stop, tell));
            let outcome = work.catch_unwind().await.unwrap_or_else(|_| Outcome::Failed {
                done: Vec::new(),
                object: first,
                words: "this program failed while it sent the requests: look what was applied".to_owned(),
                left: Vec::new(),
            });
            let sent = matches!(outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. });
            let _ = messages.send(Msg::JobDone { id, outcome });
            let effects = effect.reread();
            if sent && !effects.is_empty() {
                let seen = execute::shown(&requests, &effects).await;
                let _ = messages.send(Msg::Reread { id, seen });
            }
        });
        self.jobs.insert(id, Work { task, stop: asked });
    }

    /// A drain is asked to end, and says how far it came; asked again, or anything else, is ended as it is.
    fn cancel(&mut self, id: u64) {
        match self.jobs.get(&id).and_then(|work| work.stop.as_ref()).filter(|stop| !stop.is_cancelled()) {
            Some(stop) => stop.cancel(),
            None => drop(self.jobs.remove(&id)),
        }
    }

    fn fetch(&mut self, subject: Subject, epoch: u64) {
        let messages = self.messages.clone();
        if let Some(recording) = &self.recording {
            let fetched = recorded(recording, &subject);
            let _ = messages.send(Msg::Fetched { subject, fetched });
            return;
        }
        let Some(requests) = self.cluster.as_ref().map(|cluster| cluster.requests().bound(epoch)) else { return };
        let task = own(async move {
            let fetched = match (&subject, object(&subject)) {
                (Subject::Object(address), _) => requests.fetch_object(address).await,
                (_, Some((kind, name))) => requests.fetch(kind, &name).await,
                (_, None) => {
                    let fetched = Err("there is no object behind this".to_owned());
                    let _ = messages.send(Msg::Fetched { subject, fetched });
                    return;
                }
            };
            let fetched = fetched.map_err(|trouble| trouble.words);
            let _ = messages.send(Msg::Fetched { subject, fetched });
        });
        self.reads.push(task);
    }

    fn save(&self, name: String, extension: &'static str, text: String) {
        let (messages, folder) = (self.messages.clone(), self.views.clone());
        tokio::task::spawn_blocking(move || {
            let flash = match save::save(&folder, &name, extension, &text, clock::now()) {
                Ok(path) => Flash { level: FlashLevel::Info, text: format!("saved {}", path.display()) },
                Err(words) => Flash { level: FlashLevel::Error, text: words },
            };
            let _ = messages.send(Msg::Say(flash));
        });
    }

    fn hook(&mut self, command: String, story: crate::app::Story) {
        let messages = self.messages.clone();
        self.reads.push(own(async move {
            if let Err(text) = hook::run(command, story).await {
                let _ = messages.send(Msg::Say(Flash { level: FlashLevel::Warning, text }));
            }
        }));
    }

    fn drive(&self, request: SimRequest) {
        if let Some(simulator) = &self.simulator {
            simulator.drive(request);
            return;
        }
        let text = "this cluster is not simulated here".to_owned();
        let _ = self.messages.send(Msg::Say(Flash { level: FlashLevel::Warning, text }));
    }
}

/// That something was saved before it goes, for the timeline: the line at the bottom is soon another one.
fn kept(text: String, at: DateTime<Utc>) -> Entry {
    let subject = Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), image_based::NAME));
    Entry { at, level: Level::Info, subject, text, origin: Origin::Action }
}

/// A plan made again on fresh objects, by the newest assessment. It is of `epoch`: nothing of it goes to another cluster.
pub(super) fn replan(
    assessed: watch::Receiver<Arc<Assessment>>,
    plan: Plan,
    session: Session,
    epoch: u64,
) -> impl execute::Replan {
    move |target: &actions::Target, material: &actions::Material| {
        let newest = Arc::clone(&assessed.borrow());
        if newest.facts.epoch != epoch {
            return Err(Refusal("another cluster (or another state of it) is observed now".to_owned()));
        }
        actions::again(&newest, &session, &plan, target, material)
    }
}

/// A task on the worker that ends when the handle is dropped.
pub(super) fn own(work: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(work))
}

/// The object behind a subject, as the recording holds it.
fn recorded(recording: &Recording, subject: &Subject) -> Result<serde_json::Value, String> {
    let resource = match subject {
        Subject::Version => Resource::version(),
        Subject::Operator(name) => Resource::operator(name),
        Subject::Pool(name) => Resource::pool(name),
        Subject::Node(name) => Resource::node(name),
        Subject::Object(resource) => resource.clone(),
        Subject::Link => return Err("there is no object behind this".to_owned()),
    };
    let missing = || format!("{}/{} is not in this recording", resource.resource, resource.name);
    recording.object(&resource).cloned().ok_or_else(missing)
}

/// The object behind a subject of its own kind; none for the link, and for objects by address.
fn object(subject: &Subject) -> Option<(Kind, String)> {
    Some(match subject {
        Subject::Version => (Kind::ClusterVersions, "version".to_owned()),
        Subject::Operator(name) => (Kind::ClusterOperators, name.clone()),
        Subject::Pool(name) => (Kind::MachineConfigPools, name.clone()),
        Subject::Node(name) => (Kind::Nodes, name.clone()),
        Subject::Link | Subject::Object(_) => return None,
    })
}

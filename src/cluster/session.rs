//! One stay with one cluster: from the first request until another cluster is to be observed.
//!
//! Here run, side by side, the keepers of the kinds, the access reviews, the reading of events, the probes of the link
//! and the eye on the credentials. All of them end with the future that runs them.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt as _;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::client::Line;
use super::connection::Connection;
use super::credentials::Credentials;
use super::identity::{self, Identity, Verdict};
use super::kinds;
use super::link::{Input, PROBE_LIMIT, PROBE_PERIOD};
use super::picture::{Picture, Seat};
use super::places::Place;
use super::request::Requests;
use super::trouble::trouble;
use super::{access, around, events, watch as watching};
use crate::api;
use crate::clock;
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::link::{LinkState, TroubleKind};
use crate::upgrade::needs::Needs;

/// Any change of ClusterVersion lets absent kinds be looked for, but not more often than this.
const SOFT_PERIOD: Duration = Duration::from_secs(10);
/// The longest pause between two probes, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// What is not in the first picture waits for it, but not longer than this.
const FIRST_PICTURE: Duration = Duration::from_secs(1);
/// After a defect of ours has ended a task, it begins again this much later.
pub(super) const AFTER_PANIC: Duration = Duration::from_secs(5);

/// Counts how often running watches were to be begun anew.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Restarts {
    /// In all.
    pub all: u64,
    /// With a fresh list, because nobody vouched for the history.
    pub relists: u64,
}

/// What the person wants of the connection.
#[derive(Debug)]
pub(super) enum Wish {
    /// The cluster of this context.
    Context(String),
    /// Fresh lists of the present one.
    Again,
}

/// Why a stay ended.
#[derive(Debug)]
pub(super) enum End {
    /// Another cluster, or an older state of this one, answers; with new credentials, their line.
    AnotherCluster(Option<Line>),
    /// The person chose another context, and this is the line to it.
    Switched(Line),
}

/// What the tasks of one stay share.
#[derive(Debug)]
pub(super) struct Session {
    pub picture: Arc<Picture>,
    pub requests: Requests,
    restart: watch::Sender<Restarts>,
    again: watch::Sender<()>,
    unauthorized: Notify,
    another: Notify,
    probe_now: Notify,
    /// What of ClusterVersion decides about kinds (desired and history), and when they were looked for last.
    looked: Mutex<(String, Option<tokio::time::Instant>)>,
}

impl Session {
    pub fn new(picture: Arc<Picture>, requests: Requests) -> Self {
        Self {
            picture,
            requests,
            restart: watch::Sender::default(),
            again: watch::Sender::default(),
            unauthorized: Notify::new(),
            another: Notify::new(),
            probe_now: Notify::new(),
            looked: Mutex::default(),
        }
    }

    /// Signals when watches are to be begun anew.
    pub fn restarts(&self) -> watch::Receiver<Restarts> {
        self.restart.subscribe()
    }

    /// Signals when absent and forbidden kinds are to be looked for.
    pub fn again(&self) -> watch::Receiver<()> {
        self.again.subscribe()
    }

    /// The server refused the credentials.
    pub fn unauthorized(&self) {
        self.unauthorized.notify_one();
    }

    /// A list lies below what its kind had seen: the history may have been replaced. Nothing is trusted until the link
    /// has verified who answers.
    pub fn suspect(&self) {
        self.picture.link(Input::Doubted);
        self.probe_now.notify_one();
    }

    /// ClusterVersion came: is it still the same cluster, and may kinds have appeared?
    pub fn saw_cluster_version(&self, object: &api::ClusterVersion) {
        let uid = object.metadata.uid.clone();
        let (_, known) = self.picture.history();
        if known.cluster_version.is_some() && uid.is_some() && known.cluster_version != uid {
            return self.another.notify_one();
        }
        self.picture.learn(Identity { cluster_version: uid, kube_system: None });
        let now = clock::runtime_instant();
        let decides = format!("{:?} {:?}", object.status.desired, object.status.history);
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.1.is_none_or(|last| now.duration_since(last) >= SOFT_PERIOD);
        if looked.0 != decides || due {
            *looked = (decides, Some(now));
            self.again.send_replace(());
        }
    }

    fn restart(&self, relist: bool) {
        self.restart.send_modify(|restarts| {
            restarts.all += 1;
            restarts.relists += u64::from(relist);
        });
    }

    /// Everything is listed anew; the picture stays until the answers are there.
    fn ask_again(&self) {
        self.restart(true);
        self.again.send_replace(());
        self.probe_now.notify_one();
    }

    /// Stays until there is a reason to end.
    pub async fn stay(self: Arc<Self>, credentials: &mut Credentials, control: &mut Control) -> End {
        let mut tasks = JoinSet::new();
        for kind in Kind::CORE {
            tasks.spawn(kept(Arc::clone(&self), kind));
        }
        let session = Arc::clone(&self);
        let reviews = enduring(|_| {}, move || access::keep(Arc::clone(&session)));
        let session = Arc::clone(&self);
        let remembered = enduring(|_| {}, move || events::read(Arc::clone(&session)));
        let (session, needs) = (Arc::clone(&self), control.needs.clone());
        let around = enduring(|_| {}, move || around::tend(Arc::clone(&session), needs.clone()));
        for later in [reviews.boxed(), remembered.boxed(), around.boxed()] {
            let mut complete = self.picture.complete();
            tasks.spawn(async move {
                // The first picture has the connections for itself.
                let _ = tokio::time::timeout(FIRST_PICTURE, complete.wait_for(|complete| *complete)).await;
                later.await;
            });
        }
        let end = tokio::select! {
            // A task that ended unseen would leave a part of the picture silent for ever: let everybody know.
            panic = panicked(&mut tasks) => std::panic::resume_unwind(panic),
            end = self.probe() => end,
            end = self.mind(credentials, control) => end,
            () = self.another.notified() => End::AnotherCluster(None),
        };
        // Nobody paints on the picture of the next stay.
        tasks.shutdown().await;
        end
    }

    /// Probes the link, and verifies who answers after an outage.
    async fn probe(&self) -> End {
        let mut introduced = false;
        loop {
            self.picture.link(Input::Attempt);
            let began = clock::now();
            let sent = clock::runtime_instant();
            let mut pause = PROBE_PERIOD;
            match self.requests.get("/version", "/version", PROBE_LIMIT).await {
                Ok(_) => self.answered(sent.elapsed()),
                Err(failure) => match failure.kind() {
                    // It answers, if not as we would like it.
                    TroubleKind::Forbidden | TroubleKind::AbsentKind | TroubleKind::Gone => {
                        self.answered(sent.elapsed());
                    }
                    TroubleKind::TooManyRequests => {
                        self.answered(sent.elapsed());
                        // Obeyed within reason: without probes nobody would notice that the server has gone.
                        pause = failure.retry_after.unwrap_or(pause).clamp(pause, LONGEST_PAUSE);
                    }
                    kind => {
                        if kind == TroubleKind::Unauthorized {
                            self.unauthorized();
                        }
                        self.picture.link(Input::Failed { trouble: failure.trouble, began });
                    }
                },
            }
            if let LinkState::Verifying { .. } = self.picture.look(|facts| facts.link.state)
                && self.verify().await
            {
                return End::AnotherCluster(None);
            }
            if !introduced && self.picture.look(|facts| facts.link.state) == LinkState::Live {
                introduced = self.introduce().await;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.probe_now.notified() => {}
            }
        }
    }

    fn answered(&self, took: Duration) {
        self.picture.link(Input::Answered { latency: TimeDelta::from_std(took).unwrap_or(TimeDelta::MAX) });
    }

    /// Learns who the cluster is while it is well. True when it was told, or is not to be told to this user.
    async fn introduce(&self) -> bool {
        match identity::ask(&self.requests).await {
            Ok(answerer) => {
                self.picture.learn(answerer.identity);
                true
            }
            Err(failure) => {
                tracing::debug!(words = failure.trouble.words, "the cluster's identity is not known yet");
                false
            }
        }
    }

    /// After an outage: true when another cluster answers.
    async fn verify(&self) -> bool {
        let (seen, known) = self.picture.history();
        match identity::ask(&self.requests).await {
            Ok(answerer) => match identity::compare(&known, seen, &answerer) {
                Verdict::Same => {
                    let vouched = answerer.identity != Identity::default();
                    self.picture.link(Input::Verified);
                    self.restart(!vouched);
                }
                Verdict::Another(why) => {
                    tracing::warn!(why, "another cluster answers: everything is read anew");
                    return true;
                }
                Verdict::Unsure(trouble) => {
                    self.picture.link(Input::VerifyFailed { trouble });
                }
            },
            Err(failure) => {
                self.picture.link(Input::VerifyFailed { trouble: failure.trouble });
            }
        }
        false
    }

    /// Minds the credentials and what the person wants: new ones are taken when the same cluster answers to them.
    async fn mind(&self, credentials: &mut Credentials, control: &mut Control) -> End {
        loop {
            tokio::select! {
                Some(wish) = control.wishes.recv() => {
                    let Wish::Context(context) = wish else {
                        self.ask_again();
                        continue;
                    };
                    match credentials.switched(&context).await {
                        Ok((next, line)) => {
                            *credentials = next;
                            return End::Switched(line);
                        }
                        Err(words) => control.tell(&words),
                    }
                }
                () = credentials.changed(&self.unauthorized) => {
                    match credentials.renew().await {
                        Ok(Some(line)) => {
                            if let Some(line) = self.renewed(line, credentials, control).await {
                                return End::AnotherCluster(Some(line));
                            }
                        }
                        Ok(None) => control.untell(),
                        Err(words) => control.tell(&words),
                    }
                }
            }
        }
    }

    /// Takes new credentials. Gives the line back when it leads to another cluster.
    async fn renewed(&self, line: Line, credentials: &Credentials, control: &Control) -> Option<Line> {
        let stranger = self.requests.over(Arc::new(line.clone()));
        let (seen, known) = self.picture.history();
        let answer = identity::ask(&stranger).await;
        match answer.map(|answerer| identity::compare(&known, seen, &answerer)) {
            Ok(Verdict::Another(why)) => {
                tracing::warn!(why, "the new credentials lead to another cluster: everything is read anew");
                return Some(line);
            }
            Ok(Verdict::Same) => {
                control.take(line, credentials.connection());
                self.restart(false);
            }
            Ok(Verdict::Unsure(_)) | Err(_) => {
                // Nobody could be asked: not trusted until the link has verified who answers.
                self.picture.link(Input::Doubted);
                control.take(line, credentials.connection());
            }
        }
        self.probe_now.notify_one();
        None
    }
}

/// Keeps a kind, whatever is the matter with our reading of it: a defect is told as the trouble of that kind alone.
async fn kept(session: Arc<Session>, kind: Kind) {
    let Some(shelf) = kinds::shelf(kind) else { return };
    let told = Arc::clone(&session);
    let seat = Seat::of(kind);
    let tell = move |words: String| {
        let words = format!("this program failed while it read {}: {words}", kind.plural());
        let trouble = trouble(TroubleKind::Other, words, "it is tried again; the log says more");
        told.picture.status(seat, KindStatus::Failing(trouble));
    };
    let place = Arc::new(Place::whole(kind));
    enduring(tell, move || watching::keep(Arc::clone(&session), seat, shelf, Arc::clone(&place))).await;
}

/// Runs `task`, and again after a pause when it panicked, with `tell` told of what it said.
pub(super) async fn enduring<F: Future<Output = ()>>(tell: impl Fn(String), mut task: impl FnMut() -> F) {
    while let Err(panic) = AssertUnwindSafe(task()).catch_unwind().await {
        tell(said(panic.as_ref()));
        tokio::time::sleep(AFTER_PANIC).await;
    }
}

/// What a panic said, in one line.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    words.and_then(|words| words.lines().next()).unwrap_or("it gave no reason").to_owned()
}

/// Waits until a task panics; that some end well is as it should be.
async fn panicked(tasks: &mut JoinSet<()>) -> Box<dyn Any + Send> {
    loop {
        match tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => return error.into_panic(),
            Some(_) => {}
            None => std::future::pending::<()>().await,
        }
    }
}

/// The ends of the channels by which a stay is steered and tells what it is connected to.
#[derive(Debug)]
pub(super) struct Control {
    pub wishes: mpsc::UnboundedReceiver<Wish>,
    pub line: watch::Sender<Option<Arc<Line>>>,
    pub connection: watch::Sender<Arc<Connection>>,
    /// What has to be read beyond the core kinds.
    pub needs: watch::Receiver<Needs>,
}

impl Control {
    /// From now on everything goes over `line`.
    pub fn take(&self, line: Line, connection: &Connection) {
        self.line.send_replace(Some(Arc::new(line)));
        self.connection.send_replace(Arc::new(connection.clone()));
    }

    /// Says what is wrong with the kubeconfig, while what there is goes on.
    pub fn tell(&self, words: &str) {
        tracing::warn!(words, "kubeconfig");
        self.connection.send_modify(|connection| Arc::make_mut(connection).error = Some(words.to_owned()));
    }

    /// Nothing is wrong with it any more.
    pub fn untell(&self) {
        self.connection.send_if_modified(|connection| {
            let wrong = connection.error.is_some();
            if wrong {
                Arc::make_mut(connection).error = None;
            }
            wrong
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_told_and_begins_again() {
        let told = Mutex::new(Vec::new());
        let mut runs = 0;
        let began = clock::runtime_instant();
        enduring(
            |words| told.lock().unwrap().push(words),
            || {
                runs += 1;
                let run = runs;
                async move { assert!(run > 2, "run {run}") }
            },
        )
        .await;
        assert_eq!(*told.lock().unwrap(), ["run 1", "run 2"]);
        assert!(began.elapsed() >= AFTER_PANIC * 2, "{:?}", began.elapsed());
    }
}

//! The only room that talks to an API server.
//!
//! Belongs here: the kubeconfig, the client, the link, the watches, single reads, access reviews, and (in
//! [`execute`]) the sending of plans. Does not: judgement of what was observed (that is `upgrade`), plans (they
//! are data of `actions`), the screen.
//! May import: `api`, `upgrade` (facts, link, access), `actions` (data), `clock`.
//!
//! [`Cluster::start`] returns at once. A supervisor task reads the kubeconfig, builds the client away from the caller's
//! thread, and keeps one watch per kind; everything it learns is put into one [`Facts`] that is published at most every
//! 16 ms. Nothing outlives the [`Cluster`]: dropping it ends the supervisor, which owns all other tasks.

mod access;
mod alerts;
mod around;
mod client;
mod connection;
mod credentials;
mod decode;
pub mod drain;
mod events;
pub mod execute;
mod identity;
mod kinds;
mod kubeconfig;
mod link;
mod list;
mod object;
pub mod once;
mod options;
mod picture;
mod places;
mod plugin;
mod pods;
mod reads;
mod refresh;
mod request;
mod session;
mod skew;
mod split;
pub mod tail;
mod trouble;
mod watch;

pub use access::allowed;
pub use connection::{Connection, Context};
pub use options::{Options, Token};
pub use pods::{PodOnNode, PodPhase};
pub use request::{ContentType, Method, Reply, Request, Requests};

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::sync::watch::{Receiver, Sender};
use tokio_util::task::AbortOnDropHandle;

use self::credentials::{Credentials, Source};
use self::kubeconfig::Environment;
use self::link::Input;
use self::picture::Picture;
use self::session::{Control, End, Session, Wish};
use crate::actions::{Found, Read};
use crate::clock;
use crate::upgrade::facts::{Facts, Kind};
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::needs::Needs;

/// Without a usable kubeconfig it is tried again after this long, and at once when a file of it changes.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// A live cluster: what is observed of it, and the way to read and write single objects.
#[derive(Debug)]
pub struct Cluster {
    facts: Receiver<Arc<Facts>>,
    connection: Receiver<Arc<Connection>>,
    wishes: mpsc::UnboundedSender<Wish>,
    needs: Sender<Needs>,
    requests: Requests,
    /// Owns every other task of this room.
    _supervisor: AbortOnDropHandle<()>,
}

impl Cluster {
    /// Starts to observe the cluster that `options` name. Returns at once and never fails: what goes wrong is told in
    /// [`Connection::error`] and in the link of the facts. Must be called inside a tokio runtime.
    pub fn start(options: Options) -> Self {
        let limit = options.request_timeout;
        Self::start_from(Source::Kubeconfig(Box::new((options, Environment::of_process()))), limit)
    }

    /// Starts to observe a cluster in the same process, behind a client that the caller made.
    pub fn start_in_process(client: kube::Client) -> Self {
        Self::start_from(Source::Client(client), None)
    }

    fn start_from(source: Source, limit: Option<Duration>) -> Self {
        let (facts_out, facts) = tokio::sync::watch::channel(Arc::new(Facts::nothing(clock::now())));
        let connection_out = Sender::new(Arc::new(Connection::default()));
        let connection = connection_out.subscribe();
        let line_out = Sender::new(None);
        let line = line_out.subscribe();
        let (wishes, wishes_in) = mpsc::unbounded_channel();
        let picture = Arc::new(Picture::new());
        let limit = limit.filter(|limit| !limit.is_zero()).unwrap_or(request::DEFAULT_LIMIT);
        let requests = Requests::new(line, Arc::clone(&picture), limit);
        let needs = Sender::default();
        let needs_in = needs.subscribe();
        let mut control = Control { wishes: wishes_in, line: line_out, connection: connection_out, needs: needs_in };
        let supervisor = tokio::spawn({
            let requests = requests.clone();
            async move {
                tokio::select! {
                    () = picture.publish(&facts_out) => {}
                    () = endure(&source, &picture, &requests, &mut control) => {}
                }
            }
        });
        Self { facts, connection, wishes, needs, requests, _supervisor: AbortOnDropHandle::new(supervisor) }
    }

    /// What was observed, newest only: a receiver that is slow misses pictures, never the last one.
    pub fn facts(&self) -> Receiver<Arc<Facts>> {
        self.facts.clone()
    }

    /// What we are connected to, and every context that could be switched to.
    pub fn connection(&self) -> Receiver<Arc<Connection>> {
        self.connection.clone()
    }

    /// Leaves the present cluster and observes the one of `context`: facts are dropped and their epoch counts up.
    /// When there is no way to that one, [`Connection::error`] says why and the present one stays.
    pub fn switch(&self, context: &str) {
        // The other end lives as long as this handle; when the runtime shuts down, nobody is left to switch.
        let _ = self.wishes.send(Wish::Context(context.to_owned()));
    }

    /// Asks the cluster again: every kind is listed anew, those that were absent or forbidden too. What is known stays
    /// until the answers are there. Without a way to the cluster, the kubeconfig is read again.
    pub fn refresh(&self) {
        let _ = self.wishes.send(Wish::Again);
    }

    /// Says what has to be read beyond the core kinds. The newest wish is the one that holds, for the next cluster too;
    /// the same one again costs nothing. What is no longer needed is kept fresh for two minutes more.
    pub fn need(&self, needs: Needs) {
        self.needing()(needs);
    }

    /// [`Cluster::need`] for somebody who does not hold the cluster.
    pub fn needing(&self) -> impl Fn(Needs) + Send + Sync + 'static {
        let wish = self.needs.clone();
        move |needs| {
            wish.send_if_modified(|before| {
                let changed = *before != needs;
                if changed {
                    *before = needs;
                }
                changed
            });
        }
    }

    /// The way to send single requests: cheap to clone, may be moved into a job. It always uses the newest credentials.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// The object as the API serves it now, for `describe` and YAML.
    ///
    /// # Errors
    /// What keeps us from it, in words; 404 of an object says that it is gone.
    pub async fn fetch(&self, kind: Kind, name: &str) -> Result<Value, Trouble> {
        self.requests.fetch(kind, name).await
    }

    /// Something that a plan asks to be read before it is confirmed.
    ///
    /// # Errors
    /// What keeps us from it, in words.
    pub async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        self.requests.read(read).await
    }

    /// The user's name, as the server says it (SelfSubjectReview). Also in `Facts::access` once it is known.
    ///
    /// # Errors
    /// What keeps us from it, in words; servers before Kubernetes 1.28 do not serve it.
    pub async fn identity(&self) -> Result<String, Trouble> {
        self.requests.identity().await
    }
}

/// Supervises for ever. A defect of ours must not leave a picture that nobody keeps fresh and that looks live: it is
/// dropped, told, and everything begins anew.
async fn endure(source: &Source, picture: &Arc<Picture>, requests: &Requests, control: &mut Control) {
    loop {
        let supervised = AssertUnwindSafe(supervise(source, picture, requests, control)).catch_unwind().await;
        let Err(panic) = supervised else { return };
        let words = session::said(panic.as_ref());
        picture.start_over(false);
        control.tell(&format!("this program failed while it watched the cluster, and begins anew: {words}"));
        tokio::time::sleep(session::AFTER_PANIC).await;
    }
}

/// From the kubeconfig to a client, and from one stay to the next.
async fn supervise(source: &Source, picture: &Arc<Picture>, requests: &Requests, control: &mut Control) {
    let mut credentials = open(source, picture, control).await;
    loop {
        let session = Arc::new(Session::new(Arc::clone(picture), requests.clone()));
        let (line, chosen) = match session.stay(&mut credentials, control).await {
            End::AnotherCluster(line) => (line, false),
            End::Switched(line) => (Some(line), true),
        };
        picture.start_over(chosen);
        if let Some(line) = line {
            control.take(line, credentials.connection());
        }
    }
}

/// The first credentials: as long as there are none it says why, and tries again when a file changes, when the person
/// chooses another context, and now and then.
async fn open(source: &Source, picture: &Picture, control: &mut Control) -> Credentials {
    let mut context = match source {
        Source::Kubeconfig(from) => from.0.context.clone(),
        Source::Client(_) => None,
    };
    loop {
        let began = clock::now();
        let before = credentials::stamps(&source.candidates()).await;
        match Credentials::open(source, context.as_deref()).await {
            Ok((credentials, line)) => {
                control.take(line, credentials.connection());
                return credentials;
            }
            Err(connection) => {
                let words = connection.error.clone().unwrap_or_default();
                tracing::warn!(words, "no client");
                let trouble = trouble::trouble(TroubleKind::Credentials, words, "");
                picture.link(Input::Failed { trouble, began });
                control.connection.send_replace(Arc::new(*connection));
                tokio::select! {
                    () = credentials::touched(&before, TRY_AGAIN) => {}
                    Some(wish) = control.wishes.recv() => match wish {
                        Wish::Context(wanted) => context = Some(wanted),
                        Wish::Again => {}
                    },
                }
            }
        }
    }
}

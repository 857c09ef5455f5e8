//! The only room that talks to an API server.
//!
//! Belongs here: the kubeconfig, the client, the link, the watches, single reads, access reviews, and (in
//! [`execute`](self)) the sending of plans. Does not: judgement of what was observed (that is `upgrade`), plans (they
//! are data of `actions`), the screen.
//! May import: `api`, `upgrade` (facts, link, access), `actions` (data), `clock`.
//!
//! [`Cluster::start`] returns at once. A supervisor task reads the kubeconfig, builds the client away from the caller's
//! thread, and keeps one watch per kind; everything it learns is put into one [`Facts`] that is published at most every
//! 16 ms. Nothing outlives the [`Cluster`]: dropping it ends the supervisor, which owns all other tasks.

mod connection;
pub mod execute;
mod options;
mod pods;
mod request;

pub use connection::{Connection, Context};
pub use options::{Options, Token};
pub use pods::{PodOnNode, PodPhase};
pub use request::{ContentType, Method, Reply, Request, Requests};

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use crate::actions::Read;
use crate::clock;
use crate::upgrade::facts::{Facts, Kind};
use crate::upgrade::link::Trouble;

/// A live cluster: what is observed of it, and the way to read and write single objects.
#[derive(Debug)]
pub struct Cluster {
    facts: watch::Receiver<Arc<Facts>>,
    connection: watch::Receiver<Arc<Connection>>,
    requests: Requests,
}

impl Cluster {
    /// Starts to observe the cluster that `options` name. Returns at once and never fails: what goes wrong is told in
    /// [`Connection::error`] and in the link of the facts. Must be called inside a tokio runtime.
    pub fn start(options: Options) -> Self {
        let (_, facts) = watch::channel(Arc::new(Facts::nothing(clock::now())));
        let (_, connection) = watch::channel(Arc::new(Connection::default()));
        let _ = options;
        Self { facts, connection, requests: Requests::default() }
    }

    /// What was observed, newest only: a receiver that is slow misses pictures, never the last one.
    pub fn facts(&self) -> watch::Receiver<Arc<Facts>> {
        self.facts.clone()
    }

    /// What we are connected to, and every context that could be switched to.
    pub fn connection(&self) -> watch::Receiver<Arc<Connection>> {
        self.connection.clone()
    }

    /// Leaves the present cluster and observes the one of `context`: facts are dropped and their epoch counts up.
    /// A context that does not exist is told in [`Connection::error`]; the present one then stays.
    pub fn switch(&self, context: &str) {
        let _ = context;
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
    pub async fn read(&self, read: &Read) -> Result<Vec<PodOnNode>, Trouble> {
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

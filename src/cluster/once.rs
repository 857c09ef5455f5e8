//! One look at a cluster, for commands that answer and end: plain lists, a few at a time, no watch and no discovery.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;

use super::connection::Connection;
use super::credentials::{Credentials, Source};
use super::events;
use super::kubeconfig::Environment;
use super::link::Input;
use super::options::Options;
use super::picture::Picture;
use super::reads::{self, Put};
use super::request::{self, Requests};
use super::trouble::{Failure, trouble};
use crate::clock;
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::link::{LinkState, Trouble, TroubleKind};
use crate::upgrade::needs::{Needs, PodsOf};

/// Lists in flight at once, beyond those of the core kinds.
const AT_ONCE: usize = 8;
const PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The way to a cluster that is looked at once. May be used on a single-threaded runtime.
#[derive(Debug)]
pub struct Once {
    connection: Arc<Connection>,
    requests: Requests,
    /// Nobody looks at it but for the link: whether anybody answered.
    picture: Arc<Picture>,
}

impl Once {
    /// Reads the kubeconfig and makes a client. Nothing is sent yet, but for what an exec plugin sends.
    ///
    /// # Errors
    /// What is wrong with the kubeconfig or the credentials, in words.
    pub async fn open(options: Options) -> Result<Self, Trouble> {
        let limit = options.request_timeout.filter(|limit| !limit.is_zero()).unwrap_or(request::DEFAULT_LIMIT);
        Self::open_from(&Source::Kubeconfig(Box::new((options, Environment::of_process()))), limit).await
    }

    /// The way to a cluster in the same process, behind a client that the caller made.
    ///
    /// # Errors
    /// None that is known.
    pub async fn open_in_process(client: kube::Client) -> Result<Self, Trouble> {
        Self::open_from(&Source::Client(client), request::DEFAULT_LIMIT).await
    }

    async fn open_from(source: &Source, limit: Duration) -> Result<Self, Trouble> {
        match Credentials::open(source, None).await {
            Ok((credentials, line)) => {
                let (_, line) = tokio::sync::watch::channel(Some(Arc::new(line)));
                let picture = Arc::new(Picture::new());
                let requests = Requests::new(line, Arc::clone(&picture), limit);
                Ok(Self { connection: Arc::new(credentials.connection().clone()), requests, picture })
            }
            Err(connection) => {
                let words = connection.error.clone().unwrap_or_default();
                Err(trouble(TroubleKind::Credentials, words, ""))
            }
        }
    }

    /// What we are connected to.
    pub fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }

    /// The way to send further single requests.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// The core kinds, and the events of the update's namespaces. Never fails as a whole: each kind says for itself what
    /// kept it, and the link says whether anybody answered. What the user may do is not asked.
    pub async fn core(&self) -> Facts {
        let began = clock::now();
        let kinds = Kind::CORE.map(|kind| async move { (kind, self.read(Job::Kind(kind)).await) });
        let (kinds, events) = futures::join!(futures::future::join_all(kinds), events::once(&self.requests));
        let mut facts = Facts { events: Arc::new(events), ..Facts::nothing(began) };
        let mut trouble = None;
        for (kind, read) in kinds {
            trouble = trouble.or(read.as_ref().err().map(|failure| failure.trouble.clone()));
            put(&mut facts, kind, read);
        }
        let heard = self.picture.look(|facts| facts.link.state == LinkState::Live);
        if let Some(trouble) = trouble.filter(|_| !heard) {
            self.picture.link(Input::Failed { trouble, began });
        }
        facts.link = self.picture.look(|facts| facts.link.clone());
        facts.ahead_by(self.picture.ahead())
    }

    /// Adds what `needs` name to `facts`, each kind with what kept it. Events need not be asked for: they are there.
    pub async fn around(&self, facts: &mut Facts, needs: &Needs) {
        let kinds = needs.kinds.iter().filter(|kind| !kind.is_core() && **kind != Kind::Pods);
        let mut jobs: Vec<Job> = kinds.map(|kind| Job::Kind(*kind)).collect();
        match &needs.pods {
            PodsOf::All => jobs.push(Job::Kind(Kind::Pods)),
            PodsOf::Nodes(nodes) => jobs.extend(nodes.iter().cloned().map(Job::PodsOn)),
        }
        let mut reads = futures::stream::iter(jobs)
            .map(|job| async move { (job.kind(), self.read(job).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((kind, read)) = reads.next().await {
            put(facts, kind, read);
        }
        drop(reads);
        facts.link = self.picture.told().link;
    }

    /// Once more when the server (or what balances the load before it) just failed: its nodes reboot one after another.
    async fn read(&self, job: Job) -> Result<Put, Failure> {
        match self.attempt(&job).await {
            Err(failure) if passing(failure.kind()) => {
                tokio::time::sleep(failure.retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE)).await;
                self.attempt(&job).await
            }
            read => read,
        }
    }

    async fn attempt(&self, job: &Job) -> Result<Put, Failure> {
        match job {
            Job::Kind(kind) => reads::kind(&self.requests, *kind).await,
            Job::PodsOn(node) => reads::pods_on(&self.requests, node).await,
        }
    }
}

/// Something to read.
enum Job {
    Kind(Kind),
    PodsOn(String),
}

impl Job {
    fn kind(&self) -> Kind {
        match self {
            Self::Kind(kind) => *kind,
            Self::PodsOn(_) => Kind::Pods,
        }
    }
}

fn passing(kind: TroubleKind) -> bool {
    matches!(kind, TroubleKind::Server | TroubleKind::Broken | TroubleKind::TooManyRequests)
}

/// Of several reads of one kind (pods of several nodes) the failure of one counts for all.
fn put(facts: &mut Facts, kind: Kind, read: Result<Put, Failure>) {
    let mut state = facts.kinds.remove(&kind).unwrap_or_default();
    let failed = Some(state.status.clone()).filter(|s| matches!(s, KindStatus::Failing(_) | KindStatus::Forbidden(_)));
    reads::settle(facts, &mut state, read);
    if let Some(failed) = failed {
        state.status = failed;
    }
    facts.kinds.insert(kind, state);
}

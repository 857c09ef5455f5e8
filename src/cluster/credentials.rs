//! The credentials in use, and when they have to be read again: after a 401, when a file they came from changes, before
//! they expire.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::client::{self, Line};
use super::connection::Connection;
use super::kubeconfig::{self, Chosen, Environment};
use super::options::Options;
use crate::clock;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Credentials that go on being refused are not asked for more often than this (a plugin may cost a second of work).
const AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// Renewed this long before they expire.
const BEFORE_EXPIRY: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// What a file looked like: changes with every write.
type Stamp = Option<(SystemTime, u64)>;
/// What files looked like.
pub(super) type Stamps = Vec<(PathBuf, Stamp)>;

/// Where credentials come from.
#[derive(Clone)]
pub(super) enum Source {
    /// Kubeconfig files, or the pod's service account.
    Kubeconfig(Box<(Options, Environment)>),
    /// A client that somebody else made: a cluster in the same process.
    Client(kube::Client),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kubeconfig(from) => formatter.debug_tuple("Kubeconfig").field(&from.0).finish(),
            Self::Client(_) => formatter.write_str("Client"),
        }
    }
}

impl Source {
    /// The files that may hold the kubeconfig, whether they exist or not.
    pub fn candidates(&self) -> Vec<PathBuf> {
        match self {
            Self::Kubeconfig(from) => kubeconfig::candidates(&from.0, &from.1),
            Self::Client(_) => Vec::new(),
        }
    }
}

/// The credentials of one context.
#[derive(Debug)]
pub(super) struct Credentials {
    source: Source,
    chosen: Chosen,
    expires: Option<chrono::DateTime<chrono::Utc>>,
    stamps: Stamps,
    /// The next reading makes a client even when nothing seems to have changed.
    refused: bool,
    renewed: Option<tokio::time::Instant>,
}

impl Credentials {
    /// Reads the kubeconfig and makes a client for `context` (none: that of the options, else the current one). On failure: what is known, with
    /// the error in words.
    pub async fn open(source: &Source, context: Option<&str>) -> Result<(Self, Line), Box<Connection>> {
        let before = stamps(&source.candidates()).await;
        let (chosen, line) = match source {
            Source::Kubeconfig(from) => {
                let chosen = read(&from.0, &from.1, context).await?;
                let line = client::build(&chosen).await;
                (chosen, line)
            }
            Source::Client(client) => {
                let server = "in-process".to_owned();
                let names = Connection { context: server.clone(), cluster: server.clone(), ..Connection::default() };
                let chosen = Chosen { connection: names, ..Chosen::default() };
                (chosen, Ok(Line { client: client.clone(), server, expires: None, beside: None }))
            }
        };
        match line {
            Ok(line) => {
                let credentials = Self {
                    source: source.clone(),
                    stamps: stamps_since(before, &chosen.watched).await,
                    expires: line.expires,
                    chosen,
                    refused: false,
                    renewed: None,
                };
                Ok((credentials, line))
            }
            Err(words) => Err(Box::new(Connection { error: Some(words), ..chosen.connection })),
        }
    }

    /// What is connected to.
    pub fn connection(&self) -> &Connection {
        &self.chosen.connection
    }

    /// The same options with another context. The flags that name a cluster, a user or credentials belonged to the first
    /// one: they are left out.
    pub async fn switched(&self, context: &str) -> Result<(Self, Line), String> {
        let Source::Kubeconfig(from) = &self.source else {
            return Err("there is no other context".to_owned());
        };
        let (options, environment) = from.as_ref();
        let options = Options {
            kubeconfig: options.kubeconfig.clone(),
            request_timeout: options.request_timeout,
            impersonate: options.impersonate.clone(),
            impersonate_groups: options.impersonate_groups.clone(),
            ..Options::default()
        };
        let opened = Self::open(&Source::Kubeconfig(Box::new((options, environment.clone()))), Some(context)).await;
        opened.map_err(|connection| connection.error.unwrap_or_default())
    }

    /// Waits until they have to be read again.
    pub async fn changed(&mut self, unauthorized: &Notify) {
        loop {
            let refused = tokio::select! {
                () = unauthorized.notified() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            if refused {
                self.refused = true;
            }
            let now = stamps(&self.chosen.watched).await;
            if now != self.stamps {
                self.stamps = now;
                return;
            }
            if self.expires.is_some_and(|expires| clock::now() + BEFORE_EXPIRY >= expires) {
                self.refused = true;
            }
            let now = clock::runtime_instant();
            if self.refused && self.renewed.is_none_or(|last| now.duration_since(last) >= AFTER_REFUSAL) {
                return;
            }
        }
    }

    /// Reads them again. None when nothing changed that a client depends on.
    pub async fn renew(&mut self) -> Result<Option<Line>, String> {
        self.renewed = Some(clock::runtime_instant());
        let before = self.stamps.clone();
        let Source::Kubeconfig(from) = &self.source else {
            self.refused = false;
            return Ok(None);
        };
        // The context stays the one in use, whatever the file says is current now.
        let context = Some(self.chosen.connection.context.clone()).filter(|name| !name.is_empty());
        let chosen = read(&from.0, &from.1, context.as_deref())
            .await
            .map_err(|connection| connection.error.unwrap_or_default())?;
        if chosen.fingerprint == self.chosen.fingerprint && !(self.refused && chosen.user.exec.is_some()) {
            self.refused = false;
            return Ok(None);
        }
        let line = client::build(&chosen).await?;
        self.refused = false;
        self.expires = line.expires;
        self.stamps = stamps_since(before, &chosen.watched).await;
        self.chosen = chosen;
        Ok(Some(line))
    }
}

/// Waits until one of the files looks other than `before`, at most as long as `limit`.
pub(super) async fn touched(before: &Stamps, limit: Duration) {
    let files: Vec<PathBuf> = before.iter().map(|(file, _)| file.clone()).collect();
    let touched = async {
        while stamps(&files).await == *before {
            tokio::time::sleep(LOOK).await;
        }
    };
    // The limit is no failure: it is when to try again anyway.
    let _ = tokio::time::timeout(limit, touched).await;
}

/// Reads files, away from this thread.
async fn read(options: &Options, environment: &Environment, context: Option<&str>) -> Result<Chosen, Box<Connection>> {
    let (options, environment, context) = (options.clone(), environment.clone(), context.map(ToOwned::to_owned));
    let reading = tokio::task::spawn_blocking(move || kubeconfig::read(&options, &environment, context.as_deref()));
    reading.await.unwrap_or_else(|_| {
        let error = Some("the kubeconfig could not be read".to_owned());
        Err(Box::new(Connection { error, ..Connection::default() }))
    })
}

/// What files looked like before they were read, so that no change between reading and looking is missed; files that
/// were not known before are looked at now.
async fn stamps_since(before: Stamps, files: &[PathBuf]) -> Stamps {
    let mut all = stamps(files).await;
    for (file, stamp) in &mut all {
        if let Some((_, earlier)) = before.iter().find(|(other, _)| other == file) {
            *stamp = *earlier;
        }
    }
    all
}

/// What files look like now.
pub(super) async fn stamps(files: &[PathBuf]) -> Stamps {
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let stamp = tokio::fs::metadata(file).await.ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        all.push((file.clone(), stamp));
    }
    all
}

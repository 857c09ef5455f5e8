//! Files that a plan asks for, beside what it asks of the cluster.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::actions::{Found, Read};
use crate::cluster::execute::Transport;
use crate::cluster::{Reply, Request, Requests};
use crate::snapshot;
use crate::upgrade::link::{Trouble, TroubleKind};

/// A way to the cluster that also reads the files of this machine.
#[derive(Debug, Clone)]
pub struct WithFiles(pub Requests);

impl Transport for WithFiles {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        self.0.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    fn elsewhere(&self) -> Option<String> {
        self.0.elsewhere()
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        let Read::File(path) = read else { return self.0.read(read).await };
        let path = PathBuf::from(path);
        let read = tokio::task::spawn_blocking(move || snapshot::manifest(&path)).await;
        let read = read.unwrap_or_else(|_| Err("reading the file failed".to_owned()));
        read.map(Found::File).map_err(|words| Trouble {
            kind: TroubleKind::Undecodable,
            words,
            hint: String::new(),
            since: self.0.now(),
        })
    }
}

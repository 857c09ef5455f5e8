//! The task that owns the audit log.
//!
//! Belongs here: the file (JSON lines, mode 0600, appended, synced before a write is sent), redaction, the bounded
//! channel in front of it, the flush at the end.
//! Does not: the decision what is written (that is `actions::audit`), recordings of clusters' objects.
//! May import: `actions` data, `upgrade`, `clock`.

mod log;
mod redact;

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::actions::audit::{Answer, Attempt, Audit, AuditId, Proof};

/// How many messages may wait for the disk; whoever sends more waits.
const WAITING: usize = 64;

/// The file of the audit log unless configured otherwise: `$XDG_STATE_HOME/oc-cockpit/audit.jsonl`, where there is no
/// state directory the local data directory. None without a home.
pub fn default_path() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "oc-cockpit")?;
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("audit.jsonl"))
}

/// A handle on the audit log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    sender: mpsc::Sender<log::Message>,
}

/// The task; awaited once at the end.
#[derive(Debug)]
pub struct Task(JoinHandle<()>);

impl Recorder {
    /// Starts the task on the current runtime. The file is opened at the first attempt (or by [`Recorder::ready`]):
    /// a session that only looks leaves nothing behind.
    pub fn start(path: Option<PathBuf>) -> (Self, Task) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, Task(tokio::spawn(log::run(path, receiver))))
    }

    /// Can attempts be recorded? Otherwise why not, in words: then every write will be refused.
    pub async fn ready(&self) -> Result<(), String> {
        self.ask(log::Message::Ready).await?
    }

    /// Sends a message that carries its reply channel.
    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> log::Message) -> Result<T, String> {
        let (reply, answer) = oneshot::channel();
        let ended = |()| "the audit log was closed".to_owned();
        self.sender.send(message(reply)).await.map_err(|_| ended(()))?;
        answer.await.map_err(|_| ended(()))
    }
}

impl Task {
    /// Ends open entries as abandoned, flushes, and returns when all is on disk. Later attempts are refused.
    pub async fn close(self, recorder: &Recorder) {
        // An error means that the task has ended already, and then nothing waits to be written.
        drop(recorder.ask(log::Message::Close).await);
        drop(self.0.await);
    }
}

impl Audit for Recorder {
    async fn attempt(&self, attempt: Attempt) -> Result<AuditId, String> {
        self.ask(|reply| log::Message::Attempt(Box::new(attempt), reply)).await?
    }

    async fn answered(&self, id: &AuditId, answer: Answer) {
        drop(self.ask(|reply| log::Message::Answered(id.clone(), answer, reply)).await);
    }

    async fn proved(&self, ids: &[AuditId], proof: Proof) {
        drop(self.ask(|reply| log::Message::Proved(ids.to_vec(), proof, reply)).await);
    }
}

//! The file and the entries that are open.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::redact::redact;
use crate::actions::audit::{Answer, Attempt, AuditId, Proof};
use crate::clock;

/// What the task is asked to do; each message is replied to when the disk has it.
#[derive(Debug)]
pub(super) enum Message {
    /// Open the file.
    Ready(oneshot::Sender<Result<(), String>>),
    /// Enter an attempt.
    Attempt(Box<Attempt>, oneshot::Sender<Result<AuditId, String>>),
    /// Note an answer.
    Answered(AuditId, Answer, oneshot::Sender<()>),
    /// End entries.
    Proved(Vec<AuditId>, Proof, oneshot::Sender<()>),
    /// End all entries, and the task.
    Close(oneshot::Sender<()>),
}

/// The first line of a write.
#[derive(Serialize)]
struct AttemptLine<'a> {
    line: &'static str,
    id: &'a AuditId,
    time: String,
    #[serde(flatten)]
    attempt: &'a Attempt,
}

/// The second line of a write.
#[derive(Serialize)]
struct OutcomeLine<'a> {
    line: &'static str,
    id: &'a AuditId,
    time: String,
    #[serde(flatten)]
    answer: &'a Answer,
    #[serde(flatten)]
    proof: &'a Proof,
}

/// The state of the task.
struct Log {
    path: Option<PathBuf>,
    /// Open once the first attempt needed it.
    file: Option<File>,
    /// Answered, but not proved yet.
    open: BTreeMap<AuditId, Answer>,
    /// Entered, but not answered yet.
    unanswered: Vec<AuditId>,
    /// Counts the attempts of this process.
    count: u64,
}

/// Serves `messages` until it is told to close, or the last handle is gone.
pub(super) async fn run(path: Option<PathBuf>, mut messages: mpsc::Receiver<Message>) {
    let mut log = Log { path, file: None, open: BTreeMap::new(), unanswered: Vec::new(), count: 0 };
    while let Some(message) = messages.recv().await {
        match message {
            Message::Ready(reply) => {
                let _ = reply.send(log.ensure_open().await);
            }
            Message::Attempt(attempt, reply) => {
                let _ = reply.send(log.attempt(&attempt).await);
            }
            Message::Answered(id, answer, reply) => {
                log.answered(id, answer).await;
                let _ = reply.send(());
            }
            Message::Proved(ids, proof, reply) => {
                for id in ids {
                    log.proved(&id, proof).await;
                }
                let _ = reply.send(());
            }
            Message::Close(reply) => {
                log.abandon().await;
                let _ = reply.send(());
                return;
            }
        }
    }
    log.abandon().await;
}

impl Log {
    async fn ensure_open(&mut self) -> Result<(), String> {
        // A file that was moved away (by log rotation) is opened anew, so that no line goes into a deleted file.
        let path = self.path.clone().ok_or("there is no directory for the audit log: set XDG_STATE_HOME")?;
        if self.file.as_ref().is_some_and(|file| same_file(file, &path)) {
            return Ok(());
        }
        self.file = None;
        let file = blocking(move || open(&path)).await?;
        self.file = Some(file);
        Ok(())
    }

    async fn attempt(&mut self, attempt: &Attempt) -> Result<AuditId, String> {
        let now = clock::now();
        self.count += 1;
        let id = AuditId(format!("{}-{}-{}", now.format("%Y%m%dT%H%M%S%.3fZ"), std::process::id(), self.count));
        let line = AttemptLine { line: "attempt", id: &id, time: stamp(now), attempt };
        self.append(&line).await?;
        self.unanswered.push(id.clone());
        Ok(id)
    }

    async fn answered(&mut self, id: AuditId, answer: Answer) {
        self.unanswered.retain(|open| *open != id);
        if matches!(answer, Answer::Refused { .. }) {
            self.end(&id, &answer, Proof::None).await;
        } else {
            self.open.insert(id, answer);
        }
    }

    async fn proved(&mut self, id: &AuditId, proof: Proof) {
        if let Some(answer) = self.open.remove(id) {
            self.end(id, &answer, proof).await;
        }
    }

    /// Ends whatever is still open, because the program ends.
    async fn abandon(&mut self) {
        for (id, answer) in std::mem::take(&mut self.open) {
            self.end(&id, &answer, Proof::Abandoned).await;
        }
        for id in std::mem::take(&mut self.unanswered) {
            let answer = Answer::Unknown { words: "the program ended before the server answered".to_owned() };
            self.end(&id, &answer, Proof::Abandoned).await;
        }
    }

    async fn end(&mut self, id: &AuditId, answer: &Answer, proof: Proof) {
        let line = OutcomeLine { line: "outcome", id, time: stamp(clock::now()), answer, proof: &proof };
        if let Err(words) = self.append(&line).await {
            // The write has happened and cannot be taken back; the attempt is on disk and the log says the rest.
            tracing::error!(id = %id.0, "the outcome of a write could not be recorded: {words}");
        }
    }

    /// Appends a line and syncs it.
    async fn append(&mut self, line: &impl Serialize) -> Result<(), String> {
        self.ensure_open().await?;
        let words = |error: String| format!("the audit log cannot be written: {error}");
        let value = serde_json::to_value(line).map_err(|error| words(error.to_string()))?;
        let mut text = redact(value).to_string();
        text.push('\n');
        let file = self.file.take().ok_or_else(|| words("it is not open".to_owned()))?;
        let (file, result) = blocking(move || {
            let result = (&file).write_all(text.as_bytes()).and_then(|()| file.sync_data());
            Ok((file, result))
        })
        .await?;
        result.map_err(|error| words(error.to_string()))?;
        self.file = Some(file);
        Ok(())
    }
}

/// Runs file work off the runtime's own thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("the audit log cannot be written: {error}"))?
}

/// RFC 3339 with milliseconds, UTC.
fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Opens for appending; the file and the directory that are made here belong to the user alone.
fn open(path: &Path) -> Result<File, String> {
    let words = |error: std::io::Error| format!("the audit log {} cannot be written: {error}", path.display());
    if let Some(directory) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(words)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(words)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = file.metadata().map_err(words)?;
        // A log that somebody made readable (or that an older umask did) is closed again; a device is left alone.
        if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(words)?;
        }
    }
    end_torn_line(&file).map_err(words)?;
    // The name of a new file is durable only with its directory; where that cannot be synced, the data still is.
    if let Some(Ok(directory)) = path.parent().map(File::open) {
        let _ = directory.sync_all();
    }
    Ok(file)
}

/// A line that was cut off (disk full, power loss) must not swallow the next one.
fn end_torn_line(mut file: &File) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// Is `file` still what `path` names?
#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

/// Is `file` still what `path` names?
#[cfg(not(unix))]
fn same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}

//! What a pane may see while it draws.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::theme::Theme;
use crate::actions::Session;
use crate::actions::drain::Progress;
use crate::input::{Command, Keymap};
use crate::upgrade::assessment::Assessment;

/// Everything that drawing and answering may look at. Nothing in it can be changed from here.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// The newest assessment.
    pub assessment: &'a Assessment,
    /// Read-only or not, context name.
    pub session: &'a Session,
    /// Keys.
    pub keymap: &'a Keymap,
    /// Styles and symbols.
    pub theme: &'a Theme,
    /// Wall time: ages are shown against it.
    pub now: DateTime<Utc>,
    /// Where we are connected to and as whom.
    pub connection: &'a Connection,
    /// The message of the moment.
    pub flash: Option<&'a Flash>,
    /// Actions of this session, oldest first; finished ones stay for the command log.
    pub jobs: &'a [Job],
    /// What was asked of the cluster, oldest first.
    pub log: &'a VecDeque<LogLine>,
    /// The simulated cluster, where this is one that can be driven.
    pub sim: Option<&'a SimInfo>,
    /// Contexts of the kubeconfig.
    pub contexts: &'a [ContextLine],
    /// Where the audit log is written; none: it is not.
    pub audit: Option<&'a Path>,
}

impl Ctx<'_> {
    /// The key of a command, for texts; empty when it has none.
    pub fn key_of(&self, command: Command) -> String {
        let keys = self.keymap.keys(command, false);
        keys.first().map(ToString::to_string).unwrap_or_default()
    }
}

/// Where we are connected to and as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// Context name.
    pub context: String,
    /// Cluster name of the kubeconfig.
    pub cluster: String,
    /// URL of the server.
    pub server: String,
    /// User name: by SelfSubjectReview where known, else of the kubeconfig.
    pub user: String,
    /// Where the configuration came from: a path, `in-cluster`, `demo`.
    pub source: String,
    /// Production: its name gets its own colour.
    pub production: bool,
}

/// How loud a flash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlashLevel {
    /// Something was done.
    Info,
    /// Something was not done, or needs attention.
    Warning,
    /// Something failed.
    Error,
}

/// A message of the moment, above the footer. The app decides when it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// How loud.
    pub level: FlashLevel,
    /// One line.
    pub text: String,
}

/// How far an action of this session came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Requests are being sent, or their effect is awaited in the watch.
    Running,
    /// The watch showed the effect.
    Done,
    /// The server took it, and the watch has not shown the effect within the limit.
    Unproven,
    /// The server refused, or something was in the way.
    Failed,
    /// Stopped by the person.
    Cancelled,
}

/// An action of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Counts up.
    pub id: u64,
    /// Title of its plan: `Pause pool worker`.
    pub title: String,
    /// How far.
    pub state: JobState,
    /// How far in words: `sent, waiting for the watch`, `seen in the watch after 0.3 s`.
    pub words: String,
    /// When it was confirmed.
    pub since: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// How far its drain is, where it is one.
    pub drain: Option<Arc<Progress>>,
}

/// A line of the command log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: DateTime<Utc>,
    /// A write (as opposed to a read).
    pub write: bool,
    /// The `oc` line that does the same.
    pub oc: String,
    /// How it ended: `200`, `409 conflict`, empty while under way.
    pub outcome: String,
}

/// A context of the kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextLine {
    /// Name.
    pub name: String,
    /// Cluster.
    pub cluster: String,
    /// User.
    pub user: String,
    /// In use.
    pub current: bool,
}

/// The simulated cluster and its controls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SimInfo {
    /// The kubeconfig to attach kubectl with.
    pub kubeconfig: String,
    /// URL of the server.
    pub url: String,
    /// Scenario name.
    pub scenario: String,
    /// Seed.
    pub seed: u64,
    /// How many simulated seconds pass in a second.
    pub speed: f64,
    /// Faults in force, in words.
    pub faults: Vec<String>,
}

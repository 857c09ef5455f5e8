//! What the app hears.

use std::path::PathBuf;
use std::sync::Arc;

use crate::actions::Refusal;
use crate::actions::drain::Progress;
use crate::actions::outcome::{Outcome, Rehearsal};
use crate::input::Key;
use crate::input::pointer::Pointer;
use crate::ui::request::Fetched;
use crate::ui::{Flash, LogNews, SimInfo};
use crate::upgrade::assessment::{Assessment, Subject};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Pointer(Pointer),
    /// A text was pasted into the terminal.
    Paste(String),
    /// The terminal has another size.
    Resize,
    /// A second has passed.
    Tick,
    /// The facts mean something new.
    Assessed(Arc<Assessment>),
    /// What we are connected to changed.
    Connected(Connected),
    /// The answer to [`super::Effect::Fetch`].
    Fetched {
        /// What was asked for.
        subject: Subject,
        /// The object, or why not.
        fetched: Fetched,
    },
    /// News of the log that [`super::Effect::Follow`] asked for.
    Logged {
        /// The ticket of the question.
        ticket: u64,
        /// The news, oldest first.
        news: Vec<LogNews>,
    },
    /// The answer to [`super::Effect::Rehearse`].
    Rehearsed {
        /// The ticket of the question.
        ticket: u64,
        /// The rehearsal, or why the plan cannot be made any more.
        rehearsed: Box<Result<Rehearsal, Refusal>>,
    },
    /// The answer to [`super::Effect::Execute`].
    JobDone {
        /// The job.
        id: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// A drain of [`super::Effect::Execute`] has come further.
    Draining {
        /// The job.
        id: u64,
        /// How far it is.
        progress: Arc<Progress>,
    },
    /// The objects of a job's effect that no watch shows were read again, after [`Self::JobDone`].
    Reread {
        /// The job.
        id: u64,
        /// Do they show the effect?
        seen: bool,
    },
    /// The simulated cluster's controls as they are now.
    Sim(SimInfo),
    /// Something to say: a file was written, a hook failed, a worker panicked.
    Say(Flash),
}

/// What we are connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connected {
    /// Context in use; empty while unknown.
    pub context: String,
    /// Its cluster entry.
    pub cluster: String,
    /// URL of the server.
    pub server: String,
    /// Its user entry.
    pub user: String,
    /// Contexts that can be switched to.
    pub contexts: Vec<Switchable>,
    /// Kubeconfig files that were read.
    pub files: Vec<PathBuf>,
    /// Why there is no connection to speak of.
    pub error: Option<String>,
}

/// A context that can be switched to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switchable {
    /// Name.
    pub name: String,
    /// Cluster entry.
    pub cluster: String,
    /// User entry.
    pub user: String,
}

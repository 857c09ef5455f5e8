//! What has to be done because of a message.

use super::announce::Story;
use crate::actions::Plan;
use crate::actions::audit::{AuditId, Proof};
use crate::actions::outcome::Order;
use crate::ui::{LogAsk, SimRequest};
use crate::upgrade::assessment::Subject;
use crate::upgrade::needs::Wanted;
use crate::upgrade::timeline::Entry;

/// Something to do. Answers come back as messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Check a plan on live objects without changing anything; answered by `Msg::Rehearsed`.
    Rehearse {
        /// Comes back with the answer: an answer to an older question is ignored.
        ticket: u64,
        /// The plan.
        plan: Box<Plan>,
    },
    /// Carry a confirmed order out; answered by `Msg::JobDone`.
    Execute {
        /// The job.
        id: u64,
        /// The order.
        order: Box<Order>,
    },
    /// Stop a job. What it has sent stays sent.
    CancelJob(u64),
    /// Write into the audit log what the watch showed.
    Prove {
        /// The entries.
        ids: Vec<AuditId>,
        /// What was seen.
        proof: Proof,
    },
    /// Enter what this program did into the timeline.
    Note(Entry),
    /// Read an object; answered by `Msg::Fetched`.
    Fetch(Subject),
    /// Read what somebody looks at and is about to do, and no longer what they looked at before.
    Want(Wanted),
    /// Read this log and no other, as long as it is not told otherwise; answered by `Msg::Logged`.
    Follow {
        /// Comes back with the answers.
        ticket: u64,
        /// Which.
        ask: Box<LogAsk>,
    },
    /// Read no log any more.
    Unfollow,
    /// Observe the cluster of another context.
    SwitchContext(String),
    /// Ask the cluster again now.
    Refresh,
    /// Put a text on the clipboard.
    Copy(String),
    /// Save a text to a file.
    Save {
        /// Beginning of the file's name.
        name: String,
        /// Its extension.
        extension: &'static str,
        /// Content.
        text: String,
    },
    /// Drive the simulated cluster.
    Sim(SimRequest),
    /// Ring the bell.
    Bell,
    /// Show a desktop notification through the terminal.
    Notify(String),
    /// Run the hook command.
    Hook {
        /// For the shell.
        command: String,
        /// What it is told.
        story: Story,
    },
    /// Hand the terminal back to the shell for a while.
    Suspend,
    /// Leave.
    Quit,
}

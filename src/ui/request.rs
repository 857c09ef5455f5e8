//! What the screen asks of the app.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::actions::{Ask, Plan, Read};
use crate::upgrade::assessment::Subject;
use crate::upgrade::log_source::Explaining;

/// A wish of the person that the screen cannot fulfil by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Make the plan of an action; answered by `View::show_plan` or `View::show_refusal`.
    Plan(Ask),
    /// The person confirmed this plan: carry it out.
    Confirm {
        /// The plan as it was shown.
        plan: Box<Plan>,
        /// Answers to its questions: name and text.
        answers: Vec<(String, String)>,
    },
    /// Leave the program.
    Quit,
    /// Hand the terminal back to the shell.
    Suspend,
    /// Put a text on the clipboard.
    Copy(String),
    /// Save a text to a file whose name starts with `name`.
    Save {
        /// Kebab-case.
        name: String,
        /// Extension: `txt`, `tsv`, `yaml`.
        extension: &'static str,
        /// Content.
        text: String,
    },
    /// Read an object; answered by `View::show_object`.
    Fetch(Subject),
    /// Use another context of the kubeconfig.
    SwitchContext(String),
    /// Drive the simulated cluster.
    Sim(SimRequest),
    /// Stop an action of this session.
    CancelJob(u64),
    /// Ask the cluster again now.
    Refresh,
    /// Use another theme: one of `Theme::names`.
    SetTheme(String),
    /// Say something in the flash line: a mistake in a command, a key that does nothing here.
    Say(String),
}

/// What can be asked of the simulated cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum SimRequest {
    /// So many simulated seconds a second.
    Speed(f64),
    /// Throw a fault.
    Fault(SimFault),
    /// End all faults.
    ClearFaults,
    /// Let time pass at once.
    Pass {
        /// So many minutes.
        minutes: u64,
    },
}

impl SimRequest {
    /// What was asked for, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Speed(speed) => format!("{speed} simulated seconds in a second"),
            Self::ClearFaults => "all faults end".into(),
            Self::Pass { minutes } => format!("{minutes} min pass at once"),
            Self::Fault(fault) => fault.words(),
        }
    }
}

impl SimFault {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::CutWatches { every: None } => "all watches are cut once".into(),
            Self::CutWatches { every: Some(seconds) } => format!("all watches are cut every {seconds} s"),
            Self::Gone => "the watches are answered with 410 Gone".into(),
            Self::TooManyRequests { seconds } => format!("429 Too Many Requests for {seconds} s"),
            Self::ServerErrors { seconds } => format!("500 for {seconds} s"),
            Self::Latency { millis: 0 } => "no more latency".into(),
            Self::Latency { millis } => format!("{millis} ms more latency"),
            Self::Outage { seconds } => format!("nobody listens for {seconds} s"),
            Self::ExpireTokens => "the tokens expire (401)".into(),
        }
    }
}

/// Faults of the simulated API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimFault {
    /// Cut all watches, once or every so many seconds.
    CutWatches {
        /// Seconds; none: once.
        every: Option<u64>,
    },
    /// Answer watches with 410 Gone, once each.
    Gone,
    /// Answer 429 with Retry-After for some seconds.
    TooManyRequests {
        /// Seconds.
        seconds: u64,
    },
    /// Answer 500 for some seconds.
    ServerErrors {
        /// Seconds.
        seconds: u64,
    },
    /// Add latency to every answer; 0 takes it away.
    Latency {
        /// Milliseconds.
        millis: u64,
    },
    /// Nobody listens for some seconds.
    Outage {
        /// Seconds.
        seconds: u64,
    },
    /// Do not accept the present tokens any more (401).
    ExpireTokens,
}

/// News about a plan that is on the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Rehearsed {
    /// The server's answer to the dry run of one write.
    DryRun {
        /// Index into `Plan::writes`.
        write: usize,
        /// Accepted, or the refusal in words.
        result: Result<String, String>,
    },
    /// The answer to one of the plan's reads: further consequences, a line each.
    Read {
        /// Which read.
        read: Read,
        /// Lines, or why it could not be read.
        result: Result<Vec<String>, String>,
    },
    /// What the plan asked for was read: this is the whole plan.
    Whole {
        /// The plan.
        plan: Box<Plan>,
    },
    /// The plan was made again on newer objects and differs: it is shown anew, and the reason is told.
    Changed {
        /// The new plan.
        plan: Box<Plan>,
        /// What happened: `node/worker-1 changed while the plan was on the screen`.
        why: String,
    },
}

/// An object as the server has it, or why it could not be read.
pub type Fetched = Result<Value, String>;

/// The log that is on the screen: the app has it read for as long as the screen names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAsk {
    /// Which pods.
    pub of: Explaining,
    /// Which of them, and which container; none: the first that runs.
    pub stream: Option<LogStream>,
    /// The log of the container's previous run.
    pub previous: bool,
}

/// A container whose log can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogStream {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// The container; empty: the only one.
    pub container: String,
    /// The node that it runs on; empty while unscheduled.
    pub node: String,
    /// `status.phase` of the pod.
    pub phase: String,
    /// How often its containers were started again.
    pub restarts: i64,
}

impl LogStream {
    /// Is it the same container of the same pod?
    pub fn same(&self, other: &Self) -> bool {
        (&self.namespace, &self.pod, &self.container) == (&other.namespace, &other.pod, &other.container)
    }

    /// `openshift-dns/dns-default-x (dns) on worker-3`.
    pub fn words(&self) -> String {
        let container = if self.container.is_empty() { String::new() } else { format!(" ({})", self.container) };
        let node = if self.node.is_empty() { String::new() } else { format!(" on {}", self.node) };
        format!("{}/{}{container}{node}", self.namespace, self.pod)
    }
}

/// News of the log that is on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNews {
    /// These can be read, and this one is.
    Reading {
        /// All of them.
        streams: Vec<LogStream>,
        /// Index of the one that is read.
        chosen: usize,
    },
    /// A line.
    Line {
        /// When the container said it.
        at: Option<DateTime<Utc>>,
        /// The line.
        text: String,
    },
    /// Something about the log: it ended, it cannot be read, it is read anew.
    Told(String),
}

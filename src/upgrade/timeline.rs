//! What happened, dated.

use chrono::{DateTime, Utc};

use super::assessment::{Level, Subject};

/// How an entry is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This program saw the change in a watch.
    Seen,
    /// Rebuilt at start from what the API remembers (history, condition times, events); marked on the screen.
    Rebuilt,
    /// An action of this program.
    Action,
}

/// One dated difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// How bad.
    pub level: Level,
    /// What it is about.
    pub subject: Subject,
    /// One line.
    pub text: String,
    /// How it is known.
    pub origin: Origin,
}

/// Entries, oldest first; bounded: the oldest go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many old entries were dropped.
    pub dropped: usize,
}

/// How many entries are kept.
pub const KEPT: usize = 5_000;

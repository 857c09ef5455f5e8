//! Is the cluster ready for an update? The list that the guides and those who do it daily go through.

use super::assessment::{Assessment, Evidence, Remedy, Resource};

/// The answer of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Ready.
    Pass,
    /// Could not tell.
    Unknown,
    /// Possible, with care.
    Warn,
    /// Not before this is put right.
    Block,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Stable id, kebab-case: `operators-healthy`, `drain-forecast`.
    pub id: &'static str,
    /// What is asked, as a person would: `Operators available and not degraded`.
    pub title: &'static str,
    /// The answer.
    pub answer: Answer,
    /// Why, in one or several lines.
    pub why: String,
    /// What it is about.
    pub resources: Vec<Resource>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub remedies: Vec<Remedy>,
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// The version it was made for; none: no particular one.
    pub target: Option<String>,
    /// Rows, in the order in which a person would go through them.
    pub rows: Vec<Row>,
}

impl Preflight {
    /// The worst answer; none when there are no rows.
    pub fn worst(&self) -> Option<Answer> {
        self.rows.iter().map(|row| row.answer).max()
    }
}

/// The list for an update to `target`; none: to the newest that is recommended, or to any.
pub fn preflight(assessment: &Assessment, target: Option<&str>) -> Preflight {
    let _ = assessment;
    Preflight { target: target.map(str::to_owned), rows: Vec::new() }
}

//! Conditions, as all kinds here have them.

use chrono::{DateTime, Utc};

use super::lens::{Read, part};

/// The status of a condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Tri {
    /// `True`.
    True,
    /// `False`.
    False,
    /// `Unknown`, or a word that is none of the three.
    #[default]
    Unknown,
}

impl Tri {
    /// As the API writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl Read for Tri {
    fn of_str(value: &str) -> Option<Self> {
        Some(match value {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        })
    }
}

part! {
    /// A condition of an object.
    pub struct Condition {
        /// Its type.
        "type" => pub kind: String,
        /// Its status.
        "status" => pub status: Tri,
        /// A word for machines.
        "reason" => pub reason: String,
        /// A sentence for people.
        "message" => pub message: String,
        /// When the status last changed (on a MachineConfigNode: when anything of it was last written).
        "lastTransitionTime" => pub since: Option<DateTime<Utc>>,
    }
}

/// Looking conditions up.
pub trait Conditions {
    /// The condition of a type, if the object has it.
    fn condition(&self, kind: &str) -> Option<&Condition>;

    /// Is it there and True?
    fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status == Tri::True)
    }

    /// Is it there and False?
    fn is_false(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status == Tri::False)
    }
}

impl Conditions for [Condition] {
    fn condition(&self, kind: &str) -> Option<&Condition> {
        self.iter().find(|condition| condition.kind == kind)
    }
}

//! `oc-cockpit updates`: where the cluster could go, for people and for programs.

use serde::Serialize;

use crate::upgrade::updates::Updates;

/// What of the answer is wanted, and how wide it may be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One version in detail.
    pub version: Option<String>,
    /// All versions, not only the newest two of each minor.
    pub all: bool,
    /// Names of issues that the person knows and accepts.
    pub accept: Vec<String>,
    /// Columns of the text; none: lines are not broken.
    pub width: Option<usize>,
}

/// For people.
pub fn text(updates: &Updates, options: &Options) -> String {
    let _ = (updates, options);
    String::new()
}

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, Serialize)]
pub struct Document {}

/// For programs.
pub fn json(updates: &Updates, options: &Options) -> Document {
    let _ = (updates, options);
    Document {}
}

/// How the command exits.
pub fn exit_code(updates: &Updates, options: &Options) -> u8 {
    let _ = (updates, options);
    0
}

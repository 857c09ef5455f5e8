//! `oc-cockpit preflight`: is the cluster ready, for people and for programs.

use serde::Serialize;

use crate::upgrade::preflight::Preflight;

/// How the answer is wanted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Columns of the text; none: lines are not broken.
    pub width: Option<usize>,
}

/// For people.
pub fn text(preflight: &Preflight, options: &Options) -> String {
    let _ = (preflight, options);
    String::new()
}

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, Serialize)]
pub struct Document {}

/// For programs.
pub fn json(preflight: &Preflight) -> Document {
    let _ = preflight;
    Document {}
}

/// How the command exits.
pub fn exit_code(preflight: &Preflight) -> u8 {
    let _ = preflight;
    0
}

//! Answers as text and JSON: `status`, `updates`, `preflight`.
//!
//! Belongs here: one file per answer, each with the types of its JSON (versioned, documented field by field) and its text
//! for people. Does not: judging (that is `upgrade`), the terminal, the client.
//! May import: `upgrade`, `actions`.

pub mod preflight;
pub mod updates;

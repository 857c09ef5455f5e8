//! Answers as text, JSON and YAML: `status`, `updates`, `preflight`, and the plans and outcomes of `do`.
//!
//! Belongs here: one file per answer, each with the types of its JSON (versioned, documented field by field in `docs/`)
//! and its text for people, which is made from the same types, so that the two cannot disagree. Does not: judging (that
//! is `upgrade`), the terminal, the client.
//! May import: `upgrade`, `actions`.

pub mod catalogue;
pub mod parts;
pub mod plan;
pub mod preflight;
pub mod status;
pub mod text;
pub mod updates;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use text::{Ink, Look};

/// `apiVersion` of every JSON answer. Within `v1` fields are added and never removed, renamed, or given another type or
/// meaning; enumerations may grow.
pub const API_VERSION: &str = "oc-cockpit.io/v1";

/// In which form an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// JSON, indented.
    Json,
    /// YAML: the same document as JSON.
    Yaml,
}

impl Format {
    /// The words that `-o` takes.
    pub const NAMES: [&'static str; 3] = ["text", "json", "yaml"];
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            other => Err(format!("`{other}` is no form of output: text, json or yaml")),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Yaml => "yaml",
        })
    }
}

/// An answer: its serde form is the JSON, and it tells itself as text.
pub trait Report: Serialize {
    /// For a person, with a line break at the end. Everything that a server said is neutralised.
    fn text(&self, look: &Look) -> String;
}

/// `report` in the form `format`, with a line break at the end. Err: in words (a value that cannot be written).
pub fn render<R: Report>(report: &R, format: Format, look: &Look) -> Result<String, String> {
    match format {
        Format::Text => Ok(report.text(look)),
        form => written(report, form),
    }
}

/// A document as JSON, or as YAML when that is asked for, with a line break at the end.
pub fn written<D: Serialize>(document: &D, format: Format) -> Result<String, String> {
    match format {
        Format::Yaml => serde_saphyr::to_string(document).map(closed).map_err(|error| error.to_string()),
        Format::Text | Format::Json => {
            serde_json::to_string_pretty(document).map(|text| text + "\n").map_err(|error| error.to_string())
        }
    }
}

/// `report` as JSON on one line, with a line break at the end: for a stream of answers.
pub fn line<R: Report>(report: &R) -> Result<String, String> {
    serde_json::to_string(report).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn closed(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

//! How a write is undone by hand: recorded before it is sent, for whoever has to go back.

use serde::Serialize;
use serde_json::Value;

use super::Session;
use super::request::oc;
use super::words::shell;

/// The longest line that stands in the plan itself; what is longer stands in the audit log only.
const LONGEST: usize = 400;

/// The way back of one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undo {
    /// [`super::Write::object`].
    pub object: String,
    /// The `oc` line; none: there is none.
    pub oc: Option<String>,
    /// Why there is none, in words; empty otherwise.
    pub why_none: String,
}

impl Undo {
    /// By an `oc` line.
    pub(super) fn line(session: &Session, object: String, arguments: &str) -> Self {
        Self { object, oc: Some(oc(session, arguments)), why_none: String::new() }
    }

    /// By creating an object again.
    pub(super) fn piped(session: &Session, object: String, manifest: &Value) -> Self {
        let line = format!("printf %s {} | {}", shell(&manifest.to_string()), oc(session, "create -f -"));
        Self { object, oc: Some(line), why_none: String::new() }
    }

    /// There is none.
    pub(super) fn none(object: String, why: String) -> Self {
        Self { object, oc: None, why_none: why }
    }

    /// For the plan: the line, or where it stands.
    pub fn told(&self) -> String {
        let object = &self.object;
        match &self.oc {
            Some(line) if line.len() <= LONGEST => format!("to undo it: {line}"),
            Some(_) => {
                format!("how to undo it is written into the audit log with the attempt on {object} (field undo)")
            }
            None => format!("there is no undoing the write of {object}: {}", self.why_none),
        }
    }
}

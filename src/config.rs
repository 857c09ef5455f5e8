//! The configuration file: what a person wants to be different, every key optional.
//!
//! Belongs here: reading, checking and printing the file; the paths that the program uses; what holds for a context.
//! Does not: command line flags (`cli`; they win over the file), what the values do.
//! May import: nothing of ours.

mod effective;
mod glob;
mod paths;
mod places;
mod read;

pub use effective::{ContextSettings, Overrides, Settings};
pub use paths::Paths;
pub use places::Places;
pub use read::{Loaded, load, parse};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The file as written. Missing keys mean the defaults of [`Settings`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the theme: `dark`, `light`, `high-contrast`, `none`.
    pub theme: Option<String>,
    /// Letters and lines in ASCII alone.
    pub ascii: Option<bool>,
    /// Listen to the mouse: a click selects, the wheel scrolls. On by default; with shift the terminal selects text.
    pub mouse: Option<bool>,
    /// Columns of the tables `operators`, `nodes`, `findings` and `timeline`, in their order.
    pub columns: BTreeMap<String, Vec<String>>,
    /// The tab that is open at start: `overview`, `operators`, `pools`, `nodes`, `timeline`.
    pub tab: Option<String>,
    /// No writes, in every context that does not say otherwise.
    pub read_only: Option<bool>,
    /// Whom to tell when the verdict worsens, a person is needed, or the update is done.
    pub notify: Notify,
    /// Other meanings of keys, such as `ctrl-e: describe`, or `none` to take a key away.
    pub keys: BTreeMap<String, Meaning>,
    /// How actions are confirmed, and which are not to be done.
    pub actions: Actions,
    /// Settings for contexts, by name or pattern (`*` stands for any text). Of several patterns that match, the
    /// longest wins.
    pub contexts: BTreeMap<String, Context>,
    /// Keys that nobody knows: warned about, otherwise ignored.
    #[serde(flatten, skip_serializing)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

/// Whom to tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Notify {
    /// Ring the terminal's bell. On by default.
    pub bell: Option<bool>,
    /// Send a desktop notification through the terminal (OSC 9). Off by default.
    pub osc9: Option<bool>,
    /// A command for the shell. It finds the story in `COCKPIT_EVENT`, `COCKPIT_VERDICT`, `COCKPIT_WHY`,
    /// `COCKPIT_CONTEXT`, `COCKPIT_FROM` and `COCKPIT_TO`.
    pub hook: Option<String>,
    /// Keys that nobody knows.
    #[serde(flatten, skip_serializing)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

/// How actions are confirmed, and which are not to be done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Actions {
    /// `typed`: what a button would confirm is confirmed by typing the context's name. `plan`: as each plan says.
    pub confirm: Option<Confirmation>,
    /// Names of actions that are neither offered nor done: `[start-update]`.
    pub forbid: Option<Vec<String>>,
    /// Keys that nobody knows.
    #[serde(flatten, skip_serializing)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

/// How actions are confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// As the plan says.
    Plan,
    /// At least by typing the name of the context.
    Typed,
}

/// What a key means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a command, or {command: NAME, when: CIRCUMSTANCE}")]
pub enum Meaning {
    /// A command, wherever no text is being typed.
    Anywhere(String),
    /// A command under a circumstance.
    When {
        /// The command.
        command: String,
        /// The circumstance: `nodes`, `panes`, `text`.
        when: String,
    },
}

impl Meaning {
    /// The name of the command.
    pub fn command(&self) -> &str {
        match self {
            Self::Anywhere(command) | Self::When { command, .. } => command,
        }
    }

    /// The name of the circumstance; none: anywhere.
    pub fn when(&self) -> Option<&str> {
        match self {
            Self::Anywhere(_) => None,
            Self::When { when, .. } => Some(when),
        }
    }
}

/// What holds for a context.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Context {
    /// No writes.
    pub read_only: Option<bool>,
    /// How actions are confirmed there, and which are not to be done; what is not said here holds as for all contexts.
    pub actions: Actions,
    /// What the context is for. A label that begins with `prod` gives the context's name a colour of its own.
    pub label: Option<String>,
    /// Keys that nobody knows.
    #[serde(flatten, skip_serializing)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

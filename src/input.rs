//! Key presses to commands.
//!
//! Belongs here: what a key is ([`key`]), what a key can mean ([`command`]), under which circumstances it means that
//! ([`when`]), and the table that joins the three ([`keymap`], filled by [`defaults`] and by the configuration). Keys,
//! footer and help all read the same table, so that help cannot lie.
//! Does not: drawing, state, doing anything.
//! May import: `actions` (ids).

pub mod action_set;
pub mod command;
pub mod defaults;
pub mod key;
pub mod keymap;
pub mod pointer;
pub mod when;

pub use action_set::ActionSet;
pub use command::{Command, Tab};
pub use key::Key;
pub use keymap::Keymap;
pub use when::{Layer, Pane, Row, Snapshot};

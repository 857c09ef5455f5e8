//! What lies over the panes: one file per popup.

pub mod choices;
pub mod command_log;
pub mod confirm;
pub mod help;
pub mod object;

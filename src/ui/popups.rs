//! What lies over the panes: one file per popup.

pub mod choices;
pub mod columns;
pub mod command_log;
pub mod confirm;
pub mod drain;
pub mod estimates;
pub mod finding;
pub mod form;
pub mod help;
pub mod logs;
pub mod menu;
pub mod object;
pub mod phases;
pub mod preflight;
pub mod report;
pub mod updates;

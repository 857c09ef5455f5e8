//! An action is a plan that is rehearsed, locked, audited, and never sent twice blindly.

mod audit_log;
mod availability;
mod draining;
mod foretold;
mod in_process;
mod meaning;
mod never;
mod pods;
mod sample;
mod script;
mod scripted;
mod simulated;
mod words;

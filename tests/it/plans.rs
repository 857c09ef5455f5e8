//! An action is a plan that is rehearsed, locked, audited, and never sent twice blindly.

mod audit_log;
mod script;
mod scripted;

//! An action is a plan that is rehearsed, locked, audited, and never sent twice blindly.

mod around;
mod audit_log;
mod availability;
mod cases;
mod cluster_version;
mod draining;
mod foretold;
mod from_files;
mod gates;
mod hurdle;
mod hurdles;
mod image_based;
mod in_process;
mod lab;
mod meaning;
mod never;
mod next_step;
mod pods;
mod pools;
mod roles;
mod sample;
pub mod script;
mod scripted;
mod simulated;
mod version_requests;
mod words;

//! Objects out of files, and what becomes of the nodes through them.
//!
//! Belongs here: the published list of kinds that are applied or deleted, what each of them has to look like, the merge
//! patch of what differs, the difference as a person reads it, and which pools roll. Does not: the verbs, which stand
//! beside this folder, and reading files, which the runtime does.

pub(super) mod apply;
mod certificates;
pub(super) mod delete;
mod image_config;
mod item;
pub(super) mod kinds;
mod line_diff;
mod manifest;
mod merge;
mod mirrors;
mod node_effects;
mod proxy_config;
mod pull_secret;
mod registry_ca;
mod root_secret;
mod secret_data;
mod signature;
mod surroundings;
mod user_data;

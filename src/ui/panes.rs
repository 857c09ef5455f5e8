//! The panes: one file per rectangle. Each draws from a [`Ctx`](super::Ctx) and its own state, nothing else.

pub mod blockers;
pub mod findings;
pub mod freshness;
pub mod image_based;
pub mod map;
pub mod nodes;
pub mod operators;
pub mod pools;
pub mod timeline;

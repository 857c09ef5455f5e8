//! The room that talks to an API server.

pub mod execute;

//! The room that talks to an API server.

//! Server texts made harmless.

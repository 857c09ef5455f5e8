//! The terminal and the select loop.

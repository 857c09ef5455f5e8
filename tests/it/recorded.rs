//! Recorded clusters are told as they were.

//! The controllers of the simulated cluster tell a true story.

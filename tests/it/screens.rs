//! Screens, by snapshot.

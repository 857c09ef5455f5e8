//! What the other modules share.

pub mod sim;

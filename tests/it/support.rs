//! What the other modules share.

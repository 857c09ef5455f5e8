//! Key presses to commands.

//! The program as it runs: the terminal, the signals, the one select loop, and the work that effects ask for.
//!
//! Belongs here: everything that waits. The UI loop runs on the main thread; watches, facts and `assess` run on one
//! worker; the demo's simulator has a thread and a runtime of its own.
//! Does not: decisions. What a message means is decided by `app`, what the facts mean by `upgrade`.
//! May import: every room.

pub mod cockpit;
pub mod copy;
pub mod crash;
mod doing;
mod files;
mod follow;
pub mod headless;
mod hook;
mod keepsake;
pub mod logs;
mod oneshot;
pub mod pace;
pub mod perform;
mod save;
pub mod signals;
pub mod simulator;
mod start;
pub mod terminal;
mod think;

pub use follow::stream;
pub use start::start;

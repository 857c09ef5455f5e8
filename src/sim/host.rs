//! The machine of a cluster that has only one: whether it is up, and which etcd it has started.
//!
//! Belongs here: what the listener, the routes, running streams and the identities follow when that machine reboots.
//! Does not: deciding about reboots (the lifecycle agent), outages that are thrown as faults ([`crate::sim::faults`]).
//! Imports nothing of ours.

use std::sync::Arc;

use tokio::sync::watch;

/// The machine; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Host(Arc<State>);

#[derive(Debug)]
struct State {
    down: watch::Sender<bool>,
    tokens: watch::Sender<u64>,
}

impl Default for State {
    fn default() -> Self {
        Self { down: watch::Sender::new(false), tokens: watch::Sender::new(0) }
    }
}

impl Host {
    /// It goes down: nobody listens any more, and every connection ends.
    pub fn go_down(&self) {
        self.0.down.send_replace(true);
    }

    /// It is up again, with the same or another etcd. `tokens` numbers the etcd whose access tokens are good now: tokens
    /// are objects, and those of another etcd are not known here.
    pub fn come_up(&self, tokens: u64) {
        self.0.tokens.send_if_modified(|known| std::mem::replace(known, tokens) != tokens);
        self.0.down.send_replace(false);
    }

    /// Whether it is down.
    pub fn is_down(&self) -> bool {
        *self.0.down.borrow()
    }

    /// True while it is down.
    pub fn down(&self) -> watch::Receiver<bool> {
        self.0.down.subscribe()
    }

    /// The number of the etcd whose access tokens are good.
    pub fn tokens(&self) -> u64 {
        *self.0.tokens.borrow()
    }

    /// Changes with that number.
    pub fn token_changes(&self) -> watch::Receiver<u64> {
        self.0.tokens.subscribe()
    }
}

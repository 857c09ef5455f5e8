//! The clock: the one file that asks what time it is.
//!
//! Belongs here: reading wall and monotonic time. Does not: anything that reasons about time; the domain takes `now`
//! as an argument, so that a recording, a test and a live cluster are judged by the same code.
//! Imports nothing of ours.
#![allow(clippy::disallowed_methods)] // this is the file that the lint sends everybody to

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Wall time, in UTC.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Monotonic time, for latencies and frame pacing. Never shown to a person.
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}

/// The runtime's time: equal to [`instant`] in production, and advanced by hand where a test paused it.
pub fn runtime_instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Wall time that follows the runtime's clock: a simulated cluster serves from it, so that a test that pauses the
/// runtime also pauses the cluster's timestamps. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct WallClock {
    started_at: DateTime<Utc>,
    started: tokio::time::Instant,
    /// Milliseconds that were let pass by hand.
    passed: Arc<AtomicI64>,
}

impl WallClock {
    /// A clock that shows the machine's time now.
    pub fn start() -> Self {
        Self::start_at(now())
    }

    /// A clock that shows `at` now.
    pub fn start_at(at: DateTime<Utc>) -> Self {
        Self { started_at: at, started: runtime_instant(), passed: Arc::default() }
    }

    /// What the clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        let elapsed = runtime_instant().duration_since(self.started);
        self.started_at + TimeDelta::from_std(elapsed).unwrap_or(TimeDelta::MAX) + self.passed()
    }

    /// Puts the clock forward, for everybody who has it.
    pub fn pass(&self, time: Duration) {
        self.passed.fetch_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// How far the clock was put forward in all.
    pub fn passed(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.passed.load(Ordering::Relaxed))
    }
}

//! How fast the simulated cluster lives.
//!
//! Belongs here: the speed, shared by everything that waits, and the translation between simulated and real durations.
//! Does not: what takes how long (the actors know), reading the clock.
//! Imports nothing of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The slowest and the fastest speed: below, nothing would seem to move; above, a step would skip whole phases.
const LIMITS: (f64, f64) = (0.1, 1_000.0);

/// How many times faster than a real cluster this one lives. Clones share the speed, so that one hand can change it
/// while the actors run. Timestamps in objects stay real wall times: the speed divides durations, nothing else.
#[derive(Debug, Clone)]
pub struct Pace {
    bits: Arc<AtomicU64>,
}

impl Pace {
    /// A pace of `speed` simulated seconds per real second, held within 0.1 and 1000.
    pub fn new(speed: f64) -> Self {
        let pace = Self { bits: Arc::new(AtomicU64::new(0)) };
        pace.set_speed(speed);
        pace
    }

    /// Simulated seconds per real second.
    pub fn speed(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::Relaxed))
    }

    /// Changes the speed for everybody who shares this pace; waits that are under way feel it at once.
    pub fn set_speed(&self, speed: f64) {
        let speed = if speed.is_finite() { speed.clamp(LIMITS.0, LIMITS.1) } else { 1.0 };
        self.bits.store(speed.to_bits(), Ordering::Relaxed);
    }

    /// How long something that takes `simulated` lasts on the wall.
    pub fn scale(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.speed())
    }

    /// How much simulated time passes while `real` passes on the wall.
    pub fn simulated(&self, real: Duration) -> Duration {
        real.mul_f64(self.speed())
    }
}

impl Default for Pace {
    /// Real time.
    fn default() -> Self {
        Self::new(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_attempt_of_90_seconds_takes_3_at_speed_30() {
        assert_eq!(Pace::new(30.0).scale(Duration::from_secs(90)), Duration::from_secs(3));
    }

    #[test]
    fn clones_share_the_speed_and_nonsense_is_held_within_limits() {
        let pace = Pace::new(10.0);
        pace.clone().set_speed(60.0);
        assert!((pace.speed() - 60.0).abs() < f64::EPSILON);
        pace.set_speed(-3.0);
        assert!((pace.speed() - 0.1).abs() < f64::EPSILON);
        pace.set_speed(f64::NAN);
        assert!((pace.speed() - 1.0).abs() < f64::EPSILON);
    }
}

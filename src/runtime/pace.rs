//! When to draw and when to think: pure arithmetic on instants.

use std::time::{Duration, Instant};

/// Shortest time between two frames, and between two assessments.
pub const FRAME: Duration = Duration::from_millis(16);

/// After an assessment that took `cost`, the time before the next may start: the worker keeps four fifths of its time
/// for watches, however large the cluster.
pub fn rest_after(cost: Duration) -> Duration {
    FRAME.max(cost * 4)
}

/// Decides about frames: at most one each [`FRAME`], and none when nothing changed.
#[derive(Debug)]
pub struct Pace {
    dirty: bool,
    last: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { dirty: true, last: None }
    }
}

impl Pace {
    /// Something changed.
    pub fn mark(&mut self) {
        self.dirty = true;
    }

    /// When the next frame is due; none: nothing changed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.dirty.then(|| self.last.map_or(now, |last| (last + FRAME).max(now)))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.dirty = false;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::instant;

    #[test]
    fn the_first_frame_is_due_at_once_and_none_when_nothing_changed() {
        let now = instant();
        let mut pace = Pace::default();
        assert_eq!(pace.due(now), Some(now));
        pace.drawn(now);
        assert_eq!(pace.due(now), None);
    }

    #[test]
    fn a_change_right_after_a_frame_waits_for_the_rest_of_it() {
        let now = instant();
        let mut pace = Pace::default();
        pace.drawn(now);
        pace.mark();
        assert_eq!(pace.due(now + Duration::from_millis(6)), Some(now + FRAME));
        let late = now + Duration::from_millis(40);
        assert_eq!(pace.due(late), Some(late));
    }

    #[test]
    fn a_dear_assessment_leaves_the_worker_four_fifths_of_its_time() {
        assert_eq!(rest_after(Duration::from_millis(1)), FRAME);
        assert_eq!(rest_after(Duration::from_millis(10)), Duration::from_millis(40));
    }
}

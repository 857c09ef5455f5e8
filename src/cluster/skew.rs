//! How far the API server's clock is ahead of this machine's, from the `Date` of its answers, as a pure machine.
//!
//! Everything that is shown as an age comes from the server's clock (timestamps of objects), so the server's clock is the
//! one to compare it with: on a machine whose clock is wrong, ages would lie. Small differences are left alone: a `Date`
//! has whole seconds, and the clocks of several API servers differ a little.

use chrono::{DateTime, TimeDelta, Utc};

/// Differences up to here are not followed.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// An exchange that took longer tells too little about the moment at which the server looked at its clock.
const LONGEST: TimeDelta = TimeDelta::seconds(5);

/// What is known of the difference.
#[derive(Debug, Clone, Default)]
pub(super) struct Skew {
    followed: TimeDelta,
    /// Was anything learnt yet? The first answer is believed at once: nothing was told before it.
    known: bool,
    /// What the last answer said, when it contradicts what is followed: a second one has to agree (several API servers
    /// answer for a cluster, and one of them may be wrong).
    doubt: Option<Range>,
}

/// The difference lies between the two.
#[derive(Debug, Clone, Copy)]
struct Range(TimeDelta, TimeDelta);

impl Range {
    fn near(self, other: Self) -> bool {
        self.0 - TOLERANCE <= other.1 && other.0 <= self.1 + TOLERANCE
    }

    fn middle(self) -> TimeDelta {
        (self.0 + self.1) / 2
    }
}

impl Skew {
    /// How far the server's clock is ahead; zero while the difference is small or unknown.
    pub fn ahead(&self) -> TimeDelta {
        self.followed
    }

    /// Another server may answer from now on: its first answer is believed.
    pub fn doubt_all(&mut self) {
        self.known = false;
        self.doubt = None;
    }

    /// An answer came that says `date`, to a request that was sent and answered at those moments of this machine. True
    /// when another difference is followed from now on.
    pub fn answered(&mut self, sent: DateTime<Utc>, received: DateTime<Utc>, date: DateTime<Utc>) -> bool {
        let took = received - sent;
        if took < TimeDelta::zero() || took > LONGEST {
            return false;
        }
        // The server looked at its clock in between, and left the fraction of the second away.
        let told = Range(date - received, date + TimeDelta::seconds(1) - sent);
        if told.near(Range(self.followed, self.followed)) {
            self.known = true;
            self.doubt = None;
            return false;
        }
        if self.known && !self.doubt.is_some_and(|before| before.near(told)) {
            self.doubt = Some(told);
            return false;
        }
        let small = told.near(Range(TimeDelta::zero(), TimeDelta::zero()));
        self.followed = if small { TimeDelta::zero() } else { told.middle() };
        self.known = true;
        self.doubt = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + millis).unwrap()
    }

    /// An exchange of a tenth of a second that ends at `millis`, with a server whose clock is ahead by so many seconds.
    fn answered(skew: &mut Skew, millis: i64, ahead: i64) -> bool {
        let there = (millis - 50).div_euclid(1_000) * 1_000 + ahead * 1_000;
        skew.answered(at(millis - 100), at(millis), at(there))
    }

    fn seconds(skew: &Skew) -> i64 {
        skew.ahead().num_seconds()
    }

    #[test]
    fn clocks_that_nearly_agree_are_left_alone() {
        let mut skew = Skew::default();
        for (millis, ahead) in [(300, 0), (2_950, 3), (4_700, -3), (6_000, 5)] {
            assert!(!answered(&mut skew, millis, ahead), "{ahead}");
        }
        assert_eq!(skew.ahead(), TimeDelta::zero());
    }

    #[test]
    fn the_first_answer_is_believed_at_once_in_both_directions() {
        for ahead in [-3_600, 3_600, 12] {
            let mut skew = Skew::default();
            assert!(answered(&mut skew, 500, ahead));
            assert!((skew.ahead() - TimeDelta::seconds(ahead)).abs() <= TimeDelta::seconds(1), "{ahead}: {skew:?}");
            assert!(!answered(&mut skew, 2_500, ahead), "it is told once");
        }
    }

    #[test]
    fn later_a_second_answer_has_to_agree() {
        let mut skew = Skew::default();
        answered(&mut skew, 0, 0);
        assert!(!answered(&mut skew, 2_000, 600), "one answer may come from a server that is wrong");
        assert!(!answered(&mut skew, 4_000, 0));
        assert!(!answered(&mut skew, 6_000, 600));
        assert!(!answered(&mut skew, 8_000, 900), "and this says something else again");
        assert!(answered(&mut skew, 10_000, 900));
        assert!((899..=901).contains(&seconds(&skew)), "{skew:?}");
    }

    #[test]
    fn a_clock_that_was_set_right_is_no_longer_corrected() {
        let mut skew = Skew::default();
        answered(&mut skew, 0, 700);
        answered(&mut skew, 2_000, 1);
        assert!(answered(&mut skew, 4_000, 1));
        assert_eq!(skew.ahead(), TimeDelta::zero());
    }

    #[test]
    fn slow_answers_and_a_clock_that_went_back_meanwhile_say_nothing() {
        let mut skew = Skew::default();
        assert!(!skew.answered(at(0), at(20_000), at(900_000)));
        assert!(!skew.answered(at(0), at(-20_000), at(900_000)));
        assert_eq!(skew.ahead(), TimeDelta::zero());
    }
}

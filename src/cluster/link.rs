//! When is the picture live? The states of the link and what moves them, as a pure machine.
//!
//! Two failed probes in a row make it stale; the first good answer after that makes it verifying; only when the same
//! cluster with the same history answered does it become live again. Time is an argument.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::upgrade::link::{Link, LinkState, Trouble, TroubleKind};

/// How often the link is probed.
pub(super) const PROBE_PERIOD: Duration = Duration::from_secs(2);
/// How long a probe may take.
pub(super) const PROBE_LIMIT: Duration = Duration::from_secs(3);
/// Failed probes in a row after which the picture counts as stale.
const FAILURES: u32 = 2;

/// Probes come every two seconds: when nothing was heard for this long and no probe failed either, this program (or the
/// machine under it) was not running, and nobody knows what was missed.
const SLEPT: TimeDelta = TimeDelta::seconds(20);

/// What happened on the link.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// A probe is about to be sent.
    Attempt,
    /// The server answered a probe.
    Answered {
        /// How long it took.
        latency: TimeDelta,
    },
    /// A probe failed; `began` is when it was sent.
    Failed {
        /// Why.
        trouble: Trouble,
        /// When the probe was sent.
        began: DateTime<Utc>,
    },
    /// Bytes came on any connection.
    Heard,
    /// The same cluster with the same history answered.
    Verified,
    /// It could not be asked which cluster answered.
    VerifyFailed {
        /// Why.
        trouble: Trouble,
    },
    /// The credentials changed and whoever answers to them could not be asked: the picture is not trusted until then.
    Doubted,
    /// Another cluster (or an older state of this one) answered: all begins anew.
    StartedOver,
}

/// The link with what is needed to decide its next state.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    link: Link,
    failures: u32,
}

impl Machine {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { link: Link::connecting(now), failures: 0 }
    }

    pub fn link(&self) -> &Link {
        &self.link
    }

    /// May lists and watches be sent? Not while nobody answers, and not before the answerer is known.
    pub fn open(&self) -> bool {
        matches!(self.link.state, LinkState::Connecting { .. } | LinkState::Live)
    }

    /// Has somebody to find out now who answers?
    pub fn verifying(&self) -> bool {
        matches!(self.link.state, LinkState::Verifying { .. })
    }

    /// Moves on. True when anything that is shown has changed.
    pub fn step(&mut self, input: Input, now: DateTime<Utc>) -> bool {
        let before = self.link.clone();
        match input {
            Input::Attempt => self.attempt(),
            Input::Heard => self.heard(now),
            Input::Answered { latency } => {
                self.link.latency = Some(latency);
                self.heard(now);
                self.failures = 0;
                self.link.trouble = None;
                self.link.state = match self.link.state {
                    LinkState::Connecting { .. } => LinkState::Live,
                    LinkState::Stale { since } | LinkState::Reconnecting { since, .. } => {
                        LinkState::Verifying { since }
                    }
                    same => same,
                };
            }
            Input::Failed { trouble, began } => self.failed(trouble, began, now),
            Input::Verified => {
                if self.verifying() {
                    self.link.state = LinkState::Live;
                    self.link.trouble = None;
                    self.failures = 0;
                }
            }
            Input::VerifyFailed { trouble } => {
                if let LinkState::Verifying { since } = self.link.state {
                    self.link.state = LinkState::Reconnecting { since, attempts: 0 };
                    self.link.trouble = Some(trouble);
                }
            }
            Input::Doubted => {
                if self.link.state == LinkState::Live {
                    self.link.state = LinkState::Stale { since: self.link.heard.unwrap_or(now) };
                }
            }
            Input::StartedOver => *self = Self::new(now),
        }
        self.link != before
    }

    fn attempt(&mut self) {
        self.link.state = match self.link.state {
            LinkState::Stale { since } => LinkState::Reconnecting { since, attempts: 1 },
            LinkState::Reconnecting { since, attempts } => {
                LinkState::Reconnecting { since, attempts: attempts.saturating_add(1) }
            }
            same => same,
        };
    }

    fn heard(&mut self, now: DateTime<Utc>) {
        if self.link.state == LinkState::Live
            && let Some(since) = self.link.heard.filter(|heard| now - *heard > SLEPT)
        {
            self.link.state = LinkState::Verifying { since };
        }
        self.link.heard = Some(self.link.heard.map_or(now, |before| before.max(now)));
        if matches!(self.link.state, LinkState::Connecting { .. }) {
            self.link.state = LinkState::Live;
            self.link.trouble = None;
        }
    }

    fn failed(&mut self, trouble: Trouble, began: DateTime<Utc>, now: DateTime<Utc>) {
        // A slow probe says nothing against a server that was heard on another connection while the probe waited.
        let excused = trouble.kind == TroubleKind::Timeout && self.link.heard.is_some_and(|heard| heard > began);
        if !excused {
            self.failures = self.failures.saturating_add(1);
        }
        self.link.trouble = Some(keep_since(self.link.trouble.take(), trouble));
        if self.failures < FAILURES {
            return;
        }
        self.link.state = match self.link.state {
            LinkState::Live => LinkState::Stale { since: self.link.heard.unwrap_or(now) },
            LinkState::Verifying { since } => LinkState::Reconnecting { since, attempts: 0 },
            same => same,
        };
    }
}

/// The same kind of trouble goes on: it keeps the moment at which it began.
pub(super) fn keep_since(before: Option<Trouble>, mut now: Trouble) -> Trouble {
    if let Some(before) = before
        && before.kind == now.kind
    {
        now.since = before.since;
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn trouble(kind: TroubleKind, seconds: i64) -> Trouble {
        Trouble { kind, words: "w".to_owned(), hint: String::new(), since: at(seconds) }
    }

    fn failed(machine: &mut Machine, kind: TroubleKind, seconds: i64) {
        machine.step(Input::Failed { trouble: trouble(kind, seconds), began: at(seconds) }, at(seconds));
    }

    fn answered(machine: &mut Machine, seconds: i64) {
        machine.step(Input::Answered { latency: TimeDelta::milliseconds(4) }, at(seconds));
    }

    fn live() -> Machine {
        let mut machine = Machine::new(at(0));
        answered(&mut machine, 1);
        machine
    }

    #[test]
    fn the_first_answer_makes_it_live() {
        let machine = live();
        assert_eq!(machine.link().state, LinkState::Live);
        assert_eq!(machine.link().heard, Some(at(1)));
        assert!(machine.open());
    }

    #[test]
    fn after_a_sleep_it_is_asked_who_answers() {
        let mut machine = live();
        machine.step(Input::Heard, at(20));
        assert_eq!(machine.link().state, LinkState::Live);
        answered(&mut machine, 3_600);
        assert_eq!(machine.link().state, LinkState::Verifying { since: at(20) });
        assert!(!machine.open());
        machine.step(Input::Verified, at(3_601));
        assert_eq!(machine.link().state, LinkState::Live);
    }

    #[test]
    fn one_failed_probe_is_told_but_does_not_make_it_stale() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        assert_eq!(machine.link().state, LinkState::Live);
        assert_eq!(machine.link().trouble.as_ref().unwrap().kind, TroubleKind::Refused);
    }

    #[test]
    fn two_failed_probes_make_it_stale_since_it_was_last_heard() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        failed(&mut machine, TroubleKind::Refused, 5);
        assert_eq!(machine.link().state, LinkState::Stale { since: at(1) });
        assert_eq!(machine.link().trouble.as_ref().unwrap().since, at(3), "the trouble began with the first failure");
        assert!(!machine.open(), "no list and no watch is sent meanwhile");
    }

    #[test]
    fn a_good_probe_between_two_failures_keeps_it_live() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        answered(&mut machine, 5);
        failed(&mut machine, TroubleKind::Refused, 7);
        assert_eq!(machine.link().state, LinkState::Live);
    }

    #[test]
    fn a_slow_probe_is_excused_by_bytes_on_another_connection() {
        let mut machine = live();
        for second in [3, 6, 9] {
            machine.step(Input::Heard, at(second + 1));
            machine.step(
                Input::Failed { trouble: trouble(TroubleKind::Timeout, second), began: at(second) },
                at(second + 3),
            );
        }
        assert_eq!(machine.link().state, LinkState::Live);
        failed(&mut machine, TroubleKind::Timeout, 20);
        failed(&mut machine, TroubleKind::Timeout, 25);
        assert!(machine.link().state.stale());
    }

    #[test]
    fn attempts_are_counted_while_nobody_answers() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        failed(&mut machine, TroubleKind::Refused, 5);
        for second in [7, 9, 11] {
            machine.step(Input::Attempt, at(second));
            failed(&mut machine, TroubleKind::Refused, second);
        }
        assert_eq!(machine.link().state, LinkState::Reconnecting { since: at(1), attempts: 3 });
    }

    #[test]
    fn who_answers_after_an_outage_is_verified_before_anything_is_live() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        failed(&mut machine, TroubleKind::Refused, 5);
        machine.step(Input::Attempt, at(7));
        answered(&mut machine, 7);
        assert_eq!(machine.link().state, LinkState::Verifying { since: at(1) });
        assert!(!machine.open());
        machine.step(Input::Verified, at(8));
        assert_eq!(machine.link().state, LinkState::Live);
        assert!(machine.open());
    }

    #[test]
    fn bytes_of_an_old_connection_do_not_end_an_outage() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        failed(&mut machine, TroubleKind::Refused, 5);
        machine.step(Input::Heard, at(6));
        assert_eq!(machine.link().state, LinkState::Stale { since: at(1) });
    }

    #[test]
    fn a_verification_that_fails_goes_back_to_reconnecting() {
        let mut machine = live();
        failed(&mut machine, TroubleKind::Refused, 3);
        failed(&mut machine, TroubleKind::Refused, 5);
        answered(&mut machine, 7);
        machine.step(Input::VerifyFailed { trouble: trouble(TroubleKind::Server, 8) }, at(8));
        assert_eq!(machine.link().state, LinkState::Reconnecting { since: at(1), attempts: 0 });
    }

    #[test]
    fn another_cluster_starts_over() {
        let mut machine = live();
        machine.step(Input::StartedOver, at(9));
        assert_eq!(machine.link().state, LinkState::Connecting { since: at(9) });
        assert_eq!(machine.link().heard, None);
    }
}

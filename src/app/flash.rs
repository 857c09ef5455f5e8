//! The message of the moment, and when it goes.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ui::{Flash, FlashLevel};

/// Something was done.
pub fn info(text: impl Into<String>) -> Flash {
    Flash { level: FlashLevel::Info, text: text.into() }
}

/// Something was not done, or needs attention.
pub fn warning(text: impl Into<String>) -> Flash {
    Flash { level: FlashLevel::Warning, text: text.into() }
}

/// Something failed.
#[cfg(test)]
pub fn error(text: impl Into<String>) -> Flash {
    Flash { level: FlashLevel::Error, text: text.into() }
}

/// How long a message is shown: long enough to be read twice.
fn lasts(level: FlashLevel) -> TimeDelta {
    TimeDelta::seconds(match level {
        FlashLevel::Info => 5,
        FlashLevel::Warning => 10,
        FlashLevel::Error => 20,
    })
}

/// Messages that wait behind the one that is shown.
const WAITING: usize = 4;

/// The message that is shown, and those that come after it. A worse message takes the place of a milder one at once;
/// otherwise the newer one does, except that warnings and errors are not lost to each other. The answer to what a person
/// just asked for is shown at once, whatever is there: an answer that comes later would be taken for that to another key.
#[derive(Debug, Default)]
pub struct Flashes {
    shown: Option<(Flash, DateTime<Utc>)>,
    /// What is shown is an answer: the next answer may take its place for good.
    answer: bool,
    next: VecDeque<Flash>,
}

impl Flashes {
    /// The message of the moment.
    pub fn current(&self) -> Option<&Flash> {
        self.shown.as_ref().map(|(flash, _)| flash)
    }

    /// Says `flash` at `now`.
    pub fn say(&mut self, flash: Flash, now: DateTime<Utc>) {
        self.expire(now);
        match &self.shown {
            Some((shown, _)) if *shown == flash => self.show(flash, now),
            Some((shown, _)) if shown.level > FlashLevel::Info && flash.level <= shown.level => {
                if flash.level > FlashLevel::Info && !self.next.contains(&flash) {
                    self.next.push_back(flash);
                    if self.next.len() > WAITING {
                        self.next.pop_front();
                    }
                } else if flash.level == FlashLevel::Info {
                    self.show(flash, now);
                }
            }
            _ => self.show(flash, now),
        }
    }

    /// Says at `now` what came of the person's last key.
    pub fn answer(&mut self, flash: Flash, now: DateTime<Utc>) {
        self.expire(now);
        let before = self.shown.take().map(|(flash, _)| flash).filter(|flash| flash.level > FlashLevel::Info);
        if let Some(news) = before.filter(|news| !self.answer && *news != flash) {
            self.next.push_front(news);
        }
        self.show(flash, now);
        self.answer = true;
    }

    fn show(&mut self, flash: Flash, now: DateTime<Utc>) {
        let until = now + lasts(flash.level);
        self.shown = Some((flash, until));
        self.answer = false;
    }

    /// Time is told by another clock from now on, which is ahead by so much.
    pub fn set_clock(&mut self, ahead: TimeDelta) {
        if let Some((_, until)) = &mut self.shown {
            *until += ahead;
        }
    }

    /// Lets the message go when its time is over.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        if self.shown.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.shown = None;
            if let Some(flash) = self.next.pop_front() {
                self.show(flash, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_message_goes_when_it_was_there_long_enough() {
        let mut flashes = Flashes::default();
        flashes.say(info("saved"), at(0));
        flashes.expire(at(4));
        assert_eq!(flashes.current(), Some(&info("saved")));
        flashes.expire(at(5));
        assert_eq!(flashes.current(), None);
    }

    #[test]
    fn two_warnings_are_shown_one_after_the_other() {
        let mut flashes = Flashes::default();
        flashes.say(warning("one"), at(0));
        flashes.say(warning("two"), at(1));
        assert_eq!(flashes.current(), Some(&warning("one")));
        flashes.expire(at(10));
        assert_eq!(flashes.current(), Some(&warning("two")));
        flashes.expire(at(20));
        assert_eq!(flashes.current(), None);
    }

    #[test]
    fn an_answer_does_not_wait_behind_another() {
        let mut flashes = Flashes::default();
        flashes.say(warning("the hook failed"), at(0));
        flashes.answer(warning("which fault?"), at(1));
        flashes.answer(warning("how fast?"), at(2));
        assert_eq!(flashes.current(), Some(&warning("how fast?")));
        flashes.expire(at(12));
        assert_eq!(flashes.current(), Some(&warning("the hook failed")), "news are not lost to an answer");
        flashes.expire(at(22));
        assert_eq!(flashes.current(), None);
    }

    #[test]
    fn an_error_is_shown_at_once_and_what_was_just_done_is_too() {
        let mut flashes = Flashes::default();
        flashes.say(warning("one"), at(0));
        flashes.say(error("worse"), at(1));
        assert_eq!(flashes.current(), Some(&error("worse")));
        flashes.say(info("copied"), at(2));
        assert_eq!(flashes.current(), Some(&info("copied")));
    }
}

//! What happened, dated.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::assessment::{Level, Subject};

/// How an entry is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This program saw the change in a watch.
    Seen,
    /// Rebuilt at start from what the API remembers (history, condition times, events); marked on the screen.
    Rebuilt,
    /// An action of this program.
    Action,
}

/// One dated difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// How bad.
    pub level: Level,
    /// What it is about.
    pub subject: Subject,
    /// One line.
    pub text: String,
    /// How it is known.
    pub origin: Origin,
}

/// Entries, oldest first; bounded: the oldest go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many old entries were dropped.
    pub dropped: usize,
}

/// How many entries are kept.
pub const KEPT: usize = 5_000;

impl Timeline {
    /// Adds entries where their times belong (most are the newest), each once; the oldest go when there are too many.
    pub fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut fresh: Vec<Entry> = entries.into_iter().collect();
        fresh.sort_by_key(|entry| entry.at);
        // Thousands may bear one time (nodes that joined together): each is looked up, not compared with all others.
        let mut said = HashSet::new();
        let mut time = None;
        let mut news = Vec::with_capacity(fresh.len());
        for entry in &fresh {
            if time.replace(entry.at) != Some(entry.at) {
                said.clear();
                said.extend(self.said_at(entry.at));
            }
            news.push(said.insert((&entry.subject, entry.text.as_str())));
        }
        self.entries.extend(fresh.into_iter().zip(news).filter_map(|(entry, new)| new.then_some(entry)));
        self.entries.sort_by_key(|entry| entry.at);
        let surplus = self.entries.len().saturating_sub(KEPT);
        self.entries.drain(..surplus);
        self.dropped += surplus;
    }

    fn said_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&Subject, &str)> {
        let from = self.entries.partition_point(|known| known.at < at);
        let same_time = self.entries[from..].iter().take_while(move |known| known.at == at);
        same_time.map(|known| (&known.subject, known.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, text: &str) -> Entry {
        Entry {
            at: DateTime::from_timestamp(second, 0).unwrap_or_default(),
            level: Level::Info,
            subject: Subject::Version,
            text: text.to_owned(),
            origin: Origin::Seen,
        }
    }

    #[test]
    fn entries_stand_where_their_times_belong_and_once() {
        let mut timeline = Timeline::default();
        timeline.add([entry(5, "five"), entry(3, "three"), entry(5, "five too"), entry(3, "three")]);
        let texts: Vec<_> = timeline.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["three", "five", "five too"]);
        timeline.add([entry(5, "five"), entry(4, "four"), entry(5, "five again")]);
        let texts: Vec<_> = timeline.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["three", "four", "five", "five too", "five again"]);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut timeline = Timeline::default();
        timeline.add((0..KEPT as i64 + 7).map(|second| entry(second, "x")));
        assert_eq!((timeline.entries.len(), timeline.dropped), (KEPT, 7));
        assert_eq!(timeline.entries[0].at.timestamp(), 7);
    }
}

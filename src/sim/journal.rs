//! What the pods of the platform have said: the lines behind their logs.
//!
//! Belongs here: keeping lines by pod, bounded. Does not: who says what (the actors), serving logs
//! ([`crate::sim::pod_log`]).
//! Imports nothing of ours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// How many lines of a pod are kept.
const LINES: usize = 2_000;
/// How many pods are remembered; the one that was silent longest is forgotten first.
const PODS: usize = 400;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was said, on the wall.
    pub at: DateTime<Utc>,
    /// What was said.
    pub text: String,
}

#[derive(Debug, Default)]
struct Pages {
    lines: VecDeque<Line>,
    /// How many lines were forgotten: the number of the first line that is kept.
    forgotten: u64,
}

/// The lines of all pods, by namespace and name; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<BTreeMap<(String, String), Pages>>>);

impl Journal {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Pages>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pod says something.
    pub fn write(&self, namespace: &str, pod: &str, at: DateTime<Utc>, text: &str) {
        let mut all = self.lock();
        let key = (namespace.to_owned(), pod.to_owned());
        if !all.contains_key(&key) && all.len() >= PODS {
            let silent = |pages: &Pages| pages.lines.back().map(|line| line.at);
            let oldest = all.iter().min_by_key(|(_, pages)| silent(pages)).map(|(key, _)| key.clone());
            oldest.map(|key| all.remove(&key));
        }
        let pages = all.entry(key).or_default();
        for text in text.lines() {
            pages.lines.push_back(Line { at, text: text.to_owned() });
        }
        while pages.lines.len() > LINES {
            pages.lines.pop_front();
            pages.forgotten += 1;
        }
    }

    /// The lines of a pod from number `from` on, and the number of the next line to come. `None`: the pod never said
    /// anything.
    pub fn read(&self, namespace: &str, pod: &str, from: u64) -> Option<(Vec<Line>, u64)> {
        let all = self.lock();
        let pages = all.get(&(namespace.to_owned(), pod.to_owned()))?;
        let skip = from.saturating_sub(pages.forgotten) as usize;
        let next = pages.forgotten + pages.lines.len() as u64;
        Some((pages.lines.iter().skip(skip).cloned().collect(), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_quoted_from_where_the_reader_left_off_and_old_lines_are_forgotten() {
        let journal = Journal::default();
        let now = DateTime::UNIX_EPOCH;
        assert!(journal.read("a", "p", 0).is_none());
        journal.write("a", "p", now, "one\ntwo");
        let (lines, next) = journal.read("a", "p", 0).unwrap();
        assert_eq!((lines.len(), lines[1].text.as_str(), next), (2, "two", 2));
        for number in 0..LINES {
            journal.write("a", "p", now, &number.to_string());
        }
        let (lines, last) = journal.read("a", "p", next).unwrap();
        assert_eq!((lines.len(), last), (LINES, next + LINES as u64));
        assert_eq!(lines[0].text, "0");
    }
}

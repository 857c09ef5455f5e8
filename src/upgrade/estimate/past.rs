//! What earlier updates of this cluster took: the control plane only, which is all that the history tells.

use chrono::TimeDelta;

use super::Input;
use crate::api::HistoryEntry;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::version::leaves_minor;
use crate::upgrade::words;

/// At most so many updates are looked at, the newest ones: machines and workloads change.
const NEWEST: usize = 5;

/// Shorter ones are repetitions of what was there, longer ones were held up by something.
const PLAUSIBLE: (TimeDelta, TimeDelta) = (TimeDelta::minutes(10), TimeDelta::hours(24));

/// Earlier updates.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Their lengths in seconds with their places in the history, newest first.
    pub lengths: Vec<(usize, f64)>,
    /// They are of the kind that is looked for: within a minor version, or to another.
    pub same_kind: bool,
    /// Minor updates, or patch updates.
    pub minor: bool,
}

impl Past {
    /// The updates that are like the one to `target`: completed, not the installation, and of the same kind where there
    /// is one.
    pub fn of(assessment: &Assessment, target: Option<&str>) -> Option<Self> {
        let history = &assessment.facts.cluster_version.as_ref()?.status.history;
        let current = usize::from(assessment.update.in_progress);
        let running = history.get(current..)?.iter().find(|entry| entry.is_completed()).map(|entry| &entry.version);
        let minor = running.zip(target).is_some_and(|(from, to)| leaves_minor(from, to));
        let before = |at: usize| history[at + 1..].iter().find(|entry| entry.is_completed());
        // The oldest entry is the installation.
        let told: Vec<(usize, f64, bool)> = (current..history.len().saturating_sub(1))
            .filter_map(|at| {
                let entry = &history[at];
                let length = length(entry)?;
                let from = before(at)?;
                Some((at, length, leaves_minor(&from.version, &entry.version)))
            })
            .collect();
        let alike: Vec<(usize, f64)> =
            told.iter().filter(|(.., kind)| *kind == minor).map(|(at, length, _)| (*at, *length)).collect();
        let same_kind = !alike.is_empty();
        let mut lengths = if same_kind { alike } else { told.iter().map(|(at, length, _)| (*at, *length)).collect() };
        lengths.truncate(NEWEST);
        let minor = if same_kind { minor } else { !minor };
        (!lengths.is_empty()).then_some(Self { lengths, same_kind, minor })
    }

    /// The median in seconds.
    pub fn median(&self) -> f64 {
        let mut lengths: Vec<f64> = self.lengths.iter().map(|(_, length)| *length).collect();
        lengths.sort_by(f64::total_cmp);
        let middle = lengths.len() / 2;
        match lengths.len() {
            0 => 0.0,
            count if count % 2 == 1 => lengths[middle],
            _ => f64::midpoint(lengths[middle - 1], lengths[middle]),
        }
    }

    /// As an input of an estimate.
    pub fn input(&self) -> Input {
        let lengths: Vec<String> =
            self.lengths.iter().map(|(_, length)| words::span(super::lots::delta(*length))).collect();
        let places: Vec<String> = self.lengths.iter().map(|(at, _)| format!("[{at}]")).collect();
        let kind = if self.minor { "minor" } else { "patch" };
        let other = if self.same_kind { "" } else { ", of another kind than this one" };
        Input {
            name: format!("control plane in earlier {kind} updates{other}"),
            value: lengths.join(", "),
            source: format!("clusterversion/version status.history {}", places.join(", ")),
        }
    }
}

fn length(entry: &HistoryEntry) -> Option<f64> {
    let length = entry.completed.filter(|_| entry.is_completed())? - entry.started?;
    (PLAUSIBLE.0 <= length && length <= PLAUSIBLE.1).then(|| length.num_seconds() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, Specimen, stamp};
    use serde_json::{Value, json};

    fn entry(version: &str, started: i64, minutes: i64) -> Value {
        json!({"state": "Completed", "version": version, "image": version, "startedTime": stamp(started),
               "completionTime": stamp(started + minutes)})
    }

    fn told(history: Value, target: &str) -> Option<Past> {
        let mut cluster = Specimen::idle();
        cluster.version["status"]["history"] = history;
        Past::of(&cluster.assess(0), Some(target))
    }

    #[test]
    fn the_installation_says_nothing_about_updates() {
        assert_eq!(told(json!([entry("4.18.1", -9000, 40)]), NEW), None);
    }

    #[test]
    fn minor_updates_are_compared_with_minor_ones() {
        let history = json!([
            entry("4.18.22", -9000, 50),
            entry("4.18.17", -19_000, 95),
            entry("4.17.30", -29_000, 45),
            entry("4.17.1", -39_000, 40)
        ]);
        let minor = told(history.clone(), "4.19.3").unwrap();
        assert_eq!((minor.lengths.as_slice(), minor.same_kind), (&[(1, 5700.0)][..], true));
        let patch = told(history, "4.18.25").unwrap();
        assert_eq!(patch.lengths, [(0, 3000.0), (2, 2700.0)]);
        assert!((patch.median() - 2850.0).abs() < 1e-9);
    }

    #[test]
    fn another_kind_is_better_than_nothing_and_says_so() {
        let past = told(json!([entry("4.18.22", -9000, 50), entry("4.18.1", -39_000, 40)]), NEW).unwrap();
        assert!(!past.same_kind);
        assert_eq!(past.input().name, "control plane in earlier patch updates, of another kind than this one");
        assert_eq!(past.input().source, "clusterversion/version status.history [0]");
    }

    #[test]
    fn what_was_never_completed_or_was_held_up_for_days_is_left_out() {
        let mut partial = entry("4.18.22", -9000, 50);
        partial["state"] = json!("Partial");
        let history = json!([partial, entry("4.18.17", -19_000, 60 * 50), entry("4.18.1", -39_000, 40)]);
        assert_eq!(told(history, "4.18.25"), None);
    }
}

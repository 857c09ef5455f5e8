//! The mishaps of a running story: which are coming, which are on, which are over.
//!
//! Belongs here: the list that the actors, the endpoint below `/sim` and tests share. Does not: what a mishap is (see
//! [`crate::sim::scenario::mishap`]), what it does (see [`crate::sim::actors`]).
//! Imports the scenario's words only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::scenario::{About, Mishap, MishapKind};

/// One mishap and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The number to end it by.
    pub id: u64,
    /// What it is.
    pub mishap: Mishap,
    /// Story time from which it waits for its occasion; `None` until the actors have seen it.
    pub armed_at: Option<Duration>,
    /// When its cause was in the API, on the wall.
    pub began: Option<DateTime<Utc>>,
    /// The same in story time.
    pub began_at: Option<Duration>,
    /// When its cause was gone, on the wall.
    pub ended: Option<DateTime<Utc>>,
    /// Somebody asked for its end.
    cancelled: bool,
}

impl Case {
    /// It has begun and is not over.
    pub fn is_on(&self) -> bool {
        self.began.is_some() && self.ended.is_none()
    }

    /// The object as findings name it, for example `node/worker-1`.
    pub fn reference(&self) -> String {
        self.mishap.kind.reference(&self.mishap.object)
    }

    /// Waits for its occasion, or is on.
    fn is_armed(&self, elapsed: Duration) -> bool {
        self.ended.is_none() && self.armed_at.is_some_and(|at| elapsed >= at)
    }

    /// Its time is over, or somebody wants it to be.
    fn is_due(&self, elapsed: Duration) -> bool {
        let run_out = match (self.began_at, self.mishap.lasts) {
            (Some(began), Some(lasts)) => elapsed >= began + lasts.0,
            _ => false,
        };
        self.ended.is_none() && (self.cancelled || run_out)
    }
}

/// All mishaps of a story; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Mishaps(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    cases: Vec<Case>,
    next: u64,
}

impl Mishaps {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; `after` counts from when the actors see it. Returns the number to end it by.
    pub fn add(&self, mishap: Mishap) -> u64 {
        let mut list = self.lock();
        list.next += 1;
        let id = list.next;
        list.cases.push(Case {
            id,
            mishap,
            armed_at: None,
            began: None,
            began_at: None,
            ended: None,
            cancelled: false,
        });
        id
    }

    /// Asks for the end of one; the actors bring it about at their next step. False when there is none of that number
    /// that is not over.
    pub fn end(&self, id: u64) -> bool {
        let mut list = self.lock();
        let case = list.cases.iter_mut().find(|case| case.id == id && case.ended.is_none());
        case.map(|case| case.cancelled = true).is_some()
    }

    /// All of them, in the order in which they were added.
    pub fn cases(&self) -> Vec<Case> {
        self.lock().cases.clone()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.lock().cases.is_empty()
    }

    /// Those that are new are given their time.
    pub(crate) fn arm(&self, elapsed: Duration) {
        for case in self.lock().cases.iter_mut().filter(|case| case.armed_at.is_none()) {
            case.armed_at = Some(elapsed + case.mishap.after.0);
        }
    }

    /// Those that wait for their occasion or are on.
    pub(crate) fn armed(&self, elapsed: Duration) -> Vec<Case> {
        self.lock().cases.iter().filter(|case| case.is_armed(elapsed)).cloned().collect()
    }

    /// Those that are to end now.
    pub(crate) fn due(&self, elapsed: Duration) -> Vec<Case> {
        self.lock().cases.iter().filter(|case| case.is_due(elapsed)).cloned().collect()
    }

    /// One has begun.
    pub(crate) fn begin(&self, id: u64, now: DateTime<Utc>, elapsed: Duration) {
        if let Some(case) = self.lock().cases.iter_mut().find(|case| case.id == id && case.began.is_none()) {
            (case.began, case.began_at) = (Some(now), Some(elapsed));
        }
    }

    /// One is over.
    pub(crate) fn finish(&self, id: u64, now: DateTime<Utc>) {
        if let Some(case) = self.lock().cases.iter_mut().find(|case| case.id == id && case.ended.is_none()) {
            case.ended = Some(now);
        }
    }

    /// The occasion of a mishap has come: it begins if it is armed for this object, and is told while it is on.
    pub(crate) fn strikes(
        &self,
        kind: MishapKind,
        object: &str,
        now: DateTime<Utc>,
        elapsed: Duration,
    ) -> Option<Mishap> {
        let mut list = self.lock();
        let fits = |case: &&mut Case| {
            case.mishap.kind == kind && case.mishap.object == object && case.is_armed(elapsed) && !case.is_due(elapsed)
        };
        let case = list.cases.iter_mut().find(fits)?;
        if case.began.is_none() {
            (case.began, case.began_at) = (Some(now), Some(elapsed));
        }
        Some(case.mishap.clone())
    }

    /// Whether something happens, or is about to, to a cluster operator.
    pub(crate) fn touches(&self, operator: &str) -> bool {
        self.lock().cases.iter().any(|case| {
            case.ended.is_none()
                && match case.mishap.kind.about() {
                    About::Operator => case.mishap.object == operator,
                    _ => operator == "etcd" && case.mishap.kind == MishapKind::EtcdMemberUnhealthy,
                }
        })
    }

    /// Whether a mishap of that kind waits for its occasion with this object, or is on.
    pub(crate) fn is_armed(&self, kind: MishapKind, object: &str, elapsed: Duration) -> bool {
        let fits = |case: &Case| case.mishap.kind == kind && case.mishap.object == object;
        self.lock().cases.iter().any(|case| fits(case) && case.is_armed(elapsed) && !case.is_due(elapsed))
    }

    /// Whether a mishap of that kind is on for this object.
    pub(crate) fn is_on(&self, kind: MishapKind, object: &str) -> bool {
        self.lock().cases.iter().any(|case| case.is_on() && case.mishap.kind == kind && case.mishap.object == object)
    }
}

//! The one picture of the cluster that all tasks paint on, and its publication.
//!
//! Everything observed goes into one [`Facts`] behind a lock that is held for moments only. Publication clones it (a
//! handful of pointers) at most every [`FRAME`]; a list that changes while a published picture still holds it is
//! copied once (`Arc::make_mut`), pointers only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use super::identity::Identity;
use super::link::{Input, Machine};
use crate::clock;
use crate::upgrade::facts::{Facts, Kind, KindState, KindStatus};
use crate::upgrade::link::{LinkState, Trouble};

/// A watch is begun anew every 30 s, and its head may take as long: a kind that was not heard for longer is not live,
/// whatever it counts as. It happens when this machine slept.
const OLDEST: TimeDelta = TimeDelta::seconds(90);

/// Shortest time between two publications.
const FRAME: Duration = Duration::from_millis(16);

#[derive(Debug)]
struct State {
    facts: Facts,
    machine: Machine,
    /// Highest resourceVersion seen in this epoch.
    highest: u128,
    /// Who this cluster is, as far as it is known.
    identity: Identity,
    /// When the link was last verified after an outage: a kind that was not heard since still shows what was before it.
    verified: Option<DateTime<Utc>>,
}

/// The picture.
#[derive(Debug)]
pub(super) struct Picture {
    state: Mutex<State>,
    dirty: Notify,
    open: watch::Sender<bool>,
    live: watch::Sender<bool>,
    complete: watch::Sender<bool>,
}

impl Picture {
    pub fn new() -> Self {
        let now = clock::now();
        let state = State {
            facts: Facts::nothing(now),
            machine: Machine::new(now),
            highest: 0,
            identity: Identity::default(),
            verified: None,
        };
        Self {
            state: Mutex::new(state),
            dirty: Notify::new(),
            open: watch::Sender::new(true),
            live: watch::Sender::new(false),
            complete: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the facts and lets them be published.
    pub fn change<R>(&self, change: impl FnOnce(&mut Facts) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state.facts);
        if !*self.complete.borrow() && state.facts.complete() {
            self.complete.send_replace(true);
        }
        drop(state);
        self.dirty.notify_one();
        result
    }

    /// Looks at the facts.
    pub fn look<R>(&self, look: impl FnOnce(&Facts) -> R) -> R {
        look(&self.lock().facts)
    }

    /// Moves the link on; returns its state.
    pub fn link(&self, input: Input) -> LinkState {
        let mut state = self.lock();
        if input == Input::Verified && state.machine.verifying() {
            state.verified = Some(clock::now());
        }
        self.step(&mut state, input)
    }

    /// May a write be sent that was decided on this picture? The link must be live, and each kind that counts as live
    /// must have been heard since the last outage: a good probe says nothing about what its watch has missed.
    pub fn writable(&self) -> bool {
        let state = self.lock();
        let now = clock::now();
        let young = |kind: &KindState| kind.heard.is_some_and(|heard| now - heard <= OLDEST);
        let caught_up =
            |kind: &KindState| kind.status != KindStatus::Live || (kind.heard >= state.verified && young(kind));
        state.facts.link.state.writable() && state.facts.kinds.values().all(caught_up)
    }

    fn step(&self, state: &mut State, input: Input) -> LinkState {
        if state.machine.step(input, clock::now()) {
            state.facts.link = state.machine.link().clone();
            self.dirty.notify_one();
        }
        let open = state.machine.open();
        self.open.send_if_modified(|before| std::mem::replace(before, open) != open);
        let link = state.machine.link().state;
        let live = link == LinkState::Live;
        self.live.send_if_modified(|before| std::mem::replace(before, live) != live);
        link
    }

    /// Bytes came: on the watch of `kind`, or on any other connection.
    pub fn heard(&self, kind: Option<Kind>) {
        let mut state = self.lock();
        if let Some(kind) = kind {
            state.facts.kinds.entry(kind).or_default().heard = Some(clock::now());
        }
        self.step(&mut state, Input::Heard);
    }

    /// May lists and watches be sent? See `Machine::open`.
    pub fn gate(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Is the link live?
    pub fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }

    /// Has every kind said something?
    pub fn complete(&self) -> watch::Receiver<bool> {
        self.complete.subscribe()
    }

    /// A resourceVersion was seen. Versions that are no numbers cannot be compared and are passed over.
    pub fn saw(&self, version: &str) {
        if let Ok(version) = version.parse::<u128>() {
            let mut state = self.lock();
            state.highest = state.highest.max(version);
        }
    }

    /// The highest resourceVersion of this epoch, and who the cluster is.
    pub fn history(&self) -> (u128, Identity) {
        let state = self.lock();
        (state.highest, state.identity.clone())
    }

    /// Learns who the cluster is: what is missing is filled in, what is known stays.
    pub fn learn(&self, identity: Identity) {
        self.lock().identity.learn(identity);
    }

    /// Sets how well a kind is known. A trouble of the same kind keeps the moment at which it began.
    pub fn status(&self, kind: Kind, status: KindStatus) {
        self.change(|facts| {
            let state = facts.kinds.entry(kind).or_default();
            state.status = match (std::mem::take(&mut state.status), status) {
                (KindStatus::Failing(before), KindStatus::Failing(now)) => KindStatus::Failing(same(before, now)),
                (KindStatus::Forbidden(before), KindStatus::Forbidden(now)) => KindStatus::Forbidden(same(before, now)),
                (_, now) => now,
            };
        });
    }

    /// The freshness of a kind.
    pub fn kind(&self, kind: Kind) -> KindState {
        self.look(|facts| facts.kinds.get(&kind).cloned().unwrap_or_default())
    }

    /// Another cluster: everything is dropped, memories of before are void.
    pub fn start_over(&self) {
        let mut state = self.lock();
        let now = clock::now();
        let epoch = state.facts.epoch + 1;
        state.facts = Facts { epoch, ..Facts::nothing(now) };
        state.highest = 0;
        state.identity = Identity::default();
        state.verified = None;
        self.step(&mut state, Input::StartedOver);
        state.facts.link = state.machine.link().clone();
        self.complete.send_replace(false);
        drop(state);
        self.dirty.notify_one();
    }

    /// Publishes for as long as it is polled.
    pub async fn publish(&self, to: &watch::Sender<Arc<Facts>>) {
        loop {
            self.dirty.notified().await;
            to.send_replace(Arc::new(self.look(Facts::clone)));
            tokio::time::sleep(FRAME).await;
        }
    }
}

fn same(before: Trouble, now: Trouble) -> Trouble {
    super::link::keep_since(Some(before), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_on_a_kind_that_was_not_heard_for_long() {
        let picture = Picture::new();
        picture.link(Input::Answered { latency: TimeDelta::zero() });
        let kind = |heard| KindState { status: KindStatus::Live, heard: Some(heard), unreadable: Vec::new() };
        let now = clock::now();
        picture.change(|facts| facts.kinds.insert(Kind::Nodes, kind(now)));
        assert!(picture.writable());
        picture.change(|facts| facts.kinds.insert(Kind::Nodes, kind(now - TimeDelta::hours(2))));
        assert!(!picture.writable());
    }
}

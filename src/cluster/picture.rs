//! The one picture of the cluster that all tasks paint on, and its publication.
//!
//! Everything observed goes into one [`Facts`] behind a lock that is held for moments only. Publication clones it (a
//! handful of pointers) at most every [`FRAME`]; a list that changes while a published picture still holds it is
//! copied once (`Arc::make_mut`), pointers only.
//!
//! In here moments are those of this machine's clock. What is published is told by the server's ([`Facts::ahead_by`]), as
//! the timestamps of objects are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use super::identity::Identity;
use super::link::{Input, Machine};
use super::skew::Skew;
use crate::clock;
use crate::upgrade::facts::{Facts, Kind, KindState, KindStatus};
use crate::upgrade::link::{LinkState, Trouble};

/// A watch is begun anew every 30 s, and its head may take as long: a kind that was not heard for longer is not live,
/// whatever it counts as. It happens when this machine slept.
const OLDEST: TimeDelta = TimeDelta::seconds(90);

/// Shortest time between two publications.
const FRAME: Duration = Duration::from_millis(16);

/// One who keeps a place of a kind fresh, and tells how fresh it is. Most kinds have one place, some a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat {
    pub kind: Kind,
    pub number: u64,
}

impl Seat {
    /// The first of a kind.
    pub fn of(kind: Kind) -> Self {
        Self { kind, number: 0 }
    }
}

#[derive(Debug)]
struct State {
    facts: Facts,
    /// The freshness of each place.
    seats: BTreeMap<Seat, KindState>,
    machine: Machine,
    /// Highest resourceVersion seen in this epoch.
    highest: u128,
    /// Who this cluster is, as far as it is known.
    identity: Identity,
    /// When the link was last verified after an outage: a kind that was not heard since still shows what was before it.
    verified: Option<DateTime<Utc>>,
    /// How far the server's clock is ahead of this machine's.
    skew: Skew,
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
            seats: BTreeMap::new(),
            machine: Machine::new(now),
            highest: 0,
            identity: Identity::default(),
            verified: None,
            skew: Skew::default(),
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
        drop(state);
        self.dirty.notify_one();
        result
    }

    /// Changes the facts and the freshness of a place.
    pub fn place<R>(&self, seat: Seat, change: impl FnOnce(&mut Facts, &mut KindState) -> R) -> R {
        let mut state = self.lock();
        let State { facts, seats, .. } = &mut *state;
        let result = change(facts, seats.entry(seat).or_default());
        facts.kinds.insert(seat.kind, together(seats, seat.kind));
        if !*self.complete.borrow() && state.facts.complete() {
            self.complete.send_replace(true);
        }
        drop(state);
        self.dirty.notify_one();
        result
    }

    /// Nobody keeps a place any more; a kind without places was never asked for.
    pub fn leave(&self, seat: Seat) {
        let mut state = self.lock();
        let State { facts, seats, .. } = &mut *state;
        seats.remove(&seat);
        if of_kind(seats, seat.kind).next().is_some() {
            facts.kinds.insert(seat.kind, together(seats, seat.kind));
        } else {
            facts.kinds.remove(&seat.kind);
        }
        drop(state);
        self.dirty.notify_one();
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

    /// May a write be sent that was decided on this picture? The link must be live, and each core kind that counts as
    /// live must have been heard since the last outage: a good probe says nothing about what its watch has missed.
    pub fn writable(&self) -> bool {
        let state = self.lock();
        let now = clock::now();
        let young = |kind: &KindState| kind.heard.is_some_and(|heard| now - heard <= OLDEST);
        let caught_up =
            |kind: &KindState| kind.status != KindStatus::Live || (kind.heard >= state.verified && young(kind));
        let mut core = state.facts.kinds.iter().filter(|(kind, _)| kind.is_core());
        state.facts.link.state.writable() && core.all(|(_, state)| caught_up(state))
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

    /// Bytes came: on the watch of a place, or on any other connection.
    pub fn heard(&self, seat: Option<Seat>) {
        let mut state = self.lock();
        if let Some(seat) = seat {
            let State { facts, seats, .. } = &mut *state;
            seats.entry(seat).or_default().heard = Some(clock::now());
            facts.kinds.entry(seat.kind).or_default().heard = oldest(seats, seat.kind);
        }
        self.step(&mut state, Input::Heard);
    }

    /// An answer to a request of the moment `sent` came now; its server calls the moment `date`.
    pub fn dated(&self, sent: DateTime<Utc>, date: DateTime<Utc>) {
        let mut state = self.lock();
        if state.skew.answered(sent, clock::now(), date) {
            tracing::info!(ahead = %state.skew.ahead(), "the API server's clock differs from this machine's");
            self.dirty.notify_one();
        }
    }

    /// How far the server's clock is ahead of this machine's; zero while the difference is small or unknown.
    pub fn ahead(&self) -> TimeDelta {
        self.lock().skew.ahead()
    }

    /// The facts as they are told to others: by the server's clock.
    pub fn told(&self) -> Facts {
        let state = self.lock();
        let (facts, ahead) = (state.facts.clone(), state.skew.ahead());
        drop(state);
        facts.ahead_by(ahead)
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

    /// Sets how well a place is known. A trouble of the same kind keeps the moment at which it began.
    pub fn status(&self, seat: Seat, status: KindStatus) {
        self.place(seat, |_, state| {
            state.status = match (std::mem::take(&mut state.status), status) {
                (KindStatus::Failing(before), KindStatus::Failing(now)) => KindStatus::Failing(same(before, now)),
                (KindStatus::Forbidden(before), KindStatus::Forbidden(now)) => KindStatus::Forbidden(same(before, now)),
                (_, now) => now,
            };
        });
    }

    /// The freshness of a place.
    pub fn seat(&self, seat: Seat) -> KindState {
        self.lock().seats.get(&seat).cloned().unwrap_or_default()
    }

    /// Another cluster, or another state of this one: everything is dropped, memories of before are void. `chosen`: the
    /// person wanted another cluster.
    pub fn start_over(&self, chosen: bool) {
        let mut state = self.lock();
        let now = clock::now();
        let epoch = state.facts.epoch + 1;
        let chosen = state.facts.chosen + u64::from(chosen);
        state.facts = Facts { epoch, chosen, ..Facts::nothing(now) };
        state.seats.clear();
        state.highest = 0;
        state.identity = Identity::default();
        state.verified = None;
        state.skew.doubt_all();
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
            to.send_replace(Arc::new(self.told()));
            tokio::time::sleep(FRAME).await;
        }
    }
}

/// The places of a kind.
fn of_kind(seats: &BTreeMap<Seat, KindState>, kind: Kind) -> impl Iterator<Item = &KindState> {
    seats.range(Seat::of(kind)..=Seat { kind, number: u64::MAX }).map(|(_, state)| state)
}

/// A kind is as old as the oldest of its places that were heard at all.
fn oldest(seats: &BTreeMap<Seat, KindState>, kind: Kind) -> Option<DateTime<Utc>> {
    of_kind(seats, kind).filter_map(|state| state.heard).min()
}

/// The freshness of a kind, of those of its places: as bad as the worst. Pods are told apart by node, so that it does
/// not count against all of them when those of one more node are asked for.
fn together(seats: &BTreeMap<Seat, KindState>, kind: Kind) -> KindState {
    let rank = |status: &KindStatus| match status {
        KindStatus::NotAsked => 0,
        KindStatus::Absent => 1,
        KindStatus::Waiting if kind == Kind::Pods => 2,
        KindStatus::Live => 3,
        KindStatus::Failing(_) => 4,
        KindStatus::Waiting => 5,
        KindStatus::Forbidden(_) => 6,
    };
    let worst = of_kind(seats, kind).map(|state| &state.status).max_by_key(|status| rank(status));
    KindState {
        status: worst.cloned().unwrap_or_default(),
        heard: oldest(seats, kind),
        unreadable: of_kind(seats, kind).flat_map(|state| state.unreadable.iter().cloned()).collect(),
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
        picture.change(|facts| facts.kinds.insert(Kind::Nodes, kind(now)));
        picture.change(|facts| facts.kinds.insert(Kind::Machines, kind(now - TimeDelta::hours(2))));
        assert!(picture.writable(), "what is around does not keep anybody from writing");
    }

    #[test]
    fn a_kind_is_known_as_well_as_the_worst_of_its_places() {
        let picture = Picture::new();
        let [gates, acks] = [0, 1].map(|number| Seat { kind: Kind::ConfigMaps, number });
        let status = || picture.look(|facts| facts.status(Kind::ConfigMaps).clone());
        assert_eq!(status(), KindStatus::NotAsked);
        picture.status(gates, KindStatus::Live);
        assert_eq!(status(), KindStatus::Live);
        picture.status(acks, KindStatus::Waiting);
        assert_eq!(status(), KindStatus::Waiting, "an acknowledgement may be among what has not come");
        let why = super::super::trouble::trouble(crate::upgrade::link::TroubleKind::Forbidden, "no", "");
        picture.status(acks, KindStatus::Forbidden(why.clone()));
        assert_eq!(status(), KindStatus::Forbidden(why));
        picture.leave(acks);
        assert_eq!(status(), KindStatus::Live);
        picture.leave(gates);
        assert_eq!(status(), KindStatus::NotAsked);
    }

    #[test]
    fn pods_of_one_more_node_do_not_make_the_others_unknown() {
        let picture = Picture::new();
        picture.status(Seat { kind: Kind::Pods, number: 1 }, KindStatus::Live);
        picture.status(Seat { kind: Kind::Pods, number: 2 }, KindStatus::Waiting);
        assert_eq!(picture.look(|facts| facts.status(Kind::Pods).clone()), KindStatus::Live);
    }
}

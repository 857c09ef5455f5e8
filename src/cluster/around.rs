//! What is around the update is read while something needs it, and forgotten some time after nothing does.
//!
//! One task polls all keepers, so that none of them paints on the picture after the stay has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{AbortHandle, Abortable, BoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use tokio::time::Instant;

use super::events;
use super::kinds::shelf;
use super::picture::Seat;
use super::places::{Place, places};
use super::reads;
use super::refresh;
use super::session::{Session, enduring};
use super::trouble::trouble;
use super::watch as watching;
use crate::clock;
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::link::TroubleKind;
use crate::upgrade::needs::{Needs, PodsOf};

/// What is not needed any more is kept fresh for so much longer: needs come and go with phases.
const LINGER: Duration = Duration::from_secs(120);

/// Something that is kept fresh while it is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    Kind(Kind),
    PodsOn(String),
    AllPods,
    Events,
}

fn wants(needs: &Needs) -> BTreeSet<Want> {
    let around = needs.kinds.iter().filter(|kind| !kind.is_core() && **kind != Kind::Pods);
    let mut wants: BTreeSet<Want> = around.map(|kind| Want::Kind(*kind)).collect();
    match &needs.pods {
        PodsOf::All => {
            wants.insert(Want::AllPods);
        }
        PodsOf::Nodes(nodes) => wants.extend(nodes.iter().cloned().map(Want::PodsOn)),
    }
    if needs.events {
        wants.insert(Want::Events);
    }
    wants
}

/// Tends to what `needs` name, for as long as it is polled.
pub(super) async fn tend(session: Arc<Session>, mut needs: watch::Receiver<Needs>) {
    let mut tended = Tended { session, keepers: FuturesUnordered::new(), rows: BTreeMap::new(), seats: 0 };
    loop {
        let wanted = wants(&needs.borrow_and_update());
        let due = tended.adjust(&wanted);
        tokio::select! {
            Ok(()) = needs.changed() => {}
            Some(_) = tended.keepers.next() => {}
            () = tokio::time::sleep_until(due.unwrap_or_else(clock::runtime_instant)), if due.is_some() => {}
            // Nothing is wanted, and nobody is left to want anything.
            else => std::future::pending().await,
        }
    }
}

struct Row {
    keepers: Vec<AbortHandle>,
    seats: Vec<Seat>,
    /// Since when it is not needed.
    unneeded: Option<Instant>,
}

struct Tended {
    session: Arc<Session>,
    keepers: FuturesUnordered<Abortable<BoxFuture<'static, ()>>>,
    rows: BTreeMap<Want, Row>,
    /// Numbers that were given out: a place that comes again is another one.
    seats: u64,
}

impl Tended {
    /// Begins what is wanted and ends what was not for long. Returns when the next end is due.
    fn adjust(&mut self, wanted: &BTreeSet<Want>) -> Option<Instant> {
        let now = clock::runtime_instant();
        // Pods of all nodes and of single ones do not go together: whoever is older would overwrite the fresher.
        let all = wanted.contains(&Want::AllPods);
        let pods = |want: &Want| matches!((want, all), (Want::AllPods, false) | (Want::PodsOn(_), true));
        let mut due: Option<Instant> = None;
        let mut over = Vec::new();
        for (want, row) in &mut self.rows {
            if wanted.contains(want) {
                row.unneeded = None;
                continue;
            }
            let end = *row.unneeded.get_or_insert(now) + LINGER;
            if end <= now || pods(want) {
                over.push(want.clone());
            } else {
                due = Some(due.map_or(end, |due| due.min(end)));
            }
        }
        for want in over {
            self.end(&want);
        }
        for want in wanted {
            if !self.rows.contains_key(want) {
                self.begin(want.clone());
            }
        }
        due
    }

    fn begin(&mut self, want: Want) {
        let mut row = Row { keepers: Vec::new(), seats: Vec::new(), unneeded: None };
        match &want {
            Want::Kind(kind) => match refresh::period(*kind) {
                Some(period) => self.refresh(&mut row, *kind, period),
                None => {
                    for place in places(*kind) {
                        self.watch(&mut row, *kind, place);
                    }
                }
            },
            Want::PodsOn(node) => self.watch(&mut row, Kind::Pods, Place::pods_on(node)),
            Want::AllPods => {
                let period = refresh::period(Kind::Pods).unwrap_or(LINGER);
                self.refresh(&mut row, Kind::Pods, period);
            }
            Want::Events => {
                let session = Arc::clone(&self.session);
                let keeper = enduring(|_| {}, move || events::follow(Arc::clone(&session)));
                self.keep(&mut row, keeper.boxed());
            }
        }
        self.rows.insert(want, row);
    }

    fn seat(&mut self, row: &mut Row, kind: Kind) -> Seat {
        self.seats += 1;
        let seat = Seat { kind, number: self.seats };
        row.seats.push(seat);
        self.session.picture.status(seat, KindStatus::Waiting);
        seat
    }

    fn keep(&mut self, row: &mut Row, keeper: BoxFuture<'static, ()>) {
        let (handle, registration) = AbortHandle::new_pair();
        row.keepers.push(handle);
        self.keepers.push(Abortable::new(keeper, registration));
    }

    fn watch(&mut self, row: &mut Row, kind: Kind, place: Place) {
        let Some(shelf) = shelf(kind) else { return };
        let seat = self.seat(row, kind);
        let (session, place) = (Arc::clone(&self.session), Arc::new(place));
        let tell = failed(Arc::clone(&session), seat, place.subject.clone());
        let keeper = enduring(tell, move || watching::keep(Arc::clone(&session), seat, shelf, Arc::clone(&place)));
        self.keep(row, keeper.boxed());
    }

    fn refresh(&mut self, row: &mut Row, kind: Kind, period: Duration) {
        let seat = self.seat(row, kind);
        let session = Arc::clone(&self.session);
        let tell = failed(Arc::clone(&session), seat, kind.plural().to_owned());
        self.keep(row, enduring(tell, move || refresh::keep(Arc::clone(&session), seat, period)).boxed());
    }

    /// Ends it, and forgets what it brought.
    fn end(&mut self, want: &Want) {
        let Some(row) = self.rows.remove(want) else { return };
        for keeper in &row.keepers {
            keeper.abort();
        }
        let picture = &self.session.picture;
        for seat in &row.seats {
            picture.place(*seat, |facts, state| match want {
                Want::PodsOn(node) => {
                    Arc::make_mut(&mut Arc::make_mut(&mut facts.around).pods).remove(node);
                }
                Want::Kind(kind) => reads::clear(facts, state, *kind),
                Want::AllPods => reads::clear(facts, state, Kind::Pods),
                Want::Events => {}
            });
            picture.leave(*seat);
        }
    }
}

/// Tells a defect of ours as the trouble of one place.
fn failed(session: Arc<Session>, seat: Seat, subject: String) -> impl Fn(String) + Send + 'static {
    move |words| {
        let words = format!("this program failed while it read {subject}: {words}");
        let trouble = trouble(TroubleKind::Other, words, "it is tried again; the log says more");
        session.picture.status(seat, KindStatus::Failing(trouble));
    }
}

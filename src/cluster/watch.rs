//! Keeps one kind fresh: a paged list, then watches from its resourceVersion, for ever.
//!
//! This is list-and-watch by our own hands on kube's client, not `kube::runtime::watcher`, because most of what that
//! does has to be undone for a picture that must say how old it is and survive an upgrade: it says `Init` before it asks,
//! repeats for ever a watch that is refused with 410, begins a watch again without a word and without asking who
//! answers, hides bookmarks and the resourceVersion of lists, does not tell `Retry-After`, fails a list for one object,
//! and puts no limit on the head of an answer.
//!
//! The rules: nothing is sent while the link's gate is closed. A list is swapped in whole. A watch that ends goes on
//! from the last resourceVersion, bookmarks included; 410 in either form means a new list. After a failure it waits, up
//! to 5 s (or as long as `Retry-After` says), and less when the link comes up. Absent and forbidden kinds are looked
//! for every 60 s, and when ClusterVersion moves.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::sync::watch;

use super::client::WATCH_TIMEOUT;
use super::decode::{self, Event};
use super::kinds::{self, Shelf};
use super::list;
use super::picture::Seat;
use super::places::Place;
use super::reads;
use super::request::encode;
use super::session::{Restarts, Session};
use super::trouble::{self, Failure};
use crate::clock;
use crate::upgrade::facts::KindStatus;
use crate::upgrade::link::{LinkState, TroubleKind};

/// Without a byte for this long a watch is dead: the server itself ends it after [`WATCH_TIMEOUT`].
pub(super) const IDLE: Duration = Duration::from_secs(WATCH_TIMEOUT.as_secs() + 10);
/// How often absent and forbidden kinds are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A watch that ends sooner than this without a word counts as failed, or a broken proxy would be asked without pause.
const TOO_SHORT: Duration = Duration::from_secs(1);
/// 404s in a row after which a kind that was there is believed to be gone: a starting server says 404 as well.
const GONE_AFTER: u32 = 4;
/// Failures in a row after which a watch begins with a new list, and again after as many.
const LIST_AFTER: u32 = 8;
/// The longest line of a watch; etcd takes no object above 1.5 MiB.
const LONGEST_LINE: usize = 32 * 1024 * 1024;

/// Keeps the objects at a place fresh for as long as it is polled.
pub(super) async fn keep(session: Arc<Session>, seat: Seat, shelf: &'static dyn Shelf, place: Arc<Place>) {
    let mut keeper = Keeper {
        gate: session.picture.gate(),
        restarts: session.restarts(),
        session,
        seat,
        shelf,
        place,
        fallen_back: false,
        relists: 0,
        version: None,
        highest: 0,
        failures: 0,
    };
    loop {
        if let Err(failure) = keeper.turn().await {
            keeper.failed(failure).await;
        }
    }
}

struct Keeper {
    session: Arc<Session>,
    /// Where its freshness is told.
    seat: Seat,
    shelf: &'static dyn Shelf,
    place: Arc<Place>,
    /// It is an older release, which serves the kind elsewhere.
    fallen_back: bool,
    gate: watch::Receiver<bool>,
    restarts: watch::Receiver<Restarts>,
    /// Restarts with a fresh list that were obeyed.
    relists: u64,
    /// Where the next watch begins; none: a list is due.
    version: Option<String>,
    /// Highest resourceVersion that this kind has seen.
    highest: u128,
    /// Failures in a row.
    failures: u32,
}

impl Keeper {
    /// Where it is listed.
    fn path(&self) -> &str {
        match &self.place.fallback {
            Some(fallback) if self.fallen_back => fallback,
            _ => &self.place.path,
        }
    }

    /// One list or one watch, cut short when the session asks for a new beginning.
    async fn turn(&mut self) -> Result<(), Failure> {
        self.opened().await;
        let mut restarts = self.restarts.clone();
        let relists = restarts.borrow_and_update().relists;
        self.restarts.mark_unchanged();
        if std::mem::replace(&mut self.relists, relists) != relists {
            self.version = None;
        }
        tokio::select! {
            result = async {
                match self.version.clone() {
                    None => self.list().await,
                    Some(version) => self.follow(&version).await,
                }
            } => result,
            Ok(()) = restarts.changed() => Ok(()),
        }
    }

    /// Waits until requests may be sent. The gate's other end lives as long as the session.
    async fn opened(&mut self) {
        let _ = self.gate.wait_for(|open| *open).await;
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let place = Arc::clone(&self.place);
        let path = self.path().to_owned();
        let (shelf, older) = (self.shelf, self.fallen_back);
        let (mut objects, mut nameless, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |text: &[u8]| {
            let object = shelf.read(text, older)?;
            if object.name().is_empty() {
                nameless.push((format!("item {}", objects.len() + 1), "it has no name".to_owned()));
            } else {
                objects.push(object);
            }
            Ok(())
        };
        let mut more = String::new();
        let version = loop {
            self.opened().await;
            let uri = reads::page_uri(&path, &place, (&more, list::PAGE));
            let into: (&mut reads::Each<'_>, _) = (&mut add, &mut unreadable);
            let page = reads::page(&self.session.requests, &uri, reads::accepted(shelf), &place.subject, into).await?;
            more = page.more;
            if more.is_empty() {
                break page.resource_version;
            }
        };
        unreadable.extend(nameless);
        if version.is_empty() {
            return Err(trouble::undecodable(&place.subject, "the list has no resourceVersion"));
        }
        if let Ok(number) = version.parse::<u128>() {
            if number < self.highest {
                // Back in time: not to be shown before it is known who answers.
                self.session.suspect();
                return Ok(());
            }
            self.highest = number;
        }
        self.session.picture.saw(&version);
        for object in &objects {
            object.noticed(&self.session);
        }
        self.session.picture.place(self.seat, |facts, state| {
            kinds::replace((facts, state), (shelf, &place), objects, unreadable);
            state.status = KindStatus::Live;
            state.heard = Some(clock::now());
        });
        // Failures go on being counted until a watch has really begun: a server may list well and refuse every watch.
        self.version = Some(version);
        Ok(())
    }

    async fn follow(&mut self, version: &str) -> Result<(), Failure> {
        let accept = if self.shelf.metadata_only() {
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
        } else {
            "application/json"
        };
        let place = Arc::clone(&self.place);
        let uri = watch_uri(self.path(), &selectors(&place), version);
        let subject = place.subject.as_str();
        let session = Arc::clone(&self.session);
        let began = clock::runtime_instant();
        let response = session.requests.open(&uri, accept, subject, session.requests.limit()).await?;
        session.picture.heard(Some(self.seat));
        if session.picture.seat(self.seat).status != KindStatus::Live {
            session.picture.status(self.seat, KindStatus::Live);
        }
        let mut body = response.into_body();
        let mut lines = Lines::default();
        let mut events = 0_u32;
        while let Some(piece) = session.requests.piece(&mut body, subject, IDLE).await? {
            session.picture.heard(Some(self.seat));
            lines.add(&piece);
            while let Some(line) = lines.next() {
                self.line(&line)?;
                events = events.saturating_add(1);
                self.failures = 0;
            }
            if lines.pending() > LONGEST_LINE {
                self.version = None;
                return Err(trouble::undecodable(subject, "an event is larger than any object should be"));
            }
        }
        if events == 0 && began.elapsed() < TOO_SHORT {
            return Err(trouble::ended(subject));
        }
        self.failures = 0;
        Ok(())
    }

    /// One event of a watch. An error ends the watch.
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let (picture, seat, shelf, place) = (&self.session.picture, self.seat, self.shelf, &self.place);
        let older = self.fallen_back;
        let event = decode::event(line, &|text| shelf.read(text, older)).map_err(|error| {
            // What was in that line is not known: only a new list can tell.
            self.version = None;
            trouble::undecodable(&place.subject, error)
        })?;
        let version = match event {
            Event::Applied(object) if object.name().is_empty() => String::new(),
            Event::Applied(object) => {
                object.noticed(&self.session);
                let version = object.version().to_owned();
                picture.place(seat, |facts, state| kinds::apply((facts, state), (shelf, place), object));
                version
            }
            Event::Deleted { namespace, name, version } => {
                let key = (namespace.as_str(), name.as_str());
                picture.place(seat, |facts, state| kinds::delete((facts, state), (shelf, place), key));
                version
            }
            Event::Unreadable { name, version, why } => {
                picture.place(seat, |_, state| kinds::unreadable(state, name, why));
                version
            }
            Event::Bookmark { version } => version,
            Event::Error { code, message } => {
                if code == 410 {
                    self.version = None;
                }
                let body = serde_json::json!({ "message": message }).to_string();
                return Err(trouble::of_status(code, &http::HeaderMap::new(), body.as_bytes(), &place.subject));
            }
        };
        if !version.is_empty() {
            picture.saw(&version);
            self.highest = version.parse().map_or(self.highest, |number: u128| number.max(self.highest));
            self.version = Some(version);
        }
        Ok(())
    }

    /// Says what failed, and waits as long as makes sense.
    async fn failed(&mut self, failure: Failure) {
        self.failures = self.failures.saturating_add(1);
        let picture = &self.session.picture;
        let before = picture.seat(self.seat).status;
        let was_listed = matches!(before, KindStatus::Live | KindStatus::Failing(_));
        match failure.kind() {
            TroubleKind::Forbidden => {
                self.version = None;
                picture.status(self.seat, KindStatus::Forbidden(failure.trouble));
                return self.look_again().await;
            }
            TroubleKind::AbsentKind if !was_listed || self.failures >= GONE_AFTER => {
                self.version = None;
                // The older place is tried at once, and the newer one again when neither has it.
                if self.place.fallback.is_some() {
                    self.fallen_back = !self.fallen_back;
                    if self.fallen_back {
                        return;
                    }
                }
                let at = (self.shelf, self.place.as_ref());
                picture.place(self.seat, |facts, state| kinds::clear((facts, state), at));
                picture.status(self.seat, KindStatus::Absent);
                return self.look_again().await;
            }
            TroubleKind::Gone => {
                self.version = None;
                // Lists and watches are at odds once; a server that says so again and again is told apart.
                if self.failures < 3 {
                    return;
                }
            }
            TroubleKind::Unauthorized => self.session.unauthorized(),
            // The version may be one that the server does not know (any more), and not every server says so by 410.
            TroubleKind::Server | TroubleKind::Other if self.failures.is_multiple_of(LIST_AFTER) => self.version = None,
            _ => {}
        }
        // Before the first list it is the link that is in trouble, as long as nobody answers.
        let link_up = picture.look(|facts| facts.link.state == LinkState::Live);
        let quiet = failure.kind() == TroubleKind::Broken && self.failures < 3;
        if (was_listed && !quiet) || (!was_listed && link_up && self.failures >= 2) {
            picture.status(self.seat, KindStatus::Failing(failure.trouble));
        }
        self.pause(failure.retry_after).await;
    }

    /// Waits after a failure; less when the link comes up meanwhile, unless the server asked for the time.
    async fn pause(&mut self, retry_after: Option<Duration>) {
        if let Some(asked) = retry_after {
            return tokio::time::sleep(asked.min(LOOK_AGAIN)).await;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.saturating_sub(1).min(8));
        let mut live = self.session.picture.live();
        live.mark_unchanged();
        let came_up = async {
            while live.changed().await.is_ok() {
                if *live.borrow_and_update() {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = tokio::time::sleep(doubled.min(LONGEST_PAUSE)) => {}
            () = came_up => {}
            Ok(()) = self.restarts.changed() => {}
        }
    }

    async fn look_again(&mut self) {
        self.failures = 0;
        let mut again = self.session.again();
        again.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            Ok(()) = again.changed() => {}
            Ok(()) = self.restarts.changed() => {}
        }
    }
}

fn selectors(place: &Place) -> Vec<(&str, &str)> {
    place.selectors.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The URI of a watch of `path` from `version` on.
pub(super) fn watch_uri(path: &str, selectors: &[(&str, &str)], version: &str) -> String {
    let timeout = WATCH_TIMEOUT.as_secs().to_string();
    let query = [
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", timeout.as_str()),
        ("resourceVersion", version),
    ];
    let query = query.iter().chain(selectors).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    format!("{path}{}", encode(&query.collect::<Vec<_>>()))
}

/// Pieces of a body, cut into lines. What follows the last newline is never a line: a cut may have gone through it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    searched: usize,
}

impl Lines {
    pub fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    pub fn next(&mut self) -> Option<BytesMut> {
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
                self.searched = self.buffer.len();
                return None;
            };
            let line = self.buffer.split_to(self.searched + end);
            self.buffer.advance(1);
            self.searched = 0;
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        std::iter::from_fn(|| lines.next()).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
    }

    #[test]
    fn lines_are_found_across_pieces_and_a_cut_line_is_none() {
        let mut lines = Lines::default();
        lines.add(b"{\"a\":");
        assert_eq!(all(&mut lines), Vec::<String>::new());
        lines.add(b"1}\n\n{\"b\":2}\n{\"c\"");
        assert_eq!(all(&mut lines), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(lines.pending(), 4);
    }
}

//! Watches: the changes of a collection as a stream of JSON lines.
//!
//! A watch is a cursor into the history of its kind, so that nothing is lost between a list and a watch, a slow client
//! costs nothing, and one that falls behind the history is told 410 as a real server tells it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};
use http::StatusCode;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::clock::{self, WallClock};
use crate::sim::faults::Signals;
use crate::sim::kinds::KindInfo;
use crate::sim::present::{Presentation, RowObject};
use crate::sim::request::{Form, Params, Target};
use crate::sim::selector::Selector;
use crate::sim::status::{Cause, Refusal, bytes_response};
use crate::sim::store::{Change, ChangeKind, NoChanges, Store};

/// How often a quiet watch is told that it is up to date. A real server does so once a minute; a client that shows the
/// age of its data is served better by this.
const BOOKMARKS: Duration = Duration::from_secs(5);

/// How long a watch lasts when the client does not say: the lower bound of kube-apiserver's `--min-request-timeout`.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// What a watch needs besides its request.
pub struct Surroundings {
    /// The objects.
    pub store: Arc<Store>,
    /// The time, for ages in tables.
    pub clock: WallClock,
    /// What faults do to running watches.
    pub signals: Signals,
}

/// Answers a watch.
pub fn watch(surroundings: Surroundings, target: &Target, params: &Params, form: Form) -> Result<Response, Refusal> {
    let selector =
        Selector::parse(target.namespace.as_deref(), params.text("labelSelector"), params.text("fieldSelector"))?;
    let start = Start::of(params)?;
    let timeout = params.number("timeoutSeconds")?.filter(|seconds| *seconds > 0).map_or(TIMEOUT, Duration::from_secs);
    let stream = Watch::new(surroundings, target, params, form, selector, &start, timeout)?.into_stream();
    Ok(bytes_response(StatusCode::OK, "application/json", Body::from_stream(stream)))
}

/// Where a watch begins.
struct Start {
    version: Option<u64>,
    initial: bool,
}

impl Start {
    /// A watch without a version (or from 0) begins with what is there, unless the client says that it does not want
    /// that: apimachinery, SetListOptionsDefaults.
    fn of(params: &Params) -> Result<Self, Refusal> {
        let version = params.number("resourceVersion")?.filter(|version| *version > 0);
        let at_least = params.get("resourceVersionMatch");
        let send_initial = params.get("sendInitialEvents");
        match (send_initial, at_least) {
            (Some(_), Some("NotOlderThan")) | (None, None) => {}
            (Some(_), _) => {
                return Err(forbidden_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
            }
            (None, Some(_)) => {
                let message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                return Err(forbidden_match(message));
            }
        }
        let initial = send_initial.map_or(version.is_none(), |value| matches!(value, "true" | "1"));
        Ok(Self { version, initial })
    }
}

fn forbidden_match(message: &str) -> Refusal {
    let cause = Cause {
        reason: "FieldValueForbidden",
        message: format!("Forbidden: {message}"),
        field: "resourceVersionMatch".to_owned(),
    };
    Refusal::invalid("meta.k8s.io", "ListOptions", "", &[cause])
}

/// A running watch.
struct Watch {
    store: Arc<Store>,
    clock: WallClock,
    signals: Signals,
    info: Arc<KindInfo>,
    form: Form,
    rows: RowObject,
    selector: Selector,
    wants_bookmarks: bool,
    cursor: u64,
    news: watch::Receiver<u64>,
    bookmarks: Interval,
    deadline: Instant,
    ready: VecDeque<Bytes>,
    over: bool,
}

/// What a watch wakes for.
enum Wake {
    News,
    Bookmark,
    Timeout,
    Cut,
    Gone,
    Silence,
}

impl Watch {
    fn new(
        surroundings: Surroundings,
        target: &Target,
        params: &Params,
        form: Form,
        selector: Selector,
        start: &Start,
        timeout: Duration,
    ) -> Result<Self, Refusal> {
        let Surroundings { store, clock, mut signals } = surroundings;
        let info = Arc::clone(&target.info);
        let news = store.subscribe(info.res()).ok_or_else(|| Refusal::not_found(&info, ""))?;
        signals.cuts.mark_unchanged();
        signals.gone.mark_unchanged();
        let now = clock::runtime_instant();
        let mut bookmarks = interval_at(now + BOOKMARKS, BOOKMARKS);
        bookmarks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = Self {
            clock,
            signals,
            form,
            rows: RowObject::parse(params.text("includeObject")),
            selector,
            wants_bookmarks: params.flag("allowWatchBookmarks") && params.get("allowWatchBookmarks").is_some(),
            cursor: start.version.unwrap_or_else(|| store.resource_version()),
            news,
            bookmarks,
            deadline: now + timeout,
            ready: VecDeque::new(),
            over: false,
            info,
            store,
        };
        if start.initial {
            watch.send_initial(start.version.unwrap_or(0));
        } else {
            watch.collect();
        }
        Ok(watch)
    }

    fn presentation(&self) -> Presentation<'_> {
        Presentation { form: self.form, info: &self.info, now: self.now(), rows: self.rows }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What is there, as if it had just been added, and the mark that this was all. A version that does not exist yet
    /// is waited for in silence.
    fn send_initial(&mut self, at_least: u64) {
        let (objects, version) = self.store.snapshot(self.info.res());
        if version < at_least {
            self.cursor = at_least;
            return;
        }
        let presentation = self.presentation();
        let wanted = objects.iter().filter(|object| self.selector.matches(object));
        let mut ready: VecDeque<Bytes> =
            wanted.map(|object| presentation.event_bytes("ADDED", object).into()).collect();
        if self.wants_bookmarks {
            ready.push_back(presentation.bookmark(version, true).into());
        }
        self.ready = ready;
        self.cursor = version;
    }

    /// Takes the changes after the cursor.
    fn collect(&mut self) {
        match self.store.changes_since(self.info.res(), self.cursor) {
            Ok((changes, version)) => {
                let presentation = self.presentation();
                let events: Vec<Bytes> = changes
                    .iter()
                    .filter_map(|change| event_of(&self.selector, change))
                    .map(|(event, object)| presentation.event_bytes(event, object).into())
                    .collect();
                self.ready.extend(events);
                self.cursor = version;
            }
            Err(NoChanges::Expired { oldest }) => self.tell_gone(oldest),
            Err(NoChanges::NotServed) => self.over = true,
        }
    }

    fn tell_gone(&mut self, oldest: u64) {
        let refusal = Refusal::expired(format!("too old resource version: {} ({oldest})", self.cursor), None);
        let line = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", refusal.status());
        self.ready.push_back(line.into());
        self.over = true;
    }

    fn push_bookmark(&mut self) {
        // A cursor in the future has nothing to be told about until the store gets there.
        if self.wants_bookmarks && self.store.resource_version() >= self.cursor {
            self.collect();
            if !self.over {
                let bookmark = self.presentation().bookmark(self.cursor, false);
                self.ready.push_back(bookmark.into());
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        if *self.signals.silent.borrow() {
            return Wake::Silence;
        }
        tokio::select! {
            biased;
            _ = self.signals.cuts.changed() => Wake::Cut,
            _ = self.signals.down.wait_for(|down| *down) => Wake::Cut,
            _ = self.signals.gone.changed() => Wake::Gone,
            _ = self.signals.silent.changed() => Wake::Silence,
            () = sleep_until(self.deadline) => Wake::Timeout,
            _ = self.news.changed() => Wake::News,
            _ = self.bookmarks.tick() => Wake::Bookmark,
        }
    }

    /// The next bytes; `None` at the orderly end, an error for a cut.
    async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        loop {
            if *self.signals.silent.borrow() {
                self.outlast_silence().await;
            }
            if let Some(bytes) = self.take_ready() {
                return Some(Ok(bytes));
            }
            if self.over {
                return None;
            }
            match self.wake().await {
                Wake::News => self.collect(),
                Wake::Bookmark => self.push_bookmark(),
                Wake::Silence => {}
                Wake::Timeout => {
                    self.push_bookmark();
                    self.over = true;
                }
                Wake::Gone => self.tell_gone(self.store.resource_version()),
                Wake::Cut => {
                    self.over = true;
                    return Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the watch was cut")));
                }
            }
        }
    }

    async fn outlast_silence(&mut self) {
        drop(self.signals.silent.wait_for(|silent| !silent).await);
    }

    /// Everything that is ready, in one piece: a busy watch costs few writes.
    fn take_ready(&mut self) -> Option<Bytes> {
        const PIECE: usize = 256 * 1024;
        let first = self.ready.pop_front()?;
        if self.ready.is_empty() {
            return Some(first);
        }
        let mut piece = Vec::from(first);
        while piece.len() < PIECE
            && let Some(next) = self.ready.pop_front()
        {
            piece.extend_from_slice(&next);
        }
        Some(piece.into())
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static {
        stream::unfold(self, |mut watch| async move {
            let bytes = watch.next().await?;
            Some((bytes, watch))
        })
    }
}

/// What a change means for a watch that sees only part of the collection: coming into sight is an addition, going out
/// of sight a deletion.
fn event_of<'c>(selector: &Selector, change: &'c Change) -> Option<(&'static str, &'c Value)> {
    let seen_now = change.kind != ChangeKind::Deleted && selector.matches(&change.object);
    let seen_before = change.previous.as_ref().is_some_and(|previous| selector.matches(previous));
    match (seen_before, seen_now) {
        (false, true) => Some(("ADDED", &change.object)),
        (true, true) => Some(("MODIFIED", &change.object)),
        (true, false) => Some(("DELETED", &change.object)),
        (false, false) => None,
    }
}

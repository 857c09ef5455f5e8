//! What the cluster says: Events. Read once at the start, for timeline and phase clocks are rebuilt from them; watched
//! while nodes drain or a request is being accepted, for then they tell what no object does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::decode;
use super::kinds::label;
use super::reads;
use super::request::Requests;
use super::session::Session;
use super::trouble::{self, Failure};
use super::watch::{IDLE, Lines, watch_uri};
use crate::api::Event;
use crate::upgrade::facts::Facts;
use crate::upgrade::link::TroubleKind;

/// Namespaces with what belongs to an update there. Events on Nodes (cluster-scoped) are written to `default`, and so are
/// those on pools by a machine-config operator that is older than its own `NamespacedEventRecorder`.
const PLACES: [(&str, &[(&str, &str)]); 4] = [
    ("default", &[("fieldSelector", "involvedObject.kind=Node")]),
    ("default", &[("fieldSelector", "involvedObject.kind=MachineConfigPool")]),
    ("openshift-machine-config-operator", &[]),
    ("openshift-cluster-version", &[]),
];
/// The newest of a namespace that are kept.
const KEPT: usize = 500;
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest line of a watch.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

type Selectors = &'static [(&'static str, &'static str)];

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/events")
}

/// The newest events of a place, oldest first, and the version of the list.
async fn newest(requests: &Requests, namespace: &str, selectors: Selectors) -> Result<(Vec<Event>, String), Failure> {
    let mut events = Vec::new();
    let path = path(namespace);
    let version = reads::events(requests, &path, selectors, |event| {
        events.push(event);
        // Lists come in the order of names, not of times.
        if events.len() >= 4 * KEPT {
            keep_newest(&mut events);
        }
    });
    let version = version.await?;
    keep_newest(&mut events);
    Ok((events, version))
}

fn keep_newest(events: &mut Vec<Event>) {
    events.sort_by_key(Event::last_at);
    events.drain(..events.len().saturating_sub(KEPT));
}

/// All that can be read at once, for facts that nobody keeps. A place that is refused or absent is passed over.
pub(super) async fn once(requests: &Requests) -> Vec<Event> {
    let reads = PLACES.map(|(namespace, selectors)| newest(requests, namespace, selectors));
    let all = futures::future::join_all(reads).await;
    let mut events: Vec<Event> = all.into_iter().flatten().flat_map(|(events, _)| events).collect();
    events.sort_by_key(Event::last_at);
    events.shrink_to_fit();
    events
}

/// Reads the events of all places; each that is refused or absent is passed over, each that fails is tried again.
pub(super) async fn read(session: Arc<Session>) {
    let reads = PLACES.map(|(namespace, selectors)| read_place(&session, namespace, selectors));
    futures::future::join_all(reads).await;
}

async fn read_place(session: &Session, namespace: &str, selectors: Selectors) {
    let mut gate = session.picture.gate();
    loop {
        let _ = gate.wait_for(|open| *open).await;
        match newest(&session.requests, namespace, selectors).await {
            Ok((events, _)) => return session.picture.change(|facts| merge(facts, namespace, events)),
            Err(failure) if hopeless(&failure) => {
                tracing::debug!(namespace, words = failure.trouble.words, "no events from there");
                return;
            }
            Err(failure) => pause(namespace, &failure).await,
        }
    }
}

fn hopeless(failure: &Failure) -> bool {
    matches!(failure.kind(), TroubleKind::Forbidden | TroubleKind::AbsentKind)
}

async fn pause(namespace: &str, failure: &Failure) {
    tracing::debug!(namespace, words = failure.trouble.words, "events are tried again");
    tokio::time::sleep(failure.retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE)).await;
}

/// Adds events of a place to what is known: the same event said again replaces what it said before. What the cluster has
/// forgotten since stays, as far as there is room.
fn merge(facts: &mut Facts, namespace: &str, fresh: Vec<Event>) {
    let mut own: BTreeMap<String, Event> = BTreeMap::new();
    let events = Arc::make_mut(&mut facts.events);
    let (mine, mut all): (Vec<Event>, Vec<Event>) =
        events.drain(..).partition(|event| event.metadata.namespace.as_deref().unwrap_or_default() == namespace);
    for event in mine.into_iter().chain(fresh) {
        own.insert(label(event.metadata.namespace.as_deref().unwrap_or_default(), event.name()), event);
    }
    let mut own: Vec<Event> = own.into_values().collect();
    keep_newest(&mut own);
    all.extend(own);
    all.sort_by_key(Event::last_at);
    all.shrink_to_fit();
    *events = all;
}

/// Follows the events of all places, for as long as it is polled.
pub(super) async fn follow(session: Arc<Session>) {
    let follows = PLACES.map(|(namespace, selectors)| follow_place(&session, namespace, selectors));
    futures::future::join_all(follows).await;
}

async fn follow_place(session: &Session, namespace: &'static str, selectors: Selectors) {
    let mut gate = session.picture.gate();
    let mut restarts = session.restarts();
    let mut again = session.again();
    let mut version = None;
    loop {
        let _ = gate.wait_for(|open| *open).await;
        restarts.mark_unchanged();
        again.mark_unchanged();
        let turn = tokio::select! {
            turn = turn(session, namespace, selectors, &mut version) => turn,
            Ok(()) = restarts.changed() => {
                version = None;
                continue;
            }
        };
        let Err(failure) = turn else { continue };
        version = None;
        if hopeless(&failure) {
            tokio::select! {
                () = tokio::time::sleep(LONGEST_PAUSE) => {}
                Ok(()) = again.changed() => {}
                Ok(()) = restarts.changed() => {}
            }
        } else if failure.kind() != TroubleKind::Gone {
            pause(namespace, &failure).await;
        }
    }
}

/// One list, or one watch.
async fn turn(
    session: &Session,
    namespace: &str,
    selectors: Selectors,
    version: &mut Option<String>,
) -> Result<(), Failure> {
    let Some(from) = version.take() else {
        let (events, listed) = newest(&session.requests, namespace, selectors).await?;
        session.picture.change(|facts| merge(facts, namespace, events));
        *version = Some(listed).filter(|listed| !listed.is_empty());
        return version.is_some().then_some(()).ok_or_else(|| trouble::undecodable("events", "no resourceVersion"));
    };
    let uri = watch_uri(&path(namespace), selectors, &from);
    let response = session.requests.open(&uri, "application/json", "events", session.requests.limit()).await?;
    let mut body = response.into_body();
    let (mut lines, mut last) = (Lines::default(), from);
    let mut began = Vec::new();
    while let Some(piece) = session.requests.piece(&mut body, "events", IDLE).await? {
        session.picture.heard(None);
        lines.add(&piece);
        while let Some(line) = lines.next() {
            last = match decode::event(&line, &decode::object::<Event>)
                .map_err(|error| trouble::undecodable("events", error))?
            {
                decode::Event::Applied(event) => {
                    let version = event.metadata.resource_version.clone();
                    began.push(event);
                    version.unwrap_or(last)
                }
                decode::Event::Bookmark { version } | decode::Event::Deleted { version, .. } => version,
                decode::Event::Unreadable { .. } => last,
                decode::Event::Error { code, message } => {
                    let body = serde_json::json!({ "message": message }).to_string();
                    return Err(trouble::of_status(code, &http::HeaderMap::new(), body.as_bytes(), "events"));
                }
            };
        }
        if !began.is_empty() {
            let fresh = std::mem::take(&mut began);
            session.picture.change(|facts| merge(facts, namespace, fresh));
        }
        if lines.pending() > LONGEST_LINE {
            return Err(trouble::undecodable("events", "an event is larger than any object should be"));
        }
    }
    *version = Some(last).filter(|last| !last.is_empty());
    Ok(())
}

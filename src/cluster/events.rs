//! What the cluster remembers: Events, read once at the start, from which timeline and phase clocks are rebuilt.

use std::sync::Arc;
use std::time::Duration;

use super::list;
use super::session::Session;
use super::trouble::Failure;
use crate::api::Event;
use crate::upgrade::link::TroubleKind;

/// Namespaces with what belongs to an update there. Events on Nodes (cluster-scoped) are written to `default`.
const PLACES: [(&str, &[(&str, &str)]); 3] = [
    ("default", &[("fieldSelector", "involvedObject.kind=Node")]),
    ("openshift-machine-config-operator", &[]),
    ("openshift-cluster-version", &[]),
];
/// The newest of a namespace that are kept.
const KEPT: usize = 500;
/// Lists come in the order of names, not of times: all pages are read, within reason (10,000 events a namespace).
const PAGES: usize = 40;
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Reads the events of all places; each that is refused or absent is passed over, each that fails is tried again.
pub(super) async fn read(session: Arc<Session>) {
    let reads = PLACES.map(|(namespace, selectors)| async {
        let fresh = place(&session, namespace, selectors).await;
        session.picture.change(|facts| {
            let events = Arc::make_mut(&mut facts.events);
            events.extend(fresh);
            events.sort_by_key(Event::last_at);
            events.shrink_to_fit();
        });
    });
    futures::future::join_all(reads).await;
}

async fn place(session: &Session, namespace: &str, selectors: &[(&str, &str)]) -> Vec<Event> {
    let path = format!("/api/v1/namespaces/{namespace}/events");
    let mut gate = session.picture.gate();
    loop {
        let _ = gate.wait_for(|open| *open).await;
        match newest(session, &path, selectors).await {
            Ok(events) => return events,
            Err(failure) if matches!(failure.kind(), TroubleKind::Forbidden | TroubleKind::AbsentKind) => {
                tracing::debug!(namespace, words = failure.trouble.words, "no events from there");
                return Vec::new();
            }
            Err(failure) => {
                tracing::debug!(namespace, words = failure.trouble.words, "events are tried again");
                tokio::time::sleep(failure.retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE)).await;
            }
        }
    }
}

/// The newest events of the list at `path`, oldest first.
async fn newest(session: &Session, path: &str, selectors: &[(&str, &str)]) -> Result<Vec<Event>, Failure> {
    let (mut events, mut more) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let next = (more.as_str(), "events", session.requests.limit());
        let page = list::page::<Event>(&session.requests, path, selectors, "application/json", next).await?;
        events.extend(page.items);
        events.sort_by_key(Event::last_at);
        events.drain(..events.len().saturating_sub(KEPT));
        more = page.more;
        if more.is_empty() {
            break;
        }
    }
    Ok(events)
}

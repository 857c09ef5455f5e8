//! Kinds that are read rather than watched: in one go, object by object while they come. For the one look of a command
//! all kinds; for the live client those that are too heavy to be watched, or cannot be.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::alerts;
use super::decode::{self, ListMeta};
use super::kinds::{self, Shelf};
use super::places::{Place, namespaced, places};
use super::request::{Requests, encode};
use super::split::Splitter;
use super::trouble::{self, Failure};
use crate::api;
use crate::clock;
use crate::upgrade::facts::{Facts, Kind, KindState, KindStatus};
use crate::upgrade::link::TroubleKind;
use crate::upgrade::root_credentials;

/// Objects a page. Pages are read while they come, so that their size costs the server memory, not us, and no more than
/// the lists of controllers, which are not paged at all; but each page more costs a round trip in which nobody works.
const PAGE: usize = 5_000;

/// The largest object that is read; etcd takes none above 1.5 MiB.
const LARGEST: usize = 32 * 1024 * 1024;

/// Puts what was read into the facts.
pub(super) type Put = Box<dyn FnOnce(&mut Facts, &mut KindState) + Send>;

/// Gets the objects of a list as they come, each as its text. An error is one of the object: the list goes on.
pub(super) type Each<'a> = dyn FnMut(&[u8]) -> Result<(), serde_json::Error> + Send + 'a;

/// How lists of objects are asked for.
pub(super) fn accepted(shelf: &dyn Shelf) -> &'static str {
    if shelf.metadata_only() {
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    } else {
        "application/json"
    }
}

/// The list at `place`, or an older place. Returns the objects that could not be read, with the reason.
async fn list(
    requests: &Requests,
    place: &Place,
    accept: &'static str,
    each: &mut Each<'_>,
) -> Result<Vec<(String, String)>, Failure> {
    let mut path = &place.path;
    let (mut more, mut unreadable) = (String::new(), Vec::new());
    loop {
        let uri = page_uri(path, place, (&more, PAGE));
        match page(requests, &uri, accept, &place.subject, (each, &mut unreadable)).await {
            Ok(next) => more = next.more,
            Err(failure) => match &place.fallback {
                Some(older) if failure.kind() == TroubleKind::AbsentKind && path != older && more.is_empty() => {
                    path = older;
                    continue;
                }
                _ => return Err(failure),
            },
        }
        if more.is_empty() {
            return Ok(unreadable);
        }
    }
}

/// The URI of a page of so many objects of the list of `place` at `path`; `more` continues an earlier one.
pub(super) fn page_uri(path: &str, place: &Place, (more, page): (&str, usize)) -> String {
    let limit = page.to_string();
    let mut query = vec![("limit", limit.as_str())];
    if !more.is_empty() {
        query.push(("continue", more));
    }
    format!("{path}{}", place.query(&query))
}

/// Reads one page, object by object while it comes.
pub(super) async fn page(
    requests: &Requests,
    uri: &str,
    accept: &'static str,
    subject: &str,
    (each, unreadable): (&mut Each<'_>, &mut Vec<(String, String)>),
) -> Result<ListMeta, Failure> {
    let limit = requests.limit();
    let response = requests.open(uri, accept, subject, limit).await?;
    let mut body = response.into_body();
    let mut splitter = Splitter::default();
    let mut count = 0_usize;
    while let Some(piece) = requests.piece(&mut body, subject, limit).await? {
        splitter.add(&piece);
        if splitter.held() > LARGEST {
            return Err(trouble::undecodable(subject, "an object is larger than any should be"));
        }
        while let Some(item) = splitter.next() {
            count += 1;
            if let Err(error) = each(&item) {
                let value = serde_json::from_slice::<Value>(&item).unwrap_or_default();
                let name = decode::name_of(&value).unwrap_or_else(|| format!("item {count}"));
                unreadable.push((name, error.to_string()));
            }
        }
    }
    // What is left is the list as if it were empty; when it was cut, it is no list.
    let rest = decode::page::<Value>(&splitter.rest()).map_err(|error| trouble::undecodable(subject, error))?;
    Ok(ListMeta { resource_version: rest.version, more: rest.more })
}

/// All objects of the places of a kind.
async fn whole(requests: &Requests, shelf: &'static dyn Shelf, places: Vec<Place>) -> Result<Put, Failure> {
    let reads = places.into_iter().map(|place| async move {
        let mut objects = Vec::new();
        let mut add = |text: &[u8]| {
            let object = shelf.read(text, false)?;
            if !object.name().is_empty() {
                objects.push(object);
            }
            Ok(())
        };
        let unreadable = list(requests, &place, accepted(shelf), &mut add).await?;
        Ok::<_, Failure>((place, objects, unreadable))
    });
    let read = futures::future::try_join_all(reads).await?;
    Ok(Box::new(move |facts, state| {
        for (place, objects, unreadable) in read {
            let before = std::mem::take(&mut state.unreadable);
            kinds::replace((facts, state), (shelf, &place), objects, unreadable);
            state.unreadable.splice(..0, before);
        }
    }))
}

/// All pods of the cluster, by node. A node without pods has none, as opposed to: they were not read.
pub(super) async fn all_pods(requests: &Requests) -> Result<Put, Failure> {
    let mut nodes: BTreeMap<String, Vec<Arc<api::Pod>>> = BTreeMap::new();
    let mut add = |text: &[u8]| {
        let pod: api::Pod = decode::object(text)?;
        if !pod.spec.node_name.is_empty() && !pod.name().is_empty() {
            nodes.entry(pod.spec.node_name.clone()).or_default().push(Arc::new(pod));
        }
        Ok(())
    };
    let place = places(Kind::Pods).remove(0);
    let unreadable = list(requests, &place, "application/json", &mut add).await?;
    Ok(Box::new(move |facts, state| {
        for node in facts.nodes.iter() {
            nodes.entry(node.name().to_owned()).or_default();
        }
        let pods = nodes.into_iter().map(|(node, pods)| (node, crate::upgrade::assemble::ordered(&pods)));
        Arc::make_mut(&mut facts.around).pods = Arc::new(pods.collect());
        state.unreadable = unreadable;
    }))
}

/// The pods of a node.
pub(super) async fn pods_on(requests: &Requests, node: &str) -> Result<Put, Failure> {
    of_shelf(requests, Kind::Pods, vec![Place::pods_on(node)]).await
}

/// Whether the root credentials exist. Of each Secret only metadata is asked for, and no answer is taken that could hold
/// more.
async fn secrets(requests: &Requests) -> Result<Put, Failure> {
    let namespace = root_credentials::NAMESPACE;
    let reads = root_credentials::NAMES.map(|name| async move {
        let uri = format!("{}/{name}", namespaced(Kind::Secrets, namespace));
        let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let subject = format!("secrets {name} in {namespace} (metadata only)");
        match requests.open(&uri, accept, &subject, requests.limit()).await {
            Ok(response) => {
                let body = requests.collect(response.into_body(), &subject, requests.limit()).await?;
                let secret = serde_json::from_slice::<api::Secret>(&body);
                secret.map(Some).map_err(|error| trouble::undecodable(&subject, error))
            }
            Err(failure) if failure.kind() == TroubleKind::AbsentKind => Ok(None),
            Err(failure) => Err(failure),
        }
    });
    let found = futures::future::try_join_all(reads).await?;
    let secrets: Vec<_> = found.into_iter().flatten().map(Arc::new).collect();
    Ok(Box::new(move |facts, _| {
        Arc::make_mut(&mut facts.around).secrets = crate::upgrade::assemble::ordered(&secrets);
    }))
}

/// Everything of a kind; of pods all.
pub(super) async fn kind(requests: &Requests, kind: Kind) -> Result<Put, Failure> {
    match kind {
        Kind::Pods => all_pods(requests).await,
        Kind::Secrets => secrets(requests).await,
        _ => of_shelf(requests, kind, places(kind)).await,
    }
}

/// All objects of the places of a kind; those of kinds that are no objects are read in a way of their own.
async fn of_shelf(requests: &Requests, kind: Kind, places: Vec<Place>) -> Result<Put, Failure> {
    match kinds::shelf(kind) {
        Some(shelf) => whole(requests, shelf, places).await,
        None => alerts::read(requests).await,
    }
}

/// Puts what was read into the facts, or what kept us from it into the freshness.
pub(super) fn settle(facts: &mut Facts, state: &mut KindState, read: Result<Put, Failure>) {
    match read {
        Ok(put) => {
            put(facts, state);
            state.status = KindStatus::Live;
            state.heard = Some(clock::now());
        }
        Err(failure) => state.status = status(failure),
    }
}

/// What a failure to list means for a kind.
pub(super) fn status(failure: Failure) -> KindStatus {
    match failure.kind() {
        TroubleKind::Forbidden => KindStatus::Forbidden(failure.trouble),
        TroubleKind::AbsentKind => KindStatus::Absent,
        _ => KindStatus::Failing(failure.trouble),
    }
}

/// Removes all objects of a kind; of pods those of all nodes.
pub(super) fn clear(facts: &mut Facts, state: &mut KindState, kind: Kind) {
    if kind == Kind::Pods {
        Arc::make_mut(&mut facts.around).pods = Arc::default();
        return;
    }
    let whole = Place::whole(kind);
    match kinds::shelf(kind) {
        Some(shelf) => kinds::clear((facts, state), (shelf, &whole)),
        None => Arc::make_mut(&mut facts.around).alerts = Arc::default(),
    }
}

/// The events at `path`, as they come.
pub(super) async fn events(
    requests: &Requests,
    path: &str,
    selectors: &[(&str, &str)],
    mut each: impl FnMut(api::Event) + Send,
) -> Result<String, Failure> {
    let (mut more, mut version) = (String::new(), String::new());
    let limit = PAGE.to_string();
    let mut add = |text: &[u8]| decode::object(text).map(&mut each);
    loop {
        let mut query: Vec<(String, String)> = vec![("limit".to_owned(), limit.clone())];
        query.extend(selectors.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if !more.is_empty() {
            query.push(("continue".to_owned(), more));
        }
        let uri = format!("{path}{}", encode(&query));
        let next = page(requests, &uri, "application/json", "events", (&mut add, &mut Vec::new())).await?;
        version = if version.is_empty() { next.resource_version } else { version };
        more = next.more;
        if more.is_empty() {
            return Ok(version);
        }
    }
}

//! Reading: one object, or a collection in pages.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::sim::present::{ListMetadata, Presentation};
use crate::sim::request::{Params, Target};
use crate::sim::selector::Selector;
use crate::sim::status::{Refusal, bytes_response};
use crate::sim::store::{NoChanges, Store};

/// Answers a GET of one object.
pub fn get(store: &Store, target: &Target, presentation: &Presentation) -> Result<Response, Refusal> {
    let name = target.name.as_deref().unwrap_or_default();
    let object = store.get(target.info.res(), target.namespace.as_deref(), name);
    let object = object.ok_or_else(|| Refusal::not_found(&target.info, name))?;
    Ok(bytes_response(StatusCode::OK, "application/json", presentation.object_bytes(&object)))
}

/// Answers a GET of a collection: selected, and in pages when a limit is given. Pages of one list are taken from the
/// same version, as long as the history reaches back to it.
pub fn list(store: &Store, target: &Target, params: &Params, presentation: &Presentation) -> Result<Response, Refusal> {
    let selector =
        Selector::parse(target.namespace.as_deref(), params.text("labelSelector"), params.text("fieldSelector"))?;
    let limit = params.number("limit")?.filter(|limit| *limit > 0).map(|limit| limit as usize);
    let place = Place::of(store, target, params)?;
    let mut wanted = place
        .objects
        .iter()
        .map(Arc::as_ref)
        .filter(|object| place.after.as_ref().is_none_or(|after| place_of(object) > *after))
        .filter(|object| selector.matches(object));
    let page: Vec<&Value> = match limit {
        Some(limit) => wanted.by_ref().take(limit).collect(),
        None => wanted.by_ref().collect(),
    };
    let mut metadata = ListMetadata { version: place.version, go_on: None, remaining: None };
    let rest = wanted.count();
    if rest > 0
        && let Some(last) = page.last()
    {
        metadata.go_on = Some(continue_token(place.version, &place_of(last)));
        // The server counts the rest only where no selector hides some of it.
        metadata.remaining = (!selector.is_selective()).then_some(rest);
    }
    let bytes = presentation.list_bytes(page.into_iter(), &metadata);
    Ok(bytes_response(StatusCode::OK, "application/json", bytes))
}

type Position = (String, String);

fn place_of(object: &Value) -> Position {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Where a list begins: at which version and after which object.
struct Place {
    objects: Vec<Arc<Value>>,
    version: u64,
    after: Option<Position>,
}

impl Place {
    fn of(store: &Store, target: &Target, params: &Params) -> Result<Self, Refusal> {
        let res = target.info.res();
        if let Some(token) = params.get("continue") {
            let (version, after) = read_token(token)?;
            return match store.snapshot_at(res, version) {
                Ok(objects) => Ok(Self { objects, version, after: Some(after) }),
                Err(NoChanges::Expired { .. }) => Err(expired_token(store.resource_version(), &after)),
                Err(NoChanges::NotServed) => Err(Refusal::not_found(&target.info, "")),
            };
        }
        let (objects, current) = store.snapshot(res);
        let here = Self { objects, version: current, after: None };
        let exactly = params.get("resourceVersionMatch") == Some("Exact");
        match params.number("resourceVersion")? {
            Some(asked) if asked > current => Err(Refusal::too_large_version(asked, current)),
            Some(asked) if exactly && asked > 0 => match store.snapshot_at(res, asked) {
                Ok(objects) => Ok(Self { objects, version: asked, after: None }),
                Err(_) => Err(Refusal::expired(format!("too old resource version: {asked} ({current})"), None)),
            },
            _ => Ok(here),
        }
    }
}

fn continue_token(version: u64, (namespace, name): &Position) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": version, "namespace": namespace, "name": name});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Result<(u64, Position), Refusal> {
    let parsed = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let read = parsed.as_ref().and_then(|token| {
        let text = |field: &str| Some(token.get(field)?.as_str()?.to_owned());
        Some((token.get("rv")?.as_u64()?, (text("namespace")?, text("name")?)))
    });
    read.ok_or_else(|| Refusal::bad_request("continue key is not valid: it was not made by this server"))
}

fn expired_token(current: u64, after: &Position) -> Refusal {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a \
                   new list without the continue parameter, or use the continue token in this response to retrieve \
                   the remainder of the results. Continuing with the provided token results in an inconsistent list - \
                   objects that were created, modified, or deleted between the time the first chunk was returned and \
                   now may show up in the list.";
    Refusal::expired(message, Some(continue_token(current, after)))
}

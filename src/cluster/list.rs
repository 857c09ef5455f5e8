//! Paged lists.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::decode;
use super::request::{Requests, encode};
use super::trouble::{self, Failure};

/// Objects a page of what is watched: small enough that a server that is half down answers each, and that an answer that
/// breaks off costs little; large enough that 2,000 nodes take eight round trips.
pub(super) const PAGE: usize = 250;

/// One page of the list at `path`; `more` continues an earlier one.
pub(super) async fn page<T: DeserializeOwned>(
    requests: &Requests,
    path: &str,
    selectors: &[(&str, &str)],
    accept: &'static str,
    (more, subject, limit): (&str, &str, Duration),
) -> Result<decode::Page<T>, Failure> {
    let mut query: Vec<(String, String)> = vec![("limit".to_owned(), PAGE.to_string())];
    query.extend(selectors.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    if !more.is_empty() {
        query.push(("continue".to_owned(), more.to_owned()));
    }
    let response = requests.open(&format!("{path}{}", encode(&query)), accept, subject, limit).await?;
    let body = requests.collect(response.into_body(), subject, limit).await?;
    decode::page(&body).map_err(|error| trouble::undecodable(subject, error))
}

/// A list that is read once: at most `pages` pages, unreadable objects left out.
pub(super) async fn all<T: DeserializeOwned>(
    requests: &Requests,
    path: &str,
    selectors: &[(&str, &str)],
    subject: &str,
    pages: usize,
) -> Result<Vec<T>, Failure> {
    let (mut items, mut more) = (Vec::new(), String::new());
    for _ in 0..pages {
        let next = (more.as_str(), subject, requests.limit());
        let page = page::<T>(requests, path, selectors, "application/json", next).await?;
        items.extend(page.items);
        more = page.more;
        if more.is_empty() {
            break;
        }
    }
    Ok(items)
}

//! What the user may do: one SelfSubjectAccessReview for each permission that some action needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};

use super::request::{ContentType, Method, Request, Requests};
use super::session::Session;
use crate::actions;
use crate::upgrade::access::{Access, Answer, Permission};
use crate::upgrade::link::Trouble;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// Roles change: ask again this often.
const PERIOD: Duration = Duration::from_secs(300);
/// Ask again this soon when some answers did not come.
const RETRY: Duration = Duration::from_secs(15);
/// Reviews in flight at once.
const AT_ONCE: usize = 8;

/// Keeps `Facts::access` fresh for as long as it is polled: at first, after a reconnect or new credentials, and each few
/// minutes.
pub(super) async fn keep(session: Arc<Session>) {
    let mut gate = session.picture.gate();
    let mut restarts = session.restarts();
    loop {
        let _ = gate.wait_for(|open| *open).await;
        restarts.mark_unchanged();
        let complete = review(&session).await;
        let wait = if complete { PERIOD } else { RETRY };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Ok(()) = restarts.changed() => {}
        }
    }
}

/// Asks for everything once. True when every question was answered.
async fn review(session: &Session) -> bool {
    let requests = &session.requests;
    let ask = futures::stream::iter(actions::permissions())
        .map(|permission| async move {
            let answer = allowed(requests, &permission).await;
            (permission, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>();
    let (user, answers) = futures::join!(requests.identity(), ask);
    let mut complete = true;
    let mut fresh = BTreeMap::new();
    for (permission, answer) in answers {
        match answer {
            Ok(answer) => {
                fresh.insert(permission, answer);
            }
            Err(trouble) => {
                tracing::debug!(permission = permission.words(), trouble = trouble.words, "access review failed");
                complete = false;
            }
        }
    }
    session.picture.change(|facts| {
        let before = &facts.access;
        // An answer that did not come this time leaves the one of before.
        let mut answers = before.answers.clone();
        answers.extend(fresh);
        let access = Access { user: user.ok().or_else(|| before.user.clone()), answers };
        if access != **before {
            facts.access = Arc::new(access);
        }
    });
    complete
}

async fn allowed(requests: &Requests, permission: &Permission) -> Result<Answer, Trouble> {
    let mut attributes = json!({ "verb": permission.verb, "group": permission.group, "resource": permission.resource });
    for (name, value) in
        [("subresource", permission.subresource), ("namespace", permission.namespace), ("name", permission.name)]
    {
        if !value.is_empty() {
            attributes[name] = json!(value);
        }
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    let reply = requests.send(Request::new(Method::Post, REVIEWS).body(ContentType::Json, review)).await?;
    if !reply.ok() {
        return Err(Requests::trouble(&reply, "selfsubjectaccessreviews"));
    }
    let text = |pointer: &str| reply.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(match reply.body.pointer("/status/allowed").and_then(Value::as_bool) {
        Some(true) => Answer::Allowed,
        _ => Answer::Denied(text("/status/reason")),
    })
}

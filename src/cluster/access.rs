//! What the user may do: one SelfSubjectAccessReview for each permission that some action needs, and, for what is refused in
//! all namespaces together, one in each namespace that may matter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};

use super::execute::Transport;
use super::request::{ContentType, Method, Request, Requests};
use super::session::Session;
use crate::actions::{self, Found, Read};
use crate::upgrade::access::{Access, Answer, Permission};
use crate::upgrade::blockers::of_platform;
use crate::upgrade::link::Trouble;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// Roles change: ask again this often.
const PERIOD: Duration = Duration::from_secs(300);
/// Ask again this soon when some answers did not come.
const RETRY: Duration = Duration::from_secs(15);
/// Namespaces that are asked for at most.
const NAMESPACES: usize = 64;
/// Where operators for all namespaces are installed, and their install plans are.
const OPERATORS: &str = "openshift-operators";
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
            let answer = allowed(requests, &permission, "").await;
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
    let is_refused = |(permission, answer): (&Permission, &Answer)| {
        (permission.is_by_namespace() && *answer != Answer::Allowed).then(|| permission.clone())
    };
    let refused = fresh.iter().filter_map(is_refused).collect();
    let AnswersIn { answers: answers_in, unasked, complete: all } = review_in(session, refused).await;
    complete &= all;
    session.picture.change(|facts| {
        let before = &facts.access;
        // An answer that did not come this time leaves the one of before.
        let mut answers = before.answers.clone();
        answers.extend(fresh);
        let access = Access { user: user.ok().or_else(|| before.user.clone()), answers, answers_in, unasked };
        if access != **before {
            facts.access = Arc::new(access);
        }
    });
    complete
}

/// What was answered in single namespaces.
#[derive(Default)]
struct AnswersIn {
    answers: BTreeMap<(Permission, String), Answer>,
    /// There are more namespaces than were asked for.
    unasked: bool,
    /// Every question was answered.
    complete: bool,
}

/// Asks for what was refused for all namespaces in those that may matter: a role in one of them is enough there.
async fn review_in(session: &Session, refused: Vec<Permission>) -> AnswersIn {
    if refused.is_empty() {
        return AnswersIn { complete: true, ..AnswersIn::default() };
    }
    let requests = &session.requests;
    let mut namespaces = session.picture.look(actions::namespaces);
    let listed = workplaces(requests).await;
    let others = listed.iter().flatten().filter(|name| !namespaces.contains(name)).cloned().collect::<Vec<_>>();
    namespaces.extend(others);
    let unasked = listed.is_none() || namespaces.len() > NAMESPACES;
    namespaces.truncate(NAMESPACES);
    let questions: Vec<(Permission, String)> = refused
        .iter()
        .flat_map(|permission| namespaces.iter().map(|namespace| (permission.clone(), namespace.clone())))
        .collect();
    let answers = futures::stream::iter(questions)
        .map(|question| async move {
            let answer = allowed(requests, &question.0, &question.1).await;
            (question, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let complete = answers.iter().all(|(_, answer)| answer.is_ok());
    let answers = answers.into_iter().filter_map(|(question, answer)| Some((question, answer.ok()?))).collect();
    AnswersIn { answers, unasked, complete }
}

/// The namespaces of people that the user can see, by name: as projects, which are those that the user has a role in, else
/// as namespaces. None: neither may be listed. Of those of the platform only the one in which people install operators: a
/// role in another one alone is not looked for.
async fn workplaces(requests: &Requests) -> Option<Vec<String>> {
    for path in ["/apis/project.openshift.io/v1/projects", "/api/v1/namespaces"] {
        let Ok(Found::List(Some(objects))) = requests.read(&Read::List(path.to_owned())).await else { continue };
        let names = objects.iter().filter_map(|object| object.pointer("/metadata/name")?.as_str());
        let mut names: Vec<String> =
            names.filter(|name| !of_platform(name) || *name == OPERATORS).map(str::to_owned).collect();
        names.sort_unstable();
        return Some(names);
    }
    None
}

/// One question; an empty namespace is that of the permission, or all of them.
///
/// # Errors
/// What keeps the server from an answer.
pub async fn allowed(requests: &impl Transport, permission: &Permission, namespace: &str) -> Result<Answer, Trouble> {
    let namespace = if namespace.is_empty() { permission.namespace } else { namespace };
    let mut attributes = json!({ "verb": permission.verb, "group": permission.group, "resource": permission.resource });
    for (name, value) in [("subresource", permission.subresource), ("namespace", namespace), ("name", permission.name)]
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

//! What has to hold for any write, whatever the action: a session that may write, a live picture, a permission.

use super::words::{since, when};
use super::{Precondition, Refusal, Session};
use crate::upgrade::access::{Answer, Permission};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::link::LinkState;

/// May this session write at all, on a picture of `kinds` that is live?
pub(super) fn session(assessment: &Assessment, session: &Session, kinds: &[Kind]) -> Result<(), Refusal> {
    if let Some(why) = &session.read_only {
        return Err(Refusal(format!("writes are off: {why}")));
    }
    live(assessment, kinds)
}

/// Is what the decision rests on live?
fn live(assessment: &Assessment, kinds: &[Kind]) -> Result<(), Refusal> {
    let refuse = |words: String| Err(Refusal(words));
    match assessment.facts.link.state {
        LinkState::Live => {}
        LinkState::Recording => return refuse("this is a recording: there is nothing to write to".to_owned()),
        LinkState::Connecting { .. } => return refuse("the API server has not answered yet".to_owned()),
        LinkState::Verifying { since } => {
            return refuse(format!(
                "writes are off until it is certain that the same cluster answers again (the picture is of {})",
                when(since)
            ));
        }
        LinkState::Stale { since } | LinkState::Reconnecting { since, .. } => {
            return refuse(format!(
                "writes are off while the API server does not answer: the picture is of {}",
                when(since)
            ));
        }
    }
    for kind in kinds {
        let plural = kind.plural();
        match assessment.facts.status(*kind) {
            KindStatus::Live => {}
            KindStatus::Waiting | KindStatus::NotAsked => {
                return refuse(format!("the first list of {plural} has not ended yet"));
            }
            KindStatus::Absent => return refuse(format!("this API server does not serve {plural}")),
            KindStatus::Forbidden(_) => {
                return refuse(format!("{plural} may not be listed, so there is nothing to decide on"));
            }
            KindStatus::Failing(trouble) => {
                let at = since(Some(trouble.since));
                return refuse(format!("the picture of {plural} is not live{at}: {}", trouble.words));
            }
        }
    }
    Ok(())
}

/// Does the server let the user do it? A permission that was not asked yet passes: the dry run asks the server itself.
pub(super) fn permitted(assessment: &Assessment, permission: &Permission) -> Result<(), Refusal> {
    let access = &assessment.facts.access;
    let Some(Answer::Denied(reason)) = access.answer(permission) else { return Ok(()) };
    let user = access.user.as_deref().unwrap_or("this user");
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    Err(Refusal(format!("{user} may not {} (oc auth can-i {}){reason}", permission.words(), can_i(permission))))
}

/// The precondition that stands for [`permitted`].
pub(super) fn permission_found(assessment: &Assessment, permission: &Permission) -> Precondition {
    let evidence = match assessment.facts.access.answer(permission) {
        Some(Answer::Allowed) => "allowed by access review",
        Some(Answer::Denied(_)) => "denied by access review",
        None => "not reviewed yet: the dry run asks the server",
    };
    let words = format!("{} is permitted", permission.words());
    Precondition { words, evidence: format!("oc auth can-i {}: {evidence}", can_i(permission)) }
}

/// What follows `oc auth can-i`.
fn can_i(permission: &Permission) -> String {
    let mut resource = permission.resource.to_owned();
    if !permission.group.is_empty() {
        resource = format!("{resource}.{}", permission.group);
    }
    if !permission.name.is_empty() {
        resource = format!("{resource}/{}", permission.name);
    }
    if !permission.subresource.is_empty() {
        resource = format!("{resource} --subresource={}", permission.subresource);
    }
    if !permission.namespace.is_empty() {
        resource = format!("{resource} -n {}", permission.namespace);
    }
    format!("{} {resource}", permission.verb)
}

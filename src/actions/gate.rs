//! What has to hold for any write, whatever the action: a session that may write, a live picture, a permission.

use super::words::{since, when};
use super::{Found, Material, Precondition, Read, Refusal, Session};
use crate::upgrade::access::{Access, Answer, Permission};
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
    match access.answer(permission) {
        Some(Answer::Denied(reason)) => Err(denied(access, permission, permission.namespace, reason)),
        _ => Ok(()),
    }
}

/// The same for a target in a namespace: what is refused for all namespaces may be permitted in this one. What was not
/// asked there passes: the plan asks.
pub(super) fn permitted_in(assessment: &Assessment, permission: &Permission, namespace: &str) -> Result<(), Refusal> {
    let access = &assessment.facts.access;
    match access.answer_in(permission, namespace) {
        Some(Answer::Denied(reason)) => Err(denied(access, permission, namespace, reason)),
        _ => Ok(()),
    }
}

/// The precondition that something is permitted in the namespace of the target. What is not known yet is added to `reads`.
///
/// # Errors
/// It is not permitted there.
pub(super) fn permission_in(
    assessment: &Assessment,
    material: &Material,
    permission: &Permission,
    namespace: &str,
    reads: &mut Vec<Read>,
) -> Result<Precondition, Refusal> {
    let access = &assessment.facts.access;
    let read = Read::Access { permission: permission.clone(), namespace: namespace.to_owned() };
    let asked = material.answer(&read);
    let known = access.answer_in(permission, namespace).map(Ok);
    let answer = known.or(match asked {
        Some(Ok(Found::Access(answer))) => Some(Ok(answer)),
        Some(Ok(_)) => Some(Err("the answer is none to that question")),
        Some(Err(words)) => Some(Err(words)),
        None => None,
    });
    let evidence = match answer {
        Some(Ok(Answer::Allowed)) => "allowed by access review".to_owned(),
        Some(Ok(Answer::Denied(reason))) => return Err(denied(access, permission, namespace, reason)),
        Some(Err(words)) => format!("not reviewed ({words}): the dry run asks the server"),
        None => {
            reads.push(read);
            "not reviewed yet".to_owned()
        }
    };
    let words = format!("{} is permitted", scoped(permission, namespace));
    Ok(Precondition { words, evidence: format!("oc auth can-i {}: {evidence}", can_i(permission, namespace)) })
}

/// `patch installplans.operators.coreos.com in shop`.
fn scoped(permission: &Permission, namespace: &str) -> String {
    let words = permission.words();
    if permission.namespace.is_empty() && !namespace.is_empty() { format!("{words} in {namespace}") } else { words }
}

fn denied(access: &Access, permission: &Permission, namespace: &str, reason: &str) -> Refusal {
    let user = access.user.as_deref().unwrap_or("this user");
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let (words, line) = (scoped(permission, namespace), can_i(permission, namespace));
    Refusal(format!("{user} may not {words} (oc auth can-i {line}){reason}"))
}

/// The precondition that stands for [`permitted`].
pub(super) fn permission_found(assessment: &Assessment, permission: &Permission) -> Precondition {
    let evidence = match assessment.facts.access.answer(permission) {
        Some(Answer::Allowed) => "allowed by access review",
        Some(Answer::Denied(_)) => "denied by access review",
        None => "not reviewed yet: the dry run asks the server",
    };
    let words = format!("{} is permitted", permission.words());
    let line = can_i(permission, permission.namespace);
    Precondition { words, evidence: format!("oc auth can-i {line}: {evidence}") }
}

/// What follows `oc auth can-i`.
fn can_i(permission: &Permission, namespace: &str) -> String {
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
    if !namespace.is_empty() {
        resource = format!("{resource} -n {namespace}");
    }
    format!("{} {resource}", permission.verb)
}

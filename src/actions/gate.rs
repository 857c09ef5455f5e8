//! What has to hold for any write, whatever the action: a session that may write, a live picture, a permission.

use std::collections::BTreeSet;

use super::words::{list, since, when};
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
    let evidence = match reviewed(assessment, material, permission, namespace) {
        Some(Ok(Answer::Denied(reason))) => {
            return Err(denied(&assessment.facts.access, permission, namespace, reason));
        }
        Some(answer) => evidence(answer, "the dry run asks the server"),
        None => {
            reads.push(Read::Access { permission: permission.clone(), namespace: namespace.to_owned() });
            "not reviewed yet".to_owned()
        }
    };
    Ok(found(permission, namespace, &evidence))
}

/// The preconditions that something is permitted in all of `namespaces`: everywhere, or in each of them. It is asked for all of
/// the cluster first, and in single namespaces only where that is refused. What is not known yet is added to `reads`; nothing
/// has to be permitted where there are none. `why` it is needed there, and what asks the server where a review could not.
///
/// # Errors
/// It is not permitted in some of them, which are named.
pub(super) fn permission_where(
    assessment: &Assessment,
    material: &Material,
    permission: &Permission,
    namespaces: &BTreeSet<&str>,
    (why, otherwise): (&str, &str),
    reads: &mut Vec<Read>,
) -> Result<Vec<Precondition>, Refusal> {
    if namespaces.is_empty() {
        return Ok(Vec::new());
    }
    let ask = |namespace: &str| Read::Access { permission: permission.clone(), namespace: namespace.to_owned() };
    match reviewed(assessment, material, permission, "") {
        None => {
            reads.push(ask(""));
            return Ok(Vec::new());
        }
        Some(Ok(Answer::Denied(_))) => {}
        Some(answer) => return Ok(vec![found(permission, "", &evidence(answer, otherwise))]),
    }
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for namespace in namespaces {
        match reviewed(assessment, material, permission, namespace) {
            None => reads.push(ask(namespace)),
            Some(Ok(Answer::Denied(_))) => missing.push(*namespace),
            Some(answer) => lines.push(found(permission, namespace, &evidence(answer, otherwise))),
        }
    }
    let Some(first) = missing.first().filter(|_| reads.is_empty()) else { return Ok(lines) };
    let (user, words, line) = (user(&assessment.facts.access), permission.words(), can_i(permission, first));
    Err(Refusal(format!("{user} may not {words} in {}, {why} (oc auth can-i {line})", list(missing.iter().copied()))))
}

/// What is known of a permission in a namespace (empty: in all of them), from the reviews of the cockpit or from those that
/// the plan has asked for; an error is why a review did not come about. None: it was not asked.
fn reviewed<'a>(
    assessment: &'a Assessment,
    material: &'a Material,
    permission: &Permission,
    namespace: &str,
) -> Option<Result<&'a Answer, &'a str>> {
    let access = &assessment.facts.access;
    let known = if namespace.is_empty() { access.answer(permission) } else { access.answer_in(permission, namespace) };
    if let Some(known) = known {
        return Some(Ok(known));
    }
    let read = Read::Access { permission: permission.clone(), namespace: namespace.to_owned() };
    Some(match material.answer(&read)? {
        Ok(Found::Access(answer)) => Ok(answer),
        Ok(_) => Err("the answer is none to that question"),
        Err(words) => Err(words),
    })
}

fn evidence(answer: Result<&Answer, &str>, otherwise: &str) -> String {
    match answer {
        Ok(Answer::Allowed) => "allowed by access review".to_owned(),
        Ok(Answer::Denied(_)) => "denied by access review".to_owned(),
        Err(words) => format!("not reviewed ({words}): {otherwise}"),
    }
}

/// The precondition that something is permitted.
fn found(permission: &Permission, namespace: &str, evidence: &str) -> Precondition {
    let words = format!("{} is permitted", scoped(permission, namespace));
    Precondition { words, evidence: format!("oc auth can-i {}: {evidence}", can_i(permission, namespace)) }
}

/// `patch installplans.operators.coreos.com in shop`.
fn scoped(permission: &Permission, namespace: &str) -> String {
    let words = permission.words();
    if permission.namespace.is_empty() && !namespace.is_empty() { format!("{words} in {namespace}") } else { words }
}

fn user(access: &Access) -> &str {
    access.user.as_deref().unwrap_or("this user")
}

fn denied(access: &Access, permission: &Permission, namespace: &str, reason: &str) -> Refusal {
    let user = user(access);
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let (words, line) = (scoped(permission, namespace), can_i(permission, namespace));
    Refusal(format!("{user} may not {words} (oc auth can-i {line}){reason}"))
}

/// The precondition that stands for [`permitted`].
pub(super) fn permission_found(assessment: &Assessment, permission: &Permission) -> Precondition {
    let answer = assessment.facts.access.answer(permission);
    let unknown = "not reviewed yet: the dry run asks the server";
    let evidence = answer.map_or_else(|| unknown.to_owned(), |answer| evidence(Ok(answer), ""));
    found(permission, permission.namespace, &evidence)
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
